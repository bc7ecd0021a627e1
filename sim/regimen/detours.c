/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan of levels meets a life. Days count from the taper's start, as they pass: later detours count what earlier ones
 * added.
 *
 *   pause: {at: 21 d, for: 7 d}                     the level of day 21 is held 7 d longer (dose: hold), or nothing is
 *                                                   taken for 7 d (dose: none); then the taper goes on where it was, so
 *                                                   that the rest of that level and all that follows come 7 d later
 *   reinstate: {at: 30 d, dose: 1 mg/d, for: 14 d}  back to 1 mg/d (without dose: to the dose before the taper), then
 *       then: continue                              ... on with the rest of the level it was at, or
 *       then: restart                               ... down again: the taper's levels below that dose, each in full
 *
 * Both may be lists. A reinstatement may come after the taper's end; a pause can't. Detours begin and end with a day of
 * the taper, so that the hours at which doses are taken stay. A level that is cut keeps, for the cap, the days of the
 * step it belongs to. */
#include "regimen/detours.h"

#include <math.h>
#include <stdio.h>

#include "regimen/read.h"

#define SLACK 1e-9 /* days and shares of a dose this near are the same */

enum way_on { PAUSE, CONTINUE, RESTART };

struct detour {
    enum way_on way;
    double at, days, dose; /* dose [mg/day]: of a pause, NAN holds the level */
    const struct hl_yaml *node;
};

struct trip {
    struct hl_arena *arena;
    struct hl_diag *diag;
    double from;
    size_t n, capacity;
    struct detour *detour;
    size_t levels_capacity;
};

static bool read_days(struct trip *trip, const struct hl_yaml *node, const char *what, bool may_be_zero, double *days)
{
    double hours;
    if (may_be_zero ? !hl_item_read_wait(node, what, &hours, trip->diag)
                    : !hl_item_read_duration(node, what, &hours, trip->diag))
        return false;
    *days = hours / 24;
    if (fabs(*days - round(*days)) <= SLACK) {
        *days = round(*days);
        return true;
    }
    hl_diag_error(trip->diag, node->pos, "%s is a whole number of days, such as '7 d', found \"%s\": so the hours at "
                  "which doses are taken stay", what, node->text);
    return false;
}

/* at: and for:, which both kinds have. */
static bool read_when(struct trip *trip, const struct hl_yaml *node, const char *what, const char *example,
                      struct detour *d)
{
    const struct hl_yaml *at = hl_yaml_get(node, "at"), *span = hl_yaml_get(node, "for");
    d->node = node;
    if (!at || !span) {
        hl_diag_error(trip->diag, node->pos, "%s needs at: (days after the taper's start) and for:, as in %s", what,
                      example);
        return false;
    }
    bool good = read_days(trip, at, "the day it begins", true, &d->at);
    return read_days(trip, span, "how long it lasts", false, &d->days) && good;
}

static bool read_pause(struct trip *trip, const struct hl_yaml *node, struct detour *d)
{
    static const char *const keys[] = {"at", "for", "dose"};
    *d = (struct detour){.way = PAUSE, .dose = NAN};
    if (!hl_only_keys(node, "a pause of a taper", keys, 3, trip->diag))
        return false;
    const struct hl_yaml *dose = hl_yaml_get(node, "dose");
    bool none = dose && hl_is_word(dose, "none"), good = !dose || none || hl_is_word(dose, "hold");
    if (!good)
        hl_diag_error(trip->diag, dose->pos, "the dose of a pause is hold (the level is kept) or none (nothing is "
                      "taken)%s%s; another dose is a reinstate:", dose->text ? ", found " : "",
                      dose->text ? dose->text : "");
    if (none)
        d->dose = 0;
    return read_when(trip, node, "a pause", "{at: 21 d, for: 7 d, dose: hold}", d) && good;
}

static bool read_way(struct trip *trip, const struct hl_yaml *node, enum way_on *way)
{
    bool restart = node && hl_is_word(node, "restart");
    *way = restart ? RESTART : CONTINUE;
    if (!node || restart || hl_is_word(node, "continue"))
        return true;
    hl_diag_error(trip->diag, node->pos, "then: is continue (with the rest of the level it was at) or restart (down "
                  "again from there)%s%s", node->text ? ", found " : "", node->text ? node->text : "");
    return false;
}

static bool read_reinstatement(struct trip *trip, const struct hl_yaml *node, struct detour *d)
{
    static const char *const keys[] = {"at", "for", "dose", "then"};
    *d = (struct detour){.dose = trip->from};
    if (!hl_only_keys(node, "a reinstatement", keys, 4, trip->diag))
        return false;
    const struct hl_yaml *dose = hl_yaml_get(node, "dose");
    bool good = read_way(trip, hl_yaml_get(node, "then"), &d->way);
    double rate;
    if (dose && !hl_item_read_positive(dose, hl_dim_of("mg/h"), "the daily dose gone back to", "1 mg/d", &rate,
                                       trip->diag))
        good = false;
    else if (dose)
        d->dose = rate * 24;
    if (!dose && !(trip->from > 0)) {
        hl_diag_error(trip->diag, node->pos, "which dose does it go back to? Add dose: here, or from: to the taper");
        good = false;
    }
    return read_when(trip, node, "a reinstatement", "{at: 30 d, dose: 1 mg/d, for: 14 d, then: continue}", d) && good;
}

static bool read_all(struct trip *trip, const struct hl_yaml *list,
                     bool (*read)(struct trip *, const struct hl_yaml *, struct detour *))
{
    bool good = true;
    for (size_t i = 0; list && i < hl_list_size(list); i++) {
        trip->detour = hl_arena_push(trip->arena, trip->detour, trip->n, &trip->capacity, sizeof *trip->detour);
        good = read(trip, hl_list_item(list, i), &trip->detour[trip->n]) && good;
        trip->n++;
    }
    return good;
}

/* By the day they begin; there are a handful. */
static void sort_detours(struct trip *trip)
{
    for (size_t i = 1; i < trip->n; i++)
        for (size_t j = i; j > 0 && trip->detour[j].at < trip->detour[j - 1].at; j--) {
            struct detour other = trip->detour[j];
            trip->detour[j] = trip->detour[j - 1];
            trip->detour[j - 1] = other;
        }
}

/* ---- Levels */

static void insert(struct trip *trip, struct hl_taper *taper, size_t at, struct hl_taper_level level)
{
    taper->level = hl_arena_push(trip->arena, taper->level, taper->n, &trip->levels_capacity, sizeof *taper->level);
    for (size_t i = taper->n++; i > at; i--)
        taper->level[i] = taper->level[i - 1];
    taper->level[at] = level;
}

/* The number of the level that begins on a day; a level under way then is cut in two. n after the last one. */
static size_t cut(struct trip *trip, struct hl_taper *taper, double day)
{
    double begin = 0;
    size_t i = 0;
    while (i < taper->n && begin + taper->level[i].days <= day + SLACK)
        begin += taper->level[i++].days;
    if (i == taper->n || day - begin <= SLACK)
        return i;
    struct hl_taper_level rest = taper->level[i];
    rest.step_days = taper->level[i].step_days = hl_taper_step_days(&rest);
    rest.days -= day - begin;
    taper->level[i].days = day - begin;
    insert(trip, taper, i + 1, rest);
    return i + 1;
}

static double total(const struct hl_taper *taper)
{
    double days = 0;
    for (size_t i = 0; i < taper->n; i++)
        days += taper->level[i].days;
    return days;
}

static struct hl_taper_level level_of(double dose, double days)
{
    return (struct hl_taper_level){.dose = dose, .given = dose, .days = days};
}

static bool make_pause(struct trip *trip, const struct detour *d, struct hl_taper *taper)
{
    if (d->at >= total(taper) - SLACK) {
        hl_diag_error(trip->diag, hl_yaml_get(d->node, "at")->pos, "the taper is over on day %g; a pause begins before "
                      "that", total(taper));
        return false;
    }
    size_t i = cut(trip, taper, d->at);
    struct hl_taper_level held = taper->level[i];
    held.step_days = hl_taper_step_days(&held);
    held.days = d->days;
    insert(trip, taper, i, isnan(d->dose) ? held : level_of(0, d->days));
    return true;
}

/* original: the levels without any detour. */
static void reinstate(struct trip *trip, const struct detour *d, const struct hl_taper *original,
                      struct hl_taper *taper)
{
    double end = total(taper);
    if (d->at > end + SLACK)
        insert(trip, taper, taper->n, level_of(0, d->at - end));
    size_t i = cut(trip, taper, d->at);
    insert(trip, taper, i, level_of(d->dose, d->days));
    if (d->way != RESTART)
        return;
    taper->n = i + 1;
    for (size_t k = 0; k < original->n; k++)
        if (original->level[k].dose < d->dose * (1 - SLACK))
            insert(trip, taper, taper->n, original->level[k]);
}

static bool go(struct trip *trip, struct hl_taper *taper)
{
    const struct hl_taper original = *taper;
    double free = 0; /* the day from which on the next detour may begin */
    taper->level = NULL;
    taper->n = 0;
    for (size_t i = 0; i < original.n; i++)
        insert(trip, taper, i, original.level[i]);
    for (size_t i = 0; i < trip->n; i++) {
        const struct detour *d = &trip->detour[i];
        if (d->at < free - SLACK) {
            hl_diag_error(trip->diag, hl_yaml_get(d->node, "at")->pos, "this begins on day %g, while the one before it "
                          "lasts until day %g", d->at, free);
            return false;
        }
        free = d->at + d->days;
        if (d->way == PAUSE && !make_pause(trip, d, taper))
            return false;
        if (d->way != PAUSE)
            reinstate(trip, d, &original, taper);
    }
    return true;
}

bool hl_detours_apply(struct hl_arena *arena, const struct hl_yaml *node, double from, struct hl_taper *taper,
                      struct hl_diag *diag)
{
    struct trip trip = {.arena = arena, .diag = diag, .from = from};
    bool good = read_all(&trip, hl_yaml_get(node, "pause"), read_pause);
    good = read_all(&trip, hl_yaml_get(node, "reinstate"), read_reinstatement) && good;
    if (!good || trip.n == 0)
        return good;
    sort_detours(&trip);
    return go(&trip, taper);
}
