/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One subject's events: lags, bioavailability, modelled inputs, infusions, patches, steady states and a pump's demands.
 * The hand-made system of regimen_fake.h has different numbers in every lane; lane 2 is looked at. */
#include "unit/regimen_fake.h"

#include <math.h>

static struct hl_events events;

static void listed_for(const struct hl_regimen *r, uint64_t seed, uint64_t subject)
{
    assert_int_equal(hl_regimen_events(r, &fake_system, fake_regs, LANES, 2, seed, subject, &events), HL_OK);
    for (size_t i = 1; i < events.n; i++)
        assert_true(events.event[i].time >= events.event[i - 1].time);
}

static void listed(const char *clonazepam, const char *fentanyl)
{
    listed_for(compiled(clonazepam, fentanyl), 7, 3);
}

static void assert_event(size_t i, double time, enum hl_event_kind kind, int state, double value)
{
    static const char *const names[] = {"ADD", "RATE", "GIVEN", "REFUSED", "RELEASE"};
    if (i >= events.n)
        fail_msg("event %zu of %zu", i, events.n);
    const struct hl_event *e = &events.event[i];
    if (e->kind != kind || e->state != state || fabs(e->time - time) > 1e-12 * fmax(1, fabs(time)) ||
        fabs(e->value - value) > 1e-13 * fmax(1, fabs(value)))
        fail_msg("event %zu is %s state %d value %.17g at %.17g, expected %s state %d value %.17g at %.17g", i,
                 names[e->kind], e->state, e->value, e->time, names[kind], state, value, time);
}

static int finish(void **state)
{
    hl_free(events.event);
    events = (struct hl_events){0};
    return end(state);
}

static void test_bolus_with_lag(void **state)
{
    (void)state;
    listed("[{oral: 2.385 mg, every: 12 h, doses: 2}]", NULL);
    assert_int_equal(events.n, 4);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 2.385);
    assert_event(1, 0.25, HL_EVENT_ADD, GUT, 2.385 * 0.9);
    assert_event(2, 12, HL_EVENT_GIVEN, -1, 2.385);
    assert_event(3, 12.25, HL_EVENT_ADD, GUT, 2.385 * 0.9);
    assert_int_equal(events.event[0].instance, 0);
    assert_int_equal(events.event[0].route, ORAL);
    assert_near("interval", events.event[2].interval, 12, 0);
    listed("[{iv: 1 mg}]", NULL);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 1); /* the notice before the amount */
    assert_event(1, 0, HL_EVENT_ADD, CENTRAL, 1);
}

/* A modelled rate R = 0.037 mg/h of F = 0.8 takes F dose / R; a lozenge is zero order into one part, at once into
 * another. */
static void test_modelled_inputs(void **state)
{
    (void)state;
    listed(NULL, "[{sc: 0.1 mg}, {lozenge: 0.8 mg, start: 10 h}]");
    assert_event(1, 0, HL_EVENT_RATE, F_DEPOT, 0.037);
    assert_event(2, 0.08 / 0.037, HL_EVENT_RATE, F_DEPOT, -0.037);
    assert_event(3, 10, HL_EVENT_GIVEN, -1, 0.8);
    assert_event(4, 10, HL_EVENT_RATE, F_MOUTH, 0.8 * 0.22 / 0.25);
    assert_event(5, 10.1, HL_EVENT_ADD, F_DEPOT, 0.2);
    assert_event(6, 10.25, HL_EVENT_RATE, F_MOUTH, -0.8 * 0.22 / 0.25);
}

/* A dose by a course of its own begins to enter after its lag, as one event that says which course. */
static void test_releases(void **state)
{
    (void)state;
    listed("[{slow: 2.385 mg, every: 7.1 h, doses: 2}]", NULL);
    assert_int_equal(events.n, 4);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 2.385);
    assert_event(1, 0.25, HL_EVENT_RELEASE, GUT, 2.385 * 0.9);
    assert_event(2, 7.1, HL_EVENT_GIVEN, -1, 2.385);
    assert_event(3, 7.35, HL_EVENT_RELEASE, GUT, 2.385 * 0.9);
    assert_ptr_equal(events.event[1].release, &fake_release);
    assert_null(events.event[0].release);
}

static void test_infusions(void **state)
{
    (void)state;
    listed(NULL, "[{infuse: 480 ug/d, for: 3 d}, {infuse: 600 ug/d}]");
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 1.44);
    assert_near("rate", events.event[0].rate, 0.02, 1e-15);
    assert_event(1, 0, HL_EVENT_RATE, F_CENTRAL, 0.02);
    assert_event(2, 72, HL_EVENT_GIVEN, -1, 0);
    assert_event(3, 72, HL_EVENT_RATE, F_CENTRAL, -0.02); /* off before on */
    assert_event(4, 72, HL_EVENT_RATE, F_CENTRAL, 0.025);
    assert_int_equal(events.n, 5); /* the second never ends */
    /* a pump's own time overrides the route's input; F scales the rate, the lag shifts both ends */
    listed("[{infuse: 3 mg, over: 7.1 h, route: oral}]", "[{infuse: 5 ug/h, for: 4.3 h, route: sc}]");
    assert_event(2, 0, HL_EVENT_RATE, F_DEPOT, 0.004);
    assert_event(3, 0.25, HL_EVENT_RATE, GUT, 3 / 7.1 * 0.9);
    assert_event(4, 4.3, HL_EVENT_RATE, F_DEPOT, -0.004);
    assert_event(5, 7.35, HL_EVENT_RATE, GUT, -3 / 7.1 * 0.9);
}

/* bioavailability_scales: duration: the rate stays, F = 0.9 shortens, 1.37 lengthens; what never ends keeps its
 * rate. */
static void test_infusions_of_another_length(void **state)
{
    (void)state;
    fake_study.scales_duration = true;
    listed("[{infuse: 3 mg, over: 7.1 h, route: oral}, {oral: 1 mg}]", "[{infuse: 5 ug/h, for: 4.3 h, route: sc}]");
    assert_event(2, 0, HL_EVENT_RATE, F_DEPOT, 0.005);
    assert_event(3, 0.25, HL_EVENT_RATE, GUT, 3 / 7.1);
    assert_event(4, 0.8 * 4.3, HL_EVENT_RATE, F_DEPOT, -0.005);
    assert_event(5, 0.9 * 7.1 + 0.25, HL_EVENT_RATE, GUT, -3 / 7.1);
    assert_event(7, 7.35, HL_EVENT_ADD, GUT, 0.9); /* doses at once are what they were */
    /* parts: a fraction of the rate for the same time; an input without an end keeps its rate until it is replaced */
    listed(NULL, "[{infuse: 8 ug/h, route: lozenge}, {infuse: 4 ug/h, route: lozenge, start: 9 h}]");
    assert_event(1, 0, HL_EVENT_RATE, F_MOUTH, 0.008 * 0.22);
    assert_event(2, 0.1, HL_EVENT_RATE, F_DEPOT, 0.008 * 0.25);
    fake_regs[R_F * LANES + 2] = 1.37;
    listed("[{infuse: 2 mg/h, route: oral}, {infuse: 1 mg/h, route: oral, start: 10 h, for: 4 h}]", NULL);
    assert_event(1, 0.25, HL_EVENT_RATE, GUT, 2);
    assert_event(3, 10.25, HL_EVENT_RATE, GUT, 1);
    assert_event(4, 1.37 * 10 + 0.25, HL_EVENT_RATE, GUT, -2);
    assert_event(5, 10 + 1.37 * 4 + 0.25, HL_EVENT_RATE, GUT, -1);
    fake_regs[R_F * LANES + 2] = 0;
    listed("[{infuse: 2 mg/h, route: oral, for: 4 h}]", NULL);
    assert_int_equal(events.n, 1); /* nothing arrives */
    listed("[{infuse: 2 mg/h, route: oral}]", NULL);
    assert_event(1, 0.25, HL_EVENT_RATE, GUT, 2);
}

/* What is left after 30 h at 0.0103 and the rest at 0.02 per hour. */
static void test_patches(void **state)
{
    (void)state;
    double content = 168 * 0.025, at30 = content * exp(-0.0103 * 30), left = at30 * exp(-0.02 * 42);
    listed(NULL, "[{patch: 25 ug/h, every: 72 h, doses: 2}]");
    assert_int_equal(events.n, 10);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, content);
    assert_event(1, 2, HL_EVENT_ADD, F_PATCH1, content);
    assert_event(2, 32, HL_EVENT_ADD, F_PATCH1, -at30);
    assert_event(3, 32, HL_EVENT_ADD, F_PATCH2, at30);
    assert_event(4, 72, HL_EVENT_GIVEN, -1, content);
    assert_event(5, 74, HL_EVENT_ADD, F_PATCH2, -left);
    assert_event(6, 74, HL_EVENT_ADD, F_PATCH1, content);
    assert_event(9, 146, HL_EVENT_ADD, F_PATCH2, -left);
    /* off before the phase changes */
    listed(NULL, "[{patch: 25 ug/h, wear: 13 h}]");
    assert_int_equal(events.n, 3);
    assert_event(2, 15, HL_EVENT_ADD, F_PATCH1, -content * exp(-0.0103 * 13));
    /* two kinds and sizes share the content register */
    listed(NULL, "[{patch: [25 ug/h, 50 ug/h], wear: 9 h}, {tape: 2 mg, start: 0 h}]");
    assert_event(0, 0, HL_EVENT_GIVEN, -1, content);
    assert_event(1, 0, HL_EVENT_GIVEN, -1, 2 * content);
    assert_event(2, 0, HL_EVENT_GIVEN, -1, 1.28);
    assert_event(8, 26, HL_EVENT_ADD, F_TAPE, -1.28 * exp(-0.0297 * 24));
    listed(NULL, "[{reservoir: 100 ug/h, wear: 24 h}]");
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 0);
    assert_event(1, 1.5, HL_EVENT_RATE, F_SKIN1, 0.067);
    assert_event(2, 1.5, HL_EVENT_RATE, F_SKIN2, 0.033);
    assert_event(3, 25.5, HL_EVENT_RATE, F_SKIN1, -0.067);
}

/* Times that differ in the last bits only become one time: off of one, on of the next. */
static void test_no_noise_between_items(void **state)
{
    (void)state;
    listed(NULL, "[{infuse: 1 ug/h, for: 0.1 h}, {infuse: 2 ug/h, for: 0.2 h}, {infuse: 3 ug/h, for: 0.3 h}, {infuse: "
                 "4 ug/h, start: 0.6 h}]");
    size_t different = 1;
    for (size_t i = 1; i < events.n; i++)
        different += events.event[i].time > events.event[i - 1].time;
    assert_int_equal(different, 4);
    double rate = 0;
    for (size_t i = 0; i < events.n; i++) {
        if (events.event[i].kind == HL_EVENT_RATE)
            rate += events.event[i].value;
        assert_true(rate > -1e-15 && rate < 0.0045);
    }
}

static double cycle_rate[N_STATES];

static void cycled(const struct hl_regimen *r, size_t which)
{
    for (size_t i = 0; i < N_STATES; i++)
        cycle_rate[i] = 99;
    assert_int_equal(hl_regimen_cycle(&r->steady[which], &fake_system, fake_regs, LANES, 2, &events, cycle_rate),
                     HL_OK);
    for (size_t i = 0; i < events.n; i++)
        assert_true(events.event[i].time >= 0 && events.event[i].time < r->steady[which].period);
}

static void test_steady_boluses(void **state)
{
    (void)state;
    const struct hl_regimen *r =
        compiled("- {steady_state: {oral: [1 mg, 2 mg], at: [\"07:55\", \"20:00\"]}}\n- {oral: 5 mg}", NULL);
    cycled(r, 0);
    assert_int_equal(events.n, 4);
    assert_event(0, 0.25 - 5 / 60.0, HL_EVENT_ADD, GUT, 0.9); /* of the dose at 07:55, after 08:00: wrapped */
    assert_event(1, 12, HL_EVENT_GIVEN, -1, 2);
    assert_event(2, 12.25, HL_EVENT_ADD, GUT, 1.8);
    assert_event(3, 24 - 5 / 60.0, HL_EVENT_GIVEN, -1, 1);
    assert_near("rate", cycle_rate[GUT], 0, 0);
    listed_for(r, 1, 1); /* the same dose is still to come when the study begins */
    assert_int_equal(events.n, 3);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 5);
    assert_event(1, 0.25 - 5 / 60.0, HL_EVENT_ADD, GUT, 0.9);
    assert_event(2, 0.25, HL_EVENT_ADD, GUT, 4.5);
}

/* A lag longer than the period: two doses are on their way. */
static void test_steady_with_long_lag(void **state)
{
    (void)state;
    fake_regs[R_LAG * LANES + 2] = 13.5;
    const struct hl_regimen *r = compiled("[{steady_state: {oral: 1 mg, every: 6 h}}]", NULL);
    cycled(r, 0);
    assert_event(1, 1.5, HL_EVENT_ADD, GUT, 0.9);
    listed_for(r, 1, 1);
    assert_int_equal(events.n, 2);
    assert_event(0, 1.5, HL_EVENT_ADD, GUT, 0.9); /* given at -12 */
    assert_event(1, 7.5, HL_EVENT_ADD, GUT, 0.9); /* given at -6 */
}

/* Running inputs at the start of the cycle, and the list that goes on from them: the sum must stay what it was. */
/* A cycle holds the beginnings; of earlier doses only those still on their way are in the list. */
static void test_steady_releases(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled("- {steady_state: {slow: 2.385 mg, every: 0.1 h}}\n- {slow: 1 mg}", NULL);
    listed_for(r, 1, 1);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 1);
    assert_event(1, 0.05, HL_EVENT_RELEASE, GUT, 2.385 * 0.9);
    assert_event(2, 0.15, HL_EVENT_RELEASE, GUT, 2.385 * 0.9);
    assert_event(3, 0.25, HL_EVENT_RELEASE, GUT, 0.9);
    assert_int_equal(events.n, 4);
    cycled(r, 0);
    assert_int_equal(events.n, 2);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 2.385);
    assert_event(1, 0.05, HL_EVENT_RELEASE, GUT, 2.385 * 0.9);
    assert_ptr_equal(events.event[1].release, &fake_release);
}

static void test_steady_infusions(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(NULL, "[{steady_state: {infuse: 480 ug/d}}, {infuse: 600 ug/d, for: 1 d}]");
    cycled(r, 0);
    assert_near("rate", cycle_rate[F_CENTRAL], 0.02, 1e-15);
    assert_int_equal(events.n, 1);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 0.48);
    listed_for(r, 1, 1);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, 0.6);
    assert_event(1, 0, HL_EVENT_RATE, F_CENTRAL, -0.02);
    assert_event(2, 0, HL_EVENT_RATE, F_CENTRAL, 0.025);
    assert_event(3, 24, HL_EVENT_RATE, F_CENTRAL, -0.025);
    assert_int_equal(events.n, 4);
    /* 30 h of every 12 h: two always, a third from 0 to 6; at the study's start those of -12 and -24 run */
    r = compiled(NULL, "[{steady_state: {infuse: 3 mg, over: 30 h, every: 12 h}}]");
    cycled(r, 0);
    assert_near("rate", cycle_rate[F_CENTRAL], 0.2, 1e-15);
    assert_event(1, 0, HL_EVENT_RATE, F_CENTRAL, 0.1);
    assert_event(2, 6, HL_EVENT_RATE, F_CENTRAL, -0.1);
    listed_for(r, 1, 1);
    assert_int_equal(events.n, 2);
    assert_event(0, 6, HL_EVENT_RATE, F_CENTRAL, -0.1);
    assert_event(1, 18, HL_EVENT_RATE, F_CENTRAL, -0.1);
    /* turned by 7 h: on at 7, off at 7 + 8 - 12 = 3 */
    r = compiled(NULL, "[{steady_state: {infuse: 0.8 mg, over: 8 h, every: 12 h}, start: 7 h}]");
    cycled(r, 0);
    assert_near("rate", cycle_rate[F_CENTRAL], 0.1, 1e-15);
    assert_event(0, 3, HL_EVENT_RATE, F_CENTRAL, -0.1);
    assert_event(2, 7, HL_EVENT_RATE, F_CENTRAL, 0.1);
    listed_for(r, 1, 1);
    assert_event(0, 3, HL_EVENT_RATE, F_CENTRAL, -0.1);
    assert_int_equal(events.n, 1);
    /* the lag moves the end of the last one past the start, and the beginning of nothing */
    r = compiled("[{steady_state: {infuse: 1.2 mg, over: 6 h, every: 6 h, route: oral}}]", NULL);
    cycled(r, 0);
    assert_near("rate", cycle_rate[GUT], 0.18, 1e-15);
    listed_for(r, 1, 1);
    assert_int_equal(events.n, 1);
    assert_event(0, 0.25, HL_EVENT_RATE, GUT, -0.18);
}

/* In a steady state F = 1.9 makes 4 h of every 6 h overlap; an infusion that never pauses keeps its rate. */
static void test_steady_infusions_of_another_length(void **state)
{
    (void)state;
    fake_study.scales_duration = true;
    fake_regs[R_F * LANES + 2] = 1.9;
    const struct hl_regimen *r =
        compiled("[{steady_state: {infuse: 1.2 mg, over: 4 h, every: 6 h, route: oral}}]", NULL);
    cycled(r, 0); /* 7.6 h: one always, another from 0.25 to 1.85 */
    assert_near("rate", cycle_rate[GUT], 0.3, 1e-15);
    assert_event(1, 0.25, HL_EVENT_RATE, GUT, 0.3);
    assert_event(2, 1.85, HL_EVENT_RATE, GUT, -0.3);
    listed_for(r, 1, 1);
    assert_int_equal(events.n, 1);
    assert_event(0, 1.85, HL_EVENT_RATE, GUT, -0.3);
    r = compiled("[{steady_state: {infuse: 480 ug/d, route: oral}}]", NULL);
    cycled(r, 0);
    assert_near("rate", cycle_rate[GUT], 0.02, 1e-15);
    assert_int_equal(events.n, 1);
}

static void test_steady_patches(void **state)
{
    (void)state;
    double content = 168 * 0.05, at30 = content * exp(-0.0103 * 30), left = at30 * exp(-0.02 * 42);
    const struct hl_regimen *r = compiled(NULL, "[{steady_state: {patch: 50 ug/h, every: 72 h}}]");
    cycled(r, 0);
    assert_event(0, 0, HL_EVENT_GIVEN, -1, content);
    assert_event(1, 2, HL_EVENT_ADD, F_PATCH1, content);
    assert_event(2, 2, HL_EVENT_ADD, F_PATCH2, -left);
    assert_event(3, 32, HL_EVENT_ADD, F_PATCH1, -at30);
    listed_for(r, 1, 1);
    assert_int_equal(events.n, 1);
    assert_event(0, 2, HL_EVENT_ADD, F_PATCH2, -left); /* the last one comes off; no other follows */
}

static const char pump[] =
    "[{infuse: 600 ug/d, for: 40 d, demand: {bolus: 20 ug, per_hour: 1.7, lockout: 10 min, hourly_limit: 3}}]";

/* Given and refused demands follow their rules, and all demands together are Poisson: mean and variance of the number
 * in 960 h at 1.7/h over 400 subjects, within four standard errors. */
static void test_demands(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(NULL, pump);
    double sum = 0, sum_of_squares = 0;
    size_t n_subjects = 400, refused = 0;
    for (uint64_t subject = 1; subject <= n_subjects; subject++) {
        listed_for(r, 20211009, subject);
        double given[4] = {-9, -9, -9, -9}; /* the last ones, newest first */
        size_t demands = 0;
        for (size_t i = 0; i < events.n; i++) {
            const struct hl_event *e = &events.event[i];
            bool is_given = e->kind == HL_EVENT_GIVEN && e->rate <= 0;
            if (!is_given && e->kind != HL_EVENT_REFUSED)
                continue;
            demands++;
            assert_near("bolus", e->value, 0.02, 1e-15);
            bool locked = e->time - given[0] < 1.0 / 6, full = e->time - given[2] < 1;
            assert_true(is_given == !(locked || full));
            refused += !is_given;
            if (!is_given)
                continue;
            assert_event(i + 1, e->time, HL_EVENT_ADD, F_CENTRAL, 0.02);
            memmove(given + 1, given, 3 * sizeof *given);
            given[0] = e->time;
        }
        sum += (double)demands;
        sum_of_squares += (double)demands * (double)demands;
    }
    double n = (double)n_subjects, mean = sum / n, variance = (sum_of_squares - n * mean * mean) / (n - 1),
           lambda = 1.7 * 960;
    assert_near("mean number of demands", mean, lambda, 4 * sqrt(lambda / n));
    assert_near("variance of the number", variance, lambda, 4 * lambda * sqrt(2 / n));
    assert_true(refused > 1000);
}

static void test_demands_are_a_pure_function(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled(NULL, pump);
    struct hl_event *first;
    listed_for(r, 5, 17);
    size_t n = events.n;
    first = hl_alloc(n, sizeof *first);
    memcpy(first, events.event, n * sizeof *first);
    listed_for(r, 5, 18);
    assert_true(events.n != n || memcmp(first, events.event, n * sizeof *first) != 0);
    listed_for(r, 5, 17);
    assert_int_equal(events.n, n);
    assert_memory_equal(first, events.event, n * sizeof *first);
    hl_free(first);
}

/* The lockout reaches over the seam of two windows. */
static void test_lockout_between_windows(void **state)
{
    (void)state;
    listed(NULL, "- {demand: {bolus: 20 ug, per_hour: 100, lockout: 5 h}, for: 4 h}\n- {demand: {bolus: 20 ug, "
                 "per_hour: 100, lockout: 5 h}, for: 4 h}");
    double last = -9;
    size_t given = 0;
    for (size_t i = 0; i < events.n; i++) {
        if (events.event[i].kind != HL_EVENT_GIVEN)
            continue;
        assert_true(events.event[i].time - last >= 5);
        last = events.event[i].time;
        given++;
    }
    assert_int_equal(given, 2);
}

static void test_common(void **state)
{
    (void)state;
    assert_false(hl_regimen_is_common(compiled("[{oral: 1 mg}]", NULL), &fake_system)); /* its lag is eta's */
    assert_true(hl_regimen_is_common(compiled("[{iv: 1 mg}]", "[{patch: 25 ug/h}, {lozenge: 1 mg}]"), &fake_system));
    assert_false(hl_regimen_is_common(compiled("[{steady_state: {oral: 1 mg, every: 6 h}}]", NULL), &fake_system));
    assert_false(hl_regimen_is_common(compiled(NULL, pump), &fake_system));
    assert_true(hl_regimen_is_common(compiled(NULL, NULL), &fake_system));
    static struct hl_instruction f = {.op = HL_OP_MUL, .dst = R_F, .a = R_TVLAG, .b = R_ETA, .c = -1};
    fake_system.individual = (struct hl_program){1, &f};
    assert_true(hl_regimen_is_common(compiled("[{infuse: 2 mg/h, for: 4 h, route: oral}]", NULL), &fake_system));
    fake_study.scales_duration = true; /* F is eta's, and with it the end */
    assert_false(hl_regimen_is_common(compiled("[{infuse: 2 mg/h, for: 4 h, route: oral}]", NULL), &fake_system));
}

/* The same times and values for everybody: a bioavailability of one's own doesn't matter where nothing goes through
 * it. */
static void test_shared(void **state)
{
    (void)state;
    static struct hl_instruction code[2] = {{.op = HL_OP_MUL, .dst = R_F, .a = R_TVLAG, .b = R_ETA, .c = -1},
                                            {.op = HL_OP_MUL, .dst = R_168, .a = R_TVLAG, .b = R_ETA, .c = -1}};
    fake_system.individual = (struct hl_program){1, code};
    assert_true(hl_regimen_is_common(compiled("[{oral: 1 mg}]", NULL), &fake_system));
    assert_false(hl_regimen_is_shared(compiled("[{oral: 1 mg}]", NULL), &fake_system));
    assert_true(hl_regimen_is_shared(compiled("[{iv: 1 mg}]", "[{patch: 25 ug/h}, {lozenge: 1 mg}]"), &fake_system));
    assert_false(hl_regimen_is_shared(compiled("[{steady_state: {oral: 1 mg, every: 6 h}}]", NULL), &fake_system));
    assert_false(hl_regimen_is_shared(compiled(NULL, pump), &fake_system));
    assert_true(hl_regimen_is_shared(compiled(NULL, NULL), &fake_system));
    fake_system.individual.n = 2; /* and what a patch holds, by way of its content's program */
    assert_true(hl_regimen_is_common(compiled(NULL, "[{patch: 25 ug/h}]"), &fake_system));
    assert_false(hl_regimen_is_shared(compiled(NULL, "[{patch: 25 ug/h}]"), &fake_system));
    assert_true(hl_regimen_is_shared(compiled("[{iv: 1 mg}]", NULL), &fake_system));
}

static void assert_same_list(const struct hl_events *a, const struct hl_events *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t k = 0; k < a->n; k++) {
        const struct hl_event *x = &a->event[k], *y = &b->event[k];
        assert_true(x->time == y->time && x->value == y->value && x->interval == y->interval && x->rate == y->rate);
        assert_true(x->kind == y->kind && x->state == y->state && x->route == y->route && x->instance == y->instance
                    && x->release == y->release);
    }
}

/* One subject's list made another's by filling in values is the list that it would have been given. */
static void test_refill(void **state)
{
    (void)state;
    struct hl_events filled = {0};
    struct hl_event_order order = {0};
    const struct hl_regimen *r =
        compiled("[{oral: 2.385 mg, every: 12 h, doses: 31}, {infuse: 1.3 mg/h, for: 4 h, route: oral, start: 0 h}]",
                 "[{patch: 25 ug/h, every: 72 h, for: 216 h}, {sc: 0.1 mg, start: 3 h}, "
                 "{lozenge: 0.8 mg, start: 12 h}]");
    for (size_t k = 0; k < N_REGS; k++)
        for (size_t lane = 0; lane < LANES; lane++)
            fake_regs[k * LANES + lane] = fake_regs[k * LANES + 2];
    for (size_t lane = 0; lane < LANES; lane++) {
        fake_regs[R_F * LANES + lane] = 0.9 - 0.13 * (double)lane;
        fake_regs[R_REL1 * LANES + lane] = 0.0103 * (1 + 0.2 * (double)lane);
        fake_regs[R_168 * LANES + lane] = 168 + (double)lane;
    }
    assert_int_equal(hl_regimen_order(r, &fake_system, fake_regs, LANES, 3, &filled, &order), HL_OK);
    assert_int_equal(hl_regimen_events(r, &fake_system, fake_regs, LANES, 3, 1, 1, &events), HL_OK);
    assert_same_list(&filled, &events);
    for (size_t lane = 0; lane < LANES; lane++) {
        assert_true(hl_regimen_refill(r, &fake_system, fake_regs, LANES, lane, &order, &filled));
        assert_int_equal(hl_regimen_events(r, &fake_system, fake_regs, LANES, lane, 1, 1, &events), HL_OK);
        assert_same_list(&filled, &events);
    }
    double strange[] = {-0.9, 0, NAN}; /* an infusion that takes away, one that isn't there, none that could be */
    for (size_t k = 0; k < 3; k++) {
        fake_regs[R_F * LANES] = strange[k];
        assert_false(hl_regimen_refill(r, &fake_system, fake_regs, LANES, 0, &order, &filled));
    }
    hl_free(filled.event);
    hl_free(order.place);
}

static void test_no_memory(void **state)
{
    (void)state;
    const struct hl_regimen *r = compiled("[{infuse: 1 mg, over: 2.5 h, route: oral, every: 1 h, doses: 200}]", NULL);
    for (size_t n = 1; n <= 3; n++) { /* two per dose, more than that, and what sorting needs */
        hl_memory_fail_after(n);
        enum hl_status status = hl_regimen_events(r, &fake_system, fake_regs, LANES, 2, 1, 1, &events);
        hl_memory_fail_after(0);
        assert_int_equal(status, HL_ERR_MEMORY);
        hl_free(events.event);
        events = (struct hl_events){0};
    }
    listed_for(r, 1, 1);
    assert_int_equal(events.n, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bolus_with_lag, begin, finish),
        cmocka_unit_test_setup_teardown(test_modelled_inputs, begin, finish),
        cmocka_unit_test_setup_teardown(test_releases, begin, finish),
        cmocka_unit_test_setup_teardown(test_infusions, begin, finish),
        cmocka_unit_test_setup_teardown(test_infusions_of_another_length, begin, finish),
        cmocka_unit_test_setup_teardown(test_patches, begin, finish),
        cmocka_unit_test_setup_teardown(test_no_noise_between_items, begin, finish),
        cmocka_unit_test_setup_teardown(test_steady_boluses, begin, finish),
        cmocka_unit_test_setup_teardown(test_steady_with_long_lag, begin, finish),
        cmocka_unit_test_setup_teardown(test_steady_releases, begin, finish),
        cmocka_unit_test_setup_teardown(test_steady_infusions, begin, finish),
        cmocka_unit_test_setup_teardown(test_steady_infusions_of_another_length, begin, finish),
        cmocka_unit_test_setup_teardown(test_steady_patches, begin, finish),
        cmocka_unit_test_setup_teardown(test_demands, begin, finish),
        cmocka_unit_test_setup_teardown(test_demands_are_a_pure_function, begin, finish),
        cmocka_unit_test_setup_teardown(test_lockout_between_windows, begin, finish),
        cmocka_unit_test_setup_teardown(test_common, begin, finish),
        cmocka_unit_test_setup_teardown(test_shared, begin, finish),
        cmocka_unit_test_setup_teardown(test_refill, begin, finish),
        cmocka_unit_test_setup_teardown(test_no_memory, begin, finish),
    };
    return cmocka_run_group_tests(tests, units_on, units_off);
}
