/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that must be right before the first subject is solved: the study read, every arm's prescriptions compiled,
 * its cohort and its solver planned. All faults of a study are found in this one pass. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "run.h"
#include "cohort/cohort.h"

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

/* What is prescribed in a study that is faulty elsewhere: its own faults are wanted too, nothing else. */
static void check_prescriptions(struct hl_arena *arena, const struct hl_study *study, struct hl_diag *diag)
{
    for (size_t a = 0; a < study->n_arms; a++)
        if (study->arm[a].system && study->arm[a].prescription)
            hl_regimen_compile(arena, study, &study->arm[a], diag);
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
    enum hl_status status = HL_OK;
    for (size_t a = 0; a < n; a++)
        if (prepare_arm(p, a, diag) != HL_OK)
            status = HL_ERR_INPUT;
    return hl_diag_count(diag, HL_ERROR) > 0 ? HL_ERR_INPUT : status;
}

void hl_prepared_clear(struct hl_prepared *p)
{
    size_t n = p->plan ? p->study->n_arms : 0;
    for (size_t a = 0; a < n; a++) {
        hl_plan_free(p->plan[a]);
        hl_cohort_free(p->cohort[a]);
    }
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

static void describe_arm(const struct hl_prepared *p, size_t a, FILE *stream)
{
    const struct hl_regimen *regimen = p->regimen[a];
    fprintf(stream, "  arm %zu       %s: %zu doses", a, p->study->arm[a].name, regimen->n_doses);
    if (regimen->n_demands)
        fprintf(stream, ", %zu windows of patient demand", regimen->n_demands);
    if (regimen->n_steady)
        fprintf(stream, ", starts at steady state");
    fputc('\n', stream);
}

/* Values stay in double precision, metrics beside them, until the cohort's quantiles have been taken. */
double hl_prepared_memory(const struct hl_prepared *p)
{
    const struct hl_study *study = p->study;
    double per_subject = (double)study->n_outputs * (double)study->n_times, most = 0;
    for (size_t a = 0; a < study->n_arms; a++) {
        double metrics = 0;
        for (size_t m = 0; m < study->n_metrics; m++)
            metrics += (double)hl_metric_width(study, p->regimen[a], m);
        most = fmax(most, 8 * (per_subject + metrics) * (double)study->arm[a].cohort->subjects);
    }
    return most;
}

void hl_prepared_describe(const struct hl_prepared *p, const char *output, FILE *stream)
{
    const struct hl_study *study = p->study;
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
    print_bytes(stream, "file", (double)hl_store_estimate(study, (const struct hl_regimen *const *)p->regimen));
    print_bytes(stream, "memory", hl_prepared_memory(p));
    if (output)
        fprintf(stream, "  result       %s\n", output);
}
