/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of many groups of subjects whose events come at the same times: what to do, move by move, from the start
 * through all output times. Made once from one subject's events and the output times, then followed by every group
 * whose subjects' events fit (group.c). Times in hours. Used by sweep.c and group.c. */
#ifndef HL_SOLVE_TIMETABLE_H
#define HL_SOLVE_TIMETABLE_H

#include "solve/plan.h"

/* A run of evenly spaced output times: time[first] .. time[first + steps], dt apart. */
struct hl_stride { size_t first, steps; double dt; };

#define HL_TABLES 12 /* sets of exponentials that a group keeps */

enum hl_move_kind {
    HL_MOVE_TABLE,  /* makes the exponentials for length in slot */
    HL_MOVE_OPEN,   /* a stride begins, its step's exponentials being in slot; n is 1 when it will be closed */
    HL_MOVE_FORGET, /* modes that have decayed, before a time that is only shown */
    HL_MOVE_GLIDE,  /* shows the times number at .. at + n - 1, after each making a step of length; done were made */
    HL_MOVE_SHOW,   /* shows time number at */
    HL_MOVE_HOP,    /* carries everything over length, which is what slot is for plus drift */
    HL_MOVE_APPLY,  /* event number at of the list */
    HL_MOVE_CLOSE   /* replaces the stride's steps by one of length, whose exponentials are in slot */
};

struct hl_move {
    enum hl_move_kind kind;
    size_t slot, at, n, done;
    double length, drift;
};

struct hl_timetable {
    size_t n, capacity;
    struct hl_move *move;
    size_t *first, first_capacity; /* moves first[c] .. first[c + 1] - 1 are stride c; those before first[0] lead from
                                      the start to the first output time */
    double start;                  /* for subjects who start here ... */
    size_t n_events, event_capacity;
    struct hl_event *event;        /* ... and have these events */
    bool rates;                    /* some of them change an infusion */
};

/* True when the event changes amounts or inputs of exact states. */
bool hl_event_moves(const struct hl_plan *plan, const struct hl_event *event);

/* Makes the way of a subject. stride holds n_strides strides of time; the last output time is shown after them, as
 * stride n_strides. HL_ERR_MEMORY. */
enum hl_status hl_timetable_make(struct hl_timetable *table, const struct hl_plan *plan,
                                 const struct hl_events *events, double start, const double *time,
                                 const struct hl_stride *stride, size_t n_strides);

/* True when a subject with these events can follow the timetable: what moves it comes at the same times in the same
 * order, of the same kinds, into the same states. Values may differ. */
bool hl_timetable_fits(const struct hl_timetable *table, const struct hl_plan *plan, const struct hl_events *events,
                       double start);

void hl_timetable_clear(struct hl_timetable *table);

/* Nearest multiple of 2^-36 h: lengths of hops are looked up in these. */
double hl_whole_quanta(double length);

#endif
