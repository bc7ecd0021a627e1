/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages about a data set. A table with one wrong column has a fault in every row: the first hundred errors are shown
 * and the rest is counted. What is legal but deserves a word is said once, where it first happens, with the number of
 * times; such a remark keeps its text until the whole file has been read. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/inside.h"

struct hl_pos hl_data_pos(const struct hl_data_set *set, int column)
{
    size_t c = column < 0 || (size_t)column >= hl_csv_fields(set->csv) ? 0 : (size_t)column;
    return hl_csv_pos(set->csv, c);
}

/* Zeros are left out, but for those items without which a record can't be found. */
static bool is_told(const struct hl_data_set *set, enum hl_item item)
{
    int c = set->at[item];
    if (c < 0 || (size_t)c >= hl_csv_fields(set->csv) || set->cell[c].kind == HL_CELL_MISSING)
        return false;
    bool always = item <= HL_ITEM_AMT;
    return always || set->cell[c].kind == HL_CELL_TEXT || set->cell[c].number != 0.0;
}

const char *hl_data_words(const struct hl_data_set *set, char *buffer, size_t size)
{
    size_t n = 0;
    buffer[0] = '\0';
    for (int item = 0; item <= HL_ITEM_SS && n + 1 < size; item++)
        if (is_told(set, (enum hl_item)item))
            n += (size_t)snprintf(buffer + n, size - n, "%s%s %.24s", n ? ", " : "", hl_items[item].name,
                                  hl_csv_text(set->csv, (size_t)set->at[item]));
    return buffer;
}

static void count_fault(struct hl_data_set *set, struct hl_pos pos, const char *text, const char *words)
{
    if (++set->faults <= HL_FAULTS_SHOWN)
        hl_diag_error(set->diag, pos, "%s%s%s%s", text, *words ? " (" : "", words, *words ? ")" : "");
}

void hl_data_fault(struct hl_data_set *set, int column, const char *format, ...)
{
    char text[800], words[400];
    set->broken = true;
    if (!set->first_reading)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    count_fault(set, hl_data_pos(set, column), text, hl_data_words(set, words, sizeof words));
}

void hl_data_fault_at(struct hl_data_set *set, struct hl_pos pos, const char *format, ...)
{
    char text[800];
    set->broken = true;
    if (!set->first_reading)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    count_fault(set, pos, text, "");
}

void hl_data_remark(struct hl_data_set *set, struct hl_remark *remark, enum hl_severity severity, struct hl_pos pos,
                    const char *format, ...)
{
    if (!set->first_reading || remark->n++ > 0)
        return;
    remark->severity = severity;
    remark->pos = pos;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(remark->text, sizeof remark->text, format, arguments);
    va_end(arguments);
}

void hl_data_say(struct hl_data_set *set, const struct hl_remark *remark, const char *more)
{
    if (remark->n == 1)
        hl_diag_add(set->diag, remark->severity, remark->pos, "%s", remark->text);
    else if (remark->n > 1)
        hl_diag_add(set->diag, remark->severity, remark->pos, "%s; %zu more such %s follow", remark->text,
                    remark->n - 1, more);
}
