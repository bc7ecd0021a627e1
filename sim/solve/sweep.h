/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact states of a whole block carried through the output times, lanes side by
 * side: the engine's inner loop. Used by solver.c. */
#ifndef HL_SOLVE_SWEEP_H
#define HL_SOLVE_SWEEP_H

#include "solve/apart.h"
#include "solve/lane.h"
#include "solve/timetable.h"

/* Subjects of a block, as solver.c keeps them. */
struct hl_subjects {
    size_t lanes, n;                 /* padded and real */
    struct hl_apart *apart;          /* their modes: of one lane, hl_apart_modes */
    const struct hl_modes_rows *rows; /* [lane / HL_ROW]: the same, and the start's amplitudes, side by side */
    struct hl_start *start;          /* by lane */
    struct hl_events *events;        /* by lane, ascending */
    bool shared;                     /* all lists are one: the arm's structure gives everybody the same events, in all blocks
                                        of this edition */
    bool common;                     /* they have the same times at least */
    unsigned long edition;           /* of the output times: the same as before when they are, never 0 */
    signed char *status;             /* by lane */
};

struct hl_sweep;

/* NULL when there is no memory. */
struct hl_sweep *hl_sweep_create(const struct hl_plan *plan, size_t max_lanes);
void hl_sweep_free(struct hl_sweep *sweep);

/* Cuts n ascending times into strides (room for n of them) and returns how many. */
size_t hl_sweep_strides(const double *time, size_t n, struct hl_stride *stride);

/* Fills block->out for all lanes at all times; sample holds the integrated states [time][state][lane], or is NULL.
 * Marks lanes whose states aren't finite. */
enum hl_status hl_sweep_run(struct hl_sweep *sweep, const struct hl_subjects *subjects, struct hl_block *block,
                            const int *output, size_t n_outputs, const double *time, size_t n_times,
                            const double *sample);

#endif
