/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the result file says of each arm: the constraints' statistics of every subject, and where the outputs stand some
 * days after each taper's end. Everything is read back from the file, so the table told is the table stored. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "design_parts.h"
#include "measure/measure.h"
#include "store/result.h"

#define DAY 24.0

static const double shown[3] = {0.5, 0.9, 0.95};

/* Subjects of one arm of a metric; NULL with a message. */
static double *read_metric(const struct hl_design *design, const struct hl_result *result, const char *name, size_t arm)
{
    const char *path = hl_arena_printf(design->arena, "/metrics/%s", name);
    const struct hl_result_variable *variable = hl_result_at(result, path);
    uint64_t start[2] = {arm, 0}, count[2] = {1, result->n_subjects};
    double *value = hl_alloc((size_t)result->n_subjects, sizeof *value);
    if (variable && value && variable->rank == 2 && variable->dims[1] == result->n_subjects &&
        hl_result_read(result, variable, start, count, value, design->diag) == HL_OK)
        return value;
    if (!variable)
        hl_diag_error(design->diag, hl_pos_none(), "'%s' has no %s", result->path, path);
    hl_free(value);
    return NULL;
}

/* The median of an output at a time of the grid; NAN where the file doesn't hold it. */
static double median_at(const struct hl_design *design, const struct hl_result *result, const char *output, size_t arm,
                        double time)
{
    const struct hl_result_variable *variable = NULL;
    for (size_t i = 0; i < result->n_variables && !variable; i++)
        if (result->variable[i].output && result->variable[i].statistic && result->variable[i].rank == 3 &&
            strcmp(result->variable[i].output, output) == 0 && strcmp(result->variable[i].statistic, "quantiles") == 0)
            variable = &result->variable[i];
    const double *probability = variable ? hl_result_axis(result, variable, 1) : NULL;
    for (uint64_t q = 0; probability && q < variable->dims[1]; q++)
        for (uint64_t t = 0; fabs(probability[q] - 0.5) < 1e-12 && t < result->n_times; t++) {
            uint64_t start[3] = {arm, q, t}, count[3] = {1, 1, 1};
            double value;
            if (fabs(result->time[t] - time) < 1e-6 &&
                hl_result_read(result, variable, start, count, &value, design->diag) == HL_OK)
                return value;
        }
    return NAN;
}

/* The variable that holds a statistic of an output over time. */
static const struct hl_result_variable *over_time(const struct hl_result *result, const char *output,
                                                  const char *statistic)
{
    for (size_t i = 0; i < result->n_variables; i++) {
        const struct hl_result_variable *v = &result->variable[i];
        bool same = statistic ? v->statistic && strcmp(v->statistic, statistic) == 0 : !v->statistic;
        if (same && v->output && v->rank == 3 && strcmp(v->output, output) == 0 && v->dims[2] == result->n_times)
            return v;
    }
    return NULL;
}

/* When most of an arm are above a constraint's bound, from day 0 on at the result's times, and how many. */
static enum hl_status read_worst(struct hl_design *design, const struct hl_result *result, size_t arm, size_t c)
{
    struct hl_design_outcome *outcome = &design->outcome[arm];
    const struct hl_taper_constraint *keep = &design->problem->constraint[c];
    const char *output = design->study->system->output[keep->output].name;
    const struct hl_result_variable *v = over_time(result, output, "fraction_above");
    const double *level = v ? hl_result_axis(result, v, 1) : NULL;
    double bound = hl_design_bound_shown(design, keep), *share = hl_alloc(result->n_times, sizeof *share);
    enum hl_status status = share ? HL_OK : HL_ERR_MEMORY;
    outcome->worst_share[c] = outcome->worst_day[c] = NAN;
    for (uint64_t k = 0; status == HL_OK && level && k < v->dims[1]; k++) {
        uint64_t start[3] = {arm, k, 0}, count[3] = {1, 1, result->n_times};
        if (fabs(level[k] - bound) > 1e-9 * fabs(bound))
            continue;
        status = hl_result_read(result, v, start, count, share, design->diag);
        for (uint64_t t = 0; status == HL_OK && t < result->n_times; t++)
            if (result->time[t] > design->problem->begins - 1e-6 && !(share[t] <= outcome->worst_share[c])) {
                outcome->worst_share[c] = share[t];
                outcome->worst_day[c] = (result->time[t] - design->problem->begins) / DAY;
            }
    }
    hl_free(share);
    return status;
}

#define MOST_VALUES 100000000 /* of one arm that are read at once */

/* The verdict on what holds at any time, from the trajectories; where they aren't stored, from the share above, without
 * a value. */
static enum hl_status read_moments(struct hl_design *design, const struct hl_result *result, size_t arm, size_t c)
{
    struct hl_design_outcome *outcome = &design->outcome[arm];
    const struct hl_taper_constraint *keep = &design->problem->constraint[c];
    const struct hl_result_variable *v = over_time(result, design->study->system->output[keep->output].name, NULL);
    uint64_t n = result->n_subjects, m = result->n_times, start[3] = {arm, 0, 0}, count[3] = {1, n, m};
    if (!v || v->dims[1] != n || n * m > MOST_VALUES) {
        struct hl_design_verdict *verdict = &outcome->verdict[c];
        verdict->kept = (uint64_t)llround((1 - outcome->worst_share[c]) * (double)verdict->subjects);
        verdict->value = NAN;
        return HL_OK;
    }
    double *value = hl_alloc_unset(n, m * sizeof *value), *row = hl_alloc_unset(m, n * sizeof *row);
    enum hl_status status = value && row ? hl_result_read(result, v, start, count, value, design->diag) : HL_ERR_MEMORY;
    for (uint64_t i = 0; status == HL_OK && i < n; i++)
        for (uint64_t t = 0; t < m; t++)
            row[t * n + i] = value[i * m + t];
    if (status == HL_OK)
        outcome->verdict[c] =
            hl_design_judge_moments(design, keep, row, result->time, m, design->problem->begins, (size_t)n);
    hl_free(value);
    hl_free(row);
    return status;
}

static enum hl_status read_excess(struct hl_design *design, const struct hl_result *result, size_t arm, size_t c)
{
    struct hl_design_outcome *outcome = &design->outcome[arm];
    double *hours = read_metric(design, result, hl_design_metric(design, c, "hours_above"), arm), sum = 0;
    size_t n = (size_t)result->n_subjects, counted = 0, above = 0;
    for (size_t k = 0; hours && k < n; k++)
        if (!isnan(hours[k])) {
            counted++;
            above += hours[k] > 0;
            sum += hours[k];
        }
    outcome->hours_above[c] = counted ? sum / (double)counted : NAN;
    outcome->share_above[c] = counted ? (double)above / (double)counted : NAN;
    enum hl_status status = hours ? read_worst(design, result, arm, c) : HL_ERR_INTERNAL;
    hl_free(hours);
    if (status == HL_OK && design->problem->constraint[c].statistic == HL_TAPER_MOMENT)
        status = read_moments(design, result, arm, c);
    return status;
}

static enum hl_status read_constraint(struct hl_design *design, const struct hl_result *result, size_t arm, size_t c)
{
    struct hl_design_outcome *outcome = &design->outcome[arm];
    const struct hl_taper_constraint *keep = &design->problem->constraint[c];
    const char *output = design->study->system->output[keep->output].name;
    double *value = read_metric(design, result, hl_design_metric(design, c, hl_design_statistic(keep->statistic)), arm);
    double quantile[3], end = design->problem->begins + outcome->facts.days * DAY;
    size_t n_marks = design->request->n_marks;
    if (!value)
        return HL_ERR_INTERNAL;
    hl_design_scale(design, keep, value, (size_t)result->n_subjects);
    outcome->verdict[c] = hl_design_judge(design, keep, value, (size_t)result->n_subjects);
    hl_quantiles(value, (size_t)result->n_subjects, shown, 3, quantile);
    for (size_t q = 0; q < 3; q++)
        outcome->quantile[q][c] = quantile[q];
    hl_free(value);
    for (size_t m = 0; m < n_marks; m++)
        outcome->after[c * n_marks + m] = median_at(design, result, output, arm, end + design->request->mark[m]);
    return hl_taper_is_value(keep->statistic) ? read_excess(design, result, arm, c) : HL_OK;
}

static void make_room(struct hl_design *design, struct hl_design_outcome *outcome)
{
    size_t n = design->problem->n_constraints;
    outcome->verdict = hl_arena_alloc(design->arena, n, sizeof *outcome->verdict);
    for (size_t q = 0; q < 3; q++)
        outcome->quantile[q] = hl_arena_alloc(design->arena, n, sizeof *outcome->quantile[q]);
    outcome->hours_above = hl_arena_alloc(design->arena, n, sizeof *outcome->hours_above);
    outcome->share_above = hl_arena_alloc(design->arena, n, sizeof *outcome->share_above);
    outcome->worst_share = hl_arena_alloc(design->arena, n, sizeof *outcome->worst_share);
    outcome->worst_day = hl_arena_alloc(design->arena, n, sizeof *outcome->worst_day);
    outcome->after = hl_arena_alloc(design->arena, n * design->request->n_marks, sizeof *outcome->after);
}

enum hl_status hl_design_outcomes(struct hl_design *design)
{
    struct hl_result *result;
    enum hl_status status = hl_result_open(design->result_file, &result, design->diag);
    if (status != HL_OK)
        return status;
    for (size_t a = 0; status == HL_OK && a < design->n_outcomes; a++) {
        make_room(design, &design->outcome[a]);
        for (size_t c = 0; status == HL_OK && c < design->problem->n_constraints; c++)
            status = read_constraint(design, result, a, c);
    }
    hl_result_close(result);
    return status;
}
