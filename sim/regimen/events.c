/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doses become events for one subject.
 *
 *   at once        x[state] += amount fraction F      at time + lag
 *   zero order     rate amount fraction F / D         from time + lag for D (a modelled duration)
 *   modelled rate  rate R                             from time + lag for amount fraction F / R
 *   infusion       rate r fraction F                  from time + lag for the stated duration: the pump keeps its time,
 *                                                     and F scales what arrives of it
 *                  rate r fraction                    for F times as long, where bioavailability_scales: is duration;
 *                                                     one without an end runs on at that rate
 *   release        amount fraction F begins to enter at time + lag and goes on by its own course (solve/releases.c)
 *   patch          content into the first phase's state at t_on + lag; its flow into the skin belongs to the model.
 *                  When a phase or the wear ends, what is left is known without solving anything,
 *                      P(t) = content exp(-sum_j k_j (time in phase j)),
 *                  and is moved to the next phase or taken away. Patches worn together share states; each takes out
 *                  its own rest
 *   reservoir      rate while worn
 *
 * What a subject misses or takes twice is settled before (taken.c).
 *
 * Demands are a Poisson process: gaps -ln(U)/per_hour with U of (seed, subject, "demand:drug:number", i). A demand less
 * than the lockout after the last bolus given, or one that would be the (limit + 1)th bolus in 60 minutes, is refused.
 *
 * A subject's own doses, decided at reviews or read from a table, stand beside those that are everybody's.
 *
 * One list of primitives (an amount arrives, an input runs from a to b) serves three purposes: as they are; those still
 * to come after a steady state's time; or wrapped into one period of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "regimen/compile.h"
#include "regimen/order.h"

enum mode { PLAIN, PENDING, CYCLE };

struct sink {
    const struct hl_system *system;
    double *regs;
    size_t lanes, lane;
    struct hl_events *events;
    enum mode mode;
    double from; /* PENDING: only what is to come from here on */
    double period;
    double *rate_at_start; /* CYCLE */
    double latest;         /* of all primitives of the present dose */
    int route, instance;
    double patch_strength;
    int patch_route; /* for which the content registers hold at present; -1 none */
    bool out_of_memory;
    const size_t *place;   /* not NULL: only values are written, into a list that is there, the n-th event's here */
    size_t n_refilled;
    bool differs;          /* the list doesn't fit */
    const unsigned char *taken; /* by dose; NULL: all of them, once */
};

/* What comes first at one instant: notices, inputs that end, inputs that begin, amounts. */
static inline int rank_of(enum hl_event_kind kind, double value)
{
    if (kind == HL_EVENT_GIVEN || kind == HL_EVENT_REFUSED)
        return 0;
    if (kind == HL_EVENT_RATE)
        return value < 0 ? 1 : 2;
    return 3;
}

/* Room for so many events; false when there is none. */
static bool reserve(struct hl_events *list, size_t n)
{
    if (list->capacity >= n)
        return true;
    struct hl_event *grown = hl_grow(list->event, list->n, n, sizeof *grown);
    if (!grown)
        return false;
    list->event = grown;
    list->capacity = n;
    return true;
}

/* The next event's value, if it is the event it should be. */
static inline void refill(struct sink *s, enum hl_event_kind kind, int state, double value)
{
    if (s->n_refilled >= s->events->n) {
        s->differs = true;
        return;
    }
    struct hl_event *event = &s->events->event[s->place[s->n_refilled++]];
    s->differs = s->differs || event->kind != kind || event->state != state || event->route != s->route
                 || rank_of(kind, value) != rank_of(kind, event->value) || !isfinite(value);
    event->value = value;
}

/* One more event, with whatever else it has at 0; NULL when there is nothing more to be written into it. */
static inline struct hl_event *push(struct sink *s, double time, enum hl_event_kind kind, int state, double value)
{
    struct hl_events *list = s->events;
    if (s->place) {
        refill(s, kind, state, value);
        return NULL;
    }
    if (list->n == list->capacity && !reserve(list, list->capacity ? 2 * list->capacity : 256)) {
        s->out_of_memory = true;
        return NULL;
    }
    struct hl_event *event = &list->event[list->n++];
    *event = (struct hl_event){.time = time, .kind = kind, .state = state, .value = value, .route = s->route,
                               .instance = s->instance};
    return event;
}

static double wrap(double time, double period)
{
    double rest = fmod(time, period);
    if (rest < 0)
        rest += period;
    return period - rest < HL_SAME_TIME || rest < HL_SAME_TIME ? 0 : rest;
}

/* Places a moment: false when it isn't wanted. */
static bool place(struct sink *s, double *time)
{
    s->latest = fmax(s->latest, *time);
    if (s->mode == CYCLE)
        *time = wrap(*time, s->period);
    if (s->mode == PENDING && *time < s->from - HL_SAME_TIME)
        return false;
    if (s->mode == PENDING)
        *time = fmax(*time, s->from);
    return true;
}

static void add(struct sink *s, double time, int state, double amount)
{
    if (place(s, &time))
        push(s, time, HL_EVENT_ADD, state, amount);
}

static void release(struct sink *s, double time, const struct hl_route_part *part, double amount)
{
    struct hl_event *event = place(s, &time) ? push(s, time, HL_EVENT_RELEASE, part->state, amount) : NULL;
    if (event)
        event->release = part->release;
}

static void change_rate(struct sink *s, double time, int state, double change)
{
    push(s, time, HL_EVENT_RATE, state, change);
}

/* An input over [a, b) folded into one period: whole periods of it run always, the rest from a to b modulo the period.
 */
static void fold_input(struct sink *s, double a, double b, int state, double rate)
{
    double whole = floor((b - a + HL_SAME_TIME) / s->period), rest = fmax(0, (b - a) - whole * s->period);
    s->rate_at_start[state] += whole * rate;
    if (rest < HL_SAME_TIME)
        return;
    double on = wrap(a, s->period);
    if (on + rest > s->period - HL_SAME_TIME)
        s->rate_at_start[state] += rate;
    change_rate(s, on, state, rate);
    change_rate(s, wrap(on + rest, s->period), state, -rate);
}

static void input(struct sink *s, double a, double b, int state, double rate)
{
    s->latest = fmax(s->latest, b);
    if (s->mode == CYCLE) {
        fold_input(s, a, b, state, rate);
        return;
    }
    bool pending = s->mode == PENDING, running = pending && a < s->from - HL_SAME_TIME;
    if (pending && b < s->from - HL_SAME_TIME)
        return;
    if (!running)
        change_rate(s, pending ? fmax(a, s->from) : a, state, rate);
    if (isfinite(b))
        change_rate(s, pending ? fmax(b, s->from) : b, state, -rate);
}

static void given(struct sink *s, const struct hl_dose *dose, double amount)
{
    double time = dose->time;
    if (s->mode == PENDING || !place(s, &time))
        return;
    struct hl_event *event = push(s, time, HL_EVENT_GIVEN, -1, amount);
    if (!event)
        return;
    event->interval = dose->repeat_interval;
    event->rate = dose->kind == HL_DOSE_INFUSION ? dose->rate : 0;
}

static double value(const struct sink *s, int reg, double otherwise)
{
    return reg < 0 ? otherwise : s->regs[(size_t)reg * s->lanes + s->lane];
}

static void infuse(struct sink *s, const struct hl_dose *dose, int state, double lag, double fraction, double F)
{
    double start = dose->time + lag, duration = dose->duration;
    double rate = dose->rate * (dose->scaled == HL_SCALED_RATE ? fraction * F : fraction);
    if (dose->scaled == HL_SCALED_DURATION && isfinite(duration))
        duration *= F;
    if (duration > 0)
        input(s, start, (dose->time + duration) + lag, state, rate);
}

/* A dose through one part of its route. */
static void through_part(struct sink *s, const struct hl_dose *dose, const struct hl_route_part *part)
{
    double fraction = value(s, part->fraction_reg, 1), F = value(s, part->bioavailability_reg, 1);
    double lag = value(s, part->lag_reg, 0), amount = dose->amount * (fraction * F), start = dose->time + lag;
    double length = value(s, part->input_reg, 0), span = part->input == HL_INPUT_RATE ? amount / length : length;
    if (dose->kind == HL_DOSE_INFUSION)
        infuse(s, dose, part->state, lag, fraction, F);
    else if (part->input == HL_INPUT_RELEASE)
        release(s, start, part, amount);
    else if (part->input == HL_INPUT_BOLUS || !(length > 0) || !(span > 0))
        add(s, start, part->state, amount);
    else
        input(s, start, start + span, part->state, amount / span);
}

/* Sets the patch's nominal strength and lets the model say what is in it. */
static void fill_patch(struct sink *s, const struct hl_route *route, double strength)
{
    bool filled = s->patch_route == s->route && s->patch_strength == strength; /* the very same number, as prescribed */
    if (filled)
        return;
    s->regs[(size_t)route->nominal_reg * s->lanes + s->lane] = strength;
    hl_program_run(&route->content, s->regs, s->lanes);
    s->patch_route = s->route;
    s->patch_strength = strength;
}

/* From phase to phase, then off. Times count from the application; everything is late by the lag. */
static void wear_patch(struct sink *s, const struct hl_dose *dose, const struct hl_route *route, double content)
{
    double lag = value(s, route->lag_reg, 0), rest = content, since = 0;
    add(s, dose->time + lag, route->phase[0].state, content);
    for (size_t j = 0; j < route->n_phases; j++) {
        const struct hl_patch_phase *phase = &route->phase[j];
        double until = fmin(fmax(value(s, phase->until_reg, INFINITY), since), dose->duration);
        bool last = j + 1 == route->n_phases || until >= dose->duration;
        if (last)
            until = dose->duration;
        if (isinf(until))
            return;
        rest *= exp(-value(s, phase->release_reg, 0) * (until - since));
        add(s, (dose->time + until) + lag, phase->state, -rest);
        if (last)
            return;
        add(s, (dose->time + until) + lag, route->phase[j + 1].state, rest);
        since = until;
    }
}

static void apply_patch(struct sink *s, const struct hl_dose *dose, const struct hl_route *route)
{
    fill_patch(s, route, dose->amount);
    given(s, dose, value(s, route->content_reg, 0));
    if (route->n_phases > 0) {
        wear_patch(s, dose, route, value(s, route->content_reg, 0));
        return;
    }
    for (size_t i = 0; i < route->n_parts; i++) {
        const struct hl_route_part *part = &route->part[i];
        double lag = value(s, route->lag_reg, 0) + value(s, part->lag_reg, 0);
        double rate =
            value(s, route->rate_reg, 0) * value(s, part->fraction_reg, 1) * value(s, part->bioavailability_reg, 1);
        input(s, dose->time + lag, (dose->time + dose->duration) + lag, part->state, rate);
    }
}

static void give(struct sink *s, const struct hl_dose *dose)
{
    const struct hl_route *route = &s->system->route[dose->route];
    s->route = dose->route;
    s->instance = route->instance;
    s->latest = dose->time;
    if (dose->kind == HL_DOSE_PATCH) {
        apply_patch(s, dose, route);
        return;
    }
    given(s, dose, dose->amount);
    for (size_t i = 0; i < route->n_parts; i++)
        through_part(s, dose, &route->part[i]);
}

/* A planned dose as the subject takes it. */
static void give_taken(struct sink *s, const struct hl_regimen *regimen, size_t i)
{
    struct hl_dose dose = regimen->dose[i];
    unsigned times = s->taken ? s->taken[i] : 1;
    if (times == 0)
        return;
    if (times > 1)
        dose.amount *= times;
    if (s->taken && dose.kind == HL_DOSE_PATCH)
        dose.duration =
            hl_regimen_worn_until(regimen, s->taken, i + 1, dose.route, dose.time + dose.duration) - dose.time;
    give(s, &dose);
}

/* Going back cycle by cycle until a whole cycle has nothing left to come. */
static void give_pending(struct sink *s, const struct hl_regimen *regimen, const struct hl_steady *steady)
{
    s->mode = PENDING;
    s->from = steady->time;
    bool more = true;
    for (double k = 1; more && !s->out_of_memory; k++) {
        more = false;
        for (size_t i = 0; i < steady->n; i++) {
            struct hl_dose dose = steady->dose[i];
            dose.time = steady->time + (dose.time - k * steady->period);
            if (s->taken && dose.kind == HL_DOSE_PATCH)
                dose.duration = hl_regimen_worn_until(regimen, s->taken, 0, dose.route, dose.time + dose.duration)
                                - dose.time;
            give(s, &dose);
            more = more || (isfinite(s->latest) && s->latest > s->from - HL_SAME_TIME);
        }
    }
    s->mode = PLAIN;
}

/* Boluses given less than an hour before time, among the events from first on. */
static size_t given_in_last_hour(const struct hl_events *events, size_t first, double time)
{
    size_t count = 0;
    for (size_t i = events->n; i-- > first;) {
        if (events->event[i].kind != HL_EVENT_GIVEN)
            continue;
        if (events->event[i].time <= time - 1)
            break;
        count++;
    }
    return count;
}

static void press_button(struct sink *s, const struct hl_demand *d, size_t first, double time, double *last)
{
    bool locked = time - *last < d->lockout;
    if (locked || (double)given_in_last_hour(s->events, first, time) >= d->hourly_limit) {
        s->route = d->route;
        s->instance = s->system->route[d->route].instance;
        push(s, time, HL_EVENT_REFUSED, -1, d->bolus);
        return;
    }
    struct hl_dose bolus = {.time = time, .route = d->route, .kind = HL_DOSE_GIVEN, .amount = d->bolus};
    give(s, &bolus);
    *last = time;
}

/* Windows stand in the order of drug and time; a drug's lockout reaches from one into the next. */
static void give_demands(struct sink *s, const struct hl_regimen *regimen, uint64_t seed, uint64_t subject)
{
    int instance = -1;
    double last = -INFINITY;
    size_t first = s->events->n;
    for (size_t i = 0; i < regimen->n_demands; i++) {
        const struct hl_demand *d = &regimen->demand[i];
        char name[160];
        int own = s->system->route[d->route].instance;
        if (own != instance) {
            instance = own;
            last = -INFINITY;
            first = s->events->n;
        }
        snprintf(name, sizeof name, "demand:%s:%d", s->system->instance[own].alias, d->number);
        uint64_t stream = hl_text_hash(name);
        double time = d->start;
        for (uint64_t draw = 0; !s->out_of_memory; draw++) {
            time += -log(hl_random_uniform(seed, subject, stream, draw)) / d->per_hour;
            if (!(time < d->stop))
                break;
            press_button(s, d, first, time, &last);
        }
    }
}

static bool event_before(const void *a, const void *b)
{
    const struct hl_event *x = a, *y = b;
    if (x->time < y->time)
        return true;
    if (x->time > y->time)
        return false;
    return rank_of(x->kind, x->value) < rank_of(y->kind, y->value);
}

/* Puts events from number from on in order, which they mostly are; false when there is no room for sorting. */
static bool sort_from(struct hl_events *list, size_t from)
{
    size_t n = list->n - from, k = from + 1;
    while (k < list->n && !event_before(&list->event[k], &list->event[k - 1]))
        k++;
    if (k >= list->n)
        return true;
    if (!reserve(list, list->n + n))
        return false;
    struct hl_event *e = list->event + from;
    hl_sort_stable(e, n, sizeof *e, event_before, e + n);
    return true;
}

/* Times that differ by rounding only are made one time, then the ties are put in order; of a list that is in use only
 * what comes from number from on. */
static bool put_in_order(struct hl_events *list, size_t from)
{
    if (!sort_from(list, from))
        return false;
    for (size_t i = from + 1, first = from; i < list->n; i++) {
        struct hl_event *e = list->event;
        if (e[i].time - e[first].time < HL_SAME_TIME)
            e[i].time = e[first].time;
        else
            first = i;
    }
    return sort_from(list, from);
}

/* Which doses the subject takes, for the sink. *taken is to be released. */
static bool settle_taken(struct sink *s, const struct hl_regimen *regimen, uint64_t seed, uint64_t subject,
                         unsigned char **taken)
{
    *taken = NULL;
    if (!regimen->adherence || regimen->n_doses == 0)
        return true;
    s->taken = *taken = hl_alloc(regimen->n_doses, sizeof **taken);
    if (*taken)
        hl_regimen_taken(regimen, s->system, seed, subject, *taken);
    return *taken != NULL;
}

/* All doses of the regimen are everybody's, or put there for this subject. */
static enum hl_status events_of(const struct hl_regimen *regimen, const struct hl_system *system, double *regs,
                                size_t lanes, size_t lane, uint64_t seed, uint64_t subject, struct hl_events *events)
{
    struct sink s = {.system = system, .regs = regs, .lanes = lanes, .lane = lane, .events = events, .patch_route = -1};
    unsigned char *taken;
    events->n = 0;
    if (!reserve(events, 2 * regimen->n_doses) /* most are a notice and an amount */
        || !settle_taken(&s, regimen, seed, subject, &taken))
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < regimen->n_steady; i++)
        give_pending(&s, regimen, &regimen->steady[i]);
    for (size_t i = 0; i < regimen->n_doses && !s.out_of_memory; i++)
        give_taken(&s, regimen, i);
    give_demands(&s, regimen, seed, subject);
    hl_free(taken);
    return !s.out_of_memory && put_in_order(events, 0) ? HL_OK : HL_ERR_MEMORY;
}

enum hl_status hl_regimen_events_with(const struct hl_regimen *regimen, const struct hl_dose *own, size_t n,
                                      const struct hl_system *system, double *regs, size_t lanes, size_t lane,
                                      uint64_t seed, uint64_t subject, struct hl_events *events)
{
    struct hl_planned planned;
    enum hl_status status = hl_planned_make(regimen, system, own, n, &planned);
    if (status == HL_OK)
        status = events_of(&planned.regimen, system, regs, lanes, lane, seed, subject, events);
    hl_planned_clear(&planned);
    return status;
}

enum hl_status hl_regimen_events(const struct hl_regimen *regimen, const struct hl_system *system, double *regs,
                                 size_t lanes, size_t lane, uint64_t seed, uint64_t subject, struct hl_events *events)
{
    size_t n;
    const struct hl_dose *own = hl_regimen_recorded(regimen, subject, &n);
    return hl_regimen_events_with(regimen, own, n, system, regs, lanes, lane, seed, subject, events);
}

enum hl_status hl_regimen_append(const struct hl_regimen *regimen, const struct hl_dose *own, size_t n, size_t known,
                                 const struct hl_system *system, double *regs, size_t lanes, size_t lane,
                                 uint64_t seed, uint64_t subject, size_t from, struct hl_events *events)
{
    struct sink s = {.system = system, .regs = regs, .lanes = lanes, .lane = lane, .events = events, .patch_route = -1};
    struct hl_planned planned = {.n = 0};
    unsigned char *taken = NULL;
    if (!regimen->adherence) {
        for (size_t i = known; i < n && !s.out_of_memory; i++)
            give(&s, &own[i]);
        return !s.out_of_memory && put_in_order(events, from) ? HL_OK : HL_ERR_MEMORY;
    }
    enum hl_status status = hl_planned_make(regimen, system, own, n, &planned);
    if (status == HL_OK && !settle_taken(&s, &planned.regimen, seed, subject, &taken))
        status = HL_ERR_MEMORY;
    for (size_t i = 0; status == HL_OK && i < planned.n && !s.out_of_memory; i++)
        if (planned.own[i] >= known && planned.own[i] < n)
            give_taken(&s, &planned.regimen, i);
    hl_free(taken);
    hl_planned_clear(&planned);
    return status == HL_OK && !s.out_of_memory && put_in_order(events, from) ? HL_OK : HL_ERR_MEMORY;
}

const struct hl_dose *hl_regimen_recorded(const struct hl_regimen *regimen, uint64_t subject, size_t *n)
{
    const struct hl_recorded *r = &regimen->recorded;
    bool has = subject >= 1 && subject <= r->n_subjects;
    *n = has ? r->first[subject] - r->first[subject - 1] : 0;
    return has ? r->dose + r->first[subject - 1] : NULL;
}

/* Order is found by letting numbers ride along in a field that sorting doesn't look at. */
static bool sort_with_order(struct hl_events *events, struct hl_event_order *order)
{
    size_t n = events->n;
    double *interval = hl_alloc(n, sizeof *interval);
    size_t *place = order->capacity < n ? hl_grow(order->place, order->capacity, n, sizeof *place) : order->place;
    order->capacity = place && order->capacity < n ? n : order->capacity;
    order->place = place ? place : order->place;
    bool good = interval && (place || n == 0);
    for (size_t k = 0; good && k < n; k++) {
        interval[k] = events->event[k].interval;
        events->event[k].interval = (double)k;
    }
    good = good && put_in_order(events, 0);
    for (size_t k = 0; good && k < n; k++) {
        size_t number = (size_t)events->event[k].interval;
        place[number] = k;
        events->event[k].interval = interval[number];
    }
    hl_free(interval);
    return good;
}

enum hl_status hl_regimen_order(const struct hl_regimen *regimen, const struct hl_system *system, double *regs,
                                size_t lanes, size_t lane, struct hl_events *events, struct hl_event_order *order)
{
    struct sink s = {.system = system, .regs = regs, .lanes = lanes, .lane = lane, .events = events, .patch_route = -1};
    events->n = 0;
    for (size_t i = 0; i < regimen->n_doses && !s.out_of_memory; i++)
        give(&s, &regimen->dose[i]);
    return !s.out_of_memory && sort_with_order(events, order) ? HL_OK : HL_ERR_MEMORY;
}

bool hl_regimen_refill(const struct hl_regimen *regimen, const struct hl_system *system, double *regs, size_t lanes,
                       size_t lane, const struct hl_event_order *order, struct hl_events *events)
{
    struct sink s = {.system = system, .regs = regs, .lanes = lanes, .lane = lane, .events = events, .patch_route = -1,
                     .place = order->place};
    for (size_t i = 0; i < regimen->n_doses; i++)
        give(&s, &regimen->dose[i]);
    return !s.differs && s.n_refilled == events->n; /* every event once */
}

enum hl_status hl_regimen_cycle(const struct hl_steady *steady, const struct hl_system *system, double *regs,
                                size_t lanes, size_t lane, struct hl_events *events, double *rate_at_start)
{
    struct sink s = {.system = system,
                     .regs = regs,
                     .lanes = lanes,
                     .lane = lane,
                     .events = events,
                     .mode = CYCLE,
                     .period = steady->period,
                     .rate_at_start = rate_at_start,
                     .patch_route = -1};
    events->n = 0;
    for (size_t i = 0; i < system->n_states; i++)
        rate_at_start[i] = 0;
    for (size_t i = 0; i < steady->n && !s.out_of_memory; i++)
        give(&s, &steady->dose[i]);
    return !s.out_of_memory && put_in_order(events, 0) ? HL_OK : HL_ERR_MEMORY;
}

/* Which registers differ between subjects: those drawn per subject, and all that programs make of them. */
static void mark_products(const struct hl_program *program, bool *own)
{
    for (size_t i = 0; i < program->n; i++) {
        const struct hl_instruction *op = &program->code[i];
        own[op->dst] = own[op->dst] || (op->a >= 0 && own[op->a]) || (op->b >= 0 && own[op->b])
                       || (op->c >= 0 && own[op->c]);
    }
}

static void mark_individual(const struct hl_system *system, bool *own)
{
    for (size_t i = 0; i < system->n_regs; i++)
        own[i] = system->reg[i].individual;
    for (size_t i = 0; i < system->n_covariates; i++)
        own[system->covariate[i].reg] = true;
    for (size_t i = 0; i < system->n_etas; i++)
        own[system->eta[i].reg] = true;
    for (size_t i = 0; i < system->n_mixtures; i++)
        own[system->mixture[i].reg] = true;
    for (size_t i = 0; i < system->n_parameters; i++) {
        const struct hl_system_parameter *p = &system->parameter[i];
        if (p->info && p->info->uncertainty != HL_SPREAD_NONE)
            own[p->reg] = true;
    }
    mark_products(&system->individual, own);
}

static bool same_for_all(const bool *own, int reg)
{
    return reg < 0 || !own[reg];
}

static bool times_are_common(const struct hl_dose *dose, const struct hl_system *system, const bool *own)
{
    const struct hl_route *route = &system->route[dose->route];
    bool common = same_for_all(own, route->is_patch ? route->lag_reg : -1);
    for (size_t i = 0; i < route->n_phases; i++)
        common = common && same_for_all(own, route->phase[i].until_reg);
    for (size_t i = 0; i < route->n_parts; i++) {
        const struct hl_route_part *part = &route->part[i];
        common = common && same_for_all(own, part->lag_reg) && same_for_all(own, part->input_reg);
        if (part->input == HL_INPUT_RATE) /* its duration depends on what arrives */
            common = common && same_for_all(own, part->fraction_reg) && same_for_all(own, part->bioavailability_reg);
        if (dose->scaled == HL_SCALED_DURATION)
            common = common && same_for_all(own, part->bioavailability_reg);
    }
    return common;
}

/* Times and values: nothing that a dose's events are made of differs. */
static bool values_are_common(const struct hl_dose *dose, const struct hl_system *system, const bool *own)
{
    const struct hl_route *route = &system->route[dose->route];
    bool common = times_are_common(dose, system, own);
    for (size_t i = 0; i < route->n_parts; i++)
        common = common && same_for_all(own, route->part[i].fraction_reg)
                 && same_for_all(own, route->part[i].bioavailability_reg);
    for (size_t i = 0; i < route->n_phases; i++)
        common = common && same_for_all(own, route->phase[i].release_reg);
    bool contents = same_for_all(own, route->content_reg) && same_for_all(own, route->rate_reg);
    return common && (!route->is_patch || contents);
}

typedef bool dose_test(const struct hl_dose *dose, const struct hl_system *system, const bool *own);

static bool all_doses(const struct hl_regimen *regimen, const struct hl_system *system, dose_test *test)
{
    if (regimen->n_demands > 0 || regimen->adherence || regimen->n_reviewed > 0 || regimen->recorded.n_subjects > 0)
        return false;
    bool *own = hl_alloc(system->n_regs, sizeof *own), all = own != NULL;
    if (own)
        mark_individual(system, own);
    for (size_t i = 0; own && i < system->n_routes; i++)
        mark_products(&system->route[i].content, own);
    for (size_t i = 0; all && i < regimen->n_doses; i++)
        all = test(&regimen->dose[i], system, own);
    for (size_t i = 0; all && i < regimen->n_steady; i++)
        for (size_t j = 0; all && j < regimen->steady[i].n; j++)
            all = test(&regimen->steady[i].dose[j], system, own);
    hl_free(own);
    return all;
}

bool hl_regimen_is_common(const struct hl_regimen *regimen, const struct hl_system *system)
{
    return all_doses(regimen, system, times_are_common);
}

bool hl_regimen_is_shared(const struct hl_regimen *regimen, const struct hl_system *system)
{
    return all_doses(regimen, system, values_are_common);
}

double hl_regimen_amount(const struct hl_dose *dose, const struct hl_system *system, double *regs, size_t lanes,
                         size_t lane)
{
    const struct hl_route *route = &system->route[dose->route];
    if (dose->kind != HL_DOSE_PATCH)
        return dose->amount;
    regs[(size_t)route->nominal_reg * lanes + lane] = dose->amount;
    hl_program_run(&route->content, regs, lanes);
    if (route->content_reg >= 0)
        return regs[(size_t)route->content_reg * lanes + lane];
    return isfinite(dose->duration) ? regs[(size_t)route->rate_reg * lanes + lane] * dose->duration : 0;
}

enum hl_status hl_events_copy(const struct hl_events *from, struct hl_events *to)
{
    if (to->capacity < from->n) {
        struct hl_event *grown = hl_grow(to->event, to->capacity, from->n, sizeof *grown);
        if (!grown)
            return HL_ERR_MEMORY;
        to->event = grown;
        to->capacity = from->n;
    }
    if (from->n > 0)
        memcpy(to->event, from->event, from->n * sizeof *to->event);
    to->n = from->n;
    return HL_OK;
}
