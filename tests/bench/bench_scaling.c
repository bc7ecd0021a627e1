/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the engine's time (solving only) grows: with the number of patients, from 1 to 100 000 or what BENCH_MOST says,
 * with the number of outputs, and what a second thread brings, held against a loop that only computes. Slopes are
 * those of the straight line through (ln N, ln(t - t0)), t0 being the time for nobody; N counts from 64 on, where
 * whole blocks begin. When a run has taken BENCH_LONGEST seconds, larger sizes are left out.
 * usage: bench_scaling STUDIES OUTPUT.csv */
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "workloads/engine.h"
#include "workloads/timing.h"

#define MOST_SIZES 16
#define FIRST_FITTED 64     /* patients: one block */
#define THREAD_SECONDS 0.4  /* of one thread, in the comparison of threads */

struct curve { size_t n; double x[MOST_SIZES], t[MOST_SIZES]; };

static int runs(void)
{
    return (int)fmin(from_environment("BENCH_RUNS", 5), MOST_RUNS);
}

static double timed(const struct hl_prepared *p, size_t n, int threads)
{
    double start = clock_of(threads);
    engine_solve(p, n, threads, false);
    return clock_of(threads) - start;
}

static struct spread median_time(const struct hl_prepared *p, size_t n)
{
    double time[MOST_RUNS];
    for (int i = 0; i < runs(); i++)
        time[i] = timed(p, n, 1);
    return spread_of(time, runs());
}

static struct hl_prepared *prepare(const char *studies, int w, size_t n, const struct hl_set *set)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/w%d.yaml", studies, w);
    return engine_prepare(path, n, set, set != NULL);
}

static void note(FILE *csv, const char *what, int w, double x, struct spread s)
{
    printf("W%d  %-9s %8.0f  %10.4g s [%10.4g, %10.4g]\n", w, what, x, s.median, s.low, s.high);
    fprintf(csv, "%s,W%d,%.0f,%.6g,%.6g,%.6g\n", what, w, x, s.median, s.low, s.high);
    fflush(stdout);
}

static void print_line(int w, const char *what, const struct curve *c, double fixed)
{
    if (c->n < 2)
        return;
    struct line line = log_log_line(c->x, c->t, c->n);
    printf("W%d  fixed %.3g s; slope of ln t against ln %s %.3f, intercept %.3f (%.3g s each)\n", w, fixed, what,
           line.slope, line.intercept, exp(line.intercept));
}

/* --- patients --- */

static void scale_patients(const char *studies, int w, FILE *csv)
{
    size_t most = (size_t)from_environment("BENCH_MOST", 100000);
    double longest = from_environment("BENCH_LONGEST", 0.5), last = 0;
    struct hl_prepared *p = prepare(studies, w, most, NULL);
    struct curve curve = {0};
    timed(p, FIRST_FITTED, 1); /* for warming up */
    double fixed = median_time(p, 0).median;
    for (size_t n = 1; n <= most && curve.n < MOST_SIZES && last < longest; n *= 10) {
        struct spread s = median_time(p, n);
        note(csv, "patients", w, (double)n, s);
        last = s.median;
        if (n >= FIRST_FITTED && s.median > fixed) {
            curve.x[curve.n] = (double)n;
            curve.t[curve.n++] = s.median - fixed;
        }
    }
    print_line(w, "patients", &curve, fixed);
    engine_release(p);
}

/* --- outputs --- */

static void scale_outputs(const char *studies, FILE *csv)
{
    static const char *const outputs[] = {"[clonazepam.Cp]", "[clonazepam.Cp, clonazepam.Ce]",
                                          "[clonazepam.Cp, clonazepam.Ce, fentanyl.Cp]",
                                          "[clonazepam.Cp, clonazepam.Ce, fentanyl.Cp, fentanyl.Ce]"};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        struct hl_set set = {"outputs", outputs[i]};
        struct hl_prepared *p = prepare(studies, 1, 1000, &set);
        note(csv, "outputs", 1, (double)(i + 1), median_time(p, 1000));
        engine_release(p);
    }
}

/* --- threads --- */

static double ratio_of_trivial(void)
{
    double one = trivial_loop(1);
    return one / trivial_loop(2);
}

/* How many times faster two threads are than one, run by run beside the trivial loop's; and the ratio of both. */
static void scale_threads(const char *studies, int w, FILE *csv)
{
    struct hl_prepared *p = prepare(studies, w, 1000000, NULL);
    double speedup[MOST_RUNS], trivial[MOST_RUNS], share[MOST_RUNS], one = timed(p, 128, 1);
    size_t n = (size_t)fmax(128, THREAD_SECONDS / one * 128);
    n = n < 1000000 ? n : 1000000;
    for (int i = 0; i < runs(); i++) {
        double start = seconds();
        engine_solve(p, n, 1, false);
        double middle = seconds();
        engine_solve(p, n, 2, false);
        speedup[i] = (middle - start) / (seconds() - middle);
        trivial[i] = ratio_of_trivial();
        share[i] = speedup[i] / trivial[i];
    }
    struct spread s = spread_of(speedup, runs()), t = spread_of(trivial, runs()), q = spread_of(share, runs());
    printf("W%d  two threads: %.2f times one [%.2f, %.2f]; trivial loop %.2f [%.2f, %.2f]; share %.2f [%.2f, %.2f]\n",
           w, s.median, s.low, s.high, t.median, t.low, t.high, q.median, q.low, q.high);
    fprintf(csv, "threads_share,W%d,2,%.4g,%.4g,%.4g\n", w, q.median, q.low, q.high);
    fflush(stdout);
    engine_release(p);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench_scaling STUDIES OUTPUT.csv\n");
        return 2;
    }
    gsl_set_error_handler_off();
    FILE *csv = hl_units_start() ? fopen(argv[2], "w") : NULL;
    if (!csv)
        return 1;
    fprintf(csv, "against,workload,x,median,low,high\n");
    for (int w = 1; w <= 4; w++)
        scale_patients(argv[1], w, csv);
    scale_outputs(argv[1], csv);
    for (int w = 1; w <= 4; w++)
        scale_threads(argv[1], w, csv);
    fclose(csv);
    hl_units_stop();
    return 0;
}
