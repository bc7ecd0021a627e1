/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SUNDIALS CVODE, BDF with a dense direct solver and the exact Jacobian: started anew at every dose, which it may not
 * step over, and interpolated to the output grid. Compiled only where SUNDIALS (6 or later) is installed. */
#include <cvode/cvode.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdlib.h>
#include <string.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>

#include "workload.h"

#define NEVER 1e30 /* [h] */

#if SUNDIALS_VERSION_MAJOR < 7
#define SUN_COMM_NULL NULL
#endif

struct room {
    const struct task *task;
    const double *p;
    double rate;
    SUNContext context;
    N_Vector y;
    SUNMatrix matrix;
    SUNLinearSolver linear;
    void *cvode;
    int running; /* since the last dose */
};

static int derivative(sunrealtype t, N_Vector y, N_Vector dydt, void *room)
{
    const struct room *r = room;
    (void)t;
    workload_derivative(r->task->w, NV_DATA_S(y), NV_DATA_S(dydt), r->p, r->rate);
    return 0;
}

static int jacobian(sunrealtype t, N_Vector y, N_Vector fy, SUNMatrix M, void *room, N_Vector a, N_Vector b, N_Vector c)
{
    const struct room *r = room;
    int n = r->task->n_states;
    double J[MOST_STATES * MOST_STATES];
    (void)t, (void)fy, (void)a, (void)b, (void)c;
    workload_jacobian(r->task->w, NV_DATA_S(y), J, r->p);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++)
            SM_ELEMENT_D(M, i, j) = J[i * n + j];
    return 0;
}

static void *create(const struct task *task, double tolerance)
{
    struct room *r = calloc(1, sizeof *r);
    if (!r || SUNContext_Create(SUN_COMM_NULL, &r->context))
        return NULL;
    r->task = task;
    r->p = task->patient;
    r->y = N_VNew_Serial(task->n_states, r->context);
    memcpy(NV_DATA_S(r->y), task->initial, (size_t)task->n_states * sizeof(double));
    r->cvode = CVodeCreate(CV_BDF, r->context);
    r->matrix = SUNDenseMatrix(task->n_states, task->n_states, r->context);
    r->linear = SUNLinSol_Dense(r->y, r->matrix, r->context);
    CVodeInit(r->cvode, derivative, 0, r->y);
    CVodeSStolerances(r->cvode, tolerance, absolute_tolerance(tolerance));
    CVodeSetUserData(r->cvode, r);
    CVodeSetMaxNumSteps(r->cvode, 1000000);
    CVodeSetLinearSolver(r->cvode, r->linear, r->matrix);
    CVodeSetJacFn(r->cvode, jacobian);
    return r;
}

static void release(void *room)
{
    struct room *r = room;
    CVodeFree(&r->cvode);
    SUNLinSolFree(r->linear);
    SUNMatDestroy(r->matrix);
    N_VDestroy(r->y);
    SUNContext_Free(&r->context);
    free(r);
}

static void advance(struct room *r, double *now, double until, double stop)
{
    if (until <= *now || isnan(NV_Ith_S(r->y, 0)))
        return;
    if (!r->running)
        CVodeReInit(r->cvode, *now, r->y);
    r->running = 1;
    CVodeSetStopTime(r->cvode, stop);
    if (CVode(r->cvode, until, r->y, now, CV_NORMAL) < 0)
        N_VConst(NAN, r->y); /* no further steps */
    *now = until;
}

static void patient(void *room, size_t k, double *rows)
{
    struct room *r = room;
    const struct task *task = r->task;
    const struct bench_event *event = task->event, *end = event + task->n_events;
    double *y = NV_DATA_S(r->y), now = 0;
    memcpy(y, task->initial, (size_t)task->n_states * sizeof *y);
    r->p = task->patient + k * (size_t)task->n_parameters;
    r->rate = 0;
    r->running = 0;
    for (size_t i = 0; i < task->n_times; i++) {
        for (; event < end && event->time <= task->time[i]; event++) {
            advance(r, &now, event->time, event->time);
            if (event->state < 0)
                r->rate = event->rate;
            else
                y[event->state] += event->amount;
            r->running = 0;
        }
        advance(r, &now, task->time[i], event < end ? event->time : NEVER);
        workload_outputs(task->w, y, r->p, rows + i * (size_t)task->n_outputs);
    }
}

const struct method method_cvode = {"CVODE BDF", create, patient, release, 0, 1e-5, 1e-12};
