/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cohort: of a study: how many subjects, which seed, and how each covariate is drawn. A coefficient of variation
 * becomes the standard deviation of the logarithm by omega^2 = ln(1 + cv^2). A table of real patients is read whole;
 * its columns are found by the covariates' names, with the unit in brackets behind ("WT [kg]") or else the model's. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/text.h"
#include "study/inside.h"

#define TOLERATED_OUTSIDE                                                                                              \
    0.001 /* a smaller share of the cohort outside a model's stated range isn't worth a warning                        \
           */

static const char *format(struct hl_study_reader *reader, const char *pattern, const char *name)
{
    return hl_arena_printf(reader->arena, pattern, name);
}

/* How a person writes the covariate's unit. */
static const char *unit_of(const struct hl_covariate *info)
{
    return info->unit_text && *info->unit_text ? info->unit_text : "1";
}

bool hl_study_read_covariate(struct hl_study_reader *reader, const struct hl_yaml *node,
                             const struct hl_system_covariate *covariate, double *value)
{
    const struct hl_covariate *info = covariate->info;
    if (info->n_categories == 0)
        return hl_study_read_quantity(reader, node, covariate->name, info->unit.dim, unit_of(info), value);
    size_t index;
    if (!hl_study_read_choice(reader, node, format(reader, "category of %s", covariate->name), info->category,
                              info->n_categories, &index))
        return false;
    *value = (double)index;
    return true;
}

void hl_study_warn_outside(struct hl_study_reader *reader, struct hl_pos pos,
                           const struct hl_system_covariate *covariate, double value)
{
    const struct hl_covariate *info = covariate->info;
    double own = value / info->unit.factor;
    if (info->n_categories || !info->has_range || (own >= info->low && own <= info->high))
        return;
    hl_diag_warning(reader->diag, pos, "%s = %g %s lies outside the range its model states, %g to %g %s",
                    covariate->name, own, unit_of(info), info->low, info->high, unit_of(info));
}

static void warn_share_outside(struct hl_study_reader *reader, const struct hl_distribution *d,
                               const struct hl_system_covariate *covariate)
{
    const struct hl_covariate *info = covariate->info;
    const char *unit = unit_of(info);
    if (d->kind == HL_DIST_FIXED)
        hl_study_warn_outside(reader, d->pos, covariate, d->a);
    if (d->kind == HL_DIST_FIXED || info->n_categories || !info->has_range)
        return;
    double factor = info->unit.factor, outside;
    outside = 1.0 - hl_distribution_share(d, info->low * factor, info->high * factor);
    if (outside > TOLERATED_OUTSIDE)
        hl_diag_warning(reader->diag, d->pos,
                        "about %.2f %% of the subjects will have %s outside the range its model states, %g to %g %s; "
                        "add within: [%g %s, %g %s]",
                        100.0 * outside, covariate->name, info->low, info->high, unit, info->low, unit, info->high,
                        unit);
}

/* ---- distributions */

/* The spread under sd or cv: exactly one of them. */
static const struct hl_yaml *spread_of(struct hl_study_reader *reader, const struct hl_yaml *node, const char *name,
                                       bool *is_cv)
{
    const struct hl_yaml *sd = hl_yaml_get(node, "sd"), *cv = hl_yaml_get(node, "cv");
    *is_cv = cv != NULL;
    if (sd && cv)
        hl_diag_error(reader->diag, sd->pos, "give the spread of %s as 'sd' or as 'cv', not both", name);
    else if (!sd && !cv)
        hl_diag_error(reader->diag, node->pos, "%s has no spread; write cv: \"20 %%\" or sd:", name);
    else
        return sd ? sd : cv;
    return NULL;
}

static bool read_cv(struct hl_study_reader *reader, const struct hl_yaml *node, const char *name, double *cv)
{
    if (!hl_study_read_share(reader, node, format(reader, "the cv of %s", name), cv))
        return false;
    if (*cv >= 0.0)
        return true;
    hl_diag_error(reader->diag, node->pos, "the cv of %s is negative: '%s'", name, node->text);
    return false;
}

static bool read_sd(struct hl_study_reader *reader, const struct hl_yaml *node, const char *name, struct hl_dim dim,
                    const char *unit, double *sd)
{
    if (!hl_study_read_quantity(reader, node, format(reader, "the sd of %s", name), dim, unit, sd))
        return false;
    if (*sd >= 0.0)
        return true;
    hl_diag_error(reader->diag, node->pos, "the sd of %s is negative: '%s'; a standard deviation is 0 or more", name,
                  node->text);
    return false;
}

/* The middle of a bell: normal's mean or lognormal's median. */
static bool read_middle(struct hl_study_reader *reader, const struct hl_yaml *node, const char *key, const char *name,
                        const struct hl_covariate *info, double *middle)
{
    const struct hl_yaml *at = hl_yaml_get(node, key);
    if (at)
        return hl_study_read_quantity(reader, at, hl_arena_printf(reader->arena, "the %s of %s", key, name),
                                      info->unit.dim, unit_of(info), middle);
    hl_diag_error(reader->diag, node->pos, "%s needs its %s; write {%s: %g %s, cv: \"20 %%\"}", name, key, key,
                  info->value, unit_of(info));
    return false;
}

static bool read_lognormal(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_covariate *info,
                           const char *name, struct hl_distribution *d)
{
    static const char *const keys[] = {"median", "cv", "sd"};
    double cv;
    bool is_cv;
    d->kind = HL_DIST_LOGNORMAL;
    if (!hl_yaml_check_keys(node, "a lognormal distribution", keys, 3, reader->diag))
        return false;
    bool good = read_middle(reader, node, "median", name, info, &d->a);
    const struct hl_yaml *spread = spread_of(reader, node, name, &is_cv);
    if (!spread)
        return false;
    if (!is_cv)
        return read_sd(reader, spread, hl_arena_printf(reader->arena, "log %s", name), hl_dim_none(), "1", &d->b) &&
               good;
    if (!read_cv(reader, spread, name, &cv))
        return false;
    d->b = sqrt(log1p(cv * cv));
    return good;
}

static bool read_normal(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_covariate *info,
                        const char *name, struct hl_distribution *d)
{
    static const char *const keys[] = {"mean", "sd", "cv"};
    double cv;
    bool is_cv;
    d->kind = HL_DIST_NORMAL;
    if (!hl_yaml_check_keys(node, "a normal distribution", keys, 3, reader->diag))
        return false;
    bool good = read_middle(reader, node, "mean", name, info, &d->a);
    const struct hl_yaml *spread = spread_of(reader, node, name, &is_cv);
    if (!spread)
        return false;
    if (!is_cv)
        return read_sd(reader, spread, name, info->unit.dim, unit_of(info), &d->b) && good;
    if (!read_cv(reader, spread, name, &cv))
        return false;
    d->b = cv * fabs(d->a);
    return good;
}

static bool read_categorical(struct hl_study_reader *reader, const struct hl_yaml *node,
                             const struct hl_covariate *info, const char *name, struct hl_distribution *d)
{
    d->kind = HL_DIST_CATEGORICAL;
    d->n = info->n_categories;
    d->probability = hl_arena_alloc(reader->arena, d->n, sizeof *d->probability);
    if (node->kind != HL_YAML_MAPPING || node->n == 0) {
        hl_diag_error(reader->diag, node->pos, "categorical: expected categories of %s with their probabilities", name);
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < node->n; i++) {
        size_t index;
        double p;
        if (!hl_study_read_choice(reader, node->key[i], format(reader, "category of %s", name), info->category,
                                  info->n_categories, &index) ||
            !hl_study_read_share(reader, node->item[i], "a probability", &p))
            good = false;
        else if (p < 0.0) {
            hl_diag_error(reader->diag, node->item[i]->pos, "the probability of %s = %s is negative", name,
                          node->key[i]->text);
            good = false;
        } else
            d->probability[index] = p;
    }
    return good;
}

static bool read_shape(struct hl_study_reader *reader, const char *shape, const struct hl_yaml *node,
                       const struct hl_covariate *info, const char *name, struct hl_distribution *d)
{
    bool classes = strcmp(shape, "categorical") == 0;
    if (classes != (info->n_categories > 0)) {
        hl_diag_error(reader->diag, node->pos,
                      classes ? "%s is a number, not a category; use lognormal, normal or uniform"
                              : "%s is categorical; write {categorical: {%s: 1}}",
                      name, info->n_categories ? info->category[0] : "");
        return false;
    }
    if (classes)
        return read_categorical(reader, node, info, name, d);
    if (strcmp(shape, "lognormal") == 0)
        return read_lognormal(reader, node, info, name, d);
    if (strcmp(shape, "normal") == 0)
        return read_normal(reader, node, info, name, d);
    d->kind = HL_DIST_UNIFORM;
    return hl_study_read_interval(reader, node, format(reader, "the interval of %s", name), info->unit.dim,
                                  unit_of(info), &d->a, &d->b);
}

static bool read_within(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_covariate *info,
                        const char *name, struct hl_distribution *d)
{
    if (!node)
        return true;
    if (info->n_categories) {
        hl_diag_error(reader->diag, node->pos, "within: has no meaning for the categories of %s; remove it", name);
        return false;
    }
    d->truncated = true;
    return hl_study_read_interval(reader, node, format(reader, "within: of %s", name), info->unit.dim, unit_of(info),
                                  &d->low, &d->high);
}

static bool is_shape(const char *key)
{
    return strcmp(key, "lognormal") == 0 || strcmp(key, "normal") == 0 || strcmp(key, "uniform") == 0 ||
           strcmp(key, "categorical") == 0;
}

/* {lognormal: {...}, within: [...]} and the like. */
static bool read_mapping(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_covariate *info,
                         const char *name, struct hl_distribution *d)
{
    static const char *const keys[] = {"lognormal", "normal", "uniform", "categorical", "within"};
    const char *shape = NULL;
    bool good = true;
    hl_yaml_check_keys(node, format(reader, "the distribution of %s", name), keys, 5, reader->diag);
    for (size_t i = 0; i < node->n; i++) {
        const char *key = node->key[i]->text;
        if (!is_shape(key))
            continue;
        if (shape)
            hl_diag_error(reader->diag, node->key[i]->pos, "%s has two distributions, %s and %s; keep one", name, shape,
                          key);
        good = !shape && read_shape(reader, key, node->item[i], info, name, d) && good;
        shape = key;
    }
    if (!shape)
        hl_diag_error(reader->diag, node->pos,
                      "%s has no distribution; write lognormal, normal, uniform or categorical", name);
    bool limited = read_within(reader, hl_yaml_get(node, "within"), info, name, d);
    return shape && good && limited;
}

static bool read_distribution(struct hl_study_reader *reader, const struct hl_yaml *node,
                              const struct hl_system_covariate *covariate, struct hl_distribution *d)
{
    d->pos = node->pos;
    if (node->kind == HL_YAML_SCALAR) {
        d->kind = HL_DIST_FIXED;
        return hl_study_read_covariate(reader, node, covariate, &d->a);
    }
    if (node->kind == HL_YAML_SEQUENCE) {
        hl_diag_error(reader->diag, node->pos,
                      "%s: expected a value or a distribution, found a list; write {uniform: [..]}", covariate->name);
        return false;
    }
    return read_mapping(reader, node, covariate->info, covariate->name, d) &&
           hl_distribution_check(d, covariate->name, reader->diag);
}

bool hl_study_read_distribution(struct hl_study_reader *reader, const struct hl_yaml *node,
                                const struct hl_system_covariate *covariate, struct hl_distribution *d)
{
    *d = (struct hl_distribution){.pos = node->pos};
    if (!read_distribution(reader, node, covariate, d))
        return false;
    warn_share_outside(reader, d, covariate);
    return true;
}

/* ---- a table of real patients */

/* One column that holds a covariate. */
struct column {
    size_t index;
    int covariate;
    struct hl_unit unit;
    size_t capacity;
};

/* Beside the study's file, or where the user stands. */
void hl_study_find_table(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    struct hl_yaml *node = hl_yaml_get(hl_yaml_get(tree, "cohort"), "csv");
    if (!node || node->kind != HL_YAML_SCALAR || node->text[0] == '/' || strcmp(reader->folder, ".") == 0)
        return;
    char *beside = hl_arena_printf(reader->arena, "%s/%s", reader->folder, node->text);
    if (access(beside, R_OK) == 0)
        node->text = beside;
}

/* "WT [kg]" -> "WT", "kg" (or NULL). */
static const char *split_header(struct hl_arena *arena, const char *header, const char **unit)
{
    size_t n = strcspn(header, "[(");
    const char *close = header[n] ? strpbrk(header + n, "])") : NULL;
    *unit = close ? hl_arena_strndup(arena, header + n + 1, (size_t)(close - header) - n - 1) : NULL;
    while (n > 0 && header[n - 1] == ' ')
        n--;
    return hl_arena_strndup(arena, header, n);
}

static bool column_unit(struct hl_study_reader *reader, const struct hl_csv *csv, const struct hl_covariate *info,
                        const char *text, struct column *column)
{
    char why[512], found[64];
    struct hl_pos pos = hl_csv_pos(csv, column->index);
    column->unit = info->unit;
    if (!text || info->n_categories)
        return true;
    if (!hl_unit_parse(text, &column->unit, why, sizeof why))
        hl_diag_error(reader->diag, pos, "column '%s': %s", hl_csv_name(csv, column->index), why);
    else if (!hl_dim_equal(column->unit.dim, info->unit.dim))
        hl_diag_error(reader->diag, pos, "column '%s': expected a unit such as %s, found %s [%s]",
                      hl_csv_name(csv, column->index), unit_of(info), text,
                      hl_dim_name(column->unit.dim, found, sizeof found));
    else
        return true;
    return false;
}

/* One value in the engine's unit. */
static bool table_value(struct hl_study_reader *reader, const struct hl_csv *csv,
                        const struct hl_system_covariate *covariate, const struct column *column, double *value)
{
    const struct hl_covariate *info = covariate->info;
    const char *text = hl_csv_text(csv, column->index);
    struct hl_pos pos = hl_csv_pos(csv, column->index);
    char hint[128];
    if (!*text || strcmp(text, ".") == 0 || strcmp(text, "NA") == 0)
        hl_diag_error(reader->diag, pos, "%s has no value in this row; fill it in, or leave the row out",
                      covariate->name);
    else if (info->n_categories) {
        for (size_t i = 0; i < info->n_categories; i++)
            if (strcmp(info->category[i], text) == 0) {
                *value = (double)i;
                return true;
            }
        hl_diag_error(reader->diag, pos, "unknown category '%s' of %s%s", text, covariate->name,
                      hl_text_one_of(text, info->category, info->n_categories, hint, sizeof hint));
    } else if (!hl_text_number(text, value))
        hl_diag_error(reader->diag, pos, "expected a number for %s, found '%s'", covariate->name, text);
    else {
        *value *= column->unit.factor;
        double own = *value / info->unit.factor;
        if (!info->has_range || (own >= info->low && own <= info->high))
            return true;
        hl_diag_error(reader->diag, pos,
                      "%s = %g %s is outside the range its model states, %g to %g %s; correct the row "
                      "or leave it out",
                      covariate->name, own, unit_of(info), info->low, info->high, unit_of(info));
    }
    return false;
}

static void add_row(struct hl_study_reader *reader, const struct hl_csv *csv, const struct hl_system *system,
                    struct hl_cohort_spec *spec, struct column *column, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct hl_distribution *d = &spec->distribution[column[i].covariate];
        double value = 0.0;
        table_value(reader, csv, &system->covariate[column[i].covariate], &column[i], &value);
        d->value = hl_arena_push(reader->arena, d->value, d->n, &column[i].capacity, sizeof *d->value);
        d->value[d->n++] = value;
    }
}

/* The columns that name covariates; the other ones (an ID, a date) are the user's own. */
static size_t find_columns(struct hl_study_reader *reader, const struct hl_csv *csv, const struct hl_system *system,
                           struct hl_cohort_spec *spec, struct hl_pos pos, struct column *column)
{
    size_t n = 0;
    for (size_t i = 0; i < hl_csv_columns(csv); i++) {
        const char *unit, *name = split_header(reader->arena, hl_csv_name(csv, i), &unit);
        int covariate = hl_system_find_covariate(system, name);
        if (covariate < 0)
            continue;
        struct hl_distribution *d = &spec->distribution[covariate];
        if (d->kind == HL_DIST_CSV) {
            hl_diag_error(reader->diag, hl_csv_pos(csv, i), "%s has two columns; keep one", name);
            continue;
        }
        column[n] = (struct column){.index = i, .covariate = covariate};
        *d = (struct hl_distribution){.kind = HL_DIST_CSV, .pos = pos};
        n += column_unit(reader, csv, system->covariate[covariate].info, unit, &column[n]);
    }
    return n;
}

static void read_rows(struct hl_study_reader *reader, struct hl_csv *csv, const struct hl_system *system,
                      struct hl_cohort_spec *spec, const struct hl_yaml *node)
{
    enum hl_status status = HL_OK;
    struct column *column = hl_arena_alloc(reader->arena, hl_csv_columns(csv), sizeof *column);
    size_t n = find_columns(reader, csv, system, spec, node->pos, column), rows = 0;
    if (n == 0 && system->n_covariates)
        hl_diag_error(reader->diag, node->pos,
                      "no column of '%s' is named like a covariate of the models, such as '%s'", node->text,
                      system->covariate[0].name);
    for (; hl_csv_next(csv, &status); rows++)
        add_row(reader, csv, system, spec, column, n);
    if (rows == 0 && status == HL_OK)
        hl_diag_error(reader->diag, node->pos, "'%s' has no rows", node->text);
}

static void read_table(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                       struct hl_cohort_spec *spec)
{
    struct hl_csv *csv;
    const char *file = node ? hl_yaml_text(node, "the name of a CSV file", reader->diag) : NULL;
    if (!file)
        return;
    if (hl_csv_open(file, &csv, reader->diag) != HL_OK) {
        hl_diag_error(reader->diag, node->pos,
                      "the table of patients '%s' can't be read; it is looked for beside the study "
                      "and in the current directory",
                      file);
        return;
    }
    read_rows(reader, csv, system, spec, node);
    hl_csv_close(csv);
}

/* ---- covariates */

static void unknown_covariate(struct hl_study_reader *reader, const struct hl_yaml *key, const struct hl_system *system)
{
    const char **name = hl_arena_alloc(reader->arena, system->n_covariates, sizeof *name);
    char hint[128];
    for (size_t i = 0; i < system->n_covariates; i++)
        name[i] = system->covariate[i].name;
    hl_diag_error(reader->diag, key->pos, "no model has a covariate '%s'%s", key->text,
                  hl_text_did_you_mean(key->text, name, system->n_covariates, hint, sizeof hint));
}

/* WT: csv asks for a column of the table. */
static bool is_csv(const struct hl_yaml *node)
{
    return node->kind == HL_YAML_SCALAR && strcmp(node->text, "csv") == 0;
}

static void read_covariates(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                            const struct hl_system *first, struct hl_cohort_spec *spec)
{
    if (node && node->kind != HL_YAML_MAPPING)
        hl_diag_error(reader->diag, node->pos,
                      "covariates: expected names with values or distributions; write "
                      "{WT: {lognormal: {median: 70 kg, cv: \"20 %%\"}}}");
    for (size_t i = 0; node && node->kind == HL_YAML_MAPPING && i < node->n; i++) {
        const char *name = node->key[i]->text;
        int covariate = hl_system_find_covariate(system, name);
        if (covariate < 0) {
            if (!first || hl_system_find_covariate(first, name) < 0)
                unknown_covariate(reader, node->key[i], system);
            continue;
        }
        struct hl_distribution *d = &spec->distribution[covariate];
        if (is_csv(node->item[i])) {
            if (d->kind != HL_DIST_CSV)
                hl_diag_error(reader->diag, node->item[i]->pos,
                              "%s is to come from the table under csv:, which has no "
                              "column of that name",
                              name);
        } else if (d->kind == HL_DIST_CSV)
            hl_diag_error(reader->diag, node->item[i]->pos,
                          "%s has a column in the table under csv: and a distribution here; keep one", name);
        else if (read_distribution(reader, node->item[i], &system->covariate[covariate], d))
            warn_share_outside(reader, d, &system->covariate[covariate]);
    }
}

static void start_at_defaults(struct hl_study_reader *reader, const struct hl_system *system, struct hl_pos pos,
                              struct hl_cohort_spec *spec)
{
    spec->distribution = hl_arena_alloc(reader->arena, system->n_covariates, sizeof *spec->distribution);
    for (size_t i = 0; i < system->n_covariates; i++) {
        const struct hl_covariate *info = system->covariate[i].info;
        double factor = info->n_categories ? 1.0 : info->unit.factor;
        spec->distribution[i] = (struct hl_distribution){.kind = HL_DIST_FIXED, .pos = pos, .a = info->value * factor};
    }
}

/* ---- correlations */

/* The covariate may vary and share a copula: not fixed, not from a table. */
static bool may_correlate(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                          const struct hl_cohort_spec *spec)
{
    char hint[256];
    const char **name = hl_arena_alloc(reader->arena, system->n_etas + system->n_covariates, sizeof *name);
    size_t n = 0;
    int covariate = hl_system_find_covariate(system, node->text);
    if (hl_system_find_eta(system, node->text) >= 0)
        return true;
    if (covariate >= 0) {
        enum hl_distribution_kind kind = spec->distribution[covariate].kind;
        if (kind == HL_DIST_FIXED || kind == HL_DIST_CSV)
            hl_diag_error(reader->diag, node->pos, "'%s' %s, so it can't be correlated; give it a distribution",
                          node->text, kind == HL_DIST_CSV ? "comes from a table" : "is the same in every subject");
        return kind != HL_DIST_FIXED && kind != HL_DIST_CSV;
    }
    for (size_t i = 0; i < system->n_etas; i++)
        name[n++] = system->eta[i].name;
    for (size_t i = 0; i < system->n_covariates; i++)
        name[n++] = system->covariate[i].name;
    hl_diag_error(reader->diag, node->pos,
                  "nothing random is named '%s'%s (expected an eta such as clonazepam.eta_CL, or a "
                  "covariate)",
                  node->text, hl_text_did_you_mean(node->text, name, n, hint, sizeof hint));
    return false;
}

static bool read_between(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                         const struct hl_cohort_spec *spec, struct hl_correlation *c)
{
    const char *name[2] = {NULL, NULL};
    if (!node || node->kind != HL_YAML_SEQUENCE || node->n != 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        name[i] = hl_yaml_text(node->item[i], "the name of an eta or a covariate", reader->diag);
        if (!name[i] || !may_correlate(reader, node->item[i], system, spec))
            name[i] = NULL;
    }
    if (!name[0] || !name[1])
        return true; /* reported already */
    if (strcmp(name[0], name[1]) == 0)
        hl_diag_error(reader->diag, node->item[1]->pos, "'%s' is correlated with itself; name two quantities", name[1]);
    c->a = name[0];
    c->b = name[1];
    return true;
}

static bool same_pair(const struct hl_correlation *x, const struct hl_correlation *y)
{
    return (strcmp(x->a, y->a) == 0 && strcmp(x->b, y->b) == 0) || (strcmp(x->a, y->b) == 0 && strcmp(x->b, y->a) == 0);
}

/* What is drawn for every occasion is correlated only with its like. */
static bool same_level(struct hl_study_reader *reader, struct hl_pos pos, const struct hl_system *system,
                       const struct hl_correlation *c)
{
    int a = hl_system_find_eta(system, c->a), b = hl_system_find_eta(system, c->b);
    bool often_a = a >= 0 && system->eta[a].occasion, often_b = b >= 0 && system->eta[b].occasion;
    if (often_a != often_b)
        hl_diag_error(reader->diag, pos,
                      "'%s' is drawn for every occasion and '%s' once per subject, so they can't be correlated",
                      often_a ? c->a : c->b, often_a ? c->b : c->a);
    return often_a == often_b;
}

static void read_correlation(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                             struct hl_cohort_spec *spec)
{
    static const char *const keys[] = {"between", "r"};
    struct hl_correlation c = {.pos = node->pos};
    if (!hl_yaml_check_keys(node, "a correlation", keys, 2, reader->diag))
        return;
    const struct hl_yaml *r = hl_yaml_get(node, "r");
    bool complete = read_between(reader, hl_yaml_get(node, "between"), system, spec, &c);
    if (!r || !complete) {
        hl_diag_error(reader->diag, node->pos,
                      "a correlation names two quantities and r; write {between: [clonazepam.eta_CL, "
                      "fentanyl.eta_CL], r: 0.3}");
        return;
    }
    if (!hl_study_read_number(reader, r, "a correlation", &c.r) || !c.a ||
        !same_level(reader, hl_yaml_get(node, "between")->pos, system, &c))
        return;
    if (!(fabs(c.r) <= 1.0)) {
        hl_diag_error(reader->diag, r->pos, "a correlation lies between -1 and 1, found '%s'", r->text);
        return;
    }
    for (size_t i = 0; i < spec->n_correlations; i++)
        if (same_pair(&spec->correlation[i], &c)) {
            hl_diag_error(reader->diag, node->pos, "the correlation of %s and %s is given twice; keep one", c.a, c.b);
            return;
        }
    spec->correlation[spec->n_correlations++] = c;
}

static void read_correlations(struct hl_study_reader *reader, const struct hl_yaml *node,
                              const struct hl_system *system, struct hl_cohort_spec *spec)
{
    size_t n;
    struct hl_yaml **item = hl_study_items(reader->arena, node, &n);
    spec->correlation = hl_arena_alloc(reader->arena, n, sizeof *spec->correlation);
    for (size_t i = 0; i < n; i++)
        read_correlation(reader, item[i], system, spec);
}

/* ---- the cohort */

static void read_counts(struct hl_study_reader *reader, const struct hl_yaml *node, struct hl_cohort_spec *spec)
{
    static const char *const words[] = {"typical", "drawn"};
    const struct hl_yaml *subjects = hl_yaml_get(node, "subjects"), *seed = hl_yaml_get(node, "seed");
    const struct hl_yaml *typical = hl_yaml_get(node, "typical"), *uncertainty = hl_yaml_get(node, "uncertainty");
    size_t index = 0;
    if (typical)
        hl_study_read_truth(reader, typical, "value of typical", &spec->typical);
    if (subjects && hl_study_read_whole(reader, subjects, "subjects", &spec->subjects) && spec->subjects == 0)
        hl_diag_error(reader->diag, subjects->pos, "a cohort of 0 subjects; write subjects: 1000, or cohort: typical");
    if (!subjects && !spec->typical && !reader->has_data)
        hl_diag_error(reader->diag, node->pos, "how many subjects? Write subjects: 1000, or cohort: typical");
    if (seed)
        hl_study_read_whole(reader, seed, "seed", &spec->seed);
    if (uncertainty && hl_study_read_choice(reader, uncertainty, "kind of uncertainty", words, 2, &index))
        spec->uncertainty = index == 1;
    if (spec->typical || reader->has_data)
        spec->subjects = 1; /* of a data set: until its individuals are counted */
    if (spec->typical)
        spec->uncertainty = false;
}

struct hl_cohort_spec *hl_study_read_cohort(struct hl_study_reader *reader, const struct hl_yaml *node,
                                            const struct hl_system *system, const struct hl_system *first)
{
    static const char *const keys[] = {"subjects", "seed",         "typical",    "covariates",
                                       "csv",      "correlations", "uncertainty"};
    size_t faults = hl_diag_count(reader->diag, HL_ERROR);
    struct hl_cohort_spec *spec = hl_arena_alloc(reader->arena, 1, sizeof *spec);
    if (!hl_yaml_check_keys(node, "a cohort", keys, sizeof keys / sizeof *keys, reader->diag))
        return NULL;
    read_counts(reader, node, spec);
    if (system) {
        start_at_defaults(reader, system, node->pos, spec);
        read_table(reader, hl_yaml_get(node, "csv"), system, spec);
        read_covariates(reader, hl_yaml_get(node, "covariates"), system, first, spec);
        read_correlations(reader, hl_yaml_get(node, "correlations"), system, spec);
        if (spec->typical)
            start_at_defaults(reader, system, node->pos, spec);
    }
    return hl_diag_count(reader->diag, HL_ERROR) == faults ? spec : NULL;
}
