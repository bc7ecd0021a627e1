/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a record of a data set takes in the event engine alone (no reading, no writing), one thread: individuals of
 * 100 records, ten doses among them, each with its own parameters, three outputs shown at every record.
 * usage: bench_course [MODELS_DIRECTORY] */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "base/units.h"
#include "solve/course.h"

#define RECORDS 100
#define LEAST_SECONDS 0.5

struct bench { const char *title, *model, *outputs; bool varies; const char *solver; };

static const struct bench benches[] = {
    {"one compartment, oral, 3 outputs", "pk_oral_1cmt", "m.Cp, m.depot, m.central", false, "exact"},
    {"three compartments, oral, 3 outputs", "pk_oral_3cmt", "m.Cp, m.depot, m.central", false, "exact"},
    {"template, parameters new at every record", "one_compartment", "m.Cp, m.gut, m.central", true, "exact"},
    {"three compartments, everything integrated", "pk_oral_3cmt", "m.Cp, m.depot, m.central", false, "gsl-rk8pd"},
    {"one compartment, saturable", "pk_oral_1cmt_mm", "m.Cp, m.depot, m.central", false, "exact"},
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_records(struct hl_record *record)
{
    for (int i = 0; i < RECORDS; i++)
        record[i] = (struct hl_record){.TIME = 1.13 * i, .EVID = i % 10 == 0, .compartment = i % 10 == 0 ? 0 : 1,
                                       .AMT = i % 10 == 0 ? 97.3 : 0};
}

static struct hl_study *study_of(struct hl_arena *arena, const struct bench *b, const char *models,
                                 struct hl_diag *diag)
{
    char text[600];
    struct hl_study_options options = {.model_directory = &models, .n_model_directories = 1};
    snprintf(text, sizeof text, "study: s\ntitle: t\ndrugs: {m: %s}\ncohort: {subjects: 1000, seed: 1}\n"
             "arms:\n  - name: a\ntimes: [{until: 1 h, every: 1 h}]\noutputs: [%s]\n", b->model, b->outputs);
    return hl_study_from_text(arena, "s", text, &options, diag);
}

/* Nanoseconds per record of as many individuals as fit into the least time. */
static double measure(const struct bench *b, struct hl_course *course, const struct hl_study *study)
{
    size_t covariates = study->arm[0].system->n_covariates;
    struct hl_record record[RECORDS];
    double *column = hl_alloc(RECORDS * covariates, sizeof *column);
    double *value = hl_alloc(RECORDS * study->n_outputs, sizeof *value);
    struct hl_individual x = {.n = RECORDS, .record = record, .covariate = column};
    struct hl_course_fault fault;
    write_records(record);
    double start = seconds(), used = 0;
    for (size_t i = 0; i < RECORDS * covariates; i++)
        column[i] = b->varies && i % covariates == 0 ? 60 + (double)(i % 17) : NAN;
    while (used < LEAST_SECONDS) {
        x.number++;
        if (hl_course_run(course, &x, study->output, study->n_outputs, value, &fault, NULL) != HL_OK
            || fault.status != HL_SUBJECT_GOOD)
            printf("  individual failed: %s\n", fault.text);
        used = seconds() - start;
    }
    hl_free(column);
    hl_free(value);
    return 1e9 * used / ((double)x.number * RECORDS);
}

static int run(const struct bench *b, const char *models)
{
    struct hl_arena *arena = hl_arena_create();
    struct hl_diag *diag = hl_diag_create();
    struct hl_study *study = study_of(arena, b, models, diag);
    hl_diag_print(diag, stderr);
    if (!study)
        return 1;
    const struct hl_system *system = study->arm[0].system;
    bool *dosed = hl_alloc(system->n_states, sizeof *dosed);
    enum hl_covariate_rule *rule = hl_alloc(system->n_covariates, sizeof *rule);
    struct hl_data_spec spec = {.rule = rule};
    dosed[system->compartment[0].state] = true;
    struct hl_plan *plan = hl_plan_create_for_data(system, dosed, false, b->solver, 1e-8, diag);
    struct hl_cohort *cohort = hl_cohort_create(&study->arm[0], diag);
    struct hl_course *course = plan && cohort ? hl_course_create(plan, cohort, &spec) : NULL;
    if (course)
        printf("%-45s %9.0f ns per record\n", b->title, measure(b, course, study));
    hl_course_free(course);
    hl_cohort_free(cohort);
    hl_plan_free(plan);
    hl_free(dosed);
    hl_free(rule);
    hl_diag_free(diag);
    hl_arena_free(arena);
    return course ? 0 : 1;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (!hl_units_start())
        return 1;
    for (size_t k = 0; k < sizeof benches / sizeof *benches; k++)
        failed |= run(&benches[k], argc > 1 ? argv[1] : "models");
    hl_units_stop();
    return failed;
}
