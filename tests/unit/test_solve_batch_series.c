/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops of the batched integrator alone: Taylor series of random codes against the recurrences written down plainly
 * in extended precision; a lane's bits whatever the others are; values between, step lengths, output times. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "solve/batch_series.h"

#define R HL_BATCH_LANES
#define ORDER 15
#define ROWS (ORDER + 1)
#define MOST_SLOTS 24
#define MOST_TERMS 96
#define FILE_ROWS 12 /* rows 0 to 5: positive; 6 to 11: of either sign */
#define MOST_STATES 5

struct trial {
    struct hl_batch_code code;
    struct hl_batch_term term[MOST_TERMS];
    struct hl_batch_op op[MOST_SLOTS];
    struct hl_batch_rate rate[MOST_STATES];
    double file[FILE_ROWS * R] __attribute__((aligned(64))), inflow[MOST_STATES * R] __attribute__((aligned(64)));
    double series[MOST_SLOTS * ROWS * R] __attribute__((aligned(64)));
    double slow[R] __attribute__((aligned(64)));
    int read[MOST_SLOTS];
};

static uint64_t state;

static double uniform(void) /* 0 to 1 */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

static int below(int n)
{
    return (int)(uniform() * n);
}

static void start(const char *name)
{
    const char *text = getenv("HL_SEED");
    state = text ? strtoull(text, NULL, 10) : 20261122u;
    printf("%s: HL_SEED=%llu\n", name, (unsigned long long)state);
}

/* ---- Random codes */

static struct hl_batch_sum random_sum(struct trial *t, int n_slots, bool positive)
{
    struct hl_batch_sum sum = {t->code.n_terms, (size_t)below(6), positive || below(2) ? below(6) : -1};
    bool taken[MOST_SLOTS] = {false};
    if (positive && sum.n == 0)
        sum.n = 1;
    for (size_t i = 0; i < sum.n; i++) {
        int slot = below(n_slots);
        if (taken[slot]) { /* a slot stands in a sum at most once */
            sum.n--, i--;
            continue;
        }
        taken[slot] = true;
        t->term[t->code.n_terms++] = (struct hl_batch_term){slot, below(4) ? 6 + below(6) : -1};
    }
    return sum;
}

static void add_op(struct trial *t, enum hl_batch_kind kind)
{
    int n = (int)t->code.n_slots;
    struct hl_batch_op *op = &t->op[t->code.n_ops++];
    *op = (struct hl_batch_op){.kind = kind, .dst = n, .a = below(n), .b = below(n), .coef = below(6)};
    t->code.n_slots++;
    if (kind == HL_BATCH_SUM)
        op->sum = random_sum(t, n, true);
    if (kind == HL_BATCH_QUOTIENT && below(3) == 0)
        op->a = -1;
}

/* Any operations on any slots: lanes in which a logarithm or a quotient has no good value are left out later. */
static void random_code(struct trial *t)
{
    memset(t, 0, sizeof *t);
    int n_states = 1 + below(MOST_STATES);
    t->code = (struct hl_batch_code){.n_slots = (size_t)n_states, .n_rates = (size_t)n_states,
                                     .n_states = (size_t)n_states, .term = t->term, .op = t->op, .rate = t->rate};
    for (int n = below(9); n > 0; n--)
        add_op(t, (enum hl_batch_kind)below(HL_BATCH_PHI + 1));
    for (int i = 0; i < n_states; i++)
        t->rate[i] = (struct hl_batch_rate){i, random_sum(t, (int)t->code.n_slots, false), below(2) ? i : -1};
    for (size_t i = 0; i < t->code.n_slots; i++)
        t->read[i] = (int)i;
    for (size_t i = 0; i < FILE_ROWS * R; i++)
        t->file[i] = i < 6 * R ? 1 + uniform() : 0.4 * (uniform() - 0.5);
    for (size_t i = 0; i < MOST_STATES * R; i++)
        t->inflow[i] = uniform() - 0.5;
    for (size_t l = 0; l < R; l++)
        t->slow[l] = l % 3 ? uniform() : 0;
    for (int i = 0; i < n_states; i++)
        for (size_t l = 0; l < R; l++)
            t->series[(size_t)i * ROWS * R + l] = 0.5 + uniform();
}

static const struct hl_batch_schedule *schedule_of(struct trial *t, struct hl_arena *arena)
{
    struct hl_batch_place place = {ORDER, t->series, t->file, t->inflow, t->slow, t->code.n_slots, t->read};
    return hl_batch_schedule_make(&t->code, &place, arena);
}

/* ---- The same, plainly */

typedef long double series_of_slot[ROWS];

static long double plain_sum(const struct trial *t, const struct hl_batch_sum *sum, series_of_slot *c, size_t k,
                             size_t l)
{
    long double y = k == 0 && sum->constant >= 0 ? t->file[(size_t)sum->constant * R + l] : 0;
    for (size_t i = sum->first; i < sum->first + sum->n; i++)
        y += (t->term[i].coef < 0 ? 1.0L : t->file[(size_t)t->term[i].coef * R + l]) * c[t->term[i].slot][k];
    return y;
}

static long double plain_op(const struct trial *t, const struct hl_batch_op *op, series_of_slot *c, size_t k, size_t l)
{
    const long double *a = op->a < 0 ? NULL : c[op->a], *b = c[op->b], *y = c[op->dst];
    long double coef = t->file[(size_t)op->coef * R + l], sum = 0;
    switch (op->kind) {
    case HL_BATCH_SUM: return plain_sum(t, &op->sum, c, k, l);
    case HL_BATCH_PRODUCT:
        for (size_t j = 0; j <= k; j++)
            sum += a[j] * b[k - j];
        return sum;
    case HL_BATCH_QUOTIENT:
        for (size_t j = 1; j <= k; j++)
            sum += b[j] * y[k - j];
        return ((a ? a[k] : k == 0) - sum) / b[0];
    case HL_BATCH_EXP:
        for (size_t j = 1; j <= k; j++)
            sum += (long double)j * a[j] * y[k - j];
        return k == 0 ? expl(a[0]) : sum / (long double)k;
    case HL_BATCH_LOG:
        for (size_t j = 1; j < k; j++)
            sum += (long double)j * y[j] * a[k - j];
        return k == 0 ? logl(a[0]) : (a[k] - sum / (long double)k) / a[0];
    case HL_BATCH_POWER:
        for (size_t j = 0; j < k; j++)
            sum += (coef * (long double)(k - j) - (long double)j) * a[k - j] * y[j];
        return k == 0 ? powl(a[0], coef) : sum / ((long double)k * a[0]);
    case HL_BATCH_SELECT: return coef != 0 ? a[k] : b[k];
    case HL_BATCH_PHI: /* the recurrence, whatever stands in for the density */
        for (size_t j = 1; j <= k; j++)
            sum += (long double)j * a[j] * b[k - j];
        return k == 0 ? erfcl(-a[0] / sqrtl(2)) / 2 : sum / ((long double)k * sqrtl(2 * acosl(-1)));
    case HL_BATCH_GIVEN: break;
    }
    return 0;
}

static void plain_series(const struct trial *t, size_t l, series_of_slot *c)
{
    for (size_t i = 0; i < t->code.n_states; i++)
        c[i][0] = t->series[i * ROWS * R + l];
    for (size_t k = 0; k < ORDER; k++) {
        for (size_t i = 0; i < t->code.n_ops; i++)
            c[t->op[i].dst][k] = plain_op(t, &t->op[i], c, k, l);
        for (size_t i = 0; i < t->code.n_rates; i++) {
            const struct hl_batch_rate *rate = &t->rate[i];
            long double f = plain_sum(t, &rate->sum, c, k, l);
            f += k == 0 && rate->inflow >= 0 ? t->inflow[(size_t)rate->inflow * R + l] : 0;
            f += (long double)k * t->slow[l] * c[rate->slot][k];
            c[rate->slot][k + 1] = f / (long double)(k + 1);
        }
    }
}

/* Rounding errors grow with the order as coefficients may. */
static void agree(const struct trial *t, size_t slot, const long double *truth, size_t n, size_t l, double scale)
{
    for (size_t k = 0; k < n; k++) {
        double x = t->series[(slot * ROWS + k) * R + l], y = (double)truth[k];
        if (isfinite(y) && fabs(y) < 1e150 && !(fabs(x - y) <= 1e-9 * scale * pow(scale, (double)k)))
            fail_msg("slot %zu, coefficient %zu, lane %zu: %.17g instead of %.17g", slot, k, l, x, y);
    }
}

/* The geometric growth that bounds all coefficients of a lane, and what division makes of an error. */
static double growth(const struct trial *t, series_of_slot *c)
{
    double scale = 2;
    for (size_t i = 0; i < t->code.n_slots; i++)
        for (size_t k = 0; k < ORDER; k++)
            scale = fmax(scale, pow(fabs((double)c[i][k]), 1.0 / (double)(k + 1)));
    for (size_t i = 0; i < t->code.n_ops; i++) {
        const struct hl_batch_op *op = &t->op[i];
        const long double *below = op->kind == HL_BATCH_QUOTIENT ? c[op->b] : c[op->a < 0 ? 0 : op->a];
        bool divides = op->kind == HL_BATCH_QUOTIENT || op->kind == HL_BATCH_LOG || op->kind == HL_BATCH_POWER;
        for (size_t k = 1; divides && k < ORDER; k++)
            scale = fmax(scale, 2 * pow(fabs((double)(below[k] / below[0])), 1.0 / (double)k));
    }
    return scale;
}

static bool all_finite(series_of_slot *c, size_t n_slots)
{
    for (size_t i = 0; i < n_slots; i++)
        for (size_t k = 0; k < ORDER; k++)
            if (!isfinite(c[i][k]))
                return false;
    return true;
}

static void series_are_those_of_the_recurrences(void **unused)
{
    (void)unused;
    start("random codes");
    static struct trial t;
    static long double c[MOST_SLOTS][ROWS];
    size_t compared = 0;
    for (int n = 0; n < 400; n++) {
        struct hl_arena *arena = hl_arena_create();
        random_code(&t);
        hl_batch_series(schedule_of(&t, arena));
        for (size_t l = 0; l < R; l++) {
            memset(c, 0, sizeof c);
            plain_series(&t, l, c);
            double scale = growth(&t, c);
            if (!all_finite(c, t.code.n_slots) || scale > 20)
                continue;
            compared++;
            for (size_t i = 0; i < t.code.n_slots; i++)
                agree(&t, i, c[i], i < t.code.n_states ? ROWS : ORDER, l, scale);
        }
        hl_arena_free(arena);
    }
    assert_true(compared > 1000);
}

/* Compartments around one saturable flow: one to four states, in the order in which they come and in others. */
static void saturable_loops_are_those_of_the_recurrences(void **unused)
{
    (void)unused;
    start("saturable loops");
    static struct trial t;
    static long double c[MOST_SLOTS][ROWS];
    for (int n = 0; n < 100; n++) {
        struct hl_arena *arena = hl_arena_create();
        random_code(&t);
        t.code.n_terms = t.code.n_ops = 0;
        int n_states = (int)t.code.n_states, eliminated = below(n_states), sum = n_states, flow = n_states + 1;
        t.code.n_slots = (size_t)n_states + 2;
        t.op[t.code.n_ops++] = (struct hl_batch_op){.kind = HL_BATCH_SUM, .dst = sum,
                                                    .sum = {t.code.n_terms, 1, below(6)}};
        t.term[t.code.n_terms++] = (struct hl_batch_term){eliminated, below(3) ? below(6) : -1};
        t.op[t.code.n_ops++] = (struct hl_batch_op){.kind = HL_BATCH_QUOTIENT, .dst = flow, .b = sum,
                                                    .a = below(3) ? eliminated : below(2) ? below(n_states) : -1};
        for (int i = 0; i < n_states; i++) {
            t.rate[i].sum = (struct hl_batch_sum){t.code.n_terms, 0, below(3) ? -1 : below(6)};
            for (int k = 0; k <= n_states; k++) {
                if (below(4) == 0 && !(i == eliminated && k == n_states))
                    continue;
                t.term[t.code.n_terms++] = (struct hl_batch_term){k < n_states ? k : flow, 6 + below(6)};
                t.rate[i].sum.n++;
            }
        }
        hl_batch_series(schedule_of(&t, arena));
        for (size_t l = 0; l < R; l++) {
            memset(c, 0, sizeof c);
            plain_series(&t, l, c);
            for (size_t i = 0; i < (size_t)n_states; i++)
                agree(&t, i, c[i], ROWS, l, growth(&t, c));
        }
        hl_arena_free(arena);
    }
}

static void a_lane_has_its_bits_whatever_the_others_are(void **unused)
{
    (void)unused;
    start("lanes");
    static struct trial t, u;
    for (int n = 0; n < 50; n++) {
        struct hl_arena *arena = hl_arena_create();
        random_code(&t);
        uint64_t before = state;
        u = t;
        u.code.term = u.term, u.code.op = u.op, u.code.rate = u.rate;
        state = before;
        size_t l = (size_t)below(R), to = (size_t)below(R); /* u's lane `to` is t's lane l; all others differ */
        for (size_t i = 0; i < FILE_ROWS * R; i++)
            u.file[i] = i % R == to ? t.file[i - to + l] : 0.7 * t.file[i];
        for (size_t i = 0; i < MOST_STATES * R; i++)
            u.inflow[i] = i % R == to ? t.inflow[i - to + l] : NAN;
        for (size_t i = 0; i < R; i++)
            u.slow[i] = i == to ? t.slow[l] : 2 * t.slow[i];
        for (size_t i = 0; i < t.code.n_states * ROWS * R; i++)
            u.series[i] = i % R == to ? t.series[i - to + l] : 3 * t.series[i];
        hl_batch_series(schedule_of(&t, arena));
        hl_batch_series(schedule_of(&u, arena));
        for (size_t i = 0; i < t.code.n_slots * ROWS; i++)
            assert_memory_equal(&t.series[i * R + l], &u.series[i * R + to], sizeof(double));
        hl_arena_free(arena);
    }
}

/* ---- Following a series: y' = -y, each lane at its own rate */

struct follow {
    struct trial t;
    double noise[1], peak[R] __attribute__((aligned(64)));
    double now[R] __attribute__((aligned(64))), until[R] __attribute__((aligned(64)));
    double h[R] __attribute__((aligned(64)));
    double bend[R] __attribute__((aligned(64))), next[R] __attribute__((aligned(64)));
    struct hl_batch_scale scale;
    struct hl_batch_pace pace;
    struct hl_arena *arena;
    const struct hl_batch_schedule *schedule;
};

static double decay(size_t l)
{
    return 0.3 + 0.17 * (double)l;
}

static struct follow *decays(void)
{
    struct follow *f = hl_alloc(1, sizeof *f);
    f->t.code = (struct hl_batch_code){.n_slots = 1, .n_terms = 1, .n_rates = 1, .n_states = 1, .term = f->t.term,
                                       .op = f->t.op, .rate = f->t.rate};
    f->t.rate[0] = (struct hl_batch_rate){0, {0, 1, -1}, -1};
    f->t.term[0] = (struct hl_batch_term){0, 0};
    for (size_t l = 0; l < R; l++) {
        f->t.file[l] = -decay(l);
        f->t.series[l] = 1.7;
        f->until[l] = 11.3;
    }
    f->scale = (struct hl_batch_scale){log2(1e-9), 1e-6, 0.4, f->noise, f->peak};
    f->noise[0] = 1e-30;
    f->pace = (struct hl_batch_pace){f->now, f->until, f->h, f->bend, f->next, 1e-9, 4 * DBL_EPSILON};
    f->arena = hl_arena_create();
    f->schedule = schedule_of(&f->t, f->arena);
    return f;
}

static void release(struct follow *f)
{
    hl_arena_free(f->arena);
    hl_free(f);
}

static void steps_end_where_terms_reach_the_tolerance(void **unused)
{
    (void)unused;
    struct follow *f = decays();
    hl_batch_series(f->schedule);
    f->until[3] = f->now[3] = INFINITY; /* done */
    f->until[5] = 0;                    /* waits */
    f->until[6] = 0.01;                 /* near its stop */
    assert_false(hl_batch_reach(f->schedule, &f->scale, &f->pace));
    for (size_t l = 0; l < R; l++) {
        double size = 0;
        for (int k = ORDER - 2; k <= ORDER; k++)
            size = fmax(size, pow(decay(l) * f->h[l], k) / tgamma(k + 1.0));
        if (l == 3 || l == 5)
            assert_true(f->h[l] == 0);
        else if (l == 6)
            assert_true(f->h[l] == 0.01);
        else if (f->h[l] < 11.3)
            assert_true(fabs(size / 1e-9 - 1) < 1e-3);
        assert_true(f->peak[l] == 1.7);
    }
    f->t.series[(size_t)ORDER * R + 2] = NAN;
    assert_true(hl_batch_reach(f->schedule, &f->scale, &f->pace));
    release(f);
}

/* A decay at three times the clock's slowing is a polynomial of degree 3; terms that change sign ask for more slowing,
 * terms of one sign for less. */
static void a_slowed_clock_makes_decays_polynomials(void **unused)
{
    (void)unused;
    struct follow *f = decays();
    for (size_t l = 0; l < R; l++) {
        f->t.slow[l] = decay(l) / (l % 2 ? 3 : 40.7);
        f->until[l] = 1e9;
        f->bend[l] = 0.21;
    }
    hl_batch_series(f->schedule);
    for (size_t l = 1; l < R; l += 2) {
        for (size_t k = 4; k < ROWS; k++)
            f->t.series[k * R + l] = fabs(f->t.series[k * R + l]) < 1e-14 ? 0 : NAN; /* of rounding */
        f->t.series[15 * R + l] = f->t.series[14 * R + l] = 1e-20;
    }
    assert_false(hl_batch_reach(f->schedule, &f->scale, &f->pace));
    for (size_t l = 0; l < R; l++) {
        assert_true(f->h[l] > 0 && f->t.slow[l] * f->h[l] <= 0.4 * (1 + 1e-3));
        assert_true(fabs(f->next[l] * f->h[l] / f->bend[l] - 1) < 1e-3);
        assert_true(l % 2 ? f->bend[l] < 0.21 : f->bend[l] > 0.21);
        if (l % 2)
            assert_true(fabs(f->h[l] * f->t.slow[l] / 0.4 - 1) < 1e-3); /* nothing else limits it */
    }
    release(f);
}

/* Relative digits count down to 1e-6 of the peak. */
static bool is_decayed(double y, size_t l, double t)
{
    double truth = 1.7 * exp(-decay(l) * t);
    return fabs(y - truth) < 2e-8 * fmax(truth, 1.7e-6);
}

static void lanes_arrive_and_show_what_is_due(void **unused)
{
    (void)unused;
    struct follow *f = decays();
    enum { N = 8 };
    static double time[N + HL_BATCH_ROUNDS] = {0, 0.25, 0.5, 1.1, 2, 2.25, 3.7, 11.3};
    for (size_t k = 0; k < HL_BATCH_ROUNDS; k++)
        time[N + k] = INFINITY;
    double shown_values[N * R];
    const int slot[] = {0};
    const size_t place[] = {0};
    struct hl_batch_shown shown = {.n = 1, .slot = slot, .place = place, .pitch = R, .n_times = N, .time = time};
    for (size_t i = 0; i < N * R; i++)
        shown_values[i] = -1;
    for (size_t l = 0; l < R; l++)
        shown.to[l] = shown_values + l;
    shown.next[4] = shown.next[9] = N; /* 4 is done, 9 shows nothing more */
    f->now[4] = f->until[4] = INFINITY;
    for (size_t l = 0; l < R; l++)
        f->t.slow[l] = l % 3 ? 0.07 * (double)l : 0; /* up to 0.4 of the decay */
    for (int n = 0; n < 200; n++) {
        hl_batch_series(f->schedule);
        assert_false(hl_batch_reach(f->schedule, &f->scale, &f->pace));
        hl_batch_show(f->schedule, &shown, &f->pace);
        assert_false(hl_batch_arrive(f->schedule, &f->scale, &f->pace));
    }
    for (size_t l = 0; l < R; l++) {
        assert_true(f->now[l] == (l == 4 ? (double)INFINITY : 11.3));
        assert_int_equal(shown.next[l], l == 4 || l == 9 ? N : N - 1); /* the end is nobody's business here */
        for (size_t k = 0; k + 1 < N && l != 4 && l != 9; k++)
            assert_true(is_decayed(shown_values[k * R + l], l, time[k]));
        for (size_t k = 0; k < N && (l == 4 || l == 9); k++)
            assert_true(shown_values[k * R + l] == -1);
        assert_true(l == 4 ? f->t.series[l] == 1.7 : is_decayed(f->t.series[l], l, 11.3));
    }
    release(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_those_of_the_recurrences),
        cmocka_unit_test(saturable_loops_are_those_of_the_recurrences),
        cmocka_unit_test(a_lane_has_its_bits_whatever_the_others_are),
        cmocka_unit_test(steps_end_where_terms_reach_the_tolerance),
        cmocka_unit_test(a_slowed_clock_makes_decays_polynomials),
        cmocka_unit_test(lanes_arrive_and_show_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
