/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One number per subject and arm from an output, taken from the solution itself while it is stepped: extrema refined
 * between grid points, areas exact where the model is linear, crossing times located. And across the cohort: mean, sd,
 * quantiles, fraction above a threshold by time. */
#ifndef HL_MEASURE_MEASURE_H
#define HL_MEASURE_MEASURE_H

#include "solve/solve.h"

/* Collects the metrics of one block: one per thread, reused from block to block. */
struct hl_meter;

/* NULL when there is no memory. */
struct hl_meter *hl_meter_create(const struct hl_study *study, const struct hl_arm *arm,
                                 const struct hl_regimen *regimen, const struct hl_plan *plan, size_t max_lanes);
void hl_meter_free(struct hl_meter *meter);

/* From now on no subjects side by side: every metric lane by lane, the independent check. */
void hl_meter_lane_by_lane(struct hl_meter *meter);

/* Forgets the last block; the listener to hand to hl_solver_run. */
void hl_meter_begin(struct hl_meter *meter, const struct hl_block *block);
struct hl_listener hl_meter_listener(struct hl_meter *meter);

/* How many values metric m has per subject: 1, its windows, or (troughs) the number of dosing intervals of the arm. */
size_t hl_metric_width(const struct hl_study *study, const struct hl_regimen *regimen, size_t metric);

/* After solving: values[lane * width + w] in the unit of hl_metric_unit; NaN where the metric isn't defined or the
 * subject failed. HL_ERR_MEMORY when there was no room to keep what the metric needs; values are then incomplete. */
enum hl_status hl_meter_values(const struct hl_meter *meter, const struct hl_block *block, size_t metric,
                               double *values, size_t width);

/* Hyndman-Fan type 7 quantiles of n values (reordered and overwritten; NaN left out first); result[j] NaN when none
 * are left. */
void hl_quantiles(double *values, size_t n, const double *probability, size_t n_probabilities, double *result);

/* Across n subjects at one time (values unchanged, NaN left out, sums in fixed order): mean, sample sd (n - 1),
 * count. */
void hl_cohort_moments(const double *values, size_t n, double *mean, double *sd, int *count);

#define HL_TIMES 8 /* times looked at together: one cache line of every subject */

/* The same at HL_TIMES times at once, bit for bit: rows[subject][HL_TIMES] gives mean, sd and count of each time. */
void hl_times_moments(const double *rows, size_t n, double *mean, double *sd, int *count);

/* The values of all n subjects at time t of the HL_TIMES, one after another. */
void hl_times_column(const double *rows, size_t n, size_t t, double *column);

/* Share of the counted values above threshold. */
double hl_cohort_fraction_above(const double *values, size_t n, double threshold);

/* Mean and standard deviation of values that come in portions; zeros to begin with. */
struct hl_moments { double sum, squares; size_t n; };

/* Takes in n values, none of them NaN, of this sum and these squares around their mean. What comes out depends on the
 * order of the portions and on nothing else. */
void hl_moments_join(struct hl_moments *moments, size_t n, double sum, double squares);

/* Mean, sample sd (n - 1), count; NaN where undefined. */
void hl_moments_take(const struct hl_moments *moments, double *mean, double *sd, int *count);

#endif
