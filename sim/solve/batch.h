/* SPDX-License-Identifier: GPL-3.0-or-later */
/* States that aren't linear, integrated for sixteen subjects at a time: for whoever
 * wants values at output times and no segments. Used by solver.c; lane.c remains
 * the way for everything that this one hands back. Times in hours. */
#ifndef HL_SOLVE_BATCH_H
#define HL_SOLVE_BATCH_H

#include "solve/batch_series.h"
#include "solve/sweep.h"

/* Each thread's own. */
struct hl_batch;

/* *batch stays NULL, with HL_OK, when the plan can't be integrated this way: nothing to integrate, a stepper of GSL's
 * asked for, releases, or rates with operations that have no series. HL_ERR_MEMORY. */
enum hl_status hl_batch_create(const struct hl_plan *plan, struct hl_batch **batch);
void hl_batch_free(struct hl_batch *batch);

/* Output times, ascending, of the runs that follow; they are copied. HL_ERR_MEMORY. */
enum hl_status hl_batch_set_times(struct hl_batch *batch, const double *time, size_t n_times);

/* Integrates the good lanes first .. first + n - 1 of a block (n at most HL_BATCH_LANES) from their start values
 * through their events. Sets sample[(k * plan->n_integrated + state) * lanes + lane] at every time number k for the
 * states that an output is made from; there must be room for one time more, whose values mean nothing. done[l] is
 * false for lanes that must be solved alone: those without a solution yet (status not good), with modes that turn or a
 * matrix instead of modes, and those that failed here. A lane's values depend on nothing but that lane. */
void hl_batch_run(struct hl_batch *batch, const struct hl_subjects *subjects, const double *regs, size_t first,
                  size_t n, double *sample, bool done[HL_BATCH_LANES]);

#endif
