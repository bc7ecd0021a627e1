/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponentials over lanes.
 *
 * x = k ln2 + r with |r| <= ln2/2 (Cody and Waite 1980: ln2 in two parts, k times the first of which is exact), then
 *     q = e^r - 1 = r + r^2/2! + ... + r^13/13!      remainder below 4e-18
 *     e^x = 2^k + 2^k q,    e^x - 1 = 2^k q + (2^k - 1)
 * k is found by adding 1.5 * 2^52, which leaves the rounded integer in the low bits; 2^k is put together from bits.
 * Everything is a plain product or sum, which the compiler turns into vectors. */
#include "base/vector.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LOG2E 1.44269504088896340736
#define LN2_HIGH 6.93147180369123816490e-01 /* 32 bits: its product with k is exact */
#define LN2_LOW 1.90821492927058770002e-10
#define ROUND 6755399441055744.0            /* 1.5 * 2^52 */
#define LARGEST 709.0                       /* beyond these the slow ends are taken care of */
#define SMALLEST (-708.0)

struct parts { double scale, q; }; /* 2^k and e^r - 1 */

static inline __attribute__((always_inline)) struct parts take_apart(double x)
{
    double shifted = x * LOG2E + ROUND, k = shifted - ROUND;
    double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    int64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (int64_t)(((uint64_t)bits + 1023u) << 52); /* the low bits are k, in two's complement */
    struct parts p;
    memcpy(&p.scale, &bits, sizeof bits);
    double rr = r * r, r4 = rr * rr; /* by Estrin's scheme: few of the products wait for each other */
    double low = (1.0 / 6.0 + r * (1.0 / 24.0)) + rr * (1.0 / 120.0 + r * (1.0 / 720.0));
    double middle = (1.0 / 5040.0 + r * (1.0 / 40320.0)) + rr * (1.0 / 362880.0 + r * (1.0 / 3628800.0));
    double high = (1.0 / 39916800.0 + r * (1.0 / 479001600.0)) + rr * (1.0 / 6227020800.0);
    double tail = low + r4 * (middle + r4 * high);
    p.q = r + rr * (0.5 + r * tail);
    return p;
}

static inline __attribute__((always_inline)) double within(double x)
{
    double low = x < SMALLEST ? SMALLEST : x;
    return low > LARGEST ? LARGEST : low; /* NaN stays */
}

static inline __attribute__((always_inline)) double ends(double x, double y)
{
    double low = x < SMALLEST ? 0.0 : y;
    return x > LARGEST ? (double)INFINITY : low;
}

HL_CLONES void hl_vector_exp(const double *x, double *y, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        struct parts p = take_apart(within(x[i]));
        y[i] = ends(x[i], p.scale + p.scale * p.q);
    }
}

HL_CLONES void hl_vector_step(const double *lambda, const double *dt, double *E, double *phi, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        double x = lambda[i] * dt[i];
        struct parts p = take_apart(within(x));
        double divisor = lambda[i] == 0.0 ? 1.0 : lambda[i]; /* a mode that stands still */
        double gain = (p.scale * p.q + (p.scale - 1.0)) / divisor;
        E[i] = ends(x, p.scale + p.scale * p.q);
        gain = x < SMALLEST ? -1.0 / divisor : gain;
        phi[i] = lambda[i] == 0.0 ? dt[i] : gain;
    }
}
