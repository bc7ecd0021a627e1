/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an arm's cohort is brought through a limited memory. */
#ifndef HL_RUN_ROOM_H
#define HL_RUN_ROOM_H

#include "run.h"

struct hl_room {
    size_t strips;      /* in a batch; all of them when they fit */
    size_t columns;     /* looked at in one pass over the cohort; 0: no room even for one */
    size_t capacity;    /* values kept per column */
    size_t passes;      /* over the cohort */
    size_t missed;      /* columns that could be looked at again, should it be needed, with room for everybody */
    double bytes;       /* all that the arm takes */
    double least;       /* below this it can't be run at all */
};

/* Memory that a run may use: what the option says, or half of the machine's. */
double hl_room_budget(double asked);

/* The way arm a goes with so many threads and bytes. */
struct hl_room hl_room_plan(const struct hl_prepared *prepared, size_t arm, int threads, double budget);

#endif
