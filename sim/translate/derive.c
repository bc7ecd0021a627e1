/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The derivative of an expression with respect to one name, by the rules of calculus. A route's released: is the
 * fraction of a dose that has entered by tad; the other tools need its rate, which is this derivative:
 *
 *      (a b)' = a' b + a b'        (a / b)' = (a' - (a / b) b') / b        (a^n)' = n a^(n-1) a'   (n constant)
 *      (a^b)' = a^b (b' ln a + b a' / a)                  Phi(a)' = exp(-a^2 / 2) / sqrt(2 pi) a'
 *      gamma_p(n, x)' = exp((n - 1) ln x - x - lgamma(n)) x'           hill(C, C50, n)' = n h (1 - h) C' / C
 *      min, max, if: the derivative of the branch taken
 *
 * step, floor, and lgamma or a shape that changes have none here: NULL. Products with 0 and 1 are left out, so that the
 * result reads like a formula. */
#include <math.h>

#include "translate/tree.h"

#define SQRT_2PI 2.50662827463100050242
#define LN10 2.30258509299404568402

static bool is_value(const struct hl_expr *e, double value)
{
    return e->op == HL_OP_NUMBER && e->value == value; /* as made here or written */
}

static struct hl_expr *one(struct hl_translator *t, enum hl_op op, const struct hl_expr *a)
{
    return hl_tree_op(t, op, a, NULL);
}

static struct hl_expr *number(struct hl_translator *t, double value)
{
    return hl_tree_number(t, value);
}

static struct hl_expr *plus(struct hl_translator *t, const struct hl_expr *a, const struct hl_expr *b)
{
    if (is_value(a, 0.0) || is_value(b, 0.0))
        return hl_tree_op(t, HL_OP_ADD, is_value(a, 0.0) ? b : a, NULL);
    return hl_tree_op(t, HL_OP_ADD, a, b);
}

static struct hl_expr *minus(struct hl_translator *t, const struct hl_expr *a, const struct hl_expr *b)
{
    if (is_value(b, 0.0))
        return hl_tree_op(t, HL_OP_SUB, a, NULL);
    if (a->op == HL_OP_ADD && b->op == HL_OP_NUMBER && is_value(a->arg[1], b->value)) /* n + 1 - 1 */
        return hl_tree_op(t, HL_OP_SUB, a->arg[0], NULL);
    return is_value(a, 0.0) ? hl_tree_op(t, HL_OP_SUB, NULL, b) : hl_tree_op(t, HL_OP_SUB, a, b);
}

static struct hl_expr *times(struct hl_translator *t, const struct hl_expr *a, const struct hl_expr *b)
{
    if (is_value(a, 0.0) || is_value(b, 0.0))
        return number(t, 0.0);
    if (is_value(a, 1.0) || is_value(b, 1.0))
        return hl_tree_op(t, HL_OP_MUL, is_value(a, 1.0) ? b : a, NULL);
    return hl_tree_op(t, HL_OP_MUL, a, b);
}

static struct hl_expr *over(struct hl_translator *t, const struct hl_expr *a, const struct hl_expr *b)
{
    return is_value(a, 0.0) ? number(t, 0.0) : hl_tree_op(t, HL_OP_DIV, a, b);
}

static struct hl_expr *of_power(struct hl_translator *t, const struct hl_expr *e, const struct hl_expr *da,
                                const struct hl_expr *db)
{
    const struct hl_expr *a = e->arg[0], *b = e->arg[1];
    if (is_value(db, 0.0)) {
        struct hl_expr *lower = hl_tree_op(t, HL_OP_POW, a, minus(t, b, number(t, 1.0)));
        return times(t, times(t, b, lower), da);
    }
    struct hl_expr *inner = plus(t, times(t, db, one(t, HL_OP_LOG, a)), over(t, times(t, b, da), a));
    return times(t, e, inner);
}

/* exp((n - 1) ln x - x - lgamma(n)), which is x^(n-1) e^-x / Gamma(n) without overflow. */
static struct hl_expr *gamma_density(struct hl_translator *t, const struct hl_expr *n, const struct hl_expr *x)
{
    struct hl_expr *power = times(t, minus(t, n, number(t, 1.0)), one(t, HL_OP_LOG, x));
    return one(t, HL_OP_EXP, minus(t, minus(t, power, x), one(t, HL_OP_LGAMMA, n)));
}

/* The outer derivative of a function of one operand, times da; NULL where there is none. */
static struct hl_expr *of_function(struct hl_translator *t, const struct hl_expr *e, const struct hl_expr *da)
{
    const struct hl_expr *a = e->arg[0];
    switch (e->op) {
    case HL_OP_EXP:
        return times(t, e, da);
    case HL_OP_EXPM1:
        return times(t, one(t, HL_OP_EXP, a), da);
    case HL_OP_LOG:
        return over(t, da, a);
    case HL_OP_LOG10:
        return over(t, da, times(t, a, number(t, LN10)));
    case HL_OP_LOG1P:
        return over(t, da, plus(t, number(t, 1.0), a));
    case HL_OP_SQRT:
        return over(t, da, times(t, number(t, 2.0), e));
    case HL_OP_PHI: {
        struct hl_expr *square = times(t, number(t, -0.5), times(t, a, a));
        return times(t, over(t, one(t, HL_OP_EXP, square), number(t, SQRT_2PI)), da);
    }
    case HL_OP_EXPIT:
        return times(t, times(t, e, one(t, HL_OP_EXPIT, minus(t, number(t, 0.0), a))), da);
    case HL_OP_LOGIT:
        return over(t, da, times(t, a, minus(t, number(t, 1.0), a)));
    case HL_OP_ABS:
        return hl_tree_select(t, hl_tree_op(t, HL_OP_LT, a, number(t, 0.0)), minus(t, number(t, 0.0), da), da);
    default:
        return NULL;
    }
}

static struct hl_expr *of_hill(struct hl_translator *t, const struct hl_expr *e, const struct hl_expr *dC)
{
    struct hl_expr *weight = times(t, e, minus(t, number(t, 1.0), e));
    return over(t, times(t, times(t, e->arg[2], weight), dC), e->arg[0]);
}

static struct hl_expr *of_two(struct hl_translator *t, const struct hl_expr *e, const struct hl_expr *da,
                              const struct hl_expr *db)
{
    const struct hl_expr *a = e->arg[0], *b = e->arg[1];
    switch (e->op) {
    case HL_OP_ADD:
        return plus(t, da, db);
    case HL_OP_SUB:
        return minus(t, da, db);
    case HL_OP_MUL:
        return plus(t, times(t, da, b), times(t, a, db));
    case HL_OP_DIV:
        return over(t, minus(t, da, times(t, e, db)), b);
    case HL_OP_POW:
        return of_power(t, e, da, db);
    case HL_OP_MIN: case HL_OP_MAX:
        return hl_tree_select(t, hl_tree_op(t, e->op == HL_OP_MIN ? HL_OP_LT : HL_OP_GT, a, b), da, db);
    case HL_OP_GAMMA_P:
        return is_value(da, 0.0) ? times(t, gamma_density(t, a, b), db) : NULL;
    default:
        return NULL;
    }
}

struct hl_expr *hl_tree_derivative(struct hl_translator *t, const struct hl_expr *e, const char *name)
{
    if (!hl_tree_mentions(e, name))
        return number(t, 0.0);
    if (e->op == HL_OP_NAME)
        return number(t, 1.0);
    if (e->op == HL_OP_SELECT) {
        const struct hl_expr *a = hl_tree_derivative(t, e->arg[1], name), *b = hl_tree_derivative(t, e->arg[2], name);
        return a && b ? hl_tree_select(t, e->arg[0], a, b) : NULL;
    }
    const struct hl_expr *da = hl_tree_derivative(t, e->arg[0], name);
    if (!da)
        return NULL;
    if (e->op == HL_OP_NEG)
        return minus(t, number(t, 0.0), da);
    if (e->op == HL_OP_COPY)
        return hl_tree_op(t, HL_OP_ADD, da, NULL);
    if (e->op == HL_OP_HILL)
        return hl_tree_mentions(e->arg[1], name) || hl_tree_mentions(e->arg[2], name) ? NULL : of_hill(t, e, da);
    if (hl_op_arity(e->op) == 1)
        return of_function(t, e, da);
    const struct hl_expr *db = hl_tree_derivative(t, e->arg[1], name);
    return db ? of_two(t, e, da, db) : NULL;
}
