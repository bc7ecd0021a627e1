/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate of a designed taper: days below which no schedule of these rungs and lengths keeps the constraints,
 * proved by relaxation. Called by the command that designs tapers, before or after the search. */
#ifndef HL_TAPER_BOUND_H
#define HL_TAPER_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/status.h"
#include "taper/outlook.h"
#include "taper/search.h"

struct hl_bound_options {
    size_t carried;          /* subjects followed, the hardest; the others count as able to stop at once. 0: one and a
                                half times as many as may exceed the bound (1.2 times with a hint), and fifteen more */
    int history;             /* ways that differ in their last so many levels are kept apart: 0 .. 3, tighter, dearer */
    int milestones;          /* days on which all subjects are held to the same rung, to exclude one duration after the
                                other: 1 .. 4, much tighter and dearer; 0: 2; negative: none */
    int up_to;               /* days of a schedule that is known: nothing more can be proved; 0: those of the hint, if
                                it keeps the constraints */
    uint64_t most_work;      /* steps and stops of single subjects, after which what is proved so far is told; 0: as
                                many as the first bound takes, and twice as many for milestones */
    const struct hl_taper_schedule *hint; /* a good schedule: the hardest subjects are those worst off under it; NULL:
                                those worst off when everything is stopped at once */
    const struct hl_taper_progress *progress;
};

struct hl_bound {
    bool valid;              /* false: no constraint has the order that envelopes need */
    int days;                /* no schedule that keeps the constraints is shorter; 0 is always true */
    bool impossible;         /* none that is as short as problem->longest keeps them at all */
    size_t n_constraints;    /* of the outlook */
    int *by_constraint;      /* days, 0 where nothing is proved */
    size_t constraint;       /* the one that days come from */
    const char *text;        /* what it rests on, in sentences; also why a constraint gave nothing */
    uint64_t steps, work;
};

/* Everything in bound lives in the arena. HL_ERR_MEMORY, or what the outlook failed with. */
enum hl_status hl_taper_bound(struct hl_arena *arena, const struct hl_taper_problem *problem,
                              const struct hl_outlook *outlook, const struct hl_bound_options *options,
                              struct hl_bound *bound);

#endif
