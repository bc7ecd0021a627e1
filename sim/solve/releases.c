/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doses that enter by a stated course.
 *
 * The state A that receives doses D_i by the courses R_i(t - t_i), R the cumulated fraction, obeys
 *     A' = f(t, A) + sum_i D_i R_i'(t - t_i).
 * What is integrated is B = A - sum_i D_i (R_i(t - t_i) - R_i(base)), for which
 *     B' = f(t, B + sum_i D_i (R_i(t - t_i) - R_i(base))):
 * no density appears. A density that is infinite at first (Weibull with beta < 1, transit compartments with n < 0), a
 * narrow peak, even a jump of R are met by their finite differences; the integrator can't lose or make drug, whatever
 * its tolerance, and doses add up exactly. B is brought up to date (B = A) after every step of a one-step method and at
 * every event, so that A isn't the small difference of large numbers.
 *
 * Steps. No step lets more than SHARE of a dose in: R being known in advance and rising, the step is halved until that
 * holds, so that a narrow release is never stepped over, only walked through under the integrator's own control of
 * error. Each begins with a short step, for R may be steepest at 0.
 *
 * The slope R' is needed for y'' and the Jacobian of implicit methods, and as the slope of outputs. It is had by
 * forward-mode differentiation, in the first 4 microseconds at their end: there it may be infinite, or 0/0.
 *
 * A dose is dropped when what is left of it, R(end) - R, is below the rounding of the dose itself; that rest enters
 * then. R(end) is R after 1e15 h: a release needn't be complete.
 *
 * R close to 1 is rounded like 1, and so what is left of a dose is known to 1e-16 of the dose only: a state that is
 * much smaller than a dose that has almost entered can't be integrated to more digits than that leaves
 * (release_noise).
 *
 * A dose's own values (the inputs of R) are those of the time it was given, so that it enters whole whatever happens to
 * covariates meanwhile. */
#include "solve/releases.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/lane.h"

#define SHARE 0.125          /* of a dose per step */
#define GONE 1e-15           /* of a dose */
#define NOISE 1e-15          /* of what has entered of a dose */
#define SLACK 1e-9           /* rounding of R */
#define FOR_EVER 1e15        /* [h] */
#define FIRST_MOMENT 1e-9    /* [h]: slopes aren't taken earlier */
#define SHORTEST_STEP 1e-9   /* [h]: a jump of R isn't resolved further */
#define MOST_BEFORE 100000.0 /* cycles back for the doses under way in a steady state */

/* ---- Lists */

enum hl_status hl_release_list_reserve(struct hl_release_list *list, size_t n)
{
    if (n <= list->capacity)
        return HL_OK;
    size_t capacity = n > 2 * list->capacity ? n : 2 * list->capacity;
    struct hl_released_dose *dose = hl_grow(list->dose, list->capacity, capacity, sizeof *dose);
    if (!dose)
        return HL_ERR_MEMORY;
    list->dose = dose;
    list->capacity = capacity;
    return HL_OK;
}

enum hl_status hl_release_list_append(struct hl_release_list *list, const struct hl_release_list *more)
{
    enum hl_status status = hl_release_list_reserve(list, list->n + more->n);
    if (status != HL_OK || more->n == 0)
        return status;
    memcpy(list->dose + list->n, more->dose, more->n * sizeof *list->dose);
    list->n += more->n;
    return HL_OK;
}

void hl_release_list_clear(struct hl_release_list *list)
{
    hl_free(list->dose);
    *list = (struct hl_release_list){0};
}

size_t hl_releases_count(const struct hl_event *event, size_t n)
{
    size_t count = 0;
    for (size_t k = 0; k < n; k++)
        count += event[k].kind == HL_EVENT_RELEASE;
    return count;
}

/* ---- One course */

static void set_inputs(double *regs, const struct hl_released_dose *dose, double tad)
{
    const struct hl_release *release = dose->release;
    for (size_t i = 0; i < release->n_inputs; i++)
        regs[release->input[i]] = dose->input[i];
    regs[release->tad_reg] = tad;
}

double hl_release_fraction(double *regs, const struct hl_release_list *list, size_t k, double tad)
{
    const struct hl_released_dose *dose = &list->dose[k];
    set_inputs(regs, dose, tad);
    hl_program_run(&dose->release->program, regs, 1);
    return regs[dose->release->released_reg];
}

static double fraction_at(struct hl_lane *lane, size_t k, double t)
{
    return hl_release_fraction(lane->release_regs, &lane->releases, k, t - lane->releases.dose[k].since);
}

/* R' at t. */
static double density_at(struct hl_lane *lane, size_t k, double t)
{
    const struct hl_released_dose *dose = &lane->releases.dose[k];
    double *regs = lane->release_regs, *dregs = lane->release_dregs;
    set_inputs(regs, dose, fmax(t - dose->since, FIRST_MOMENT));
    dregs[dose->release->tad_reg] = 1;
    hl_program_run_dual(&dose->release->program, regs, dregs, 1);
    return dregs[dose->release->released_reg];
}

/* Sets R of the last dose of a list, at tad and in the end. */
static void look_at_last(double *regs, struct hl_release_list *list, double tad)
{
    struct hl_released_dose *dose = &list->dose[list->n - 1];
    double end = hl_release_fraction(regs, list, list->n - 1, FOR_EVER);
    dose->end = isfinite(end) ? end : 1;
    dose->base = dose->now = hl_release_fraction(regs, list, list->n - 1, tad);
}

/* ---- Where a list comes from */

/* The doses that have been given at ages age, age + period, ... and that are under way. */
static enum hl_status add_earlier(const struct hl_lane *lane, struct hl_released_dose dose, double age, double period,
                                  struct hl_release_list *list, bool *endless)
{
    for (double n = 0; n < MOST_BEFORE; n++) {
        enum hl_status status = hl_release_list_reserve(list, list->n + 1);
        if (status != HL_OK)
            return status;
        dose.since = -(age + n * period);
        list->dose[list->n++] = dose;
        look_at_last(lane->release_regs, list, -dose.since);
        if (list->dose[list->n - 1].end - list->dose[list->n - 1].now > GONE)
            continue;
        list->n--;
        return HL_OK;
    }
    *endless = true;
    return HL_OK;
}

enum hl_status hl_releases_before(const struct hl_lane *lane, const struct hl_events *cycle, double phase,
                                  double period, const double *regs, size_t lanes, size_t number,
                                  struct hl_release_list *list, bool *endless)
{
    enum hl_status status = HL_OK;
    for (size_t k = 0; status == HL_OK && k < cycle->n; k++) {
        const struct hl_event *event = &cycle->event[k];
        if (event->kind != HL_EVENT_RELEASE || lane->plan->integrated_of[event->state] < 0)
            continue;
        const struct hl_release *release = event->release;
        struct hl_released_dose dose = {.release = release, .place = lane->plan->integrated_of[event->state],
                                        .amount = event->value};
        for (size_t i = 0; i < release->n_inputs; i++)
            dose.input[i] = hl_reg(regs, lanes, number, release->input[i], 0);
        bool passed = event->time < phase;
        status = add_earlier(lane, dose, phase - event->time + (passed ? 0 : period), period, list, endless);
    }
    return status;
}

void hl_releases_restart(struct hl_lane *lane, const struct hl_release_list *from)
{
    struct hl_release_list *list = &lane->releases;
    list->n = 0;
    lane->release_fault = from->n > list->capacity; /* whoever counts has miscounted */
    lane->tail.active = false;
    lane->tail.retry = -INFINITY;
    for (size_t k = 0; k < from->n && !lane->release_fault; k++) {
        struct hl_released_dose *dose = &list->dose[list->n++];
        *dose = from->dose[k];
        dose->since += lane->t;
        dose->base = dose->now = fraction_at(lane, k, lane->t);
    }
    lane->tail.n_direct = list->n;
    if (lane->released)
        memset(lane->released, 0, lane->plan->n_integrated * sizeof *lane->released);
}

enum hl_status hl_releases_save(const struct hl_lane *lane, struct hl_release_list *list)
{
    size_t n = list->n;
    enum hl_status status = hl_release_list_append(list, &lane->releases);
    for (size_t k = n; k < list->n; k++)
        list->dose[k].since -= lane->t;
    for (size_t k = n; k < list->n; k++)
        list->dose[k].in_tail = false;
    return status;
}

void hl_releases_begin(struct hl_lane *lane, const struct hl_event *event, const double *input)
{
    struct hl_release_list *list = &lane->releases;
    const struct hl_release *release = event->release;
    int place = lane->plan->integrated_of[event->state];
    if (place < 0 || event->value == 0) /* exactly nothing */
        return;
    if (list->n == list->capacity) { /* whoever counts has miscounted */
        lane->release_fault = true;
        return;
    }
    struct hl_released_dose *dose = &list->dose[list->n++];
    *dose = (struct hl_released_dose){.release = release, .place = place, .amount = event->value, .since = lane->t};
    for (size_t i = 0; i < release->n_inputs; i++)
        dose->input[i] = input ? input[i] : lane->regs[release->input[i]];
    look_at_last(lane->release_regs, list, 0);
    if (!(dose->now >= -SLACK && dose->end >= dose->now - SLACK && dose->end <= 1 + SLACK)) {
        list->n--;
        lane->release_fault = true; /* the next look will say so */
        return;
    }
    lane->y[place] += dose->amount * dose->now;
    lane->tail.n_direct++;
    if (lane->h > 0)
        lane->h = fmin(lane->h, HL_FIRST_STEP);
}

/* ---- Between the base and t */

void hl_releases_add(struct hl_lane *lane, double t, bool slope)
{
    const struct hl_plan *plan = lane->plan;
    for (size_t k = 0; k < lane->releases.n; k++) {
        const struct hl_released_dose *dose = &lane->releases.dose[k];
        if (dose->in_tail)
            continue;
        int reg = plan->system->state[plan->integrated[dose->place]].reg;
        lane->regs[reg] += dose->amount * (fraction_at(lane, k, t) - dose->base);
        if (slope)
            lane->dregs[reg] += dose->amount * density_at(lane, k, t);
    }
    if (lane->tail.active)
        hl_release_tail_add(lane, t, NULL, slope);
}

void hl_releases_bring(struct hl_lane *lane, double t, double *y)
{
    for (size_t k = 0; k < lane->releases.n; k++) {
        const struct hl_released_dose *dose = &lane->releases.dose[k];
        if (!dose->in_tail)
            y[dose->place] += dose->amount * (fraction_at(lane, k, t) - dose->base);
    }
    if (lane->tail.active)
        hl_release_tail_add(lane, t, y, false);
}

/* ---- Step by step */

/* The largest noise of all states that doses are entering. */
static void find_noise(struct hl_lane *lane)
{
    double *entered = lane->f; /* scratch at this time */
    memset(entered, 0, lane->plan->n_integrated * sizeof *entered);
    for (size_t k = 0; k < lane->releases.n; k++)
        entered[lane->releases.dose[k].place] += lane->releases.dose[k].amount * lane->releases.dose[k].now;
    lane->release_noise = 0;
    for (size_t k = 0; k < lane->plan->n_integrated; k++)
        if (entered[k] > 0)
            lane->release_noise =
                fmax(lane->release_noise, NOISE * entered[k] / fmax(lane->scale[k], NOISE * entered[k]));
}

double hl_releases_until(struct hl_lane *lane, double stop)
{
    if (lane->releases.n == 0)
        return stop;
    hl_release_tail_make(lane);
    find_noise(lane);
    return lane->tail.active ? fmin(stop, lane->tail.to) : stop;
}

/* The longest step, but for a factor of 2, in which dose k enters by no more than a share. */
static double halve(struct hl_lane *lane, size_t k, double h)
{
    double low = 0, shortest = fmax(SHORTEST_STEP, 8 * DBL_EPSILON * fabs(lane->t));
    while (low < 0.5 * h && h > shortest) {
        double middle = 0.5 * (low + h);
        if (fraction_at(lane, k, lane->t + middle) - lane->releases.dose[k].now <= SHARE)
            low = middle;
        else
            h = middle;
    }
    return fmax(low, fmin(h, shortest));
}

double hl_releases_step(struct hl_lane *lane, double h)
{
    for (size_t k = 0; k < lane->releases.n; k++) {
        const struct hl_released_dose *dose = &lane->releases.dose[k];
        bool may = !dose->in_tail && dose->end - dose->now > SHARE;
        if (may && !(fraction_at(lane, k, lane->t + h) - dose->now <= SHARE))
            h = halve(lane, k, h);
    }
    return h;
}

bool hl_releases_look(struct hl_lane *lane)
{
    if (lane->release_fault)
        return false;
    if (lane->releases.n > 0)
        memset(lane->released, 0, lane->plan->n_integrated * sizeof *lane->released);
    for (size_t k = 0; k < lane->releases.n; k++) {
        struct hl_released_dose *dose = &lane->releases.dose[k];
        if (dose->in_tail)
            continue;
        double R = fraction_at(lane, k, lane->t);
        if (!(R >= dose->now - SLACK && R <= 1 + SLACK))
            return false;
        dose->now = R;
        lane->released[dose->place] += dose->amount * (R - dose->base);
    }
    if (lane->tail.active)
        hl_release_tail_add(lane, lane->t, lane->released, false);
    return true;
}

static bool is_under_way(const struct hl_released_dose *dose)
{
    return dose->in_tail || dose->end - dose->now > GONE;
}

void hl_releases_drop(struct hl_lane *lane)
{
    struct hl_release_list *list = &lane->releases;
    size_t kept = 0;
    for (size_t k = 0; k < list->n; k++) {
        const struct hl_released_dose *dose = &list->dose[k];
        if (!is_under_way(dose))
            lane->y[dose->place] += dose->amount * (dose->end - dose->now);
        else if (kept++ < k)
            list->dose[kept - 1] = *dose;
    }
    lane->tail.n_direct -= list->n - kept; /* what drops isn't in the tail */
    list->n = kept;
}

void hl_releases_settle(struct hl_lane *lane)
{
    if (lane->releases.n == 0)
        return;
    for (size_t k = 0; k < lane->plan->n_integrated; k++) {
        lane->y[k] += lane->released[k];
        lane->released[k] = 0;
    }
    if (lane->tail.active)
        hl_release_tail_settle(lane);
    for (size_t k = 0; k < lane->releases.n; k++)
        lane->releases.dose[k].base = lane->releases.dose[k].now;
    hl_releases_drop(lane);
}

size_t hl_releases_stop(struct hl_lane *lane, int state)
{
    struct hl_release_list *list = &lane->releases;
    size_t n = list->n, kept = 0;
    hl_release_tail_dissolve(lane);
    for (size_t k = 0; k < n; k++)
        if (lane->plan->integrated[list->dose[k].place] != state)
            list->dose[kept++] = list->dose[k];
    list->n = lane->tail.n_direct = kept;
    return n - kept;
}
