/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every block of every dataset is read through HDF5's own filters (not through the code that packed it), so that this
 * is also a proof that any HDF5 reader can read it. A block that was never written has a digest of zeros and is not
 * compared: it reads as the fill value, or as zero. */
#include "store/verify.h"

#include <stdio.h>
#include <string.h>

static bool is_zero(const unsigned char digest[32])
{
    static const unsigned char zero[32];
    return memcmp(digest, zero, 32) == 0;
}

static bool read_block(hid_t id, const struct hl_dataset *d, uint64_t block, void *values)
{
    uint64_t start[HL_MAX_RANK], count[HL_MAX_RANK];
    hsize_t s[HL_MAX_RANK], c[HL_MAX_RANK];
    hl_blocks_place(&d->blocks, block, start, count);
    for (int i = 0; i < d->blocks.rank; i++) {
        s[i] = start[i];
        c[i] = count[i];
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

static enum hl_status check_block(hid_t id, const struct hl_dataset *d, uint64_t block, void *values)
{
    unsigned char digest[32];
    if (!read_block(id, d, block, values))
        return HL_ERR_IO;
    uint64_t n = hl_blocks_values(&d->blocks, block);
    bool known = hl_block_digest(d->type, values, n, digest);
    for (uint64_t i = 0; d->type == HL_TEXT && i < n; i++)
        H5free_memory(((char **)values)[i]);
    if (!known)
        return HL_ERR_MEMORY;
    return memcmp(digest, d->digest[block], 32) == 0 ? HL_OK : HL_ERR_IO;
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

static enum hl_status check_blocks(hid_t id, const struct hl_dataset *d)
{
    size_t largest = 1;
    for (uint64_t b = 0; b < d->blocks.n; b++)
        if (hl_blocks_values(&d->blocks, b) > largest)
            largest = (size_t)hl_blocks_values(&d->blocks, b);
    void *values = hl_alloc(largest, hl_hdf_size(d->type));
    enum hl_status status = values ? HL_OK : HL_ERR_MEMORY;
    for (uint64_t b = 0; status == HL_OK && b < d->blocks.n && d->blocks.rank > 0; b++)
        if (!is_zero(d->digest[b]))
            status = check_block(id, d, b, values);
    hl_free(values);
    return status;
}

static enum hl_status check_dataset(hid_t file, const struct hl_dataset *d)
{
    hid_t id = H5Dopen2(file, d->path, H5P_DEFAULT);
    if (id < 0)
        return HL_ERR_IO;
    bool good = hl_hdf_dataset_type(id) == d->type && has_shape(id, d);
    enum hl_status status = good ? check_blocks(id, d) : HL_ERR_IO;
    return H5Dclose(id) < 0 && status == HL_OK ? HL_ERR_IO : status;
}

enum hl_status hl_verify(const char *path, struct hl_dataset *const *dataset, size_t n, char *why, size_t size)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        hl_hdf_reason(why, size);
        return HL_ERR_IO;
    }
    enum hl_status status = HL_OK;
    for (size_t i = 0; status == HL_OK && i < n; i++) {
        status = check_dataset(file, dataset[i]);
        if (status != HL_OK)
            snprintf(why, size, "%s differs", dataset[i]->path);
    }
    (void)H5Eclear2(H5E_DEFAULT);
    if (H5Fclose(file) >= 0 || status != HL_OK)
        return status;
    snprintf(why, size, "it can't be closed");
    return HL_ERR_IO;
}
