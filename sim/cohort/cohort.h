/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual patients. Subject k (1-based) of an arm's cohort is a pure function
 * of (seed, k): its covariates, etas, mixture classes and, where asked, its draw
 * of uncertain typical values. Correlated quantities are one Gaussian copula.
 * The same k is the same person in every arm and in a cohort of any size. */
#ifndef HL_COHORT_COHORT_H
#define HL_COHORT_COHORT_H

#include "base/status.h"
#include "study/study.h"

struct hl_cohort;

/* Prepares drawing for one arm: joins etas and correlated covariates into blocks and factors their correlation
 * matrices. NULL with messages in diag when a matrix isn't positive definite (the eigenvalue and the nearest valid
 * matrix are named) or the cohort is impossible. */
struct hl_cohort *hl_cohort_create(const struct hl_arm *arm, struct hl_diag *diag);
void hl_cohort_free(struct hl_cohort *cohort);

/* Writes subjects first .. first+n-1 into the register file of lanes >= n lanes and runs the individual program; lanes
 * beyond n repeat the last subject. regs has system->n_regs * lanes elements. Thread-safe. */
void hl_cohort_fill(const struct hl_cohort *cohort, uint64_t first, size_t n, double *regs, size_t lanes);

/* For data sets, one subject at a time (regs of one lane): all that hl_cohort_fill writes, but the individual program
 * is left to the caller, who first puts the data set's covariates and an occasion in. */
void hl_cohort_draw(const struct hl_cohort *cohort, uint64_t subject, double *regs);

/* True when the arm fixes this covariate of the system for everyone; its value then holds against a data set's. */
bool hl_cohort_fixes(const struct hl_cohort *cohort, int covariate);

/* Puts the between-occasion etas of this occasion (a whole number between -2^53 and 2^53; the value in OCC) into regs,
 * which hl_cohort_draw has filled; those of occasion 0 are what hl_cohort_draw and hl_cohort_fill write. A pure
 * function of (seed, subject, occasion); zeros when the cohort is typical. */
void hl_cohort_occasion(const struct hl_cohort *cohort, uint64_t subject, double occasion, double *regs);

/* One simulated observation: DV = IPRED (1 + proportional eps1) + additive eps2, or IPRED exp(log eps1) + additive
 * eps2, by the output's residual error; IPRED itself when the model states none or the cohort is typical. draw is the
 * number of the record within the individual; engine's unit. Pure function of (seed, subject, output's name, draw). */
double hl_cohort_observation(const struct hl_cohort *cohort, uint64_t subject, const struct hl_output *output,
                             uint64_t draw, double IPRED);

#endif
