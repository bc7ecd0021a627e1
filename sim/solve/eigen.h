/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eigenvalues and eigenvectors of block-triangular matrices to more digits than
 * double holds, for modes.c. */
#ifndef HL_SOLVE_EIGEN_H
#define HL_SOLVE_EIGEN_H

#include <complex.h>
#include <stdbool.h>

#include "solve/modes.h"

typedef long double _Complex hl_guarded; /* guard digits: 64 bits of mantissa on x86, 113 or 53 elsewhere */

struct hl_eigen;
struct hl_eigen *hl_eigen_create(size_t n);
void hl_eigen_free(struct hl_eigen *eigen);

/* lambda[j], right vectors V[i*n+j] and left vectors W[j*n+i] (W V = 1) of A (n x n, rows first). Conjugate pairs are
 * neighbours, the one with positive imaginary part first. false when A has no full set of vectors or they can't be told
 * apart in these digits. */
bool hl_eigen_solve(struct hl_eigen *eigen, const long double *A, const struct hl_shape *shape, hl_guarded *lambda,
                    hl_guarded *V, hl_guarded *W);

/* The same for real modes that are well apart, blocks of at most three states and at most 16 states in all: false when
 * it isn't so, or the result wouldn't be right to 1e-15. Needs no scratch. (eigen_real.c) */
bool hl_eigen_solve_real(const long double *A, const struct hl_shape *shape, hl_guarded *lambda, hl_guarded *V,
                         hl_guarded *W);

/* Eigenvalues only, block by block. */
bool hl_eigen_values(struct hl_eigen *eigen, const long double *A, const struct hl_shape *shape, hl_guarded *lambda);

#endif
