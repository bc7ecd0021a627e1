/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks. The first axis, when it is `arm` and others follow, is cut into single arms; the next one, when it is
 * `subject`, every 64; a dataset without a subject axis and not cut by arm is cut every 65536 rows. So a worker can
 * hash what it has just computed (64 subjects of one arm), and a column of any length is hashed as it is streamed. */
#include "store/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the payload digest is over little-endian values: swap them here before hashing"
#endif

struct hl_blocks hl_blocks_of(int rank, const uint64_t *dims, const char *const *axis)
{
    struct hl_blocks blocks = {.rank = rank, .n = 1};
    bool by_arm = rank > 1 && strcmp(axis[0], "arm") == 0;
    int second = by_arm ? 1 : 0;
    for (int i = 0; i < rank; i++) {
        blocks.dims[i] = blocks.cut[i] = dims[i];
        if (i == 0 && by_arm)
            blocks.cut[i] = 1;
        else if (i == second && strcmp(axis[i], "subject") == 0)
            blocks.cut[i] = HL_BLOCK_SUBJECTS;
        else if (i == 0)
            blocks.cut[i] = HL_BLOCK_ROWS;
        if (blocks.cut[i] == 0)
            blocks.cut[i] = 1;
        blocks.n *= (dims[i] + blocks.cut[i] - 1) / blocks.cut[i];
    }
    return blocks;
}

void hl_blocks_place(const struct hl_blocks *blocks, uint64_t b, uint64_t *start, uint64_t *count)
{
    for (int i = blocks->rank - 1; i >= 0; i--) {
        uint64_t cut = blocks->cut[i], along = (blocks->dims[i] + cut - 1) / cut;
        start[i] = b % along * cut;
        count[i] = blocks->dims[i] - start[i] < cut ? blocks->dims[i] - start[i] : cut;
        b /= along;
    }
}

uint64_t hl_blocks_values(const struct hl_blocks *blocks, uint64_t b)
{
    uint64_t start[HL_MAX_RANK], count[HL_MAX_RANK], n = 1;
    hl_blocks_place(blocks, b, start, count);
    for (int i = 0; i < blocks->rank; i++)
        n *= count[i];
    return n;
}

bool hl_block_digest(enum hl_hdf_type type, const void *values, uint64_t n, unsigned char digest[32])
{
    struct hl_digest *sha = hl_digest_create();
    if (type == HL_TEXT) {
        const char *const *text = values;
        for (uint64_t i = 0; i < n; i++)
            hl_digest_add(sha, text[i] ? text[i] : "", text[i] ? strlen(text[i]) + 1 : 1);
    } else {
        hl_digest_add(sha, values, (size_t)n * hl_hdf_size(type));
    }
    return hl_digest_finish_raw(sha, digest);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct hl_payload_item *)a)->path, ((const struct hl_payload_item *)b)->path);
}

static void add_item(struct hl_digest *sha, const struct hl_payload_item *item)
{
    const char *type = hl_hdf_type_name(item->type);
    hl_digest_add(sha, item->path, strlen(item->path) + 1);
    hl_digest_add(sha, type, strlen(type) + 1);
    for (int i = 0; i < item->blocks.rank; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "%s%llu", i ? "," : "", (unsigned long long)item->blocks.dims[i]);
        hl_digest_add(sha, text, (size_t)length);
    }
    hl_digest_add(sha, "", 1);
    for (uint64_t b = 0; b < item->blocks.n; b++)
        hl_digest_add(sha, item->digest[b], 32);
}

bool hl_payload_digest(struct hl_payload_item *item, size_t n, char hex[65])
{
    struct hl_digest *sha = hl_digest_create();
    qsort(item, n, sizeof *item, by_path);
    for (size_t i = 0; i < n; i++)
        add_item(sha, &item[i]);
    return hl_digest_finish_hex(sha, hex);
}
