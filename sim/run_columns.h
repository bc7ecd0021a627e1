/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Across the cohort: quantiles, mean, sd, count and shares above thresholds of many columns, a column being one output
 * at one time. Subjects come in strips of 64, strips in batches. */
#ifndef HL_RUN_COLUMNS_H
#define HL_RUN_COLUMNS_H

#include "measure/measure.h"
#include "study/study.h"

#define HL_STRIP 64 /* subjects */

/* What an arm's file says across subjects. */
struct hl_arm_summary {
    double *quantiles;          /* [output][quantile][time] */
    double *mean, *sd;          /* [output][time] */
    int *count;
    double *fraction;           /* [threshold of the study][time] */
};
enum hl_status hl_arm_summary_init(struct hl_arm_summary *summary, const struct hl_study *study);
void hl_arm_summary_clear(struct hl_arm_summary *summary);

/* The columns that are looked at in one pass over the cohort. */
struct hl_columns;

/* n columns (number output * n_times + time, ascending; the list must outlive them) of a cohort, of which a batch of at
 * most so many strips is in memory at a time, and capacity values per column besides (hl_ranks_capacity, or that of the
 * whole cohort, so that nothing is missed); so many threads fill one strip each at a time. NULL when there is no memory.
 */
struct hl_columns *hl_columns_create(const struct hl_study *study, const uint32_t *column, size_t n, uint64_t subjects,
                                     size_t strips, size_t capacity, size_t threads);
void hl_columns_free(struct hl_columns *columns);

/* Bytes per column, without the batch; and of a strip in the batch, at most. */
double hl_columns_bytes(const struct hl_study *study, size_t capacity);
double hl_columns_strip_bytes(const struct hl_study *study, size_t n);

/* How many strips the next batch has, when so many are done and `threads` share it: small ones at first, since what
 * quantiles must keep of a value is known the better the more have been seen. */
size_t hl_columns_batch(const struct hl_columns *columns, size_t done, size_t left, size_t threads);

/* A batch begins; nobody may be at work. */
void hl_columns_begin(struct hl_columns *columns);

/* Takes what is needed from the values of a solved block, which are rows row .. row + block->n - 1 of a strip of the
 * batch (rows ascending from 0, a multiple of 8 in each but the last); those who failed count as none, and block->out
 * is NaN for them and for nobody afterwards. Strips may be filled by several threads. */
void hl_columns_keep(struct hl_columns *columns, size_t strip, size_t row, const struct hl_block *block);

/* Takes in the first strips of the batch for columns from .. to - 1 of the list, from being a multiple of
 * HL_COLUMNS_AT_ONCE; by several threads for different columns, each with room for hl_columns_scratch values. */
#define HL_COLUMNS_AT_ONCE 64
size_t hl_columns_scratch(const struct hl_columns *columns);
void hl_columns_add(struct hl_columns *columns, size_t from, size_t to, size_t strips, double *scratch);

/* What came of columns from .. to - 1 goes to the summary. found[i], by place in the list, is false where the quantiles
 * must be looked for again with capacity for the whole cohort. */
void hl_columns_finish(struct hl_columns *columns, size_t from, size_t to, struct hl_arm_summary *summary,
                       bool *found);

#endif
