/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What groups of subjects show at output times, as sums over modes: linear outputs
 * themselves, or the exact states that the outputs' program reads. Used by sweep.c. */
#ifndef HL_SOLVE_DISPLAY_H
#define HL_SOLVE_DISPLAY_H

#include "solve/glide.h"
#include "solve/sweep.h"

/* A quantity: sum over coefficients of coef * state + offset. */
struct hl_quantity {
    const struct hl_coefficient *coef;
    size_t n_coefs;
    bool weighted;                   /* by coef's registers; else 1 */
    int offset_reg;
    struct hl_coefficient itself;    /* of a quantity that is a state */
};

struct hl_display {
    const struct hl_plan *plan;
    size_t n_groups;                 /* groups of eight in the largest block */
    bool linear;                     /* quantities are the outputs; else states */
    size_t n_asked, asked_capacity;
    int *asked;                      /* outputs for which it was laid out */
    size_t n_shown, n_panels, n_coefs, n_constant;
    struct hl_quantity *quantity;
    struct hl_panel *panel;
    struct hl_glide_call *call;      /* by group */
    size_t *constant;                /* quantities without modes */
    size_t shown_capacity;
    double *rows;                    /* by group: offsets [quantity][HL_GROUP], coefficients [coefficient][HL_GROUP] */
};

/* Lays out what is to be shown, unless it is what was shown last. HL_ERR_MEMORY. */
enum hl_status hl_display_lay_out(struct hl_display *display, const int *output, size_t n_outputs);

/* What group number i of a block shows: coefficients from the subjects' modes and registers. Everything in it is set
 * but where it goes (y and strides). */
struct hl_shown hl_display_fill(const struct hl_display *display, const struct hl_subjects *subjects,
                                const double *regs, size_t i);

void hl_display_clear(struct hl_display *display);

#endif
