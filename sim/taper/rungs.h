/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rungs a taper can stand on, and which may follow which. Rung 0 is the start, the last one nothing at all; a rung
 * that may follow another has a higher number. */
#ifndef HL_TAPER_RUNGS_H
#define HL_TAPER_RUNGS_H

#include <stdbool.h>

#include "base/diag.h"
#include "taper/problem.h"

#define HL_TAPER_PAIRS 1500 /* steps from rung to rung that a search usually looks at: some 54 amounts of one drug */

/* What was kept of all amounts there are. */
struct hl_rungs_report {
    size_t possible[HL_TAPER_DRUGS], kept[HL_TAPER_DRUGS]; /* totals of each drug, its start and nothing among them */
    const char *thinned;  /* a sentence when some were left out, else NULL */
};

/* Makes problem->rung from its drugs (products, unit, doses, spare, start, first_stream, n_streams must be there):
 * every total up to the start's that can be shared among the doses, of all drugs together, as far as the order of
 * the drugs lets them be reached. When there would be more than most_pairs (0: HL_TAPER_PAIRS) steps between them,
 * each drug is thinned to the same largest number of totals that stays below: from each total kept, the next is the
 * largest one that is lower by at least (total + start/8) / m, with the largest m that will do; the lowest non-zero
 * total is always kept. So steps are equal parts of a high amount and shrink with it to a ninth of the first step.
 * Faults (a start that can't be made, where it has to be taken while another drug goes down; an amount too fine to
 * tabulate) go to diag: HL_ERR_INPUT. */
enum hl_status hl_rungs_make(struct hl_arena *arena, struct hl_taper_problem *problem, size_t most_pairs,
                             struct hl_rungs_report *report, struct hl_diag *diag);

/* Whose turn it is after a step from one rung to another, the new level lasting so many days (0: it is the end, which
 * no cap judges); -1 when the step is not allowed: a total rises, none falls, a cap is broken, or the order of the
 * drugs is. turn: what the last step gave, 0 at first; always 0 unless drugs alternate. */
int hl_rungs_turn(const struct hl_taper_problem *problem, int turn, size_t from, size_t to, int days);

/* The largest number of days of which all allowed lengths are multiples. */
int hl_lengths_grid(const struct hl_taper_problem *problem);

/* Days at non-zero reduced dose, pieces handed out, and dose changes (the end is one) of a schedule. */
int hl_schedule_days(const struct hl_taper_schedule *schedule);
double hl_schedule_pieces(const struct hl_taper_problem *problem, const struct hl_taper_schedule *schedule);
size_t hl_schedule_changes(const struct hl_taper_schedule *schedule);

/* Whether a schedule keeps every rule but the constraints: allowed steps and lengths, not longer than longest, an
 * allowed end. NULL when it does, else what is wrong with it (a constant sentence). */
const char *hl_schedule_fault(const struct hl_taper_problem *problem, const struct hl_taper_schedule *schedule);

#endif
