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
    HL_MOVE_ADD,    /* into state: event number at of the subject's list, value where the list is everybody's */
    HL_MOVE_RATE,   /* the same for an infusion */
    HL_MOVE_RUN,    /* n times: a hop over length without drift, then value into state */
    HL_MOVE_CLOSE   /* replaces the stride's steps by one of length, whose exponentials are in slot */
};

/* Half a cache line: every group reads all of them. */
struct hl_move {
    double length;
    union { double drift, value; };
    uint32_t at, n;
    int32_t state;
    uint8_t kind, slot, done;
};

/* What a subject's event must be to fit; state -1: it moves nothing. */
struct hl_mark { double time; int32_t state, kind; };

struct hl_timetable {
    size_t n, capacity;
    struct hl_move *move;
    size_t *first, first_capacity; /* moves first[c] .. first[c + 1] - 1 are stride c; those before first[0] lead from
                                      the start to the first output time */
    double start;                  /* for subjects who start here ... */
    size_t n_marks, mark_capacity;
    struct hl_mark *mark;          /* ... and whose events are these; of a list that is everybody's there are none */
    bool rates;                    /* some of them change an infusion */
};

/* True when the event changes amounts or inputs of exact states. */
bool hl_event_moves(const struct hl_plan *plan, const struct hl_event *event);

/* Makes the way of a subject. stride holds n_strides strides of time; the last output time is shown after them, as
 * stride n_strides. shared: the list of events is everybody's, values and all. HL_ERR_MEMORY. */
enum hl_status hl_timetable_make(struct hl_timetable *table, const struct hl_plan *plan,
                                 const struct hl_events *events, bool shared, double start, const double *time,
                                 const struct hl_stride *stride, size_t n_strides);

/* True when a subject with these events of its own can follow the timetable: what moves it comes at the same times in
 * the same order, of the same kinds, into the same states. Values may differ. */
bool hl_timetable_fits(const struct hl_timetable *table, const struct hl_plan *plan, const struct hl_events *events,
                       double start);

void hl_timetable_clear(struct hl_timetable *table);

/* Nearest multiple of 2^-36 h: lengths of hops are looked up in these. */
double hl_whole_quanta(double length);

#endif
