/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a data-set run, read in blocks whatever their number. Called by export.c and, for the places of
 * individuals, by summary and compare. */
#ifndef HL_STORE_EXPORT_RECORDS_H
#define HL_STORE_EXPORT_RECORDS_H

#include "store/export.h"
#include "store/result.h"
#include "store/text_table.h"

/* True for the result of a data-set run. */
bool hl_records_exist(const struct hl_result *result);

/* The column of /records called name: as written, by dotted name ("clonazepam.Cp"), or, as NONMEM's items are, without
 * regard to upper and lower case; NULL when there is none. */
const struct hl_result_variable *hl_records_column(const struct hl_result *result, const char *name);

/* True when n names are to be answered by /records: each is a column of it or "records", or none is given and there are
 * records. */
bool hl_records_named(const struct hl_result *result, const char *const *variable, size_t n);

/* Writes the records in file order, arm after arm; see export.h. */
enum hl_status hl_export_records(struct hl_result *result, const char *const *variable, size_t n,
                                 const struct hl_export_options *options, struct hl_text_table *out,
                                 struct hl_diag *diag);

/* Where individual number k (from 1, in order of the data set) stands among the records of an arm: count records from
 * first (0-based). HL_ERR_INPUT with a message when there is none. */
enum hl_status hl_records_of_subject(const struct hl_result *result, uint64_t k, uint64_t *first, uint64_t *count,
                                     struct hl_diag *diag);

#endif
