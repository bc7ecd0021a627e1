/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans as a study: what a design leaves is an ordinary study file with ordinary arms, which anybody can read, change
 * and run again to the same numbers. It has everything of the study that asked for it but design: itself: models,
 * parameters, people (the judge's), settings. Written by hand rather than from a tree, since people will read it. */
#include <math.h>
#include <string.h>

#include "design_parts.h"

#define DAY 24.0

const char *hl_design_statistic(enum hl_taper_statistic statistic)
{
    return hl_taper_is_value(statistic) ? "Cmax" : statistic == HL_TAPER_HOURS_ABOVE ? "hours_above" : "overlap_area";
}

/* Whether a constraint of this kind has a metric called so (kept_lines). */
static bool writes(enum hl_taper_statistic statistic, const char *what)
{
    return strcmp(what, hl_design_statistic(statistic)) == 0 ||
           (hl_taper_is_value(statistic) && (strcmp(what, "Tmax") == 0 || strcmp(what, "hours_above") == 0));
}

const char *hl_design_metric(const struct hl_design *design, size_t constraint, const char *what)
{
    const struct hl_taper_constraint *keep = design->problem->constraint;
    char *name = hl_arena_printf(design->arena, "%s_%s", design->study->system->output[keep[constraint].output].name,
                                 what);
    name[strcspn(name, ".")] = '_';
    bool taken = false; /* by another bound of the same, or by a metric that the person asks for */
    for (size_t c = 0; c < constraint; c++)
        taken = taken || (keep[c].output == keep[constraint].output && writes(keep[c].statistic, what));
    for (size_t m = 0; m < design->study->n_metrics; m++)
        taken = taken || strcmp(design->study->metric[m].name, name) == 0;
    return taken ? hl_arena_printf(design->arena, "%s_kept_%zu", name, constraint + 1) : name;
}

static const char *indented(struct hl_arena *arena, const char *text)
{
    const char *out = "";
    while (*text) {
        int n = (int)strcspn(text, "\n");
        out = hl_arena_printf(arena, "%s  %.*s\n", out, n, text);
        text += n + (text[n] == '\n');
    }
    return out;
}

/* A key of the study as it was read, with its value. */
static const char *copy_key(const struct hl_design *design, const char *key)
{
    const struct hl_yaml *value = hl_yaml_get(design->study->root, key);
    if (!value)
        return "";
    const char *text = hl_yaml_to_text(design->arena, value);
    struct hl_arena *arena = design->arena;
    return value->kind == HL_YAML_SCALAR ? hl_arena_printf(arena, "%s: %s", key, text)
                                         : hl_arena_printf(arena, "%s:\n%s", key, indented(arena, text));
}

/* The people: those of the design, or as many new ones as judge: says. */
static const char *cohort_text(const struct hl_design *design, bool judged)
{
    const struct hl_yaml *cohort = hl_yaml_get(design->study->root, "cohort");
    struct hl_arena *arena = design->arena;
    bool typical = design->study->arm[0].cohort->typical;
    uint64_t subjects = judged ? design->request->judge_subjects : design->study->subjects;
    uint64_t seed = judged ? design->request->judge_seed : design->study->seed;
    const char *out = typical ? hl_arena_printf(arena, "cohort:\n  typical: true\n  seed: %llu\n",
                                                (unsigned long long)seed)
                              : hl_arena_printf(arena, "cohort:\n  subjects: %llu\n  seed: %llu\n",
                                                (unsigned long long)subjects, (unsigned long long)seed);
    const struct hl_yaml *table = hl_yaml_at(design->study->resolved, "cohort.csv"); /* by where it was found */
    for (size_t i = 0; cohort && cohort->kind == HL_YAML_MAPPING && i < cohort->n; i++) {
        const char *key = cohort->key[i]->text;
        const char *text = hl_yaml_to_text(arena, strcmp(key, "csv") == 0 && table ? table : cohort->item[i]);
        if (strcmp(key, "subjects") == 0 || strcmp(key, "seed") == 0 || strcmp(key, "typical") == 0)
            continue;
        out = cohort->item[i]->kind == HL_YAML_SCALAR
                  ? hl_arena_printf(arena, "%s  %s: %s", out, key, text)
                  : hl_arena_printf(arena, "%s  %s:\n%s", out, key, indented(arena, indented(arena, text)));
    }
    return out;
}

/* A number with its unit as a study writes it, in quotes. */
static const char *quantity(const struct hl_design *design, double value, const char *unit)
{
    char number[40];
    bool plain = !unit || !*unit || strcmp(unit, "1") == 0;
    return hl_arena_printf(design->arena, "\"%s%s%s\"", hl_taper_number(value, number, sizeof number),
                           plain ? "" : " ", plain ? "" : unit);
}

/* One line of metrics on a constraint's output (or outputs), from day 0 to the end; above NULL: none. */
static const char *line(const struct hl_design *design, const char *of, const char *above, const char *list,
                        const char *name, double end)
{
    return hl_arena_printf(design->arena, "  - {of: %s, %s%s%slist: [%s], window: [%.10g h, %.10g h], name: %s}\n", of,
                           above ? "above: " : "", above ? above : "", above ? ", " : "", list,
                           design->problem->begins, end, name);
}

/* What shows whether a constraint is kept; of a peak also when, and how long it is above the bound. The area above a
 * threshold is the overlap of an output with itself, in units of the threshold: y/theta - 1 where positive. */
static const char *kept_lines(const struct hl_design *design, size_t c, bool whole, double end)
{
    const struct hl_taper_constraint *keep = &design->problem->constraint[c];
    const struct hl_output *output = &design->study->system->output[keep->output];
    const char *statistic = hl_design_statistic(keep->statistic), *name = hl_design_metric(design, c, statistic);
    bool peak = hl_taper_is_value(keep->statistic);
    const char *above = quantity(design, (peak ? keep->bound : keep->threshold) / output->unit.factor,
                                 output->unit_text);
    if (keep->statistic == HL_TAPER_AREA_ABOVE)
        return line(design, hl_arena_printf(design->arena, "[%s, %s]", output->name, output->name),
                    hl_arena_printf(design->arena, "[%s, %s]", above, above), statistic, name, end);
    const char *out = line(design, output->name, peak ? NULL : above, statistic, name, end);
    if (!peak || !whole)
        return out;
    return hl_arena_printf(design->arena, "%s%s%s", out,
                           line(design, output->name, NULL, "Tmax", hl_design_metric(design, c, "Tmax"), end),
                           line(design, output->name, above, "hours_above", hl_design_metric(design, c, "hours_above"),
                                end));
}

static const char *metrics_text(const struct hl_design *design, bool whole, double end)
{
    struct hl_arena *arena = design->arena;
    const struct hl_yaml *own = hl_yaml_get(design->study->root, "metrics");
    const char *out = "metrics:\n";
    for (size_t c = 0; c < design->problem->n_constraints; c++)
        out = hl_arena_printf(arena, "%s%s", out, kept_lines(design, c, whole, end));
    if (whole && own && own->kind == HL_YAML_SEQUENCE && own->n > 0)
        out = hl_arena_printf(arena, "%s%s", out, indented(arena, hl_yaml_to_text(arena, own)));
    return out;
}

/* What the design asks about, and what the person wants to see beside it. */
static const char *outputs_text(const struct hl_design *design, bool whole)
{
    const char *out = "outputs: [";
    const struct hl_study *study = design->study;
    const struct hl_yaml *resolved = hl_yaml_get(study->resolved, "outputs");
    size_t n = 0;
    for (size_t i = 0; i < study->n_outputs; i++) {
        bool needed = whole && resolved && i < study->n_asked;
        for (size_t c = 0; c < design->problem->n_constraints; c++)
            needed = needed || design->problem->constraint[c].output == study->output[i];
        if (needed)
            out = hl_arena_printf(design->arena, "%s%s%s", out, n++ ? ", " : "",
                                  study->system->output[study->output[i]].name);
    }
    return hl_arena_printf(design->arena, "%s]\n", out);
}

#define STEP   12.0 /* [h] of the grid */
#define MOMENT 1.0  /* ... of a check of what holds at any time */

/* Whether all doses of a day lie on a grid of so many hours from day 0 on. */
static bool hits_doses(const struct hl_taper_problem *problem, double step)
{
    for (size_t d = 0; d < problem->n_drugs; d++)
        for (size_t i = 0; i < problem->drug[d].n_doses; i++) {
            double steps = problem->drug[d].dose[i].clock / step;
            if (fabs(steps - round(steps)) > 1e-6)
                return false;
        }
    return true;
}

double hl_design_grid(const struct hl_design *design)
{
    static const double finer[] = {STEP, 6, 4, 3, 2, 1, 0.5};
    size_t k = 0, n = sizeof finer / sizeof *finer;
    while (hl_taper_any_moment(design->problem) && k + 1 < n && !hits_doses(design->problem, finer[k]))
        k++;
    return finer[k];
}

/* Every 12 h from the start of day 0's own time on, so that each taper's end and the marks after it are on the grid,
 * and more often where a bound holds at any time and doses lie between. */
static const char *times_text(const struct hl_design *design, bool whole, double end)
{
    double step = hl_design_grid(design), begins = fmod(design->problem->begins, step);
    if (!whole && hl_taper_any_moment(design->problem))
        return hl_arena_printf(design->arena, "times: [{at: [%.10g h]}, {until: %.10g h, every: %g h}]\n",
                               design->problem->begins, end, fmin(step, MOMENT));
    if (!whole)
        return hl_arena_printf(design->arena, "times: [{at: [%.10g h]}]\n", end);
    if (begins > 1e-9)
        return hl_arena_printf(design->arena, "times: [{at: [%.10g h]}, {until: %.10g h, every: %g h}]\n", begins, end,
                               step);
    return hl_arena_printf(design->arena, "times: [{until: %.10g h, every: %g h}]\n", end, step);
}

static const char *head_text(const struct hl_design *design)
{
    const struct hl_study *study = design->study;
    return hl_arena_printf(design->arena,
                           "# Made by: %s\n"
                           "# A designed taper, what it is compared with, and what it is tested under, on a cohort of "
                           "its own.\n"
                           "# Day 0 is %.10g d after the start. A simulation for education and research, not medical "
                           "advice, not for dosing.\n"
                           "study: %s\n", design->options->command_line ? design->options->command_line : "halflife",
                           design->problem->begins / DAY, study->name);
}

const char *hl_design_study_text(const struct hl_design *design, const struct hl_taper_plan *plan, size_t n_plans,
                                 bool whole, double end)
{
    static const char *const settings[] = {"title", "description", "origin", "drugs", "interactions", "parameters",
                                           "solver", "tolerance", "bioavailability_scales", "adherence"};
    static const char *const storage[] = {"thresholds", "quantiles", "precision", "compression", "store"};
    struct hl_arena *arena = design->arena;
    const char *out = whole ? head_text(design) : hl_arena_printf(arena, "study: %s\n", design->study->name);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        out = hl_arena_printf(arena, "%s%s", out, copy_key(design, settings[i]));
    for (size_t i = 0; whole && i < sizeof storage / sizeof *storage; i++)
        out = hl_arena_printf(arena, "%s%s", out, copy_key(design, storage[i]));
    if (!whole)
        out = hl_arena_printf(arena, "%sstore: [summaries]\n", out);
    out = hl_arena_printf(arena, "%s%s%s%s%sarms:\n", out, cohort_text(design, whole), outputs_text(design, whole),
                          metrics_text(design, whole, end), times_text(design, whole, end));
    for (size_t i = 0; i < n_plans; i++)
        out = hl_arena_printf(arena, "%s%s", out, hl_taper_arm_text(arena, design->study, &plan[i]));
    return out;
}
