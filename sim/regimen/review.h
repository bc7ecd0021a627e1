/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tapers with reviews: the next level is not in the plan but decided for each
 * subject at each review, from that subject's own outputs. The rules are compiled
 * here and are pure functions of what was read; solve/review.c does the reading.
 * A decision moves along a table of levels, by whole numbers: no dose is ever
 * compared with another. Times in hours since the study's origin, lengths of
 * levels in whole days. */
#ifndef HL_REGIMEN_REVIEW_H
#define HL_REGIMEN_REVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/status.h"

struct hl_dose;
struct hl_regimen;

/* What of an output is looked at: its value at the review; or the largest, or the mean, since the last review. */
enum hl_review_use { HL_USE_NOW, HL_USE_PEAK, HL_USE_MEAN };

/* A reading of an output, and how a patient reports it: value + bias + between * N(subject) + sd * N(subject, time). */
struct hl_reading {
    int output;                 /* index into system->output */
    enum hl_review_use use;
    double bias, between, sd;   /* in the output's engine unit */
    uint64_t stream;            /* of its random numbers */
};

/* What is done at a review. WAIT: the level has not lasted its time yet and goes on. */
enum hl_review_then { HL_THEN_STEP, HL_THEN_HOLD, HL_THEN_BACK, HL_THEN_STOP, HL_THEN_WAIT, HL_N_THEN };

/* The n-th rule of a list applies when reading is at or above (below: under) level. */
struct hl_review_rule {
    size_t reading;
    bool below;
    double level;
    enum hl_review_then then;
    size_t steps;               /* of STEP and BACK */
};

/* One level: its doses, given again and again every `cycle` hours (times in [0, cycle) from the level's start). */
struct hl_stage {
    double daily;               /* given [mg/day] */
    double days;
    double cycle;               /* [h]; INFINITY: one infusion for the whole stay */
    size_t n; struct hl_dose *dose;
};

struct hl_reviewed {
    int instance;
    const char *drug;           /* its alias */
    int number;                 /* of the drug's reviewed tapers, from 0 */
    double start, stop;         /* [h]; nothing is given from stop on */
    double horizon;             /* the study's last output time [h]: no review after it */
    size_t n_stages; struct hl_stage *stage; /* the dose before the taper comes first when it is known */
    size_t first;               /* the first reduced level, given from start on */
    double every;               /* days between reviews; 0: a level's length */
    double delay;               /* the outputs are read so long before the doses change [h] */
    double longest;             /* days; INFINITY */
    enum hl_review_then at_longest; /* HOLD: the level is kept; STOP: nothing more; STEP: down without reviews */
    size_t most_holds;          /* in a row at one level; SIZE_MAX */
    enum hl_review_then after_holds;
    size_t n_readings; struct hl_reading *reading;
    size_t n_rules; struct hl_review_rule *rule;
};

/* One review as it happened. */
struct hl_review {
    int reviewed;               /* index into regimen->reviewed */
    size_t number;              /* from 1 */
    double time, until;         /* when the doses change, and until when the stay is planned that follows [h] */
    size_t before, after;       /* levels; n_stages: nothing any more */
    double value;               /* as reported: of the rule that applied, else of the first reading */
    int rule;                   /* that applied, from 0; -1 none */
    enum hl_review_then then;
};

/* Where a subject is in a reviewed taper. Zeroed by hl_review_begin. */
struct hl_review_state {
    size_t stage, number, holds, total_holds, total_back;
    double day;                 /* of the next review, since start */
    double last_day;            /* of the last one */
    double here;                /* days at this level so far, by the last review */
    bool over;                  /* no review will follow */
    bool freed;                 /* at the longest duration: goes on without looking */
    bool at_zero;               /* nothing is given any more */
    double cumulative;          /* mg of all stays before the present one */
};

void hl_review_begin(const struct hl_reviewed *reviewed, struct hl_review_state *state);

/* When the next review's doses change, and when the outputs are read for it [h]; INFINITY when there is none. */
double hl_review_time(const struct hl_reviewed *reviewed, const struct hl_review_state *state);
double hl_review_reading_time(const struct hl_reviewed *reviewed, const struct hl_review_state *state);

/* The n_readings values as the subject reports them, from those the solution has at that time [h] (in place). A pure
 * function of seed, subject and time. */
void hl_review_report(const struct hl_reviewed *reviewed, uint64_t seed, uint64_t subject, double time, double *value);

/* Decides from the reported values and moves on. */
struct hl_review hl_review_decide(const struct hl_reviewed *reviewed, struct hl_review_state *state,
                                  const double *value);

/* [begin, end) of the stay that follows the last decision (or, before the first, the beginning). */
void hl_review_stay(const struct hl_reviewed *reviewed, const struct hl_review_state *state, double *begin,
                    double *end);

/* How many doses a stay at a level over [begin, end) has, and the k-th of them. */
size_t hl_stage_doses(const struct hl_stage *stage, double begin, double end);
struct hl_dose hl_stage_dose(const struct hl_stage *stage, double begin, double end, size_t k);

/* What became of one subject, by reviewed taper of the arm. */
struct hl_review_outcome {
    double days;                /* from the start to the first moment without the drug; NaN: not by the study's end */
    double cumulative;          /* mg, up to the study's end */
    size_t reviews, holds, back;
    bool reached_zero;
};

struct hl_review_outcome hl_review_outcome(const struct hl_reviewed *reviewed, const struct hl_review_state *state);

/* Everything that was decided for a subject, and all doses of its own: those recorded (regimen->recorded) and those
 * decided. Zeroed by whoever owns it; grows as needed. */
struct hl_history {
    size_t n, capacity; struct hl_review *review;
    size_t n_doses, dose_capacity; struct hl_dose *dose;
    size_t outcome_capacity; struct hl_review_outcome *outcome; /* by reviewed taper */
};
void hl_history_clear(struct hl_history *history);

/* Makes `to` a copy of `from` but for the doses, which follow from the reviews and take much more room; and puts them
 * in, in the same order, from the reviews and the doses recorded for the subject. HL_ERR_MEMORY. */
enum hl_status hl_history_copy(const struct hl_history *from, size_t n_reviewed, struct hl_history *to);
enum hl_status hl_history_doses(const struct hl_regimen *regimen, uint64_t subject, struct hl_history *history);

/* How many reviews a taper can have at most. */
size_t hl_review_most(const struct hl_reviewed *reviewed);

/* Adds a review; n doses; those of a stay; how a reviewed taper (number of n_reviewed) ended. HL_ERR_MEMORY. */
enum hl_status hl_history_add(struct hl_history *history, const struct hl_review *review);
enum hl_status hl_history_given(struct hl_history *history, const struct hl_dose *dose, size_t n);
enum hl_status hl_history_stay(struct hl_history *history, const struct hl_stage *stage, double begin, double end);
enum hl_status hl_history_end(struct hl_history *history, size_t number, size_t n_reviewed,
                              const struct hl_review_outcome *outcome);

/* Of a review: the output its value is of; a level as people count them, 0 the dose before the taper; its dose
 * [mg/day]. */
int hl_review_output(const struct hl_reviewed *reviewed, const struct hl_review *review);
int hl_review_level(const struct hl_reviewed *reviewed, size_t stage);
double hl_review_daily(const struct hl_reviewed *reviewed, size_t stage);

/* "step", "hold", "back", "stop", "wait". */
const char *hl_review_then_name(enum hl_review_then then);

#endif
