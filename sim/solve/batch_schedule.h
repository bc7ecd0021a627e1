/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A code for series in the order of computation: what depends on itself apart from
 * what doesn't. Made by batch_schedule.c, followed by batch_series.c. */
#ifndef HL_SOLVE_BATCH_SCHEDULE_H
#define HL_SOLVE_BATCH_SCHEDULE_H

#include "solve/batch_series.h"

enum hl_batch_doing {                /* besides every hl_batch_kind */
    HL_BATCH_DO_RATE = HL_BATCH_GIVEN + 1,
    HL_BATCH_DO_LOOP,               /* members depend on each other: order by order, one after the other */
    HL_BATCH_DO_SATURABLE           /* the same with one quotient by constant + coef * a state, else linear */
};

#define HL_BATCH_MOST_COUPLED 3

struct hl_batch_address { const double *coef, *x; }; /* a term: row of the coefficient, coefficient 0 of the series */

struct hl_batch_part {
    int doing;                      /* an hl_batch_kind, or one of the above */
    size_t order;                   /* coefficients of a sum: one more where all terms move */
    double *to;                     /* coefficient 0 of the slot */
    double *spare, *twin;           /* free rows; of rates none */
    const double *a, *b;            /* operands; a NULL: the constant 1 */
    const double *coef;             /* row: of a power the exponent, of a choice what chooses, of a quotient by
                                     * constant + coef * b the coefficient, else NULL */
    /* sums and rates; constant also of such a quotient */
    const double *constant, *inflow; /* rows, or NULL */
    const double *slow;             /* row, of a rate: of the clock */
    const double *self;             /* of a rate: row of the coefficient of its own slot, or NULL */
    size_t n; const struct hl_batch_address *term;
    size_t n_members; const struct hl_batch_part *member;
    /* SATURABLE: member 0 is the quotient q, whose b is state 0, the others are states y_i whose remaining terms are:
     * y_i' = ... + gain[i] q + sum coupled[i][j] y_j; rows */
    const double *gain[HL_BATCH_MOST_COUPLED], *coupled[HL_BATCH_MOST_COUPLED][HL_BATCH_MOST_COUPLED];
};

struct hl_batch_schedule {
    size_t order, n_states;
    double *series;
    const double *slow;             /* row */
    size_t n; const struct hl_batch_part *part;
    const int *state_slot;          /* [n_states] */
};

#endif
