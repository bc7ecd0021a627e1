/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions: values by precedence, units, and every complaint at its exact column. */
#include <math.h>

#include "model_sample.h"

/* A model whose only output, y, is this expression; p = 2.385, q = 0.7, V = 3.1 L, d0 = 7.5 mg, tt = 5 h. */
static const char *model_of(struct hl_arena *arena, const char *expression, const char *unit)
{
    return hl_arena_printf(arena,
                           "model: m\n"
                           "covariates:\n"
                           "  WT: {default: 70 kg}\n"
                           "  sex: {default: female, categories: [male, female]}\n"
                           "parameters:\n"
                           "  p: {value: 2.385, grade: M}\n"
                           "  q: {value: 0.7, grade: S}\n"
                           "  V: {value: 3.1 L, grade: C}\n"
                           "  d0: {value: 7.5 mg, grade: A}\n"
                           "  tt: {value: 5 h, grade: A}\n"
                           "compartments: {c: {initial: 1 mg}}\n"
                           "flows: {c -> out: \"0.3 [1/h]\"}\n"
                           "outputs:\n"
                           "  y: {unit: \"%s\", value: \"%s\"}\n", unit, expression);
}

static double value_of(const char *expression, const char *unit)
{
    struct hl_arena *arena = hl_arena_create();
    struct sample s = sample_link(model_of(arena, expression, unit));
    double *regs = calloc(s.system->n_regs, sizeof *regs);
    hl_system_reset(s.system, regs, 1);
    hl_program_run(&s.system->individual, regs, 1);
    regs[s.system->time_reg] = 11.25;
    hl_program_run(&s.system->outputs, regs, 1);
    const struct hl_output *y = &s.system->output[hl_system_find_output(s.system, "d.y")];
    double value = regs[y->reg] / y->unit.factor;
    free(regs);
    sample_free(&s);
    hl_arena_free(arena);
    return value;
}

static void gives(const char *expression, const char *unit, double expected)
{
    double found = value_of(expression, unit);
    if (!(fabs(found - expected) <= 4e-15 * fabs(expected)))
        fail_msg("\"%s\" is %.17g, expected %.17g", expression, found, expected);
}

static void precedence(void **state)
{
    (void)state;
    gives("1 + 2 * 3", "1", 7.0);
    gives("-2^2", "1", -4.0);
    gives("2^-1", "1", 0.5);
    gives("2^3^2", "1", 512.0);
    gives("(2^3)^2", "1", 64.0);
    gives("8 / 4 / 2", "1", 1.0);
    gives("8 - 4 - 2", "1", 2.0);
    gives("2 * -p", "1", -4.77);
    gives("- -p", "1", 2.385);
    gives("+p", "1", 2.385);
    gives("-p^2", "1", -(2.385 * 2.385));
    gives("p * q + p / q", "1", 2.385 * 0.7 + 2.385 / 0.7);
    gives("if(1 + 1 > 3 or not p < q and q < 1, 1, 2)", "1", 1.0);
    gives("if(not (p > q), 1, 2)", "1", 2.0);
    gives("if(p >= 2.385 and p <= 2.385, 3.25, 0)", "1", 3.25);
    gives("if(p == 2.385, 1, 0) + if(p != q, 10, 0)", "1", 11.0);
    gives("if(sex = female, 3, 4) + if(sex != female, 10, 20)", "1", 23.0);
}

static void functions(void **state)
{
    (void)state;
    const double p = 2.385, q = 0.7;
    gives("exp(p)", "1", exp(p));
    gives("log(p) + log10(p) + log1p(p)", "1", log(p) + log10(p) + log1p(p));
    gives("expm1(q) + sqrt(p)", "1", expm1(q) + sqrt(p));
    gives("pow(p, q)", "1", pow(p, q));
    gives("15 min", "h", 0.25); /* minutes, since no parenthesis follows */
    gives("min(90 min, 2 h)", "h", 1.5);
    gives("7.5 1/min", "1/h", 450);
    gives("min(p, q, 3) + max(p, q, 1, 2)", "1", 0.7 + 2.385);
    gives("abs(q - p) + floor(p)", "1", p - q + 2);
    gives("Phi(q)", "1", 0.5 * erfc(-q / sqrt(2.0)));
    gives("logit(q)", "1", log(q / (1 - q)));
    gives("expit(q)", "1", 1 / (1 + exp(-q)));
    gives("hill(p, q, 3.1)", "1", 1 / (1 + pow(q / p, 3.1)));
    gives("step(q) + step(-q)", "1", 1.0);
    gives("lgamma(p)", "1", lgamma(p));
    gives("gamma_p(1, p)", "1", -expm1(-p));
    gives("ln2 * pi", "1", 0.69314718055994530942 * 3.14159265358979323846);
    gives("t / 1 h", "1", 11.25);
}

static void numbers_with_units(void **state)
{
    (void)state;
    gives("ln2 / 48 h", "1/h", 0.69314718055994530942 / 48.0);
    gives("48h", "h", 48.0);
    gives("2 d", "h", 48.0);
    gives("10 [mg/L] * V", "mg", 31.0);
    gives("100 [1/h]", "1/h", 100.0);
    gives("0.05 h^-1", "1/h", 0.05);
    gives("3.6 L/h/kg * WT", "L/h", 252.0);
    gives("500 ug + d0", "mg", 8.0);
    gives("10 mg / V", "mg/L", 10 / 3.1);
    gives("10 mg/2", "mg", 5.0);
    gives("100 %*p", "%", 238.5);
    gives("20 % / 1 %", "1", 20.0);
    gives("5 mg.h/L", "mg.h/L", 5.0);
    gives("(WT / 70 kg)^0.75 * 4 [kg^0.75]", "kg^0.75", 4.0);
    gives("WT^0.75 / 1 [kg^0.75]", "1", pow(70.0, 0.75));
    gives("sqrt(V * V)", "L", 3.1);
    gives("1e3 ng/mL * V", "mg", 3.1);
    gives("1.5e-1 mg", "mg", 0.15);
    gives("if(p > 2 and q < 1, 1, 0)", "1", 1.0);
}

/* The message stands in line 14 at this column of the expression, counted from 1. */
static void complains(const char *expression, const char *unit, int column, const char *message)
{
    struct hl_arena *arena = hl_arena_create();
    char place[64];
    const char *text = model_of(arena, expression, unit);
    const char *line = strstr(text, "  y: {unit");
    int start = (int)(strstr(line, "value: \"") - line) + 9;
    snprintf(place, sizeof place, "m.yaml:14:%d: error: ", start + column - 1);
    struct sample s = sample_read(text);
    if (s.model || !strstr(s.messages, place) || !strstr(s.messages, message))
        fail_msg("\"%s\": expected \"%s...%s\", got \"%s\"", expression, place, message, s.messages);
    sample_free(&s);
    hl_arena_free(arena);
}

static void syntax_errors(void **state)
{
    (void)state;
    complains("(p + q", "1", 1, "'(' is never closed");
    complains("p + q)", "1", 6, "')' without '('");
    complains("p +", "1", 4, "ends where a value was expected");
    complains("p q", "1", 3, "expected an operator before 'q'");
    complains("p ** 2", "1", 3, "write '^'");
    complains("exq(p)", "1", 1, "unknown function 'exq'; did you mean 'exp'?");
    complains("ln(p)", "1", 1, "did you mean 'log'");
    complains("p(q)", "1", 1, "'p' is a name, not a function");
    complains("hill(p, q)", "1", 1, "hill needs 3 arguments, found 2; write hill(C, C50, n)");
    complains("min(p)", "1", 1, "min needs at least 2 arguments");
    complains("exp + 1", "1", 1, "function 'exp' without arguments");
    complains("gamma_p(q)", "1", 1, "gamma_p needs 2 arguments, found 1; write gamma_p(a, x)");
    complains("gamma_p(q, V)", "1", 12, "gamma_p needs a plain number, found L; divide by a reference, as in gamma_p(..., x / 1 [L])");
    complains("lgamma(V)", "1", 8, "lgamma needs a plain number, found L; divide by a reference, as in lgamma(x / 1 [L])");
    complains("p < q < 3", "1", 7, "two comparisons in a row");
    complains("if(p > 1 && q > 1, 1, 2)", "1", 10, "expected an operator");
    complains("p && q", "1", 3, "write 'and'");
    complains("if(!(p > 1), 1, 2)", "1", 4, "write 'not'");
    complains("p, q", "1", 2, "',' outside");
    complains("fentanyl.Ce", "1", 1, "'fentanyl.Ce' is in another model");
    complains("[mg]", "1", 1, "needs a number before it");
    complains("3 [mg", "mg", 3, "'[' without ']'");
    complains("p + $", "1", 5, "found '$'");
    complains("p + \xC3\xA9 * q", "1", 5, "found '\xC3\xA9'");
}

static void unit_errors(void **state)
{
    (void)state;
    complains("10 mg/V", "mg/L", 7, "'V' in the unit 'mg/V' is also a declared name; put spaces around '/' ('10 mg / V')");
    complains("2 V", "L", 3, "reads as a unit but is a declared name; write '2 * V'");
    complains("p * 10 mgg", "mg", 8, "unknown unit 'mgg'; did you mean 'mg'?");
    complains("3 kg^0.75", "1", 3, "needs brackets");
    complains("3  mg", "mg", 4, "expected an operator before 'mg'; multiply with '*', and a unit follows its number after at most one space");
    complains("2 mg/exp(p)", "mg", 6, "also a declared name");
    complains("3 [month]", "h", 4, "month");
    complains("h * 3", "h", 1, "unknown name 'h'; a unit needs a number before it, as in 1 h");
}

static void dimension_errors(void **state)
{
    (void)state;
    complains("V + tt", "L", 5, "'+' needs one dimension, but the first is L and this is h");
    complains("tt + 3", "h", 6, "the first is h and this is 1; add a unit, as in 3 [h]");
    complains("p * (V - d0)", "L", 10, "'-' needs one dimension, but the first is L and this is mg");
    complains("min(V, tt)", "L", 8, "'min' needs one dimension");
    complains("max(V, V, tt)", "L", 11, "'max' needs one dimension");
    complains("if(V > tt, 1, 2)", "1", 8, "'>' needs one dimension, but the first is L and this is h");
    complains("if(p > q, V, tt)", "L", 14, "if(condition, a, b) needs one dimension");
    complains("exp(tt)", "1", 5, "exp needs a plain number, found h; divide by a reference, as in exp(x / 1 [h])");
    complains("1 + log(c)", "1", 9, "log needs a plain number, found mg");
    complains("log10(V)", "1", 7, "log10 needs");
    complains("log1p(V)", "1", 7, "log1p needs");
    complains("expm1(V)", "1", 7, "expm1 needs");
    complains("Phi(V)", "1", 5, "Phi needs");
    complains("logit(V)", "1", 7, "logit needs");
    complains("expit(V)", "1", 7, "expit needs");
    complains("floor(V)", "1", 7, "floor needs");
    complains("exp(20 %)", "1", 5, "found %");
    complains("V^q", "L", 1, "an exponent that is not a constant needs a plain number as its base, found L");
    complains("p^tt", "1", 3, "an exponent is a plain number, found h");
    complains("V^0.18143", "1", 1, "has no name as a unit");
    complains("hill(V, tt, p)", "1", 9, "hill(C, C50, n) needs one dimension, but the first is L and this is h");
    complains("hill(V, V, tt)", "1", 12, "the exponent of hill is a plain number, found h");
    complains("d0 / V", "mg", 1, "output 'y' in mg must have dimension mg, but this expression has mg/L");
    complains("d0 / V", "nM", 1, "convert with molar_mass");
    complains("3", "mg", 1, "add a unit, as in 3 [mg]");
    complains("p + (p > q)", "1", 5, "a comparison where a number was expected");
    complains("p > q", "1", 1, "a comparison where a number was expected");
    complains("if(p, 1, 2)", "1", 4, "expected a condition");
    complains("if(p > q and q, 1, 2)", "1", 14, "expected a condition");
    complains("sex", "1", 1, "'sex' has categories and is no number; compare it, as in if(sex = male, a, b)");
    complains("if(sex = femal, 1, 2)", "1", 10, "'femal' is not a category of 'sex'; did you mean 'female'?");
    complains("if(sex > male, 1, 2)", "1", 4, "categories have no order");
    complains("if(sex = 1, 1, 2)", "1", 10, "compared with the name of a category");
    complains("p * female", "1", 5, "'female' is a category of 'sex'");
}

static void name_errors(void **state)
{
    (void)state;
    complains("p * WTT", "1", 5, "unknown name 'WTT'; did you mean 'WT'?");
    complains("tad", "h", 1, "needs a model with routes");
    complains("molar_mass", "g/mol", 1, "states no molar_mass");
    complains("nominal", "mg", 1, "only known in its content");
    struct hl_arena *arena = hl_arena_create();
    sample_refuses(model_of(arena, "y + 1", "1"), "m.yaml:14:3: error: circular definition: y -> y");
    hl_arena_free(arena);
}

static void deep_and_long(void **state)
{
    (void)state;
    struct hl_arena *arena = hl_arena_create();
    char *deep = hl_arena_alloc(arena, 2000, 1), *wide = hl_arena_alloc(arena, 20000, 1);
    memset(deep, '(', 900);
    strcpy(deep + 900, "p");
    sample_refuses(model_of(arena, deep, "1"), "more than 200 nested");
    for (int i = 0; i < 9000; i += 2)
        memcpy(wide + i, "p+", 2);
    strcpy(wide + 9000, "p");
    sample_refuses(model_of(arena, wide, "1"), "more than 8000 characters");
    wide[7000] = 'p';
    wide[7001] = '\0';
    sample_refuses(model_of(arena, wide, "1"), "more than 1200 operations build on one another");
    wide[2000] = 'p';
    wide[2001] = '\0';
    double found = value_of(wide, "1");
    if (fabs(found - 1001 * 2.385) > 1e-9)
        fail_msg("a long sum is %.17g", found);
    hl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),      cmocka_unit_test(functions),   cmocka_unit_test(numbers_with_units),
        cmocka_unit_test(syntax_errors),   cmocka_unit_test(unit_errors), cmocka_unit_test(dimension_errors),
        cmocka_unit_test(name_errors),     cmocka_unit_test(deep_and_long),
    };
    return cmocka_run_group_tests(tests, sample_units, NULL);
}
