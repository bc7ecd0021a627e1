/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trajectories on their way into the file. A block of 64 subjects is converted to the output's unit, narrowed to the
 * precision asked for, and hashed as it then stands; its chunks (one, unless the times are many) are shuffled and
 * deflated here, so that HDF5 only has to put bytes on disk. A last chunk that sticks out of the dataset is filled with
 * NaN, as HDF5 itself would. */
#include <math.h>
#include <string.h>

#include "store/inside.h"
#include "store/pack.h"

#define TASK_SUBJECTS (2 * (size_t)HL_BLOCK_SUBJECTS) /* what one thread packs at a time */
#define MOST_TASKS 32                                 /* packed before any is written: bounds the memory */

struct packed_chunk { uint64_t offset[3]; size_t n; void *bytes; };

struct hl_packed {
    size_t arm, output;
    uint64_t first_block; /* within the arm */
    size_t n_blocks; unsigned char (*digest)[32];
    size_t n_chunks; struct packed_chunk *chunk;
};

/* What packing one call's subjects needs. */
struct workshop {
    const struct hl_dataset *dataset;
    double factor;
    bool rounded;
    size_t n_times, size;
    int level;
    struct hl_packer *packer;
    char *block, *chunk, *scratch, *bytes; /* values of a block; of a chunk; shuffled; deflated */
};

static void packed_free(struct hl_packed *packed)
{
    if (!packed)
        return;
    for (size_t i = 0; packed->chunk && i < packed->n_chunks; i++)
        hl_free(packed->chunk[i].bytes);
    hl_free(packed->chunk);
    hl_free(packed->digest);
    hl_free(packed);
}

static void workshop_clear(struct workshop *shop)
{
    hl_packer_free(shop->packer);
    hl_free(shop->bytes);
    hl_free(shop->scratch);
    hl_free(shop->chunk);
    hl_free(shop->block);
}

/* An output's trajectories, or (beyond the number of outputs) its observations; NULL when they aren't kept. */
static struct hl_dataset *dataset_of(const struct hl_store *s, size_t output)
{
    size_t n = s->study->n_outputs;
    return output < n ? s->output[output].trajectory : s->output[output - n].observed;
}

static bool workshop_init(struct workshop *shop, const struct hl_store *s, const struct hl_dataset *d, size_t output)
{
    size_t size = hl_hdf_size(d->type), chunk_bytes = (size_t)(d->chunk[1] * d->chunk[2]) * size;
    const struct hl_output *o = hl_layout_output(s->study, output % s->study->n_outputs);
    *shop = (struct workshop){.dataset = d, .factor = o->unit.factor,
                              .rounded = strcmp(s->study->precision, "rounded") == 0, .n_times = s->study->n_times,
                              .size = size, .level = s->writer->level, .packer = hl_packer_create(s->writer->level)};
    if (!shop->packer)
        return false;
    shop->block = hl_alloc_unset(HL_BLOCK_SUBJECTS * s->study->n_times, size);
    if (shop->level == 0) /* every chunk is cut where it stays */
        return shop->block != NULL;
    shop->chunk = hl_alloc_unset(chunk_bytes, 1);
    shop->scratch = hl_alloc_unset(chunk_bytes, 1);
    shop->bytes = hl_alloc_unset(hl_pack_bound(shop->packer, chunk_bytes), 1);
    return shop->block && shop->chunk && shop->scratch && shop->bytes;
}

static void narrow(const struct workshop *shop, const double *values, size_t n)
{
    double *wide = (double *)(void *)shop->block;
    float *single = (float *)(void *)shop->block;
    for (size_t i = 0; i < n; i++) {
        double value = values[i] / shop->factor;
        if (shop->size == sizeof(double))
            wide[i] = isnan(value) ? (double)NAN : value;
        else
            single[i] = isnan(value) ? NAN : (float)value;
    }
    for (size_t i = 0; shop->rounded && shop->size == sizeof(float) && i < n; i++)
        single[i] = hl_round_float(single[i]);
}

static void fill_with_nan(const struct workshop *shop, size_t from, size_t n)
{
    double *wide = (double *)(void *)shop->chunk;
    float *single = (float *)(void *)shop->chunk;
    for (size_t i = from; i < from + n; i++)
        if (shop->size == sizeof(double))
            wide[i] = (double)NAN;
        else
            single[i] = NAN;
}

/* Copies rows subjects by the times from t0 on into the chunk's shape. */
static void cut_chunk(const struct workshop *shop, size_t rows, size_t t0)
{
    size_t across = (size_t)shop->dataset->chunk[2], times = shop->n_times - t0 < across ? shop->n_times - t0 : across;
    for (size_t row = 0; row < rows; row++) {
        memcpy(shop->chunk + row * across * shop->size, shop->block + (row * shop->n_times + t0) * shop->size,
               times * shop->size);
        fill_with_nan(shop, row * across + times, across - times);
    }
    fill_with_nan(shop, rows * across, ((size_t)shop->dataset->chunk[1] - rows) * across);
}

/* What is stored of the chunk that has been cut: itself, or shuffled and deflated. */
static bool finish_chunk(struct workshop *shop, size_t raw, struct packed_chunk *chunk)
{
    if (shop->level == 0) {
        chunk->n = raw;
        chunk->bytes = shop->chunk;
        shop->chunk = NULL;
        return true;
    }
    chunk->n = hl_pack(shop->packer, shop->chunk, raw, shop->size, shop->scratch, shop->bytes);
    chunk->bytes = hl_alloc_unset(chunk->n, 1);
    if (!chunk->bytes || chunk->n == 0)
        return false;
    memcpy(chunk->bytes, shop->bytes, chunk->n);
    return true;
}

static bool pack_block(struct workshop *shop, struct hl_packed *packed, size_t block, size_t rows,
                       const double *values)
{
    size_t across = (size_t)shop->dataset->chunk[2], per_block = (shop->n_times + across - 1) / across;
    size_t raw = (size_t)shop->dataset->chunk[1] * across * shop->size;
    narrow(shop, values, rows * shop->n_times);
    if (!hl_block_digest(shop->dataset->type, shop->block, rows * shop->n_times, packed->digest[block]))
        return false;
    for (size_t part = 0; part < per_block; part++) {
        struct packed_chunk *chunk = &packed->chunk[block * per_block + part];
        *chunk = (struct packed_chunk){
            .offset = {packed->arm, (packed->first_block + block) * HL_BLOCK_SUBJECTS, part * across}};
        if (shop->level == 0)
            shop->chunk = hl_alloc_unset(raw, 1);
        if (!shop->chunk)
            return false;
        cut_chunk(shop, rows, part * across);
        if (!finish_chunk(shop, raw, chunk))
            return false;
    }
    return true;
}

static struct hl_packed *packed_create(const struct hl_dataset *d, size_t arm, size_t output, uint64_t first, size_t n)
{
    struct hl_packed *packed = hl_alloc(1, sizeof *packed);
    if (!packed)
        return NULL;
    size_t parts = (size_t)((d->blocks.dims[2] + d->chunk[2] - 1) / d->chunk[2]);
    *packed = (struct hl_packed){.arm = arm, .output = output, .first_block = (first - 1) / HL_BLOCK_SUBJECTS};
    packed->n_blocks = (n + HL_BLOCK_SUBJECTS - 1) / HL_BLOCK_SUBJECTS;
    packed->n_chunks = packed->n_blocks * parts;
    packed->digest = hl_alloc(packed->n_blocks, sizeof *packed->digest);
    packed->chunk = hl_alloc(packed->n_chunks, sizeof *packed->chunk);
    if (packed->digest && packed->chunk)
        return packed;
    packed_free(packed);
    return NULL;
}

static bool is_possible(const struct hl_store *s, size_t arm, size_t output, uint64_t first, size_t n)
{
    const struct hl_study *study = s->study;
    bool known = output < study->n_outputs ||
                 (output < 2 * study->n_outputs && hl_study_is_observed(study, output - study->n_outputs));
    if (study->data || arm >= study->n_arms || !known || first == 0 || n == 0 || n > study->subjects ||
        first - 1 > study->subjects - n)
        return false;
    return (first - 1) % HL_BLOCK_SUBJECTS == 0 && (n % HL_BLOCK_SUBJECTS == 0 || first - 1 + n == study->subjects);
}

enum hl_status hl_store_pack(const struct hl_store *s, size_t arm, size_t output, uint64_t first, size_t n,
                             const double *values, struct hl_packed **result)
{
    struct workshop shop;
    *result = NULL;
    if (!is_possible(s, arm, output, first, n))
        return HL_ERR_INTERNAL;
    const struct hl_dataset *d = dataset_of(s, output);
    if (!d) /* summaries only: nothing to do, hl_store_put takes NULL */
        return HL_OK;
    struct hl_packed *packed = packed_create(d, arm, output, first, n);
    bool good = packed && workshop_init(&shop, s, d, output);
    for (size_t block = 0; good && block < packed->n_blocks; block++) {
        size_t done = block * HL_BLOCK_SUBJECTS, rows = n - done < HL_BLOCK_SUBJECTS ? n - done : HL_BLOCK_SUBJECTS;
        good = pack_block(&shop, packed, block, rows, values + done * shop.n_times);
    }
    if (packed)
        workshop_clear(&shop);
    if (!good) {
        packed_free(packed);
        return HL_ERR_MEMORY;
    }
    *result = packed;
    return HL_OK;
}

enum hl_status hl_store_put(struct hl_store *s, struct hl_packed *packed)
{
    if (packed && s->writer->status == HL_OK) {
        struct hl_dataset *d = dataset_of(s, packed->output);
        uint64_t per_arm = d->blocks.n / d->blocks.dims[0], block = packed->arm * per_arm + packed->first_block;
        for (size_t i = 0; i < packed->n_chunks; i++)
            hl_writer_chunk(s->writer, d, packed->chunk[i].offset, packed->chunk[i].bytes, packed->chunk[i].n);
        memcpy(d->digest[block], packed->digest, packed->n_blocks * sizeof *packed->digest);
    }
    packed_free(packed);
    return s->writer->status;
}

/* Packs up to MOST_TASKS pieces of TASK_SUBJECTS subjects side by side, then puts them one after another. */
static enum hl_status pack_and_put(struct hl_store *s, size_t arm, size_t output, uint64_t first, size_t n,
                                   const double *values)
{
    struct hl_packed *packed[MOST_TASKS] = {NULL};
    enum hl_status result[MOST_TASKS] = {HL_OK}, status = HL_OK;
    int n_tasks = (int)((n + TASK_SUBJECTS - 1) / TASK_SUBJECTS);
    #pragma omp parallel for schedule(dynamic) num_threads(s->threads) if (n_tasks > 1)
    for (int i = 0; i < n_tasks; i++) {
        size_t done = (size_t)i * TASK_SUBJECTS, rows = n - done < TASK_SUBJECTS ? n - done : TASK_SUBJECTS;
        result[i] = hl_store_pack(s, arm, output, first + done, rows, values + done * s->study->n_times, &packed[i]);
    }
    for (int i = 0; i < n_tasks; i++) {
        enum hl_status own = status == HL_OK && result[i] == HL_OK ? hl_store_put(s, packed[i]) : result[i];
        if (status != HL_OK)
            packed_free(packed[i]);
        status = status == HL_OK ? own : status;
    }
    return status;
}

enum hl_status hl_store_trajectories(struct hl_store *s, size_t arm, size_t output, uint64_t first, size_t n,
                                     const double *values)
{
    enum hl_status status = s->writer->status;
    if (status == HL_OK && !is_possible(s, arm, output, first, n))
        return HL_ERR_INTERNAL;
    for (size_t done = 0; done < n && status == HL_OK; done += MOST_TASKS * TASK_SUBJECTS) {
        size_t rows = n - done < MOST_TASKS * TASK_SUBJECTS ? n - done : MOST_TASKS * TASK_SUBJECTS;
        status = pack_and_put(s, arm, output, first + done, rows, values + done * s->study->n_times);
    }
    return status;
}
