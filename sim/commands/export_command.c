/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife export: variables of a result as text on standard output. */
#include "store/export.h"

#include "base/units.h"
#include "commands/command.h"

static const struct hl_option options_of_export[] = {
    {"format", 0, "csv|tsv|nonmem", "the shape of the table (default csv); nonmem: what $TABLE writes, all digits"},
    {"wide", 0, NULL, "one row per time, one column per subject (or per arm)"},
    {"arm", 0, "A", "only this arm, by name or by number from 0"},
    {"subject", 0, "K", "only this subject; of a data set its K-th individual"},
    {"every", 0, "DT", "only times this far apart, for example '6 h'"},
    {"rows", 0, "all|obs", "of data-set results: all records, or those with EVID 0 and 2"},
};

static enum hl_status read_every(const char *text, double *hours, struct hl_diag *diag)
{
    struct hl_unit unit;
    char why[200];
    if (!text)
        return HL_OK;
    if (hl_quantity_parse(text, hours, &unit, why, sizeof why) && hl_dim_equal(unit.dim, hl_dim_of("h")) && *hours > 0)
        return HL_OK;
    hl_diag_error(diag, hl_pos_none(), "--every needs a time such as '6 h', but found '%s'", text);
    return HL_ERR_INPUT;
}

static enum hl_status run_export(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    struct hl_export_options options = {.format = hl_arguments_value(arguments, "format"),
                                        .wide = hl_arguments_value(arguments, "wide") != NULL,
                                        .arm = hl_arguments_value(arguments, "arm"),
                                        .rows = hl_arguments_value(arguments, "rows")};
    if (arguments->n_words == 0) {
        hl_diag_error(diag, hl_pos_none(), "expected a result file; see --help");
        return HL_ERR_INPUT;
    }
    if (hl_arguments_integer(arguments, "subject", 1, &options.subject, diag) != HL_OK ||
        read_every(hl_arguments_value(arguments, "every"), &options.every, diag) != HL_OK)
        return HL_ERR_INPUT;
    return hl_export(arguments->word[0], arguments->word + 1, arguments->n_words - 1, &options, stdout, diag);
}

const struct hl_command hl_command_export = {
    .name = "export", .usage = "FILE.h5 [VARIABLE...] [options]", .summary = "prints variables of a result as text",
    .examples = "  halflife export output/akita2021.h5 clonazepam_Cp --arm 0 --subject 17\n"
                "  halflife export output/akita2021.h5 clonazepam_Cp_quantiles --format tsv\n"
                "  halflife export output/akita2021.h5 metrics/clonazepam_Cp_Cmax\n"
                "  halflife export output/akita2021.h5 doses --arm 0 --subject 17\n"
                "  halflife export output/akita2021.h5 attributes\n"
                "  halflife export output/trial.h5 IPRED A_central --format nonmem --rows obs\n",
    .details = "Without a variable: all trajectories, or all records of a data set's result. A table of records\n"
               "has ID and TIME in front; names of its columns may be written in any case. Missing values are\n"
               "NaN, and '.' in NONMEM's format.\n",
    .option = options_of_export, .n_options = sizeof options_of_export / sizeof *options_of_export, .run = run_export,
};
