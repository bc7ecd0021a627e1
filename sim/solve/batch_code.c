/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a program over registers to sums of series.
 *
 * The program is read once, instruction by instruction, and every register's present value is known as
 *     constant + sum coefficient_i * slot_i,
 * coefficients being constants of a subject and slots series: integrated states, modes of exact states, clocks, and the
 * results of what isn't linear. Sums, differences and products with constants stay such forms and cost nothing; a
 * product or quotient of two moving values makes a new slot, after factors have been taken out of single terms. What
 * only combines constants goes to a program of its own that is run once per subject.
 *
 * For Michaelis-Menten elimination, Vmax c / (Km + c) with c = A/V, there remain a sum (Km + A/V), a quotient A / sum
 * and the coefficient Vmax/V. Rounding differs from that of the program as written, by units of 1e-16.
 *
 * Comparisons. a > b is the sign of the series a - b, a switch: constant until it changes, where the integrator stops
 * (batch_switch.c). So a condition is a row of the file like any constant, only that it is written anew when a switch
 * turns, and so are and, or, not of conditions, and whatever else combines only these and constants: coefficients in
 * the sums, for instance the rate constant if(Ce > T, k1, k2). A choice between moving values is made coefficient by
 * coefficient where both are sums of states; else it is an operation that takes one series or the other. min, max and
 * abs are choices. Equality of moving values has no series. */
#include "solve/batch_code.h"

#include <string.h>

#include "base/memory.h"
#include "model/ops.h"

struct form {
    int constant;                    /* row, -1 for 0 */
    size_t n;
    struct hl_batch_term *term;      /* slots ascending */
    int slot;                        /* where it stands as a series, -1 when nowhere yet */
};

struct maker {
    struct hl_batch_program *program;
    const struct hl_plan *plan;
    struct hl_arena *arena;
    struct form nowhere;             /* stands for what has no form here */
    struct form **value;             /* by register; NULL: the register itself, a constant */
    struct hl_instruction *constants; size_t constants_capacity;
    struct hl_batch_term *term; size_t n_terms, term_capacity;
    struct hl_batch_op *op; size_t op_capacity;
    struct hl_batch_rate *rate; size_t rate_capacity;
    bool *chosen; size_t chosen_capacity; /* by row: depends on switches */
    struct hl_instruction *choices; size_t choices_capacity;
    struct hl_batch_switch *flip; size_t flip_capacity;
    int nought;                      /* row of zeros, -1 until someone asks */
    size_t n_base;                   /* slots that aren't results of operations */
    const struct hl_program *source; /* what is rewritten, */
    const bool *needed;              /* by instruction: of it; NULL for all */
    const bool *read;                /* by state: it reads it */
    const bool *shown;               /* by state: an output that isn't linear reads it; NULL for none */
};

/* Room for one more: arrays in an arena grow by doubling. */
static void *room(struct maker *m, void *array, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 32;
    void *grown = hl_arena_alloc(m->arena, *capacity, size);
    if (n > 0)
        memcpy(grown, array, n * size);
    return grown;
}

/* ---- Constants: rows of the file; as a coefficient -1 means 1, as an addend 0 */

static int new_row(struct maker *m)
{
    m->chosen = room(m, m->chosen, m->program->n_rows, &m->chosen_capacity, sizeof *m->chosen);
    return (int)m->program->n_rows++;
}

static bool depends_on_switches(const struct maker *m, int row)
{
    return row >= 0 && m->chosen[row];
}

static int compute(struct maker *m, int op, int a, int b, int c)
{
    bool chosen = depends_on_switches(m, a) || depends_on_switches(m, b) || depends_on_switches(m, c);
    struct hl_program *p = chosen ? &m->program->choices : &m->program->constants;
    struct hl_instruction **code = chosen ? &m->choices : &m->constants;
    *code = room(m, *code, p->n, chosen ? &m->choices_capacity : &m->constants_capacity, sizeof **code);
    p->code = *code;
    int row = new_row(m);
    m->chosen[row] = chosen;
    p->code[p->n++] = (struct hl_instruction){op, row, a, b, c};
    return row;
}

static int nought(struct maker *m)
{
    if (m->nought < 0)
        m->nought = compute(m, HL_OP_SUB, m->program->one, m->program->one, -1);
    return m->nought;
}

static int times(struct maker *m, int a, int b)
{
    return a < 0 ? b : b < 0 ? a : compute(m, HL_OP_MUL, a, b, -1);
}

static int over(struct maker *m, int a, int b)
{
    return b < 0 ? a : compute(m, HL_OP_DIV, a < 0 ? m->program->one : a, b, -1);
}

static int negative(struct maker *m, int a)
{
    return compute(m, HL_OP_NEG, a < 0 ? m->program->one : a, -1, -1);
}

static int plus(struct maker *m, int a, int b)
{
    return a < 0 ? b : b < 0 ? a : compute(m, HL_OP_ADD, a, b, -1);
}

/* ---- Forms */

static struct form *new_form(struct maker *m, size_t n)
{
    struct form *f = hl_arena_alloc(m->arena, 1, sizeof *f);
    f->term = hl_arena_alloc(m->arena, n, sizeof *f->term);
    f->constant = f->slot = -1;
    return f;
}

static struct form *form_of_row(struct maker *m, int row)
{
    struct form *f = new_form(m, 0);
    f->constant = row;
    return f;
}

static struct form *form_of_slot(struct maker *m, int slot)
{
    struct form *f = new_form(m, 1);
    f->term[f->n++] = (struct hl_batch_term){slot, -1};
    f->slot = slot;
    return f;
}

static bool is_constant(const struct form *f)
{
    return f->n == 0;
}

/* A constant's row. */
static int row_of(struct maker *m, const struct form *f)
{
    return f->constant >= 0 ? f->constant : nought(m);
}

static struct form *scaled(struct maker *m, const struct form *f, int coef, bool divide)
{
    struct form *g = new_form(m, f->n);
    for (size_t i = 0; i < f->n; i++)
        g->term[g->n++] = (struct hl_batch_term){
            f->term[i].slot, divide ? over(m, f->term[i].coef, coef) : times(m, f->term[i].coef, coef)};
    if (f->constant >= 0)
        g->constant = divide ? over(m, f->constant, coef) : times(m, f->constant, coef);
    return g;
}

static struct form *turned(struct maker *m, const struct form *f)
{
    struct form *g = new_form(m, f->n);
    for (size_t i = 0; i < f->n; i++)
        g->term[g->n++] = (struct hl_batch_term){f->term[i].slot, negative(m, f->term[i].coef)};
    g->constant = f->constant >= 0 ? negative(m, f->constant) : -1;
    return g;
}

static struct form *sum_of(struct maker *m, const struct form *f, const struct form *g)
{
    struct form *s = new_form(m, f->n + g->n);
    s->constant = plus(m, f->constant, g->constant);
    for (size_t i = 0, j = 0; i < f->n || j < g->n;) {
        if (j == g->n || (i < f->n && f->term[i].slot < g->term[j].slot)) {
            s->term[s->n++] = f->term[i++];
        } else if (i == f->n || g->term[j].slot < f->term[i].slot) {
            s->term[s->n++] = g->term[j++];
        } else {
            int one = m->program->one, a = f->term[i].coef, b = g->term[j].coef;
            int coef = compute(m, HL_OP_ADD, a < 0 ? one : a, b < 0 ? one : b, -1);
            s->term[s->n++] = (struct hl_batch_term){f->term[i].slot, coef};
            i++, j++;
        }
    }
    return s;
}

static struct hl_batch_sum keep_sum(struct maker *m, const struct form *f)
{
    struct hl_batch_sum sum = {m->n_terms, f->n, f->constant};
    for (size_t i = 0; i < f->n; i++) {
        m->term = room(m, m->term, m->n_terms, &m->term_capacity, sizeof *m->term);
        m->term[m->n_terms++] = f->term[i];
    }
    return sum;
}

/* The slot that holds the same already, -1 when none does. Sums are never looked for: they cost little. */
static int same_op(const struct maker *m, const struct hl_batch_op *op)
{
    for (size_t k = 0; op->kind != HL_BATCH_SUM && op->kind != HL_BATCH_GIVEN && k < m->program->code.n_ops; k++) {
        const struct hl_batch_op *other = &m->op[k];
        bool straight = other->a == op->a && other->b == op->b;
        bool crossed = op->kind == HL_BATCH_PRODUCT && other->a == op->b && other->b == op->a;
        if (other->kind == op->kind && other->coef == op->coef && (straight || crossed))
            return other->dst;
    }
    return -1;
}

static int new_op(struct maker *m, struct hl_batch_op op)
{
    struct hl_batch_code *code = &m->program->code;
    int same = same_op(m, &op);
    if (same >= 0)
        return same;
    m->op = room(m, m->op, code->n_ops, &m->op_capacity, sizeof *m->op);
    op.dst = (int)code->n_slots++;
    m->op[code->n_ops++] = op;
    return op.dst;
}

/* The slot in which a form stands as a series. */
static int slot_of(struct maker *m, struct form *f)
{
    if (f->slot < 0)
        f->slot = new_op(m, (struct hl_batch_op){.kind = HL_BATCH_SUM, .a = -1, .sum = keep_sum(m, f)});
    return f->slot;
}

/* f = *coef * slot, with a coefficient taken out of a single term. */
static int factored(struct maker *m, struct form *f, int *coef)
{
    *coef = -1;
    if (f->n != 1 || f->constant >= 0)
        return slot_of(m, f);
    *coef = f->term[0].coef;
    return f->term[0].slot;
}

static struct form *one_term(struct maker *m, int slot, int coef)
{
    struct form *f = form_of_slot(m, slot);
    f->term[0].coef = coef;
    f->slot = coef < 0 ? slot : -1;
    return f;
}

/* ---- Operations */

/* The denominator of 1 / denominator; -1 when the slot is anything else. */
static int inverse_of(const struct maker *m, int slot)
{
    for (size_t k = 0; k < m->program->code.n_ops; k++)
        if (m->op[k].dst == slot && m->op[k].kind == HL_BATCH_QUOTIENT && m->op[k].a < 0)
            return m->op[k].b;
    return -1;
}

/* x times 1 / y is x / y: a clearance Vmax / (Km + c), times c, needs one series instead of two. */
static struct form *product_of(struct maker *m, struct form *f, struct form *g)
{
    if (is_constant(f) || is_constant(g)) {
        struct form *moving = is_constant(f) ? g : f, *still = is_constant(f) ? f : g;
        return still->constant < 0 ? new_form(m, 0) : scaled(m, moving, still->constant, false);
    }
    int p, q, a = factored(m, f, &p), b = factored(m, g, &q), below_a = inverse_of(m, a), below_b = inverse_of(m, b);
    struct hl_batch_op op = {.kind = HL_BATCH_PRODUCT, .a = a, .b = b};
    if (below_b >= 0)
        op = (struct hl_batch_op){.kind = HL_BATCH_QUOTIENT, .a = a, .b = below_b};
    else if (below_a >= 0)
        op = (struct hl_batch_op){.kind = HL_BATCH_QUOTIENT, .a = b, .b = below_a};
    return one_term(m, new_op(m, op), times(m, p, q));
}

static struct form *quotient_of(struct maker *m, struct form *f, struct form *g)
{
    if (is_constant(g))
        return scaled(m, f, g->constant, true);
    int p = f->constant, q, a = is_constant(f) ? -1 : factored(m, f, &p), b = factored(m, g, &q);
    if (is_constant(f) && f->constant < 0)
        return new_form(m, 0);
    return one_term(m, new_op(m, (struct hl_batch_op){.kind = HL_BATCH_QUOTIENT, .a = a, .b = b}), over(m, p, q));
}

static struct form *function_of(struct maker *m, enum hl_batch_kind kind, struct form *f)
{
    int a = slot_of(m, f);
    return form_of_slot(m, new_op(m, (struct hl_batch_op){.kind = kind, .a = a, .b = a}));
}

static struct form *power_of(struct maker *m, struct form *f, int exponent)
{
    int a = slot_of(m, f);
    return form_of_slot(m, new_op(m, (struct hl_batch_op){.kind = HL_BATCH_POWER, .a = a, .b = a, .coef = exponent}));
}

/* True when a row holds this number for every subject. */
static bool is_number(const struct maker *m, int row, double number)
{
    const struct hl_system *system = m->plan->system;
    return row >= 0 && (size_t)row < system->n_regs && system->reg[row].kind == HL_REG_CONSTANT
           && system->initial[row] == number; /* the very number */
}

/* x^n; a small whole n by products, which have a series at 0 too. */
static struct form *whole_power_of(struct maker *m, struct form *f, int n)
{
    if (is_number(m, n, 1.0))
        return f;
    if (is_number(m, n, 2.0))
        return product_of(m, f, f);
    if (is_number(m, n, 3.0))
        return product_of(m, product_of(m, f, f), f);
    return power_of(m, f, n);
}


/* a^b = e^(b log a), b moving. */
static struct form *moving_power_of(struct maker *m, struct form *a, struct form *b)
{
    struct form *log_a = is_constant(a) ? form_of_row(m, compute(m, HL_OP_LOG, row_of(m, a), -1, -1))
                                        : function_of(m, HL_BATCH_LOG, a);
    return function_of(m, HL_BATCH_EXP, product_of(m, b, log_a));
}

static struct form *root_of(struct maker *m, struct form *a)
{
    int one = m->program->one, two = compute(m, HL_OP_ADD, one, one, -1);
    return power_of(m, a, compute(m, HL_OP_DIV, one, two, -1));
}

/* 1 / (1 + e^-a) */
static struct form *expit_of(struct maker *m, struct form *a)
{
    struct form *one = form_of_row(m, m->program->one);
    return quotient_of(m, one, sum_of(m, one, function_of(m, HL_BATCH_EXP, turned(m, a))));
}

/* Phi(a)' = e^(-a^2 / 2) / sqrt(2 pi) a' */
static struct form *phi_of(struct maker *m, struct form *a)
{
    int one = m->program->one, two = compute(m, HL_OP_ADD, one, one, -1);
    struct form *square = product_of(m, a, a);
    struct form *density = function_of(m, HL_BATCH_EXP, scaled(m, turned(m, square), two, true));
    struct hl_batch_op op = {.kind = HL_BATCH_PHI, .a = slot_of(m, a), .b = slot_of(m, density)};
    return form_of_slot(m, new_op(m, op));
}

/* ---- Choices */

/* The row that is 1 where f is positive. f moves. */
static int positive(struct maker *m, struct form *f, bool zero_too)
{
    struct hl_batch_program *p = m->program;
    int slot = slot_of(m, f), row = new_row(m);
    m->chosen[row] = true;
    m->flip = room(m, m->flip, p->n_switches, &m->flip_capacity, sizeof *m->flip);
    m->flip[p->n_switches++] = (struct hl_batch_switch){slot, row, zero_too};
    p->flip = m->flip;
    return row;
}

/* A sum of what is never infinite: states, modes and clocks. */
static bool is_plain(const struct maker *m, const struct form *f)
{
    return f->n == 0 || (size_t)f->term[f->n - 1].slot < m->n_base;
}

static int chosen_row(struct maker *m, int condition, int a, int b)
{
    return a == b ? a : compute(m, HL_OP_SELECT, condition, a, b);
}

/* Coefficient by coefficient. */
static struct form *choice_of_sums(struct maker *m, int condition, const struct form *f, const struct form *g)
{
    struct form *s = new_form(m, f->n + g->n);
    int one = m->program->one;
    for (size_t i = 0, j = 0; i < f->n || j < g->n;) {
        bool of_f = j == g->n || (i < f->n && f->term[i].slot <= g->term[j].slot);
        bool of_g = i == f->n || (j < g->n && g->term[j].slot <= f->term[i].slot);
        int slot = of_f ? f->term[i].slot : g->term[j].slot;
        int a = !of_f ? nought(m) : f->term[i].coef < 0 ? one : f->term[i].coef;
        int b = !of_g ? nought(m) : g->term[j].coef < 0 ? one : g->term[j].coef;
        s->term[s->n++] = (struct hl_batch_term){slot, chosen_row(m, condition, a, b)};
        i += of_f;
        j += of_g;
    }
    if (f->constant >= 0 || g->constant >= 0)
        s->constant = chosen_row(m, condition, row_of(m, f), row_of(m, g));
    return s;
}

/* f where the row condition isn't 0, else g. */
static struct form *choice_of(struct maker *m, int condition, struct form *f, struct form *g)
{
    if (is_plain(m, f) && is_plain(m, g))
        return choice_of_sums(m, condition, f, g);
    int a = slot_of(m, f), b = slot_of(m, g);
    struct hl_batch_op op = {.kind = HL_BATCH_SELECT, .a = a, .b = b, .coef = condition};
    return form_of_slot(m, new_op(m, op));
}

/* C^n / (C^n + K^n), n constant; 0 while C isn't positive, where powers have no series. */
static struct form *hill_of(struct maker *m, struct form *C, struct form *K, int n)
{
    struct form *u = whole_power_of(m, C, n);
    struct form *v = is_constant(K) ? form_of_row(m, compute(m, HL_OP_POW, row_of(m, K), n, -1))
                                    : whole_power_of(m, K, n);
    struct form *share = quotient_of(m, u, sum_of(m, u, v));
    if (is_constant(C) || is_number(m, n, 1.0) || is_number(m, n, 2.0) || is_number(m, n, 3.0))
        return share;
    return choice_of(m, positive(m, C, false), share, new_form(m, 0));
}

static struct form *comparison_of(struct maker *m, enum hl_op op, struct form *a, struct form *b)
{
    bool falls = op == HL_OP_LT || op == HL_OP_LE; /* true where a - b isn't positive */
    int row = positive(m, sum_of(m, a, turned(m, b)), op == HL_OP_GE || op == HL_OP_LT);
    return form_of_row(m, falls ? compute(m, HL_OP_NOT, row, -1, -1) : row);
}

static struct form *smaller_of(struct maker *m, struct form *a, struct form *b)
{
    return choice_of(m, positive(m, sum_of(m, a, turned(m, b)), true), b, a);
}

static struct form *larger_of(struct maker *m, struct form *a, struct form *b)
{
    return choice_of(m, positive(m, sum_of(m, a, turned(m, b)), false), a, b);
}

static struct form *magnitude_of(struct maker *m, struct form *a)
{
    int one = m->program->one, sign = chosen_row(m, positive(m, a, true), one, negative(m, one));
    return scaled(m, a, sign, false);
}

/* ---- Registers */

static int new_slot_with_rate(struct maker *m, struct hl_batch_sum sum, int inflow)
{
    struct hl_batch_code *code = &m->program->code;
    m->rate = room(m, m->rate, code->n_rates, &m->rate_capacity, sizeof *m->rate);
    m->rate[code->n_rates] = (struct hl_batch_rate){(int)code->n_slots, sum, inflow};
    code->n_rates++;
    return (int)code->n_slots++;
}

/* needed: by instruction, NULL for all. */
static bool program_reads(const struct hl_program *program, const bool *needed, int reg)
{
    for (size_t k = 0; k < program->n; k++) {
        const struct hl_instruction *in = &program->code[k];
        if ((!needed || needed[k]) && (in->a == reg || in->b == reg || in->c == reg))
            return true;
    }
    return false;
}

static bool reads(const struct maker *m, int reg)
{
    return program_reads(m->source, m->needed, reg);
}

static void set_clocks(struct maker *m)
{
    const struct hl_system *system = m->plan->system;
    struct hl_batch_program *p = m->program;
    p->time_slot = -1;
    p->clock = hl_arena_alloc(m->arena, system->n_instances, sizeof *p->clock);
    for (size_t i = 0; i <= system->n_instances; i++) {
        int reg = i < system->n_instances ? system->instance[i].tad_reg : system->time_reg;
        if (reg < 0 || !reads(m, reg))
            continue;
        int running = i < system->n_instances ? new_row(m) : p->one;
        int slot = new_slot_with_rate(m, keep_sum(m, form_of_row(m, running)), -1);
        m->value[reg] = form_of_slot(m, slot);
        if (i < system->n_instances)
            p->clock[p->n_clocks++] = (struct hl_batch_clock){i, slot, running};
        else
            p->time_slot = slot;
    }
}

static bool any_is_read(const bool *read, const struct hl_component *component)
{
    for (size_t i = 0; i < component->shape.n; i++)
        if (read[component->state[i]])
            return true;
    return false;
}

static void set_modes(struct maker *m, size_t c)
{
    struct hl_batch_program *p = m->program;
    const struct hl_component *component = &m->plan->component[c];
    size_t first = p->n_modes, n = component->shape.n;
    bool moves = any_is_read(m->read, component);
    for (size_t j = 0; j < n; j++) {
        struct hl_batch_mode *mode = &p->mode[p->n_modes++];
        *mode = (struct hl_batch_mode){.component = c, .place = j, .slot = -1, .lambda = new_row(m),
                                       .input = new_row(m)};
        if (!moves)
            continue;
        struct form *f = one_term(m, (int)p->code.n_slots, mode->lambda);
        f->constant = mode->input;
        mode->slot = new_slot_with_rate(m, keep_sum(m, f), -1);
    }
    for (size_t i = 0; i < n; i++) {
        if (!m->read[component->state[i]])
            continue;
        struct form *x = new_form(m, n);
        for (size_t j = 0; j < n; j++) {
            if (!component->shape.reach[i * n + j])
                continue;
            struct hl_batch_view *view = &p->view[p->n_views++];
            *view = (struct hl_batch_view){first + j, i, new_row(m)};
            x->term[x->n++] = (struct hl_batch_term){p->mode[first + j].slot, view->row};
        }
        m->value[m->plan->system->state[component->state[i]].reg] = x;
    }
}

static void set_exact_states(struct maker *m)
{
    struct hl_batch_program *p = m->program;
    const struct hl_plan *plan = m->plan;
    size_t most_views = 0;
    p->component_used = hl_arena_alloc(m->arena, plan->n_components, sizeof *p->component_used);
    for (size_t c = 0; c < plan->n_components; c++) {
        most_views += plan->component[c].shape.n * plan->component[c].shape.n;
        p->component_used[c] = any_is_read(m->read, &plan->component[c])
                               || (m->shown && any_is_read(m->shown, &plan->component[c]));
    }
    p->mode = hl_arena_alloc(m->arena, plan->n_modes, sizeof *p->mode);
    p->view = hl_arena_alloc(m->arena, most_views, sizeof *p->view);
    for (size_t c = 0; c < plan->n_components; c++)
        if (p->component_used[c])
            set_modes(m, c);
}

static struct form *operand(struct maker *m, int reg)
{
    return reg < 0 ? NULL : m->value[reg] ? m->value[reg] : form_of_row(m, reg);
}

/* What an instruction leaves; NULL when it has no series here. */
static struct form *result_of(struct maker *m, const struct hl_instruction *in)
{
    struct form *a = operand(m, in->a), *b = operand(m, in->b), *c = operand(m, in->c);
    if (is_constant(a) && (!b || is_constant(b)) && (!c || is_constant(c)))
        return form_of_row(m, compute(m, in->op, row_of(m, a), b ? row_of(m, b) : -1, c ? row_of(m, c) : -1));
    switch ((enum hl_op)in->op) {
    case HL_OP_COPY: return a;
    case HL_OP_NEG: return turned(m, a);
    case HL_OP_ADD: return sum_of(m, a, b);
    case HL_OP_SUB: return sum_of(m, a, turned(m, b));
    case HL_OP_MUL: return product_of(m, a, b);
    case HL_OP_DIV: return is_constant(b) && b->constant < 0 ? NULL : quotient_of(m, a, b);
    case HL_OP_EXP: return function_of(m, HL_BATCH_EXP, a);
    case HL_OP_LOG: return function_of(m, HL_BATCH_LOG, a);
    case HL_OP_SQRT: return root_of(m, a);
    case HL_OP_EXPIT: return expit_of(m, a);
    case HL_OP_PHI: return phi_of(m, a);
    case HL_OP_POW: return is_constant(b) ? whole_power_of(m, a, row_of(m, b)) : moving_power_of(m, a, b);
    case HL_OP_HILL: return is_constant(c) ? hill_of(m, a, b, row_of(m, c)) : NULL;
    case HL_OP_LT: case HL_OP_LE: case HL_OP_GT: case HL_OP_GE: return comparison_of(m, (enum hl_op)in->op, a, b);
    case HL_OP_STEP: return form_of_row(m, positive(m, a, true));
    case HL_OP_SELECT: return is_constant(a) ? choice_of(m, row_of(m, a), b, c) : NULL;
    case HL_OP_MIN: return smaller_of(m, a, b);
    case HL_OP_MAX: return larger_of(m, a, b);
    case HL_OP_ABS: return magnitude_of(m, a);
    default: return NULL;
    }
}

static void set_states(struct maker *m)
{
    const struct hl_plan *plan = m->plan;
    for (size_t i = 0; i < plan->n_integrated; i++)
        m->value[plan->system->state[plan->integrated[i]].reg] =
            form_of_slot(m, new_slot_with_rate(m, (struct hl_batch_sum){0, 0, -1}, (int)i));
}

/* ---- Programs */

/* What an instruction of the outputs' program leaves, as far as it is linear in integrated states. */
static struct form *shown_result(struct maker *m, const struct hl_instruction *in)
{
    const int reg[] = {in->a, in->b, in->c};
    bool constant[] = {true, true, true};
    for (size_t i = 0; i < 3; i++) {
        const struct form *f = reg[i] < 0 ? NULL : m->value[reg[i]];
        if (f == &m->nowhere)
            return &m->nowhere;
        constant[i] = !f || is_constant(f);
    }
    bool sum = in->op == HL_OP_COPY || in->op == HL_OP_NEG || in->op == HL_OP_ADD || in->op == HL_OP_SUB;
    bool scaled = (in->op == HL_OP_MUL && (constant[0] || constant[1])) || (in->op == HL_OP_DIV && constant[1]);
    struct form *f = sum || scaled || (constant[0] && constant[1] && constant[2]) ? result_of(m, in) : NULL;
    return f ? f : &m->nowhere;
}

/* Outputs that are linear in integrated states are series like these: nothing is left to compute at an output time. */
static void set_outputs(struct maker *m)
{
    const struct hl_system *system = m->plan->system;
    for (size_t k = 0; k < m->plan->rhs->n; k++)
        m->value[m->plan->rhs->code[k].dst] = &m->nowhere;
    for (size_t k = 0; k < system->n_states; k++)
        if (m->plan->integrated_of[k] < 0)
            m->value[system->state[k].reg] = &m->nowhere;
    m->value[system->time_reg] = &m->nowhere;
    for (size_t i = 0; i < system->n_instances; i++)
        if (system->instance[i].tad_reg >= 0)
            m->value[system->instance[i].tad_reg] = &m->nowhere;
    for (size_t k = 0; k < system->outputs.n; k++)
        m->value[system->outputs.code[k].dst] = shown_result(m, &system->outputs.code[k]);
    m->program->output_slot = hl_arena_alloc(m->arena, system->n_outputs, sizeof *m->program->output_slot);
    for (size_t o = 0; o < system->n_outputs; o++) {
        struct form *f = operand(m, system->output[o].reg);
        m->program->output_slot[o] = f == &m->nowhere || is_constant(f) ? -1 : slot_of(m, f);
    }
}

static void begin(struct maker *m, struct hl_batch_program *program, const struct hl_plan *plan, struct hl_arena *arena)
{
    size_t n = plan->system->n_regs;
    *program = (struct hl_batch_program){.n_rows = n + 1, .one = (int)n};
    *m = (struct maker){.program = program, .plan = plan, .arena = arena, .nought = -1};
    m->value = hl_arena_alloc(arena, n, sizeof *m->value);
    m->chosen_capacity = program->n_rows;
    m->chosen = hl_arena_alloc(arena, program->n_rows, sizeof *m->chosen);
}

#define MOST_TERMS 2

/* Every instruction in turn; false at one without a series. What outputs share, such as a concentration, a sum over
 * modes, becomes a series of its own: products of its multiples are then one product. Rates stay sums of what they
 * depend on. */
static bool rewrite(struct maker *m)
{
    m->n_base = m->program->code.n_slots;
    for (size_t k = 0; k < m->source->n; k++) {
        const struct hl_instruction *in = &m->source->code[k];
        struct form *f = !m->needed || m->needed[k] ? result_of(m, in) : NULL;
        if (!f && (!m->needed || m->needed[k]))
            return false;
        if (f && m->needed && f->n > MOST_TERMS)
            f = form_of_slot(m, slot_of(m, f));
        if (f)
            m->value[in->dst] = f;
    }
    return true;
}

static void finish(struct maker *m)
{
    struct hl_batch_code *code = &m->program->code;
    code->n_terms = m->n_terms;
    code->term = m->term;
    code->op = m->op;
    code->rate = m->rate;
}

/* Marks what leads to the wanted registers, from the last instruction to the first. */
static void mark_needed(const struct hl_program *source, bool *wanted, bool *needed)
{
    for (size_t k = source->n; k-- > 0;) {
        const struct hl_instruction *in = &source->code[k];
        const int operand[] = {in->a, in->b, in->c};
        needed[k] = wanted[in->dst];
        wanted[in->dst] = wanted[in->dst] && !needed[k];
        for (size_t i = 0; needed[k] && i < 3; i++)
            if (operand[i] >= 0)
                wanted[operand[i]] = true;
    }
}

/* By state: an output that isn't linear reads it. */
static const bool *read_for_showing(struct maker *m)
{
    const struct hl_system *system = m->plan->system;
    bool *wanted = hl_arena_alloc(m->arena, system->n_regs, sizeof *wanted);
    bool *needed = hl_arena_alloc(m->arena, system->outputs.n, sizeof *needed);
    bool *read = hl_arena_alloc(m->arena, system->n_states, sizeof *read);
    for (size_t o = 0; o < system->n_outputs; o++)
        if (!system->output[o].linear)
            wanted[system->output[o].reg] = true;
    mark_needed(&system->outputs, wanted, needed);
    for (size_t i = 0; i < system->n_states; i++)
        read[i] = program_reads(&system->outputs, needed, system->state[i].reg);
    return read;
}

bool hl_batch_program_make(struct hl_batch_program *program, const struct hl_plan *plan, struct hl_arena *arena)
{
    struct maker maker, *m = &maker;
    begin(m, program, plan, arena);
    m->source = plan->rhs;
    m->read = plan->read_by_rhs;
    m->shown = read_for_showing(m);
    set_states(m);
    set_clocks(m);
    set_exact_states(m);
    if (!rewrite(m))
        return false;
    for (size_t i = 0; i < plan->n_integrated; i++) {
        struct form *f = operand(m, plan->system->state[plan->integrated[i]].derivative_reg);
        m->rate[i].sum = keep_sum(m, f);
    }
    set_outputs(m);
    program->code.n_states = plan->n_integrated;
    finish(m);
    return true;
}

/* ---- Outputs */

/* Integrated states are given from outside, as series. */
static void set_given_states(struct maker *m)
{
    const struct hl_plan *plan = m->plan;
    struct hl_batch_program *p = m->program;
    p->given = hl_arena_alloc(m->arena, plan->n_integrated, sizeof *p->given);
    for (size_t i = 0; i < plan->n_integrated; i++) {
        p->given[i] = -1;
        if (!m->read[plan->integrated[i]])
            continue;
        p->given[i] = new_op(m, (struct hl_batch_op){.kind = HL_BATCH_GIVEN, .a = -1, .b = -1});
        m->value[plan->system->state[plan->integrated[i]].reg] = form_of_slot(m, p->given[i]);
    }
}

bool hl_batch_outputs_make(struct hl_batch_program *program, const struct hl_plan *plan, const int *output, size_t n,
                           struct hl_arena *arena)
{
    const struct hl_system *system = plan->system;
    struct maker maker, *m = &maker;
    begin(m, program, plan, arena);
    bool *wanted = hl_arena_alloc(arena, system->n_regs, sizeof *wanted);
    bool *needed = hl_arena_alloc(arena, system->outputs.n, sizeof *needed);
    bool *read = hl_arena_alloc(arena, system->n_states, sizeof *read);
    for (size_t k = 0; k < n; k++)
        wanted[system->output[output[k]].reg] = true;
    m->source = &system->outputs;
    m->needed = needed;
    m->read = read;
    mark_needed(m->source, wanted, needed);
    for (size_t i = 0; i < system->n_states; i++)
        read[i] = reads(m, system->state[i].reg);
    set_given_states(m);
    set_clocks(m);
    set_exact_states(m);
    if (!rewrite(m))
        return false;
    program->shown = hl_arena_alloc(arena, n, sizeof *program->shown);
    for (size_t k = 0; k < n; k++) {
        struct form *f = operand(m, system->output[output[k]].reg);
        program->shown[k] = slot_of(m, f);
    }
    finish(m);
    return true;
}
