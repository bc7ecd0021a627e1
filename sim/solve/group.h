/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight subjects on their way through the output times, exact states as amplitudes
 * of modes, side by side. Used by sweep.c only; times in hours. */
#ifndef HL_SOLVE_GROUP_H
#define HL_SOLVE_GROUP_H

#include "solve/glide.h"
#include "solve/sweep.h"
#include "solve/timetable.h"

#define HL_STEP_TABLES 4 /* of HL_TABLES, for steps of the grid where subjects go their own ways; others: hops */

/* What all groups of a sweep share. */
struct hl_group_common {
    const struct hl_plan *plan;
    struct hl_modes_work *work;
    double *column, *column_g;           /* one lane's modes, its inputs */
    double *scratch;                     /* [state of the largest component][HL_GROUP] */
    const struct hl_subjects *subjects;
    const double *regs;                  /* of the block */
    const struct hl_timetable *timetable; /* NULL: everybody goes their own way */
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
    const struct hl_modes_rows *rows;
    double *z, *g;
    double *u, *u_stride, *origin;   /* gains per step and per stride; amplitudes at the stride's beginning */
    double *before, *way;            /* amplitudes at a step's beginning; on the way through its events */
    bool infused;                    /* some g isn't 0 */
    bool together;                   /* it follows the timetable */
    struct hl_group_table table[HL_TABLES];
    const struct hl_group_table *step; /* of the present stride; NULL before the first output time */
    unsigned long clock;
    size_t next[HL_GROUP];           /* event that moves something, ... */
    double next_time[HL_GROUP];      /* ... and its time; infinite when there is none */
    double moved[HL_GROUP];          /* 1: had an event in this stride */
    bool good[HL_GROUP];             /* has a solution */
    bool any_odd;                    /* some lane isn't carried by the vector loop */
    double earliest;                 /* event of the group */
    double *rate;                    /* [state][HL_GROUP] */
    size_t given[HL_GROUP];          /* event from which on doses haven't been noticed */
    double *last_dose;               /* [instance][HL_GROUP] */
    struct hl_shown shown;           /* row and offset are the group's own */
};

/* Doubles that a group's arrays take (a multiple of 8), and handing them out from room (64-byte boundary). */
size_t hl_group_size(const struct hl_plan *plan);
void hl_group_lay_out(struct hl_group *group, const struct hl_plan *plan, double *room);

/* Everybody at their own start, then through their events to the first output time t. group->shown has all but call's
 * contents. */
void hl_group_begin(struct hl_group *group, double t);

/* Through stride number c of the grid: shows the times first .. first + steps - 1 and arrives at the next. A stride of
 * no steps shows its first time only; it is the last one. Time number k goes to the rows of group->shown that are (k -
 * first_time) * time_stride further on; dose, unless NULL, gets the time of the last dose of instance i the same way,
 * at [i * quantity_stride]. */
void hl_group_stride(struct hl_group *group, size_t c, const struct hl_stride *stride, const double *time,
                     size_t first_time, double *dose);

/* ---- Shared by group.c and group_own.c */

/* The modes of lane l, component by component. */
struct hl_modes *hl_group_modes(const struct hl_group *group, size_t l);

/* Carries lane l, which the vector loop can't carry, from amplitudes in from over dt, into to. */
void hl_group_carry_odd(const struct hl_group *group, size_t l, const double *from, double *to, double dt);

/* Forgets decayed modes. */
void hl_group_forget(struct hl_group *group);

/* Inputs of component c in lanes from .. to - 1 after their infusions have changed; gains per step follow. */
void hl_group_renew_input(struct hl_group *group, size_t c, size_t from, size_t to);

/* Times of the last doses into dose + at (unless dose is NULL), beside what is shown at the n times number k and on. */
void hl_group_show_doses(struct hl_group *group, double *dose, const double *time, size_t k, size_t n, size_t at);

/* group_own.c: the same as hl_group_begin from where all lanes have been set to their starts, and hl_group_stride, each
 * lane its own way. */
void hl_group_own_begin(struct hl_group *group, double t);
void hl_group_own_stride(struct hl_group *group, const struct hl_stride *stride, const double *time, size_t first_time,
                         double *dose);

#endif
