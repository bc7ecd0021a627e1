/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --help, the man page and shell completion, all from the table of verbs. */
#include <stdio.h>
#include <string.h>

#include "build_info.h"
#include "commands/command.h"

#define PURPOSE                                                                                                        \
    "simulates cohorts of virtual patients on clonazepam and fentanyl: accumulation, sedation overlap, tapers"

static void print_option(const struct hl_option *option, FILE *stream)
{
    char left[64];
    int n = option->letter ? snprintf(left, sizeof left, "-%c, --%s", option->letter, option->name)
                           : snprintf(left, sizeof left, "    --%s", option->name);
    if (option->argument)
        snprintf(left + n, sizeof left - (size_t)n, " %s", option->argument);
    fprintf(stream, "  %-30s %s\n", left, option->help);
}

static void print_overview(FILE *stream)
{
    fprintf(stream,
            "halflife %s\n\nExamples:\n"
            "  halflife run configs/akita2021.yaml        one study: cohort, arms, results in output/akita2021.h5\n"
            "  halflife plot output/akita2021.h5          its figures\n"
            "  halflife new study mine                    a commented study to change\n\nCommands:\n",
            PURPOSE);
    for (size_t i = 0; i < hl_n_commands; i++)
        fprintf(stream, "  %-12s %s\n", hl_commands[i]->name, hl_commands[i]->summary);
    fputs("\n'halflife COMMAND --help' says more. Exit status: 0 good, 1 internal error, 2 usage or input at fault,\n"
          "3 finished but some subjects failed, 4 input/output, 5 interrupted.\n"
          "For education and research, not for dosing.\n", stream);
}

void hl_help_print(const struct hl_command *command, FILE *stream)
{
    if (!command || command == &hl_command_help) {
        print_overview(stream);
        return;
    }
    fprintf(stream, "Examples:\n%s\nUsage: halflife %s %s\n\n%s.\n", command->examples, command->name, command->usage,
            command->summary);
    if (command->n_options)
        fputs("\nOptions:\n", stream);
    for (size_t i = 0; i < command->n_options; i++)
        print_option(&command->option[i], stream);
    fputs("  -h, --help                     this text\n", stream);
    if (command->details)
        fprintf(stream, "\n%s", command->details);
}

/* roff: backslashes and hyphens escaped, a leading dot or apostrophe shielded. */
static void roff(const char *text, FILE *stream)
{
    bool line_start = true;
    for (const char *c = text; *c; c++) {
        if (line_start && (*c == '.' || *c == '\''))
            fputs("\\&", stream);
        if (*c == '\\' || *c == '-')
            fputc('\\', stream);
        fputc(*c, stream);
        line_start = *c == '\n';
    }
}

static void roff_option(const struct hl_option *option)
{
    fputs(".TP\n.B ", stdout);
    if (option->letter)
        printf("\\-%c, ", option->letter);
    fputs("\\-\\-", stdout);
    roff(option->name, stdout);
    if (option->argument)
        printf(" \\fI%s\\fR", option->argument);
    fputc('\n', stdout);
    roff(option->help, stdout);
    fputc('\n', stdout);
}

static void roff_command(const struct hl_command *command)
{
    printf(".SS halflife %s ", command->name);
    roff(command->usage, stdout);
    fputc('\n', stdout);
    roff(command->summary, stdout);
    fputs(".\n", stdout);
    for (size_t i = 0; i < command->n_options; i++)
        roff_option(&command->option[i]);
    if (command->details) {
        fputs(".PP\n.nf\n", stdout);
        roff(command->details, stdout);
        fputs(".fi\n", stdout);
    }
    fputs(".PP\nExamples:\n.nf\n", stdout);
    roff(command->examples, stdout);
    fputs(".fi\n", stdout);
}

static void print_man(void)
{
    printf(".TH HALFLIFE 1 \"\" \"halflife %s\" \"User Commands\"\n.SH NAME\nhalflife \\- ", HL_VERSION);
    roff(PURPOSE, stdout);
    fputs("\n.SH SYNOPSIS\n.B halflife\n.I COMMAND\n[\\fIoptions\\fR]\n.SH COMMANDS\n", stdout);
    for (size_t i = 0; i < hl_n_commands; i++)
        roff_command(hl_commands[i]);
    fputs(".SH EXIT STATUS\n.nf\n0 all good\n1 internal error\n2 usage, study, model or data at fault\n"
          "3 finished, but some subjects failed\n4 input or output\n5 interrupted\n.fi\n"
          ".SH ENVIRONMENT\n.TP\n.B HALFLIFE_DATA\n"
          "a directory with models, configs and scripts that comes before the program's own\n"
          ".TP\n.B NO_COLOR\nno colours\n.TP\n.B OMP_NUM_THREADS\nthreads, where \\-\\-threads is not given\n"
          ".SH NOTES\nFor education and research, not for dosing.\n", stdout);
}

static const struct hl_option help_options[] = {{"man", 0, NULL, "the whole manual page, as roff"}};

static enum hl_status run_help(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    if (hl_arguments_value(arguments, "man")) {
        print_man();
        return HL_OK;
    }
    const struct hl_command *found = NULL;
    for (size_t i = 0; arguments->n_words && i < hl_n_commands; i++)
        if (strcmp(hl_commands[i]->name, arguments->word[0]) == 0)
            found = hl_commands[i];
    if (arguments->n_words && !found) {
        hl_diag_error(diag, hl_pos_none(), "unknown command '%s'; 'halflife --help' lists them", arguments->word[0]);
        return HL_ERR_INPUT;
    }
    hl_help_print(found, stdout);
    return HL_OK;
}

const struct hl_command hl_command_help = {
    .name = "help", .usage = "[COMMAND] [--man]", .summary = "this overview, or help for one command",
    .examples = "  halflife help run\n  halflife help --man | man -l -\n",
    .option = help_options, .n_options = 1, .run = run_help,
};

static enum hl_status run_completion(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    if (arguments->n_words && strcmp(arguments->word[0], "bash") != 0) {
        hl_diag_error(diag, hl_pos_none(), "no completion for the shell '%s'; there is one for bash",
                      arguments->word[0]);
        return HL_ERR_INPUT;
    }
    fputs("_halflife() {\n    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} options=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < hl_n_commands; i++)
        printf("%s ", hl_commands[i]->name);
    fputs("--help --version' -- \"$word\"))\n        return\n    fi\n    case $verb in\n", stdout);
    for (size_t i = 0; i < hl_n_commands; i++) {
        printf("    %s) options='", hl_commands[i]->name);
        for (size_t o = 0; o < hl_commands[i]->n_options; o++)
            printf("--%s ", hl_commands[i]->option[o].name);
        fputs("--help' ;;\n", stdout);
    }
    fputs("    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
          "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\n"
          "complete -o filenames -F _halflife halflife\n", stdout);
    return HL_OK;
}

const struct hl_command hl_command_completion = {
    .name = "completion", .usage = "bash", .summary = "completion of commands and options for a shell",
    .examples = "  source <(halflife completion bash)\n", .run = run_completion,
};
