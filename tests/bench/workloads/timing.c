/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clocks, medians and lines. The trivial loop says what a second thread is worth on this machine at this moment: an
 * iterated map in registers, the same work however it is shared. */
#include "timing.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

double clock_of(int threads)
{
    const char *wanted = getenv("BENCH_CLOCK");
    bool processor = threads == 1 && wanted && strcmp(wanted, "processor") == 0;
    return read_clock(processor ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread spread_of(double *value, int n)
{
    qsort(value, (size_t)n, sizeof *value, ascending);
    double median = n % 2 ? value[n / 2] : 0.5 * (value[n / 2 - 1] + value[n / 2]);
    return (struct spread){median, value[0], value[n - 1]};
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
