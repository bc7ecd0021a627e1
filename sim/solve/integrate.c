/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What isn't linear, integrated by GSL's odeiv2.
 *
 * y' = f(t, x(t), y) + infusions, x(t) exact. The error of a step is held below
 * tolerance times the largest |y| the state has had (or is reaching in this
 * step): amounts that have become small against their peak aren't resolved to
 * more digits than the peak. GSL's own controls know fixed scales only, so the
 * control here is ours, with GSL's rule for the next step (S = 0.9, at most fivefold).
 *
 * Steps don't land on output times. A quintic Hermite polynomial p joins the ends
 * of a step from y, y' and y'' (y'' by forward-mode differentiation, exactly). Its
 * error is C s^3 (1-s)^3, so its slope is wrong most at s* = (5 -+ sqrt 5)/10, and
 *     max |error| = 0.29 h |p'(s*) - f(s*, p(s*))|:
 * where that exceeds the tolerance, the step is taken again, shorter when someone
 * wants to see every instant, else ending on the output time. Multistep methods
 * would lose their memory, they always land on output times.
 *
 * Doses that enter by a course of their own are no part of y while a step is taken, but of the states that rates are
 * computed from (releases.c); at the end of every run y has them in it. */
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

#include "solve/lane.h"

/* Of the unit a state is shown in: below this it is noise. A state that rises from 0 after a dose follows
 * concentrations that are themselves differences of large terms, and has no relative digits yet. */
#define SMALLEST_SHARE 1e-9
#define SMALLEST_SCALE 1e-30     /* engine's units, for states without a unit */
#define MAX_STEPS 2000000u       /* per subject */
#define SHORTEST_STEP 1e-9       /* [h], 4 us: taken whatever its error */
#define MOMENT 0.01              /* [h] */
#define BRIDGE_ERROR 0.3         /* see above: (1/64) / 0.05367 */
#define LANDINGS 8u              /* steps to land on output times after the bridge has failed */

/* Rates of the integrated states; frozen ones stand still. False when one isn't finite. */
static bool rates(struct hl_lane *lane, double *f)
{
    const struct hl_plan *plan = lane->plan;
    bool finite = true;
    for (size_t k = 0; k < plan->n_integrated; k++) {
        const struct hl_state *state = &plan->system->state[plan->integrated[k]];
        f[k] =
            lane->frozen && lane->frozen[k] ? 0 : lane->regs[state->derivative_reg] + lane->rate[plan->integrated[k]];
        finite = finite && isfinite(f[k]);
    }
    return finite;
}

static int rhs(double t, const double y[], double f[], void *params)
{
    struct hl_lane *lane = params;
    hl_lane_set(lane, t, y, NULL, true);
    hl_program_run(lane->plan->rhs, lane->regs, 1);
    return rates(lane, f) ? GSL_SUCCESS : GSL_EDOM; /* the stepper then tries a shorter step */
}

/* f at (t, y), then its total derivative in time d = y''. */
static bool second_derivative(struct hl_lane *lane, double t, const double *y, double *f, double *d)
{
    const struct hl_plan *plan = lane->plan;
    if (rhs(t, y, f, lane) != GSL_SUCCESS)
        return false;
    hl_lane_set(lane, t, y, f, true);
    hl_program_run_dual(plan->rhs, lane->regs, lane->dregs, 1);
    for (size_t k = 0; k < plan->n_integrated; k++)
        d[k] =
            lane->frozen && lane->frozen[k] ? 0 : lane->dregs[plan->system->state[plan->integrated[k]].derivative_reg];
    return true;
}

/* df_i/dy_j one column at a time, and df/dt, by forward-mode differentiation. */
static int jacobian(double t, const double y[], double *dfdy, double dfdt[], void *params)
{
    struct hl_lane *lane = params;
    const struct hl_plan *plan = lane->plan;
    size_t n = plan->n_integrated;
    memset(lane->f, 0, n * sizeof *lane->f);
    hl_lane_set(lane, t, y, lane->f, true); /* clocks and linear states move, y doesn't: the derivative in t alone */
    for (size_t j = 0; j <= n; j++) {
        if (j > 0) {
            hl_lane_set(lane, t, y, NULL, true);
            for (size_t s = 0; s < plan->system->n_instances; s++)
                if (plan->system->instance[s].tad_reg >= 0)
                    lane->dregs[plan->system->instance[s].tad_reg] = 0;
            lane->dregs[plan->system->time_reg] = 0;
            lane->dregs[plan->system->state[plan->integrated[j - 1]].reg] = 1;
        }
        hl_program_run_dual(plan->rhs, lane->regs, lane->dregs, 1);
        for (size_t i = 0; i < n; i++) {
            double slope = lane->dregs[plan->system->state[plan->integrated[i]].derivative_reg];
            slope = lane->frozen && lane->frozen[i] ? 0 : slope;
            *(j == 0 ? &dfdt[i] : &dfdy[i * n + j - 1]) = slope;
        }
    }
    return GSL_SUCCESS;
}

/* Not h |dy/dt|: after a step that has run away, products of states make it far larger than the error it should show.
 * What rises from 0 within the step is measured by the value at its end. A state that receives releases is as large as
 * rates saw it last, with what they have brought. */
static double scale_of(const struct hl_lane *lane, double y, size_t k)
{
    const struct hl_state *state = &lane->plan->system->state[lane->plan->integrated[k]];
    double noise = SMALLEST_SHARE * state->unit.factor;
    double size = lane->releases.n > 0 && state->released ? lane->regs[state->reg] : y;
    return fmax(fmax(lane->scale[k], fmax(noise, SMALLEST_SCALE)), fabs(size));
}

/* Not below what rounding of a release leaves of a state that is small beside its dose. */
static double tolerance_of(const struct hl_lane *lane)
{
    return lane->releases.n > 0 ? fmax(lane->tolerance, lane->release_noise) : lane->tolerance;
}

static int control_adjust(void *state, size_t n, unsigned int order, const double y[], const double error[],
                          const double dydt[], double *h)
{
    (void)dydt;
    const struct hl_lane *lane = state;
    double worst = 0, old = *h;
    for (size_t k = 0; k < n; k++) {
        double ratio = fabs(error[k]) / (tolerance_of(lane) * scale_of(lane, y[k], k));
        if (!(ratio <= worst) && !isnan(worst)) /* NaN is worst, and stays it */
            worst = ratio;
    }
    if (!isfinite(worst)) {
        *h = 0.2 * old;
        return GSL_ODEIV_HADJ_DEC;
    }
    if (worst > 1.1 && old <= SHORTEST_STEP)
        return GSL_ODEIV_HADJ_NIL;
    if (worst > 1.1) {
        *h = old * fmax(0.2, 0.9 / pow(worst, 1.0 / order));
        return GSL_ODEIV_HADJ_DEC;
    }
    if (worst < 0.5) {
        *h = old * fmin(5, fmax(1, 0.9 / pow(worst, 1.0 / (order + 1.0))));
        return GSL_ODEIV_HADJ_INC;
    }
    return GSL_ODEIV_HADJ_NIL;
}

static int control_level(void *state, const double y, const double dydt, const double h, const size_t k, double *level)
{
    (void)dydt, (void)h;
    const struct hl_lane *lane = state;
    *level = tolerance_of(lane) * scale_of(lane, y, k);
    return GSL_SUCCESS;
}

static void *control_alloc(void) { return NULL; }

static int control_init(void *state, double a, double b, double c, double d)
{
    (void)state, (void)a, (void)b, (void)c, (void)d;
    return GSL_SUCCESS;
}

static int control_set_driver(void *state, const gsl_odeiv2_driver *driver)
{
    (void)state, (void)driver;
    return GSL_SUCCESS;
}

static void control_free(void *state) { (void)state; }

static const gsl_odeiv2_control_type control_type = {"peak", control_alloc, control_init, control_adjust,
                                                     control_level, control_set_driver, control_free};

/* GSL's gsl_odeiv2_control_alloc asks the type for a state and takes NULL for a failure; ours is the lane itself. */
static gsl_odeiv2_control control_of(struct hl_lane *lane)
{
    return (gsl_odeiv2_control){.type = &control_type, .state = lane};
}

enum hl_status hl_integrator_init(struct hl_lane *lane)
{
    size_t n = lane->plan->n_integrated;
    lane->quadrature = gsl_integration_workspace_alloc(200);
    if (!lane->quadrature)
        return HL_ERR_MEMORY;
    if (n == 0)
        return HL_OK;
    lane->system = (gsl_odeiv2_system){.function = rhs, .jacobian = jacobian, .dimension = n, .params = lane};
    lane->step = gsl_odeiv2_step_alloc(lane->plan->stepper, n);
    lane->evolve = gsl_odeiv2_evolve_alloc(n);
    lane->control = hl_alloc(1, sizeof *lane->control);
    if (!lane->step || !lane->evolve || !lane->control)
        return HL_ERR_MEMORY;
    *lane->control = control_of(lane);
    lane->driver = (gsl_odeiv2_driver){.sys = &lane->system, .s = lane->step, .c = lane->control, .e = lane->evolve};
    gsl_odeiv2_step_set_driver(lane->step, &lane->driver);
    return HL_OK;
}

void hl_integrator_clear(struct hl_lane *lane)
{
    if (lane->evolve)
        gsl_odeiv2_evolve_free(lane->evolve);
    if (lane->step)
        gsl_odeiv2_step_free(lane->step);
    hl_free(lane->control);
    if (lane->quadrature)
        gsl_integration_workspace_free(lane->quadrature);
}

void hl_integrator_reset(struct hl_lane *lane)
{
    if (lane->plan->n_integrated == 0)
        return;
    gsl_odeiv2_evolve_reset(lane->evolve);
    gsl_odeiv2_step_reset(lane->step);
    lane->bridge.has_end = false;
}

void hl_bridge_at(const struct hl_bridge *b, size_t n, double t, double *y, double *dydt)
{
    double h = b->t1 - b->t0, s = (t - b->t0) / h, s2 = s * s, s3 = s2 * s, q = 1 - s;
    double rise = s3 * (10 - 15 * s + 6 * s2);
    double f0 = s * q * q * q * (1 + 3 * s), f1 = -s3 * q * (4 - 3 * s);
    double d0 = 0.5 * s2 * q * q * q, d1 = 0.5 * s3 * q * q;
    for (size_t k = 0; k < n; k++)
        y[k] = b->y0[k] + rise * (b->y1[k] - b->y0[k]) + h * (f0 * b->f0[k] + f1 * b->f1[k])
               + h * h * (d0 * b->d0[k] + d1 * b->d1[k]);
    if (!dydt)
        return;
    double drise = 30 * s2 * q * q / h, g0 = q * q * (1 + 2 * s - 15 * s2), g1 = s2 * (-12 + 28 * s - 15 * s2);
    double e0 = 0.5 * s * q * q * (2 - 5 * s), e1 = 0.5 * s2 * q * (3 - 5 * s);
    for (size_t k = 0; k < n; k++)
        dydt[k] = drise * (b->y1[k] - b->y0[k]) + g0 * b->f0[k] + g1 * b->f1[k] + h * (e0 * b->d0[k] + e1 * b->d1[k]);
}

/* Largest error of the bridge in units of what is allowed; NaN when it can't be had. */
static double bridge_error(struct hl_lane *lane)
{
    static const double where[] = {0.27639320225002103, 0.72360679774997897};
    const struct hl_bridge *b = &lane->bridge;
    size_t n = lane->plan->n_integrated;
    double worst = 0, h = b->t1 - b->t0;
    for (size_t p = 0; p < 2; p++) {
        double t = b->t0 + where[p] * h;
        hl_bridge_at(b, n, t, lane->at, lane->f);
        /* rates() overwrites its target only after all inputs are set, so y_before can serve as scratch here */
        if (rhs(t, lane->at, lane->y_before, lane) != GSL_SUCCESS)
            return NAN;
        for (size_t k = 0; k < n; k++) {
            double error = BRIDGE_ERROR * h * fabs(lane->f[k] - lane->y_before[k]);
            double scale = scale_of(lane, fmax(fabs(lane->at[k]), fabs(b->y1[k])), k);
            worst = fmax(worst, error / (tolerance_of(lane) * scale));
        }
    }
    return worst;
}

/* Makes the bridge of the step just taken; false when its ends have no finite slopes. */
static bool build_bridge(struct hl_lane *lane, double t0)
{
    struct hl_bridge *b = &lane->bridge;
    size_t bytes = lane->plan->n_integrated * sizeof(double);
    bool follows = b->has_end && b->t1 == t0; /* the very point where the last one ended */
    if (follows) {
        memcpy(b->f0, b->f1, bytes);
        memcpy(b->d0, b->d1, bytes);
    }
    b->has_end = false;
    memcpy(b->y0, lane->y_before, bytes);
    memcpy(b->y1, lane->y, bytes);
    b->t0 = t0;
    b->t1 = lane->t;
    if (!follows && !second_derivative(lane, b->t0, b->y0, b->f0, b->d0))
        return false;
    return b->has_end = second_derivative(lane, b->t1, b->y1, b->f1, b->d1);
}

/* One accepted step from lane->t towards stop. */
static enum hl_subject_status one_step(struct hl_lane *lane, double stop)
{
    if (lane->n_steps++ >= MAX_STEPS)
        return HL_SUBJECT_TOO_MANY_STEPS;
    double before = lane->t;
    memcpy(lane->y_before, lane->y, lane->plan->n_integrated * sizeof *lane->y);
    int status = gsl_odeiv2_evolve_apply(lane->evolve, lane->control, lane->step, &lane->system, &lane->t, stop,
                                         &lane->h, lane->y);
    for (size_t k = 0; k < lane->plan->n_integrated; k++)
        if (!isfinite(lane->y[k]))
            return HL_SUBJECT_NOT_FINITE;
    if (status != GSL_SUCCESS)
        return status == GSL_EDOM || status == GSL_EBADFUNC ? HL_SUBJECT_NOT_FINITE : HL_SUBJECT_STEP_TOO_SMALL;
    return lane->t > before ? HL_SUBJECT_GOOD : HL_SUBJECT_STEP_TOO_SMALL;
}

static void step_back(struct hl_lane *lane, double t0, double h)
{
    memcpy(lane->y, lane->bridge.y0, lane->plan->n_integrated * sizeof *lane->y);
    lane->t = t0;
    lane->h = h;
    struct hl_bridge *b = &lane->bridge;
    gsl_odeiv2_evolve_reset(lane->evolve);
    gsl_odeiv2_step_reset(lane->step);
    /* slopes at t0 are known: let the next bridge find them as the end of a last one */
    memcpy(b->f1, b->f0, lane->plan->n_integrated * sizeof *b->f0);
    memcpy(b->d1, b->d0, lane->plan->n_integrated * sizeof *b->d0);
    b->t1 = t0;
    b->has_end = true;
}

/* The next output time after t, or stop when none comes before. */
static double next_landing(const struct hl_lane *lane, double stop)
{
    for (size_t k = lane->next; k < lane->n_times && lane->time[k] < stop; k++)
        if (lane->time[k] > lane->t)
            return lane->time[k];
    return stop;
}

static bool wants_all(const struct hl_lane *lane)
{
    return lane->listener && lane->listener->wants_segments;
}

/* True when the step t0 .. lane->t may be looked into; else the lane is put back for another try. */
static bool bridge_holds(struct hl_lane *lane, double t0)
{
    bool good = build_bridge(lane, t0);
    if (!lane->plan->one_step)
        return true;
    double error = good ? bridge_error(lane) : INFINITY, h = lane->t - t0;
    double factor = fmin(5, 0.9 * pow(fmax(error, 1e-12), -1.0 / 6)); /* the bridge is of order 6 */
    bool shortest = h <= 1e-12 * fmax(1, fabs(t0));
    if (error <= 1 || (wants_all(lane) && shortest)) {
        lane->step_cap = h * fmax(factor, 1);
        return true;
    }
    if (wants_all(lane)) {
        step_back(lane, t0, h * fmin(0.9, fmax(0.1, isfinite(factor) ? factor : 0.1)));
        return false;
    }
    step_back(lane, t0, h);
    lane->landing = LANDINGS;
    return false;
}

/* Brings y up to date with what releases have brought, which multistep methods can't take without forgetting; how far
 * the lane may go now. */
static double renew_releases(struct hl_lane *lane, double stop)
{
    if (lane->releases.n > 0 && !lane->plan->one_step) {
        hl_releases_settle(lane);
        hl_integrator_reset(lane);
    }
    return hl_releases_until(lane, stop);
}

enum hl_subject_status hl_integrator_run(struct hl_lane *lane, double stop)
{
    if (lane->h <= 0)
        lane->h = fmin(HL_FIRST_STEP, stop - lane->t);
    double until = hl_releases_until(lane, stop);
    while (lane->t < stop) {
        if (lane->plan->one_step || lane->t >= until)
            until = renew_releases(lane, stop);
        hl_lane_sample(lane, lane->t, true);
        double t0 = lane->t, target = until;
        bool lands = !wants_all(lane) && (lane->landing > 0 || lane->plan->everything);
        if (lands || !lane->plan->one_step)
            target = next_landing(lane, until);
        else
            lane->h = fmin(lane->h, lane->step_cap);
        lane->h = hl_releases_step(lane, lane->h);
        enum hl_subject_status status = one_step(lane, target);
        if (status != HL_SUBJECT_GOOD)
            return status;
        bool looked_into = wants_all(lane) || (lane->next < lane->n_times && lane->time[lane->next] < lane->t
                                               && lane->time[lane->next] > t0);
        if (looked_into && !bridge_holds(lane, t0))
            continue;
        if (!looked_into)
            lane->step_cap = INFINITY;
        lane->landing -= lane->landing > 0;
        if (!hl_releases_look(lane))
            return HL_SUBJECT_BAD_PARAMETERS;
        for (size_t k = 0; k < lane->plan->n_integrated; k++)
            lane->scale[k] = fmax(lane->scale[k], fabs(lane->y[k] + (lane->released ? lane->released[k] : 0)));
        hl_lane_sample(lane, lane->t, false);
        if (wants_all(lane))
            hl_lane_tell_segment(lane, t0, lane->t);
        if (lane->plan->one_step)
            hl_releases_settle(lane);
    }
    if (!lane->plan->one_step)
        renew_releases(lane, stop);
    return HL_SUBJECT_GOOD;
}
