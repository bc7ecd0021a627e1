/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A workload with its patients and doses, and the ways of solving it that compete. The patients' parameters and the
 * doses are taken from the engine's own cohort and regimen, so that all solve the very same thing. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stddef.h>

#define MOST_STATES 9
#define MOST_PARAMETERS 6
#define MOST_OUTPUTS 4

/* A dose of amount [mg] into a state, or, where state is negative, a change of the infusion rate to rate [mg/h]. */
struct bench_event { double time; int state; double amount, rate; };

struct task {
    int w;                          /* 1 to 4 */
    int n_states, n_outputs, n_parameters;
    double initial[MOST_STATES];
    size_t n_events; struct bench_event *event;
    size_t n_times; const double *time;
    size_t n_patients; double *patient;  /* [n_patients][n_parameters] */
};

/* A competitor. create gives one thread's room (NULL on failure); patient writes [n_times][n_outputs] into rows, NaN
 * from where it failed on. */
struct method {
    const char *name;
    void *(*create)(const struct task *task, double tolerance);
    void (*patient)(void *room, size_t patient, double *rows);
    void (*release)(void *room);
    int linear_only;
    double loosest, tightest;       /* relative tolerances worth trying; 0 where there is none to choose */
};

/* Why CVODE isn't among the competitors, or NULL when it is. */
extern const char *const bench_without_cvode;

/* df_i/dy_j of workload w into J, row by row. */
void workload_jacobian(int w, const double *y, double *J, const double *p);
void workload_derivative(int w, const double *y, double *dydt, const double *p, double rate);
void workload_outputs(int w, const double *y, const double *p, double *out);

/* Absolute tolerance that goes with a relative one: amounts and concentrations in mg and mg/L. */
double absolute_tolerance(double relative);

/* The same in 128 bits (no competitor: it is the truth): rows[n_times][n_outputs]. */
void reference_patient(const struct task *task, size_t patient, double *rows);

extern const struct method method_exponential, method_rk8pd, method_msbdf, method_cvode;

#endif
