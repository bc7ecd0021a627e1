/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normal scores of all random quantities of a subject, correlated in groups. Quantities are numbered: the etas of the
 * system first, then its covariates. Used by cohort.c only. */
#ifndef HL_COHORT_GROUP_H
#define HL_COHORT_GROUP_H

#include "study/study.h"

struct hl_groups;

/* Joins quantities into groups and factors their correlation matrices. NULL with messages when one isn't positive
 * definite or names something that isn't there. Lives in the arena. */
struct hl_groups *hl_groups_create(struct hl_arena *arena, const struct hl_system *system,
                                   const struct hl_cohort_spec *spec, struct hl_diag *diag);

/* Number of quantities, at least 1 (so that an array of scores is never empty). */
size_t hl_groups_size(const struct hl_groups *groups);

/* Standard deviation of an eta: from its block's covariance where it is in one. */
double hl_groups_sd(const struct hl_groups *groups, size_t eta);

/* The scores of n subjects, of quantity q and subject[k] into score[q * stride + k], for every quantity that is random;
 * others are left alone. */
void hl_groups_scores(const struct hl_groups *groups, uint64_t seed, const uint64_t *subject, size_t n, double *score,
                      size_t stride);

/* The scores of the etas between occasions, for one occasion (0: those of hl_groups_scores); others are left alone. */
void hl_groups_occasion_scores(const struct hl_groups *groups, uint64_t seed, uint64_t subject, uint64_t occasion,
                               double *score);

#endif
