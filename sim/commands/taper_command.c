/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife taper: a study that asks for a taper gets one. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands/command.h"
#include "commands/study_options.h"
#include "design.h"

static const struct hl_option options_of_taper[] = {
    {"output", 'o', "DIR|BASE", "where the files go: a folder, or the start of their names (default: output/NAME)"},
    {"threads", 0, "N", "threads (default: all cores); the answer is the same for any number"},
    HL_STUDY_OPTIONS,
    {"start", 0, "DATE", "the date of the first reduced dose, such as 2027-01-04, for the calendar"},
    {"effort", 0, "quick|normal|thorough", "how far search and proof go; thorough: to their end (default normal)"},
    {"nearest", 0, NULL, "where no taper keeps a bound, go on with the nearest bound that one keeps"},
    {"alone", 0, NULL, "only design: write the study, but don't run and compare"},
    {"json", 0, NULL, "print the answer as JSON"},
    {"force", 'f', NULL, "replace existing files"},
    {"dry-run", 'n', NULL, "check everything and say what would be designed"},
    {"quiet", 'q', NULL, "say nothing but the answer"},
    {"progress", 0, "auto|plain|none", "how progress is shown"},
};

/* Steps of single subjects: some 15 us each on one core, so that normal takes half a minute on two. A count and not a
 * time, so that the answer is the same everywhere. */
static enum hl_status read_effort(const struct hl_arguments *arguments, uint64_t *most_work, struct hl_diag *diag)
{
    static const char *const names[] = {"quick", "normal", "thorough"};
    static const uint64_t work[] = {500000, 1500000, 0};
    const char *text = hl_arguments_value(arguments, "effort");
    char hint[96];
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text ? text : "normal", names[i]) == 0) {
            *most_work = work[i];
            return HL_OK;
        }
    hl_diag_error(diag, hl_pos_none(), "--effort is quick, normal or thorough, but found '%s'%s", text,
                  hl_text_did_you_mean(text, names, 3, hint, sizeof hint));
    return HL_ERR_INPUT;
}

static enum hl_status run_taper(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    static struct hl_study_option_room room;
    struct hl_design_options options = {.command_line = hl_command_line};
    uint64_t threads = 0;
    options.study_path = hl_one_word(arguments, "a study file", diag);
    if (!options.study_path || hl_study_options_read(arguments, &room, &options.study, diag) != HL_OK ||
        hl_arguments_integer(arguments, "threads", 1, &threads, diag) != HL_OK ||
        hl_progress_option(arguments, &options.progress, diag) != HL_OK ||
        read_effort(arguments, &options.most_work, diag) != HL_OK)
        return HL_ERR_INPUT;
    if (threads > 4096 || options.study.data) {
        hl_diag_error(diag, hl_pos_none(), options.study.data ? "a taper isn't designed on a data set; leave --data out"
                                                              : "--threads goes up to 4096");
        return HL_ERR_INPUT;
    }
    const char *start = hl_arguments_value(arguments, "start");
    options.dated = start != NULL;
    if (start && !hl_date_read(start, &options.start)) {
        hl_diag_error(diag, hl_pos_none(), "--start needs a date that exists, such as 2027-01-04, but found '%s'",
                      start);
        return HL_ERR_INPUT;
    }
    options.threads = (int)threads;
    options.output = hl_arguments_value(arguments, "output");
    options.nearest = hl_arguments_value(arguments, "nearest") != NULL;
    options.alone = hl_arguments_value(arguments, "alone") != NULL;
    options.json = hl_arguments_value(arguments, "json") != NULL;
    options.force = hl_arguments_value(arguments, "force") != NULL;
    options.dry_run = hl_arguments_value(arguments, "dry-run") != NULL;
    options.quiet = hl_arguments_value(arguments, "quiet") != NULL;
    return hl_design(&options, diag);
}

const struct hl_command hl_command_taper = {
    .name = "taper",
    .usage = "STUDY.yaml [-o DIR|BASE] [options]",
    .summary = "designs the fastest taper that a cohort can bear, with a certificate, and compares it",
    .examples = "  halflife taper configs/taper_design.yaml\n"
                "  halflife taper configs/taper_design.yaml --subjects 200 --alone\n"
                "  halflife taper configs/taper_design.yaml --set 'design.keep.0.peak=\"15\"' -o output/gentler\n"
                "  halflife taper configs/taper_design.yaml --set 'design.adherence={missed: 5 %}' --nearest\n"
                "  halflife check configs/taper_design.yaml\n",
    .details = "The study says under design: what was taken before, what the doses can be made of, what must hold in\n"
               "how many of its subjects, and what to compare. The answer is a schedule in whole pieces of products,\n"
               "a lower bound on the length of any such taper, and an ordinary study, OUTPUT.taper.yaml, which has\n"
               "the designed taper, the compared ones and the stressed ones as arms and new subjects to judge them;\n"
               "its result is OUTPUT.h5, and halflife run OUTPUT.taper.yaml gives it again.\n"
               "Exit status 2 where no taper keeps what is asked; the nearest bound that can be kept is then told,\n"
               "and --nearest goes on with it.\n"
               "Every index is a simulated one, never a clinical probability. Not for dosing.\n",
    .option = options_of_taper,
    .n_options = sizeof options_of_taper / sizeof *options_of_taper,
    .run = run_taper,
};
