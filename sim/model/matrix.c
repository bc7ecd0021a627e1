/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A correlation matrix is possible when all its eigenvalues are positive. The nearest possible one to a matrix that has
 * others is found by alternating projections with Dykstra's correction (Higham 2002, IMA J Numer Anal 22:329, doi
 * 10.1093/imanum/22.3.329, algorithm 3.3): in turn onto the matrices with eigenvalues of at least a floor, and onto
 * those with unit diagonal. */
#include "model/matrix.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

#define NEAREST_EIGENVALUE 2e-3 /* floor of the matrix proposed: it must survive being typed with three digits */
#define PROJECTIONS        500

struct work {
    size_t n;
    gsl_matrix *copy, *vector;
    gsl_vector *value;
    gsl_eigen_symmv_workspace *eigen;
    double *correction, *before; /* n x n */
};

static void work_clear(struct work *w)
{
    hl_free(w->before);
    hl_free(w->correction);
    gsl_eigen_symmv_free(w->eigen);
    gsl_vector_free(w->value);
    gsl_matrix_free(w->vector);
    gsl_matrix_free(w->copy);
}

static bool work_init(struct work *w, size_t n)
{
    *w = (struct work){.n = n, .copy = gsl_matrix_alloc(n, n), .vector = gsl_matrix_alloc(n, n),
                       .value = gsl_vector_alloc(n), .eigen = gsl_eigen_symmv_alloc(n),
                       .correction = hl_alloc(n * n, sizeof(double)), .before = hl_alloc(n * n, sizeof(double))};
    return w->copy && w->vector && w->value && w->eigen && w->correction && w->before;
}

/* Eigenvalues and vectors (columns) of a symmetric matrix. */
static bool take_apart(struct work *w, const double *matrix)
{
    for (size_t i = 0; i < w->n * w->n; i++)
        gsl_matrix_set(w->copy, i / w->n, i % w->n, matrix[i]);
    return gsl_eigen_symmv(w->copy, w->value, w->vector, w->eigen) == 0;
}

/* x becomes the nearest matrix with eigenvalues of at least the floor. */
static bool raise_eigenvalues(struct work *w, double *x)
{
    if (!take_apart(w, x))
        return false;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < w->n; k++)
                sum += fmax(gsl_vector_get(w->value, k), NEAREST_EIGENVALUE) * gsl_matrix_get(w->vector, i, k) *
                       gsl_matrix_get(w->vector, j, k);
            x[i * w->n + j] = x[j * w->n + i] = sum;
        }
    return true;
}

/* r becomes the nearest correlation matrix (nearly: eigenvalues above the floor). */
static bool make_nearest(struct work *w, double *r)
{
    size_t n = w->n;
    for (int step = 0; step < PROJECTIONS; step++) {
        for (size_t i = 0; i < n * n; i++)
            w->before[i] = r[i] -= w->correction[i];
        if (!raise_eigenvalues(w, r))
            return false;
        for (size_t i = 0; i < n * n; i++)
            w->correction[i] = r[i] - w->before[i];
        for (size_t i = 0; i < n; i++)
            r[i * n + i] = 1.0;
    }
    return true;
}

enum hl_status hl_correlation_check(const double *matrix, size_t n, double *smallest, double *nearest)
{
    struct work w;
    enum hl_status status = work_init(&w, n) ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK && !take_apart(&w, matrix))
        status = HL_ERR_INTERNAL;
    if (status == HL_OK)
        *smallest = gsl_vector_min(w.value);
    if (status == HL_OK && nearest) {
        memcpy(nearest, matrix, n * n * sizeof *nearest);
        if (*smallest <= HL_SMALLEST_EIGENVALUE && !make_nearest(&w, nearest))
            status = HL_ERR_INTERNAL;
    }
    work_clear(&w);
    return status;
}

const char *hl_matrix_text(struct hl_arena *arena, const double *matrix, size_t n)
{
    const char *text = "[";
    for (size_t i = 0; i < n; i++) {
        text = hl_arena_printf(arena, "%s%s[", text, i ? ", " : "");
        for (size_t j = 0; j < n; j++)
            text = hl_arena_printf(arena, "%s%s%.4g", text, j ? ", " : "", matrix[i * n + j]);
        text = hl_arena_printf(arena, "%s]", text);
    }
    return hl_arena_printf(arena, "%s]", text);
}
