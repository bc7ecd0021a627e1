/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that must be right before the first subject is solved: the study read, every arm's prescriptions compiled,
 * its cohort and its solver planned. All faults of a study are found in this one pass. */
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "run_arm.h"
#include "cohort/cohort.h"
#include "record_table.h"

static enum hl_status prepare_arm(struct hl_prepared *p, size_t a, struct hl_diag *diag)
{
    const struct hl_study *study = p->study;
    const struct hl_arm *arm = &study->arm[a];
    p->regimen[a] = hl_regimen_compile(p->arena, study, arm, diag);
    p->cohort[a] = hl_cohort_create(arm, diag);
    if (!p->regimen[a] || !p->cohort[a])
        return HL_ERR_INPUT;
    p->plan[a] = hl_plan_create(arm->system, p->regimen[a], study->solver, study->tolerance, diag);
    return p->plan[a] ? HL_OK : HL_ERR_INPUT;
}

/* What a record's dose may enter, by state: what the first reading of the data set found. */
static bool *dosed_states(struct hl_arena *arena, const struct hl_system *system, const struct hl_data_facts *facts)
{
    bool *dosed = hl_arena_alloc(arena, system->n_states, sizeof *dosed);
    for (size_t c = 0; c < system->n_compartments; c++)
        if (facts->dosed[c])
            dosed[system->compartment[c].state] = true;
    for (size_t i = 0; facts->default_dosed && i < system->n_instances; i++) {
        int route = system->instance[i].default_route;
        for (size_t k = 0; route >= 0 && k < system->route[route].n_parts; k++)
            dosed[system->route[route].part[k].state] = true;
        /* without a default route the observed compartment takes it; which one that is, course.c decides */
        for (size_t k = 0; route < 0 && k < system->n_compartments; k++)
            if (system->compartment[k].output == system->instance[i].default_output)
                dosed[system->compartment[k].state] = true;
        if (system->instance[i].is_drug)
            break;
    }
    return dosed;
}

/* True when a covariate that changes within an individual runs along straight lines. */
static bool is_interpolated(const struct hl_study *study, const struct hl_data_facts *facts)
{
    for (size_t c = 0; c < study->system->n_covariates; c++)
        if (facts->varies[c] && study->data->rule[c] == HL_COVARIATE_INTERPOLATE)
            return true;
    return false;
}

/* An arm of a data set: its subjects are the individuals, its doses are in the records. */
static enum hl_status prepare_records_arm(struct hl_prepared *p, size_t a, const struct hl_data_facts *facts,
                                          struct hl_diag *diag)
{
    struct hl_arm *arm = &p->study->arm[a];
    struct hl_cohort_spec *cohort = hl_arena_alloc(p->arena, 1, sizeof *cohort);
    *cohort = *arm->cohort;
    cohort->subjects = facts->individuals;
    arm->cohort = cohort;
    p->regimen[a] = hl_arena_alloc(p->arena, 1, sizeof *p->regimen[a]);
    p->cohort[a] = hl_cohort_create(arm, diag);
    p->plan[a] = hl_plan_create_for_data(arm->system, dosed_states(p->arena, arm->system, facts),
                                         is_interpolated(p->study, facts), p->study->solver, p->study->tolerance, diag);
    return p->cohort[a] && p->plan[a] ? HL_OK : HL_ERR_INPUT;
}

static enum hl_status prepare_records(struct hl_prepared *p, struct hl_diag *diag)
{
    p->data = hl_data_open(p->study, diag);
    if (!p->data)
        return HL_ERR_INPUT;
    const struct hl_data_facts *facts = hl_data_facts(p->data);
    p->study->subjects = facts->individuals;
    enum hl_status status = HL_OK;
    for (size_t a = 0; a < p->study->n_arms; a++)
        if (prepare_records_arm(p, a, facts, diag) != HL_OK)
            status = HL_ERR_INPUT;
    return status;
}

/* What is prescribed in a study that is faulty elsewhere: its own faults are wanted too, nothing else. */
static void check_prescriptions(struct hl_arena *arena, const struct hl_study *study, struct hl_diag *diag)
{
    if (study->to_design && study->system && study->n_arms)
        hl_taper_read(arena, study, NULL, diag);
    for (size_t a = 0; a < study->n_arms; a++)
        if (study->arm[a].system && study->arm[a].prescription)
            hl_regimen_compile(arena, study, &study->arm[a], diag);
}

/* Everything after reading. study is NULL or not sound where there was a fault. */
static enum hl_status prepare_study(struct hl_prepared *p, struct hl_study *study, bool sound, struct hl_diag *diag)
{
    if (!sound) {
        if (study)
            check_prescriptions(p->arena, study, diag);
        return HL_ERR_INPUT;
    }
    p->study = study;
    size_t n = p->study->n_arms;
    p->regimen = hl_arena_alloc(p->arena, n, sizeof *p->regimen);
    p->cohort = hl_arena_alloc(p->arena, n, sizeof *p->cohort);
    p->plan = hl_arena_alloc(p->arena, n, sizeof *p->plan);
    enum hl_status status = p->study->data ? prepare_records(p, diag) : HL_OK;
    for (size_t a = 0; !p->study->data && a < n; a++)
        if (prepare_arm(p, a, diag) != HL_OK)
            status = HL_ERR_INPUT;
    if (p->study->to_design)
        p->request = hl_taper_read(p->arena, p->study, (const struct hl_regimen *const *)p->regimen, diag);
    return hl_diag_count(diag, HL_ERROR) > 0 ? HL_ERR_INPUT : status;
}

enum hl_status hl_prepare(const char *path, const struct hl_study_options *options, struct hl_prepared *p,
                          struct hl_diag *diag)
{
    memset(p, 0, sizeof *p);
    p->arena = hl_arena_create();
    if (!p->arena)
        return HL_ERR_MEMORY;
    bool sound;
    struct hl_study *study = hl_study_load_for_check(p->arena, path, options, &sound, diag);
    return prepare_study(p, study, sound, diag);
}

enum hl_status hl_prepare_text(const char *name, const char *text, const struct hl_study_options *options,
                               struct hl_prepared *p, struct hl_diag *diag)
{
    memset(p, 0, sizeof *p);
    p->arena = hl_arena_create();
    if (!p->arena)
        return HL_ERR_MEMORY;
    struct hl_study *study = hl_study_from_text(p->arena, name, text, options, diag);
    return prepare_study(p, study, study != NULL, diag);
}

void hl_prepared_clear(struct hl_prepared *p)
{
    size_t n = p->plan ? p->study->n_arms : 0;
    for (size_t a = 0; a < n; a++) {
        hl_plan_free(p->plan[a]);
        hl_cohort_free(p->cohort[a]);
    }
    hl_data_close(p->data);
    hl_arena_free(p->arena);
    memset(p, 0, sizeof *p);
}

static void print_bytes(FILE *stream, const char *what, double bytes)
{
    static const char *const unit[] = {"bytes", "kB", "MB", "GB", "TB"};
    int u = 0;
    while (bytes >= 1000 && u < 4) {
        bytes /= 1000;
        u++;
    }
    fprintf(stream, "  %-12s about %.3g %s\n", what, bytes, unit[u]);
}

/* The most memory that any arm takes, and the most passes. */
static struct hl_room largest_room(const struct hl_prepared *p, double memory)
{
    struct hl_room most = {0};
    for (size_t a = 0; a < p->study->n_arms; a++) {
        struct hl_room room = hl_room_plan(p, a, omp_get_max_threads(), hl_room_budget(memory));
        most = room.bytes > most.bytes ? room : most;
    }
    return most;
}

#define PROBE_SECONDS 0.15 /* spent on finding out how long it will take */

/* Seconds that hashing, compressing and writing take per byte of trajectories: measured on one machine (an Intel Xeon
 * of 2023), good to a factor of two elsewhere. */
static double writing_seconds(const struct hl_study *study)
{
    return strcmp(study->compression, "none") == 0 ? 2e-9 : strcmp(study->compression, "small") == 0 ? 3e-8 : 8e-9;
}

/* Seconds for all arms: some subjects of the first arms are solved, the rest is arithmetic. 0 when it can't be told. */
static double time_of(const struct hl_prepared *p, size_t passes)
{
    const struct hl_study *study = p->study;
    double spent = 0, each = 0, solutions = 0;
    size_t probed = 0;
    for (size_t a = 0; a < study->n_arms; a++) {
        solutions += (double)study->arm[a].cohort->subjects;
        if (spent >= PROBE_SECONDS)
            continue;
        double one = hl_run_probe(p, a, PROBE_SECONDS / (double)(study->n_arms < 4 ? study->n_arms : 4));
        each += one;
        spent += HL_DEFAULT_BLOCK * one;
        probed++;
    }
    double bytes = (double)hl_store_estimate(study, (const struct hl_regimen *const *)p->regimen);
    double work = each / (double)probed * solutions * (double)(passes ? passes : 1) + bytes * writing_seconds(study);
    return each > 0 ? work / omp_get_max_threads() : 0;
}

static void print_time(FILE *stream, double seconds)
{
    static const struct { const char *name; double seconds; } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60},
                                                                         {"s", 1}};
    size_t i = 0;
    while (i < 3 && seconds < 1.5 * units[i].seconds)
        i++;
    if (seconds < 0.1)
        fprintf(stream, "  time         less than 0.1 s");
    else
        fprintf(stream, "  time         about %.2g %s", seconds / units[i].seconds, units[i].name);
    fprintf(stream, " on %d thread%s\n", omp_get_max_threads(), omp_get_max_threads() == 1 ? "" : "s");
}

static void describe_needs(const struct hl_prepared *p, double memory, FILE *stream)
{
    struct hl_room room = largest_room(p, memory);
    print_bytes(stream, "file", (double)hl_store_estimate(p->study, (const struct hl_regimen *const *)p->regimen));
    print_bytes(stream, "memory", room.columns ? room.bytes : room.least);
    if (!room.columns && !p->data)
        fprintf(stream, "  refused      %.3g GB is what may be used of memory (see --memory); ask for fewer subjects, "
                "outputs, times or metrics\n", hl_room_budget(memory) / 1e9);
    if (room.passes > 1)
        fprintf(stream, "  passes       %zu, for want of memory: each solves the cohort again\n", room.passes);
    double seconds = time_of(p, room.passes);
    if (seconds > 0)
        print_time(stream, seconds);
}

void hl_prepared_describe_adherence(const struct hl_prepared *p, size_t a, FILE *stream)
{
    const struct hl_system *system = p->study->arm[a].system;
    const struct hl_regimen *regimen = p->regimen[a];
    for (size_t d = 0; regimen->adherence && d < system->n_instances; d++) {
        size_t n = 0;
        for (size_t i = 0; i < regimen->n_doses; i++)
            n += system->route[regimen->dose[i].route].instance == (int)d
                 && hl_regimen_may_miss(regimen, system, &regimen->dose[i]);
        if (n > 0)
            fprintf(stream, "  adherence    %s, %zu doses: %s\n", system->instance[d].alias, n,
                    hl_adherence_text(p->arena, regimen->adherence[d]));
    }
}

static void describe_arm(const struct hl_prepared *p, size_t a, FILE *stream)
{
    const struct hl_regimen *regimen = p->regimen[a];
    fprintf(stream, "  arm %zu       %s: %zu doses", a, p->study->arm[a].name, regimen->n_doses);
    if (regimen->n_demands)
        fprintf(stream, ", %zu windows of patient demand", regimen->n_demands);
    for (size_t i = 0; i < regimen->n_reviewed; i++)
        fprintf(stream, ", a taper of %s with reviews", regimen->reviewed[i].drug);
    if (regimen->recorded.n_subjects > 0)
        fprintf(stream, ", %zu recorded doses of %zu subjects", regimen->recorded.n, regimen->recorded.n_subjects);
    if (regimen->n_steady)
        fprintf(stream, ", starts at steady state");
    fputc('\n', stream);
    hl_prepared_describe_adherence(p, a, stream);
}

static const char *rule_name(enum hl_covariate_rule rule)
{
    return rule == HL_COVARIATE_NEXT ? "next" : rule == HL_COVARIATE_PREVIOUS ? "previous" : "interpolate";
}

/* Covariates that the data set brings, with the rule each follows between records. */
static void describe_covariates(const struct hl_prepared *p, FILE *stream)
{
    const struct hl_data_facts *facts = hl_data_facts(p->data);
    for (size_t i = 0; i < facts->n_columns; i++) {
        int c = facts->column[i].covariate;
        if (c >= 0)
            fprintf(stream, "  covariate    %s%s\n", p->study->system->covariate[c].name,
                    facts->varies[c] ? hl_arena_printf(p->arena, ", changes within individuals: %s%s",
                                                       rule_name(p->study->data->rule[c]),
                                                       p->study->data->rule_stated ? "" : " (NONMEM's rule)")
                                     : "");
    }
}

/* Which number stands for which compartment, and the route that gives its doses F, lag, rate and duration. */
static void describe_compartments(const struct hl_system *system, const struct hl_data_facts *facts, FILE *stream)
{
    for (size_t c = 0; c < system->n_compartments; c++) {
        int route = system->compartment[c].route;
        fprintf(stream, "  CMT %-8zu %s%s%s%s%s\n", c + 1, system->compartment[c].name,
                route >= 0 ? ", doses as by route " : "", route >= 0 ? system->route[route].name : "",
                facts->dosed[c] ? ", dosed" : "", facts->observed[c] ? ", observed" : "");
    }
}

static void describe_records(const struct hl_prepared *p, const char *output, FILE *stream)
{
    const struct hl_study *study = p->study;
    const struct hl_data_facts *facts = hl_data_facts(p->data);
    fprintf(stream, "%s: %s\n", study->name, study->title ? study->title : "");
    fprintf(stream, "  data set     %s: %" PRIu64 " records of %" PRIu64 " individuals, %" PRIu64 " observations, %"
            PRIu64 " dose records\n", study->data->path, facts->records, facts->individuals, facts->observations,
            facts->doses);
    fprintf(stream, "  outputs     ");
    for (size_t o = 0; o < study->n_asked; o++)
        fprintf(stream, " %s", study->system->output[study->output[o]].name);
    fprintf(stream, "\n  bioavailability with a given rate scales the %s\n",
            study->data->scales_rate ? "rate" : "duration (NONMEM's rule)");
    describe_covariates(p, stream);
    describe_compartments(study->system, facts, stream);
    if (study->n_arms > 1)
        fprintf(stream, "  arms         %zu, each with all records\n", study->n_arms);
    hl_plan_describe(p->plan[0], stream);
    const struct hl_record_table *table = hl_record_table_create(p->arena, study, facts);
    print_bytes(stream, "file", (double)hl_store_estimate(study, NULL)
                                + (double)hl_store_records_estimate(facts->records * study->n_arms, table->n,
                                                                    table->column));
    if (output)
        fprintf(stream, "  result       %s\n", output);
}

void hl_prepared_describe(const struct hl_prepared *p, const char *output, double memory, FILE *stream)
{
    const struct hl_study *study = p->study;
    if (study->data) {
        describe_records(p, output, stream);
        return;
    }
    if (p->request) {
        hl_taper_describe(p->request, study, stream);
        hl_plan_describe(p->plan[0], stream);
        return;
    }
    fprintf(stream, "%s: %s\n", study->name, study->title ? study->title : "");
    fprintf(stream, "  subjects     %" PRIu64 ", seed %" PRIu64 "\n", study->subjects, study->seed);
    fprintf(stream, "  times        %zu, from %g h to %g h\n", study->n_times, study->time[0],
            study->time[study->n_times - 1]);
    fprintf(stream, "  outputs     ");
    for (size_t o = 0; o < study->n_outputs; o++)
        fprintf(stream, " %s", study->system->output[study->output[o]].name);
    fprintf(stream, "\n  metrics      %zu per subject\n", study->n_metrics);
    size_t shown = study->n_arms < 24 ? study->n_arms : 24;
    for (size_t a = 0; a < shown; a++)
        describe_arm(p, a, stream);
    if (shown < study->n_arms)
        fprintf(stream, "  ...          and %zu more arms\n", study->n_arms - shown);
    hl_plan_describe(p->plan[0], stream);
    describe_needs(p, memory, stream);
    if (output)
        fprintf(stream, "  result       %s\n", output);
}
