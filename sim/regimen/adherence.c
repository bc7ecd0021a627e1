/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planned doses become doses taken. At each planned dose a uniform number U of (seed, subject, "adherence:ALIAS", the
 * planned time in whole minutes) is drawn and the dose is missed if U is below the subject's chance:
 *
 *   independent   missed if U < p
 *   chain         missed if U < a after a dose that was taken, U < b after one that was missed (a chain of the first
 *                 order, as in Girard, Blaschke, Kastrissios, Sheiner 1998, Stat Med 17:2313); the first dose by the
 *                 chain's stationary share a / (a + 1 - b). A run of missed doses has the mean length 1 / (1 - b)
 *   days          on the days stated missed if U < w, whatever came before
 *
 * Draws are keyed by time and not counted, so what was planned earlier shifts nothing: with independent misses a dose's
 * fate depends on its own time alone; chains begun at different doses use the same U and become one as soon as U falls
 * outside the stretch between a and b.
 *
 * Subjects differ by logit(p_i) = logit(p) + spread z_i with one z_i ~ N(0, 1) per subject and drug for all its
 * chances: p is then the median subject's, and the mean over subjects lies nearer to one half.
 *
 * With doubles the first dose taken after a gap is taken twice, however long the gap was: one missed dose is made up
 * for, the others are lost, and nothing is ever taken three times. */
#include "regimen/adherence.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "base/text.h"

#define HOURS_PER_DAY 24.0

static int64_t whole_minutes(double hours)
{
    return (int64_t)llround(hours * 60);
}

/* The share of missed doses that a chain comes to; hl_adherence_read excludes the one that has none (a = 0, b = 1). */
static double stationary(double after_taken, double after_missed)
{
    return after_taken == 0 ? 0 : after_taken / (after_taken + (1 - after_missed)); /* exactly 0: never misses */
}

/* p moved by shift on the logit scale; what is certain stays certain. */
static double moved(double p, double shift)
{
    if (!(p > 0) || !(p < 1) || shift == 0) /* no spread: the very number that was written */
        return p;
    return 1 / (1 + (1 - p) / p * exp(-shift));
}

void hl_adherence_person_init(struct hl_adherence_person *person, const struct hl_adherence *rule, uint64_t seed,
                              uint64_t subject, const char *alias)
{
    char name[160];
    *person = (struct hl_adherence_person){.rule = rule, .seed = seed, .subject = subject};
    if (!rule)
        return;
    double shift = 0;
    if (rule->spread > 0) {
        snprintf(name, sizeof name, "adherence spread:%s", alias);
        shift = rule->spread * hl_random_normal(seed, subject, hl_text_hash(name), 0);
    }
    snprintf(name, sizeof name, "adherence:%s", alias);
    person->stream = hl_text_hash(name);
    person->after_taken = moved(rule->after_taken, shift);
    person->after_missed = moved(rule->after_missed, shift);
    person->on_those_days = moved(rule->on_those_days, shift);
    person->first = stationary(person->after_taken, person->after_missed);
}

static bool is_one_of_those_days(const struct hl_adherence *rule, double time)
{
    /* a minute is added before midnight is looked for, so that 24 h written as 23.999999999 h is the next day */
    double day = floor((rule->origin + (double)whole_minutes(time) / 60 + 1e-6) / HOURS_PER_DAY);
    int weekday = (int)fmod(rule->weekday + day, 7);
    return rule->other_days && (rule->days >> (weekday < 0 ? weekday + 7 : weekday) & 1u);
}

static double chance(const struct hl_adherence_person *person, const struct hl_adherence_walk *walk, double time)
{
    if (is_one_of_those_days(person->rule, time))
        return person->on_those_days;
    return !walk->began ? person->first : walk->missed ? person->after_missed : person->after_taken;
}

unsigned hl_adherence_next(const struct hl_adherence_person *person, struct hl_adherence_walk *walk, double time)
{
    const struct hl_adherence *rule = person->rule;
    int64_t minute = whole_minutes(time);
    if (!rule || minute < whole_minutes(rule->from) || (isfinite(rule->until) && minute >= whole_minutes(rule->until)))
        return 1;
    if (walk->began && minute == walk->minute)
        return walk->times;
    bool missed = hl_random_uniform(person->seed, person->subject, person->stream, (uint64_t)minute)
                  < chance(person, walk, time);
    walk->times = missed ? 0 : rule->doubles && walk->owed ? 2 : 1;
    walk->owed = missed;
    walk->missed = missed;
    walk->began = true;
    walk->minute = minute;
    return walk->times;
}

void hl_adherence_taken(const struct hl_adherence *rule, uint64_t seed, uint64_t subject, const char *alias,
                        const double *time, size_t n, struct hl_adherence_walk *walk, unsigned char *taken)
{
    struct hl_adherence_person person;
    struct hl_adherence_walk begins_here = {0};
    hl_adherence_person_init(&person, rule, seed, subject, alias);
    for (size_t i = 0; i < n; i++)
        taken[i] = (unsigned char)hl_adherence_next(&person, walk ? walk : &begins_here, time[i]);
}

double hl_adherence_missed_share(const struct hl_adherence *rule)
{
    if (!rule)
        return 0;
    unsigned those = 0;
    for (int k = 0; rule->other_days && k < 7; k++)
        those += rule->days >> k & 1u;
    return ((7 - those) * stationary(rule->after_taken, rule->after_missed) + those * rule->on_those_days) / 7;
}
