/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two drugs at once. Steady states found side by side are those found one by one, and nobody's bits depend on his
 * company; subjects whose rates nearly coincide stay with the others; an output of exact states that isn't a sum is told
 * side by side, whether anything is integrated or not. */
#include "solve/batch.h"
#include "solve/stretch.h"

#define SUBJECTS 19
#include "unit/batch_fixture.h"

#define TIMES 60

enum { GUT, BODY, OTHER, SLOW, T, A, N };
enum { LEVEL_OF_OTHER, OUT_A, N_SHOWN };

/* Flow from a to b, or out, each subject at its own rate. */
static int own_flow(struct fixture *f, int a, int b, double median)
{
    int plus = spread(f, median, 0.4), minus = spread(f, median, 0.4);
    for (size_t l = 0; l < SUBJECTS; l++)
        f->value[minus][l] = -f->value[plus][l];
    fixture_flow_regs(f, a, b, plus, minus);
    return plus;
}

/* The first drug goes through the gut; tolerance and adaptation follow it. The second is exact, fast and slow, and only an
 * output reads it. */
static struct fixture *two_drugs(bool integrated)
{
    struct fixture *f = fixture_create(N, SLOW + 1);
    struct hl_system *s = &f->system;
    struct hl_program *p = &s->rhs_integrated, *o = &s->outputs;
    int absorption = own_flow(f, GUT, BODY, 1.31), elimination = own_flow(f, BODY, -1, 0.41);
    own_flow(f, OTHER, -1, 37.7);
    own_flow(f, OTHER, SLOW, 5.3);
    own_flow(f, SLOW, OTHER, 0.21);
    for (size_t l = 0; l < SUBJECTS; l += 5) { /* nearly the same */
        f->value[absorption][l] = f->value[elimination][l] * (1 + 7e-4);
        f->value[absorption + 1][l] = -f->value[absorption][l];
    }
    for (int k = 0; k < 2; k++) {
        const struct hl_state *x = &s->state[k == 0 ? T : A];
        int above = code(f, p, HL_OP_GT, s->state[BODY].reg, x->reg, -1);
        int speed = code(f, p, HL_OP_SELECT, above, number(f, k == 0 ? 0.05 : 0.003), number(f, k == 0 ? 0.013 : 0.007));
        int gap = code(f, p, HL_OP_SUB, s->state[BODY].reg, x->reg, -1);
        fixture_code(f, p, HL_OP_MUL, x->derivative_reg, speed, gap, -1);
    }
    int missing = code(f, o, HL_OP_SUB, s->state[SLOW].reg, s->state[OTHER].reg, -1);
    int sum = code(f, o, HL_OP_ADD, s->state[SLOW].reg, number(f, 0.3), -1);
    s->output[0].reg = code(f, o, HL_OP_DIV, code(f, o, HL_OP_MAX, f->zero, missing, -1), sum, -1);
    s->output[0].linear = false;
    s->state[T].needed = s->state[A].needed = integrated;
    if (!integrated)
        s->n_outputs = 1;
    for (int d = 0; d < 5; d++)
        fixture_bolus(f, 11.3 * d, GUT, 1.1 + 0.2 * d);
    fixture_infusion(f, 0, OTHER, 3.7, 30.1);
    return f;
}

/* Both drugs have been going on before; of the same instance for the fixture. */
static void make_steady(struct fixture *f)
{
    struct hl_dose *dose = hl_arena_alloc(f->arena, 2, sizeof *dose);
    struct hl_steady *steady = hl_arena_alloc(f->arena, 1, sizeof *steady);
    dose[0] = (struct hl_dose){.route = GUT, .kind = HL_DOSE_GIVEN, .amount = 0.9};
    dose[1] = (struct hl_dose){.time = 4.7, .route = OTHER, .kind = HL_DOSE_GIVEN, .amount = 2.3};
    *steady = (struct hl_steady){.instance = 0, .time = 0, .period = 11.3, .n = 2, .dose = dose};
    f->regimen.n_steady = 1;
    f->regimen.steady = steady;
}

static void steady_states_one_by_one_and_side_by_side(void **state)
{
    (void)state;
    struct fixture *f = two_drugs(true);
    make_steady(f);
    double *time = even_times(TIMES, 1.9);
    struct solution many = fixture_solve(f, "exact", 1e-7, SUBJECTS, time, TIMES);
    fixture_lane_by_lane = true;
    struct solution alone = fixture_solve(f, "exact", 1e-10, SUBJECTS, time, TIMES);
    fixture_lane_by_lane = false;
    for (size_t l = 0; l < SUBJECTS; l++) {
        assert_int_equal(many.status[l], HL_SUBJECT_GOOD);
        assert_true(at(&many, A, 0, l) > 0.01); /* not the 0 that it would begin with */
        for (size_t k = 0; k < TIMES; k++)
            for (size_t i = T; i <= A; i++)
                assert_near("integrated", at(&many, i, k, l), at(&alone, i, k, l), 2e-7 * at(&alone, i, k, l));
    }
    for (size_t first = 0; first < SUBJECTS; first += 7) { /* other company, the same bits */
        size_t n = SUBJECTS - first < 7 ? SUBJECTS - first : 7;
        struct solution few = fixture_solve_from(f, "exact", 1e-7, first, n, time, TIMES, NULL);
        for (size_t i = 0; i < N; i++)
            for (size_t k = 0; k < TIMES; k++)
                for (size_t l = 0; l < n; l++)
                    assert_true(at(&few, i, k, l) == at(&many, i, k, first + l));
        solution_free(&few);
    }
    solution_free(&many), solution_free(&alone);
    hl_free(time);
    fixture_free(f);
}

/* Ends of stretches, and values there. */
struct ear { double end[SUBJECTS + 8], off; size_t n, untold; const struct solution *exact; };

static void on_stretch(void *context, const struct hl_stretch *stretch)
{
    struct ear *ear = context;
    double left[HL_LANES] __attribute__((aligned(64))), right[HL_LANES] __attribute__((aligned(64)));
    stretch->kind->ends(stretch, 0, left, right);
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t lane = stretch->first + l;
        if (!(stretch->length[l] > 0))
            continue;
        ear->n++;
        ear->end[lane] = stretch->t1[l];
        double k = stretch->t1[l] / 1.9;
        if (fabs(k - round(k)) < 1e-9 && (size_t)round(k) < TIMES)
            ear->off = fmax(ear->off, fabs(right[l] - at(ear->exact, 0, (size_t)round(k), lane)));
    }
}

static void on_untold(void *context, size_t lane)
{
    (void)lane;
    ((struct ear *)context)->untold++;
}

static void on_segment(void *context, const struct hl_segment *segment)
{
    (void)context, (void)segment;
}

static void no_group(void *context, const struct hl_subjects *subjects, const double *regs, size_t first, bool *told)
{
    (void)context, (void)subjects, (void)regs, (void)first;
    for (size_t l = 0; l < HL_LANES; l++)
        told[l] = true;
}

/* Stretches end at output times, where the output's value is known; few are needed where a pump holds a level. */
static void exact_states_are_told_side_by_side(void **state)
{
    (void)state;
    static const int told[] = {0};
    for (int integrated = 0; integrated < 2; integrated++) {
        struct fixture *f = two_drugs(integrated);
        double *time = even_times(TIMES, 1.9);
        struct solution exact = fixture_solve(f, "exact", 1e-7, SUBJECTS, time, TIMES);
        struct ear ear = {.exact = &exact};
        struct hl_listener listener = {.context = &ear, .segment = on_segment, .wants_segments = true, .group = no_group,
                                       .stretch = on_stretch, .untold = on_untold, .n_edges = TIMES, .edge = time,
                                       .n_told = 1, .told = told};
        struct solution heard = fixture_solve_from(f, "exact", 1e-7, 0, SUBJECTS, time, TIMES, &listener);
        assert_int_equal(ear.untold, 0);
        print_message("%s: %.1f stretches a subject\n", integrated ? "beside integrated states" : "alone",
                      (double)ear.n / SUBJECTS);
        assert_true(ear.n < SUBJECTS * TIMES * 8);
        assert_near("told", ear.off, 0, 1e-10);
        for (size_t l = 0; l < SUBJECTS; l++) {
            assert_true(ear.end[l] == time[TIMES - 1]);
            for (size_t k = 0; k < TIMES; k++)
                for (size_t i = 0; i < f->system.n_outputs; i++)
                    assert_true(at(&heard, i, k, l) == at(&exact, i, k, l));
        }
        solution_free(&exact), solution_free(&heard);
        hl_free(time);
        fixture_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_states_one_by_one_and_side_by_side),
        cmocka_unit_test(exact_states_are_told_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
