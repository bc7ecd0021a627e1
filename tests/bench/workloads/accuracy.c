/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors against the 128-bit reference. A method's tolerance bounds the error of a step by its own estimate, not that
 * of the values; which tolerance gives which error is found by trying. */
#include "accuracy.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "timing.h"

static size_t profile_size(const struct task *task)
{
    return task->n_times * (size_t)task->n_outputs;
}

/* One output of one patient. */
static double profile_error(const double *value, const double *truth, const struct profiles *p)
{
    size_t stride = p->n_outputs;
    double peak = 0, worst = 0;
    for (size_t i = 0; i < p->n_times; i++)
        peak = fmax(peak, fabs(truth[i * stride]));
    for (size_t i = 0; i < p->n_times; i++) {
        if (!isfinite(value[i * stride]))
            return INFINITY;
        if (fabs(truth[i * stride]) > p->above * peak)
            worst = fmax(worst, fabs(value[i * stride] / truth[i * stride] - 1));
    }
    return worst;
}

double accuracy_error(const double *value, const double *truth, const struct profiles *p)
{
    double worst = 0;
    for (size_t k = 0; k < p->n; k++)
        for (size_t o = 0; o < p->n_outputs; o++) {
            size_t first = k * p->n_times * p->n_outputs + o;
            worst = fmax(worst, profile_error(value + first, truth + first, p));
        }
    return worst;
}

double accuracy_solve(const struct task *task, const struct method *method, double tolerance, size_t n, double *rows)
{
    size_t size = profile_size(task);
    double *own = rows ? NULL : hl_alloc(size, sizeof *own), start = clock_of(1), sum = 0;
    void *room = method->create(task, tolerance);
    for (size_t k = 0; room && k < n; k++) {
        double *to = rows ? rows + k * size : own;
        method->patient(room, k, to);
        for (size_t i = 0; i < size; i++)
            sum += to[i];
    }
    if (room)
        method->release(room);
    volatile double kept = sum;
    (void)kept;
    hl_free(own);
    return clock_of(1) - start;
}

double accuracy_of(const struct task *task, const struct method *method, double tolerance, const double *truth)
{
    double *rows = hl_alloc(CHECKED * profile_size(task), sizeof *rows);
    accuracy_solve(task, method, tolerance, CHECKED, rows);
    struct profiles all = {CHECKED, task->n_times, (size_t)task->n_outputs, ABOVE};
    double error = accuracy_error(rows, truth, &all);
    hl_free(rows);
    return error;
}

double accuracy_loosest(const struct task *task, const struct method *method, double error, const double *truth)
{
    double least = INFINITY;
    for (int digits = 3; digits <= 15; digits++) {
        double tolerance = pow(10, -digits);
        if (tolerance > 1.1 * method->loosest || tolerance < 0.9 * method->tightest)
            continue;
        double reached = accuracy_of(task, method, tolerance, truth);
        if (reached <= error)
            return tolerance;
        least = fmin(least, reached);
    }
    printf("W%d  %s: no tolerance from %.0e to %.0e brings the error to %.1e; the smallest is %.1e\n", task->w,
           method->name, method->loosest, method->tightest, error, least);
    return 0;
}

double *accuracy_truth(const struct task *task)
{
    size_t size = profile_size(task);
    double *truth = hl_alloc(CHECKED * size, sizeof *truth);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t k = 0; k < CHECKED; k++)
        reference_patient(task, k, truth + k * size);
    return truth;
}
