/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers read strictly and written shortest, nearest spellings, hashes. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void numbers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"3", 3},         {"-0.5", -0.5},     {"1e-3", 1e-3},  {"+2.385E2", 238.5}, {".5", 0.5},
                {"5.", 5},        {"0007", 7},        {"1e-400", 0.0}, {"-0", -0.0},
                {"1.7976931348623157e308", DBL_MAX}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double value = 99;
        assert_true(hl_text_number(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    static const char *const bad[] = {"", " 3", "3 ", "0x10", "inf", "nan", "-", ".", "e5", "1e", "1e+", "1,5", "1e999",
                                      "3 mg", "--3", "1.2.3", "1_000", "NaN", "infinity", "+"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = 99;
        assert_false(hl_text_number(bad[i], &value));
        assert_true(value == 99);
    }
    assert_int_equal(hl_text_number_length("1.5e3mg"), 5);
    assert_int_equal(hl_text_number_length("3e"), 1);
    assert_int_equal(hl_text_number_length("3 mg"), 1);
    assert_int_equal(hl_text_number_length("mg"), 0);
}

/* The short way of reading a number gives strtod's bits. */
static void numbers_are_exact(void **state)
{
    (void)state;
    const char *given = getenv("HL_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20211009;
    print_message("HL_SEED=%llu\n", (unsigned long long)seed);
    for (int i = 0; i < 200000; i++) {
        char text[40];
        int n_whole, n_fraction, n = 0;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        n_whole = (int)(seed >> 60);
        n_fraction = (int)(seed >> 56 & 15);
        if (seed >> 55 & 1)
            text[n++] = '-';
        for (int k = 0; k < n_whole + n_fraction + 1; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[n++] = k == n_whole ? '.' : (char)('0' + (seed >> 33) % 10);
        }
        text[n] = '\0';
        double value = 99.0, wanted = strtod(text, NULL);
        bool read = hl_text_number(text, &value);
        if (n_whole + n_fraction == 0)
            assert_false(read);
        else if (!read || memcmp(&value, &wanted, sizeof value) != 0)
            fail_msg("'%s' is %.17g, read as %.17g", text, wanted, value);
    }
}

static void integers_are_read(void **state)
{
    (void)state;
    uint64_t value = 5;
    assert_true(hl_text_integer("0", &value) && value == 0);
    assert_true(hl_text_integer("20211009", &value) && value == 20211009);
    assert_true(hl_text_integer("9223372036854775807", &value) && value == INT64_MAX);
    static const char *const bad[] = {"", "-1", "+1", "1.0", "1e3", " 1", "9223372036854775808", "99999999999999999999",
                                      "18446744073709551617", "0x1"};
    value = 5;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(hl_text_integer(bad[i], &value));
    assert_int_equal(value, 5);
}

static void the_nearest_spelling(void **state)
{
    (void)state;
    static const char *const keys[] = {"subjects", "seed", "covariates", "correlations", "mg", "mL", "h"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {{"subjetcs", "subjects"}, {"SUBJECTS", "subjects"}, {"sed", "seed"},       {"esed", "seed"},
                 {"cov", "covariates"},    {"corelation", "correlations"}, {"mgg", "mg"},   {"ml", "mL"},
                 {"zzzz", NULL},           {"", NULL},               {"q", NULL},           {"H", "h"},
                 {"c", "covariates"},      {"hseed", "seed"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = hl_text_nearest(cases[i].word, keys, 7);
        if (cases[i].nearest)
            assert_string_equal(nearest, cases[i].nearest);
        else
            assert_null(nearest);
    }
    char giant[300] = "";
    memset(giant, 'a', 299 - 1);
    assert_null(hl_text_nearest(giant, keys, 7));
    assert_null(hl_text_nearest("x", keys, 0));
    char buffer[64] = "old";
    assert_string_equal(hl_text_did_you_mean("seeed", keys, 7, buffer, sizeof buffer), "; did you mean 'seed'?");
    assert_string_equal(hl_text_did_you_mean("qqqqq", keys, 7, buffer, sizeof buffer), "");
}

/* The published test vectors of FNV-1a, 64 bit (draft-eastlake-fnv). */
static void hashes_are_fnv_1a(void **state)
{
    (void)state;
    assert_true(hl_text_hash("") == 0xcbf29ce484222325u);
    assert_true(hl_text_hash("a") == 0xaf63dc4c8601ec8cu);
    assert_true(hl_text_hash("foobar") == 0x85944171f73967e8u);
    assert_true(hl_text_hash_more(hl_text_hash("foo"), "bar") == 0x85944171f73967e8u);
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {"CL", "t_half", "V1", "x"};
    static const char *const bad[] = {"", "1x", "_x", "a b", "a-b", "a.b", "\xC3\xA9"};
    for (size_t i = 0; i < 4; i++)
        assert_true(hl_text_is_name(good[i]));
    for (size_t i = 0; i < 7; i++)
        assert_false(hl_text_is_name(bad[i]));
}

static void the_shortest_text_of_a_number(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},     {2.385, "2.385"},  {1e-5, "1e-5"},       {3e100, "3e100"}, {100000, "100000"},
                 {0.0, "0"},       {-0.0, "-0"},      {5e-324, "5e-324"},   {1.0 / 3, "0.3333333333333333"},
                 {NAN, "nan"},     {INFINITY, "inf"}, {-INFINITY, "-inf"},  {DBL_MAX, "1.7976931348623157e308"},
                 {0.1 + 0.2, "0.30000000000000004"}};
    char buffer[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(hl_text_shortest(cases[i].value, buffer, sizeof buffer), cases[i].text);
    uint64_t bits = 0x9E3779B97F4A7C15u;
    for (int i = 0; i < 20000; i++) {
        double value, back;
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        assert_true(hl_text_number(hl_text_shortest(value, buffer, sizeof buffer), &back));
        assert_true(back == value);
    }
}

/* With a decimal comma in the locale nothing may change (where such a locale is installed). */
static void the_locale_has_no_say(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    double value;
    char buffer[32];
    assert_true(hl_text_number("2.385", &value) && value == 2.385);
    assert_string_equal(hl_text_shortest(2.385, buffer, sizeof buffer), "2.385");
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),     cmocka_unit_test(integers_are_read),
        cmocka_unit_test(the_nearest_spelling), cmocka_unit_test(hashes_are_fnv_1a),
        cmocka_unit_test(names),                cmocka_unit_test(the_shortest_text_of_a_number),
        cmocka_unit_test(the_locale_has_no_say), cmocka_unit_test(numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
