/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `explain` says of tapers with reviews: what was read and decided for one subject. */
#ifndef HL_COMMANDS_EXPLAIN_REVIEWS_H
#define HL_COMMANDS_EXPLAIN_REVIEWS_H

#include "run.h"

/* Solves the subject up to its last review. history (zeroed) gets what was decided and its own doses; without reviews
 * the recorded ones. HL_ERR_MEMORY; HL_ERR_SUBJECTS, with a message, when it can't be solved. */
enum hl_status hl_explain_decide(const struct hl_prepared *prepared, size_t a, uint64_t subject,
                                 struct hl_history *history, struct hl_diag *diag);

/* A line per review, most at most (0: all), and what became of each taper. Nothing without reviews. */
void hl_explain_reviews(const struct hl_prepared *prepared, size_t a, const struct hl_history *history, uint64_t most);

#endif
