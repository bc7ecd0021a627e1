/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one core can do at best. Compiled for the machine at hand. */
#ifndef BENCH_PEAKS_H
#define BENCH_PEAKS_H

#include <stddef.h>

int peak_lanes(void);               /* numbers of double precision in a vector register */
double peak_clock(void);            /* cycles per second, from a chain of additions one cycle each */
double peak_fused(void);            /* floating-point operations per second: fused multiplications and additions ... */
double peak_separate(void);         /* ... and as many multiplications as additions, not fused */
double peak_copy(size_t bytes);     /* bytes per second read and written, copying an array of so many bytes */

#endif
