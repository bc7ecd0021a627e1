/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records, one after the other, strictly in the order of the file:
 *
 *     the parameters that hold up to its TIME        course_parameters.c
 *     every arrival and every end of an infusion in (t_prev, TIME], in order of time; arrivals at TIME come first
 *     the parameters that hold from its TIME on
 *     the record itself; what it brings at once enters now
 *     its row
 *
 * A linear state is V z(t), carried from the last event in one step, so that nothing adds up over rows; infusion rates
 * are sums formed anew whenever one changes. An infusion that rounding of its times has shortened by a share of 1e-16
 * of the clock gets the missing amount at its end: F AMT enters, however short it is.
 *
 * Steady state, SS = 1 or 3: all that was there and all that was to come is forgotten. The state becomes that of the
 * doses at TIME + lag - k II, k = ..., 2, 1, as far as they have arrived before TIME; the others, and the infusions
 * among them that still run, are on the agenda like all doses. That is the one rule for every case: a lag shorter than
 * the interval, a lag longer than it, an infusion longer than it. SS = 2 adds the same to what is there and forgets
 * nothing. Without AMT an infusion has run forever and ends at TIME. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "solve/course_parts.h"

static bool wants_nominal(const struct hl_system *system)
{
    for (size_t k = 0; k < system->n_instances; k++)
        if (system->instance[k].tad_reg >= 0)
            return true;
    return false;
}

/* ---- making one */

static bool alloc_components(struct hl_course *course)
{
    const struct hl_plan *plan = course->plan;
    course->modes = hl_alloc(plan->n_components, sizeof *course->modes);
    course->seen = hl_alloc(plan->n_components, sizeof *course->seen);
    course->made = hl_alloc(plan->n_components, sizeof *course->made);
    bool good = course->modes && course->seen && course->made;
    for (size_t c = 0; good && c < plan->n_components; c++) {
        const struct hl_component *component = &plan->component[c];
        good = hl_modes_init(&course->modes[c], component->shape.n) == HL_OK;
        course->seen[c] = hl_alloc(component->n_entries + component->n_inputs, sizeof(double));
        good = good && course->seen[c];
    }
    return good;
}

static bool alloc_rest(struct hl_course *course)
{
    const struct hl_plan *plan = course->plan;
    const struct hl_system *system = plan->system;
    struct { double **array; size_t n; } part[] = {
        {&course->start.z, plan->n_modes},         {&course->start.y, plan->n_integrated},
        {&course->start.rate, system->n_states},   {&course->start.last_dose, system->n_instances},
        {&course->first_regs, system->n_regs},     {&course->from, system->n_covariates},
        {&course->to, system->n_covariates},       {&course->x, plan->n_modes},
    };
    bool good = true;
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        good = (*part[k].array = hl_alloc(part[k].n, sizeof(double))) && good;
    for (int k = 0; k < 3; k++)
        good = (course->rule[k] = hl_alloc(system->n_covariates, sizeof(int))) && good;
    course->off = hl_alloc(system->n_states, sizeof *course->off);
    course->frozen = hl_alloc(plan->n_integrated, sizeof *course->frozen);
    course->intake = hl_alloc(hl_intake_most(system), sizeof *course->intake);
    course->work = hl_modes_work_create(plan->largest);
    return good && course->off && course->frozen && course->intake && course->work;
}

struct hl_course *hl_course_create(const struct hl_plan *plan, const struct hl_cohort *cohort,
                                   const struct hl_data_spec *spec)
{
    struct hl_course *course = hl_alloc(1, sizeof *course);
    if (!course)
        return NULL;
    course->plan = plan;
    course->cohort = cohort;
    course->spec = spec;
    course->lane = hl_lane_create(plan);
    course->trial = hl_lane_create(plan);
    course->steady = hl_steady_work_create(plan, 1);
    course->agenda = hl_agenda_create(wants_nominal(plan->system));
    bool good = alloc_components(course) && alloc_rest(course);
    if (good && course->lane && course->trial && course->steady && course->agenda) {
        struct hl_lane *lane = course->lane;
        lane->modes = course->modes;
        lane->off = course->off;
        lane->frozen = course->frozen;
        lane->keeps_x = true;
        lane->parameters_context = course;
        return course;
    }
    hl_course_free(course);
    return NULL;
}

void hl_course_free(struct hl_course *course)
{
    if (!course)
        return;
    for (size_t c = 0; c < course->plan->n_components; c++) {
        if (course->modes)
            hl_modes_clear(&course->modes[c]);
        if (course->seen)
            hl_free(course->seen[c]);
    }
    hl_lane_free(course->lane);
    hl_lane_free(course->trial);
    hl_steady_work_free(course->steady);
    hl_agenda_free(course->agenda);
    hl_modes_work_free(course->work);
    hl_release_list_clear(&course->start.releases);
    void *part[] = {course->modes, course->seen, course->made, course->start.z, course->start.y, course->start.rate,
                    course->start.last_dose, course->first_regs, course->from, course->to, course->x, course->rule[0],
                    course->rule[1], course->rule[2], course->off, course->frozen, course->intake, course};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

const double *hl_course_registers(const struct hl_course *course)
{
    return course->first_regs;
}

/* ---- telling */

enum hl_subject_status hl_course_fail(struct hl_course *course, enum hl_subject_status status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    course->fault->status = status;
    course->fault->record = course->record;
    vsnprintf(course->fault->text, sizeof course->fault->text, format, list);
    va_end(list);
    return status;
}

void hl_course_tell(struct hl_course *course, struct hl_happening happening)
{
    if (!course->listener)
        return;
    happening.record = happening.kind == HL_HAPPEN_BOLUS || happening.kind == HL_HAPPEN_START
                               || happening.kind == HL_HAPPEN_END || happening.kind == HL_HAPPEN_RELEASE
                           ? happening.record
                           : course->record;
    course->listener->happening(course->listener->context, &happening);
}

static struct hl_happening of_intake(const struct hl_intake *x, enum hl_happening_kind kind, double time)
{
    return (struct hl_happening){.kind = kind, .time = time, .record = x->record, .state = x->state, .route = x->route,
                                 .amount = x->amount, .rate = x->rate, .duration = x->duration, .lag = x->lag,
                                 .F = x->F};
}

static enum hl_subject_status fail_integration(struct hl_course *course, enum hl_subject_status status)
{
    double t = course->lane->t;
    if (status == HL_SUBJECT_NOT_FINITE)
        return hl_course_fail(course, status, "a rate of change or an amount isn't a finite number after %g h", t);
    if (status == HL_SUBJECT_BAD_PARAMETERS)
        return hl_course_fail(course, status, "released: of a route isn't a fraction that rises from 0 to at most 1 "
                              "(before %g h)", t);
    if (status == HL_SUBJECT_TOO_MANY_STEPS)
        return hl_course_fail(course, status, "the integration takes too many steps; it has come to %g h", t);
    return hl_course_fail(course, status, "the integration can't go on at %g h: its steps have become too small", t);
}

/* ---- what arrives */

/* True when the state is carried; a state that is needed but wasn't planned for is a defect of whoever planned. */
static bool is_carried(struct hl_course *course, int state)
{
    const struct hl_plan *plan = course->plan;
    if (!plan->live[state] && plan->system->state[state].needed)
        course->failure = HL_ERR_INTERNAL;
    return plan->live[state];
}

static enum hl_subject_status switch_on(struct hl_course *course, int state)
{
    if (!course->off[state])
        return HL_SUBJECT_GOOD;
    hl_course_tell(course, (struct hl_happening){.kind = HL_HAPPEN_ON, .time = course->lane->t, .state = state,
                                                 .route = -1});
    return hl_course_switch(course, state, false);
}

/* An amount enters at once, or begins to by its own course. */
static void take_in(struct hl_course *course, const struct hl_intake *x)
{
    struct hl_lane *lane = course->lane;
    if (!x->part || !x->part->release) {
        hl_lane_add(lane, x->state, x->amount);
        return;
    }
    course->failure = hl_lane_reserve_releases(lane, lane->releases.n + 1);
    struct hl_event event = {.time = lane->t, .kind = HL_EVENT_RELEASE, .state = x->state, .value = x->amount,
                             .release = x->part->release};
    if (course->failure == HL_OK)
        hl_lane_release(lane, &event, x->input);
}

static enum hl_subject_status arrive(struct hl_course *course, const struct hl_arrival *arrival)
{
    static const enum hl_happening_kind told[] = {[HL_ARRIVAL_BOLUS] = HL_HAPPEN_BOLUS,
                                                  [HL_ARRIVAL_START] = HL_HAPPEN_START,
                                                  [HL_ARRIVAL_END] = HL_HAPPEN_END};
    struct hl_lane *lane = course->lane;
    const struct hl_intake *x = arrival->intake;
    if (arrival->kind == HL_ARRIVAL_GIVEN) {
        hl_lane_given(lane, x->instance, lane->t);
        return HL_SUBJECT_GOOD;
    }
    bool carried = is_carried(course, x->state);
    enum hl_subject_status status =
        arrival->kind == HL_ARRIVAL_END ? HL_SUBJECT_GOOD : switch_on(course, x->state);
    if (status == HL_SUBJECT_GOOD && carried && arrival->kind == HL_ARRIVAL_BOLUS)
        take_in(course, x);
    if (status == HL_SUBJECT_GOOD && carried && arrival->kind != HL_ARRIVAL_BOLUS)
        hl_lane_set_rate(lane, x->state, hl_agenda_rate(course->agenda, x->state));
    if (carried && arrival->kind == HL_ARRIVAL_END && arrival->missing != 0)
        hl_lane_add(lane, x->state, x->rate * arrival->missing);
    bool release = arrival->kind == HL_ARRIVAL_BOLUS && x->part && x->part->release;
    struct hl_happening happening = of_intake(x, release ? HL_HAPPEN_RELEASE : told[arrival->kind], lane->t);
    happening.earlier = arrival->dose < 0;
    happening.dose = (uint64_t)(arrival->dose < 0 ? -arrival->dose : arrival->dose);
    hl_course_tell(course, happening);
    return status;
}

/* Carries the lane to a time, past all that arrives up to and at that time. */
static enum hl_subject_status advance(struct hl_course *course, double until)
{
    struct hl_arrival arrival;
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    while (status == HL_SUBJECT_GOOD && hl_agenda_next(course->agenda, until, &arrival)) {
        status = hl_lane_run(course->lane, arrival.time);
        if (status != HL_SUBJECT_GOOD)
            return fail_integration(course, status);
        status = arrive(course, &arrival);
    }
    if (status != HL_SUBJECT_GOOD)
        return status;
    status = hl_lane_run(course->lane, until);
    return status == HL_SUBJECT_GOOD ? status : fail_integration(course, status);
}

/* ---- steady states */

/* The past of a record as a cycle that begins at its TIME. */
static enum hl_status fill_cycle(struct hl_course *course, const struct hl_record *record, size_t n)
{
    struct hl_cycle *cycle = hl_steady_cycle(course->steady);
    enum hl_status status = HL_OK;
    cycle->period = record->AMT == 0 ? 0 : record->II; /* as written: an infusion that never ended */
    for (size_t k = 0; k < n && status == HL_OK; k++) {
        const struct hl_intake *x = &course->intake[k];
        if (cycle->period == 0) {
            cycle->rate[x->state] += x->rate;
            continue;
        }
        struct hl_wave wave = hl_intake_wave(x, record->TIME, record->II);
        bool runs = x->duration > 0;
        double end = wave.offset + x->duration - (double)wave.running * record->II;
        const struct hl_release *release = x->part ? x->part->release : NULL;
        struct hl_event event = {.time = wave.offset,
                                 .kind = runs ? HL_EVENT_RATE : release ? HL_EVENT_RELEASE : HL_EVENT_ADD,
                                 .state = x->state, .value = runs ? x->rate : x->amount, .instance = x->instance,
                                 .release = release};
        if (k == 0)
            status = hl_cycle_add(cycle, (struct hl_event){.kind = HL_EVENT_GIVEN, .state = -1,
                                                           .instance = x->instance});
        if (status == HL_OK)
            status = hl_cycle_add(cycle, event);
        event.time = fmin(record->II, fmax(0, end));
        event.value = -x->rate;
        if (status == HL_OK && runs)
            status = hl_cycle_add(cycle, event);
        cycle->rate[x->state] += (double)wave.running * x->rate;
    }
    return status;
}

static enum hl_subject_status fail_steady(struct hl_course *course, const struct hl_record *record, int culprit)
{
    const char *name = culprit >= 0 ? course->plan->system->state[culprit].name : "the model";
    bool exact = culprit >= 0 && course->plan->component_of[culprit] >= 0;
    return hl_course_fail(course, HL_SUBJECT_NO_STEADY_STATE,
                          exact ? "SS %d: %.60s has no steady state: what enters it never leaves"
                                : "SS %d: no steady state was found (%.60s): amounts go on changing cycle by cycle",
                          record->SS, name);
}

/* Where the search begins: the present state for SS 2 and 3, else the initial amounts. */
static enum hl_subject_status first_guess(struct hl_course *course, int SS)
{
    struct hl_lane *lane = course->lane;
    enum hl_subject_status status = SS == 2 ? HL_SUBJECT_GOOD : hl_course_initial(course);
    if (status != HL_SUBJECT_GOOD)
        return status;
    hl_lane_cast(lane);
    course->start.time = lane->t;
    if (SS == 2)
        memcpy(course->start.z, lane->z, course->plan->n_modes * sizeof *lane->z);
    if (SS != 1)
        memcpy(course->start.y, lane->y, course->plan->n_integrated * sizeof *lane->y);
    course->start.releases.n = 0;
    if (SS == 2)
        course->failure = hl_releases_save(lane, &course->start.releases);
    return HL_SUBJECT_GOOD;
}

/* Puts the lane at the state in start; rates are those on the agenda. */
static void take_steady(struct hl_course *course, bool added)
{
    const struct hl_system *system = course->plan->system;
    for (size_t k = 0; k < system->n_states; k++)
        course->start.rate[k] = hl_agenda_rate(course->agenda, (int)k);
    for (size_t k = 0; k < system->n_instances; k++)
        course->start.last_dose[k] = added ? course->lane->last_dose[k] : -INFINITY;
    course->failure = hl_lane_reserve_releases(course->lane, course->start.releases.n);
    if (course->failure == HL_OK)
        hl_lane_restart(course->lane, &course->start);
}

static bool is_linear(const struct hl_plan *plan)
{
    for (size_t k = 0; k < plan->system->n_states; k++)
        if (plan->live[k] && !plan->system->state[k].linear)
            return false;
    return true;
}

/* What tools differ in, or what means little: for a note. */
static void note_oddities(struct hl_course *course, const struct hl_record *record, size_t n)
{
    struct hl_course_fault *fault = course->fault;
    for (size_t k = 0; k < n; k++)
        if (record->II > 0 && course->intake[k].lag >= record->II && fault->long_lag == SIZE_MAX)
            fault->long_lag = course->record;
    if (record->SS == 2 && fault->bent_sum == SIZE_MAX && !is_linear(course->plan))
        fault->bent_sum = course->record;
}

static enum hl_subject_status make_steady(struct hl_course *course, const struct hl_record *record, size_t n)
{
    bool adds = record->SS == 2, constant = record->AMT == 0; /* as written */
    note_oddities(course, record, n);
    size_t cancelled = adds ? 0 : hl_agenda_clear(course->agenda) + course->lane->releases.n;
    enum hl_subject_status status = first_guess(course, record->SS);
    if (status != HL_SUBJECT_GOOD || course->failure != HL_OK)
        return status;
    enum hl_status memory = fill_cycle(course, record, n);
    int culprit = -1;
    if (memory == HL_OK)
        status = (adds ? hl_steady_add : hl_steady_state)(course->steady, course->trial, course->modes,
                                                          course->lane->regs, course->off, &course->start, &culprit,
                                                          &memory);
    for (size_t k = 0; k < n && memory == HL_OK && !constant; k++)
        memory = hl_agenda_add_steady(course->agenda, &course->intake[k], record->TIME, record->II, record->ADDL,
                                      k == 0);
    course->failure = memory;
    if (status != HL_SUBJECT_GOOD)
        return fail_steady(course, record, culprit);
    if (memory == HL_OK)
        take_steady(course, adds);
    if (constant && n > 0)
        hl_lane_given(course->lane, course->intake[0].instance, record->TIME);
    struct hl_happening happening =
        n > 0 ? of_intake(&course->intake[0], HL_HAPPEN_STEADY, record->TIME)
              : (struct hl_happening){.kind = HL_HAPPEN_STEADY, .time = record->TIME, .state = -1, .route = -1};
    happening.cancelled = cancelled;
    hl_course_tell(course, happening);
    return HL_SUBJECT_GOOD;
}

/* ---- records */

static enum hl_subject_status apply_dose(struct hl_course *course, const struct hl_record *record)
{
    size_t n = 0;
    char text[sizeof course->fault->text];
    if (!hl_intake_read(course->plan->system, course->lane->regs, record, course->record, course->spec->scales_rate,
                        course->intake, &n, text, sizeof text))
        return hl_course_fail(course, HL_SUBJECT_BAD_PARAMETERS, "%s", text);
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    for (size_t k = 0; k < n; k++) {
        hl_course_tell(course, of_intake(&course->intake[k], HL_HAPPEN_READ, record->TIME));
        is_carried(course, course->intake[k].state);
        if (status == HL_SUBJECT_GOOD && record->SS > 0)
            status = switch_on(course, course->intake[k].state);
    }
    if (status == HL_SUBJECT_GOOD && record->SS > 0)
        return make_steady(course, record, n);
    for (size_t k = 0; k < n && course->failure == HL_OK; k++)
        course->failure = hl_agenda_add(course->agenda, &course->intake[k], record->TIME, record->II, record->ADDL,
                                        k == 0);
    return status;
}

/* EVID 2 with a CMT. */
static enum hl_subject_status apply_switch(struct hl_course *course, const struct hl_record *record)
{
    int state = course->plan->system->compartment[record->compartment].state;
    if (!record->off)
        return switch_on(course, state);
    if (course->off[state])
        return HL_SUBJECT_GOOD;
    size_t stopped = hl_agenda_stop(course->agenda, state) + hl_releases_stop(course->lane, state);
    hl_course_tell(course, (struct hl_happening){.kind = HL_HAPPEN_OFF, .time = record->TIME, .state = state,
                                                 .route = -1, .cancelled = stopped});
    return hl_course_switch(course, state, true);
}

/* EVID 8: the amount in CMT becomes AMT. */
static enum hl_subject_status apply_replacement(struct hl_course *course, const struct hl_record *record)
{
    const struct hl_plan *plan = course->plan;
    struct hl_lane *lane = course->lane;
    int route = -1, state = -1;
    if (record->compartment >= 0)
        state = plan->system->compartment[record->compartment].state;
    else if (!hl_intake_default(plan->system, &route, &state))
        return hl_course_fail(course, HL_SUBJECT_BAD_PARAMETERS, "EVID 8 without CMT, and no default compartment");
    if (state < 0)
        state = plan->system->route[route].part[0].state;
    enum hl_subject_status status = switch_on(course, state);
    if (status != HL_SUBJECT_GOOD)
        return status;
    hl_course_tell(course, (struct hl_happening){.kind = HL_HAPPEN_REPLACE, .time = record->TIME, .state = state,
                                                 .route = -1, .amount = record->AMT});
    if (!is_carried(course, state))
        return HL_SUBJECT_GOOD;
    int c = plan->component_of[state], k = plan->integrated_of[state];
    hl_lane_cast(lane);
    double *x = k >= 0 ? &lane->y[k] : &lane->x_anchor[plan->component[c].offset + (size_t)plan->place_of[state]];
    hl_lane_add(lane, state, record->AMT - *x);
    *x = record->AMT;
    return HL_SUBJECT_GOOD;
}

/* EVID 3 and the first half of 4. */
static enum hl_subject_status apply_reset(struct hl_course *course, const struct hl_record *record)
{
    size_t cancelled = hl_agenda_clear(course->agenda) + course->lane->releases.n;
    enum hl_subject_status status = hl_course_reset(course, record->TIME);
    hl_course_tell(course, (struct hl_happening){.kind = HL_HAPPEN_RESET, .time = record->TIME, .state = -1,
                                                 .route = -1, .cancelled = cancelled});
    return status;
}

static enum hl_subject_status apply(struct hl_course *course, const struct hl_record *record)
{
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    if (record->EVID == HL_EVID_RESET || record->EVID == HL_EVID_RESET_DOSE)
        status = apply_reset(course, record);
    if (status == HL_SUBJECT_GOOD && (record->EVID == HL_EVID_DOSE || record->EVID == HL_EVID_RESET_DOSE))
        status = apply_dose(course, record);
    if (record->EVID == HL_EVID_OTHER && record->CMT != 0 && record->compartment >= 0)
        status = apply_switch(course, record);
    if (record->EVID == HL_EVID_REPLACE)
        status = apply_replacement(course, record);
    return status;
}

/* From the state after the last record to the state after this one. */
static enum hl_subject_status process(struct hl_course *course)
{
    const struct hl_record *record = &course->individual->record[course->record];
    bool resets = record->EVID == HL_EVID_RESET || record->EVID == HL_EVID_RESET_DOSE;
    bool backward = record->TIME < course->lane->t;
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    if (backward && !resets)
        return hl_course_fail(course, HL_SUBJECT_BAD_PARAMETERS, "TIME %g is before %g, where the clock stands",
                              record->TIME, course->lane->t);
    if (course->record > 0)
        status = hl_course_enter_interval(course, backward);
    if (status == HL_SUBJECT_GOOD && !backward)
        status = advance(course, record->TIME);
    if (status == HL_SUBJECT_GOOD && course->record > 0 && !backward)
        status = hl_course_leave_interval(course);
    if (status == HL_SUBJECT_GOOD)
        status = apply(course, record);
    return status == HL_SUBJECT_GOOD ? advance(course, record->TIME) : status;
}

/* ---- rows */

static double linear_value(const struct hl_lane *lane, const struct hl_output *output)
{
    double sum = output->offset_reg >= 0 ? lane->regs[output->offset_reg] : 0;
    for (size_t k = 0; k < output->n_coefs; k++)
        sum += lane->regs[output->coef[k].reg] * lane->regs[lane->plan->system->state[output->coef[k].col].reg];
    return sum;
}

static void show(struct hl_course *course, const int *output, size_t n_outputs, bool program, double *value)
{
    struct hl_lane *lane = course->lane;
    const struct hl_system *system = course->plan->system;
    hl_lane_set(lane, lane->t, lane->y, NULL, false);
    if (program)
        hl_program_run(&system->outputs, lane->regs, 1);
    for (size_t o = 0; o < n_outputs; o++) {
        const struct hl_output *y = &system->output[output[o]];
        value[o] = y->linear ? linear_value(lane, y) : lane->regs[y->reg];
    }
    hl_course_tell(course, (struct hl_happening){.kind = HL_HAPPEN_SHOWN, .time = lane->t, .state = -1, .route = -1});
}

static enum hl_subject_status begin(struct hl_course *course)
{
    hl_agenda_clear(course->agenda);
    enum hl_subject_status status = hl_course_begin_parameters(course);
    if (status == HL_SUBJECT_GOOD)
        status = hl_course_reset(course, course->individual->record[0].TIME);
    if (status == HL_SUBJECT_GOOD)
        hl_course_tell(course, (struct hl_happening){.kind = HL_HAPPEN_PARAMETERS, .time = course->lane->t,
                                                     .state = -1, .route = -1, .regs = course->lane->regs});
    return status;
}

enum hl_status hl_course_run(struct hl_course *course, const struct hl_individual *individual, const int *output,
                             size_t n_outputs, double *value, struct hl_course_fault *fault,
                             const struct hl_course_listener *listener)
{
    bool program = false;
    for (size_t o = 0; o < n_outputs; o++)
        program = program || !course->plan->system->output[output[o]].linear;
    course->individual = individual;
    course->record = 0;
    course->listener = listener;
    course->fault = fault;
    course->failure = HL_OK;
    *fault = (struct hl_course_fault){.status = HL_SUBJECT_GOOD, .long_lag = SIZE_MAX, .bent_sum = SIZE_MAX};
    enum hl_subject_status status = individual->n > 0 ? begin(course) : HL_SUBJECT_GOOD;
    for (; course->record < individual->n; course->record++) {
        double *row = value + course->record * n_outputs;
        if (status == HL_SUBJECT_GOOD)
            status = process(course);
        if (course->failure != HL_OK)
            return course->failure;
        if (status == HL_SUBJECT_GOOD)
            show(course, output, n_outputs, program, row);
        for (size_t o = 0; status != HL_SUBJECT_GOOD && o < n_outputs; o++)
            row[o] = NAN;
    }
    return HL_OK;
}
