/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which parameters hold when, and what they make of the matrices.
 *
 * Record i at t_i ends the interval (t_{i-1}, t_i]. A covariate is, inside it,
 *     next          the value of record i            (NONMEM: the record that ends the interval)
 *     previous      the value of record i - 1; at t_i, before the record is applied and shown, that of record i
 *     interpolate   on the straight line between both; at t_i that of record i
 * and the occasion is that of record i, as in NONMEM. The individual program is run only when one of its inputs has
 * changed, a matrix is taken apart anew only when one of its own coefficients has. The amounts x pass through such a
 * change untouched: x = V z with the old modes, z = W x with the new ones. Infusions that run go on.
 *
 * Interpolated covariates change all the time: the program runs before each evaluation of the rates, and nothing is
 * carried exactly (hl_plan_create_for_data).
 *
 * A compartment that is off holds 0 and stays at 0: its row of the matrix is 0, and so is its column, which meets
 * nothing but that 0. What flows into it from others is lost to them as before, for that stands on their own diagonal.
 * */
#include <math.h>
#include <string.h>

#include "solve/course_parts.h"

/* ---- covariates and occasions */

/* Sorts out the covariates this individual has in the data set. What an arm fixes for everyone holds against it. */
static void find_rules(struct hl_course *course)
{
    for (int k = 0; k < 3; k++)
        course->n_rule[k] = 0;
    for (int c = 0; c < (int)course->plan->system->n_covariates; c++) {
        enum hl_covariate_rule rule = course->spec->rule[c];
        if (!isnan(hl_course_covariate(course, 0, c)) && !hl_cohort_fixes(course->cohort, c))
            course->rule[rule][course->n_rule[rule]++] = c;
    }
}

/* Puts the present record's values of all covariates of a rule into the registers; true when one changes. */
static bool put_covariates(struct hl_course *course, enum hl_covariate_rule rule)
{
    bool changes = false;
    for (size_t k = 0; k < course->n_rule[rule]; k++) {
        int c = course->rule[rule][k];
        double *reg = &course->lane->regs[course->plan->system->covariate[c].reg];
        double value = hl_course_covariate(course, course->record, c);
        changes = changes || *reg != value;
        *reg = value;
    }
    return changes;
}

static bool put_occasion(struct hl_course *course, double before)
{
    double now = course->individual->record[course->record].OCC;
    if (now == before)
        return false;
    hl_cohort_occasion(course->cohort, course->individual->number, now, course->lane->regs);
    return true;
}

/* ---- matrices */

/* Reads the coefficients and inputs of a component; true when they aren't those its modes were made of. *inputs: a
 * constant input has changed. */
static bool read_coefficients(struct hl_course *course, size_t c, bool *inputs)
{
    const struct hl_component *component = &course->plan->component[c];
    double *seen = course->seen[c];
    bool changes = !course->made[c];
    for (size_t k = 0; k < component->n_entries + component->n_inputs; k++) {
        bool entry = k < component->n_entries;
        int reg = entry ? component->entry[k].reg : component->input[k - component->n_entries].reg;
        double value = course->lane->regs[reg];
        bool differs = !(value == seen[k]);
        *(entry ? &changes : inputs) |= differs;
        seen[k] = value;
    }
    return changes;
}

/* The matrix, summed with guard digits; rows and columns of what is off stay empty. */
static void fill_matrix(const struct hl_course *course, size_t c)
{
    const struct hl_component *component = &course->plan->component[c];
    struct hl_modes *modes = &course->modes[c];
    size_t n = component->shape.n;
    memset(modes->exact, 0, n * n * sizeof *modes->exact);
    for (size_t k = 0; k < component->n_entries; k++) {
        const struct hl_entry *entry = &component->entry[k];
        if (!course->off[component->state[entry->row]] && !course->off[component->state[entry->col]])
            modes->exact[entry->row * n + entry->col] += (long double)course->seen[c][k];
    }
}

/* Names an individual parameter that isn't a number; NULL when all are. */
static const char *bad_parameter(const struct hl_course *course, double *value)
{
    const struct hl_system *system = course->plan->system;
    for (size_t k = 0; k < system->n_individuals; k++) {
        *value = course->lane->regs[system->individual_value[k].reg];
        if (!isfinite(*value))
            return system->individual_value[k].name;
    }
    return NULL;
}

static enum hl_subject_status fail_parameters(struct hl_course *course)
{
    double value = NAN;
    const char *name = bad_parameter(course, &value);
    if (name)
        return hl_course_fail(course, HL_SUBJECT_BAD_PARAMETERS, "the parameter %.60s is %g", name, value);
    return hl_course_fail(course, HL_SUBJECT_BAD_PARAMETERS, "a rate of the model isn't a finite number");
}

static enum hl_subject_status take_apart(struct hl_course *course, size_t c)
{
    const struct hl_component *component = &course->plan->component[c];
    struct hl_modes *modes = &course->modes[c];
    course->made[c] = false;
    fill_matrix(course, c);
    if (hl_modes_make(modes, &component->shape, course->horizon, course->work) != HL_OK)
        return fail_parameters(course);
    for (size_t i = 0; i < component->shape.n; i++)
        if (course->off[component->state[i]])
            hl_modes_shut(modes, i);
    course->made[c] = true;
    return HL_SUBJECT_GOOD;
}

static enum hl_subject_status check_inputs(struct hl_course *course)
{
    for (size_t c = 0; c < course->plan->n_components; c++) {
        const struct hl_component *component = &course->plan->component[c];
        for (size_t k = 0; k < component->n_inputs; k++)
            if (!isfinite(course->seen[c][component->n_entries + k]))
                return fail_parameters(course);
    }
    return HL_SUBJECT_GOOD;
}

/* New modes for component c at the anchor: the states stay. */
static enum hl_subject_status retake(struct hl_course *course, size_t c)
{
    size_t offset = course->plan->component[c].offset;
    enum hl_subject_status status = take_apart(course, c);
    if (status == HL_SUBJECT_GOOD)
        hl_modes_project(&course->modes[c], course->lane->x_anchor + offset, course->lane->z + offset);
    return status;
}

/* Runs the individual program and brings everything that hangs on it up to date, at the time the lane has reached. */
static enum hl_subject_status compute(struct hl_course *course)
{
    struct hl_lane *lane = course->lane;
    hl_program_run(&course->plan->system->individual, lane->regs, 1);
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    bool inputs = false, cast = false;
    for (size_t c = 0; status == HL_SUBJECT_GOOD && c < course->plan->n_components; c++) {
        if (!read_coefficients(course, c, &inputs))
            continue;
        if (!cast)
            hl_lane_cast(lane);
        cast = true;
        status = retake(course, c);
    }
    if (status == HL_SUBJECT_GOOD && inputs) {
        hl_lane_cast(lane);
        status = check_inputs(course);
    }
    if (status == HL_SUBJECT_GOOD && (inputs || cast || course->plan->n_integrated > 0))
        hl_lane_renew(lane);
    hl_course_tell(course, (struct hl_happening){.kind = HL_HAPPEN_PARAMETERS, .time = lane->t, .state = -1,
                                                 .route = -1, .regs = lane->regs});
    return status;
}

/* ---- interpolation */

/* hl_lane.parameters: the covariates on their lines, then everything computed from them. */
static void move_covariates(struct hl_lane *lane, double t, bool slope)
{
    struct hl_course *course = lane->parameters_context;
    const struct hl_system *system = course->plan->system;
    double length = course->t_to - course->t_from, share = (t - course->t_from) / length;
    for (size_t k = 0; k < course->n_rule[HL_COVARIATE_INTERPOLATE]; k++) {
        int reg = system->covariate[course->rule[HL_COVARIATE_INTERPOLATE][k]].reg;
        lane->regs[reg] = course->from[k] + (course->to[k] - course->from[k]) * share;
        lane->dregs[reg] = slope ? (course->to[k] - course->from[k]) / length : 0;
    }
    if (slope || course->sloped)
        hl_program_run_dual(&system->individual, lane->regs, lane->dregs, 1);
    else
        hl_program_run(&system->individual, lane->regs, 1);
    course->sloped = slope;
}

static void arm_interpolation(struct hl_course *course)
{
    const struct hl_system *system = course->plan->system;
    bool moves = false;
    course->t_from = course->lane->t;
    course->t_to = course->individual->record[course->record].TIME;
    for (size_t k = 0; k < course->n_rule[HL_COVARIATE_INTERPOLATE]; k++) {
        int c = course->rule[HL_COVARIATE_INTERPOLATE][k];
        course->from[k] = course->lane->regs[system->covariate[c].reg];
        course->to[k] = hl_course_covariate(course, course->record, c);
        moves = moves || course->from[k] != course->to[k];
    }
    if (moves && course->plan->n_components > 0) /* the plan should have integrated everything */
        course->failure = HL_ERR_INTERNAL;
    course->sloped = false;
    course->lane->parameters = moves && course->t_to > course->t_from ? move_covariates : NULL;
}

static void disarm_interpolation(struct hl_course *course)
{
    struct hl_lane *lane = course->lane;
    if (!lane->parameters)
        return;
    lane->parameters = NULL;
    memset(lane->dregs, 0, course->plan->system->n_regs * sizeof *lane->dregs);
}

/* ---- the interval that ends at a record */

enum hl_subject_status hl_course_enter_interval(struct hl_course *course, bool whole)
{
    bool changes = put_covariates(course, HL_COVARIATE_NEXT);
    changes |= put_occasion(course, course->individual->record[course->record - 1].OCC);
    if (whole) {
        changes |= put_covariates(course, HL_COVARIATE_PREVIOUS);
        changes |= put_covariates(course, HL_COVARIATE_INTERPOLATE);
    }
    enum hl_subject_status status = changes ? compute(course) : HL_SUBJECT_GOOD;
    if (!whole && course->n_rule[HL_COVARIATE_INTERPOLATE] > 0)
        arm_interpolation(course);
    return status;
}

enum hl_subject_status hl_course_leave_interval(struct hl_course *course)
{
    bool moved = course->lane->parameters != NULL;
    disarm_interpolation(course);
    bool changes = put_covariates(course, HL_COVARIATE_PREVIOUS);
    changes |= put_covariates(course, HL_COVARIATE_INTERPOLATE);
    return changes || moved ? compute(course) : HL_SUBJECT_GOOD;
}

/* ---- beginning, resetting, switching */

static void find_horizon(struct hl_course *course)
{
    const struct hl_individual *x = course->individual;
    double first = INFINITY, last = -INFINITY;
    for (size_t i = 0; i < x->n; i++) {
        first = fmin(first, x->record[i].TIME);
        last = fmax(last, x->record[i].TIME);
    }
    course->horizon = last > first ? last - first : INFINITY;
}

enum hl_subject_status hl_course_begin_parameters(struct hl_course *course)
{
    const struct hl_system *system = course->plan->system;
    struct hl_lane *lane = course->lane;
    hl_cohort_draw(course->cohort, course->individual->number, lane->regs);
    memset(lane->dregs, 0, system->n_regs * sizeof *lane->dregs);
    for (size_t k = 0; k < system->n_states; k++)
        lane->regs[system->state[k].reg] = 0;
    lane->parameters = NULL;
    find_rules(course);
    find_horizon(course);
    put_occasion(course, 0);
    for (enum hl_covariate_rule rule = HL_COVARIATE_NEXT; rule <= HL_COVARIATE_INTERPOLATE; rule++)
        put_covariates(course, rule);
    hl_program_run(&system->individual, lane->regs, 1);
    memcpy(course->first_regs, lane->regs, system->n_regs * sizeof *lane->regs);
    for (size_t c = 0; c < course->plan->n_components; c++)
        course->made[c] = course->made[c] && !course->any_off && course->horizon == course->made_horizon;
    course->made_horizon = course->horizon;
    memset(course->off, 0, system->n_states * sizeof *course->off);
    memset(course->frozen, 0, course->plan->n_integrated * sizeof *course->frozen);
    course->any_off = false;
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    bool inputs = false;
    for (size_t c = 0; status == HL_SUBJECT_GOOD && c < course->plan->n_components; c++)
        if (read_coefficients(course, c, &inputs))
            status = take_apart(course, c);
    return status == HL_SUBJECT_GOOD ? check_inputs(course) : status;
}

enum hl_subject_status hl_course_initial(struct hl_course *course)
{
    const struct hl_plan *plan = course->plan;
    const struct hl_system *system = plan->system;
    bool finite = true;
    for (size_t c = 0; c < plan->n_components; c++) {
        const struct hl_component *component = &plan->component[c];
        double *x = course->x + component->offset;
        for (size_t i = 0; i < component->shape.n; i++) {
            int state = component->state[i];
            x[i] = course->off[state] ? 0 : hl_reg(course->lane->regs, 1, 0, system->state[state].initial_reg, 0);
            finite = finite && isfinite(x[i]);
        }
        hl_modes_project(&course->modes[c], x, course->start.z + component->offset);
    }
    for (size_t k = 0; k < plan->n_integrated; k++) {
        int state = plan->integrated[k];
        course->start.y[k] =
            course->off[state] ? 0 : hl_reg(course->lane->regs, 1, 0, system->state[state].initial_reg, 0);
        finite = finite && isfinite(course->start.y[k]);
    }
    return finite ? HL_SUBJECT_GOOD
                  : hl_course_fail(course, HL_SUBJECT_BAD_PARAMETERS, "an initial amount isn't a finite number");
}

/* Takes the components apart again in which something was off. */
static enum hl_subject_status switch_all_on(struct hl_course *course)
{
    const struct hl_plan *plan = course->plan;
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    for (size_t k = 0; k < plan->system->n_states; k++) {
        int c = plan->component_of[k];
        if (course->off[k] && c >= 0)
            course->made[c] = false;
        course->off[k] = false;
    }
    memset(course->frozen, 0, plan->n_integrated * sizeof *course->frozen);
    course->any_off = false;
    for (size_t c = 0; status == HL_SUBJECT_GOOD && c < plan->n_components; c++)
        if (!course->made[c])
            status = take_apart(course, c);
    return status;
}

enum hl_subject_status hl_course_reset(struct hl_course *course, double t)
{
    const struct hl_system *system = course->plan->system;
    enum hl_subject_status status = switch_all_on(course);
    if (status == HL_SUBJECT_GOOD)
        status = hl_course_initial(course);
    if (status != HL_SUBJECT_GOOD)
        return status;
    course->start.time = t;
    course->start.releases.n = 0;
    memset(course->start.rate, 0, system->n_states * sizeof *course->start.rate);
    for (size_t k = 0; k < system->n_instances; k++)
        course->start.last_dose[k] = -INFINITY;
    hl_lane_restart(course->lane, &course->start);
    memcpy(course->lane->x_anchor, course->x, course->plan->n_modes * sizeof *course->x);
    return HL_SUBJECT_GOOD;
}

enum hl_subject_status hl_course_switch(struct hl_course *course, int state, bool off)
{
    struct hl_lane *lane = course->lane;
    int c = course->plan->component_of[state], k = course->plan->integrated_of[state];
    enum hl_subject_status status = HL_SUBJECT_GOOD;
    course->off[state] = off;
    course->any_off = course->any_off || off;
    hl_lane_cast(lane);
    if (off)
        lane->rate[state] = 0;
    if (k >= 0) {
        course->frozen[k] = off;
        lane->y[k] = 0; /* off: emptied; on: it was empty */
    }
    if (c >= 0) {
        lane->x_anchor[course->plan->component[c].offset + (size_t)course->plan->place_of[state]] = 0;
        status = retake(course, (size_t)c);
    }
    if (status == HL_SUBJECT_GOOD)
        hl_lane_renew(lane);
    return status;
}
