/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a command line, sorted by a command's own table of options. The same tables make --help, the man page
 * and shell completion. */
#ifndef HL_COMMANDS_ARGUMENTS_H
#define HL_COMMANDS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/status.h"

struct hl_option {
    const char *name;     /* long name without the dashes */
    char letter;          /* short form, or 0 */
    const char *argument; /* what follows ("FILE.h5"), or NULL for a switch */
    const char *help;     /* one sentence */
};

#define HL_MAX_WORDS 256

struct hl_arguments {
    size_t n_words; const char *word[HL_MAX_WORDS];                       /* what isn't an option */
    size_t n_given; struct { const char *name, *value; } given[HL_MAX_WORDS]; /* options in order */
};

/* Sorts argv[0 .. argc-1] by n options (-h/--help is always known). HL_ERR_INPUT with a message, and the nearest right
 * option, when a word is not understood. */
enum hl_status hl_arguments_read(struct hl_arguments *arguments, int argc, char **argv, const struct hl_option *option,
                                 size_t n, struct hl_diag *diag);

/* The last value given for an option (or its own name for a switch), NULL when it wasn't given. */
const char *hl_arguments_value(const struct hl_arguments *arguments, const char *name);

/* An option that must be a whole number of at least minimum: HL_OK and *value untouched when it wasn't given. */
enum hl_status hl_arguments_integer(const struct hl_arguments *arguments, const char *name, uint64_t minimum,
                                    uint64_t *value, struct hl_diag *diag);

#endif
