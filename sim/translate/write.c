/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions and statements in three languages.
 *
 *                 NONMEM              mrgsolve (C++)      rxode2
 *   power         a ** b              pow(a, b)           a^b
 *   and, not      .AND., turned round &&, !               &&, turned round
 *   if(c, a, b)   IF THEN ELSE        c ? a : b           if (c) {} else {}
 *   min, max      IF                  fmin, fmax          min, max
 *   hill          IF, 1/(1+(C50/C)**n), 0 for C <= 0      the same
 *   Phi           PHI                 erfc                pnorm
 *   log1p, expm1  LOG(1+x), EXP(x)-1  log1p, expm1        log1p, expm1
 *   t             T, TIME             SOLVERTIME, TIME    t
 *
 * What NONMEM and rxode2 can't say inside an expression is computed before it, on temporaries: an if() becomes an IF
 * block that never stands inside another one (NM-TRAN defines no random variable in a nested IF), so that both
 * branches' own conditionals are computed first, as halflife does. Numbers are written with all digits that their
 * double has, with a point where a language would otherwise divide whole numbers. */
#include "translate/tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LINE 110       /* where statements of NONMEM are continued, and comments broken */
#define SQRT_HALF "0.70710678118654752"

static const char *paren(struct hl_writer *w, const char *text, int has, int level)
{
    return has < level ? hl_arena_printf(w->t->arena, "(%s)", text) : text;
}

/* ---- Numbers ---- */

const char *hl_write_value(struct hl_translator *t, double value)
{
    char text[40];
    hl_text_shortest(value, text, sizeof text);
    for (char *c = text; *c && t->target == HL_TO_NONMEM; c++)
        if (*c == 'e')
            *c = 'E';
    return hl_arena_strdup(t->arena, text);
}

const char *hl_write_number(struct hl_translator *t, double value)
{
    char text[40];
    hl_text_shortest(value, text, sizeof text);
    bool whole = strpbrk(text, ".e") == NULL;
    for (char *c = text; *c && t->target == HL_TO_NONMEM; c++)
        if (*c == 'e')
            *c = 'D';
    return hl_arena_printf(t->arena, "%s%s", text, whole && t->target != HL_TO_RXODE2 ? ".0" : "");
}

static const char *number(struct hl_writer *w, double value, int level)
{
    return paren(w, hl_write_number(w->t, value), value < 0.0 ? HL_SIGN : HL_ATOM, level);
}

/* ---- Names ---- */

static const char *time_word(const struct hl_writer *w)
{
    if (w->t->target == HL_TO_RXODE2)
        return "t";
    if (w->stage != HL_STAGE_RATES)
        return "TIME";
    return w->t->target == HL_TO_NONMEM ? "T" : "SOLVERTIME";
}

/* $MAIN sees a record before the time up to it is integrated: the dose before is still the last one then. */
static const char *tad_of_mrgsolve(struct hl_writer *w, int voice)
{
    const char *now = time_word(w), *last = w->t->tad_name[voice];
    const char *before = hl_arena_printf(w->t->arena, "tdoseq_%d", voice + 1);
    return hl_arena_printf(w->t->arena, "(%s >= %s ? (%s < 0.0 ? 0.0 : %s - %s) : (%s < 0.0 ? 0.0 : %s - %s))",
                           now, last, last, now, last, before, now, before);
}

static const char *name(struct hl_writer *w, int voice, const struct hl_expr *e, int level)
{
    struct hl_translator *t = w->t;
    if (e->name[0] == HL_TREE_TEXT[0])
        return e->name + 1;
    if (e->name[0] == HL_TREE_STATE[0])
        return t->state[strtoul(e->name + 1, NULL, 10)].read;
    if (strcmp(e->name, "t") == 0)
        return time_word(w);
    if (strcmp(e->name, "tad") == 0)
        return t->target == HL_TO_MRGSOLVE ? tad_of_mrgsolve(w, voice) : t->tad_name[voice];
    if (strcmp(e->name, "ln2") == 0)
        return number(w, 0.69314718055994530942, level);
    if (strcmp(e->name, "pi") == 0)
        return number(w, 3.14159265358979323846, level);
    if (strcmp(e->name, "molar_mass") == 0)
        return number(w, t->voice[voice].model->molar_mass, level);
    const struct hl_symbol *symbol = hl_plan_symbol(t, &voice, e->name);
    const struct hl_word *word = &t->voice[voice].word[symbol - t->voice[voice].parts->symbol];
    return w->stage == HL_STAGE_RATES ? word->rates : word->name;
}

/* ---- Conditions ---- */

static const char *operator_word(const struct hl_writer *w, enum hl_op op)
{
    static const char *const fortran[] = {".LT.", ".LE.", ".GT.", ".GE.", ".EQ.", ".NE.", ".AND.", ".OR."};
    static const char *const c[] = {"<", "<=", ">", ">=", "==", "!=", "&&", "||"};
    return (w->t->target == HL_TO_NONMEM ? fortran : c)[op - HL_OP_LT];
}

static enum hl_op opposite(enum hl_op op)
{
    switch (op) {
    case HL_OP_LT: return HL_OP_GE;
    case HL_OP_LE: return HL_OP_GT;
    case HL_OP_GT: return HL_OP_LE;
    case HL_OP_GE: return HL_OP_LT;
    case HL_OP_EQ: return HL_OP_NE;
    case HL_OP_NE: return HL_OP_EQ;
    case HL_OP_AND: return HL_OP_OR;
    default: return HL_OP_AND;
    }
}

/* liver = child_pugh_b is LIVER .EQ. 2: categories count from 0 as listed. */
static const char *category(struct hl_writer *w, int voice, const struct hl_expr *e, int side, enum hl_op op)
{
    struct hl_translator *t = w->t;
    const struct hl_voice *v = &t->voice[voice];
    const struct hl_symbol *symbol = hl_model_symbol(v->model, e->arg[side]->name);
    bool mixture = symbol->kind == HL_SYM_MIXTURE;
    const struct hl_covariate *c = mixture ? NULL : &v->model->covariate[symbol->index];
    size_t n = mixture ? v->model->mixture[symbol->index].n : c->n_categories, code = 0;
    const char *const *list = mixture ? v->model->mixture[symbol->index].class_name : c->category;
    while (code < n && strcmp(list[code], e->arg[1 - side]->name) != 0)
        code++;
    return hl_arena_printf(t->arena, "%s %s %zu", v->word[symbol - v->parts->symbol].name, operator_word(w, op), code);
}

/* A comparison of time with a constant of the subject, where the solver has been told to stop: NONMEM's own flag,
 * which doesn't change inside an interval of integration; elsewhere the comparison with the time that was
 * announced. */
static const char *jump(struct hl_writer *w, const struct hl_expr *e, enum hl_op op)
{
    const struct hl_translator *t = w->t;
    for (size_t i = 0; w->stage == HL_STAGE_RATES && i < t->n_jumps; i++) {
        if (t->jump[i].comparison != e)
            continue;
        bool left = e->arg[0]->op == HL_OP_NAME && strcmp(e->arg[0]->name, "t") == 0;
        bool after = (op == HL_OP_GT || op == HL_OP_GE) == left;
        if (t->target == HL_TO_NONMEM)
            return hl_arena_printf(t->arena, "MPAST(%zu) .EQ. %d", i + 1, after);
        return hl_arena_printf(t->arena, "%s %s %s", time_word(w), after ? ">=" : "<", t->jump[i].name);
    }
    return NULL;
}

static const char *condition(struct hl_writer *w, int voice, const struct hl_expr *e, bool negate, int level)
{
    enum hl_op op = negate ? opposite(e->op) : e->op;
    const char *text = jump(w, e, op);
    int side = hl_plan_category_side(w->t, voice, e);
    if (text)
        return text;
    if (e->op == HL_OP_NOT)
        return condition(w, voice, e->arg[0], !negate, level);
    if (side >= 0)
        return category(w, voice, e, side, op);
    if (op == HL_OP_AND || op == HL_OP_OR) {
        int has = op == HL_OP_AND ? 2 : 1;
        const char *a = condition(w, voice, e->arg[0], negate, has);
        return paren(w, hl_arena_printf(w->t->arena, "%s %s %s", a, operator_word(w, op),
                                        condition(w, voice, e->arg[1], negate, has + 1)), has, level);
    }
    const char *a = hl_write_expr(w, voice, e->arg[0], HL_SUM);
    return hl_arena_printf(w->t->arena, "%s %s %s", a, operator_word(w, op),
                           hl_write_expr(w, voice, e->arg[1], HL_SUM));
}

/* ---- Temporaries ---- */

static const char *temporary(struct hl_writer *w)
{
    static const char *const stem[] = {"HLP", "HLD", "HLE"};
    w->temporaries++;
    return w->t->target == HL_TO_NONMEM ? hl_arena_printf(w->t->arena, "%s%d", stem[w->stage], w->temporaries)
                                        : hl_arena_printf(w->t->arena, "hl_%d", w->temporaries);
}

static void begin_if(struct hl_writer *w, const char *condition_text, bool first)
{
    if (w->t->target == HL_TO_NONMEM)
        fprintf(w->out, "%*s%s (%s) THEN\n", w->indent, "", first ? "IF" : "ELSEIF", condition_text);
    else
        fprintf(w->out, "%*s%sif (%s) {\n", w->indent, "", first ? "" : "} else ", condition_text);
    w->indent += 2;
}

static void begin_else(struct hl_writer *w)
{
    fprintf(w->out, "%*s%s\n", w->indent - 2, "", w->t->target == HL_TO_NONMEM ? "ELSE" : "} else {");
}

static void end_if(struct hl_writer *w)
{
    w->indent -= 2;
    fprintf(w->out, "%*s%s\n", w->indent, "", w->t->target == HL_TO_NONMEM ? "ENDIF" : "}");
}

/* left = if(c, a, if(d, b, e)) as one IF block; everything that needs a temporary is computed before it. */
static void write_select(struct hl_writer *w, int voice, const char *left, const struct hl_expr *e)
{
    enum { MOST = 64 };
    const char *test[MOST], *value[MOST + 1];
    size_t n = 0;
    for (; e->op == HL_OP_SELECT && n < MOST; e = e->arg[2], n++) {
        test[n] = condition(w, voice, e->arg[0], false, 0);
        value[n] = hl_write_expr(w, voice, e->arg[1], HL_LOOSE);
    }
    value[n] = hl_write_expr(w, voice, e, HL_LOOSE);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            w->indent -= 2;
        begin_if(w, test[i], i == 0);
        hl_write_assign(w, left, value[i], NULL);
    }
    begin_else(w);
    hl_write_assign(w, left, value[n], NULL);
    end_if(w);
}

/* left = a where the test holds, else b. */
static void write_choice(struct hl_writer *w, const char *left, const char *test, const char *a, const char *b)
{
    begin_if(w, test, true);
    hl_write_assign(w, left, a, NULL);
    begin_else(w);
    hl_write_assign(w, left, b, NULL);
    end_if(w);
}

static const char *on_temporary(struct hl_writer *w, const char *value)
{
    const char *x = temporary(w);
    hl_write_assign(w, x, value, NULL);
    return x;
}

/* A name, a number, or an element A(2) of the states. */
static bool is_word(const char *text)
{
    return strpbrk(text, " (*/+") == NULL || (strncmp(text, "A(", 2) == 0 && strchr(text, ')')[1] == '\0');
}

/* Where a choice made of statements puts its value: the left side it was asked for, or a temporary. */
static const char *place_for_choice(struct hl_writer *w, const char *into)
{
    return into ? into : temporary(w);
}

static const char *extreme(struct hl_writer *w, int voice, const struct hl_expr *e, const char *into)
{
    const char *a = hl_write_expr(w, voice, e->arg[0], HL_SUM), *b = hl_write_expr(w, voice, e->arg[1], HL_SUM);
    if (!is_word(a))
        a = on_temporary(w, a);
    if (!is_word(b))
        b = on_temporary(w, b);
    const char *x = place_for_choice(w, into);
    const char *test =
        hl_arena_printf(w->t->arena, "%s %s %s", a, operator_word(w, e->op == HL_OP_MIN ? HL_OP_LT : HL_OP_GT), b);
    write_choice(w, x, test, a, b);
    return x;
}

static const char *hill(struct hl_writer *w, int voice, const struct hl_expr *e, const char *into)
{
    struct hl_arena *arena = w->t->arena;
    const char *C = hl_write_expr(w, voice, e->arg[0], HL_ATOM), *C50 = hl_write_expr(w, voice, e->arg[1], HL_PRODUCT);
    bool cpp = w->t->target == HL_TO_MRGSOLVE;
    const char *n = hl_write_expr(w, voice, e->arg[2], cpp ? HL_LOOSE : HL_ATOM);
    if (cpp)
        return hl_arena_printf(arena, "(%s > 0.0 ? 1.0 / (1.0 + pow(%s / %s, %s)) : 0.0)", C, C50, C, n);
    const char *x = place_for_choice(w, into), *one = hl_write_number(w->t, 1.0);
    write_choice(w, x, hl_arena_printf(arena, "%s %s 0", C, operator_word(w, HL_OP_GT)),
                 hl_arena_printf(arena, "%s / (%s + (%s / %s)%s%s)", one, one, C50, C,
                                 w->t->target == HL_TO_NONMEM ? "**" : "^", n), hl_write_number(w->t, 0.0));
    return x;
}

/* INT cuts towards zero: one less below a negative number that isn't whole. */
static const char *floor_of_nonmem(struct hl_writer *w, int voice, const struct hl_expr *e)
{
    struct hl_arena *arena = w->t->arena;
    const char *x = on_temporary(w, hl_write_expr(w, voice, e->arg[0], HL_LOOSE)), *y = temporary(w);
    write_choice(w, y, hl_arena_printf(arena, "%s .LT. INT(%s)", x, x), hl_arena_printf(arena, "INT(%s) - 1.0", x),
                 hl_arena_printf(arena, "INT(%s)", x));
    return y;
}

static const char *step(struct hl_writer *w, int voice, const struct hl_expr *e, const char *into)
{
    struct hl_arena *arena = w->t->arena;
    const char *x = hl_write_expr(w, voice, e->arg[0], HL_SUM), *one = hl_write_number(w->t, 1.0);
    const char *zero = hl_write_number(w->t, 0.0);
    const char *test = hl_arena_printf(arena, "%s %s %s", x, operator_word(w, HL_OP_GE), zero);
    if (w->t->target == HL_TO_MRGSOLVE)
        return hl_arena_printf(arena, "(%s ? %s : %s)", test, one, zero);
    const char *y = place_for_choice(w, into);
    write_choice(w, y, test, one, zero);
    return y;
}

static const char *select_of(struct hl_writer *w, int voice, const struct hl_expr *e)
{
    if (w->t->target == HL_TO_MRGSOLVE)
        return hl_arena_printf(w->t->arena, "(%s ? %s : %s)", condition(w, voice, e->arg[0], false, 0),
                               hl_write_expr(w, voice, e->arg[1], HL_SUM), hl_write_expr(w, voice, e->arg[2], HL_SUM));
    const char *x = temporary(w);
    write_select(w, voice, x, e);
    return x;
}

/* ---- Functions and operators ---- */

/* Functions of one argument, with %s for it; the argument binds as loosely as it likes. */
static const struct { enum hl_op op; const char *text[HL_N_TARGETS]; } functions[] = {
    {HL_OP_ABS, {"ABS(%s)", "fabs(%s)", "abs(%s)"}},
    {HL_OP_EXP, {"EXP(%s)", "exp(%s)", "exp(%s)"}},
    {HL_OP_LOG, {"LOG(%s)", "log(%s)", "log(%s)"}},
    {HL_OP_LOG10, {"LOG10(%s)", "log10(%s)", "log10(%s)"}},
    {HL_OP_LOG1P, {"LOG(1.0 + (%s))", "log1p(%s)", "log1p(%s)"}},
    {HL_OP_EXPM1, {"(EXP(%s) - 1.0)", "expm1(%s)", "expm1(%s)"}},
    {HL_OP_SQRT, {"SQRT(%s)", "sqrt(%s)", "sqrt(%s)"}},
    {HL_OP_PHI, {"PHI(%s)", "(0.5 * erfc(-(%s) * " SQRT_HALF "))", "pnorm(%s)"}},
    {HL_OP_EXPIT, {"(1.0 / (1.0 + EXP(-(%s))))", "(1.0 / (1.0 + exp(-(%s))))", "expit(%s)"}},
    {HL_OP_FLOOR, {NULL, "floor(%s)", "floor(%s)"}},
    {HL_OP_LGAMMA, {"GAMLN(%s)", "lgamma(%s)", "lgamma(%s)"}},
};

static const char *function(struct hl_writer *w, int voice, const struct hl_expr *e)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const char *form = functions[i].op == e->op ? functions[i].text[w->t->target] : NULL;
        const char *gap = form ? strstr(form, "%s") : NULL;
        if (gap)
            return hl_arena_printf(w->t->arena, "%.*s%s%s", (int)(gap - form), form,
                                   hl_write_expr(w, voice, e->arg[0], HL_LOOSE), gap + 2);
    }
    return NULL;
}

static const char *logit(struct hl_writer *w, int voice, const struct hl_expr *e)
{
    const char *x = hl_write_expr(w, voice, e->arg[0], HL_ATOM);
    if (w->t->target == HL_TO_RXODE2)
        return hl_arena_printf(w->t->arena, "logit(%s)", x);
    return hl_arena_printf(w->t->arena, "%s(%s / (1.0 - %s))", w->t->target == HL_TO_NONMEM ? "LOG" : "log", x, x);
}

/* A whole exponent stays whole in Fortran, so that a negative base has a power. */
static const char *exponent(struct hl_writer *w, int voice, const struct hl_expr *e)
{
    if (e->op == HL_OP_NUMBER && e->value == floor(e->value) && e->value >= 0.0 && e->value < 100.0)
        return hl_arena_printf(w->t->arena, "%d", (int)e->value);
    return hl_write_expr(w, voice, e, HL_ATOM);
}

static const char *power(struct hl_writer *w, int voice, const struct hl_expr *e, int level)
{
    if (w->t->target == HL_TO_MRGSOLVE) {
        const char *a = hl_write_expr(w, voice, e->arg[0], HL_LOOSE);
        return hl_arena_printf(w->t->arena, "pow(%s, %s)", a, hl_write_expr(w, voice, e->arg[1], HL_LOOSE));
    }
    const char *a = hl_write_expr(w, voice, e->arg[0], HL_ATOM);
    return paren(w, hl_arena_printf(w->t->arena, "%s%s%s", a, w->t->target == HL_TO_NONMEM ? "**" : "^",
                                    exponent(w, voice, e->arg[1])), HL_POWER, level);
}

static const char *binary(struct hl_writer *w, int voice, const struct hl_expr *e, int has, int level)
{
    const char *a = hl_write_expr(w, voice, e->arg[0], has);
    const char *b = hl_write_expr(w, voice, e->arg[1], e->op == HL_OP_ADD || e->op == HL_OP_MUL ? has : has + 1);
    if (*b == '-') /* two signs in a row are no Fortran */
        b = hl_arena_printf(w->t->arena, "(%s)", b);
    return paren(w, hl_arena_printf(w->t->arena, "%s %s %s", a, hl_op_name(e->op), b), has, level);
}

static const char *call_two(struct hl_writer *w, int voice, const struct hl_expr *e, const char *f)
{
    const char *a = hl_write_expr(w, voice, e->arg[0], HL_LOOSE);
    return hl_arena_printf(w->t->arena, "%s(%s, %s)", f, a, hl_write_expr(w, voice, e->arg[1], HL_LOOSE));
}

/* The regularised incomplete gamma function: rxode2 has it, mrgsolve R's pgamma, NONMEM nothing. */
static const char *gamma_p(struct hl_writer *w, int voice, const struct hl_expr *e)
{
    if (w->t->target == HL_TO_RXODE2)
        return call_two(w, voice, e, "gammap");
    if (w->t->target == HL_TO_NONMEM)
        hl_diag_error(w->t->diag, e->pos, "gamma_p() has no counterpart in NONMEM's abbreviated code; use a chain of "
                      "compartments, or leave out what needs it with --only");
    w->t->needs_r = true;
    const char *a = hl_write_expr(w, voice, e->arg[0], HL_LOOSE), *x = hl_write_expr(w, voice, e->arg[1], HL_LOOSE);
    return hl_arena_printf(w->t->arena, "R::pgamma(%s, %s, 1.0, 1, 0)", x, a);
}

static const char *least_or_greatest(struct hl_writer *w, int voice, const struct hl_expr *e, const char *into)
{
    if (w->t->target == HL_TO_NONMEM)
        return extreme(w, voice, e, into);
    bool cpp = w->t->target == HL_TO_MRGSOLVE;
    return call_two(w, voice, e, e->op == HL_OP_MIN ? cpp ? "fmin" : "min" : cpp ? "fmax" : "max");
}

const char *hl_write_expr(struct hl_writer *w, int voice, const struct hl_expr *e, int level)
{
    const char *into = w->into;
    w->into = NULL; /* for this operation alone, not for its operands */
    const char *text = function(w, voice, e);
    if (text)
        return text;
    switch (e->op) {
    case HL_OP_NUMBER:
        return number(w, e->value, level);
    case HL_OP_NAME:
        return name(w, voice, e, level);
    case HL_OP_COPY:
        return hl_write_expr(w, voice, e->arg[0], level);
    case HL_OP_NEG:
        return paren(w, hl_arena_printf(w->t->arena, "-%s", hl_write_expr(w, voice, e->arg[0], HL_PRODUCT)), HL_SUM,
                     level);
    case HL_OP_ADD: case HL_OP_SUB:
        return binary(w, voice, e, HL_SUM, level);
    case HL_OP_MUL: case HL_OP_DIV:
        return binary(w, voice, e, HL_PRODUCT, level);
    case HL_OP_POW:
        return power(w, voice, e, level);
    case HL_OP_MIN: case HL_OP_MAX:
        return least_or_greatest(w, voice, e, into);
    case HL_OP_HILL:
        return hill(w, voice, e, into);
    case HL_OP_SELECT:
        return select_of(w, voice, e);
    case HL_OP_STEP:
        return step(w, voice, e, into);
    case HL_OP_LOGIT:
        return logit(w, voice, e);
    case HL_OP_FLOOR:
        return floor_of_nonmem(w, voice, e);
    case HL_OP_GAMMA_P:
        return gamma_p(w, voice, e);
    default:
        hl_diag_error(w->t->diag, e->pos, "'%s' has no counterpart in %s", hl_op_name(e->op),
                      hl_target_name(w->t->target));
        return "0";
    }
}

/* ---- Statements ---- */

/* NONMEM goes on in the next line after &. */
static void put(struct hl_writer *w, const char *left, const char *right)
{
    int at = fprintf(w->out, "%*s%s%s", w->indent, "", left, w->t->target == HL_TO_RXODE2 ? " <- " : " = ");
    while (*right) {
        size_t n = strcspn(right, " ");
        if (w->t->target == HL_TO_NONMEM && at + (int)n > LINE && at > w->indent + 8)
            at = fprintf(w->out, "&\n%*s", w->indent + 4, "") - 2;
        at += fprintf(w->out, "%.*s", (int)n, right);
        right += n;
        if (*right) {
            fputc(' ', w->out);
            at++;
            right++;
        }
    }
}

void hl_write_assign(struct hl_writer *w, const char *left, const char *right, const char *comment)
{
    static const char *const sign[] = {";", "//", "#"};
    if (comment && w->t->target == HL_TO_NONMEM && strlen(left) + strlen(right) + strlen(comment) > LINE) {
        hl_write_comment(w, "%s %s", left, comment);
        comment = NULL;
    }
    put(w, left, right);
    if (w->t->target == HL_TO_MRGSOLVE)
        fputc(';', w->out);
    if (comment)
        fprintf(w->out, "  %s %s", sign[w->t->target], hl_clean(w->t, comment));
    fputc('\n', w->out);
}

/* True for what becomes a block of statements rather than a right-hand side. */
static bool is_choice(const struct hl_writer *w, enum hl_op op)
{
    if (w->t->target == HL_TO_MRGSOLVE)
        return false;
    return op == HL_OP_SELECT || op == HL_OP_HILL || op == HL_OP_STEP ||
           (w->t->target == HL_TO_NONMEM && (op == HL_OP_MIN || op == HL_OP_MAX));
}

void hl_write_line(struct hl_writer *w, const struct hl_line *line)
{
    if (is_choice(w, line->expr->op) && line->comment)
        hl_write_comment(w, "%s %s", line->name, line->comment);
    if (line->expr->op == HL_OP_SELECT && w->t->target != HL_TO_MRGSOLVE) {
        write_select(w, line->voice, line->name, line->expr);
        return;
    }
    w->into = line->name;
    const char *right = hl_write_expr(w, line->voice, line->expr, HL_LOOSE);
    w->into = NULL;
    if (right == line->name) /* a choice has put it there already */
        return;
    const char *type = w->t->target != HL_TO_MRGSOLVE ? "" : w->stage == HL_STAGE_OUTPUT ? "capture " : "double ";
    hl_write_assign(w, hl_arena_printf(w->t->arena, "%s%s", type, line->name), right, line->comment);
}

void hl_write_lines(struct hl_writer *w, const struct hl_line_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        hl_write_line(w, &list->line[i]);
}
