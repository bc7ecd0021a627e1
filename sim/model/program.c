/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations and the loop that runs them.
 *
 * Every operation is a function over lanes, d[i] = f(a[i], b[i], c[i]). Lanes never mix, each element is computed by
 * the same IEEE operations whatever the number of lanes, and products and sums are never fused, so a subject's numbers
 * don't depend on its neighbours. Only plain arithmetic is asked to be vectorised; exp, log and pow stay the scalar
 * functions of the C library.
 *
 * Derivatives are carried forward: with y = f(x) a dual pair (x, dx) becomes (y, f'(x) dx). Where dx is zero the
 * product is zero even if the slope is infinite (sqrt and log at 0): a quantity that doesn't move has no slope.
 *
 * if() computes both branches and then selects; nothing is multiplied by a condition, so an infinity or NaN of the
 * branch not taken can't leak.
 *
 *   hill(C, C50, n) = C^n / (C^n + C50^n) = 1 / (1 + (C50/C)^n), 0 for C <= 0; the second form overflows only to the
 *                     right limits (pow = inf gives 0, pow = 0 gives 1) for any n > 0.
 *   Phi(x)          = erfc(-x / sqrt 2) / 2, accurate in the lower tail.
 *   lgamma(x)       = ln |Gamma(x)|, its slope is digamma (GSL's gsl_sf_psi).
 *   gamma_p(a, x)   = integral of s^(a-1) e^-s from 0 to x, divided by Gamma(a): the regularised incomplete gamma
 *                     function (GSL's gsl_sf_gamma_inc_P), NaN unless a > 0 and x >= 0. Its slopes:
 *                         dP/dx = x^(a-1) e^-x / Gamma(a)
 *                         dP/da = x^a e^-x sum_k x^k (ln x - psi(a+k+1)) / Gamma(a+k+1)   (Moore 1982, AS 187) */
#include "model/program.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>

#include "model/ops.h"

#define SQRT_HALF 0.70710678118654752440 /* 1 / sqrt 2 */
#define SQRT_2PI 2.50662827463100050242
#define LN10 2.30258509299404568402

struct operands {
    double *restrict d;
    const double *restrict a, *restrict b, *restrict c;
};

typedef void run_function(struct operands y, size_t lanes);
typedef void dual_function(struct operands y, struct operands dy, size_t lanes);

/* slope * dx, with 0 for a quantity that doesn't move. */
static inline double along(double slope, double dx)
{
    return dx == 0.0 ? 0.0 : slope * dx; /* exact zero: no rounding is involved */
}

static inline double phi(double x)
{
    return 0.5 * erfc(-x * SQRT_HALF);
}

static inline double expit(double x)
{
    double e = exp(-fabs(x));
    return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

static inline double hill(double C, double C50, double n)
{
    return C <= 0.0 ? 0.0 : 1.0 / (1.0 + pow(C50 / C, n));
}

/* The slope of pow along (dx, dn): n x^(n-1) dx + x^n ln(x) dn. */
static inline double pow_slope(double x, double n, double y, double dx, double dn)
{
    return along(n * pow(x, n - 1.0), dx) + (y == 0.0 ? 0.0 : along(y * log(x), dn));
}

/* With u = (C50/C)^n and h = 1/(1+u): dh = -h (1-h) d(ln u). At C = 0 only n <= 1 has a slope. */
static inline double hill_slope(double C, double C50, double n, double h, double dC, double dC50, double dn)
{
    if (C < 0.0 || (C == 0.0 && n > 1.0))
        return 0.0;
    if (C == 0.0)
        return along(n < 1.0 ? INFINITY : 1.0 / C50, dC);
    double weight = h * (1.0 - h);
    if (weight == 0.0)
        return 0.0;
    return weight * (along(n / C, dC) - along(n / C50, dC50) + along(log(C / C50), dn));
}

/* lgamma() of the C library writes a global sign. */
static inline double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

static double digamma(double x)
{
    gsl_sf_result result;
    return gsl_sf_psi_e(x, &result) == GSL_SUCCESS ? result.val : NAN;
}

static double gamma_p(double a, double x)
{
    gsl_sf_result result;
    if (!(a > 0.0 && x >= 0.0))
        return NAN;
    if (isinf(x))
        return 1.0;
    int status = gsl_sf_gamma_inc_P_e(a, x, &result);
    return status == GSL_SUCCESS || status == GSL_EUNDRFLW ? result.val : NAN;
}

static double gamma_p_density(double a, double x)
{
    if (x == 0.0) /* exactly: the limit from the right */
        return a < 1.0 ? INFINITY : a > 1.0 ? 0.0 : 1.0;
    return exp((a - 1.0) * log(x) - x - log_gamma(a));
}

/* The slope in a: term k of the series is the last one times x/(a+k), and psi(a+k+1) = psi(a+k) + 1/(a+k). */
static double gamma_p_shape_slope(double a, double x)
{
    gsl_sf_result left;
    int status = gsl_sf_gamma_inc_Q_e(a, x, &left);
    if (x == 0.0 || status == GSL_EUNDRFLW || (status == GSL_SUCCESS && left.val == 0.0)) /* P is 0, or 1, whatever a */
        return 0.0;
    double term = exp(a * log(x) - x - log_gamma(a + 1.0)), psi = digamma(a + 1.0), sum = 0.0, log_x = log(x);
    for (double k = 1.0; term > 0.0; k++) {
        sum += term * (log_x - psi);
        if (a + k > x && term * (1.0 + fabs(log_x - psi)) <= 1e-17 * fabs(sum))
            break;
        psi += 1.0 / (a + k);
        term *= x / (a + k);
    }
    return sum;
}

static inline double gamma_p_slope(double a, double x, double da, double dx)
{
    if (!(a > 0.0 && x >= 0.0))
        return dx == 0.0 && da == 0.0 ? 0.0 : NAN;
    return (dx == 0.0 ? 0.0 : gamma_p_density(a, x) * dx) + (da == 0.0 ? 0.0 : gamma_p_shape_slope(a, x) * da);
}

/* NaN in either operand is NaN, unlike fmin, which would hide it. */
static inline double least(double x, double z)
{
    return x < z || x != x ? x : z;
}

static inline double greatest(double x, double z)
{
    return x > z || x != x ? x : z;
}

/* Every operation: its name in enum hl_op, how it is written, its operands, its functions' name, whether its loop is to
 * be vectorised, its value from x, z, w (the operands), and its slope from those, y (the value) and dx, dz, dw. */
#define OPERATIONS(X) \
    X(COPY, "copy", 1, copy, SIMD, x, dx) \
    X(NEG, "-", 1, neg, SIMD, -x, -dx) \
    X(ABS, "abs", 1, abs, SIMD, fabs(x), x < 0.0 ? -dx : dx) \
    X(FLOOR, "floor", 1, floor, SCALAR, floor(x), 0.0) \
    X(EXP, "exp", 1, exp, SCALAR, exp(x), along(y, dx)) \
    X(LOG, "log", 1, log, SCALAR, log(x), along(1.0 / x, dx)) \
    X(LOG10, "log10", 1, log10, SCALAR, log10(x), along(1.0 / (x * LN10), dx)) \
    X(LOG1P, "log1p", 1, log1p, SCALAR, log1p(x), along(1.0 / (1.0 + x), dx)) \
    X(EXPM1, "expm1", 1, expm1, SCALAR, expm1(x), along(exp(x), dx)) \
    X(SQRT, "sqrt", 1, sqrt, SCALAR, sqrt(x), along(0.5 / y, dx)) \
    X(PHI, "Phi", 1, phi, SCALAR, phi(x), along(exp(-0.5 * x * x) / SQRT_2PI, dx)) \
    X(LGAMMA, "lgamma", 1, lgamma, SCALAR, log_gamma(x), dx == 0.0 ? 0.0 : digamma(x) * dx) \
    X(LOGIT, "logit", 1, logit, SCALAR, log(x) - log1p(-x), along(1.0 / (x * (1.0 - x)), dx)) \
    X(EXPIT, "expit", 1, expit, SCALAR, expit(x), along(y * expit(-x), dx)) \
    X(STEP, "step", 1, step, SIMD, x >= 0.0 ? 1.0 : 0.0, 0.0) \
    X(NOT, "not", 1, not, SIMD, x != 0.0 ? 0.0 : 1.0, 0.0) \
    X(ADD, "+", 2, add, SIMD, x + z, dx + dz) \
    X(SUB, "-", 2, sub, SIMD, x - z, dx - dz) \
    X(MUL, "*", 2, mul, SIMD, x * z, along(z, dx) + along(x, dz)) \
    X(DIV, "/", 2, div, SIMD, x / z, along(1.0 / z, dx) - along(y / z, dz)) \
    X(POW, "^", 2, pow, SCALAR, pow(x, z), pow_slope(x, z, y, dx, dz)) \
    X(GAMMA_P, "gamma_p", 2, gamma_p, SCALAR, gamma_p(x, z), gamma_p_slope(x, z, dx, dz)) \
    X(MIN, "min", 2, min, SIMD, least(x, z), x < z || x != x ? dx : dz) \
    X(MAX, "max", 2, max, SIMD, greatest(x, z), x > z || x != x ? dx : dz) \
    X(LT, "<", 2, lt, SIMD, x < z ? 1.0 : 0.0, 0.0) \
    X(LE, "<=", 2, le, SIMD, x <= z ? 1.0 : 0.0, 0.0) \
    X(GT, ">", 2, gt, SIMD, x > z ? 1.0 : 0.0, 0.0) \
    X(GE, ">=", 2, ge, SIMD, x >= z ? 1.0 : 0.0, 0.0) \
    X(EQ, "=", 2, eq, SIMD, x == z ? 1.0 : 0.0, 0.0) \
    X(NE, "!=", 2, ne, SIMD, x != z ? 1.0 : 0.0, 0.0) \
    X(AND, "and", 2, and, SIMD, x != 0.0 && z != 0.0 ? 1.0 : 0.0, 0.0) \
    X(OR, "or", 2, or, SIMD, x != 0.0 || z != 0.0 ? 1.0 : 0.0, 0.0) \
    X(HILL, "hill", 3, hill, SCALAR, hill(x, z, w), hill_slope(x, z, w, y, dx, dz, dw)) \
    X(SELECT, "if", 3, select, SIMD, x != 0.0 ? z : w, x != 0.0 ? dz : dw)

#define SIMD _Pragma("omp simd")
#define SCALAR

#define DEFINE(OP, text, arity, name, simd, value, slope)                                                              \
    static void run_##name(struct operands y_, size_t lanes)                                                           \
    {                                                                                                                  \
        double *restrict d = y_.d;                                                                                     \
        const double *restrict a = y_.a, *restrict b = y_.b, *restrict c = y_.c;                                       \
        simd for (size_t i = 0; i < lanes; i++)                                                                        \
        {                                                                                                              \
            const double x = a[i], z = b[i], w = c[i];                                                                 \
            (void)x, (void)z, (void)w;                                                                                 \
            d[i] = (value);                                                                                            \
        }                                                                                                              \
    }                                                                                                                  \
    static void dual_##name(struct operands y_, struct operands dy_, size_t lanes)                                     \
    {                                                                                                                  \
        for (size_t i = 0; i < lanes; i++) {                                                                           \
            const double x = y_.a[i], z = y_.b[i], w = y_.c[i];                                                        \
            const double dx = dy_.a[i], dz = dy_.b[i], dw = dy_.c[i];                                                  \
            (void)x, (void)z, (void)w, (void)dx, (void)dz, (void)dw;                                                   \
            const double y = (value);                                                                                  \
            (void)y;                                                                                                   \
            y_.d[i] = y;                                                                                               \
            dy_.d[i] = (slope);                                                                                        \
        }                                                                                                              \
    }
OPERATIONS(DEFINE)

static const struct operation {
    const char *name;
    int arity;
    run_function *run;
    dual_function *dual;
} operations[HL_N_OPS] = {
    [HL_OP_NUMBER] = {"number", 0, NULL, NULL},
    [HL_OP_NAME] = {"name", 0, NULL, NULL},
#define ROW(OP, text, arity, name, simd, value, slope) [HL_OP_##OP] = {text, arity, run_##name, dual_##name},
    OPERATIONS(ROW)
};

int hl_op_arity(enum hl_op op)
{
    return operations[op].arity;
}

const char *hl_op_name(enum hl_op op)
{
    return operations[op].name;
}

double hl_op_apply(enum hl_op op, double a, double b, double c)
{
    double y = NAN;
    if (operations[op].run)
        operations[op].run((struct operands){&y, &a, &b, &c}, 1);
    return y;
}

/* Operands that an operation hasn't are pointed at the first one: read, never used. */
static struct operands lanes_of(const struct hl_instruction *in, double *file, size_t lanes)
{
    const double *a = file + (size_t)in->a * lanes;
    return (struct operands){
        .d = file + (size_t)in->dst * lanes,
        .a = a,
        .b = in->b < 0 ? a : file + (size_t)in->b * lanes,
        .c = in->c < 0 ? a : file + (size_t)in->c * lanes,
    };
}

/* A single lane, as integrators and metrics ask for it: the same arithmetic without a call per operation. */
static void run_one(const struct hl_program *program, double *regs)
{
    for (size_t k = 0; k < program->n; k++) {
        const struct hl_instruction *in = &program->code[k];
        const double x = regs[in->a], z = regs[in->b < 0 ? in->a : in->b], w = regs[in->c < 0 ? in->a : in->c];
        double y = NAN;
        switch ((enum hl_op)in->op) {
#define CASE(OP, text, arity, name, simd, value, slope) case HL_OP_##OP: y = (value); break;
            OPERATIONS(CASE)
        case HL_OP_NUMBER: case HL_OP_NAME: case HL_N_OPS: break; /* leaves are never instructions */
        }
        regs[in->dst] = y;
    }
}

static void run_one_dual(const struct hl_program *program, double *regs, double *dregs)
{
    for (size_t k = 0; k < program->n; k++) {
        const struct hl_instruction *in = &program->code[k];
        const int a = in->a, b = in->b < 0 ? in->a : in->b, c = in->c < 0 ? in->a : in->c;
        const double x = regs[a], z = regs[b], w = regs[c], dx = dregs[a], dz = dregs[b], dw = dregs[c];
        double y = NAN, dy = NAN;
        switch ((enum hl_op)in->op) {
#define DUAL_CASE(OP, text, arity, name, simd, value, slope) case HL_OP_##OP: y = (value); dy = (slope); break;
            OPERATIONS(DUAL_CASE)
        case HL_OP_NUMBER: case HL_OP_NAME: case HL_N_OPS: break;
        }
        regs[in->dst] = y;
        dregs[in->dst] = dy;
    }
}

void hl_program_run(const struct hl_program *program, double *regs, size_t lanes)
{
    if (lanes == 1) {
        run_one(program, regs);
        return;
    }
    for (size_t k = 0; k < program->n; k++)
        operations[program->code[k].op].run(lanes_of(&program->code[k], regs, lanes), lanes);
}

void hl_program_run_dual(const struct hl_program *program, double *regs, double *dregs, size_t lanes)
{
    if (lanes == 1) {
        run_one_dual(program, regs, dregs);
        return;
    }
    for (size_t k = 0; k < program->n; k++) {
        const struct hl_instruction *in = &program->code[k];
        operations[in->op].dual(lanes_of(in, regs, lanes), lanes_of(in, dregs, lanes), lanes);
    }
}
