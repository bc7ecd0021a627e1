/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the search, shared by the files taper/search*.c only. */
#ifndef HL_TAPER_SEARCH_PARTS_H
#define HL_TAPER_SEARCH_PARTS_H

#include "taper/search.h"

#define HL_TAPER_BATCH 64 /* candidates looked at side by side; what is pruned depends on it, not on the threads */

/* Whether calls for so many subjects are worth several threads. */
#define HL_TAPER_MANY(calls, subjects) ((calls) > 1 && (calls) * (subjects) > 4000)

/* What is wanted in one pass. */
enum hl_pass_aim { HL_PASS_SHORTEST, HL_PASS_EXPOSURE, HL_PASS_CHANGES, HL_PASS_NEAREST };

/* A cohort and its bounds. */
struct hl_judge {
    const struct hl_taper_problem *problem;
    const struct hl_outlook *outlook;
    size_t n, n_constraints;
    double *bound, *scale;   /* by constraint */
    size_t *need;
    uint64_t steps, stops;   /* so far; only changed outside parallel regions */
};

/* How good a schedule is. */
struct hl_worth {
    double miss;             /* largest of (value - bound)/scale; feasible when <= 0 */
    double exposure;
    int days;
    size_t changes;
    double pieces;
};

/* A schedule with room for every rung. */
struct hl_way { size_t n; struct hl_taper_step *step; struct hl_worth worth; bool known; };

/* search_value.c */
void hl_judge_make(struct hl_arena *arena, struct hl_judge *judge, const struct hl_taper_problem *problem,
                   const struct hl_outlook *outlook);
/* The need-th smallest of n values, which are reordered; NaN counts as INFINITY. */
double hl_order_statistic(double *value, size_t n, size_t need);
/* Order statistics by constraint of [constraint][subject]; scratch has n. */
void hl_judge_values(const struct hl_judge *judge, const double *statistic, double *scratch, double *value);
double hl_judge_miss(const struct hl_judge *judge, const double *statistic, double *scratch);
/* Whether every constraint is kept by enough subjects; quicker than hl_judge_miss() <= 0. */
bool hl_judge_keeps(const struct hl_judge *judge, const double *statistic);
double hl_judge_exposure(const struct hl_judge *judge, const double *statistic);
/* -1: a is better; 1: b is; 0: neither. */
int hl_worth_compare(enum hl_pass_aim aim, const struct hl_worth *a, const struct hl_worth *b);
struct hl_way *hl_way_create(struct hl_arena *arena, const struct hl_taper_problem *problem);
void hl_way_copy(struct hl_way *to, const struct hl_way *from);
struct hl_taper_schedule hl_way_schedule(const struct hl_way *plan);
/* The worth of n plans on a judge, side by side. Plans whose miss so far is above give_up end there, with that as their
 * miss. shared: how many first levels all of them have in common (by plan), out of base, whose prospects after k levels
 * are prefix[k]; NULL for none. */
enum hl_status hl_ways_value(struct hl_judge *judge, struct hl_way **plan, size_t n, struct hl_prospect *const *prefix,
                              const size_t *shared, double give_up);

/* search_labels.c: one pass. */
struct hl_pass {
    const struct hl_taper_problem *problem;
    struct hl_judge *judge;  /* whose outlook is followed */
    struct hl_judge *full;   /* who judges what comes out of it; NULL: the same */
    enum hl_pass_aim aim;
    int limit;               /* days */
    size_t beam, verified;
    uint64_t most_work;
    const struct hl_taper_arcs *arcs; /* NULL: all are open */
    const struct hl_taper_progress *progress;
    /* what comes out */
    struct hl_way *best;    /* by the full judge; best->known says whether there is one */
    struct hl_way *next;    /* with a screen: the one that missed least where none was kept; known or not */
    bool overflowed, exhausted;
};
enum hl_status hl_pass_run(struct hl_pass *pass);

/* search_improve.c: makes a valued plan better on one judge; it never gets worse. */
struct hl_improver {
    struct hl_judge *judge;
    enum hl_pass_aim aim;
    int limit, at_least;
    bool thrifty;            /* only neighbours in which one thing changes, nothing repaired */
    uint64_t most_work;      /* of the judge */
    const struct hl_taper_progress *progress;
};
enum hl_status hl_improve(const struct hl_improver *improver, struct hl_way *plan);

/* Steps and stops times subjects of a judge. */
static inline uint64_t hl_judge_work(const struct hl_judge *judge)
{
    return (judge->steps + judge->stops) * judge->n;
}

#endif
