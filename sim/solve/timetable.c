/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way through the output times, written down once. It consists of the very moves, in the very order, that a group
 * makes whose subjects go each their own way (group_own.c), so a subject's results don't tell which was used:
 *
 *   a stride of evenly spaced times     TABLE for its step (if it isn't there), OPEN
 *   times without events                GLIDE over all of them
 *   a step with events                  SHOW, then from event to event HOP and ADD or RATE, and HOP to the step's end;
 *                                       every sixteenth step FORGET what has decayed, as GLIDE does by itself
 *   a stride without events             TABLE for its whole length, CLOSE: one multiplication instead of many, so that
 *                                       rounding doesn't add up
 *
 * Which exponentials are in which slot is decided here too: the slot that was used least recently is taken for new
 * ones.
 *
 * Equal doses at equal distances with no output time between them become one RUN, if the list of events is everybody's:
 * a year of doses is then a few moves instead of more than the caches hold, and a loop that stays in registers. */
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
    size_t floor;                /* moves before this one belong to another stride */
    bool shared, out_of_memory;
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

/* The move that is so many places from the end of this stride's; NULL when there is none. */
static struct hl_move *latest(const struct writer *w, size_t back)
{
    struct hl_timetable *t = w->table;
    return t->n >= w->floor + back ? &t->move[t->n - back] : NULL;
}

static bool is_plain_hop(const struct hl_move *hop)
{
    return hop && hop->kind == HL_MOVE_HOP && hop->drift == 0;
}

/* The same into the same state, after the same time. */
static bool is_alike(const struct hl_move *a, const struct hl_move *b)
{
    return a->state == b->state && a->value == b->value;
}

/* A hop and a dose are the last moves: with the like before them they become a run. */
static void join_run(struct writer *w)
{
    const struct hl_move *dose = latest(w, 1), *hop = latest(w, 2);
    struct hl_move *before = latest(w, 3), *hop_before = latest(w, 4);
    if (!w->shared || !dose || !is_plain_hop(hop) || !before || !is_alike(dose, before))
        return;
    if (before->kind == HL_MOVE_RUN && before->slot == hop->slot && before->length == hop->length) {
        before->n++;
        w->table->n -= 2;
    } else if (before->kind == HL_MOVE_ADD && is_plain_hop(hop_before) && hop_before->slot == hop->slot
               && hop_before->length == hop->length) {
        *hop_before = (struct hl_move){.kind = HL_MOVE_RUN, .slot = hop->slot, .length = hop->length, .n = 2,
                                       .state = dose->state, .value = dose->value};
        w->table->n -= 3;
    }
}

static void put_event(struct writer *w, size_t number)
{
    const struct hl_event *event = &w->events->event[number];
    bool rate = event->kind == HL_EVENT_RATE;
    put(w, (struct hl_move){.kind = rate ? HL_MOVE_RATE : HL_MOVE_ADD, .at = (uint32_t)number, .state = event->state,
                            .value = event->value});
    w->table->rates = w->table->rates || rate;
    if (!rate && !w->out_of_memory)
        join_run(w);
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
    put(w, (struct hl_move){.kind = HL_MOVE_TABLE, .slot = (uint8_t)oldest, .length = length});
    return oldest;
}

static void hop(struct writer *w, double from, double to)
{
    double length = to - from;
    if (!(length > 0))
        return;
    double whole = hl_whole_quanta(length);
    size_t slot = slot_for(w, whole);
    put(w, (struct hl_move){.kind = HL_MOVE_HOP, .slot = (uint8_t)slot, .length = length, .drift = length - whole});
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
            put_event(w, w->next++);
    }
    hop(w, at, until);
}

static void write_stride(struct writer *w, const struct hl_stride *stride, const double *time)
{
    size_t last = stride->first + stride->steps;
    bool close = stride->steps > 1 && next_time(w) > time[last];
    double length = stride->dt * (double)stride->steps;
    size_t whole = close ? slot_for(w, length) : 0;
    w->pinned[whole] = close;
    size_t step = slot_for(w, stride->dt);
    w->pinned[step] = true;
    put(w, (struct hl_move){.kind = HL_MOVE_OPEN, .slot = (uint8_t)step, .n = close});
    for (size_t k = stride->first, n; k < last; k += n) {
        size_t done = k - stride->first;
        for (n = 0; k + n < last && time[k + n + 1] < next_time(w);)
            n++;
        if (n > 0) {
            put(w, (struct hl_move){.kind = HL_MOVE_GLIDE, .slot = (uint8_t)step, .at = (uint32_t)k, .n = (uint32_t)n,
                                    .done = (uint8_t)done, .length = stride->dt});
            continue;
        }
        n = 1;
        if (done % HL_FORGET_EVERY == 0)
            put(w, (struct hl_move){.kind = HL_MOVE_FORGET});
        put(w, (struct hl_move){.kind = HL_MOVE_SHOW, .at = (uint32_t)k});
        follow(w, time[k], time[k + 1]);
    }
    if (close)
        put(w, (struct hl_move){.kind = HL_MOVE_CLOSE, .slot = (uint8_t)whole, .length = length});
    w->pinned[whole] = w->pinned[step] = false;
}

/* What others' events are compared with. */
static bool keep_marks(struct hl_timetable *t, const struct hl_plan *plan, const struct hl_events *events)
{
    void *list = t->mark;
    if (!reserve(&list, &t->mark_capacity, 0, events->n, sizeof *t->mark))
        return false;
    t->mark = list;
    t->n_marks = events->n;
    for (size_t k = 0; k < events->n; k++) {
        const struct hl_event *event = &events->event[k];
        bool moves = hl_event_moves(plan, event);
        t->mark[k] = (struct hl_mark){event->time, moves ? event->state : -1, moves ? (int32_t)event->kind : 0};
    }
    return true;
}

enum hl_status hl_timetable_make(struct hl_timetable *t, const struct hl_plan *plan, const struct hl_events *events,
                                 bool shared, double start, const double *time, const struct hl_stride *stride,
                                 size_t n_strides)
{
    struct writer w = {.table = t, .plan = plan, .events = events, .shared = shared};
    void *first = t->first;
    t->n = t->n_marks = 0;
    t->rates = false;
    t->start = start;
    if (!reserve(&first, &t->first_capacity, 0, n_strides + 2, sizeof *t->first))
        return HL_ERR_MEMORY;
    t->first = first;
    if (!shared && !keep_marks(t, plan, events))
        return HL_ERR_MEMORY;
    for (size_t k = 0; k < HL_TABLES; k++)
        w.length[k] = NAN;
    skip_others(&w);
    follow(&w, start, time[0]);
    for (size_t c = 0; c < n_strides; c++) {
        t->first[c] = w.floor = t->n;
        write_stride(&w, &stride[c], time);
    }
    size_t last = n_strides > 0 ? stride[n_strides - 1].first + stride[n_strides - 1].steps : 0;
    t->first[n_strides] = t->n;
    put(&w, (struct hl_move){.kind = HL_MOVE_SHOW, .at = (uint32_t)last});
    t->first[n_strides + 1] = t->n;
    return w.out_of_memory ? HL_ERR_MEMORY : HL_OK;
}

bool hl_timetable_fits(const struct hl_timetable *t, const struct hl_plan *plan, const struct hl_events *events,
                       double start)
{
    if (t->start != start || t->n_marks != events->n)
        return false;
    for (size_t k = 0; k < events->n; k++) {
        const struct hl_event *mine = &events->event[k];
        const struct hl_mark *its = &t->mark[k];
        bool moves = hl_event_moves(plan, mine);
        if (moves != (its->state >= 0)
            || (moves && (mine->time != its->time || (int32_t)mine->kind != its->kind || mine->state != its->state)))
            return false;
    }
    return true;
}

void hl_timetable_clear(struct hl_timetable *t)
{
    hl_free(t->move);
    hl_free(t->first);
    hl_free(t->mark);
    *t = (struct hl_timetable){0};
}
