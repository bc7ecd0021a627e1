/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any variable of a result has at most four kinds of axes. An arm, a subject and one more ("inner": time, window,
 * interval, dose) make rows; a quantile or a threshold makes columns; --wide moves the subject, or else the
 * arm, from rows to columns. A variable that lacks an axis of the table is repeated along it. So one table of
 * offsets serves all shapes:
 *
 *     value(row, column) = slab[arm * stride_arm + subject * stride_subject + inner * stride_inner + spread *
 *     stride_spread]
 *
 * Rows are read in slabs of about 32 MB: whole profiles of some subjects, or some times of all subjects. Records of a
 * data set have their own way of being told apart (export_records.c). */
#include "store/export.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "store/export_records.h"

enum slot { ARM, SUBJECT, INNER, SPREAD, N_SLOTS };

#define SLAB_VALUES ((uint64_t)4 << 20)

struct column {
    const struct hl_result_variable *variable;
    int axis[N_SLOTS];             /* which of the variable's axes, or -1 */
    uint64_t stride[N_SLOTS];      /* in the slab; 0 where it has no such axis */
    const double *spread_value;
    uint64_t n_spread;
    bool is_arm_number;            /* the arm column of a table of doses */
    double *slab;
    uint64_t slab_values;
};

struct table {
    struct hl_result *result;
    const struct hl_export_options *options;
    struct hl_text_table *out;
    struct hl_diag *diag;
    bool nonmem;
    size_t n_columns, capacity;
    struct column *column;
    const struct hl_result_variable *base;        /* the one with most row axes */
    bool has[N_SLOTS];
    int wide_slot;                                /* ARM or SUBJECT when it makes columns, else -1 */
    uint64_t first[N_SLOTS], count[N_SLOTS];      /* what is asked for, along the table's axes */
    const char *inner_name; const double *inner_value;
    bool *keep;                                   /* inner rows that stay; NULL for all */
};

/* ---- Which variables. */

static enum slot slot_of(const char *axis)
{
    if (strcmp(axis, "arm") == 0)
        return ARM;
    if (strcmp(axis, "subject") == 0)
        return SUBJECT;
    bool spreads = strcmp(axis, "quantile") == 0 || strncmp(axis, "threshold", 9) == 0;
    return spreads ? SPREAD : INNER;
}

static void add_column(struct table *t, const struct hl_result_variable *v)
{
    t->column = hl_arena_push(t->result->arena, t->column, t->n_columns, &t->capacity, sizeof *t->column);
    struct column *c = &t->column[t->n_columns++];
    *c = (struct column){.variable = v, .axis = {-1, -1, -1, -1}, .n_spread = 1};
    for (int i = 0; i < v->rank; i++)
        c->axis[slot_of(v->axis[i])] = i;
    if (c->axis[SPREAD] >= 0) {
        c->n_spread = v->dims[c->axis[SPREAD]];
        c->spread_value = hl_result_axis(t->result, v, c->axis[SPREAD]);
    }
    c->is_arm_number = strcmp(v->name, "arm") == 0 && c->axis[INNER] >= 0;
}

/* An axis that only counts the rows of a table. */
static bool counts_rows(const char *axis)
{
    return strcmp(axis, "dose") == 0 || strcmp(axis, "review") == 0;
}

/* All variables of a group that are tables of the same rows: metrics with windows of their own are left out. */
static bool add_group(struct table *t, const char *name)
{
    const struct hl_result *r = t->result;
    size_t before = t->n_columns;
    for (size_t i = 0; i < r->n_variables; i++) {
        const struct hl_result_variable *v = &r->variable[i];
        if (*v->group == '\0' || strcmp(v->group + 1, name) != 0 || v->is_scale || v->type == HL_TEXT)
            continue;
        if (slot_of(v->axis[v->rank - 1]) == INNER && !counts_rows(v->axis[v->rank - 1]))
            continue;
        add_column(t, v);
    }
    return t->n_columns > before;
}

static bool is_group(const char *name)
{
    static const char *const groups[] = {"doses", "reviews", "design", "subjects", "metrics"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i], name) == 0)
            return true;
    return false;
}

static enum hl_status add_all_trajectories(struct table *t)
{
    for (size_t i = 0; i < t->result->n_variables; i++) {
        const struct hl_result_variable *v = &t->result->variable[i];
        if (*v->group == '\0' && v->rank == 3 && strcmp(v->axis[1], "subject") == 0)
            add_column(t, v);
    }
    if (t->n_columns > 0)
        return HL_OK;
    hl_diag_error(t->diag, hl_pos_none(),
                  "'%s' keeps no trajectories; name a variable, for example one that ends in _mean or "
                  "_quantiles",
                  t->result->path);
    return HL_ERR_INPUT;
}

static enum hl_status add_named(struct table *t, const char *name)
{
    const char *plain = *name == '/' ? name + 1 : name;
    if (is_group(plain)) {
        if (add_group(t, plain))
            return HL_OK;
        hl_diag_error(t->diag, hl_pos_none(), "'%s' has no table '%s'", t->result->path, plain);
        return HL_ERR_INPUT;
    }
    const struct hl_result_variable *v = hl_result_find(t->result, name, t->diag);
    if (!v)
        return HL_ERR_INPUT;
    if (v->type == HL_TEXT) {
        hl_diag_error(t->diag, hl_pos_none(), "%s holds texts, not numbers; arms are named in every table", v->path);
        return HL_ERR_INPUT;
    }
    add_column(t, v);
    return HL_OK;
}

/* ---- Which rows. */

static const char *axes_text(const struct table *t, const struct hl_result_variable *v)
{
    const char *text = "";
    for (int i = 0; i < v->rank; i++)
        text = hl_arena_printf(t->result->arena, "%s%s%s", text, i ? ", " : "", v->axis[i]);
    return text;
}

static int n_row_axes(const struct hl_result_variable *v)
{
    int n = 0;
    for (int i = 0; i < v->rank; i++)
        n += slot_of(v->axis[i]) != SPREAD;
    return n;
}

static enum hl_status choose_base(struct table *t)
{
    t->base = t->column[0].variable;
    for (size_t i = 1; i < t->n_columns; i++)
        if (n_row_axes(t->column[i].variable) > n_row_axes(t->base))
            t->base = t->column[i].variable;
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct hl_result_variable *v = t->column[i].variable;
        for (int j = 0; j < v->rank; j++) {
            int k = hl_result_axis_index(t->base, v->axis[j]);
            if (slot_of(v->axis[j]) == SPREAD || (k >= 0 && t->base->dims[k] == v->dims[j]))
                continue;
            hl_diag_error(t->diag, hl_pos_none(),
                          "%s (%s) and %s (%s) don't fit into one table; export them one at a time", t->base->name,
                          axes_text(t, t->base), v->name, axes_text(t, v));
            return HL_ERR_INPUT;
        }
    }
    return HL_OK;
}

static void thin(struct table *t, double every)
{
    double next = -INFINITY;
    const double slack = 1e-9 * every; /* a time written as 0.3 may be 0.1 added up */
    t->keep = hl_arena_alloc(t->result->arena, (size_t)t->count[INNER] + 1, sizeof *t->keep);
    for (uint64_t i = 0; i < t->count[INNER]; i++) {
        t->keep[i] = t->inner_value[i] >= next - slack;
        if (t->keep[i])
            next = (floor((t->inner_value[i] + slack) / every) + 1.0) * every;
    }
}

/* --arm and --subject of a table of rows: those of that arm; of that subject or of everyone. */
static enum hl_status keep_rows(struct table *t)
{
    bool doses = strcmp(t->inner_name, "dose") == 0;
    const struct hl_result_variable *arm = hl_result_at(t->result, doses ? "/doses/arm" : "/reviews/arm"),
                                    *subject = hl_result_at(t->result, doses ? "/doses/subject" : "/reviews/subject");
    uint64_t start = 0, wanted = 0, n = arm ? arm->dims[0] : 0;
    enum hl_status status = t->options->arm ? hl_result_arm(t->result, t->options->arm, &wanted, t->diag) : HL_OK;
    if (status != HL_OK || !arm || !subject || subject->dims[0] != n)
        return status;
    double *of_arm = hl_alloc((size_t)n, sizeof *of_arm), *of_subject = hl_alloc((size_t)n, sizeof *of_subject);
    status = of_arm && of_subject ? hl_result_read(t->result, arm, &start, &n, of_arm, t->diag) : HL_ERR_MEMORY;
    if (status == HL_OK)
        status = hl_result_read(t->result, subject, &start, &n, of_subject, t->diag);
    t->keep = hl_arena_alloc(t->result->arena, (size_t)n + 1, sizeof *t->keep);
    for (uint64_t i = 0; status == HL_OK && i < n; i++) /* numbers of arms and subjects are exact */
        t->keep[i] = (!t->options->arm || of_arm[i] == (double)wanted) &&
                     (t->options->subject == 0 || of_subject[i] == 0.0 || of_subject[i] == (double)t->options->subject);
    hl_free(of_arm);
    hl_free(of_subject);
    return status;
}

static enum hl_status choose_inner(struct table *t, int axis)
{
    const struct hl_export_options *o = t->options;
    t->inner_name = axis >= 0 ? t->base->axis[axis] : "";
    t->inner_value = axis >= 0 ? hl_result_axis(t->result, t->base, axis) : NULL;
    if (o->every > 0.0 && strcmp(t->inner_name, "time") == 0 && t->inner_value)
        thin(t, o->every);
    if (counts_rows(t->inner_name) && (o->arm || o->subject > 0))
        return keep_rows(t);
    return HL_OK;
}

static enum hl_status choose_part(struct table *t)
{
    const struct hl_export_options *o = t->options;
    if (o->arm && t->has[ARM]) {
        enum hl_status status = hl_result_arm(t->result, o->arm, &t->first[ARM], t->diag);
        if (status != HL_OK)
            return status;
        t->count[ARM] = 1;
    }
    if (o->subject > 0 && t->has[SUBJECT]) {
        if (o->subject > t->count[SUBJECT]) {
            hl_diag_error(t->diag, hl_pos_none(), "'%s' has no subject %llu; they are counted from 1 to %llu",
                          t->result->path, (unsigned long long)o->subject, (unsigned long long)t->count[SUBJECT]);
            return HL_ERR_INPUT;
        }
        t->first[SUBJECT] = o->subject - 1;
        t->count[SUBJECT] = 1;
    }
    return HL_OK;
}

static enum hl_status choose_rows(struct table *t)
{
    int inner = -1;
    for (int i = 0; i < N_SLOTS; i++)
        t->count[i] = 1;
    for (int i = 0; i < t->base->rank; i++) {
        enum slot slot = slot_of(t->base->axis[i]);
        t->has[slot] = slot != SPREAD;
        if (slot != SPREAD)
            t->count[slot] = t->base->dims[i];
        if (slot == INNER)
            inner = i;
    }
    t->wide_slot = !t->options->wide ? -1 : t->has[SUBJECT] ? SUBJECT : t->has[ARM] ? ARM : -1;
    enum hl_status status = choose_part(t);
    return status == HL_OK ? choose_inner(t, inner) : status;
}

/* ---- Cells. */

static void put_cell(const struct table *t, const struct column *c, double value)
{
    const struct hl_result_variable *v = c->variable;
    double code = value - v->first_flag;
    if (!t->nonmem && c->is_arm_number && value >= 0 && value < (double)t->result->n_arms)
        hl_text_table_text(t->out, t->result->arm_name[(size_t)value]);
    else if (!t->nonmem && v->n_flags > 0 && code >= 0 && code < (double)v->n_flags)
        hl_text_table_text(t->out, v->flag[(size_t)code]);
    else
        hl_text_table_number(t->out, v->type, value);
}

/* ---- The header. */

static const char *column_name(const struct table *t, const struct column *c, uint64_t wide, uint64_t spread)
{
    struct hl_arena *a = t->result->arena;
    char number[40];
    const char *name = t->n_columns > 1 || c->axis[SPREAD] < 0 ? c->variable->name : "", *under = *name ? "_" : "";
    if (t->wide_slot == SUBJECT && c->axis[SUBJECT] >= 0)
        name = hl_arena_printf(a, "%s%s%llu", name, under, (unsigned long long)(t->first[SUBJECT] + wide + 1)),
        under = "_";
    if (t->wide_slot == ARM && c->axis[ARM] >= 0)
        name = hl_arena_printf(a, "%s%s%s", name, under, t->result->arm_name[t->first[ARM] + wide]), under = "_";
    if (c->axis[SPREAD] >= 0) {
        const char *stem = strcmp(c->variable->axis[c->axis[SPREAD]], "quantile") == 0 ? "q" : "above_";
        double value = c->spread_value ? c->spread_value[spread] : (double)spread;
        name = hl_arena_printf(a, "%s%s%s%s", name, under, stem, hl_text_shortest(value, number, sizeof number));
    }
    if (t->options->units && c->variable->unit)
        name = hl_arena_printf(a, "%s [%s]", name, c->variable->unit);
    return name;
}

/* A scale of rows only ("dose") counts them and needs no column. */
static bool shows_inner(const struct table *t)
{
    return t->has[INNER] && !counts_rows(t->inner_name);
}

static bool shows(const struct table *t, enum slot slot)
{
    return slot == INNER ? shows_inner(t) : t->has[slot] && t->wide_slot != (int)slot;
}

/* Columns that name a row: NONMEM wants ID and TIME first, people the arm. */
static const enum slot *label_order(const struct table *t)
{
    static const enum slot people[] = {ARM, SUBJECT, INNER}, nonmem[] = {SUBJECT, INNER, ARM};
    return t->nonmem ? nonmem : people;
}

static const char *label_name(const struct table *t, enum slot slot)
{
    bool is_time = strcmp(t->inner_name, "time") == 0;
    if (slot == ARM)
        return t->nonmem ? "ARM" : "arm";
    if (slot == SUBJECT)
        return t->nonmem ? "ID" : "subject";
    return is_time && t->nonmem ? "TIME" : is_time && t->options->units ? "time [h]" : t->inner_name;
}

static void put_header(const struct table *t)
{
    hl_text_table_begin(t->out);
    for (int i = 0; i < 3; i++)
        if (shows(t, label_order(t)[i]))
            hl_text_table_name(t->out, label_name(t, label_order(t)[i]));
    uint64_t across = t->wide_slot >= 0 ? t->count[t->wide_slot] : 1;
    for (size_t i = 0; i < t->n_columns; i++)
        for (uint64_t w = 0; w < (t->wide_slot >= 0 && t->column[i].axis[t->wide_slot] >= 0 ? across : 1); w++)
            for (uint64_t s = 0; s < t->column[i].n_spread; s++)
                hl_text_table_name(t->out, column_name(t, &t->column[i], w, s));
    hl_text_table_end_row(t->out);
}

/* ---- The rows. */

struct part { uint64_t first[3], count[3]; }; /* by ARM, SUBJECT, INNER */

static enum hl_status read_column(const struct table *t, struct column *c, const struct part *part)
{
    const struct hl_result_variable *v = c->variable;
    uint64_t start[HL_MAX_RANK], count[HL_MAX_RANK], n = 1;
    for (int i = 0; i < v->rank; i++) {
        enum slot slot = slot_of(v->axis[i]);
        start[i] = slot == SPREAD ? 0 : part->first[slot];
        count[i] = slot == SPREAD ? v->dims[i] : part->count[slot];
    }
    for (int i = v->rank - 1; i >= 0; i--) {
        c->stride[slot_of(v->axis[i])] = n;
        n *= count[i];
    }
    if (n > c->slab_values) {
        hl_free(c->slab);
        c->slab = hl_alloc((size_t)n, sizeof *c->slab);
        c->slab_values = c->slab ? n : 0;
        if (!c->slab)
            return HL_ERR_MEMORY;
    }
    return hl_result_read(t->result, v, start, count, c->slab, t->diag);
}

static void put_labels(const struct table *t, const struct part *part, const uint64_t at[3])
{
    for (int i = 0; i < 3; i++) {
        enum slot slot = label_order(t)[i];
        uint64_t number = part->first[slot] + at[slot];
        if (!shows(t, slot))
            continue;
        if (slot == ARM && !t->nonmem)
            hl_text_table_text(t->out, t->result->arm_name[number]);
        else
            hl_text_table_number(t->out, HL_FLOAT64, slot == ARM ? (double)number : slot == SUBJECT
                                 ? (double)(number + 1) : t->inner_value ? t->inner_value[number] : (double)number);
    }
}

static void put_row(const struct table *t, const struct part *part, const uint64_t at[3])
{
    put_labels(t, part, at);
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->column[i];
        uint64_t offset = at[ARM] * c->stride[ARM] + at[SUBJECT] * c->stride[SUBJECT] + at[INNER] * c->stride[INNER];
        uint64_t across = t->wide_slot >= 0 && c->axis[t->wide_slot] >= 0 ? t->count[t->wide_slot] : 1;
        for (uint64_t w = 0; w < across; w++)
            for (uint64_t s = 0; s < c->n_spread; s++) {
                uint64_t step = t->wide_slot >= 0 ? w * c->stride[t->wide_slot] : 0;
                put_cell(t, c, c->slab[offset + step + s * c->stride[SPREAD]]);
            }
    }
    hl_text_table_end_row(t->out);
}

static enum hl_status put_part(struct table *t, const struct part *part)
{
    for (size_t i = 0; i < t->n_columns; i++) {
        enum hl_status status = read_column(t, &t->column[i], part);
        if (status != HL_OK)
            return status;
    }
    uint64_t arms = t->wide_slot == ARM ? 1 : part->count[ARM],
             subjects = t->wide_slot == SUBJECT ? 1 : part->count[SUBJECT];
    for (uint64_t a = 0; a < arms; a++)
        for (uint64_t s = 0; s < subjects; s++)
            for (uint64_t i = 0; i < part->count[INNER]; i++)
                if (!t->keep || t->keep[part->first[INNER] + i])
                    put_row(t, part, (uint64_t[3]){a, s, i});
    return ferror(t->out->stream) ? HL_ERR_IO : HL_OK;
}

/* How many of a slot's indices one slab takes. */
static uint64_t step_of(const struct table *t, enum slot slot)
{
    uint64_t spread = 1;
    for (size_t i = 0; i < t->n_columns; i++)
        spread = t->column[i].n_spread > spread ? t->column[i].n_spread : spread;
    if (slot == ARM)
        return t->wide_slot == ARM ? t->count[ARM] : 1;
    uint64_t others =
        slot == SUBJECT ? t->count[INNER] : step_of(t, ARM) * (t->wide_slot == SUBJECT ? t->count[SUBJECT] : 1);
    uint64_t step = SLAB_VALUES / (spread * (others ? others : 1));
    if (slot == SUBJECT)
        return t->wide_slot == SUBJECT    ? t->count[SUBJECT]
               : step < 1                 ? 1
               : step > HL_BLOCK_SUBJECTS ? HL_BLOCK_SUBJECTS
                                          : step;
    bool whole = t->has[SUBJECT] && t->wide_slot != SUBJECT; /* a subject's rows stay together */
    return whole ? (t->count[INNER] ? t->count[INNER] : 1) : step < 1 ? 1 : step;
}

static enum hl_status put_all(struct table *t)
{
    const uint64_t step[3] = {step_of(t, ARM), step_of(t, SUBJECT), step_of(t, INNER)};
    uint64_t done[3];
    for (done[ARM] = 0; done[ARM] < t->count[ARM]; done[ARM] += step[ARM])
        for (done[SUBJECT] = 0; done[SUBJECT] < t->count[SUBJECT]; done[SUBJECT] += step[SUBJECT])
            for (done[INNER] = 0; done[INNER] < t->count[INNER]; done[INNER] += step[INNER]) {
                struct part part;
                for (int i = 0; i < 3; i++) {
                    uint64_t left = t->count[i] - done[i];
                    part.first[i] = t->first[i] + done[i];
                    part.count[i] = left < step[i] ? left : step[i];
                }
                enum hl_status status = put_part(t, &part);
                if (status != HL_OK)
                    return status;
            }
    return fflush(t->out->stream) == 0 ? HL_OK : HL_ERR_IO;
}

/* ---- All together. */

static enum hl_status choose(struct table *t, const char *const *variable, size_t n)
{
    enum hl_status status = n == 0 ? add_all_trajectories(t) : HL_OK;
    for (size_t i = 0; i < n; i++) {
        enum hl_status own = add_named(t, variable[i]);
        status = status == HL_OK ? own : status;
    }
    if (status == HL_OK)
        status = choose_base(t);
    return status == HL_OK ? choose_rows(t) : status;
}

static bool is_one_of(const char *word, const char *const *known, size_t n, const char *option, struct hl_diag *diag)
{
    char hint[200], list[200];
    for (size_t i = 0; i < n; i++)
        if (!word || strcmp(word, known[i]) == 0)
            return true;
    hl_diag_error(diag, hl_pos_none(), "--%s is %s, but found '%s'%s", option,
                  hl_text_alternatives(known, n, list, sizeof list), word,
                  hl_text_did_you_mean(word, known, n, hint, sizeof hint));
    return false;
}

static enum hl_status put_variables(struct table *t, const char *const *variable, size_t n)
{
    if (t->options->rows && strcmp(t->options->rows, "obs") == 0) {
        hl_diag_error(t->diag, hl_pos_none(), "--rows obs is for the records of a data set%s",
                      hl_records_exist(t->result) ? ": name columns of /records" : "; this result has no records");
        return HL_ERR_INPUT;
    }
    enum hl_status status = choose(t, variable, n);
    if (status == HL_OK) {
        put_header(t);
        status = put_all(t);
    }
    for (size_t i = 0; i < t->n_columns; i++)
        hl_free(t->column[i].slab);
    return status;
}

/* The table of records, of attributes, or of any other variables. */
static enum hl_status put_table(struct table *t, const char *const *variable, size_t n)
{
    if (n == 1 && strcmp(variable[0], "attributes") == 0)
        return hl_export_attributes(t->result, t->out->format == HL_TEXT_TSV ? '\t' : ',', t->out->stream);
    if (hl_records_named(t->result, variable, n))
        return hl_export_records(t->result, variable, n, t->options, t->out, t->diag);
    return put_variables(t, variable, n);
}

enum hl_status hl_export(const char *path, const char *const *variable, size_t n,
                         const struct hl_export_options *options, FILE *stream, struct hl_diag *diag)
{
    static const char *const formats[] = {"csv", "tsv", "nonmem"}, *const rows[] = {"all", "obs"};
    struct hl_result *result;
    if (!is_one_of(options->format, formats, 3, "format", diag) || !is_one_of(options->rows, rows, 2, "rows", diag))
        return HL_ERR_INPUT;
    enum hl_status status = hl_result_open(path, &result, diag);
    if (status != HL_OK)
        return status;
    struct hl_text_table out = {.stream = stream};
    for (size_t i = 0; options->format && i < 3; i++)
        if (strcmp(options->format, formats[i]) == 0)
            out.format = (enum hl_text_format)i;
    struct table t = {.result = result, .options = options, .out = &out, .diag = diag, .wide_slot = -1,
                      .nonmem = out.format == HL_TEXT_NONMEM};
    errno = 0;
    status = put_table(&t, variable, n);
    if (status == HL_ERR_IO && errno == EPIPE)
        status = HL_OK; /* the reader has seen enough */
    else if (status == HL_ERR_IO && ferror(stream))
        hl_diag_error(diag, hl_pos_none(), "cannot write the table: %s", strerror(errno));
    hl_result_close(result);
    return status;
}
