/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e^(A h) that keeps signs. With q = max(-a_ii), B = A + q I has no negative entry when A has none off its diagonal
 * (compartments: what flows, flows out of one and into another), and
 *     e^(A h) = (e^(-q h/2^s) sum_k (B h/2^s)^k / k!)^(2^s)
 * is made of sums and products of numbers >= 0 alone: no cancellation, every entry is right to some 2^s rounding errors
 * relative to itself, and none is ever negative (uniformisation: Jensen 1953, Skand Aktuarietidskr 36:87; with scaling
 * and squaring: Higham 2005, SIAM J Matrix Anal Appl 26:1179). GSL's gsl_linalg_exponential_ss has neither property.
 * Where A has other signs the same sums hold, with the usual accuracy of scaling and squaring. */
#include <math.h>
#include <string.h>

#include "taper/forecast_parts.h"

#define TERMS 24 /* of the series, whose argument has norm at most 1: the next is below 1e-24 */

static void multiply(const double *a, const double *b, size_t n, double *c)
{
    memset(c, 0, n * n * sizeof *c);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; a[i * n + k] != 0.0 && j < n; j++) /* exact zeros by structure */
                c[i * n + j] += a[i * n + k] * b[k * n + j];
}

/* q, and how often h must be halved. */
static double shift_of(const double *A, size_t n, double h, int *halvings)
{
    double q = 0, norm = 0;
    for (size_t i = 0; i < n; i++)
        q = fmax(q, -A[i * n + i]);
    for (size_t i = 0; i < n; i++) {
        double row = q;
        for (size_t j = 0; j < n; j++)
            row += i == j ? A[i * n + i] : fabs(A[i * n + j]);
        norm = fmax(norm, row);
    }
    *halvings = norm * h > 1 ? (int)ceil(log2(norm * h)) : 0;
    return q;
}

void hl_forecast_exponential(const double *A, size_t n, double h, double *E, double *work)
{
    int halvings;
    double *B = work, *term = work + n * n, *next = work + 2 * n * n;
    double q = shift_of(A, n, h, &halvings), part = ldexp(h, -halvings);
    for (size_t i = 0; i < n * n; i++) {
        B[i] = (A[i] + (i % (n + 1) == 0 ? q : 0)) * part;
        term[i] = E[i] = i % (n + 1) == 0;
    }
    for (int k = 1; k <= TERMS; k++) {
        multiply(term, B, n, next);
        for (size_t i = 0; i < n * n; i++)
            E[i] += term[i] = next[i] / k;
    }
    double scale = exp(-q * part);
    for (size_t i = 0; i < n * n; i++)
        E[i] *= scale;
    for (int s = 0; s < halvings; s++) {
        multiply(E, E, n, next);
        memcpy(E, next, n * n * sizeof *E);
    }
}
