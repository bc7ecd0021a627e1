/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole runs of W1 to a file, against programs that have the values in memory and do nothing but write them:
 *
 *     H5Dwrite                     four datasets of float32, nothing else
 *     chunks, hashed and synced    chunks of 64 patients by all times with H5Dwrite_chunk, SHA-256 of each, fsync
 *     compressed                   the same chunks shuffled and deflated as HDF5's filters would, by libdeflate at the
 *                                  level of `compression: fast`, not written
 *     packed                       the same by the run's own packer, which stores noise
 *
 * Each finds no file there: to delete another's takes a twentieth of a second, and whoever came next would pay for it.
 *
 * and the smallest run there is: one patient of W4 as a process of its own (without the table of 100 000 patients, the
 * reading of which would be most of it).
 * usage: bench_writing STUDIES SCRATCH.h5 FOLDER PROGRAM */
#include <fcntl.h>
#include <hdf5.h>
#include <libdeflate.h>
#include <math.h>
#include <omp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/pack.h"
#include "workloads/engine.h"
#include "workloads/timing.h"

#define CHUNK 64            /* patients */
#define FAST 1              /* level of compression: fast */
#define PROCESSES 20

struct values { size_t subjects, n_times, n_outputs; float *value; }; /* [output][subject][time] */

static const float *chunk_of(const struct values *v, size_t output, size_t first)
{
    return v->value + (output * v->subjects + first) * v->n_times;
}

static hid_t new_file(const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0)
        exit(1); /* HDF5 has said why */
    return file;
}

static hid_t dataset(hid_t file, const struct values *v, size_t output, bool chunked)
{
    hsize_t dims[3] = {1, v->subjects, v->n_times}, chunk[3] = {1, CHUNK, v->n_times};
    hid_t space = H5Screate_simple(3, dims, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    char name[32];
    snprintf(name, sizeof name, "y%zu", output);
    if (chunked)
        H5Pset_chunk(list, 3, chunk);
    hid_t set = H5Dcreate2(file, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Pclose(list);
    H5Sclose(space);
    return set;
}

static double bare_write(const struct values *v, const char *path)
{
    double start = seconds();
    hid_t file = new_file(path);
    for (size_t o = 0; o < v->n_outputs; o++) {
        hid_t set = dataset(file, v, o, false);
        H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, chunk_of(v, o, 0));
        H5Dclose(set);
    }
    H5Fclose(file);
    return seconds() - start;
}

static void write_chunks(const struct values *v, hid_t set, size_t output)
{
    size_t bytes = CHUNK * v->n_times * sizeof(float);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    for (size_t first = 0; first + CHUNK <= v->subjects; first += CHUNK) {
        hsize_t offset[3] = {0, first, 0};
        SHA256((const unsigned char *)chunk_of(v, output, first), bytes, digest);
        H5Dwrite_chunk(set, H5P_DEFAULT, 0, offset, bytes, chunk_of(v, output, first));
    }
}

static double write_hashed(const struct values *v, const char *path)
{
    double start = seconds();
    hid_t file = new_file(path);
    for (size_t o = 0; o < v->n_outputs; o++) {
        hid_t set = dataset(file, v, o, true);
        write_chunks(v, set, o);
        H5Dclose(set);
    }
    H5Fclose(file);
    int fd = open(path, O_RDONLY);
    fsync(fd);
    close(fd);
    return seconds() - start;
}

/* A chunk's bytes: the first of all values, then the second, ... */
static void shuffle(const unsigned char *from, size_t n, unsigned char *to)
{
    for (size_t byte = 0; byte < sizeof(float); byte++)
        for (size_t i = 0; i < n; i++)
            to[byte * n + i] = from[i * sizeof(float) + byte];
}

static double compress_only(const struct values *v)
{
    size_t bytes = CHUNK * v->n_times * sizeof(float), per_output = v->subjects / CHUNK;
    double start = seconds();
#pragma omp parallel
    {
        struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(FAST);
        size_t room = libdeflate_zlib_compress_bound(compressor, bytes);
        void *scratch = hl_alloc(bytes, 1), *out = hl_alloc(room, 1);
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < per_output * v->n_outputs; i++) {
            shuffle((const unsigned char *)chunk_of(v, i / per_output, i % per_output * CHUNK), CHUNK * v->n_times,
                    scratch);
            libdeflate_zlib_compress(compressor, scratch, bytes, out, room);
        }
        libdeflate_free_compressor(compressor);
        hl_free(scratch);
        hl_free(out);
    }
    return seconds() - start;
}

static double pack_only(const struct values *v)
{
    size_t bytes = CHUNK * v->n_times * sizeof(float), per_output = v->subjects / CHUNK;
    double start = seconds();
#pragma omp parallel
    {
        struct hl_packer *packer = hl_packer_create(FAST);
        void *scratch = hl_alloc(bytes, 1), *out = hl_alloc(hl_pack_bound(packer, bytes), 1);
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < per_output * v->n_outputs; i++)
            hl_pack(packer, chunk_of(v, i / per_output, i % per_output * CHUNK), bytes, sizeof(float), scratch, out);
        hl_packer_free(packer);
        hl_free(scratch);
        hl_free(out);
    }
    return seconds() - start;
}

static double one_process(const char *program, const char *studies, const char *scratch)
{
    char command[4096];
    snprintf(command, sizeof command, "%s run %s/w4.yaml --set 'cohort={subjects: 1, seed: 1}' -o %s --force --quiet",
             program, studies, scratch);
    double start = seconds();
    if (system(command) != 0)
        fprintf(stderr, "failed: %s\n", command);
    return seconds() - start;
}

/* One row: the times, and, turn by turn, how many times those of base (or NULL). */
static void note(FILE *csv, const char *what, const double *time, int n, const double *base)
{
    struct spread s = spread_of(time, n);
    printf("%-52s %8.4f s [%8.4f, %8.4f]", what, s.median, s.low, s.high);
    fprintf(csv, "%s,%.6g,%.6g,%.6g", what, s.median, s.low, s.high);
    if (base) {
        struct spread ratio = ratio_of(time, base, n);
        printf("  x %.2f [%.2f, %.2f]", ratio.median, ratio.low, ratio.high);
        fprintf(csv, ",%.4g,%.4g,%.4g\n", ratio.median, ratio.low, ratio.high);
    } else
        fprintf(csv, ",,,\n");
    putchar('\n');
    fflush(stdout);
}

static struct values values_of(const char *study, size_t subjects)
{
    struct hl_prepared *p = engine_prepare(study, subjects, NULL, 0);
    struct values v = {subjects, p->study->n_times, p->study->n_outputs, NULL};
    v.value = hl_alloc(subjects * v.n_times * v.n_outputs, sizeof *v.value);
    engine_values(p, subjects, v.value);
    engine_release(p);
    return v;
}

enum { BARE, HASHED, COMPRESSED, PACKED, NONE, FASTEST, N_KINDS };

/* One contestant once. */
static double take_turn(int kind, const struct values *v, const char *study, const char *scratch)
{
    static const struct hl_set none = {"compression", "none"}, fast = {"compression", "fast"};
    switch (kind) {
    case BARE: return bare_write(v, scratch);
    case HASHED: return write_hashed(v, scratch);
    case COMPRESSED: return compress_only(v);
    case PACKED: return pack_only(v);
    default: return engine_run(study, v->subjects, kind == NONE ? &none : &fast, 1, scratch, omp_get_max_threads());
    }
}

static double seconds_of_all_threads(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void whole_runs(const char *studies, const char *scratch, FILE *csv)
{
    static const char *const name[] = {"H5Dwrite", "chunks hashed and synced", "chunks compressed only",
                                       "chunks packed only", "run uncompressed", "run fast"};
    int runs = (int)fmin(from_environment("BENCH_WRITE_RUNS", 5), MOST_RUNS);
    size_t subjects = (size_t)from_environment("BENCH_WRITE_SUBJECTS", 10000);
    char study[1024];
    snprintf(study, sizeof study, "%s/w1.yaml", studies);
    struct values v = values_of(study, subjects);
    double time[N_KINDS][MOST_RUNS], busy[N_KINDS][MOST_RUNS];
    for (int i = 0; i < runs; i++)
        for (int kind = 0; kind < N_KINDS; kind++) {
            unlink(scratch);
            double before = seconds_of_all_threads();
            time[kind][i] = take_turn(kind, &v, study, scratch);
            busy[kind][i] = seconds_of_all_threads() - before;
        }
    printf("W1 to a file, %zu patients, %d threads, %.0f MB of values; x: of the row it is held against\n", subjects,
           omp_get_max_threads(), 1e-6 * (double)(subjects * v.n_times * v.n_outputs * sizeof(float)));
    for (int kind = BARE; kind <= PACKED; kind++)
        note(csv, name[kind], time[kind], runs, NULL);
    note(csv, "run uncompressed (x: of H5Dwrite)", time[NONE], runs, time[BARE]);
    note(csv, "run uncompressed (x: of chunks hashed and synced)", time[NONE], runs, time[HASHED]);
    note(csv, "run fast (x: of chunks compressed only)", time[FASTEST], runs, time[COMPRESSED]);
    note(csv, "run fast (x: of chunks packed only)", time[FASTEST], runs, time[PACKED]);
    for (int kind = 0; kind < N_KINDS; kind++)
        printf("%-36s %8.4f s of processors\n", name[kind], spread_of(busy[kind], runs).median);
    hl_free(v.value);
    unlink(scratch);
}

static void small_processes(const char *program, const char *studies, const char *scratch, FILE *csv)
{
    double time[PROCESSES];
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm/halflife_bench.h5" : NULL;
    for (int i = 0; i < PROCESSES; i++)
        time[i] = one_process(program, studies, memory ? memory : scratch);
    unlink(memory ? memory : scratch);
    note(csv, memory ? "W4 with one patient as a process (file in memory)" : "W4 with one patient as a process", time,
         PROCESSES, NULL);
}

int main(int argc, char **argv)
{
    bench_begin(argc, 4, "bench_writing STUDIES SCRATCH.h5 FOLDER PROGRAM");
    FILE *csv = bench_table(argv[3], "writing.csv", "what,median_s,low_s,high_s,ratio,ratio_low,ratio_high");
    small_processes(argv[4], argv[1], argv[2], csv);
    whole_runs(argv[1], argv[2], csv);
    fclose(csv);
    bench_end();
    return 0;
}
