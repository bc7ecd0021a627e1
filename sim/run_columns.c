/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A batch holds, strip by strip, the 64 values of every column side by side: what a thread writes for a strip lies
 * together, and what another reads for some columns is a few cache lines from each strip. Columns are then taken
 * through all strips of the batch, in the order of the subjects, by one thread each: sums don't depend on who solved
 * what.
 *
 * Where the batch is the whole cohort, quantiles are taken from it directly; else from what hl_ranks keeps. */
#include "run_columns.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "measure/ranks.h"

struct hl_columns {
    const struct hl_study *study;
    const uint32_t *column;
    size_t n, strips, n_thresholds;   /* n_thresholds: the most that any output has */
    uint64_t subjects;
    bool whole;                       /* the batch is the cohort */
    struct hl_ranks *ranks;           /* NULL when whole */
    struct hl_moments *moments;       /* [n] */
    uint32_t *above;                  /* [n][n_thresholds] */
    double *values;                   /* [strips][n][HL_STRIP] */
};

/* ---- The summary. */

enum hl_status hl_arm_summary_init(struct hl_arm_summary *s, const struct hl_study *study)
{
    size_t n = study->n_outputs * study->n_times;
    s->quantiles = hl_alloc(study->n_quantiles * n, sizeof(double));
    s->mean = hl_alloc(n, sizeof(double));
    s->sd = hl_alloc(n, sizeof(double));
    s->fraction = hl_alloc(study->n_thresholds * study->n_times, sizeof(double));
    s->count = hl_alloc(n, sizeof(int));
    return s->quantiles && s->mean && s->sd && s->fraction && s->count ? HL_OK : HL_ERR_MEMORY;
}

void hl_arm_summary_clear(struct hl_arm_summary *s)
{
    hl_free(s->quantiles);
    hl_free(s->mean);
    hl_free(s->sd);
    hl_free(s->fraction);
    hl_free(s->count);
}

/* ---- Making. */

static size_t most_thresholds(const struct hl_study *study)
{
    size_t most = 0;
    for (size_t o = 0; o < study->n_outputs; o++) {
        size_t n = 0;
        for (size_t i = 0; i < study->n_thresholds; i++)
            n += (size_t)study->threshold[i].output == o;
        most = n > most ? n : most;
    }
    return most;
}

double hl_columns_bytes(const struct hl_study *study, size_t capacity)
{
    return (double)(sizeof(struct hl_moments) + most_thresholds(study) * sizeof(uint32_t)) +
           (capacity > 0 ? (double)hl_ranks_bytes(capacity, study->n_quantiles) : 0);
}

double hl_columns_strip_bytes(size_t n)
{
    return (double)n * HL_STRIP * sizeof(double);
}

struct hl_columns *hl_columns_create(const struct hl_study *study, const uint32_t *column, size_t n, uint64_t subjects,
                                     size_t strips, size_t capacity)
{
    struct hl_columns *c = hl_alloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct hl_columns){.study = study, .column = column, .n = n, .subjects = subjects, .strips = strips,
                             .n_thresholds = most_thresholds(study), .whole = strips * HL_STRIP >= subjects};
    c->moments = hl_alloc(n, sizeof *c->moments);
    c->above = hl_alloc(n * c->n_thresholds, sizeof *c->above);
    c->values = hl_alloc_unset(strips * n, HL_STRIP * sizeof *c->values);
    bool complete = c->moments && c->above && c->values;
    if (complete && !c->whole) {
        c->ranks = hl_ranks_create(n, subjects, capacity, study->quantile, study->n_quantiles);
        complete = c->ranks != NULL;
    }
    if (complete)
        return c;
    hl_columns_free(c);
    return NULL;
}

size_t hl_columns_scratch(const struct hl_columns *c)
{
    return c->whole ? c->strips * HL_STRIP : hl_ranks_scratch(c->ranks);
}

void hl_columns_free(struct hl_columns *c)
{
    if (!c)
        return;
    hl_ranks_free(c->ranks);
    hl_free(c->moments);
    hl_free(c->above);
    hl_free(c->values);
    hl_free(c);
}

/* ---- Filling. */

static double *piece(const struct hl_columns *c, size_t strip, size_t i)
{
    return c->values + (strip * c->n + i) * HL_STRIP;
}

/* Whole groups of lanes are copied: what stands beyond the last subject is overwritten by the next block or at the end
 * of the strip. */
void hl_columns_keep(struct hl_columns *c, size_t strip, size_t row, const struct hl_block *block)
{
    for (size_t i = 0; i < c->n; i++) {
        const double *from = block->out + c->column[i] * block->lanes;
        double *to = piece(c, strip, i) + row;
        for (size_t lane = 0; lane < block->lanes; lane += HL_LANES)
            memcpy(to + lane, from + lane, HL_LANES * sizeof *to);
    }
    for (size_t lane = 0; lane < block->n; lane++)
        for (size_t i = 0; block->status[lane] != HL_SUBJECT_GOOD && i < c->n; i++)
            piece(c, strip, i)[row + lane] = (double)NAN;
}

void hl_columns_end_strip(struct hl_columns *c, size_t strip, size_t n)
{
    for (size_t i = 0; n < HL_STRIP && i < c->n; i++)
        for (size_t row = n; row < HL_STRIP; row++)
            piece(c, strip, i)[row] = (double)NAN;
}

static void count_above(const struct hl_columns *c, size_t i, const double *values)
{
    size_t row = 0, output = c->column[i] / c->study->n_times;
    for (size_t k = 0; k < c->study->n_thresholds; k++)
        if ((size_t)c->study->threshold[k].output == output)
            c->above[i * c->n_thresholds + row++] += (uint32_t)hl_count_above(values, c->study->threshold[k].value);
}

void hl_columns_add(struct hl_columns *c, size_t from, size_t to, size_t strips, double *scratch)
{
    for (size_t i = from; i < to; i++)
        for (size_t s = 0; s < strips; s++) {
            const double *values = piece(c, s, i);
            size_t n = hl_moments_add(&c->moments[i], values);
            if (c->n_thresholds > 0)
                count_above(c, i, values);
            if (c->ranks)
                hl_ranks_add(c->ranks, i, values, n, scratch);
        }
}

/* ---- The end. */

static void take_fractions(const struct hl_columns *c, size_t i, size_t output, size_t t, double *fraction)
{
    const struct hl_study *study = c->study;
    size_t row = 0, counted = c->moments[i].n;
    for (size_t k = 0; k < study->n_thresholds; k++)
        if ((size_t)study->threshold[k].output == output)
            fraction[k * study->n_times + t] =
                counted ? (double)c->above[i * c->n_thresholds + row++] / (double)counted : (double)NAN;
}

static void quantiles_of_batch(const struct hl_columns *c, size_t i, double *column, double *q)
{
    size_t n = (size_t)c->subjects;
    for (size_t k = 0; k < n; k += HL_STRIP)
        memcpy(column + k, piece(c, k / HL_STRIP, i), HL_STRIP * sizeof *column);
    hl_quantiles(column, n, c->study->quantile, c->study->n_quantiles, q);
}

void hl_columns_finish(struct hl_columns *c, size_t from, size_t to, struct hl_arm_summary *s, bool *found,
                       double *scratch)
{
    size_t n_times = c->study->n_times, n_quantiles = c->study->n_quantiles;
    double q[HL_MAX_ASKED];
    for (size_t i = from; i < to; i++) {
        size_t at = c->column[i], output = at / n_times, t = at % n_times;
        hl_moments_take(&c->moments[i], &s->mean[at], &s->sd[at], &s->count[at]);
        take_fractions(c, i, output, t, s->fraction);
        found[i] = true;
        if (c->whole)
            quantiles_of_batch(c, i, scratch, q);
        else
            found[i] = n_quantiles == 0 || hl_ranks_quantiles(c->ranks, i, q);
        for (size_t k = 0; k < n_quantiles; k++)
            s->quantiles[(output * n_quantiles + k) * n_times + t] = q[k];
    }
}
