/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taylor coefficients by recurrence (Moore 1966; Jorba and Zou 2005, Experimental Mathematics 14: 99, section 2): with
 * a = sum a_k s^k and so on,
 *     p = a b        p_k = sum_{j=0..k} a_j b_{k-j}
 *     q = a / b      q_k = (a_k - sum_{j=1..k} b_j q_{k-j}) / b_0
 *     e = exp a      e_k = (1/k) sum_{j=1..k} j a_j e_{k-j}
 *     l = log a      l_k = (a_k - (1/k) sum_{j=1..k-1} j l_j a_{k-j}) / a_0
 *     w = a^n        w_k = (1/(k a_0)) sum_{j=0..k-1} (n (k - j) - j) a_{k-j} w_j
 *     y' = f         y_{k+1} = f_k / (k + 1)
 * A transcendental function is computed once per step, for coefficient 0; everything else is sums and products of
 * plain doubles in a fixed order, fused by nobody. What is linear in the states, most of a model, is gathered into
 * sums of coefficient times series before (batch_code.c).
 *
 * The length of a step (Jorba and Zou, section 3.2) comes from the series itself, not from the last step: a restart
 * after a dose costs nothing. The largest h for which |y_k| h^k <= tolerance * scale for the last three k and every
 * state is
 *     h = min_k exp((log tolerance - log sum_i |y_ik| / scale_i) / k).
 * Each further term is smaller than the one before by h over the radius of convergence, near 1/e at the orders used, so
 * what is cut off is about half the tolerance. The logarithm needs few digits and is computed from the bits: relative
 * error of h below 1e-7. */
#include "solve/batch_series.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/vector.h"

typedef double eight __attribute__((vector_size(HL_BATCH_LANES * sizeof(double))));
typedef int64_t eight_bits __attribute__((vector_size(HL_BATCH_LANES * sizeof(int64_t))));

#define ROW(array, i) (*(eight *)__builtin_assume_aligned((array) + (size_t)(i) * HL_BATCH_LANES, 64))
#define CONST_ROW(array, i) (*(const eight *)__builtin_assume_aligned((array) + (size_t)(i) * HL_BATCH_LANES, 64))
#define INLINE static inline __attribute__((always_inline))

#define LN2 0.69314718055994530942
#define LOG_SQRT2 0.34657359027997265471
#define SQRT2 1.41421356237309504880

/* Coefficient k of a sum, into *to. */
INLINE void add_up(const struct hl_batch_code *code, const struct hl_batch_sum *sum, const double *file,
                   const double *series, size_t k, size_t stride, double *to)
{
    eight total = {0};
    if (k == 0 && sum->constant >= 0)
        total = CONST_ROW(file, sum->constant);
    const struct hl_batch_term *term = code->term + sum->first;
    for (size_t m = 0; m < sum->n; m++) {
        eight x = CONST_ROW(series, (size_t)term[m].slot * stride + k);
        total += term[m].coef < 0 ? x : CONST_ROW(file, term[m].coef) * x;
    }
    ROW(to, 0) = total;
}

/* sum of a_j b_{k-j} for j = from .. k, in four parts so that additions needn't wait for each other; into *to. */
INLINE void convolve(const double *a, const double *b, size_t from, size_t k, eight *to)
{
    eight p0 = {0}, p1 = {0}, p2 = {0}, p3 = {0};
    size_t j = from;
    for (; j + 3 <= k; j += 4) {
        p0 += CONST_ROW(a, j) * CONST_ROW(b, k - j);
        p1 += CONST_ROW(a, j + 1) * CONST_ROW(b, k - j - 1);
        p2 += CONST_ROW(a, j + 2) * CONST_ROW(b, k - j - 2);
        p3 += CONST_ROW(a, j + 3) * CONST_ROW(b, k - j - 3);
    }
    for (; j <= k; j++)
        p0 += CONST_ROW(a, j) * CONST_ROW(b, k - j);
    *to = (p0 + p1) + (p2 + p3);
}

INLINE void product(const double *a, const double *b, size_t k, double *to)
{
    eight sum;
    convolve(a, b, 0, k, &sum);
    ROW(to, k) = sum;
}

/* inverse holds 1 / b_0. a NULL: the constant 1. */
INLINE void quotient(const double *a, const double *b, double *inverse, size_t k, double *to)
{
    eight sum;
    if (k == 0)
        ROW(inverse, 0) = 1.0 / CONST_ROW(b, 0);
    convolve(b, to, 1, k, &sum);
    if (a)
        sum = CONST_ROW(a, k) - sum;
    else if (k == 0)
        sum = 1.0 - sum;
    else
        sum = -sum;
    ROW(to, k) = sum * CONST_ROW(inverse, 0);
}

INLINE void exponential(const double *a, size_t k, double *to)
{
    eight sum = {0};
    if (k == 0) {
        hl_vector_exp(a, to, HL_BATCH_LANES);
        return;
    }
    for (size_t j = 1; j <= k; j++)
        sum += (double)j * CONST_ROW(a, j) * CONST_ROW(to, k - j);
    ROW(to, k) = sum * (1.0 / (double)k);
}

INLINE void logarithm(const double *a, double *inverse, size_t k, double *to)
{
    eight sum = {0};
    if (k == 0) {
        for (size_t l = 0; l < HL_BATCH_LANES; l++)
            to[l] = log(a[l]);
        ROW(inverse, 0) = 1.0 / CONST_ROW(a, 0);
        return;
    }
    for (size_t j = 1; j < k; j++)
        sum += (double)j * CONST_ROW(to, j) * CONST_ROW(a, k - j);
    ROW(to, k) = (CONST_ROW(a, k) - sum * (1.0 / (double)k)) * CONST_ROW(inverse, 0);
}

INLINE void power(const double *a, const double *exponent, double *inverse, size_t k, double *to)
{
    eight sum = {0}, n = CONST_ROW(exponent, 0);
    if (k == 0) {
        for (size_t l = 0; l < HL_BATCH_LANES; l++)
            to[l] = pow(a[l], exponent[l]);
        ROW(inverse, 0) = 1.0 / CONST_ROW(a, 0);
        return;
    }
    for (size_t j = 0; j < k; j++)
        sum += (n * (double)(k - j) - (double)j) * CONST_ROW(a, k - j) * CONST_ROW(to, j);
    ROW(to, k) = sum * CONST_ROW(inverse, 0) * (1.0 / (double)k);
}

INLINE void one_op(const struct hl_batch_code *code, const struct hl_batch_op *op, const double *file, double *series,
                   size_t k, size_t stride)
{
    size_t row = stride * HL_BATCH_LANES;
    double *to = series + (size_t)op->dst * row, *spare = to + (stride - 1) * HL_BATCH_LANES; /* its last row is free */
    const double *a = op->a < 0 ? NULL : series + (size_t)op->a * row, *b = series + (size_t)op->b * row;
    switch (op->kind) {
    case HL_BATCH_SUM: add_up(code, &op->sum, file, series, k, stride, to + k * HL_BATCH_LANES); break;
    case HL_BATCH_PRODUCT: product(a, b, k, to); break;
    case HL_BATCH_QUOTIENT: quotient(a, b, spare, k, to); break;
    case HL_BATCH_EXP: exponential(a, k, to); break;
    case HL_BATCH_LOG: logarithm(a, spare, k, to); break;
    case HL_BATCH_POWER: power(a, file + (size_t)op->coef * HL_BATCH_LANES, spare, k, to); break;
    }
}

/* Series of operations end at order - 1; only what moves has a coefficient number order, the others' last row is
 * spare. */
HL_CLONES void hl_batch_series(const struct hl_batch_code *code, const double *file, const double *inflow,
                               double *series, size_t order)
{
    size_t stride = order + 1;
    for (size_t k = 0; k < order; k++) {
        for (size_t i = 0; i < code->n_ops; i++)
            one_op(code, &code->op[i], file, series, k, stride);
        double share = 1.0 / (double)(k + 1);
        for (size_t i = 0; i < code->n_rates; i++) {
            const struct hl_batch_rate *rate = &code->rate[i];
            double *to = series + ((size_t)rate->slot * stride + k + 1) * HL_BATCH_LANES;
            add_up(code, &rate->sum, file, series, k, stride, to);
            if (k == 0 && rate->inflow >= 0)
                ROW(to, 0) += CONST_ROW(inflow, rate->inflow);
            ROW(to, 0) *= share;
        }
    }
}

/* *x becomes its magnitude. */
INLINE void drop_sign(eight *x)
{
    *x = (eight)((eight_bits)*x & INT64_MAX);
}

/* *x becomes log x to 1e-7, some -709 for 0. */
INLINE void take_log(eight *x)
{
    eight_bits bits = (eight_bits)*x, k = (bits >> 52) - 1023;
    eight m = (eight)((bits & 0xfffffffffffff) | 0x3ff0000000000000);
    eight t = (m - SQRT2) / (m + SQRT2), t2 = t * t;
    eight tail = 2.0 * t * (1.0 + t2 * (1.0 / 3 + t2 * (0.2 + t2 * (1.0 / 7))));
    *x = __builtin_convertvector(k, eight) * LN2 + LOG_SQRT2 + tail;
}

HL_CLONES void hl_batch_reach(const struct hl_batch_code *code, const double *series, const double *scale,
                              double tolerance, size_t order, double *h)
{
    size_t stride = order + 1;
    eight sum[3] = {{0}};
    for (size_t i = 0; i < code->n_states; i++) {
        eight weight = 1.0 / CONST_ROW(scale, i);
        for (size_t m = 0; m < 3; m++) {
            eight term = CONST_ROW(series, (size_t)code->rate[i].slot * stride + order - m);
            drop_sign(&term);
            sum[m] += term * weight;
        }
    }
    eight least = {0}, fault = {0};
    least += 709.0;
    double limit = log(tolerance);
    for (size_t m = 0; m < 3; m++) {
        eight size = sum[m];
        take_log(&size);
        eight x = (limit - size) * (1.0 / (double)(order - m));
        eight_bits below = x < least;
        least = (eight)(((eight_bits)x & below) | ((eight_bits)least & ~below));
        fault += sum[m] - sum[m]; /* 0, or NaN where the sum isn't finite */
    }
    double x[HL_BATCH_LANES] __attribute__((aligned(64)));
    ROW(x, 0) = least;
    hl_vector_exp(x, h, HL_BATCH_LANES);
    ROW(h, 0) += fault;
}

HL_CLONES void hl_batch_states(const struct hl_batch_code *code, const double *series, size_t order, const double *s,
                               double *y)
{
    eight d = CONST_ROW(s, 0), d2 = d * d, d4 = d2 * d2;
    for (size_t i = 0; i < code->n_states; i++) {
        const double *c = series + (size_t)code->rate[i].slot * (order + 1) * HL_BATCH_LANES;
        eight p0 = {0}, p1 = {0}, p2 = {0}, p3 = {0};
        for (size_t k = order + 1; k > 0; k -= 4) { /* four polynomials in d^4 */
            p0 = p0 * d4 + CONST_ROW(c, k - 4);
            p1 = p1 * d4 + CONST_ROW(c, k - 3);
            p2 = p2 * d4 + CONST_ROW(c, k - 2);
            p3 = p3 * d4 + CONST_ROW(c, k - 1);
        }
        ROW(y, i) = (p0 + p1 * d) + (p2 + p3 * d) * d2;
    }
}
