/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schedule: which rungs, for how long each, so that every constraint is kept in its share of the subjects. Takes a
 * problem with its rungs and an outlook of the cohort; called by the command that designs tapers. The answer is a
 * function of problem, outlook and options alone, whatever the number of threads. */
#ifndef HL_TAPER_SEARCH_H
#define HL_TAPER_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/status.h"
#include "taper/outlook.h"

/* What is being done, and how far: done of total days (or levels) of a pass. */
struct hl_taper_progress {
    void (*tell)(void *context, const char *what, double done, double total);
    void *context;
};

/* Levels that may still lead to something: from a rung (with its turn) on a day to another one for so long. What a
 * certificate has shown to lead to no end by the last day isn't open. */
struct hl_taper_arcs { int grid, n_turns; size_t n_rungs, n_lengths, last; bool *open; };

/* The place of one in open; day in grid steps, at most last. */
static inline size_t hl_taper_arc(const struct hl_taper_arcs *arcs, size_t day, size_t rung, int turn, size_t to,
                                  size_t length)
{
    size_t node = (day * arcs->n_rungs + rung) * (size_t)arcs->n_turns + (size_t)turn;
    return (node * arcs->n_rungs + to) * arcs->n_lengths + length;
}

struct hl_taper_options {
    size_t beam;             /* ways kept to each day and rung; 0: 8 */
    uint64_t most_work;      /* steps and stops of single subjects after which no new pass begins and a running one ends
                                with what it has; 0: no limit. A first narrow pass always runs to its end */
    int at_least;            /* days that a certificate has proved necessary: a taper as short isn't worked on */
    const struct hl_outlook *screen; /* a smaller cohort like the outlook's (or part of it) on which ways are followed;
                                what is found is then judged by the outlook. NULL: none */
    bool narrow;             /* a large cohort is followed on those of its subjects who decide, if the outlook can hand
                                them out (outlook->some) */
    const struct hl_taper_schedule *shorter_than; /* only a schedule shorter than this one is wanted, which keeps the
                                constraints: one pass with the beam given, by those who decide under it. NULL: any */
    const struct hl_taper_arcs *arcs; /* for that: ways on open arcs alone; NULL: all */
    size_t verified;         /* with a screen: candidates of each day that the outlook judges; 0: 8 */
    const struct hl_taper_progress *progress; /* NULL: silent */
};

enum hl_taper_outcome {
    HL_TAPER_FOUND,
    HL_TAPER_IMPOSSIBLE,     /* every schedule was looked at and none keeps the constraints */
    HL_TAPER_NOT_FOUND       /* none was found, which proves nothing */
};

/* After k levels (k = 0: none): the constraint's order statistic (the smallest value that its share of the subjects
 * doesn't exceed) so far, and if nothing more were taken; [constraint of the outlook]. */
struct hl_taper_stand { int day; double *so_far, *if_stopped; };

struct hl_taper_result {
    enum hl_taper_outcome outcome;
    bool complete;           /* no way was dropped for want of room: the schedule (or impossibility) is exact */
    struct hl_taper_schedule schedule; /* found; else the one that comes nearest */
    size_t changes;
    double pieces;
    double exposure;         /* what HL_TAPER_LEAST_EXPOSURE minimises: sum over constraints of the subjects' mean of
                                the statistic (of a peak: of its excess over the bound), in units of the bound */
    double miss;             /* largest of (value - bound)/bound over constraints; <= 0 when all are kept */
    size_t n_constraints;    /* of the outlook */
    double *bound, *value, *margin; /* by constraint: bound - value */
    double *nearest;         /* by constraint: the bound itself, or the value reached where it is missed: the smallest
                                worst (value - bound)/bound that was found; with these bounds the schedule does it */
    size_t in_the_way;       /* the constraint with the largest miss */
    bool no_schedule;        /* lengths, caps, order and longest leave none at all; schedule is then empty */
    bool start_breaks;       /* the start regimen for ever already exceeds the bound of */
    size_t start_constraint; /* this constraint, */
    double *start_value;     /* by constraint: order statistic when nothing is ever reduced */
    struct hl_taper_stand *stand; /* schedule.n + 1 */
    uint64_t work;           /* steps and stops of the outlooks, times their subjects */
    size_t beam;             /* of the widest pass */
};

/* How many of n subjects a share needs: ceil(share n), with 1e-9 of slack, at least 1. */
size_t hl_taper_needed(double share, size_t n);

/* The bound of an outlook's constraint: outlooks of several situations repeat the problem's constraints. */
const struct hl_taper_constraint *hl_taper_constraint_of(const struct hl_taper_problem *problem, size_t constraint);

/* Designs. Aims: the shortest (ties: larger smallest margin, fewer changes, fewer pieces); the least exposure within
 * problem->fewest_at days (ties: shorter, fewer changes, fewer pieces); the fewest changes within as many (ties:
 * shorter, larger margin, fewer pieces). Everything in result lives in the arena. HL_ERR_MEMORY, or what the outlook
 * failed with. */
enum hl_status hl_taper_search(struct hl_arena *arena, const struct hl_taper_problem *problem,
                               const struct hl_outlook *outlook, const struct hl_taper_options *options,
                               struct hl_taper_result *result);

#endif
