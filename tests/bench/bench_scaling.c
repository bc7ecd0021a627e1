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
 *                many they are; W1 as far as a block's values fill half the second cache, W3, where a value takes
 *                longer to make than to move, twice as far
 *     hourly     the same with the study's own times, 2017 of them: a block's values outgrow the second cache
 *
 * A point is fitted when its time is a fifth longer than the fixed cost at least: noise of a hundredth of t is then one
 * of some twentieths of t - t0, and many turns make less of it. Of patients those from 1000 on are fitted, as the first
 * blocks also pay for touching memory that the later ones find warm. Where 1000 take too long, as in W5, cohorts of 16
 * to 128 are solved, those of 16 eight times with others in each, since patients differ.
 *
 * Sizes take turns, short ones repeatedly, fifteen times or as often as fits into TURNS_SECONDS, but at least
 * BENCH_RUNS times; every turn has a line of its own. Printed are the median of their slopes and the interval that holds
 * it (median_of). When a run of a size has taken BENCH_LONGEST seconds, larger ones are left out.
 *
 * In the comparison of threads every run takes half a second of one thread, where the study has patients enough, so
 * that starting a thread and waiting for the last one don't count for more than they do in long runs. Beside the gain
 * stands what both threads spent of processor time, as a multiple of what one did, and which part of their time they
 * waited for each other at the end of arms: these tell something on a machine that others use, too.
 * usage: bench_scaling STUDIES FOLDER [PART...]    parts: patients, arms, doses, outputs, hourly, threads, each of them
 * for all its workloads, or for one: patients:5; the tables then hold nothing else */
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
#define BLOCK 16            /* patients */
#define LARGE 128           /* patients, where more take too long */
#define SHORTEST 0.01       /* [s]: what is quicker is repeated */
#define SOME 256            /* patients where something else grows */
#define LARGER 1.2          /* a fitted time, times the fixed cost */
#define TURNS_SECONDS 20.0  /* for all turns of a growth or a comparison */
#define THREAD_SECONDS 0.5  /* of one thread, in the comparison of threads */
#define LEAST 512           /* patients, in the same: enough to share out ... */
#define MOST 4000000        /* ... and no more than the study has */
#define MOST_TEXT 65536

/* time: of a run with so many patients, taken over cohorts of other ones each, and repeats. */
struct point { double x; struct hl_prepared *p; size_t patients, cohorts; int repeats; double time[MOST_RUNS]; };

struct growth {
    const char *of;
    int w;
    struct point fixed;     /* p NULL: no fixed cost */
    size_t n; struct point point[MOST_SIZES];
    double from;            /* no smaller x is fitted */
    int turns;
};

struct tables { FILE *points, *slopes, *threads; };

static double timed(const struct point *point)
{
    if (!point->p)
        return 0;
    double start = clock_of(1);
    for (int i = 0; i < point->repeats; i++)
        for (size_t k = 0; k < point->cohorts; k++)
            engine_solve_some(point->p, 1 + k * point->patients, point->patients, 1, false, NULL);
    return (clock_of(1) - start) / ((double)point->cohorts * point->repeats);
}

static struct point new_point(double x, struct hl_prepared *p, size_t patients)
{
    struct point point = {.x = x, .p = p, .patients = patients, .cohorts = 1, .repeats = 1};
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

static double median(const struct growth *g, const struct point *point)
{
    return median_of(point->time, g->turns).median;
}

static bool is_fitted(const struct growth *g, size_t i)
{
    return g->point[i].x >= g->from && median(g, &g->point[i]) >= LARGER * median(g, &g->fixed);
}

static struct line line_of_run(const struct growth *g, int run, size_t *n)
{
    double x[MOST_SIZES], t[MOST_SIZES];
    *n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (is_fitted(g, i)) {
            x[*n] = g->point[i].x - g->fixed.x;
            t[(*n)++] = g->point[i].time[run] - median(g, &g->fixed);
        }
    return log_log_line(x, t, *n);
}

static void print_points(const struct growth *g, FILE *csv)
{
    for (size_t i = 0; i < g->n; i++) {
        struct spread s = median_of(g->point[i].time, g->turns);
        printf("W%d  %-9s %8.0f  %10.4g s [%10.4g, %10.4g]%s\n", g->w, g->of, g->point[i].x, s.median, s.low, s.high,
               is_fitted(g, i) ? "" : "  not fitted");
        fprintf(csv, "%s,W%d,%.0f,%.6g,%.6g,%.6g\n", g->of, g->w, g->point[i].x, s.median, s.low, s.high);
    }
    fflush(csv);
}

static void print_slope(const struct growth *g, FILE *csv)
{
    double slope[MOST_RUNS] = {0}, intercept[MOST_RUNS] = {0};
    size_t n = 0;
    for (int run = 0; run < g->turns; run++) {
        struct line line = line_of_run(g, run, &n);
        slope[run] = line.slope;
        intercept[run] = line.intercept;
    }
    struct spread s = median_of(slope, g->turns);
    double each = median_of(intercept, g->turns).median, fixed = median(g, &g->fixed);
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
    g->turns = 1;
    for (int run = 0; run < g->turns; run++) {
        double start = seconds();
        g->fixed.time[run] = timed(&g->fixed);
        for (size_t i = 0; i < g->n; i++)
            g->point[i].time[run] = timed(&g->point[i]);
        if (run == 0)
            g->turns = bench_turns(TURNS_SECONDS, seconds() - start);
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

/* One block, two, four and eight, where 1000 patients take too long. So few differ in what they take: every size is
 * the mean over the cohorts of that size that the same LARGE patients make. */
static void grow_by_blocks(struct growth *g, struct hl_prepared *p)
{
    g->from = BLOCK;
    for (size_t n = BLOCK; n <= LARGE; n *= 2) {
        g->point[g->n] = (struct point){.x = (double)n, .p = p, .patients = n, .cohorts = LARGE / n, .repeats = 1};
        g->n++;
    }
}

static void grow_patients(const char *studies, int w, const struct tables *tables)
{
    size_t most = (size_t)from_environment("BENCH_MOST", 100000);
    struct hl_prepared *p = prepare(studies, w, most, NULL, 0);
    struct growth g = {.of = "patients", .w = w, .from = MANY, .fixed = new_point(0, p, 0)};
    struct point block = new_point(BLOCK, p, BLOCK);
    if (timed(&block) * MANY / BLOCK > from_environment("BENCH_LONGEST", 0.5))
        grow_by_blocks(&g, p);
    for (size_t n = 1; g.from == MANY && n <= most && !too_long(&g); n = next(n))
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

/* 2, 3, 4, 6, 8, 12, 16 ... */
static size_t half_again(size_t n)
{
    bool power = (n & (n - 1)) == 0;
    return power ? n / 2 * 3 : n / 3 * 4;
}

static void grow_outputs(const char *studies, int w, bool hourly, const struct tables *tables)
{
    struct hl_prepared *once = prepare_outputs(studies, w, hourly, 1);
    struct growth g = {.of = hourly ? "hourly" : "outputs", .w = w};
    g.fixed = new_point((double)once->study->n_outputs, once, SOME);
    for (size_t times = 2; times <= (w == 1 || hourly ? 16 : 32) && !too_long(&g); times = half_again(times))
        add_point(&g, g.fixed.x * (double)times, prepare_outputs(studies, w, hourly, times), SOME);
    measure(&g, tables);
    release(&g);
}

/* --- threads --- */

/* Wall clock of a run; effort may be NULL. */
static double wall(const struct point *point, int threads, bool measured, struct effort *effort)
{
    double start = seconds();
    engine_solve_some(point->p, 1, point->patients, threads, measured, effort);
    return seconds() - start;
}

/* As many patients as one thread solves in THREAD_SECONDS: twice as many until they take that long, judged by the
 * quicker of two trials, as one that waited for the processor would give too few. */
static size_t enough_patients(struct point *point, bool measured)
{
    for (point->patients = LEAST; point->patients < MOST; point->patients *= 2) {
        double quicker = fmin(wall(point, 1, measured, NULL), wall(point, 1, measured, NULL));
        if (quicker > THREAD_SECONDS / 2)
            return (size_t)fmin(fmax(THREAD_SECONDS / quicker, 1) * (double)point->patients, MOST);
    }
    return MOST;
}

/* One turn: gains of the engine and of the trivial loop, of one thread and two in changing order. */
struct turn { double gain, loop, share, processor, waiting; };

static struct turn take_turn(const struct point *point, bool measured, int number)
{
    double time[3], loop[3];
    struct effort effort[3];
    for (int i = 0; i < 2; i++) {
        int threads = 1 + (i + number) % 2;
        time[threads] = wall(point, threads, measured, &effort[threads]);
        loop[threads] = trivial_loop(threads);
    }
    double gain = time[1] / time[2], of_loop = loop[1] / loop[2];
    return (struct turn){gain, of_loop, gain / of_loop, effort[2].processor / effort[1].processor,
                         effort[2].waiting / (2 * time[2])};
}

/* The median of one of a turn's figures, the first of which is at first. */
static struct spread over_turns(const struct turn *turn, int n, const double *first)
{
    double value[MOST_RUNS];
    for (int i = 0; i < n; i++)
        value[i] = first[(size_t)i * (sizeof *turn / sizeof *first)];
    return median_of(value, n);
}

/* How many times faster two threads are than one, beside the trivial loop's gain; and the ratio of both. */
static void compare_threads(struct point *point, const char *name, bool measured, FILE *csv)
{
    struct turn turn[MOST_RUNS];
    point->patients = enough_patients(point, measured);
    int n = 1;
    for (int i = 0; i < n; i++) {
        double start = seconds();
        turn[i] = take_turn(point, measured, i);
        if (i == 0)
            n = bench_turns(TURNS_SECONDS, seconds() - start);
    }
    struct spread s = over_turns(turn, n, &turn->gain), t = over_turns(turn, n, &turn->loop);
    struct spread share = over_turns(turn, n, &turn->share), cpu = over_turns(turn, n, &turn->processor);
    struct spread waiting = over_turns(turn, n, &turn->waiting);
    printf("%-15s two threads: %.2f times one [%.2f, %.2f]; trivial loop %.2f [%.2f, %.2f]; share %.3f [%.3f, %.3f]\n",
           name, s.median, s.low, s.high, t.median, t.low, t.high, share.median, share.low, share.high);
    printf("%-15s %zu patients, %d turns; processor time %.3f times one's [%.3f, %.3f], waiting %.2f %% of it\n", "",
           point->patients, n, cpu.median, cpu.low, cpu.high, 100 * waiting.median);
    fprintf(csv, "%s,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g,%.4g,%zu,%d,%.4g,%.4g\n", name, s.median, s.low, s.high,
            t.median, t.low, t.high, share.median, share.low, share.high, point->patients, n, cpu.median,
            waiting.median);
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

/* Comparison number w: those of the workloads, and number 6, W1 with metrics. */
static void scale_threads_of(const char *studies, int w, const struct tables *tables)
{
    static const struct { const char *study, *name; bool measured; } which[] = {
        {"w1.yaml", "W1", false}, {"w2.yaml", "W2", false}, {"w3.yaml", "W3", false}, {"w4.yaml", "W4", false},
        {"../../configs/tapers.yaml", "W5", true}, {"w1_metrics.yaml", "W1 with metrics", true}};
    scale_threads(studies, which[w - 1].study, which[w - 1].name, which[w - 1].measured, tables->threads);
}

/* --- parts --- */

static void grow_daily(const char *studies, int w, const struct tables *tables)
{
    grow_outputs(studies, w, false, tables);
}

static void grow_hourly(const char *studies, int w, const struct tables *tables)
{
    grow_outputs(studies, w, true, tables);
}

static const struct part {
    const char *name;
    void (*measure)(const char *studies, int w, const struct tables *tables);
    int last, step; /* workloads 1, 1 + step .. last */
} parts[] = {{"patients", grow_patients, BENCH_W5, 1}, {"arms", grow_arms, 3, 2}, {"doses", grow_doses, 3, 2},
             {"outputs", grow_daily, 3, 2}, {"hourly", grow_hourly, 3, 2},
             {"threads", scale_threads_of, BENCH_W5 + 1, 1}};

/* Whether some word names the part, and the workload if it names one; without words everything is asked for. */
static bool is_asked(const struct part *part, int w, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        size_t length = strcspn(words[i], ":");
        bool same = length == strlen(part->name) && strncmp(words[i], part->name, length) == 0;
        if (same && (words[i][length] == '\0' || atoi(words[i] + length + 1) == w))
            return true;
    }
    return n == 0;
}

int main(int argc, char **argv)
{
    bench_begin(argc, 2, "bench_scaling STUDIES FOLDER [patients|arms|doses|outputs|hourly|threads[:WORKLOAD]]...");
    struct tables tables = {
        bench_table(argv[2], "scaling.csv", "against,workload,x,median,low,high"),
        bench_table(argv[2], "slopes.csv", "against,workload,fixed_s,slope,low,high,intercept,each_s,points"),
        bench_table(argv[2], "threads.csv", "workload,gain,gain_low,gain_high,loop,loop_low,loop_high,share,share_low,"
                    "share_high,patients,turns,processor,waiting")};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        for (int w = 1; w <= parts[k].last; w += parts[k].step)
            if (is_asked(&parts[k], w, argv + 3, argc - 3))
                parts[k].measure(argv[1], w, &tables);
    fclose(tables.points);
    fclose(tables.slopes);
    fclose(tables.threads);
    bench_end();
    return 0;
}
