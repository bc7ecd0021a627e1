/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units at the door: factors against arithmetic by hand, dimensions, and every refusal with its remedy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

static char why[256];

static struct hl_unit unit_of(const char *text)
{
    struct hl_unit unit = {hl_dim_none(), 0};
    if (!hl_unit_parse(text, &unit, why, sizeof why))
        fail_msg("%s: %s", text, why);
    return unit;
}

/* Exact comparison: the factors are fractions of whole numbers, rounded once. */
static void factors_and_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double factor;
        const char *name;
    } cases[] = {
        {"h", 1, "h"},          {"min", 1.0 / 60, "h"},    {"s", 1.0 / 3600, "h"},    {"d", 24, "h"},
        {"week", 168, "h"},     {"kg", 1, "kg"},           {"g", 1e3, "mg"},          {"mg", 1, "mg"},
        {"ug", 1e-3, "mg"},     {"mcg", 1e-3, "mg"},       {"ng", 1e-6, "mg"},        {"pg", 1e-9, "mg"},
        {"L", 1, "L"},          {"dL", 0.1, "L"},          {"mL", 1e-3, "L"},         {"uL", 1e-6, "L"},
        {"m", 10, "dm"},        {"cm", 0.1, "dm"},         {"mm", 0.01, "dm"},        {"m^2", 100, "dm^2"},
        {"cm^3", 1e-3, "L"},    {"m^3", 1000, "L"},        {"mol", 1e9, "nmol"},      {"mmol", 1e6, "nmol"},
        {"umol", 1e3, "nmol"},  {"nmol", 1, "nmol"},       {"pmol", 1e-3, "nmol"},    {"M", 1e9, "nmol/L"},
        {"mM", 1e6, "nmol/L"},  {"uM", 1e3, "nmol/L"},     {"nM", 1, "nmol/L"},       {"pM", 1e-3, "nmol/L"},
        {"mmHg", 1, "mmHg"},    {"year", 1, "year"},       {"%", 1, "%"},             {"1", 1, "1"},
        {"ng/mL", 1e-3, "mg/L"}, {"ug/h", 1e-3, "mg/h"},   {"mL/min", 0.06, "L/h"},   {"1/min", 60, "1/h"},
        {"L/h/kg^0.75", 1, "L/h/kg^0.75"}, {"mg/kg", 1, "mg/kg"}, {"mg*h/L", 1, "mg*h/L"}, {"mg.h/L", 1, "mg*h/L"},
        {"h^-1", 1, "1/h"},     {"d^-2", 1.0 / 576, "1/h^2"}, {"m2", 100, "dm^2"},    {"kg^2.mg", 1, "mg*kg^2"},
        {"mL^0.5", 0.03162277660168379, "L^0.5"}, {"ng/mL/h", 1e-3, "mg/L/h"}, {"h/h", 1, "1"}, {"g/mg", 1e3, "1"},
        {"kg^0.333333", 1, "kg^0.333333"}, {"\xC2\xB5g/mL", 1, "mg/L"}, {"\xCE\xBCg", 1e-3, "mg"},
        {"mmHg/%", 1, "mmHg/%"}, {"mm^-1", 100, "1/dm"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[64];
        struct hl_unit unit = unit_of(cases[i].text);
        if (unit.factor != cases[i].factor)
            fail_msg("%s: factor %.17g, expected %.17g", cases[i].text, unit.factor, cases[i].factor);
        assert_string_equal(hl_dim_name(unit.dim, name, sizeof name), cases[i].name);
    }
}

static void refusals_name_a_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"mgg", "unknown unit 'mgg'; did you mean 'mg'?"},
        {"mgg/mL", "unknown unit 'mgg' in \"mgg/mL\"; did you mean 'mg'?"},
        {"month", "say 28 d or 30 d"},  {"months", "say 28 d or 30 d"},  {"mo", "say 28 d or 30 d"},
        {"mg/month", "say 28 d or 30 d"}, {"hour", "did you mean 'h'?"}, {"hours", "did you mean 'h'?"},
        {"hr", "did you mean 'h'?"},    {"day", "did you mean 'd'?"},    {"days", "did you mean 'd'?"},
        {"minute", "did you mean 'min'?"}, {"minutes", "did you mean 'min'?"}, {"sec", "did you mean 's'?"},
        {"weeks", "did you mean 'week'?"}, {"years", "did you mean 'year'?"}, {"ML", "did you mean 'mL'?"},
        {"MG", "did you mean 'mg'?"},   {"Mg", "mega"},                  {"KG", "did you mean 'kg'?"},
        {"Kg", "did you mean 'kg'?"},   {"l", "did you mean 'L'?"},      {"ng/ml", "did you mean 'mL'?"},
        {"H", "did you mean 'h'?"},     {"drop", "mL"},                  {"drops", "mL"},
        {"degC", "offset"},             {"IU", "say mg"},                {"h-1", "h^-1"},
        {"L/", "at the end"},           {"/h", "at '/h'"},               {"1/", "at the end"},
        {"mg / L", "no space"},         {"mg/(L*h)", "no parentheses"},  {"mg^", "expected a power"},
        {"mg^x", "expected a power"},   {"kg^0.181", "power"},           {"mg^9999", "power"},
        {"", "expected a unit"},        {"mg;L", "expected '/' or '.'"}, {"1mg", "name of a unit"},
        {"furlong", "unknown unit 'furlong'"},
        {"s^100.s^100.s^100.s^100.s^100.s^100.s^100.s^100.s^100.s^100", "beyond"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "name of a unit"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hl_unit unit = {hl_dim_none(), 123.5};
        assert_false(hl_unit_parse(cases[i].text, &unit, why, sizeof why));
        assert_true(unit.factor == 123.5);
        if (!strstr(why, cases[i].part))
            fail_msg("%s: the message '%s' lacks '%s'", cases[i].text, why, cases[i].part);
    }
    char giant[400], small[8];
    struct hl_unit unit;
    memset(giant, 'h', sizeof giant);
    giant[399] = '\0';
    assert_false(hl_unit_parse(giant, &unit, why, sizeof why));
    assert_false(hl_unit_parse("mgg", &unit, small, sizeof small));
    assert_int_equal(strlen(small), 7);
}

static void quantities(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
        const char *name;
    } good[] = {{"0.5 mg", 0.5, "mg"},     {"20 %", 20, "%"},         {"3", 3, "1"},
                {"1e3 ng/mL", 1, "mg/L"},  {"25ug/h", 0.025, "mg/h"}, {"-2.5 h", -2.5, "h"},
                {"100 [1/h]", 100, "1/h"}, {"1.7 1/h", 1.7, "1/h"},   {"10[mg/L]", 10, "mg/L"},
                {"48 h", 48, "h"},         {"14 week", 2352, "h"},    {"315.72 g/mol", 315.72e-6, "mg/nmol"}};
    struct hl_unit unit;
    char name[64];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double value = 0;
        if (!hl_quantity_parse(good[i].text, &value, &unit, why, sizeof why))
            fail_msg("%s: %s", good[i].text, why);
        if (fabs(value - good[i].value) > 1e-15 * fabs(good[i].value))
            fail_msg("%s: %.17g, expected %.17g", good[i].text, value, good[i].value);
        assert_string_equal(hl_dim_name(unit.dim, name, sizeof name), good[i].name);
    }
    static const struct {
        const char *text, *part;
    } bad[] = {{"0.5 mgg", "unknown unit 'mgg' in \"0.5 mgg\"; did you mean 'mg'?"},
               {"2  mg", "at most one space"}, {"3 ", "one space"},     {"mg", "a number with a unit"},
               {" 3", "a number"},             {"10 mg / V", "no space"}, {"5e", "unknown unit 'e'"},
               {"9e999 mg", "a number"},       {"", "a number"},        {"3 [mg", "expected a unit"},
               {"3 []", "expected a unit"},    {"1e308 week", "too large"}, {"inf mg", "a number"},
               {"3 month", "28 d or 30 d"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = 77;
        assert_false(hl_quantity_parse(bad[i].text, &value, &unit, why, sizeof why));
        assert_true(value == 77);
        if (!strstr(why, bad[i].part))
            fail_msg("%s: the message '%s' lacks '%s'", bad[i].text, why, bad[i].part);
    }
}

static void what_is_not_the_same_thing(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"kg", "g"},   {"mg/kg", "1"}, {"%", "1"},     {"year", "h"},
                                           {"mol", "mg"}, {"L/h", "L"},   {"mmHg", "mg"}, {"m^2", "L"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_false(hl_dim_equal(unit_of(pairs[i][0]).dim, unit_of(pairs[i][1]).dim));
    assert_true(hl_dim_equal(unit_of("M").dim, unit_of("mol/L").dim));
    assert_true(hl_dim_equal(unit_of("cm^3").dim, unit_of("mL").dim));
}

static void dimensions_calculate(void **state)
{
    (void)state;
    char name[64], tiny[4];
    struct hl_dim CL = hl_dim_of("L/h"), V = hl_dim_of("L"), kg = hl_dim_of("kg");
    assert_true(hl_dim_equal(hl_dim_divide(CL, V), hl_dim_of("1/h")));
    assert_true(hl_dim_is_none(hl_dim_divide(CL, CL)));
    assert_true(hl_dim_is_none(hl_dim_none()));
    assert_false(hl_dim_is_none(V));
    struct hl_dim root = hl_dim_power(CL, 3, 4);
    assert_true(hl_dim_equal(hl_dim_power(root, 4, 3), CL));
    assert_string_equal(hl_dim_name(root, name, sizeof name), "L^0.75/h^0.75");
    assert_true(hl_dim_equal(hl_dim_power(kg, -6, 8), hl_dim_divide(hl_dim_none(), hl_dim_power(kg, 3, 4))));
    assert_true(hl_dim_equal(hl_dim_power(kg, 3, -4), hl_dim_power(kg, -3, 4)));
    assert_true(hl_dim_equal(hl_dim_multiply(hl_dim_power(kg, 1, 3), hl_dim_power(kg, 1, 6)), hl_dim_power(kg, 1, 2)));
    assert_true(hl_dim_is_none(hl_dim_power(hl_dim_none(), 181, 1000)));
    assert_true(hl_dim_is_none(hl_dim_power(CL, 0, 1)));
    assert_false(hl_dim_equal(hl_dim_power(kg, 181, 1000), kg)); /* can't be held; must not pass for something else */
    assert_false(hl_dim_is_none(hl_dim_power(kg, 2000000000, 1)));
    assert_false(hl_dim_is_none(hl_dim_power(kg, 1, 2000000000)));
    assert_false(hl_dim_is_none(hl_dim_power(kg, 1, 0)));
    assert_string_equal(hl_dim_name(hl_dim_of("mg/L"), tiny, sizeof tiny), "mg/");
}

static int start(void **state)
{
    (void)state;
    return hl_units_start() && hl_units_start() ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    hl_units_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_and_names), cmocka_unit_test(refusals_name_a_remedy),
        cmocka_unit_test(quantities),        cmocka_unit_test(what_is_not_the_same_thing),
        cmocka_unit_test(dimensions_calculate),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
