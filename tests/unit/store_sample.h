/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study made by hand for the tests of store/, and values that are a plain formula of arm, output, subject and time, so
 * that every reader in every language can be asked for one of them. Subject 7 has failed. */
#ifndef HL_TESTS_STORE_SAMPLE_H
#define HL_TESTS_STORE_SAMPLE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/store.h"

struct sample {
    struct hl_arena *arena;
    struct hl_study study;
    struct hl_system system;
    struct hl_regimen regimen[2];
    const struct hl_regimen *regimens[2];
    struct hl_provenance provenance;
    struct hl_diag *diag;
};

enum { SAMPLE_FAILED = 7 };

/* What arm a, output o, subject k has at time t, in the output's unit. */
static double sample_value(size_t arm, size_t output, uint64_t subject, double t)
{
    if (subject == SAMPLE_FAILED)
        return (double)NAN;
    return ((double)arm + 1.37) * (10.0 + sqrt((double)subject)) * (exp(-0.0231 * ((double)output + 1.0) * t) - exp(-1.31 * t));
}

static double sample_metric(size_t arm, size_t metric, uint64_t subject, size_t w)
{
    return subject == SAMPLE_FAILED ? (double)NAN : 100.25 * (double)(arm + 1) + 7.5 * (double)metric + 0.125 * (double)subject + (double)w;
}

static struct hl_unit sample_unit(double factor)
{
    struct hl_unit unit;
    memset(&unit, 0, sizeof unit);
    for (int i = 0; i < HL_N_DIMENSIONS; i++)
        unit.dim.e[i].den = 1;
    unit.factor = factor;
    return unit;
}

static void sample_system(struct sample *s)
{
    struct hl_arena *a = s->arena;
    struct hl_system *y = &s->system;
    static const char *const sexes[] = {"male", "female"};
    y->n_regs = 4;
    y->reg = hl_arena_alloc(a, 4, sizeof *y->reg);
    for (int i = 0; i < 4; i++)
        y->reg[i].dim = sample_unit(1).dim;
    y->reg[2].dim.e[HL_LENGTH].num = 3;
    y->reg[2].dim.e[HL_TIME].num = -1;
    y->reg[3].dim.e[HL_TIME].num = -1;
    y->n_instances = 3;
    y->instance = hl_arena_alloc(a, 3, sizeof *y->instance);
    y->instance[0] = (struct hl_system_instance){.alias = "clonazepam", .is_drug = true};
    y->instance[1] = (struct hl_system_instance){.alias = "fentanyl", .is_drug = true};
    y->instance[2] = (struct hl_system_instance){.alias = "overlap"};
    y->n_outputs = 3;
    y->output = hl_arena_alloc(a, 3, sizeof *y->output);
    y->output[0] = (struct hl_output){.name = "clonazepam.Cp", .instance = 0, .unit = sample_unit(0.001), .unit_text = "ng/mL",
                                      .label = "plasma concentration", .symbol = "Cp"};
    y->output[1] = (struct hl_output){.name = "fentanyl.Ce", .instance = 1, .unit = sample_unit(0.001), .unit_text = "ng/mL",
                                      .label = "effect-site concentration", .evidence = {.grade = HL_SURROGATE, .note = "adults"}};
    y->output[2] = (struct hl_output){.name = "overlap.sedation", .instance = 2, .unit = sample_unit(1.0), .unit_text = "%",
                                      .label = "sedation", .evidence = {.grade = HL_ASSUMPTION}};
    y->n_covariates = 2;
    y->covariate = hl_arena_alloc(a, 2, sizeof *y->covariate);
    struct hl_covariate *info = hl_arena_alloc(a, 2, sizeof *info);
    info[0] = (struct hl_covariate){.name = "WT", .unit = sample_unit(1.0), .unit_text = "kg", .label = "body weight"};
    info[1] = (struct hl_covariate){.name = "sex", .unit = sample_unit(1.0), .category = (const char **)(void *)sexes, .n_categories = 2};
    y->covariate[0] = (struct hl_system_covariate){"WT", 0, &info[0]};
    y->covariate[1] = (struct hl_system_covariate){"sex", 1, &info[1]};
    y->n_individuals = 2;
    y->individual_value = hl_arena_alloc(a, 2, sizeof *y->individual_value);
    y->individual_value[0] = (struct hl_system_individual){"clonazepam.CL", 2, 0};
    y->individual_value[1] = (struct hl_system_individual){"clonazepam.ka", 3, 0};
    static const char *const classes[] = {"slow", "fast"};
    struct hl_mixture *mixture = hl_arena_alloc(a, 1, sizeof *mixture);
    *mixture = (struct hl_mixture){.name = "absorption", .n = 2, .class_name = (const char **)(void *)(uintptr_t)classes};
    y->n_mixtures = 1;
    y->mixture = hl_arena_alloc(a, 1, sizeof *y->mixture);
    y->mixture[0] = (struct hl_system_mixture){"clonazepam.absorption", 1, mixture};
    y->n_routes = 3;
    y->route = hl_arena_alloc(a, 3, sizeof *y->route);
    y->route[0] = (struct hl_route){.name = "oral", .instance = 0};
    y->route[1] = (struct hl_route){.name = "iv", .instance = 0};
    y->route[2] = (struct hl_route){.name = "iv", .instance = 1};
}

static void sample_metrics(struct sample *s)
{
    static double windows[2][2] = {{0.0, 24.0}, {24.0, 48.0}};
    struct hl_study *t = &s->study;
    t->n_metrics = 4;
    t->metric = hl_arena_alloc(s->arena, 4, sizeof *t->metric);
    t->metric[0] = (struct hl_metric_spec){.kind = HL_CMAX, .name = "clonazepam_Cp_Cmax", .n_of = 1, .of = {0, 0}};
    t->metric[1] = (struct hl_metric_spec){.kind = HL_AUC, .name = "clonazepam_Cp_AUC", .n_of = 1, .of = {0, 0},
                                           .n_windows = 2, .window = windows};
    t->metric[2] = (struct hl_metric_spec){.kind = HL_TROUGHS, .name = "clonazepam_Cp_troughs", .n_of = 1, .of = {0, 0}};
    t->metric[3] = (struct hl_metric_spec){.kind = HL_HOURS_BOTH_ABOVE, .name = "both_hours_above", .n_of = 2, .of = {0, 1},
                                           .has_threshold = true, .threshold = {0.005, 0.0006},
                                           .threshold_text = {"5 ng/mL", "0.6 ng/mL"}, .sampled = true};
}

static void sample_regimens(struct sample *s)
{
    static struct hl_dose doses[2][6];
    for (size_t arm = 0; arm < 2; arm++) {
        s->regimen[arm].n_doses = arm == 0 ? 4 : 6;
        for (size_t i = 0; i < 6; i++)
            doses[arm][i] = (struct hl_dose){.time = 8.0 * (double)i, .route = 0, .amount = 0.385, .repeat_interval = 8.0};
        s->regimen[arm].dose = doses[arm];
        s->regimens[arm] = &s->regimen[arm];
    }
}

static void sample_arms(struct sample *s)
{
    static double values[2][2] = {{0.25, 0}, {0.5, 0}};
    static const char *texts[2][2] = {{"0.25 mg", "slow metaboliser"}, {"0.5 mg", "fast"}};
    struct hl_study *t = &s->study;
    t->n_arms = 2;
    t->arm = hl_arena_alloc(s->arena, 2, sizeof *t->arm);
    t->n_factors = 2;
    t->factor = hl_arena_alloc(s->arena, 2, sizeof *t->factor);
    t->factor[0] = (struct hl_factor){"arms.*.clonazepam.0.oral", "clonazepam_0_oral", "mg", true};
    t->factor[1] = (struct hl_factor){"cohort.class", "class", NULL, false};
    for (size_t i = 0; i < 2; i++)
        t->arm[i] = (struct hl_arm){.name = i == 0 ? "standard care" : "eighths, \"slow\"", .system = &s->system,
                                    .factor_value = values[i], .factor_text = texts[i]};
}

/* times: how many, half an hour apart. */
static struct sample *sample_create(uint64_t subjects, size_t times)
{
    struct hl_arena *a = hl_arena_create();
    struct sample *s = hl_arena_alloc(a, 1, sizeof *s);
    struct hl_study *t = &s->study;
    static double quantiles[] = {0.05, 0.5, 0.95};
    s->arena = a;
    s->diag = hl_diag_create();
    sample_system(s);
    *t = (struct hl_study){.name = "sample", .title = "A sample for the tests of store/: µ-opioid and benzodiazepine",
                           .description = "Values are a formula, not a simulation.", .path = "configs/sample.yaml",
                           .system = &s->system, .n_quantiles = 3, .quantile = quantiles, .solver = "exact", .tolerance = 1e-8,
                           .precision = "single", .compression = "fast", .store_trajectories = true, .design = "list",
                           .subjects = subjects, .seed = 18446744073709551557u};
    t->n_times = times;
    t->time = hl_arena_alloc(a, times, sizeof *t->time);
    for (size_t i = 0; i < times; i++)
        t->time[i] = 0.5 * (double)i;
    t->n_outputs = 3;
    t->output = hl_arena_alloc(a, 3, sizeof *t->output);
    for (int i = 0; i < 3; i++)
        t->output[i] = i;
    static struct hl_threshold thresholds[] = {{0, 0.02, "20 ng/mL"}, {2, 2.0, "2 %"}, {0, 0.0051, "5.1 ng/mL"}};
    t->n_thresholds = 3;
    t->threshold = thresholds;
    sample_arms(s);
    sample_metrics(s);
    sample_regimens(s);
    s->provenance = (struct hl_provenance){.command_line = "halflife run configs/sample.yaml -o sample.h5", .threads = 2};
    return s;
}

/* The study's text, with a comment of n bytes. */
static inline void sample_text(struct sample *s, size_t n)
{
    char *text = malloc(n + 200), *at = text;
    at += sprintf(at, "study: sample\ntitle: Größe\nnotes: \"");
    memset(at, 'x', n);
    strcpy(at + n, "\"\ncohort: {subjects: 150}\n");
    s->study.root = hl_yaml_load_text(s->arena, "sample.yaml", text, s->diag);
    s->study.resolved = s->study.root;
    free(text);
}

static void sample_free(struct sample *s)
{
    hl_diag_free(s->diag);
    hl_arena_free(s->arena);
}

/* One strip: in blocks of so many subjects (a multiple of 8), the columns beyond the last subject filled with rubbish. */
static enum hl_status sample_strip(struct sample *s, struct hl_strip *strip, size_t arm, uint64_t first, size_t block)
{
    const struct hl_study *t = &s->study;
    size_t n = t->subjects - first + 1 < 64 ? (size_t)(t->subjects - first + 1) : 64;
    double *values = malloc(t->n_times * block * sizeof *values);
    enum hl_status status = hl_strip_begin(strip, arm, first, n);
    for (size_t row = 0; row < n && status == HL_OK; row += block)
        for (size_t o = 0; o < t->n_outputs; o++) {
            for (size_t i = 0; i < t->n_times * block; i++)
                values[i] = row + i % block < n ? sample_value(arm, o, first + row + i % block, t->time[i / block])
                                                      * s->system.output[o].unit.factor
                                                : 1e300;
            hl_strip_values(strip, o, row, n - row < block ? n - row : block, values, block);
        }
    free(values);
    return status == HL_OK ? hl_strip_finish(strip) : status;
}

/* All trajectories, by so many threads, the last strips first. */
static enum hl_status sample_trajectories(struct sample *s, struct hl_store *store, size_t block)
{
    int n_strips = (int)((s->study.subjects + 63) / 64), failed = 0;
    #pragma omp parallel num_threads(s->provenance.threads)
    {
        struct hl_strip *strip;
        enum hl_status status = hl_strip_create(store, &strip);
        #pragma omp for schedule(dynamic, 1)
        for (int i = (int)s->study.n_arms * n_strips - 1; i >= 0; i--)
            if (status == HL_OK)
                status = sample_strip(s, strip, (size_t)(i / n_strips), (uint64_t)(i % n_strips) * 64 + 1, block);
        if (status != HL_OK) {
            #pragma omp atomic write
            failed = (int)status;
        }
        hl_strip_free(strip);
    }
    enum hl_status drained = hl_store_drain(store);
    return failed ? (enum hl_status)failed : drained;
}

static enum hl_status sample_summaries(struct sample *s, struct hl_store *store)
{
    const struct hl_study *t = &s->study;
    size_t nt = t->n_times;
    double *quantiles = malloc(3 * nt * sizeof(double)), *mean = malloc(nt * sizeof(double)), *fraction = malloc(2 * nt * sizeof(double));
    int *count = malloc(nt * sizeof *count);
    enum hl_status status = HL_OK;
    for (size_t arm = 0; arm < 2; arm++)
        for (size_t o = 0; o < 3 && status == HL_OK; o++) {
            double factor = s->system.output[o].unit.factor;
            for (size_t j = 0; j < nt; j++) {
                count[j] = (int)t->subjects - 1;
                mean[j] = factor * sample_value(arm, o, 50, t->time[j]);
                fraction[j] = 0.5;
                fraction[nt + j] = 0.25;
                for (size_t q = 0; q < 3; q++)
                    quantiles[q * nt + j] = mean[j] * (0.5 + 0.5 * (double)q);
            }
            status = hl_store_summary(store, arm, o, quantiles, mean, mean, count, fraction);
        }
    free(count);
    free(fraction);
    free(mean);
    free(quantiles);
    return status;
}

static enum hl_status sample_people(struct sample *s, struct hl_store *store)
{
    size_t n = (size_t)s->study.subjects;
    double *values = malloc(n * 6 * sizeof *values);
    signed char *state = calloc(n, 1);
    enum hl_status status = HL_OK;
    if (n >= SAMPLE_FAILED)
        state[SAMPLE_FAILED - 1] = 1;
    for (size_t arm = 0; arm < 2 && status == HL_OK; arm++) {
        for (size_t m = 0; m < 4 && status == HL_OK; m++) {
            size_t width = m == 1 ? 2 : m == 2 ? s->regimen[arm].n_doses : 1;
            for (size_t i = 0; i < n * width; i++)
                values[i] = sample_metric(arm, m, i / width + 1, i % width);
            status = hl_store_metric(store, arm, m, width, values);
        }
        for (size_t i = 0; i < n; i++) {
            values[i] = 50.0 + 0.1 * (double)i;
            values[n + i] = (double)(i % 2);
            values[2 * n + i] = 3.6 + 0.01 * (double)i;
            values[3 * n + i] = 1.7 + (double)arm + 0.001 * (double)i;
        }
        if (status == HL_OK)
            status = hl_store_subject_covariate(store, arm, 0, values);
        if (status == HL_OK)
            status = hl_store_subject_covariate(store, arm, 1, values + n);
        if (status == HL_OK)
            status = hl_store_subject_individual(store, arm, 0, values + 2 * n);
        if (status == HL_OK)
            status = hl_store_subject_individual(store, arm, 1, values + 3 * n);
        if (status == HL_OK)
            status = hl_store_subject_status(store, arm, state);
        if (status == HL_OK)
            status = hl_store_subject_mixture(store, arm, 0, values + n);
    }
    free(state);
    free(values);
    return status;
}

static enum hl_status sample_doses(struct hl_store *store, size_t n)
{
    struct hl_given *given = malloc((n + 1) * sizeof *given);
    for (size_t i = 0; i < n; i++)
        given[i] = (struct hl_given){.arm = (int)(i % 2), .subject = i % 3, .time = 8.0 * (double)i, .amount = 0.385 + (double)i,
                                     .rate = i % 5 == 0 ? 0.1 : 0.0, .instance = (int)(i % 2), .route = i % 2 ? 2 : 0,
                                     .refused = i % 7 == 6};
    enum hl_status status = hl_store_doses(store, n, given);
    free(given);
    return status;
}

/* Everything, written whole; block subjects at a time. */
static inline enum hl_status sample_write(struct sample *s, const char *path, bool force, uint64_t block, size_t doses)
{
    struct hl_store *store;
    enum hl_status status = hl_store_create(path, force, &s->study, s->regimens, &s->provenance, &store, s->diag);
    if (status != HL_OK)
        return status;
    status = sample_trajectories(s, store, block);
    if (status == HL_OK)
        status = sample_summaries(s, store);
    if (status == HL_OK)
        status = sample_people(s, store);
    if (status == HL_OK)
        status = sample_doses(store, doses);
    if (status == HL_OK)
        return hl_store_finish(store, 1.25, 1, s->diag);
    hl_store_abandon(store);
    return status;
}

#endif
