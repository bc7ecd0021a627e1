/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steady states without a run-in.
 *
 * Linear states. One cycle of length T takes x to E(T) x + g, with g what a cycle
 * leaves in an empty body. The periodic state is x = (1 - E(T))^-1 g, mode by mode
 * z = g / (1 - e^(lambda T)): the geometric series of all doses ever given. Every
 * drug has its own cycle; responses add up. Constant inputs have come to balance
 * with elimination, start values have been forgotten. Input without elimination
 * has no steady state.
 *
 * Other states y. F(y) is where one cycle, common to all steady drugs, leads from
 * y, on top of the periodic linear states. F(y) = y is solved by Newton's method
 * with differences for the Jacobian; tolerance and dependence states contract by
 * only 1 - T/tau per cycle, for which plain repetition would need thousands of
 * cycles. The Newton step is the estimate of the error in y itself, and must fall
 * below the tolerance, or stop shrinking near it: where a rate has a bend, such as
 * if(u > A, ...), the stepper's error jumps a little as the bend moves from one
 * step into the next, and F with it, so that y can only be found between the two.
 * Where Newton's method strays, cycles are repeated, up to a bound. Drugs that
 * aren't on a steady regimen stand still at their start values. */
#include "solve/steady.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MOST_CYCLES_IN_COMMON 1000.0 /* of one drug within the common cycle of all */
#define SAME_PERIOD 1e-9             /* relative */
#define NEWTON_ROUNDS 25
#define PLAIN_CYCLES 3000
#define PATIENCE 4                   /* rounds before steps that no longer shrink are taken for noise, ... */
#define NOISE 1e3                    /* ... when they are below this many tolerances, */
#define LEAST_NOISE 1e-5             /* relative: within these bounds */
#define MOST_NOISE 1e-3
#define PLAIN_CHANGE 1e-9            /* relative change over a cycle that counts as none */
#define DIFFERENCE 1e-3              /* relative step of the Jacobian */
#define FINER 0.01                   /* cycles are integrated this much more finely than the study */
#define FINEST 1e-13

struct hl_steady_work {
    const struct hl_plan *plan;
    size_t n_cycles;                 /* one per steady regimen */
    struct hl_events *cycle;
    double *phase;                   /* of each cycle at the start [h] */
    double *rate0;                   /* n_cycles x n_states: rates running at a cycle's start */
    struct hl_events common;         /* one common cycle of all, from the start on */
    double *z, *g, *zero;            /* n_modes */
    double *rate;                    /* n_states */
    bool *touched;                   /* by component: moved by a steady regimen, or no drug's own */
    bool *hold, *frozen;
    double *y, *image, *residual, *base, *scale, *J;
    struct hl_start trial;
};

static bool work_alloc(struct hl_steady_work *work)
{
    const struct hl_plan *plan = work->plan;
    const struct hl_system *system = plan->system;
    size_t m = plan->n_integrated, cycles = work->n_cycles;
    struct { double **array; size_t n; } part[] = {
        {&work->phase, cycles},        {&work->rate0, cycles * system->n_states}, {&work->z, plan->n_modes},
        {&work->g, plan->n_modes},     {&work->zero, plan->n_modes},              {&work->rate, system->n_states},
        {&work->y, m},                 {&work->image, m},                         {&work->residual, m},
        {&work->base, m},              {&work->J, m * m},                         {&work->scale, m},
        {&work->trial.y, m},           {&work->trial.rate, system->n_states},     {&work->trial.z, plan->n_modes},
        {&work->trial.last_dose, system->n_instances},
    };
    bool good = true;
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        good = (*part[k].array = hl_alloc(part[k].n, sizeof(double))) && good;
    work->cycle = hl_alloc(cycles, sizeof *work->cycle);
    work->touched = hl_alloc(plan->n_components, sizeof *work->touched);
    work->hold = hl_alloc(plan->n_components, sizeof *work->hold);
    work->frozen = hl_alloc(m, sizeof *work->frozen);
    return good && work->cycle && work->touched && work->hold && work->frozen;
}

struct hl_steady_work *hl_steady_work_create(const struct hl_plan *plan)
{
    struct hl_steady_work *work = hl_alloc(1, sizeof *work);
    if (!work)
        return NULL;
    work->plan = plan;
    work->n_cycles = plan->regimen->n_steady;
    if (work_alloc(work))
        return work;
    hl_steady_work_free(work);
    return NULL;
}

void hl_steady_work_free(struct hl_steady_work *work)
{
    if (!work)
        return;
    for (size_t k = 0; work->cycle && k < work->n_cycles; k++)
        hl_free(work->cycle[k].event);
    hl_free(work->common.event);
    void *part[] = {work->phase, work->rate0, work->z, work->g, work->zero, work->rate, work->y, work->image,
                    work->residual, work->base, work->scale, work->J, work->trial.z, work->trial.y, work->trial.rate,
                    work->trial.last_dose, work->cycle, work->touched, work->hold, work->frozen, work};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* Runs component c through events of a cycle up to phase (included when it is a cycle's whole length), from z and
 * rates, without constant inputs. */
static void run_component(struct hl_lane *lane, struct hl_modes *modes, size_t c, const struct hl_events *events,
                          double phase, double *z, double *rate)
{
    const struct hl_plan *plan = lane->plan;
    const struct hl_component *component = &plan->component[c];
    double *g = lane->g + component->offset, t = 0;
    hl_component_input(component, modes, NULL, 1, 0, rate, false, lane->x, g);
    for (size_t k = 0; k < events->n && events->event[k].time < phase; k++) {
        const struct hl_event *event = &events->event[k];
        if (event->state < 0 || plan->component_of[event->state] != (int)c)
            continue;
        hl_modes_advance(modes, event->time - t, z, g, lane->work);
        t = event->time;
        size_t place = (size_t)plan->place_of[event->state];
        for (size_t j = 0; event->kind == HL_EVENT_ADD && j < modes->n; j++)
            z[j] += modes->W[j * modes->n + place] * event->value;
        if (event->kind == HL_EVENT_RATE) {
            rate[event->state] += event->value;
            hl_component_input(component, modes, NULL, 1, 0, rate, false, lane->x, g);
        }
    }
    hl_modes_advance(modes, phase - t, z, g, lane->work);
}

/* Adds to start the periodic response of component c to cycle s, at the cycle's phase at the start. */
static bool add_response(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes, size_t c, size_t s,
                         struct hl_start *start)
{
    const struct hl_plan *plan = work->plan;
    size_t offset = plan->component[c].offset, n = plan->component[c].shape.n,
           bytes = plan->system->n_states * sizeof(double);
    double *g = work->g + offset, *z = work->z + offset, *rate0 = work->rate0 + s * plan->system->n_states;
    double period = plan->regimen->steady[s].period;
    memset(g, 0, n * sizeof *g);
    memcpy(work->rate, rate0, bytes);
    run_component(lane, modes, c, &work->cycle[s], period, g, work->rate);
    if (!hl_modes_periodic(modes, period, g, z, lane->work))
        return false;
    memcpy(work->rate, rate0, bytes);
    run_component(lane, modes, c, &work->cycle[s], work->phase[s], z, work->rate);
    for (size_t j = 0; j < n; j++)
        start->z[offset + j] += z[j];
    return true;
}

/* The exact states of component c on all steady regimens together. */
static bool linear_start(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes, size_t c,
                         const double *regs, size_t lanes, size_t number, struct hl_start *start)
{
    const struct hl_component *component = &work->plan->component[c];
    double *z = start->z + component->offset, *g = work->g + component->offset;
    hl_component_input(component, modes, regs, lanes, number, NULL, true, lane->x, g);
    if (!hl_modes_balance(modes, g, z, work->z + component->offset, lane->work))
        return false;
    memcpy(z, work->z + component->offset, component->shape.n * sizeof *z);
    for (size_t s = 0; s < work->n_cycles; s++)
        if (!add_response(work, lane, modes, c, s, start))
            return false;
    return true;
}

/* True when the state belongs to a drug on a steady regimen, or to no drug. */
static bool takes_part(const struct hl_plan *plan, int state)
{
    int instance = plan->system->state[state].instance;
    bool steady = !plan->system->instance[instance].is_drug;
    for (size_t s = 0; s < plan->regimen->n_steady; s++)
        steady = steady || plan->regimen->steady[s].instance == instance;
    return steady;
}

static void choose_parts(struct hl_steady_work *work)
{
    const struct hl_plan *plan = work->plan;
    for (size_t c = 0; c < plan->n_components; c++) {
        work->touched[c] = false;
        for (size_t i = 0; i < plan->component[c].shape.n; i++)
            work->touched[c] = work->touched[c] || takes_part(plan, plan->component[c].state[i]);
        work->hold[c] = !work->touched[c];
    }
    for (size_t k = 0; k < plan->n_integrated; k++)
        work->frozen[k] = !takes_part(plan, plan->integrated[k]);
}

static enum hl_status push(struct hl_events *events, struct hl_event event)
{
    if (events->n == events->capacity) {
        size_t capacity = events->capacity ? 2 * events->capacity : 16;
        struct hl_event *grown = hl_grow(events->event, events->capacity, capacity, sizeof *grown);
        if (!grown)
            return HL_ERR_MEMORY;
        events->event = grown;
        events->capacity = capacity;
    }
    events->event[events->n++] = event;
    return HL_OK;
}

/* Puts an event before later ones and after those of the same time. */
static enum hl_status insert(struct hl_events *events, struct hl_event event)
{
    enum hl_status status = push(events, event);
    for (size_t k = events->n - 1; status == HL_OK && k > 0 && events->event[k - 1].time > event.time; k--) {
        events->event[k] = events->event[k - 1];
        events->event[k - 1] = event;
    }
    return status;
}

/* Events of cycle s, repeated, that lie in [from, until), shifted to the study's clock. */
static enum hl_status unroll(const struct hl_steady_work *work, size_t s, double from, double until,
                             struct hl_events *events)
{
    const struct hl_steady *steady = &work->plan->regimen->steady[s];
    double first = from - work->phase[s]; /* a cycle begins here */
    enum hl_status status = HL_OK;
    for (size_t n = 0; status == HL_OK && first + (double)n * steady->period < until; n++)
        for (size_t k = 0; status == HL_OK && k < work->cycle[s].n; k++) {
            struct hl_event event = work->cycle[s].event[k];
            bool passed = n == 0 && event.time < work->phase[s];
            event.time += first + (double)n * steady->period;
            if (!passed && event.time < until)
                status = insert(events, event);
        }
    return status;
}

/* Cycles of all steady regimens for one subject, their phases and running rates at the start. */
static enum hl_status read_cycles(struct hl_steady_work *work, double *regs, size_t lanes, size_t number,
                                  struct hl_start *start)
{
    const struct hl_plan *plan = work->plan;
    size_t n_states = plan->system->n_states;
    for (size_t s = 0; s < work->n_cycles; s++) {
        const struct hl_steady *steady = &plan->regimen->steady[s];
        double *rate0 = work->rate0 + s * n_states;
        enum hl_status status = hl_regimen_cycle(steady, plan->system, regs, lanes, number, &work->cycle[s], rate0);
        if (status != HL_OK)
            return status;
        double ahead = steady->time - start->time; /* >= 0 unless the regimen's time lies before the start */
        work->phase[s] = fmod(steady->period - fmod(ahead, steady->period), steady->period);
        if (work->phase[s] < 0)
            work->phase[s] += steady->period;
        for (size_t k = 0; k < n_states; k++)
            start->rate[k] += rate0[k];
        double last = -INFINITY;
        for (size_t k = 0; k < work->cycle[s].n; k++) {
            const struct hl_event *event = &work->cycle[s].event[k];
            bool passed = event->time < work->phase[s];
            if (event->kind == HL_EVENT_RATE && passed)
                start->rate[event->state] += event->value;
            if (event->kind == HL_EVENT_GIVEN)
                last = fmax(last, start->time - work->phase[s] + event->time - (passed ? 0 : steady->period));
        }
        start->last_dose[steady->instance] = last;
    }
    return HL_OK;
}

/* The shortest time into which all cycles fit a whole number of times; 0 when there is none. */
static double common_period(const struct hl_regimen *regimen)
{
    double longest = 0;
    for (size_t s = 0; s < regimen->n_steady; s++)
        longest = fmax(longest, regimen->steady[s].period);
    for (double n = 1; n <= MOST_CYCLES_IN_COMMON; n++) {
        bool fits = true;
        for (size_t s = 0; s < regimen->n_steady; s++) {
            double cycles = n * longest / regimen->steady[s].period;
            fits = fits && fabs(cycles - round(cycles)) <= SAME_PERIOD * cycles && cycles <= MOST_CYCLES_IN_COMMON;
        }
        if (fits)
            return n * longest;
    }
    return 0;
}

/* Where one common cycle leads from y; scale (in lane) then holds the largest values on the way. */
static enum hl_subject_status cycle_map(struct hl_steady_work *work, struct hl_lane *lane, double period,
                                        const double *y, double *image)
{
    memcpy(work->trial.y, y, work->plan->n_integrated * sizeof *y);
    hl_lane_restart(lane, &work->trial);
    enum hl_subject_status status = hl_lane_follow(lane, work->common.event, work->common.n, work->trial.time + period);
    memcpy(image, lane->y, work->plan->n_integrated * sizeof *image);
    return status;
}

/* J = dF/dy - 1 by differences from F(y) = base. */
static enum hl_subject_status cycle_jacobian(struct hl_steady_work *work, struct hl_lane *lane, double period)
{
    size_t m = work->plan->n_integrated;
    for (size_t j = 0; j < m; j++) {
        double kept = work->y[j], step = DIFFERENCE * fmax(fabs(kept), work->scale[j]);
        for (size_t i = 0; i < m; i++)
            work->J[i * m + j] = i == j ? -1 : 0;
        if (work->frozen[j] || step == 0) /* what has no size can't be varied */
            continue;
        work->y[j] = kept + step;
        enum hl_subject_status status = cycle_map(work, lane, period, work->y, work->image);
        work->y[j] = kept;
        if (status != HL_SUBJECT_GOOD)
            return status;
        for (size_t i = 0; i < m; i++)
            work->J[i * m + j] += (work->image[i] - work->base[i]) / step;
    }
    return HL_SUBJECT_GOOD;
}

/* residual <- J^-1 residual; false when J is singular. */
static bool newton_step(struct hl_steady_work *work)
{
    size_t m = work->plan->n_integrated;
    gsl_matrix_view J = gsl_matrix_view_array(work->J, m, m);
    gsl_vector_view r = gsl_vector_view_array(work->residual, m);
    gsl_permutation *order = gsl_permutation_alloc(m);
    int sign = 0;
    bool good = order && gsl_linalg_LU_decomp(&J.matrix, order, &sign) == GSL_SUCCESS
                && gsl_linalg_LU_svx(&J.matrix, order, &r.vector) == GSL_SUCCESS;
    for (size_t k = 0; k < m; k++)
        good = good && isfinite(work->residual[k]);
    if (order)
        gsl_permutation_free(order);
    return good;
}

/* Moves y by the Newton step; the largest step relative to its state's scale. */
static double take_step(struct hl_steady_work *work)
{
    double worst = 0;
    for (size_t k = 0; k < work->plan->n_integrated; k++) {
        if (work->residual[k] != 0)
            worst = fmax(worst, fabs(work->residual[k]) / work->scale[k]);
        work->y[k] -= work->residual[k];
    }
    return worst;
}

static bool solve_by_newton(struct hl_steady_work *work, struct hl_lane *lane, double period)
{
    size_t m = work->plan->n_integrated;
    double noise = fmin(MOST_NOISE, fmax(LEAST_NOISE, NOISE * work->plan->tolerance)), last = INFINITY;
    for (int round = 0; round < NEWTON_ROUNDS; round++) {
        if (cycle_map(work, lane, period, work->y, work->base) != HL_SUBJECT_GOOD)
            return false;
        memcpy(work->scale, lane->scale, m * sizeof *work->scale);
        if (cycle_jacobian(work, lane, period) != HL_SUBJECT_GOOD)
            return false;
        for (size_t k = 0; k < m; k++)
            work->residual[k] = work->frozen[k] ? 0 : work->base[k] - work->y[k];
        if (!newton_step(work))
            return false;
        double worst = take_step(work);
        if (worst <= work->plan->tolerance || (round >= PATIENCE && worst >= 0.5 * last && worst <= noise))
            return true;
        last = worst;
    }
    return false;
}

static bool solve_by_cycling(struct hl_steady_work *work, struct hl_lane *lane, double period)
{
    size_t m = work->plan->n_integrated;
    for (int n = 0; n < PLAIN_CYCLES; n++) {
        if (cycle_map(work, lane, period, work->y, work->image) != HL_SUBJECT_GOOD)
            return false;
        bool settled = true;
        for (size_t k = 0; k < m; k++)
            settled = settled && fabs(work->image[k] - work->y[k]) <= PLAIN_CHANGE * lane->scale[k];
        memcpy(work->y, work->image, m * sizeof *work->y);
        if (settled)
            return true;
    }
    return false;
}

static void copy_start(const struct hl_plan *plan, const struct hl_start *from, struct hl_start *to)
{
    const struct hl_system *system = plan->system;
    to->time = from->time;
    memcpy(to->z, from->z, plan->n_modes * sizeof *to->z);
    memcpy(to->y, from->y, plan->n_integrated * sizeof *to->y);
    memcpy(to->rate, from->rate, system->n_states * sizeof *to->rate);
    memcpy(to->last_dose, from->last_dose, system->n_instances * sizeof *to->last_dose);
}

static bool any_moves(const struct hl_steady_work *work)
{
    for (size_t k = 0; k < work->plan->n_integrated; k++)
        if (!work->frozen[k])
            return true;
    return false;
}

/* The periodic y of all integrated states that take part, on top of the periodic exact ones already in start. */
static enum hl_subject_status integrated_start(struct hl_steady_work *work, struct hl_lane *lane,
                                               struct hl_modes *modes, const double *regs, size_t lanes, size_t number,
                                               struct hl_start *start, enum hl_status *memory)
{
    size_t m = work->plan->n_integrated;
    double period = common_period(work->plan->regimen);
    if (period <= 0)
        return HL_SUBJECT_NO_STEADY_STATE;
    work->common.n = 0;
    for (size_t s = 0; s < work->n_cycles && *memory == HL_OK; s++)
        *memory = unroll(work, s, start->time, start->time + period, &work->common);
    if (*memory != HL_OK)
        return HL_SUBJECT_NO_STEADY_STATE;
    copy_start(work->plan, start, &work->trial);
    hl_lane_load(lane, regs, lanes, number, modes, &work->trial);
    lane->hold = work->hold;
    lane->frozen = work->frozen;
    lane->tolerance = fmax(FINEST, FINER * work->plan->tolerance);
    lane->listener = NULL;
    lane->n_times = lane->next = 0;
    memcpy(work->y, start->y, m * sizeof *work->y);
    bool found = solve_by_newton(work, lane, period);
    if (!found) {
        memcpy(work->y, start->y, m * sizeof *work->y);
        found = solve_by_cycling(work, lane, period);
    }
    memcpy(start->y, work->y, m * sizeof *start->y);
    return found ? HL_SUBJECT_GOOD : HL_SUBJECT_NO_STEADY_STATE;
}

enum hl_subject_status hl_steady_start(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                       double *regs, size_t lanes, size_t number, struct hl_start *start,
                                       struct hl_events *events, enum hl_status *memory)
{
    *memory = read_cycles(work, regs, lanes, number, start);
    for (size_t s = 0; s < work->n_cycles && *memory == HL_OK; s++)
        if (work->plan->regimen->steady[s].time > start->time)
            *memory = unroll(work, s, start->time, work->plan->regimen->steady[s].time, events);
    if (*memory != HL_OK)
        return HL_SUBJECT_NO_STEADY_STATE;
    choose_parts(work);
    for (size_t c = 0; c < work->plan->n_components; c++)
        if (work->touched[c] && !linear_start(work, lane, &modes[c], c, regs, lanes, number, start))
            return HL_SUBJECT_NO_STEADY_STATE;
    if (!any_moves(work))
        return HL_SUBJECT_GOOD;
    return integrated_start(work, lane, modes, regs, lanes, number, start, memory);
}
