/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the subjects of an arm were given, and what was decided for them, on its way into the store. */
#ifndef HL_RUN_GIVEN_H
#define HL_RUN_GIVEN_H

#include "run.h"

/* Everybody's doses, then subject by subject those of its own: taken or missed, decided at reviews (history[subject],
 * NULL where the arm has none) or recorded, demanded of a pump; and its reviews. failed[subject]: not 0 when it has no
 * solution. */
enum hl_status hl_run_store_given(struct hl_store *store, const struct hl_prepared *prepared, size_t a,
                                  const struct hl_history *history, const signed char *failed);

#endif
