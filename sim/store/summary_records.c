/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pass over the columns of /records in blocks of 65536 rows. Computed columns are those of an output, IPRED, DV,
 * the observed DV and the amounts A_...; the range of each is told, with how many values are missing. A dose record
 * counts once, the doses that its ADDL adds are counted apart. EVID 4 is a reset and a dose. */
#include "store/summary_records.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/export_records.h"

#define N_BLOCK 65536u

static bool is_computed(const struct hl_result_variable *v)
{
    static const char *const names[] = {"IPRED", "DV", "DV_observed"};
    if (strcmp(v->group, "/records") != 0 || v->is_scale || v->rank != 1)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(v->name, names[i]) == 0)
            return true;
    return v->output != NULL || strncmp(v->name, "A_", 2) == 0;
}

static void choose_columns(const struct hl_result *r, struct hl_record_facts *f)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_variables; i++)
        n += is_computed(&r->variable[i]);
    f->range = hl_arena_alloc(r->arena, (size_t)r->n_arms * n + 1, sizeof *f->range);
    for (size_t i = 0; i < r->n_variables; i++)
        if (is_computed(&r->variable[i])) {
            for (uint64_t arm = 0; arm < r->n_arms; arm++)
                f->range[arm * n + f->n_columns] =
                    (struct hl_record_range){.variable = &r->variable[i], .low = INFINITY, .high = -INFINITY};
            f->n_columns++;
        }
}

static void widen(struct hl_record_range *range, const double *value, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (isnan(value[i])) {
            range->missing++;
            continue;
        }
        range->n++;
        range->low = value[i] < range->low ? value[i] : range->low;
        range->high = value[i] > range->high ? value[i] : range->high;
    }
}

static void count_kinds(struct hl_record_facts *f, const double *evid, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        int kind = (int)evid[i];
        f->observations += kind == 0;
        f->doses += kind == 1 || kind == 4;
        f->resets += kind == 3 || kind == 4;
        f->others += kind == 2 || kind > 4;
    }
}

static void add_up(double *sum, const double *value, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        *sum += value[i] > 0.0 ? value[i] : 0.0; /* whole numbers: the order doesn't matter */
}

/* One column, from row first on, block by block, through one of the functions above. */
static enum hl_status read_column(const struct hl_result *r, const struct hl_result_variable *v, uint64_t first,
                                  uint64_t count, double *block, struct hl_record_facts *f,
                                  struct hl_record_range *range, struct hl_diag *diag)
{
    enum hl_status status = HL_OK;
    for (uint64_t done = 0, n; status == HL_OK && v && done < count; done += n) {
        uint64_t start = first + done;
        n = N_BLOCK - start % N_BLOCK < count - done ? N_BLOCK - start % N_BLOCK : count - done;
        status = hl_result_read(r, v, &start, &n, block, diag);
        if (status != HL_OK)
            break;
        if (range)
            widen(range, block, n);
        else if (strcmp(v->name, "ADDL") == 0)
            add_up(&f->additional, block, n);
        else
            count_kinds(f, block, n);
    }
    return status;
}

static enum hl_status read_counts(const struct hl_result *r, double *block, struct hl_record_facts *f,
                                  struct hl_diag *diag)
{
    struct hl_record_range time = {.low = INFINITY, .high = -INFINITY};
    enum hl_status status = read_column(r, hl_records_column(r, "EVID"), 0, f->records, block, f, NULL, diag);
    if (status == HL_OK)
        status = read_column(r, hl_result_at(r, "/records/ADDL"), 0, f->records, block, f, NULL, diag);
    if (status == HL_OK)
        status = read_column(r, hl_records_column(r, "TIME"), 0, f->records, block, f, &time, diag);
    f->first_time = time.n ? time.low : (double)NAN;
    f->last_time = time.n ? time.high : (double)NAN;
    return status;
}

/* ---- Who failed. */

/* A variable of /subjects for one arm. */
static enum hl_status read_subjects(const struct hl_result *r, const char *path, uint64_t arm, double *values,
                                    struct hl_diag *diag)
{
    const struct hl_result_variable *v = hl_result_at(r, path);
    uint64_t start[2] = {0, 0}, count[2] = {r->n_subjects, 0};
    if (v && v->rank == 2) {
        start[0] = arm;
        count[0] = 1;
        count[1] = r->n_subjects;
    }
    return v ? hl_result_read(r, v, start, count, values, diag) : HL_OK;
}

static struct hl_record_failure failure_of(const struct hl_result *r, uint64_t arm, uint64_t k, size_t code, double id)
{
    const struct hl_result_variable *status = hl_result_at(r, "/subjects/status"), *v = hl_result_at(r, "/subjects/ID");
    char number[40];
    double text = v ? id - v->first_flag : -1.0;
    bool is_text = v && text >= 0.0 && text < (double)v->n_flags;
    return (struct hl_record_failure){
        .arm = arm, .subject = k + 1, .is_text = is_text,
        .ID = is_text ? v->flag[(size_t)text] : hl_arena_strdup(r->arena, hl_text_shortest(id, number, sizeof number)),
        .why = code < status->n_flags ? status->flag[code] : "failed"};
}

static enum hl_status find_failures(const struct hl_result *r, struct hl_record_facts *f, struct hl_diag *diag)
{
    const struct hl_result_variable *v = hl_result_at(r, "/subjects/status");
    double *state = hl_alloc((size_t)r->n_subjects, sizeof *state), *id = hl_alloc((size_t)r->n_subjects, sizeof *id);
    enum hl_status status = state && id ? HL_OK : HL_ERR_MEMORY;
    size_t capacity = 0;
    for (uint64_t arm = 0; status == HL_OK && v && arm < r->n_arms; arm++) {
        status = read_subjects(r, "/subjects/status", arm, state, diag);
        if (status == HL_OK)
            status = read_subjects(r, "/subjects/ID", arm, id, diag);
        for (uint64_t k = 0; status == HL_OK && k < r->n_subjects; k++) {
            size_t code = (size_t)state[k];
            if (code == 0)
                continue;
            f->failure = hl_arena_push(r->arena, f->failure, f->n_failures, &capacity, sizeof *f->failure);
            f->failure[f->n_failures++] = failure_of(r, arm, k, code, id[k]);
        }
    }
    hl_free(id);
    hl_free(state);
    return status;
}

enum hl_status hl_record_facts_read(const struct hl_result *r, struct hl_record_facts *f, struct hl_diag *diag)
{
    double *block = hl_alloc(N_BLOCK, sizeof *block);
    *f = (struct hl_record_facts){.records = r->n_arms ? r->n_records / r->n_arms : 0};
    choose_columns(r, f);
    enum hl_status status = block ? read_counts(r, block, f, diag) : HL_ERR_MEMORY;
    for (size_t i = 0; status == HL_OK && i < (size_t)r->n_arms * f->n_columns; i++)
        status = read_column(r, f->range[i].variable, i / f->n_columns * f->records, f->records, block, f, &f->range[i],
                             diag);
    hl_free(block);
    return status == HL_OK ? find_failures(r, f, diag) : status;
}
