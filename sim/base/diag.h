/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages to the person who wrote a file. Faults are collected, so that one
 * pass reports all of them, and printed in the order of file, line and column as
 *     configs/taper.yaml:14:12: error: unknown unit 'mgg' in "0.5 mgg"; did you mean 'mg'?
 * Anything that isn't about a place in a file uses a position without file. */
#ifndef HL_BASE_DIAG_H
#define HL_BASE_DIAG_H

#include <stddef.h>
#include <stdio.h>

struct hl_pos {
    const char *file; /* as the user named it; NULL when there is no place */
    int line;         /* 1-based; 0 when unknown */
    int column;       /* 1-based, in characters (Unicode code points) */
};

enum hl_severity { HL_NOTE, HL_WARNING, HL_ERROR };

struct hl_diag;

/* A new empty collection; NULL when there is no memory. */
struct hl_diag *hl_diag_create(void);
void hl_diag_free(struct hl_diag *diag);

/* Adds one message; an exact repetition (same place, same text) is kept once. */
void hl_diag_add(struct hl_diag *diag, enum hl_severity severity, struct hl_pos pos, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The three severities by name: hl_diag_error(diag, pos, format, ...). */
#define hl_diag_error(diag, ...) hl_diag_add((diag), HL_ERROR, __VA_ARGS__)
#define hl_diag_warning(diag, ...) hl_diag_add((diag), HL_WARNING, __VA_ARGS__)
#define hl_diag_note(diag, ...)  hl_diag_add((diag), HL_NOTE, __VA_ARGS__)

/* How many messages of at least this severity have been added. An exact repetition counts too, although it is kept
 * once: whoever compares the counts before and after some work learns whether that work went wrong. */
size_t hl_diag_count(const struct hl_diag *diag, enum hl_severity at_least);

/* Prints all messages not yet printed, sorted by file (first seen first), line, column. */
void hl_diag_print(struct hl_diag *diag, FILE *stream);

/* The position of no place. */
struct hl_pos hl_pos_none(void);

/* pos moved right by n characters on the same line. */
struct hl_pos hl_pos_shift(struct hl_pos pos, int n);

#endif
