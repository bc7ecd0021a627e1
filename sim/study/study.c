/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study is read in this order, and every step goes on after a fault as far as it makes sense, so that one pass
 * reports them all:
 *
 *     tree         YAML, then --set, --data, --subjects, --seed and --typical written into it as if they had stood
 * there; with a data set, without what it replaces (data.c) system       the models of the first combination of the
 * sweep, linked resolved     a copy of the tree with every default filled in (defaults.c); all that follows is read
 * from it what to ask  times, outputs, metrics, thresholds, quantiles, settings arms         combination by
 * combination: its tree, its system (shared where equal), its cohort, its arms
 */
#include "study/study.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

const char *const hl_study_keys[] = {"study",
                                     "title",
                                     "description",
                                     "origin",
                                     "drugs",
                                     "interactions",
                                     "parameters",
                                     "cohort",
                                     "arms",
                                     "times",
                                     "outputs",
                                     "metrics",
                                     "thresholds",
                                     "quantiles",
                                     "solver",
                                     "tolerance",
                                     "precision",
                                     "compression",
                                     "store",
                                     "sweep",
                                     "defaults",
                                     "data",
                                     "design",
                                     "bioavailability_scales",
                                     "adherence"};
const size_t hl_study_n_keys = sizeof hl_study_keys / sizeof *hl_study_keys;

#define LEAST_TOLERANCE 1e-14
#define MOST_TOLERANCE  1e-2

/* ---- the tree */

/* cohort: typical is short for a mapping, to which a seed can be added. */
static void unfold_typical(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    const struct hl_yaml *cohort = hl_yaml_get(tree, "cohort");
    if (!cohort || cohort->kind != HL_YAML_SCALAR || strcmp(cohort->text, "typical") != 0)
        return;
    struct hl_yaml *mapping = hl_study_node(reader->arena, cohort->pos, HL_YAML_MAPPING);
    hl_study_put(reader->arena, mapping, cohort->pos, "typical", hl_study_scalar(reader->arena, cohort->pos, "true"));
    hl_study_put(reader->arena, tree, cohort->pos, "cohort", mapping);
}

static void apply_set(struct hl_study_reader *reader, struct hl_yaml *tree, const struct hl_set *set)
{
    struct hl_pos pos = {.file = hl_arena_printf(reader->arena, "--set %s", set->key)};
    const struct hl_yaml *value = NULL;
    if (!*set->value)
        hl_diag_error(reader->diag, pos, "no value; write --set '%s=VALUE'", set->key);
    else
        value = hl_yaml_load_text(reader->arena, pos.file, set->value, reader->diag);
    if (!value || !hl_study_set_path(reader, tree, set->key, pos, value, false))
        return;
    unfold_typical(reader, tree);
    hl_study_unfold_data(reader, tree);
}

/* The cohort's mapping, made when absent; NULL when something else stands there. */
static struct hl_yaml *cohort_of(struct hl_study_reader *reader, struct hl_yaml *tree, struct hl_pos pos)
{
    if (!hl_yaml_get(tree, "cohort"))
        hl_study_put(reader->arena, tree, pos, "cohort", hl_study_node(reader->arena, pos, HL_YAML_MAPPING));
    struct hl_yaml *cohort = hl_yaml_get(tree, "cohort");
    return cohort->kind == HL_YAML_MAPPING ? cohort : NULL;
}

static void put_in_cohort(struct hl_study_reader *reader, struct hl_yaml *tree, const char *option, const char *key,
                          const char *text)
{
    struct hl_pos pos = {.file = option};
    struct hl_yaml *cohort = cohort_of(reader, tree, pos);
    if (cohort)
        hl_study_put(reader->arena, cohort, pos, key, hl_study_scalar(reader->arena, pos, text));
}

static void apply_sets(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    for (size_t i = 0; i < reader->options->n_sets; i++)
        apply_set(reader, tree, &reader->options->set[i]);
}

/* A study without people is about the typical one: a seed alone doesn't change that. A data set has people. */
static void apply_options(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    const struct hl_study_options *options = reader->options;
    if (options->data)
        hl_study_apply_data(reader, tree);
    reader->has_data = hl_yaml_get(tree, "data") != NULL;
    bool nobody = !hl_yaml_get(tree, "cohort") && !options->has_subjects && !reader->has_data;
    if (options->typical || (options->has_seed && nobody))
        put_in_cohort(reader, tree, options->typical ? "--typical" : "--seed", "typical", "true");
    const struct hl_yaml *typical = hl_yaml_at(tree, "cohort.typical");
    if (options->has_subjects && !reader->has_data && typical && typical->kind == HL_YAML_SCALAR &&
        strcmp(typical->text, "true") == 0)
        hl_diag_error(reader->diag, (struct hl_pos){.file = "--subjects"},
                      "the cohort is typical: one subject; leave --subjects out, or give the study a cohort");
    else if (options->has_subjects)
        put_in_cohort(reader, tree, "--subjects", "subjects",
                      hl_arena_printf(reader->arena, "%" PRIu64, options->subjects));
    if (options->has_seed)
        put_in_cohort(reader, tree, "--seed", "seed", hl_arena_printf(reader->arena, "%" PRIu64, options->seed));
}

static void check_top(struct hl_study_reader *reader, const struct hl_yaml *tree)
{
    static const char *const needed[][2] = {{"study", "a name; write study: NAME"},
                                            {"arms", "arms; write arms: [{name: daily, clonazepam: [...]}]"},
                                            {"times", "times; write times: [{until: 24 h, every: 10 min}]"}};
    const struct hl_yaml *defaults = hl_yaml_get(tree, "defaults");
    bool designs = hl_yaml_get(tree, "design") && (reader->options->design || !hl_yaml_get(tree, "arms"));
    hl_yaml_check_keys(tree, "a study", hl_study_keys, hl_study_n_keys, reader->diag);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!hl_yaml_get(tree, needed[i][0]) && !(i > 0 && (reader->has_data || designs)))
            hl_diag_error(reader->diag, tree->pos, "a study needs %s", needed[i][1]);
    if (defaults && defaults->kind != HL_YAML_SEQUENCE)
        hl_diag_error(reader->diag, defaults->pos,
                      "defaults: is the list that a resolved study keeps of what was filled in; "
                      "remove it");
}

static const char *optional_text(struct hl_study_reader *reader, const struct hl_yaml *tree, const char *key)
{
    const struct hl_yaml *node = hl_yaml_get(tree, key);
    const char *text = node ? hl_yaml_text(node, "a text", reader->diag) : NULL;
    return text ? text : "";
}

/* The name becomes a file's: output/NAME.h5. */
static void read_name(struct hl_study_reader *reader, const struct hl_yaml *node)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *text = node ? hl_yaml_text(node, "a name for the study", reader->diag) : NULL;
    reader->study->name = text ? text : "";
    if (text && (!*text || *text == '-' || text[strspn(text, allowed)]))
        hl_diag_error(reader->diag, node->pos,
                      "'%s' can't name a study and its file; use letters, digits and underscores", text);
}

/* ---- settings */

static bool two_digits(const char *text, unsigned most, unsigned *value)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *value = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
    return *value <= most;
}

/* "08:00" or "08:00:30" in hours. */
static bool clock_hours(const char *text, double *hours)
{
    unsigned h, m, s = 0;
    size_t n = strlen(text);
    if ((n != 5 && n != 8) || !two_digits(text, 23, &h) || text[2] != ':' || !two_digits(text + 3, 59, &m))
        return false;
    if (n == 8 && (text[5] != ':' || !two_digits(text + 6, 59, &s)))
        return false;
    *hours = h + m / 60.0 + s / 3600.0;
    return true;
}

static void read_origin(struct hl_study_reader *reader, const struct hl_yaml *node)
{
    const char *text = hl_yaml_text(node, "a time of day such as \"08:00\"", reader->diag);
    if (text && !clock_hours(text, &reader->study->origin))
        hl_diag_error(reader->diag, node->pos, "origin: expected a time of day from \"00:00\" to \"23:59\", found '%s'",
                      text);
}

static void read_tolerance(struct hl_study_reader *reader, const struct hl_yaml *node)
{
    double *tolerance = &reader->study->tolerance;
    if (hl_study_read_number(reader, node, "tolerance", tolerance) &&
        !(*tolerance >= LEAST_TOLERANCE && *tolerance <= MOST_TOLERANCE))
        hl_diag_error(reader->diag, node->pos, "tolerance: expected a number from 1e-14 to 1e-2, found '%s'",
                      node->text);
}

static const char *choice(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what,
                          const char *const *word, size_t n)
{
    size_t index = 0;
    hl_study_read_choice(reader, node, what, word, n, &index);
    return word[index];
}

static bool faulty(const struct hl_study_reader *reader)
{
    return hl_diag_count(reader->diag, HL_ERROR) > reader->faults;
}

enum part { SUMMARIES, TRAJECTORIES, OBSERVATIONS, RECORDS, AMOUNTS, N_PARTS };

/* Records, and the amounts in them, are what a data set leaves; trajectories and summaries are of prescriptions. */
static void read_store(struct hl_study_reader *reader, const struct hl_yaml *node, bool stored[N_PARTS])
{
    static const char *const words[] = {"summaries", "trajectories", "observations", "records", "amounts"};
    size_t n, index;
    struct hl_yaml **item = hl_study_items(reader->arena, node, &n);
    for (size_t i = 0; i < n; i++) {
        if (!hl_study_read_choice(reader, item[i], "part of store", words, N_PARTS, &index))
            continue;
        stored[index] = true;
        if (reader->has_data && index < RECORDS)
            hl_diag_note(reader->diag, item[i]->pos, "store: a data set leaves records, %s",
                         index == OBSERVATIONS ? "which hold the observations as DV"
                                               : hl_arena_printf(reader->arena, "not %s", words[index]));
        if (!reader->has_data && index >= RECORDS)
            hl_diag_error(reader->diag, item[i]->pos,
                          "store: %s are of data sets, and this study has none; add data: FILE.csv, or remove it",
                          words[index]);
    }
    reader->study->store_trajectories = stored[TRAJECTORIES] && !reader->has_data;
    reader->study->store_observations = stored[OBSERVATIONS] && !reader->has_data;
}

static bool has_error(const struct hl_output *output)
{
    return output->residual_additive > 0.0 || output->residual_proportional > 0.0;
}

bool hl_study_is_observed(const struct hl_study *study, size_t output)
{
    bool observed = false;
    for (size_t a = 0; study->store_observations && a < study->n_arms; a++)
        observed = observed || has_error(&study->arm[a].system->output[study->output[output]]);
    return observed;
}

/* Observations of outputs without error would be missing without a word. */
static void check_observed(struct hl_study_reader *reader, const struct hl_yaml *store)
{
    const struct hl_study *study = reader->study;
    bool observed = !study->store_observations || faulty(reader);
    for (size_t i = 0; !observed && i < study->n_outputs; i++)
        observed = hl_study_is_observed(study, i);
    if (!observed)
        hl_diag_warning(reader->diag, store->pos,
                        "store: there are no observations to store: none of the outputs has a residual_error in its "
                        "model");
}

static void read_settings(struct hl_study_reader *reader, const struct hl_yaml *tree)
{
    static const char *const precisions[] = {"single", "double", "rounded"};
    static const char *const compressions[] = {"fast", "none", "small"};
    struct hl_study *study = reader->study;
    const struct hl_yaml *precision = hl_yaml_get(tree, "precision"), *scales;
    bool scales_rate = true;
    study->title = optional_text(reader, tree, "title");
    study->description = optional_text(reader, tree, "description");
    read_origin(reader, hl_yaml_get(tree, "origin"));
    read_tolerance(reader, hl_yaml_get(tree, "tolerance"));
    study->solver =
        choice(reader, hl_yaml_get(tree, "solver"), "solver", hl_study_solver_words, hl_study_n_solver_words);
    study->precision = choice(reader, precision, "precision", precisions, 3);
    if (reader->has_data && strcmp(study->precision, "double") != 0) {
        hl_diag_note(reader->diag, precision->pos, "records are always stored in double precision");
        study->precision = "double";
    }
    study->compression = choice(reader, hl_yaml_get(tree, "compression"), "compression", compressions, 3);
    if ((scales = hl_yaml_get(tree, "bioavailability_scales")) != NULL)
        hl_study_read_scales(reader, scales, &scales_rate);
    study->scales_duration = !scales_rate;
}

/* ---- combinations */

/* All combinations must speak of the same outputs at the same places. */
static bool same_outputs(struct hl_study_reader *reader, const struct hl_system *system, struct hl_pos pos)
{
    const struct hl_study *study = reader->study;
    for (size_t i = 0; i < study->n_outputs; i++) {
        size_t output = (size_t)study->output[i];
        const char *name = study->system->output[output].name;
        if (output < system->n_outputs && strcmp(system->output[output].name, name) == 0 &&
            hl_dim_equal(system->output[output].unit.dim, study->system->output[output].unit.dim))
            continue;
        hl_diag_error(reader->diag, pos,
                      "a sweep can only run through models with the same outputs in the same order: '%s' "
                      "isn't at its place in one of them; make a study for each",
                      name);
        return false;
    }
    return true;
}

#define MOST_WITH_FAULTS 64 /* combinations */

struct combinations {
    struct hl_study_reader *reader;
    struct hl_study_linking *linking;
    const struct hl_study_sweep *sweep;
    /* the last cohort read, and all it was read from */
    const char *cohort_text;
    const struct hl_system *cohort_system;
    const struct hl_cohort_spec *cohort;
};

static const struct hl_cohort_spec *cohort_for(struct combinations *c, const struct hl_yaml *tree,
                                               const struct hl_system *system)
{
    const struct hl_yaml *node = hl_yaml_get(tree, "cohort");
    const char *text = hl_yaml_to_text(c->reader->arena, node);
    if (c->cohort_text && c->cohort_system == system && strcmp(c->cohort_text, text) == 0)
        return c->cohort;
    c->cohort = hl_study_read_cohort(c->reader, node, system, c->reader->study->system);
    c->cohort_text = text;
    c->cohort_system = system;
    return c->cohort;
}

static void read_combination(struct combinations *c, const struct hl_yaml *tree, const size_t *level)
{
    struct hl_study_reader *reader = c->reader;
    struct hl_study *study = reader->study;
    const struct hl_system *system = hl_study_linking_system(c->linking, tree);
    const struct hl_yaml *sweep = hl_yaml_get(tree, "sweep");
    if (system && !same_outputs(reader, system, sweep ? sweep->pos : tree->pos))
        return;
    if (system && !faulty(reader))
        hl_study_linking_focus(c->linking, system);
    const struct hl_cohort_spec *cohort = cohort_for(c, tree, system);
    if (cohort && study->n_arms && study->arm[0].cohort && study->arm[0].cohort->subjects != cohort->subjects)
        hl_diag_error(reader->diag, sweep ? sweep->pos : tree->pos,
                      "all arms need the same number of subjects; a sweep can't change it");
    hl_study_read_arms(reader, tree, system, cohort, c->sweep, level);
}

static void read_combinations(struct combinations *c, const struct hl_yaml *resolved)
{
    struct hl_study_reader *reader = c->reader;
    size_t n = c->sweep ? c->sweep->n_combinations : 1;
    size_t *level = hl_arena_alloc(reader->arena, c->sweep ? c->sweep->n : 0, sizeof *level);
    /* a faulty study is read on for a while: a fault may stand in a level that only a later combination uses */
    for (size_t i = 0; i < n && (i < MOST_WITH_FAULTS || !faulty(reader)); i++)
        read_combination(c, c->sweep ? hl_study_sweep_tree(reader, c->sweep, resolved, i, level) : resolved, level);
}

static void show_factors(struct hl_study_reader *reader, const struct hl_study_sweep *sweep)
{
    struct hl_study *study = reader->study;
    if (!sweep || sweep->n == 0)
        return;
    study->design = sweep->grid ? "grid" : "list";
    study->n_factors = sweep->n;
    study->factor = hl_arena_alloc(reader->arena, sweep->n, sizeof *study->factor);
    for (size_t i = 0; i < sweep->n; i++)
        study->factor[i] = sweep->factor[i].shown;
}

static bool alters_model(const struct hl_study_sweep *sweep)
{
    for (size_t i = 0; sweep && i < sweep->n; i++)
        if (sweep->factor[i].alters_model)
            return true;
    return false;
}

static void check_count(struct hl_study_reader *reader, const struct hl_yaml *node, size_t n, const char *what)
{
    if (n > HL_MAX_ASKED)
        hl_diag_error(reader->diag, node->pos, "%zu %s, more than the most of %d; ask for fewer", n, what,
                      HL_MAX_ASKED);
}

/* Outputs and what is computed from them; then the defaults of the covariates can be written down too. */
static void read_questions(struct hl_study_reader *reader, const struct hl_yaml *resolved,
                           const struct hl_system *system)
{
    bool stored[N_PARTS] = {false};
    hl_study_read_times(reader, hl_yaml_get(resolved, "times"));
    read_store(reader, hl_yaml_get(resolved, "store"), stored);
    hl_study_read_outputs(reader, hl_yaml_get(resolved, "outputs"), system);
    hl_study_read_metrics(reader, hl_yaml_get(resolved, "metrics"), system);
    hl_study_read_thresholds(reader, hl_yaml_get(resolved, "thresholds"), system);
    if (system)
        hl_study_need_reviewed(reader, resolved, system);
    hl_study_read_quantiles(reader, hl_yaml_get(resolved, "quantiles"));
    reader->study->taper_design = hl_yaml_get(resolved, "design");
    if (reader->study->to_design)
        hl_study_need_design(reader, reader->study->taper_design, system);
    hl_study_read_data(reader, resolved, system);
    if (reader->study->data)
        reader->study->data->amounts = stored[AMOUNTS];
    if (reader->study->data && system)
        hl_study_add_shown(reader, system, stored[AMOUNTS]);
    const struct hl_yaml *outputs = hl_yaml_get(resolved, "outputs"), *quantiles = hl_yaml_get(resolved, "quantiles");
    check_count(reader, outputs ? outputs : resolved, reader->study->n_outputs, "outputs");
    check_count(reader, quantiles ? quantiles : resolved, reader->study->n_quantiles, "quantiles");
}

static void read_study(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    struct hl_study *study = reader->study;
    struct combinations c = {.reader = reader, .linking = hl_study_linking_create(reader)};
    unfold_typical(reader, tree);
    hl_study_unfold_data(reader, tree);
    apply_sets(reader, tree);
    apply_options(reader, tree);
    check_top(reader, tree);
    study->root = tree;
    if (reader->has_data)
        hl_study_settle_data(reader, tree = hl_yaml_clone(reader->arena, tree));
    if (hl_yaml_get(tree, "design"))
        study->to_design = hl_study_settle_design(reader, tree = hl_yaml_clone(reader->arena, tree));
    read_name(reader, hl_yaml_get(tree, "study"));
    c.sweep = hl_study_read_sweep(reader, tree);
    size_t *level = hl_arena_alloc(reader->arena, c.sweep ? c.sweep->n : 0, sizeof *level);
    study->system =
        hl_study_linking_system(c.linking, c.sweep ? hl_study_sweep_tree(reader, c.sweep, tree, 0, level) : tree);
    study->resolved = hl_yaml_clone(reader->arena, tree);
    hl_study_fill_defaults(reader, study->resolved, study->system);
    hl_study_find_table(reader, study->resolved);
    read_settings(reader, study->resolved);
    read_questions(reader, study->resolved, study->system);
    read_combinations(&c, study->resolved);
    check_observed(reader, hl_yaml_get(study->resolved, "store"));
    show_factors(reader, c.sweep);
    hl_study_add_facts(reader);
    if (study->system && study->n_arms && study->arm[0].cohort && !alters_model(c.sweep))
        hl_study_fill_covariates(reader, study->resolved, study->system, study->arm[0].cohort);
    if (study->n_arms && study->arm[0].cohort) {
        study->subjects = study->arm[0].cohort->subjects;
        study->seed = study->arm[0].cohort->seed;
    }
}

/* ---- the doors */

/* The study's folder's sibling models/, the folder itself and its models/, the current directory's, and those asked
 * for. */
static void set_directories(struct hl_study_reader *reader)
{
    const struct hl_study_options *options = reader->options;
    size_t n = 0;
    reader->directory = hl_arena_alloc(reader->arena, options->n_model_directories + 4, sizeof *reader->directory);
    reader->directory[n++] = hl_arena_printf(reader->arena, "%s/../models", reader->folder);
    reader->directory[n++] = reader->folder;
    reader->directory[n++] = hl_arena_printf(reader->arena, "%s/models", reader->folder);
    if (strcmp(reader->folder, ".") != 0)
        reader->directory[n++] = "models";
    for (size_t i = 0; i < options->n_model_directories; i++)
        reader->directory[n++] = options->model_directory[i];
    reader->n_directories = n;
}

/* "configs/taper.yaml" -> "configs", "taper.yaml" -> "." */
static const char *folder_of(struct hl_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : hl_arena_strndup(arena, path, (size_t)(slash - path));
}

static struct hl_study *finish(struct hl_arena *arena, const char *path, const char *folder, struct hl_yaml *tree,
                               const struct hl_study_options *options, size_t faults, bool *sound, struct hl_diag *diag)
{
    static const struct hl_study_options none;
    struct hl_study *study = hl_arena_alloc(arena, 1, sizeof *study);
    struct hl_study_reader reader = {.arena = arena,
                                     .diag = diag,
                                     .options = options ? options : &none,
                                     .folder = folder,
                                     .study = study,
                                     .faults = faults};
    *sound = false;
    if (!tree)
        return NULL;
    study->path = hl_arena_strdup(arena, path);
    if (tree->kind != HL_YAML_MAPPING) {
        hl_diag_error(diag, tree->pos,
                      "a study is a mapping; start it with study: NAME (halflife new study NAME makes one)");
        return NULL;
    }
    set_directories(&reader);
    read_study(&reader, tree);
    *sound = !faulty(&reader);
    return study;
}

struct hl_study *hl_study_load(struct hl_arena *arena, const char *path, const struct hl_study_options *options,
                               struct hl_diag *diag)
{
    bool sound;
    struct hl_study *study = hl_study_load_for_check(arena, path, options, &sound, diag);
    return sound ? study : NULL;
}

struct hl_study *hl_study_load_for_check(struct hl_arena *arena, const char *path,
                                         const struct hl_study_options *options, bool *sound, struct hl_diag *diag)
{
    size_t faults = hl_diag_count(diag, HL_ERROR);
    struct hl_yaml *tree = hl_yaml_load_file(arena, path, diag);
    struct hl_study *study = finish(arena, path, folder_of(arena, path), tree, options, faults, sound, diag);
    return *sound || (study && study->system) ? study : NULL;
}

struct hl_study *hl_study_from_text(struct hl_arena *arena, const char *name, const char *text,
                                    const struct hl_study_options *options, struct hl_diag *diag)
{
    size_t faults = hl_diag_count(diag, HL_ERROR);
    bool sound;
    struct hl_yaml *tree = hl_yaml_load_text(arena, name, text, diag);
    struct hl_study *study = finish(arena, name, folder_of(arena, name), tree, options, faults, &sound, diag);
    return sound ? study : NULL;
}
