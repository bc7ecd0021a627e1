/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One subject's search for the integrated states that a cycle leads back to, apart from how cycles are followed:
 * periodic.c follows them one by one, periodic_lanes.c sixteen subjects at a time. */
#ifndef HL_SOLVE_NEWTON_H
#define HL_SOLVE_NEWTON_H

#include "solve/plan.h"

struct hl_newton {
    const struct hl_plan *plan;
    const bool *frozen;          /* by integrated state: stands still; NULL for none */
    double fineness;             /* relative error of a cycle */
    double *y;                   /* n_integrated: where the next cycle begins */
    double *base;                /* where it leads from there */
    double *image;               /* the same of a changed y, or of the cycle that verifies */
    double *residual, *scale;    /* scale: what a change of each is measured against */
    double *J;                   /* n_integrated squared */
    double first_amount;         /* the largest of any compartment in the first cycle from the first guess; 0: not yet */
    double last;                 /* the largest step of the last round */
    int round;
    size_t unsettled;            /* which state changed most in the last cycle */
};

/* Room; false when there is none. */
bool hl_newton_init(struct hl_newton *newton, const struct hl_plan *plan);
void hl_newton_clear(struct hl_newton *newton);

/* True for what can't be negative. */
bool hl_newton_is_amount(const struct hl_plan *plan, size_t k);

/* Before the first round. */
void hl_newton_begin(struct hl_newton *newton);

/* A round, once base is there: keeps the sizes (peak: the largest magnitude of each state in that cycle, in every
 * stride-th place), ... */
void hl_newton_measure(struct hl_newton *newton, const double *peak, size_t stride);
/* ... tells by how much y[j] is to be changed for column j of the Jacobian, ... */
double hl_newton_difference(const struct hl_newton *newton, size_t j);
/* ... makes that column, base and image being F at y and at the changed y; reach (n x n, row: state): which states the
 * change can have come to, NULL for all, ... */
void hl_newton_column(struct hl_newton *newton, size_t j, double difference, const bool *reach);
/* ... and takes the step. noise: steps that no longer shrink are taken for noise below it. */
enum hl_newton_answer { HL_NEWTON_GO_ON, HL_NEWTON_FOUND, HL_NEWTON_STALLED, HL_NEWTON_LOST };
enum hl_newton_answer hl_newton_advance(struct hl_newton *newton, double noise);

/* The largest change over a cycle from y to image, relative to its sizes in that cycle; notes who is unsettled. */
double hl_newton_change(struct hl_newton *newton, const double *peak, size_t stride);

/* No amount is negative by more than bound, relative to its size in that cycle, but where it was at the start. */
bool hl_newton_is_possible(const struct hl_newton *newton, const double *start, const double *peak, size_t stride,
                           double bound);

/* What was found, into y: an amount that was none at the start, and is none but for noise, is none. */
void hl_newton_take(const struct hl_newton *newton, const double *start, double *y);

/* What is allowed of a verified state's change, and what is taken for noise at most, at this tolerance. */
double hl_newton_bound(double tolerance);
double hl_newton_noise(double tolerance);

#endif
