/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steady states without a run-in.
 *
 * Linear states. One cycle of length T takes x to E(T) x + g, with g what a cycle leaves in an empty body. The periodic
 * state is x = (1 - E(T))^-1 g, mode by mode z = g / (1 - e^(lambda T)): the geometric series of all doses ever given.
 * Every drug has its own cycle; responses add up. Constant inputs, and infusions that have run forever, have come to
 * balance with elimination, start values have been forgotten. Input without elimination has no steady state.
 *
 * Other states are found by periodic.c on top of the linear ones, for the cycle common to all. For regimens, drugs that
 * aren't on a steady one stand still at their start values. For a steady-state record the whole system is steady, and
 * the cycle that is solved is the last one before the record: at the record's time the past is what counts.
 *
 * SS 2 adds the periodic state with the doses minus the one without. Linear states: the response alone.
 *
 * Doses that enter by a course of their own may still be under way long after they were given. Those of before the
 * start are found by going back cycle by cycle (releases.c); they stand at the beginning of the cycle that is solved,
 * and go on from the start. */
#include "solve/steady.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "solve/periodic.h"

#define MOST_CYCLES_IN_COMMON 1000.0 /* of one drug within the common cycle of all */
#define SAME_PERIOD 1e-9             /* relative */
#define FINER 0.01                   /* cycles are integrated this much more finely than the study */
#define FINEST 1e-13
#define DAY 24.0                     /* [h]; also stands for the cycle where nothing but constant rates goes on */
#define MOST_DAYS 28                 /* of a cycle that fits the day */

struct hl_steady_work {
    const struct hl_plan *plan;
    size_t n_cycles;
    struct hl_cycle *cycle;
    struct hl_periodic *periodic;
    struct hl_events common;         /* one common cycle of all, from its start on */
    double *z, *g;                   /* n_modes */
    double *rate;                    /* n_states */
    bool *touched;                   /* by component: moved by a steady regimen, or no drug's own */
    bool *hold, *frozen;
    double *y;                       /* n_integrated */
    struct hl_release_list before;   /* doses of the cycles that are under way when a cycle gets to its phase */
    struct hl_start trial, with;     /* their releases are lent */
    int culprit;
};

static bool start_alloc(const struct hl_plan *plan, struct hl_start *start)
{
    start->z = hl_alloc(plan->n_modes, sizeof *start->z);
    start->y = hl_alloc(plan->n_integrated, sizeof *start->y);
    start->rate = hl_alloc(plan->system->n_states, sizeof *start->rate);
    start->last_dose = hl_alloc(plan->system->n_instances, sizeof *start->last_dose);
    return start->z && start->y && start->rate && start->last_dose;
}

static void start_free(struct hl_start *start)
{
    hl_free(start->z);
    hl_free(start->y);
    hl_free(start->rate);
    hl_free(start->last_dose);
}

static bool work_alloc(struct hl_steady_work *work)
{
    const struct hl_plan *plan = work->plan;
    size_t m = plan->n_integrated;
    work->cycle = hl_alloc(work->n_cycles, sizeof *work->cycle);
    bool good = work->cycle != NULL;
    for (size_t s = 0; good && s < work->n_cycles; s++)
        good = (work->cycle[s].rate = hl_alloc(plan->system->n_states, sizeof(double))) && good;
    work->periodic = hl_periodic_create(plan);
    work->z = hl_alloc(plan->n_modes, sizeof *work->z);
    work->g = hl_alloc(plan->n_modes, sizeof *work->g);
    work->rate = hl_alloc(plan->system->n_states, sizeof *work->rate);
    work->touched = hl_alloc(plan->n_components, sizeof *work->touched);
    work->hold = hl_alloc(plan->n_components, sizeof *work->hold);
    work->frozen = hl_alloc(m, sizeof *work->frozen);
    work->y = hl_alloc(m, sizeof *work->y);
    return good && work->periodic && work->z && work->g && work->rate && work->touched && work->hold && work->frozen
           && work->y && start_alloc(plan, &work->trial) && start_alloc(plan, &work->with);
}

struct hl_steady_work *hl_steady_work_create(const struct hl_plan *plan, size_t n_cycles)
{
    struct hl_steady_work *work = hl_alloc(1, sizeof *work);
    if (!work)
        return NULL;
    work->plan = plan;
    work->n_cycles = n_cycles;
    if (work_alloc(work))
        return work;
    hl_steady_work_free(work);
    return NULL;
}

void hl_steady_work_free(struct hl_steady_work *work)
{
    if (!work)
        return;
    for (size_t k = 0; work->cycle && k < work->n_cycles; k++) {
        hl_free(work->cycle[k].events.event);
        hl_free(work->cycle[k].rate);
    }
    hl_free(work->common.event);
    hl_periodic_free(work->periodic);
    hl_release_list_clear(&work->before);
    start_free(&work->trial);
    start_free(&work->with);
    void *part[] = {work->z, work->g, work->rate, work->y, work->cycle, work->touched, work->hold, work->frozen, work};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* ---- linear states */

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

/* Notes whom to blame: the first state of a component into which something flows and out of which nothing does. */
static bool fails(struct hl_steady_work *work, const struct hl_modes *modes, size_t c)
{
    const struct hl_component *component = &work->plan->component[c];
    work->culprit = component->state[0];
    for (size_t i = component->shape.n; i-- > 0;)
        if (modes->A[i * modes->n + i] == 0) /* exactly: nothing leaves */
            work->culprit = component->state[i];
    return false;
}

/* What component c comes to under the constant rates alone that have run forever. */
static bool constant_response(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes, size_t c,
                              const struct hl_cycle *cycle, double *z)
{
    double *g = work->g + work->plan->component[c].offset;
    memset(z, 0, modes->n * sizeof *z);
    hl_component_input(&work->plan->component[c], modes, NULL, 1, 0, cycle->rate, false, lane->x, g);
    return hl_modes_balance(modes, g, z, z, lane->work) || fails(work, modes, c);
}

/* What a repeated cycle makes of component c, at its phase at the start. */
static bool periodic_response(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes, size_t c,
                              const struct hl_cycle *cycle, double *z)
{
    size_t bytes = work->plan->system->n_states * sizeof(double);
    double *g = work->g + work->plan->component[c].offset;
    memset(g, 0, modes->n * sizeof *g);
    memcpy(work->rate, cycle->rate, bytes);
    run_component(lane, modes, c, &cycle->events, cycle->period, g, work->rate);
    if (!hl_modes_periodic(modes, cycle->period, g, z, lane->work))
        return fails(work, modes, c);
    memcpy(work->rate, cycle->rate, bytes);
    run_component(lane, modes, c, &cycle->events, cycle->phase, z, work->rate);
    return true;
}

/* Adds to start the response of component c to a cycle. */
static bool add_response(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes, size_t c,
                         const struct hl_cycle *cycle, struct hl_start *start)
{
    size_t offset = work->plan->component[c].offset;
    double *z = work->z + offset;
    bool good = cycle->period == 0 ? constant_response(work, lane, modes, c, cycle, z)
                                   : periodic_response(work, lane, modes, c, cycle, z);
    for (size_t j = 0; good && j < modes->n; j++)
        start->z[offset + j] += z[j];
    return good;
}

/* The exact states of component c without any dose; what nothing moves keeps the value it has in start. */
static bool rest_start(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes, size_t c,
                       const double *regs, size_t lanes, size_t number, struct hl_start *start)
{
    const struct hl_component *component = &work->plan->component[c];
    double *z = start->z + component->offset, *g = work->g + component->offset, *rest = work->z + component->offset;
    hl_component_input(component, modes, regs, lanes, number, NULL, true, lane->x, g);
    memcpy(rest, z, component->shape.n * sizeof *z);
    return hl_modes_balance(modes, g, rest, z, lane->work) || fails(work, modes, c);
}

/* The exact states that take part, on all cycles together. */
static bool linear_start(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes, const double *regs,
                         size_t lanes, size_t number, struct hl_start *start)
{
    bool good = true;
    for (size_t c = 0; good && c < work->plan->n_components; c++) {
        if (!work->touched[c])
            continue;
        good = rest_start(work, lane, &modes[c], c, regs, lanes, number, start);
        for (size_t s = 0; good && s < work->n_cycles; s++)
            good = add_response(work, lane, &modes[c], c, &work->cycle[s], start);
    }
    return good;
}

/* ---- cycles */

/* Puts an event before later ones and after those of the same time. */
static enum hl_status insert(struct hl_events *events, struct hl_event event)
{
    if (events->n == events->capacity) {
        size_t capacity = events->capacity ? 2 * events->capacity : 16;
        struct hl_event *grown = hl_grow(events->event, events->capacity, capacity, sizeof *grown);
        if (!grown)
            return HL_ERR_MEMORY;
        events->event = grown;
        events->capacity = capacity;
    }
    size_t k = events->n++;
    for (; k > 0 && events->event[k - 1].time > event.time; k--)
        events->event[k] = events->event[k - 1];
    events->event[k] = event;
    return HL_OK;
}

enum hl_status hl_cycle_add(struct hl_cycle *cycle, struct hl_event event)
{
    return insert(&cycle->events, event);
}

/* Events of a cycle, repeated, that lie in [from, until), shifted to the study's clock; a cycle has come to its phase
 * at `from`. */
static enum hl_status unroll(const struct hl_cycle *cycle, double from, double until, struct hl_events *events)
{
    double first = from - cycle->phase; /* a cycle begins here */
    enum hl_status status = HL_OK;
    for (size_t n = 0; status == HL_OK && cycle->period > 0 && first + (double)n * cycle->period < until; n++)
        for (size_t k = 0; status == HL_OK && k < cycle->events.n; k++) {
            struct hl_event event = cycle->events.event[k];
            bool passed = n == 0 && event.time < cycle->phase;
            event.time += first + (double)n * cycle->period;
            if (!passed && event.time < until)
                status = insert(events, event);
        }
    return status;
}

/* The shortest time, a multiple of `longest`, into which all cycles fit a whole number of times, and with days whole
 * days too; 0 when there is none. */
static double multiple_of(const struct hl_steady_work *work, double longest, bool days)
{
    for (double n = 1; n <= MOST_CYCLES_IN_COMMON; n++) {
        bool fits = true;
        for (size_t s = 0; s <= work->n_cycles; s++) {
            double period = s < work->n_cycles ? work->cycle[s].period : DAY, cycles = n * longest / period;
            bool counts = s < work->n_cycles || days;
            fits = fits && (!counts || (fabs(cycles - round(cycles)) <= SAME_PERIOD * cycles
                                        && cycles <= MOST_CYCLES_IN_COMMON));
        }
        if (fits)
            return n * longest;
    }
    return 0;
}

/* The cycle of all together. Rates that read the clock follow the day, as a rule: then the cycle is one of whole days,
 * if there is such a one. */
static double common_period(const struct hl_steady_work *work)
{
    double longest = 0;
    for (size_t s = 0; s < work->n_cycles; s++)
        longest = fmax(longest, work->cycle[s].period);
    if (longest == 0) /* constant rates only */
        return DAY;
    double days = hl_periodic_is_clocked(work->periodic) ? multiple_of(work, longest, true) : 0;
    return days > 0 && days <= MOST_DAYS * DAY ? days : multiple_of(work, longest, false);
}

/* ---- the other states */

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

/* Finds the doses before the start that are still under way, and makes room for them and those of a cycle. */
static enum hl_status find_before(struct hl_steady_work *work, struct hl_lane *lane, const double *regs, size_t lanes,
                                  size_t number, bool *endless)
{
    enum hl_status status = HL_OK;
    work->before.n = 0;
    if (!work->plan->releases)
        return HL_OK;
    for (size_t s = 0; s < work->n_cycles && status == HL_OK && !*endless; s++)
        status = hl_releases_before(lane, &work->cycle[s].events, work->cycle[s].phase, work->cycle[s].period, regs,
                                    lanes, number, &work->before, endless);
    size_t n = work->before.n + hl_releases_count(work->common.event, work->common.n);
    return status == HL_OK ? hl_lane_reserve_releases(lane, n) : status;
}

/* The periodic y of all integrated states that take part, on top of the periodic exact ones already in start. The cycle
 * that is solved begins at start->time, or with past ends there. */
static enum hl_subject_status integrated_start(struct hl_steady_work *work, struct hl_lane *lane,
                                               struct hl_modes *modes, const double *regs, size_t lanes, size_t number,
                                               struct hl_start *start, bool past, enum hl_status *memory)
{
    double period = common_period(work), begin = start->time - (past ? period : 0);
    if (period <= 0)
        return HL_SUBJECT_NO_STEADY_STATE;
    work->common.n = 0;
    for (size_t s = 0; s < work->n_cycles && *memory == HL_OK; s++)
        *memory = unroll(&work->cycle[s], begin, begin + period, &work->common);
    bool endless = false;
    if (*memory == HL_OK)
        *memory = find_before(work, lane, regs, lanes, number, &endless);
    if (*memory != HL_OK || endless)
        return HL_SUBJECT_NO_STEADY_STATE;
    copy_start(work->plan, start, &work->trial);
    work->trial.time = begin;
    work->trial.releases = work->before;
    hl_lane_load(lane, regs, lanes, number, modes, &work->trial);
    lane->hold = work->hold;
    lane->frozen = work->frozen;
    lane->tolerance = hl_steady_fineness(work->plan);
    lane->listener = NULL;
    lane->n_times = lane->next = 0;
    size_t unsettled;
    enum hl_subject_status status = hl_periodic_solve(work->periodic, lane, &work->trial, &work->common, period,
                                                      work->frozen, work->y, &unsettled, memory);
    memcpy(start->y, work->y, work->plan->n_integrated * sizeof *start->y);
    work->culprit = work->plan->integrated[unsettled];
    return status;
}

/* ---- regimens */

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

/* Cycles of all steady regimens for one subject, and their phases at its start. */
static enum hl_status read_cycles(struct hl_steady_work *work, double *regs, size_t lanes, size_t number,
                                  const struct hl_start *start)
{
    const struct hl_plan *plan = work->plan;
    for (size_t s = 0; s < work->n_cycles; s++) {
        const struct hl_steady *steady = &plan->regimen->steady[s];
        struct hl_cycle *cycle = &work->cycle[s];
        enum hl_status status =
            hl_regimen_cycle(steady, plan->system, regs, lanes, number, &cycle->events, cycle->rate);
        if (status != HL_OK)
            return status;
        double ahead = steady->time - start->time; /* >= 0 unless the regimen's time lies before the start */
        cycle->period = steady->period;
        cycle->phase = fmod(steady->period - fmod(ahead, steady->period), steady->period);
        if (cycle->phase < 0)
            cycle->phase += steady->period;
    }
    return HL_OK;
}

/* Running rates and times of last doses at the start. */
static void set_running(const struct hl_steady_work *work, struct hl_start *start)
{
    for (size_t s = 0; s < work->n_cycles; s++) {
        const struct hl_steady *steady = &work->plan->regimen->steady[s];
        const struct hl_cycle *cycle = &work->cycle[s];
        double last = -INFINITY;
        for (size_t k = 0; k < work->plan->system->n_states; k++)
            start->rate[k] += cycle->rate[k];
        for (size_t k = 0; k < cycle->events.n; k++) {
            const struct hl_event *event = &cycle->events.event[k];
            bool passed = event->time < cycle->phase;
            if (event->kind == HL_EVENT_RATE && passed)
                start->rate[event->state] += event->value;
            if (event->kind == HL_EVENT_GIVEN)
                last = fmax(last, start->time - cycle->phase + event->time - (passed ? 0 : steady->period));
        }
        start->last_dose[steady->instance] = last;
    }
}

enum hl_status hl_steady_between(const struct hl_steady_work *work, const struct hl_start *start,
                                 struct hl_events *events)
{
    enum hl_status status = HL_OK;
    for (size_t s = 0; s < work->n_cycles && status == HL_OK; s++)
        if (work->plan->regimen->steady[s].time > start->time)
            status = unroll(&work->cycle[s], start->time, work->plan->regimen->steady[s].time, events);
    return status;
}

enum hl_status hl_steady_return(struct hl_steady_work *work, double *regs, size_t lanes, size_t number,
                                const struct hl_start *start)
{
    return read_cycles(work, regs, lanes, number, start);
}

enum hl_subject_status hl_steady_begin(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                       double *regs, size_t lanes, size_t number, struct hl_start *start,
                                       struct hl_events *events, bool *settled, enum hl_status *memory)
{
    *settled = true;
    *memory = read_cycles(work, regs, lanes, number, start);
    if (*memory != HL_OK)
        return HL_SUBJECT_NO_STEADY_STATE;
    set_running(work, start);
    *memory = hl_steady_between(work, start, events);
    if (*memory != HL_OK)
        return HL_SUBJECT_NO_STEADY_STATE;
    choose_parts(work);
    if (!linear_start(work, lane, modes, regs, lanes, number, start))
        return HL_SUBJECT_NO_STEADY_STATE;
    *settled = !any_moves(work);
    return HL_SUBJECT_GOOD;
}

enum hl_subject_status hl_steady_settle(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                        double *regs, size_t lanes, size_t number, struct hl_start *start,
                                        enum hl_status *memory)
{
    *memory = read_cycles(work, regs, lanes, number, start);
    if (*memory != HL_OK)
        return HL_SUBJECT_NO_STEADY_STATE;
    enum hl_subject_status status = integrated_start(work, lane, modes, regs, lanes, number, start, false, memory);
    if (status == HL_SUBJECT_GOOD)
        *memory = hl_release_list_append(&start->releases, &work->before);
    return status;
}

/* ---- sixteen at a time */

/* A component that is held may as well go on when there is nothing in it and nothing enters, or no rate reads it. */
static bool stays_anyhow(const struct hl_plan *plan, size_t c, const struct hl_start *start)
{
    const struct hl_component *component = &plan->component[c];
    bool empty = component->n_inputs == 0, read = false;
    for (size_t i = 0; i < component->shape.n; i++) {
        empty = empty && start->z[component->offset + i] == 0 && start->rate[component->state[i]] == 0; /* exactly */
        read = read || plan->read_by_rhs[component->state[i]];
    }
    return empty || !read;
}

/* Puts a subject on offer to lanes, its start moved to time 0. false: nobody there could do what it needs. */
static bool offer(struct hl_steady_work *work, const struct hl_start *start, double period, struct hl_start *to,
                  struct hl_events *events, enum hl_status *status)
{
    const struct hl_plan *plan = work->plan;
    for (size_t k = 0; k < plan->n_integrated; k++)
        if (work->frozen[k])
            return false;
    for (size_t c = 0; c < plan->n_components; c++)
        if (work->hold[c] && !stays_anyhow(plan, c, start))
            return false;
    copy_start(plan, start, to);
    to->time = 0;
    for (size_t k = 0; k < plan->system->n_instances; k++)
        to->last_dose[k] -= start->time;
    events->n = 0;
    for (size_t s = 0; s < work->n_cycles && *status == HL_OK; s++)
        *status = unroll(&work->cycle[s], 0, period, events);
    return *status == HL_OK;
}

enum hl_status hl_steady_settle_lanes(struct hl_steady_work *work, struct hl_periodic_lanes *lanes,
                                      const struct hl_subjects *subjects, double *regs, size_t first, size_t n,
                                      bool *unsettled)
{
    const struct hl_plan *plan = work->plan;
    bool wanted[HL_BATCH_LANES] = {false}, offered[HL_BATCH_LANES] = {false}, any = false;
    double period = 0;
    enum hl_status status = HL_OK;
    choose_parts(work);
    for (size_t l = 0; l < n && status == HL_OK; l++) {
        const struct hl_start *start = &subjects->start[first + l];
        if (!unsettled[l])
            continue;
        status = read_cycles(work, regs, subjects->lanes, first + l, start);
        period = common_period(work); /* the same for all: cycles differ in their doses */
        wanted[l] = offered[l] = status == HL_OK && period > 0
                                 && offer(work, start, period, hl_periodic_lanes_start(lanes, first + l),
                                          hl_periodic_lanes_events(lanes, first + l), &status);
        any = any || wanted[l];
    }
    if (status == HL_OK && any)
        status = hl_periodic_lanes_solve(lanes, subjects, regs, first, n, period, wanted);
    for (size_t l = 0; l < n && status == HL_OK; l++)
        if (offered[l] && !wanted[l]) {
            memcpy(subjects->start[first + l].y, hl_periodic_lanes_start(lanes, first + l)->y,
                   plan->n_integrated * sizeof(double));
            unsettled[l] = false;
        }
    return status;
}

double hl_steady_fineness(const struct hl_plan *plan)
{
    return fmax(FINEST, FINER * plan->tolerance);
}

/* ---- records */

struct hl_cycle *hl_steady_cycle(struct hl_steady_work *work)
{
    struct hl_cycle *cycle = &work->cycle[0];
    cycle->period = cycle->phase = 0;
    cycle->events.n = 0;
    memset(cycle->rate, 0, work->plan->system->n_states * sizeof *cycle->rate);
    return cycle;
}

/* Everything takes part but what is switched off. */
static void choose_all(struct hl_steady_work *work, const bool *off)
{
    const struct hl_plan *plan = work->plan;
    for (size_t c = 0; c < plan->n_components; c++) {
        work->touched[c] = true;
        work->hold[c] = false;
    }
    for (size_t k = 0; k < plan->n_integrated; k++)
        work->frozen[k] = off[plan->integrated[k]];
    work->culprit = -1;
}

/* Rates and times of doses just before the first cycle begins. */
static void set_clock(const struct hl_steady_work *work, struct hl_start *start)
{
    const struct hl_system *system = work->plan->system;
    memcpy(start->rate, work->cycle[0].rate, system->n_states * sizeof *start->rate);
    for (size_t k = 0; k < system->n_instances; k++)
        start->last_dose[k] = -INFINITY;
}

/* The steady state's z and y. */
static enum hl_subject_status find_state(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                         const double *regs, const bool *off, struct hl_start *start, int *culprit,
                                         enum hl_status *memory)
{
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    *memory = HL_OK;
    work->before.n = 0;
    choose_all(work, off);
    set_clock(work, start);
    if (!linear_start(work, lane, modes, regs, 1, 0, start))
        status = HL_SUBJECT_NO_STEADY_STATE;
    else if (any_moves(work))
        status = integrated_start(work, lane, modes, regs, 1, 0, start, true, memory);
    *culprit = status == HL_SUBJECT_GOOD ? -1 : work->culprit;
    return status;
}

enum hl_subject_status hl_steady_state(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                       const double *regs, const bool *off, struct hl_start *start, int *culprit,
                                       enum hl_status *memory)
{
    enum hl_subject_status status = find_state(work, lane, modes, regs, off, start, culprit, memory);
    if (status == HL_SUBJECT_GOOD)
        *memory = hl_release_list_append(&start->releases, &work->before);
    return status;
}

enum hl_subject_status hl_steady_add(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                     const double *regs, const bool *off, struct hl_start *start, int *culprit,
                                     enum hl_status *memory)
{
    const struct hl_plan *plan = work->plan;
    struct hl_cycle *cycle = &work->cycle[0];
    bool good = true;
    *memory = HL_OK;
    choose_all(work, off);
    for (size_t c = 0; good && c < plan->n_components; c++)
        good = add_response(work, lane, &modes[c], c, cycle, start);
    enum hl_subject_status status = good ? HL_SUBJECT_GOOD : HL_SUBJECT_NO_STEADY_STATE;
    if (good && any_moves(work)) {
        copy_start(plan, start, &work->with);
        status = find_state(work, lane, modes, regs, off, &work->with, culprit, memory);
        for (size_t k = 0; k < plan->n_integrated; k++)
            start->y[k] += work->with.y[k];
        if (status == HL_SUBJECT_GOOD)
            *memory = hl_release_list_append(&start->releases, &work->before);
        cycle->events.n = 0;
        memset(cycle->rate, 0, plan->system->n_states * sizeof *cycle->rate);
        if (status == HL_SUBJECT_GOOD && *memory == HL_OK)
            status = find_state(work, lane, modes, regs, off, &work->with, culprit, memory);
        for (size_t k = 0; k < plan->n_integrated; k++)
            start->y[k] -= work->with.y[k];
    }
    *culprit = status == HL_SUBJECT_GOOD ? -1 : work->culprit;
    return status;
}
