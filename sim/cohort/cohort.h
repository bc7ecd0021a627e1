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

#endif
