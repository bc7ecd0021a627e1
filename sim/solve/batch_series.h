/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the batched integrator: the Taylor series of eight subjects at
 * once, every lane at its own time. Compiled for several instruction sets with
 * the same bits from each (base/vector.h). Used by batch.c. */
#ifndef HL_SOLVE_BATCH_SERIES_H
#define HL_SOLVE_BATCH_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#define HL_BATCH_LANES 8
#define HL_BATCH_MOST_ORDER 31 /* one less than a multiple of 4, as all orders are */

/* One term of a sum: coefficient * series. coef is a row of the file of constants, -1 for a coefficient of 1. */
struct hl_batch_term { int slot, coef; };

struct hl_batch_sum { size_t first, n; int constant; /* row of the file, -1 for 0 */ };

/* How a series (slot dst) comes from others. Operand -1 of a quotient's numerator is the constant 1. */
enum hl_batch_kind { HL_BATCH_SUM, HL_BATCH_PRODUCT, HL_BATCH_QUOTIENT, HL_BATCH_EXP, HL_BATCH_LOG, HL_BATCH_POWER };

struct hl_batch_op {
    enum hl_batch_kind kind;
    int dst, a, b;
    int coef;                    /* POWER: row of the exponent */
    struct hl_batch_sum sum;     /* SUM */
};

/* A slot that moves: slot' = sum + inflow. */
struct hl_batch_rate { int slot; struct hl_batch_sum sum; int inflow; /* row of inflows, -1 for none */ };

struct hl_batch_code {
    size_t n_slots;
    size_t n_terms; const struct hl_batch_term *term;
    size_t n_ops;   const struct hl_batch_op *op;
    size_t n_rates; const struct hl_batch_rate *rate; /* the integrated states first, in their order */
    size_t n_states;                                  /* of them */
};

/* Coefficients 0 .. order of all slots, from coefficient 0 of those that move: series[(slot * (order + 1) + k) * 8 +
 * lane]. file and inflow are rows of eight. */
void hl_batch_series(const struct hl_batch_code *code, const double *file, const double *inflow, double *series,
                     size_t order);

/* How far the series may be followed [h]: the last three terms of every state stay below tolerance * scale[state][8].
 * NaN where a coefficient isn't a number; beyond 1e15 when nothing moves. */
void hl_batch_reach(const struct hl_batch_code *code, const double *series, const double *scale, double tolerance,
                    size_t order, double *h);

/* The states at s after the series' origin, each lane at its own: y[state][8]. */
void hl_batch_states(const struct hl_batch_code *code, const double *series, size_t order, const double *s, double *y);

#endif
