/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics against closed forms. The solution is played by functions of time known in closed form: output 0 is a Bateman
 * function (one-compartment oral dose), output 1 a damped wave with many humps, output 2 a plain exponential. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "measure/measure.h"
#include "measure/tally.h"

#define KA 1.385
#define KE 0.0713
#define DOSE 2.385
#define OMEGA 0.731
#define DAMP 0.0113
#define N_OUTPUTS 3

static double bateman(double t)
{
    return DOSE * KA / (KA - KE) * (exp(-KE * t) - exp(-KA * t));
}

static double bateman_slope(double t)
{
    return DOSE * KA / (KA - KE) * (KA * exp(-KA * t) - KE * exp(-KE * t));
}

static double bateman_area(double t)
{
    return DOSE * KA / (KA - KE) * ((1 - exp(-KE * t)) / KE - (1 - exp(-KA * t)) / KA);
}

static double wave(double t)
{
    return 1.5 + exp(-DAMP * t) * sin(OMEGA * t);
}

/* The solver's side of the contract, played by the closed forms above. */
void hl_segment_values(const struct hl_segment *segment, double t, double *y, double *dydt)
{
    (void)segment;
    y[0] = bateman(t);
    y[1] = wave(t);
    y[2] = 3.1 * exp(-KE * t);
    if (!dydt)
        return;
    dydt[0] = bateman_slope(t);
    dydt[1] = exp(-DAMP * t) * (OMEGA * cos(OMEGA * t) - DAMP * sin(OMEGA * t));
    dydt[2] = -KE * y[2];
}

double hl_segment_integral(const struct hl_segment *segment, size_t output, double a, double b)
{
    (void)segment;
    if (output == 0)
        return bateman_area(b) - bateman_area(a);
    return output == 2 ? 3.1 / KE * (exp(-KE * a) - exp(-KE * b)) : (double)NAN;
}

/* One metric over segments that start and end at the given times. */
struct play { struct hl_tally tally; struct hl_metric_spec spec; struct hl_curve_room cutting, metrics; };

static void on_piece(void *context, const struct hl_piece *piece)
{
    struct play *p = context;
    struct hl_tally_context c = {&p->spec, &p->metrics};
    hl_metric_kind_info(p->spec.kind)->piece(&p->tally, &c, piece);
}

static double play(struct hl_metric_spec spec, const double *edge, size_t n)
{
    struct play p = {.spec = spec};
    unsigned char watched[N_OUTPUTS] = {0};
    double scale[N_OUTPUTS] = {0};
    assert_int_equal(hl_curve_room_init(&p.cutting, N_OUTPUTS), HL_OK);
    assert_int_equal(hl_curve_room_init(&p.metrics, N_OUTPUTS), HL_OK);
    for (int k = 0; k < spec.n_of; k++)
        watched[spec.of[k]] = 1;
    double y[N_OUTPUTS], dy[N_OUTPUTS];
    struct hl_node left = {NAN, y, dy};
    hl_tally_begin(&p.tally);
    for (size_t i = 0; i + 1 < n; i++) {
        struct hl_segment segment = {.t0 = edge[i], .t1 = edge[i + 1], .n_outputs = N_OUTPUTS};
        hl_curve_cut(&segment, edge[i], edge[i + 1], watched, scale, &left, &p.cutting, on_piece, &p);
    }
    double value = hl_metric_kind_info(spec.kind)->value(&p.tally, edge[0], edge[n - 1]);
    hl_tally_clear(&p.tally);
    hl_curve_room_clear(&p.cutting);
    hl_curve_room_clear(&p.metrics);
    return value;
}

static struct hl_metric_spec metric(enum hl_metric_kind kind, int output, double theta)
{
    return (struct hl_metric_spec){.kind = kind, .n_of = 1, .of = {output}, .has_threshold = true, .threshold = {theta}};
}

static void assert_near(const char *what, double found, double expected, double relative)
{
    if (!(fabs(found - expected) <= relative * fabs(expected)))
        fail_msg("%s: found %.17g, expected %.17g, tolerance %g", what, found, expected, relative);
}

static const double whole[] = {0, 71.3};

static void peak_between_ends_is_found(void **state)
{
    (void)state;
    double tmax = log(KA / KE) / (KA - KE);
    assert_near("Tmax", play(metric(HL_TMAX, 0, 0), whole, 2), tmax, 1e-9);
    assert_near("Cmax", play(metric(HL_CMAX, 0, 0), whole, 2), bateman(tmax), 1e-13);
    assert_near("Cmin", play(metric(HL_CMIN, 2, 0), whole, 2), 3.1 * exp(-KE * 71.3), 1e-13);
    assert_near("Tmin", play(metric(HL_TMIN, 2, 0), whole, 2), 71.3, 1e-15);
}

static void sharp_peak_in_a_long_stretch_is_found(void **state)
{
    (void)state;
    const double year[] = {0, 8760};
    double tmax = log(KA / KE) / (KA - KE);
    assert_near("Tmax", play(metric(HL_TMAX, 0, 0), year, 2), tmax, 1e-9);
}

static void highest_of_many_humps_wins(void **state)
{
    (void)state;
    double first = atan2(OMEGA, DAMP) / OMEGA; /* of exp(-d t) sin(w t) */
    assert_near("Tmax", play(metric(HL_TMAX, 1, 0), whole, 2), first, 1e-9);
    assert_near("Cmin", play(metric(HL_CMIN, 1, 0), whole, 2), wave(first + M_PI / OMEGA), 1e-12);
}

static void areas_are_exact(void **state)
{
    (void)state;
    const double three[] = {0, 1.37, 20.2, 71.3};
    assert_near("AUC", play(metric(HL_AUC, 0, 0), three, 4), bateman_area(71.3), 1e-14);
    assert_near("Cavg", play(metric(HL_CAVG, 2, 0), three, 4), 3.1 / KE * (1 - exp(-KE * 71.3)) / 71.3, 1e-14);
}

/* sin(w t) > 0 in [0, pi/w], [2pi/w, 3pi/w] ...: with the damping the zeros stay where they are. */
static void spells_above_are_located(void **state)
{
    (void)state;
    const double cuts[] = {0, 2.9, 17.7, 40.0, 71.3};
    double half = M_PI / OMEGA, whole_waves = floor(71.3 / (2 * half)), rest = 71.3 - whole_waves * 2 * half;
    double hours = whole_waves * half + fmin(rest, half);
    assert_near("hours above", play(metric(HL_HOURS_ABOVE, 1, 1.5), cuts, 5), hours, 1e-9);
    assert_near("hours below", play(metric(HL_HOURS_BELOW, 1, 1.5), cuts, 5), 71.3 - hours, 1e-9);
    assert_near("longest spell", play(metric(HL_LONGEST_SPELL, 1, 1.5), cuts, 5), half, 1e-9);
    assert_near("share above", play(metric(HL_FRACTION_ABOVE, 1, 1.5), cuts, 5), hours / 71.3, 1e-9);
    assert_true(play(metric(HL_FIRST_TIME, 1, 1.5), cuts, 5) < 1e-9);
}

static void never_above_is_nan_and_zero(void **state)
{
    (void)state;
    assert_true(isnan(play(metric(HL_FIRST_TIME, 2, 4.0), whole, 2)));
    assert_true(play(metric(HL_HOURS_ABOVE, 2, 4.0), whole, 2) == 0);
    assert_true(play(metric(HL_LONGEST_SPELL, 2, 4.0), whole, 2) == 0);
}

/* Output 0 above 1.1 from t1 to t2, output 2 above 2.2 until t3 = ln(3.1/2.2)/KE. */
static void both_above_is_where_they_meet(void **state)
{
    (void)state;
    struct hl_metric_spec spec = {.kind = HL_HOURS_BOTH_ABOVE, .n_of = 2, .of = {0, 2}, .has_threshold = true,
                                  .threshold = {1.1, 2.2}};
    double low = 0, high = log(KA / KE) / (KA - KE), end = log(3.1 / 2.2) / KE;
    for (int i = 0; i < 200; i++) {
        double middle = 0.5 * (low + high);
        if (bateman(middle) < 1.1)
            low = middle;
        else
            high = middle;
    }
    assert_near("hours both above", play(spec, whole, 2), end - low, 1e-9);
    spec.kind = HL_OVERLAP_AREA;
    double sum = 0;
    size_t n = 2000000;
    for (size_t i = 0; i < n; i++) { /* midpoint rule, error about 1e-12 */
        double t = low + (end - low) * ((double)i + 0.5) / (double)n;
        sum += fmin(bateman(t) / 1.1, 3.1 * exp(-KE * t) / 2.2) - 1;
    }
    assert_near("overlap area", play(spec, whole, 2), sum * (end - low) / (double)n, 1e-5);
}

static void quantiles_are_type_seven(void **state)
{
    (void)state;
    /* R: quantile(c(2.385, -1.5, 7.25, 0.125, 3.75), c(0, .05, .25, .5, .9, 1), type = 7) */
    double x[] = {2.385, -1.5, NAN, 7.25, 0.125, 3.75}, q[6];
    const double p[] = {0, 0.05, 0.25, 0.5, 0.9, 1}, expected[] = {-1.5, -1.175, 0.125, 2.385, 5.85, 7.25};
    hl_quantiles(x, 6, p, 6, q);
    for (size_t i = 0; i < 6; i++)
        assert_near("quantile", q[i], expected[i], 1e-14);
    double none[] = {NAN, NAN};
    hl_quantiles(none, 2, p, 6, q);
    assert_true(isnan(q[3]));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Against sorting, for lengths around every branch of the selection, with many equal values, sorted and reversed. */
static void quantiles_agree_with_sorting(void **state)
{
    (void)state;
    const double p[] = {0.05, 0.25, 0.5, 0.501, 0.75, 0.95, 1, 0};
    static double x[5000], sorted[5000];
    double q[8];
    uint64_t word = 88172645463325252u;
    for (size_t n = 1; n < 5000; n = n < 40 ? n + 1 : n * 3 / 2)
        for (int kind = 0; kind < 7; kind++) { /* 4: widely spread; 5: a few far outliers; 6: infinite ones too */
            for (size_t i = 0; i < n; i++) {
                word ^= word << 13, word ^= word >> 7, word ^= word << 17;
                double u = (double)(word >> 11) * 0x1p-53;
                x[i] = kind == 0 ? u : kind == 1 ? floor(7 * u) : kind == 2 ? (double)i : -(double)i;
                if (kind == 4)
                    x[i] = exp(1400 * u - 700);
                if (kind == 5)
                    x[i] = u < 0.01 ? 1e300 * u : u;
                if (kind == 6)
                    x[i] = u < 0.03 ? -(double)INFINITY : u > 0.96 ? (double)INFINITY : u;
            }
            memcpy(sorted, x, n * sizeof *x);
            qsort(sorted, n, sizeof *sorted, ascending);
            hl_quantiles(x, n, p, 8, q);
            for (size_t k = 0; k < 8; k++) {
                double h = (double)(n - 1) * p[k];
                size_t below = (size_t)floor(h), above = below + 1 < n ? below + 1 : n - 1;
                double expected = sorted[below] + (h - (double)below) * (sorted[above] - sorted[below]);
                expected = below + 1 < n ? expected : sorted[n - 1];
                assert_true(q[k] == expected || (isnan(q[k]) && isnan(expected))); /* between infinities: NaN */
            }
        }
}

/* Taking many quantiles at once gives what taking each alone gives. */
static void many_quantiles_agree_with_single_ones(void **state)
{
    (void)state;
    enum { N = 1731, MANY = 200 };
    static double x[N], y[N];
    double p[MANY], q[MANY], one;
    for (size_t i = 0; i < MANY; i++)
        p[i] = (double)((i * 37) % MANY) / (MANY - 1);
    for (size_t count = 3; count <= MANY; count += 61) { /* below and above what is taken in one pass */
        for (size_t i = 0; i < N; i++)
            x[i] = i % 11 == 5 ? (double)NAN : sin(2.385 * (double)i) * exp(0.003 * (double)i);
        memcpy(y, x, sizeof y);
        hl_quantiles(y, N, p, count, q);
        for (size_t i = 0; i < count; i++) {
            memcpy(y, x, sizeof y);
            hl_quantiles(y, N, p + i, 1, &one);
            assert_memory_equal(&one, &q[i], sizeof one);
        }
    }
}

static void moments_of_times_agree_with_single_ones(void **state)
{
    (void)state;
    enum { N = 517 };
    static double rows[N * HL_TIMES], column[N];
    double mean[HL_TIMES], sd[HL_TIMES], m, s;
    int count[HL_TIMES], c;
    for (size_t i = 0; i < N * HL_TIMES; i++)
        rows[i] = i % HL_TIMES == 3 || i % 7 == 4 || (i % HL_TIMES == 6 && i > 6) ? (double)NAN
                                                                              : exp(sin(1.7 * (double)i)) - 1.1;
    hl_times_moments(rows, N, mean, sd, count);
    for (size_t t = 0; t < HL_TIMES; t++) { /* time 3: nobody; time 6: one subject */
        hl_times_column(rows, N, t, column);
        hl_cohort_moments(column, N, &m, &s, &c);
        assert_int_equal(count[t], c);
        assert_int_equal(c == 0, t == 3);
        assert_int_equal(c == 1, t == 6);
        assert_memory_equal(&m, &mean[t], sizeof m);
        assert_memory_equal(&s, &sd[t], sizeof s);
    }
}

static void moments_leave_nan_out(void **state)
{
    (void)state;
    const double x[] = {2.385, NAN, 7.25, 0.125};
    double mean, sd, m = (2.385 + 7.25 + 0.125) / 3;
    int count;
    hl_cohort_moments(x, 4, &mean, &sd, &count);
    assert_int_equal(count, 3);
    assert_near("mean", mean, m, 1e-15);
    assert_near("sd", sd, sqrt(((2.385 - m) * (2.385 - m) + (7.25 - m) * (7.25 - m) + (0.125 - m) * (0.125 - m)) / 2), 1e-15);
    assert_near("fraction", hl_cohort_fraction_above(x, 4, 2.0), 2.0 / 3, 1e-15);
    hl_cohort_moments(x + 1, 1, &mean, &sd, &count);
    assert_true(count == 0 && isnan(mean) && isnan(sd));
    assert_true(isnan(hl_cohort_fraction_above(x + 1, 1, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peak_between_ends_is_found), cmocka_unit_test(sharp_peak_in_a_long_stretch_is_found),
        cmocka_unit_test(highest_of_many_humps_wins), cmocka_unit_test(areas_are_exact),
        cmocka_unit_test(spells_above_are_located),   cmocka_unit_test(never_above_is_nan_and_zero),
        cmocka_unit_test(both_above_is_where_they_meet), cmocka_unit_test(quantiles_are_type_seven),
        cmocka_unit_test(quantiles_agree_with_sorting),
        cmocka_unit_test(many_quantiles_agree_with_single_ones),
        cmocka_unit_test(moments_of_times_agree_with_single_ones), cmocka_unit_test(moments_leave_nan_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
