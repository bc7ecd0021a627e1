/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics on their way into the file. They come in portions, in order of subject, and wait until a chunk is full; the
 * chunk is hashed (64 subjects at a time), shuffled and deflated by whoever filled it and goes to the queue. So an
 * arm of any size needs the memory of one chunk per metric. Small variables are not worth that (they are stored in
 * one piece, or several arms share a chunk): they wait for the whole arm and go through HDF5. */
#include <math.h>
#include <string.h>

#include "store/inside.h"
#include "store/pack.h"

static bool by_chunk(const struct hl_dataset *d)
{
    int last = d->blocks.rank - 1;
    return d->chunk[0] == 1 && d->chunk[1] % HL_BLOCK_SUBJECTS == 0 && d->chunk[last] > 0 &&
           (last < 2 || d->chunk[2] == d->blocks.dims[2]);
}

void hl_metric_begin(struct hl_store *s, struct hl_metric_variable *m)
{
    m->by_chunk = by_chunk(m->dataset);
    m->capacity = (size_t)(m->by_chunk ? m->dataset->chunk[1] : s->study->subjects);
}

size_t hl_metrics_chunk(const struct hl_store *s)
{
    size_t most = 0;
    for (size_t i = 0; i < s->study->n_metrics; i++) {
        const struct hl_metric_variable *m = &s->metric[i];
        size_t bytes = m->by_chunk ? m->capacity * m->width * sizeof(double) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

void hl_metrics_clear(struct hl_store *s)
{
    for (size_t i = 0; s->metric && i < s->study->n_metrics; i++) {
        hl_free(s->metric[i].rows);
        s->metric[i].rows = NULL;
    }
}

/* Hashes the rows that wait, block by block. */
static bool digest_rows(const struct hl_metric_variable *m, size_t arm)
{
    struct hl_dataset *d = m->dataset;
    uint64_t block = arm * (d->blocks.n / d->blocks.dims[0]) + m->first / HL_BLOCK_SUBJECTS;
    for (size_t row = 0; row < m->n; row += HL_BLOCK_SUBJECTS, block++) {
        size_t rows = m->n - row < HL_BLOCK_SUBJECTS ? m->n - row : HL_BLOCK_SUBJECTS;
        if (!hl_block_digest(d->type, m->rows + row * m->width, rows * m->width, d->digest[block]))
            return false;
    }
    return true;
}

/* The final bytes of the rows that wait, in a buffer of the queue; their number, or 0 when there is no memory. */
static size_t pack_rows(const struct hl_store *s, const struct hl_metric_variable *m, void *bytes)
{
    size_t raw = m->capacity * m->width * sizeof(double), n = 0;
    if (s->writer->level == 0) {
        memcpy(bytes, m->rows, raw);
        return raw;
    }
    struct hl_packer *packer = hl_packer_create(s->writer->level);
    void *scratch = hl_alloc_unset(raw, 1);
    if (packer && scratch)
        n = hl_pack(packer, m->rows, raw, sizeof(double), scratch, bytes);
    hl_free(scratch);
    hl_packer_free(packer);
    return n;
}

static enum hl_status queue_rows(struct hl_store *s, struct hl_metric_variable *m, size_t arm)
{
    for (size_t i = m->n * m->width; i < m->capacity * m->width; i++)
        m->rows[i] = (double)NAN;
    void *bytes = hl_queue_buffer(s->queue);
    if (!bytes)
        return HL_ERR_MEMORY;
    size_t n = pack_rows(s, m, bytes);
    if (n == 0 || !digest_rows(m, arm)) {
        hl_queue_return(s->queue, bytes);
        return HL_ERR_MEMORY;
    }
    struct hl_parcel parcel = {.dataset = m->dataset, .offset = {arm, m->first, 0}, .bytes = bytes, .n = n};
    m->first += m->n;
    m->n = 0;
    return hl_queue_put(s->queue, &parcel);
}

static bool is_possible(const struct hl_store *s, size_t arm, size_t metric, uint64_t first, size_t n, size_t width)
{
    const struct hl_study *study = s->study;
    if (study->data || arm >= study->n_arms || metric >= study->n_metrics || width > s->metric[metric].width)
        return false;
    const struct hl_metric_variable *m = &s->metric[metric];
    return first == m->first + m->n + 1 && m->first + m->n + n <= study->subjects;
}

enum hl_status hl_store_metric_rows(struct hl_store *s, size_t arm, size_t metric, uint64_t first, size_t n,
                                    size_t width, const double *values)
{
    enum hl_status status = HL_OK;
    if (!is_possible(s, arm, metric, first, n, width))
        return HL_ERR_INTERNAL;
    struct hl_metric_variable *m = &s->metric[metric];
    if (!m->rows && !(m->rows = hl_alloc_unset(m->capacity * m->width, sizeof *m->rows)))
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < n && status == HL_OK; i++) {
        double *row = m->rows + m->n++ * m->width;
        for (size_t k = 0; k < m->width; k++)
            row[k] = k < width ? hl_one_nan(values[i * width + k]) : (double)NAN;
        if (m->by_chunk && m->n == m->capacity)
            status = queue_rows(s, m, arm);
    }
    return status;
}

enum hl_status hl_store_metric_end(struct hl_store *s, size_t arm, size_t metric)
{
    struct hl_metric_variable *m = &s->metric[metric];
    enum hl_status status = HL_OK;
    if (s->writer->status != HL_OK)
        return s->writer->status;
    if (m->first + m->n != s->study->subjects)
        return HL_ERR_INTERNAL;
    if (!m->by_chunk)
        hl_writer_arm(s->writer, m->dataset, arm, m->rows);
    else if (m->n > 0)
        status = queue_rows(s, m, arm);
    m->n = 0;
    m->first = 0;
    return status == HL_OK ? s->writer->status : status;
}

enum hl_status hl_store_metric(struct hl_store *s, size_t arm, size_t metric, size_t width, const double *values)
{
    if (s->writer->status != HL_OK)
        return s->writer->status;
    enum hl_status status = hl_store_metric_rows(s, arm, metric, 1, (size_t)s->study->subjects, width, values);
    if (status == HL_OK)
        status = hl_store_metric_end(s, arm, metric);
    return status == HL_OK ? hl_store_drain(s) : status;
}
