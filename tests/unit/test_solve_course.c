/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Individuals of data sets, record by record: each rule of docs/data-sets.md against a closed form, or against the same
 * doses given in another way. */
#include "unit/course_sample.h"

/* Numbers of the oral model below. */
#define CL 3.61
#define V 21.7
#define KA 1.73
#define K (CL / V)

/* CMT 1 gut, 2 central, 3 tissue; everything a dose record may bring is a covariate. */
static const char oral[] =
    "covariates:\n"
    "  WT: {default: 70 kg}\n"
    "  BIO: {default: 1}\n"
    "  LAG: {default: 0 h}\n"
    "  RATEC: {default: 11.3 mg/h}\n"
    "  DURC: {default: 2.9 h}\n"
    "parameters:\n"
    "  TVCL: {value: 3.61 L/h, grade: assumption}\n"
    "  V: {value: 21.7 L, grade: assumption}\n"
    "  KA: {value: 1.73 1/h, grade: assumption}\n"
    "individual:\n"
    "  CL: \"TVCL * WT / 70 kg\"\n"
    "compartments:\n"
    "  gut: {}\n"
    "  central: {volume: V, default: observe}\n"
    "flows:\n"
    "  - gut -> central: KA\n"
    "  - central -> out: CL\n"
    "routes:\n"
    "  oral: {into: gut, bioavailability: BIO, lag: LAG, default: dose}\n"
    "  iv: {into: central, bioavailability: BIO, lag: LAG, rate: RATEC, duration: DURC}\n"
    "outputs:\n"
    "  Cp: {value: central / V, unit: mg/L}\n";
enum { WT, BIO, LAG, RATEC, DURC };

static const char *const solvers[] = {"exact", "gsl-rk8pd"};
#define FOR_SOLVERS(p) for (size_t p = 0; p < 2; p++)

/* The centre after one bolus into it, after one into the gut, and during or after an infusion. */
static double iv(double dose, double t)
{
    return t < 0 ? 0 : dose * exp(-K * t);
}

static double po(double dose, double t)
{
    return t < 0 ? 0 : dose * KA / (KA - K) * (exp(-K * t) - exp(-KA * t));
}

/* Integral of e^(-rate s) over what an infusion of this duration has given by t. */
static double spread(double rate, double duration, double t)
{
    return t < 0 ? 0 : (exp(-rate * fmax(0, t - duration)) - exp(-rate * t)) / rate;
}

static double inf(double rate, double duration, double t)
{
    return rate * spread(K, duration, t);
}

static double gut_inf(double rate, double duration, double t)
{
    return rate * KA / (KA - K) * (spread(K, duration, t) - spread(KA, duration, t));
}

static struct table t, u;

/* ---- doses */

static void single_doses_are_their_closed_forms(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.gut, m.central, m.Cp", solvers[p]);
        table_clear(&t);
        see(&t, 1.5);
        put(&t, (struct hl_record){.TIME = 2.25, .EVID = 1, .AMT = 103.7}); /* CMT missing: by mouth */
        put(&t, (struct hl_record){.TIME = 3.5, .EVID = 1, .CMT = 2, .AMT = 41.3});
        put(&t, (struct hl_record){.TIME = 4, .EVID = 1, .CMT = 2, .AMT = 57.1, .RATE = 23.9});
        for (double time = 4; time < 30; time += 1.7)
            see(&t, time);
        table_run(s, &t);
        assert_true(t.value[0][0] == 0 && t.value[0][1] == 0);
        assert_true(t.value[1][0] == 103.7 && t.value[1][1] == 0); /* the dose as it is, not a sum of modes */
        assert_near("before and after", t.value[2][1], po(103.7, 1.25) + 41.3, 1e-11);
        for (size_t i = 4; i < t.n; i++) {
            double time = t.record[i].TIME;
            double x = po(103.7, time - 2.25) + iv(41.3, time - 3.5) + inf(23.9, 57.1 / 23.9, time - 4);
            assert_near("gut", t.value[i][0], 103.7 * exp(-KA * (time - 2.25)), 1e-10);
            assert_near("centre", t.value[i][1], x, 1e-10);
            assert_near("Cp", t.value[i][2], x / V, 1e-11);
        }
        sample_free(s);
    }
}

static void rows_show_the_state_after_their_record(void **state)
{
    (void)state;
    struct sample *s = sample_make(oral, "m.central", "exact");
    table_clear(&t);
    see(&t, 3);
    put(&t, (struct hl_record){.TIME = 3, .EVID = 1, .CMT = 2, .AMT = 7.7});
    see(&t, 3);
    put(&t, (struct hl_record){.TIME = 3, .EVID = 1, .CMT = 2, .AMT = 1.1});
    see(&t, 3);
    table_run(s, &t);
    double expected[] = {0, 7.7, 7.7, 7.7 + 1.1, 7.7 + 1.1};
    for (size_t i = 0; i < t.n; i++)
        assert_true(t.value[i][0] == expected[i]);
    sample_free(s);
}

static void additional_doses_are_doses(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0.7, .EVID = 1, .CMT = 2, .AMT = 31, .RATE = 3.3, .II = 2.1, .ADDL = 5});
        put(&t, (struct hl_record){.TIME = 1, .EVID = 1, .CMT = 1, .AMT = 11, .II = 3.4, .ADDL = 1000000000});
        for (double time = 1.1; time < 40; time += 0.83)
            see(&t, time);
        table_run(s, &t);
        for (size_t i = 2; i < t.n; i++) {
            double x = 0, time = t.record[i].TIME;
            for (int k = 0; k < 20; k++)
                x += (k <= 5 ? inf(3.3, 31 / 3.3, time - 0.7 - k * 2.1) : 0) + po(11, time - 1 - k * 3.4);
            assert_near("centre", t.value[i][0], x, 1e-10);
        }
        sample_free(s);
    }
}

/* F, lag, R and D are those of the dose record, whatever later rows say. */
static void items_are_fixed_at_their_record(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 50, .II = 8, .ADDL = 1});
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 70, .RATE = -2});
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 90, .RATE = -1});
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 30, .RATE = 20, .II = 5, .ADDL = 2});
        for (double time = 0.5; time < 30; time += 1.3)
            see(&t, time);
        for (size_t i = 0; i < t.n; i++) {
            t.column[i][BIO] = i < 4 ? 0.5 + 0.31 * (double)i : 0.001;
            t.column[i][LAG] = i < 4 ? 1.9 * (double)i : 77;
            t.column[i][RATEC] = i < 4 ? 9.7 : 1000;
            t.column[i][DURC] = i < 4 ? 3.1 : 0.01;
        }
        table_run(s, &t);
        double F[] = {0.5, 0.5 + 0.31, 0.5 + 0.62, 0.5 + 0.93};
        for (size_t i = 4; i < t.n; i++) {
            double time = t.record[i].TIME, x = po(50 * F[0], time) + po(50 * F[0], time - 8);
            x += inf(70 * F[1] / 3.1, 3.1, time - 1.9) + inf(9.7, 90 * F[2] / 9.7, time - 3.8);
            for (int k = 0; k < 3; k++)
                x += inf(20, 30 * F[3] / 20, time - 5.7 - 5 * k);
            assert_near("centre", t.value[i][0], x, 1e-10);
        }
        sample_free(s);
    }
}

static void bioavailability_may_scale_the_rate(void **state)
{
    (void)state;
    struct sample *s = sample_make(oral, "m.central", "exact");
    s->spec.scales_rate = true;
    table_clear(&t);
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 60, .RATE = 12});
    see(&t, 2);
    see(&t, 9);
    for (size_t i = 0; i < t.n; i++)
        t.column[i][BIO] = 0.7;
    table_run(s, &t);
    assert_near("during", t.value[1][0], inf(0.7 * 12, 5, 2), 1e-12);
    assert_near("after", t.value[2][0], inf(0.7 * 12, 5, 9), 1e-12);
    sample_free(s);
}

/* An infusion shorter than the clock can tell brings its amount all the same. */
static void short_infusions_bring_their_amount(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central", solvers[p]);
        table_clear(&t);
        see(&t, 99999);
        put(&t, (struct hl_record){.TIME = 100000, .EVID = 1, .CMT = 2, .AMT = 5, .RATE = 1e14});
        put(&t, (struct hl_record){.TIME = 100000, .EVID = 1, .CMT = 2, .AMT = 7, .RATE = 7.3e10});
        see(&t, 100001);
        table_run(s, &t);
        assert_near("centre", t.value[3][0], iv(12, 1), 1e-9);
        sample_free(s);
    }
}

static const char parted[] =
    "parameters:\n"
    "  CL: {value: 3.61 L/h, grade: assumption}\n"
    "  V: {value: 21.7 L, grade: assumption}\n"
    "  KA: {value: 1.73 1/h, grade: assumption}\n"
    "compartments:\n"
    "  gut: {}\n"
    "  central: {volume: V, default: observe}\n"
    "flows:\n"
    "  - gut -> central: KA\n"
    "  - central -> out: CL\n"
    "routes:\n"
    "  oral:\n"
    "    - {into: gut, fraction: 0.4, lag: 1.5 h, default: dose}\n"
    "    - {into: central, fraction: 0.5, bioavailability: 0.9, zero_order: 2.5 h}\n"
    "  plain: {into: central, duration: 2.5 h}\n"
    "outputs:\n"
    "  Cp: {value: central / V, unit: mg/L}\n"
    "  since: {value: tad, unit: h}\n";

static void every_part_of_a_route_is_an_input(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(parted, "m.central, m.since", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .AMT = 80, .II = 10, .ADDL = 1});
        put(&t, (struct hl_record){.TIME = 21, .EVID = 1, .AMT = 60, .RATE = 30});
        put(&t, (struct hl_record){.TIME = 23, .EVID = 1, .CMT = 2, .AMT = 8}); /* duration: is for RATE -2 only */
        for (double time = 23; time < 40; time += 1.9)
            see(&t, time);
        table_run(s, &t);
        for (size_t i = 3; i < t.n; i++) {
            double time = t.record[i].TIME, x = iv(8, time - 23);
            for (int k = 0; k < 2; k++)
                x += po(32, time - 1.5 - 10 * k) + inf(36 / 2.5, 2.5, time - 10 * k);
            /* RATE > 0: each part its fraction of the rate, for F AMT / RATE */
            x += gut_inf(12, 2, time - 22.5);
            x += inf(15, 0.9 * 60 / 30, time - 21);
            assert_near("centre", t.value[i][0], x, 1e-10);
            assert_near("tad", t.value[i][1], time - 23, 1e-12);
        }
        assert_true(t.value[1][1] == 0);
        sample_free(s);
    }
}

/* ---- steady states */

/* The state at a steady-state record is what hundreds of doses before it lead to: t has the record, u the doses. */
static void check_run_in(struct sample *s, double lag, double F, struct hl_record dose, double tolerance)
{
    static const double after[] = {0, 0.35, 1.1, 2.6, 3.9, 5.2, 7.7, 9.6, 13.1, 17.9, 23.3, 31.7};
    const int cycles = (int)(900 / dose.II);
    double begin = 1000, peak = 0;
    table_clear(&t);
    table_clear(&u);
    dose.TIME = begin;
    put(&t, dose);
    dose.TIME = begin - cycles * dose.II;
    dose.SS = 0;
    dose.ADDL += (uint64_t)cycles;
    put(&u, dose);
    see(&u, begin);
    for (size_t k = 1; k < sizeof after / sizeof *after; k++) {
        see(&t, begin + after[k]);
        see(&u, begin + after[k]);
    }
    for (size_t i = 0; i < u.n; i++) {
        t.column[i][BIO] = u.column[i][BIO] = F;
        t.column[i][LAG] = u.column[i][LAG] = lag;
    }
    table_run(s, &t);
    table_run(s, &u);
    for (size_t i = 0; i < t.n; i++)
        peak = fmax(peak, fmax(fabs(u.value[i + 1][0]), fabs(u.value[i + 1][1])));
    for (size_t i = 0; i < t.n; i++)
        for (size_t k = 0; k < 2; k++)
            assert_near("steady state against a run-in", t.value[i][k], u.value[i + 1][k], tolerance * peak);
}

static void steady_states_are_where_doses_lead(void **state)
{
    (void)state;
    const double lags[] = {0, 1.3, 6, 7.4, 12, 15.9};
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central, m.gut", solvers[p]);
        for (size_t k = 0; k < sizeof lags / sizeof *lags; k++) {
            struct hl_record dose = {.EVID = 1, .CMT = 1, .AMT = 37.3, .SS = 1, .II = 6};
            check_run_in(s, lags[k], 0.83, dose, 1e-10);
            dose.CMT = 2;
            dose.ADDL = 2;
            for (double rate = 1.1; rate < 60; rate *= 1.9) { /* durations from 28 h down to 0.6 h */
                dose.RATE = rate;
                check_run_in(s, lags[k], 0.83, dose, 1e-10);
            }
            dose.RATE = 37.3 / 6; /* as long as the interval */
            check_run_in(s, lags[k], 1, dose, 1e-10);
            dose.RATE = -2;
            check_run_in(s, lags[k], 0.7, dose, 1e-10);
            dose.SS = 3;
            dose.EVID = 4;
            check_run_in(s, lags[k], 1.2, dose, 1e-10);
        }
        sample_free(s);
    }
}

/* A steady-state record wipes what came before it and keeps what comes after it, even at the same time. */
static void steady_records_wipe_what_stands_above_them(void **state)
{
    (void)state;
    struct sample *s = sample_make(oral, "m.central, m.gut", "exact");
    table_clear(&t);
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 99, .II = 3, .ADDL = 100});
    put(&t, (struct hl_record){.TIME = 5, .EVID = 1, .CMT = 2, .AMT = 99, .RATE = 1});
    put(&t, (struct hl_record){.TIME = 6, .EVID = 1, .CMT = 2, .AMT = 77});
    put(&t, (struct hl_record){.TIME = 6, .EVID = 1, .CMT = 2, .AMT = 10, .SS = 1, .II = 8});
    put(&t, (struct hl_record){.TIME = 6, .EVID = 1, .CMT = 2, .AMT = 5});
    see(&t, 11);
    table_run(s, &t);
    double steady = 10 / -expm1(-K * 8);
    assert_near("at the record", t.value[3][0], steady, 1e-12);
    assert_near("the row below", t.value[4][0], steady + 5, 1e-12);
    assert_near("later", t.value[5][0], (steady + 5) * exp(-5 * K), 1e-12);
    assert_near("gut", t.value[5][1], 0, 1e-13);
    sample_free(s);
}

static void a_second_steady_dose_is_added(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central, m.gut", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 20, .II = 5, .ADDL = 9});
        put(&t, (struct hl_record){.TIME = 12, .EVID = 1, .CMT = 2, .AMT = 30, .RATE = 1.5, .SS = 2, .II = 8,
                                   .ADDL = 1});
        for (double time = 12; time < 70; time += 3.3)
            see(&t, time);
        for (size_t i = 0; i < t.n; i++)
            t.column[i][LAG] = i == 1 ? 3 : 0;
        table_run(s, &t);
        for (size_t i = 2; i < t.n; i++) {
            double x = 0, time = t.record[i].TIME;
            for (int k = 0; k < 10; k++)
                x += po(20, time - 5 * k);
            for (int k = -60; k <= 1; k++)
                x += inf(1.5, 20, time - 15 - 8 * k);
            assert_near("centre", t.value[i][0], x, 1e-9);
        }
        sample_free(s);
    }
}

static void constant_infusions_end_at_their_record(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central, m.gut", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 66});
        put(&t, (struct hl_record){.TIME = 1, .EVID = 1, .CMT = 1, .RATE = 4.4, .SS = 1});
        see(&t, 3.7);
        put(&t, (struct hl_record){.TIME = 4, .EVID = 1, .CMT = 2, .RATE = -1, .SS = 2});
        for (size_t i = 0; i < t.n; i++) {
            t.column[i][BIO] = 0.5; /* not applied */
            t.column[i][LAG] = 9;   /* nor this */
        }
        table_run(s, &t);
        assert_near("gut", t.value[1][1], 4.4 / KA, 1e-10);
        assert_near("centre", t.value[1][0], 4.4 / K, 1e-9);
        double later = 4.4 / K * exp(-K * 2.7) + po(4.4 / KA, 2.7);
        assert_near("when it has ended", t.value[2][0], later, 1e-9);
        later = 4.4 / K * exp(-K * 3) + po(4.4 / KA, 3) + 11.3 / K;
        assert_near("with a second one", t.value[3][0], later, 1e-9);
        sample_free(s);
    }
}

static const char saturable[] =
    "covariates:\n"
    "  BIO: {default: 1}\n"
    "  LAG: {default: 0 h}\n"
    "parameters:\n"
    "  Vmax: {value: 9.1 mg/h, grade: assumption}\n"
    "  Km: {value: 1.7 mg/L, grade: assumption}\n"
    "  V: {value: 21.7 L, grade: assumption}\n"
    "  KA: {value: 0.73 1/h, grade: assumption}\n"
    "  kin: {value: 0.31 1/h, grade: assumption}\n"
    "compartments:\n"
    "  gut: {}\n"
    "  central: {volume: V, default: observe}\n"
    "flows:\n"
    "  - gut -> central: KA\n"
    "  - central -> out: \"Vmax / (Km + central / V)\"\n"
    "routes:\n"
    "  oral: {into: gut, bioavailability: BIO, lag: LAG, default: dose}\n"
    "  iv: {into: central, bioavailability: BIO, lag: LAG}\n"
    "states:\n"
    "  R: {unit: \"1\", initial: 1, rate: \"kin * (1 - hill(central / V, 2 mg/L, 1.5)) - kin * R\"}\n"
    "outputs:\n"
    "  Cp: {value: central / V, unit: mg/L}\n";

static void steady_states_of_saturable_models_are_verified(void **state)
{
    (void)state;
    enum { BIO_HERE = 0, LAG_HERE = 1 };
    const double lags[] = {0, 2.3, 14.7};
    FOR_SOLVERS(p) {
        struct sample *s = sample_of(saturable, "m.central, m.R", "typical", HL_COVARIATE_NEXT, solvers[p], 1e-11);
        for (size_t k = 0; k < 3; k++)
            for (double AMT = 20; AMT < 55; AMT += 24) { /* 38 % and 83 % of what can be eliminated */
                table_clear(&t);
                table_clear(&u);
                struct hl_record dose = {.TIME = 100, .EVID = 1, .CMT = k == 1 ? 2 : 1, .AMT = AMT, .SS = 1, .II = 6,
                                         .RATE = k == 1 ? AMT / 20 : 0};
                put(&t, dose);
                dose.TIME = 100 - 6 * 1200;
                dose.SS = 0;
                dose.ADDL = 1200;
                put(&u, dose);
                see(&u, 100);
                for (double time = 100.7; time < 104.6; time += 1.3) {
                    see(&t, time);
                    see(&u, time);
                }
                for (size_t i = 0; i < u.n; i++)
                    t.column[i][LAG_HERE] = u.column[i][LAG_HERE] = lags[k];
                table_run(s, &t);
                table_run(s, &u);
                for (size_t i = 0; i < t.n; i++) {
                    assert_near("centre", t.value[i][0], u.value[i + 1][0], 1e-8 * (1 + u.value[i + 1][0]));
                    assert_near("response", t.value[i][1], u.value[i + 1][1], 1e-8);
                }
            }
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 56, .SS = 1, .II = 6}); /* more than Vmax */
        table_run_with(s, &t, NULL);
        assert_int_equal(t.fault.status, HL_SUBJECT_NO_STEADY_STATE);
        assert_string_equal(t.fault.text,
                            "SS 1: no steady state was found (m.central): amounts go on changing cycle by cycle");
        assert_true(isnan(t.value[0][0]));
        sample_free(s);
    }
}

static const char daily[] =
    "parameters:\n"
    "  k: {value: 0.031 1/h, grade: assumption}\n"
    "compartments:\n"
    "  central: {default: observe}\n"
    "flows:\n"
    "  - central -> out: \"k * if(t - 24 h * floor(t / 24 h) < 8 h, 2.5, 1)\"\n"
    "routes:\n"
    "  iv: {into: central, default: dose}\n"
    "outputs:\n"
    "  x: {value: central, unit: mg}\n";

/* Elimination that follows the day: the cycle is one of whole days, whatever II; where there is none, no steady state.
 * */
static void steady_states_follow_the_clock(void **state)
{
    (void)state;
    const double intervals[] = {24, 12, 7, 48};
    struct sample *s = sample_of(daily, "m.x", "typical", HL_COVARIATE_NEXT, "exact", 1e-11);
    for (size_t k = 0; k < 4; k++) {
        table_clear(&t);
        table_clear(&u);
        double begin = 24 * 7 * 20 + 11.5;
        int cycles = (int)(24 * 7 * 19 / intervals[k]);
        put(&t, (struct hl_record){.TIME = begin, .EVID = 1, .AMT = 10, .SS = 1, .II = intervals[k]});
        put(&u, (struct hl_record){.TIME = begin - cycles * intervals[k], .EVID = 1, .AMT = 10, .II = intervals[k],
                                   .ADDL = (uint64_t)cycles});
        see(&u, begin);
        table_run(s, &t);
        table_run(s, &u);
        assert_near("by the day", t.value[0][0], u.value[1][0], 1e-8);
    }
    table_clear(&t);
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .AMT = 10, .SS = 1, .II = 7.13});
    table_run_with(s, &t, NULL);
    assert_int_equal(t.fault.status, HL_SUBJECT_NO_STEADY_STATE);
    sample_free(s);
}

/* ---- resets, switches, replacements */

static void resets_cancel_by_the_order_of_the_file(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central, m.gut", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 5, .EVID = 1, .CMT = 1, .AMT = 10, .II = 1, .ADDL = 50}); /* pending */
        put(&t, (struct hl_record){.TIME = 5, .EVID = 1, .CMT = 2, .AMT = 99, .RATE = 3});           /* running */
        put(&t, (struct hl_record){.TIME = 5, .EVID = 1, .CMT = 2, .AMT = 99});  /* arrives with the reset */
        put(&t, (struct hl_record){.TIME = 5, .EVID = 1, .CMT = 2, .AMT = 10, .SS = 2, .II = 9}); /* its lagged part */
        put(&t, (struct hl_record){.TIME = 8, .EVID = 3});
        put(&t, (struct hl_record){.TIME = 8, .EVID = 1, .CMT = 2, .AMT = 4});
        see(&t, 8);
        see(&t, 11);
        put(&t, (struct hl_record){.TIME = 2, .EVID = 4, .CMT = 1, .AMT = 6, .II = 4, .ADDL = 1}); /* the clock too */
        see(&t, 2);
        see(&t, 9.5);
        for (size_t i = 0; i < t.n; i++)
            t.column[i][LAG] = i == 2 ? 3 : i == 3 ? 4 : i == 8 ? 1.5 : 0;
        table_run(s, &t);
        assert_true(t.value[4][0] == 0 && t.value[4][1] == 0);
        assert_true(t.value[6][0] == 4);
        assert_near("after the reset", t.value[7][0], iv(4, 3), 1e-11);
        assert_true(t.value[8][0] == 0 && t.value[9][1] == 0); /* reset at once, dosed later */
        assert_near("reset once only", t.value[10][0], po(6, 6) + po(6, 2), 1e-11);
        sample_free(s);
    }
}

static void a_reset_and_a_steady_state_is_a_steady_state(void **state)
{
    (void)state;
    struct sample *s = sample_make(oral, "m.central, m.gut", "exact");
    for (int EVID = 1; EVID <= 4; EVID += 3) {
        table_clear(EVID == 1 ? &t : &u);
        struct table *x = EVID == 1 ? &t : &u;
        put(x, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 33, .II = 2, .ADDL = 7});
        put(x, (struct hl_record){.TIME = 5, .EVID = EVID, .CMT = 1, .AMT = 10, .SS = 1, .II = 9, .ADDL = 2});
        see(x, 20);
        for (size_t i = 0; i < x->n; i++)
            x->column[i][LAG] = 2.5;
        table_run(s, x);
    }
    for (size_t i = 1; i < 3; i++)
        assert_true(t.value[i][0] == u.value[i][0] && t.value[i][1] == u.value[i][1]);
    sample_free(s);
}

static const char two[] =
    "parameters:\n"
    "  k: {value: 0.31 1/h, grade: assumption}\n"
    "  k12: {value: 0.47 1/h, grade: assumption}\n"
    "  k21: {value: 0.23 1/h, grade: assumption}\n"
    "compartments:\n"
    "  central: {default: observe, initial: 3 mg}\n"
    "  tissue: {}\n"
    "flows:\n"
    "  - central -> tissue: k12\n"
    "  - tissue -> central: k21\n"
    "  - central -> out: k\n"
    "routes:\n"
    "  iv: {into: central, default: dose}\n"
    "  it: {into: tissue}\n"
    "outputs:\n"
    "  x: {value: central, unit: mg}\n";

static void compartments_are_switched_off_and_on(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(two, "m.central, m.tissue", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 2, .CMT = -2});                    /* 0 */
        see(&t, 2);                                                                      /* 1 */
        put(&t, (struct hl_record){.TIME = 3, .EVID = 1, .CMT = 2, .AMT = 5, .RATE = 2}); /* 2: on again */
        put(&t, (struct hl_record){.TIME = 4, .EVID = 2, .CMT = -2});                    /* 3: stopped */
        put(&t, (struct hl_record){.TIME = 4, .EVID = 2});                               /* 4: leaves it alone */
        see(&t, 6);                                                                      /* 5 */
        put(&t, (struct hl_record){.TIME = 7, .EVID = 2, .CMT = 2});                     /* 6: on, and empty */
        see(&t, 9);                                                                      /* 7 */
        put(&t, (struct hl_record){.TIME = 10, .EVID = 2, .CMT = -1});                   /* 8 */
        put(&t, (struct hl_record){.TIME = 12, .EVID = 3});                              /* 9: everything on */
        see(&t, 14);                                                                     /* 10 */
        table_run(s, &t);
        double out = 0.31 + 0.47, x0 = 3 * exp(-out * 3);
        assert_near("what is off drains the others", t.value[1][0], 3 * exp(-out * 2), 1e-11);
        assert_true(t.value[1][1] == 0);
        assert_true(t.value[3][1] == 0 && t.value[3][0] > x0 * exp(-out));
        assert_near("nothing comes back", t.value[5][0], t.value[3][0] * exp(-out * 2), 1e-11);
        assert_true(t.value[5][1] == 0 && t.value[6][1] == 0);
        double sum = out + 0.23, root = sqrt(sum * sum - 4 * 0.31 * 0.23), a = (sum + root) / 2, b = (sum - root) / 2;
        double central = ((a - 0.23) * exp(-2 * a) + (0.23 - b) * exp(-2 * b)) / (a - b);
        double tissue = 0.47 * (exp(-2 * b) - exp(-2 * a)) / (a - b);
        assert_near("both again", t.value[7][0], t.value[6][0] * central, 1e-11);
        assert_near("both again", t.value[7][1], t.value[6][0] * tissue, 1e-11);
        assert_true(t.value[8][0] == 0 && t.value[9][0] == 3 && t.value[9][1] == 0);
        assert_near("a reset switches on", t.value[10][1], 3 * tissue, 1e-11);
        sample_free(s);
    }
}

static void switches_stay_through_a_steady_state(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(two, "m.central, m.tissue", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 2, .CMT = -2});
        put(&t, (struct hl_record){.TIME = 1, .EVID = 1, .CMT = 1, .AMT = 5, .SS = 1, .II = 4});
        see(&t, 2);
        put(&t, (struct hl_record){.TIME = 3, .EVID = 1, .CMT = 2, .AMT = 5, .SS = 2, .II = 4}); /* this one is on */
        table_run(s, &t);
        assert_near("one compartment", t.value[1][0], 5 / -expm1(-4 * 0.78), 1e-10);
        assert_true(t.value[2][1] == 0);
        assert_true(t.value[3][1] > 5 && t.value[3][0] > t.value[1][0] * exp(-0.78 * 2));
        sample_free(s);
    }
}

static void amounts_are_replaced(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(oral, "m.central, m.gut", solvers[p]);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 50, .RATE = 5});
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 8, .II = 3, .ADDL = 1});
        put(&t, (struct hl_record){.TIME = 2, .EVID = 8, .CMT = 2, .AMT = 17.3});
        put(&t, (struct hl_record){.TIME = 2, .EVID = 8, .CMT = 1, .AMT = 0});
        see(&t, 7.5);
        table_run(s, &t);
        assert_true(t.value[2][0] == 17.3 && t.value[3][0] == 17.3 && t.value[3][1] == 0);
        double x = iv(17.3, 5.5) + inf(5, 1e9, 5.5) + po(8, 4.5); /* the infusion and the series go on */
        assert_near("centre", t.value[4][0], x, 1e-11);
        sample_free(s);
    }
}

/* ---- parameters in time */

static void covariates_follow_their_rule(void **state)
{
    (void)state;
    const double weight[] = {70, 91, 50, 63, 63, 80}, times[] = {0, 2, 3.5, 3.5, 6, 11};
    for (int rule = HL_COVARIATE_NEXT; rule <= HL_COVARIATE_INTERPOLATE; rule++)
        FOR_SOLVERS(p) {
            struct sample *s = sample_of(oral, "m.central, m.Cp", "typical", (enum hl_covariate_rule)rule, solvers[p],
                                         1e-12);
            table_clear(&t);
            put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 40});
            for (size_t i = 1; i < 6; i++)
                see(&t, times[i]);
            for (size_t i = 0; i < 6; i++)
                t.column[i][WT] = weight[i];
            table_run(s, &t);
            double x = 40;
            for (size_t i = 1; i < 6; i++) {
                double w = rule == HL_COVARIATE_NEXT       ? weight[i]
                           : rule == HL_COVARIATE_PREVIOUS ? weight[i - 1]
                                                           : (weight[i] + weight[i - 1]) / 2; /* its integral is this */
                x *= exp(-K * w / 70 * (times[i] - times[i - 1]));
                assert_near("centre", t.value[i][0], x, 1e-10);
            }
            sample_free(s);
        }
}

/* Steppers that ask for derivatives get those of parameters that move. */
static void interpolation_has_derivatives(void **state)
{
    (void)state;
    static const char *const implicit[] = {"gsl-bsimp", "gsl-msbdf", "gsl-rk4imp"};
    for (size_t p = 0; p < 3; p++) {
        struct sample *s = sample_of(oral, "m.central", "typical", HL_COVARIATE_INTERPOLATE, implicit[p], 1e-8);
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 40});
        see(&t, 6);
        see(&t, 6);
        see(&t, 9);
        double weight[] = {20, 140, 90, 90}, x = 40 * exp(-K * 80 / 70 * 6);
        for (size_t i = 0; i < t.n; i++)
            t.column[i][WT] = weight[i];
        table_run(s, &t);
        assert_near("centre", t.value[1][0], x, 40 * 3e-6);
        assert_near("centre", t.value[3][0], x * exp(-K * 90 / 70 * 3), 40 * 3e-6);
        sample_free(s);
    }
}

/* Time after dose is counted from when a dose is given, additional ones included, not from when it arrives. */
static void time_after_dose_is_nominal(void **state)
{
    (void)state;
    FOR_SOLVERS(p) {
        struct sample *s = sample_make(parted, "m.since", solvers[p]);
        const double times[] = {0, 1.7, 10, 10.4, 21, 23.25, 23.25}, since[] = {0, 1.7, 0, 0.4, 11, 0, 0};
        table_clear(&t);
        put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .AMT = 80, .II = 10, .ADDL = 1});
        for (size_t i = 1; i < 5; i++)
            see(&t, times[i]);
        put(&t, (struct hl_record){.TIME = 23.25, .EVID = 1, .AMT = 80, .SS = 1, .II = 8});
        put(&t, (struct hl_record){.TIME = 23.25, .EVID = 3});
        table_run(s, &t);
        for (size_t i = 0; i < t.n; i++)
            assert_near("tad", t.value[i][0], since[i], 1e-12);
        sample_free(s);
    }
}

/* Doses inside an interval neither change the parameters nor are they changed by them, except F of the record. */
static void infusions_run_through_a_change(void **state)
{
    (void)state;
    struct sample *s = sample_make(oral, "m.central", "exact"), *g = sample_make(oral, "m.central", "gsl-rk8pd");
    table_clear(&t);
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 40, .RATE = 7, .II = 2.5, .ADDL = 9});
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 40, .II = 3, .ADDL = 3});
    for (size_t i = 0; i < 20; i++)
        see(&t, 0.9 * (double)i);
    for (size_t i = 0; i < t.n; i++)
        t.column[i][WT] = 70 + 30 * sin((double)i);
    u = t;
    table_run(s, &t);
    table_run(g, &u);
    for (size_t i = 0; i < t.n; i++)
        assert_near("centre", t.value[i][0], u.value[i][0], 1e-9);
    sample_free(s);
    sample_free(g);
}

static const char occasional[] =
    "parameters:\n"
    "  k: {value: 0.31 1/h, grade: assumption}\n"
    "random:\n"
    "  eta: {sd: 0.3}\n"
    "  kappa: {sd: 0.4, level: occasion}\n"
    "individual:\n"
    "  ki: k * exp(eta + kappa)\n"
    "compartments:\n"
    "  central: {default: observe, initial: 3 mg}\n"
    "flows:\n"
    "  - central -> out: ki\n"
    "routes:\n"
    "  iv: {into: central, default: dose}\n"
    "outputs:\n"
    "  x: {value: central, unit: mg}\n";

static void occasions_have_their_own_effects(void **state)
{
    (void)state;
    struct sample *s = sample_of(occasional, "m.x", "{subjects: 3, seed: 5}", HL_COVARIATE_PREVIOUS, "exact", 1e-9);
    const double OCC[] = {1, 1, 2, 2, 1, 1};
    table_clear(&t);
    for (size_t i = 0; i < 6; i++)
        put(&t, (struct hl_record){.TIME = (double)i, .OCC = OCC[i]});
    table_run(s, &t);
    double share[6];
    for (size_t i = 1; i < 6; i++)
        share[i] = t.value[i][0] / t.value[i - 1][0];
    assert_near("occasion 1", share[1], share[5], 1e-13);
    assert_near("occasion 1", share[1], share[4], 1e-13);
    assert_near("occasion 2", share[2], share[3], 1e-13);
    assert_true(fabs(share[1] - share[2]) > 1e-3);
    u = t;
    u.number = 2;
    table_run(s, &u);
    assert_true(u.value[1][0] != t.value[1][0]);
    sample_free(s);
}

/* ---- what goes wrong is said */

static void expect_fault(const char *model, struct hl_record record, int column, double value,
                         enum hl_subject_status status, const char *text)
{
    struct sample *s = sample_make(model, "m.Cp", "exact");
    table_clear(&t);
    see(&t, 1);
    record.TIME = 2;
    put(&t, record);
    see(&t, 3);
    for (size_t i = 0; i < t.n; i++)
        if (column >= 0)
            t.column[i][column] = i == 1 ? value : 1;
    table_run_with(s, &t, NULL);
    assert_int_equal(t.fault.status, status);
    assert_string_equal(t.fault.text, text);
    assert_int_equal(t.fault.record, 1);
    assert_true(!isnan(t.value[0][0]) && isnan(t.value[1][0]) && isnan(t.value[2][0]));
    sample_free(s);
}

static const char filling[] =
    "covariates:\n"
    "  X: {default: 1}\n"
    "parameters:\n"
    "  k: {value: 0.31 1/h, grade: assumption}\n"
    "  V: {value: 1 L, grade: assumption}\n"
    "individual:\n"
    "  ki: k * log(X)\n"
    "compartments:\n"
    "  central: {default: observe, volume: V}\n"
    "  urine: {}\n"
    "flows:\n"
    "  - central -> urine: k\n"
    "routes:\n"
    "  iv: {into: central, default: dose}\n"
    "  iu: {into: urine}\n"
    "outputs:\n"
    "  Cp: {value: \"(central + urine) / V\", unit: mg/L}\n"
    "  late: {value: \"ki * central / V\", unit: mg/L/h}\n";

static void faults_name_the_item_and_the_value(void **state)
{
    (void)state;
    struct hl_record dose = {.EVID = 1, .CMT = 2, .AMT = 5};
    const enum hl_subject_status bad = HL_SUBJECT_BAD_PARAMETERS;
    expect_fault(oral, dose, BIO, 0, bad, "F of m.central (route iv) is 0; it must be positive");
    expect_fault(oral, dose, BIO, -0.3, bad, "F of m.central (route iv) is -0.3; it must be positive");
    expect_fault(oral, dose, LAG, -1.5, bad, "the lag of m.central (route iv) is -1.5 h; it can't be negative");
    dose.RATE = -1;
    expect_fault(oral, dose, RATEC, 0, bad, "the rate of m.central (route iv) is 0; it must be positive");
    dose.RATE = -2;
    expect_fault(oral, dose, DURC, -2, bad, "the duration of m.central (route iv) is -2; it must be positive");
    dose.CMT = 1;
    expect_fault(oral, dose, -1, 0, bad, "RATE -2, but the model states no duration for m.gut (route oral)");
    dose.RATE = -1;
    expect_fault(oral, dose, -1, 0, bad, "RATE -1, but the model states no rate for m.gut (route oral)");
    expect_fault(oral, (struct hl_record){0}, WT, INFINITY, bad, "the parameter m.CL is inf");
    expect_fault(filling, (struct hl_record){.EVID = 1, .CMT = 1, .AMT = 5, .SS = 1, .II = 4}, -1, 0,
                 HL_SUBJECT_NO_STEADY_STATE, "SS 1: m.urine has no steady state: what enters it never leaves");
    expect_fault(filling, (struct hl_record){.EVID = 1, .CMT = 2, .RATE = 5, .SS = 2}, -1, 0,
                 HL_SUBJECT_NO_STEADY_STATE, "SS 2: m.urine has no steady state: what enters it never leaves");
}

/* What collects has no steady state, but the rest has one when the collector is off. */
static void a_collector_can_be_switched_off(void **state)
{
    (void)state;
    struct sample *s = sample_make(filling, "m.Cp", "exact");
    table_clear(&t);
    put(&t, (struct hl_record){.TIME = 0, .EVID = 2, .CMT = -2});
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 5, .SS = 1, .II = 4});
    table_run(s, &t);
    assert_near("centre", t.value[1][0], 5 / -expm1(-0.31 * 4), 1e-12);
    sample_free(s);
}

/* ---- nothing is left over */

static void fill_busy(struct table *x, bool is_oral, double shift)
{
    table_clear(x);
    put(x, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 1, .AMT = 30, .II = 4, .ADDL = 6});
    put(x, (struct hl_record){.TIME = 1, .EVID = 1, .CMT = 2, .AMT = 30, .RATE = 3 + shift});
    put(x, (struct hl_record){.TIME = 5, .EVID = 2, .CMT = -2});
    see(x, 7);
    put(x, (struct hl_record){.TIME = 9, .EVID = 1, .CMT = 2, .AMT = 30, .SS = 1, .II = 7, .RATE = 1});
    for (double time = 9; time < 30; time += 2.1 + shift)
        see(x, time);
    put(x, (struct hl_record){.TIME = 31, .EVID = 2, .CMT = -1});
    for (size_t i = 0; i < x->n; i++) {
        x->column[i][0] = is_oral ? 70 + 10 * cos((double)i + shift) : 0.9; /* WT, or BIO */
        x->column[i][is_oral ? LAG : 1] = 0.5;
    }
}

/* What a course solved before leaves no trace, and another course gives the same bits. */
static void individuals_never_meet(void **state)
{
    (void)state;
    static const char *const all[] = {"exact", "gsl-rk8pd", "gsl-msadams", "gsl-rkf45"};
    const char *const model[] = {oral, saturable};
    for (size_t p = 0; p < 4; p++)
        for (size_t m = 0; m < 2; m++) {
            const char *outputs = m ? "m.central, m.R" : "m.central, m.gut";
            struct sample *s = sample_of(model[m], outputs, "typical", HL_COVARIATE_NEXT, all[p], 1e-8);
            struct sample *other = sample_of(model[m], outputs, "typical", HL_COVARIATE_NEXT, all[p], 1e-8);
            struct table v;
            fill_busy(&t, m == 0, 0);
            table_run(s, &t);
            fill_busy(&u, m == 0, 0.37);
            table_run(s, &u);
            fill_busy(&u, m == 0, 0);
            u.record[1].AMT = -1;
            u.record[0].RATE = -2; /* fails in the middle */
            table_run_with(s, &u, NULL);
            fill_busy(&u, m == 0, 0);
            table_run(s, &u);
            fill_busy(&v, m == 0, 0);
            table_run(other, &v);
            for (size_t i = 0; i < t.n; i++)
                for (size_t k = 0; k < 2; k++)
                    assert_true(t.value[i][k] == u.value[i][k] && t.value[i][k] == v.value[i][k]);
            sample_free(s);
            sample_free(other);
        }
}

/* Thousands of overlapping infusions: nothing is left running, nothing has drifted. */
static void rates_do_not_drift(void **state)
{
    (void)state;
    struct sample *s = sample_make(oral, "m.central", "exact");
    table_clear(&t);
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 1.1, .RATE = 0.1, .II = 0.1, .ADDL = 4999});
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 0.07, .RATE = 0.7, .II = 0.03, .ADDL = 16000});
    see(&t, 499.95);
    see(&t, 520);
    see(&t, 700);
    table_run(s, &t);
    double x[3] = {0, 0, 0}, times[] = {499.95, 520, 700};
    for (size_t i = 0; i < 3; i++) {
        for (int k = 0; k < 5000; k++)
            x[i] += inf(0.1, 11, times[i] - 0.1 * k);
        for (int k = 0; k <= 16000; k++)
            x[i] += inf(0.7, 0.1, times[i] - 0.03 * k);
        assert_near("centre", t.value[2 + i][0], x[i], 1e-11 * x[0]);
    }
    sample_free(s);
}

/* ---- telling */

struct told { size_t n; enum hl_happening_kind kind[64]; double time[64]; size_t cancelled; bool earlier[64]; };

static void hear(void *context, const struct hl_happening *happening)
{
    struct told *told = context;
    assert_true(told->n < 64);
    told->kind[told->n] = happening->kind;
    told->earlier[told->n] = happening->earlier;
    told->time[told->n++] = happening->time;
    told->cancelled = happening->kind == HL_HAPPEN_RESET ? happening->cancelled : told->cancelled;
}

static void everything_is_told_in_order(void **state)
{
    (void)state;
    struct sample *s = sample_make(oral, "m.central", "exact");
    struct told told = {0};
    struct hl_course_listener listener = {&told, hear};
    table_clear(&t);
    put(&t, (struct hl_record){.TIME = 0, .EVID = 1, .CMT = 2, .AMT = 30, .RATE = 3, .SS = 1, .II = 8});
    see(&t, 3);
    put(&t, (struct hl_record){.TIME = 4, .EVID = 2, .CMT = -2});
    put(&t, (struct hl_record){.TIME = 5, .EVID = 8, .CMT = 2, .AMT = 1});
    put(&t, (struct hl_record){.TIME = 6, .EVID = 1, .CMT = 1, .AMT = 1, .II = 5, .ADDL = 3});
    put(&t, (struct hl_record){.TIME = 7, .EVID = 3});
    table_run_with(s, &t, &listener);
    static const struct { enum hl_happening_kind kind; double time; } expected[] = {
        {HL_HAPPEN_PARAMETERS, 0}, {HL_HAPPEN_READ, 0}, {HL_HAPPEN_STEADY, 0}, {HL_HAPPEN_START, 0},
        {HL_HAPPEN_SHOWN, 0}, {HL_HAPPEN_END, 2}, {HL_HAPPEN_SHOWN, 3}, {HL_HAPPEN_OFF, 4}, {HL_HAPPEN_SHOWN, 4},
        {HL_HAPPEN_ON, 5}, {HL_HAPPEN_REPLACE, 5}, {HL_HAPPEN_SHOWN, 5}, {HL_HAPPEN_READ, 6}, {HL_HAPPEN_BOLUS, 6},
        {HL_HAPPEN_SHOWN, 6}, {HL_HAPPEN_RESET, 7}, {HL_HAPPEN_SHOWN, 7},
    };
    assert_int_equal(told.n, sizeof expected / sizeof *expected);
    for (size_t k = 0; k < told.n; k++) {
        assert_int_equal(told.kind[k], expected[k].kind);
        assert_true(told.time[k] == expected[k].time);
        assert_int_equal(told.earlier[k], expected[k].kind == HL_HAPPEN_END);
    }
    assert_int_equal(told.cancelled, 3);
    sample_free(s);
}

/* A dose by a course of its own, on top of earlier ones that are still under way. */
static const char released[] = "parameters: {k: {value: 0.41 1/h, grade: assumption}, td: {value: 11.7 h, grade: assumption}}\n"
                               "compartments: {central: {volume: 3 L, default: both}}\nflows: [central -> out: k]\n"
                               "routes: {oral: {into: central, released: \"-expm1(-(tad / td)^0.7)\", default: dose}}\n"
                               "outputs: {R: {value: central / 3 L, unit: mg/L}}\n";

static void want_of_memory_is_told_for(const char *model)
{
    struct sample *s = sample_make(model, "m.central, m.R", "exact");
    double value[8];
    struct hl_record record[3] = {{.EVID = 1, .AMT = 3, .compartment = 0, .CMT = 1, .SS = 1, .II = 4},
                                  {.EVID = 1, .TIME = 1, .AMT = 2, .compartment = 0, .CMT = 1, .SS = 2, .II = 7},
                                  {.TIME = 2}};
    double column[6] = {NAN, NAN, NAN, NAN, NAN, NAN};
    struct hl_individual x = {.number = 1, .n = 3, .record = record, .covariate = column};
    struct hl_course_fault fault;
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        hl_memory_fail_after(n);
        struct hl_course *course = hl_course_create(s->plan, s->cohort, &s->spec);
        enum hl_status status = course ? hl_course_run(course, &x, s->study->output, 2, value, &fault, NULL) : HL_OK;
        hl_memory_fail_after(0);
        bool whole = course && status == HL_OK;
        assert_true(status == HL_OK || status == HL_ERR_MEMORY);
        failures += !whole;
        hl_course_free(course);
        if (whole)
            break;
    }
    assert_true(failures > 50);
    assert_int_equal(fault.status, HL_SUBJECT_GOOD);
    sample_free(s);
}

static void want_of_memory_is_told(void **state)
{
    (void)state;
    want_of_memory_is_told_for(saturable);
    want_of_memory_is_told_for(released);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_doses_are_their_closed_forms),
        cmocka_unit_test(rows_show_the_state_after_their_record),
        cmocka_unit_test(additional_doses_are_doses),
        cmocka_unit_test(items_are_fixed_at_their_record),
        cmocka_unit_test(bioavailability_may_scale_the_rate),
        cmocka_unit_test(short_infusions_bring_their_amount),
        cmocka_unit_test(every_part_of_a_route_is_an_input),
        cmocka_unit_test(steady_states_are_where_doses_lead),
        cmocka_unit_test(steady_records_wipe_what_stands_above_them),
        cmocka_unit_test(a_second_steady_dose_is_added),
        cmocka_unit_test(constant_infusions_end_at_their_record),
        cmocka_unit_test(steady_states_of_saturable_models_are_verified),
        cmocka_unit_test(steady_states_follow_the_clock),
        cmocka_unit_test(resets_cancel_by_the_order_of_the_file),
        cmocka_unit_test(a_reset_and_a_steady_state_is_a_steady_state),
        cmocka_unit_test(compartments_are_switched_off_and_on),
        cmocka_unit_test(switches_stay_through_a_steady_state),
        cmocka_unit_test(amounts_are_replaced),
        cmocka_unit_test(covariates_follow_their_rule),
        cmocka_unit_test(interpolation_has_derivatives),
        cmocka_unit_test(time_after_dose_is_nominal),
        cmocka_unit_test(infusions_run_through_a_change),
        cmocka_unit_test(occasions_have_their_own_effects),
        cmocka_unit_test(faults_name_the_item_and_the_value),
        cmocka_unit_test(a_collector_can_be_switched_off),
        cmocka_unit_test(individuals_never_meet),
        cmocka_unit_test(rates_do_not_drift),
        cmocka_unit_test(everything_is_told_in_order),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, course_start, course_stop);
}
