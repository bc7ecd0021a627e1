/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact propagation against closed forms of pharmacokinetics: one and two compartments, confluent rates, infusions,
 * metabolites, cyclic graphs, chains, steady states; mass balance, superposition, and lanes that don't notice each other. */
#include "unit/solve_fixture.h"

#define EXACT 1e-12 /* of the dose */

/* Two compartments after an oral dose: clonazepam reference, section 1.2, amounts instead of concentrations. */
static double central_closed(double dose, double ka, double k10, double k12, double k21, double t)
{
    double sum = k10 + k12 + k21, root = sqrt(sum * sum / 4 - k10 * k21);
    double alpha = sum / 2 + root, beta = k10 * k21 / alpha;
    if (t < 0)
        return 0;
    return dose * ka * ((k21 - alpha) / ((ka - alpha) * (beta - alpha)) * exp(-alpha * t)
                        + (k21 - beta) / ((ka - beta) * (alpha - beta)) * exp(-beta * t)
                        + (k21 - ka) / ((alpha - ka) * (beta - ka)) * exp(-ka * t));
}

static void two_compartments_follow_the_closed_form(void **state)
{
    (void)state;
    double ka = 1.7137, k10 = 0.040391, k12 = 0.33517, k21 = 0.29873, dose = 1.8437, lag = 0.2531;
    struct fixture *f = fixture_create(3, 3);
    fixture_flow(f, 0, 1, ka);
    fixture_flow(f, 1, 2, k12);
    fixture_flow(f, 2, 1, k21);
    fixture_flow(f, 1, -1, k10);
    double start[] = {lag, 12 + lag, 29.113};
    for (size_t k = 0; k < 3; k++)
        fixture_bolus(f, start[k], 0, dose);
    double time[500];
    for (size_t k = 0; k < 500; k++)
        time[k] = (double)k / 6;
    struct solution s = fixture_solve(f, "exact", 1e-8, 3, time, 500);
    for (size_t k = 0; k < 500; k++) {
        double expected = 0, gut = 0;
        for (size_t d = 0; d < 3; d++) {
            expected += central_closed(dose, ka, k10, k12, k21, time[k] - start[d]);
            gut += time[k] >= start[d] ? dose * exp(-ka * (time[k] - start[d])) : 0;
        }
        assert_near("central", at(&s, 1, k, 2), expected, EXACT * dose);
        assert_near("gut", at(&s, 0, k, 2), gut, EXACT * dose);
    }
    solution_free(&s);
    fixture_free(f);
}

static void confluent_rates_need_no_perturbation(void **state)
{
    (void)state;
    double k = 0.37219, dose = 93.17, offset[] = {0, 1e-15, 1e-13, 1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.03};
    double ka[10], minus[10];
    for (size_t l = 0; l < 10; l++) {
        ka[l] = k * (1 + offset[l]);
        minus[l] = -ka[l];
    }
    struct fixture *f = fixture_create(2, 2);
    fixture_flow_regs(f, 0, 1, fixture_values(f, ka, 10), fixture_values(f, minus, 10));
    fixture_flow(f, 1, -1, k);
    fixture_bolus(f, 0.731, 0, dose);
    double time[300];
    for (size_t i = 0; i < 300; i++)
        time[i] = 0.1371 * (double)i;
    struct solution s = fixture_solve(f, "exact", 1e-8, 10, time, 300);
    for (size_t l = 0; l < 10; l++)
        for (size_t i = 0; i < 300; i++) {
            double t = time[i] - 0.731, d = (ka[l] - k) * t; /* exp(-k t) (1 - exp(-d)) / (ka - k), with its limit */
            double expected = t < 0 ? 0 : dose * ka[l] * exp(-k * t) * (d == 0 ? t : t * -expm1(-d) / d);
            assert_near("central, ka near k", at(&s, 1, i, l), expected, EXACT * dose);
        }
    solution_free(&s);
    fixture_free(f);
}

static void infusion_with_and_without_elimination(void **state)
{
    (void)state;
    double k[] = {0.1931, 0, 1e-9, 41.3}, minus[] = {-0.1931, -0.0, -1e-9, -41.3}, rate = 7.731, on = 1.377, length = 5.2113;
    struct fixture *f = fixture_create(1, 1);
    fixture_flow_regs(f, 0, -1, fixture_values(f, k, 4), fixture_values(f, minus, 4));
    fixture_infusion(f, on, 0, rate, length);
    double time[200];
    for (size_t i = 0; i < 200; i++)
        time[i] = 0.0731 * (double)i;
    struct solution s = fixture_solve(f, "exact", 1e-8, 4, time, 200);
    for (size_t l = 0; l < 4; l++)
        for (size_t i = 0; i < 200; i++) {
            double t = time[i] - on, during = fmin(fmax(t, 0), length), after = fmax(t - length, 0);
            double built = k[l] > 0 ? rate * -expm1(-k[l] * during) / k[l] : rate * during;
            assert_near("infused", at(&s, 0, i, l), built * exp(-k[l] * after), EXACT * rate * length);
        }
    solution_free(&s);
    fixture_free(f);
}

/* A ring of three with equal rates turns: eigenvalues of the circulant matrix are -k + k w, w^3 = 1. */
static void a_ring_turns(void **state)
{
    (void)state;
    double k = 2.1731, out = 0.05193, dose = 11.71;
    struct fixture *f = fixture_create(3, 3);
    for (int i = 0; i < 3; i++) {
        fixture_flow(f, i, (i + 1) % 3, k);
        fixture_flow(f, i, -1, out);
    }
    fixture_bolus(f, 0, 0, dose);
    fixture_infusion(f, 3.3, 1, 0.917, 2.2);
    double time[250];
    for (size_t i = 0; i < 250; i++)
        time[i] = 0.0517 * (double)i;
    struct solution s = fixture_solve(f, "exact", 1e-8, 1, time, 250);
    for (size_t i = 0; i < 250; i++) {
        double t = time[i], turn = k * sqrt(3) / 2 * t, total = dose * exp(-out * t);
        double during = fmin(fmax(t - 3.3, 0), 2.2), after = fmax(t - 5.5, 0);
        total += 0.917 * -expm1(-out * during) / out * exp(-out * after);
        assert_near("ring, all", at(&s, 0, i, 0) + at(&s, 1, i, 0) + at(&s, 2, i, 0), total, EXACT * dose);
        for (size_t j = 0; t < 3.3 && j < 3; j++) {
            double phase = turn - 2 * M_PI * (double)j / 3;
            double expected = dose * exp(-out * t) / 3 * (1 + 2 * exp(-1.5 * k * t) * cos(phase));
            assert_near("ring, one", at(&s, j, i, 0), expected, EXACT * dose);
        }
    }
    solution_free(&s);
    fixture_free(f);
}

/* Equal rates in a row: Erlang's distribution, as defective as a matrix can be. */
static void a_chain_is_erlang(void **state)
{
    (void)state;
    double k = 1.3137, dose = 5.717;
    struct fixture *f = fixture_create(7, 7);
    for (int i = 0; i < 7; i++)
        fixture_flow(f, i, i < 6 ? i + 1 : -1, k);
    fixture_bolus(f, 0.25, 0, dose);
    double time[150];
    for (size_t i = 0; i < 150; i++)
        time[i] = 0.11 * (double)i;
    struct solution s = fixture_solve(f, "exact", 1e-8, 1, time, 150);
    for (size_t i = 0; i < 150; i++)
        for (size_t j = 0; j < 7; j++) {
            double x = k * (time[i] - 0.25);
            double expected = x < 0 ? 0 : dose * exp(-x) * pow(x, (double)j) / tgamma((double)j + 1);
            assert_near("transit", at(&s, j, i, 0), expected, 1e-13 * dose);
        }
    solution_free(&s);
    fixture_free(f);
}

/* An effect site of seconds on a body of days: rates over more than five decades, many thousand outputs. */
static void stiff_rates_keep_their_digits(void **state)
{
    (void)state;
    double slow = 0.0041937, fast = 731.9, ke0 = 193.7, dose = 3.19;
    struct fixture *f = fixture_create(3, 3);
    int ke = fixture_reg(f, HL_REG_COEFFICIENT, ke0), minus = fixture_reg(f, HL_REG_COEFFICIENT, -ke0);
    fixture_flow(f, 0, 1, fast);
    fixture_flow(f, 1, 0, fast / 3);
    fixture_flow(f, 0, -1, slow);
    fixture_entry(f, 2, 0, ke);
    fixture_entry(f, 2, 2, minus);
    fixture_bolus(f, 0, 0, dose);
    static double time[6000];
    for (size_t i = 0; i < 6000; i++)
        time[i] = 0.1 * (double)i;
    struct solution s = fixture_solve(f, "exact", 1e-8, 1, time, 6000);
    long double sum = (long double)fast + (long double)(fast / 3) + slow, product = (long double)slow * (long double)(fast / 3);
    long double alpha = sum / 2 + sqrtl(sum * sum / 4 - product), beta = product / alpha;
    for (size_t i = 0; i < 6000; i++) {
        long double t = time[i], k21 = fast / 3, a = (alpha - k21) / (alpha - beta), b = (k21 - beta) / (alpha - beta);
        double central = (double)(dose * (a * expl(-alpha * t) + b * expl(-beta * t)));
        double site = (double)(dose * ke0 * (a / (ke0 - alpha) * (expl(-alpha * t) - expl(-(long double)ke0 * t))
                                             + b / (ke0 - beta) * (expl(-beta * t) - expl(-(long double)ke0 * t))));
        assert_near("stiff central", at(&s, 0, i, 0), central, EXACT * dose);
        assert_near("stiff site", at(&s, 2, i, 0), site, EXACT * dose);
    }
    solution_free(&s);
    fixture_free(f);
}

/* Parent to metabolite with an accumulating urine: nothing is lost. */
static void mass_is_kept(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(5, 5);
    fixture_flow(f, 0, 1, 0.9137);
    fixture_flow(f, 1, 2, 0.3911);
    fixture_flow(f, 2, 1, 77.713);
    fixture_flow(f, 1, 3, 0.05117);
    fixture_flow(f, 3, 4, 0.01313);
    fixture_flow(f, 1, 4, 0.07771);
    for (int d = 0; d < 10; d++)
        fixture_bolus(f, 7.3 * d, 0, 2.385);
    fixture_infusion(f, 11.1, 2, 0.713, 31.7);
    static double time[2000];
    for (size_t i = 0; i < 2000; i++)
        time[i] = 0.25 * (double)i;
    struct solution s = fixture_solve(f, "exact", 1e-8, 1, time, 2000);
    double dose = 10 * 2.385 + 0.713 * 31.7;
    for (size_t i = 0; i < 2000; i++) {
        double in = 0.713 * fmin(fmax(time[i] - 11.1, 0), 31.7), sum = 0;
        for (int d = 0; d < 10; d++)
            in += time[i] >= 7.3 * d ? 2.385 : 0;
        for (size_t j = 0; j < 5; j++)
            sum += at(&s, j, i, 0);
        assert_near("mass", sum, in, EXACT * dose);
    }
    solution_free(&s);
    fixture_free(f);
}

static struct fixture *graph_for(double seed)
{
    struct fixture *f = fixture_create(4, 4);
    double k[64], minus[64];
    for (int flow = 0; flow < 5; flow++) {
        static const int from[] = {0, 1, 2, 3, 1}, to[] = {1, 2, 3, 1, -1};
        for (size_t l = 0; l < 64; l++) {
            k[l] = 0.05 + fabs(sin(seed + (double)l * 1.7 + flow * 0.9)) * (l % 5 == 0 && flow == 2 ? 40 : 1.3);
            if (l % 7 == 3)
                k[l] = 0.5; /* ring of equal rates: turning, near-defective lanes among the others */
            minus[l] = -k[l];
        }
        fixture_flow_regs(f, from[flow], to[flow], fixture_values(f, k, 64), fixture_values(f, minus, 64));
    }
    double lag[64];
    for (size_t l = 0; l < 64; l++)
        lag[l] = l % 3 ? 0.05 * (double)l : 0;
    f->system.route[0].part[0].lag_reg = fixture_values(f, lag, 64);
    for (int d = 0; d < 9; d++)
        fixture_bolus(f, 3.7 * d, 0, 1.9);
    fixture_infusion(f, 5.5, 2, 0.3, 11.2);
    return f;
}

static void responses_add_up(void **state)
{
    (void)state;
    struct fixture *both = graph_for(0.3), *doses = graph_for(0.3), *infusion = graph_for(0.3);
    doses->regimen.n_doses = 9;
    infusion->regimen.dose += 9;
    infusion->regimen.n_doses = 1;
    double time[100];
    for (size_t i = 0; i < 100; i++)
        time[i] = 0.5 * (double)i;
    struct solution a = fixture_solve(both, "exact", 1e-8, 64, time, 100), b = fixture_solve(doses, "exact", 1e-8, 64, time, 100),
                    c = fixture_solve(infusion, "exact", 1e-8, 64, time, 100);
    for (size_t j = 0; j < 4; j++)
        for (size_t i = 0; i < 100; i++)
            for (size_t l = 0; l < 64; l++)
                assert_near("superposition", at(&a, j, i, l), at(&b, j, i, l) + at(&c, j, i, l), EXACT * 20);
    solution_free(&a), solution_free(&b), solution_free(&c);
    fixture_free(both), fixture_free(doses), fixture_free(infusion);
}

/* 64 subjects at once, in blocks of 8 and 16, alone; even grid and uneven: the very same bits. */
static void lanes_are_alone(void **state)
{
    (void)state;
    struct fixture *f = graph_for(1.1);
    double time[400];
    for (size_t i = 0; i < 400; i++)
        time[i] = i < 300 ? (double)i / 7 : 43 + 0.3 * (double)(i - 300) + 0.01 * (double)((i * i) % 7);
    struct solution all = fixture_solve(f, "exact", 1e-8, 64, time, 400);
    static const size_t size[] = {8, 16, 1, 5};
    for (size_t p = 0; p < 4; p++)
        for (size_t first = 0; first < 64; first += size[p]) {
            size_t n = first + size[p] > 64 ? 64 - first : size[p];
            struct solution part = fixture_solve_from(f, "exact", 1e-8, first, n, time, 400, NULL);
            for (size_t j = 0; j < 4; j++)
                for (size_t i = 0; i < 400; i++)
                    for (size_t l = 0; l < n; l++) {
                        double x = at(&all, j, i, first + l), y = at(&part, j, i, l);
                        if (memcmp(&x, &y, sizeof x) != 0)
                            fail_msg("subject %zu in blocks of %zu, state %zu, time %zu: %.17g, among 64: %.17g", first + l,
                                     size[p], j, i, y, x);
                    }
            solution_free(&part);
        }
    solution_free(&all);
    fixture_free(f);
}

static void a_bad_subject_harms_nobody(void **state)
{
    (void)state;
    struct fixture *f = graph_for(2.2), *g = graph_for(2.2);
    int reg = f->system.coef[0].reg;
    f->value[reg][5] = NAN;
    double time[] = {0, 1, 2, 3, 7, 11};
    struct solution a = fixture_solve(f, "exact", 1e-8, 13, time, 6), b = fixture_solve(g, "exact", 1e-8, 13, time, 6);
    for (size_t l = 0; l < 13; l++) {
        assert_int_equal(a.status[l], l == 5 ? HL_SUBJECT_BAD_PARAMETERS : HL_SUBJECT_GOOD);
        for (size_t j = 0; j < 4; j++)
            for (size_t i = 0; i < 6; i++) {
                if (l == 5)
                    assert_true(isnan(at(&a, j, i, l)));
                else
                    assert_true(at(&a, j, i, l) == at(&b, j, i, l)); /* the same computation */
            }
    }
    solution_free(&a), solution_free(&b);
    fixture_free(f), fixture_free(g);
}

static void steady_state_is_where_doses_lead(void **state)
{
    (void)state;
    struct fixture *run = graph_for(0.7), *steady = graph_for(0.7);
    run->regimen.n_doses = steady->regimen.n_doses = 0;
    struct hl_dose cycle[] = {
        {.time = 0, .route = 0, .kind = HL_DOSE_GIVEN, .amount = 1.37, .repeat_interval = 8},
        {.time = 5, .route = 2, .kind = HL_DOSE_INFUSION, .rate = 0.211, .duration = 4.5},
        {.time = 3, .route = 0, .kind = HL_DOSE_GIVEN, .amount = 0.4, .repeat_interval = 8},
    };
    struct hl_steady regimen = {.instance = 0, .time = 0, .period = 8, .n = 3, .dose = cycle};
    steady->regimen.n_steady = 1;
    steady->regimen.steady = &regimen;
    for (int n = -400; n < 0; n++)
        for (size_t k = 0; k < 3; k++) {
            struct hl_dose dose = cycle[k];
            dose.time += 8.0 * n;
            fixture_dose(run, dose);
        }
    double time[50];
    for (size_t i = 0; i < 50; i++)
        time[i] = 0.31 * (double)i;
    struct solution a = fixture_solve(run, "exact", 1e-8, 64, time, 50), b = fixture_solve(steady, "exact", 1e-8, 64, time, 50);
    for (size_t l = 0; l < 64; l++) {
        assert_int_equal(b.status[l], HL_SUBJECT_GOOD);
        for (size_t j = 0; j < 4; j++)
            for (size_t i = 0; i < 50; i++)
                assert_near("steady state", at(&b, j, i, l), at(&a, j, i, l), 1e-11 * 30);
    }
    regimen.time = 17.3; /* the grid begins within a cycle, and sees the last cycles of the regimen */
    struct fixture *shifted = graph_for(0.7);
    shifted->regimen.n_doses = 0;
    for (int n = -400; n < 0; n++)
        for (size_t k = 0; k < 3; k++) {
            struct hl_dose dose = cycle[k];
            dose.time += 8.0 * n + 17.3;
            fixture_dose(shifted, dose);
        }
    struct solution c = fixture_solve(shifted, "exact", 1e-8, 64, time, 50), d = fixture_solve(steady, "exact", 1e-8, 64, time, 50);
    for (size_t l = 0; l < 64; l++)
        for (size_t j = 0; j < 4; j++)
            for (size_t i = 0; i < 50; i++)
                assert_near("steady state, later", at(&d, j, i, l), at(&c, j, i, l), 1e-11 * 30);
    solution_free(&a), solution_free(&b), solution_free(&c), solution_free(&d);
    fixture_free(run), fixture_free(steady), fixture_free(shifted);
}

static void no_steady_state_without_elimination(void **state)
{
    (void)state;
    double k[] = {0.3, 0, 0.2}, minus[] = {-0.3, -0.0, -0.2};
    static const char *solver[] = {"exact", "gsl-rkf45"};
    for (size_t p = 0; p < 2; p++) {
        struct fixture *f = fixture_create(1, 1);
        fixture_flow_regs(f, 0, -1, fixture_values(f, k, 3), fixture_values(f, minus, 3));
        fixture_linear_rates(f, &f->system.rhs);
        struct hl_dose dose = {.route = 0, .kind = HL_DOSE_GIVEN, .amount = 3};
        struct hl_steady regimen = {.instance = 0, .time = 0, .period = 6, .n = 1, .dose = &dose};
        f->regimen.n_steady = 1;
        f->regimen.steady = &regimen;
        double time[] = {0, 1};
        struct solution s = fixture_solve(f, solver[p], 1e-8, 3, time, 2);
        assert_int_equal(s.status[0], HL_SUBJECT_GOOD);
        assert_int_equal(s.status[1], HL_SUBJECT_NO_STEADY_STATE);
        assert_int_equal(s.status[2], HL_SUBJECT_GOOD);
        assert_near("trough", at(&s, 0, 0, 0), 3 * exp(-1.8) / -expm1(-1.8), 1e-8);
        assert_true(isnan(at(&s, 0, 1, 1)));
        solution_free(&s);
        fixture_free(f);
    }
}

struct heard { size_t n, events; double end, area[4], worst; const struct solution *s; const double *time; };

static void hear_segment(void *context, const struct hl_segment *segment)
{
    struct heard *h = context;
    double y[4], slope[4], before[4], after[4], d = 1e-5 * (segment->t1 - segment->t0);
    double middle = 0.5 * (segment->t0 + segment->t1);
    assert_true(segment->t1 > segment->t0);
    if (h->n > 0)
        assert_true(segment->t0 == h->end); /* no gaps */
    h->end = segment->t1;
    h->n++;
    hl_segment_values(segment, middle, y, slope);
    hl_segment_values(segment, middle - d, before, NULL);
    hl_segment_values(segment, middle + d, after, NULL);
    for (size_t k = 0; k < 4; k++) {
        assert_near("slope", slope[k], (after[k] - before[k]) / (2 * d), 1e-6 * (1 + fabs(slope[k])));
        h->area[k] += hl_segment_integral(segment, k, segment->t0, middle)
                      + hl_segment_integral(segment, k, middle, segment->t1);
    }
    for (size_t i = 0; i < h->s->n_times; i++)
        if (h->time[i] >= segment->t0 && h->time[i] < segment->t1) {
            hl_segment_values(segment, h->time[i], y, NULL);
            for (size_t k = 0; k < 4; k++)
                h->worst = fmax(h->worst, fabs(y[k] - at(h->s, k, i, 0)));
        }
}

static void hear_event(void *context, size_t lane, const struct hl_event *event)
{
    (void)lane, (void)event;
    ((struct heard *)context)->events++;
}

/* Area under what is eliminated = what has been eliminated, whichever form a subject's solution takes. */
static void segments_cover_the_time(void **state)
{
    (void)state;
    struct fixture *f = graph_for(0.7);
    double time[60];
    for (size_t i = 0; i < 60; i++)
        time[i] = 0.7 * (double)i;
    for (size_t lane = 0; lane < 12; lane++) {
        struct solution plain = fixture_solve_from(f, "exact", 1e-8, lane, 1, time, 60, NULL);
        struct heard heard = {.s = &plain, .time = time};
        struct hl_listener listener = {.context = &heard, .segment = hear_segment, .event = hear_event, .wants_segments = true};
        struct solution s = fixture_solve_from(f, "exact", 1e-8, lane, 1, time, 60, &listener);
        assert_near("end", heard.end, time[59], 0);
        assert_near("values in segments", heard.worst, 0, EXACT * 20);
        double k_out = f->value[f->system.coef[f->system.n_coefs - 1].reg][lane], left = 0, in = 9 * 1.9 + 0.3 * 11.2;
        for (size_t k = 0; k < 4; k++)
            left += at(&s, k, 59, 0);
        assert_near("eliminated", -k_out * heard.area[1], in - left, EXACT * in);
        assert_true(heard.events >= 20);
        solution_free(&s), solution_free(&plain);
    }
    fixture_free(f);
}

static void plans_say_what_they_do(void **state)
{
    (void)state;
    struct fixture *f = graph_for(0.7);
    assert_true(hl_solver_exists("exact"));
    assert_true(hl_solver_exists("gsl-msbdf"));
    assert_false(hl_solver_exists("gsl-rk9"));
    assert_null(hl_plan_create(&f->system, &f->regimen, "gsl-rk8dp", 1e-8, f->diag));
    assert_null(hl_plan_create(&f->system, &f->regimen, "exact", 0, f->diag));
    assert_int_equal(hl_diag_count(f->diag, HL_ERROR), 2);
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    hl_plan_describe(plan, stream);
    fclose(stream);
    assert_string_equal(text, "drug: 4 linear states, exact (modal)\n");
    free(text);
    hl_plan_free(plan);
    fixture_free(f);
}

/* Clonazepam reference, section 1.3: 1.058 h and 37.835 h; the depot's ln2/1.7. */
static void half_lives_are_reported(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(3, 3);
    fixture_flow(f, 0, 1, 1.7);
    fixture_flow(f, 1, 2, 30.0 / 90);
    fixture_flow(f, 2, 1, 30.0 / 100);
    fixture_flow(f, 1, -1, 3.6 / 90);
    fixture_bolus(f, 0, 0, 1);
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    double half_life[8];
    size_t found;
    assert_int_equal(hl_plan_half_lives(plan, f->system.initial, 1, 0, 0, half_life, 8, &found), HL_OK);
    assert_int_equal(found, 3);
    assert_near("terminal", half_life[0], 37.835, 5e-4);
    assert_near("distribution", half_life[1], 1.058, 5e-4);
    assert_near("absorption", half_life[2], log(2) / 1.7, 1e-14);
    assert_int_equal(hl_plan_half_lives(plan, f->system.initial, 1, 0, 0, half_life, 1, &found), HL_OK);
    assert_int_equal(found, 1);
    hl_memory_fail_after(1);
    assert_int_equal(hl_plan_half_lives(plan, f->system.initial, 1, 0, 0, half_life, 1, &found), HL_ERR_MEMORY);
    hl_memory_fail_after(0);
    assert_int_equal(found, 0);
    hl_plan_free(plan);
    fixture_free(f);
}

/* What isn't fed isn't there: its parameters may even be nonsense. */
static void dead_states_cost_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(3, 3);
    fixture_flow(f, 0, 1, 0.7);
    fixture_flow(f, 2, 1, NAN);
    fixture_flow(f, 1, -1, 0.3);
    fixture_bolus(f, 0, 0, 1);
    double time[] = {0, 1, 2};
    struct solution s = fixture_solve(f, "exact", 1e-8, 1, time, 3);
    assert_int_equal(s.status[0], HL_SUBJECT_GOOD);
    assert_true(at(&s, 2, 2, 0) == 0);
    assert_near("fed", at(&s, 1, 2, 0), 0.7 / 0.4 * (exp(-0.6) - exp(-1.4)), 1e-15);
    solution_free(&s);
    fixture_free(f);
}

/* A baseline with constant production starts anywhere and tends to kin / kout. */
static void constant_input_and_start_values(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(2, 2);
    f->system.state[0].initial_reg = fixture_reg(f, HL_REG_INDIVIDUAL, 4.1);
    fixture_flow(f, 0, 1, 0.31);
    fixture_flow(f, 1, -1, 0.077);
    fixture_entry(f, 0, -1, fixture_reg(f, HL_REG_COEFFICIENT, 0.513));
    double time[] = {0, 0.7, 3.9, 40, 1000};
    struct solution s = fixture_solve(f, "exact", 1e-8, 1, time, 5);
    for (size_t i = 0; i < 5; i++) {
        double a = 0.513 / 0.31, b = (4.1 - a), t = time[i];
        assert_near("first", at(&s, 0, i, 0), a + b * exp(-0.31 * t), 1e-13);
        double c = 0.513 / 0.077, d = 0.31 * b / (0.077 - 0.31);
        assert_near("second", at(&s, 1, i, 0), c + d * exp(-0.31 * t) - (c + d) * exp(-0.077 * t), 1e-13);
    }
    solution_free(&s);
    fixture_free(f);
}

/* Whichever allocation fails, what was made before it is given back (leaks are the sanitizer's to find). */
static void solvers_survive_without_memory(void **state)
{
    (void)state;
    struct fixture *f = graph_for(0.7);
    struct hl_dose dose = {.route = 0, .kind = HL_DOSE_GIVEN, .amount = 1};
    struct hl_steady regimen = {.instance = 0, .time = 0, .period = 8, .n = 1, .dose = &dose};
    f->regimen.n_steady = 1;
    f->regimen.steady = &regimen;
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    size_t n = 0;
    struct hl_solver *solver = NULL;
    while (!solver) {
        hl_memory_fail_after(++n);
        solver = hl_solver_create(plan, 8);
        hl_memory_fail_after(0);
        assert_true(n < 1000);
    }
    assert_true(n > 50);
    hl_solver_free(solver);
    hl_plan_free(plan);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solvers_survive_without_memory),
        cmocka_unit_test(two_compartments_follow_the_closed_form),
        cmocka_unit_test(confluent_rates_need_no_perturbation),
        cmocka_unit_test(infusion_with_and_without_elimination),
        cmocka_unit_test(a_ring_turns),
        cmocka_unit_test(a_chain_is_erlang),
        cmocka_unit_test(stiff_rates_keep_their_digits),
        cmocka_unit_test(mass_is_kept),
        cmocka_unit_test(responses_add_up),
        cmocka_unit_test(lanes_are_alone),
        cmocka_unit_test(a_bad_subject_harms_nobody),
        cmocka_unit_test(steady_state_is_where_doses_lead),
        cmocka_unit_test(no_steady_state_without_elimination),
        cmocka_unit_test(segments_cover_the_time),
        cmocka_unit_test(plans_say_what_they_do),
        cmocka_unit_test(half_lives_are_reported),
        cmocka_unit_test(dead_states_cost_nothing),
        cmocka_unit_test(constant_input_and_start_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
