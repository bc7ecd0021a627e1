/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arms of the result, in this order:
 *
 *   designed                       the answer
 *   us_label, ...                  each protocol of compare: as published, on the same products
 *   us_label at equal risk         ... with the smallest interval between its steps at which the forecast keeps every
 *                                  constraint, where it doesn't as published (or with a smaller one where it does)
 *   us_label in 98 d               ... stretched or compressed to last as long as the designed one
 *   designed, SITUATION            the answer under every situation of stress:
 *
 * A slower taper is taken to be a gentler one: the interval is found by bisection, and what it comes to is then told by
 * the exact engine like everything else. */
#include <math.h>
#include <string.h>

#include "design_parts.h"

#define MOST_INTERVAL 364 /* days between two steps: beyond that there is no equal risk */
#define MOST_DAYS     1460 /* of a protocol at equal risk */

static void add_plan(struct hl_design *design, const char *name, const char *kind,
                     const struct hl_taper_problem *problem, const struct hl_taper_schedule *schedule, size_t situation)
{
    design->outcome = hl_arena_push(design->arena, design->outcome, design->n_outcomes, &design->outcomes_capacity,
                                    sizeof *design->outcome);
    struct hl_design_outcome *outcome = &design->outcome[design->n_outcomes++];
    outcome->plan = (struct hl_taper_plan){.name = name, .kind = kind, .problem = problem, .schedule = schedule,
                                           .situation = situation};
}

/* Whether the forecast says that a schedule keeps all constraints in all situations of the design. */
static enum hl_status keeps(struct hl_design *design, struct hl_forecast *forecast,
                            const struct hl_taper_schedule *schedule, bool *kept)
{
    const struct hl_outlook *outlook = hl_forecast_outlook(forecast);
    double *statistic = hl_alloc(outlook->n_subjects * outlook->n_constraints, sizeof *statistic);
    enum hl_status status = statistic ? hl_outlook_follow(outlook, schedule, statistic) : HL_ERR_MEMORY;
    *kept = status == HL_OK && hl_outlook_keeps(outlook, design->problem, statistic);
    hl_free(statistic);
    return status;
}

/* The rungs a protocol stands on. */
static const struct hl_taper_problem *ground_of(const struct hl_design *design, const struct hl_taper_rival *rival)
{
    return rival->own ? rival->own : design->all;
}

/* The schedule with so many days between steps, NULL when it would be too long. */
static struct hl_taper_schedule *at_interval(const struct hl_design *design, const struct hl_taper_rival *rival,
                                             int days)
{
    struct hl_taper_schedule *schedule = hl_taper_follow(design->arena, design->all, rival, days);
    return schedule && schedule->days <= MOST_DAYS ? schedule : NULL;
}

/* The smallest interval that keeps the constraints, by bisection between one that doesn't and one that does. */
static enum hl_status equal_risk(struct hl_design *design, struct hl_forecast *forecast,
                                 const struct hl_taper_rival *rival, int *interval)
{
    int low = 0, high = hl_taper_rival_interval(rival);
    bool kept = false;
    enum hl_status status = HL_OK;
    while (status == HL_OK && !kept && high <= MOST_INTERVAL) {
        const struct hl_taper_schedule *schedule = at_interval(design, rival, high);
        if (!schedule)
            break;
        status = keeps(design, forecast, schedule, &kept);
        low = kept ? low : high;
        high = kept ? high : 2 * high;
    }
    *interval = 0;
    if (!kept)
        return status;
    while (status == HL_OK && high - low > 1) {
        int middle = low + (high - low) / 2;
        const struct hl_taper_schedule *schedule = at_interval(design, rival, middle);
        status = schedule ? keeps(design, forecast, schedule, &kept) : HL_ERR_INTERNAL;
        low = kept ? low : middle;
        high = kept ? middle : high;
    }
    *interval = high;
    return status;
}

static enum hl_status add_equal_risk(struct hl_design *design, struct hl_forecast *forecast,
                                     const struct hl_taper_rival *rival)
{
    int interval, published = hl_taper_rival_interval(rival);
    if (published == 0)
        return HL_OK;
    enum hl_status status = equal_risk(design, forecast, rival, &interval);
    if (status != HL_OK || interval == 0 || interval == published)
        return status;
    const struct hl_taper_schedule *schedule = at_interval(design, rival, interval);
    if (schedule)
        add_plan(design, hl_arena_printf(design->arena, "%s every %d d", rival->name, interval), "at equal risk",
                 ground_of(design, rival), schedule, 0);
    return HL_OK;
}

/* A crossover has a second drug, and so a forecast of its own. */
static enum hl_status add_crossover_at_risk(struct hl_design *design, const struct hl_taper_rival *rival)
{
    struct hl_forecast **part = NULL, *joined = NULL;
    enum hl_status status = hl_design_forecast_other(design, rival->own, &part, &joined);
    if (status == HL_OK)
        status = add_equal_risk(design, joined, rival);
    hl_design_forecast_drop(design, part, joined);
    return status;
}

static void add_equal_duration(struct hl_design *design, const struct hl_taper_rival *rival)
{
    int days = design->result.schedule.days;
    struct hl_taper_schedule *published = hl_taper_follow(design->arena, design->all, rival, 0);
    if (!published || published->n == 0 || published->days == days)
        return;
    const struct hl_taper_problem *ground = ground_of(design, rival);
    struct hl_taper_schedule *schedule = hl_taper_stretch(design->arena, ground, published, days);
    if (schedule)
        add_plan(design, hl_arena_printf(design->arena, "%s in %d d", rival->name, schedule->days), "at equal duration",
                 ground, schedule, 0);
}

static enum hl_status add_rivals(struct hl_design *design)
{
    const struct hl_taper_request *request = design->request;
    enum hl_status status = HL_OK;
    for (size_t r = 0; r < request->n_rivals; r++) {
        const struct hl_taper_schedule *schedule = hl_taper_follow(design->arena, design->all, &request->rival[r], 0);
        if (schedule)
            add_plan(design, request->rival[r].name, "as published", ground_of(design, &request->rival[r]), schedule,
                     0);
        else
            hl_diag_warning(design->diag, request->rival[r].pos,
                            "'%s' can't be carried out with these products; it is left out", request->rival[r].name);
    }
    struct hl_forecast *forecast;
    status = hl_design_forecast_all(design, &forecast);
    for (size_t r = 0; status == HL_OK && r < request->n_rivals; r++)
        status = request->rival[r].own ? add_crossover_at_risk(design, &request->rival[r])
                                       : add_equal_risk(design, forecast, &request->rival[r]);
    for (size_t r = 0; r < request->n_rivals; r++)
        add_equal_duration(design, &request->rival[r]);
    return status;
}

enum hl_status hl_design_plans(struct hl_design *design)
{
    const struct hl_study *study = design->study;
    add_plan(design, "designed", "designed", design->problem, &design->result.schedule, 0);
    design->all = hl_taper_all_rungs(design->arena, design->problem, design->diag);
    enum hl_status status = design->all ? HL_OK : HL_ERR_INPUT;
    if (status == HL_OK && design->request->n_rivals)
        status = add_rivals(design);
    for (size_t a = 1; a <= study->n_situations; a++)
        add_plan(design, hl_arena_printf(design->arena, "designed, %s", study->arm[a].name), "under stress",
                 design->problem, hl_taper_detour(design->arena, design->problem, &design->result.schedule,
                                                  &design->request->situation[a]), a);
    int longest = 0;
    for (size_t i = 0; status == HL_OK && i < design->n_outcomes; i++) {
        struct hl_design_outcome *outcome = &design->outcome[i];
        status = hl_taper_facts(design->arena, outcome->plan.problem, outcome->plan.schedule, &outcome->facts);
        longest = outcome->facts.days > longest ? outcome->facts.days : longest;
    }
    design->end = design->problem->begins + 24.0 * longest + design->problem->follow;
    return status;
}
