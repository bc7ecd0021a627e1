/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain way for linear models: y' = A y, so y(t + h) = exp(A h) y(t). One matrix exponential per patient for the
 * step of the output grid, one for each other distinct step (remembered, up to eight), then a product of matrix and
 * vector per step. An infusion's rate is one more state that doesn't change. Scalar code, one patient at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

#define N (MOST_STATES + 1)
#define REMEMBERED 8
#define SAME_STEP 1e-12 /* [h]; steps are differences of times, so equal ones differ by rounding */

struct room {
    const struct task *task;
    int n;
    double A[N * N];
    int n_steps;
    double step[REMEMBERED], E[REMEMBERED][N * N], other[N * N];
};

static void product(int n, const double *a, const double *b, double *c)
{
    for (int i = 0; i < n; i++) {
        double row[N] = {0};
        for (int k = 0; k < n; k++) {
            double x = a[i * n + k];
            for (int j = 0; j < n; j++)
                row[j] += x * b[k * n + j];
        }
        memcpy(c + i * n, row, (size_t)n * sizeof *row);
    }
}

static double largest_column_sum(int n, const double *A)
{
    double largest = 0;
    for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += fabs(A[i * n + j]);
        largest = sum > largest ? sum : largest;
    }
    return largest;
}

/* Scaling and squaring with a Taylor polynomial of degree 14 (Moler & Van Loan 2003, SIAM Rev 45:3-49, method 3). */
static void exponential(int n, const double *A, double h, double *E)
{
    double norm = largest_column_sum(n, A) * h, scaled[N * N], p[N * N];
    int squarings = 0;
    for (; norm > 0.5; norm /= 2)
        squarings++;
    for (int i = 0; i < n * n; i++) {
        scaled[i] = A[i] * ldexp(h, -squarings);
        E[i] = i % (n + 1) == 0;
    }
    for (int k = 14; k >= 1; k--) {
        product(n, scaled, E, p);
        for (int i = 0; i < n * n; i++)
            E[i] = p[i] / k + (i % (n + 1) == 0);
    }
    for (int s = 0; s < squarings; s++) {
        product(n, E, E, p);
        memcpy(E, p, (size_t)(n * n) * sizeof *E);
    }
}

static void apply(int n, const double *E, double *y)
{
    double r[N];
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++)
            sum += E[i * n + j] * y[j];
        r[i] = sum;
    }
    memcpy(y, r, (size_t)n * sizeof *y);
}

/* Only the steps of a grid come again; W2's doses come at times of their own, so there only the first is remembered. */
static const double *step_of(struct room *r, double h)
{
    for (int i = 0; i < r->n_steps; i++)
        if (fabs(r->step[i] - h) < SAME_STEP)
            return r->E[i];
    int remember = r->n_steps < (r->task->w == 2 ? 1 : REMEMBERED);
    double *E = remember ? r->E[r->n_steps] : r->other;
    if (remember)
        r->step[r->n_steps++] = h;
    exponential(r->n, r->A, h, E);
    return E;
}

static void advance(struct room *r, double *now, double until, double *y)
{
    if (until - *now > SAME_STEP)
        apply(r->n, step_of(r, until - *now), y);
    *now = until;
}

static void matrix_of(struct room *r, const double *p)
{
    const struct task *task = r->task;
    int n = task->n_states;
    double J[MOST_STATES * MOST_STATES];
    workload_jacobian(task->w, task->initial, J, p);
    memset(r->A, 0, sizeof r->A);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            r->A[i * r->n + j] = J[i * n + j];
    if (r->n > n)
        r->A[n] = 1; /* the rate flows into state 0 */
}

static void *create(const struct task *task, double tolerance)
{
    struct room *r = calloc(1, sizeof *r);
    (void)tolerance;
    if (r) {
        r->task = task;
        r->n = task->n_states + (task->w == 2);
    }
    return r;
}

static void patient(void *room, size_t k, double *rows)
{
    struct room *r = room;
    const struct task *task = r->task;
    const double *p = task->patient + k * (size_t)task->n_parameters;
    const struct bench_event *event = task->event, *end = event + task->n_events;
    double y[N] = {0}, now = 0;
    memcpy(y, task->initial, sizeof task->initial);
    matrix_of(r, p);
    r->n_steps = 0;
    step_of(r, task->time[1] - task->time[0]);
    for (size_t i = 0; i < task->n_times; i++) {
        for (; event < end && event->time <= task->time[i]; event++) {
            advance(r, &now, event->time, y);
            if (event->state < 0)
                y[r->n - 1] = event->rate;
            else
                y[event->state] += event->amount;
        }
        advance(r, &now, task->time[i], y);
        workload_outputs(task->w, y, p, rows + i * (size_t)task->n_outputs);
    }
}

const struct method method_exponential = {"matrix exponential", create, patient, free, 1, 0, 0};
