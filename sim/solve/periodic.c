/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steady states of what isn't linear.
 *
 * F(y) is where one cycle leads from y. F(y) = y is solved by Newton's method with differences for the Jacobian;
 * tolerance and dependence states contract by only 1 - T/tau per cycle, for which plain repetition would need thousands
 * of cycles, and a half-life of 350 h with doses every 12 h some hundreds. The Newton step is the estimate of the error
 * in y itself, and must fall below the tolerance, or stop shrinking near it: where a rate has a bend, such as
 * if(u > A, ...), the stepper's error jumps a little as the bend moves from one step into the next, and F with it, so
 * that y can only be found between the two. An amount never becomes negative on the way.
 *
 * Where Newton's method strays, some cycles are repeated and it starts again from there, until there have been more
 * cycles than any body needs. Input faster than elimination can ever be has no steady state: the amounts grow cycle by
 * cycle, and Newton's method finds no root that isn't negative.
 *
 * What is found is verified by running another cycle from it; where rates depend on the clock, those of the day before,
 * so that a cycle that doesn't fit the clock's own (doses every 7.1 h under a daily rhythm) isn't taken for a steady
 * state. */
#include "solve/periodic.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

#define DAY 24.0                     /* [h] */
#define NEWTON_ROUNDS 25
#define PLAIN_CYCLES 3000
#define FIRST_CYCLES 10              /* repeated before Newton's method gets its second chance; then twice as many */
#define PATIENCE 4                   /* rounds before steps that no longer shrink are taken for noise, ... */
#define NOISE 1e3                    /* ... when they are below this many tolerances, */
#define LEAST_NOISE 1e-5             /* relative: within these bounds */
#define MOST_NOISE 1e-3
#define PLAIN_CHANGE 1e-9            /* relative change over a cycle that counts as none */
#define DIFFERENCE 1e-3              /* relative step of the Jacobian */
#define SINGULAR 1e-8                /* a cycle takes away at least this share of what is there */
#define MOST_CYCLES_KEPT 1e7         /* the same from the other side: not more than this many cycles' worth stays */
#define UNMOVED 1e-12                /* relative: a state that a cycle changes less isn't changed by it */
#define SMALLEST_SHARE 1e-9          /* of the unit a state is shown in: below this it is noise, as in integrate.c */
#define STEADY_FALL 0.1              /* the share of itself that a step leaves of an amount at least */

struct hl_periodic {
    const struct hl_plan *plan;
    bool clocked;                    /* the rates read the time */
    const struct hl_start *start;
    const struct hl_events *events;
    const bool *frozen;
    double period;
    double *y, *image, *residual, *base, *scale, *J; /* n_integrated each, J squared */
    double first_amount;             /* the largest of any compartment in the first cycle from the first guess */
    size_t unsettled;                /* which state changed most in the last cycle */
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
    size_t m = plan->n_integrated, states = plan->system->n_states;
    struct { double **array; size_t n; } part[] = {
        {&p->y, m}, {&p->image, m}, {&p->residual, m}, {&p->base, m}, {&p->scale, m}, {&p->J, m * m},
        {&p->trial.y, m}, {&p->trial.rate, states}, {&p->trial.z, plan->n_modes},
        {&p->trial.last_dose, plan->system->n_instances},
    };
    bool good = true;
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
    void *part[] = {p->y, p->image, p->residual, p->base, p->scale, p->J, p->trial.y, p->trial.rate, p->trial.z,
                    p->trial.last_dose, p->shifted.event, p};
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

/* What a change of integrated state k is measured against: its largest value in the last cycle, or what is noise in the
 * unit it is shown in; where a state dies out, that is all there is. */
static double scale_of(const struct hl_periodic *p, const struct hl_lane *lane, size_t k)
{
    double scale = fmax(lane->scale[k], SMALLEST_SHARE * p->plan->system->state[p->plan->integrated[k]].unit.factor);
    return scale > 0 ? scale : 1;
}

/* J = dF/dy - 1 by differences from F(y) = base. A state that the cycle neither changes nor sees keeps its value. */
static enum hl_subject_status cycle_jacobian(struct hl_periodic *p, struct hl_lane *lane)
{
    size_t m = p->plan->n_integrated;
    for (size_t j = 0; j < m; j++) {
        double kept = p->y[j], step = DIFFERENCE * fmax(fabs(kept), p->scale[j]), moved = 0;
        for (size_t i = 0; i < m; i++)
            p->J[i * m + j] = i == j ? -1 : 0;
        if (p->frozen[j])
            continue;
        p->y[j] = kept + step;
        enum hl_subject_status status = cycle_map(p, lane, p->y, p->image);
        p->y[j] = kept;
        if (status != HL_SUBJECT_GOOD)
            return status;
        for (size_t i = 0; i < m; i++) {
            p->J[i * m + j] += (p->image[i] - p->base[i]) / step;
            moved = fmax(moved, fabs(p->J[i * m + j]));
        }
        if (moved < UNMOVED && fabs(p->base[j] - kept) <= UNMOVED * p->scale[j])
            p->J[j * m + j] = -1;
    }
    return HL_SUBJECT_GOOD;
}

/* Takes residual and J to units of each state's scale. */
static void use_scales(struct hl_periodic *p)
{
    size_t m = p->plan->n_integrated;
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < m; j++)
            p->J[i * m + j] *= p->scale[j] / p->scale[i];
        p->residual[i] /= p->scale[i];
    }
}

/* residual <- J^-1 residual, in units of each state's scale; false when J can't be told from a singular one. */
static bool newton_step(struct hl_periodic *p, const struct hl_lane *lane)
{
    size_t m = p->plan->n_integrated;
    double least = fmax(SINGULAR, 10 * lane->tolerance / DIFFERENCE);
    use_scales(p);
    gsl_matrix_view J = gsl_matrix_view_array(p->J, m, m);
    gsl_vector_view r = gsl_vector_view_array(p->residual, m);
    gsl_permutation *order = gsl_permutation_alloc(m);
    int sign = 0;
    bool good = order && gsl_linalg_LU_decomp(&J.matrix, order, &sign) == GSL_SUCCESS
                && gsl_linalg_LU_svx(&J.matrix, order, &r.vector) == GSL_SUCCESS;
    for (size_t k = 0; k < m; k++)
        good = good && isfinite(p->residual[k]) && fabs(p->J[k * m + k]) > least;
    if (order)
        gsl_permutation_free(order);
    return good;
}

/* True for what can't be negative. */
static bool is_amount(const struct hl_periodic *p, size_t k)
{
    enum hl_state_kind kind = p->plan->system->state[p->plan->integrated[k]].kind;
    return kind == HL_COMPARTMENT || kind == HL_PATCH_CONTENT;
}

/* Moves y by the Newton step; the largest step relative to its state's scale. */
static double take_step(struct hl_periodic *p)
{
    double worst = 0;
    for (size_t k = 0; k < p->plan->n_integrated; k++) {
        double old = p->y[k], least = STEADY_FALL * old;
        worst = fmax(worst, fabs(p->residual[k]));
        p->y[k] -= p->residual[k] * p->scale[k];
        if (is_amount(p, k) && old >= 0 && p->y[k] < fmin(least, -p->plan->tolerance * p->scale[k]))
            p->y[k] = least;
    }
    return worst;
}

/* True when an amount has grown beyond anything that can come to balance. */
static bool has_run_away(const struct hl_periodic *p)
{
    for (size_t k = 0; k < p->plan->n_integrated; k++)
        if (is_amount(p, k) && fabs(p->y[k]) > MOST_CYCLES_KEPT * p->first_amount)
            return true;
    return false;
}

/* Keeps the sizes of the states in the cycle just run. */
static void note_scales(struct hl_periodic *p, const struct hl_lane *lane)
{
    double largest = 0;
    for (size_t k = 0; k < p->plan->n_integrated; k++) {
        p->scale[k] = scale_of(p, lane, k);
        if (is_amount(p, k))
            largest = fmax(largest, p->scale[k]);
    }
    if (p->first_amount == 0)
        p->first_amount = largest;
}

/* *stalled: what is left is noise. */
static bool solve_by_newton(struct hl_periodic *p, struct hl_lane *lane, double noise, bool *stalled)
{
    size_t m = p->plan->n_integrated;
    double last = INFINITY;
    *stalled = false;
    for (int round = 0; round < NEWTON_ROUNDS; round++) {
        if (cycle_map(p, lane, p->y, p->base) != HL_SUBJECT_GOOD)
            return false;
        note_scales(p, lane);
        if (cycle_jacobian(p, lane) != HL_SUBJECT_GOOD)
            return false;
        for (size_t k = 0; k < m; k++)
            p->residual[k] = p->frozen[k] ? 0 : p->base[k] - p->y[k];
        if (!newton_step(p, lane))
            return false;
        double worst = take_step(p);
        if (has_run_away(p))
            return false;
        if (worst <= p->plan->tolerance)
            return true;
        *stalled = round >= PATIENCE && worst >= 0.5 * last && worst <= noise;
        if (*stalled)
            return true;
        last = worst;
    }
    return false;
}

/* The largest change over a cycle from y to image, relative to scale. */
static double change(struct hl_periodic *p, const struct hl_lane *lane)
{
    double worst = 0, blame = 0;
    for (size_t k = 0; k < p->plan->n_integrated; k++) {
        double own = p->frozen[k] ? 0 : fabs(p->image[k] - p->y[k]) / scale_of(p, lane, k);
        double heavy = is_amount(p, k) && own > PLAIN_CHANGE ? 1 + own : own; /* responses follow amounts */
        p->unsettled = heavy > blame ? k : p->unsettled;
        blame = fmax(blame, heavy);
        worst = fmax(worst, own);
    }
    return worst;
}

/* Repeats up to n cycles. true when nothing changes any more: what is still to come, change / (1/ratio - 1), included.
 * */
static bool repeat_cycles(struct hl_periodic *p, struct hl_lane *lane, int n)
{
    double last = INFINITY;
    for (int k = 0; k < n; k++) {
        if (cycle_map(p, lane, p->y, p->image) != HL_SUBJECT_GOOD)
            return false;
        double now = change(p, lane), rest = now < last ? now * now / (last - now) : INFINITY;
        memcpy(p->y, p->image, p->plan->n_integrated * sizeof *p->y);
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
        good = cycle_map(p, lane, p->y, p->image) == HL_SUBJECT_GOOD && change(p, lane) <= bound;
    }
    for (size_t k = 0; k < p->plan->n_integrated; k++)
        good = good && !(is_amount(p, k) && p->start->y[k] >= 0 && p->y[k] < -bound * scale_of(p, lane, k));
    p->events = events;
    take_start(p);
    return good;
}

enum hl_subject_status hl_periodic_solve(struct hl_periodic *p, struct hl_lane *lane, struct hl_start *start,
                                         const struct hl_events *events, double period, const bool *frozen, double *y,
                                         size_t *unsettled, enum hl_status *memory)
{
    size_t bytes = p->plan->n_integrated * sizeof *y;
    double noise = fmin(MOST_NOISE, fmax(LEAST_NOISE, NOISE * p->plan->tolerance));
    double bound = fmax(PLAIN_CHANGE, p->plan->tolerance);
    bool found = false, stalled;
    p->start = start;
    p->events = events;
    p->period = period;
    p->frozen = frozen;
    take_start(p);
    p->first_amount = 0;
    p->unsettled = 0;
    *unsettled = 0;
    *memory = reserve(p, events->n) ? HL_OK : HL_ERR_MEMORY;
    if (*memory != HL_OK)
        return HL_SUBJECT_NO_STEADY_STATE;
    memcpy(p->y, start->y, bytes);
    memcpy(y, start->y, bytes);
    for (int cycles = FIRST_CYCLES, done = 0; !found && done < PLAIN_CYCLES; done += cycles, cycles *= 2) {
        found = solve_by_newton(p, lane, noise, &stalled) && is_verified(p, lane, stalled ? noise : bound);
        if (found)
            break;
        memcpy(p->y, y, bytes);
        found = repeat_cycles(p, lane, cycles) && is_verified(p, lane, bound);
        memcpy(y, p->y, bytes);
    }
    for (size_t k = 0; k < p->plan->n_integrated; k++) /* what is empty is empty: is_verified saw that it is */
        y[k] = found && is_amount(p, k) && start->y[k] >= 0 ? fmax(0, p->y[k]) : p->y[k];
    *unsettled = p->unsettled;
    return found ? HL_SUBJECT_GOOD : HL_SUBJECT_NO_STEADY_STATE;
}
