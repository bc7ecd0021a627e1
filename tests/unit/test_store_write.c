/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer: what is in the file, that it does not depend on how it was handed over, and that every failure leaves the
 * directory as it was. With HL_SAMPLE=FILE in the environment the program only writes the sample there, for the readers
 * of other languages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/hdf.h"
#include "store/pack.h"
#include "store/verify.h"
#include "unit/store_folder.h"
#include "printed.h"

static void payload_of(const char *file, char hex[65])
{
    struct hl_arena *arena = hl_arena_create();
    hid_t id = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(id >= 0);
    const char *found = hl_hdf_text(arena, id, "payload_sha256");
    assert_non_null(found);
    snprintf(hex, 65, "%s", found);
    H5Fclose(id);
    hl_arena_free(arena);
}

static void says(struct sample *s, const char *wanted)
{
    assert_printed(s->diag, wanted);
}

static void writes_and_reads_back(void **state)
{
    (void)state;
    struct sample *s = sample_create(150, 97);
    sample_text(s, 100);
    assert_int_equal(sample_write(s, path, false, 64, 9), HL_OK);
    assert_int_equal(files_in_folder(), 1);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    static float values[2][150][97];
    hid_t d = H5Dopen2(file, "/clonazepam_Cp", H5P_DEFAULT);
    assert_true(H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    for (size_t arm = 0; arm < 2; arm++)
        for (uint64_t k = 1; k <= 150; k += 13)
            for (size_t j = 0; j < 97; j += 7) {
                double expected = sample_value(arm, 0, k, 0.5 * (double)j);
                assert_true(fabs((double)values[arm][k - 1][j] - expected) <= 1.2e-7 * expected);
            }
    assert_true(isnan(values[1][SAMPLE_FAILED - 1][5]));
    assert_true(H5Lexists(file, "/subjects/clonazepam_ka", H5P_DEFAULT) > 0);
    H5Dclose(d);
    H5Fclose(file);
    sample_free(s);
    unlink(path);
}

static void same_payload_however_it_comes(void **state)
{
    (void)state;
    static const struct { uint64_t block; const char *compression; } ways[] = {{64, "fast"}, {8, "none"}, {24, "small"}};
    char hex[3][65];
    for (int i = 0; i < 3; i++) {
        struct sample *s = sample_create(150, 97);
        s->study.compression = ways[i].compression;
        s->provenance.threads = i + 1;
        assert_int_equal(sample_write(s, path, true, ways[i].block, 9), HL_OK);
        payload_of(path, hex[i]);
        sample_free(s);
    }
    assert_string_equal(hex[0], hex[1]);
    assert_string_equal(hex[0], hex[2]);
    struct sample *s = sample_create(150, 97);
    s->study.time[3] += 1e-9;
    assert_int_equal(sample_write(s, path, true, 64, 9), HL_OK);
    payload_of(path, hex[1]);
    assert_string_not_equal(hex[0], hex[1]);
    sample_free(s);
    unlink(path);
}

/* Columns too long to be stored in one piece are one chunk, packed by the writer, and read the same whatever the
 * compression; those that differ between arms are written a second time. */
static void columns_of_subjects(void **state)
{
    (void)state;
    static const char *const compression[] = {"none", "fast", "small"}, *const name[] = {"/subjects/WT",
                                              "/subjects/clonazepam_ka", "/subjects/subject"};
    enum { N = 3011 };
    static double value[3][3][2 * N];
    for (int c = 0; c < 3; c++) {
        struct sample *s = sample_create(N, 3);
        s->study.compression = compression[c];
        assert_int_equal(sample_write(s, path, true, 64, 9), HL_OK);
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        for (int i = 0; i < 3; i++) {
            hid_t d = H5Dopen2(file, name[i], H5P_DEFAULT), space = H5Dget_space(d);
            assert_in_range(H5Sget_simple_extent_npoints(space), N, 2 * N);
            assert_true(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value[c][i]) >= 0);
            assert_memory_equal(value[c][i], value[0][i], sizeof value[0][i]);
            H5Sclose(space);
            H5Dclose(d);
        }
        H5Fclose(file);
        sample_free(s);
    }
    assert_true(value[1][0][N - 1] == 50.0 + 0.1 * (N - 1) && value[1][2][N - 1] == N);
    assert_true(value[1][1][N - 1] > 1.7);
    unlink(path);
}

/* 64 subjects by 9001 times are 2.2 MiB: three chunks along time, one digest. */
static void long_studies_are_split_along_time(void **state)
{
    (void)state;
    struct sample *s = sample_create(70, 9001);
    s->study.n_outputs = 1;
    s->study.n_thresholds = 1;
    struct hl_store *store;
    assert_int_equal(hl_store_create(path, false, &s->study, s->regimens, &s->provenance, &store, s->diag), HL_OK);
    assert_int_equal(sample_trajectories(s, store, 40), HL_OK);
    assert_int_equal(hl_store_finish(store, 0, 0, s->diag), HL_OK);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(file, "/clonazepam_Cp", H5P_DEFAULT);
    hid_t list = H5Dget_create_plist(d);
    hsize_t chunk[3];
    assert_int_equal(H5Pget_chunk(list, 3, chunk), 3);
    assert_int_equal(chunk[1], 64);
    assert_int_equal(chunk[2], 3001);
    float *values = malloc(2 * 70 * 9001 * sizeof *values);
    assert_true(H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    double expected = sample_value(1, 0, 69, 4500.0);
    assert_true(fabs((double)values[(70 + 68) * 9001 + 9000] - expected) <= 1.2e-7 * fabs(expected) + 1e-40);
    expected = sample_value(1, 0, 69, 1500.5);
    assert_true(fabs((double)values[(70 + 68) * 9001 + 3001] - expected) <= 1.2e-7 * expected);
    free(values);
    H5Pclose(list);
    H5Dclose(d);
    H5Fclose(file);
    sample_free(s);
    unlink(path);
}

static void long_dose_tables_grow(void **state)
{
    (void)state;
    struct sample *s = sample_create(3, 5);
    const size_t n = 2 * 65536 + 1234;
    assert_int_equal(sample_write(s, path, false, 64, n), HL_OK);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(file, "/doses/amount", H5P_DEFAULT);
    double *values = malloc(n * sizeof *values);
    hid_t space = H5Dget_space(d);
    assert_int_equal(H5Sget_simple_extent_npoints(space), n);
    assert_true(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    for (size_t i = 0; i < n; i += 4099)
        assert_true(values[i] == 0.385 + (double)i);
    free(values);
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(file);
    sample_free(s);
    unlink(path);
}

/* More than an object header can hold (64 kB). */
static void long_texts_fit(void **state)
{
    (void)state;
    struct sample *s = sample_create(3, 5);
    sample_text(s, 300000);
    assert_int_equal(sample_write(s, path, false, 64, 2), HL_OK);
    struct hl_arena *arena = hl_arena_create();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(file, "/provenance/study", H5P_DEFAULT);
    const char *text = hl_hdf_text(arena, d, "text");
    assert_non_null(text);
    assert_true(strlen(text) > 300000);
    assert_non_null(strstr(text, "Größe"));
    H5Dclose(d);
    H5Fclose(file);
    hl_arena_free(arena);
    sample_free(s);
    unlink(path);
}

static void precisions(void **state)
{
    (void)state;
    static const char *const words[] = {"double", "rounded"};
    static const double tolerance[] = {1e-15, 4.9e-4};
    for (int i = 0; i < 2; i++) {
        struct sample *s = sample_create(65, 20);
        s->study.precision = words[i];
        assert_int_equal(sample_write(s, path, false, 32, 2), HL_OK);
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(file, "/fentanyl_Ce", H5P_DEFAULT);
        static double values[2][65][20];
        assert_true(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
        double expected = sample_value(1, 1, 65, 3.5), error = fabs(values[1][64][7] - expected) / expected;
        assert_true(error <= tolerance[i]);
        assert_true(i == 0 || error > 1e-8); /* it really is rounded */
        assert_int_equal(H5Aexists(d, "precision") > 0, i == 1);
        H5Dclose(d);
        H5Fclose(file);
        sample_free(s);
        unlink(path);
    }
}

static void rounding_is_to_nearest(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 100000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        float value = (float)ldexp((double)(x >> 11) * 0x1p-53 + 0.001, (int)(x % 200) - 100), rounded = hl_round_float(value);
        assert_true(fabsf(rounded - value) <= 4.8829e-4f * fabsf(value));
        assert_true(hl_round_float(rounded) == rounded);
        assert_true(hl_round_float(-value) == -rounded);
    }
    assert_true(isnan(hl_round_float(NAN)));
    assert_true(hl_round_float(3.4028235e38f) == 3.4028235e38f);
}

static void summaries_only(void **state)
{
    (void)state;
    struct sample *s = sample_create(10, 5);
    s->study.store_trajectories = false;
    assert_int_equal(sample_write(s, path, false, 64, 2), HL_OK);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_int_equal(H5Lexists(file, "/clonazepam_Cp", H5P_DEFAULT), 0);
    assert_true(H5Lexists(file, "/clonazepam_Cp_mean", H5P_DEFAULT) > 0);
    H5Fclose(file);
    sample_free(s);
    unlink(path);
}

/* ---- Failures. */

static void keeps_an_existing_file(void **state)
{
    (void)state;
    struct sample *s = sample_create(3, 5);
    FILE *stream = fopen(path, "w");
    fputs("precious", stream);
    fclose(stream);
    assert_int_equal(sample_write(s, path, false, 64, 2), HL_ERR_IO);
    says(s, "exists already; use --force");
    char text[20] = "";
    stream = fopen(path, "r");
    assert_non_null(fgets(text, sizeof text, stream));
    fclose(stream);
    assert_string_equal(text, "precious");
    assert_int_equal(sample_write(s, path, true, 64, 2), HL_OK);
    assert_int_equal(files_in_folder(), 1);
    sample_free(s);
    unlink(path);
}

/* Without force the name is taken only if it is still free at the end. */
static void keeps_a_file_that_appears_meanwhile(void **state)
{
    (void)state;
    struct sample *s = sample_create(3, 5);
    struct hl_store *store;
    assert_int_equal(hl_store_create(path, false, &s->study, s->regimens, &s->provenance, &store, s->diag), HL_OK);
    FILE *stream = fopen(path, "w");
    fclose(stream);
    assert_int_equal(hl_store_finish(store, 0, 0, s->diag), HL_ERR_IO);
    says(s, "File exists");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(files_in_folder(), 1);
    sample_free(s);
    unlink(path);
}

static void impossible_places(void **state)
{
    (void)state;
    static const struct { const char *path, *says; } places[] = {
        {"/nowhere/at/all/result.h5", "No such file or directory; create it first"},
        {"/dev/null", "not a regular file"},
        {"/tmp/", "names a directory"},
        {"/dev/null/result.h5", "is not a directory"},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct sample *s = sample_create(3, 5);
        assert_int_equal(sample_write(s, places[i].path, true, 64, 2), HL_ERR_IO);
        says(s, places[i].says);
        sample_free(s);
    }
}

static void abandoned_leaves_nothing(void **state)
{
    (void)state;
    struct sample *s = sample_create(130, 50);
    struct hl_store *store;
    assert_int_equal(hl_store_create(path, false, &s->study, s->regimens, &s->provenance, &store, s->diag), HL_OK);
    assert_int_equal(files_in_folder(), 1);
    assert_int_equal(sample_trajectories(s, store, 64), HL_OK);
    hl_store_abandon(store);
    hl_store_abandon(NULL);
    assert_int_equal(files_in_folder(), 0);
    sample_free(s);
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    struct sample *s = sample_create(130, 5);
    struct hl_store *store;
    static double values[130 * 6];
    assert_int_equal(hl_store_create(path, false, &s->study, s->regimens, &s->provenance, &store, s->diag), HL_OK);
    struct hl_strip *strip;
    assert_int_equal(hl_strip_create(store, &strip), HL_OK);
    static const struct { size_t arm; uint64_t first; size_t n; } wrong[] = {{0, 2, 64}, {0, 1, 63}, {0, 129, 3},
                                                                            {2, 1, 64}, {0, 0, 64}, {0, 1, 128}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(hl_strip_begin(strip, wrong[i].arm, wrong[i].first, wrong[i].n), HL_ERR_INTERNAL);
    assert_true(hl_strip_keeps(strip, 2));
    assert_false(hl_strip_keeps(strip, 6));
    hl_strip_free(strip);
    assert_int_equal(hl_store_metric(store, 0, 9, 1, values), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_subject_covariate(store, 0, 9, values), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_summary(store, 0, 9, values, NULL, NULL, NULL, NULL), HL_ERR_INTERNAL);
    struct hl_given given = {.arm = 5};
    assert_int_equal(hl_store_doses(store, 1, &given), HL_ERR_INTERNAL);
    hl_store_abandon(store);
    sample_free(s);
}

/* A file-size limit stands for a full disk: it strikes at any byte. Each limit gets a process of its own, because the
 * limit can't be raised again, and because a crash must be seen. */
static int write_with_limit(rlim_t limit)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit wanted = {limit, limit};
        signal(SIGXFSZ, SIG_IGN);
        struct sample *s = sample_create(150, 97);
        sample_text(s, 2000);
        if (setrlimit(RLIMIT_FSIZE, &wanted) != 0)
            exit(99);
        enum hl_status status = sample_write(s, path, true, 64, 9);
        size_t messages = hl_diag_count(s->diag, HL_ERROR);
        sample_free(s);
        exit(status == HL_OK ? 0 : status == HL_ERR_IO && messages == 1 ? 4 : 50 + (int)status);
    }
    int outcome = 0;
    waitpid(child, &outcome, 0);
    return WIFEXITED(outcome) ? WEXITSTATUS(outcome) : -WTERMSIG(outcome);
}

static void full_disk_at_any_byte(void **state)
{
    (void)state;
    struct stat info;
    FILE *stream = fopen(path, "w");
    fputs("precious", stream);
    fclose(stream);
    assert_int_equal(write_with_limit(RLIM_INFINITY), 0);
    assert_int_equal(stat(path, &info), 0);
    const off_t whole = info.st_size;
    stream = fopen(path, "w");
    fputs("precious", stream);
    fclose(stream);
    for (off_t limit = 0; limit < whole; limit += limit < 4096 ? 512 : 7919) {
        int outcome = write_with_limit((rlim_t)limit);
        if (outcome != 4)
            fail_msg("limit %ld of %ld bytes: outcome %d instead of 4", (long)limit, (long)whole, outcome);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, 8);
        assert_int_equal(files_in_folder(), 1);
    }
    assert_int_equal(write_with_limit((rlim_t)whole - 1), 4);
    assert_int_equal(write_with_limit(2 * (rlim_t)whole), 0); /* while it is written, a file is longer than in the end */
    unlink(path);
}

/* ---- What the check of a closed file sees. */

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    for (int c; (c = fgetc(in)) != EOF;)
        fputc(c, out);
    fclose(in);
    fclose(out);
}

static enum hl_status verified(struct hl_writer *w, const char *copy)
{
    char why[300];
    return hl_verify(copy, w, why, sizeof why);
}

/* A writer with one chunk of a dataset of two, as it stands on the disk after a flush. */
static struct hl_writer *one_chunk(struct hl_diag *diag, struct hl_dataset **dataset, const double *values)
{
    static int number[128];
    static struct hl_axis arm = {.name = "arm", .type = HL_INT32, .n = 2}, subject = {.name = "subject", .type = HL_INT32, .n = 64};
    const struct hl_axis *axis[2] = {&arm, &subject};
    arm.values = subject.values = number;
    struct hl_writer *w;
    assert_int_equal(hl_writer_create(path, true, 0, &w, diag), HL_OK);
    struct hl_dataset *d = *dataset = hl_writer_dataset(w, "", "x", HL_FLOAT64, 2, axis, (const uint64_t[]){1, 64});
    assert_non_null(d);
    hl_writer_chunk(w, d, (const uint64_t[]){0, 0}, values, 64 * sizeof *values);
    assert_true(hl_block_digest(HL_FLOAT64, values, 64, d->digest[0]));
    assert_true(H5Fflush(w->file, H5F_SCOPE_GLOBAL) >= 0);
    for (size_t i = 0; i < w->n_datasets; i++)
        w->dataset[i]->n_attributes = hl_hdf_attributes(w->dataset[i]->id);
    w->n_attributes = hl_hdf_attributes(w->file);
    return w;
}

/* Changes one byte of a value that occurs once. */
static void spoil(const char *copy, double value)
{
    char *bytes = malloc(1 << 20);
    FILE *stream = fopen(copy, "r+b");
    size_t n = fread(bytes, 1, 1 << 20, stream), at = 0;
    while (at + sizeof value <= n && memcmp(bytes + at, &value, sizeof value) != 0)
        at++;
    assert_true(at + sizeof value <= n);
    fseek(stream, (long)at, SEEK_SET);
    fputc(bytes[at] ^ 1, stream);
    fclose(stream);
    free(bytes);
}

static void check_sees_what_is_wrong(void **state)
{
    (void)state;
    double values[64];
    char copy[300];
    struct stat info;
    for (int i = 0; i < 64; i++)
        values[i] = 0.731 + i;
    snprintf(copy, sizeof copy, "%s.copy", path);
    struct hl_diag *diag = hl_diag_create();
    struct hl_dataset *d;
    struct hl_writer *w = one_chunk(diag, &d, values);
    copy_file(w->temporary, copy);
    assert_int_equal(verified(w, copy), HL_OK);
    w->verify_all = true;
    assert_int_equal(verified(w, copy), HL_OK);
    spoil(copy, values[37]); /* the bytes of a chunk are looked at when all is verified */
    assert_int_equal(verified(w, copy), HL_ERR_IO);
    w->verify_all = false;
    assert_int_equal(verified(w, copy), HL_OK);
    d->stored[0].n += 8; /* a chunk of another length */
    assert_int_equal(verified(w, copy), HL_ERR_IO);
    d->stored[0].n -= 8;
    d->stored[0].offset[0] = 1; /* elsewhere */
    assert_int_equal(verified(w, copy), HL_ERR_IO);
    d->stored[0].offset[0] = 0;
    memset(d->digest[1], 7, 32); /* a block that was made and never written */
    assert_int_equal(verified(w, copy), HL_ERR_IO);
    memset(d->digest[1], 0, 32);
    d->n_attributes++; /* an attribute lost */
    assert_int_equal(verified(w, copy), HL_ERR_IO);
    d->n_attributes--;
    assert_int_equal(verified(w, copy), HL_OK);
    assert_int_equal(stat(copy, &info), 0);
    assert_int_equal(truncate(copy, info.st_size - 1), 0);
    assert_int_equal(verified(w, copy), HL_ERR_IO);
    assert_int_equal(truncate(copy, info.st_size + 1), 0);
    assert_int_equal(verified(w, copy), HL_ERR_IO);
    unlink(copy);
    hl_writer_abandon(w);
    hl_diag_free(diag);
}

int main(void)
{
    const char *sample = getenv("HL_SAMPLE");
    if (!hl_units_start())
        return 1;
    if (sample) {
        struct sample *s = sample_create(150, 97);
        sample_text(s, 70000);
        enum hl_status status = sample_write(s, sample, true, 64, 9);
        hl_diag_print(s->diag, stderr);
        sample_free(s);
        return status == HL_OK ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk_at_any_byte), /* first: it forks, and that goes before any thread */
        cmocka_unit_test(writes_and_reads_back),
        cmocka_unit_test(same_payload_however_it_comes),
        cmocka_unit_test(columns_of_subjects),
        cmocka_unit_test(long_studies_are_split_along_time),
        cmocka_unit_test(long_dose_tables_grow),
        cmocka_unit_test(long_texts_fit),
        cmocka_unit_test(precisions),
        cmocka_unit_test(rounding_is_to_nearest),
        cmocka_unit_test(summaries_only),
        cmocka_unit_test(keeps_an_existing_file),
        cmocka_unit_test(keeps_a_file_that_appears_meanwhile),
        cmocka_unit_test(impossible_places),
        cmocka_unit_test(abandoned_leaves_nothing),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(check_sees_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
