/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workloads W1 to W4 (w1.yaml ... w4.yaml): the engine against what one would write by hand, one thread each, in one
 * run. Contestants take turns, so that a noisy moment touches all alike; a slow one solves fewer patients and its time
 * is scaled up. Every contestant's largest relative error is taken against a 128-bit reference, over the
 * values above 1e-6 of each profile's peak. Run by tests/bench/run from the folder of the benchmark.
 * usage: bench_workloads STUDIES OUTPUT [W...] */
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "workloads/engine.h"
#include "workloads/timing.h"

#define CHECKED 5           /* patients whose values are compared with the reference */
#define ABOVE 1e-6          /* of the peak */
#define MOST_CONTESTANTS 16

struct contestant {
    char name[64];
    const struct method *method;    /* NULL: the engine */
    const struct hl_prepared *p;    /* the engine's study */
    bool measured;
    int threads;
    size_t n;                       /* patients solved; the time is scaled to those of the workload */
    double time[MOST_RUNS], error;
    struct spread spread;
};

struct contest {
    int w, runs;
    size_t subjects;
    struct task task;
    double *reference;              /* [CHECKED][n_times][n_outputs] */
    size_t n; struct contestant contestant[MOST_CONTESTANTS];
};

static double solve_by(const struct contest *c, const struct method *method, size_t n, double *keep)
{
    size_t size = c->task.n_times * (size_t)c->task.n_outputs;
    double *rows = keep ? NULL : hl_alloc(size, sizeof *rows), start = clock_of(1), sum = 0;
    void *room = method->create(&c->task, method->tolerance);
    for (size_t k = 0; room && k < n; k++) {
        double *to = keep ? keep + k * size : rows;
        method->patient(room, k, to);
        for (size_t i = 0; i < size; i++)
            sum += to[i];
    }
    method->release(room);
    volatile double kept = sum;
    (void)kept;
    hl_free(rows);
    return clock_of(1) - start;
}

static double solve_once(const struct contest *c, const struct contestant *x)
{
    if (x->method)
        return solve_by(c, x->method, x->n, NULL);
    double start = clock_of(x->threads);
    engine_solve(x->p, x->n, x->threads, x->measured);
    return clock_of(x->threads) - start;
}

/* --- errors --- */

static double profile_error(const double *value, const double *truth, size_t n, size_t stride)
{
    double peak = 0, worst = 0;
    for (size_t i = 0; i < n; i++)
        peak = fmax(peak, fabs(truth[i * stride]));
    for (size_t i = 0; i < n; i++)
        if (fabs(truth[i * stride]) > ABOVE * peak)
            worst = fmax(worst, fabs(value[i * stride] / truth[i * stride] - 1));
    return worst;
}

static double error_of(const struct contest *c, const struct contestant *x)
{
    size_t n_outputs = (size_t)c->task.n_outputs, size = c->task.n_times * n_outputs;
    double *rows = hl_alloc(CHECKED * size, sizeof *rows), worst = 0;
    if (x->method)
        solve_by(c, x->method, CHECKED, rows);
    else
        engine_rows(x->p, CHECKED, rows);
    for (size_t k = 0; k < CHECKED; k++)
        for (size_t o = 0; o < n_outputs; o++)
            worst = fmax(worst, profile_error(rows + k * size + o, c->reference + k * size + o, c->task.n_times,
                                              n_outputs));
    hl_free(rows);
    return worst;
}

static void solve_reference(struct contest *c)
{
    size_t size = c->task.n_times * (size_t)c->task.n_outputs;
    c->reference = hl_alloc(CHECKED * size, sizeof(double));
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t k = 0; k < CHECKED; k++)
        reference_patient(&c->task, k, c->reference + k * size);
}

/* --- who takes part --- */

static struct contestant *join(struct contest *c, const char *name, int threads)
{
    struct contestant *x = &c->contestant[c->n++];
    snprintf(x->name, sizeof x->name, "%s", name);
    x->threads = threads;
    return x;
}

/* As many patients as take about a run's share of time; of the engine whole blocks, and more of them, so that what a
 * thread allocates once doesn't show. */
static size_t affordable(const struct contest *c, const struct contestant *x, double share)
{
    struct contestant trial = *x;
    size_t least = x->method ? 2 : 128;
    trial.threads = 1;
    trial.n = least < c->subjects ? least : c->subjects;
    double n = (x->method ? 1 : 5) * share * (double)trial.n / solve_once(c, &trial);
    if (n >= (double)c->subjects)
        return c->subjects;
    return n < (double)least ? trial.n : (size_t)n / least * least;
}

static void join_baselines(struct contest *c)
{
    for (const struct method *const *m = bench_methods; *m; m++)
        if (!(*m)->linear_only || c->w != 3)
            join(c, (*m)->name, 1)->method = *m;
}

static void join_engine(struct contest *c, const char *name, const struct hl_prepared *p, bool measured, int threads)
{
    struct contestant *x = join(c, name, threads);
    x->p = p;
    x->measured = measured;
}

/* --- the table --- */

static double median_of(const struct contest *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->contestant[i].name, name) == 0)
            return c->contestant[i].spread.median;
    return NAN;
}

static void print_ratio(FILE *stream, const char *format, const char *none, double ratio)
{
    if (isnan(ratio))
        fputs(none, stream);
    else
        fprintf(stream, format, ratio);
}

static void print_row(const struct contest *c, const struct contestant *x, FILE *csv)
{
    double time = x->threads > 1 && getenv("BENCH_CLOCK") ? NAN : x->spread.median; /* two clocks don't compare */
    double plain = median_of(c, method_exponential.name) / time;
    double rk8pd = median_of(c, c->w == 3 ? method_rk8pd_6.name : method_rk8pd_8.name) / time;
    printf("W%d  %-28s %7d %8zu %8zu  %9.4g [%9.4g, %9.4g]", c->w, x->name, x->threads, c->subjects, x->n,
           x->spread.median, x->spread.low, x->spread.high);
    print_ratio(stdout, "  %8.3g", "         -", plain);
    print_ratio(stdout, "  %8.3g", "         -", rk8pd);
    printf("  %8.1e\n", x->error);
    fprintf(csv, "W%d,%s,%d,%zu,%zu,%.6g,%.6g,%.6g,", c->w, x->name, x->threads, c->subjects, x->n, x->spread.median,
            x->spread.low, x->spread.high);
    print_ratio(csv, "%.4g,", ",", plain);
    print_ratio(csv, "%.4g,", ",", rk8pd);
    fprintf(csv, "%.2e\n", x->error);
    fflush(stdout);
}

static void hold(struct contest *c, FILE *csv)
{
    double share = from_environment("BENCH_SECONDS", 0.15);
    for (size_t i = 0; i < c->n; i++)
        c->contestant[i].n = affordable(c, &c->contestant[i], share);
    for (int run = -1; run < c->runs; run++) /* the first is for warming up */
        for (size_t i = 0; i < c->n; i++) {
            struct contestant *x = &c->contestant[i];
            double time = solve_once(c, x) * (double)c->subjects / (double)x->n;
            if (run >= 0)
                x->time[run] = time;
        }
    for (size_t i = 0; i < c->n; i++) {
        c->contestant[i].error = error_of(c, &c->contestant[i]);
        c->contestant[i].spread = spread_of(c->contestant[i].time, c->runs);
    }
    for (size_t i = 0; i < c->n; i++)
        print_row(c, &c->contestant[i], csv);
}

static void contest(const char *studies, int w, FILE *csv)
{
    struct contest c = {.w = w, .runs = (int)fmin(from_environment("BENCH_RUNS", 5), MOST_RUNS)};
    char path[1024], measured_path[1024];
    snprintf(path, sizeof path, "%s/w%d.yaml", studies, w);
    snprintf(measured_path, sizeof measured_path, "%s/w%d_metrics.yaml", studies, w);
    c.subjects = (size_t)from_environment("BENCH_SUBJECTS", w == 4 ? 100000 : 1000);
    struct hl_prepared *p = engine_prepare(path, c.subjects, NULL, 0), *measured = NULL;
    c.task = engine_task(p, w, c.subjects);
    solve_reference(&c);
    join_baselines(&c);
    join_engine(&c, "engine", p, false, 1);
    if (w == 1) {
        measured = engine_prepare(measured_path, c.subjects, NULL, 0);
        join_engine(&c, "engine with metrics", measured, true, 1);
    }
    join_engine(&c, "engine", p, false, 2);
    hold(&c, csv);
    hl_free(c.reference);
    task_release(&c.task);
    engine_release(p);
    if (measured)
        engine_release(measured);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_workloads STUDIES OUTPUT [W...]\n");
        return 2;
    }
    gsl_set_error_handler_off();
    FILE *csv = hl_units_start() ? fopen(argv[2], "w") : NULL;
    if (!csv)
        return 1;
    printf("%-3s %-28s %7s %8s %8s  %9s [%9s, %9s]  %8s  %8s  %8s\n", "", "method", "threads", "patients", "solved",
           "median s", "low", "high", "x plain", "x rk8pd", "error");
    fprintf(csv, "workload,method,threads,patients,solved,median_s,low_s,high_s,times_plain,times_rk8pd,error\n");
    for (int w = 1; w <= 4; w++) {
        bool wanted = argc == 3;
        for (int i = 3; i < argc; i++)
            wanted |= atoi(argv[i]) == w;
        if (wanted)
            contest(argv[1], w, csv);
    }
    fclose(csv);
    hl_units_stop();
    return 0;
}
