/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of eight lanes in the compiler's vectors: one register of AVX-512, two of AVX2, four of SSE2 or NEON. Conditions
 * by lane are rows of 1 and 0, made from signs of differences: comparisons of vectors wider than the machine's are
 * taken apart lane by lane by some compilers, sums and shifts never are. "And" is the product of two conditions. Only
 * FINITE may be asked of a NaN. For files whose loops are compiled for several instruction sets (base/vector.h); only
 * inside functions, after CONSTANTS. */
#ifndef HL_BASE_EIGHT_H
#define HL_BASE_EIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/vector.h"

typedef double hl_eight __attribute__((vector_size(8 * sizeof(double))));
typedef uint64_t hl_eight_bits __attribute__((vector_size(8 * sizeof(uint64_t))));

#define INLINE static inline __attribute__((always_inline))
#define CONSTANTS const hl_eight none __attribute__((unused)) = {0}, \
                                 one __attribute__((unused)) = {1, 1, 1, 1, 1, 1, 1, 1}

/* Row i of an array on a 64-byte boundary. */
#define ROW(array, i) (*(hl_eight *)__builtin_assume_aligned((array) + (i) * 8, 64))
#define CONST_ROW(array, i) (*(const hl_eight *)__builtin_assume_aligned((array) + (i) * 8, 64))

/* All bits where x < y; -0 isn't below 0. (Shifts that keep the sign are taken apart too.) */
#define BELOW(x, y) (-((hl_eight_bits)(((x) - (y)) + none) >> 63))
#define CHOOSE(mask, yes, no) ((hl_eight)(((mask) & (hl_eight_bits)(yes)) | (~(mask) & (hl_eight_bits)(no))))

#define LESS(x, y) ((hl_eight)(BELOW(x, y) & (hl_eight_bits)one))
#define AT_MOST(x, y) (one - LESS(y, x))
#define EQUAL(x, y) (one - LESS(x, y) - LESS(y, x))
#define NOT(flag) (one - (flag))
#define EITHER(p, q) ((p) + (q) - (p) * (q))
#define DIFFERENT(p, q) (((p) - (q)) * ((p) - (q)))
#define PICK(flag, yes, no) CHOOSE(BELOW(0.5 * one, flag), yes, no)
#define LESSER(x, y) CHOOSE(BELOW(x, y), x, y)
#define GREATER(x, y) CHOOSE(BELOW(x, y), y, x)
#define SIZE(x) ((hl_eight)((hl_eight_bits)(x) & INT64_MAX))

/* 1 unless x is infinite or a NaN: then its exponent overflows into the sign. */
#define OVERFLOWS(x) ((((hl_eight_bits)(x) & INT64_MAX) + ((uint64_t)1 << 52)) >> 63)
#define FINITE(x) (one - (hl_eight)(-OVERFLOWS(x) & (hl_eight_bits)one))

/* Whether a condition holds in any lane. */
INLINE bool any(const hl_eight *flag)
{
    uint64_t lane[8], all = 0;
    memcpy(lane, flag, sizeof lane);
    for (size_t l = 0; l < 8; l++)
        all |= lane[l];
    return all << 1 != 0; /* -0 is none */
}

#endif
