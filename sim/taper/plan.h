/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan is a taper as it would be carried out: a schedule on the rungs of a problem, for one situation. The designed
 * one and every protocol it is compared with are plans, made of the same products and rounded alike, so that what is
 * said of one holds for all. A plan can be written as an arm of a study, exactly. */
#ifndef HL_TAPER_PLAN_H
#define HL_TAPER_PLAN_H

#include "taper/read.h"

struct hl_taper_plan {
    const char *name;         /* of the arm */
    const char *kind;         /* "designed", "as published", "at equal risk", "at equal duration", "under stress" */
    const struct hl_taper_problem *problem;
    const struct hl_taper_schedule *schedule;
    size_t situation;         /* arm of the study it begins in: 0, or one under stress: */
};

/* What a plan amounts to. */
struct hl_taper_facts {
    int days;                                /* at non-zero reduced dose */
    size_t levels, changes;                  /* the step to nothing is a change */
    double cumulative[HL_TAPER_DRUGS];       /* from day 0: mg; of patches content isn't known: NAN */
    double equivalent;                       /* mg of all but patches, of a drug that takes over as the first */
    double products[HL_TAPER_DRUGS];         /* pieces handed out, halves as halves: 0.5; marks of a solution count one
                                                measuring a dose, patches one each; of a rate 0 */
};

/* HL_ERR_INTERNAL when a dose can't be made, which no schedule of a search holds. */
enum hl_status hl_taper_facts(struct hl_arena *arena, const struct hl_taper_problem *problem,
                              const struct hl_taper_schedule *schedule, struct hl_taper_facts *facts);

/* The same problem with every amount that can be made as a rung, none left out, the drugs in any order: what protocols
 * need. NULL with a message. */
struct hl_taper_problem *hl_taper_all_rungs(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                            struct hl_diag *diag);

/* A protocol's levels on the rungs of such a problem: each day's total rounded to the nearest that can be made (of two
 * equally near ones the larger), whole quanta shared as everywhere; levels that round to the same amount become one, a
 * tail that rounds to nothing is the end. With days > 0 the interval between steps is so many days: by every: where the
 * protocol takes it, else by stretching all intervals alike. NULL when the problem has no such rung. Of a crossover
 * problem isn't looked at: its days stand on rungs of its own (rival->own). */
struct hl_taper_schedule *hl_taper_follow(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                          const struct hl_taper_rival *rival, int days);

/* Days between the first steps of a protocol as published; 0 when it has none (abrupt). */
int hl_taper_rival_interval(const struct hl_taper_rival *rival);

/* The schedule as a situation interrupts it: what is left of it comes later. The rungs must include the start. */
struct hl_taper_schedule *hl_taper_detour(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                          const struct hl_taper_schedule *schedule,
                                          const struct hl_taper_situation *situation);

/* The schedule stretched or compressed to last so many days, levels in proportion and in whole periods; NULL when there
 * is no room for each of its levels. */
struct hl_taper_schedule *hl_taper_stretch(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                           const struct hl_taper_schedule *schedule, int days);

/* What a plan amounts to, as facts: of an arm: "{kind: designed, duration: 84 d, levels: 6, ...}". */
const char *hl_taper_facts_text(struct hl_arena *arena, const struct hl_taper_plan *plan);

/* The plan as an element of arms: (lines that begin with "  - name:"), with everything that its situation's arm
 * says. */
const char *hl_taper_arm_text(struct hl_arena *arena, const struct hl_study *study, const struct hl_taper_plan *plan);

/* "08:00": the clock at a time after day 0 [h]. */
const char *hl_taper_clock_text(struct hl_arena *arena, const struct hl_study *study,
                                const struct hl_taper_problem *problem, double hours);

#endif
