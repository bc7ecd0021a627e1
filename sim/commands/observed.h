/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Observed points for a figure: a person's CSV becomes the plain one that the figures' scripts read. */
#ifndef HL_COMMANDS_OBSERVED_H
#define HL_COMMANDS_OBSERVED_H

#include "base/diag.h"
#include "base/memory.h"
#include "base/status.h"

/* Reads columns time, value and, if there is one, sd of the CSV at path (units in the header, "time [d]"; without them
 * h and unit) and writes a temporary CSV of time [h], value and sd [unit]; its path, from the arena, goes to *copy and
 * the caller removes the file. HL_ERR_INPUT or HL_ERR_IO with messages. */
enum hl_status hl_observed_read(struct hl_arena *arena, const char *path, const char *unit, const char **copy,
                                struct hl_diag *diag);

#endif
