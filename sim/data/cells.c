/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells. Nothing, "." and what the study calls missing is missing; a declared missing value that is a number (-99) also
 * meets its other spellings (-99.0). Everything else is a number or a text. NA and NaN that nobody declared are errors
 * with that remedy, in every column: they would otherwise turn a column of numbers into one of texts.
 *
 * The first reading finds out what a column holds: whole numbers, numbers or texts. A text column's values become codes
 * in order of appearance, as long as there are at most 256 different ones of 16 KiB together; memory must not grow with
 * the file. Numbers that stood in a column before its first text get their codes from one more look at the file
 * (data_set.c). */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/inside.h"

static bool is_declared_missing(const struct hl_data_set *set, const struct hl_cell *cell)
{
    for (size_t i = 0; i < set->spec->n_missing; i++)
        if (strcmp(cell->text, set->spec->missing[i]) == 0 ||
            (cell->kind == HL_CELL_NUMBER && set->missing_is_number[i] && cell->number == set->missing_number[i]))
            return true;
    return false;
}

static struct hl_cell sort_cell(const struct hl_data_set *set, const char *text)
{
    struct hl_cell cell = {.kind = HL_CELL_TEXT, .number = NAN, .text = text};
    if (hl_text_number(text, &cell.number))
        cell.kind = HL_CELL_NUMBER;
    if (*text == '\0' || (text[0] == '.' && text[1] == '\0') || is_declared_missing(set, &cell))
        cell = (struct hl_cell){.kind = HL_CELL_MISSING, .number = NAN, .text = text};
    return cell;
}

bool hl_data_is_missing(const struct hl_data_set *set, const char *text)
{
    return sort_cell(set, text).kind == HL_CELL_MISSING;
}

static bool is_not_available(const char *text)
{
    return strcasecmp(text, "NA") == 0 || strcasecmp(text, "NaN") == 0;
}

static void note_text(struct hl_data_set *set, struct hl_column *column, const char *text)
{
    if (!column->texts) {
        column->texts = hl_alloc(1, sizeof *column->texts);
        set->without_memory = set->without_memory || !column->texts;
        column->numbers_first = column->number;
    }
    if (column->texts)
        hl_texts_add(column->texts, text);
}

/* Calendar dates and clock times become numbers: their texts need no codes. */
static bool becomes_number(const struct hl_column *column)
{
    return column->item == HL_ITEM_TIME || column->item == HL_ITEM_DATE || column->item == HL_ITEM_II ||
           column->item == HL_ITEM_DUR;
}

/* First reading: what sort of values the column has. */
static void note_kind(struct hl_data_set *set, size_t c)
{
    struct hl_column *column = &set->column[c];
    const struct hl_cell *cell = &set->cell[c];
    column->missing = column->missing || cell->kind == HL_CELL_MISSING;
    if (cell->kind == HL_CELL_MISSING)
        return;
    if (column->texts || (cell->kind == HL_CELL_TEXT && !becomes_number(column)))
        note_text(set, column, cell->text);
    column->number = column->number || cell->kind == HL_CELL_NUMBER;
    bool time_of_day = cell->kind == HL_CELL_TEXT && becomes_number(column) && column->item != HL_ITEM_DATE;
    column->fraction =
        column->fraction || time_of_day ||
        (cell->kind == HL_CELL_NUMBER && (cell->number != floor(cell->number) || fabs(cell->number) > INT32_MAX));
}

void hl_data_read_cells(struct hl_data_set *set)
{
    for (size_t c = 0; c < set->n_columns; c++) {
        struct hl_cell *cell = &set->cell[c];
        *cell = sort_cell(set, hl_csv_text(set->csv, c));
        set->column_value[c] = cell->number;
        if (set->first_reading)
            note_kind(set, c);
        else if (set->column[c].texts && cell->kind != HL_CELL_MISSING) {
            int code = hl_texts_code(set->column[c].texts, cell->text);
            set->column_value[c] = code < 0 ? (double)NAN : (double)code;
        }
        if (cell->kind == HL_CELL_TEXT && is_not_available(cell->text) && set->column[c].item != HL_ITEM_COMMENT) {
            hl_data_fault(set, (int)c, "'%s' in column %s is no value; if it means missing, say data: missing: [%s]",
                          cell->text, set->info[c].name, cell->text);
            if (set->column[c].item != HL_N_ITEMS)
                set->bad[set->column[c].item] = true;
        }
    }
}

static void fault_number(struct hl_data_set *set, int column, const char *text)
{
    if (is_not_available(text))
        return; /* said already */
    if (strchr(text, ','))
        hl_data_fault(set, column, "expected a number in column %s, found '%s'; decimals are written with a point",
                      set->info[column].name, text);
    else
        hl_data_fault(set, column,
                      "expected a number in column %s, found '%s'; if it means missing, say data: missing: [\"%s\"]",
                      set->info[column].name, text, text);
}

bool hl_data_number(struct hl_data_set *set, enum hl_item item, double *value)
{
    int c = set->at[item];
    if (c < 0 || set->cell[c].kind == HL_CELL_MISSING)
        return false;
    if (set->cell[c].kind == HL_CELL_NUMBER) {
        *value = set->cell[c].number;
        return true;
    }
    set->bad[item] = true;
    fault_number(set, c, set->cell[c].text);
    return false;
}

void hl_data_settle_columns(struct hl_data_set *set)
{
    for (size_t c = 0; c < set->n_columns; c++) {
        struct hl_column *column = &set->column[c];
        struct hl_data_column_info *info = &set->info[c];
        bool whole = column->number && !column->fraction && !column->missing;
        if (column->item == HL_ITEM_DATE)
            whole = !column->missing;
        info->kind = column->texts ? HL_COLUMN_TEXT : whole ? HL_COLUMN_WHOLE : HL_COLUMN_NUMBER;
        if (!column->texts)
            continue;
        if (column->texts->too_many) {
            if (column->item != HL_ITEM_ID && column->item != HL_ITEM_COMMENT)
                hl_diag_warning(
                    set->diag, column->pos,
                    "column '%s' has more than %d different texts (or 16 KiB of them): they are not kept, and "
                    "the result has no values for it",
                    info->name, HL_MAX_TEXTS);
        } else {
            info->n_texts = column->texts->n;
            info->text = (const char **)column->texts->text;
        }
    }
}
