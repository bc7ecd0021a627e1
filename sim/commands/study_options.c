/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command line may change in a study. */
#include "commands/study_options.h"

#include <string.h>

#include "base/text.h"
#include "commands/places.h"

static enum hl_status read_set(const char *given, char *text, size_t size, struct hl_set *set, struct hl_diag *diag)
{
    const char *equals = strchr(given, '=');
    if (!equals || equals == given || (size_t)(equals - given) >= size) {
        hl_diag_error(diag, hl_pos_none(),
                      "--set needs KEY=VALUE, for example --set clonazepam.TVCL='2 L/h', but found '%s'", given);
        return HL_ERR_INPUT;
    }
    memcpy(text, given, (size_t)(equals - given));
    text[equals - given] = '\0';
    set->key = text;
    set->value = equals + 1; /* of any length: it stays where the command line has it */
    return HL_OK;
}

enum hl_status hl_study_options_read(const struct hl_arguments *arguments, struct hl_study_option_room *room,
                                     struct hl_study_options *options, struct hl_diag *diag)
{
    memset(options, 0, sizeof *options);
    enum hl_status status = HL_OK;
    for (size_t i = 0; i < arguments->n_given; i++)
        if (strcmp(arguments->given[i].name, "set") == 0) {
            size_t n = options->n_sets;
            if (read_set(arguments->given[i].value, room->text[n], sizeof room->text[n], &room->set[n], diag) == HL_OK)
                options->n_sets++;
            else
                status = HL_ERR_INPUT;
        }
    options->set = room->set;
    options->has_subjects = hl_arguments_value(arguments, "subjects") != NULL;
    options->has_seed = hl_arguments_value(arguments, "seed") != NULL;
    options->typical = hl_arguments_value(arguments, "typical") != NULL;
    options->data = hl_arguments_value(arguments, "data");
    if (hl_arguments_integer(arguments, "subjects", 1, &options->subjects, diag) != HL_OK ||
        hl_arguments_integer(arguments, "seed", 0, &options->seed, diag) != HL_OK)
        status = HL_ERR_INPUT;
    room->directory[0] = hl_place("models");
    options->model_directory = room->directory;
    options->n_model_directories = room->directory[0] ? 1 : 0;
    return status;
}

enum hl_status hl_progress_option(const struct hl_arguments *arguments, enum hl_progress_mode *mode,
                                  struct hl_diag *diag)
{
    static const char *const names[] = {"auto", "plain", "none"};
    const char *text = hl_arguments_value(arguments, "progress");
    char hint[96];
    for (size_t i = 0; i < 3; i++)
        if (!text || strcmp(text, names[i]) == 0) {
            *mode = text ? (enum hl_progress_mode)i : HL_PROGRESS_AUTO;
            return HL_OK;
        }
    hl_diag_error(diag, hl_pos_none(), "--progress is auto, plain or none, but found '%s'%s", text,
                  hl_text_did_you_mean(text, names, 3, hint, sizeof hint));
    return HL_ERR_INPUT;
}

const char *hl_one_word(const struct hl_arguments *arguments, const char *expected, struct hl_diag *diag)
{
    if (arguments->n_words == 1)
        return arguments->word[0];
    if (arguments->n_words == 0)
        hl_diag_error(diag, hl_pos_none(), "expected %s; see --help", expected);
    else
        hl_diag_error(diag, hl_pos_none(), "expected only %s, but found also '%s'", expected, arguments->word[1]);
    return NULL;
}

enum hl_status hl_find_arm(const struct hl_study *study, const char *text, size_t *arm, struct hl_diag *diag)
{
    uint64_t number;
    *arm = 0;
    if (!text)
        return HL_OK;
    for (size_t a = 0; a < study->n_arms; a++)
        if (strcmp(study->arm[a].name, text) == 0) {
            *arm = a;
            return HL_OK;
        }
    if (hl_text_integer(text, &number) && number < study->n_arms) {
        *arm = (size_t)number;
        return HL_OK;
    }
    const char **names = hl_alloc(study->n_arms, sizeof *names);
    char hint[256] = "";
    if (!names)
        return HL_ERR_MEMORY;
    for (size_t a = 0; a < study->n_arms; a++)
        names[a] = study->arm[a].name;
    hl_text_did_you_mean(text, names, study->n_arms, hint, sizeof hint);
    hl_free(names);
    hl_diag_error(diag, hl_pos_none(), "the study has no arm '%s'%s", text, hint);
    return HL_ERR_INPUT;
}
