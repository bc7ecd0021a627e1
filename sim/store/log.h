/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of what happened: plain columns of equal length, one row after another (/doses, /reviews). Only for
 * sim/store. */
#ifndef HL_STORE_LOG_H
#define HL_STORE_LOG_H

#include "store/writer.h"

struct hl_log_column {
    const char *name, *unit, *long_name;
    enum hl_hdf_type type;
    size_t n_flags; const char *const *flag; /* meanings of codes 0, 1, ...; of an INT8 column */
};

/* What kind of table it is. */
struct hl_log_kind {
    const char *group, *axis, *axis_name; /* "/doses", "dose", "row of the dose table, counted from 1" */
    size_t row_size;
    void (*cell)(const void *context, const void *row, size_t column, void *to); /* one cell in its column's type */
};

struct hl_log {
    const struct hl_log_kind *kind;
    const void *context;
    size_t n_columns; const struct hl_log_column *column;
    struct hl_dataset *scale, **dataset;  /* NULL until a block is full or the file is finished */
    size_t n, capacity; char *row;        /* waiting */
    uint64_t written;
};

/* Adds a row (kind->row_size bytes); HL_ERR_MEMORY, or the writer's failure. */
enum hl_status hl_log_add(struct hl_writer *writer, struct hl_log *log, const void *row);

/* Writes the rows that wait; a table without rows isn't there. */
void hl_log_finish(struct hl_writer *writer, struct hl_log *log);
void hl_log_clear(struct hl_log *log);

#endif
