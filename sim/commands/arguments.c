/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command-line words, GNU style: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, and "--" after which everything is a
 * plain word. Options and words may stand in any order. A lone "-" is a word (standard input). */
#include "commands/arguments.h"

#include <string.h>

#include "base/text.h"

static const struct hl_option *find_long(const char *name, size_t length, const struct hl_option *option, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(option[i].name) == length && strncmp(option[i].name, name, length) == 0)
            return &option[i];
    return NULL;
}

static const struct hl_option *find_short(char letter, const struct hl_option *option, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (option[i].letter == letter)
            return &option[i];
    return NULL;
}

static enum hl_status unknown_option(const char *word, size_t length, const struct hl_option *option, size_t n,
                                     struct hl_diag *diag)
{
    const char *names[64];
    size_t n_names = 0;
    for (size_t i = 0; i < n && n_names < 64; i++)
        names[n_names++] = option[i].name;
    char plain[128], hint[160];
    size_t skip = strspn(word, "-");
    size_t keep = length - skip < sizeof plain - 1 ? length - skip : sizeof plain - 1;
    memcpy(plain, word + skip, keep);
    plain[keep] = '\0';
    const char *near = hl_text_nearest(plain, names, n_names);
    if (near)
        snprintf(hint, sizeof hint, "; did you mean '--%s'?", near);
    else
        snprintf(hint, sizeof hint, "; see --help");
    hl_diag_error(diag, hl_pos_none(), "unknown option '%.*s'%s", (int)length, word, hint);
    return HL_ERR_INPUT;
}

static enum hl_status add_given(struct hl_arguments *arguments, const char *name, const char *value,
                                struct hl_diag *diag)
{
    if (arguments->n_given == HL_MAX_WORDS) {
        hl_diag_error(diag, hl_pos_none(), "too many options (at most %d)", HL_MAX_WORDS);
        return HL_ERR_INPUT;
    }
    arguments->given[arguments->n_given].name = name;
    arguments->given[arguments->n_given++].value = value;
    return HL_OK;
}

/* One option word; *used says how many following words belong to it. */
static enum hl_status read_option(struct hl_arguments *arguments, const char *word, const char *next,
                                  const struct hl_option *option, size_t n, int *used, struct hl_diag *diag)
{
    bool is_long = word[1] == '-';
    const char *equals = is_long ? strchr(word, '=') : NULL;
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct hl_option *found =
        is_long ? find_long(word + 2, length - 2, option, n) : find_short(word[1], option, n);
    if (!found)
        return unknown_option(word, length, option, n, diag);
    const char *attached = is_long ? (equals ? equals + 1 : NULL) : (word[2] ? word + 2 : NULL);
    *used = 0;
    if (!found->argument) {
        if (!attached)
            return add_given(arguments, found->name, found->name, diag);
        hl_diag_error(diag, hl_pos_none(), "option '--%s' takes no value, but '%s' was given", found->name, attached);
        return HL_ERR_INPUT;
    }
    if (!attached && !next) {
        hl_diag_error(diag, hl_pos_none(), "option '--%s' needs a value: --%s %s", found->name, found->name,
                      found->argument);
        return HL_ERR_INPUT;
    }
    *used = attached ? 0 : 1;
    return add_given(arguments, found->name, attached ? attached : next, diag);
}

enum hl_status hl_arguments_read(struct hl_arguments *arguments, int argc, char **argv, const struct hl_option *option,
                                 size_t n, struct hl_diag *diag)
{
    memset(arguments, 0, sizeof *arguments);
    enum hl_status status = HL_OK;
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
            int used = 0;
            enum hl_status one =
                read_option(arguments, argv[i], i + 1 < argc ? argv[i + 1] : NULL, option, n, &used, diag);
            status = one == HL_OK ? status : one;
            i += used;
        } else if (arguments->n_words < HL_MAX_WORDS) {
            arguments->word[arguments->n_words++] = argv[i];
        } else {
            hl_diag_error(diag, hl_pos_none(), "too many words (at most %d)", HL_MAX_WORDS);
            return HL_ERR_INPUT;
        }
    }
    return status;
}

const char *hl_arguments_value(const struct hl_arguments *arguments, const char *name)
{
    for (size_t i = arguments->n_given; i-- > 0;)
        if (strcmp(arguments->given[i].name, name) == 0)
            return arguments->given[i].value;
    return NULL;
}

enum hl_status hl_arguments_integer(const struct hl_arguments *arguments, const char *name, uint64_t minimum,
                                    uint64_t *value, struct hl_diag *diag)
{
    const char *text = hl_arguments_value(arguments, name);
    uint64_t number;
    if (!text)
        return HL_OK;
    if (!hl_text_integer(text, &number) || number < minimum) {
        bool too_large = *text && text[strspn(text, "0123456789")] == '\0' && !hl_text_integer(text, &number);
        hl_diag_error(diag, hl_pos_none(), "option '--%s' needs a whole number of at least %llu%s, but found '%s'",
                      name, (unsigned long long)minimum, too_large ? " and below 2^63" : "", text);
        return HL_ERR_INPUT;
    }
    *value = number;
    return HL_OK;
}
