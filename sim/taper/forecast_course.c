/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unit courses. With ordinary linear states x, and p what drives them from outside (contents of patches, running
 * infusions),
 *     x' = A x + D p,     p' = -K p (contents), 0 (infusions),
 * what one dose brings is what its events do to x from zero. Over a grid step it is enough to know
 *     v = x(end of step), if x is 0 at its beginning and p is what the dose has made it,
 * because x(end) = Phi x(begin) + v: p has no other past than the dose itself. So each dose is followed through its
 * events once, x set to zero at the beginning of every step, and leaves a v for each step it touches: one for a
 * tablet, all of a period's for an infusion. Part steps before and after an event are matrix exponentials of their own
 * length: nothing is rounded to the grid. p never appears while schedules are tried, and with it goes the only thing
 * that is ever taken away (a patch's rest): all v are >= 0 where A and D are. u = D p at both ends is kept for slopes.
 *
 * The same is done with what was given before day 0 and goes on: its events from day 0 on, from the contents and rates
 * that day 0 begins with. */
#include <math.h>
#include <string.h>

#include "taper/forecast_parts.h"

#define GONE 1e-9  /* of the largest it has been: what is left of a removed patch, of rates that ended, by rounding */
#define SPENT 1e-13 /* of the same: a patch that nobody takes off */

struct hl_forecast_course_room {
    const struct hl_forecast *forecast;
    size_t n, q, size;           /* ordinary; contents; with rates: n + q + n */
    double *A;                   /* size x size */
    double *E, *work;            /* size x size; 3 of them */
    double *kind; bool *has_kind;/* whole matrices by kind of step */
    double *state, *next, *most; /* size */
};

struct hl_forecast_course_room *hl_forecast_course_room_create(const struct hl_forecast *f)
{
    struct hl_forecast_course_room *r = hl_alloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct hl_forecast_course_room){.forecast = f, .n = f->system.n, .q = f->system.n_contents};
    r->size = 2 * r->n + r->q;
    size_t square = r->size * r->size;
    r->A = hl_alloc(square, sizeof *r->A);
    r->E = hl_alloc(square, sizeof *r->E);
    r->work = hl_alloc(3 * square, sizeof *r->work);
    r->kind = hl_alloc(f->grid.n_kinds * square, sizeof *r->kind);
    r->has_kind = hl_alloc(f->grid.n_kinds, sizeof *r->has_kind);
    r->state = hl_alloc(r->size, sizeof *r->state);
    r->next = hl_alloc(r->size, sizeof *r->next);
    r->most = hl_alloc(r->size, sizeof *r->most);
    if (r->A && r->E && r->work && r->kind && r->has_kind && r->state && r->next && r->most)
        return r;
    hl_forecast_course_room_free(r);
    return NULL;
}

void hl_forecast_course_room_free(struct hl_forecast_course_room *r)
{
    if (!r)
        return;
    void *part[] = {r->A, r->E, r->work, r->kind, r->has_kind, r->state, r->next, r->most, r};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

void hl_forecast_course_lane(struct hl_forecast_course_room *r, const double *regs, size_t lanes, size_t lane)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    const struct hl_system *y = s->system;
    memset(r->A, 0, r->size * r->size * sizeof *r->A);
    memset(r->has_kind, 0, r->forecast->grid.n_kinds * sizeof *r->has_kind);
    for (size_t k = 0; k < y->n_coefs; k++) {
        int row = s->place[y->coef[k].row], col = y->coef[k].col < 0 ? (int)s->n - 1 : s->place[y->coef[k].col];
        if (row >= 0 && col >= 0)
            r->A[(size_t)row * r->size + (size_t)col] += regs[(size_t)y->coef[k].reg * lanes + lane];
    }
    for (size_t i = 0; i < r->n; i++)
        r->A[i * r->size + r->n + r->q + i] = 1;
}

/* The whole matrix of a kind of step. */
static const double *matrix_of(struct hl_forecast_course_room *r, int kind)
{
    double *E = r->kind + (size_t)kind * r->size * r->size;
    if (!r->has_kind[kind])
        hl_forecast_exponential(r->A, r->size, r->forecast->grid.length[kind], E, r->work);
    r->has_kind[kind] = true;
    return E;
}

void hl_forecast_matrices(struct hl_forecast_course_room *r, struct hl_forecast_block *block, size_t lane)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    double A[(s->n + 1) * (s->n + 1)], E[(s->n + 1) * (s->n + 1)];
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->n; j++)
            A[i * s->n + j] = r->A[i * r->size + j];
    for (size_t k = 0; k < r->forecast->grid.n_kinds; k++) {
        hl_forecast_exponential(A, s->n, r->forecast->grid.length[k], E, r->work);
        for (size_t i = 0; i < s->n_pairs; i++)
            ROW_OF(block->phi, k * s->n_pairs + i)[lane] =
                E[(size_t)s->pair[i].row * s->n + (size_t)s->pair[i].col];
    }
    for (size_t k = 0; k < s->n_entries; k++)
        ROW_OF(block->rate, k)[lane] = r->A[(size_t)s->entry[k].row * r->size + (size_t)s->entry[k].col];
}

static void carry(struct hl_forecast_course_room *r, const double *E)
{
    for (size_t i = 0; i < r->size; i++) {
        double sum = 0;
        for (size_t j = 0; j < r->size; j++)
            sum += r->state[j] != 0.0 ? E[i * r->size + j] * r->state[j] : 0; /* most are exactly zero */
        r->next[i] = sum;
    }
    memcpy(r->state, r->next, r->size * sizeof *r->state);
}

/* Moves on by a part of a step. */
static void carry_by(struct hl_forecast_course_room *r, double h)
{
    bool any = false;
    for (size_t i = 0; i < r->size; i++)
        any = any || r->state[i] != 0.0;
    if (!(h > 0) || !any)
        return;
    hl_forecast_exponential(r->A, r->size, h, r->E, r->work);
    carry(r, r->E);
}

static void apply(struct hl_forecast_course_room *r, const struct hl_event *event)
{
    int place = r->forecast->system.place[event->state];
    if (place < 0)
        return;
    size_t at = event->kind == HL_EVENT_RATE ? r->n + r->q + (size_t)place : (size_t)place;
    r->state[at] += event->value;
    r->most[at] = fmax(r->most[at], fabs(r->state[at]));
    if (at >= r->n && fabs(r->state[at]) <= GONE * r->most[at])
        r->state[at] = 0;
}

/* Whether anything drives x from outside. */
static bool is_driven(const struct hl_forecast_course_room *r)
{
    for (size_t i = r->n; i < r->size; i++)
        if (r->state[i] != 0.0)
            return true;
    return false;
}

/* Drives of which no more than this share is left are gone. */
static void forget(struct hl_forecast_course_room *r, double share)
{
    for (size_t i = r->n; i < r->size; i++)
        if (fabs(r->state[i]) <= share * r->most[i])
            r->state[i] = 0;
}

/* D p, into one lane of rows. */
static bool inputs(const struct hl_forecast_course_room *r, double *u, size_t lane)
{
    bool any = false;
    for (size_t i = 0; i < r->n; i++) {
        double sum = 0;
        for (size_t j = r->n; j < r->size; j++)
            sum += r->A[i * r->size + j] * r->state[j];
        any = any || sum != 0.0;
        if (u)
            ROW_OF(u, i)[lane] = sum;
    }
    return any;
}

struct hl_forecast_entry *hl_forecast_entry_of(struct hl_arena *arena, struct hl_forecast_course *course, size_t step,
                                               size_t n)
{
    size_t at = course->n;
    while (at > 0 && course->entry[at - 1].step >= step)
        at--;
    if (at < course->n && course->entry[at].step == step)
        return &course->entry[at];
    course->entry = hl_arena_push(arena, course->entry, course->n, &course->capacity, sizeof *course->entry);
    memmove(course->entry + at + 1, course->entry + at, (course->n - at) * sizeof *course->entry);
    course->n++;
    course->entry[at] = (struct hl_forecast_entry){
        .step = step, .v = hl_arena_alloc(arena, n * HL_FORECAST_LANES, sizeof(double))};
    return &course->entry[at];
}

static void keep_inputs(struct hl_forecast_course_room *r, struct hl_arena *arena, double **u, size_t lane)
{
    if (!inputs(r, NULL, lane))
        return;
    if (!*u)
        *u = hl_arena_alloc(arena, r->n * HL_FORECAST_LANES, sizeof **u);
    inputs(r, *u, lane);
}

struct cursor {
    const struct hl_forecast_course_request *request;
    size_t next;                 /* event */
    double time, length;         /* of the step */
};

/* Applies what happens at or before a time of the step; at is where the state stands. */
static void apply_until(struct hl_forecast_course_room *r, struct cursor *c, double until, double *at)
{
    const struct hl_forecast_course_request *q = c->request;
    for (; c->next < q->n_events && q->event[c->next].time < until; c->next++) {
        const struct hl_event *event = &q->event[c->next];
        double offset = fmin(fmax(event->time - c->time, *at), c->length);
        if (event->kind != HL_EVENT_ADD && event->kind != HL_EVENT_RATE)
            continue;
        carry_by(r, offset - *at);
        *at = offset;
        apply(r, event);
    }
}

/* One step from x = 0. */
static void follow_step(struct hl_forecast_course_room *r, struct cursor *c, size_t step, int kind,
                        struct hl_arena *arena, struct hl_forecast_course *course)
{
    const struct hl_forecast_course_request *q = c->request;
    double at = 0, end = c->time + c->length;
    bool begins = c->length == 0; /* a moment of the grid */
    double until = begins ? end + HL_FORECAST_NEAR : end - HL_FORECAST_NEAR;
    bool touched = is_driven(r) || (c->next < q->n_events && q->event[c->next].time < until);
    if (!touched)
        return;
    memset(r->state, 0, r->n * sizeof *r->state);
    struct hl_forecast_entry *entry = hl_forecast_entry_of(arena, course, step, r->n);
    if (!begins)
        apply_until(r, c, c->time + HL_FORECAST_NEAR, &at);
    keep_inputs(r, arena, &entry->u0, q->lane);
    apply_until(r, c, until, &at);
    if (at > 0)
        carry_by(r, c->length - at);
    else if (c->length > 0)
        carry(r, matrix_of(r, kind));
    keep_inputs(r, arena, &entry->u1, q->lane);
    for (size_t i = 0; i < r->n; i++)
        ROW_OF(entry->v, i)[q->lane] = r->state[i];
    forget(r, SPENT);
}

enum hl_status hl_forecast_course_add(struct hl_forecast_course_room *r,
                                      const struct hl_forecast_course_request *request, struct hl_arena *arena,
                                      struct hl_forecast_course *course, bool *runs_on)
{
    const struct hl_forecast_grid *g = &r->forecast->grid;
    struct cursor c = {.request = request};
    double *content = r->state + r->n, *rate = content + r->q;
    memset(r->state, 0, r->size * sizeof *r->state);
    memset(r->most, 0, r->size * sizeof *r->most);
    if (request->content)
        memcpy(content, request->content, r->q * sizeof *content);
    if (request->rate)
        memcpy(rate, request->rate, r->n * sizeof *rate);
    for (size_t i = r->n; i < r->size; i++)
        r->most[i] = fmax(fabs(r->state[i]), i < r->n + r->q ? request->scale : 0);
    forget(r, GONE);
    size_t step = 0;
    for (; step < request->last_step; step++) {
        if (c.next == request->n_events && !is_driven(r))
            break;
        const struct hl_forecast_step *s = &g->step[step % g->n];
        c.time = (double)(step / g->n) * g->period + g->start[step % g->n];
        c.length = s->length;
        follow_step(r, &c, step, s->kind, arena, course);
    }
    *runs_on = c.next < request->n_events || is_driven(r);
    return HL_OK;
}
