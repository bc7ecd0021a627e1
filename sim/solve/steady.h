/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "On this regimen since long before": the start of a subject whose drugs repeat a
 * cycle. Used by solver.c. */
#ifndef HL_SOLVE_STEADY_H
#define HL_SOLVE_STEADY_H

#include "solve/lane.h"

/* Scratch of one thread. NULL when there is no memory. */
struct hl_steady_work;
struct hl_steady_work *hl_steady_work_create(const struct hl_plan *plan);
void hl_steady_work_free(struct hl_steady_work *work);

/* Turns start (at start->time, from initial values) into the periodic one of all steady regimens, and adds to events
 * those of cycles that still lie between start->time and a regimen's own time. HL_SUBJECT_NO_STEADY_STATE when there is
 * none. A memory failure is reported through memory. */
enum hl_subject_status hl_steady_start(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                       double *regs, size_t lanes, size_t number, struct hl_start *start,
                                       struct hl_events *events, enum hl_status *memory);

#endif
