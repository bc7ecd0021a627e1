/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages: their form, their order, and that none is lost or said twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/diag.h"
#include "base/memory.h"
#include "printed.h"

static void the_form_of_a_message(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
    hl_diag_error(diag, ((struct hl_pos){"configs/taper.yaml", 14, 12}), "unknown unit '%s' in \"0.5 %s\"", "mgg",
                  "mgg");
    assert_string_equal(printed(diag), "configs/taper.yaml:14:12: error: unknown unit 'mgg' in \"0.5 mgg\"\n");
    hl_diag_warning(diag, ((struct hl_pos){"a.yaml", 3, 0}), "w");
    hl_diag_note(diag, ((struct hl_pos){"b.yaml", 0, 0}), "n");
    hl_diag_error(diag, hl_pos_none(), "bad option");
    assert_string_equal(printed(diag), "a.yaml:3: warning: w\nb.yaml: note: n\nhalflife: error: bad option\n");
    assert_string_equal(printed(diag), "");
    assert_int_equal(hl_diag_count(diag, HL_NOTE), 4);
    assert_int_equal(hl_diag_count(diag, HL_WARNING), 3);
    assert_int_equal(hl_diag_count(diag, HL_ERROR), 2);
    hl_diag_free(diag);
    hl_diag_free(NULL);
}

static void sorted_by_file_as_seen_then_line_then_column(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
    hl_diag_error(diag, ((struct hl_pos){"z.yaml", 9, 1}), "one");
    hl_diag_error(diag, ((struct hl_pos){"a.yaml", 2, 7}), "two");
    hl_diag_error(diag, ((struct hl_pos){"z.yaml", 9, 1}), "another at the same place");
    hl_diag_error(diag, ((struct hl_pos){"z.yaml", 2, 31}), "three");
    hl_diag_error(diag, ((struct hl_pos){"a.yaml", 2, 3}), "four");
    assert_string_equal(printed(diag), "z.yaml:2:31: error: three\nz.yaml:9:1: error: one\n"
                                       "z.yaml:9:1: error: another at the same place\n"
                                       "a.yaml:2:3: error: four\na.yaml:2:7: error: two\n");
    hl_diag_free(diag);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void a_repetition_is_told_once(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
    char name[] = "x.csv";
    size_t lines = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 700; i++)
            hl_diag_error(diag, ((struct hl_pos){name, i % 350, 5}), "fault %d", i % 350);
        if (round == 1)
            lines += count_lines(printed(diag)); /* sorting must not make it forget */
    }
    name[0] = 'y'; /* names are copied, so that this is another file */
    hl_diag_error(diag, ((struct hl_pos){name, 3, 5}), "fault %d", 3);
    hl_diag_warning(diag, ((struct hl_pos){name, 3, 5}), "fault %d", 3);
    lines += count_lines(printed(diag));
    assert_int_equal(lines, 352);
    assert_int_equal(hl_diag_count(diag, HL_ERROR), 2101); /* each time something went wrong */
    assert_int_equal(hl_diag_count(diag, HL_NOTE), 2102);
    hl_diag_free(diag);
}

static void long_messages_are_kept_whole(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
    hl_diag_error(diag, hl_pos_none(), "%*d", 3000, 7);
    assert_int_equal(strlen(printed(diag)), strlen("halflife: error: ") + 3001);
    hl_diag_free(diag);
}

static void without_memory_a_message_is_still_counted(void **state)
{
    (void)state;
    for (size_t n = 1; n < 7; n++) {
        struct hl_diag *diag = hl_diag_create();
        hl_memory_fail_after(n);
        hl_diag_error(diag, ((struct hl_pos){"f", 1, 2}), "while memory fails (expected here)");
        hl_memory_fail_after(0);
        assert_int_equal(hl_diag_count(diag, HL_ERROR), 1);
        hl_diag_error(diag, ((struct hl_pos){"f", 1, 3}), "again");
        assert_int_equal(hl_diag_count(diag, HL_ERROR), 2);
        hl_diag_free(diag);
    }
}

static void threads_may_add_at_once(void **state)
{
    (void)state;
    struct hl_diag *diag = hl_diag_create();
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < 2000; i++)
        hl_diag_warning(diag, ((struct hl_pos){"t", i + 1, 1}), "subject %d", i);
    assert_int_equal(hl_diag_count(diag, HL_WARNING), 2000);
    hl_diag_free(diag);
}

static void positions_shift_within_a_line(void **state)
{
    (void)state;
    struct hl_pos pos = hl_pos_shift((struct hl_pos){"f", 4, 11}, 6);
    assert_int_equal(pos.line, 4);
    assert_int_equal(pos.column, 17);
    assert_int_equal(hl_pos_shift(hl_pos_none(), 6).column, 0);
    hl_diag_error(NULL, pos, "nobody listens");
    assert_int_equal(hl_diag_count(NULL, HL_NOTE), 0);
    hl_diag_print(NULL, stdout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_of_a_message),
        cmocka_unit_test(sorted_by_file_as_seen_then_line_then_column),
        cmocka_unit_test(a_repetition_is_told_once),
        cmocka_unit_test(long_messages_are_kept_whole),
        cmocka_unit_test(without_memory_a_message_is_still_counted),
        cmocka_unit_test(threads_may_add_at_once),
        cmocka_unit_test(positions_shift_within_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
