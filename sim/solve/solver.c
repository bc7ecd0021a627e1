/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A block of subjects, from parameters to outputs:
 *   1. eight at a time: events, rate matrices taken apart (apart.c), start values; what isn't linear of steady states
 *      sixteen at a time (periodic_lanes.c), else one by one;
 *   2. where something is integrated: sixteen subjects at a time (batch.c); where someone listens, and for whatever
 *      batch.c hands back: subject after subject, alone (lane.c);
 *   3. all subjects together through the output times (sweep.c), unless batch.c has shown all of them already.
 * Whatever goes wrong with one subject becomes its status; the others never notice. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/batch.h"
#include "solve/diary.h"
#include "solve/lane.h"
#include "solve/review.h"
#include "solve/steady.h"
#include "solve/sweep.h"

/* Errors of GSL's msbdf add up over many steps: of the study's tolerance, at least. */
#define STIFF_FINER 2e-3
#define STIFF_FINEST 1e-12

struct hl_solver {
    const struct hl_plan *plan;
    size_t max_lanes;
    struct hl_apart *apart;
    struct hl_lane *lane;
    struct hl_batch *batch;          /* NULL when the plan can't be integrated by it */
    struct hl_plan stiff_plan;       /* the same plan with an implicit stepper, ... */
    struct hl_lane *stiff_lane;      /* ... for what the batch finds stiff; NULL without batch */
    struct hl_sweep *sweep;
    struct hl_steady_work *steady;   /* NULL when no regimen is steady */
    struct hl_periodic_lanes *settler; /* of steady states side by side; NULL when there is nothing, or no way, to */
    bool *unsettled;                 /* max_lanes: the integrated part of its steady state is still to be found */
    struct hl_start *start;          /* max_lanes */
    double *start_values;            /* what they point into */
    struct hl_diary *diary;
    struct hl_reviewer *reviewer;    /* NULL when nothing is reviewed */
    signed char *status;             /* max_lanes, padding marked as failed */
    bool singly;                     /* in this run somebody follows subjects one by one, from start->z */
    bool *shown, shows_outputs;      /* max_lanes: the batch has filled the lane's outputs; whether it does */
    double *sample; size_t sample_capacity;
};

/* At rest, before anything was given. Only a steady state ever changes that. */
static void rest(const struct hl_system *system, struct hl_start *start)
{
    memset(start->rate, 0, system->n_states * sizeof *start->rate);
    start->releases.n = 0;
    for (size_t k = 0; k < system->n_instances; k++)
        start->last_dose[k] = -INFINITY;
}

static bool solver_alloc(struct hl_solver *s)
{
    const struct hl_plan *plan = s->plan;
    const struct hl_system *system = plan->system;
    size_t per_lane = plan->n_modes + system->n_states + plan->n_integrated + system->n_instances;
    s->apart = hl_apart_create(plan, s->max_lanes);
    s->lane = hl_lane_create(plan);
    s->sweep = hl_sweep_create(plan, s->max_lanes);
    if (hl_batch_create(plan, &s->batch) != HL_OK)
        return false;
    if (s->batch) {
        s->stiff_plan = *plan;
        s->stiff_plan.stepper = gsl_odeiv2_step_msbdf;
        s->stiff_plan.one_step = false;
        s->stiff_plan.tolerance = fmax(STIFF_FINER * plan->tolerance, STIFF_FINEST);
        s->stiff_lane = hl_lane_create(&s->stiff_plan);
    }
    s->steady = plan->regimen->n_steady > 0 ? hl_steady_work_create(plan, plan->regimen->n_steady) : NULL;
    if (s->steady
        && hl_periodic_lanes_create(plan, hl_steady_fineness(plan), s->max_lanes, &s->settler) != HL_OK)
        return false;
    s->unsettled = hl_alloc(s->max_lanes, sizeof *s->unsettled);
    s->start = hl_alloc(s->max_lanes, sizeof *s->start);
    s->start_values = hl_alloc(s->max_lanes * per_lane, sizeof *s->start_values);
    s->diary = hl_diary_create(plan, s->max_lanes);
    s->status = hl_alloc(s->max_lanes, sizeof *s->status);
    s->shown = hl_alloc(s->max_lanes, sizeof *s->shown);
    s->reviewer = hl_reviewer_create(plan);
    bool lanes = s->lane && (!s->batch || s->stiff_lane), steady = plan->regimen->n_steady == 0 || s->steady;
    bool reviews = plan->regimen->n_reviewed == 0 || s->reviewer;
    if (!s->apart || !lanes || !s->sweep || !steady || !reviews || !s->start || !s->start_values || !s->diary
        || !s->status || !s->shown || !s->unsettled)
        return false;
    for (size_t l = 0; l < s->max_lanes; l++) {
        double *values = s->start_values + l * per_lane;
        s->start[l].z = values;
        s->start[l].rate = values + plan->n_modes;
        s->start[l].y = s->start[l].rate + system->n_states;
        s->start[l].last_dose = s->start[l].y + plan->n_integrated;
        rest(system, &s->start[l]);
    }
    return true;
}

struct hl_solver *hl_solver_create(const struct hl_plan *plan, size_t max_lanes)
{
    struct hl_solver *s = hl_alloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->plan = plan;
    s->max_lanes = max_lanes;
    if (solver_alloc(s))
        return s;
    hl_solver_free(s);
    return NULL;
}

void hl_solver_free(struct hl_solver *s)
{
    if (!s)
        return;
    for (size_t l = 0; s->start && l < s->max_lanes; l++)
        hl_release_list_clear(&s->start[l].releases);
    hl_diary_free(s->diary);
    hl_reviewer_free(s->reviewer);
    hl_steady_work_free(s->steady);
    hl_periodic_lanes_free(s->settler);
    hl_apart_free(s->apart);
    hl_sweep_free(s->sweep);
    hl_batch_free(s->batch);
    hl_lane_free(s->lane);
    hl_lane_free(s->stiff_lane);
    void *part[] = {s->start, s->start_values, s->status, s->shown, s->unsettled, s->sample, s};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

const struct hl_history *hl_solver_history(const struct hl_solver *s, size_t lane)
{
    return s->diary->history ? &s->diary->history[lane] : NULL;
}

void hl_solver_lane_by_lane(struct hl_solver *s)
{
    hl_batch_free(s->batch);
    s->batch = NULL;
    hl_periodic_lanes_free(s->settler);
    s->settler = NULL;
}

/* Start values, as the individual program left them: amplitudes of eight lanes, which bits of good say are numbers. */
static unsigned set_amplitudes(struct hl_solver *s, const struct hl_block *block, size_t first, unsigned good)
{
    const struct hl_plan *plan = s->plan;
    struct hl_modes_rows *rows = &s->apart->rows[first / HL_ROW];
    for (size_t c = 0; c < plan->n_components; c++) {
        const struct hl_component *component = &plan->component[c];
        const double *start[component->shape.n];
        for (size_t i = 0; i < component->shape.n; i++) {
            int reg = plan->system->state[component->state[i]].initial_reg;
            start[i] = hl_plan_is_zero(plan->system, reg) ? NULL : block->regs + (size_t)reg * block->lanes + first;
        }
        good &= hl_modes_rows_project(rows->W, component, start, rows->z + component->offset * HL_ROW);
        for (size_t k = 0; k < component->n_inputs; k++)
            good &= hl_row_is_finite(block->regs + (size_t)component->input[k].reg * block->lanes + first);
    }
    return good;
}

/* The rest of a lane's start. */
static bool set_start(struct hl_solver *s, const struct hl_block *block, size_t lane)
{
    const struct hl_plan *plan = s->plan;
    const struct hl_system *system = plan->system;
    struct hl_start *start = &s->start[lane];
    bool finite = true;
    start->time = hl_diary_start(s->diary, lane);
    if (s->steady)
        rest(system, start);
    for (size_t j = 0; s->singly && j < plan->n_modes; j++)
        start->z[j] = s->apart->rows[lane / HL_ROW].z[j * HL_ROW + lane % HL_ROW];
    for (size_t k = 0; k < plan->n_integrated; k++) {
        start->y[k] = hl_reg(block->regs, block->lanes, lane, system->state[plan->integrated[k]].initial_reg, 0);
        finite = finite && isfinite(start->y[k]);
    }
    return finite;
}

/* What is linear of a steady state. */
static enum hl_status begin_steadily(struct hl_solver *s, const struct hl_block *block, size_t lane)
{
    enum hl_status status = HL_OK;
    struct hl_start *start = &s->start[lane];
    bool settled;
    s->status[lane] = (signed char)hl_steady_begin(s->steady, s->lane, hl_apart_modes(s->apart, lane), block->regs,
                                                   block->lanes, lane, start, &s->diary->own[lane], &settled, &status);
    s->unsettled[lane] = s->status[lane] == HL_SUBJECT_GOOD && !settled;
    for (size_t j = 0; j < s->plan->n_modes; j++)
        s->apart->rows[lane / HL_ROW].z[j * HL_ROW + lane % HL_ROW] = start->z[j];
    return status;
}

/* The reviews of a lane that stands at its start, and its events with the doses that were decided. */
static enum hl_status hold_reviews(struct hl_solver *s, const struct hl_block *block, size_t lane, double last)
{
    struct hl_diary *d = s->diary;
    enum hl_subject_status fared = HL_SUBJECT_GOOD;
    const struct hl_events *events = &d->own[lane];
    enum hl_status status = HL_OK;
    if (s->plan->releases)
        status = hl_lane_reserve_releases(s->lane, s->start[lane].releases.n);
    if (status != HL_OK)
        return status;
    hl_lane_load(s->lane, block->regs, block->lanes, lane, hl_apart_modes(s->apart, lane), &s->start[lane]);
    status = hl_reviewer_run(s->reviewer, s->lane, block, events, last, &d->history[lane], &fared);
    s->status[lane] = (signed char)fared;
    if (status == HL_OK)
        status = hl_diary_renew(d, block, lane);
    if (status == HL_OK && s->steady)
        status = hl_steady_return(s->steady, block->regs, block->lanes, lane, &s->start[lane]);
    return status == HL_OK && s->steady ? hl_steady_between(s->steady, &s->start[lane], &d->own[lane]) : status;
}

/* A lane whose matrices have been taken apart, up to what is linear of its start. */
static enum hl_status begin_lane(struct hl_solver *s, const struct hl_block *block, size_t lane, bool good)
{
    s->unsettled[lane] = false;
    if (!good || !set_start(s, block, lane) || !hl_diary_is_sound(s->diary, lane)) {
        s->status[lane] = HL_SUBJECT_BAD_PARAMETERS;
        return HL_OK;
    }
    return s->steady ? begin_steadily(s, block, lane) : HL_OK;
}

/* What is left of steady states: side by side as far as that goes. */
static enum hl_status settle(struct hl_solver *s, const struct hl_block *block, const struct hl_subjects *subjects)
{
    enum hl_status status = HL_OK;
    for (size_t first = 0; s->settler && status == HL_OK && first < block->lanes; first += HL_BATCH_LANES) {
        size_t n = block->lanes - first < HL_BATCH_LANES ? block->lanes - first : HL_BATCH_LANES;
        status = hl_steady_settle_lanes(s->steady, s->settler, subjects, block->regs, first, n, s->unsettled + first);
    }
    for (size_t l = 0; l < block->n && status == HL_OK; l++)
        if (s->unsettled[l])
            s->status[l] = (signed char)hl_steady_settle(s->steady, s->lane, hl_apart_modes(s->apart, l), block->regs,
                                                         block->lanes, l, &s->start[l], &status);
    return status;
}

/* What is left for one lane when its start is known. */
static enum hl_status finish_lane(struct hl_solver *s, const struct hl_block *block, size_t lane, double last)
{
    enum hl_status status = HL_OK;
    if (s->reviewer && s->status[lane] == HL_SUBJECT_GOOD)
        status = hold_reviews(s, block, lane, last);
    hl_diary_close(s->diary, lane);
    if (status != HL_OK || !s->plan->releases)
        return status;
    const struct hl_events *events = &s->diary->list[lane];
    return hl_lane_reserve_releases(s->lane, s->start[lane].releases.n + hl_releases_count(events->event, events->n));
}

/* Eight subjects up to what is linear of their starts; their status tells how that went. */
static enum hl_status begin_eight(struct hl_solver *s, const struct hl_block *block, size_t first, double last_time)
{
    double horizon[HL_LANES] = {0};
    unsigned wanted = 0;
    enum hl_status status = HL_OK;
    for (size_t l = 0; status == HL_OK && l < HL_LANES; l++) {
        s->status[first + l] = first + l < block->n ? HL_SUBJECT_GOOD : HL_SUBJECT_BAD_PARAMETERS; /* padding */
        if (first + l >= block->n)
            continue;
        wanted |= 1u << l;
        status = hl_diary_make(s->diary, block, first + l);
        horizon[l] = s->steady ? INFINITY : last_time - hl_diary_start(s->diary, first + l);
    }
    if (status != HL_OK)
        return status;
    unsigned good = hl_apart_take(s->apart, block->regs, block->lanes, first, horizon, wanted);
    good = set_amplitudes(s, block, first, good);
    for (size_t l = 0; status == HL_OK && l < HL_LANES; l++)
        if (wanted >> l & 1)
            status = begin_lane(s, block, first + l, good >> l & 1);
    return status;
}

/* Everything subjects need before time begins to run. */
static enum hl_status prepare(struct hl_solver *s, const struct hl_block *block, const struct hl_subjects *subjects,
                              double last_time)
{
    enum hl_status status = HL_OK;
    for (size_t first = 0; status == HL_OK && first < block->lanes; first += HL_LANES)
        status = begin_eight(s, block, first, last_time);
    if (status == HL_OK && s->steady)
        status = settle(s, block, subjects);
    for (size_t l = 0; status == HL_OK && l < block->lanes; l++) {
        if (s->status[l] == HL_SUBJECT_GOOD)
            status = finish_lane(s, block, l, last_time);
        if (s->status[l] != HL_SUBJECT_GOOD)
            hl_modes_rows_blank(&s->apart->rows[l / HL_ROW], s->plan, l % HL_ROW);
    }
    return status;
}

/* One subject alone: integrates what isn't linear, tells the listener; samples: its values are wanted; lane: by
 * which stepper. */
static enum hl_subject_status go_alone(struct hl_solver *s, const struct hl_block *block, size_t lane_number,
                                       const int *output, size_t n_outputs, const double *time, size_t n_times,
                                       const struct hl_listener *listener, bool samples, struct hl_lane *lane)
{
    hl_lane_load(lane, block->regs, block->lanes, lane_number, hl_apart_modes(s->apart, lane_number),
                 &s->start[lane_number]);
    lane->listener = listener;
    lane->output = output;
    lane->n_outputs = n_outputs;
    lane->linear_outputs = s->plan->n_integrated == 0;
    for (size_t k = 0; k < n_outputs; k++)
        lane->linear_outputs = lane->linear_outputs && s->plan->system->output[output[k]].linear;
    lane->time = time;
    lane->n_times = n_times;
    lane->next = 0;
    lane->sample = s->sample && samples ? s->sample + lane_number : NULL;
    lane->stride = block->lanes;
    const struct hl_events *events = &s->diary->list[lane_number];
    enum hl_subject_status status = hl_lane_follow(lane, events->event, events->n, time[n_times - 1]);
    if (status == HL_SUBJECT_GOOD)
        hl_lane_sample(lane, time[n_times - 1], true);
    return status;
}

static enum hl_status reserve_samples(struct hl_solver *s, size_t n_times, size_t lanes)
{
    size_t n = s->plan->n_integrated * n_times * lanes;
    if (n == 0 || n <= s->sample_capacity)
        return HL_OK;
    hl_free(s->sample);
    s->sample_capacity = 0;
    if (!(s->sample = hl_alloc(n, sizeof *s->sample)))
        return HL_ERR_MEMORY;
    s->sample_capacity = n;
    return HL_OK;
}

static void report(struct hl_solver *s, struct hl_block *block, size_t n_outputs, size_t n_times)
{
    for (size_t l = 0; l < block->lanes; l++) {
        block->status[l] = l < block->n ? s->status[l] : HL_SUBJECT_GOOD;
        for (size_t k = 0; s->status[l] != HL_SUBJECT_GOOD && k < n_outputs * n_times; k++)
            block->out[k * block->lanes + l] = NAN;
    }
}

/* All lanes side by side, and what a listener wants to hear of them on the way; lanes of which it couldn't be told to
 * the end it must hear in another way. */
static void run_batch(struct hl_solver *s, struct hl_block *block, const struct hl_subjects *subjects, size_t first,
                      size_t n, const struct hl_listener *listener, bool *told, bool *done)
{
    bool listens = listener && listener->n_told > 0, heard[HL_BATCH_LANES];
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        heard[l] = listens;
    double *to =
        s->shows_outputs || !s->sample ? block->out : s->sample; /* no samples: nothing is integrated, or shown */
    hl_batch_run(s->batch, subjects, block->regs, first, n, to, done, heard);
    for (size_t l = 0; listens && l < n; l++)
        if (s->status[first + l] == HL_SUBJECT_GOOD && !(heard[l] && done[l])) {
            listener->untold(listener->context, first + l);
            told[l] = false;
        }
}

/* What the batch has found stiff goes by the implicit stepper, and if that can't, by the other: as far as nobody has
 * heard of it yet. */
static enum hl_subject_status go_on_alone(struct hl_solver *s, const struct hl_block *block, size_t lane_number,
                                          const int *output, size_t n_outputs, const double *time, size_t n_times,
                                          const struct hl_listener *listener, bool samples, bool stiff)
{
    enum hl_subject_status status = HL_SUBJECT_STEP_TOO_SMALL;
    if (stiff)
        status = go_alone(s, block, lane_number, output, n_outputs, time, n_times, listener, samples, s->stiff_lane);
    if (!stiff || (status != HL_SUBJECT_GOOD && !listener))
        status = go_alone(s, block, lane_number, output, n_outputs, time, n_times, listener, samples, s->lane);
    return status;
}

/* What sixteen lanes need before the sweep. All are integrated side by side, whoever listens: a subject's values are
 * the same with and without. What is wanted segment by segment is then told in a run of the lane's own; so is, with its
 * values, a lane that couldn't be integrated with the others. Which way a lane goes depends on that lane alone. */
static void run_group(struct hl_solver *s, struct hl_block *block, const struct hl_subjects *subjects,
                      size_t first, const int *output, size_t n_outputs, const double *time, size_t n_times,
                      const struct hl_listener *listener)
{
    bool heard = listener && (listener->wants_segments || listener->event), integrated = s->plan->n_integrated > 0;
    bool told[HL_BATCH_LANES] = {false}, done[HL_BATCH_LANES] = {false};
    size_t n = block->lanes - first < HL_BATCH_LANES ? block->lanes - first : HL_BATCH_LANES;
    if (!integrated && !listener) {
        memset(s->shown + first, 0, n * sizeof *s->shown);
        return;
    }
    for (size_t l = 0; listener && listener->group && l < n; l += HL_LANES)
        listener->group(listener->context, subjects, block->regs, first + l, told + l);
    if (s->batch && (integrated || listener->n_told > 0))
        run_batch(s, block, subjects, first, n, listener, told, done);
    for (size_t l = 0; l < n; l++) {
        s->shown[first + l] = s->shows_outputs && done[l];
        bool solved = done[l] || !integrated, silent = told[l] || !heard;
        if (s->status[first + l] == HL_SUBJECT_GOOD && !(solved && silent))
            s->status[first + l] = (signed char)go_on_alone(s, block, first + l, output, n_outputs, time, n_times,
                                                            silent ? NULL : listener, !solved,
                                                            !solved && s->batch && hl_batch_was_stiff(s->batch, l));
    }
}

/* Puts back what lanes that are shown already had in out. */
static void restore(const struct hl_solver *s, struct hl_block *block, size_t rows, const double *kept)
{
    for (size_t k = 0; k < rows; k++)
        for (size_t l = 0; l < block->lanes; l++)
            if (s->shown[l])
                block->out[k * block->lanes + l] = kept[k * block->lanes + l];
}

/* Outputs of the lanes that the batch hasn't shown itself: mostly of all, or of none. */
static enum hl_status show_rest(struct hl_solver *s, const struct hl_subjects *subjects, struct hl_block *block,
                                const int *output, size_t n_outputs, const double *time, size_t n_times)
{
    size_t n_shown = 0, n_good = 0, rows = n_outputs * n_times;
    for (size_t l = 0; l < block->lanes; l++) {
        n_shown += s->shown[l];
        n_good += s->status[l] == HL_SUBJECT_GOOD;
    }
    if (n_shown > 0 && n_shown == n_good)
        return HL_OK;
    double *kept = n_shown > 0 ? hl_alloc_unset(rows * block->lanes, sizeof *kept) : NULL;
    if (n_shown > 0 && !kept)
        return HL_ERR_MEMORY;
    if (kept)
        memcpy(kept, block->out, rows * block->lanes * sizeof *kept);
    enum hl_status status = hl_sweep_run(s->sweep, subjects, block, output, n_outputs, time, n_times, s->sample);
    if (kept)
        restore(s, block, rows, kept);
    hl_free(kept);
    return status;
}

enum hl_status hl_solver_run(struct hl_solver *s, struct hl_block *block, const int *output, size_t n_outputs,
                             const double *time, size_t n_times, const struct hl_listener *listener)
{
    if (block->lanes > s->max_lanes || block->lanes % HL_LANES != 0 || block->n > block->lanes || n_times == 0)
        return HL_ERR_INTERNAL;
    if (reserve_samples(s, n_times, block->lanes) != HL_OK
        || (s->batch && (hl_batch_set_times(s->batch, time, n_times) != HL_OK
                         || hl_batch_listen(s->batch, output, listener) != HL_OK))
        || hl_diary_open(s->diary, time, n_times) != HL_OK)
        return HL_ERR_MEMORY;
    s->singly = s->steady || s->reviewer || s->plan->n_integrated > 0 || listener;
    struct hl_subjects subjects = {.lanes = block->lanes, .n = block->n, .apart = s->apart, .rows = s->apart->rows,
                                   .start = s->start, .events = s->diary->list, .shared = !s->diary->copies,
                                   .common = s->diary->same_times, .edition = s->diary->edition, .status = s->status};
    enum hl_status status = prepare(s, block, &subjects, time[n_times - 1]);
    if (status != HL_OK)
        return status;
    s->shows_outputs = s->batch && hl_batch_set_outputs(s->batch, output, n_outputs, block->lanes);
    for (size_t first = 0; first < block->lanes; first += HL_BATCH_LANES)
        run_group(s, block, &subjects, first, output, n_outputs, time, n_times, listener);
    status = show_rest(s, &subjects, block, output, n_outputs, time, n_times);
    if (status == HL_OK)
        report(s, block, n_outputs, n_times);
    return status;
}
