/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Progress: silent when it should be, one line on a terminal, lines elsewhere. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_openpt */
#endif
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/progress.h"

static int saved = -1;

static void redirect(int to)
{
    fflush(stderr);
    saved = dup(STDERR_FILENO);
    dup2(to, STDERR_FILENO);
}

static void restore(void)
{
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void pause_for(long milliseconds)
{
    nanosleep(&(struct timespec){0, milliseconds * 1000000}, NULL);
}

/* What a short run says in a mode, with standard error in a pipe. */
static void run_in_pipe(enum hl_progress_mode mode, bool finished, char *said, size_t size)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    redirect(pipes[1]);
    struct hl_progress *progress = hl_progress_create(mode, "subjects", 1037);
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < 17; i++)
        hl_progress_add(progress, 61);
    hl_progress_free(progress, finished);
    restore();
    close(pipes[1]);
    memset(said, 0, size);
    assert_true(read(pipes[0], said, size - 1) >= 0);
    close(pipes[0]);
}

static void plain_and_silent(void **state)
{
    (void)state;
    char said[2000];
    run_in_pipe(HL_PROGRESS_PLAIN, true, said, sizeof said);
    assert_string_equal(said, "1037 subjects in 0 s\n");
    run_in_pipe(HL_PROGRESS_PLAIN, false, said, sizeof said);
    assert_string_equal(said, "stopped after 1037 of 1037 subjects, 0 s\n");
    run_in_pipe(HL_PROGRESS_AUTO, true, said, sizeof said);
    assert_string_equal(said, "");
    run_in_pipe(HL_PROGRESS_NONE, true, said, sizeof said);
    assert_string_equal(said, "");
}

/* A pseudo-terminal as its two ends; skips the test where the system has none (a bare chroot). */
static int open_terminal(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    int terminal = -1;
    if (*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0)
        terminal = open(ptsname(*master), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        skip();
    return terminal;
}

static void a_terminal_gets_one_line_at_most_five_times_a_second(void **state)
{
    (void)state;
    int master, terminal = open_terminal(&master);
    redirect(terminal);
    struct hl_progress *progress = hl_progress_create(HL_PROGRESS_AUTO, "subjects", 1000);
    for (int i = 0; i < 40; i++) {
        hl_progress_add(progress, 20);
        pause_for(11);
    }
    hl_progress_free(progress, true);
    restore();
    char said[4000] = "";
    close(terminal);
    size_t n = 0; /* what was said may come in pieces, up to an error once the other end is closed */
    for (ssize_t got; n < sizeof said - 1 && (got = read(master, said + n, sizeof said - 1 - n)) > 0;)
        n += (size_t)got;
    close(master);
    int updates = 0;
    for (const char *c = said; *c; c++)
        updates += c[0] == '\r' && c[1] != '\n';
    assert_true(updates >= 2 && updates <= 6); /* 0.44 s or more, and the last word */
    assert_non_null(strstr(said, "of 1000 subjects"));
    assert_non_null(strstr(said, "subjects/s"));
    assert_non_null(strstr(said, "to go"));
    assert_non_null(strstr(said, "800 subjects in "));
}

static void nothing_is_accepted(void **state)
{
    (void)state;
    hl_memory_fail_after(1);
    struct hl_progress *progress = hl_progress_create(HL_PROGRESS_PLAIN, "subjects", 10);
    hl_memory_fail_after(0);
    assert_null(progress);
    hl_progress_add(progress, 3);
    hl_progress_free(progress, true);
}

static void colour_only_on_a_terminal_without_no_color(void **state)
{
    (void)state;
    int master, terminal = open_terminal(&master), file = open("/dev/null", O_WRONLY);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    assert_true(hl_colour_allowed(terminal));
    assert_false(hl_colour_allowed(file));
    setenv("NO_COLOR", "", 1);
    assert_true(hl_colour_allowed(terminal));
    setenv("NO_COLOR", "1", 1);
    assert_false(hl_colour_allowed(terminal));
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    assert_false(hl_colour_allowed(terminal));
    close(terminal);
    close(master);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_silent),
        cmocka_unit_test(a_terminal_gets_one_line_at_most_five_times_a_second),
        cmocka_unit_test(nothing_is_accepted),
        cmocka_unit_test(colour_only_on_a_terminal_without_no_color),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
