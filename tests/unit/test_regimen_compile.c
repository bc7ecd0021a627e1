/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prescriptions become doses: intervals, clock times, infusions, patches, demands, steady states, groups, tapers, and
 * every fault at its place. */
#include "unit/regimen_fake.h"

#include <math.h>

#include "base/random.h"

static void assert_dose(const struct hl_regimen *r, size_t i, double time, double amount)
{
    char what[64];
    if (i >= r->n_doses)
        fail_msg("dose %zu of %zu", i, r->n_doses);
    snprintf(what, sizeof what, "time of dose %zu", i);
    assert_near(what, r->dose[i].time, time, 1e-12 * fabs(time));
    snprintf(what, sizeof what, "amount of dose %zu", i);
    assert_near(what, r->dose[i].amount, amount, 1e-12 * fabs(amount));
}

static void assert_infusion(const struct hl_regimen *r, size_t i, double time, double rate, double duration)
{
    assert_true(i < r->n_doses);
    assert_int_equal(r->dose[i].kind, HL_DOSE_INFUSION);
    assert_dose(r, i, time, isfinite(duration) ? rate * duration : 0);
    assert_near("rate", r->dose[i].rate, rate, 1e-12 * rate);
    if (isfinite(duration))
        assert_near("duration", r->dose[i].duration, duration, 1e-12 * duration);
    else
        assert_true(isinf(r->dose[i].duration));
}

static void assert_patch(const struct hl_regimen *r, size_t i, double time, double strength, double wear)
{
    assert_dose(r, i, time, strength);
    assert_int_equal(r->dose[i].kind, HL_DOSE_PATCH);
    assert_near("wear", r->dose[i].duration, wear, 1e-9);
}

static void test_half_open_intervals(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled("[{oral: 1 mg, every: 12 h, for: 14 d}]", NULL);
    assert_int_equal(r->n_doses, 28);
    for (size_t i = 0; i < 28; i++)
        assert_dose(r, i, 12.0 * (double)i, 1);
    assert_int_equal(r->dose[3].route, ORAL);
    assert_near("interval", r->dose[27].repeat_interval, 12, 0);
    assert_near("end", r->end, 324, 0);
    assert_int_equal(compiled("[{oral: 1 mg, every: 7.9 h, for: 79 h}]", NULL)->n_doses, 10);
    assert_int_equal(compiled("[{oral: 1 mg, every: 0.1 h, for: 0.3 h}]", NULL)->n_doses,
                     3); /* 0.1 * 3 > 0.3 in binary */
    assert_int_equal(compiled("[{oral: 1 mg, every: 7.9 h, until: 80 h}]", NULL)->n_doses, 11);
    assert_int_equal(compiled("[{oral: 1 mg, every: 7.9 h, doses: 13, stop: 39.5 h}]", NULL)->n_doses, 5);
    r = compiled("[{oral: 0.385 mg, every: 7.9 h, doses: 1000}]", NULL);
    assert_true(r->dose[999].time == 999 * 7.9); /* a product, to the last bit */
}

static void test_one_after_another(void **state)
{
    (void)state;
    const struct hl_regimen *r =
        compiled("- {oral: 2 mg}\n- {oral: 1 mg, every: 8 h, doses: 2, gap: 10 h}\n- {gap: 5 h}\n"
                 "- {drops: 0.1 mg, start: 3 h}\n- {iv: 0.3 mg}",
                 NULL);
    assert_int_equal(r->n_doses, 5);
    assert_dose(r, 0, 0, 2);
    assert_dose(r, 1, 3, 0.1); /* start: is its own clock, and what follows it goes on from there */
    assert_int_equal(r->dose[1].route, DROPS);
    assert_dose(r, 2, 3, 0.3);
    assert_int_equal(r->dose[2].route, IV);
    assert_dose(r, 3, 10, 1);
    assert_dose(r, 4, 18, 1);
    assert_near("single", r->dose[0].repeat_interval, 0, 0);
    r = compiled("- {oral: 1 mg, every: 8 h, doses: 2}\n- {gap: 5 h}\n- {oral: 2 mg}", NULL);
    assert_dose(r, 2, 21, 2);
    assert_int_equal(compiled("none", "[]")->n_doses, 0);
    assert_int_equal(compiled("{oral: 1 mg}", NULL)->n_doses, 1);
    r = compiled("[{oral: 1000 nmol}]", NULL);
    assert_dose(r, 0, 0, 0.31572);
}

/* The clock shows 08:00 at t = 0. */
static void test_clock_times(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled("[{oral: 0.5 mg, at: \"20:00\", for: 3 d}]", NULL);
    assert_int_equal(r->n_doses, 3);
    for (size_t i = 0; i < 3; i++)
        assert_dose(r, i, 12 + 24.0 * (double)i, 0.5);
    r = compiled("[{oral: [0.5 mg, 1 mg], at: [\"20:00\", \"07:45\"], for: 2 d}]", NULL);
    assert_dose(r, 0, 12, 0.5);
    assert_dose(r, 1, 23.75, 1);
    assert_dose(r, 2, 36, 0.5);
    assert_dose(r, 3, 47.75, 1);
    assert_near("interval", r->dose[0].repeat_interval, 11.75, 1e-12);
    assert_near("interval", r->dose[1].repeat_interval, 12.25, 1e-12);
    r = compiled("[{oral: 0.5 mg, at: [\"08:00\"], every: 2 d, doses: 3, start: 1 h}, {oral: 9 mg}]", NULL);
    assert_dose(r, 0, 24, 0.5);
    assert_dose(r, 2, 120, 0.5);
    assert_dose(r, 3, 168, 9); /* the next item starts where dose 4 would be */
    r = compiled("[{oral: [1 mg, 2 mg, 3 mg], every: 12 h, for: 2 d}]", NULL);
    assert_dose(r, 2, 24, 3);
    assert_dose(r, 3, 36, 1);
    r = compiled("[{oral: [1 mg, 2 mg], at: [\"08:00\"], for: 3 d}]", NULL); /* every other day */
    assert_dose(r, 1, 24, 2);
    assert_dose(r, 2, 48, 1);
}

static void test_infusions(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(NULL, "- {infuse: 500 ug/d, for: 3 d}\n- {infuse: 600 ug/d, for: 9 d}\n"
                                                "- {infuse: 1 mg, over: 30 min}\n- {infuse: 7 ug/h}");
    assert_int_equal(r->n_doses, 4);
    assert_infusion(r, 0, 0, 0.5 / 24, 72);
    assert_infusion(r, 1, 72, 0.6 / 24, 216);
    assert_infusion(r, 2, 288, 2, 0.5);
    assert_infusion(r, 3, 288.5, 0.007, INFINITY);
    assert_int_equal(r->dose[0].route, F_IV);
    r = compiled(NULL,
                 "- {infuse: 7 ug/h}\n- {infuse: 9 ug/h, start: 40 h, route: sc}\n- {infuse: 3 ug/h, start: 55 h}");
    assert_infusion(r, 0, 0, 0.007, 55); /* gives way to the next by its own route */
    assert_infusion(r, 1, 40, 0.009, INFINITY);
    assert_infusion(r, 2, 55, 0.003, INFINITY);
    r = compiled(NULL, "[{infuse: 0.3 mg, over: 2 h, every: 8 h, doses: 3, stop: 17 h}]");
    assert_infusion(r, 1, 8, 0.15, 2);
    assert_infusion(r, 2, 16, 0.15, 1);
    assert_infusion(compiled(NULL, "[{infuse: 20 ug/h, for: 9 h, stop: 4 h}]"), 0, 0, 0.02, 4);
}

static void test_patches(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(NULL, "- {patch: 25 ug/h, every: 72 h, for: 12 week}\n- {tape: 1 mg}");
    assert_int_equal(r->n_doses, 29);
    for (size_t i = 0; i < 28; i++)
        assert_patch(r, i, 72.0 * (double)i, 0.025, 72);
    assert_patch(r, 28, 2016, 1, 24);
    assert_near("end", r->end, 2040, 0);
    r = compiled(
        NULL,
        "[{patch: [25 ug/h, 12.5 ug/h], every: 48 h, doses: 2}, {iv: 0.1 mg}]"); /* changed before 72 h are over */
    assert_patch(r, 0, 0, 0.025, 48);
    assert_patch(r, 1, 0, 0.0125, 48);
    assert_patch(r, 2, 48, 0.025, 48);
    assert_dose(r, 4, 96, 0.1); /* when the last is off */
    assert_patch(compiled(NULL, "[{patch: 50 ug/h, for: 30 h}]"), 0, 0, 0.05, 30);
    assert_patch(compiled(NULL, "[{patch: 50 ug/h, wear: 31 h}]"), 0, 0, 0.05, 31);
    assert_patch(compiled(NULL, "[{patch: 50 ug/h}]"), 0, 0, 0.05, 72);
    assert_patch(compiled(NULL, "[{patch: 50 ug/h, stop: 9 h}]"), 0, 0, 0.05, 9);
    r = compiled(NULL, "[{patch: 50 ug/h, every: 72 h, for: 100 h, stop: 90 h}, {patch: 25 ug/h, start: 36 h}]");
    assert_patch(r, 1, 36, 0.025, 72);
    assert_patch(r, 2, 72, 0.05, 18);
    r = compiled(NULL, "[{reservoir: 100 ug/h, every: 7 d, wear: 12 h, for: 14 d}, {iv: 0.1 mg}]");
    assert_patch(r, 1, 168, 0.1, 12);
    assert_dose(r, 2, 336, 0.1);
}

static void test_demands(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(
        NULL,
        "- {infuse: 500 ug/d, for: 3 d}\n"
        "- {infuse: 600 ug/d, for: 9 d, demand: {bolus: 20 ug, per_hour: 0.21, lockout: 10 min, hourly_limit: 3}}\n"
        "- {demand: {bolus: 15 ug, per_hour: 0.5 1/h, route: sc}, for: 7 h}\n- {demand: {bolus: 10 ug, per_hour: 2}}");
    assert_int_equal(r->n_demands, 3);
    assert_near("start", r->demand[0].start, 72, 0);
    assert_near("stop", r->demand[0].stop, 288, 0);
    assert_near("bolus", r->demand[0].bolus, 0.02, 1e-15);
    assert_near("lockout", r->demand[0].lockout, 1.0 / 6, 1e-12);
    assert_near("limit", r->demand[0].hourly_limit, 3, 0);
    assert_int_equal(r->demand[1].route, F_SC);
    assert_int_equal(r->demand[1].number, 1);
    assert_true(isinf(r->demand[1].hourly_limit));
    assert_near("stop", r->demand[2].stop, 1000, 0); /* the study's end */
    r = compiled(NULL, "- {infuse: 5 ug/h, demand: {bolus: 20 ug, per_hour: 1}}\n"
                       "- {infuse: 6 ug/h, start: 50 h, demand: {bolus: 20 ug, per_hour: 1}}");
    assert_near("the first window", r->demand[0].stop, 50, 0);
    assert_near("the second window", r->demand[1].start, 50, 0);
}

static void test_steady_states(void **state)
{
    (void)state;
    const struct hl_regimen *r =
        compiled("- {steady_state: {oral: 1 mg, every: 12 h}}\n- {oral: 1 mg, every: 12 h, doses: 2}",
                 "[{steady_state: {infuse: 500 ug/d}}]");
    assert_int_equal(r->n_steady, 2);
    assert_int_equal(r->steady[0].instance, 0);
    assert_near("period", r->steady[0].period, 12, 0);
    assert_int_equal(r->steady[0].n, 1);
    assert_near("offset", r->steady[0].dose[0].time, 0, 0);
    assert_dose(r, 0, 0, 1);
    assert_int_equal(r->steady[1].instance, 1);
    assert_int_equal(r->steady[1].dose[0].kind, HL_DOSE_INFUSION);
    assert_near("a constant one fills its period", r->steady[1].dose[0].duration, r->steady[1].period, 0);
    assert_near("rate", r->steady[1].dose[0].rate, 0.5 / 24, 1e-15);
    /* 08:00 at t = 0: doses at 07:45 and 20:00 are 23.75 h and 12 h on */
    r = compiled("[{steady_state: {oral: [1 mg, 2 mg], at: [\"07:45\", \"20:00\"]}}]", NULL);
    assert_near("period", r->steady[0].period, 24, 0);
    assert_int_equal(r->steady[0].n, 2);
    assert_near("offset", r->steady[0].dose[0].time, 12, 1e-12);
    assert_near("amount", r->steady[0].dose[0].amount, 2, 0);
    assert_near("offset", r->steady[0].dose[1].time, 23.75, 1e-12);
    assert_int_equal(r->n_doses, 0);
    /* a list longer than the day's doses makes a longer cycle */
    r = compiled("[{steady_state: {oral: [1 mg, 2 mg, 3 mg], every: 12 h}}]", NULL);
    assert_near("period", r->steady[0].period, 36, 0);
    /* later: the same regimen is going on from the start */
    r = compiled("- {steady_state: {oral: 1 mg, every: 10 h}, start: 37 h}\n- {oral: 5 mg}", NULL);
    assert_near("time", r->steady[0].time, 0, 0);
    assert_near("offset", r->steady[0].dose[0].time, 7, 1e-12);
    assert_int_equal(r->n_doses, 4);
    assert_dose(r, 0, 7, 1);
    assert_dose(r, 2, 27, 1);
    assert_dose(r, 3, 37, 5);
    r = compiled("[{steady_state: {oral: 1 mg, every: 10 h}, start: -37 h}]", NULL);
    assert_near("time", r->steady[0].time, -37, 0);
    r = compiled(NULL, "[{steady_state: {patch: [25 ug/h, 50 ug/h], every: 72 h}}, {infuse: 0 ug/h, for: 1 h}]");
    assert_int_equal(r->steady[0].n, 2);
    assert_near("wear", r->steady[0].dose[1].duration, 72, 0);
}

static void test_groups(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(
        "- {oral: 9 mg}\n- {repeat: 3, gap: 2 h, items: [{oral: 1 mg, every: 8 h, doses: 2}, {iv: 2 mg, start: 1 h}, "
        "{gap: 4 h}]}\n- {oral: 7 mg}",
        NULL);
    assert_int_equal(r->n_doses, 11);
    assert_dose(r, 1, 2, 1);
    assert_dose(r, 2, 3, 2);
    assert_dose(r, 3, 7, 1); /* an item with its own start is where the next one goes on: 3 + 4 h */
    assert_dose(r, 9, 17, 7);
    assert_dose(r, 10, 20, 1); /* the third repetition began at 12 h */
    r = compiled("[{repeat: 2, every: 28 d, items: [{oral: 1 mg, every: 24 h, doses: 21}]}, {oral: 3 mg}]", NULL);
    assert_dose(r, 21, 672, 1);
    assert_dose(r, 42, 1344, 3);
    assert_int_equal(r->n_doses, 43);
}

static void test_taper_doses(void **state)
{
    (void)state;
    const struct hl_regimen *r =
        compiled("- {oral: 1 mg, every: 12 h, for: 2 d}\n"
                 "- taper: {protocol: uk_eighth, from: 2 mg/d, split: 12 h, tablets: [0.125 mg, 0.25 mg, 0.5 mg]}\n"
                 "- {drops: 3 mg}",
                 NULL);
    assert_int_equal(r->n_doses, 4 + 7 * 28 + 1);
    assert_dose(r, 4, 48, 0.875);
    assert_dose(r, 31, 48 + 27 * 12, 0.875);
    assert_dose(r, 32, 48 + 14 * 24, 0.75);
    assert_dose(r, 199, 48 + 98 * 24 - 12, 0.125);
    assert_dose(r, 200, 48 + 98 * 24, 3);
    r = compiled("[{taper: {protocol: abrupt, from: 2 mg/d, split: 12 h}}]", NULL);
    assert_int_equal(r->n_doses, 0);
    r = compiled("[{taper: {protocol: us_label, from: 2 mg/d, split: 12 h}, start: 100 h, stop: 150 h}, {oral: 9 mg}]",
                 NULL);
    assert_int_equal(r->n_doses, 6);
    assert_dose(r, 4, 148, 0.875);
    assert_dose(r, 5, 150, 9);
    r = compiled("[{taper: {protocol: us_label, from: 0.5 mg/d, route: drops, at: [\"20:00\"]}}]", NULL);
    assert_int_equal(r->n_doses, 3);
    assert_dose(r, 2, 60, 0.25);
    assert_int_equal(r->dose[0].route, DROPS);
}

/* 08:00 at t = 0: the first dose of the day is the morning's. 0.125 mg quanta. */
static void test_whole_quanta(void **state)
{
    (void)state;
    const struct hl_regimen *r =
        compiled("[{taper: {list: [{dose: 0.625 mg/d, for: 1 d}], quantum: 0.125 mg, split: bid}}]", NULL);
    assert_dose(r, 0, 0, 0.25);
    assert_dose(r, 1, 12, 0.375);
    r = compiled(
        "[{taper: {list: [{dose: 0.625 mg/d, for: 1 d}, {dose: 0.5 mg/d, for: 1 d}], quantum: 0.125 mg, split: tid}}]",
        NULL);
    assert_dose(r, 0, 0, 0.25); /* 5 quanta: 1 each, the first spare one in the evening, the second in the morning */
    assert_dose(r, 1, 8, 0.125);
    assert_dose(r, 2, 16, 0.25);
    assert_dose(r, 3, 24, 0.125); /* 4 quanta */
    assert_dose(r, 4, 32, 0.125);
    assert_dose(r, 5, 40, 0.25);
    r = compiled("[{taper: {list: [{dose: 0.375 mg/d, for: 1 d}], quantum: 0.125 mg, split: bid}, start: 12 h}]", NULL);
    assert_dose(r, 0, 12, 0.25); /* this one begins in the evening */
    assert_dose(r, 1, 24, 0.125);
    r = compiled(
        "[{taper: {list: [{dose: 0.125 mg/d, for: 2 d}], quantum: 0.125 mg, split: bid, at: [\"07:00\", \"21:00\"]}}]",
        NULL);
    assert_int_equal(r->n_doses, 2);
    assert_dose(r, 0, 13, 0.125);
    assert_dose(r, 1, 37, 0.125);
    tried("[{taper: {list: [{dose: 5 mg/d, for: 1 d}], tablets: [2 mg, 3 mg], split: tid}}]", NULL);
    assert_said(messages(),
                "1:10: error: level 1, 5 mg/d in 3 doses, needs a dose of 1 mg, which the stated tablets don't make");
}

static void test_fentanyl_tapers(void **state)
{
    (void)state;
    const struct hl_regimen *r =
        compiled(NULL, "[{taper: {protocol: cdc_monthly, from: 700 ug/d, by: infusion}}, {iv: 1 mg}]");
    assert_int_equal(r->n_doses, 10);
    assert_infusion(r, 0, 0, 0.63 / 24, 672);
    assert_infusion(r, 8, 8 * 672, 0.07 / 24, 672);
    assert_dose(r, 9, 9 * 672, 1);
    /* 100 ug/h down by 12.5 every 7 d: 87.5 = 75 + 12.5, changed after 72 and 144 h and at the level's end */
    r = compiled(NULL, "[{taper: {protocol: patch_steps, from: 100 ug/h, every: 7 d, patches: [12.5 ug/h, 25 ug/h, 50 "
                       "ug/h, 75 ug/h, 100 ug/h]}}]");
    assert_patch(r, 0, 0, 0.075, 72);
    assert_patch(r, 1, 0, 0.0125, 72);
    assert_patch(r, 4, 144, 0.075, 24);
    assert_patch(r, 5, 144, 0.0125, 24);
    assert_patch(r, 6, 168, 0.075, 72);
    assert_patch(r, r->n_doses - 1, 6 * 168 + 144, 0.0125, 24);
    /* equal levels after rounding are worn through: 90 and 80 ug/h are both made of 75 */
    r = compiled(NULL, "[{taper: {protocol: percent_of_start, r: 10 %, w: 7 d, from: 100 ug/h, patches: [75 ug/h]}}]");
    assert_patch(r, 2, 144, 0.075, 72);
    r = compiled(NULL, "[{taper: {list: [{dose: 3 mg/d, for: 2 d}], route: tape, patches: [1 mg, 2 mg]}}]");
    assert_int_equal(r->n_doses, 4);
    assert_patch(r, 0, 0, 2, 24);
    assert_patch(r, 1, 0, 1, 24);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *clonazepam, *fentanyl, *said;
    } fault[] = {
        {"12", NULL, "s.yaml:1:1: error: expected a list of items"},
        {"[12]", NULL, "s.yaml:1:2: error: expected an item such as"},
        {"[{orall: 1 mg}]", NULL,
         "s.yaml:1:3: error: unknown key 'orall' in an item of clonazepam, whose routes are oral, iv, drops, slow; did you "
         "mean 'oral'?"},
        {"[{every: 12 h}]", NULL,
         "s.yaml:1:2: error: this item doesn't say what is given; it needs a route of clonazepam (oral, iv, drops, slow)"},
        {"[{oral: 1 mg, iv: 2 mg}]", NULL, "s.yaml:1:15: error: 'oral' and 'iv' can't stand in one item"},
        {"[{oral: 1 mg, evry: 12 h}]", NULL,
         "s.yaml:1:15: error: unknown key 'evry' in a dose of clonazepam by 'oral'; did you mean 'every'?"},
        {"[{oral: 1 L}]", NULL,
         "s.yaml:1:9: error: \"1 L\" is a quantity in L; expected a dose in mg, such as '0.5 mg'"},
        {"[{oral: 1 mg/d}]", NULL, "s.yaml:1:9: error: \"1 mg/d\" is a quantity in mg/h; expected a dose in mg"},
        {"[{oral: 1}]", NULL, "s.yaml:1:9: error: \"1\" has no unit; expected a dose in mg"},
        {"[{oral: 1 mgg}]", NULL, "unknown unit 'mgg'"},
        {"[{oral: -1 mg}]", NULL, "s.yaml:1:9: error: a dose can't be negative"},
        {"[{oral: }]", NULL, "expected a dose such as '0.5 mg', found nothing"},
        {"[{oral: {a: 1}}]", NULL, "found a mapping"},
        {"[{oral: []}]", NULL, "s.yaml:1:9: error: expected a dose"},
        {"[{oral: [1 mg, 2 mg]}]", NULL, "s.yaml:1:2: error: a list of doses needs every: or at:"},
        {"[{oral: 1 mg, every: 12 h}]", NULL, "s.yaml:1:15: error: these doses never end; add 'for: 14 d'"},
        {"[{oral: 1 mg, at: \"20:00\"}]", NULL, "s.yaml:1:15: error: these doses never end"},
        {"[{oral: 1 mg, every: 0 h, for: 14 d}]", NULL,
         "s.yaml:1:22: error: the time between two doses must be above zero, found \"0 h\""},
        {"[{oral: 1 mg, every: -12 h, for: 14 d}]", NULL,
         "s.yaml:1:22: error: the time between two doses must be above zero"},
        {"[{oral: 1 mg, every: 12, for: 14 d}]", NULL, "s.yaml:1:22: error: \"12\" has no unit"},
        {"[{oral: 1 mg, every: 1 month, for: 14 d}]", NULL, "s.yaml:1:22: error:"},
        {"[{oral: 1 mg, for: 14 d}]", NULL, "s.yaml:1:15: error: for needs every: or at:"},
        {"[{oral: 1 mg, doses: 3}]", NULL, "s.yaml:1:15: error: doses needs every: or at:"},
        {"[{oral: 1 mg, every: 12 h, doses: 0}]", NULL,
         "s.yaml:1:35: error: expected a number of doses, a whole number of at least 1"},
        {"[{oral: 1 mg, every: 12 h, doses: 2.5}]", NULL, "s.yaml:1:35: error: expected a number of doses"},
        {"[{oral: 1 mg, every: 12 h, for: 14 d, doses: 3}]", NULL,
         "s.yaml:1:39: error: 'for' and 'doses' both end this item"},
        {"[{oral: 1 mg, every: 1 s, for: 1000 d}]", NULL,
         "s.yaml:1:2: error: this item is 8.64e+07 doses, more than the 1000000"},
        {"[{oral: 1 mg, at: \"25:00\", for: 3 d}]", NULL,
         "error: '25:00' is not a clock time; expected one from \"00:00\" to \"23:59\""},
        {"[{oral: 1 mg, at: [\"08:00\", \"8 pm\"], for: 3 d}]", NULL, "error: '8 pm' is not a clock time"},
        {"[{oral: 1 mg, at: [\"08:00\", \"08:00\"], for: 3 d}]", NULL, "clock time 08:00 is there twice"},
        {"[{oral: 1 mg, at: [], for: 3 d}]", NULL, "expected clock times such as"},
        {"[{oral: 1 mg, at: [\"08:00\"], every: 12 h, for: 3 d}]", NULL,
         "s.yaml:1:37: error: with at: the interval is a whole number of days"},
        {"[{oral: 1 mg, start: 3 h, gap: 2 h}]", NULL, "s.yaml:1:27: error: an item has start: (its own time) or gap:"},
        {"[{oral: 1 mg, gap: -2 h}]", NULL, "a gap can't be negative"},
        {"[{oral: 1 mg, every: 12 h, start: 30 h, until: 20 h}]", NULL,
         "s.yaml:1:48: error: this item would end at 20 h, before it starts at 30 h"},
        {"[{oral: 1 mg, every: 12 h, start: 30 h, for: 9 d, stop: 20 h}]", NULL,
         "s.yaml:1:57: error: this item would be stopped at 20 h"},
        {NULL, "[{infuse: 5 ug/h}, {iv: 0.1 mg}]",
         "s.yaml:1:20: error: this item follows an infusion without for:, which runs to the study's end"},
        {NULL, "[{infuse: 5 ug}]",
         "s.yaml:1:11: error: \"5 ug\" is an amount; say how long it runs with 'over: 30 min', or give a rate such as "
         "'5 ug/h'"},
        {NULL, "[{infuse: 5 L/h}]",
         "s.yaml:1:11: error: \"5 L/h\" is a quantity in L/h; expected an infusion rate in mg/h"},
        {NULL, "[{infuse: 5 ug/h, every: 3 h, for: 2 d}]",
         "s.yaml:1:19: error: an infusion at a rate runs on, it isn't repeated"},
        {NULL, "[{infuse: 5 ug/h, over: 0 h}]", "how long an infusion takes must be above zero"},
        {NULL, "[{infuse: 5 ug/h, for: 1 h, route: vi}]",
         "s.yaml:1:36: error: fentanyl has no route 'vi'; its routes are iv, sc, lozenge, patch, tape, reservoir; did "
         "you mean 'iv'?"},
        {NULL, "[{infuse: 5 ug/h, for: 1 h, route: patch}]",
         "s.yaml:1:36: error: 'patch' is a patch; it can't be infused into"},
        {"[{infuse: 1 mg, over: 2 h, route: slow}]", NULL,
         "s.yaml:1:35: error: route 'slow' gives every dose a course of its own (released:) and takes no infusion; give a "
         "dose, 'slow: 1 mg', or infuse by a route without released:"},
        {NULL, "[{patch: 25 mg, every: 72 h, for: 9 d}]",
         "s.yaml:1:10: error: \"25 mg\" is a quantity in mg; expected a patch's strength in mg/h, such as '25 ug/h'"},
        {NULL, "[{patch: 0 ug/h, every: 72 h, for: 9 d}]", "a patch's strength must be above zero"},
        {NULL, "[{reservoir: 25 ug/h}]", "s.yaml:1:2: error: how long is the patch worn? Add 'wear: 72 h'"},
        {NULL, "[{patch: 25 ug/h, every: 72 h}]", "s.yaml:1:19: error: these doses never end"},
        {NULL, "[{demand: {bolus: 20 ug}, for: 1 d}]", "s.yaml:1:11: error: a demand needs bolus: and per_hour:"},
        {NULL, "[{demand: {bolus: 20 ug, per_hour: 0}, for: 1 d}]",
         "s.yaml:1:36: error: per_hour, the mean number of demands in an hour, must be above zero"},
        {NULL, "[{demand: {bolus: 20 ug, per_hour: 2 h}, for: 1 d}]", "s.yaml:1:36: error:"},
        {NULL, "[{demand: {bolus: 20 ug, per_hour: 2, lockot: 10 min}, for: 1 d}]", "did you mean 'lockout'?"},
        {NULL, "[{demand: {bolus: 20 ug, per_hour: 2, hourly_limit: 0}, for: 1 d}]",
         "the most boluses in an hour, a whole number"},
        {NULL, "[{demand: {bolus: 20 ug/h, per_hour: 2}, for: 1 d}]", "expected a dose in mg"},
        {NULL, "[{demand: {bolus: 20 ug, per_hour: 1e6}, for: 100 d}]", "2.4e+09 demands are more than"},
        {NULL,
         "[{demand: {bolus: 20 ug, per_hour: 2}, for: 1 d}, {demand: {bolus: 20 ug, per_hour: 2}, for: 1 d, start: 3 "
         "h}]",
         "s.yaml:1:60: error: this demand overlaps another of fentanyl (0 to 24 h)"},
        {"[{oral: 1 mg}, {steady_state: {oral: 1 mg, every: 12 h}}]", NULL,
         "s.yaml:1:17: error: the steady state must be the first item of its drug"},
        {"[{steady_state: {oral: 1 mg}}]", NULL, "s.yaml:1:17: error: a steady state needs an interval: every: or at:"},
        {"[{steady_state: {oral: 1 mg, every: 12 h, for: 3 d}}]", NULL, "s.yaml:1:43: error: unknown key 'for'"},
        {"[{steady_state: {oral: 1 mg, every: 12 h}}, {steady_state: {oral: 1 mg, every: 12 h}}]", NULL,
         "a drug has one steady state"},
        {"[{steady_state: {taper: {}}}]", NULL,
         "s.yaml:1:17: error: a steady state is one repeated dose, patch or infusion"},
        {"[{steady_state: 3}]", NULL, "s.yaml:1:17: error: a steady state is one repeated dose"},
        {"[{steady_state: {orla: 3 mg}}]", NULL, "did you mean 'oral'?"},
        {NULL, "[{steady_state: {infuse: 5 ug/h, demand: {bolus: 20 ug, per_hour: 1}}}]",
         "demands are random and have no steady state"},
        {"[{repeat: 2, items: [{steady_state: {oral: 1 mg, every: 12 h}}]}]", NULL, "a steady state can't be repeated"},
        {"[{repeat: 2}]", NULL, "s.yaml:1:2: error: a repeated group needs items:"},
        {"[{repeat: 0, items: [{oral: 1 mg}]}]", NULL, "how often the items are repeated, a whole number"},
        {"[{repeat: 2, every: 1 d, items: [{oral: 1 mg, every: 12 h, for: 3 d}]}]", NULL,
         "the items of this group last longer than its every:"},
        {NULL, "[{repeat: 2, items: [{infuse: 3 ug/h}]}]", "run to the study's end"},
        {"[{taper: {protocol: uk_eighth, from: 2 mg/d, split: 5 h}}]", NULL,
         "s.yaml:1:53: error: split must divide a day evenly"},
        {"[{taper: {protocol: uk_eighth, from: 2 mg/d, split: bdi}}]", NULL, "s.yaml:1:53: error:"},
        {"[{taper: {protocol: uk_eighth, from: 2 mg/d, split: tid, at: [\"08:00\"]}}]", NULL,
         "split: tid is 3 doses a day, but at: has 1 clock times"},
        {"[{taper: {protocol: uk_eighth, from: 2 mg/d, route: orl}}]", NULL, "clonazepam has no route 'orl'"},
        {"[{taper: {protocol: uk_eighth, from: 2 mg/d, by: patch}}]", NULL,
         "s.yaml:1:50: error: by is one of doses, infusion, patches, found 'patch'; did you mean 'patches'?"},
        {"[{taper: {protocol: uk_eighth, from: 2 mg/d}, every: 3 d}]", NULL,
         "s.yaml:1:47: error: unknown key 'every' in a taper"},
        {NULL, "[{taper: {protocol: cdc_monthly, from: 2 mg/d}}]",
         "which route of fentanyl takes doses? Say it with route:"},
        {NULL, "[{taper: {protocol: cdc_monthly, from: 2 mg/d, by: patches}}]",
         "a taper by patches needs the strengths at hand"},
        {NULL, "[{taper: {protocol: cdc_monthly, from: 2 mg/d, route: patch}}]",
         "'patch' is a patch; a taper by patches needs"},
        {NULL, "[{taper: {protocol: cdc_monthly, from: 2 mg/d, patches: [1 mg]}}]",
         "\"1 mg\" is a quantity in mg; expected a patch's strength in mg/h"},
    };
    for (size_t i = 0; i < sizeof fault / sizeof fault[0]; i++) {
        end(NULL);
        begin(NULL);
        if (tried(fault[i].clonazepam, fault[i].fentanyl))
            fail_msg("%s%s was accepted", fault[i].clonazepam ? fault[i].clonazepam : "",
                     fault[i].fentanyl ? fault[i].fentanyl : "");
        assert_true(hl_diag_count(diag, HL_ERROR) > 0);
        assert_said(messages(), fault[i].said);
    }
}

static void test_all_faults_in_one_pass(void **state)
{
    (void)state;
    tried("- {oral: 1 L, every: 0 h, for: 3 d}\n- {orla: 1 mg}\n- {taper: {protocol: uk_eigth}}", "- {iv: 2 kg}");
    const char *said = messages();
    assert_said(said, "s.yaml:1:10: error:");
    assert_said(said, "s.yaml:1:22: error:");
    assert_said(said, "s.yaml:2:4: error:");
    assert_said(said, "s.yaml:3:22: error:");
    assert_said(said, "\"2 kg\"");
    assert_int_equal(hl_diag_count(diag, HL_ERROR), 5);
}

/* Right prescriptions with a few characters changed: whatever comes out, nothing crashes, and NULL comes with a
 * message. */
static void test_garbled_prescriptions(void **state)
{
    (void)state;
    static const char *const right[] = {
        "[{oral: [1 mg, 2 mg], at: [\"07:45\", \"20:00\"], every: 2 d, for: 14 d, start: 3 h}, {gap: 2 d}]",
        "[{steady_state: {oral: 1 mg, every: 12 h}, start: 7 h}, {oral: 1 mg, every: 12 h, doses: 28, stop: 90 h}]",
        "[{taper: {protocol: asam2025, from: 2 mg/d, r: 10 %, w: 14 d, split: bid, tablets: [0.125 mg, 0.5 mg scored], "
        "halve: scored}}]",
        "[{taper: {protocol: hyperbolic, from: 2 mg/d, dO: 0.05, ED50: 0.05 mg, cap: \"25 % per 14 d\", at: "
        "[\"08:00\", \"20:00\"]}}]",
        "[{repeat: 3, every: 28 d, items: [{oral: 1 mg, every: 24 h, doses: 21}, {iv: 0.3 mg, gap: 1 h}]}]",
        "[{infuse: 600 ug/d, for: 9 d, route: iv, demand: {bolus: 20 ug, per_hour: 0.21, lockout: 10 min, "
        "hourly_limit: 3}}]",
    };
    static const char letters[] = "0123456789 .-:{}[],\"mghdu%/eTxo";
    uint64_t seed = 20251122, draw = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < 6000; i++) {
        char text[256];
        end(NULL);
        begin(NULL);
        snprintf(text, sizeof text, "%s", right[i % 6]);
        size_t changes = 1 + (size_t)(3 * hl_random_uniform(seed, 0, 0, draw++));
        for (size_t k = 0; k < changes; k++) {
            size_t place = (size_t)((double)strlen(text) * hl_random_uniform(seed, 0, 1, draw++));
            text[place] = letters[(size_t)((double)(sizeof letters - 1) * hl_random_uniform(seed, 0, 2, draw++))];
        }
        const struct hl_yaml *prescription[2] = {hl_yaml_load_text(arena, "s.yaml", text, diag), NULL};
        if (!prescription[0])
            continue;
        struct hl_arm arm = {.name = "arm", .system = &fake_system, .prescription = prescription};
        struct hl_regimen *r = hl_regimen_compile(arena, &fake_study, &arm, diag);
        if (!r && hl_diag_count(diag, HL_ERROR) == 0)
            fail_msg("refused without a word: %s", text);
        if (r && hl_diag_count(diag, HL_ERROR) > 0)
            fail_msg("taken in spite of\n%s%s", messages(), text);
        for (size_t k = 0; r && k < r->n_doses; k++)
            if (!(r->dose[k].amount >= 0) || !isfinite(r->dose[k].time))
                fail_msg("an unsound dose from %s", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_half_open_intervals, begin, end),
        cmocka_unit_test_setup_teardown(test_one_after_another, begin, end),
        cmocka_unit_test_setup_teardown(test_clock_times, begin, end),
        cmocka_unit_test_setup_teardown(test_infusions, begin, end),
        cmocka_unit_test_setup_teardown(test_patches, begin, end),
        cmocka_unit_test_setup_teardown(test_demands, begin, end),
        cmocka_unit_test_setup_teardown(test_steady_states, begin, end),
        cmocka_unit_test_setup_teardown(test_groups, begin, end),
        cmocka_unit_test_setup_teardown(test_taper_doses, begin, end),
        cmocka_unit_test_setup_teardown(test_whole_quanta, begin, end),
        cmocka_unit_test_setup_teardown(test_fentanyl_tapers, begin, end),
        cmocka_unit_test_setup_teardown(test_faults, begin, end),
        cmocka_unit_test_setup_teardown(test_all_faults_in_one_pass, begin, end),
        cmocka_unit_test_setup_teardown(test_garbled_prescriptions, begin, end),
    };
    return cmocka_run_group_tests(tests, units_on, units_off);
}
