/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes over the values of a cohort at one time that run in vectors: inside the room, for quantiles. Each gives the
 * same bits on every instruction set. */
#ifndef HL_MEASURE_COLUMNS_H
#define HL_MEASURE_COLUMNS_H

#include <stddef.h>

/* Least and largest of n values without NaN, n at least 1. */
void hl_range(const double *x, size_t n, double *low, double *high);

/* cell[i] = (x[i] - low) * scale, cut to a whole number; every product must lie within the range of int. */
void hl_cells(const double *x, size_t n, double low, double scale, int *cell);

#endif
