/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data-set run made by hand for the tests of store/: individuals with a tablet a day, whose concentrations are a
 * plain formula, so that every reader in every language can be asked for one of them. Every individual has
 * RECORDS_PER_INDIVIDUAL records; number 7 fails at its fourth. */
#ifndef HL_TESTS_RECORDS_SAMPLE_H
#define HL_TESTS_RECORDS_SAMPLE_H

#include "unit/store_sample.h"

enum { RECORDS_PER_INDIVIDUAL = 13, RECORDS_N_COLUMNS = 16, RECORDS_FAIL_AT = 3 };

/* A dose at the start that comes back after 24 h, an observation at the same time before and after it, ten more, and an
 * event (EVID 2) at the end. */
static const double records_time[RECORDS_PER_INDIVIDUAL] = {0,    0,    0.27, 0.57, 1.02, 1.92, 3.5,
                                                            5.02, 7.03, 9,    12.1, 24.3, 36.5};
static const int records_evid[RECORDS_PER_INDIVIDUAL] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

enum { REC_ID, REC_TIME, REC_EVID, REC_CMT, REC_AMT, REC_ADDL, REC_II, REC_MDV, REC_WT, REC_SEX, REC_DV_OBSERVED,
       REC_SOURCE_ROW, REC_CP, REC_IPRED, REC_DV, REC_AMOUNT };

static const char *const records_sexes[] = {"female", "male"};

static const struct hl_record_column records_columns[RECORDS_N_COLUMNS] = {
    {.name = "ID", .long_name = "individual", .whole = true},
    {.name = "TIME", .unit = "h", .long_name = "time"},
    {.name = "EVID", .long_name = "kind of event", .whole = true},
    {.name = "CMT", .long_name = "compartment", .whole = true},
    {.name = "AMT", .unit = "mg", .long_name = "amount"},
    {.name = "ADDL", .long_name = "additional doses", .whole = true},
    {.name = "II", .unit = "h", .long_name = "interval of additional doses"},
    {.name = "MDV", .long_name = "missing dependent variable", .whole = true},
    {.name = "WT", .unit = "kg", .long_name = "body weight"},
    {.name = "SEX", .long_name = "sex", .whole = true, .n_flags = 2, .flag = records_sexes},
    {.name = "DV_observed", .unit = "ng/mL", .long_name = "observed plasma concentration"},
    {.name = "source_row", .long_name = "line of the data set", .whole = true},
    {.name = "clonazepam.Cp", .unit = "ng/mL", .long_name = "plasma concentration (clonazepam)",
     .output = "clonazepam.Cp"},
    {.name = "IPRED", .unit = "ng/mL", .long_name = "individual prediction", .output = "clonazepam.Cp"},
    {.name = "DV", .unit = "ng/mL", .long_name = "simulated observation", .note = "IPRED with residual error"},
    {.name = "A_central", .unit = "mg", .long_name = "amount in clonazepam.central"},
};

/* After a tablet of 2 mg, ng/mL, in individual k of arm a: one compartment, first-order uptake. */
static double records_concentration(size_t arm, uint64_t k, double t)
{
    double ka = 0.9 + 0.13 * (double)(k % 7), ke = 0.029 + 0.003 * (double)(k % 5), V = 210.0 + 11.0 * (double)(k % 9);
    double C = 0;
    for (double dose = 0; dose <= t; dose += 24)
        C += 2000.0 * (double)(arm + 1) / V * ka / (ka - ke) * (exp(-ke * (t - dose)) - exp(-ka * (t - dose)));
    return C;
}

/* The value of a column in record i (from 0) of individual k (from 1). */
static double records_value(size_t arm, uint64_t k, size_t i, int column)
{
    double t = records_time[i], C = records_concentration(arm, k, t), missing = (double)NAN;
    bool dose = records_evid[i] == 1, observed = records_evid[i] == 0;
    if (k == SAMPLE_FAILED && i >= RECORDS_FAIL_AT && column >= REC_CP)
        return missing;
    switch (column) {
    case REC_ID: return (double)(k + 100);
    case REC_TIME: return t;
    case REC_EVID: return records_evid[i];
    case REC_CMT: return dose ? 1 : 2;
    case REC_AMT: return dose ? 2.0 : missing;
    case REC_ADDL: return dose ? 1 : 0;
    case REC_II: return dose ? 24 : missing;
    case REC_MDV: return !observed;
    case REC_WT: return 50.0 + 1.37 * (double)(k % 31);
    case REC_SEX: return (double)(k % 2);
    case REC_DV_OBSERVED:
        return observed && (k + i) % 11 != 0 ? C * (1 + 0.13 * sin((double)(k * 17 + i * 5))) : missing;
    case REC_SOURCE_ROW: return (double)((k - 1) * RECORDS_PER_INDIVIDUAL + i + 2);
    case REC_DV: return C * (1 + 0.1 * cos((double)(k * 3 + i)));
    case REC_AMOUNT: return C * (210.0 + 11.0 * (double)(k % 9)) / 1000.0;
    default: return C;
    }
}

/* arms: 1, or 2 for a sweep. */
static struct sample *records_create(uint64_t individuals, size_t arms)
{
    struct sample *s = sample_create(150, 97);
    struct hl_study *t = &s->study;
    static enum hl_covariate_rule rule[2] = {HL_COVARIATE_NEXT, HL_COVARIATE_PREVIOUS};
    struct hl_cohort_spec *cohort = hl_arena_alloc(s->arena, 1, sizeof *cohort);
    struct hl_data_spec *data = hl_arena_alloc(s->arena, 1, sizeof *data);
    *cohort = (struct hl_cohort_spec){.subjects = individuals, .seed = 5};
    *data = (struct hl_data_spec){.path = "tablets.csv", .rule = rule, .rule_stated = true};
    for (size_t i = 0; i < 2; i++) {
        t->arm[i].cohort = cohort;
        t->arm[i].name = i == 0 ? "once" : "twice";
    }
    t->title = "Tablets of clonazepam in a data set";
    t->data = data;
    t->n_arms = arms;
    if (arms == 1)
        t->n_factors = 0, t->design = NULL;
    t->n_times = t->n_quantiles = t->n_thresholds = t->n_metrics = 0;
    t->subjects = 1; /* of the study file; the data set has its own number */
    s->provenance.data_digest = "3f5a8c0e2b7d94163f5a8c0e2b7d94163f5a8c0e2b7d94163f5a8c0e2b7d9416";
    return s;
}

/* All records of an arm, step at a time. */
static enum hl_status records_rows(struct sample *s, struct hl_store *store, size_t arm, size_t step)
{
    uint64_t n = s->study.arm[0].cohort->subjects * RECORDS_PER_INDIVIDUAL;
    double *values = malloc(step * RECORDS_N_COLUMNS * sizeof *values);
    enum hl_status status = HL_OK;
    for (uint64_t done = 0, part; done < n && status == HL_OK; done += part) {
        part = n - done < step ? n - done : step;
        for (int c = 0; c < RECORDS_N_COLUMNS; c++)
            for (uint64_t i = 0; i < part; i++)
                values[(uint64_t)c * part + i] = records_value(arm, (done + i) / RECORDS_PER_INDIVIDUAL + 1,
                                                               (done + i) % RECORDS_PER_INDIVIDUAL, c);
        status = hl_store_records(store, (size_t)part, values);
    }
    free(values);
    return status;
}

static enum hl_status records_people(struct sample *s, struct hl_store *store, size_t arm)
{
    size_t n = (size_t)s->study.arm[0].cohort->subjects;
    double *values = malloc(n * sizeof *values);
    signed char *state = calloc(n, 1);
    if (n >= SAMPLE_FAILED)
        state[SAMPLE_FAILED - 1] = 1;
    for (size_t i = 0; i < n; i++)
        values[i] = records_value(arm, i + 1, 0, REC_ID);
    enum hl_status status = hl_store_subject_status(store, arm, state);
    if (status == HL_OK)
        status = hl_store_subject_id(store, arm, values, NULL);
    for (size_t i = 0; i < n; i++)
        values[i] = records_value(arm, i + 1, 0, REC_WT);
    if (status == HL_OK)
        status = hl_store_subject_covariate(store, arm, 0, values);
    for (size_t i = 0; i < n; i++)
        values[i] = 0.029 + 0.003 * (double)((i + 1) % 5);
    if (status == HL_OK)
        status = hl_store_subject_individual(store, arm, 1, values);
    free(state);
    free(values);
    return status;
}

/* Everything, written whole; step records at a time. */
static enum hl_status records_write(struct sample *s, const char *path, bool force, size_t step)
{
    struct hl_store *store;
    enum hl_status status = hl_store_create(path, force, &s->study, NULL, &s->provenance, &store, s->diag);
    if (status != HL_OK)
        return status;
    status = hl_store_records_begin(store, RECORDS_N_COLUMNS, records_columns);
    for (size_t arm = 0; status == HL_OK && arm < s->study.n_arms; arm++) {
        status = records_people(s, store, arm);
        if (status == HL_OK)
            status = records_rows(s, store, arm, step);
    }
    if (status == HL_OK)
        return hl_store_finish(store, 0.5, s->study.arm[0].cohort->subjects >= SAMPLE_FAILED ? 1 : 0, s->diag);
    hl_store_abandon(store);
    return status;
}

#endif
