/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ways of carrying a group of subjects that must not be told apart by their results: event lists that all subjects
 * share and lists of their own; a solver that solves again, for the same or for other times. All comparisons are of
 * bits. */
#include "unit/solve_fixture.h"

#define SUBJECTS 19
#define STATES 5

/* Depot, two-compartment body, effect site, and a state of its own that decays. */
static struct fixture *body(const double *lag, bool individual)
{
    struct fixture *f = fixture_create(STATES, STATES);
    static const int from[] = {0, 1, 2, 1, 1, 3, 4}, to[] = {1, 2, 1, -1, 3, -1, -1};
    for (size_t flow = 0; flow < 7; flow++) {
        double k[SUBJECTS], minus[SUBJECTS];
        for (size_t l = 0; l < SUBJECTS; l++) {
            k[l] = 0.031 + 0.7 * fabs(sin(1.3 * (double)l + 2.1 * (double)flow));
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

/* One solver, three blocks: the middle one has other output times and mustn't leave anything behind. */
static void solver_forgets_other_times(void **state)
{
    (void)state;
    double lag[SUBJECTS] = {0}, time[40], other[23];
    hours(time, 40, 0.7);
    hours(other, 23, 1.9);
    struct fixture *f = body(lag, false);
    size_t n = 0;
    struct solution alone = fixture_solve(f, "exact", 1e-8, SUBJECTS, time, 40), again[3];
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    struct hl_solver *solver = hl_solver_create(plan, alone.lanes);
    for (size_t k = 0; k < 3; k++) {
        n = k == 1 ? 23 : 40;
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
        cmocka_unit_test(solver_forgets_other_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
