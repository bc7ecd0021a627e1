/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of records: that what goes in comes out, however it is handed over; that its length costs no memory; that a
 * full disk leaves nothing; that export, summary and compare tell the records as they are. With HL_SAMPLE=FILE in the
 * environment the program only writes the sample there, for the readers of other languages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/text.h"
#include "store/compare.h"
#include "store/export_records.h"
#include "store/summary.h"
#include "unit/records_sample.h"
#include "printed.h"
#include "unit/exported.h"

static int remove_all(void **state)
{
    free(text);
    return remove_folder(state);
}

static void write_sample(const char *file, uint64_t individuals, size_t arms, size_t step, const char *compression,
                         int threads)
{
    struct sample *s = records_create(individuals, arms);
    s->study.compression = compression;
    s->provenance.threads = threads;
    enum hl_status status = records_write(s, file, true, step);
    hl_diag_print(s->diag, stderr);
    sample_free(s);
    assert_int_equal(status, HL_OK);
}

static struct hl_result *open_result(const char *file, struct hl_diag *diag)
{
    struct hl_result *r = NULL;
    assert_int_equal(hl_result_open(file, &r, diag), HL_OK);
    return r;
}

static const char *payload_of(const char *file, char hex[65])
{
    struct hl_diag *diag = hl_diag_create();
    struct hl_result *r = open_result(file, diag);
    snprintf(hex, 65, "%s", hl_result_attribute(r, NULL, "payload_sha256"));
    hl_result_close(r);
    hl_diag_free(diag);
    return hex;
}

/* ---- What is in the file. */

static void expect_all(struct hl_result *r, uint64_t individuals, size_t arms, struct hl_diag *diag)
{
    uint64_t per_arm = individuals * RECORDS_PER_INDIVIDUAL, start = 0, n = arms * per_arm;
    double *values = malloc(n * sizeof *values);
    assert_int_equal(r->n_records, n);
    for (int c = 0; c < RECORDS_N_COLUMNS; c++) {
        const struct hl_result_variable *v = hl_records_column(r, records_columns[c].name);
        assert_non_null(v);
        assert_string_equal(v->axis[0], "record");
        assert_int_equal(v->type, records_columns[c].whole ? HL_INT32 : HL_FLOAT64);
        assert_int_equal(hl_result_read(r, v, &start, &n, values, diag), HL_OK);
        for (uint64_t i = 0; i < n; i++) {
            double expected = records_value((size_t)(i / per_arm), i % per_arm / RECORDS_PER_INDIVIDUAL + 1,
                                            i % RECORDS_PER_INDIVIDUAL, c);
            if (!(values[i] == expected || (isnan(values[i]) && isnan(expected))))
                fail_msg("%s[%llu] is %.17g, not %.17g", v->name, (unsigned long long)i, values[i], expected);
        }
    }
    const struct hl_result_variable *count = hl_result_at(r, "/records/record");
    assert_int_equal(hl_result_read(r, count, &start, &n, values, diag), HL_OK);
    for (uint64_t i = 0; i < n; i++)
        assert_true(values[i] == (double)(i + 1));
    free(values);
}

static void every_record_comes_back(void **state)
{
    (void)state;
    static const struct { uint64_t individuals; size_t arms, step; } ways[] = {
        {14, 1, 13}, {14, 2, 5}, {5041, 1, 4999}, {5042, 1, 100000}, {5042, 2, 65536}, {2 * 65536 / 13, 1, 777}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) { /* 5041 * 13 is just below a block, 5042 * 13 above */
        struct hl_diag *diag = hl_diag_create();
        write_sample(path, ways[i].individuals, ways[i].arms, ways[i].step, "fast", 2);
        struct hl_result *r = open_result(path, diag);
        assert_int_equal(r->n_subjects, ways[i].individuals);
        expect_all(r, ways[i].individuals, ways[i].arms, diag);
        hl_result_close(r);
        hl_diag_free(diag);
    }
}

static void same_payload_however_it_comes(void **state)
{
    (void)state;
    static const struct { size_t step; const char *compression; int threads; } ways[] = {
        {13, "fast", 1}, {65536, "none", 3}, {100001, "small", 2}, {70000, "fast", 4}};
    for (uint64_t individuals = 14; individuals < 12000; individuals += 11500) {
        char hex[2][65];
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            write_sample(path, individuals, 1, ways[i].step, ways[i].compression, ways[i].threads);
            assert_string_equal(payload_of(path, hex[i > 0]), hex[0]);
        }
    }
}

/* A block of exactly the chunk's length, and one row more. */
static void tables_as_long_as_a_block(void **state)
{
    (void)state;
    for (size_t n = 65535; n <= 65537; n++) {
        struct sample *s = records_create(2, 1);
        struct hl_record_column column[2] = {{.name = "ID", .whole = true}, {.name = "x"}};
        struct hl_store *store;
        double *values = malloc(2 * n * sizeof *values);
        for (size_t i = 0; i < n; i++)
            values[i] = 1.0 + (double)(i % 3), values[n + i] = 0.1 * (double)i;
        assert_int_equal(hl_store_create(path, true, &s->study, NULL, &s->provenance, &store, s->diag), HL_OK);
        assert_int_equal(hl_store_records_begin(store, 2, column), HL_OK);
        assert_int_equal(hl_store_records(store, n, values), HL_OK);
        assert_int_equal(hl_store_finish(store, 0, 0, s->diag), HL_OK);
        struct hl_result *r = open_result(path, s->diag);
        const struct hl_result_variable *v = hl_records_column(r, "x");
        assert_int_equal(v->dims[0], n);
        double last;
        assert_int_equal(hl_result_read(r, v, &(uint64_t){n - 1}, &(uint64_t){1}, &last, s->diag), HL_OK);
        assert_true(last == 0.1 * (double)(n - 1));
        hl_result_close(r);
        free(values);
        sample_free(s);
    }
}

static void the_file_says_what_it_is(void **state)
{
    (void)state;
    write_sample(path, 14, 1, 13, "fast", 1);
    struct hl_diag *diag = hl_diag_create();
    struct hl_result *r = open_result(path, diag);
    assert_string_equal(hl_result_attribute(r, NULL, "covariate_rule"), "next; sex: previous");
    assert_string_equal(hl_result_attribute(r, NULL, "bioavailability_scales"), "duration");
    assert_string_equal(hl_result_attribute(r, "/provenance/data", "path"), "tablets.csv");
    assert_memory_equal(hl_result_attribute(r, "/provenance/data", "sha256"), "3f5a8c0e", 8);
    static const char *const absent[] = {"/time", "/quantile", "/clonazepam_Cp", "/doses/amount", "/metrics/arm"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_null(hl_result_at(r, absent[i]));
    const struct hl_result_variable *id = hl_result_at(r, "/subjects/ID");
    assert_int_equal(id->type, HL_INT32);
    assert_int_equal(id->dims[0], 14);
    assert_string_equal(hl_result_attribute(r, "/records/DV", "comment"), "IPRED with residual error");
    assert_string_equal(hl_result_attribute(r, "/records/IPRED", "units"), "ng/mL");
    assert_string_equal(hl_result_attribute(r, "/records/IPRED", "output"), "clonazepam.Cp");
    assert_null(hl_result_attribute(r, "/records/EVID", "units"));
    assert_string_equal(hl_result_attribute(r, "/records/SEX", "flag_meanings"), "female male");
    hl_result_close(r);
    struct sample *s = records_create(3, 1);
    struct hl_data_spec *data = s->study.data;
    data->rule_stated = false;
    data->scales_rate = true;
    assert_int_equal(records_write(s, path, true, 13), HL_OK);
    r = open_result(path, diag);
    assert_string_equal(hl_result_attribute(r, NULL, "covariate_rule"), "next (NONMEM's rule; the study states none)");
    assert_string_equal(hl_result_attribute(r, NULL, "bioavailability_scales"), "rate");
    hl_result_close(r);
    sample_free(s);
    hl_diag_free(diag);
}

static void names_are_safe_and_unique(void **state)
{
    (void)state;
    struct sample *s = records_create(1, 1);
    struct hl_record_column column[] = {{.name = "ID"}, {.name = "record"}, {.name = "a b"}, {.name = "a.b"},
                                        {.name = "2nd"}, {.name = "arm"}, {.name = "subject"}, {.name = ""}};
    static const char *const names[] = {"ID", "record_2", "a_b", "a_b_2", "x2nd", "arm", "subject", "unnamed"};
    enum { N = sizeof names / sizeof *names };
    double values[2 * N] = {0};
    struct hl_store *store;
    assert_int_equal(hl_store_create(path, true, &s->study, NULL, &s->provenance, &store, s->diag), HL_OK);
    assert_int_equal(hl_store_records_begin(store, N, column), HL_OK);
    assert_int_equal(hl_store_records(store, 2, values), HL_OK);
    assert_int_equal(hl_store_finish(store, 0, 0, s->diag), HL_OK);
    struct hl_result *r = open_result(path, s->diag);
    for (size_t i = 0; i < N; i++)
        assert_non_null(hl_result_at(r, hl_arena_printf(s->arena, "/records/%s", names[i])));
    hl_result_close(r);
    sample_free(s);
}

static void ids_that_are_no_numbers_keep_their_texts(void **state)
{
    (void)state;
    struct sample *s = records_create(3, 1);
    static const char *const ids[] = {"A-7", "B 2", ""};
    const double numbers[] = {1, 2, 3}, strange[] = {1.5, 2, 3e12};
    struct hl_record_column column = {.name = "ID"};
    for (int i = 0; i < 2; i++) {
        struct hl_store *store;
        assert_int_equal(hl_store_create(path, true, &s->study, NULL, &s->provenance, &store, s->diag), HL_OK);
        assert_int_equal(hl_store_records_begin(store, 1, &column), HL_OK);
        assert_int_equal(hl_store_subject_id(store, 0, i ? strange : numbers, i ? NULL : ids), HL_OK);
        assert_int_equal(hl_store_records(store, 3, numbers), HL_OK);
        assert_int_equal(hl_store_finish(store, 0, 0, s->diag), HL_OK);
        struct hl_result *r = open_result(path, s->diag);
        const struct hl_result_variable *v = hl_result_at(r, "/subjects/ID");
        double found[3];
        assert_int_equal(hl_result_read(r, v, &(uint64_t){0}, &(uint64_t){3}, found, s->diag), HL_OK);
        assert_memory_equal(found, i ? strange : numbers, sizeof found);
        assert_int_equal(v->type, i ? HL_FLOAT64 : HL_INT32);
        assert_int_equal(v->n_flags, i ? 0 : 3);
        assert_true(i || (v->first_flag == 1 && strcmp(v->flag[0], "A-7") == 0 && strcmp(v->flag[1], "B_2") == 0));
        hl_result_close(r);
    }
    sample_free(s);
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    struct sample *s = records_create(3, 1);
    struct hl_store *store;
    struct hl_record_column column = {.name = "EVID", .whole = true};
    double missing = (double)NAN, half = 0.5, large = 3e9, fine = -3;
    assert_int_equal(hl_store_create(path, true, &s->study, NULL, &s->provenance, &store, s->diag), HL_OK);
    assert_int_equal(hl_store_records(store, 1, &fine), HL_ERR_INTERNAL); /* before begin */
    assert_int_equal(hl_store_records_begin(store, 0, &column), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_records_begin(store, 1, &column), HL_OK);
    assert_int_equal(hl_store_records_begin(store, 1, &column), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_records(store, 1, &missing), HL_ERR_INTERNAL); /* must not become 0 */
    assert_int_equal(hl_store_records(store, 1, &half), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_records(store, 1, &large), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_records(store, 1, &fine), HL_OK);
    struct hl_strip *strip;
    assert_int_equal(hl_strip_create(store, &strip), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_metric(store, 0, 0, 1, &fine), HL_ERR_INTERNAL);
    assert_int_equal(hl_store_summary(store, 0, 0, &fine, &fine, &fine, NULL, &fine), HL_ERR_INTERNAL);
    hl_store_abandon(store);
    sample_free(s);
    s = sample_create(3, 5);
    assert_int_equal(hl_store_create(path, true, &s->study, s->regimens, &s->provenance, &store, s->diag), HL_OK);
    assert_int_equal(hl_store_records_begin(store, 1, &column), HL_ERR_INTERNAL); /* no data set */
    assert_int_equal(hl_store_subject_id(store, 0, &fine, NULL), HL_ERR_INTERNAL);
    hl_store_abandon(store);
    sample_free(s);
    assert_true(hl_store_records_estimate(1000, RECORDS_N_COLUMNS, records_columns) == 1000 * (4 + 7 * 4 + 9 * 8));
}

/* ---- Memory and disk: in processes of their own, before any thread is made. */

/* Writes so many records in a child; gives by how many kilobytes its memory peaked above where it began, or the
 * negative exit status. */
static long peak_of(uint64_t individuals)
{
    int way[2], outcome = 0;
    long peak = -1;
    assert_int_equal(pipe(way), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rusage before, after;
        struct sample *s = records_create(individuals, 1);
        getrusage(RUSAGE_SELF, &before);
        enum hl_status status = records_write(s, path, true, 1000);
        getrusage(RUSAGE_SELF, &after);
        peak = after.ru_maxrss - before.ru_maxrss;
        sample_free(s);
        bool sent = write(way[1], &peak, sizeof peak) == sizeof peak;
        exit(status == HL_OK && sent ? 0 : 10 + (int)status);
    }
    close(way[1]);
    bool got = read(way[0], &peak, sizeof peak) == sizeof peak;
    close(way[0]);
    waitpid(child, &outcome, 0);
    return got && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0 ? peak : -outcome;
}

/* 100 000 records are two blocks; 300 000 may not take more than those. One block of 16 columns is 8 MB, and how many of
 * its columns are being packed at the worst moment depends on the threads; 200 000 records kept would be 25 MB more. */
static void length_costs_no_memory(void **state)
{
    (void)state;
    long some = peak_of(100000 / RECORDS_PER_INDIVIDUAL), many = peak_of(300000 / RECORDS_PER_INDIVIDUAL);
    print_message("peak above the start: %ld kB for 100 000 records, %ld kB for 300 000\n", some, many);
    assert_true(some > 0 && many > 0);
#ifndef __SANITIZE_ADDRESS__ /* its quarantine keeps freed memory */
    assert_true(many < 40000);
    assert_true(many < some + 8000);
#endif
}

/* A file-size limit stands for a full disk: it strikes at any byte. */
static int write_with_limit(rlim_t limit, uint64_t individuals)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit wanted = {limit, limit};
        signal(SIGXFSZ, SIG_IGN);
        struct sample *s = records_create(individuals, 1);
        s->provenance.threads = 1;
        if (setrlimit(RLIMIT_FSIZE, &wanted) != 0)
            exit(99);
        enum hl_status status = records_write(s, path, true, 70001);
        size_t messages = hl_diag_count(s->diag, HL_ERROR);
        sample_free(s);
        exit(status == HL_OK ? 0 : status == HL_ERR_IO && messages == 1 ? 4 : 50 + (int)status);
    }
    int outcome = 0;
    waitpid(child, &outcome, 0);
    return WIFEXITED(outcome) ? WEXITSTATUS(outcome) : -WTERMSIG(outcome);
}

static void full_disk_at_many_bytes(uint64_t individuals, int steps)
{
    struct stat info;
    assert_int_equal(write_with_limit(RLIM_INFINITY, individuals), 0);
    assert_int_equal(stat(path, &info), 0);
    const off_t whole = info.st_size;
    FILE *stream = fopen(path, "w");
    fputs("precious", stream);
    fclose(stream);
    for (int i = 0; i < steps; i++) {
        off_t limit = whole * i / steps;
        int outcome = write_with_limit((rlim_t)limit, individuals);
        if (outcome != 4)
            fail_msg("limit %ld of %ld bytes: outcome %d instead of 4", (long)limit, (long)whole, outcome);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, 8);
        assert_int_equal(files_in_folder(), 1);
    }
    assert_int_equal(write_with_limit((rlim_t)whole - 1, individuals), 4);
    unlink(path);
}

static void a_full_disk_leaves_nothing(void **state)
{
    (void)state;
    full_disk_at_many_bytes(14, 31);
    full_disk_at_many_bytes(12000, 13); /* blocks */
}

/* ---- Export. */

/* The n-th item (from 0) of a line of NONMEM's format. */
static double item(const char *row, size_t n)
{
    for (char *end; n > 0; n--) {
        row += strspn(row, " ");
        (void)strtod(row, &end);
        row = *row == '.' ? row + 1 : end;
    }
    row += strspn(row, " ");
    return *row == '.' ? (double)NAN : strtod(row, NULL);
}

static void exports_nonmem_tables(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
    struct hl_export_options options = {.format = "nonmem"};
    write_sample(path, 14, 1, 13, "fast", 1);
    assert_int_equal(export_to_text(diag, &options, 3, "A_central", "clonazepam.Cp", "sex"), HL_OK);
    assert_int_equal(n_lines(), 2 + 14 * RECORDS_PER_INDIVIDUAL);
    assert_string_equal(line(0), "TABLE NO.  1");
    static const int columns[] = {REC_ID, REC_TIME, REC_EVID, REC_CMT, REC_AMT, REC_ADDL, REC_II, REC_MDV, REC_IPRED,
                                  REC_DV, REC_AMOUNT, REC_CP, REC_SEX};
    static const char *const names[] = {"ID", "TIME", "EVID", "CMT", "AMT", "ADDL", "II", "MDV", "IPRED", "DV",
                                        "A_central", "clonazepam_Cp", "SEX"};
    enum { N = sizeof columns / sizeof *columns };
    assert_int_equal(strlen(line(1)), 24 * N);
    for (size_t c = 0; c < N; c++) {
        char expected[40];
        snprintf(expected, sizeof expected, " %-23s", names[c]);
        assert_memory_equal(line(1) + 24 * c, expected, 24);
    }
    for (size_t i = 0; i < 14 * RECORDS_PER_INDIVIDUAL; i++) {
        assert_int_equal(strlen(line(i + 2)), 24 * N);
        for (size_t c = 0; c < N; c++) {
            double expected = records_value(0, i / RECORDS_PER_INDIVIDUAL + 1, i % RECORDS_PER_INDIVIDUAL, columns[c]),
                   found = item(line(i + 2), c);
            if ((columns[c] == REC_AMT || columns[c] == REC_II) && isnan(expected))
                expected = 0; /* no dose */
            assert_true(found == expected || (isnan(found) && isnan(expected))); /* to the last bit */
        }
    }
    assert_memory_equal(line(2), "  1.0100000000000000E+02  0.0000000000000000E+00", 48);
    options.rows = "obs";
    assert_int_equal(export_to_text(diag, &options, 0), HL_OK);
    assert_int_equal(n_lines(), 2 + 14 * (RECORDS_PER_INDIVIDUAL - 1));
    assert_true(item(line(2), 2) == 0.0 && item(line(13), 2) == 2.0);
    options = (struct hl_export_options){.format = "nonmem", .subject = SAMPLE_FAILED};
    assert_int_equal(export_to_text(diag, &options, 0), HL_OK);
    assert_int_equal(n_lines(), 2 + RECORDS_PER_INDIVIDUAL);
    assert_true(item(line(3), 8) == 0.0);                  /* nothing in the body yet */
    assert_true(isnan(item(line(2 + RECORDS_FAIL_AT), 8))); /* failed from here on, and not 0 */
    assert_int_equal(hl_diag_count(diag, HL_NOTE), 0);
    hl_diag_free(diag);
}

static void exports_plain_tables(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
    struct hl_export_options options = {0};
    write_sample(path, 14, 2, 13, "fast", 1);
    assert_int_equal(export_to_text(diag, &options, 0), HL_OK);
    assert_int_equal(n_lines(), 1 + 2 * 14 * RECORDS_PER_INDIVIDUAL);
    assert_string_equal(line(0), "ID,TIME,EVID,CMT,AMT,ADDL,II,MDV,WT,SEX,DV_observed,source_row,clonazepam_Cp,IPRED,"
                                 "DV,A_central");
    assert_string_equal(line(1), "101,0,1,1,2,1,24,1,51.37,male,NaN,2,0,0,0,0");
    char expected[100];
    options = (struct hl_export_options){.format = "tsv", .arm = "twice", .subject = 3, .rows = "obs"};
    assert_int_equal(export_to_text(diag, &options, 2, "records/IPRED", "wt"), HL_OK);
    assert_int_equal(n_lines(), RECORDS_PER_INDIVIDUAL);
    assert_string_equal(line(0), "ID\tTIME\tIPRED\tWT");
    snprintf(expected, sizeof expected, "103\t1.02\t%.17g", records_value(1, 3, 4, REC_IPRED));
    assert_memory_equal(line(4), expected, 20);
    assert_true(strtod(line(4) + 9, NULL) == records_value(1, 3, 4, REC_IPRED));
    assert_int_equal(export_to_text(diag, &options, 1, "subjects"), HL_ERR_INPUT); /* --rows obs needs records */
    options = (struct hl_export_options){.subject = 3};
    assert_int_equal(export_to_text(diag, &options, 1, "subjects"), HL_OK);
    assert_string_equal(line(0), "subject,status,ID,WT,clonazepam_ka");
    assert_string_equal(line(1), "3,good,103,54.11,0.038000000000000006");
    hl_diag_free(diag);
}

static void export_refuses(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
    write_sample(path, 14, 1, 13, "fast", 1);
    struct hl_export_options options = {.subject = 105};
    assert_int_equal(export_to_text(diag, &options, 0), HL_ERR_INPUT);
    assert_printed(diag, "has no subject 105; individuals are counted from 1 to 14; the individual with ID 105 is "
                         "subject 5");
    options = (struct hl_export_options){.subject = 15};
    assert_int_equal(export_to_text(diag, &options, 0), HL_ERR_INPUT);
    assert_printed(diag, "has no subject 15; individuals are counted from 1 to 14");
    options = (struct hl_export_options){.wide = true};
    assert_int_equal(export_to_text(diag, &options, 0), HL_ERR_INPUT);
    assert_printed(diag, "--wide is for output times");
    options = (struct hl_export_options){.every = 6};
    assert_int_equal(export_to_text(diag, &options, 1, "IPRED"), HL_ERR_INPUT);
    assert_printed(diag, "--every is for output times");
    options = (struct hl_export_options){0};
    assert_int_equal(export_to_text(diag, &options, 1, "IPERD"), HL_ERR_INPUT);
    assert_printed(diag, "did you mean 'IPRED'?");
    assert_int_equal(export_to_text(diag, &options, 2, "IPRED", "subjects"), HL_ERR_INPUT);
    assert_printed(diag, "don't fit into one table");
    FILE *full = fopen("/dev/full", "w");
    assert_int_equal(hl_export(path, NULL, 0, &options, full, diag), HL_ERR_IO);
    fclose(full);
    assert_printed(diag, "No space left on device");
    hl_diag_free(diag);
}

/* ---- Summary, comparison. */

static const char *summary_of(bool json)
{
    size_t size;
    struct hl_diag *diag = hl_diag_create();
    free(text);
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(hl_summary(path, json, stream, diag), HL_OK);
    fclose(stream);
    hl_diag_free(diag);
    return text;
}

static void expect_text(const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("expected \"%s\" in:\n%s", wanted, text);
}

static void summarises(void **state)
{
    (void)state;
    char expected[200];
    double high = 0;
    write_sample(path, 14, 2, 13, "fast", 1);
    for (uint64_t k = 1; k <= 14; k++)
        for (size_t i = 0; i < RECORDS_PER_INDIVIDUAL; i++)
            high = fmax(high, records_value(1, k, i, REC_IPRED));
    summary_of(false);
    expect_text("records    182: 154 observations, 14 dose records with 14 additional doses, 14 other events\n");
    expect_text("TIME       0 h to 36.5 h\n");
    expect_text("data set   tablets.csv, sha256 3f5a8c0e2b7d9416\n");
    expect_text("covariates next; sex: previous\n");
    expect_text("subject 7 (ID 107) in twice: not_finite\n");
    snprintf(expected, sizeof expected, "  %-28s %-9s %12d %12.4g %9d  individual prediction\n", "IPRED", "ng/mL", 0,
             high, 10);
    expect_text(expected);
    expect_text("education and research, not for dosing");
    summary_of(true);
    char number[40];
    snprintf(expected, sizeof expected, "\"name\": \"IPRED\", \"unit\": \"ng/mL\", \"n\": 172, \"missing\": 10, "
             "\"lowest\": 0, \"highest\": %s}", hl_text_shortest(high, number, sizeof number));
    expect_text(expected);
    expect_text("\"individuals\": 14, \"records\": 182, \"observations\": 154, \"doses\": 14, "
                "\"additional_doses\": 14");
    expect_text("{\"arm\": \"twice\", \"subject\": 7, \"ID\": 107, \"status\": \"not_finite\"}");
    assert_null(strstr(text, "nan"));
}

static void compare_names_the_record(void **state)
{
    (void)state;
    size_t size;
    bool same = true;
    struct hl_diag *diag = hl_diag_create();
    write_sample(path, 14, 1, 13, "fast", 1);
    write_sample(other, 14, 1, 26, "none", 2);
    free(text);
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(hl_compare(path, other, stream, &same, diag), HL_OK);
    fclose(stream);
    assert_true(same);
    hid_t file = H5Fopen(other, H5F_ACC_RDWR, H5P_DEFAULT), d = H5Dopen2(file, "/records/IPRED", H5P_DEFAULT);
    static double values[14 * RECORDS_PER_INDIVIDUAL];
    assert_true(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    values[2 * RECORDS_PER_INDIVIDUAL + 4] += 0.5;
    values[20] += 0.25;
    values[21] = (double)NAN;
    assert_true(H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(d);
    H5Adelete(file, "payload_sha256");
    H5Adelete(file, "covariate_rule");
    H5Fclose(file);
    free(text);
    stream = open_memstream(&text, &size);
    assert_int_equal(hl_compare(path, other, stream, &same, diag), HL_OK);
    fclose(stream);
    assert_false(same);
    expect_text("  records/IPRED\n    largest deviation 0.5 ng/mL at record 31 (ID 103, TIME 1.02, source_row 32): ");
    expect_text("values that only one of them has: 1\n");
    expect_text("  covariate_rule\n    - next; sex: previous\n    + \n");
    assert_null(strstr(text, "records/DV\n"));
    hl_diag_free(diag);
}

int main(void)
{
    const char *sample = getenv("HL_SAMPLE");
    if (!hl_units_start())
        return 1;
    if (sample) {
        struct sample *s = records_create(14, 1);
        enum hl_status status = records_write(s, sample, true, 64);
        hl_diag_print(s->diag, stderr);
        sample_free(s);
        return status == HL_OK ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_costs_no_memory), /* first: these fork, and that goes before any thread */
        cmocka_unit_test(a_full_disk_leaves_nothing),
        cmocka_unit_test(every_record_comes_back),
        cmocka_unit_test(same_payload_however_it_comes),
        cmocka_unit_test(tables_as_long_as_a_block),
        cmocka_unit_test(the_file_says_what_it_is),
        cmocka_unit_test(names_are_safe_and_unique),
        cmocka_unit_test(ids_that_are_no_numbers_keep_their_texts),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(exports_nonmem_tables),
        cmocka_unit_test(exports_plain_tables),
        cmocka_unit_test(export_refuses),
        cmocka_unit_test(summarises),
        cmocka_unit_test(compare_names_the_record),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_all);
}
