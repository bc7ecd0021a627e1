/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which planned doses are taken: expected shares within binomial limits, the chain's stationary share and run lengths
 * against their closed forms, draws that depend on a dose's own time alone, days of the week, doubled doses, spread
 * between subjects, and every fault of adherence: as it is written. Lists of events with them: patches included. */
#include "unit/regimen_fake.h"

#include <math.h>

#include "regimen/adherence.h"

enum { N_TIMES = 400, N_PEOPLE = 300 };

static const struct hl_adherence *rule_of(const char *text)
{
    const struct hl_adherence *rule = NULL;
    struct hl_yaml *node = hl_yaml_load_text(arena, "a.yaml", text, diag);
    if (!node || !hl_adherence_read(arena, node, 8.0, &rule, diag))
        fail_msg("%s: %s", text, messages());
    return rule;
}

/* Doses at 08:00 and 20:00 of a study that begins at 08:00. */
static void times_of(double *time)
{
    for (size_t i = 0; i < N_TIMES; i++)
        time[i] = 12.0 * (double)i;
}

static void assert_share(const char *what, double hits, double n, double p)
{
    double limit = 4.5 * sqrt(p * (1 - p) / n); /* one false alarm in 150 000 */
    assert_near(what, hits / n, p, limit);
}

/* Fraction missed, pairs of neighbours both missed (p^2), and correlation between subjects: none. */
static void test_independent_misses(void **state)
{
    (void)state;
    const struct hl_adherence *rule = rule_of("{missed: \"7.3 %\"}");
    double time[N_TIMES], missed = 0, pairs = 0;
    unsigned char taken[N_TIMES];
    times_of(time);
    for (uint64_t k = 1; k <= N_PEOPLE; k++) {
        hl_adherence_taken(rule, 2026, k, "clonazepam", time, N_TIMES, NULL, taken);
        for (size_t i = 0; i < N_TIMES; i++) {
            assert_true(taken[i] <= 1);
            missed += taken[i] == 0;
            pairs += i > 0 && taken[i] == 0 && taken[i - 1] == 0;
        }
    }
    assert_share("missed", missed, (double)N_PEOPLE * N_TIMES, 0.073);
    assert_share("pairs missed", pairs, (double)N_PEOPLE * (N_TIMES - 1), 0.073 * 0.073);
    assert_near("long run", hl_adherence_missed_share(rule), 0.073, 1e-15);
}

/* Girard's chain: stationary share a/(a + 1 - b), runs of missed doses of mean length 1/(1 - b) and of taken ones of
 * 1/a, and the same share at the first dose as at the last. */
static void test_chain(void **state)
{
    (void)state;
    const struct hl_adherence *rule = rule_of("{markov: {miss_after_taken: \"4.7 %\", miss_after_missed: \"38 %\"}}");
    const double a = 0.047, b = 0.38, pi = a / (a + 1 - b);
    double time[N_TIMES], missed = 0, first = 0, last = 0, begun = 0, after_missed = 0, after_taken = 0;
    unsigned char taken[N_TIMES];
    times_of(time);
    for (uint64_t k = 1; k <= N_PEOPLE * 10; k++) {
        hl_adherence_taken(rule, 5, k, "clonazepam", time, N_TIMES, NULL, taken);
        first += taken[0] == 0;
        last += taken[N_TIMES - 1] == 0;
        for (size_t i = 1; i < N_TIMES; i++) {
            missed += taken[i] == 0;
            begun += taken[i] == 0 && taken[i - 1] != 0;
            after_missed += taken[i - 1] == 0;
            after_taken += taken[i - 1] != 0;
        }
    }
    assert_share("first dose missed", first, N_PEOPLE * 10, pi);
    assert_share("last dose missed", last, N_PEOPLE * 10, pi);
    assert_share("missed after taken", begun, after_taken, a);
    assert_share("missed after missed", missed - begun, after_missed, b);
    assert_near("missed", missed / (10.0 * N_PEOPLE * (N_TIMES - 1)), pi, 0.002);
    assert_near("run of missed doses", missed / begun, 1 / (1 - b), 0.02);
    assert_near("long run", hl_adherence_missed_share(rule), pi, 1e-15);
}

/* What was planned before, how many doses there are and how they are asked for (at once or one by one, from a copied
 * walk) doesn't matter; subject, seed and drug do. */
static void test_draws_belong_to_times(void **state)
{
    (void)state;
    const struct hl_adherence *rule = rule_of("{missed: 0.31, double_after_miss: true}");
    const struct hl_adherence *chain = rule_of("{markov: {miss_after_taken: 0.2, miss_after_missed: 0.7}}");
    double time[N_TIMES];
    unsigned char all[N_TIMES], tail[N_TIMES], other[N_TIMES];
    struct hl_adherence_person person;
    struct hl_adherence_walk walk = {0};
    size_t differ[3] = {0};
    times_of(time);
    hl_adherence_taken(rule, 11, 4, "clonazepam", time, N_TIMES, NULL, all);
    hl_adherence_taken(rule, 11, 4, "clonazepam", time + 57, N_TIMES - 57, NULL, tail);
    for (size_t i = 57; i < N_TIMES; i++)
        assert_int_equal(all[i] == 0, tail[i - 57] == 0);
    const struct { uint64_t seed, subject; const char *alias; } others[3] = {
        {12, 4, "clonazepam"}, {11, 5, "clonazepam"}, {11, 4, "fentanyl"}};
    for (size_t j = 0; j < 3; j++) {
        hl_adherence_taken(rule, others[j].seed, others[j].subject, others[j].alias, time, N_TIMES, NULL, other);
        for (size_t i = 0; i < N_TIMES; i++)
            differ[j] += (all[i] == 0) != (other[i] == 0);
        assert_in_range(differ[j], N_TIMES / 4, N_TIMES * 3 / 5); /* expected 2 p (1 - p) = 43 % */
    }
    hl_adherence_taken(chain, 11, 4, "clonazepam", time, N_TIMES, NULL, all);
    hl_adherence_person_init(&person, chain, 11, 4, "clonazepam");
    for (size_t i = 0; i < N_TIMES; i++) {
        struct hl_adherence_walk copy = walk;
        assert_int_equal(hl_adherence_next(&person, &copy, time[i]), all[i]);
        assert_int_equal(hl_adherence_next(&person, &walk, time[i] + 0.2 / 60), all[i]); /* the same minute */
        assert_int_equal(hl_adherence_next(&person, &walk, time[i]), all[i]); /* a second tablet of the same occasion */
    }
    hl_adherence_taken(chain, 11, 4, "clonazepam", time + 30, N_TIMES - 30, NULL, tail);
    for (size_t i = 80; i < N_TIMES; i++) /* chains begun elsewhere have long become one */
        assert_int_equal(all[i], tail[i - 30]);
}

/* From a Thursday 08:00 on: dose 3 is Friday 20:00, doses 4 to 7 the weekend's. */
static void test_days_of_the_week(void **state)
{
    (void)state;
    const struct hl_adherence *rule = rule_of("{weekends: {missed: \"100 %\"}, weekday: thursday}");
    const struct hl_adherence *wednesdays =
        rule_of("{markov: {miss_after_taken: 0, miss_after_missed: 0}, weekends: {missed: 1, days: [wednesday]}, "
                "weekday: wednesday}");
    double time[N_TIMES];
    unsigned char taken[N_TIMES];
    times_of(time);
    hl_adherence_taken(rule, 1, 1, "clonazepam", time, N_TIMES, NULL, taken);
    for (size_t i = 0; i < N_TIMES; i++)
        assert_int_equal(taken[i] == 0, (i / 2 + 3) % 7 >= 5); /* day 0 is weekday 3 */
    assert_near("share", hl_adherence_missed_share(rule), 2.0 / 7, 1e-15);
    double midnight[4] = {-8, -8 - 1.0 / 60, 16 - 1.0 / 60, 16}; /* 00:00, 23:59 before it, 23:59, 00:00 again */
    struct hl_adherence early = *wednesdays;
    early.from = -100;
    hl_adherence_taken(&early, 1, 1, "clonazepam", midnight, 4, NULL, taken);
    static const unsigned char expected[4] = {0, 1, 0, 1};
    assert_memory_equal(taken, expected, 4);
}

/* After a gap of any length one dose is doubled: the total is that of full adherence less the missed doses that nobody
 * makes up for. Outside the window everything is taken once. */
static void test_doubles_and_windows(void **state)
{
    (void)state;
    const struct hl_adherence *rule = rule_of("{missed: 0.4, double_after_miss: true, from: 1 d, until: 100 d}");
    double time[N_TIMES];
    unsigned char taken[N_TIMES];
    times_of(time);
    for (uint64_t k = 1; k <= 20; k++) {
        hl_adherence_taken(rule, 3, k, "clonazepam", time, N_TIMES, NULL, taken);
        for (size_t i = 0; i < N_TIMES; i++) {
            bool inside = time[i] >= 24 && time[i] < 2400, gap = i > 2 && taken[i - 1] == 0;
            assert_int_equal(taken[i] == 0 || taken[i] == (inside && gap ? 2 : 1), 1);
            assert_true(inside || taken[i] == 1);
        }
    }
    hl_adherence_taken(NULL, 3, 1, "clonazepam", time, N_TIMES, NULL, taken);
    for (size_t i = 0; i < N_TIMES; i++)
        assert_int_equal(taken[i], 1);
}

/* Half of the subjects miss more than p, half less; the variance of logit(p_i) is the spread's. */
static void test_spread_between_subjects(void **state)
{
    (void)state;
    const struct hl_adherence *rule = rule_of("{missed: 0.1, spread: 0.8}");
    double sum = 0, squares = 0, above = 0, n = 4000;
    for (uint64_t k = 1; k <= (uint64_t)n; k++) {
        struct hl_adherence_person person;
        hl_adherence_person_init(&person, rule, 17, k, "clonazepam");
        double p = person.after_taken, z = log(p / (1 - p)) - log(0.1 / 0.9);
        assert_true(person.after_missed == p && fabs(person.first - p) < 1e-15);
        sum += z;
        squares += z * z;
        above += p > 0.1;
    }
    assert_near("mean of the logit", sum / n, 0, 4.5 * 0.8 / sqrt(n));
    assert_near("its variance", squares / n, 0.64, 4.5 * 0.64 * sqrt(2 / n));
    assert_share("above the median", above, n, 0.5);
}

static void faulty(const char *text, const char *said)
{
    const struct hl_adherence *rule;
    struct hl_yaml *node = hl_yaml_load_text(arena, "a.yaml", text, diag);
    if (!node || hl_adherence_read(arena, node, 8.0, &rule, diag))
        fail_msg("%s is taken", text);
    assert_said(messages(), said);
}

static void test_faults(void **state)
{
    (void)state;
    faulty("{mised: 5 %}", "a.yaml:1:2: error: unknown key 'mised' in adherence; did you mean 'missed'?");
    faulty("{double_after_miss: true}", "1:1: error: adherence needs missed:, markov: or weekends:");
    faulty("[5 %]", "1:1: error: expected what people do with their doses: full, or such as {missed: \"5 %\"}");
    faulty("{missed: 105 %}", "1:10: error: the share of doses missed is a probability, from 0 % to 100 %");
    faulty("{missed: 5 mg}", "1:10: error: \"5 mg\" is not a fraction");
    faulty("{missed: 5 %, markov: {miss_after_taken: 1 %, miss_after_missed: 2 %}}",
           "1:15: error: 'missed' and 'markov' both say how doses are missed");
    faulty("{markov: {miss_after_taken: 1 %}}", "1:10: error: markov: needs miss_after_missed:");
    faulty("{markov: {miss_after_taken: 0, miss_after_missed: 1}}", "1:10: error: such a chain never changes");
    faulty("{markov: 5 %}", "1:10: error:");
    faulty("{missed: 5 %, weekends: {missed: 30 %}}", "1:25: error: weekends: needs to know which day of the week");
    faulty("{missed: 5 %, weekends: {days: sunday}, weekday: monday}", "1:25: error: weekends: needs missed:");
    faulty("{missed: 5 %, weekends: {missed: 3 %}, weekday: mondya}", "did you mean 'monday'?");
    faulty("{missed: 5 %, weekends: {missed: 3 %, days: []}, weekday: monday}",
           "1:45: error: expected days of the week");
    faulty("{missed: 5 %, weekday: monday}", "1:24: error: weekday: says which day t = 0 is, and only weekends:");
    faulty("{missed: 5 %, double_after_miss: 1}", "1:34: error: double_after_miss is true or false, found '1'");
    faulty("{missed: 5 %, spread: -1}", "1:23: error:");
    faulty("{missed: 5 %, from: 4 d, until: 2 d}", "1:33: error: doses would be missed until 48 h, before they begin");
    faulty("{missed: 5 %, from: 4 mg}", "1:21: error:");
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(hl_adherence_text(arena, rule_of("{missed: \"5 %\"}")),
                        "5 % of doses missed, each alone; from 0 h");
    assert_string_equal(hl_adherence_text(arena, rule_of("{markov: {miss_after_taken: 3 %, miss_after_missed: 40 %}, "
                                                         "weekends: {missed: 1/4}, weekday: monday, spread: 0.5, "
                                                         "double_after_miss: true, from: 2 d, until: 4 week}")),
                        "3 % of doses missed after one taken, 40 % after one missed, 25 % on weekends (t = 0 is a "
                        "monday), spread 0.5 between subjects (sd of the logit); the first dose taken after a gap is "
                        "doubled; from 48 h until 672 h");
    assert_null(rule_of("full"));
    assert_string_equal(hl_adherence_text(arena, NULL), "every dose taken as planned");
}

/* ---- In an arm */

static struct hl_events events;

static struct hl_regimen *with_rule(const char *adherence, const char *clonazepam, const char *fentanyl)
{
    const struct hl_yaml *prescription[2] = {NULL, NULL};
    prescription[0] = hl_yaml_load_text(arena, "s.yaml", clonazepam ? clonazepam : "none", diag);
    prescription[1] = hl_yaml_load_text(arena, "s.yaml", fentanyl ? fentanyl : "none", diag);
    struct hl_arm arm = {.name = "arm", .system = &fake_system, .prescription = prescription,
                         .adherence = hl_yaml_load_text(arena, "a.yaml", adherence, diag)};
    struct hl_regimen *regimen = hl_regimen_compile(arena, &fake_study, &arm, diag);
    if (!regimen || hl_diag_count(diag, HL_ERROR) > 0)
        fail_msg("%s\n%s", adherence, messages());
    return regimen;
}

static void listed(const struct hl_regimen *regimen)
{
    assert_int_equal(hl_regimen_events(regimen, &fake_system, fake_regs, LANES, 2, 7, 3, &events), HL_OK);
}

static int finish(void **state)
{
    hl_free(events.event);
    events = (struct hl_events){0};
    return end(state);
}

static size_t number_of(enum hl_event_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < events.n; i++)
        n += events.event[i].kind == kind;
    return n;
}

/* A missed dose leaves no trace; the next is twice as large; infusions, demands and doses of nothing go on. */
static void test_lists_of_doses(void **state)
{
    (void)state;
    const char *rule = "{clonazepam: {missed: 1, from: 11 h, until: 13 h, double_after_miss: true}}";
    struct hl_regimen *r =
        with_rule(rule, "[{oral: [2.385 mg, 0 mg], at: [\"08:00\", \"20:00\", \"20:05\"], for: 2 d}]",
                  "[{infuse: 480 ug/d, for: 3 d}]");
    assert_false(hl_regimen_is_common(r, &fake_system));
    assert_false(hl_regimen_is_shared(r, &fake_system));
    assert_null(r->adherence[1]);
    unsigned char taken[7];
    assert_int_equal(r->n_doses, 7);
    hl_regimen_taken(r, &fake_system, 7, 3, taken);
    /* 0 h 2.385 mg, 0 h infusion, 12 h 0 mg, 12.083 h 2.385 mg missed, 24 h 0 mg, 36 h 2.385 mg, 36.083 h 0 mg */
    static const unsigned char expected[7] = {1, 1, 1, 0, 1, 1, 1};
    assert_memory_equal(taken, expected, 7);
    listed(r);
    assert_int_equal(number_of(HL_EVENT_GIVEN), 6);
    struct hl_regimen *gap = with_rule("{markov: {miss_after_taken: 1, miss_after_missed: 0}, double_after_miss: true}",
                                       "[{oral: 2.385 mg, every: 12 h, doses: 12}]", "[{infuse: 1 mg, over: 1 h}]");
    unsigned char turns[13];
    hl_regimen_taken(gap, &fake_system, 7, 3, turns);
    listed(gap);
    double total = 0;
    for (size_t i = 0; i < events.n; i++)
        total += events.event[i].kind == HL_EVENT_ADD ? events.event[i].value / 0.9 : 0;
    assert_int_equal(number_of(HL_EVENT_ADD), 6); /* every second one */
    assert_near("total", total, 2.385 * (turns[0] == 0 ? 12 : 11), 1e-12);
    struct hl_regimen *pump =
        with_rule("{missed: 1}", NULL, "[{infuse: 480 ug/d, for: 3 d, demand: {bolus: 20 ug, per_hour: 1}}]");
    assert_null(pump->adherence); /* nothing there can be missed */
}

/* The typical subject is in the middle of the spread, and has the study's rule where the arm has none. */
static void test_typical(void **state)
{
    (void)state;
    static const struct hl_cohort_spec typical = {.subjects = 1, .typical = true}, people = {.subjects = 9};
    const struct hl_yaml *prescription[2] = {hl_yaml_load_text(arena, "s.yaml", "[{oral: 1 mg, every: 12 h, doses: 3}]",
                                                               diag), NULL};
    struct hl_arm arm = {.name = "arm", .system = &fake_system, .prescription = prescription, .cohort = &typical,
                         .adherence = hl_yaml_load_text(arena, "a.yaml", "{missed: 0.1, spread: 0.7}", diag)};
    assert_near("typical", hl_regimen_compile(arena, &fake_study, &arm, diag)->adherence[0]->spread, 0, 0);
    arm.cohort = &people;
    assert_near("people", hl_regimen_compile(arena, &fake_study, &arm, diag)->adherence[0]->spread, 0.7, 0);
}

/* When the rest of a patch put on at a time is taken off: the last removal of what went into its states. */
static double last_removal(void)
{
    double time = -INFINITY;
    for (size_t i = 0; i < events.n; i++)
        if (events.event[i].kind == HL_EVENT_ADD && events.event[i].value < 0 && events.event[i].state == F_PATCH2)
            time = fmax(time, events.event[i].time);
    return time;
}

/* A change that is missed leaves the old patch on until the missed one would have come off, and it goes on releasing
 * (content exp(-k1 30 - k2 (t - 30)), lag 2 h); the last one of a course, and one before a pause, comes off when
 * planned. */
static void test_patches_left_on(void **state)
{
    (void)state;
    struct hl_regimen *r = with_rule("{missed: 1, from: 60 h, until: 150 h}", NULL,
                                     "[{patch: [25 ug/h, 12.5 ug/h], every: 72 h, for: 9 d}]");
    listed(r);
    assert_int_equal(number_of(HL_EVENT_GIVEN), 2); /* two at 0 h; what was planned at 72 h and 144 h isn't put on */
    assert_near("the last rest comes off", last_removal(), 218, 1e-9);
    double rest = exp(-0.0103 * 30 - 0.02 * 186);
    assert_near("what is left", events.event[events.n - 2].value, -168 * 0.025 * rest, 1e-12);
    assert_near("of the second one", events.event[events.n - 1].value, -168 * 0.0125 * rest, 1e-12);
    listed(with_rule("{missed: 1, from: 60 h}", NULL, "[{patch: 25 ug/h, wear: 48 h, every: 72 h, doses: 3}]"));
    assert_near("before a pause", last_removal(), 50, 1e-9);
    listed(with_rule("{missed: 1, from: 0 h, until: 3 h}", NULL,
                     "[{steady_state: {patch: 25 ug/h, every: 72 h}}, {patch: 25 ug/h, every: 72 h, doses: 1}]"));
    assert_int_equal(number_of(HL_EVENT_GIVEN), 0);
    assert_near("the steady state's last one", last_removal(), 74, 1e-9);
    assert_near("its rest", events.event[events.n - 1].value, -168 * 0.025 * exp(-0.0103 * 30 - 0.02 * 114), 1e-12);
    listed(with_rule("{missed: 1, from: 60 h, until: 150 h}", NULL,
                     "[{reservoir: 25 ug/h, wear: 72 h, every: 72 h, for: 9 d}]"));
    assert_near("a reservoir runs on", events.event[events.n - 1].time, 217.5, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_independent_misses, begin, end),
        cmocka_unit_test_setup_teardown(test_chain, begin, end),
        cmocka_unit_test_setup_teardown(test_draws_belong_to_times, begin, end),
        cmocka_unit_test_setup_teardown(test_days_of_the_week, begin, end),
        cmocka_unit_test_setup_teardown(test_doubles_and_windows, begin, end),
        cmocka_unit_test_setup_teardown(test_spread_between_subjects, begin, end),
        cmocka_unit_test_setup_teardown(test_faults, begin, end),
        cmocka_unit_test_setup_teardown(test_words, begin, end),
        cmocka_unit_test_setup_teardown(test_lists_of_doses, begin, finish),
        cmocka_unit_test_setup_teardown(test_typical, begin, finish),
        cmocka_unit_test_setup_teardown(test_patches_left_on, begin, finish),
    };
    return cmocka_run_group_tests_name("regimen_adherence", tests, units_on, units_off);
}
