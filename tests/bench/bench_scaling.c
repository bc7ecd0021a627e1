/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the engine's time (solving only) grows, one thread: with the number of patients, 1 to 100 000 or what BENCH_MOST
 * says (all workloads); with arms, doses and outputs (W1 and W3); and what a second thread brings, held against a loop
 * that only computes.
 *
 * A growth is the slope of the straight line through (ln (x - x0), ln (t - t0)), t0 being the fixed cost:
 *
 *     patients   t0: time for nobody, x0 = 0
 *     arms       the same arm again and again, 256 patients in each; t0 = x0 = 0
 *     doses      one every 12 h, 256 patients, values at the start and the end only; t0: time for one dose, x0 = 1
 *     outputs    the study's outputs again and again, 256 patients, values every 24 h; t0: time for them once, x0 = how
 *                many they are
 *     hourly     the same with the study's own times, 2017 of them: a block's values outgrow the second cache
 *
 * Only points whose time is at least twice the fixed cost are fitted; of patients those from 1000 on, as the first
 * blocks also pay for touching memory that the later ones find warm. Sizes take turns run by run, short ones
 * repeatedly; every run has a line of its own, and median and spread of those are printed. When a run of a size has
 * taken BENCH_LONGEST seconds, larger ones are left out.
 * usage: bench_scaling STUDIES FOLDER */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "workloads/engine.h"
#include "workloads/timing.h"

#define MOST_SIZES 16
#define MANY 1000           /* patients */
#define SHORTEST 0.01       /* [s]: what is quicker is repeated */
#define SOME 256            /* patients where something else grows */
#define THREAD_SECONDS 0.4  /* of one thread, in the comparison of threads */
#define LEAST 256           /* patients, in the same: enough to share out ... */
#define MOST 1000000        /* ... and no more than the study has */
#define MOST_TEXT 65536

struct point { double x; struct hl_prepared *p; size_t patients; int repeats; double time[MOST_RUNS]; };

struct growth {
    const char *of;
    int w;
    struct point fixed;     /* p NULL: no fixed cost */
    size_t n; struct point point[MOST_SIZES];
    double from;            /* no smaller x is fitted */
};

struct tables { FILE *points, *slopes, *threads; };

static double timed(const struct point *point)
{
    if (!point->p)
        return 0;
    double start = clock_of(1);
    for (int i = 0; i < point->repeats; i++)
        engine_solve(point->p, point->patients, 1, false);
    return (clock_of(1) - start) / point->repeats;
}

static struct point new_point(double x, struct hl_prepared *p, size_t patients)
{
    struct point point = {.x = x, .p = p, .patients = patients, .repeats = 1};
    if (p)
        point.repeats = (int)fmax(1, SHORTEST / fmax(timed(&point), 1e-6));
    return point;
}

static struct hl_prepared *prepare(const char *studies, int w, size_t n, const struct hl_set *set, size_t n_sets)
{
    char path[1024];
    engine_study(path, sizeof path, studies, w);
    return engine_prepare(path, n, set, n_sets);
}

static void add_point(struct growth *g, double x, struct hl_prepared *p, size_t patients)
{
    g->point[g->n++] = new_point(x, p, patients);
}

static bool too_long(const struct growth *g)
{
    double longest = from_environment("BENCH_LONGEST", 0.5);
    return g->n == MOST_SIZES || (g->n > 0 && timed(&g->point[g->n - 1]) > longest);
}

/* --- lines --- */

static double median(const struct point *point)
{
    return spread_of(point->time, bench_runs()).median;
}

static bool is_fitted(const struct growth *g, size_t i)
{
    return g->point[i].x >= g->from && median(&g->point[i]) >= 2 * median(&g->fixed);
}

static struct line line_of_run(const struct growth *g, int run, size_t *n)
{
    double x[MOST_SIZES], t[MOST_SIZES];
    *n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (is_fitted(g, i)) {
            x[*n] = g->point[i].x - g->fixed.x;
            t[(*n)++] = g->point[i].time[run] - median(&g->fixed);
        }
    return log_log_line(x, t, *n);
}

static void print_points(const struct growth *g, FILE *csv)
{
    for (size_t i = 0; i < g->n; i++) {
        struct spread s = spread_of(g->point[i].time, bench_runs());
        printf("W%d  %-9s %8.0f  %10.4g s [%10.4g, %10.4g]%s\n", g->w, g->of, g->point[i].x, s.median, s.low, s.high,
               is_fitted(g, i) ? "" : "  not fitted");
        fprintf(csv, "%s,W%d,%.0f,%.6g,%.6g,%.6g\n", g->of, g->w, g->point[i].x, s.median, s.low, s.high);
    }
    fflush(csv);
}

static void print_slope(const struct growth *g, FILE *csv)
{
    double slope[MOST_RUNS], intercept[MOST_RUNS];
    size_t n = 0;
    for (int run = 0; run < bench_runs(); run++) {
        struct line line = line_of_run(g, run, &n);
        slope[run] = line.slope;
        intercept[run] = line.intercept;
    }
    struct spread s = spread_of(slope, bench_runs());
    double each = spread_of(intercept, bench_runs()).median, fixed = median(&g->fixed);
    if (n < 2) {
        printf("W%d  %s: too few points to fit\n", g->w, g->of);
        return;
    }
    printf("W%d  %s: fixed %.3g s; slope %.3f [%.3f, %.3f] of %zu points, intercept %.3f (%.3g s each)\n", g->w, g->of,
           fixed, s.median, s.low, s.high, n, each, exp(each));
    fprintf(csv, "%s,W%d,%.4g,%.4f,%.4f,%.4f,%.4f,%.4g,%zu\n", g->of, g->w, fixed, s.median, s.low, s.high, each,
            exp(each), n);
    fflush(stdout);
    fflush(csv);
}

static void measure(struct growth *g, const struct tables *tables)
{
    for (int run = 0; run < bench_runs(); run++) {
        g->fixed.time[run] = timed(&g->fixed);
        for (size_t i = 0; i < g->n; i++)
            g->point[i].time[run] = timed(&g->point[i]);
    }
    print_points(g, tables->points);
    print_slope(g, tables->slopes);
}

static void release(struct growth *g)
{
    for (size_t i = 0; i < g->n; i++)
        engine_release(g->point[i].p);
    if (g->fixed.p)
        engine_release(g->fixed.p);
}

/* --- patients --- */

/* 1, 10, 100, 1000, 3000, 10 000, 30 000 ... */
static size_t next(size_t n)
{
    bool power = n % 3 != 0;
    return n < MANY ? n * 10 : power ? n * 3 : n / 3 * 10;
}

static void grow_patients(const char *studies, int w, const struct tables *tables)
{
    size_t most = (size_t)from_environment("BENCH_MOST", 100000);
    struct hl_prepared *p = prepare(studies, w, most, NULL, 0);
    struct growth g = {.of = "patients", .w = w, .from = MANY, .fixed = new_point(0, p, 0)};
    for (size_t n = 1; n <= most && !too_long(&g); n = next(n))
        add_point(&g, (double)n, p, n);
    measure(&g, tables);
    engine_release(p);
}

/* --- arms and doses --- */

/* Adds to a text that has room for MOST_TEXT. */
static void append(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, MOST_TEXT - used, format, arguments);
    va_end(arguments);
}

static void write_arms(char *text, int n_arms, int n_doses)
{
    strcpy(text, "[");
    for (int i = 0; i < n_arms; i++)
        append(text, "%s{name: a%d, clonazepam: [{oral: 0.5 mg, every: 12 h, doses: %d}]}", i ? ", " : "", i, n_doses);
    append(text, "]");
}

static struct hl_prepared *prepare_arms(const char *studies, int w, int n_arms, int n_doses, const char *times)
{
    char *arms = hl_alloc(MOST_TEXT, 1);
    write_arms(arms, n_arms, n_doses);
    struct hl_set set[] = {{"arms", arms}, {"outputs", "[clonazepam.Cp, clonazepam.Ce]"}, {"times", times}};
    struct hl_prepared *p = prepare(studies, w, SOME, set, sizeof set / sizeof *set);
    hl_free(arms);
    return p;
}

static void grow_arms(const char *studies, int w, const struct tables *tables)
{
    struct growth g = {.of = "arms", .w = w};
    for (int n = 1; n <= 64 && !too_long(&g); n *= 2)
        add_point(&g, n, prepare_arms(studies, w, n, 140, "[{until: 84 d, every: 1 h}]"), SOME);
    measure(&g, tables);
    release(&g);
}

static struct hl_prepared *prepare_doses(const char *studies, int w, int n)
{
    char times[64];
    snprintf(times, sizeof times, "[{until: %d h, every: %d h}]", 12 * n, 12 * n);
    return prepare_arms(studies, w, 1, n, times);
}

static void grow_doses(const char *studies, int w, const struct tables *tables)
{
    struct growth g = {.of = "doses", .w = w, .fixed = new_point(1, prepare_doses(studies, w, 1), SOME)};
    for (int n = 4; n <= 8192 && !too_long(&g); n *= 2)
        add_point(&g, n, prepare_doses(studies, w, n), SOME);
    measure(&g, tables);
    release(&g);
}

/* --- outputs --- */

/* The same study asking for its outputs so many times over. */
static struct hl_prepared *prepare_outputs(const char *studies, int w, bool hourly, size_t times)
{
    static const struct hl_set coarse = {"times", "[{until: 84 d, every: 24 h}]"};
    struct hl_prepared *p = prepare(studies, w, SOME, &coarse, !hourly);
    size_t n = p->study->n_outputs;
    int *output = hl_arena_alloc(p->arena, n * times, sizeof *output);
    for (size_t i = 0; i < n * times; i++)
        output[i] = p->study->output[i % n];
    p->study->output = output;
    p->study->n_outputs = n * times;
    return p;
}

static void grow_outputs(const char *studies, int w, bool hourly, const struct tables *tables)
{
    struct hl_prepared *once = prepare_outputs(studies, w, hourly, 1);
    struct growth g = {.of = hourly ? "hourly" : "outputs", .w = w};
    g.fixed = new_point((double)once->study->n_outputs, once, SOME);
    for (size_t times = 2; times <= 16 && !too_long(&g); times *= 2)
        add_point(&g, g.fixed.x * (double)times, prepare_outputs(studies, w, hourly, times), SOME);
    measure(&g, tables);
    release(&g);
}

/* --- threads --- */

static double wall(const struct point *point, int threads, bool measured)
{
    double start = seconds();
    engine_solve(point->p, point->patients, threads, measured);
    return seconds() - start;
}

/* As many patients as one thread solves in THREAD_SECONDS, judged by the quickest of some trials: one that waited for
 * the processor would give far too few. */
static size_t enough_patients(struct point *point, bool measured)
{
    double quickest = INFINITY;
    point->patients = 128;
    for (int i = 0; i < 5 && (i == 0 || quickest < THREAD_SECONDS); i++)
        quickest = fmin(quickest, wall(point, 1, measured));
    size_t n = (size_t)(THREAD_SECONDS / quickest) * 128;
    return n > MOST ? MOST : n > LEAST ? n : LEAST;
}

/* How many times faster two threads are than one, run by run beside the trivial loop's; and the ratio of both. */
static void compare_threads(struct point *point, const char *name, bool measured, FILE *csv)
{
    double one[MOST_RUNS], two[MOST_RUNS], loop[MOST_RUNS], gain[MOST_RUNS];
    point->patients = enough_patients(point, measured);
    for (int i = 0; i < bench_runs(); i++) {
        one[i] = wall(point, 1, measured);
        two[i] = wall(point, 2, measured);
        gain[i] = one[i] / two[i];
        double alone = trivial_loop(1);
        loop[i] = alone / trivial_loop(2);
    }
    struct spread s = ratio_of(one, two, bench_runs()), t = spread_of(loop, bench_runs());
    struct spread share = ratio_of(gain, loop, bench_runs());
    printf("%-15s two threads: %.2f times one [%.2f, %.2f]; trivial loop %.2f [%.2f, %.2f]; share %.2f [%.2f, %.2f]\n",
           name, s.median, s.low, s.high, t.median, t.low, t.high, share.median, share.low, share.high);
    fprintf(csv, "%s,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g\n", name, s.median, s.low, s.high, t.median, t.low,
            t.high, share.median, share.low, share.high);
    fflush(stdout);
    fflush(csv);
}

static void scale_threads(const char *studies, const char *study, const char *name, bool measured, FILE *csv)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", studies, study);
    struct point point = {.p = engine_prepare(path, MOST, NULL, 0)};
    compare_threads(&point, name, measured, csv);
    engine_release(point.p);
}

static void all_threads(const char *studies, FILE *csv)
{
    scale_threads(studies, "w1.yaml", "W1", false, csv);
    scale_threads(studies, "w1_metrics.yaml", "W1 with metrics", true, csv);
    scale_threads(studies, "w2.yaml", "W2", false, csv);
    scale_threads(studies, "w3.yaml", "W3", false, csv);
    scale_threads(studies, "w4.yaml", "W4", false, csv);
    scale_threads(studies, "../../configs/tapers.yaml", "W5", true, csv);
}

int main(int argc, char **argv)
{
    bench_begin(argc, 2, "bench_scaling STUDIES FOLDER");
    struct tables tables = {
        bench_table(argv[2], "scaling.csv", "against,workload,x,median,low,high"),
        bench_table(argv[2], "slopes.csv", "against,workload,fixed_s,slope,low,high,intercept,each_s,points"),
        bench_table(argv[2], "threads.csv", "workload,gain,gain_low,gain_high,loop,loop_low,loop_high,share,share_low,"
                    "share_high")};
    for (int w = 1; w <= BENCH_W5; w++)
        grow_patients(argv[1], w, &tables);
    for (int w = 1; w <= 3; w += 2) {
        grow_arms(argv[1], w, &tables);
        grow_doses(argv[1], w, &tables);
        grow_outputs(argv[1], w, false, &tables);
        grow_outputs(argv[1], w, true, &tables);
    }
    all_threads(argv[1], tables.threads);
    fclose(tables.points);
    fclose(tables.slopes);
    fclose(tables.threads);
    bench_end();
    return 0;
}
