/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows wait until a block of 65536 is full; a table that never fills one (most) is written at the end in its true
 * length, a longer one grows block by block along an unlimited dimension. */
#include "store/log.h"

#include <stdio.h>
#include <string.h>

#include "store/inside.h"

static void create(struct hl_writer *w, struct hl_log *log, bool grows, uint64_t n)
{
    struct hl_axis *axis = hl_arena_alloc(w->arena, 1, sizeof *axis);
    int *number = hl_arena_alloc(w->arena, grows ? 1 : (size_t)n, sizeof *number);
    for (uint64_t i = 0; !grows && i < n; i++)
        number[i] = (int)i + 1;
    *axis = (struct hl_axis){.name = log->kind->axis, .type = HL_INT32, .n = grows ? 0 : n, .values = number,
                             .grows = grows, .long_name = log->kind->axis_name};
    log->dataset = hl_arena_alloc(w->arena, log->n_columns, sizeof(struct hl_dataset *));
    for (size_t i = 0; i < log->n_columns && w->status == HL_OK; i++) {
        const struct hl_axis *const axes[1] = {axis};
        const struct hl_log_column *c = &log->column[i];
        struct hl_dataset *d = hl_writer_dataset(w, log->kind->group, c->name, c->type, 1, axes, NULL);
        log->dataset[i] = d;
        if (!d)
            return;
        hl_writer_text(w, d, "units", c->unit);
        hl_writer_text(w, d, "long_name", c->long_name);
        if (c->n_flags > 0)
            hl_writer_flags(w, d, 0, c->n_flags, c->flag);
    }
    const char *scale = hl_arena_printf(w->arena, "%s/%s", log->kind->group, log->kind->axis);
    for (size_t i = 0; i < w->n_datasets; i++)
        if (strcmp(w->dataset[i]->path, scale) == 0)
            log->scale = w->dataset[i];
}

static void append_count(struct hl_writer *w, const struct hl_log *log, int *cells)
{
    for (size_t i = 0; i < log->n; i++)
        cells[i] = (int)(log->written + i) + 1;
    hl_writer_append(w, log->scale, log->n, cells);
}

/* Writes the rows that wait. */
static void write_rows(struct hl_writer *w, struct hl_log *log, bool grows)
{
    char *cells = hl_alloc(log->n, sizeof(double));
    if (!cells) {
        hl_writer_fail(w, HL_ERR_MEMORY, hl_arena_printf(w->arena, "no memory for the table %s", log->kind->group));
        return;
    }
    for (size_t column = 0; column < log->n_columns && w->status == HL_OK; column++) {
        size_t size = hl_hdf_size(log->column[column].type);
        for (size_t i = 0; i < log->n; i++)
            log->kind->cell(log->context, log->row + i * log->kind->row_size, column, cells + i * size);
        if (grows)
            hl_writer_append(w, log->dataset[column], log->n, cells);
        else
            hl_writer_all(w, log->dataset[column], cells);
    }
    if (grows)
        append_count(w, log, (int *)(void *)cells);
    hl_free(cells);
    log->written += log->n;
    log->n = 0;
}

enum hl_status hl_log_add(struct hl_writer *w, struct hl_log *log, const void *row)
{
    if (log->n == HL_BLOCK_ROWS) {
        if (!log->dataset)
            create(w, log, true, 0);
        if (w->status == HL_OK)
            write_rows(w, log, true);
        log->n = 0;
    }
    if (log->n == log->capacity) {
        size_t larger = log->capacity ? 2 * log->capacity : 1024;
        char *grown = hl_grow(log->row, log->capacity, larger, log->kind->row_size);
        if (!grown)
            return HL_ERR_MEMORY;
        log->row = grown;
        log->capacity = larger;
    }
    memcpy(log->row + log->n++ * log->kind->row_size, row, log->kind->row_size);
    return w->status;
}

void hl_log_finish(struct hl_writer *w, struct hl_log *log)
{
    bool grows = log->dataset != NULL;
    if (log->n == 0 || w->status != HL_OK)
        return;
    if (!grows)
        create(w, log, false, log->n);
    if (w->status == HL_OK)
        write_rows(w, log, grows);
}

void hl_log_clear(struct hl_log *log)
{
    hl_free(log->row);
    log->row = NULL;
    log->n = log->capacity = 0;
}
