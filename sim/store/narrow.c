/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A transposition in tiles of eight subjects by eight times: a tile is read as whole cache lines, converted in vectors,
 * and leaves as pieces of rows that are still in the first-level cache when the next tile continues them. Going along a
 * row instead would touch another cache line (and, with many subjects, another page) for every value. */
#include "store/narrow.h"

#include <math.h>
#include <stdbool.h>

#include "base/vector.h"

#define WIDE HL_NARROW_LANES

typedef double eight __attribute__((vector_size(WIDE * sizeof(double)), aligned(8)));
typedef int64_t eight_bits __attribute__((vector_size(WIDE * sizeof(int64_t))));

#define INLINE static inline __attribute__((always_inline))

/* x / factor, every NaN the same one; by address, so that no calling convention depends on the instruction set. To
 * divide by 1, as by most outputs' units, changes nothing and would take as long as all the rest: it is left out. */
INLINE void convert(const double *x, const eight *factor, bool divided, eight *result)
{
    const double nan = (double)NAN;
    eight value = *(const eight *)(const void *)x, missing = {nan, nan, nan, nan, nan, nan, nan, nan};
    if (divided)
        value /= *factor;
    eight_bits unknown = value != value;
    *result = (eight)(((eight_bits)missing & unknown) | ((eight_bits)value & ~unknown));
}

INLINE void narrow_single(const double *values, size_t lanes, size_t n_times, double factor, bool divided, size_t n,
                          float *rows, size_t stride)
{
    typedef float single __attribute__((vector_size(WIDE * sizeof(float))));
    eight by = {factor, factor, factor, factor, factor, factor, factor, factor}, value;
    single tile[WIDE];
    for (size_t t = 0; t < n_times; t += WIDE) {
        size_t times = n_times - t < WIDE ? n_times - t : WIDE;
        for (size_t i = 0; i < times; i++) {
            convert(values + (t + i) * lanes, &by, divided, &value);
            tile[i] = __builtin_convertvector(value, single);
        }
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < times; i++)
                rows[k * stride + t + i] = tile[i][k];
    }
}

HL_CLONES void hl_narrow_single(const double *values, size_t lanes, size_t n_times, double factor, size_t n,
                                float *rows, size_t stride)
{
    if (factor == 1) /* exactly: the output is in the engine's units */
        narrow_single(values, lanes, n_times, factor, false, n, rows, stride);
    else
        narrow_single(values, lanes, n_times, factor, true, n, rows, stride);
}

HL_CLONES void hl_narrow_double(const double *values, size_t lanes, size_t n_times, double factor, size_t n,
                                double *rows, size_t stride)
{
    eight by = {factor, factor, factor, factor, factor, factor, factor, factor}, tile[WIDE];
    for (size_t t = 0; t < n_times; t += WIDE) {
        size_t times = n_times - t < WIDE ? n_times - t : WIDE;
        for (size_t i = 0; i < times; i++)
            convert(values + (t + i) * lanes, &by, true, &tile[i]);
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < times; i++)
                rows[k * stride + t + i] = tile[i][k];
    }
}
