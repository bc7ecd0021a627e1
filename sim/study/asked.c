/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a study asks for: outputs, metrics, thresholds, quantiles. A line under metrics: names outputs and a list of
 * kinds, and is unfolded into one metric per kind, output and threshold. Names are those of the file's variables: the
 * output with an underscore for its dot, the kind, and the threshold in the output's unit
 * (clonazepam_Cp_Cmax, overlap_sedation_hours_above_2).
 * An output that only a metric or a threshold needs is added behind those asked for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

enum { PLAIN = 0, THRESHOLD = 1, PAIR = 2 };
enum metric_unit { AS_OUTPUT, HOURS, OUTPUT_HOURS, NUMBER };

/* In the order of enum hl_metric_kind. */
static const struct {
    const char *name;
    int needs;
    enum metric_unit unit;
} kinds[HL_N_METRIC_KINDS] = {
    [HL_CMAX] = {"Cmax", PLAIN, AS_OUTPUT},
    [HL_TMAX] = {"Tmax", PLAIN, HOURS},
    [HL_CMIN] = {"Cmin", PLAIN, AS_OUTPUT},
    [HL_TMIN] = {"Tmin", PLAIN, HOURS},
    [HL_AUC] = {"AUC", PLAIN, OUTPUT_HOURS},
    [HL_CAVG] = {"Cavg", PLAIN, AS_OUTPUT},
    [HL_CTROUGH] = {"Ctrough", PLAIN, AS_OUTPUT},
    [HL_TROUGHS] = {"troughs", PLAIN, AS_OUTPUT},
    [HL_ACCUMULATION] = {"accumulation", PLAIN, NUMBER},
    [HL_HALF_LIFE] = {"half_life", PLAIN, HOURS},
    [HL_TIME_TO_STEADY] = {"time_to_steady", PLAIN, HOURS},
    [HL_HOURS_ABOVE] = {"hours_above", THRESHOLD, HOURS},
    [HL_HOURS_BELOW] = {"hours_below", THRESHOLD, HOURS},
    [HL_FIRST_TIME] = {"first_time", THRESHOLD, HOURS},
    [HL_LONGEST_SPELL] = {"longest_spell", THRESHOLD, HOURS},
    [HL_FRACTION_ABOVE] = {"fraction_above", THRESHOLD, NUMBER},
    [HL_HOURS_BOTH_ABOVE] = {"hours_both_above", THRESHOLD | PAIR, HOURS},
    [HL_OVERLAP_AREA] = {"overlap_area", THRESHOLD | PAIR, HOURS},
    [HL_LAST] = {"last", PLAIN, AS_OUTPUT},
};

const char *hl_metric_kind_name(enum hl_metric_kind kind)
{
    return kind >= 0 && kind < HL_N_METRIC_KINDS ? kinds[kind].name : "";
}

const char *hl_metric_unit(struct hl_arena *arena, const struct hl_study *study, const struct hl_metric_spec *spec)
{
    const char *unit = study->system->output[study->output[spec->of[0]]].unit_text;
    bool plain = !unit || !*unit || strcmp(unit, "1") == 0;
    switch (kinds[spec->kind].unit) {
    case HOURS:
        return "h";
    case NUMBER:
        return "1";
    case OUTPUT_HOURS:
        return plain ? "h" : hl_arena_printf(arena, "%s.h", unit);
    default:
        return plain ? "1" : unit;
    }
}

/* ---- outputs */

static const char **output_names(struct hl_arena *arena, const struct hl_system *system)
{
    const char **name = hl_arena_alloc(arena, system->n_outputs + 1, sizeof *name);
    for (size_t i = 0; i < system->n_outputs; i++)
        name[i] = system->output[i].name;
    return name;
}

/* "; did you mean 'clonazepam.Cp'?" for a name nearly right, and for "Cp" and "fentanil.Cp" the first that ends so. */
static const char *output_hint(struct hl_study_reader *reader, const struct hl_system *system, const char *text)
{
    char hint[256];
    const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text, **name = output_names(reader->arena, system);
    if (*hl_text_did_you_mean(text, name, system->n_outputs, hint, sizeof hint))
        return hl_arena_strdup(reader->arena, hint);
    for (size_t i = 0; *last && i < system->n_outputs; i++) {
        const char *own = strrchr(name[i], '.');
        if (own && strcmp(own + 1, last) == 0)
            return hl_arena_printf(reader->arena, "; did you mean '%s'?", name[i]);
    }
    return "";
}

/* The output a scalar names, as an index into system->output, or -1 after a message. */
static int find_output(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system)
{
    const char *text = hl_yaml_text(node, "an output such as clonazepam.Cp", reader->diag);
    if (!text || !system)
        return -1;
    int found = hl_system_find_output(system, text);
    if (found < 0)
        hl_diag_error(reader->diag, node->pos, "no model has an output '%s'%s", text,
                      output_hint(reader, system, text));
    return found;
}

/* Its index among the study's outputs, or -1. */
static int place_of(const struct hl_study *study, int output)
{
    for (size_t i = 0; i < study->n_outputs; i++)
        if (study->output[i] == output)
            return (int)i;
    return -1;
}

static int add_output(struct hl_study_reader *reader, int output)
{
    struct hl_study *study = reader->study;
    int *list = hl_arena_alloc(reader->arena, study->n_outputs + 1, sizeof *list);
    if (study->n_outputs)
        memcpy(list, study->output, study->n_outputs * sizeof *list);
    list[study->n_outputs] = output;
    study->output = list;
    return (int)study->n_outputs++;
}

int hl_study_need_output(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system)
{
    int output = find_output(reader, node, system);
    if (output < 0)
        return -1;
    int place = place_of(reader->study, output);
    return place >= 0 ? place : add_output(reader, output);
}

void hl_study_read_outputs(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system)
{
    size_t n;
    struct hl_yaml **item = hl_study_items(reader->arena, node, &n);
    for (size_t i = 0; i < n; i++) {
        int output = find_output(reader, item[i], system);
        if (output < 0)
            continue;
        if (place_of(reader->study, output) >= 0)
            hl_diag_error(reader->diag, item[i]->pos, "output '%s' is asked for twice; remove one", item[i]->text);
        else
            add_output(reader, output);
    }
    reader->study->n_asked = reader->study->n_outputs;
    if (node && n == 0)
        hl_diag_error(reader->diag, node->pos, "outputs: names no output; write [clonazepam.Cp], or leave the key out");
}

/* Silently: whoever compiles the prescription says what is wrong with it. */
static void need_named(struct hl_study_reader *reader, const struct hl_yaml *of, const struct hl_system *system)
{
    int output = of && of->kind == HL_YAML_SCALAR ? hl_system_find_output(system, of->text) : -1;
    if (output >= 0 && place_of(reader->study, output) < 0)
        add_output(reader, output);
}

static void need_reviewed(struct hl_study_reader *reader, const struct hl_yaml *review, const struct hl_system *system)
{
    size_t n;
    struct hl_yaml **rule = hl_study_items(reader->arena, hl_yaml_get(review, "rules"), &n);
    need_named(reader, hl_yaml_get(review, "of"), system);
    for (size_t i = 0; i < n; i++)
        need_named(reader, hl_yaml_get(rule[i], "of"), system);
}

void hl_study_need_reviewed(struct hl_study_reader *reader, const struct hl_yaml *tree, const struct hl_system *system)
{
    const struct hl_yaml *taper = hl_yaml_get(tree, "taper");
    if (hl_yaml_get(taper, "review"))
        need_reviewed(reader, hl_yaml_get(taper, "review"), system);
    for (size_t i = 0; i < tree->n; i++)
        hl_study_need_reviewed(reader, tree->item[i], system);
}

static void add_once(struct hl_study_reader *reader, int output)
{
    if (output >= 0 && place_of(reader->study, output) < 0)
        add_output(reader, output);
}

void hl_study_add_shown(struct hl_study_reader *reader, const struct hl_system *system, bool amounts)
{
    for (size_t i = 0; i < system->n_instances; i++)
        if (system->instance[i].is_drug)
            add_once(reader, system->instance[i].default_output);
    for (size_t i = 0; i < system->n_compartments; i++)
        add_once(reader, system->compartment[i].output);
    for (size_t i = 0; amounts && i < system->n_compartments; i++)
        add_once(reader, hl_system_find_output(system, system->compartment[i].name));
}

/* ---- thresholds */

/* A threshold of the study's output number place. */
static bool read_threshold(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                           int place, double *value)
{
    const struct hl_output *output = &system->output[reader->study->output[place]];
    const char *what = hl_arena_printf(reader->arena, "the threshold of %s", output->name);
    return hl_study_read_quantity(reader, node, what, output->unit.dim, output->unit_text, value);
}

static void keep_threshold(struct hl_study_reader *reader, int place, double value, const char *text)
{
    struct hl_study *study = reader->study;
    for (size_t i = 0; i < study->n_thresholds; i++)
        if (study->threshold[i].output == place && study->threshold[i].value == value) /* the same number, kept once */
            return;
    struct hl_threshold *list = hl_arena_alloc(reader->arena, study->n_thresholds + 1, sizeof *list);
    if (study->n_thresholds)
        memcpy(list, study->threshold, study->n_thresholds * sizeof *list);
    list[study->n_thresholds++] = (struct hl_threshold){.output = place, .value = value, .text = text};
    study->threshold = list;
}

void hl_study_read_thresholds(struct hl_study_reader *reader, const struct hl_yaml *node,
                              const struct hl_system *system)
{
    if (!node)
        return;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos,
                      "thresholds: expected outputs with their levels; write "
                      "{clonazepam.Cp: [\"20 ng/mL\"]}");
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        int place = hl_study_need_output(reader, node->key[i], system);
        size_t n;
        struct hl_yaml **item = hl_study_items(reader->arena, node->item[i], &n);
        for (size_t j = 0; place >= 0 && j < n; j++) {
            double value;
            if (read_threshold(reader, item[j], system, place, &value))
                keep_threshold(reader, place, value, item[j]->text);
        }
    }
}

/* ---- metrics */

/* One line under metrics: while it is unfolded. */
struct line {
    struct hl_study_reader *reader;
    const struct hl_system *system;
    const struct hl_yaml *node;
    size_t n_of;
    int *of; /* study's outputs */
    size_t n_levels;
    struct hl_yaml **level; /* under above: (or below:) */
    const char *key;        /* "above" or "below" */
    size_t n_list;
    struct hl_yaml **list;
    size_t n_windows;
    double (*window)[2];
    bool sampled;
    const char *name;
    bool above_used;
};

static void read_window(struct line *line, const struct hl_yaml *node)
{
    struct hl_study_reader *reader = line->reader;
    double *w = line->window[line->n_windows],
           end = reader->study->n_times ? reader->study->time[reader->study->n_times - 1] : 0.0;
    if (!hl_study_read_interval(reader, node, "a window", hl_dim_of("h"), "h", &w[0], &w[1]))
        return;
    if (w[0] < 0.0)
        hl_diag_error(reader->diag, node->item[0]->pos, "a window starts before the study does, at '%s'",
                      node->item[0]->text);
    else if (end > 0.0 && w[1] > end * (1.0 + 1e-12))
        hl_diag_error(reader->diag, node->item[1]->pos,
                      "a window ends at '%s', after the last output time (%.10g h); end it earlier or extend times:",
                      node->item[1]->text, end);
    else
        line->n_windows++;
}

static void read_windows(struct line *line)
{
    const struct hl_yaml *one = hl_yaml_get(line->node, "window"), *many = hl_yaml_get(line->node, "windows");
    struct hl_study_reader *reader = line->reader;
    if (one && many)
        hl_diag_error(reader->diag, one->pos, "give either 'window' or 'windows', not both");
    else if (one) {
        line->window = hl_arena_alloc(reader->arena, 1, sizeof *line->window);
        read_window(line, one);
    } else if (many && many->kind != HL_YAML_SEQUENCE)
        hl_diag_error(reader->diag, many->pos, "windows: expected a list such as [[0 h, 24 h], [24 h, 48 h]]");
    else if (many) {
        line->window = hl_arena_alloc(reader->arena, many->n, sizeof *line->window);
        for (size_t i = 0; i < many->n; i++)
            read_window(line, many->item[i]);
    }
}

/* The part of a name that says which threshold: its number in the output's unit. */
static const char *level_name(struct line *line, int place, double value)
{
    const struct hl_output *output = &line->system->output[line->reader->study->output[place]];
    char number[40];
    snprintf(number, sizeof number, "%.6g", value / output->unit.factor);
    return hl_study_safe_name(line->reader->arena, number);
}

static void keep_metric(struct line *line, struct hl_metric_spec spec, const struct hl_yaml *kind_node)
{
    struct hl_study *study = line->reader->study;
    for (size_t i = 0; i < study->n_metrics; i++)
        if (strcmp(study->metric[i].name, spec.name) == 0) {
            hl_diag_error(line->reader->diag, kind_node->pos,
                          "metric '%s' is asked for twice; remove one, or give its line a name: of its own", spec.name);
            return;
        }
    spec.pos = kind_node->pos;
    spec.sampled = line->sampled;
    spec.n_windows = line->n_windows;
    spec.window = line->window;
    struct hl_metric_spec *list = hl_arena_alloc(line->reader->arena, study->n_metrics + 1, sizeof *list);
    if (study->n_metrics)
        memcpy(list, study->metric, study->n_metrics * sizeof *list);
    list[study->n_metrics++] = spec;
    study->metric = list;
}

/* The variable's name: the line's own name (followed by what tells its metrics apart), or the outputs' names. */
static const char *metric_name(struct line *line, const struct hl_metric_spec *spec, bool single)
{
    struct hl_arena *arena = line->reader->arena;
    const struct hl_study *study = line->reader->study;
    const char *name = line->name;
    if (name && single)
        return name;
    for (int i = 0; i < spec->n_of && !line->name; i++) {
        const char *output = hl_study_safe_name(arena, line->system->output[study->output[spec->of[i]]].name);
        name = name ? hl_arena_printf(arena, "%s_%s", name, output) : output;
    }
    name = hl_arena_printf(arena, "%s_%s", name, kinds[spec->kind].name);
    for (int i = 0; i < spec->n_of && spec->has_threshold; i++)
        name = hl_arena_printf(arena, "%s_%s", name, level_name(line, spec->of[i], spec->threshold[i]));
    return name;
}

/* Reads the threshold node for part i of the metric. */
static bool set_level(struct line *line, struct hl_metric_spec *spec, int i, const struct hl_yaml *level)
{
    if (!read_threshold(line->reader, level, line->system, spec->of[i], &spec->threshold[i]))
        return false;
    spec->has_threshold = true;
    spec->threshold_text[i] = level->text;
    keep_threshold(line->reader, spec->of[i], spec->threshold[i], level->text);
    return true;
}

static void unfold_pair(struct line *line, enum hl_metric_kind kind, const struct hl_yaml *node)
{
    struct hl_metric_spec spec = {.kind = kind, .n_of = 2};
    if (line->n_of != 2 || line->n_levels != 2) {
        hl_diag_error(line->reader->diag, node->pos,
                      "%s compares two outputs, each with its threshold; write {of: [A, B], above: [\"5 ng/mL\", "
                      "\"0.6 ng/mL\"], list: [%s]}",
                      kinds[kind].name, kinds[kind].name);
        return;
    }
    for (int i = 0; i < 2; i++) {
        spec.of[i] = line->of[i];
        if (!set_level(line, &spec, i, line->level[i]))
            return;
    }
    spec.name = metric_name(line, &spec, line->n_list == 1);
    keep_metric(line, spec, node);
}

/* One output takes every threshold of the line; several outputs take one each. */
static void unfold_levels(struct line *line, enum hl_metric_kind kind, const struct hl_yaml *node)
{
    bool each = line->n_of > 1;
    if (line->n_levels == 0 || (each && line->n_levels != line->n_of)) {
        hl_diag_error(line->reader->diag, node->pos, "%s needs a threshold%s; write above: \"5 ng/mL\" in this line",
                      kinds[kind].name, each ? " for each output" : "");
        return;
    }
    for (size_t i = 0; i < line->n_levels; i++) {
        struct hl_metric_spec spec = {.kind = kind, .n_of = 1, .of = {line->of[each ? i : 0], 0}};
        if (!set_level(line, &spec, 0, line->level[i]))
            continue;
        spec.name = metric_name(line, &spec, line->n_list == 1 && line->n_levels == 1);
        keep_metric(line, spec, node);
    }
}

static void unfold_plain(struct line *line, enum hl_metric_kind kind, const struct hl_yaml *node)
{
    for (size_t i = 0; i < line->n_of; i++) {
        struct hl_metric_spec spec = {.kind = kind, .n_of = 1, .of = {line->of[i], 0}};
        const char *own = line->name;
        if (own && line->n_of > 1) /* one name can't serve several outputs: theirs are kept apart by number */
            line->name = hl_arena_printf(line->reader->arena, "%s_%zu", own, i + 1);
        spec.name = metric_name(line, &spec, line->n_list == 1);
        line->name = own;
        keep_metric(line, spec, node);
    }
}

/* Metrics of dosing intervals and half-lives have the whole study; only some can be taken from the grid's values. */
static void check_source(struct line *line, enum hl_metric_kind kind, const struct hl_yaml *node)
{
    bool whole = kind == HL_CTROUGH || kind == HL_TROUGHS || kind == HL_ACCUMULATION || kind == HL_HALF_LIFE ||
                 kind == HL_TIME_TO_STEADY;
    bool needs_solution = whole || kind == HL_FIRST_TIME || kind == HL_LONGEST_SPELL || kind == HL_HOURS_BOTH_ABOVE ||
                          kind == HL_OVERLAP_AREA;
    if (line->sampled && needs_solution)
        hl_diag_error(line->reader->diag, node->pos,
                      "%s can't be taken from the values at the output times; write it in a line without sampled:",
                      kinds[kind].name);
    if (line->n_windows && whole)
        hl_diag_note(line->reader->diag, node->pos, "%s speaks of the whole study; the window isn't used for it",
                     kinds[kind].name);
}

static void unfold(struct line *line, const struct hl_yaml *node)
{
    const char *names[HL_N_METRIC_KINDS];
    size_t kind;
    for (int i = 0; i < HL_N_METRIC_KINDS; i++)
        names[i] = kinds[i].name;
    if (!hl_study_read_choice(line->reader, node, "metric", names, HL_N_METRIC_KINDS, &kind))
        return;
    check_source(line, (enum hl_metric_kind)kind, node);
    int needs = kinds[kind].needs;
    line->above_used |= (needs & THRESHOLD) != 0;
    if (line->n_of == 0 || !line->system)
        return;
    if (needs & PAIR)
        unfold_pair(line, (enum hl_metric_kind)kind, node);
    else if (needs & THRESHOLD)
        unfold_levels(line, (enum hl_metric_kind)kind, node);
    else
        unfold_plain(line, (enum hl_metric_kind)kind, node);
}

static void read_of(struct line *line)
{
    const struct hl_yaml *node = hl_yaml_get(line->node, "of");
    size_t n;
    struct hl_yaml **item = hl_study_items(line->reader->arena, node, &n);
    bool good = n > 0;
    if (!good)
        hl_diag_error(line->reader->diag, node ? node->pos : line->node->pos,
                      "a line of metrics needs an output; write {of: clonazepam.Cp, list: [Cmax, AUC]}");
    line->of = hl_arena_alloc(line->reader->arena, n, sizeof *line->of);
    for (size_t i = 0; i < n; i++) {
        line->of[i] = hl_study_need_output(line->reader, item[i], line->system);
        good = good && line->of[i] >= 0;
    }
    line->n_of = good ? n : 0;
}

static void read_levels(struct line *line)
{
    const struct hl_yaml *above = hl_yaml_get(line->node, "above"), *below = hl_yaml_get(line->node, "below");
    if (above && below)
        hl_diag_error(line->reader->diag, below->pos, "a line of metrics has one threshold, 'above' or 'below'");
    line->key = above ? "above" : "below";
    line->level = hl_study_items(line->reader->arena, above ? above : below, &line->n_levels);
}

static void read_line_name(struct line *line)
{
    const struct hl_yaml *node = hl_yaml_get(line->node, "name");
    const char *text = node ? hl_yaml_text(node, "a name", line->reader->diag) : NULL;
    if (text && !hl_text_is_name(text))
        hl_diag_error(line->reader->diag, node->pos,
                      "'%s' can't name a variable; use a letter, then letters, digits and underscores", text);
    else
        line->name = text;
}

static void read_line(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system)
{
    static const char *const keys[] = {"of", "above", "below", "list", "window", "windows", "sampled", "name"};
    struct line line = {.reader = reader, .system = system, .node = node};
    if (!hl_yaml_check_keys(node, "a line of metrics", keys, sizeof keys / sizeof *keys, reader->diag))
        return;
    const struct hl_yaml *list = hl_yaml_get(node, "list"), *sampled = hl_yaml_get(node, "sampled");
    line.list = hl_study_items(reader->arena, list, &line.n_list);
    if (line.n_list == 0)
        hl_diag_error(reader->diag, list ? list->pos : node->pos,
                      "a line of metrics needs a list of them; write list: [Cmax, Tmax, AUC]");
    read_of(&line);
    read_levels(&line);
    read_windows(&line);
    read_line_name(&line);
    if (sampled)
        hl_study_read_truth(reader, sampled, "value of sampled", &line.sampled);
    for (size_t i = 0; i < line.n_list; i++)
        unfold(&line, line.list[i]);
    if (line.n_levels && line.n_list && !line.above_used)
        hl_diag_error(reader->diag, hl_yaml_key(node, line.key)->pos,
                      "'%s' is used by none of this line's metrics; add hours_above, or remove it", line.key);
}

void hl_study_read_metrics(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system)
{
    size_t n;
    struct hl_yaml **item = hl_study_items(reader->arena, node, &n);
    for (size_t i = 0; i < n; i++)
        read_line(reader, item[i], system);
}

/* ---- quantiles */

void hl_study_read_quantiles(struct hl_study_reader *reader, const struct hl_yaml *node)
{
    struct hl_study *study = reader->study;
    size_t n;
    struct hl_yaml **item = hl_study_items(reader->arena, node, &n);
    study->quantile = hl_arena_alloc(reader->arena, n, sizeof *study->quantile);
    for (size_t i = 0; i < n; i++) {
        double p;
        if (!hl_study_read_share(reader, item[i], "a quantile", &p))
            continue;
        if (!(p > 0.0 && p < 1.0))
            hl_diag_error(reader->diag, item[i]->pos, "a quantile lies between 0 and 1 (0 %% and 100 %%), found '%s'%s",
                          item[i]->text, p >= 1.0 ? "; for per cent write \"5 %\"" : "");
        else if (study->n_quantiles && !(p > study->quantile[study->n_quantiles - 1]))
            hl_diag_error(reader->diag, item[i]->pos,
                          "quantiles must ascend, each once: '%s' is not above the one before", item[i]->text);
        else
            study->quantile[study->n_quantiles++] = p;
    }
}
