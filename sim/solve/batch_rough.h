/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logarithms and powers of two to a few digits, for lengths of steps: from the bits
 * of a double and a polynomial for the rest (least squares at Chebyshev's points).
 * Unlike a library's they are the same on every machine. */
#ifndef HL_SOLVE_BATCH_ROUGH_H
#define HL_SOLVE_BATCH_ROUGH_H

#include <stdint.h>
#include <string.h>

#define HL_ROUGH_ROUND 6755399441055744.0 /* 1.5 * 2^52: added to it, a small number stands in the low bits, rounded */

/* log2 (1.5 + t), -0.5 <= t < 0.5, to 2e-5; 2^t, |t| <= 0.5, to 3e-6. t2 = t t. Numbers or vectors. */
#define HL_ROUGH_LOG2(t, t2) \
    ((0.5849504981 + (t) * 0.9618212283) \
     + (t2) * ((-0.3197490951 + (t) * 0.1417181589) + (t2) * (-0.08001087691 + (t) * 0.04392862785)))
#define HL_ROUGH_EXP2(t, t2) \
    ((1.0000000755 + (t) * 0.693121033992) \
     + (t2) * ((0.240221073558 + (t) * 0.0559220356473) + (t2) * 0.00967603709818))

/* log2 x, about -1023 for 0. */
static inline double hl_rough_log2(double x)
{
    uint64_t bits, mantissa;
    double t;
    memcpy(&bits, &x, sizeof bits);
    mantissa = (bits & 0xfffffffffffff) | 0x3ff0000000000000;
    memcpy(&t, &mantissa, sizeof t);
    t -= 1.5;
    return ((double)(int)(bits >> 52) - 1023) + HL_ROUGH_LOG2(t, t * t);
}

/* 2^x, |x| < 1000. */
static inline double hl_rough_exp2(double x)
{
    double shifted = x + HL_ROUGH_ROUND, t = x - (shifted - HL_ROUGH_ROUND), scale;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&scale, &bits, sizeof scale);
    return HL_ROUGH_EXP2(t, t * t) * scale;
}

#endif
