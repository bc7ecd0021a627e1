/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan's rates of change rewritten for Taylor series: what is constant for a
 * subject apart from what moves, what is linear gathered into sums. Made once per
 * thread by batch.c. */
#ifndef HL_SOLVE_BATCH_CODE_H
#define HL_SOLVE_BATCH_CODE_H

#include <math.h>

#include "solve/batch_series.h"
#include "solve/plan.h"

#define HL_BATCH_BALANCE 1e-14 /* relative: input and loss of a mode that differ by less are the same */

/* A mode of a component that rhs reads, or, without a slot (-1), only an output that isn't linear. Rows of the file:
 * rate, constant input. */
struct hl_batch_mode { size_t component, place; int slot, lambda, input; };

/* A row of the file that holds what mode (number among the code's) shows of a state: V[place of state][place of mode].
 * */
struct hl_batch_view { size_t mode; size_t state_place; int row; };

/* Time after dose of an instance: slot, and the row of the file that holds 1 after the first dose, 0 before. */
struct hl_batch_clock { size_t instance; int slot, running; };

/* Something that rates are chosen by when it changes sign: its series, and the row of the file that holds 1 while it is
 * positive, 0 while it is negative. While it is 0 it counts as positive if zero_is_positive. */
struct hl_batch_switch { int slot, row; bool zero_is_positive; };

struct hl_batch_program {
    struct hl_batch_code code;
    size_t n_rows;                   /* of the file: the system's registers, then what is computed from them */
    int one;                         /* row of ones */
    struct hl_program constants;     /* fills the file's computed rows */
    struct hl_program choices;       /* fills those that depend on rows of switches */
    size_t n_switches; struct hl_batch_switch *flip;
    size_t n_modes; struct hl_batch_mode *mode;
    size_t n_views; struct hl_batch_view *view;
    size_t n_clocks; struct hl_batch_clock *clock;
    int time_slot;                   /* -1 when no rate reads the time */
    bool *component_used;            /* by component of the plan: followed, rates read it or outputs that aren't linear */
    int *output_slot;                /* by output of the system, linear in integrated states: its series; else -1 */
    /* of outputs only */
    int *given;                      /* by integrated state: its slot, -1 when it isn't read */
    int *shown;                      /* slots of the outputs */
};

/* The constant input g of a mode of this rate, for its series from amplitude z on: such that rate * z + input is
 * exactly 0 where it is nothing but rounding. The series of what doesn't move would else be one of noise that grows by
 * the fastest rates, and hold for minutes instead of days. */
static inline double hl_batch_input(double rate, double z, double g)
{
    double out = rate * z;
    return fabs(out + g) < HL_BATCH_BALANCE * fabs(g) ? -out : g;
}

/* False when the rates use an operation that has no series here; made in arena. */
bool hl_batch_program_make(struct hl_batch_program *program, const struct hl_plan *plan, struct hl_arena *arena);

/* The same for n outputs of the system, each a series of its own: integrated states are given (HL_BATCH_GIVEN), modes
 * and clocks move. False when one of them has no series here. */
bool hl_batch_outputs_make(struct hl_batch_program *program, const struct hl_plan *plan, const int *output, size_t n,
                           struct hl_arena *arena);

#endif
