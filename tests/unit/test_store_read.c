/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading results: lists, slices, tables as text, summaries and comparisons, each against the formula the sample is made
 * of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <hdf5.h>
#include <signal.h>

#include "store/compare.h"
#include "store/result.h"
#include "store/summary.h"
#include "printed.h"
#include "unit/exported.h"

static struct hl_diag *diag;

static int make_files(void **state)
{
    if (make_folder(state) != 0 || !hl_units_start())
        return -1;
    struct sample *s = sample_create(150, 97);
    sample_text(s, 20);
    enum hl_status status = sample_write(s, path, false, 64, 9);
    sample_free(s);
    s = sample_create(100, 97); /* fewer subjects, otherwise the same people */
    sample_text(s, 30);
    s->study.seed = 5;
    status = status == HL_OK ? sample_write(s, other, false, 64, 9) : status;
    sample_free(s);
    return status == HL_OK ? 0 : -1;
}

static int each_setup(void **state)
{
    (void)state;
    diag = hl_diag_create();
    text = NULL;
    return 0;
}

static int each_teardown(void **state)
{
    (void)state;
    hl_diag_free(diag);
    free(text);
    text = NULL;
    return 0;
}

static void says(const char *wanted)
{
    assert_printed(diag, wanted);
}

/* ---- result.h */

static void lists_and_slices(void **state)
{
    (void)state;
    struct hl_result *r;
    assert_int_equal(hl_result_open(path, &r, diag), HL_OK);
    assert_int_equal(r->n_arms, 2);
    assert_int_equal(r->n_subjects, 150);
    assert_int_equal(r->n_times, 97);
    assert_string_equal(r->arm_name[1], "eighths, \"slow\"");
    assert_string_equal(hl_result_attribute(r, NULL, "seed"), "18446744073709551557");
    assert_non_null(strstr(hl_result_attribute(r, NULL, "summary"), "education and research, not for dosing"));
    assert_null(hl_result_attribute(r, NULL, "nonsense"));
    const struct hl_result_variable *v = hl_result_find(r, "clonazepam.Cp", diag);
    assert_non_null(v);
    assert_string_equal(v->axis[0], "arm");
    assert_string_equal(v->axis[1], "subject");
    assert_string_equal(v->axis[2], "time");
    assert_string_equal(v->unit, "ng/mL");
    double values[2][3];
    const uint64_t start[3] = {1, 141, 10}, count[3] = {1, 2, 3};
    assert_int_equal(hl_result_read(r, v, start, count, values[0], diag), HL_OK);
    for (size_t k = 0; k < 2; k++)
        for (size_t j = 0; j < 3; j++) {
            double expected = sample_value(1, 0, 142 + k, 0.5 * (double)(10 + j));
            assert_true(fabs(values[k][j] - expected) <= 6e-8 * expected);
        }
    assert_ptr_equal(hl_result_find(r, "/metrics/clonazepam_Cp_Cmax", diag), hl_result_find(r, "clonazepam.Cp.Cmax", diag));
    assert_null(hl_result_find(r, "clonazepam.Cpp", diag));
    says("did you mean 'clonazepam_Cp'?");
    v = hl_result_find(r, "clonazepam_ka", diag);
    assert_int_equal(v->rank, 2);
    assert_int_equal(hl_result_find(r, "WT", diag)->rank, 1);
    assert_string_equal(hl_result_find(r, "clonazepam_CL", diag)->unit, "L/h");
    assert_string_equal(hl_result_find(r, "clonazepam_Cp_troughs", diag)->axis[2], "interval");
    assert_int_equal(hl_result_find(r, "clonazepam_Cp_troughs", diag)->dims[2], 6);
    assert_int_equal(hl_result_find(r, "time", diag)->dims[0], 97);
    hl_result_close(r);
}

static void refuses_other_files(void **state)
{
    (void)state;
    struct hl_result *r;
    char strange[220];
    snprintf(strange, sizeof strange, "%s/strange.h5", folder);
    assert_int_equal(hl_result_open(strange, &r, diag), HL_ERR_IO);
    says("No such file or directory");
    FILE *stream = fopen(strange, "w");
    fputs("time,Cp\n", stream);
    fclose(stream);
    assert_int_equal(hl_result_open(strange, &r, diag), HL_ERR_INPUT);
    says("is not an HDF5 file");
    hid_t file = H5Fcreate(strange, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    assert_int_equal(hl_result_open(strange, &r, diag), HL_ERR_INPUT);
    says("but not a result of halflife");
    unlink(strange);
}

/* ---- export.h */

static void exports_trajectories(void **state)
{
    (void)state;
    struct hl_export_options options = {0};
    assert_int_equal(export_to_text(diag, &options, 0), HL_OK);
    assert_int_equal(n_lines(), 1 + 2 * 150 * 97);
    assert_string_equal(line(0), "arm,subject,time,clonazepam_Cp,fentanyl_Ce,overlap_sedation");
    char expected[200];
    snprintf(expected, sizeof expected, "\"eighths, \"\"slow\"\"\",130,48,%.6g", sample_value(1, 0, 130, 48.0));
    assert_memory_equal(line(150 * 97 + 130 * 97), expected, strlen(expected) - 2);
    assert_string_equal(line((SAMPLE_FAILED - 1) * 97 + 4), "standard care,7,1.5,NaN,NaN,NaN");
    double cp;
    assert_int_equal(sscanf(line(150 * 97 + 99 * 97 + 1 + 20), "\"eighths, \"\"slow\"\"\",100,10,%lf", &cp), 1);
    assert_true((float)cp == (float)sample_value(1, 0, 100, 10.0)); /* text keeps every bit of a float32 */
}

static void exports_parts(void **state)
{
    (void)state;
    struct hl_export_options options = {.arm = "1", .subject = 17, .every = 12.0, .format = "nonmem"};
    assert_int_equal(export_to_text(diag, &options, 3, "clonazepam.Cp", "WT", "clonazepam_ka"), HL_OK);
    assert_string_equal(line(0), "TABLE NO.  1");
    char names[200];
    snprintf(names, sizeof names, " %-23s %-23s %-23s %-23s %-23s %-23s", "ID", "TIME", "ARM", "clonazepam_Cp", "WT",
             "clonazepam_ka");
    assert_string_equal(line(1), names);
    assert_int_equal(n_lines(), 2 + 5);
    double id, time, arm, cp, wt, ka;
    assert_int_equal(sscanf(line(3), "%lf %lf %lf %lf %lf %lf", &id, &time, &arm, &cp, &wt, &ka), 6);
    assert_true(id == 17 && time == 12 && arm == 1);
    assert_true((float)cp == (float)sample_value(1, 0, 17, 12.0));
    assert_true(wt == 50.0 + 0.1 * 16.0);
    assert_true(ka == 1.7 + 1.0 + 0.001 * 16.0);
    options.subject = SAMPLE_FAILED;
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam.Cp"), HL_OK);
    assert_string_equal(line(2) + 3 * 24 + 23, ".");
}

static void exports_summaries(void **state)
{
    (void)state;
    struct hl_export_options options = {.format = "tsv", .arm = "standard care"};
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam_Cp_quantiles"), HL_OK);
    assert_string_equal(line(0), "arm\ttime\tq0.05\tq0.5\tq0.95");
    double q[3], mean = sample_value(0, 0, 50, 6.0);
    assert_int_equal(sscanf(line(13), "standard care\t6\t%lf\t%lf\t%lf", &q[0], &q[1], &q[2]), 3);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(q[i] - mean * (0.5 + 0.5 * i)) <= 1e-13);
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam_Cp_fraction_above"), HL_OK);
    assert_string_equal(line(0), "arm\ttime\tabove_20\tabove_5.1");
    assert_string_equal(line(3), "standard care\t1\t0.5\t0.25");
    assert_int_equal(export_to_text(diag, &options, 2, "clonazepam_Cp_mean", "clonazepam_Cp_count"), HL_OK);
    assert_string_equal(line(0), "arm\ttime\tclonazepam_Cp_mean\tclonazepam_Cp_count");
    assert_int_equal(n_lines(), 98);
    options.units = true;
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam_Cp_mean"), HL_OK);
    assert_string_equal(line(0), "arm\ttime [h]\tclonazepam_Cp_mean [ng/mL]");
}

static void exports_tables(void **state)
{
    (void)state;
    struct hl_export_options options = {0};
    assert_int_equal(export_to_text(diag, &options, 1, "metrics/clonazepam_Cp_Cmax"), HL_OK);
    assert_string_equal(line(0), "arm,subject,clonazepam_Cp_Cmax");
    assert_string_equal(line(3), "standard care,3,100.625");
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam_Cp_AUC"), HL_OK);
    assert_string_equal(line(0), "arm,subject,window,clonazepam_Cp_AUC");
    assert_string_equal(line(2), "standard care,1,2,108.875");
    assert_int_equal(export_to_text(diag, &options, 1, "subjects"), HL_OK);
    assert_string_equal(line(0), "arm,subject,WT,sex,clonazepam_CL,status,clonazepam_absorption,clonazepam_ka");
    assert_string_equal(line(7), "standard care,7,50.6,male,3.66,not_finite,slow,1.706");
    assert_int_equal(export_to_text(diag, &options, 1, "WT"), HL_OK);
    assert_string_equal(line(0), "subject,WT");
    assert_int_equal(n_lines(), 151);
    assert_int_equal(export_to_text(diag, &options, 1, "doses"), HL_OK);
    assert_string_equal(line(0), "arm,subject,time,amount,rate,drug,route,refused,strength,duration,interval");
    assert_string_equal(line(1), "standard care,0,0,0.385,0.1,clonazepam,oral,given,0,0,0");
    assert_string_equal(line(2), "\"eighths, \"\"slow\"\"\",1,8,1.385,0,fentanyl,iv,given,0,0,0");
    assert_int_equal(n_lines(), 10);
    assert_int_equal(export_to_text(diag, &options, 1, "design"), HL_OK);
    assert_string_equal(line(0), "arm,clonazepam_0_oral,class");
    assert_string_equal(line(1), "standard care,0.25,slow_metaboliser");
    assert_int_equal(export_to_text(diag, &options, 1, "metrics"), HL_OK);
    assert_string_equal(line(0), "arm,subject,clonazepam_Cp_Cmax,both_hours_above");
}

static void exports_wide(void **state)
{
    (void)state;
    struct hl_export_options options = {.wide = true, .arm = "0"};
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam.Cp"), HL_OK);
    assert_int_equal(n_lines(), 98);
    assert_memory_equal(line(0), "arm,time,clonazepam_Cp_1,clonazepam_Cp_2,", 40);
    double first, second;
    assert_int_equal(sscanf(line(9), "standard care,4,%lf,%lf", &first, &second), 2);
    assert_true((float)second == (float)sample_value(0, 0, 2, 4.0));
    options.arm = NULL;
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam_Cp_quantiles"), HL_OK);
    assert_int_equal(n_lines(), 98);
    assert_string_equal(line(0), "time,standard care_q0.05,standard care_q0.5,standard care_q0.95,\"eighths, \"\"slow\"\"_q0.05\","
                                 "\"eighths, \"\"slow\"\"_q0.5\",\"eighths, \"\"slow\"\"_q0.95\"");
    double q[6];
    assert_int_equal(sscanf(line(13), "6,%lf,%lf,%lf,%lf,%lf,%lf", &q[0], &q[1], &q[2], &q[3], &q[4], &q[5]), 6);
    assert_true(fabs(q[1] - sample_value(0, 0, 50, 6.0)) < 1e-13);
    assert_true(fabs(q[5] - 1.5 * sample_value(1, 0, 50, 6.0)) < 1e-13);
}

static void export_refuses(void **state)
{
    (void)state;
    struct hl_export_options options = {0};
    assert_int_equal(export_to_text(diag, &options, 1, "clonazepam_Cp_maen"), HL_ERR_INPUT);
    says("did you mean 'clonazepam_Cp_mean'?");
    assert_int_equal(export_to_text(diag, &options, 2, "clonazepam_Cp", "clonazepam_Cp_AUC"), HL_ERR_INPUT);
    says("don't fit into one table");
    assert_int_equal(export_to_text(diag, &options, 1, "arm_name"), HL_ERR_INPUT);
    says("holds texts");
    options.arm = "standard car";
    assert_int_equal(export_to_text(diag, &options, 0), HL_ERR_INPUT);
    says("did you mean 'standard care'?");
    options = (struct hl_export_options){.subject = 151};
    assert_int_equal(export_to_text(diag, &options, 0), HL_ERR_INPUT);
    says("has no subject 151; they are counted from 1 to 150");
    options = (struct hl_export_options){.format = "xlsx"};
    assert_int_equal(export_to_text(diag, &options, 0), HL_ERR_INPUT);
    says("--format is csv, tsv or nonmem, but found 'xlsx'");
    options = (struct hl_export_options){.rows = "obs"};
    assert_int_equal(export_to_text(diag, &options, 0), HL_ERR_INPUT);
    says("this result has no records");
}

static void a_full_pipe_is_told_apart_from_a_closed_one(void **state)
{
    (void)state;
    struct hl_export_options options = {0};
    FILE *full = fopen("/dev/full", "w");
    assert_int_equal(hl_export(path, NULL, 0, &options, full, diag), HL_ERR_IO);
    fclose(full);
    says("No space left on device");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    FILE *closed = fdopen(ends[1], "w");
    struct hl_diag *quiet = hl_diag_create();
    assert_int_equal(hl_export(path, NULL, 0, &options, closed, quiet), HL_OK);
    assert_int_equal(hl_diag_count(quiet, HL_NOTE), 0);
    fclose(closed);
    signal(SIGPIPE, before);
    hl_diag_free(quiet);
}

/* ---- summary.h, compare.h */

static void summarises(void **state)
{
    (void)state;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(hl_summary(path, false, stream, diag), HL_OK);
    fclose(stream);
    assert_non_null(strstr(text, "education and research, not for dosing"));
    assert_non_null(strstr(text, "clonazepam_Cp_Cmax"));
    /* 100.25 + k/8 for k = 1 ... 150 without 7: the 75th of 149 is k = 76; 5 % lies 0.4 between k = 9 and 10 */
    assert_non_null(strstr(text, "109.8 [101.4, 118.1]"));
    assert_non_null(strstr(text, "clonazepam_Cp_troughs, interval 6"));
    assert_null(strstr(text, "clonazepam_Cp_troughs, interval 3"));
    free(text);
    stream = open_memstream(&text, &size);
    assert_int_equal(hl_summary(path, true, stream, diag), HL_OK);
    fclose(stream);
    assert_non_null(strstr(text, "\"arms\": [\"standard care\", \"eighths, \\\"slow\\\"\"]"));
    assert_non_null(strstr(text, "\"name\": \"clonazepam_Cp_troughs\", \"unit\": \"ng/mL\", \"interval\": 6, \"n\": 0, \"median\": null"));
    assert_null(strstr(text, "nan"));
}

static void compares(void **state)
{
    (void)state;
    size_t size;
    bool same = false;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(hl_compare(path, path, stream, &same, diag), HL_OK);
    fclose(stream);
    assert_true(same);
    assert_non_null(strstr(text, "all values are equal"));
    free(text);
    stream = open_memstream(&text, &size);
    assert_int_equal(hl_compare(path, other, stream, &same, diag), HL_OK);
    fclose(stream);
    assert_false(same);
    assert_non_null(strstr(text, "- 18446744073709551557\n    + 5"));
    assert_non_null(strstr(text, "- notes: "));
    assert_non_null(strstr(text, "subjects\n    - 150\n    + 100"));
    assert_non_null(strstr(text, "\n  clonazepam_Cp\n    (arm 2, subject 150, time 97) and (arm 2, subject 100, time 97): "
                                 "equal where both have values")); /* the first hundred are the same people */
    assert_non_null(strstr(text, "clonazepam_Cp_count\n    largest deviation 50 "));
}

static void compare_finds_the_largest_deviation(void **state)
{
    (void)state;
    char changed[220];
    size_t size;
    bool same = true;
    snprintf(changed, sizeof changed, "%s/changed.h5", folder);
    struct sample *s = sample_create(150, 97);
    sample_text(s, 20);
    assert_int_equal(sample_write(s, changed, false, 64, 9), HL_OK);
    hid_t file = H5Fopen(changed, H5F_ACC_RDWR, H5P_DEFAULT), d = H5Dopen2(file, "/metrics/clonazepam_Cp_Cmax", H5P_DEFAULT);
    static double values[2][150];
    assert_true(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    values[0][11] += 0.25;
    values[1][16] -= 3.5;
    values[1][17] = (double)NAN;
    assert_true(H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(d);
    H5Adelete(file, "payload_sha256");
    H5Fclose(file);
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(hl_compare(path, changed, stream, &same, diag), HL_OK);
    fclose(stream);
    assert_false(same);
    assert_non_null(strstr(text, "largest deviation 3.5 ng/mL at arm 'eighths, \"slow\"', subject 17: 202.625, 199.125"));
    assert_non_null(strstr(text, "largest relative deviation 0.0173"));
    assert_non_null(strstr(text, "only one of them has: 1"));
    unlink(changed);
    sample_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_and_slices, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(refuses_other_files, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(exports_trajectories, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(exports_parts, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(exports_summaries, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(exports_tables, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(exports_wide, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(export_refuses, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(a_full_pipe_is_told_apart_from_a_closed_one, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(summarises, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(compares, each_setup, each_teardown),
        cmocka_unit_test_setup_teardown(compare_finds_the_largest_deviation, each_setup, each_teardown),
    };
    return cmocka_run_group_tests(tests, make_files, remove_folder);
}
