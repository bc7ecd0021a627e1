/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NONMEM writes a table as a line "TABLE NO.  1", a line of names and a line per record, every item in a Fortran format
 * ($TABLE FORMAT, by default s1PE11.4) with a blank in front of it; names stand left in the same width. Here the format
 * is s1PE23.16, the widest that NONMEM's users ask for: seventeen digits bring any double back unchanged, as five would
 * not. The header stands once (ONEHEADER). NONMEM prints 0 for an item that has no value; a table of this program never
 * does: it prints the point by which data sets call an item missing. NMtable readers of R take it as NA with
 * na.strings = "."; NM-TRAN takes it as it is. Infinity is spelled as Fortran, R and Python read it. */
#include "store/text_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ITEM_WIDTH 23    /* of 1PE23.16 */
#define LARGEST_WHOLE 1e15 /* below it whole numbers are printed digit by digit, and fifteen digits show them all */

void hl_text_table_begin(struct hl_text_table *t)
{
    if (t->format == HL_TEXT_NONMEM)
        fputs("TABLE NO.  1\n", t->stream);
}

static void separate(struct hl_text_table *t)
{
    if (t->format == HL_TEXT_NONMEM)
        putc(' ', t->stream);
    else if (t->started)
        putc(t->format == HL_TEXT_TSV ? '\t' : ',', t->stream);
    t->started = true;
}

void hl_text_table_name(struct hl_text_table *t, const char *name)
{
    if (t->format != HL_TEXT_NONMEM) {
        hl_text_table_text(t, name);
        return;
    }
    separate(t);
    for (const char *c = name; *c; c++)
        putc(strchr(" \t\n\r,", *c) ? '_' : *c, t->stream);
    for (size_t n = strlen(name); n < ITEM_WIDTH; n++)
        putc(' ', t->stream);
}

void hl_text_table_text(struct hl_text_table *t, const char *text)
{
    separate(t);
    if (t->format == HL_TEXT_TSV) {
        for (; *text; text++)
            putc(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text, t->stream);
    } else if (strpbrk(text, ",\"\n\r") == NULL) {
        fputs(text, t->stream);
    } else {
        putc('"', t->stream);
        for (; *text; text++) {
            if (*text == '"')
                putc('"', t->stream);
            putc(*text, t->stream);
        }
        putc('"', t->stream);
    }
}

static bool is_short_whole(double value)
{
    return fabs(value) < LARGEST_WHOLE && value == floor(value) && (value != 0.0 || !signbit(value));
}

/* Right in its width; a negative number with three digits in the exponent takes the blank in front of it, too. */
static void put_item(FILE *stream, double value)
{
    char text[ITEM_WIDTH + 1 + 32];
    if (isnan(value))
        snprintf(text, sizeof text, "%*s", ITEM_WIDTH, ".");
    else if (isinf(value))
        snprintf(text, sizeof text, "%*s", ITEM_WIDTH, value > 0.0 ? "Infinity" : "-Infinity");
    else
        snprintf(text, sizeof text, "%*.16E", ITEM_WIDTH, value);
    fputs(text, stream);
}

static void put_single(FILE *stream, double value)
{
    char text[40];
    for (int digits = 7; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtof(text, NULL) == (float)value) /* exactly: that is the question */
            break;
    }
    fputs(text, stream);
}

void hl_text_table_number(struct hl_text_table *t, enum hl_hdf_type type, double value)
{
    char text[40];
    separate(t);
    if (t->format == HL_TEXT_NONMEM)
        put_item(t->stream, value);
    else if (isnan(value))
        fputs("NaN", t->stream);
    else if (is_short_whole(value))
        fprintf(t->stream, "%.0f", value);
    else if (type == HL_FLOAT32 && !isinf(value))
        put_single(t->stream, value);
    else
        fputs(hl_text_shortest(value, text, sizeof text), t->stream);
}

void hl_text_table_end_row(struct hl_text_table *t)
{
    putc('\n', t->stream);
    t->started = false;
}
