/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight subjects integrated at a time: against the scalar path at a tight tolerance, against closed forms
 * (Michaelis-Menten by Lambert's W, a turnover with constant inhibition); a subject's bits whatever its neighbours;
 * neighbours that fail. */
#include <gsl/gsl_sf_lambert.h>

#include "solve/batch.h"

#define SUBJECTS 21
#include "unit/batch_fixture.h"

enum { DEPOT, CENTRAL, PERIPHERAL, SITE, TOLERANCE, RESPONSE, N };

/* Oral clonazepam with saturable elimination, effect site, tolerance, indirect response: all four kinds of rates. */
static void write_rates(struct fixture *f, struct hl_program *p, int ka, int Vmax, int V, int gamma)
{
    struct hl_state *x = f->system.state;
    int k12 = number(f, 0.0823), k21 = number(f, 0.107), ke0 = number(f, 0.517), kt = number(f, 0.0113);
    int c = code(f, p, HL_OP_DIV, x[CENTRAL].reg, V, -1);
    int sum = code(f, p, HL_OP_ADD, number(f, 0.213), c, -1);
    int lost = code(f, p, HL_OP_DIV, code(f, p, HL_OP_MUL, Vmax, c, -1), sum, -1);
    int out = code(f, p, HL_OP_MUL, k12, x[CENTRAL].reg, -1), back = code(f, p, HL_OP_MUL, k21, x[PERIPHERAL].reg, -1);
    int net = code(f, p, HL_OP_SUB, out, back, -1), in = code(f, p, HL_OP_MUL, ka, x[DEPOT].reg, -1);
    int rest = code(f, p, HL_OP_SUB, in, lost, -1);
    fixture_code(f, p, HL_OP_SUB, x[CENTRAL].derivative_reg, rest, net, -1);
    fixture_code(f, p, HL_OP_COPY, x[PERIPHERAL].derivative_reg, net, -1, -1);
    int gap = code(f, p, HL_OP_SUB, c, x[SITE].reg, -1);
    fixture_code(f, p, HL_OP_MUL, x[SITE].derivative_reg, ke0, gap, -1);
    gap = code(f, p, HL_OP_SUB, x[SITE].reg, x[TOLERANCE].reg, -1);
    fixture_code(f, p, HL_OP_MUL, x[TOLERANCE].derivative_reg, kt, gap, -1);
    int level = code(f, p, HL_OP_ADD, x[SITE].reg, number(f, 1e-3), -1); /* above 0, so that powers have a series */
    int E = code(f, p, HL_OP_HILL, level, code(f, p, HL_OP_ADD, number(f, 0.0217), number(f, 0.001), -1), gamma);
    int made = code(f, p, HL_OP_SUB, f->one, code(f, p, HL_OP_MUL, number(f, 0.83), E, -1), -1);
    int gone = code(f, p, HL_OP_MUL, number(f, 0.097), x[RESPONSE].reg, -1);
    fixture_code(f, p, HL_OP_SUB, x[RESPONSE].derivative_reg, made, gone, -1);
}

static struct fixture *clonazepam(void)
{
    struct fixture *f = fixture_create(N, 1);
    struct hl_system *s = &f->system;
    int ka = spread(f, 1.53, 0.4), Vmax = spread(f, 0.61, 0.5), V = spread(f, 119, 0.4), gamma = spread(f, 1.7, 0.3);
    fixture_entry(f, DEPOT, DEPOT, fixture_reg(f, HL_REG_COEFFICIENT, 0));
    f->value[f->system.n_regs - 1] = hl_arena_alloc(f->arena, SUBJECTS, sizeof(double));
    for (size_t i = 0; i < SUBJECTS; i++)
        f->value[f->system.n_regs - 1][i] = -f->value[ka][i];
    s->state[RESPONSE].initial_reg = number(f, 10.31);
    write_rates(f, &s->rhs_integrated, ka, Vmax, V, gamma);
    s->route[DEPOT].part[0].lag_reg = spread(f, 0.37, 0.9);
    for (int d = 0; d < 14; d++)
        fixture_bolus(f, 11.713 * d + 0.131, DEPOT, 0.47 + 0.031 * d);
    fixture_infusion(f, 31.7, CENTRAL, 0.117, 7.39);
    fixture_infusion(f, 35.13, DEPOT, 0.0713, 3.17);
    fixture_infusion(f, 36, PERIPHERAL, 0.0531, 0.0417);
    return f;
}

/* The plan is one that this way can solve. */
static void assert_batched(struct fixture *f, bool expected)
{
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    struct hl_batch *batch;
    assert_non_null(plan);
    assert_int_equal(hl_batch_create(plan, &batch), HL_OK);
    assert_int_equal(batch != NULL, expected);
    hl_batch_free(batch);
    hl_plan_free(plan);
}

static void agrees_with_one_at_a_time(void **state)
{
    (void)state;
    static const double tolerance[] = {1e-4, 1e-6, 1e-8, 1e-10};
    struct fixture *f = clonazepam();
    size_t n = 331;
    double *time = even_times(n, 0.613);
    assert_batched(f, true);
    fixture_lane_by_lane = true;
    struct solution a = fixture_solve(f, "exact", 1e-12, SUBJECTS, time, n);
    fixture_lane_by_lane = false;
    for (size_t p = 0; p < sizeof tolerance / sizeof *tolerance; p++) {
        struct solution b = fixture_solve(f, "exact", tolerance[p], SUBJECTS, time, n);
        double worst = 0;
        for (size_t l = 0; l < SUBJECTS; l++) {
            assert_int_equal(b.status[l], HL_SUBJECT_GOOD);
            for (size_t i = 0; i < N; i++)
                for (size_t k = 30; k < n; k++) /* all doses begun: nothing is small against its peak */
                    worst = fmax(worst, fabs(at(&b, i, k, l) / at(&a, i, k, l) - 1) * (i == DEPOT ? 0 : 1));
        }
        print_message("at %.0e: %.1e\n", tolerance[p], worst);
        assert_near("relative difference", worst, 0, tolerance[p] + 1e-11);
        solution_free(&b);
    }
    solution_free(&a);
    hl_free(time);
    fixture_free(f);
}

/* The bits of subject l solved in a block of all, alone, and in a block that starts elsewhere. */
static void neighbours_do_not_matter(void **state)
{
    (void)state;
    struct fixture *f = clonazepam();
    size_t n = 97;
    double *time = even_times(n, 1.731);
    struct solution all = fixture_solve(f, "exact", 1e-7, SUBJECTS, time, n);
    for (size_t first = 0; first < SUBJECTS; first += first < 4 ? 1 : 5)
        for (size_t count = 1; first + count <= SUBJECTS; count += 6) {
            struct solution some = fixture_solve_from(f, "exact", 1e-7, first, count, time, n, NULL);
            for (size_t l = 0; l < count; l++)
                for (size_t i = 0; i < N; i++)
                    for (size_t k = 0; k < n; k++) {
                        double x = at(&some, i, k, l), y = at(&all, i, k, first + l);
                        assert_memory_equal(&x, &y, sizeof x);
                    }
            solution_free(&some);
        }
    solution_free(&all);
    hl_free(time);
    fixture_free(f);
}

/* What is asked for doesn't change what is found, beyond the rounding of a polynomial. */
static void output_times_do_not_matter(void **state)
{
    (void)state;
    struct fixture *f = clonazepam();
    double *fine = even_times(1601, 0.1), *coarse = even_times(5, 40);
    struct solution a = fixture_solve(f, "exact", 1e-7, SUBJECTS, fine, 1601);
    struct solution b = fixture_solve(f, "exact", 1e-7, SUBJECTS, coarse, 5);
    for (size_t l = 0; l < SUBJECTS; l++)
        for (size_t i = CENTRAL; i < N; i++)
            for (size_t k = 0; k < 4; k++) /* the last time ends the way */
                assert_near("coarse", at(&b, i, k, l), at(&a, i, 400 * k, l), 1e-14 * fabs(at(&a, i, 400 * k, l)));
    solution_free(&a), solution_free(&b);
    hl_free(fine), hl_free(coarse);
    fixture_free(f);
}

/* C' = -Vm C / (Km + C): C = Km W(C0/Km exp((C0 - Vm t)/Km)); every subject with its own numbers. */
static void michaelis_menten_has_a_closed_form(void **state)
{
    (void)state;
    double C0 = 7.13;
    struct fixture *f = fixture_create(1, 0);
    struct hl_state *x = f->system.state;
    int Vm = spread(f, 1.731, 0.6), Km = spread(f, 0.917, 0.8);
    int share = code(f, &f->system.rhs_integrated, HL_OP_HILL, x[0].reg, Km, f->one);
    int loss = code(f, &f->system.rhs_integrated, HL_OP_MUL, Vm, share, -1);
    fixture_code(f, &f->system.rhs_integrated, HL_OP_NEG, x[0].derivative_reg, loss, -1, -1);
    fixture_bolus(f, 0, 0, C0);
    assert_batched(f, true);
    double *time = even_times(200, 0.0713);
    struct solution s = fixture_solve(f, "exact", 1e-10, SUBJECTS, time, 200);
    for (size_t l = 0; l < SUBJECTS; l++)
        for (size_t k = 0; k < 200; k++) {
            double vm = f->value[Vm][l], km = f->value[Km][l];
            double expected = km * gsl_sf_lambert_W0(C0 / km * exp((C0 - vm * time[k]) / km));
            if (isfinite(expected)) /* exp() of the closed form overflows for the smallest Km */
                assert_near("Michaelis-Menten", at(&s, 0, k, l), expected, 1e-10 * C0);
        }
    solution_free(&s);
    hl_free(time);
    fixture_free(f);
}

/* Functions of the time and of states with known solutions: y' = exp(-0.3 t) - 0.7 y, y' = -y ln y (Gompertz),
 * y' = -0.41 y^1.5. */
static void functions_have_closed_forms(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(3, 0);
    struct hl_state *x = f->system.state;
    struct hl_program *p = &f->system.rhs_integrated;
    int falling = code(f, p, HL_OP_EXP, code(f, p, HL_OP_MUL, number(f, -0.3), f->system.time_reg, -1), -1, -1);
    int lost = code(f, p, HL_OP_MUL, number(f, 0.7), x[0].reg, -1);
    fixture_code(f, p, HL_OP_SUB, x[0].derivative_reg, falling, lost, -1);
    int grown = code(f, p, HL_OP_MUL, x[1].reg, code(f, p, HL_OP_LOG, x[1].reg, -1, -1), -1);
    fixture_code(f, p, HL_OP_NEG, x[1].derivative_reg, grown, -1, -1);
    fixture_code(f, p, HL_OP_MUL, x[2].derivative_reg, number(f, -0.41),
                 code(f, p, HL_OP_POW, x[2].reg, number(f, 1.5), -1), -1);
    x[1].initial_reg = number(f, 0.113);
    x[2].initial_reg = number(f, 3.17);
    assert_batched(f, true);
    double *time = even_times(50, 0.217);
    struct solution s = fixture_solve(f, "exact", 1e-11, 3, time, 50);
    for (size_t k = 0; k < 50; k++) {
        double t = time[k], root = 1 / sqrt(3.17) + 0.205 * t;
        assert_near("exp", at(&s, 0, k, 1), (exp(-0.3 * t) - exp(-0.7 * t)) / 0.4, 1e-11);
        assert_near("log", at(&s, 1, k, 2), exp(log(0.113) * exp(-t)), 1e-11);
        assert_near("power", at(&s, 2, k, 0), 1 / (root * root), 3e-11);
    }
    solution_free(&s);
    hl_free(time);
    fixture_free(f);
}

/* x' = x^2 is infinite at 1/x0: that subject fails, with the name the scalar path gives it; its neighbours keep their
 * bits. */
static void failures_stay_alone(void **state)
{
    (void)state;
    double start[] = {0.1, 1, 0.1, 0.117, 0.1, 0.1, 2.3, 0.1, 0.1}, healthy[9];
    double *time = even_times(30, 0.2);
    struct solution s[2];
    for (size_t l = 0; l < 9; l++)
        healthy[l] = start[l] > 0.5 ? 0.1 : start[l];
    for (int p = 0; p < 2; p++) {
        struct fixture *f = fixture_create(1, 0);
        struct hl_state *x = f->system.state;
        fixture_code(f, &f->system.rhs_integrated, HL_OP_MUL, x[0].derivative_reg, x[0].reg, x[0].reg, -1);
        x[0].initial_reg = fixture_values(f, p == 0 ? start : healthy, 9);
        s[p] = fixture_solve(f, "exact", 1e-9, 9, time, 30);
        fixture_free(f);
    }
    for (size_t l = 0; l < 9; l++) {
        bool fails = start[l] > 0.5;
        assert_int_equal(s[1].status[l], HL_SUBJECT_GOOD);
        assert_int_equal(s[0].status[l] != HL_SUBJECT_GOOD, fails);
        for (size_t k = 0; k < 30; k++) {
            double a = at(&s[0], 0, k, l), b = at(&s[1], 0, k, l);
            assert_near("closed form", b, healthy[l] / (1 - healthy[l] * time[k]), 1e-9);
            if (fails)
                assert_true(isnan(a));
            else
                assert_memory_equal(&a, &b, sizeof a);
        }
    }
    solution_free(&s[0]), solution_free(&s[1]);
    hl_free(time);
}

/* A series at 0 of a power that isn't whole doesn't exist: such a subject is solved alone, and well. */
static void what_has_no_series_is_solved_alone(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(1, 0);
    struct hl_state *x = f->system.state;
    struct hl_program *p = &f->system.rhs_integrated;
    int root = code(f, p, HL_OP_POW, x[0].reg, number(f, 1.5), -1); /* x' = 1.3 - x^1.5 from 0 */
    fixture_code(f, p, HL_OP_SUB, x[0].derivative_reg, number(f, 1.3), root, -1);
    assert_batched(f, true);
    double *time = even_times(2, 60);
    struct solution s = fixture_solve(f, "exact", 1e-9, 2, time, 2);
    assert_int_equal(s.status[0], HL_SUBJECT_GOOD);
    assert_near("steady", at(&s, 0, 1, 0), pow(1.3, 2.0 / 3), 1e-8);
    solution_free(&s);
    fixture_free(f);
    f = fixture_create(1, 0);
    p = &f->system.rhs_integrated;
    int shape = code(f, p, HL_OP_LGAMMA, f->system.state[0].reg, -1, -1);
    fixture_code(f, p, HL_OP_NEG, f->system.state[0].derivative_reg, shape, -1, -1);
    assert_batched(f, false);
    hl_free(time);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_one_at_a_time),
        cmocka_unit_test(neighbours_do_not_matter),
        cmocka_unit_test(output_times_do_not_matter),
        cmocka_unit_test(michaelis_menten_has_a_closed_form),
        cmocka_unit_test(functions_have_closed_forms),
        cmocka_unit_test(failures_stay_alone),
        cmocka_unit_test(what_has_no_series_is_solved_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
