/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A review decides where on a table of levels a subject goes next (clonazepam reference 7.2, T8: hold when the index is
 * at a threshold, back when it is at a higher one, else down). The table is a protocol's (taper.c), the dose before it
 * put in front when it is known, so that going back from the first reduced level is possible.
 *
 *   day 0        the first reduced level begins: nothing is looked at
 *   day d        the rules are asked in their order; the first that applies says hold, back, step or stop; else step
 *
 * Reviews come at the end of a level, or every so many days. In the latter case a level that hasn't lasted its time
 * goes on, whatever the rules say, unless they say back or stop: "wait", which is no hold. Holds in a row are counted;
 * when there have been most_holds of them the next one becomes after_holds.
 *
 * Days are whole numbers kept in doubles, sums of which are exact: a time of review is start + 24 d, the same number
 * in whatever way a subject came there, and the same for all subjects that are there. */
#include "regimen/review.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "regimen/compile.h"

#define DAY          24.0
#define PER_HOUR     60.0 /* draws are numbered by the minute */
#define NEVER_BEFORE ((uint64_t)1 << 40) /* minutes: so that negative times have a number, too */

const char *hl_review_then_name(enum hl_review_then then)
{
    static const char *const name[HL_N_THEN] = {"step", "hold", "back", "stop", "wait"};
    return then >= 0 && then < HL_N_THEN ? name[then] : "";
}

/* Days from the present review to the next. */
static double span_of(const struct hl_reviewed *r, size_t stage)
{
    return r->every > 0 ? r->every : r->stage[stage].days;
}

void hl_review_begin(const struct hl_reviewed *r, struct hl_review_state *s)
{
    *s = (struct hl_review_state){.stage = r->first, .at_zero = r->first >= r->n_stages};
    s->over = s->at_zero;
    s->day = s->at_zero ? 0 : fmin(span_of(r, s->stage), r->longest);
}

static double time_of_day(const struct hl_reviewed *r, double day)
{
    return r->start + day * DAY;
}

double hl_review_time(const struct hl_reviewed *r, const struct hl_review_state *s)
{
    double time = time_of_day(r, s->day);
    return s->over || time >= r->stop || time > r->horizon ? INFINITY : time;
}

double hl_review_reading_time(const struct hl_reviewed *r, const struct hl_review_state *s)
{
    return hl_review_time(r, s) - r->delay;
}

static uint64_t minute_of(double time)
{
    return (uint64_t)((int64_t)NEVER_BEFORE + llround(time * PER_HOUR));
}

void hl_review_report(const struct hl_reviewed *r, uint64_t seed, uint64_t subject, double time, double *value)
{
    for (size_t i = 0; i < r->n_readings; i++) {
        const struct hl_reading *reading = &r->reading[i];
        value[i] += reading->bias;
        if (reading->between > 0) /* a subject's own, drawn once: no time has this number */
            value[i] += reading->between * hl_random_normal(seed, subject, reading->stream, 0);
        if (reading->sd > 0)
            value[i] += reading->sd * hl_random_normal(seed, subject, reading->stream, minute_of(time));
    }
}

static int first_rule(const struct hl_reviewed *r, const double *value)
{
    for (size_t i = 0; i < r->n_rules; i++) {
        const struct hl_review_rule *rule = &r->rule[i];
        double x = value[rule->reading];
        if (rule->below ? x < rule->level : x >= rule->level)
            return (int)i;
    }
    return -1;
}

/* What is done, after the level's time, the number of holds and the end of the table have had their say. */
static enum hl_review_then settle(const struct hl_reviewed *r, const struct hl_review_state *s,
                                  enum hl_review_then then)
{
    bool lasted = s->here >= r->stage[s->stage].days;
    if (then == HL_THEN_BACK && s->stage == 0)
        then = HL_THEN_HOLD;
    if ((then == HL_THEN_HOLD || then == HL_THEN_STEP) && !lasted)
        return HL_THEN_WAIT;
    if (then == HL_THEN_HOLD && s->holds >= r->most_holds)
        then = r->after_holds;
    return then == HL_THEN_BACK && s->stage == 0 ? HL_THEN_HOLD : then;
}

static void go(const struct hl_reviewed *r, struct hl_review_state *s, enum hl_review_then then, size_t steps)
{
    bool moves = then == HL_THEN_STEP || then == HL_THEN_BACK || then == HL_THEN_STOP;
    if (then == HL_THEN_STEP)
        s->stage = r->n_stages - s->stage > steps ? s->stage + steps : r->n_stages;
    if (then == HL_THEN_BACK)
        s->stage -= steps < s->stage ? steps : s->stage;
    if (then == HL_THEN_STOP)
        s->stage = r->n_stages;
    s->total_back += then == HL_THEN_BACK;
    s->total_holds += then == HL_THEN_HOLD;
    s->holds = moves ? 0 : s->holds + (then == HL_THEN_HOLD);
    s->here = moves ? 0 : s->here;
    s->at_zero = s->stage == r->n_stages;
}

/* When the taper has lasted its longest: what is done then, for good. */
static enum hl_review_then at_the_longest(const struct hl_reviewed *r, struct hl_review_state *s)
{
    s->freed = r->at_longest == HL_THEN_STEP;
    s->over = !s->freed;
    return r->at_longest;
}

struct hl_review hl_review_decide(const struct hl_reviewed *r, struct hl_review_state *s, const double *value)
{
    int rule = first_rule(r, value);
    struct hl_review review = {.number = ++s->number, .time = time_of_day(r, s->day), .before = s->stage,
                               .value = value[rule >= 0 ? r->rule[rule].reading : 0], .rule = rule,
                               .then = rule >= 0 ? r->rule[rule].then : HL_THEN_STEP};
    size_t steps = rule >= 0 && r->rule[rule].steps > 0 ? r->rule[rule].steps : 1;
    s->cumulative += r->stage[s->stage].daily * (s->day - s->last_day);
    s->here += s->day - s->last_day;
    s->last_day = s->day;
    if (s->freed || s->day >= r->longest) {
        review.then = s->freed ? HL_THEN_STEP : at_the_longest(r, s);
        review.rule = -1;
        steps = 1;
    } else {
        review.then = settle(r, s, review.then);
    }
    go(r, s, review.then, steps);
    review.after = s->stage;
    s->over = s->over || s->at_zero;
    if (!s->over)
        s->day += s->freed ? r->stage[s->stage].days : span_of(r, s->stage);
    if (!s->freed)
        s->day = fmin(s->day, fmax(r->longest, s->last_day));
    double begin;
    hl_review_stay(r, s, &begin, &review.until);
    return review;
}

void hl_review_stay(const struct hl_reviewed *r, const struct hl_review_state *s, double *begin, double *end)
{
    *begin = time_of_day(r, s->last_day);
    *end = fmin(s->over ? fmax(r->horizon, *begin) : time_of_day(r, s->day), r->stop);
    if (s->at_zero)
        *end = *begin;
}

struct hl_review_outcome hl_review_outcome(const struct hl_reviewed *r, const struct hl_review_state *s)
{
    double begin, end, cut = fmin(r->horizon, r->stop);
    bool stopped = !s->at_zero && r->stop <= r->horizon;
    hl_review_stay(r, s, &begin, &end);
    struct hl_review_outcome outcome = {.days = s->at_zero ? s->last_day : stopped ? (r->stop - r->start) / DAY
                                                                                   : (double)NAN,
                                        .cumulative = s->cumulative, .reviews = s->number, .holds = s->total_holds,
                                        .back = s->total_back, .reached_zero = s->at_zero || stopped};
    if (!s->at_zero)
        outcome.cumulative += r->stage[s->stage].daily * fmax(fmin(end, cut) - begin, 0) / DAY;
    return outcome;
}

int hl_review_output(const struct hl_reviewed *r, const struct hl_review *v)
{
    return r->reading[v->rule >= 0 ? r->rule[v->rule].reading : 0].output;
}

int hl_review_level(const struct hl_reviewed *r, size_t stage)
{
    return (int)stage + (r->first > 0 ? 0 : 1);
}

double hl_review_daily(const struct hl_reviewed *r, size_t stage)
{
    return stage < r->n_stages ? r->stage[stage].daily : 0;
}

/* ---- doses of a stay */

size_t hl_stage_doses(const struct hl_stage *stage, double begin, double end)
{
    size_t n = 0;
    if (stage->n == 0 || end - begin <= HL_SAME_TIME)
        return 0;
    if (isinf(stage->cycle))
        return stage->n;
    double whole = floor((end - begin) / stage->cycle);
    n = whole > 1 ? (size_t)(whole - 1) * stage->n : 0; /* surely inside; the rest one by one */
    for (;; n++) {
        const struct hl_dose *dose = &stage->dose[n % stage->n];
        if (begin + ((double)(n / stage->n) * stage->cycle + dose->time) >= end - HL_SAME_TIME)
            return n;
    }
}

struct hl_dose hl_stage_dose(const struct hl_stage *stage, double begin, double end, size_t k)
{
    struct hl_dose dose = stage->dose[k % stage->n];
    if (isinf(stage->cycle)) {
        dose.time = begin;
        dose.duration = end - begin;
        dose.amount = dose.rate * dose.duration;
        return dose;
    }
    dose.time = begin + ((double)(k / stage->n) * stage->cycle + dose.time);
    if (dose.kind == HL_DOSE_PATCH)
        dose.duration = fmin(dose.duration, end - dose.time);
    return dose;
}

/* ---- history */

void hl_history_clear(struct hl_history *h)
{
    hl_free(h->review);
    hl_free(h->dose);
    hl_free(h->outcome);
    memset(h, 0, sizeof *h);
}

/* The list with room for n elements, moved or not; NULL when there is no memory. An empty list has room for one. */
static void *reserve(void *list, size_t *capacity, size_t n, size_t size)
{
    if (list && n <= *capacity)
        return list;
    size_t larger = n > 2 * *capacity ? n : 2 * *capacity;
    larger = larger ? larger : 1;
    void *grown = hl_grow(list, *capacity, larger, size);
    *capacity = grown ? larger : *capacity;
    return grown;
}

static enum hl_status reserve_reviews(struct hl_history *h, size_t n)
{
    struct hl_review *list = reserve(h->review, &h->capacity, n, sizeof *list);
    h->review = list ? list : h->review;
    return list ? HL_OK : HL_ERR_MEMORY;
}

static enum hl_status reserve_doses(struct hl_history *h, size_t n)
{
    struct hl_dose *list = reserve(h->dose, &h->dose_capacity, n, sizeof *list);
    h->dose = list ? list : h->dose;
    return list ? HL_OK : HL_ERR_MEMORY;
}

static enum hl_status reserve_outcomes(struct hl_history *h, size_t n)
{
    struct hl_review_outcome *list = reserve(h->outcome, &h->outcome_capacity, n, sizeof *list);
    h->outcome = list ? list : h->outcome;
    return list ? HL_OK : HL_ERR_MEMORY;
}

enum hl_status hl_history_add(struct hl_history *h, const struct hl_review *review)
{
    if (reserve_reviews(h, h->n + 1) != HL_OK)
        return HL_ERR_MEMORY;
    h->review[h->n++] = *review;
    return HL_OK;
}

enum hl_status hl_history_given(struct hl_history *h, const struct hl_dose *dose, size_t n)
{
    if (reserve_doses(h, h->n_doses + n) != HL_OK)
        return HL_ERR_MEMORY;
    if (n > 0)
        memcpy(h->dose + h->n_doses, dose, n * sizeof *dose);
    h->n_doses += n;
    return HL_OK;
}

enum hl_status hl_history_stay(struct hl_history *h, const struct hl_stage *stage, double begin, double end)
{
    size_t n = hl_stage_doses(stage, begin, end);
    if (reserve_doses(h, h->n_doses + n) != HL_OK)
        return HL_ERR_MEMORY;
    for (size_t k = 0; k < n; k++)
        h->dose[h->n_doses++] = hl_stage_dose(stage, begin, end, k);
    return HL_OK;
}

enum hl_status hl_history_end(struct hl_history *h, size_t number, size_t n_reviewed,
                              const struct hl_review_outcome *outcome)
{
    if (reserve_outcomes(h, n_reviewed) != HL_OK)
        return HL_ERR_MEMORY;
    h->outcome[number] = *outcome;
    return HL_OK;
}

enum hl_status hl_history_copy(const struct hl_history *from, size_t n_reviewed, struct hl_history *to)
{
    if (reserve_reviews(to, from->n) != HL_OK || reserve_outcomes(to, n_reviewed) != HL_OK)
        return HL_ERR_MEMORY;
    to->n = from->n;
    to->n_doses = 0;
    if (from->n > 0)
        memcpy(to->review, from->review, from->n * sizeof *to->review);
    if (n_reviewed > 0 && from->outcome_capacity >= n_reviewed) /* else nobody came so far */
        memcpy(to->outcome, from->outcome, n_reviewed * sizeof *to->outcome);
    return HL_OK;
}

enum hl_status hl_history_doses(const struct hl_regimen *regimen, uint64_t subject, struct hl_history *h)
{
    size_t n;
    const struct hl_dose *recorded = hl_regimen_recorded(regimen, subject, &n);
    h->n_doses = 0;
    enum hl_status status = hl_history_given(h, recorded, n);
    for (size_t i = 0; status == HL_OK && i < h->n; i++) {
        const struct hl_review *v = &h->review[i];
        const struct hl_reviewed *r = &regimen->reviewed[v->reviewed];
        if (v->after < r->n_stages)
            status = hl_history_stay(h, &r->stage[v->after], v->time, v->until);
    }
    return status;
}

size_t hl_review_most(const struct hl_reviewed *r)
{
    double shortest = r->every > 0 ? r->every : INFINITY, span = fmin(r->horizon, r->stop) - r->start;
    for (size_t i = 0; i < r->n_stages && !(r->every > 0); i++)
        shortest = fmin(shortest, r->stage[i].days);
    return r->n_stages > 0 && span > 0 ? (size_t)(span / (shortest * DAY)) + 2 : 0;
}
