/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verbs. */
#include "commands/command.h"

const struct hl_command *const hl_commands[] = {
    &hl_command_run,    &hl_command_taper, &hl_command_check,  &hl_command_explain, &hl_command_summary, &hl_command_compare,
    &hl_command_plot,   &hl_command_export, &hl_command_models,  &hl_command_new,     &hl_command_translate,
    &hl_command_calendar, &hl_command_version, &hl_command_help, &hl_command_completion,
};

const size_t hl_n_commands = sizeof hl_commands / sizeof *hl_commands;
