/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of strands: strand.c walks, strand_curve.c answers questions about a
 * stretch, strand_rows.c holds the loops over lanes. For these three files only. */
#ifndef HL_SOLVE_STRAND_PARTS_H
#define HL_SOLVE_STRAND_PARTS_H

#include "solve/strand.h"
#include "solve/sweep.h"

#define HL_STRAND_HOPS 6   /* lengths of stretches whose exponentials are kept */
#define HL_STRAND_LOOKS 6  /* the same for offsets at which values are asked */
#define HL_STRAND_NODES 3  /* offsets that told turning points apart, kept from stretch to stretch */
#define HL_STRAND_SLOTS 4  /* turning points whose offsets are kept as guesses */
#define HL_STRAND_LEVELS 4 /* thresholds of an output whose crossings are remembered */
#define HL_STRAND_MODES 24   /* at most, of all components an output depends on */

/* Below, an array is of rows; "[mode]" runs over the modes of the strand, in each lane from the slowest to the
 * fastest. */

/* e^(lambda dt) and (e^(lambda dt) - 1) / lambda, for one dt by lane. */
struct hl_strand_table { double dt[HL_LANES]; bool full; unsigned long used; double *E, *phi; };

/* An offset, below 0 for none, with its exponentials. */
struct hl_strand_place { double *at, *E, *phi; };

/* How often y turns inside a stretch, as values of a row. */
#define HL_TURNS_NOT 0.0
#define HL_TURNS_ONCE 1.0
#define HL_TURNS_DIP 2.0     /* a minimum near the beginning, then a maximum: what is fed through another compartment */
#define HL_TURNS_UNKNOWN 3.0 /* can't be told so simply */

/* One output: y(s) = offset + sum of a e^(lambda s) + G phi(s), y'(s) = sum of b e^(lambda s). */
struct hl_strand_curve {
    double *V, *offset;          /* [mode] of its amplitudes in the output; one row */
    bool open;                   /* what follows belongs to the stretch being told */
    double *a, *G, *b;           /* [mode] */
    double *left, *right, *low, *high; /* rows: values at the ends, bounds */
    double *slope, *slope_right; /* rows: y' at the ends; where it is 0, the sign of what comes next to the end */
    double *bend;                /* row: y'' at the left end */
    double *turns;               /* row of HL_TURNS_ */
    /* From stretch to stretch, each lane its own. dip: between a minimum and the maximum after it; ridge: shortly
     * before a maximum. peak, hollow: where the last of them was; rise, fall: where a threshold was crossed. */
    struct hl_strand_place dip, ridge, peak, hollow, rise[HL_STRAND_LEVELS], fall[HL_STRAND_LEVELS];
    /* For curves of other kinds: offsets that tell turning points apart, with their exponentials; turning points. */
    size_t n_nodes[HL_LANES];
    double *node, *node_E;       /* [HL_STRAND_NODES], [HL_STRAND_NODES][mode] */
    double *guess;               /* [HL_STRAND_SLOTS] */
};

/* Outputs that depend on the same components. */
struct hl_strand {
    const struct hl_plan *plan;
    size_t n_modes, n_slots, n_outputs;
    bool *has;                   /* by component of the plan */
    int *slot;                   /* by state of the system: its place among the strand's states, -1 */
    int *output, *system_output; /* by output: number in the study's list, in the system */
    struct hl_strand_curve *curve; /* by output */
    double *room;                /* what all rows point into */
    size_t *order;               /* [mode][lane]: mode of the plan */
    double *lambda, *z, *g;     /* [mode] */
    const double *E_whole, *phi_whole; /* [mode]: exponentials of the stretch's length, ... */
    double *E_length, *phi_length; /* ... their room, when they aren't just those of a table */
    double *E, *phi, *x;         /* [mode]: scratch of questions */
    double *chain;               /* n_modes (n_modes + 1) / 2 rows of scratch */
    double *rate;                /* row: of the fastest mode [1/h], at least 1e-6 */
    double *W;                   /* [slot][mode] */
    double *infusion, *input;    /* [slot]: running infusions, constant inputs */
    double *t0, *t1, *length;    /* rows */
    bool infused, infuses;       /* some g isn't 0; the same, or an infusion is to come */
    struct hl_strand_table hop[HL_STRAND_HOPS], look[HL_STRAND_LOOKS];
    unsigned long clock;
    /* Where stretches end: the k-th of lane l at [k * HL_LANES + l]. slot -1: nothing happens. */
    size_t n[HL_LANES], capacity;
    double *time, *value;
    struct hl_strand_break { int slot; enum hl_event_kind kind; } *what;
};

/* Lengths of stretches and offsets are looked up in multiples of this [h]; what is left is made up for by a series. */
#define HL_STRAND_QUANTUM 1.4551915228366852e-11 /* 2^-36 */

/* Exponentials of lengths dt from tables, made where they aren't there: *E and *phi are in a table or, where dt differs
 * from what is in it, in E_room and phi_room. */
void hl_strand_exponentials(struct hl_strand *s, struct hl_strand_table *table, size_t n, const double *dt,
                            double *E_room, double *phi_room, const double **E, const double **phi);

extern const struct hl_stretch_kind hl_strand_kind;

/* ---- Loops over lanes (strand_rows.c) */

/* z_end = z E, + g phi unless g is NULL; z_end may be z. */
void hl_strand_hop(const double *z, const double *g, const double *E, const double *phi, size_t n, double *z_end);

/* Exponentials for dt + drift, |lambda drift| small, of those for dt. */
void hl_strand_drift(const double *E, const double *phi, const double *lambda, const double *drift, size_t n,
                     double *E_to, double *phi_to);

/* z += W value. */
void hl_strand_add(double *z, const double *W, const double *value, size_t n);

/* Rows of `from` in lanes of mask (1, else 0), n of them. */
void hl_strand_take(const double *from, const double *mask, size_t n, double *to);

/* Everything about an output on the stretch that needs no new exponential. Whether in some lane it can't be told how
 * often it turns, though it falls at both ends, so that a place for curve->dip may help. */
bool hl_strand_open(const struct hl_strand *s, struct hl_strand_curve *curve);

/* sum of c E, + d phi unless d is NULL, + offset unless NULL. */
void hl_strand_sum(const double *offset, const double *c, const double *E, const double *d, const double *phi, size_t n,
                   double *sum);

/* (phi(s) - s) / lambda: integral of phi. */
void hl_strand_psi(const double *lambda, const double *s, const double *phi, size_t n, double *psi);

/* The chain of Budan and Fourier (strand_curve.c): coefficients of f_0 .. f_{n-1}, n (n + 1) / 2 rows. */
void hl_strand_chain(const double *b, const double *lambda, size_t n, double *chain);

/* At an offset with exponentials E (NULL: offset 0): how often the chain's values change sign, and f_0. */
void hl_strand_signs(const double *chain, const double *E, size_t n, double *signs, double *first);

/* Sums of the lesser and of the greater of b E and b F: what sum b e^(lambda s) can't leave in between. */
void hl_strand_range(const double *b, const double *E, const double *F, size_t n, double *low, double *high);

/* sum of b E and of lambda b E: y' and y''. */
void hl_strand_slopes(const double *b, const double *lambda, const double *E, size_t n, double *slope, double *bend);

/* x = lambda s. */
void hl_strand_times(const double *lambda, const double *s, size_t n, double *x);

/* Solves y = level (turn: y' = 0) by the Taylor series of the curve around a place it was solved at before: s, and y
 * there. good[l]: it is there to rounding, low <= s <= high, and the slope (y'') has the sign of side[l]. far[l]: the
 * series is being stretched, a new place would be better. */
struct hl_strand_near { double s[HL_LANES], y[HL_LANES], good[HL_LANES], far[HL_LANES] __attribute__((aligned(64))); };
void hl_strand_near(const struct hl_strand *s, const struct hl_strand_curve *curve, const struct hl_strand_place *place,
                    bool turn, const double *level, const double *low, const double *high, const double *side,
                    struct hl_strand_near *near);

/* A root in wanted lanes, the only one between low and high, where the slope has the sign of side; s and y: found. Of a
 * crossing: y at low and high. */
struct hl_strand_search {
    double wanted[HL_LANES], low[HL_LANES], high[HL_LANES], side[HL_LANES] __attribute__((aligned(64)));
    double s[HL_LANES], y[HL_LANES] __attribute__((aligned(64)));
    const double *y_low, *y_high;
};

/* Searches for the maxima, or for the minima, of the lanes in wanted (see stretch.h); false when there are none. */
bool hl_strand_seek(const struct hl_strand_curve *curve, const double *length, const double *wanted, bool maxima,
                    struct hl_strand_search *search);

/* Takes what is good; left: lanes that still lack their root, far: lanes that want a new place (or lack their root).
 * False when there are neither. */
bool hl_strand_sort(struct hl_strand_search *search, const struct hl_strand_near *near, double *left, double *far);

/* dt as multiples of HL_STRAND_QUANTUM (from 2^15 h on as it is) and what is left of it; false when nothing is. */
bool hl_strand_split(const double *dt, double *whole, double *drift);

/* A safeguarded Newton iteration over lanes for f = 0 between low and high, f having the sign of side at low. */
struct hl_strand_root {
    double low[HL_LANES], high[HL_LANES], side[HL_LANES], s[HL_LANES] __attribute__((aligned(64)));
    double step[HL_LANES], close[HL_LANES], active[HL_LANES] __attribute__((aligned(64)));
};

/* One turn with f and f' at s: moves s in active lanes; those whose Newton step was below close become inactive.
 * bisect: halve instead. Says whether any lane is still active. */
bool hl_strand_turn(struct hl_strand_root *root, const double *f, const double *slope, bool bisect);

#endif
