/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From doses to days. A dose at t hours after the study's origin, which is o hours after midnight of day 0, is taken on
 * day floor((o + t) / 24), at the clock time that is left over.
 *
 * Levels. Of each drug the 24 hours from one origin to the next are described by a text: what is taken in them and
 * when, and what stands at their end (a patch that is worn, an infusion that runs, a dose given every other day). Days
 * on end with equal texts are a level; it begins on the date of its first dose. So a taper that steps down in the
 * evening has levels that begin with an evening, and a patch's days between two changes are no levels of their own.
 *
 * What is counted is the smallest piece of a product, a whole number: two halves are a tablet. */
#include "taper/calendar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY  24.0
#define SAME 1e-6 /* [h] closer times are one: a hundredth of a second */

/* What the making of a calendar passes about. */
struct maker {
    struct hl_arena *arena;
    struct hl_calendar *calendar;
    size_t n; struct hl_calendar_dose *dose; /* by time; none before the origin */
    size_t take_capacity, level_capacity;
    double last;                             /* when the last thing ends [h] */
};

/* What is in force until something takes its place, not swallowed once: its hours, else 0. */
static double stands_for(const struct hl_calendar_dose *dose)
{
    if (dose->kind == HL_CALENDAR_PATCH || (dose->kind == HL_CALENDAR_INFUSION && dose->duration > DAY - SAME))
        return dose->duration;
    return dose->kind == HL_CALENDAR_DOSE && dose->interval > DAY + SAME ? dose->interval : 0;
}

static double ends_at(const struct hl_calendar_dose *dose)
{
    return dose->kind == HL_CALENDAR_DOSE ? dose->time : dose->time + dose->duration;
}

static bool stands_at(const struct hl_calendar_dose *dose, double time)
{
    return dose->time <= time && dose->time + stands_for(dose) > time;
}

static long minutes_of(const struct hl_calendar *calendar, double time)
{
    return lround((calendar->options.origin + time) * 60);
}

static long day_of(const struct hl_calendar *calendar, double time)
{
    return minutes_of(calendar, time) / 1440;
}

/* ---- Takes. */

static const char *name_of_clock(int minute)
{
    static const struct { int until; const char *name; } part[] = {
        {4 * 60, "night"}, {11 * 60, "morning"}, {14 * 60, "midday"}, {17 * 60, "afternoon"}, {22 * 60, "evening"},
    };
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (minute < part[i].until)
            return part[i].name;
    return "night";
}

static void add_counts(struct maker *m, struct hl_calendar_take *take, const struct hl_calendar_dose *dose)
{
    size_t n = m->calendar->drug[dose->drug].n_products;
    if (!take->count || !dose->count) {
        take->count = NULL;
        return;
    }
    long *sum = hl_arena_alloc(m->arena, n + 1, sizeof *sum);
    for (size_t p = 0; p < n; p++)
        sum[p] = take->count[p] + dose->count[p];
    take->count = sum;
}

/* The take of the same drug, kind and minute that came just before, or NULL. */
static struct hl_calendar_take *same_take(struct maker *m, const struct hl_calendar_take *new)
{
    for (size_t i = m->calendar->n_takes; i-- > 0;) {
        struct hl_calendar_take *old = &m->calendar->take[i];
        if (old->day != new->day || old->minute != new->minute)
            return NULL;
        if (old->drug == new->drug && old->kind == new->kind && old->removal == new->removal)
            return old;
    }
    return NULL;
}

static void add_take(struct maker *m, const struct hl_calendar_dose *dose, double time, bool removal)
{
    struct hl_calendar *c = m->calendar;
    long minutes = minutes_of(c, time);
    struct hl_calendar_take take = {
        .day = minutes / 1440, .minute = (int)(minutes % 1440), .drug = dose->drug, .kind = dose->kind,
        .amount = dose->amount, .rate = dose->rate, .hours = dose->duration, .count = dose->count, .removal = removal};
    take.name = dose->name ? dose->name : name_of_clock(take.minute);
    struct hl_calendar_take *same = removal ? NULL : same_take(m, &take);
    if (!same) {
        c->take = hl_arena_push(m->arena, c->take, c->n_takes, &m->take_capacity, sizeof *c->take);
        c->take[c->n_takes++] = take;
        return;
    }
    same->amount += dose->amount;
    same->rate += dose->rate;
    add_counts(m, same, dose);
}

/* Whether something of the same kind is put on or set when this ends, or another one of them stays. */
static bool is_replaced(const struct maker *m, const struct hl_calendar_dose *dose, double end)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct hl_calendar_dose *other = &m->dose[i];
        if (other->time > end + SAME)
            return false;
        if (other->drug == dose->drug && other->kind == dose->kind && fabs(other->time - end) <= SAME)
            return true;
    }
    return false;
}

/* What is worn or runs and ends without a successor is taken off; equal times are one act. */
static void add_removals(struct maker *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct hl_calendar_dose *dose = &m->dose[i];
        double end = ends_at(dose);
        if (dose->kind == HL_CALENDAR_DOSE || !(stands_for(dose) > 0) || end > m->calendar->options.end - SAME ||
            is_replaced(m, dose, end))
            continue;
        bool again = false;
        for (size_t j = 0; j < i && !again; j++)
            again = m->dose[j].drug == dose->drug && m->dose[j].kind == dose->kind &&
                    stands_for(&m->dose[j]) > 0 && fabs(ends_at(&m->dose[j]) - end) <= SAME;
        if (!again)
            add_take(m, dose, end, true);
    }
}

static int by_clock(const void *a, const void *b)
{
    const struct hl_calendar_take *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->minute != y->minute)
        return x->minute < y->minute ? -1 : 1;
    if (x->drug != y->drug)
        return x->drug < y->drug ? -1 : 1;
    return x->removal != y->removal ? (x->removal ? -1 : 1) : (int)x->kind - (int)y->kind;
}

static void make_takes(struct maker *m)
{
    struct hl_calendar *c = m->calendar;
    for (size_t i = 0; i < m->n; i++)
        add_take(m, &m->dose[i], m->dose[i].time, false);
    add_removals(m);
    qsort(c->take, c->n_takes, sizeof *c->take, by_clock);
    c->first_take = hl_arena_alloc(m->arena, (size_t)c->n_days + 1, sizeof *c->first_take);
    size_t i = 0;
    for (long day = 0; day <= c->n_days; day++) {
        while (i < c->n_takes && c->take[i].day < day)
            i++;
        c->first_take[day] = i;
    }
}

/* ---- Levels. */

/* The text of the 24 hours from period * 24 h of a drug; where the first of its doses stands. "" for nothing. */
static const char *describe_period(struct maker *m, size_t drug, long period, double *first)
{
    double begin = (double)period * DAY, end = begin + DAY;
    const char *text = "";
    *first = INFINITY;
    for (size_t i = 0; i < m->n && m->dose[i].time < end - SAME; i++) {
        const struct hl_calendar_dose *dose = &m->dose[i];
        bool inside = dose->time >= begin - SAME;
        if (dose->drug != drug)
            continue;
        if (inside && !isfinite(*first))
            *first = dose->time;
        if (stands_for(dose) > 0 && stands_at(dose, end - SAME))
            text = hl_arena_printf(m->arena, "%s|%d %.9g %.9g", text, (int)dose->kind, dose->amount, dose->rate);
        else if (inside && !(stands_for(dose) > 0))
            text = hl_arena_printf(m->arena, "%s%.3f %.9g %.9g;", text, dose->time - begin, dose->amount, dose->rate);
    }
    if (!isfinite(*first))
        *first = begin;
    return text;
}

/* What a period holds in all: mg taken, or what stands at its end. */
static double daily_of(const struct maker *m, size_t drug, long period, bool *is_rate)
{
    double begin = (double)period * DAY, end = begin + DAY, taken = 0, standing = 0;
    *is_rate = false;
    for (size_t i = 0; i < m->n && m->dose[i].time < end - SAME; i++) {
        const struct hl_calendar_dose *dose = &m->dose[i];
        if (dose->drug != drug)
            continue;
        if (dose->kind != HL_CALENDAR_DOSE && stands_for(dose) > 0) {
            bool stands = stands_at(dose, end - SAME);
            standing += stands ? dose->amount + dose->rate : 0;
            *is_rate = *is_rate || stands;
        } else if (stands_for(dose) > 0) {
            taken += stands_at(dose, end - SAME) ? dose->amount * DAY / dose->interval : 0;
        } else if (dose->time >= begin - SAME) {
            taken += dose->kind == HL_CALENDAR_INFUSION ? dose->rate * dose->duration : dose->amount;
        }
    }
    return *is_rate ? standing : taken;
}

static void begin_level(struct maker *m, size_t drug, long period, double first)
{
    struct hl_calendar *c = m->calendar;
    c->level = hl_arena_push(m->arena, c->level, c->n_levels, &m->level_capacity, sizeof *c->level);
    struct hl_calendar_level *level = &c->level[c->n_levels], *before = c->n_levels ? level - 1 : NULL;
    *level = (struct hl_calendar_level){.drug = drug, .first_day = day_of(c, first)};
    level->number = before && before->drug == drug ? before->number + 1 : 1;
    level->daily = daily_of(m, drug, period, &level->is_rate);
    if (before && before->drug == drug && before->first_day + before->n_days > level->first_day)
        before->n_days = level->first_day - before->first_day;
    c->n_levels++;
}

static void make_levels_of(struct maker *m, size_t drug)
{
    struct hl_calendar *c = m->calendar;
    const char *before = "";
    long periods = (long)ceil(m->last / DAY + SAME);
    for (long k = 0; k < periods; k++) {
        double first;
        const char *text = describe_period(m, drug, k, &first);
        if (*text && strcmp(text, before) != 0)
            begin_level(m, drug, k, first);
        if (*text)
            c->level[c->n_levels - 1].n_days++;
        before = text;
    }
}

/* The takes of a level's first day on which everything is taken: the second one when it began in the evening. */
static void show_level(struct hl_calendar *c, struct hl_calendar_level *level)
{
    for (long day = level->first_day; day < level->first_day + level->n_days && day < level->first_day + 2; day++) {
        size_t n = 0, from = c->first_take[day];
        for (size_t i = from; i < c->first_take[day + 1]; i++)
            n += c->take[i].drug == level->drug && !c->take[i].removal;
        if (n > level->n_takes) {
            level->n_takes = n;
            level->first_take = from;
        }
    }
}

/* ---- Days. */

static struct hl_calendar_entry *entry_of(const struct hl_calendar *c, long day, size_t drug)
{
    return &c->entry[(size_t)day * c->n_drugs + drug];
}

static void fill_entries(struct maker *m)
{
    struct hl_calendar *c = m->calendar;
    c->entry = hl_arena_alloc(m->arena, ((size_t)c->n_days + 1) * c->n_drugs, sizeof *c->entry);
    for (long day = 0; day < c->n_days; day++)
        for (size_t d = 0; d < c->n_drugs; d++)
            entry_of(c, day, d)->level = -1;
    for (size_t i = 0; i < c->n_levels; i++) {
        struct hl_calendar_level *level = &c->level[i];
        for (long day = level->first_day; day < level->first_day + level->n_days && day < c->n_days; day++) {
            *entry_of(c, day, level->drug) = (struct hl_calendar_entry){
                .level = (int)i, .changes = day == level->first_day, .total = level->is_rate ? level->daily : 0};
        }
        show_level(c, level);
    }
    for (size_t i = 0; i < c->n_takes; i++) {
        struct hl_calendar_take *take = &c->take[i];
        struct hl_calendar_entry *entry = entry_of(c, take->day, take->drug);
        take->level = entry->level < 0 ? 0 : (size_t)entry->level;
        entry->n_takes++;
        if (!(entry->level >= 0 && c->level[entry->level].is_rate) && !take->removal)
            entry->total += take->kind == HL_CALENDAR_INFUSION ? take->rate * take->hours : take->amount;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct hl_calendar_dose *x = a, *y = b;
    if (fabs(x->time - y->time) > SAME)
        return x->time < y->time ? -1 : 1;
    if (x->drug != y->drug)
        return x->drug < y->drug ? -1 : 1;
    return x->amount > y->amount ? -1 : x->amount < y->amount;
}

/* The doses from the origin to the study's end, by time, cut off there. */
static void take_doses(struct maker *m, size_t n, const struct hl_calendar_dose *dose)
{
    double end = m->calendar->options.end;
    m->dose = hl_arena_alloc(m->arena, n + 1, sizeof *m->dose);
    for (size_t i = 0; i < n; i++) {
        struct hl_calendar_dose own = dose[i];
        if (own.time < -SAME || own.time > end - SAME)
            continue;
        if (own.kind != HL_CALENDAR_DOSE)
            own.duration = fmin(own.duration, end - own.time);
        m->last = fmax(m->last, own.kind == HL_CALENDAR_DOSE ? own.time + SAME : ends_at(&own));
        m->dose[m->n++] = own;
    }
    qsort(m->dose, m->n, sizeof *m->dose, by_time);
}

enum hl_status hl_calendar_make(struct hl_arena *arena, const struct hl_calendar_options *options, size_t n_drugs,
                                const struct hl_calendar_drug *drug, size_t n, const struct hl_calendar_dose *dose,
                                struct hl_calendar **calendar, struct hl_diag *diag)
{
    struct hl_calendar *c = hl_arena_alloc(arena, 1, sizeof *c);
    struct maker m = {.arena = arena, .calendar = c};
    *c = (struct hl_calendar){.options = *options, .n_drugs = n_drugs, .drug = drug};
    c->start = options->dated ? hl_date_number(options->start) : 0;
    take_doses(&m, n, dose);
    if (m.n == 0) {
        hl_diag_error(diag, hl_pos_none(), "there is nothing to take from the origin of the study on, so no calendar");
        return HL_ERR_INPUT;
    }
    if (m.last > HL_CALENDAR_MOST_DAYS * DAY) {
        hl_diag_error(diag, hl_pos_none(), "a calendar shows at most %d days, but doses go on for %.0f",
                      HL_CALENDAR_MOST_DAYS, m.last / DAY);
        return HL_ERR_INPUT;
    }
    c->n_days = day_of(c, m.last - SAME) + 1;
    for (size_t i = 0; i < m.n; i++) /* what is taken off early in the morning is on the calendar, too */
        if (ends_at(&m.dose[i]) < options->end - SAME && day_of(c, ends_at(&m.dose[i])) >= c->n_days)
            c->n_days = day_of(c, ends_at(&m.dose[i])) + 1;
    if (options->dated && c->start + c->n_days + 31 > hl_date_number((struct hl_date){9999, 12, 31})) {
        hl_diag_error(diag, hl_pos_none(), "the calendar would go beyond the year 9999");
        return HL_ERR_INPUT;
    }
    make_takes(&m);
    for (size_t d = 0; d < n_drugs; d++)
        make_levels_of(&m, d);
    fill_entries(&m);
    *calendar = c;
    return HL_OK;
}
