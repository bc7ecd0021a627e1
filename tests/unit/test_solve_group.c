/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ways of carrying a group of subjects that must not be told apart by their results: event lists that all subjects
 * share and lists of their own; a solver that solves again, for the same or for other times. All comparisons are of
 * bits. */
#include "unit/solve_fixture.h"

#include "solve/glide.h"

#define SUBJECTS 19
#define STATES 5

/* Rates by flow: of most subjects a body; some have a ring of equal rates instead, in which things turn. */
static double rate_of(size_t flow, size_t subject)
{
    static const double ring[] = {0.9, 0.5, 0, 0.031, 0, 0, 0.4, 0.5, 0.5};
    if (subject % 7 == 5)
        return ring[flow];
    return flow < 7 ? 0.031 + 0.7 * fabs(sin(1.3 * (double)subject + 2.1 * (double)flow)) : 0;
}

/* Depot, two-compartment body, effect site, and a state of its own that decays. */
static struct fixture *body(const double *lag, bool individual)
{
    struct fixture *f = fixture_create(STATES, STATES);
    static const int from[] = {0, 1, 2, 1, 1, 3, 4, 2, 3}, to[] = {1, 2, 1, -1, 3, -1, -1, 3, 1};
    for (size_t flow = 0; flow < 9; flow++) {
        double k[SUBJECTS], minus[SUBJECTS];
        for (size_t l = 0; l < SUBJECTS; l++) {
            k[l] = rate_of(flow, l);
            minus[l] = -k[l];
        }
        int plus = fixture_values(f, k, SUBJECTS), less = fixture_values(f, minus, SUBJECTS);
        fixture_flow_regs(f, from[flow], to[flow], plus, less);
    }
    for (size_t i = 0; i < 2; i++) {
        struct hl_route_part *part = &f->system.route[i * 4].part[0];
        part->lag_reg = fixture_values(f, lag, SUBJECTS);
        f->system.reg[part->lag_reg].individual = individual;
    }
    for (int d = 0; d < 11; d++)
        fixture_bolus(f, 3.7 * d, d % 2 ? 4 : 0, 1.9 + 0.13 * d);
    fixture_bolus(f, 6, 0, 0.77);
    fixture_infusion(f, 5.5, 2, 0.31, 11.2);
    fixture_infusion(f, 9.25, 4, 0.17, 23.9);
    return f;
}

/* What arrives of a dose into the depot, everybody's own; of an infusion too, or else nobody knows what the first one
 * gets. */
static void give_everybody_a_fraction(struct fixture *f, bool infusion)
{
    double fraction[SUBJECTS];
    for (size_t l = 0; l < SUBJECTS; l++)
        fraction[l] = l == 0 && !infusion ? NAN : 0.41 + 0.017 * (double)l;
    f->system.route[0].part[0].fraction_reg = fixture_values(f, fraction, SUBJECTS);
    if (infusion)
        f->system.route[2].part[0].fraction_reg = f->system.route[0].part[0].fraction_reg;
}

static size_t hours(double *time, size_t n, double dt)
{
    for (size_t k = 0; k < n; k++)
        time[k] = dt * (double)k;
    return n;
}

static void assert_same(const struct solution *a, const struct solution *b)
{
    for (size_t i = 0; i < STATES; i++)
        for (size_t k = 0; k < a->n_times; k++)
            for (size_t l = 0; l < SUBJECTS; l++) {
                double x = at(a, i, k, l), y = at(b, i, k, l);
                if (memcmp(&x, &y, sizeof x) != 0)
                    fail_msg("state %zu, time %zu, subject %zu: %.17g and %.17g", i, k, l, x, y);
            }
    assert_memory_equal(a->status, b->status, SUBJECTS);
}

/* Lags that are the same number for everybody: by the study's structure, or by accident. */
static void shared_events_are_own_events(void **state)
{
    (void)state;
    double lag[SUBJECTS], time[90];
    for (size_t l = 0; l < SUBJECTS; l++)
        lag[l] = 0.37;
    for (size_t round = 0; round < 3; round++) {
        size_t n = hours(time, 90, round == 0 ? 0.5 : 0.61);
        time[n - 1] += round == 2 ? 0.113 : 0;
        struct fixture *shared = body(lag, false), *own = body(lag, true);
        assert_true(hl_regimen_is_shared(&shared->regimen, &shared->system));
        assert_false(hl_regimen_is_shared(&own->regimen, &own->system));
        struct solution a = fixture_solve(shared, "exact", 1e-8, SUBJECTS, time, n);
        struct solution b = fixture_solve(own, "exact", 1e-8, SUBJECTS, time, n);
        assert_same(&a, &b);
        solution_free(&a), solution_free(&b);
        fixture_free(shared), fixture_free(own);
    }
}

static void assert_common_is_own(bool infusion)
{
    double lag[SUBJECTS], time[140];
    for (size_t l = 0; l < SUBJECTS; l++)
        lag[l] = 0.37;
    hours(time, 140, 0.43);
    struct fixture *f[2];
    struct solution s[2];
    for (size_t k = 0; k < 2; k++) {
        f[k] = body(lag, k == 1);
        give_everybody_a_fraction(f[k], infusion);
        f[k]->value[f[k]->system.coef[0].reg][3] = NAN;
        assert_true(hl_regimen_is_common(&f[k]->regimen, &f[k]->system) == (k == 0));
        assert_false(hl_regimen_is_shared(&f[k]->regimen, &f[k]->system));
        s[k] = fixture_solve(f[k], "exact", 1e-8, SUBJECTS, time, 140);
        for (size_t l = 0; l < SUBJECTS; l++)
            assert_int_equal(s[k].status[l], l == 3 || (l == 0 && !infusion) ? HL_SUBJECT_BAD_PARAMETERS
                                                                             : HL_SUBJECT_GOOD);
    }
    assert_same(&s[0], &s[1]);
    for (size_t k = 0; k < 2; k++)
        solution_free(&s[k]), fixture_free(f[k]);
}

/* Times that are everybody's by the study's structure, values that aren't; some subjects fail, the first among them. */
static void common_times_are_own_times(void **state)
{
    (void)state;
    assert_common_is_own(true);
    assert_common_is_own(false);
}

/* Doses alike with no output time between them, in a row as long as it may be, before the first time, between two of
 * them, ended by another amount, another state or an infusion; not quite alike where 0.1 h times something isn't exact.
 */
static void rows_of_equal_doses_are_doses(void **state)
{
    (void)state;
    static const double time[] = {1.7, 40.25, 161, 161.5, 162, 700.5}, lags[] = {0.375, 0.1};
    for (size_t k = 0; k < 2; k++) {
        double lag[SUBJECTS];
        for (size_t l = 0; l < SUBJECTS; l++)
            lag[l] = lags[k];
        struct fixture *f[2];
        struct solution s[2];
        for (size_t i = 0; i < 2; i++) {
            f[i] = body(lag, i == 1);
            for (int d = 0; d < 120; d++)
                fixture_bolus(f[i], -30 + 3 * d, d % 11 == 10 ? 4 : 0, d < 47 ? 1.3 : 0.91);
            fixture_infusion(f[i], 51.5, 0, 0.21, 70.3);
            assert_true(hl_regimen_is_shared(&f[i]->regimen, &f[i]->system) == (i == 0));
            s[i] = fixture_solve(f[i], "exact", 1e-8, SUBJECTS, time, 6);
        }
        assert_same(&s[0], &s[1]);
        for (size_t i = 0; i < 2; i++)
            solution_free(&s[i]), fixture_free(f[i]);
    }
}

static double *some_numbers(size_t n, double seed)
{
    double *number = hl_alloc(n, sizeof *number);
    for (size_t i = 0; i < n; i++)
        number[i] = 0.137 + fabs(sin(1.7 * (double)i + seed));
    return number;
}

/* A run of doses is one hop and one dose after the other: the very bits, for as many modes as there are. */
static void runs_are_plain_loops(void **state)
{
    (void)state;
    enum { MOST = 9, ROUNDS = 37 };
    double *z0 = some_numbers(MOST * 8, 0), *E = some_numbers(MOST * 8, 0.9), *phi = some_numbers(MOST * 8, 1.8);
    double *g = some_numbers(MOST * 8, 2.7), *W = some_numbers(3 * MOST * 8, 3.6), *z = some_numbers(MOST * 8, 0);
    for (size_t n = 0; n <= MOST; n++)
        for (size_t k = 0; k < 4; k++) {
            const double *flow = k & 1 ? g : NULL, *in = k & 2 ? W : NULL;
            memcpy(z, z0, MOST * 8 * sizeof *z);
            hl_glide_run(z, E, phi, flow, in, 24, 0.713, n, ROUNDS);
            for (size_t i = 0; i < MOST * 8; i++) {
                double x = z0[i];
                for (size_t r = 0; r < ROUNDS && i < n * 8; r++) {
                    x = flow ? x * E[i] + g[i] * phi[i] : x * E[i];
                    x = in ? x + W[i / 8 * 24 + i % 8] * 0.713 : x;
                }
                assert_true(z[i] == x);
            }
        }
    double *part[] = {z0, E, phi, g, W, z};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* So many values that groups take turns (24 lanes: 1.5 MB), and few enough that each goes through all times alone. */
static void large_blocks_are_small_blocks(void **state)
{
    (void)state;
    enum { TIMES = 1577 };
    double lag[SUBJECTS], *time = hl_alloc(TIMES, sizeof *time);
    for (size_t l = 0; l < SUBJECTS; l++)
        lag[l] = 0.37;
    hours(time, TIMES, 0.027);
    for (size_t own = 0; own < 2; own++) {
        struct fixture *f = body(lag, own);
        struct solution all = fixture_solve(f, "exact", 1e-8, SUBJECTS, time, TIMES);
        for (size_t first = 0; first < SUBJECTS; first += 8) {
            size_t n = SUBJECTS - first < 8 ? SUBJECTS - first : 8;
            struct solution some = fixture_solve_from(f, "exact", 1e-8, first, n, time, TIMES, NULL);
            for (size_t k = 0; k < STATES * TIMES; k++)
                assert_memory_equal(all.out + k * all.lanes + first, some.out + k * some.lanes, n * sizeof *some.out);
            solution_free(&some);
        }
        solution_free(&all);
        fixture_free(f);
    }
    hl_free(time);
}

/* An output that isn't linear: the first state times the time after dose. */
static void show_time_after_dose(struct fixture *f)
{
    struct hl_system *s = &f->system;
    struct hl_output *y = &s->output[0];
    s->instance[0].tad_reg = fixture_reg(f, HL_REG_TAD, 0);
    y->linear = false;
    fixture_code(f, &s->outputs, HL_OP_MUL, y->reg, s->state[0].reg, s->instance[0].tad_reg, -1);
}

/* Doses are given at 0, 3.7, ... and at 6 h, whatever their lag; before the first one, at -1 h, the time after dose is
 * 0. */
static void doses_are_noticed_when_they_are_given(void **state)
{
    (void)state;
    double lag[SUBJECTS], time[97];
    for (size_t l = 0; l < SUBJECTS; l++)
        lag[l] = 0.37;
    for (size_t k = 0; k < 97; k++)
        time[k] = 0.43 * (double)k - (k == 0 ? 1 : 0);
    struct fixture *plain = body(lag, false), *shared = body(lag, false), *own = body(lag, true);
    show_time_after_dose(shared), show_time_after_dose(own);
    struct solution x = fixture_solve(plain, "exact", 1e-8, SUBJECTS, time, 97);
    struct solution a = fixture_solve(shared, "exact", 1e-8, SUBJECTS, time, 97);
    struct solution b = fixture_solve(own, "exact", 1e-8, SUBJECTS, time, 97);
    assert_same(&a, &b);
    for (size_t k = 0; k < 97; k++) {
        double last = INFINITY;
        for (size_t i = 0; i < shared->regimen.n_doses; i++)
            if (shared->regimen.dose[i].time <= time[k])
                last = fmin(last, time[k] - shared->regimen.dose[i].time);
        for (size_t l = 0; l < SUBJECTS; l++)
            assert_near("state times time after dose", at(&a, 0, k, l), at(&x, 0, k, l) * (isfinite(last) ? last : 0),
                        1e-13);
    }
    solution_free(&x), solution_free(&a), solution_free(&b);
    fixture_free(plain), fixture_free(shared), fixture_free(own);
}

/* More than a panel holds: ten coupled states, all shown, one of them fed by an input that is always there. */
static void large_models_need_several_panels(void **state)
{
    (void)state;
    double time[33], k_out = 0.213;
    hours(time, 33, 0.7);
    struct fixture *f = fixture_create(10, 10), *gsl = fixture_create(10, 10), *both[] = {f, gsl};
    for (size_t k = 0; k < 2; k++) {
        for (int i = 0; i < 9; i++)
            fixture_flow(both[k], i, i + 1, k_out + 0.11 * i);
        fixture_flow(both[k], 4, 3, 0.37);
        fixture_entry(both[k], 2, -1, fixture_reg(both[k], HL_REG_COEFFICIENT, 0.19));
        fixture_bolus(both[k], 1.3, 0, 2.7);
        fixture_linear_rates(both[k], &both[k]->system.rhs);
    }
    struct solution a = fixture_solve(f, "exact", 1e-8, 9, time, 33);
    struct solution b = fixture_solve(gsl, "gsl-rk8pd", 1e-12, 9, time, 33);
    for (size_t i = 0; i < 10; i++)
        for (size_t k = 0; k < 33; k++)
            assert_near("state", at(&a, i, k, 8), at(&b, i, k, 8), 1e-10);
    solution_free(&a), solution_free(&b);
    fixture_free(f), fixture_free(gsl);
}

enum { STEPS = 2 * HL_FORGET_EVERY + 3, DONE = 5, MODES = HL_PANEL_MODES, SHOWN = HL_PANEL_SHOWN };

/* What a kernel reads and writes. */
struct kernel_sample { double *z0, *E, *u, *row, *offset, *z, *y; };

/* The same by plain loops for lane l: the very bits. */
static void assert_lane(const struct kernel_sample *s, size_t n, size_t q, bool fed, size_t l)
{
    double x[MODES];
    for (size_t m = 0; m < n; m++)
        x[m] = s->z0[m * 8 + l];
    for (size_t k = 0; k < STEPS; k++) {
        for (size_t m = 0; m < n; m++)
            x[m] = (DONE + k) % HL_FORGET_EVERY == 0 && fabs(x[m]) <= HL_NOTHING ? 0 : x[m];
        for (size_t i = 0; i < q; i++) {
            double sum = s->offset[i * 8 + l];
            for (size_t m = 0; m < n; m++)
                sum += s->row[(i * n + m) * 8 + l] * x[m];
            assert_true(sum == s->y[(i * STEPS + k) * 8 + l]);
        }
        for (size_t m = 0; m < n; m++)
            x[m] = fed ? x[m] * s->E[m * 8 + l] + s->u[m * 8 + l] : x[m] * s->E[m * 8 + l];
    }
    for (size_t m = 0; m < n; m++)
        assert_true(s->z[m * 8 + l] == x[m]);
}

static void assert_kernel(const struct kernel_sample *s, hl_glide_kernel *kernel, size_t n, size_t q, bool fed)
{
    struct hl_glide_call call = {.z = s->z, .row = s->row, .time_stride = 8};
    memcpy(s->z, s->z0, MODES * 8 * sizeof *s->z);
    for (size_t i = 0; i < q; i++) {
        call.start[i] = s->offset + i * 8;
        call.y[i] = s->y + i * STEPS * 8;
    }
    kernel(&call, s->E, s->u, 0, STEPS, DONE);
    for (size_t l = 0; l < 8; l++)
        assert_lane(s, n, q, fed, l);
}

/* Every kernel of every width that this machine has. */
static void kernels_are_plain_loops(void **state)
{
    (void)state;
    struct kernel_sample s = {some_numbers(MODES * 8, 0), some_numbers(MODES * 8, 0.9), some_numbers(MODES * 8, 1.8),
                              some_numbers(SHOWN * MODES * 8, 2.7), some_numbers(SHOWN * 8, 3.6),
                              some_numbers(MODES * 8, 0), some_numbers(SHOWN * STEPS * 8, 0)};
    size_t seen = 0;
    for (size_t l = 1; l < 8; l += 2)
        s.E[8 + l] = pow(10, -3.5 * (double)l); /* fast modes, some of them forgotten on the way */
    for (enum hl_width width = HL_WIDTH_TWO; width <= HL_WIDTH_EIGHT; width++)
        for (size_t k = 0; k < MODES * (SHOWN + 1) * 2; k++) {
            size_t n = k % MODES + 1, q = k / MODES % (SHOWN + 1);
            bool fed = k / MODES / (SHOWN + 1);
            hl_glide_kernel *kernel = hl_glide_kernel_for(width, n, q, fed);
            if (kernel)
                assert_kernel(&s, kernel, n, q, fed);
            seen += kernel != NULL;
        }
    assert_true(seen >= MODES * (SHOWN + 1) * 2);
    double *part[] = {s.z0, s.E, s.u, s.row, s.offset, s.z, s.y};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* One solver, three blocks: the middle one has other output times and mustn't leave anything behind. */
static void solver_forgets_other_times(void **state)
{
    (void)state;
    double lag[SUBJECTS] = {0}, time[40], other[23];
    hours(time, 40, 0.7);
    hours(other, 23, 1.9);
    struct fixture *f = body(lag, false);
    struct solution alone = fixture_solve(f, "exact", 1e-8, SUBJECTS, time, 40), again[3];
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    struct hl_solver *solver = hl_solver_create(plan, alone.lanes);
    for (size_t k = 0; k < 3; k++) {
        size_t n = k == 1 ? 23 : 40;
        again[k] = fixture_solve_with(f, solver, 0, SUBJECTS, k == 1 ? other : time, n, NULL);
    }
    assert_same(&alone, &again[0]);
    assert_same(&alone, &again[2]);
    struct solution late = fixture_solve(f, "exact", 1e-8, SUBJECTS, other, 23);
    assert_same(&late, &again[1]);
    for (size_t k = 0; k < 3; k++)
        solution_free(&again[k]);
    solution_free(&alone), solution_free(&late);
    hl_solver_free(solver);
    hl_plan_free(plan);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_events_are_own_events),
        cmocka_unit_test(common_times_are_own_times),
        cmocka_unit_test(rows_of_equal_doses_are_doses),
        cmocka_unit_test(runs_are_plain_loops),
        cmocka_unit_test(large_blocks_are_small_blocks),
        cmocka_unit_test(doses_are_noticed_when_they_are_given),
        cmocka_unit_test(large_models_need_several_panels),
        cmocka_unit_test(kernels_are_plain_loops),
        cmocka_unit_test(solver_forgets_other_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
