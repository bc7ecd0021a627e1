/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine can do at best, for tests/bench/roofline.py: one core's clock, arithmetic, copying, hashing and
 * compressing, and the disk's writing.   usage: bench_roofs STUDIES SCRATCH FOLDER */
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/pack.h"
#include "workloads/engine.h"
#include "workloads/peaks.h"
#include "workloads/timing.h"

#define CHUNK 64                    /* patients */
#define FAST 1                      /* level of compression: fast */
#define CACHED (256 << 10)          /* bytes: fits the second cache */
#define UNCACHED (256 << 20)        /* fits none that a core has for itself */
#define WRITTEN (256 << 20)

struct bytes { size_t n; float *value; const char *scratch; };

static double clock_rate(const struct bytes *b) { (void)b; return peak_clock(); }
static double fused(const struct bytes *b) { (void)b; return peak_fused(); }
static double separate(const struct bytes *b) { (void)b; return peak_separate(); }
static double copy_cached(const struct bytes *b) { (void)b; return peak_copy(CACHED); }
static double copy_memory(const struct bytes *b) { (void)b; return peak_copy(UNCACHED); }

static double hash(const struct bytes *b)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    double start = clock_of(1);
    for (int i = 0; i < 50; i++)
        SHA256((const unsigned char *)b->value, b->n, digest);
    return 50 * (double)b->n / (clock_of(1) - start);
}

static double deflate_chunks(const struct bytes *b)
{
    struct hl_packer *packer = hl_packer_create(FAST);
    void *scratch = hl_alloc(b->n, 1), *out = hl_alloc(hl_pack_bound(packer, b->n), 1);
    double start = clock_of(1);
    for (int i = 0; i < 10; i++)
        hl_pack(packer, b->value, b->n, sizeof(float), scratch, out);
    double rate = 10 * (double)b->n / (clock_of(1) - start);
    hl_packer_free(packer);
    hl_free(scratch);
    hl_free(out);
    return rate;
}

static double write_and_sync(const struct bytes *b)
{
    size_t written = 0;
    double start = seconds();
    int fd = open(b->scratch, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    while (fd >= 0 && written < WRITTEN) {
        ssize_t n = write(fd, b->value, b->n);
        if (n <= 0)
            break;
        written += (size_t)n;
    }
    fsync(fd);
    close(fd);
    double time = seconds() - start;
    unlink(b->scratch);
    return (double)written / time;
}

static void measure(FILE *csv, const char *what, double (*rate)(const struct bytes *), const struct bytes *bytes,
                    double unit, const char *name)
{
    double value[MOST_RUNS];
    for (int i = 0; i < bench_runs(); i++)
        value[i] = rate(bytes) / unit;
    struct spread s = spread_of(value, bench_runs());
    printf("%-40s %8.3g [%8.3g, %8.3g] %s\n", what, s.median, s.low, s.high, name);
    fprintf(csv, "%s,%.4g,%.4g,%.4g,%s\n", what, s.median, s.low, s.high, name);
    fflush(stdout);
}

/* The values of one chunk of one output of W1. */
static struct bytes chunk_of_values(const char *studies, const char *scratch)
{
    char path[1024];
    engine_study(path, sizeof path, studies, 1);
    struct hl_prepared *p = engine_prepare(path, CHUNK, NULL, 0);
    struct bytes bytes = {CHUNK * p->study->n_times * sizeof(float), NULL, scratch};
    bytes.value = hl_alloc(bytes.n, p->study->n_outputs);
    engine_values(p, CHUNK, bytes.value);
    engine_release(p);
    return bytes;
}

int main(int argc, char **argv)
{
    bench_begin(argc, 3, "bench_roofs STUDIES SCRATCH FOLDER");
    FILE *csv = bench_table(argv[3], "roofs.csv", "what,median,low,high,unit");
    struct bytes bytes = chunk_of_values(argv[1], argv[2]);
    printf("vectors of %d numbers\n", peak_lanes());
    measure(csv, "clock", clock_rate, &bytes, 1e9, "GHz");
    measure(csv, "multiply-add fused", fused, &bytes, 1e9, "Gflop/s");
    measure(csv, "multiply and add apart", separate, &bytes, 1e9, "Gflop/s");
    measure(csv, "copy in the second cache", copy_cached, &bytes, 1e9, "GB/s");
    measure(csv, "copy beyond it", copy_memory, &bytes, 1e9, "GB/s");
    measure(csv, "SHA-256", hash, &bytes, 1e6, "MB/s");
    measure(csv, "shuffle and deflate", deflate_chunks, &bytes, 1e6, "MB/s");
    measure(csv, "write and fsync", write_and_sync, &bytes, 1e6, "MB/s");
    hl_free(bytes.value);
    fclose(csv);
    bench_end();
    return 0;
}
