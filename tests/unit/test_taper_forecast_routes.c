/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forecasts of what isn't a tablet alone: infusions and patches step by step, two drugs and their interaction, a drug
 * that goes on beside, doses missed and doubled, situations joined; the same bits from any number of threads and in any
 * cohort; refusals. */
#include <omp.h>

#include "regimen/adherence.h"
#include "regimen/regimen.h"
#include "unit/forecast_fixture.h"

/* A study: head, metrics over [T0, end], the arms before and exact (before and then some more). */
struct sheet { char *text; size_t size; FILE *file; };

static void sheet_begin(struct sheet *s, const char *drugs, unsigned subjects, double end, const char *outputs)
{
    s->file = open_memstream(&s->text, &s->size);
    fprintf(s->file, "study: s\n%s\norigin: \"08:00\"\ncohort: {subjects: %u, seed: 4171}\noutputs: [%s]\n"
            "tolerance: 1e-9\ntimes: [{until: %.17g h, every: 24 h}]\n", drugs, subjects, outputs, end);
}

static struct fixture sheet_read(struct sheet *s)
{
    fclose(s->file);
    struct fixture f = fixture_read(s->text);
    free(s->text);
    return f;
}

static double end_of(const struct schedule *s, double follow)
{
    double end = T0 + follow;
    for (size_t i = 0; i < s->n; i++)
        end += 24.0 * s->level[i].days;
    return end;
}

/* The levels of one stream as lines of an arm: format gets amount, start [h], days. */
static void write_levels(FILE *file, const struct schedule *s, size_t stream, double unit, double clock,
                         const char *format)
{
    double start = T0 + clock;
    for (size_t i = 0; i < s->n; i++) {
        if (s->level[i].units[stream] > 0)
            fprintf(file, format, unit * (double)s->level[i].units[stream], start, s->level[i].days);
        start += 24.0 * s->level[i].days;
    }
}

/* Two ways to the second level, the schedule and one that keeps the start during the first; from there on together. */
static void check_bounds(const struct fixture *f, const struct schedule *s)
{
    const struct hl_outlook *o = f->outlook;
    size_t n = o->n_subjects, all[n];
    double low[n], *statistic = hl_alloc(2 * o->n_constraints * n, sizeof *statistic);
    struct hl_prospect *p[2] = {o->begin(o->context), o->begin(o->context)};
    for (size_t i = 0; i < s->n; i++)
        for (size_t w = 0; w < 2; w++) {
            struct hl_prospect *next = o->step(o->context, p[w],
                                               (struct hl_taper_step){i || !w ? i + 1 : 0, s->level[i].days});
            o->release(o->context, p[w]);
            p[w] = next;
        }
    for (size_t w = 0; w < 2; w++) {
        assert_int_equal(o->stop(o->context, p[w], statistic + w * o->n_constraints * n), HL_OK);
        o->release(o->context, p[w]);
    }
    for (size_t i = 0; i < n; i++)
        all[i] = i;
    for (size_t c = 0; c < o->n_constraints; c++) {
        struct hl_envelope *e[2];
        double closest = 0;
        for (size_t w = 0; w < 2; w++) {
            double most = f->problem.constraint[c].bound;
            struct hl_envelope *begin = o->envelope_begin(o->context, c, most, all, n), *first;
            first = o->envelope_step(o->context, begin, (struct hl_taper_step){1 - w, s->level[0].days});
            e[w] = o->envelope_step(o->context, first, (struct hl_taper_step){2, s->level[1].days});
            o->envelope_release(o->context, begin);
            o->envelope_release(o->context, first);
        }
        o->envelope_meet(o->context, e[0], e[1]);
        for (size_t i = 2; i < s->n; i++) {
            struct hl_taper_step level = {i + 1, s->level[i].days};
            struct hl_envelope *next = o->envelope_step(o->context, e[0], level);
            o->envelope_release(o->context, e[0]);
            e[0] = next;
        }
        assert_int_equal(o->envelope_stop(o->context, e[0], low), HL_OK);
        for (size_t i = 0; i < n; i++)
            for (size_t w = 0; w < 2; w++) {
                double mine = statistic[(w * o->n_constraints + c) * n + i];
                if (low[i] > mine && !(mine > f->problem.constraint[c].bound))
                    fail_msg("constraint %zu, subject %zu: bound %.17g above %.17g", c, i + 1, low[i], mine);
                if (isfinite(low[i]) && mine > 1e-3)
                    closest = fmax(closest, low[i] / mine);
            }
        print_message("  bound at best %.5f of a way's\n", closest);
        assert_true(closest > (c == 0 ? 0.99 : 0.8)); /* steps that cross the threshold aren't counted */
        o->envelope_release(o->context, e[0]);
        o->envelope_release(o->context, e[1]);
    }
    hl_free(statistic);
}

#define ORAL "      - {oral: %.17g mg, start: %.17g h, every: 24 h, for: %d d}\n"
#define INFUSE "      - {infuse: %.17g mg/h, start: %.17g h, for: %d d}\n"
#define PATCH "      - {patch: %.17g mg/h, start: %.17g h, every: 72 h, for: %d d}\n"

/* Peak of constraint 0 and hours of constraint 1 against the arm's metrics 0 and 1. */
static void compare(struct fixture *f, const struct schedule *s, double peak_allowed, double hours_allowed)
{
    size_t n = f->outlook->n_subjects;
    double *mine = fixture_walk(f->outlook, s, 1), *exact = fixture_exact(f, 1);
    struct difference peak = difference_of(mine, exact, n), hours = difference_of(mine + n, exact + n, n);
    struct hl_forecast_facts facts = hl_forecast_facts(f->forecast);
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, exact[i]);
    print_message("peak %.1e of %.3g (relative %.1e, subject %zu), hours %.1e (subject %zu); %zu steps, %zu + %zu\n",
                  peak.absolute, largest, peak.relative, peak.subject, hours.absolute, hours.subject, facts.steps,
                  facts.states, facts.integrated);
    for (size_t c = 0; c < f->outlook->n_constraints; c++)
        print_message("  %s%s\n", f->outlook->why_not[c], hl_forecast_assumption(f->forecast, c));
    assert_true(facts.bytes < 3e7);
    assert_true(peak.relative < peak_allowed);
    assert_true(hours.absolute < hours_allowed);
    hl_free(mine), hl_free(exact);
    if (f->outlook->monotone[0] && f->outlook->monotone[1])
        check_bounds(f, s);
}

/* Fentanyl by infusion and clonazepam by mouth go down together; the hypoxaemia index rises with both. */
static void two_drugs(void **state)
{
    (void)state;
    static const struct schedule s = {4, {{7, {5, 6, 6}}, {7, {3, 4, 6}}, {7, {1, 2, 3}}, {7, {0, 0, 2}}}};
    double end = end_of(&s, 336);
    struct sheet sheet;
    sheet_begin(&sheet, "drugs: {fentanyl: fentanyl_adult, clonazepam: clonazepam_adult}\n"
                                     "interactions: {overlap: sedation_overlap}", 60, end,
                                     "overlap.P_hyp, clonazepam.withdrawal_index");
    static const char before[] = "    fentanyl: [{steady_state: {infuse: 40 ug/h}}, {infuse: 40 ug/h, for: 7 d}]\n";
    fprintf(sheet.file, "metrics:\n  - {of: overlap.P_hyp, above: \"0.02\", window: [%.17g h, %.17g h], "
            "list: [Cmax, hours_above]}\narms:\n", T0, end);
    fprintf(sheet.file, "  - name: before\n%s    clonazepam: [{steady_state: {oral: 1 mg, every: 12 h}}, "
            "{oral: 1 mg, every: 12 h, for: 7 d}]\n", before);
    fprintf(sheet.file, "  - name: exact\n    fentanyl:\n      - {steady_state: {infuse: 40 ug/h}}\n"
            "      - {infuse: 40 ug/h, for: 7 d}\n");
    write_levels(sheet.file, &s, 0, 0.00625, 0, INFUSE);
    fprintf(sheet.file, "    clonazepam:\n      - {steady_state: {oral: 1 mg, every: 12 h}}\n"
            "      - {oral: 1 mg, every: 12 h, for: 7 d}\n");
    write_levels(sheet.file, &s, 1, 0.125, 0, ORAL);
    write_levels(sheet.file, &s, 2, 0.125, 12, ORAL);
    struct fixture f = sheet_read(&sheet);
    fixture_drug(&f, "fentanyl", "iv", "infusion", 0.00625, 24, 1, (const double[]){0});
    fixture_drug(&f, "clonazepam", "oral", "tablet", 0.125, 24, 2, (const double[]){0, 12});
    fixture_keep(&f, "overlap.P_hyp", HL_TAPER_PEAK, 0, 1);
    fixture_keep(&f, "overlap.P_hyp", HL_TAPER_HOURS_ABOVE, 0.02, 1e9);
    fixture_rungs(&f, &s, 1, (long[]){6, 8, 8}, 336);
    fixture_make(&f, NULL, 0);
    compare(&f, &s, 1e-3, 0.1);
    fixture_free(&f);
}

/* Patches whose lag is a subject's own; the withdrawal driver sees what is left in the skin. */
static void patches(void **state)
{
    (void)state;
    static const struct schedule s = {3, {{6, {3}}, {9, {2}}, {6, {1}}}};
    T0 = 144;
    double end = end_of(&s, 336);
    struct sheet sheet;
    sheet_begin(&sheet, "drugs: {fentanyl: fentanyl_adult}", 60, end, "fentanyl.W");
    fprintf(sheet.file, "metrics:\n  - {of: fentanyl.W, above: \"0.3\", window: [%.17g h, %.17g h], "
            "list: [Cmax, hours_above]}\narms:\n", T0, end);
    for (int k = 0; k < 2; k++)
        fprintf(sheet.file, "  - name: %s\n    fentanyl:\n      - {steady_state: {patch: 50 ug/h, every: 72 h}}\n"
                "      - {patch: 50 ug/h, every: 72 h, for: 6 d}\n", k ? "exact" : "before");
    write_levels(sheet.file, &s, 0, 0.0125, 0, PATCH);
    struct fixture f = sheet_read(&sheet);
    fixture_drug(&f, "fentanyl", "patch", "patch", 0.0125, 72, 1, (const double[]){0});
    fixture_keep(&f, "fentanyl.W", HL_TAPER_PEAK, 0, 1);
    fixture_keep(&f, "fentanyl.W", HL_TAPER_HOURS_ABOVE, 0.3, 1e9);
    fixture_rungs(&f, &s, 1, (long[]){4}, 336);
    fixture_make(&f, NULL, 0);
    compare(&f, &s, 1e-3, 0.1);
    fixture_free(&f);
    T0 = 168;
}

/* Clonazepam goes down, patches of fentanyl go on beside it. */
static void a_drug_goes_on(void **state)
{
    (void)state;
    static const struct schedule s = {2, {{7, {6, 6}}, {7, {3, 3}}}};
    double end = end_of(&s, 336);
    struct sheet sheet;
    sheet_begin(&sheet, "drugs: {fentanyl: fentanyl_adult, clonazepam: clonazepam_adult}\n"
                                     "interactions: {overlap: sedation_overlap}", 40, end, "overlap.P_hyp");
    fprintf(sheet.file, "metrics:\n  - {of: overlap.P_hyp, above: \"0.02\", window: [%.17g h, %.17g h], "
            "list: [Cmax, hours_above]}\narms:\n", T0, end);
    for (int k = 0; k < 2; k++)
        fprintf(sheet.file, "  - name: %s\n    fentanyl: [{patch: 50 ug/h, every: 72 h, doses: 6}, "
                "{infuse: 20 ug/h, for: 30 d}]\n    clonazepam:\n      - {steady_state: {oral: 1 mg, every: 12 h}}\n"
                "      - {oral: 1 mg, every: 12 h, for: 7 d}\n", k ? "exact" : "before");
    write_levels(sheet.file, &s, 0, 0.125, 0, ORAL);
    write_levels(sheet.file, &s, 1, 0.125, 12, ORAL);
    struct fixture f = sheet_read(&sheet);
    fixture_drug(&f, "clonazepam", "oral", "tablet", 0.125, 24, 2, (const double[]){0, 12});
    fixture_keep(&f, "overlap.P_hyp", HL_TAPER_PEAK, 0, 1);
    fixture_keep(&f, "overlap.P_hyp", HL_TAPER_HOURS_ABOVE, 0.02, 1e9);
    fixture_rungs(&f, &s, 1, (long[]){8, 8}, 336);
    fixture_make(&f, NULL, 0);
    compare(&f, &s, 1e-3, 0.2);
    fixture_free(&f);
}

/* Saturable elimination: the depot is linear, what it empties into isn't, and is fast enough to want shorter steps. */
static void saturable_elimination(void **state)
{
    (void)state;
    static const struct schedule s = {3, {{7, {6, 7}}, {7, {3, 4}}, {7, {0, 2}}}};
    double end = end_of(&s, 168);
    struct sheet sheet;
    sheet_begin(&sheet, "drugs: {d: pk_oral_1cmt_mm}", 40, end, "d.Cp");
    fprintf(sheet.file, "metrics:\n  - {of: d.Cp, above: 1 mg/L, window: [%.17g h, %.17g h], "
            "list: [Cmax, hours_above]}\narms:\n", T0, end);
    for (int k = 0; k < 2; k++)
        fprintf(sheet.file, "  - name: %s\n    d:\n      - {oral: 40 mg, every: 12 h, for: 7 d}\n",
                k ? "exact" : "before");
    write_levels(sheet.file, &s, 0, 5, 0, ORAL);
    write_levels(sheet.file, &s, 1, 5, 12, ORAL);
    struct fixture f = sheet_read(&sheet);
    fixture_drug(&f, "d", "oral", "tablet", 5, 24, 2, (const double[]){0, 12});
    fixture_keep(&f, "d.Cp", HL_TAPER_PEAK, 0, 1e9);
    fixture_keep(&f, "d.Cp", HL_TAPER_HOURS_ABOVE, 1, 1e9);
    fixture_rungs(&f, &s, 1, (long[]){8, 8}, 168);
    fixture_make(&f, NULL, 0);
    compare(&f, &s, 2e-3, 0.2);
    fixture_free(&f);
}

/* ---- Adherence: the engine's own rule. */

struct habits { const struct hl_adherence *rule; uint64_t seed; };

static unsigned next_dose(void *context, uint64_t subject, size_t drug, double time, void *walk)
{
    const struct habits *h = context;
    struct hl_adherence_person person;
    (void)drug;
    hl_adherence_person_init(&person, h->rule, h->seed, subject, "clonazepam");
    return hl_adherence_next(&person, walk, time);
}

static void missed_and_doubled_doses(void **state)
{
    (void)state;
    static const struct schedule s = {3, {{7, {6, 6}}, {7, {4, 4}}, {14, {0, 3}}}};
    double end = end_of(&s, 336);
    struct sheet sheet;
    sheet_begin(&sheet, "drugs: {clonazepam: clonazepam_adult}\nadherence: {markov: {miss_after_taken: "
                                     "\"7 %\", miss_after_missed: \"45 %\"}, double_after_miss: true, from: 168 h}", 60,
                                     end, "clonazepam.withdrawal_index");
    fprintf(sheet.file, "metrics:\n  - {of: clonazepam.withdrawal_index, above: \"20\", window: [%.17g h, %.17g h], "
            "list: [Cmax, hours_above]}\narms:\n", T0, end);
    for (int k = 0; k < 2; k++)
        fprintf(sheet.file, "  - name: %s\n    clonazepam:\n      - {steady_state: {oral: 1 mg, every: 12 h}}\n"
                "      - {oral: 1 mg, every: 12 h, for: 7 d}\n", k ? "exact" : "before");
    write_levels(sheet.file, &s, 0, 0.125, 0, ORAL);
    write_levels(sheet.file, &s, 1, 0.125, 12, ORAL);
    struct fixture f = sheet_read(&sheet);
    struct hl_regimen *regimen = hl_regimen_compile(f.arena, f.study, &f.study->arm[0], f.diag);
    struct habits habits = {regimen->adherence[0], f.study->arm[0].cohort->seed};
    struct hl_forecast_adherence adherence = {&habits, next_dose, sizeof(struct hl_adherence_walk)};
    fixture_drug(&f, "clonazepam", "oral", "tablet", 0.125, 24, 2, (const double[]){0, 12});
    fixture_keep(&f, "clonazepam.withdrawal_index", HL_TAPER_PEAK, 0, 80);
    fixture_keep(&f, "clonazepam.withdrawal_index", HL_TAPER_HOURS_ABOVE, 20, 1e9);
    fixture_rungs(&f, &s, 1, (long[]){8, 8}, 336);
    fixture_make(&f, NULL, 0);
    double *all = fixture_walk(f.outlook, &s, 1);
    hl_forecast_free(f.forecast);
    fixture_make(&f, &adherence, 0);
    compare(&f, &s, 1e-3, 0.5);
    double *some = fixture_walk(f.outlook, &s, 1);
    assert_true(difference_of(some, all, 60).absolute > 1); /* doses were missed indeed */
    /* both situations as one: the first's constraints, then the second's */
    struct hl_forecast *full = fixture_forecast(&f, NULL, 0), *part[] = {full, f.forecast};
    struct hl_forecast *both = hl_forecast_join(f.arena, part, 2, f.diag);
    double *joined = fixture_walk(hl_forecast_outlook(both), &s, 1);
    assert_int_equal(hl_forecast_outlook(both)->n_constraints, 4);
    assert_memory_equal(joined, all, 120 * sizeof *all);
    assert_memory_equal(joined + 120, some, 120 * sizeof *some);
    hl_free(all), hl_free(some), hl_free(joined);
    hl_forecast_free(both), hl_forecast_free(full);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_drugs),
        cmocka_unit_test(patches),
        cmocka_unit_test(a_drug_goes_on),
        cmocka_unit_test(saturable_elimination),
        cmocka_unit_test(missed_and_doubled_doses),
    };
    return cmocka_run_group_tests(tests, units_start, units_stop);
}
