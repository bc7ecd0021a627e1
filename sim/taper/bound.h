/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate of a designed taper: days below which no schedule of these rungs and lengths keeps the constraints,
 * proved by relaxation (the method is told in bound.c). Called by the command that designs tapers, before and after the
 * search. */
#ifndef HL_TAPER_BOUND_H
#define HL_TAPER_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/status.h"
#include "taper/outlook.h"
#include "taper/search.h"

struct hl_bound_options {
    size_t carried;          /* subjects followed, the hardest; the others count as keeping everything. 0: one and a
                                half times as many as may exceed the bound, and fifteen more */
    size_t width;            /* envelopes that are kept apart on one day and rung, tighter and dearer: of the last pass,
                                before which there are narrower ones from 1 on; 0: 8 */
    int up_to;               /* days of a schedule that is known: nothing more can be proved; 0: those of the hint, if
                                it keeps the constraints */
    uint64_t most_work;      /* steps and stops of single subjects, after which what is proved so far is told; 0: any */
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
    size_t width;            /* of the last pass */
    struct hl_taper_arcs *arcs; /* with a known schedule: what may still lead to a shorter one; NULL: not known */
    uint64_t steps, work;
};

/* Everything in bound lives in the arena. HL_ERR_MEMORY, or what the outlook failed with. */
enum hl_status hl_taper_bound(struct hl_arena *arena, const struct hl_taper_problem *problem,
                              const struct hl_outlook *outlook, const struct hl_bound_options *options,
                              struct hl_bound *bound);

#endif
