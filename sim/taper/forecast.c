/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cohort's outlook on tapers by superposition.
 *
 * Where kinetics is linear, what a schedule does to a subject is the sum of what its doses do, and a dose does the same
 * whenever it is given. So each dose of a period is followed once, by its own events in the engine
 * (forecast_course.c), and a level of a taper costs a few products per subject and step (forecast_walk.c), on a grid of
 * steps that comes again every period (forecast_grid.c). What isn't linear, tolerance and adaptation mostly, is slow
 * against these steps and is carried by Heun's method. Statistics are taken from the cubics between the grid's points
 * (forecast_statistics.c), bounds over many schedules at once from intervals (forecast_envelope.c).
 *
 * What is exact: the start at day 0 (the engine's), all linear states at every point of the grid, for any lag,
 * fraction, bioavailability, patch or infusion. What isn't: states that aren't linear, outputs between points. Against
 * the exact engine (tests/unit/test_taper_forecast.c, test_taper_forecast_routes.c; the figures are what was seen): 70
 * subjects, clonazepam's withdrawal index over 0 to 12 weeks of taper and 8 weeks after it, peaks within 0.0005 of some
 * 30 (3e-5 relative), hours above 20 within 0.15 h of the whole, most where the index hovers there; two drugs'
 * hypoxaemia index within 1e-5 relative; patches within 1e-12.
 *
 * Tried and left: Heun's method for what isn't linear (its bias, h^2/12 of an integral, was the largest error by ten:
 * 0.016 of the index with steps of 2 h); steps that grow with half of the time since a dose instead of a
 * quarter, and up to 2 h instead of 1 (27 a day in place of 43, peaks within 0.004, which is enough, but brief times
 * above a threshold were lost, 1.2 h of them in one subject); an even grid (more steps, and no point where a dose
 * arrives).
 *
 * Prior art: superposition of unit responses is the oldest tool of dosage design (Krueger-Thiemer 1966, J Theor Biol
 * 13:212). */
#include "taper/forecast.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "taper/forecast_parts.h"

#define LANES HL_FORECAST_LANES
#define ROW_BYTES (LANES * sizeof(double))

struct hl_prospect {
    const struct hl_forecast *forecast;
    size_t period;               /* from day 0 on */
    double *statistic;           /* [constraint][subject] */
    double *state;               /* by block: x, z, outputs, amounts of the last periods, in rows */
    unsigned char *walk;         /* [subject][drug] of adherence */
    struct hl_prospect **part;   /* of joined forecasts */
};

/* ---- Memory. */

static size_t rows_of(const struct hl_forecast *f)
{
    return f->system.n + f->system.m + f->back * f->n_streams;
}

size_t hl_forecast_walk_bytes(const struct hl_forecast *f)
{
    return f->request.adherence ? f->problem->n_drugs * f->request.adherence->walk_size : 0;
}

static void prospect_free(struct hl_prospect *p)
{
    if (!p)
        return;
    hl_free(p->statistic);
    hl_free(p->state);
    hl_free(p->walk);
    hl_free(p->part);
    hl_free(p);
}

static struct hl_prospect *prospect_alloc(const struct hl_forecast *f)
{
    struct hl_prospect *p = hl_alloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->forecast = f;
    p->statistic = hl_alloc_unset(f->problem->n_constraints, f->n_subjects * sizeof *p->statistic);
    p->state = hl_alloc_unset(f->n_blocks * rows_of(f), ROW_BYTES);
    p->walk = hl_alloc(f->n_subjects, hl_forecast_walk_bytes(f));
    if (p->statistic && p->state && p->walk)
        return p;
    prospect_free(p);
    return NULL;
}

static void release(void *context, struct hl_prospect *p)
{
    (void)context;
    prospect_free(p);
}

static const double *statistics(const struct hl_prospect *p)
{
    return p->statistic;
}

/* ---- Between a prospect and a room. */

static double *block_rows(const struct hl_prospect *p, const struct hl_forecast_block *block)
{
    const struct hl_forecast *f = p->forecast;
    return p->state + (size_t)(block - f->block) * rows_of(f) * LANES;
}

static void load_statistics(const struct hl_prospect *p, struct hl_forecast_room *r)
{
    const struct hl_forecast *f = p->forecast;
    for (size_t c = 0; c < f->problem->n_constraints; c++)
        for (size_t l = 0; l < LANES; l++)
            ROW_OF(r->statistic, c)[l] =
                p->statistic[c * f->n_subjects + r->block->first - 1 + (l < r->block->n ? l : r->block->n - 1)];
}

static void store_statistics(const struct hl_forecast_room *r, double *statistic)
{
    const struct hl_forecast *f = r->forecast;
    for (size_t c = 0; c < f->problem->n_constraints; c++)
        for (size_t l = 0; l < r->block->n; l++)
            statistic[c * f->n_subjects + r->block->first - 1 + l] =
                r->block->failed[l] ? INFINITY : ROW_OF(r->statistic, c)[l];
}

void hl_forecast_room_past(struct hl_forecast_room *r, const double *rows, size_t n)
{
    memcpy(r->amount, rows, n * ROW_BYTES);
    for (size_t k = 0; k < n; k++) {
        bool any = false;
        for (size_t l = 0; l < LANES; l++)
            any = any || ROW_OF(rows, k)[l] > 0;
        r->given[k] = any;
    }
}

static void load(const struct hl_prospect *p, struct hl_forecast_room *r)
{
    const struct hl_forecast *f = p->forecast;
    const double *rows = block_rows(p, r->block);
    size_t n = f->system.n, m = f->system.m;
    memcpy(r->x, rows, n * ROW_BYTES);
    memcpy(r->z, ROW_OF(rows, n), m * ROW_BYTES);
    hl_forecast_room_past(r, ROW_OF(rows, n + m), f->back * f->n_streams);
    r->step = p->period * f->grid.n;
    r->time = f->request.t0 + (double)p->period * f->grid.period;
    load_statistics(p, r);
    hl_forecast_look(r);
}

static void store(struct hl_prospect *p, const struct hl_forecast_room *r)
{
    const struct hl_forecast *f = p->forecast;
    double *rows = block_rows(p, r->block);
    size_t n = f->system.n, m = f->system.m;
    memcpy(rows, r->x, n * ROW_BYTES);
    memcpy(ROW_OF(rows, n), r->z, m * ROW_BYTES);
    memcpy(ROW_OF(rows, n + m), r->amount, f->back * f->n_streams * ROW_BYTES);
    store_statistics(r, p->statistic);
}

/* ---- Doses. */

/* How often the subject of a lane takes a dose. */
static double times_taken(const struct hl_forecast *f, const struct hl_forecast_room *r, unsigned char *walk,
                          size_t lane, size_t drug, size_t dose)
{
    const struct hl_forecast_adherence *a = f->request.adherence;
    if (!a || !walk)
        return 1;
    size_t subject = r->block->first - 1 + lane;
    double time = r->time + f->problem->drug[drug].dose[dose].clock;
    unsigned char *row = walk + subject * hl_forecast_walk_bytes(f) + drug * a->walk_size;
    return a->next(a->context, hl_forecast_number(f, subject), drug, time, row);
}

/* Amounts of one stream for the period that begins now. */
static void put_stream(struct hl_forecast_room *r, unsigned char *walk, size_t drug, size_t dose, double units)
{
    const struct hl_forecast *f = r->forecast;
    size_t stream = f->problem->drug[drug].first_stream + dose;
    double *amount = ROW_OF(r->amount, stream);
    r->given[stream] = units > 0;
    for (size_t l = 0; l < LANES; l++)
        amount[l] = units > 0 && l < r->block->n ? units * times_taken(f, r, walk, l, drug, dose) : units;
}

void hl_forecast_put_rung(struct hl_forecast_room *r, unsigned char *walk, const struct hl_taper_rung *rung)
{
    const struct hl_forecast *f = r->forecast;
    size_t s = f->n_streams;
    memmove(ROW_OF(r->amount, s), r->amount, f->back * s * ROW_BYTES);
    memmove(r->given + s, r->given, f->back * s * sizeof *r->given);
    for (size_t d = 0; d < f->problem->n_drugs; d++)
        for (size_t k = 0; k < f->problem->drug[d].n_doses; k++)
            put_stream(r, walk, d, k, rung ? (double)rung->units[f->problem->drug[d].first_stream + k] : 0);
}

static void walk_period(struct hl_forecast_room *r, unsigned char *walk, const struct hl_taper_rung *rung)
{
    hl_forecast_put_rung(r, walk, rung);
    for (size_t i = 0; i < r->forecast->grid.n; i++)
        hl_forecast_regular(r);
}

/* ---- The outlook's calls. */

enum hl_status hl_forecast_for_blocks(const struct hl_forecast *f, const size_t *block, size_t n, hl_forecast_act *act,
                                      void *context)
{
    bool lacking = false;
#pragma omp parallel reduction(|| : lacking)
    {
        struct hl_forecast_room *room = hl_forecast_room_create(f);
        lacking = !room;
#pragma omp for schedule(dynamic)
        for (size_t b = 0; b < n; b++)
            if (room) {
                hl_forecast_room_enter(room, &f->block[block ? block[b] : b]);
                act(room, b, context);
            }
        hl_forecast_room_free(room);
    }
    return lacking ? HL_ERR_MEMORY : HL_OK;
}

void hl_forecast_room_start(struct hl_forecast_room *r)
{
    const struct hl_forecast *f = r->forecast;
    memcpy(r->x, r->block->x0, f->system.n * ROW_BYTES);
    memcpy(r->z, r->block->z0, f->system.m * ROW_BYTES);
    memset(r->amount, 0, (f->back + 1) * f->n_streams * ROW_BYTES);
    memset(r->given, 0, (f->back + 1) * f->n_streams * sizeof *r->given);
    r->step = 0;
    r->time = f->request.t0;
    hl_forecast_look(r);
    for (size_t c = 0; c < f->problem->n_constraints; c++)
        for (size_t l = 0; l < LANES; l++)
            ROW_OF(r->statistic, c)[l] =
                f->problem->constraint[c].statistic == HL_TAPER_PEAK ? ROW_OF(r->y, c)[l] : 0;
}

struct beginning { struct hl_prospect *to; struct hl_forecast_trace trace; };

/* Notes what comes from here on, where that is wanted. */
static void follow_moments(struct hl_forecast_room *r, struct hl_forecast_trace *trace)
{
    r->trace = trace->value ? trace : NULL;
    r->noted = 0;
}

static void begin_block(struct hl_forecast_room *r, size_t number, void *context)
{
    (void)number;
    struct beginning *s = context;
    hl_forecast_room_start(r);
    follow_moments(r, &s->trace);
    if (r->trace)
        hl_forecast_trace_note(r);
    store(s->to, r);
}

static struct hl_prospect *begin(void *context)
{
    const struct hl_forecast *f = context;
    struct beginning s = {.to = prospect_alloc(f)};
    if (s.to && hl_forecast_trace_init(f, 1, &s.trace) &&
        hl_forecast_for_blocks(f, NULL, f->n_blocks, begin_block, &s) == HL_OK) {
        hl_forecast_trace_close(f, &s.trace, NULL, s.to->statistic);
        return s.to;
    }
    hl_forecast_trace_clear(&s.trace);
    prospect_free(s.to);
    return NULL;
}

struct stepping {
    const struct hl_prospect *from;
    struct hl_prospect *to;
    const struct hl_taper_rung *rung;
    size_t n;
    struct hl_forecast_trace trace;
};

static void step_block(struct hl_forecast_room *r, size_t number, void *context)
{
    (void)number;
    struct stepping *s = context;
    load(s->from, r);
    follow_moments(r, &s->trace);
    for (size_t k = 0; k < s->n; k++)
        walk_period(r, s->to->walk, s->rung);
    store(s->to, r);
}

static struct hl_prospect *step(void *context, const struct hl_prospect *from, struct hl_taper_step level)
{
    const struct hl_forecast *f = context;
    struct hl_prospect *p = prospect_alloc(f);
    struct stepping s = {.from = from, .to = p, .rung = &f->problem->rung[level.rung],
                         .n = hl_forecast_periods(f, level.days)};
    if (!p)
        return NULL;
    memcpy(p->walk, from->walk, f->n_subjects * hl_forecast_walk_bytes(f));
    p->period = from->period + s.n;
    if (hl_forecast_trace_init(f, s.n * f->grid.n, &s.trace) &&
        hl_forecast_for_blocks(f, NULL, f->n_blocks, step_block, &s) == HL_OK) {
        hl_forecast_trace_close(f, &s.trace, from->statistic, p->statistic);
        return p;
    }
    hl_forecast_trace_clear(&s.trace);
    prospect_free(p);
    return NULL;
}

struct stopping { const struct hl_prospect *from; double *statistic; struct hl_forecast_trace trace; };

size_t hl_forecast_periods(const struct hl_forecast *f, int days)
{
    return (size_t)lround(24.0 * days / f->grid.period);
}

/* Regular periods until nothing arrives any more, then longer and longer steps; regular ones to the end where something
 * goes on. */
struct hl_forecast_ending hl_forecast_ending(const struct hl_forecast *f, size_t period)
{
    size_t k = f->back > 0 ? f->back - 1 : 0, last = (period + k + 1) * f->grid.n;
    bool settles = k < HL_FORECAST_TAILS && f->before_end <= last
                   && (double)(k + 1) * f->grid.period <= f->problem->follow;
    return (struct hl_forecast_ending){
        .last = last, .by_steps = settles, .n_tail = settles ? f->grid.n_tail[k] : 0,
        .tail = settles ? f->grid.tail[k] : NULL,
        .end = f->request.t0 + (double)period * f->grid.period + f->problem->follow};
}

bool hl_forecast_goes_on(const struct hl_forecast_room *r, const struct hl_forecast_ending *ending)
{
    return ending->by_steps ? r->step < ending->last : r->time < ending->end - HL_FORECAST_NEAR;
}

static void stop_block(struct hl_forecast_room *r, size_t number, void *context)
{
    (void)number;
    struct stopping *s = context;
    const struct hl_forecast *f = r->forecast;
    load(s->from, r);
    struct hl_forecast_ending ending = hl_forecast_ending(f, s->from->period);
    follow_moments(r, &s->trace);
    while (hl_forecast_goes_on(r, &ending)) {
        if (r->step % f->grid.n == 0)
            hl_forecast_put_rung(r, NULL, NULL);
        hl_forecast_regular(r);
    }
    for (size_t k = 0; k < ending.n_tail; k++)
        hl_forecast_tail(r, &ending.tail[k]);
    store_statistics(r, s->statistic);
}

size_t hl_forecast_moments_of_stop(const struct hl_forecast *f, size_t period)
{
    struct hl_forecast_ending ending = hl_forecast_ending(f, period);
    size_t periods = (size_t)ceil(f->problem->follow / f->grid.period) + 1, first = period * f->grid.n;
    return 1 + (ending.by_steps ? (ending.last > first ? ending.last - first : 0) + ending.n_tail
                                : periods * f->grid.n);
}

static enum hl_status stop(void *context, const struct hl_prospect *from, double *statistic)
{
    const struct hl_forecast *f = context;
    struct stopping s = {.from = from, .statistic = statistic};
    if (!hl_forecast_trace_init(f, hl_forecast_moments_of_stop(f, from->period), &s.trace))
        return HL_ERR_MEMORY;
    enum hl_status status = hl_forecast_for_blocks(f, NULL, f->n_blocks, stop_block, &s);
    if (status == HL_OK)
        hl_forecast_trace_close(f, &s.trace, from->statistic, statistic);
    hl_forecast_trace_clear(&s.trace);
    return status;
}

/* ---- Joined forecasts. */

static void joined_release(void *context, struct hl_prospect *p)
{
    const struct hl_forecast *f = context;
    for (size_t k = 0; p && k < f->n_parts; k++)
        prospect_free(p->part[k]);
    prospect_free(p);
}

/* Statistics of the parts, one after another. */
static struct hl_prospect *joined(const struct hl_forecast *f, struct hl_prospect **part)
{
    struct hl_prospect *p = hl_alloc(1, sizeof *p);
    bool good = p != NULL;
    for (size_t k = 0; k < f->n_parts; k++)
        good = good && part[k];
    size_t each = f->problem->n_constraints * f->n_subjects;
    if (good) {
        p->forecast = f;
        p->statistic = hl_alloc_unset(f->n_parts, each * sizeof *p->statistic);
        p->part = hl_alloc(f->n_parts, sizeof *p->part);
    }
    if (good && p->statistic && p->part) {
        for (size_t k = 0; k < f->n_parts; k++)
            memcpy(p->statistic + k * each, part[k]->statistic, each * sizeof *p->statistic);
        memcpy(p->part, part, f->n_parts * sizeof *part);
        return p;
    }
    for (size_t k = 0; k < f->n_parts; k++)
        prospect_free(part[k]);
    prospect_free(p);
    return NULL;
}

static struct hl_prospect *joined_begin(void *context)
{
    const struct hl_forecast *f = context;
    struct hl_prospect *part[f->n_parts];
    for (size_t k = 0; k < f->n_parts; k++)
        part[k] = begin(f->part[k]);
    return joined(f, part);
}

static struct hl_prospect *joined_step(void *context, const struct hl_prospect *from, struct hl_taper_step level)
{
    const struct hl_forecast *f = context;
    struct hl_prospect *part[f->n_parts];
    for (size_t k = 0; k < f->n_parts; k++)
        part[k] = step(f->part[k], from->part[k], level);
    return joined(f, part);
}

static enum hl_status joined_stop(void *context, const struct hl_prospect *from, double *statistic)
{
    const struct hl_forecast *f = context;
    enum hl_status status = HL_OK;
    for (size_t k = 0; status == HL_OK && k < f->n_parts; k++)
        status = stop(f->part[k], from->part[k], statistic + k * f->problem->n_constraints * f->n_subjects);
    return status;
}

/* ---- Some of the subjects. */

static struct hl_forecast *joined_some(const struct hl_forecast *whole, const size_t *subject, size_t n)
{
    struct hl_forecast *f = hl_alloc(1, sizeof *f);
    if (!f)
        return NULL;
    *f = *whole;
    f->n_subjects = f->outlook.n_subjects = n;
    f->outlook.context = f;
    f->own = hl_arena_create();
    f->n_parts = 0;
    struct hl_forecast **part = f->own ? hl_arena_alloc(f->own, whole->n_parts, sizeof *part) : NULL;
    f->part = part;
    for (size_t k = 0; part && k < whole->n_parts; k++) {
        part[k] = hl_forecast_some(whole->part[k], subject, n);
        if (!part[k])
            break;
        f->n_parts++;
    }
    if (part && f->n_parts == whole->n_parts)
        return f;
    hl_forecast_free(f);
    return NULL;
}

static struct hl_outlook *some(void *context, const size_t *subject, size_t n)
{
    const struct hl_forecast *f = context;
    struct hl_forecast *made = f->n_parts > 0 ? joined_some(f, subject, n) : hl_forecast_some(f, subject, n);
    return made ? &made->outlook : NULL;
}

static void some_release(struct hl_outlook *outlook)
{
    hl_forecast_free(outlook->context);
}

struct hl_forecast *hl_forecast_join(struct hl_arena *arena, struct hl_forecast *const *part, size_t n,
                                     struct hl_diag *diag)
{
    struct hl_forecast *f = hl_alloc(1, sizeof *f);
    for (size_t k = 1; k < n; k++)
        if (part[k]->n_subjects != part[0]->n_subjects || part[k]->problem->n_constraints
                                                              != part[0]->problem->n_constraints) {
            hl_diag_error(diag, hl_pos_none(), "situations of one design must have as many subjects (%zu and %zu) and "
                          "the same things to keep", part[0]->n_subjects, part[k]->n_subjects);
            hl_free(f);
            return NULL;
        }
    if (!f) {
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(HL_ERR_MEMORY));
        return NULL;
    }
    size_t each = part[0]->problem->n_constraints;
    f->arena = arena;
    f->problem = part[0]->problem;
    f->n_subjects = part[0]->n_subjects;
    f->n_parts = n;
    struct hl_forecast **parts = hl_arena_alloc(arena, n, sizeof *parts);
    memcpy(parts, part, n * sizeof *parts);
    f->part = parts;
    f->monotone = hl_arena_alloc(arena, n * each, sizeof *f->monotone);
    f->why_not = hl_arena_alloc(arena, n * each, sizeof *f->why_not);
    f->assumption = hl_arena_alloc(arena, n * each, sizeof *f->assumption);
    for (size_t k = 0; k < n * each; k++) {
        f->monotone[k] = part[k / each]->monotone[k % each];
        f->why_not[k] = part[k / each]->why_not[k % each];
        f->assumption[k] = part[k / each]->assumption[k % each];
    }
    f->outlook = (struct hl_outlook){.context = f, .n_subjects = f->n_subjects, .n_constraints = n * each,
                                     .begin = joined_begin, .step = joined_step, .statistics = statistics,
                                     .stop = joined_stop, .release = joined_release, .monotone = f->monotone,
                                     .why_not = f->why_not, .some = some, .some_release = some_release};
    hl_forecast_envelope_bind(&f->outlook);
    return f;
}

/* ---- Making one. */

static const struct hl_system *focused(struct hl_arena *arena, const struct hl_forecast_request *request)
{
    const struct hl_taper_problem *problem = request->problem;
    struct hl_system *system = hl_system_variant(arena, request->before->system);
    int *output = hl_arena_alloc(arena, problem->n_constraints + 1, sizeof *output);
    size_t n = 0;
    for (size_t c = 0; c < problem->n_constraints; c++) {
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known = known || output[k] == problem->constraint[c].output;
        if (!known)
            output[n++] = problem->constraint[c].output;
    }
    hl_system_focus(arena, system, output, n);
    return system;
}

static void mark_route(const struct hl_system *y, int route, bool *dosed)
{
    const struct hl_route *r = &y->route[route];
    for (size_t k = 0; k < r->n_parts; k++)
        dosed[r->part[k].state] = true;
    for (size_t k = 0; k < r->n_phases; k++)
        dosed[r->phase[k].state] = true;
}

/* By state: what some dose may enter. */
static bool *dosed_states(struct hl_arena *arena, const struct hl_system *y, const struct hl_regimen *before,
                          const struct hl_taper_problem *problem)
{
    bool *dosed = hl_arena_alloc(arena, y->n_states + 1, sizeof *dosed);
    for (size_t k = 0; k < before->n_doses; k++)
        mark_route(y, before->dose[k].route, dosed);
    for (size_t k = 0; k < before->n_demands; k++)
        mark_route(y, before->demand[k].route, dosed);
    for (size_t k = 0; k < before->n_steady; k++)
        for (size_t i = 0; i < before->steady[k].n; i++)
            mark_route(y, before->steady[k].dose[i].route, dosed);
    for (size_t d = 0; d < problem->n_drugs; d++)
        mark_route(y, problem->drug[d].route, dosed);
    return dosed;
}

static bool make(struct hl_forecast *f, struct hl_diag *diag)
{
    struct hl_arm arm = *f->request.before;
    arm.system = focused(f->arena, &f->request);
    f->before = hl_regimen_compile(f->arena, f->study, &arm, diag);
    return f->before
           && hl_forecast_system_make(f->arena, &f->system, arm.system,
                                      dosed_states(f->arena, arm.system, f->before, f->problem), f->problem, diag)
           && hl_forecast_fill(f, diag) && hl_forecast_order(f, diag);
}

struct hl_forecast *hl_forecast_create(struct hl_arena *arena, const struct hl_forecast_request *request,
                                       struct hl_diag *diag)
{
    const struct hl_taper_problem *problem = request->problem;
    struct hl_forecast *f = hl_alloc(1, sizeof *f);
    if (!f) {
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(HL_ERR_MEMORY));
        return NULL;
    }
    *f = (struct hl_forecast){.study = request->study, .problem = problem, .request = *request, .arena = arena,
                              .n_streams = problem->n_streams};
    f->monotone = hl_arena_alloc(arena, problem->n_constraints, sizeof *f->monotone);
    f->why_not = hl_arena_alloc(arena, problem->n_constraints, sizeof *f->why_not);
    f->assumption = hl_arena_alloc(arena, problem->n_constraints, sizeof *f->assumption);
    if (!make(f, diag)) {
        hl_forecast_free(f);
        return NULL;
    }
    f->outlook = (struct hl_outlook){.context = f, .n_subjects = f->n_subjects,
                                     .n_constraints = problem->n_constraints, .begin = begin, .step = step,
                                     .statistics = statistics, .stop = stop, .release = release,
                                     .monotone = f->monotone, .why_not = f->why_not, .some = some,
                                     .some_release = some_release};
    hl_forecast_envelope_bind(&f->outlook);
    return f;
}

void hl_forecast_free(struct hl_forecast *f)
{
    if (!f)
        return;
    for (size_t b = 0; f->block && b < f->n_blocks; b++)
        hl_arena_free(f->block[b].arena);
    for (size_t k = 0; f->own && k < f->n_parts; k++)
        hl_forecast_free(f->part[k]);
    hl_arena_free(f->own);
    hl_free(f);
}

const struct hl_outlook *hl_forecast_outlook(const struct hl_forecast *f)
{
    return &f->outlook;
}

const char *hl_forecast_assumption(const struct hl_forecast *f, size_t constraint)
{
    return f->assumption[constraint];
}

struct hl_forecast_facts hl_forecast_facts(const struct hl_forecast *f)
{
    size_t rows = f->system.n_rows + f->grid.n_kinds * f->system.n_pairs + f->system.n_entries + f->system.n
                  + f->system.m;
    for (size_t b = 0; b < f->n_blocks && b < 1; b++) {
        for (size_t s = 0; s < f->n_streams; s++)
            rows += f->block[b].stream[s].n * f->system.n;
        rows += f->block[b].before.n * f->system.n;
    }
    return (struct hl_forecast_facts){f->grid.n, f->grid.period, f->grid.shortest, f->grid.longest, f->system.n,
                                      f->system.m, (double)(rows * f->n_blocks) * ROW_BYTES};
}
