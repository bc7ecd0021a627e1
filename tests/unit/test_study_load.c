/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study that is right is read as it was meant: arms, times, outputs, metrics, sweeps, options, and the resolved
 * study. */
#include "study_sample.h"

#include <math.h>

#define HEAD                                                                                                           \
    "study: trial\n"                                                                                                   \
    "drugs: {clonazepam: alpha, fentanyl: gamma}\n"                                                                    \
    "interactions: {overlap: beta}\n"
#define COHORT "cohort: {subjects: 20, seed: 7}\n"
#define TIMES  "times: [{until: 3 d, every: 7 h}]\n"
#define ARMS                                                                                                           \
    "arms:\n"                                                                                                          \
    "  - name: eighths\n"                                                                                              \
    "    clonazepam: [{oral: 1 mg, every: 12 h, for: 2 d}, {oral: 0.5 mg, every: 12 h, for: 1 d}]\n"                   \
    "  - name: case infusion\n"                                                                                        \
    "    fentanyl: {iv: 0.1 mg}\n"                                                                                     \
    "    parameters: {clonazepam.TVCL: 2.2 L/h}\n"                                                                     \
    "    covariates: {cbz: present, WT: 55 kg}\n"

static double parameter(const struct hl_arm *arm, const char *name)
{
    int i = hl_system_find_parameter(arm->system, name);
    assert_true(i >= 0);
    return arm->system->initial[arm->system->parameter[i].reg];
}

static void whole_study(void **state)
{
    (void)state;
    struct sample s = sample_good(HEAD COHORT TIMES "origin: \"08:30\"\n"
                                                    "parameters: {fentanyl.TVCL: 0.5 L/min}\n"
                                                    "outputs: [clonazepam.Cp, overlap.depth]\n"
                                                    "quantiles: [\"2.5 %\", 0.5, \"97.5 %\"]\n"
                                                    "tolerance: 1e-9\n"
                                                    "store: [summaries]\n" ARMS);
    const struct hl_study *study = s.study;
    assert_string_equal(study->name, "trial");
    assert_string_equal(study->title, "trial");
    assert_float_equal(study->origin, 8.5, 0);
    assert_int_equal(study->subjects, 20);
    assert_int_equal(study->seed, 7);
    assert_int_equal(study->n_arms, 2);
    assert_string_equal(study->arm[1].name, "case infusion");
    assert_float_equal(parameter(&study->arm[0], "clonazepam.TVCL"), 3.61, 0);
    assert_float_equal(parameter(&study->arm[1], "clonazepam.TVCL"), 2.2, 0);
    assert_float_equal(parameter(&study->arm[0], "fentanyl.TVCL"), 30.0, 1e-13);
    assert_int_equal(study->arm[1].n_covariate_overrides, 2);
    assert_float_equal(study->arm[1].covariate_value[0], 1.0, 0);
    int clonazepam = hl_system_find_instance(study->system, "clonazepam");
    int fentanyl = hl_system_find_instance(study->system, "fentanyl");
    assert_int_equal(study->arm[0].prescription[clonazepam]->n, 2);
    assert_null(study->arm[0].prescription[fentanyl]);
    assert_int_equal(study->arm[1].prescription[fentanyl]->n, 1);
    assert_int_equal(study->n_outputs, 2);
    assert_string_equal(study->system->output[study->output[1]].name, "overlap.depth");
    assert_int_equal(study->n_quantiles, 3);
    assert_float_equal(study->quantile[0], 0.025, 0);
    assert_float_equal(study->quantile[2], 0.975, 0);
    assert_string_equal(study->solver, "exact");
    assert_string_equal(study->precision, "single");
    assert_string_equal(study->compression, "fast");
    assert_float_equal(study->tolerance, 1e-9, 0);
    assert_false(study->store_trajectories);
    assert_int_equal(study->n_model_files, 3);
    assert_null(study->design);
    sample_free(&s);
}

static void times_end_at_until(void **state)
{
    (void)state;
    struct sample s =
        sample_good(HEAD COHORT ARMS
                    "times: [{until: 1 h, every: 24 min}, {at: [2 h, 2.5 h]}, {from: 4 h, until: 4.5 h, every: 10 min},"
                    " {until: 5 h, every: 1 week}]\n");
    const double expected[] = {0, 0.4, 0.8, 1, 2, 2.5, 4, 4 + 1.0 / 6, 4 + 2.0 / 6, 4.5, 5};
    assert_int_equal(s.study->n_times, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < s.study->n_times; i++)
        assert_float_equal(s.study->time[i], expected[i], 1e-14);
    sample_free(&s);
    s = sample_good(HEAD COHORT ARMS "times: [{until: 1 d, every: 10 min}, {until: 14 week, every: 1 h}]\n");
    assert_int_equal(s.study->n_times, 144 + 1 + 14 * 168 - 24);
    assert_float_equal(s.study->time[s.study->n_times - 1], 2352.0, 0);
    for (size_t i = 1; i < s.study->n_times; i++)
        assert_true(s.study->time[i] > s.study->time[i - 1]);
    sample_free(&s);
}

static const struct hl_metric_spec *metric(const struct hl_study *study, const char *name)
{
    for (size_t i = 0; i < study->n_metrics; i++)
        if (strcmp(study->metric[i].name, name) == 0)
            return &study->metric[i];
    fail_msg("no metric %s", name);
    return NULL;
}

static void metrics_unfold(void **state)
{
    (void)state;
    struct sample s =
        sample_good(HEAD COHORT TIMES ARMS
                    "outputs: [clonazepam.Cp]\n"
                    "metrics:\n"
                    "  - {of: clonazepam.Cp, list: [Cmax, AUC, accumulation], window: [0 h, 2 d]}\n"
                    "  - {of: overlap.depth, above: \"2\", list: [hours_above, first_time]}\n"
                    "  - {of: [clonazepam.Cp, fentanyl.Cp], above: [5 ng/mL, 0.6 ng/mL], list: [hours_both_above]}\n"
                    "  - {of: clonazepam.Cp, above: [\"0.02 mg/L\", \"7 ng/mL\"], list: [hours_above, last]}\n"
                    "  - {of: clonazepam.Cp, list: Cmax, sampled: true, name: grid_peak}\n"
                    "  - {of: overlap.share, above: 25 %, list: [fraction_above]}\n"
                    "thresholds: {clonazepam.Cp: [\"20 ng/mL\", 31 ng/mL]}\n");
    const struct hl_study *study = s.study;
    assert_int_equal(study->n_metrics, 11);
    assert_int_equal(study->n_asked, 1);
    assert_int_equal(study->n_outputs, 4);
    assert_int_equal(metric(study, "clonazepam_Cp_Cmax")->n_windows, 1);
    assert_float_equal(metric(study, "clonazepam_Cp_AUC")->window[0][1], 48.0, 0);
    assert_string_equal(hl_metric_unit(s.arena, study, metric(study, "clonazepam_Cp_AUC")), "ng/mL.h");
    assert_string_equal(hl_metric_unit(s.arena, study, metric(study, "clonazepam_Cp_accumulation")), "1");
    assert_string_equal(hl_metric_unit(s.arena, study, metric(study, "overlap_depth_first_time_2")), "h");
    assert_string_equal(hl_metric_unit(s.arena, study, metric(study, "grid_peak")), "ng/mL");
    assert_true(metric(study, "grid_peak")->sampled);
    const struct hl_metric_spec *both = metric(study, "clonazepam_Cp_fentanyl_Cp_hours_both_above_5_0_6");
    assert_int_equal(both->n_of, 2);
    assert_float_equal(both->threshold[1], 0.0006, 1e-18);
    assert_string_equal(both->threshold_text[1], "0.6 ng/mL");
    assert_float_equal(metric(study, "clonazepam_Cp_hours_above_20")->threshold[0], 0.02, 1e-16);
    metric(study, "clonazepam_Cp_hours_above_7");
    metric(study, "clonazepam_Cp_last");
    assert_string_equal(metric(study, "overlap_share_fraction_above_25")->threshold_text[0], "25 %");
    /* 2 | 5 and 0.6 | 20 and 7 | 25 % | 31: the 20 under thresholds: is the 20 of the metric */
    assert_int_equal(study->n_thresholds, 7);
    sample_free(&s);
}

static void default_outputs(void **state)
{
    (void)state;
    struct sample s = sample_good(HEAD COHORT TIMES ARMS);
    static const char *const expected[] = {"clonazepam.Cp", "clonazepam.Ce", "fentanyl.Cp", "fentanyl.Ce",
                                           "overlap.depth"};
    assert_int_equal(s.study->n_outputs, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(s.study->system->output[s.study->output[i]].name, expected[i]);
    sample_free(&s);
}

/* ---- sweeps */

static void grid(void **state)
{
    (void)state;
    struct sample s = sample_good(HEAD COHORT TIMES ARMS "sweep:\n"
                                                         "  design: grid\n"
                                                         "  factors:\n"
                                                         "    arms.eighths.clonazepam.1.oral: [0.25 mg, 500 ug, 1 mg]\n"
                                                         "    clonazepam.TVCL: [2.1 L/h, 6.3 L/h]\n");
    const struct hl_study *study = s.study;
    /* eighths: 3 x 2; case infusion: only TVCL's 2 */
    assert_int_equal(study->n_arms, 8);
    assert_string_equal(study->arm[0].name, "eighths, oral=0.25 mg, TVCL=2.1 L/h");
    assert_string_equal(study->arm[1].name, "case infusion, TVCL=2.1 L/h");
    assert_string_equal(study->arm[7].name, "eighths, oral=1 mg, TVCL=6.3 L/h");
    assert_int_equal(study->n_factors, 2);
    assert_string_equal(study->design, "grid");
    assert_string_equal(study->factor[0].name, "oral");
    assert_string_equal(study->factor[0].unit_text, "mg");
    assert_true(study->factor[0].numeric);
    size_t infusions = 0;
    for (size_t a = 0; a < study->n_arms; a++) {
        const struct hl_arm *arm = &study->arm[a];
        int clonazepam = hl_system_find_instance(arm->system, "clonazepam");
        if (strncmp(arm->name, "case", 4) == 0) {
            infusions++;
            assert_true(isnan(arm->factor_value[0]));
            assert_float_equal(parameter(arm, "clonazepam.TVCL"), 2.2, 0); /* the arm's own word is nearer */
        } else {
            assert_float_equal(parameter(arm, "clonazepam.TVCL"), arm->factor_value[1], 0);
            assert_string_equal(hl_yaml_at(arm->prescription[clonazepam], "1.oral")->text, arm->factor_text[0]);
            assert_string_equal(hl_yaml_at(arm->prescription[clonazepam], "0.oral")->text, "1 mg");
        }
    }
    assert_int_equal(infusions, 2);
    for (size_t a = 0; a < study->n_arms; a++)
        if (strstr(study->arm[a].name, "500 ug"))
            assert_float_equal(study->arm[a].factor_value[0], 0.5, 1e-16);
    assert_ptr_equal(study->arm[0].cohort, study->arm[7].cohort); /* the same patients */
    sample_free(&s);
}

static void list_design_and_joint_paths(void **state)
{
    (void)state;
    struct sample s =
        sample_good(HEAD COHORT TIMES ARMS "sweep:\n"
                                           "  design: list\n"
                                           "  factors:\n"
                                           "    both: {paths: [clonazepam.TVV, fentanyl.TVV], values: [201 L, 333 L]}\n"
                                           "    cohort.covariates: [{WT: 61 kg}, {WT: 97 kg}]\n");
    const struct hl_study *study = s.study;
    assert_int_equal(study->n_arms, 4);
    assert_string_equal(study->arm[2].name, "eighths, both=333 L, covariates=#2");
    assert_float_equal(parameter(&study->arm[2], "clonazepam.TVV"), 333, 0);
    assert_float_equal(parameter(&study->arm[2], "fentanyl.TVV"), 333, 0);
    assert_float_equal(parameter(&study->arm[0], "fentanyl.TVV"), 201, 0);
    assert_false(study->factor[1].numeric);
    assert_float_equal(study->arm[2].factor_value[1], 1.0, 0);
    int wt = hl_system_find_covariate(study->system, "WT");
    assert_float_equal(study->arm[0].cohort->distribution[wt].a, 61.0, 0);
    assert_float_equal(study->arm[2].cohort->distribution[wt].a, 97.0, 0);
    sample_free(&s);
}

static void sweep_into_a_model(void **state)
{
    (void)state;
    struct sample s =
        sample_good(HEAD COHORT TIMES ARMS "sweep: {factors: {clonazepam.random.eta_CL.variance: [0.01, 0.49]}}\n");
    assert_int_equal(s.study->n_arms, 4);
    assert_string_equal(s.study->factor[0].name, "variance");
    for (size_t a = 0; a < 4; a++) {
        const struct hl_arm *arm = &s.study->arm[a];
        int eta = hl_system_find_eta(arm->system, "clonazepam.eta_CL");
        assert_float_equal(arm->system->eta[eta].sd, sqrt(arm->factor_value[0]), 1e-15);
        assert_float_equal(arm->system->eta[hl_system_find_eta(arm->system, "fentanyl.eta_CL")].sd, 0.25, 1e-15);
    }
    sample_free(&s);
}

static void sweep_over_models(void **state)
{
    (void)state;
    struct sample s = sample_good(HEAD COHORT TIMES ARMS "sweep: {factors: {drugs.clonazepam: [alpha, gamma]}}\n");
    assert_int_equal(s.study->n_arms, 4);
    assert_float_equal(parameter(&s.study->arm[0], "clonazepam.TVCL"), 3.61, 0);
    assert_float_equal(parameter(&s.study->arm[2], "clonazepam.TVCL"), 41.7, 0);
    assert_string_equal(s.study->arm[2].factor_text[0], "gamma");
    sample_free(&s);
}

/* ---- options */

static void set_goes_through_the_same_door(void **state)
{
    (void)state;
    const struct hl_set sets[] = {{"cohort.subjects", "33"},
                                  {"clonazepam.TVCL", "2.9 L/h"},
                                  {"arms.eighths.clonazepam.0.oral", "2 mg"},
                                  {"fentanyl.random.eta_V.cv", "\"37 %\""},
                                  {"outputs", "[fentanyl.Cp]"},
                                  {"tolerance", "1e-11"},
                                  {"arms.*.covariates.WT", "81.5 kg"}};
    struct sample s = sample_read(HEAD COHORT TIMES ARMS,
                                  (struct hl_study_options){.n_sets = 7, .set = sets, .has_seed = true, .seed = 99});
    if (!s.study)
        fail_msg("%s", s.messages);
    assert_int_equal(s.study->subjects, 33);
    assert_int_equal(s.study->seed, 99);
    assert_float_equal(parameter(&s.study->arm[0], "clonazepam.TVCL"), 2.9, 0);
    int clonazepam = hl_system_find_instance(s.study->system, "clonazepam");
    assert_string_equal(hl_yaml_at(s.study->arm[0].prescription[clonazepam], "0.oral")->text, "2 mg");
    int eta = hl_system_find_eta(s.study->system, "fentanyl.eta_V");
    assert_float_equal(s.study->system->eta[eta].sd, sqrt(log1p(0.37 * 0.37)), 1e-15);
    assert_int_equal(s.study->n_outputs, 1);
    assert_float_equal(s.study->tolerance, 1e-11, 0);
    assert_int_equal(s.study->arm[0].n_covariate_overrides, 1); /* a covariates: that nobody wrote is made */
    assert_float_equal(s.study->arm[0].covariate_value[0], 81.5, 0);
    assert_int_equal(s.study->arm[1].n_covariate_overrides, 2); /* and one that is there is used */
    assert_float_equal(s.study->arm[1].covariate_value[1], 81.5, 0);
    sample_free(&s);
}

static void set_faults(void **state)
{
    static const struct {
        struct hl_set set;
        const char *message;
    } faults[] = {
        {{"cohort.subject", "33"}, "unknown key 'subject' in a cohort; did you mean 'subjects'?"},
        {{"tolerence", "1e-9"},
         "'tolerence' leads nowhere: 'tolerence' is neither a key of the study nor one of its drugs; did "
         "you mean 'tolerance'?"},
        {{"clonazpam.TVCL", "1 L/h"}, "did you mean 'clonazepam'?"},
        {{"clonazepam.TVC", "1 L/h"},
         "--set clonazepam.TVC: error: no model has a parameter 'clonazepam.TVC'; did you mean "
         "'clonazepam.TVCL'?"},
        {{"clonazepam.CL", "1 L/h"}, "is computed for each subject"},
        {{"clonazepam.TVCL", "1 mgg"},
         "--set clonazepam.TVCL:1:1: error: unknown unit 'mgg' in \"1 mgg\"; did you mean 'mg'?"},
        {{"clonazepam.TVCL", "1 mg"}, "expected a quantity in L/h"},
        {{"arms.eights.clonazepam.0.oral", "1 mg"},
         "there is no 'eights' in a list of 2 (counted from 0); did you mean 'eighths'?"},
        {{"clonazepam.random.eta_CX.variance", "1"},
         "model 'alpha' has nothing at 'random.eta_CX.variance'; did you mean 'eta_CL'?"},
        {{"cohort.seed", ""}, "no value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct sample s =
            sample_read(HEAD COHORT TIMES ARMS, (struct hl_study_options){.n_sets = 1, .set = &faults[i].set});
        assert_null(s.study);
        if (!strstr(s.messages, faults[i].message))
            fail_msg("--set %s=%s: expected \"%s\" in:\n%s", faults[i].set.key, faults[i].set.value, faults[i].message,
                     s.messages);
        sample_free(&s);
    }
}

static void typical(void **state)
{
    (void)state;
    struct sample s = sample_read(HEAD COHORT TIMES ARMS, (struct hl_study_options){.typical = true});
    assert_non_null(s.study);
    assert_true(s.study->arm[0].cohort->typical);
    assert_int_equal(s.study->subjects, 1);
    assert_int_equal(s.study->seed, 7);
    sample_free(&s);
    s = sample_good(HEAD "cohort: typical\n" TIMES ARMS);
    assert_true(s.study->arm[0].cohort->typical);
    sample_free(&s);
    s = sample_good(HEAD TIMES ARMS); /* silent about people: the typical one, and it says so */
    assert_int_equal(s.study->subjects, 1);
    assert_non_null(strstr(hl_yaml_to_text(s.arena, s.study->resolved), "cohort.typical"));
    sample_free(&s);
    s = sample_read(HEAD TIMES ARMS, (struct hl_study_options){.has_seed = true, .seed = 41});
    assert_true(s.study && s.study->arm[0].cohort->typical);
    assert_int_equal(s.study->seed, 41);
    sample_free(&s);
    s = sample_read(HEAD COHORT TIMES ARMS,
                    (struct hl_study_options){.typical = true, .has_subjects = true, .subjects = 5});
    assert_null(s.study);
    assert_non_null(strstr(s.messages, "--subjects: error:"));
    sample_free(&s);
}

/* ---- the resolved study */

static void same_bits(double a, double b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

static void same_distribution(const struct hl_distribution *a, const struct hl_distribution *b)
{
    assert_int_equal(a->kind, b->kind);
    same_bits(a->a, b->a);
    same_bits(a->b, b->b);
    assert_int_equal(a->truncated, b->truncated);
    same_bits(a->low, b->low);
    same_bits(a->high, b->high);
    assert_int_equal(a->n, b->n);
}

static void same_study(const struct hl_study *a, const struct hl_study *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->title, b->title);
    assert_int_equal(a->n_times, b->n_times);
    assert_memory_equal(a->time, b->time, a->n_times * sizeof *a->time);
    assert_int_equal(a->n_outputs, b->n_outputs);
    assert_memory_equal(a->output, b->output, a->n_outputs * sizeof *a->output);
    assert_int_equal(a->n_quantiles, b->n_quantiles);
    assert_memory_equal(a->quantile, b->quantile, a->n_quantiles * sizeof *a->quantile);
    assert_int_equal(a->n_metrics, b->n_metrics);
    assert_int_equal(a->n_thresholds, b->n_thresholds);
    assert_int_equal(a->subjects, b->subjects);
    assert_int_equal(a->seed, b->seed);
    assert_string_equal(a->solver, b->solver);
    same_bits(a->tolerance, b->tolerance);
    same_bits(a->origin, b->origin);
    assert_int_equal(a->n_arms, b->n_arms);
    for (size_t i = 0; i < a->n_arms; i++) {
        const struct hl_arm *x = &a->arm[i], *y = &b->arm[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->system->n_regs, y->system->n_regs);
        assert_memory_equal(x->system->initial, y->system->initial, x->system->n_regs * sizeof *x->system->initial);
        for (size_t c = 0; c < x->system->n_covariates; c++)
            same_distribution(&x->cohort->distribution[c], &y->cohort->distribution[c]);
        assert_int_equal(x->cohort->n_correlations, y->cohort->n_correlations);
    }
}

static void resolved_runs_again(void **state)
{
    static const char *const studies[] = {
        HEAD TIMES ARMS,
        HEAD
        "cohort: {subjects: 9, covariates: {WT: {lognormal: {median: 70 kg, cv: \"21 %\"}, within: [45 kg, 120 kg]}}, "
        "correlations: [{between: [WT, clonazepam.eta_CL], r: 0.2}]}\n" TIMES ARMS
        "metrics: [{of: fentanyl.Ceff, above: 0.6 ng/mL, list: [hours_above]}]\n",
        HEAD COHORT TIMES ARMS "parameters: {clonazepam.random.eta_CL.variance: 0.04, fentanyl.TVV: 99.7 L}\n"
                               "sweep: {factors: {clonazepam.TVCL: [2.1 L/h, 6.3 L/h]}}\n",
        HEAD COHORT TIMES ARMS "sweep: {factors: {clonazepam.covariates.AGE.default: [40 year, 80 year]}}\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof studies / sizeof *studies; i++) {
        struct sample s = sample_good(studies[i]);
        const char *text = hl_yaml_to_text(s.arena, s.study->resolved);
        assert_non_null(strstr(text, "defaults:"));
        struct sample again = sample_good(text);
        same_study(s.study, again.study);
        const char *text_again = hl_yaml_to_text(again.arena, again.study->resolved);
        assert_string_equal(text, text_again); /* nothing is left to fill in */
        sample_free(&again);
        sample_free(&s);
    }
}

static void found_beside_its_models(void **state)
{
    char path[512];
    (void)state;
    sample_write("study.yaml", HEAD COHORT TIMES ARMS);
    snprintf(path, sizeof path, "%s/study.yaml", sample_folder);
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    s.study = hl_study_load(s.arena, path, NULL, s.diag);
    assert_non_null(s.study);
    assert_string_equal(s.study->path, path);
    sample_free(&s);
}

/* A table beside the study is found, and the resolved study knows where it was. */
static void table_beside_its_study(void **state)
{
    char path[512];
    (void)state;
    sample_write("study.yaml", HEAD "cohort: {subjects: 4, csv: people.csv}\n" TIMES ARMS);
    sample_write("people.csv", "ID;WT;cbz\n1;52.3;present\n2;77.1;absent\n");
    snprintf(path, sizeof path, "%s/study.yaml", sample_folder);
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    s.study = hl_study_load(s.arena, path, NULL, s.diag);
    assert_non_null(s.study);
    struct sample again = sample_good(hl_yaml_to_text(s.arena, s.study->resolved));
    const struct hl_distribution *d = again.study->arm[0].cohort->distribution;
    const struct hl_system *system = again.study->system;
    assert_int_equal(d[hl_system_find_covariate(system, "WT")].kind, HL_DIST_CSV);
    assert_int_equal(d[hl_system_find_covariate(system, "WT")].n, 2);
    assert_float_equal(d[hl_system_find_covariate(system, "WT")].value[1], 77.1, 0);
    assert_float_equal(d[hl_system_find_covariate(system, "cbz")].value[0], 1, 0);
    assert_int_equal(d[hl_system_find_covariate(system, "AGE")].kind, HL_DIST_FIXED);
    sample_free(&again);
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_study),
        cmocka_unit_test(times_end_at_until),
        cmocka_unit_test(metrics_unfold),
        cmocka_unit_test(default_outputs),
        cmocka_unit_test(grid),
        cmocka_unit_test(list_design_and_joint_paths),
        cmocka_unit_test(sweep_into_a_model),
        cmocka_unit_test(sweep_over_models),
        cmocka_unit_test(set_goes_through_the_same_door),
        cmocka_unit_test(set_faults),
        cmocka_unit_test(typical),
        cmocka_unit_test(resolved_runs_again),
        cmocka_unit_test(found_beside_its_models),
        cmocka_unit_test(table_beside_its_study),
    };
    return cmocka_run_group_tests_name("study_load", tests, sample_start, sample_stop);
}
