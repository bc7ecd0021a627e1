/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A crossover: one drug is exchanged for another, dose by dose, and the other one then tapered (T5 of the clonazepam
 * reference, section 7.2). Only for sim/regimen. */
#ifndef HL_REGIMEN_CROSSOVER_H
#define HL_REGIMEN_CROSSOVER_H

#include "regimen/compile.h"

/* Gives both drugs' doses from start on, nothing from stop on [h]; *end is where the second drug's taper ends;
 * what was exchanged is noted in the regimen. The
 * present drug of the compiler is the one that goes. false with messages: what is missing or doesn't fit. */
bool hl_crossover_give(struct hl_compiler *c, const struct hl_yaml *node, double start, double stop, double *end);

#endif
