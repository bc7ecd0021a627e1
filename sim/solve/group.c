/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight subjects through the output times.
 *
 * Amplitudes stand as z[mode][lane]. From one output time to the next every mode of every
 * subject is multiplied by its own e^(lambda dt) and, under infusion, gains g phi1: the same two operations for all
 * eight, for as many times in a row as nobody in the group has an event (glide.c). On evenly spaced times the
 * exponentials are computed once. So that the rounding of thousands of multiplications doesn't add up, each stride of at
 * most 64 steps ends by going from its own beginning to its end in one multiplication.
 *
 * Inside a step in which somebody has events, the group hops from event to event, every lane its own way; lanes that
 * have arrived hop by 0. Doses come at the same distance from the grid again and again, so the exponentials of recent
 * hops are kept. A hop's length is split into a multiple of 2^-36 h, by which it is looked up, and a rest below 1e-11 h,
 * made up for by a series: what a subject gets is a function of its own times, never of what its neighbours made the
 * group compute.
 *
 * Lanes with turning modes, or a matrix instead of modes, are carried by the scalar functions of modes.c; their
 * neighbours never notice. */
#include "solve/group.h"

#include <math.h>
#include <string.h>

#define QUANTUM 1.4551915228366852e-11 /* 2^-36 h: lengths of hops are looked up in multiples of it */

/* ---- Room */

size_t hl_group_size(const struct hl_plan *plan)
{
    size_t rows = plan->n_modes * (8 + 2 * (HL_STEP_TABLES + HL_HOP_TABLES)) + plan->system->n_instances;
    return rows * HL_GROUP + (plan->system->n_states * HL_GROUP + 7) / 8 * 8;
}

static double *take(double **room, size_t rows)
{
    double *taken = *room;
    *room += rows * HL_GROUP;
    return taken;
}

void hl_group_lay_out(struct hl_group *G, const struct hl_plan *plan, double *room)
{
    double **array[] = {&G->z, &G->g, &G->lambda, &G->u, &G->u_stride, &G->origin, &G->before, &G->way};
    for (size_t k = 0; k < sizeof array / sizeof *array; k++)
        *array[k] = take(&room, plan->n_modes);
    for (size_t k = 0; k < HL_STEP_TABLES + HL_HOP_TABLES; k++) {
        struct hl_group_table *t = k < HL_STEP_TABLES ? &G->step[k] : &G->hop[k - HL_STEP_TABLES];
        t->E = take(&room, plan->n_modes);
        t->phi = take(&room, plan->n_modes);
    }
    G->last_dose = take(&room, plan->system->n_instances);
    G->rate = room;
}

/* ---- Exponentials */

static void fill(const struct hl_group *G, struct hl_group_table *t, size_t n_modes)
{
    for (size_t j = 0; j < n_modes; j++)
        hl_vector_step(G->lambda + j * HL_GROUP, t->dt, t->E + j * HL_GROUP, t->phi + j * HL_GROUP, HL_GROUP);
}

/* The table for these very lengths, made in the place of the one unused for longest when there is none. */
static const struct hl_group_table *table_for(struct hl_group *G, struct hl_group_table *table, size_t n, const double *dt, size_t n_modes)
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
    fill(G, oldest, n_modes);
    return oldest;
}

static const struct hl_group_table *step_table(struct hl_group *G, double dt, size_t n_modes)
{
    double all[HL_GROUP];
    for (size_t l = 0; l < HL_GROUP; l++)
        all[l] = dt;
    return table_for(G, G->step, HL_STEP_TABLES, all, n_modes);
}

/* ---- One lane */

static void take_column(const double *array, size_t l, size_t n, double *column)
{
    for (size_t j = 0; j < n; j++)
        column[j] = array[j * HL_GROUP + l];
}

static void put_column(double *array, size_t l, size_t n, const double *column)
{
    for (size_t j = 0; j < n; j++)
        array[j * HL_GROUP + l] = column[j];
}

struct hl_modes *hl_group_modes(const struct hl_group *G, size_t l)
{
    return hl_apart_modes(G->common->subjects->apart, G->lane + l);
}

/* Carries a lane that the vector loop can't carry: from amplitudes in from over dt, into to. */
static void carry_odd(const struct hl_group *G, size_t l,
                      const double *from, double *to, double dt)
{
    const struct hl_plan *plan = G->common->plan;
    struct hl_modes *modes = hl_group_modes(G, l);
    take_column(from, l, plan->n_modes, G->common->column);
    take_column(G->g, l, plan->n_modes, G->common->column_g);
    for (size_t c = 0; c < plan->n_components; c++)
        hl_modes_advance(&modes[c], dt, G->common->column + plan->component[c].offset, G->common->column_g + plan->component[c].offset,
                         G->common->work);
    put_column(to, l, plan->n_modes, G->common->column);
}

/* Input of one component of one lane after its infusions have changed; its gain per step follows. */
static void renew_input(struct hl_group *G,
                        size_t c, size_t l, const struct hl_group_table *step)
{
    const struct hl_plan *plan = G->common->plan;
    const struct hl_component *component = &plan->component[c];
    double *g = G->common->column_g + component->offset;
    hl_component_input(component, hl_group_modes(G, l) + c, G->common->regs, G->common->subjects->lanes, G->lane + l,
                       G->rate + l * plan->system->n_states, true, G->common->scratch, g);
    for (size_t j = 0; j < component->shape.n; j++) {
        size_t at = (component->offset + j) * HL_GROUP + l;
        G->g[at] = g[j];
        G->infused = G->infused || g[j] != 0;
        if (step)
            G->u[at] = G->g[at] * step->phi[at];
    }
}

static void apply(struct hl_group *G, size_t l,
                  const struct hl_event *event, const struct hl_group_table *step)
{
    const struct hl_plan *plan = G->common->plan;
    if (event->kind == HL_EVENT_GIVEN && event->instance >= 0)
        G->last_dose[(size_t)event->instance * HL_GROUP + l] = event->time;
    int c = event->state < 0 ? -1 : plan->component_of[event->state];
    if (c < 0)
        return;
    const struct hl_modes *modes = hl_group_modes(G, l) + c;
    const double *W = modes->W + (size_t)plan->place_of[event->state];
    double *z = G->way + plan->component[c].offset * HL_GROUP + l;
    for (size_t j = 0; event->kind == HL_EVENT_ADD && j < modes->n; j++)
        z[j * HL_GROUP] += W[j * modes->n] * event->value;
    if (event->kind == HL_EVENT_RATE) {
        double *rate = &G->rate[l * plan->system->n_states + (size_t)event->state];
        *rate += event->value;
        if (fabs(*rate) < HL_RATE_GONE * fabs(event->value))
            *rate = 0;
        renew_input(G, (size_t)c, l, step);
    }
}

/* ---- Through the events of a step */

/* Notes when lane l has its next event. */
static void look_ahead(struct hl_group *G, size_t l)
{
    const struct hl_events *events = &G->common->subjects->events[G->lane + l];
    G->next_time[l] = !G->good[l] || G->next[l] >= events->n ? INFINITY : events->event[G->next[l]].time;
}

static void find_earliest(struct hl_group *G)
{
    G->earliest = INFINITY;
    for (size_t l = 0; l < HL_GROUP; l++)
        G->earliest = G->next_time[l] < G->earliest ? G->next_time[l] : G->earliest;
}

/* The nearest multiple of QUANTUM: adding 1.5 * 2^52 quanta leaves no digits for less (hops are below 2^15 h long; longer
 * ones come out as they are, and that serves as well). */
static double whole_quanta(double length)
{
    const double shift = 1.5 * 4503599627370496.0 * QUANTUM;
    return length < 32768 ? (length + shift) - shift : length;
}

/* Carries G->way from at to to, lane by lane its own time. */
static void hop(struct hl_group *G, const double *at,
                const double *to)
{
    double dt[HL_GROUP], drift[HL_GROUP] __attribute__((aligned(64)));
    bool any = false;
    for (size_t l = 0; l < HL_GROUP; l++) {
        double length = to[l] - at[l];
        bool moves = length > 0 && !G->odd[l];
        dt[l] = moves ? whole_quanta(length) : 0;
        drift[l] = moves ? length - dt[l] : 0;
        any = any || moves;
        if (length > 0 && G->odd[l] && G->good[l])
            carry_odd(G, l, G->way, G->way, length);
    }
    if (!any)
        return;
    const struct hl_group_table *t = table_for(G, G->hop, HL_HOP_TABLES, dt, G->common->plan->n_modes);
    hl_glide_hop(G->way, t->E, t->phi, G->infused ? G->g : NULL, G->lambda, drift, G->common->plan->n_modes);
}

/* Everything a lane has at the time it has come to. */
static void apply_all(struct hl_group *G, size_t l, double now, const struct hl_group_table *step)
{
    const struct hl_events *events = &G->common->subjects->events[G->lane + l];
    while (G->next_time[l] <= now) {
        apply(G, l, &events->event[G->next[l]++], step);
        look_ahead(G, l);
    }
}

/* G->way from times at through all events up to until. Lanes whose stay is true stand still. */
static void follow(struct hl_group *G,
                   double *at, const bool *stay, double until, const struct hl_group_table *step)
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
                apply_all(G, l, to[l] < until ? to[l] : until, step);
        memcpy(at, to, sizeof to);
    }
    for (size_t l = 0; l < HL_GROUP; l++)
        to[l] = stay[l] ? at[l] : until;
    hop(G, at, to);
}

/* Lanes with events between t and until leave the common step and go their own way. */
static void step_with_events(struct hl_group *G, double t, double until, const struct hl_group_table *step)
{
    double at[HL_GROUP];
    bool stay[HL_GROUP];
    memcpy(G->way, G->before, G->common->plan->n_modes * HL_GROUP * sizeof *G->way);
    for (size_t l = 0; l < HL_GROUP; l++) {
        at[l] = t;
        stay[l] = !(G->next_time[l] <= until);
    }
    follow(G, at, stay, until, step);
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

static void begin_lane(struct hl_group *G,
                       size_t l)
{
    const struct hl_plan *plan = G->common->plan;
    const struct hl_start *start = &G->common->subjects->start[G->lane + l];
    const struct hl_modes *modes = hl_group_modes(G, l);
    size_t n_states = plan->system->n_states;
    G->odd[l] = false;
    for (size_t c = 0; c < plan->n_components; c++)
        G->odd[l] = G->odd[l] || modes[c].kind != HL_MODES_REAL;
    G->any_odd = G->any_odd || G->odd[l];
    for (size_t c = 0; c < plan->n_components; c++)
        for (size_t j = 0; !G->odd[l] && j < plan->component[c].shape.n; j++)
            G->lambda[(plan->component[c].offset + j) * HL_GROUP + l] = modes[c].re[j];
    memcpy(G->rate + l * n_states, start->rate, n_states * sizeof *G->rate);
    put_column(G->way, l, plan->n_modes, start->z);
    for (size_t i = 0; i < plan->system->n_instances; i++)
        G->last_dose[i * HL_GROUP + l] = start->last_dose[i];
    for (size_t c = 0; c < plan->n_components; c++)
        renew_input(G, c, l, NULL);
}

void hl_group_begin(struct hl_group *G, double t)
{
    const struct hl_plan *plan = G->common->plan;
    size_t bytes = plan->n_modes * HL_GROUP * sizeof(double);
    double at[HL_GROUP];
    bool stay[HL_GROUP];
    memset(G->way, 0, bytes);
    memset(G->g, 0, bytes);
    memset(G->lambda, 0, bytes);
    G->any_odd = G->infused = false;
    for (size_t k = 0; k < HL_STEP_TABLES; k++)
        G->step[k].full = false;
    for (size_t k = 0; k < HL_HOP_TABLES; k++)
        G->hop[k].full = false;
    for (size_t l = 0; l < HL_GROUP; l++) {
        G->next[l] = 0;
        G->good[l] = G->common->subjects->status[G->lane + l] == HL_SUBJECT_GOOD;
        G->odd[l] = false;
        stay[l] = !G->good[l];
        at[l] = G->good[l] ? G->common->subjects->start[G->lane + l].time : t;
        for (size_t i = 0; i < plan->system->n_instances; i++)
            G->last_dose[i * HL_GROUP + l] = -INFINITY;
        look_ahead(G, l);
        if (G->good[l])
            begin_lane(G, l);
    }
    follow(G, at, stay, t, NULL);
    memcpy(G->z, G->way, bytes);
    find_earliest(G);
}

/* Gains per step and per stride, from the stride's first time on. */
static void open_stride(struct hl_group *G, const struct hl_group_table *step, const struct hl_group_table *whole, size_t n_modes)
{
    size_t n = n_modes * HL_GROUP;
    for (size_t k = 0; k < n; k++) {
        G->u[k] = G->g[k] * step->phi[k];
        G->u_stride[k] = G->g[k] * whole->phi[k];
    }
    memcpy(G->origin, G->z, n * sizeof *G->z);
    memset(G->moved, 0, sizeof G->moved);
}

/* Replaces the product of single steps by one long one, in lanes that had no event. */
static void close_stride(struct hl_group *G,
                         const struct hl_group_table *whole)
{
    hl_glide_replace(G->z, G->origin, whole->E, G->u_stride, G->moved, G->common->plan->n_modes);
    for (size_t l = 0; G->any_odd && l < HL_GROUP; l++)
        if (G->odd[l] && G->good[l] && G->moved[l] == 0)
            carry_odd(G, l, G->origin, G->z, whole->dt[l]);
}

/* Times of the last doses beside what is shown at n times. */
static void show_doses(const struct hl_group *G, const struct hl_group_target *to, size_t n)
{
    for (size_t i = 0; to->dose && i < G->common->plan->system->n_instances; i++)
        for (size_t k = 0; k < n; k++)
            memcpy(to->dose + i * to->quantity_stride + k * to->time_stride, G->last_dose + i * HL_GROUP,
                   HL_GROUP * sizeof(double));
}

/* Shows the group at time number k and carries it to the next one. */
static void one_step(struct hl_group *G, const struct hl_group_table *step, const double *time, size_t k,
                     const struct hl_group_target *to)
{
    size_t n_modes = G->common->plan->n_modes;
    memcpy(G->before, G->z, n_modes * HL_GROUP * sizeof *G->z);
    hl_glide(G->z, step->E, G->infused ? G->u : NULL, n_modes, &G->shown, to->y, to->quantity_stride, to->time_stride, 1);
    for (size_t l = 0; G->any_odd && l < HL_GROUP; l++)
        if (G->odd[l] && G->good[l])
            carry_odd(G, l, G->before, G->z, step->dt[l]);
    if (G->earliest <= time[k + 1])
        step_with_events(G, time[k], time[k + 1], step);
}

void hl_group_stride(struct hl_group *G, const struct hl_stride *stride, const double *time, struct hl_group_target to)
{
    size_t n_modes = G->common->plan->n_modes, last = stride->first + stride->steps;
    if (stride->steps == 0) {
        show_doses(G, &to, 1);
        hl_glide_show(G->z, &G->shown, to.y, to.quantity_stride);
        return;
    }
    const struct hl_group_table *step = step_table(G, stride->dt, n_modes);
    const struct hl_group_table *whole = step_table(G, stride->dt * (double)stride->steps, n_modes);
    open_stride(G, step, whole, n_modes);
    for (size_t k = stride->first, n; k < last; k += n) {
        for (n = 0; !G->any_odd && k + n < last && time[k + n + 1] < G->earliest;) /* steps without an event */
            n++;
        show_doses(G, &to, n > 0 ? n : 1);
        if (n > 0)
            hl_glide(G->z, step->E, G->infused ? G->u : NULL, n_modes, &G->shown, to.y, to.quantity_stride,
                     to.time_stride, n);
        else
            one_step(G, step, time, k, &to);
        n = n > 0 ? n : 1;
        to.y += n * to.time_stride;
        to.dose = to.dose ? to.dose + n * to.time_stride : NULL;
    }
    if (stride->steps > 1)
        close_stride(G, whole);
}
