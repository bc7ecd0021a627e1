/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Progress of long work on standard error: on a terminal one line that is
 * rewritten at most five times a second (per cent, rate, time to go), elsewhere
 * plain lines at most every ten seconds, or nothing. Thread-safe. */
#ifndef HL_BASE_PROGRESS_H
#define HL_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum hl_progress_mode { HL_PROGRESS_AUTO, HL_PROGRESS_PLAIN, HL_PROGRESS_NONE };

struct hl_progress;

/* what: "subjects"; total in the same unit. NULL when there is no memory (all functions accept NULL). */
struct hl_progress *hl_progress_create(enum hl_progress_mode mode, const char *what, uint64_t total);
void hl_progress_add(struct hl_progress *progress, uint64_t done);

/* Ends the line and releases. finished says whether all was done. */
void hl_progress_free(struct hl_progress *progress, bool finished);

/* True when colour may be used on this stream (a terminal, NO_COLOR unset). */
bool hl_colour_allowed(int file_descriptor);

#endif
