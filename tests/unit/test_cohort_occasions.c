/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between-occasion effects and residual errors: their moments over 100 000 draws lie within five standard errors of
 * what the model states, they depend on nothing but (seed, subject, occasion or record), never on the order of calls,
 * and occasion 0 is what a simulated regimen has. */
#include "study_sample.h"

#include <gsl/gsl_errno.h>
#include <math.h>

#include "base/random.h"
#include "base/text.h"
#include "cohort/cohort.h"

#define N 100000

static const char delta[] =
    "model: delta\n"
    "title: between occasions, and every kind of residual error\n"
    "covariates:\n"
    "  WT: {default: 71.3 kg}\n"
    "parameters:\n"
    "  TVCL: {value: 3.61 L/h, grade: measured, uncertainty: {lognormal: 0.31}}\n"
    "  TVV: {value: 217 L, grade: assumption}\n"
    "random:\n"
    "  eta_CL: {sd: 0.31}\n"
    "  kappa_CL: {sd: 0.22, level: occasion}\n"
    "  kappa_0: {sd: 0, level: occasion}\n"
    "  block: {of: [kappa_V, kappa_F], level: occasion, sd: [0.37, 0.21], correlation: [[1, 0.45], [0.45, 1]]}\n"
    "individual:\n"
    "  CL: \"TVCL * (WT / 70 kg)^0.75 * exp(eta_CL + kappa_CL + kappa_0)\"\n"
    "  V: \"TVV * exp(kappa_V)\"\n"
    "  F: \"0.87 * exp(kappa_F)\"\n"
    "compartments:\n"
    "  central: {volume: V, default: observe}\n"
    "flows:\n"
    "  - central -> out: CL\n"
    "routes:\n"
    "  iv: {into: central, bioavailability: F}\n"
    "outputs:\n"
    "  Cp: {value: central / V, unit: ng/mL}\n"
    "  Ca: {value: central / V, unit: ng/mL}\n"
    "  Cb: {value: central / V, unit: ng/mL}\n"
    "  Cl: {value: central / V, unit: ng/mL}\n"
    "  Cz: {value: central / V, unit: ng/mL}\n"
    "  Cn: {value: central / V, unit: ng/mL}\n"
    "residual_error:\n"
    "  Cp: {proportional: 0.076}\n"
    "  Ca: {additive: 3.7 ng/mL}\n"
    "  Cb: {proportional: \"11 %\", additive: 0.83 ng/mL}\n"
    "  Cl: {log: 0.19}\n"
    "  Cz: {proportional: 0, additive: 0 ng/mL}\n";

#define STUDY(cohort)                                                                                                  \
    "study: occasions\ndrugs: {clonazepam: delta, fentanyl: delta}\n"                                                  \
    "arms: [{name: a}]\ntimes: [{until: 72 h, every: 30 min}]\ncohort: " cohort "\n"
#define PEOPLE                                                                                                         \
    "{subjects: 10, seed: 20260417, uncertainty: drawn, covariates: {WT: {normal: {mean: 70 kg, sd: 7 kg}}}, "         \
    "correlations: [{between: [clonazepam.kappa_CL, fentanyl.kappa_CL], r: -0.52}, "                                   \
    "{between: [WT, clonazepam.eta_CL], r: 0.3}]}"

struct people {
    struct sample s;
    struct hl_cohort *cohort;
    const struct hl_system *system;
    double *regs;
};

static struct people people_of(const char *text)
{
    struct people p = {.s = sample_good(text)};
    p.system = p.s.study->arm[0].system;
    p.cohort = hl_cohort_create(&p.s.study->arm[0], p.s.diag);
    if (!p.cohort) {
        sample_messages(&p.s);
        fail_msg("a cohort was refused:\n%s", p.s.messages);
    }
    p.regs = hl_alloc(p.system->n_regs, sizeof *p.regs);
    return p;
}

static void people_free(struct people *p)
{
    hl_free(p->regs);
    hl_cohort_free(p->cohort);
    sample_free(&p->s);
}

static double eta(const struct people *p, const char *name)
{
    int index = hl_system_find_eta(p->system, name);
    assert_true(index >= 0);
    return p->regs[p->system->eta[index].reg];
}

static void close_to(const char *what, double found, double expected, double bound)
{
    if (!(fabs(found - expected) <= bound))
        fail_msg("%s: found %.8g, expected %.8g within %.3g", what, found, expected, bound);
}

/* Running sums of two quantities. */
struct sums {
    double x, y, xx, yy, xy;
};

static void add(struct sums *s, double x, double y)
{
    s->x += x;
    s->y += y;
    s->xx += x * x;
    s->yy += y * y;
    s->xy += x * y;
}

/* Two normal quantities of mean 0 with these standard deviations and this correlation, within five standard errors. */
static void check_pair(const char *what, const struct sums *s, double sd_x, double sd_y, double r)
{
    double mx = s->x / N, my = s->y / N, vx = s->xx / N - mx * mx, vy = s->yy / N - my * my;
    close_to(what, mx, 0, 5 * sd_x / sqrt(N));
    close_to(what, my, 0, 5 * sd_y / sqrt(N));
    close_to(what, vx, sd_x * sd_x, 5 * sd_x * sd_x * sqrt(2.0 / N));
    close_to(what, vy, sd_y * sd_y, 5 * sd_y * sd_y * sqrt(2.0 / N));
    close_to(what, (s->xy / N - mx * my) / sqrt(vx * vy), r, 5 * (1 - r * r) / sqrt(N));
}

/* ---- occasions */

static void moments(void **state)
{
    (void)state;
    struct people p = people_of(STUDY(PEOPLE));
    struct sums block = {0}, drugs = {0}, strangers = {0}, next = {0};
    double before = 0;
    hl_cohort_draw(p.cohort, 1, p.regs);
    for (size_t i = 0; i < N; i++) {
        hl_cohort_occasion(p.cohort, 1 + i / 10, (double)(i % 10) - 3, p.regs);
        double kappa = eta(&p, "clonazepam.kappa_CL");
        add(&block, eta(&p, "clonazepam.kappa_V"), eta(&p, "clonazepam.kappa_F"));
        add(&drugs, kappa, eta(&p, "fentanyl.kappa_CL"));
        add(&strangers, eta(&p, "clonazepam.kappa_V"), eta(&p, "fentanyl.kappa_V"));
        add(&next, before, kappa);
        before = kappa;
        assert_float_equal(eta(&p, "clonazepam.kappa_0"), 0, 0); /* a variance of 0 */
    }
    check_pair("a block", &block, 0.37, 0.21, 0.45);
    check_pair("across drugs", &drugs, 0.22, 0.22, -0.52);
    check_pair("strangers", &strangers, 0.37, 0.37, 0);
    check_pair("one occasion and the next", &next, 0.22, 0.22, 0);
    people_free(&p);
}

/* Bit for bit the registers before the individual program runs, at occasion 0, and nothing else moves with it. */
static void occasion_0_is_the_regimens(void **state)
{
    (void)state;
    struct people p = people_of(STUDY(PEOPLE));
    size_t n = p.system->n_regs;
    double *filled = hl_alloc(n, sizeof *filled), *drawn = hl_alloc(n, sizeof *drawn);
    for (uint64_t subject = 1; subject <= 50; subject++) {
        hl_cohort_fill(p.cohort, subject, 1, filled, 1);
        hl_cohort_draw(p.cohort, subject, p.regs);
        memcpy(drawn, p.regs, n * sizeof *drawn);
        hl_cohort_occasion(p.cohort, subject, 0, p.regs);
        assert_memory_equal(drawn, p.regs, n * sizeof *drawn);
        hl_cohort_occasion(p.cohort, subject, 4, p.regs);
        for (size_t r = 0; r < n; r++) {
            bool kappa = false;
            for (size_t i = 0; i < p.system->n_etas; i++)
                kappa |= p.system->eta[i].reg == (int)r && p.system->eta[i].occasion && p.system->eta[i].sd > 0;
            if (kappa != (memcmp(&drawn[r], &p.regs[r], sizeof(double)) != 0))
                fail_msg("register %zu (%s) at occasion 4", r, p.system->reg[r].name ? p.system->reg[r].name : "");
        }
        hl_cohort_occasion(p.cohort, subject, 0, p.regs);
        hl_program_run(&p.system->individual, p.regs, 1);
        assert_memory_equal(filled, p.regs, n * sizeof *filled);
    }
    hl_free(filled);
    hl_free(drawn);
    people_free(&p);
}

static void order_of_occasions(void **state)
{
    enum { OCCASIONS = 12 };
    double forward[OCCASIONS], other[OCCASIONS];
    (void)state;
    struct people p = people_of(STUDY(PEOPLE)), q = people_of(STUDY("{subjects: 77000, seed: 20260417}"));
    for (int o = 0; o < OCCASIONS; o++) {
        hl_cohort_draw(p.cohort, 17, p.regs);
        hl_cohort_occasion(p.cohort, 17, o, p.regs);
        forward[o] = eta(&p, "clonazepam.kappa_V");
    }
    hl_cohort_draw(q.cohort, 3, q.regs); /* another subject's registers, a cohort of another size, backwards */
    for (int o = OCCASIONS; o-- > 0;) {
        hl_cohort_occasion(q.cohort, 16, o, q.regs);
        hl_cohort_occasion(q.cohort, 17, o, q.regs);
        other[o] = eta(&q, "clonazepam.kappa_V");
    }
    assert_memory_equal(forward, other, sizeof forward);
    for (int o = 1; o < OCCASIONS; o++)
        assert_true(forward[o] != forward[0]);
    people_free(&p);
    people_free(&q);
}

static void typical_has_none(void **state)
{
    (void)state;
    struct people p = people_of(STUDY("typical"));
    hl_cohort_draw(p.cohort, 5, p.regs);
    for (double occasion = 0; occasion < 3; occasion++) {
        hl_cohort_occasion(p.cohort, 5, occasion, p.regs);
        for (size_t i = 0; i < p.system->n_etas; i++)
            assert_float_equal(p.regs[p.system->eta[i].reg], 0, 0);
    }
    for (size_t i = 0; i < p.system->n_outputs; i++)
        assert_float_equal(hl_cohort_observation(p.cohort, 5, &p.system->output[i], 2, 13.7), 13.7, 0);
    people_free(&p);
}

/* ---- levels that don't mix */

static void refuse_model(const char *from, const char *to, const char *message)
{
    char text[8192], *at;
    snprintf(text, sizeof text, "%s", delta);
    assert_non_null(at = strstr(text, from));
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - text), delta, to, delta + (at - text) + strlen(from));
    sample_write("delta.yaml", text);
    struct sample s = sample_load(STUDY("{subjects: 10}"));
    sample_write("delta.yaml", delta);
    if (s.study || !strstr(s.messages, message))
        fail_msg("%s\nexpected %s in\n%s", to, message, s.messages);
    sample_free(&s);
}

static void levels_do_not_mix(void **state)
{
    (void)state;
    refuse_model("of: [kappa_V, kappa_F], level: occasion", "of: [kappa_V, kappa_CL]",
                 "a block can't mix 'kappa_V' (between subjects) with 'kappa_CL' (between occasions); give each level "
                 "its own block");
    refuse_model("of: [kappa_V, kappa_F], level: occasion", "of: [kappa_V, kappa_CL], level: subject",
                 "'kappa_CL' is between occasions where it is declared and between subjects in this block");
    refuse_model("kappa_0: {sd: 0, level: occasion}", "kappa_0: {sd: 0, level: occassion}",
                 "unknown level 'occassion'; did you mean 'occasion'?");
    static const char *const pairs[] = {"[clonazepam.kappa_CL, clonazepam.eta_CL]", "[fentanyl.kappa_V, WT]"};
    for (size_t i = 0; i < 2; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 STUDY("{subjects: 9, covariates: {WT: {normal: {mean: 70 kg, sd: 7 kg}}}, correlations: "
                       "[{between: %s, r: 0.3}]}"),
                 pairs[i]);
        struct sample s = sample_load(text);
        assert_null(s.study);
        if (!strstr(s.messages, "once per subject, so they can't be correlated"))
            fail_msg("%s", s.messages);
        sample_free(&s);
    }
}

/* What no file can say is refused when drawing is prepared. */
static void levels_do_not_mix_by_hand(void **state)
{
    (void)state;
    struct people p = people_of(STUDY("{subjects: 10}"));
    struct hl_correlation c = {.a = "clonazepam.kappa_CL", .b = "clonazepam.eta_CL", .r = 0.1};
    struct hl_cohort_spec spec = *p.s.study->arm[0].cohort;
    struct hl_arm arm = p.s.study->arm[0];
    arm.cohort = &spec;
    spec.n_correlations = 1;
    spec.correlation = &c;
    assert_null(hl_cohort_create(&arm, p.s.diag));
    sample_messages(&p.s);
    assert_non_null(strstr(p.s.messages, "only one of them is between occasions"));
    people_free(&p);
}

/* ---- observations */

static const struct hl_output *output(const struct people *p, const char *name)
{
    int index = hl_system_find_output(p->system, name);
    assert_true(index >= 0);
    return &p->system->output[index];
}

/* Mean and variance of DV around IPRED over N records of ten subjects. */
static void check_observations(const struct people *p, const char *name, double IPRED, double sd)
{
    struct sums s = {0};
    for (uint64_t i = 0; i < N; i++)
        add(&s, hl_cohort_observation(p->cohort, 1 + i % 10, output(p, name), i / 10, IPRED) - IPRED, 0);
    double mean = s.x / N;
    close_to(name, mean, 0, 5 * sd / sqrt(N));
    close_to(name, s.xx / N - mean * mean, sd * sd, 5 * sd * sd * sqrt(2.0 / N));
}

static void residual_errors(void **state)
{
    (void)state;
    struct people p = people_of(STUDY(PEOPLE));
    const double ng = 1e-3; /* ng/mL in mg/L */
    check_observations(&p, "clonazepam.Cp", 41.3 * ng, 0.076 * 41.3 * ng);
    check_observations(&p, "clonazepam.Ca", 41.3 * ng, 3.7 * ng);
    check_observations(&p, "clonazepam.Cb", 41.3 * ng, hypot(0.11 * 41.3, 0.83) * ng);
    check_observations(&p, "clonazepam.Cb", 0, 0.83 * ng);
    struct sums s = {0};
    for (uint64_t i = 0; i < N; i++) {
        double a = hl_cohort_observation(p.cohort, 3, output(&p, "clonazepam.Cl"), i, 17.9);
        double b = hl_cohort_observation(p.cohort, 3, output(&p, "fentanyl.Cl"), i, 0.31);
        add(&s, log(a / 17.9), log(b / 0.31));
        assert_float_equal(hl_cohort_observation(p.cohort, 3, output(&p, "clonazepam.Cz"), i, 17.9), 17.9, 0);
        assert_float_equal(hl_cohort_observation(p.cohort, 3, output(&p, "clonazepam.Cn"), i, 17.9), 17.9, 0);
    }
    check_pair("log, two drugs", &s, 0.19, 0.19, 0);
    assert_true(isnan(hl_cohort_observation(p.cohort, 3, output(&p, "clonazepam.Cb"), 7, NAN)));
    people_free(&p);
}

/* The streams are neither those of the etas nor shared between the two parts of a combined error. */
static void streams_of_their_own(void **state)
{
    (void)state;
    struct people p = people_of(STUDY(PEOPLE));
    const struct hl_output *Cb = output(&p, "clonazepam.Cb");
    struct sums parts = {0}, effects = {0};
    for (uint64_t i = 0; i < N; i++) {
        double alone = hl_cohort_observation(p.cohort, i + 1, Cb, 0, 0.0) / 0.83e-3;
        double both = hl_cohort_observation(p.cohort, i + 1, Cb, 0, 1e6) / 1e6 - 1; /* the additive part drowns */
        double z = hl_random_normal(20260417, i + 1, hl_text_hash("clonazepam.Cb"), 0);
        add(&parts, alone, both / 0.11);
        add(&effects, z, alone);
    }
    check_pair("both parts", &parts, 1, 1, 0);
    check_pair("an eta of that name", &effects, 1, 1, 0);
    people_free(&p);
}

static void order_of_observations(void **state)
{
    enum { RECORDS = 20 };
    double forward[RECORDS], backward[RECORDS];
    (void)state;
    struct people p = people_of(STUDY(PEOPLE)), q = people_of(STUDY("{subjects: 7, seed: 20260417}"));
    for (uint64_t i = 0; i < RECORDS; i++)
        forward[i] = hl_cohort_observation(p.cohort, 9, output(&p, "fentanyl.Cb"), i, 3.3);
    for (uint64_t i = RECORDS; i-- > 0;) {
        hl_cohort_observation(q.cohort, 9, output(&q, "fentanyl.Cp"), i, 3.3);
        backward[i] = hl_cohort_observation(q.cohort, 9, output(&q, "fentanyl.Cb"), i, 3.3);
    }
    assert_memory_equal(forward, backward, sizeof forward);
    people_free(&p);
    people_free(&q);
}

static int start(void **state)
{
    int failed = sample_start(state);
    sample_write("delta.yaml", delta);
    return failed;
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments),
        cmocka_unit_test(occasion_0_is_the_regimens),
        cmocka_unit_test(order_of_occasions),
        cmocka_unit_test(typical_has_none),
        cmocka_unit_test(levels_do_not_mix),
        cmocka_unit_test(levels_do_not_mix_by_hand),
        cmocka_unit_test(residual_errors),
        cmocka_unit_test(streams_of_their_own),
        cmocka_unit_test(order_of_observations),
    };
    return cmocka_run_group_tests_name("cohort_occasions", tests, start, sample_stop);
}
