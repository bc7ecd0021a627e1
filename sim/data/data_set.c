/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data set is read twice. The first reading looks at every row, complains and counts; it keeps one row and what must
 * be remembered of an individual, so that its memory doesn't grow with the file. The second one gathers the rows of one
 * individual at a time, in room for the longest. Both take the same way through a row (inside.h), and the second one
 * hashes the bytes again: where it meets a row that the first would have refused, an individual longer than any before,
 * or at the end another digest, the file has changed in between and the run must not go on. Standard input and pipes
 * can't be read twice and are refused.
 *
 * Adjacent rows of one ID are an individual; IDs that are numbers are compared as numbers (1 and 1.0 are one), others
 * as texts. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/inside.h"

/* ---- Rows ---- */

static bool is_blank(const struct hl_csv *csv)
{
    for (size_t c = 0; c < hl_csv_fields(csv); c++)
        if (*hl_csv_text(csv, c))
            return false;
    return true;
}

/* A column named C or COMMENT leaves out the rows that hold just the letter C. */
static bool is_left_out(struct hl_data_set *set)
{
    int column = set->at[HL_ITEM_COMMENT];
    if (column < 0)
        return false;
    const char *text = hl_csv_text(set->csv, (size_t)column), *name = set->info[column].name;
    double number;
    if (strcasecmp(text, "C") == 0) {
        hl_data_remark(set, &set->remark[HL_REMARK_LEFT_OUT], HL_NOTE, hl_data_pos(set, column),
                       "this row is left out: column %s marks it with %s", name, text);
        return true;
    }
    bool nothing = !*text || strcmp(text, ".") == 0 || strcasecmp(text, "NA") == 0 || hl_text_number(text, &number);
    if (!nothing && strcasecmp(name, "C") == 0)
        hl_data_remark(set, &set->remark[HL_REMARK_OTHER_COMMENT], HL_WARNING, hl_data_pos(set, column),
                       "'%s' in column %s doesn't leave this row out; only C does", text, name);
    return false;
}

static bool has_right_length(struct hl_data_set *set)
{
    size_t n = hl_csv_fields(set->csv);
    if (n == set->n_columns)
        return true;
    /* too many: the first one that has no column; too few: the record's beginning */
    hl_data_fault_at(set, hl_csv_pos(set->csv, n > set->n_columns ? set->n_columns : 0),
                     "expected %zu fields as in the header, found %zu%s", set->n_columns, n,
                     n > set->n_columns ? "; a field that contains the separator must stand in quotes" : "");
    return false;
}

/* The next row that counts; false at the end. */
static bool take_row(struct hl_data_set *set, enum hl_status *status)
{
    for (;;) {
        enum hl_status read;
        if (!hl_csv_next(set->csv, &read)) {
            if (read == HL_OK)
                break;
            *status = read;
            set->faults++;
            set->broken = true;
        } else if (!is_blank(set->csv) && has_right_length(set) && !is_left_out(set)) {
            return true;
        }
    }
    set->ended = true;
    return false;
}

/* ---- Individuals ---- */

static bool keep_text(char **kept, size_t *capacity, const char *text)
{
    size_t bytes = strlen(text) + 1;
    if (bytes > *capacity) {
        char *larger = hl_grow(*kept, *capacity, 2 * bytes + 32, 1);
        if (!larger)
            return false;
        *kept = larger;
        *capacity = 2 * bytes + 32;
    }
    memcpy(*kept, text, bytes);
    return true;
}

static uint64_t id_hash(const struct hl_data_set *set)
{
    uint64_t bits;
    double number = set->id_number + 0.0; /* -0 is 0 */
    if (!set->id_is_number)
        return hl_text_hash(set->id);
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* First reading: what was counted of the individual that is over. */
static void finish_individual(struct hl_data_set *set)
{
    hl_data_count_gaps(set);
    if (set->first_reading && set->n_individual > set->facts.longest)
        set->facts.longest = set->n_individual;
    set->n_individual = 0;
}

static bool is_same_id(const struct hl_data_set *set, const struct hl_cell *cell)
{
    if (set->id_is_number || cell->kind == HL_CELL_NUMBER)
        return set->id_is_number && cell->kind == HL_CELL_NUMBER && set->id_number == cell->number;
    return strcmp(set->id, cell->text) == 0;
}

static void begin_individual(struct hl_data_set *set, const struct hl_cell *cell)
{
    finish_individual(set);
    set->starts = set->has_id = true;
    set->clock = (struct hl_clock){0};
    set->facts.individuals += set->first_reading;
    set->id_is_number = !cell || cell->kind == HL_CELL_NUMBER;
    set->id_number = !cell ? 1.0 : cell->number;
    set->without_memory = !keep_text(&set->id, &set->id_capacity, cell ? cell->text : "1") || set->without_memory;
    if (set->first_reading && cell && !set->without_memory &&
        hl_ids_seen(&set->ids, id_hash(set), &set->without_memory))
        hl_data_remark(set, &set->remark[HL_REMARK_RETURNS], HL_WARNING, hl_data_pos(set, set->at[HL_ITEM_ID]),
                       "ID %s comes back after other individuals: its records from here on are a new individual; sort "
                       "the file by ID if they belong together",
                       set->id);
}

/* Whether the row begins an individual. */
static void read_id(struct hl_data_set *set)
{
    int column = set->at[HL_ITEM_ID];
    const struct hl_cell *cell = column < 0 ? NULL : &set->cell[column];
    set->starts = false;
    if (cell && cell->kind == HL_CELL_MISSING)
        hl_data_fault(set, column, "ID is missing");
    else if (!set->has_id || (cell && !is_same_id(set, cell)))
        begin_individual(set, cell);
}

/* The next row, all of it read; false at the end. */
static bool next_row(struct hl_data_set *set, enum hl_status *status)
{
    if (!take_row(set, status))
        return false;
    memset(set->bad, 0, sizeof set->bad);
    set->record = (struct hl_record){.row = (uint64_t)hl_csv_pos(set->csv, 0).line};
    hl_data_read_cells(set);
    read_id(set);
    hl_data_read_covariates(set);
    hl_data_read_record(set);
    set->n_individual++;
    return true;
}

/* ---- Opening ---- */

static enum hl_status out_of_memory(struct hl_data_set *set)
{
    hl_diag_error(set->diag, (struct hl_pos){set->path, 0, 0}, "not enough memory to read this data set");
    return HL_ERR_MEMORY;
}

static void close_file(struct hl_data_set *set)
{
    char hex[65];
    hl_csv_close(set->csv);
    set->csv = NULL;
    if (set->digest)
        hl_digest_finish_hex(set->digest, hex);
    set->digest = NULL;
}

static enum hl_status open_file(struct hl_data_set *set)
{
    close_file(set);
    set->ended = set->pending = set->has_id = set->starts = set->broken = false;
    set->time_kind = HL_TIME_UNKNOWN;
    set->day_kind = HL_DAY_UNKNOWN;
    set->n_individual = 0;
    set->individual.number = 0;
    set->digest = hl_digest_create();
    if (!set->digest)
        return out_of_memory(set);
    struct hl_csv_options options = {
        .ignore = set->spec->ignore ? set->spec->ignore : "#", .any_length = true, .digest = set->digest};
    return hl_csv_open_with(set->path, &options, &set->csv, set->diag);
}

static bool can_be_read_twice(struct hl_data_set *set)
{
    struct stat facts;
    bool pipe = stat(set->path, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode);
    if (!pipe && strcmp(set->path, "-") != 0)
        return true;
    hl_diag_error(set->diag, hl_pos_none(), "a data set is read twice, which %s can't be; save it to a file first",
                  pipe ? set->path : "standard input");
    return false;
}

static void make_room(struct hl_data_set *set)
{
    size_t n = set->n_columns, k = set->n_covariates;
    size_t compartments = set->system ? set->system->n_compartments : 0;
    struct hl_arena *a = set->arena;
    set->column = hl_arena_alloc(a, n, sizeof *set->column);
    set->info = hl_arena_alloc(a, n, sizeof *set->info);
    set->cell = hl_arena_alloc(a, n, sizeof *set->cell);
    set->column_value = hl_arena_alloc(a, n, sizeof *set->column_value);
    set->covariate = hl_arena_alloc(a, k, sizeof *set->covariate);
    set->covariate_value = hl_arena_alloc(a, k, sizeof *set->covariate_value);
    set->said_rate = hl_arena_alloc(a, compartments + 1, sizeof *set->said_rate);
    set->said_duration = hl_arena_alloc(a, compartments + 1, sizeof *set->said_duration);
    set->missing_number = hl_arena_alloc(a, set->spec->n_missing, sizeof *set->missing_number);
    set->missing_is_number = hl_arena_alloc(a, set->spec->n_missing, sizeof *set->missing_is_number);
    set->facts.dosed = hl_arena_alloc(a, compartments, sizeof *set->facts.dosed);
    set->facts.observed = hl_arena_alloc(a, compartments, sizeof *set->facts.observed);
    set->facts.varies = hl_arena_alloc(a, k, sizeof *set->facts.varies);
    set->facts.n_columns = n;
    set->facts.column = set->info;
}

static void prepare(struct hl_data_set *set)
{
    for (size_t i = 0; i < set->spec->n_missing; i++)
        set->missing_is_number[i] = hl_text_number(set->spec->missing[i], &set->missing_number[i]);
    for (size_t k = 0; k < set->n_covariates; k++) {
        bool category = set->system->covariate[k].info->n_categories > 0;
        enum hl_covariate_rule rule = set->spec->rule ? set->spec->rule[k] : HL_COVARIATE_NEXT;
        set->covariate[k].column = -1;
        set->covariate[k].last = NAN;
        set->covariate[k].rule = category && rule == HL_COVARIATE_INTERPOLATE ? HL_COVARIATE_NEXT : rule;
    }
    for (size_t i = 0; set->system && i < set->system->n_etas; i++)
        set->occasions = set->occasions || set->system->eta[i].occasion;
}

/* ---- The first reading ---- */

static bool lacks_codes(const struct hl_column *column)
{
    return column->texts && column->numbers_first && !column->texts->too_many;
}

/* Columns in which numbers stood before the first text: the codes of all their texts, from the beginning. */
static enum hl_status gather_texts(struct hl_data_set *set)
{
    size_t n = 0, *list = hl_arena_alloc(set->arena, set->n_columns, sizeof *list);
    for (size_t c = 0; c < set->n_columns; c++)
        if (lacks_codes(&set->column[c])) {
            *set->column[c].texts = (struct hl_texts){0};
            list[n++] = c;
        }
    if (n == 0)
        return HL_OK;
    enum hl_status status = open_file(set);
    while (status == HL_OK && take_row(set, &status))
        for (size_t i = 0; i < n; i++) {
            const char *text = hl_csv_text(set->csv, list[i]);
            if (!hl_data_is_missing(set, text))
                hl_texts_add(set->column[list[i]].texts, text);
        }
    return status;
}

static void say_gaps(struct hl_data_set *set)
{
    static const char *const rules[] = {[HL_COVARIATE_NEXT] = "the next known one of the individual, else the last",
                                        [HL_COVARIATE_PREVIOUS] = "the last known one of the individual, else the next",
                                        [HL_COVARIATE_INTERPOLATE] =
                                            "those on the line between the individual's known ones"};
    for (size_t k = 0; k < set->n_covariates; k++) {
        const struct hl_data_covariate *x = &set->covariate[k];
        if (x->filled > 0)
            hl_diag_note(set->diag, x->first_gap, "%llu missing value%s of %s in %llu individual%s: filled with %s",
                         (unsigned long long)x->filled, x->filled == 1 ? "" : "s", set->system->covariate[k].name,
                         (unsigned long long)x->individuals, x->individuals == 1 ? "" : "s", rules[x->rule]);
        hl_data_say(set, &x->outside, "values");
    }
}

static void say_remarks(struct hl_data_set *set, int last_line)
{
    static const char *const more[HL_N_REMARKS] = {
        [HL_REMARK_RETURNS] = "individuals", [HL_REMARK_IDLE_II] = "records", [HL_REMARK_MIDNIGHT] = "midnights",
        [HL_REMARK_LEFT_OUT] = "rows",       [HL_REMARK_EVID] = "records",    [HL_REMARK_MONTH_OR_DAY] = "dates",
        [HL_REMARK_OTHER_COMMENT] = "cells", [HL_REMARK_LONG_DAY] = "records"};
    if (set->dates_certain)
        set->remark[HL_REMARK_MONTH_OR_DAY].n = 0;
    for (int i = 0; i < HL_N_REMARKS; i++)
        hl_data_say(set, &set->remark[i], more[i] ? more[i] : "places");
    if (set->ids.full)
        hl_diag_note(set->diag, (struct hl_pos){set->path, last_line, 0},
                     "only the first million IDs were watched for coming back");
    say_gaps(set);
    if (set->faults > HL_FAULTS_SHOWN)
        hl_diag_error(set->diag, (struct hl_pos){set->path, last_line, 0},
                      "this data set has %zu faults; the first %d are shown", set->faults, HL_FAULTS_SHOWN);
}

/* COMMENT that marked no row is a column of remarks. */
static void settle_comment(struct hl_data_set *set)
{
    int column = set->at[HL_ITEM_COMMENT];
    if (column >= 0 && set->remark[HL_REMARK_LEFT_OUT].n == 0 && set->column[column].texts)
        set->info[column].item = NULL;
}

static enum hl_status read_first(struct hl_data_set *set)
{
    enum hl_status status = HL_OK;
    int line = 1;
    while (!set->without_memory && next_row(set, &status)) {
        hl_data_examine(set);
        set->facts.records++;
        line = (int)set->record.row;
    }
    finish_individual(set);
    if (set->facts.records == 0 && set->faults == 0)
        hl_data_fault_at(set, (struct hl_pos){set->path, line, 0}, "the data set has no records");
    set->facts.has_occasions = set->at[HL_ITEM_OCC] >= 0;
    if (!hl_digest_finish_hex(set->digest, set->facts.sha256))
        status = status == HL_OK ? HL_ERR_INTERNAL : status;
    set->digest = NULL;
    set->first_reading = false;
    if (status == HL_OK && set->faults == 0 && !set->without_memory)
        status = gather_texts(set);
    set->first_reading = true;
    hl_data_settle_columns(set);
    settle_comment(set);
    say_remarks(set, line);
    set->first_reading = false;
    return set->without_memory ? out_of_memory(set) : status;
}

static enum hl_status read_all(struct hl_data_set *set)
{
    if (!can_be_read_twice(set))
        return HL_ERR_INPUT;
    enum hl_status status = open_file(set);
    if (status != HL_OK)
        return status;
    set->first_reading = true;
    set->n_columns = hl_csv_columns(set->csv);
    set->n_covariates = set->system ? set->system->n_covariates : 0;
    make_room(set);
    prepare(set);
    hl_data_read_header(set);
    status = read_first(set);
    hl_ids_clear(&set->ids);
    close_file(set);
    set->ended = false;
    return status == HL_OK && set->faults > 0 ? HL_ERR_INPUT : status;
}

static struct hl_data_set *open_set(const char *path, const struct hl_data_spec *spec, const struct hl_system *system,
                                    struct hl_diag *diag)
{
    struct hl_data_set *set = hl_alloc(1, sizeof *set);
    struct hl_arena *arena = set ? hl_arena_create() : NULL;
    if (!arena) {
        hl_diag_error(diag, (struct hl_pos){path, 0, 0}, "not enough memory to read this data set");
        hl_free(set);
        return NULL;
    }
    set->arena = arena;
    set->diag = diag;
    set->path = hl_arena_strdup(arena, path);
    set->spec = spec ? spec : hl_arena_alloc(arena, 1, sizeof *spec);
    set->system = system;
    enum hl_status status = read_all(set);
    size_t n = set->facts.longest ? set->facts.longest : 1;
    if (status == HL_OK) {
        set->records = hl_alloc(n, sizeof *set->records);
        set->columns = hl_alloc(n * set->n_columns, sizeof *set->columns);
        set->covariates = hl_alloc(n * set->n_covariates, sizeof *set->covariates);
        if (!set->records || !set->columns || !set->covariates)
            status = out_of_memory(set);
    }
    if (status == HL_OK)
        return set;
    hl_data_close(set);
    return NULL;
}

struct hl_data_set *hl_data_open(const struct hl_study *study, struct hl_diag *diag)
{
    return study->data ? open_set(study->data->path, study->data, study->system, diag) : NULL;
}

struct hl_data_set *hl_data_open_alone(const char *path, struct hl_diag *diag)
{
    return open_set(path, NULL, NULL, diag);
}

void hl_data_close(struct hl_data_set *set)
{
    if (!set)
        return;
    close_file(set);
    hl_ids_clear(&set->ids);
    for (size_t c = 0; set->column && c < set->n_columns; c++)
        hl_free(set->column[c].texts);
    hl_free(set->records);
    hl_free(set->columns);
    hl_free(set->covariates);
    hl_free(set->id);
    hl_free(set->individual_id);
    hl_arena_free(set->arena);
    hl_free(set);
}

const struct hl_data_facts *hl_data_facts(const struct hl_data_set *set)
{
    return &set->facts;
}

/* ---- The second reading ---- */

static enum hl_status changed(struct hl_data_set *set)
{
    hl_diag_error(set->diag, (struct hl_pos){set->path, 0, 0},
                  "the data set has changed since it was checked; run again when nothing writes to it");
    set->ended = true;
    set->pending = false;
    return HL_ERR_IO;
}

enum hl_status hl_data_rewind(struct hl_data_set *set, struct hl_diag *diag)
{
    set->diag = diag;
    enum hl_status status = open_file(set);
    if (status == HL_OK && hl_csv_columns(set->csv) != set->n_columns)
        status = changed(set);
    if (status != HL_OK)
        set->ended = true;
    return status;
}

/* The end of the file: the bytes must be those of the first reading. */
static enum hl_status finish_reading(struct hl_data_set *set)
{
    char hex[65];
    if (!set->digest)
        return HL_OK; /* the end was reached before */
    bool hashed = hl_digest_finish_hex(set->digest, hex);
    set->digest = NULL;
    return hashed && strcmp(hex, set->facts.sha256) == 0 ? HL_OK : changed(set);
}

static void append(struct hl_data_set *set)
{
    struct hl_individual *x = &set->individual;
    if (x->n == set->facts.longest) {
        set->broken = true;
        return;
    }
    set->records[x->n] = set->record;
    for (size_t k = 0; k < set->n_covariates; k++)
        set->covariates[x->n * set->n_covariates + k] = set->covariate_value[k];
    for (size_t c = 0; c < set->n_columns; c++)
        set->columns[x->n * set->n_columns + c] = set->column_value[c];
    int id = set->at[HL_ITEM_ID];
    if (id >= 0 && set->column[id].texts && set->column[id].texts->too_many)
        set->columns[x->n * set->n_columns + (size_t)id] = (double)x->number;
    x->n++;
}

/* The row just read is the first one of an individual. */
static bool start_individual(struct hl_data_set *set)
{
    struct hl_individual *x = &set->individual;
    int id = set->at[HL_ITEM_ID];
    bool text = id >= 0 && set->info[id].kind == HL_COLUMN_TEXT;
    if (!keep_text(&set->individual_id, &set->individual_id_capacity, set->id))
        return false;
    *x = (struct hl_individual){.number = x->number + 1,
                                .ID = set->id_number,
                                .id_text = set->individual_id,
                                .record = set->records,
                                .covariate = set->covariates,
                                .column = set->columns};
    if (text)
        x->ID = (double)x->number;
    return true;
}

const struct hl_individual *hl_data_next(struct hl_data_set *set, enum hl_status *status, struct hl_diag *diag)
{
    set->diag = diag;
    *status = HL_OK;
    if (!set->csv && !set->ended)
        *status = hl_data_rewind(set, diag);
    if (*status != HL_OK)
        return NULL;
    if (!set->pending && (set->ended || !next_row(set, status))) {
        if (*status == HL_OK)
            *status = finish_reading(set);
        return NULL;
    }
    if (!start_individual(set)) {
        *status = out_of_memory(set);
        return NULL;
    }
    set->pending = false;
    do
        append(set);
    while (next_row(set, status) && !set->starts && !set->broken);
    set->pending = !set->ended;
    if (*status == HL_OK && set->without_memory)
        *status = out_of_memory(set);
    else if (*status == HL_OK && set->broken)
        *status = changed(set);
    if (*status != HL_OK)
        return NULL;
    hl_data_fill_gaps(set);
    return &set->individual;
}

/* ---- Copies ---- */

struct hl_individual *hl_individual_copy(const struct hl_data_set *set, const struct hl_individual *individual)
{
    size_t records = individual->n * sizeof *individual->record;
    size_t covariates = individual->n * set->n_covariates * sizeof(double);
    size_t columns = individual->n * set->n_columns * sizeof(double), id = strlen(individual->id_text) + 1;
    struct hl_individual *copy = hl_alloc(1, sizeof *copy + records + covariates + columns + id);
    if (!copy)
        return NULL;
    char *at = (char *)(copy + 1); /* every part but the last one is a multiple of eight bytes */
    *copy = *individual;
    copy->record = memcpy(at, individual->record, records);
    copy->covariate = memcpy(at + records, individual->covariate, covariates);
    copy->column = memcpy(at + records + covariates, individual->column, columns);
    copy->id_text = memcpy(at + records + covariates + columns, individual->id_text, id);
    return copy;
}

void hl_individual_free(struct hl_individual *individual)
{
    hl_free(individual);
}
