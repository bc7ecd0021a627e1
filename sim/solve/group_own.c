/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight subjects whose events come at times of their own: individual lags, durations, demands.
 *
 * Times that nobody in the group has an event before are shown in one go. Inside a step in which somebody has events,
 * the group hops from event to event, every lane its own way; lanes that have arrived hop by 0, and lanes without
 * events make the common step. Doses come at the same distance from the grid again and again, so the exponentials of
 * recent hops are kept. A hop's length is split into a multiple of 2^-36 h, by which it is looked up, and a rest below
 * 1e-11 h, made up for by a series. */
#include "solve/group.h"

#include <math.h>
#include <string.h>

/* ---- Exponentials */

/* The table for these very lengths, made in the place of the one unused for longest when there is none. */
static const struct hl_group_table *table_for(struct hl_group *G, struct hl_group_table *table, size_t n,
                                              const double *dt)
{
    struct hl_group_table *oldest = table;
    for (size_t k = 0; k < n; k++) {
        bool same = table[k].full;
        for (size_t l = 0; l < HL_GROUP; l++)
            same = same && table[k].dt[l] == dt[l]; /* the very same step */
        if (same) {
            table[k].used = ++G->clock;
            return &table[k];
        }
        if (table[k].used < oldest->used)
            oldest = &table[k];
    }
    memcpy(oldest->dt, dt, sizeof oldest->dt);
    oldest->full = true;
    oldest->used = ++G->clock;
    for (size_t j = 0; j < G->common->plan->n_modes; j++) {
        size_t row = j * HL_GROUP;
        hl_vector_step(G->rows->lambda + row, oldest->dt, oldest->E + row, oldest->phi + row, HL_GROUP);
    }
    return oldest;
}

static const struct hl_group_table *step_table(struct hl_group *G, double dt)
{
    double all[HL_GROUP];
    for (size_t l = 0; l < HL_GROUP; l++)
        all[l] = dt;
    return table_for(G, G->table, HL_STEP_TABLES, all);
}

/* ---- One lane */

static void apply(struct hl_group *G, size_t l, const struct hl_event *event)
{
    const struct hl_plan *plan = G->common->plan;
    size_t c = (size_t)plan->component_of[event->state], place = (size_t)plan->place_of[event->state];
    const struct hl_component *component = &plan->component[c];
    double *z = G->way + component->offset * HL_GROUP + l;
    for (size_t j = 0; event->kind == HL_EVENT_ADD && j < component->shape.n; j++)
        z[j * HL_GROUP] += hl_modes_row(G->rows->W, component, j, place)[l] * event->value;
    if (event->kind == HL_EVENT_RATE) {
        double *rate = &G->rate[(size_t)event->state * HL_GROUP + l];
        *rate += event->value;
        if (fabs(*rate) < HL_RATE_GONE * fabs(event->value))
            *rate = 0;
        hl_group_renew_input(G, c, l, l + 1);
    }
}

/* Notes when lane l has its next event, from number next on. */
static void look_ahead(struct hl_group *G, size_t l, size_t next)
{
    const struct hl_events *events = &G->common->subjects->events[G->lane + l];
    while (G->good[l] && next < events->n && !hl_event_moves(G->common->plan, &events->event[next]))
        next++;
    G->next[l] = next;
    G->next_time[l] = !G->good[l] || next >= events->n ? INFINITY : events->event[next].time;
}

static void find_earliest(struct hl_group *G)
{
    G->earliest = INFINITY;
    for (size_t l = 0; l < HL_GROUP; l++)
        G->earliest = G->next_time[l] < G->earliest ? G->next_time[l] : G->earliest;
}

/* Everything a lane has at the time it has come to. */
static void apply_all(struct hl_group *G, size_t l, double now)
{
    const struct hl_events *events = &G->common->subjects->events[G->lane + l];
    while (G->next_time[l] <= now) {
        apply(G, l, &events->event[G->next[l]]);
        look_ahead(G, l, G->next[l] + 1);
    }
}

/* ---- Through the events of a step */

/* Carries G->way from at to to, lane by lane its own time. */
static void hop(struct hl_group *G, const double *at, const double *to)
{
    double dt[HL_GROUP], drift[HL_GROUP] __attribute__((aligned(64)));
    bool any = false;
    for (size_t l = 0; l < HL_GROUP; l++) {
        double length = to[l] - at[l];
        bool moves = length > 0 && !G->rows->odd[l];
        dt[l] = moves ? hl_whole_quanta(length) : 0;
        drift[l] = moves ? length - dt[l] : 0;
        any = any || moves;
        if (length > 0 && G->rows->odd[l] && G->good[l])
            hl_group_carry_odd(G, l, G->way, G->way, length);
    }
    if (!any)
        return;
    const struct hl_group_table *t = table_for(G, G->table + HL_STEP_TABLES, HL_TABLES - HL_STEP_TABLES, dt);
    hl_glide_hop(G->way, t->E, t->phi, G->infused ? G->g : NULL, G->rows->lambda, drift, G->common->plan->n_modes);
}

/* G->way from times at through all events up to until. Lanes whose stay is true stand still. */
static void follow(struct hl_group *G, double *at, const bool *stay, double until)
{
    double to[HL_GROUP];
    for (bool more = true; more;) {
        more = false;
        for (size_t l = 0; l < HL_GROUP; l++) {
            double t = stay[l] ? INFINITY : G->next_time[l];
            to[l] = t <= until && t > at[l] ? t : at[l];
            more = more || t <= until;
        }
        if (!more)
            break;
        hop(G, at, to);
        for (size_t l = 0; l < HL_GROUP; l++)
            if (!stay[l])
                apply_all(G, l, to[l] < until ? to[l] : until);
        memcpy(at, to, sizeof to);
    }
    for (size_t l = 0; l < HL_GROUP; l++)
        to[l] = stay[l] ? at[l] : until;
    hop(G, at, to);
}

/* Lanes with events between t and until leave the common step and go their own way. */
static void step_with_events(struct hl_group *G, double t, double until)
{
    double at[HL_GROUP];
    bool stay[HL_GROUP];
    memcpy(G->way, G->before, G->common->plan->n_modes * HL_GROUP * sizeof *G->way);
    for (size_t l = 0; l < HL_GROUP; l++) {
        at[l] = t;
        stay[l] = !(G->next_time[l] <= until);
    }
    follow(G, at, stay, until);
    for (size_t l = 0; l < HL_GROUP; l++) {
        if (stay[l])
            continue;
        G->moved[l] = 1;
        for (size_t j = 0; j < G->common->plan->n_modes; j++)
            G->z[j * HL_GROUP + l] = G->way[j * HL_GROUP + l];
    }
    find_earliest(G);
}

/* ---- A group through a stride */

void hl_group_own_begin(struct hl_group *G, double t)
{
    size_t bytes = G->common->plan->n_modes * HL_GROUP * sizeof(double);
    double at[HL_GROUP];
    bool stay[HL_GROUP];
    for (size_t k = 0; k < HL_TABLES; k++)
        G->table[k].full = false;
    for (size_t l = 0; l < HL_GROUP; l++) {
        stay[l] = !G->good[l];
        at[l] = G->good[l] ? G->common->subjects->start[G->lane + l].time : t;
        look_ahead(G, l, 0);
    }
    memcpy(G->way, G->z, bytes);
    follow(G, at, stay, t);
    memcpy(G->z, G->way, bytes);
    find_earliest(G);
}

/* Gains per step and per stride, from the stride's first time on. */
static void open_stride(struct hl_group *G, const struct hl_group_table *whole)
{
    size_t n = G->common->plan->n_modes * HL_GROUP;
    for (size_t k = 0; k < n; k++) {
        G->u[k] = G->g[k] * G->step->phi[k];
        G->u_stride[k] = G->g[k] * whole->phi[k];
    }
    memcpy(G->origin, G->z, n * sizeof *G->z);
    memset(G->moved, 0, sizeof G->moved);
}

/* Replaces the product of single steps by one long one, in lanes that had no event. */
static void close_stride(struct hl_group *G, const struct hl_group_table *whole)
{
    hl_glide_replace(G->z, G->origin, whole->E, G->u_stride, G->moved, G->common->plan->n_modes);
    for (size_t l = 0; G->any_odd && l < HL_GROUP; l++)
        if (G->rows->odd[l] && G->good[l] && G->moved[l] == 0)
            hl_group_carry_odd(G, l, G->origin, G->z, whole->dt[l]);
}

/* Shows the group at time number k and carries it to the next one. done: steps of the stride that were made. */
static void one_step(struct hl_group *G, const double *time, size_t k, size_t at, size_t done)
{
    if (done % HL_FORGET_EVERY == 0)
        hl_group_forget(G);
    memcpy(G->before, G->z, G->common->plan->n_modes * HL_GROUP * sizeof *G->z);
    hl_glide(&G->shown, G->step->E, G->infused ? G->u : NULL, at, 1, done);
    for (size_t l = 0; G->any_odd && l < HL_GROUP; l++)
        if (G->rows->odd[l] && G->good[l])
            hl_group_carry_odd(G, l, G->before, G->z, G->step->dt[l]);
    if (G->earliest <= time[k + 1])
        step_with_events(G, time[k], time[k + 1]);
}

void hl_group_own_stride(struct hl_group *G, const struct hl_stride *stride, const double *time, size_t first,
                         double *dose)
{
    size_t last = stride->first + stride->steps, at = (stride->first - first) * G->shown.time_stride;
    if (stride->steps == 0) {
        hl_group_show_doses(G, dose, time, stride->first, 1, at);
        hl_glide_show(&G->shown, at);
        return;
    }
    G->step = step_table(G, stride->dt);
    const struct hl_group_table *whole = step_table(G, stride->dt * (double)stride->steps);
    open_stride(G, whole);
    for (size_t k = stride->first, n; k < last; k += n, at += n * G->shown.time_stride) {
        size_t done = k - stride->first;
        for (n = 0; !G->any_odd && k + n < last && time[k + n + 1] < G->earliest;) /* steps without an event */
            n++;
        hl_group_show_doses(G, dose, time, k, n > 0 ? n : 1, at);
        if (n > 0)
            hl_glide(&G->shown, G->step->E, G->infused ? G->u : NULL, at, n, done);
        else
            one_step(G, time, k, at, done);
        n = n > 0 ? n : 1;
    }
    if (stride->steps > 1)
        close_stride(G, whole);
}
