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

#define TERM(j) case j: NAME(add_product)((j) % 2 ? &odd : &even, x + (j) * R, y - (j) * R); \
    __attribute__((fallthrough))

/* sum of x_j y_{k-j} for j = 1 .. k; y points at coefficient k. One jump, then a straight line. */
INLINE void NAME(convolve)(const double *x, const double *y, size_t k, PAIR *sum)
{
    PAIR even, odd;
    NAME(zero)(&even);
    NAME(zero)(&odd);
    switch (k) {
        TERM(30); TERM(29); TERM(28); TERM(27); TERM(26); TERM(25); TERM(24); TERM(23); TERM(22); TERM(21);
        TERM(20); TERM(19); TERM(18); TERM(17); TERM(16); TERM(15); TERM(14); TERM(13); TERM(12); TERM(11);
        TERM(10); TERM(9); TERM(8); TERM(7); TERM(6); TERM(5); TERM(4); TERM(3); TERM(2); TERM(1);
    default:
        break;
    }
    sum->a = even.a + odd.a;
    sum->b = even.b + odd.b;
}

#undef TERM

INLINE void NAME(product)(const struct hl_batch_part *p, size_t k, size_t at)
{
    PAIR sum;
    const double *b = p->b + at + k * R;
    NAME(convolve)(p->a + at, b, k, &sum);
    NAME(add_product)(&sum, p->a + at, b);
    NAME(store)(p->to + at + k * R, &sum);
}

/* spare holds 1 / b_0. */
INLINE void NAME(quotient)(const struct hl_batch_part *p, size_t k, size_t at)
{
    PAIR sum, x;
    double *to = p->to + at + k * R, *inverse = p->spare + at;
    if (k == 0) {
        TO(inverse) = 1.0 / AT(p->b + at);
        TO(inverse + W) = 1.0 / AT(p->b + at + W);
    }
    NAME(convolve)(p->b + at, to, k, &sum);
    NAME(zero)(&x);
    if (p->a)
        NAME(load)(&x, p->a + at + k * R);
    else if (k == 0)
        x.a += 1.0, x.b += 1.0;
    x.a -= sum.a;
    x.b -= sum.b;
    NAME(multiply)(&x, inverse);
    NAME(store)(to, &x);
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
    for (size_t i = 0; i < p->n; i++)
        NAME(add_product)(sum, p->term[i].coef + at, p->term[i].x + at + k * R);
    if (p->self)
        NAME(add_product)(sum, p->self + at, p->to + at + k * R);
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

/* Into coefficients of a series: n terms, onto what is there already when more is true. */
INLINE void NAME(sum_of)(const struct hl_batch_address *term, size_t n, bool more, double *to, size_t order, size_t at)
{
    PAIR c[4];
    for (size_t i = 0; i < n; i++)
        NAME(load)(&c[i], term[i].coef + at);
    for (size_t k = 0; k < order; k++) {
        PAIR sum;
        if (more)
            NAME(load)(&sum, to + k * R);
        else
            NAME(zero)(&sum);
        for (size_t i = 0; i < n; i++) {
            sum.a += c[i].a * AT(term[i].x + at + k * R);
            sum.b += c[i].b * AT(term[i].x + at + k * R + W);
        }
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

/* to' = sum + self to; the sum's coefficient k stands where coefficient k + 1 will. */
TARGET static void NAME(whole_rate)(const struct hl_batch_part *p, size_t order, size_t at)
{
    double *to = p->to + at;
    NAME(whole_sum)(p, to + R, order, at);
    PAIR y, a;
    NAME(load)(&y, to);
    NAME(zero)(&a);
    if (p->self)
        NAME(load)(&a, p->self + at);
    for (size_t k = 0; k < order; k++) {
        double share = share_of[k];
        y.a = (AT(to + (k + 1) * R) + a.a * y.a) * share;
        y.b = (AT(to + (k + 1) * R + W) + a.b * y.b) * share;
        NAME(store)(to + (k + 1) * R, &y);
    }
}

TARGET static void NAME(series)(const struct hl_batch_schedule *s, size_t at)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct hl_batch_part *p = &s->part[i];
        if (p->doing == HL_BATCH_SUM)
            NAME(whole_sum)(p, p->to + at, s->order, at);
        else if (p->doing == HL_BATCH_DO_RATE)
            NAME(whole_rate)(p, s->order, at);
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

INLINE void NAME(magnitude)(PIECE *x)
{
    *x = (PIECE)((BITS)*x & INT64_MAX);
}

/* *x = max(*x, y); y where either isn't a number. */
INLINE void NAME(raise)(PIECE *x, const PIECE *y)
{
    BITS above = *x > *y;
    *x = (PIECE)(((BITS)*x & above) | ((BITS)*y & ~above));
}

/* *x becomes log x to 1e-7, some -709 for 0. */
INLINE void NAME(take_log)(PIECE *x)
{
    BITS bits = (BITS)*x, shifted = (bits >> 52) + (BITS){0} + 0x4338000000000000; /* 1.5 * 2^52 + exponent */
    PIECE m = (PIECE)((bits & 0xfffffffffffff) | 0x3ff0000000000000);
    PIECE t = (m - SQRT2) / (m + SQRT2), t2 = t * t;
    PIECE tail = 2.0 * t * (1.0 + t2 * (1.0 / 3 + t2 * (0.2 + t2 * (1.0 / 7))));
    *x = ((PIECE)shifted - (6755399441055744.0 + 1023.0)) * LN2 + LOG_SQRT2 + tail;
}

/* W lanes: the logarithm of the longest step, NaN for a lane that has failed. */
INLINE void NAME(longest)(const struct hl_batch_schedule *s, const struct hl_batch_scale *scale, double limit,
                          size_t at, double *log_h)
{
    PIECE sum[3] = {{0}};
    for (size_t i = 0; i < s->n_states; i++) {
        const double *c = s->series + ((size_t)s->state_slot[i] * (s->order + 1)) * R + at;
        PIECE size = AT(c), peak = AT(scale->peak + i * R + at), least;
        NAME(magnitude)(&size);
        NAME(raise)(&peak, &size);
        TO(scale->peak + i * R + at) = peak;
        least = peak * scale->small_share;
        NAME(raise)(&size, &least);
        least = least * 0.0 + scale->noise[i];
        NAME(raise)(&size, &least);
        size = 1.0 / size;
        for (size_t m = 0; m < 3; m++) {
            PIECE term = AT(c + (s->order - m) * R);
            NAME(magnitude)(&term);
            sum[m] += term * size;
        }
    }
    PIECE best = {0}, fault = {0};
    best += 709.0;
    for (size_t m = 0; m < 3; m++) {
        PIECE x = sum[m];
        NAME(take_log)(&x);
        x = (limit - x) * share_of[s->order - m - 1];
        BITS below = x < best;
        best = (PIECE)(((BITS)x & below) | ((BITS)best & ~below));
        fault += sum[m] - sum[m]; /* 0, or NaN where the sum isn't finite */
    }
    TO(log_h + at) = best + fault;
}

TARGET static void NAME(reach)(const struct hl_batch_schedule *s, const struct hl_batch_scale *scale, double limit,
                               size_t at, double *log_h)
{
    NAME(longest)(s, scale, limit, at, log_h);
    NAME(longest)(s, scale, limit, at + W, log_h);
}

/* Two polynomials in s^2, of even and of odd powers. */
TARGET static void NAME(look)(const struct hl_batch_schedule *schedule, const int *slot, size_t n, const double *s,
                              double *y, size_t at)
{
    size_t rows = schedule->order + 1;
    PAIR d, d2;
    NAME(load)(&d, s + at);
    d2.a = d.a * d.a;
    d2.b = d.b * d.b;
    for (size_t i = 0; i < n; i++) {
        const double *c = schedule->series + (size_t)slot[i] * rows * R + at;
        PAIR even, odd;
        NAME(load)(&even, c + (rows - 2) * R);
        NAME(load)(&odd, c + (rows - 1) * R);
        for (size_t k = rows - 2; k > 0; k -= 2) {
            even.a = even.a * d2.a + AT(c + (k - 2) * R);
            even.b = even.b * d2.b + AT(c + (k - 2) * R + W);
            odd.a = odd.a * d2.a + AT(c + (k - 1) * R);
            odd.b = odd.b * d2.b + AT(c + (k - 1) * R + W);
        }
        even.a += odd.a * d.a;
        even.b += odd.b * d.b;
        NAME(store)(y + i * R + at, &even);
    }
}

#undef PIECE
#undef BITS
#undef PAIR
#undef INLINE
#undef AT
#undef TO
