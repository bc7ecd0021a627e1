/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rate matrices of a block's subjects taken apart: eight at a time where they
 * let themselves (eigen_lanes.c), one at a time where not (modes.c). Loops over
 * lanes read the rows; whoever follows one subject asks for its struct hl_modes.
 * Used by solver.c and those it hands subjects to; each thread has its own. */
#ifndef HL_SOLVE_APART_H
#define HL_SOLVE_APART_H

#include "solve/modes_rows.h"

struct hl_apart {
    const struct hl_plan *plan;
    size_t max_lanes;
    struct hl_eigen_lanes **lanes;   /* by component */
    struct hl_modes_work *work;
    struct hl_modes_rows *rows;      /* by eight lanes */
    struct hl_modes *modes;          /* [lane * n_components + component] ... */
    bool *written;                   /* ... by lane: they have been asked for since the lane was taken apart */
    const double *regs;              /* of the block */
    size_t stride;
};

/* NULL when there is no memory. */
struct hl_apart *hl_apart_create(const struct hl_plan *plan, size_t max_lanes);
void hl_apart_free(struct hl_apart *apart);

/* Takes those of the lanes first .. first + 7 of a block apart whose bits (from bit 0) are in wanted; horizon[l] as in
 * hl_modes_make. Returns those whose coefficients are numbers. Rows are filled but for z; the others' are zero. regs
 * and its coefficients stay until the next block. */
unsigned hl_apart_take(struct hl_apart *apart, const double *regs, size_t stride, size_t first, const double *horizon,
                       unsigned wanted);

/* Modes of one lane that was taken apart, component by component. */
struct hl_modes *hl_apart_modes(struct hl_apart *apart, size_t lane);

#endif
