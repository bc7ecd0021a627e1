/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a group of eight begins with: rates, amplitudes, shares in the outputs, what a dose adds, inputs; and where its
 * stretches end.
 *
 * All of it is taken over row by row from the rows of modes, only that in every lane the modes are put in order, from
 * the slowest to the fastest, which is what the rules of signs want (strand_rows.c). Mostly the order is the same in
 * all lanes; then whole rows change places.
 *
 * Where stretches end, and which of them make runs, follows from the lists of events. Where the study gives everybody
 * the same list, a group whose lanes start when those of the last group did keeps what that one had. */
#include "solve/strand_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

typedef double row[HL_LANES] __attribute__((aligned(64)));

/* ---- Modes */

/* Whether lane l may have its modes in this order: rates fall, equal ones stand as in the plan. */
static bool is_in_order(const struct hl_strand *s, const double *const *lambda, const size_t *order, size_t l)
{
    for (size_t j = 1; j < s->n_modes; j++) {
        double slower = lambda[order[j - 1]][l], faster = lambda[order[j]][l];
        if (slower < faster || (slower == faster && order[j - 1] > order[j]))
            return false;
    }
    return true;
}

/* Modes of lane l from the slowest (largest lambda) to the fastest. */
static void sort_modes(const struct hl_strand *s, const double *const *lambda, size_t l, size_t *order)
{
    for (size_t i = 0; i < s->n_modes; i++) {
        size_t at = i;
        for (; at > 0 && lambda[order[at - 1]][l] < lambda[i][l]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static void order_modes(struct hl_strand *s, const double *const *lambda)
{
    const size_t *last = NULL;
    s->ordered_alike = true;
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t *order = s->order + l * s->n_modes;
        s->ordered_alike = s->ordered_alike && s->told[l];
        if (!s->told[l])
            continue;
        if (last && is_in_order(s, lambda, last, l)) {
            memcpy(order, last, s->n_modes * sizeof *order);
        } else {
            sort_modes(s, lambda, l, order);
            s->ordered_alike = s->ordered_alike && !last;
        }
        last = order;
    }
}

/* Rows, one for each mode of the strand as the plan has them, in each lane's order; 0 in lanes that aren't told. */
static void put_rows(const struct hl_strand *s, const double *const *from, double *to)
{
    size_t n = s->n_modes;
    for (size_t j = 0; s->ordered_alike && j < n; j++)
        memcpy(to + j * HL_LANES, from[s->order[j]], sizeof(row));
    for (size_t l = 0; !s->ordered_alike && l < HL_LANES; l++)
        for (size_t j = 0; j < n; j++)
            to[j * HL_LANES + l] = s->told[l] ? from[s->order[l * n + j]][l] : 0;
}

static void begin_modes(struct hl_strand *s, const struct hl_modes_rows *rows)
{
    const double *lambda[HL_STRAND_MODES], *z[HL_STRAND_MODES], *slowest = s->lambda,
                 *fastest = s->lambda + (s->n_modes - 1) * HL_LANES;
    for (size_t i = 0; i < s->n_modes; i++) {
        lambda[i] = rows->lambda + s->mode[i].number * HL_LANES;
        z[i] = rows->z + s->mode[i].number * HL_LANES;
    }
    order_modes(s, lambda);
    put_rows(s, lambda, s->lambda);
    put_rows(s, z, s->zs);
    for (size_t l = 0; l < HL_LANES; l++)
        s->rate[l] = s->told[l] ? fmax(1e-6, fmax(fabs(slowest[l]), fabs(fastest[l]))) : 1;
}

/* What a mode has to do with an output: coefficients times V. */
static void share(const struct hl_strand *s, const struct hl_output *out, const struct hl_modes_rows *rows,
                  const double *regs, size_t lanes, const struct hl_strand_mode *mode, double *to)
{
    const struct hl_component *component = &s->plan->component[mode->component];
    row sum = {0};
    for (size_t k = 0; k < out->n_coefs; k++) {
        if (s->plan->component_of[out->coef[k].col] != (int)mode->component)
            continue;
        size_t i = (size_t)s->plan->place_of[out->coef[k].col];
        const double *coef = regs + (size_t)out->coef[k].reg * lanes, *V = hl_modes_row(rows->V, component, i, mode->j);
        if (component->shape.reach[i * component->shape.n + mode->j])
            for (size_t l = 0; l < HL_LANES; l++)
                sum[l] += coef[l] * V[l];
    }
    memcpy(to, sum, sizeof sum);
}

static void forget_places(struct hl_strand_curve *curve)
{
    for (size_t i = 0; i < HL_STRAND_KEPT * HL_LANES; i++)
        curve->kept[i] = -1;
    memset(curve->n_nodes, 0, sizeof curve->n_nodes);
}

/* regs: those of the group's first lane. */
static void begin_curves(struct hl_strand *s, const struct hl_modes_rows *rows, const double *regs, size_t lanes)
{
    for (size_t k = 0; k < s->n_outputs; k++) {
        const struct hl_output *out = &s->plan->system->output[s->system_output[k]];
        struct hl_strand_curve *curve = &s->curve[k];
        const double *shares[HL_STRAND_MODES];
        for (size_t i = 0; i < s->n_modes; i++) {
            shares[i] = s->x + i * HL_LANES;
            share(s, out, rows, regs, lanes, &s->mode[i], s->x + i * HL_LANES);
        }
        put_rows(s, shares, curve->V);
        for (size_t l = 0; l < HL_LANES; l++)
            curve->offset[l] = s->told[l] ? hl_reg(regs, lanes, l, out->offset_reg, 0) : 0;
        forget_places(curve);
    }
}

/* W: what an amount in a state adds to each mode. */
static void begin_columns(struct hl_strand *s, const struct hl_modes_rows *rows)
{
    static const row nothing;
    for (size_t k = 0; k < s->n_modes; k++) {
        size_t c = s->mode[k].component, i = s->mode[k].j; /* states of a component are as many as its modes */
        const double *column[HL_STRAND_MODES];
        for (size_t m = 0; m < s->n_modes; m++)
            column[m] = s->mode[m].component == c
                            ? hl_modes_row(rows->W, &s->plan->component[c], s->mode[m].j, i) : nothing;
        size_t slot = (size_t)s->slot[s->plan->component[c].state[i]];
        put_rows(s, column, s->W + slot * s->n_modes * HL_LANES);
    }
}

/* Constant inputs and running infusions. */
static void begin_sources(struct hl_strand *s, const struct hl_start *start, const double *regs, size_t lanes)
{
    memset(s->input, 0, s->n_slots * sizeof(row));
    for (size_t k = 0; k < s->n_modes; k++) {
        int state = s->plan->component[s->mode[k].component].state[s->mode[k].j];
        double *infusion = s->infusion + (size_t)s->slot[state] * HL_LANES;
        for (size_t l = 0; l < HL_LANES; l++)
            infusion[l] = s->told[l] ? start[l].rate[state] : 0;
    }
    for (size_t c = 0; c < s->plan->n_components; c++) {
        const struct hl_component *component = &s->plan->component[c];
        for (size_t k = 0; s->has[c] && k < component->n_inputs; k++) {
            double *input = s->input + (size_t)s->slot[component->state[component->input[k].row]] * HL_LANES;
            for (size_t l = 0; l < HL_LANES; l++)
                input[l] += s->told[l] ? hl_reg(regs, lanes, l, component->input[k].reg, 0) : 0;
        }
    }
    s->infused = hl_strand_renew_inputs(s);
}

/* ---- Where stretches end */

static enum hl_status reserve(struct hl_strand *s, size_t n)
{
    if (n <= s->capacity)
        return HL_OK;
    size_t capacity = 2 * n + 32;
    double *time = hl_grow(s->time, s->capacity * HL_LANES, capacity * HL_LANES, sizeof *time);
    s->time = time ? time : s->time;
    double *value = hl_grow(s->value, s->capacity * HL_LANES, capacity * HL_LANES, sizeof *value);
    s->value = value ? value : s->value;
    struct hl_strand_break *what = hl_grow(s->what, s->capacity * HL_LANES, capacity * HL_LANES, sizeof *what);
    s->what = what ? what : s->what;
    struct hl_strand_run *run = hl_grow(s->run, s->capacity * HL_LANES, capacity * HL_LANES, sizeof *run);
    s->run = run ? run : s->run;
    if (!time || !value || !what || !run)
        return HL_ERR_MEMORY;
    s->capacity = capacity;
    return HL_OK;
}

/* There is room. */
static void put_break(struct hl_strand *s, size_t l, double time, int slot, enum hl_event_kind kind, double value)
{
    size_t at = s->n[l]++ * HL_LANES + l;
    s->time[at] = time;
    s->value[at] = value;
    s->what[at] = (struct hl_strand_break){slot, kind};
}

/* What is to come, in order: edges, events of the strand's states, the end. */
struct ahead { const double *edge; size_t n_edges, next; double stop; };

static void put_edges(struct hl_strand *s, size_t l, struct ahead *ahead, double until)
{
    for (; ahead->next < ahead->n_edges && ahead->edge[ahead->next] < until; ahead->next++)
        if (ahead->edge[ahead->next] > s->start[l])
            put_break(s, l, ahead->edge[ahead->next], -1, HL_EVENT_ADD, 0);
}

static enum hl_status gather(struct hl_strand *s, const struct hl_events *events, size_t l, struct ahead ahead)
{
    if (reserve(s, events->n + ahead.n_edges + 1) != HL_OK)
        return HL_ERR_MEMORY;
    for (size_t k = 0; k < events->n && events->event[k].time <= ahead.stop; k++) {
        const struct hl_event *event = &events->event[k];
        bool moves = event->kind == HL_EVENT_ADD || event->kind == HL_EVENT_RATE;
        if (!moves || event->state < 0 || s->slot[event->state] < 0)
            continue;
        s->rates_ahead = s->rates_ahead || event->kind == HL_EVENT_RATE;
        put_edges(s, l, &ahead, event->time);
        put_break(s, l, event->time, s->slot[event->state], event->kind, event->value);
    }
    put_edges(s, l, &ahead, ahead.stop);
    put_break(s, l, ahead.stop, -1, HL_EVENT_ADD, 0);
    return HL_OK;
}

/* Lane l has the events of another, and starts with it. */
static void copy_breaks(struct hl_strand *s, size_t from, size_t l)
{
    s->n[l] = s->n[from];
    s->n_runs[l] = s->n_runs[from];
    for (size_t k = 0; k < s->n[l] * HL_LANES; k += HL_LANES) {
        s->time[k + l] = s->time[k + from];
        s->value[k + l] = s->value[k + from];
        s->what[k + l] = s->what[k + from];
    }
    for (size_t r = 0; r < s->n_runs[l] * HL_LANES; r += HL_LANES)
        s->run[r + l] = s->run[r + from];
}

/* Whether stretch k follows the same dose as the second of the run that begins with `first`, and lasts as long but for
 * what a double at that time can't tell apart. */
static bool is_alike(const struct hl_strand *s, size_t l, size_t first, size_t k)
{
    const struct hl_strand_break *lead = &s->what[first * HL_LANES + l], *before = &s->what[(k - 1) * HL_LANES + l];
    double end = s->time[k * HL_LANES + l];
    double length = s->time[first * HL_LANES + l] - hl_strand_break_before(s, l, first);
    return lead->kind == HL_EVENT_ADD && lead->slot >= 0 && before->kind == HL_EVENT_ADD && before->slot == lead->slot
           && s->value[(k - 1) * HL_LANES + l] == s->value[first * HL_LANES + l] && length > 0
           && fabs(end - hl_strand_break_before(s, l, k) - length) <= 4 * DBL_EPSILON * fabs(end);
}

static void find_runs(struct hl_strand *s, size_t l)
{
    s->n_runs[l] = 0;
    for (size_t first = 0, n; first < s->n[l]; first += n) {
        n = 1;
        while (first + n < s->n[l] && is_alike(s, l, first, first + n))
            n++;
        s->run[s->n_runs[l]++ * HL_LANES + l] = (struct hl_strand_run){first, n};
    }
}

/* Whether the breaks of the last group are this one's; else forgets them. events, start: of its lanes. */
static bool keeps_breaks(struct hl_strand *s, const struct hl_subjects *subjects, const struct hl_events *events,
                         const struct hl_start *start)
{
    struct hl_strand_kept now = {.event = subjects->shared ? events->event : NULL, .n = events->n,
                                 .edition = subjects->edition};
    bool same = now.event && now.event == s->kept.event && now.n == s->kept.n && now.edition == s->kept.edition;
    for (size_t l = 0; l < HL_LANES; l++) {
        now.told[l] = s->told[l];
        same = same && s->told[l] == s->kept.told[l] && (!s->told[l] || start[l].time == s->start[l]);
    }
    s->kept = now;
    if (same)
        return true;
    memset(s->start, 0, sizeof s->start);
    memset(s->n, 0, sizeof s->n);
    memset(s->n_runs, 0, sizeof s->n_runs);
    s->rates_ahead = false;
    return false;
}

static enum hl_status begin_breaks(struct hl_strand *s, const struct hl_subjects *subjects, size_t lane,
                                   struct ahead ahead)
{
    const struct hl_events *events = subjects->events + lane;
    const struct hl_event *list = NULL;
    size_t before = 0; /* the lane before, whose list may be this one's too */
    if (keeps_breaks(s, subjects, events, subjects->start + lane))
        return HL_OK;
    for (size_t l = 0; l < HL_LANES; l++) {
        if (!s->told[l])
            continue;
        s->start[l] = subjects->start[lane + l].time;
        if (list && events[l].event == list && s->start[l] == s->start[before]) {
            copy_breaks(s, before, l);
        } else if (gather(s, &events[l], l, ahead) != HL_OK) {
            s->kept.event = NULL;
            return HL_ERR_MEMORY;
        } else {
            find_runs(s, l);
        }
        list = events[l].event;
        before = l;
    }
    return HL_OK;
}

/* ---- */

enum hl_status hl_strand_begin_group(struct hl_strand *s, const struct hl_subjects *subjects, const double *regs,
                                     size_t lane, double stop, const double *edge, size_t n_edges)
{
    const struct hl_modes_rows *rows = &subjects->rows[lane / HL_LANES];
    for (size_t l = 0; l < HL_LANES; l++)
        s->told[l] = subjects->status[lane + l] == HL_SUBJECT_GOOD && !rows->odd[l];
    s->walks.n = 0;
    begin_modes(s, rows);
    begin_curves(s, rows, regs + lane, subjects->lanes);
    begin_columns(s, rows);
    begin_sources(s, subjects->start + lane, regs + lane, subjects->lanes);
    for (size_t k = 0; k < HL_STRAND_HOPS; k++)
        s->hop[k].full = false;
    for (size_t k = 0; k < HL_STRAND_LOOKS; k++)
        s->look[k].full = false;
    enum hl_status status = begin_breaks(s, subjects, lane, (struct ahead){edge, n_edges, 0, stop});
    s->infuses = s->infused || s->rates_ahead;
    return status;
}
