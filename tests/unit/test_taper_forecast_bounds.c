/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Envelopes of forecasts: random ways to one time and rung, met, and what follows from them. No way's statistics are
 * ever below the envelope's; those of one way alone are close to it; a subject that is lost is lost by every way. */
#include "unit/forecast_fixture.h"

#define RUNGS 9 /* 0 the start, 8 nothing */
#define WAYS 4

static const char text[] =
    "study: s\n"
    "drugs: {clonazepam: clonazepam_adult}\n"
    "cohort: {subjects: 67, seed: 911}\n"
    "outputs: [clonazepam.withdrawal_index, clonazepam.E]\n"
    "times: [{until: 10 d, every: 24 h}]\n"
    "arms:\n"
    "  - name: before\n"
    "    clonazepam:\n"
    "      - {steady_state: {oral: 1 mg, every: 12 h}}\n"
    "      - {oral: 1 mg, every: 12 h, for: 7 d}\n";

static unsigned long long seed;

static unsigned draw(unsigned n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(seed >> 33) % n;
}

/* The forecast points into f, which must stay where it is. */
static void make(struct fixture *f)
{
    *f = fixture_read(text);
    static const struct schedule rungs = {RUNGS - 2, {{7, {7, 8}}, {7, {6, 6}}, {7, {4, 5}}, {7, {3, 4}}, {7, {2, 3}},
                                                      {7, {2, 1}}, {7, {0, 1}}}};
    fixture_drug(f, "clonazepam", "oral", "tablet", 0.125, 24, 2, (const double[]){0, 12});
    fixture_keep(f, "clonazepam.withdrawal_index", HL_TAPER_PEAK, 0, 25);
    fixture_keep(f, "clonazepam.withdrawal_index", HL_TAPER_HOURS_ABOVE, 15, 400);
    fixture_keep(f, "clonazepam.withdrawal_index", HL_TAPER_AREA_ABOVE, 15, 1e9);
    fixture_keep(f, "clonazepam.E", HL_TAPER_PEAK, 0, 1e9);
    fixture_rungs(f, &rungs, 1, (long[]){8, 8}, 2 * 168.0);
    fixture_make(f, NULL, 0);
}

/* A way of levels down to a rung in so many weeks. */
static size_t random_way(struct hl_taper_step *step, int weeks, size_t rung)
{
    size_t n = 0, at = 0;
    while (weeks > 0) {
        int last = weeks == 1 || draw(3) == 0, length = last ? weeks : 1 + (int)draw((unsigned)(weeks - 1));
        at = last ? rung : at + draw((unsigned)(rung - at) + 1);
        step[n++] = (struct hl_taper_step){at, 7 * length};
        weeks -= length;
    }
    return n;
}

static struct hl_prospect *follow(const struct hl_outlook *o, struct hl_prospect *p, const struct hl_taper_step *step,
                                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct hl_prospect *next = o->step(o->context, p, step[i]);
        assert_non_null(next);
        o->release(o->context, p);
        p = next;
    }
    return p;
}

static struct hl_envelope *bound(const struct hl_outlook *o, struct hl_envelope *e, const struct hl_taper_step *step,
                                 size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct hl_envelope *next = o->envelope_step(o->context, e, step[i]);
        assert_non_null(next);
        o->envelope_release(o->context, e);
        e = next;
    }
    return e;
}

/* low (by chosen subject) is below the way's statistics of the constraint; how close, at best, by the last subjects. */
static void assert_below(const struct fixture *f, size_t c, const size_t *subject, size_t n, const double *low,
                         const double *way, double *closest)
{
    for (size_t k = 0; k < n; k++) {
        double mine = way[c * f->outlook->n_subjects + subject[k]];
        if (isinf(low[k]) ? !(mine > f->problem.constraint[c].bound) : low[k] > mine)
            fail_msg("constraint %zu, subject %zu: bound %.17g above a way's %.17g (HL_SEED)", c, subject[k] + 1,
                     low[k], mine);
        if (isfinite(low[k]) && mine > 1)
            *closest = fmax(*closest, low[k] / mine);
    }
}

/* Several ways to one time and rung, met there, and a common rest. */
static void try_once(const struct fixture *f, size_t c, const size_t *subject, size_t n, double *closest)
{
    const struct hl_outlook *o = f->outlook;
    struct hl_taper_step way[WAYS][64], rest[64];
    size_t rung = 1 + draw(RUNGS - 2), n_rest = 1 + draw(2), n_ways = 1 + draw(WAYS);
    int weeks = 1 + (int)draw(5);
    struct hl_prospect *prospect[WAYS];
    struct hl_envelope *envelope = NULL;
    for (size_t w = 0; w < n_ways; w++) {
        size_t length = random_way(way[w], weeks, rung);
        struct hl_envelope *e = o->envelope_begin(o->context, c, f->problem.constraint[c].bound, subject, n);
        prospect[w] = follow(o, o->begin(o->context), way[w], length);
        e = bound(o, e, way[w], length);
        if (envelope) {
            o->envelope_meet(o->context, envelope, e);
            o->envelope_release(o->context, e);
        } else
            envelope = e;
    }
    for (size_t i = 0; i < n_rest; i++) {
        rung += draw((unsigned)(RUNGS - rung));
        rest[i] = (struct hl_taper_step){rung, 7};
    }
    double *low = hl_alloc(n, sizeof *low), *statistic = hl_alloc(o->n_constraints * o->n_subjects, sizeof *statistic);
    for (size_t w = 0; w < n_ways; w++)
        assert_below(f, c, subject, n, o->envelope_statistics(envelope), o->statistics(prospect[w]), closest);
    envelope = bound(o, envelope, rest, n_rest);
    assert_int_equal(o->envelope_stop(o->context, envelope, low), HL_OK);
    for (size_t w = 0; w < n_ways; w++) {
        prospect[w] = follow(o, prospect[w], rest, n_rest);
        assert_below(f, c, subject, n, o->envelope_statistics(envelope), o->statistics(prospect[w]), closest);
        assert_int_equal(o->stop(o->context, prospect[w], statistic), HL_OK);
        assert_below(f, c, subject, n, low, statistic, closest);
        o->release(o->context, prospect[w]);
    }
    o->envelope_release(o->context, envelope);
    hl_free(low), hl_free(statistic);
}

static void bounds_are_below_every_way(void **state)
{
    (void)state;
    const char *given = getenv("HL_SEED");
    seed = given ? strtoull(given, NULL, 10) : 20261122;
    print_message("HL_SEED=%llu\n", seed);
    struct fixture f;
    make(&f);
    size_t some[] = {0, 3, 17, 31, 62, 63, 64, 66};
    for (size_t c = 0; c < f.outlook->n_constraints; c++) {
        double closest = 0;
        assert_true(f.outlook->monotone[c]);
        assert_string_equal(f.outlook->why_not[c], "");
        print_message("%s\n", hl_forecast_assumption(f.forecast, c));
        for (int i = 0; i < (c < 3 ? 5 : 3); i++)
            try_once(&f, c, some, sizeof some / sizeof *some, &closest);
        print_message("constraint %zu: closest %.6f\n", c, closest);
        assert_true(closest > 0.9);
    }
    fixture_free(&f);
}

/* One way alone: its own statistics, but for the slack and what lies between points of the grid. */
static void one_way_is_close(void **state)
{
    (void)state;
    struct fixture f;
    make(&f);
    const struct hl_outlook *o = f.outlook;
    size_t all[67];
    const struct hl_taper_step way[] = {{1, 7}, {3, 7}, {5, 14}, {7, 7}};
    for (size_t k = 0; k < o->n_subjects; k++)
        all[k] = k;
    for (size_t c = 0; c < o->n_constraints; c++) {
        f.problem.constraint[c].bound = 1e9;
        struct hl_prospect *p = follow(o, o->begin(o->context), way, 4);
        struct hl_envelope *e = bound(o, o->envelope_begin(o->context, c, 1e9, all, o->n_subjects), way, 4);
        const double *low = o->envelope_statistics(e), *mine = o->statistics(p) + c * o->n_subjects;
        double worst = 1;
        for (size_t k = 0; k < o->n_subjects; k++)
            if (mine[k] > 40 || (f.problem.constraint[c].statistic == HL_TAPER_PEAK && mine[k] > 1))
                worst = fmin(worst, low[k] / mine[k]);
        print_message("constraint %zu: at least %.5f of the way's\n", c, worst);
        assert_true(worst > (f.problem.constraint[c].statistic == HL_TAPER_PEAK ? 0.995 : 0.7));
        o->release(o->context, p);
        o->envelope_release(o->context, e);
    }
    fixture_free(&f);
}

/* Statistics of a way, envelopes of it and what follows when it stops, of the subjects listed: by constraint c. */
static void way_of(const struct hl_outlook *o, size_t c, const size_t *subject, size_t n, double *out)
{
    const struct hl_taper_step way[] = {{1, 7}, {2, 14}, {5, 7}};
    double *all = hl_alloc(o->n_constraints * o->n_subjects, sizeof *all);
    struct hl_prospect *p = follow(o, o->begin(o->context), way, 3);
    struct hl_envelope *e = bound(o, o->envelope_begin(o->context, c, 1e9, subject, n), way, 3);
    struct hl_envelope *copy = o->envelope_copy(o->context, e);
    o->envelope_release(o->context, e);
    assert_int_equal(o->stop(o->context, p, all), HL_OK);
    for (size_t k = 0; k < n; k++) {
        out[k] = o->statistics(p)[c * o->n_subjects + subject[k]];
        out[n + k] = all[c * o->n_subjects + subject[k]];
        out[2 * n + k] = o->envelope_statistics(copy)[k];
    }
    assert_int_equal(o->envelope_stop(o->context, copy, out + 3 * n), HL_OK);
    o->envelope_release(o->context, copy);
    o->release(o->context, p);
    hl_free(all);
}

/* Some subjects alone, moved together, and some of those once more: bit for bit what they are among all. */
static void some_subjects_keep_their_numbers(void **state)
{
    (void)state;
    struct fixture f;
    make(&f);
    const struct hl_outlook *o = f.outlook;
    const size_t some[] = {0, 3, 17, 31, 62, 63, 64, 66}, fewer[] = {1, 4, 6}, all[] = {3, 62, 64}, own[] = {0, 1, 2};
    struct hl_outlook *part = o->some(o->context, some, 8), *less = part->some(part->context, fewer, 3);
    for (size_t c = 0; c < o->n_constraints; c++) {
        double whole[12], mine[12];
        way_of(o, c, all, 3, whole);
        way_of(part, c, fewer, 3, mine);
        assert_memory_equal(whole, mine, sizeof whole);
        way_of(less, c, own, 3, mine);
        assert_memory_equal(whole, mine, sizeof whole);
    }
    o->some_release(less);
    o->some_release(part);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_below_every_way),
        cmocka_unit_test(one_way_is_close),
        cmocka_unit_test(some_subjects_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, units_start, units_stop);
}
