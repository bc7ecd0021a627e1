/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels alone: cohort, solver and meter as sim/run_arm.c calls them, in blocks of 16 subjects, nothing written. A
 * thread takes 64 subjects at a time, as a run does, or one block where each thread has too few of those to end with
 * the others. */
#include "engine.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/vector.h"
#include "cohort/cohort.h"
#include "measure/measure.h"
#include "timing.h"

#define BLOCK 16
#define STRIP 4 /* blocks */
#define MANY 64 /* strips for each thread */

static const char *const models[] = {"models"};

static void give_up(struct hl_diag *diag)
{
    hl_diag_print(diag, stderr);
    exit(1);
}

void engine_study(char *path, size_t size, const char *folder, int w)
{
    if (w == BENCH_W5)
        snprintf(path, size, "%s/../../configs/tapers.yaml", folder);
    else
        snprintf(path, size, "%s/w%d.yaml", folder, w);
}

struct hl_prepared *engine_prepare(const char *study, size_t subjects, const struct hl_set *sets, size_t n_sets)
{
    struct hl_study_options options = {.has_subjects = subjects > 0, .subjects = subjects, .n_sets = n_sets,
                                       .set = sets, .model_directory = models, .n_model_directories = 1};
    struct hl_prepared *prepared = hl_alloc(1, sizeof *prepared);
    struct hl_diag *diag = hl_diag_create();
    if (hl_prepare(study, &options, prepared, diag) != HL_OK)
        give_up(diag);
    hl_diag_free(diag);
    return prepared;
}

void engine_release(struct hl_prepared *prepared)
{
    hl_prepared_clear(prepared);
    hl_free(prepared);
}

/* --- one thread's part of one arm --- */

struct worker {
    const struct hl_prepared *p;
    size_t arm;
    struct hl_solver *solver;
    struct hl_meter *meter;
    double *regs, *out, *metric;
    size_t *width;               /* by metric */
    signed char status[BLOCK];
};

/* Fills the widths of all metrics, and returns the greatest. */
static size_t measure_widths(struct worker *w)
{
    const struct hl_study *study = w->p->study;
    size_t widest = 1;
    w->width = hl_alloc(study->n_metrics + 1, sizeof *w->width);
    for (size_t m = 0; m < study->n_metrics; m++) {
        w->width[m] = hl_metric_width(study, w->p->regimen[w->arm], m);
        widest = w->width[m] > widest ? w->width[m] : widest;
    }
    return widest;
}

static void worker_init(struct worker *w, const struct hl_prepared *p, size_t arm, bool measured)
{
    const struct hl_study *study = p->study;
    *w = (struct worker){.p = p, .arm = arm};
    w->solver = hl_solver_create(p->plan[arm], BLOCK);
    w->regs = hl_alloc(study->arm[arm].system->n_regs * BLOCK, sizeof(double));
    w->out = hl_alloc_unset(study->n_outputs * study->n_times, BLOCK * sizeof(double));
    w->metric = hl_alloc(measure_widths(w) * BLOCK, sizeof(double));
    if (measured)
        w->meter = hl_meter_create(study, &study->arm[arm], p->regimen[arm], p->plan[arm], BLOCK);
}

static void worker_clear(struct worker *w)
{
    hl_solver_free(w->solver);
    hl_meter_free(w->meter);
    hl_free(w->regs);
    hl_free(w->out);
    hl_free(w->metric);
    hl_free(w->width);
}

static struct hl_block solve_block(struct worker *w, size_t first, size_t n)
{
    const struct hl_study *study = w->p->study;
    size_t lanes = (n + HL_LANES - 1) / HL_LANES * HL_LANES;
    struct hl_block block = {.first = first, .n = n, .lanes = lanes, .regs = w->regs,
                             .seed = study->arm[w->arm].cohort->seed, .status = w->status, .out = w->out};
    struct hl_listener listener = {0};
    hl_cohort_fill(w->p->cohort[w->arm], first, n, w->regs, lanes);
    memset(w->status, 0, sizeof w->status);
    if (w->meter) {
        hl_meter_begin(w->meter, &block);
        listener = hl_meter_listener(w->meter);
    }
    hl_solver_run(w->solver, &block, study->output, study->n_outputs, study->time, study->n_times,
                  w->meter ? &listener : NULL);
    return block;
}

typedef double eight __attribute__((vector_size(64)));

/* Every value counts, so that nothing can be left out. Rows of eight lanes, added up in turn into four sums of eight,
 * so that an addition needn't wait for the last one. */
HL_CLONES static double sum_of_values(const double *value, size_t n)
{
    const eight *row = (const eight *)value;
    eight a = {0}, b = {0}, c = {0}, d = {0};
    size_t i = 0;
    for (; i + 4 <= n / 8; i += 4) {
        a += row[i];
        b += row[i + 1];
        c += row[i + 2];
        d += row[i + 3];
    }
    for (; i < n / 8; i++)
        a += row[i];
    a = (a + b) + (c + d);
    double all = 0;
    for (size_t lane = 0; lane < 8; lane++)
        all += a[lane];
    return all;
}

static double checksum(const struct worker *w, const struct hl_block *block)
{
    const struct hl_study *study = w->p->study;
    double all = sum_of_values(block->out, study->n_outputs * study->n_times * block->lanes);
    for (size_t m = 0; w->meter && m < study->n_metrics; m++) {
        hl_meter_values(w->meter, block, m, w->metric, w->width[m]);
        all += w->metric[0];
    }
    return all;
}

/* Adds to an effort what a thread did since it began, and remembers when the last one was ready. */
static void note_effort(struct effort *effort, double processor, double *ready, double *last)
{
    double now = seconds();
#pragma omp critical(bench_effort)
    {
        effort->processor += processor_seconds() - processor;
        *ready += now;
        *last = fmax(*last, now);
    }
}

static double solve_arm(const struct hl_prepared *prepared, size_t arm, size_t first, size_t n, int threads,
                        bool measured, struct effort *effort)
{
    double sum = 0, ready = 0, last = 0;
    size_t blocks = (n + BLOCK - 1) / BLOCK, at_once = blocks >= (size_t)threads * STRIP * MANY ? STRIP : 1;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
    {
        struct worker w;
        double processor = processor_seconds();
        worker_init(&w, prepared, arm, measured);
#pragma omp for schedule(dynamic, at_once) nowait
        for (size_t k = 0; k < blocks; k++) {
            size_t done = k * BLOCK;
            struct hl_block block = solve_block(&w, first + done, n - done < BLOCK ? n - done : BLOCK);
            sum += checksum(&w, &block);
        }
        note_effort(effort, processor, &ready, &last);
        worker_clear(&w);
    }
    effort->waiting += threads * last - ready;
    return sum;
}

double engine_solve_some(const struct hl_prepared *prepared, size_t first, size_t n, int threads, bool measured,
                         struct effort *effort)
{
    struct effort unasked;
    double sum = 0;
    effort = effort ? effort : &unasked;
    *effort = (struct effort){0, 0};
    for (size_t arm = 0; arm < prepared->study->n_arms; arm++)
        sum += solve_arm(prepared, arm, first, n, threads, measured, effort);
    return sum;
}

double engine_solve(const struct hl_prepared *prepared, size_t n, int threads, bool measured)
{
    return engine_solve_some(prepared, 1, n, threads, measured, NULL);
}

static void rows_of_arm(const struct hl_prepared *prepared, size_t arm, size_t n, double *rows)
{
    size_t n_outputs = prepared->study->n_outputs, n_times = prepared->study->n_times;
    struct worker w;
    worker_init(&w, prepared, arm, false);
    struct hl_block block = solve_block(&w, 1, n);
    for (size_t k = 0; k < n; k++)
        for (size_t t = 0; t < n_times; t++)
            for (size_t o = 0; o < n_outputs; o++)
                rows[(k * n_times + t) * n_outputs + o] = block.out[(o * n_times + t) * block.lanes + k];
    worker_clear(&w);
}

void engine_rows(const struct hl_prepared *prepared, size_t n, double *rows)
{
    for (size_t arm = 0; arm < prepared->study->n_arms; arm++)
        rows_of_arm(prepared, arm, n, rows + arm * n * prepared->study->n_times * prepared->study->n_outputs);
}

void engine_values(const struct hl_prepared *prepared, size_t n, float *values)
{
    size_t n_outputs = prepared->study->n_outputs, n_times = prepared->study->n_times;
    struct worker w;
    worker_init(&w, prepared, 0, false);
    for (size_t done = 0; done < n; done += BLOCK) {
        struct hl_block block = solve_block(&w, done + 1, n - done < BLOCK ? n - done : BLOCK);
        for (size_t o = 0; o < n_outputs; o++)
            for (size_t k = 0; k < block.n; k++)
                for (size_t t = 0; t < n_times; t++)
                    values[(o * n + done + k) * n_times + t] = (float)block.out[(o * n_times + t) * block.lanes + k];
    }
    worker_clear(&w);
}

/* --- the same patients and doses for the baselines --- */

struct workload_info {
    int n_states, n_outputs, n_parameters;
    const char *covariate[MOST_PARAMETERS];
    double initial[MOST_STATES];
    struct { int state; double lag, F; } dosed[2]; /* by drug, in the order of the study */
};

static const struct workload_info info[] = {
    {0},
    {9, 4, 6, {"KAZ", "CLZ", "V1Z", "KAF", "CLF", "V1F"}, {0}, {{0, 0.25, 0.9}, {4, 1.5, 1}}},
    {4, 2, 2, {"CL", "V1"}, {0}, {{0, 0, 1}}},
    {6, 4, 3, {"KA", "VMAX", "V1"}, {0, 0, 0, 0, 0, 10}, {{0, 0.25, 0.9}}},
    {2, 1, 3, {"KA", "CL", "V"}, {0}, {{0, 0, 1}}},
};

static void take_patients(struct task *task, const struct hl_prepared *p)
{
    const struct hl_system *system = p->study->arm[0].system;
    double *regs = hl_alloc(system->n_regs, sizeof *regs), *to = task->patient;
    for (size_t k = 0; k < task->n_patients; k++) {
        hl_cohort_fill(p->cohort[0], k + 1, 1, regs, 1);
        for (int i = 0; i < task->n_parameters; i++) {
            int covariate = hl_system_find_covariate(system, info[task->w].covariate[i]);
            *to++ = regs[system->covariate[covariate].reg];
        }
    }
    hl_free(regs);
}

static int earlier(const void *a, const void *b)
{
    double x = ((const struct bench_event *)a)->time, y = ((const struct bench_event *)b)->time;
    return (x > y) - (x < y);
}

static void take_doses(struct task *task, const struct hl_prepared *p)
{
    const struct hl_regimen *regimen = p->regimen[0];
    for (size_t i = 0; i < regimen->n_doses; i++) {
        const struct hl_dose *dose = &regimen->dose[i];
        int drug = p->study->arm[0].system->route[dose->route].instance, state = info[task->w].dosed[drug].state;
        double time = dose->time + info[task->w].dosed[drug].lag, F = info[task->w].dosed[drug].F;
        if (dose->kind == HL_DOSE_INFUSION) {
            task->event[task->n_events++] = (struct bench_event){time, -1, 0, dose->rate};
            task->event[task->n_events++] = (struct bench_event){time + dose->duration, -1, 0, 0};
        } else
            task->event[task->n_events++] = (struct bench_event){time, state, dose->amount * F, 0};
    }
    qsort(task->event, task->n_events, sizeof *task->event, earlier);
}

struct task engine_task(const struct hl_prepared *prepared, int w, size_t n)
{
    struct task task = {.w = w, .n_states = info[w].n_states, .n_outputs = info[w].n_outputs,
                        .n_parameters = info[w].n_parameters, .n_times = prepared->study->n_times,
                        .time = prepared->study->time, .n_patients = n};
    memcpy(task.initial, info[w].initial, sizeof task.initial);
    task.patient = hl_alloc(n * (size_t)task.n_parameters, sizeof(double));
    task.event = hl_alloc(2 * prepared->regimen[0]->n_doses, sizeof *task.event);
    take_patients(&task, prepared);
    take_doses(&task, prepared);
    return task;
}

void task_release(struct task *task)
{
    hl_free(task->patient);
    hl_free(task->event);
}

/* --- whole runs --- */

double engine_run(const char *study, size_t subjects, const struct hl_set *sets, size_t n_sets, const char *output,
                  int threads)
{
    struct hl_run_options options = {.study_path = study, .output = output, .force = true, .quiet = true,
                                     .threads = threads, .progress = HL_PROGRESS_NONE, .command_line = "bench"};
    options.study = (struct hl_study_options){.has_subjects = subjects > 0, .subjects = subjects, .n_sets = n_sets,
                                              .set = sets, .model_directory = models, .n_model_directories = 1};
    struct hl_diag *diag = hl_diag_create();
    double start = seconds();
    if (hl_run(&options, diag) != HL_OK)
        give_up(diag);
    hl_diag_free(diag);
    return seconds() - start;
}
