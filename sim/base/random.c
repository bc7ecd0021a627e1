/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers without a state. Philox4x64-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as
 * 1, 2, 3, SC'11, doi 10.1145/2063384.2063405) enciphers the counter (subject, stream, draw, 0) under the key
 * (seed, HALFLIFE) and the first of its four words is the random number. Two draws share nothing but the key, so any
 * thread may ask for any draw in any order.
 *
 * Uniform: u = (w + 1/2) / 2^52 with w the top 52 bits. With 53 bits the largest u would round to 1.
 * Normal: z = Phi^-1(u), GSL's gsl_cdf_ugaussian_Pinv (Wichura 1988, AS 241); |z| stays below 8.3. */
#include "base/random.h"

#include <Random123/philox.h>
#include <gsl/gsl_cdf.h>

/* The second word of the key, fixed for ever: "halflife" in ASCII is 0x68616c666c696665, odd. */
#define KEY_WORD UINT64_C(0x68616c666c696665)

static uint64_t random_bits(uint64_t seed, uint64_t subject, uint64_t stream, uint64_t draw)
{
    philox4x64_ctr_t counter = {{subject, stream, draw, 0}};
    philox4x64_key_t key = {{seed, KEY_WORD}};
    return philox4x64_R(10, counter, key).v[0];
}

double hl_random_uniform(uint64_t seed, uint64_t subject, uint64_t stream, uint64_t draw)
{
    return ((double)(random_bits(seed, subject, stream, draw) >> 12) + 0.5) * 0x1p-52;
}

double hl_random_normal(uint64_t seed, uint64_t subject, uint64_t stream, uint64_t draw)
{
    return gsl_cdf_ugaussian_Pinv(hl_random_uniform(seed, subject, stream, draw));
}
