/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outputs told stretch by stretch while states are integrated: the curve is the one that output times are read off;
 * stretches follow each other and end at edges; areas, bounds, monotone pieces and crossings of polynomials; powers
 * that begin at 0; choices; subjects of which nothing can be told; nobody's bits change because someone listens. */
#include "solve/batch.h"
#include "solve/stretch.h"

#define SUBJECTS 21
#include "unit/batch_fixture.h"

#define OUTPUTS 5
#define TIMES 301

enum { GUT, BODY, SITE, T, A, N };

static void show(struct fixture *f, size_t output, int reg)
{
    f->system.output[output].reg = reg;
    f->system.output[output].linear = false;
}

/* Exact absorption and elimination; effect site, tolerance and adaptation integrated, with rates that change their
 * form. Outputs: level, effect (a power of its own from 0 on), withdrawal (0 most of the time), probability, and a
 * kink. */
static struct fixture *patient(void)
{
    struct fixture *f = fixture_create(N, 2);
    struct hl_system *s = &f->system;
    struct hl_program *p = &s->rhs_integrated, *o = &s->outputs;
    fixture_flow(f, GUT, BODY, 1.31);
    int k = spread(f, 0.11, 0.5), out = spread(f, 0.11, 0.5);
    for (size_t l = 0; l < SUBJECTS; l++)
        f->value[out][l] = -f->value[k][l];
    fixture_entry(f, BODY, BODY, out);
    int V = spread(f, 1.7, 0.3), C = code(f, p, HL_OP_DIV, s->state[BODY].reg, V, -1);
    int gap = code(f, p, HL_OP_SUB, C, s->state[SITE].reg, -1);
    fixture_code(f, p, HL_OP_MUL, s->state[SITE].derivative_reg, number(f, 0.9), gap, -1);
    gap = code(f, p, HL_OP_SUB, s->state[SITE].reg, s->state[T].reg, -1);
    int above = code(f, p, HL_OP_GT, s->state[SITE].reg, s->state[T].reg, -1);
    int speed = code(f, p, HL_OP_SELECT, above, number(f, 0.05), number(f, 0.013));
    fixture_code(f, p, HL_OP_MUL, s->state[T].derivative_reg, speed, gap, -1);
    int u = code(f, p, HL_OP_DIV, s->state[SITE].reg,
                 code(f, p, HL_OP_ADD, s->state[SITE].reg, number(f, 0.4), -1), -1);
    fixture_code(f, p, HL_OP_MUL, s->state[A].derivative_reg, number(f, 0.03),
                 code(f, p, HL_OP_SUB, u, s->state[A].reg, -1), -1);
    int level = code(f, o, HL_OP_DIV, s->state[BODY].reg, V, -1);
    int K = code(f, o, HL_OP_ADD, number(f, 0.3), s->state[T].reg, -1);
    int effect = code(f, o, HL_OP_HILL, s->state[SITE].reg, K, spread(f, 2.1, 0.4));
    int sum = code(f, o, HL_OP_ADD, s->state[SITE].reg, number(f, 0.4), -1);
    int v = code(f, o, HL_OP_DIV, s->state[SITE].reg, sum, -1);
    int missing = code(f, o, HL_OP_MAX, f->zero, code(f, o, HL_OP_SUB, s->state[A].reg, v, -1), -1);
    int withdrawal = code(f, o, HL_OP_DIV, missing, code(f, o, HL_OP_ADD, missing, number(f, 0.1), -1), -1);
    int chance = code(f, o, HL_OP_PHI, code(f, o, HL_OP_SUB, s->state[SITE].reg, f->one, -1), -1, -1);
    int off = code(f, o, HL_OP_ABS, code(f, o, HL_OP_SUB, s->state[SITE].reg, number(f, 0.3), -1), -1, -1);
    int kink = code(f, o, HL_OP_MIN, off, number(f, 0.2), -1);
    int reg[OUTPUTS] = {level, effect, withdrawal, chance, kink};
    for (size_t i = 0; i < OUTPUTS; i++)
        show(f, i, reg[i]);
    for (int d = 0; d < 6; d++)
        fixture_bolus(f, 11.3 * d + 0.2 * (d > 0), GUT, 1.1 + 0.7 * d * (5 - d) / 6);
    fixture_infusion(f, 30, BODY, 0.117, 7.39);
    return f;
}

/* What is heard. */
struct ear {
    const double *time;
    double end[SUBJECTS + 8];        /* of the lane's last stretch */
    double *value;                   /* [output][time][lane], at output times */
    double area[OUTPUTS][SUBJECTS + 8], least[OUTPUTS][SUBJECTS + 8], largest[OUTPUTS][SUBJECTS + 8];
    bool untold[SUBJECTS + 8];
    size_t n_stretches;
    double edge[3];
};

static void note_values(struct ear *ear, const struct hl_stretch *stretch, size_t k, size_t l)
{
    double s[HL_LANES] __attribute__((aligned(64))) = {0}, y[HL_LANES] __attribute__((aligned(64)));
    for (size_t i = 0; i < TIMES; i++)
        if (ear->time[i] >= stretch->t0[l] && ear->time[i] < stretch->t1[l]) {
            s[l] = ear->time[i] - stretch->t0[l];
            stretch->kind->values(stretch, k, s, y);
            ear->value[((size_t)stretch->output[k] * TIMES + i) * (SUBJECTS + 8) + stretch->first + l] = y[l];
        }
}

/* Area by Gauss and Legendre (five points on eighths), bounds and pieces against values. */
static void check_curve(struct ear *ear, const struct hl_stretch *stretch, size_t k)
{
    static const double x[5] = {-0.90617984593866399280, -0.53846931010568309104, 0, 0.53846931010568309104,
                                0.90617984593866399280};
    static const double w[5] = {0.23692688505618908751, 0.47862867049936646804, 0.56888888888888888889,
                                0.47862867049936646804, 0.23692688505618908751};
    typedef double row[HL_LANES] __attribute__((aligned(64)));
    row left, right, low, high, area, sum = {0}, s, y, wanted, at[HL_MOST_TURNS + 2], turn[HL_MOST_TURNS + 2];
    const struct hl_stretch_kind *kind = stretch->kind;
    size_t o = (size_t)stretch->output[k];
    kind->ends(stretch, k, left, right);
    kind->bounds(stretch, k, low, high);
    kind->area(stretch, k, stretch->length, area);
    for (size_t l = 0; l < HL_LANES; l++)
        wanted[l] = stretch->length[l] > 0 ? 1 : 0;
    size_t n = kind->pieces(stretch, k, wanted, at[0], turn[0]);
    assert_true(n >= 1 && n <= HL_MOST_TURNS + 1);
    for (size_t part = 0; part < 8; part++)
        for (size_t q = 0; q < 5; q++) {
            for (size_t l = 0; l < HL_LANES; l++)
                s[l] = stretch->length[l] * ((double)part + 0.5 + 0.5 * x[q]) / 8;
            kind->values(stretch, k, s, y);
            for (size_t l = 0; l < HL_LANES; l++) {
                sum[l] += w[q] * y[l] * stretch->length[l] / 16;
                assert_true(y[l] >= low[l] && y[l] <= high[l]);
                size_t p = 0;
                while (p + 1 < n && s[l] > at[p + 1][l])
                    p++;
                double a = fmin(turn[p][l], turn[p + 1][l]), b = fmax(turn[p][l], turn[p + 1][l]);
                double rounding = 1e-13 * fmax(fabs(low[l]), fabs(high[l]));
                if (wanted[l] != 0)
                    assert_true(y[l] >= a - rounding && y[l] <= b + rounding);
            }
        }
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t lane = stretch->first + l;
        assert_true(isfinite(left[l]) && isfinite(right[l]) && isfinite(area[l]));
        assert_near("area", area[l], sum[l], 1e-11 * fmax(fabs(low[l]), fabs(high[l])) * stretch->length[l] + 1e-300);
        if (wanted[l] == 0)
            continue;
        ear->area[o][lane] += area[l];
        ear->least[o][lane] = fmin(ear->least[o][lane], low[l]);
        ear->largest[o][lane] = fmax(ear->largest[o][lane], high[l]);
    }
    for (size_t p = 0; p < n; p++) { /* a level in the middle of every piece */
        row level, place;
        for (size_t l = 0; l < HL_LANES; l++) {
            level[l] = 0.5 * (turn[p][l] + turn[p + 1][l]);
            place[l] = NAN;
            wanted[l] = stretch->length[l] > 0 && turn[p][l] != turn[p + 1][l] ? 1 : 0;
        }
        kind->crossing(stretch, k, level, at[p], at[p + 1], turn[p], turn[p + 1], wanted, place);
        for (size_t l = 0; l < HL_LANES; l++)
            s[l] = wanted[l] != 0 ? place[l] : 0;
        kind->values(stretch, k, s, y);
        for (size_t l = 0; l < HL_LANES; l++)
            if (wanted[l] != 0) {
                assert_true(s[l] >= at[p][l] && s[l] <= at[p + 1][l]);
                assert_near("level", y[l], level[l], 1e-13 * fmax(fabs(low[l]), fabs(high[l])));
            }
    }
}

static void hear(void *context, const struct hl_stretch *stretch)
{
    struct ear *ear = context;
    ear->n_stretches++;
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t lane = stretch->first + l;
        if (!(stretch->length[l] > 0))
            continue;
        assert_true(lane < SUBJECTS && !ear->untold[lane]);
        assert_true(stretch->t0[l] == ear->end[lane]); /* the very number */
        assert_near("length", stretch->t1[l] - stretch->t0[l], stretch->length[l], 1e-13 * stretch->t1[l]);
        for (size_t e = 0; e < 3; e++)
            assert_false(stretch->t0[l] < ear->edge[e] && stretch->t1[l] > ear->edge[e]);
        ear->end[lane] = stretch->t1[l];
        for (size_t k = 0; k < stretch->n_outputs; k++)
            note_values(ear, stretch, k, l);
    }
    for (size_t k = 0; k < stretch->n_outputs; k++)
        check_curve(ear, stretch, k);
}

static void forget(void *context, size_t lane)
{
    ((struct ear *)context)->untold[lane] = true;
}

static void hear_nothing(void *context, const struct hl_segment *segment)
{
    (void)context, (void)segment;
}

static struct ear *new_ear(const double *time)
{
    struct ear *ear = hl_alloc(1, sizeof *ear);
    ear->time = time;
    ear->value = hl_alloc(OUTPUTS * TIMES * (SUBJECTS + 8), sizeof *ear->value);
    for (size_t l = 0; l < SUBJECTS + 8; l++)
        for (size_t k = 0; k < OUTPUTS; k++) {
            ear->least[k][l] = INFINITY;
            ear->largest[k][l] = -INFINITY;
        }
    ear->edge[0] = 0.25 * 71; /* an output time */
    ear->edge[1] = 22.8;      /* a dose: 11.3 * 2 + 0.2 */
    ear->edge[2] = 41.713;
    return ear;
}

static void free_ear(struct ear *ear)
{
    hl_free(ear->value);
    hl_free(ear);
}

static struct hl_listener listener_for(struct ear *ear, const int *told, size_t n)
{
    return (struct hl_listener){.context = ear, .segment = hear_nothing, .stretch = hear, .n_edges = 3,
                                .edge = ear->edge, .n_told = n, .told = told, .untold = forget};
}

static void the_curve_that_is_shown(void **state)
{
    (void)state;
    static const int told[OUTPUTS] = {0, 1, 2, 3, 4};
    struct fixture *f = patient();
    double *time = even_times(TIMES, 0.25);
    struct ear *ear = new_ear(time);
    struct hl_listener listener = listener_for(ear, told, OUTPUTS);
    struct solution heard = fixture_solve_from(f, "exact", 1e-6, 0, SUBJECTS, time, TIMES, &listener);
    struct solution silent = fixture_solve(f, "exact", 1e-6, SUBJECTS, time, TIMES);
    assert_true(ear->n_stretches > 0);
    print_message("%zu stretches\n", ear->n_stretches);
    for (size_t l = 0; l < SUBJECTS; l++) {
        assert_false(ear->untold[l]);
        assert_true(ear->end[l] == time[TIMES - 1]);
        for (size_t o = 0; o < OUTPUTS; o++) {
            double sum = 0, most = 0;
            for (size_t k = 0; k < TIMES; k++) {
                double y = at(&heard, o, k, l), z = at(&silent, o, k, l);
                assert_memory_equal(&y, &z, sizeof y);
                double told_y = ear->value[(o * TIMES + k) * (SUBJECTS + 8) + l];
                if (k + 1 < TIMES)
                    assert_near("told", told_y, y, 1e-9 * fmax(fabs(y), 1e-4));
                sum += y * (k == 0 || k + 1 == TIMES ? 0.125 : 0.25);
                most = fmax(most, y);
                assert_true(y >= ear->least[o][l] - 1e-9 && y <= ear->largest[o][l] + 1e-9);
            }
            assert_near("area", ear->area[o][l], sum, 0.01 * sum + 1e-3); /* the trapezoids are coarse */
            assert_true(ear->largest[o][l] < 1.3 * most + 0.01);
        }
    }
    solution_free(&heard), solution_free(&silent);
    free_ear(ear);
    hl_free(time);
    fixture_free(f);
}

/* One output at a time, and two in another order: each says the same. */
static void who_else_is_told_does_not_matter(void **state)
{
    (void)state;
    static const int some[] = {3, 1};
    struct fixture *f = patient();
    double *time = even_times(TIMES, 0.25);
    struct ear *both = new_ear(time), *one = new_ear(time);
    struct hl_listener listener = listener_for(both, some, 2), alone = listener_for(one, some + 1, 1);
    struct solution a = fixture_solve_from(f, "exact", 1e-6, 0, SUBJECTS, time, TIMES, &listener);
    struct solution b = fixture_solve_from(f, "exact", 1e-6, 0, SUBJECTS, time, TIMES, &alone);
    for (size_t l = 0; l < SUBJECTS; l++)
        for (size_t k = 0; k + 1 < TIMES; k++) {
            size_t i = (TIMES + k) * (SUBJECTS + 8) + l;
            assert_near("effect", both->value[i], one->value[i], 1e-9 * fmax(fabs(one->value[i]), 1e-4));
        }
    solution_free(&a), solution_free(&b);
    free_ear(both), free_ear(one);
    hl_free(time);
    fixture_free(f);
}

/* What is told of a subject, bit for bit, in a block of all and in others. */
static void neighbours_do_not_matter(void **state)
{
    (void)state;
    static const int told[] = {1, 2, 4};
    struct fixture *f = patient();
    double *time = even_times(TIMES, 0.25);
    struct ear *all = new_ear(time);
    struct hl_listener listener = listener_for(all, told, 3);
    struct solution s = fixture_solve_from(f, "exact", 1e-6, 0, SUBJECTS, time, TIMES, &listener);
    solution_free(&s);
    for (size_t first = 0; first < SUBJECTS; first += 3) {
        size_t n = first % 2 ? 1 : SUBJECTS - first < 10 ? SUBJECTS - first : 10;
        struct ear *some = new_ear(time);
        struct hl_listener other = listener_for(some, told, 3);
        s = fixture_solve_from(f, "exact", 1e-6, first, n, time, TIMES, &other);
        for (size_t l = 0; l < n; l++)
            for (size_t o = 0; o < 3; o++) {
                size_t k = (size_t)told[o];
                assert_memory_equal(&some->area[k][l], &all->area[k][first + l], sizeof(double));
                assert_memory_equal(&some->largest[k][l], &all->largest[k][first + l], sizeof(double));
                assert_memory_equal(&some->least[k][l], &all->least[k][first + l], sizeof(double));
            }
        solution_free(&s);
        free_ear(some);
    }
    free_ear(all);
    hl_free(time);
    fixture_free(f);
}

/* An output without a series in some subjects (the logarithm of a negative number): they are untold, others aren't.
 * Outputs with operations that have none at all are refused. */
static void some_cannot_be_told(void **state)
{
    (void)state;
    static const int told[] = {0, 1};
    struct fixture *f = patient();
    double shift[SUBJECTS];
    for (size_t l = 0; l < SUBJECTS; l++)
        shift[l] = l % 4 == 2 ? -0.1 : 0.5;
    struct hl_program *o = &f->system.outputs;
    int level = code(f, o, HL_OP_ADD, f->system.state[SITE].reg, fixture_values(f, shift, SUBJECTS), -1);
    show(f, 1, code(f, o, HL_OP_LOG, level, -1, -1));
    show(f, 2, code(f, o, HL_OP_LGAMMA, level, -1, -1));
    double *time = even_times(TIMES, 0.25);
    struct ear *ear = new_ear(time);
    struct hl_listener listener = listener_for(ear, told, 2);
    struct solution s = fixture_solve_from(f, "exact", 1e-6, 0, SUBJECTS, time, TIMES, &listener);
    for (size_t l = 0; l < SUBJECTS; l++) {
        assert_int_equal(s.status[l], HL_SUBJECT_GOOD);
        assert_int_equal(ear->untold[l], l % 4 == 2);
        assert_int_equal(ear->end[l] == time[TIMES - 1], l % 4 != 2);
    }
    solution_free(&s);
    free_ear(ear);
    enum hl_status status;
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-6, f->diag);
    assert_true(hl_batch_tells(plan, 0, &status));
    assert_true(hl_batch_tells(plan, 1, &status));
    assert_false(hl_batch_tells(plan, 2, &status));
    assert_int_equal(status, HL_OK);
    hl_plan_free(plan);
    hl_free(time);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_curve_that_is_shown),
        cmocka_unit_test(who_else_is_told_does_not_matter),
        cmocka_unit_test(neighbours_do_not_matter),
        cmocka_unit_test(some_cannot_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
