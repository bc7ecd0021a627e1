/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `explain` says of an individual of a data set. Only for sim/commands. */
#ifndef HL_COMMANDS_EXPLAIN_RECORDS_H
#define HL_COMMANDS_EXPLAIN_RECORDS_H

#include "run.h"

/* Prints the records of individual number subject of an arm in order, each followed by everything that happened up to
 * and at it, with the reason; at most most lines (0: all). */
enum hl_status hl_explain_records(const struct hl_prepared *prepared, size_t arm, uint64_t subject, uint64_t most,
                                  struct hl_diag *diag);

/* Moves the data set to individual number subject; NULL with a message when it isn't there. */
const struct hl_individual *hl_explain_find(const struct hl_prepared *prepared, uint64_t subject,
                                            enum hl_status *status, struct hl_diag *diag);

#endif
