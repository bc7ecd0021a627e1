/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Correlation matrices of random effects: are they possible, and if not, which possible one is near? */
#ifndef HL_MODEL_MATRIX_H
#define HL_MODEL_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/status.h"

#define HL_SMALLEST_EIGENVALUE 1e-10 /* of a correlation matrix: at or below, its Cholesky factor has no right digit */

/* The smallest eigenvalue of the symmetric n x n correlation matrix, and in nearest (n x n, may be NULL) the matrix
 * itself if it is possible, else the nearest one that stays possible when typed with three digits. HL_ERR_MEMORY or
 * HL_ERR_INTERNAL on failure. */
enum hl_status hl_correlation_check(const double *matrix, size_t n, double *smallest, double *nearest);

/* "[[1, 0.5], [0.5, 1]]" with four digits, as a file would write it. */
const char *hl_matrix_text(struct hl_arena *arena, const double *matrix, size_t n);

#endif
