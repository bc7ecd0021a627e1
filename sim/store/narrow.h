/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the solver's order (time by time, eight subjects side by side, doubles) to the file's (subject by subject). */
#ifndef HL_STORE_NARROW_H
#define HL_STORE_NARROW_H

#include <stddef.h>

#define HL_NARROW_LANES 8

/* rows[k * stride + t] = values[t * lanes + k] / factor for the first n (at most 8) subjects k and all n_times; every
 * NaN becomes the same one. values must have HL_NARROW_LANES columns from its first on. Each value is divided, then
 * rounded to nearest, once. */
void hl_narrow_single(const double *values, size_t lanes, size_t n_times, double factor, size_t n, float *rows,
                      size_t stride);
void hl_narrow_double(const double *values, size_t lanes, size_t n_times, double factor, size_t n, double *rows,
                      size_t stride);

#endif
