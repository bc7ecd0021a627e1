/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forecasts of tapers against the exact engine: clonazepam by mouth with a spread of everybody's kinetics and index,
 * equal and unequal doses, levels of different lengths, abrupt stops, missed and doubled doses; blocks and threads. */
#include <omp.h>

#include "unit/forecast_fixture.h"

#define FOLLOW (8 * 168.0)
#define UNIT 0.125 /* mg */

static const double bid[] = {0, 12};

static const char head[] =
    "study: s\n"
    "drugs: {clonazepam: clonazepam_adult}\n"
    "origin: \"08:00\"\n"
    "cohort:\n"
    "  subjects: 70\n"
    "  seed: 7193\n"
    "  covariates:\n"
    "    WT: {lognormal: {median: 70 kg, cv: \"20 %%\"}, within: [45 kg, 120 kg]}\n"
    "    AGE: {uniform: [20 year, 75 year]}\n"
    "outputs: [clonazepam.withdrawal_index, clonazepam.Cp]\n"
    "tolerance: 1e-9\n"
    "times: [{until: %g d, every: %s}]\n"
    "metrics:\n"
    "  - {of: clonazepam.withdrawal_index, above: \"20\", window: [%g h, %g h], list: [Cmax, hours_above]}\n"
    "  - {of: clonazepam.Cp, window: [%g h, %g h], list: [Cmax]}\n"
    "arms:\n";

static const char before[] =
    "    clonazepam:\n"
    "      - {steady_state: {oral: 1 mg, every: 12 h}}\n"
    "      - {oral: 1 mg, every: 12 h, for: 7 d}\n";

/* An arm of its own, whose window ends with the schedule's follow-up. */
static char *text_of(const struct schedule *s, const char *every)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    double end = T0 + FOLLOW, start = T0;
    for (size_t i = 0; i < s->n; i++)
        end += 24.0 * s->level[i].days;
    fprintf(f, head, end / 24, every, T0, end, T0, end);
    fprintf(f, "  - name: before\n%s  - name: exact\n%s", before, before);
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < 2; k++)
            if (s->level[i].units[k] > 0)
                fprintf(f, "      - {oral: %.17g mg, start: %.17g h, every: 24 h, for: %d d}\n",
                        UNIT * (double)s->level[i].units[k], start + bid[k], s->level[i].days);
        start += 24.0 * s->level[i].days;
    }
    fclose(f);
    return text;
}

static void set_problem(struct fixture *f, const struct schedule *s)
{
    fixture_drug(f, "clonazepam", "oral", "tablet", UNIT, 24, 2, bid);
    fixture_keep(f, "clonazepam.withdrawal_index", HL_TAPER_PEAK, 0, 20);
    fixture_keep(f, "clonazepam.withdrawal_index", HL_TAPER_HOURS_ABOVE, 20, 24);
    fixture_keep(f, "clonazepam.withdrawal_index", HL_TAPER_AREA_ABOVE, 20, 24);
    fixture_rungs(f, s, 1, (long[]){8, 8}, FOLLOW);
}

static const struct schedule schedules[] = {
    {0, {{0}}},                                                                   /* abrupt */
    {3, {{7, {6, 6}}, {7, {4, 4}}, {7, {2, 2}}}},                                 /* quarters of the start, weekly */
    {5, {{7, {6, 7}}, {14, {4, 6}}, {7, {3, 4}}, {7, {0, 3}}, {14, {1, 0}}}},     /* unequal */
    {6, {{14, {6, 6}}, {14, {4, 5}}, {14, {3, 3}}, {14, {2, 2}}, {14, {1, 2}}, {14, {0, 1}}}},
};

static void agrees_with_the_engine(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof schedules / sizeof *schedules; k++) {
        char *text = text_of(&schedules[k], "24 h");
        struct fixture f = fixture_read(text);
        set_problem(&f, &schedules[k]);
        fixture_make(&f, NULL, 0);
        size_t n = f.outlook->n_subjects;
        double *mine = fixture_walk(f.outlook, &schedules[k], 1), *exact = fixture_exact(&f, 1);
        struct difference peak = difference_of(mine, exact, n), hours = difference_of(mine + n, exact + n, n);
        print_message("schedule %zu: peak %.1e (relative %.1e, subject %zu), hours above %.1e (subject %zu)\n", k,
                      peak.absolute, peak.relative, peak.subject, hours.absolute, hours.subject);
        struct hl_forecast_facts facts = hl_forecast_facts(f.forecast);
        print_message("steps %zu, %g to %g h, %zu + %zu states, %.0f kB\n", facts.steps, facts.shortest, facts.longest,
                      facts.states, facts.integrated, facts.bytes / 1e3);
        assert_true(peak.absolute < 1e-3 && peak.relative < 1e-4);
        assert_true(hours.absolute < 0.5);
        hl_free(mine), hl_free(exact), free(text);
        fixture_free(&f);
    }
}

/* Area above 20 from the exact engine's values every 0.02 h; and that a forecast's own grid can be made finer. */
static void areas(void **state)
{
    (void)state;
    const struct schedule *s = &schedules[2];
    char *text = text_of(s, "0.02 h");
    struct fixture f = fixture_read(text);
    set_problem(&f, s);
    fixture_make(&f, NULL, 0);
    size_t n = f.outlook->n_subjects, lanes = 8;
    double *mine = fixture_walk(f.outlook, s, 1), worst = 0;
    hl_forecast_free(f.forecast);
    fixture_make(&f, NULL, 0.125);
    double *finer = fixture_walk(f.outlook, s, 1);
    struct difference d = difference_of(mine, finer, n);
    print_message("steps of 0.125 h: peaks %.1e\n", d.absolute);
    assert_true(d.absolute > 0 && d.absolute < 1e-3);
    const struct hl_arm *arm = &f.study->arm[1];
    struct hl_regimen *regimen = hl_regimen_compile(f.arena, f.study, arm, f.diag);
    struct hl_cohort *cohort = hl_cohort_create(arm, f.diag);
    struct hl_plan *plan = hl_plan_create(arm->system, regimen, "exact", 1e-9, f.diag);
    struct hl_solver *solver = hl_solver_create(plan, lanes);
    struct hl_block block = {.lanes = lanes, .first = 1, .n = 6, .status = hl_alloc(lanes, 1),
                             .regs = hl_alloc(arm->system->n_regs * lanes, sizeof(double)),
                             .out = hl_alloc(f.study->n_times * lanes, sizeof(double))};
    hl_cohort_fill(cohort, 1, 6, block.regs, lanes);
    assert_int_equal(hl_solver_run(solver, &block, f.study->output, 1, f.study->time, f.study->n_times, NULL), HL_OK);
    for (size_t l = 0; l < 6; l++) {
        double area = 0;
        for (size_t k = 0; k + 1 < f.study->n_times; k++)
            if (f.study->time[k] >= T0 - 1e-9)
                area += 0.01 * (fmax(0, block.out[k * lanes + l] - 20) + fmax(0, block.out[(k + 1) * lanes + l] - 20));
        print_message("area above 20: %.4f, of the engine %.4f\n", mine[2 * n + l], area);
        worst = fmax(worst, fabs(mine[2 * n + l] - area) / fmax(area, 10));
    }
    assert_true(worst < 2e-3);
    hl_solver_free(solver), hl_plan_free(plan), hl_cohort_free(cohort);
    hl_free(block.status), hl_free(block.regs), hl_free(block.out), hl_free(mine), hl_free(finer), free(text);
    fixture_free(&f);
}

/* All of a schedule's statistics with so many threads and subjects; n of them handed out. */
static double *bits(int threads, const char *subjects, size_t *n)
{
    char *text = text_of(&schedules[2], "24 h"), *number = strstr(text, "subjects: 70");
    memcpy(number, subjects, 12);
    omp_set_num_threads(threads);
    struct fixture f = fixture_read(text);
    set_problem(&f, &schedules[2]);
    fixture_make(&f, NULL, 0);
    double *statistic = fixture_walk(f.outlook, &schedules[2], 1);
    *n = f.outlook->n_subjects;
    fixture_free(&f);
    free(text);
    return statistic;
}

static void threads_and_neighbours_do_not_matter(void **state)
{
    (void)state;
    int most = omp_get_max_threads();
    size_t n, n2, few;
    double *one = bits(1, "subjects: 70", &n), *two = bits(2, "subjects: 70", &n2);
    double *some = bits(2, "subjects: 9 ", &few);
    omp_set_num_threads(most);
    assert_int_equal(n, n2);
    assert_int_equal(few, 9);
    assert_memory_equal(one, two, 3 * n * sizeof *one);
    for (size_t c = 0; c < 3; c++)
        assert_memory_equal(one + c * n, some + c * few, few * sizeof *one);
    hl_free(one), hl_free(two), hl_free(some);
}

/* ---- Refusals. */

struct refused { const char *drugs, *before, *alias, *route, *output, *why; };

static const struct refused refusals[] = {
    {"d: pk_weibull_1cmt", "[{oral: 1 mg, every: 12 h, for: 7 d}]", "d", "oral", "d.Cp", "released:"},
    {"d: pk_oral_1cmt_mm", "[{oral: 1 mg, every: 12 h, for: 7 d}]", "d", "iv", "d.Cp", "aren't linear"},
    {"d: fentanyl_adult", "[{infuse: 20 ug/h, for: 7 d}]", "d", "iv", "d.ventilation", "too fast"},
};

static void what_cannot_be_forecast_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++) {
        const struct refused *r = &refusals[k];
        char text[600];
        size_t size;
        snprintf(text, sizeof text, "study: s\ndrugs: {%s}\ncohort: {subjects: 9, seed: 3}\noutputs: [%s]\n"
                 "times: [{until: 9 d, every: 1 d}]\narms:\n  - name: before\n    d: %s\n", r->drugs, r->output,
                 r->before);
        struct fixture f = fixture_read(text);
        fixture_drug(&f, r->alias, r->route, "tablet", 0.125, 24, 1, (const double[]){0});
        fixture_keep(&f, r->output, HL_TAPER_PEAK, 0, 1);
        fixture_rungs(&f, &schedules[0], 0, (long[]){8}, 168);
        assert_null(fixture_forecast(&f, NULL, 0));
        FILE *stream = open_memstream(&f.messages, &size);
        hl_diag_print(f.diag, stream);
        fclose(stream);
        print_message("%s", f.messages);
        if (!strstr(f.messages, r->why))
            fail_msg("expected '%s' in: %s", r->why, f.messages);
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas),
        cmocka_unit_test(threads_and_neighbours_do_not_matter),
        cmocka_unit_test(what_cannot_be_forecast_is_refused),
        cmocka_unit_test(agrees_with_the_engine),
    };
    return cmocka_run_group_tests(tests, units_start, units_stop);
}
