/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Covariates of a data set: units, categories, and their gaps by the three rules, on tables written out by hand and
 * against a definition that looks at every pair of records. */
#include <math.h>

#include "data_sample.h"

static struct sample read_with(const char *text, enum hl_covariate_rule rule)
{
    struct sample s = sample_study(sample_drug, NULL);
    for (size_t k = 0; k < s.study.system->n_covariates; k++)
        s.spec->rule[k] = rule;
    sample_open(&s, text);
    if (!s.set)
        fail_msg("%s", s.messages);
    return s;
}

/* The values of covariate k over all records of the file. */
static void values_are(const char *text, enum hl_covariate_rule rule, size_t k, size_t n, const double *wanted)
{
    struct sample s = read_with(text, rule);
    enum hl_status status;
    const struct hl_individual *x;
    size_t i = 0, width = s.study.system->n_covariates;
    while ((x = hl_data_next(s.set, &status, s.diag)) != NULL)
        for (size_t j = 0; j < x->n; j++, i++)
            if (i >= n || fabs(x->covariate[j * width + k] - wanted[i]) > 1e-13 * fabs(wanted[i]))
                fail_msg("rule %d, record %zu: %.17g, expected %.17g", (int)rule, i, x->covariate[j * width + k],
                         wanted[i]);
    assert_int_equal(i, n);
    sample_free(&s);
}

static const char gaps[] = "ID,TIME,AMT,WT\n"
                           "1,0,1,.\n1,1,0,60\n1,2,0,.\n1,2,0,\n1,5,0,80.5\n1,6,0,.\n"
                           "2,3,1,70\n2,4,0,.\n2,9,0,.\n"
                           "3,3,1,.\n3,3,0,50\n3,3,0,.\n3,3,0,90\n";

static void three_rules(void **state)
{
    (void)state;
    static const double next[] = {60, 60, 80.5, 80.5, 80.5, 80.5, 70, 70, 70, 50, 50, 90, 90};
    static const double previous[] = {60, 60, 60, 60, 80.5, 80.5, 70, 70, 70, 50, 50, 50, 90};
    static const double line[] = {60, 60, 60 + 20.5 / 4, 60 + 20.5 / 4, 80.5, 80.5, 70, 70, 70, 50, 50, 90, 90};
    values_are(gaps, HL_COVARIATE_NEXT, 0, 13, next);
    values_are(gaps, HL_COVARIATE_PREVIOUS, 0, 13, previous);
    values_are(gaps, HL_COVARIATE_INTERPOLATE, 0, 13, line);
    static const char *const words[] = {"filled with the next known one of the individual, else the last",
                                        "filled with the last known one of the individual, else the next",
                                        "filled with those on the line between the individual's known ones"};
    for (int rule = 0; rule < 3; rule++) {
        struct sample s = read_with(gaps, (enum hl_covariate_rule)rule);
        sample_says(&s, 1, ":2:7: note: 8 missing values of WT in 3 individuals: ");
        assert_non_null(strstr(s.messages, words[rule]));
        assert_true(hl_data_facts(s.set)->varies[0] && !hl_data_facts(s.set)->varies[1]);
        sample_free(&s);
    }
}

/* No line is drawn across a clock that was set back. */
static void resets(void **state)
{
    (void)state;
    static const char text[] = "ID,TIME,EVID,AMT,WT\n1,0,1,1,60\n1,10,0,0,.\n1,0,3,0,.\n1,5,0,0,.\n1,10,0,0,80\n"
                               "2,0,1,1,60\n2,5,3,0,.\n2,10,0,0,80\n";
    static const double line[] = {60, 60, 80, 80, 80, 60, 70, 80};
    static const double next[] = {60, 80, 80, 80, 80, 60, 80, 80};
    values_are(text, HL_COVARIATE_INTERPOLATE, 0, 8, line);
    values_are(text, HL_COVARIATE_NEXT, 0, 8, next);
}

/* Categories are never interpolated, whatever the rule. */
static void categories(void **state)
{
    (void)state;
    static const char text[] = "ID,TIME,AMT,SEX\n1,0,1,male\n1,1,0,.\n1,2,0,FEMALE\n1,3,0,.\n2,0,1,1\n2,1,0,0.0\n";
    static const double next[] = {1, 0, 0, 0, 1, 0}, previous[] = {1, 1, 0, 0, 1, 0};
    values_are(text, HL_COVARIATE_INTERPOLATE, 2, 6, next);
    values_are(text, HL_COVARIATE_PREVIOUS, 2, 6, previous);
}

static void a_covariate_that_stays(void **state)
{
    (void)state;
    struct sample s = read_with("ID,TIME,AMT,wt,Age\n1,0,1,70,30\n1,1,0,70,31\n2,0,1,80,40\n", HL_COVARIATE_NEXT);
    sample_says(&s, 0, NULL);
    const struct hl_data_facts *f = hl_data_facts(s.set);
    assert_true(!f->varies[0] && f->varies[1] && !f->varies[2] && f->has_covariate_column);
    assert_true(f->column[3].covariate == 0 && f->column[4].covariate == 1 && f->column[0].covariate == -1);
    const struct hl_individual *x = sample_next(&s);
    assert_true(x->covariate[0] == 70.0 && x->covariate[1] == 30.0 && isnan(x->covariate[2]));
    sample_free(&s);
}

static const char other_units[] =
    "model: alpha\ntitle: units\ncovariates:\n  CR: {default: 1 mg/dL}\n  HT: {default: 170 cm}\n  DUR: {default: 3 "
    "h}\n"
    "parameters:\n  V: {value: 21.7 L, grade: assumption}\n  k: {value: 0.1 1/h, grade: assumption}\n"
    "individual:\n  x: \"CR / 1 [mg/dL] + HT / 1 [cm] + DUR / 1 [h]\"\n"
    "compartments:\n  central: {volume: V, default: observe}\nflows:\n  - central -> out: k\n"
    "routes:\n  iv: {into: central, default: dose}\n"
    "outputs:\n  Cp: {value: x * central / V, unit: ng/mL, label: plasma concentration}\n";

/* The model's own unit, the header's, the study's; and a covariate that takes the name of an item. */
static void units(void **state)
{
    (void)state;
    struct sample s = sample_study(other_units, NULL);
    struct hl_data_column column = {.item = "HT", .unit_text = "m"};
    s.spec->column = &column;
    s.spec->n_columns = 1;
    sample_open(&s, "ID,TIME,AMT,CR [g/L],HT [mm],DUR\n1,0,1,0.0125,1.83,4\n");
    sample_says(&s, 0, NULL);
    const struct hl_individual *x = sample_next(&s);
    assert_true(fabs(x->covariate[0] - 12.5) < 1e-12); /* mg/L */
    assert_true(fabs(x->covariate[1] - 18.3) < 1e-12); /* dm */
    assert_true(x->covariate[2] == 4.0 && x->record[0].DUR == 0.0 && x->record[0].RATE == 0.0);
    const struct hl_data_column_info *c = hl_data_facts(s.set)->column;
    assert_true(c[5].item == NULL && c[5].covariate == 2);
    assert_string_equal(c[4].unit_text, "m");
    assert_string_equal(c[5].unit_text, "h");
    sample_free(&s);
}

/* The amount as a covariate: columns: {DOSE: AMT}. */
static void an_item_that_is_a_covariate_too(void **state)
{
    (void)state;
    struct sample s = sample_study(sample_drug, NULL);
    struct hl_data_column column = {.item = "AGE", .column = "AMT"};
    s.spec->column = &column;
    s.spec->n_columns = 1;
    sample_open(&s, "ID,TIME,AMT [ug]\n1,0,2500\n");
    sample_says(&s, 1, ":1:9: error: AGE can't be in 'ug'; its model has it in year");
    sample_free(&s);
    s = sample_study(sample_drug, NULL);
    s.spec->column = &column;
    s.spec->n_columns = 1;
    sample_open(&s, "ID,TIME,AMT\n1,0,25\n1,1,.\n");
    sample_says(&s, 1, ":3:5: note: 1 missing value of AGE in 1 individual: filled");
    const struct hl_individual *x = sample_next(&s);
    assert_true(x->record[0].AMT == 25.0 && x->record[1].AMT == 0.0 && x->covariate[1] == 25.0 &&
                x->covariate[4] == 25.0);
    const struct hl_data_column_info *c = hl_data_facts(s.set)->column;
    assert_true(c[2].covariate == 1);
    assert_string_equal(c[2].item, "AMT");
    assert_string_equal(c[2].unit_text, "mg");
    sample_free(&s);
}

/* ---- Against the definition ---- */

static double defined(const double *time, const double *value, size_t n, size_t i, enum hl_covariate_rule rule)
{
    size_t before = n, after = n;
    if (!isnan(value[i]))
        return value[i];
    for (size_t k = 0; k < n; k++) {
        if (k < i && !isnan(value[k]))
            before = k;
        if (k > i && !isnan(value[k]) && after == n)
            after = k;
    }
    if (before == n || (after < n && rule == HL_COVARIATE_NEXT))
        return value[after];
    if (after == n || rule == HL_COVARIATE_PREVIOUS)
        return value[before];
    double share = time[after] > time[before] ? (time[i] - time[before]) / (time[after] - time[before]) : 1.0;
    return (1.0 - share) * value[before] + share * value[after];
}

static void random_gaps(void **state)
{
    (void)state;
    const char *given = getenv("HL_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20211009;
    print_message("HL_SEED=%llu\n", (unsigned long long)seed);
    for (int round = 0; round < 200; round++) {
        char text[4096] = "ID,TIME,AMT,WT\n";
        double time[20], value[20], wanted[20];
        size_t n = 1 + (size_t)(round % 20), at = strlen(text);
        double now = 0.0;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            now += (double)(seed >> 60) / 4.0; /* often no step at all */
            time[i] = now;
            value[i] = (seed >> 40) % 3 == 0 || i == (size_t)(seed >> 33) % n ? 40.0 + (double)((seed >> 20) % 99)
                                                                              : (double)NAN;
        }
        if (isnan(value[n - 1]) && isnan(value[0]))
            value[n - 1] = 61.25;
        for (size_t i = 0; i < n; i++)
            at += (size_t)(isnan(value[i]) ? snprintf(text + at, sizeof text - at, "1,%g,0,.\n", time[i])
                                           : snprintf(text + at, sizeof text - at, "1,%g,0,%g\n", time[i], value[i]));
        for (int rule = 0; rule < 3; rule++) {
            for (size_t i = 0; i < n; i++)
                wanted[i] = defined(time, value, n, i, (enum hl_covariate_rule)rule);
            values_are(text, (enum hl_covariate_rule)rule, 0, n, wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_rules),
        cmocka_unit_test(resets),
        cmocka_unit_test(categories),
        cmocka_unit_test(a_covariate_that_stays),
        cmocka_unit_test(units),
        cmocka_unit_test(random_gaps),
        cmocka_unit_test(an_item_that_is_a_covariate_too),
    };
    return cmocka_run_group_tests(tests, sample_start, sample_stop);
}
