/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two ways to look at a dataset. The first reads every block through HDF5's own filters (not through the code that
 * packed it) and compares digests, so that it is also a proof that any HDF5 reader can read it. A block that was never
 * written has a digest of zeros and is not compared: it reads as the fill value, or as zero.
 *
 * The second, for what was written chunk by chunk with every write checked, reads none of the values: the index of
 * chunks, which HDF5 keeps in its buffers until the end, is read from the file, and each chunk must be where the index
 * says, as long as it was, unfiltered by surprise, and before the end of the file. A disk that then gives back other
 * bytes than were written is a matter for --verify. */
#include "store/verify.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_zero(const unsigned char digest[32])
{
    static const unsigned char zero[32];
    return memcmp(digest, zero, 32) == 0;
}

/* Reads n blocks that follow one another along the axis they are cut on. */
static bool read_blocks(hid_t id, const struct hl_dataset *d, uint64_t block, uint64_t n, void *values)
{
    uint64_t start[HL_MAX_RANK], count[HL_MAX_RANK], last[HL_MAX_RANK], length[HL_MAX_RANK];
    hsize_t s[HL_MAX_RANK], c[HL_MAX_RANK];
    hl_blocks_place(&d->blocks, block, start, count);
    hl_blocks_place(&d->blocks, block + n - 1, last, length);
    for (int i = 0; i < d->blocks.rank; i++) {
        s[i] = start[i];
        c[i] = last[i] + length[i] - start[i];
    }
    hid_t type = hl_hdf_memory_type(d->type), file = H5Dget_space(id),
          memory = H5Screate_simple(d->blocks.rank, c, NULL);
    bool good = H5Sselect_hyperslab(file, H5S_SELECT_SET, s, NULL, c, NULL) >= 0 &&
                H5Dread(id, type, memory, file, H5P_DEFAULT, values) >= 0;
    H5Sclose(memory);
    H5Sclose(file);
    H5Tclose(type);
    return good;
}

static enum hl_status check_span(hid_t id, const struct hl_dataset *d, uint64_t block, uint64_t n, char *values)
{
    enum hl_status status = HL_OK;
    if (!read_blocks(id, d, block, n, values))
        return HL_ERR_IO;
    for (uint64_t b = block; b < block + n; b++) {
        unsigned char digest[32];
        uint64_t count = hl_blocks_values(&d->blocks, b);
        if (!hl_block_digest(d->type, values, count, digest))
            status = HL_ERR_MEMORY;
        else if (status == HL_OK && memcmp(digest, d->digest[b], 32) != 0)
            status = HL_ERR_IO;
        for (uint64_t i = 0; d->type == HL_TEXT && i < count; i++)
            H5free_memory(((char **)(void *)values)[i]);
        values += count * hl_hdf_size(d->type);
    }
    return status;
}

static bool has_shape(hid_t id, const struct hl_dataset *d)
{
    hsize_t dims[HL_MAX_RANK + 29] = {0};
    hid_t space = H5Dget_space(id);
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    bool good = rank == d->blocks.rank;
    for (int i = 0; good && i < rank; i++)
        good = dims[i] == d->blocks.dims[i];
    return good;
}

#define SPAN_BYTES ((size_t)1 << 20) /* read at once, where blocks are small */

/* Blocks from b on that were written, lie in one arm and fit in a span. */
static uint64_t span_of(const struct hl_dataset *d, uint64_t b, uint64_t most)
{
    uint64_t per_arm = d->blocks.rank > 1 && d->blocks.cut[0] == 1 ? d->blocks.n / d->blocks.dims[0] : d->blocks.n;
    uint64_t end = (b / per_arm + 1) * per_arm, n = 1;
    while (n < most && b + n < end && !is_zero(d->digest[b + n]))
        n++;
    return n;
}

static enum hl_status check_blocks(hid_t id, const struct hl_dataset *d)
{
    size_t largest = 1;
    for (uint64_t b = 0; b < d->blocks.n; b++)
        if (hl_blocks_values(&d->blocks, b) > largest)
            largest = (size_t)hl_blocks_values(&d->blocks, b);
    size_t bytes = largest * hl_hdf_size(d->type), most = bytes < SPAN_BYTES ? SPAN_BYTES / bytes : 1;
    most = most < d->blocks.n ? most : (size_t)d->blocks.n;
    char *values = hl_alloc_unset(most ? most : 1, bytes);
    enum hl_status status = values ? HL_OK : HL_ERR_MEMORY;
    for (uint64_t b = 0, n = 1; status == HL_OK && b < d->blocks.n && d->blocks.rank > 0; b += n) {
        n = is_zero(d->digest[b]) ? 1 : span_of(d, b, most);
        if (!is_zero(d->digest[b]))
            status = check_span(id, d, b, n, values);
    }
    hl_free(values);
    return status;
}

/* Whether as many chunks were written as the blocks with a digest need. A chunk has one block or several that follow
 * one another along the axis of subjects (or rows), or is a part of one along the last axis. */
static bool has_all_chunks(const struct hl_dataset *d)
{
    uint64_t parts = d->blocks.rank == 3 ? (d->blocks.dims[2] + d->chunk[2] - 1) / d->chunk[2] : 1, chunks = 0;
    uint64_t last[2] = {UINT64_MAX, UINT64_MAX};
    for (uint64_t b = 0; b < d->blocks.n; b++) {
        uint64_t start[HL_MAX_RANK], count[HL_MAX_RANK];
        hl_blocks_place(&d->blocks, b, start, count);
        uint64_t here[2] = {start[0] / d->chunk[0], d->blocks.rank > 1 ? start[1] / d->chunk[1] : 0};
        if (is_zero(d->digest[b]) || (here[0] == last[0] && here[1] == last[1]))
            continue;
        chunks++;
        last[0] = here[0];
        last[1] = here[1];
    }
    return d->n_stored == chunks * parts;
}

#if H5_VERSION_GE(1, 10, 5)
#define KNOWS_CHUNKS 1
static bool chunks_are_there(hid_t id, const struct hl_dataset *d, uint64_t file_size)
{
    for (size_t i = 0; i < d->n_stored; i++) {
        const struct hl_stored_chunk *chunk = &d->stored[i];
        hsize_t offset[HL_MAX_RANK], size = 0;
        haddr_t address = HADDR_UNDEF;
        unsigned skipped = 1;
        for (int k = 0; k < d->blocks.rank; k++)
            offset[k] = chunk->offset[k];
        if (H5Dget_chunk_info_by_coord(id, offset, &skipped, &address, &size) < 0 || address == HADDR_UNDEF ||
            size != chunk->n || skipped != 0 || address > file_size || size > file_size - address)
            return false;
    }
    return true;
}
#else
#define KNOWS_CHUNKS 0
static bool chunks_are_there(hid_t id, const struct hl_dataset *d, uint64_t file_size)
{
    return id >= 0 && d && file_size > 0; /* not reached: such a library can't tell where a chunk is */
}
#endif

/* Reads an attribute's values, texts from wherever the file keeps them; what came of it goes to context. */
static herr_t read_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    enum hl_status *status = context;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    size_t size = H5Tget_size(type) * (size_t)H5Sget_simple_extent_npoints(space);
    void *values = hl_alloc(size + 1, 1);
    (void)info;
    *status = !values ? HL_ERR_MEMORY : H5Aread(attribute, type, values) >= 0 ? HL_OK : HL_ERR_IO;
    if (*status == HL_OK && (H5Tis_variable_str(type) > 0 || H5Tdetect_class(type, H5T_VLEN) > 0))
        (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
    hl_free(values);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return *status == HL_OK ? 0 : -1;
}

static enum hl_status check_attributes(hid_t object, uint64_t expected)
{
    enum hl_status status = HL_OK;
    if (hl_hdf_attributes(object) != expected)
        return HL_ERR_IO;
    herr_t walked = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, read_attribute, &status);
    return walked < 0 && status == HL_OK ? HL_ERR_IO : status;
}

static enum hl_status check_dataset(hid_t file, const struct hl_writer *w, const struct hl_dataset *d,
                                    uint64_t file_size)
{
    hid_t id = H5Dopen2(file, d->path, H5P_DEFAULT);
    if (id < 0)
        return HL_ERR_IO;
    bool chunked = KNOWS_CHUNKS && d->n_stored > 0 && !d->passed_on && !w->verify_all;
    bool good = hl_hdf_dataset_type(id) == d->type && has_shape(id, d);
    if (good && chunked)
        good = has_all_chunks(d) && chunks_are_there(id, d, file_size);
    enum hl_status status = good ? check_attributes(id, d->n_attributes) : HL_ERR_IO;
    if (status == HL_OK && !chunked)
        status = check_blocks(id, d);
    return H5Dclose(id) < 0 && status == HL_OK ? HL_ERR_IO : status;
}

/* The end of the file as its superblock states it (versions 2 and 3: 8 bytes of signature, version, widths of addresses
 * and lengths, flags, then the addresses of base, extension and end); false when there is none of that kind. */
static bool stated_end(const char *path, uint64_t *end)
{
    enum { VERSION = 8, WIDTH = 9, END = 28, SIZE = 36 };
    unsigned char head[SIZE];
    FILE *stream = fopen(path, "rb");
    bool good = stream && fread(head, 1, SIZE, stream) == SIZE && (head[VERSION] == 2 || head[VERSION] == 3) &&
                head[WIDTH] == 8;
    *end = 0;
    for (int i = 7; good && i >= 0; i--)
        *end = *end << 8 | head[END + i];
    if (stream)
        fclose(stream);
    return good;
}

static bool is_whole(const char *path, uint64_t *size)
{
    struct stat info;
    if (stat(path, &info) != 0 || !stated_end(path, size))
        return false;
    return *size == (uint64_t)info.st_size;
}

enum hl_status hl_verify(const char *path, const struct hl_writer *w, char *why, size_t size)
{
    uint64_t length = 0;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        hl_hdf_reason(why, size);
        return HL_ERR_IO;
    }
    enum hl_status status = is_whole(path, &length) ? check_attributes(file, w->n_attributes) : HL_ERR_IO;
    if (status != HL_OK)
        snprintf(why, size, "its length or its attributes differ");
    for (size_t i = 0; status == HL_OK && i < w->n_datasets; i++) {
        status = check_dataset(file, w, w->dataset[i], length);
        if (status != HL_OK)
            snprintf(why, size, "%s differs", w->dataset[i]->path);
    }
    (void)H5Eclear2(H5E_DEFAULT);
    if (H5Fclose(file) >= 0 || status != HL_OK)
        return status;
    snprintf(why, size, "it can't be closed");
    return HL_ERR_IO;
}
