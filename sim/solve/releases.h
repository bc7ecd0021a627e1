/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doses that enter by a stated course, each by its own clock (routes with
 * released:). A lane has a list of those under way; what they have brought since
 * the base is added to the integrated states wherever these are looked at. Used
 * inside this room only; times in hours, amounts in mg. */
#ifndef HL_SOLVE_RELEASES_H
#define HL_SOLVE_RELEASES_H

#include "solve/plan.h"

struct hl_lane;

/* One dose under way. R is the fraction of it that has entered. */
struct hl_released_dose {
    const struct hl_release *release;
    int place;                   /* of the state it enters among the integrated ones */
    double amount;               /* [mg], with F and fraction */
    double since;                /* when it arrived; in a start, counted from the start's time */
    double end;                  /* R in the end */
    double base;                 /* R when the integrated states were last brought up to date */
    double now;                  /* R at the beginning of the present step */
    bool in_tail;                /* its course is part of the tail */
    double input[HL_RELEASE_INPUTS]; /* what its release reads */
};

struct hl_release_list { size_t n, capacity; struct hl_released_dose *dose; };

/* Several doses together as one polynomial in time per state, while that is as good (release_tail.c). */
struct hl_release_tail {
    bool active;
    double from, to;             /* where it holds */
    double retry;                /* when inactive: not before this time */
    size_t n_direct;             /* doses outside it */
    double *course, *slope;      /* n_integrated x HL_TAIL_TERMS: Chebyshev coefficients of what has entered since
                                    `from`, and of its rate */
    double *base;                /* n_integrated: its value at the base */
    double *cosine;              /* of multiples of pi / (HL_TAIL_TERMS - 1) */
};

#define HL_TAIL_TERMS 21

/* Room for n doses in all; HL_ERR_MEMORY. */
enum hl_status hl_release_list_reserve(struct hl_release_list *list, size_t n);
enum hl_status hl_release_list_append(struct hl_release_list *list, const struct hl_release_list *more);
void hl_release_list_clear(struct hl_release_list *list);

/* How many of n events begin a release. */
size_t hl_releases_count(const struct hl_event *event, size_t n);

/* Adds to list (as of a start's) the doses of a cycle repeated for ever that are still under way when the cycle has
 * got to phase. Inputs come from lane number of regs. *endless: they never come to an end (the list is then of no
 * use). HL_ERR_MEMORY. */
enum hl_status hl_releases_before(const struct hl_lane *lane, const struct hl_events *cycle, double phase,
                                  double period, const double *regs, size_t lanes, size_t number,
                                  struct hl_release_list *list, bool *endless);

/* The lane's list becomes that of a start at the lane's time, for which it has room. */
void hl_releases_restart(struct hl_lane *lane, const struct hl_release_list *list);

/* The other way round: adds the lane's to list (as of a start at the lane's time). HL_ERR_MEMORY. */
enum hl_status hl_releases_save(const struct hl_lane *lane, struct hl_release_list *list);

/* Begins the release of an event at the time the lane has reached. input: what the release reads; NULL: the lane's own
 * registers. */
void hl_releases_begin(struct hl_lane *lane, const struct hl_event *event, const double *input);

/* Adds what has entered between the base and t to the state registers, and its rate to their derivatives. */
void hl_releases_add(struct hl_lane *lane, double t, bool slope);

/* The same to y (n_integrated). */
void hl_releases_bring(struct hl_lane *lane, double t, double *y);

/* How far the lane may go before hl_releases_settle must be called; stop at most. May make a tail: y must be up to
 * date. Sets lane->release_noise. */
double hl_releases_until(struct hl_lane *lane, double stop);

/* The longest step from the lane's time, at most h, in which no dose enters by more than a share. */
double hl_releases_step(struct hl_lane *lane, double h);

/* Where the releases have got to at the lane's time: now, and lane->released. False when one isn't a fraction that
 * rises. */
bool hl_releases_look(struct hl_lane *lane);

/* After a look: brings the lane's y up to date, makes this the base and drops doses. */
void hl_releases_settle(struct hl_lane *lane);

/* Drops the doses that have entered; what rounding has left of them enters now. */
void hl_releases_drop(struct hl_lane *lane);

/* Stops all releases into a state; the lane's y must be up to date. How many were stopped. */
size_t hl_releases_stop(struct hl_lane *lane, int state);

/* R of dose k of a list at tad. regs: the lane's register file for releases. */
double hl_release_fraction(double *regs, const struct hl_release_list *list, size_t k, double tad);

/* release_tail.c. make: gathers what doses it can from the lane's time on. dissolve: they go their own ways again, with
 * y (up to date) as exact as it would be without. add: like hl_releases_add and _bring for the tail alone; y or
 * NULL. */
enum hl_status hl_release_tail_init(struct hl_lane *lane);
void hl_release_tail_free(struct hl_lane *lane);
void hl_release_tail_make(struct hl_lane *lane);
void hl_release_tail_dissolve(struct hl_lane *lane);
void hl_release_tail_add(struct hl_lane *lane, double t, double *y, bool slope);
void hl_release_tail_settle(struct hl_lane *lane);

#endif
