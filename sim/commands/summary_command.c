/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife summary: a result as a table in the terminal. */
#include "store/summary.h"

#include "commands/command.h"
#include "commands/study_options.h"

static const struct hl_option options_of_summary[] = {{"json", 0, NULL, "as JSON"}};

static enum hl_status run_summary(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    const char *path = hl_one_word(arguments, "a result file", diag);
    return path ? hl_summary(path, hl_arguments_value(arguments, "json") != NULL, stdout, diag) : HL_ERR_INPUT;
}

const struct hl_command hl_command_summary = {
    .name = "summary", .usage = "FILE.h5 [--json]", .summary = "shows a result as a table in the terminal",
    .examples = "  halflife summary output/akita2021.h5\n  halflife summary output/akita2021.h5 --json | jq .metrics\n",
    .option = options_of_summary, .n_options = 1, .run = run_summary,
};
