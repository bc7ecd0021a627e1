/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A transposition in tiles of eight subjects by eight times: a tile is read as whole cache lines, converted in vectors,
 * and leaves as pieces of rows that are still in the first-level cache when the next tile continues them. Going along a
 * row instead would touch another cache line (and, with many subjects, another page) for every value. */
#include "store/narrow.h"

#include <math.h>

#include "base/vector.h"

#define WIDE HL_NARROW_LANES

HL_CLONES void hl_narrow_single(const double *values, size_t lanes, size_t n_times, double factor, size_t n,
                                float *rows, size_t stride)
{
    float tile[WIDE][WIDE];
    for (size_t t = 0; t < n_times; t += WIDE) {
        size_t times = n_times - t < WIDE ? n_times - t : WIDE;
        for (size_t i = 0; i < times; i++)
            for (size_t k = 0; k < WIDE; k++) {
                double value = values[(t + i) * lanes + k] / factor;
                tile[i][k] = value == value ? (float)value : NAN;
            }
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < times; i++)
                rows[k * stride + t + i] = tile[i][k];
    }
}

HL_CLONES void hl_narrow_double(const double *values, size_t lanes, size_t n_times, double factor, size_t n,
                                double *rows, size_t stride)
{
    double tile[WIDE][WIDE];
    for (size_t t = 0; t < n_times; t += WIDE) {
        size_t times = n_times - t < WIDE ? n_times - t : WIDE;
        for (size_t i = 0; i < times; i++)
            for (size_t k = 0; k < WIDE; k++) {
                double value = values[(t + i) * lanes + k] / factor;
                tile[i][k] = value == value ? value : (double)NAN;
            }
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < times; i++)
                rows[k * stride + t + i] = tile[i][k];
    }
}
