/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife new: a commented file to start from. The templates are ordinary files of the library, so that they are
 * tested like everything else: models/one_compartment.yaml and configs/first.yaml, or any model named by --from, with
 * the name put in. A copy of a structure is a drug, so the line `family:` is left out. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "commands/command.h"
#include "commands/places.h"
#include "model/model.h"

struct template { const char *kind, *directory, *file, *key; };

static const struct template templates[] = {
    {"model", "models", "one_compartment.yaml", "model:"},
    {"study", "configs", "first.yaml", "study:"},
};

static const struct template *find_template(const char *kind, struct hl_diag *diag)
{
    const char *names[] = {templates[0].kind, templates[1].kind};
    char hint[96];
    for (size_t i = 0; i < 2; i++)
        if (strcmp(templates[i].kind, kind) == 0)
            return &templates[i];
    hl_diag_error(diag, hl_pos_none(), "halflife new makes a model or a study, not '%s'%s", kind,
                  hl_text_did_you_mean(kind, names, 2, hint, sizeof hint));
    return NULL;
}

static enum hl_status copy_template(FILE *from, FILE *to, const char *key, const char *name)
{
    char line[4096];
    while (fgets(line, sizeof line, from)) {
        if (strncmp(line, key, strlen(key)) == 0)
            fprintf(to, "%s %s\n", key, name);
        else if (strncmp(line, "family:", 7) != 0)
            fputs(line, to);
    }
    return ferror(from) || ferror(to) ? HL_ERR_IO : HL_OK;
}

/* Opens a file that must not exist yet. */
static FILE *create_new(const char *path, struct hl_diag *diag)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        hl_diag_error(diag, hl_pos_none(), "%s: %s%s", path, strerror(errno),
                      errno == EEXIST ? "; choose another name or remove it" : "");
    return file;
}

/* Writes NAME.yaml from a file of the library. */
static enum hl_status write_new(const struct template *t, const char *source, const char *name, struct hl_diag *diag)
{
    char path[300];
    snprintf(path, sizeof path, "%s.yaml", name);
    FILE *from = fopen(source, "r");
    if (!from) {
        hl_diag_error(diag, hl_pos_none(),
                      "the template %s can't be read: %s; set HALFLIFE_DATA to where halflife's files are", source,
                      strerror(errno));
        return HL_ERR_IO;
    }
    FILE *to = create_new(path, diag);
    enum hl_status status = to ? copy_template(from, to, t->key, name) : HL_ERR_IO;
    if (to && fclose(to) != 0)
        status = HL_ERR_IO;
    fclose(from);
    if (status == HL_OK)
        fprintf(stderr, "wrote %s; next: halflife check %s\n", path, path);
    return status;
}

/* The file of the model named by --from: a path, or a name looked for here, in ./models and in the library. */
static enum hl_status write_from(const struct template *t, const char *model, const char *name, struct hl_diag *diag)
{
    const char *directory[3];
    size_t n = hl_place_models(directory);
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    const struct hl_yaml *root = hl_model_tree(arena, model, directory, n, hl_pos_none(), diag);
    enum hl_status status = root ? write_new(t, root->pos.file, name, diag) : HL_ERR_INPUT;
    hl_arena_free(arena);
    return status;
}

static enum hl_status check_words(const struct hl_arguments *arguments, const struct template **t,
                                  struct hl_diag *diag)
{
    if (arguments->n_words != 2) {
        hl_diag_error(diag, hl_pos_none(), "expected what to make and its name: halflife new study my_taper");
        return HL_ERR_INPUT;
    }
    const char *name = arguments->word[1];
    *t = find_template(arguments->word[0], diag);
    if (!*t)
        return HL_ERR_INPUT;
    if (!hl_text_is_name(name) || strlen(name) > 200) {
        hl_diag_error(diag, hl_pos_none(), "'%s' is not a name: a letter, then letters, digits and underscores", name);
        return HL_ERR_INPUT;
    }
    if (hl_arguments_value(arguments, "from") && strcmp((*t)->kind, "model") != 0) {
        hl_diag_error(diag, hl_pos_none(), "--from copies a model; a new study starts from its template: leave it out");
        return HL_ERR_INPUT;
    }
    return HL_OK;
}

static enum hl_status run_new(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    const struct template *t = NULL;
    const char *from = hl_arguments_value(arguments, "from");
    char source[PATH_MAX + 64];
    enum hl_status status = check_words(arguments, &t, diag);
    if (status != HL_OK)
        return status;
    if (from)
        return write_from(t, from, arguments->word[1], diag);
    const char *directory = hl_place(t->directory);
    snprintf(source, sizeof source, "%s/%s", directory ? directory : t->directory, t->file);
    return write_new(t, source, arguments->word[1], diag);
}

static const struct hl_option new_options[] = {
    {"from", 0, "MODEL", "a model of the library (halflife models) or a path to start from, comments kept"},
};

const struct hl_command hl_command_new = {
    .name = "new", .usage = "model|study NAME", .summary = "writes a commented file to start from: NAME.yaml",
    .examples = "  halflife new study my_taper\n  halflife new model my_drug\n"
                "  halflife new model my_drug --from pk_oral_2cmt\n",
    .option = new_options, .n_options = sizeof new_options / sizeof *new_options, .run = run_new,
};
