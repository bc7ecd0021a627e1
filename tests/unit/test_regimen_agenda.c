/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agenda: doses arrive when and in the order they should, and nothing is left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "regimen/agenda.h"

static struct hl_intake bolus(size_t record, double lag, double amount)
{
    return (struct hl_intake){.record = record, .route = -1, .lag = lag, .amount = amount, .F = 1};
}

static struct hl_intake infusion(size_t record, double lag, double rate, double duration)
{
    return (struct hl_intake){.record = record, .route = -1, .lag = lag, .rate = rate, .duration = duration,
                              .amount = rate * duration, .F = 1};
}

static void add(struct hl_agenda *agenda, struct hl_intake x, double time, double interval, uint64_t additional)
{
    assert_int_equal(hl_agenda_add(agenda, &x, time, interval, additional, true), HL_OK);
}

static void add_steady(struct hl_agenda *agenda, struct hl_intake x, double time, double interval, uint64_t additional)
{
    assert_int_equal(hl_agenda_add_steady(agenda, &x, time, interval, additional, true), HL_OK);
}

/* The next arrival until then is this one. */
static void expect(struct hl_agenda *agenda, double until, enum hl_arrival_kind kind, double time, size_t record,
                   int64_t dose)
{
    struct hl_arrival a;
    assert_true(hl_agenda_next(agenda, until, &a));
    if (a.time != time)
        fail_msg("arrival at %.17g, expected at %.17g", a.time, time);
    assert_int_equal(a.kind, kind);
    assert_int_equal(a.intake->record, record);
    assert_int_equal(a.dose, dose);
}

static void expect_nothing(struct hl_agenda *agenda, double until)
{
    struct hl_arrival a;
    assert_false(hl_agenda_next(agenda, until, &a));
}

static void a_series_comes_dose_by_dose(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(false);
    add(agenda, bolus(3, 0, 2.5), 1.7, 7.3, 2);
    expect_nothing(agenda, 1.6999);
    expect(agenda, 1.7, HL_ARRIVAL_BOLUS, 1.7, 3, 0);
    expect_nothing(agenda, 8.9);
    expect(agenda, 20, HL_ARRIVAL_BOLUS, 1.7 + 7.3, 3, 1);
    expect(agenda, 20, HL_ARRIVAL_BOLUS, 1.7 + 2 * 7.3, 3, 2);
    expect_nothing(agenda, INFINITY);
    assert_int_equal(hl_agenda_clear(agenda), 0);
    hl_agenda_free(agenda);
}

static void infusions_overlap_and_leave_nothing(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(false);
    struct hl_arrival a;
    double most = 0;
    add(agenda, infusion(0, 0, 0.1, 10.03), 0, 0.25, 4000); /* forty at a time, of a rate that has no exact double */
    add(agenda, infusion(1, 0.5, 0.7, 33.3), 3.1, 50, 3);
    for (double last = 0; hl_agenda_next(agenda, 2000, &a); last = a.time) {
        assert_true(a.time >= last);
        most = fmax(most, hl_agenda_rate(agenda, 0));
    }
    assert_true(fabs(most - (41 * 0.1 + 0.7)) < 1e-12);
    assert_true(hl_agenda_rate(agenda, 0) == 0); /* to the last bit */
    expect_nothing(agenda, INFINITY);
    hl_agenda_free(agenda);
}

static void ties_go_by_kind_and_record(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(true);
    add(agenda, infusion(0, 0, 3, 5), 0, 0, 0);
    add(agenda, bolus(1, 5, 1), 0, 0, 0);
    add(agenda, infusion(2, 2, 1.5, 4), 3, 0, 0);
    add(agenda, bolus(3, 0, 1), 5, 0, 0);
    expect(agenda, 5, HL_ARRIVAL_GIVEN, 0, 0, 0);
    expect(agenda, 5, HL_ARRIVAL_GIVEN, 0, 1, 0);
    expect(agenda, 5, HL_ARRIVAL_START, 0, 0, 0);
    expect(agenda, 5, HL_ARRIVAL_GIVEN, 3, 2, 0);
    expect(agenda, 5, HL_ARRIVAL_GIVEN, 5, 3, 0);
    expect(agenda, 5, HL_ARRIVAL_END, 5, 0, 0);
    expect(agenda, 5, HL_ARRIVAL_BOLUS, 5, 1, 0);
    expect(agenda, 5, HL_ARRIVAL_START, 5, 2, 0);
    expect(agenda, 5, HL_ARRIVAL_BOLUS, 5, 3, 0);
    expect_nothing(agenda, 8.9999);
    expect(agenda, 9, HL_ARRIVAL_END, 9, 2, 0);
    hl_agenda_free(agenda);
}

/* Rounding of t + k II must not part a dose from its record; a lag's rounding does, as in NONMEM. */
static void rounding_of_nominal_times_is_forgiven(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(false);
    assert_true(3 * 0.1 > 0.3);
    add(agenda, bolus(0, 0, 1), 0, 0.1, 4);
    expect(agenda, 0.3, HL_ARRIVAL_BOLUS, 0, 0, 0);
    expect(agenda, 0.3, HL_ARRIVAL_BOLUS, 0.1, 0, 1);
    expect(agenda, 0.3, HL_ARRIVAL_BOLUS, 0.2, 0, 2);
    expect(agenda, 0.3, HL_ARRIVAL_BOLUS, 0.3, 0, 3);
    expect_nothing(agenda, 0.3);
    expect(agenda, 0.4, HL_ARRIVAL_BOLUS, 0.4, 0, 4); /* never twice */
    double late = 7.9 + 0.3;
    assert_true(late > 8.2);
    add(agenda, bolus(1, 0.3, 1), 7.9, 0, 0);
    expect_nothing(agenda, 8.2);
    expect(agenda, late, HL_ARRIVAL_BOLUS, late, 1, 0);
    /* the lagged one, earlier by a hair, doesn't hide the other */
    add(agenda, bolus(2, 0.05, 1), 0.95 + 2e-13, 0, 0);
    add(agenda, bolus(3, 0, 1), 0.1, 0.1, 9);
    for (int64_t k = 0; k < 9; k++)
        expect(agenda, 0.95, HL_ARRIVAL_BOLUS, 0.1 + (double)k * 0.1, 3, k);
    add(agenda, bolus(4, 0, 1), 1 + 5e-13, 0, 0);
    expect(agenda, 1, HL_ARRIVAL_BOLUS, 1, 3, 9);
    expect(agenda, 1, HL_ARRIVAL_BOLUS, 1, 4, 0);
    expect_nothing(agenda, 1);
    hl_agenda_free(agenda);
}

static void resets_forget_and_count(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(true);
    add(agenda, bolus(0, 0, 1), 0, 2, 9);       /* five arrive */
    add(agenda, infusion(1, 0, 1, 7), 0, 3, 4); /* four start, one ends, one to come */
    struct hl_arrival a;
    while (hl_agenda_next(agenda, 9, &a))
        ;
    assert_true(hl_agenda_rate(agenda, 0) == 3);
    assert_int_equal(hl_agenda_clear(agenda), 5 + 3 + 1);
    assert_true(hl_agenda_rate(agenda, 0) == 0);
    expect_nothing(agenda, INFINITY);
    hl_agenda_free(agenda);
}

static void stopping_keeps_what_is_to_come(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(false);
    struct hl_intake other = infusion(1, 0, 5, 100);
    other.state = 4;
    add(agenda, infusion(0, 0, 2, 9), 0, 6, 2);
    add(agenda, other, 0, 0, 0);
    struct hl_arrival a;
    while (hl_agenda_next(agenda, 7, &a))
        ;
    assert_true(hl_agenda_rate(agenda, 0) == 4);
    assert_int_equal(hl_agenda_stop(agenda, 0), 2);
    assert_true(hl_agenda_rate(agenda, 0) == 0);
    assert_true(hl_agenda_rate(agenda, 4) == 5);
    assert_int_equal(hl_agenda_stop(agenda, 0), 0);
    expect(agenda, 90, HL_ARRIVAL_START, 12, 0, 2);
    expect(agenda, 90, HL_ARRIVAL_END, 21, 0, 2);
    expect(agenda, 100, HL_ARRIVAL_END, 100, 1, 0);
    hl_agenda_free(agenda);
}

/* Every case of lag and duration against interval, told by listing the doses of the past one by one. */
static void waves_are_what_a_long_past_leaves(void **state)
{
    (void)state;
    uint64_t seed = 20240331;
    for (uint64_t n = 0; n < 4000; n++) {
        double interval = 0.5 + 12 * hl_random_uniform(seed, n, 1, 0), time = 100 * hl_random_uniform(seed, n, 1, 3);
        double lag = 3 * interval * hl_random_uniform(seed, n, 1, 1);
        double duration = 4 * interval * hl_random_uniform(seed, n, 1, 2);
        if (n % 5 == 0)
            lag = (double)(n % 4) * interval;
        struct hl_intake x = n % 3 ? infusion(0, lag, 1, duration) : bolus(0, lag, 1);
        struct hl_wave wave = hl_intake_wave(&x, time, interval);
        int64_t first = 1, running = 0;
        for (int64_t k = 0; k > -200; k--) {
            double arrival = time + (double)k * interval + lag;
            first = arrival >= time ? k : first;
            running += arrival < time && arrival + x.duration > time + 1e-9;
        }
        assert_int_equal(wave.first, first);
        if (fabs(remainder(wave.offset + x.duration, interval)) > 1e-9)
            assert_int_equal(wave.running, running);
        assert_true(fabs(wave.offset - ((double)first * interval + lag)) < 1e-12 * interval + 1e-13);
    }
}

static void a_steady_series_has_a_past(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(false);
    add_steady(agenda, infusion(0, 0, 2, 50), 100, 12, 1); /* 50 h every 12 h: four of the past still run */
    assert_true(hl_agenda_rate(agenda, 0) == 8);
    expect(agenda, 200, HL_ARRIVAL_START, 100, 0, 0);
    expect(agenda, 200, HL_ARRIVAL_END, 102, 0, -4);
    expect(agenda, 200, HL_ARRIVAL_START, 112, 0, 1);
    expect(agenda, 200, HL_ARRIVAL_END, 114, 0, -3);
    expect(agenda, 200, HL_ARRIVAL_END, 126, 0, -2);
    expect(agenda, 200, HL_ARRIVAL_END, 138, 0, -1);
    expect(agenda, 200, HL_ARRIVAL_END, 150, 0, 0);
    expect(agenda, 200, HL_ARRIVAL_END, 162, 0, 1);
    expect_nothing(agenda, INFINITY);
    add_steady(agenda, bolus(1, 31, 1), 10, 12, 0); /* three are on their way */
    expect(agenda, 200, HL_ARRIVAL_BOLUS, 17, 1, -2);
    expect(agenda, 200, HL_ARRIVAL_BOLUS, 29, 1, -1);
    expect(agenda, 200, HL_ARRIVAL_BOLUS, 41, 1, 0);
    expect_nothing(agenda, INFINITY);
    hl_agenda_free(agenda);
}

/* A billion additional doses take no more memory than one. */
static void memory_does_not_grow_with_ADDL(void **state)
{
    (void)state;
    struct hl_agenda *agenda = hl_agenda_create(false);
    struct hl_arrival a;
    add(agenda, bolus(0, 0, 1), 0, 1, 1000000000);
    add(agenda, infusion(1, 0, 1, 1e6), 0, 1, UINT64_MAX);
    hl_memory_fail_after(1); /* nothing more is asked for */
    for (int k = 0; k < 100000; k++)
        assert_true(hl_agenda_next(agenda, INFINITY, &a));
    hl_memory_fail_after(0);
    assert_true(hl_agenda_rate(agenda, 0) == 50000);
    assert_true(hl_agenda_clear(agenda) > 1000000000);
    hl_agenda_free(agenda);
}

/* Many series at once, added and used up in a random order: each of their moments comes once, in order of time. */
static void crowds_stay_in_order(void **state)
{
    (void)state;
    uint64_t seed = 711, draw = 0, added = 0, arrived = 0;
    struct hl_agenda *agenda = hl_agenda_create(true);
    struct hl_arrival a;
    double last = 0;
    for (double t = 0; t < 500; t += 1) {
        for (int k = 0; k < 3; k++) {
            uint64_t more = (uint64_t)(4 * hl_random_uniform(seed, 1, 1, draw++));
            double lag = 9 * hl_random_uniform(seed, 1, 1, draw++), length = 20 * hl_random_uniform(seed, 1, 1, draw++);
            add(agenda, k ? infusion(draw, lag, 1, length) : bolus(draw, lag, 1), t, 3.7, more);
            added += (k ? 3 : 2) * (more + 1);
        }
        for (; hl_agenda_next(agenda, t, &a); arrived++, last = a.time)
            assert_true(a.time >= last || a.time >= t - 1);
    }
    for (; hl_agenda_next(agenda, INFINITY, &a); arrived++)
        ;
    assert_int_equal(arrived, added);
    assert_true(hl_agenda_rate(agenda, 0) == 0);
    hl_agenda_free(agenda);
}

static void want_of_memory_is_told(void **state)
{
    (void)state;
    struct hl_intake x = bolus(0, 0, 1);
    for (size_t n = 1; n <= 4; n++) {
        hl_memory_fail_after(n);
        struct hl_agenda *agenda = hl_agenda_create(false);
        if (n == 1) {
            assert_null(agenda);
        } else {
            assert_int_equal(hl_agenda_add(agenda, &x, 0, 1, 1, true), HL_ERR_MEMORY);
            hl_memory_fail_after(0);
            assert_int_equal(hl_agenda_add(agenda, &x, 0, 1, 1, true), HL_OK);
        }
        hl_memory_fail_after(0);
        hl_agenda_free(agenda);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_comes_dose_by_dose),
        cmocka_unit_test(infusions_overlap_and_leave_nothing),
        cmocka_unit_test(ties_go_by_kind_and_record),
        cmocka_unit_test(rounding_of_nominal_times_is_forgiven),
        cmocka_unit_test(resets_forget_and_count),
        cmocka_unit_test(stopping_keeps_what_is_to_come),
        cmocka_unit_test(waves_are_what_a_long_past_leaves),
        cmocka_unit_test(a_steady_series_has_a_past),
        cmocka_unit_test(memory_does_not_grow_with_ADDL),
        cmocka_unit_test(crowds_stay_in_order),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
