/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which variables a result has, on which axes, under which names. docs/file-format.md is this file in words.
 *
 * Several outputs may have thresholds of their own, and several metrics windows of their own, but an axis has one set
 * of values. The first set is called `threshold` (`window`, `interval`), further sets `threshold_2` and so on; outputs
 * or metrics with equal sets share the axis.
 *
 * A data-set run has neither times nor prescriptions: of all this only the arms, the subjects and the design of a sweep
 * are left, and records.c adds its table. */
#include "store/inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define CHUNK_BYTES (1u << 20)

double hl_one_nan(double value)
{
    return isnan(value) ? (double)NAN : value;
}

const struct hl_output *hl_layout_output(const struct hl_study *study, size_t i)
{
    return &study->system->output[study->output[i]];
}

uint64_t hl_layout_subjects(const struct hl_study *study)
{
    return study->data ? study->arm[0].cohort->subjects : study->subjects;
}

/* ---- Units. */

static const char *udunits_atom(const char *atom, size_t n)
{
    static const char *const pairs[][2] = {{"mcg", "ug"}, {"M", "(mol/L)"}, {"mM", "(mmol/L)"}, {"uM", "(umol/L)"},
                                           {"nM", "(nmol/L)"}, {"pM", "(pmol/L)"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strlen(pairs[i][0]) == n && strncmp(pairs[i][0], atom, n) == 0)
            return pairs[i][1];
    return NULL;
}

const char *hl_layout_unit(struct hl_arena *arena, const char *unit)
{
    if (!unit || !*unit)
        return "1";
    char *text = hl_arena_alloc(arena, 4 * strlen(unit) + 1, 1), *to = text;
    while (*unit) {
        size_t n = strspn(unit, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        const char *other = n ? udunits_atom(unit, n) : NULL;
        if (n == 0)
            *to++ = *unit++;
        else if (other)
            to = stpcpy(to, other), unit += n;
        else
            to = (char *)memcpy(to, unit, n) + n, unit += n;
    }
    return text;
}

/* ---- Axes. */

static void make_axis(struct hl_store *s, struct hl_axis *axis, const char *name, enum hl_hdf_type type, uint64_t n,
                      const void *values, const char *unit, const char *long_name)
{
    *axis =
        (struct hl_axis){.name = name, .type = type, .n = n, .values = values, .unit = unit, .long_name = long_name};
    hl_writer_reserve(s->writer, axis);
}

static int *counting(struct hl_arena *arena, uint64_t n, int from)
{
    int *values = hl_arena_alloc(arena, n ? (size_t)n : 1, sizeof *values);
    for (uint64_t i = 0; i < n; i++)
        values[i] = from + (int)i;
    return values;
}

static void make_axes(struct hl_store *s)
{
    const struct hl_study *study = s->study;
    struct hl_arena *a = s->writer->arena;
    uint64_t subjects = hl_layout_subjects(study);
    make_axis(s, &s->arm, "arm", HL_INT32, study->n_arms, counting(a, study->n_arms, 0), NULL,
              "treatment arm, counted from 0; its name is in arm_name");
    make_axis(s, &s->subject, "subject", HL_INT32, subjects, counting(a, subjects, 1), NULL,
              study->data ? "individual of the data set, counted from 1; its ID is in subjects/ID"
                          : "subject, counted from 1; the same person in every arm");
    if (study->data) { /* nothing lies on the second axis in the root, yet readers look there for the subjects */
        hl_writer_scale(s->writer, "", &s->arm);
        hl_writer_scale(s->writer, "", &s->subject);
        return;
    }
    make_axis(s, &s->time, "time", HL_FLOAT64, study->n_times, study->time, "h", "time since the origin of the study");
    make_axis(s, &s->quantile, "quantile", HL_FLOAT64, study->n_quantiles, study->quantile, "1",
              "probability of the quantile (Hyndman-Fan type 7)");
}

static bool same_values(const struct hl_axis *a, const struct hl_axis *b)
{
    bool same_unit = a->unit == b->unit || (a->unit && b->unit && strcmp(a->unit, b->unit) == 0);
    return a->n == b->n && a->type == b->type && same_unit && a->long_name && strcmp(a->long_name, b->long_name) == 0 &&
           memcmp(a->values, b->values, (size_t)a->n * hl_hdf_size(a->type)) == 0;
}

/* The axis of this stem with these values: one that exists, or a new one with the next number. */
static const struct hl_axis *shared_axis(struct hl_store *s, const char *stem, const struct hl_axis *wanted)
{
    struct hl_writer *w = s->writer;
    size_t n = strlen(stem);
    int count = 0;
    for (size_t i = 0; i < w->n_axes; i++) {
        const char *name = w->axis[i]->name;
        if (strncmp(name, stem, n) != 0 || (name[n] != '\0' && name[n] != '_'))
            continue;
        count++;
        if (same_values(w->axis[i], wanted))
            return w->axis[i];
    }
    struct hl_axis *axis = hl_arena_alloc(w->arena, 1, sizeof *axis);
    *axis = *wanted;
    axis->name = count == 0 ? stem : hl_arena_printf(w->arena, "%s_%d", stem, count + 1);
    hl_writer_reserve(w, axis);
    return axis;
}

/* The number that a threshold's text begins with when its unit is the output's, because 2 ng/mL must come out as 2;
 * otherwise converted. */
static double threshold_value(const struct hl_output *output, double value, const char *text)
{
    char number[64];
    size_t n = text ? hl_text_number_length(text) : 0;
    double found = value / output->unit.factor, as_written;
    if (n == 0 || n >= sizeof number)
        return found;
    snprintf(number, sizeof number, "%.*s", (int)n, text);
    text += n;
    if (*text == ' ')
        text++;
    if (hl_text_number(number, &as_written) && output->unit_text && strcmp(text, output->unit_text) == 0)
        return as_written;
    return found;
}

static const struct hl_axis *threshold_axis(struct hl_store *s, size_t output)
{
    const struct hl_study *study = s->study;
    const struct hl_output *o = hl_layout_output(study, output);
    double *values = hl_arena_alloc(s->writer->arena, study->n_thresholds + 1, sizeof *values);
    size_t n = 0;
    for (size_t i = 0; i < study->n_thresholds; i++)
        if (study->threshold[i].output == (int)output)
            values[n++] = threshold_value(o, study->threshold[i].value, study->threshold[i].text);
    if (n == 0)
        return NULL;
    struct hl_axis wanted = {.type = HL_FLOAT64, .n = n, .values = values, .output = o->name,
                             .unit = hl_layout_unit(s->writer->arena, o->unit_text),
                             .long_name = hl_arena_printf(s->writer->arena, "threshold of %s", o->name)};
    return shared_axis(s, "threshold", &wanted);
}

/* ---- Outputs. */

void hl_layout_trajectory_chunk(const struct hl_study *study, uint64_t chunk[3])
{
    uint64_t size = strcmp(study->precision, "double") == 0 ? 8 : 4;
    uint64_t bytes = HL_BLOCK_SUBJECTS * study->n_times * size, parts = (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
    chunk[0] = 1;
    chunk[1] = study->subjects < HL_BLOCK_SUBJECTS ? study->subjects : HL_BLOCK_SUBJECTS;
    chunk[2] = (study->n_times + parts - 1) / parts;
}

void hl_layout_evidence(struct hl_writer *w, struct hl_dataset *d, const struct hl_evidence *evidence)
{
    if (evidence->grade == HL_GRADE_NONE || evidence->grade == HL_MEASURED)
        return;
    hl_writer_text(w, d, "evidence_grade", hl_grade_name(evidence->grade));
    hl_writer_text(w, d, "evidence_note", evidence->note);
}

/* what: "mean across subjects of ", or nothing for trajectories. */
static void describe_output(struct hl_store *s, struct hl_dataset *d, size_t output, const char *what, const char *unit)
{
    struct hl_writer *w = s->writer;
    const struct hl_output *o = hl_layout_output(s->study, output);
    if (!d)
        return;
    const char *alias = s->study->system->instance[o->instance].alias;
    const char *label = o->label && *o->label ? hl_arena_printf(w->arena, "%s (%s)", o->label, alias) : o->name;
    hl_writer_text(w, d, "units", unit ? unit : hl_layout_unit(w->arena, o->unit_text));
    hl_writer_text(w, d, "long_name", hl_arena_printf(w->arena, "%s%s", what, label));
    hl_writer_text(w, d, "symbol", o->symbol);
    hl_writer_text(w, d, "output", o->name);
    hl_layout_evidence(w, d, &o->evidence);
}

/* One variable over (arm, subject, time); what as in describe_output. */
static struct hl_dataset *create_trajectory(struct hl_store *s, size_t i, const char *name, const char *what)
{
    const struct hl_axis *axis[3] = {&s->arm, &s->subject, &s->time};
    uint64_t chunk[3];
    hl_layout_trajectory_chunk(s->study, chunk);
    enum hl_hdf_type type = strcmp(s->study->precision, "double") == 0 ? HL_FLOAT64 : HL_FLOAT32;
    struct hl_dataset *d = hl_writer_dataset(s->writer, "", name, type, 3, axis, chunk);
    describe_output(s, d, i, what, NULL);
    if (d && strcmp(s->study->precision, "rounded") == 0)
        hl_writer_text(s->writer, d, "precision", "rounded to 10 bits of mantissa: relative error at most 4.9e-4");
    if (d && chunk[2] < s->study->n_times)
        hl_writer_text(s->writer, d, "storage",
                       hl_arena_printf(s->writer->arena, "chunks of %d subjects by %llu of %zu times",
                                       HL_BLOCK_SUBJECTS, (unsigned long long)chunk[2], s->study->n_times));
    return d;
}

static void create_observed(struct hl_store *s, size_t i, const char *stem)
{
    const char *name = hl_writer_name(s->writer, "", hl_arena_printf(s->writer->arena, "%s_DV", stem));
    struct hl_dataset *d = create_trajectory(s, i, name, "simulated observation of ");
    s->output[i].observed = d;
    if (d)
        hl_writer_text(s->writer, d, "statistic", "observation");
}

static struct hl_dataset *create_summary(struct hl_store *s, size_t i, const char *stem, const char *suffix,
                                         enum hl_hdf_type type, const struct hl_axis *middle, const char *what,
                                         const char *unit)
{
    const struct hl_axis *axis[3] = {&s->arm, middle ? middle : &s->time, &s->time};
    const char *name = hl_writer_name(s->writer, "", hl_arena_printf(s->writer->arena, "%s_%s", stem, suffix));
    struct hl_dataset *d = hl_writer_dataset(s->writer, "", name, type, middle ? 3 : 2, axis, NULL);
    describe_output(s, d, i, what, unit);
    if (d)
        hl_writer_text(s->writer, d, "statistic", suffix);
    return d;
}

static void create_output(struct hl_store *s, size_t i, const char *stem)
{
    struct hl_output_variables *o = &s->output[i];
    const struct hl_axis *threshold = threshold_axis(s, i);
    if (s->study->n_quantiles > 0)
        o->quantiles =
            create_summary(s, i, stem, "quantiles", HL_FLOAT64, &s->quantile, "quantiles across subjects of ", NULL);
    o->mean = create_summary(s, i, stem, "mean", HL_FLOAT64, NULL, "mean across subjects of ", NULL);
    o->sd = create_summary(s, i, stem, "sd", HL_FLOAT64, NULL, "standard deviation across subjects of ", NULL);
    o->count = create_summary(s, i, stem, "count", HL_INT32, NULL, "number of subjects with a value of ", "1");
    if (threshold)
        o->fraction = create_summary(s, i, stem, "fraction_above", HL_FLOAT64, threshold,
                                     "share of the cohort above the threshold: ", "1");
}

/* Trajectories first, so that they keep their plain names should two names collide. */
static void create_outputs(struct hl_store *s)
{
    const struct hl_study *study = s->study;
    struct hl_arena *a = s->writer->arena;
    const char **stem = hl_arena_alloc(a, study->n_outputs + 1, sizeof *stem);
    s->output = hl_arena_alloc(a, study->n_outputs + 1, sizeof *s->output);
    for (size_t i = 0; i < study->n_outputs; i++) {
        stem[i] = hl_writer_name(s->writer, "", hl_layout_output(study, i)->name);
        if (study->store_trajectories)
            s->output[i].trajectory = create_trajectory(s, i, stem[i], "");
    }
    for (size_t i = 0; i < study->n_outputs; i++)
        if (hl_study_is_observed(study, i))
            create_observed(s, i, stem[i]);
    for (size_t i = 0; i < study->n_outputs; i++)
        create_output(s, i, stem[i]);
}

/* ---- Metrics. */

/* Windows have a start and an end, kept beside the axis. */
static const struct hl_axis *window_axis(struct hl_store *s, const struct hl_metric_spec *m)
{
    struct hl_arena *a = s->writer->arena;
    double *pairs = hl_arena_alloc(a, 2 * m->n_windows, sizeof *pairs);
    char *text = hl_arena_strdup(a, "time window number:");
    for (size_t i = 0; i < m->n_windows; i++) {
        char from[32], until[32];
        hl_text_shortest(pairs[2 * i] = m->window[i][0], from, sizeof from);
        hl_text_shortest(pairs[2 * i + 1] = m->window[i][1], until, sizeof until);
        text =
            hl_arena_printf(a, "%s %zu from %s h to %s h%s", text, i + 1, from, until, i + 1 < m->n_windows ? "," : "");
    }
    struct hl_axis wanted = {.type = HL_INT32, .n = m->n_windows, .values = counting(a, m->n_windows, 1),
                             .long_name = text};
    const struct hl_axis *axis = shared_axis(s, "window", &wanted);
    if (axis->long_name != text) /* an equal set exists, and its limits with it */
        return axis;
    double *low = hl_arena_alloc(a, m->n_windows, sizeof *low), *high = hl_arena_alloc(a, m->n_windows, sizeof *high);
    for (size_t i = 0; i < m->n_windows; i++) {
        low[i] = pairs[2 * i];
        high[i] = pairs[2 * i + 1];
    }
    const char *const name[2] = {hl_arena_printf(a, "%s_start", axis->name), hl_arena_printf(a, "%s_end", axis->name)};
    for (int i = 0; i < 2; i++) {
        struct hl_dataset *d = hl_writer_dataset(s->writer, "/metrics", name[i], HL_FLOAT64, 1, &axis, NULL);
        if (!d)
            return axis;
        hl_writer_text(s->writer, d, "units", "h");
        hl_writer_text(s->writer, d, "long_name", i == 0 ? "start of the time window" : "end of the time window");
        hl_writer_all(s->writer, d, i == 0 ? low : high);
    }
    return axis;
}

static const struct hl_axis *metric_axis(struct hl_store *s, const struct hl_metric_spec *m, size_t width)
{
    if (width <= 1)
        return NULL;
    if (m->n_windows == width)
        return window_axis(s, m);
    struct hl_axis wanted = {.type = HL_INT32, .n = width, .values = counting(s->writer->arena, width, 1),
                             .long_name = "dosing interval, counted from 1"};
    return shared_axis(s, "interval", &wanted);
}

static void describe_thresholds(struct hl_store *s, struct hl_dataset *d, const struct hl_metric_spec *m)
{
    double value[2];
    const struct hl_output *o[2] = {hl_layout_output(s->study, (size_t)m->of[0]), NULL};
    if (m->n_of > 1)
        o[1] = hl_layout_output(s->study, (size_t)m->of[1]);
    for (int i = 0; i < m->n_of; i++)
        value[i] = threshold_value(o[i], m->threshold[i], m->threshold_text[i]);
    hl_writer_numbers(s->writer, d, "threshold", HL_FLOAT64, (size_t)m->n_of, value);
    const char *unit = hl_layout_unit(s->writer->arena, o[0]->unit_text);
    if (m->n_of > 1)
        unit = hl_arena_printf(s->writer->arena, "%s, %s", unit, hl_layout_unit(s->writer->arena, o[1]->unit_text));
    hl_writer_text(s->writer, d, "threshold_units", unit);
}

static void describe_metric(struct hl_store *s, struct hl_dataset *d, const struct hl_metric_spec *m)
{
    struct hl_writer *w = s->writer;
    const struct hl_output *o = hl_layout_output(s->study, (size_t)m->of[0]);
    const char *of = o->name;
    if (m->n_of > 1)
        of = hl_arena_printf(w->arena, "%s and %s", of, hl_layout_output(s->study, (size_t)m->of[1])->name);
    const char *kind = hl_metric_kind_name(m->kind);
    hl_writer_text(w, d, "units", hl_layout_unit(w->arena, hl_metric_unit(w->arena, s->study, m)));
    hl_writer_text(w, d, "long_name", hl_arena_printf(w->arena, "%s of %s", kind, of));
    hl_writer_text(w, d, "metric", kind);
    hl_writer_text(w, d, "output", of);
    if (m->has_threshold)
        describe_thresholds(s, d, m);
    if (m->n_windows == 1)
        hl_writer_numbers(w, d, "window", HL_FLOAT64, 2, m->window[0]);
    hl_writer_text(w, d, "taken_from",
                   m->sampled ? "the values at the output times" : "the solution itself, refined between output times");
    hl_layout_evidence(w, d, &o->evidence);
}

static void create_metrics(struct hl_store *s, const struct hl_regimen *const *regimen)
{
    const struct hl_study *study = s->study;
    s->metric = hl_arena_alloc(s->writer->arena, study->n_metrics + 1, sizeof *s->metric);
    for (size_t i = 0; i < study->n_metrics; i++) {
        size_t width = 1;
        for (size_t arm = 0; arm < study->n_arms; arm++) {
            size_t own = hl_metric_width(study, regimen[arm], i);
            width = own > width ? own : width;
        }
        const struct hl_axis *axis[3] = {&s->arm, &s->subject, metric_axis(s, &study->metric[i], width)};
        const char *name = hl_writer_name(s->writer, "/metrics", study->metric[i].name);
        struct hl_dataset *d =
            hl_writer_dataset(s->writer, "/metrics", name, HL_FLOAT64, width > 1 ? 3 : 2, axis, NULL);
        s->metric[i] = (struct hl_metric_variable){.dataset = d, .width = width};
        if (d) {
            describe_metric(s, d, &study->metric[i]);
            hl_metric_begin(s, &s->metric[i]);
        }
    }
}

/* ---- Who and what is where. */

static void create_arm_names(struct hl_store *s)
{
    const struct hl_axis *axis = &s->arm;
    const char **name = hl_arena_alloc(s->writer->arena, s->study->n_arms, sizeof *name);
    for (size_t i = 0; i < s->study->n_arms; i++)
        name[i] = s->study->arm[i].name;
    struct hl_dataset *d = hl_writer_dataset(s->writer, "", "arm_name", HL_TEXT, 1, &axis, NULL);
    if (!d)
        return;
    hl_writer_text(s->writer, d, "long_name", "name of the treatment arm");
    hl_writer_all(s->writer, d, name);
}

static void name_column(struct hl_store *s, struct hl_subject_column *c, enum hl_hdf_type type, const char *source,
                        const char *unit, const char *long_name)
{
    *c = (struct hl_subject_column){.type = type, .source = source, .unit = unit, .long_name = long_name};
    c->handed = hl_arena_alloc(s->writer->arena, s->study->n_arms, sizeof *c->handed);
    c->name = hl_writer_name(s->writer, "/subjects", source);
    struct hl_axis *taken = hl_arena_alloc(s->writer->arena, 1, sizeof *taken); /* keeps the name before it exists */
    taken->name = c->name;
    if (strcmp(c->name, "status") == 0 || strcmp(c->name, "ID") == 0)
        hl_writer_reserve(s->writer, taken);
}

/* Typical values: columns only where they are drawn per subject. */
static void name_parameter_columns(struct hl_store *s)
{
    const struct hl_system *y = s->study->system;
    struct hl_arena *a = s->writer->arena;
    s->parameter = hl_arena_alloc(a, y->n_parameters + 1, sizeof *s->parameter);
    for (size_t i = 0; i < y->n_parameters; i++)
        if (y->parameter[i].info->uncertainty != HL_SPREAD_NONE)
            name_column(s, &s->parameter[i], HL_FLOAT64, y->parameter[i].name,
                        hl_layout_unit(a, y->parameter[i].info->unit_text),
                        hl_arena_printf(a, "typical value of %s, drawn from its stated uncertainty",
                                        y->parameter[i].name));
}

static void name_subject_columns(struct hl_store *s)
{
    static const char *const flags[] = {"good", "not_finite", "step_too_small", "too_many_steps", "no_steady_state",
                                        "bad_parameters"};
    const struct hl_system *y = s->study->system;
    struct hl_arena *a = s->writer->arena;
    s->covariate = hl_arena_alloc(a, y->n_covariates + 1, sizeof *s->covariate);
    s->individual = hl_arena_alloc(a, y->n_individuals + 1, sizeof *s->individual);
    s->mixture = hl_arena_alloc(a, y->n_mixtures + 1, sizeof *s->mixture);
    name_column(s, &s->status, HL_INT8, "status", NULL, "what became of the subject");
    s->status.flag = flags;
    s->status.n_flags = sizeof flags / sizeof *flags;
    if (s->study->data)
        name_column(s, &s->id, HL_FLOAT64, "ID", NULL, "ID of the individual in the data set");
    for (size_t i = 0; i < y->n_covariates; i++) {
        const struct hl_covariate *info = y->covariate[i].info;
        bool codes = info->n_categories > 0;
        name_column(s, &s->covariate[i], codes ? HL_INT8 : HL_FLOAT64, y->covariate[i].name,
                    codes ? NULL : hl_layout_unit(a, info->unit_text), info->label);
        s->covariate[i].n_flags = info->n_categories;
        s->covariate[i].flag = info->category;
    }
    for (size_t i = 0; i < y->n_individuals; i++) {
        char unit[80];
        hl_dim_name(y->reg[y->individual_value[i].reg].dim, unit, sizeof unit);
        name_column(s, &s->individual[i], HL_FLOAT64, y->individual_value[i].name,
                    hl_layout_unit(a, hl_arena_strdup(a, unit)),
                    hl_arena_printf(a, "individual parameter %s", y->individual_value[i].name));
    }
    for (size_t i = 0; i < y->n_mixtures; i++) {
        name_column(s, &s->mixture[i], HL_INT8, y->mixture[i].name, NULL, "mixture class of the subject");
        s->mixture[i].n_flags = y->mixture[i].info->n;
        s->mixture[i].flag = y->mixture[i].info->class_name;
    }
}

void hl_layout_create(struct hl_store *s, const struct hl_regimen *const *regimen)
{
    make_axes(s);
    create_arm_names(s);
    if (!s->study->data)
        create_outputs(s);
    name_subject_columns(s);
    name_parameter_columns(s);
    if (!s->study->data)
        create_metrics(s, regimen);
    if (!s->study->data)
        hl_tapers_create(s, regimen);
}

/* ---- The design of a sweep. */

/* Distinct texts in order of appearance; code[arm] says which an arm has. */
static size_t distinct_levels(const struct hl_study *study, size_t factor, const char **level, int *code)
{
    size_t n = 0;
    for (size_t arm = 0; arm < study->n_arms; arm++) {
        const char *text = study->arm[arm].factor_text[factor];
        size_t i = 0;
        while (i < n && strcmp(level[i], text) != 0)
            i++;
        if (i == n)
            level[n++] = text;
        code[arm] = (int)i;
    }
    return n;
}

static void write_factor(struct hl_store *s, size_t factor)
{
    const struct hl_study *study = s->study;
    const struct hl_factor *f = &study->factor[factor];
    struct hl_arena *a = s->writer->arena;
    const struct hl_axis *axis = &s->arm;
    const char *name = hl_writer_name(s->writer, "/design", f->name);
    struct hl_dataset *d =
        hl_writer_dataset(s->writer, "/design", name, f->numeric ? HL_FLOAT64 : HL_INT32, 1, &axis, NULL);
    if (!d)
        return;
    hl_writer_text(s->writer, d, "long_name", hl_arena_printf(a, "level of %s", f->path));
    hl_writer_text(s->writer, d, "path", f->path);
    if (f->numeric) {
        double *values = hl_arena_alloc(a, study->n_arms, sizeof *values);
        for (size_t arm = 0; arm < study->n_arms; arm++)
            values[arm] = hl_one_nan(study->arm[arm].factor_value[factor]);
        hl_writer_text(s->writer, d, "units", hl_layout_unit(a, f->unit_text));
        hl_writer_all(s->writer, d, values);
        return;
    }
    const char **level = hl_arena_alloc(a, study->n_arms, sizeof *level);
    int *code = hl_arena_alloc(a, study->n_arms, sizeof *code);
    size_t n = distinct_levels(study, factor, level, code);
    hl_writer_flags(s->writer, d, 0, n, level);
    hl_writer_all(s->writer, d, code);
}

void hl_layout_design(struct hl_store *s)
{
    for (size_t i = 0; i < s->study->n_factors; i++)
        write_factor(s, i);
}
