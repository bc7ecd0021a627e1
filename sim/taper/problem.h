/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a designed taper may be made of and what it must keep: drugs that go down in whole pieces of products, lengths
 * of levels, caps, constraints on the cohort, and the aim. Read from design: of a study (taper/read.h); searched by
 * taper/search.h; nothing here knows a drug.
 *
 * Amounts are whole numbers of a drug's unit, the largest amount of which every piece of every product is a whole
 * number (0.125 mg for 0.5 mg tablets in halves and 0.125 mg tablets). So no comparison of doses is one of
 * floating-point numbers. A period is the time after which the same doses come again: 24 h, or how long a patch is
 * worn.
 * A rung is what is taken in a period of each drug; rung 0 is the start, the last one is nothing at all. */
#ifndef HL_TAPER_PROBLEM_H
#define HL_TAPER_PROBLEM_H

#include "base/memory.h"
#include "base/yaml.h"

#define HL_TAPER_DRUGS   4  /* that go down together */
#define HL_TAPER_STREAMS 16 /* doses of a period, of all of them */

/* One strength of one form, and into how many equal pieces it may be broken (1: whole only; 2: halves; 4: quarters).
 * What is counted out or measured (drops, a solution by its syringe) is a product whose strength is one drop, one mark,
 * and whose pieces are 1. */
struct hl_product {
    const char *name;    /* "0.5 mg tablet": as a person reads it */
    const char *form;    /* "tablet", "odt", "drops", "solution", "patch", "infusion" */
    double strength;     /* [mg]; of a patch its nominal strength, of an infusion mg/h, in the engine's unit */
    int pieces;
    long piece_units;    /* of the smallest piece, in units of the drug */
    bool measured;       /* drops and solutions: any number is one act, so the count isn't one of pills */
    double per_mL;       /* solution: its concentration [mg/mL], as strength is that of one mark; else 0 */
    struct hl_pos pos;
};

/* One dose of a period: when, and how it is called. */
struct hl_taper_dose { double clock; /* [h] after the period's start */ const char *name; /* "morning", "evening" */ };

/* How a drug is given: doses by a route, patches that are worn, or a rate that runs on. */
enum hl_taper_way { HL_TAPER_DOSES, HL_TAPER_PATCHES, HL_TAPER_RATE };

/* One drug that goes down. */
struct hl_taper_drug {
    enum hl_taper_way way;
    struct hl_pos pos;
    const char *alias;               /* "clonazepam" */
    int instance, route;             /* of the system */
    size_t n_products; struct hl_product *product; /* by falling strength */
    double unit;                     /* [mg] (or the patch's or rate's own): all amounts are whole numbers of it */
    double period;                   /* [h] */
    size_t n_doses; struct hl_taper_dose *dose; /* of a period, in the order of the clock */
    size_t *spare;                   /* by spare quantum: the dose that takes it first, second, ... (n_doses) */
    long most_pieces;                /* per dose; 0: any */
    long *start;                     /* by dose: units taken before the taper begins */
    bool has_cap; double cap, cap_days; /* 0.25 per 14 d: a new level is at least D (1 - cap)^(days/cap_days) */
    double worth;                    /* of one that takes over from drug 0: mg of that per mg of it; else 0 */
    size_t first_stream;             /* its doses are streams first_stream .. of the problem */
};

/* What is taken per period from a review on. */
struct hl_taper_rung {
    long *units;                     /* by stream: what each dose holds */
    long *total;                     /* by drug */
    unsigned *pieces;                /* by drug: pieces handed out in a period, fewest possible */
};

/* Peak of an output over the whole follow-up; hours it is above a threshold; area between it and the threshold; and, of
 * the whole cohort, what the share doesn't exceed at the worst moment. */
enum hl_taper_statistic { HL_TAPER_PEAK, HL_TAPER_HOURS_ABOVE, HL_TAPER_AREA_ABOVE, HL_TAPER_MOMENT };

/* "This statistic of this output is at most bound in this share of the subjects." */
struct hl_taper_constraint {
    int output;                      /* of the system */
    int place;                       /* of the study: its outputs in the order asked */
    enum hl_taper_statistic statistic;
    double threshold;                /* engine's unit; of the two last kinds */
    double bound;                    /* engine's unit (times h) */
    double share;                    /* 0.9: at least ceil(0.9 N) of N subjects */
    const char *text;                /* as written, for messages and reports */
    struct hl_pos pos;
};

enum hl_taper_aim { HL_TAPER_SHORTEST, HL_TAPER_LEAST_EXPOSURE, HL_TAPER_FEWEST_CHANGES };

/* Which drug may step when there are several. */
enum hl_taper_order { HL_TAPER_ANY, HL_TAPER_IN_ORDER /* drug 0 to nothing, then 1 */, HL_TAPER_ALTERNATING };

struct hl_taper_problem {
    size_t n_drugs;  struct hl_taper_drug drug[HL_TAPER_DRUGS];
    size_t n_streams;
    size_t n_rungs;  struct hl_taper_rung *rung; /* rung 0 the start, the last nothing; a rung that may follow another
                                                    has a higher number */
    size_t n_lengths; int *length;   /* allowed lengths of a level [days], ascending; each a multiple of every period */
    int longest;                     /* days at non-zero reduced dose */
    double begins;                   /* [h] study time of day 0: when what was taken before ends */
    double follow;                   /* [h] watched after the end */
    size_t n_situations; size_t *situation; /* arms of the study in each of which every constraint is to be kept: 0, what
                                               everybody took before, and those that under: names */
    size_t n_constraints; struct hl_taper_constraint *constraint;
    enum hl_taper_aim aim;
    enum hl_taper_order order;
    int fewest_at;                   /* aims other than the shortest: the longest the taper may last [days] */
};

/* One level of a schedule: rung, and its days. */
struct hl_taper_step { size_t rung; int days; };

/* A taper: levels in order, from day 0 on; after the last one nothing is taken. */
struct hl_taper_schedule { size_t n; struct hl_taper_step *step; int days; };

/* Whether a statistic is a value of the output, with a bound in its unit: each subject's peak, or the cohort's at any
 * time. */
static inline bool hl_taper_is_value(enum hl_taper_statistic statistic)
{
    return statistic == HL_TAPER_PEAK || statistic == HL_TAPER_MOMENT;
}

/* Whether some constraint holds at any time. */
static inline bool hl_taper_any_moment(const struct hl_taper_problem *problem)
{
    for (size_t c = 0; c < problem->n_constraints; c++)
        if (problem->constraint[c].statistic == HL_TAPER_MOMENT)
            return true;
    return false;
}

#endif
