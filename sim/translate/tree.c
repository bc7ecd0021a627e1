/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees of expressions made here: the model's own trees joined by operations, with numbers worked in where that is
 * plain. A name that begins with TEXT or STATE is no name of a model but a piece of the text, or the value of a
 * state. */
#include <stdio.h>
#include <string.h>

#include "translate/inside.h"
#include "translate/tree.h"

static struct hl_expr *node(struct hl_translator *t, enum hl_op op)
{
    struct hl_expr *e = hl_arena_alloc(t->arena, 1, sizeof *e);
    e->op = op;
    e->pos = hl_pos_none();
    e->dim = hl_dim_none();
    return e;
}

struct hl_expr *hl_tree_number(struct hl_translator *t, double value)
{
    struct hl_expr *e = node(t, HL_OP_NUMBER);
    e->value = value;
    return e;
}

struct hl_expr *hl_tree_name(struct hl_translator *t, const char *name)
{
    struct hl_expr *e = node(t, HL_OP_NAME);
    e->name = name;
    return e;
}

struct hl_expr *hl_tree_text(struct hl_translator *t, const char *text)
{
    return hl_tree_name(t, hl_arena_printf(t->arena, HL_TREE_TEXT "%s", text));
}

struct hl_expr *hl_tree_state(struct hl_translator *t, size_t state)
{
    return hl_tree_name(t, hl_arena_printf(t->arena, HL_TREE_STATE "%zu", state));
}

static struct hl_expr *copy(struct hl_translator *t, const struct hl_expr *e)
{
    struct hl_expr *c = hl_arena_alloc(t->arena, 1, sizeof *c);
    *c = *e;
    return c;
}

struct hl_expr *hl_tree_op(struct hl_translator *t, enum hl_op op, const struct hl_expr *a, const struct hl_expr *b)
{
    bool unary = hl_op_arity(op) == 1;
    if (!a && b && op == HL_OP_SUB) {
        struct hl_expr *e = node(t, HL_OP_NEG);
        e->arg[0] = copy(t, b);
        return e;
    }
    if (!unary && (!a || !b))
        return a || b ? copy(t, a ? a : b) : NULL;
    struct hl_expr *e = node(t, op);
    e->arg[0] = copy(t, a);
    e->arg[1] = unary ? NULL : copy(t, b);
    return e;
}

struct hl_expr *hl_tree_select(struct hl_translator *t, const struct hl_expr *condition, const struct hl_expr *a,
                               const struct hl_expr *b)
{
    struct hl_expr *e = node(t, HL_OP_SELECT);
    e->arg[0] = copy(t, condition);
    e->arg[1] = copy(t, a);
    e->arg[2] = copy(t, b);
    return e;
}

struct hl_expr *hl_tree_replace(struct hl_translator *t, const struct hl_expr *e, const char *name,
                                const struct hl_expr *by)
{
    if (!e)
        return NULL;
    if (e->op == HL_OP_NAME && strcmp(e->name, name) == 0)
        return copy(t, by);
    struct hl_expr *c = copy(t, e);
    for (int i = 0; i < 3; i++)
        c->arg[i] = hl_tree_replace(t, e->arg[i], name, by);
    return c;
}

bool hl_tree_mentions(const struct hl_expr *e, const char *name)
{
    if (!e)
        return false;
    if (e->op == HL_OP_NAME)
        return strcmp(e->name, name) == 0;
    return hl_tree_mentions(e->arg[0], name) || hl_tree_mentions(e->arg[1], name) || hl_tree_mentions(e->arg[2], name);
}

bool hl_tree_is_proportional(const struct hl_expr *e, const char *name)
{
    bool a = e->arg[0] && hl_tree_mentions(e->arg[0], name), b = e->arg[1] && hl_tree_mentions(e->arg[1], name);
    switch (e->op) {
    case HL_OP_NAME:
        return strcmp(e->name, name) == 0;
    case HL_OP_NEG: case HL_OP_COPY:
        return hl_tree_is_proportional(e->arg[0], name);
    case HL_OP_MUL:
        return a != b && hl_tree_is_proportional(e->arg[a ? 0 : 1], name);
    case HL_OP_DIV:
        return !b && hl_tree_is_proportional(e->arg[0], name);
    case HL_OP_ADD: case HL_OP_SUB: case HL_OP_MIN: case HL_OP_MAX:
        return hl_tree_is_proportional(e->arg[0], name) && hl_tree_is_proportional(e->arg[1], name);
    case HL_OP_SELECT:
        return !a && hl_tree_is_proportional(e->arg[1], name) && hl_tree_is_proportional(e->arg[2], name);
    default:
        return false;
    }
}
