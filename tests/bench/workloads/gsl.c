/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one writes by hand on GSL's odeiv2: a driver, restarted at every dose, one patient at a time. rk8pd is the
 * 8th-order Runge-Kutta pair of Prince and Dormand, msbdf the variable-order BDF method with exact Jacobian. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

#define FIRST_STEP 1e-3 /* [h] after every dose */

struct room {
    const struct task *task;
    const double *p;
    double rate;
    gsl_odeiv2_system system;
    gsl_odeiv2_driver *driver;
};

static int derivative(double t, const double *y, double *dydt, void *room)
{
    const struct room *r = room;
    (void)t;
    workload_derivative(r->task->w, y, dydt, r->p, r->rate);
    return GSL_SUCCESS;
}

static int jacobian(double t, const double *y, double *dfdy, double *dfdt, void *room)
{
    const struct room *r = room;
    (void)t;
    workload_jacobian(r->task->w, y, dfdy, r->p);
    memset(dfdt, 0, (size_t)r->task->n_states * sizeof *dfdt);
    return GSL_SUCCESS;
}

static void *create(const struct task *task, const gsl_odeiv2_step_type *type, double tolerance)
{
    struct room *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->task = task;
    r->system = (gsl_odeiv2_system){derivative, jacobian, (size_t)task->n_states, r};
    r->driver = gsl_odeiv2_driver_alloc_y_new(&r->system, type, FIRST_STEP, absolute_tolerance(tolerance), tolerance);
    return r;
}

static void *create_rk8pd(const struct task *task, double tolerance)
{
    return create(task, gsl_odeiv2_step_rk8pd, tolerance);
}

static void *create_msbdf(const struct task *task, double tolerance)
{
    return create(task, gsl_odeiv2_step_msbdf, tolerance);
}

static void release(void *room)
{
    struct room *r = room;
    gsl_odeiv2_driver_free(r->driver);
    free(r);
}

/* A failure leaves NaN, and no further steps. */
static void advance(struct room *r, double *now, double until, double *y)
{
    if (until > *now && !isnan(y[0]) && gsl_odeiv2_driver_apply(r->driver, now, until, y) != GSL_SUCCESS)
        for (int i = 0; i < r->task->n_states; i++)
            y[i] = NAN;
}

static void restart(struct room *r)
{
    gsl_odeiv2_driver_reset_hstart(r->driver, FIRST_STEP);
    gsl_odeiv2_driver_reset(r->driver);
}

static void give(struct room *r, const struct bench_event *event, double *y)
{
    if (event->state < 0)
        r->rate = event->rate;
    else
        y[event->state] += event->amount;
    restart(r);
}

static void patient(void *room, size_t k, double *rows)
{
    struct room *r = room;
    const struct task *task = r->task;
    const struct bench_event *event = task->event, *end = event + task->n_events;
    double y[MOST_STATES], now = 0;
    memcpy(y, task->initial, sizeof y);
    r->p = task->patient + k * (size_t)task->n_parameters;
    r->rate = 0;
    restart(r);
    for (size_t i = 0; i < task->n_times; i++) {
        for (; event < end && event->time <= task->time[i]; event++) {
            advance(r, &now, event->time, y);
            give(r, event, y);
        }
        advance(r, &now, task->time[i], y);
        workload_outputs(task->w, y, r->p, rows + i * (size_t)task->n_outputs);
    }
}

const struct method method_rk8pd = {"GSL rk8pd", create_rk8pd, patient, release, 0, 1e-3, 1e-13};
const struct method method_msbdf = {"GSL msbdf", create_msbdf, patient, release, 0, 1e-5, 1e-11};
