/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife new: a commented file to start from. The templates are ordinary files of the library, so that they are
 * tested like everything else: models/one_compartment.yaml and configs/first.yaml, with the name put in. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "commands/command.h"
#include "commands/places.h"

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
        else
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

static enum hl_status write_new(const struct template *t, const char *name, struct hl_diag *diag)
{
    char source[PATH_MAX + 64], path[300];
    const char *directory = hl_place(t->directory);
    snprintf(source, sizeof source, "%s/%s", directory ? directory : t->directory, t->file);
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

static enum hl_status run_new(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    if (arguments->n_words != 2) {
        hl_diag_error(diag, hl_pos_none(), "expected what to make and its name: halflife new study my_taper");
        return HL_ERR_INPUT;
    }
    const struct template *t = find_template(arguments->word[0], diag);
    if (!t)
        return HL_ERR_INPUT;
    const char *name = arguments->word[1];
    if (!hl_text_is_name(name) || strlen(name) > 200) {
        hl_diag_error(diag, hl_pos_none(), "'%s' is not a name: a letter, then letters, digits and underscores", name);
        return HL_ERR_INPUT;
    }
    return write_new(t, name, diag);
}

const struct hl_command hl_command_new = {
    .name = "new", .usage = "model|study NAME", .summary = "writes a commented file to start from: NAME.yaml",
    .examples = "  halflife new study my_taper\n  halflife new model my_drug\n", .run = run_new,
};
