/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An arm's metrics, block by block over all threads, into plain arrays. What a subject gets depends on nothing but the
 * subject (solve.h), so the arrays are those that a run would store. */
#include "run_measure.h"

#include <omp.h>
#include <string.h>

#include "cohort/cohort.h"
#include "measure/measure.h"
#include "run_arm.h"

struct worker {
    struct hl_solver *solver;
    struct hl_meter *meter;
    double *regs, *out;
    signed char status[HL_DEFAULT_BLOCK];
};

static enum hl_status worker_init(struct worker *w, const struct hl_prepared *p, size_t a)
{
    const struct hl_arm *arm = &p->study->arm[a];
    memset(w, 0, sizeof *w);
    w->solver = hl_solver_create(p->plan[a], HL_DEFAULT_BLOCK);
    w->meter = hl_meter_create(p->study, arm, p->regimen[a], p->plan[a], HL_DEFAULT_BLOCK);
    w->regs = hl_alloc(arm->system->n_regs * HL_DEFAULT_BLOCK, sizeof *w->regs);
    w->out = hl_alloc(p->study->n_outputs * p->study->n_times * HL_DEFAULT_BLOCK, sizeof *w->out);
    return w->solver && w->meter && w->regs && w->out ? HL_OK : HL_ERR_MEMORY;
}

static void worker_clear(struct worker *w)
{
    hl_solver_free(w->solver);
    hl_meter_free(w->meter);
    hl_free(w->regs);
    hl_free(w->out);
}

/* The block's outputs at the study's times, into the columns of its subjects. */
static void keep_rows(const struct worker *w, const struct hl_prepared *p, size_t a, size_t done, size_t n,
                      size_t lanes, double *const *row)
{
    const struct hl_study *study = p->study;
    size_t subjects = (size_t)study->arm[a].cohort->subjects;
    for (size_t o = 0; o < study->n_outputs; o++)
        for (size_t t = 0; row[o] && t < study->n_times; t++)
            for (size_t i = 0; i < n; i++)
                row[o][t * subjects + done + i] = w->out[(o * study->n_times + t) * lanes + i];
}

/* Subjects done + 1 .. done + n. */
static enum hl_status solve_block(struct worker *w, const struct hl_prepared *p, size_t a, size_t done, size_t n,
                                  double *const *value, double *const *row)
{
    const struct hl_study *study = p->study;
    const struct hl_arm *arm = &study->arm[a];
    size_t lanes = (n + HL_LANES - 1) / HL_LANES * HL_LANES;
    struct hl_block block = {.first = done + 1, .n = n, .lanes = lanes, .regs = w->regs, .seed = arm->cohort->seed,
                             .status = w->status, .out = w->out};
    hl_cohort_fill(p->cohort[a], done + 1, n, w->regs, lanes);
    memset(w->status, 0, lanes);
    hl_meter_begin(w->meter, &block);
    struct hl_listener listener = hl_meter_listener(w->meter);
    enum hl_status status = hl_solver_run(w->solver, &block, study->output, study->n_outputs, study->time,
                                          study->n_times, &listener);
    for (size_t m = 0; status == HL_OK && m < study->n_metrics; m++)
        status = hl_meter_values(w->meter, &block, m, value[m] + done, 1);
    if (status == HL_OK && row)
        keep_rows(w, p, a, done, n, lanes, row);
    return status;
}

enum hl_status hl_run_measure(const struct hl_prepared *p, size_t a, double *const *value, double *const *row,
                              struct hl_progress *progress, const volatile sig_atomic_t *stop)
{
    size_t subjects = (size_t)p->study->arm[a].cohort->subjects;
    enum hl_status status = HL_OK;
#pragma omp parallel
    {
        struct worker w;
        enum hl_status mine = worker_init(&w, p, a);
#pragma omp for schedule(dynamic, 1)
        for (size_t done = 0; done < subjects; done += HL_DEFAULT_BLOCK) {
            size_t n = subjects - done < HL_DEFAULT_BLOCK ? subjects - done : HL_DEFAULT_BLOCK;
            if (mine == HL_OK && !*stop)
                mine = solve_block(&w, p, a, done, n, value, row);
            hl_progress_add(progress, n);
        }
#pragma omp critical(hl_worst_measure)
        status = mine > status ? mine : status;
        worker_clear(&w);
    }
    return *stop ? HL_ERR_INTERRUPTED : status;
}
