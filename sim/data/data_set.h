/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data set with NONMEM's columns, read individual by individual in memory that
 * doesn't grow with the number of records. It is read twice: hl_data_open looks at
 * every row, reports every fault in one pass and counts; then hl_data_next hands out
 * the individuals one after another. What the records mean for a body is not decided
 * here: regimen/agenda.h and solve/course.h do that. The rules: docs/data-sets.md.
 * Called by run and by the commands check and explain. */
#ifndef HL_DATA_DATA_SET_H
#define HL_DATA_DATA_SET_H

#include "study/study.h"

/* NONMEM's kinds of event; 8 replaces an amount (of mrgsolve). */
enum hl_evid { HL_EVID_OBSERVE = 0, HL_EVID_DOSE = 1, HL_EVID_OTHER = 2, HL_EVID_RESET = 3, HL_EVID_RESET_DOSE = 4,
               HL_EVID_REPLACE = 8 };

/* One row, its items resolved: EVID and MDV are there even when the file has no such columns, a DUR has become a RATE,
 * clock times have become hours. Engine's units (h, mg, mg/h). */
struct hl_record {
    uint64_t row;       /* line of the file, the header being line 1 */
    double TIME;        /* [h]; of clock times: since the individual's first record */
    int EVID, MDV, SS;
    int compartment;    /* index into system->compartment; -1: the default one (CMT 0 or missing) */
    bool off;           /* EVID 2 with a negative CMT: switches that compartment off; on when positive */
    int CMT;            /* as written; 0 when missing */
    double AMT;         /* [mg]; 0 when there is no dose */
    double RATE;        /* [mg/h]; 0 bolus, -1 modelled rate, -2 modelled duration */
    double DUR;         /* [h]; above 0: the file states this duration, which holds whatever F is (the rate is then
                           F*AMT/DUR); RATE is AMT/DUR. 0: it states none */
    double II;          /* [h] */
    uint64_t ADDL;
    double OCC;         /* occasion, a whole number; 0 when the file has no such column */
    int DVID;           /* 0 when missing */
    double DV;          /* the output's engine unit unknown here: as written; NaN when missing */
};

/* One individual: adjacent rows of one ID. Valid until the next hl_data_next on the same set. */
struct hl_individual {
    uint64_t number;                 /* 1, 2, ... in order of the file: the subject's number in the random streams */
    double ID;                       /* as written; of text IDs: number */
    const char *id_text;             /* as written */
    size_t n; const struct hl_record *record;
    const double *covariate;         /* [n][n_covariates of the system], engine's units: at each record, gaps filled by
                                        the covariate's rule; NaN where the file has no such column */
    const double *column;            /* [n][n_columns of the file] as written (their own units): NaN where missing,
                                        a code for texts (NaN when there were too many; of ID then number), hours for
                                        clock times, 20260131 for dates */
};

enum hl_column_kind { HL_COLUMN_WHOLE, HL_COLUMN_NUMBER, HL_COLUMN_TEXT };

/* A column of the file. */
struct hl_data_column_info {
    const char *name;                /* its header, without a unit in brackets */
    const char *item;                /* "TIME", "AMT" ...; NULL for others */
    int covariate;                   /* index into system->covariate, or -1 */
    enum hl_column_kind kind;        /* of all its values; WHOLE: fits an int32 without missing values */
    const char *unit_text;           /* stated in the study or the header, or the default of its item (of II and DUR
                                        TIME's unit, of RATE AMT's per TIME's); NULL for none */
    size_t n_texts; const char **text; /* TEXT: code k stands for text[k]; 0 texts when there were too many to keep */
};

/* What the first reading found. */
struct hl_data_facts {
    uint64_t records, individuals, observations, doses; /* observations: EVID 0; doses: EVID 1 and 4 */
    uint64_t longest;                /* records of the longest individual */
    bool *dosed, *observed;          /* by compartment of the system: named by a dose, by an observation */
    bool default_dosed;              /* some dose names no compartment */
    bool *varies;                    /* by covariate: changes within some individual */
    bool has_covariate_column;       /* some covariate comes from the file */
    bool has_occasions;
    size_t n_columns; const struct hl_data_column_info *column;
    char sha256[65];                 /* of the file's bytes */
};

struct hl_data_set;

/* Opens the study's data set and reads it once. NULL with messages in diag: everything of section 9 of the rules that
 * deserves an error, each with file:line:column and the record in words; every fault of the file in one pass (the
 * first 100 are shown and the rest counted). Warnings and notes go to diag too. system names compartments, covariates
 * and outputs. */
struct hl_data_set *hl_data_open(const struct hl_study *study, struct hl_diag *diag);

/* The same for a file alone, as `halflife check FILE.csv` sees it: compartments and covariates aren't known, so nothing
 * is said of them. */
struct hl_data_set *hl_data_open_alone(const char *path, struct hl_diag *diag);

void hl_data_close(struct hl_data_set *set);
const struct hl_data_facts *hl_data_facts(const struct hl_data_set *set);

/* The next individual of the second reading, which begins by itself; diag must live until it is over. NULL at the end
 * (*status HL_OK) or after a failure (HL_ERR_IO when the file can't be read any more or has changed since it was
 * opened, HL_ERR_MEMORY). */
const struct hl_individual *hl_data_next(struct hl_data_set *set, enum hl_status *status, struct hl_diag *diag);

/* Starts the second reading anew. */
enum hl_status hl_data_rewind(struct hl_data_set *set, struct hl_diag *diag);

/* A copy that outlives the next hl_data_next and the set (threads work on copies); released with hl_individual_free.
 * NULL without memory. */
struct hl_individual *hl_individual_copy(const struct hl_data_set *set, const struct hl_individual *individual);
void hl_individual_free(struct hl_individual *individual);

#endif
