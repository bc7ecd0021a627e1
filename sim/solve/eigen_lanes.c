/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight eigensystems at once.
 *
 * Approximations V, W and lambda (eigen_seed.c, double precision) are made right by one step of Newton's method for
 * eigensystems (see eigen.c), whose residuals are computed with some 32 digits: every sum of products is carried as a
 * sum and a rest (Dekker 1971, Numer. Math. 18: 224: a product's rounding error from halves of the factors; Knuth's
 * two-sum), as are the entries of A themselves. With
 *     E = W V - 1,   M = W A V,   C_ij = M_ij - E_ij lambda_j,   F_ij = C_ij / (lambda_j - lambda_i)
 * the corrected system is, to first order,
 *     lambda_j = M_jj - E_jj M_jj,   V (1 + F),   (1 - F - E) W.
 * What the step leaves is of the size of F^2. It is accepted when F and E are below SETTLED, so that vectors are right
 * to the last bit or so, and when (F + E) C is below HARMLESS lambda, so that lambda is: nearly always, unless rates
 * are nearly equal. The corrected entries are rounded once.
 *
 * Then the loss (modes.c) is measured as there: responses at 1/|lambda_j| and at the horizon.
 *
 * A lane that fails any test is left to the scalar way. Everything is plain arithmetic on lanes that never meet. */
#include "solve/eigen_lanes.h"

#include <string.h>

#include "base/memory.h"
#include "solve/eigen_seed.h"

#define MOST_STATES 16
#define SETTLED 1e-9
#define HARMLESS 1e-17
#define HALVES 134217729.0 /* 2^27 + 1 */

/* The sum of a's entries times b's that makes entry to: n products, one after the other in a list. The vectors of a
 * block of one begin as 1: nothing to multiply there. */
struct sum { size_t to, n; };
struct product { size_t a, b; bool a_is_one, b_is_one; };
struct recipe { size_t n_sums, n_products; struct sum *sum; struct product *product; };

/* high and x - high have no more than 26 bits each. */
struct halves { hl_eight x, high; };

struct hl_eigen_lanes {
    const struct hl_component *component;
    bool fits;                    /* few enough states in few enough blocks of few enough */
    bool *edge;                   /* A has an entry here */
    struct recipe with_edges, full; /* of A X, and of X Y, where X and Y have the closed pattern */
    hl_eight *A, *A_rest, *lambda, *V, *W, *E, *F;
    struct halves *of_A, *of_V, *of_W, *of_T;
    hl_eight *T_rest, *M, *M_rest;
    hl_eight *terms, *peak, *term; /* of responses: sum of sizes, peak; single terms, as full.product */
    hl_eight *x, *exponential;
    void *room;
};

/* ---- What is multiplied with what */

static void write_recipe(struct recipe *r, const struct hl_shape *shape, const bool *left)
{
    size_t n = shape->n;
    bool alone[MOST_STATES] = {false};
    for (size_t b = 0; b < shape->n_blocks; b++)
        alone[shape->start[b]] = shape->start[b + 1] - shape->start[b] == 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            size_t before = r->n_products;
            for (size_t k = 0; shape->reach[i * n + j] && k < n; k++)
                if (left[i * n + k] && shape->reach[k * n + j])
                    r->product[r->n_products++] =
                        (struct product){i * n + k, k * n + j, i == k && alone[i], k == j && alone[j]};
            if (shape->reach[i * n + j])
                r->sum[r->n_sums++] = (struct sum){i * n + j, r->n_products - before};
        }
}

static bool fits(const struct hl_shape *shape)
{
    bool good = shape->n <= MOST_STATES;
    for (size_t b = 0; b < shape->n_blocks; b++)
        good = good && shape->start[b + 1] - shape->start[b] <= HL_SEED_BLOCK;
    return good;
}

static bool recipe_alloc(struct recipe *r, size_t n)
{
    r->sum = hl_alloc(n * n, sizeof *r->sum);
    r->product = hl_alloc(n * n * n, sizeof *r->product);
    return r->sum && r->product;
}

/* Hands out the rooms of all arrays. */
static bool take_rooms(struct hl_eigen_lanes *e, size_t n)
{
    hl_eight **square[] = {&e->A, &e->A_rest, &e->V, &e->W, &e->E, &e->F, &e->T_rest, &e->M, &e->M_rest,
                           &e->terms, &e->peak};
    struct halves **split[] = {&e->of_A, &e->of_V, &e->of_W, &e->of_T};
    size_t squares = sizeof square / sizeof *square, splits = sizeof split / sizeof *split;
    hl_eight *room = hl_alloc((squares + 2 * splits) * n * n + 3 * n + e->full.n_products, sizeof *room);
    e->room = room;
    for (size_t k = 0; room && k < squares; k++, room += n * n)
        *square[k] = room;
    for (size_t k = 0; room && k < splits; k++, room += 2 * n * n)
        *split[k] = (struct halves *)room;
    e->lambda = room;
    e->x = room ? room + n : NULL;
    e->exponential = room ? room + 2 * n : NULL;
    e->term = room ? room + 3 * n : NULL;
    return room;
}

struct hl_eigen_lanes *hl_eigen_lanes_create(const struct hl_component *component)
{
    const struct hl_shape *shape = &component->shape;
    struct hl_eigen_lanes *e = hl_alloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->component = component;
    e->fits = fits(shape);
    size_t n = e->fits ? shape->n : 0;
    e->edge = hl_alloc(n * n, sizeof *e->edge);
    bool good = recipe_alloc(&e->with_edges, n) && recipe_alloc(&e->full, n) && e->edge;
    for (size_t k = 0; good && e->fits && k < component->n_entries; k++)
        e->edge[component->entry[k].row * n + component->entry[k].col] = true;
    if (good && e->fits) {
        write_recipe(&e->with_edges, shape, e->edge);
        write_recipe(&e->full, shape, shape->reach);
    }
    if (good && take_rooms(e, n))
        return e;
    hl_eigen_lanes_free(e);
    return NULL;
}

void hl_eigen_lanes_free(struct hl_eigen_lanes *e)
{
    if (!e)
        return;
    void *part[] = {e->edge, e->with_edges.sum, e->with_edges.product, e->full.sum, e->full.product, e->room, e};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* ---- Sums with a rest */

/* *sum += x, what is rounded away goes to *rest. */
HL_INLINE void two_sum(const hl_eight *x, hl_eight *sum, hl_eight *rest)
{
    hl_eight before = *sum, after = before + *x, part = after - before;
    *rest += (before - (after - part)) + (*x - part);
    *sum = after;
}

HL_INLINE void halve(const hl_eight *x, struct halves *h)
{
    hl_eight t = *x * HALVES;
    h->x = *x;
    h->high = t - (t - *x);
}

/* *sum += x + x_rest. */
HL_INLINE void add(const hl_eight *x, const hl_eight *x_rest, hl_eight *sum, hl_eight *rest)
{
    *rest += *x_rest;
    two_sum(x, sum, rest);
}

HL_INLINE void add_product(const struct halves *a, const struct halves *b, hl_eight *sum, hl_eight *rest)
{
    hl_eight p = a->x * b->x, a_low = a->x - a->high, b_low = b->x - b->high;
    *rest += ((a->high * b->high - p) + a->high * b_low + a_low * b->high) + a_low * b_low;
    two_sum(&p, sum, rest);
}

/* The rate matrices, and their halves. */
HL_CLONES static void fill(struct hl_eigen_lanes *e, const double *regs, size_t stride, hl_eight_bits *good)
{
    const struct hl_component *c = e->component;
    size_t n = c->shape.n;
    memset(e->A, 0, n * n * sizeof *e->A);
    memset(e->A_rest, 0, n * n * sizeof *e->A_rest);
    for (size_t k = 0; k < c->n_entries; k++) {
        size_t at = c->entry[k].row * n + c->entry[k].col;
        hl_eight x = *(const hl_eight_loose *)(regs + (size_t)c->entry[k].reg * stride);
        two_sum(&x, &e->A[at], &e->A_rest[at]);
    }
    for (size_t at = 0; at < n * n; at++) {
        if (!e->edge[at])
            continue;
        hl_eight x = e->A[at], rest = {0};
        two_sum(&e->A_rest[at], &x, &rest);
        e->A[at] = x;
        e->A_rest[at] = rest;
        halve(&x, &e->of_A[at]);
        *good &= x - x == 0.0; /* finite */
    }
}

/* ---- The correction */

/* T = A V with its rest, halved. */
HL_INLINE void multiply_right(struct hl_eigen_lanes *e)
{
    const struct product *p = e->with_edges.product;
    for (size_t s = 0; s < e->with_edges.n_sums; s++) {
        hl_eight sum = {0}, rest = {0};
        for (const struct product *end = p + e->with_edges.sum[s].n; p < end; p++) {
            if (p->b_is_one)
                add(&e->A[p->a], &e->A_rest[p->a], &sum, &rest);
            else {
                add_product(&e->of_A[p->a], &e->of_V[p->b], &sum, &rest);
                rest += e->A_rest[p->a] * e->V[p->b];
            }
        }
        halve(&sum, &e->of_T[e->with_edges.sum[s].to]);
        e->T_rest[e->with_edges.sum[s].to] = rest;
    }
}

/* M = W T with its rest, and E = W V - 1. */
HL_INLINE void multiply_left(struct hl_eigen_lanes *e, size_t n)
{
    const hl_eight zero = {0};
    const struct product *p = e->full.product;
    for (size_t s = 0; s < e->full.n_sums; s++) {
        hl_eight sum = {0}, rest = {0}, unit = {0}, unit_rest = {0};
        size_t to = e->full.sum[s].to;
        if (to % (n + 1) == 0)
            unit -= 1.0;
        for (const struct product *end = p + e->full.sum[s].n; p < end; p++) {
            if (p->a_is_one)
                add(&e->of_T[p->b].x, &e->T_rest[p->b], &sum, &rest);
            else {
                add_product(&e->of_W[p->a], &e->of_T[p->b], &sum, &rest);
                rest += e->W[p->a] * e->T_rest[p->b];
            }
            if (p->a_is_one || p->b_is_one)
                add(p->a_is_one ? &e->V[p->b] : &e->W[p->a], &zero, &unit, &unit_rest);
            else
                add_product(&e->of_W[p->a], &e->of_V[p->b], &unit, &unit_rest);
        }
        e->M[to] = sum;
        e->M_rest[to] = rest;
        e->E[to] = unit + unit_rest;
    }
}

HL_INLINE void find_residuals(struct hl_eigen_lanes *e, size_t n)
{
    for (size_t s = 0; s < e->full.n_sums; s++) {
        size_t at = e->full.sum[s].to;
        halve(&e->V[at], &e->of_V[at]);
        halve(&e->W[at], &e->of_W[at]);
    }
    multiply_right(e);
    multiply_left(e, n);
}

/* *good: neither NaN nor larger than bound. */
HL_INLINE void must_be_below(const hl_eight *x, const hl_eight *bound, hl_eight_bits *good)
{
    hl_eight size;
    hl_eight_size(x, &size);
    *good &= size <= *bound;
}

/* lambda; C in M; F. */
HL_INLINE void find_corrections(struct hl_eigen_lanes *e, size_t n, hl_eight_bits *good)
{
    const hl_eight settled = (hl_eight){0} + SETTLED;
    for (size_t j = 0; j < n; j++) {
        size_t at = j * (n + 1);
        e->lambda[j] = e->M[at] + (e->M_rest[at] - e->E[at] * e->M[at]);
        e->F[at] = (hl_eight){0};
        must_be_below(&e->E[at], &settled, good);
    }
    for (size_t s = 0; s < e->full.n_sums; s++) {
        size_t at = e->full.sum[s].to, i = at / n, j = at % n;
        if (i == j)
            continue;
        e->M[at] = (e->M[at] + e->M_rest[at]) - e->E[at] * e->lambda[j];
        e->F[at] = e->M[at] / (e->lambda[j] - e->lambda[i]);
        must_be_below(&e->F[at], &settled, good);
        must_be_below(&e->E[at], &settled, good);
    }
}

/* What the first order leaves out of lambda: states of a block only. */
HL_INLINE void judge_rates(const struct hl_eigen_lanes *e, const struct hl_shape *shape, hl_eight_bits *good)
{
    size_t n = shape->n;
    for (size_t b = 0; b < shape->n_blocks; b++)
        for (size_t j = shape->start[b]; shape->start[b] + 1 < shape->start[b + 1] && j < shape->start[b + 1]; j++) {
            hl_eight left_out = {0}, bound, a, c, d;
            for (size_t k = shape->start[b]; k < shape->start[b + 1]; k++) {
                if (k == j)
                    continue;
                hl_eight_size(&e->F[j * n + k], &a);
                hl_eight_size(&e->E[j * n + k], &c);
                hl_eight_size(&e->M[k * n + j], &d);
                left_out += (a + c) * d;
            }
            hl_eight_size(&e->lambda[j], &bound);
            bound *= HARMLESS;
            must_be_below(&left_out, &bound, good);
        }
}

/* V (1 + F) and (1 - F - E) W, into M and T_rest, then back. */
HL_INLINE void correct_vectors(struct hl_eigen_lanes *e)
{
    const struct product *p = e->full.product;
    for (size_t s = 0; s < e->full.n_sums; s++)
        e->E[e->full.sum[s].to] += e->F[e->full.sum[s].to];
    for (size_t s = 0; s < e->full.n_sums; s++) {
        hl_eight right = {0}, left = {0};
        for (const struct product *end = p + e->full.sum[s].n; p < end; p++) {
            right += e->V[p->a] * e->F[p->b];
            left += e->E[p->a] * e->W[p->b];
        }
        e->M[e->full.sum[s].to] = right;
        e->M_rest[e->full.sum[s].to] = left;
    }
    for (size_t s = 0; s < e->full.n_sums; s++) {
        size_t at = e->full.sum[s].to;
        e->V[at] += e->M[at];
        e->W[at] -= e->M_rest[at];
    }
}

/* Columns of V, and rows of W, by powers of two: the largest entry of a column is between 1 and 2. */
HL_INLINE void scale_vectors(struct hl_eigen_lanes *e, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        hl_eight largest = {0}, size;
        for (size_t i = 0; i < n; i++) {
            hl_eight_size(&e->V[i * n + j], &size);
            hl_eight_bits larger = size > largest;
            hl_eight_choose(&larger, &size, &largest);
        }
        hl_eight_bits exponent = (hl_eight_bits)largest & ((int64_t)0x7ff << 52);
        hl_eight up = (hl_eight)exponent, down = (hl_eight)(((int64_t)2046 << 52) - exponent);
        for (size_t i = 0; i < n; i++) {
            e->V[i * n + j] *= down;
            e->W[j * n + i] *= up;
        }
    }
}

HL_CLONES static void correct(struct hl_eigen_lanes *e, hl_eight_bits *good)
{
    const struct hl_shape *shape = &e->component->shape;
    find_residuals(e, shape->n);
    find_corrections(e, shape->n, good);
    judge_rates(e, shape, good);
    correct_vectors(e);
    scale_vectors(e, shape->n);
}

/* ---- The loss */

/* Every response's terms, and what it is at once: its first peak. */
HL_INLINE void find_terms(struct hl_eigen_lanes *e, size_t n)
{
    for (size_t s = 0, first = 0; s < e->full.n_sums; first += e->full.sum[s++].n) {
        hl_eight sum = {0}, size;
        for (size_t m = first; m < first + e->full.sum[s].n; m++) {
            e->term[m] = e->V[e->full.product[m].a] * e->W[e->full.product[m].b];
            hl_eight_size(&e->term[m], &size);
            sum += size;
        }
        e->terms[s] = sum;
        e->peak[s] = (hl_eight){0} + (e->full.sum[s].to % (n + 1) == 0 ? 1.0 : 0.0);
    }
}

/* Raises the peaks by what the responses are after a time of each lane. */
HL_INLINE void note_peaks(struct hl_eigen_lanes *e, size_t n, const hl_eight_bits *looked)
{
    for (size_t s = 0, first = 0; s < e->full.n_sums; first += e->full.sum[s++].n) {
        hl_eight response = {0}, size;
        for (size_t m = first; m < first + e->full.sum[s].n; m++)
            response += e->term[m] * e->exponential[e->full.product[m].a % n];
        hl_eight_size(&response, &size);
        hl_eight_bits higher = (size > e->peak[s]) & *looked;
        hl_eight_choose(&higher, &size, &e->peak[s]);
    }
}

/* Lanes of good none of whose losses exceeds the bound. */
HL_INLINE void find_clean(const struct hl_eigen_lanes *e, const hl_eight_bits *good, hl_eight_bits *clean)
{
    *clean = *good;
    for (size_t s = 0; s < e->full.n_sums; s++)
        *clean &= e->terms[s] <= HL_MODES_MAX_LOSS * e->peak[s];
}

/* Exponents of the modes at time number t: 1/|lambda_t|, after all modes the horizon. A time beyond the horizon isn't
 * looked at. */
HL_INLINE void choose_time(struct hl_eigen_lanes *e, size_t n, const double *horizon, size_t t, hl_eight_bits *looked)
{
    hl_eight end = *(const hl_eight_loose *)horizon, time = end, speed;
    *looked = end - end == 0.0; /* finite */
    if (t < n) {
        hl_eight_size(&e->lambda[t], &speed);
        time = 1.0 / speed;
        *looked = (speed > 0.0) & (time < end);
    }
    time = (hl_eight)((hl_eight_bits)time & *looked);
    for (size_t j = 0; j < n; j++)
        e->x[j] = e->lambda[j] * time;
}

/* True when a lane is good, but not clean yet. */
HL_INLINE bool any_left(const hl_eight_bits *good, const hl_eight_bits *clean)
{
    int64_t left = 0;
    for (int l = 0; l < HL_ROW; l++)
        left |= (*good)[l] & ~(*clean)[l];
    return left != 0;
}

/* Peaks only rise, so a lane that is clean stays so: once all are, the other times needn't be looked at. */
HL_CLONES static void judge_loss(struct hl_eigen_lanes *e, const double *horizon, hl_eight_bits *good)
{
    size_t n = e->component->shape.n;
    hl_eight_bits clean, looked;
    find_terms(e, n);
    find_clean(e, good, &clean);
    for (size_t t = 0; t <= n && any_left(good, &clean); t++) {
        choose_time(e, n, horizon, t, &looked);
        hl_vector_exp((const double *)e->x, (double *)e->exponential, n * HL_ROW);
        note_peaks(e, n, &looked);
        find_clean(e, good, &clean);
    }
    *good = clean;
}

/* ---- Together */

HL_CLONES static unsigned hand_over(const struct hl_eigen_lanes *e, const hl_eight_bits *good, double *lambda,
                                    double *V, double *W)
{
    size_t n = e->component->shape.n;
    unsigned solved = 0;
    for (size_t j = 0; j < n; j++)
        *(hl_eight *)(lambda + j * HL_ROW) = (hl_eight)((hl_eight_bits)e->lambda[j] & *good);
    for (size_t k = 0; k < n * n; k++) {
        *(hl_eight *)(V + k * HL_ROW) = (hl_eight)((hl_eight_bits)e->V[k] & *good);
        *(hl_eight *)(W + k * HL_ROW) = (hl_eight)((hl_eight_bits)e->W[k] & *good);
    }
    for (unsigned l = 0; l < HL_ROW; l++)
        solved |= (*good)[l] ? 1u << l : 0;
    return solved;
}

unsigned hl_eigen_lanes_solve(struct hl_eigen_lanes *e, const double *regs, size_t stride, const double *horizon,
                              double *lambda, double *V, double *W)
{
    const struct hl_shape *shape = &e->component->shape;
    size_t n = shape->n;
    hl_eight_bits good = ~(hl_eight_bits){0};
    if (!e->fits) {
        memset(lambda, 0, n * sizeof(hl_eight));
        memset(V, 0, n * n * sizeof(hl_eight));
        memset(W, 0, n * n * sizeof(hl_eight));
        return 0;
    }
    fill(e, regs, stride, &good);
    hl_eigen_seed(e->A, shape, e->edge, e->lambda, e->V, e->W, &good);
    correct(e, &good);
    judge_loss(e, horizon, &good);
    return hand_over(e, &good, lambda, V, W);
}
