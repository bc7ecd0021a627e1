/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Series of doses, unfolded one arrival at a time.
 *
 * Dose k of a record at time t (k = 0 the record's own, k = 1 .. ADDL the additional ones) enters, or starts to enter,
 * at
 *     a_k = (t + k II) + lag            an infusion ends at  a_k + duration
 * always computed from t, never added up, so that the thousandth dose is as well timed as the first. A series keeps
 * three numbers: the next dose whose nominal time comes, the next to arrive, the next whose infusion ends. What lies
 * between the last two is running. Hence a series takes the same memory whatever its ADDL, and however many of its
 * infusions overlap.
 *
 * A steady-state record is a series that has no beginning: dose k < 0 is one of the time before. All with a_k < t have
 * arrived, they are in the steady state; the others are still to come. With x = (a_first - t + duration) / II, the
 * infusions running just before t are first - j for j = 1, 2, ... < x: ceil(x) - 1 of them.
 *
 * Series stand in a binary heap by their next moment. Cancelling is forgetting: records are processed in the order of
 * the file, so what the agenda holds when a reset comes is exactly what earlier rows have brought.
 *
 * Times are compared as they are: a lag that makes a sum 2e-15 too late is too late, as in NONMEM. The one exception
 * are nominal times t + k II: the third dose at 3 x 0.1 h meets the record at 0.3 h. */
#include "regimen/agenda.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define SAME_TIME 1e-12 /* of nominal times, relative, at least of an hour: rounding of t + k II */
#define MOST 9e15       /* doses: every whole number up to here is a double */

struct series {
    struct hl_intake intake;
    double time, interval;
    int64_t given, start, end, last; /* next of each kind; last dose of all */
    bool leads;
    double when;                     /* next moment ... */
    enum hl_arrival_kind kind;       /* ... and what happens then */
    uint64_t serial;                 /* order of adding */
    bool active;
};

struct hl_agenda {
    bool nominal;
    size_t n, capacity;              /* slots ever used since the last clearing, room */
    struct series *series;
    size_t *heap, n_heap;            /* slots of active series */
    size_t *idle, n_idle;            /* slots that are free again */
    uint64_t serial;
};

struct hl_agenda *hl_agenda_create(bool nominal)
{
    struct hl_agenda *agenda = hl_alloc(1, sizeof *agenda);
    if (agenda)
        agenda->nominal = nominal;
    return agenda;
}

void hl_agenda_free(struct hl_agenda *agenda)
{
    if (!agenda)
        return;
    hl_free(agenda->series);
    hl_free(agenda->heap);
    hl_free(agenda->idle);
    hl_free(agenda);
}

size_t hl_agenda_clear(struct hl_agenda *agenda)
{
    size_t cancelled = 0;
    for (size_t i = 0; i < agenda->n; i++) {
        const struct series *s = &agenda->series[i];
        if (s->active)
            cancelled += (size_t)(s->last + 1 - s->start) + (size_t)(s->start - s->end);
    }
    agenda->n = agenda->n_heap = agenda->n_idle = 0;
    agenda->serial = 0;
    return cancelled;
}

/* ---- when things happen */

static double nominal(const struct series *s, int64_t k)
{
    return s->time + (double)k * s->interval;
}

static double arrives(const struct series *s, int64_t k)
{
    return nominal(s, k) + s->intake.lag;
}

struct hl_wave hl_intake_wave(const struct hl_intake *intake, double time, double interval)
{
    struct series s = {.intake = *intake, .time = time, .interval = interval};
    struct hl_wave wave = {.first = -(int64_t)floor(fmin(MOST, intake->lag / interval))};
    while (arrives(&s, wave.first - 1) >= time)
        wave.first--;
    while (arrives(&s, wave.first) < time)
        wave.first++;
    wave.offset = fmin(interval, fmax(0, fma((double)wave.first, interval, intake->lag)));
    if (intake->duration > 0)
        wave.running = (int64_t)ceil(fmin(MOST, (wave.offset + intake->duration) / interval)) - 1;
    return wave;
}

/* Looks for the next moment of a series; false when it has none left. */
static bool look_ahead(const struct hl_agenda *agenda, struct series *s)
{
    s->when = INFINITY;
    if (s->start <= s->last) {
        s->when = arrives(s, s->start);
        s->kind = s->intake.duration > 0 ? HL_ARRIVAL_START : HL_ARRIVAL_BOLUS;
    }
    if (s->end < s->start && arrives(s, s->end) + s->intake.duration <= s->when) {
        s->when = arrives(s, s->end) + s->intake.duration;
        s->kind = HL_ARRIVAL_END;
    }
    if (agenda->nominal && s->leads && s->given <= s->last && nominal(s, s->given) <= s->when) {
        s->when = nominal(s, s->given);
        s->kind = HL_ARRIVAL_GIVEN;
    }
    return s->when < INFINITY;
}

/* ---- the heap */

static bool comes_before(const struct hl_agenda *agenda, size_t a, size_t b)
{
    const struct series *x = &agenda->series[a], *y = &agenda->series[b];
    if (x->when < y->when || x->when > y->when)
        return x->when < y->when;
    enum hl_arrival_kind a_kind = x->kind == HL_ARRIVAL_START ? HL_ARRIVAL_BOLUS : x->kind;
    enum hl_arrival_kind b_kind = y->kind == HL_ARRIVAL_START ? HL_ARRIVAL_BOLUS : y->kind;
    return a_kind != b_kind ? a_kind < b_kind : x->serial < y->serial;
}

static void swap(struct hl_agenda *agenda, size_t i, size_t k)
{
    size_t kept = agenda->heap[i];
    agenda->heap[i] = agenda->heap[k];
    agenda->heap[k] = kept;
}

/* Puts the entry at i where it belongs. */
static void settle(struct hl_agenda *agenda, size_t i)
{
    for (; i > 0 && comes_before(agenda, agenda->heap[i], agenda->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(agenda, i, (i - 1) / 2);
    for (size_t child; (child = 2 * i + 1) < agenda->n_heap; i = child) {
        if (child + 1 < agenda->n_heap && comes_before(agenda, agenda->heap[child + 1], agenda->heap[child]))
            child++;
        if (!comes_before(agenda, agenda->heap[child], agenda->heap[i]))
            return;
        swap(agenda, i, child);
    }
}

/* Lets the series at heap place i go on to its next moment, or retires it. */
static void go_on(struct hl_agenda *agenda, size_t i)
{
    size_t slot = agenda->heap[i];
    struct series *s = &agenda->series[slot];
    if (look_ahead(agenda, s)) {
        settle(agenda, i);
        return;
    }
    s->active = false;
    agenda->idle[agenda->n_idle++] = slot;
    agenda->heap[i] = agenda->heap[--agenda->n_heap];
    if (i < agenda->n_heap)
        settle(agenda, i);
}

/* ---- adding */

static enum hl_status make_room(struct hl_agenda *agenda)
{
    if (agenda->n_idle > 0 || agenda->n < agenda->capacity)
        return HL_OK;
    size_t old = agenda->capacity, more = old ? 2 * old : 16;
    struct series *series = hl_grow(agenda->series, old, more, sizeof *series);
    if (series)
        agenda->series = series;
    size_t *heap = hl_grow(agenda->heap, old, more, sizeof *heap);
    if (heap)
        agenda->heap = heap;
    size_t *idle = hl_grow(agenda->idle, old, more, sizeof *idle);
    if (idle)
        agenda->idle = idle;
    if (!series || !heap || !idle)
        return HL_ERR_MEMORY;
    agenda->capacity = more;
    return HL_OK;
}

static enum hl_status add(struct hl_agenda *agenda, struct series series)
{
    if (make_room(agenda) != HL_OK)
        return HL_ERR_MEMORY;
    size_t slot = agenda->n_idle > 0 ? agenda->idle[--agenda->n_idle] : agenda->n++;
    series.serial = agenda->serial++;
    series.active = true;
    agenda->series[slot] = series;
    agenda->heap[agenda->n_heap++] = slot;
    go_on(agenda, agenda->n_heap - 1);
    return HL_OK;
}

static int64_t last_of(uint64_t additional)
{
    return additional < (uint64_t)MOST ? (int64_t)additional : (int64_t)MOST;
}

enum hl_status hl_agenda_add(struct hl_agenda *agenda, const struct hl_intake *intake, double time, double interval,
                             uint64_t additional, bool leads)
{
    return add(agenda, (struct series){.intake = *intake, .time = time, .interval = interval, .leads = leads,
                                       .last = last_of(additional)});
}

enum hl_status hl_agenda_add_steady(struct hl_agenda *agenda, const struct hl_intake *intake, double time,
                                    double interval, uint64_t additional, bool leads)
{
    struct hl_wave wave = hl_intake_wave(intake, time, interval);
    return add(agenda, (struct series){.intake = *intake, .time = time, .interval = interval, .leads = leads,
                                       .start = wave.first, .end = wave.first - wave.running,
                                       .last = last_of(additional)});
}

/* ---- taking */

/* What isn't lagged and only by rounding later than until; n_heap when there is nothing. */
static size_t find_rounded(const struct hl_agenda *agenda, double until)
{
    double late = until + SAME_TIME * fmax(1, fabs(until));
    size_t found = agenda->n_heap;
    if (agenda->series[agenda->heap[0]].when > late)
        return found;
    for (size_t i = 0; i < agenda->n_heap; i++) {
        const struct series *s = &agenda->series[agenda->heap[i]];
        bool by_clock = s->kind == HL_ARRIVAL_GIVEN || (s->kind != HL_ARRIVAL_END && s->intake.lag == 0);
        if (by_clock && s->when <= late
            && (found == agenda->n_heap || comes_before(agenda, agenda->heap[i], agenda->heap[found])))
            found = i;
    }
    return found;
}

bool hl_agenda_next(struct hl_agenda *agenda, double until, struct hl_arrival *arrival)
{
    if (agenda->n_heap == 0)
        return false;
    size_t i = agenda->series[agenda->heap[0]].when <= until ? 0 : find_rounded(agenda, until);
    if (i == agenda->n_heap)
        return false;
    struct series *s = &agenda->series[agenda->heap[i]];
    int64_t *next = s->kind == HL_ARRIVAL_GIVEN ? &s->given : s->kind == HL_ARRIVAL_END ? &s->end : &s->start;
    *arrival = (struct hl_arrival){.time = fmin(s->when, until), .kind = s->kind, .dose = *next, .intake = &s->intake};
    if (s->kind == HL_ARRIVAL_END)
        arrival->missing = s->intake.duration - (s->when - arrives(s, *next));
    ++*next;
    if (s->intake.duration == 0)
        s->end = s->start; /* what enters at once never runs */
    go_on(agenda, i);
    return true;
}

double hl_agenda_rate(const struct hl_agenda *agenda, int state)
{
    double sum = 0;
    for (size_t i = 0; i < agenda->n; i++) {
        const struct series *s = &agenda->series[i];
        if (s->active && s->intake.state == state && s->end < s->start)
            sum += (double)(s->start - s->end) * s->intake.rate;
    }
    return sum;
}

size_t hl_agenda_stop(struct hl_agenda *agenda, int state)
{
    size_t stopped = 0;
    for (size_t slot = 0; slot < agenda->n; slot++) {
        struct series *s = &agenda->series[slot];
        if (!s->active || s->intake.state != state || s->end == s->start)
            continue;
        size_t i = 0;
        while (agenda->heap[i] != slot)
            i++;
        stopped += (size_t)(s->start - s->end);
        s->end = s->start;
        go_on(agenda, i);
    }
    return stopped;
}
