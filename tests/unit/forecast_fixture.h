/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Studies with an arm "before" and an arm per schedule, solved by the exact engine and by a forecast. Times in hours,
 * schedules in levels of so many days. */
#ifndef FORECAST_FIXTURE_H
#define FORECAST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "cohort/cohort.h"
#include "measure/measure.h"
#include "taper/forecast.h"

#define MOST_LEVELS 24

static double T0 = 168.0; /* day 0 [h] */

/* A level: its days and the units of each stream. */
struct level { int days; long units[4]; };
struct schedule { size_t n; struct level level[MOST_LEVELS]; };

struct fixture {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_study *study;
    struct hl_taper_problem problem;
    struct hl_forecast *forecast;
    const struct hl_outlook *outlook;
    char *messages;
};

static int units_start(void **state)
{
    (void)state;
    return hl_units_start() ? 0 : -1;
}

static int units_stop(void **state)
{
    (void)state;
    hl_units_stop();
    return 0;
}

static struct fixture fixture_read(const char *text)
{
    struct fixture f = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    const char *directory = "models";
    struct hl_study_options options = {.model_directory = &directory, .n_model_directories = 1};
    f.study = hl_study_from_text(f.arena, "study", text, &options, f.diag);
    if (!f.study) {
        hl_diag_print(f.diag, stderr);
        fail_msg("the study was refused:\n%s", text);
    }
    return f;
}

__attribute__((unused)) static void fixture_free(struct fixture *f)
{
    hl_forecast_free(f->forecast);
    hl_arena_free(f->arena);
    hl_diag_free(f->diag);
    free(f->messages);
}

/* A drug of the problem: doses at these hours of a period, amounts in units [mg, ug/h ... in the engine's unit]. */
__attribute__((unused)) static void fixture_drug(struct fixture *f, const char *alias, const char *route,
                                                 const char *form, double unit, double period, size_t n,
                                                 const double *clock)
{
    const struct hl_system *y = f->study->system;
    struct hl_taper_drug *d = &f->problem.drug[f->problem.n_drugs++];
    int instance = hl_system_find_instance(y, alias);
    assert_true(instance >= 0);
    d->alias = alias;
    d->way = strcmp(form, "patch") == 0 ? HL_TAPER_PATCHES : strcmp(form, "infusion") == 0 ? HL_TAPER_RATE
                                                                                           : HL_TAPER_DOSES;
    d->pos = hl_pos_none();
    d->instance = instance;
    d->route = hl_system_find_route(y, instance, route);
    assert_true(d->route >= 0);
    d->unit = unit;
    d->period = period;
    d->n_products = 1;
    d->product = hl_arena_alloc(f->arena, 1, sizeof *d->product);
    d->product[0] = (struct hl_product){.name = form, .form = form, .strength = unit, .pieces = 1, .piece_units = 1,
                                        .pos = hl_pos_none()};
    d->n_doses = n;
    d->dose = hl_arena_alloc(f->arena, n, sizeof *d->dose);
    for (size_t k = 0; k < n; k++)
        d->dose[k] = (struct hl_taper_dose){clock[k], "dose"};
    d->first_stream = f->problem.n_streams;
    f->problem.n_streams += n;
}

__attribute__((unused)) static void fixture_keep(struct fixture *f, const char *output,
                                                 enum hl_taper_statistic statistic, double threshold, double bound)
{
    struct hl_taper_problem *p = &f->problem;
    struct hl_taper_constraint *grown = hl_arena_alloc(f->arena, p->n_constraints + 1, sizeof *grown);
    if (p->n_constraints)
        memcpy(grown, p->constraint, p->n_constraints * sizeof *grown);
    p->constraint = grown;
    int number = hl_system_find_output(f->study->system, output);
    assert_true(number >= 0);
    grown[p->n_constraints++] = (struct hl_taper_constraint){
        .output = number, .statistic = statistic, .threshold = threshold, .bound = bound, .share = 0.9, .text = output,
        .pos = hl_pos_none()};
}

/* Rung 1 + (schedule, level) of all schedules; rung 0 is start, the last one nothing. */
__attribute__((unused)) static void fixture_rungs(struct fixture *f, const struct schedule *s, size_t n,
                                                  const long *start, double follow)
{
    struct hl_taper_problem *p = &f->problem;
    size_t total = 2;
    for (size_t k = 0; k < n; k++)
        total += s[k].n;
    p->rung = hl_arena_alloc(f->arena, total, sizeof *p->rung);
    p->n_rungs = total;
    for (size_t r = 0; r < total; r++)
        p->rung[r].units = hl_arena_alloc(f->arena, p->n_streams, sizeof(long));
    memcpy(p->rung[0].units, start, p->n_streams * sizeof *start);
    size_t r = 1;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < s[k].n; i++, r++)
            memcpy(p->rung[r].units, s[k].level[i].units, p->n_streams * sizeof *start);
    p->follow = follow;
    p->longest = 182;
    p->n_lengths = 1;
    p->length = hl_arena_alloc(f->arena, 1, sizeof *p->length);
    p->length[0] = 7;
}

__attribute__((unused)) static struct hl_forecast *fixture_forecast(struct fixture *f,
                                                                    const struct hl_forecast_adherence *adherence,
                                                                    double finest)
{
    struct hl_forecast_request request = {.study = f->study, .before = &f->study->arm[0], .t0 = T0,
                                          .problem = &f->problem, .adherence = adherence, .finest = finest};
    return hl_forecast_create(f->arena, &request, f->diag);
}

__attribute__((unused)) static void fixture_make(struct fixture *f, const struct hl_forecast_adherence *adherence,
                                                 double finest)
{
    f->forecast = fixture_forecast(f, adherence, finest);
    if (!f->forecast) {
        hl_diag_print(f->diag, stderr);
        fail_msg("no forecast");
    }
    f->outlook = hl_forecast_outlook(f->forecast);
}

/* Statistics [constraint][subject] of a schedule, whose levels are rungs first, first + 1, ...; from hl_alloc. */
__attribute__((unused)) static double *fixture_walk(const struct hl_outlook *o, const struct schedule *s, size_t first)
{
    struct hl_prospect *p = o->begin(o->context);
    assert_non_null(p);
    for (size_t i = 0; i < s->n; i++) {
        struct hl_prospect *next = o->step(o->context, p, (struct hl_taper_step){first + i, s->level[i].days});
        assert_non_null(next);
        for (size_t k = 0; k < o->n_constraints * o->n_subjects; k++)
            assert_true(o->statistics(next)[k] >= o->statistics(p)[k]);
        o->release(o->context, p);
        p = next;
    }
    double *statistic = hl_alloc(o->n_constraints * o->n_subjects, sizeof *statistic);
    assert_non_null(statistic);
    assert_int_equal(o->stop(o->context, p, statistic), HL_OK);
    o->release(o->context, p);
    return statistic;
}

/* Metrics of an arm by the exact engine: metric[m][subject], from hl_alloc. */
__attribute__((unused)) static double *fixture_exact(struct fixture *f, size_t arm_number)
{
    const struct hl_study *study = f->study;
    const struct hl_arm *arm = &study->arm[arm_number];
    size_t n = (size_t)arm->cohort->subjects, lanes = 64;
    struct hl_regimen *regimen = hl_regimen_compile(f->arena, study, arm, f->diag);
    struct hl_cohort *cohort = hl_cohort_create(arm, f->diag);
    if (!regimen || !cohort)
        hl_diag_print(f->diag, stderr);
    assert_true(regimen && cohort);
    struct hl_plan *plan = hl_plan_create(arm->system, regimen, study->solver, study->tolerance, f->diag);
    assert_non_null(plan);
    struct hl_solver *solver = hl_solver_create(plan, lanes);
    struct hl_meter *meter = hl_meter_create(study, arm, regimen, plan, lanes);
    struct hl_block block = {.lanes = lanes, .regs = hl_alloc(arm->system->n_regs * lanes, sizeof(double)),
                             .seed = arm->cohort->seed, .status = hl_alloc(lanes, 1),
                             .out = hl_alloc(study->n_outputs * study->n_times * lanes, sizeof(double))};
    double *metric = hl_alloc(study->n_metrics * n, sizeof *metric), value[64];
    assert_true(solver && meter && block.regs && block.out && block.status && metric);
    for (size_t first = 0; first < n; first += lanes) {
        block.first = first + 1;
        block.n = n - first < lanes ? n - first : lanes;
        hl_cohort_fill(cohort, block.first, block.n, block.regs, lanes);
        hl_meter_begin(meter, &block);
        struct hl_listener listener = hl_meter_listener(meter);
        assert_int_equal(hl_solver_run(solver, &block, study->output, study->n_outputs, study->time, study->n_times,
                                       &listener), HL_OK);
        for (size_t m = 0; m < study->n_metrics; m++) {
            assert_int_equal(hl_meter_values(meter, &block, m, value, 1), HL_OK);
            memcpy(metric + m * n + first, value, block.n * sizeof *value);
        }
    }
    hl_meter_free(meter), hl_solver_free(solver), hl_plan_free(plan), hl_cohort_free(cohort);
    hl_free(block.regs), hl_free(block.out), hl_free(block.status);
    return metric;
}

/* Difference of a forecast's statistic from the exact one over all subjects. */
struct difference { double absolute, relative; size_t subject; };

__attribute__((unused)) static struct difference difference_of(const double *a, const double *exact, size_t n)
{
    struct difference d = {0, 0, 0};
    for (size_t i = 0; i < n; i++) {
        double absolute = fabs(a[i] - exact[i]);
        if (absolute > d.absolute)
            d.subject = i + 1;
        d.absolute = fmax(d.absolute, absolute);
        d.relative = fmax(d.relative, absolute / fmax(fabs(exact[i]), 1e-300));
    }
    return d;
}

#endif
