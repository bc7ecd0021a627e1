/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hash-consing: a node is looked up by (operation, operands, value) before it is made, so equal subexpressions, written
 * in different places or models, are computed once. Sums and products are stored with the smaller operand number
 * first, which changes no bit of their value.
 *
 * Linear forms. With x the states and everything constant in time written k, the rules are
 *     x_i            ->  1 * x_i
 *     k              ->  offset k
 *     f + g, f - g   ->  coefficient by coefficient
 *     f * k, f / k   ->  every coefficient times k, over k
 *     if(k, f, g)    ->  coefficient by coefficient: if(k, f_i, g_i)
 * and nothing else is linear. The derivative of a state is one node, so the same rules find the rate matrix of any
 * compartment graph, effect sites and linear free states, with coefficients as nodes that stay exact symbols.
 *
 * A program is the list of the nodes its roots need, in order of their numbers. A temporary's register is given back
 * after its last use, so that the register file stays small enough for the cache. */
#include "model/graph.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

struct hl_graph *hl_graph_create(struct hl_arena *arena)
{
    struct hl_graph *g = hl_arena_alloc(arena, 1, sizeof *g);
    g->arena = arena;
    g->n_slots = 256;
    g->slot = hl_arena_alloc(arena, g->n_slots, sizeof *g->slot);
    return g;
}

int hl_graph_register(struct hl_graph *g, const char *name, enum hl_register_kind kind, struct hl_dim dim,
                      double initial)
{
    g->reg = hl_arena_push(g->arena, g->reg, g->n_regs, &g->reg_capacity, sizeof *g->reg);
    g->initial = hl_arena_push(g->arena, g->initial, g->n_regs, &g->initial_capacity, sizeof *g->initial);
    g->reg[g->n_regs] = (struct hl_register){.name = name, .kind = kind, .dim = dim};
    g->initial[g->n_regs] = initial;
    return (int)g->n_regs++;
}

static uint64_t hash_node(const struct hl_node *n)
{
    uint64_t bits, h = 0x9E3779B97F4A7C15u;
    memcpy(&bits, &n->value, sizeof bits);
    const uint64_t part[] = {(uint64_t)n->op, (uint64_t)n->arg[0], (uint64_t)n->arg[1], (uint64_t)n->arg[2], bits};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        h = (h ^ part[i]) * 0xBF58476D1CE4E5B9u;
        h ^= h >> 29;
    }
    return h;
}

/* Bitwise equal values: -0.0 and 0.0 are different constants, NaN equals itself. */
static bool same_node(const struct hl_node *m, const struct hl_node *n)
{
    return m->op == n->op && memcmp(m->arg, n->arg, sizeof m->arg) == 0 &&
           memcmp(&m->value, &n->value, sizeof m->value) == 0 && m->op != HL_OP_NAME;
}

static void insert(struct hl_graph *g, int index)
{
    size_t i = (size_t)hash_node(&g->node[index]) & (g->n_slots - 1);
    while (g->slot[i] != 0)
        i = (i + 1) & (g->n_slots - 1);
    g->slot[i] = index + 1;
}

static void grow_table(struct hl_graph *g)
{
    g->n_slots *= 4;
    g->slot = hl_arena_alloc(g->arena, g->n_slots, sizeof *g->slot);
    for (size_t k = 0; k < g->n_nodes; k++)
        insert(g, (int)k);
}

/* The number of this node, made if it isn't there. */
static int intern(struct hl_graph *g, struct hl_node n)
{
    for (size_t i = (size_t)hash_node(&n) & (g->n_slots - 1); g->slot[i] != 0; i = (i + 1) & (g->n_slots - 1))
        if (same_node(&g->node[g->slot[i] - 1], &n))
            return g->slot[i] - 1;
    if (4 * (g->n_nodes + 1) > 3 * g->n_slots)
        grow_table(g);
    g->node = hl_arena_push(g->arena, g->node, g->n_nodes, &g->capacity, sizeof *g->node);
    g->node[g->n_nodes] = n;
    insert(g, (int)g->n_nodes);
    return (int)g->n_nodes++;
}

int hl_graph_leaf(struct hl_graph *g, int reg, int state, bool changes, bool individual)
{
    return intern(g, (struct hl_node){.op = HL_OP_NAME, .arg = {-1, -1, -1}, .home = reg, .state = state,
                                      .changes = changes, .individual = individual});
}

int hl_graph_number(struct hl_graph *g, double value)
{
    return intern(g,
                  (struct hl_node){.op = HL_OP_NUMBER, .arg = {-1, -1, -1}, .value = value, .home = -1, .state = -1});
}

bool hl_graph_is_number(const struct hl_graph *g, int node, double *value)
{
    if (node < 0 || g->node[node].op != HL_OP_NUMBER)
        return false;
    if (value)
        *value = g->node[node].value;
    return true;
}

static bool is_value(const struct hl_graph *g, int node, double value)
{
    double found;
    return hl_graph_is_number(g, node, &found) && found == value; /* exact: constants such as 0 and 1 */
}

/* A simpler node with the same value, or -1. Only a symbolic 0 * x drops an x that may be infinite. */
static int simpler(struct hl_graph *g, enum hl_op op, int a, int b, int c)
{
    double condition;
    switch (op) {
    case HL_OP_ADD:
        return is_value(g, a, 0) ? b : is_value(g, b, 0) ? a : -1;
    case HL_OP_SUB:
        return is_value(g, b, 0) ? a : is_value(g, a, 0) ? hl_graph_op(g, HL_OP_NEG, b, -1, -1) : -1;
    case HL_OP_MUL:
        if (is_value(g, a, 0) || is_value(g, b, 0))
            return hl_graph_number(g, 0.0);
        return is_value(g, a, 1) ? b : is_value(g, b, 1) ? a : -1;
    case HL_OP_DIV:
        return is_value(g, b, 1) ? a : is_value(g, a, 0) ? hl_graph_number(g, 0.0) : -1;
    case HL_OP_NEG:
        return g->node[a].op == HL_OP_NEG ? g->node[a].arg[0] : -1;
    case HL_OP_POW:
        if (is_value(g, b, 1))
            return a;
        if (is_value(g, b, 2))
            return hl_graph_op(g, HL_OP_MUL, a, a, -1);
        return is_value(g, b, 0.5) ? hl_graph_op(g, HL_OP_SQRT, a, -1, -1) : -1;
    case HL_OP_SELECT:
        if (b == c)
            return b;
        return hl_graph_is_number(g, a, &condition) ? (condition != 0.0 ? b : c) : -1;
    default:
        return -1;
    }
}

static bool all_numbers(const struct hl_graph *g, const int arg[3], int arity)
{
    for (int i = 0; i < arity; i++)
        if (!hl_graph_is_number(g, arg[i], NULL))
            return false;
    return true;
}

int hl_graph_op(struct hl_graph *g, enum hl_op op, int a, int b, int c)
{
    struct hl_node n = {.op = op, .arg = {a, b, c}, .home = -1, .state = -1};
    int arity = hl_op_arity(op);
    if (all_numbers(g, n.arg, arity)) {
        double v[3] = {0.0, 0.0, 0.0};
        for (int i = 0; i < arity; i++)
            v[i] = g->node[n.arg[i]].value;
        return hl_graph_number(g, hl_op_apply(op, v[0], v[1], v[2]));
    }
    int simple = simpler(g, op, a, b, c);
    if (simple >= 0)
        return simple;
    if ((op == HL_OP_ADD || op == HL_OP_MUL) && a > b) {
        n.arg[0] = b;
        n.arg[1] = a;
    }
    for (int i = 0; i < arity; i++) {
        n.changes |= g->node[n.arg[i]].changes;
        n.individual |= g->node[n.arg[i]].individual;
    }
    return intern(g, n);
}

/* ---- Linear forms ---- */

static struct hl_linear *new_form(struct hl_graph *g, size_t most)
{
    struct hl_linear *f = hl_arena_alloc(g->arena, 1, sizeof *f);
    f->linear = true;
    f->state = hl_arena_alloc(g->arena, most, sizeof *f->state);
    f->coef = hl_arena_alloc(g->arena, most, sizeof *f->coef);
    f->offset = -1;
    return f;
}

static void add_term(struct hl_graph *g, struct hl_linear *f, int state, int coef)
{
    if (is_value(g, coef, 0))
        return;
    f->state[f->n] = state;
    f->coef[f->n++] = coef;
}

static int zero_if_none(struct hl_graph *g, int node)
{
    return node < 0 ? hl_graph_number(g, 0.0) : node;
}

/* op over two coefficients (-1: zero); for HL_OP_SELECT with the condition k. */
static int combine_pair(struct hl_graph *g, enum hl_op op, int k, int a, int b)
{
    a = zero_if_none(g, a);
    b = zero_if_none(g, b);
    return op == HL_OP_SELECT ? hl_graph_op(g, op, k, a, b) : hl_graph_op(g, op, a, b, -1);
}

static struct hl_linear *combine_forms(struct hl_graph *g, enum hl_op op, int k, const struct hl_linear *a,
                                       const struct hl_linear *b)
{
    struct hl_linear *f = new_form(g, a->n + b->n);
    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        int sa = i < a->n ? a->state[i] : INT32_MAX, sb = j < b->n ? b->state[j] : INT32_MAX;
        int ca = sa <= sb ? a->coef[i] : -1, cb = sb <= sa ? b->coef[j] : -1;
        add_term(g, f, sa < sb ? sa : sb, combine_pair(g, op, k, ca, cb));
        i += sa <= sb;
        j += sb <= sa;
    }
    if (a->offset >= 0 || b->offset >= 0)
        f->offset = combine_pair(g, op, k, a->offset, b->offset);
    return f;
}

/* Every coefficient op k. */
static struct hl_linear *scale_form(struct hl_graph *g, enum hl_op op, const struct hl_linear *a, int k)
{
    struct hl_linear *f = new_form(g, a->n);
    for (size_t i = 0; i < a->n; i++)
        add_term(g, f, a->state[i], hl_graph_op(g, op, a->coef[i], k, -1));
    f->offset = a->offset < 0 ? -1 : hl_graph_op(g, op, a->offset, k, -1);
    return f;
}

static struct hl_linear *derive_form(struct hl_graph *g, int node)
{
    static const struct hl_linear none = {.linear = true, .offset = -1};
    struct hl_linear *not_linear = hl_arena_alloc(g->arena, 1, sizeof *not_linear);
    struct hl_node n = g->node[node];
    struct hl_linear *f = new_form(g, 1);
    if (!n.changes) {
        f->offset = node;
        return f;
    }
    if (n.state >= 0) {
        add_term(g, f, n.state, hl_graph_number(g, 1.0));
        return f;
    }
    bool k0 = n.arg[0] >= 0 && !g->node[n.arg[0]].changes, k1 = n.arg[1] >= 0 && !g->node[n.arg[1]].changes;
    bool splits = n.op == HL_OP_ADD || n.op == HL_OP_SUB || n.op == HL_OP_NEG || (n.op == HL_OP_MUL && (k0 || k1)) ||
                  (n.op == HL_OP_DIV && k1) || (n.op == HL_OP_SELECT && k0);
    if (!splits)
        return not_linear;
    bool select = n.op == HL_OP_SELECT, negative = n.op == HL_OP_NEG;
    const struct hl_linear *a = negative ? &none : hl_graph_linear(g, n.arg[select ? 1 : 0]);
    const struct hl_linear *b = hl_graph_linear(g, n.arg[select ? 2 : negative ? 0 : 1]);
    if (!a->linear || !b->linear)
        return not_linear;
    if (n.op == HL_OP_MUL || n.op == HL_OP_DIV)
        return scale_form(g, n.op, k1 ? a : b, k1 ? n.arg[1] : n.arg[0]);
    return combine_forms(g, negative ? HL_OP_SUB : n.op, n.arg[0], a, b);
}

const struct hl_linear *hl_graph_linear(struct hl_graph *g, int node)
{
    if ((size_t)node >= g->n_linear) {
        size_t n = 2 * g->n_nodes + 16;
        struct hl_linear **more = hl_arena_alloc(g->arena, n, sizeof *more);
        if (g->n_linear)
            memcpy(more, g->linear, g->n_linear * sizeof *more);
        g->linear = more;
        g->n_linear = n;
    }
    for (; g->n_derived <= (size_t)node; g->n_derived++) { /* operands first, so that nothing recurses deeply */
        struct hl_linear *f = derive_form(g, (int)g->n_derived);
        g->linear[g->n_derived] = f;
    }
    return g->linear[node];
}

/* ---- Programs ---- */

static void keep(const struct hl_graph *g, int node, bool *wanted)
{
    if (node >= 0 && !g->node[node].changes && g->node[node].op != HL_OP_NAME)
        wanted[node] = true;
}

int *hl_graph_kept(struct hl_graph *g, const int *root, size_t n, size_t *n_kept)
{
    bool *wanted = hl_arena_alloc(g->arena, g->n_nodes, sizeof *wanted);
    bool *used = hl_arena_alloc(g->arena, g->n_nodes, sizeof *used);
    int *kept = hl_arena_alloc(g->arena, g->n_nodes, sizeof *kept);
    for (size_t i = 0; i < n; i++)
        keep(g, root[i], wanted);
    for (size_t k = 0; k < g->n_nodes; k++)
        for (int i = 0; i < 3 && g->node[k].arg[i] >= 0; i++) {
            used[g->node[k].arg[i]] = true;
            if (g->node[k].changes)
                keep(g, g->node[k].arg[i], wanted);
        }
    *n_kept = 0;
    for (size_t k = 0; k < g->n_nodes; k++)
        if (g->node[k].op == HL_OP_NUMBER && (used[k] || wanted[k]) && g->node[k].home < 0)
            g->node[k].home = hl_graph_register(g, NULL, HL_REG_CONSTANT, hl_dim_none(), g->node[k].value);
        else if (wanted[k] && g->node[k].home < 0)
            kept[(*n_kept)++] = (int)k;
    return kept;
}

/* What compiling needs to know of each node. */
struct compilation {
    struct hl_graph *graph;
    bool *needed;
    int *where;     /* register of the value in this program */
    int *uses;      /* reads still to come */
    int *spare; size_t n_spare;
    size_t first_temporary, next_temporary;
    struct hl_program program;
};

/* Operands have smaller numbers than what uses them: one sweep downwards marks all. */
static void mark_needed(struct compilation *c)
{
    for (size_t k = c->graph->n_nodes; k-- > 0;)
        for (int i = 0; c->needed[k] && i < 3 && c->graph->node[k].arg[i] >= 0; i++)
            if (c->graph->node[c->graph->node[k].arg[i]].home < 0)
                c->needed[c->graph->node[k].arg[i]] = true;
}

static int take_temporary(struct compilation *c)
{
    if (c->n_spare > 0)
        return c->spare[--c->n_spare];
    if (c->next_temporary == c->graph->n_regs)
        hl_graph_register(c->graph, NULL, HL_REG_TEMPORARY, hl_dim_none(), 0.0);
    return (int)c->next_temporary++;
}

static int where_is(const struct compilation *c, int node)
{
    return node < 0 ? -1 : c->graph->node[node].home >= 0 ? c->graph->node[node].home : c->where[node];
}

static void emit(struct compilation *c, int op, int dst, int a, int b, int d)
{
    c->program.code[c->program.n++] = (struct hl_instruction){op, dst, a, b, d};
}

/* The target is taken before operands are given back: an instruction never writes what it reads. */
static void emit_node(struct compilation *c, int node)
{
    const struct hl_node n = c->graph->node[node]; /* a copy: taking a register may move nothing, but stays clear */
    bool temporary = c->where[node] < 0;
    if (temporary)
        c->where[node] = take_temporary(c);
    emit(c, (int)n.op, c->where[node], where_is(c, n.arg[0]), where_is(c, n.arg[1]), where_is(c, n.arg[2]));
    for (int i = 0; i < 3 && n.arg[i] >= 0; i++) {
        int arg = n.arg[i], reg = c->where[arg];
        if (c->graph->node[arg].home < 0 && --c->uses[arg] == 0 && (size_t)reg >= c->first_temporary)
            c->spare[c->n_spare++] = reg;
    }
}

static void count_uses(struct compilation *c)
{
    for (size_t k = 0; k < c->graph->n_nodes; k++)
        for (int i = 0; c->needed[k] && i < 3 && c->graph->node[k].arg[i] >= 0; i++)
            c->uses[c->graph->node[k].arg[i]]++;
}

static void plan_roots(struct compilation *c, const struct hl_root *root, size_t n)
{
    for (size_t k = 0; k < c->graph->n_nodes; k++)
        c->where[k] = -1;
    for (size_t i = 0; i < n; i++) {
        if (c->graph->node[root[i].node].home >= 0)
            continue;
        c->needed[root[i].node] = true;
        if (c->where[root[i].node] < 0)
            c->where[root[i].node] = root[i].reg;
    }
    mark_needed(c);
}

struct hl_program hl_graph_compile(struct hl_graph *g, const struct hl_root *root, size_t n, size_t first_temporary)
{
    struct compilation c = {.graph = g, .first_temporary = first_temporary, .next_temporary = first_temporary};
    c.needed = hl_arena_alloc(g->arena, g->n_nodes, sizeof *c.needed);
    c.where = hl_arena_alloc(g->arena, g->n_nodes, sizeof *c.where);
    c.uses = hl_arena_alloc(g->arena, g->n_nodes, sizeof *c.uses);
    c.spare = hl_arena_alloc(g->arena, g->n_nodes, sizeof *c.spare);
    c.program.code = hl_arena_alloc(g->arena, g->n_nodes + n, sizeof *c.program.code);
    plan_roots(&c, root, n);
    count_uses(&c);
    for (size_t k = 0; k < g->n_nodes; k++)
        if (c.needed[k])
            emit_node(&c, (int)k);
    for (size_t i = 0; i < n; i++)
        if (where_is(&c, root[i].node) != root[i].reg)
            emit(&c, HL_OP_COPY, root[i].reg, where_is(&c, root[i].node), -1, -1);
    return c.program;
}

void hl_graph_states(const struct hl_graph *g, int node, bool *seen)
{
    bool *reached = hl_arena_alloc(g->arena, (size_t)node + 1, sizeof *reached);
    reached[node] = true;
    for (int k = node; k >= 0; k--) {
        const struct hl_node *n = &g->node[k];
        if (!reached[k] || !n->changes)
            continue;
        if (n->state >= 0)
            seen[n->state] = true;
        for (int i = 0; i < 3 && n->arg[i] >= 0; i++)
            reached[n->arg[i]] = true;
    }
}
