/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resolved study. Defaults are written into the tree first, and the study is then read from that tree: so the
 * resolved text, read again, gives the same study by construction. What was filled in is marked: the key defaults:
 * lists the path of each.
 *
 * Where a study doesn't say which outputs it wants, it gets of each drug the output of the compartment marked
 * default: observe (or the drug's first) and its effect site Ce, and of each interaction the first one. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

const char *const hl_study_solver_words[] = {"exact",     "gsl-rk2",    "gsl-rk4",   "gsl-rkf45",   "gsl-rkck",
                                             "gsl-rk8pd", "gsl-rk4imp", "gsl-bsimp", "gsl-msadams", "gsl-msbdf"};
const size_t hl_study_n_solver_words = sizeof hl_study_solver_words / sizeof *hl_study_solver_words;

struct filler {
    struct hl_study_reader *reader;
    struct hl_yaml *tree;
    struct hl_yaml *marks; /* the sequence under defaults: */
};

static void mark(struct filler *filler, const char *path)
{
    hl_study_append(filler->reader->arena, filler->marks,
                    hl_study_scalar(filler->reader->arena, filler->tree->pos, path));
}

/* Adds key to a mapping that lacks it. prefix is the mapping's own path with its dot, or "". */
static void fill(struct filler *filler, struct hl_yaml *mapping, const char *prefix, const char *key,
                 struct hl_yaml *value)
{
    if (!mapping || mapping->kind != HL_YAML_MAPPING || hl_yaml_get(mapping, key))
        return;
    hl_study_put(filler->reader->arena, mapping, mapping->pos, key, value);
    mark(filler, hl_arena_printf(filler->reader->arena, "%s%s", prefix, key));
}

static void fill_text(struct filler *filler, struct hl_yaml *mapping, const char *prefix, const char *key,
                      const char *text)
{
    fill(filler, mapping, prefix, key, hl_study_scalar(filler->reader->arena, filler->tree->pos, text));
}

static struct hl_yaml *texts(struct filler *filler, const char *const *text, size_t n, bool quoted)
{
    struct hl_arena *arena = filler->reader->arena;
    struct hl_yaml *list = hl_study_node(arena, filler->tree->pos, HL_YAML_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        struct hl_yaml *item = hl_study_scalar(arena, filler->tree->pos, text[i]);
        item->quoted = quoted;
        hl_study_append(arena, list, item);
    }
    return list;
}

/* ---- outputs */

/* Adds output name of an instance to the list, once. */
static void want(struct filler *filler, struct hl_yaml *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->item[i]->text, name) == 0)
            return;
    hl_study_append(filler->reader->arena, list, hl_study_scalar(filler->reader->arena, filler->tree->pos, name));
}

static int first_output(const struct hl_system *system, size_t instance)
{
    for (size_t i = 0; i < system->n_outputs; i++)
        if (system->output[i].instance == (int)instance)
            return (int)i;
    return -1;
}

static void fill_outputs(struct filler *filler, const struct hl_system *system)
{
    struct hl_arena *arena = filler->reader->arena;
    struct hl_yaml *list = hl_study_node(arena, filler->tree->pos, HL_YAML_SEQUENCE);
    for (size_t i = 0; i < system->n_instances; i++) {
        const struct hl_system_instance *instance = &system->instance[i];
        int observed = instance->default_output >= 0 ? instance->default_output : first_output(system, i);
        const char *effect = hl_arena_printf(arena, "%s.Ce", instance->alias);
        if (observed >= 0)
            want(filler, list, system->output[observed].name);
        if (instance->is_drug && hl_system_find_output(system, effect) >= 0)
            want(filler, list, effect);
    }
    fill(filler, filler->tree, "", "outputs", list);
}

/* ---- cohort */

/* The model's default of a covariate as a study would write it. */
static const char *default_text(struct hl_arena *arena, const struct hl_covariate *info)
{
    char number[32];
    if (info->n_categories)
        return info->category[(size_t)info->value];
    hl_text_shortest(info->value, number, sizeof number);
    bool plain = !info->unit_text || !*info->unit_text || strcmp(info->unit_text, "1") == 0;
    return plain ? hl_arena_strdup(arena, number) : hl_arena_printf(arena, "%s %s", number, info->unit_text);
}

/* Without a word about the cohort a prescription shows the typical subject; the individuals of a data set differ by
 * their random effects, as in the tools that data sets come from. */
static void fill_cohort(struct filler *filler)
{
    struct hl_arena *arena = filler->reader->arena;
    struct hl_yaml *cohort = hl_yaml_get(filler->tree, "cohort");
    if (!cohort) {
        cohort = hl_study_node(arena, filler->tree->pos, HL_YAML_MAPPING);
        bool typical = !filler->reader->has_data;
        hl_study_put(arena, cohort, filler->tree->pos, "typical",
                     hl_study_scalar(arena, filler->tree->pos, typical ? "true" : "false"));
        hl_study_put(arena, filler->tree, filler->tree->pos, "cohort", cohort);
        mark(filler, "cohort.typical");
    }
    if (cohort->kind != HL_YAML_MAPPING)
        return;
    fill_text(filler, cohort, "cohort.", "seed", "1");
    fill_text(filler, cohort, "cohort.", "uncertainty", "typical");
}

static struct filler filler_of(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    struct hl_yaml *marks = hl_yaml_get(tree, "defaults");
    if (!marks || marks->kind != HL_YAML_SEQUENCE)
        marks = hl_study_node(reader->arena, tree->pos, HL_YAML_SEQUENCE);
    return (struct filler){.reader = reader, .tree = tree, .marks = marks};
}

static void keep_marks(struct filler *filler)
{
    if (filler->marks->n)
        hl_study_put(filler->reader->arena, filler->tree, filler->tree->pos, "defaults", filler->marks);
}

void hl_study_mark_default(struct hl_study_reader *reader, struct hl_yaml *tree, const char *path)
{
    struct filler filler = filler_of(reader, tree);
    mark(&filler, path);
    keep_marks(&filler);
}

bool hl_study_is_default(const struct hl_yaml *tree, const char *path)
{
    const struct hl_yaml *marks = hl_yaml_get(tree, "defaults");
    for (size_t i = 0; marks && marks->kind == HL_YAML_SEQUENCE && i < marks->n; i++)
        if (marks->item[i]->kind == HL_YAML_SCALAR && strcmp(marks->item[i]->text, path) == 0)
            return true;
    return false;
}

void hl_study_fill_covariates(struct hl_study_reader *reader, struct hl_yaml *tree, const struct hl_system *system,
                              const struct hl_cohort_spec *spec)
{
    struct filler filler = filler_of(reader, tree);
    struct hl_yaml *cohort = hl_yaml_get(tree, "cohort");
    if (system->n_covariates == 0 || !cohort || cohort->kind != HL_YAML_MAPPING)
        return;
    if (!hl_yaml_get(cohort, "covariates"))
        hl_study_put(reader->arena, cohort, cohort->pos, "covariates",
                     hl_study_node(reader->arena, cohort->pos, HL_YAML_MAPPING));
    struct hl_yaml *covariates = hl_yaml_get(cohort, "covariates");
    for (size_t i = 0; i < system->n_covariates; i++)
        if (spec->distribution[i].kind != HL_DIST_CSV)
            fill_text(&filler, covariates, "cohort.covariates.", system->covariate[i].name,
                      default_text(reader->arena, system->covariate[i].info));
    keep_marks(&filler);
}

/* What is asked and how it is stored: of prescriptions, and of a data set, whose rules are NONMEM's. */
static void fill_questions(struct filler *filler, bool has_data)
{
    static const char *const quantiles[] = {"5 %", "25 %", "50 %", "75 %", "95 %"};
    static const char *const store[] = {"trajectories", "summaries"}, *const records[] = {"records"};
    struct hl_yaml *tree = filler->tree, *data = hl_yaml_get(tree, "data");
    const struct hl_yaml *scales = hl_yaml_get(tree, "bioavailability_scales");
    if (!has_data) {
        fill(filler, tree, "", "metrics", texts(filler, NULL, 0, false));
        fill(filler, tree, "", "quantiles", texts(filler, quantiles, 5, true));
        fill_text(filler, tree, "", "precision", "single");
        fill(filler, tree, "", "store", texts(filler, store, 2, false));
        fill_text(filler, tree, "", "bioavailability_scales", "rate");
        return;
    }
    fill_text(filler, tree, "", "precision", "double");
    fill(filler, tree, "", "store", texts(filler, records, 1, false));
    fill_text(filler, data, "data.", "covariates", "next");
    fill_text(filler, hl_yaml_get(data, "covariates"), "data.covariates.", "default", "next");
    struct hl_yaml *ignore = hl_study_scalar(filler->reader->arena, tree->pos, "#");
    ignore->quoted = true;
    fill(filler, data, "data.", "ignore", ignore);
    fill_text(filler, data, "data.", "bioavailability_scales",
              scales && scales->kind == HL_YAML_SCALAR && strcmp(scales->text, "rate") == 0 ? "rate" : "duration");
}

void hl_study_fill_defaults(struct hl_study_reader *reader, struct hl_yaml *tree, const struct hl_system *system)
{
    struct filler filler = filler_of(reader, tree);
    if (*reader->study->name) /* a study without one has been told so */
        fill_text(&filler, tree, "", "title", reader->study->name);
    struct hl_yaml *origin = hl_study_scalar(reader->arena, tree->pos, "00:00");
    origin->quoted = true;
    fill(&filler, tree, "", "origin", origin);
    fill_cohort(&filler);
    if (system)
        fill_outputs(&filler, system);
    fill_questions(&filler, reader->has_data);
    fill_text(&filler, tree, "", "solver", "exact");
    fill_text(&filler, tree, "", "tolerance", "1e-8");
    fill_text(&filler, tree, "", "compression", "fast");
    fill_text(&filler, hl_yaml_get(tree, "sweep"), "sweep.", "design", "grid");
    keep_marks(&filler);
}
