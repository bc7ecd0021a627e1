/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops of batch_series.c for one width of vectors; included there once per
 * instruction set, with W (doubles per vector), TARGET (attribute of functions) and
 * NAME (what makes names differ). All work on 2W lanes beginning with lane number
 * at: a pair of vectors, so that while one waits for its result the other computes. */

typedef double NAME(piece) __attribute__((vector_size(W * sizeof(double)), may_alias));
typedef int64_t NAME(bits) __attribute__((vector_size(W * sizeof(int64_t)), may_alias));
struct NAME(pair) { NAME(piece) a, b; };

#define PIECE NAME(piece)
#define BITS NAME(bits)
#define PAIR struct NAME(pair)
#define INLINE TARGET static inline __attribute__((always_inline))
#define AT(p) (*(const PIECE *)(p))
#define TO(p) (*(PIECE *)(p))

INLINE void NAME(load)(PAIR *x, const double *p)
{
    x->a = AT(p);
    x->b = AT(p + W);
}

INLINE void NAME(store)(double *p, const PAIR *x)
{
    TO(p) = x->a;
    TO(p + W) = x->b;
}

INLINE void NAME(zero)(PAIR *x)
{
    x->a = (PIECE){0};
    x->b = (PIECE){0};
}

INLINE void NAME(add_row)(PAIR *sum, const double *p)
{
    sum->a += AT(p);
    sum->b += AT(p + W);
}

INLINE void NAME(add_product)(PAIR *sum, const double *p, const double *q)
{
    sum->a += AT(p) * AT(q);
    sum->b += AT(p + W) * AT(q + W);
}

INLINE void NAME(multiply)(PAIR *x, const double *p)
{
    x->a *= AT(p);
    x->b *= AT(p + W);
}

/* ---- Order by order */

#define TERM(j) case (j) + 1: NAME(add_product)((j) % 2 ? &odd : &even, x + (j) * R, y - (j) * R); \
    __attribute__((fallthrough))

/* sum of x_j y_{k-j} for j = k - 1 .. 0; y points at coefficient k. One jump, then a straight line. What was made last
 * should come last: y_k. */
INLINE void NAME(convolve)(const double *x, const double *y, size_t k, PAIR *sum)
{
    PAIR even, odd;
    NAME(zero)(&even);
    NAME(zero)(&odd);
    switch (k) {
        TERM(29); TERM(28); TERM(27); TERM(26); TERM(25); TERM(24); TERM(23); TERM(22); TERM(21); TERM(20);
        TERM(19); TERM(18); TERM(17); TERM(16); TERM(15); TERM(14); TERM(13); TERM(12); TERM(11); TERM(10);
        TERM(9); TERM(8); TERM(7); TERM(6); TERM(5); TERM(4); TERM(3); TERM(2); TERM(1); TERM(0);
    default:
        break;
    }
    sum->a = odd.a + even.a;
    sum->b = odd.b + even.b;
}

#undef TERM

INLINE void NAME(product)(const struct hl_batch_part *p, size_t k, size_t at)
{
    PAIR sum;
    const double *a = p->a + at, *b = p->b + at;
    NAME(convolve)(a, b + k * R, k, &sum);
    NAME(add_product)(&sum, a + k * R, b);
    NAME(store)(p->to + at + k * R, &sum);
}

/* spare holds 1 / b_0; where b is constant + coefficient * slot, b is that slot and twin coefficient / b_0. */
INLINE void NAME(begin_quotient)(const struct hl_batch_part *p, size_t at)
{
    for (size_t end = at + 2 * W; at < end; at += W) {
        PIECE b = AT(p->b + at);
        if (p->coef) {
            b = b * AT(p->coef + at);
            b += p->constant ? AT(p->constant + at) : (PIECE){0};
        }
        b = 1.0 / b;
        TO(p->spare + at) = b;
        if (p->coef)
            TO(p->twin + at) = b * AT(p->coef + at);
    }
}

/* Coefficient k of a quotient in a loop, whose denominator's coefficient k was made last. */
INLINE void NAME(quotient)(const struct hl_batch_part *p, size_t k, size_t at)
{
    PAIR sum, x;
    double *to = p->to + at;
    if (k == 0)
        NAME(begin_quotient)(p, at);
    NAME(load)(&x, p->spare + at);
    if (p->a)
        NAME(multiply)(&x, p->a + at + k * R);
    else if (k > 0)
        NAME(zero)(&x);
    NAME(convolve)(to, p->b + at + k * R, k, &sum);
    NAME(multiply)(&sum, (p->coef ? p->twin : p->spare) + at);
    x.a -= sum.a;
    x.b -= sum.b;
    NAME(store)(to + k * R, &x);
}

/* Bit by bit: what isn't chosen may be anything. */
INLINE void NAME(choose)(const struct hl_batch_part *p, size_t k, size_t at)
{
    for (size_t i = 0; i < 2; i++, at += W) {
        BITS first = AT(p->coef + at) != 0.0;
        const double *a = p->a + k * R + at, *b = p->b + k * R + at;
        TO(p->to + k * R + at) = (PIECE)(((BITS)AT(a) & first) | ((BITS)AT(b) & ~first));
    }
}

/* sum of (u + v j) x_{k-j} y_j for j = from .. to. */
INLINE void NAME(weigh)(const double *x, const double *y, size_t k, size_t from, size_t to, const PAIR *u,
                        const PAIR *v, PAIR *sum)
{
    NAME(zero)(sum);
    for (size_t j = from; j <= to; j++) {
        double weight = (double)j;
        sum->a += (u->a + v->a * weight) * AT(x + (k - j) * R) * AT(y + j * R);
        sum->b += (u->b + v->b * weight) * AT(x + (k - j) * R + W) * AT(y + j * R + W);
    }
}

/* Coefficient k > 0. */
INLINE void NAME(function)(const struct hl_batch_part *p, size_t k, size_t at)
{
    const double *a = p->a + at, *inverse = p->spare + at;
    double *to = p->to + at;
    PAIR u, v, sum;
    NAME(zero)(&u);
    v.a = v.b = u.a + 1.0;
    if (p->doing == HL_BATCH_EXP) {
        NAME(weigh)(to, a, k, 1, k, &u, &v, &sum);
    } else if (p->doing == HL_BATCH_PHI) {
        v.a *= PER_SQRT_2PI, v.b *= PER_SQRT_2PI;
        NAME(weigh)(p->b + at, a, k, 1, k, &u, &v, &sum);
    } else if (p->doing == HL_BATCH_LOG) {
        NAME(weigh)(a, to, k, 1, k - 1, &u, &v, &sum);
    } else {
        PAIR n;
        NAME(load)(&n, p->coef + at);
        u.a = n.a * (double)k, u.b = n.b * (double)k;
        v.a = -1.0 - n.a, v.b = -1.0 - n.b;
        NAME(weigh)(a, to, k, 0, k - 1, &u, &v, &sum);
        NAME(multiply)(&sum, inverse);
    }
    sum.a *= 1.0 / (double)k;
    sum.b *= 1.0 / (double)k;
    if (p->doing == HL_BATCH_LOG) {
        sum.a = (AT(a + k * R) - sum.a) * AT(inverse);
        sum.b = (AT(a + k * R + W) - sum.b) * AT(inverse + W);
    }
    NAME(store)(to + k * R, &sum);
}

/* Coefficient k of a sum, of its terms only. */
INLINE void NAME(add_up)(const struct hl_batch_part *p, size_t k, size_t at, PAIR *sum)
{
    NAME(zero)(sum);
    if (p->self)
        NAME(add_product)(sum, p->self + at, p->to + at + k * R);
    for (size_t i = 0; i < p->n; i++)
        NAME(add_product)(sum, p->term[i].coef + at, p->term[i].x + at + k * R);
    if (k == 0 && p->constant)
        NAME(add_row)(sum, p->constant + at);
    if (k == 0 && p->inflow)
        NAME(add_row)(sum, p->inflow + at);
}

/* What series one part has: coefficient k, or k + 1 of what moves. */
TARGET static void NAME(one_order)(const struct hl_batch_part *p, size_t k, size_t at)
{
    PAIR sum;
    switch (p->doing) {
    case HL_BATCH_SUM:
        NAME(add_up)(p, k, at, &sum);
        NAME(store)(p->to + at + k * R, &sum);
        break;
    case HL_BATCH_DO_RATE:
        NAME(add_up)(p, k, at, &sum);
        sum.a += AT(p->slow + at) * (double)k * AT(p->to + at + k * R);
        sum.b += AT(p->slow + at + W) * (double)k * AT(p->to + at + k * R + W);
        sum.a *= share_of[k];
        sum.b *= share_of[k];
        NAME(store)(p->to + at + (k + 1) * R, &sum);
        break;
    case HL_BATCH_PRODUCT: NAME(product)(p, k, at); break;
    case HL_BATCH_QUOTIENT: NAME(quotient)(p, k, at); break;
    case HL_BATCH_SELECT: NAME(choose)(p, k, at); break;
    default:
        if (k == 0)
            begin_function(p, at, 2 * W);
        else
            NAME(function)(p, k, at);
    }
}

/* ---- All orders at once */

/* n terms of coefficient k; fresh: the sum is nothing yet. */
INLINE void NAME(add_terms)(const PAIR *c, const double *const *x, size_t n, bool fresh, size_t k, PAIR *sum)
{
    UNROLL
    for (size_t i = 0; i < n; i++) {
        PAIR term = c[i];
        NAME(multiply)(&term, x[i] + k * R);
        if (i > 0 || !fresh) {
            term.a += sum->a;
            term.b += sum->b;
        }
        *sum = term;
    }
}

/* Into coefficients of a series: n terms, onto what is there already when more is true. */
INLINE void NAME(sum_of)(const struct hl_batch_address *term, size_t n, bool more, double *to, size_t order, size_t at)
{
    PAIR c[4];
    const double *x[4];
    UNROLL
    for (size_t i = 0; i < n; i++) {
        NAME(load)(&c[i], term[i].coef + at);
        x[i] = term[i].x + at;
    }
    for (size_t k = 0; k < order; k++) {
        PAIR sum;
        NAME(zero)(&sum);
        if (more)
            NAME(load)(&sum, to + k * R);
        NAME(add_terms)(c, x, n, !more, k, &sum);
        NAME(store)(to + k * R, &sum);
    }
}

TARGET static void NAME(whole_sum)(const struct hl_batch_part *p, double *to, size_t order, size_t at)
{
    bool more = false;
    size_t done = 0;
    do {
        const struct hl_batch_address *term = p->term + done;
        switch (p->n - done) {
        case 0: NAME(sum_of)(term, 0, more, to, order, at); break;
        case 1: NAME(sum_of)(term, 1, more, to, order, at); break;
        case 2: NAME(sum_of)(term, 2, more, to, order, at); break;
        case 3: NAME(sum_of)(term, 3, more, to, order, at); break;
        default: NAME(sum_of)(term, 4, more, to, order, at); break;
        }
        done += 4;
        more = true;
    } while (done < p->n);
    PAIR first;
    NAME(load)(&first, to);
    if (p->constant)
        NAME(add_row)(&first, p->constant + at);
    if (p->inflow)
        NAME(add_row)(&first, p->inflow + at);
    NAME(store)(to, &first);
}

/* to' = sum + self to with n terms, or, for more, with the sum's coefficient k standing where coefficient k + 1 will:
 * y_{k+1} = sum_k / (k + 1) + ((self + k slow) / (k + 1)) y_k. What isn't y itself is ready before. */
INLINE void NAME(rate_of)(const struct hl_batch_part *p, size_t n, bool more, size_t order, size_t at)
{
    double *to = p->to + at;
    PAIR c[4], y, a, first, slow;
    const double *x[4];
    UNROLL
    for (size_t i = 0; i < n; i++) {
        NAME(load)(&c[i], p->term[i].coef + at);
        x[i] = p->term[i].x + at;
    }
    NAME(load)(&y, to);
    NAME(load)(&slow, p->slow + at);
    NAME(zero)(&a);
    NAME(zero)(&first);
    if (p->self)
        NAME(load)(&a, p->self + at);
    if (!more && p->constant)
        NAME(add_row)(&first, p->constant + at);
    if (!more && p->inflow)
        NAME(add_row)(&first, p->inflow + at);
    for (size_t k = 0; k < order; k++) {
        double share = share_of[k];
        PAIR sum;
        NAME(zero)(&sum);
        if (more)
            NAME(load)(&sum, to + (k + 1) * R);
        NAME(add_terms)(c, x, n, !more, k, &sum);
        if (k == 0) {
            sum.a += first.a;
            sum.b += first.b;
        }
        y.a = sum.a * share + a.a * share * y.a;
        y.b = sum.b * share + a.b * share * y.b;
        NAME(store)(to + (k + 1) * R, &y);
        a.a += slow.a;
        a.b += slow.b;
    }
}

TARGET static void NAME(whole_rate)(const struct hl_batch_part *p, size_t order, size_t at)
{
    switch (p->n) {
    case 0: NAME(rate_of)(p, 0, false, order, at); break;
    case 1: NAME(rate_of)(p, 1, false, order, at); break;
    case 2: NAME(rate_of)(p, 2, false, order, at); break;
    case 3: NAME(rate_of)(p, 3, false, order, at); break;
    default:
        NAME(whole_sum)(p, p->to + at + R, order, at);
        NAME(rate_of)(p, 0, true, order, at);
    }
}

/* The same without a sum but for its first coefficient: an exact mode. */
TARGET static void NAME(whole_mode)(const struct hl_batch_part *p, size_t order, size_t at)
{
    double *to = p->to + at;
    PAIR y, a, slow;
    NAME(load)(&y, to);
    NAME(load)(&a, p->self + at);
    NAME(load)(&slow, p->slow + at);
    y.a *= a.a;
    y.b *= a.b;
    if (p->constant)
        NAME(add_row)(&y, p->constant + at);
    if (p->inflow)
        NAME(add_row)(&y, p->inflow + at);
    NAME(store)(to + R, &y);
    for (size_t k = 1; k < order; k++) {
        a.a += slow.a;
        a.b += slow.b;
        y.a *= a.a * share_of[k];
        y.b *= a.b * share_of[k];
        NAME(store)(to + (k + 1) * R, &y);
    }
}

/* sum of b_j q_{k-j} for j = 1 .. k - 1. What was made last comes last: b_{k-1}, then q_{k-1}. */
INLINE void NAME(inner)(const double *b, const double *q, size_t k, PAIR *sum)
{
    NAME(zero)(sum);
    if (k >= 3) {
        NAME(convolve)(b + 2 * R, q + (k - 2) * R, k - 3, sum);
        NAME(add_product)(sum, b + (k - 1) * R, q + R);
    }
    if (k >= 2)
        NAME(add_product)(sum, b + R, q + (k - 1) * R);
}

/* What a saturable flow keeps in registers. */
struct NAME(flow) {
    PAIR y[HL_BATCH_MOST_COUPLED], gain[HL_BATCH_MOST_COUPLED], pull[HL_BATCH_MOST_COUPLED];
    PAIR coupled[HL_BATCH_MOST_COUPLED][HL_BATCH_MOST_COUPLED];
    PAIR slow, inverse, twin, slope;
    double *to[HL_BATCH_MOST_COUPLED]; /* coefficients 0 */
};

INLINE void NAME(add_coupled)(const struct NAME(flow) *f, size_t n, size_t i, PAIR *next)
{
    UNROLL
    for (size_t j = 0; j < n; j++) {
        next->a += f->coupled[i][j].a * f->y[j].a;
        next->b += f->coupled[i][j].b * f->y[j].b;
    }
}

/* Rates of order k become coefficients k + 1. */
INLINE void NAME(take_order)(size_t n, size_t k, const PAIR *rate, struct NAME(flow) *f)
{
    UNROLL
    for (size_t i = 0; i < n; i++) {
        f->coupled[i][i].a += f->slow.a;
        f->coupled[i][i].b += f->slow.b;
        f->y[i].a = rate[i].a * share_of[k];
        f->y[i].b = rate[i].b * share_of[k];
        NAME(store)(f->to[i] + (k + 1) * R, &f->y[i]);
    }
}

/* Forcings of all orders, coefficient 0 of the quotient, coefficients 1 of the states. */
INLINE void NAME(begin_flow)(const struct hl_batch_part *p, size_t n, bool fed, size_t order, size_t at,
                             struct NAME(flow) *f)
{
    const struct hl_batch_part *quotient = p->member;
    PAIR q, rate[HL_BATCH_MOST_COUPLED];
    NAME(begin_quotient)(quotient, at);
    NAME(load)(&f->slow, p->member[1].slow + at);
    NAME(load)(&f->inverse, quotient->spare + at);
    NAME(load)(&f->twin, quotient->twin + at);
    q = f->inverse;
    if (quotient->a)
        NAME(multiply)(&q, quotient->a + at);
    NAME(store)(quotient->to + at, &q);
    f->slope.a = (fed ? f->inverse.a : (PIECE){0}) - f->twin.a * q.a;
    f->slope.b = (fed ? f->inverse.b : (PIECE){0}) - f->twin.b * q.b;
    UNROLL
    for (size_t i = 0; i < n; i++) {
        f->to[i] = p->member[i + 1].to + at;
        NAME(whole_sum)(&p->member[i + 1], f->to[i] + R, order, at);
        NAME(load)(&f->y[i], f->to[i]);
        NAME(load)(&f->gain[i], p->gain[i] + at);
        f->pull[i].a = f->gain[i].a * f->twin.a;
        f->pull[i].b = f->gain[i].b * f->twin.b;
        UNROLL
        for (size_t j = 0; j < n; j++)
            NAME(load)(&f->coupled[i][j], p->coupled[i][j] + at);
    }
    UNROLL
    for (size_t i = 0; i < n; i++) {
        NAME(load)(&rate[i], f->to[i] + R);
        rate[i].a += f->gain[i].a * q.a;
        rate[i].b += f->gain[i].b * q.b;
        NAME(add_coupled)(f, n, i, &rate[i]);
        f->coupled[i][0].a += f->gain[i].a * f->slope.a;
        f->coupled[i][0].b += f->gain[i].b * f->slope.b;
    }
    NAME(take_order)(n, 0, rate, f);
}

/* One quotient q = a / (constant + coef y_0) and n states y' = forcing + gain q + coupled y: everything that the next
 * order waits for stays in registers. The forcing, of all orders, is made before and stands where y will. With twin =
 * coef / denominator_0 and the inner sum S_k, which is known before y_k is,
 *     q_k = a_k / denominator_0 - twin q_0 y_0k - twin S_k,
 * so that what is left to do with y_k is linear, and its coefficients are the same for all orders: fed is true where a
 * is y_0 itself, and both terms are one. */
INLINE void NAME(coupled)(const struct hl_batch_part *p, size_t n, bool fed, size_t order, size_t at)
{
    const double *a = fed || !p->member[0].a ? NULL : p->member[0].a + at, *b = p->member[0].b + at;
    double *q = p->member[0].to + at;
    struct NAME(flow) f;
    NAME(begin_flow)(p, n, fed, order, at, &f);
    for (size_t k = 1; k < order; k++) {
        PAIR next[HL_BATCH_MOST_COUPLED], sum, x;
        NAME(inner)(b, q, k, &sum);
        NAME(zero)(&x);
        if (!fed && a) {
            x = f.inverse;
            NAME(multiply)(&x, a + k * R);
        }
        UNROLL
        for (size_t i = 0; i < n; i++) {
            NAME(load)(&next[i], f.to[i] + (k + 1) * R);
            next[i].a -= f.pull[i].a * sum.a;
            next[i].b -= f.pull[i].b * sum.b;
            if (!fed) {
                next[i].a += f.gain[i].a * x.a;
                next[i].b += f.gain[i].b * x.b;
            }
            NAME(add_coupled)(&f, n, i, &next[i]);
        }
        x.a = (x.a - f.twin.a * sum.a) + f.slope.a * f.y[0].a;
        x.b = (x.b - f.twin.b * sum.b) + f.slope.b * f.y[0].b;
        NAME(store)(q + k * R, &x);
        NAME(take_order)(n, k, next, &f);
    }
}

TARGET static void NAME(saturable)(const struct hl_batch_part *p, size_t order, size_t at)
{
    bool fed = p->member[0].a == p->member[0].b;
    switch (2 * p->n_members + fed) {
    case 4: NAME(coupled)(p, 1, false, order, at); break;
    case 5: NAME(coupled)(p, 1, true, order, at); break;
    case 6: NAME(coupled)(p, 2, false, order, at); break;
    case 7: NAME(coupled)(p, 2, true, order, at); break;
    case 8: NAME(coupled)(p, 3, false, order, at); break;
    default: NAME(coupled)(p, 3, true, order, at); break;
    }
}

/* A quotient whose operands are known: the next order waits for one product with b_1 and a difference. */
TARGET static void NAME(whole_quotient)(const struct hl_batch_part *p, size_t order, size_t at)
{
    const double *a = p->a ? p->a + at : NULL, *b = p->b + at;
    double *to = p->to + at;
    PAIR inverse, twin, first, q, x, sum;
    NAME(begin_quotient)(p, at);
    NAME(load)(&inverse, p->spare + at);
    NAME(load)(&twin, (p->coef ? p->twin : p->spare) + at);
    first = twin;
    NAME(multiply)(&first, b + R);
    q = inverse;
    if (a)
        NAME(multiply)(&q, a);
    NAME(store)(to, &q);
    for (size_t k = 1; k < order; k++) {
        NAME(zero)(&x);
        if (a) {
            x = inverse;
            NAME(multiply)(&x, a + k * R);
        }
        NAME(zero)(&sum);
        if (k >= 2)
            NAME(convolve)(b + 2 * R, to + (k - 2) * R, k - 1, &sum);
        q.a = (x.a - twin.a * sum.a) - first.a * q.a;
        q.b = (x.b - twin.b * sum.b) - first.b * q.b;
        NAME(store)(to + k * R, &q);
    }
}

TARGET static void NAME(series)(const struct hl_batch_schedule *s, size_t at)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct hl_batch_part *p = &s->part[i];
        if (p->doing == HL_BATCH_SUM)
            NAME(whole_sum)(p, p->to + at, p->order, at);
        else if (p->doing == HL_BATCH_DO_RATE && p->n == 0 && p->self)
            NAME(whole_mode)(p, s->order, at);
        else if (p->doing == HL_BATCH_DO_RATE)
            NAME(whole_rate)(p, s->order, at);
        else if (p->doing == HL_BATCH_QUOTIENT)
            NAME(whole_quotient)(p, s->order, at);
        else if (p->doing == HL_BATCH_DO_SATURABLE)
            NAME(saturable)(p, s->order, at);
        else if (p->doing == HL_BATCH_DO_LOOP)
            for (size_t k = 0; k < s->order; k++)
                for (size_t m = 0; m < p->n_members; m++)
                    NAME(one_order)(&p->member[m], k, at);
        else
            for (size_t k = 0; k < s->order; k++)
                NAME(one_order)(p, k, at);
    }
}

/* ---- Steps and values */

INLINE bool NAME(any)(const BITS *bits)
{
#if W == 8
    return _mm512_test_epi64_mask((__m512i)*bits, (__m512i)*bits) != 0;
#elif W == 4
    return !_mm256_testz_si256((__m256i)*bits, (__m256i)*bits);
#endif
    int64_t any = 0;
    UNROLL
    for (size_t l = 0; l < W; l++)
        any |= (*bits)[l];
    return any != 0;
}

INLINE void NAME(magnitude)(PIECE *x)
{
    *x = (PIECE)((BITS)*x & INT64_MAX);
}

/* *x = max(*x, y); y where either isn't a number. */
INLINE void NAME(raise)(PIECE *x, const PIECE *y)
{
#if W == 8
    *x = (PIECE)_mm512_max_pd((__m512d)*x, (__m512d)*y);
#elif W == 4
    *x = (PIECE)_mm256_max_pd((__m256d)*x, (__m256d)*y);
#else
    BITS above = *x > *y;
    *x = (PIECE)(((BITS)*x & above) | ((BITS)*y & ~above));
#endif
}

/* *x = min(*x, y); x where either isn't a number. */
INLINE void NAME(lower)(PIECE *x, const PIECE *y)
{
#if W == 8
    *x = (PIECE)_mm512_min_pd((__m512d)*y, (__m512d)*x);
#elif W == 4
    *x = (PIECE)_mm256_min_pd((__m256d)*y, (__m256d)*x);
#else
    BITS below = *y < *x;
    *x = (PIECE)(((BITS)*y & below) | ((BITS)*x & ~below));
#endif
}

/* *x becomes 1 / x to 1e-5, for positive numbers, infinity for 0: a first guess from the bits, and twice Newton's rule.
 * Divisions of whole vectors are what reach waits for otherwise. */
INLINE void NAME(take_inverse)(PIECE *x)
{
    PIECE y = (PIECE)(INVERSE_BITS - (BITS)*x);
    y *= 2.0 - *x * y;
    *x = y * (2.0 - *x * y);
}

/* *x becomes log2 x to 2e-5, -1022 for 0. */
INLINE void NAME(take_log2)(PIECE *x)
{
    BITS bits = (BITS)*x, exponent = (bits >> 52) + ROUND_BITS;
    PIECE t = (PIECE)((bits & 0xfffffffffffff) | 0x3ff0000000000000) - 1.5, t2 = t * t;
    *x = ((PIECE)exponent - (HL_ROUGH_ROUND + 1023.0)) + HL_ROUGH_LOG2(t, t2);
}

/* *x becomes 2^x to 3e-6 relative, for |x| < 1000. */
INLINE void NAME(take_exp2)(PIECE *x)
{
    PIECE shifted = *x + HL_ROUGH_ROUND, t = *x - (shifted - HL_ROUGH_ROUND), t2 = t * t;
    BITS scale = ((BITS)shifted + 1023) << 52;
    *x = HL_ROUGH_EXP2(t, t2) * (PIECE)scale;
}

/* W lanes: what the slowed clock shows s after the series' origin. */
INLINE void NAME(tell_time)(const PIECE *s, const double *slow, PIECE *x)
{
    PIECE z = *s * AT(slow), z2 = z * z, z4 = z2 * z2;
    *x = *s * HL_CLOCK_SHARE(z, z2, z4);
}

/* *x becomes the s at which the clock shows it, to 5e-6, or most_bend / slow if that is nearer. */
INLINE void NAME(take_way)(PIECE *x, const double *slow, double most_bend)
{
    PIECE w = AT(slow) * *x, farthest = AT(slow);
    NAME(take_inverse)(&farthest); /* infinite where the clock isn't slowed */
    farthest *= most_bend;
    PIECE one = (PIECE){0} + 1.0;
    NAME(lower)(&w, &one);
    PIECE w2 = w * w, high = (0.37466937497 + w * -0.38741742265) + w2 * 0.83549068908;
    *x *= (1.0 + w * 0.49999186313) + w2 * ((0.33443131932 + w * 0.22666614557) + w2 * high);
    NAME(lower)(x, &farthest);
}

/* *bend moves to where no term is left over: slowing too little leaves what decays fast, terms of changing sign;
 * slowing too much makes terms of one sign from what is slow. alike: how much of the last terms has the sign of the
 * terms before. */
INLINE void NAME(take_bend)(PIECE *bend, const PIECE *alike, double most_bend)
{
    BITS less = *alike >= 0.0;
    PIECE lower = *bend - BEND_STEP, upper = *bend + BEND_STEP;
    BITS within = lower >= 0.0;
    lower = (PIECE)((BITS)lower & within);
    within = upper <= most_bend;
    upper = (PIECE)(((BITS)upper & within) | ((BITS)((PIECE){0} + most_bend) & ~within));
    *bend = (PIECE)(((BITS)lower & less) | ((BITS)upper & ~less));
}

/* The last three terms over their states' sizes, summed over states; alike: how much of the last has the sign of the
 * one before. */
struct NAME(tail) { PIECE term[3], alike; };

/* A state's share; c: coefficient 0. */
INLINE void NAME(add_tail)(struct NAME(tail) *tail, const double *c, size_t order, double *peak, double small_share,
                           double noise)
{
    PIECE size = AT(c), most = AT(peak), least;
    NAME(magnitude)(&size);
    NAME(raise)(&most, &size);
    TO(peak) = most;
    least = most * small_share;
    NAME(raise)(&size, &least);
    least = (PIECE){0} + noise;
    NAME(raise)(&size, &least);
    NAME(take_inverse)(&size);
    UNROLL
    for (size_t m = 0; m < 3; m++) {
        PIECE term = AT(c + (order - m) * R);
        NAME(magnitude)(&term);
        tail->term[m] += term * size;
    }
    BITS sign = (BITS)AT(c + (order - 1) * R) & INT64_MIN;
    tail->alike += (PIECE)((BITS)AT(c + order * R) ^ sign) * size;
}

/* W lanes: the longest step; bits that differ from 0 where a lane can't go on. */
INLINE void NAME(longest)(const struct hl_batch_schedule *s, const struct hl_batch_scale *scale,
                          const struct hl_batch_pace *pace, const struct NAME(tail) *tail, size_t at, BITS *stalled)
{
    PIECE best = {0}, fault = {0};
    best += 1000.0;
    UNROLL
    for (size_t m = 0; m < 3; m++) {
        PIECE x = tail->term[m];
        NAME(take_log2)(&x);
        x = (scale->log2_tolerance - x) * share_of[s->order - m - 1];
        NAME(lower)(&best, &x);
        fault += tail->term[m] - tail->term[m]; /* 0, or NaN where the sum isn't finite */
    }
    NAME(take_exp2)(&best);
    best += fault;
    NAME(take_way)(&best, s->slow + at, scale->most_bend);
    PIECE bend = AT(pace->bend + at), slow = best;
    NAME(take_bend)(&bend, &tail->alike, scale->most_bend);
    TO(pace->bend + at) = bend;
    NAME(take_inverse)(&slow);
    TO(pace->slow_next + at) = bend * slow;
    PIECE t = AT(pace->t + at), until = AT(pace->until + at), way = until - t, least = t * pace->least_share;
    NAME(magnitude)(&least);
    fault = (PIECE){0} + pace->least;
    BITS goes = t < until;
    NAME(lower)(&best, &way);
    best = (PIECE)((BITS)best & goes);
    TO(pace->h + at) = best;
    NAME(raise)(&least, &fault);
    *stalled = goes & ~((best >= least) | (best >= way));
}

/* Both vectors of a pair state by state, and then both to their ends: neither waits for the other. */
TARGET static bool NAME(reach)(const struct hl_batch_schedule *s, const struct hl_batch_scale *scale,
                               const struct hl_batch_pace *pace, size_t at)
{
    struct NAME(tail) first = {.alike = {0}}, second = {.alike = {0}};
    BITS a, b;
    const double *series = s->series + at, *noise = scale->noise;
    const int *slot = s->state_slot;
    double *peak = scale->peak + at, share = scale->small_share;
    size_t order = s->order, n = s->n_states;
    for (size_t i = 0; i < n; i++) {
        const double *c = series + (size_t)slot[i] * (order + 1) * R;
        NAME(add_tail)(&first, c, order, peak + i * R, share, noise[i]);
        NAME(add_tail)(&second, c + W, order, peak + i * R + W, share, noise[i]);
    }
    NAME(longest)(s, scale, pace, &first, at, &a);
    NAME(longest)(s, scale, pace, &second, at + W, &b);
    a |= b;
    return NAME(any)(&a);
}

/* W lanes of one series at s of its clock: four polynomials in s^4, so that additions needn't wait for each other. */
INLINE void NAME(value)(const double *c, size_t rows, const PIECE *s, const PIECE *s2, const PIECE *s4, PIECE *y)
{
    const double *p = c + (rows - 4) * R;
    PIECE p0 = AT(p), p1 = AT(p + R), p2 = AT(p + 2 * R), p3 = AT(p + 3 * R);
    while (p > c) {
        p -= 4 * R;
        p0 = p0 * *s4 + AT(p);
        p1 = p1 * *s4 + AT(p + R);
        p2 = p2 * *s4 + AT(p + 2 * R);
        p3 = p3 * *s4 + AT(p + 3 * R);
    }
    *y = (p0 + p1 * *s) + (p2 + p3 * *s) * *s2;
}

/* The same at two x, which need each coefficient but once. */
INLINE void NAME(values)(const double *c, size_t rows, const PAIR *x, const PAIR *x2, const PAIR *x4, PAIR *y)
{
    const double *p = c + (rows - 4) * R;
    PAIR p0, p1, p2, p3;
    p0.a = p0.b = AT(p), p1.a = p1.b = AT(p + R), p2.a = p2.b = AT(p + 2 * R), p3.a = p3.b = AT(p + 3 * R);
    while (p > c) {
        p -= 4 * R;
        PIECE c0 = AT(p), c1 = AT(p + R), c2 = AT(p + 2 * R), c3 = AT(p + 3 * R);
        p0.a = p0.a * x4->a + c0, p0.b = p0.b * x4->b + c0;
        p1.a = p1.a * x4->a + c1, p1.b = p1.b * x4->b + c1;
        p2.a = p2.a * x4->a + c2, p2.b = p2.b * x4->b + c2;
        p3.a = p3.a * x4->a + c3, p3.b = p3.b * x4->b + c3;
    }
    y->a = (p0.a + p1.a * x->a) + (p2.a + p3.a * x->a) * x2->a;
    y->b = (p0.b + p1.b * x->b) + (p2.b + p3.b * x->b) * x2->b;
}

INLINE const double *NAME(origin)(const struct hl_batch_schedule *schedule, int slot, size_t at)
{
    return schedule->series + (size_t)slot * (schedule->order + 1) * R + at;
}

/* W lanes on their way: what their clocks show at the end. */
struct NAME(arrival) { PIECE x, x2, x4, fault; BITS goes; };

INLINE void NAME(begin_arrival)(struct NAME(arrival) *a, const double *h, const double *slow)
{
    NAME(tell_time)(&AT(h), slow, &a->x);
    a->x2 = a->x * a->x;
    a->x4 = a->x2 * a->x2;
    a->fault = (PIECE){0};
    a->goes = AT(h) > 0.0; /* what stands still stays, whatever its series */
}

INLINE void NAME(take_state)(struct NAME(arrival) *a, double *c, size_t rows, double *peak)
{
    PIECE y;
    NAME(value)(c, rows, &a->x, &a->x2, &a->x4, &y);
    y = (PIECE)(((BITS)y & a->goes) | ((BITS)AT(c) & ~a->goes));
    TO(c) = y;
    a->fault += y - y; /* 0, or NaN where a state isn't finite */
    NAME(magnitude)(&y);
    NAME(raise)(&y, &AT(peak));
    TO(peak) = y;
}

/* Bits that differ from 0 where a lane has failed. */
INLINE void NAME(end_arrival)(const struct NAME(arrival) *a, const struct hl_batch_pace *pace, size_t at, BITS *failed)
{
    PIECE h = AT(pace->h + at), t = AT(pace->t + at), until = AT(pace->until + at), next = t + h;
    BITS inside = h < until - t;
    TO(pace->t + at) = (PIECE)(((BITS)next & inside) | ((BITS)until & ~inside));
    *failed = a->goes & (a->fault != 0.0);
}

TARGET static bool NAME(arrive)(const struct hl_batch_schedule *schedule, const struct hl_batch_scale *scale,
                                const struct hl_batch_pace *pace, size_t at)
{
    struct NAME(arrival) first, second;
    BITS a, b;
    double *series = schedule->series + at, *peak = scale->peak + at;
    const int *slot = schedule->state_slot;
    size_t rows = schedule->order + 1, n = schedule->n_states;
    NAME(begin_arrival)(&first, pace->h + at, schedule->slow + at);
    NAME(begin_arrival)(&second, pace->h + at + W, schedule->slow + at + W);
    for (size_t i = 0; i < n; i++) {
        double *c = series + (size_t)slot[i] * rows * R;
        NAME(take_state)(&first, c, rows, peak + i * R);
        NAME(take_state)(&second, c + W, rows, peak + i * R + W);
    }
    NAME(end_arrival)(&first, pace, at, &a);
    NAME(end_arrival)(&second, pace, at + W, &b);
    a |= b;
    return NAME(any)(&a);
}

/* For each lane by itself, written out: a compiler that sees a loop makes scattered stores of it, which are slower than
 * single ones. */
#if W == 2
#define EACH(f) f(0) f(1)
#elif W == 4
#define EACH(f) f(0) f(1) f(2) f(3)
#else
#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)
#endif
#define DUE(l) due[l][n],
#define STORE(l) if (!some_done || round->within[l]) round->to.lane[l][place] = x[l];

/* Lanes at .. at + W - 1 at their next times: where they are not due, at their origins. */
struct NAME(round) { PIECE x, x2, x4; BITS within; union { BITS all; double *lane[W]; } to; };

/* Each lane's time number next + n, until none is within its step. Returns how many rounds there are; next and to go on
 * behind them. Rounds don't wait for each other: times ascend, so that who isn't due now won't be later, and only the
 * place where it writes stays. */
INLINE size_t NAME(take_rounds)(struct hl_batch_shown *shown, const struct hl_batch_pace *pace, const double *slow,
                                size_t at, BITS *to, struct NAME(round) *round)
{
    BITS *next = (BITS *)(shown->next + at);
    const double *due[W];
    int64_t row = (int64_t)(shown->pitch * sizeof(double));
    for (size_t l = 0; l < W; l++)
        due[l] = shown->time + shown->next[at + l];
    for (size_t n = 0; n < HL_BATCH_ROUNDS; n++, round++) {
        PIECE s = (PIECE){EACH(DUE)} - AT(pace->t + at);
        BITS within = s < AT(pace->h + at);
        if (!NAME(any)(&within))
            return n;
        s = (PIECE)((BITS)s & within);
        NAME(tell_time)(&s, slow + at, &round->x);
        round->x2 = round->x * round->x;
        round->x4 = round->x2 * round->x2;
        round->within = within;
        round->to.all = *to;
        *to += within & row;
        *next -= within;
    }
    return HL_BATCH_ROUNDS;
}

/* Output i at the times of n rounds. Lanes that have none write too, where they will write their next later: that
 * costs less than asking each. Only where some have shown all are they asked. */
INLINE void NAME(show_output)(const struct hl_batch_schedule *schedule, const struct hl_batch_shown *shown, size_t at,
                              size_t i, const struct NAME(round) *round, size_t n, bool some_done)
{
    const double *c = NAME(origin)(schedule, shown->slot[i], at);
    size_t place = shown->place[i], rows = schedule->order + 1;
    for (const struct NAME(round) *end = round + n; round < end; round++) {
        PIECE x;
        if (end - round > 1) {
            PAIR s = {round->x, round[1].x}, s2 = {round->x2, round[1].x2}, s4 = {round->x4, round[1].x4}, both;
            NAME(values)(c, rows, &s, &s2, &s4, &both);
            x = both.a;
            EACH(STORE)
            round++;
            x = both.b;
        } else {
            NAME(value)(c, rows, &round->x, &round->x2, &round->x4, &x);
        }
        EACH(STORE)
    }
}

/* Output by output, so that what stands side by side is written together. A step ends at the last time at the latest,
 * which isn't shown before the end: none becomes done here. */
TARGET static void NAME(show)(const struct hl_batch_schedule *schedule, struct hl_batch_shown *shown,
                              const struct hl_batch_pace *pace, size_t at)
{
    for (size_t end = at + 2 * W; at < end; at += W) {
        struct NAME(round) round[HL_BATCH_ROUNDS];
        BITS done = *(const BITS *)(shown->next + at) >= (int64_t)shown->n_times;
        bool some_done = NAME(any)(&done);
        union { BITS all; double *lane[W]; } to;
        for (size_t l = 0; l < W; l++)
            to.lane[l] = shown->to[at + l] + shown->next[at + l] * shown->pitch;
        for (size_t n = HL_BATCH_ROUNDS; n == HL_BATCH_ROUNDS;) {
            n = NAME(take_rounds)(shown, pace, schedule->slow, at, &to.all, round);
            for (size_t i = 0; n > 0 && i < shown->n; i++)
                if (some_done)
                    NAME(show_output)(schedule, shown, at, i, round, n, true);
                else
                    NAME(show_output)(schedule, shown, at, i, round, n, false);
        }
    }
}

#undef EACH
#undef DUE
#undef STORE
#undef PIECE
#undef BITS
#undef PAIR
#undef INLINE
#undef AT
#undef TO
