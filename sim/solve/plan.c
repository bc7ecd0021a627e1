/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What has to be solved at all, and how.
 *
 * A state is needed when a requested output depends on it, and lives when
 * something can make it differ from zero: its start value, a dose of this arm, a
 * constant input, or a living state that feeds it. All others stay zero and cost
 * nothing: the nasal depot of a drug that is given by patch isn't there.
 *
 * The living linear states fall into components (connected parts of the graph of
 * flows); each is brought into an order in which dependence only runs downwards,
 * so that its matrix is block triangular: see eigen.c for why that pays. */
#include "solve/plan.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* One of GSL's steppers. */
struct stepper { const char *name; const gsl_odeiv2_step_type *const *type; bool one_step; };

static const struct stepper steppers[] = {
    {"gsl-rk2", &gsl_odeiv2_step_rk2, true},         {"gsl-rk4", &gsl_odeiv2_step_rk4, true},
    {"gsl-rkf45", &gsl_odeiv2_step_rkf45, true},     {"gsl-rkck", &gsl_odeiv2_step_rkck, true},
    {"gsl-rk8pd", &gsl_odeiv2_step_rk8pd, true},     {"gsl-rk4imp", &gsl_odeiv2_step_rk4imp, true},
    {"gsl-bsimp", &gsl_odeiv2_step_bsimp, true},     {"gsl-msadams", &gsl_odeiv2_step_msadams, false},
    {"gsl-msbdf", &gsl_odeiv2_step_msbdf, false},
};
#define N_STEPPERS (sizeof steppers / sizeof *steppers)
#define EXACT "exact"
#define DEFAULT_STEPPER "gsl-rk8pd" /* for what isn't linear */

static const struct stepper *find_stepper(const char *name)
{
    for (size_t k = 0; k < N_STEPPERS; k++)
        if (strcmp(steppers[k].name, name) == 0)
            return &steppers[k];
    return NULL;
}

bool hl_solver_exists(const char *name)
{
    return strcmp(name, EXACT) == 0 || find_stepper(name);
}

bool hl_plan_is_zero(const struct hl_system *system, int reg)
{
    return reg < 0 || (system->reg[reg].kind == HL_REG_CONSTANT && system->initial[reg] == 0); /* a literal 0 */
}

static void mark_route(struct hl_plan *plan, int route)
{
    const struct hl_route *r = &plan->system->route[route];
    for (size_t k = 0; k < r->n_parts; k++) {
        plan->live[r->part[k].state] = true;
        plan->releases = plan->releases || r->part[k].release;
    }
    for (size_t k = 0; k < r->n_phases; k++)
        plan->live[r->phase[k].state] = true;
}

static void mark_regimen(struct hl_plan *plan, const struct hl_regimen *regimen)
{
    for (size_t k = 0; k < regimen->n_doses; k++)
        mark_route(plan, regimen->dose[k].route);
    for (size_t k = 0; k < regimen->n_demands; k++)
        mark_route(plan, regimen->demand[k].route);
    for (size_t k = 0; k < regimen->recorded.n; k++)
        mark_route(plan, regimen->recorded.dose[k].route);
    for (size_t i = 0; i < regimen->n_reviewed; i++)
        for (size_t k = 0; k < regimen->reviewed[i].n_stages; k++)
            if (regimen->reviewed[i].stage[k].n > 0)
                mark_route(plan, regimen->reviewed[i].stage[k].dose[0].route);
    for (size_t s = 0; s < regimen->n_steady; s++)
        for (size_t k = 0; k < regimen->steady[s].n; k++)
            mark_route(plan, regimen->steady[s].dose[k].route);
}

static bool is_live_entry(const struct hl_plan *plan, const struct hl_coefficient *coef)
{
    return coef->col >= 0 && plan->live[coef->col] && !hl_plan_is_zero(plan->system, coef->reg);
}

/* What is fed from outside (live already) lives if needed; then life spreads along the flows. A state whose equation
 * isn't linear is taken to live when needed: what it reads is known to its program only. */
static void find_living(struct hl_plan *plan)
{
    const struct hl_system *system = plan->system;
    for (size_t k = 0; k < system->n_states; k++)
        plan->live[k] = plan->live[k] || !system->state[k].linear
                        || !hl_plan_is_zero(system, system->state[k].initial_reg);
    for (size_t k = 0; k < system->n_coefs; k++)
        if (system->coef[k].col < 0 && !hl_plan_is_zero(system, system->coef[k].reg))
            plan->live[system->coef[k].row] = true;
    for (bool spreads = true; spreads;) {
        spreads = false;
        for (size_t k = 0; k < system->n_states; k++)
            plan->live[k] = plan->live[k] && system->state[k].needed;
        for (size_t k = 0; k < system->n_coefs; k++) {
            int row = system->coef[k].row;
            if (!plan->live[row] && system->state[row].needed && is_live_entry(plan, &system->coef[k]))
                plan->live[row] = spreads = true;
        }
    }
}

static void close_reach(bool *reach, size_t m)
{
    for (size_t k = 0; k < m; k++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; reach[i * m + k] && j < m; j++)
                reach[i * m + j] = reach[i * m + j] || reach[k * m + j];
}

/* True when everything upstream of state i, its own circle apart, has its place. */
static bool is_ready(const bool *reach, const bool *placed, size_t m, size_t i)
{
    for (size_t k = 0; k < m; k++)
        if (reach[i * m + k] && !reach[k * m + i] && !placed[k])
            return false;
    return !placed[i];
}

struct hl_shape hl_plan_shape(struct hl_arena *arena, size_t m, const bool *edges, size_t *order)
{
    bool *reach = hl_arena_alloc(arena, m * m, sizeof *reach), *placed = hl_arena_alloc(arena, m, sizeof *placed);
    bool *sorted = hl_arena_alloc(arena, m * m, sizeof *sorted);
    size_t *start = hl_arena_alloc(arena, m + 1, sizeof *start), n = 0, n_blocks = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < m; k++)
            reach[i * m + k] = i == k || edges[i * m + k];
    close_reach(reach, m);
    while (n < m) {
        size_t first = 0;
        while (!is_ready(reach, placed, m, first))
            first++;
        start[n_blocks++] = n;
        for (size_t i = 0; i < m; i++)
            if (reach[i * m + first] && reach[first * m + i]) {
                placed[i] = true;
                order[n++] = i;
            }
    }
    start[n_blocks] = n;
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < m; k++)
            sorted[i * m + k] = reach[order[i] * m + order[k]];
    return (struct hl_shape){.n = m, .n_blocks = n_blocks, .start = start, .reach = sorted};
}

/* Gives every exactly carried state the number of its component by letting the smaller number win along each flow. */
static size_t number_components(struct hl_plan *plan)
{
    const struct hl_system *system = plan->system;
    for (size_t k = 0; k < system->n_states; k++)
        plan->component_of[k] = plan->live[k] && plan->integrated_of[k] < 0 ? (int)k : -1;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t k = 0; k < system->n_coefs; k++) {
            const struct hl_coefficient *c = &system->coef[k];
            if (c->col < 0 || plan->component_of[c->row] < 0 || plan->component_of[c->col] < 0)
                continue;
            int *a = &plan->component_of[c->row], *b = &plan->component_of[c->col];
            if (*a != *b && !hl_plan_is_zero(system, c->reg)) {
                *a = *b = *a < *b ? *a : *b;
                changed = true;
            }
        }
    }
    size_t n = 0;
    for (size_t k = 0; k < system->n_states; k++) {
        if (plan->component_of[k] == (int)k) { /* the first of its kind stands for all */
            for (size_t j = k + 1; j < system->n_states; j++)
                if (plan->component_of[j] == (int)k)
                    plan->component_of[j] = -2 - (int)n;
            plan->component_of[k] = -2 - (int)n++;
        }
    }
    for (size_t k = 0; k < system->n_states; k++)
        if (plan->component_of[k] <= -2)
            plan->component_of[k] = -2 - plan->component_of[k];
    return n;
}

static void collect_entries(struct hl_plan *plan, int number)
{
    const struct hl_system *system = plan->system;
    struct hl_component *c = &plan->component[number];
    c->entry = hl_arena_alloc(plan->arena, system->n_coefs, sizeof *c->entry);
    c->input = hl_arena_alloc(plan->arena, system->n_coefs, sizeof *c->input);
    for (size_t k = 0; k < system->n_coefs; k++) {
        const struct hl_coefficient *coef = &system->coef[k];
        if (plan->component_of[coef->row] != number || hl_plan_is_zero(system, coef->reg))
            continue;
        struct hl_entry entry = {.row = (size_t)plan->place_of[coef->row], .reg = coef->reg};
        if (coef->col < 0) {
            c->input[c->n_inputs++] = entry;
        } else if (plan->component_of[coef->col] == number) {
            entry.col = (size_t)plan->place_of[coef->col];
            c->entry[c->n_entries++] = entry;
        }
    }
}

static void build_component(struct hl_plan *plan, int number)
{
    const struct hl_system *system = plan->system;
    struct hl_component *c = &plan->component[number];
    size_t m = 0;
    int *member = hl_arena_alloc(plan->arena, system->n_states, sizeof *member);
    for (size_t k = 0; k < system->n_states; k++)
        if (plan->component_of[k] == number) {
            plan->place_of[k] = (int)m;
            member[m++] = (int)k;
        }
    bool *edges = hl_arena_alloc(plan->arena, m * m, sizeof *edges);
    size_t *order = hl_arena_alloc(plan->arena, m, sizeof *order);
    for (size_t k = 0; k < system->n_coefs; k++) {
        const struct hl_coefficient *coef = &system->coef[k];
        if (is_live_entry(plan, coef) && plan->component_of[coef->row] == number
            && plan->component_of[coef->col] == number)
            edges[(size_t)plan->place_of[coef->row] * m + (size_t)plan->place_of[coef->col]] = true;
    }
    c->shape = hl_plan_shape(plan->arena, m, edges, order);
    c->offset = plan->n_modes;
    c->square = plan->n_squares;
    c->state = hl_arena_alloc(plan->arena, m, sizeof *c->state);
    for (size_t i = 0; i < m; i++) {
        c->state[i] = member[order[i]];
        plan->place_of[c->state[i]] = (int)i;
    }
    plan->n_modes += m;
    plan->n_squares += m * m;
    plan->largest = m > plan->largest ? m : plan->largest;
    collect_entries(plan, number);
}

/* States that a release feeds are integrated where one is dosed, and exact where none is. */
static bool is_integrated(const struct hl_plan *plan, const struct hl_state *state)
{
    return plan->everything || !state->linear || (plan->releases && state->fed);
}

static void choose_integrated(struct hl_plan *plan)
{
    const struct hl_system *system = plan->system;
    plan->rhs = plan->everything ? &system->rhs : plan->releases ? &system->rhs_released : &system->rhs_integrated;
    for (size_t k = 0; k < system->n_states; k++) {
        plan->integrated_of[k] = -1;
        if (plan->live[k] && is_integrated(plan, &system->state[k])) {
            plan->integrated_of[k] = (int)plan->n_integrated;
            plan->integrated[plan->n_integrated++] = (int)k;
        }
    }
    for (size_t k = 0; k < system->n_states; k++)
        for (size_t i = 0; i < plan->rhs->n && !plan->read_by_rhs[k]; i++) {
            const struct hl_instruction *code = &plan->rhs->code[i];
            int reg = system->state[k].reg;
            plan->read_by_rhs[k] = code->a == reg || code->b == reg || code->c == reg;
        }
}

static struct hl_plan *plan_alloc(const struct hl_system *system)
{
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return NULL;
    struct hl_plan *plan = hl_arena_alloc(arena, 1, sizeof *plan);
    plan->arena = arena;
    plan->live = hl_arena_alloc(arena, system->n_states, sizeof *plan->live);
    plan->component_of = hl_arena_alloc(arena, system->n_states, sizeof *plan->component_of);
    plan->place_of = hl_arena_alloc(arena, system->n_states, sizeof *plan->place_of);
    plan->integrated = hl_arena_alloc(arena, system->n_states, sizeof *plan->integrated);
    plan->integrated_of = hl_arena_alloc(arena, system->n_states, sizeof *plan->integrated_of);
    plan->read_by_rhs = hl_arena_alloc(arena, system->n_states, sizeof *plan->read_by_rhs);
    return plan;
}

static void complain(const char *solver, struct hl_diag *diag)
{
    const char *name[N_STEPPERS + 1] = {EXACT};
    char hint[64];
    for (size_t k = 0; k < N_STEPPERS; k++)
        name[k + 1] = steppers[k].name;
    hl_diag_error(diag, hl_pos_none(), "unknown solver '%s'%s", solver,
                  hl_text_did_you_mean(solver, name, N_STEPPERS + 1, hint, sizeof hint));
}

/* A plan whose states are still to be looked at. NULL with a message. */
static struct hl_plan *begin(const struct hl_system *system, const char *solver, double tolerance, bool everything,
                             struct hl_diag *diag)
{
    gsl_set_error_handler_off();
    if (!hl_solver_exists(solver)) {
        complain(solver, diag);
        return NULL;
    }
    if (!(tolerance >= 1e-14 && tolerance < 1)) {
        hl_diag_error(diag, hl_pos_none(), "tolerance %g isn't between 1e-14 and 1", tolerance);
        return NULL;
    }
    struct hl_plan *plan = plan_alloc(system);
    if (!plan) {
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(HL_ERR_MEMORY));
        return NULL;
    }
    bool exact = strcmp(solver, EXACT) == 0;
    const struct stepper *stepper = find_stepper(exact ? DEFAULT_STEPPER : solver);
    plan->system = system;
    plan->tolerance = tolerance;
    plan->everything = everything || !exact;
    plan->solver = plan->everything ? stepper->name : EXACT;
    plan->stepper = *stepper->type;
    plan->one_step = stepper->one_step;
    return plan;
}

/* live says what is fed from outside. */
static struct hl_plan *finish(struct hl_plan *plan)
{
    find_living(plan);
    choose_integrated(plan);
    plan->n_components = number_components(plan);
    plan->component = hl_arena_alloc(plan->arena, plan->n_components, sizeof *plan->component);
    for (size_t c = 0; c < plan->n_components; c++)
        build_component(plan, (int)c);
    return plan;
}

struct hl_plan *hl_plan_create(const struct hl_system *system, const struct hl_regimen *regimen, const char *solver,
                               double tolerance, struct hl_diag *diag)
{
    struct hl_plan *plan = begin(system, solver, tolerance, false, diag);
    if (!plan)
        return NULL;
    plan->regimen = regimen;
    mark_regimen(plan, regimen);
    return finish(plan);
}

struct hl_plan *hl_plan_create_for_data(const struct hl_system *system, const bool *dosed, bool interpolated,
                                        const char *solver, double tolerance, struct hl_diag *diag)
{
    struct hl_plan *plan = begin(system, solver, tolerance, interpolated, diag);
    if (!plan)
        return NULL;
    plan->for_records = true;
    memcpy(plan->live, dosed, system->n_states * sizeof *plan->live);
    for (size_t k = 0; k < system->n_states; k++)
        plan->releases = plan->releases || (dosed[k] && system->state[k].released);
    return finish(plan);
}

void hl_plan_free(struct hl_plan *plan)
{
    if (plan)
        hl_arena_free(plan->arena);
}

void hl_plan_describe(const struct hl_plan *plan, FILE *stream)
{
    const struct hl_system *system = plan->system;
    for (size_t s = 0; s < system->n_instances; s++) {
        size_t exact = 0, integrated = 0;
        for (size_t k = 0; k < system->n_states; k++) {
            if (system->state[k].instance != (int)s)
                continue;
            exact += plan->component_of[k] >= 0;
            integrated += plan->integrated_of[k] >= 0;
        }
        fprintf(stream, "%s: ", system->instance[s].alias);
        if (exact == 0 && integrated == 0)
            fprintf(stream, "no states to solve");
        if (exact > 0)
            fprintf(stream, "%zu linear state%s, exact (modal)", exact, exact == 1 ? "" : "s");
        if (exact > 0 && integrated > 0)
            fprintf(stream, "; ");
        if (integrated > 0)
            fprintf(stream, "%zu state%s integrated by %sGSL %s, tolerance %g", integrated, integrated == 1 ? "" : "s",
                    plan->everything || plan->for_records ? "" : "Taylor series, else (stiff: msbdf) by ",
                    plan->stepper->name, plan->tolerance);
        fprintf(stream, "\n");
    }
}

static int by_length(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Matrix, with guard digits, and edges of m member states. */
static void gather(const struct hl_plan *plan, const int *member, size_t m, const double *regs, size_t lanes,
                   size_t lane, long double *A, bool *edges)
{
    const struct hl_system *system = plan->system;
    for (size_t k = 0; k < system->n_coefs; k++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < m; j++)
                if (system->coef[k].row == member[i] && system->coef[k].col == member[j]) {
                    A[i * m + j] += (long double)hl_reg(regs, lanes, lane, system->coef[k].reg, 0);
                    edges[i * m + j] = true;
                }
}

enum hl_status hl_plan_half_lives(const struct hl_plan *plan, const double *regs, size_t lanes, size_t lane,
                                  int instance, double *half_life, size_t n, size_t *found)
{
    const struct hl_system *system = plan->system;
    struct hl_arena *arena = hl_arena_create();
    *found = 0;
    if (!arena)
        return HL_ERR_MEMORY;
    int *member = hl_arena_alloc(arena, system->n_states, sizeof *member);
    size_t m = 0, all = 0;
    for (size_t k = 0; k < system->n_states; k++) {
        const struct hl_state *s = &system->state[k];
        if (plan->live[k] && s->linear && s->instance == instance && s->kind != HL_EFFECT_SITE
            && s->kind != HL_PATCH_CONTENT)
            member[m++] = (int)k;
    }
    long double *A = hl_arena_alloc(arena, m * m, sizeof *A), *sorted = hl_arena_alloc(arena, m * m, sizeof *sorted);
    bool *edges = hl_arena_alloc(arena, m * m, sizeof *edges);
    size_t *order = hl_arena_alloc(arena, m, sizeof *order);
    double *re = hl_arena_alloc(arena, m, sizeof *re), *im = hl_arena_alloc(arena, m, sizeof *im);
    gather(plan, member, m, regs, lanes, lane, A, edges);
    struct hl_shape shape = hl_plan_shape(arena, m, edges, order);
    for (size_t i = 0; i < m * m; i++)
        sorted[i] = A[order[i / m] * m + order[i % m]];
    struct hl_modes_work *work = hl_modes_work_create(m);
    enum hl_status status = work ? HL_OK : HL_ERR_MEMORY;
    if (work && hl_modes_eigenvalues(sorted, &shape, work, re, im) == HL_OK)
        for (size_t j = 0; j < m; j++)
            if (re[j] != 0 && im[j] >= 0) /* 0: nothing removes it; a pair has one half-life */
                re[all++] = M_LN2 / fabs(re[j]);
    qsort(re, all, sizeof *re, by_length);
    *found = all < n ? all : n;
    memcpy(half_life, re, *found * sizeof *re);
    hl_modes_work_free(work);
    hl_arena_free(arena);
    return status;
}
