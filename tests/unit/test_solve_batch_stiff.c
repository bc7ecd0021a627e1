/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stiff subjects among others: a drug that binds to its target, from slow to a million times faster than it is
 * eliminated. All against an independent stepper at a tight tolerance; those that aren't stiff keep their bits. */
#include <time.h>

#define SUBJECTS 16
#include "unit/batch_fixture.h"

#define TIMES 97

enum { FREE, TARGET, BOUND, N };

static int rhs(struct fixture *f, int kind, int a, int b)
{
    return code(f, &f->system.rhs_integrated, kind, a, b, -1);
}

/* C' = -0.05 C - binds, R' = 0.2 (1 - R/7) - binds, B' = binds - 0.05 B; binds = kon (C R - B): KD 1. Fast binding
 * moves the three along C R = B, from which doses take them. */
static struct fixture *binding(const double *kon)
{
    struct fixture *f = fixture_create(N, 0);
    struct hl_state *x = f->system.state;
    struct hl_program *p = &f->system.rhs_integrated;
    int gap = rhs(f, HL_OP_SUB, rhs(f, HL_OP_MUL, x[FREE].reg, x[TARGET].reg), x[BOUND].reg);
    int binds = rhs(f, HL_OP_MUL, fixture_values(f, kon, SUBJECTS), gap);
    int lost = rhs(f, HL_OP_MUL, number(f, 0.05), x[FREE].reg);
    int gone = rhs(f, HL_OP_MUL, number(f, 0.05), x[BOUND].reg);
    int made = rhs(f, HL_OP_SUB, number(f, 0.2), rhs(f, HL_OP_MUL, number(f, 0.2 / 7), x[TARGET].reg));
    fixture_code(f, p, HL_OP_NEG, x[FREE].derivative_reg, rhs(f, HL_OP_ADD, lost, binds), -1, -1);
    fixture_code(f, p, HL_OP_SUB, x[TARGET].derivative_reg, made, binds, -1);
    fixture_code(f, p, HL_OP_SUB, x[BOUND].derivative_reg, binds, gone, -1);
    f->system.rhs = *p; /* for steppers that integrate everything */
    x[TARGET].initial_reg = number(f, 7);
    for (int d = 0; d < 3; d++)
        fixture_bolus(f, 13.7 * d + 0.31, FREE, 31.3 - 7 * d);
    return f;
}

static void stiff_subjects_are_solved_well_and_soon(void **state)
{
    (void)state;
    double kon[SUBJECTS], slow[SUBJECTS], *time = hl_alloc(TIMES, sizeof *time);
    for (size_t l = 0; l < SUBJECTS; l++) {
        kon[l] = l % 4 == 3 ? 1e2 * pow(10, (double)(l / 4)) : 0.1 + 0.03 * (double)l; /* 100 to 100000 */
        slow[l] = l % 4 == 3 ? 0.2 : kon[l];
    }
    for (size_t k = 0; k < TIMES; k++)
        time[k] = 0.5 * (double)k;
    struct fixture *f = binding(kon), *g = binding(slow);
    clock_t begun = clock();
    struct solution s = fixture_solve(f, "exact", 1e-6, SUBJECTS, time, TIMES);
    double taken = (double)(clock() - begun) / CLOCKS_PER_SEC; /* of this process; minutes by an explicit method */
    struct solution calm = fixture_solve(g, "exact", 1e-6, SUBJECTS, time, TIMES);
    struct solution r = fixture_solve(f, "gsl-msbdf", 1e-11, SUBJECTS, time, TIMES);
    double peak[N] = {31, 7, 7}, worst[2] = {0};
    for (size_t l = 0; l < SUBJECTS; l++)
        for (size_t i = 0; i < N; i++)
            for (size_t k = 0; k < TIMES; k++) {
                double y = at(&s, i, k, l), z = at(&calm, i, k, l);
                worst[l % 4 == 3] = fmax(worst[l % 4 == 3], fabs(y - at(&r, i, k, l)) / peak[i]);
                if (l % 4 != 3)
                    assert_memory_equal(&y, &z, sizeof y);
            }
    print_message("%.2f s; errors %.1e, stiff %.1e\n", taken, worst[0], worst[1]);
    for (size_t l = 0; l < SUBJECTS; l++)
        assert_int_equal(s.status[l], HL_SUBJECT_GOOD);
    assert_near("error", worst[0], 0, 1e-6);
    assert_near("error of stiff ones", worst[1], 0, 1e-6);
    assert_true(taken < 10);
    solution_free(&s), solution_free(&calm), solution_free(&r);
    fixture_free(f), fixture_free(g);
    hl_free(time);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stiff_subjects_are_solved_well_and_soon)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
