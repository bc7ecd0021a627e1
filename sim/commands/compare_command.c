/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife compare: what differs between two results. */
#include "store/compare.h"

#include "commands/command.h"

static enum hl_status run_compare(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    if (arguments->n_words != 2) {
        hl_diag_error(diag, hl_pos_none(), "expected two result files, but found %zu; see --help", arguments->n_words);
        return HL_ERR_INPUT;
    }
    return hl_compare(arguments->word[0], arguments->word[1], stdout, NULL, diag);
}

const struct hl_command hl_command_compare = {
    .name = "compare", .usage = "A.h5 B.h5",
    .summary = "says what differs between two results: settings, subjects, largest deviation of each variable",
    .examples = "  halflife compare before.h5 after.h5\n", .run = run_compare,
};
