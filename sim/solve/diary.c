/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event lists. A list is a pure function of the regimen and of the registers that lags, bioavailabilities, durations
 * and patches' contents are read from. Where the study's structure says that none of these is a subject's own
 * (hl_regimen_is_shared) every subject's list is the same to the last bit, so it is made from the first subject met
 * and handed to all. Steady regimens add to a subject's list what its own state asks for; there each gets a copy.
 * Where times at least are everybody's (hl_regimen_is_common), the first subject's list shows the order, and others
 * fill in values. */
#include "solve/diary.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* An event this close to an output time [relative, at least of an hour] happens at that time: 0.1 h * 3 is 0.3 h. */
#define SAME_TIME 1e-12

struct hl_diary *hl_diary_create(const struct hl_plan *plan, size_t max_lanes)
{
    struct hl_diary *d = hl_alloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->plan = plan;
    d->max_lanes = max_lanes;
    d->same_times = hl_regimen_is_common(plan->regimen, plan->system);
    d->shared = hl_regimen_is_shared(plan->regimen, plan->system);
    d->copies = !d->shared || plan->regimen->n_steady > 0;
    d->refills = d->same_times && !d->shared && plan->regimen->n_steady == 0;
    d->filled = hl_alloc(max_lanes, sizeof *d->filled);
    d->list = hl_alloc(max_lanes, sizeof *d->list);
    d->own = hl_alloc(max_lanes, sizeof *d->own);
    bool reviewed = plan->regimen->n_reviewed > 0;
    d->history = reviewed ? hl_alloc(max_lanes, sizeof *d->history) : NULL;
    if (d->list && d->own && d->filled && (d->history || !reviewed))
        return d;
    hl_diary_free(d);
    return NULL;
}

void hl_diary_free(struct hl_diary *d)
{
    if (!d)
        return;
    for (size_t l = 0; d->own && l < d->max_lanes; l++)
        hl_free(d->own[l].event);
    for (size_t l = 0; d->history && l < d->max_lanes; l++)
        hl_history_clear(&d->history[l]);
    void *part[] = {d->raw.event, d->common.event, d->order.place, d->filled, d->list, d->own,
                    d->history, d->time, d};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

enum hl_status hl_diary_open(struct hl_diary *d, const double *time, size_t n_times)
{
    size_t bytes = n_times * sizeof *time;
    d->asked = time;
    memset(d->list, 0, d->max_lanes * sizeof *d->list);
    if (d->n_times == n_times && memcmp(d->time, time, bytes) == 0)
        return HL_OK;
    if (d->time_capacity < n_times) {
        hl_free(d->time);
        d->n_times = d->time_capacity = 0;
        if (!(d->time = hl_alloc(n_times, sizeof *d->time)))
            return HL_ERR_MEMORY;
        d->time_capacity = n_times;
    }
    memcpy(d->time, time, bytes);
    d->n_times = n_times;
    d->made = false;
    d->edition++;
    return HL_OK;
}

/* The first output time from number i on that isn't before t: in leaps twice as long each, then in halves. */
static size_t first_from(const double *time, size_t n, size_t i, double t)
{
    size_t leap = 1, high;
    if (i >= n || time[i] >= t)
        return i;
    for (; i + leap < n && time[i + leap] < t; leap *= 2)
        i += leap;
    for (high = i + leap < n ? i + leap : n; high - i > 1;) { /* time[i] < t <= time[high] */
        size_t middle = i + (high - i) / 2;
        if (time[middle] < t)
            i = middle;
        else
            high = middle;
    }
    return high;
}

/* Moves events that mean an output time, but for rounding, to that time. */
static void snap(struct hl_events *events, const double *time, size_t n_times)
{
    for (size_t k = 0, i = 0; k < events->n; k++) {
        double t = events->event[k].time, slack = SAME_TIME * fmax(1, fabs(t));
        i = first_from(time, n_times, i, t - slack);
        if (i < n_times && time[i] <= t + slack)
            events->event[k].time = time[i];
    }
}

static bool are_sound(const struct hl_events *events, bool values_too)
{
    for (size_t k = 0; k < events->n; k++)
        if (isnan(events->event[k].time) || (values_too && !isfinite(events->event[k].value)))
            return false;
    return true;
}

static double start_time(const struct hl_diary *d, const struct hl_events *events)
{
    const struct hl_regimen *regimen = d->plan->regimen;
    double t = fmin(0, d->asked[0]);
    if (events->n > 0)
        t = fmin(t, events->event[0].time);
    for (size_t k = 0; k < regimen->n_steady; k++)
        t = fmin(t, regimen->steady[k].time);
    return t;
}

static enum hl_status make_list(const struct hl_diary *d, const struct hl_block *block, size_t lane,
                                struct hl_events *events)
{
    return hl_regimen_events(d->plan->regimen, d->plan->system, block->regs, block->lanes, lane, block->seed,
                             block->first + lane, events);
}

/* The list that serves all, or from which all others are made. */
static enum hl_status make_first(struct hl_diary *d, const struct hl_block *block, size_t lane)
{
    const struct hl_plan *plan = d->plan;
    enum hl_status status = d->refills ? hl_regimen_order(plan->regimen, plan->system, block->regs, block->lanes, lane,
                                                          &d->raw, &d->order)
                                       : make_list(d, block, lane, &d->raw);
    if (status != HL_OK)
        return status;
    d->start = start_time(d, &d->raw);
    d->sound = are_sound(&d->raw, d->shared); /* whoever fills in values sees to them */
    if (d->copies) {
        status = hl_events_copy(&d->raw, &d->common);
    } else { /* nobody asks for the raw list again */
        struct hl_events spare = d->common;
        d->common = d->raw;
        d->raw = spare;
    }
    if (status != HL_OK)
        return status;
    snap(&d->common, d->asked, d->n_times);
    d->made = true;
    return HL_OK;
}

/* The first list with the lane's own values; false when they don't fit, and in out-of-memory status. */
static bool fill_in(struct hl_diary *d, const struct hl_block *block, size_t lane, enum hl_status *status)
{
    if (d->filled[lane] != d->edition)
        *status = hl_events_copy(&d->common, &d->own[lane]);
    bool filled = *status == HL_OK && hl_regimen_refill(d->plan->regimen, d->plan->system, block->regs, block->lanes,
                                                        lane, &d->order, &d->own[lane]);
    d->filled[lane] = filled ? d->edition : 0;
    return filled;
}

enum hl_status hl_diary_make(struct hl_diary *d, const struct hl_block *block, size_t lane)
{
    enum hl_status status = HL_OK;
    if (d->history)
        d->history[lane].n = d->history[lane].n_doses = 0;
    if ((d->shared || d->refills) && !d->made)
        status = make_first(d, block, lane);
    if (status != HL_OK || (d->shared && !d->copies))
        return status;
    if (d->shared)
        return hl_events_copy(&d->raw, &d->own[lane]);
    if (d->refills && fill_in(d, block, lane, &status))
        return HL_OK;
    return status == HL_OK ? make_list(d, block, lane, &d->own[lane]) : status;
}

enum hl_status hl_diary_renew(struct hl_diary *d, const struct hl_block *block, size_t lane)
{
    const struct hl_history *h = &d->history[lane];
    return hl_regimen_events_with(d->plan->regimen, h->dose, h->n_doses, d->plan->system, block->regs, block->lanes,
                                  lane, block->seed, block->first + lane, &d->own[lane]);
}

double hl_diary_start(const struct hl_diary *d, size_t lane)
{
    return d->shared || d->filled[lane] ? d->start : start_time(d, &d->own[lane]);
}

bool hl_diary_is_sound(const struct hl_diary *d, size_t lane)
{
    return d->shared || d->filled[lane] ? d->sound : are_sound(&d->own[lane], true);
}

void hl_diary_close(struct hl_diary *d, size_t lane)
{
    if (d->copies && !d->filled[lane])
        snap(&d->own[lane], d->asked, d->n_times);
    d->list[lane] = d->copies ? d->own[lane] : d->common;
}
