/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The integrated states that a cycle of doses leads back to, for sixteen subjects side by side; those that can't be
 * found this way are left to periodic.c. Used by steady.c. */
#ifndef HL_SOLVE_PERIODIC_LANES_H
#define HL_SOLVE_PERIODIC_LANES_H

#include "solve/batch_series.h"
#include "solve/sweep.h"

/* Each thread's own. */
struct hl_periodic_lanes;

/* For blocks of up to max_lanes lanes; fineness: the relative error of a cycle. *lanes stays NULL, with HL_OK, where
 * the batched integrator can't take the plan, or rates read the clock. HL_ERR_MEMORY. */
enum hl_status hl_periodic_lanes_create(const struct hl_plan *plan, double fineness, size_t max_lanes,
                                        struct hl_periodic_lanes **lanes);
void hl_periodic_lanes_free(struct hl_periodic_lanes *lanes);

/* To be filled for a lane of the block: where its cycle begins, at time 0, y being a first guess, and its events, in
 * [0, period). */
struct hl_start *hl_periodic_lanes_start(struct hl_periodic_lanes *lanes, size_t lane);
struct hl_events *hl_periodic_lanes_events(struct hl_periodic_lanes *lanes, size_t lane);

/* Finds y, in place of the guesses, for those of the n lanes from first on that are wanted (n at most HL_BATCH_LANES).
 * wanted[l] is false afterwards for those that were found and verified: another cycle changes nothing. A lane's y
 * depends on nothing but that lane. subjects: apart and the number of lanes are used. HL_ERR_MEMORY. */
enum hl_status hl_periodic_lanes_solve(struct hl_periodic_lanes *lanes, const struct hl_subjects *subjects,
                                       const double *regs, size_t first, size_t n, double period, bool *wanted);

#endif
