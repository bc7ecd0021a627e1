/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight eigensystems side by side: against closed forms, against ones found with more digits, equal rates, rates of
 * zero, stiffness, NaN in a neighbour. Random bodies: a new seed each day, printed; HL_SEED=N repeats one. */
#include <time.h>

#include "base/random.h"
#include "solve/apart.h"
#include "solve/eigen_lanes.h"
#include "unit/solve_fixture.h"

#define MOST_FLOWS 48
#define LAST (HL_ROW - 1)

struct dice { uint64_t seed, draw; };

static double uniform(struct dice *d, double low, double high)
{
    return low + (high - low) * hl_random_uniform(d->seed, 7, 23, d->draw++);
}

static size_t integer(struct dice *d, size_t low, size_t high) /* both included */
{
    return low + (size_t)uniform(d, 0, (double)(high - low) + 1);
}

/* Flows a -> b (b == n: out) of eight subjects. */
struct body { size_t n, n_flows; struct { size_t a, b; double k[HL_ROW]; } flow[MOST_FLOWS]; };

static void flow(struct body *body, size_t a, size_t b, const double *k)
{
    body->flow[body->n_flows].a = a;
    body->flow[body->n_flows].b = b;
    memcpy(body->flow[body->n_flows++].k, k, HL_ROW * sizeof *k);
}

static void flow_of_all(struct body *body, size_t a, size_t b, double k)
{
    double same[HL_ROW];
    for (size_t l = 0; l < HL_ROW; l++)
        same[l] = k;
    flow(body, a, b, same);
}

/* The component, its registers, and what was found. */
struct system {
    struct hl_arena *arena;
    struct hl_component component;
    size_t *place;               /* of compartment i in the order of dependence */
    double *regs, *lambda, *V, *W, horizon[HL_ROW];
    unsigned solved;
};

static void solve(struct system *s)
{
    struct hl_eigen_lanes *lanes = hl_eigen_lanes_create(&s->component);
    assert_non_null(lanes);
    s->solved = hl_eigen_lanes_solve(lanes, s->regs, HL_ROW, s->horizon, s->lambda, s->V, s->W);
    hl_eigen_lanes_free(lanes);
}

static struct system take_apart(const struct body *body, double horizon)
{
    struct system s = {.arena = hl_arena_create()};
    size_t n = body->n, order[MOST_STATES], entries = 0;
    bool *edges = hl_arena_alloc(s.arena, n * n, sizeof *edges);
    for (size_t k = 0; k < body->n_flows; k++)
        for (size_t b = 0; b < 2; b++)
            if (b == 0 || body->flow[k].b < n)
                edges[(b ? body->flow[k].b : body->flow[k].a) * n + body->flow[k].a] = true;
    s.component.shape = hl_plan_shape(s.arena, n, edges, order);
    s.place = hl_arena_alloc(s.arena, n, sizeof *s.place);
    for (size_t i = 0; i < n; i++)
        s.place[order[i]] = i;
    struct hl_entry *entry = s.component.entry = hl_arena_alloc(s.arena, 2 * body->n_flows, sizeof *entry);
    s.regs = hl_alloc(2 * body->n_flows * HL_ROW, sizeof *s.regs);
    for (size_t k = 0; k < body->n_flows; k++)
        for (size_t b = 0; b < 2; b++) {
            if (b && body->flow[k].b >= n)
                continue;
            for (size_t l = 0; l < HL_ROW; l++)
                s.regs[entries * HL_ROW + l] = b ? body->flow[k].k[l] : -body->flow[k].k[l];
            entry[entries] = (struct hl_entry){s.place[b ? body->flow[k].b : body->flow[k].a],
                                               s.place[body->flow[k].a], (int)entries};
            entries++;
        }
    s.component.n_entries = entries;
    s.lambda = hl_alloc(n * HL_ROW, sizeof *s.lambda);
    s.V = hl_alloc(n * n * HL_ROW, sizeof *s.V);
    s.W = hl_alloc(n * n * HL_ROW, sizeof *s.W);
    for (size_t l = 0; l < HL_ROW; l++)
        s.horizon[l] = horizon;
    solve(&s);
    return s;
}

static void release(struct system *s)
{
    hl_free(s->regs);
    hl_free(s->lambda);
    hl_free(s->V);
    hl_free(s->W);
    hl_arena_free(s->arena);
}

/* The term of mode j in the response of compartment i to a unit in k. */
static double term(const struct system *s, size_t i, size_t k, size_t j, size_t l)
{
    size_t n = s->component.shape.n;
    return s->V[(s->place[i] * n + j) * HL_ROW + l] * s->W[(j * n + s->place[k]) * HL_ROW + l];
}

/* The mode of lane l whose rate is nearest. */
static size_t mode_of(const struct system *s, double rate, size_t l)
{
    size_t best = 0;
    for (size_t j = 1; j < s->component.shape.n; j++)
        if (fabs(s->lambda[j * HL_ROW + l] - rate) < fabs(s->lambda[best * HL_ROW + l] - rate))
            best = j;
    return best;
}

static void assert_relative(const char *what, double a, double b, double tolerance)
{
    assert_near(what, a, b, tolerance * fabs(b));
}

static void assert_blank(const struct system *s, size_t l)
{
    size_t n = s->component.shape.n;
    for (size_t k = 0; k < n * n; k++)
        assert_true(s->V[k * HL_ROW + l] == 0 && s->W[k * HL_ROW + l] == 0 && s->lambda[k / n * HL_ROW + l] == 0);
}

/* ---- Closed forms */

static void one_compartment_by_mouth(void **state)
{
    (void)state;
    double ka[] = {1.7137, 0.0411, 93.17, 1e-3, 2.0931, 17.31, 0.37219, 4.1}, k[HL_ROW];
    struct body body = {.n = 2};
    for (size_t l = 0; l < HL_ROW; l++)
        k[l] = ka[LAST - l] * 0.0731;
    flow(&body, 0, 1, ka);
    flow(&body, 1, 2, k);
    struct system s = take_apart(&body, 48);
    for (size_t l = 0; l < HL_ROW; l++) {
        assert_true(s.solved >> l & 1);
        size_t fast = mode_of(&s, -ka[l], l), slow = mode_of(&s, -k[l], l);
        assert_true(s.lambda[fast * HL_ROW + l] == -ka[l] && s.lambda[slow * HL_ROW + l] == -k[l]);
        assert_relative("gut", term(&s, 0, 0, fast, l), 1, 4e-16);
        assert_true(term(&s, 0, 0, slow, l) == 0 && term(&s, 0, 1, fast, l) == 0);
        assert_relative("rising", term(&s, 1, 0, fast, l), -ka[l] / (ka[l] - k[l]), 1e-15);
        assert_relative("falling", term(&s, 1, 0, slow, l), ka[l] / (ka[l] - k[l]), 1e-15);
    }
    release(&s);
}

/* Rates over up to twelve decades: the smaller root of the quadratic is k10 k21 / alpha. */
static void two_compartments(void **state)
{
    (void)state;
    double k10[] = {0.40391, 1e-4, 3.3e-7, 71.3, 0.0231, 2e-3, 1.1, 0.51}, k12[HL_ROW], k21[HL_ROW];
    struct body body = {.n = 2};
    for (size_t l = 0; l < HL_ROW; l++) {
        k12[l] = 0.33517 * pow(11.3, (double)l - 2);
        k21[l] = 0.029873 * pow(7.1, 3 - (double)l);
    }
    flow(&body, 0, 1, k12);
    flow(&body, 1, 0, k21);
    flow(&body, 0, 2, k10);
    struct system s = take_apart(&body, INFINITY);
    for (size_t l = 0; l < HL_ROW; l++) {
        double sum = k10[l] + k12[l] + k21[l], root = sqrt(pow(k10[l] + k12[l] - k21[l], 2) + 4 * k12[l] * k21[l]);
        double alpha = (sum + root) / 2, beta = k10[l] * k21[l] / alpha;
        assert_true(s.solved >> l & 1);
        size_t fast = mode_of(&s, -alpha, l), slow = mode_of(&s, -beta, l);
        assert_relative("alpha", -s.lambda[fast * HL_ROW + l], alpha, 1e-15);
        assert_relative("beta", -s.lambda[slow * HL_ROW + l], beta, 1e-15);
        assert_near("central", term(&s, 0, 0, fast, l), (alpha - k21[l]) / (alpha - beta), 1e-15);
        assert_near("central", term(&s, 0, 0, slow, l), (k21[l] - beta) / (alpha - beta), 1e-15);
        assert_relative("peripheral", term(&s, 1, 0, slow, l), k12[l] / (alpha - beta), 2e-15);
    }
    release(&s);
}

/* A three-compartment body whose rates were chosen, not its coefficients: k10 and the flows follow from them, k21 and
 * k31 (the usual formulas for a mammillary body). */
static void three_compartments(void **state)
{
    (void)state;
    double alpha[] = {9.31, 131.7, 2.2, 0.71, 47.1, 3000, 5.1, 1.3}, beta[HL_ROW], gamma[HL_ROW];
    double k10[HL_ROW], k12[HL_ROW], k13[HL_ROW], k21[HL_ROW], k31[HL_ROW];
    for (size_t l = 0; l < HL_ROW; l++) {
        beta[l] = alpha[l] / (3.7 + 11 * (double)l);
        gamma[l] = beta[l] / (1.9 + 5 * (double)(LAST - l));
        k21[l] = 0.3 * alpha[l] + 0.7 * beta[l];
        k31[l] = 0.6 * beta[l] + 0.4 * gamma[l];
        k10[l] = alpha[l] * beta[l] * gamma[l] / (k21[l] * k31[l]);
        double sum = alpha[l] + beta[l] + gamma[l];
        double pairs = alpha[l] * beta[l] + alpha[l] * gamma[l] + beta[l] * gamma[l];
        k12[l] = (pairs - k21[l] * sum - k10[l] * k31[l] + k21[l] * k21[l]) / (k31[l] - k21[l]);
        k13[l] = sum - (k10[l] + k12[l] + k21[l] + k31[l]);
    }
    struct body body = {.n = 3};
    flow(&body, 1, 0, k12);
    flow(&body, 0, 1, k21);
    flow(&body, 1, 2, k13);
    flow(&body, 2, 1, k31);
    flow(&body, 1, 3, k10);
    struct system s = take_apart(&body, 1000);
    for (size_t l = 0; l < HL_ROW; l++) {
        assert_true(k12[l] > 0 && k13[l] > 0 && s.solved >> l & 1);
        double rate[] = {alpha[l], beta[l], gamma[l]};
        for (size_t j = 0; j < 3; j++) {
            double a = rate[j], b = rate[(j + 1) % 3], c = rate[(j + 2) % 3];
            size_t mode = mode_of(&s, -a, l);
            double known = 3e-15 * alpha[l] / a; /* coefficients from rates lose what the stiffness is */
            assert_relative("rate", -s.lambda[mode * HL_ROW + l], a, known);
            assert_near("central", term(&s, 1, 1, mode, l), (k21[l] - a) * (k31[l] - a) / ((b - a) * (c - a)), known);
        }
    }
    release(&s);
}

/* ---- Against more digits */

#if defined(__SIZEOF_FLOAT128__)
typedef __float128 wide;
#else
typedef long double wide; /* 113 bits too where there is no other type for them */
#endif

static wide wide_size(wide x)
{
    return x < 0 ? -x : x;
}

static void wide_invert(const wide *V, size_t n, wide *W)
{
    wide M[2 * MOST_STATES * MOST_STATES];
    size_t m = 2 * n;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++)
            M[i * m + k] = k < n ? V[i * n + k] : (wide)(k == n + i);
    for (size_t k = 0; k < n; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < n; i++)
            best = wide_size(M[i * m + k]) > wide_size(M[best * m + k]) ? i : best;
        for (size_t j = 0; j < m; j++) {
            wide swap = M[k * m + j];
            M[k * m + j] = M[best * m + j];
            M[best * m + j] = swap;
        }
        for (size_t i = 0; i < n; i++) {
            wide factor = i == k ? 0 : M[i * m + k] / M[k * m + k];
            for (size_t j = k; j < m; j++)
                M[i * m + j] -= factor * M[k * m + j];
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            W[i * n + k] = M[i * m + n + k] / M[i * m + i];
}

static void wide_multiply(const wide *A, const wide *B, size_t n, wide *C)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            C[i * n + j] = 0;
            for (size_t k = 0; k < n; k++)
                C[i * n + j] += A[i * n + k] * B[k * n + j];
        }
}

/* Newton's method for eigensystems (eigen.c) from V; W = V^-1. */
static void wide_eigen(const wide *A, size_t n, wide *lambda, wide *V, wide *W)
{
    wide T[MOST_STATES * MOST_STATES], B[MOST_STATES * MOST_STATES];
    for (int round = 0; round < 4; round++) {
        wide_invert(V, n, W);
        wide_multiply(A, V, n, T);
        wide_multiply(W, T, n, B);
        for (size_t j = 0; j < n; j++)
            lambda[j] = B[j * n + j];
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                B[i * n + j] = i == j ? 1 : B[i * n + j] / (lambda[j] - lambda[i]);
        wide_multiply(V, B, n, T);
        memcpy(V, T, n * n * sizeof *V);
    }
    wide_invert(V, n, W);
}

/* Depots, a body of up to three compartments or a chain of them, effect sites: decades of spread, 20 %
 * between lanes. */
static struct body random_body(struct dice *d, double decades)
{
    struct body body = {.n = 0};
    size_t depots = integer(d, 0, 2), m = integer(d, 1, 3), effects = integer(d, 0, 3), second = integer(d, 0, 2);
    size_t from[MOST_FLOWS], to[MOST_FLOWS], flows = 0, n = depots + m + second + effects;
    for (size_t i = 0; i < depots; i++)
        from[flows] = i, to[flows++] = i + 1;
    for (size_t i = 1; i < m; i++) {
        from[flows] = depots, to[flows++] = depots + i;
        from[flows] = depots + i, to[flows++] = depots;
    }
    from[flows] = depots, to[flows++] = n;
    for (size_t i = depots + m; i < n; i++) { /* a metabolite of two compartments, then effect sites */
        bool pair = second == 2 && i == depots + m + 1;
        from[flows] = pair ? i - 1 : depots, to[flows++] = i;
        from[flows] = i, to[flows++] = pair ? i - 1 : n;
    }
    body.n = n;
    for (size_t k = 0; k < flows; k++) {
        double typical = pow(10, uniform(d, -decades / 2, decades / 2)), own[HL_ROW];
        for (size_t l = 0; l < HL_ROW; l++)
            own[l] = typical * uniform(d, 0.8, 1.25);
        flow(&body, from[k], to[k], own);
    }
    return body;
}

static void load_exact(const struct system *s, size_t l, struct hl_modes *modes)
{
    size_t n = s->component.shape.n;
    memset(modes->exact, 0, n * n * sizeof *modes->exact);
    for (size_t k = 0; k < s->component.n_entries; k++) {
        const struct hl_entry *e = &s->component.entry[k];
        modes->exact[e->row * n + e->col] += (long double)s->regs[(size_t)e->reg * HL_ROW + l];
    }
}

/* Rates to one rounding, every term of a response to two of the largest one. */
static void compare(const struct system *s, size_t l)
{
    size_t n = s->component.shape.n;
    wide A[MOST_STATES * MOST_STATES] = {0}, V[MOST_STATES * MOST_STATES], W[MOST_STATES * MOST_STATES];
    wide lambda[MOST_STATES];
    for (size_t k = 0; k < s->component.n_entries; k++) {
        const struct hl_entry *e = &s->component.entry[k];
        A[e->row * n + e->col] += (wide)s->regs[(size_t)e->reg * HL_ROW + l];
    }
    for (size_t k = 0; k < n * n; k++)
        V[k] = (wide)s->V[k * HL_ROW + l];
    wide_eigen(A, n, lambda, V, W);
    for (size_t j = 0; j < n; j++)
        assert_relative("rate", s->lambda[j * HL_ROW + l], (double)lambda[j], 3e-16);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double largest = 0;
            for (size_t j = 0; j < n; j++)
                largest = fmax(largest, fabs((double)(V[i * n + j] * W[j * n + k])));
            for (size_t j = 0; s->component.shape.reach[i * n + k] && j < n; j++)
                assert_near("term", s->V[(i * n + j) * HL_ROW + l] * s->W[(j * n + k) * HL_ROW + l],
                            (double)(V[i * n + j] * W[j * n + k]), 1e-15 * largest);
        }
}

static void random_bodies_are_right(void **state)
{
    (void)state;
    const char *asked = getenv("HL_SEED");
    struct dice d = {.seed = asked ? strtoull(asked, NULL, 10) : (uint64_t)(time(NULL) / 86400)};
    size_t real = 0, solved = 0;
    print_message("random eigensystems: seed %llu (HL_SEED)\n", (unsigned long long)d.seed);
    for (size_t trial = 0; trial < 800; trial++) {
        struct body body = random_body(&d, uniform(&d, 0.5, 5));
        struct system s = take_apart(&body, trial % 3 == 0 ? INFINITY : uniform(&d, 1, 500));
        struct hl_modes modes;
        struct hl_modes_work *work = hl_modes_work_create(body.n);
        assert_int_equal(hl_modes_init(&modes, body.n), HL_OK);
        for (size_t l = 0; l < HL_ROW; l++) {
            load_exact(&s, l, &modes);
            assert_int_equal(hl_modes_make(&modes, &s.component.shape, s.horizon[l], work), HL_OK);
            bool mine = s.solved >> l & 1;
            real += modes.kind == HL_MODES_REAL;
            solved += mine;
            if (mine && modes.kind == HL_MODES_REAL)
                compare(&s, l);
            else if (mine) /* at the very edge of what is allowed, the two may differ in the last bit */
                assert_true(modes.loss > HL_MODES_MAX_LOSS && modes.loss < 1.001 * HL_MODES_MAX_LOSS);
            else
                assert_blank(&s, l);
        }
        hl_modes_clear(&modes);
        hl_modes_work_free(work);
        release(&s);
    }
    assert_true((double)solved > 0.97 * (double)real); /* else nothing was gained */
}

/* ---- What must be handed back */

static void near_equal_rates_are_handed_back(void **state)
{
    (void)state;
    double k = 0.37219, aside = 0.0625, off[] = {0, 1e-16, -1e-15, 1e-13, 1e-9, -1e-6, 1e-4, -0.1}, ka[HL_ROW];
    struct body body = {.n = 3};
    for (size_t l = 0; l < HL_ROW; l++)
        ka[l] = k * (1 + off[l]);
    flow(&body, 0, 1, ka);
    flow_of_all(&body, 1, 3, k - aside);
    flow_of_all(&body, 1, 2, aside);
    flow_of_all(&body, 2, 3, 3.31);
    struct system s = take_apart(&body, 100);
    assert_int_equal(s.solved, 1u << LAST);
    release(&s);
}

static void rates_that_turn_are_handed_back(void **state)
{
    (void)state;
    struct body body = {.n = 3};
    double back[] = {0, 2.1, 0, 2.1, 40, 0, 0.01, 90}; /* enough of it, and nothing turns */
    for (size_t i = 0; i < 3; i++)
        flow_of_all(&body, i, (i + 1) % 3, 2.1731);
    flow(&body, 1, 0, back);
    flow_of_all(&body, 0, 3, 0.05193);
    struct system s = take_apart(&body, 24);
    assert_int_equal(s.solved, 1u << 4 | 1u << 7);
    release(&s);
}

static void larger_blocks_are_handed_back(void **state)
{
    (void)state;
    struct body body = {.n = 4};
    for (size_t i = 1; i < 4; i++) {
        flow_of_all(&body, 0, i, 0.31 * (double)i);
        flow_of_all(&body, i, 0, 0.0471 * (double)(i * i));
    }
    flow_of_all(&body, 0, 4, 0.7);
    struct system s = take_apart(&body, 24);
    assert_int_equal(s.solved, 0);
    for (size_t l = 0; l < HL_ROW; l++)
        assert_blank(&s, l);
    release(&s);
}

/* Without elimination a mode stands still, exactly; an empty row of rates does no harm either. */
static void zero_rates(void **state)
{
    (void)state;
    double k[] = {0, 0.17, 0, -0.0, 3.1, 0, 1e-300, 0}, ka[] = {1.3, 1.3, 0.02, 71, 0, 0, 1.3, 1e-2};
    struct body body = {.n = 2};
    flow(&body, 0, 1, ka);
    flow(&body, 1, 2, k);
    struct system s = take_apart(&body, 48);
    for (size_t l = 0; l < HL_ROW; l++) {
        if (l == 5) { /* both 0: equal rates */
            assert_false(s.solved >> l & 1);
            continue;
        }
        assert_true(s.solved >> l & 1);
        size_t slow = mode_of(&s, -k[l], l);
        assert_true(s.lambda[slow * HL_ROW + l] == -k[l]);
        assert_relative("what stays", term(&s, 1, 0, slow, l), ka[l] / (ka[l] - k[l]), 4e-16);
    }
    release(&s);
}

/* ---- Neighbours */

/* Whatever stands in the other lanes, numbers or not, a lane's bits are the same. */
static void a_lane_depends_on_itself(void **state)
{
    (void)state;
    double poison[] = {NAN, INFINITY, -INFINITY, 0, 1e300, 1e-310, -7.3};
    struct dice d = {.seed = 4711};
    for (size_t trial = 0; trial < 60; trial++) {
        struct body body = random_body(&d, 2);
        struct system clean = take_apart(&body, 72), dirty;
        size_t bad = integer(&d, 0, LAST), n = body.n;
        for (size_t k = 0; k < body.n_flows; k++)
            if (uniform(&d, 0, 1) < 0.6 || k == 0)
                body.flow[k].k[bad] = poison[trial % 7];
        dirty = take_apart(&body, 72);
        if (trial % 7 < 3) {
            assert_false(dirty.solved >> bad & 1);
            assert_blank(&dirty, bad);
        }
        assert_int_equal(dirty.solved | 1u << bad, clean.solved | 1u << bad);
        for (size_t l = 0; l < HL_ROW; l++)
            for (size_t k = 0; l != bad && k < n * n; k++) {
                size_t rate = k / n * HL_ROW + l;
                assert_memory_equal(&clean.lambda[rate], &dirty.lambda[rate], sizeof(double));
                assert_memory_equal(&clean.V[k * HL_ROW + l], &dirty.V[k * HL_ROW + l], sizeof(double));
                assert_memory_equal(&clean.W[k * HL_ROW + l], &dirty.W[k * HL_ROW + l], sizeof(double));
            }
        release(&clean);
        release(&dirty);
    }
}

/* The same subject in another lane. */
static void a_lane_may_stand_anywhere(void **state)
{
    (void)state;
    struct dice d = {.seed = 815};
    for (size_t trial = 0; trial < 40; trial++) {
        struct body body = random_body(&d, 3), turned = body;
        size_t n = body.n;
        for (size_t k = 0; k < body.n_flows; k++)
            for (size_t l = 0; l < HL_ROW; l++)
                turned.flow[k].k[(l + 3) % HL_ROW] = body.flow[k].k[l];
        struct system a = take_apart(&body, 72), b = take_apart(&turned, 72);
        for (size_t l = 0; l < HL_ROW; l++)
            for (size_t k = 0; k < n * n; k++) {
                assert_true(a.V[k * HL_ROW + l] == b.V[k * HL_ROW + (l + 3) % HL_ROW]);
                assert_true(a.W[k * HL_ROW + l] == b.W[k * HL_ROW + (l + 3) % HL_ROW]);
            }
        release(&a);
        release(&b);
    }
}

/* Vectors of two, four or eight lanes: the same bits, where this machine has them. */
static void all_widths_agree(void **state)
{
    (void)state;
    struct dice d = {.seed = 1234};
    for (size_t trial = 0; trial < 60; trial++) {
        struct body body = random_body(&d, 4);
        struct system s = take_apart(&body, trial % 2 ? INFINITY : 30);
        size_t n = body.n, bytes = n * n * HL_ROW * sizeof(double);
        double V[MOST_STATES * MOST_STATES * HL_ROW] __attribute__((aligned(64)));
        double W[MOST_STATES * MOST_STATES * HL_ROW] __attribute__((aligned(64)));
        double *rates = hl_alloc(n * HL_ROW, sizeof *rates);
        struct hl_eigen_lanes *lanes = hl_eigen_lanes_create(&s.component);
        for (int width = HL_WIDTH_TWO; width <= HL_WIDTH_EIGHT; width++) {
            hl_eigen_lanes_widen(lanes, (enum hl_width)width);
            assert_int_equal(hl_eigen_lanes_solve(lanes, s.regs, HL_ROW, s.horizon, rates, V, W), s.solved);
            assert_memory_equal(rates, s.lambda, n * HL_ROW * sizeof *rates);
            assert_memory_equal(V, s.V, bytes);
            assert_memory_equal(W, s.W, bytes);
        }
        hl_eigen_lanes_free(lanes);
        hl_free(rates);
        release(&s);
    }
}

/* ---- A whole arm */

/* Two drugs of which one turns in some lanes: rows and structs say the same. */
static void rows_are_the_structs(void **state)
{
    (void)state;
    double back[] = {0, 0, 55, 0, 71, 0, 0, 90, 66, 0, 0}, ka[] = {1.1, 0.2, NAN, 3, 0.3, 1.1, 2, 0.7, 0.1, 0.2, 9};
    double none[11], minus[11], horizon[HL_ROW];
    struct fixture *f = fixture_create(5, 5);
    for (size_t l = 0; l < 11; l++) {
        minus[l] = -ka[l];
        none[l] = -back[l];
    }
    for (int i = 0; i < 3; i++)
        fixture_flow(f, i, (i + 1) % 3, 2.1731);
    fixture_flow(f, 0, -1, 0.05193);
    fixture_flow_regs(f, 1, 0, fixture_values(f, back, 11), fixture_values(f, none, 11));
    fixture_flow_regs(f, 3, 4, fixture_values(f, ka, 11), fixture_values(f, minus, 11));
    fixture_flow(f, 4, -1, 0.3);
    fixture_bolus(f, 0, 0, 1);
    fixture_bolus(f, 0, 3, 1);
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    struct hl_apart *apart = hl_apart_create(plan, 16);
    double *regs = hl_alloc(f->system.n_regs * 16, sizeof *regs);
    for (size_t r = 0; r < f->system.n_regs; r++)
        for (size_t l = 0; l < 16; l++)
            regs[r * 16 + l] = f->value[r] ? f->value[r][l < 11 ? l : 10] : f->system.initial[r];
    for (size_t l = 0; l < HL_ROW; l++)
        horizon[l] = 24;
    assert_int_equal(hl_apart_take(apart, regs, 16, 0, horizon, 0xff), 0xff & ~(1u << 2));
    assert_int_equal(hl_apart_take(apart, regs, 16, 8, horizon, 7), 7);
    for (size_t lane = 0; lane < 16; lane++) {
        const struct hl_modes_rows *rows = &apart->rows[lane / HL_ROW];
        bool there = lane < 11 && lane != 2, turns = there && back[lane] == 0;
        size_t l = lane % HL_ROW;
        assert_int_equal(rows->odd[l], turns || lane == 4); /* ka = k: a matrix */
        const struct hl_modes *modes = there ? hl_apart_modes(apart, lane) : NULL;
        for (size_t c = 0; c < plan->n_components; c++) {
            const struct hl_component *component = &plan->component[c];
            size_t n = component->shape.n;
            for (size_t k = 0; k < n * n; k++) {
                double V = hl_modes_row(rows->V, component, k / n, k % n)[l];
                double W = hl_modes_row(rows->W, component, k / n, k % n)[l];
                double rate = rows->lambda[(component->offset + k / n) * HL_ROW + l];
                assert_true(V == (there ? modes[c].V[k] : 0) && W == (there ? modes[c].W[k] : 0));
                assert_true(rate == (there && !rows->odd[l] ? modes[c].re[k / n] : 0));
                if (there)
                    assert_true(modes[c].A[k] == (double)modes[c].exact[k] && modes[c].norm > 0);
            }
        }
    }
    hl_free(regs);
    hl_apart_free(apart);
    hl_plan_free(plan);
    fixture_free(f);
}

static void want_of_memory(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(2, 2);
    fixture_flow(f, 0, 1, 1.1);
    fixture_flow(f, 1, -1, 0.3);
    fixture_bolus(f, 0, 0, 1);
    struct hl_plan *plan = hl_plan_create(&f->system, &f->regimen, "exact", 1e-8, f->diag);
    struct hl_apart *apart = NULL;
    size_t failures = 0;
    for (; !apart; failures++) {
        hl_memory_fail_after(failures + 1);
        apart = hl_apart_create(plan, 8);
        hl_memory_fail_after(0);
    }
    assert_true(failures > 20);
    hl_apart_free(apart);
    hl_plan_free(plan);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_compartment_by_mouth),
        cmocka_unit_test(two_compartments),
        cmocka_unit_test(three_compartments),
        cmocka_unit_test(random_bodies_are_right),
        cmocka_unit_test(near_equal_rates_are_handed_back),
        cmocka_unit_test(rates_that_turn_are_handed_back),
        cmocka_unit_test(larger_blocks_are_handed_back),
        cmocka_unit_test(zero_rates),
        cmocka_unit_test(a_lane_depends_on_itself),
        cmocka_unit_test(a_lane_may_stand_anywhere),
        cmocka_unit_test(all_widths_agree),
        cmocka_unit_test(rows_are_the_structs),
        cmocka_unit_test(want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
