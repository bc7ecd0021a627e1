/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newton's method (newton.c) for sixteen subjects at a time, cycles being followed by the batched integrator (batch.c)
 * at a finer tolerance. A round is a cycle of all, then one for every group of columns of the Jacobian. Each subject
 * goes its own rounds; those that have arrived, or are lost, wait. What was found is verified by one more cycle.
 *
 * Columns that can be told apart go together (Curtis, Powell and Reid 1974, J Inst Maths Applics 13:117): where a
 * change of state j can come to state i at all is read off the rates; states j and k that come to no common i are
 * changed in one cycle. Tolerance and adaptation of several drugs, each of which follows its own concentration, need
 * one cycle in all instead of one each.
 *
 * Time begins at 0 for every subject, whatever the clock says: rates don't read it. */
#include "solve/periodic_lanes.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/batch.h"
#include "solve/newton.h"

struct hl_periodic_lanes {
    struct hl_plan fine;             /* the plan, with the tolerance of cycles */
    size_t max_lanes;
    struct hl_batch *batch;
    bool *reach;                     /* [state i][state j]: a change of j can come to i */
    size_t n_groups, *group;         /* by state: which of the groups it is changed in */
    struct hl_start *start;          /* by lane of the block */
    double *values;                  /* what they point into, ... */
    double *guess;                   /* ... and [lane][state]: y as it came */
    struct hl_events *events;        /* by lane of the block */
    signed char *status;             /* by lane of the block: who takes part in a cycle */
    struct hl_newton newton[HL_BATCH_LANES];
    double *peak;                    /* [lane of sixteen][state]: of its last cycle */
};

/* ---- Who depends on whom */

/* Adds to out what register reg depends on: m flags. */
static void add_dependence(const bool *of, int reg, size_t m, bool *out)
{
    for (size_t k = 0; reg >= 0 && k < m; k++)
        out[k] = out[k] || of[(size_t)reg * m + k];
}

/* reach[i][j]: state i is j, or its rate depends on j, at first hand or through others. */
static bool find_reach(const struct hl_plan *plan, bool *reach)
{
    const struct hl_system *system = plan->system;
    size_t m = plan->n_integrated;
    bool *of = hl_alloc(system->n_regs * m, sizeof *of);
    if (!of)
        return false;
    for (size_t i = 0; i < m; i++)
        of[(size_t)system->state[plan->integrated[i]].reg * m + i] = true;
    for (size_t k = 0; k < plan->rhs->n; k++) {
        const struct hl_instruction *in = &plan->rhs->code[k];
        bool *out = of + (size_t)in->dst * m;
        add_dependence(of, in->a, m, out);
        add_dependence(of, in->b, m, out);
        add_dependence(of, in->c, m, out);
    }
    for (size_t i = 0; i < m; i++) {
        reach[i * m + i] = true;
        add_dependence(of, system->state[plan->integrated[i]].derivative_reg, m, reach + i * m);
    }
    for (size_t k = 0; k < m; k++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; reach[i * m + k] && j < m; j++)
                reach[i * m + j] = reach[i * m + j] || reach[k * m + j];
    hl_free(of);
    return true;
}

/* True when no state is reached from both j and one of the group's states before it. */
static bool fits_group(const struct hl_periodic_lanes *p, size_t j, size_t group)
{
    size_t m = p->fine.n_integrated;
    for (size_t k = 0; k < j; k++)
        for (size_t i = 0; p->group[k] == group && i < m; i++)
            if (p->reach[i * m + j] && p->reach[i * m + k])
                return false;
    return true;
}

static void form_groups(struct hl_periodic_lanes *p)
{
    for (size_t j = 0; j < p->fine.n_integrated; j++) {
        p->group[j] = 0;
        while (!fits_group(p, j, p->group[j]))
            p->group[j]++;
        p->n_groups = p->group[j] >= p->n_groups ? p->group[j] + 1 : p->n_groups;
    }
}

/* ---- Making */

static bool reads_clock(const struct hl_plan *plan)
{
    int time = plan->system->time_reg;
    for (size_t k = 0; k < plan->rhs->n; k++) {
        const struct hl_instruction *in = &plan->rhs->code[k];
        if (in->a == time || in->b == time || in->c == time)
            return true;
    }
    return false;
}

static bool alloc(struct hl_periodic_lanes *p)
{
    const struct hl_plan *plan = &p->fine;
    size_t m = plan->n_integrated, n = p->max_lanes;
    size_t each = plan->n_modes + plan->system->n_states + plan->system->n_instances + m;
    p->reach = hl_alloc(m * m, sizeof *p->reach);
    p->group = hl_alloc(m, sizeof *p->group);
    p->start = hl_alloc(n, sizeof *p->start);
    p->values = hl_alloc(n, each * sizeof *p->values);
    p->guess = hl_alloc(n, m * sizeof *p->guess);
    p->events = hl_alloc(n, sizeof *p->events);
    p->status = hl_alloc(n, sizeof *p->status);
    p->peak = hl_alloc(HL_BATCH_LANES, m * sizeof *p->peak);
    bool good = p->reach && p->group && p->start && p->values && p->guess && p->events && p->status && p->peak;
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        good = hl_newton_init(&p->newton[l], plan) && good;
    for (size_t l = 0; good && l < n; l++) {
        struct hl_start *start = &p->start[l];
        start->z = p->values + l * each;
        start->rate = start->z + plan->n_modes;
        start->last_dose = start->rate + plan->system->n_states;
        start->y = start->last_dose + plan->system->n_instances;
    }
    return good && find_reach(plan, p->reach);
}

enum hl_status hl_periodic_lanes_create(const struct hl_plan *plan, double fineness, size_t max_lanes,
                                        struct hl_periodic_lanes **lanes)
{
    *lanes = NULL;
    if (plan->n_integrated == 0 || reads_clock(plan))
        return HL_OK;
    struct hl_periodic_lanes *p = hl_alloc(1, sizeof *p);
    if (!p)
        return HL_ERR_MEMORY;
    p->fine = *plan;
    p->fine.tolerance = fineness;
    p->max_lanes = max_lanes;
    enum hl_status status = hl_batch_create(&p->fine, &p->batch);
    if (status != HL_OK || !p->batch || !alloc(p)) {
        status = status == HL_OK && !p->batch ? HL_OK : HL_ERR_MEMORY;
        hl_periodic_lanes_free(p);
        return status;
    }
    form_groups(p);
    for (size_t l = 0; l < HL_BATCH_LANES; l++) {
        p->newton[l].plan = plan; /* whose tolerance is to be met */
        p->newton[l].fineness = fineness;
    }
    *lanes = p;
    return HL_OK;
}

void hl_periodic_lanes_free(struct hl_periodic_lanes *p)
{
    if (!p)
        return;
    hl_batch_free(p->batch);
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        hl_newton_clear(&p->newton[l]);
    for (size_t l = 0; p->events && l < p->max_lanes; l++)
        hl_free(p->events[l].event);
    void *part[] = {p->reach, p->group, p->start, p->values, p->guess, p->events, p->status, p->peak, p};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

struct hl_start *hl_periodic_lanes_start(struct hl_periodic_lanes *p, size_t lane)
{
    return &p->start[lane];
}

struct hl_events *hl_periodic_lanes_events(struct hl_periodic_lanes *p, size_t lane)
{
    return &p->events[lane];
}

/* ---- Cycles */

/* Sixteen lanes on their way. */
struct going {
    struct hl_periodic_lanes *p;
    struct hl_subjects subjects;     /* with starts, events and status of our own */
    const double *regs;
    size_t first, n;
    bool active[HL_BATCH_LANES];
};

/* One cycle of the active lanes from starts->y; where it leads to into base, or, changed, into image. Lanes that can't
 * be followed are active no longer. */
static void run_cycle(struct going *g, bool changed)
{
    struct hl_periodic_lanes *p = g->p;
    size_t m = p->fine.n_integrated;
    bool done[HL_BATCH_LANES], told[HL_BATCH_LANES] = {false};
    double nothing;
    for (size_t l = 0; l < g->n; l++)
        p->status[g->first + l] = g->active[l] ? HL_SUBJECT_GOOD : HL_SUBJECT_BAD_PARAMETERS;
    hl_batch_run(p->batch, &g->subjects, g->regs, g->first, g->n, &nothing, done, told);
    for (size_t l = 0; l < g->n; l++) {
        g->active[l] = g->active[l] && done[l];
        if (g->active[l])
            hl_batch_end(p->batch, l, changed ? p->newton[l].image : p->newton[l].base, p->peak + l * m);
    }
}

/* Where the next cycle of lane l begins: at y, those of a group changed (HL_BATCH_LANES and more: none). */
static void set_out(struct going *g, size_t l, size_t group)
{
    struct hl_periodic_lanes *p = g->p;
    const struct hl_newton *newton = &p->newton[l];
    for (size_t k = 0; k < p->fine.n_integrated; k++)
        p->start[g->first + l].y[k] = newton->y[k] + (p->group[k] == group ? hl_newton_difference(newton, k) : 0);
}

/* The columns of a group, from a cycle in which all of them were changed. */
static void take_columns(struct going *g, size_t l, size_t group)
{
    struct hl_periodic_lanes *p = g->p;
    for (size_t k = 0; k < p->fine.n_integrated; k++)
        if (p->group[k] == group)
            hl_newton_column(&p->newton[l], k, hl_newton_difference(&p->newton[l], k), p->reach);
}

/* One round of all active lanes. stalled[l]: what is left is noise; arrived[l]: so it is, or nothing is left. */
static void go_round(struct going *g, bool *arrived, bool *stalled)
{
    struct hl_periodic_lanes *p = g->p;
    double noise = hl_newton_noise(p->newton[0].plan->tolerance);
    for (size_t l = 0; l < g->n; l++)
        set_out(g, l, p->n_groups);
    run_cycle(g, false);
    for (size_t l = 0; l < g->n; l++)
        if (g->active[l])
            hl_newton_measure(&p->newton[l], p->peak + l * p->fine.n_integrated, 1);
    for (size_t group = 0; group < p->n_groups; group++) {
        for (size_t l = 0; l < g->n; l++)
            set_out(g, l, group);
        run_cycle(g, true);
        for (size_t l = 0; l < g->n; l++)
            if (g->active[l])
                take_columns(g, l, group);
    }
    for (size_t l = 0; l < g->n; l++) {
        if (!g->active[l])
            continue;
        enum hl_newton_answer answer = hl_newton_advance(&p->newton[l], noise);
        g->active[l] = answer == HL_NEWTON_GO_ON;
        arrived[l] = answer == HL_NEWTON_FOUND || answer == HL_NEWTON_STALLED;
        stalled[l] = answer == HL_NEWTON_STALLED;
    }
}

static bool any_active(const struct going *g)
{
    for (size_t l = 0; l < g->n; l++)
        if (g->active[l])
            return true;
    return false;
}

/* Another cycle of those that have arrived; wanted[l] becomes false where it changes nothing. */
static void verify(struct going *g, const bool *arrived, const bool *stalled, bool *wanted)
{
    struct hl_periodic_lanes *p = g->p;
    size_t m = p->fine.n_integrated;
    double tolerance = p->newton[0].plan->tolerance;
    for (size_t l = 0; l < g->n; l++) {
        g->active[l] = arrived[l];
        set_out(g, l, p->n_groups);
    }
    run_cycle(g, true);
    for (size_t l = 0; l < g->n; l++) {
        double bound = stalled[l] ? hl_newton_noise(tolerance) : hl_newton_bound(tolerance);
        const double *guess = p->guess + (g->first + l) * m, *peak = p->peak + l * m;
        if (!g->active[l] || !(hl_newton_change(&p->newton[l], peak, 1) <= bound)
            || !hl_newton_is_possible(&p->newton[l], guess, peak, 1, bound))
            continue;
        wanted[l] = false;
        hl_newton_take(&p->newton[l], guess, p->start[g->first + l].y);
    }
}

enum hl_status hl_periodic_lanes_solve(struct hl_periodic_lanes *p, const struct hl_subjects *subjects,
                                       const double *regs, size_t first, size_t n, double period, bool *wanted)
{
    const double time[] = {0, period};
    size_t m = p->fine.n_integrated;
    bool arrived[HL_BATCH_LANES] = {false}, stalled[HL_BATCH_LANES] = {false};
    struct going g = {.p = p, .subjects = *subjects, .regs = regs, .first = first, .n = n};
    g.subjects.start = p->start;
    g.subjects.events = p->events;
    g.subjects.status = p->status;
    if (hl_batch_set_times(p->batch, time, 2) != HL_OK)
        return HL_ERR_MEMORY;
    hl_batch_set_outputs(p->batch, NULL, 0, subjects->lanes);
    for (size_t l = 0; l < n; l++) {
        g.active[l] = wanted[l];
        if (!wanted[l])
            continue;
        memcpy(p->guess + (first + l) * m, p->start[first + l].y, m * sizeof *p->guess);
        memcpy(p->newton[l].y, p->start[first + l].y, m * sizeof *p->guess);
        p->newton[l].first_amount = 0;
        hl_newton_begin(&p->newton[l]);
    }
    while (any_active(&g))
        go_round(&g, arrived, stalled);
    verify(&g, arrived, stalled, wanted);
    return HL_OK;
}
