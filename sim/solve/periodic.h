/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The integrated states that a cycle of doses leads back to. Used by steady.c. */
#ifndef HL_SOLVE_PERIODIC_H
#define HL_SOLVE_PERIODIC_H

#include "solve/lane.h"

/* Scratch of one thread. NULL when there is no memory. */
struct hl_periodic;
struct hl_periodic *hl_periodic_create(const struct hl_plan *plan);
void hl_periodic_free(struct hl_periodic *periodic);

/* True when rates read the time of day, or any other. */
bool hl_periodic_is_clocked(const struct hl_periodic *periodic);

/* Finds y (n_integrated; a first guess goes in) such that the events of one cycle, from start->time to a period later,
 * lead from y back to y on top of start's exact states; frozen ones (by integrated state) stand still. lane has been
 * loaded with this start. The result is verified: another cycle changes nothing. HL_SUBJECT_NO_STEADY_STATE when there
 * is none; *unsettled is then the integrated state that changed most in the last cycle. A
 * memory failure is reported through memory. */
enum hl_subject_status hl_periodic_solve(struct hl_periodic *periodic, struct hl_lane *lane, struct hl_start *start,
                                         const struct hl_events *events, double period, const bool *frozen, double *y,
                                         size_t *unsettled, enum hl_status *memory);

#endif
