/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations against the C library, derivatives against finite differences, and lanes that don't know of each other. */
#include <math.h>
#include <stdint.h>

#include "model/graph.h"
#include "model_sample.h"

static const double ugly[] = {-7.31, -1.0, -0.613, -1e-9, -0.0, 0.0, 1e-300, 3.7e-9, 0.217, 0.5, 1.0, 2.385, 41.7, 709.1, 1e200};
#define N_UGLY (sizeof ugly / sizeof ugly[0])

static void same(const char *what, double found, double expected)
{
    if (!(found == expected || (isnan(found) && isnan(expected))))
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
}

static void close_to(const char *what, double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected) || found == expected || (isnan(found) && isnan(expected))))
        fail_msg("%s: found %.17g, expected %.17g within %g", what, found, expected, tolerance);
}

static void operations_are_those_of_c(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_UGLY; i++) {
        double x = ugly[i];
        same("neg", hl_op_apply(HL_OP_NEG, x, 0, 0), -x);
        same("abs", hl_op_apply(HL_OP_ABS, x, 0, 0), fabs(x));
        same("floor", hl_op_apply(HL_OP_FLOOR, x, 0, 0), floor(x));
        same("exp", hl_op_apply(HL_OP_EXP, x, 0, 0), exp(x));
        same("log", hl_op_apply(HL_OP_LOG, x, 0, 0), log(x));
        same("log10", hl_op_apply(HL_OP_LOG10, x, 0, 0), log10(x));
        same("log1p", hl_op_apply(HL_OP_LOG1P, x, 0, 0), log1p(x));
        same("expm1", hl_op_apply(HL_OP_EXPM1, x, 0, 0), expm1(x));
        same("sqrt", hl_op_apply(HL_OP_SQRT, x, 0, 0), sqrt(x));
        same("step", hl_op_apply(HL_OP_STEP, x, 0, 0), x >= 0 ? 1 : 0);
        same("not", hl_op_apply(HL_OP_NOT, x, 0, 0), x != 0 ? 0 : 1);
        close_to("Phi", hl_op_apply(HL_OP_PHI, x, 0, 0), 0.5 * erfc(-x / sqrt(2.0)), 1e-13);
        close_to("expit", hl_op_apply(HL_OP_EXPIT, x, 0, 0), 1.0 / (1.0 + exp(-x)), 1e-15);
        for (size_t j = 0; j < N_UGLY; j++) {
            double z = ugly[j];
            same("add", hl_op_apply(HL_OP_ADD, x, z, 0), x + z);
            same("sub", hl_op_apply(HL_OP_SUB, x, z, 0), x - z);
            same("mul", hl_op_apply(HL_OP_MUL, x, z, 0), x * z);
            same("div", hl_op_apply(HL_OP_DIV, x, z, 0), x / z);
            same("pow", hl_op_apply(HL_OP_POW, x, z, 0), pow(x, z));
            same("min", hl_op_apply(HL_OP_MIN, x, z, 0), fmin(x, z));
            same("max", hl_op_apply(HL_OP_MAX, x, z, 0), fmax(x, z));
            same("lt", hl_op_apply(HL_OP_LT, x, z, 0), x < z);
            same("le", hl_op_apply(HL_OP_LE, x, z, 0), x <= z);
            same("gt", hl_op_apply(HL_OP_GT, x, z, 0), x > z);
            same("ge", hl_op_apply(HL_OP_GE, x, z, 0), x >= z);
            same("eq", hl_op_apply(HL_OP_EQ, x, z, 0), x == z);
            same("ne", hl_op_apply(HL_OP_NE, x, z, 0), x != z);
            same("and", hl_op_apply(HL_OP_AND, x, z, 0), x != 0 && z != 0);
            same("or", hl_op_apply(HL_OP_OR, x, z, 0), x != 0 || z != 0);
        }
    }
    close_to("logit", hl_op_apply(HL_OP_LOGIT, 0.217, 0, 0), log(0.217 / 0.783), 1e-14);
    close_to("logit(tiny)", hl_op_apply(HL_OP_LOGIT, 1e-18, 0, 0), log(1e-18), 1e-15);
    same("Phi(-inf)", hl_op_apply(HL_OP_PHI, -INFINITY, 0, 0), 0.0);
    same("min of NaN", hl_op_apply(HL_OP_MIN, NAN, 1.0, 0), NAN);
    same("min with NaN", hl_op_apply(HL_OP_MIN, 1.0, NAN, 0), NAN);
    same("max of NaN", hl_op_apply(HL_OP_MAX, NAN, 1.0, 0), NAN);
}

static void hill_is_safe(void **state)
{
    (void)state;
    same("C = 0", hl_op_apply(HL_OP_HILL, 0.0, 2.385, 3.1), 0.0);
    same("C = 0, C50 = 0", hl_op_apply(HL_OP_HILL, 0.0, 0.0, 3.1), 0.0);
    same("C < 0", hl_op_apply(HL_OP_HILL, -1e-18, 2.385, 0.7), 0.0);
    same("huge n above", hl_op_apply(HL_OP_HILL, 2.386, 2.385, 1e9), 1.0);
    same("huge n below", hl_op_apply(HL_OP_HILL, 2.384, 2.385, 1e9), 0.0);
    same("huge n at", hl_op_apply(HL_OP_HILL, 2.385, 2.385, 1e300), 0.5);
    same("tiny C", hl_op_apply(HL_OP_HILL, 5e-324, 1e10, 2.0), 0.0);
    same("huge C", hl_op_apply(HL_OP_HILL, 1e308, 1e-10, 2.0), 1.0);
    same("NaN", hl_op_apply(HL_OP_HILL, NAN, 1.0, 2.0), NAN);
    for (double C = 0.013; C < 300.0; C *= 3.7) {
        double u = pow(C, 1.83), v = pow(7.9, 1.83);
        close_to("hill", hl_op_apply(HL_OP_HILL, C, 7.9, 1.83), u / (u + v), 4e-15);
    }
}

/* One instruction op on registers 0, 1, 2 -> 3. */
static double run_one(enum hl_op op, double a, double b, double c, double da, double db, double dc, double *dy)
{
    double regs[4] = {a, b, c, 0}, dregs[4] = {da, db, dc, 0};
    struct hl_instruction code = {(int)op, 3, 0, 1, 2};
    hl_program_run_dual(&(struct hl_program){1, &code}, regs, dregs, 1);
    *dy = dregs[3];
    same(hl_op_name(op), regs[3], hl_op_apply(op, a, b, c));
    return regs[3];
}

static void duals_are_derivatives(void **state)
{
    (void)state;
    static const double points[][3] = {{0.271, 0.617, 1.93}, {0.893, 0.117, 0.77}, {0.0417, 0.731, 3.19}};
    static const double direction[3] = {0.83, -0.37, 0.21};
    for (int op = HL_OP_COPY; op < HL_N_OPS; op++)
        for (size_t k = 0; k < 3; k++) {
            const double *x = points[k];
            double dy, h = 1e-6;
            run_one((enum hl_op)op, x[0], x[1], x[2], direction[0], direction[1], direction[2], &dy);
            double up = hl_op_apply((enum hl_op)op, x[0] + h * direction[0], x[1] + h * direction[1], x[2] + h * direction[2]);
            double down = hl_op_apply((enum hl_op)op, x[0] - h * direction[0], x[1] - h * direction[1], x[2] - h * direction[2]);
            double slope = (up - down) / (2 * h);
            /* central differences: rounding 1e-16 / 1e-6, truncation h^2 times third derivatives below 1e4 */
            if (fabs(dy - slope) > 1e-8 * fmax(1.0, fabs(slope)))
                fail_msg("derivative of %s at point %zu: %.12g, finite difference %.12g", hl_op_name((enum hl_op)op), k, dy, slope);
        }
}

/* gamma_p against finite sums for whole a, against erf and against itself one further: P(a+1, x) = P(a, x) - x^a e^-x /
 * Gamma(a+1). */
static void gamma_functions(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_UGLY; i++)
        close_to("lgamma", hl_op_apply(HL_OP_LGAMMA, ugly[i], 0, 0), lgamma(ugly[i]), 1e-15);
    for (double x = 0.0127; x < 60; x *= 2.385) {
        double term = exp(-x), sum = term;
        for (int k = 1; k < 7; k++)
            sum += term *= x / k;
        if (fabs(hl_op_apply(HL_OP_GAMMA_P, 7, x, 0) - (1 - sum)) > 5e-15)
            fail_msg("P(7, %g) is off", x);
        close_to("P(1/2, x)", hl_op_apply(HL_OP_GAMMA_P, 0.5, x, 0), erf(sqrt(x)), 1e-14);
        for (double a = 0.217; a < 300; a *= 3.7) {
            double step = exp(a * log(x) - x - lgamma(a + 1));
            if (fabs(hl_op_apply(HL_OP_GAMMA_P, a, x, 0) - step - hl_op_apply(HL_OP_GAMMA_P, a + 1, x, 0)) > 3e-14)
                fail_msg("P(%g + 1, %g) is off", a, x);
        }
    }
    same("P(a, 0)", hl_op_apply(HL_OP_GAMMA_P, 2.385, 0, 0), 0.0);
    same("P(a, inf)", hl_op_apply(HL_OP_GAMMA_P, 2.385, INFINITY, 0), 1.0);
    same("P(a, 1e15)", hl_op_apply(HL_OP_GAMMA_P, 2.385, 1e15, 0), 1.0);
    same("P(900, 1e-3), which underflows", hl_op_apply(HL_OP_GAMMA_P, 900, 1e-3, 0), 0.0);
    same("P(0, x)", hl_op_apply(HL_OP_GAMMA_P, 0, 1, 0), NAN);
    same("P(a, -x)", hl_op_apply(HL_OP_GAMMA_P, 2, -1, 0), NAN);
    same("P(NaN, x)", hl_op_apply(HL_OP_GAMMA_P, NAN, 1, 0), NAN);
}

/* Along a and along x, from far below the bulk of the distribution to far above it. */
static void slopes_of_gamma_p(void **state)
{
    (void)state;
    for (double a = 0.317; a < 2000; a *= 3.7)
        for (double x = 0.0127; x < 9000; x *= 1.9) {
            double da, dx, h = 1e-4;
            run_one(HL_OP_GAMMA_P, a, x, 0, 1, 0, 0, &da);
            run_one(HL_OP_GAMMA_P, a, x, 0, 0, 1, 0, &dx);
            double p[4], q[4];
            static const double at[] = {-2, -1, 1, 2};
            for (int k = 0; k < 4; k++) {
                p[k] = hl_op_apply(HL_OP_GAMMA_P, a * (1 + at[k] * h), x, 0);
                q[k] = hl_op_apply(HL_OP_GAMMA_P, a, x * (1 + at[k] * h), 0);
            }
            double ea = (p[0] - p[3] + 8 * (p[2] - p[1])) / (12 * a * h), ex = (q[0] - q[3] + 8 * (q[2] - q[1])) / (12 * x * h);
            if (fabs(da - ea) > 1e-9 / fmin(1, a) || fabs(dx - ex) > 1e-9 / fmin(1, x))
                fail_msg("slopes of gamma_p(%g, %g): %.12g and %.12g, differences %.12g and %.12g", a, x, da, dx, ea, ex);
        }
    double dy;
    run_one(HL_OP_GAMMA_P, 0.7, 0, 0, 0, 1, 0, &dy);
    same("gamma_p at 0, a < 1", dy, INFINITY);
    run_one(HL_OP_GAMMA_P, 1, 0, 0, 0, 0.5, 0, &dy);
    same("gamma_p at 0, a = 1", dy, 0.5);
    run_one(HL_OP_GAMMA_P, 1.3, 0, 0, 0, 1, 0, &dy);
    same("gamma_p at 0, a > 1", dy, 0.0);
    run_one(HL_OP_GAMMA_P, -1, 2, 0, 0, 1, 0, &dy);
    same("gamma_p of nothing", dy, NAN);
    run_one(HL_OP_LGAMMA, 2.385, 0, 0, 1, 0, 0, &dy);
    close_to("digamma", dy, 0.6451444560222451, 1e-13); /* psi(2.385), SciPy */
}

static void duals_at_corners(void **state)
{
    (void)state;
    double dy;
    run_one(HL_OP_SQRT, 0, 0, 0, 0, 0, 0, &dy);
    same("sqrt at 0, not moving", dy, 0.0);
    run_one(HL_OP_HILL, 0, 2.5, 1, 0.5, 0, 0, &dy);
    same("hill at 0, n = 1", dy, 0.5 / 2.5);
    run_one(HL_OP_HILL, 0, 2.5, 2.1, 0.5, 0, 0, &dy);
    same("hill at 0, n > 1", dy, 0.0);
    run_one(HL_OP_POW, 0, 2, 0, 1, 0, 0, &dy);
    same("0^2", dy, 0.0);
    run_one(HL_OP_SELECT, 1, 3, NAN, 0, 0.7, NAN, &dy);
    same("select drops the other branch", dy, 0.7);
    run_one(HL_OP_MUL, 0, INFINITY, 0, 0, 0, 0, &dy);
    same("0 * inf standing still", dy, 0.0);
}

static void untaken_branch_does_not_leak(void **state)
{
    (void)state;
    same("inf", hl_op_apply(HL_OP_SELECT, 0.0, INFINITY, 2.385), 2.385);
    same("nan", hl_op_apply(HL_OP_SELECT, 1.0, 2.385, NAN), 2.385);
    struct sample s = sample_link("model: m\ncompartments: {c: {volume: 3.1 L}}\nroutes: {iv: {into: c}}\nflows:\n  - c -> out: 0.7 [1/h]\n"
                                  "outputs:\n  y: {value: \"if(c > 0 mg, log(c / 1 mg) / (c / 1 mg), -1.5)\", unit: \"1\"}\n");
    double *regs = calloc(s.system->n_regs, sizeof *regs);
    hl_system_reset(s.system, regs, 1);
    hl_program_run(&s.system->individual, regs, 1);
    hl_program_run(&s.system->outputs, regs, 1);
    same("guarded logarithm", regs[s.system->output[hl_system_find_output(s.system, "d.y")].reg], -1.5);
    free(regs);
    sample_free(&s);
}

static uint64_t scramble(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15u;
    return x ^ (x >> 27);
}

static double lane_value(size_t reg, size_t lane)
{
    return 0.01 + 3.0 * (double)(scramble(977 * reg + lane + 1) >> 11) / 9007199254740992.0;
}

/* Every operation, chained, in 1, 8 and 13 lanes: each lane's bits depend on its own inputs only. */
static void lanes_are_independent(void **state)
{
    (void)state;
    enum { INPUTS = 6, MOST = 13, N = 200 };
    struct hl_instruction code[N];
    for (int k = 0; k < N; k++) {
        int top = INPUTS + k;
        code[k] = (struct hl_instruction){HL_OP_COPY + k % (HL_N_OPS - HL_OP_COPY), top, (k * 7 + 1) % INPUTS,
                                          k < 3 || k % 3 ? (k * 5 + 2) % INPUTS : top - 3, (k * 3) % INPUTS};
    }
    struct hl_program p = {N, code};
    double *thirteen = calloc((INPUTS + N) * MOST, sizeof(double));
    for (size_t r = 0; r < INPUTS; r++)
        for (size_t i = 0; i < MOST; i++)
            thirteen[r * MOST + i] = lane_value(r, i);
    hl_program_run(&p, thirteen, MOST);
    for (size_t lanes = 1; lanes <= 8; lanes += 7) {
        double *few = calloc((INPUTS + N) * lanes, sizeof(double));
        for (size_t first = 0; first + lanes <= MOST; first += lanes) {
            for (size_t r = 0; r < INPUTS; r++)
                for (size_t i = 0; i < lanes; i++)
                    few[r * lanes + i] = lane_value(r, first + i);
            hl_program_run(&p, few, lanes);
            for (size_t r = 0; r < INPUTS + N; r++)
                assert_memory_equal(few + r * lanes, thirteen + r * MOST + first, lanes * sizeof(double));
        }
        free(few);
    }
    free(thirteen);
}

static void equal_subexpressions_are_one(void **state)
{
    (void)state;
    struct hl_arena *arena = hl_arena_create();
    struct hl_graph *g = hl_graph_create(arena);
    int a = hl_graph_leaf(g, hl_graph_register(g, "a", HL_REG_PARAMETER, hl_dim_none(), 1.7), -1, false, false);
    int b = hl_graph_leaf(g, hl_graph_register(g, "b", HL_REG_PARAMETER, hl_dim_none(), 0.3), -1, false, false);
    double value;
    assert_int_equal(hl_graph_op(g, HL_OP_ADD, a, b, -1), hl_graph_op(g, HL_OP_ADD, b, a, -1));
    assert_int_not_equal(hl_graph_op(g, HL_OP_SUB, a, b, -1), hl_graph_op(g, HL_OP_SUB, b, a, -1));
    assert_int_equal(hl_graph_op(g, HL_OP_MUL, a, hl_graph_number(g, 1.0), -1), a);
    assert_int_equal(hl_graph_op(g, HL_OP_ADD, hl_graph_number(g, 0.0), b, -1), b);
    assert_int_equal(hl_graph_op(g, HL_OP_NEG, hl_graph_op(g, HL_OP_NEG, a, -1, -1), -1, -1), a);
    int folded = hl_graph_op(g, HL_OP_EXP, hl_graph_number(g, 0.7), -1, -1);
    assert_true(hl_graph_is_number(g, folded, &value) && value == exp(0.7));
    for (int i = 0; i < 2000; i++) /* the table grows and still finds everything */
        assert_int_equal(hl_graph_number(g, 0.5 + i), hl_graph_number(g, 0.5 + i));
    hl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_those_of_c), cmocka_unit_test(hill_is_safe),
        cmocka_unit_test(duals_are_derivatives),     cmocka_unit_test(duals_at_corners),
        cmocka_unit_test(untaken_branch_does_not_leak), cmocka_unit_test(lanes_are_independent),
        cmocka_unit_test(equal_subexpressions_are_one), cmocka_unit_test(gamma_functions),
        cmocka_unit_test(slopes_of_gamma_p),
    };
    return cmocka_run_group_tests(tests, sample_units, NULL);
}
