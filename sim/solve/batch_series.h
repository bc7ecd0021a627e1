/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the batched integrator: the Taylor series of sixteen subjects at
 * once, every lane at its own time. Compiled for several instruction sets with
 * the same bits from each. Used by batch.c. */
#ifndef HL_SOLVE_BATCH_SERIES_H
#define HL_SOLVE_BATCH_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

#define HL_BATCH_LANES 16      /* two of the widest vectors, so that one computes while the other waits */
#define HL_BATCH_ROUNDS 8      /* of output times, one for each lane, at once */
#define HL_BATCH_MOST_ORDER 31 /* one less than a multiple of 4, as all orders are */

/* One term of a sum: coefficient * series. coef is a row of the file of constants, -1 for a coefficient of 1. */
struct hl_batch_term { int slot, coef; };

struct hl_batch_sum { size_t first, n; int constant; /* row of the file, -1 for 0 */ };

/* How a series (slot dst) comes from others. Operand -1 of a quotient's numerator is the constant 1. */
enum hl_batch_kind {
    HL_BATCH_SUM, HL_BATCH_PRODUCT, HL_BATCH_QUOTIENT, HL_BATCH_EXP, HL_BATCH_LOG, HL_BATCH_POWER, HL_BATCH_SELECT,
    HL_BATCH_PHI,                /* of a; b is e^(-a^2 / 2) */
    HL_BATCH_GIVEN               /* written by someone else before: coefficients 0 .. order */
};

struct hl_batch_op {
    enum hl_batch_kind kind;
    int dst, a, b;
    int coef;                    /* row: POWER: the exponent; SELECT: a where it isn't 0, else b */
    struct hl_batch_sum sum;     /* SUM */
};

/* A slot that moves: slot' = sum + inflow. */
struct hl_batch_rate { int slot; struct hl_batch_sum sum; int inflow; /* row of inflows, -1 for none */ };

struct hl_batch_code {
    size_t n_slots;
    size_t n_terms; const struct hl_batch_term *term;
    size_t n_ops;   const struct hl_batch_op *op;     /* after those whose slots they read */
    size_t n_rates; const struct hl_batch_rate *rate; /* the integrated states first, in their order */
    size_t n_states;                                  /* of them */
};

/* Where a schedule reads and writes; rows of HL_BATCH_LANES on 64-byte boundaries. */
struct hl_batch_place {
    size_t order;
    double *series;              /* coefficient k of a slot: row slot * (order + 1) + k */
    const double *file, *inflow;
    const double *slow;          /* row: mu of the clock that series are written in [1/h]; NULL: plain time */
    size_t n_read; const int *read; /* slots that others look at, besides states */
};

/* A code in the order in which it is computed, with addresses instead of numbers. */
struct hl_batch_schedule;

/* Made in arena; refers to code no longer. */
const struct hl_batch_schedule *hl_batch_schedule_make(const struct hl_batch_code *code,
                                                       const struct hl_batch_place *place, struct hl_arena *arena);

/* Coefficients 0 .. order of all slots, from coefficient 0 of those that move. (Those that don't end at order - 1.) */
void hl_batch_series(const struct hl_batch_schedule *schedule);

/* What a state's size is measured by: its value, at least small_share of its peak so far and noise. */
struct hl_batch_scale {
    double log2_tolerance, small_share;
    double most_bend;            /* mu h at most (batch_clock.h) */
    const double *noise;         /* by state */
    double *peak;                /* rows, by state */
};

/* Where lanes stand and how far they go; rows. A lane that isn't before its stop, t < until, stands still: one that
 * waits there, or, with t = until = infinity, one that is done. */
struct hl_batch_pace {
    double *t, *until, *h;
    double *bend, *slow_next;    /* mu h to try next, and mu for a step as long as the series held [1/h] */
    double least, least_share;   /* [h], and as a share of t: a lane is stalled that can only go less than these and
                                  * than the way to its stop */
};

/* h: how far the series may be followed: each of the last three terms, divided by the state's size and summed over
 * states, stays below the tolerance; at most to the stop; 0 for lanes that stand still. Peaks are raised to the states
 * at the origin. True when some lane is stalled, or its coefficients aren't numbers (h is then NaN). */
bool hl_batch_reach(const struct hl_batch_schedule *schedule, const struct hl_batch_scale *scale,
                    const struct hl_batch_pace *pace);

/* What is shown at output times, and where: lane l's value of slot[i] at time number k goes to
 * to[l][k * pitch + place[i]]. */
struct hl_batch_shown {
    size_t n; const int *slot; const size_t *place;
    size_t pitch, n_times;
    const double *time;          /* ascending, then HL_BATCH_ROUNDS times infinity */
    double *to[HL_BATCH_LANES] __attribute__((aligned(64)));
    size_t next[HL_BATCH_LANES] __attribute__((aligned(64))); /* the lane's next time, n_times for one that is done */
};

/* Shows every lane's times before t + h, t being the time of its series' origin, which must be before the last time
 * for all lanes that aren't done. What stands at a lane's next time is not yet its value. */
void hl_batch_show(const struct hl_batch_schedule *schedule, struct hl_batch_shown *shown,
                   const struct hl_batch_pace *pace);

/* Lanes go on by h: every state's origin becomes its value there, and raises the peak; t becomes t + h, or until. True
 * when a state of some lane isn't finite. */
bool hl_batch_arrive(const struct hl_batch_schedule *schedule, const struct hl_batch_scale *scale,
                     const struct hl_batch_pace *pace);

#endif
