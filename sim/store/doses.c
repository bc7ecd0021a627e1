/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was given: a table of plain columns. Rows wait until a block of 65536 is full; a table that never fills one
 * (most) is written at the end in its true length, a longer one grows block by block along an unlimited dimension.
 * Drugs and routes are small codes with their meanings beside them, because a second string dataset would hide what
 * comes after it from Octave. */
#include <string.h>

#include "store/inside.h"

struct column_kind { const char *name, *unit, *long_name; enum hl_hdf_type type; };

static const struct column_kind kinds[HL_N_DOSES] = {
    {"arm", NULL, "treatment arm, counted from 0", HL_INT32},
    {"subject", NULL, "subject; 0: every subject of the arm", HL_INT32},
    {"time", "h", "time of the dose since the origin of the study", HL_FLOAT64},
    {"amount", "mg", "amount given; of a patch what it holds when it is put on", HL_FLOAT64},
    {"rate", "mg/h", "rate of an infusion, 0 otherwise", HL_FLOAT64},
    {"drug", NULL, "drug, a code", HL_INT8},
    {"route", NULL, "route, a code", HL_INT8},
    {"refused", NULL, "what became of it: given, refused by a pump, missed by the subject", HL_INT8},
};

/* Routes of different drugs that share a name share a code. */
static bool name_routes(struct hl_store *s)
{
    struct hl_dose_table *t = &s->doses;
    const struct hl_system *y = s->study->system;
    t->route_code = hl_arena_alloc(s->writer->arena, y->n_routes + 1, 1);
    t->route_name = hl_arena_alloc(s->writer->arena, y->n_routes + 1, sizeof *t->route_name);
    for (size_t i = 0; i < y->n_routes; i++) {
        size_t code = 0;
        while (code < t->n_route_names && strcmp(t->route_name[code], y->route[i].name) != 0)
            code++;
        if (code > 127)
            return false;
        if (code == t->n_route_names)
            t->route_name[t->n_route_names++] = y->route[i].name;
        t->route_code[i] = (signed char)code;
    }
    return y->n_instances <= 128;
}

static void add_flags(struct hl_store *s, int column, struct hl_dataset *d)
{
    static const char *const refused[] = {"given", "refused", "missed"};
    const struct hl_system *y = s->study->system;
    if (column == HL_DOSES_REFUSED)
        hl_writer_flags(s->writer, d, 0, 3, refused);
    if (column == HL_DOSES_ROUTE && s->doses.n_route_names > 0)
        hl_writer_flags(s->writer, d, 0, s->doses.n_route_names, s->doses.route_name);
    if (column != HL_DOSES_DRUG)
        return;
    const char **alias = hl_arena_alloc(s->writer->arena, y->n_instances + 1, sizeof *alias);
    for (size_t i = 0; i < y->n_instances; i++)
        alias[i] = y->instance[i].alias;
    hl_writer_flags(s->writer, d, 0, y->n_instances, alias);
}

static void create_table(struct hl_store *s, bool grows, uint64_t n)
{
    struct hl_writer *w = s->writer;
    struct hl_axis *axis = hl_arena_alloc(w->arena, 1, sizeof *axis);
    int *number = hl_arena_alloc(w->arena, grows ? 1 : (size_t)n, sizeof *number);
    for (uint64_t i = 0; !grows && i < n; i++)
        number[i] = (int)i + 1;
    *axis = (struct hl_axis){.name = "dose", .type = HL_INT32, .n = grows ? 0 : n, .values = number, .grows = grows,
                             .long_name = "row of the dose table, counted from 1"};
    for (int i = 0; i < HL_N_DOSES && w->status == HL_OK; i++) {
        const struct hl_axis *const axes[1] = {axis};
        struct hl_dataset *d = hl_writer_dataset(w, "/doses", kinds[i].name, kinds[i].type, 1, axes, NULL);
        s->doses.column[i] = d;
        if (!d)
            return;
        hl_writer_text(w, d, "units", kinds[i].unit);
        hl_writer_text(w, d, "long_name", kinds[i].long_name);
        add_flags(s, i, d);
    }
    for (size_t i = 0; i < w->n_datasets; i++)
        if (strcmp(w->dataset[i]->path, "/doses/dose") == 0)
            s->doses.scale = w->dataset[i];
}

/* One cell, in its column's type. */
static void take_cell(const struct hl_store *s, const struct hl_given *g, int column, void *to)
{
    switch (column) {
    case HL_DOSES_ARM: *(int *)to = g->arm; break;
    case HL_DOSES_SUBJECT: *(int *)to = (int)g->subject; break;
    case HL_DOSES_TIME: *(double *)to = g->time; break;
    case HL_DOSES_AMOUNT: *(double *)to = hl_one_nan(g->amount); break;
    case HL_DOSES_RATE: *(double *)to = hl_one_nan(g->rate); break;
    case HL_DOSES_DRUG: *(signed char *)to = (signed char)g->instance; break;
    case HL_DOSES_ROUTE: *(signed char *)to = g->route >= 0 ? s->doses.route_code[g->route] : -1; break;
    default: *(signed char *)to = g->missed ? 2 : g->refused ? 1 : 0; break;
    }
}

static void append_count(struct hl_store *s, size_t n, int *cells)
{
    for (size_t i = 0; i < n; i++)
        cells[i] = (int)(s->doses.written + i) + 1;
    hl_writer_append(s->writer, s->doses.scale, n, cells);
}

/* Writes the rows that wait. */
static void write_rows(struct hl_store *s, bool grows)
{
    struct hl_dose_table *t = &s->doses;
    char *cells = hl_alloc(t->n, sizeof(double));
    if (!cells) {
        hl_writer_fail(s->writer, HL_ERR_MEMORY, "no memory for the dose table");
        return;
    }
    for (int column = 0; column < HL_N_DOSES && s->writer->status == HL_OK; column++) {
        size_t size = hl_hdf_size(kinds[column].type);
        for (size_t i = 0; i < t->n; i++)
            take_cell(s, &t->row[i], column, cells + i * size);
        if (grows)
            hl_writer_append(s->writer, t->column[column], t->n, cells);
        else
            hl_writer_all(s->writer, t->column[column], cells);
    }
    if (grows)
        append_count(s, t->n, (int *)(void *)cells);
    hl_free(cells);
    t->written += t->n;
    t->n = 0;
}

static bool add_row(struct hl_store *s, const struct hl_given *given)
{
    struct hl_dose_table *t = &s->doses;
    if (t->n == HL_BLOCK_ROWS) {
        if (!t->column[0])
            create_table(s, true, 0);
        if (s->writer->status == HL_OK)
            write_rows(s, true);
        t->n = 0;
    }
    if (t->n == t->capacity) {
        size_t larger = t->capacity ? 2 * t->capacity : 1024;
        void *grown = hl_grow(t->row, t->capacity, larger, sizeof *t->row);
        if (!grown)
            return false;
        t->row = grown;
        t->capacity = larger;
    }
    t->row[t->n++] = *given;
    return true;
}

enum hl_status hl_store_doses(struct hl_store *s, size_t n, const struct hl_given *given)
{
    const struct hl_study *study = s->study;
    if (s->writer->status != HL_OK)
        return s->writer->status;
    if (n > 0 && !s->doses.route_code && !name_routes(s))
        return HL_ERR_INTERNAL;
    for (size_t i = 0; i < n; i++) {
        const struct hl_given *g = &given[i];
        if (g->arm < 0 || (size_t)g->arm >= study->n_arms || g->subject > study->subjects || g->instance < 0 ||
            (size_t)g->instance >= study->system->n_instances || g->route >= (int)study->system->n_routes)
            return HL_ERR_INTERNAL;
        if (!add_row(s, g))
            return HL_ERR_MEMORY;
    }
    return s->writer->status;
}

void hl_doses_finish(struct hl_store *s)
{
    struct hl_dose_table *t = &s->doses;
    bool grows = t->column[0] != NULL;
    if (t->n == 0 || s->writer->status != HL_OK)
        return;
    if (!grows)
        create_table(s, false, t->n);
    if (s->writer->status == HL_OK)
        write_rows(s, grows);
}
