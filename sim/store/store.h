/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HDF5 file: netCDF-4 readable, written whole or not at all. A writer
 * collects what a run makes under a temporary name beside the target; only
 * hl_store_finish gives the file its name, after everything written has been
 * closed, synced, opened again and checked. One thread at a time may use a
 * store, except through strips. Layout and attributes: docs/file-format.md. */
#ifndef HL_STORE_STORE_H
#define HL_STORE_STORE_H

#include "measure/measure.h"

struct hl_store;

/* What the file says about its own making. */
/* A root attribute that the run itself knows nothing of. */
struct hl_note { const char *name, *text; };

struct hl_provenance {
    const char *command_line;
    int threads;
    const char *data_digest;    /* SHA-256 of the data set's bytes, or NULL */
    size_t n_notes; const struct hl_note *note;
};

/* Creates the temporary file (same directory as path) with dimensions, scales, attributes and provenance. diag and
 * the study must outlive the store: later failures write their message there. HL_ERR_IO with a message when it can't
 * (no directory, no room, exists without force). The regimens are those of the arms, in order; with study->data there
 * are none and regimen may be NULL: the file then has no times, no variables over (arm, subject, time), and as many
 * subjects as study->arm[0].cohort says. */
enum hl_status hl_store_create(const char *path, bool force, const struct hl_study *study,
                               const struct hl_regimen *const *regimen, const struct hl_provenance *provenance,
                               struct hl_store **store, struct hl_diag *diag);

/* The trajectories of up to 64 subjects of an arm, on their way from the solver into the file. One per thread, used
 * again and again: begin, values of every block of subjects as it is solved, finish. Conversion, hashing and
 * compressing happen in the calling thread; what is finished goes to a bounded queue, from which whichever thread
 * comes first writes. While strips are in use no other function of the store may be called; hl_store_drain ends that.
 */
struct hl_strip;
enum hl_status hl_strip_create(struct hl_store *store, struct hl_strip **strip);
void hl_strip_free(struct hl_strip *strip);

/* Subjects first .. first + n - 1 come next: first - 1 is a multiple of 64; n is 64, or what is left of the cohort;
 * otherwise HL_ERR_INTERNAL. HL_ERR_MEMORY when there is no room for them. */
enum hl_status hl_strip_begin(struct hl_strip *strip, size_t arm, uint64_t first, size_t n);

/* Whether a variable is kept: number o is requested output o, number n_outputs + o its simulated observations. */
bool hl_strip_keeps(const struct hl_strip *strip, size_t variable);

/* A block's values of one variable: values[n_times][lanes] in the engine's unit, of which the first n columns are the
 * strip's subjects row .. row + n - 1 (counted from 0); lanes is n rounded up to a multiple of 8 at least. Not kept:
 * does nothing. */
void hl_strip_values(struct hl_strip *strip, size_t variable, size_t row, size_t n, const double *values,
                     size_t lanes);

/* All of them have come. HL_ERR_IO with a message when the file can't be written. */
enum hl_status hl_strip_finish(struct hl_strip *strip);

/* Writes what still waits; then the other functions may be called again, by one thread. */
enum hl_status hl_store_drain(struct hl_store *store);

/* Across the cohort, one output of one arm, engine's units: quantiles [n_quantiles][n_times], the others [n_times];
 * fraction[n_thresholds of this output][n_times] in the order of study->threshold. */
enum hl_status hl_store_summary(struct hl_store *store, size_t arm, size_t output, const double *quantiles,
                                const double *mean, const double *sd, const int *count, const double *fraction);

/* One metric for all subjects of an arm: values[subjects][width], in the metric's unit. */
enum hl_status hl_store_metric(struct hl_store *store, size_t arm, size_t metric, size_t width, const double *values);

/* The same in portions: subjects first .. first + n - 1 (counted from 1), each portion of an arm where the last one
 * ended and, but for the last, of whole strips of 64; when all have come, the end. Different metrics may be handed
 * over by different threads, while strips are in use, too. */
enum hl_status hl_store_metric_rows(struct hl_store *store, size_t arm, size_t metric, uint64_t first, size_t n,
                                    size_t width, const double *values);
enum hl_status hl_store_metric_end(struct hl_store *store, size_t arm, size_t metric);

/* Who the subjects of an arm are: values[subjects] of covariate / individual parameter number i of the system (engine's
 * units; covariates are written in their own), and status. Arms with equal values are stored once. */
enum hl_status hl_store_subject_covariate(struct hl_store *store, size_t arm, size_t covariate, const double *values);
enum hl_status hl_store_subject_individual(struct hl_store *store, size_t arm, size_t individual, const double *values);
enum hl_status hl_store_subject_mixture(struct hl_store *store, size_t arm, size_t mixture, const double *values);

/* The same of a typical value that was drawn per subject (uncertainty: drawn), in the parameter's own unit. */
enum hl_status hl_store_subject_parameter(struct hl_store *store, size_t arm, size_t parameter, const double *values);
enum hl_status hl_store_subject_status(struct hl_store *store, size_t arm, const signed char *status);

/* The IDs of a data set's individuals, in order: values[subjects], for every arm alike. text: the IDs as written, when
 * they are no numbers (values then count them from 1); else NULL. */
enum hl_status hl_store_subject_id(struct hl_store *store, size_t arm, const double *values, const char *const *text);

/* What was given, and what wasn't: a demand that the pump refused, a dose that the subject missed. For an arm where
 * every subject is treated alike once with subject 0; else per subject. Rows are kept
 * in the order they are handed over, which is part of the payload: hand them over by arm, then by subject. */
struct hl_given {
    int arm; uint64_t subject;
    double time, amount, rate;              /* [h, mg, mg/h] */
    int instance, route;
    bool refused, missed;
    double strength, duration, interval;    /* as it was taken (struct hl_dose) */
};
enum hl_status hl_store_doses(struct hl_store *store, size_t n, const struct hl_given *given);

/* What was decided at reviews, in the order of /doses. Levels count from 1, 0 is the dose before the taper. */
struct hl_reviewed_at {
    int arm; uint64_t subject;
    int instance, number, decision, rule;   /* decision: enum hl_review_then; rule from 1, 0 none */
    double time, value;                     /* [h, the output's unit] */
    int level_before, level_after;
    double dose_before, dose_after;         /* [mg/day] */
};
enum hl_status hl_store_reviews(struct hl_store *store, size_t n, const struct hl_reviewed_at *review);

/* What became of the subjects of an arm in its reviewed tapers: outcome[subject * n_reviewed + taper], n_reviewed as
 * the arm's regimen has (NULL without any); failed[subject] not 0: it has none. To be called for every arm once. */
enum hl_status hl_store_tapers(struct hl_store *store, size_t arm, const struct hl_regimen *regimen,
                               const struct hl_review_outcome *outcome, const signed char *failed);

/* The table of a data-set run under /records: every record of the data set in file order, arm after arm (the same
 * number of records in each). Columns are handed over as doubles, in the units they are stored in. Names are made safe
 * and unique; begin must be called once, before the first rows. */
struct hl_record_column {
    const char *name;                       /* "IPRED", "clonazepam_Cp", "A_central" */
    const char *unit, *long_name, *output;  /* output: dotted name of the output it holds, or NULL */
    const char *note;                       /* attribute "comment", or NULL */
    const struct hl_output *evidence;       /* whose evidence grade the column rests on, or NULL */
    bool whole;                             /* int32 instead of float64 */
    bool guest;                             /* an ordinary column of the data set: others of its name keep the name */
    size_t n_flags; const char *const *flag; /* meanings of codes 0, 1, ... of a whole column */
};
enum hl_status hl_store_records_begin(struct hl_store *store, size_t n_columns, const struct hl_record_column *column);

/* The next n rows: values[column][n]. They are kept until a block of 65536 is full, then packed by provenance->threads
 * threads and written: memory doesn't grow with the number of rows. HL_ERR_INTERNAL for a whole column's value that is
 * no int32 (nothing missing becomes 0); HL_ERR_INPUT with a message for more rows than an int32 counts. */
enum hl_status hl_store_records(struct hl_store *store, size_t n, const double *values);

/* From now on hl_store_finish reads back every value. */
void hl_store_verify_all(struct hl_store *store);

/* Writes the rest (sweep design, payload_sha256, status, wall time), closes, syncs, opens the file again and checks it
 * (verify.h), renames. After a failure the temporary file is gone and an earlier file of that name untouched. Releases
 * the store always. */
enum hl_status hl_store_finish(struct hl_store *store, double wall_seconds, uint64_t subjects_failed,
                               struct hl_diag *diag);

/* Gives up: removes the temporary file. NULL is allowed. */
void hl_store_abandon(struct hl_store *store);

/* Bytes the file will need before compression; of a data-set run all but its records (regimen may be NULL), ... */
uint64_t hl_store_estimate(const struct hl_study *study, const struct hl_regimen *const *regimen);

/* ... and those: n_rows rows of all arms together. */
uint64_t hl_store_records_estimate(uint64_t n_rows, size_t n_columns, const struct hl_record_column *column);

#endif
