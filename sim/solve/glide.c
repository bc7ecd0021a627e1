/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products and sums of IEEE double in a fixed order, fused by nobody, so the vector's width can't be seen in the result.
 * Per subject and time a linear model of n modes costs n products for the step and a product and a sum for every mode
 * that shows in an output: one or two nanoseconds. */
#include "solve/glide.h"

/* Eight subjects: one register of AVX-512, two of AVX2, four of SSE2 or NEON. */
typedef double eight __attribute__((vector_size(HL_GROUP * sizeof(double))));

#define ROW(array, i) (*(eight *)__builtin_assume_aligned((array) + (i) * HL_GROUP, 64))
#define CONST_ROW(array, i) (*(const eight *)__builtin_assume_aligned((array) + (i) * HL_GROUP, 64))

static inline __attribute__((always_inline)) void show(const double *z, const struct hl_shown *shown, double *y,
                                                       size_t quantity_stride)
{
    const size_t *mode = shown->mode, *first = shown->first_term;
    for (size_t q = 0; q < shown->n; q++) {
        eight sum = CONST_ROW(shown->offset, q);
        for (size_t m = first[q]; m < first[q + 1]; m++)
            sum += CONST_ROW(shown->row, m) * CONST_ROW(z, mode[m]);
        ROW(y, 0) = sum;
        y += quantity_stride;
    }
}

HL_CLONES void hl_glide_show(const double *z, const struct hl_shown *shown, double *y, size_t quantity_stride)
{
    show(z, shown, y, quantity_stride);
}

HL_CLONES void hl_glide(double *z, const double *E, const double *u, size_t n_modes, const struct hl_shown *shown,
                        double *y, size_t quantity_stride, size_t time_stride, size_t steps)
{
    for (size_t k = 0; k < steps; k++) {
        show(z, shown, y + k * time_stride, quantity_stride);
        if (u)
            for (size_t j = 0; j < n_modes; j++)
                ROW(z, j) = ROW(z, j) * CONST_ROW(E, j) + CONST_ROW(u, j);
        else
            for (size_t j = 0; j < n_modes; j++)
                ROW(z, j) *= CONST_ROW(E, j);
    }
}

HL_CLONES void hl_glide_hop(double *z, const double *E, const double *phi, const double *g, const double *lambda,
                            const double *drift, size_t n_modes)
{
    eight d = CONST_ROW(drift, 0);
    for (size_t j = 0; j < n_modes; j++) {
        eight x = CONST_ROW(lambda, j) * d, e = CONST_ROW(E, j);
        eight moved = ROW(z, j) * (e + e * (x + 0.5 * x * x));
        ROW(z, j) = g ? moved + CONST_ROW(g, j) * (CONST_ROW(phi, j) + e * d) : moved;
    }
}

HL_CLONES void hl_glide_replace(double *z, const double *origin, const double *E, const double *u, const double *keep,
                                size_t n_modes)
{
    for (size_t j = 0; j < n_modes; j++)
        for (size_t l = 0; l < HL_GROUP; l++) {
            size_t i = j * HL_GROUP + l;
            z[i] = keep[l] != 0 ? z[i] : origin[i] * E[i] + u[i];
        }
}
