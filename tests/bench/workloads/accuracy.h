/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far values are from the truth, and how exact a competitor must be asked to be. */
#ifndef BENCH_ACCURACY_H
#define BENCH_ACCURACY_H

#include "workload.h"

#define CHECKED 5 /* patients whose values are compared with the reference */

#define ABOVE 1e-6 /* of its peak a profile's values count */

/* Profiles [profile][time][output]. */
struct profiles { size_t n, n_times, n_outputs; double above; };

/* Largest relative error of values against truth, over those above so much of each profile's peak. Infinite where a
 * value isn't a number. */
double accuracy_error(const double *value, const double *truth, const struct profiles *profiles);

/* A method's values of the first n patients: rows[patient][time][output]; NULL rows: they are summed up and thrown
 * away. Returns seconds. */
double accuracy_solve(const struct task *task, const struct method *method, double tolerance, size_t n, double *rows);

/* A method's error for the first CHECKED patients. */
double accuracy_of(const struct task *task, const struct method *method, double tolerance, const double *truth);

/* The loosest of the tolerances 1e-3, 1e-4 ... worth trying with a method whose error is at most that; 0 where none is,
 * which is said. */
double accuracy_loosest(const struct task *task, const struct method *method, double error, const double *truth);

/* The truth of the first CHECKED patients: rows[patient][time][output]; to be freed with hl_free. */
double *accuracy_truth(const struct task *task);

#endif
