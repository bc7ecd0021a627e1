/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keep: -- what must hold, of which output, in how many of the cohort:
 *
 *     {of: clonazepam.withdrawal_index, peak: "20", in: "90 %"}
 *     {of: clonazepam.withdrawal_index, at_any_time: "20", in: "90 %"}
 *     {of: clonazepam.withdrawal_index, hours_above: 48 h, threshold: "15", in: "95 %"}
 *     {of: clonazepam.withdrawal_index, area_above: 100 h, threshold: "15", in: "95 %"}
 *
 * peak: is each subject's own highest value; at_any_time: looks at the cohort moment by moment: at none are more than
 * the rest above the bound. A bound and a threshold have the output's dimension, hours_above is a time, area_above the
 * product of both. */
#include <string.h>

#include "base/text.h"
#include "regimen/read.h"
#include "taper/inside.h"

static const char *const statistics[] = {"peak", "hours_above", "area_above", "at_any_time"};
#define N_STATISTICS (sizeof statistics / sizeof *statistics)
static const char *const keys[] = {"of", "in", "threshold", "peak", "hours_above", "area_above",
                                   "at_any_time"};

static struct hl_dim bound_dim(struct hl_dim output, enum hl_taper_statistic statistic)
{
    return hl_taper_is_value(statistic)        ? output
           : statistic == HL_TAPER_HOURS_ABOVE ? hl_dim_of("h")
                                               : hl_dim_multiply(output, hl_dim_of("h"));
}

/* The output, among those the study asks for; a name that is none was reported with the study. */
static bool find_output(struct hl_taper_reader *reader, const struct hl_yaml *of, struct hl_taper_constraint *keep)
{
    keep->output = of->kind == HL_YAML_SCALAR ? hl_system_find_output(reader->system, of->text) : -1;
    for (size_t i = 0; i < reader->study->n_outputs; i++)
        if (reader->study->output[i] == keep->output && keep->output >= 0) {
            keep->place = (int)i;
            return true;
        }
    if (!hl_taper_faulty(reader) && hl_diag_count(reader->diag, HL_ERROR) == 0)
        hl_diag_error(reader->diag, of->pos, "no model has an output '%s'", of->text ? of->text : "");
    return false;
}

static bool read_statistic(struct hl_taper_reader *reader, const struct hl_yaml *line,
                           struct hl_taper_constraint *keep)
{
    const struct hl_yaml *bound = NULL;
    struct hl_dim dim = reader->system->output[keep->output].unit.dim;
    for (size_t i = 0; i < N_STATISTICS; i++) {
        const struct hl_yaml *found = hl_yaml_get(line, statistics[i]);
        if (found && bound) {
            hl_diag_error(reader->diag, hl_yaml_key(line, statistics[i])->pos,
                          "a line of keep: bounds one thing; give %s: a line of its own", statistics[i]);
            return false;
        }
        if (found) {
            bound = found;
            keep->statistic = (enum hl_taper_statistic)i;
        }
    }
    if (!bound) {
        hl_diag_error(reader->diag, line->pos,
                      "keep: what of %s is bounded? Write peak:, at_any_time:, hours_above: (with threshold:) or "
                      "area_above:",
                      reader->system->output[keep->output].name);
        return false;
    }
    return hl_item_read_not_negative(bound, bound_dim(dim, keep->statistic), "a bound",
                                     hl_dim_is_none(dim) && hl_taper_is_value(keep->statistic) ? "20" : "48 h",
                                     &keep->bound, reader->diag);
}

static bool read_threshold(struct hl_taper_reader *reader, const struct hl_yaml *line,
                           struct hl_taper_constraint *keep)
{
    const struct hl_yaml *threshold = hl_yaml_get(line, "threshold");
    struct hl_dim dim = reader->system->output[keep->output].unit.dim;
    if (threshold && hl_taper_is_value(keep->statistic))
        hl_diag_error(reader->diag, hl_yaml_key(line, "threshold")->pos,
                      "threshold: goes with hours_above: and area_above:; %s: has its bound",
                      statistics[keep->statistic]);
    else if (!threshold && !hl_taper_is_value(keep->statistic))
        hl_diag_error(reader->diag, line->pos, "%s: needs threshold:, the level it is above",
                      statistics[keep->statistic]);
    else if (!threshold)
        return true;
    else if (keep->statistic == HL_TAPER_AREA_ABOVE)
        return hl_item_read_positive(threshold, dim, "the threshold of an area",
                                     hl_dim_is_none(dim) ? "20" : "10 ng/mL", &keep->threshold, reader->diag);
    else
        return hl_item_read_quantity(threshold, dim, "a threshold", hl_dim_is_none(dim) ? "20" : "10 ng/mL",
                                     &keep->threshold, reader->diag);
    return false;
}

/* "clonazepam.withdrawal_index: peak at most 20 in 90 % of subjects" */
static const char *describe(struct hl_taper_reader *reader, const struct hl_yaml *line,
                            const struct hl_taper_constraint *keep)
{
    const char *threshold = hl_taper_is_value(keep->statistic)
                                ? ""
                                : hl_arena_printf(reader->arena, " %s", hl_yaml_get(line, "threshold")->text);
    static const char *const words[] = {"peak", "hours above", "area above", "at any time"};
    return hl_arena_printf(reader->arena, "%s: %s%s at most %s in %g %% of subjects", hl_yaml_get(line, "of")->text,
                           words[keep->statistic], threshold, hl_yaml_get(line, statistics[keep->statistic])->text,
                           100 * keep->share);
}

static void read_line(struct hl_taper_reader *reader, const struct hl_yaml *line)
{
    struct hl_taper_problem *problem = reader->problem;
    struct hl_taper_constraint keep = {.pos = line->pos};
    if (!hl_yaml_check_keys(line, "a line of keep", keys, sizeof keys / sizeof *keys, reader->diag))
        return;
    const struct hl_yaml *of = hl_yaml_get(line, "of"), *in = hl_yaml_get(line, "in");
    if (!of || !in)
        hl_diag_error(reader->diag, line->pos, "a line of keep: needs %s",
                      !of ? "of:, an output such as clonazepam.withdrawal_index"
                          : "in:, the share of subjects it must hold for, such as in: \"90 %\"");
    bool good = of && find_output(reader, of, &keep) && read_statistic(reader, line, &keep);
    good = good && read_threshold(reader, line, &keep);
    good = in && hl_item_read_fraction(in, "the share of subjects", true, &keep.share, reader->diag) && good;
    if (!good)
        return;
    keep.text = describe(reader, line, &keep);
    problem->constraint[problem->n_constraints++] = keep;
}

void hl_taper_read_keep(struct hl_taper_reader *reader, const struct hl_yaml *node)
{
    size_t n = hl_list_size(node);
    if (n == 0)
        hl_diag_error(reader->diag, node->pos, "keep: bounds nothing; the shortest taper would be none at all");
    reader->problem->constraint = hl_arena_alloc(reader->arena, n, sizeof *reader->problem->constraint);
    for (size_t i = 0; i < n; i++)
        read_line(reader, hl_list_item(node, i));
}
