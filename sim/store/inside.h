/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The open store as its own files see it: what is written where. layout.c makes
 * it, strip.c, metrics.c, subjects.c, doses.c and records.c fill it, store.c opens
 * and closes. */
#ifndef HL_STORE_INSIDE_H
#define HL_STORE_INSIDE_H

#include "store/log.h"
#include "store/queue.h"
#include "store/store.h"
#include "store/writer.h"

/* One variable of /subjects: (subject) as long as all arms agree, (arm, subject) from the first that doesn't. */
struct hl_subject_column {
    const char *name, *unit, *long_name, *source; /* source: the dotted name */
    enum hl_hdf_type type;
    size_t n_flags; const char *const *flag;      /* meanings of codes ... */
    int first_flag;                               /* ... from this one on */
    struct hl_dataset *dataset;                   /* NULL until the first arm comes */
    bool per_arm, *handed;                        /* handed[arm] */
};

/* Datasets of one output. */
struct hl_output_variables { struct hl_dataset *trajectory, *observed, *quantiles, *mean, *sd, *count, *fraction; };

/* A metric on its way into the file: rows[n][width] from subject first (counted from 0) on, as many as a chunk has; or,
 * where chunks don't consist of whole strips of one arm, all subjects of the arm. */
struct hl_metric_variable {
    struct hl_dataset *dataset;
    size_t width;
    bool by_chunk;
    size_t n, capacity;
    uint64_t first;
    double *rows;
};

/* Codes of routes in /doses. */
struct hl_dose_names {
    signed char *route_code;                       /* by route of the system: index into route_name */
    size_t n_route_names; const char **route_name;
};

/* What became of the subjects of a reviewed taper, as metrics (arm, subject): number of the drug's reviewed tapers. */
enum { HL_TAPER_DAYS, HL_TAPER_REACHED_ZERO, HL_TAPER_HOLDS, HL_TAPER_STEPS_BACK, HL_TAPER_REVIEWS, HL_TAPER_DOSE,
       HL_N_TAPER };
struct hl_taper_variables { int instance, number; struct hl_dataset *dataset[HL_N_TAPER]; };

/* /records of a data-set run; n_columns 0 before hl_store_records_begin. */
struct hl_kept_records {
    size_t n_columns;
    struct hl_record_column *column;               /* names safe and unique */
    struct hl_dataset *scale, **dataset;           /* NULL until a block is full or the file is finished */
    size_t n, capacity; double **row;              /* waiting: row[column][n] */
    uint64_t written;
};

struct hl_store {
    struct hl_writer *writer;
    struct hl_queue *queue;             /* chunks of trajectories; NULL with a data set */
    const struct hl_study *study;
    int threads;                        /* that may pack side by side, at least 1 */
    struct hl_axis arm, subject, time, quantile;
    struct hl_output_variables *output; /* by output of the study */
    struct hl_metric_variable *metric;
    struct hl_subject_column *covariate, *individual, *mixture, *parameter, status, id;
    struct hl_dose_names names;
    struct hl_log doses, reviews;       /* without a kind until the first row comes */
    size_t n_tapers; struct hl_taper_variables *taper;
    struct hl_kept_records records;
};

/* Fills the axes and creates every dataset whose shape is known at the start. */
void hl_layout_create(struct hl_store *store, const struct hl_regimen *const *regimen);

/* The sweep's factors under /design. */
void hl_layout_design(struct hl_store *store);

/* Makes the queue of chunks. */
enum hl_status hl_strips_begin(struct hl_store *store);

/* The variables of reviewed tapers. */
void hl_tapers_create(struct hl_store *store, const struct hl_regimen *const *regimen);

/* How a metric goes into the file, once its dataset is made; and the release of what waits. */
void hl_metric_begin(struct hl_store *store, struct hl_metric_variable *metric);
void hl_metrics_clear(struct hl_store *store);

/* Bytes of the largest chunk of metrics, before compression. */
size_t hl_metrics_chunk(const struct hl_store *store);

/* Shape of a stored chunk of trajectories: 1 arm, 64 subjects, and all times or an even part of them (1 MiB). */
void hl_layout_trajectory_chunk(const struct hl_study *study, uint64_t chunk[3]);

/* How many subjects each arm has; with a data set the individuals that the pipeline counted. */
uint64_t hl_layout_subjects(const struct hl_study *study);

/* The output of the system that is number i of the study. */
const struct hl_output *hl_layout_output(const struct hl_study *study, size_t i);

/* A unit as UDUNITS-2 spells it: "mcg/h" is "ug/h", "nM" is "(nmol/L)"; "1" when there is none. */
const char *hl_layout_unit(struct hl_arena *arena, const char *unit);

/* Says of a variable what evidence its output rests on. */
void hl_layout_evidence(struct hl_writer *writer, struct hl_dataset *dataset, const struct hl_evidence *evidence);

/* Write the rows that wait; release what tables hold. */
void hl_records_finish(struct hl_store *store);
void hl_records_clear(struct hl_store *store);

/* Every NaN is written as the same one: its bits must not depend on the operation it came from. */
double hl_one_nan(double value);

#endif
