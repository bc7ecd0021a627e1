/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packed chunks, unpacked again by a decompressor that has nothing to do with the packer, are the shuffled bytes, bit
 * for bit; nothing is written beyond the bound; noise costs no more than the bytes it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libdeflate.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/pack.h"

static uint64_t word;

static double uniform(void)
{
    word ^= word << 13, word ^= word >> 7, word ^= word << 17;
    return (double)(word >> 11) * 0x1p-53;
}

enum { ZEROS, NOISE, CURVES, REPEATS, WILD, N_KINDS };

/* Number i of a chunk whose rows have 2017 values. */
static double value_of(int kind, size_t i)
{
    double t = (double)(i % 2017), row = (double)(i / 2017);
    switch (kind) {
    case NOISE: return uniform();
    case CURVES: return exp(-0.0131 * t) * (3.7 + sin(row + 0.26 * t));
    case REPEATS: return sin(fmod(t, 72) + row * 0.37); /* digits like noise that come again every 72 values */
    case WILD: return uniform() < 0.1 ? (double)NAN : ldexp(uniform(), (int)(400 * uniform()) - 200);
    default: return 0;
    }
}

static void fill(unsigned char *bytes, size_t count, size_t size, int kind)
{
    for (size_t i = 0; i < count; i++) {
        double wide = value_of(kind, i);
        float single = (float)wide;
        memcpy(bytes + i * size, size == 8 ? (void *)&wide : (void *)&single, size);
    }
}

/* Returns the packed size. */
static size_t check_chunk(int level, size_t count, size_t size, int kind)
{
    struct hl_packer *packer = hl_packer_create(level);
    struct libdeflate_decompressor *reader = libdeflate_alloc_decompressor();
    size_t n = count * size, bound = hl_pack_bound(packer, n), length = 0;
    unsigned char *values = hl_alloc(n, 1), *scratch = hl_alloc(n, 1), *back = hl_alloc(n, 1);
    unsigned char *out = hl_alloc(bound + 64, 1);
    fill(values, count, size, kind);
    memset(out + bound, 0xa5, 64);
    size_t packed = hl_pack(packer, values, n, size, scratch, out);
    assert_in_range(packed, 1, bound);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(out[bound + i], 0xa5);
    assert_int_equal(libdeflate_zlib_decompress(reader, out, packed, back, n, &length), LIBDEFLATE_SUCCESS);
    assert_int_equal(length, n);
    for (size_t byte = 0; byte < size; byte++)
        for (size_t i = 0; i < count; i++)
            if (back[byte * count + i] != values[i * size + byte])
                fail_msg("level %d, %zu values of %zu bytes, kind %d: byte %zu of value %zu is %u, not %u", level,
                         count, size, kind, byte, i, back[byte * count + i], values[i * size + byte]);
    libdeflate_free_decompressor(reader);
    hl_packer_free(packer);
    hl_free(values);
    hl_free(scratch);
    hl_free(back);
    hl_free(out);
    return packed;
}

static void test_every_chunk_comes_back(void **state)
{
    static const size_t counts[] = {1, 3, 16, 37, 64 * 49, 64 * 257, 65536, 64 * 2017};
    static const size_t sizes[] = {1, 4, 8};
    (void)state;
    for (int level = 0; level <= 6; level += level == 1 ? 5 : 1)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                for (int kind = 0; kind < N_KINDS; kind++)
                    (void)check_chunk(level, counts[c], sizes[s], kind);
}

/* What libdeflate alone makes of the same shuffled bytes at level 1. */
static size_t plain_size(size_t count, int kind)
{
    size_t n = count * 4;
    struct hl_packer *packer = hl_packer_create(1);
    struct libdeflate_compressor *plain = libdeflate_alloc_compressor(1);
    unsigned char *values = hl_alloc(n, 1), *scratch = hl_alloc(n, 1), *out = hl_alloc(hl_pack_bound(packer, n), 1);
    fill(values, count, 4, kind);
    (void)hl_pack(packer, values, n, 4, scratch, out);
    size_t size = libdeflate_zlib_compress(plain, scratch, n, out, hl_pack_bound(packer, n));
    libdeflate_free_compressor(plain);
    hl_packer_free(packer);
    hl_free(values);
    hl_free(scratch);
    hl_free(out);
    return size;
}

/* Digits that repeat, however much they look like noise, are compressed at level 1, too. */
static void test_noise_is_left_alone_and_repeats_are_not(void **state)
{
    size_t n = 64 * 2017, plain = plain_size(n, CURVES);
    (void)state;
    assert_true(check_chunk(1, n, 4, NOISE) < n * 4);
    assert_true(check_chunk(1, n, 4, CURVES) < plain / 100 * 103);
    assert_true(check_chunk(1, n, 4, REPEATS) < n); /* all four planes repeat */
    assert_true(check_chunk(1, n, 8, REPEATS) < n * 2);
    assert_true(check_chunk(1, n, 4, ZEROS) < n / 64);
}

int main(void)
{
    const char *asked = getenv("HL_SEED");
    uint64_t seed = asked ? strtoull(asked, NULL, 10) : 20240611;
    printf("# HL_SEED=%llu\n", (unsigned long long)seed);
    word = seed * 0x9E3779B97F4A7C15u | 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_chunk_comes_back),
        cmocka_unit_test(test_noise_is_left_alone_and_repeats_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
