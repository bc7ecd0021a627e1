/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this room share while a study is read. Nobody outside includes this. */
#ifndef HL_STUDY_INSIDE_H
#define HL_STUDY_INSIDE_H

#include "study/distribution.h"
#include "study/study.h"

#define HL_MAX_TIMES 5000000
#define HL_MAX_ARMS  10000

/* The reading of one study. */
struct hl_study_reader {
    struct hl_arena *arena;
    struct hl_diag *diag;
    const struct hl_study_options *options;
    const char *folder;     /* of the study's file, "." for text */
    const char **directory; /* where models are looked for, first match wins */
    size_t n_directories;
    struct hl_study *study; /* being filled */
    size_t arms_capacity;
    bool has_data;  /* a data set stands in the place of prescriptions */
    size_t faults; /* errors there were before this study */
};

/* The known keys of a study's top level. */
extern const char *const hl_study_keys[];
extern const size_t hl_study_n_keys;

/* ---- words.c: scalars, each read by its own rule */

/* A quantity of the dimension dim into *value (engine's unit). unit is how a person would write it ("kg"), what names
 * the quantity ("the median of WT"). A missing unit, a wrong dimension and a wrong kind are reported. */
bool hl_study_read_quantity(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what,
                            struct hl_dim dim, const char *unit, double *value);

/* A share: "5 %" or 0.05. */
bool hl_study_read_share(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, double *value);

/* A plain number without a unit. */
bool hl_study_read_number(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, double *value);

/* A whole number, 0 or more; "1e4" is one too. */
bool hl_study_read_whole(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, uint64_t *value);

/* "true" or "false". */
bool hl_study_read_truth(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, bool *value);

/* One of n words; its index. */
bool hl_study_read_choice(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what,
                          const char *const *word, size_t n, size_t *index);

/* Two quantities [low, high] with low < high. */
bool hl_study_read_interval(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what,
                            struct hl_dim dim, const char *unit, double *low, double *high);

/* The elements of a sequence; a lone scalar or mapping counts as a sequence of one. n is 0 for NULL. */
struct hl_yaml **hl_study_items(struct hl_arena *arena, const struct hl_yaml *node, size_t *n);

/* A scalar node made by the program, standing at pos. */
struct hl_yaml *hl_study_scalar(struct hl_arena *arena, struct hl_pos pos, const char *text);

/* An empty mapping or sequence, and growing them. put replaces the value of a key that is there; remove takes a key
 * out, if it is there. */
struct hl_yaml *hl_study_node(struct hl_arena *arena, struct hl_pos pos, enum hl_yaml_kind kind);
void hl_study_put(struct hl_arena *arena, struct hl_yaml *mapping, struct hl_pos key_pos, const char *key,
                  struct hl_yaml *value);
void hl_study_remove(struct hl_yaml *mapping, const char *key);
void hl_study_append(struct hl_arena *arena, struct hl_yaml *sequence, struct hl_yaml *item);

/* Letters, digits and underscores only: "0.25 mg" -> "0_25_mg". */
char *hl_study_safe_name(struct hl_arena *arena, const char *text);

/* ---- the parts of a study */

/* times.c: study->time from times:; no times with a data set. */
void hl_study_read_times(struct hl_study_reader *reader, const struct hl_yaml *node);

/* asked.c: outputs, metrics, thresholds, quantiles. system may be NULL (its models were at fault): then only what
 * can be checked without it is. */
void hl_study_read_outputs(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system);
void hl_study_read_metrics(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system);
void hl_study_read_thresholds(struct hl_study_reader *reader, const struct hl_yaml *node,
                              const struct hl_system *system);
void hl_study_read_quantiles(struct hl_study_reader *reader, const struct hl_yaml *node);

/* asked.c: the study's own index of the output a scalar names, added when new; -1 after a message. */
int hl_study_need_output(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system);

/* Adds the outputs that reviews of tapers look at, wherever in the tree they stand. */
void hl_study_need_reviewed(struct hl_study_reader *reader, const struct hl_yaml *tree,
                            const struct hl_system *system);

/* asked.c: adds what the records of a data set may show: the output of every compartment and the first one of every
 * drug; with amounts, those of every compartment too. */
void hl_study_add_shown(struct hl_study_reader *reader, const struct hl_system *system, bool amounts);

/* data.c: writes data: FILE as the mapping it is short for, and --data into it. */
void hl_study_unfold_data(struct hl_study_reader *reader, struct hl_yaml *tree);
void hl_study_apply_data(struct hl_study_reader *reader, struct hl_yaml *tree);

/* data.c: takes out of a tree with a data set what that set replaces, with messages, and finds its file. Nothing
 * without a data set. */
void hl_study_settle_data(struct hl_study_reader *reader, struct hl_yaml *tree);

/* data.c: study->data, when there is one. */
void hl_study_read_data(struct hl_study_reader *reader, const struct hl_yaml *tree, const struct hl_system *system);

/* data.c: "duration" or "rate". */
bool hl_study_read_scales(struct hl_study_reader *reader, const struct hl_yaml *node, bool *rate);

/* design.c: puts the arms of design: into a tree that asks for a taper (its own arms are set aside), and times where
 * there are none. True when it did. */
bool hl_study_settle_design(struct hl_study_reader *reader, struct hl_yaml *tree);

/* design.c: adds the outputs that the design's constraints speak of. */
void hl_study_need_design(struct hl_study_reader *reader, const struct hl_yaml *design, const struct hl_system *system);

/* people.c: a cohort; NULL when at fault. first is the system whose covariates a study may always name. */
struct hl_cohort_spec *hl_study_read_cohort(struct hl_study_reader *reader, const struct hl_yaml *node,
                                            const struct hl_system *system, const struct hl_system *first);

/* people.c: the table under cohort.csv is named by where it was found, so that the tree can be read from elsewhere. */
void hl_study_find_table(struct hl_study_reader *reader, struct hl_yaml *tree);

/* A covariate's distribution (or value), as under covariates: of the cohort, with a warning for what lies outside the
 * model's range. */
bool hl_study_read_distribution(struct hl_study_reader *reader, const struct hl_yaml *node,
                                const struct hl_system_covariate *covariate, struct hl_distribution *distribution);

/* people.c: one value of a covariate (number with unit, or category). */
bool hl_study_read_covariate(struct hl_study_reader *reader, const struct hl_yaml *node,
                             const struct hl_system_covariate *covariate, double *value);

/* Warns when value lies outside the range the model states for the covariate. */
void hl_study_warn_outside(struct hl_study_reader *reader, struct hl_pos pos,
                           const struct hl_system_covariate *covariate, double value);

/* linking.c: the system of a study tree; equal models and bindings give the same system. NULL when at fault. */
struct hl_study_linking;
struct hl_study_linking *hl_study_linking_create(struct hl_study_reader *reader);
struct hl_system *hl_study_linking_system(struct hl_study_linking *linking, const struct hl_yaml *tree);

/* Focuses a system on the study's outputs, once. */
void hl_study_linking_focus(struct hl_study_linking *linking, const struct hl_system *system);

/* linking.c: writes the values of a parameters: mapping into initial; keys that alter the model tree are skipped, or
 * (in an arm) refused. */
void hl_study_apply_parameters(struct hl_study_reader *reader, const struct hl_yaml *node,
                               const struct hl_system *system, double *initial, bool in_arm);

/* linking.c: whether a key of parameters: is a path into a model file rather than a parameter. */
bool hl_study_is_model_path(const char *key);

/* defaults.c: fills every absent key of the tree and names what it filled under "defaults". system may be NULL. */
void hl_study_fill_defaults(struct hl_study_reader *reader, struct hl_yaml *tree, const struct hl_system *system);

/* Names a path of the tree as one that was filled in, and tells whether it is named so. */
void hl_study_mark_default(struct hl_study_reader *reader, struct hl_yaml *tree, const char *path);
bool hl_study_is_default(const struct hl_yaml *tree, const char *path);

/* The same for the covariates that neither the study nor a table speaks of. */
void hl_study_fill_covariates(struct hl_study_reader *reader, struct hl_yaml *tree, const struct hl_system *system,
                              const struct hl_cohort_spec *spec);

/* The solvers' names, for the nearest one. */
extern const char *const hl_study_solver_words[];
extern const size_t hl_study_n_solver_words;

/* sweep.c */
struct hl_study_sweep_factor {
    struct hl_factor shown;
    struct hl_pos pos;
    const char *label; /* in arm names */
    size_t n_paths;
    const char **path;
    struct hl_pos *path_pos;
    size_t n_levels;
    struct hl_yaml **level;
    double *value;
    const char **text; /* by level */
    bool *touches;     /* by arm of the file */
    bool alters_model;
};
struct hl_study_sweep {
    bool grid;
    size_t n;
    struct hl_study_sweep_factor *factor;
    size_t n_combinations;
};

/* Reads sweep: of the tree; an absent one is a sweep of one combination. NULL when at fault. */
struct hl_study_sweep *hl_study_read_sweep(struct hl_study_reader *reader, const struct hl_yaml *tree);

/* The tree of combination c, and the level of every factor in it (n values). */
struct hl_yaml *hl_study_sweep_tree(struct hl_study_reader *reader, const struct hl_study_sweep *sweep,
                                    const struct hl_yaml *tree, size_t c, size_t *level);

/* Sets what a path of the study language means in a study tree: study keys in place, "alias.NAME" under parameters:.
 * Reports a path that leads nowhere and returns false. in_sweep allows only what may differ between arms. */
bool hl_study_set_path(struct hl_study_reader *reader, struct hl_yaml *tree, const char *path, struct hl_pos pos,
                       const struct hl_yaml *value, bool in_sweep);

/* facts.c: makes factors of the facts: that arms state. */
void hl_study_add_facts(struct hl_study_reader *reader);

/* arms.c: adds the arms of one combination's tree. sweep and level (by factor) may be NULL, system and cohort too when
 * they are at fault. */
void hl_study_read_arms(struct hl_study_reader *reader, const struct hl_yaml *tree, const struct hl_system *system,
                        const struct hl_cohort_spec *cohort, const struct hl_study_sweep *sweep, const size_t *level);

#endif
