/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics of the values at the output times: a pass over rows of eight lanes against the same definitions written down
 * value by value. Random grids, as ugly as can be: irregular times, windows that lie between times, outside or at a
 * single one, curves with ties, constants, plateaus at the threshold, NaN and infinities, every number of rows and
 * lanes. A new seed each day, printed; HL_SEED=N repeats one, HL_CASES=N asks for more than 400. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "measure/grid.h"
#include "unit/case_numbers.h"
#include "unit/dice.h"

#define MOST_TIMES 400
#define MOST_LANES 40
#define MOST_OUTPUTS 3
#define MOST_METRICS 60
#define MOST_WINDOWS 4
#define STREAM 29
#define FACTOR 0.7 /* of a unit */

struct trial {
    double time[MOST_TIMES], window[MOST_WINDOWS][2];
    double curve[MOST_OUTPUTS][MOST_LANES][MOST_TIMES]; /* of each subject, whatever its lane */
    signed char state[MOST_LANES];                      /* of each subject */
    int output[MOST_OUTPUTS];
    struct hl_metric_spec metric[MOST_METRICS];
    struct hl_study study;
    size_t n;                                           /* subjects */
};

/* --- the second way --- */

/* A curve of straight lines, and what is asked of it from .. to. */
struct polygon { const double *time, *y; size_t n; double theta, from, to; };

static double part_above(const struct polygon *p, size_t k)
{
    double a = p->y[k] - p->theta, b = p->y[k + 1] - p->theta, h = p->time[k + 1] - p->time[k];
    if (a > 0 && b > 0)
        return h;
    return a > 0 ? h * a / (a - b) : b > 0 ? h * b / (b - a) : 0;
}

struct expected { double best, when, area, size, hours, last; };

static struct expected one_by_one(const struct polygon *p, double sign)
{
    struct expected e = {NAN, NAN, 0, 0, 0, NAN};
    for (size_t k = 0; k < p->n; k++) {
        if (p->time[k] < p->from || p->time[k] > p->to)
            continue;
        e.last = p->y[k];
        if (isnan(e.best) || sign * e.last > sign * e.best) {
            e.best = e.last;
            e.when = p->time[k];
        }
        if (k + 1 < p->n && p->time[k + 1] <= p->to) {
            double h = p->time[k + 1] - p->time[k];
            e.area += 0.5 * (e.last + p->y[k + 1]) * h;
            e.size += 0.5 * (fabs(e.last) + fabs(p->y[k + 1])) * h;
            e.hours += part_above(p, k);
        }
    }
    return e;
}

/* The metric's value and, in *error, what rounding may make of it: sums of at most 400 terms are formed in another
 * order, and runs of hours are differences of times. */
static double value_of(const struct polygon *p, enum hl_metric_kind kind, double *error)
{
    struct expected e = one_by_one(p, kind == HL_CMIN || kind == HL_TMIN ? -1 : 1);
    double length = p->to - p->from, latest = fabs(p->time[p->n - 1]) + fabs(p->time[0]) + fabs(length);
    double of_area = 400 * 3e-16 * e.size, of_hours = 400 * 3e-16 * latest;
    *error = 0;
    switch (kind) {
    case HL_CMAX: case HL_CMIN: return e.best;
    case HL_TMAX: case HL_TMIN: return e.when;
    case HL_LAST: return e.last;
    case HL_AUC: *error = of_area; return e.area;
    case HL_CAVG: *error = of_area / length; return e.area / length;
    case HL_HOURS_ABOVE: *error = of_hours; return e.hours;
    case HL_HOURS_BELOW: *error = of_hours; return length - e.hours;
    case HL_FRACTION_ABOVE: *error = of_hours / length; return e.hours / length;
    default: fail_msg("no such metric"); return NAN;
    }
}

/* --- random trials --- */

static void draw_times(struct trial *t, struct dice *d)
{
    static const int edges[] = {1, 2, 3, 15, 16, 17, 32, 63, 64, 65, 127, 128, 129, 256};
    bool regular = chance(d, 0.4);
    double time = chance(d, 0.5) ? 0 : uniform(d, -30, 500), step = uniform(d, 0.1, 3);
    size_t n = (size_t)(chance(d, 0.4) ? edges[integer(d, 0, 13)] : integer(d, 1, MOST_TIMES));
    for (size_t k = 0; k < n; k++) {
        t->time[k] = time;
        time += regular || chance(d, 0.3) ? step : pow(10, uniform(d, -4, 1.5));
    }
    t->study.n_times = n;
    t->study.time = t->time;
}

/* Kinds of curves; level: somewhere in it. */
static double next_value(struct dice *d, int kind, double level, double before, size_t k)
{
    switch (kind) {
    case 0: return before + uniform(d, -1, 1);
    case 1: return integer(d, -2, 2);                              /* ties, and values at the threshold */
    case 2: return level;
    case 3: return 3.7 * exp(-0.02 * (double)k) + uniform(d, 0, 1e-3);
    case 4: return fmax(0, 2.3 * sin(0.31 * (double)k + level));   /* plateaus at 0 */
    case 5: return chance(d, 0.1) ? NAN : chance(d, 0.1) ? before : uniform(d, -2, 2);
    case 6: return chance(d, 0.5) ? (double)NAN : integer(d, -1, 1);
    case 7: return chance(d, 0.5) ? INFINITY : -INFINITY;
    case 8: return chance(d, 0.5) ? -INFINITY : NAN;
    case 9: return chance(d, 0.05) ? INFINITY : uniform(d, -2, 2);
    case 10: return chance(d, 0.5) ? -0.0 : 0;
    case 11: return 1e-300 * uniform(d, -1, 1);
    default: return NAN;
    }
}

static void draw_curves(struct trial *t, struct dice *d)
{
    for (size_t o = 0; o < t->study.n_outputs; o++)
        for (size_t i = 0; i < t->n; i++) {
            int kind = chance(d, 0.6) ? integer(d, 0, 4) : integer(d, 5, 12);
            double level = chance(d, 0.5) ? integer(d, -1, 1) : uniform(d, -2, 2), y = level;
            for (size_t k = 0; k < t->study.n_times; k++) {
                double next = next_value(d, kind, level, y, k);
                t->curve[o][i][k] = next;
                y = isfinite(next) ? next : y;
            }
        }
}

/* An edge: a time of the grid, between two, or outside. */
static double draw_edge(const struct trial *t, struct dice *d)
{
    size_t last = t->study.n_times - 1;
    if (chance(d, 0.5))
        return t->time[integer(d, 0, (int)last)];
    return uniform(d, t->time[0] - 2, t->time[last] + 2);
}

static void draw_metrics(struct trial *t, struct dice *d)
{
    static const enum hl_metric_kind kinds[] = {HL_CMAX, HL_TMAX, HL_CMIN, HL_TMIN, HL_AUC, HL_CAVG, HL_LAST,
                                                HL_HOURS_ABOVE, HL_HOURS_BELOW, HL_FRACTION_ABOVE};
    for (size_t w = 0; w < MOST_WINDOWS; w++) {
        double a = draw_edge(t, d), b = chance(d, 0.1) ? a : draw_edge(t, d);
        t->window[w][0] = fmin(a, b);
        t->window[w][1] = fmax(a, b);
    }
    t->study.n_metrics = (size_t)integer(d, 1, MOST_METRICS);
    for (size_t m = 0; m < t->study.n_metrics; m++) {
        int output = integer(d, 0, (int)t->study.n_outputs - 1);
        double value = t->curve[output][integer(d, 0, (int)t->n - 1)][integer(d, 0, (int)t->study.n_times - 1)];
        double theta = chance(d, 0.4) && isfinite(value) ? value : chance(d, 0.5) ? integer(d, -1, 1) : 0.317;
        t->metric[m] = (struct hl_metric_spec){.kind = kinds[integer(d, 0, 9)], .n_of = 1, .of = {output, 0},
                                               .has_threshold = true, .threshold = {theta, 0},
                                               .sampled = !chance(d, 0.1), .window = t->window,
                                               .n_windows = chance(d, 0.5) ? 0 : (size_t)integer(d, 1, MOST_WINDOWS)};
    }
    t->study.metric = t->metric;
}

static void draw_trial(struct trial *t, struct dice *d)
{
    memset(&t->study, 0, sizeof t->study);
    t->n = (size_t)integer(d, 1, MOST_LANES);
    t->study.n_outputs = (size_t)integer(d, 1, MOST_OUTPUTS);
    t->study.output = t->output;
    for (size_t i = 0; i < t->n; i++)
        t->state[i] = chance(d, 0.1) ? HL_SUBJECT_NOT_FINITE : HL_SUBJECT_GOOD;
    draw_times(t, d);
    draw_curves(t, d);
    draw_metrics(t, d);
}

/* --- solved blocks --- */

/* Subject i stands in lane (i + shift) % n; what is in failed and in padding lanes is anything. */
static struct hl_block lay_block(const struct trial *t, size_t shift, double padding)
{
    size_t lanes = (t->n + HL_LANES - 1) / HL_LANES * HL_LANES, n_times = t->study.n_times;
    struct hl_block block = {.first = 1, .n = t->n, .lanes = lanes, .status = hl_alloc(lanes, 1),
                             .out = hl_alloc(t->study.n_outputs * n_times * lanes, sizeof(double))};
    for (size_t lane = 0; lane < lanes; lane++) {
        size_t i = (lane + t->n - shift) % t->n;
        bool good = lane < t->n && t->state[i] == HL_SUBJECT_GOOD;
        block.status[lane] = good ? HL_SUBJECT_GOOD : HL_SUBJECT_NOT_FINITE;
        for (size_t o = 0; o < t->study.n_outputs; o++)
            for (size_t k = 0; k < n_times; k++)
                block.out[(o * n_times + k) * lanes + lane] = good ? t->curve[o][i][k] : padding;
    }
    return block;
}

static void release_block(struct hl_block *block)
{
    hl_free(block->status);
    hl_free(block->out);
}

/* Says what differs and returns false. */
static bool is_as_expected(const struct trial *t, size_t m, size_t i, size_t w, double value)
{
    const struct hl_metric_spec *spec = &t->metric[m];
    struct polygon p = {t->time, t->curve[spec->of[0]][i], t->study.n_times, spec->threshold[0], t->time[0],
                        t->time[t->study.n_times - 1]};
    if (spec->n_windows) {
        p.from = t->window[w][0];
        p.to = t->window[w][1];
    }
    double error = 0, expected = NAN;
    if (t->state[i] == HL_SUBJECT_GOOD)
        expected = value_of(&p, spec->kind, &error) / FACTOR;
    if (value == expected || (isnan(value) && isnan(expected)) || fabs(value - expected) <= error / FACTOR)
        return true;
    print_error("metric kind %d, subject %zu, window %zu [%.17g, %.17g], theta %.17g: %.17g, expected %.17g within "
                "%.3g\n", (int)spec->kind, i, w, p.from, p.to, p.theta, value, expected, error);
    return false;
}

static size_t width_of(const struct hl_metric_spec *spec)
{
    return spec->n_windows ? spec->n_windows : 1;
}

static size_t compare_trial(const struct trial *t, struct hl_grid *grid, size_t *compared)
{
    struct hl_block block = lay_block(t, 0, NAN);
    size_t wrong = 0;
    hl_grid_begin(grid);
    for (size_t m = 0; m < t->study.n_metrics; m++) {
        double value[MOST_LANES * MOST_WINDOWS];
        size_t width = width_of(&t->metric[m]);
        if (t->metric[m].sampled)
            hl_grid_values(grid, &block, m, FACTOR, value);
        for (size_t i = 0; t->metric[m].sampled && i < t->n; i++)
            for (size_t w = 0; w < width; w++, ++*compared)
                wrong += !is_as_expected(t, m, i, w, value[i * width + w]);
    }
    release_block(&block);
    return wrong;
}

static uint64_t seed, cases;

static void rows_are_one_by_one(void **state)
{
    (void)state;
    static struct trial t;
    size_t compared = 0;
    printf("values at output times: seed %llu (HL_SEED), %llu cases (HL_CASES)\n", (unsigned long long)seed,
           (unsigned long long)cases);
    for (uint64_t number = 0; number < cases; number++) {
        struct dice d = {seed, number, 0, STREAM};
        draw_trial(&t, &d);
        struct hl_grid *grid = hl_grid_create(&t.study, MOST_LANES);
        assert_non_null(grid);
        size_t wrong = compare_trial(&t, grid, &compared);
        hl_grid_free(grid);
        if (wrong > 0)
            fail_msg("%zu values differ in case %llu of seed %llu", wrong, (unsigned long long)number,
                     (unsigned long long)seed);
    }
    printf("%zu values compared\n", compared);
    assert_true(compared > cases); /* something was */
}

/* All values of all subjects: [metric][subject][window]. */
static void collect(const struct trial *t, struct hl_grid *grid, size_t shift, double padding, double *values)
{
    struct hl_block block = lay_block(t, shift, padding);
    hl_grid_begin(grid);
    for (size_t m = 0; m < t->study.n_metrics; m++) {
        double value[MOST_LANES * MOST_WINDOWS];
        size_t width = width_of(&t->metric[m]);
        if (t->metric[m].sampled)
            hl_grid_values(grid, &block, m, 1, value);
        for (size_t i = 0; t->metric[m].sampled && i < t->n; i++)
            memcpy(values + (m * MOST_LANES + i) * MOST_WINDOWS, value + (i + shift) % t->n * width,
                   width * sizeof *value);
    }
    release_block(&block);
}

/* A subject's metrics to the last bit, whoever its neighbours are, wherever it stands, whatever is in the lanes of
 * failed subjects and behind the last one, and for whatever the thread was used before. */
static void neighbours_leave_no_trace(void **state)
{
    (void)state;
    static struct trial t;
    size_t n = MOST_METRICS * MOST_LANES * MOST_WINDOWS;
    double *here = hl_alloc(n, sizeof *here), *there = hl_alloc(n, sizeof *there);
    for (uint64_t number = 0; number < cases / 2; number++) {
        struct dice d = {seed, number, 0, STREAM};
        draw_trial(&t, &d);
        struct hl_grid *grid = hl_grid_create(&t.study, MOST_LANES);
        assert_non_null(grid);
        memset(here, 0, n * sizeof *here);
        memset(there, 0, n * sizeof *there);
        collect(&t, grid, 0, NAN, here);
        collect(&t, grid, (size_t)integer(&d, 0, (int)t.n - 1), chance(&d, 0.5) ? 1.5 : INFINITY, there);
        hl_grid_free(grid);
        for (size_t i = 0; i < n; i++)
            if (memcmp(&here[i], &there[i], sizeof *here) != 0 && !(isnan(here[i]) && isnan(there[i])))
                fail_msg("case %llu of seed %llu, metric %zu, subject %zu: %.17g and %.17g",
                         (unsigned long long)number, (unsigned long long)seed, i / (MOST_LANES * MOST_WINDOWS),
                         i / MOST_WINDOWS % MOST_LANES, here[i], there[i]);
    }
    hl_free(here);
    hl_free(there);
}

/* Every allocation that fails is told, and nothing is left behind (which a build with SANITIZE=1 sees). */
static void no_memory_is_told(void **state)
{
    (void)state;
    static struct trial t;
    struct dice d = {seed, 0, 0, STREAM};
    struct hl_grid *grid = NULL;
    size_t failed = 0;
    draw_trial(&t, &d);
    for (; !grid && failed < 10000; failed++) {
        hl_memory_fail_after(failed + 1);
        grid = hl_grid_create(&t.study, MOST_LANES);
        hl_memory_fail_after(0);
    }
    assert_non_null(grid);
    assert_true(failed > 5);
    hl_grid_free(grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_one_by_one),
                                       cmocka_unit_test(neighbours_leave_no_trace),
                                       cmocka_unit_test(no_memory_is_told)};
    seed = from_environment("HL_SEED", date_number());
    cases = from_environment("HL_CASES", 400);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
