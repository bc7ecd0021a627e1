/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recursive descent, one function per line of the grammar in expr.h. The first fault of an expression is reported and
 * ends its parsing: what follows a syntax error is guesswork. Columns count characters, not bytes. */
#include "model/expr.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LONGEST 8000 /* characters of one expression; also bounds the depth of trees */
#define DEEPEST 200 /* nested parentheses and signs; a person needs ten, a stack holds thousands */

struct parser {
    struct hl_arena *arena;
    struct hl_diag *diag;
    const char *text;
    size_t at; /* byte in text */
    struct hl_pos pos;
    bool quoted;
    const char *const *declared;
    size_t n_declared;
    int depth;
    bool failed;
};

static const struct function {
    const char *name;
    enum hl_op op;
    int least, most; /* arguments; most 0: any number */
    const char *usage;
} functions[] = {
    {"exp", HL_OP_EXP, 1, 1, "exp(x)"},       {"log", HL_OP_LOG, 1, 1, "log(x)"},
    {"log10", HL_OP_LOG10, 1, 1, "log10(x)"}, {"log1p", HL_OP_LOG1P, 1, 1, "log1p(x)"},
    {"expm1", HL_OP_EXPM1, 1, 1, "expm1(x)"}, {"sqrt", HL_OP_SQRT, 1, 1, "sqrt(x)"},
    {"pow", HL_OP_POW, 2, 2, "pow(x, y)"},    {"min", HL_OP_MIN, 2, 0, "min(x, y)"},
    {"max", HL_OP_MAX, 2, 0, "max(x, y)"},    {"abs", HL_OP_ABS, 1, 1, "abs(x)"},
    {"floor", HL_OP_FLOOR, 1, 1, "floor(x)"}, {"Phi", HL_OP_PHI, 1, 1, "Phi(x)"},
    {"logit", HL_OP_LOGIT, 1, 1, "logit(p)"}, {"expit", HL_OP_EXPIT, 1, 1, "expit(x)"},
    {"hill", HL_OP_HILL, 3, 3, "hill(C, C50, n)"}, {"step", HL_OP_STEP, 1, 1, "step(x)"},
    {"lgamma", HL_OP_LGAMMA, 1, 1, "lgamma(x)"}, {"gamma_p", HL_OP_GAMMA_P, 2, 2, "gamma_p(a, x)"},
    {"if", HL_OP_SELECT, 3, 3, "if(condition, a, b)"},
};
#define N_FUNCTIONS (sizeof functions / sizeof functions[0])

static const char *const words[] = {"and", "or", "not", "ln2", "pi", "t", "tad", "out", "nominal", "molar_mass"};
#define N_WORDS (sizeof words / sizeof words[0])

static struct hl_expr *parse_or(struct parser *p);
static struct hl_expr *parse_unary(struct parser *p);

static const struct function *find_function(const char *word)
{
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        if (strcmp(functions[i].name, word) == 0)
            return &functions[i];
    return NULL;
}

bool hl_expr_is_function(const char *word)
{
    return find_function(word) != NULL;
}

bool hl_expr_is_reserved(const char *word)
{
    for (size_t i = 0; i < N_WORDS; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return hl_expr_is_function(word);
}

static bool is_declared(const struct parser *p, const char *word)
{
    for (size_t i = 0; i < p->n_declared; i++)
        if (strcmp(p->declared[i], word) == 0)
            return true;
    return false;
}

/* The place of byte at: bytes 10xxxxxx continue a character. */
static struct hl_pos place(const struct parser *p, size_t at)
{
    int characters = 0;
    for (size_t i = 0; i < at; i++)
        characters += ((unsigned char)p->text[i] & 0xC0) != 0x80;
    return hl_pos_shift(p->pos, characters);
}

/* Reports one fault and ends the parsing; gives NULL, to be returned. */
#define FAULT(p, at_, ...)                                                                                             \
    ((p)->failed ? NULL : ((p)->failed = true, hl_diag_error((p)->diag, place((p), (at_)), __VA_ARGS__), (void *)NULL))

static struct hl_expr *new_node(struct parser *p, enum hl_op op, size_t at)
{
    struct hl_expr *e = hl_arena_alloc(p->arena, 1, sizeof *e);
    e->op = op;
    e->pos = place(p, at);
    e->dim = hl_dim_none();
    return e;
}

static struct hl_expr *join(struct parser *p, enum hl_op op, struct hl_expr *a, struct hl_expr *b)
{
    if (!a || !b)
        return NULL;
    struct hl_expr *e = new_node(p, op, p->at);
    e->pos = a->pos;
    e->arg[0] = a;
    e->arg[1] = b;
    return e;
}

static void skip_space(struct parser *p)
{
    while (p->text[p->at] == ' ' || p->text[p->at] == '\t' || p->text[p->at] == '\n')
        p->at++;
}

static bool starts_name(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool continues_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Unit names also hold %, and a micro sign in UTF-8. */
static bool starts_unit(char c)
{
    return isalpha((unsigned char)c) || c == '%' || ((unsigned char)c & 0x80);
}

static size_t name_length(const char *s)
{
    size_t n = 0;
    if (starts_name(*s))
        while (continues_name(s[n]))
            n++;
    return n;
}

/* True, and moved on, when the next thing is this operator or word. */
static bool take(struct parser *p, const char *token)
{
    skip_space(p);
    size_t n = strlen(token);
    if (strncmp(p->text + p->at, token, n) != 0 || (starts_name(*token) && continues_name(p->text[p->at + n])))
        return false;
    p->at += n;
    return true;
}

/* Length of a unit without brackets: names with whole powers, joined by "/" or "." with no space between. */
static size_t unit_length(const char *s)
{
    size_t n = 0;
    if (s[0] == '1' && s[1] == '/' && starts_unit(s[2]))
        n = 2;
    while (starts_unit(s[n])) {
        while (starts_unit(s[n]) || s[n] == '_' || isdigit((unsigned char)s[n]))
            n++;
        if (s[n] == '^') {
            size_t sign = s[n + 1] == '-' || s[n + 1] == '+';
            if (!isdigit((unsigned char)s[n + 1 + sign]))
                return n;
            n += 1 + sign;
            while (isdigit((unsigned char)s[n]))
                n++;
        }
        if ((s[n] == '/' || s[n] == '.') && starts_unit(s[n + 1]))
            n++;
        else
            return n;
    }
    return n;
}

/* A word of the unit that is also a declared name, or a function with its parenthesis, can't be told apart: ask for a
 * spelling that can. min without one is minutes. */
static bool unit_is_clear(struct parser *p, size_t start, size_t n, size_t number, size_t number_length)
{
    const char *unit = p->text + start;
    for (size_t i = 0; i < n;) {
        size_t k = name_length(unit + i);
        if (k == 0) {
            i++;
            continue;
        }
        const char *word = hl_arena_strndup(p->arena, unit + i, k);
        bool power_digit = i > 0 && isdigit((unsigned char)unit[i - 1]);
        if (!power_digit && (is_declared(p, word) || (hl_expr_is_function(word) && unit[i + k] == '('))) {
            const char *value = hl_arena_strndup(p->arena, p->text + number, number_length);
            if (i == 0)
                FAULT(p, start, "'%s' after the number %s reads as a unit but is a declared name; "
                      "write '%s * %s', or '%s [%s]' for the unit", word, value, value, word, value, word);
            else
                FAULT(p, start + i, "'%s' in the unit '%.*s' is also a declared name; put spaces around '%c' "
                      "('%s %.*s %c %s'), or brackets around the unit ('%s [%.*s]')", word, (int)n, unit, unit[i - 1],
                      value, (int)(i - 1), unit, unit[i - 1] == '.' ? '*' : '/', word, value, (int)n, unit);
            return false;
        }
        i += k;
    }
    return true;
}

static void apply_unit(struct parser *p, struct hl_expr *e, const char *text, size_t at)
{
    struct hl_unit unit;
    char why[256];
    if (!hl_unit_parse(text, &unit, why, sizeof why)) {
        FAULT(p, at, "%s", why);
        return;
    }
    e->value *= unit.factor;
    e->dim = unit.dim;
}

/* The word after a number is an operator, not a unit. */
static bool is_word_operator(const char *s)
{
    size_t n = name_length(s);
    return (n == 3 && (strncmp(s, "and", 3) == 0 || strncmp(s, "not", 3) == 0)) || (n == 2 && strncmp(s, "or", 2) == 0);
}

static void parse_bracketed(struct parser *p, struct hl_expr *e, size_t start)
{
    const char *end = strchr(p->text + start, ']');
    if (!end) {
        FAULT(p, start - 1, "'[' without ']' around a unit%s", p->quoted ? "" : "; quote this expression");
        return;
    }
    size_t n = (size_t)(end - p->text) - start;
    p->at = start + n + 1;
    apply_unit(p, e, hl_arena_strndup(p->arena, p->text + start, n), start);
}

static struct hl_expr *parse_number(struct parser *p)
{
    size_t start = p->at, n = hl_text_number_length(p->text + start);
    struct hl_expr *e = new_node(p, HL_OP_NUMBER, start);
    if (n == 0 || !hl_text_number(hl_arena_strndup(p->arena, p->text + start, n), &e->value))
        return FAULT(p, start, "expected a number");
    p->at += n;
    size_t unit = p->at + (p->text[p->at] == ' ');
    if (p->text[unit] == '[') {
        parse_bracketed(p, e, unit + 1);
    } else if (!is_word_operator(p->text + unit)) {
        size_t length = unit_length(p->text + unit);
        if (unit == p->at && p->text[unit] == '1')
            length = 0;
        if (length > 0 && unit_is_clear(p, unit, length, start, n)) {
            p->at = unit + length;
            apply_unit(p, e, hl_arena_strndup(p->arena, p->text + unit, length), unit);
            if (p->text[p->at] == '.' && isdigit((unsigned char)p->text[p->at + 1]))
                FAULT(p, unit, "a power that is not a whole number needs brackets around its unit, as in 2 [kg^0.75]");
        }
    }
    return p->failed ? NULL : e;
}

static struct hl_expr *unclosed(struct parser *p, size_t open)
{
    if (p->failed)
        return NULL;
    if (p->text[p->at] != '\0')
        return FAULT(p, p->at, "expected an operator, ',' or ')' before '%s'", p->text + p->at);
    if (!p->quoted)
        return FAULT(p, open,
                     "'(' is never closed: YAML cuts an unquoted expression at its comma; quote this expression");
    return FAULT(p, open, "'(' is never closed; add ')'");
}

static struct hl_expr *fold_arguments(struct parser *p, const struct function *f, struct hl_expr **arg, int n,
                                      size_t start)
{
    struct hl_expr *e = new_node(p, f->op, start);
    if (f->most == 0) { /* min and max of many */
        struct hl_expr *first = arg[0];
        for (int i = 1; i < n; i++) {
            first = join(p, f->op, first, arg[i]);
            first->pos = e->pos;
        }
        return first;
    }
    for (int i = 0; i < n; i++)
        e->arg[i] = arg[i];
    return e;
}

static struct hl_expr *parse_call(struct parser *p, const struct function *f, size_t start)
{
    enum { MOST = 16 };
    struct hl_expr *arg[MOST];
    size_t open = p->at - 1;
    int n = 0;
    if (!take(p, ")")) {
        do {
            if (n == MOST)
                return FAULT(p, p->at, "more than %d arguments of %s", MOST, f->name);
            if (!(arg[n++] = parse_or(p)))
                return NULL;
        } while (take(p, ","));
        if (!take(p, ")"))
            return unclosed(p, open);
    }
    if (n < f->least || (f->most > 0 && n > f->most))
        return FAULT(p, start, "%s needs %s%d argument%s, found %d; write %s", f->name, f->most ? "" : "at least ",
                     f->least, f->least == 1 ? "" : "s", n, f->usage);
    return fold_arguments(p, f, arg, n, start);
}

static struct hl_expr *unknown_function(struct parser *p, const char *word, size_t start)
{
    const char *names[N_FUNCTIONS];
    char near[96];
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        names[i] = functions[i].name;
    if (is_declared(p, word))
        return FAULT(p, start, "'%s' is a name, not a function; write '%s * (...)'", word, word);
    if (strcmp(word, "ln") == 0)
        return FAULT(p, start, "unknown function 'ln'; did you mean 'log'? (the natural logarithm)");
    return FAULT(p, start, "unknown function '%s'%s", word,
                 hl_text_did_you_mean(word, names, N_FUNCTIONS, near, sizeof near));
}

static struct hl_expr *parse_name(struct parser *p)
{
    size_t start = p->at, n = name_length(p->text + start);
    const char *word = hl_arena_strndup(p->arena, p->text + start, n);
    const struct function *f = find_function(word);
    p->at += n;
    if (strcmp(word, "and") == 0 || strcmp(word, "or") == 0 || strcmp(word, "not") == 0)
        return FAULT(p, start, "'%s' needs a comparison on %s", word, *word == 'n' ? "its right" : "both sides");
    if (p->text[p->at] == '.' && starts_name(p->text[p->at + 1]))
        return FAULT(p, start, "'%s' is in another model: name it under inputs: and use that name here",
                     hl_arena_strndup(p->arena, p->text + start, n + 1 + name_length(p->text + p->at + 1)));
    if (take(p, "("))
        return f ? parse_call(p, f, start) : unknown_function(p, word, start);
    if (f)
        return FAULT(p, start, "function '%s' without arguments; write %s", word, f->usage);
    struct hl_expr *e = new_node(p, HL_OP_NAME, start);
    e->name = word;
    return e;
}

static struct hl_expr *parse_parenthesis(struct parser *p)
{
    size_t open = p->at++;
    struct hl_expr *e = parse_or(p);
    if (!e)
        return NULL;
    if (!take(p, ")"))
        return unclosed(p, open);
    e->pos = place(p, open);
    return e;
}

/* Nothing that could start an operand. */
static struct hl_expr *no_operand(struct parser *p)
{
    const char *s = p->text + p->at;
    if (*s == '\0' && p->at == 0)
        return FAULT(p, 0, "expected an expression, found nothing");
    if (*s == '\0')
        return FAULT(p, p->at, "the expression ends where a value was expected%s",
                     p->quoted ? "" : "; if it holds a comma or a colon, quote this expression");
    if (*s == ')')
        return FAULT(p, p->at, "')' where a value was expected");
    if (*s == '[')
        return FAULT(p, p->at, "a unit in brackets needs a number before it, as in 1 [1/h]");
    if (*s == '!')
        return FAULT(p, p->at, "'!' is not an operator; write 'not'");
    int n = 1;
    while (((unsigned char)s[n] & 0xC0) == 0x80)
        n++;
    return FAULT(p, p->at, "expected a number, a name or '(', found '%.*s'", n, s);
}

static struct hl_expr *parse_primary(struct parser *p)
{
    skip_space(p);
    const char *s = p->text + p->at;
    if (isdigit((unsigned char)*s) || (*s == '.' && isdigit((unsigned char)s[1])))
        return parse_number(p);
    if (starts_name(*s))
        return parse_name(p);
    if (*s == '(')
        return parse_parenthesis(p);
    return no_operand(p);
}

static struct hl_expr *parse_power(struct parser *p)
{
    struct hl_expr *base = parse_primary(p);
    if (!base)
        return NULL;
    size_t star = p->at;
    if (take(p, "**"))
        return FAULT(p, star, "'**' is not an operator; write '^'");
    return take(p, "^") ? join(p, HL_OP_POW, base, parse_unary(p)) : base;
}

static struct hl_expr *parse_signed(struct parser *p)
{
    skip_space(p);
    size_t start = p->at;
    if (take(p, "+"))
        return parse_unary(p);
    if (!take(p, "-"))
        return parse_power(p);
    struct hl_expr *e = new_node(p, HL_OP_NEG, start);
    e->arg[0] = parse_unary(p);
    return e->arg[0] ? e : NULL;
}

static struct hl_expr *parse_unary(struct parser *p)
{
    if (p->depth >= DEEPEST)
        return FAULT(p, p->at, "more than %d nested parentheses or signs; name the parts under individual: or outputs:",
                     DEEPEST);
    p->depth++;
    struct hl_expr *e = parse_signed(p);
    p->depth--;
    return e;
}

static struct hl_expr *parse_product(struct parser *p)
{
    struct hl_expr *e = parse_unary(p);
    for (;;) {
        if (e && take(p, "*"))
            e = join(p, HL_OP_MUL, e, parse_unary(p));
        else if (e && take(p, "/"))
            e = join(p, HL_OP_DIV, e, parse_unary(p));
        else
            return e;
    }
}

static struct hl_expr *parse_sum(struct parser *p)
{
    struct hl_expr *e = parse_product(p);
    for (;;) {
        if (e && take(p, "+"))
            e = join(p, HL_OP_ADD, e, parse_product(p));
        else if (e && take(p, "-"))
            e = join(p, HL_OP_SUB, e, parse_product(p));
        else
            return e;
    }
}

/* The comparison operator at the parser's place, or HL_N_OPS. */
static enum hl_op take_comparison(struct parser *p)
{
    static const struct { const char *text; enum hl_op op; } table[] = {
        {"==", HL_OP_EQ}, {"!=", HL_OP_NE}, {"<=", HL_OP_LE}, {">=", HL_OP_GE},
        {"=", HL_OP_EQ},  {"<", HL_OP_LT},  {">", HL_OP_GT},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (take(p, table[i].text))
            return table[i].op;
    return HL_N_OPS;
}

static struct hl_expr *parse_comparison(struct parser *p)
{
    struct hl_expr *e = parse_sum(p);
    enum hl_op op = e ? take_comparison(p) : HL_N_OPS;
    if (op == HL_N_OPS)
        return e;
    e = join(p, op, e, parse_sum(p));
    skip_space(p);
    size_t second = p->at;
    if (e && take_comparison(p) != HL_N_OPS)
        return FAULT(p, second, "two comparisons in a row; write 'a < b and b < c'");
    return e;
}

static struct hl_expr *parse_not(struct parser *p)
{
    skip_space(p);
    size_t start = p->at;
    if (!take(p, "not"))
        return parse_comparison(p);
    if (p->depth >= DEEPEST)
        return FAULT(p, start, "more than %d times 'not'", DEEPEST);
    p->depth++;
    struct hl_expr *e = new_node(p, HL_OP_NOT, start);
    e->arg[0] = parse_not(p);
    p->depth--;
    return e->arg[0] ? e : NULL;
}

static struct hl_expr *parse_and(struct parser *p)
{
    struct hl_expr *e = parse_not(p);
    while (e && take(p, "and"))
        e = join(p, HL_OP_AND, e, parse_not(p));
    return e;
}

static struct hl_expr *parse_or(struct parser *p)
{
    struct hl_expr *e = parse_and(p);
    while (e && take(p, "or"))
        e = join(p, HL_OP_OR, e, parse_and(p));
    return e;
}

/* Something stands behind a complete expression. */
static struct hl_expr *left_over(struct parser *p)
{
    const char *s = p->text + p->at;
    if (*s == ')')
        return FAULT(p, p->at, "')' without '('%s", p->quoted ? "" : "; quote this expression");
    if (*s == ',')
        return FAULT(p, p->at, "',' outside a function's parentheses");
    if (strncmp(s, "&&", 2) == 0 || strncmp(s, "||", 2) == 0)
        return FAULT(p, p->at, "'%.2s' is not an operator; write '%s'", s, *s == '&' ? "and" : "or");
    return FAULT(p, p->at,
                 "expected an operator before '%s'; multiply with '*', and a unit follows its number after at "
                 "most one space",
                 s);
}

struct hl_expr *hl_expr_parse(struct hl_arena *arena, const char *text, struct hl_pos pos, bool quoted,
                              const char *const *declared, size_t n, struct hl_diag *diag)
{
    struct parser p = {.arena = arena, .diag = diag, .text = text, .pos = pos, .quoted = quoted,
                       .declared = declared, .n_declared = n};
    if (strlen(text) > LONGEST)
        return FAULT(&p, LONGEST, "an expression of more than %d characters; name its parts", LONGEST);
    struct hl_expr *e = parse_or(&p);
    skip_space(&p);
    if (e && text[p.at] != '\0')
        e = left_over(&p);
    if (e)
        e->text = text;
    return e;
}

struct hl_expr *hl_expr_read(struct hl_arena *arena, const struct hl_yaml *node, const char *what,
                             const char *const *declared, size_t n, struct hl_diag *diag)
{
    const char *text = hl_yaml_text(node, what, diag);
    if (!text)
        return NULL;
    return hl_expr_parse(arena, text, node->pos, node->quoted, declared, n, diag);
}
