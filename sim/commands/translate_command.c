/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife translate: a model, or the joined models of a study, as text for NONMEM, mrgsolve or rxode2. */
#include "translate/translate.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/places.h"
#include "commands/study_options.h"

static const struct hl_option options_of_translate[] = {
    {"to", 0, "TOOL", "nonmem, mrgsolve or rxode2"},
    {"output", 'o', "FILE", "the file to write (default: standard output)"},
    {"force", 'f', NULL, "replace the file if it exists"},
    {"only", 0, "OUTPUT", "only this output and what it needs, for example Cp (may be repeated)"},
    {"data", 0, "FILE.csv", "the data file named in the text; covariates it lacks are fixed at their defaults"},
    {"occasions", 0, "N", "occasions that effects between occasions are written for (default 3)"},
    {"doses", 0, "N", "doses of a route with released: that may be under way at once (default 5)"},
    {"zero-spread", 0, NULL, "nonmem: all variances 0, to compare typical subjects"},
    {"arm", 0, "A", "of a study: this arm's parameters, by name or by number from 0 (default 0)"},
    {"set", 0, "KEY=VALUE", "of a study: change any value (may be repeated)"},
};

/* ---- What is to be translated ---- */

static const struct hl_system *link_model(struct hl_arena *arena, const char *name, struct hl_diag *diag)
{
    const char *directory[3];
    size_t n = hl_place_models(directory);
    struct hl_model *model = hl_model_load(arena, name, directory, n, diag);
    if (!model)
        return NULL;
    if (hl_yaml_get(model->root, "inputs")) {
        hl_diag_error(diag, hl_pos_none(), "'%s' reads outputs of other models (inputs:) and says nothing by itself; "
                      "translate a study that joins them: halflife translate STUDY.yaml", model->name);
        return NULL;
    }
    struct hl_instance *instance = hl_arena_alloc(arena, 1, sizeof *instance);
    *instance = (struct hl_instance){.alias = model->name, .pos = hl_pos_none(), .model = model, .is_drug = true};
    return hl_system_link(arena, instance, 1, diag);
}

/* What a study says beside its models, in one sentence each. */
static void note_study(struct hl_arena *arena, const struct hl_arm *arm, struct hl_translation *translation)
{
    const char **note = hl_arena_alloc(arena, 2, sizeof *note);
    size_t n = 0;
    if (arm->cohort->n_correlations > 0)
        note[n++] = "correlations that the study states between its models' effects or covariates are not translated";
    if (arm->cohort->uncertainty)
        note[n++] = "typical values stay as stated; the study draws the uncertain ones anew for every subject";
    translation->note = note;
    translation->n_notes = n;
}

/* Covariates that the study fixes, for everyone or in this arm, are the defaults of the text. */
static double *fixed_covariates(struct hl_arena *arena, const struct hl_arm *arm)
{
    const struct hl_system *y = arm->system;
    double *value = hl_arena_alloc(arena, y->n_covariates, sizeof *value);
    for (size_t i = 0; i < y->n_covariates; i++) {
        const struct hl_distribution *d = &arm->cohort->distribution[i];
        value[i] = d->kind == HL_DIST_FIXED ? d->a : y->initial[y->covariate[i].reg];
    }
    for (size_t i = 0; i < arm->n_covariate_overrides; i++)
        value[arm->covariate[i]] = arm->covariate_value[i];
    return value;
}

static const struct hl_system *link_study(struct hl_arena *arena, const char *path,
                                          const struct hl_arguments *arguments, struct hl_translation *translation,
                                          struct hl_diag *diag)
{
    static struct hl_study_option_room room;
    struct hl_study_options options;
    size_t number;
    if (hl_study_options_read(arguments, &room, &options, diag) != HL_OK)
        return NULL;
    struct hl_study *study = hl_study_load(arena, path, &options, diag);
    if (!study || hl_find_arm(study, hl_arguments_value(arguments, "arm"), &number, diag) != HL_OK)
        return NULL;
    const struct hl_arm *arm = &study->arm[number];
    note_study(arena, arm, translation);
    translation->covariate = fixed_covariates(arena, arm);
    return arm->system;
}

/* A file with study: at its top, or anything else: a model by name or path. */
static bool is_study(struct hl_arena *arena, const char *word)
{
    size_t n = strlen(word);
    if (n < 5 || strcmp(word + n - 5, ".yaml") != 0)
        return false;
    const struct hl_yaml *root = hl_yaml_load_file(arena, word, NULL); /* only to see what it is */
    return root && root->kind == HL_YAML_MAPPING && !hl_yaml_get(root, "model");
}

/* ---- Options ---- */

static enum hl_status read_target(const struct hl_arguments *arguments, enum hl_target *target, struct hl_diag *diag)
{
    const char *to = hl_arguments_value(arguments, "to"), *name[HL_N_TARGETS];
    char hint[96];
    for (int i = 0; i < HL_N_TARGETS; i++)
        name[i] = hl_target_name((enum hl_target)i);
    if (to && hl_target_find(to, target))
        return HL_OK;
    hl_diag_error(diag, hl_pos_none(), to ? "--to: no tool is called '%s': nonmem, mrgsolve or rxode2%s"
                                          : "--to is needed: nonmem, mrgsolve or rxode2", to,
                  to ? hl_text_did_you_mean(to, name, HL_N_TARGETS, hint, sizeof hint) : "");
    return HL_ERR_INPUT;
}

/* "WT [lb]" is the column WT in lb. False, with a message, when the unit can't be read. */
static bool split_header(struct hl_arena *arena, const char *header, const char **name, struct hl_unit *unit,
                         const char **unit_text, struct hl_diag *diag)
{
    char why[256];
    header += *header == '#';
    const char *open = strchr(header, '['), *close = open ? strchr(open, ']') : NULL;
    *name = hl_arena_strndup(arena, header, strcspn(header, " ["));
    if (!close)
        return true;
    *unit_text = hl_arena_strndup(arena, open + 1, (size_t)(close - open - 1));
    if (hl_unit_parse(*unit_text, unit, why, sizeof why))
        return true;
    hl_diag_error(diag, hl_pos_none(), "--data: column '%s': %s", header, why);
    return false;
}

/* The header of the data file, whose name stays as given. */
static enum hl_status read_columns(struct hl_arena *arena, const char *path, struct hl_translation *translation,
                                   struct hl_diag *diag)
{
    struct hl_csv *csv = NULL;
    if (!path)
        return HL_OK;
    enum hl_status status = hl_csv_open(path, &csv, diag);
    if (status != HL_OK)
        return status;
    size_t n = hl_csv_columns(csv);
    const char **column = hl_arena_alloc(arena, n, sizeof *column);
    const char **unit_text = hl_arena_alloc(arena, n, sizeof *unit_text);
    struct hl_unit *unit = hl_arena_alloc(arena, n, sizeof *unit);
    for (size_t i = 0; i < n; i++)
        if (!split_header(arena, hl_arena_strdup(arena, hl_csv_name(csv, i)), &column[i], &unit[i], &unit_text[i],
                          diag))
            status = HL_ERR_INPUT;
    hl_csv_close(csv);
    translation->column_unit = unit;
    translation->column_unit_text = unit_text;
    translation->data = path;
    translation->n_columns = n;
    translation->column = column;
    return status;
}

static enum hl_status read_options(struct hl_arena *arena, const struct hl_arguments *arguments,
                                   struct hl_translation *translation, struct hl_diag *diag)
{
    uint64_t occasions = 3, doses = 5;
    const char **output = hl_arena_alloc(arena, arguments->n_given, sizeof *output);
    for (size_t i = 0; i < arguments->n_given; i++)
        if (strcmp(arguments->given[i].name, "only") == 0)
            output[translation->n_outputs++] = arguments->given[i].value;
    translation->output = output;
    translation->typical = hl_arguments_value(arguments, "zero-spread") != NULL;
    enum hl_status status = read_target(arguments, &translation->target, diag);
    if (hl_arguments_integer(arguments, "occasions", 1, &occasions, diag) != HL_OK)
        status = HL_ERR_INPUT;
    if (hl_arguments_integer(arguments, "doses", 1, &doses, diag) != HL_OK)
        status = HL_ERR_INPUT;
    translation->occasions = (size_t)occasions;
    translation->doses = (size_t)doses;
    enum hl_status read = read_columns(arena, hl_arguments_value(arguments, "data"), translation, diag);
    return status != HL_OK ? status : read;
}

/* ---- The verb ---- */

static enum hl_status write_to(const char *path, bool force, const struct hl_translation *translation,
                               struct hl_diag *diag)
{
    if (!path)
        return hl_translate(translation, stdout, diag);
    if (!force && access(path, F_OK) == 0) {
        hl_diag_error(diag, hl_pos_none(), "%s exists; give another name, or --force to replace it", path);
        return HL_ERR_IO;
    }
    if (hl_place_is_same(path, translation->source)) {
        hl_diag_error(diag, hl_pos_none(), "'%s' is what is translated; name another file with -o", path);
        return HL_ERR_IO;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return HL_ERR_MEMORY;
    enum hl_status status = hl_translate(translation, memory, diag);
    fclose(memory);
    FILE *file = status == HL_OK ? fopen(path, "w") : NULL;
    if (status == HL_OK && (!file || fwrite(text, 1, size, file) != size || fclose(file) != 0)) {
        hl_diag_error(diag, hl_pos_none(), "%s: %s", path, strerror(errno));
        status = HL_ERR_IO;
    }
    free(text);
    return status;
}

static enum hl_status run_translate(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    const char *word = hl_one_word(arguments, "a model or a study", diag);
    struct hl_arena *arena = word ? hl_arena_create() : NULL;
    struct hl_translation translation = {.source = word};
    if (!word)
        return HL_ERR_INPUT;
    if (!arena)
        return HL_ERR_MEMORY;
    enum hl_status status = read_options(arena, arguments, &translation, diag);
    if (status == HL_OK) {
        translation.system = is_study(arena, word) ? link_study(arena, word, arguments, &translation, diag)
                                                   : link_model(arena, word, diag);
        bool force = hl_arguments_value(arguments, "force") != NULL;
        status = translation.system ? write_to(hl_arguments_value(arguments, "output"), force, &translation, diag)
                                    : HL_ERR_INPUT;
    }
    hl_arena_free(arena);
    return status;
}

const struct hl_command hl_command_translate = {
    .name = "translate",
    .usage = "MODEL|STUDY.yaml --to nonmem|mrgsolve|rxode2 [-o FILE] [options]",
    .summary = "writes a model, or a study's joined models, as text for another simulator",
    .examples = "  halflife translate clonazepam_adult --to nonmem -o clonazepam.ctl\n"
                "  halflife translate fentanyl_adult --to mrgsolve --only Cp -o fentanyl.cpp\n"
                "  halflife translate configs/overlap.yaml --to rxode2 -o overlap.R\n",
    .details = "What the tool can't say stands as a comment in the text and as a warning on standard error.\n"
               "docs/translate.md tells how to run the text, and what to compare.\n",
    .option = options_of_translate,
    .n_options = sizeof options_of_translate / sizeof *options_of_translate,
    .run = run_translate,
};
