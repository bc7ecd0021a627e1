/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes over the values of a cohort at one time that run in vectors: inside the room, for quantiles. Each gives the
 * same bits on every instruction set. */
#ifndef HL_MEASURE_COLUMNS_H
#define HL_MEASURE_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

/* Least and largest of n values without NaN, n at least 1. */
void hl_range(const double *x, size_t n, double *low, double *high);

/* cell[i] = (x[i] - low) * scale, cut to a whole number; every product must lie within the range of int. */
void hl_cells(const double *x, size_t n, double low, double scale, int *cell);

/* Of 64 values: *above is how many are greater than low, *inside how many lie in (low, high]; keep[i] becomes -1 where
 * values[i] does, else it stays as it is. NaN is neither. */
void hl_bracket(const double *values, double low, double high, size_t *above, size_t *inside, int64_t *keep);

/* How many of 64 values are numbers; their sum, and the sum of squares around their mean. */
size_t hl_piece_moments(const double *values, double *sum, double *squares);

/* ordered[k] becomes the value of rank[k] among the n of x, for n_ranks ascending ranks below n; x is reordered and
 * overwritten. */
void hl_take_ranks(double *x, size_t n, const size_t *rank, size_t n_ranks, double *ordered);

/* The quantile of n values from those of rank floor(h) and the next (the same when there is none), h = (n - 1) p. */
double hl_type7(size_t n, double probability, double below, double above);

#endif
