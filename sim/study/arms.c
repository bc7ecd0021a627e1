/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arms. One mapping under arms: and one combination of a sweep make one arm: a name that says which levels it stands
 * for, the system with this arm's parameter values, the covariates it fixes for everyone, and the prescriptions of its
 * drugs, still as YAML. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

/* What an arm may say beside its drugs. */
static const char *const own_keys[] = {"name", "label", "covariates", "parameters", "adherence", "facts"};

#define N_OWN_KEYS (sizeof own_keys / sizeof *own_keys)

static void check_arm_keys(struct hl_study_reader *reader, const struct hl_yaml *tree, const struct hl_yaml *node,
                           const char *name)
{
    const struct hl_yaml *drugs = hl_yaml_get(tree, "drugs");
    size_t n = drugs && drugs->kind == HL_YAML_MAPPING ? drugs->n : 0;
    const char **known = hl_arena_alloc(reader->arena, n + N_OWN_KEYS, sizeof *known);
    for (size_t i = 0; i < N_OWN_KEYS; i++)
        known[i] = own_keys[i];
    for (size_t i = 0; i < n; i++)
        known[N_OWN_KEYS + i] = drugs->key[i]->text;
    hl_yaml_check_keys(node, hl_arena_printf(reader->arena, "arm '%s'", name), known, n + N_OWN_KEYS, reader->diag);
}

/* A list of items; a lone item is a list of one. NULL for none, and after a message. */
static const struct hl_yaml *prescription(struct hl_study_reader *reader, const struct hl_yaml *node, const char *drug)
{
    if (node->kind == HL_YAML_SEQUENCE)
        return node;
    if (node->kind == HL_YAML_SCALAR && strcmp(node->text, "none") == 0)
        return NULL;
    if (node->kind == HL_YAML_SCALAR) {
        hl_diag_error(reader->diag, node->pos,
                      "%s: expected a list of what is given, or none; write [{oral: 1 mg, every: 12 h, for: 14 d}]",
                      drug);
        return NULL;
    }
    struct hl_yaml *list = hl_study_node(reader->arena, node->pos, HL_YAML_SEQUENCE);
    hl_study_append(reader->arena, list, hl_yaml_clone(reader->arena, node));
    return list;
}

static void read_prescriptions(struct hl_study_reader *reader, const struct hl_yaml *node,
                               const struct hl_system *system, struct hl_arm *arm)
{
    arm->prescription = hl_arena_alloc(reader->arena, system->n_instances, sizeof *arm->prescription);
    for (size_t i = 0; i < system->n_instances; i++) {
        const struct hl_yaml *found = system->instance[i].is_drug ? hl_yaml_get(node, system->instance[i].alias) : NULL;
        if (found)
            arm->prescription[i] = prescription(reader, found, system->instance[i].alias);
    }
}

/* A covariate that is drawn otherwise in this arm: the arm's people are the cohort's with this distribution in the
 * place of the cohort's. Every subject keeps its normal score, so whoever is old among the one is old among the
 * other. */
static void redraw(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                   int covariate, struct hl_arm *arm)
{
    struct hl_distribution distribution;
    if (reader->has_data)
        hl_diag_error(reader->diag, node->pos,
                      "%s of an arm: expected one value; of a data set only the cohort can have a "
                      "distribution",
                      system->covariate[covariate].name);
    else if (hl_study_read_distribution(reader, node, &system->covariate[covariate], &distribution) && arm->cohort) {
        struct hl_cohort_spec *own = hl_arena_alloc(reader->arena, 1, sizeof *own);
        *own = *arm->cohort;
        own->distribution = hl_arena_alloc(reader->arena, system->n_covariates, sizeof *own->distribution);
        memcpy(own->distribution, arm->cohort->distribution, system->n_covariates * sizeof *own->distribution);
        own->distribution[covariate] = distribution;
        arm->cohort = own;
    }
}

static void read_overrides(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                           struct hl_arm *arm)
{
    if (!node)
        return;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos,
                      "covariates of an arm: expected names with values; write {carbamazepine: present}");
        return;
    }
    const char **name = hl_arena_alloc(reader->arena, system->n_covariates, sizeof *name);
    for (size_t i = 0; i < system->n_covariates; i++)
        name[i] = system->covariate[i].name;
    arm->covariate = hl_arena_alloc(reader->arena, node->n, sizeof *arm->covariate);
    arm->covariate_value = hl_arena_alloc(reader->arena, node->n, sizeof *arm->covariate_value);
    for (size_t i = 0; i < node->n; i++) {
        int covariate = hl_system_find_covariate(system, node->key[i]->text);
        double value;
        char hint[128];
        if (covariate < 0)
            hl_diag_error(reader->diag, node->key[i]->pos, "no model has a covariate '%s'%s", node->key[i]->text,
                          hl_text_did_you_mean(node->key[i]->text, name, system->n_covariates, hint, sizeof hint));
        else if (node->item[i]->kind == HL_YAML_MAPPING)
            redraw(reader, node->item[i], system, covariate, arm);
        else if (hl_study_read_covariate(reader, node->item[i], &system->covariate[covariate], &value)) {
            hl_study_warn_outside(reader, node->item[i]->pos, &system->covariate[covariate], value);
            arm->covariate[arm->n_covariate_overrides] = covariate;
            arm->covariate_value[arm->n_covariate_overrides++] = value;
        }
    }
}

/* The system with the study's and then the arm's own parameter values. */
static const struct hl_system *with_parameters(struct hl_study_reader *reader, const struct hl_yaml *tree,
                                               const struct hl_yaml *node, const struct hl_system *system)
{
    const struct hl_yaml *common = hl_yaml_get(tree, "parameters"), *own = hl_yaml_get(node, "parameters");
    if (!common && !own)
        return system;
    struct hl_system *variant = hl_system_variant(reader->arena, system);
    hl_study_apply_parameters(reader, common, variant, variant->initial, false);
    hl_study_apply_parameters(reader, own, variant, variant->initial, true);
    return variant;
}

/* Whether the arm of the file with this index takes part in the combination: for a factor that doesn't touch it, it
 * appears at the first level only. */
static bool takes_part(const struct hl_study_sweep *sweep, const size_t *level, size_t arm)
{
    for (size_t f = 0; sweep && f < sweep->n; f++)
        if (!sweep->factor[f].touches[arm] && level[f] != 0)
            return false;
    return true;
}

static void note_levels(struct hl_study_reader *reader, const struct hl_study_sweep *sweep, const size_t *level,
                        size_t index, struct hl_arm *arm)
{
    size_t n = sweep ? sweep->n : 0;
    arm->factor_value = hl_arena_alloc(reader->arena, n, sizeof *arm->factor_value);
    arm->factor_text = hl_arena_alloc(reader->arena, n, sizeof *arm->factor_text);
    for (size_t f = 0; f < n; f++) {
        const struct hl_study_sweep_factor *factor = &sweep->factor[f];
        bool touched = factor->touches[index];
        arm->factor_value[f] = touched ? factor->value[level[f]] : NAN;
        arm->factor_text[f] = touched ? factor->text[level[f]] : "";
        if (touched)
            arm->name = hl_arena_printf(reader->arena, "%s, %s=%s", arm->name, factor->label, factor->text[level[f]]);
    }
}

static void keep_arm(struct hl_study_reader *reader, const struct hl_arm *arm)
{
    struct hl_study *study = reader->study;
    for (size_t i = 0; i < study->n_arms; i++)
        if (strcmp(study->arm[i].name, arm->name) == 0) {
            hl_diag_error(reader->diag, arm->pos, "two arms are named '%s'; give each its own name", arm->name);
            return;
        }
    if (study->n_arms == HL_MAX_ARMS) {
        hl_diag_error(reader->diag, arm->pos, "more than the most of %d arms; sweep over fewer levels", HL_MAX_ARMS);
        return;
    }
    study->arm = hl_arena_push(reader->arena, study->arm, study->n_arms, &reader->arms_capacity, sizeof *study->arm);
    study->arm[study->n_arms++] = *arm;
}

static void read_arm(struct hl_study_reader *reader, const struct hl_yaml *tree, const struct hl_yaml *node,
                     const struct hl_system *system, const struct hl_cohort_spec *cohort,
                     const struct hl_study_sweep *sweep, const size_t *level, size_t index)
{
    struct hl_arm arm = {.pos = node->pos, .system = system, .cohort = cohort};
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos,
                      "an arm is a mapping; write {name: daily, clonazepam: [{oral: 1 mg, every: 24 h, "
                      "for: 7 d}]}");
        return;
    }
    const struct hl_yaml *name = hl_yaml_get(node, "name");
    if (!name)
        hl_diag_error(reader->diag, node->pos, "an arm needs a name; write {name: daily, ...}");
    const char *text = name ? hl_yaml_text(name, "a name for the arm", reader->diag) : NULL;
    if (text && !*text) {
        hl_diag_error(reader->diag, name->pos, "an arm needs a name, but found ''; write {name: daily, ...}");
        text = NULL;
    }
    arm.name = text ? text : "";
    check_arm_keys(reader, tree, node, text ? text : "without a name");
    const struct hl_yaml *adherence = hl_yaml_get(node, "adherence");
    arm.facts = hl_yaml_get(node, "facts");
    arm.adherence = adherence ? adherence : hl_yaml_get(tree, "adherence");
    if (system) {
        read_prescriptions(reader, node, system, &arm);
        read_overrides(reader, hl_yaml_get(node, "covariates"), system, &arm);
        arm.system = with_parameters(reader, tree, node, system);
    }
    if (!text)
        return;
    note_levels(reader, sweep, level, index, &arm);
    arm.pos = name->pos;
    keep_arm(reader, &arm);
}

void hl_study_read_arms(struct hl_study_reader *reader, const struct hl_yaml *tree, const struct hl_system *system,
                        const struct hl_cohort_spec *cohort, const struct hl_study_sweep *sweep, const size_t *level)
{
    const struct hl_yaml *arms = hl_yaml_get(tree, "arms");
    if (!arms)
        return; /* reported with the study's keys */
    if (arms->kind != HL_YAML_SEQUENCE || arms->n == 0) {
        hl_diag_error(reader->diag, arms->pos,
                      "arms: expected a list of arms; write [{name: daily, clonazepam: [{oral: 1 mg, "
                      "every: 24 h, for: 7 d}]}]");
        return;
    }
    for (size_t i = 0; i < arms->n; i++)
        if (takes_part(sweep, level, i))
            read_arm(reader, tree, arms->item[i], system, cohort, sweep, level, i);
}
