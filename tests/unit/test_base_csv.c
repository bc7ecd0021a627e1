/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV: separators, quotes, line ends, places of fields, and every fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/memory.h"
#include "printed.h"

static char path[] = "/tmp/test_base_csv_XXXXXX";
static struct hl_diag *diag;

static const char *messages(void)
{
    return printed(diag);
}

static enum hl_status open_bytes(const char *text, size_t n, struct hl_csv **csv)
{
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(text, 1, n, file), n);
    fclose(file);
    return hl_csv_open(path, csv, diag);
}

static struct hl_csv *opened(const char *text)
{
    struct hl_csv *csv = NULL;
    if (open_bytes(text, strlen(text), &csv) != HL_OK)
        fail_msg("%s", messages());
    return csv;
}

static int begin(void **state)
{
    (void)state;
    diag = hl_diag_create();
    return diag ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    hl_diag_free(diag);
    return 0;
}

static void rows_and_columns(void **state)
{
    (void)state;
    struct hl_csv *csv = opened("\xEF\xBB\xBFID,Time , \"Drug, name\",DV\r\n"
                                "1,0.5,\"a \"\"b\"\"\nc\", 2.385 \r\n\r\n2,,x\xC2\xB5,.");
    enum hl_status status;
    assert_int_equal(hl_csv_columns(csv), 4);
    assert_string_equal(hl_csv_name(csv, 1), "Time");
    assert_string_equal(hl_csv_name(csv, 2), "Drug, name");
    assert_int_equal(hl_csv_find(csv, "dv"), 3);
    assert_int_equal(hl_csv_find(csv, "EVID"), -1);
    assert_true(hl_csv_next(csv, &status));
    assert_string_equal(hl_csv_text(csv, 0), "1");
    assert_string_equal(hl_csv_text(csv, 2), "a \"b\"\nc");
    assert_string_equal(hl_csv_text(csv, 3), "2.385");
    assert_int_equal(hl_csv_pos(csv, 2).line, 2);
    assert_int_equal(hl_csv_pos(csv, 2).column, 8);
    assert_int_equal(hl_csv_pos(csv, 3).line, 3);
    assert_int_equal(hl_csv_pos(csv, 3).column, 5);
    assert_string_equal(hl_csv_pos(csv, 3).file, path);
    assert_true(hl_csv_next(csv, &status));
    assert_string_equal(hl_csv_text(csv, 1), "");
    assert_int_equal(hl_csv_pos(csv, 3).line, 5);
    assert_int_equal(hl_csv_pos(csv, 3).column, 7); /* the micro sign is one character */
    assert_string_equal(hl_csv_text(csv, 3), ".");
    assert_false(hl_csv_next(csv, &status));
    assert_int_equal(status, HL_OK);
    assert_false(hl_csv_next(csv, &status));
    assert_int_equal(status, HL_OK);
    hl_csv_close(csv);
    hl_csv_close(NULL);
    assert_int_equal(hl_diag_count(diag, HL_NOTE), 0);
}

static void the_separator_comes_from_the_header(void **state)
{
    (void)state;
    static const char *const texts[] = {"a;b\n1,5;2\n", "a\tb\n1,5\t2\n", "\"a;;;\",b\n\"1,5\",2\n", "a;b\r1,5;2\r"};
    for (size_t i = 0; i < 4; i++) {
        struct hl_csv *csv = opened(texts[i]);
        enum hl_status status;
        assert_int_equal(hl_csv_columns(csv), 2);
        assert_true(hl_csv_next(csv, &status));
        assert_string_equal(hl_csv_text(csv, 0), "1,5");
        assert_string_equal(hl_csv_text(csv, 1), "2");
        assert_false(hl_csv_next(csv, &status));
        hl_csv_close(csv);
    }
    struct hl_csv *csv = opened("a\tb\tc\n\t\t3\n"); /* empty fields between tabs are no white space */
    enum hl_status status;
    assert_true(hl_csv_next(csv, &status));
    assert_string_equal(hl_csv_text(csv, 2), "3");
    hl_csv_close(csv);
}

static void rows_of_a_wrong_length_are_all_reported(void **state)
{
    (void)state;
    struct hl_csv *csv = opened("a,b\n1,2\n1\n1,2,3\n3,4\n");
    enum hl_status status;
    assert_true(hl_csv_next(csv, &status));
    assert_false(hl_csv_next(csv, &status));
    assert_int_equal(status, HL_ERR_INPUT);
    assert_false(hl_csv_next(csv, &status));
    assert_int_equal(status, HL_ERR_INPUT);
    assert_true(hl_csv_next(csv, &status));
    assert_int_equal(status, HL_OK);
    assert_string_equal(hl_csv_text(csv, 1), "4");
    hl_csv_close(csv);
    const char *said = messages();
    assert_non_null(strstr(said, ":3:1: error: expected 2 fields as in the header, found 1"));
    assert_non_null(strstr(said, ":4:5: error: expected 2 fields as in the header, found 3"));
}

static void faults_end_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *part;
    } cases[] = {{"a,b\n1,\"x\n2,3\n", 13, ":2:3: error: a quotation mark is opened here and never closed"},
                 {"a,b\n1,\"x\"y\n", 11, ":2:6: error: text after a closing quotation mark"},
                 {"a,b\n1,x\0y\n", 10, ":2:4: error: a NUL character"},
                 {"a,b\n1,\"\0\"\n", 10, "error: a NUL character"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hl_csv *csv = NULL;
        enum hl_status status;
        assert_int_equal(open_bytes(cases[i].text, cases[i].n, &csv), HL_OK);
        assert_false(hl_csv_next(csv, &status));
        assert_int_equal(status, HL_ERR_INPUT);
        assert_false(hl_csv_next(csv, &status));
        assert_int_equal(status, HL_OK);
        const char *said = messages();
        if (!strstr(said, cases[i].part))
            fail_msg("expected '%s' in '%s'", cases[i].part, said);
        hl_csv_close(csv);
    }
}

static void bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {{"", ":1:1: error: expected a header line"},
                 {"\n\n", ":1:1: error: expected a header line"},
                 {"a,b,A\n", ":1:5: error: column name 'A' is repeated; column 1 has it already"},
                 {"a,,b\n", ":1:3: error: column 2 has no name"},
                 {"a,\"b\n", "never closed"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hl_csv *csv = NULL;
        hl_diag_free(diag); /* or a repeated message would not be said again */
        diag = hl_diag_create();
        assert_int_equal(open_bytes(cases[i].text, strlen(cases[i].text), &csv), HL_ERR_INPUT);
        assert_null(csv);
        const char *said = messages();
        if (!strstr(said, cases[i].part))
            fail_msg("expected '%s' in '%s'", cases[i].part, said);
    }
    struct hl_csv *csv = NULL;
    assert_int_equal(hl_csv_open("no/such/file.csv", &csv, diag), HL_ERR_IO);
    assert_non_null(strstr(messages(), "no/such/file.csv: error: can't open: No such file"));
    assert_int_equal(hl_csv_open("/", &csv, diag), HL_ERR_IO);
    assert_non_null(strstr(messages(), "can't"));
}

/* Records across many buffers, and a field that never ends. */
static void large_files(void **state)
{
    (void)state;
    FILE *file = fopen(path, "wb");
    fputs("k,text\n", file);
    for (int i = 0; i < 30000; i++)
        fprintf(file, "%d,\"row %d, \xC2\xB5\"\r\n", i, i);
    fclose(file);
    struct hl_csv *csv;
    enum hl_status status;
    assert_int_equal(hl_csv_open(path, &csv, diag), HL_OK);
    int n = 0;
    for (; hl_csv_next(csv, &status); n++) {
        char expected[64];
        snprintf(expected, sizeof expected, "row %d, \xC2\xB5", n);
        assert_string_equal(hl_csv_text(csv, 1), expected);
        assert_int_equal(hl_csv_pos(csv, 1).line, n + 2);
    }
    assert_int_equal(status, HL_OK);
    assert_int_equal(n, 30000);
    hl_csv_close(csv);

    file = fopen(path, "wb");
    fputs("k\n\"", file);
    for (int i = 0; i < 3000000; i++)
        fputc('x', file);
    fclose(file);
    assert_int_equal(hl_csv_open(path, &csv, diag), HL_OK);
    assert_false(hl_csv_next(csv, &status));
    assert_int_equal(status, HL_ERR_INPUT);
    assert_non_null(strstr(messages(), "is a quotation mark left open"));
    hl_csv_close(csv);
}

/* Lines left out, records of any length, and a digest of the bytes. */
static void options(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF# made by hand, with ; and ,\r\n\n  #again\n@ and\nID;A\n1;2\n #3;4\n\t\n"
                               "x;1\n  @y;1\n\"#5\";6\n7;8;9\n10\n# the end";
    static const char *const kept[] = {"1 2", "#5 6", "7 8 9", "10"}; /* x is a letter, and '@' stands for letters */
    struct hl_csv *csv = NULL;
    enum hl_status status;
    char hex[65], wanted[65], row[64];
    struct hl_csv_options given = {"#@", true, hl_digest_create()};
    FILE *file = fopen(path, "wb");
    fwrite(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(hl_csv_open_with(path, &given, &csv, diag), HL_OK);
    assert_string_equal(hl_csv_name(csv, 0), "ID");
    assert_int_equal(hl_csv_pos(csv, 1).line, 5);
    assert_int_equal(hl_csv_pos(csv, 1).column, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(hl_csv_next(csv, &status));
        size_t n = 0;
        for (size_t c = 0; c < hl_csv_fields(csv); c++)
            n += (size_t)snprintf(row + n, sizeof row - n, "%s%s", c ? " " : "", hl_csv_text(csv, c));
        assert_string_equal(row, kept[i]);
    }
    assert_false(hl_csv_next(csv, &status));
    assert_int_equal(status, HL_OK);
    assert_true(hl_digest_finish_hex(given.digest, hex));
    assert_true(hl_digest_hex(text, sizeof text - 1, wanted));
    assert_string_equal(hex, wanted);
    hl_csv_close(csv);
    assert_int_equal(hl_diag_count(diag, HL_NOTE), 0);
}

/* Comments longer than a buffer stand before the header, whose separator is found nevertheless. */
static void a_long_preface(void **state)
{
    (void)state;
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < 9000; i++)
        fprintf(file, "# line %d,,,,\n", i);
    fputs("a;b;c\n1;2;3\n", file);
    fclose(file);
    struct hl_csv *csv = NULL;
    enum hl_status status;
    assert_int_equal(hl_csv_open_with(path, &(struct hl_csv_options){.ignore = "#"}, &csv, diag), HL_OK);
    assert_int_equal(hl_csv_columns(csv), 3);
    assert_true(hl_csv_next(csv, &status));
    assert_string_equal(hl_csv_text(csv, 2), "3");
    assert_int_equal(hl_csv_pos(csv, 2).line, 9002);
    hl_csv_close(csv);
}

static void memory_may_fail_anywhere(void **state)
{
    (void)state;
    char text[4000] = "a,b\n";
    memset(text + 4, '7', 3000);
    strcat(text, ",2\n");
    enum hl_status status = HL_ERR_MEMORY;
    for (size_t n = 1; status == HL_ERR_MEMORY && n < 60; n++) {
        FILE *file = fopen(path, "wb");
        fputs(text, file);
        fclose(file);
        struct hl_csv *csv = NULL;
        int saved = dup(STDERR_FILENO);
        assert_non_null(freopen("/dev/null", "w", stderr)); /* a message without memory goes there */
        hl_memory_fail_after(n);
        status = hl_csv_open(path, &csv, diag);
        if (status == HL_OK)
            hl_csv_next(csv, &status);
        hl_memory_fail_after(0);
        fflush(stderr);
        dup2(saved, STDERR_FILENO);
        close(saved);
        hl_csv_close(csv);
        assert_true(status == HL_OK || status == HL_ERR_MEMORY);
    }
    assert_int_equal(status, HL_OK);
}

static int make_path(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file >= 0 ? close(file) : -1;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_and_columns, begin, end),
        cmocka_unit_test_setup_teardown(the_separator_comes_from_the_header, begin, end),
        cmocka_unit_test_setup_teardown(rows_of_a_wrong_length_are_all_reported, begin, end),
        cmocka_unit_test_setup_teardown(faults_end_the_file, begin, end),
        cmocka_unit_test_setup_teardown(bad_headers, begin, end),
        cmocka_unit_test_setup_teardown(large_files, begin, end),
        cmocka_unit_test_setup_teardown(options, begin, end),
        cmocka_unit_test_setup_teardown(a_long_preface, begin, end),
        cmocka_unit_test_setup_teardown(memory_may_fail_anywhere, begin, end),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
