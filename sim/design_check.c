/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a taper keeps its constraints, by the exact engine. "In 90 % of subjects" means in at least ceil(0.9 N) of N
 * (hl_taper_needed); a subject that can't be solved counts as one that exceeds the bound. The interval of the share is
 * that of Clopper and Pearson (Biometrika 1934;26:404): its ends are quantiles of beta distributions,
 *     low = B(2.5 %; k, n - k + 1), high = B(97.5 %; k + 1, n - k). */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

#include "design_parts.h"
#include "run_measure.h"

#define DAY 24.0

double hl_design_unit(const struct hl_design *design, const struct hl_taper_constraint *keep)
{
    return keep->statistic == HL_TAPER_HOURS_ABOVE ? 1 : design->study->system->output[keep->output].unit.factor;
}

double hl_design_bound_shown(const struct hl_design *design, const struct hl_taper_constraint *keep)
{
    return keep->bound / hl_design_unit(design, keep);
}

void hl_design_scale(const struct hl_design *design, const struct hl_taper_constraint *keep, double *value, size_t n)
{
    double threshold = keep->threshold / design->study->system->output[keep->output].unit.factor;
    for (size_t k = 0; keep->statistic == HL_TAPER_AREA_ABOVE && k < n; k++)
        value[k] *= threshold;
}

struct hl_design_verdict hl_design_judge(const struct hl_design *design, const struct hl_taper_constraint *keep,
                                         const double *value, size_t n)
{
    struct hl_design_verdict verdict = {.bound = hl_design_bound_shown(design, keep), .subjects = n, .value = NAN,
                                        .high = 1};
    double *sorted = hl_alloc(n, sizeof *sorted);
    if (!sorted || n == 0) {
        hl_free(sorted);
        return verdict;
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = isnan(value[i]) ? INFINITY : value[i];
        verdict.kept += sorted[i] <= verdict.bound;
    }
    gsl_sort(sorted, 1, n);
    verdict.value = sorted[hl_taper_needed(keep->share, n) - 1];
    double k = (double)verdict.kept, N = (double)n;
    verdict.low = k > 0 ? gsl_cdf_beta_Pinv(0.025, k, N - k + 1) : 0;
    verdict.high = k < N ? gsl_cdf_beta_Pinv(0.975, k + 1, N - k) : 1;
    hl_free(sorted);
    return verdict;
}

struct hl_design_verdict hl_design_judge_moments(const struct hl_design *design, const struct hl_taper_constraint *keep,
                                                 const double *row, const double *time, size_t n_times, double from,
                                                 size_t n)
{
    struct hl_design_verdict worst = {.bound = hl_design_bound_shown(design, keep), .subjects = n, .kept = n,
                                      .value = -INFINITY, .high = 1};
    for (size_t t = 0; t < n_times; t++) {
        if (time[t] < from - 1e-6)
            continue;
        struct hl_design_verdict now = hl_design_judge(design, keep, row + t * n, n);
        double value = fmax(worst.value, now.value);
        if (now.kept <= worst.kept)
            worst = now;
        worst.value = value;
    }
    return worst;
}

bool hl_design_kept(const struct hl_taper_constraint *keep, const struct hl_design_verdict *verdict)
{
    return verdict->kept >= hl_taper_needed(keep->share, (size_t)verdict->subjects);
}

/* The arms of a check: the schedule in every situation it was designed under. */
static struct hl_taper_plan *check_plans(const struct hl_design *design, const struct hl_taper_schedule *schedule)
{
    const struct hl_taper_problem *problem = design->problem;
    struct hl_taper_plan *plan = hl_arena_alloc(design->arena, problem->n_situations, sizeof *plan);
    for (size_t s = 0; s < problem->n_situations; s++)
        plan[s] = (struct hl_taper_plan){.name = hl_arena_printf(design->arena, "situation %zu", s),
                                         .kind = "designed", .problem = problem, .schedule = schedule,
                                         .situation = problem->situation[s]};
    return plan;
}

/* The outputs of constraints that hold at any time, by output of the check's study: where their rows go. */
static double **rows_of(const struct hl_design *design, const struct hl_prepared *p, bool *good)
{
    const struct hl_taper_problem *problem = design->problem;
    double **row = hl_arena_alloc(design->arena, p->study->n_outputs, sizeof *row);
    for (size_t c = 0; c < problem->n_constraints; c++) {
        const char *name = design->study->system->output[problem->constraint[c].output].name;
        for (size_t o = 0; problem->constraint[c].statistic == HL_TAPER_MOMENT && o < p->study->n_outputs; o++)
            if (!row[o] && strcmp(p->study->system->output[p->study->output[o]].name, name) == 0) {
                row[o] = hl_alloc_unset(p->study->n_times, (size_t)p->study->subjects * sizeof **row);
                *good = *good && row[o];
            }
    }
    return row;
}

/* The rows of a constraint's output, in its unit. */
static struct hl_design_verdict judge_rows(const struct hl_design *design, const struct hl_prepared *p,
                                           const struct hl_taper_constraint *keep, double *const *row)
{
    const struct hl_output *output = &design->study->system->output[keep->output];
    size_t n = (size_t)p->study->subjects, o = 0;
    while (strcmp(p->study->system->output[p->study->output[o]].name, output->name) != 0)
        o++;
    double *scaled = hl_alloc_unset(p->study->n_times, n * sizeof *scaled);
    struct hl_design_verdict verdict = {.bound = hl_design_bound_shown(design, keep), .subjects = n, .value = NAN};
    for (size_t k = 0; scaled && k < p->study->n_times * n; k++)
        scaled[k] = row[o][k] / output->unit.factor;
    if (scaled)
        verdict = hl_design_judge_moments(design, keep, scaled, p->study->time, p->study->n_times,
                                          design->problem->begins, n);
    hl_free(scaled);
    return verdict;
}

static enum hl_status measure(struct hl_design *design, const struct hl_prepared *p, struct hl_design_verdict *verdict)
{
    const struct hl_taper_problem *problem = design->problem;
    size_t n = (size_t)p->study->subjects, m = problem->n_constraints;
    double *room = hl_alloc(m * n, sizeof *room), **value = hl_arena_alloc(design->arena, m, sizeof *value);
    bool good = room != NULL;
    double **row = rows_of(design, p, &good);
    enum hl_status status = good ? HL_OK : HL_ERR_MEMORY;
    for (size_t c = 0; c < m; c++)
        value[c] = room + c * n;
    struct hl_progress *progress =
        hl_progress_create(design->options->quiet ? HL_PROGRESS_NONE : design->options->progress, "subjects checked",
                           n * problem->n_situations);
    for (size_t s = 0; status == HL_OK && s < problem->n_situations; s++) {
        status = hl_run_measure(p, s, value, row, progress, hl_run_stop());
        for (size_t c = 0; status == HL_OK && c < m; c++)
            hl_design_scale(design, &problem->constraint[c], value[c], n);
        for (size_t c = 0; status == HL_OK && c < m; c++)
            verdict[s * m + c] = problem->constraint[c].statistic == HL_TAPER_MOMENT
                                     ? judge_rows(design, p, &problem->constraint[c], row)
                                     : hl_design_judge(design, &problem->constraint[c], value[c], n);
    }
    for (size_t o = 0; o < p->study->n_outputs; o++)
        hl_free(row[o]);
    hl_progress_free(progress, status == HL_OK);
    hl_free(room);
    return status;
}

enum hl_status hl_design_check(struct hl_design *design, const struct hl_taper_schedule *schedule,
                               struct hl_design_verdict *verdict)
{
    struct hl_prepared check;
    double end = design->problem->begins + schedule->days * DAY + design->problem->follow;
    const char *text = hl_design_study_text(design, check_plans(design, schedule), design->problem->n_situations, false,
                                            end);
    size_t faults = hl_diag_count(design->diag, HL_ERROR);
    enum hl_status status = hl_prepare_text(design->study->path, text, &(struct hl_study_options){
        .model_directory = design->options->study.model_directory,
        .n_model_directories = design->options->study.n_model_directories}, &check, design->diag);
    if (status == HL_OK)
        status = measure(design, &check, verdict);
    else if (hl_diag_count(design->diag, HL_ERROR) > faults)
        status = HL_ERR_INTERNAL; /* a study that the program made itself must be sound */
    hl_prepared_clear(&check);
    return status;
}
