/* SPDX-License-Identifier: GPL-3.0-or-later */
/* First approximations for eigen_lanes.c, in double precision. */
#ifndef HL_SOLVE_EIGEN_SEED_H
#define HL_SOLVE_EIGEN_SEED_H

#include "solve/eight.h"
#include "solve/modes.h"

#define HL_SEED_BLOCK 3 /* states of the largest block that has closed roots here */

/* Real eigenvalues, right and left vectors (W V = 1 but for rounding) of the n x n rows A, blocks of at most
 * HL_SEED_BLOCK states. edge[i*n+k]: A has an entry there. Lanes that become false in good, or whose numbers aren't
 * finite, have none. V and W are zero where the shape says so. */
void hl_eigen_seed(const hl_eight *A, const struct hl_shape *shape, const bool *edge, hl_eight *lambda, hl_eight *V,
                   hl_eight *W, hl_eight_bits *good);

#endif
