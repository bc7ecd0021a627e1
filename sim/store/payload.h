/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The digest of a result's numbers. Every dataset is cut into blocks that don't
 * depend on how it is stored; each block has a SHA-256, and payload_sha256 is
 * the SHA-256 over names, types, shapes and those. The recipe, byte by byte, is
 * in docs/file-format.md; scripts/verify_payload.py is a second implementation. */
#ifndef HL_STORE_PAYLOAD_H
#define HL_STORE_PAYLOAD_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/hdf.h"

#define HL_MAX_RANK 3
#define HL_BLOCK_SUBJECTS 64 /* a block of a dataset with a subject axis, and of a stored chunk of trajectories */
#define HL_BLOCK_ROWS 65536  /* a block of any other dataset */

/* How a dataset is cut. */
struct hl_blocks {
    int rank;
    uint64_t dims[HL_MAX_RANK], cut[HL_MAX_RANK]; /* shape, and the shape of a whole block */
    uint64_t n;                                   /* blocks */
};

/* One dataset's part of the digest. */
struct hl_payload_item {
    const char *path; /* "/metrics/clonazepam_Cp_Cmax" */
    enum hl_hdf_type type;
    struct hl_blocks blocks;
    const unsigned char (*digest)[32]; /* blocks.n of them */
};

/* The cut of a dataset of this shape whose axes have these names. */
struct hl_blocks hl_blocks_of(int rank, const uint64_t *dims, const char *const *axis);

/* Where block number b lies. */
void hl_blocks_place(const struct hl_blocks *blocks, uint64_t b, uint64_t *start, uint64_t *count);

/* How many values block number b has. */
uint64_t hl_blocks_values(const struct hl_blocks *blocks, uint64_t b);

/* The digest of one block: n values of a type, little-endian, dense; texts each followed by a zero byte. false, and
 * all zeros, when there was no memory for it. */
bool hl_block_digest(enum hl_hdf_type type, const void *values, uint64_t n, unsigned char digest[32]);

/* The digest of all n datasets (sorted by path in place), as 64 hexadecimal digits. false when there was
 * no memory for it. */
bool hl_payload_digest(struct hl_payload_item *item, size_t n, char hex[65]);

#endif
