/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trajectories on their way into the file, 64 subjects at a time: a block of the payload's digest and, unless the times
 * are many, one stored chunk. As soon as some of its subjects are solved, while their values are still in the cache,
 * they are converted to the output's unit, narrowed to the precision asked for and turned round (narrow.c). When all
 * have come the block is hashed as it then stands, shuffled and deflated where the study asks for it, and its chunks go
 * to the queue. Without compression and with one chunk per block no byte is copied again: the very buffer is queued. A
 * last chunk that sticks out of the dataset is filled with NaN, as HDF5 itself would. */
#include <math.h>
#include <string.h>

#include "store/inside.h"
#include "store/narrow.h"
#include "store/pack.h"

/* One variable's block. */
struct sheet { struct hl_dataset *dataset; double factor; char *values; /* [64][n_times] */ };

struct hl_strip {
    struct hl_store *store;
    size_t n_times, size;                      /* bytes of a value */
    size_t across, parts, rows;                /* a chunk: times, chunks per block, subjects */
    bool direct;                               /* a block is a chunk and its bytes those of the file */
    bool rounded;
    struct hl_packer *packer;
    char *cut, *scratch;                       /* a chunk's values; shuffled. NULL when direct */
    size_t n_sheets; struct sheet *sheet;      /* trajectories, then observations; dataset NULL where not kept */
    size_t arm, n;
    uint64_t first;
};

/* ---- Making and releasing. */

static bool is_direct(const struct hl_store *s, const uint64_t chunk[3])
{
    return s->writer->level == 0 && chunk[2] == s->study->n_times && chunk[1] == HL_BLOCK_SUBJECTS;
}

static size_t size_of_value(const struct hl_study *study)
{
    return strcmp(study->precision, "double") == 0 ? sizeof(double) : sizeof(float);
}

/* Every chunk of trajectories of a file has the same shape; metrics share the queue. */
enum hl_status hl_strips_begin(struct hl_store *s)
{
    uint64_t chunk[3];
    hl_layout_trajectory_chunk(s->study, chunk);
    size_t variables = 2 * s->study->n_outputs, most = (size_t)s->threads * variables + 8;
    size_t bytes = (size_t)(chunk[1] * chunk[2]) * size_of_value(s->study), metrics = hl_metrics_chunk(s);
    struct hl_packer *packer = hl_packer_create(s->writer->level);
    if (!packer)
        return HL_ERR_MEMORY;
    bytes = bytes > metrics ? bytes : metrics;
    if (s->writer->level > 0)
        bytes = hl_pack_bound(packer, bytes);
    hl_packer_free(packer);
    s->queue = hl_queue_create(s->writer, bytes, most);
    return s->queue ? HL_OK : HL_ERR_MEMORY;
}

static void fill_sheets(struct hl_strip *strip)
{
    const struct hl_store *s = strip->store;
    size_t n_outputs = s->study->n_outputs;
    for (size_t i = 0; i < strip->n_sheets; i++) {
        const struct hl_output_variables *v = &s->output[i % n_outputs];
        strip->sheet[i] = (struct sheet){.dataset = i < n_outputs ? v->trajectory : v->observed,
                                         .factor = hl_layout_output(s->study, i % n_outputs)->unit.factor};
    }
}

static bool take_room(struct hl_strip *strip)
{
    size_t chunk_bytes = strip->rows * strip->across * strip->size;
    if (!strip->direct) {
        strip->cut = hl_alloc_unset(chunk_bytes, 1);
        strip->scratch = hl_alloc_unset(chunk_bytes, 1);
        if (!strip->cut || !strip->scratch)
            return false;
    }
    for (size_t i = 0; i < strip->n_sheets && !strip->direct; i++) {
        struct sheet *sheet = &strip->sheet[i];
        if (sheet->dataset && !(sheet->values = hl_alloc_unset(HL_BLOCK_SUBJECTS * strip->n_times, strip->size)))
            return false;
    }
    return true;
}

enum hl_status hl_strip_create(struct hl_store *s, struct hl_strip **result)
{
    uint64_t chunk[3];
    *result = NULL;
    if (s->study->data)
        return HL_ERR_INTERNAL;
    hl_layout_trajectory_chunk(s->study, chunk);
    struct hl_strip *strip = hl_alloc(1, sizeof *strip);
    if (!strip)
        return HL_ERR_MEMORY;
    *strip = (struct hl_strip){.store = s, .n_times = s->study->n_times, .size = size_of_value(s->study),
                               .across = (size_t)chunk[2], .rows = (size_t)chunk[1], .direct = is_direct(s, chunk),
                               .rounded = strcmp(s->study->precision, "rounded") == 0,
                               .n_sheets = 2 * s->study->n_outputs};
    strip->parts = (strip->n_times + strip->across - 1) / strip->across;
    strip->packer = hl_packer_create(s->writer->level);
    strip->sheet = hl_alloc(strip->n_sheets, sizeof *strip->sheet);
    if (strip->sheet)
        fill_sheets(strip);
    if (strip->packer && strip->sheet && take_room(strip)) {
        *result = strip;
        return HL_OK;
    }
    hl_strip_free(strip);
    return HL_ERR_MEMORY;
}

void hl_strip_free(struct hl_strip *strip)
{
    if (!strip)
        return;
    for (size_t i = 0; strip->sheet && i < strip->n_sheets; i++)
        if (strip->direct && strip->sheet[i].values)
            hl_queue_return(strip->store->queue, strip->sheet[i].values);
        else
            hl_free(strip->sheet[i].values);
    hl_free(strip->sheet);
    hl_packer_free(strip->packer);
    hl_free(strip->cut);
    hl_free(strip->scratch);
    hl_free(strip);
}

/* ---- Filling. */

enum hl_status hl_strip_begin(struct hl_strip *strip, size_t arm, uint64_t first, size_t n)
{
    const struct hl_study *study = strip->store->study;
    bool whole = n == HL_BLOCK_SUBJECTS || first - 1 + n == study->subjects;
    if (arm >= study->n_arms || first == 0 || n == 0 || n > HL_BLOCK_SUBJECTS || n > study->subjects ||
        first - 1 > study->subjects - n || (first - 1) % HL_BLOCK_SUBJECTS != 0 || !whole)
        return HL_ERR_INTERNAL;
    strip->arm = arm;
    strip->first = first;
    strip->n = n;
    for (size_t i = 0; i < strip->n_sheets; i++) {
        struct sheet *sheet = &strip->sheet[i];
        if (sheet->dataset && !sheet->values && !(sheet->values = hl_queue_buffer(strip->store->queue)))
            return HL_ERR_MEMORY;
    }
    return HL_OK;
}

bool hl_strip_keeps(const struct hl_strip *strip, size_t variable)
{
    return variable < strip->n_sheets && strip->sheet[variable].dataset;
}

void hl_strip_values(struct hl_strip *strip, size_t variable, size_t row, size_t n, const double *values, size_t lanes)
{
    const struct sheet *sheet = &strip->sheet[variable];
    if (!hl_strip_keeps(strip, variable))
        return;
    for (size_t k = 0; k < n; k += HL_NARROW_LANES) {
        size_t rows = n - k < HL_NARROW_LANES ? n - k : HL_NARROW_LANES;
        char *to = sheet->values + (row + k) * strip->n_times * strip->size;
        if (strip->size == sizeof(double))
            hl_narrow_double(values + k, lanes, strip->n_times, sheet->factor, rows, (double *)(void *)to,
                             strip->n_times);
        else
            hl_narrow_single(values + k, lanes, strip->n_times, sheet->factor, rows, (float *)(void *)to,
                             strip->n_times);
    }
    float *single = (float *)(void *)sheet->values + row * strip->n_times;
    for (size_t i = 0; strip->rounded && strip->size == sizeof(float) && i < n * strip->n_times; i++)
        single[i] = hl_round_float(single[i]);
}

/* ---- Handing over. */

static void fill_with_nan(const struct hl_strip *strip, char *values, size_t from, size_t n)
{
    double *wide = (double *)(void *)values;
    float *single = (float *)(void *)values;
    for (size_t i = from; i < from + n; i++)
        if (strip->size == sizeof(double))
            wide[i] = (double)NAN;
        else
            single[i] = NAN;
}

/* Copies the times from t0 on into a chunk's shape. */
static void cut_chunk(const struct hl_strip *strip, const char *block, size_t t0, char *chunk)
{
    size_t across = strip->across, times = strip->n_times - t0 < across ? strip->n_times - t0 : across;
    for (size_t row = 0; row < strip->n; row++) {
        memcpy(chunk + row * across * strip->size, block + (row * strip->n_times + t0) * strip->size,
               times * strip->size);
        fill_with_nan(strip, chunk, row * across + times, across - times);
    }
    fill_with_nan(strip, chunk, strip->n * across, (strip->rows - strip->n) * across);
}

static enum hl_status queue_chunk(struct hl_strip *strip, struct hl_dataset *d, size_t part, void *bytes, size_t n)
{
    struct hl_parcel parcel = {.dataset = d, .offset = {strip->arm, strip->first - 1, part * strip->across},
                               .bytes = bytes, .n = n};
    return hl_queue_put(strip->store->queue, &parcel);
}

static enum hl_status hand_over_part(struct hl_strip *strip, const struct sheet *sheet, size_t part)
{
    struct hl_queue *queue = strip->store->queue;
    size_t raw = strip->rows * strip->across * strip->size, n = raw;
    char *bytes = hl_queue_buffer(queue);
    if (!bytes)
        return HL_ERR_MEMORY;
    if (strip->store->writer->level == 0) {
        cut_chunk(strip, sheet->values, part * strip->across, bytes);
    } else {
        const char *from = strip->cut;
        if (strip->parts == 1 && strip->n == strip->rows)
            from = sheet->values;
        else
            cut_chunk(strip, sheet->values, part * strip->across, strip->cut);
        n = hl_pack(strip->packer, from, raw, strip->size, strip->scratch, bytes);
    }
    if (n > 0)
        return queue_chunk(strip, sheet->dataset, part, bytes, n);
    hl_queue_return(queue, bytes);
    return HL_ERR_MEMORY;
}

static enum hl_status hand_over(struct hl_strip *strip, struct sheet *sheet)
{
    struct hl_dataset *d = sheet->dataset;
    uint64_t block = strip->arm * (d->blocks.n / d->blocks.dims[0]) + (strip->first - 1) / HL_BLOCK_SUBJECTS;
    if (!hl_block_digest(d->type, sheet->values, strip->n * strip->n_times, d->digest[block]))
        return HL_ERR_MEMORY;
    if (strip->direct) {
        char *bytes = sheet->values;
        fill_with_nan(strip, bytes, strip->n * strip->n_times, (strip->rows - strip->n) * strip->n_times);
        sheet->values = NULL;
        return queue_chunk(strip, d, 0, bytes, strip->rows * strip->n_times * strip->size);
    }
    enum hl_status status = HL_OK;
    for (size_t part = 0; status == HL_OK && part < strip->parts; part++)
        status = hand_over_part(strip, sheet, part);
    return status;
}

enum hl_status hl_strip_finish(struct hl_strip *strip)
{
    enum hl_status status = HL_OK;
    for (size_t i = 0; status == HL_OK && i < strip->n_sheets; i++)
        if (strip->sheet[i].dataset)
            status = hand_over(strip, &strip->sheet[i]);
    return status;
}

enum hl_status hl_store_drain(struct hl_store *s)
{
    return s->queue ? hl_queue_drain(s->queue) : s->writer->status;
}
