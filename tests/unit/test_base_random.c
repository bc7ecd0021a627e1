/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers: the published vectors of Philox4x64-10, our own use of it against a second implementation written
 * from the paper, the moments, and independence of the order of calls. SHA-256 against FIPS 180-4's examples. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <Random123/philox.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

/* Philox4x64-10 from the paper (Salmon et al. 2011, section 3.3): two multiplications and a bumped key per round. */
static void philox(const uint64_t counter[4], const uint64_t key[2], uint64_t out[4])
{
    uint64_t x[4], k0 = key[0], k1 = key[1];
    memcpy(x, counter, sizeof x);
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B97F4A7C15u, k1 += 0xBB67AE8584CAA73Bu) {
        __extension__ unsigned __int128 a = (unsigned __int128)x[0] * 0xD2E7470EE14C6C93u;
        __extension__ unsigned __int128 b = (unsigned __int128)x[2] * 0xCA5A826395121157u;
        uint64_t y[4] = {(uint64_t)(b >> 64) ^ x[1] ^ k0, (uint64_t)b, (uint64_t)(a >> 64) ^ x[3] ^ k1, (uint64_t)a};
        memcpy(x, y, sizeof x);
    }
    memcpy(out, x, sizeof x);
}

/* kat_vectors of Random123: counter and key all zeros, all ones, and the digits of pi. */
static void the_published_vectors(void **state)
{
    (void)state;
    static const uint64_t vectors[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x16554d9eca36314cu, 0xdb20fe9d672d0fdcu, 0xd7e772cee186176bu, 0x7e68b68aec7ba23bu},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x87b092c3013fe90bu,
         0x438c3c67be8d0224u, 0x9cc7d7c69cd777b6u, 0xa09caebf594f0ba0u},
        {0x243f6a8885a308d3u, 0x13198a2e03707344u, 0xa4093822299f31d0u, 0x082efa98ec4e6c89u, 0x452821e638d01377u,
         0xbe5466cf34e90c6cu, 0xa528f45403e61d95u, 0x38c72dbd566e9788u, 0xa5a1610e72fd18b5u, 0x57bd43b5e52b7fe6u}};
    for (int v = 0; v < 3; v++) {
        const uint64_t *row = vectors[v];
        philox4x64_ctr_t counter = {{row[0], row[1], row[2], row[3]}};
        philox4x64_key_t key = {{row[4], row[5]}};
        philox4x64_ctr_t library = philox4x64_R(10, counter, key);
        uint64_t ours[4];
        philox(row, row + 4, ours);
        for (int i = 0; i < 4; i++) {
            assert_true(library.v[i] == row[6 + i]);
            assert_true(ours[i] == row[6 + i]);
        }
    }
}

static void a_draw_is_this_function_of_its_four_numbers(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 500; i++) {
        uint64_t seed = 20211009 + i * i, stream = hl_text_hash("eta_CL") + i, out[4];
        uint64_t counter[4] = {i, stream, 3 * i, 0}, key[2] = {seed, 0x68616c666c696665u};
        philox(counter, key, out);
        double expected = ((double)(out[0] >> 12) + 0.5) / 4503599627370496.0;
        assert_true(hl_random_uniform(seed, i, stream, 3 * i) == expected);
    }
}

static void the_order_of_calls_does_not_matter(void **state)
{
    (void)state;
    enum { N = 1000 };
    double forward[N];
    for (uint64_t i = 0; i < N; i++)
        forward[i] = hl_random_normal(7, i, 11, 2);
    for (uint64_t i = N; i-- > 0;) {
        hl_random_uniform(7, i, 11, 3);
        assert_true(hl_random_normal(7, i, 11, 2) == forward[i]);
    }
}

/* With N draws the mean of a standard normal has standard error 1/sqrt(N), its variance sqrt(2/N), its fourth moment
 * sqrt(96/N); five of them are allowed. The seed is fixed, so that this test passes for ever or never. */
static void moments_and_independence(void **state)
{
    (void)state;
    const int N = 200000;
    double s1 = 0, s2 = 0, s4 = 0, u1 = 0, neighbours = 0, streams = 0, least = 1, most = 0;
    for (int i = 0; i < N; i++) {
        uint64_t k = (uint64_t)i;
        double z = hl_random_normal(42, k, 1, 0), u = hl_random_uniform(42, k, 5, 1);
        s1 += z;
        s2 += z * z;
        s4 += z * z * z * z;
        u1 += u;
        neighbours += z * hl_random_normal(42, k + 1, 1, 0);
        streams += z * hl_random_normal(42, k, 2, 0);
        least = fmin(least, u);
        most = fmax(most, u);
    }
    double root = sqrt(N);
    assert_true(fabs(s1 / N) < 5 / root);
    assert_true(fabs(s2 / N - 1) < 5 * sqrt(2) / root);
    assert_true(fabs(s4 / N - 3) < 5 * sqrt(96) / root);
    assert_true(fabs(u1 / N - 0.5) < 5 * sqrt(1.0 / 12) / root);
    assert_true(fabs(neighbours / N) < 5 / root);
    assert_true(fabs(streams / N) < 5 / root);
    assert_true(least > 0 && most < 1);
    assert_true(least < 1e-4 && most > 1 - 1e-4);
}

static void every_number_counts(void **state)
{
    (void)state;
    double u = hl_random_uniform(1, 2, 3, 4);
    assert_true(u != hl_random_uniform(2, 2, 3, 4)); /* different words of a cipher: equal with probability 2^-52 */
    assert_true(u != hl_random_uniform(1, 3, 3, 4));
    assert_true(u != hl_random_uniform(1, 2, 4, 4));
    assert_true(u != hl_random_uniform(1, 2, 3, 5));
    assert_true(u != hl_random_uniform(2, 1, 3, 4));
}

static void digests(void **state)
{
    (void)state;
    char hex[65];
    hl_digest_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hl_digest_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct hl_digest *digest = hl_digest_create();
    char block[1000];
    memset(block, 'a', sizeof block);
    for (int i = 0; i < 1000; i++)
        hl_digest_add(digest, block, sizeof block);
    hl_digest_finish_hex(digest, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    digest = hl_digest_create();
    unsigned char raw[32];
    hl_digest_add(digest, "ab", 2);
    hl_digest_add(digest, "c", 1);
    hl_digest_finish_raw(digest, raw);
    assert_int_equal(raw[0], 0xba);
    assert_int_equal(raw[31], 0xad);
}

static void a_digest_without_memory_is_no_digest(void **state)
{
    (void)state;
    char hex[65];
    hl_memory_fail_after(1);
    hl_digest_hex("abc", 3, hex);
    hl_memory_fail_after(0);
    assert_string_equal(hex, "0000000000000000000000000000000000000000000000000000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors),
        cmocka_unit_test(a_draw_is_this_function_of_its_four_numbers),
        cmocka_unit_test(the_order_of_calls_does_not_matter),
        cmocka_unit_test(moments_and_independence),
        cmocka_unit_test(every_number_counts),
        cmocka_unit_test(digests),
        cmocka_unit_test(a_digest_without_memory_is_no_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
