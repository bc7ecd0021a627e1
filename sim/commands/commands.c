/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From argv to a verb. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "commands/command.h"

const char *hl_command_line = "halflife";

static const struct hl_command *find_command(const char *name)
{
    for (size_t i = 0; i < hl_n_commands; i++)
        if (strcmp(hl_commands[i]->name, name) == 0)
            return hl_commands[i];
    return NULL;
}

static const char *nearest_command(const char *word)
{
    const char *names[32];
    for (size_t i = 0; i < hl_n_commands; i++)
        names[i] = hl_commands[i]->name;
    return hl_text_nearest(word, names, hl_n_commands);
}

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

static bool needs_quotes(const char *word)
{
    return !*word || strpbrk(word, " \t\"'\\$`;&|<>(){}*?[]#~") != NULL;
}

/* As it stands between single quotes in a shell: each of its own as '\\''. */
static const char *quotable(struct hl_arena *arena, const char *word)
{
    const char *text = "";
    for (const char *quote; (quote = strchr(word, '\'')) != NULL; word = quote + 1)
        text = hl_arena_printf(arena, "%s%.*s'\\''", text, (int)(quote - word), word);
    return hl_arena_printf(arena, "%s%s", text, word);
}

static const char *join_words(struct hl_arena *arena, int argc, char **argv)
{
    const char *line = "halflife";
    for (int i = 1; i < argc; i++)
        line = hl_arena_printf(arena, needs_quotes(argv[i]) ? "%s '%s'" : "%s %s", line, quotable(arena, argv[i]));
    return line;
}

static int unknown_command(const char *word)
{
    const char *near = nearest_command(word);
    if (*word == '-' && word[1]) {
        fprintf(stderr, "halflife: error: expected a command before the option '%s', as in: halflife run %s ...; "
                "'halflife --help' lists them\n", word, word);
        return hl_status_exit_code(HL_ERR_INPUT);
    }
    fprintf(stderr, "halflife: error: unknown command '%s'", word);
    if (near)
        fprintf(stderr, "; did you mean '%s'?\n", near);
    else
        fprintf(stderr, "; 'halflife --help' lists them\n");
    return hl_status_exit_code(HL_ERR_INPUT);
}

static int run_command(const struct hl_command *command, int argc, char **argv)
{
    static struct hl_arguments arguments;
    struct hl_diag *diag = hl_diag_create();
    if (!diag)
        return hl_status_exit_code(HL_ERR_MEMORY);
    enum hl_status status = hl_arguments_read(&arguments, argc, argv, command->option, command->n_options, diag);
    if (status == HL_OK)
        status = command->run(&arguments, diag);
    /* what fails where there is no room for a message still has a sentence */
    if (hl_status_exit_code(status) == 1 && hl_diag_count(diag, HL_ERROR) == 0)
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(status));
    fflush(stdout);
    hl_diag_print(diag, stderr);
    hl_diag_free(diag);
    return hl_status_exit_code(status);
}

int hl_commands_main(int argc, char **argv)
{
    if (argc < 2) {
        hl_help_print(NULL, stderr);
        return hl_status_exit_code(HL_ERR_INPUT);
    }
    const struct hl_command *command = find_command(argv[1]);
    if (is_help(argv[1]) || strcmp(argv[1], "--version") == 0)
        command = is_help(argv[1]) ? &hl_command_help : &hl_command_version;
    if (!command)
        return unknown_command(argv[1]);
    if (asks_for_help(argc - 2, argv + 2)) {
        hl_help_print(command, stdout);
        return 0;
    }
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return hl_status_exit_code(HL_ERR_MEMORY);
    hl_command_line = join_words(arena, argc, argv);
    int code = run_command(command, argc - 2, argv + 2);
    hl_command_line = "halflife";
    hl_arena_free(arena);
    return code;
}
