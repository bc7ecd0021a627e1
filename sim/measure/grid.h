/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics marked sampled: of the values at the output times, joined by straight lines -- what a metric would be to
 * someone who has only the file. For meter.c. Times in h, values in the engine's units. */
#ifndef HL_MEASURE_GRID_H
#define HL_MEASURE_GRID_H

#include "solve/solve.h"
#include "study/study.h"

/* One thread's, for the sampled metrics of a study and blocks of up to max_lanes lanes. */
struct hl_grid;

/* NULL when there is no memory. */
struct hl_grid *hl_grid_create(const struct hl_study *study, size_t max_lanes);
void hl_grid_free(struct hl_grid *grid);

/* Forgets the last block. */
void hl_grid_begin(struct hl_grid *grid);

/* A sampled metric of the subjects of a solved block, divided by factor: values[lane * n_windows + window], one for
 * each lane where the metric has no windows. NaN for subjects that failed. The first call after hl_grid_begin looks at
 * the block's values, for all metrics at once.
 *
 * Where a window has no output time, extrema and `last` are NaN, areas and hours 0. A value that is NaN is passed over
 * in search of extrema (of nothing but NaN, the time is the last one), isn't above a level, makes areas NaN, and hours
 * where it stands beside a value above the level. */
void hl_grid_values(struct hl_grid *grid, const struct hl_block *block, size_t metric, double factor, double *values);

#endif
