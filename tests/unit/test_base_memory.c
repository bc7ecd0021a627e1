/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outcomes, allocation and its failing, arenas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/status.h"

static void exit_codes_are_those_of_the_command_line(void **state)
{
    (void)state;
    static const int expected[] = {0, 1, 2, 3, 4, 5, 1, 1, 1};
    for (int s = HL_OK; s <= HL_ERR_SOLVER; s++) {
        const char *sentence = hl_status_sentence((enum hl_status)s);
        assert_int_equal(hl_status_exit_code((enum hl_status)s), expected[s]);
        assert_true(strlen(sentence) > 5 && sentence[strlen(sentence) - 1] != '.');
    }
    assert_int_equal(hl_status_exit_code((enum hl_status)77), 1);
    assert_non_null(hl_status_sentence((enum hl_status)-3));
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    for (size_t count = 0; count < 300; count += 7) {
        unsigned char *bytes = hl_alloc(count, 3);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % 64, 0);
        for (size_t i = 0; i < 3 * count; i++)
            assert_int_equal(bytes[i], 0);
        hl_free(bytes);
    }
    hl_free(NULL);
    assert_null(hl_alloc(SIZE_MAX / 4, 8));
    assert_null(hl_alloc(SIZE_MAX, 1));
}

static void growing_keeps_what_was_there(void **state)
{
    (void)state;
    int *a = hl_grow(NULL, 0, 5, sizeof *a);
    for (int i = 0; i < 5; i++)
        a[i] = 17 * i + 3;
    a = hl_grow(a, 5, 1031, sizeof *a);
    for (int i = 0; i < 1031; i++)
        assert_int_equal(a[i], i < 5 ? 17 * i + 3 : 0);
    assert_null(hl_grow(a, 1031, SIZE_MAX / 2, sizeof *a));
    assert_int_equal(a[4], 71);
    a = hl_grow(a, 1031, 2, sizeof *a);
    assert_int_equal(a[1], 20);
    hl_free(a);
}

static void the_nth_allocation_fails_and_all_after_it(void **state)
{
    (void)state;
    hl_memory_fail_after(3);
    void *first = hl_alloc(1, 1), *second = hl_alloc(1, 1);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(hl_alloc(1, 1));
    assert_null(hl_alloc(1, 1));
    assert_null(hl_arena_create());
    assert_null(hl_grow(first, 1, 2, 1));
    hl_memory_fail_after(0);
    hl_free(first);
    hl_free(second);
    first = hl_alloc(1, 1);
    assert_non_null(first);
    hl_free(first);
}

static void an_arena_holds_small_and_large_pieces(void **state)
{
    (void)state;
    struct hl_arena *arena = hl_arena_create();
    unsigned char *pieces[500];
    for (size_t i = 0; i < 500; i++) {
        size_t n = i % 50 == 49 ? 40000 : i;
        pieces[i] = hl_arena_alloc(arena, n, 1);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i % 251), n);
    }
    for (size_t i = 0; i < 500; i++) {
        size_t n = i % 50 == 49 ? 40000 : i;
        for (size_t k = 0; k < n; k++)
            assert_int_equal(pieces[i][k], i % 251);
    }
    hl_arena_free(arena);
    hl_arena_free(NULL);
}

static void an_arena_copies_and_prints_text(void **state)
{
    (void)state;
    struct hl_arena *arena = hl_arena_create();
    char word[] = "clonazepam";
    char *whole = hl_arena_strdup(arena, word), *part = hl_arena_strndup(arena, word, 4);
    word[0] = 'X';
    assert_string_equal(whole, "clonazepam");
    assert_string_equal(part, "clon");
    assert_string_equal(hl_arena_strndup(arena, "ab", 99), "ab");
    assert_string_equal(hl_arena_printf(arena, "%s:%d %.3f", "x", 37, 2.385), "x:37 2.385");
    char *wide = hl_arena_printf(arena, "%*d", 20000, 5);
    assert_int_equal(strlen(wide), 20000);
    hl_arena_free(arena);
}

static void a_list_grows_by_pushing(void **state)
{
    (void)state;
    struct hl_arena *arena = hl_arena_create();
    double *list = NULL;
    size_t n = 0, capacity = 0;
    for (; n < 1000; n++) {
        list = hl_arena_push(arena, list, n, &capacity, sizeof *list);
        assert_true(capacity > n);
        list[n] = 1.37 * (double)n;
    }
    for (size_t i = 0; i < n; i++)
        assert_true(list[i] == 1.37 * (double)i);
    hl_arena_free(arena);
}

/* A child process runs out of memory in an arena: it must say so and end with exit code 1. */
static void an_arena_without_memory_ends_the_process(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        struct hl_arena *arena = hl_arena_create();
        hl_memory_fail_after(1);
        hl_arena_alloc(arena, 12, 34);
        _exit(77);
    }
    close(pipes[1]);
    char said[300] = "";
    ssize_t n = read(pipes[0], said, sizeof said - 1);
    close(pipes[0]);
    int end;
    waitpid(child, &end, 0);
    assert_true(n > 0 && strstr(said, "not enough memory for 12 x 34 bytes"));
    assert_true(WIFEXITED(end));
    assert_int_equal(WEXITSTATUS(end), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_are_those_of_the_command_line),
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(growing_keeps_what_was_there),
        cmocka_unit_test(the_nth_allocation_fails_and_all_after_it),
        cmocka_unit_test(an_arena_holds_small_and_large_pieces),
        cmocka_unit_test(an_arena_copies_and_prints_text),
        cmocka_unit_test(a_list_grows_by_pushing),
        cmocka_unit_test(an_arena_without_memory_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
