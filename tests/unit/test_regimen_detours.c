/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pauses and reinstatements of a taper: sums made by hand, the doses they become, caps, faults; and random tapers with
 * random detours against a plan kept day by day. */
#include "unit/regimen_fake.h"

#include <math.h>

#include "base/random.h"
#include "unit/case_numbers.h"
#include "unit/taper_fake.h"

static void sums(const char *text, size_t levels, double total_days, double days, double cumulative)
{
    const struct hl_taper *taper = made(text);
    if (taper->n != levels)
        fail_msg("%s has %zu levels, expected %zu", text, taper->n, levels);
    assert_near(text, taper->total_days, total_days, 1e-9);
    assert_near(text, taper->days, days, 1e-9);
    assert_near(text, taper->cumulative, cumulative, 1e-9);
}

/* Eighths of 2 mg/d take 98 d and 98 mg; day 21 lies in the level of 1.5 mg/d, day 30 in that of 1.25 mg/d. */
static void test_sums(void **state)
{
    (void)state;
    sums("{protocol: T4, from: 2 mg/d}", 7, 98, 98, 98);
    sums("{protocol: T4, from: 2 mg/d, pause: {at: 21 d, for: 7 d}}", 9, 105, 105, 98 + 7 * 1.5);
    sums("{protocol: T4, from: 2 mg/d, pause: {at: 21 d, for: 7 d, dose: none}}", 9, 105, 98, 98);
    sums("{protocol: T4, from: 2 mg/d, pause: {at: 28 d, for: 1 week}}", 8, 105, 105, 98 + 7 * 1.25);
    sums("{protocol: T4, from: 2 mg/d, pause: {at: 0 d, for: 5 d}}", 8, 103, 103, 98 + 5 * 1.75);
    sums("{protocol: T4, from: 2 mg/d, reinstate: {at: 30 d, dose: 1.75 mg/d, for: 14 d}}", 9, 112, 112, 98 + 24.5);
    sums("{protocol: T4, from: 2 mg/d, reinstate: {at: 30 d, for: 14 d, then: continue}}", 9, 112, 112, 98 + 28);
    sums("{protocol: T4, from: 2 mg/d, reinstate: {at: 30 d, dose: 1.75 mg/d, for: 14 d, then: restart}}", 10, 128, 128,
         24.5 + 21 + 2.5 + 24.5 + 14 * (1.5 + 1.25 + 1 + 0.75 + 0.5 + 0.25));
    sums("{protocol: T4, from: 2 mg/d, reinstate: {at: 30 d, for: 14 d, then: restart}}", 11, 142, 142,
         24.5 + 21 + 2.5 + 28 + 98);
    sums("{protocol: T0, from: 2 mg/d, reinstate: {at: 10 d, for: 14 d}}", 2, 24, 14, 28);
    sums("{protocol: T6, from: 2 mg/d, reinstate: {at: 31 d, dose: 1 mg/d, for: 4 d, then: restart}}", 6, 42, 32,
         21 + 4 + 3.5);
    /* each counts the days that earlier ones added, in whatever order they are written */
    sums("{protocol: T4, from: 2 mg/d, pause: [{at: 40 d, for: 2 d, dose: none}, {at: 0 d, for: 14 d}], "
         "reinstate: {at: 60 d, dose: 2 mg/d, for: 3 d}}", 12, 98 + 2 + 14 + 3, 98 + 14 + 3, 98 + 14 * 1.75 + 6);
}

/* A reinstated dose is rounded to what can be made, and not more than can be made of large tablets counts. */
static void test_tablets(void **state)
{
    (void)state;
    sums("{list: [{dose: 0.5 mg/d, for: 4 d}], tablets: [0.5 mg], reinstate: {at: 6 d, dose: 1.6 mg/d, for: 2 d}}", 3,
         8, 6, 2 + 3);
    assert_int_equal(hl_diag_count(diag, HL_WARNING), 0); /* days without are planned, they don't round to nothing */
}

/* A level that is cut keeps its step, so a pause breaks no cap; falling from a reinstated dose does. */
static void test_cap(void **state)
{
    (void)state;
    made("{list: [{dose: 1.5 mg/d, for: 14 d}, {dose: 1.125 mg/d, for: 14 d}], from: 2 mg/d, cap: 25 % per 14 d, "
         "pause: [{at: 3 d, for: 2 d}, {at: 20 d, for: 1 d, dose: none}]}");
    assert_int_equal(hl_diag_count(diag, HL_WARNING), 0);
    made("{list: [{dose: 1.5 mg/d, for: 14 d}, {dose: 1.125 mg/d, for: 14 d}], from: 2 mg/d, cap: 25 % per 14 d, "
         "reinstate: {at: 20 d, for: 7 d}}");
    assert_said(messages(), "exceeds 25 % per 14 d at level 4: -44 %");
}

/* The hours of the day stay; nothing is given where nothing is to be taken; the item ends later. */
static void test_doses(void **state)
{
    (void)state;
    const struct hl_regimen *r =
        compiled("[{taper: {list: [{dose: 1 mg/d, for: 3 d}, {dose: 0.5 mg/d, for: 2 d}], at: [\"09:00\", \"21:00\"], "
                 "pause: {at: 1 d, for: 2 d, dose: none}, reinstate: {at: 6 d, dose: 2 mg/d, for: 1 d}}}, "
                 "{oral: 3 mg}]", NULL);
    static const double expected[][2] = {{1, 0.5}, {13, 0.5}, {73, 0.5}, {85, 0.5}, {97, 0.5}, {109, 0.5},
                                         {121, 0.25}, {133, 0.25}, {145, 1}, {157, 1}, {169, 0.25}, {181, 0.25},
                                         {192, 3}};
    assert_int_equal(r->n_doses, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < r->n_doses; i++) {
        assert_near("time", r->dose[i].time, expected[i][0], 1e-9);
        assert_near("amount", r->dose[i].amount, expected[i][1], 1e-12);
    }
}

/* Patches of one level are changed on through a pause that holds it; a pause without takes them off. */
static void test_patches(void **state)
{
    (void)state;
    const char *levels = "list: [{dose: 25 ug/h, for: 6 d}, {dose: 12.5 ug/h, for: 3 d}], "
                         "patches: [12.5 ug/h, 25 ug/h]";
    char text[512];
    snprintf(text, sizeof text, "[{taper: {%s, pause: {at: 1 d, for: 3 d}}}]", levels);
    const struct hl_regimen *held = compiled(NULL, text);
    assert_int_equal(held->n_doses, 4);
    assert_near("third", held->dose[2].time, 144, 1e-9);
    assert_near("and its wear", held->dose[2].duration, 72, 1e-9);
    snprintf(text, sizeof text, "[{taper: {%s, pause: {at: 1 d, for: 3 d, dose: none}}}]", levels);
    const struct hl_regimen *none = compiled(NULL, text);
    assert_int_equal(none->n_doses, 4);
    assert_near("taken off", none->dose[0].duration, 24, 1e-9);
    assert_near("on again", none->dose[1].time, 96, 1e-9);
    assert_near("then the rest of the level", none->dose[2].duration, 48, 1e-9);
}

static void faulty(const char *detours, const char *said)
{
    char text[512];
    snprintf(text, sizeof text, "{protocol: T6, from: 2 mg/d,\n %s}", detours);
    end(NULL);
    begin(NULL);
    if (tapered(text))
        fail_msg("%s was accepted", text);
    assert_said(messages(), said);
}

static void test_faults(void **state)
{
    (void)state;
    faulty("pause: {att: 3 d, at: 3 d, for: 2 d}",
           "2:10: error: unknown key 'att' in a pause of a taper; did you mean 'at'?");
    faulty("pause: {for: 2 d}", "2:9: error: a pause needs at: (days after the taper's start) and for:");
    faulty("pause: 3 d", "2:9: error:");
    faulty("pause: {at: 36 h, for: 2 d}", "2:14: error: the day it begins is a whole number of days, such as '7 d'");
    faulty("pause: {at: 3 d, for: 0 d}", "2:24: error: how long it lasts must be above zero");
    faulty("pause: {at: -3 d, for: 1 d}", "2:14: error:");
    faulty("pause: {at: 3 d, for: 2 d, dose: 1 mg/d}",
           "2:35: error: the dose of a pause is hold (the level is kept) or none");
    faulty("pause: {at: 21 d, for: 2 d}", "2:14: error: the taper is over on day 21; a pause begins before that");
    faulty("pause: [{at: 3 d, for: 4 d}, {at: 6 d, for: 1 d}]",
           "2:36: error: this begins on day 6, while the one before it lasts until day 7");
    faulty("reinstate: {at: 3 d, dose: 1 mg, for: 4 d}", "2:29: error: \"1 mg\" is a quantity in mg");
    faulty("reinstate: {at: 3 d, for: 4 d, then: stop}", "2:39: error: then: is continue");
    faulty("reinstate: {at: 3 d, fro: 4 d}", "did you mean 'for'?");
    faulty("reinstat: {at: 3 d, for: 4 d}",
           "2:2: error: unknown key 'reinstat' in a taper by quarter_weekly; did you mean 'reinstate'?");
    end(NULL);
    begin(NULL);
    assert_null(tapered("{list: [{dose: 1 mg/d, for: 14 d}], reinstate: {at: 3 d, for: 2 d}}"));
    assert_said(messages(), "1:48: error: which dose does it go back to? Add dose: here, or from: to the taper");
}

/* ---- Random ones, day by day */

enum { MOST_DAYS = 2000 };

struct plan { size_t n; double dose[MOST_DAYS]; };

static uint64_t seed, draws;

static size_t random_below(size_t n)
{
    return (size_t)(hl_random_uniform(seed, 0, 1, draws++) * (double)n);
}

static void insert_days(struct plan *plan, size_t at, size_t days, double dose)
{
    while (plan->n < at)
        plan->dose[plan->n++] = 0;
    memmove(plan->dose + at + days, plan->dose + at, (plan->n - at) * sizeof *plan->dose);
    for (size_t i = 0; i < days; i++)
        plan->dose[at + i] = dose;
    plan->n += days;
}

static void append(char *text, size_t size, const char *format, double a, double b, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, format, a, b, word);
}

/* Levels of 8ths, falling, each of 1 to 9 days; then one to four detours in the order of time. */
static void one_random_taper(void)
{
    static struct plan plan;
    double level[5];
    size_t days[5], n = 1 + random_below(5), from = 18 - random_below(3), detours = 1 + random_below(4), at = 0;
    char text[1024] = "{from: 2 mg/d, list: [", pauses[512] = "", returns[512] = "";
    plan.n = 0;
    for (size_t i = 0; i < n; i++) {
        from -= 1 + random_below(3);
        level[i] = (double)from / 8;
        days[i] = 1 + random_below(9);
        append(text, sizeof text, "{dose: %g mg/d, for: %g d}, %s", level[i], (double)days[i], "");
        insert_days(&plan, plan.n, days[i], level[i]);
    }
    for (size_t i = 0; i < detours; i++) {
        size_t span = 1 + random_below(6), kind = random_below(4);
        at += random_below(9);
        if (kind < 2 && at >= plan.n)
            break;
        if (kind < 2) {
            append(pauses, sizeof pauses, "{at: %g d, for: %g d, dose: %s}, ", (double)at, (double)span,
                   kind ? "none" : "hold");
            insert_days(&plan, at, span, kind ? 0 : plan.dose[at]);
        } else {
            append(returns, sizeof returns, "{at: %g d, for: %g d, dose: 1.5 mg/d, then: %s}, ", (double)at,
                   (double)span, kind == 3 ? "restart" : "continue");
            insert_days(&plan, at, span, 1.5);
            plan.n = kind == 3 ? at + span : plan.n;
            for (size_t k = 0; kind == 3 && k < n; k++)
                if (level[k] < 1.5)
                    insert_days(&plan, plan.n, days[k], level[k]);
        }
        at += span;
    }
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "]%s%s%s%s%s%s}", *pauses ? ", pause: [" : "", pauses, *pauses ? "]" : "",
             *returns ? ", reinstate: [" : "", returns, *returns ? "]" : "");
    const struct hl_taper *taper = made(text);
    size_t day = 0;
    for (size_t i = 0; i < taper->n; i++)
        for (double k = 0; k < taper->level[i].days - 1e-9; k++, day++)
            if (day >= plan.n || fabs(taper->level[i].given - plan.dose[day]) > 1e-12)
                fail_msg("seed %llu: day %zu has %g mg, expected %g\n%s", (unsigned long long)seed, day,
                         taper->level[i].given, day < plan.n ? plan.dose[day] : -1, text);
    if (day != plan.n)
        fail_msg("seed %llu: %zu days, expected %zu\n%s", (unsigned long long)seed, day, plan.n, text);
}

static void test_random_tapers(void **state)
{
    (void)state;
    seed = from_environment("HL_SEED", date_number());
    print_message("HL_SEED=%llu\n", (unsigned long long)seed);
    for (int i = 0; i < 3000; i++)
        one_random_taper();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sums, begin, end),
        cmocka_unit_test_setup_teardown(test_tablets, begin, end),
        cmocka_unit_test_setup_teardown(test_cap, begin, end),
        cmocka_unit_test_setup_teardown(test_doses, begin, end),
        cmocka_unit_test_setup_teardown(test_patches, begin, end),
        cmocka_unit_test_setup_teardown(test_faults, begin, end),
        cmocka_unit_test_setup_teardown(test_random_tapers, begin, end),
    };
    return cmocka_run_group_tests_name("regimen_detours", tests, units_on, units_off);
}
