/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rate matrices of eight subjects taken apart side by side, where all their
 * rates are real and well apart; whoever isn't so is left to modes.c. Rows of
 * eight, entry e of lane l at [e * 8 + l], on 64-byte boundaries; rates in 1/h.
 * Used by apart.c. Method: eigen_kernel.h. */
#ifndef HL_SOLVE_EIGEN_LANES_H
#define HL_SOLVE_EIGEN_LANES_H

#include "solve/glide.h"
#include "solve/modes_rows.h"

/* Prepared for one component, which must live as long. NULL when there is no memory. */
struct hl_eigen_lanes;
struct hl_eigen_lanes *hl_eigen_lanes_create(const struct hl_component *component);
void hl_eigen_lanes_free(struct hl_eigen_lanes *lanes);

/* lambda (n rows), V and W (n x n rows, V[i*n+j], W[j*n+i], W V = 1) of the matrices whose entries are summed from
 * registers: entry k of lane l is regs[entry[k].reg * stride + l]. Amounts are wanted up to horizon[l] hours after the
 * first dose (hl_modes_make). Bit l of the result: lane l is solved, with modes as right as hl_modes_make would give
 * and a loss of at most HL_MODES_MAX_LOSS; the others have zeros in their rows, and are hl_modes_make's. A lane's
 * numbers depend on that lane alone. */
unsigned hl_eigen_lanes_solve(struct hl_eigen_lanes *lanes, const double *regs, size_t stride, const double *horizon,
                              double *lambda, double *V, double *W);

/* No wider vectors than these from now on: for tests, since all give the same bits. */
void hl_eigen_lanes_widen(struct hl_eigen_lanes *lanes, enum hl_width most);

#endif
