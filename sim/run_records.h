/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pipeline of a data set: its individuals go through their records and the
 * rows into the file, in the order of the file, in memory that doesn't grow with
 * the number of records. Used by run.c and by the commands check and explain. */
#ifndef HL_RUN_RECORDS_H
#define HL_RUN_RECORDS_H

#include "run.h"

/* Solves all individuals of all arms into an open store; failed counts individuals that could not be finished, and diag
 * gets a warning about each of the first few. stop is looked at between batches: when it is set, HL_ERR_INTERRUPTED. */
enum hl_status hl_run_records(const struct hl_prepared *prepared, size_t block, struct hl_store *store,
                              struct hl_progress *progress, const volatile sig_atomic_t *stop, uint64_t *failed,
                              struct hl_diag *diag);

/* Carries every individual through its records without keeping anything, to find the doses that can't be given: F, lag,
 * rate or duration out of bounds, no steady state. An error in diag for each of the first few, at its record; the
 * number of individuals at fault in failed. */
enum hl_status hl_try_records(const struct hl_prepared *prepared, uint64_t *failed, struct hl_diag *diag);

#endif
