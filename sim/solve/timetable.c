/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way through the output times, written down once. It consists of the very moves, in the very order, that a group
 * makes whose subjects go each their own way (group_own.c), so a subject's results don't tell which was used:
 *
 *   a stride of evenly spaced times     TABLE for its step (if it isn't there), OPEN
 *   times without events                GLIDE over all of them
 *   a step with events                  SHOW, then from event to event HOP and APPLY, and HOP to the step's end; every
 *                                       sixteenth step FORGET what has decayed, as GLIDE does by itself
 *   a stride without events             TABLE for its whole length, CLOSE: one multiplication instead of many, so that
 *                                       rounding doesn't add up
 *
 * Which exponentials are in which slot is decided here too: the slot that was used least recently is taken for new
 * ones. */
#include "solve/timetable.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/glide.h"

#define QUANTUM 1.4551915228366852e-11 /* 2^-36 h */

/* What is being written. */
struct writer {
    struct hl_timetable *table;
    const struct hl_plan *plan;
    const struct hl_events *events;
    size_t next;                 /* event */
    double length[HL_TABLES];    /* in each slot; NaN: nothing */
    size_t used[HL_TABLES], clock;
    bool pinned[HL_TABLES];      /* needed while the stride lasts */
    bool out_of_memory;
};

/* Adding 1.5 * 2^52 quanta leaves no digits for less (hops are below 2^15 h long; longer ones come out as they are, and
 * that serves as well). */
double hl_whole_quanta(double length)
{
    const double shift = 1.5 * 4503599627370496.0 * QUANTUM;
    return length < 32768 ? (length + shift) - shift : length;
}

bool hl_event_moves(const struct hl_plan *plan, const struct hl_event *event)
{
    bool changes = event->kind == HL_EVENT_ADD || event->kind == HL_EVENT_RATE;
    return changes && event->state >= 0 && plan->component_of[event->state] >= 0;
}

/* Room for n elements, of which used are kept; false when there is none. */
static bool reserve(void **array, size_t *capacity, size_t used, size_t n, size_t size)
{
    if (n <= *capacity)
        return true;
    size_t more = n < 2 * *capacity ? 2 * *capacity : n;
    void *grown = hl_grow(*array, used, more, size);
    if (!grown)
        return false;
    *array = grown;
    *capacity = more;
    return true;
}

static void put(struct writer *w, struct hl_move move)
{
    struct hl_timetable *t = w->table;
    void *list = t->move;
    if (!reserve(&list, &t->capacity, t->n, t->n + 1, sizeof move)) {
        w->out_of_memory = true;
        return;
    }
    t->move = list;
    t->move[t->n++] = move;
}

/* The slot with the exponentials for length; makes them if need be. Two slots are pinned at most. */
static size_t slot_for(struct writer *w, double length)
{
    size_t oldest = w->pinned[0] ? (w->pinned[1] ? 2 : 1) : 0;
    for (size_t k = 0; k < HL_TABLES; k++) {
        if (w->length[k] == length) { /* the very same */
            w->used[k] = ++w->clock;
            return k;
        }
        if (!w->pinned[k] && w->used[k] < w->used[oldest])
            oldest = k;
    }
    w->length[oldest] = length;
    w->used[oldest] = ++w->clock;
    put(w, (struct hl_move){.kind = HL_MOVE_TABLE, .slot = oldest, .length = length});
    return oldest;
}

static void hop(struct writer *w, double from, double to)
{
    double length = to - from;
    if (!(length > 0))
        return;
    double whole = hl_whole_quanta(length);
    size_t slot = slot_for(w, whole);
    put(w, (struct hl_move){.kind = HL_MOVE_HOP, .slot = slot, .length = length, .drift = length - whole});
}

static void skip_others(struct writer *w)
{
    while (w->next < w->events->n && !hl_event_moves(w->plan, &w->events->event[w->next]))
        w->next++;
}

static double next_time(const struct writer *w)
{
    return w->next < w->events->n ? w->events->event[w->next].time : INFINITY;
}

/* From one time through all events up to another one. */
static void follow(struct writer *w, double from, double until)
{
    double at = from;
    while (next_time(w) <= until) {
        double to = fmax(at, next_time(w));
        hop(w, at, to);
        for (at = to; next_time(w) <= at; skip_others(w))
            put(w, (struct hl_move){.kind = HL_MOVE_APPLY, .at = w->next++});
    }
    hop(w, at, until);
}

static void write_stride(struct writer *w, const struct hl_stride *stride, const double *time)
{
    size_t last = stride->first + stride->steps;
    bool close = stride->steps > 1 && next_time(w) > time[last];
    size_t whole = close ? slot_for(w, stride->dt * (double)stride->steps) : 0;
    w->pinned[whole] = close;
    size_t step = slot_for(w, stride->dt);
    w->pinned[step] = true;
    put(w, (struct hl_move){.kind = HL_MOVE_OPEN, .slot = step, .n = close});
    for (size_t k = stride->first, n; k < last; k += n) {
        size_t done = k - stride->first;
        for (n = 0; k + n < last && time[k + n + 1] < next_time(w);)
            n++;
        if (n > 0) {
            put(w, (struct hl_move){.kind = HL_MOVE_GLIDE, .slot = step, .at = k, .n = n, .done = done,
                                    .length = stride->dt});
            continue;
        }
        n = 1;
        if (done % HL_FORGET_EVERY == 0)
            put(w, (struct hl_move){.kind = HL_MOVE_FORGET});
        put(w, (struct hl_move){.kind = HL_MOVE_SHOW, .at = k});
        follow(w, time[k], time[k + 1]);
    }
    if (close)
        put(w, (struct hl_move){.kind = HL_MOVE_CLOSE, .slot = whole, .length = stride->dt * (double)stride->steps});
    w->pinned[whole] = w->pinned[step] = false;
}

static bool keep_events(struct hl_timetable *t, const struct hl_plan *plan, const struct hl_events *events)
{
    void *list = t->event;
    if (!reserve(&list, &t->event_capacity, 0, events->n, sizeof *t->event))
        return false;
    t->event = list;
    t->n_events = events->n;
    t->rates = false;
    for (size_t k = 0; k < events->n; k++) {
        t->event[k] = events->event[k];
        t->rates = t->rates || (events->event[k].kind == HL_EVENT_RATE && hl_event_moves(plan, &events->event[k]));
    }
    return true;
}

enum hl_status hl_timetable_make(struct hl_timetable *t, const struct hl_plan *plan, const struct hl_events *events,
                                 double start, const double *time, const struct hl_stride *stride, size_t n_strides)
{
    struct writer w = {.table = t, .plan = plan, .events = events};
    void *first = t->first;
    t->n = 0;
    if (!reserve(&first, &t->first_capacity, 0, n_strides + 2, sizeof *t->first))
        return HL_ERR_MEMORY;
    t->first = first;
    if (!keep_events(t, plan, events))
        return HL_ERR_MEMORY;
    for (size_t k = 0; k < HL_TABLES; k++)
        w.length[k] = NAN;
    t->start = start;
    skip_others(&w);
    follow(&w, start, time[0]);
    for (size_t c = 0; c < n_strides; c++) {
        t->first[c] = t->n;
        write_stride(&w, &stride[c], time);
    }
    size_t last = n_strides > 0 ? stride[n_strides - 1].first + stride[n_strides - 1].steps : 0;
    t->first[n_strides] = t->n;
    put(&w, (struct hl_move){.kind = HL_MOVE_SHOW, .at = last});
    t->first[n_strides + 1] = t->n;
    return w.out_of_memory ? HL_ERR_MEMORY : HL_OK;
}

bool hl_timetable_fits(const struct hl_timetable *t, const struct hl_plan *plan, const struct hl_events *events,
                       double start)
{
    if (t->start != start || t->n_events != events->n)
        return false;
    for (size_t k = 0; k < events->n; k++) {
        const struct hl_event *mine = &events->event[k], *its = &t->event[k];
        bool moves = hl_event_moves(plan, mine);
        if (moves != hl_event_moves(plan, its)
            || (moves && (mine->time != its->time || mine->kind != its->kind || mine->state != its->state)))
            return false;
    }
    return true;
}

void hl_timetable_clear(struct hl_timetable *t)
{
    hl_free(t->move);
    hl_free(t->first);
    hl_free(t->event);
    *t = (struct hl_timetable){0};
}
