/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual patients: distributions have the moments they should (200 000 subjects, bounds of five standard errors),
 * correlations are those asked for, and a subject is a function of seed and number alone, bit for bit. */
#include "study_sample.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#include "cohort/cohort.h"
#include "study/distribution.h"

#define N     200000
#define LANES 64

#define HEAD                                                                                                           \
    "study: people\n"                                                                                                  \
    "drugs: {clonazepam: alpha, fentanyl: gamma}\n"                                                                    \
    "arms: [{name: a, clonazepam: [{oral: 1 mg, every: 24 h, for: 3 d}]}, {name: b, covariates: {cbz: present, WT: "   \
    "90 kg}}]\n"                                                                                                       \
    "times: [{until: 72 h, every: 30 min}]\n"

/* A study with its first arm's cohort. */
struct people {
    struct sample s;
    struct hl_cohort *cohort;
    const struct hl_system *system;
};

static struct people people_of_arm(const char *text, size_t arm)
{
    struct people p = {.s = sample_good(text)};
    p.system = p.s.study->arm[arm].system;
    p.cohort = hl_cohort_create(&p.s.study->arm[arm], p.s.diag);
    if (!p.cohort) {
        sample_messages(&p.s);
        fail_msg("a cohort was refused:\n%s", p.s.messages);
    }
    return p;
}

static struct people people_of(const char *text)
{
    return people_of_arm(text, 0);
}

static void people_free(struct people *p)
{
    hl_cohort_free(p->cohort);
    sample_free(&p->s);
}

static int reg(const struct hl_system *system, const char *name)
{
    for (size_t i = 0; i < system->n_regs; i++)
        if (system->reg[i].name && strcmp(system->reg[i].name, name) == 0)
            return (int)i;
    fail_msg("no register '%s'", name);
    return -1;
}

/* The values of n_names registers for N subjects: column[j][subject - 1]. */
static void draw(const struct people *p, const char *const *name, size_t n_names, double *column[])
{
    double *regs = hl_alloc(p->system->n_regs * LANES, sizeof *regs);
    assert_non_null(regs);
    for (size_t first = 0; first < N; first += LANES) {
        size_t n = N - first < LANES ? N - first : LANES;
        hl_cohort_fill(p->cohort, first + 1, n, regs, LANES);
        for (size_t j = 0; j < n_names; j++)
            memcpy(column[j] + first, regs + (size_t)reg(p->system, name[j]) * LANES, n * sizeof(double));
    }
    hl_free(regs);
}

static double *column_of(const struct people *p, const char *name)
{
    double *column = hl_alloc(N, sizeof *column);
    draw(p, &name, 1, &column);
    return column;
}

static double mean_of(const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += x[i];
    return sum / N;
}

static double covariance_of(const double *x, const double *y)
{
    double mx = mean_of(x), my = mean_of(y), sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += (x[i] - mx) * (y[i] - my);
    return sum / (N - 1);
}

static double correlation_of(const double *x, const double *y)
{
    return covariance_of(x, y) / sqrt(covariance_of(x, x) * covariance_of(y, y));
}

static void close_to(const char *what, double found, double expected, double bound)
{
    if (!(fabs(found - expected) <= bound))
        fail_msg("%s: found %.8g, expected %.8g within %.3g", what, found, expected, bound);
}

/* Mean and variance of a quantity, whose fourth central moment over the squared variance is kurtosis. */
static void check_moments(const char *what, const double *x, double mean, double sd, double kurtosis)
{
    close_to(what, mean_of(x), mean, 5 * sd / sqrt(N));
    close_to(what, covariance_of(x, x), sd * sd, 5 * sd * sd * sqrt((kurtosis - 1) / N));
}

static void check_correlation(const char *what, const double *x, const double *y, double r)
{
    close_to(what, correlation_of(x, y), r, 5 * (1 - r * r) / sqrt(N));
}

static void take_logarithms(double *x)
{
    for (size_t i = 0; i < N; i++)
        x[i] = log(x[i]);
}

static void etas(void **state)
{
    (void)state;
    struct people p = people_of(HEAD "cohort: {subjects: 200000, seed: 20211009, correlations: "
                                     "[{between: [clonazepam.eta_CL, fentanyl.eta_CL], r: 0.3}, "
                                     "{between: [fentanyl.eta_F, clonazepam.eta_CL], r: -0.52}]}\n");
    static const char *const names[] = {"clonazepam.eta_CL", "fentanyl.eta_CL", "clonazepam.eta_KA", "clonazepam.eta_F",
                                        "clonazepam.eta_V",  "fentanyl.eta_KA", "fentanyl.eta_F"};
    const double sd[] = {0.25, 0.25, 0.37, 0.21, sqrt(log1p(0.04)), 0.37, 0.21};
    double *x[7];
    for (size_t j = 0; j < 7; j++)
        x[j] = hl_alloc(N, sizeof(double));
    draw(&p, names, 7, x);
    for (size_t j = 0; j < 7; j++)
        check_moments(names[j], x[j], 0, sd[j], 3);
    check_correlation("CL, CL", x[0], x[1], 0.3);
    check_correlation("block of clonazepam", x[2], x[3], 0.45);
    check_correlation("block of fentanyl", x[5], x[6], 0.45);
    check_correlation("F of fentanyl, CL", x[6], x[0], -0.52);
    check_correlation("strangers", x[0], x[4], 0);
    check_correlation("strangers in a group", x[1], x[6], 0);
    check_correlation("strangers, different drugs", x[2], x[5], 0);
    for (size_t j = 0; j < 7; j++)
        hl_free(x[j]);
    people_free(&p);
}

static void covariates(void **state)
{
    (void)state;
    struct people p = people_of(
        HEAD
        "cohort: {subjects: 200000, seed: 3, covariates: {WT: {lognormal: {median: 70 kg, cv: \"20 %\"}}, AGE: "
        "{uniform: [20 "
        "year, 75 year]}, cbz: {categorical: {absent: \"71.5 %\", present: 0.285}}}, correlations: [{between: [WT, "
        "clonazepam.eta_V], r: -0.41}, {between: [AGE, WT], r: 0.25}]}\n");
    double *wt = column_of(&p, "WT"), *age = column_of(&p, "AGE"), *cbz = column_of(&p, "cbz");
    double *eta = column_of(&p, "clonazepam.eta_V"), *class = column_of(&p, "clonazepam.absorption");
    check_moments("AGE", age, 47.5, 55 / sqrt(12), 1.8);
    close_to("cbz", mean_of(cbz), 0.285, 5 * sqrt(0.285 * 0.715 / N));
    close_to("absorption", mean_of(class), 0.27, 5 * sqrt(0.27 * 0.73 / N));
    take_logarithms(wt);
    check_moments("ln WT", wt, log(70), sqrt(log1p(0.04)), 3);
    check_correlation("ln WT, eta_V", wt, eta, -0.41);
    for (size_t i = 0; i < N; i++) /* back to the normal score, on which the correlation is defined */
        age[i] = gsl_cdf_ugaussian_Pinv((age[i] - 20) / 55);
    check_correlation("AGE, ln WT", age, wt, 0.25);
    check_correlation("AGE, eta_V", age, eta, 0);
    hl_free(wt);
    hl_free(age);
    hl_free(cbz);
    hl_free(eta);
    hl_free(class);
    people_free(&p);
}

#define ELDERLY                                                                                                        \
    "study: people\n"                                                                                                  \
    "drugs: {clonazepam: alpha}\n"                                                                                     \
    "arms: [{name: all, clonazepam: [{oral: 1 mg, every: 24 h, for: 3 d}]}, {name: elderly, covariates: {AGE: "         \
    "{uniform: [71 year, 86.5 year]}, WT: {lognormal: {median: 58 kg, cv: \"11 %\"}}, cbz: {categorical: {present: 0.5, " \
    "absent: 0.5}}}, clonazepam: [{oral: 1 mg, every: 24 h, for: 3 d}]}]\n"                                            \
    "times: [{until: 72 h, every: 30 min}]\n"

/* An arm's own distributions: everybody keeps its place among the people, and everything else; the typical subject is in
 * the middle. */
static void an_arm_of_its_own(void **state)
{
    (void)state;
    static const char cohort[] =
        ELDERLY "cohort: {subjects: 200000, seed: 3, covariates: {WT: {lognormal: {median: 70 kg, cv: \"20 %\"}}, AGE: "
                "{uniform: [20 year, 75 year]}}, correlations: [{between: [WT, clonazepam.eta_V], r: -0.41}]}\n";
    struct people all = people_of_arm(cohort, 0), old = people_of_arm(cohort, 1);
    const char *const names[] = {"AGE", "WT", "cbz", "clonazepam.eta_V", "clonazepam.eta_CL"};
    double *a[5], *b[5];
    for (size_t k = 0; k < 5; k++) {
        a[k] = column_of(&all, names[k]);
        b[k] = column_of(&old, names[k]);
    }
    double s = sqrt(log1p(0.04)), t = sqrt(log1p(0.0121)), old_present = mean_of(b[2]), all_present = mean_of(a[2]);
    for (size_t i = 0; i < N; i++) {
        assert_true(fabs((a[0][i] - 20) / 55 - (b[0][i] - 71) / 15.5) < 1e-12);
        assert_true(fabs(log(a[1][i] / 70) / s - log(b[1][i] / 58) / t) < 1e-10);
        assert_true(a[3][i] == b[3][i] && a[4][i] == b[4][i]);
    }
    assert_true(all_present == 0);
    close_to("cbz of the elderly", old_present, 0.5, 5 * sqrt(0.25 / N));
    for (size_t k = 0; k < 5; k++) {
        hl_free(a[k]);
        hl_free(b[k]);
    }
    people_free(&all);
    people_free(&old);
    struct people one = people_of_arm(ELDERLY "cohort: typical\n", 1);
    double *regs = hl_alloc(one.system->n_regs, sizeof *regs);
    hl_cohort_fill(one.cohort, 1, 1, regs, 1);
    const struct hl_system_covariate *age = &one.system->covariate[hl_system_find_covariate(one.system, "AGE")];
    close_to("the typical elderly", regs[age->reg] / age->info->unit.factor, (71 + 86.5) / 2, 1e-9);
    hl_free(regs);
    people_free(&one);
}

/* Moments of a standard normal truncated to [a, b] (Johnson, Kotz, Balakrishnan 1994, section 13.10.1). */
static void truncated_normal(double a, double b, double *mean, double *sd)
{
    double z = gsl_cdf_ugaussian_P(b) - gsl_cdf_ugaussian_P(a);
    double fa = gsl_ran_ugaussian_pdf(a), fb = gsl_ran_ugaussian_pdf(b);
    *mean = (fa - fb) / z;
    *sd = sqrt(1 + (a * fa - b * fb) / z - *mean * *mean);
}

static void truncation(void **state)
{
    (void)state;
    struct people p =
        people_of(HEAD "cohort: {subjects: 200000, seed: 11, covariates: {WT: {lognormal: {median: 68.3 kg, sd: 0.24}, "
                       "within: [61 kg, 118 kg]}, AGE: {normal: {mean: 30 year, cv: \"40 %\"}, within: [52 year, 91 "
                       "year]}}}\n");
    double *wt = column_of(&p, "WT"), *age = column_of(&p, "AGE"), mean, sd;
    for (size_t i = 0; i < N; i++) {
        assert_true(wt[i] >= 61 && wt[i] <= 118);
        assert_true(age[i] >= 52 && age[i] <= 91);
    }
    take_logarithms(wt);
    truncated_normal(log(61 / 68.3) / 0.24, log(118 / 68.3) / 0.24, &mean, &sd);
    check_moments("ln WT", wt, log(68.3) + 0.24 * mean, 0.24 * sd, 3);
    truncated_normal(22 / 12.0, 61 / 12.0, &mean, &sd);
    check_moments("AGE", age, 30 + 12 * mean, 12 * sd, 5);
    hl_free(wt);
    hl_free(age);
    people_free(&p);
}

static void deep_tail(void **state)
{
    (void)state;
    const struct hl_distribution d = {
        .kind = HL_DIST_NORMAL, .a = 0, .b = 1, .truncated = true, .low = 6.5, .high = 6.9};
    double before = 0;
    for (double z = -8; z <= 8;
         z += 0.125) { /* six and a half standard deviations out the values still tell each other apart */
        double x = hl_distribution_value(&d, z);
        assert_true(x >= 6.5 && x <= 6.9 && x >= before);
        before = x;
    }
    close_to("median", hl_distribution_value(&d, 0),
             -gsl_cdf_ugaussian_Pinv((gsl_cdf_ugaussian_P(-6.9) + gsl_cdf_ugaussian_P(-6.5)) / 2), 1e-12);
}

static void uncertainty(void **state)
{
    (void)state;
    struct people p = people_of(
        HEAD "cohort: {subjects: 200000, seed: 5, uncertainty: drawn}\nparameters: {fentanyl.TVCL: 33 L/h}\n");
    double *cl = column_of(&p, "clonazepam.TVCL"), *v = column_of(&p, "clonazepam.TVV"),
           *ka = column_of(&p, "clonazepam.TVKA");
    double *own = column_of(&p, "fentanyl.TVCL"), *fixed = column_of(&p, "clonazepam.f_cbz");
    take_logarithms(cl);
    take_logarithms(own);
    check_moments("ln TVCL", cl, log(3.61), 0.31, 3);
    check_moments("ln TVCL of fentanyl", own, log(33), 0.31, 3);
    check_moments("TVV", v, 217, 21, 3);
    check_moments("TVKA", ka, 2.0, 1.8 / sqrt(12), 1.8);
    check_correlation("two drugs", cl, own, 0);
    assert_float_equal(fixed[N - 1], 1.7, 0);
    hl_free(cl);
    hl_free(v);
    hl_free(ka);
    hl_free(own);
    hl_free(fixed);
    people_free(&p);
}

static void individual_values(void **state)
{
    (void)state;
    struct people p =
        people_of_arm(HEAD "cohort: {subjects: 100, seed: 2}\nparameters: {clonazepam.TVCL: 2.9 L/h}\n", 1);
    double *regs = hl_alloc(p.system->n_regs * 8, sizeof *regs);
    hl_cohort_fill(p.cohort, 1, 8, regs, 8);
    for (size_t i = 0; i < 8; i++) { /* arm b: carbamazepine, 90 kg, for everyone */
        double eta = regs[(size_t)reg(p.system, "clonazepam.eta_CL") * 8 + i];
        double cl = regs[(size_t)reg(p.system, "clonazepam.CL") * 8 + i];
        assert_float_equal(regs[(size_t)reg(p.system, "WT") * 8 + i], 90, 0);
        close_to("CL", cl, 2.9 * pow(90 / 70.0, 0.75) * exp(eta) * 1.7, 1e-13 * cl);
    }
    hl_free(regs);
    people_free(&p);
}

static void typical_subject(void **state)
{
    (void)state;
    struct people p =
        people_of(HEAD "cohort: {typical: true, subjects: 7, covariates: {WT: {lognormal: {median: 90 kg, cv: 20 %}}}, "
                       "uncertainty: drawn}\n");
    double *regs = hl_alloc(p.system->n_regs * 8, sizeof *regs);
    hl_cohort_fill(p.cohort, 1, 1, regs, 8);
    for (size_t i = 0; i < p.system->n_etas; i++)
        assert_float_equal(regs[(size_t)p.system->eta[i].reg * 8], 0, 0);
    assert_float_equal(regs[(size_t)reg(p.system, "WT") * 8], 71.3, 0);
    assert_float_equal(regs[(size_t)reg(p.system, "clonazepam.absorption") * 8], 0, 0); /* slow: 73 % */
    assert_float_equal(regs[(size_t)reg(p.system, "clonazepam.TVCL") * 8], 3.61, 0);
    close_to("CL", regs[(size_t)reg(p.system, "clonazepam.CL") * 8], 3.61 * pow(71.3 / 70, 0.75), 1e-13);
    hl_free(regs);
    people_free(&p);
}

/* ---- who a subject is */

#define VARIED                                                                                                         \
    "seed: 77, uncertainty: drawn, covariates: {WT: {lognormal: {median: 70 kg, cv: \"20 %\"}, within: [45 kg, 120 "   \
    "kg]}, AGE: "                                                                                                      \
    "{uniform: [20 year, 75 year]}, cbz: {categorical: {absent: 0.5, present: 0.5}}}, correlations: [{between: [WT, "  \
    "clonazepam.eta_V], r: 0.3}]}\n"

static double *filled(const struct people *p, uint64_t first, size_t n, size_t lanes)
{
    double *regs = hl_alloc(p->system->n_regs * lanes, sizeof *regs);
    assert_non_null(regs);
    hl_cohort_fill(p->cohort, first, n, regs, lanes);
    return regs;
}

/* All registers of one lane here are those of one lane there, bit for bit. */
static void same_person(const struct people *p, const double *a, size_t lanes_a, size_t i, const double *b,
                        size_t lanes_b, size_t j)
{
    for (size_t r = 0; r < p->system->n_regs; r++)
        if (memcmp(&a[r * lanes_a + i], &b[r * lanes_b + j], sizeof(double)) != 0)
            fail_msg("register %zu (%s): %.17g and %.17g", r,
                     p->system->reg[r].name ? p->system->reg[r].name : "unnamed", a[r * lanes_a + i],
                     b[r * lanes_b + j]);
}

static void subject_17(void **state)
{
    (void)state;
    struct people small = people_of(HEAD "cohort: {subjects: 20, " VARIED),
                  large = people_of(HEAD "cohort: {subjects: 20000, " VARIED);
    double *first = filled(&small, 1, 20, 24);
    static const struct {
        uint64_t first;
        size_t n, lanes;
    } blocks[] = {{1, 20, 32}, {17, 1, 1}, {17, 1, 8}, {9, 16, 16}, {11, 64, 64}, {1, 1000, 1000}, {13, 5, 8}};
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        double *regs = filled(&large, blocks[b].first, blocks[b].n, blocks[b].lanes);
        same_person(&large, first, 24, 16, regs, blocks[b].lanes, (size_t)(17 - blocks[b].first));
        for (size_t i = blocks[b].n; i < blocks[b].lanes; i++) /* padding repeats the last one */
            same_person(&large, regs, blocks[b].lanes, blocks[b].n - 1, regs, blocks[b].lanes, i);
        hl_free(regs);
    }
    hl_free(first);
    people_free(&small);
    people_free(&large);
}

/* More drugs, more correlations elsewhere, another order: nobody's own numbers move. */
static void additions_shift_nothing(void **state)
{
    static const char *const names[] = {"clonazepam.eta_CL",
                                        "clonazepam.eta_V",
                                        "clonazepam.eta_KA",
                                        "clonazepam.eta_F",
                                        "clonazepam.absorption",
                                        "WT",
                                        "AGE",
                                        "clonazepam.TVCL",
                                        "clonazepam.CL"};
    static const char body[] = "arms: [{name: a}]\ntimes: [{until: 72 h, every: 30 min}]\n";
    char text[2048];
    (void)state;
    snprintf(text, sizeof text, "study: one\ndrugs: {clonazepam: alpha}\n%scohort: {subjects: 20, %s", body, VARIED);
    struct people one = people_of(text);
    snprintf(text, sizeof text,
             "study: two\ndrugs: {fentanyl: gamma, clonazepam: alpha}\n%scohort: {subjects: 20, "
             "correlations: [{between: [fentanyl.eta_CL, fentanyl.eta_V], r: 0.7}, {between: [clonazepam.eta_V, WT], "
             "r: 0.3}], "
             "seed: 77, uncertainty: drawn, covariates: {AGE: {uniform: [20 year, 75 year]}, cbz: {categorical: "
             "{absent: 0.5, "
             "present: 0.5}}, WT: {lognormal: {median: 70 kg, cv: \"20 %%\"}, within: [45 kg, 120 kg]}}}\n",
             body);
    struct people two = people_of(text);
    double *a = filled(&one, 1, 20, 24), *b = filled(&two, 1, 20, 24);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t i = 0; i < 20; i++) {
            double x = a[(size_t)reg(one.system, names[n]) * 24 + i], y = b[(size_t)reg(two.system, names[n]) * 24 + i];
            if (memcmp(&x, &y, sizeof x) != 0)
                fail_msg("%s of subject %zu: %.17g and %.17g", names[n], i + 1, x, y);
        }
    hl_free(a);
    hl_free(b);
    people_free(&one);
    people_free(&two);
}

static void seeds_and_arms(void **state)
{
    (void)state;
    struct people a = people_of(HEAD "cohort: {subjects: 20, seed: 1}\n"),
                  b = people_of(HEAD "cohort: {subjects: 20, seed: 2}\n");
    struct people c = people_of_arm(HEAD "cohort: {subjects: 20, seed: 1}\n", 1);
    double *x = filled(&a, 1, 8, 8), *y = filled(&b, 1, 8, 8), *z = filled(&c, 1, 8, 8);
    size_t eta = (size_t)reg(a.system, "clonazepam.eta_CL") * 8;
    for (size_t i = 0; i < 8; i++) {
        assert_true(x[eta + i] != y[eta + i]);
        assert_memory_equal(&x[eta + i], &z[eta + i], sizeof(double)); /* the same person in the other arm */
    }
    hl_free(x);
    hl_free(y);
    hl_free(z);
    people_free(&a);
    people_free(&b);
    people_free(&c);
}

static void rows_of_a_table(void **state)
{
    char here[4096];
    (void)state;
    sample_write(
        "people.csv",
        "ID,WT [kg],AGE (year),cbz\n1,52.3,31,absent\n2,71.7,44,present\n3,97.9,83,absent\n4,64.1,27,present\n");
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(sample_folder), 0);
    struct people p = people_of(HEAD "cohort: {subjects: 200000, seed: 8, csv: people.csv, covariates: {WT: csv}}\n");
    assert_int_equal(chdir(here), 0);
    static const double wt[] = {52.3, 71.7, 97.9, 64.1}, age[] = {31, 44, 83, 27}, cbz[] = {0, 1, 0, 1};
    static const char *const names[] = {"WT", "AGE", "cbz"};
    double *x[3], count[4] = {0};
    for (size_t j = 0; j < 3; j++)
        x[j] = hl_alloc(N, sizeof(double));
    draw(&p, names, 3, x);
    for (size_t i = 0; i < N; i++) {
        size_t row = 0;
        while (row < 4 && fabs(x[0][i] - wt[row]) > 1e-9)
            row++;
        assert_true(row < 4);
        assert_float_equal(x[1][i], age[row], 0); /* whole rows */
        assert_float_equal(x[2][i], cbz[row], 0);
        count[row]++;
    }
    for (size_t row = 0; row < 4; row++)
        close_to("share of a row", count[row] / N, 0.25, 5 * sqrt(0.25 * 0.75 / N));
    for (size_t j = 0; j < 3; j++)
        hl_free(x[j]);
    people_free(&p);
}

/* ---- what can't be */

static void refuse(const char *cohort, const char *place, const char *message)
{
    char text[4096];
    snprintf(text, sizeof text, "%scohort: %s\n", HEAD, cohort);
    struct sample s = sample_good(text);
    assert_null(hl_cohort_create(&s.study->arm[0], s.diag));
    sample_messages(&s);
    if (!strstr(s.messages, place) || !strstr(s.messages, message))
        fail_msg("expected %s ... %s in\n%s", place, message, s.messages);
    sample_free(&s);
}

static void impossible_correlations(void **state)
{
    (void)state;
    /* r = 0.9, 0.9, -0.9: eigenvalues 1.9, 1.9 and -0.8; by symmetry the nearest matrix has 0.5, 0.5, -0.5,
     * or 0.499 with its smallest eigenvalue, 1 - 2 r, at the floor of 0.002 */
    refuse("{subjects: 20, correlations: [{between: [clonazepam.eta_CL, fentanyl.eta_CL], r: 0.9}, {between: "
           "[clonazepam.eta_CL, "
           "clonazepam.eta_V], r: 0.9}, {between: [fentanyl.eta_CL, clonazepam.eta_V], r: -0.9}]}",
           "s:5:",
           "their matrix has the eigenvalue -0.8, and all must be above 0; the nearest valid correlations are: "
           "clonazepam.eta_CL with clonazepam.eta_V 0.499, clonazepam.eta_CL with fentanyl.eta_CL 0.499, "
           "clonazepam.eta_V with fentanyl.eta_CL -0.499");
    refuse("{subjects: 20, correlations: [{between: [clonazepam.eta_CL, fentanyl.eta_CL], r: 1}]}",
           "s:5:39: error: ", "eigenvalue 0");
}

static void proposed_matrix_works(void **state)
{
    (void)state;
    char text[4096], *at, first[128], second[128];
    const char *pattern =
        "%scohort: {subjects: 20, correlations: [{between: [clonazepam.eta_CL, fentanyl.eta_CL], r: %g}, {between: "
        "[clonazepam.eta_CL, clonazepam.eta_V], r: %g}, {between: [fentanyl.eta_CL, clonazepam.eta_V], r: %g}]}\n";
    double r[3], value;
    snprintf(text, sizeof text, pattern, HEAD, 0.95, 0.8, -0.3);
    struct sample s = sample_good(text);
    assert_null(hl_cohort_create(&s.study->arm[0], s.diag));
    sample_messages(&s);
    at = strstr(s.messages, "are: ") + 5;
    int used;
    for (int i = 0; i < 3 && sscanf(at, "%127s with %127s %lf%n", first, second, &value, &used) == 3; i++) {
        bool v = strcmp(second, "clonazepam.eta_V") == 0 || strcmp(first, "clonazepam.eta_V") == 0;
        bool f = strcmp(second, "fentanyl.eta_CL") == 0 || strcmp(first, "fentanyl.eta_CL") == 0;
        r[v && f ? 2 : v ? 1 : 0] = value;
        at += used;
        at += strspn(at, ", ");
    }
    sample_free(&s);
    close_to("first", r[0], 0.95, 0.25);
    close_to("second", r[1], 0.8, 0.25);
    close_to("third", r[2], -0.3, 0.8);
    snprintf(text, sizeof text, pattern, HEAD, r[0], r[1], r[2]);
    struct people p = people_of(text);
    people_free(&p);
}

/* Specifications that no study file can bring about are refused too. */
static void impossible_by_hand(void **state)
{
    (void)state;
    struct sample s = sample_good(HEAD "cohort: {subjects: 20, seed: 7}\n");
    struct hl_cohort_spec spec = *s.study->arm[0].cohort;
    struct hl_distribution d = {.kind = HL_DIST_NORMAL, .a = 70, .b = -3};
    struct hl_arm arm = s.study->arm[0];
    struct hl_correlation c = {.a = "clonazepam.eta_CL", .b = "clonazepam.eta_XX", .r = 0.1};
    arm.cohort = &spec;
    spec.subjects = 0;
    assert_null(hl_cohort_create(&arm, s.diag));
    spec = *s.study->arm[0].cohort;
    spec.distribution = hl_arena_alloc(s.arena, arm.system->n_covariates, sizeof d);
    for (size_t i = 0; i < arm.system->n_covariates; i++)
        spec.distribution[i] = d;
    assert_null(hl_cohort_create(&arm, s.diag));
    spec = *s.study->arm[0].cohort;
    spec.n_correlations = 1;
    spec.correlation = &c;
    assert_null(hl_cohort_create(&arm, s.diag));
    c.b = "fentanyl.eta_CL";
    c.r = -1.5;
    assert_null(hl_cohort_create(&arm, s.diag));
    assert_true(hl_diag_count(s.diag, HL_ERROR) >= 4);
    sample_free(&s);
}

static void outside_a_models_range(void **state)
{
    static const struct {
        const char *cohort, *message;
    } cases[] = {
        {"cohort: {subjects: 20, covariates: {WT: 210 kg}}\n",
         "s:5:41: warning: WT = 210 kg lies outside the range its model states, 30 to 200 kg"},
        {"cohort: {subjects: 20, covariates: {AGE: {uniform: [8 year, 28 year]}}}\n",
         "s:5:42: warning: about 50.00 % of the subjects"},
        {"cohort: {subjects: 20, covariates: {WT: {normal: {mean: 30 kg, sd: 1 kg}, within: [30 kg, 40 kg]}}}\n", NULL},
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s%s", HEAD, cases[i].cohort);
        struct sample s = sample_good(text);
        if (cases[i].message ? !strstr(s.messages, cases[i].message) : strstr(s.messages, "warning: about") != NULL)
            fail_msg("%s\nexpected %s in\n%s", cases[i].cohort, cases[i].message ? cases[i].message : "nothing",
                     s.messages);
        sample_free(&s);
    }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(etas),
        cmocka_unit_test(covariates), cmocka_unit_test(an_arm_of_its_own),
        cmocka_unit_test(truncation),
        cmocka_unit_test(deep_tail),
        cmocka_unit_test(uncertainty),
        cmocka_unit_test(individual_values),
        cmocka_unit_test(typical_subject),
        cmocka_unit_test(subject_17),
        cmocka_unit_test(additions_shift_nothing),
        cmocka_unit_test(seeds_and_arms),
        cmocka_unit_test(rows_of_a_table),
        cmocka_unit_test(impossible_correlations),
        cmocka_unit_test(proposed_matrix_works),
        cmocka_unit_test(impossible_by_hand),
        cmocka_unit_test(outside_a_models_range),
    };
    return cmocka_run_group_tests_name("cohort_draws", tests, sample_start, sample_stop);
}
