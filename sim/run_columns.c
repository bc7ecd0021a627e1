/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values are looked at once, block by block, while they are in the cache of the thread that solved them (sieve.h): what
 * stays of a strip are the moments of each column, counts, and the values that quantiles may need. Then columns are
 * taken through all strips of the batch, in the order of the subjects, by one thread each: sums don't depend on who
 * solved what.
 *
 * Kept values of several strips stand on one shelf, one strip after another: how many there will be isn't known before,
 * and memory that has been touched is used again by the next batch, which keeps a smaller share of more strips.
 *
 * What quantiles may need is decided by the brackets that hl_ranks had at the end of the batch before; at first every
 * value. */
#include "run_columns.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "measure/ranks.h"
#include "measure/sieve.h"

#define MOST_BLOCKS (HL_STRIP / HL_LANES) /* of a strip */
#define FIRST_BATCH 4                     /* strips */
#define AT_ONCE 8                         /* kept values, read together */
#define SHELF 4                           /* strips */

#define SPARE (HL_SIEVE_SPARE > AT_ONCE ? HL_SIEVE_SPARE : AT_ONCE)

_Static_assert(HL_COLUMNS_AT_ONCE == HL_SIEVE_GROUP, "kept values are found by groups of columns");

/* Kept values: room for every value of SHELF strips, which is touched as far as needed. */
struct shelf { size_t n; bool taken; double *value; };

/* What is left of a strip of the batch. */
struct pile {
    struct hl_sifted sifted;
    size_t n_blocks;
    uint8_t *inside;                     /* [MOST_BLOCKS][stride]: how many of each column */
    uint32_t *offset;                    /* [MOST_BLOCKS][groups]: where a group's begin, counted from the block's */
    const double *kept[MOST_BLOCKS];     /* a block's kept values */
    struct shelf *shelf;                 /* where they stand */
};

struct hl_columns {
    const struct hl_study *study;
    const uint32_t *column;
    size_t n, stride, groups, strips;
    size_t n_thresholds;              /* the most that any output has */
    size_t n_rows;                    /* of brackets: quantiles */
    struct hl_ranks *ranks;
    struct hl_sieve sieve;
    double *ends, *level;             /* the sieve's: low, high, same; levels */
    uint16_t *n_brackets;             /* [stride] */
    struct hl_moments *moments;       /* [n] */
    uint32_t *above;                  /* [n][n_thresholds] */
    struct pile *pile;                /* [strips] */
    pthread_mutex_t lock;             /* of who takes which shelf */
    size_t shelves; struct shelf *shelf; /* by the first with room */
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

/* The sieve's rows, moments, counts, and what ranks keep. */
double hl_columns_bytes(const struct hl_study *study, size_t capacity)
{
    size_t thresholds = most_thresholds(study);
    return (double)(sizeof(struct hl_moments) + thresholds * (sizeof(uint32_t) + sizeof(double)) + sizeof(uint16_t) +
                    3 * study->n_quantiles * sizeof(double) + hl_ranks_bytes(capacity, study->n_quantiles));
}

/* Every value, moments, counts. */
double hl_columns_strip_bytes(const struct hl_study *study, size_t n)
{
    size_t counts = 2 * study->n_quantiles + most_thresholds(study) + MOST_BLOCKS;
    return (double)n * (double)((HL_STRIP + 3) * sizeof(double) + counts + 1);
}

/* Levels of the columns' own outputs; infinity in rows that an output doesn't have. */
static void set_levels(struct hl_columns *c)
{
    const struct hl_study *study = c->study;
    for (size_t i = 0; i < c->stride; i++) {
        size_t row = 0, output = c->column[i < c->n ? i : c->n - 1] / study->n_times;
        for (size_t k = 0; k < study->n_thresholds; k++)
            if ((size_t)study->threshold[k].output == output)
                c->level[row++ * c->stride + i] = study->threshold[k].value;
        for (; row < c->n_thresholds; row++)
            c->level[row * c->stride + i] = (double)INFINITY;
    }
}

/* Every value is kept. */
static void open_brackets(struct hl_columns *c)
{
    double *low = c->ends, *high = low + c->n_rows * c->stride, *same = high + c->n_rows * c->stride;
    for (size_t i = 0; i < c->n_rows * c->stride; i++) {
        low[i] = i < c->stride ? -(double)INFINITY : (double)INFINITY;
        high[i] = (double)INFINITY;
        same[i] = (double)NAN;
    }
    for (size_t i = 0; i < c->stride; i++)
        c->n_brackets[i] = i < c->n && c->n_rows > 0;
    c->sieve = (struct hl_sieve){.n = c->n, .stride = c->stride, .column = c->column, .n_brackets = c->n_brackets,
                                 .low = low, .high = high, .same = same, .n_levels = c->n_thresholds,
                                 .level = c->level};
}

static bool pile_init(struct pile *p, const struct hl_columns *c)
{
    double *moments = hl_alloc_unset(3 * c->stride, sizeof *moments);
    uint8_t *counts = hl_alloc_unset(2 * c->n_rows + c->n_thresholds, c->stride);
    p->inside = hl_alloc_unset(MOST_BLOCKS, c->stride);
    p->offset = hl_alloc_unset(MOST_BLOCKS * c->groups, sizeof *p->offset);
    p->sifted = (struct hl_sifted){.count = moments, .above = counts};
    if (!moments || !counts || !p->inside || !p->offset)
        return false;
    p->sifted.sum = moments + c->stride;
    p->sifted.squares = moments + 2 * c->stride;
    p->sifted.equal = counts + c->n_rows * c->stride;
    p->sifted.over = counts + 2 * c->n_rows * c->stride;
    return true;
}

static bool take_memory(struct hl_columns *c, uint64_t subjects, size_t capacity)
{
    c->moments = hl_alloc(c->n, sizeof *c->moments);
    c->above = hl_alloc(c->n * c->n_thresholds, sizeof *c->above);
    c->ends = hl_alloc_unset(3 * c->n_rows * c->stride, sizeof *c->ends);
    c->level = hl_alloc_unset(c->n_thresholds * c->stride, sizeof *c->level);
    c->n_brackets = hl_alloc_unset(c->stride, sizeof *c->n_brackets);
    c->pile = hl_alloc(c->strips, sizeof *c->pile);
    c->shelf = hl_alloc(c->shelves, sizeof *c->shelf);
    if (!c->moments || !c->above || !c->ends || !c->level || !c->n_brackets || !c->pile || !c->shelf)
        return false;
    for (size_t s = 0; s < c->strips; s++)
        if (!pile_init(&c->pile[s], c))
            return false;
    for (size_t s = 0; s < c->shelves; s++)
        if (!(c->shelf[s].value = hl_alloc_unset(SHELF * c->n * HL_STRIP + SPARE, sizeof(double))))
            return false;
    c->ranks = hl_ranks_create(c->n, subjects, capacity, c->study->quantile, c->study->n_quantiles);
    return c->ranks;
}

struct hl_columns *hl_columns_create(const struct hl_study *study, const uint32_t *column, size_t n, uint64_t subjects,
                                     size_t strips, size_t capacity, size_t threads)
{
    struct hl_columns *c = hl_alloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct hl_columns){.study = study, .column = column, .n = n, .strips = strips,
                             .n_thresholds = most_thresholds(study), .n_rows = study->n_quantiles,
                             .stride = (n + HL_SIEVE_TILE - 1) / HL_SIEVE_TILE * HL_SIEVE_TILE,
                             .groups = (n + HL_SIEVE_GROUP - 1) / HL_SIEVE_GROUP,
                             .shelves = (threads < strips ? threads : strips) + strips / SHELF + 1};
    pthread_mutex_init(&c->lock, NULL);
    if (take_memory(c, subjects, capacity)) {
        set_levels(c);
        open_brackets(c);
        return c;
    }
    hl_columns_free(c);
    return NULL;
}

size_t hl_columns_scratch(const struct hl_columns *c)
{
    return hl_ranks_scratch(c->ranks);
}

void hl_columns_free(struct hl_columns *c)
{
    if (!c)
        return;
    for (size_t s = 0; c->pile && s < c->strips; s++) {
        hl_free(c->pile[s].sifted.count);
        hl_free(c->pile[s].sifted.above);
        hl_free(c->pile[s].inside);
        hl_free(c->pile[s].offset);
    }
    for (size_t s = 0; c->shelf && s < c->shelves; s++)
        hl_free(c->shelf[s].value);
    hl_free(c->pile);
    hl_free(c->shelf);
    pthread_mutex_destroy(&c->lock);
    hl_ranks_free(c->ranks);
    hl_free(c->ends);
    hl_free(c->level);
    hl_free(c->n_brackets);
    hl_free(c->moments);
    hl_free(c->above);
    hl_free(c);
}

size_t hl_columns_batch(const struct hl_columns *c, size_t done, size_t left, size_t threads)
{
    size_t wanted = done > 0 ? done : FIRST_BATCH;
    wanted = (wanted + threads - 1) / threads * threads; /* nobody waits for a strip of another's */
    wanted = wanted < c->strips ? wanted : c->strips;
    return wanted < left ? wanted : left;
}

/* ---- Filling. */

void hl_columns_begin(struct hl_columns *c)
{
    for (size_t s = 0; s < c->shelves; s++) {
        c->shelf[s].n = 0;
        c->shelf[s].taken = false;
    }
}

/* The first shelf with room for every value of a strip. There always is one: others are taken, by at most as many
 * strips as there are threads and by the last strip of all, if it has fewer rows; or they hold SHELF strips or more. */
static struct shelf *take_shelf(struct hl_columns *c)
{
    size_t strip = c->n * HL_STRIP;
    struct shelf *shelf = c->shelf;
    pthread_mutex_lock(&c->lock);
    while (shelf->taken || shelf->n > (SHELF - 1) * strip)
        shelf++;
    shelf->taken = true;
    pthread_mutex_unlock(&c->lock);
    return shelf;
}

static void leave_shelf(struct hl_columns *c, struct shelf *shelf)
{
    pthread_mutex_lock(&c->lock);
    shelf->taken = false;
    pthread_mutex_unlock(&c->lock);
}

static void pile_begin(struct pile *p, struct hl_columns *c)
{
    p->shelf = take_shelf(c);
    memset(p->sifted.count, 0, 3 * c->stride * sizeof *p->sifted.count);
    memset(p->sifted.above, 0, (2 * c->n_rows + c->n_thresholds) * c->stride);
    p->n_blocks = 0;
}

static bool is_complete(const struct hl_block *block)
{
    bool complete = block->n == block->lanes;
    for (size_t lane = 0; lane < block->n; lane++)
        complete = complete && block->status[lane] == HL_SUBJECT_GOOD;
    return complete;
}

/* NaN for those who failed and beyond the last. */
static void blot_out(const struct hl_columns *c, const struct hl_block *block)
{
    for (size_t lane = 0; lane < block->lanes; lane++)
        for (size_t i = 0; (lane >= block->n || block->status[lane] != HL_SUBJECT_GOOD) && i < c->n; i++)
            block->out[c->column[i] * block->lanes + lane] = (double)NAN;
}

void hl_columns_keep(struct hl_columns *c, size_t strip, size_t row, const struct hl_block *block)
{
    struct pile *p = &c->pile[strip];
    if (row == 0)
        pile_begin(p, c);
    if (!is_complete(block))
        blot_out(c, block);
    double *kept = p->shelf->value + p->shelf->n;
    p->shelf->n += hl_sieve_block(&c->sieve, block->out, block->lanes, &p->sifted, p->inside + p->n_blocks * c->stride,
                                  p->offset + p->n_blocks * c->groups, kept);
    p->kept[p->n_blocks++] = kept;
    if (row + block->n == HL_STRIP)
        leave_shelf(c, p->shelf);
}

/* ---- Taking in. */

/* The kept values of a strip, column after column from a group's first. */
struct reader { const struct pile *pile; size_t n; const double *at[MOST_BLOCKS]; };

static struct reader open_group(const struct hl_columns *c, const struct pile *p, size_t group)
{
    struct reader r = {.pile = p, .n = p->n_blocks};
    for (size_t b = 0; b < r.n; b++)
        r.at[b] = p->kept[b] + p->offset[b * c->groups + group];
    return r;
}

/* Those of column i, which is the next; returns how many, at most HL_STRIP. They are copied AT_ONCE at a time, what
 * comes behind them too: how many there are differs from column to column, and a loop over each is mispredicted. */
static size_t read_column(struct reader *r, const struct hl_columns *c, size_t i, double *values)
{
    size_t n = 0;
    for (size_t b = 0; b < r->n; b++) {
        size_t inside = r->pile->inside[b * c->stride + i];
        for (size_t k = 0; k < inside; k += AT_ONCE)
            memcpy(values + n + k, r->at[b] + k, AT_ONCE * sizeof *values);
        r->at[b] += inside;
        n += inside;
    }
    return n;
}

static void take_counts(struct hl_columns *c, const struct hl_sifted *sifted, size_t i)
{
    hl_moments_join(&c->moments[i], (size_t)sifted->count[i], sifted->sum[i], sifted->squares[i]);
    for (size_t k = 0; k < c->n_thresholds; k++)
        c->above[i * c->n_thresholds + k] += sifted->over[k * c->stride + i];
}

static void take_values(const struct hl_columns *c, const struct hl_sifted *sifted, size_t i, const double *values,
                        size_t n, double *scratch)
{
    const struct hl_portion portion = {
        .n_numbers = (size_t)sifted->count[i], .n = n, .value = values, .n_brackets = c->n_brackets[i],
        .stride = c->stride, .low = c->sieve.low + i, .high = c->sieve.high + i, .same = c->sieve.same + i,
        .above = sifted->above + i, .equal = sifted->equal + i};
    hl_ranks_take(c->ranks, i, &portion, scratch);
}

/* What the next batch is held against. */
static void show_brackets(struct hl_columns *c, size_t i, double *scratch)
{
    double *low = c->ends + i, *high = low + c->n_rows * c->stride, *same = high + c->n_rows * c->stride;
    hl_ranks_tighten(c->ranks, i, scratch);
    c->n_brackets[i] = (uint16_t)hl_ranks_show(c->ranks, i, c->stride, low, high, same);
}

void hl_columns_add(struct hl_columns *c, size_t from, size_t to, size_t strips, double *scratch)
{
    double values[HL_STRIP + AT_ONCE];
    for (size_t s = 0; s < strips; s++) {
        const struct pile *p = &c->pile[s];
        struct reader reader = open_group(c, p, from / HL_SIEVE_GROUP);
        for (size_t i = from; i < to; i++) {
            take_counts(c, &p->sifted, i);
            if (c->n_rows > 0)
                take_values(c, &p->sifted, i, values, read_column(&reader, c, i, values), scratch);
        }
    }
    for (size_t i = from; c->n_rows > 0 && i < to; i++)
        show_brackets(c, i, scratch);
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

void hl_columns_finish(struct hl_columns *c, size_t from, size_t to, struct hl_arm_summary *s, bool *found)
{
    size_t n_times = c->study->n_times, n_quantiles = c->study->n_quantiles;
    double q[HL_MAX_ASKED];
    for (size_t i = from; i < to; i++) {
        size_t at = c->column[i], output = at / n_times, t = at % n_times;
        hl_moments_take(&c->moments[i], &s->mean[at], &s->sd[at], &s->count[at]);
        take_fractions(c, i, output, t, s->fraction);
        found[i] = n_quantiles == 0 || hl_ranks_quantiles(c->ranks, i, q);
        for (size_t k = 0; k < n_quantiles; k++)
            s->quantiles[(output * n_quantiles + k) * n_times + t] = q[k];
    }
}
