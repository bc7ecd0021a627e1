/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The modes of eight neighbouring subjects side by side, for loops over lanes: the
 * same numbers as in their struct hl_modes, in rows of eight. Filled by apart.c,
 * amplitudes at the start by solver.c. */
#ifndef HL_SOLVE_MODES_ROWS_H
#define HL_SOLVE_MODES_ROWS_H

#include "solve/plan.h"

#define HL_ROW 8 /* subjects in a row; rows stand on 64-byte boundaries */

/* Lanes without a solution have zeros everywhere. */
struct hl_modes_rows {
    double *lambda;       /* [mode of the plan][HL_ROW]: growth rate [1/h]; 0 in odd lanes */
    double *z;            /* [mode of the plan][HL_ROW]: amplitudes at the start */
    double *V, *W;        /* component c: [component[c].square + row * n + column][HL_ROW], as in struct hl_modes */
    bool odd[HL_ROW];     /* some component isn't of real modes: V, W and z are those of its struct hl_modes */
};

/* Rows for n_groups times eight lanes; NULL when there is no memory. */
struct hl_modes_rows *hl_modes_rows_create(const struct hl_plan *plan, size_t n_groups);
void hl_modes_rows_free(struct hl_modes_rows *rows);

/* Lane l gets the modes of this subject's components; z is left alone. */
void hl_modes_rows_put(struct hl_modes_rows *rows, const struct hl_plan *plan, size_t l, const struct hl_modes *modes);

/* Lane l has no solution. */
void hl_modes_rows_blank(struct hl_modes_rows *rows, const struct hl_plan *plan, size_t l);

/* z = W x for eight subjects and one component: rows of states x[i] (NULL: all zero, from anywhere) into n rows of
 * amplitudes, W being rows->W. Bit l of the result: all of lane l's states are finite. */
unsigned hl_modes_rows_project(const double *W, const struct hl_component *component, const double *const *x,
                               double *z);

/* Bit l: x[l] is finite, of eight. */
unsigned hl_row_is_finite(const double *x);

/* Row of entry i, j of a component's V or W. */
static inline const double *hl_modes_row(const double *M, const struct hl_component *c, size_t i, size_t j)
{
    return M + (c->square + i * c->shape.n + j) * HL_ROW;
}

#endif
