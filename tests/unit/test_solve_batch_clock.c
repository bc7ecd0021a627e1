/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The slowed clock of the batched integrator: against expm1 and log1p, and how well its series tells the time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "solve/batch_clock.h"

static uint64_t state;

static double uniform(void) /* 0 to 1 */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

static void the_clock_shows_what_it_should(void **unused)
{
    (void)unused;
    const char *text = getenv("HL_SEED");
    state = text ? strtoull(text, NULL, 10) : 20261122u;
    printf("clocks: HL_SEED=%llu\n", (unsigned long long)state);
    for (int n = 0; n < 20000; n++) {
        double mu = exp(30 * (uniform() - 0.7)), s = HL_CLOCK_FARTHEST * uniform() / mu;
        double x = hl_clock_x(s, mu), truth = -expm1(-mu * s) / mu, back = hl_clock_s(x, mu);
        if (!(fabs(x / truth - 1) < 8e-16))
            fail_msg("mu %.17g, s %.17g: %.17g instead of %.17g", mu, s, x, truth);
        if (!(fabs(back / s - 1) < 4e-15))
            fail_msg("mu %.17g, s %.17g: told as %.17g", mu, s, back);
        assert_true(hl_clock_x(s, 0) == s && hl_clock_s(s, 0) == s); /* a clock that isn't slowed: the very bits */
    }
}

/* x + x^2 / 2 + ... to the order, of mu s for mu x: off by the tolerance at most, and by no tenth of it. */
static void its_series_tells_the_time_to_the_tolerance(void **unused)
{
    (void)unused;
    static const double tolerance[] = {2e-4, 2.385e-6, 2e-7, 2e-9, 7e-12};
    for (size_t order = 11; order <= 31; order += 4)
        for (size_t i = 0; i < sizeof tolerance / sizeof *tolerance; i++) {
            double bend = hl_clock_most_bend(order, tolerance[i]), w = -expm1(-bend), sum = 0;
            for (size_t k = order; k > 0; k--)
                sum = (sum + 1 / (double)k) * w;
            double error = 1 - sum / bend;
            assert_true(bend <= HL_CLOCK_FARTHEST && error < 1.2 * tolerance[i]);
            assert_true(error > 0.1 * tolerance[i] || bend > 0.99 * HL_CLOCK_FARTHEST);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_shows_what_it_should),
        cmocka_unit_test(its_series_tells_the_time_to_the_tolerance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
