/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steady states of what isn't linear, one subject at a time: Newton's method (newton.c) with cycles followed by lane.c.
 *
 * Where Newton's method strays, some cycles are repeated and it starts again from there, until there have been more
 * cycles than any body needs. Input faster than elimination can ever be has no steady state: the amounts grow cycle by
 * cycle, and Newton's method finds no root that isn't negative.
 *
 * What is found is verified by running another cycle from it; where rates depend on the clock, those of the day before,
 * so that a cycle that doesn't fit the clock's own (doses every 7.1 h under a daily rhythm) isn't taken for a steady
 * state. */
#include "solve/periodic.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/newton.h"

#define DAY 24.0                     /* [h] */
#define PLAIN_CYCLES 3000
#define FIRST_CYCLES 10              /* repeated before Newton's method gets its second chance; then twice as many */
#define PLAIN_CHANGE 1e-9            /* relative change over a cycle that counts as none */

struct hl_periodic {
    const struct hl_plan *plan;
    bool clocked;                    /* the rates read the time */
    const struct hl_start *start;
    const struct hl_events *events;
    double period;
    struct hl_newton newton;
    struct hl_events shifted;        /* the cycle before */
    struct hl_start trial;
};

static bool reads(const struct hl_program *program, int reg)
{
    for (size_t k = 0; k < program->n; k++)
        if (program->code[k].a == reg || program->code[k].b == reg || program->code[k].c == reg)
            return true;
    return false;
}

struct hl_periodic *hl_periodic_create(const struct hl_plan *plan)
{
    struct hl_periodic *p = hl_alloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->plan = plan;
    p->clocked = plan->n_integrated > 0 && reads(plan->rhs, plan->system->time_reg);
    struct { double **array; size_t n; } part[] = {
        {&p->trial.y, plan->n_integrated}, {&p->trial.rate, plan->system->n_states}, {&p->trial.z, plan->n_modes},
        {&p->trial.last_dose, plan->system->n_instances},
    };
    bool good = hl_newton_init(&p->newton, plan);
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        good = (*part[k].array = hl_alloc(part[k].n, sizeof(double))) && good;
    if (good)
        return p;
    hl_periodic_free(p);
    return NULL;
}

void hl_periodic_free(struct hl_periodic *p)
{
    if (!p)
        return;
    hl_newton_clear(&p->newton);
    void *part[] = {p->trial.y, p->trial.rate, p->trial.z, p->trial.last_dose, p->shifted.event, p};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

bool hl_periodic_is_clocked(const struct hl_periodic *p)
{
    return p->clocked;
}

/* Where one cycle leads from y; scale (in lane) then holds the largest values on the way. */
static enum hl_subject_status cycle_map(struct hl_periodic *p, struct hl_lane *lane, const double *y, double *image)
{
    memcpy(p->trial.y, y, p->plan->n_integrated * sizeof *y);
    hl_lane_restart(lane, &p->trial);
    enum hl_subject_status status = hl_lane_follow(lane, p->events->event, p->events->n, p->trial.time + p->period);
    memcpy(image, lane->y, p->plan->n_integrated * sizeof *image);
    return status;
}

/* J = dF/dy - 1 by differences from F(y) = base. */
static enum hl_subject_status cycle_jacobian(struct hl_periodic *p, struct hl_lane *lane)
{
    struct hl_newton *n = &p->newton;
    for (size_t j = 0; j < p->plan->n_integrated; j++) {
        double kept = n->y[j], step = hl_newton_difference(n, j);
        if (!n->frozen[j]) {
            n->y[j] = kept + step;
            enum hl_subject_status status = cycle_map(p, lane, n->y, n->image);
            n->y[j] = kept;
            if (status != HL_SUBJECT_GOOD)
                return status;
        }
        hl_newton_column(n, j, step, NULL);
    }
    return HL_SUBJECT_GOOD;
}

/* *stalled: what is left is noise. */
static bool solve_by_newton(struct hl_periodic *p, struct hl_lane *lane, double noise, bool *stalled)
{
    enum hl_newton_answer answer = HL_NEWTON_GO_ON;
    *stalled = false;
    hl_newton_begin(&p->newton);
    while (answer == HL_NEWTON_GO_ON) {
        if (cycle_map(p, lane, p->newton.y, p->newton.base) != HL_SUBJECT_GOOD)
            return false;
        hl_newton_measure(&p->newton, lane->scale, 1);
        if (cycle_jacobian(p, lane) != HL_SUBJECT_GOOD)
            return false;
        answer = hl_newton_advance(&p->newton, noise);
    }
    *stalled = answer == HL_NEWTON_STALLED;
    return answer != HL_NEWTON_LOST;
}

/* Repeats up to n cycles. true when nothing changes any more: what is still to come, change / (1/ratio - 1), included.
 * */
static bool repeat_cycles(struct hl_periodic *p, struct hl_lane *lane, int n)
{
    double last = INFINITY;
    for (int k = 0; k < n; k++) {
        if (cycle_map(p, lane, p->newton.y, p->newton.image) != HL_SUBJECT_GOOD)
            return false;
        double now = hl_newton_change(&p->newton, lane->scale, 1);
        double rest = now < last ? now * now / (last - now) : INFINITY;
        memcpy(p->newton.y, p->newton.image, p->plan->n_integrated * sizeof *p->newton.y);
        if (now == 0 || (isfinite(last) && now <= PLAIN_CHANGE && rest <= PLAIN_CHANGE))
            return true;
        last = now;
    }
    return false;
}

/* Room for the cycle before: false when there is no memory. */
static bool reserve(struct hl_periodic *p, size_t n)
{
    if (!p->clocked || p->shifted.capacity >= n)
        return true;
    struct hl_event *grown = hl_grow(p->shifted.event, p->shifted.capacity, n, sizeof *grown);
    if (!grown)
        return false;
    p->shifted.event = grown;
    p->shifted.capacity = n;
    return true;
}

/* Takes the cycle that ends where this one begins. */
static void step_back(struct hl_periodic *p)
{
    p->shifted.n = p->events->n;
    for (size_t k = 0; k < p->events->n; k++) {
        p->shifted.event[k] = p->events->event[k];
        p->shifted.event[k].time -= p->period;
    }
    for (size_t k = 0; k < p->plan->system->n_instances; k++)
        p->trial.last_dose[k] -= p->period;
    p->trial.time -= p->period;
    p->events = &p->shifted;
}

static void take_start(struct hl_periodic *p)
{
    const struct hl_system *system = p->plan->system;
    p->trial.time = p->start->time;
    memcpy(p->trial.z, p->start->z, p->plan->n_modes * sizeof *p->trial.z);
    memcpy(p->trial.rate, p->start->rate, system->n_states * sizeof *p->trial.rate);
    memcpy(p->trial.last_dose, p->start->last_dose, system->n_instances * sizeof *p->trial.last_dose);
    p->trial.releases = p->start->releases; /* lent */
}

/* True when another cycle, or the cycles of another day, lead from y to y, and no amount is negative. */
static bool is_verified(struct hl_periodic *p, struct hl_lane *lane, double bound)
{
    const struct hl_events *events = p->events;
    double least = p->clocked ? DAY : p->period;
    bool good = true;
    for (double covered = 0; good && covered < least; covered += p->period) {
        if (p->clocked)
            step_back(p);
        good = cycle_map(p, lane, p->newton.y, p->newton.image) == HL_SUBJECT_GOOD
               && hl_newton_change(&p->newton, lane->scale, 1) <= bound;
    }
    good = good && hl_newton_is_possible(&p->newton, p->start->y, lane->scale, 1, bound);
    p->events = events;
    take_start(p);
    return good;
}

enum hl_subject_status hl_periodic_solve(struct hl_periodic *p, struct hl_lane *lane, struct hl_start *start,
                                         const struct hl_events *events, double period, const bool *frozen, double *y,
                                         size_t *unsettled, enum hl_status *memory)
{
    size_t bytes = p->plan->n_integrated * sizeof *y;
    double noise = hl_newton_noise(p->plan->tolerance), bound = hl_newton_bound(p->plan->tolerance);
    struct hl_newton *n = &p->newton;
    bool found = false, stalled;
    p->start = start;
    p->events = events;
    p->period = period;
    n->frozen = frozen;
    n->fineness = lane->tolerance;
    take_start(p);
    n->first_amount = 0;
    n->unsettled = 0;
    *unsettled = 0;
    *memory = reserve(p, events->n) ? HL_OK : HL_ERR_MEMORY;
    if (*memory != HL_OK)
        return HL_SUBJECT_NO_STEADY_STATE;
    memcpy(n->y, start->y, bytes);
    memcpy(y, start->y, bytes);
    for (int cycles = FIRST_CYCLES, done = 0; !found && done < PLAIN_CYCLES; done += cycles, cycles *= 2) {
        found = solve_by_newton(p, lane, noise, &stalled) && is_verified(p, lane, stalled ? noise : bound);
        if (found)
            break;
        memcpy(n->y, y, bytes);
        found = repeat_cycles(p, lane, cycles) && is_verified(p, lane, bound);
        memcpy(y, n->y, bytes);
    }
    memcpy(y, n->y, bytes);
    if (found)
        hl_newton_take(n, start->y, y); /* what is empty is empty: is_verified saw that it is */
    *unsettled = n->unsettled;
    return found ? HL_SUBJECT_GOOD : HL_SUBJECT_NO_STEADY_STATE;
}
