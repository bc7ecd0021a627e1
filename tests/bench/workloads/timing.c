/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clocks, medians and lines. The trivial loop says what a second thread is worth on this machine at this moment: an
 * iterated map in registers, the same work however it is shared. */
#include "timing.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/units.h"

#define TRIVIAL_PIECES 64
#define TRIVIAL_STEPS 1000000

static double read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double seconds(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double processor_seconds(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double clock_of(int threads)
{
    const char *wanted = getenv("BENCH_CLOCK");
    bool processor = threads == 1 && wanted && strcmp(wanted, "processor") == 0;
    return processor ? processor_seconds() : seconds();
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread spread_of(const double *value, int n)
{
    double sorted[MOST_RUNS];
    memcpy(sorted, value, (size_t)n * sizeof *value);
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    double median = n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
    return (struct spread){median, sorted[0], sorted[n - 1]};
}

/* The median is left of the k-th of n values where fewer than k of them are left of it: P = sum over i < k of
 * C(n, i) / 2^n. The largest k for which that happens at most once in 32 times, on either side. */
static int outer_rank(int n)
{
    double term = pow(0.5, n), sum = term;
    int k = 1;
    while (2 * k < n) {
        term *= (double)(n - k + 1) / k;
        sum += term;
        if (sum > 1.0 / 32)
            break;
        k++;
    }
    return k;
}

struct spread median_of(const double *value, int n)
{
    double sorted[MOST_RUNS];
    memcpy(sorted, value, (size_t)n * sizeof *value);
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    int k = outer_rank(n);
    return (struct spread){spread_of(value, n).median, sorted[k - 1], sorted[n - k]};
}

struct spread ratio_of(const double *above, const double *below, int n)
{
    double ratio[MOST_RUNS];
    for (int i = 0; i < n; i++)
        ratio[i] = above[i] / below[i];
    return spread_of(ratio, n);
}

struct line log_log_line(const double *x, const double *y, size_t n)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        double u = log(x[i]), v = log(y[i]);
        sx += u;
        sy += v;
        sxx += u * u;
        sxy += u * v;
    }
    double slope = (count * sxy - sx * sy) / (count * sxx - sx * sx);
    return (struct line){slope, (sy - slope * sx) / count};
}

double from_environment(const char *name, double otherwise)
{
    const char *text = getenv(name);
    double value = text ? strtod(text, NULL) : 0;
    return value > 0 ? value : otherwise;
}

int bench_runs(void)
{
    return (int)fmin(from_environment("BENCH_RUNS", 5), MOST_RUNS);
}

int bench_turns(double all, double each)
{
    double least = bench_runs(), wanted = fmin(fmax(all / each, least), 3 * least);
    return (int)fmin(wanted, MOST_RUNS);
}

void bench_begin(int argc, int least, const char *usage)
{
    if (argc <= least) {
        fprintf(stderr, "usage: %s\n", usage);
        exit(2);
    }
    hl_memory_keep_pages(); /* as the program does */
    gsl_set_error_handler_off();
    if (!hl_units_start())
        exit(1);
}

void bench_end(void)
{
    hl_units_stop();
}

FILE *bench_table(const char *folder, const char *name, const char *header)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *table = fopen(path, "w");
    if (!table) {
        perror(path);
        exit(1);
    }
    fprintf(table, "%s\n", header);
    return table;
}

double trivial_loop(int threads)
{
    double start = seconds(), sum = 0;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) reduction(+ : sum)
    for (int piece = 0; piece < TRIVIAL_PIECES; piece++) {
        double x = 0.3 + 1e-3 * piece;
        for (int i = 0; i < TRIVIAL_STEPS; i++)
            x = 3.7 * x * (1 - x);
        sum += x;
    }
    volatile double keep = sum;
    (void)keep;
    return seconds() - start;
}
