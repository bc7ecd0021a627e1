/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shuffling puts the first bytes of all values together, then the second bytes, and so on: neighbouring concentrations
 * share sign, exponent and leading digits, and deflate finds long runs. HDF5 registers these filters as numbers 2
 * (shuffle) and 1 (deflate, zlib format); a chunk made here is read by every HDF5 reader.
 *
 * Rounding: a float32 has 23 bits of mantissa behind the leading one. Keeping 10 leaves 13 zero bits that cost nothing
 * once compressed, and an error of at most half a unit of the tenth bit, 2^-11 = 4.9e-4 of the value. */
#include "store/pack.h"

#include <libdeflate.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

struct hl_packer {
    struct libdeflate_compressor *compressor;
};

struct hl_packer *hl_packer_create(int level)
{
    struct hl_packer *packer = hl_alloc(1, sizeof *packer);
    if (!packer)
        return NULL;
    packer->compressor = libdeflate_alloc_compressor(level);
    if (!packer->compressor) {
        hl_free(packer);
        return NULL;
    }
    return packer;
}

void hl_packer_free(struct hl_packer *packer)
{
    if (!packer)
        return;
    libdeflate_free_compressor(packer->compressor);
    hl_free(packer);
}

size_t hl_pack_bound(struct hl_packer *packer, size_t n)
{
    return libdeflate_zlib_compress_bound(packer->compressor, n);
}

static void shuffle(const unsigned char *from, size_t n, size_t size, unsigned char *to)
{
    size_t count = n / size;
    for (size_t byte = 0; byte < size; byte++)
        for (size_t i = 0; i < count; i++)
            to[byte * count + i] = from[i * size + byte];
}

size_t hl_pack(struct hl_packer *packer, const void *values, size_t n, size_t size, void *scratch, void *out)
{
    shuffle(values, n, size, scratch);
    return libdeflate_zlib_compress(packer->compressor, scratch, n, out, hl_pack_bound(packer, n));
}

float hl_round_float(float value)
{
    enum { DROPPED = 13 };
    uint32_t bits;
    if (!isfinite(value))
        return value;
    memcpy(&bits, &value, sizeof bits);
    uint32_t even = (bits >> DROPPED) & 1u;
    bits = (bits + (1u << (DROPPED - 1)) - 1u + even) & ~((1u << DROPPED) - 1u);
    float rounded;
    memcpy(&rounded, &bits, sizeof rounded);
    return isfinite(rounded) ? rounded : value; /* the few values within rounding of the largest float stay as they
                                                   are */
}
