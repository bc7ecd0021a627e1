/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study with a data set: what data: may say and what comes of it, what the data set puts aside, what is refused and
 * where; and that the resolved study says the same. */
#include "study_sample.h"

#include <sys/stat.h>

#include "base/yaml.h"

#define DRUGS "study: trial\ndrugs: {clonazepam: alpha, fentanyl: gamma}\n"
#define ONE   "study: trial\ndrugs: {clonazepam: alpha}\n"
#define ARMS                                                                                                           \
    "arms: [{name: daily, clonazepam: [{oral: 1 mg, every: 24 h, for: 3 d}]}]\n"                                       \
    "times: [{until: 72 h, every: 30 min}]\n"

static struct sample read_with(const char *text, const char *data)
{
    return sample_read(text, (struct hl_study_options){.data = data});
}

static struct sample good_with(const char *text, const char *data)
{
    struct sample s = read_with(text, data);
    if (!s.study)
        fail_msg("a study was refused:\n%s\n%s", s.messages, text);
    return s;
}

static void says(const struct sample *s, const char *message)
{
    if (!strstr(s->messages, message))
        fail_msg("expected %s in\n%s", message, s->messages);
}

static const struct hl_data_column *column(const struct hl_data_spec *data, const char *item)
{
    for (size_t i = 0; i < data->n_columns; i++)
        if (strcmp(data->column[i].item, item) == 0)
            return &data->column[i];
    fail_msg("no column %s", item);
    return NULL;
}

static enum hl_covariate_rule rule(const struct hl_study *study, const char *covariate)
{
    int i = hl_system_find_covariate(study->system, covariate);
    assert_true(i >= 0);
    return study->data->rule[i];
}

static int place(const struct hl_study *study, const char *output)
{
    for (size_t i = 0; i < study->n_outputs; i++)
        if (strcmp(study->system->output[study->output[i]].name, output) == 0)
            return (int)i;
    return -1;
}

/* ---- what may be said */

static void short_form(void **state)
{
    (void)state;
    struct sample s = good_with(ONE "data: events.csv\n", NULL);
    const struct hl_study *study = s.study;
    assert_non_null(study->data);
    assert_string_equal(study->data->path, "events.csv");
    assert_int_equal(study->data->pos.line, 3);
    assert_int_equal(study->data->pos.column, 7);
    assert_int_equal(study->n_arms, 1);
    assert_string_equal(study->arm[0].name, "data");
    assert_null(study->arm[0].prescription[0]);
    assert_int_equal(study->n_times, 0);
    assert_int_equal(study->n_metrics + study->n_thresholds + study->n_quantiles, 0);
    assert_false(study->data->rule_stated);
    assert_int_equal(rule(study, "WT"), HL_COVARIATE_NEXT);
    assert_false(study->data->scales_rate);
    assert_false(study->data->amounts);
    assert_string_equal(study->data->ignore, "#");
    assert_string_equal(study->precision, "double");
    assert_false(study->store_trajectories);
    assert_false(study->arm[0].cohort->typical); /* as in the tools data sets come from */
    assert_string_equal(s.messages, "");
    sample_free(&s);
}

static void long_form(void **state)
{
    (void)state;
    struct sample s =
        good_with(DRUGS "data:\n"
                        "  file: events.csv\n"
                        "  columns: {amt: dose, wt: {column: weight, unit: kg}, DV: {unit: ng/mL}, TIME: {unit: d}, "
                        "RATE: {unit: ug/min}, cbz: comedication}\n"
                        "  covariates: {default: previous, WT: interpolate}\n"
                        "  bioavailability_scales: rate\n"
                        "  missing: [NA, -99]\n"
                        "  ignore: \"#@\"\n"
                        "  observe: {1: clonazepam.Ceff, fentanyl.central: fentanyl.Ceff, 7: clonazepam.Cp}\n"
                        "store: [records, amounts]\n"
                        "cohort: {seed: 7, covariates: {AGE: {uniform: [20 year, 75 year]}}}\n",
                  NULL);
    const struct hl_data_spec *data = s.study->data;
    assert_int_equal(data->n_columns, 6);
    assert_string_equal(column(data, "AMT")->column, "dose");
    assert_null(column(data, "AMT")->unit_text);
    assert_string_equal(column(data, "WT")->column, "weight");
    assert_string_equal(column(data, "WT")->unit_text, "kg");
    assert_null(column(data, "DV")->column);
    assert_true(column(data, "TIME")->unit.factor == 24.0);
    assert_float_equal(column(data, "RATE")->unit.factor, 0.06, 1e-15);
    assert_string_equal(column(data, "cbz")->column, "comedication");
    assert_int_equal(rule(s.study, "WT"), HL_COVARIATE_INTERPOLATE);
    assert_int_equal(rule(s.study, "AGE"), HL_COVARIATE_PREVIOUS);
    assert_int_equal(rule(s.study, "cbz"), HL_COVARIATE_PREVIOUS);
    assert_true(data->rule_stated && data->scales_rate && data->amounts);
    assert_int_equal(data->n_missing, 2);
    assert_string_equal(data->missing[1], "-99");
    assert_string_equal(data->ignore, "#@");
    assert_int_equal(data->n_shown, 3);
    assert_int_equal(data->shown[0].number, 1);
    assert_string_equal(s.study->system->output[data->shown[0].output].name, "clonazepam.Ceff");
    assert_int_equal(data->shown[1].number, 4);
    assert_int_equal(data->shown[2].number, 7);
    assert_false(s.study->arm[0].cohort->typical); /* a seed is enough: the data set has the people */
    assert_int_equal(s.study->seed, 7);
    assert_string_equal(s.messages, "");
    sample_free(&s);
}

static void every_row_may_count(void **state)
{
    (void)state;
    struct sample s = good_with(ONE "data: {file: events.csv, ignore: \"\"}\n", NULL);
    assert_string_equal(s.study->data->ignore, "");
    sample_free(&s);
}

/* Between categories there is no straight line. */
static void categories_are_never_interpolated(void **state)
{
    (void)state;
    struct sample s = good_with(ONE "data: {file: events.csv, covariates: interpolate}\n", NULL);
    assert_int_equal(rule(s.study, "WT"), HL_COVARIATE_INTERPOLATE);
    assert_int_equal(rule(s.study, "cbz"), HL_COVARIATE_NEXT);
    assert_true(s.study->data->rule_stated);
    sample_free(&s);
}

static void outputs_of_every_compartment(void **state)
{
    static const char *const amounts[] = {"clonazepam.gut", "clonazepam.central", "fentanyl.gut", "fentanyl.central"};
    (void)state;
    struct sample s = good_with(DRUGS "data: events.csv\noutputs: [fentanyl.Ceff]\n", NULL);
    const struct hl_study *study = s.study;
    assert_int_equal(study->n_asked, 1);
    for (size_t i = 0; i < study->system->n_compartments; i++) {
        int output = study->system->compartment[i].output;
        assert_true(place(study, study->system->output[output].name) >= 1);
    }
    assert_true(place(study, "clonazepam.Cp") >= 1);
    assert_int_equal(place(study, "clonazepam.central"), -1); /* shown as Cp */
    sample_free(&s);
    s = good_with(DRUGS "data: events.csv\noutputs: [fentanyl.Ceff]\nstore: [amounts]\n", NULL);
    for (size_t i = 0; i < 4; i++)
        assert_true(place(s.study, amounts[i]) >= 1);
    assert_int_equal(s.study->n_asked, 1);
    sample_free(&s);
}

static void moles_of_the_only_drug(void **state)
{
    (void)state;
    sample_write("delta.yaml", "model: delta\nextends: alpha\nmolar_mass: 315.72 g/mol\n");
    struct sample s = good_with("study: m\ndrugs: {clonazepam: delta}\n"
                                "data: {file: events.csv, columns: {AMT: {unit: umol}, RATE: {unit: nmol/min}}}\n",
                                NULL);
    assert_float_equal(column(s.study->data, "AMT")->unit.factor, 0.31572, 1e-15);
    assert_float_equal(column(s.study->data, "RATE")->unit.factor, 315.72e-6 * 60, 1e-15);
    assert_true(hl_dim_equal(column(s.study->data, "RATE")->unit.dim, hl_dim_of("mg/h")));
    sample_free(&s);
    s = read_with("study: m\ndrugs: {clonazepam: delta, fentanyl: gamma}\n"
                  "data: {file: events.csv, columns: {AMT: {unit: umol}}}\n",
                  NULL);
    assert_null(s.study);
    says(&s, "s:3:48: error: AMT: expected a unit such as mg, found 'umol' [nmol]; moles need a study of one drug");
    sample_free(&s);
}

/* ---- --data and where files are */

static void option_replaces_the_file(void **state)
{
    (void)state;
    struct sample s =
        good_with(ONE "data: {file: other.csv, columns: {AMT: dose}, covariates: previous}\n", "events.csv");
    assert_string_equal(s.study->data->path, "events.csv");
    assert_string_equal(s.study->data->pos.file, "--data");
    assert_string_equal(column(s.study->data, "AMT")->column, "dose");
    assert_int_equal(rule(s.study, "AGE"), HL_COVARIATE_PREVIOUS);
    sample_free(&s);
    s = good_with(ONE ARMS "cohort: {subjects: 20, seed: 3}\n", "events.csv");
    assert_string_equal(s.study->data->path, "events.csv");
    assert_string_equal(s.study->arm[0].name, "data");
    says(&s, "s:3:1: note: what is prescribed in arms isn't used: the data set says what is given");
    says(&s, "s:4:1: note: times: aren't used with a data set");
    says(&s, "s:5:10: note: the number of subjects isn't used: the data set says who is there");
    assert_false(s.study->arm[0].cohort->typical);
    sample_free(&s);
}

static void beside_the_study_or_here(void **state)
{
    const char *directory = sample_folder;
    struct hl_study_options options = {.model_directory = &directory, .n_model_directories = 1};
    (void)state;
    assert_int_equal(mkdir("sub", 0755), 0);
    sample_write("sub/study.yaml", ONE "data: beside.csv\n");
    sample_write("sub/beside.csv", "ID,TIME\n1,0\n");
    struct hl_arena *arena = hl_arena_create();
    struct hl_diag *diag = hl_diag_create();
    struct hl_study *study = hl_study_load(arena, "sub/study.yaml", &options, diag);
    assert_non_null(study);
    assert_string_equal(study->data->path, "sub/beside.csv");
    assert_string_equal(hl_yaml_at(study->resolved, "data.file")->text, "sub/beside.csv"); /* runs from here too */
    options.data = "events.csv"; /* where the user stands, never beside the study */
    study = hl_study_load(arena, "sub/study.yaml", &options, diag);
    assert_string_equal(study->data->path, "events.csv");
    options.data = "beside.csv";
    assert_null(hl_study_load(arena, "sub/study.yaml", &options, diag));
    hl_diag_free(diag);
    hl_arena_free(arena);
    unlink("sub/study.yaml");
    unlink("sub/beside.csv");
    rmdir("sub");
}

static void options_of_a_cohort(void **state)
{
    (void)state;
    struct sample s =
        sample_read(ONE "data: events.csv\n",
                    (struct hl_study_options){.has_seed = true, .seed = 11, .has_subjects = true, .subjects = 4});
    assert_non_null(s.study);
    assert_int_equal(s.study->seed, 11);
    assert_false(s.study->arm[0].cohort->typical);
    says(&s, "--subjects: note: the number of subjects isn't used");
    sample_free(&s);
    s = sample_read(ONE "data: events.csv\ncohort: {seed: 2}\n",
                    (struct hl_study_options){.typical = true, .has_subjects = true, .subjects = 4});
    assert_non_null(s.study);
    assert_true(s.study->arm[0].cohort->typical);
    sample_free(&s);
    const struct hl_set set[] = {{"data", "other.csv"}, {"data.covariates", "previous"}, {"data.file", "events.csv"}};
    s = sample_read(ONE "data: events.csv\n", (struct hl_study_options){.n_sets = 3, .set = set});
    assert_non_null(s.study);
    assert_int_equal(rule(s.study, "WT"), HL_COVARIATE_PREVIOUS);
    sample_free(&s);
}

/* ---- arms, sweeps, questions */

static void arms_keep_what_they_change(void **state)
{
    (void)state;
    struct sample s = good_with(
        DRUGS "data: events.csv\n"
              "arms:\n"
              "  - {name: alone, clonazepam: [{oral: 1 mg, every: 24 h, for: 3 d}]}\n"
              "  - {name: with cbz, covariates: {cbz: present}, clonazepam: [{oral: 1 mg, every: 24 h, for: 3 d}]}\n"
              "  - {name: the same again, covariates: {cbz: present}, fentanyl: none}\n"
              "  - {name: slow, parameters: {clonazepam.TVCL: 1.7 L/h}}\n",
        NULL);
    static const char *const names[] = {"data", "with cbz", "slow"};
    assert_int_equal(s.study->n_arms, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(s.study->arm[i].name, names[i]);
        assert_null(s.study->arm[i].prescription[0]);
    }
    assert_int_equal(s.study->arm[1].n_covariate_overrides, 1);
    int cl = hl_system_find_parameter(s.study->system, "clonazepam.TVCL");
    assert_float_equal(s.study->arm[2].system->initial[s.study->system->parameter[cl].reg], 1.7, 1e-15);
    says(&s, "s:4:1: note: what is prescribed in arms isn't used: the data set says what is given; arms that differ in "
             "nothing else are one");
    sample_free(&s);
    s = good_with(ONE "data: events.csv\narms: [{name: trial 3}]\n", NULL);
    assert_string_equal(s.study->arm[0].name, "trial 3");
    assert_string_equal(s.messages, "");
    sample_free(&s);
}

static void sweeps_make_arms(void **state)
{
    (void)state;
    struct sample s =
        good_with(ONE "data: events.csv\ncohort: {seed: 3}\n"
                      "sweep: {factors: {clonazepam.TVCL: [2 L/h, 3 L/h], cohort.covariates.cbz: [absent, present]}}\n",
                  NULL);
    assert_int_equal(s.study->n_arms, 4);
    assert_string_equal(s.study->arm[3].name, "data, TVCL=3 L/h, cbz=present");
    assert_null(s.study->arm[3].prescription[0]);
    sample_free(&s);
    s = read_with(ONE ARMS "data: events.csv\nsweep: {factors: {arms.daily.clonazepam.0.oral: [1 mg, 2 mg]}}\n", NULL);
    assert_null(s.study);
    says(&s, "s:6:19: error: 'arms.daily.clonazepam.0.oral' leads nowhere: with a data set arms have covariates and "
             "parameters only");
    sample_free(&s);
    s = read_with(ONE "data: events.csv\nsweep: {factors: {data.covariates: [next, previous]}}\n", NULL);
    assert_null(s.study);
    says(&s, "a sweep can't change 'data'");
    sample_free(&s);
}

static void questions_of_prescriptions(void **state)
{
    (void)state;
    struct sample s = good_with(ONE "data: events.csv\n"
                                    "metrics: [{of: clonazepam.Cp, list: [Cmax]}]\n"
                                    "thresholds: {clonazepam.Cp: 20 ng/mL}\n"
                                    "quantiles: [0.5]\n"
                                    "store: [trajectories]\n"
                                    "precision: single\n",
                                NULL);
    says(&s, "s:4:1: warning: metrics: are for prescriptions; with a data set they are left out");
    says(&s, "s:5:1: warning: thresholds: are for");
    says(&s, "s:6:1: warning: quantiles: are for");
    says(&s, "s:7:9: note: store: a data set leaves records, not trajectories");
    says(&s, "s:8:12: note: records are always stored in double precision");
    assert_int_equal(s.study->n_metrics + s.study->n_thresholds + s.study->n_quantiles, 0);
    assert_string_equal(s.study->precision, "double");
    assert_false(s.study->store_trajectories);
    sample_free(&s);
    s = good_with(ONE "data: events.csv\nmetrics: []\n", NULL);
    assert_string_equal(s.messages, "");
    sample_free(&s);
}

static void what_bioavailability_scales(void **state)
{
    static const struct {
        const char *text;
        bool data, rate, duration;
    } cases[] = {
        {"", false, false, false},
        {"bioavailability_scales: duration\n", false, false, true},
        {"bioavailability_scales: rate\n", false, false, false},
        {"data: events.csv\n", true, false, false},
        {"data: events.csv\nbioavailability_scales: rate\n", true, true, false},
        {"data: {file: events.csv, bioavailability_scales: duration}\nbioavailability_scales: rate\n", true, false,
         false},
        {"data: {file: events.csv, bioavailability_scales: rate}\n", true, true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s%s", ONE, cases[i].text, cases[i].data ? "" : ARMS);
        struct sample s = good_with(text, NULL);
        if (s.study->scales_duration != cases[i].duration ||
            (s.study->data && s.study->data->scales_rate != cases[i].rate))
            fail_msg("case %zu: %s", i, text);
        sample_free(&s);
    }
}

/* Observations need a residual error; a data set's records have them anyway. */
static void observations(void **state)
{
    (void)state;
    struct sample s = good_with(ONE ARMS "store: [trajectories, observations]\n", NULL);
    assert_true(s.study->store_observations && s.study->store_trajectories);
    assert_false(hl_study_is_observed(s.study, 0));
    says(&s, "s:5:8: warning: store: there are no observations to store: none of the outputs has a residual_error");
    sample_free(&s);
    sample_write("delta.yaml", "model: delta\nextends: alpha\nresidual_error: {Cp: {additive: 0.3 ng/mL}}\n");
    s = good_with("study: o\ndrugs: {clonazepam: delta}\noutputs: [clonazepam.Ceff, clonazepam.Cp]\n" ARMS
                  "store: [observations]\n",
                  NULL);
    assert_true(s.study->store_observations && !s.study->store_trajectories);
    assert_false(hl_study_is_observed(s.study, 0));
    assert_true(hl_study_is_observed(s.study, 1));
    sample_free(&s);
    s = good_with(ONE "data: events.csv\nstore: [records, observations]\n", NULL);
    assert_false(s.study->store_observations);
    says(&s, "note: store: a data set leaves records, which hold the observations as DV");
    sample_free(&s);
}

/* ---- the resolved study */

static void same_data(const struct hl_study *a, const struct hl_study *b)
{
    const struct hl_data_spec *x = a->data, *y = b->data;
    assert_string_equal(x->path, y->path);
    assert_int_equal(x->n_columns, y->n_columns);
    for (size_t i = 0; i < x->n_columns; i++) {
        assert_string_equal(x->column[i].item, y->column[i].item);
        assert_true(x->column[i].unit.factor == y->column[i].unit.factor);
    }
    assert_memory_equal(x->rule, y->rule, a->system->n_covariates * sizeof *x->rule);
    assert_int_equal(x->rule_stated, y->rule_stated);
    assert_int_equal(x->scales_rate, y->scales_rate);
    assert_int_equal(x->amounts, y->amounts);
    assert_int_equal(x->n_shown, y->n_shown);
    assert_int_equal(a->n_outputs, b->n_outputs);
    assert_memory_equal(a->output, b->output, a->n_outputs * sizeof *a->output);
    assert_int_equal(a->n_arms, b->n_arms);
    for (size_t i = 0; i < a->n_arms; i++)
        assert_string_equal(a->arm[i].name, b->arm[i].name);
    assert_int_equal(a->seed, b->seed);
    assert_string_equal(a->precision, b->precision);
}

static void resolved_says_the_same(void **state)
{
    static const struct {
        const char *text, *data, *marks[6];
    } cases[] = {
        {ONE "data: events.csv\n",
         NULL,
         {"arms", "data.covariates", "data.bioavailability_scales", "data.ignore", "store", "cohort.typical"}},
        {ONE ARMS "cohort: {subjects: 20, seed: 3}\nmetrics: [{of: clonazepam.Cp, list: [Cmax]}]\n",
         "events.csv",
         {"data.covariates"}},
        {ONE "data: {file: events.csv, covariates: {WT: previous}, columns: {AMT: {unit: ug}}, observe: {1: "
             "clonazepam.Ceff}}\nstore: [records, amounts]\nbioavailability_scales: rate\n"
             "sweep: {factors: {clonazepam.TVCL: [2 L/h, 3 L/h]}}\n",
         NULL,
         {"data.bioavailability_scales", "data.covariates.default"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s = good_with(cases[i].text, cases[i].data);
        char *text = hl_yaml_to_text(s.arena, s.study->resolved);
        const struct hl_yaml *defaults = hl_yaml_get(s.study->resolved, "defaults");
        for (size_t m = 0; m < 6 && cases[i].marks[m]; m++) {
            bool marked = false;
            for (size_t k = 0; defaults && k < defaults->n; k++)
                marked = marked || strcmp(defaults->item[k]->text, cases[i].marks[m]) == 0;
            if (!marked)
                fail_msg("'%s' isn't marked in\n%s", cases[i].marks[m], text);
        }
        struct sample again = good_with(text, NULL);
        assert_string_equal(again.messages, "");
        same_data(s.study, again.study);
        assert_string_equal(hl_yaml_to_text(again.arena, again.study->resolved), text);
        sample_free(&again);
        sample_free(&s);
    }
}

/* ---- faults; a caret marks the column and is taken out */

static const struct {
    const char *text, *message;
} faults[] = {
    {"data: ^evnts.csv", "there is no data set 'evnts.csv'; did you mean 'events.csv'?"},
    {"data: ^.", "there is no data set '.'"},
    {"data: ^/nowhere/events.csv", "there is no data set '/nowhere/events.csv'"},
    {"data:^ ", "expected the name of a CSV file, found nothing"},
    {"data: \"^\"", "a data set needs a file"},
    {"data: ^[events.csv]", "expected a data set as a mapping"},
    {"data: ^{columns: {AMT: dose}}", "a data set needs a file; write data: events.csv"},
    {"data: {file: ^[events.csv]}", "expected the name of a CSV file"},
    {"data: {file: events.csv, ^colums: {AMT: dose}}", "unknown key 'colums' in a data set; did you mean 'columns'?"},
    {"data: {file: events.csv, columns: ^[AMT]}", "columns: expected items with the columns they stand in"},
    {"data: {file: events.csv, columns: {^AMTT: dose}}",
     "'AMTT' is neither an item of data sets (ID, TIME, AMT, ...) nor a covariate of the models; did you mean 'AMT'?"},
    {"data: {file: events.csv, columns: {^AGEE: age}}", "did you mean 'AGE'?"},
    {"data: {file: events.csv, columns: {AMT: ^[dose]}}", "expected the name of a column"},
    {"data: {file: events.csv, columns: {AMT: \"^\"}}", "AMT names no column"},
    {"data: {file: events.csv, columns: {AMT: {^units: mg}}}", "did you mean 'unit'?"},
    {"data: {file: events.csv, columns: {AMT: {unit: ^mgg}}}", "unknown unit 'mgg'; did you mean 'mg'?"},
    {"data: {file: events.csv, columns: {AMT: {unit: ^h}}}", "AMT: expected a unit such as mg, found 'h' [h]"},
    {"data: {file: events.csv, columns: {TIME: {unit: ^mg}}}", "TIME: expected a unit such as h, found 'mg' [mg]"},
    {"data: {file: events.csv, columns: {WT: {unit: ^mg}}}", "WT: expected a unit such as kg, found 'mg' [mg]"},
    {"data: {file: events.csv, columns: {CMT: {unit: ^mg}}}", "CMT has no unit; remove it"},
    {"data: {file: events.csv, columns: {cbz: {unit: ^kg}}}", "cbz has no unit; remove it"},
    {"data: {file: events.csv, columns: {AMT: dose, ^amt: amount}}", "AMT is given twice; keep one"},
    {"data: {file: events.csv, columns: {AMT: dose, ^RATE: Dose}}", "column 'Dose' can't be both AMT and RATE"},
    {"data: {file: events.csv, columns: {AMT: rate, ^RATE: {unit: mg/h}}}", "column 'RATE' can't be both AMT and RATE"},
    {"data: {file: events.csv, covariates: ^nxt}", "unknown rule for covariates 'nxt'; did you mean 'next'?"},
    {"data: {file: events.csv, covariates: ^[next]}", "rule for covariates: expected one value, found a list"},
    {"data: {file: events.csv, covariates: {default: ^before}}", "unknown rule for covariates 'before'"},
    {"data: {file: events.csv, covariates: {^WTT: next}}", "no model has a covariate 'WTT'; did you mean 'WT'?"},
    {"data: {file: events.csv, covariates: {cbz: ^interpolate}}", "cbz has categories, which can't be interpolated"},
    {"data: {file: events.csv, bioavailability_scales: ^dur}", "did you mean 'duration'?"},
    {"data: {file: events.csv, missing: [^[NA]]}", "expected a text that means missing"},
    {"data: {file: events.csv, ignore: ^[a, b]}", "expected characters such as"},
    {"data: {file: events.csv, ignore: \"^#0\"}", "ignore: '0' may start a row of data"},
    {"data: {file: events.csv, observe: ^[clonazepam.Cp]}", "observe: expected numbers of CMT or DVID with outputs"},
    {"data: {file: events.csv, observe: {^0: clonazepam.Cp}}", "observe: expected the number of a CMT or DVID"},
    {"data: {file: events.csv, observe: {^centrl: clonazepam.Cp}}", "found 'centrl'; did you mean 'central'?"},
    {"data: {file: events.csv, observe: {1: ^clonazepam.Cq}}", "no model has an output 'clonazepam.Cq'"},
    {"data: {file: events.csv, observe: {2: clonazepam.Cp, ^central: clonazepam.Cp}}", "observe: 2 stands here twice"},
    {"data: events.csv\nstore: [^record]", "unknown part of store 'record'; did you mean 'records'?"},
    {"data: events.csv\nbioavailability_scales: ^both", "unknown bioavailability_scales 'both'"},
    {"data: events.csv\ncohort: {subjects: 3, ^size: 3}", "unknown key 'size' in a cohort"},
    {"data: events.csv\narms: [{name: a, ^clonazepan: [{oral: 1 mg}]}]", "did you mean 'clonazepam'?"},
    {"data: events.csv\narms: ^all", "arms: expected a list of arms"},
    {ARMS "store: [^amounts]", "store: amounts are of data sets, and this study has none"},
    {ARMS "store: [trajectories, ^records]", "store: records are of data sets"},
};

static void each_fault_at_its_place(void **state)
{
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[2048], expected[64];
        int line = 1, at = 1, n = snprintf(text, sizeof text, "%s", ONE);
        for (const char *c = text; *c; c++)
            line += *c == '\n';
        const char *caret = strchr(faults[i].text, '^');
        assert_non_null(caret);
        for (const char *c = faults[i].text; c < caret; c++, at++)
            if (*c == '\n') {
                line++;
                at = 0;
            }
        snprintf(text + n, sizeof text - (size_t)n, "%.*s%s\n", (int)(caret - faults[i].text), faults[i].text,
                 caret + 1);
        struct sample s = sample_load(text);
        snprintf(expected, sizeof expected, "s:%d:%d: error: ", line, at);
        char *found = strstr(s.messages, faults[i].message);
        while (found && found > s.messages && found[-1] != '\n')
            found--;
        if (s.study || !found || strncmp(found, expected, strlen(expected)) != 0) {
            print_error("%s\n  expected %s%s\n  found    %s\n", faults[i].text, expected, faults[i].message,
                        s.study ? "no fault" : s.messages);
            wrong++;
        }
        sample_free(&s);
    }
    assert_int_equal(wrong, 0);
}

static void all_faults_in_one_pass(void **state)
{
    static const char *const places[] = {
        "s:4:9: error:", "s:5:18: error:", "s:6:16: error:", "s:7:27: error:", "s:8:16: error:"};
    (void)state;
    struct sample s = sample_load(ONE "data:\n"
                                      "  file: evnts.csv\n"
                                      "  columns: {AMT: {}, AMTT: dose}\n"
                                      "  covariates: {WTT: next}\n"
                                      "  bioavailability_scales: F\n"
                                      "  observe: {1: clonazepam.Cq}\n");
    assert_null(s.study);
    says(&s, "s:5:22: error: 'AMTT'");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (i != 1 && !strstr(s.messages, places[i]))
            fail_msg("no message at %s in\n%s", places[i], s.messages);
    sample_free(&s);
}

/* ---- a folder to stand in */

static char home[4096];

static int start(void **state)
{
    if (sample_start(state) || !getcwd(home, sizeof home) || chdir(sample_folder))
        return -1;
    sample_write("events.csv", "ID,TIME,AMT,DV\n1,0,1,.\n1,2,.,3\n");
    return 0;
}

static int stop(void **state)
{
    unlink("events.csv");
    return chdir(home) || sample_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_form),
        cmocka_unit_test(long_form),
        cmocka_unit_test(every_row_may_count),
        cmocka_unit_test(categories_are_never_interpolated),
        cmocka_unit_test(outputs_of_every_compartment),
        cmocka_unit_test(moles_of_the_only_drug),
        cmocka_unit_test(option_replaces_the_file),
        cmocka_unit_test(beside_the_study_or_here),
        cmocka_unit_test(options_of_a_cohort),
        cmocka_unit_test(arms_keep_what_they_change),
        cmocka_unit_test(sweeps_make_arms),
        cmocka_unit_test(questions_of_prescriptions),
        cmocka_unit_test(what_bioavailability_scales),
        cmocka_unit_test(observations),
        cmocka_unit_test(resolved_says_the_same),
        cmocka_unit_test(each_fault_at_its_place),
        cmocka_unit_test(all_faults_in_one_pass),
    };
    return cmocka_run_group_tests_name("study_data", tests, start, stop);
}
