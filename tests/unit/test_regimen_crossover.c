/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Crossovers: the order in which doses are exchanged, the amounts, what follows, how long it all takes (the ranges of
 * the clonazepam reference, section 7.2), and every fault. The fake fentanyl stands in for a drug that takes over. */
#include "unit/regimen_fake.h"

#include <math.h>

#include "base/random.h"
#include "unit/case_numbers.h"
#include "regimen/taper.h"

#define DAY 24.0

static struct hl_equivalent first_table[] = {{.name = "ashton2002", .amount = 0.5}, {.name = "vadod2021", .amount = 1}};
static struct hl_equivalent second_table[] = {
    {.name = "ashton2002", .amount = 10}, {.name = "vadod2021", .amount = 10}, {.name = "other", .amount = 3}};
static struct hl_model first_model = {.name = "first", .equivalent = first_table, .n_equivalents = 2};
static struct hl_model second_model = {.name = "second", .equivalent = second_table, .n_equivalents = 3};

static int begin_two(void **state)
{
    if (begin(state) != 0)
        return -1;
    fake_system.instance[0].model = &first_model;
    fake_system.instance[1].model = &second_model;
    return 0;
}

static int instance_of(const struct hl_dose *dose)
{
    return fake_system.route[dose->route].instance;
}

/* What one drug gives in [begin, end) hours. */
static double given(const struct hl_regimen *r, int instance, double begin, double end)
{
    double sum = 0;
    for (size_t i = 0; i < r->n_doses; i++)
        if (instance_of(&r->dose[i]) == instance && r->dose[i].time >= begin - 1e-9 && r->dose[i].time < end - 1e-9)
            sum += r->dose[i].amount;
    return sum;
}

static double last_time(const struct hl_regimen *r, int instance)
{
    double time = -INFINITY;
    for (size_t i = 0; i < r->n_doses; i++)
        if (instance_of(&r->dose[i]) == instance)
            time = fmax(time, r->dose[i].time);
    return time;
}

/* The evening's dose goes first (origin 08:00, so 20:00 is hour 12), the morning's a week later. */
static void test_evening_first(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(
        "[{taper: {protocol: crossover, from: 2 mg/d, at: [\"08:00\", \"20:00\"], to: fentanyl, "
        "equivalence: ashton2002, pace: fast, target: {route: sc}}}]", NULL);
    for (int day = 0; day < 14; day++) {
        assert_near("first, morning", given(r, 0, day * DAY, day * DAY + 12), day < 7 ? 1 : 0, 1e-12);
        assert_near("first, evening", given(r, 0, day * DAY + 12, day * DAY + 24), 0, 0);
        assert_near("second, morning", given(r, 1, day * DAY, day * DAY + 12), day < 7 ? 0 : 20, 1e-12);
        assert_near("second, evening", given(r, 1, day * DAY + 12, day * DAY + 24), 20, 1e-12);
    }
    assert_near("the first reduced day", given(r, 1, 14 * DAY, 15 * DAY), 38, 1e-12);
    assert_near("a week later", given(r, 1, 21 * DAY, 22 * DAY), 36, 1e-12);
}

/* Three a day: evening, morning, noon. */
static void test_turns_of_three(void **state)
{
    (void)state;
    static const double hour[] = {12, 0, 6}; /* of the one exchanged in stage 1, 2, 3 */
    const struct hl_regimen *r = compiled(
        "[{taper: {protocol: T5, from: 3.3 mg/d, at: [\"08:00\", \"14:00\", \"20:00\"], to: fentanyl, each: 3 d, "
        "ratio: 7.1, target: {route: sc}}}]", NULL);
    for (int stage = 0; stage < 3; stage++)
        for (int k = 0; k < 3; k++) {
            double t = stage * 3 * DAY + hour[k];
            assert_near("second", given(r, 1, t, t + 1), k <= stage ? 1.1 * 7.1 : 0, 1e-12);
            assert_near("first", given(r, 0, t, t + 1), k <= stage ? 0 : 1.1, 1e-12);
        }
}

/* The reference: 30 to 60 weeks from 40 mg/day, 20 to 40 from 20, counted from the day the amount is reached. */
static double weeks(const char *amount, const char *table, const char *pace)
{
    char text[256];
    snprintf(text, sizeof text,
             "[{taper: {protocol: crossover, from: %s, split: qd, to: fentanyl, equivalence: %s, pace: %s, "
             "target: {route: sc}}}]", amount, table, pace);
    const struct hl_regimen *r = compiled(text, NULL);
    return (last_time(r, 1) + DAY) / (7 * DAY);
}

static void test_durations_of_the_source(void **state)
{
    (void)state;
    assert_near("40 mg, fast", weeks("2 mg/d", "ashton2002", "fast"), 30, 1e-9);
    assert_near("40 mg, slow", weeks("2 mg/d", "ashton2002", "slow"), 59, 1e-9);
    assert_near("20 mg, fast", weeks("1 mg/d", "ashton2002", "fast"), 20, 1e-9);
    assert_near("20 mg, slow", weeks("1 mg/d", "ashton2002", "slow"), 39, 1e-9);
    assert_near("20 mg by the other table", weeks("2 mg/d", "vadod2021", "slow"), 39, 1e-9);
    assert_null(strstr(messages(), "outside the durations"));
    assert_near("40 mg, slowest", weeks("2 mg/d", "ashton2002", "slowest"), 69, 1e-9);
    assert_near("40 mg, fastest", weeks("2 mg/d", "ashton2002", "fastest"), 20, 1e-9);
    assert_said(messages(), "note: ashton_steps at the slowest pace lies outside the durations its source estimates");
}

static struct hl_taper *steps(const char *text)
{
    return hl_taper_make(arena, hl_yaml_load_text(arena, "s.yaml", text, diag), diag);
}

/* Alone, from an amount between the steps: no knee is passed at one step. */
static void test_steps_alone(void **state)
{
    (void)state;
    static const double level[] = {21.3, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4.5, 4, 3.5, 3,
                                   2.5,  2,  1.5, 1, 0.5};
    const struct hl_taper *t = steps("{protocol: ashton_steps, from: 23.3 mg/d, pace: slowest, every: 9 d}");
    assert_int_equal(t->n, sizeof level / sizeof level[0]);
    for (size_t i = 0; i < t->n; i++) {
        assert_near("level", t->level[i].dose, level[i], 1e-9);
        assert_near("days", t->level[i].days, 9, 0);
    }
    assert_null(steps("{protocol: ashton_steps, from: 23 mg/d, pace: slowly}"));
    assert_said(messages(), "1:47: error: pace is one of slow, fast, slowest, fastest, found 'slowly'; did you mean");
}

/* Doses are what the second drug's strengths make, and its taper starts from their sum. */
static void test_rounding(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(
        "[{taper: {protocol: crossover, from: 1.3 mg/d, split: 12 h, to: fentanyl, equivalence: ashton2002, "
        "target: {route: sc, quantum: 2 mg, split: bid}}}]", NULL);
    assert_near("13 mg are 14 of 2 mg each", given(r, 1, 0, DAY), 14, 1e-12);
    assert_near("both", given(r, 1, 7 * DAY, 8 * DAY), 28, 1e-12);
    assert_near("and down", given(r, 1, 14 * DAY, 15 * DAY), 26, 1e-12);
    r = compiled("[{taper: {protocol: crossover, from: 1.25 mg/d, split: bid, quantum: 0.25 mg, to: fentanyl, "
                 "equivalence: ashton2002, each: 1 d, target: {route: sc}}}]", NULL);
    assert_near("the larger part in the evening", given(r, 1, 0, DAY), 0.75 * 20, 1e-12);
    assert_near("is exchanged first", given(r, 0, 0, DAY), 0.5, 1e-12);
}

static void test_another_way_down_and_stop(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(
        "[{oral: 1 mg, every: 12 h, for: 2 d}, {taper: {protocol: crossover, from: 2 mg/d, to: fentanyl, ratio: 5, "
        "each: 2 d, target: {protocol: quarter_weekly, route: iv}}, gap: 1 d, stop: 20 d}, {oral: 3 mg}]", NULL);
    assert_near("nothing in the gap", given(r, 0, 2 * DAY, 3 * DAY), 0, 0);
    assert_near("stage 1", given(r, 1, 3 * DAY, 4 * DAY), 5, 1e-12);
    assert_near("alone", given(r, 1, 5 * DAY, 6 * DAY), 10, 1e-12);
    assert_near("three quarters", given(r, 1, 7 * DAY, 8 * DAY), 7.5, 1e-12);
    assert_near("half", given(r, 1, 14 * DAY, 15 * DAY), 5, 1e-12);
    assert_near("stopped", given(r, 1, 20 * DAY, 200 * DAY), 0, 0);
    assert_near("the next item follows", given(r, 0, 20 * DAY, 21 * DAY), 3, 1e-12);
}

/* While doses are exchanged, both together are worth what the first was. */
static void test_worth_is_kept(void **state)
{
    (void)state;
    uint64_t seed = from_environment("HL_SEED", date_number());
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t trial = 0; trial < 200; trial++) {
        double from = 0.1 + 7 * hl_random_uniform(seed, trial, 1, 0);
        double ratio = 0.05 + 30 * hl_random_uniform(seed, trial, 1, 1);
        int n = 1 + (int)(4 * hl_random_uniform(seed, trial, 1, 2));
        int each = 1 + (int)(9 * hl_random_uniform(seed, trial, 1, 3));
        char text[320];
        snprintf(text, sizeof text,
                 "[{taper: {protocol: crossover, from: %.17g mg/d, split: %d h, to: fentanyl, ratio: %.17g, "
                 "each: %d d, target: {route: sc, protocol: abrupt}}}]", from, 24 / n, ratio, each);
        const struct hl_regimen *r = compiled(text, NULL);
        for (int day = 0; day < n * each; day++) {
            double a = given(r, 0, day * DAY, (day + 1) * DAY), b = given(r, 1, day * DAY, (day + 1) * DAY);
            assert_near("worth", a * ratio + b, from * ratio, 1e-12 * from * ratio);
            assert_near("exchanged", b, from * ratio * (day / each + 1) / n, 1e-12 * from * ratio);
        }
        assert_near("the last day", last_time(r, 1), n * each * DAY - 24.0 / n, 1e-9);
        end(NULL);
        begin_two(NULL);
    }
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *inside, *said;
    } fault[] = {
        {"from: 2 mg/d, equivalence: ashton2002", "a crossover needs the drug that takes over: 'to:'"},
        {"from: 2 mg/d, to: fentanil, ratio: 20",
         "1:50: error: this study has no drug 'fentanil' to go over to; did you mean 'fentanyl'?"},
        {"from: 2 mg/d, to: clonazepam, ratio: 20", "clonazepam can't be exchanged for itself"},
        {"to: fentanyl, ratio: 20", "needs the daily dose it starts from, such as 'from: 2 mg/d'"},
        {"from: 2 mg, to: fentanyl, ratio: 20", "is a quantity in mg; expected the daily dose before the crossover"},
        {"from: 2 mg/d, to: fentanyl",
         "a crossover needs 'equivalence:', the table of equal doses; both models state ashton2002, vadod2021"},
        {"from: 2 mg/d, to: fentanyl, equivalence: asthon2002",
         "have no table 'asthon2002' in common, but ashton2002, vadod2021; did you mean 'ashton2002'?"},
        {"from: 2 mg/d, to: fentanyl, equivalence: other", "have no table 'other' in common"},
        {"from: 2 mg/d, to: fentanyl, equivalence: ashton2002, ratio: 20",
         "'ratio' and 'equivalence' say the same; leave one out"},
        {"from: 2 mg/d, to: fentanyl, ratio: none", "a number above zero such as 20, found \"none\""},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, each: 0 d", "the time between two exchanges must be above zero"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, pce: slow", "unknown key 'pce' in a crossover; did you mean 'pace'?"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, pace: slwo", "pace is one of slow, fast"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20", "which route of fentanyl takes doses? Say it with route:"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, target: [1]", "expected how the second drug is given"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, target: {from: 3 mg/d}", "leave out from:"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, target: {by: infusion}", "is given in doses; leave out by:"},
        {"from: 2 mg/d, to: fentanyl, ratio: 0.01, target: {route: sc, quantum: 1 mg}",
         "a dose of 1 mg of clonazepam is worth 0.01 mg of fentanyl, which rounds to no dose"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, target: {route: sc, tablets: [0.5 L]}", "error:"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, split: 7 h, target: {route: sc}", "split must divide a day evenly"},
        {"from: 2 mg/d, to: fentanyl, ratio: 20, target: {route: sc, protocol: crossover}", "stands alone in its item"},
    };
    for (size_t i = 0; i < sizeof fault / sizeof fault[0]; i++) {
        char text[320];
        end(NULL);
        begin_two(NULL);
        snprintf(text, sizeof text, "[{taper: {protocol: crossover, %s}}]", fault[i].inside);
        if (tried(text, NULL))
            fail_msg("%s was accepted", text);
        assert_said(messages(), fault[i].said);
    }
    second_model.n_equivalents = 0;
    end(NULL);
    begin_two(NULL);
    assert_null(tried("[{taper: {protocol: crossover, from: 2 mg/d, to: fentanyl, equivalence: ashton2002}}]", NULL));
    assert_said(messages(), "have no table of equivalents: in common; state 'ratio:'");
    second_model.n_equivalents = 3;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_evening_first, begin_two, end),
        cmocka_unit_test_setup_teardown(test_turns_of_three, begin_two, end),
        cmocka_unit_test_setup_teardown(test_durations_of_the_source, begin_two, end),
        cmocka_unit_test_setup_teardown(test_steps_alone, begin_two, end),
        cmocka_unit_test_setup_teardown(test_rounding, begin_two, end),
        cmocka_unit_test_setup_teardown(test_another_way_down_and_stop, begin_two, end),
        cmocka_unit_test_setup_teardown(test_worth_is_kept, begin_two, end),
        cmocka_unit_test_setup_teardown(test_faults, begin_two, end),
    };
    return cmocka_run_group_tests(tests, units_on, units_off);
}
