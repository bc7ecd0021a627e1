/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife run: a study becomes a result file. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands/command.h"
#include "commands/study_options.h"
#include "run.h"

static const struct hl_option options_of_run[] = {
    {"output", 'o', "FILE.h5", "where the result goes (default: output/NAME.h5)"},
    {"threads", 0, "N", "threads (default: all cores); the result is the same for any number"},
    HL_STUDY_OPTIONS,
    {"resume", 0, NULL, "go on with an interrupted run (not in this version)"},
    {"force", 'f', NULL, "replace an existing result"},
    {"dry-run", 'n', NULL, "check everything and say what would run"},
    {"quiet", 'q', NULL, "say nothing unless something is wrong"},
    {"progress", 0, "auto|plain|none", "how progress is shown"},
    {"memory", 0, "SIZE", "how much memory may be used, about: 500 MB, 2 GB (default: half of the machine's)"},
    {"verify", 0, NULL, "read every value back before the file gets its name"},
    {"block", 0, "N", "subjects solved together (64 at most); the result is the same for any number"},
};

/* "500 MB", "1.5GB", "2000000": bytes, MB and GB being powers of ten. */
static enum hl_status read_memory(const struct hl_arguments *arguments, double *bytes, struct hl_diag *diag)
{
    static const struct { const char *name; double bytes; } units[] = {{"", 1}, {"B", 1}, {"kB", 1e3}, {"MB", 1e6},
                                                                       {"GB", 1e9}, {"TB", 1e12}};
    const char *text = hl_arguments_value(arguments, "memory");
    char number[40];
    if (!text)
        return HL_OK;
    size_t n = hl_text_number_length(text), rest = n + strspn(text + n, " ");
    snprintf(number, sizeof number, "%.*s", (int)n, text);
    for (size_t i = 0; n > 0 && n < sizeof number && i < sizeof units / sizeof *units; i++)
        if (strcmp(text + rest, units[i].name) == 0 && hl_text_number(number, bytes) && *bytes > 0) {
            *bytes *= units[i].bytes;
            return HL_OK;
        }
    hl_diag_error(diag, hl_pos_none(), "--memory needs a size such as 500 MB or 2 GB, but found '%s'", text);
    return HL_ERR_INPUT;
}

static enum hl_status refuse_later_options(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    if (!hl_arguments_value(arguments, "resume"))
        return HL_OK;
    hl_diag_error(diag, hl_pos_none(), "--resume is not supported by this version");
    return HL_ERR_INPUT;
}

static enum hl_status run_run(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    static struct hl_study_option_room room;
    struct hl_run_options options = {.command_line = hl_command_line};
    uint64_t threads = 0, block = 0;
    options.study_path = hl_one_word(arguments, "a study file", diag);
    if (!options.study_path || refuse_later_options(arguments, diag) != HL_OK)
        return HL_ERR_INPUT;
    if (hl_study_options_read(arguments, &room, &options.study, diag) != HL_OK ||
        hl_arguments_integer(arguments, "threads", 1, &threads, diag) != HL_OK ||
        hl_arguments_integer(arguments, "block", 1, &block, diag) != HL_OK ||
        hl_progress_option(arguments, &options.progress, diag) != HL_OK ||
        read_memory(arguments, &options.memory, diag) != HL_OK)
        return HL_ERR_INPUT;
    if (threads > 4096 || block > 65536) {
        hl_diag_error(diag, hl_pos_none(), "--threads goes up to 4096 and --block up to 65536");
        return HL_ERR_INPUT;
    }
    options.threads = (int)threads;
    options.block = (size_t)block;
    options.output = hl_arguments_value(arguments, "output");
    options.force = hl_arguments_value(arguments, "force") != NULL;
    options.dry_run = hl_arguments_value(arguments, "dry-run") != NULL;
    options.verify = hl_arguments_value(arguments, "verify") != NULL;
    options.quiet = hl_arguments_value(arguments, "quiet") != NULL;
    return hl_run(&options, diag);
}

const struct hl_command hl_command_run = {
    .name = "run", .usage = "STUDY.yaml [-o FILE.h5] [options]", .summary = "runs a study and writes its result file",
    .examples = "  halflife run configs/akita2021.yaml\n"
                "  halflife run configs/tapers.yaml -o tapers.h5 --subjects 200 --seed 7\n"
                "  halflife run configs/overlap.yaml --set clonazepam.TVCL='2 L/h' --dry-run\n"
                "  halflife run study.yaml --data events.csv\n",
    .option = options_of_run, .n_options = sizeof options_of_run / sizeof *options_of_run, .run = run_run,
};
