/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pipeline: study -> cohort -> regimen -> solve -> measure -> store, arm by arm.
 *
 * The unit of work is a strip of 64 subjects (one chunk of the file), solved in blocks and handed to the store as soon
 * as it is whole. All values of an arm stay in memory until the cohort's quantiles have been taken from them. Nothing a
 * subject gets depends on the strip, the block or the thread it was solved in; sums across the cohort run in order of
 * subject. The store is entered by one thread at a time. */
#include "run.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cohort/cohort.h"
#include "run_records.h"

#define STRIP 64
#define BLOCK 16 /* subjects solved together, unless told otherwise: what they make stays in the cache (docs/performance.md) */
#define MEMORY_SHARE 0.8 /* of the machine's memory that an arm's values may take */

static volatile sig_atomic_t interrupted;

void hl_run_interrupt(void)
{
    interrupted = 1;
}

/* All that one arm yields, subject by subject, in the engine's units. */
struct arm_results {
    size_t subjects, n_times, n_outputs;
    double *values;      /* [output][subject][time] */
    double **metric;     /* [metric][subject * width] */
    size_t *width;
    double *covariate;   /* [covariate][subject] */
    double *individual;  /* [individual][subject] */
    double *mixture;     /* [mixture][subject] */
    double *parameter;   /* [drawn parameter][subject] */
    signed char *status; /* [subject] */
};

static void results_clear(struct arm_results *r, const struct hl_study *study)
{
    for (size_t m = 0; r->metric && m < study->n_metrics; m++)
        hl_free(r->metric[m]);
    hl_free(r->metric);
    hl_free(r->width);
    hl_free(r->values);
    hl_free(r->covariate);
    hl_free(r->individual);
    hl_free(r->mixture);
    hl_free(r->parameter);
    hl_free(r->status);
    memset(r, 0, sizeof *r);
}

/* Whether a typical value differs between the subjects of an arm. */
static bool is_drawn(const struct hl_arm *arm, size_t parameter)
{
    return arm->cohort->uncertainty && arm->system->parameter[parameter].info->uncertainty != HL_SPREAD_NONE;
}

static size_t count_drawn(const struct hl_arm *arm)
{
    size_t n = 0;
    for (size_t i = 0; i < arm->system->n_parameters; i++)
        n += is_drawn(arm, i);
    return n;
}

static enum hl_status results_init(struct arm_results *r, const struct hl_study *study, const struct hl_arm *arm,
                                   const struct hl_regimen *regimen)
{
    memset(r, 0, sizeof *r);
    r->subjects = (size_t)arm->cohort->subjects;
    r->n_times = study->n_times;
    r->n_outputs = study->n_outputs;
    r->values = hl_alloc_unset(r->n_outputs * r->n_times, r->subjects * sizeof *r->values);
    r->covariate = hl_alloc(arm->system->n_covariates, r->subjects * sizeof *r->covariate);
    r->individual = hl_alloc(arm->system->n_individuals, r->subjects * sizeof *r->individual);
    r->mixture = hl_alloc(arm->system->n_mixtures, r->subjects * sizeof *r->mixture);
    r->parameter = hl_alloc(count_drawn(arm), r->subjects * sizeof *r->parameter);
    r->status = hl_alloc(r->subjects, 1);
    r->metric = hl_alloc(study->n_metrics, sizeof *r->metric);
    r->width = hl_alloc(study->n_metrics, sizeof *r->width);
    bool complete = r->values && r->covariate && r->individual && r->mixture && r->parameter && r->status &&
                    r->metric && r->width;
    for (size_t m = 0; complete && m < study->n_metrics; m++) {
        r->width[m] = hl_metric_width(study, regimen, m);
        r->metric[m] = hl_alloc(r->subjects * r->width[m], sizeof *r->metric[m]);
        complete = r->metric[m] != NULL;
    }
    return complete ? HL_OK : HL_ERR_MEMORY;
}

/* What a thread keeps from block to block. */
struct worker {
    struct hl_solver *solver;
    struct hl_meter *meter;
    struct hl_strip *strip;
    double *regs, *out, *scratch;
    double *observed;    /* one output's simulated observations, or NULL */
    signed char *status;
    size_t lanes;
};

static void worker_clear(struct worker *w)
{
    hl_solver_free(w->solver);
    hl_meter_free(w->meter);
    hl_strip_free(w->strip);
    hl_free(w->regs);
    hl_free(w->observed);
    hl_free(w->out);
    hl_free(w->scratch);
    hl_free(w->status);
}

static size_t widest_metric(const struct arm_results *r, const struct hl_study *study)
{
    size_t widest = 1;
    for (size_t m = 0; m < study->n_metrics; m++)
        widest = r->width[m] > widest ? r->width[m] : widest;
    return widest;
}

static bool is_observed(const struct hl_study *study)
{
    bool any = false;
    for (size_t o = 0; o < study->n_outputs; o++)
        any = any || hl_study_is_observed(study, o);
    return any;
}

static enum hl_status worker_init(struct worker *w, const struct hl_prepared *p, size_t a, const struct arm_results *r,
                                  struct hl_store *store, size_t block)
{
    const struct hl_arm *arm = &p->study->arm[a];
    memset(w, 0, sizeof *w);
    w->lanes = block;
    w->solver = hl_solver_create(p->plan[a], block);
    w->meter = hl_meter_create(p->study, arm, p->regimen[a], p->plan[a], block);
    w->regs = hl_alloc(arm->system->n_regs * block, sizeof *w->regs);
    w->out = hl_alloc(r->n_outputs * r->n_times * block, sizeof *w->out);
    w->scratch = hl_alloc(widest_metric(r, p->study) * block, sizeof *w->scratch);
    w->status = hl_alloc(block, 1);
    w->observed = is_observed(p->study) ? hl_alloc(r->n_times * block, sizeof *w->observed) : NULL;
    if (is_observed(p->study) && !w->observed)
        return HL_ERR_MEMORY;
    enum hl_status status = hl_strip_create(store, &w->strip);
    if (status != HL_OK)
        return status;
    return w->solver && w->meter && w->regs && w->out && w->scratch && w->status ? HL_OK : HL_ERR_MEMORY;
}

/* Register reg of the block's subjects, appended to an arm's row. */
static void keep_register(double *row, const struct hl_block *block, int reg)
{
    memcpy(row + (size_t)block->first - 1, block->regs + (size_t)reg * block->lanes, block->n * sizeof *row);
}

/* Who the subjects of this block are, as they are after the cohort has been drawn. */
static void keep_subjects(struct arm_results *r, const struct hl_arm *arm, const struct hl_block *block)
{
    const struct hl_system *system = arm->system;
    size_t drawn = 0;
    for (size_t c = 0; c < system->n_covariates; c++)
        keep_register(r->covariate + c * r->subjects, block, system->covariate[c].reg);
    for (size_t i = 0; i < system->n_individuals; i++)
        keep_register(r->individual + i * r->subjects, block, system->individual_value[i].reg);
    for (size_t m = 0; m < system->n_mixtures; m++)
        keep_register(r->mixture + m * r->subjects, block, system->mixture[m].reg);
    for (size_t i = 0; i < system->n_parameters; i++)
        if (is_drawn(arm, i))
            keep_register(r->parameter + drawn++ * r->subjects, block, system->parameter[i].reg);
}

/* [output][time][lane] of a block becomes [output][subject][time] of the arm. */
static void keep_values(struct arm_results *r, const struct hl_block *block)
{
    for (size_t o = 0; o < r->n_outputs; o++)
        for (size_t lane = 0; lane < block->n; lane++) {
            double *to = r->values + (o * r->subjects + (size_t)block->first - 1 + lane) * r->n_times;
            const double *from = block->out + o * r->n_times * block->lanes + lane;
            for (size_t t = 0; t < r->n_times; t++)
                to[t] = from[t * block->lanes];
        }
}

static enum hl_status keep_metrics(struct arm_results *r, const struct worker *w, const struct hl_study *study,
                                   const struct hl_block *block)
{
    for (size_t m = 0; m < study->n_metrics; m++) {
        enum hl_status status = hl_meter_values(w->meter, block, m, w->scratch, r->width[m]);
        if (status != HL_OK)
            return status;
        memcpy(r->metric[m] + ((size_t)block->first - 1) * r->width[m], w->scratch,
               block->n * r->width[m] * sizeof(double));
    }
    return HL_OK;
}

/* An output of a block as it would be measured at each output time: the number of the time is that of the draw. */
static void observe(const struct worker *w, const struct hl_prepared *p, size_t a, const struct hl_block *block,
                    size_t o)
{
    const struct hl_output *output = &p->study->arm[a].system->output[p->study->output[o]];
    size_t n_times = p->study->n_times;
    const double *IPRED = block->out + o * n_times * block->lanes;
    for (size_t t = 0; t < n_times; t++)
        for (size_t lane = 0; lane < block->n; lane++)
            w->observed[t * block->lanes + lane] = hl_cohort_observation(
                p->cohort[a], block->first + lane, output, t, IPRED[t * block->lanes + lane]);
}

/* What the file keeps of a block: it becomes rows of the strip while it is still in the cache. */
static void store_values(const struct worker *w, const struct hl_prepared *p, size_t a, const struct hl_block *block,
                         size_t row)
{
    size_t n_outputs = p->study->n_outputs, n_times = p->study->n_times;
    for (size_t o = 0; o < n_outputs; o++) {
        hl_strip_values(w->strip, o, row, block->n, block->out + o * n_times * block->lanes, block->lanes);
        if (!hl_strip_keeps(w->strip, n_outputs + o))
            continue;
        observe(w, p, a, block, o);
        hl_strip_values(w->strip, n_outputs + o, row, block->n, w->observed, block->lanes);
    }
}

/* Subjects first + row .. first + row + n - 1 of the strip that begins with subject first. */
static enum hl_status solve_block(struct worker *w, const struct hl_prepared *p, size_t a, struct arm_results *r,
                                  size_t first, size_t row, size_t n)
{
    const struct hl_study *study = p->study;
    const struct hl_arm *arm = &study->arm[a];
    size_t lanes = (n + HL_LANES - 1) / HL_LANES * HL_LANES;
    first += row;
    struct hl_block block = {.first = first, .n = n, .lanes = lanes, .regs = w->regs,
                             .seed = arm->cohort->seed, .status = w->status, .out = w->out};
    hl_cohort_fill(p->cohort[a], first, n, w->regs, lanes);
    memset(w->status, 0, lanes);
    hl_meter_begin(w->meter, &block);
    struct hl_listener listener = hl_meter_listener(w->meter);
    keep_subjects(r, arm, &block);
    enum hl_status status = hl_solver_run(w->solver, &block, study->output, study->n_outputs, study->time,
                                          study->n_times, &listener);
    if (status != HL_OK)
        return status;
    keep_values(r, &block);
    store_values(w, p, a, &block, row);
    memcpy(r->status + first - 1, block.status, n);
    return keep_metrics(r, w, study, &block);
}

/* One strip of subjects: solved block by block, then handed to the store. */
static enum hl_status solve_strip(struct worker *w, const struct hl_prepared *p, size_t a, struct arm_results *r,
                                  size_t first, size_t n, struct hl_progress *progress)
{
    enum hl_status status = hl_strip_begin(w->strip, a, first, n);
    for (size_t done = 0; status == HL_OK && done < n; done += w->lanes) {
        size_t left = n - done;
        status = solve_block(w, p, a, r, first, done, left < w->lanes ? left : w->lanes);
    }
    if (status == HL_OK)
        status = hl_strip_finish(w->strip);
    hl_progress_add(progress, n);
    return status;
}

static enum hl_status solve_arm(const struct hl_prepared *p, size_t a, struct arm_results *r, struct hl_store *store,
                                size_t block, struct hl_progress *progress)
{
    enum hl_status status = HL_OK;
    size_t n_strips = (r->subjects + STRIP - 1) / STRIP;
#pragma omp parallel
    {
        struct worker w;
        enum hl_status mine = worker_init(&w, p, a, r, store, block);
#pragma omp for schedule(dynamic, 1)
        for (size_t s = 0; s < n_strips; s++) {
            size_t first = s * STRIP + 1, left = r->subjects - s * STRIP;
            if (mine == HL_OK && !interrupted)
                mine = solve_strip(&w, p, a, r, first, left < STRIP ? left : STRIP, progress);
        }
#pragma omp critical(hl_worst)
        status = mine > status ? mine : status;
        worker_clear(&w);
    }
    enum hl_status drained = interrupted ? HL_OK : hl_store_drain(store);
    status = status == HL_OK ? drained : status;
    return interrupted ? HL_ERR_INTERRUPTED : status;
}

/* The cohort's summaries of one output, time by time. */
struct summary { double *quantiles, *mean, *sd, *fraction; int *count; };

static void summary_clear(struct summary *s)
{
    hl_free(s->quantiles);
    hl_free(s->mean);
    hl_free(s->sd);
    hl_free(s->fraction);
    hl_free(s->count);
}

static bool summary_init(struct summary *s, const struct hl_study *study)
{
    size_t n = study->n_times;
    s->quantiles = hl_alloc(study->n_quantiles * n, sizeof(double));
    s->mean = hl_alloc(n, sizeof(double));
    s->sd = hl_alloc(n, sizeof(double));
    s->fraction = hl_alloc(study->n_thresholds * n, sizeof(double));
    s->count = hl_alloc(n, sizeof(int));
    return s->quantiles && s->mean && s->sd && s->fraction && s->count;
}

/* The cohort's values of output o at up to HL_TIMES times from t: [subject][HL_TIMES]; NaN for those who failed, and
 * where there is no time. */
static void gather(const struct arm_results *r, size_t o, size_t t, double *rows)
{
    size_t n = r->n_times - t < HL_TIMES ? r->n_times - t : HL_TIMES;
    for (size_t k = 0; k < r->subjects; k++) {
        const double *from = r->values + (o * r->subjects + k) * r->n_times + t;
        double *to = rows + k * HL_TIMES;
        bool good = r->status[k] == HL_SUBJECT_GOOD;
        if (good && n == HL_TIMES)
            memcpy(to, from, HL_TIMES * sizeof *to);
        else
            for (size_t i = 0; i < HL_TIMES; i++)
                to[i] = good && i < n ? from[i] : (double)NAN;
    }
}

static void summarise_time(const struct hl_study *study, const struct arm_results *r, size_t o, size_t t,
                           double *column, struct summary *s)
{
    double q[HL_MAX_ASKED];
    size_t row = 0;
    for (size_t i = 0; i < study->n_thresholds; i++)
        if ((size_t)study->threshold[i].output == o)
            s->fraction[row++ * r->n_times + t] =
                hl_cohort_fraction_above(column, r->subjects, study->threshold[i].value);
    hl_quantiles(column, r->subjects, study->quantile, study->n_quantiles, q);
    for (size_t i = 0; i < study->n_quantiles; i++)
        s->quantiles[i * r->n_times + t] = q[i];
}

/* Up to HL_TIMES times from t. */
static void summarise_times(const struct hl_study *study, const struct arm_results *r, size_t o, size_t t,
                            double *rows, double *column, struct summary *s)
{
    double mean[HL_TIMES], sd[HL_TIMES];
    int count[HL_TIMES];
    gather(r, o, t, rows);
    hl_times_moments(rows, r->subjects, mean, sd, count);
    for (size_t i = 0; i < HL_TIMES && t + i < r->n_times; i++) {
        s->mean[t + i] = mean[i];
        s->sd[t + i] = sd[i];
        s->count[t + i] = count[i];
        hl_times_column(rows, r->subjects, i, column);
        summarise_time(study, r, o, t + i, column, s);
    }
}

static enum hl_status summarise_output(const struct hl_study *study, const struct arm_results *r, size_t o,
                                       struct summary *s)
{
    int failed = 0;
#pragma omp parallel
    {
        double *rows = hl_alloc(r->subjects * HL_TIMES, sizeof *rows);
        double *column = hl_alloc(r->subjects, sizeof *column);
        if (!rows || !column) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(dynamic, 4)
        for (size_t t = 0; t < r->n_times; t += HL_TIMES)
            if (rows && column)
                summarise_times(study, r, o, t, rows, column, s);
        hl_free(column);
        hl_free(rows);
    }
    return failed ? HL_ERR_MEMORY : HL_OK;
}

static enum hl_status store_summaries(struct hl_store *store, const struct hl_study *study, size_t a,
                                      const struct arm_results *r)
{
    struct summary s = {0};
    enum hl_status status = summary_init(&s, study) ? HL_OK : HL_ERR_MEMORY;
    for (size_t o = 0; status == HL_OK && o < r->n_outputs; o++) {
        status = summarise_output(study, r, o, &s);
        if (status == HL_OK)
            status = hl_store_summary(store, a, o, s.quantiles, s.mean, s.sd, s.count, s.fraction);
    }
    summary_clear(&s);
    return status;
}

static enum hl_status store_subjects(struct hl_store *store, const struct hl_study *study, size_t a,
                                     const struct arm_results *r)
{
    const struct hl_system *system = study->arm[a].system;
    enum hl_status status = hl_store_subject_status(store, a, r->status);
    for (size_t c = 0; status == HL_OK && c < system->n_covariates; c++)
        status = hl_store_subject_covariate(store, a, c, r->covariate + c * r->subjects);
    for (size_t i = 0; status == HL_OK && i < system->n_individuals; i++)
        status = hl_store_subject_individual(store, a, i, r->individual + i * r->subjects);
    for (size_t m = 0; status == HL_OK && m < system->n_mixtures; m++)
        status = hl_store_subject_mixture(store, a, m, r->mixture + m * r->subjects);
    size_t drawn = 0;
    for (size_t i = 0; status == HL_OK && i < system->n_parameters; i++)
        if (is_drawn(&study->arm[a], i))
            status = hl_store_subject_parameter(store, a, i, r->parameter + drawn++ * r->subjects);
    for (size_t m = 0; status == HL_OK && m < study->n_metrics; m++)
        status = hl_store_metric(store, a, m, r->width[m], r->metric[m]);
    return status;
}

/* The prescribed doses, alike for all: subject 0. What a patch holds is asked of the typical subject. */
static enum hl_status store_prescribed(struct hl_store *store, size_t a, const struct hl_system *system,
                                       const struct hl_regimen *regimen)
{
    struct hl_given *given = hl_alloc(regimen->n_doses, sizeof *given);
    double *regs = hl_alloc(system->n_regs, sizeof *regs);
    enum hl_status status = given && regs ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK) {
        hl_system_reset(system, regs, 1);
        hl_program_run(&system->individual, regs, 1);
    }
    for (size_t i = 0; status == HL_OK && i < regimen->n_doses; i++) {
        const struct hl_dose *dose = &regimen->dose[i];
        given[i] = (struct hl_given){.arm = (int)a, .time = dose->time, .rate = dose->rate, .route = dose->route,
                                     .amount = hl_regimen_amount(dose, system, regs, 1, 0),
                                     .instance = system->route[dose->route].instance};
    }
    if (status == HL_OK)
        status = hl_store_doses(store, regimen->n_doses, given);
    hl_free(given);
    hl_free(regs);
    return status;
}

static enum hl_status store_demands_of(struct hl_store *store, size_t a, uint64_t subject,
                                       const struct hl_events *events)
{
    struct hl_given *given = hl_alloc(events->n, sizeof *given);
    size_t n = 0;
    for (size_t i = 0; given && i < events->n; i++) {
        const struct hl_event *e = &events->event[i];
        if (e->kind == HL_EVENT_GIVEN || e->kind == HL_EVENT_REFUSED)
            given[n++] = (struct hl_given){.arm = (int)a, .subject = subject, .time = e->time, .amount = e->value,
                                           .instance = e->instance, .route = e->route,
                                           .refused = e->kind == HL_EVENT_REFUSED};
    }
    enum hl_status status = given ? hl_store_doses(store, n, given) : HL_ERR_MEMORY;
    hl_free(given);
    return status;
}

/* What each pump gave and refused: the same pure function of (seed, subject) that the solver saw. */
static enum hl_status store_demands(struct hl_store *store, const struct hl_prepared *p, size_t a)
{
    const struct hl_arm *arm = &p->study->arm[a];
    struct hl_regimen demands = *p->regimen[a];
    struct hl_events events = {0};
    double *regs = hl_alloc(arm->system->n_regs, sizeof *regs);
    enum hl_status status = regs ? HL_OK : HL_ERR_MEMORY;
    demands.n_doses = demands.n_steady = 0;
    for (uint64_t k = 1; status == HL_OK && demands.n_demands > 0 && k <= arm->cohort->subjects; k++) {
        hl_cohort_fill(p->cohort[a], k, 1, regs, 1);
        status = hl_regimen_events(&demands, arm->system, regs, 1, 0, arm->cohort->seed, k, &events);
        if (status == HL_OK)
            status = store_demands_of(store, a, k, &events);
    }
    hl_free(events.event);
    hl_free(regs);
    return status;
}

static uint64_t count_failed(const struct arm_results *r)
{
    uint64_t failed = 0;
    for (size_t k = 0; k < r->subjects; k++)
        failed += r->status[k] != HL_SUBJECT_GOOD;
    return failed;
}

static enum hl_status run_arm(const struct hl_prepared *p, size_t a, struct hl_store *store, size_t block,
                              struct hl_progress *progress, uint64_t *failed)
{
    struct arm_results r;
    enum hl_status status = results_init(&r, p->study, &p->study->arm[a], p->regimen[a]);
    if (status == HL_OK)
        status = solve_arm(p, a, &r, store, block, progress);
    if (status == HL_OK)
        status = store_summaries(store, p->study, a, &r);
    if (status == HL_OK)
        status = store_subjects(store, p->study, a, &r);
    if (status == HL_OK)
        status = store_prescribed(store, a, p->study->arm[a].system, p->regimen[a]);
    if (status == HL_OK)
        status = store_demands(store, p, a);
    if (status == HL_OK)
        *failed += count_failed(&r);
    results_clear(&r, p->study);
    return status;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t total_subjects(const struct hl_study *study)
{
    uint64_t total = 0;
    for (size_t a = 0; a < study->n_arms; a++)
        total += study->arm[a].cohort->subjects;
    return total;
}

static void say_status(enum hl_status status, struct hl_diag *diag)
{
    if (status == HL_ERR_INTERRUPTED)
        hl_diag_error(diag, hl_pos_none(), "interrupted; nothing was kept");
    else if (hl_diag_count(diag, HL_ERROR) == 0)
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(status));
}

/* All arms into an open store; the store is finished or abandoned here. */
static enum hl_status run_arms(const struct hl_prepared *p, const struct hl_run_options *options,
                               struct hl_store *store, uint64_t *failed, double started, struct hl_diag *diag)
{
    size_t block = options->block ? (options->block < STRIP ? options->block : STRIP) : BLOCK;
    block = (block + HL_LANES - 1) / HL_LANES * HL_LANES;
    enum hl_progress_mode mode = options->quiet ? HL_PROGRESS_NONE : options->progress;
    struct hl_progress *progress = hl_progress_create(mode, "subjects", total_subjects(p->study));
    enum hl_status status = HL_OK;
    if (p->data)
        status = hl_run_records(p, options->block, store, progress, &interrupted, failed, diag);
    for (size_t a = 0; !p->data && status == HL_OK && a < p->study->n_arms; a++)
        status = interrupted ? HL_ERR_INTERRUPTED : run_arm(p, a, store, block, progress, failed);
    hl_progress_free(progress, status == HL_OK);
    if (status == HL_OK)
        return hl_store_finish(store, seconds_now() - started, *failed, diag);
    hl_store_abandon(store);
    return status;
}

static void say_done(const struct hl_run_options *options, const struct hl_study *study, const char *output,
                     uint64_t failed, double seconds)
{
    if (options->quiet)
        return;
    fprintf(stderr, "%s: %zu arm%s x %llu %s%s in %.2f s\n", output, study->n_arms, study->n_arms == 1 ? "" : "s",
            (unsigned long long)study->subjects, study->data ? "individual" : "subject",
            study->subjects == 1 ? "" : "s", seconds);
    if (failed)
        fprintf(stderr, "%llu subject solutions failed; /subjects/status says why\n", (unsigned long long)failed);
    fprintf(stderr, "for education and research only, not for dosing\nnext: halflife plot %s%s%s\n", output,
            study->data ? ", or: halflife export --format nonmem " : "", study->data ? output : "");
}

/* output/NAME.h5 where there is (or can be) a directory output. */
static const char *default_output(struct hl_arena *arena, const struct hl_study *study)
{
    if (mkdir("output", 0777) != 0 && errno != EEXIST)
        return hl_arena_printf(arena, "%s.h5", study->name);
    return hl_arena_printf(arena, "output/%s.h5", study->name);
}

static enum hl_status run_prepared(const struct hl_prepared *p, const struct hl_run_options *options,
                                   const char *output, double started, struct hl_diag *diag)
{
    struct hl_store *store = NULL;
    struct hl_provenance provenance = {.command_line = options->command_line, .threads = omp_get_max_threads(),
                                       .data_digest = p->data ? hl_data_facts(p->data)->sha256 : NULL};
    enum hl_status status = hl_store_create(output, options->force, p->study,
                                            (const struct hl_regimen *const *)p->regimen, &provenance, &store, diag);
    if (status != HL_OK)
        return status;
    if (options->verify)
        hl_store_verify_all(store);
    uint64_t failed = 0;
    status = run_arms(p, options, store, &failed, started, diag);
    if (status != HL_OK)
        return status;
    say_done(options, p->study, output, failed, seconds_now() - started);
    return failed ? HL_ERR_SUBJECTS : HL_OK;
}

/* Refuses what can't fit before anything is computed: the system would end the process without a word. */
static enum hl_status check_memory(const struct hl_prepared *p, struct hl_diag *diag)
{
    double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE), need = hl_prepared_memory(p);
    if (need <= MEMORY_SHARE * have)
        return HL_OK;
    hl_diag_error(diag, hl_pos_none(), "the values of one arm need %.1f GB of memory, and this machine has %.1f GB; "
                  "ask for fewer subjects, outputs or times", need / 1e9, have / 1e9);
    return HL_ERR_INPUT;
}

enum hl_status hl_run(const struct hl_run_options *options, struct hl_diag *diag)
{
    double started = seconds_now();
    struct hl_prepared prepared;
    if (options->threads > 0)
        omp_set_num_threads(options->threads);
    enum hl_status status = hl_prepare(options->study_path, &options->study, &prepared, diag);
    if (status == HL_OK) {
        const char *output = options->output ? options->output : default_output(prepared.arena, prepared.study);
        if (options->dry_run)
            hl_prepared_describe(&prepared, output, stderr);
        else if ((status = check_memory(&prepared, diag)) == HL_OK)
            status = run_prepared(&prepared, options, output, started, diag);
    }
    if (status != HL_OK && status != HL_ERR_SUBJECTS)
        say_status(status, diag);
    hl_prepared_clear(&prepared);
    return status;
}
