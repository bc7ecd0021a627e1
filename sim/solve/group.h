/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight subjects on their way through the output times, exact states as amplitudes
 * of modes, side by side. Used by sweep.c only; times in hours. */
#ifndef HL_SOLVE_GROUP_H
#define HL_SOLVE_GROUP_H

#include "solve/glide.h"
#include "solve/sweep.h"

#define HL_STEP_TABLES 4 /* sets of exponentials kept for recurring steps of the grid */
#define HL_HOP_TABLES 6  /* the same for ways between output and event times */

/* What all groups of a sweep share. */
struct hl_group_common {
    const struct hl_plan *plan;
    struct hl_modes_work *work;
    double *column, *column_g, *scratch; /* one lane's modes, its inputs; states of the largest component */
    const struct hl_subjects *subjects;
    const double *regs;                  /* of the block */
};

/* Exponentials of all modes, for one dt per lane. */
struct hl_group_table {
    double dt[HL_GROUP];
    bool full;
    unsigned long used;
    double *E, *phi;
};

/* Arrays are [mode][HL_GROUP]. */
struct hl_group {
    struct hl_group_common *common;
    size_t lane;                     /* of the block, of the first subject */
    double *z, *g, *lambda;
    double *u, *u_stride, *origin;   /* gains per step and per stride; amplitudes at the stride's beginning */
    double *before, *way;            /* amplitudes at a step's beginning; on the way through its events */
    bool infused;                    /* some g isn't 0 */
    struct hl_group_table step[HL_STEP_TABLES], hop[HL_HOP_TABLES];
    unsigned long clock;
    size_t next[HL_GROUP];           /* event, ... */
    double next_time[HL_GROUP];      /* ... and its time; infinite when there is none */
    double moved[HL_GROUP];          /* 1: had an event in this stride */
    bool good[HL_GROUP], odd[HL_GROUP]; /* has a solution; not carried by the vector loop */
    bool any_odd;
    double earliest;                 /* event of the group */
    double *rate;                    /* [lane][state] */
    double *last_dose;               /* [instance][HL_GROUP] */
    struct hl_shown shown;           /* row and offset are the group's own */
};

/* Where a group's rows go: quantity q at time k of the stride to y[q * quantity_stride + k * time_stride]; dose, unless
 * NULL, gets the time of the last dose of instance i the same way. */
struct hl_group_target { double *y, *dose; size_t quantity_stride, time_stride; };

/* Doubles that a group's arrays take (a multiple of 8), and handing them out from room (64-byte boundary). */
size_t hl_group_size(const struct hl_plan *plan);
void hl_group_lay_out(struct hl_group *group, const struct hl_plan *plan, double *room);

/* Everybody at their own start, then through their events to the first output time t. */
void hl_group_begin(struct hl_group *group, double t);

/* Through one stride of the grid: shows the times first .. first + steps - 1 and arrives at the next. A stride of no
 * steps shows its first time only. */
void hl_group_stride(struct hl_group *group, const struct hl_stride *stride, const double *time,
                     struct hl_group_target target);

/* The modes of lane l, component by component. */
struct hl_modes *hl_group_modes(const struct hl_group *group, size_t l);

#endif
