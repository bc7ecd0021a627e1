/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outputs of states that are integrated in lanes, told stretch by stretch while
 * they are integrated (stretch.h): every output a polynomial. Used by batch.c. */
#ifndef HL_SOLVE_BATCH_TELL_H
#define HL_SOLVE_BATCH_TELL_H

#include "solve/batch_code.h"
#include "solve/stretch.h"

struct hl_batch_teller;

/* What the integrator does in one step; rows of HL_BATCH_LANES. */
struct hl_batch_step {
    const double *slow;              /* of the clock that its series are written in */
    const double *series;            /* of its program's slots; its order is the teller's */
    const double *z, *lambda, *input; /* by mode of its program: amplitudes at t, rates, constant inputs */
    const double *last_dose;         /* by instance */
    const double *t, *h, *end;       /* h 0: the lane stands still; end: the very time at which the next step begins */
};

/* For n outputs of the system, numbers number[] in the list given to hl_solver_run. integrator must outlive it; order
 * is its. *teller stays NULL, with HL_OK, when an output has no series or depends on exact states that the integrator
 * doesn't follow. HL_ERR_MEMORY. */
enum hl_status hl_batch_teller_create(const struct hl_plan *plan, const struct hl_batch_program *integrator,
                                      size_t order, const int *output, const int *number, size_t n,
                                      struct hl_batch_teller **teller);
void hl_batch_teller_free(struct hl_batch_teller *teller);

/* New subjects, lanes first .. of a block; file: the integrator's, with the registers of the system filled in. */
void hl_batch_teller_load(struct hl_batch_teller *teller, const struct hl_subjects *subjects, size_t first,
                          const bool *active, const double *file);

/* Tells the listener (stretch, edge) of the step. lost[l] becomes true for lanes of which an output has no series
 * there, nor soon after: nothing more is told of them. */
void hl_batch_tell(struct hl_batch_teller *teller, const struct hl_batch_step *step,
                   const struct hl_listener *listener, size_t first, bool *lost);

/* Polynomials of a slowed clock as stretches: inside is a struct hl_batch_curve. */
extern const struct hl_stretch_kind hl_batch_curve_kind;
struct hl_batch_curve {
    size_t n;                        /* coefficients 0 .. n - 1 of powers of the clock's x (batch_clock.h) */
    const double *slow;              /* row: mu of the clock */
    const double *const *coefficient; /* by output: coefficient 0 of the stretch's first lane; rows of HL_BATCH_LANES */
};

#endif
