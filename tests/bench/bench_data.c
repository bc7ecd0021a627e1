/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast a data set is read: records per second of both readings, the peak memory, and that it doesn't grow with the
 * number of records.   usage: bench_data [RECORDS] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "data/data_set.h"

#define PER_INDIVIDUAL 100

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Twelve columns: a series of doses, then observations with two or more digits in most cells. */
static void write_table(const char *path, long records)
{
    FILE *f = fopen(path, "wb");
    unsigned seed = 20211009;
    fputs("ID,TIME,EVID,AMT,RATE,CMT,ADDL,II,SS,MDV,DV,WT\n", f);
    for (long i = 0; i < records; i++) {
        long id = i / PER_INDIVIDUAL + 1, k = i % PER_INDIVIDUAL;
        seed = seed * 1664525u + 1013904223u;
        double weight = 45.0 + (double)(id * 37 % 700) / 10.0;
        if (k == 0)
            fprintf(f, "%ld,0,1,%.2f,0,1,3,24,0,1,.,%.1f\n", id, (seed >> 20) / 16.0, weight);
        else
            fprintf(f, "%ld,%.3f,0,.,.,2,.,.,.,0,%.5f,%.1f\n", id, 0.97 * (double)k, (seed >> 8) / 1e6, weight);
    }
    fclose(f);
}

static int read_table(const char *path, long records)
{
    struct hl_diag *diag = hl_diag_create();
    enum hl_status status;
    const struct hl_individual *x;
    uint64_t n = 0;
    double start = seconds();
    struct hl_data_set *set = hl_data_open_alone(path, diag);
    double first = seconds() - start;
    if (!set)
        return 1;
    for (start = seconds(); (x = hl_data_next(set, &status, diag)) != NULL;)
        n += x->n;
    double second = seconds() - start;
    printf("%9ld records: first reading %.3g /s, second %.3g /s, both %.2f s, peak memory %ld kB\n", records,
           (double)records / first, (double)records / second, first + second, peak_kilobytes());
    hl_data_close(set);
    hl_diag_print(diag, stderr);
    hl_diag_free(diag);
    return status != HL_OK || n != (uint64_t)records;
}

int main(int n_arguments, char **argument)
{
    long most = n_arguments > 1 ? strtol(argument[1], NULL, 10) : 1000000;
    char path[] = "/tmp/bench_data_XXXXXX";
    int file = mkstemp(path), failed = !hl_units_start() || file < 0;
    if (!failed)
        close(file);
    for (long records = most / 10; !failed && records > 0 && records <= most; records *= 10) {
        write_table(path, records);
        failed = read_table(path, records);
    }
    unlink(path);
    return failed;
}
