/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clonazepam with forty subjects, few amounts and few lengths: the search and its certificate on a real forecast
 * against every schedule there is, valued by the same outlook. */
#include "unit/forecast_fixture.h"
#include "unit/taper_sample.h"

#include <omp.h>

#include "taper/bound.h"
#include "taper/search.h"

static const char text[] =
    "study: s\n"
    "drugs: {clonazepam: clonazepam_adult}\n"
    "origin: \"08:00\"\n"
    "cohort:\n"
    "  subjects: 40\n"
    "  seed: 4127\n"
    "  covariates:\n"
    "    WT: {lognormal: {median: 70 kg, cv: \"20 %\"}, within: [45 kg, 120 kg]}\n"
    "    AGE: {uniform: [20 year, 75 year]}\n"
    "outputs: [clonazepam.withdrawal_index]\n"
    "tolerance: 1e-7\n"
    "times: [{until: 10 d, every: 24 h}]\n"
    "arms:\n"
    "  - name: before\n"
    "    clonazepam: [{steady_state: {oral: 1 mg, every: 12 h}}, {oral: 1 mg, every: 12 h, for: 7 d}]\n";

static struct fixture f;

/* 2 mg/day in halves of 0.5 mg tablets: nine amounts; at most four weeks. */
static int start(void **state)
{
    static int length[] = {7, 14};
    struct hl_taper_problem *p = &f.problem;
    struct hl_rungs_report report;
    if (units_start(state) != 0)
        return -1;
    f = fixture_read(text);
    fixture_drug(&f, "clonazepam", "oral", "tablet", 0.5, 24, 2, (double[]){0, 12});
    p->drug[0].product[0].pieces = 2;
    p->drug[0].spare = (size_t[]){1, 0};
    p->drug[0].start = hl_arena_alloc(f.arena, 2, sizeof(long));
    if (!hl_products_unit(&p->drug[0]) || !sample_start(f.arena, &p->drug[0], 8))
        return -1;
    p->drug[0].spare = hl_arena_alloc(f.arena, 2, sizeof(size_t));
    p->drug[0].spare[0] = 1;
    fixture_keep(&f, "clonazepam.withdrawal_index", HL_TAPER_PEAK, 0, 20);
    p->longest = p->fewest_at = 28;
    p->follow = 28 * 24;
    p->n_lengths = 2;
    p->length = length;
    if (hl_rungs_make(f.arena, p, 0, &report, f.diag) != HL_OK || p->n_rungs != 9)
        return -1;
    omp_set_num_threads(1); /* forty subjects */
    fixture_make(&f, NULL, 1);
    return 0;
}

static int stop(void **state)
{
    fixture_free(&f);
    return units_stop(state);
}

/* Every schedule: the worth of each, once for all bounds and aims. */
struct every { int days; size_t changes; double value, mean[3], pieces; };
static struct every seen[4000];
static size_t n_seen;
static double bounds[3]; /* one that nothing keeps, one that some keep, one that most do */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void look(const struct hl_prospect *at, size_t rung, int days, size_t levels, double pieces)
{
    const struct hl_outlook *o = f.outlook;
    double value[40];
    assert_int_equal(o->stop(o->context, at, value), HL_OK);
    struct every *e = &seen[n_seen++];
    *e = (struct every){.days = days, .changes = levels + 1, .pieces = pieces};
    for (size_t b = 0; b < 3; b++)
        for (size_t i = 0; i < 40; i++)
            e->mean[b] += fmax(0, value[i] - bounds[b]) / 40 / bounds[b];
    qsort(value, 40, sizeof *value, by_size);
    e->value = value[35]; /* 36 of 40 are nine in ten */
    for (size_t to = rung + 1; to < 8; to++)
        for (int length = 7; length <= 14 && days + length <= 28; length += 7) {
            struct hl_prospect *next = o->step(o->context, at, (struct hl_taper_step){to, length});
            look(next, to, days + length, levels + 1, pieces + (double)length * f.problem.rung[to].pieces[0]);
            o->release(o->context, next);
        }
}

static int compare(enum hl_taper_aim aim, size_t b, const struct every *x, const struct every *y)
{
    double days = x->days - y->days, value = x->value - y->value, changes = (double)x->changes - (double)y->changes;
    double mean = x->mean[b] - y->mean[b], pieces = x->pieces - y->pieces;
    double key[][4] = {{days, value, changes, pieces}, {mean, days, changes, pieces}, {changes, days, value, pieces}};
    for (int k = 0; k < 4; k++)
        if (fabs(key[aim][k]) > 1e-13)
            return key[aim][k] < 0 ? -1 : 1;
    return 0;
}

static const struct every *best_of(enum hl_taper_aim aim, size_t b)
{
    const struct every *best = NULL;
    for (size_t k = 0; k < n_seen; k++)
        if (seen[k].value <= bounds[b] && (!best || compare(aim, b, &seen[k], best) < 0))
            best = &seen[k];
    return best;
}

static void look_at_all(void)
{
    struct hl_prospect *at = f.outlook->begin(f.outlook->context);
    n_seen = 0;
    look(at, 0, 0, 0, 0);
    f.outlook->release(f.outlook->context, at);
}

/* Bounds out of the values there are. */
static void set_bounds(void)
{
    double value[4000];
    look_at_all();
    for (size_t k = 0; k < n_seen; k++)
        value[k] = seen[k].value;
    qsort(value, n_seen, sizeof *value, by_size);
    bounds[0] = 0.93 * value[0];
    bounds[1] = value[n_seen / 20] + 1e-9;
    bounds[2] = value[n_seen / 2] + 1e-9;
    look_at_all();
}

static void check(enum hl_taper_aim aim, size_t b)
{
    struct hl_taper_result r;
    struct hl_bound bound;
    f.problem.aim = aim;
    f.problem.constraint[0].bound = bounds[b];
    const struct every *best = best_of(aim, b), *shortest = best_of(HL_TAPER_SHORTEST, b);
    assert_int_equal(hl_taper_search(f.arena, &f.problem, f.outlook, &(struct hl_taper_options){.beam = 1000}, &r),
                     HL_OK);
    assert_int_equal(hl_taper_bound(f.arena, &f.problem, f.outlook, &(struct hl_bound_options){.width = 2}, &bound),
                     HL_OK);
    assert_true(r.complete);
    print_message("# aim %d, bound %g: %d days in %zu changes, value %.3f; certificate %d%s\n", aim, bounds[b],
                  r.schedule.days, r.changes, r.value[0], bound.days, bound.impossible ? " (impossible)" : "");
    assert_true(bound.valid);
    if (!best) {
        double least = INFINITY;
        for (size_t k = 0; k < n_seen; k++)
            least = fmin(least, seen[k].value);
        assert_int_equal(r.outcome, HL_TAPER_IMPOSSIBLE);
        assert_true(fabs(r.nearest[0] - least) < 1e-12);
        return;
    }
    assert_int_equal(r.outcome, HL_TAPER_FOUND);
    assert_int_equal(r.schedule.days, best->days);
    assert_int_equal(r.changes, best->changes);
    assert_true(fabs(r.value[0] - best->value) < 1e-12 && fabs(r.pieces - best->pieces) < 1e-9);
    assert_false(bound.impossible);
    assert_true(bound.days <= shortest->days);
}

static void test_every_aim_and_bound(void **state)
{
    (void)state;
    set_bounds();
    print_message("# %zu schedules\n", n_seen);
    for (int aim = 0; aim < 3; aim++)
        for (size_t b = 0; b < 3; b++)
            check((enum hl_taper_aim)aim, b);
}

/* The same schedules, looked at moment by moment: the cohort's number is every subject's, it never exceeds the same order
 * statistic of the subjects' own peaks (whoever is above at a moment has a peak above), and somewhere it is less. */
static void test_at_any_time(void **state)
{
    double peak[4000];
    size_t n_lower = 0, n_peaks = n_seen;
    for (size_t k = 0; k < n_seen; k++)
        peak[k] = seen[k].value;
    f.problem.constraint[0].statistic = HL_TAPER_MOMENT;
    hl_forecast_free(f.forecast);
    fixture_make(&f, NULL, 1);
    test_every_aim_and_bound(state);
    assert_int_equal(n_seen, n_peaks);
    for (size_t k = 0; k < n_seen; k++) {
        assert_true(seen[k].value <= peak[k] * (1 + 1e-12));
        n_lower += seen[k].value < 0.995 * peak[k];
    }
    print_message("# at any time: lower by half a per cent or more in %zu of %zu schedules\n", n_lower, n_seen);
    assert_true(n_lower > 0);
    double value[40];
    struct hl_taper_step step = {3, 14};
    struct hl_taper_schedule schedule = {.n = 1, .step = &step, .days = 14};
    assert_int_equal(hl_outlook_follow(f.outlook, &schedule, value), HL_OK);
    for (size_t i = 1; i < 40; i++)
        assert_true(value[i] == value[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_aim_and_bound), cmocka_unit_test(test_at_any_time)};
    return cmocka_run_group_tests(tests, start, stop);
}
