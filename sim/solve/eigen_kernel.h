/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What eigen_lanes.h promises, for PART lanes at a time in vectors of that many doubles. Included by a source file for
 * each width, which says what PART is and KERNEL is called, and for which instruction set all this is compiled. They
 * are files of their own because GCC takes vectors that are wider than the machine's apart before it makes clones, and
 * badly: eight lanes compiled by HL_CLONES for AVX2 took four times as long.
 *
 * Approximations V, W and lambda (eigen_seed.h, double precision) are made right by one step of Newton's method for
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
 * A lane that fails any test is left to the scalar way. Everything is plain arithmetic on lanes that never meet.
 * Vectors are passed by address, so that no calling convention depends on the instruction set. */
#define INLINE static inline __attribute__((always_inline))

typedef double lanes __attribute__((vector_size(PART * sizeof(double))));
typedef int64_t bits __attribute__((vector_size(PART * sizeof(int64_t)))); /* all ones: true, as comparisons give */
typedef double loose __attribute__((vector_size(PART * sizeof(double)), aligned(8))); /* from anywhere */

#define SETTLED 1e-9
#define HARMLESS 1e-17
#define SPLITTER 134217729.0 /* 2^27 + 1 */

/* high and x - high have no more than 26 bits each. */
struct halves { lanes x, high; };

/* Row k of an array of e. */
#define ROW(array, k) (((lanes *)e->array)[k])
#define HALVES_OF(array, k) (((struct halves *)e->array)[k])

/* *b = a where the mask is true. */
INLINE void choose(const bits *mask, const lanes *a, lanes *b)
{
    *b = (lanes)(((bits)*a & *mask) | ((bits)*b & ~*mask));
}

INLINE void size_of(const lanes *x, lanes *size)
{
    *size = (lanes)((bits)*x & INT64_MAX);
}

/* The square root, 0 for what isn't above 0. */
INLINE void root_of(const lanes *x, lanes *root)
{
    for (int l = 0; l < PART; l++)
        (*root)[l] = (*x)[l] > 0 ? __builtin_sqrt((*x)[l]) : 0;
}

/* y with the sign of x. */
INLINE void take_sign(const lanes *x, lanes *y)
{
    *y = (lanes)(((bits)*y & INT64_MAX) | ((bits)*x & INT64_MIN));
}

#include "solve/eigen_seed.h"

/* ---- Sums with a rest */

/* *sum += x, what is rounded away goes to *rest. */
INLINE void two_sum(const lanes *x, lanes *sum, lanes *rest)
{
    lanes before = *sum, after = before + *x, part = after - before;
    *rest += (before - (after - part)) + (*x - part);
    *sum = after;
}

INLINE void halve(const lanes *x, struct halves *h)
{
    lanes t = *x * SPLITTER;
    h->x = *x;
    h->high = t - (t - *x);
}

/* *sum += x + x_rest. */
INLINE void add(const lanes *x, const lanes *x_rest, lanes *sum, lanes *rest)
{
    *rest += *x_rest;
    two_sum(x, sum, rest);
}

INLINE void add_product(const struct halves *a, const struct halves *b, lanes *sum, lanes *rest)
{
    lanes p = a->x * b->x, a_low = a->x - a->high, b_low = b->x - b->high;
    *rest += ((a->high * b->high - p) + a->high * b_low + a_low * b->high) + a_low * b_low;
    two_sum(&p, sum, rest);
}

/* The rate matrices, and their halves. */
static void fill(struct hl_eigen_lanes *e, const double *regs, size_t stride, bits *good)
{
    const struct hl_component *c = e->component;
    size_t n = c->shape.n;
    memset(e->A, 0, n * n * sizeof(lanes));
    memset(e->A_rest, 0, n * n * sizeof(lanes));
    for (size_t k = 0; k < c->n_entries; k++) {
        size_t at = c->entry[k].row * n + c->entry[k].col;
        lanes x = *(const loose *)(regs + (size_t)c->entry[k].reg * stride);
        two_sum(&x, &ROW(A, at), &ROW(A_rest, at));
    }
    for (size_t at = 0; at < n * n; at++) {
        if (!e->edge[at])
            continue;
        lanes x = ROW(A, at), rest = {0};
        two_sum(&ROW(A_rest, at), &x, &rest);
        ROW(A, at) = x;
        ROW(A_rest, at) = rest;
        halve(&x, &HALVES_OF(of_A, at));
        *good &= x - x == 0.0; /* finite */
    }
}

/* ---- The correction */

/* T = A V with its rest, halved. */
INLINE void multiply_right(struct hl_eigen_lanes *e)
{
    const struct product *p = e->with_edges.product;
    for (size_t s = 0; s < e->with_edges.n_sums; s++) {
        lanes sum = {0}, rest = {0};
        for (const struct product *end = p + e->with_edges.sum[s].n; p < end; p++) {
            if (p->b_is_one)
                add(&ROW(A, p->a), &ROW(A_rest, p->a), &sum, &rest);
            else {
                add_product(&HALVES_OF(of_A, p->a), &HALVES_OF(of_V, p->b), &sum, &rest);
                rest += ROW(A_rest, p->a) * ROW(V, p->b);
            }
        }
        halve(&sum, &HALVES_OF(of_T, e->with_edges.sum[s].to));
        ROW(T_rest, e->with_edges.sum[s].to) = rest;
    }
}

/* M = W T with its rest, and E = W V - 1. */
INLINE void multiply_left(struct hl_eigen_lanes *e, size_t n)
{
    const lanes zero = {0};
    const struct product *p = e->full.product;
    for (size_t s = 0; s < e->full.n_sums; s++) {
        lanes sum = {0}, rest = {0}, unit = {0}, unit_rest = {0};
        size_t to = e->full.sum[s].to;
        if (to % (n + 1) == 0)
            unit -= 1.0;
        for (const struct product *end = p + e->full.sum[s].n; p < end; p++) {
            if (p->a_is_one)
                add(&HALVES_OF(of_T, p->b).x, &ROW(T_rest, p->b), &sum, &rest);
            else {
                add_product(&HALVES_OF(of_W, p->a), &HALVES_OF(of_T, p->b), &sum, &rest);
                rest += ROW(W, p->a) * ROW(T_rest, p->b);
            }
            if (p->a_is_one || p->b_is_one)
                add(p->a_is_one ? &ROW(V, p->b) : &ROW(W, p->a), &zero, &unit, &unit_rest);
            else
                add_product(&HALVES_OF(of_W, p->a), &HALVES_OF(of_V, p->b), &unit, &unit_rest);
        }
        ROW(M, to) = sum;
        ROW(M_rest, to) = rest;
        ROW(E, to) = unit + unit_rest;
    }
}

INLINE void find_residuals(struct hl_eigen_lanes *e, size_t n)
{
    for (size_t s = 0; s < e->full.n_sums; s++) {
        size_t at = e->full.sum[s].to;
        halve(&ROW(V, at), &HALVES_OF(of_V, at));
        halve(&ROW(W, at), &HALVES_OF(of_W, at));
    }
    multiply_right(e);
    multiply_left(e, n);
}

/* *good: neither NaN nor larger than bound. */
INLINE void must_be_below(const lanes *x, const lanes *bound, bits *good)
{
    lanes size;
    size_of(x, &size);
    *good &= size <= *bound;
}

/* lambda; C in M; F. */
INLINE void find_corrections(struct hl_eigen_lanes *e, size_t n, bits *good)
{
    const lanes settled = (lanes){0} + SETTLED;
    for (size_t j = 0; j < n; j++) {
        size_t at = j * (n + 1);
        ROW(lambda, j) = ROW(M, at) + (ROW(M_rest, at) - ROW(E, at) * ROW(M, at));
        ROW(F, at) = (lanes){0};
        must_be_below(&ROW(E, at), &settled, good);
    }
    for (size_t s = 0; s < e->full.n_sums; s++) {
        size_t at = e->full.sum[s].to, i = at / n, j = at % n;
        if (i == j)
            continue;
        ROW(M, at) = (ROW(M, at) + ROW(M_rest, at)) - ROW(E, at) * ROW(lambda, j);
        ROW(F, at) = ROW(M, at) / (ROW(lambda, j) - ROW(lambda, i));
        must_be_below(&ROW(F, at), &settled, good);
        must_be_below(&ROW(E, at), &settled, good);
    }
}

/* What the first order leaves out of lambda: states of a block only. */
INLINE void judge_rates(const struct hl_eigen_lanes *e, const struct hl_shape *shape, bits *good)
{
    size_t n = shape->n;
    for (size_t b = 0; b < shape->n_blocks; b++)
        for (size_t j = shape->start[b]; shape->start[b] + 1 < shape->start[b + 1] && j < shape->start[b + 1]; j++) {
            lanes left_out = {0}, bound, a, c, d;
            for (size_t k = shape->start[b]; k < shape->start[b + 1]; k++) {
                if (k == j)
                    continue;
                size_of(&ROW(F, j * n + k), &a);
                size_of(&ROW(E, j * n + k), &c);
                size_of(&ROW(M, k * n + j), &d);
                left_out += (a + c) * d;
            }
            size_of(&ROW(lambda, j), &bound);
            bound *= HARMLESS;
            must_be_below(&left_out, &bound, good);
        }
}

/* V (1 + F) and (1 - F - E) W, into M and T_rest, then back. */
INLINE void correct_vectors(struct hl_eigen_lanes *e)
{
    const struct product *p = e->full.product;
    for (size_t s = 0; s < e->full.n_sums; s++)
        ROW(E, e->full.sum[s].to) += ROW(F, e->full.sum[s].to);
    for (size_t s = 0; s < e->full.n_sums; s++) {
        lanes right = {0}, left = {0};
        for (const struct product *end = p + e->full.sum[s].n; p < end; p++) {
            right += ROW(V, p->a) * ROW(F, p->b);
            left += ROW(E, p->a) * ROW(W, p->b);
        }
        ROW(M, e->full.sum[s].to) = right;
        ROW(M_rest, e->full.sum[s].to) = left;
    }
    for (size_t s = 0; s < e->full.n_sums; s++) {
        size_t at = e->full.sum[s].to;
        ROW(V, at) += ROW(M, at);
        ROW(W, at) -= ROW(M_rest, at);
    }
}

/* Columns of V, and rows of W, by powers of two: the largest entry of a column is between 1 and 2. */
INLINE void scale_vectors(struct hl_eigen_lanes *e, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        lanes largest = {0}, size;
        for (size_t i = 0; i < n; i++) {
            size_of(&ROW(V, i * n + j), &size);
            bits larger = size > largest;
            choose(&larger, &size, &largest);
        }
        bits exponent = (bits)largest & ((int64_t)0x7ff << 52);
        lanes up = (lanes)exponent, down = (lanes)(((int64_t)2046 << 52) - exponent);
        for (size_t i = 0; i < n; i++) {
            ROW(V, i * n + j) *= down;
            ROW(W, j * n + i) *= up;
        }
    }
}

static void correct(struct hl_eigen_lanes *e, bits *good)
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
INLINE void find_terms(struct hl_eigen_lanes *e, size_t n)
{
    for (size_t s = 0, first = 0; s < e->full.n_sums; first += e->full.sum[s++].n) {
        lanes sum = {0}, size;
        for (size_t m = first; m < first + e->full.sum[s].n; m++) {
            ROW(term, m) = ROW(V, e->full.product[m].a) * ROW(W, e->full.product[m].b);
            size_of(&ROW(term, m), &size);
            sum += size;
        }
        ROW(terms, s) = sum;
        ROW(peak, s) = (lanes){0} + (e->full.sum[s].to % (n + 1) == 0 ? 1.0 : 0.0);
    }
}

/* Raises the peaks by what the responses are after a time of each lane. */
INLINE void note_peaks(struct hl_eigen_lanes *e, size_t n, const bits *looked)
{
    for (size_t s = 0, first = 0; s < e->full.n_sums; first += e->full.sum[s++].n) {
        lanes response = {0}, size;
        for (size_t m = first; m < first + e->full.sum[s].n; m++)
            response += ROW(term, m) * ROW(exponential, e->full.product[m].a % n);
        size_of(&response, &size);
        bits higher = (size > ROW(peak, s)) & *looked;
        choose(&higher, &size, &ROW(peak, s));
    }
}

/* Lanes of good none of whose losses exceeds the bound. */
INLINE void find_clean(const struct hl_eigen_lanes *e, const bits *good, bits *clean)
{
    *clean = *good;
    for (size_t s = 0; s < e->full.n_sums; s++)
        *clean &= ROW(terms, s) <= HL_MODES_MAX_LOSS * ROW(peak, s);
}

/* Exponents of the modes at time number t: 1/|lambda_t|, after all modes the horizon. A time beyond the horizon isn't
 * looked at. */
INLINE void choose_time(struct hl_eigen_lanes *e, size_t n, const double *horizon, size_t t, bits *looked)
{
    lanes end = *(const loose *)horizon, time = end, speed;
    *looked = end - end == 0.0; /* finite */
    if (t < n) {
        size_of(&ROW(lambda, t), &speed);
        time = 1.0 / speed;
        *looked = (speed > 0.0) & (time < end);
    }
    time = (lanes)((bits)time & *looked);
    for (size_t j = 0; j < n; j++)
        ROW(x, j) = ROW(lambda, j) * time;
}

/* True when a lane is good, but not clean yet. */
INLINE bool any_left(const bits *good, const bits *clean)
{
    int64_t left = 0;
    for (int l = 0; l < PART; l++)
        left |= (*good)[l] & ~(*clean)[l];
    return left != 0;
}

/* Peaks only rise, so a lane that is clean stays so: once all are, the other times needn't be looked at. */
static void judge_loss(struct hl_eigen_lanes *e, const double *horizon, bits *good)
{
    size_t n = e->component->shape.n;
    bits clean, looked;
    find_terms(e, n);
    find_clean(e, good, &clean);
    for (size_t t = 0; t <= n && any_left(good, &clean); t++) {
        choose_time(e, n, horizon, t, &looked);
        hl_vector_exp(e->x, e->exponential, (n * PART + HL_ROW - 1) / HL_ROW * HL_ROW);
        note_peaks(e, n, &looked);
        find_clean(e, good, &clean);
    }
    *good = clean;
}

/* ---- Together */

static unsigned hand_over(const struct hl_eigen_lanes *e, const bits *good, double *lambda, double *V, double *W)
{
    size_t n = e->component->shape.n;
    unsigned solved = 0;
    for (size_t j = 0; j < n; j++)
        *(lanes *)(lambda + j * HL_ROW) = (lanes)((bits)ROW(lambda, j) & *good);
    for (size_t k = 0; k < n * n; k++) {
        *(lanes *)(V + k * HL_ROW) = (lanes)((bits)ROW(V, k) & *good);
        *(lanes *)(W + k * HL_ROW) = (lanes)((bits)ROW(W, k) & *good);
    }
    for (unsigned l = 0; l < PART; l++)
        solved |= (*good)[l] ? 1u << l : 0;
    return solved;
}


unsigned KERNEL(struct hl_eigen_lanes *e, const double *regs, size_t stride, const double *horizon, double *lambda,
                double *V, double *W)
{
    bits good = ~(bits){0};
    fill(e, regs, stride, &good);
    seed(&ROW(A, 0), &e->component->shape, e->edge, &ROW(lambda, 0), &ROW(V, 0), &ROW(W, 0), &good);
    correct(e, &good);
    judge_loss(e, horizon, &good);
    return hand_over(e, &good, lambda, V, W);
}
