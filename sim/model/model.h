/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model file, read and checked as far as one file can be: structure,
 * parameters with unit, spread, evidence grade and source, expressions with
 * their places. system.h joins the models of a study into numbers that run.
 * Called by study/, and by the commands check, models and new. */
#ifndef HL_MODEL_MODEL_H
#define HL_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/yaml.h"

enum hl_grade { HL_GRADE_NONE, HL_MEASURED, HL_SURROGATE, HL_CALIBRATED, HL_ASSUMPTION };

/* "measured" ... ; "" for none. */
const char *hl_grade_name(enum hl_grade grade);

struct hl_expr; /* a parsed expression (expr.h) */

/* What stands behind a number. */
struct hl_evidence {
    enum hl_grade grade;
    const char *mark;           /* V, T, R, D, A of the fentanyl pages, or NULL */
    bool provisional;           /* recalled, or quoted without the primary text (R or a dagger) */
    const char **source;        /* n_source names of entries under references: */
    size_t n_source;
    const char *note;           /* or NULL */
};

struct hl_reference { const char *name, *cite, *doi, *url; };

/* The amount [mg] that one published table of dose equivalence states for this drug; name is the table's, a reference
 * of the model. Amounts of different models under one name are equal in effect, as far as that table goes. */
struct hl_equivalent { const char *name; struct hl_pos pos; double amount; };

enum hl_spread { HL_SPREAD_NONE, HL_SPREAD_LOGNORMAL, HL_SPREAD_NORMAL, HL_SPREAD_UNIFORM };

struct hl_parameter {
    const char *name;
    struct hl_pos pos;
    double value;               /* engine's unit */
    struct hl_unit unit;        /* as written */
    const char *unit_text;
    bool has_range; double low, high;
    /* of the typical value, for joint sampling: lognormal(ln value, u0), normal(value, u0), uniform(u0, u1); engine's
     * unit */
    enum hl_spread uncertainty;
    double u0, u1;
    struct hl_evidence evidence;
    bool unread;                /* the value or its unit couldn't be read, so that nothing is known of what uses it */
    const char *by;             /* one value of a table "by: COVARIATE": the covariate, else NULL */
    const char *category;       /* ... and the category this value is for */
};

struct hl_covariate {
    const char *name;
    struct hl_pos pos;
    double value;               /* default, in the covariate's own unit; the index of a category */
    struct hl_unit unit; const char *unit_text;
    const char *label;
    bool has_range; double low, high; /* own unit */
    const char **category; size_t n_categories; /* 0: a number */
    bool unread;                /* the default couldn't be read */
};

struct hl_eta {
    const char *name; struct hl_pos pos;
    double sd;
    bool occasion;              /* drawn anew for every occasion, not once per subject */
    bool level_stated;          /* by the eta itself */
    struct hl_evidence evidence;
};
struct hl_eta_block { size_t n; size_t *eta; double *covariance; /* n x n */ struct hl_pos pos; };
struct hl_mixture { const char *name; struct hl_pos pos; size_t n; const char **class_name; double *probability; };

struct hl_definition { const char *name; struct hl_pos pos; struct hl_expr *expr; };

struct hl_model {
    const char *name, *title, *description, *path;
    const char *family;         /* the heading it is listed under, of its own file; NULL for a drug or an interaction */
    struct hl_yaml *root;       /* the merged tree (extends: resolved) */
    double molar_mass;          /* mg/nmol, or 0 */
    struct hl_reference *reference; size_t n_references;
    struct hl_equivalent *equivalent; size_t n_equivalents;
    struct hl_covariate *covariate; size_t n_covariates;
    struct hl_parameter *parameter; size_t n_parameters;
    struct hl_eta *eta; size_t n_etas;
    struct hl_eta_block *block; size_t n_blocks;
    struct hl_mixture *mixture; size_t n_mixtures;
    struct hl_definition *individual; size_t n_individual;
    /* compartments, flows, routes, effect sites, states, outputs, inputs and residual errors: model_parts.h */
    struct hl_model_parts *parts;
};

/* Reads models/NAME.yaml from the first of the search directories that has it (or a path that contains '/' or ends in
 * .yaml), resolves extends:, and checks it alone. NULL with messages in diag. n directories. */
struct hl_model *hl_model_load(struct hl_arena *arena, const char *name, const char *const *directory, size_t n,
                               struct hl_diag *diag);

/* The same from an already read (and perhaps altered) tree. */
struct hl_model *hl_model_from_yaml(struct hl_arena *arena, struct hl_yaml *root, const char *const *directory,
                                    size_t n, struct hl_diag *diag);

/* Adds the names of a directory's models (its YAML files) to a list in the arena of *n names; the list, moved or not,
 * or NULL when the directory can't be read. */
const char **hl_model_names(struct hl_arena *arena, const char *directory, const char **name, size_t *n,
                            size_t *capacity);

/* Finds the file and gives the tree with extends: resolved, unchecked: for sweeps that alter it. NULL with messages. */
struct hl_yaml *hl_model_tree(struct hl_arena *arena, const char *name, const char *const *directory, size_t n,
                              struct hl_pos asked_at, struct hl_diag *diag);

#endif
