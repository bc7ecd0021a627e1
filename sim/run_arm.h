/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One arm of a study of prescriptions, from its cohort to the store. */
#ifndef HL_RUN_ARM_H
#define HL_RUN_ARM_H

#include "run_room.h"

#define HL_DEFAULT_BLOCK 16 /* subjects solved together: what they make stays in the cache */

/* Solves arm a the way room says, in blocks of so many subjects (a multiple of HL_LANES, at most 64), and hands
 * everything about it to the store. stop is looked at between blocks: when it is set, HL_ERR_INTERRUPTED. Subjects
 * that could not be solved are added to *failed. Progress counts the subjects of every planned pass. */
enum hl_status hl_run_arm(const struct hl_prepared *prepared, size_t a, const struct hl_room *room, size_t block,
                          struct hl_store *store, struct hl_progress *progress, const volatile sig_atomic_t *stop,
                          uint64_t *failed);

/* Seconds of one thread that a subject of arm a takes, from solving some of the first 64, which takes about limit
 * seconds (more when a single subject does); 0 when it can't be told. */
double hl_run_probe(const struct hl_prepared *prepared, size_t a, double limit);

#endif
