/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records go out as they came in: file order, arm after arm. Each arm has the same records, so arm a owns rows
 * a n / n_arms to (a + 1) n / n_arms - 1. An individual is a run of equal IDs: individual k is found by counting the
 * runs of the first arm. Columns are read in blocks of 65536 rows, the chunks they are stored in; nothing is kept from
 * one block to the next.
 *
 * Which columns: without names all of them, as stored; with names ID and TIME (and the arm, where there are several) in
 * front of those asked for. NONMEM's format has its items first (ID TIME EVID CMT and those of the others that the data
 * set has), then IPRED and DV, then what is asked for. A record without an AMT has no dose, which is what 0 says there;
 * so the dose items, and they alone, are 0 in that format where they are empty. */
#include "store/export_records.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

#define N_BLOCK 65536u

struct column {
    const struct hl_result_variable *variable;
    const struct hl_result_variable *words; /* whose flags say what its codes mean: itself, or subjects/ID */
    bool is_arm;
    bool none_is_zero; /* a dose item in NONMEM's format */
    double *slab;
};

struct listing {
    struct hl_result *result;
    const struct hl_export_options *options;
    struct hl_text_table *out;
    struct hl_diag *diag;
    size_t n_columns, capacity;
    struct column *column;
    struct column evid;                 /* of --rows obs; variable NULL otherwise */
    uint64_t first_arm, n_arms;         /* asked for */
    uint64_t per_arm, first, count;     /* records of an arm, and which of them are asked for */
};

bool hl_records_exist(const struct hl_result *r)
{
    return hl_result_at(r, "/records/record") != NULL;
}

/* ---- Names. */

static bool is_column(const struct hl_result_variable *v)
{
    return strcmp(v->group, "/records") == 0 && !v->is_scale && v->rank == 1;
}

/* name without "records/" or "/records/" in front of it, dots as underscores. */
static const char *plain_name(const struct hl_result *r, const char *name)
{
    name += *name == '/';
    char *plain = hl_arena_strdup(r->arena, strncmp(name, "records/", 8) == 0 ? name + 8 : name);
    for (char *c = plain; *c; c++)
        if (*c == '.')
            *c = '_';
    return plain;
}

const struct hl_result_variable *hl_records_column(const struct hl_result *r, const char *name)
{
    const char *plain = plain_name(r, name);
    const struct hl_result_variable *found = NULL;
    for (size_t i = 0; i < r->n_variables; i++) {
        const struct hl_result_variable *v = &r->variable[i];
        if (is_column(v) && strcmp(v->name, plain) == 0)
            return v;
        if (is_column(v) && !found && strcasecmp(v->name, plain) == 0)
            found = v;
    }
    return found;
}

static bool is_all(const char *name)
{
    return strcmp(name + (*name == '/'), "records") == 0;
}

bool hl_records_named(const struct hl_result *r, const char *const *variable, size_t n)
{
    if (!hl_records_exist(r))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_all(variable[i]) && !hl_records_column(r, variable[i]))
            return false;
    return true;
}

/* ---- Columns. */

static bool is_dose_item(const struct hl_result_variable *v)
{
    static const char *const items[] = {"AMT", "RATE", "DUR", "ADDL", "II", "SS"};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        if (strcmp(v->name, items[i]) == 0)
            return true;
    return false;
}

/* With several arms the column that numbers them; a data set's own column of that name is called otherwise then. */
static const struct hl_result_variable *arm_column(const struct hl_result *r)
{
    return r->n_arms > 1 ? hl_result_at(r, "/records/arm") : NULL;
}

static void add_column(struct listing *l, const struct hl_result_variable *v)
{
    for (size_t i = 0; i < l->n_columns; i++)
        if (l->column[i].variable == v)
            return;
    const struct hl_result_variable *id = strcmp(v->name, "ID") == 0 ? hl_result_at(l->result, "/subjects/ID") : NULL;
    l->column = hl_arena_push(l->result->arena, l->column, l->n_columns, &l->capacity, sizeof *l->column);
    l->column[l->n_columns++] = (struct column){.variable = v, .words = id && id->n_flags > 0 ? id : v,
                                                .is_arm = v == arm_column(l->result),
                                                .none_is_zero = l->out->format == HL_TEXT_NONMEM && is_dose_item(v)};
}

static void add_if_there(struct listing *l, const char *name)
{
    bool is_arm = strcmp(name, "arm") == 0;
    const struct hl_result_variable *v = is_arm ? arm_column(l->result) : hl_records_column(l->result, name);
    if (v)
        add_column(l, v);
}

static void add_all(struct listing *l)
{
    for (size_t i = 0; i < l->result->n_variables; i++)
        if (is_column(&l->result->variable[i]))
            add_column(l, &l->result->variable[i]);
}

static void choose_columns(struct listing *l, const char *const *variable, size_t n)
{
    static const char *const items[] = {"ID", "TIME", "EVID", "CMT", "AMT", "RATE", "DUR", "ADDL",
                                        "II", "SS", "MDV", "OCC", "arm", "IPRED", "DV"};
    if (l->out->format == HL_TEXT_NONMEM) {
        for (size_t i = 0; i < sizeof items / sizeof *items; i++)
            add_if_there(l, items[i]);
    } else if (n > 0) {
        add_if_there(l, "arm");
        add_if_there(l, "ID");
        add_if_there(l, "TIME");
    } else {
        add_all(l);
    }
    for (size_t i = 0; i < n; i++)
        if (is_all(variable[i]))
            add_all(l);
        else
            add_column(l, hl_records_column(l->result, variable[i]));
}

/* ---- Rows. */

/* What a column holds from row first of the file on. */
static enum hl_status read_rows(const struct hl_result *r, struct column *c, uint64_t first, uint64_t n,
                                struct hl_diag *diag)
{
    if (!c->slab)
        c->slab = hl_alloc(N_BLOCK, sizeof *c->slab);
    return c->slab ? hl_result_read(r, c->variable, &first, &n, c->slab, diag) : HL_ERR_MEMORY;
}

static enum hl_status no_subject(const struct hl_result *r, uint64_t k, uint64_t found, uint64_t with_that_id,
                                 struct hl_diag *diag)
{
    char hint[120] = "";
    if (with_that_id > 0)
        snprintf(hint, sizeof hint, "; the individual with ID %llu is subject %llu", (unsigned long long)k,
                 (unsigned long long)with_that_id);
    hl_diag_error(diag, hl_pos_none(), "'%s' has no subject %llu; individuals are counted from 1 to %llu%s", r->path,
                  (unsigned long long)k, (unsigned long long)found, hint);
    return HL_ERR_INPUT;
}

enum hl_status hl_records_of_subject(const struct hl_result *r, uint64_t k, uint64_t *first, uint64_t *count,
                                     struct hl_diag *diag)
{
    struct column id = {.variable = hl_records_column(r, "ID")};
    uint64_t per_arm = r->n_arms ? r->n_records / r->n_arms : 0, runs = 0, with_that_id = 0, n = 0;
    enum hl_status status = HL_OK;
    double last = 0.0;
    *first = *count = 0;
    for (uint64_t done = 0; id.variable && done < per_arm && runs <= k; done += n) {
        n = per_arm - done < N_BLOCK ? per_arm - done : N_BLOCK;
        status = read_rows(r, &id, done, n, diag);
        if (status != HL_OK)
            break;
        for (uint64_t i = 0; i < n && runs <= k; i++) {
            if (runs == 0 || id.slab[i] != last) { /* IDs are copies: equal or not */
                runs++;
                if (runs == k)
                    *first = done + i;
                if (id.slab[i] == (double)k && with_that_id == 0)
                    with_that_id = runs;
            }
            *count += runs == k;
            last = id.slab[i];
        }
    }
    hl_free(id.slab);
    if (status == HL_OK && *count == 0)
        status = no_subject(r, k, runs, with_that_id, diag);
    return status;
}

static enum hl_status choose_rows(struct listing *l)
{
    const struct hl_export_options *o = l->options;
    enum hl_status status = HL_OK;
    if (o->every > 0.0 || o->wide) {
        hl_diag_error(l->diag, hl_pos_none(), "%s is for output times; records of a data set are listed as they are",
                      o->wide ? "--wide" : "--every");
        return HL_ERR_INPUT;
    }
    l->n_arms = l->result->n_arms;
    l->per_arm = l->count = l->n_arms ? l->result->n_records / l->n_arms : 0;
    if (o->arm) {
        status = hl_result_arm(l->result, o->arm, &l->first_arm, l->diag);
        l->n_arms = 1;
    }
    if (status == HL_OK && o->subject > 0)
        status = hl_records_of_subject(l->result, o->subject, &l->first, &l->count, l->diag);
    bool obs = o->rows && strcmp(o->rows, "obs") == 0;
    l->evid.variable = obs ? hl_records_column(l->result, "EVID") : NULL;
    if (!obs || l->evid.variable)
        return status;
    hl_diag_error(l->diag, hl_pos_none(), "--rows obs needs the column EVID, which '%s' lacks", l->result->path);
    return HL_ERR_INPUT;
}

static void put_cell(const struct listing *l, const struct column *c, double value)
{
    const struct hl_result_variable *v = c->words;
    bool in_words = l->out->format != HL_TEXT_NONMEM;
    double code = value - v->first_flag;
    if (v->n_flags > 0 && code < 0.0) /* a text that is missing */
        value = (double)NAN;
    if (in_words && c->is_arm && value >= 0 && value < (double)l->result->n_arms)
        hl_text_table_text(l->out, l->result->arm_name[(size_t)value]);
    else if (in_words && v->n_flags > 0 && code >= 0 && code < (double)v->n_flags)
        hl_text_table_text(l->out, v->flag[(size_t)code]);
    else
        hl_text_table_number(l->out, c->variable->type, c->none_is_zero && isnan(value) ? 0.0 : value);
}

static enum hl_status put_block(struct listing *l, uint64_t first, uint64_t n)
{
    enum hl_status status = l->evid.variable ? read_rows(l->result, &l->evid, first, n, l->diag) : HL_OK;
    for (size_t i = 0; status == HL_OK && i < l->n_columns; i++)
        status = read_rows(l->result, &l->column[i], first, n, l->diag);
    for (uint64_t row = 0; status == HL_OK && row < n; row++) {
        if (l->evid.slab && l->evid.slab[row] != 0.0 && l->evid.slab[row] != 2.0) /* codes are exact */
            continue;
        for (size_t i = 0; i < l->n_columns; i++)
            put_cell(l, &l->column[i], l->column[i].slab[row]);
        hl_text_table_end_row(l->out);
    }
    return status == HL_OK && ferror(l->out->stream) ? HL_ERR_IO : status;
}

/* count rows of the file, in blocks that begin where the stored chunks do. */
static enum hl_status put_rows(struct listing *l, uint64_t first, uint64_t count)
{
    enum hl_status status = HL_OK;
    for (uint64_t at = first, n; status == HL_OK && at < first + count; at += n) {
        n = N_BLOCK - at % N_BLOCK;
        n = first + count - at < n ? first + count - at : n;
        status = put_block(l, at, n);
    }
    return status;
}

static void put_header(const struct listing *l)
{
    hl_text_table_begin(l->out);
    for (size_t i = 0; i < l->n_columns; i++) {
        const struct hl_result_variable *v = l->column[i].variable;
        const char *name = l->column[i].is_arm && l->out->format == HL_TEXT_NONMEM ? "ARM" : v->name;
        if (l->options->units && v->unit)
            name = hl_arena_printf(l->result->arena, "%s [%s]", name, v->unit);
        hl_text_table_name(l->out, name);
    }
    hl_text_table_end_row(l->out);
}

enum hl_status hl_export_records(struct hl_result *result, const char *const *variable, size_t n,
                                 const struct hl_export_options *options, struct hl_text_table *out,
                                 struct hl_diag *diag)
{
    struct listing l = {.result = result, .options = options, .out = out, .diag = diag};
    choose_columns(&l, variable, n);
    enum hl_status status = choose_rows(&l);
    if (status == HL_OK)
        put_header(&l);
    for (uint64_t arm = 0; status == HL_OK && arm < l.n_arms; arm++)
        status = put_rows(&l, (l.first_arm + arm) * l.per_arm + l.first, l.count);
    for (size_t i = 0; i < l.n_columns; i++)
        hl_free(l.column[i].slab);
    hl_free(l.evid.slab);
    if (status == HL_OK && fflush(out->stream) != 0)
        status = HL_ERR_IO;
    return status;
}
