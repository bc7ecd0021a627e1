/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From drugs: and interactions: to a system. A study reaches into its models in two ways, both written under
 * parameters: as "alias.PARAM: value", which only changes a starting value, and "alias.random.eta_CL.variance: value",
 * a path into the model's file, which alters its tree before it is read. Combinations of a sweep that share models and
 * alterations share one system: the key is the text of all that goes into it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

struct built {
    const char *key;
    struct hl_system *system;
    bool focused;
};

struct hl_study_linking {
    struct hl_study_reader *reader;
    struct built *built;
    size_t n, capacity;
    size_t files_capacity;
};

/* The parts of a model file that a path may reach into. */
static const char *const model_keys[] = {
    "molar_mass", "equivalents", "covariates", "parameters",   "random", "mixtures", "inputs",         "individual",
    "compartments", "flows",     "routes",     "effect_sites", "states", "outputs",  "residual_error", "title",
    "description"};

/* Words with a meaning of their own where an alias could stand. */
static const char *const arm_words[] = {"name", "label", "covariates"};

struct hl_study_linking *hl_study_linking_create(struct hl_study_reader *reader)
{
    struct hl_study_linking *linking = hl_arena_alloc(reader->arena, 1, sizeof *linking);
    linking->reader = reader;
    return linking;
}

bool hl_study_is_model_path(const char *key)
{
    const char *dot = strchr(key, '.');
    if (!dot)
        return false;
    for (size_t i = 0; i < sizeof model_keys / sizeof *model_keys; i++) {
        size_t n = strlen(model_keys[i]);
        if (strncmp(dot + 1, model_keys[i], n) == 0 && (dot[1 + n] == '.' || dot[1 + n] == '\0'))
            return true;
    }
    return false;
}

/* key belongs to this alias: what follows its dot, else NULL. */
static const char *below_alias(const char *key, const char *alias)
{
    size_t n = strlen(alias);
    return strncmp(key, alias, n) == 0 && key[n] == '.' ? key + n + 1 : NULL;
}

/* ---- altering model trees */

/* Reports the first element of a path that isn't there, with what is. */
static void report_lost_path(struct hl_study_reader *reader, const struct hl_yaml *key, const char *model,
                             const struct hl_yaml *tree, const char *path)
{
    char hint[256];
    const struct hl_yaml *node = tree;
    const char *rest = path, *dot;
    char *element = NULL;
    while ((dot = strchr(rest, '.')) != NULL) {
        const struct hl_yaml *next =
            hl_yaml_get(node, element = hl_arena_strndup(reader->arena, rest, (size_t)(dot - rest)));
        if (!next)
            break;
        node = next;
        rest = dot + 1;
    }
    if (!dot)
        element = hl_arena_strdup(reader->arena, rest);
    size_t n = node->kind == HL_YAML_MAPPING ? node->n : 0;
    const char **name = hl_arena_alloc(reader->arena, n, sizeof *name);
    for (size_t i = 0; i < n; i++)
        name[i] = node->key[i]->text;
    hl_diag_error(reader->diag, key->pos, "model '%s' has nothing at '%s'%s", model, path,
                  hl_text_did_you_mean(element, name, n, hint, sizeof hint));
}

/* The same spread can be said in several measures: a new one takes the place of the old one, and a covariance matrix
 * that of spreads and correlations. */
static void replace_measure(struct hl_study_reader *reader, struct hl_yaml *tree, const char *path,
                            const struct hl_yaml *value)
{
    static const char *const measures[] = {"variance", "sd", "cv", "correlation", "covariance"};
    const char *dot = strrchr(path, '.'), *last = dot ? dot + 1 : path;
    if (strncmp(path, "random.", 7) != 0 || !dot)
        return;
    struct hl_yaml *holder = hl_yaml_at(tree, hl_arena_strndup(reader->arena, path, (size_t)(dot - path)));
    size_t measure = 0, others = strcmp(last, "covariance") == 0 ? 4 : 3, replaced = 0;
    while (measure < 5 && strcmp(last, measures[measure]) != 0)
        measure++;
    if (measure == 5 || measure == 3 || !holder || holder->kind != HL_YAML_MAPPING || hl_yaml_get(holder, last))
        return;
    for (size_t i = 0; i < others; i++)
        if (hl_yaml_get(holder, measures[i])) {
            hl_study_remove(holder, measures[i]);
            replaced++;
        }
    if (replaced)
        hl_study_put(reader->arena, holder, value->pos, last, hl_yaml_clone(reader->arena, value));
}

/* A block may be added to a model's random effects; all else must be there. */
static bool may_be_new(const char *path)
{
    return strcmp(path, "random.block") == 0 || strcmp(path, "random.blocks") == 0;
}

static void alter_model(struct hl_study_reader *reader, struct hl_yaml *tree, const struct hl_yaml *parameters,
                        const char *alias, const char *model)
{
    for (size_t i = 0; parameters && parameters->kind == HL_YAML_MAPPING && i < parameters->n; i++) {
        const char *path = below_alias(parameters->key[i]->text, alias);
        if (!path || !hl_study_is_model_path(parameters->key[i]->text))
            continue;
        replace_measure(reader, tree, path, parameters->item[i]);
        if (hl_yaml_set(reader->arena, tree, path, parameters->item[i], may_be_new(path)) == 0)
            report_lost_path(reader, parameters->key[i], model, tree, path);
    }
}

/* ---- files read, for provenance */

/* True for the names that stand for no model file. */
static bool is_own_place(const struct hl_study *study, const char *file)
{
    return !file || strcmp(file, study->path) == 0 || strncmp(file, "--", 2) == 0;
}

static void note_files(struct hl_study_linking *linking, const struct hl_yaml *node)
{
    struct hl_study *study = linking->reader->study;
    const char *file = node->pos.file;
    bool known = is_own_place(study, file);
    for (size_t i = 0; !known && i < study->n_model_files; i++)
        known = study->model_path[i] == file || strcmp(study->model_path[i], file) == 0;
    if (!known) {
        study->model_path = hl_arena_push(linking->reader->arena, study->model_path, study->n_model_files,
                                          &linking->files_capacity, sizeof *study->model_path);
        study->model_path[study->n_model_files++] = file;
    }
    for (size_t i = 0; i < node->n; i++)
        note_files(linking, node->item[i]);
}

/* ---- instances */

static bool check_alias(struct hl_study_reader *reader, const struct hl_yaml *key)
{
    const char *alias = key->text;
    bool taken = false;
    for (size_t i = 0; i < hl_study_n_keys; i++)
        taken |= strcmp(alias, hl_study_keys[i]) == 0;
    for (size_t i = 0; i < sizeof arm_words / sizeof *arm_words; i++)
        taken |= strcmp(alias, arm_words[i]) == 0;
    if (!hl_text_is_name(alias))
        hl_diag_error(reader->diag, key->pos,
                      "'%s' can't name a drug; use a letter, then letters, digits and underscores", alias);
    else if (taken)
        hl_diag_error(reader->diag, key->pos, "'%s' is a word of the study language; give the drug another name",
                      alias);
    else
        return true;
    return false;
}

static void read_bindings(struct hl_study_reader *reader, const struct hl_yaml *node, struct hl_instance *instance)
{
    if (!node)
        return;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos, "inputs: expected names with outputs; write {CF: fentanyl.Ce}");
        return;
    }
    instance->input_name = hl_arena_alloc(reader->arena, node->n, sizeof *instance->input_name);
    instance->input_output = hl_arena_alloc(reader->arena, node->n, sizeof *instance->input_output);
    struct hl_pos *name_pos = hl_arena_alloc(reader->arena, node->n, sizeof *name_pos);
    struct hl_pos *output_pos = hl_arena_alloc(reader->arena, node->n, sizeof *output_pos);
    instance->input_name_pos = name_pos;
    instance->input_output_pos = output_pos;
    for (size_t i = 0; i < node->n; i++) {
        const char *output = hl_yaml_text(node->item[i], "an output such as fentanyl.Ce", reader->diag);
        if (!output)
            continue;
        name_pos[instance->n_inputs] = node->key[i]->pos;
        output_pos[instance->n_inputs] = node->item[i]->pos;
        instance->input_name[instance->n_inputs] = node->key[i]->text;
        instance->input_output[instance->n_inputs++] = output;
    }
}

/* The scalar that names the model of "alias: model" or "alias: {model: model, inputs: {...}}"; NULL after a message. */
static const struct hl_yaml *model_node(struct hl_study_reader *reader, const struct hl_yaml *node,
                                        struct hl_instance *instance)
{
    static const char *const keys[] = {"model", "inputs"};
    if (node->kind == HL_YAML_MAPPING) {
        const struct hl_yaml *model = hl_yaml_get(node, "model");
        hl_yaml_check_keys(node, "a model's place", keys, 2, reader->diag);
        read_bindings(reader, hl_yaml_get(node, "inputs"), instance);
        if (!model)
            hl_diag_error(reader->diag, node->pos, "'%s' has no model; write {model: NAME}", instance->alias);
        node = model;
    }
    return node && hl_yaml_text(node, "the name of a model", reader->diag) ? node : NULL;
}

static bool read_instance(struct hl_study_linking *linking, const struct hl_yaml *key, const struct hl_yaml *node,
                          bool is_drug, const struct hl_yaml *parameters, struct hl_instance *instance)
{
    struct hl_study_reader *reader = linking->reader;
    *instance = (struct hl_instance){.alias = key->text, .pos = key->pos, .is_drug = is_drug};
    bool named = check_alias(reader, key);
    const struct hl_yaml *model = model_node(reader, node, instance);
    if (!model)
        return false;
    struct hl_yaml *tree =
        hl_model_tree(reader->arena, model->text, reader->directory, reader->n_directories, model->pos, reader->diag);
    if (!tree)
        return false;
    note_files(linking, tree);
    alter_model(reader, tree, parameters, key->text, model->text);
    instance->model = hl_model_from_yaml(reader->arena, tree, reader->directory, reader->n_directories, reader->diag);
    return named && instance->model;
}

/* Reads a mapping of aliases behind the n instances there are. */
static bool read_instances(struct hl_study_linking *linking, const struct hl_yaml *tree, const char *section,
                           struct hl_instance *instance, size_t *n)
{
    struct hl_study_reader *reader = linking->reader;
    const struct hl_yaml *node = hl_yaml_get(tree, section);
    bool good = true;
    if (!node)
        return true;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos, "%s: expected names with models; write {clonazepam: clonazepam_adult}",
                      section);
        return false;
    }
    for (size_t i = 0; i < node->n; i++) {
        for (size_t j = 0; j < *n; j++)
            if (strcmp(instance[j].alias, node->key[i]->text) == 0) {
                hl_diag_error(reader->diag, node->key[i]->pos, "'%s' names two models; choose another name",
                              instance[j].alias);
                good = false;
            }
        good = read_instance(linking, node->key[i], node->item[i], strcmp(section, "drugs") == 0,
                             hl_yaml_get(tree, "parameters"), &instance[*n]) &&
               good;
        ++*n;
    }
    return good;
}

static size_t size_of(const struct hl_yaml *node)
{
    return node && node->kind == HL_YAML_MAPPING ? node->n : 0;
}

/* All that the system depends on, as text. */
static const char *key_of(struct hl_arena *arena, const struct hl_yaml *tree)
{
    const struct hl_yaml *drugs = hl_yaml_get(tree, "drugs"), *interactions = hl_yaml_get(tree, "interactions");
    const struct hl_yaml *parameters = hl_yaml_get(tree, "parameters");
    const char *key = hl_arena_printf(arena, "%s\n%s", drugs ? hl_yaml_to_text(arena, drugs) : "",
                                      interactions ? hl_yaml_to_text(arena, interactions) : "");
    for (size_t i = 0; i < size_of(parameters); i++)
        if (hl_study_is_model_path(parameters->key[i]->text))
            key = hl_arena_printf(arena, "%s\n%s: %s", key, parameters->key[i]->text,
                                  hl_yaml_to_text(arena, parameters->item[i]));
    return key;
}

static struct hl_system *build(struct hl_study_linking *linking, const struct hl_yaml *tree)
{
    struct hl_study_reader *reader = linking->reader;
    size_t n = 0, most = size_of(hl_yaml_get(tree, "drugs")) + size_of(hl_yaml_get(tree, "interactions"));
    struct hl_instance *instance = hl_arena_alloc(reader->arena, most, sizeof *instance);
    bool good = read_instances(linking, tree, "drugs", instance, &n);
    good = read_instances(linking, tree, "interactions", instance, &n) && good;
    if (n == 0 && good)
        hl_diag_error(reader->diag, tree->pos,
                      "a study needs at least one drug; write drugs: {clonazepam: clonazepam_adult}");
    return good && n ? hl_system_link(reader->arena, instance, n, reader->diag) : NULL;
}

struct hl_system *hl_study_linking_system(struct hl_study_linking *linking, const struct hl_yaml *tree)
{
    struct hl_arena *arena = linking->reader->arena;
    const char *key = key_of(arena, tree);
    for (size_t i = 0; i < linking->n; i++)
        if (strcmp(linking->built[i].key, key) == 0)
            return linking->built[i].system;
    struct hl_system *system = build(linking, tree);
    linking->built = hl_arena_push(arena, linking->built, linking->n, &linking->capacity, sizeof *linking->built);
    linking->built[linking->n++] = (struct built){key, system, false};
    return system;
}

void hl_study_linking_focus(struct hl_study_linking *linking, const struct hl_system *system)
{
    const struct hl_study *study = linking->reader->study;
    for (size_t i = 0; i < linking->n; i++) {
        struct built *built = &linking->built[i];
        if (built->system != system || built->focused)
            continue;
        hl_system_focus(linking->reader->arena, built->system, study->output, study->n_outputs);
        built->focused = true;
    }
}

/* ---- parameter values */

static void unknown_parameter(struct hl_study_reader *reader, const struct hl_yaml *key, const struct hl_system *system)
{
    char hint[256];
    const char **name = hl_arena_alloc(reader->arena, system->n_parameters, sizeof *name);
    for (size_t i = 0; i < system->n_parameters; i++)
        name[i] = system->parameter[i].name;
    for (size_t i = 0; i < system->n_individuals; i++)
        if (strcmp(system->individual_value[i].name, key->text) == 0) {
            hl_diag_error(reader->diag, key->pos,
                          "'%s' is computed for each subject; change a parameter it is made from", key->text);
            return;
        }
    hl_diag_error(reader->diag, key->pos, "no model has a parameter '%s'%s", key->text,
                  hl_text_did_you_mean(key->text, name, system->n_parameters, hint, sizeof hint));
}

static void apply_parameter(struct hl_study_reader *reader, const struct hl_yaml *key, const struct hl_yaml *value,
                            const struct hl_system *system, double *initial)
{
    int index = hl_system_find_parameter(system, key->text);
    double read;
    if (index < 0) {
        unknown_parameter(reader, key, system);
        return;
    }
    const struct hl_parameter *info = system->parameter[index].info;
    const char *unit = info->unit_text && *info->unit_text ? info->unit_text : "1";
    if (!hl_study_read_quantity(reader, value, key->text, info->unit.dim, unit, &read))
        return;
    if (info->has_range && (read < info->low || read > info->high))
        hl_diag_warning(reader->diag, value->pos, "%s = '%s' lies outside the range its model states, %g to %g %s",
                        key->text, value->text, info->low / info->unit.factor, info->high / info->unit.factor, unit);
    initial[system->parameter[index].reg] = read;
}

void hl_study_apply_parameters(struct hl_study_reader *reader, const struct hl_yaml *node,
                               const struct hl_system *system, double *initial, bool in_arm)
{
    if (!node)
        return;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos,
                      "parameters: expected names with values; write {clonazepam.TVCL: 2 L/h}");
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const char *key = node->key[i]->text;
        bool into_model = hl_study_is_model_path(key) && hl_system_find_parameter(system, key) < 0;
        char *alias = hl_arena_strndup(reader->arena, key, strcspn(key, "."));
        if (!into_model)
            apply_parameter(reader, node->key[i], node->item[i], system, initial);
        else if (in_arm)
            hl_diag_error(reader->diag, node->key[i]->pos,
                          "'%s' reaches into a model file, which all arms share; write it "
                          "under the study's own parameters:, or sweep over it",
                          key);
        else if (hl_system_find_instance(system, alias) < 0)
            unknown_parameter(reader, node->key[i], system);
    }
}
