/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From values to the bytes of a stored chunk: rounding, byte shuffling and
 * deflate, to be read by HDF5's own filters, but in any thread. Pure
 * functions on memory. */
#ifndef HL_STORE_PACK_H
#define HL_STORE_PACK_H

#include <stdbool.h>
#include <stddef.h>

/* One thread's own means of compressing. */
struct hl_packer;

/* level 0 to 12: 0 stores; 1 also leaves alone what doesn't shrink in a sample. NULL when there is no memory. */
struct hl_packer *hl_packer_create(int level);
void hl_packer_free(struct hl_packer *packer);

/* An upper bound of the bytes that n bytes may become. */
size_t hl_pack_bound(struct hl_packer *packer, size_t n);

/* Shuffles (elements of size bytes) and deflates n bytes in the zlib format into out, which has room for
 * hl_pack_bound; returns how many bytes that took, 0 on failure. scratch has n bytes. */
size_t hl_pack(struct hl_packer *packer, const void *values, size_t n, size_t size, void *scratch, void *out);

/* value with its mantissa rounded to the nearest of 10 bits (ties to even): relative error at most 2^-11. */
float hl_round_float(float value);

#endif
