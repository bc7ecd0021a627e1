/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Four doubles side by side, as many as AVX2 holds: shuffles of wider vectors are taken apart by some compilers. For
 * files whose loops are compiled for several instruction sets (base/vector.h). */
#ifndef HL_BASE_FOUR_H
#define HL_BASE_FOUR_H

#include <stddef.h>
#include <stdint.h>

typedef double hl_four __attribute__((vector_size(4 * sizeof(double)), aligned(8)));

#if defined(__clang__) || __GNUC__ >= 12
#define HL_FOUR_PICK(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int64_t hl_four_places __attribute__((vector_size(4 * sizeof(int64_t)), aligned(8)));
#define HL_FOUR_PICK(a, b, i, j, k, l) __builtin_shuffle(a, b, (hl_four_places){i, j, k, l})
#endif

/* Turns four by four numbers round: x[k] becomes {row[0][at + k], row[1][at + k], row[2][at + k], row[3][at + k]}. */
static inline __attribute__((always_inline)) void hl_four_turn(const double *const *row, size_t at, hl_four *x)
{
    hl_four a = *(const hl_four *)(const void *)(row[0] + at), b = *(const hl_four *)(const void *)(row[1] + at);
    hl_four c = *(const hl_four *)(const void *)(row[2] + at), d = *(const hl_four *)(const void *)(row[3] + at);
    hl_four even_ab = HL_FOUR_PICK(a, b, 0, 4, 2, 6), odd_ab = HL_FOUR_PICK(a, b, 1, 5, 3, 7);
    hl_four even_cd = HL_FOUR_PICK(c, d, 0, 4, 2, 6), odd_cd = HL_FOUR_PICK(c, d, 1, 5, 3, 7);
    x[0] = HL_FOUR_PICK(even_ab, even_cd, 0, 1, 4, 5);
    x[1] = HL_FOUR_PICK(odd_ab, odd_cd, 0, 1, 4, 5);
    x[2] = HL_FOUR_PICK(even_ab, even_cd, 2, 3, 6, 7);
    x[3] = HL_FOUR_PICK(odd_ab, odd_cd, 2, 3, 6, 7);
}

#endif
