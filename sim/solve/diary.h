/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happens to the subjects of a block, and when: their events in order, with those that mean an output time
 * exactly there. Where nothing of a subject's own goes into the events, one list is made once and serves all subjects
 * of all blocks. Used by solver.c; each thread has its own. */
#ifndef HL_SOLVE_DIARY_H
#define HL_SOLVE_DIARY_H

#include "solve/plan.h"

struct hl_diary {
    const struct hl_plan *plan;
    size_t max_lanes;
    bool same_times, shared;     /* by the arm's structure: everybody's events have the same times; one list for all */
    bool made, sound;            /* the shared list, or the first one, is there, and can be followed */
    double start;                /* of that list, see hl_diary_start */
    bool refills;                /* common times, but no shared list: values are filled into copies of the first one */
    struct hl_event_order order; /* of the first list */
    struct hl_events raw, common; /* the shared or first list as it was made; with the output times put in */
    unsigned long *filled;       /* by lane: edition whose first list its own one is made from; 0: none */
    bool copies;                 /* each lane has a list of its own, of the shared one or of its own making */
    struct hl_history *history;  /* by lane: what its reviews decided; NULL where the regimen has none */
    struct hl_events *own;       /* by lane: those lists, for others to add to until they are closed */
    struct hl_events *list;      /* by lane: what happens to it, to be read after hl_diary_close */
    const double *asked;         /* output times */
    double *time;                /* those for which the shared list was made */
    size_t n_times, time_capacity;
    unsigned long edition;       /* changes when the output times do; never 0 after hl_diary_open */
};

/* NULL when there is no memory. */
struct hl_diary *hl_diary_create(const struct hl_plan *plan, size_t max_lanes);
void hl_diary_free(struct hl_diary *diary);

/* Before each block: the output times it is solved for. HL_ERR_MEMORY. */
enum hl_status hl_diary_open(struct hl_diary *diary, const double *time, size_t n_times);

/* Makes the list of a subject of the block, whose parameters are in the registers: where diary->copies, in
 * diary->own[lane]. HL_ERR_MEMORY. With reviews: of what is known before the first of them; hl_diary_renew makes it
 * anew with the doses in its history. */
enum hl_status hl_diary_make(struct hl_diary *diary, const struct hl_block *block, size_t lane);

enum hl_status hl_diary_renew(struct hl_diary *diary, const struct hl_block *block, size_t lane);

/* When the lane's time begins [h]: the earliest of its first event, the first output time, 0 and the times up to which
 * steady regimens reach. Before hl_diary_close. */
double hl_diary_start(const struct hl_diary *diary, size_t lane);

/* False when an event of the lane has no time or no finite value. */
bool hl_diary_is_sound(const struct hl_diary *diary, size_t lane);

/* After the last change of the lane's list: events that mean an output time, but for rounding, happen at it. The list
 * is then diary->list[lane]. */
void hl_diary_close(struct hl_diary *diary, size_t lane);

#endif
