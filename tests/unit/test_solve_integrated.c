/* SPDX-License-Identifier: GPL-3.0-or-later */
/* States that aren't linear, integrated on top of the exact ones: tolerance and withdrawal of clonazepam (its reference, 5.6
 * and 6: rates with a kink), the carbon dioxide loop of fentanyl (8.4), Michaelis-Menten elimination with its closed form;
 * against all of GSL's steppers on everything; steady states against long run-ins. */
#include <gsl/gsl_sf_lambert.h>

#include "unit/solve_fixture.h"

enum { GUT, CENTRAL, PERIPHERAL, SITE, TOLERANCE, DEPENDENCE, PA, PB, N };

static int number(struct fixture *f, double value)
{
    return fixture_reg(f, HL_REG_PARAMETER, value);
}

static int code(struct fixture *f, struct hl_program *p, int op, int a, int b, int c)
{
    int dst = fixture_reg(f, HL_REG_TEMPORARY, 0);
    fixture_code(f, p, op, dst, a, b, c);
    return dst;
}

/* rate = (towards > x ? k_up : k_down) * (towards - x) */
static void chase(struct fixture *f, struct hl_program *p, int state, int towards, int k_up, int k_down)
{
    int x = f->system.state[state].reg, above = code(f, p, HL_OP_GT, towards, x, -1);
    int k = code(f, p, HL_OP_SELECT, above, k_up, k_down), rest = code(f, p, HL_OP_SUB, towards, x, -1);
    fixture_code(f, p, HL_OP_MUL, f->system.state[state].derivative_reg, k, rest, -1);
}

static void write_rates(struct fixture *f, struct hl_program *p)
{
    struct hl_state *x = f->system.state;
    int site = x[SITE].reg;
    chase(f, p, TOLERANCE, site, number(f, M_LN2 / 48), number(f, M_LN2 / 336));
    int u = code(f, p, HL_OP_HILL, site, number(f, 20), f->one);
    chase(f, p, DEPENDENCE, u, number(f, M_LN2 / 504), number(f, M_LN2 / 168));
    int P0 = number(f, 42.4), E = code(f, p, HL_OP_HILL, site, number(f, 16), number(f, 1.5));
    int drive = code(f, p, HL_OP_SUB, f->one, E, -1), ratio = code(f, p, HL_OP_DIV, x[PB].reg, P0, -1);
    int V = code(f, p, HL_OP_MUL, drive, code(f, p, HL_OP_POW, ratio, number(f, 4.3), -1), -1);
    int lost = code(f, p, HL_OP_MUL, x[PA].reg, V, -1), rest = code(f, p, HL_OP_SUB, P0, lost, -1);
    fixture_code(f, p, HL_OP_MUL, x[PA].derivative_reg, number(f, 60 * 0.08), rest, -1);
    int gap = code(f, p, HL_OP_SUB, x[PA].reg, x[PB].reg, -1);
    fixture_code(f, p, HL_OP_MUL, x[PB].derivative_reg, number(f, 60 * 0.92), gap, -1);
}

/* Clonazepam in ng/mL-like units (V = 90 L, mg to ng/mL), twice a day. */
static struct fixture *clonazepam(int doses)
{
    struct fixture *f = fixture_create(N, 4);
    struct hl_system *s = &f->system;
    fixture_flow(f, GUT, CENTRAL, 1.7);
    fixture_flow(f, CENTRAL, PERIPHERAL, 30.0 / 90);
    fixture_flow(f, PERIPHERAL, CENTRAL, 30.0 / 100);
    fixture_flow(f, CENTRAL, -1, 3.6 / 90);
    fixture_entry(f, SITE, CENTRAL, fixture_reg(f, HL_REG_COEFFICIENT, 1.6 * 1000 / 90));
    fixture_entry(f, SITE, SITE, fixture_reg(f, HL_REG_COEFFICIENT, -1.6));
    s->state[PA].initial_reg = s->state[PB].initial_reg = fixture_reg(f, HL_REG_INDIVIDUAL, 42.4);
    fixture_linear_rates(f, &s->rhs);
    write_rates(f, &s->rhs);
    write_rates(f, &s->rhs_integrated);
    for (int d = 0; d < doses; d++)
        fixture_bolus(f, 12.0 * d + 0.25, GUT, 0.9);
    return f;
}

static double *even_times(size_t n, double step)
{
    double *time = hl_alloc(n, sizeof *time);
    for (size_t k = 0; k < n; k++)
        time[k] = step * (double)k;
    return time;
}

static double largest(const struct solution *s, size_t state)
{
    double most = 0;
    for (size_t k = 0; k < s->n_times; k++)
        most = fmax(most, fabs(at(s, state, k, 0)));
    return most;
}

static double difference(const struct solution *a, const struct solution *b)
{
    double worst = 0;
    for (size_t j = 0; j < N; j++) {
        double most = largest(a, j);
        for (size_t k = 0; k < a->n_times; k++)
            worst = fmax(worst, fabs(at(a, j, k, 0) - at(b, j, k, 0)) / most);
    }
    return worst;
}

static void every_stepper_finds_the_same(void **state)
{
    (void)state;
    static const struct { const char *solver; double tolerance, allowed; size_t days; } way[] = {
        {"exact", 1e-8, 3e-8, 4},       {"gsl-rk8pd", 1e-8, 3e-8, 4},   {"gsl-rkf45", 1e-8, 1e-7, 4},
        {"gsl-rkck", 1e-8, 3e-7, 4},    {"gsl-rk4", 1e-8, 1e-7, 1},     {"gsl-rk2", 1e-6, 3e-6, 1},
        {"gsl-rk4imp", 1e-7, 1e-6, 1},  {"gsl-bsimp", 1e-8, 1e-8, 2},   {"gsl-msadams", 1e-8, 1e-6, 2},
        {"gsl-msbdf", 1e-8, 2e-6, 2},
    };
    struct fixture *f = clonazepam(6);
    for (size_t p = 0; p < sizeof way / sizeof *way; p++) {
        size_t n = 1 + way[p].days * 96;
        double *time = even_times(n, 0.25);
        struct solution a = fixture_solve(f, "gsl-rk8pd", 1e-12, 1, time, n);
        struct solution b = fixture_solve(f, way[p].solver, way[p].tolerance, 1, time, n);
        double off = difference(&a, &b);
        print_message("%-12s at %.0e: %.1e\n", way[p].solver, way[p].tolerance, off);
        assert_int_equal(b.status[0], HL_SUBJECT_GOOD);
        assert_near(way[p].solver, off, 0, way[p].allowed);
        solution_free(&a), solution_free(&b);
        hl_free(time);
    }
    fixture_free(f);
}

/* What is asked for doesn't change what is found: fine and coarse output times, listeners or none. */
static void hear_nothing(void *context, const struct hl_segment *segment)
{
    double y[N], *worst = context;
    hl_segment_values(segment, segment->t1, y, NULL);
    worst[0] = fmax(worst[0], y[PA]);
}

static void output_times_do_not_matter(void **state)
{
    (void)state;
    struct fixture *f = clonazepam(6);
    double *fine = even_times(961, 0.1), *coarse = even_times(25, 4), peak = 0;
    struct hl_listener listener = {.context = &peak, .segment = hear_nothing, .wants_segments = true};
    struct solution a = fixture_solve(f, "exact", 1e-9, 1, fine, 961), b = fixture_solve(f, "exact", 1e-9, 1, coarse, 25),
                    c = fixture_solve_from(f, "exact", 1e-9, 0, 1, fine, 961, &listener);
    for (size_t j = 0; j < N; j++) {
        double most = largest(&a, j);
        for (size_t k = 0; k < 25; k++)
            assert_near("coarse", at(&b, j, k, 0), at(&a, j, 40 * k, 0), 1e-8 * most);
        for (size_t k = 0; k < 961; k++)
            assert_near("with listener", at(&c, j, k, 0), at(&a, j, k, 0), 1e-8 * most);
    }
    assert_near("peak", peak, largest(&a, PA), 1e-2);
    solution_free(&a), solution_free(&b), solution_free(&c);
    hl_free(fine), hl_free(coarse);
    fixture_free(f);
}

/* C' = -Vm C / (Km + C) after a bolus: C = Km W(C0/Km exp((C0 - Vm t)/Km)), W Lambert's function. */
static void michaelis_menten_has_a_closed_form(void **state)
{
    (void)state;
    double Vm = 1.731, Km = 0.917, C0 = 7.13;
    struct fixture *f = fixture_create(1, 0);
    struct hl_state *x = f->system.state;
    struct hl_program *programs[] = {&f->system.rhs, &f->system.rhs_integrated};
    for (size_t p = 0; p < 2; p++) {
        int share = code(f, programs[p], HL_OP_HILL, x[0].reg, number(f, Km), f->one);
        fixture_code(f, programs[p], HL_OP_MUL, x[0].derivative_reg, number(f, -Vm), share, -1);
    }
    fixture_bolus(f, 0, 0, C0);
    double *time = even_times(200, 0.0713);
    static const char *solver[] = {"exact", "gsl-msbdf", "gsl-rkf45"};
    static const double allowed[] = {1e-8, 1e-5, 1e-7};
    for (size_t p = 0; p < 3; p++) {
        struct solution s = fixture_solve(f, solver[p], 1e-9, 1, time, 200);
        for (size_t k = 0; k < 200; k++) {
            double expected = Km * gsl_sf_lambert_W0(C0 / Km * exp((C0 - Vm * time[k]) / Km));
            assert_near("Michaelis-Menten", at(&s, 0, k, 0), expected, allowed[p] * C0);
        }
        solution_free(&s);
    }
    hl_free(time);
    fixture_free(f);
}

/* Binding, x' = y' = -k x y, after a long rest in which the steps have grown far too long for what a dose then sets
 * going: a step that runs away must be refused, not measured by its own huge rates. With d = x0 - y0 the closed form
 * is x = d/(1 - y0/x0 exp(-k d t)). */
static void a_long_rest_before_a_dose(void **state)
{
    (void)state;
    double k = 0.113, x0 = 231.7, y0 = 9.7, at_dose = 40.2, d = x0 - y0;
    struct fixture *f = fixture_create(2, 0);
    struct hl_state *x = f->system.state;
    for (size_t i = 0; i < 2; i++) {
        int met = code(f, &f->system.rhs_integrated, HL_OP_MUL, x[0].reg, x[1].reg, -1);
        fixture_code(f, &f->system.rhs_integrated, HL_OP_MUL, x[i].derivative_reg, number(f, -k), met, -1);
    }
    x[1].initial_reg = number(f, y0);
    fixture_bolus(f, at_dose, 0, x0);
    double *time = even_times(3, 95.5);
    struct solution s = fixture_solve(f, "exact", 1e-9, 1, time, 3);
    assert_int_equal(s.status[0], HL_SUBJECT_GOOD);
    for (size_t i = 0; i < 3; i++) {
        double t = time[i] - at_dose, now = d / (1 - y0 / x0 * exp(-k * d * t));
        assert_near("bound", at(&s, 0, i, 0), t < 0 ? 0 : now, 1e-8 * x0);
        assert_near("free", at(&s, 1, i, 0), t < 0 ? y0 : now - d, 1e-8 * x0);
    }
    solution_free(&s);
    hl_free(time);
    fixture_free(f);
}

static void steady_state_is_found_without_running_in(void **state)
{
    (void)state;
    struct fixture *run = clonazepam(1200), *steady = clonazepam(0);
    for (size_t k = 0; k < run->regimen.n_doses; k++)
        run->regimen.dose[k].time -= 1200 * 12 + 0.25;
    struct hl_dose dose = {.route = GUT, .kind = HL_DOSE_GIVEN, .amount = 0.9, .repeat_interval = 12};
    struct hl_steady regimen = {.instance = 0, .time = 0, .period = 12, .n = 1, .dose = &dose};
    steady->regimen.n_steady = 1;
    steady->regimen.steady = &regimen;
    double *time = even_times(200, 1.9);
    struct solution a = fixture_solve(run, "exact", 1e-9, 1, time, 200);
    static const char *solver[] = {"exact", "gsl-rk8pd"};
    for (size_t p = 0; p < 2; p++) {
        struct solution b = fixture_solve(steady, solver[p], 1e-9, 1, time, 200);
        assert_int_equal(b.status[0], HL_SUBJECT_GOOD);
        double off = difference(&a, &b);
        print_message("%s: steady state off by %.1e\n", solver[p], off);
        assert_near("steady", off, 0, 3e-8);
        solution_free(&b);
    }
    solution_free(&a);
    hl_free(time);
    fixture_free(run), fixture_free(steady);
}

/* A second instance that is no drug (an interaction) starts at its own steady value; another drug stands still. */
static void interactions_take_part(void **state)
{
    (void)state;
    struct fixture *f = clonazepam(0);
    struct hl_system *s = &f->system;
    s->n_instances = 3;
    s->instance[1] = (struct hl_system_instance){.alias = "interaction", .tad_reg = -1};
    s->instance[2] = (struct hl_system_instance){.alias = "other", .is_drug = true, .tad_reg = -1};
    s->state[PA].instance = s->state[PB].instance = 1;
    s->state[DEPENDENCE].instance = 2;
    struct hl_dose dose = {.route = GUT, .kind = HL_DOSE_GIVEN, .amount = 0.9};
    struct hl_steady regimen = {.instance = 0, .time = 0, .period = 12, .n = 1, .dose = &dose};
    s->state[DEPENDENCE].initial_reg = number(f, 0.0625);
    f->regimen.n_steady = 1;
    f->regimen.steady = &regimen;
    double time[] = {0};
    struct solution b = fixture_solve(f, "exact", 1e-9, 1, time, 1);
    assert_int_equal(b.status[0], HL_SUBJECT_GOOD);
    assert_near("another drug's", at(&b, DEPENDENCE, 0, 0), 0.0625, 0);
    double drive = 1 - 1 / (1 + pow(16 / at(&b, SITE, 0, 0), 1.5)), expected = 42.4 * pow(drive, -1 / 5.3);
    assert_near("carbon dioxide, slowly following", at(&b, PA, 0, 0), expected, 0.05);
    assert_true(at(&b, PA, 0, 0) > 45);
    solution_free(&b);
    fixture_free(f);
}

static void failures_have_a_name(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(1, 0);
    struct hl_state *x = f->system.state; /* x' = x^2: infinite at t = 1/x0 */
    fixture_code(f, &f->system.rhs_integrated, HL_OP_MUL, x[0].derivative_reg, x[0].reg, x[0].reg, -1);
    double start[] = {0.1, 1, 0.1};
    x[0].initial_reg = fixture_values(f, start, 3);
    double *time = even_times(30, 0.2);
    struct solution s = fixture_solve(f, "exact", 1e-9, 3, time, 30);
    assert_int_equal(s.status[0], HL_SUBJECT_GOOD);
    assert_int_equal(s.status[2], HL_SUBJECT_GOOD);
    assert_true(s.status[1] == HL_SUBJECT_NOT_FINITE || s.status[1] == HL_SUBJECT_STEP_TOO_SMALL);
    for (size_t k = 0; k < 30; k++) {
        assert_near("neighbour", at(&s, 0, k, 2), 0.1 / (1 - 0.1 * time[k]), 1e-8);
        assert_true(isnan(at(&s, 0, k, 1)));
    }
    hl_free(time);
    solution_free(&s);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stepper_finds_the_same),
        cmocka_unit_test(output_times_do_not_matter),
        cmocka_unit_test(michaelis_menten_has_a_closed_form),
        cmocka_unit_test(a_long_rest_before_a_dose),
        cmocka_unit_test(steady_state_is_found_without_running_in),
        cmocka_unit_test(interactions_take_part),
        cmocka_unit_test(failures_have_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
