/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The innermost loops of exact propagation: eight subjects side by side, amplitudes
 * of modes in rows of eight. Compiled for several instruction sets with the same
 * bits from each. Used by sweep.c and group.c. */
#ifndef HL_SOLVE_GLIDE_H
#define HL_SOLVE_GLIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vector.h"

#define HL_GROUP 8 /* subjects in a group; all rows below have this length and stand on 64-byte boundaries */

#define HL_PANEL_MODES 6 /* modes that one panel carries, at most */
#define HL_PANEL_SHOWN 4 /* quantities that it shows, at most */

/* One call of a kernel. For k = 0 .. steps - 1: y[q] + k * time_stride gets
 *     start[q] + k * start_stride[q]  +  sum over modes m of row[(q * n_modes + m) * HL_GROUP] * z[m]
 * added up in this order, then z = z E + u. */
struct hl_glide_call {
    double *z;                            /* [mode][HL_GROUP] */
    const double *E, *u, *row;
    const double *start[HL_PANEL_SHOWN];  /* what the sum starts from: an offset, or what another panel has left in y */
    size_t start_stride[HL_PANEL_SHOWN];
    double *y[HL_PANEL_SHOWN];
    size_t time_stride, steps;
    bool keep;                            /* z stays as it is, whatever it was on the way */
};

typedef void hl_glide_kernel(const struct hl_glide_call *call);

enum hl_width { HL_WIDTH_TWO, HL_WIDTH_FOUR, HL_WIDTH_EIGHT }; /* of an instruction set's vectors */

/* The widest that this machine can run. */
enum hl_width hl_glide_width(void);

/* The kernel for so many modes (1 .. HL_PANEL_MODES) and quantities (0 .. HL_PANEL_SHOWN), with u (input) or without;
 * NULL when this machine, or the compiler, can't do that width. */
hl_glide_kernel *hl_glide_kernel_for(enum hl_width width, size_t n_modes, size_t n_shown, bool input);

/* Some neighbouring modes and the quantities they show in. */
struct hl_panel {
    size_t mode, n_modes;              /* first, and how many */
    size_t n_shown, shown[HL_PANEL_SHOWN];
    bool first[HL_PANEL_SHOWN];        /* the first panel of this quantity: its sum starts from the offset */
    size_t row;                        /* of the first coefficient among all */
    bool last;                         /* of those with these modes: it leaves z carried on */
    hl_glide_kernel *still, *fed;      /* without and with input */
};

/* Quantities shown at every time: y[q] = offset[q] + sum over panels and their modes of row * z. */
struct hl_shown {
    size_t n;                 /* quantities */
    size_t n_panels;
    const struct hl_panel *panel; /* together they carry all modes; of a quantity they stand in the order of the sum */
    size_t n_constant;
    const size_t *constant;   /* quantities that are in no panel: nothing but an offset */
    const double *row;        /* [coefficient][HL_GROUP] */
    const double *offset;     /* [quantity][HL_GROUP] */
};

/* Shows the quantities at steps times, and after each carries z one step: z = z E + u. y[q * quantity_stride + k *
 * time_stride] is the row of quantity q at time k. u may be NULL: nothing is infused. */
void hl_glide(double *z, const double *E, const double *u, const struct hl_shown *shown, double *y,
              size_t quantity_stride, size_t time_stride, size_t steps);

/* Shows the quantities as they are now. */
void hl_glide_show(double *z, const struct hl_shown *shown, double *y, size_t quantity_stride);

/* z = z E' + g phi' with E' and phi' of a dt that differs from that of E and phi by drift[lane], so little that
 * lambda * drift is small: E' = E (1 + x + x^2/2), x = lambda drift; phi' = phi + E drift. g may be NULL. */
void hl_glide_hop(double *z, const double *E, const double *phi, const double *g, const double *lambda,
                  const double *drift, size_t n_modes);

/* z = origin E + u for lanes with keep[lane] 0; others stay. */
void hl_glide_replace(double *z, const double *origin, const double *E, const double *u, const double *keep,
                      size_t n_modes);

/* z[j] += W[j * stride] amount: row amount enters n_modes modes. stride in doubles. */
void hl_glide_add(double *z, const double *W, size_t stride, const double *amount, size_t n_modes);

/* E and phi of hl_vector_step for one dt and n_modes rows of rates; phi may be NULL. */
void hl_glide_table(const double *lambda, double dt, size_t n_modes, double *E, double *phi);

#endif
