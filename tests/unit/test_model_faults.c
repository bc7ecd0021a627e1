/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a model file can get wrong, each with the place and the remedy; all faults of a file in one pass; and files torn at
 * random, which must be refused or read but never crash. */
#include <math.h>

#include "model/matrix.h"
#include "model_sample.h"

#define HEAD "model: m\nparameters:\n  CL: {value: 3.6 L/h, grade: measured}\n  V: {value: 90 L, grade: C}\n"

static const struct { const char *text, *message; } faults[] = {
    {"title: x\n", "m.yaml:1:1: error: a model needs a name"},
    {"model: 3x\n", "m.yaml:1:8: error: '3x' is not a name"},
    {"model: m\ncompartmens: {}\n", "m.yaml:2:1: error: unknown key 'compartmens' in a model; did you mean 'compartments'?"},
    {"model: m\nmolar_mass: 315.72 g\n", "m.yaml:2:13: error: expected a molar mass such as 315.72 g/mol"},
    {"model: m\nfamily: the absorption of everything that can be absorbed\n",
     "m.yaml:2:9: error: expected a few words of at most 40 characters as family, found 'the absorption of"},
    {"model: m\nfamily: [absorption]\n", "m.yaml:2:9: error: expected"},
    {"model: m\nextends: other\n", "m.yaml:2:10: error: no model 'other'"},
    /* values */
    {"model: m\nparameters: {CL: 3 L/h}\n", "m.yaml:2:18: error: parameter 'CL' needs its evidence too"},
    {"model: m\nparameters: {CL: {value: 3 L/h}}\n", "m.yaml:2:18: error: parameter 'CL' has no evidence grade"},
    {"model: m\nparameters: {CL: {grade: M}}\n", "m.yaml:2:14: error: parameter 'CL' has no value"},
    {"model: m\nparameters: {CL: {value: 3 L/hh, grade: M}}\n", "m.yaml:2:26: error: unknown unit 'hh'"},
    {"model: m\nparameters: {CL: {value: 3 L/h, grade: mesured}}\n", "did you mean 'measured'?"},
    {"model: m\nparameters: {CL: {value: 3 L/h, grad: M}}\n", "unknown key 'grad' in parameter 'CL'; did you mean 'grade'?"},
    {"model: m\nparameters: {CL: {value: 3 L/h, grade: M, mark: X}}\n", "unknown mark 'X'"},
    {"model: m\nparameters: {CL: {value: 3 L/h, grade: M, source: g2005}}\nreferences: {g2006: {cite: x}}\n",
     "m.yaml:2:51: error: no reference 'g2005' under references:; did you mean 'g2006'?"},
    {"model: m\nparameters: {CL: {value: 3 L/h, grade: M, range: [5 L/h, 2 L/h]}}\n",
     "m.yaml:2:50: error: the range ends below its start: \"5 L/h\" is above \"2 L/h\"; swap them"},
    {"model: m\nparameters: {CL: {value: 3 L/h, grade: M, range: [1, 2]}}\n", "has dimension 1; add a unit"},
    {"model: m\nparameters: {CL: {value: 3 L/h, grade: M, uncertainty: {normal: 2}}}\n", "expected a standard deviation, of dimension L/h"},
    {"model: m\nparameters: {CL: {value: -3, grade: M, uncertainty: {lognormal: 0.2}}}\n", "needs a value above 0"},
    {"model: m\nparameters: {exp: {value: 3, grade: M}}\n", "m.yaml:2:14: error: 'exp' has a meaning of its own"},
    {"model: m\nparameters: {V: {value: 3, grade: M}}\ncompartments:\n  V: {}\n",
     "m.yaml:4:3: error: 'V' is already the name of the parameter declared in line 2"},
    {"model: m\nparameters: {f: {by: sex, values: {a: {value: 1, grade: M}}}}\n", "m.yaml:2:22: error: no covariate or mixture 'sex'"},
    {"model: m\ncovariates: {s: {default: a, categories: [a, b]}}\nparameters: {f: {by: s, values: {a: {value: 1, grade: M}}}}\n",
     "table 'f' has no value for 'b'"},
    {"model: m\ncovariates: {s: {default: a, categories: [a, b]}}\nparameters: {f: {by: s, grade: M, values: {a: 1 h, b: 2 L}}}\n",
     "'f' has dimension L for b but h for a"},
    {"model: m\ncovariates: {s: {default: a, categories: [a, b]}}\nparameters: {f: {by: s, grade: M, values: {a: 1, bb: 2, b: 2}}}\n",
     "unknown key 'bb' in this table"},
    {"model: m\ncovariates: {s: {default: c, categories: [a, b]}}\n", "m.yaml:2:27: error: 'c' is not a category of s"},
    {"model: m\ncovariates: {WT: {range: [1 kg, 2 kg]}}\n", "covariate 'WT' has no default"},
    {"model: m\ncovariates: {WT: {default: 70 kg, range: [80 kg, 90 kg]}}\n", "the default of WT, 70 kg, is outside its range"},
    /* random effects */
    {"model: m\nrandom: {e: {}}\n", "m.yaml:2:10: error: random effect 'e' has no spread"},
    {"model: m\nrandom: {e: {sd: 1, cv: 0.3}}\n", "both sd and cv; one says it all"},
    {"model: m\nrandom: {e: {sd: -1}}\n", "m.yaml:2:18: error: a spread is not negative"},
    {"model: m\nrandom: {e: {sd: 1, level: visit}}\n", "unknown level 'visit'"},
    {"model: m\nrandom: {block: {of: [a, b]}}\n", "a block needs either covariance: or correlation:"},
    {"model: m\nrandom: {block: {of: [a, b], correlation: [[1, 0.2], [0.2, 1]]}}\n", "no spread for 'a'"},
    {"model: m\nrandom: {block: {of: [a, b], sd: [1, 2, 3], correlation: [[1, 0.2], [0.2, 1]]}}\n", "expected a list of 2 values"},
    {"model: m\nrandom: {block: {of: [a, b], sd: [1, 2], correlation: [[1, 0.2], [0.3, 1]]}}\n", "the matrix is not symmetric"},
    {"model: m\nrandom: {block: {of: [a, b], sd: [1, 2], correlation: [[1, 1.2], [1.2, 1]]}}\n", "a correlation lies between -1 and 1"},
    {"model: m\nrandom: {block: {of: [a, b], sd: [1, 2], correlation: [[2, 0.2], [0.2, 1]]}}\n", "the diagonal of a correlation matrix is 1"},
    {"model: m\nrandom: {block: {of: [a, b], covariance: [[1, 0.2]]}}\n", "expected a matrix of 2 rows of 2 numbers"},
    {"model: m\nrandom: {block: {of: [a, b], covariance: [[-1, 0], [0, 1]]}}\n",
     "m.yaml:2:44: error: a variance is not negative, found -1"},
    {"model: m\nrandom: {block: {of: [a, b], covariance: [[0, 0.1], [0.1, 1]]}}\n",
     "m.yaml:2:47: error: a covariance of 0.1 stands beside a variance of 0; set it to 0 too"},
    {"model: m\nrandom: {block: {of: [a, b], covariance: [[1], [0.1, 0]]}}\n", "m.yaml:2:49: error: a covariance of 0.1 stands"},
    {"model: m\nrandom: {block: {of: [a, b], correlation: [[1, 0.2], [0.2, 1]], covariance: [[1, 0], [0, 1]]}}\n",
     "a covariance matrix says it all; leave out correlation:"},
    {"model: m\nrandom: {block: {of: [a, b], sd: [1, 2], covariance: [[1, 0], [0, 1]]}}\n", "leave out sd:"},
    {"model: m\nrandom: {block: {of: [a, b, c], sd: [1, 1, 1], correlation: [[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]}}\n",
     "m.yaml:2:61: error: the correlation matrix is not positive definite: its correlation matrix has the eigenvalue -0.8; the nearest"},
    {"model: m\nrandom: {block: {of: [a, b], covariance: [[4, 6], [6, 4]]}}\n", "eigenvalue -0.5; the nearest valid matrix is [[4, 3.992], [3.992, 4]]"},
    {"model: m\nrandom: {blocks: [{of: [a, b], covariance: [[1, 0], [0, 1]]}, {of: [b, c], covariance: [[1, 0], [0, 1]]}]}\n", "'b' is in two blocks"},
    {"model: m\nmixtures: {x: {slow: 0.75, fast: 0.35}}\n", "m.yaml:2:12: error: the probabilities of mixture 'x' sum to 1.1, not 1"},
    {"model: m\nmixtures: {x: {slow: 1.75, fast: -0.75}}\n", "a probability lies between 0 and 1"},
    /* definitions */
    {"model: m\nindividual:\n  a: b + 1\n  b: c + 1\n  c: a + 1\n", "error: circular definition: a -> b -> c -> a"},
    {"model: m\ncompartments: {c: {}}\nindividual: {a: c * 2}\n", "m.yaml:3:17: error: 'c' changes with time"},
    {"model: m\nindividual: {a: t * 2}\n", "m.yaml:2:17: error: 't' changes"},
    {"model: m\nindividual: {a: 1 > 2}\n", "'a' is a comparison, not a number"},
    {"model: m\nindividual: {a: min(1, b)}\n", "quote this expression"},
    {"model: m\nindividual: {\"min(1\": 2}\n", "m.yaml:2:15: error: 'min(1' is not a name"},
    {"model: m\noutputs: {y: {value: 1}}\n", "m.yaml:2:11: error: output 'y' has no unit"},
    {"model: m\noutputs: {y: {unit: mgg, value: 1}}\n", "unknown unit 'mgg'"},
    {"model: m\noutputs: {y: {unit: mg}}\n", "output 'y' has no value"},
    {"model: m\nstates: {s: {initial: 1, rate: \"2 - s\"}}\n", "m.yaml:2:33: error: the rate of 's' (1 per h) must have dimension 1/h"},
    {"model: m\nstates: {s: {initial: 1}}\n", "state 's' has no rate"},
    {"model: m\nstates: {s: {initial: 1 mg, rate: \"1 [1/h]\"}}\n", "the start value of 's' must have dimension 1, but this expression has mg"},
    {"model: m\ncompartments: {c: {}}\neffect_sites: {e: {follows: c, ke0: 2}}\n", "ke0 of 'e' must have dimension 1/h"},
    {"model: m\neffect_sites: {e: {follows: y, ke0: \"1 [1/h]\"}}\noutputs: {y: {value: e + 1 mg, unit: mg}}\n", "m.yaml:2:16: error: circular definition: e -> y -> e; state the effect site's unit"},
    {"model: m\ninputs: {A: Ce}\n", "m.yaml:2:13: error: expected an output of another model such as fentanyl.Ce"},
    {"model: m\nresidual_error: {Cq: {proportional: 0.1}}\n", "a residual error belongs to an output, and 'Cq' is none"},
    {"model: m\noutputs: {y: {value: 1 mg, unit: mg}}\nresidual_error: {y: {additive: 1 h}}\n", "the additive residual error of 'y' is in h, the output in mg"},
    {"model: m\nreferences: {g: {cite: x}}\nequivalents: {g: 10 ng/mL}\n",
     "m.yaml:3:18: error: expected an amount such as 10 mg"},
    {"model: m\nreferences: {g: {cite: x}}\nequivalents: {g: 0 mg}\n",
     "m.yaml:3:18: error: an equivalent amount must be above 0"},
    {"model: m\nreferences: {g: {doi: x}}\n", "m.yaml:2:14: error: reference 'g' has no citation"},
    /* impossible models */
    {HEAD "compartments: {gut: {}, central: {volume: V}}\nflows:\n  - gut -> centrl: 1 [1/h]\n",
     "m.yaml:7:12: error: a flow into a compartment that does not exist, 'centrl'; did you mean 'central'?"},
    {HEAD "compartments: {gut: {}, central: {volume: V}}\nflows:\n  - gt -> central: 1 [1/h]\n",
     "m.yaml:7:5: error: a flow from a compartment that does not exist, 'gt'"},
    {HEAD "compartments: {gut: {}}\nflows:\n  - gut -> out: CL\n", "m.yaml:7:5: error: a clearance out of 'gut' needs its volume"},
    {HEAD "compartments: {gut: {}}\nflows:\n  - gut -> out: V\n", "m.yaml:7:17: error: a flow needs a clearance [L/h] or a rate [1/h], but this expression has L"},
    {HEAD "compartments: {a: {volume: V}, b: {volume: V}}\nflows:\n  - a <-> b: 2 [1/h]\n", "a two-way flow needs a clearance"},
    {HEAD "compartments: {a: {volume: V}, b: {}}\nflows:\n  - a <-> b: CL\n", "a clearance out of 'b' needs its volume"},
    {HEAD "compartments: {a: {volume: V}}\nflows:\n  - a <-> out: CL\n", "would bring drug in from outside"},
    {HEAD "compartments: {a: {volume: V}}\nflows:\n  - out -> a: CL\n", "nothing flows in from outside"},
    {HEAD "compartments: {a: {volume: V}}\nflows:\n  - a -> a: CL\n", "a flow from 'a' into itself"},
    {HEAD "compartments: {a: {volume: V}}\nflows:\n  - a => out: CL\n", "expected a flow such as"},
    {HEAD "compartments: {a: {volume: V}}\nflows:\n  - a -> out: -1 L/h\n", "a flow can't be negative"},
    {HEAD "compartments: {a: {volume: CL}}\n", "m.yaml:5:28: error: the volume of 'a' must have dimension L, but this expression has L/h"},
    {HEAD "compartments: {a: {volume: 0 L}}\n", "a volume must be above 0"},
    {HEAD "compartments: {a: {initial: 3}}\n", "the start value of 'a' must have dimension mg"},
    {HEAD "compartments: {a: {default: both}, b: {default: dose}}\n", "'a' is already the default to dose"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: {into: gut}}\n", "m.yaml:6:23: error: a route into a compartment that does not exist, 'gut'"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: {}}\n", "route 'oral' leads nowhere"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: {into: a, lag: 3}}\n", "m.yaml:6:31: error: the lag of 'oral' must have dimension h"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: {into: a, bioavailability: 50 %}}\n", "the bioavailability of 'oral' must have dimension 1"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: {into: a, bioavailability: -0.5}}\n", "can't be negative"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: [{into: a, fraction: 0.7}, {into: a, fraction: 0.4}]}\n", "sum to 1.1, more than the dose"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: [{into: a, fraction: 0.7}, {into: a}]}\n", "would take the whole dose again"},
    {HEAD "compartments: {a: {}}\nroutes: {oral: {into: a, zero_order: 2 h, rate: 3 mg/h}}\n", "zero_order: fixes how every dose of this route enters; leave out rate:"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, release: \"exp(-tad / 1 h) / 1 h\"}}\n",
     "m.yaml:6:23: error: state the fraction of the dose that has entered by tad, released:, instead of its rate; as in released: \"gamma_p("},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, release: 1 h^-1, released: \"-expm1(-tad / 1 h)\"}}\n",
     "m.yaml:6:23: error: released: says it all; leave out release:"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: \"-expm1(-tad / 1 h)\", zero_order: 2 h, rate: 1 mg/h, duration: 3 h}}\n",
     "m.yaml:6:72: error: released: fixes how every dose of this route enters; leave out rate:"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: \"exp(-tad / 1 h) / 1 h\"}}\n",
     "m.yaml:6:34: error: released: of 'r', a fraction, must have dimension 1, but this expression has 1/h"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: \"exp(-tad / 1 h)\"}}\n",
     "m.yaml:6:34: error: released: of 'r' is the fraction of a dose that has entered by tad: it rises from 0 to 1 and never falls; with the "
     "typical values it is 0.999999 at tad = 1e-06 h, after 1"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: \"2 * tad / (1 h + tad)\"}}\n", "with the typical values it is 1.02371 at tad = 1.04858 h"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: \"gamma_p(V / 1 L - 90, tad / 1 h)\"}}\n", "it is nan at tad = 0 h"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: V / 100 L}}\n", "released: of 'r' doesn't depend on tad"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: \"min(tad / 1 h, t / 1 h)\"}}\n",
     "m.yaml:6:49: error: a release goes by the clock of its own dose; use tad, the time since it arrived"},
    {HEAD "compartments: {a: {}}\nroutes: {r: {into: a, released: \"min(tad / 1 h, a / 1 mg)\"}}\n", "m.yaml:6:49: error: 'a' changes with time"},
    {HEAD "compartments: {a: {}}\nroutes: {p: {patch: {into: a, release: 1 h^-1}}}\n", "patch 'p' needs either content:"},
    {HEAD "compartments: {a: {}}\nroutes: {p: {patch: {into: a, content: 2 h * nominal, release: 1 h}}}\n", "the release of 'p' must have dimension 1/h"},
    {HEAD "compartments: {a: {}}\nroutes: {p: {patch: {into: a, content: nominal, release: 1 h^-1}}}\n", "the content of patch 'p' must have dimension mg, but this expression has mg/h"},
    {HEAD "compartments: {a: {}, b: {}}\nroutes: {p: {patch: {into: [a, b], content: 2 h * nominal, release: 1 h^-1}}}\n", "needs fractions: with 2 values"},
    {HEAD "compartments: {a: {}}\nroutes: {p: {patch: {into: a, content: 2 h * nominal, phases: [{release: 1 h^-1}, {release: 1 h^-1}]}}}\n", "every phase but the last needs until:"},
    {HEAD "compartments: {a: {}}\nroutes: {p: {patch: {into: a, nominal: L, rate: 1 mg/h}}}\n", "the strength of a patch is a rate or an amount"},
};

static void every_fault_is_named(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct sample s = sample_read(faults[i].text);
        if (s.model || !strstr(s.messages, faults[i].message)) {
            print_error("expected \"%s\", got \"%s\"\n", faults[i].message, s.messages);
            wrong++;
        }
        sample_free(&s);
    }
    assert_int_equal(wrong, 0);
}

static void all_faults_in_one_pass(void **state)
{
    (void)state;
    struct sample s = sample_read("model: m\nparameters: {CL: {value: 3 L/hh, grade: M}, V: {value: 9 L}}\n"
                                  "random: {e: {sd: -1}}\nindividual: {a: CLL * 2, b: log(V)}\noutputs: {y: {value: V +, unit: L}}\n");
    static const char *const places[] = {"m.yaml:2:26:", "m.yaml:2:48:", "m.yaml:3:18:", "m.yaml:4:17:", "m.yaml:4:33:", "m.yaml:5:25:"};
    assert_null(s.model);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (!strstr(s.messages, places[i]))
            fail_msg("no message at %s in\n%s", places[i], s.messages);
    sample_free(&s);
}

static void warnings_do_not_refuse(void **state)
{
    (void)state;
    struct sample s = sample_read("model: m\ncompartments: {a: {}, b: {volume: 3 L}, urine: {}}\nroutes: {iv: {into: b}}\n"
                                  "flows: [b -> urine: 0.1 h^-1]\n");
    assert_non_null(s.model);
    assert_non_null(strstr(s.messages, "warning: nothing ever reaches compartment 'a'"));
    assert_null(strstr(s.messages, "urine"));
    sample_free(&s);
    s = sample_read("model: m\ncompartments: {b: {volume: 3 L}}\nflows: [b -> out: 1 L/h]\nroutes: {r: {into: b, released: \"0.9 * tad / (1 h + tad)\"}}\n");
    assert_non_null(s.model);
    assert_non_null(strstr(s.messages, "m.yaml:4:34: warning: released: of 'r' comes to 0.9 with the typical values"));
    sample_free(&s);
    s = sample_read("model: m\ncompartments: {b: {volume: 3 L}}\nroutes: {iv: {into: b}}\n");
    assert_non_null(s.model);
    assert_non_null(strstr(s.messages, "warning: nothing ever leaves compartment 'b'"));
    sample_free(&s);
}

static void nearest_matrix_is_valid(void **state)
{
    (void)state;
    const double bad[] = {1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1};
    double smallest, near[9];
    assert_int_equal(hl_correlation_check(bad, 3, &smallest, near), HL_OK);
    assert_true(fabs(smallest + 0.8) < 1e-14);
    assert_int_equal(hl_correlation_check(near, 3, &smallest, NULL), HL_OK);
    assert_true(smallest > HL_SMALLEST_EIGENVALUE);
    for (int i = 0; i < 9; i++)
        assert_true(fabs(near[i]) <= 1.0 && fabs(near[i] - near[(i % 3) * 3 + i / 3]) < 1e-15);
}

/* Cuts, repeats and swaps characters of a good model: a small linear congruential generator, fixed seed. */
static void torn_files_do_not_crash(void **state)
{
    (void)state;
    static const char good[] =
        HEAD "covariates: {WT: {default: 70 kg}, s: {default: a, categories: [a, b]}}\nrandom:\n  e: {sd: 0.2}\n"
        "  block: {of: [f, g], sd: [0.2, 0.3], correlation: [[1, 0.3], [0.3, 1]]}\nindividual:\n  k: \"CL / V * exp(e + f) * if(s = a, 1, 2)\"\n"
        "compartments:\n  gut: {}\n  c: {volume: V, default: both}\nflows:\n  - gut -> c: 1.7 [1/h]\n  - c -> out: CL\n"
        "routes:\n  po: {into: gut, lag: 1 h}\n  p:\n    patch: {content: \"2 h * nominal\", release: k, into: [gut, c], fractions: [0.4, 0.6]}\n"
        "effect_sites: {Ce: {follows: Cp, ke0: k}}\nstates: {T: {unit: ng/mL, initial: 0 ng/mL, rate: \"k * (Ce - T)\"}}\n"
        "outputs:\n  Cp: {value: c / V, unit: ng/mL}\n  E: {value: \"hill(Ce, 3 ng/mL + T, 2)\", unit: \"1\"}\n";
    unsigned long long seed = 20211009;
    char text[sizeof good + 8];
    size_t read = 0;
    for (int round = 0; round < 1500; round++) {
        strcpy(text, good);
        for (int k = 0; k <= round % 3; k++) {
            size_t n = strlen(text);
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(seed >> 33) % n, from = (size_t)(seed >> 17) % n;
            if (seed >> 62 == 0)
                memmove(text + at, text + at + 1, n - at);
            else if (seed >> 62 == 1)
                text[at] = "()[]{}:,-*/^ \"1%\n"[(seed >> 40) % 17];
            else
                text[at] = text[from];
        }
        struct sample s = sample_read(text);
        read += s.model != NULL;
        assert_true(s.model || strlen(s.messages) > 0);
        sample_free(&s);
    }
    assert_true(read > 10 && read < 1400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_named),    cmocka_unit_test(all_faults_in_one_pass),
        cmocka_unit_test(warnings_do_not_refuse),  cmocka_unit_test(nearest_matrix_is_valid),
        cmocka_unit_test(torn_files_do_not_crash),
    };
    return cmocka_run_group_tests(tests, sample_units, NULL);
}
