/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What holds at each moment: "at any time at most bound in 90 % of subjects" lets one subject be above the bound today
 * and another one next week. With y_i(t) the output of subject i of N and q(t) the value that the share of the subjects
 * doesn't exceed at time t (the order statistic of rank ceil(share N)),
 *
 *     S = max over t of q(t),     kept when S <= bound.
 *
 * S is one number of the whole cohort and never falls along a schedule; it stands as every subject's statistic, so that
 * counting, pruning and margins need know nothing of it. The moments are the ends of the forecast's steps. Blocks are
 * walked one by one, so the outputs of a level are kept, [moment][subject], until all have come. */
#include <math.h>

#include "taper/forecast_parts.h"
#include "taper/search.h"
#include "taper/search_parts.h"

#define LANES HL_FORECAST_LANES

static bool is_moment(const struct hl_forecast *f, size_t c)
{
    return f->problem->constraint[c].statistic == HL_TAPER_MOMENT;
}

bool hl_forecast_trace_init(const struct hl_forecast *f, size_t moments, struct hl_forecast_trace *trace)
{
    size_t n = 0;
    *trace = (struct hl_forecast_trace){.value = NULL};
    for (size_t c = 0; c < f->problem->n_constraints; c++)
        n += is_moment(f, c);
    if (n == 0)
        return true;
    trace->moments = moments;
    trace->value = hl_alloc_unset(n * moments, f->n_subjects * sizeof *trace->value);
    return trace->value != NULL;
}

void hl_forecast_trace_clear(struct hl_forecast_trace *trace)
{
    hl_free(trace->value);
    trace->value = NULL;
}

void hl_forecast_trace_note(struct hl_forecast_room *r)
{
    const struct hl_forecast *f = r->forecast;
    size_t n = 0, subject = r->block->first - 1;
    for (size_t c = 0; c < f->problem->n_constraints && r->noted < r->trace->moments; c++) {
        if (!is_moment(f, c))
            continue;
        double *row = r->trace->value + (n++ * r->trace->moments + r->noted) * f->n_subjects + subject;
        for (size_t l = 0; l < r->block->n; l++) {
            double y = ROW_OF(r->y, c)[l];
            row[l] = r->block->failed[l] || isnan(y) ? INFINITY : y;
        }
    }
    if (r->noted < r->trace->moments)
        r->noted++;
    if (subject == 0)
        r->trace->used = r->noted; /* every block sees the same moments */
}

/* The largest of from and every moment's order statistic; a moment at which enough don't exceed from adds nothing. */
static double worst_moment(const struct hl_forecast *f, const struct hl_forecast_trace *trace, size_t n, size_t need,
                           double from)
{
    double worst = from;
#pragma omp parallel for reduction(max : worst) schedule(static)
    for (size_t k = 0; k < trace->used; k++) {
        double *row = trace->value + (n * trace->moments + k) * f->n_subjects;
        size_t below = 0;
        for (size_t i = 0; i < f->n_subjects; i++)
            below += row[i] <= from;
        if (below < need)
            worst = fmax(worst, hl_order_statistic(row, f->n_subjects, need));
    }
    return worst;
}

void hl_forecast_trace_close(const struct hl_forecast *f, struct hl_forecast_trace *trace, const double *from,
                             double *statistic)
{
    size_t n = 0, N = f->n_subjects;
    for (size_t c = 0; trace->value && c < f->problem->n_constraints; c++) {
        if (!is_moment(f, c))
            continue;
        size_t need = hl_taper_needed(f->problem->constraint[c].share, N);
        double worst = worst_moment(f, trace, n++, need, from ? from[c * N] : -INFINITY);
        for (size_t i = 0; i < N; i++)
            statistic[c * N + i] = worst;
    }
    hl_forecast_trace_clear(trace);
}
