/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes over the values of a cohort at one time that run in vectors: inside the room, for quantiles. Each gives the
 * same bits on every instruction set. */
#ifndef HL_MEASURE_COLUMNS_H
#define HL_MEASURE_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

/* Least and largest of n values without NaN, n at least 1. */
void hl_range(const double *x, size_t n, double *low, double *high);

/* How many of n values are greater than level; NaN is not. */
size_t hl_count_greater(const double *x, size_t n, double level);

/* Leaves out of n values those in none of the brackets (end[0], end[1]], (end[2], end[3]] ...; ends ascend. The others
 * keep their order. Returns their number. */
size_t hl_keep_inside(double *x, size_t n, const double *end, size_t n_ends);

/* cell[i] = (x[i] - low) * scale, cut to a whole number; every product must lie within the range of int. */
void hl_cells(const double *x, size_t n, double low, double scale, int *cell);

/* ordered[k] becomes the value of rank[k] among the n of x, for n_ranks ascending ranks below n; x is reordered and
 * overwritten. */
void hl_take_ranks(double *x, size_t n, const size_t *rank, size_t n_ranks, double *ordered);

/* The quantile of n values from those of rank floor(h) and the next (the same when there is none), h = (n - 1) p. */
double hl_type7(size_t n, double probability, double below, double above);

#endif
