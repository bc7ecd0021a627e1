/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One subject's linear equations, x' = A x + b, with A and b constant between
 * events: taken apart into modes (eigenvalues and vectors) where that loses no
 * digits, else carried by matrix exponentials. Both answer the same questions:
 * where is x after dt, what is its integral, what does it tend to. Used by
 * lane.c and solver.c; time in hours, states in the engine's units. */
#ifndef HL_SOLVE_MODES_H
#define HL_SOLVE_MODES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* How a group of coupled states hangs together, the same for every subject: states stand in an order in which
 * dependence only runs downwards, cut into blocks of mutual dependence. */
struct hl_shape {
    size_t n;              /* states */
    size_t n_blocks;
    const size_t *start;   /* n_blocks + 1: block k is states start[k] .. start[k+1]-1 */
    const bool *reach;     /* n x n: reach[i*n+k] when what enters k can arrive in i (i == k included) */
};

enum hl_modes_kind {
    HL_MODES_NONE,         /* not set, or parameters that aren't numbers */
    HL_MODES_REAL,         /* x = V z, z_j' = re_j z_j + (W b)_j */
    HL_MODES_ROTATING,     /* the same, but some neighbours j, j+1 turn around each other with im_j */
    HL_MODES_MATRIX        /* z = x, carried by exp(A dt) */
};

/* exp(A dt) and its integral for one dt. */
struct hl_propagator { double dt; double *P, *Q; };

#define HL_PROPAGATORS 8

struct hl_modes {
    enum hl_modes_kind kind;
    size_t n;
    double *re, *im;       /* n: growth rate [1/h], angular speed [rad/h] of each mode; im_j > 0 > im_{j+1} in a pair */
    double *V, *W;         /* n x n, rows of states by columns of modes, and the inverse */
    double *A;             /* n x n */
    long double *exact;    /* A, summed with guard digits */
    struct hl_propagator cache[HL_PROPAGATORS]; /* MATRIX: most recent first */
    size_t n_cached;
    double norm;           /* of A [1/h] */
    double loss;           /* largest ratio of a response's modal terms to its peak: 10 loses one digit */
    struct hl_modes *rough; /* MATRIX: the real modes nevertheless, of this loss, where there are any; else NULL */
};

/* A response's modal terms may exceed its peak by this factor before the matrix exponential takes over. Every term is
 * right to a few units of 1e-16 (measured: 2e-15 after strides of 64 steps), so the sum stays right to 1e-12 of the
 * peak. */
#define HL_MODES_MAX_LOSS 512.0

/* Real modes whose terms exceed a response's peak by at most this: the modes themselves, or those that were too rough
 * for exact answers. NULL when there are none: the modes turn, or lose more. */
const struct hl_modes *hl_modes_real(const struct hl_modes *modes, double most_loss);

/* Scratch for taking apart systems of up to n states. NULL when there is no memory. */
struct hl_modes_work;
struct hl_modes_work *hl_modes_work_create(size_t n);
void hl_modes_work_free(struct hl_modes_work *work);

/* Room for n states; HL_ERR_MEMORY when there is none. clear releases it. */
enum hl_status hl_modes_init(struct hl_modes *modes, size_t n);
void hl_modes_clear(struct hl_modes *modes);

/* Takes modes->exact (set by the caller) apart. HL_ERR_DOMAIN when a coefficient isn't finite (kind is then NONE).
 * Amounts are wanted up to horizon [h] after the first dose (INFINITY for steady states): a compartment that hardly
 * fills in that time is resolved relative to what does arrive in it. */
enum hl_status hl_modes_make(struct hl_modes *modes, const struct hl_shape *shape, double horizon,
                             struct hl_modes_work *work);

/* The same from real modes that are known already, rates, V and W of one subject in every stride-th place (W V = 1;
 * eigen_lanes.c); modes->exact is the matrix. The loss isn't known: NaN. */
void hl_modes_set_real(struct hl_modes *modes, const double *rate, const double *V, const double *W, size_t stride);

/* Eigenvalues only [1/h]; HL_ERR_DOMAIN when they can't be had. */
enum hl_status hl_modes_eigenvalues(const long double *A, const struct hl_shape *shape, struct hl_modes_work *work,
                                    double *re, double *im);

/* From now on nothing can enter the state at place, which has neither row nor column in the matrix, and it is exactly
 * 0: a compartment that is switched off. */
void hl_modes_shut(struct hl_modes *modes, size_t place);

/* z of states x, and states of z. */
void hl_modes_project(const struct hl_modes *modes, const double *x, double *z);
void hl_modes_states(const struct hl_modes *modes, const double *z, double *x);

/* Carries z over dt >= 0 under constant input g (= W b). dt == 0 changes nothing. */
void hl_modes_advance(struct hl_modes *modes, double dt, double *z, const double *g, struct hl_modes_work *work);

/* The same for short dt (norm * dt of some units), without making a propagator: MATRIX only. */
void hl_modes_nudge(const struct hl_modes *modes, double dt, double *z, const double *g, struct hl_modes_work *work);

/* integral[i] = integral of state i over the next dt, starting from z under g. */
void hl_modes_integral(struct hl_modes *modes, double dt, const double *z, const double *g, double *integral,
                       struct hl_modes_work *work);

/* The z that returns to itself after a cycle of length period whose doses, given to an empty body, leave g; what
 * nothing feeds and nothing removes is 0. false when there is none (input without elimination). */
bool hl_modes_periodic(struct hl_modes *modes, double period, const double *g, double *z, struct hl_modes_work *work);

/* The z at which constant input g and elimination balance; what is neither fed nor removed keeps its value in rest.
 * false when there is none. */
bool hl_modes_balance(struct hl_modes *modes, const double *g, const double *rest, double *z,
                      struct hl_modes_work *work);

/* (exp(lambda dt) - 1) / lambda, dt where lambda is 0. */
double hl_phi1(double lambda, double dt);

#endif
