/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Covariates in the data set. A value is a number in the column's unit, or a category by name or by its code (0, 1, ...
 * in the model's order). A missing value is filled from the same individual's known ones:
 *
 *   next          the next known value, else the last known one
 *   previous      the last known value, else the next known one
 *   interpolate   on the straight line in TIME between the neighbours; beyond the first and last known one, that one
 *
 * A line is only drawn where TIME runs on: across a reset that sets the clock back, the records before it keep the
 * known value before it and the others take the next. An individual without any known value is an error: to invent one
 * would be worse. */
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "data/inside.h"

#define NONE ((size_t)-1)

static bool read_category(struct hl_data_set *set, size_t k, int column, double *value)
{
    const struct hl_covariate *info = set->system->covariate[k].info;
    const struct hl_cell *cell = &set->cell[column];
    for (size_t i = 0; i < info->n_categories; i++)
        if (strcasecmp(cell->text, info->category[i]) == 0) {
            *value = (double)i;
            return true;
        }
    if (cell->kind == HL_CELL_NUMBER && cell->number >= 0.0 && cell->number == floor(cell->number) &&
        cell->number < (double)info->n_categories) {
        *value = cell->number;
        return true;
    }
    char hint[160], list[240] = "";
    size_t n = 0;
    for (size_t i = 0; i < info->n_categories && n + 1 < sizeof list; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s (%zu)", n ? ", " : "", info->category[i], i);
    hl_data_fault(set, column, "'%s' is no category of %s: %s%s", cell->text, set->system->covariate[k].name, list,
                  hl_text_did_you_mean(cell->text, info->category, info->n_categories, hint, sizeof hint));
    return false;
}

static void check_range(struct hl_data_set *set, size_t k, double value)
{
    const struct hl_covariate *info = set->system->covariate[k].info;
    double own = value / info->unit.factor;
    const char *unit = info->unit_text ? info->unit_text : "";
    if (info->has_range && !info->n_categories && (own < info->low || own > info->high))
        hl_data_remark(set, &set->covariate[k].outside, HL_WARNING, hl_data_pos(set, set->covariate[k].column),
                       "%s = %g %s lies outside the range its model states, %g to %g %s",
                       set->system->covariate[k].name, own, unit, info->low, info->high, unit);
}

/* The value of a cell that isn't missing; false after a fault. */
static bool read_value(struct hl_data_set *set, size_t k, double *value)
{
    int column = set->covariate[k].column;
    const struct hl_cell *cell = &set->cell[column];
    if (set->system->covariate[k].info->n_categories)
        return read_category(set, k, column, value);
    if (cell->kind != HL_CELL_NUMBER) {
        if (strcasecmp(cell->text, "NA") != 0 && strcasecmp(cell->text, "NaN") != 0) /* else: said already */
            hl_data_fault(set, column, "expected a number for the covariate %s, found '%s'",
                          set->system->covariate[k].name, cell->text);
        return false;
    }
    *value = cell->number * set->covariate[k].factor;
    if (set->first_reading)
        check_range(set, k, *value);
    return true;
}

void hl_data_read_covariates(struct hl_data_set *set)
{
    for (size_t k = 0; k < set->n_covariates; k++) {
        struct hl_data_covariate *covariate = &set->covariate[k];
        double value = NAN;
        set->covariate_value[k] = NAN;
        if (covariate->column < 0)
            continue;
        bool missing = set->cell[covariate->column].kind == HL_CELL_MISSING;
        if (set->starts)
            covariate->first = hl_data_pos(set, covariate->column);
        if (missing && covariate->gaps++ == 0 && covariate->filled == 0)
            covariate->first_gap = hl_data_pos(set, covariate->column);
        if (missing || !read_value(set, k, &value)) {
            covariate->known += !missing; /* an unreadable value is no gap */
            continue;
        }
        set->covariate_value[k] = value;
        covariate->known++;
        if (set->first_reading && !isnan(covariate->last) && covariate->last != value)
            set->facts.varies[k] = true;
        covariate->last = value;
    }
}

void hl_data_count_gaps(struct hl_data_set *set)
{
    for (size_t k = 0; k < set->n_covariates; k++) {
        struct hl_data_covariate *covariate = &set->covariate[k];
        if (covariate->column >= 0 && covariate->known == 0 && set->n_individual > 0)
            hl_data_fault_at(set, covariate->first,
                             "individual %s, which begins here, has no value of %s in any of its %llu records; the "
                             "model needs one",
                             set->id, set->system->covariate[k].name, (unsigned long long)set->n_individual);
        else if (covariate->gaps > 0) {
            covariate->filled += covariate->gaps;
            covariate->individuals++;
        }
        covariate->gaps = covariate->known = 0;
        covariate->last = NAN;
    }
}

/* ---- Gaps ---- */

/* Whether the clock runs on from record a to record b. */
static bool runs_on(const struct hl_individual *individual, size_t a, size_t b)
{
    for (size_t i = a + 1; i <= b; i++)
        if (individual->record[i].TIME < individual->record[i - 1].TIME)
            return false;
    return true;
}

/* The value at record i in a gap between the known records before and after (n: there is none after; NONE: none
 * before). */
static double gap_value(const struct hl_individual *x, const double *value, size_t step, size_t i, size_t before,
                        size_t after, enum hl_covariate_rule rule)
{
    bool has_before = before != NONE, has_after = after < x->n;
    if (!has_before && !has_after)
        return NAN; /* the first reading has refused this */
    if (!has_before || !has_after)
        return value[(has_before ? before : after) * step];
    double a = value[before * step], b = value[after * step];
    if (rule != HL_COVARIATE_INTERPOLATE)
        return rule == HL_COVARIATE_NEXT ? b : a;
    if (!runs_on(x, before, after))
        return runs_on(x, before, i) ? a : b;
    double t0 = x->record[before].TIME, t1 = x->record[after].TIME;
    return t1 > t0 ? a + (b - a) * ((x->record[i].TIME - t0) / (t1 - t0)) : b;
}

static void fill(const struct hl_individual *x, double *value, size_t step, enum hl_covariate_rule rule)
{
    size_t before = NONE, i = 0;
    while (i < x->n) {
        if (!isnan(value[i * step])) {
            before = i++;
            continue;
        }
        size_t after = i;
        while (after < x->n && isnan(value[after * step]))
            after++;
        for (; i < after; i++)
            value[i * step] = gap_value(x, value, step, i, before, after, rule);
    }
}

void hl_data_fill_gaps(struct hl_data_set *set)
{
    for (size_t k = 0; k < set->n_covariates; k++)
        if (set->covariate[k].column >= 0)
            fill(&set->individual, set->covariates + k, set->n_covariates, set->covariate[k].rule);
}
