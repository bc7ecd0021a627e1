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

static bool block_is_right(hid_t id, const struct hl_dataset *d, uint64_t block, void *values)
{
    unsigned char digest[32];
    if (!read_block(id, d, block, values))
        return false;
    uint64_t n = hl_blocks_values(&d->blocks, block);
    hl_block_digest(d->type, values, n, digest);
    for (uint64_t i = 0; d->type == HL_TEXT && i < n; i++)
        H5free_memory(((char **)values)[i]);
    return memcmp(digest, d->digest[block], 32) == 0;
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

static bool blocks_are_right(hid_t id, const struct hl_dataset *d)
{
    size_t largest = 1;
    for (uint64_t b = 0; b < d->blocks.n; b++)
        if (hl_blocks_values(&d->blocks, b) > largest)
            largest = (size_t)hl_blocks_values(&d->blocks, b);
    void *values = hl_alloc(largest, hl_hdf_size(d->type));
    bool good = values != NULL;
    for (uint64_t b = 0; good && b < d->blocks.n && d->blocks.rank > 0; b++)
        good = is_zero(d->digest[b]) || block_is_right(id, d, b, values);
    hl_free(values);
    return good;
}

static bool dataset_is_right(hid_t file, const struct hl_dataset *d)
{
    hid_t id = H5Dopen2(file, d->path, H5P_DEFAULT);
    if (id < 0)
        return false;
    bool good = hl_hdf_dataset_type(id) == d->type && has_shape(id, d) && blocks_are_right(id, d);
    return H5Dclose(id) >= 0 && good;
}

bool hl_verify(const char *path, struct hl_dataset *const *dataset, size_t n, char *why, size_t size)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        hl_hdf_reason(why, size);
        return false;
    }
    bool good = true;
    for (size_t i = 0; good && i < n; i++) {
        good = dataset_is_right(file, dataset[i]);
        if (!good)
            snprintf(why, size, "%s differs", dataset[i]->path);
    }
    (void)H5Eclear2(H5E_DEFAULT);
    return H5Fclose(file) >= 0 && good;
}
