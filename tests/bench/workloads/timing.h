/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wall time, and what several measurements of it say together. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stddef.h>

#define MOST_RUNS 64

double seconds(void);

/* What a contestant on so many threads is timed by: the wall clock, or, with BENCH_CLOCK=processor and one thread, the
 * processor time of the calling thread, which a machine that others use changes less. */
double clock_of(int threads);

/* Median, lowest and highest of n values (sorted in place). */
struct spread { double median, low, high; };
struct spread spread_of(double *value, int n);

/* Straight line through (ln x, ln y) by least squares: y = e^intercept x^slope. */
struct line { double slope, intercept; };
struct line log_log_line(const double *x, const double *y, size_t n);

/* A positive number from the environment, or the default. */
double from_environment(const char *name, double otherwise);

/* Seconds of a loop that computes and touches no memory, spread over threads. */
double trivial_loop(int threads);

#endif
