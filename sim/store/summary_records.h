/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the records of a data-set run amount to: how many of each kind, the range of what was computed, who failed.
 * Called by summary.c. */
#ifndef HL_STORE_SUMMARY_RECORDS_H
#define HL_STORE_SUMMARY_RECORDS_H

#include "store/result.h"

/* Of one column in one arm. */
struct hl_record_range { const struct hl_result_variable *variable; uint64_t n, missing; double low, high; };

/* ID: as the data set has it, numbers in their shortest form; is_text where it is none. */
struct hl_record_failure { uint64_t arm, subject; const char *ID, *why; bool is_text; };

/* Counts are those of one arm: every arm has the same records. */
struct hl_record_facts {
    uint64_t records, observations, doses, others, resets;
    double additional;                           /* doses by ADDL */
    double first_time, last_time;                /* lowest and highest TIME [h]; NaN without one */
    size_t n_columns; struct hl_record_range *range; /* [arm][column] */
    size_t n_failures; struct hl_record_failure *failure;
};

/* Reads all records once, in blocks; what facts points to lives as long as the result. */
enum hl_status hl_record_facts_read(const struct hl_result *result, struct hl_record_facts *facts,
                                    struct hl_diag *diag);

#endif
