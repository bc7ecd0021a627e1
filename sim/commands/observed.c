/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Observed points. Column names are compared without their unit; the unit of a column must have the dimension of what
 * it is drawn against. An empty value is a missing observation and is left out. */
#include "commands/observed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/text.h"
#include "base/units.h"

struct observed_column {
    const char *name;
    int index;      /* in the CSV, or -1 */
    double factor;  /* to the unit that is drawn */
};

/* The unit in "time [d]", in the arena; NULL without one. */
static const char *unit_in(struct hl_arena *arena, const char *head)
{
    const char *open = strchr(head, '['), *close = open ? strrchr(open, ']') : NULL;
    return close ? hl_arena_strndup(arena, open + 1, (size_t)(close - open - 1)) : NULL;
}

static bool is_named(const char *head, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(head, name, n) == 0 && strspn(head + n, " ") == strcspn(head + n, "[");
}

static bool find_column(struct hl_arena *arena, const struct hl_csv *csv, struct observed_column *column,
                        const char *unit, struct hl_diag *diag)
{
    struct hl_unit given, drawn;
    char why[200];
    column->index = -1;
    column->factor = 1.0;
    for (size_t i = 0; i < hl_csv_columns(csv) && column->index < 0; i++)
        if (is_named(hl_csv_name(csv, i), column->name))
            column->index = (int)i;
    const char *text = column->index < 0 ? NULL : unit_in(arena, hl_csv_name(csv, (size_t)column->index));
    if (!text)
        return true;
    if (!hl_unit_parse(text, &given, why, sizeof why)) {
        hl_diag_error(diag, hl_pos_none(), "column '%s' of observed points: %s", column->name, why);
        return false;
    }
    if (!hl_unit_parse(unit, &drawn, why, sizeof why) || !hl_dim_equal(given.dim, drawn.dim)) {
        hl_diag_error(diag, hl_pos_none(), "column '%s' of observed points is in %s, but is drawn in %s", column->name,
                      text, unit);
        return false;
    }
    column->factor = given.factor / drawn.factor;
    return true;
}

static bool find_columns(struct hl_arena *arena, const char *path, const struct hl_csv *csv,
                         struct observed_column *column, const char *unit, struct hl_diag *diag)
{
    bool good = true;
    for (int i = 0; i < 3; i++)
        good = find_column(arena, csv, &column[i], i == 0 ? "h" : unit, diag) && good;
    for (int i = 0; i < 2 && good; i++)
        if (column[i].index < 0) {
            hl_diag_error(diag, (struct hl_pos){path, 1, 1},
                          "observed points need the columns time and value, for example "
                          "'time [h],value [%s],sd [%s]'; there is no '%s'",
                          unit, unit, column[i].name);
            good = false;
        }
    return good;
}

/* One field as a number in the unit that is drawn; false, with a message, when it isn't one. An absent or empty sd is
 * 0. */
static bool read_field(const struct hl_csv *csv, const struct observed_column *column, double *value,
                       struct hl_diag *diag)
{
    *value = 0.0;
    const char *text = column->index < 0 ? "" : hl_csv_text(csv, (size_t)column->index);
    if (!*text && strcmp(column->name, "sd") == 0)
        return true;
    if (!hl_text_number(text, value)) {
        hl_diag_error(diag, hl_csv_pos(csv, (size_t)column->index), "expected a number in column '%s', but found '%s'",
                      column->name, text);
        return false;
    }
    *value *= column->factor;
    return true;
}

static enum hl_status copy_rows(struct hl_csv *csv, const struct observed_column *column, FILE *out,
                                struct hl_diag *diag)
{
    enum hl_status status = HL_OK, row = HL_OK;
    size_t n = 0;
    for (;;) {
        double value[3];
        bool more = hl_csv_next(csv, &row);
        if (row != HL_OK)
            status = row;
        if (!more && row == HL_OK)
            break;
        if (!more || !*hl_csv_text(csv, (size_t)column[1].index))
            continue;
        bool good = true;
        for (int i = 0; i < 3; i++)
            good = read_field(csv, &column[i], &value[i], diag) && good;
        if (good)
            fprintf(out, "%.17g,%.17g,%.17g\n", value[0], value[1], value[2]);
        else
            status = HL_ERR_INPUT;
        n++;
    }
    if (status == HL_OK && n == 0) {
        hl_diag_error(diag, hl_pos_none(), "the observed points have no row with a value");
        status = HL_ERR_INPUT;
    }
    return status;
}

static FILE *create_copy(struct hl_arena *arena, const char **path, struct hl_diag *diag)
{
    const char *directory = getenv("TMPDIR");
    char *name = hl_arena_printf(arena, "%s/halflife-XXXXXX", directory && *directory == '/' ? directory : "/tmp");
    int descriptor = mkstemp(name);
    FILE *stream = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!stream)
        hl_diag_error(diag, hl_pos_none(), "cannot create a temporary file '%s': %s", name, strerror(errno));
    *path = name;
    return stream;
}

enum hl_status hl_observed_read(struct hl_arena *arena, const char *path, const char *unit, const char **copy,
                                struct hl_diag *diag)
{
    struct observed_column column[3] = {{.name = "time"}, {.name = "value"}, {.name = "sd"}};
    struct hl_csv *csv = NULL;
    *copy = "";
    enum hl_status status = hl_csv_open(path, &csv, diag);
    if (status != HL_OK)
        return status;
    if (!find_columns(arena, path, csv, column, unit ? unit : "1", diag))
        status = HL_ERR_INPUT;
    FILE *out = status == HL_OK ? create_copy(arena, copy, diag) : NULL;
    if (out) {
        status = copy_rows(csv, column, out, diag);
        if (fclose(out) != 0 && status == HL_OK) {
            hl_diag_error(diag, hl_pos_none(), "cannot write '%s': %s", *copy, strerror(errno));
            status = HL_ERR_IO;
        }
    } else if (status == HL_OK) {
        status = HL_ERR_IO;
        *copy = "";
    }
    hl_csv_close(csv);
    return status;
}
