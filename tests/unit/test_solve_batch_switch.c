/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates that change their form, eight subjects at a time: closed forms with switches at given times, at doses and
 * output times, repeated, grazing, never; nested conditions, min, max and abs against the scalar path at a tight
 * tolerance; sliding is solved alone; a subject's bits whatever its neighbours; the search for the first change of a
 * polynomial against known roots. */
#include "solve/batch.h"
#include "solve/batch_switch.h"

#define SUBJECTS 19
#include "unit/batch_fixture.h"

#define PI 3.14159265358979323846

static int rhs(struct fixture *f, int kind, int a, int b, int c)
{
    return code(f, &f->system.rhs_integrated, kind, a, b, c);
}

static void rate(struct fixture *f, size_t state, int reg)
{
    fixture_code(f, &f->system.rhs_integrated, HL_OP_COPY, f->system.state[state].derivative_reg, reg, -1, -1);
}

static int x(const struct fixture *f, size_t state)
{
    return f->system.state[state].reg;
}

static struct solution solve_alone(struct fixture *f, double tolerance, size_t n, const double *time, size_t n_times)
{
    fixture_lane_by_lane = true;
    struct solution s = fixture_solve(f, "exact", tolerance, n, time, n_times);
    fixture_lane_by_lane = false;
    return s;
}

static bool is_batched(struct fixture *f)
{
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    struct hl_batch *batch;
    assert_non_null(plan);
    assert_int_equal(hl_batch_create(plan, &batch), HL_OK);
    bool made = batch != NULL;
    hl_batch_free(batch);
    hl_plan_free(plan);
    return made;
}

/* No subject has the bits of the scalar path: none was handed to it. */
static void assert_none_alone(struct fixture *f, const struct solution *s, double tolerance, const double *time)
{
    struct solution alone = solve_alone(f, tolerance, SUBJECTS, time, s->n_times);
    for (size_t l = 0; l < SUBJECTS; l++) {
        size_t equal = 0, n = f->system.n_states * s->n_times;
        for (size_t i = 0; i < f->system.n_states; i++)
            for (size_t k = 0; k < s->n_times; k++)
                equal += at(s, i, k, l) == at(&alone, i, k, l);
        assert_true(equal < n);
    }
    solution_free(&alone);
}

/* y' = if(t > c, -0.7, 1.3) - 0.1 y, and the same with >=, <, <= and step. Each subject has its c: before the start, at
 * it, on output times and doses, between them, at the end and after it. */
static void switches_at_times(void **state)
{
    (void)state;
    double c[SUBJECTS] = {-1, 0, 1e-13, 0.5, 2.5, 2.5000000001, 3.1, 7.31, 9.999999, 10, 11, 1e-7, 6, 7, 4.25, 0.25,
                          8.5, 5e-324, 1e300};
    double *time = even_times(41, 0.25);
    for (int form = 0; form < 5; form++) {
        static const int op[] = {HL_OP_GT, HL_OP_GE, HL_OP_LT, HL_OP_LE};
        struct fixture *f = fixture_create(1, 0);
        int limit = fixture_values(f, c, SUBJECTS), t = f->system.time_reg, late, up = number(f, 1.3);
        int down = number(f, -0.7);
        if (form < 4)
            late = rhs(f, op[form], t, limit, -1);
        else
            late = rhs(f, HL_OP_STEP, rhs(f, HL_OP_SUB, t, limit, -1), -1, -1);
        bool until = form == 2 || form == 3;
        int choice = rhs(f, HL_OP_SELECT, late, until ? up : down, until ? down : up);
        rate(f, 0, rhs(f, HL_OP_SUB, choice, rhs(f, HL_OP_MUL, number(f, 0.1), x(f, 0), -1), -1));
        for (int d = 0; d < 4; d++)
            fixture_bolus(f, 2.5 * d, 0, 0.5 + d);
        assert_true(is_batched(f));
        struct solution s = fixture_solve(f, "exact", 1e-9, SUBJECTS, time, 41);
        for (size_t l = 0; l < SUBJECTS; l++)
            for (size_t k = 0; k < 41; k++) {
                double y = 0, turn = fmax(0, fmin(c[l], time[k])), rest = time[k] - turn;
                y = 13 * (1 - exp(-0.1 * turn)) * exp(-0.1 * rest) - 7 * (1 - exp(-0.1 * rest));
                for (int d = 0; d < 4 && 2.5 * d <= time[k]; d++)
                    y += (0.5 + d) * exp(-0.1 * (time[k] - 2.5 * d));
                assert_near("by time", at(&s, 0, k, l), y, 1e-9);
            }
        assert_none_alone(f, &s, 1e-9, time);
        solution_free(&s);
        fixture_free(f);
    }
    hl_free(time);
}

/* x' = v, v' = -if(x > 0, a, b) x: half a turn takes pi/sqrt(a), the next pi/sqrt(b). Some forty turns. */
static void repeated_within_steps(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(2, 0);
    double a[SUBJECTS], b[SUBJECTS];
    for (size_t l = 0; l < SUBJECTS; l++) {
        a[l] = 1 + 0.37 * (double)l;
        b[l] = 9.7 / (1 + (double)l);
    }
    int right = rhs(f, HL_OP_GT, x(f, 0), f->zero, -1);
    int k = rhs(f, HL_OP_SELECT, right, fixture_values(f, a, SUBJECTS), fixture_values(f, b, SUBJECTS));
    rate(f, 0, x(f, 1));
    rate(f, 1, rhs(f, HL_OP_NEG, rhs(f, HL_OP_MUL, k, x(f, 0), -1), -1, -1));
    f->system.state[1].initial_reg = number(f, 1.7);
    assert_true(is_batched(f));
    size_t n = 173;
    double *time = even_times(n, 0.3137);
    struct solution s = fixture_solve(f, "exact", 1e-11, SUBJECTS, time, n);
    for (size_t l = 0; l < SUBJECTS; l++) {
        double w = sqrt(a[l]), u = sqrt(b[l]), period = PI / w + PI / u;
        assert_int_equal(s.status[l], HL_SUBJECT_GOOD);
        for (size_t m = 0; m < n; m++) {
            double phase = fmod(time[m], period);
            double y = phase < PI / w ? 1.7 / w * sin(w * phase) : -1.7 / u * sin(u * (phase - PI / w));
            assert_near("oscillator", at(&s, 0, m, l), y, 2e-8);
        }
    }
    assert_none_alone(f, &s, 1e-11, time);
    solution_free(&s);
    hl_free(time);
    fixture_free(f);
}

/* An oscillator of amplitude A, and z' = if(x > 1, 1, 0): hours above 1, 2 acos(1/A) a turn; nothing up to A = 1, where
 * the curve grazes. */
static void grazing(void **state)
{
    (void)state;
    double A[SUBJECTS] = {0.3, 0.999, 1 - 1e-7, 1 - 1e-9, 1, 1 + 1e-10, 1 + 1e-8, 1 + 1e-6, 1.0001, 1.01, 1.1, 1.5, 2,
                          5, 1.7, 0.9, 0.1, 1.001, 3};
    struct fixture *f = fixture_create(3, 0);
    rate(f, 0, x(f, 1));
    rate(f, 1, rhs(f, HL_OP_NEG, x(f, 0), -1, -1));
    rate(f, 2, rhs(f, HL_OP_SELECT, rhs(f, HL_OP_GT, x(f, 0), f->one, -1), f->one, f->zero));
    f->system.state[1].initial_reg = fixture_values(f, A, SUBJECTS);
    assert_true(is_batched(f));
    double time[] = {0, PI, 2 * PI, 5 * PI, 20 * PI};
    struct solution s = fixture_solve(f, "exact", 1e-12, SUBJECTS, time, 5);
    for (size_t l = 0; l < SUBJECTS; l++) {
        double above = A[l] > 1 ? 2 * acos(1 / A[l]) : 0, turns[] = {0, 1, 1, 3, 10};
        assert_int_equal(s.status[l], HL_SUBJECT_GOOD);
        for (size_t k = 0; k < 5; k++) /* near A = 1 the time above hangs on the square root of the error of A */
            assert_near("grazing", at(&s, 2, k, l), turns[k] * above,
                        turns[k] * fmin(1e-5, 1e-10 / (above + 1e-99)) + 1e-10);
    }
    solution_free(&s);
    fixture_free(f);
}

/* A dose enters a switched absorption; tolerance and adaptation as in the library; min, max, abs; nested if with and,
 * or, not; a choice between powers. */
static struct fixture *many_switches(void)
{
    enum { GUT, BODY, SITE, T, A, Z, R };
    struct fixture *f = fixture_create(7, 2);
    double k[SUBJECTS], gamma[SUBJECTS], start[SUBJECTS];
    for (size_t l = 0; l < SUBJECTS; l++) {
        k[l] = 0.11 * (1 + 0.5 * sin(7.7 * (double)l));
        gamma[l] = 1.2 + 0.1 * (double)l;
        start[l] = 0.3 + 0.05 * (double)(l % 5);
    }
    fixture_flow(f, GUT, BODY, 1.31);
    int out = fixture_reg(f, HL_REG_COEFFICIENT, 0);
    f->value[out] = hl_arena_alloc(f->arena, SUBJECTS, sizeof(double));
    for (size_t l = 0; l < SUBJECTS; l++)
        f->value[out][l] = -k[l];
    fixture_entry(f, BODY, BODY, out);
    int c = rhs(f, HL_OP_DIV, x(f, BODY), number(f, 1.7), -1), up = fixture_values(f, k, SUBJECTS);
    rate(f, SITE, rhs(f, HL_OP_MUL, number(f, 0.9), rhs(f, HL_OP_SUB, c, x(f, SITE), -1), -1));
    int above = rhs(f, HL_OP_GT, x(f, SITE), x(f, T), -1);
    int speed = rhs(f, HL_OP_SELECT, above, up, number(f, 0.013));
    rate(f, T, rhs(f, HL_OP_MUL, speed, rhs(f, HL_OP_SUB, x(f, SITE), x(f, T), -1), -1));
    int u = rhs(f, HL_OP_DIV, x(f, SITE), rhs(f, HL_OP_ADD, x(f, SITE), number(f, 0.4), -1), -1);
    int fast = rhs(f, HL_OP_LE, x(f, A), u, -1), day = rhs(f, HL_OP_LT, f->system.time_reg, number(f, 31.7), -1);
    int either = rhs(f, HL_OP_OR, rhs(f, HL_OP_AND, fast, day, -1), rhs(f, HL_OP_NOT, above, -1, -1), -1);
    int nested = rhs(f, HL_OP_SELECT, either, number(f, 0.21), rhs(f, HL_OP_SELECT, day, up, number(f, 0.05)));
    rate(f, A, rhs(f, HL_OP_MUL, nested, rhs(f, HL_OP_SUB, u, x(f, A), -1), -1));
    int gap = rhs(f, HL_OP_ABS, rhs(f, HL_OP_SUB, x(f, T), x(f, SITE), -1), -1, -1);
    int least = rhs(f, HL_OP_MIN, gap, number(f, 0.37), -1), most = rhs(f, HL_OP_MAX, least, x(f, A), -1);
    rate(f, Z, rhs(f, HL_OP_SUB, most, rhs(f, HL_OP_MUL, number(f, 0.3), x(f, Z), -1), -1));
    int level = rhs(f, HL_OP_ADD, x(f, SITE), number(f, 0.1), -1);
    int steep = rhs(f, HL_OP_POW, level, fixture_values(f, gamma, SUBJECTS), -1);
    int choice = rhs(f, HL_OP_SELECT, rhs(f, HL_OP_GE, level, number(f, 0.5), -1), steep,
                      rhs(f, HL_OP_SQRT, level, -1, -1));
    rate(f, R, rhs(f, HL_OP_SUB, choice, rhs(f, HL_OP_MUL, up, x(f, R), -1), -1));
    f->system.state[SITE].initial_reg = f->system.state[T].initial_reg = fixture_values(f, start, SUBJECTS);
    for (int d = 0; d < 7; d++)
        fixture_bolus(f, 11.3 * d + 0.2, GUT, 1.1 + 0.7 * d * (5 - d) / 6);
    fixture_bolus(f, 40.1, SITE, 0.313);
    fixture_bolus(f, 52.3, T, 0.711);
    return f;
}

static void agrees_with_one_at_a_time(void **state)
{
    (void)state;
    static const double tolerance[] = {1e-5, 1e-7, 1e-9};
    struct fixture *f = many_switches();
    size_t n = 201;
    double *time = even_times(n, 0.501);
    assert_true(is_batched(f));
    struct solution a = solve_alone(f, 1e-11, SUBJECTS, time, n);
    for (size_t p = 0; p < 3; p++) {
        struct solution b = fixture_solve(f, "exact", tolerance[p], SUBJECTS, time, n);
        double worst = 0;
        for (size_t l = 0; l < SUBJECTS; l++) {
            assert_int_equal(b.status[l], HL_SUBJECT_GOOD);
            for (size_t i = 0; i < 7; i++)
                for (size_t k = 0; k < n; k++)
                    worst = fmax(worst, fabs(at(&b, i, k, l) - at(&a, i, k, l)));
        }
        print_message("at %.0e: %.1e\n", tolerance[p], worst);
        assert_near("difference", worst, 0, 3 * tolerance[p] + 1e-10);
        if (p == 1)
            assert_none_alone(f, &b, tolerance[p], time);
        solution_free(&b);
    }
    solution_free(&a);
    hl_free(time);
    fixture_free(f);
}

static void neighbours_do_not_matter(void **state)
{
    (void)state;
    struct fixture *f = many_switches();
    size_t n = 61;
    double *time = even_times(n, 1.61);
    struct solution all = fixture_solve(f, "exact", 1e-6, SUBJECTS, time, n);
    for (size_t first = 0; first < SUBJECTS; first += first < 4 ? 1 : 5)
        for (size_t count = 1; first + count <= SUBJECTS; count += 4) {
            struct solution some = fixture_solve_from(f, "exact", 1e-6, first, count, time, n, NULL);
            for (size_t l = 0; l < count; l++)
                for (size_t i = 0; i < 7; i++)
                    for (size_t k = 0; k < n; k++) {
                        double y = at(&some, i, k, l), z = at(&all, i, k, first + l);
                        assert_memory_equal(&y, &z, sizeof y);
                    }
            solution_free(&some);
        }
    solution_free(&all);
    hl_free(time);
    fixture_free(f);
}

/* y' = if(y > 1, -2, 1) comes to 1 and stays there: no series leads on. Those subjects are solved alone (and stay
 * within what the stepper's error allows), their neighbours as ever. */
static void sliding_is_solved_alone(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(1, 0);
    double up[SUBJECTS];
    for (size_t l = 0; l < SUBJECTS; l++)
        up[l] = l == 4 ? 1 : 0.01;
    int over = rhs(f, HL_OP_GT, x(f, 0), f->one, -1);
    rate(f, 0, rhs(f, HL_OP_SELECT, over, number(f, -2), fixture_values(f, up, SUBJECTS)));
    assert_true(is_batched(f));
    double *time = even_times(5, 0.26);
    struct solution s = fixture_solve(f, "exact", 1e-3, SUBJECTS, time, 5);
    for (size_t l = 0; l < SUBJECTS; l++)
        for (size_t k = 0; k < 5; k++) {
            assert_int_equal(s.status[l], HL_SUBJECT_GOOD);
            assert_near("sliding", at(&s, 0, k, l), fmin(1, up[l] * time[k]), l == 4 ? 5e-3 : 1e-12);
        }
    solution_free(&s);
    hl_free(time);
    fixture_free(f);
}

/* A switch whose value isn't a number (log of a negative one) isn't guessed: such a subject is solved alone. */
static void unknown_sides_are_solved_alone(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(1, 0);
    double shift[SUBJECTS];
    for (size_t l = 0; l < SUBJECTS; l++)
        shift[l] = l % 2 ? 0.4 : -1;
    int level = rhs(f, HL_OP_SUB, x(f, 0), fixture_values(f, shift, SUBJECTS), -1);
    int far = rhs(f, HL_OP_GT, rhs(f, HL_OP_LOG, level, -1, -1), number(f, -1), -1);
    rate(f, 0, rhs(f, HL_OP_SELECT, far, f->one, number(f, 0.5)));
    double *time = even_times(9, 0.31);
    struct solution s = fixture_solve(f, "exact", 1e-9, SUBJECTS, time, 9);
    for (size_t l = 0; l < SUBJECTS; l++)
        for (size_t k = 0; k < 9; k++) { /* at e^-1 above the shift, when it is reached, the pace doubles */
            double turn = fmax(0, (shift[l] + exp(-1)) / 0.5), y = 0.5 * fmin(time[k], turn) + fmax(0, time[k] - turn);
            assert_near("log", at(&s, 0, k, l), y, 1e-6);
        }
    solution_free(&s);
    hl_free(time);
    fixture_free(f);
}

/* ---- The first change of a polynomial */

static size_t multiply(double *c, size_t n, double a, double b)
{
    c[n] = 0;
    for (size_t k = n + 1; k-- > 0;)
        c[k] = a * c[k] + (k > 0 ? b * c[k - 1] : 0);
    return n + 1;
}

static void first_roots_of_products(void **state)
{
    (void)state;
    const char *text = getenv("HL_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 20251122;
    print_message("HL_SEED=%llu\n", (unsigned long long)seed);
    srand48((long)seed);
    for (int round = 0; round < 3000; round++) {
        double c[32] = {1}, first = 2;
        size_t n = 1, factors = (size_t)(drand48() * 8);
        for (size_t k = 0; k < factors; k++) {
            double root = 3 * drand48() - 1;
            n = multiply(c, n, root < 0 ? -root : root, root < 0 ? 1 : -1);
            first = root > 0 && root < first ? root : first;
        }
        double found = hl_batch_first_negative(c, n < 4 ? 4 : n), y = 0, scale = 0;
        if (first > 1) {
            assert_true(found > 1);
            continue;
        }
        assert_true(found <= 1);
        for (size_t k = n; k-- > 0;) {
            y = y * found + c[k];
            scale += fabs(c[k]);
        }
        assert_near("root", y, 0, 1e-13 * scale);
        assert_true(found <= first + 1e-3 && found >= 0);
    }
}

static void first_changes_that_are_ugly(void **state)
{
    (void)state;
    double touching[] = {0.25, -1, 1, 0}, never[] = {1, 0, 0, 0}, at_end[] = {1, -1, 0, 0}, zero[] = {0, 0, 0, 0};
    double at_once[] = {0, -1, 0, 0}, below[] = {-1e-300, 1, 0, 0}, twice[] = {0.25 - 1e-12, -1, 1, 0};
    double infinite[] = {1, INFINITY, 0, 0};
    assert_true(hl_batch_first_negative(touching, 4) > 1);
    assert_true(hl_batch_first_negative(never, 4) > 1);
    assert_true(hl_batch_first_negative(at_end, 4) > 1);
    assert_true(hl_batch_first_negative(zero, 4) > 1);
    assert_near("at once", hl_batch_first_negative(at_once, 4), 0, 1e-15);
    assert_near("below", hl_batch_first_negative(below, 4), 0, 0);
    assert_near("twice", hl_batch_first_negative(twice, 4), 0.5 - 1e-6, 1e-9);
    assert_true(isnan(hl_batch_first_negative(infinite, 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(switches_at_times),
        cmocka_unit_test(repeated_within_steps),
        cmocka_unit_test(grazing),
        cmocka_unit_test(agrees_with_one_at_a_time),
        cmocka_unit_test(neighbours_do_not_matter),
        cmocka_unit_test(sliding_is_solved_alone),
        cmocka_unit_test(unknown_sides_are_solved_alone),
        cmocka_unit_test(first_roots_of_products),
        cmocka_unit_test(first_changes_that_are_ugly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
