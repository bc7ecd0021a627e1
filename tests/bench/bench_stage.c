/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One workload solved again and again on one thread, and nothing else: what to look at with perf or valgrind. Prints
 * the smallest of the times: microseconds of processor time per patient.
 * usage: bench_stage STUDY.yaml PATIENTS [REPEATS [metrics]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "workloads/engine.h"
#include "workloads/timing.h"

int main(int argc, char **argv)
{
    bench_begin(argc, 2, "bench_stage STUDY.yaml PATIENTS [REPEATS [metrics]]");
    size_t n = strtoul(argv[2], NULL, 10);
    int repeats = argc > 3 ? (int)fmax(1, fmin(atoi(argv[3]), MOST_RUNS)) : 1;
    bool measured = argc > 4 && strcmp(argv[4], "metrics") == 0;
    struct hl_prepared *p = engine_prepare(argv[1], n, NULL, 0);
    double time[MOST_RUNS];
    setenv("BENCH_CLOCK", "processor", 1);
    for (int i = 0; i < repeats; i++) {
        double start = clock_of(1);
        engine_solve(p, n, 1, measured);
        time[i] = clock_of(1) - start;
    }
    printf("%.6g\n", 1e6 * spread_of(time, repeats).low / (double)n);
    engine_release(p);
    bench_end();
    return 0;
}
