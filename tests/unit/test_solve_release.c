/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doses that enter by a stated course (routes with released:): transit compartments against their chain, Weibull against
 * first order and against numerical convolution, mass, superposition, narrow and jumping courses, steady states against
 * a run-in, steppers against each other, subjects that don't know of their neighbours. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "model_sample.h"
#include "solve/solve.h"

#define TOLERANCE 1e-12
#define MOST_DOSES 400
#define MOST_TIMES 64

/* gut -> central -> eliminated, with one route into the gut whose course a test states. */
#define HEAD                                                                                                           \
    "model: m\n"                                                                                                       \
    "parameters:\n"                                                                                                    \
    "  CL: {value: 3.617 L/h, grade: assumption}\n"                                                                    \
    "  V: {value: 41.3 L, grade: assumption}\n"                                                                        \
    "  ka: {value: 1.283 1/h, grade: assumption}\n"                                                                    \
    "  a: {value: 3.71, grade: assumption}\n"                                                                          \
    "  b: {value: 2.385 h, grade: assumption}\n"                                                                       \
    "  F: {value: 0.617, grade: assumption}\n"                                                                         \
    "  lag: {value: 0.318 h, grade: assumption}\n"
#define BODY                                                                                                           \
    "compartments:\n  gut: {}\n  central: {volume: V}\n  eliminated: {}\n"                                            \
    "flows:\n  - gut -> central: ka\n  - central -> eliminated: CL\n"
#define OPEN_BODY                                                                                                      \
    "compartments:\n  gut: {}\n  central: {volume: V}\nflows:\n  - gut -> central: ka\n  - central -> out: CL\n"
#define ROUTE(course) "routes:\n  oral: {into: gut, released: \"" course "\"}\n  iv: {into: central}\n"
#define LATE_ROUTE(course)                                                                                             \
    "routes:\n  oral: {into: gut, bioavailability: F, lag: lag, released: \"" course "\"}\n  iv: {into: central}\n"
#define OUTPUTS "outputs:\n  Cp: {value: central / V, unit: ng/mL}\n"
#define TRANSIT "gamma_p(a + 1, (a + 1) * tad / b)"
#define WEIBULL "-expm1(-(tad / b)^a)"

enum { GUT, CENTRAL, ELIMINATED };

struct trial {
    struct sample sample;
    struct hl_system *system;
    struct hl_regimen regimen;
    struct hl_dose dose[MOST_DOSES];
    const char *solver;
    double tolerance;
    size_t lanes;
    int varied;                       /* register whose value differs between lanes, -1: none */
    double *value;                    /* by lane */
    signed char status[64];
};

static struct trial trial_of(const char *text)
{
    struct trial t = {.sample = sample_link(text), .solver = "exact", .tolerance = TOLERANCE, .lanes = 1, .varied = -1};
    t.system = t.sample.system;
    t.regimen.dose = NULL;
    return t;
}

static void set(struct trial *t, const char *parameter, double value)
{
    int p = hl_system_find_parameter(t->system, parameter);
    assert_true(p >= 0);
    t->system->initial[t->system->parameter[p].reg] = value;
}

static int route(const struct trial *t, const char *name)
{
    int r = hl_system_find_route(t->system, 0, name);
    assert_true(r >= 0);
    return r;
}

static void give(struct trial *t, double time, const char *by, double amount)
{
    assert_true(t->regimen.n_doses < MOST_DOSES);
    t->dose[t->regimen.n_doses++] =
        (struct hl_dose){.time = time, .route = route(t, by), .kind = HL_DOSE_GIVEN, .amount = amount};
}

static struct hl_plan *plan_of(struct trial *t)
{
    t->regimen.dose = t->dose;
    struct hl_plan *plan = hl_plan_create(t->system, &t->regimen, t->solver, t->tolerance, t->sample.diag);
    assert_non_null(plan);
    return plan;
}

/* Amounts (all states, implicit outputs) [state][time][lane] for the lanes of the trial from lane first on. */
static double *solve_from(struct trial *t, size_t first, size_t n, const double *time, size_t n_times,
                          const struct hl_listener *listener)
{
    struct hl_system *y = t->system;
    int output[8];
    size_t lanes = (n + HL_LANES - 1) / HL_LANES * HL_LANES, n_out = y->n_states;
    struct hl_plan *plan = plan_of(t);
    struct hl_solver *solver = hl_solver_create(plan, lanes);
    assert_non_null(solver);
    for (size_t k = 0; k < n_out; k++)
        assert_true((output[k] = hl_system_find_output(y, y->state[k].name)) >= 0);
    double *regs = hl_alloc(y->n_regs * lanes, sizeof *regs), *out = hl_alloc(n_out * n_times * lanes, sizeof *out);
    hl_system_reset(y, regs, lanes);
    for (size_t l = 0; t->varied >= 0 && l < lanes; l++)
        regs[(size_t)t->varied * lanes + l] = t->value[first + (l < n ? l : n - 1)];
    hl_program_run(&y->individual, regs, lanes);
    struct hl_block block = {.first = 1 + first, .n = n, .lanes = lanes, .regs = regs, .status = t->status, .out = out};
    assert_int_equal(hl_solver_run(solver, &block, output, n_out, time, n_times, listener), HL_OK);
    hl_free(regs);
    hl_solver_free(solver);
    hl_plan_free(plan);
    return out;
}

static double *solve(struct trial *t, const double *time, size_t n_times)
{
    double *out = solve_from(t, 0, 1, time, n_times, NULL);
    assert_int_equal(t->status[0], HL_SUBJECT_GOOD);
    return out;
}

static double amount(const double *out, size_t state, size_t k, size_t n_times)
{
    return out[(state * n_times + k) * HL_LANES];
}

static void trial_free(struct trial *t)
{
    sample_free(&t->sample);
}

static void near_at(const char *what, double found, double expected, double tolerance, int line)
{
    if (!(fabs(found - expected) <= tolerance)) {
        print_error("line %d: %s: %.17g against %.17g, difference %.3g, allowed %.3g\n", line, what, found, expected,
                    found - expected, tolerance);
        fail();
    }
}
#define assert_near(what, found, expected, tolerance) near_at(what, found, expected, tolerance, __LINE__)

static size_t times_to(double last, size_t n, double *time)
{
    for (size_t k = 0; k < n; k++)
        time[k] = last * (double)(k + 1) / (double)n;
    return n;
}

/* ---- Transit compartments */

#define CHAIN                                                                                                          \
    "individual: {ktr: \"(a + 1) / b\"}\n"                                                                             \
    "compartments:\n  gut: {}\n  central: {volume: V}\n  eliminated: {}\n"                                             \
    "  t0: {}\n  t1: {}\n  t2: {}\n  t3: {}\n  t4: {}\n"                                                               \
    "flows:\n  - gut -> central: ka\n  - central -> eliminated: CL\n  - t0 -> t1: ktr\n  - t1 -> t2: ktr\n"            \
    "  - t2 -> t3: ktr\n  - t3 -> t4: ktr\n  - t4 -> gut: ktr\n"                                                       \
    "routes:\n  oral: {into: t0, bioavailability: F, lag: lag}\n"

static void whole_n_is_a_chain(void **state)
{
    (void)state;
    double time[MOST_TIMES];
    size_t n = times_to(61.7, 40, time);
    const double dose[][2] = {{0, 41.7}, {1.9, 17.3}, {2.2, 23.5}, {27.1, 38.5}};
    struct trial closed = trial_of(HEAD BODY LATE_ROUTE(TRANSIT) OUTPUTS), chain = trial_of(HEAD CHAIN OUTPUTS);
    set(&closed, "d.a", 4);
    set(&chain, "d.a", 4);
    for (size_t k = 0; k < 4; k++) {
        give(&closed, dose[k][0], "oral", dose[k][1]);
        give(&chain, dose[k][0], "oral", dose[k][1]);
    }
    double *x = solve(&closed, time, n), *y = solve(&chain, time, n);
    for (size_t k = 0; k < n; k++)
        for (size_t s = GUT; s <= ELIMINATED; s++)
            assert_near("closed form against chain", amount(x, s, k, n), amount(y, s, k, n), 1e-9 * 41.7);
    hl_free(x);
    hl_free(y);
    trial_free(&closed);
    trial_free(&chain);
}

/* ---- One compartment that loses drug at rate k, by convolution over v = (tad/td)^beta, whose density is e^-v:
 *      A(t) = D integral from 0 to (t/td)^beta of e^-v e^(-k (t - td v^(1/beta))) dv. */

struct convolution { double k, t, beta, td; };

static double convolved(double v, void *context)
{
    const struct convolution *c = context;
    return exp(-v - c->k * (c->t - c->td * pow(v, 1 / c->beta)));
}

static double convolution(double k, double t, double beta, double td)
{
    struct convolution c = {k, t, beta, td};
    gsl_function f = {convolved, &c};
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(2000);
    double result, error;
    gsl_integration_qags(&f, 0, fmin(pow(t / td, beta), 60), 1e-14, 1e-12, 2000, w, &result, &error);
    gsl_integration_workspace_free(w);
    return result;
}

static void weibull_is_its_convolution(void **state)
{
    (void)state;
    const double shape[] = {0.6, 1, 3, 11.3, 0.23};
    double time[] = {1e-5, 0.00317, 0.113, 0.71, 1.9, 2.4, 3.07, 7.9, 19.3, 53.1};
    for (size_t i = 0; i < 5; i++) {
        struct trial t = trial_of(HEAD BODY ROUTE(WEIBULL) OUTPUTS);
        set(&t, "d.a", shape[i]);
        give(&t, 0, "oral", 23.85);
        double *x = solve(&t, time, 10);
        for (size_t k = 0; k < 10; k++)
            assert_near("gut", amount(x, GUT, k, 10), 23.85 * convolution(1.283, time[k], shape[i], 2.385),
                        3e-12 * 23.85);
        hl_free(x);
        trial_free(&t);
    }
}

static void weibull_1_is_first_order(void **state)
{
    (void)state;
    double time[MOST_TIMES];
    size_t n = times_to(48.3, 37, time);
    struct trial t = trial_of(HEAD "compartments: {central: {volume: V}}\nflows: [{central -> out: CL}]\n"
                              "routes: {oral: {into: central, released: \"" WEIBULL "\"}}\n" OUTPUTS);
    struct trial f = trial_of(HEAD "compartments: {gut: {}, central: {volume: V}}\n"
                              "flows: [{central -> out: CL}, {gut -> central: 1 / b}]\n"
                              "routes: {oral: {into: gut}}\n" OUTPUTS);
    set(&t, "d.a", 1);
    for (int k = 0; k < 5; k++) {
        give(&t, 3.7 * k, "oral", 11.7 + k);
        give(&f, 3.7 * k, "oral", 11.7 + k);
    }
    double *x = solve(&t, time, n), *y = solve(&f, time, n);
    for (size_t k = 0; k < n; k++)
        assert_near("central", amount(x, 0, k, n), amount(y, 1, k, n), 1e-10 * 15);
    hl_free(x);
    hl_free(y);
    trial_free(&t);
    trial_free(&f);
}

/* ---- Mass, doses that overlap */

static double entered(const char *course, double a, double b, double tad)
{
    if (tad <= 0)
        return 0;
    if (*course == 'g')
        return gsl_sf_gamma_inc_P(a + 1, (a + 1) * tad / b);
    return -expm1(-pow(tad / b, a));
}

static void nothing_is_lost(void **state)
{
    (void)state;
    const char *const text[] = {HEAD BODY LATE_ROUTE(WEIBULL) OUTPUTS, HEAD BODY LATE_ROUTE(TRANSIT) OUTPUTS};
    const char *const course[] = {WEIBULL, TRANSIT}, *const solver[] = {"exact", "gsl-rkf45", "gsl-msbdf"};
    const double shape[] = {0.41, 3.71}, loose[] = {1e-6, 1e-6, 1e-6};
    double time[MOST_TIMES];
    size_t n = times_to(97.7, 41, time);
    for (size_t i = 0; i < 6; i++) {
        struct trial t = trial_of(text[i % 2]);
        t.solver = solver[i / 2];
        t.tolerance = loose[i / 2]; /* mass doesn't depend on it */
        set(&t, "d.a", shape[i % 2]);
        for (int d = 0; d < 9; d++)
            give(&t, 2.9 * d, "oral", 10 + 1.3 * d);
        double *x = solve(&t, time, n);
        for (size_t k = 0; k < n; k++) {
            double in = 0, there = 0;
            for (int d = 0; d < 9; d++)
                in += 0.617 * (10 + 1.3 * d) * entered(course[i % 2], shape[i % 2], 2.385, time[k] - (2.9 * d + 0.318));
            for (size_t s = GUT; s <= ELIMINATED; s++)
                there += amount(x, s, k, n);
            assert_near("all that has entered", there, in, 1e-11 * 140);
        }
        hl_free(x);
        trial_free(&t);
    }
}

static uint64_t seed_of(void)
{
    const char *text = getenv("HL_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 20260117;
    print_message("HL_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void many_doses_are_the_sum_of_single_ones(void **state)
{
    (void)state;
    enum { DOSES = 60 };
    uint64_t seed = seed_of();
    double time[MOST_TIMES], sum[3][MOST_TIMES] = {{0}}, total = 0;
    size_t n = times_to(73.1, 29, time);
    struct trial all = trial_of(HEAD BODY LATE_ROUTE(WEIBULL) OUTPUTS);
    set(&all, "d.a", 0.77);
    for (size_t d = 0; d < DOSES; d++) {
        double when = 50 * hl_random_uniform(seed, d, 1, 0), what = 1 + 20 * hl_random_uniform(seed, d, 2, 0);
        struct trial one = trial_of(HEAD BODY LATE_ROUTE(WEIBULL) OUTPUTS);
        set(&one, "d.a", 0.77);
        give(&one, when, "oral", what);
        double *x = solve(&one, time, n);
        for (size_t s = GUT; s <= ELIMINATED; s++)
            for (size_t k = 0; k < n; k++)
                sum[s][k] += amount(x, s, k, n);
        hl_free(x);
        trial_free(&one);
        all.dose[all.regimen.n_doses++] =
            (struct hl_dose){.time = when, .route = route(&all, "oral"), .kind = HL_DOSE_GIVEN, .amount = what};
        total += what;
    }
    double *x = solve(&all, time, n);
    for (size_t s = GUT; s <= ELIMINATED; s++)
        for (size_t k = 0; k < n; k++)
            assert_near("many doses", amount(x, s, k, n), sum[s][k], 1e-10 * total);
    hl_free(x);
    trial_free(&all);
}

/* ---- Courses that are hard on a step */

static void narrow_releases_are_not_stepped_over(void **state)
{
    (void)state;
    double time[] = {0.5, 9.3, 9.97, 10.03, 10.3, 47.7, 200.1};
    struct trial t = trial_of(HEAD BODY ROUTE("gamma_p(1e7, 1e6 [1/h] * tad)") OUTPUTS); /* at 10 h, 0.003 h wide */
    struct trial jump = trial_of(HEAD BODY ROUTE("if(tad >= 10 h, 1, 0)") OUTPUTS);
    struct trial bolus = trial_of(HEAD BODY "routes:\n  oral: {into: gut, lag: 10 h}\n" OUTPUTS);
    struct trial *all[] = {&t, &jump, &bolus};
    double *x[3];
    for (size_t k = 0; k < 3; k++) {
        give(all[k], 0, "oral", 38.5);
        x[k] = solve(all[k], time, 7);
    }
    for (size_t k = 0; k < 7; k++)
        for (size_t s = GUT; s <= ELIMINATED; s++) {
            assert_near("jump", amount(x[1], s, k, 7), amount(x[2], s, k, 7), 2e-9 * 38.5); /* found to 1e-9 h */
            assert_near("narrow", amount(x[0], s, k, 7), amount(x[2], s, k, 7),
                        1e-5 * 38.5); /* ka^2 variance / 2 = 8e-6 */
        }
    for (size_t k = 0; k < 3; k++) {
        hl_free(x[k]);
        trial_free(all[k]);
    }
}

/* What R is at tad = 0 enters at once, what it never reaches never does. */
static void bursts_and_rests(void **state)
{
    (void)state;
    double time[MOST_TIMES];
    size_t n = times_to(31.7, 23, time);
    struct trial t = trial_of(HEAD BODY ROUTE("0.3 - 0.5 * expm1(-tad / b)") OUTPUTS);
    struct trial parts = trial_of(HEAD BODY "routes:\n  oral:\n    - {into: gut, fraction: 0.3}\n"
                                  "    - {into: gut, fraction: 0.5, released: \"-expm1(-tad / b)\"}\n" OUTPUTS);
    assert_non_null(strstr(t.sample.messages, "comes to 0.8 with the typical values"));
    for (int k = 0; k < 3; k++) {
        give(&t, 5.1 * k, "oral", 23.85);
        give(&parts, 5.1 * k, "oral", 23.85);
    }
    double *x = solve(&t, time, n), *y = solve(&parts, time, n);
    for (size_t k = 0; k < n; k++)
        for (size_t s = GUT; s <= ELIMINATED; s++)
            assert_near("burst", amount(x, s, k, n), amount(y, s, k, n), 1e-10 * 70);
    hl_free(x);
    hl_free(y);
    trial_free(&t);
    trial_free(&parts);
}

/* ---- Steady states */

static void steady_state_is_a_long_run_in(void **state)
{
    (void)state;
    const char *const text[] = {HEAD OPEN_BODY LATE_ROUTE(WEIBULL) OUTPUTS, HEAD OPEN_BODY LATE_ROUTE(TRANSIT) OUTPUTS};
    const double shape[] = {0.62, 7.3};
    double time[MOST_TIMES], shifted[MOST_TIMES];
    enum { CYCLES = 130 };
    size_t n = times_to(35.3, 23, time);
    for (size_t k = 0; k < n; k++)
        shifted[k] = time[k] + CYCLES * 7.9;
    for (size_t i = 0; i < 2; i++) {
        struct trial steady = trial_of(text[i]), long_run = trial_of(text[i]);
        struct hl_dose cycle[2] = {{.time = 0, .route = route(&steady, "oral"), .kind = HL_DOSE_GIVEN, .amount = 38.5},
                                   {.time = 3.1, .route = route(&steady, "oral"), .kind = HL_DOSE_GIVEN, .amount = 9.7}};
        struct hl_steady s = {.instance = 0, .time = 0, .period = 7.9, .n = 2, .dose = cycle};
        steady.regimen.n_steady = 1;
        steady.regimen.steady = &s;
        set(&steady, "d.a", shape[i]);
        set(&long_run, "d.a", shape[i]);
        for (int k = 0; k < CYCLES; k++) {
            give(&long_run, 7.9 * k, "oral", 38.5);
            give(&long_run, 7.9 * k + 3.1, "oral", 9.7);
        }
        for (int k = 0; k < 2; k++) {
            give(&steady, 7.9 * k, "oral", 38.5);
            give(&long_run, 7.9 * (CYCLES + k), "oral", 38.5);
        }
        steady.tolerance = long_run.tolerance = 1e-11;
        double *x = solve(&steady, time, n), *y = solve(&long_run, shifted, n);
        for (size_t k = 0; k < n; k++)
            for (size_t c = GUT; c <= CENTRAL; c++)
                assert_near("steady state", amount(x, c, k, n), amount(y, c, k, n), 1e-8 * 38.5);
        hl_free(x);
        hl_free(y);
        trial_free(&steady);
        trial_free(&long_run);
    }
}

/* ---- Steppers, neighbours */

static void steppers_agree(void **state)
{
    (void)state;
    static const char *const solver[] = {"exact", "gsl-rk8pd", "gsl-msbdf", "gsl-msadams", "gsl-bsimp", "gsl-rkf45"};
    const double shape[] = {0.62, 3.1};
    double time[MOST_TIMES];
    size_t n = times_to(41.7, 19, time);
    for (size_t i = 0; i < 2; i++) {
        double *first = NULL;
        for (size_t s = 0; s < 6; s++) {
            struct trial t = trial_of(HEAD BODY LATE_ROUTE(WEIBULL) OUTPUTS);
            t.solver = solver[s];
            t.tolerance = 1e-9;
            set(&t, "d.a", shape[i]);
            for (int k = 0; k < 6; k++)
                give(&t, 2.3 * k, "oral", 23.85);
            give(&t, 7.7, "iv", 5.1);
            double *x = solve(&t, time, n);
            for (size_t k = 0; first && k < n; k++)
                for (size_t c = GUT; c <= ELIMINATED; c++)
                    assert_near(solver[s], amount(x, c, k, n), amount(first, c, k, n), 3e-6 * 23.85);
            if (first)
                hl_free(x);
            else
                first = x;
            trial_free(&t);
        }
        hl_free(first);
    }
}

static void subjects_do_not_know_their_neighbours(void **state)
{
    (void)state;
    enum { SUBJECTS = 21 };
    double time[MOST_TIMES], value[SUBJECTS];
    size_t n = times_to(29.3, 31, time);
    struct trial t = trial_of(HEAD BODY LATE_ROUTE(TRANSIT) OUTPUTS);
    t.tolerance = 1e-9;
    t.varied = t.system->parameter[hl_system_find_parameter(t.system, "d.a")].reg;
    t.value = value;
    for (size_t l = 0; l < SUBJECTS; l++)
        value[l] = -0.6 + 0.37 * (double)l;
    value[4] = -1.3; /* no such course: gamma_p(-0.3, x) */
    for (int k = 0; k < 7; k++)
        give(&t, 3.3 * k, "oral", 23.85 - k);
    double *all = solve_from(&t, 0, SUBJECTS, time, n, NULL);
    for (size_t l = 0; l < SUBJECTS; l++)
        assert_int_equal(t.status[l], l == 4 ? HL_SUBJECT_BAD_PARAMETERS : HL_SUBJECT_GOOD);
    const size_t part[] = {0, 3, 10, SUBJECTS};
    for (size_t p = 0; p < 3; p++) {
        size_t m = part[p + 1] - part[p], lanes = (m + HL_LANES - 1) / HL_LANES * HL_LANES;
        double *some = solve_from(&t, part[p], m, time, n, NULL);
        for (size_t s = 0; s < t.system->n_states; s++)
            for (size_t k = 0; k < n; k++)
                assert_memory_equal(&some[(s * n + k) * lanes], &all[(s * n + k) * 24 + part[p]], m * sizeof(double));
        hl_free(some);
    }
    hl_free(all);
    trial_free(&t);
}

/* ---- What else a release touches */

static void without_such_a_dose_all_is_exact(void **state)
{
    (void)state;
    char *text;
    size_t size;
    for (int by_mouth = 0; by_mouth < 2; by_mouth++) {
        struct trial t = trial_of(HEAD BODY ROUTE(TRANSIT) OUTPUTS);
        give(&t, 0, by_mouth ? "oral" : "iv", 38.5);
        struct hl_plan *plan = plan_of(&t);
        FILE *f = open_memstream(&text, &size);
        hl_plan_describe(plan, f);
        fclose(f);
        if ((strstr(text, "integrated") != NULL) != (by_mouth == 1))
            fail_msg("by mouth %d: %s", by_mouth, text);
        free(text);
        double half_life[4];
        size_t found;
        double *regs = hl_alloc(t.system->n_regs, sizeof *regs);
        hl_system_reset(t.system, regs, 1);
        hl_program_run(&t.system->individual, regs, 1);
        assert_int_equal(hl_plan_half_lives(plan, regs, 1, 0, 0, half_life, 4, &found), HL_OK);
        assert_near("half-life", half_life[0], log(2) * 41.3 / 3.617, 1e-12);
        hl_free(regs);
        hl_plan_free(plan);
        trial_free(&t);
    }
}

struct heard { double area, left, jump; size_t n; };

/* Areas of the central amount; its slope against differences in the middle of each segment. */
static void on_segment(void *context, const struct hl_segment *segment)
{
    struct heard *h = context;
    double y[8], dy[8], up[8], down[8], middle = 0.5 * (segment->t0 + segment->t1), d = 1e-3 * (segment->t1 - segment->t0);
    h->area += hl_segment_integral(segment, CENTRAL, segment->t0, segment->t1);
    hl_segment_values(segment, middle, y, dy);
    hl_segment_values(segment, middle + d, up, NULL);
    hl_segment_values(segment, middle - d, down, NULL);
    for (size_t k = 0; k < segment->n_outputs; k++)
        if (d > 1e-6)
            assert_near("slope", (up[k] - down[k]) / (2 * d), dy[k], 1e-5 * fmax(fabs(dy[k]), 0.01));
    hl_segment_values(segment, segment->t0, y, dy);
    for (size_t k = 0; k < segment->n_outputs; k++)
        assert_true(isfinite(dy[k]));
    if (h->n++ > 0)
        h->jump = fmax(h->jump, fabs(y[CENTRAL] - h->left));
    hl_segment_values(segment, segment->t1, y, NULL);
    h->left = y[CENTRAL];
}

static void segments_carry_releases(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct hl_listener listener = {.context = &heard, .segment = on_segment, .wants_segments = true};
    double time[] = {1.7, 200.3, 900};
    struct trial t = trial_of(HEAD BODY LATE_ROUTE(WEIBULL) OUTPUTS);
    set(&t, "d.a", 0.62);
    t.tolerance = 1e-10;
    for (int k = 0; k < 5; k++)
        give(&t, 2.9 * k, "oral", 23.85);
    double *x = solve_from(&t, 0, 1, time, 3, &listener);
    assert_int_equal(t.status[0], HL_SUBJECT_GOOD);
    /* AUC of an amount is dose F V / CL when all has gone */
    assert_near("area", heard.area, 5 * 23.85 * 0.617 * 41.3 / 3.617, 1e-8 * 800);
    assert_near("no jumps", heard.jump, 0, 1e-9 * 23.85);
    hl_free(x);
    trial_free(&t);
}

/* Saturable elimination: the receiving state feeds one that isn't linear. */
static void other_states_may_be_anything(void **state)
{
    (void)state;
    double time[MOST_TIMES];
    size_t n = times_to(61.3, 31, time);
    static const char body[] = HEAD "compartments:\n  gut: {}\n  central: {volume: V}\n  eliminated: {}\n"
                                    "flows:\n  - gut -> central: ka\n"
                                    "  - central -> eliminated: CL / (1 + central / V / 0.3 [mg/L])\n";
    char closed_text[4096], chain_text[4096];
    snprintf(closed_text, sizeof closed_text, "%s%s", body, ROUTE(TRANSIT) OUTPUTS);
    snprintf(chain_text, sizeof chain_text, "%s%s", HEAD
             "individual: {ktr: \"(a + 1) / b\"}\ncompartments:\n  gut: {}\n  central: {volume: V}\n  eliminated: {}\n"
             "  t0: {}\n  t1: {}\nflows:\n  - gut -> central: ka\n  - t0 -> t1: ktr\n  - t1 -> gut: ktr\n"
             "  - central -> eliminated: CL / (1 + central / V / 0.3 [mg/L])\nroutes:\n  oral: {into: t0}\n", OUTPUTS);
    struct trial closed = trial_of(closed_text), chain = trial_of(chain_text);
    set(&closed, "d.a", 1);
    set(&chain, "d.a", 1);
    for (int k = 0; k < 5; k++) {
        give(&closed, 6.1 * k, "oral", 38.5);
        give(&chain, 6.1 * k, "oral", 38.5);
    }
    double *x = solve(&closed, time, n), *y = solve(&chain, time, n);
    for (size_t k = 0; k < n; k++)
        for (size_t s = GUT; s <= ELIMINATED; s++)
            assert_near("saturable", amount(x, s, k, n), amount(y, s, k, n), 1e-9 * 38.5);
    hl_free(x);
    hl_free(y);
    trial_free(&closed);
    trial_free(&chain);
}

/* Whatever allocation fails, on the way into the solver or from there through a steady state, is told and leaks
 * nothing. */
static void want_of_memory_is_told(void **state)
{
    (void)state;
    struct trial t = trial_of(HEAD OPEN_BODY LATE_ROUTE(WEIBULL) OUTPUTS);
    struct hl_dose cycle = {.route = route(&t, "oral"), .kind = HL_DOSE_GIVEN, .amount = 38.5};
    struct hl_steady steady = {.period = 1.9, .n = 1, .dose = &cycle};
    t.regimen.n_steady = 1;
    t.regimen.steady = &steady;
    t.tolerance = 1e-6;
    give(&t, 0, "oral", 23.85);
    struct hl_plan *plan = plan_of(&t);
    struct hl_system *y = t.system;
    double time[] = {0.5, 3}, *regs = hl_alloc(y->n_regs * HL_LANES, sizeof *regs), out[2 * HL_LANES];
    int output = hl_system_find_output(y, "d.gut");
    struct hl_block block = {.first = 1, .n = 1, .lanes = HL_LANES, .regs = regs, .status = t.status, .out = out};
    hl_system_reset(y, regs, HL_LANES);
    hl_program_run(&y->individual, regs, HL_LANES);
    size_t failures = 0;
    for (enum hl_status status = HL_ERR_MEMORY; status != HL_OK; failures++) {
        hl_memory_fail_after(failures + 1);
        struct hl_solver *solver = hl_solver_create(plan, HL_LANES);
        status = solver ? hl_solver_run(solver, &block, &output, 1, time, 2, NULL) : HL_ERR_MEMORY;
        hl_memory_fail_after(0);
        assert_true(status == HL_OK || status == HL_ERR_MEMORY);
        hl_solver_free(solver);
    }
    assert_true(failures > 50);
    assert_int_equal(t.status[0], HL_SUBJECT_GOOD);
    hl_free(regs);
    hl_plan_free(plan);
    trial_free(&t);
}

static int set_up(void **state)
{
    gsl_set_error_handler_off();
    return sample_units(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_n_is_a_chain),
        cmocka_unit_test(weibull_is_its_convolution),
        cmocka_unit_test(weibull_1_is_first_order),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(many_doses_are_the_sum_of_single_ones),
        cmocka_unit_test(narrow_releases_are_not_stepped_over),
        cmocka_unit_test(bursts_and_rests),
        cmocka_unit_test(steady_state_is_a_long_run_in),
        cmocka_unit_test(steppers_agree),
        cmocka_unit_test(subjects_do_not_know_their_neighbours),
        cmocka_unit_test(without_such_a_dose_all_is_exact),
        cmocka_unit_test(segments_carry_releases),
        cmocka_unit_test(other_states_may_be_anything),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
