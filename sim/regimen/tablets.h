/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which amounts can be made from the tablets (or patches) at hand, and from which pieces. Only for sim/regimen. */
#ifndef HL_REGIMEN_TABLETS_H
#define HL_REGIMEN_TABLETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* All sums of pieces up to a largest amount. A plain quantum is the case without pieces: every multiple can be made. */
struct hl_tablets {
    double unit;    /* every amount is a multiple of it */
    size_t n_units; /* amounts up to n_units * unit are tabulated; 0 for a plain quantum */
    int *last;      /* by multiple: a piece of the sum with fewest pieces, -1 when it can't be made */
    uint64_t unit_millionths, quantum_millionths; /* quantum: 0 for none */
    size_t n_pieces;
    double *piece;
    size_t *weight; /* ascending, and in units */
};

/* Any multiple of quantum. */
struct hl_tablets hl_tablets_quantum(double quantum);

/* Sums of n pieces (in any unit, resolved to a millionth) up to largest; with quantum > 0 only multiples of it. false
 * when the pieces are too fine for the amount to be tabulated. */
bool hl_tablets_make(struct hl_arena *arena, const double *piece, size_t n, double quantum, double largest,
                     struct hl_tablets *tablets);

/* Largest makeable amount not above x, smallest not below x (INFINITY when there is none). */
double hl_tablets_below(const struct hl_tablets *tablets, double x);
double hl_tablets_above(const struct hl_tablets *tablets, double x);

/* The nearest makeable amount; of two equally near ones the larger. */
double hl_tablets_nearest(const struct hl_tablets *tablets, double x);

/* How many of each piece make the amount x, with fewest pieces; false when it can't be made. */
bool hl_tablets_pieces(const struct hl_tablets *tablets, double x, size_t *count);

#endif
