/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact quantiles of many columns (outputs at times) whose values come in portions and are too many to keep. */
#ifndef HL_MEASURE_RANKS_H
#define HL_MEASURE_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hl_ranks;

#define HL_PIECE 64 /* values handed over at once */

/* Values that a column must be able to keep, so that quantiles of total values in random order are found with
 * overwhelming probability; total when that is less. */
size_t hl_ranks_capacity(uint64_t total, const double *probability, size_t n_probabilities);

/* Bytes of memory per column. */
size_t hl_ranks_bytes(size_t capacity, size_t n_probabilities);

/* So many columns of at most total values each, whose quantiles at ascending probabilities (which must outlive it) are
 * wanted; NULL when there is no memory. A capacity of total or more keeps every value: nothing can be missed. */
struct hl_ranks *hl_ranks_create(size_t n_columns, uint64_t total, size_t capacity, const double *probability,
                                 size_t n_probabilities);
void hl_ranks_free(struct hl_ranks *ranks);

/* The next values of a column: HL_PIECE of them, of which n_numbers are no NaN; NaN counts as none. Columns may be
 * filled by several threads at once, one column by one thread at a time; scratch is the thread's own room for
 * hl_ranks_scratch values. */
size_t hl_ranks_scratch(const struct hl_ranks *ranks);
void hl_ranks_add(struct hl_ranks *ranks, size_t column, const double *values, size_t n_numbers, double *scratch);

/* The same in two steps, for threads that see the values before the column does. What the column keeps at present: its
 * brackets (low, high], ascending, bracket k at [k * stride]; of values equal to same only the number counts (NaN:
 * there is none). Those beyond the last, up to the number of probabilities, are (inf, inf]. Returns how many there
 * are. */
size_t hl_ranks_show(const struct hl_ranks *ranks, size_t column, size_t stride, double *low, double *high,
                     double *same);

/* Values held against brackets that the column has shown, not necessarily those it has now. */
struct hl_portion {
    size_t n_numbers;                      /* no NaN */
    size_t n; const double *value;         /* those in a bracket, without those equal to its same; in any order */
    size_t n_brackets, stride; const double *low, *high, *same;
    const uint8_t *above, *equal;          /* values greater than low; in the bracket and equal to same */
};
void hl_ranks_take(struct hl_ranks *ranks, size_t column, const struct hl_portion *portion, double *scratch);

/* Narrows the brackets where that leaves out much of what is kept now. */
void hl_ranks_tighten(struct hl_ranks *ranks, size_t column, double *scratch);

/* Hyndman-Fan type 7 quantiles of all values of a column, the same bits as hl_quantiles gives; NaN when it had none.
 * False when the values looked for were not kept (they came in an order that misled, or too many of them are equal):
 * the column must then be filled again with room for all. May be asked once per column. */
bool hl_ranks_quantiles(struct hl_ranks *ranks, size_t column, double *result);

#endif
