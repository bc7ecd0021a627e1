/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the records of a table do to a random model, by brute force and in long double, sharing nothing with the engine.
 *
 * Every dose is written out, its series too, as arrivals at times of their own; between two instants at which anything
 * changes the amounts obey dx/dt = A x + u. For a linear model exp(A h) and its integral come from a Taylor series of a
 * small step, doubled (Moler & Van Loan 2003, method 3). Other models, and parameters that change all the time, are
 * integrated by Gragg's midpoint rule with Bulirsch and Stoer's extrapolation (Hairer, Norsett & Wanner 1993, II.9). A
 * steady state is a run-in: cycle after cycle from an empty body until nothing changes any more. */
#ifndef TESTS_UNIT_RECORD_REFERENCE_H
#define TESTS_UNIT_RECORD_REFERENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/record_tables.h"

typedef long double real;

#define MOST_ARRIVALS 8192
#define MOST_RUNNING 4096
#define MOST_RELEASING 4096
#define RELEASED 90 /* k s at which a release is over: e^-90 of it is left */
#define MOST_INPUTS 4
#define MOST_OUTPUTS (MOST_STATES + MOST_COMPARTMENTS + 1)
#define MOST_CYCLES 20000
#define SUBSTEPS 4 /* of a stretch, at which peaks are looked for */

typedef real square[MOST_STATES][MOST_STATES];

/* What one dose does through one part of its route. */
struct input { int state; double lag; bool at_once; real amount, rate, duration; int shape; real ktr; };

/* A dose that enters as from a chain of transit compartments: at the rate amount k (k s)^(shape-1) e^(-k s) / (shape-1)!
 * when it has been here for s. */
struct releasing { struct input input; real since; };
struct arrival { double time; bool nominal, lagged, series; struct input input; };
struct running { int state; real rate; double end; };

struct reference {
    const struct random_model *m;
    const struct table *t;
    const double (*eta)[2][N_ETAS];        /* by occasion 0, 1, 2, ..., by drug */
    double known[MOST_RECORDS][N_COVARIATES]; /* gaps filled */
    real value[MOST_QUANTITIES];           /* of the quantities, as in force */
    square A; real b[MOST_STATES];         /* linear part of the rates, with what is off left out */
    real x[MOST_STATES], scale[MOST_STATES]; /* amounts; the largest each has been */
    bool on[MOST_STATES];
    double clock, given;                   /* when the first drug was last given; INFINITY: never */
    int n_nominal; double nominal[MOST_ARRIVALS]; /* when it will be */
    size_t at;                             /* record in hand */
    int n_pending; struct arrival pending[MOST_ARRIVALS];
    int n_running; struct running running[MOST_RUNNING];
    int n_releasing; struct releasing releasing[MOST_RELEASING];
    int n_outputs; double peak[MOST_OUTPUTS];
};

/* ---- Parameters ---- */

/* The first known value from i on in steps of by; NaN when there is none. */
static double known_from(const struct table *t, int i, int by, int c, int *where)
{
    for (; i >= 0 && i < t->n; i += by)
        if (!isnan(t->record[i].covariate[c])) {
            *where = i;
            return t->record[i].covariate[c];
        }
    return NAN;
}

static void fill_gaps(struct reference *r)
{
    const struct table *t = r->t;
    for (int i = 0; i < t->n; i++)
        for (int c = 0; c < N_COVARIATES; c++) {
            int a = 0, b = 0;
            double before = known_from(t, i, -1, c, &a), after = known_from(t, i, 1, c, &b);
            bool later = r->m->rule[c] == RULE_NEXT;
            double first = later ? after : before, second = later ? before : after;
            r->known[i][c] = isnan(first) ? second : first;
            double from = t->record[a].TIME, to = t->record[b].TIME;
            if (r->m->rule[c] == RULE_INTERPOLATE && a < b && !isnan(before) && !isnan(after))
                r->known[i][c] = before + (after - before) * (t->record[i].TIME - from) / (to - from);
        }
}

static real value_of(const struct quantity *q, const real *covariate, const double *eta)
{
    real v = q->base * (covariate[FED] == 1 ? (real)q->fed : 1);
    if (q->power[WT] != 0)
        v *= powl(covariate[WT] / 70, q->power[WT]);
    if (q->power[CR] != 0)
        v *= powl(covariate[CR] / 100, q->power[CR]);
    return q->eta == NONE ? v : v * expl(eta[q->eta]);
}

/* The rates at this time, which matters where a flow is timed. */
static void assemble(struct reference *r, real time)
{
    const struct random_model *m = r->m;
    const real *v = r->value;
    memset(r->A, 0, sizeof r->A);
    memset(r->b, 0, sizeof r->b);
    for (int i = 0; i < m->n_flows; i++) {
        const struct flow *f = &m->flow[i];
        for (int back = 0; back <= (int)f->both; back++) {
            int from = back ? f->to : f->from, to = back ? f->from : f->to;
            real k = f->clearance ? v[f->q] / v[m->volume[from]] : v[f->q];
            k *= f->timed ? 1 + 0.4L / (1 + time / 15 * (time / 15)) : 1;
            r->A[from][from] -= k;
            if (to != NONE)
                r->A[to][from] += k;
        }
    }
    for (int i = 0; i < m->n_sites; i++) {
        const struct site *s = &m->site[i];
        r->A[s->state][s->of] += v[s->ke0] / v[m->volume[s->of]];
        r->A[s->state][s->state] -= v[s->ke0];
    }
    for (int i = 0; i < m->n_turnovers; i++) {
        const struct turnover *x = &m->turnover[i];
        if (x->response != 0)
            continue;
        r->b[x->state] = v[x->kin];
        r->A[x->state][x->state] -= v[x->kout];
        if (x->slope != NONE)
            r->A[x->state][x->of] += v[x->slope];
    }
    for (int i = 0; i < m->n_states; i++)
        if (!r->on[i]) {
            memset(r->A[i], 0, sizeof r->A[i]);
            r->b[i] = 0;
        }
}

static const double *eta_of(const struct reference *r, size_t i, int q)
{
    return r->eta[r->t->record[i].OCC][r->m->quantity[q].drug];
}

/* The values of record i's own covariates. */
static void values_at(struct reference *r, size_t i)
{
    real covariate[N_COVARIATES];
    for (int c = 0; c < N_COVARIATES; c++)
        covariate[c] = r->known[i][c];
    for (int q = 0; q < r->m->n_quantities; q++)
        r->value[q] = value_of(&r->m->quantity[q], covariate, eta_of(r, i, q));
    assemble(r, r->t->record[i].TIME);
}

/* The values in force at time within the interval that ends with record i; all of them at its beginning, later only
 * those that have changed. */
static void values_within(struct reference *r, size_t i, real time, bool all)
{
    real covariate[N_COVARIATES], t0 = r->t->record[i - 1].TIME, t1 = r->t->record[i].TIME;
    for (int c = 0; c < N_COVARIATES; c++) {
        real a = r->known[i - 1][c], b = r->known[i][c];
        covariate[c] = r->m->rule[c] == RULE_PREVIOUS ? a : b;
        if (r->m->rule[c] == RULE_INTERPOLATE && t1 > t0)
            covariate[c] = a + (b - a) * (time - t0) / (t1 - t0);
    }
    for (int q = 0; q < r->m->n_quantities; q++)
        if (all || (r->m->quantity[q].power[WT] != 0 && r->m->rule[WT] == RULE_INTERPOLATE) ||
            (r->m->quantity[q].power[CR] != 0 && r->m->rule[CR] == RULE_INTERPOLATE))
            r->value[q] = value_of(&r->m->quantity[q], covariate, eta_of(r, i, q));
    assemble(r, time);
}

/* ---- Outputs and their peaks ---- */

static void outputs_of(const struct reference *r, double *y)
{
    int n = 0;
    for (int i = 0; i < r->m->n_compartments; i++)
        if (r->m->volume[i] != NONE)
            y[n++] = (double)(r->x[i] / r->value[r->m->volume[i]]);
    for (int i = 0; i < r->m->n_states; i++)
        y[n++] = (double)r->x[i];
    if (r->m->tad)
        y[n++] = r->given > r->clock ? 0 : r->clock - r->given;
}

static void notice(struct reference *r)
{
    double y[MOST_OUTPUTS];
    outputs_of(r, y);
    for (int o = 0; o < r->n_outputs; o++)
        r->peak[o] = fmax(r->peak[o], fabs(y[o]));
    for (int i = 0; i < r->m->n_states; i++)
        r->scale[i] = fmaxl(r->scale[i], fabsl(r->x[i]));
}

/* ---- Linear stretches ---- */

static void multiply(int n, square a, square b, square c)
{
    square p;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            p[i][j] = 0;
            for (int k = 0; k < n; k++)
                p[i][j] += a[i][k] * b[k][j];
        }
    memcpy(c, p, sizeof p);
}

/* E = exp(A h), S = integral of exp(A s) from 0 to h. */
static void exponential(int n, square A, real h, square E, square S)
{
    real norm = 0;
    for (int i = 0; i < n; i++) {
        real sum = 0;
        for (int j = 0; j < n; j++)
            sum += fabsl(A[i][j]) * h;
        norm = fmaxl(norm, sum);
    }
    int doublings = norm > 0.25L ? (int)ceill(log2l(norm / 0.25L)) : 0;
    real step = ldexpl(h, -doublings);
    square term;
    memset(S, 0, sizeof(square));
    memset(term, 0, sizeof term);
    for (int i = 0; i < n; i++)
        S[i][i] = term[i][i] = step;
    for (int k = 2; k <= 18; k++) { /* S = sum of A^(k-1) step^k / k! */
        multiply(n, A, term, term);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                S[i][j] += term[i][j] *= step / k;
    }
    multiply(n, A, S, E);
    for (int i = 0; i < n; i++)
        E[i][i] += 1;
    for (int d = 0; d < doublings; d++) {
        multiply(n, E, S, term);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                S[i][j] += term[i][j];
        multiply(n, E, E, E);
    }
}

static void step_linear(int n, square E, square S, const real *u, real *x)
{
    real y[MOST_STATES];
    for (int i = 0; i < n; i++) {
        y[i] = 0;
        for (int j = 0; j < n; j++)
            y[i] += E[i][j] * x[j] + S[i][j] * u[j];
    }
    memcpy(x, y, (size_t)n * sizeof *x);
}

/* ---- Other stretches ---- */

static void add_saturable(const struct reference *r, const real *x, real *dx)
{
    for (int i = 0; i < r->m->n_saturable; i++) {
        const struct saturable *s = &r->m->saturable[i];
        if (r->on[s->state])
            dx[s->state] -= r->value[s->Vmax] * x[s->state] / (r->value[s->Km] + x[s->state]);
    }
}

static void add_responses(const struct reference *r, const real *x, real *dx)
{
    for (int i = 0; i < r->m->n_turnovers; i++) {
        const struct turnover *s = &r->m->turnover[i];
        if (s->response == 0)
            continue;
        real C = x[s->of] / r->value[r->m->volume[s->of]], drug = r->value[s->Imax] * C / (r->value[s->IC50] + C);
        real in = r->value[s->kin], out = r->value[s->kout];
        in *= s->response == 1 ? 1 - drug : s->response == 3 ? 1 + drug : 1;
        out *= s->response == 2 ? 1 - drug : s->response == 4 ? 1 + drug : 1;
        dx[s->state] += in - out * x[s->state];
    }
}

static void rates_of(const struct reference *r, const real *u, const real *x, real *dx)
{
    int n = r->m->n_states;
    for (int i = 0; i < n; i++) {
        dx[i] = u[i];
        for (int j = 0; j < n; j++)
            dx[i] += r->A[i][j] * x[j];
    }
    add_saturable(r, x, dx);
    add_responses(r, x, dx);
}

static void add_releases(const struct reference *r, real time, real *dx)
{
    for (int k = 0; k < r->n_releasing; k++) {
        const struct input *q = &r->releasing[k].input;
        real s = q->ktr * (time - r->releasing[k].since), term = q->amount * q->ktr * expl(-s);
        for (int i = 1; i < q->shape; i++)
            term *= s / i;
        dx[q->state] += term;
    }
}

static void forget_releases(struct reference *r, real time)
{
    int n = 0;
    for (int k = 0; k < r->n_releasing; k++)
        if (r->releasing[k].input.ktr * (time - r->releasing[k].since) < RELEASED)
            r->releasing[n++] = r->releasing[k];
    r->n_releasing = n;
}

static void start_releasing(struct reference *r, const struct input *q, real since)
{
    assert_true(r->n_releasing < MOST_RELEASING);
    r->releasing[r->n_releasing++] = (struct releasing){*q, since};
}

/* Where the parameters change all the time: those of this time. moving is the record that ends the interval, 0 where
 * they are constant. */
static void rates_at(struct reference *r, size_t moving, real time, const real *u, const real *x, real *dx)
{
    real all[MOST_STATES];
    if (moving > 0)
        values_within(r, moving, time, false);
    else if (r->m->timed)
        assemble(r, time);
    for (int i = 0; i < r->m->n_states; i++)
        all[i] = u[i] + (moving > 0 ? r->b[i] : 0);
    add_releases(r, time, all);
    rates_of(r, all, x, dx);
}

/* The smoothed modified midpoint rule with n substeps over H. */
static void midpoint(struct reference *r, size_t moving, real t, real H, int n, const real *u, real *y)
{
    int s = r->m->n_states;
    real h = H / n, before[MOST_STATES], dx[MOST_STATES];
    memcpy(before, r->x, sizeof before);
    rates_at(r, moving, t, u, r->x, dx);
    for (int i = 0; i < s; i++)
        y[i] = r->x[i] + h * dx[i];
    for (int k = 1; k <= n; k++) {
        rates_at(r, moving, t + k * h, u, y, dx);
        for (int i = 0; i < s; i++) {
            real next = before[i] + (k < n ? 2 : 1) * h * dx[i];
            before[i] = y[i];
            y[i] = k < n ? next : 0.5L * (next + y[i]);
        }
    }
}

#define COLUMNS 9

/* One step of extrapolation over H; false when it isn't exact enough. tolerance is relative to each state's scale. */
static bool extrapolate(struct reference *r, size_t moving, real t, real H, const real *u, real tolerance, real *y)
{
    real T[COLUMNS][MOST_STATES];
    int s = r->m->n_states;
    for (int k = 0; k < COLUMNS; k++) {
        real error = 0, last[MOST_STATES];
        midpoint(r, moving, t, H, 2 * (k + 1), u, T[k]);
        memcpy(last, T[0], sizeof last);
        for (int j = k - 1; j >= 0; j--) {
            real ratio = (real)(k + 1) / (j + 1);
            for (int i = 0; i < s; i++)
                T[j][i] = T[j + 1][i] + (T[j + 1][i] - T[j][i]) / (ratio * ratio - 1);
        }
        for (int i = 0; i < s && k > 0; i++) {
            real scale = fmaxl(r->scale[i], fmaxl(fabsl(r->x[i]), fabsl(T[0][i])));
            error = fmaxl(error, scale > 0 ? fabsl(T[0][i] - last[i]) / scale : 0);
        }
        if (k >= 3 && error <= tolerance) {
            memcpy(y, T[0], sizeof T[0]);
            return true;
        }
    }
    return false;
}

static void integrate(struct reference *r, size_t moving, real from, real length, const real *u)
{
    real done = 0, H = fminl(length, 0.5L), y[MOST_STATES];
    while (done < length) {
        real h = fminl(H, length - done);
        if (extrapolate(r, moving, from + done, h, u, 1e-15L, y)) {
            memcpy(r->x, y, sizeof y);
            done = length - done - h < 1e-18L * length ? length : done + h;
            H = 1.4L * H;
            notice(r);
        } else
            H = h / 2;
        if (H < 1e-9L * length)
            fail_msg("the reference can't integrate at %.17g h", (double)(from + done));
    }
}

/* ---- Between events ---- */

static void all_inputs(const struct reference *r, real *u)
{
    memcpy(u, r->b, sizeof r->b);
    for (int k = 0; k < r->n_running; k++)
        u[r->running[k].state] += r->running[k].rate;
}

static void drift(struct reference *r, double to)
{
    real u[MOST_STATES];
    all_inputs(r, u);
    int n = r->m->n_states;
    if (interpolates(r->m)) {
        for (int i = 0; i < n; i++)
            u[i] -= r->b[i]; /* added at each instant */
        integrate(r, r->at, r->clock, (real)to - r->clock, u);
    } else if (!r->m->linear)
        integrate(r, 0, r->clock, (real)to - r->clock, u);
    else {
        square E, S;
        exponential(n, r->A, ((real)to - r->clock) / SUBSTEPS, E, S);
        for (int k = 0; k < SUBSTEPS; k++) {
            step_linear(n, E, S, u, r->x);
            notice(r);
        }
    }
    r->clock = to;
}

static void start_running(struct reference *r, struct running x)
{
    assert_true(r->n_running < MOST_RUNNING);
    for (int k = 0; k < r->n_running; k++)
        if (r->running[k].state == x.state) {
            TABLE_SAW(r->m, overlap, true);
            break;
        }
    r->running[r->n_running++] = x;
}

static void add_pending(struct reference *r, struct arrival a)
{
    assert_true(r->n_pending < MOST_ARRIVALS);
    r->pending[r->n_pending++] = a;
}

static void enter(struct reference *r, const struct input *q, double time)
{
    TABLE_SAW(r->m, on_by_dose, !r->on[q->state]);
    if (!r->on[q->state]) {
        r->on[q->state] = true;
        assemble(r, time);
    }
    TABLE_SAW(r->m, released_overlap, q->shape > 0 && r->n_releasing > 0);
    TABLE_SAW(r->m, released_lag, q->shape > 0 && q->lag > 0);
    if (q->shape > 0)
        start_releasing(r, q, time);
    else if (q->at_once)
        r->x[q->state] += q->amount;
    else
        start_running(r, (struct running){q->state, q->rate, (double)(time + q->duration)});
    notice(r);
}

static bool is_due(const struct arrival *a, double time)
{
    return a->time <= time || (a->nominal && fabs(a->time - time) <= 1e-12 * fmax(1, fabs(time)));
}

/* The first arrival due by time, or NONE. */
static int first_due(const struct reference *r, double time)
{
    int first = NONE;
    for (int k = 0; k < r->n_pending; k++)
        if (is_due(&r->pending[k], time) && (first == NONE || r->pending[k].time < r->pending[first].time))
            first = k;
    return first;
}

static void end_infusions(struct reference *r)
{
    int n = 0;
    for (int k = 0; k < r->n_running; k++)
        if (r->running[k].end > r->clock)
            r->running[n++] = r->running[k];
    r->n_running = n;
}

static void see_arrival(struct reference *r, const struct arrival *a, double time)
{
    TABLE_SAW(r->m, tie_addl, a->nominal && a->series && a->time == time);
    TABLE_SAW(r->m, tie_addl_rounded, a->nominal && a->series && a->time != time && is_due(a, time) &&
                                          fabs(a->time - time) <= 1e-12 * fmax(1, fabs(time)));
    TABLE_SAW(r->m, tie_lag, a->lagged && a->time == time);
    TABLE_SAW(r->m, on_by_arrival, !r->on[a->input.state]);
}

/* To the time of the record in hand: every arrival and every end of an infusion on the way. */
static void advance(struct reference *r, double time)
{
    for (;;) {
        int k = first_due(r, time);
        double instant = k == NONE ? time : fmin(r->pending[k].time, time);
        for (int i = 0; i < r->n_running; i++)
            instant = fmin(instant, r->running[i].end);
        if (instant > r->clock)
            drift(r, instant);
        forget_releases(r, instant);
        end_infusions(r);
        if (k != NONE && fmin(r->pending[k].time, time) <= instant) {
            struct arrival a = r->pending[k];
            memmove(&r->pending[k], &r->pending[k + 1], (size_t)(--r->n_pending - k) * sizeof a);
            see_arrival(r, &a, time);
            enter(r, &a.input, instant);
        } else if (instant >= time)
            break;
    }
    for (int k = 0; k < r->n_nominal; k++)
        if (r->nominal[k] <= time + 1e-12 * fmax(1, fabs(time)))
            r->given = r->given <= time ? fmax(r->given, fmin(r->nominal[k], time)) : fmin(r->nominal[k], time);
    for (int k = 0; k < r->n_pending; k++)
        TABLE_SAW(r->m, near_lag, r->pending[k].lagged && r->pending[k].time == nextafter(time, INFINITY));
}

/* ---- Steady state by running in ---- */

struct run_in {
    const struct input *input; int n;
    real II; bool constants;               /* whether what the model itself puts in is part of it */
    int n_points; real point[2 * MOST_INPUTS + 2]; /* instants of a cycle at which something changes; the last is II */
    square E[2 * MOST_INPUTS + 1], S[2 * MOST_INPUTS + 1];
};

static void add_point(struct run_in *c, real at)
{
    int k = c->n_points++;
    for (; k > 0 && c->point[k - 1] > at; k--)
        c->point[k] = c->point[k - 1];
    c->point[k] = at;
}

static void plan_cycle(struct reference *r, struct run_in *c)
{
    c->n_points = 0;
    add_point(c, 0);
    for (int i = 0; i < c->n; i++) {
        add_point(c, fmodl(c->input[i].lag, c->II));
        if (!c->input[i].at_once)
            add_point(c, fmodl(c->input[i].lag + c->input[i].duration, c->II));
    }
    c->point[c->n_points] = c->II;
    for (int k = 0; k < c->n_points && r->m->linear; k++)
        exponential(r->m->n_states, r->A, c->point[k + 1] - c->point[k], c->E[k], c->S[k]);
}

/* How many doses of an infusion run in the middle of a stretch of cycle j, counted from 0. */
static real how_many(const struct run_in *c, const struct input *q, real middle, int j)
{
    real low = fmaxl(0, ceill((q->lag - middle) / c->II));
    real high = fminl(j, ceill((q->lag + q->duration - middle) / c->II) - 1);
    return fmaxl(0, high - low + 1);
}

/* What arrives at once at a point of cycle j: dose j - k, k being how many whole intervals its lag is late. */
static void cycle_arrivals(struct reference *r, const struct run_in *c, real point, int j, bool lagged_only)
{
    for (int i = 0; i < c->n; i++) {
        const struct input *q = &c->input[i];
        bool due = q->at_once && fmodl(q->lag, c->II) == point && j >= roundl((q->lag - point) / c->II);
        if (due && q->shape > 0 && !lagged_only)
            start_releasing(r, q, j * c->II + point);
        else if (due && q->shape == 0 && !(lagged_only && q->lag == 0))
            r->x[q->state] += q->amount;
    }
}

static void cycle(struct reference *r, struct run_in *c, int j)
{
    real u[MOST_STATES];
    for (int k = 0; k < c->n_points; k++) {
        if (k == 0 || c->point[k] > c->point[k - 1])
            cycle_arrivals(r, c, c->point[k], j, false);
        real length = c->point[k + 1] - c->point[k], middle = c->point[k] + length / 2;
        for (int i = 0; i < r->m->n_states; i++)
            u[i] = c->constants ? r->b[i] : 0;
        for (int i = 0; i < c->n; i++)
            if (!c->input[i].at_once)
                u[c->input[i].state] += c->input[i].rate * how_many(c, &c->input[i], middle, j);
        if (r->m->linear)
            step_linear(r->m->n_states, c->E[k], c->S[k], u, r->x);
        else if (length > 0)
            integrate(r, 0, j * c->II + c->point[k], length, u);
    }
    forget_releases(r, (j + 1) * c->II);
}

/* x <- G x + f. */
static void step_affine(int n, square G, const real *f, real *x)
{
    real y[MOST_STATES];
    for (int i = 0; i < n; i++) {
        y[i] = f[i];
        for (int j = 0; j < n; j++)
            y[i] += G[i][j] * x[j];
    }
    memcpy(x, y, (size_t)n * sizeof *x);
}

/* The cycles that are all alike do x <- G x + f; 2^60 of them, by doubling. */
static void many_cycles(struct reference *r, struct run_in *c, int j)
{
    int n = r->m->n_states;
    square G = {{0}};
    real x[MOST_STATES], f[MOST_STATES];
    memcpy(x, r->x, sizeof x);
    memset(r->x, 0, sizeof r->x);
    cycle(r, c, j);
    memcpy(f, r->x, sizeof f);
    memcpy(r->x, x, sizeof x);
    for (int i = 0; i < n; i++)
        G[i][i] = 1;
    for (int k = 0; k < c->n_points; k++)
        multiply(n, c->E[k], G, G);
    for (int d = 0; d < 60; d++) {
        TABLE_SAW(r->m, ss_slow, d == 3 && c->n > 0 && G[0][0] > 0.5L);
        if (d == 59)
            step_affine(n, G, f, r->x);
        step_affine(n, G, f, f);
        multiply(n, G, G, G);
    }
}

/* One cycle after another until nothing changes. */
static int single_cycles(struct reference *r, struct run_in *c, int j)
{
    real before[MOST_STATES];
    for (bool still = false; !still; j++) {
        if (j >= MOST_CYCLES)
            fail_msg("the reference doesn't come to a steady state at record %zu", r->at);
        memcpy(before, r->x, sizeof before);
        cycle(r, c, j);
        still = true;
        for (int i = 0; i < r->m->n_states; i++)
            still = still && fabsl(r->x[i] - before[i]) <= 1e-14L * r->scale[i];
    }
    return j;
}

/* Doses at -k II for k = 1, 2, ... from an empty body until the amounts at time 0 no longer change; into x. */
static void run_in(struct reference *r, struct run_in *c, real *x)
{
    int first = 1, j = 0;
    for (int i = 0; i < c->n; i++)
        first = (int)fmaxl(first, ceill((c->input[i].lag + c->input[i].duration) / c->II) + 1);
    memset(r->x, 0, sizeof r->x);
    r->n_releasing = 0;
    for (; j < first; j++)
        cycle(r, c, j);
    if (r->m->linear)
        many_cycles(r, c, j);
    else
        j = single_cycles(r, c, j);
    cycle_arrivals(r, c, 0, j, true);
    memcpy(x, r->x, sizeof r->x);
}

/* What of the doses at time - k II still runs, and what is still on its way. */
static void leave_behind(struct reference *r, const struct run_in *c, double time)
{
    for (int i = 0; i < c->n; i++) {
        const struct input *q = &c->input[i];
        for (int k = 1;; k++) {
            real start = q->lag - k * c->II;
            TABLE_SAW(r->m, ss_lag_multiple, start == 0);
            if (start > 0)
                add_pending(r, (struct arrival){(double)(time + start), false, true, false, *q});
            else if (q->shape > 0 && q->ktr * -start < RELEASED)
                start_releasing(r, q, time + start);
            else if (!q->at_once && start + q->duration > 0)
                start_running(r, (struct running){q->state, q->rate, (double)(time + start + q->duration)});
            else
                break;
        }
    }
}

static void see_steady(const struct reference *r, const struct record *x, const struct input *q, int n)
{
    const struct random_model *m = r->m;
    for (int i = 0; i < n; i++) {
        bool lagged = q[i].lag > 0;
        TABLE_SAW(m, ss_long, !q[i].at_once && q[i].duration > x->II);
        TABLE_SAW(m, ss_flat, !q[i].at_once && fabsl(q[i].duration - x->II) < 1e-12L);
        TABLE_SAW(m, ss_lag, lagged && q[i].lag < x->II);
        TABLE_SAW(m, ss_lag_long, q[i].lag > x->II);
        TABLE_SAW(m, ss_lag_infusion, lagged && !q[i].at_once && q[i].duration > x->II);
    }
    for (int i = 0; i < n; i++) {
        TABLE_SAW(m, ss_released, q[i].shape > 0);
        TABLE_SAW(m, ss_released_long, q[i].shape > 0 && q[i].shape / q[i].ktr > 1.5L * x->II);
    }
    TABLE_SAW(m, ss_2_released, x->SS == 2 && r->n_releasing > 0);
    for (int i = 0; i < m->n_compartments; i++)
        TABLE_SAW(m, ss_off, !r->on[i]);
    TABLE_SAW(m, ss_two_drugs, m->n_drugs == 2);
    TABLE_SAW(m, ss_wiped, x->SS != 2 && r->n_pending > 0);
    TABLE_SAW(m, ss_2_keeps, x->SS == 2 && r->n_pending > 0);
    TABLE_SAW(m, ss_turnover, m->linear && m->n_turnovers > 0);
    TABLE_SAW(m, ss_nonlinear, !m->linear);
}

/* The steady state of a constant infusion is that of a cycle in which it never stops. */
static void reach_steady_state(struct reference *r, const struct record *x, struct input *q, int n)
{
    static struct run_in c;
    static struct releasing kept[MOST_RELEASING];
    int n_kept = x->SS == 2 ? r->n_releasing : 0;
    memcpy(kept, r->releasing, (size_t)n_kept * sizeof *kept);
    real base[MOST_STATES], with[MOST_STATES], without[MOST_STATES] = {0};
    bool constant = x->AMT == 0, added = x->SS == 2;
    see_steady(r, x, q, n);
    memcpy(base, r->x, sizeof base);
    if (!added) {
        r->n_pending = r->n_running = r->n_nominal = 0;
        r->given = INFINITY;
    }
    for (int i = 0; i < n; i++)
        r->on[q[i].state] = true;
    assemble(r, x->TIME);
    for (int i = 0; i < n && constant; i++) {
        q[i].lag = 0;
        q[i].duration = 8;
    }
    c = (struct run_in){.input = q, .n = n, .II = constant ? 8 : x->II, .constants = !added || !r->m->linear};
    plan_cycle(r, &c);
    run_in(r, &c, with);
    if (added && !r->m->linear) {
        struct run_in rest = {.II = c.II, .constants = true};
        plan_cycle(r, &rest);
        run_in(r, &rest, without);
    }
    for (int i = 0; i < r->m->n_states; i++)
        r->x[i] = added ? base[i] + with[i] - without[i] : with[i];
    memcpy(r->releasing, kept, (size_t)n_kept * sizeof *kept);
    r->n_releasing = n_kept;
    if (!constant)
        leave_behind(r, &c, x->TIME);
    notice(r);
}

/* ---- Records ---- */

static struct input input_of(const struct reference *r, const struct record *x, const struct part *p)
{
    real F = p->F == NONE ? 1 : r->value[p->F], share = p->fraction > 0 ? p->fraction : 1;
    double RATE = x->RATE;
    struct input q = {.state = p->state, .lag = p->lag == NONE ? 0 : (double)r->value[p->lag]};
    real amount = (real)x->AMT * share;
    int length = RATE == -2 ? (p->duration != NONE ? p->duration : p->zero_order) : RATE == 0 ? p->zero_order : NONE;
    if (x->AMT == 0) {
        q.rate = RATE == -1 ? r->value[p->rate] : (real)RATE * share;
    } else if (x->DUR > 0 || length != NONE) {
        q.duration = x->DUR > 0 ? (real)x->DUR : r->value[length];
        q.rate = F * amount / q.duration;
    } else if (RATE == 0) {
        q.at_once = true;
        q.amount = F * amount;
        q.shape = p->shape;
        q.ktr = p->shape > 0 ? r->value[p->ktr] : 0;
    } else {
        real given = RATE == -1 ? r->value[p->rate] : (real)RATE * share;
        q.rate = r->m->scales_rate ? F * given : given;
        q.duration = (r->m->scales_rate ? 1 : F) * amount / given;
    }
    return q;
}

static void see_dose(const struct reference *r, const struct record *x, const struct route *route)
{
    const struct random_model *m = r->m;
    int way = route ? route->n_parts : 0;
    bool infused = x->RATE != 0 || x->DUR > 0;
    TABLE_SAW(m, bolus, !infused);
    TABLE_SAW(m, rate, x->RATE > 0);
    TABLE_SAW(m, dur, x->DUR > 0);
    TABLE_SAW(m, rate_1, x->RATE == -1 && x->AMT > 0);
    TABLE_SAW(m, rate_2, x->RATE == -2);
    TABLE_SAW(m, default_dose, x->CMT == 0);
    TABLE_SAW(m, named_cmt, x->CMT > 0 && r->t->named);
    TABLE_SAW(m, other_cmt, x->CMT > 0 && x->CMT - 1 != m->route[m->default_route].part[0].state);
    TABLE_SAW(m, plain_cmt, way == 0);
    TABLE_SAW(m, parts, way > 1);
    TABLE_SAW(m, spread_parts, way > 1 && route->part[0].state != route->part[1].state);
    TABLE_SAW(m, addl, x->ADDL > 0);
    TABLE_SAW(m, ss_1, x->SS == 1);
    TABLE_SAW(m, ss_2, x->SS == 2);
    TABLE_SAW(m, ss_3, x->SS == 3);
    TABLE_SAW(m, ss_addl, x->SS > 0 && x->ADDL > 0);
    TABLE_SAW(m, ss_reset, x->SS > 0 && x->EVID == 4);
    TABLE_SAW(m, ss_bolus, x->SS > 0 && !infused);
    TABLE_SAW(m, ss_infusion, x->SS > 0 && (x->RATE > 0 || x->DUR > 0) && x->AMT > 0);
    TABLE_SAW(m, ss_rate_1, x->SS > 0 && x->RATE == -1 && x->AMT > 0);
    TABLE_SAW(m, ss_rate_2, x->SS > 0 && x->RATE == -2);
    TABLE_SAW(m, ss_constant, x->AMT == 0 && x->RATE > 0);
    TABLE_SAW(m, ss_constant_1, x->AMT == 0 && x->RATE == -1);
    TABLE_SAW(m, ss_constant_2, x->AMT == 0 && x->SS == 2);
    for (int k = 0; k < way; k++) {
        const struct part *p = &route->part[k];
        TABLE_SAW(m, zero_order, p->zero_order != NONE && !infused);
        TABLE_SAW(m, released, p->shape > 0);
        TABLE_SAW(m, F, p->F != NONE);
        TABLE_SAW(m, F_above_1, p->F != NONE && r->value[p->F] > 1);
        TABLE_SAW(m, scales_rate, p->F != NONE && m->scales_rate && (x->RATE > 0 || x->RATE == -1));
        TABLE_SAW(m, lag, p->lag != NONE);
        TABLE_SAW(m, lag_above_II, p->lag != NONE && x->ADDL > 0 && x->SS == 0 && r->value[p->lag] > x->II);
        TABLE_SAW(m, lag_survives, p->lag != NONE && x->EVID == 4);
    }
}

static void note_given(struct reference *r, const struct record *x)
{
    r->given = x->TIME;
    for (int a = 1; a <= x->ADDL; a++) {
        assert_true(r->n_nominal < MOST_ARRIVALS);
        r->nominal[r->n_nominal++] = x->TIME + a * x->II;
    }
}

static void give(struct reference *r, const struct record *x)
{
    int way = route_of(r->m, x->CMT == 0 ? NONE : x->CMT - 1);
    const struct part plain = {x->CMT - 1, 0, NONE, NONE, NONE, NONE, NONE, 0, NONE};
    const struct route *route = way == NONE ? NULL : &r->m->route[way];
    struct input q[MOST_INPUTS];
    int n = route ? route->n_parts : 1;
    see_dose(r, x, route);
    for (int k = 0; k < n; k++)
        q[k] = input_of(r, x, route ? &route->part[k] : &plain);
    if (x->SS > 0)
        reach_steady_state(r, x, q, n);
    if (drug_of(r->m, q[0].state) == 0)
        note_given(r, x);
    if (x->AMT == 0)
        return;
    for (int k = 0; k < n; k++)
        for (int a = 0; a <= x->ADDL; a++) {
            TABLE_SAW(r->m, addl_overlap, a == 1 && !q[k].at_once && q[k].duration > x->II);
            if (a == 0 && q[k].lag == 0)
                enter(r, &q[k], x->TIME);
            else
                add_pending(r, (struct arrival){x->TIME + a * x->II + q[k].lag, q[k].lag == 0, q[k].lag > 0 && a == 0,
                                                a > 0, q[k]});
        }
}

static void reset(struct reference *r, const struct record *x)
{
    const struct random_model *m = r->m;
    TABLE_SAW(m, reset_pending, r->n_pending > 0);
    TABLE_SAW(m, reset_running, r->n_running > 0);
    for (int k = 0; k < r->n_pending; k++) {
        TABLE_SAW(m, reset_lagged, r->pending[k].lagged);
        TABLE_SAW(m, reset_at_arrival, r->pending[k].time == x->TIME);
    }
    TABLE_SAW(m, reset_back, r->at > 0 && x->TIME < r->clock);
    TABLE_SAW(m, reset_released, r->n_releasing > 0);
    r->n_pending = r->n_running = r->n_releasing = r->n_nominal = 0;
    r->clock = x->TIME;
    r->given = INFINITY;
    for (int i = 0; i < m->n_states; i++) {
        r->on[i] = true;
        r->x[i] = i < m->n_compartments && m->initial[i] != NONE ? r->value[m->initial[i]] : 0;
    }
    for (int i = 0; i < m->n_turnovers; i++) {
        const struct turnover *s = &m->turnover[i];
        r->x[s->state] = s->initial != NONE ? r->value[s->initial] : r->value[s->kin] / r->value[s->kout];
    }
    assemble(r, x->TIME);
}

static void stop_releases(struct reference *r, int state)
{
    int n = 0;
    for (int k = 0; k < r->n_releasing; k++) {
        TABLE_SAW(r->m, off_released, r->releasing[k].input.state == state);
        if (r->releasing[k].input.state != state)
            r->releasing[n++] = r->releasing[k];
    }
    r->n_releasing = n;
}

static void switch_compartment(struct reference *r, int CMT)
{
    int i = abs(CMT) - 1, n = 0;
    TABLE_SAW(r->m, on_again, CMT > 0 && !r->on[i]);
    TABLE_SAW(r->m, off, CMT < 0);
    r->on[i] = CMT > 0;
    for (int k = 0; k < r->n_running && CMT < 0; k++) {
        TABLE_SAW(r->m, off_infusion, r->running[k].state == i);
        if (r->running[k].state != i)
            r->running[n++] = r->running[k];
    }
    if (CMT < 0) {
        r->n_running = n;
        r->x[i] = 0;
        stop_releases(r, i);
    }
    assemble(r, r->clock);
}

static void see_record(const struct reference *r, const struct record *x)
{
    const struct random_model *m = r->m;
    static const enum record_feature evid[] = {SEEN_evid_0, SEEN_evid_1, SEEN_evid_2, SEEN_evid_3, SEEN_evid_4};
    m->seen[x->EVID == 8 ? SEEN_evid_8 : evid[x->EVID]]++;
    if (r->at == 0)
        return;
    bool tied = x->TIME == x[-1].TIME, dose = x->EVID == 1 || x->EVID == 4, dosed = x[-1].EVID == 1 || x[-1].EVID == 4;
    TABLE_SAW(m, tad, m->tad && r->given <= x->TIME);
    TABLE_SAW(m, tie, tied);
    TABLE_SAW(m, tie_dose_after, tied && dose && x[-1].EVID == 0);
    TABLE_SAW(m, tie_dose_before, tied && dosed && x->EVID == 0);
    TABLE_SAW(m, occasion, x->OCC != x[-1].OCC);
    for (int c = 0; c < N_COVARIATES; c++) {
        static const enum record_feature rule[] = {SEEN_covariate_next, SEEN_covariate_previous,
                                                   SEEN_covariate_interpolate};
        if (x->covariate[c] != x[-1].covariate[c] && !isnan(x->covariate[c]) && !isnan(x[-1].covariate[c])) {
            m->seen[rule[m->rule[c]]]++;
            TABLE_SAW(m, covariate, true);
            TABLE_SAW(m, covariate_class, c == FED);
        }
        TABLE_SAW(m, covariate_gap, isnan(x->covariate[c]));
    }
}

static void apply(struct reference *r, const struct record *x)
{
    if (x->EVID == 3 || x->EVID == 4)
        reset(r, x);
    if (x->EVID == 1 || x->EVID == 4)
        give(r, x);
    else if (x->EVID == 2 && x->CMT != 0)
        switch_compartment(r, x->CMT);
    else if (x->EVID == 8) {
        TABLE_SAW(r->m, replaced_released, r->n_releasing > 0);
        TABLE_SAW(r->m, replaced_off, !r->on[x->CMT - 1]);
        r->on[x->CMT - 1] = true;
        assemble(r, x->TIME);
        r->x[x->CMT - 1] = x->AMT;
    }
}

/* y[i * n_outputs + o] after record i: concentrations of the compartments with a volume, all states, time after dose;
 * returns n_outputs. peak[o] is the largest value each output ever had. eta by occasion and drug. */
static int refer(const struct random_model *m, const struct table *t, const double (*eta)[2][N_ETAS], double *y,
                 double *peak)
{
    static struct reference r;
    memset(&r, 0, offsetof(struct reference, pending));
    r.n_running = r.n_releasing = 0;
    r.m = m;
    r.t = t;
    r.eta = eta;
    r.n_outputs = m->n_states + m->tad;
    memset(r.peak, 0, sizeof r.peak);
    for (int i = 0; i < m->n_compartments; i++)
        r.n_outputs += m->volume[i] != NONE;
    fill_gaps(&r);
    for (int i = 0; i < t->n; i++) {
        const struct record *x = &t->record[i];
        r.at = (size_t)i;
        see_record(&r, x);
        if (i == 0) {
            values_at(&r, 0);
            reset(&r, x);
        } else if (x->EVID != 3 && x->EVID != 4) {
            values_within(&r, (size_t)i, r.clock, true);
            advance(&r, x->TIME);
        }
        values_at(&r, (size_t)i);
        apply(&r, x);
        notice(&r);
        outputs_of(&r, &y[i * r.n_outputs]);
    }
    memcpy(peak, r.peak, sizeof r.peak);
    return r.n_outputs;
}

#endif
