/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The constants of the sedation surface that a result was made with, for the isoboles of a figure. */
#ifndef HL_COMMANDS_SURFACE_H
#define HL_COMMANDS_SURFACE_H

#include "store/result.h"

#define HL_SURFACE_CONSTANTS 18

struct hl_surface_constant { const char *name, *value; };

/* Finds R, stim, n_sed, C50B_2 ... alpha_6 in the models and the study that the result keeps under /provenance (a value
 * the study gives to alias.NAME comes before the model's). Concentrations are in ng/mL. Returns how many were found. */
size_t hl_surface_read(struct hl_arena *arena, const struct hl_result *result, const char *alias,
                       struct hl_surface_constant constant[HL_SURFACE_CONSTANTS]);

#endif
