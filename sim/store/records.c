/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a data set: one table, one column per item, output or amount, as long as the data set times the arms.
 * Rows wait until a block of 65536 is full. Then the columns are narrowed to their types, hashed, shuffled and deflated
 * side by side (columns don't depend on one another, so the threads can't change a bit of it), and put into the file
 * one after another as chunks of exactly that many rows: HDF5 neither filters nor caches anything, and memory holds one
 * block whatever the length. The last chunk is filled up with NaN (0 in columns of whole numbers); the file's length
 * says that the filling is none of the table. A table that never fills a block is written at the end in its true
 * length, as that of the doses is. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "store/inside.h"
#include "store/pack.h"

#define FIRST_CAPACITY 1024u

static enum hl_hdf_type type_of(const struct hl_record_column *column)
{
    return column->whole ? HL_INT32 : HL_FLOAT64;
}

uint64_t hl_store_records_estimate(uint64_t n_rows, size_t n_columns, const struct hl_record_column *column)
{
    uint64_t per_row = hl_hdf_size(HL_INT32); /* the scale */
    for (size_t i = 0; i < n_columns; i++)
        per_row += hl_hdf_size(type_of(&column[i]));
    return n_rows * per_row;
}

/* ---- The columns. */

static bool is_taken(const struct hl_kept_records *t, const char *name)
{
    if (strcmp(name, "record") == 0)
        return true;
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->column[i].name && strcmp(t->column[i].name, name) == 0)
            return true;
    return false;
}

static const char *unique_name(struct hl_arena *arena, const struct hl_kept_records *t, const char *wanted)
{
    const char *name = hl_writer_safe(arena, wanted), *unique = name;
    for (int i = 2; is_taken(t, unique); i++)
        unique = hl_arena_printf(arena, "%s_%d", name, i);
    return unique;
}

/* Guests are named last: what a reader asks for as IPRED is the engine's, whatever else the data set holds. */
static void name_columns(struct hl_arena *arena, struct hl_kept_records *t, const struct hl_record_column *wanted)
{
    for (int guests = 0; guests < 2; guests++)
        for (size_t i = 0; i < t->n_columns; i++)
            if (wanted[i].guest == (guests == 1))
                t->column[i].name = unique_name(arena, t, wanted[i].name);
}

/* The texts of a column outlive the caller's. */
static void keep_texts(struct hl_arena *arena, struct hl_record_column *c)
{
    const char **flag = hl_arena_alloc(arena, c->n_flags + 1, sizeof *flag);
    for (size_t i = 0; i < c->n_flags; i++)
        flag[i] = hl_arena_strdup(arena, c->flag[i]);
    c->flag = flag;
    c->unit = c->unit ? hl_arena_strdup(arena, c->unit) : NULL;
    c->long_name = c->long_name ? hl_arena_strdup(arena, c->long_name) : NULL;
    c->output = c->output ? hl_arena_strdup(arena, c->output) : NULL;
    c->note = c->note ? hl_arena_strdup(arena, c->note) : NULL;
}

enum hl_status hl_store_records_begin(struct hl_store *s, size_t n_columns, const struct hl_record_column *column)
{
    struct hl_kept_records *t = &s->records;
    struct hl_arena *arena = s->writer->arena;
    if (s->writer->status != HL_OK)
        return s->writer->status;
    if (!s->study->data || t->n_columns > 0 || n_columns == 0)
        return HL_ERR_INTERNAL;
    t->column = hl_arena_alloc(arena, n_columns, sizeof *t->column);
    t->dataset = hl_arena_alloc(arena, n_columns, sizeof *t->dataset);
    t->row = hl_arena_alloc(arena, n_columns, sizeof *t->row);
    for (size_t i = 0; i < n_columns; i++) {
        t->column[i] = column[i];
        t->column[i].name = NULL;
        keep_texts(arena, &t->column[i]);
    }
    t->n_columns = n_columns;
    name_columns(arena, t, column);
    return HL_OK;
}

static void describe(struct hl_writer *w, struct hl_dataset *d, const struct hl_record_column *c)
{
    if (!d)
        return;
    if (c->unit || !c->whole)
        hl_writer_text(w, d, "units", hl_layout_unit(w->arena, c->unit));
    hl_writer_text(w, d, "long_name", c->long_name && *c->long_name ? c->long_name : c->name);
    hl_writer_text(w, d, "output", c->output);
    hl_writer_text(w, d, "comment", c->note);
    if (c->evidence)
        hl_layout_evidence(w, d, &c->evidence->evidence);
    if (c->n_flags > 0)
        hl_writer_flags(w, d, 0, c->n_flags, c->flag);
}

static void create_table(struct hl_store *s, bool grows, uint64_t n)
{
    struct hl_writer *w = s->writer;
    struct hl_kept_records *t = &s->records;
    struct hl_axis *axis = hl_arena_alloc(w->arena, 1, sizeof *axis);
    int *number = hl_arena_alloc(w->arena, grows ? 1 : (size_t)n, sizeof *number);
    for (uint64_t i = 0; !grows && i < n; i++)
        number[i] = (int)i + 1;
    *axis = (struct hl_axis){.name = "record", .type = HL_INT32, .n = grows ? 0 : n, .values = number, .grows = grows,
                             .long_name = "record in the order of the data set, arm after arm, counted from 1"};
    for (size_t i = 0; i < t->n_columns && w->status == HL_OK; i++) {
        const struct hl_axis *const axes[1] = {axis};
        t->dataset[i] = hl_writer_dataset(w, "/records", t->column[i].name, type_of(&t->column[i]), 1, axes, NULL);
        describe(w, t->dataset[i], &t->column[i]);
    }
    t->scale = hl_writer_scale(w, "/records", axis);
}

/* ---- Blocks. */

/* What one thread packs with. */
struct bench { struct hl_packer *packer; char *cells, *scratch, *bytes; };

/* One column's part of a block, as it goes to disk. */
struct parcel { void *bytes; size_t size; unsigned char digest[32]; };

static void bench_clear(struct bench *b)
{
    hl_packer_free(b->packer);
    hl_free(b->bytes);
    hl_free(b->scratch);
    hl_free(b->cells);
}

static bool bench_init(struct bench *b, int level)
{
    *b = (struct bench){.packer = hl_packer_create(level)};
    if (!b->packer)
        return false;
    size_t raw = HL_BLOCK_ROWS * sizeof(double);
    b->cells = hl_alloc(raw, 1);
    b->scratch = hl_alloc(raw, 1);
    b->bytes = hl_alloc(hl_pack_bound(b->packer, raw), 1);
    return b->cells && b->scratch && b->bytes;
}

/* n values of a column in its type, and filling up to full. */
static void narrow(enum hl_hdf_type type, const double *values, size_t n, size_t full, void *cells)
{
    double *wide = cells;
    int *whole = cells;
    for (size_t i = 0; i < full; i++)
        if (type == HL_FLOAT64)
            wide[i] = i < n ? hl_one_nan(values[i]) : (double)NAN;
        else
            whole[i] = i < n ? (int)values[i] : 0;
}

static bool pack_cells(const struct bench *b, int level, size_t raw, size_t element, struct parcel *parcel)
{
    const void *from = b->cells;
    parcel->size = raw;
    if (level > 0) {
        parcel->size = hl_pack(b->packer, b->cells, raw, element, b->scratch, b->bytes);
        from = b->bytes;
    }
    parcel->bytes = hl_alloc(parcel->size, 1);
    if (!parcel->bytes || parcel->size == 0)
        return false;
    memcpy(parcel->bytes, from, parcel->size);
    return true;
}

/* A column's part of the block: column number n_columns is the scale, which counts. */
static bool pack_column(const struct hl_store *s, size_t column, const struct bench *b, struct parcel *parcel)
{
    const struct hl_kept_records *t = &s->records;
    enum hl_hdf_type type = column < t->n_columns ? type_of(&t->column[column]) : HL_INT32;
    if (column < t->n_columns)
        narrow(type, t->row[column], t->n, HL_BLOCK_ROWS, b->cells);
    else
        for (size_t i = 0; i < HL_BLOCK_ROWS; i++)
            ((int *)(void *)b->cells)[i] = i < t->n ? (int)(t->written + i) + 1 : 0;
    return hl_block_digest(type, b->cells, t->n, parcel->digest) &&
           pack_cells(b, s->writer->level, HL_BLOCK_ROWS * hl_hdf_size(type), hl_hdf_size(type), parcel);
}

static bool pack_all(const struct hl_store *s, struct parcel *parcel)
{
    int failed = 0, n = (int)s->records.n_columns + 1;
#pragma omp parallel num_threads(s->threads)
    {
        struct bench b;
        bool ready = bench_init(&b, s->writer->level);
#pragma omp for schedule(dynamic, 1)
        for (int i = 0; i < n; i++)
            if (!ready || !pack_column(s, (size_t)i, &b, &parcel[i])) {
#pragma omp atomic write
                failed = 1;
            }
        bench_clear(&b);
    }
    return !failed;
}

/* Writes the rows that wait as one more chunk of every column. */
static void write_block(struct hl_store *s)
{
    struct hl_kept_records *t = &s->records;
    struct hl_writer *w = s->writer;
    struct parcel *parcel = hl_alloc(t->n_columns + 1, sizeof *parcel);
    if (!t->scale)
        create_table(s, true, 0);
    if (!parcel || (w->status == HL_OK && !pack_all(s, parcel)))
        hl_writer_fail(w, HL_ERR_MEMORY, "no memory to pack its records");
    for (size_t i = 0; parcel && i <= t->n_columns; i++) {
        hl_writer_append_packed(w, i < t->n_columns ? t->dataset[i] : t->scale, t->n, parcel[i].bytes, parcel[i].size,
                                parcel[i].digest);
        hl_free(parcel[i].bytes);
    }
    hl_free(parcel);
    t->written += t->n;
    t->n = 0;
}

/* The whole of a short table. */
static void write_short(struct hl_store *s)
{
    struct hl_kept_records *t = &s->records;
    void *cells = hl_alloc(t->n, sizeof(double));
    create_table(s, false, t->n);
    if (!cells)
        hl_writer_fail(s->writer, HL_ERR_MEMORY, "no memory for its records");
    for (size_t i = 0; i < t->n_columns && s->writer->status == HL_OK; i++) {
        narrow(type_of(&t->column[i]), t->row[i], t->n, t->n, cells);
        hl_writer_all(s->writer, t->dataset[i], cells);
    }
    hl_free(cells);
    t->n = 0;
}

/* ---- Rows. */

static bool make_room(struct hl_kept_records *t, size_t wanted)
{
    size_t larger = t->capacity ? t->capacity : FIRST_CAPACITY;
    while (larger < wanted)
        larger *= 2;
    for (size_t i = 0; larger > t->capacity && i < t->n_columns; i++) {
        double *grown = hl_grow(t->row[i], t->capacity, larger, sizeof *grown);
        if (!grown)
            return false; /* those that have grown are longer than capacity says, which does no harm */
        t->row[i] = grown;
    }
    t->capacity = larger;
    return true;
}

static bool fits_int32(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) /* exactly whole; NaN is not */
        if (!(values[i] >= (double)INT_MIN && values[i] <= INT_MAX && values[i] == floor(values[i])))
            return false;
    return true;
}

static bool are_storable(const struct hl_kept_records *t, size_t n, const double *values)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->column[i].whole && !fits_int32(values + i * n, n))
            return false;
    return true;
}

enum hl_status hl_store_records(struct hl_store *s, size_t n, const double *values)
{
    struct hl_kept_records *t = &s->records;
    if (s->writer->status != HL_OK)
        return s->writer->status;
    if (t->n_columns == 0 || !are_storable(t, n, values))
        return HL_ERR_INTERNAL;
    if (n > INT_MAX - t->written - t->n) {
        hl_diag_error(s->writer->diag, hl_pos_none(),
                      "a result holds at most %d records of all arms together; divide the data set or the sweep",
                      INT_MAX);
        return s->writer->status = HL_ERR_INPUT;
    }
    for (size_t done = 0, part; done < n && s->writer->status == HL_OK; done += part) {
        part = n - done < HL_BLOCK_ROWS - t->n ? n - done : HL_BLOCK_ROWS - t->n;
        if (!make_room(t, t->n + part))
            return HL_ERR_MEMORY;
        for (size_t i = 0; i < t->n_columns; i++)
            memcpy(t->row[i] + t->n, values + i * n + done, part * sizeof *values);
        t->n += part;
        if (t->n == HL_BLOCK_ROWS)
            write_block(s);
    }
    return s->writer->status;
}

void hl_records_finish(struct hl_store *s)
{
    struct hl_kept_records *t = &s->records;
    if (t->n_columns == 0 || s->writer->status != HL_OK)
        return;
    if (!t->scale)
        write_short(s);
    else if (t->n > 0)
        write_block(s);
}

void hl_records_clear(struct hl_store *s)
{
    for (size_t i = 0; i < s->records.n_columns; i++)
        hl_free(s->records.row[i]);
}
