/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workloads W1 to W4 (w1.yaml ... w4.yaml): the engine against what one would write by hand, one thread each, in one
 * run; and W5 (configs/tapers.yaml, all arms and metrics) against the engine's own solver gsl-rk8pd. Contestants take
 * turns, so that a noisy moment touches all alike; a slow one solves fewer patients and its time is scaled up. Ratios
 * are taken turn by turn.
 *
 * Every contestant's largest relative error is taken against a 128-bit reference, over the values above 1e-6 of each
 * profile's peak; that of W5 against gsl-rk8pd at a tolerance of 1e-11, over the values above 0.01. Integrators run at
 * the tolerances that the bars name and at the loosest one whose error isn't larger than the engine's (1e-11 counts as
 * exact), or, if there is none, at 1e-6.
 * usage: bench_workloads STUDIES FOLDER [W...] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "workloads/accuracy.h"
#include "workloads/engine.h"
#include "workloads/timing.h"

#define EXACT 1e-11         /* an error that counts as none */
#define ABOVE_W5 1e-2       /* of the peak: the index of withdrawal is 0 but for spells, small numbers at whose ends are
                             * differences of large ones */
#define MOST_CONTESTANTS 16
#define BASELINE "gsl-rk8pd" /* of W5 */

struct contestant {
    char name[64];
    const struct method *method;    /* NULL: the engine */
    double tolerance;               /* of a method; 0 where it has none */
    const struct hl_prepared *p;    /* the engine's study */
    bool measured;
    int threads;
    size_t n;                       /* patients solved; the time is scaled to those of the workload */
    int repeats;                    /* how often, for a run to last */
    double time[MOST_RUNS], error;
};

struct contest {
    int w, runs;
    size_t subjects;
    struct task task;               /* W1 to W4 */
    double *truth;                  /* profiles of the first patients in all arms */
    size_t n; struct contestant contestant[MOST_CONTESTANTS];
};

static double solve_once(const struct contest *c, const struct contestant *x)
{
    if (x->method)
        return accuracy_solve(&c->task, x->method, x->tolerance, x->n, NULL);
    double start = clock_of(x->threads);
    for (int i = 0; i < x->repeats; i++)
        engine_solve(x->p, x->n, x->threads, x->measured);
    return (clock_of(x->threads) - start) / x->repeats;
}

/* --- errors --- */

static double *engine_profiles(const struct hl_prepared *p)
{
    const struct hl_study *study = p->study;
    double *rows = hl_alloc(study->n_arms * CHECKED * study->n_times * study->n_outputs, sizeof *rows);
    engine_rows(p, CHECKED, rows);
    return rows;
}

static double engine_error(const struct contest *c, const struct hl_prepared *p)
{
    const struct hl_study *study = p->study;
    double *rows = engine_profiles(p);
    struct profiles all = {study->n_arms * CHECKED, study->n_times, study->n_outputs,
                           c->w == BENCH_W5 ? ABOVE_W5 : ABOVE};
    double error = accuracy_error(rows, c->truth, &all);
    hl_free(rows);
    return error;
}

static double error_of(const struct contest *c, const struct contestant *x)
{
    return x->method ? accuracy_of(&c->task, x->method, x->tolerance, c->truth) : engine_error(c, x->p);
}

/* --- who takes part --- */

static struct contestant *join(struct contest *c, const char *name, int threads)
{
    struct contestant *x = &c->contestant[c->n++];
    snprintf(x->name, sizeof x->name, "%s", name);
    x->threads = threads;
    return x;
}

static void join_method(struct contest *c, const struct method *method, double tolerance)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->contestant[i].method == method && fabs(c->contestant[i].tolerance / tolerance - 1) < 0.1)
            return;
    struct contestant *x = join(c, method->name, 1);
    x->method = method;
    x->tolerance = tolerance;
    if (tolerance > 0)
        snprintf(x->name, sizeof x->name, "%s %.0e", method->name, tolerance);
}

/* Where no tolerance is exact enough: what one would ordinarily ask. */
static void join_loosest(struct contest *c, const struct method *method, double error)
{
    double tolerance = accuracy_loosest(&c->task, method, fmax(error, EXACT), c->truth);
    join_method(c, method, tolerance > 0 ? tolerance : 1e-6);
}

/* error: the engine's. */
static void join_methods(struct contest *c, double error)
{
    if (c->w != 3)
        join_method(c, &method_exponential, 0);
    join_method(c, &method_rk8pd, 1e-6);
    join_method(c, &method_rk8pd, 1e-8);
    join_loosest(c, &method_rk8pd, error);
    join_loosest(c, &method_msbdf, error);
#ifdef HAVE_CVODE
    join_loosest(c, &method_cvode, error);
#endif
}

static void join_engine(struct contest *c, const char *name, const struct hl_prepared *p, bool measured, int threads)
{
    struct contestant *x = join(c, name, threads);
    x->p = p;
    x->measured = measured;
}

/* As many patients as take about a run's share of time of one thread; of the engine whole blocks, and more of them, so
 * that what a thread allocates once doesn't show. Where all together take less, they are solved again and again. */
static void afford(const struct contest *c, struct contestant *x, double share)
{
    int threads = x->threads;
    bool slow = x->method || strstr(x->name, BASELINE);
    size_t least = slow ? 2 : c->w == BENCH_W5 ? 32 : 128;
    x->repeats = x->threads = 1;
    x->n = least < c->subjects ? least : c->subjects;
    double n = (slow ? 1 : 5) * share * (double)x->n / solve_once(c, x);
    if (n >= (double)c->subjects) {
        x->n = c->subjects;
        x->repeats = x->method ? 1 : (int)ceil(share / solve_once(c, x));
    } else if (n > (double)least)
        x->n = (size_t)n / least * least;
    x->threads = threads;
}

/* --- the table --- */

static const struct contestant *find(const struct contest *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->contestant[i].name, name) == 0)
            return &c->contestant[i];
    return NULL;
}

/* Processor time of one thread doesn't compare with the wall time of two. */
static bool comparable(const struct contestant *a, const struct contestant *b)
{
    return a && b && (a->threads == b->threads || !getenv("BENCH_CLOCK"));
}

static void print_ratio(const struct contest *c, const struct contestant *above, const struct contestant *below,
                        FILE *csv)
{
    if (!comparable(above, below)) {
        printf(" %8s", "-");
        fprintf(csv, ",,,");
        return;
    }
    struct spread s = ratio_of(above->time, below->time, c->runs);
    printf(" %8.3g", s.median);
    fprintf(csv, "%.4g,%.4g,%.4g,", s.median, s.low, s.high);
}

static void print_row(const struct contest *c, const struct contestant *x, const char *mark, FILE *csv)
{
    struct spread s = spread_of(x->time, c->runs);
    printf("W%d  %-39s %7d %8zu %8zu  %9.4g [%9.4g, %9.4g]", c->w, x->name, x->threads, c->subjects, x->n, s.median,
           s.low, s.high);
    fprintf(csv, "W%d,%s,%d,%zu,%zu,%.6g,%.6g,%.6g,", c->w, x->name, x->threads, c->subjects, x->n, s.median, s.low,
            s.high);
    print_ratio(c, find(c, method_exponential.name), x, csv);
    print_ratio(c, find(c, c->w == 3 ? "GSL rk8pd 1e-06" : c->w == BENCH_W5 ? BASELINE : "GSL rk8pd 1e-08"), x, csv);
    print_ratio(c, x, find(c, "engine"), csv);
    printf("  %8.1e%s\n", x->error, mark);
    fprintf(csv, "%.2e,%s\n", x->error, mark);
    fflush(stdout);
    fflush(csv);
}

static void take_turns(struct contest *c)
{
    double share = from_environment("BENCH_SECONDS", 0.15);
    for (size_t i = 0; i < c->n; i++)
        afford(c, &c->contestant[i], share);
    for (int run = -1; run < c->runs; run++) /* the first is for warming up */
        for (size_t i = 0; i < c->n; i++) {
            struct contestant *x = &c->contestant[i];
            double time = solve_once(c, x) * (double)c->subjects / (double)x->n;
            if (run >= 0)
                x->time[run] = time;
        }
}

static void hold(struct contest *c, FILE *csv)
{
    take_turns(c);
    for (size_t i = 0; i < c->n; i++)
        c->contestant[i].error = error_of(c, &c->contestant[i]);
    double ours = fmax(find(c, "engine")->error, EXACT);
    for (size_t i = 0; i < c->n; i++)
        print_row(c, &c->contestant[i], c->contestant[i].error <= ours ? "" : "*", csv);
}

static struct hl_prepared *prepare(const struct contest *c, const char *studies, const struct hl_set *set, size_t n)
{
    char path[1024];
    engine_study(path, sizeof path, studies, c->w);
    return engine_prepare(path, c->subjects, set, n);
}

/* W1 with metrics: its study w1_WHICH.yaml. */
static struct hl_prepared *prepare_w1(const struct contest *c, const char *studies, const char *which)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/w1_%s.yaml", studies, which);
    return engine_prepare(path, c->subjects, NULL, 0);
}

static void contest_of_methods(struct contest *c, const char *studies, FILE *csv)
{
    static const struct hl_set tight = {"tolerance", "1e-8"};
    struct hl_prepared *p = prepare(c, studies, NULL, 0), *other = NULL, *sampled = NULL;
    c->task = engine_task(p, c->w, c->subjects);
    c->truth = accuracy_truth(&c->task);
    join_methods(c, engine_error(c, p));
    join_engine(c, "engine", p, false, 1);
    if (c->w == 1) {
        join_engine(c, "engine with metrics", other = prepare_w1(c, studies, "metrics"), true, 1);
        join_engine(c, "engine with metrics of the output times", sampled = prepare_w1(c, studies, "sampled"), true, 1);
    }
    if (c->w == 3)
        join_engine(c, "engine 1e-08", other = prepare(c, studies, &tight, 1), false, 1);
    join_engine(c, "engine on two threads", p, false, 2);
    hold(c, csv);
    task_release(&c->task);
    engine_release(p);
    if (other)
        engine_release(other);
    if (sampled)
        engine_release(sampled);
}

static void contest_of_solvers(struct contest *c, const char *studies, FILE *csv)
{
    static const struct hl_set exact[] = {{"solver", BASELINE}, {"tolerance", "1e-11"}}, plain = {"solver", BASELINE};
    struct hl_prepared *truth = prepare(c, studies, exact, 2), *p = prepare(c, studies, NULL, 0);
    struct hl_prepared *baseline = prepare(c, studies, &plain, 1);
    c->truth = engine_profiles(truth);
    join_engine(c, BASELINE, baseline, true, 1);
    join_engine(c, "engine", p, false, 1);
    join_engine(c, "engine with metrics", p, true, 1);
    join_engine(c, "with metrics on two threads", p, true, 2);
    hold(c, csv);
    engine_release(truth);
    engine_release(p);
    engine_release(baseline);
}

static void contest(const char *studies, int w, FILE *csv)
{
    static const size_t patients[] = {0, 1000, 1000, 1000, 100000, 10000};
    struct contest c = {.w = w, .runs = bench_runs()};
    c.subjects = (size_t)from_environment("BENCH_SUBJECTS", (double)patients[w]);
    if (w == BENCH_W5)
        contest_of_solvers(&c, studies, csv);
    else
        contest_of_methods(&c, studies, csv);
    hl_free(c.truth);
}

static bool wanted(int argc, char **argv, int w)
{
    bool found = argc == 3;
    for (int i = 3; i < argc; i++)
        found |= atoi(argv[i]) == w;
    return found;
}

int main(int argc, char **argv)
{
    bench_begin(argc, 2, "bench_workloads STUDIES FOLDER [W...]");
    FILE *csv = bench_table(argv[2], "workloads.csv",
                            "workload,method,threads,patients,solved,median_s,low_s,high_s,plain,plain_low,plain_high,"
                            "rk8pd,rk8pd_low,rk8pd_high,engine,engine_low,engine_high,error,less_exact");
    printf("%-3s %-39s %7s %8s %8s  %9s [%9s, %9s] %8s %8s %8s  %8s\n", "", "method", "threads", "patients", "solved",
           "median s", "low", "high", "x plain", "x rk8pd", "engines", "error");
    for (int w = 1; w <= BENCH_W5; w++)
        if (wanted(argc, argv, w))
            contest(argv[1], w, csv);
    puts("x plain, x rk8pd: times faster than the matrix exponential, than rk8pd (1e-8; W3 1e-6; W5 the engine's own)\n"
         "engines: how many times the engine's time; *: less exact than the engine (errors below 1e-11 are none)");
    if (bench_without_cvode)
        printf("SUNDIALS CVODE took no part: %s\n", bench_without_cvode);
    fclose(csv);
    bench_end();
    return 0;
}
