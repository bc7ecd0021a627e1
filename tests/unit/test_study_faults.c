/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every fault of a study is reported at its exact line and column, with what was expected; several at once in one pass;
 * and no text, however odd, brings the reader down. A caret in a table's line marks the column and is taken out. */
#include "study_sample.h"

#include <ctype.h>

#include "base/random.h"

/* A good study, line by line; each fault replaces one line. */
static const char *const base[] = {
    "study: trial",
    "drugs: {clonazepam: alpha, fentanyl: gamma}",
    "interactions: {overlap: beta}",
    "cohort: {subjects: 20, seed: 7}",
    "arms: [{name: daily, clonazepam: [{oral: 1 mg, every: 24 h, for: 3 d}]}]",
    "times: [{until: 72 h, every: 30 min}]",
    "outputs: [clonazepam.Cp]",
    "metrics: [{of: clonazepam.Cp, list: [Cmax, AUC]}]",
    "quantiles: [\"5 %\", \"50 %\", \"95 %\"]",
    "title: a trial",
};

#define N_LINES (sizeof base / sizeof *base)

enum { STUDY = 1, DRUGS, INTERACTIONS, COHORT, ARMS, TIMES, OUTPUTS, METRICS, QUANTILES, FREE };

struct fault {
    int line;
    const char *text;
    const char *message;
};

static const struct fault faults[] = {
    /* keys and names */
    {FREE, "^tolerence: 1e-8", "unknown key 'tolerence' in a study; did you mean 'tolerance'?"},
    {DRUGS, "drugs: {clonazepam: ^alfa, fentanyl: gamma}", "no model 'alfa'"},
    {DRUGS, "drugs: {clonazepam: alpha, fentanyl: gamma, ^times: alpha}", "'times' is a word of the study language"},
    {DRUGS, "drugs: {clonazepam: alpha, fentanyl: gamma, ^covariates: alpha}", "'covariates' is a word of the study"},
    {DRUGS, "drugs: {clonazepam: alpha, fentanyl: gamma, ^2nd: alpha}", "'2nd' can't name a drug"},
    {INTERACTIONS, "interactions: {overlap: beta, ^fentanyl: beta}", "'fentanyl' names two models"},
    {INTERACTIONS, "interactions: {overlap: {model: beta, ^input: {CF: fentanyl.Cp}}}", "did you mean 'inputs'?"},
    {INTERACTIONS, "interactions: {overlap: {model: beta, inputs: ^[fentanyl.Cp]}}",
     "inputs: expected names with outputs"},
    {INTERACTIONS, "interactions: {overlap: ^{inputs: {CF: fentanyl.Cp}}}", "'overlap' has no model"},
    {STUDY, "study: ^../trial", "can't name a study and its file"},
    {STUDY, "study: ^[trial]", "expected a name for the study"},
    {FREE, "data: ^events.csv", "there is no data set"},
    {FREE, "defaults: ^3", "defaults: is the list that a resolved study keeps"},
    /* cohort */
    {COHORT, "cohort: ^many", "expected a cohort as a mapping"},
    {COHORT, "cohort: ^{seed: 7}", "how many subjects?"},
    {COHORT, "cohort: {subjects: ^0}", "a cohort of 0 subjects"},
    {COHORT, "cohort: {subjects: ^12.5}", "expected a whole number"},
    {COHORT, "cohort: {subjects: ^-3}", "expected a whole number"},
    {COHORT, "cohort: {subjects: 20, seed: ^}", "seed has no value"},
    {COHORT, "cohort: {subjects: 20, uncertainty: ^drawnn}", "did you mean 'drawn'?"},
    {COHORT, "cohort: {subjects: 20, covariates: {^WTT: 70 kg}}", "no model has a covariate 'WTT'; did you mean 'WT'?"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: ^70}}", "WT needs a unit, found '70'; write '70 kg'"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: ^70 mg}}", "WT: expected a quantity in kg, found '70 mg' [mg]"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: \"^70 kgg\"}}", "unknown unit 'kgg'"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: ^[70 kg]}}", "expected a value or a distribution"},
    {COHORT, "cohort: {subjects: 20, covariates: ^[WT]}", "covariates: expected names"},
    {COHORT, "cohort: {subjects: 20, covariates: {cbz: ^presnt}}",
     "unknown category of cbz 'presnt'; did you mean 'present'?"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: {^lognormla: {median: 70 kg}}}}", "did you mean 'lognormal'?"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: ^{within: [50 kg, 60 kg]}}}", "WT has no distribution"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: {normal: {mean: 70 kg, sd: ^-4 kg}}}}",
     "the sd of WT is negative"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: {normal: {mean: 70 kg, sd: ^4}}}}", "the sd of WT needs a unit"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: {normal: ^{mean: 70 kg}}}}", "WT has no spread"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: {normal: {mean: 70 kg, sd: ^4 kg, cv: 3 %}}}}",
     "'sd' or as 'cv', not both"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: {lognormal: {median: 70 kg, cv: ^20 kg}}}}", "expected a share"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: ^{lognormal: {median: -70 kg, cv: 20 %}}}}",
     "the median of WT must be above 0"},
    {COHORT, "cohort: {subjects: 20, covariates: {AGE: {uniform: ^[75 year, 20 year]}}}", "write the lower end first"},
    {COHORT, "cohort: {subjects: 20, covariates: {AGE: {uniform: ^[20 year]}}}", "expected two values, [lower, upper]"},
    {COHORT,
     "cohort: {subjects: 20, covariates: {WT: {lognormal: {median: 70 kg, cv: 20 %}, within: ^[90 kg, 80 kg]}}}",
     "within: of WT is empty"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: ^{normal: {mean: 70 kg, sd: 2 kg}, within: [150 kg, 160 kg]}}}",
     "lies outside its distribution"},
    {COHORT, "cohort: {subjects: 20, covariates: {cbz: ^{categorical: {absent: 0.5, present: 0.4}}}}",
     "sum to 0.9; they must sum to 1"},
    {COHORT, "cohort: {subjects: 20, covariates: {cbz: {categorical: {absent: 1.4, present: ^-0.4}}}}", "is negative"},
    {COHORT, "cohort: {subjects: 20, covariates: {cbz: {categorical: {absent: 0.5, ^presnt: 0.5}}}}",
     "did you mean 'present'?"},
    {COHORT, "cohort: {subjects: 20, covariates: {cbz: {normal: ^{mean: 1, sd: 2}}}}", "cbz is categorical"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: {uniform: [50 kg, 60 kg], ^normal: {mean: 70 kg, sd: 2 kg}}}}",
     "two distributions"},
    {COHORT, "cohort: {subjects: 20, covariates: {WT: ^csv}}", "which has no column of that name"},
    {COHORT, "cohort: {subjects: 20, csv: ^nobody.csv}", "can't be read"},
    {COHORT, "cohort: {subjects: 20, correlations: [{between: [clonazepam.eta_CL, ^fentanyl.eta_CK], r: 0.3}]}",
     "nothing random is named 'fentanyl.eta_CK'; did you mean 'fentanyl.eta_CL'?"},
    {COHORT, "cohort: {subjects: 20, correlations: [{between: [clonazepam.eta_CL, fentanyl.eta_CL], r: ^1.3}]}",
     "a correlation lies between -1 and 1"},
    {COHORT, "cohort: {subjects: 20, correlations: [{between: [clonazepam.eta_CL, ^WT], r: 0.3}]}",
     "is the same in every subject"},
    {COHORT, "cohort: {subjects: 20, correlations: [{between: [fentanyl.eta_CL, ^fentanyl.eta_CL], r: 0.3}]}",
     "with itself"},
    {COHORT, "cohort: {subjects: 20, correlations: [^{between: [fentanyl.eta_CL], r: 0.3}]}",
     "a correlation names two quantities and r"},
    /* arms */
    {ARMS, "arms: ^daily", "arms: expected a list of arms"},
    {ARMS, "arms: [^daily]", "an arm is a mapping"},
    {ARMS, "arms: [^{clonazepam: []}]", "an arm needs a name"},
    {ARMS, "arms: [{name: daily, ^clonazpam: [{oral: 1 mg}]}]",
     "unknown key 'clonazpam' in arm 'daily'; did you mean 'clonazepam'?"},
    {ARMS, "arms: [{name: daily, clonazepam: ^1 mg}]", "clonazepam: expected a list of what is given"},
    {ARMS, "arms: [{name: daily}, {name: ^daily}]", "two arms are named 'daily'"},
    {ARMS, "arms: [{name: daily, covariates: {^cbzz: present}}]",
     "no model has a covariate 'cbzz'; did you mean 'cbz'?"},
    {ARMS, "arms: [{name: daily, parameters: {^clonazepam.TVKL: 1 L/h}}]", "did you mean 'clonazepam.TVCL'?"},
    {ARMS, "arms: [{name: daily, parameters: {clonazepam.TVCL: ^3.6}}]",
     "clonazepam.TVCL needs a unit, found '3.6'; write '3.6 L/h'"},
    {ARMS, "arms: [{name: daily, parameters: {^clonazepam.random.eta_CL.variance: 0.1}}]", "reaches into a model file"},
    /* times */
    {TIMES, "times: ^soon", "expected a number with a unit"},
    {TIMES, "times: [^{until: 72 h}]", "needs 'every'"},
    {TIMES, "times: [{until: 72 h, every: ^0 h}]", "must be a time above 0"},
    {TIMES, "times: [{until: 72 h, every: ^10}]", "every needs a unit, found '10'; write '10 min'"},
    {TIMES, "times: [{until: 72 h, every: 1 h}, {until: ^48 h, every: 1 h}]", "times must ascend"},
    {TIMES, "times: [{at: [1 h, ^1 h]}]", "times must ascend"},
    {TIMES, "times: [{at: [^-1 h]}]", "before the study's start"},
    {TIMES, "times: [^{until: 10 week, every: 1 s}]", "more than the most of 5000000"},
    {TIMES, "times: [{until: 72 h, ^evry: 1 h}]", "did you mean 'every'?"},
    {TIMES, "times: [{until: ^3 month, every: 1 h}]", "say 28 d or 30 d"},
    /* outputs, metrics, quantiles */
    {OUTPUTS, "outputs: [clonazepam.Cp, ^clonazepam.Cpp]",
     "no model has an output 'clonazepam.Cpp'; did you mean 'clonazepam.Cp'?"},
    {OUTPUTS, "outputs: [clonazepam.Cp, ^clonazepam.Cp]", "asked for twice"},
    {OUTPUTS, "outputs: ^[]", "names no output"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [^Cmx]}]", "unknown metric 'Cmx'; did you mean 'Cmax'?"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [^hours_above]}]", "hours_above needs a threshold"},
    {METRICS, "metrics: [{of: clonazepam.Cp, above: ^5, list: [hours_above]}]",
     "the threshold of clonazepam.Cp needs a unit"},
    {METRICS, "metrics: [{of: clonazepam.Cp, above: ^5 mg, list: [hours_above]}]", "expected a quantity in ng/mL"},
    {METRICS, "metrics: [{of: overlap.depth, above: ^5 mg, list: [hours_above]}]", "expected a plain number"},
    {METRICS, "metrics: [{of: clonazepam.Cp, ^above: 5 ng/mL, list: [Cmax]}]", "'above' is used by none"},
    {METRICS, "metrics: [{of: clonazepam.Cp, above: 5 ng/mL, list: [^overlap_area]}]", "compares two outputs"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [Cmax, ^Cmax]}]", "metric 'clonazepam_Cp_Cmax' is asked for twice"},
    {METRICS, "metrics: [^{list: [Cmax]}]", "needs an output"},
    {METRICS, "metrics: [^{of: clonazepam.Cp}]", "needs a list"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [Cmax], window: ^[24 h]}]", "expected two values"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [Cmax], window: [24 h, ^96 h]}]", "after the last output time"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [Cmax], sampled: ^perhaps}]", "unknown value of sampled"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [Cmax, ^Ctrough], sampled: true}]",
     "Ctrough can't be taken from the values at the output times"},
    {METRICS, "metrics: [{of: clonazepam.Cp, list: [Cmax], name: ^a-b}]", "can't name a variable"},
    {FREE, "thresholds: ^[3]", "thresholds: expected outputs"},
    {FREE, "thresholds: {^clonazepam.Cq: 3 ng/mL}", "no model has an output 'clonazepam.Cq'"},
    {QUANTILES, "quantiles: [\"5 %\", ^5]", "lies between 0 and 1"},
    {QUANTILES, "quantiles: [\"50 %\", \"^5 %\"]", "quantiles must ascend"},
    {QUANTILES, "quantiles: [^5 mg]", "expected a share"},
    /* settings */
    {FREE, "origin: ^8am", "origin: expected a time of day"},
    {FREE, "origin: \"^24:00\"", "origin: expected a time of day"},
    {FREE, "solver: ^gsl-rk8dp", "unknown solver 'gsl-rk8dp'; did you mean 'gsl-rk8pd'?"},
    {FREE, "tolerance: ^0.1", "from 1e-14 to 1e-2"},
    {FREE, "precision: ^singel", "unknown precision 'singel'; did you mean 'single'?"},
    {FREE, "compression: ^best", "unknown compression 'best'"},
    {FREE, "store: [^trajectory]", "unknown part of store 'trajectory'"},
    {FREE, "parameters: ^[3]", "parameters: expected names"},
    {FREE, "parameters: {^clonazepam.TVC: 1 L/h}", "did you mean 'clonazepam.TVCL'?"},
    {FREE, "parameters: {^clonazepan.random.eta_CL.sd: 1}", "no model has a parameter"},
    /* sweeps */
    {FREE, "sweep: ^3", "expected a sweep as a mapping"},
    {FREE, "sweep: ^{design: grid}", "a sweep needs factors"},
    {FREE, "sweep: {design: ^lhs, factors: {clonazepam.TVCL: [2 L/h]}}", "doesn't exist yet"},
    {FREE, "sweep: {factors: {clonazepam.TVCL: ^2 L/h}}", "needs a list of levels"},
    {FREE, "sweep: {factors: {clonazepam.TVCL: [2 L/h, ^2 L/h]}}", "given twice"},
    {FREE, "sweep: {factors: {^times: [3 h]}}", "a sweep can't change 'times'"},
    {FREE, "sweep: {factors: {^arms.dayly.clonazepam.0.oral: [1 mg]}}", "did you mean 'daily'?"},
    {FREE, "sweep: {factors: {^arms.daily.clonazepam.3.oral: [1 mg]}}",
     "there is no '3' in a list of 1 (counted from 0)"},
    {FREE, "sweep: {factors: {clonazepam.TVCL: [2 L/h, ^3 mg]}}", "expected a quantity in L/h"},
    {FREE, "sweep: {design: list, factors: {clonazepam.TVCL: [2 L/h, 3 L/h], ^clonazepam.TVV: [200 L]}}",
     "as many levels as the first"},
    {FREE, "sweep: ^{factors: {cohort.subjects: [20, 30]}}", "the same number of subjects"},
};

/* The study with the fault's line in it; the caret taken out and its column found (0: no caret). */
static char *with_fault(const struct fault *fault, int *column)
{
    static char text[8192];
    size_t n = 0;
    *column = 0;
    for (size_t i = 0; i < N_LINES; i++) {
        const char *line = fault && (size_t)fault->line == i + 1 ? fault->text : base[i];
        const char *caret = line == base[i] ? NULL : strchr(line, '^');
        if (caret) {
            *column = (int)(caret - line) + 1;
            n += (size_t)snprintf(text + n, sizeof text - n, "%.*s%s\n", (int)(caret - line), line, caret + 1);
        } else
            n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", line);
    }
    return text;
}

static void base_is_good(void **state)
{
    int column;
    (void)state;
    struct sample s = sample_good(with_fault(NULL, &column));
    sample_free(&s);
}

/* A line of the messages that stands at the place and holds the text. */
static bool reported(const char *messages, const char *place, const char *message)
{
    for (const char *line = messages; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *end = strchr(line, '\n');
        char copy[2048];
        snprintf(copy, sizeof copy, "%.*s", (int)(end ? end - line : (long)strlen(line)), line);
        if (strncmp(copy, place, strlen(place)) == 0 && strstr(copy, message))
            return true;
    }
    return false;
}

static void each_fault_at_its_place(void **state)
{
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        int column;
        char place[64];
        struct sample s = sample_load(with_fault(&faults[i], &column));
        snprintf(place, sizeof place, "s:%d:%d: error: ", faults[i].line, column);
        if (s.study || !reported(s.messages, place, faults[i].message)) {
            print_error("%s\n  expected %s%s\n  found    %s\n", faults[i].text, place, faults[i].message,
                        s.study ? "no fault" : s.messages);
            wrong++;
        }
        sample_free(&s);
    }
    assert_int_equal(wrong, 0);
}

static void all_faults_in_one_pass(void **state)
{
    (void)state;
    struct sample s = sample_load("study: trial\n"
                                  "drugs: {clonazepam: alpha}\n"
                                  "cohort: {subjects: 0, covariates: {WT: 70}}\n"
                                  "arms: [{name: a, clonazepan: []}]\n"
                                  "times: [{until: 3 h, every: 10}]\n"
                                  "outputs: [clonazepam.Cq]\n"
                                  "quantiles: [7]\n"
                                  "solver: exakt\n");
    static const char *const places[] = {"s:3:20: error:", "s:3:40: error:", "s:4:18: error:", "s:5:29: error:",
                                         "s:6:11: error:", "s:7:13: error:", "s:8:9: error:"};
    assert_null(s.study);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!reported(s.messages, places[i], ""))
            fail_msg("no message at %s in\n%s", places[i], s.messages);
    sample_free(&s);
}

static void missing_parts(void **state)
{
    (void)state;
    struct sample s = sample_load("title: nothing\n");
    assert_null(s.study);
    assert_non_null(strstr(s.messages, "a study needs a name"));
    assert_non_null(strstr(s.messages, "a study needs arms"));
    assert_non_null(strstr(s.messages, "a study needs times"));
    assert_non_null(strstr(s.messages, "at least one drug"));
    sample_free(&s);
    s = sample_load("- a list\n");
    assert_null(s.study);
    assert_non_null(strstr(s.messages, "s:1:1: error: a study is a mapping"));
    sample_free(&s);
}

/* ---- tables of real patients */

static const struct {
    const char *csv;
    const char *place, *message;
} tables[] = {
    {"ID,WT\n1,70\n2,\n", ":3:3: error: ", "WT has no value in this row"},
    {"ID,WT\n1,70\n2,heavy\n", ":3:3: error: ", "expected a number for WT, found 'heavy'"},
    {"ID,WT\n1,70\n2,270\n", ":3:3: error: ", "WT = 270 kg is outside the range its model states, 30 to 200 kg"},
    {"ID,WT [lb]\n1,70\n", ":1:4: error: ", "column 'WT [lb]': unknown unit 'lb'"},
    {"ID,WT [mg]\n1,70\n", ":1:4: error: ", "expected a unit such as kg"},
    {"ID,cbz\n1,presnt\n", ":2:3: error: ", "unknown category 'presnt' of cbz; did you mean 'present'?"},
};

static void faulty_tables(void **state)
{
    (void)state;
    const struct fault line = {COHORT, "cohort: {subjects: 20, csv: ^people.csv}", ""};
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(sample_folder), 0);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        int column;
        char place[64];
        sample_write("people.csv", tables[i].csv);
        struct sample s = sample_load(with_fault(&line, &column));
        snprintf(place, sizeof place, "people.csv%s", tables[i].place);
        if (s.study || !reported(s.messages, place, tables[i].message))
            fail_msg("%s\nexpected %s%s in\n%s", tables[i].csv, place, tables[i].message, s.messages);
        sample_free(&s);
    }
    sample_write("people.csv", "ID,SEX\n1,m\n");
    int column;
    struct sample s = sample_load(with_fault(&line, &column));
    assert_true(reported(s.messages, "s:4:29: error: ", "no column of 'people.csv' is named like a covariate"));
    sample_free(&s);
    sample_write("people.csv", "ID,WT\n");
    s = sample_load(with_fault(&line, &column));
    assert_true(reported(s.messages, "s:4:29: error: ", "has no rows"));
    sample_free(&s);
    assert_int_equal(chdir(here), 0);
}

/* ---- odd texts */

/* Every value of the study replaced by every kind of node: a message or a study, never a crash. */
static void wrong_kinds_everywhere(void **state)
{
    static const char *const odd[] = {"",
                                      "3",
                                      "[]",
                                      "{}",
                                      "[[]]",
                                      "[{}]",
                                      "{a: 1}",
                                      "[a, b, c]",
                                      "{a: {b: [1, {c: 2}]}}",
                                      "\"\"",
                                      "1e400 mg",
                                      "-",
                                      "[\"\", \"\"]",
                                      "{clonazepam: [1], fentanyl: {}}",
                                      "[{name: [1]}]",
                                      "[{of: [], list: {}}]",
                                      "{factors: {clonazepam.TVCL: [[1], {a: 2}]}}",
                                      "{factors: {a.b: []}}",
                                      "{subjects: 5, covariates: {WT: {}, AGE: {uniform: {}}, cbz: {categorical: []}}}",
                                      "{subjects: 5, correlations: {between: 3, r: []}}",
                                      "{overlap: {model: {}, inputs: 3}}"};
    static const char *const keys[] = {
        "study",     "title",       "description", "origin",  "drugs",      "interactions", "parameters", "cohort",
        "arms",      "times",       "outputs",     "metrics", "thresholds", "quantiles",    "solver",     "tolerance",
        "precision", "compression", "store",       "sweep",   "defaults",   "data"};
    (void)state;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (size_t o = 0; o < sizeof odd / sizeof *odd; o++) {
            char text[4096];
            size_t n = 0;
            for (size_t i = 0; i < N_LINES; i++)
                if (strncmp(base[i], keys[k], strlen(keys[k])) != 0 || base[i][strlen(keys[k])] != ':')
                    n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", base[i]);
            snprintf(text + n, sizeof text - n, "%s: %s\n", keys[k], odd[o]);
            struct sample s = sample_load(text);
            assert_true(s.study || hl_diag_count(s.diag, HL_ERROR) > 0);
            sample_free(&s);
        }
}

/* Random edits of a study; the seed is printed. */
static void random_edits(void **state)
{
    static const char alphabet[] = "{}[]:,- \n\"'0123456789.abhmgLkT%*&!|>#";
    uint64_t seed = 20260417;
    const char *asked = getenv("HL_TEST_SEED");
    (void)state;
    if (asked)
        seed = strtoull(asked, NULL, 10);
    print_message("random edits with seed %llu\n", (unsigned long long)seed);
    for (uint64_t trial = 0; trial < 600; trial++) {
        char text[4096];
        int column;
        const struct fault *fault = &faults[trial % (sizeof faults / sizeof *faults)];
        snprintf(text, sizeof text, "%s", with_fault(fault, &column));
        size_t n = strlen(text);
        for (uint64_t edit = 0; edit < 1 + trial % 5; edit++) {
            size_t at = (size_t)(hl_random_uniform(seed, trial, 1, edit) * (double)n);
            size_t letter = (size_t)(hl_random_uniform(seed, trial, 2, edit) * (double)(sizeof alphabet - 1));
            text[at] = alphabet[letter];
        }
        struct sample s = sample_load(text);
        assert_true(s.study || hl_diag_count(s.diag, HL_ERROR) > 0);
        sample_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_is_good),           cmocka_unit_test(each_fault_at_its_place),
        cmocka_unit_test(all_faults_in_one_pass), cmocka_unit_test(missing_parts),
        cmocka_unit_test(faulty_tables),          cmocka_unit_test(wrong_kinds_everywhere),
        cmocka_unit_test(random_edits),
    };
    return cmocka_run_group_tests_name("study_faults", tests, sample_start, sample_stop);
}
