/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dependency runs one way through the rooms of sim/: a file may include headers of its own room and of earlier ones,
 * never of a later one. This test reads every #include below sim/ and fails on an arrow that points up; it also fails
 * on an include that shows no room ("../x.h"), because such an arrow could not be checked, and on one without a folder
 * inside a room ("x.h"), which the house spells "room/x.h". */
#define _XOPEN_SOURCE 700 /* nftw */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the ground up. The files directly below sim/ are the pipeline, room "run"; only main.c stands above all. */
static const char *const rooms[] = {"base",    "model", "translate", "study",   "data",  "cohort", "regimen",
                                    "solve", "measure", "taper", "store", "run",     "commands", "main"};
enum { N_ROOMS = sizeof rooms / sizeof rooms[0], UNKNOWN = -1 };

/* The place of a path such as "solve/plan.h" or "run.h" in the order of rooms; UNKNOWN if it has none. */
static int place(const char *path)
{
    const char *room = strchr(path, '/') != NULL ? path : strncmp(path, "main.", 5) == 0 ? "main" : "run";
    size_t length = strcspn(room, "/");
    for (int i = 0; i < N_ROOMS; i++)
        if (strlen(rooms[i]) == length && strncmp(room, rooms[i], length) == 0)
            return i;
    return UNKNOWN;
}

/* What is wrong with `line` of a file in room `from`: NULL if nothing, else a phrase; *target is what it includes.
 * The generated build_info.h, a handful of macros, belongs to no room and may be used by all. */
static const char *fault_of_line(const char *line, int from, char target[static 256])
{
    if (sscanf(line, " # include \"%255[^\"]\"", target) != 1 || strcmp(target, "build_info.h") == 0)
        return NULL;
    int to = place(target);
    if (to == UNKNOWN)
        return "names no room";
    return to > from ? "points up" : NULL;
}

static int n_files, n_includes, n_faults;

static void read_includes(const char *path, int from)
{
    char line[1024], target[256];
    FILE *in = fopen(path, "r");
    if (in == NULL)
        fail_msg("%s can't be read", path);
    for (int number = 1; fgets(line, sizeof line, in) != NULL; number++) {
        const char *fault = fault_of_line(line, from, target);
        n_includes += strstr(line, "#include \"") == line;
        if (fault != NULL) {
            print_error("%s:%d: #include \"%s\" %s\n", path, number, target, fault);
            n_faults++;
        }
    }
    fclose(in);
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    size_t length = strlen(path);
    (void)status;
    (void)where;
    if (kind != FTW_F || length < 2 || path[length - 2] != '.' || strchr("ch", path[length - 1]) == NULL)
        return 0;
    int from = place(path + strlen("sim/"));
    if (from == UNKNOWN) {
        print_error("%s stands in no known room\n", path);
        n_faults++;
    } else {
        read_includes(path, from);
        n_files++;
    }
    return 0;
}

static void no_arrow_points_up(void **state)
{
    (void)state;
    assert_int_equal(nftw("sim", visit, 16, FTW_PHYS), 0);
    print_message("# %d files, %d includes read\n", n_files, n_includes);
    assert_int_equal(n_faults, 0);
    assert_true(n_files > 0 && n_includes > 0);
}

/* A checker that never objects would pass for ever: it must see what it is there to see. */
static void the_checker_sees_faults(void **state)
{
    char target[256];
    (void)state;
    assert_string_equal(fault_of_line("#include \"solve/plan.h\"", place("model/model.c"), target), "points up");
    assert_string_equal(fault_of_line("  #  include \"run.h\"", place("store/file.c"), target), "points up");
    assert_string_equal(fault_of_line("#include \"../solve/plan.h\"", place("model/model.c"), target), "names no room");
    assert_string_equal(fault_of_line("#include \"plan.h\"", place("solve/plan.c"), target), "points up");
    assert_string_equal(fault_of_line("#include \"baseline/a.h\"", place("solve/plan.c"), target), "names no room");
    assert_null(fault_of_line("#include \"base/units.h\"", place("solve/plan.c"), target));
    assert_null(fault_of_line("#include \"solve/lanes.h\"", place("solve/exact/plan.c"), target));
    assert_null(fault_of_line("#include \"run.h\"", place("commands/run.c"), target));
    assert_null(fault_of_line("#include \"run.h\"", place("prepare.c"), target));
    assert_string_equal(fault_of_line("#include \"commands/a.h\"", place("run.c"), target), "points up");
    assert_null(fault_of_line("#include \"commands/commands.h\"", place("main.c"), target));
    assert_null(fault_of_line("#include <solve/plan.h>", place("base/units.c"), target));
    assert_null(fault_of_line("#include \"build_info.h\"", place("base/units.c"), target));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_arrow_points_up),
        cmocka_unit_test(the_checker_sees_faults),
    };
    return cmocka_run_group_tests_name("rooms", tests, NULL, NULL);
}
