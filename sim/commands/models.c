/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife models: the library, or one model in full. */
#include "commands/command.h"
#include "commands/places.h"
#include "model/describe.h"

static enum hl_status run_models(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    const char *directory[3];
    size_t n = hl_place_models(directory);
    struct hl_arena *arena = hl_arena_create();
    enum hl_status status = arena ? HL_OK : HL_ERR_MEMORY;
    if (arena && arguments->n_words == 0)
        status = hl_model_list(directory + n - 1, 1, stdout, diag);
    for (size_t i = 0; arena && i < arguments->n_words; i++) {
        const struct hl_model *model = hl_model_load(arena, arguments->word[i], directory, n, diag);
        if (!model)
            status = HL_ERR_INPUT;
        else if (hl_arguments_value(arguments, "markdown"))
            hl_model_print_page(model, stdout);
        else
            hl_model_print(model, stdout);
    }
    hl_arena_free(arena);
    return status;
}

static const struct hl_option models_options[] = {
    {"markdown", 0, NULL, "a model as a page of the manual: a picture of its compartments, tables, equations"},
};

const struct hl_command hl_command_models = {
    .name = "models", .usage = "[NAME...] [--markdown]",
    .summary = "lists the library, or one model's equations, parameters, evidence and references",
    .examples = "  halflife models\n  halflife models clonazepam_adult\n  halflife models pk_oral_2cmt --markdown\n",
    .option = models_options, .n_options = sizeof models_options / sizeof *models_options, .run = run_models,
};
