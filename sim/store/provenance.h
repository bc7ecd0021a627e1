/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a result says about its own making: root attributes, and the texts of
 * study and models as they were. Called by store.c. */
#ifndef HL_STORE_PROVENANCE_H
#define HL_STORE_PROVENANCE_H

#include "store/store.h"
#include "store/writer.h"

/* The sentence every result, summary and figure carries. */
#define HL_NOT_FOR_DOSING "education and research, not for dosing"

/* Root attributes that are known at the start, and /provenance/. */
void hl_provenance_begin(struct hl_writer *writer, const struct hl_study *study,
                         const struct hl_provenance *provenance);

/* Those known at the end; the payload digest is made here, so it must be the last thing written. */
void hl_provenance_end(struct hl_writer *writer, double wall_seconds, uint64_t subjects_failed);

#endif
