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

/* *batch stays NULL, with HL_OK, when the plan can't be integrated this way, a stepper of GSL's being asked for, or
 * with releases, or rates with operations that have no series; or when there is nothing to do for it: nothing is
 * integrated, and every output is linear. Where nothing is integrated but outputs aren't linear, it serves to tell
 * them.
 * HL_ERR_MEMORY. */
enum hl_status hl_batch_create(const struct hl_plan *plan, struct hl_batch **batch);
void hl_batch_free(struct hl_batch *batch);

/* How rough modes may be for the integrator (hl_modes_real). */
double hl_batch_most_loss(const struct hl_plan *plan);

/* Output times, ascending, of the runs that follow; they are copied. HL_ERR_MEMORY. */
enum hl_status hl_batch_set_times(struct hl_batch *batch, const double *time, size_t n_times);

/* What the runs that follow show at these times, for blocks of so many lanes. True when all n outputs (numbers of the
 * system's) are linear in integrated states: they are shown themselves, to[(o * n_times + k) * lanes + lane] at time
 * number k. Else false: the states that any output is made from are shown, to[(k * plan->n_integrated + state) * lanes
 * + lane]. */
bool hl_batch_set_outputs(struct hl_batch *batch, const int *output, size_t n, size_t lanes);

/* True when the batched integrator, if it takes a plan, can tell this output of the system stretch by stretch: it has a
 * series, and depends on nothing that the integrator doesn't follow. HL_ERR_MEMORY sets *status. */
bool hl_batch_tells(const struct hl_plan *plan, int output, enum hl_status *status);

/* Who listens in the runs that follow, NULL for nobody: those of output[] (the list given to hl_solver_run) that
 * listener->told names are told to it, see there. HL_ERR_MEMORY. */
enum hl_status hl_batch_listen(struct hl_batch *batch, const int *output, const struct hl_listener *listener);

/* Integrates the good lanes first .. first + n - 1 of a block (n at most HL_BATCH_LANES) from their start values
 * through their events and shows them. done[l] is false for lanes that must be solved alone: those without a solution
 * yet (status not good), with modes that turn or a matrix instead of modes, and those that failed here. The listener is
 * told of lanes with told[l]; false afterwards for those of which it wasn't told to the end. A lane's values depend on
 * nothing but that lane, told or not. The relative error to expect, above 1e-6 of a state's peak, is the plan's
 * tolerance within a factor of a few, often far less (measured on seven models: batch.c). */
void hl_batch_run(struct hl_batch *batch, const struct hl_subjects *subjects, const double *regs, size_t first,
                  size_t n, double *to, bool done[HL_BATCH_LANES], bool told[HL_BATCH_LANES]);

/* After a run: where lane l, which is done, has come to at the last time, after its events: integrated states, and the
 * largest magnitude of each on the way. */
void hl_batch_end(const struct hl_batch *batch, size_t l, double *y, double *peak);

/* After a run: lane l, which isn't done, was given up because it is stiff: its series hold for far less than the time
 * in which it changes. */
bool hl_batch_was_stiff(const struct hl_batch *batch, size_t l);

#endif
