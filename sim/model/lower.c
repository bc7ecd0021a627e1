/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of dimensions.
 *     a + b, a - b, min, max, comparisons, both branches of if():  the same dimension
 *     a * b, a / b, sqrt, constant powers:                        products of powers, with rational exponents
 *     a ^ b with b not a constant:                                both plain numbers
 *     exp, log, ... Phi, lgamma, logit, expit, floor:             a plain number
 *     gamma_p(a, x):                                              two plain numbers
 *     hill(C, C50, n):                                            C like C50, n plain; gives a plain number
 * A message stands at the operand that is at fault (the second of two that differ) and names both dimensions. */
#include "model/lower.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

#define DEEPEST 1200 /* operations that build on one another; the program's stack holds several times as many */
#define LARGEST_DENOMINATOR 64 /* of a constant exponent; 0.75 is 3/4, 0.181 is none */

struct hl_value hl_value_of(int node, struct hl_dim dim)
{
    return (struct hl_value){.node = node, .dim = dim, .known = true};
}

struct hl_value hl_value_bad(struct hl_graph *graph)
{
    return (struct hl_value){.node = hl_graph_number(graph, NAN), .dim = hl_dim_none(), .bad = true};
}

#define FAULT(l, pos_, ...) (hl_diag_error((l)->diag, (pos_), __VA_ARGS__), hl_value_bad((l)->graph))

static struct hl_value with_node(struct hl_value v, int node)
{
    v.node = node;
    return v;
}

static bool is_plain(struct hl_value v)
{
    return !v.known || hl_dim_is_none(v.dim);
}

static bool agree(struct hl_value a, struct hl_value b)
{
    return !a.known || !b.known || hl_dim_equal(a.dim, b.dim);
}

/* A number, not a condition. */
static struct hl_value lower_number(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value v = hl_lower(l, e);
    if (!v.bad && v.condition)
        return FAULT(l, e->pos,
                     "a comparison where a number was expected; use it as the condition of if(condition, a, b)");
    return v;
}

static struct hl_value lower_condition(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value v = hl_lower(l, e);
    if (!v.bad && !v.condition)
        return FAULT(l, e->pos, "expected a condition such as Ce > 2 ng/mL, found a number");
    return v;
}

static struct hl_value differ(const struct hl_lowerer *l, const struct hl_expr *second, const char *what,
                              struct hl_value a, struct hl_value b)
{
    char x[64], y[64];
    hl_dim_name(a.dim, x, sizeof x);
    hl_dim_name(b.dim, y, sizeof y);
    const char *remedy = "multiply or divide one side so that they agree";
    if (hl_dim_is_none(b.dim) && second->op == HL_OP_NUMBER)
        remedy = hl_arena_printf(l->arena, "add a unit, as in %g [%s]", second->value, x);
    return FAULT(l, second->pos, "%s needs one dimension, but the first is %s and this is %s; %s", what, x, y, remedy);
}

static struct hl_value lower_same(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value a = lower_number(l, e->arg[0]), b = lower_number(l, e->arg[1]);
    if (a.bad || b.bad)
        return hl_value_bad(l->graph);
    if (!agree(a, b))
        return differ(l, e->arg[1], hl_arena_printf(l->arena, "'%s'", hl_op_name(e->op)), a, b);
    return with_node(a.known ? a : b, hl_graph_op(l->graph, e->op, a.node, b.node, -1));
}

static struct hl_value lower_product(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value a = lower_number(l, e->arg[0]), b = lower_number(l, e->arg[1]);
    if (a.bad || b.bad)
        return hl_value_bad(l->graph);
    bool product = e->op == HL_OP_MUL;
    struct hl_value v = hl_value_of(hl_graph_op(l->graph, e->op, a.node, b.node, -1),
                                    product ? hl_dim_multiply(a.dim, b.dim) : hl_dim_divide(a.dim, b.dim));
    v.known = a.known && b.known;
    return v;
}

/* The fraction with the smallest denominator that a constant exponent is. */
static bool as_fraction(double x, int *num, int *den)
{
    for (*den = 1; *den <= LARGEST_DENOMINATOR && fabs(x) < 64.0; ++*den) {
        double whole = round(x * *den);
        if (fabs(whole - x * *den) < 1e-12 * *den) {
            *num = (int)whole;
            return true;
        }
    }
    return false;
}

static struct hl_value lower_power(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value a = lower_number(l, e->arg[0]), b = lower_number(l, e->arg[1]);
    double exponent;
    int num, den;
    char x[64];
    if (a.bad || b.bad)
        return hl_value_bad(l->graph);
    if (!is_plain(b))
        return FAULT(l, e->arg[1]->pos, "an exponent is a plain number, found %s; divide it by a reference",
                     hl_dim_name(b.dim, x, sizeof x));
    struct hl_value v = with_node(a, hl_graph_op(l->graph, HL_OP_POW, a.node, b.node, -1));
    if (is_plain(a))
        return v;
    if (!hl_graph_is_number(l->graph, b.node, &exponent))
        return FAULT(l, e->arg[0]->pos,
                     "an exponent that is not a constant needs a plain number as its base, found %s; "
                     "divide by a reference, as in (x / 1 [%s])^n, or use hill(C, C50, n)",
                     hl_dim_name(a.dim, x, sizeof x), x);
    if (!as_fraction(exponent, &num, &den))
        return FAULT(l, e->arg[0]->pos,
                     "the power %g of a base in %s has no name as a unit; divide the base by a reference, "
                     "as in (x / 1 [%s])^%g",
                     exponent, hl_dim_name(a.dim, x, sizeof x), x, exponent);
    v.dim = hl_dim_power(a.dim, num, den);
    return v;
}

/* The operand number k, which has to be a plain number. */
static struct hl_value lower_plain_operand(const struct hl_lowerer *l, const struct hl_expr *e, int k)
{
    struct hl_value a = lower_number(l, e->arg[k]);
    char x[64];
    if (a.bad || is_plain(a))
        return a;
    hl_dim_name(a.dim, x, sizeof x);
    return FAULT(l, e->arg[k]->pos, "%s needs a plain number, found %s; divide by a reference, as in %s(%sx / 1 [%s])",
                 hl_op_name(e->op), x, hl_op_name(e->op), k > 0 ? "..., " : "", x);
}

static struct hl_value lower_plain(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value a = lower_plain_operand(l, e, 0);
    if (a.bad)
        return a;
    return hl_value_of(hl_graph_op(l->graph, e->op, a.node, -1, -1), hl_dim_none());
}

static struct hl_value lower_plain_pair(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value a = lower_plain_operand(l, e, 0), b = lower_plain_operand(l, e, 1);
    if (a.bad || b.bad)
        return hl_value_bad(l->graph);
    return hl_value_of(hl_graph_op(l->graph, e->op, a.node, b.node, -1), hl_dim_none());
}

static struct hl_value lower_unary(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value a = lower_number(l, e->arg[0]);
    if (a.bad)
        return a;
    struct hl_value v = with_node(a, hl_graph_op(l->graph, e->op, a.node, -1, -1));
    if (e->op == HL_OP_SQRT)
        v.dim = hl_dim_power(a.dim, 1, 2);
    if (e->op == HL_OP_STEP) {
        v.dim = hl_dim_none();
        v.known = true;
    }
    return v;
}

static struct hl_value lower_hill(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value C = lower_number(l, e->arg[0]), C50 = lower_number(l, e->arg[1]), n = lower_number(l, e->arg[2]);
    char x[64];
    if (C.bad || C50.bad || n.bad)
        return hl_value_bad(l->graph);
    if (!agree(C, C50))
        return differ(l, e->arg[1], "hill(C, C50, n)", C, C50);
    if (!is_plain(n))
        return FAULT(l, e->arg[2]->pos, "the exponent of hill is a plain number, found %s",
                     hl_dim_name(n.dim, x, sizeof x));
    return hl_value_of(hl_graph_op(l->graph, HL_OP_HILL, C.node, C50.node, n.node), hl_dim_none());
}

static struct hl_value lower_select(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value c = lower_condition(l, e->arg[0]), a = lower_number(l, e->arg[1]), b = lower_number(l, e->arg[2]);
    if (c.bad || a.bad || b.bad)
        return hl_value_bad(l->graph);
    if (!agree(a, b))
        return differ(l, e->arg[2], "if(condition, a, b)", a, b);
    return with_node(a.known ? a : b, hl_graph_op(l->graph, HL_OP_SELECT, c.node, a.node, b.node));
}

static struct hl_value condition(const struct hl_lowerer *l, enum hl_op op, int a, int b)
{
    struct hl_value v = hl_value_of(hl_graph_op(l->graph, op, a, b, -1), hl_dim_none());
    v.condition = true;
    return v;
}

static struct hl_value lower_logic(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_value a = lower_condition(l, e->arg[0]);
    struct hl_value b = e->op == HL_OP_NOT ? a : lower_condition(l, e->arg[1]);
    if (a.bad || b.bad)
        return hl_value_bad(l->graph);
    return condition(l, e->op, a.node, e->op == HL_OP_NOT ? -1 : b.node);
}

/* SEX = female: a categorical name against one of its categories. */
static struct hl_value compare_category(const struct hl_lowerer *l, const struct hl_expr *e, const struct hl_expr *name,
                                        const struct hl_expr *category, const struct hl_categories *of)
{
    char near[128];
    if (e->op != HL_OP_EQ && e->op != HL_OP_NE)
        return FAULT(l, e->pos, "categories have no order; compare '%s' with = or !=", name->name);
    if (category->op != HL_OP_NAME)
        return FAULT(l, category->pos, "'%s' is compared with the name of a category, as in %s = %s", name->name,
                     name->name, of->n ? of->category[0] : "present");
    for (size_t i = 0; i < of->n; i++)
        if (strcmp(of->category[i], category->name) == 0)
            return condition(l, e->op, of->node, hl_graph_number(l->graph, (double)i));
    return FAULT(l, category->pos, "'%s' is not a category of '%s'%s", category->name, name->name,
                 hl_text_did_you_mean(category->name, of->category, of->n, near, sizeof near));
}

static struct hl_value lower_comparison(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_categories of;
    for (int i = 0; i < 2; i++)
        if (e->arg[i]->op == HL_OP_NAME && l->categories(l->scope, e->arg[i]->name, &of))
            return compare_category(l, e, e->arg[i], e->arg[1 - i], &of);
    struct hl_value v = lower_same(l, e);
    v.condition = !v.bad;
    if (v.condition) {
        v.dim = hl_dim_none();
        v.known = true;
    }
    return v;
}

static struct hl_value lower_name(const struct hl_lowerer *l, const struct hl_expr *e)
{
    struct hl_categories of;
    if (l->categories(l->scope, e->name, &of))
        return FAULT(l, e->pos, "'%s' has categories and is no number; compare it, as in if(%s = %s, a, b)", e->name,
                     e->name, of.n ? of.category[0] : "present");
    return l->resolve(l->scope, e);
}

static struct hl_value lower_any(const struct hl_lowerer *l, const struct hl_expr *e)
{
    switch (e->op) {
    case HL_OP_NUMBER:
        return hl_value_of(hl_graph_number(l->graph, e->value), e->dim);
    case HL_OP_NAME:
        return lower_name(l, e);
    case HL_OP_ADD: case HL_OP_SUB: case HL_OP_MIN: case HL_OP_MAX:
        return lower_same(l, e);
    case HL_OP_MUL: case HL_OP_DIV:
        return lower_product(l, e);
    case HL_OP_POW:
        return lower_power(l, e);
    case HL_OP_NEG: case HL_OP_ABS: case HL_OP_SQRT: case HL_OP_STEP:
        return lower_unary(l, e);
    case HL_OP_HILL:
        return lower_hill(l, e);
    case HL_OP_GAMMA_P:
        return lower_plain_pair(l, e);
    case HL_OP_SELECT:
        return lower_select(l, e);
    case HL_OP_AND: case HL_OP_OR: case HL_OP_NOT:
        return lower_logic(l, e);
    case HL_OP_EQ: case HL_OP_NE: case HL_OP_LT: case HL_OP_LE: case HL_OP_GT: case HL_OP_GE:
        return lower_comparison(l, e);
    default:
        return lower_plain(l, e);
    }
}

struct hl_value hl_lower(const struct hl_lowerer *l, const struct hl_expr *e)
{
    if (!e)
        return hl_value_bad(l->graph);
    if (*l->depth >= DEEPEST)
        return FAULT(l, e->pos,
                     "more than %d operations build on one another here; split this into sums of fewer terms "
                     "in parentheses",
                     DEEPEST);
    ++*l->depth;
    struct hl_value v = lower_any(l, e);
    --*l->depth;
    return v;
}

struct hl_value hl_lower_as(const struct hl_lowerer *l, const struct hl_expr *e, struct hl_dim dim, const char *what)
{
    char x[64], y[64];
    struct hl_value v = e ? lower_number(l, e) : hl_value_bad(l->graph);
    if (v.bad || !v.known || hl_dim_equal(v.dim, dim)) {
        v.dim = dim;
        v.known = true;
        return v;
    }
    bool plain = hl_dim_is_none(v.dim) && e->op == HL_OP_NUMBER;
    bool moles = v.dim.e[HL_SUBSTANCE].num != dim.e[HL_SUBSTANCE].num;
    hl_dim_name(dim, x, sizeof x);
    hl_dim_name(v.dim, y, sizeof y);
    return FAULT(l, e->pos, "%s must have dimension %s, but this expression has %s%s", what, x, y,
                 plain   ? hl_arena_printf(l->arena, "; add a unit, as in %g [%s]", e->value, x)
                 : moles ? "; convert with molar_mass"
                         : "; check the formula, or the unit asked for");
}
