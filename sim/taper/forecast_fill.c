/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a prepared study to blocks of subjects: who they are (cohort/), where they stand at day 0 (the exact engine,
 * steady states and all), what one unit of every stream does to them and what is still to come of what was given before
 * (regimen/'s own events, so that every route of every model is what it is in the engine).
 *
 * A stream is one dose of the problem's period, given alone at its clock time with one unit of the drug. That it is
 * proportional to the amount is not assumed: the events of three units must be those of one, times three. */
#include <gsl/gsl_sort.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "taper/forecast_parts.h"

#define PROPORTIONAL 1e-12   /* relative: rounding of a product */
#define START_TOLERANCE 1e-8 /* of what the engine integrates up to day 0 */

/* ---- Streams as regimens. */

static struct hl_regimen *unit_regimen(const struct hl_forecast *f, struct hl_arena *arena, size_t drug, size_t dose,
                                       double units)
{
    const struct hl_taper_drug *d = &f->problem->drug[drug];
    struct hl_regimen *regimen = hl_arena_alloc(arena, 1, sizeof *regimen);
    regimen->dose = hl_arena_alloc(arena, 1, sizeof *regimen->dose);
    regimen->n_doses = 1;
    struct hl_dose *given = &regimen->dose[0];
    *given = (struct hl_dose){.time = d->dose[dose].clock, .route = d->route, .amount = units * d->unit};
    if (d->way == HL_TAPER_PATCHES) {
        given->kind = HL_DOSE_PATCH;
        given->duration = d->period;
    } else if (d->way == HL_TAPER_RATE) {
        given->kind = HL_DOSE_INFUSION;
        given->rate = units * d->unit;
        given->duration = d->period;
        given->amount = given->rate * given->duration;
        given->scaled = f->study->scales_duration ? HL_SCALED_DURATION : HL_SCALED_RATE;
    }
    return regimen;
}

static bool check_route(const struct hl_forecast *f, const struct hl_taper_drug *d, struct hl_diag *diag)
{
    const struct hl_system *y = f->system.system;
    const struct hl_route *route = &y->route[d->route];
    struct hl_pos pos = d->pos.file ? d->pos : f->request.before->pos;
    const struct hl_adherence *const *rule = (const struct hl_adherence *const *)f->before->adherence;
    if (d->way == HL_TAPER_PATCHES && f->request.adherence && rule && rule[d->instance]) {
        hl_diag_error(diag, pos, "patches of %s that are forgotten stay on, which a search for a taper can't add "
                      "up; leave adherence: of %s out (full), or test the taper under it (stress:)", d->alias,
                      d->alias);
        return false;
    }
    for (size_t k = 0; k < route->n_parts; k++) {
        const struct hl_state *state = &y->state[route->part[k].state];
        if (route->part[k].release || state->fed)
            hl_diag_error(diag, pos, "doses of %s by '%s' enter by a course of their own (released:), which a search "
                          "for a taper can't add up; choose a route without released:", d->alias, route->name);
        else if (state->needed && !state->linear)
            hl_diag_error(diag, pos, "the kinetics of %s aren't linear: the rate of change of %s isn't proportional to "
                          "amounts, so doses can't be added up; a taper can be simulated with this model, not designed",
                          d->alias, state->name);
        else
            continue;
        return false;
    }
    return true;
}

/* ---- What all threads share. */

struct filler {
    struct hl_forecast *f;
    struct hl_diag *diag;
    const struct hl_system *shown;       /* focused on the states themselves, for the engine's values at day 0 */
    struct hl_arm arm;
    const struct hl_regimen *before;
    struct hl_regimen **one, **three;    /* by stream */
    struct hl_cohort *cohort;
    struct hl_plan *plan;
    int *output; size_t n_outputs;       /* states: ordinary linear ones, contents, integrated ones */
    size_t horizon;                      /* steps from day 0 */
    enum hl_status status;
    /* the first fault found */
    bool faulty; uint64_t fault_subject; char fault[400];
    size_t n_failed;
};

struct worker {
    struct hl_solver *solver;
    struct hl_forecast_course_room *room;
    double *regs, *out, *rate;
    signed char *status;
    struct hl_events events, other;
    struct hl_event *ahead; size_t ahead_capacity;
};

static void worker_clear(struct worker *w)
{
    hl_solver_free(w->solver);
    hl_forecast_course_room_free(w->room);
    void *part[] = {w->regs, w->out, w->rate, w->status, w->events.event, w->other.event, w->ahead};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

static bool worker_init(struct worker *w, const struct filler *fill)
{
    memset(w, 0, sizeof *w);
    w->solver = hl_solver_create(fill->plan, HL_FORECAST_LANES);
    w->room = hl_forecast_course_room_create(fill->f);
    w->regs = hl_alloc(fill->shown->n_regs * HL_FORECAST_LANES, sizeof *w->regs);
    w->out = hl_alloc((fill->n_outputs + 1) * HL_FORECAST_LANES, sizeof *w->out);
    w->rate = hl_alloc(2 * fill->shown->n_states + 1, sizeof *w->rate);
    w->status = hl_alloc(HL_FORECAST_LANES, 1);
    return w->solver && w->room && w->regs && w->out && w->rate && w->status;
}

/* Remembers the fault of the lowest subject, so that the message doesn't depend on threads. */
static void fault(struct filler *fill, uint64_t subject, const char *text)
{
#pragma omp critical(hl_forecast_fault)
    if (!fill->faulty || subject < fill->fault_subject) {
        fill->faulty = true;
        fill->fault_subject = subject;
        snprintf(fill->fault, sizeof fill->fault, "%s", text);
    }
}

static void fail(struct filler *fill, enum hl_status status)
{
#pragma omp critical(hl_forecast_fault)
    fill->status = status;
}

/* ---- One subject. */

/* Whether the events of three units are thrice those of one, all into linear states; what is wrong into text. */
static bool is_proportional(const struct filler *fill, const struct hl_events *one, const struct hl_events *three,
                            const char *alias, char *text, size_t size)
{
    const struct hl_system *y = fill->shown;
    bool same = one->n == three->n;
    for (size_t k = 0; same && k < one->n; k++) {
        const struct hl_event *a = &one->event[k], *b = &three->event[k];
        same = a->kind == b->kind && a->state == b->state && fabs(a->time - b->time) <= HL_FORECAST_NEAR
               && fabs(3 * a->value - b->value) <= PROPORTIONAL * fabs(b->value);
        if (a->kind == HL_EVENT_RELEASE)
            return snprintf(text, size, "doses of %s enter by a course of their own (released:)", alias) < 0;
        if (a->state >= 0 && y->state[a->state].needed && !y->state[a->state].linear)
            return snprintf(text, size, "the kinetics of %s aren't linear in %s", alias, y->state[a->state].name) < 0;
    }
    if (!same)
        snprintf(text, size, "what arrives of a dose of %s isn't proportional to it (three times the dose isn't three "
                 "times its events), so doses can't be added up", alias);
    return same;
}

static void add_streams(struct filler *fill, struct worker *w, struct hl_forecast_block *block, size_t lane,
                        struct hl_arena *arena)
{
    struct hl_forecast *f = fill->f;
    uint64_t subject = block->first + lane;
    for (size_t d = 0; d < f->problem->n_drugs; d++)
        for (size_t k = 0; k < f->problem->drug[d].n_doses; k++) {
            size_t stream = f->problem->drug[d].first_stream + k;
            char text[300];
            bool runs_on;
            if (hl_regimen_events(fill->one[stream], fill->shown, w->regs, HL_FORECAST_LANES, lane, 0, subject,
                                  &w->events) != HL_OK
                || hl_regimen_events(fill->three[stream], fill->shown, w->regs, HL_FORECAST_LANES, lane, 0, subject,
                                     &w->other) != HL_OK) {
                fail(fill, HL_ERR_MEMORY);
                return;
            }
            if (!is_proportional(fill, &w->events, &w->other, f->problem->drug[d].alias, text, sizeof text)) {
                fault(fill, subject, text);
                return;
            }
            struct hl_forecast_course_request q = {f, block, lane, w->events.event, w->events.n, NULL, NULL,
                                                   fill->horizon, 0};
            hl_forecast_course_add(w->room, &q, arena, &block->stream[stream], &runs_on);
            if (runs_on)
                fault(fill, subject, "a dose's course doesn't end within the longest schedule");
        }
}

/* Infusions running at day 0 [mg/h], by ordinary state. */
static enum hl_status running(const struct filler *fill, struct worker *w, size_t lane, double *rate)
{
    const struct hl_system *y = fill->shown;
    const struct hl_forecast_system *s = &fill->f->system;
    double *all = w->rate + y->n_states;
    memset(rate, 0, y->n_states * sizeof *rate);
    for (size_t k = 0; k < fill->before->n_steady; k++) {
        enum hl_status status = hl_regimen_cycle(&fill->before->steady[k], y, w->regs, HL_FORECAST_LANES, lane,
                                                 &w->other, all);
        if (status != HL_OK)
            return status;
        for (size_t i = 0; i < y->n_states; i++)
            if (s->place[i] >= 0)
                rate[s->place[i]] += all[i];
    }
    return HL_OK;
}

/* What is still to come after day 0 of what was given before it, and goes on. */
static void add_before(struct filler *fill, struct worker *w, struct hl_forecast_block *block, size_t lane,
                       struct hl_arena *arena)
{
    struct hl_forecast *f = fill->f;
    const struct hl_forecast_system *s = &f->system;
    double t0 = f->request.t0, *rate = w->rate, content[s->n_contents + 1];
    if (running(fill, w, lane, rate) != HL_OK
        || hl_regimen_events(fill->before, fill->shown, w->regs, HL_FORECAST_LANES, lane, fill->arm.cohort->seed,
                             block->first + lane, &w->events) != HL_OK) {
        fail(fill, HL_ERR_MEMORY);
        return;
    }
    double most = 0;
    size_t n = w->events.n, first = 0;
    for (; first < n && w->events.event[first].time <= t0 + 1e-9; first++) {
        const struct hl_event *e = &w->events.event[first];
        if (e->kind == HL_EVENT_RATE && s->place[e->state] >= 0) {
            rate[s->place[e->state]] += e->value;
            most = fmax(most, fabs(e->value));
        }
    }
    for (size_t i = 0; i < s->n; i++)
        if (fabs(rate[i]) <= 1e-12 * most)
            rate[i] = 0;
    double scale = 0;
    for (size_t i = 0; i < s->n - s->has_one; i++)
        scale = fmax(scale, fabs(ROW_OF(w->out, i)[lane]));
    for (size_t i = 0; i < s->n_contents; i++)
        content[i] = ROW_OF(w->out, s->n - s->has_one + i)[lane];
    for (size_t k = first; k < n; k++) {
        struct hl_event *e = &w->events.event[k];
        e->time -= t0;
        if (e->kind == HL_EVENT_RELEASE)
            fault(fill, block->first + lane, "a drug given before day 0 enters by a course of its own (released:)");
        if (e->state >= 0 && fill->shown->state[e->state].needed && !fill->shown->state[e->state].linear)
            fault(fill, block->first + lane, "a drug that goes on after day 0 has kinetics that aren't linear");
    }
    bool runs_on;
    struct hl_forecast_course_request q = {f, block, lane, w->events.event + first, n - first, content, rate,
                                           fill->horizon, scale};
    hl_forecast_course_add(w->room, &q, arena, &block->before, &runs_on);
}

/* ---- One block. */

static void keep_constants(const struct filler *fill, const struct worker *w, struct hl_forecast_block *block)
{
    const struct hl_forecast_system *s = &fill->f->system;
    for (size_t r = 0; r < s->n_rows; r++)
        if (s->is_constant[r])
            memcpy(ROW_OF(block->file, r), w->regs + (size_t)s->reg_of[r] * HL_FORECAST_LANES,
                   HL_FORECAST_LANES * sizeof(double));
}

static void keep_start(const struct filler *fill, const struct worker *w, struct hl_forecast_block *block)
{
    const struct hl_forecast_system *s = &fill->f->system;
    size_t n = s->n - s->has_one;
    for (size_t l = 0; l < HL_FORECAST_LANES; l++) {
        size_t from = l < block->n ? l : block->n - 1;
        for (size_t i = 0; i < n; i++)
            ROW_OF(block->x0, i)[l] = ROW_OF(w->out, i)[from];
        if (s->has_one)
            ROW_OF(block->x0, n)[l] = 1;
        for (size_t i = 0; i < s->m; i++)
            ROW_OF(block->z0, i)[l] = ROW_OF(w->out, n + s->n_contents + i)[from];
        block->failed[l] = w->status[from] != HL_SUBJECT_GOOD;
        for (size_t i = 0; block->failed[l] && i < s->n; i++)
            ROW_OF(block->x0, i)[l] = 0;
        for (size_t i = 0; block->failed[l] && i < s->m; i++)
            ROW_OF(block->z0, i)[l] = 0;
    }
}

bool hl_forecast_block_alloc(const struct hl_forecast *f, struct hl_forecast_block *block)
{
    const struct hl_forecast_system *s = &f->system;
    struct hl_arena *a = block->arena = hl_arena_create();
    if (!a)
        return false;
    block->file = hl_arena_alloc(a, s->n_rows * HL_FORECAST_LANES, sizeof(double));
    block->phi = hl_arena_alloc(a, f->grid.n_kinds * s->n_pairs * HL_FORECAST_LANES, sizeof(double));
    block->rate = hl_arena_alloc(a, s->n_entries * HL_FORECAST_LANES, sizeof(double));
    block->x0 = hl_arena_alloc(a, s->n * HL_FORECAST_LANES, sizeof(double));
    block->z0 = hl_arena_alloc(a, s->m * HL_FORECAST_LANES, sizeof(double));
    block->stream = hl_arena_alloc(a, f->n_streams, sizeof *block->stream);
    return true;
}

void hl_forecast_sort_arrivals(const struct hl_forecast *f, struct hl_forecast_block *block)
{
    size_t n = f->grid.n, total = 0;
    for (size_t s = 0; s < f->n_streams; s++)
        total += block->stream[s].n;
    block->first_arrival = hl_arena_alloc(block->arena, n + 1, sizeof *block->first_arrival);
    block->arrival = hl_arena_alloc(block->arena, total, sizeof *block->arrival);
    for (size_t i = 0, at = 0; i < n; i++) {
        for (size_t s = 0; s < f->n_streams; s++)
            for (size_t k = 0; k < block->stream[s].n; k++) {
                const struct hl_forecast_entry *e = &block->stream[s].entry[k];
                if (e->step % n == i)
                    block->arrival[at++] = (struct hl_forecast_arrival){s, e->step / n, e->v, e->u0, e->u1};
            }
        block->first_arrival[i + 1] = at;
    }
}

static void fill_block(struct filler *fill, struct worker *w, size_t number)
{
    struct hl_forecast *f = fill->f;
    struct hl_forecast_block *block = &f->block[number];
    size_t done = number * HL_FORECAST_LANES, left = f->n_subjects - done;
    block->first = done + 1;
    block->n = left < HL_FORECAST_LANES ? left : HL_FORECAST_LANES;
    if (!hl_forecast_block_alloc(f, block)) {
        fail(fill, HL_ERR_MEMORY);
        return;
    }
    struct hl_block engine = {.first = block->first, .n = block->n, .lanes = HL_FORECAST_LANES, .regs = w->regs,
                              .seed = fill->arm.cohort->seed, .status = w->status, .out = w->out};
    hl_cohort_fill(fill->cohort, block->first, block->n, w->regs, HL_FORECAST_LANES);
    memset(w->status, 0, HL_FORECAST_LANES);
    keep_constants(fill, w, block);
    enum hl_status status = hl_solver_run(w->solver, &engine, fill->output, fill->n_outputs, &f->request.t0, 1, NULL);
    if (status != HL_OK) {
        fail(fill, status);
        return;
    }
    keep_start(fill, w, block);
    for (size_t l = 0; l < HL_FORECAST_LANES; l++) {
        hl_forecast_course_lane(w->room, w->regs, HL_FORECAST_LANES, l < block->n ? l : block->n - 1);
        hl_forecast_matrices(w->room, block, l);
        if (l >= block->n || block->failed[l])
            continue;
        add_streams(fill, w, block, l, block->arena);
        add_before(fill, w, block, l, block->arena);
    }
    hl_forecast_sort_arrivals(f, block);
}

/* ---- All of it. */

/* The study's arm with a system of the forecast's own, showing states. */
static bool prepare(struct filler *fill)
{
    struct hl_forecast *f = fill->f;
    struct hl_forecast_system *s = &f->system;
    struct hl_system *shown = hl_system_variant(f->arena, s->system);
    fill->output = hl_arena_alloc(f->arena, shown->n_states + 1, sizeof *fill->output);
    for (size_t i = 0; i < s->n + s->n_contents; i++)
        if (s->state[i] >= 0)
            fill->output[fill->n_outputs++] = hl_system_find_output(shown, shown->state[s->state[i]].name);
    for (size_t i = 0; i < s->m; i++)
        fill->output[fill->n_outputs++] = hl_system_find_output(shown, shown->state[s->integrated[i]].name);
    hl_system_focus(f->arena, shown, fill->output, fill->n_outputs);
    fill->shown = shown;
    fill->arm = *f->request.before;
    fill->arm.system = shown;
    fill->before = f->before;
    fill->cohort = hl_cohort_create(&fill->arm, fill->diag);
    if (!fill->cohort)
        return false;
    fill->plan = hl_plan_create(shown, fill->before, f->study->solver,
                                fmin(f->study->tolerance, START_TOLERANCE), fill->diag);
    return fill->plan != NULL;
}

static bool prepare_streams(struct filler *fill)
{
    struct hl_forecast *f = fill->f;
    bool good = true;
    fill->one = hl_arena_alloc(f->arena, f->n_streams, sizeof *fill->one);
    fill->three = hl_arena_alloc(f->arena, f->n_streams, sizeof *fill->three);
    for (size_t d = 0; d < f->problem->n_drugs; d++) {
        const struct hl_taper_drug *drug = &f->problem->drug[d];
        good = check_route(f, drug, fill->diag) && good;
        for (size_t k = 0; k < drug->n_doses; k++) {
            fill->one[drug->first_stream + k] = unit_regimen(f, f->arena, d, k, 1);
            fill->three[drug->first_stream + k] = unit_regimen(f, f->arena, d, k, 3);
        }
    }
    return good;
}

/* Offsets in the period at which something arrives for everybody; *common: nothing arrives at other times. */
static double *common_arrivals(struct filler *fill, double period, size_t *n, bool *common)
{
    struct hl_forecast *f = fill->f;
    struct hl_events events = {0};
    double *offset = NULL, *regs = hl_alloc(fill->shown->n_regs * HL_LANES, sizeof *regs);
    size_t capacity = 0, count = 0;
    *common = true;
    *n = 0;
    if (!regs)
        return NULL;
    hl_cohort_fill(fill->cohort, 1, 1, regs, HL_LANES);
    for (size_t s = 0; s < f->n_streams; s++) {
        if (!hl_regimen_is_common(fill->one[s], fill->shown)) {
            *common = false;
            continue;
        }
        if (hl_regimen_events(fill->one[s], fill->shown, regs, HL_LANES, 0, 0, 1, &events) != HL_OK)
            break;
        for (size_t k = 0; k < events.n; k++) {
            if (events.event[k].kind != HL_EVENT_ADD && events.event[k].kind != HL_EVENT_RATE)
                continue;
            double at = fmod(events.event[k].time, period);
            offset = hl_arena_push(f->arena, offset, count, &capacity, sizeof *offset);
            offset[count++] = period - at < HL_FORECAST_NEAR ? 0 : at;
        }
    }
    hl_free(events.event);
    hl_free(regs);
    if (count > 0)
        gsl_sort(offset, 1, count);
    for (size_t k = 0; k < count; k++)
        if (*n == 0 || offset[k] - offset[*n - 1] > HL_FORECAST_NEAR)
            offset[(*n)++] = offset[k];
    return offset ? offset : hl_arena_alloc(f->arena, 1, sizeof *offset);
}

static double common_period(const struct hl_taper_problem *problem)
{
    double period = problem->drug[0].period;
    for (size_t d = 1; d < problem->n_drugs; d++) {
        double other = problem->drug[d].period, whole = period;
        while (fabs(fmod(whole + 0.5 * other, other) - 0.5 * other) > HL_FORECAST_NEAR && whole < 1e5)
            whole += period;
        period = whole;
    }
    return period;
}

#define LONGEST_STEP 1.0
#define LONGEST_TAIL_STEP 4.0
#define FINEST_STEP 0.25

static bool report(struct filler *fill)
{
    struct hl_pos pos = fill->f->request.before->pos;
    if (fill->faulty)
        hl_diag_error(fill->diag, pos, "%s (subject %" PRIu64 ")", fill->fault, fill->fault_subject);
    else if (fill->status != HL_OK)
        hl_diag_error(fill->diag, hl_pos_none(), "%s", hl_status_sentence(fill->status));
    else if (fill->n_failed > 0)
        hl_diag_warning(fill->diag, pos, "%zu of %zu subjects can't be solved up to day 0; they count as keeping "
                        "nothing", fill->n_failed, fill->f->n_subjects);
    return !fill->faulty && fill->status == HL_OK;
}

/* How fast, at most, a state that isn't linear relaxes in the typical subject at rest [1/h]: |df_i/dz_i|. */
static double typical_speed(const struct filler *fill, const double *regs, double *file, double *dfile)
{
    const struct hl_forecast_system *s = &fill->f->system;
    double fastest = 0;
    for (size_t r = 0; r < s->n_rows; r++)
        for (size_t l = 0; l < HL_FORECAST_LANES; l++)
            ROW_OF(file, r)[l] = s->is_constant[r] ? regs[(size_t)s->reg_of[r] * HL_LANES] : 0;
    for (size_t i = 0; i < s->m; i++) {
        int start = fill->shown->state[s->integrated[i]].initial_reg;
        for (size_t l = 0; s->z_row[i] >= 0 && l < HL_FORECAST_LANES; l++)
            ROW_OF(file, s->z_row[i])[l] = start >= 0 ? regs[(size_t)start * HL_LANES] : 0;
    }
    hl_program_run(&s->rates_dual.still, file, HL_FORECAST_LANES);
    for (size_t i = 0; i < s->m; i++) {
        if (s->z_row[i] < 0)
            continue;
        ROW_OF(dfile, s->z_row[i])[0] = 1;
        hl_forecast_dual_run(&s->rates_dual, file, dfile);
        fastest = fmax(fastest, fabs(ROW_OF(dfile, s->dz_row[i])[0]));
        ROW_OF(dfile, s->z_row[i])[0] = 0;
    }
    return isfinite(fastest) ? fastest : 0;
}

#define TURN 0.125       /* of that speed times a step: a quarter of what a subject may have (forecast_order.c) */
#define SLOW 0.03        /* of the same: below, one look at the rates is enough */
#define SHORTEST_STEP (1.0 / 64)

/* No step is longer than this, a power of two. It follows from the typical subject alone: were it the fastest of the
 * cohort, a subject's numbers would depend on who else is in it. 0 when there is no memory. */
static double longest_step(struct filler *fill)
{
    struct hl_cohort_spec spec = *fill->arm.cohort;
    struct hl_arm arm = fill->arm;
    spec.typical = true;
    spec.subjects = 1;
    arm.cohort = &spec;
    struct hl_cohort *cohort = hl_cohort_create(&arm, fill->diag);
    double *regs = hl_alloc(fill->shown->n_regs * HL_LANES, sizeof *regs);
    double *file = hl_alloc(2 * fill->f->system.n_rows * HL_FORECAST_LANES + 1, sizeof *file), speed = 0, longest = 4;
    bool good = cohort && regs && file;
    if (good) {
        hl_cohort_fill(cohort, 1, 1, regs, HL_LANES);
        speed = typical_speed(fill, regs, file, ROW_OF(file, fill->f->system.n_rows));
    }
    while (longest > SHORTEST_STEP && speed * longest > TURN)
        longest /= 2;
    fill->f->looks = speed * longest > SLOW ? 3 : 1;
    hl_free(file);
    hl_free(regs);
    hl_cohort_free(cohort);
    return good ? longest : 0;
}

static bool make_grid(struct filler *fill)
{
    struct hl_forecast *f = fill->f;
    size_t n;
    bool common;
    double period = common_period(f->problem), finest = f->request.finest > 0 ? f->request.finest : FINEST_STEP;
    double *arrival = common_arrivals(fill, period, &n, &common), longest = longest_step(fill);
    if (!arrival || !(longest > 0)) {
        fail(fill, HL_ERR_MEMORY);
        return report(fill);
    }
    hl_forecast_grid_make(f->arena, &f->grid, period, arrival, common ? n : 0, common, fmin(finest, longest),
                          fmin(LONGEST_STEP, longest));
    double hours = 24.0 * (f->problem->longest + 366) + f->problem->follow;
    fill->horizon = (size_t)ceil(hours / period) * f->grid.n;
    hl_forecast_grid_tails(f->arena, &f->grid, f->problem->follow, fmin(LONGEST_TAIL_STEP, longest));
    return true;
}

static void fill_blocks(struct filler *fill)
{
    struct hl_forecast *f = fill->f;
#pragma omp parallel
    {
        struct worker w;
        if (!worker_init(&w, fill))
            fail(fill, HL_ERR_MEMORY);
#pragma omp for schedule(dynamic)
        for (size_t b = 0; b < f->n_blocks; b++)
            if (w.solver && w.room && w.regs && w.out && w.rate && w.status)
                fill_block(fill, &w, b);
        worker_clear(&w);
    }
}

/* What follows from all blocks. */
static void conclude(struct filler *fill)
{
    struct hl_forecast *f = fill->f;
    for (size_t b = 0; b < f->n_blocks; b++) {
        const struct hl_forecast_block *block = &f->block[b];
        for (size_t s = 0; s < f->n_streams; s++)
            if (block->stream[s].n > 0 && block->stream[s].entry[block->stream[s].n - 1].step / f->grid.n > f->back)
                f->back = block->stream[s].entry[block->stream[s].n - 1].step / f->grid.n;
        if (block->before.n > 0 && block->before.entry[block->before.n - 1].step + 1 > f->before_end)
            f->before_end = block->before.entry[block->before.n - 1].step + 1;
        for (size_t l = 0; l < block->n; l++)
            fill->n_failed += block->failed[l];
    }
}

bool hl_forecast_fill(struct hl_forecast *f, struct hl_diag *diag)
{
    struct filler fill = {.f = f, .diag = diag};
    bool good = prepare(&fill) && prepare_streams(&fill) && make_grid(&fill);
    if (good) {
        f->n_subjects = (size_t)fill.arm.cohort->subjects;
        f->n_blocks = (f->n_subjects + HL_FORECAST_LANES - 1) / HL_FORECAST_LANES;
        f->block = hl_arena_alloc(f->arena, f->n_blocks, sizeof *f->block);
        fill_blocks(&fill);
        if (!fill.faulty && fill.status == HL_OK)
            conclude(&fill);
        good = report(&fill);
    }
    hl_plan_free(fill.plan);
    hl_cohort_free(fill.cohort);
    return good;
}
