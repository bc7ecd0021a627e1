/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The truth against which every competitor's error is measured: a Taylor series in 128-bit arithmetic (113 bits of
 * mantissa), summed over steps so short that the terms left out are below 1e-24. For the linear workloads the k-th
 * coefficient is c[k+1] = A c[k] / (k + 1), with the infusion entering the first. For W3 the two quotients
 *
 *     f = Vmax C / (KM + C)          g = Imax Ce / (IC50 + T + Ce)
 *
 * follow from the product of series q * denominator = numerator, coefficient by coefficient (Moore 1966). */
#include <math.h>
#include <string.h>

#include "workload.h"

typedef __float128 real;
#define REAL real
#include "equations.h"

#define ORDER 30
#define LINEAR_STEP (1.0 / 32) /* [h]; the fastest rate is some 30 /h */
#define W3_STEP (1.0 / 8)      /* [h]; ... some 4 /h */

static void step_linear(const struct task *task, real *y, const double *p, double rate, real h)
{
    real c[MOST_STATES], d[MOST_STATES], power = 1;
    for (int i = 0; i < task->n_states; i++)
        c[i] = y[i];
    for (int k = 0; k < ORDER; k++) {
        equations(task->w, c, d, p, k == 0 ? rate : 0);
        power *= h;
        for (int i = 0; i < task->n_states; i++) {
            c[i] = d[i] / (k + 1);
            y[i] += c[i] * power;
        }
    }
}

/* Coefficient k of the quotient whose numerator has coefficient top and whose denominator's are below[0..k]. */
static real quotient(real top, const real *q, const real *below, int k)
{
    for (int j = 0; j < k; j++)
        top -= q[j] * below[k - j];
    return top / below[0];
}

static void step_w3(real *y, const double *p, real h)
{
    real a[6][ORDER + 1], f[ORDER], g[ORDER], below_f[ORDER], below_g[ORDER], ka = p[0], Vmax = p[1], V1 = p[2];
    for (int i = 0; i < 6; i++)
        a[i][0] = y[i];
    for (int k = 0; k < ORDER; k++) {
        real m = k + 1;
        below_f[k] = a[1][k] / V1 + (k == 0 ? (real)KM : 0);
        below_g[k] = a[4][k] + a[3][k] + (k == 0 ? (real)IC50 : 0);
        f[k] = quotient(Vmax * a[1][k] / V1, f, below_f, k);
        g[k] = quotient(IMAX * a[3][k], g, below_g, k);
        a[0][k + 1] = -ka * a[0][k] / m;
        a[1][k + 1] = (ka * a[0][k] - f[k] - Q / V1 * a[1][k] + Q / V2 * a[2][k]) / m;
        a[2][k + 1] = (Q / V1 * a[1][k] - Q / V2 * a[2][k]) / m;
        a[3][k + 1] = KE0 * (a[1][k] / V1 - a[3][k]) / m;
        a[4][k + 1] = KT * (a[3][k] - a[4][k]) / m;
        a[5][k + 1] = ((k == 0 ? (real)KIN : 0) - KIN * g[k] - KOUT * a[5][k]) / m;
    }
    for (int i = 0; i < 6; i++) {
        y[i] = a[i][ORDER];
        for (int k = ORDER - 1; k >= 0; k--)
            y[i] = y[i] * h + a[i][k];
    }
}

static void advance(const struct task *task, real *now, real until, real *y, const double *p, double rate)
{
    double longest = task->w == 3 ? W3_STEP : LINEAR_STEP;
    int n = (int)ceil((double)(until - *now) / longest);
    for (int i = 0; i < n; i++) {
        real h = (until - *now) / n;
        if (task->w == 3)
            step_w3(y, p, h);
        else
            step_linear(task, y, p, rate, h);
    }
    *now = until;
}

void reference_patient(const struct task *task, size_t patient, double *rows)
{
    const double *p = task->patient + patient * (size_t)task->n_parameters;
    const struct bench_event *event = task->event, *end = event + task->n_events;
    real y[MOST_STATES], now = 0;
    double rate = 0;
    for (int i = 0; i < MOST_STATES; i++)
        y[i] = task->initial[i];
    for (size_t i = 0; i < task->n_times; i++) {
        for (; event < end && event->time <= task->time[i]; event++) {
            advance(task, &now, event->time, y, p, rate);
            if (event->state < 0)
                rate = event->rate;
            else
                y[event->state] += event->amount;
        }
        advance(task, &now, task->time[i], y, p, rate);
        outputs_of(task->w, y, p, rows + i * (size_t)task->n_outputs);
    }
}
