/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tapers that don't go straight down: pauses, and a return to an earlier dose. Only for sim/regimen. */
#ifndef HL_REGIMEN_DETOURS_H
#define HL_REGIMEN_DETOURS_H

#include "regimen/taper.h"

/* Puts what stands under pause: and reinstate: of a taper's mapping into its levels (unrounded doses), which go on
 * later by as much. from: the dose before the taper [mg/day], what a reinstatement without dose: goes back to; 0: none
 * is known. false with messages in diag; nothing to do is true. */
bool hl_detours_apply(struct hl_arena *arena, const struct hl_yaml *node, double from, struct hl_taper *taper,
                      struct hl_diag *diag);

#endif
