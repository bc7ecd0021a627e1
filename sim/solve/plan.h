/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a plan: which states live, which of them move together, and how.
 * Known to the files of this room only; made once per arm, then read by all threads. */
#ifndef HL_SOLVE_PLAN_H
#define HL_SOLVE_PLAN_H

#include <gsl/gsl_odeiv2.h>

#include "solve/modes.h"
#include "solve/solve.h"

/* An entry of a component's rate matrix (or, column unused, of its constant input): value in a register. */
struct hl_entry { size_t row, col; int reg; };

/* Linear states coupled to each other and to nothing else. */
struct hl_component {
    struct hl_shape shape;
    size_t offset;                 /* of its first mode among all modes of the plan */
    size_t square;                 /* of its first entry among those of all components' n x n matrices */
    int *state;                    /* shape.n system states in order of dependence */
    size_t n_entries; struct hl_entry *entry;
    size_t n_inputs;  struct hl_entry *input;
};

struct hl_plan {
    const struct hl_system *system;
    const struct hl_regimen *regimen;
    const char *solver;
    double tolerance;
    bool everything;               /* all live states are integrated: nothing is exact */
    bool for_records;              /* made by hl_plan_create_for_data: no regimen */
    const gsl_odeiv2_step_type *stepper;
    bool one_step;                 /* the stepper keeps no memory of earlier steps */

    bool *live;                    /* by state */
    size_t n_components; struct hl_component *component;
    int *component_of, *place_of;  /* by state: component and place in it, -1 when it isn't carried exactly */
    size_t n_modes, largest;       /* of all components; states of the largest one */
    size_t n_squares;              /* entries of all components' n x n matrices */

    size_t n_integrated; int *integrated; /* states */
    int *integrated_of;            /* by state: place among the integrated, -1 */
    const struct hl_program *rhs;  /* their rates of change */
    bool releases;                 /* a route with released: is dosed */
    bool *read_by_rhs;             /* by state: its value is read by rhs */

    struct hl_arena *arena;
};

/* True when nothing can ever make the register differ from zero. */
bool hl_plan_is_zero(const struct hl_system *system, int reg);

/* Shape of m states coupled by edges[i * m + k] (k feeds i); order[] gets them in order of dependence. */
struct hl_shape hl_plan_shape(struct hl_arena *arena, size_t m, const bool *edges, size_t *order);

/* Value of a register for a lane; absent when there is none (-1). */
static inline double hl_reg(const double *regs, size_t lanes, size_t lane, int reg, double absent)
{
    return reg < 0 ? absent : regs[(size_t)reg * lanes + lane];
}

#endif
