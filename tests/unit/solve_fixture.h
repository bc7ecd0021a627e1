/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Systems made by hand, for tests of solving: states with a rate matrix per subject, one route into each state, one output
 * per state (its value), and whatever else a test writes into the programs. */
#ifndef TESTS_UNIT_SOLVE_FIXTURE_H
#define TESTS_UNIT_SOLVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/ops.h"
#include "solve/solve.h"

#define MOST_STATES 16
#define MOST_REGS 1024
#define MOST_CODE 1024

struct fixture {
    struct hl_arena *arena;
    struct hl_system system;
    struct hl_regimen regimen;
    struct hl_diag *diag;
    int zero, one;
    size_t n_linear;                 /* states with coefficients; the others follow */
    double **value;                  /* by register: its value per lane, or NULL for initial[] */
};

static inline int fixture_reg(struct fixture *f, enum hl_register_kind kind, double value)
{
    struct hl_system *s = &f->system;
    assert_true(s->n_regs < MOST_REGS);
    s->reg[s->n_regs] = (struct hl_register){.kind = kind};
    s->initial[s->n_regs] = value;
    return (int)s->n_regs++;
}

static inline void fixture_code(struct fixture *f, struct hl_program *p, int op, int dst, int a, int b, int c)
{
    (void)f;
    assert_true(p->n < MOST_CODE);
    p->code[p->n++] = (struct hl_instruction){op, dst, a, b, c};
}

/* n states, the first n_linear of them linear; one instance, a drug. */
static inline struct fixture *fixture_create(size_t n, size_t n_linear)
{
    struct hl_arena *arena = hl_arena_create();
    struct fixture *f = hl_arena_alloc(arena, 1, sizeof *f);
    struct hl_system *s = &f->system;
    f->arena = arena;
    f->diag = hl_diag_create();
    f->n_linear = n_linear;
    f->value = hl_arena_alloc(arena, MOST_REGS, sizeof *f->value);
    s->reg = hl_arena_alloc(arena, MOST_REGS, sizeof *s->reg);
    s->initial = hl_arena_alloc(arena, MOST_REGS, sizeof *s->initial);
    s->state = hl_arena_alloc(arena, n, sizeof *s->state);
    s->coef = hl_arena_alloc(arena, MOST_CODE, sizeof *s->coef);
    s->route = hl_arena_alloc(arena, n, sizeof *s->route);
    s->output = hl_arena_alloc(arena, n, sizeof *s->output);
    s->instance = hl_arena_alloc(arena, 4, sizeof *s->instance);
    struct hl_program *program[] = {&s->rhs, &s->rhs_integrated, &s->outputs};
    for (size_t k = 0; k < 3; k++)
        program[k]->code = hl_arena_alloc(arena, MOST_CODE, sizeof(struct hl_instruction));
    f->zero = fixture_reg(f, HL_REG_CONSTANT, 0);
    f->one = fixture_reg(f, HL_REG_CONSTANT, 1);
    s->time_reg = fixture_reg(f, HL_REG_TIME, 0);
    s->n_instances = 1;
    s->instance[0] = (struct hl_system_instance){.alias = "drug", .is_drug = true, .tad_reg = -1};
    s->integrated = n_linear < n;
    for (size_t i = 0; i < n; i++) {
        struct hl_state *x = &s->state[s->n_states++];
        *x = (struct hl_state){.name = "x", .needed = true, .linear = i < n_linear, .initial_reg = f->zero,
                               .unit = {.factor = 1}};
        x->reg = fixture_reg(f, HL_REG_STATE, 0);
        x->derivative_reg = fixture_reg(f, HL_REG_DERIVATIVE, 0);
        struct hl_route_part *part = hl_arena_alloc(arena, 1, sizeof *part);
        *part = (struct hl_route_part){.state = (int)i, .input = HL_INPUT_BOLUS, .fraction_reg = -1,
                                       .bioavailability_reg = -1, .lag_reg = -1, .input_reg = -1};
        s->route[s->n_routes++] = (struct hl_route){.name = "r", .n_parts = 1, .part = part, .nominal_reg = -1,
                                                    .content_reg = -1, .rate_reg = -1, .lag_reg = -1};
        struct hl_output *y = &s->output[s->n_outputs++];
        *y = (struct hl_output){.name = "y", .linear = i < n_linear, .offset_reg = -1, .n_coefs = 1};
        y->coef = hl_arena_alloc(arena, 1, sizeof *y->coef);
        y->coef[0] = (struct hl_coefficient){.col = (int)i, .reg = f->one};
        y->reg = fixture_reg(f, HL_REG_OUTPUT, 0);
        fixture_code(f, &s->outputs, HL_OP_COPY, y->reg, x->reg, -1, -1);
    }
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    hl_diag_free(f->diag);
    hl_arena_free(f->arena);
}

/* A register with a value of its own for each of n lanes. */
static inline int fixture_values(struct fixture *f, const double *value, size_t n)
{
    int reg = fixture_reg(f, HL_REG_COEFFICIENT, value[0]);
    f->value[reg] = hl_arena_alloc(f->arena, n, sizeof(double));
    f->system.reg[reg].individual = true;
    memcpy(f->value[reg], value, n * sizeof(double));
    return reg;
}

static inline void fixture_entry(struct fixture *f, int row, int col, int reg)
{
    f->system.coef[f->system.n_coefs++] = (struct hl_coefficient){row, col, reg};
}

/* First-order flow a -> b (b == -1: out of the body) with the rate in two registers, + and -. */
static inline void fixture_flow_regs(struct fixture *f, int a, int b, int plus, int minus)
{
    fixture_entry(f, a, a, minus);
    if (b >= 0)
        fixture_entry(f, b, a, plus);
}

static inline void fixture_flow(struct fixture *f, int a, int b, double k)
{
    fixture_flow_regs(f, a, b, fixture_reg(f, HL_REG_COEFFICIENT, k), fixture_reg(f, HL_REG_COEFFICIENT, -k));
}

/* Writes the program of all linear rates into p; call it when all coefficients are there, before other rates. */
static inline void fixture_linear_rates(struct fixture *f, struct hl_program *p)
{
    struct hl_system *s = &f->system;
    int product = fixture_reg(f, HL_REG_TEMPORARY, 0);
    for (size_t i = 0; i < f->n_linear; i++)
        fixture_code(f, p, HL_OP_COPY, s->state[i].derivative_reg, f->zero, -1, -1);
    for (size_t k = 0; k < s->n_coefs; k++) {
        const struct hl_coefficient *c = &s->coef[k];
        int d = s->state[c->row].derivative_reg, term = c->reg;
        if (c->col >= 0)
            fixture_code(f, p, HL_OP_MUL, term = product, c->reg, s->state[c->col].reg, -1);
        fixture_code(f, p, HL_OP_ADD, d, d, term, -1);
    }
}

static inline void fixture_dose(struct fixture *f, struct hl_dose dose)
{
    struct hl_regimen *r = &f->regimen;
    struct hl_dose *grown = hl_arena_alloc(f->arena, r->n_doses + 1, sizeof *grown);
    if (r->n_doses > 0)
        memcpy(grown, r->dose, r->n_doses * sizeof *grown);
    grown[r->n_doses] = dose;
    r->dose = grown;
    r->n_doses++;
}

static inline void fixture_bolus(struct fixture *f, double time, int state, double amount)
{
    fixture_dose(f, (struct hl_dose){.time = time, .route = state, .kind = HL_DOSE_GIVEN, .amount = amount});
}

static inline void fixture_infusion(struct fixture *f, double time, int state, double rate, double duration)
{
    fixture_dose(f, (struct hl_dose){.time = time, .route = state, .kind = HL_DOSE_INFUSION, .rate = rate,
                                     .amount = rate * duration, .duration = duration});
}

/* While it is true every subject is integrated by itself. */
static bool fixture_lane_by_lane;

struct solution { double *out; signed char *status; size_t n_times, lanes; };

static inline double at(const struct solution *s, size_t state, size_t k, size_t lane)
{
    return s->out[(state * s->n_times + k) * s->lanes + lane];
}

/* Solves n subjects in a block of that many lanes (rounded up); all states are outputs. first is the register lane 0 takes
 * its values from: fixtures of 64 lanes can be solved piecewise. */
static inline struct solution fixture_solve_with(struct fixture *f, struct hl_solver *solver, size_t first, size_t n,
                                                 const double *time, size_t n_times,
                                                 const struct hl_listener *listener)
{
    struct hl_system *s = &f->system;
    size_t lanes = (n + HL_LANES - 1) / HL_LANES * HL_LANES;
    int output[MOST_STATES];
    for (size_t k = 0; k < s->n_outputs; k++)
        output[k] = (int)k;
    double *regs = hl_alloc(s->n_regs * lanes, sizeof *regs);
    struct solution result = {.n_times = n_times, .lanes = lanes};
    result.out = hl_alloc(s->n_outputs * n_times * lanes, sizeof *result.out);
    result.status = hl_alloc(lanes, sizeof *result.status);
    for (size_t r = 0; r < s->n_regs; r++)
        for (size_t l = 0; l < lanes; l++)
            regs[r * lanes + l] = f->value[r] ? f->value[r][first + (l < n ? l : n - 1)] : s->initial[r];
    struct hl_block block = {.first = 1 + first, .n = n, .lanes = lanes, .regs = regs, .status = result.status,
                             .out = result.out};
    assert_int_equal(hl_solver_run(solver, &block, output, s->n_outputs, time, n_times, listener), HL_OK);
    hl_free(regs);
    return result;
}

/* The same by a solver of its own. */
static inline struct solution fixture_solve_from(struct fixture *f, const char *solver, double tolerance, size_t first,
                                                 size_t n, const double *time, size_t n_times,
                                                 const struct hl_listener *listener)
{
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, solver, tolerance, f->diag);
    assert_non_null(plan);
    struct hl_solver *solve = hl_solver_create(plan, (n + HL_LANES - 1) / HL_LANES * HL_LANES);
    assert_non_null(solve);
    if (fixture_lane_by_lane)
        hl_solver_lane_by_lane(solve);
    struct solution result = fixture_solve_with(f, solve, first, n, time, n_times, listener);
    hl_solver_free(solve);
    hl_plan_free(plan);
    return result;
}

static inline struct solution fixture_solve(struct fixture *f, const char *solver, double tolerance, size_t n,
                                            const double *time, size_t n_times)
{
    return fixture_solve_from(f, solver, tolerance, 0, n, time, n_times, NULL);
}

static inline void solution_free(struct solution *s)
{
    hl_free(s->out);
    hl_free(s->status);
}

/* Fails naming quantity, both values and the tolerance when |a - b| > tolerance. */
#define assert_near(what, a, b, tolerance) near_at(what, a, b, tolerance, __FILE__, __LINE__)

static inline void near_at(const char *what, double a, double b, double tolerance, const char *file, int line)
{
    if (fabs(a - b) <= tolerance)
        return;
    print_error("%s: %.17g against %.17g, difference %.3g, allowed %.3g\n", what, a, b, fabs(a - b), tolerance);
    _fail(file, line);
}

#endif
