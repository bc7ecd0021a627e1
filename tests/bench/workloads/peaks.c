/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loops that keep one part of the core busy and nothing else: enough independent chains in registers to hide what an
 * operation takes (4 cycles, two units: at least 8 chains). Compiled with contraction, so a * b + c is fused where the
 * machine can. */
#include "peaks.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "timing.h"

#if defined(__AVX512F__)
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif
#define CHAINS 12
#define STEPS 10000000
#define COPIED 2e9 /* bytes in all */

typedef double vector __attribute__((vector_size(8 * LANES)));

int peak_lanes(void)
{
    return LANES;
}

double peak_clock(void)
{
    uint64_t x = 1, y = 3;
    double start = clock_of(1);
    for (int i = 0; i < STEPS; i++)
#pragma GCC unroll 10
        for (int k = 0; k < 10; k++) {
            x += y;
            __asm__ volatile("" : "+r"(x), "+r"(y)); /* nothing may be folded */
        }
    return 10.0 * STEPS / (clock_of(1) - start);
}

static double sum_of(const vector *chain)
{
    double sum = 0;
    for (int k = 0; k < CHAINS; k++)
        for (int lane = 0; lane < LANES; lane++)
            sum += chain[k][lane];
    return sum;
}

static void start_chains(vector *chain)
{
    for (int k = 0; k < CHAINS; k++)
        for (int lane = 0; lane < LANES; lane++)
            chain[k][lane] = 1 + 0.01 * k + 0.001 * lane;
}

/* Inlined with fused known: nothing is asked inside the loop. */
static inline double operations(int fused)
{
    vector chain[CHAINS];
    start_chains(chain);
    double start = clock_of(1);
    for (int i = 0; i < STEPS; i++)
#pragma GCC unroll 12
        for (int k = 0; k < CHAINS; k++)
            chain[k] = fused ? chain[k] * 0.999 + 0.001 : k % 2 ? chain[k] * 0.9999999 : chain[k] + 0.001;
    volatile double keep = sum_of(chain);
    (void)keep;
    return (fused ? 2.0 : 1.0) * LANES * CHAINS * STEPS / (clock_of(1) - start);
}

double peak_fused(void)
{
    return operations(1);
}

double peak_separate(void)
{
    return operations(0);
}

double peak_copy(size_t bytes)
{
    int times = (int)(COPIED / (double)bytes) + 1;
    char *from = hl_alloc(bytes, 1), *to = hl_alloc(bytes, 1);
    memset(from, 1, bytes);
    memcpy(to, from, bytes);
    double start = clock_of(1);
    for (int i = 0; i < times; i++) {
        memcpy(to, from, bytes);
        __asm__ volatile("" : : "r"(to) : "memory"); /* every copy counts */
    }
    double time = clock_of(1) - start;
    hl_free(from);
    hl_free(to);
    return 2.0 * (double)bytes * times / time;
}
