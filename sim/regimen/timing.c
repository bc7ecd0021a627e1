/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When. An item starts at s (its start:, or the end of the item before it, plus its gap:) and is half-open, [s, e):
 *
 *   every: tau            doses at s + k tau, k = 0, 1, ... below e; 1 mg every 12 h for 14 d is 28 doses
 *   at: [c1, c2, ...]     a dose at each clock time in every window [s + k m 24 h, s + (k m + 1) 24 h), m days apart; m
 * is 1 or what every: says, which must be whole days for: or until:        e = s + for, or e = until;   doses: N   ends
 * the item where dose N + 1 would be given stop:                 nothing is given from then on, whatever the rest says
 *
 * Times are products, s + k tau, never running sums, so that the thousandth dose is as exact as the first. */
#include <math.h>

#include "base/whole.h"
#include "regimen/compile.h"
#include "regimen/order.h"
#include "regimen/read.h"

#define DAY 24.0

/* start: and gap:; a start counts from the beginning of the repetition inside a group. */
static bool read_start(struct hl_compiler *c, const struct hl_yaml *item, struct hl_timing *t)
{
    const struct hl_yaml *start = hl_yaml_get(item, "start"), *gap = hl_yaml_get(item, "gap");
    double hours = 0;
    bool good = true;
    if (start && gap) {
        hl_diag_error(c->diag, hl_yaml_key(item, "gap")->pos,
                      "an item has start: (its own time) or gap: (a wait after the item "
                      "before it), not both");
        return false;
    }
    if (start) {
        good = hl_item_read_time(start, "the start of an item", &hours, c->diag);
        t->start = c->base + hours;
        return good;
    }
    if (gap)
        good = hl_item_read_wait(gap, "a gap", &hours, c->diag);
    if (isinf(c->cursor) && good) {
        hl_diag_error(c->diag, item->pos,
                      "this item follows %s, which runs to the study's end; give that one for: or until:, or this "
                      "one its own start:",
                      c->runs_on);
        return false;
    }
    t->start = c->cursor + hours;
    return good;
}

static bool read_end(struct hl_compiler *c, const struct hl_yaml *item, struct hl_timing *t)
{
    static const char *const ends[] = {"for", "until", "doses"};
    const struct hl_yaml *first = NULL;
    double hours = 0;
    bool good = true;
    t->end = t->stop = INFINITY;
    for (size_t i = 0; i < 3; i++) {
        const struct hl_yaml *key = hl_yaml_key(item, ends[i]);
        if (key && first) {
            hl_diag_error(c->diag, key->pos, "'%s' and '%s' both end this item; leave one out", first->text, ends[i]);
            good = false;
        }
        if (key && !first)
            first = key;
    }
    const struct hl_yaml *span = hl_yaml_get(item, "for"), *until = hl_yaml_get(item, "until");
    const struct hl_yaml *doses = hl_yaml_get(item, "doses"), *stop = hl_yaml_get(item, "stop");
    if (span && (good = hl_item_read_duration(span, "how long the item lasts", &hours, c->diag) && good))
        t->end = t->start + hours;
    if (until && (good = hl_item_read_time(until, "the end of the item", &hours, c->diag) && good))
        t->end = c->base + hours;
    if (doses)
        good = hl_item_read_count(doses, "a number of doses", &t->doses, c->diag) && good;
    if (stop && (good = hl_item_read_time(stop, "the time it is stopped", &hours, c->diag) && good))
        t->stop = c->base + hours;
    t->has_end = span || until;
    if (good && until && t->end <= t->start) {
        hl_diag_error(c->diag, until->pos, "this item would end at %g h, before it starts at %g h; give a later "
                      "end, or its length with for:", t->end, t->start);
        good = false;
    }
    if (good && stop && t->stop < t->start) {
        hl_diag_error(c->diag, stop->pos, "this item would be stopped at %g h, before it starts at %g h", t->stop,
                      t->start);
        good = false;
    }
    return good;
}

/* Hours from the item's start to the first time the clock shows this. */
static double until_clock(const struct hl_compiler *c, double start, double clock)
{
    double wait = fmod(clock - (c->study->origin + start), DAY);
    if (wait < 0)
        wait += DAY;
    return wait > DAY - HL_SAME_TIME || wait < HL_SAME_TIME ? 0 : wait;
}

static bool read_clocks(struct hl_compiler *c, const struct hl_yaml *at, struct hl_timing *t)
{
    bool good = hl_list_size(at) > 0;
    if (!good)
        hl_diag_error(c->diag, at->pos, "expected clock times such as [\"08:00\", \"20:00\"]");
    t->at = hl_arena_alloc(c->arena, hl_list_size(at) + 1, sizeof *t->at);
    for (size_t i = 0; i < hl_list_size(at); i++) {
        double clock = 0;
        const struct hl_yaml *node = hl_list_item(at, i);
        if (!hl_item_read_clock(node, &clock, c->diag)) {
            good = false;
            continue;
        }
        double wait = until_clock(c, t->start, clock);
        for (size_t j = 0; j < t->n_at; j++)
            if (fabs(t->at[j] - wait) < HL_SAME_TIME) {
                hl_diag_error(c->diag, node->pos, "clock time %s is there twice", node->text);
                good = false;
            }
        t->at[t->n_at++] = wait;
    }
    return good;
}

static bool read_interval(struct hl_compiler *c, const struct hl_yaml *item, struct hl_timing *t)
{
    const struct hl_yaml *every = hl_yaml_get(item, "every"), *at = hl_yaml_get(item, "at");
    bool good = true;
    if (every)
        good = hl_item_read_duration(every, "the time between two doses", &t->every, c->diag);
    if (!at)
        return good;
    if (!every)
        t->every = DAY;
    if (good && fabs(t->every / DAY - round(t->every / DAY)) > HL_SAME_TIME) {
        hl_diag_error(c->diag, every->pos,
                      "with at: the interval is a whole number of days, such as '1 d' or '2 d', found \"%s\"",
                      every->text);
        good = false;
    }
    return read_clocks(c, at, t) && good;
}

bool hl_timing_read(struct hl_compiler *c, const struct hl_yaml *item, struct hl_timing *t)
{
    *t = (struct hl_timing){.item = item, .end = INFINITY, .stop = INFINITY};
    if (!read_start(c, item, t))
        return false;
    bool good = read_end(c, item, t);
    return read_interval(c, item, t) && good;
}

/* A dose of one window: hours after the window's start, and its place in the list as written. */
struct planned {
    double time;
    size_t slot;
};

static bool earlier(const void *a, const void *b)
{
    return ((const struct planned *)a)->time < ((const struct planned *)b)->time;
}

/* One window's doses in time order: at: times, or the single dose at its beginning. */
static size_t window_of(struct hl_compiler *c, const struct hl_timing *t, struct planned **window)
{
    size_t n = t->n_at ? t->n_at : 1;
    *window = hl_arena_alloc(c->arena, 2 * n, sizeof **window);
    for (size_t j = 0; j < n; j++)
        (*window)[j] = (struct planned){.time = t->n_at ? t->at[j] : 0, .slot = j};
    hl_sort_stable(*window, n, sizeof **window, earlier, *window + n);
    return n;
}

static void make_room(struct hl_compiler *c, size_t n, struct hl_schedule *s)
{
    s->time = hl_arena_alloc(c->arena, n + 1, sizeof *s->time);
    s->slot = hl_arena_alloc(c->arena, n + 1, sizeof *s->slot);
    s->interval = hl_arena_alloc(c->arena, n + 1, sizeof *s->interval);
}

/* Fills n times of the endless pattern from origin, and the time that would follow the last. */
static double fill(const struct hl_timing *t, const struct planned *window, size_t n_window, size_t n_list,
                   double origin, size_t n, struct hl_schedule *s)
{
    double next = origin;
    for (size_t i = 0; i <= n; i++) {
        size_t k = i / n_window, j = i % n_window;
        next = origin + ((double)k * t->every + window[j].time);
        if (i > 0)
            s->interval[i - 1] = n_window == 1 ? t->every : next - s->time[i - 1];
        if (i == n)
            break;
        s->time[i] = next;
        s->slot[i] = (k * n_window + window[j].slot) % n_list;
    }
    s->n = n;
    return next;
}

/* How many doses of the pattern come before end. */
static double count_before(const struct hl_timing *t, const struct planned *window, size_t n_window, double end)
{
    double span = end - t->start, whole = floor((span + HL_SAME_TIME) / t->every), rest = span - whole * t->every;
    double n = whole * (double)n_window;
    for (size_t j = 0; j < n_window; j++)
        n += window[j].time < rest - HL_SAME_TIME;
    return n;
}

static bool single_dose(struct hl_compiler *c, const struct hl_timing *t, size_t n_list, struct hl_schedule *s)
{
    const struct hl_yaml *key = hl_yaml_key(t->item, "for");
    if (!key)
        key = hl_yaml_key(t->item, "until");
    if (!key && t->doses > 1)
        key = hl_yaml_key(t->item, "doses");
    if (key || n_list > 1) {
        hl_diag_error(c->diag, key ? key->pos : t->item->pos,
                      "%s needs every: or at: to say when the doses are given, such as "
                      "'every: 12 h'",
                      key ? key->text : "a list of doses");
        return false;
    }
    make_room(c, 1, s);
    s->n = t->start < t->stop ? 1 : 0;
    s->time[0] = s->end = t->start;
    return true;
}

static bool never_ends(struct hl_compiler *c, const struct hl_timing *t)
{
    const struct hl_yaml *key = hl_yaml_key(t->item, "every");
    if (!key)
        key = hl_yaml_key(t->item, "at");
    hl_diag_error(c->diag, key ? key->pos : t->item->pos,
                  "these doses never end; add 'for: 14 d', 'doses: 28', 'until: 336 h' or "
                  "'stop: 336 h'");
    return false;
}

static bool plan_cycle(struct hl_compiler *c, const struct hl_timing *t, size_t n_list, struct hl_schedule *s)
{
    if (!(t->every > 0)) {
        hl_diag_error(c->diag, t->item->pos,
                      "a steady state needs an interval: every: or at:, such as {oral: 1 mg, every: 12 h}");
        return false;
    }
    struct planned *window;
    size_t n_window = window_of(c, t, &window), n_windows = n_list / hl_gcd(n_window, n_list);
    make_room(c, n_windows * n_window, s);
    fill(t, window, n_window, n_list, 0, n_windows * n_window, s);
    c->period = (double)n_windows * t->every;
    return true;
}

bool hl_timing_schedule(struct hl_compiler *c, const struct hl_timing *t, size_t n_list, struct hl_schedule *s)
{
    *s = (struct hl_schedule){0};
    if (c->in_cycle)
        return plan_cycle(c, t, n_list, s);
    if (!(t->every > 0))
        return single_dose(c, t, n_list, s);
    double stop = fmin(t->end, t->stop);
    if (isinf(stop) && t->doses == 0)
        return never_ends(c, t);
    struct planned *window;
    size_t n_window = window_of(c, t, &window);
    double n = t->doses ? (double)t->doses : INFINITY;
    if (isfinite(stop))
        n = fmin(n, count_before(t, window, n_window, stop));
    if (n > HL_MOST_DOSES) {
        hl_diag_error(c->diag, t->item->pos,
                      "this item is %.3g doses, more than the %u an item may have; check every: and for:", n,
                      HL_MOST_DOSES);
        return false;
    }
    make_room(c, (size_t)n, s);
    double next = fill(t, window, n_window, n_list, t->start, (size_t)n, s);
    s->end = fmin(t->has_end ? t->end : next, t->stop);
    return true;
}
