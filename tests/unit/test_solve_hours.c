/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hours above a level of whole runs (strand_hours.c) against the places of the same crossings found stretch by stretch
 * (strand_run.c): random models of depot, centre, periphery and effect site (slow and fast rates, absorption slower
 * than elimination, equal rates), runs of 1, 2, 3, a few and 1000 equal doses, doses of nothing, infusions in some
 * subjects; levels that are never or always exceeded, that are the very value at a dose or at a maximum, and others.
 *
 * Crossings of many runs, outputs and levels are found together, in any order, whenever there are many. So each case is
 * solved again, also with one of its subjects in all lanes, and asked the same, the hours of all runs being summed up:
 * every lane must have the bits that he has in company.
 *
 * How many runs were told either way, and how many had stretches left for a closer look, is counted: all three must
 * occur. A new seed each day, printed; HL_SEED=N repeats one, HL_CASES=N asks for more than 12. */
#include <time.h>

#include "solve/strand.h"
#include "solve/stretch.h"
#include "unit/solve_fixture.h"
#include "unit/case_numbers.h"
#include "unit/dice.h"

#define SUBJECTS 8
#define MOST_RUNS 64
#define MOST_STRETCHES 1100
#define LEVELS 7
#define OUTPUTS 4

typedef double row[HL_LANES] __attribute__((aligned(64)));

/* What a run, an output and a level gave. */
struct record { row hours, later, least, most, open; size_t n[HL_LANES], question; double level, hair; };

struct ear {
    const struct hl_plan *plan;
    struct hl_strands *strands;
    struct record record[MOST_RUNS * OUTPUTS * LEVELS];
    row from[MOST_STRETCHES], to[MOST_STRETCHES], hard[MOST_STRETCHES];
    size_t n, question;          /* asked; considered */
    double stop, share[LEVELS], greatest;
    const struct record *asked;  /* whose levels are asked again, unless it is NULL; ... */
    row later[OUTPUTS * LEVELS]; /* ... what comes later of all runs goes here then */
};

/* Levels: of lane 0 where its run begins, its greatest value, nothing, anything, shares of the greatest. hair: what
 * rounding may do to values. */
static double level_of(struct ear *ear, const struct hl_stretch *stretch, size_t k, size_t number, double *hair)
{
    row left, right, low, high;
    stretch->kind->ends(stretch, k, left, right);
    stretch->kind->bounds(stretch, k, low, high);
    double at[LEVELS] = {left[0], high[0], -1, 1e6};
    *hair = 1e-12 * fabs(at[number < 2 ? number : 0]);
    for (size_t l = 0; l < HL_LANES; l++)
        ear->greatest = fmax(ear->greatest, fabs(high[l]));
    *hair = fmax(*hair, 1e-14 * ear->greatest);
    return number < 4 ? at[number] : ear->share[number] * high[number % HL_LANES];
}

/* Hours by the parts of the stretches; stretches that are hard are counted. */
static void add_parts(struct ear *ear, const struct hl_stretch *stretch, size_t k, double level, const double *wanted,
                      double *hours, double *open)
{
    row theta;
    for (size_t l = 0; l < HL_LANES; l++)
        theta[l] = level;
    stretch->kind->run_parts(stretch, k, theta, wanted, ear->from[0], ear->to[0], ear->hard[0]);
    for (size_t l = 0; l < HL_LANES; l++)
        for (size_t i = 0; wanted[l] != 0 && i < stretch->n_alike[l]; i++) {
            hours[l] += ear->to[i][l] - ear->from[i][l];
            open[l] += ear->hard[i][l] != 0;
        }
}

/* What is above the level lies between what is above a slightly lower and a slightly higher one. */
static void compare_one(struct ear *ear, const struct hl_stretch *stretch, size_t k, size_t number, double level,
                        double hair)
{
    struct record *r = &ear->record[ear->n++];
    row theta, wanted;
    memset(r, 0, sizeof *r);
    r->level = level;
    r->hair = hair;
    r->question = ear->question;
    for (size_t l = 0; l < HL_LANES; l++) {
        theta[l] = level;
        wanted[l] = stretch->length[l] > 0 ? 1 : 0;
        r->n[l] = wanted[l] != 0 ? stretch->n_alike[l] : 0;
    }
    add_parts(ear, stretch, k, level + hair, wanted, r->least, r->open);
    add_parts(ear, stretch, k, level - hair, wanted, r->most, r->open);
    double *later = ear->asked ? ear->later[(size_t)stretch->output[k] * LEVELS + number] : r->later;
    bool any = stretch->kind->run_hours(stretch, k, theta, wanted, r->hours, later, ear->hard[0]);
    for (size_t l = 0; l < HL_LANES; l++)
        for (size_t i = 0; any && i < r->n[l]; i++)
            r->open[l] += ear->hard[i][l] != 0;
}

static void on_stretch(void *context, const struct hl_stretch *stretch)
{
    struct ear *ear = context;
    static const size_t first[HL_LANES];
    assert_true(stretch->most_alike <= MOST_STRETCHES);
    for (size_t k = 0; k < stretch->n_outputs; k++)
        for (size_t i = 0; i < LEVELS && ear->n < MOST_RUNS * OUTPUTS * LEVELS; i++, ear->question++) {
            stretch->kind->turn_to(stretch, first);
            const struct record *same = ear->asked ? &ear->asked[ear->n] : NULL;
            double hair, level = level_of(ear, stretch, k, i, &hair);
            if (same && same->question == ear->question)
                compare_one(ear, stretch, k, i, same->level, same->hair);
            else if (!same && fabs(level) > 1e-9 * ear->greatest) /* y leaves 0 flat: times to the root of rounding */
                compare_one(ear, stretch, k, i, level, hair);
        }
}

static void on_group(void *context, const struct hl_subjects *subjects, const double *regs, size_t first, bool *told)
{
    struct ear *ear = context;
    assert_int_equal(hl_strands_tell(ear->strands, subjects, regs, first, ear->stop, NULL, 0, on_stretch, ear), HL_OK);
    for (size_t l = 0; l < HL_LANES; l++)
        told[l] = true;
}

static int rates(struct fixture *f, struct dice *d, double typical, double sign, double *value)
{
    for (size_t l = 0; l < SUBJECTS && sign > 0; l++)
        value[l] = typical * exp(uniform(d, -0.4, 0.4));
    double signed_value[SUBJECTS];
    for (size_t l = 0; l < SUBJECTS; l++)
        signed_value[l] = sign * value[l];
    return fixture_values(f, signed_value, SUBJECTS);
}

static void flow(struct fixture *f, struct dice *d, int a, int b, double typical)
{
    double value[SUBJECTS];
    int plus = rates(f, d, typical, 1, value), minus = rates(f, d, typical, -1, value);
    fixture_flow_regs(f, a, b, plus, minus);
}

static void make_model(struct fixture *f, struct dice *d)
{
    double ka = pow(10, uniform(d, -2, 1)), ke = pow(10, uniform(d, -3.5, 0)), value[SUBJECTS];
    bool equal = uniform(d, 0, 1) < 0.2;
    if (equal) {
        fixture_flow(f, 0, 1, ka);
        fixture_flow(f, 1, -1, ka);
    } else {
        flow(f, d, 0, 1, ka);
        flow(f, d, 1, -1, ke);
        flow(f, d, 1, 2, pow(10, uniform(d, -2, 0.5)));
        flow(f, d, 2, 1, pow(10, uniform(d, -2, 0.5)));
    }
    double ke0 = pow(10, uniform(d, -1, 1.2));
    int plus = rates(f, d, ke0, 1, value), minus = rates(f, d, ke0, -1, value);
    fixture_entry(f, 3, 1, plus);
    fixture_entry(f, 3, 3, minus);
}

static double prescribe(struct fixture *f, struct dice *d)
{
    static const int length[] = {1, 2, 3, 7, 30, 1000};
    double time = uniform(d, 0, 5), every = uniform(d, 4, 30);
    int longest = uniform(d, 0, 1) < 0.15 ? 6 : 5, state = uniform(d, 0, 1) < 0.7 ? 0 : 1;
    for (int r = 0; r < 5; r++) {
        double amount = uniform(d, 0, 1) < 0.1 ? 0 : uniform(d, 0.1, 2);
        for (int n = length[(int)uniform(d, 0, longest)]; n > 0; n--, time += every)
            fixture_bolus(f, time, state, amount);
        if (uniform(d, 0, 1) < 0.1)
            fixture_infusion(f, time - every, 1, uniform(d, 0.01, 0.2), 2.5 * every);
    }
    return time + 5 * every;
}

static void check(const struct ear *ear, size_t *told, size_t *left)
{
    for (size_t i = 0; i < ear->n; i++)
        for (size_t l = 0; l < HL_LANES; l++) {
            const struct record *r = &ear->record[i];
            double found = r->hours[l] + r->later[l];
            *left += r->open[l] != 0;
            *told += r->n[l] > 0 && r->open[l] == 0;
            double slack = 1e-9 * (1 + (double)r->n[l]);
            if (r->open[l] == 0 && !(found >= r->least[l] - slack && found <= r->most[l] + slack))
                fail_msg("run %zu of %zu stretches, level %.17g, lane %zu: %.15g h above it, by its parts %.15g to %.15g",
                         i, r->n[l], r->level, l, found, r->least[l], r->most[l]);
        }
}

static const int output[OUTPUTS] = {0, 1, 2, 3};

/* All subjects, or one of them in all lanes. */
static void solve(struct fixture *f, const struct hl_plan *plan, struct ear *ear, size_t first, bool alone)
{
    const unsigned char watched[OUTPUTS] = {0, 1, 0, 1};
    ear->strands = hl_strands_create(plan, output, OUTPUTS, watched);
    struct hl_solver *solver = hl_solver_create(plan, HL_LANES);
    double *regs = hl_alloc(f->system.n_regs * HL_LANES, sizeof *regs), time[2] = {0, ear->stop};
    double *out = hl_alloc(OUTPUTS * 2 * HL_LANES, sizeof *out);
    signed char status[HL_LANES] = {0};
    for (size_t r = 0; r < f->system.n_regs; r++)
        for (size_t l = 0; l < HL_LANES; l++)
            regs[r * HL_LANES + l] = f->value[r] ? f->value[r][alone ? first : l] : f->system.initial[r];
    struct hl_block block = {.first = 1, .n = SUBJECTS, .lanes = HL_LANES, .regs = regs, .status = status, .out = out};
    struct hl_listener listener = {.context = ear, .group = on_group};
    assert_int_equal(hl_solver_run(solver, &block, output, OUTPUTS, time, 2, &listener), HL_OK);
    hl_free(regs);
    hl_free(out);
    hl_solver_free(solver);
    hl_strands_free(ear->strands);
}

static void check_alone(const struct ear *together, const struct ear *alone, size_t first)
{
    size_t told = 0;
    for (size_t i = 0; i < together->n; i++)
        told += together->record[i].n[first] > 0;
    if (told == 0) /* his modes may be too close to each other to be told */
        return;
    assert_int_equal(alone->n, together->n);
    for (size_t i = 0; i < alone->n * HL_LANES; i++) {
        const struct record *r = &together->record[i / HL_LANES];
        double here = r->hours[first], there = alone->record[i / HL_LANES].hours[i % HL_LANES];
        if (memcmp(&here, &there, sizeof here) != 0)
            fail_msg("level %.17g, subject %zu: %.17g h in company, %.17g alone", r->level, first, here, there);
    }
    for (size_t i = 0; i < OUTPUTS * LEVELS * HL_LANES; i++) {
        double here = together->later[i / HL_LANES][first], there = alone->later[i / HL_LANES][i % HL_LANES];
        if (memcmp(&here, &there, sizeof here) != 0)
            fail_msg("later %zu, subject %zu: %.17g h in company, %.17g alone", i / HL_LANES, first, here, there);
    }
}

static void hours_add_up_to_parts(void **state)
{
    (void)state;
    static struct ear ear __attribute__((aligned(64))), again __attribute__((aligned(64))),
        alone __attribute__((aligned(64)));
    uint64_t seed = from_environment("HL_SEED", date_number()), cases = from_environment("HL_CASES", 12);
    size_t told = 0, left = 0;
    printf("hours: seed %llu (HL_SEED), %llu cases (HL_CASES)\n", (unsigned long long)seed, (unsigned long long)cases);
    for (uint64_t number = 0; number < cases; number++) {
        struct dice d = {seed, number, 0, 23};
        struct fixture *f = fixture_create(OUTPUTS, OUTPUTS);
        make_model(f, &d);
        memset(&ear, 0, sizeof ear);
        memset(&again, 0, sizeof again);
        memset(&alone, 0, sizeof alone);
        ear.stop = again.stop = alone.stop = prescribe(f, &d);
        for (size_t i = 0; i < LEVELS; i++)
            ear.share[i] = uniform(&d, 0.02, 1.01);
        struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
        solve(f, plan, &ear, 0, false);
        check(&ear, &told, &left);
        again.asked = alone.asked = ear.record;
        size_t subject = (size_t)uniform(&d, 0, SUBJECTS);
        solve(f, plan, &again, 0, false);
        solve(f, plan, &alone, subject, true);
        check_alone(&again, &alone, subject);
        hl_plan_free(plan);
        fixture_free(f);
    }
    printf("%zu runs told whole, %zu with stretches left for a closer look\n", told, left);
    assert_true(told > 0 && left > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hours_add_up_to_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
