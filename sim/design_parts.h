/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of a design share (design*.c). Nobody else includes this. */
#ifndef HL_DESIGN_PARTS_H
#define HL_DESIGN_PARTS_H

#include "design.h"
#include "taper/bound.h"
#include "taper/forecast.h"
#include "taper/plan.h"
#include "taper/search.h"

#define HL_DESIGN_ROUNDS 8 /* times a bound may be tightened by what the exact engine found missed */

/* One constraint in one situation on one cohort, by the exact engine. Bound and value in the output's unit. */
struct hl_design_verdict {
    double bound, value;         /* the order statistic: what the share of the subjects doesn't exceed */
    uint64_t kept, subjects;     /* how many keep the bound, of how many */
    double low, high;            /* 95 % confidence interval of the share that keeps it (Clopper and Pearson 1934) */
};

/* What became of one arm of the result. */
struct hl_design_outcome {
    struct hl_taper_plan plan;
    struct hl_taper_facts facts;
    struct hl_design_verdict *verdict;   /* by constraint of the problem */
    double *quantile[3];                 /* of each constraint's statistic: 50, 90, 95 % of subjects */
    double *hours_above, *share_above;   /* by constraint of a peak or at any time: mean hours above the bound, share
                                            ever above ... */
    double *worst_share, *worst_day;     /* ... and at the worst moment of the result's grid, and when that is */
    double *after;                       /* [constraint][mark]: the median so long after the end of the taper */
};

struct hl_design {
    const struct hl_design_options *options;
    struct hl_diag *diag;
    struct hl_prepared prepared;
    struct hl_arena *arena;                   /* the prepared study's */
    const struct hl_study *study;
    const struct hl_taper_request *request;
    struct hl_taper_problem *problem;
    size_t n_kept;                            /* constraints times situations: those of the outlook */

    struct hl_forecast **part, *joined;       /* by situation; joined is part[0] where there is one */
    const struct hl_outlook *outlook;

    struct hl_taper_result result;
    struct hl_bound bound;
    double loosened;                          /* by this share the certificate's bounds were raised: more than the
                                                 forecast's error */
    size_t rounds;                            /* searches until the exact engine agreed */
    double *internal;                         /* by kept: the bound the last search had, engine's unit */
    struct hl_design_verdict *design_verdict; /* by kept, on the cohort it was designed on */
    double forecast_error;                    /* largest relative difference of forecast and engine on the answer */

    double end;                               /* [h] the result's horizon, common to all arms */
    struct hl_taper_problem *all;             /* every makeable amount as a rung, for protocols ... */
    struct hl_forecast **all_part, *all_joined; /* ... and its forecast, where that isn't the design's own */
    size_t n_outcomes, outcomes_capacity; struct hl_design_outcome *outcome; /* arms of the result, designed first */
    const char *study_file, *result_file, *calendar_file, *pages_file;
    double seconds_forecast, seconds_search, seconds_bound, seconds_check, seconds_result;
};

/* design_cohort.c: forecasts of the cohort, one per situation, joined; and of a smaller one to follow ways on. */
enum hl_status hl_design_forecast(struct hl_design *design);

/* design_cohort.c: the forecast for protocols on the rungs of design->all: the design's own where its rungs are all
 * there are. */
enum hl_status hl_design_forecast_all(struct hl_design *design, struct hl_forecast **forecast);
void hl_design_forecast_clear(struct hl_design *design);

/* design_cohort.c: the forecast of another problem of the same situations (a crossover's), and its end. */
enum hl_status hl_design_forecast_other(struct hl_design *design, const struct hl_taper_problem *problem,
                                        struct hl_forecast ***part, struct hl_forecast **joined);
void hl_design_forecast_drop(const struct hl_design *design, struct hl_forecast **part, struct hl_forecast *joined);

/* design_check.c: every constraint in every situation for a schedule of problem, on the design's cohort, by the exact
 * engine; verdict[kept]. */
enum hl_status hl_design_check(struct hl_design *design, const struct hl_taper_schedule *schedule,
                               struct hl_design_verdict *verdict);

/* design_check.c: the verdict on n subjects' statistics (in the output's unit; NaN: failed, counts as exceeding). */
struct hl_design_verdict hl_design_judge(const struct hl_design *design, const struct hl_taper_constraint *constraint,
                                         const double *value, size_t n);

/* design_check.c: the verdict on what holds at any time: row is [time][subject] in the output's unit; moments before
 * from are left out. What is kept is counted at the worst moment. */
struct hl_design_verdict hl_design_judge_moments(const struct hl_design *design,
                                                 const struct hl_taper_constraint *constraint, const double *row,
                                                 const double *time, size_t n_times, double from, size_t n);

/* design_check.c: whether as many subjects keep it as its share asks for. */
bool hl_design_kept(const struct hl_taper_constraint *constraint, const struct hl_design_verdict *verdict);

/* design_check.c: values of a constraint's metric into the statistic's own unit (an area is stored in units of its
 * threshold). */
void hl_design_scale(const struct hl_design *design, const struct hl_taper_constraint *constraint, double *value,
                     size_t n);

/* design_check.c: the engine's values of a constraint's bound and statistic, divided by this, are in the unit in which
 * a study writes them. */
double hl_design_unit(const struct hl_design *design, const struct hl_taper_constraint *constraint);

/* design_check.c: a constraint's bound in the output's unit, as a study writes it. */
double hl_design_bound_shown(const struct hl_design *design, const struct hl_taper_constraint *constraint);

/* design_plans.c: the arms of the result: the designed taper, protocols as published, at equal risk and at equal
 * duration, the designed one under every situation. */
enum hl_status hl_design_plans(struct hl_design *design);

/* design_study.c: a study with so many of the plans as arms, on the design's own cohort or the judge's, watched to end
 * [h]. whole: with outputs, grid and everything else the person asked for; else only what is needed for a check. */
const char *hl_design_study_text(const struct hl_design *design, const struct hl_taper_plan *plan, size_t n_plans,
                                 bool whole, double end);

/* design_study.c: name of the metric of a constraint: "clonazepam_withdrawal_index_Cmax". */
const char *hl_design_metric(const struct hl_design *design, size_t constraint, const char *what);

/* design_study.c: the result's grid [h]: 12 h from day 0 on, finer where a constraint holds at any time and doses lie
 * between. */
double hl_design_grid(const struct hl_design *design);

/* design_study.c: the statistic's metric: "Cmax", "hours_above", "overlap_area" (of the output with itself). */
const char *hl_design_statistic(enum hl_taper_statistic statistic);

/* design_calendar.c: the calendar as text and as pages, into their files. */
enum hl_status hl_design_write_calendar(struct hl_design *design);

/* design_outcome.c: fills outcome[] from the result file. */
enum hl_status hl_design_outcomes(struct hl_design *design);

/* design_print.c, design_json.c */
void hl_design_print(const struct hl_design *design, FILE *stream);
void hl_design_print_impossible(const struct hl_design *design, FILE *stream);
void hl_design_json(const struct hl_design *design, FILE *stream);

#endif
