/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The solution of eight lanes side by side, for those who measure: every lane on a
 * stretch of its own, between its own events. Whoever makes stretches (strand.c:
 * sums of exponentials) says how the curve on them is asked; whoever measures never
 * learns what the curve is made of. Times in h, values in the engine's units. */
#ifndef HL_SOLVE_STRETCH_H
#define HL_SOLVE_STRETCH_H

#include "solve/solve.h"

/* A row: HL_LANES doubles on a 64-byte boundary.
 * A curve has at most this many turning points inside a stretch. Who makes stretches cuts them shorter if need be. */
#define HL_MOST_TURNS 31

struct hl_stretch_kind;

/* Stretches of the same eight lanes come in time order, lane by lane; one ends where the lane's next begins. A stretch
 * is free of events of what is shown, and of window edges (struct hl_listener). A lane that has none has length 0; its
 * values are then whatever they are, but finite. All answers for a lane are functions of that lane alone. */
struct hl_stretch {
    size_t first;                        /* lane of the block that stands first in the rows */
    const double *t0, *length;           /* rows */
    const double *t1;                    /* row: the very number at which the lane's next stretch begins */
    const size_t *n_alike;               /* by lane: stretches of the run that begins here (below); NULL: no runs */
    size_t most_alike;                   /* the most of them, of any lane; 0 or 1: no runs */
    size_t n_outputs;                    /* shown in it; "k" below is one of them, 0 .. n_outputs - 1 */
    const int *output;                   /* which they are in the list of outputs given to hl_solver_run */
    const struct hl_stretch_kind *kind;
    void *inside;                        /* the kind's own */
};

/* Runs. Where the same dose comes again and again after the same time, a lane's stretches differ in nothing but what is
 * there at their beginning. They are told at once: the stretch is then the first of a run of n_alike[l] stretches,
 * which fill the time without gaps and are all of the length told (but for the rounding of their times). kind->turn_to
 * makes it the others, one after the other or in any order; t0, t1 and length follow. Whoever listens needn't leave it
 * at the first.
 *
 * How a stretch is asked. Offsets s are rows, 0 <= s <= length. wanted is a row of 1 (or 2, see pieces) and 0: what is
 * given for a lane with 0 isn't looked at (but must not trap). */
struct hl_stretch_kind {
    /* Values at both ends: right limit at t0, left limit at t1. */
    void (*ends)(const struct hl_stretch *stretch, size_t k, double *left, double *right);

    /* y at t0 + s. */
    void (*values)(const struct hl_stretch *stretch, size_t k, const double *s, double *y);

    /* Integral of y from t0 to t0 + s; of the whole stretch with s == stretch->length (the very row). */
    void (*area)(const struct hl_stretch *stretch, size_t k, const double *s, double *area);

    /* low <= y <= high on the whole stretch: cheap, never wrong, as tight as can be had cheaply. */
    void (*bounds)(const struct hl_stretch *stretch, size_t k, double *low, double *high);

    /* Cuts wanted lanes at their turning points: row p of at and of y is the p-th of the n + 1 ends of n monotone
     * pieces (row 0: offset 0; row n: length), which it returns; n at most HL_MOST_TURNS + 1. Lanes with fewer pieces
     * have their last ends again. Lanes that aren't wanted have one piece. wanted 1: minima may be left out, because
     * nobody asks for what lies below both ends of the piece around one; 2: all. Turning points are right to rounding
     * (where y is flat, its value is). */
    size_t (*pieces)(const struct hl_stretch *stretch, size_t k, const double *wanted, double *at, double *y);

    /* Where y passes the level, s, between from and to, in wanted lanes: y is monotone there, y_from and y_to, its
     * values at these ends, lie on different sides of the level (one may be equal to it). On entry s is a guess,
     * anything where there is none (NaN too): where the same was found in an earlier stretch of the same lane. */
    void (*crossing)(const struct hl_stretch *stretch, size_t k, const double *level, const double *from,
                     const double *to, const double *y_from, const double *y_to, const double *wanted, double *s);

    /* ---- Of runs; NULL in kinds that have none. */

    /* The stretch becomes number index[l] of lane l's run. A lane whose run is shorter has length 0 then. */
    void (*turn_to)(const struct hl_stretch *stretch, const size_t *index);

    /* When number i of lane l's run begins; i up to n_alike[l], which is when the run ends. */
    double (*begin)(const struct hl_stretch *stretch, size_t l, size_t i);

    /* 1: at any offset y never falls from one stretch of the run to the next; -1: it never rises; 0: neither is known.
     * Differences like those of rounding don't count. */
    void (*trend)(const struct hl_stretch *stretch, size_t k, double *trend);

    /* Integral of y over the whole run. */
    void (*run_area)(const struct hl_stretch *stretch, size_t k, double *area);

    /* Which part of each stretch of the run lies above the level, in wanted lanes: in stretch i from offset from[i] to
     * offset to[i], 0 and length being the very numbers where it begins or ends with the stretch; nowhere where from[i]
     * is to[i]. Where that can't be told so simply, hard[i] is 1, else 0. Rows, most_alike of them. */
    void (*run_parts)(const struct hl_stretch *stretch, size_t k, const double *level, const double *wanted,
                      double *from, double *to, double *hard);

    /* Adds to hours and to later, in all, the time that the run spends above the level, in wanted lanes, but for
     * stretches where that can't be told so simply: hard[i] is 1 there, else 0. False when there are none: hard is then
     * left alone. later may be added to any time until all stretches of the eight have been told, because questions of
     * many runs are answered together; so nothing else should be added to it. */
    bool (*run_hours)(const struct hl_stretch *stretch, size_t k, const double *level, const double *wanted,
                      double *hours, double *later, double *hard);

    /* y in units of `unit` at the same offset in n stretches of the run, from number `first` on, first + n <=
     * most_alike: rows. Lanes whose run has ended have their last stretch's again. */
    void (*run_values)(const struct hl_stretch *stretch, size_t k, const double *s, size_t first, size_t n,
                       double unit, double *y);
};

#endif
