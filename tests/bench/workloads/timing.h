/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clocks, what several measurements say together, and how a benchmark begins and ends. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stddef.h>
#include <stdio.h>

#define MOST_RUNS 64

double seconds(void);

/* Processor time of the calling thread [s]. */
double processor_seconds(void);

/* What a contestant on so many threads is timed by: the wall clock, or, with BENCH_CLOCK=processor and one thread, the
 * processor time of the calling thread, which a machine that others use changes less. */
double clock_of(int threads);

/* Median, lowest and highest of n values, n at most MOST_RUNS. */
struct spread { double median, low, high; };
struct spread spread_of(const double *value, int n);

/* The same of above[i] / below[i]: runs of two contestants that took turns are compared turn by turn. */
struct spread ratio_of(const double *above, const double *below, int n);

/* Median, and the two values between which the one of very many runs lies with odds of 15 to 1, as far as runs are
 * alike: of five values the lowest and the highest, of fifteen the fourth from either end. */
struct spread median_of(const double *value, int n);

/* Straight line through (ln x, ln y) by least squares: y = e^intercept x^slope. */
struct line { double slope, intercept; };
struct line log_log_line(const double *x, const double *y, size_t n);

/* A positive number from the environment, or the default. */
double from_environment(const char *name, double otherwise);

/* How many runs the median is taken of: BENCH_RUNS, or 5; at most MOST_RUNS. */
int bench_runs(void);

/* How many turns are taken in about so many seconds, each of which takes so long: one to three times as many as runs.
 */
int bench_turns(double all, double each);

/* Readies the libraries that every benchmark needs, GSL's errors being answered by who calls it; ends the program when
 * there are fewer than `least` words after its name (saying usage) or no units. And the opposite. */
void bench_begin(int argc, int least, const char *usage);
void bench_end(void);

/* A table FOLDER/NAME, with its first line; ends the program when it can't be written. */
FILE *bench_table(const char *folder, const char *name, const char *header);

/* Seconds of a loop that computes and touches no memory, spread over threads. */
double trivial_loop(int threads);

#endif
