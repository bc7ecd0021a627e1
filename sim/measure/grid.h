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

/* A sampled metric of a good subject of a solved block, divided by factor, window by window: values[n_windows], or one
 * where the metric has no windows. The first call after hl_grid_begin looks at the block's values, for all metrics and
 * subjects at once. NaN where the window has no output time (areas and hours are 0 then, hours below the window's
 * length), or where values are NaN: a NaN is passed over in search of extrema, isn't above a level, and makes an area
 * NaN, and hours too where it lies beside a value above the level. */
void hl_grid_values(struct hl_grid *grid, const struct hl_block *block, size_t metric, size_t lane, double factor,
                    double *values);

#endif
