/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Individuals of data sets, their records written as C, on their course through models written as YAML. */
#ifndef COURSE_SAMPLE_H
#define COURSE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "base/memory.h"
#include "base/units.h"
#include "solve/course.h"

#define MOST_RECORDS 400
#define MOST_COLUMNS 12

static char course_folder[256];

static int course_start(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(course_folder, sizeof course_folder, "%s/hl_course_XXXXXX", parent ? parent : "/tmp");
    return hl_units_start() && mkdtemp(course_folder) ? 0 : -1;
}

static int course_stop(void **state)
{
    char path[300];
    (void)state;
    snprintf(path, sizeof path, "%s/m.yaml", course_folder);
    unlink(path);
    rmdir(course_folder);
    hl_units_stop();
    return 0;
}

/* A model, called m, with everything that is needed to run it; all its outputs are asked for. */
struct sample {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_study *study;
    const struct hl_system *system;
    struct hl_plan *plan;
    struct hl_cohort *cohort;
    enum hl_covariate_rule rule[MOST_COLUMNS];
    struct hl_data_spec spec;
    struct hl_course *course;
};

static inline void sample_stop(const char *what, struct sample *s)
{
    hl_diag_print(s->diag, stderr);
    fail_msg("%s", what);
}

/* outputs: "m.Cp, m.gut"; cohort: "typical" or "{subjects: 3, seed: 5}". */
static inline struct sample *sample_of(const char *model, const char *outputs, const char *cohort,
                                       enum hl_covariate_rule rule, const char *solver, double tolerance)
{
    char path[300], text[1000];
    const char *directory = course_folder;
    snprintf(path, sizeof path, "%s/m.yaml", course_folder);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "model: m\ntitle: a sample\n%s", model);
    fclose(f);
    struct sample *s = calloc(1, sizeof *s);
    s->arena = hl_arena_create();
    s->diag = hl_diag_create();
    struct hl_study_options options = {.model_directory = &directory, .n_model_directories = 1};
    snprintf(text, sizeof text, "study: s\ntitle: t\ndrugs: {m: m}\ncohort: %s\narms:\n  - name: a\n"
             "times: [{until: 1 h, every: 1 h}]\noutputs: [%s]\n", cohort, outputs);
    if (!(s->study = hl_study_from_text(s->arena, "s", text, &options, s->diag)))
        sample_stop("the study was refused", s);
    s->system = s->study->arm[0].system;
    bool dosed[64] = {false}, interpolated = rule == HL_COVARIATE_INTERPOLATE;
    for (size_t k = 0; k < s->system->n_compartments; k++)
        dosed[s->system->compartment[k].state] = true;
    for (size_t k = 0; k < MOST_COLUMNS; k++)
        s->rule[k] = rule;
    s->spec.rule = s->rule;
    s->plan = hl_plan_create_for_data(s->system, dosed, interpolated, solver, tolerance, s->diag);
    s->cohort = hl_cohort_create(&s->study->arm[0], s->diag);
    if (!s->plan || !s->cohort || !(s->course = hl_course_create(s->plan, s->cohort, &s->spec)))
        sample_stop("no course", s);
    return s;
}

/* The usual: a typical individual, covariates by NONMEM's rule. */
static inline struct sample *sample_make(const char *model, const char *outputs, const char *solver)
{
    return sample_of(model, outputs, "typical", HL_COVARIATE_NEXT, solver, 1e-12);
}

static inline void sample_free(struct sample *s)
{
    hl_course_free(s->course);
    hl_cohort_free(s->cohort);
    hl_plan_free(s->plan);
    hl_diag_free(s->diag);
    hl_arena_free(s->arena);
    free(s);
}

/* One individual's records, by hand, and what comes of them: value[record][output]. */
struct table {
    size_t n;
    struct hl_record record[MOST_RECORDS];
    double column[MOST_RECORDS][MOST_COLUMNS]; /* by covariate of the system; NaN: not in the file */
    uint64_t number;
    double value[MOST_RECORDS][8];
    struct hl_course_fault fault;
};

static inline void table_clear(struct table *t)
{
    t->n = 0;
    t->number = 1;
    for (size_t i = 0; i < MOST_RECORDS; i++)
        for (size_t c = 0; c < MOST_COLUMNS; c++)
            t->column[i][c] = NAN;
}

static inline struct hl_record *put(struct table *t, struct hl_record record)
{
    assert_true(t->n < MOST_RECORDS);
    record.compartment = abs(record.CMT) - 1;
    record.off = record.CMT < 0;
    record.row = t->n + 2;
    t->record[t->n] = record;
    return &t->record[t->n++];
}

static inline void see(struct table *t, double TIME)
{
    put(t, (struct hl_record){.TIME = TIME});
}

static inline void table_run_with(struct sample *s, struct table *t, const struct hl_course_listener *listener)
{
    size_t covariates = s->system->n_covariates, n_outputs = s->study->n_outputs;
    assert_true(covariates <= MOST_COLUMNS && n_outputs <= 8);
    double *columns = hl_alloc(t->n * covariates, sizeof *columns), *value = hl_alloc(t->n * n_outputs, sizeof *value);
    for (size_t i = 0; i < t->n; i++)
        for (size_t c = 0; c < covariates; c++)
            columns[i * covariates + c] = t->column[i][c];
    struct hl_individual x = {.number = t->number, .ID = 7, .id_text = "7", .n = t->n, .record = t->record,
                              .covariate = columns};
    assert_int_equal(hl_course_run(s->course, &x, s->study->output, n_outputs, value, &t->fault, listener), HL_OK);
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k < n_outputs; k++)
            t->value[i][k] = value[i * n_outputs + k] / s->system->output[s->study->output[k]].unit.factor;
    hl_free(columns);
    hl_free(value);
}

/* Runs a table that must go well. */
static inline void table_run(struct sample *s, struct table *t)
{
    table_run_with(s, t, NULL);
    if (t->fault.status != HL_SUBJECT_GOOD)
        fail_msg("record %zu: %s", t->fault.record, t->fault.text);
}

#define assert_near(what, a, b, tolerance) near_at(what, a, b, tolerance, __FILE__, __LINE__)

static inline void near_at(const char *what, double a, double b, double tolerance, const char *file, int line)
{
    if (fabs(a - b) <= tolerance)
        return;
    print_error("%s: %.17g against %.17g, difference %.3g, allowed %.3g\n", what, a, b, fabs(a - b), tolerance);
    _fail(file, line);
}

#endif
