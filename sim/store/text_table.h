/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table as text, cell by cell: CSV, TSV, or the table file that NONMEM writes.
 * Every number reads back as the same value of its type. Called by export. */
#ifndef HL_STORE_TEXT_TABLE_H
#define HL_STORE_TEXT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "store/hdf.h"

enum hl_text_format { HL_TEXT_CSV, HL_TEXT_TSV, HL_TEXT_NONMEM };

struct hl_text_table {
    FILE *stream;
    enum hl_text_format format;
    bool started; /* the row has a cell */
};

/* What stands above the header: "TABLE NO.  1" of NONMEM's format, else nothing. */
void hl_text_table_begin(struct hl_text_table *table);

/* A cell of the header, ... */
void hl_text_table_name(struct hl_text_table *table, const char *name);

/* ... a text, quoted where CSV needs it, ... */
void hl_text_table_text(struct hl_text_table *table, const char *text);

/* ... or a number: the shortest text that reads back as the same value of its type; in NONMEM's format as 1PE23.16 of
 * Fortran. Missing is NaN in CSV and TSV, a point in NONMEM's format. */
void hl_text_table_number(struct hl_text_table *table, enum hl_hdf_type type, double value);

void hl_text_table_end_row(struct hl_text_table *table);

#endif
