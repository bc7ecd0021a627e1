/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One arm: its cohort is solved strip by strip, batch by batch, and what becomes of it goes to the store.
 *
 * A strip is 64 subjects (one chunk of the file), solved in blocks (by whom: run_desks.h). As soon as a block is
 * solved its values go two ways: into the strip of trajectories, which is handed to the store when it is whole, and
 * into the batch, from which the cohort's summaries are taken column by column (run_columns.h) once all strips of the
 * batch are there. Usually one pass over the cohort is enough. When memory is short the columns are divided, and a pass
 * solves the cohort again for each part; when a column's quantiles were missed (run_columns.h says so, it never
 * guesses), one more pass looks for them with room for everybody. A pass after the first stores nothing but what it
 * looks for.
 * It measures like the first, so that the solver goes the same way and comes to the same bits.
 *
 * Nothing a subject gets depends on the strip, the batch, the block or the thread it was solved in; sums across the
 * cohort run in order of subject. */
#include "run_arm.h"

#include <math.h>
#include <omp.h>
#include <string.h>
#include <time.h>

#include "cohort/cohort.h"
#include "run_columns.h"
#include "run_desks.h"
#include "run_given.h"

/* All that one arm yields, subject by subject, in the engine's units. */
struct arm_results {
    size_t subjects;
    double **metric;     /* [metric][subject of the batch * width] */
    size_t *width;
    double *covariate;   /* [covariate][subject] */
    double *individual;  /* [individual][subject] */
    double *mixture;     /* [mixture][subject] */
    double *parameter;   /* [drawn parameter][subject] */
    signed char *status; /* [subject] */
    size_t n_reviewed;
    struct hl_history *history; /* [subject]: what its reviews decided; NULL without reviews */
};

static void results_clear(struct arm_results *r, const struct hl_study *study)
{
    for (size_t m = 0; r->metric && m < study->n_metrics; m++)
        hl_free(r->metric[m]);
    for (size_t k = 0; r->history && k < r->subjects; k++)
        hl_history_clear(&r->history[k]);
    hl_free(r->history);
    hl_free(r->metric);
    hl_free(r->width);
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

/* For the first so many subjects. */
static enum hl_status results_init(struct arm_results *r, const struct hl_study *study, const struct hl_arm *arm,
                                   const struct hl_regimen *regimen, size_t subjects, size_t batch)
{
    memset(r, 0, sizeof *r);
    r->subjects = subjects;
    r->covariate = hl_alloc_unset(arm->system->n_covariates, r->subjects * sizeof *r->covariate);
    r->individual = hl_alloc_unset(arm->system->n_individuals, r->subjects * sizeof *r->individual);
    r->mixture = hl_alloc_unset(arm->system->n_mixtures, r->subjects * sizeof *r->mixture);
    r->parameter = hl_alloc_unset(count_drawn(arm), r->subjects * sizeof *r->parameter);
    r->status = hl_alloc(r->subjects, 1);
    r->metric = hl_alloc(study->n_metrics, sizeof *r->metric);
    r->width = hl_alloc(study->n_metrics, sizeof *r->width);
    r->n_reviewed = regimen->n_reviewed;
    r->history = r->n_reviewed > 0 ? hl_alloc(r->subjects, sizeof *r->history) : NULL;
    bool histories = r->history || r->n_reviewed == 0;
    bool complete = histories && r->covariate && r->individual && r->mixture && r->parameter && r->status &&
                    r->metric && r->width;
    for (size_t m = 0; complete && m < study->n_metrics; m++) {
        r->width[m] = hl_metric_width(study, regimen, m);
        r->metric[m] = hl_alloc_unset(batch * HL_STRIP * r->width[m], sizeof *r->metric[m]);
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

/* One way through the cohort. */
struct pass {
    const struct hl_prepared *p;
    size_t arm, block;
    struct hl_store *store;
    struct arm_results *results;
    struct hl_columns *columns;
    bool first;                          /* keeps who the subjects are, metrics and trajectories */
    struct hl_progress *progress;        /* NULL in a pass that wasn't planned */
    const volatile sig_atomic_t *stop;
    struct hl_desks *desks;              /* who solves what */
    struct hl_strip **strip;             /* by desk: what lies on it */
};

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

static enum hl_status worker_init(struct worker *w, const struct pass *pass)
{
    const struct hl_prepared *p = pass->p;
    size_t a = pass->arm, block = pass->block;
    const struct hl_arm *arm = &p->study->arm[a];
    memset(w, 0, sizeof *w);
    w->lanes = block;
    w->solver = hl_solver_create(p->plan[a], block);
    w->meter = hl_meter_create(p->study, arm, p->regimen[a], p->plan[a], block);
    w->regs = hl_alloc(arm->system->n_regs * block, sizeof *w->regs);
    w->out = hl_alloc(p->study->n_outputs * p->study->n_times * block, sizeof *w->out);
    w->scratch = hl_alloc(widest_metric(pass->results, p->study) * block, sizeof *w->scratch);
    w->status = hl_alloc(block, 1);
    w->observed = is_observed(p->study) ? hl_alloc(p->study->n_times * block, sizeof *w->observed) : NULL;
    if (is_observed(p->study) && !w->observed)
        return HL_ERR_MEMORY;
    enum hl_status status = pass->store ? hl_strip_create(pass->store, &w->strip) : HL_OK;
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

/* What was decided for them. */
static enum hl_status keep_histories(struct arm_results *r, const struct worker *w, const struct hl_block *block)
{
    enum hl_status status = HL_OK;
    for (size_t lane = 0; r->history && status == HL_OK && lane < block->n; lane++)
        status = hl_history_copy(hl_solver_history(w->solver, lane), r->n_reviewed,
                                 &r->history[block->first - 1 + lane]);
    return status;
}

/* The block's first subject is number at of the batch. */
static enum hl_status keep_metrics(struct arm_results *r, const struct worker *w, const struct hl_study *study,
                                   const struct hl_block *block, size_t at)
{
    for (size_t m = 0; m < study->n_metrics; m++) {
        enum hl_status status = hl_meter_values(w->meter, block, m, w->scratch, r->width[m]);
        if (status != HL_OK)
            return status;
        memcpy(r->metric[m] + at * r->width[m], w->scratch, block->n * r->width[m] * sizeof(double));
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

/* What the file keeps of a block: it becomes rows of a strip while it is still in the cache. */
static void store_values(const struct worker *w, const struct hl_prepared *p, size_t a, const struct hl_block *block,
                         struct hl_strip *strip, size_t row)
{
    size_t n_outputs = p->study->n_outputs, n_times = p->study->n_times;
    for (size_t o = 0; o < n_outputs; o++) {
        hl_strip_values(strip, o, row, block->n, block->out + o * n_times * block->lanes, block->lanes);
        if (!hl_strip_keeps(strip, n_outputs + o))
            continue;
        observe(w, p, a, block, o);
        hl_strip_values(strip, n_outputs + o, row, block->n, w->observed, block->lanes);
    }
}

/* n subjects from number first on. */
static enum hl_status solve_block(struct worker *w, const struct pass *pass, size_t first, size_t n,
                                  struct hl_block *block)
{
    const struct hl_prepared *p = pass->p;
    const struct hl_study *study = p->study;
    const struct hl_arm *arm = &study->arm[pass->arm];
    size_t lanes = (n + HL_LANES - 1) / HL_LANES * HL_LANES;
    *block = (struct hl_block){.first = first, .n = n, .lanes = lanes, .regs = w->regs, .seed = arm->cohort->seed,
                               .status = w->status, .out = w->out};
    hl_cohort_fill(p->cohort[pass->arm], first, n, w->regs, lanes);
    memset(w->status, 0, lanes);
    hl_meter_begin(w->meter, block);
    struct hl_listener listener = hl_meter_listener(w->meter);
    if (pass->first)
        keep_subjects(pass->results, arm, block);
    return hl_solver_run(w->solver, block, study->output, study->n_outputs, study->time, study->n_times, &listener);
}

/* What else is kept of a solved block, which is that of the task. */
static enum hl_status keep_results(struct worker *w, const struct pass *pass, const struct hl_task *task,
                                   const struct hl_block *block)
{
    memcpy(pass->results->status + block->first - 1, block->status, block->n);
    enum hl_status status = keep_histories(pass->results, w, block);
    if (status == HL_OK)
        status = keep_metrics(pass->results, w, pass->p->study, block, task->place * HL_STRIP + task->row);
    return status;
}

/* Sheets and results may be filled in any order, columns in that of the rows. *full: the strip is to be finished. */
static enum hl_status hand_over(struct worker *w, const struct pass *pass, const struct hl_task *task,
                                struct hl_block *block, bool *full)
{
    enum hl_status status = HL_OK;
    *full = false;
    if (pass->first) {
        store_values(w, pass->p, pass->arm, block, pass->strip[task->desk], task->row);
        status = keep_results(w, pass, task, block);
    }
    if (status != HL_OK || !hl_desks_wait(pass->desks, task))
        return status;
    hl_columns_keep(pass->columns, task->place, task->row, block);
    *full = hl_desks_hand_over(pass->desks, task);
    return HL_OK;
}

static enum hl_status begin_strip(const struct pass *pass, const struct hl_task *task, size_t first)
{
    size_t left = pass->results->subjects - (first - 1), n = left < HL_STRIP ? left : HL_STRIP;
    enum hl_status status = pass->first ? hl_strip_begin(pass->strip[task->desk], pass->arm, first, n) : HL_OK;
    if (status == HL_OK)
        hl_desks_lay(pass->desks, task);
    return status;
}

/* The batch begins with strip number first. */
static enum hl_status do_task(struct worker *w, const struct pass *pass, const struct hl_task *task, size_t first)
{
    size_t subject = (first + task->place) * HL_STRIP + task->row + 1;
    struct hl_block block;
    bool full = false;
    enum hl_status status = task->begins ? begin_strip(pass, task, subject) : HL_OK;
    if (status == HL_OK)
        status = solve_block(w, pass, subject, task->n, &block);
    if (status == HL_OK)
        status = hand_over(w, pass, task, &block, &full);
    if (full && pass->first)
        status = hl_strip_finish(pass->strip[task->desk]);
    hl_progress_add(pass->progress, task->n);
    return status;
}

/* As long as there is something to do and nothing has gone wrong, here or with others. */
static enum hl_status do_tasks(struct worker *w, const struct pass *pass, enum hl_status mine, size_t first)
{
    struct hl_task task;
    while (mine == HL_OK && !*pass->stop && hl_desks_take(pass->desks, (size_t)omp_get_thread_num(), &task))
        mine = do_task(w, pass, &task, first);
    if (mine != HL_OK || *pass->stop)
        hl_desks_give_up(pass->desks);
    return mine;
}

/* A metric of the batch that begins with strip first. */
static enum hl_status store_metric(const struct pass *pass, size_t metric, size_t first, size_t strips)
{
    const struct arm_results *r = pass->results;
    size_t done = first * HL_STRIP, n = r->subjects - done < strips * HL_STRIP ? r->subjects - done : strips * HL_STRIP;
    return hl_store_metric_rows(pass->store, pass->arm, metric, done + 1, n, r->width[metric], r->metric[metric]);
}

static size_t group_end(size_t first, size_t n_columns)
{
    return first + HL_COLUMNS_AT_ONCE < n_columns ? first + HL_COLUMNS_AT_ONCE : n_columns;
}

/* All batches; every thread goes the same way through the loops, whatever fails. */
static enum hl_status solve_batches(const struct pass *pass, size_t n_columns, int threads,
                                    struct hl_arm_summary *summary, bool *found)
{
    enum hl_status status = HL_OK;
    size_t n_metrics = pass->first ? pass->p->study->n_metrics : 0, subjects = pass->results->subjects;
    size_t n_strips = (subjects + HL_STRIP - 1) / HL_STRIP;
#pragma omp parallel num_threads(threads)
    {
        struct worker w;
        enum hl_status mine = worker_init(&w, pass);
        double *scratch = hl_alloc_unset(hl_columns_scratch(pass->columns), sizeof *scratch);
        mine = mine == HL_OK && !scratch ? HL_ERR_MEMORY : mine;
        pass->strip[omp_get_thread_num()] = w.strip;
        for (size_t first = 0, strips; first < n_strips; first += strips) {
            strips = hl_columns_batch(pass->columns, first, n_strips - first, (size_t)threads);
#pragma omp single
            {
                hl_columns_begin(pass->columns);
                hl_desks_open(pass->desks, strips, subjects - first * HL_STRIP);
            }
            mine = do_tasks(&w, pass, mine, first);
#pragma omp barrier
            bool goes_on = hl_desks_go_on(pass->desks);
#pragma omp for schedule(dynamic, 1) nowait
            for (size_t desk = 0; desk < (size_t)threads; desk++)
                if (goes_on && mine == HL_OK && hl_desks_left(pass->desks, desk) && pass->first)
                    mine = hl_strip_finish(pass->strip[desk]);
#pragma omp for schedule(dynamic, 1)
            for (size_t c = 0; c < n_columns; c += HL_COLUMNS_AT_ONCE)
                if (goes_on)
                    hl_columns_add(pass->columns, c, group_end(c, n_columns), strips, scratch);
#pragma omp for schedule(dynamic, 1)
            for (size_t m = 0; m < n_metrics; m++)
                if (goes_on && mine == HL_OK)
                    mine = store_metric(pass, m, first, strips);
        }
#pragma omp for schedule(dynamic, 1)
        for (size_t c = 0; c < n_columns; c += HL_COLUMNS_AT_ONCE)
            if (mine == HL_OK && hl_desks_go_on(pass->desks))
                hl_columns_finish(pass->columns, c, group_end(c, n_columns), summary, found);
#pragma omp critical(hl_worst)
        status = mine > status ? mine : status;
        hl_free(scratch);
        worker_clear(&w);
    }
    return *pass->stop ? HL_ERR_INTERRUPTED : status;
}

/* No more threads than there are blocks: one that has nothing to do costs its start, and others' time while it
 * waits. */
static int threads_for(const struct pass *pass)
{
    size_t blocks = (pass->results->subjects + pass->block - 1) / pass->block, most = (size_t)omp_get_max_threads();
    return (int)(blocks < most ? blocks : most);
}

/* One pass for n columns of the list; those whose quantiles were missed are moved to its front and counted in *missed.
 */
static enum hl_status run_pass(struct pass *pass, const struct hl_room *room, uint32_t *column, size_t n,
                               size_t capacity, struct hl_arm_summary *summary, size_t *missed)
{
    int threads = threads_for(pass);
    bool *found = hl_alloc(n, sizeof *found);
    pass->columns = hl_columns_create(pass->p->study, column, n, pass->results->subjects, room->strips, capacity,
                                      (size_t)threads);
    pass->desks = hl_desks_create((size_t)threads, pass->block);
    pass->strip = hl_alloc((size_t)threads, sizeof *pass->strip);
    enum hl_status status = found && pass->columns && pass->desks && pass->strip ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK)
        status = solve_batches(pass, n, threads, summary, found);
    enum hl_status drained = pass->first && status == HL_OK ? hl_store_drain(pass->store) : HL_OK;
    *missed = 0;
    for (size_t i = 0; status == HL_OK && i < n; i++)
        if (!found[i])
            column[(*missed)++] = column[i];
    hl_columns_free(pass->columns);
    hl_desks_free(pass->desks);
    hl_free(pass->strip);
    hl_free(found);
    return status == HL_OK ? drained : status;
}

/* Planned passes first, then those for what was missed. */
static enum hl_status run_passes(struct pass *pass, const struct hl_room *room, struct hl_arm_summary *summary)
{
    size_t n = pass->p->study->n_outputs * pass->p->study->n_times, n_missed = 0, missed = 0;
    uint32_t *column = hl_alloc(n, sizeof *column);
    enum hl_status status = column ? HL_OK : HL_ERR_MEMORY;
    for (size_t i = 0; column && i < n; i++)
        column[i] = (uint32_t)i;
    for (size_t from = 0; status == HL_OK && from < n; from += room->columns) {
        size_t these = n - from < room->columns ? n - from : room->columns;
        status = run_pass(pass, room, column + from, these, room->capacity, summary, &missed);
        memmove(column + n_missed, column + from, missed * sizeof *column);
        n_missed += missed;
        pass->first = false;
    }
    pass->progress = NULL;
    for (size_t from = 0; status == HL_OK && from < n_missed; from += room->missed) {
        size_t these = n_missed - from < room->missed ? n_missed - from : room->missed;
        status = run_pass(pass, room, column + from, these, pass->results->subjects, summary, &missed);
        if (status == HL_OK && missed > 0)
            status = HL_ERR_INTERNAL; /* with room for everybody nothing can be missed */
    }
    hl_free(column);
    return status;
}

/* ---- To the store. */

static enum hl_status store_summaries(struct hl_store *store, const struct hl_study *study, size_t a,
                                      const struct hl_arm_summary *s)
{
    size_t n = study->n_times;
    double *fraction = hl_alloc(study->n_thresholds * n, sizeof *fraction);
    enum hl_status status = fraction ? HL_OK : HL_ERR_MEMORY;
    for (size_t o = 0; status == HL_OK && o < study->n_outputs; o++) {
        size_t rows = 0;
        for (size_t i = 0; i < study->n_thresholds; i++)
            if ((size_t)study->threshold[i].output == o)
                memcpy(fraction + rows++ * n, s->fraction + i * n, n * sizeof *fraction);
        status = hl_store_summary(store, a, o, s->quantiles + o * study->n_quantiles * n, s->mean + o * n,
                                  s->sd + o * n, s->count + o * n, fraction);
    }
    hl_free(fraction);
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
        status = hl_store_metric_end(store, a, m);
    return status == HL_OK ? hl_store_drain(store) : status;
}

static uint64_t count_failed(const struct arm_results *r)
{
    uint64_t failed = 0;
    for (size_t k = 0; k < r->subjects; k++)
        failed += r->status[k] != HL_SUBJECT_GOOD;
    return failed;
}

/* ---- A first look. */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Rows row .. row + n - 1 of the first strip. */
static enum hl_status try_block(struct worker *w, const struct pass *pass, size_t row, size_t n)
{
    struct hl_block block;
    enum hl_status status = solve_block(w, pass, row + 1, n, &block);
    if (row == 0)
        hl_columns_begin(pass->columns);
    if (status == HL_OK)
        hl_columns_keep(pass->columns, 0, row, &block);
    return status;
}

/* Solves one subject, then blocks of the first strip as long as there is time; seconds per subject of the last. */
static double time_strip(struct worker *w, const struct pass *pass, double limit)
{
    size_t n = pass->results->subjects, done = 1;
    double started = seconds_now(), spent = 0;
    if (try_block(w, pass, 0, 1) != HL_OK)
        return 0;
    double each = spent = seconds_now() - started;
    for (size_t row = 0; row < n && spent < limit; row += w->lanes) {
        started = seconds_now();
        done = n - row < w->lanes ? n - row : w->lanes;
        if (try_block(w, pass, row, done) != HL_OK)
            return 0;
        each = (seconds_now() - started) / (double)done;
        spent += seconds_now() - started;
    }
    return each;
}

double hl_run_probe(const struct hl_prepared *p, size_t a, double limit)
{
    volatile sig_atomic_t stop = 0;
    size_t n = p->study->n_outputs * p->study->n_times;
    struct arm_results r;
    struct worker w = {0};
    struct pass pass = {.p = p, .arm = a, .block = HL_DEFAULT_BLOCK, .results = &r, .stop = &stop};
    uint32_t *column = hl_alloc(n, sizeof *column);
    double each = 0;
    const struct hl_arm *arm = &p->study->arm[a];
    size_t subjects = arm->cohort->subjects < HL_STRIP ? (size_t)arm->cohort->subjects : HL_STRIP;
    for (size_t i = 0; column && i < n; i++)
        column[i] = (uint32_t)i;
    pass.columns = column ? hl_columns_create(p->study, column, n, 1, 1, 1, 1) : NULL;
    enum hl_status status = results_init(&r, p->study, arm, p->regimen[a], subjects, 1);
    if (status == HL_OK && pass.columns)
        status = worker_init(&w, &pass);
    if (status == HL_OK && pass.columns)
        each = time_strip(&w, &pass, limit);
    worker_clear(&w);
    results_clear(&r, p->study);
    hl_columns_free(pass.columns);
    hl_free(column);
    return each;
}

enum hl_status hl_run_arm(const struct hl_prepared *p, size_t a, const struct hl_room *room, size_t block,
                          struct hl_store *store, struct hl_progress *progress, const volatile sig_atomic_t *stop,
                          uint64_t *failed)
{
    struct arm_results r;
    struct hl_arm_summary summary = {0};
    struct pass pass = {.p = p, .arm = a, .block = block, .store = store, .results = &r, .first = true,
                        .progress = progress, .stop = stop};
    const struct hl_arm *arm = &p->study->arm[a];
    enum hl_status status = results_init(&r, p->study, arm, p->regimen[a], (size_t)arm->cohort->subjects, room->strips);
    if (status == HL_OK)
        status = hl_arm_summary_init(&summary, p->study);
    if (status == HL_OK)
        status = run_passes(&pass, room, &summary);
    if (status == HL_OK)
        status = store_summaries(store, p->study, a, &summary);
    hl_arm_summary_clear(&summary);
    if (status == HL_OK)
        status = store_subjects(store, p->study, a, &r);
    if (status == HL_OK)
        status = hl_run_store_given(store, p, a, r.history, r.status);
    if (status == HL_OK)
        *failed += count_failed(&r);
    results_clear(&r, p->study);
    return status;
}
