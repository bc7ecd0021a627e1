/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife check: every fault of a file in one pass, then what would run. */
#include <string.h>
#include <strings.h>

#include "commands/command.h"
#include "commands/study_options.h"
#include "data/data_set.h"
#include "run_records.h"

/* A study with arms of its own may ask for a taper as well. */
static enum hl_status check_design(const char *path, const struct hl_study_options *options, struct hl_diag *diag)
{
    struct hl_study_options designed = *options;
    struct hl_prepared prepared;
    designed.design = true;
    enum hl_status status = hl_prepare(path, &designed, &prepared, diag);
    if (status == HL_OK)
        hl_prepared_describe(&prepared, NULL, 0, stdout);
    hl_prepared_clear(&prepared);
    return status;
}

static enum hl_status check_study(const char *path, const struct hl_study_options *options, struct hl_diag *diag)
{
    struct hl_prepared prepared;
    enum hl_status status = hl_prepare(path, options, &prepared, diag);
    uint64_t failed = 0;
    if (status == HL_OK && prepared.data)
        status = hl_try_records(&prepared, &failed, diag);
    if (status == HL_OK)
        hl_prepared_describe(&prepared, NULL, 0, stdout);
    if (status == HL_OK && prepared.study->taper_design && !prepared.study->to_design)
        status = check_design(path, options, diag);
    if (failed) {
        printf("  at fault     %llu individuals\n", (unsigned long long)failed);
        status = HL_ERR_INPUT;
    }
    hl_prepared_clear(&prepared);
    return status;
}

static enum hl_status check_model(struct hl_arena *arena, const char *path, const struct hl_study_options *options,
                                  struct hl_diag *diag)
{
    size_t before = hl_diag_count(diag, HL_ERROR);
    struct hl_model *model = hl_model_load(arena, path, options->model_directory, options->n_model_directories, diag);
    struct hl_instance instance = {.alias = model ? model->name : NULL, .model = model, .is_drug = true};
    /* an interaction's inputs belong to other models: it can only be joined in a study */
    if (model && !hl_yaml_get(model->root, "inputs"))
        hl_system_link(arena, &instance, 1, diag);
    if (hl_diag_count(diag, HL_ERROR) > before)
        return HL_ERR_INPUT;
    printf("%s: %s: %zu parameters, %zu covariates, %zu random effects: no faults\n", path, model->name,
           model->n_parameters, model->n_covariates, model->n_etas);
    return HL_OK;
}

static const char *kind_words(const struct hl_data_column_info *column)
{
    switch (column->kind) {
    case HL_COLUMN_WHOLE: return "whole numbers";
    case HL_COLUMN_NUMBER: return "numbers";
    case HL_COLUMN_TEXT: break;
    }
    return column->n_texts ? "texts" : "texts, too many to keep";
}

static void print_column(const struct hl_data_column_info *column)
{
    bool candidate = !column->item && column->kind != HL_COLUMN_TEXT;
    const char *role = column->item ? column->item : candidate ? "covariate of a model with this name" : "kept";
    printf("  %-16s %-36s %-8s %s\n", column->name, role, column->unit_text ? column->unit_text : "",
           kind_words(column));
}

/* A data set alone: its columns, and what can be said without a model. */
static enum hl_status check_table(const char *path, struct hl_diag *diag)
{
    struct hl_data_set *set = hl_data_open_alone(path, diag);
    if (!set)
        return HL_ERR_INPUT;
    const struct hl_data_facts *facts = hl_data_facts(set);
    printf("%s: %llu records of %llu individual%s (the longest has %llu): %llu doses, %llu observations, %llu others\n",
           path, (unsigned long long)facts->records, (unsigned long long)facts->individuals,
           facts->individuals == 1 ? "" : "s", (unsigned long long)facts->longest, (unsigned long long)facts->doses,
           (unsigned long long)facts->observations,
           (unsigned long long)(facts->records - facts->doses - facts->observations));
    printf("  %-16s %-36s %-8s %s\n", "column", "is", "unit", "holds");
    for (size_t c = 0; c < facts->n_columns; c++)
        print_column(&facts->column[c]);
    printf("  SHA-256 %s\n  no faults; compartments and covariates are checked with a study: halflife check STUDY.yaml "
           "--data %s\n", facts->sha256, path);
    hl_data_close(set);
    return HL_OK;
}

static bool is_table(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcasecmp(path + n - 4, ".csv") == 0;
}

static enum hl_status check_file(const char *path, const struct hl_study_options *options, struct hl_diag *diag)
{
    if (is_table(path))
        return check_table(path, diag);
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    /* only to see what it is: a fault reported here would not count again when the file is read for good */
    const struct hl_yaml *root = hl_yaml_load_file(arena, path, NULL);
    bool is_model = root && root->kind == HL_YAML_MAPPING && hl_yaml_get(root, "model");
    enum hl_status status = is_model ? check_model(arena, path, options, diag) : check_study(path, options, diag);
    hl_arena_free(arena);
    return status;
}

static enum hl_status run_check(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    static struct hl_study_option_room room;
    struct hl_study_options options;
    enum hl_status status = hl_study_options_read(arguments, &room, &options, diag);
    if (arguments->n_words == 0) {
        hl_diag_error(diag, hl_pos_none(), "expected at least one study, model or data file; see --help");
        return HL_ERR_INPUT;
    }
    for (size_t i = 0; i < arguments->n_words; i++) {
        enum hl_status one = check_file(arguments->word[i], &options, diag);
        status = status == HL_OK ? one : status;
    }
    return status;
}

static const struct hl_option options_of_check[] = {HL_STUDY_OPTIONS};

const struct hl_command hl_command_check = {
    .name = "check",
    .usage = "FILE...",
    .summary =
        "reports every fault of study, model and data files, then what would run (subjects, arms, events, bytes, "
        "memory, time)",
    .examples = "  halflife check configs/tapers.yaml\n  halflife check models/*.yaml\n  halflife check events.csv\n",
    .option = options_of_check,
    .n_options = sizeof options_of_check / sizeof *options_of_check,
    .run = run_check,
};
