/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponentials over lanes against the C library in long double: their stated errors, their ends, and that a lane's
 * result doesn't depend on its neighbours. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/vector.h"

#define N 4096

static double uniform(uint64_t i, uint64_t stream)
{
    return hl_random_uniform(20261122, i, stream, 0);
}

/* In units of the last place of the exact value. */
static double ulps(double value, long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    return (double)(fabsl((long double)value - exact) / ldexpl(1, exponent - DBL_MANT_DIG));
}

static void exponentials_are_right(void **state)
{
    (void)state;
    static double x[N], y[N];
    double worst = 0;
    for (uint64_t round = 0; round < 16; round++) {
        for (size_t i = 0; i < N; i++)
            x[i] = round < 4 ? 1416 * (uniform(i, round) - 0.5) : -pow(10, 9 * uniform(i, round) - 6);
        hl_vector_exp(x, y, N);
        for (size_t i = 0; i < N; i++)
            if (x[i] > -708 && x[i] < 709)
                worst = fmax(worst, ulps(y[i], expl(x[i])));
            else
                assert_true(x[i] > 0 ? isinf(y[i]) : y[i] == 0);
    }
    assert_true(worst < 1);
}

/* Whoever needs no gains may leave them out. */
static void steps_are_exponentials(void **state)
{
    (void)state;
    static double lambda[N], dt[N], x[N], E[N], phi[N], y[N];
    for (size_t i = 0; i < N; i++) {
        lambda[i] = 3 * uniform(i, 300) - 2.9;
        dt[i] = pow(10, 6 * uniform(i, 301) - 3);
        x[i] = lambda[i] * dt[i];
    }
    hl_vector_step(lambda, dt, E, phi, N);
    hl_vector_exp(x, y, N);
    assert_memory_equal(E, y, sizeof E);
}

static void exponentials_have_ends(void **state)
{
    (void)state;
    double x[8] = {0, -0.0, -INFINITY, INFINITY, NAN, -1e300, 709.5, -708.5}, y[8];
    hl_vector_exp(x, y, 8);
    assert_true(y[0] == 1 && y[1] == 1 && y[2] == 0 && isinf(y[3]) && isnan(y[4]) && y[5] == 0 && isinf(y[6])
                && y[7] == 0);
}

static void steps_are_right(void **state)
{
    (void)state;
    static double lambda[N], dt[N], E[N], phi[N];
    double worst_E = 0, worst_phi = 0;
    for (uint64_t round = 0; round < 16; round++) {
        for (size_t i = 0; i < N; i++) {
            lambda[i] = -pow(10, 8 * uniform(i, 100 + round) - 5);
            dt[i] = pow(10, 6 * uniform(i, 200 + round) - 4);
        }
        hl_vector_step(lambda, dt, E, phi, N);
        for (size_t i = 0; i < N; i++) {
            double x = lambda[i] * dt[i];
            if (x < -708)
                continue;
            worst_E = fmax(worst_E, ulps(E[i], expl(x)));
            worst_phi = fmax(worst_phi, ulps(phi[i], expm1l(x) / lambda[i]));
        }
    }
    assert_true(worst_E < 1);
    assert_true(worst_phi < 3);
}

static void steps_have_ends(void **state)
{
    (void)state;
    double lambda[8] = {0, -2.385, -1e5, 0.37, -2.385, 0, -1e-300, 3}, dt[8] = {4.7, 0, 1e3, 2, 1e-300, 0, 5, 0.5};
    double E[8], phi[8];
    hl_vector_step(lambda, dt, E, phi, 8);
    assert_true(E[0] == 1 && phi[0] == 4.7);                  /* a mode that stands still */
    assert_true(E[1] == 1 && phi[1] == 0);                    /* no step at all */
    assert_true(E[2] == 0 && fabs(phi[2] - 1e-5) < 1e-20);    /* long gone: the input alone is left */
    assert_true(fabs(E[3] - exp(0.74)) < 1e-15 && fabs(phi[3] - expm1(0.74) / 0.37) < 2e-15);
    assert_true(E[4] == 1 && fabs(phi[4] - 1e-300) < 1e-315);
    assert_true(E[5] == 1 && phi[5] == 0);
    assert_true(fabs(phi[6] - 5) < 1e-15);
    assert_true(fabs(E[7] - exp(1.5)) < 2e-15);
}

static void neighbours_don_t_matter(void **state)
{
    (void)state;
    double x[64], y[64], z[8];
    for (size_t i = 0; i < 64; i++)
        x[i] = -30 * uniform(i, 7);
    hl_vector_exp(x, y, 64);
    for (size_t i = 0; i < 64; i += 8) {
        double turned[8];
        for (size_t k = 0; k < 8; k++)
            turned[k] = x[i + 7 - k];
        hl_vector_exp(turned, z, 8);
        for (size_t k = 0; k < 8; k++)
            assert_memory_equal(&z[k], &y[i + 7 - k], sizeof *z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponentials_are_right), cmocka_unit_test(exponentials_have_ends),
        cmocka_unit_test(steps_are_right),        cmocka_unit_test(steps_have_ends),
        cmocka_unit_test(steps_are_exponentials), cmocka_unit_test(neighbours_don_t_matter),
    };
    return cmocka_run_group_tests_name("base_vector", tests, NULL, NULL);
}
