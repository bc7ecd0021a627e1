/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The innermost loops of exact propagation: eight subjects side by side, amplitudes
 * of modes in rows of eight. Compiled for several instruction sets with the same
 * bits from each (base/vector.h). Used by sweep.c. */
#ifndef HL_SOLVE_GLIDE_H
#define HL_SOLVE_GLIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vector.h"

#define HL_GROUP 8 /* subjects in a group; all rows below have this length and stand on 64-byte boundaries */

/* Quantities shown at every time: y[q] = offset[q] + sum over its terms of row * z[mode]. */
struct hl_shown {
    size_t n;                 /* quantities */
    const size_t *first_term; /* n + 1 */
    const size_t *mode;       /* by term */
    const double *row;        /* [term][HL_GROUP] */
    const double *offset;     /* [quantity][HL_GROUP] */
};

/* Shows the quantities at steps times, and after each carries z one step: z = z E + u. y[q * quantity_stride + k *
 * time_stride] is the row of quantity q at time k. u may be NULL: nothing is infused. */
void hl_glide(double *z, const double *E, const double *u, size_t n_modes, const struct hl_shown *shown, double *y,
              size_t quantity_stride, size_t time_stride, size_t steps);

/* Shows the quantities as they are now. */
void hl_glide_show(const double *z, const struct hl_shown *shown, double *y, size_t quantity_stride);

/* z = z E' + g phi' with E' and phi' of a dt that differs from that of E and phi by drift[lane], so little that
 * lambda * drift is small: E' = E (1 + x + x^2/2), x = lambda drift; phi' = phi + E drift. g may be NULL. */
void hl_glide_hop(double *z, const double *E, const double *phi, const double *g, const double *lambda,
                  const double *drift, size_t n_modes);

/* z = origin E + u for lanes with keep[lane] 0; others stay. */
void hl_glide_replace(double *z, const double *origin, const double *E, const double *u, const double *keep,
                      size_t n_modes);

#endif
