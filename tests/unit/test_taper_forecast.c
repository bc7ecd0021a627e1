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
    "times: [{until: %g d, every: 24 h}]\n"
    "metrics:\n"
    "  - {of: clonazepam.withdrawal_index, above: \"20\", window: [%g h, %g h], list: [Cmax, hours_above]}\n"
    "  - {of: clonazepam.Cp, window: [%g h, %g h], list: [Cmax]}\n"
    "arms:\n";

static const char before[] =
    "    clonazepam:\n"
    "      - {steady_state: {oral: 1 mg, every: 12 h}}\n"
    "      - {oral: 1 mg, every: 12 h, for: 7 d}\n";

/* An arm of its own, whose window ends with the schedule's follow-up. */
static char *text_of(const struct schedule *s)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    double end = T0 + FOLLOW, start = T0;
    for (size_t i = 0; i < s->n; i++)
        end += 24.0 * s->level[i].days;
    fprintf(f, head, end / 24, T0, end, T0, end);
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
        char *text = text_of(&schedules[k]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_engine),
    };
    return cmocka_run_group_tests(tests, units_start, units_stop);
}
