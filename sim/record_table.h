/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of a data-set run: which columns /records has, and what stands in them for one individual. ID, TIME, EVID,
 * MDV and CMT as the engine understood them and the row of the file, then the file's own columns, then every output
 * asked for, IPRED, DV, and the amounts of all compartments where the study wants them. Used by run_records.c. */
#ifndef HL_RECORD_TABLE_H
#define HL_RECORD_TABLE_H

#include "solve/course.h"
#include "store/store.h"

struct hl_record_table {
    size_t n;
    struct hl_record_column *column;     /* as the store wants them */
    struct hl_record_filler *filler;     /* column by column: where its values come from */
    const struct hl_study *study;
    const struct hl_data_facts *facts;
    int default_shown;                   /* index into study->output: IPRED where no compartment is named */
    int *shown;                          /* the same by compartment of the system */
    int dvid_column;                     /* of the file, or -1 */
};

/* The columns of a study's table; everything lives in the arena. */
struct hl_record_table *hl_record_table_create(struct hl_arena *arena, const struct hl_study *study,
                                               const struct hl_data_facts *facts);

/* The rows of one individual: value as hl_course_run left it (study->n_outputs per record), into columns
 * to[column][stride] from row first on. The simulated DV is drawn here. */
void hl_record_table_fill(const struct hl_record_table *table, size_t arm, const struct hl_cohort *cohort,
                          const struct hl_individual *individual, const double *value, double *to, size_t stride,
                          size_t first);

#endif
