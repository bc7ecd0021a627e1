/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outlook of a cohort on tapers (taper/outlook.h), fast enough for thousands of candidates: what is linear is
 * superposed from unit courses of each dose, subject by subject, everything else is carried over a grid of steps. Made
 * from a prepared study once; called by taper/search.h, taper/bound.h and the command. A forecast's numbers are close
 * to the exact engine's, not equal to them (forecast.c says how close): whatever is designed with it is judged by the
 * engine afterwards. Results are functions of the subject alone, whatever the number of threads or neighbours. */
#ifndef HL_TAPER_FORECAST_H
#define HL_TAPER_FORECAST_H

#include "base/diag.h"
#include "study/study.h"
#include "taper/outlook.h"

/* Whether planned doses are taken. Draws are keyed by time, so that forecasts of different schedules agree. */
struct hl_forecast_adherence {
    void *context;
    /* How many times (0, 1, 2) the subject (1-based) takes the next dose of the problem's drug, planned at time
     * (the study's hours). Asked in the order of time, for doses that aren't nothing; walk remembers where the row of
     * doses stands (walk_size bytes, zero at day 0; a plain value that may be copied). Thread-safe. */
    unsigned (*next)(void *context, uint64_t subject, size_t drug, double time, void *walk);
    size_t walk_size;
};

struct hl_forecast_request {
    const struct hl_study *study;
    const struct hl_arm *before;      /* what was given before day 0, and co-medication that goes on; its prescriptions
                                         of the drugs that go down end at t0 */
    double t0;                        /* day 0 in the study's hours */
    const struct hl_taper_problem *problem;
    const struct hl_forecast_adherence *adherence; /* NULL: every dose is taken once */
    double finest;                    /* shortest regular step [h]; 0: 0.25 h */
};

struct hl_forecast;

/* Solves the cohort of request->before up to t0 by the exact engine, makes the unit courses and the grid. NULL with
 * messages in diag: a dose that isn't linear (a route with released:, a modelled rate, a patch whose content isn't
 * proportional to its strength, a saturable compartment), an output that reads the time after a dose, a state faster
 * than the grid, memory. Subjects that the engine can't solve are kept, with all statistics INFINITY, and a warning
 * says how many. study, before, problem and arena must outlive it. */
struct hl_forecast *hl_forecast_create(struct hl_arena *arena, const struct hl_forecast_request *request,
                                       struct hl_diag *diag);
void hl_forecast_free(struct hl_forecast *forecast);

/* The outlook; lives as long as the forecast. */
const struct hl_outlook *hl_forecast_outlook(const struct hl_forecast *forecast);

/* Several situations (other covariates, parameters, adherence) of one problem and as many subjects each, as one outlook
 * of the same subjects whose constraints are situation 0's, then situation 1's, ...: constraint c of situation s is
 * number s * problem->n_constraints + c. The parts must outlive it. NULL with a message when subjects differ in number
 * or there is no memory. hl_forecast_free frees it and not its parts. */
struct hl_forecast *hl_forecast_join(struct hl_arena *arena, struct hl_forecast *const *part, size_t n,
                                     struct hl_diag *diag);

/* What the order behind envelopes of this constraint rests on, one plain sentence or two with the number of points
 * looked at; "" when outlook->monotone is false. */
const char *hl_forecast_assumption(const struct hl_forecast *forecast, size_t constraint);

/* How it is done, for reports: steps per period, their shortest and longest [h], bytes held. */
struct hl_forecast_facts { size_t steps; double period, shortest, longest; size_t states, integrated; double bytes; };
struct hl_forecast_facts hl_forecast_facts(const struct hl_forecast *forecast);

#endif
