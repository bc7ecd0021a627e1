/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantiles of streams against sorting, bit for bit: with room for all and with the room that is planned, for many
 * kinds of values and orders. What can't be found in an order that misleads must be said, never guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "measure/measure.h"
#include "measure/ranks.h"

#define MOST 40000
#define N_PROBABILITIES 9

static const double probability[N_PROBABILITIES] = {0, 0.001, 0.025, 0.25, 0.4, 0.5, 0.77, 0.975, 1};
static uint64_t word;

static double uniform(void)
{
    word ^= word << 13, word ^= word >> 7, word ^= word << 17;
    return (double)(word >> 11) * 0x1p-53;
}

enum { UNIFORM, WIDE, WHOLE, CONSTANT, HALF_ZERO, EDGE_ZERO, FAILED, INFINITE, SIGNED_ZERO, N_KINDS };

static double value_of(int kind)
{
    double u = uniform(), v = uniform();
    switch (kind) {
    case WIDE: return exp(1400 * u - 700);
    case WHOLE: return floor(7 * u);
    case CONSTANT: return 0.73;
    case HALF_ZERO: return u < 0.5 ? 0 : v;
    case EDGE_ZERO: return u < 0.4 ? 0 : u < 0.47 ? 1 : 2 + v; /* masses that end about a wanted quantile */
    case FAILED: return u < 0.31 ? (double)NAN : v;
    case INFINITE: return u < 0.03 ? -(double)INFINITY : u > 0.96 ? (double)INFINITY : v;
    case SIGNED_ZERO: return u < 0.3 ? -0.0 : u < 0.6 ? 0.0 : v - 0.5;
    default: return u;
    }
}

/* n values in portions, the last filled with NaN. */
static bool stream(const double *x, size_t n, size_t capacity, double *q)
{
    double piece[HL_PIECE];
    static double scratch[MOST + HL_PIECE];
    struct hl_ranks *r = hl_ranks_create(1, n, capacity, probability, N_PROBABILITIES);
    assert_non_null(r);
    assert_true(hl_ranks_scratch(r) <= MOST + HL_PIECE);
    for (size_t i = 0; i < n; i += HL_PIECE) {
        size_t numbers = 0;
        for (size_t k = 0; k < HL_PIECE; k++) {
            piece[k] = i + k < n ? x[i + k] : (double)NAN;
            numbers += isnan(piece[k]) ? 0 : 1;
        }
        hl_ranks_add(r, 0, piece, numbers, scratch);
    }
    bool found = hl_ranks_quantiles(r, 0, q);
    hl_ranks_free(r);
    return found;
}

static void expect(const double *x, size_t n, const double *q, const char *what, int kind)
{
    static double copy[MOST];
    double expected[N_PROBABILITIES];
    memcpy(copy, x, n * sizeof *x);
    hl_quantiles(copy, n, probability, N_PROBABILITIES, expected);
    for (size_t i = 0; i < N_PROBABILITIES; i++)
        if (memcmp(&q[i], &expected[i], sizeof *q) != 0 && !(isnan(q[i]) && isnan(expected[i])))
            fail_msg("%s, kind %d, n %zu: quantile %g is %a, expected %a", what, kind, n, probability[i], q[i],
                     expected[i]);
}

static void streams_agree_with_sorting(void **state)
{
    (void)state;
    static double x[MOST];
    double q[N_PROBABILITIES];
    for (size_t n = 1; n <= MOST; n = n < 10 ? n + 3 : n * 5 / 2)
        for (int kind = 0; kind < N_KINDS; kind++) {
            for (size_t i = 0; i < n; i++)
                x[i] = value_of(kind);
            assert_true(stream(x, n, n, q));
            expect(x, n, q, "all kept", kind);
            size_t capacity = hl_ranks_capacity(n, probability, N_PROBABILITIES);
            if (stream(x, n, capacity, q))
                expect(x, n, q, "planned room", kind);
            else if (kind != WHOLE && kind != EDGE_ZERO && kind != INFINITE && kind != SIGNED_ZERO)
                fail_msg("kind %d, n %zu: not found", kind, n);
        }
}

/* Values that ascend, and a small value after many large ones: found right or not at all. */
static void a_misleading_order_is_noticed(void **state)
{
    (void)state;
    static double x[MOST];
    double q[N_PROBABILITIES];
    size_t capacity = hl_ranks_capacity(MOST, probability, N_PROBABILITIES), missed = 0;
    assert_true(capacity < MOST / 4);
    for (int way = 0; way < 4; way++) {
        for (size_t i = 0; i < MOST; i++)
            x[i] = way == 0 ? (double)i : way == 1 ? -(double)i : way == 2 ? fabs((double)i - MOST / 2)
                                                                           : (i < MOST / 2 ? uniform() : 2 + uniform());
        if (stream(x, MOST, capacity, q))
            expect(x, MOST, q, "misleading", way);
        else
            missed++;
        assert_true(stream(x, MOST, MOST, q));
        expect(x, MOST, q, "misleading, all kept", way);
    }
    assert_true(missed >= 3);
}

/* 0.5 sqrt(n p (1 - p)) times twelve for the median, and half as much again. */
static void room_grows_with_the_root(void **state)
{
    (void)state;
    const double median = 0.5;
    size_t small = hl_ranks_capacity(1000000, &median, 1), large = hl_ranks_capacity(100000000, &median, 1);
    assert_true(small > 4500 && small < 5300);
    assert_true(large > 45000 && large < 46000);
    assert_int_equal(hl_ranks_capacity(100, &median, 1), 100);
    assert_int_equal(hl_ranks_capacity(100, &median, 0), 0);
}

int main(void)
{
    const char *seed = getenv("HL_SEED");
    word = seed ? strtoull(seed, NULL, 10) * 2654435761u + 1 : 88172645463325252u;
    printf("HL_SEED=%s\n", seed ? seed : "(fixed)");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_agree_with_sorting),
        cmocka_unit_test(a_misleading_order_is_noticed),
        cmocka_unit_test(room_grows_with_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
