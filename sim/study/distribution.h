/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributions of covariates by inversion: every value is made from one standard normal number, so that correlated
 * covariates and random effects can share one Gaussian copula. Engine's units throughout.
 * Called while a study is read (checks, shares outside a range) and by cohort/ (draws). */
#ifndef HL_STUDY_DISTRIBUTION_H
#define HL_STUDY_DISTRIBUTION_H

#include "study/study.h"

/* The value whose probability of not being exceeded is Phi(z), for any kind but CSV. A truncated distribution maps
 * Phi(z) into [F(low), F(high)]. z finite. */
double hl_distribution_value(const struct hl_distribution *distribution, double z);

/* Share of the (truncated) distribution in [low, high]; either may be infinite. For CSV the share of the rows. */
double hl_distribution_share(const struct hl_distribution *distribution, double low, double high);

/* Reports what makes the distribution of covariate name impossible: a negative spread, limits that are empty or outside
 * the distribution, probabilities that don't sum to 1. */
bool hl_distribution_check(const struct hl_distribution *distribution, const char *name, struct hl_diag *diag);

#endif
