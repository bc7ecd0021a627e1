/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small helpers for words: numbers read strictly, the nearest right spelling, hashes of names. */
#ifndef HL_BASE_TEXT_H
#define HL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Reads the whole of text as a finite decimal number ("3", "-0.5", "1e-3"); no hex, inf, nan or surrounding
 * space, independent of the locale. false leaves *value untouched. */
bool hl_text_number(const char *text, double *value);

/* How many bytes at the start of text are such a number; 0 when none. "3e" is the number 3 and an e. */
size_t hl_text_number_length(const char *text);

/* Reads the whole of text as a non-negative decimal integer below 2^63. */
bool hl_text_integer(const char *text, uint64_t *value);

/* The one of n candidates nearest to word (Damerau-Levenshtein distance, case-insensitive, at most a third of the
 * word's length and at least 1, but never every letter; a candidate that starts with the word also counts); NULL when
 * none is near. */
const char *hl_text_nearest(const char *word, const char *const *candidates, size_t n);

/* Writes "; did you mean 'x'?" (or nothing) into buffer and returns buffer: made for error messages. */
const char *hl_text_did_you_mean(const char *word, const char *const *candidates, size_t n, char *buffer, size_t size);

/* Writes "a, b or c" (as much as buffer holds) into buffer and returns it. */
const char *hl_text_alternatives(const char *const *word, size_t n, char *buffer, size_t size);

/* hl_text_did_you_mean, or, where none is near, "; expected a, b or c" (as many as buffer holds): for words of a short list. */
const char *hl_text_one_of(const char *word, const char *const *candidates, size_t n, char *buffer, size_t size);

/* FNV-1a, 64 bit: the stream number of a named random quantity. */
uint64_t hl_text_hash(const char *text);

/* Goes on with a hash: hash_more(hash("a"), "bc") is hash("abc"). */
uint64_t hl_text_hash_more(uint64_t hash, const char *text);

/* True when text is a name of the model language: a letter, then letters, digits and underscores. */
bool hl_text_is_name(const char *text);

/* Shortest decimal text that reads back as the same double, e.g. "0.1"; into buffer (32 bytes are enough). */
const char *hl_text_shortest(double value, char *buffer, size_t size);

/* Writes text (NULL: nothing) as a JSON string, in quotes (RFC 8259). */
void hl_text_json(FILE *stream, const char *text);

#endif
