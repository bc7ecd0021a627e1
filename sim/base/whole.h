/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole numbers. */
#ifndef HL_BASE_WHOLE_H
#define HL_BASE_WHOLE_H

#include <stdint.h>

/* Greatest common divisor (Euclid); of a number and 0 the number. */
static inline uint64_t hl_gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#endif
