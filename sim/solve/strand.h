/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact outputs told stretch by stretch, eight lanes side by side, for those who
 * measure: a pass over the events alone, without any grid. Times in hours. */
#ifndef HL_SOLVE_STRAND_H
#define HL_SOLVE_STRAND_H

#include "solve/stretch.h"

/* True when output number output of the system can be told here: it is linear in exact states alone. (Lanes whose
 * matrices have no real modes still can't, see hl_strands_tell.) */
bool hl_strand_can(const struct hl_plan *plan, int output);

/* One thread's strands of an arm: outputs that depend on the same components go together. */
struct hl_strands;

/* For the outputs output[k] of the system with watched[k] != 0, all of which hl_strand_can tell. NULL when there is no
 * memory. */
struct hl_strands *hl_strands_create(const struct hl_plan *plan, const int *output, size_t n_outputs,
                                     const unsigned char *watched);
void hl_strands_free(struct hl_strands *strands);

typedef void (*hl_stretch_fn)(void *context, const struct hl_stretch *stretch);

/* Tells the stretches of lanes first .. first + HL_LANES - 1 from each lane's start to stop; they end at the n_edges
 * ascending times edge too. Lanes without a solution or without real modes (subjects->rows[].odd) have none.
 * HL_ERR_MEMORY. */
enum hl_status hl_strands_tell(struct hl_strands *strands, const struct hl_subjects *subjects, const double *regs,
                               size_t first, double stop, const double *edge, size_t n_edges, hl_stretch_fn tell,
                               void *context);

#endif
