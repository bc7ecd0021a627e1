/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tapers: the schedule columns of the clonazepam reference, section 7.4, other start doses and parameters against sums
 * made apart from this program (exact fractions or closed forms, named where they stand), tablets, caps, and every
 * fault. */
#include "unit/regimen_fake.h"

#include <math.h>

#include "unit/taper_fake.h"

static size_t distinct(const struct hl_taper *taper)
{
    size_t n = 0;
    for (size_t i = 0; i < taper->n; i++) {
        bool seen = taper->level[i].given <= 0;
        for (size_t j = 0; j < i; j++)
            seen = seen || fabs(taper->level[j].given - taper->level[i].given) < 1e-9;
        n += !seen;
    }
    return n;
}

static void schedule(const char *text, double days, size_t levels, double cumulative, double tolerance)
{
    const struct hl_taper *taper = made(text);
    assert_near(text, taper->days, days, 0);
    assert_near(text, taper->cumulative, cumulative, tolerance);
    if (distinct(taper) != levels)
        fail_msg("%s has %zu distinct doses, expected %zu", text, distinct(taper), levels);
}

/* The table of 7.4: taper days, distinct doses, cumulative mg as printed (the last digit counts). */
static void test_schedules_of_the_reference(void **state)
{
    (void)state;
    schedule("{protocol: abrupt}", 0, 0, 0, 0);
    schedule("{protocol: us_label, from: 2 mg/d}", 21, 7, 21.0, 1e-12);
    schedule("{protocol: quarter_weekly, from: 2 mg/d}", 21, 3, 21.0, 1e-12);
    schedule("{protocol: nardi2010, from: 2 mg/d}", 49, 5, 45.5, 1e-12);
    schedule("{protocol: uk_eighth, from: 2 mg/d}", 98, 7, 98.0, 1e-12);
    schedule("{protocol: asam2025, from: 2 mg/d, r: 0.25, w: 14 d}", 126, 9, 77.7, 0.05);
    schedule("{protocol: asam2025, from: 2 mg/d}", 364, 26, 235.7, 0.05);
    schedule("{protocol: asam2025, from: 2 mg/d, quantum: 0.125 mg}", 364, 13, 236.25, 1e-12);
    schedule("{protocol: asam2025, from: 2 mg/d, reduction: 5 %, every: 28 d}", 1512, 54, 997.3, 0.05);
    schedule("{protocol: hyperbolic, from: 2 mg/d, cap: none}", 224, 16, 28.1, 0.05);
    schedule("{protocol: hyperbolic, from: 2 mg/d}", 280, 20, 85.4, 0.05);
    schedule("{protocol: us_label, from: 4 mg/d}", 45, 15, 90, 1e-12);
    schedule("{protocol: nardi2010, from: 4 mg/d}", 105, 9, 199.5, 1e-12);
    schedule("{protocol: asam2025, from: 4 mg/d}", 448, 32, 486.694234, 1e-6);
    schedule("{protocol: uk_eighth, from: 4 mg/d}", 98, 7, 196, 1e-12);
    schedule("{protocol: asam2025, from: 4 mg/d, r: 25 %}", 168, 12, 162.678373, 1e-6);
}

static void assert_levels(const char *text, size_t first, const double *dose, size_t n, double tolerance)
{
    const struct hl_taper *taper = made(text);
    for (size_t i = 0; i < n; i++) {
        assert_true(first + i < taper->n);
        assert_near(text, taper->level[first + i].dose, dose[i], tolerance);
    }
}

static void test_listed_levels(void **state)
{
    (void)state;
    static const double begin[] = {1.8, 1.62, 1.458, 1.3122, 1.1810}, last[] = {0.1595, 0.1436, 0.1292};
    static const double capped[] = {1.5,    1.125,  0.8438, 0.6328, 0.4746, 0.3560, 0.2670,
                                    0.2002, 0.1502, 0.1168, 0.0929, 0.0751, 0.0612, 0.0500};
    assert_levels("{protocol: asam2025, from: 2 mg/d}", 0, begin, 5, 5e-5);
    assert_levels("{protocol: asam2025, from: 2 mg/d}", 23, last, 3, 5e-5);
    assert_levels("{protocol: hyperbolic, from: 2 mg/d}", 0, capped, 14, 5e-5);
    assert_levels("{protocol: hyperbolic, from: 2 mg/d, cap: none}", 0, (const double[]){0.622131}, 1, 5e-7);
}

/* Start doses and parameters that no page prints; the sums were made with exact fractions outside this program. */
static void test_other_start_doses(void **state)
{
    (void)state;
    schedule("{protocol: us_label, from: 1.385 mg/d}", 15, 5, 9.525, 1e-9);
    schedule("{protocol: nardi2010, from: 1.385 mg/d}", 35, 4, 24.5, 1e-9);
    schedule("{protocol: nardi2010, from: 2.7 mg/d}", 77, 7, 95.9, 1e-9);
    schedule("{protocol: nardi2010, from: 0.3 mg/d}", 7, 1, 0.35, 1e-9);
    schedule("{protocol: uk_eighth, from: 2.7 mg/d, fraction: 1/10}", 126, 9, 170.1, 1e-9);
    schedule("{protocol: quarter_weekly, from: 0.3 mg/d}", 21, 3, 3.15, 1e-9);
    schedule("{protocol: asam2025, from: 1.385 mg/d}", 308, 22, 157.324763, 1e-6);
    schedule("{protocol: asam2025, from: 1.385 mg/d, quantum: 0.125 mg}", 308, 10, 155.75, 1e-9);
    schedule("{protocol: asam2025, from: 2.7 mg/d, r: 5 %, w: 28 d}", 1652, 59, 1366.742464, 1e-6);
    schedule("{protocol: asam2025, from: 0.3 mg/d, percent_of: start}", 70, 5, 14.7, 1e-9);
    schedule("{protocol: hyperbolic, from: 1.385 mg/d, cap: none}", 210, 15, 25.604865, 1e-6);
    schedule("{protocol: hyperbolic, from: 2.7 mg/d}", 294, 21, 114.763716, 1e-6);
    schedule("{protocol: hyperbolic, from: 2.7 mg/d, dO: 0.025, w: 10 d, ED50: 0.1 mg}", 380, 38, 132.565224, 1e-6);
}

/* Fentanyl 700 ug/d by the week: 90 ... 30 % of it, then 10 % of the rest, 0.7 * 0.3 * 0.9^j >= 0.035. */
static void test_opioid_tapers(void **state)
{
    (void)state;
    schedule("{protocol: cdc_weekly, from: 700 ug/d}", 168, 24, 31.603609, 1e-6);
    schedule("{protocol: cdc_monthly, from: 700 ug/d}", 252, 9, 88.2, 1e-9);
    schedule("{protocol: va_dod, from: 700 ug/d, reduction: 20 %}", 112, 4, 28 * 0.7 * 2, 1e-9);
    schedule("{protocol: va_dod2022, from: 700 ug/d, percent_of: current, stop_below: 0.35 mg/d}", 168, 6,
             28 * 0.7 * 0.9 * (1 - pow(0.9, 6)) / 0.1, 1e-9);
    schedule("{protocol: hhs2019_fast, from: 50 ug/h}", 63, 9, 7 * 1.2 * 4.5, 1e-9);
    schedule("{protocol: patch_steps, from: 100 ug/h}", 98, 7, 117.6, 1e-9);
    schedule("{protocol: patch_steps, from: 87.5 ug/h, step: 25 ug/h, every: 28 d}", 84, 3, 28 * 24 * 0.1125, 1e-9);
    schedule("{protocol: percent_of_start, from: 3 mg/d, r: 30 %, w: 36 h}", 4.5, 3, 1.5 * (2.1 + 1.2 + 0.3), 1e-9);
    schedule("{list: [{dose: 1 mg/d, for: 14 d}, {dose: 0.35 mg/d, for: 36 h}, {dose: 0 mg/d, for: 1 d}]}", 15.5, 2,
             14.525, 1e-9);
}

static void test_rounding_keeps_the_recursion(void **state)
{
    (void)state;
    const struct hl_taper *taper =
        made("{protocol: uk_eighth, from: 1.5 mg/d, tablets: [0.5 mg], split_tablets: halves}");
    static const double given[] = {1.25, 1.25, 1,   0.75,
                                   0.5,  0.5,  0.25}; /* 1.3125 1.125 0.9375 0.75 0.5625 0.375 0.1875 */
    assert_int_equal(taper->n, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_near("given", taper->level[i].given, given[i], 1e-12);
        assert_near("dose", taper->level[i].dose, 1.5 * (7 - (double)i) / 8, 1e-12);
    }
    taper = made("{list: [{dose: 0.8125 mg/d, for: 1 d}, {dose: 0.8 mg/d, for: 1 d}], quantum: 0.125 mg, round: up}");
    assert_near("up", taper->level[0].given, 0.875, 1e-12);
    assert_near("up", taper->level[1].given, 0.875, 1e-12);
    taper =
        made("{list: [{dose: 0.8125 mg/d, for: 1 d}, {dose: 0.75 mg/d, for: 1 d}], quantum: 0.125 mg, round: down}");
    assert_near("down", taper->level[0].given, 0.75, 1e-12);
    assert_near("down", taper->level[1].given, 0.75, 1e-12);
    taper = made("{list: [{dose: 0.8125 mg/d, for: 1 d}], tablets: [0.125 mg, 1 mg]}");
    assert_near("half up", taper->level[0].given, 0.875, 1e-12);
}

/* Strengths 2 and 3 make 2, 3, 4, 5, ... but not 1; scored ones also their halves. */
static void test_tablets(void **state)
{
    (void)state;
    const struct hl_taper *taper =
        made("{list: [{dose: 0.9 mg/d, for: 1 d}, {dose: 1 mg/d, for: 1 d}, {dose: 4.4 mg/d, for: 1 d}], "
             "tablets: [3 mg, 2 mg]}");
    assert_near("0.9", taper->level[0].given, 0, 1e-12);
    assert_near("1", taper->level[1].given, 2, 1e-12);
    assert_near("4.4", taper->level[2].given, 4, 1e-12);
    size_t count[2];
    assert_true(hl_tablets_pieces(&taper->tablets, 7, count));
    assert_int_equal(count[0], 2);
    assert_int_equal(count[1], 1);
    assert_false(hl_tablets_pieces(&taper->tablets, 1, count));
    taper = made("{list: [{dose: 0.3 mg/d, for: 1 d}], tablets: [0.5 mg scored, 2 mg], halve: scored}");
    assert_near("a scored half", taper->level[0].given, 0.25, 1e-12);
    taper = made("{list: [{dose: 0.3 mg/d, for: 1 d}], tablets: [0.5 mg, 2 mg], halve: [0.5 mg]}");
    assert_near("a listed half", taper->level[0].given, 0.25, 1e-12);
    taper = made("{list: [{dose: 0.3 mg/d, for: 1 d}], tablets: [0.5 mg, 2 mg], split_tablets: quarters}");
    assert_near("a quarter", taper->level[0].given, 0.25, 1e-12);
    taper = made("{list: [{dose: 0.3 mg/d, for: 1 d}], tablets: [0.125 mg, 0.5 mg], quantum: 0.25 mg}");
    assert_near("tablets and a quantum", taper->level[0].given, 0.25, 1e-12);
    assert_int_equal(hl_diag_count(diag, HL_ERROR), 0);
}

static void test_cap(void **state)
{
    (void)state;
    struct hl_taper_breach breach[4];
    const struct hl_taper *taper = made("{protocol: nardi2010, from: 2 mg/d}");
    /* 2 1.5 | 1.5 1.0: -33 % in 14 d | 1 .75 in 7 d: allowed 0.866 | .75 .5 | .5 .25 */
    assert_int_equal(hl_taper_check_cap(2, taper->level, taper->n, 0.25, 14, breach, 4), 4);
    assert_int_equal(breach[0].level, 1);
    assert_near("ratio", breach[0].ratio, 1.0 / 1.5, 1e-12);
    assert_near("allowed", breach[0].allowed, 0.75, 1e-12);
    assert_int_equal(breach[1].level, 2);
    assert_near("allowed", breach[1].allowed, sqrt(0.75), 1e-12);
    taper = made("{protocol: asam2025, from: 2 mg/d, r: 25 %}");
    assert_int_equal(hl_taper_check_cap(2, taper->level, taper->n, 0.25, 14, breach, 4), 0);
    taper = made("{protocol: asam2025, from: 2 mg/d, quantum: 0.125 mg}"); /* the tail: 0.25 to 0.125 */
    assert_int_equal(hl_taper_check_cap(2, taper->level, taper->n, 0.25, 14, breach, 4), 2);
    assert_near("the tail", breach[1].ratio, 0.5, 1e-12);
    assert_int_equal(hl_diag_count(diag, HL_WARNING), 0);
    made("{protocol: uk_eighth, from: 2 mg/d, cap: \"25 % per 14 d\"}");
    const char *said = messages();
    assert_said(said, "s.yaml:1:43: warning: exceeds 25 % per 14 d at level 6: -33 %, level 7: -50 %");
    assert_int_equal(hl_diag_count(diag, HL_ERROR), 0);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } fault[] = {
        {"[1]", "1:1: error: expected a taper such as"},
        {"{from: 2 mg/d}", "1:1: error: a taper has either 'protocol:'"},
        {"{protocol: abrupt, list: []}", "either 'protocol:', such as uk_eighth, or 'list:' of levels, not both"},
        {"{protocol: uk_eigth, from: 2 mg/d}",
         "1:12: error: unknown taper protocol 'uk_eigth'; did you mean 'uk_eighth'?"},
        {"{protocol: zzzzzzzz, from: 2 mg/d}", "there are abrupt, us_label"},
        {"{protocol: crossover, from: 2 mg/d}",
         "1:12: error: crossover is given to two drugs and stands alone in its item, under the drug that goes"},
        {"{protocol: uk_eighth}",
         "1:1: error: a taper by uk_eighth needs the daily dose it starts from, such as 'from: 2 mg/d'"},
        {"{protocol: uk_eighth, from: 2 mg}",
         "1:29: error: \"2 mg\" is a quantity in mg; expected the daily dose before the taper in mg/h"},
        {"{protocol: uk_eighth, from: 2}", "1:29: error: \"2\" has no unit"},
        {"{protocol: uk_eighth, from: -2 mg/d}", "must be above zero"},
        {"{protocol: uk_eighth, from: 2 mg/d, fraction: 0}",
         "1:47: error: the fraction must lie between 0 and 1 (0 % and 100 %), found \"0\": it would never end"},
        {"{protocol: uk_eighth, from: 2 mg/d, fraction: 120 %}", "between 0 and 1"},
        {"{protocol: uk_eighth, from: 2 mg/d, fraction: 2 mg}", "is not a fraction"},
        {"{protocol: uk_eighth, from: 2 mg/d, every: 0 d}",
         "1:44: error: the time between two steps must be above zero"},
        {"{protocol: uk_eighth, from: 2 mg/d, evry: 3 d}",
         "1:37: error: unknown key 'evry' in a taper by uk_eighth; did you mean 'every'?"},
        {"{protocol: uk_eighth, from: 2 mg/d, every: 1 month}", "1:44: error:"},
        {"{protocol: asam2025, from: 2 mg/d, w: 14 d, every: 7 d}",
         "1:36: error: 'w' and 'every' are the same; leave one out"},
        {"{protocol: asam2025, from: 2 mg/d, percent_of: strat}", "1:48: error: percent_of is 'start'"},
        {"{protocol: asam2025, from: 2 mg/d, r: 0.1 mg}", "is not a fraction"},
        {"{protocol: asam2025, from: 2 mg/d, cap: 25 %}",
         "1:41: error: expected a cap such as \"25 % per 14 d\", or none, found \"25 %\""},
        {"{protocol: asam2025, from: 2 mg/d, cap: 25 % per 14 L}",
         "1:50: error: \"14 L\" is a quantity in L; expected the time of a cap"},
        {"{protocol: asam2025, from: 2 mg/d, r: 0.0001, w: 14 d}", "this taper never ends: after 10000 levels"},
        {"{protocol: percent_of_current, from: 2 mg/d, r: 10 %, w: 14 d}",
         "never reaches zero; give the dose below which"},
        {"{protocol: percent_of_start, from: 2 mg/d, w: 14 d}", "needs 'reduction:'"},
        {"{protocol: percent_of_start, from: 2 mg/d, r: 10 %}", "needs 'every:'"},
        {"{protocol: us_label, from: 2 mg/d, step: 0 mg/d}",
         "1:42: error: a step of the daily dose must be above zero"},
        {"{protocol: hyperbolic, from: 2 mg/d, dO: 0}", "the step of occupancy must lie between 0 and 1"},
        {"{protocol: hyperbolic, from: 2 mg/d, ED50: 1 L}", "expected the ED50 of the occupancy curve in mg/h"},
        {"{list: []}", "1:8: error: expected a list of levels"},
        {"{list: [{dose: 1 mg/d}]}", "1:9: error: a level needs both dose: and for:"},
        {"{list: [{dose: 1 mg, for: 14 d}]}", "1:16: error: \"1 mg\" is a quantity in mg"},
        {"{list: [{dose: 1 mg/d, for: 0 d}]}", "must be above zero"},
        {"{list: [{doze: 1 mg/d, for: 1 d}]}", "did you mean 'dose'?"},
        {"{protocol: uk_eighth, from: 1.5 mg/d, tablets: [0.5 mg], round: none}",
         "1:48: error: level 1, 1.3125 mg/d, can't be made of the stated strengths; the nearest are 1 mg/d or 1.5 "
         "mg/d"},
        {"{protocol: uk_eighth, from: 2 mg/d, tablets: [0.5 ml]}", "1:47: error:"},
        {"{protocol: uk_eighth, from: 2 mg/d, tablets: []}", "expected at least one strength"},
        {"{protocol: uk_eighth, from: 2 mg/d, tablets: [1 mg], patches: [12.5 ug/h]}",
         "tablets: or patches:, not both"},
        {"{protocol: uk_eighth, from: 2 mg/d, tablets: [0.000001 mg]}", "too fine"},
        {"{protocol: uk_eighth, from: 2 mg/d, quantum: 0 mg}", "a quantum must be above zero"},
        {"{protocol: uk_eighth, from: 2 mg/d, tablets: [1 mg], split_tablets: thirds}", "whole, halves, quarters"},
        {"{protocol: uk_eighth, from: 2 mg/d, tablets: [1 mg], round: nearly}", "one of nearest, none, up, down"},
    };
    for (size_t i = 0; i < sizeof fault / sizeof fault[0]; i++) {
        end(NULL);
        begin(NULL);
        if (tapered(fault[i].text))
            fail_msg("%s was accepted", fault[i].text);
        assert_true(hl_diag_count(diag, HL_ERROR) > 0);
        assert_said(messages(), fault[i].said);
    }
}

static void test_notes(void **state)
{
    (void)state;
    made("{protocol: asam2025, from: 2 mg/d, r: 25 %, w: 7 d}");
    made("{protocol: hyperbolic, from: 2 mg/d, tablets: [0.125 mg]}");
    const char *said = messages();
    assert_said(said, "note: asam2025 reduces by 5 to 10 % in its source; this taper by 25 %");
    assert_said(said, "note: asam2025 takes at least 14 d for a step in its source; this taper 7 d");
    assert_said(said, "warning: level 13 of 20, 0.0611634 mg/d, rounds to no dose at all");
    size_t n = 0;
    while (hl_taper_protocol(n))
        assert_true(strlen(hl_taper_protocol(n++)->sentence) > 10);
    assert_true(n >= 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schedules_of_the_reference, begin, end),
        cmocka_unit_test_setup_teardown(test_listed_levels, begin, end),
        cmocka_unit_test_setup_teardown(test_other_start_doses, begin, end),
        cmocka_unit_test_setup_teardown(test_opioid_tapers, begin, end),
        cmocka_unit_test_setup_teardown(test_rounding_keeps_the_recursion, begin, end),
        cmocka_unit_test_setup_teardown(test_tablets, begin, end),
        cmocka_unit_test_setup_teardown(test_cap, begin, end),
        cmocka_unit_test_setup_teardown(test_faults, begin, end),
        cmocka_unit_test_setup_teardown(test_notes, begin, end),
    };
    return cmocka_run_group_tests(tests, units_on, units_off);
}
