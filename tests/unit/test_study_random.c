/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Correlated random effects in all the ways they may be written, in a model's file and over it from a study: the same
 * covariance every time, zeros where an effect is switched off, and for a matrix that can't be, its eigenvalue and the
 * nearest one that can. */
#include "study_sample.h"

#include <gsl/gsl_errno.h>
#include <math.h>

#include "cohort/cohort.h"

static const char head[] = "model: delta\n"
                           "title: three correlated effects\n"
                           "parameters:\n"
                           "  TVCL: {value: 3.61 L/h, grade: measured}\n"
                           "  TVV: {value: 217 L, grade: assumption}\n"
                           "  TVF: {value: 0.83, grade: assumption}\n";
static const char tail[] = "individual:\n"
                           "  CL: \"TVCL * exp(eta_CL)\"\n"
                           "  V: \"TVV * exp(eta_V)\"\n"
                           "  F: \"TVF * exp(eta_F)\"\n"
                           "compartments:\n"
                           "  central: {volume: V, default: observe}\n"
                           "flows:\n"
                           "  - central -> out: CL\n"
                           "routes:\n"
                           "  iv: {into: central, bioavailability: F}\n"
                           "outputs:\n"
                           "  Cp: {value: central / V, unit: ng/mL}\n";

#define OF "of: [eta_CL, eta_V, eta_F]"
#define STUDY                                                                                                          \
    "study: trial\ndrugs: {d: delta}\narms: [{name: a}]\ntimes: [{until: 3 h, every: 1 h}]\n"                          \
    "cohort: {subjects: 9, seed: 4}\n"

/* sd 0.3, 0.4, 0.2 and r 0.5, -0.25, 0.1, of eta_CL, eta_V, eta_F. */
static const double right[9] = {0.09, 0.06, -0.015, 0.06, 0.16, 0.008, -0.015, 0.008, 0.04};

static struct sample read_model(const char *random, const char *parameters)
{
    char text[4096];
    snprintf(text, sizeof text, "%srandom:\n%s%s", head, random, tail);
    sample_write("delta.yaml", text);
    snprintf(text, sizeof text, "%s%s", STUDY, parameters);
    return sample_load(text);
}

static struct sample good_model(const char *random, const char *parameters)
{
    struct sample s = read_model(random, parameters);
    if (!s.study)
        fail_msg("refused: %s%s\n%s", random, parameters, s.messages);
    return s;
}

/* The block as it was linked; and a cohort can be drawn from it. */
static void check_covariance(const struct sample *s, const double *expected, const char *what)
{
    static const char *const name[] = {"d.eta_CL", "d.eta_V", "d.eta_F"};
    const struct hl_system *system = s->study->system;
    assert_int_equal(system->n_blocks, 1);
    const struct hl_system_block *block = &system->block[0];
    for (size_t i = 0; i < block->n; i++)
        for (size_t j = 0; j < block->n; j++) {
            double found = block->covariance[i * block->n + j];
            if (!(fabs(found - expected[i * block->n + j]) <= 1e-15)) /* rounding of products of decimals */
                fail_msg("%s: covariance of %s and %s: found %.17g, expected %.17g", what, name[i], name[j], found,
                         expected[i * block->n + j]);
        }
    struct hl_cohort *cohort = hl_cohort_create(&s->study->arm[0], s->diag);
    if (!cohort)
        fail_msg("%s: no cohort", what);
    hl_cohort_free(cohort);
}

static void all_ways_say_the_same(void **state)
{
    static const char *const ways[] = {
        "  block: {" OF ", covariance: [[0.09, 0.06, -0.015], [0.06, 0.16, 0.008], [-0.015, 0.008, 0.04]]}\n",
        "  block: {" OF ", covariance: [[0.09], [0.06, 0.16], [-0.015, 0.008, 0.04]]}\n",
        "  block: {" OF ", sd: [0.3, 0.4, 0.2], correlation: [[1, 0.5, -0.25], [0.5, 1, 0.1], [-0.25, 0.1, 1]]}\n",
        "  block: {" OF ", sd: [\"30 %\", 0.4, 0.2], correlation: [[1], [\"50 %\", 1], [-0.25, 0.1, 1]]}\n",
        "  block: {" OF ", variance: [0.09, 0.16, 0.04], correlation: [[1], [0.5, 1], [-0.25, 0.1, 1]]}\n",
        /* cv = sqrt(exp(omega^2) - 1) */
        "  block: {" OF ", cv: [0.3068782880967801, 0.41654636115540644, 0.2020167671070603], "
        "correlation: [[1], [0.5, 1], [-0.25, 0.1, 1]]}\n",
        "  blocks:\n    - {" OF ", sd: [0.3, 0.4, 0.2], correlation: [[1], [0.5, 1], [-0.25, 0.1, 1]]}\n",
        "  eta_CL: {sd: 0.3}\n  eta_V: {variance: 0.16}\n  eta_F: {cv: 0.2020167671070603}\n"
        "  block: {" OF ", correlation: [[1], [0.5, 1], [-0.25, 0.1, 1]]}\n"};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct sample s = good_model(ways[i], "");
        check_covariance(&s, right, ways[i]);
        assert_string_equal(s.messages, "");
        sample_free(&s);
    }
}

static void spreads_alone_are_independent(void **state)
{
    static const double expected[9] = {0.09, 0, 0, 0, 0.16, 0, 0, 0, 0.04};
    (void)state;
    struct sample s = good_model("  block: {" OF ", cv: [0.3068782880967801, 0.41654636115540644, "
                                 "0.2020167671070603]}\n",
                                 "");
    check_covariance(&s, expected, "cv alone");
    assert_non_null(strstr(s.messages, "note: a block without correlation: its random effects are independent"));
    sample_free(&s);
}

/* A variance of 0 switches an effect off, whatever is said of its correlations. */
static void zeros_switch_off(void **state)
{
    static const double expected[9] = {0.09, 0, -0.015, 0, 0, 0, -0.015, 0, 0.04}, none[9] = {0};
    static const char *const ways[] = {
        "  block: {" OF ", covariance: [[0.09], [0, 0], [-0.015, 0, 0.04]]}\n",
        "  block: {" OF ", sd: [0.3, 0, 0.2], correlation: [[1], [0.5, 1], [-0.25, 0.1, 1]]}\n",
        "  block: {" OF ", variance: [0.09, 0, 0.04], correlation: [[1], [0.9, 1], [-0.25, 0.9, 1]]}\n"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sample s = good_model(ways[i], "");
        check_covariance(&s, expected, ways[i]);
        struct hl_cohort *cohort = hl_cohort_create(&s.study->arm[0], s.diag);
        double *regs = hl_alloc(s.study->system->n_regs, sizeof *regs);
        int off = hl_system_find_eta(s.study->system, "d.eta_V"), kept = hl_system_find_eta(s.study->system, "d.eta_F");
        for (uint64_t subject = 1; subject < 20; subject++) {
            hl_cohort_draw(cohort, subject, regs);
            assert_true(regs[s.study->system->eta[off].reg] == 0.0); /* exactly */
            assert_true(regs[s.study->system->eta[kept].reg] != 0.0);
        }
        hl_free(regs);
        hl_cohort_free(cohort);
        sample_free(&s);
    }
    struct sample s = good_model("  block: {" OF ", covariance: [[0, 0, 0], [0, 0, 0], [0, 0, 0]]}\n", "");
    check_covariance(&s, none, "all off");
    sample_free(&s);
}

/* r = 0.9, 0.9, -0.9 has the eigenvalues 1.9, 1.9 and -0.8; by symmetry the nearest has 0.499 (test_cohort_draws.c),
 * and what is proposed is accepted. */
static void an_impossible_matrix(void **state)
{
    static const struct {
        const char *random, *message, *proposed;
    } cases[] = {
        {"  block: {" OF ", sd: [0.3, 0.4, 0.2], correlation: [[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]}\n",
         "delta.yaml:8:73: error: the correlation matrix is not positive definite: its correlation matrix has the "
         "eigenvalue -0.8; the nearest valid matrix is ",
         "  block: {" OF ", sd: [0.3, 0.4, 0.2], correlation: %s}\n"},
        {"  block: {" OF ", covariance: [[0.09], [0.108, 0.16], [-0.054, 0.072, 0.04]]}\n",
         "the covariance matrix is not positive definite: its correlation matrix has the eigenvalue -0.8; the nearest "
         "valid matrix is ",
         "  block: {" OF ", covariance: %s}\n"},
        /* the third is switched off: of the other two, r = 1.25 is what is wrong */
        {"  block: {" OF ", covariance: [[0.09], [0.15, 0.16], [0, 0, 0]]}\n",
         "its correlation matrix has the eigenvalue -0.25; the nearest valid matrix is [[0.09, 0.1198, 0], [0.1198, "
         "0.16, 0], [0, 0, 0]]",
         NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char random[1024], matrix[512];
        struct sample s = read_model(cases[i].random, "");
        const char *found = strstr(s.messages, cases[i].message);
        if (s.study || !found)
            fail_msg("expected %s in\n%s", cases[i].message, s.messages);
        snprintf(matrix, sizeof matrix, "%s", cases[i].proposed ? found + strlen(cases[i].message) : "");
        matrix[strcspn(matrix, "\n")] = '\0';
        sample_free(&s);
        if (!cases[i].proposed)
            continue;
        snprintf(random, sizeof random, cases[i].proposed, matrix);
        s = good_model(random, "");
        struct hl_cohort *cohort = hl_cohort_create(&s.study->arm[0], s.diag);
        assert_non_null(cohort);
        hl_cohort_free(cohort);
        sample_free(&s);
    }
}

/* ---- over the model, from a study */

#define MODELS                                                                                                         \
    "  eta_F: {variance: 0.01}\n"                                                                                      \
    "  block: {of: [eta_CL, eta_V], sd: [0.3, 0.5], correlation: [[1, 0.2], [0.2, 1]]}\n"

static void a_study_overrides(void **state)
{
    static const struct {
        const char *parameters;
        double expected[4], sd_F;
    } cases[] = {
        {"d.random.block.correlation: [[1], [0.7, 1]]", {0.09, 0.105, 0.105, 0.25}, 0.1},
        {"d.random.block.sd: [0.3, 0.4], d.random.eta_F.sd: 0.25", {0.09, 0.024, 0.024, 0.16}, 0.25},
        {"d.random.block.sd.1: 0", {0.09, 0, 0, 0}, 0.1},
        {"d.random.block.variance: [0.04, 0.16], d.random.eta_F.cv: \"20 %\"",
         {0.04, 0.016, 0.016, 0.16},
         0.19804220043536502},
        {"d.random.block.covariance: [[0.09], [0.06, 0.16]], d.random.eta_F.variance: 0", {0.09, 0.06, 0.06, 0.16}, 0},
        {"d.random.block: {of: [eta_CL, eta_V], covariance: [[0.09], [0, 0.16]]}, d.random.eta_F: {sd: 0.3}",
         {0.09, 0, 0, 0.16},
         0.3}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char parameters[512];
        snprintf(parameters, sizeof parameters, "parameters: {%s}\n", cases[i].parameters);
        struct sample s = good_model(MODELS, parameters);
        check_covariance(&s, cases[i].expected, parameters);
        double sd = s.study->system->eta[hl_system_find_eta(s.study->system, "d.eta_F")].sd;
        if (!(fabs(sd - cases[i].sd_F) <= 1e-15))
            fail_msg("%s: sd of eta_F is %.17g", parameters, sd);
        sample_free(&s);
    }
    /* a block where the model has none */
    struct sample s =
        good_model("  eta_CL: {sd: 0.3}\n  eta_V: {sd: 0.4}\n  eta_F: {sd: 0.2}\n",
                   "parameters: {d.random.block: {" OF ", correlation: [[1], [0.5, 1], [-0.25, 0.1, 1]]}}\n");
    check_covariance(&s, right, "a new block");
    sample_free(&s);
}

static void the_command_line_overrides(void **state)
{
    const struct hl_set set[] = {{"d.random.block.correlation", "[[1], [-0.4, 1]]"}, {"d.random.eta_F.sd", "0.4"}};
    static const double expected[4] = {0.09, -0.06, -0.06, 0.25};
    (void)state;
    struct sample s = good_model(MODELS, "");
    sample_free(&s);
    s = sample_read(STUDY, (struct hl_study_options){.n_sets = 2, .set = set});
    assert_non_null(s.study);
    check_covariance(&s, expected, "--set");
    char *text = hl_yaml_to_text(s.arena, s.study->resolved);
    struct sample again = sample_good(text);
    check_covariance(&again, expected, "the resolved study");
    sample_free(&again);
    sample_free(&s);
}

static void faulty_overrides(void **state)
{
    static const struct {
        const char *parameters, *place, *message;
    } cases[] = {
        {"d.random.block.correlation: [[1], [1.7, 1]]", "s:6:49: error: ", "a correlation lies between -1 and 1"},
        {"d.random.block.sd: [0.3]", "s:6:33: error: ", "expected a list of 2 values"},
        {"d.random.block.correlation: [[1, 0.3], [0.2, 1]]", "s:6:54: error: ", "the matrix is not symmetric"},
        {"d.random.eta_FF.sd: 0.3", "s:6:14: error: ", "has nothing at 'random.eta_FF.sd'; did you mean 'eta_F'?"},
        {"d.random.blck.sd: [1, 1]", "s:6:14: error: ", "did you mean 'block'?"},
        {"d.random.block.covariance: [[0.09], [0.13, 0.16]]", "s:6:41: error: ", "eigenvalue -0.08333"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char parameters[512];
        snprintf(parameters, sizeof parameters, "parameters: {%s}\n", cases[i].parameters);
        struct sample s = read_model(MODELS, parameters);
        if (s.study || !strstr(s.messages, cases[i].place) || !strstr(s.messages, cases[i].message))
            fail_msg("%sexpected %s%s in\n%s", parameters, cases[i].place, cases[i].message, s.messages);
        sample_free(&s);
    }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways_say_the_same), cmocka_unit_test(spreads_alone_are_independent),
        cmocka_unit_test(zeros_switch_off),      cmocka_unit_test(an_impossible_matrix),
        cmocka_unit_test(a_study_overrides),     cmocka_unit_test(the_command_line_overrides),
        cmocka_unit_test(faulty_overrides),
    };
    return cmocka_run_group_tests_name("study_random", tests, sample_start, sample_stop);
}
