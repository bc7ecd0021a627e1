/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study file, read and checked: which models, which cohort, which arms, which
 * times, what to measure. Sweeps are already unfolded: every combination of
 * factor levels and every arm of the file is one arm here. The prescriptions of
 * an arm are still YAML: regimen/ compiles them.
 * Called by run.c and by the commands check and explain. */
#ifndef HL_STUDY_STUDY_H
#define HL_STUDY_STUDY_H

#include <stdint.h>

#include "model/system.h"

#define HL_MAX_ASKED 256 /* outputs, and quantiles, that a study may ask for */
#define HL_STUDY_BEFORE "before" /* the arm of a design that says what everybody took before */

enum hl_distribution_kind {
    HL_DIST_FIXED, HL_DIST_NORMAL, HL_DIST_LOGNORMAL, HL_DIST_UNIFORM, HL_DIST_CATEGORICAL, HL_DIST_CSV
};

/* How one covariate is drawn; engine's units. */
struct hl_distribution {
    enum hl_distribution_kind kind;
    struct hl_pos pos;
    double a, b;                /* fixed: a; normal: mean, sd; lognormal: median, sd of the log; uniform: low, high */
    bool truncated; double low, high;
    double *probability; size_t n; /* categorical: by category index; csv: n values ... */
    double *value;              /* ... drawn as whole rows, the same row for every covariate of a subject */
};

struct hl_correlation { const char *a, *b; double r; struct hl_pos pos; }; /* dotted eta names or covariate names */

/* Whose values the subjects are. */
struct hl_cohort_spec {
    uint64_t subjects, seed;
    bool typical;               /* etas zero, covariates at their defaults, no uncertainty: one subject */
    bool uncertainty;           /* typical values with a stated uncertainty are drawn per subject */
    struct hl_distribution *distribution; /* by covariate index of the system; FIXED at the default where the study is
                                             silent */
    size_t n_correlations; struct hl_correlation *correlation;
};

struct hl_arm {
    const char *name;
    struct hl_pos pos;
    const struct hl_system *system;          /* with this arm's parameter values */
    const struct hl_cohort_spec *cohort;
    const struct hl_yaml **prescription;     /* by instance: the sequence of regimen items, or NULL */
    const struct hl_yaml *adherence;         /* its own, or the study's; NULL: every dose is taken */
    /* covariates fixed for everyone in this arm */
    size_t n_covariate_overrides; int *covariate; double *covariate_value;
    const struct hl_yaml *facts;             /* told of this arm by its author, or NULL; becomes factors */
    /* by sweep factor: value in the factor's unit (index for text levels), and the level as written; NaN and "" where
     * the factor doesn't touch the arm */
    double *factor_value;
    const char **factor_text;
};

struct hl_factor { const char *path; const char *name; /* safe variable name */ const char *unit_text; bool numeric; };

enum hl_metric_kind {
    HL_CMAX, HL_TMAX, HL_CMIN, HL_TMIN, HL_AUC, HL_CAVG, HL_CTROUGH, HL_TROUGHS, HL_ACCUMULATION, HL_HALF_LIFE,
    HL_TIME_TO_STEADY, HL_HOURS_ABOVE, HL_HOURS_BELOW, HL_FIRST_TIME, HL_LONGEST_SPELL, HL_FRACTION_ABOVE,
    HL_HOURS_BOTH_ABOVE, HL_OVERLAP_AREA, HL_LAST, HL_N_METRIC_KINDS
};

/* One line under metrics: after unfolding its list. */
struct hl_metric_spec {
    enum hl_metric_kind kind;
    const char *name;           /* variable name without the group: "clonazepam_Cp_Cmax" */
    struct hl_pos pos;
    int n_of; int of[2];        /* outputs (indices of the study's outputs); two for overlap metrics */
    bool has_threshold; double threshold[2]; const char *threshold_text[2]; /* engine's units */
    bool sampled;               /* from the grid's values only */
    size_t n_windows; double (*window)[2]; /* [h]; 0: the whole study */
};

/* A threshold whose fraction of the cohort is stored over time. */
struct hl_threshold { int output; double value; const char *text; };

/* What a covariate of a data set is between two records: the value of the record that ends the interval (NONMEM's
 * rule), of the one that begins it, or on the straight line between them. */
enum hl_covariate_rule { HL_COVARIATE_NEXT, HL_COVARIATE_PREVIOUS, HL_COVARIATE_INTERPOLATE };

/* One line under data: columns: -- which column an item ("AMT") or a covariate ("WT") stands in, and its unit. */
struct hl_data_column {
    const char *item;
    const char *column;               /* header in the file; NULL: the item's own name */
    const char *unit_text; struct hl_unit unit; /* unit_text NULL: the header's own, or the default */
    struct hl_pos pos;
};

/* IPRED of an observation whose CMT (or DVID) is number: an output of the system. */
struct hl_data_shown { int number, output; struct hl_pos pos; };

/* data: -- a NONMEM-style table in the place of arms. */
struct hl_data_spec {
    const char *path; struct hl_pos pos;
    size_t n_columns; struct hl_data_column *column;
    enum hl_covariate_rule *rule;     /* by covariate of the system */
    bool rule_stated;                 /* false: NONMEM's, because the study says nothing */
    bool scales_rate;                 /* bioavailability_scales: rate; false: duration, NONMEM's rule */
    size_t n_missing; const char **missing; /* texts that mean missing, beside "." and nothing */
    const char *ignore;               /* rows whose first field starts with one of these characters are left out; ""
                                         for none, NULL for the data set's own default */
    size_t n_shown; struct hl_data_shown *shown;
    bool amounts;                     /* store: [amounts]: A_<compartment> of every compartment */
};

struct hl_study {
    const char *name, *title, *description, *path;
    struct hl_yaml *root;             /* as read, with --set applied */
    double origin;                    /* clock time at t = 0 [h after midnight] */
    const struct hl_system *system;   /* of the first combination: names, outputs and their order hold for all */
    size_t n_arms;   struct hl_arm *arm;
    size_t n_factors; struct hl_factor *factor; const char *design; /* "grid", "list" or NULL */
    size_t n_times;  double *time;    /* [h], ascending */
    size_t n_outputs; int *output;    /* indices into system->output, in the order asked */
    size_t n_asked;                   /* the first n_asked stood under outputs:, the rest a metric or threshold needs */
    size_t n_metrics; struct hl_metric_spec *metric;
    size_t n_thresholds; struct hl_threshold *threshold;  /* output is an index into study->output */
    size_t n_quantiles; double *quantile;
    const char *solver;               /* "exact", "gsl-rk8pd", "gsl-msbdf", ... */
    double tolerance;
    const char *precision;            /* "single", "double", "rounded" */
    const char *compression;          /* "none", "fast", "small" */
    bool store_trajectories;          /* store: [trajectories, ...]; metrics and quantiles are always kept */
    bool store_observations;          /* store: [observations, ...]: each output time as it would be measured */
    struct hl_data_spec *data;        /* NULL without a data set; with one there is one arm (or one per combination of a
                                         sweep) without prescriptions, and no times. The outputs beyond n_asked include
                                         those of every compartment (struct hl_system_compartment) */
    const struct hl_yaml *taper_design; /* design: of a study that asks for a taper; NULL without. Then, unless the study
                                         has arms of its own and nobody wants it designed, to_design holds: */
    bool to_design;                   /* arm 0 is what the design says everybody took before, arms 1 .. its situations
                                         (stress:), in order, then what everybody took before with each crossover of
                                         compare: behind it. A taper is to be put behind the others; there is nothing to
                                         run */
    size_t n_situations;              /* of to_design: arms 1 .. n_situations are under stress: */
    bool scales_duration;             /* bioavailability_scales: duration, for prescribed infusions; false: rate */
    struct hl_yaml *resolved;         /* the whole study with every default filled in and marked; runs again to the same
                                         numbers */
    size_t n_model_files; const char **model_path; /* every file read, for provenance */
    uint64_t subjects, seed;          /* of the first arm's cohort; subjects 1 with a data set, whose individuals are
                                         counted later */
};

struct hl_set { const char *key, *value; };

/* What the command line may override. */
struct hl_study_options {
    bool has_subjects; uint64_t subjects;
    bool has_seed; uint64_t seed;
    bool typical;
    bool design;                      /* the study's design: is wanted, whatever arms: says */
    const char *data;                 /* --data: this file instead of the study's arms or data: file; or NULL */
    size_t n_sets; const struct hl_set *set;
    const char *const *model_directory; size_t n_model_directories; /* searched after the study's own ../models and . */
};

/* Reads a study. NULL with messages in diag (all faults of one pass). */
struct hl_study *hl_study_load(struct hl_arena *arena, const char *path, const struct hl_study_options *options,
                               struct hl_diag *diag);

/* As hl_study_load, but also gives a faulty study whose models are sound, so that what is prescribed in its arms can be
 * checked in the same pass; *sound says whether it may run. NULL when there is nothing to check. */
struct hl_study *hl_study_load_for_check(struct hl_arena *arena, const char *path,
                                         const struct hl_study_options *options, bool *sound, struct hl_diag *diag);

/* The same from text (made by the program, or a test's); name stands in messages, and models are looked for as for a
 * file of that name. */
struct hl_study *hl_study_from_text(struct hl_arena *arena, const char *name, const char *text,
                                    const struct hl_study_options *options, struct hl_diag *diag);

/* True when simulated observations of the study's output number output are stored: they are wanted, and in some arm its
 * model states a residual error. */
bool hl_study_is_observed(const struct hl_study *study, size_t output);

/* Whether what stands under taper: (or in compare:) goes over to a second drug: protocol: crossover, or T5. */
bool hl_study_is_crossover(const struct hl_yaml *taper);

/* "Cmax" ...; the unit text of a metric of an output, e.g. "ng/mL", "h", "ng/mL.h" (into the arena). */
const char *hl_metric_kind_name(enum hl_metric_kind kind);
const char *hl_metric_unit(struct hl_arena *arena, const struct hl_study *study, const struct hl_metric_spec *spec);

#endif
