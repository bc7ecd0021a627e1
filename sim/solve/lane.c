/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One subject from event to event.
 *
 * Between events a linear state is V z(t), z(t) carried exactly from the anchor,
 * the time of the last event: rounding doesn't add up over output times. States
 * that aren't linear see the linear ones as known functions of time. An event is
 *     ADD   x_k += value        z += W_{.k} value, or y_k += value
 *     RATE  b_k += value        g  = W b from now on
 *     GIVEN                     time after dose starts anew
 *     RELEASE                   a dose begins to enter y_k by its own course: releases.c
 * Whoever looks at the time of an event sees what is there after it.
 *
 * Subjects whose matrix has no good modes are looked at in other ways: from the
 * anchor on by whole hops of length STEP_NEAR / |A|, for which one matrix exponential
 * serves, and from the last hop by a Taylor series for the vector alone. The last
 * hop is remembered, for the next look is usually near. */
#include "solve/lane.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define STEP_NEAR 8.0  /* hop times norm of the matrix */
#define MOST_HOPS 32.0 /* one by one; more are made in one leap */

/* Releases run in a register file of their own, of which only the constants are filled once. */
static bool alloc_releases(struct hl_lane *lane)
{
    const struct hl_system *system = lane->plan->system;
    lane->release_regs = hl_alloc(system->n_regs, sizeof *lane->release_regs);
    lane->release_dregs = hl_alloc(system->n_regs, sizeof *lane->release_dregs);
    lane->released = hl_alloc(lane->plan->n_integrated, sizeof *lane->released);
    if (!lane->release_regs || !lane->release_dregs || !lane->released || hl_release_tail_init(lane) != HL_OK)
        return false;
    memcpy(lane->release_regs, system->initial, system->n_regs * sizeof *lane->release_regs);
    return true;
}

static bool lane_alloc(struct hl_lane *lane)
{
    const struct hl_plan *plan = lane->plan;
    const struct hl_system *system = plan->system;
    size_t m = plan->n_integrated;
    struct { double **array; size_t n; } part[] = {
        {&lane->regs, system->n_regs},     {&lane->dregs, system->n_regs},  {&lane->z, plan->n_modes},
        {&lane->g, plan->n_modes},         {&lane->zt, plan->n_modes},      {&lane->x, plan->largest},
        {&lane->dx, plan->largest},        {&lane->rate, system->n_states}, {&lane->last_dose, system->n_instances},
        {&lane->y, m},                     {&lane->scale, m},               {&lane->at, m},
        {&lane->f, m},                     {&lane->y_before, m},            {&lane->bridge.y0, m},
        {&lane->bridge.f0, m},             {&lane->bridge.d0, m},           {&lane->bridge.y1, m},
        {&lane->bridge.f1, m},             {&lane->bridge.d1, m},
        {&lane->z_near, plan->n_modes},    {&lane->t_near, plan->n_components},
        {&lane->x_anchor, plan->n_modes},
    };
    bool good = true;
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        good = (*part[k].array = hl_alloc(part[k].n, sizeof(double))) && good;
    lane->work = hl_modes_work_create(plan->largest);
    return good && lane->work && (!plan->releases || alloc_releases(lane));
}

struct hl_lane *hl_lane_create(const struct hl_plan *plan)
{
    struct hl_lane *lane = hl_alloc(1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->plan = plan;
    lane->tolerance = plan->tolerance;
    if (lane_alloc(lane) && hl_integrator_init(lane) == HL_OK)
        return lane;
    hl_lane_free(lane);
    return NULL;
}

void hl_lane_free(struct hl_lane *lane)
{
    if (!lane)
        return;
    hl_integrator_clear(lane);
    hl_modes_work_free(lane->work);
    hl_release_list_clear(&lane->releases);
    hl_release_tail_free(lane);
    void *part[] = {lane->regs, lane->dregs, lane->z, lane->g, lane->zt, lane->x, lane->dx, lane->rate,
                    lane->last_dose, lane->y, lane->scale, lane->at, lane->f, lane->y_before,
                    lane->bridge.y0, lane->bridge.f0, lane->bridge.d0,
                    lane->bridge.y1, lane->bridge.f1, lane->bridge.d1, lane->z_near, lane->t_near,
                    lane->x_anchor, lane->release_regs, lane->release_dregs, lane->released, lane};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

enum hl_status hl_lane_reserve_releases(struct hl_lane *lane, size_t n)
{
    return hl_release_list_reserve(&lane->releases, n);
}

/* Forgets hops: the anchor or an input has changed. */
static void forget_near(struct hl_lane *lane)
{
    for (size_t c = 0; c < lane->plan->n_components; c++)
        lane->t_near[c] = INFINITY;
}

void hl_component_input(const struct hl_component *c, const struct hl_modes *modes, const double *regs, size_t lanes,
                        size_t lane, const double *rate, bool constant, double *scratch, double *g)
{
    for (size_t i = 0; i < c->shape.n; i++)
        scratch[i] = rate ? rate[c->state[i]] : 0;
    for (size_t k = 0; constant && k < c->n_inputs; k++)
        scratch[c->input[k].row] += hl_reg(regs, lanes, lane, c->input[k].reg, 0);
    hl_modes_project(modes, scratch, g);
}

static void refresh_input(struct hl_lane *lane, size_t c)
{
    const struct hl_component *component = &lane->plan->component[c];
    hl_component_input(component, &lane->modes[c], lane->regs, 1, 0, lane->rate, true, lane->x,
                       lane->g + component->offset);
}

void hl_lane_renew(struct hl_lane *lane)
{
    for (size_t c = 0; c < lane->plan->n_components; c++)
        refresh_input(lane, c);
    forget_near(lane);
    hl_integrator_reset(lane);
}

/* The exact states at the anchor, from their modes. */
static void see_anchor(struct hl_lane *lane)
{
    for (size_t c = 0; c < lane->plan->n_components; c++) {
        size_t offset = lane->plan->component[c].offset;
        hl_modes_states(&lane->modes[c], lane->z + offset, lane->x_anchor + offset);
    }
}

static void note_scale(struct hl_lane *lane)
{
    for (size_t k = 0; k < lane->plan->n_integrated; k++)
        lane->scale[k] = fmax(lane->scale[k], fabs(lane->y[k]));
}

void hl_lane_restart(struct hl_lane *lane, const struct hl_start *start)
{
    const struct hl_plan *plan = lane->plan;
    const struct hl_system *system = plan->system;
    lane->anchor = lane->t = start->time;
    memcpy(lane->z, start->z, plan->n_modes * sizeof *lane->z);
    memcpy(lane->rate, start->rate, system->n_states * sizeof *lane->rate);
    memcpy(lane->y, start->y, plan->n_integrated * sizeof *lane->y);
    memcpy(lane->last_dose, start->last_dose, system->n_instances * sizeof *lane->last_dose);
    hl_releases_restart(lane, &start->releases);
    memset(lane->scale, 0, plan->n_integrated * sizeof *lane->scale);
    note_scale(lane);
    hl_lane_renew(lane);
    if (lane->keeps_x)
        see_anchor(lane);
    lane->n_steps = 0;
    lane->landing = 0;
    lane->h = 0;
    lane->step_cap = INFINITY;
}

void hl_lane_load(struct hl_lane *lane, const double *regs, size_t lanes, size_t number, struct hl_modes *modes,
                  const struct hl_start *start)
{
    const struct hl_system *system = lane->plan->system;
    for (size_t r = 0; r < system->n_regs; r++)
        lane->regs[r] = regs[r * lanes + number];
    memset(lane->dregs, 0, system->n_regs * sizeof *lane->dregs);
    for (size_t k = 0; k < system->n_states; k++)
        lane->regs[system->state[k].reg] = 0;
    lane->number = number;
    lane->modes = modes;
    lane->hold = lane->frozen = lane->off = NULL;
    lane->parameters = NULL;
    lane->tolerance = lane->plan->tolerance;
    hl_lane_restart(lane, start);
}

/* Amplitudes of component c at time t >= anchor, into z. */
static void look_at(struct hl_lane *lane, size_t c, double t, double *z)
{
    size_t offset = lane->plan->component[c].offset, bytes = lane->plan->component[c].shape.n * sizeof *z;
    struct hl_modes *modes = &lane->modes[c];
    const double *g = lane->g + offset;
    if (modes->kind != HL_MODES_MATRIX) {
        memcpy(z, lane->z + offset, bytes);
        hl_modes_advance(modes, t - lane->anchor, z, g, lane->work);
        return;
    }
    double *near = lane->z_near + offset, hop = STEP_NEAR / modes->norm;
    if (!(lane->t_near[c] <= t)) {
        memcpy(near, lane->z + offset, bytes);
        lane->t_near[c] = lane->anchor;
    }
    double leap = hop * floor((t - lane->t_near[c]) / hop);
    if (leap > MOST_HOPS * hop && isfinite(leap)) {
        hl_modes_advance(modes, leap, near, g, lane->work);
        lane->t_near[c] += leap;
    }
    for (; t - lane->t_near[c] > hop; lane->t_near[c] += hop)
        hl_modes_advance(modes, hop, near, g, lane->work);
    memcpy(z, near, bytes);
    hl_modes_nudge(modes, t - lane->t_near[c], z, g, lane->work);
}

/* x and, with slope, x' of component c at time t. */
static void component_at(struct hl_lane *lane, size_t c, double t, bool slope)
{
    const struct hl_component *component = &lane->plan->component[c];
    size_t n = component->shape.n;
    double *z = lane->zt + component->offset;
    bool still = lane->hold && lane->hold[c], at_anchor = lane->keeps_x && t == lane->anchor; /* the very time */
    if (still)
        memcpy(z, lane->z + component->offset, n * sizeof *z);
    else if (!at_anchor)
        look_at(lane, c, t, z);
    if (at_anchor)
        memcpy(lane->x, lane->x_anchor + component->offset, n * sizeof *lane->x);
    else
        hl_modes_states(&lane->modes[c], z, lane->x);
    for (size_t i = 0; slope && i < n; i++) {
        double sum = lane->rate[component->state[i]];
        for (size_t k = 0; k < n; k++)
            sum += lane->modes[c].A[i * n + k] * lane->x[k];
        lane->dx[i] = still ? 0 : sum;
    }
    for (size_t k = 0; slope && !still && k < component->n_inputs; k++)
        if (!(lane->off && lane->off[component->state[component->input[k].row]]))
            lane->dx[component->input[k].row] += lane->regs[component->input[k].reg];
}

static bool is_read(const struct hl_plan *plan, const struct hl_component *component)
{
    for (size_t i = 0; i < component->shape.n; i++)
        if (plan->read_by_rhs[component->state[i]])
            return true;
    return false;
}

static void set_clocks(struct hl_lane *lane, double t)
{
    const struct hl_system *system = lane->plan->system;
    lane->regs[system->time_reg] = t;
    lane->dregs[system->time_reg] = 1;
    for (size_t s = 0; s < system->n_instances; s++) {
        int reg = system->instance[s].tad_reg;
        if (reg < 0)
            continue;
        bool dosed = isfinite(lane->last_dose[s]);
        lane->regs[reg] = dosed ? t - lane->last_dose[s] : 0; /* before any dose: 0 */
        lane->dregs[reg] = dosed ? 1 : 0;
    }
}

void hl_lane_set(struct hl_lane *lane, double t, const double *y, const double *dy, bool only_read)
{
    const struct hl_plan *plan = lane->plan;
    const struct hl_system *system = plan->system;
    set_clocks(lane, t);
    if (lane->parameters)
        lane->parameters(lane, t, dy != NULL);
    for (size_t c = 0; c < plan->n_components; c++) {
        const struct hl_component *component = &plan->component[c];
        if (only_read && !is_read(plan, component))
            continue;
        component_at(lane, c, t, dy != NULL);
        for (size_t i = 0; i < component->shape.n; i++) {
            lane->regs[system->state[component->state[i]].reg] = lane->x[i];
            lane->dregs[system->state[component->state[i]].reg] = dy ? lane->dx[i] : 0;
        }
    }
    for (size_t k = 0; k < plan->n_integrated; k++) {
        lane->regs[system->state[plan->integrated[k]].reg] = y[k];
        lane->dregs[system->state[plan->integrated[k]].reg] = dy ? dy[k] : 0;
    }
    hl_releases_add(lane, t, dy != NULL);
}

void hl_lane_sample(struct hl_lane *lane, double until, bool last)
{
    size_t n = lane->plan->n_integrated;
    for (; lane->next < lane->n_times; lane->next++) {
        double t = lane->time[lane->next];
        if (last ? t > until : t >= until)
            return;
        bool now = t >= lane->t; /* the state itself, after the events at this time */
        if (now && n > 0)
            memcpy(lane->at, lane->y, n * sizeof *lane->at);
        else if (n > 0)
            hl_bridge_at(&lane->bridge, n, t, lane->at, NULL);
        hl_releases_bring(lane, t, lane->at);
        for (size_t k = 0; lane->sample && k < n; k++)
            lane->sample[(lane->next * n + k) * lane->stride] = lane->at[k];
    }
}

enum hl_subject_status hl_lane_run(struct hl_lane *lane, double stop)
{
    if (!(stop > lane->t))
        return HL_SUBJECT_GOOD;
    if (lane->plan->n_integrated > 0)
        return hl_integrator_run(lane, stop);
    if (lane->listener && lane->listener->wants_segments)
        hl_lane_tell_segment(lane, lane->t, stop);
    lane->t = stop;
    return HL_SUBJECT_GOOD;
}

void hl_lane_cast(struct hl_lane *lane)
{
    bool moves = lane->t > lane->anchor;
    for (size_t c = 0; c < lane->plan->n_components; c++) {
        size_t offset = lane->plan->component[c].offset;
        if (!(lane->hold && lane->hold[c]))
            hl_modes_advance(&lane->modes[c], lane->t - lane->anchor, lane->z + offset, lane->g + offset, lane->work);
    }
    lane->anchor = lane->t;
    forget_near(lane);
    if (lane->keeps_x && moves)
        see_anchor(lane);
}

static void add_amount(struct hl_lane *lane, int state, double value)
{
    const struct hl_plan *plan = lane->plan;
    int c = plan->component_of[state], k = plan->integrated_of[state];
    if (c >= 0) {
        const struct hl_modes *modes = &lane->modes[c];
        size_t offset = plan->component[c].offset, place = (size_t)plan->place_of[state];
        for (size_t j = 0; j < modes->n; j++)
            lane->z[offset + j] += modes->W[j * modes->n + place] * value;
        lane->x_anchor[offset + place] += value;
    }
    if (k >= 0)
        lane->y[k] += value;
}

void hl_lane_add(struct hl_lane *lane, int state, double amount)
{
    hl_lane_cast(lane);
    add_amount(lane, state, amount);
    note_scale(lane);
    hl_integrator_reset(lane);
}

void hl_lane_set_rate(struct hl_lane *lane, int state, double rate)
{
    hl_lane_cast(lane);
    lane->rate[state] = rate;
    if (lane->plan->component_of[state] >= 0)
        refresh_input(lane, (size_t)lane->plan->component_of[state]);
    hl_integrator_reset(lane);
}

void hl_lane_release(struct hl_lane *lane, const struct hl_event *event, const double *input)
{
    hl_lane_cast(lane);
    hl_releases_begin(lane, event, input);
    note_scale(lane);
    hl_integrator_reset(lane);
}

void hl_lane_given(struct hl_lane *lane, int instance, double time)
{
    lane->last_dose[instance] = time;
    hl_integrator_reset(lane); /* rates may depend on the time after dose */
}

void hl_lane_apply(struct hl_lane *lane, const struct hl_event *event)
{
    if (event->kind == HL_EVENT_GIVEN && event->instance >= 0)
        hl_lane_given(lane, event->instance, event->time);
    if (event->state < 0 || !lane->plan->live[event->state])
        return;
    if (event->kind == HL_EVENT_ADD)
        hl_lane_add(lane, event->state, event->value);
    if (event->kind == HL_EVENT_RATE) {
        double rate = lane->rate[event->state] + event->value;
        hl_lane_set_rate(lane, event->state, fabs(rate) < HL_RATE_GONE * fabs(event->value) ? 0 : rate);
    }
    if (event->kind == HL_EVENT_RELEASE)
        hl_lane_release(lane, event, NULL);
}

enum hl_subject_status hl_lane_follow(struct hl_lane *lane, const struct hl_event *event, size_t n, double stop)
{
    for (size_t k = 0; k < n && event[k].time <= stop; k++) {
        enum hl_subject_status status = hl_lane_run(lane, event[k].time);
        if (status != HL_SUBJECT_GOOD)
            return status;
        if (lane->listener && lane->listener->event)
            lane->listener->event(lane->listener->context, lane->number, &event[k]);
        hl_lane_apply(lane, &event[k]);
    }
    return hl_lane_run(lane, stop);
}
