/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One verb of the command line: a constant descriptor and a function. Adding a verb is one file and one line in the
 * table of table.c. Results go to standard output, everything else to standard error. */
#ifndef HL_COMMANDS_COMMAND_H
#define HL_COMMANDS_COMMAND_H

#include "commands/arguments.h"

struct hl_command {
    const char *name;
    const char *usage;    /* the words after the verb: "STUDY.yaml [options]" */
    const char *summary;  /* one sentence */
    const char *examples; /* lines, shown first by --help */
    const char *details;  /* paragraphs, or NULL */
    const struct hl_option *option;
    size_t n_options;
    enum hl_status (*run)(const struct hl_arguments *arguments, struct hl_diag *diag);
};

/* Every verb, in the order of --help. */
extern const struct hl_command *const hl_commands[];
extern const size_t hl_n_commands;

extern const struct hl_command hl_command_run, hl_command_taper, hl_command_check, hl_command_explain,
    hl_command_summary, hl_command_compare, hl_command_plot, hl_command_export, hl_command_models, hl_command_new,
    hl_command_translate, hl_command_calendar, hl_command_version, hl_command_help, hl_command_completion;

/* The whole command line as one text, for the file's history; words with spaces are quoted. */
extern const char *hl_command_line;

/* Does all that main() does: finds the verb, reads its options, runs it, prints messages; the exit code. */
int hl_commands_main(int argc, char **argv);

/* Prints help for one verb (examples first), or the overview when command is NULL. */
void hl_help_print(const struct hl_command *command, FILE *stream);

#endif
