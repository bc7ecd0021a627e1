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

#define HL_FORGET_EVERY 16 /* steps of a stride after which decayed modes are forgotten ... */
#define HL_NOTHING 1e-100  /* ... whose amplitudes are closer to 0 than this, in what states are measured in */

struct hl_glide_call;

/* Carries a panel's modes over steps: for k = 0 .. steps - 1: when done + k is a multiple of HL_FORGET_EVERY,
 * amplitudes closer to 0 than HL_NOTHING become 0 (NaN stays); the row at y[q] + at + k * time_stride gets
 *     what the sum starts from  +  sum over modes m of row[(q * n_modes + m) * HL_GROUP] * z[m]
 * added up in this order; then z = z E + u. With steps 0 the row at y[q] + at gets the sums, and nothing else happens.
 * E and u (NULL for kernels without input) are [mode of the plan][HL_GROUP]. */
typedef void hl_glide_kernel(const struct hl_glide_call *call, const double *E, const double *u, size_t at,
                             size_t steps, size_t done);

/* What stays the same from call to call, for a panel of one group. */
struct hl_glide_call {
    hl_glide_kernel *still, *fed;         /* without and with input */
    double *z;                            /* [mode of the panel][HL_GROUP] */
    size_t mode;                          /* its first row in E and u [doubles] */
    const double *row;
    const double *start[HL_PANEL_SHOWN];  /* the sum's start: an offset, or what another panel has left in y */
    bool moves[HL_PANEL_SHOWN];           /* the latter */
    double *y[HL_PANEL_SHOWN];
    size_t time_stride;
    bool keep;                            /* z stays as it is, whatever it is on the way: others need it */
};

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
    double *y;                /* the first time's row of quantity q is y[q * quantity_stride], ... */
    size_t quantity_stride, time_stride;
    struct hl_glide_call *call; /* [panel], made by hl_glide_aim from all of this */
};

/* Makes shown->call for amplitudes z. */
void hl_glide_aim(const struct hl_shown *shown, double *z);

/* Shows the quantities at steps times, the first at y[q * quantity_stride + at], and after each carries z one step: z
 * = z E + u. u may be NULL: nothing is infused. done: steps made since modes were last forgotten; they are forgotten
 * when it is a multiple of HL_FORGET_EVERY. */
void hl_glide(const struct hl_shown *shown, const double *E, const double *u, size_t at, size_t steps, size_t done);

/* Shows the quantities as they are now. */
void hl_glide_show(const struct hl_shown *shown, size_t at);

/* z = z E' + g phi' with E' and phi' of a dt that differs from that of E and phi by drift[lane], so little that
 * lambda * drift is small: E' = E (1 + x + x^2/2), x = lambda drift; phi' = phi + E drift. g may be NULL. */
void hl_glide_hop(double *z, const double *E, const double *phi, const double *g, const double *lambda,
                  const double *drift, size_t n_modes);

/* The same with one drift for all lanes. */
void hl_glide_hop_together(double *z, const double *E, const double *phi, const double *g, const double *lambda,
                           double drift, size_t n_modes);

/* The same where there is no drift: z = z E + g phi. */
void hl_glide_leap(double *z, const double *E, const double *phi, const double *g, size_t n_modes);

/* Amplitudes closer to 0 than HL_NOTHING become 0, NaN stays. */
void hl_glide_forget(double *z, size_t n_modes);

/* z = origin E + u for lanes with keep[lane] 0; others stay. */
void hl_glide_replace(double *z, const double *origin, const double *E, const double *u, const double *keep,
                      size_t n_modes);

/* z[j] += W[j * stride] amount: row amount enters n_modes modes. stride in doubles. */
void hl_glide_add(double *z, const double *W, size_t stride, const double *amount, size_t n_modes);

/* The same with one amount for all lanes. */
void hl_glide_add_together(double *z, const double *W, size_t stride, double amount, size_t n_modes);

/* n times the two after one another, hl_glide_leap and hl_glide_add_together: the same bits, amplitudes in registers. g
 * or W may be NULL: nothing flows in, nothing is added. */
void hl_glide_run(double *z, const double *E, const double *phi, const double *g, const double *W, size_t stride,
                  double amount, size_t n_modes, size_t n);

/* E and phi of hl_vector_step for one dt and n_modes rows of rates. Without phi (NULL) E has the same bits. */
void hl_glide_table(const double *lambda, double dt, size_t n_modes, double *E, double *phi);

#endif
