/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of tapers with reviews, apart from any solution: decisions made by hand, stays that tile time, and random
 * values under random rules against laws that hold whatever is reported. */
#include "unit/regimen_fake.h"

#include <math.h>

#include "base/random.h"
#include "unit/case_numbers.h"

#define DAY 24.0

/* 2 mg/d before, then three levels of 14, 10 and 7 days; back from 30, hold from 20. */
static struct hl_stage stages[4];
static struct hl_review_rule rules[2];
static struct hl_reading reading;

static struct hl_reviewed plain(void)
{
    static struct hl_dose doses[4][2];
    static const double daily[4] = {2, 1.5, 1, 0.5}, days[4] = {14, 14, 10, 7};
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 2; k++)
            doses[i][k] = (struct hl_dose){.time = 12.0 * k, .route = ORAL, .amount = daily[i] / 2,
                                           .repeat_interval = 12};
        stages[i] = (struct hl_stage){.daily = daily[i], .days = days[i], .cycle = DAY, .n = 2, .dose = doses[i]};
    }
    rules[0] = (struct hl_review_rule){.level = 30, .then = HL_THEN_BACK, .steps = 1};
    rules[1] = (struct hl_review_rule){.level = 20, .then = HL_THEN_HOLD, .steps = 1};
    reading = (struct hl_reading){.output = 0, .stream = 77};
    return (struct hl_reviewed){.drug = "clonazepam", .start = 168, .stop = INFINITY, .horizon = 1e5, .n_stages = 4,
                                .stage = stages, .first = 1, .longest = INFINITY, .at_longest = HL_THEN_HOLD,
                                .most_holds = SIZE_MAX, .n_readings = 1, .reading = &reading, .n_rules = 2,
                                .rule = rules};
}

struct seen { double value; enum hl_review_then then; size_t after; double day; };

/* Reports these values one after another: what is decided, and when the review after it comes. */
static void goes(const struct hl_reviewed *r, struct hl_review_state *s, const struct seen *seen, size_t n)
{
    hl_review_begin(r, s);
    for (size_t i = 0; i < n; i++) {
        double time = hl_review_time(r, s);
        struct hl_review review = hl_review_decide(r, s, &seen[i].value);
        assert_true(review.time == time && review.number == i + 1);
        if (review.then != seen[i].then || review.after != seen[i].after
            || fabs((s->over ? -1 : s->day) - seen[i].day) > 0)
            fail_msg("review %zu, value %g: %s to level %zu, next on day %g; expected %s, %zu, %g", i + 1,
                     seen[i].value, hl_review_then_name(review.then), review.after, s->over ? -1 : s->day,
                     hl_review_then_name(seen[i].then), seen[i].after, seen[i].day);
    }
}

static void test_by_hand(void **state)
{
    (void)state;
    struct hl_reviewed r = plain();
    struct hl_review_state s;
    static const struct seen seen[] = {
        {19.999, HL_THEN_STEP, 2, 24}, {20, HL_THEN_HOLD, 2, 34},  {29.9, HL_THEN_HOLD, 2, 44},
        {30, HL_THEN_BACK, 1, 58},     {45, HL_THEN_BACK, 0, 72},  {45, HL_THEN_HOLD, 0, 86},
        {-3, HL_THEN_STEP, 1, 100},    {0, HL_THEN_STEP, 2, 110},  {0, HL_THEN_STEP, 3, 117},
        {0, HL_THEN_STEP, 4, -1},
    };
    goes(&r, &s, seen, sizeof seen / sizeof *seen);
    struct hl_review_outcome o = hl_review_outcome(&r, &s);
    assert_true(o.days == 117 && o.reviews == 10 && o.holds == 3 && o.back == 2 && o.reached_zero);
    assert_near("cumulative dose", o.cumulative, 14 * 1.5 + 30 * 1 + 14 * 1.5 + 28 * 2 + 14 * 1.5 + 10 + 3.5, 1e-12);
    assert_true(isinf(hl_review_time(&r, &s)));
}

/* Seven days between reviews: a level that hasn't lasted goes on, but can be taken back. */
static void test_waits(void **state)
{
    (void)state;
    struct hl_reviewed r = plain();
    struct hl_review_state s;
    static const struct seen seen[] = {
        {0, HL_THEN_WAIT, 1, 14}, {0, HL_THEN_STEP, 2, 21},  {25, HL_THEN_WAIT, 2, 28}, {25, HL_THEN_HOLD, 2, 35},
        {0, HL_THEN_STEP, 3, 42}, {31, HL_THEN_BACK, 2, 49}, {0, HL_THEN_WAIT, 2, 56},  {0, HL_THEN_STEP, 3, 63},
        {0, HL_THEN_STEP, 4, -1},
    };
    r.every = 7;
    goes(&r, &s, seen, sizeof seen / sizeof *seen);
    struct hl_review_outcome o = hl_review_outcome(&r, &s);
    assert_true(o.holds == 1 && o.back == 1 && o.days == 63);
}

static void test_limits(void **state)
{
    (void)state;
    struct hl_reviewed r = plain();
    struct hl_review_state s;
    static const struct seen twice[] = {
        {22, HL_THEN_HOLD, 1, 28}, {22, HL_THEN_HOLD, 1, 42}, {22, HL_THEN_STEP, 2, 52}, {22, HL_THEN_HOLD, 2, 62}};
    r.most_holds = 2;
    r.after_holds = HL_THEN_STEP;
    goes(&r, &s, twice, 4);
    static const struct seen stopped[] = {
        {22, HL_THEN_HOLD, 1, 28}, {22, HL_THEN_HOLD, 1, 33}, {22, HL_THEN_STOP, 4, -1}};
    r = plain();
    r.longest = 33;
    r.at_longest = HL_THEN_STOP;
    goes(&r, &s, stopped, 3);
    assert_true(hl_review_outcome(&r, &s).days == 33);
    static const struct seen freed[] = {
        {22, HL_THEN_HOLD, 1, 28}, {22, HL_THEN_HOLD, 1, 33}, {99, HL_THEN_STEP, 2, 43}, {99, HL_THEN_STEP, 3, 50},
        {99, HL_THEN_STEP, 4, -1}};
    r.at_longest = HL_THEN_STEP;
    goes(&r, &s, freed, 5);
    static const struct seen stays[] = {
        {22, HL_THEN_HOLD, 1, 28}, {22, HL_THEN_HOLD, 1, 33}, {22, HL_THEN_HOLD, 1, -1}};
    r.at_longest = HL_THEN_HOLD;
    goes(&r, &s, stays, 3);
    double from, until;
    hl_review_stay(&r, &s, &from, &until);
    assert_true(from == 168 + 33 * DAY && until == r.horizon);
    struct hl_review_outcome o = hl_review_outcome(&r, &s);
    assert_true(isnan(o.days) && !o.reached_zero);
    assert_near("dose up to the horizon", o.cumulative, 1.5 * (1e5 - 168) / DAY, 1e-9);
}

/* Several rules: the first that applies; more levels at once; without the dose before, nothing to go back to. */
static void test_rules(void **state)
{
    (void)state;
    struct hl_reviewed r = plain();
    struct hl_review_state s;
    struct hl_review_rule own[3] = {{.level = 40, .then = HL_THEN_STOP},
                                    {.below = true, .level = 5, .then = HL_THEN_STEP, .steps = 2},
                                    {.level = 25, .then = HL_THEN_BACK, .steps = 9}};
    static const struct seen seen[] = {
        {4.999, HL_THEN_STEP, 3, 21}, {5, HL_THEN_STEP, 4, -1}};
    static const struct seen back[] = {{10, HL_THEN_STEP, 2, 24}, {25, HL_THEN_BACK, 0, 38}, {40, HL_THEN_STOP, 4, -1}};
    r.rule = own;
    r.n_rules = 3;
    goes(&r, &s, seen, 2);
    goes(&r, &s, back, 3);
    r.stage = stages + 1; /* the dose before isn't known */
    r.n_stages = 3;
    r.first = 0;
    static const struct seen floor[] = {{25, HL_THEN_HOLD, 0, 28}};
    goes(&r, &s, floor, 1);
}

/* The doses of a stay: those of the level, from its beginning to the last one before its end. */
static void test_doses_of_a_stay(void **state)
{
    (void)state;
    struct hl_reviewed r = plain();
    assert_int_equal(hl_stage_doses(&r.stage[1], 168, 168 + 14 * DAY), 28);
    assert_int_equal(hl_stage_doses(&r.stage[1], 168, 168 + 12), 1);
    assert_int_equal(hl_stage_doses(&r.stage[1], 168, 168 + 12.5), 2);
    assert_int_equal(hl_stage_doses(&r.stage[1], 168, 168), 0);
    struct hl_dose last = hl_stage_dose(&r.stage[1], 168, 168 + 14 * DAY, 27);
    assert_true(last.time == 168 + 14 * DAY - 12 && last.amount == 0.75);
    struct hl_dose patch = {.route = F_PATCH, .kind = HL_DOSE_PATCH, .amount = 0.025, .duration = 72};
    struct hl_stage worn = {.daily = 0.6, .days = 7, .cycle = 72, .n = 1, .dose = &patch};
    assert_int_equal(hl_stage_doses(&worn, 0, 7 * DAY), 3);
    assert_true(hl_stage_dose(&worn, 0, 7 * DAY, 2).duration == DAY && hl_stage_dose(&worn, 0, 7 * DAY, 1).time == 72);
    struct hl_dose flow = {.route = F_IV, .kind = HL_DOSE_INFUSION, .rate = 0.025};
    struct hl_stage runs = {.daily = 0.6, .days = 7, .cycle = INFINITY, .n = 1, .dose = &flow};
    struct hl_dose whole = hl_stage_dose(&runs, 24, 192, 0);
    assert_int_equal(hl_stage_doses(&runs, 24, 192), 1);
    assert_true(whole.time == 24 && whole.duration == 168 && whole.amount == 0.025 * 168);
}

/* Reports: without noise the value; with it a pure function, whose spread is the stated one. */
static void test_reports(void **state)
{
    (void)state;
    struct hl_reviewed r = plain();
    double sum = 0, squares = 0;
    for (int k = 1; k <= 4000; k++) {
        double value = 20, again = 20;
        reading.bias = -1.5;
        reading.sd = reading.between = 0;
        hl_review_report(&r, 5, (uint64_t)k, 336, &value);
        assert_true(value == 18.5);
        reading.sd = 3;
        reading.between = 4;
        value = 20;
        hl_review_report(&r, 5, (uint64_t)k, 336, &value);
        hl_review_report(&r, 5, (uint64_t)k, 336, &again);
        assert_true(value == again);
        sum += value;
        squares += (value - 18.5) * (value - 18.5);
        again = 20;
        hl_review_report(&r, 5, (uint64_t)k, 504, &again);
        assert_true(value != again);
    }
    assert_near("mean of reports", sum / 4000, 18.5, 4 * 5 / sqrt(4000));
    assert_near("their spread", sqrt(squares / 4000), 5, 0.25);
}

/* Whatever is reported: levels stay on the table, reviews ascend and lie on whole days, stays tile time, holds in a row
 * are limited, the dose is the sum of the stays. */
static void try_random(uint64_t seed, uint64_t number)
{
    uint64_t draw = 0;
    struct hl_reviewed r = plain();
    double every[] = {0, 1, 7, 5}, longest[] = {INFINITY, 40, 365};
#define PICK(n) ((size_t)(hl_random_uniform(seed, number, 3, draw++) * (double)(n)))
    static const enum hl_review_then ends[] = {HL_THEN_HOLD, HL_THEN_STOP, HL_THEN_STEP};
    r.every = every[PICK(4)];
    r.longest = longest[PICK(3)];
    r.at_longest = ends[PICK(3)];
    r.most_holds = PICK(2) ? 1 + PICK(3) : SIZE_MAX;
    r.after_holds = PICK(2) ? HL_THEN_STEP : HL_THEN_BACK;
    r.horizon = 168 + 400 * DAY;
    struct hl_review_state s;
    double from, until, dose = 0, covered;
    size_t holds = 0;
    hl_review_begin(&r, &s);
    hl_review_stay(&r, &s, &from, &until);
    dose += r.stage[s.stage].daily * (fmin(until, r.horizon) - from) / DAY;
    covered = until;
    while (isfinite(hl_review_time(&r, &s))) {
        double value = 45 * hl_random_uniform(seed, number, 4, draw++), time = hl_review_time(&r, &s);
        bool freed = s.freed;
        struct hl_review v = hl_review_decide(&r, &s, &value);
        assert_true(v.time == time && fmod(time - 168, DAY) == 0 && time == covered);
        assert_true(v.before < 4 && v.after <= 4 && (v.then != HL_THEN_BACK || v.after + 1 == v.before));
        assert_true(v.then != HL_THEN_STEP || v.after == v.before + 1);
        assert_true((v.then != HL_THEN_HOLD && v.then != HL_THEN_WAIT) || v.after == v.before);
        holds = v.then == HL_THEN_HOLD ? holds + 1 : v.then == HL_THEN_WAIT ? holds : 0;
        if (v.before > 0 && s.day < r.longest && !freed)
            assert_true(holds <= r.most_holds);
        hl_review_stay(&r, &s, &from, &until);
        assert_true(from == time && until >= from);
        assert_true(s.at_zero || until > from || time >= r.horizon);
        dose += s.at_zero ? 0 : r.stage[s.stage].daily * fmax(fmin(until, r.horizon) - from, 0) / DAY;
        covered = until;
    }
    struct hl_review_outcome o = hl_review_outcome(&r, &s);
    if (fabs(o.cumulative - dose) > 1e-9 * dose)
        fail_msg("HL_SEED=%llu, case %llu: cumulative dose %g, sum of the stays %g", (unsigned long long)seed,
                 (unsigned long long)number, o.cumulative, dose);
    assert_true(o.reached_zero == isfinite(o.days));
}

static void test_random(void **state)
{
    (void)state;
    uint64_t seed = from_environment("HL_SEED", date_number()), n = from_environment("HL_CASES", 2000);
    print_message("HL_SEED=%llu\n", (unsigned long long)seed);
    for (uint64_t k = 0; k < n; k++)
        try_random(seed, k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_hand, begin, end),
        cmocka_unit_test_setup_teardown(test_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_limits, begin, end),
        cmocka_unit_test_setup_teardown(test_rules, begin, end),
        cmocka_unit_test_setup_teardown(test_doses_of_a_stay, begin, end),
        cmocka_unit_test_setup_teardown(test_reports, begin, end),
        cmocka_unit_test_setup_teardown(test_random, begin, end),
    };
    return cmocka_run_group_tests_name("regimen_review", tests, units_on, units_off);
}
