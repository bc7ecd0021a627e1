/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which amounts the products at hand can make, from how many pieces, and how a period's total is shared among its
 * doses. All amounts are whole numbers of the drug's unit. Called by the reading of designs, by taper/rungs.c and by
 * what a person takes home. */
#ifndef HL_TAPER_PRODUCTS_H
#define HL_TAPER_PRODUCTS_H

#include <stdbool.h>
#include <stdint.h>

#include "taper/problem.h"

#define HL_TAPER_UNITS 10000 /* the largest amount that is tabulated; 0.01 mg over 20 mg is 2000 */

/* What one dose may hold: amounts 0 .. most. */
struct hl_doses {
    long most;
    unsigned *pieces;      /* by amount: fewest pieces, UINT_MAX when it can't be made (or takes too many) */
    uint64_t *cost;        /* by amount: pieces and broken ones, as compared */
    int *last;             /* by amount: which kind of solid piece ends the cheapest sum, -1 none */
    long **measured;       /* by product, then amount: marks taken of a measured one; NULL for others */
    size_t n_kinds;        /* kinds of solid pieces */
    struct hl_solid { size_t product; long units, smallest; bool broken; } *kind;
};

/* How totals are shared among the doses of a period: totals 0 .. most. */
struct hl_splits {
    long most;
    size_t n_doses;
    const size_t *spare;
    int64_t *unevenness;   /* by dose in spare order, then total: sum of squares, -1 when it can't be shared */
    long *share;           /* by dose in spare order, then total: what that dose takes of what is left */
};

/* Sorts the products by falling strength and finds unit (of the kind the strengths are in) and every piece_units.
 * Strengths are taken in whole 1e-9; false when one isn't such a number above zero, when pieces are below 1, or when
 * there is no product. */
bool hl_products_unit(struct hl_taper_drug *drug);

/* A daily (or period's) total in units: the whole number nearest to total / unit; false when it is none within 1e-6 of
 * a unit, negative, or above HL_TAPER_UNITS. */
bool hl_products_units(const struct hl_taper_drug *drug, double total, long *units);

/* Tabulates what one dose of this drug may hold up to most [units]: any sum of pieces, of each measured product any
 * number of marks (one act, counted as one piece), at most drug->most_pieces in all. Fewest pieces come first, then
 * fewest broken ones, then larger pieces. HL_ERR_DOMAIN when most is above HL_TAPER_UNITS. */
enum hl_status hl_doses_make(struct hl_arena *arena, const struct hl_taper_drug *drug, long most,
                             struct hl_doses *doses);

/* Whether a dose may hold this amount. */
bool hl_doses_can(const struct hl_doses *doses, long amount);

/* From what a dose is made: by product the number of its smallest pieces (of a measured one: drops, marks), so that
 * count / pieces are whole ones. false when it can't be made; count is then all zeros. */
bool hl_doses_count(const struct hl_doses *doses, const struct hl_taper_drug *drug, long amount, long *count);

/* Tabulates how totals up to doses->most are shared. Every dose can be made; of all ways the one nearest to equal
 * doses (least sum of squares); of equally near ones the larger part goes where drug->spare says, first, second, ... */
enum hl_status hl_splits_make(struct hl_arena *arena, const struct hl_taper_drug *drug, const struct hl_doses *doses,
                              struct hl_splits *splits);

/* The doses of a total, in the order of the clock; false when no such doses can be made. */
bool hl_splits_share(const struct hl_splits *splits, long total, long *units);

#endif
