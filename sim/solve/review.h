/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reviews of a subject: its solution is followed up to each of them, the
 * rules of regimen/review.h are asked, and the doses that follow join its events.
 * The state is carried on from review to review, so that a subject costs one
 * solution, however often it is looked at. Used by solver.c; each thread has its
 * own. Times in hours. */
#ifndef HL_SOLVE_REVIEW_H
#define HL_SOLVE_REVIEW_H

#include "solve/lane.h"

struct hl_reviewer;

/* NULL when there is no memory, or the plan's regimen has nothing to review. */
struct hl_reviewer *hl_reviewer_create(const struct hl_plan *plan);
void hl_reviewer_free(struct hl_reviewer *reviewer);

/* Carries the lane, which stands at its start, through its reviews up to time last. events are those known
 * beforehand; history takes what is decided and all doses of the subject's own, in order. *status tells how the lane
 * fared. regs are the block's, for lags and bioavailabilities. HL_ERR_MEMORY. */
enum hl_status hl_reviewer_run(struct hl_reviewer *reviewer, struct hl_lane *lane, const struct hl_block *block,
                               const struct hl_events *events, double last, struct hl_history *history,
                               enum hl_subject_status *status);

#endif
