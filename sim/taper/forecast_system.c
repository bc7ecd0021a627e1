/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a system a forecast needs: the states that the constraints' outputs depend on, sorted into linear ones,
 * contents of patches (whose course is that of the patch alone and ends with it) and those that aren't linear; where
 * e^(A h) can differ from zero; and the programs, rewritten for a register file that holds only what they touch, so
 * that a block of subjects stays in the nearest cache. */
#include <string.h>

#include "taper/forecast_parts.h"

static int add_state(struct hl_forecast_system *s, size_t at, int state)
{
    s->state[at] = state;
    if (state >= 0)
        s->place[state] = (int)at;
    return (int)at;
}

static bool has_constant_input(const struct hl_system *y)
{
    for (size_t k = 0; k < y->n_coefs; k++)
        if (y->coef[k].col < 0 && y->state[y->coef[k].row].needed && y->state[y->coef[k].row].linear)
            return true;
    return false;
}

/* What can ever differ from zero: where doses arrive, what starts with something, and all they feed. */
static bool *living_states(struct hl_arena *arena, const struct hl_system *y, const bool *dosed)
{
    bool *lives = hl_arena_alloc(arena, y->n_states + 1, sizeof *lives);
    for (size_t i = 0; i < y->n_states; i++) {
        int reg = y->state[i].initial_reg;
        bool empty = reg < 0 || (y->reg[reg].kind == HL_REG_CONSTANT && y->initial[reg] == 0.0); /* a literal 0 */
        lives[i] = dosed[i] || !empty || !y->state[i].linear;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t k = 0; k < y->n_coefs; k++)
            if (!lives[y->coef[k].row] && (y->coef[k].col < 0 || lives[y->coef[k].col]))
                changed = lives[y->coef[k].row] = true;
    }
    return lives;
}

static void sort_states(struct hl_arena *arena, struct hl_forecast_system *s, const bool *dosed)
{
    const bool *lives = living_states(arena, s->system, dosed);
    const struct hl_system *y = s->system;
    s->state = hl_arena_alloc(arena, y->n_states + 1, sizeof *s->state);
    s->integrated = hl_arena_alloc(arena, y->n_states + 1, sizeof *s->integrated);
    s->place = hl_arena_alloc(arena, y->n_states, sizeof *s->place);
    for (size_t i = 0; i < y->n_states; i++)
        s->place[i] = -1;
    for (size_t i = 0; i < y->n_states; i++) {
        if (y->state[i].needed && lives[i] && y->state[i].linear && y->state[i].kind != HL_PATCH_CONTENT)
            add_state(s, s->n++, (int)i);
        if (y->state[i].needed && !y->state[i].linear)
            s->integrated[s->m++] = (int)i;
    }
    s->has_one = has_constant_input(y);
    if (s->has_one)
        add_state(s, s->n++, -1);
    for (size_t i = 0; i < y->n_states; i++)
        if (y->state[i].needed && lives[i] && y->state[i].linear && y->state[i].kind == HL_PATCH_CONTENT)
            add_state(s, s->n + s->n_contents++, (int)i);
}

/* dx/dt of ordinary states by ordinary states. */
static void collect_entries(struct hl_arena *arena, struct hl_forecast_system *s)
{
    const struct hl_system *y = s->system;
    s->entry = hl_arena_alloc(arena, y->n_coefs + 1, sizeof *s->entry);
    s->entry_reg = hl_arena_alloc(arena, y->n_coefs + 1, sizeof *s->entry_reg);
    for (size_t k = 0; k < y->n_coefs; k++) {
        int row = s->place[y->coef[k].row], col = y->coef[k].col < 0 ? (int)s->n - 1 : s->place[y->coef[k].col];
        if (row < 0 || col < 0 || row >= (int)s->n || col >= (int)s->n)
            continue;
        s->entry[s->n_entries] = (struct hl_forecast_pair){row, col};
        s->entry_reg[s->n_entries++] = y->coef[k].reg;
    }
}

/* Phi's entries: who is reached from whom. */
static void collect_pairs(struct hl_arena *arena, struct hl_forecast_system *s)
{
    size_t n = s->n;
    bool *reach = hl_arena_alloc(arena, n * n + 1, sizeof *reach);
    for (size_t i = 0; i < n; i++)
        reach[i * n + i] = true;
    for (size_t k = 0; k < s->n_entries; k++)
        reach[(size_t)s->entry[k].row * n + (size_t)s->entry[k].col] = true;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                reach[i * n + j] |= reach[i * n + k] && reach[k * n + j];
    s->pair = hl_arena_alloc(arena, n * n + 1, sizeof *s->pair);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (reach[i * n + j])
                s->pair[s->n_pairs++] = (struct hl_forecast_pair){(int)i, (int)j};
}

static int row_of(struct hl_forecast_system *s, int reg)
{
    if (reg >= 0 && s->row_of[reg] < 0) {
        s->row_of[reg] = (int)s->n_rows;
        s->reg_of[s->n_rows++] = reg;
    }
    return reg < 0 ? -1 : s->row_of[reg];
}

static struct hl_program rewritten(struct hl_arena *arena, struct hl_forecast_system *s,
                                   const struct hl_program *program)
{
    struct hl_program copy = {program->n, hl_arena_alloc(arena, program->n + 1, sizeof *copy.code)};
    for (size_t k = 0; k < program->n; k++) {
        const struct hl_instruction *in = &program->code[k];
        copy.code[k] = (struct hl_instruction){in->op, row_of(s, in->dst), row_of(s, in->a), row_of(s, in->b),
                                               row_of(s, in->c)};
    }
    return copy;
}

/* What nobody writes while time runs is a constant of the subject. */
static void find_constants(struct hl_forecast_system *s)
{
    for (size_t r = 0; r < s->n_rows; r++) {
        enum hl_register_kind kind = s->system->reg[s->reg_of[r]].kind;
        s->is_constant[r] = kind != HL_REG_STATE && kind != HL_REG_TIME && kind != HL_REG_TAD;
        /* states that don't live keep the zero their row begins with */
    }
    for (size_t k = 0; k < s->rates.n; k++)
        s->is_constant[s->rates.code[k].dst] = false;
    for (size_t k = 0; k < s->outputs.n; k++)
        s->is_constant[s->outputs.code[k].dst] = false;
}

/* A program as a whole, and for each of n rows alone. */
static void slice(struct hl_arena *arena, const struct hl_forecast_system *s, const struct hl_program *program,
                  const int *row, size_t n, struct hl_forecast_dual *whole, struct hl_forecast_dual **each)
{
    hl_forecast_dual_make(arena, program, s->is_constant, s->n_rows, row, n, whole);
    *each = hl_arena_alloc(arena, n + 1, sizeof **each);
    for (size_t i = 0; i < n; i++)
        hl_forecast_dual_make(arena, program, s->is_constant, s->n_rows, row + i, 1, *each + i);
}

static void compile(struct hl_arena *arena, struct hl_forecast_system *s, const struct hl_taper_problem *problem)
{
    const struct hl_system *y = s->system;
    s->row_of = hl_arena_alloc(arena, y->n_regs, sizeof *s->row_of);
    s->reg_of = hl_arena_alloc(arena, y->n_regs, sizeof *s->reg_of);
    s->is_constant = hl_arena_alloc(arena, y->n_regs, sizeof *s->is_constant);
    memset(s->row_of, -1, y->n_regs * sizeof *s->row_of);
    s->rates = rewritten(arena, s, &y->rhs_integrated);
    s->outputs = rewritten(arena, s, &y->outputs);
    s->x_row = hl_arena_alloc(arena, s->n + 1, sizeof *s->x_row);
    s->z_row = hl_arena_alloc(arena, s->m + 1, sizeof *s->z_row);
    s->dz_row = hl_arena_alloc(arena, s->m + 1, sizeof *s->dz_row);
    s->y_row = hl_arena_alloc(arena, problem->n_constraints + 1, sizeof *s->y_row);
    s->time_row = s->row_of[y->time_reg];
    for (size_t i = 0; i < s->n; i++)
        s->x_row[i] = s->state[i] < 0 ? -1 : s->row_of[y->state[s->state[i]].reg];
    for (size_t i = 0; i < s->m; i++) {
        s->z_row[i] = s->row_of[y->state[s->integrated[i]].reg];
        s->dz_row[i] = row_of(s, y->state[s->integrated[i]].derivative_reg);
    }
    for (size_t c = 0; c < problem->n_constraints; c++)
        s->y_row[c] = row_of(s, y->output[problem->constraint[c].output].reg);
    find_constants(s);
    slice(arena, s, &s->rates, s->dz_row, s->m, &s->rates_dual, &s->rate_of);
    slice(arena, s, &s->outputs, s->y_row, problem->n_constraints, &s->outputs_dual, &s->output_of);
}

/* Refusals that the programs show. */
static bool check(const struct hl_forecast_system *s, const struct hl_taper_problem *problem, struct hl_diag *diag)
{
    const struct hl_system *y = s->system;
    bool good = true;
    for (size_t i = 0; i < y->n_instances; i++)
        if (y->instance[i].tad_reg >= 0 && s->row_of[y->instance[i].tad_reg] >= 0) {
            hl_diag_error(diag, problem->constraint[0].pos,
                          "what is to be kept depends on tad, the time after a dose of %s; a taper can't be designed "
                          "on it, choose an output of amounts and concentrations", y->instance[i].alias);
            good = false;
        }
    for (size_t i = 0; i < s->n_contents; i++) {
        int reg = y->state[s->state[s->n + i]].reg;
        if (s->row_of[reg] < 0)
            continue;
        hl_diag_error(diag, problem->constraint[0].pos,
                      "what is to be kept depends on %s, what is left in a patch; choose an output of what has entered",
                      y->state[s->state[s->n + i]].name);
        good = false;
    }
    return good;
}

bool hl_forecast_system_make(struct hl_arena *arena, struct hl_forecast_system *s, const struct hl_system *system,
                             const bool *dosed, const struct hl_taper_problem *problem, struct hl_diag *diag)
{
    s->system = system;
    sort_states(arena, s, dosed);
    collect_entries(arena, s);
    collect_pairs(arena, s);
    compile(arena, s, problem);
    return check(s, problem, diag);
}
