/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a file to numbers: the example of the manual, the rate matrix, linear and non-linear states, patches, tables,
 * mixtures, blocks, extends, interactions, focus and variants. Expected values are worked out by hand here. */
#include <math.h>
#include <unistd.h>

#include "model/describe.h"
#include "model_sample.h"

static const char example[] =
    "model: clonazepam_adult\n"
    "title: Clonazepam, oral and intravenous, two compartments with effect site, adult\n"
    "molar_mass: 315.72 g/mol\n"
    "references:\n"
    "  greenblatt2005: {cite: \"Greenblatt DJ et al. J Clin Pharmacol 2005;45:1288\", doi: \"10.1177/0091270005280861\"}\n"
    "  crevoisier2003: {cite: \"Crevoisier 2003\"}\n"
    "covariates:\n"
    "  WT: {default: 70 kg, range: [30 kg, 200 kg]}\n"
    "parameters:\n"
    "  TVCL: {value: 3.6 L/h, grade: measured, source: [greenblatt2005, crevoisier2003]}\n"
    "  TVKA: {value: 1.7 1/h, grade: measured, source: greenblatt2005}\n"
    "  TVF:  {value: 0.9, grade: M}\n"
    "  ke0:  {value: 1.6 1/h, grade: surrogate, note: lorazepam}\n"
    "  Vc0:  {value: 90 L, grade: C}\n"
    "  Vp:   {value: 100 L, grade: C}\n"
    "  EC50: {value: 15 ng/mL, grade: S}\n"
    "  gain: {value: 2.5, grade: C}\n"
    "  g:    {value: 2, grade: A}\n"
    "  t_on: {value: 48 h, grade: C}\n"
    "  t_off: {value: 14 d, grade: A}\n"
    "  tlag: {value: 15 min, grade: A}\n"
    "random:\n"
    "  eta_CL: {variance: 0.0625}\n"
    "  eta_V:  {cv: \"20 %\"}\n"
    "  eta_F:  {sd: 0.16}\n"
    "  kappa_CL: {sd: 0.22, level: occasion}\n"
    "  block: {of: [eta_V, eta_Q], sd: [0.2, 0.5], correlation: [[1, 0.3], [0.3, 1]]}\n"
    "mixtures:\n"
    "  absorption: {slow: 0.75, fast: 0.25}\n"
    "individual:\n"
    "  CL: \"TVCL * (WT / 70 kg)^0.75 * exp(eta_CL)\"\n"
    "  F:  \"min(1, TVF * exp(eta_F))\"\n"
    "  Vc: Vc0 * exp(eta_V)\n"
    "  Q: 30 L/h * exp(eta_Q)\n"
    "  ka: \"if(absorption = fast, 100 [1/h], TVKA)\"\n"
    "compartments:\n"
    "  gut:        {}\n"
    "  central:    {volume: Vc, default: observe}\n"
    "  peripheral: {volume: Vp}\n"
    "  muscle: {}\n"
    "flows:\n"
    "  - gut -> central: ka\n"
    "  - central <-> peripheral: Q\n"
    "  - central -> out: CL\n"
    "  - muscle -> central: 0.8 [1/h]\n"
    "routes:\n"
    "  oral: {into: gut, bioavailability: F, lag: tlag, default: dose}\n"
    "  iv:   {into: central}\n"
    "  im:\n"
    "    - {into: muscle, fraction: 0.85}\n"
    "    - {into: muscle, fraction: 0.15, lag: 9 h}\n"
    "effect_sites:\n"
    "  Ce: {follows: Cp, ke0: ke0}\n"
    "states:\n"
    "  T: {unit: ng/mL, initial: 0 ng/mL, rate: \"if(Ce > T, ln2/t_on, ln2/t_off) * (Ce - T)\"}\n"
    "outputs:\n"
    "  Cp: {value: central / Vc, unit: ng/mL, label: plasma concentration}\n"
    "  E:  {value: \"100 % * hill(Ce, EC50 + gain*T, g)\", unit: \"%\", label: sedation, grade: surrogate}\n"
    "  Cm: {value: Cp / molar_mass, unit: nM}\n"
    "residual_error:\n"
    "  Cp: {proportional: 0.076, additive: 0.3 ng/mL}\n";

static void near(const char *what, double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-14 * fabs(expected)))
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
}

static double *start(const struct hl_system *y, size_t lanes)
{
    double *regs = calloc(y->n_regs * lanes, sizeof *regs);
    hl_system_reset(y, regs, lanes);
    hl_program_run(&y->individual, regs, lanes);
    return regs;
}

static double coefficient(const struct hl_system *y, const double *regs, const char *row, const char *col)
{
    int r = hl_system_find_state(y, row), c = col ? hl_system_find_state(y, col) : -1;
    double sum = 0.0;
    for (size_t i = 0; i < y->n_coefs; i++)
        if (y->coef[i].row == r && y->coef[i].col == c)
            sum += regs[y->coef[i].reg];
    return sum;
}

static const struct hl_state *state_of(const struct hl_system *y, const char *name)
{
    int i = hl_system_find_state(y, name);
    assert_true(i >= 0);
    return &y->state[i];
}

static const struct hl_output *output_of(const struct hl_system *y, const char *name)
{
    int i = hl_system_find_output(y, name);
    assert_true(i >= 0);
    return &y->output[i];
}

static void set(const struct hl_system *y, double *regs, const char *state, double value)
{
    regs[state_of(y, state)->reg] = value;
}

static void example_of_the_manual(void **unused)
{
    (void)unused;
    struct sample s = sample_link(example);
    const struct hl_system *y = s.system;
    double *regs = start(y, 1);
    near("gut", coefficient(y, regs, "d.gut", "d.gut"), -1.7);
    near("gut to central", coefficient(y, regs, "d.central", "d.gut"), 1.7);
    near("central", coefficient(y, regs, "d.central", "d.central"), -(30.0 / 90 + 3.6 / 90));
    near("central from peripheral", coefficient(y, regs, "d.central", "d.peripheral"), 0.3);
    near("peripheral from central", coefficient(y, regs, "d.peripheral", "d.central"), 30.0 / 90);
    near("peripheral", coefficient(y, regs, "d.peripheral", "d.peripheral"), -0.3);
    near("effect site from central", coefficient(y, regs, "d.Ce", "d.central"), 1.6 / 90);
    near("effect site", coefficient(y, regs, "d.Ce", "d.Ce"), -1.6);
    near("muscle", coefficient(y, regs, "d.central", "d.muscle"), 0.8);
    assert_int_equal(y->n_coefs, 10);
    assert_true(state_of(y, "d.Ce")->linear && !state_of(y, "d.T")->linear && y->integrated);
    assert_string_equal(state_of(y, "d.Ce")->unit_text, "ng/mL");
    assert_string_equal(y->output[y->instance[0].default_output].name, "d.Cp");
    assert_string_equal(y->route[y->instance[0].default_route].name, "oral");
    assert_int_equal(y->n_etas, 5);
    near("cv to sd", y->eta[hl_system_find_eta(y, "d.eta_CL")].sd, 0.25);
    near("block holds", y->eta[hl_system_find_eta(y, "d.eta_V")].sd, 0.2);
    near("covariance", y->block[0].covariance[1], 0.3 * 0.2 * 0.5);
    assert_true(y->eta[hl_system_find_eta(y, "d.kappa_CL")].occasion);
    assert_true(strstr(s.messages, "note: 'eta_V' has standard deviation 0.198 here and 0.2 in its block") != NULL);
    near("residual", output_of(y, "d.Cp")->residual_additive, 0.3 * 0.001);
    near("lag", regs[y->route[0].part[0].lag_reg], 0.25);
    near("late muscle", regs[y->route[2].part[1].lag_reg], 9.0);
    free(regs);
    sample_free(&s);
}

static void example_with_a_subject(void **unused)
{
    (void)unused;
    struct sample s = sample_link(example);
    const struct hl_system *y = s.system;
    double *regs = calloc(y->n_regs, sizeof *regs);
    hl_system_reset(y, regs, 1);
    regs[y->covariate[hl_system_find_covariate(y, "WT")].reg] = 91.3;
    regs[y->eta[hl_system_find_eta(y, "d.eta_CL")].reg] = 0.217;
    regs[y->eta[hl_system_find_eta(y, "d.eta_F")].reg] = 0.8;
    regs[y->mixture[0].reg] = 1.0;
    hl_program_run(&y->individual, regs, 1);
    double CL = 3.6 * pow(91.3 / 70, 0.75) * exp(0.217);
    near("CL", regs[y->individual_value[0].reg], CL);
    near("F capped", regs[y->route[0].part[0].bioavailability_reg], 1.0);
    near("fast class", coefficient(y, regs, "d.gut", "d.gut"), -100.0);
    set(y, regs, "d.central", 1.9);
    set(y, regs, "d.Ce", 0.0171);
    set(y, regs, "d.T", 0.0023);
    set(y, regs, "d.gut", 0.37);
    set(y, regs, "d.peripheral", 0.77);
    hl_program_run(&y->outputs, regs, 1);
    hl_program_run(&y->rhs, regs, 1);
    near("Cp", regs[output_of(y, "d.Cp")->reg] / output_of(y, "d.Cp")->unit.factor, 1900.0 / 90);
    near("nM", regs[output_of(y, "d.Cm")->reg], 1.9 / 90 / (315.72 * 1e-6));
    near("E", regs[output_of(y, "d.E")->reg], 100 / (1 + pow((0.015 + 2.5 * 0.0023) / 0.0171, 2)));
    near("dCe", regs[state_of(y, "d.Ce")->derivative_reg], 1.6 * (1.9 / 90 - 0.0171));
    near("dT", regs[state_of(y, "d.T")->derivative_reg], log(2.0) / 48 * (0.0171 - 0.0023));
    near("dcentral", regs[state_of(y, "d.central")->derivative_reg],
         100 * 0.37 - 30 * 1.9 / 90 + 0.3 * 0.77 - CL * 1.9 / 90);
    free(regs);
    sample_free(&s);
}

/* Rates by program and by matrix agree for every linear state, in 1, 8 and 13 lanes to the last bit of each program. */
static void matrix_and_program_agree(void **unused)
{
    (void)unused;
    struct sample s = sample_link(example);
    const struct hl_system *y = s.system;
    double *wide = start(y, 13), *one = start(y, 1);
    for (size_t i = 0; i < y->n_states; i++)
        for (size_t lane = 0; lane < 13; lane++)
            wide[(size_t)y->state[i].reg * 13 + lane] = 0.1 + sin((double)(17 * i + lane)) * 0.09;
    hl_program_run(&y->rhs, wide, 13);
    for (size_t lane = 0; lane < 13; lane++) {
        for (size_t i = 0; i < y->n_states; i++)
            one[y->state[i].reg] = wide[(size_t)y->state[i].reg * 13 + lane];
        hl_program_run(&y->rhs, one, 1);
        for (size_t i = 0; i < y->n_states; i++) {
            double sum = 0.0, size = 0.0, rate = one[y->state[i].derivative_reg];
            assert_memory_equal(&rate, &wide[(size_t)y->state[i].derivative_reg * 13 + lane], sizeof rate);
            for (size_t k = 0; k < y->n_coefs; k++)
                if (y->coef[k].row == (int)i) {
                    sum += one[y->coef[k].reg] * one[y->state[y->coef[k].col].reg];
                    size += fabs(one[y->coef[k].reg] * one[y->state[y->coef[k].col].reg]);
                }
            if (y->state[i].linear && fabs(sum - rate) > 1e-14 * size)
                fail_msg("%s: matrix %.17g, program %.17g", y->state[i].name, sum, rate);
        }
    }
    free(wide);
    free(one);
    sample_free(&s);
}

static const char dynamics[] =
    "model: m\n"
    "parameters:\n"
    "  CL: {value: 4.7 L/h, grade: A}\n"
    "  V: {value: 61 L, grade: A}\n"
    "  fm: {value: 0.7, grade: A}\n"
    "  k: {value: 0.038 1/h, grade: A}\n"
    "  kin: {value: 2.1 mg/h, grade: A}\n"
    "covariates:\n"
    "  ill: {default: absent, categories: [absent, present]}\n"
    "compartments:\n"
    "  a: {volume: V}\n"
    "  b: {volume: 2 * V}\n"
    "  far: {}\n"
    "flows:\n"
    "  - a -> out: \"CL * if(ill = present, 0.5, 1)\"\n"
    "  - a -> b: CL * E\n"
    "  - b -> out: 0.3 [1/h]\n"
    "  - far -> out: 0.01 [1/h]\n"
    "routes: {iv: {into: a}, depot: {into: far}}\n"
    "effect_sites:\n"
    "  Ca: {follows: a / V * 2, ke0: \"0.9 [1/h]\"}\n"
    "states:\n"
    "  Am: {unit: mg, initial: 3 mg, rate: \"fm * CL * far / V - k * Am + kin\"}\n"
    "  Pr: {unit: mg, initial: \"kin / k\", rate: \"if(ill = present, 2 * kin, kin) - k * (Pr + far) / 2\"}\n"
    "  E: {initial: 1, rate: \"ln2 / 100 h * (1.5 - E)\"}\n"
    "  W: {unit: mg, initial: 0 mg, rate: \"1 [1/h] * (far - W) * step(t - 5 h)\"}\n"
    "  U: {unit: mg, initial: 0 mg, rate: \"0.2 [1/h] * (b - U)\"}\n"
    "outputs:\n"
    "  c: {value: far / V + 1 mg/L, unit: mg/L}\n"
    "  sq: {value: far^2, unit: mg^2}\n"
    "  ab: {value: a + far, unit: mg}\n"
    "  kel: {value: CL / V, unit: 1/h}\n";

static void linear_forms(void **unused)
{
    (void)unused;
    struct sample s = sample_link(dynamics);
    const struct hl_system *y = s.system;
    double *regs = start(y, 1);
    assert_true(state_of(y, "d.Am")->linear);
    assert_true(state_of(y, "d.far")->linear);
    assert_true(state_of(y, "d.Pr")->linear);
    assert_true(state_of(y, "d.E")->linear);
    assert_false(state_of(y, "d.a")->linear);  /* its clearance follows E */
    assert_false(state_of(y, "d.b")->linear);  /* fed by a */
    assert_false(state_of(y, "d.Ca")->linear); /* follows a */
    assert_false(state_of(y, "d.U")->linear);  /* follows b */
    assert_false(state_of(y, "d.W")->linear);  /* coefficient changes with t */
    near("metabolite formed", coefficient(y, regs, "d.Am", "d.far"), 0.7 * 4.7 / 61);
    near("metabolite lost", coefficient(y, regs, "d.Am", "d.Am"), -0.038);
    near("constant input", coefficient(y, regs, "d.Am", NULL), 2.1);
    near("Pr on itself", coefficient(y, regs, "d.Pr", "d.Pr"), -0.019);
    near("Pr from far", coefficient(y, regs, "d.Pr", "d.far"), -0.019);
    near("E on itself", coefficient(y, regs, "d.E", "d.E"), -log(2.0) / 100);
    near("E input", coefficient(y, regs, "d.E", NULL), log(2.0) / 100 * 1.5);
    near("start of Pr", regs[state_of(y, "d.Pr")->initial_reg], 2.1 / 0.038);
    near("start of Am", regs[state_of(y, "d.Am")->initial_reg], 3.0);
    const struct hl_output *c = output_of(y, "d.c");
    assert_true(c->linear && c->n_coefs == 1 && c->coef[0].col == hl_system_find_state(y, "d.far"));
    near("coefficient of c", regs[c->coef[0].reg], 1.0 / 61);
    near("offset of c", regs[c->offset_reg], 1.0);
    assert_false(output_of(y, "d.sq")->linear);
    assert_false(output_of(y, "d.ab")->linear); /* linear, but a is not exact */
    const struct hl_output *kel = output_of(y, "d.kel");
    assert_true(kel->linear && kel->n_coefs == 0);
    near("constant output", regs[kel->offset_reg], 4.7 / 61);
    assert_string_equal(state_of(y, "d.Ca")->unit_text, "mg/L");
    hl_program_run(&y->outputs, regs, 1);
    near("constant output run", regs[kel->reg], 4.7 / 61);
    free(regs);
    hl_system_reset(y, regs = calloc(y->n_regs, sizeof *regs), 1);
    regs[y->covariate[0].reg] = 1.0;
    hl_program_run(&y->individual, regs, 1);
    near("input by category", coefficient(y, regs, "d.Pr", NULL), 4.2);
    free(regs);
    sample_free(&s);
}

static void focus_prunes(void **unused)
{
    (void)unused;
    struct sample s = sample_link(dynamics);
    struct hl_system *y = hl_system_variant(s.arena, s.system);
    size_t before = s.system->n_regs;
    int c = hl_system_find_output(y, "d.c");
    y->initial[y->parameter[hl_system_find_parameter(y, "d.V")].reg] = 100.0;
    hl_system_focus(s.arena, y, &c, 1);
    assert_true(state_of(y, "d.far")->needed && !state_of(y, "d.a")->needed && !state_of(y, "d.Am")->needed);
    assert_false(y->integrated);
    assert_int_equal(y->rhs_integrated.n, 0);
    assert_true(y->rhs.n <= 2 && y->outputs.n == 2);
    assert_true(s.system->integrated && s.system->n_regs == before); /* the original is untouched */
    assert_true(state_of(s.system, "d.a")->needed);
    double *regs = start(y, 1);
    set(y, regs, "d.far", 5.0);
    hl_program_run(&y->outputs, regs, 1);
    near("variant's own parameter", regs[output_of(y, "d.c")->reg], 1.05);
    free(regs);
    int u = hl_system_find_output(y, "d.U");
    hl_system_focus(s.arena, y, &u, 1);
    assert_true(state_of(y, "d.U")->needed && state_of(y, "d.b")->needed && state_of(y, "d.a")->needed &&
                state_of(y, "d.E")->needed && !state_of(y, "d.far")->needed && y->integrated);
    near("still its own parameter", y->initial[y->parameter[hl_system_find_parameter(y, "d.V")].reg], 100.0);
    sample_free(&s);
}

static const char patch[] =
    "model: m\n"
    "parameters:\n"
    "  k_rel: {value: 0.0103 1/h, grade: C}\n"
    "  F: {value: 0.92, grade: M}\n"
    "  fs: {value: 0.33, grade: C}\n"
    "  heat: {value: 2, grade: M}\n"
    "compartments:\n"
    "  fast: {}\n"
    "  slow: {}\n"
    "  blood: {volume: 12.1 L}\n"
    "flows:\n"
    "  - fast -> blood: 0.2 [1/h]\n"
    "  - slow -> blood: 0.018 [1/h]\n"
    "  - blood -> out: 37.9 L/h\n"
    "routes:\n"
    "  patch:\n"
    "    patch: {content: \"168 h * nominal\", release: k_rel, loses: F, lag: 2 h, into: [fast, slow], fractions: [\"1 - fs\", fs], wear: 72 h, nominal: ug/h}\n"
    "  warm:\n"
    "    patch:\n"
    "      content: 0.64 * nominal\n"
    "      nominal: mg\n"
    "      into: fast\n"
    "      phases:\n"
    "        - {until: 10 h, release: heat * k_rel, loses: F}\n"
    "        - {release: k_rel, loses: 0.5 * F}\n"
    "  reservoir:\n"
    "    patch: {rate: nominal, loses: F, into: [fast, slow], fractions: [\"1 - fs\", fs]}\n"
    "outputs:\n"
    "  C: {value: blood / 12.1 L, unit: ng/mL}\n";

static void patches(void **unused)
{
    (void)unused;
    struct sample s = sample_link(patch);
    const struct hl_system *y = s.system;
    double *regs = start(y, 1);
    near("released", coefficient(y, regs, "d.patch_content1", "d.patch_content1"), -0.0103);
    near("into fast", coefficient(y, regs, "d.fast", "d.patch_content1"), 0.0103 * 0.92 * 0.67);
    near("into slow", coefficient(y, regs, "d.slow", "d.patch_content1"), 0.0103 * 0.92 * 0.33);
    near("heated", coefficient(y, regs, "d.warm_content1", "d.warm_content1"), -0.0206);
    near("heated into skin", coefficient(y, regs, "d.fast", "d.warm_content1"), 0.0206 * 0.92);
    near("later", coefficient(y, regs, "d.fast", "d.warm_content2"), 0.0103 * 0.46);
    const struct hl_route *r = &y->route[hl_system_find_route(y, 0, "patch")];
    assert_true(r->is_patch && r->n_phases == 1 && r->phase[0].until_reg == -1 && r->n_parts == 2);
    near("lag", regs[r->lag_reg], 2.0);
    near("wear", r->default_wear, 72.0);
    assert_true(state_of(y, "d.patch_content1")->kind == HL_PATCH_CONTENT && state_of(y, "d.patch_content1")->linear);
    near("start empty", regs[state_of(y, "d.patch_content1")->initial_reg], 0.0);
    regs[r->nominal_reg] = 0.025;
    hl_program_run(&r->content, regs, 1);
    near("content", regs[r->content_reg], 4.2);
    r = &y->route[hl_system_find_route(y, 0, "warm")];
    assert_int_equal(r->n_phases, 2);
    near("until", regs[r->phase[0].until_reg], 10.0);
    assert_true(hl_dim_equal(r->dose_dim, hl_dim_of("mg")) && r->default_wear == 0.0);
    r = &y->route[hl_system_find_route(y, 0, "reservoir")];
    assert_true(r->n_phases == 0 && r->content_reg == -1);
    regs[r->nominal_reg] = 0.1;
    hl_program_run(&r->content, regs, 1);
    near("rate", regs[r->rate_reg], 0.1);
    near("fraction that arrives", regs[r->part[1].fraction_reg], 0.92 * 0.33);
    free(regs);
    sample_free(&s);
}

/* How a dose enters: rate: or duration: alone is what every dose does; side by side a dose enters at once and both are
 * there for RATE -1 and -2 of data sets. */
static void inputs_of_routes(void **unused)
{
    (void)unused;
    struct sample s = sample_link("model: m\n"
                                  "parameters:\n"
                                  "  D: {value: 3.7 h, grade: assumption}\n"
                                  "  R: {value: 11 mg/h, grade: assumption}\n"
                                  "compartments: {a: {volume: 3 L}}\nflows: [a -> out: 0.1 1/h]\n"
                                  "outputs: {C: {value: a / 3 L, unit: mg/L}}\n"
                                  "routes:\n"
                                  "  both: {into: a, rate: R, duration: D, lag: 1.3 h}\n"
                                  "  slow: {into: a, zero_order: D}\n"
                                  "  long: {into: a, duration: 2 * D}\n"
                                  "  fast: {into: a, rate: 2 * R}\n"
                                  "  plain: {into: a}\n");
    static const struct { const char *name; enum hl_input_kind input; double given, rate, duration; } expected[] = {
        {"both", HL_INPUT_BOLUS, -1, 11, 3.7},
        {"slow", HL_INPUT_ZERO_ORDER, 3.7, -1, 3.7},
        {"long", HL_INPUT_ZERO_ORDER, 7.4, -1, 7.4},
        {"fast", HL_INPUT_RATE, 22, 22, -1},
        {"plain", HL_INPUT_BOLUS, -1, -1, -1}};
    double *regs = start(s.system, 1);
    for (size_t i = 0; i < 5; i++) {
        int route = hl_system_find_route(s.system, 0, expected[i].name);
        assert_true(route >= 0);
        const struct hl_route_part *part = &s.system->route[route].part[0];
        assert_int_equal(part->input, expected[i].input);
        near(expected[i].name, part->input_reg < 0 ? -1 : regs[part->input_reg], expected[i].given);
        near(expected[i].name, part->rate_reg < 0 ? -1 : regs[part->rate_reg], expected[i].rate);
        near(expected[i].name, part->duration_reg < 0 ? -1 : regs[part->duration_reg], expected[i].duration);
    }
    free(regs);
    sample_free(&s);
}

/* A route with released: what its program reads, which states it feeds, the three programs of rates. */
static void releases(void **unused)
{
    (void)unused;
    struct sample s = sample_link("model: m\nparameters: {n: {value: 3.7, grade: A}, MTT: {value: 1.9 h, grade: A}}\n"
                                  "individual: {ktr: \"(n + 1) / MTT\"}\ncompartments: {gut: {}, central: {volume: 31.3 L}, other: {volume: 2 L}}\n"
                                  "flows: [gut -> central: 1.3 h^-1, central -> out: 2.1 L/h, other -> out: 1 L/h]\n"
                                  "routes: {oral: {into: gut, released: \"gamma_p(n + 1, ktr * tad)\"}, iv: {into: central}, sc: {into: other}}\n"
                                  "outputs: {C: {value: central / 31.3 L, unit: mg/L}}\n");
    const struct hl_system *y = s.system;
    const struct hl_release *r = y->route[0].part[0].release;
    static const bool released[] = {true, false, false}, fed[] = {true, true, false};
    assert_non_null(r);
    assert_null(y->route[1].part[0].release);
    assert_int_equal(y->route[0].part[0].input, HL_INPUT_RELEASE);
    assert_int_equal(r->n_inputs, 2); /* n + 1 and ktr */
    for (int k = 0; k < 3; k++) {
        assert_int_equal(y->state[k].released, released[k]);
        assert_int_equal(y->state[k].fed, fed[k]);
        assert_true(y->state[k].linear);
    }
    assert_int_equal(y->rhs_integrated.n, 0);
    assert_true(y->rhs_released.n > 0 && y->rhs_released.n < y->rhs.n); /* without `other` */
    double *regs = calloc(y->n_regs, sizeof *regs);
    hl_system_reset(y, regs, 1);
    hl_program_run(&y->individual, regs, 1);
    regs[r->tad_reg] = 2.385;
    hl_program_run(&r->program, regs, 1);
    near("released", regs[r->released_reg], 0.7465815203989166); /* P(4.7, 4.7/1.9 * 2.385) */
    free(regs);
    sample_free(&s);
}

static void tables(void **unused)
{
    (void)unused;
    struct sample s = sample_link(
        "model: m\n"
        "covariates:\n  liver: {default: a, categories: [healthy, a, b]}\n"
        "mixtures:\n  kind: {x: 0.3, z: 0.7}\n"
        "parameters:\n"
        "  f: {by: liver, grade: A, values: {healthy: 1, b: {value: 0.65, grade: M}, a: 0.8}}\n"
        "  h1: {by: kind, values: {x: {value: 3 h, grade: A}, z: {value: 1 d, grade: A}}}\n"
        "outputs:\n  y: {value: f * h1, unit: h}\n");
    struct hl_system *y = s.system;
    static const double f[] = {1, 0.8, 0.65}, h1[] = {3, 24};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            double *regs = calloc(y->n_regs, sizeof *regs);
            hl_system_reset(y, regs, 1);
            near("default category", regs[y->covariate[0].reg], 1.0);
            regs[y->covariate[0].reg] = i;
            regs[y->mixture[0].reg] = k;
            hl_program_run(&y->individual, regs, 1);
            hl_program_run(&y->outputs, regs, 1);
            near("table", regs[output_of(y, "d.y")->reg], f[i] * h1[k]);
            free(regs);
        }
    int b = hl_system_find_parameter(y, "d.f.b");
    assert_true(b >= 0 && y->parameter[b].info->evidence.grade == HL_MEASURED);
    assert_true(hl_system_find_parameter(y, "d.f") == -1 && hl_system_find_parameter(y, "d.h1.z") >= 0);
    sample_free(&s);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void extends(void **unused)
{
    (void)unused;
    char directory[] = "/tmp/hl-models-XXXXXX", path[4][64], base[sizeof dynamics + 32];
    static const char *const names[] = {"base", "child", "loop", "orphan"};
    assert_non_null(mkdtemp(directory));
    for (int i = 0; i < 4; i++)
        snprintf(path[i], sizeof path[i], "%s/%s.yaml", directory, names[i]);
    snprintf(base, sizeof base, "family: shapes\n%s", dynamics);
    write_file(path[0], base);
    write_file(path[1], "model: child\nextends: base\nparameters:\n  V: {value: 50 L}\n  q: {value: 1 L/h, grade: A}\n"
                        "outputs:\n  sq: remove\ncompartments:\n  extra: {volume: V}\n  far: {volume: V}\nflows:\n  - far <-> extra: q\n");
    write_file(path[2], "model: loop\nextends: loop\n");
    write_file(path[3], "model: orphan\nextends: bse\n");
    const char *list[] = {directory};
    struct hl_arena *arena = hl_arena_create();
    struct hl_diag *diag = hl_diag_create();
    const struct hl_model *m = hl_model_load(arena, "child", list, 1, diag);
    assert_non_null(m);
    assert_string_equal(m->name, "child");
    assert_true(m->parts->n_flows == 5 && m->parts->n_outputs == 3 && m->parts->n_compartments == 4 && m->parts->n_files == 2);
    near("child's value", m->parameter[1].value, 50.0);
    assert_int_equal(m->parameter[1].evidence.grade, HL_ASSUMPTION); /* kept from the base */
    assert_null(hl_yaml_get(m->root, "extends"));
    assert_null(hl_model_load(arena, "loop", list, 1, diag));
    assert_null(hl_model_load(arena, "orphan", list, 1, diag));
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    hl_diag_print(diag, f);
    fclose(f);
    assert_non_null(strstr(text, "loop.yaml:2:10: error: 'loop' extends itself"));
    assert_non_null(strstr(text, "orphan.yaml:2:10: error: no model 'bse'"));
    free(text);
    f = open_memstream(&text, &size);
    assert_int_equal(hl_model_list(list, 1, f, diag), HL_OK);
    hl_model_print(m, f);
    fclose(f);
    assert_non_null(strstr(text, "Drugs\n  child   (a variant of base)\n  loop "));
    assert_non_null(strstr(text, "\n\nStructures: shapes\n  base    "));
    assert_null(m->family); /* a model that extends a structure is a drug */
    assert_non_null(strstr(text, "d far/dt   = - 0.01 [1/h] * far - q / V * far + q / V * extra"));
    free(text);
    for (int i = 0; i < 4; i++)
        unlink(path[i]);
    rmdir(directory);
    hl_diag_free(diag);
    hl_arena_free(arena);
}

static const char interaction[] = "model: i\ninputs: {A: one.C, B: two.Ce}\nparameters: {C50: {value: 3 ng/mL, grade: A}}\n"
                                  "states: {S: {unit: ng/mL, initial: 0 ng/mL, rate: \"0.1 [1/h] * (B - S)\"}}\n"
                                  "outputs: {y: {value: (A + B) / C50, unit: \"1\"}}\n";
static const char drug[] = "model: drug\ncovariates: {WT: {default: 70 kg}}\n"
                           "parameters: {ke0: {value: 0.7 1/h, grade: A}, k: {value: 0.1 1/h, grade: A}}\n"
                           "compartments: {c: {volume: 1 L/kg * WT}}\nflows: {c -> out: k}\nroutes: {iv: {into: c}}\n"
                           "effect_sites: {Ce: {follows: C, ke0: ke0}}\noutputs: {C: {value: c / (1 L/kg * WT), unit: ng/mL}}\n";

static struct hl_model *parse(struct sample *s, const char *name, const char *text)
{
    struct hl_model *m = hl_model_from_yaml(s->arena, hl_yaml_load_text(s->arena, name, text, s->diag), NULL, 0, s->diag);
    if (!m) {
        sample_take_messages(s);
        fail_msg("%s", s->messages);
    }
    return m;
}

static void interactions(void **unused)
{
    (void)unused;
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    struct hl_model *a = parse(&s, "a.yaml", drug), *i = parse(&s, "i.yaml", interaction);
    const char *names[] = {"B"}, *outputs[] = {"other.Ce"};
    struct hl_instance instances[] = {
        {.alias = "both", .model = i, .n_inputs = 1, .input_name = names, .input_output = outputs},
        {.alias = "one", .model = a, .is_drug = true}, {.alias = "other", .model = a, .is_drug = true}};
    struct hl_system *y = hl_system_link(s.arena, instances, 3, s.diag);
    assert_non_null(y);
    assert_int_equal(y->n_covariates, 1);
    int out = hl_system_find_output(y, "both.y");
    hl_system_focus(s.arena, y, &out, 1);
    assert_true(y->output[out].linear && y->output[out].n_coefs == 2 && !y->integrated);
    assert_true(state_of(y, "both.S")->linear && !state_of(y, "both.S")->needed && !state_of(y, "one.Ce")->needed);
    double *regs = start(y, 1);
    set(y, regs, "one.c", 0.7);
    set(y, regs, "other.Ce", 0.002);
    hl_program_run(&y->outputs, regs, 1);
    near("sum", regs[y->output[out].reg], (0.01 + 0.002) / 0.003);
    near("S from the other drug", coefficient(y, regs, "both.S", "other.Ce"), 0.1);
    free(regs);
    assert_null(hl_system_link(s.arena, instances, 2, s.diag));
    outputs[0] = "one.Cee";
    assert_null(hl_system_link(s.arena, instances, 3, s.diag));
    sample_take_messages(&s);
    assert_non_null(strstr(s.messages, "'both' needs its input B (two.Ce), and the study has no such drug"));
    assert_non_null(strstr(s.messages, "'one' has no output 'Cee'; did you mean 'Ce'?"));
    sample_free(&s);
}

static void shared_covariates(void **unused)
{
    (void)unused;
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    struct hl_instance instances[] = {
        {.alias = "one", .model = parse(&s, "a.yaml", drug), .is_drug = true},
        {.alias = "two", .model = parse(&s, "b.yaml", "model: b\ncovariates: {WT: {default: 70 L}}\noutputs: {y: {value: WT, unit: L}}\n")},
        {.alias = "two", .model = parse(&s, "c.yaml", "model: b\ncovariates: {WT: {default: x, categories: [x]}}\n")},
        {.alias = "four", .model = parse(&s, "d.yaml", "model: b\ncovariates: {WT: {default: 75 kg}}\n")}};
    assert_null(hl_system_link(s.arena, instances, 4, s.diag));
    sample_take_messages(&s);
    assert_non_null(strstr(s.messages, "b.yaml:2:14: error: covariate 'WT' is in L here and in kg in a.yaml:2"));
    assert_non_null(strstr(s.messages, "c.yaml:2:14: error: covariate 'WT' has other categories"));
    assert_non_null(strstr(s.messages, "d.yaml:2:14: warning: covariate 'WT' has another default in a.yaml:2"));
    assert_non_null(strstr(s.messages, "'two' is already the name of another model"));
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_the_manual), cmocka_unit_test(example_with_a_subject),
        cmocka_unit_test(matrix_and_program_agree), cmocka_unit_test(linear_forms),
        cmocka_unit_test(focus_prunes), cmocka_unit_test(patches), cmocka_unit_test(inputs_of_routes),
        cmocka_unit_test(releases), cmocka_unit_test(tables), cmocka_unit_test(extends), cmocka_unit_test(interactions), cmocka_unit_test(shared_covariates),
    };
    return cmocka_run_group_tests(tests, sample_units, NULL);
}
