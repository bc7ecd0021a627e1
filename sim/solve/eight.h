/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight doubles at once, for the files that take eight matrices apart. Vectors are
 * passed by address, so that no calling convention depends on the instruction set. */
#ifndef HL_SOLVE_EIGHT_H
#define HL_SOLVE_EIGHT_H

#include <math.h>
#include <stdint.h>

#include "base/vector.h"

typedef double hl_eight __attribute__((vector_size(64)));
typedef int64_t hl_eight_bits __attribute__((vector_size(64))); /* all ones: true, as comparisons give */
typedef double hl_eight_loose __attribute__((vector_size(64), aligned(8))); /* from anywhere */

#define HL_INLINE static inline __attribute__((always_inline))

/* *b = a where the mask is true. */
HL_INLINE void hl_eight_choose(const hl_eight_bits *mask, const hl_eight *a, hl_eight *b)
{
    *b = (hl_eight)(((hl_eight_bits)*a & *mask) | ((hl_eight_bits)*b & ~*mask));
}

HL_INLINE void hl_eight_size(const hl_eight *x, hl_eight *size)
{
    *size = (hl_eight)((hl_eight_bits)*x & INT64_MAX);
}

/* The square root, 0 for what isn't above 0. */
HL_INLINE void hl_eight_root(const hl_eight *x, hl_eight *root)
{
    for (int l = 0; l < 8; l++)
        (*root)[l] = (*x)[l] > 0 ? __builtin_sqrt((*x)[l]) : 0;
}

/* y with the sign of x. */
HL_INLINE void hl_eight_sign(const hl_eight *x, hl_eight *y)
{
    *y = (hl_eight)(((hl_eight_bits)*y & INT64_MAX) | ((hl_eight_bits)*x & INT64_MIN));
}

#endif
