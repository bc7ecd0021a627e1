/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight subjects through the output times.
 *
 * Amplitudes stand as z[mode][lane]. From one output time to the next every mode of every subject is multiplied by its
 * own e^(lambda dt) and, under infusion, gains g phi1: the same two operations for all eight, for as many times in a
 * row as nobody in the group has an event (glide.c). On evenly spaced times the exponentials are computed once. So
 * that the rounding of thousands of multiplications doesn't add up, each stride of at most 64 steps ends by going from
 * its own beginning to its end in one multiplication, in lanes that had no event there.
 *
 * Where the study's structure gives all subjects of an arm events at the same times, the way through them has been
 * written down once (timetable.c) and is followed here move by move, with all operations on rows of eight. Where times
 * are a subject's own, every lane goes its own way (group_own.c). Both do the same operations in the same order for a
 * lane: what a subject gets is a function of its own times, never of its neighbours, nor of the way.
 *
 * Lanes with turning modes, or a matrix instead of modes, are carried by the scalar functions of modes.c; their
 * neighbours never notice. */
#include "solve/group.h"

#include <math.h>
#include <string.h>

/* ---- Room */

size_t hl_group_size(const struct hl_plan *plan)
{
    size_t rows = plan->n_modes * (7 + 2 * HL_TABLES) + plan->system->n_instances + plan->system->n_states;
    return rows * HL_GROUP;
}

static double *take(double **room, size_t rows)
{
    double *taken = *room;
    *room += rows * HL_GROUP;
    return taken;
}

void hl_group_lay_out(struct hl_group *G, const struct hl_plan *plan, double *room)
{
    double **array[] = {&G->z, &G->g, &G->u, &G->u_stride, &G->origin, &G->before, &G->way};
    for (size_t k = 0; k < sizeof array / sizeof *array; k++)
        *array[k] = take(&room, plan->n_modes);
    for (size_t k = 0; k < HL_TABLES; k++) {
        G->table[k].E = take(&room, plan->n_modes);
        G->table[k].phi = take(&room, plan->n_modes);
    }
    G->last_dose = take(&room, plan->system->n_instances);
    G->rate = take(&room, plan->system->n_states);
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

void hl_group_carry_odd(const struct hl_group *G, size_t l, const double *from, double *to, double dt)
{
    const struct hl_plan *plan = G->common->plan;
    struct hl_modes *modes = hl_group_modes(G, l);
    take_column(from, l, plan->n_modes, G->common->column);
    take_column(G->g, l, plan->n_modes, G->common->column_g);
    for (size_t c = 0; c < plan->n_components; c++) {
        size_t offset = plan->component[c].offset;
        hl_modes_advance(&modes[c], dt, G->common->column + offset, G->common->column_g + offset, G->common->work);
    }
    put_column(to, l, plan->n_modes, G->common->column);
}

static void carry_all_odd(const struct hl_group *G, const double *from, double *to, double dt)
{
    for (size_t l = 0; l < HL_GROUP; l++)
        if (G->rows->odd[l] && G->good[l])
            hl_group_carry_odd(G, l, from, to, dt);
}

void hl_group_forget(struct hl_group *G)
{
    size_t n_modes = G->common->plan->n_modes;
    if (G->any_odd)
        memcpy(G->before, G->z, n_modes * HL_GROUP * sizeof *G->z);
    hl_glide_forget(G->z, n_modes);
    for (size_t l = 0; G->any_odd && l < HL_GROUP; l++)
        for (size_t j = 0; G->rows->odd[l] && j < n_modes; j++) /* states, perhaps, not modes */
            G->z[j * HL_GROUP + l] = G->before[j * HL_GROUP + l];
}

/* ---- Inputs */

/* What runs into each state of a component: infusions, then constant inputs, added in the plan's order. */
static void sum_inputs(const struct hl_group *G, const struct hl_component *component)
{
    const struct hl_group_common *common = G->common;
    size_t row = HL_GROUP * sizeof(double);
    for (size_t i = 0; i < component->shape.n; i++)
        memcpy(common->scratch + i * HL_GROUP, G->rate + (size_t)component->state[i] * HL_GROUP, row);
    for (size_t k = 0; k < component->n_inputs; k++)
        for (size_t l = 0; l < HL_GROUP; l++)
            common->scratch[component->input[k].row * HL_GROUP + l] +=
                hl_reg(common->regs, common->subjects->lanes, G->lane + l, component->input[k].reg, 0);
}

void hl_group_renew_input(struct hl_group *G, size_t c, size_t from, size_t to)
{
    const struct hl_component *component = &G->common->plan->component[c];
    size_t n = component->shape.n;
    sum_inputs(G, component);
    for (size_t j = 0; j < n; j++)
        for (size_t l = from; l < to; l++) {
            size_t at = (component->offset + j) * HL_GROUP + l;
            double sum = 0;
            for (size_t i = 0; i < n; i++)
                sum += hl_modes_row(G->rows->W, component, j, i)[l] * G->common->scratch[i * HL_GROUP + l];
            G->g[at] = G->good[l] ? sum : 0;
            G->infused = G->infused || G->g[at] != 0;
            if (G->step)
                G->u[at] = G->g[at] * G->step->phi[at];
        }
}

/* ---- Doses, for models that know the time after dose */

/* Notices the doses that lane l has been given up to time t. */
static void notice_doses(struct hl_group *G, size_t l, double t)
{
    const struct hl_events *events = &G->common->subjects->events[G->lane + l];
    for (; G->good[l] && G->given[l] < events->n && events->event[G->given[l]].time <= t; G->given[l]++) {
        const struct hl_event *event = &events->event[G->given[l]];
        if (event->kind == HL_EVENT_GIVEN && event->instance >= 0)
            G->last_dose[(size_t)event->instance * HL_GROUP + l] = event->time;
    }
}

void hl_group_show_doses(struct hl_group *G, double *dose, const double *time, size_t k, size_t n, size_t at)
{
    size_t n_instances = G->common->plan->system->n_instances;
    for (size_t end = k + n; dose && k < end; k++, at += G->shown.time_stride) {
        for (size_t l = 0; l < HL_GROUP; l++)
            notice_doses(G, l, time[k]);
        for (size_t i = 0; i < n_instances; i++)
            memcpy(dose + i * G->shown.quantity_stride + at, G->last_dose + i * HL_GROUP, HL_GROUP * sizeof *dose);
    }
}

/* ---- Following the timetable */

static void make_table(struct hl_group *G, const struct hl_move *move)
{
    const struct hl_group_table *table = &G->table[move->slot];
    bool gains = G->infused || G->common->timetable->rates; /* some time */
    hl_glide_table(G->rows->lambda, move->length, G->common->plan->n_modes, table->E, gains ? table->phi : NULL);
}

static void hop(struct hl_group *G, const struct hl_move *move)
{
    const struct hl_group_table *t = &G->table[move->slot];
    size_t n_modes = G->common->plan->n_modes;
    const double *g = G->infused ? G->g : NULL;
    if (G->any_odd)
        memcpy(G->before, G->z, n_modes * HL_GROUP * sizeof *G->z);
    if (move->drift == 0) /* the very same numbers, sooner */
        hl_glide_leap(G->z, t->E, t->phi, g, n_modes);
    else
        hl_glide_hop_together(G->z, t->E, t->phi, g, G->rows->lambda, move->drift, n_modes);
    if (G->any_odd)
        carry_all_odd(G, G->before, G->z, move->length);
}

static void note_infused(struct hl_group *G)
{
    G->infused = false;
    for (size_t k = 0; k < G->common->plan->n_modes * HL_GROUP; k++)
        G->infused = G->infused || G->g[k] != 0;
}

/* Everybody's own value of an event. */
static void gather_values(const struct hl_group *G, size_t number, double *value)
{
    for (size_t l = 0; l < HL_GROUP; l++)
        value[l] = G->good[l] ? G->common->subjects->events[G->lane + l].event[number].value : 0;
}

static void change_rate(struct hl_group *G, const struct hl_move *move)
{
    double value[HL_GROUP], *rate = G->rate + (size_t)move->state * HL_GROUP;
    gather_values(G, move->at, value);
    for (size_t l = 0; l < HL_GROUP; l++) {
        rate[l] += value[l];
        if (fabs(rate[l]) < HL_RATE_GONE * fabs(value[l]))
            rate[l] = 0;
    }
    hl_group_renew_input(G, (size_t)G->common->plan->component_of[move->state], 0, HL_GROUP);
    note_infused(G);
}

/* Where in its component's modes an amount enters the state: rows of W, from one mode to the next *stride doubles. */
static const double *way_in(const struct hl_group *G, int state, size_t *stride)
{
    const struct hl_plan *plan = G->common->plan;
    const struct hl_component *component = &plan->component[plan->component_of[state]];
    *stride = component->shape.n * HL_GROUP;
    return hl_modes_row(G->rows->W, component, 0, (size_t)plan->place_of[state]);
}

static void add(struct hl_group *G, const struct hl_move *move)
{
    const struct hl_plan *plan = G->common->plan;
    const struct hl_component *component = &plan->component[plan->component_of[move->state]];
    double *z = G->z + component->offset * HL_GROUP, value[HL_GROUP] __attribute__((aligned(64)));
    size_t stride;
    const double *W = way_in(G, move->state, &stride);
    if (G->common->subjects->shared) {
        hl_glide_add_together(z, W, stride, move->value, component->shape.n);
        return;
    }
    gather_values(G, move->at, value);
    hl_glide_add(z, W, stride, value, component->shape.n);
}

/* Equal doses at equal distances: the modes that a dose enters, and those before and after them. */
static void run(struct hl_group *G, const struct hl_move *move)
{
    const struct hl_plan *plan = G->common->plan;
    const struct hl_component *component = &plan->component[plan->component_of[move->state]];
    const struct hl_group_table *t = &G->table[move->slot];
    size_t from = component->offset, to = from + component->shape.n, stride;
    const size_t part[] = {0, from, to, plan->n_modes};
    const double *W = way_in(G, move->state, &stride);
    if (G->any_odd) { /* step by step, since they are */
        const struct hl_move one = {.slot = move->slot, .length = move->length};
        for (size_t k = 0; k < move->n; k++) {
            hop(G, &one);
            add(G, move);
        }
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        size_t row = part[i] * HL_GROUP;
        const double *g = G->infused ? G->g + row : NULL;
        hl_glide_run(G->z + row, t->E + row, t->phi + row, g, i == 1 ? W : NULL, stride, move->value,
                     part[i + 1] - part[i], move->n);
    }
}

static void open_stride(struct hl_group *G, const struct hl_move *move)
{
    size_t n = G->common->plan->n_modes * HL_GROUP;
    G->step = &G->table[move->slot];
    for (size_t k = 0; G->infused && k < n; k++)
        G->u[k] = G->g[k] * G->step->phi[k];
    if (move->n > 0)
        memcpy(G->origin, G->z, n * sizeof *G->z);
}

static void close_stride(struct hl_group *G, const struct hl_move *move)
{
    static const double nobody[HL_GROUP];
    const struct hl_group_table *whole = &G->table[move->slot];
    size_t n_modes = G->common->plan->n_modes;
    if (G->infused) {
        for (size_t k = 0; k < n_modes * HL_GROUP; k++)
            G->u_stride[k] = G->g[k] * whole->phi[k];
        hl_glide_replace(G->z, G->origin, whole->E, G->u_stride, nobody, n_modes);
    } else {
        memcpy(G->z, G->origin, n_modes * HL_GROUP * sizeof *G->z);
        hl_glide_leap(G->z, whole->E, NULL, NULL, n_modes);
    }
    if (G->any_odd)
        carry_all_odd(G, G->origin, G->z, move->length);
}

static void glide(struct hl_group *G, const struct hl_move *move, size_t at)
{
    const double *u = G->infused ? G->u : NULL;
    if (!G->any_odd) {
        hl_glide(&G->shown, G->step->E, u, at, move->n, move->done);
        return;
    }
    for (size_t k = 0; k < move->n; k++, at += G->shown.time_stride) {
        memcpy(G->before, G->z, G->common->plan->n_modes * HL_GROUP * sizeof *G->z);
        hl_glide(&G->shown, G->step->E, u, at, 1, move->done + k);
        carry_all_odd(G, G->before, G->z, move->length);
    }
}

static void follow_moves(struct hl_group *G, size_t from, size_t to, const double *time, size_t first_time,
                         double *dose)
{
    for (const struct hl_move *m = G->common->timetable->move + from; from < to; from++, m++) {
        size_t at = (m->at - first_time) * G->shown.time_stride;
        switch ((enum hl_move_kind)m->kind) {
        case HL_MOVE_TABLE: make_table(G, m); break;
        case HL_MOVE_OPEN: open_stride(G, m); break;
        case HL_MOVE_FORGET: hl_group_forget(G); break;
        case HL_MOVE_GLIDE:
            hl_group_show_doses(G, dose, time, m->at, m->n, at);
            glide(G, m, at);
            break;
        case HL_MOVE_SHOW:
            hl_group_show_doses(G, dose, time, m->at, 1, at);
            hl_glide_show(&G->shown, at);
            break;
        case HL_MOVE_HOP: hop(G, m); break;
        case HL_MOVE_ADD: add(G, m); break;
        case HL_MOVE_RATE: change_rate(G, m); break;
        case HL_MOVE_RUN: run(G, m); break;
        case HL_MOVE_CLOSE: close_stride(G, m); break;
        }
    }
}

/* ---- A group */

static bool fits_timetable(const struct hl_group *G)
{
    const struct hl_group_common *common = G->common;
    bool fits = common->timetable != NULL;
    for (size_t l = 0; fits && l < HL_GROUP; l++) {
        const struct hl_start *start = &common->subjects->start[G->lane + l];
        if (G->good[l] && common->subjects->shared)
            fits = start->time == common->timetable->start; /* the very same */
        else if (G->good[l])
            fits = hl_timetable_fits(common->timetable, common->plan, &common->subjects->events[G->lane + l],
                                     start->time);
    }
    return fits;
}

/* What a steady regimen leaves running, and when it last gave something; else nothing ever did. */
static void take_start(struct hl_group *G)
{
    const struct hl_system *system = G->common->plan->system;
    bool steady = G->common->plan->regimen->n_steady > 0;
    memset(G->rate, 0, system->n_states * HL_GROUP * sizeof *G->rate);
    for (size_t k = 0; k < system->n_instances * HL_GROUP; k++)
        G->last_dose[k] = -INFINITY;
    for (size_t l = 0; steady && l < HL_GROUP; l++) {
        const struct hl_start *start = &G->common->subjects->start[G->lane + l];
        for (size_t s = 0; G->good[l] && s < system->n_states; s++)
            G->rate[s * HL_GROUP + l] = start->rate[s];
        for (size_t i = 0; G->good[l] && i < system->n_instances; i++)
            G->last_dose[i * HL_GROUP + l] = start->last_dose[i];
    }
}

static void begin_inputs(struct hl_group *G)
{
    const struct hl_plan *plan = G->common->plan;
    G->infused = false;
    G->step = NULL;
    for (size_t c = 0; c < plan->n_components; c++) {
        const struct hl_component *component = &plan->component[c];
        if (component->n_inputs > 0 || plan->regimen->n_steady > 0)
            hl_group_renew_input(G, c, 0, HL_GROUP);
        else
            memset(G->g + component->offset * HL_GROUP, 0, component->shape.n * HL_GROUP * sizeof *G->g);
    }
}

void hl_group_begin(struct hl_group *G, double t)
{
    G->rows = &G->common->subjects->rows[G->lane / HL_GROUP];
    G->any_odd = false;
    for (size_t l = 0; l < HL_GROUP; l++) {
        G->good[l] = G->common->subjects->status[G->lane + l] == HL_SUBJECT_GOOD;
        G->any_odd = G->any_odd || (G->good[l] && G->rows->odd[l]);
        G->given[l] = 0;
    }
    take_start(G);
    hl_glide_aim(&G->shown, G->z);
    memcpy(G->z, G->rows->z, G->common->plan->n_modes * HL_GROUP * sizeof *G->z);
    begin_inputs(G);
    G->together = fits_timetable(G);
    if (G->together)
        follow_moves(G, 0, G->common->timetable->first[0], NULL, 0, NULL);
    else
        hl_group_own_begin(G, t);
}

void hl_group_stride(struct hl_group *G, size_t c, const struct hl_stride *stride, const double *time,
                     size_t first_time, double *dose)
{
    const struct hl_timetable *timetable = G->common->timetable;
    if (G->together)
        follow_moves(G, timetable->first[c], timetable->first[c + 1], time, first_time, dose);
    else
        hl_group_own_stride(G, stride, time, first_time, dose);
}
