/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A correlation matrix R is possible when all its eigenvalues are positive. If R = Q diag(l) Q', the matrix
 * Q diag(max(l, floor)) Q' is positive definite, and dividing row and column i by the root of its i-th diagonal element
 * makes it a correlation matrix again (Higham 2002, IMA J Numer Anal 22:329, discusses this "shifting" and better but
 * iterative ways; for a hint in an error message the direct one is enough). */
#include "model/matrix.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_math.h>
#include <math.h>

#define CLIPPED_EIGENVALUE 1e-6

static void rebuild(const gsl_vector *value, const gsl_matrix *vector, double *nearest, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < n; k++)
                sum += GSL_MAX(gsl_vector_get(value, k), CLIPPED_EIGENVALUE) * gsl_matrix_get(vector, i, k) *
                       gsl_matrix_get(vector, j, k);
            nearest[i * n + j] = sum;
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (i != j)
                nearest[i * n + j] /= sqrt(nearest[i * n + i]) * sqrt(nearest[j * n + j]);
    for (size_t i = 0; i < n; i++)
        nearest[i * n + i] = 1.0;
}

enum hl_status hl_correlation_check(const double *matrix, size_t n, double *smallest, double *nearest)
{
    enum hl_status status = HL_ERR_MEMORY;
    gsl_matrix *copy = gsl_matrix_alloc(n, n), *vector = gsl_matrix_alloc(n, n);
    gsl_vector *value = gsl_vector_alloc(n);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
    if (!copy || !vector || !value || !work)
        goto done;
    for (size_t i = 0; i < n * n; i++)
        gsl_matrix_set(copy, i / n, i % n, matrix[i]);
    status = gsl_eigen_symmv(copy, value, vector, work) ? HL_ERR_INTERNAL : HL_OK;
    if (status != HL_OK)
        goto done;
    *smallest = gsl_vector_min(value);
    if (nearest)
        rebuild(value, vector, nearest, n);
done:
    gsl_eigen_symmv_free(work);
    gsl_vector_free(value);
    gsl_matrix_free(vector);
    gsl_matrix_free(copy);
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
