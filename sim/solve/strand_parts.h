/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of strands: strand_group.c begins, strand.c walks, strand_curve.c answers questions about a
 * stretch, strand_run.c about runs of them; strand_rows.c and strand_run_rows.c hold the loops over lanes. For these
 * files only. strand_hours.c, strand_hours_rows.c and strand_walks.c tell how long
 * runs lie above a level. */
#ifndef HL_SOLVE_STRAND_PARTS_H
#define HL_SOLVE_STRAND_PARTS_H

#include <stdint.h>
#include <string.h>

#include "solve/strand.h"
#include "solve/sweep.h"

#define HL_STRAND_HOPS 6   /* lengths of stretches whose exponentials are kept */
#define HL_STRAND_LOOKS 6  /* the same for offsets at which values are asked */
#define HL_STRAND_NODES 3  /* offsets that told turning points apart, kept from stretch to stretch */
#define HL_STRAND_SLOTS 4  /* turning points whose offsets are kept as guesses */
#define HL_STRAND_LEVELS 4 /* thresholds of an output whose crossings are remembered */
#define HL_STRAND_KEPT (4 + 2 * HL_STRAND_LEVELS + HL_STRAND_SLOTS) /* rows of offsets kept */
#define HL_STRAND_MODES 24   /* at most, of all components an output depends on */

/* Below, an array is of rows; "[mode]" runs over the modes of the strand, in each lane from the slowest to the
 * fastest. */

/* e^(lambda dt) and, if both, (e^(lambda dt) - 1) / lambda, for one dt by lane. */
struct hl_strand_table {
    double dt[HL_LANES] __attribute__((aligned(64)));
    bool full, both;
    unsigned long used;
    double *E, *phi;
};

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
    double *kept;                /* the rows of what is kept from stretch to stretch: offsets, below 0 for none */
    /* From stretch to stretch, each lane its own. dip: between a minimum and the maximum after it; ridge: shortly
     * before a maximum. peak, hollow: where the last of them was; rise, fall: where a threshold was crossed. */
    struct hl_strand_place dip, ridge, peak, hollow, rise[HL_STRAND_LEVELS], fall[HL_STRAND_LEVELS];
    /* For curves of other kinds: offsets that tell turning points apart, with their exponentials; turning points. */
    size_t n_nodes[HL_LANES];
    double *node, *node_E;       /* [HL_STRAND_NODES], [HL_STRAND_NODES][mode] */
    double *guess;               /* [HL_STRAND_SLOTS] */
};

/* The Taylor series of a curve around a place, of y minus a level, for any amplitudes: sum over k of x^k (K[k] + sum
 * over modes of C[mode][k] z). size, and the last row of K: what the first term left out is made of. */
#define HL_STRAND_TERMS 12
struct hl_strand_series { double *K, *C, *size; };

/* Of a run's stretches, how many are above a level at the beginning, at the end, and at the place crest (if it
 * stands after the minimum). Rows of 1 and 0: hills, y falls at the end of all; dips, in
 * some it may fall at first, too, and then has its minimum before the place curve->dip and its maximum after it. */
struct hl_strand_above {
    uint64_t left[HL_LANES] __attribute__((aligned(64))), right[HL_LANES], crest[HL_LANES];
    double hills[HL_LANES], dips[HL_LANES];
};

/* Walks (strand_walks.c) of lanes of the group, n of them; by walk, of any run and output of the strand. A walk looks
 * for the places where y passes a level in rest stretches of a lane's run that follow each other, upwards (side 1) or
 * downwards (-1), between the offsets low and high and once. below, from, to: less the level, what y is for no
 * amplitudes, and at low and high in the first stretch. whole: their length; rate: of the fastest mode. Of each mode: p
 * = e^(lambda whole), c: V z in the first stretch, d: what is added to it in the next. hours: where the sum of the
 * offsets is taken away from (side 1) or added to. tau, sum: under way. */
#define HL_STRAND_WALKS 128
struct hl_strand_walks {
    size_t n;
    double *rest, *side, *below, *low, *high, *from, *to, *whole, *rate, *tau, *sum, *hours[HL_STRAND_WALKS];
    struct hl_strand_share { double lambda, p, c, d; } *share; /* [walk][mode] */
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
    /* As the plan has them: number among all its modes, component, number in it. */
    struct hl_strand_mode { size_t number, component, j; } mode[HL_STRAND_MODES];
    bool told[HL_LANES];
    size_t *order;               /* [lane][mode]: which of these */
    bool ordered_alike;          /* all lanes are told, and have them in the same order */
    double *lambda, *g;         /* [mode] */
    const double *z;            /* [mode]: at the beginning of the stretch being told, in zs or z_mixed */
    double *zs;                 /* [stretch of the run][mode]: at their beginnings; of a shorter run its last again */
    size_t z_capacity;          /* stretches */
    double *z_mixed;            /* [mode]: where lanes are told different numbers of their runs */
    double *z_sum, *z_all;      /* [mode]: over the run; scratch of questions about hours */
    double *part_rows;          /* of a struct hl_strand_parts, for z_capacity stretches */
    double *from_rows;          /* from and to of such parts */
    struct hl_strand_series series; /* scratch */
    struct hl_strand_place crest; /* near the maximum of stretches whose hours are asked for */
    struct hl_strand_walks walks;
    const double *E_whole, *phi_whole; /* [mode]: exponentials of the stretch's length, ... */
    double *E_length, *phi_length; /* ... their room, when they aren't just those of a table */
    double *E, *phi, *x;         /* [mode]: scratch of questions */
    double *chain;               /* n_modes (n_modes + 1) / 2 rows of scratch */
    double *rate;                /* row: of the fastest mode [1/h], at least 1e-6 */
    double *W;                   /* [slot][mode] */
    double *infusion, *input;    /* [slot]: running infusions, constant inputs */
    double *t0, *t1, *length;    /* rows */
    double *whole;               /* row: length of the run's stretches, whichever is being told */
    size_t index[HL_LANES];      /* number in the run of the stretch being told */
    bool infused, infuses, rates_ahead; /* some g isn't 0; the same, or an infusion is to come; that */
    struct hl_strand_table hop[HL_STRAND_HOPS], look[HL_STRAND_LOOKS];
    unsigned long clock;
    /* Where everybody has the same events: of which list the breaks and runs below were made, for which lanes. */
    struct hl_strand_kept { const struct hl_event *event; size_t n; unsigned long edition; bool told[HL_LANES]; } kept;
    /* Where stretches end: the k-th of lane l at [k * HL_LANES + l]. slot -1: nothing happens. */
    size_t n[HL_LANES], capacity;
    double *time, *value;
    struct hl_strand_break { int slot; enum hl_event_kind kind; } *what;
    /* Runs of stretches alike: the r-th of lane l at [r * HL_LANES + l]; the r-th of all lanes are told together. */
    size_t n_runs[HL_LANES];
    struct hl_strand_run { size_t first, n; } *run;
    size_t first_alike[HL_LANES], n_alike[HL_LANES], most_alike; /* of the run being told; n 0: none */
    bool abreast;                /* these are the same for all lanes */
    double start[HL_LANES] __attribute__((aligned(64)));
};

/* Lengths of stretches and offsets are looked up in multiples of this [h]; what is left is made up for by a series. */
#define HL_STRAND_QUANTUM 1.4551915228366852e-11 /* 2^-36 */

/* Exponentials of lengths dt from tables, made where they aren't there: *E and *phi are in a table or, where dt differs
 * from what is in it, in E_room and phi_room. Without both, phi means nothing. */
void hl_strand_exponentials(struct hl_strand *s, struct hl_strand_table *table, size_t n, const double *dt, bool both,
                            double *E_room, double *phi_room, const double **E, const double **phi);

extern const struct hl_stretch_kind hl_strand_kind;

/* ---- strand_group.c */

/* All that lanes lane .. lane + HL_LANES - 1 of a block begin with; what tables and places held is forgotten.
 * HL_ERR_MEMORY. */
enum hl_status hl_strand_begin_group(struct hl_strand *s, const struct hl_subjects *subjects, const double *regs,
                                     size_t lane, double stop, const double *edge, size_t n_edges);

/* When stretch number k of lane l begins. */
static inline double hl_strand_break_before(const struct hl_strand *s, size_t l, size_t k)
{
    return k > 0 ? s->time[(k - 1) * HL_LANES + l] : s->start[l];
}

/* When number i of lane l's run begins; of those told. */
static inline double hl_strand_begin(const struct hl_strand *s, size_t l, size_t i)
{
    return hl_strand_break_before(s, l, s->first_alike[l] + i);
}

/* ---- Shared by strand_curve.c and strand_run.c */

/* Whether a row has anything but 0. */
static inline bool hl_strand_is_any(const double *mask)
{
    uint64_t bits, all = 0;
    for (size_t l = 0; l < HL_LANES; l++) {
        memcpy(&bits, &mask[l], sizeof bits);
        all |= bits;
    }
    return all << 1 != 0; /* -0 is none */
}

/* Where the crossings of a level are remembered: below HL_STRAND_LEVELS. */
size_t hl_strand_level_number(const double *level);

/* Moves a place to other offsets in lanes of mask (1, else 0). */
void hl_strand_move_place(struct hl_strand *s, struct hl_strand_place *place, const double *offset, const double *mask);

/* The root in each wanted lane: y' = 0, or y = level unless it is NULL; place is where the last one was. curve->a, G
 * and b are those of the stretch. */
struct hl_strand_search;
void hl_strand_find_root(struct hl_strand *s, struct hl_strand_curve *curve, const double *level,
                         struct hl_strand_search *search, struct hl_strand_place *place);

/* strand_run.c: what stretch.h says of runs. */
void hl_strand_run_turn_to(const struct hl_stretch *stretch, const size_t *index);
double hl_strand_run_begin(const struct hl_stretch *stretch, size_t l, size_t i);
void hl_strand_run_trend(const struct hl_stretch *stretch, size_t k, double *trend);
void hl_strand_run_area(const struct hl_stretch *stretch, size_t k, double *area);
void hl_strand_run_values(const struct hl_stretch *stretch, size_t k, const double *s, size_t first, size_t n,
                          double unit, double *y);
void hl_strand_run_parts(const struct hl_stretch *stretch, size_t k, const double *level, const double *wanted,
                         double *from, double *to, double *hard);

/* strand_hours.c: the same. */
bool hl_strand_run_hours(const struct hl_stretch *stretch, size_t k, const double *level, const double *wanted,
                         double *hours, double *later, double *hard);

/* strand_walks.c: goes all walks; none are left. */
void hl_strand_follow(struct hl_strand_walks *walks, size_t n_modes);

/* ---- Loops over lanes (strand_rows.c, strand_run_rows.c) */

/* g = W (constant inputs + running infusions); whether there is any. */
bool hl_strand_renew_inputs(struct hl_strand *s);

/* Amplitudes at the beginnings of stretches 1 .. n - 1 of a run, each of which W value is added to; adds them to z_sum.
 */
void hl_strand_carry(struct hl_strand *s, const double *W, const double *value, size_t n);

/* All lanes' stretches last from t0 to t1, rows. */
void hl_strand_stand(struct hl_strand *s, const double *t0, const double *t1);

/* Sign changes and the like: what trend says (stretch.h) of the run that begins with z0, z1. */
void hl_strand_trend(const double *V, const double *z0, const double *z1, size_t n, double *trend);

/* Where y lies above a level, in the run's stretches: rows, one for each. Parts as run_parts has them; the others as 1
 * and 0. rises, falls: from (to) is the only place between 0 and rise_to (fall_from and the end) where y passes the
 * level. top: it is below at both ends, but may be above between them. bottom: 1 when it is above at the beginning, and
 * 2 when it is at both ends, but may be below after the beginning. */
struct hl_strand_parts {
    double *from, *to, *hard, *rises, *falls, *rise_to, *fall_from, *top, *bottom;
    double *root, *y;            /* scratch: of the last solution */
    bool any_top, any_bottom;
};
#define HL_STRAND_PART_ROWS 8    /* of them for each stretch in the strand's own room */

/* Parts in the strand's own room but for the first three. */
struct hl_strand_parts hl_strand_part_rows(const struct hl_strand *s, double *from, double *to, double *hard);

/* Fills all but from and to where y passes the level, and these. */
void hl_strand_judge_levels(struct hl_strand *s, struct hl_strand_curve *curve, const double *level,
                            const double *wanted, struct hl_strand_parts *parts);
void hl_strand_pursue_crossings(struct hl_strand *s, struct hl_strand_curve *curve, const double *level,
                                struct hl_strand_parts *parts);

/* What can be told without solving anything, in wanted lanes; root and y are left alone. */
void hl_strand_levels(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                      const double *wanted, const double *n_alike, struct hl_strand_parts *parts);

/* See struct hl_strand_series. */
void hl_strand_expand(const struct hl_strand *s, const struct hl_strand_curve *curve,
                      const struct hl_strand_place *place, const double *level, struct hl_strand_series *series);

/* Solves y = level (turn: y' = 0) by the series in the run's stretches from number i on, in lanes of the rows wanted;
 * low, high: rows (NULL: 0, the end). The slope (y'') has the sign of side. root gets the offsets, y the values less
 * the level. Stops at the first row in which a lane's root isn't near enough, lack telling which and seen (when it
 * isn't below 0) where it seems to be, and returns its number; most_alike when there is none. skip: lanes whose root of
 * row i is known already. */
size_t hl_strand_solve(const struct hl_strand *s, const struct hl_strand_place *place,
                       const struct hl_strand_series *series, bool turn, double side, size_t i, const double *skip,
                       const double *wanted, const double *low, const double *high, double *root, double *y,
                       double *lack, double *seen);

/* What the turning points say: those of top, or of bottom, with y - level in parts->y. */
void hl_strand_judge_tops(const struct hl_strand *s, struct hl_strand_parts *parts);
void hl_strand_judge_bottoms(const struct hl_strand *s, struct hl_strand_parts *parts);

/* Fills above->hills and dips, and simple with 1 where a whole run is as these say, else 0: no stretch of it has more
 * than one maximum, nor a minimum but for that before it. */
void hl_strand_shape(const struct hl_strand *s, const struct hl_strand_curve *curve, double *simple,
                     struct hl_strand_above *above);

/* Fills above's counts. */
void hl_strand_count(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                     const double *n_alike, struct hl_strand_above *above);

/* For a stretch of amplitudes z: 1 where it doesn't come down to the level before the place curve->dip, as far as can
 * be told cheaply. */
void hl_strand_floor(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z,
                     const double *level, double *safe);

/* hours += to - from, n rows of each. */
void hl_strand_add_hours(const double *from, const double *to, size_t n, double *hours);

/* a, G, b and the values at the ends for amplitudes z; crest: y at the place curve->peak. */
void hl_strand_fill(const struct hl_strand *s, const double *z, struct hl_strand_curve *curve, double *crest);

/* y[i] unit = offset + sum of V E z[i], + V g phi unless g is NULL; m rows of n modes each. c: n rows of scratch. */
void hl_strand_run(const double *offset, const double *V, const double *E, const double *g, const double *phi,
                   const double *z, size_t n, size_t m, double unit, double *c, double *y);

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

/* How much the positive terms of above + sum of c E + d phi outweigh the others, as a logarithm, and its slope: has the
 * zeros and the signs of the sum, but is nearly straight. d and above may be NULL. E and phi are the strand's own. */
void hl_strand_balance(const struct hl_strand *s, const double *c, const double *d, const double *above, double *f,
                       double *slope);

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

/* Lanes of left in which the series points to an offset between low and high: mask, and the offset, else 0. Whether
 * there are any. */
bool hl_strand_points(const struct hl_strand_search *search, const struct hl_strand_near *near, const double *left,
                      double *mask, double *offset);

/* A curve that leaves 0 flat has there a slope of rounding, of either sign, which isn't the turning point in search: it
 * is looked for behind. */
void hl_strand_leave_flat(const struct hl_strand *s, const struct hl_strand_curve *curve,
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

/* One turn with f (of hl_strand_balance) and f' at s: moves s in active lanes; those that were in balance and whose
 * step was below close become inactive.
 * bisect: halve instead. Says whether any lane is still active. */
bool hl_strand_turn(struct hl_strand_root *root, const double *f, const double *slope, bool bisect);

/* ---- Shared by the loops over lanes, inside functions after CONSTANTS (base/eight.h) */

/* Added to an exponential that is too small for a double, so that its product still has a sign. */
#define HL_STRAND_HARDLY 1e-290

/* Adds a term to a partial sum and counts when its sign differs from that of the last sum that wasn't 0. last is 1,
 * -1, or 0 in the beginning. */
#define HL_STRAND_COUNT(sum, last, changes, term) do { \
        (sum) += (term); \
        eight sign_ = LESS(none, sum) - LESS(sum, none); \
        (changes) += LESS(sign_ * (last), none); \
        (last) += sign_ * sign_ * (sign_ - (last)); \
    } while (0)

/* A slope of less than this share of its terms may be one of rounding: curves leave 0 flat. */
#define HL_STRAND_FLAT 1e-12

/* Of the amplitudes: what two stretches of a run may differ by through rounding. */
#define HL_STRAND_NOISE 1e-15

#define HL_STRAND_EXACT 1e-10 /* what a root may be off [h] */

#endif
