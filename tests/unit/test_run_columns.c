/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries across a cohort against brute force: quantiles bit for bit against sorting, counts exactly, mean and
 * deviation against sums in long double; for few subjects and many, blocks of any size, batches of any length, and
 * columns with ties, NaN, infinities, denormal numbers and one value only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "measure/ranks.h"
#include "run_columns.h"

#define MOST 4000
#define N_TIMES 13
#define N_OUTPUTS 2
#define N_COLUMNS (N_OUTPUTS * N_TIMES)

enum { UNIFORM, WIDE, WHOLE, CONSTANT, ZERO, MOSTLY_ZERO, SOME_NAN, ALL_NAN, INFINITE, DENORMAL, LARGE_MEAN,
       SIGNED_ZERO, ASCENDING, N_KINDS };

static uint64_t word;
static double quantile[] = {0, 0.05, 0.5, 0.93, 1};
#define N_QUANTILES (sizeof quantile / sizeof *quantile)
static double value[N_COLUMNS][MOST];
static uint32_t listed[N_COLUMNS];

static double uniform(void)
{
    word ^= word << 13, word ^= word >> 7, word ^= word << 17;
    return (double)(word >> 11) * 0x1p-53;
}

static double value_of(int kind, size_t i)
{
    double u = uniform(), v = uniform();
    switch (kind) {
    case WIDE: return exp(690 * u - 345);
    case WHOLE: return floor(7 * u);
    case CONSTANT: return 0.73;
    case ZERO: return 0;
    case MOSTLY_ZERO: return u < 0.8 ? 0 : v;
    case SOME_NAN: return u < 0.31 ? (double)NAN : v;
    case ALL_NAN: return (double)NAN;
    case INFINITE: return u < 0.03 ? -(double)INFINITY : u > 0.96 ? (double)INFINITY : v;
    case DENORMAL: return ldexp(u, -1060);
    case LARGE_MEAN: return 1e6 + u;
    case SIGNED_ZERO: return u < 0.3 ? -0.0 : u < 0.6 ? 0.0 : v - 0.5;
    case ASCENDING: return (double)i + u; /* the order that misleads */
    default: return u;
    }
}

/* Every kind is in some column of the list. */
static void draw(void)
{
    for (size_t c = 0; c < N_COLUMNS; c++)
        for (size_t i = 0; i < MOST; i++)
            value[c][i] = value_of((int)(c % N_KINDS), i);
}

struct way { size_t subjects, block, strips, capacity, columns, threads; size_t first, n_quantiles; };

static struct hl_study make_study(struct hl_threshold *threshold, const struct way *way)
{
    threshold[0] = (struct hl_threshold){.output = 0, .value = 0.37};
    threshold[1] = (struct hl_threshold){.output = 1, .value = 0.5};
    threshold[2] = (struct hl_threshold){.output = 0, .value = 0};
    return (struct hl_study){.n_outputs = N_OUTPUTS, .n_times = N_TIMES, .n_quantiles = way->n_quantiles,
                             .quantile = quantile + way->first,
                             .n_thresholds = 3, .threshold = threshold};
}

/* The values of a strip, block after block; lanes beyond the last subject hold rubbish. */
static void keep_strip(struct hl_columns *c, const struct way *way, size_t strip, size_t place)
{
    static double out[N_COLUMNS * 64];
    signed char status[64] = {0};
    size_t first = strip * 64, n = way->subjects - first < 64 ? way->subjects - first : 64;
    for (size_t row = 0; row < n; row += way->block) {
        size_t here = n - row < way->block ? n - row : way->block, lanes = (here + 7) / 8 * 8;
        struct hl_block block = {.first = first + row + 1, .n = here, .lanes = lanes, .status = status, .out = out};
        for (size_t i = 0; i < N_COLUMNS; i++)
            for (size_t lane = 0; lane < lanes; lane++)
                out[i * lanes + lane] = lane < here ? value[i][first + row + lane] : 17;
        hl_columns_keep(c, place, row, &block);
    }
}

/* The whole cohort; found is false where the quantiles weren't. */
static void summarise(const struct hl_study *study, const struct way *way, struct hl_arm_summary *s, bool *found)
{
    size_t strips = (way->subjects + 63) / 64, n = way->columns;
    struct hl_columns *c = hl_columns_create(study, listed, n, way->subjects, way->strips, way->capacity,
                                              way->threads);
    assert_non_null(c);
    double *scratch = hl_alloc_unset(hl_columns_scratch(c), sizeof *scratch);
    for (size_t first = 0, batch; first < strips; first += batch) {
        batch = hl_columns_batch(c, first, strips - first, way->threads);
        assert_in_range(batch, 1, way->strips);
        hl_columns_begin(c);
        for (size_t k = batch; k-- > 0;) /* in any order */
            keep_strip(c, way, first + k, k);
        hl_columns_add(c, 0, n, batch, scratch);
    }
    hl_columns_finish(c, 0, n, s, found);
    hl_free(scratch);
    hl_columns_free(c);
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void check_quantiles(const struct hl_arm_summary *s, size_t at, const struct way *way)
{
    static double copy[MOST];
    double expected[N_QUANTILES];
    memcpy(copy, value[at], way->subjects * sizeof *copy);
    hl_quantiles(copy, way->subjects, quantile + way->first, way->n_quantiles, expected);
    for (size_t k = 0; k < way->n_quantiles; k++) {
        double found = s->quantiles[(at / N_TIMES * way->n_quantiles + k) * N_TIMES + at % N_TIMES];
        if (!same(found, expected[k]))
            fail_msg("kind %zu, %zu subjects in blocks of %zu: quantile %g is %a, expected %a", at % N_KINDS,
                     way->subjects, way->block, quantile[way->first + k], found, expected[k]);
    }
}

static void check_moments(const struct hl_arm_summary *s, size_t at, const struct way *way)
{
    long double sum = 0, squares = 0;
    int n = 0;
    for (size_t i = 0; i < way->subjects; i++)
        if (!isnan(value[at][i])) {
            sum += value[at][i];
            n++;
        }
    long double mean = n > 0 ? sum / n : (long double)NAN;
    for (size_t i = 0; i < way->subjects; i++)
        if (!isnan(value[at][i]))
            squares += (value[at][i] - mean) * (value[at][i] - mean);
    double sd = n > 1 ? (double)sqrtl(squares / (n - 1)) : (double)NAN;
    double slack = at % N_KINDS == LARGE_MEAN ? 1e-9 : 1e-13; /* 1e6 / 0.3 times rounding */
    assert_int_equal(s->count[at], n);
    if (isinf((double)sum) || isinf(sd) || isnan((double)sum) || isnan(sd))
        return;
    if (fabs(s->mean[at] - (double)mean) > 1e-14 * fabs((double)mean) + 1e-15 * sd + DBL_MIN * DBL_EPSILON)
        fail_msg("kind %zu, %zu subjects: mean is %.17g, expected %.17g", at % N_KINDS, way->subjects, s->mean[at],
                 (double)mean);
    double rounding = 4 * DBL_EPSILON * fabs((double)mean); /* equal values: means may be off by that much */
    bool has_squares = at % N_KINDS != DENORMAL; /* those of denormal numbers are 0 */
    if (has_squares && fabs(s->sd[at] - sd) > slack * sd + rounding)
        fail_msg("kind %zu, %zu subjects: sd is %.17g, expected %.17g", at % N_KINDS, way->subjects, s->sd[at], sd);
}

static void check_fraction(const struct hl_arm_summary *s, const struct hl_study *study, size_t at,
                           const struct way *way)
{
    for (size_t k = 0; k < study->n_thresholds; k++)
        if ((size_t)study->threshold[k].output == at / N_TIMES)
            assert_true(same(s->fraction[k * N_TIMES + at % N_TIMES],
                             hl_cohort_fraction_above(value[at], way->subjects, study->threshold[k].value)));
}

/* Returns how many columns' quantiles weren't found. */
static size_t check_way(const struct way *way)
{
    struct hl_threshold threshold[3];
    struct hl_study study = make_study(threshold, way);
    struct hl_arm_summary s;
    bool found[N_COLUMNS];
    size_t missed = 0;
    assert_int_equal(hl_arm_summary_init(&s, &study), HL_OK);
    summarise(&study, way, &s, found);
    for (size_t i = 0; i < way->columns; i++) {
        if (found[i])
            check_quantiles(&s, listed[i], way);
        missed += !found[i];
        check_moments(&s, listed[i], way);
        check_fraction(&s, &study, listed[i], way);
    }
    hl_arm_summary_clear(&s);
    return missed;
}

static void list_all(void)
{
    for (uint32_t i = 0; i < N_COLUMNS; i++)
        listed[i] = i;
}

static void few_and_many_agree_with_brute_force(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 63, 64, 65, 129, 511, 700, 2051, MOST};
    list_all();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct way way = {.subjects = sizes[i], .block = i % 3 == 0 ? 8 : i % 3 == 1 ? 16 : 40, .strips = 9,
                          .capacity = sizes[i], .columns = N_COLUMNS, .threads = i % 4 + 1, .n_quantiles = N_QUANTILES};
        assert_int_equal(check_way(&way), 0); /* room for all: nothing is missed */
        way.capacity = hl_ranks_capacity(way.subjects, quantile, N_QUANTILES);
        assert_true(check_way(&way) <= 8); /* one kind is in order, some have ties about a wanted rank */
        for (way.first = 0, way.n_quantiles = 1; way.first < N_QUANTILES; way.first++) {
            way.capacity = hl_ranks_capacity(way.subjects, quantile + way.first, 1);
            assert_true(check_way(&way) <= 8);
        }
    }
}

static void columns_may_be_few_and_far_between(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 6; n++) {
        for (uint32_t i = 0; i < n; i++)
            listed[i] = 4 * i + n % 3;
        struct way way = {.subjects = 777, .block = 24, .strips = 3, .capacity = 777, .columns = n, .threads = 2,
                          .n_quantiles = N_QUANTILES};
        assert_int_equal(check_way(&way), 0);
    }
}

static void no_quantiles_are_no_fault(void **state)
{
    (void)state;
    list_all();
    struct way way = {.subjects = 1001, .block = 16, .strips = 4, .columns = N_COLUMNS, .threads = 2};
    assert_int_equal(check_way(&way), 0);
}

/* The same bits whatever the block, the batch, the threads and the other columns. */
static void nothing_but_the_values_counts(void **state)
{
    (void)state;
    static const struct way ways[] = {{1999, 8, 40, 1999, N_COLUMNS, 1, 0, 5}, {1999, 64, 5, 900, N_COLUMNS, 3, 0, 5},
                                      {1999, 40, 1, 900, N_COLUMNS, 1, 0, 5},
                                      {1999, 24, 13, 1999, N_COLUMNS - 3, 7, 0, 5}};
    struct hl_threshold threshold[3];
    struct hl_study study = make_study(threshold, &ways[0]);
    struct hl_arm_summary first, s;
    bool found[N_COLUMNS];
    list_all();
    assert_int_equal(hl_arm_summary_init(&first, &study), HL_OK);
    summarise(&study, &ways[0], &first, found);
    for (size_t w = 1; w < sizeof ways / sizeof *ways; w++) {
        assert_int_equal(hl_arm_summary_init(&s, &study), HL_OK);
        summarise(&study, &ways[w], &s, found);
        for (size_t i = 0; i < ways[w].columns; i++)
            assert_true(same(s.mean[i], first.mean[i]) && same(s.sd[i], first.sd[i]) && s.count[i] == first.count[i]);
        hl_arm_summary_clear(&s);
    }
    hl_arm_summary_clear(&first);
}

/* Those who failed are nobody, whatever stands in their places. */
static void the_failed_do_not_count(void **state)
{
    (void)state;
    struct hl_threshold threshold[3];
    struct hl_study study = make_study(threshold, &(struct way){.n_quantiles = N_QUANTILES});
    struct hl_arm_summary s;
    bool found[N_COLUMNS];
    double out[N_COLUMNS * 8];
    signed char status[8] = {0, HL_SUBJECT_NOT_FINITE, 0, 0, HL_SUBJECT_NOT_FINITE, 0, 0, 0};
    struct hl_block block = {.first = 1, .n = 5, .lanes = 8, .status = status, .out = out};
    list_all();
    for (size_t i = 0; i < N_COLUMNS * 8; i++)
        out[i] = (double)(i % 8) * 1.7;
    struct hl_columns *c = hl_columns_create(&study, listed, N_COLUMNS, 5, 1, 5, 1);
    double *scratch = hl_alloc_unset(hl_columns_scratch(c), sizeof *scratch);
    assert_int_equal(hl_arm_summary_init(&s, &study), HL_OK);
    hl_columns_begin(c);
    hl_columns_keep(c, 0, 0, &block);
    hl_columns_add(c, 0, N_COLUMNS, 1, scratch);
    hl_columns_finish(c, 0, N_COLUMNS, &s, found);
    for (size_t i = 0; i < N_COLUMNS; i++) { /* 0, 3.4, 5.1 */
        assert_int_equal(s.count[i], 3);
        assert_true(fabs(s.mean[i] - 8.5 / 3) < 1e-15 && fabs(s.sd[i] - sqrt(0.5 * (37.57 - 8.5 * 8.5 / 3))) < 1e-14);
        assert_true(s.quantiles[(i / N_TIMES * N_QUANTILES + 2) * N_TIMES + i % N_TIMES] == 3.4);
    }
    hl_arm_summary_clear(&s);
    hl_free(scratch);
    hl_columns_free(c);
}

int main(void)
{
    const char *asked = getenv("HL_SEED");
    uint64_t seed = asked ? strtoull(asked, NULL, 10) : 20240613;
    printf("# HL_SEED=%llu\n", (unsigned long long)seed);
    word = seed * 0x9E3779B97F4A7C15u | 1;
    draw();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_and_many_agree_with_brute_force),
        cmocka_unit_test(columns_may_be_few_and_far_between),
        cmocka_unit_test(no_quantiles_are_no_fault),
        cmocka_unit_test(nothing_but_the_values_counts),
        cmocka_unit_test(the_failed_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
