/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops over lanes of strand_hours.c: how stretches of a run pass a level, and where.
 *
 * A walk stands, in each lane, at an offset tau of one stretch with the exponentials e_j = e^(lambda_j tau). With the
 * Taylor coefficients there, f = sum c e - level, f_k = sum lambda^k c e, and
 *     u = -f / f_1,  A = f_2 / (2 f_1),  B = f_3 / (6 f_1),
 * the root is at tau + x, x + A x^2 + B x^3 + ... = u, whose reversion is
 *     x = u - A u^2 + (2 A^2 - B) u^3 - ...
 * What that leaves out is of the size of u (A u)^3 and the like, and of the next term of the series. If that is small
 * enough the walk goes on to the next stretch, whose coefficients at tau are f_k + w_k, w_k = sum lambda^k d e; where
 * its root is follows from the same reversion, so that as a rule each stretch takes one round.
 *
 * The root lies between low and high. Where the reversion doesn't find it, the sign of f narrows this bracket, and a
 * guess outside is replaced by the middle, and so is every eighth, so that each root is found.
 *
 * Towards a steady state what still moves shrinks by p = e^(lambda L) from stretch to stretch. As soon as third powers
 * of what is to come don't count, nor squares but that of the slowest mode, the R stretches that are left have, with
 * S_q = (1 - p^q) / (1 - p), q = 1 .. R, the roots
 *     r - (1 / f_1) sum over modes of d e S_q + S_q^2 (d e / f_1)^2 (lambda - f_2 / (2 f_1)),
 * the square being that of the slowest mode; their sum is a formula, and the walk ends.
 *
 * A lane does in each round what it would do alone: selections, never branches by lane. */
#include "solve/strand_parts.h"

#include "base/eight.h"

typedef hl_eight eight;
typedef hl_eight_bits bits;

#define EXACT 1e-11  /* what a root may be off [h] */
#define NARROW 1e-12 /* a bracket this narrow [h], or so many parts of its place, holds the root */
#define FLUSH 1e-270 /* added to and taken away from what shrinks, so that it ends in 0 before it has no digits left */
#define SETTLING 0.9 /* tails are summed up when the slowest mode shrinks by this at least */
#define GONE (-600.0) /* exponentials of less count for nothing */

#define ROUND 6755399441055744.0            /* 1.5 * 2^52 */
#define LN2_HIGH 6.93147180369123816490e-01 /* 32 bits: its product with k is exact */
#define LN2_LOW 1.90821492927058770002e-10

#define SIGN_CHANGE(x, y) (((bits)(x) ^ (bits)(y)) >> 63)
#define AS_FLAG(mask) ((eight)((mask) & (bits)one))
/* Of sizes; a NaN is neither. */
#define SMALLER(size, limit) (-(((bits)(size) - (bits)(limit)) >> 63))
#define AT_MOST_SIZE(size, limit) (-(((bits)(size) - (bits)(limit) - 1u) >> 63))

INLINE bool any_bits(const bits *mask)
{
    uint64_t lane[HL_LANES], all = 0;
    memcpy(lane, mask, sizeof lane);
    for (size_t l = 0; l < HL_LANES; l++)
        all |= lane[l];
    return all != 0;
}

/* ---- What is known of a run */

INLINE void count(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                  const double *n_alike, size_t n, struct hl_strand_above *above)
{
    CONSTANTS;
    eight below = CONST_ROW(curve->offset, 0) - CONST_ROW(level, 0), alike = CONST_ROW(n_alike, 0);
    eight V[HL_STRAND_MODES], end[HL_STRAND_MODES], top[HL_STRAND_MODES];
    eight place = CONST_ROW(s->crest.at, 0), dip = CONST_ROW(curve->dip.at, 0), whole = CONST_ROW(s->whole, 0);
    bits left = {0}, right = {0}, crest = {0};
    bits stands = BELOW(none, place) & BELOW(place, whole) & BELOW(CONST_ROW(above->dips, 0) * dip, place);
#pragma GCC unroll 8
    for (size_t j = 0; j < n; j++) {
        V[j] = CONST_ROW(curve->V, j);
        end[j] = V[j] * CONST_ROW(s->E_whole, j);
        top[j] = V[j] * CONST_ROW(s->crest.E, j);
    }
    for (size_t i = 0; i < s->most_alike; i++) {
        const double *z = s->zs + i * n * HL_LANES;
        eight y = below, y_end = below, y_top = below;
#pragma GCC unroll 8
        for (size_t j = 0; j < n; j++) {
            y += V[j] * CONST_ROW(z, j);
            y_end += end[j] * CONST_ROW(z, j);
            y_top += top[j] * CONST_ROW(z, j);
        }
        bits there = BELOW((double)i * one, alike);
        left -= there & BELOW(none, y);
        right -= there & BELOW(none, y_end);
        crest -= there & stands & BELOW(none, y_top);
    }
    memcpy(above->left, &left, sizeof left);
    memcpy(above->right, &right, sizeof right);
    memcpy(above->crest, &crest, sizeof crest);
}

HL_CLONES void hl_strand_count(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                               const double *n_alike, struct hl_strand_above *above)
{
    switch (s->n_modes) {
    case 3: count(s, curve, level, n_alike, 3, above); break;
    case 4: count(s, curve, level, n_alike, 4, above); break;
    case 5: count(s, curve, level, n_alike, 5, above); break;
    default: count(s, curve, level, n_alike, s->n_modes, above); break;
    }
}

/* Signs of y' at the first and the last stretch of a run: partial sums T by mode at the beginning, y' at the end and at
 * the place curve->dip. */
struct slopes { eight T[2], end[2], dip[2]; };

HL_CLONES void hl_strand_shape(const struct hl_strand *s, const struct hl_strand_curve *curve, double *simple,
                               struct hl_strand_above *above)
{
    CONSTANTS;
    size_t n = s->n_modes, row = n * HL_LANES;
    const double *first = s->zs, *next = s->most_alike > 1 ? first + row : first;
    const double *last = first + (s->most_alike - 1) * row;
    struct slopes y = {0};
    eight step = none, least = none, most = none, size = none;
    bits turns = {0};
    for (size_t j = 0; j < n; j++) {
        eight share = CONST_ROW(curve->V, j) * CONST_ROW(s->lambda, j);
        eight z[2] = {CONST_ROW(first, j), CONST_ROW(last, j)};
        eight E = CONST_ROW(s->E_whole, j) + HL_STRAND_HARDLY, dip = CONST_ROW(curve->dip.E, j);
        bits before[2] = {(bits)y.T[0], (bits)y.T[1]};
        step += share * (CONST_ROW(next, j) - z[0]);
        least = LESSER(least, step);
        most = GREATER(most, step);
        for (size_t k = 0; k < 2; k++) {
            eight b = share * z[k];
            size += SIZE(b);
            y.T[k] += b;
            y.end[k] += b * E;
            y.dip[k] += b * dip;
        }
        bits some = before[0] | before[1] | (bits)y.T[0] | (bits)y.T[1];
        bits every = before[0] & before[1] & (bits)y.T[0] & (bits)y.T[1];
        if (j > 0)
            turns += (some & ~every) >> 63;
    }
    bits steady = ~(BELOW(HL_STRAND_NOISE * size, most) & BELOW(least, -HL_STRAND_NOISE * size));
    bits start_falls = BELOW(y.T[0], none) & BELOW(y.T[1], none);
    bits start_rises = BELOW(none, y.T[0]) & BELOW(none, y.T[1]);
    bits end_falls = BELOW(y.end[0], none) & BELOW(y.end[1], none);
    bits end_rises = BELOW(none, y.end[0]) & BELOW(none, y.end[1]);
    bits none_or_one = -((turns - 2u) >> 63), two = -((turns - 3u) >> 63), three = -((turns - 4u) >> 63);
    bits dips = ~start_rises & ~none_or_one;
    eight place = CONST_ROW(curve->dip.at, 0);
    bits told = BELOW(none, place) & BELOW(place, CONST_ROW(s->whole, 0)) & BELOW(none, y.dip[0])
                & BELOW(none, y.dip[1]);
    bits hills = end_falls & (two | (three & start_falls)) & (~dips | told);
    bits good = steady & (hills | (end_rises & start_rises & none_or_one));
    ROW(simple, 0) = AS_FLAG(good);
    ROW(above->hills, 0) = AS_FLAG(end_falls);
    ROW(above->dips, 0) = AS_FLAG(dips & hills);
}

/* With y'' >= m > 0 before the place curve->dip the minimum isn't below y(0) - y'(0)^2 / (2 m). */
HL_CLONES void hl_strand_floor(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z,
                               const double *level, double *safe)
{
    CONSTANTS;
    eight left = CONST_ROW(curve->offset, 0) - CONST_ROW(level, 0), slope = none, bend = none;
    for (size_t j = 0; j < s->n_modes; j++) {
        eight a = CONST_ROW(curve->V, j) * CONST_ROW(z, j), lambda = CONST_ROW(s->lambda, j), b = lambda * a;
        eight lead = lambda * b, moved = lead * CONST_ROW(curve->dip.E, j);
        left += a;
        slope += b;
        bend += LESSER(lead, moved);
    }
    eight floor = left * (2 * bend) - slope * slope; /* times 2 bend */
    ROW(safe, 0) = AS_FLAG((BELOW(none, bend) & BELOW(none, floor)) | BELOW(none, slope));
}

/* ---- Walks */

/* e^x, from x / 4 <= 0: the fourth power of e^(r / 4), by its terms to the eighth, times 2^k, x = k ln 2 + r; 0 for x
 * below GONE. */
INLINE void exponential(const eight *quarter, eight *power)
{
    CONSTANTS;
    eight x = *quarter, shifted = x * (4 * 1.44269504088896340736) + ROUND, k = shifted - ROUND;
    eight r = (x - k * (0.25 * LN2_HIGH)) - k * (0.25 * LN2_LOW), rr = r * r, r4 = rr * rr;
    eight low = r + rr * (1. / 2 + r * (1. / 6)), high = (1. / 720 + r * (1. / 5040)) + rr * (1. / 40320);
    eight e = one + (low + r4 * ((1. / 24 + r * (1. / 120)) + rr * high));
    eight scale = (eight)(((bits)shifted + 1023u) << 52);
    e *= e;
    *power = (eight)((bits)(e * e * scale) & ~BELOW(x, 0.25 * GONE * one));
}

/* What both walks of a pair share. quarter: of lambda. */
struct ground { eight lambda[HL_STRAND_MODES], quarter[HL_STRAND_MODES], p[HL_STRAND_MODES], rate, settling, reach; };

/* A walk under way. middle, half: of the bracket; from, to: the bracket as it has been narrowed; rest: stretches left;
 * rounds: since the last root. */
struct stand {
    eight tau, side, below, low, high, middle, half, from, to, rest, rounds, sum;
    bits active, settled;
    eight c[HL_STRAND_MODES], d[HL_STRAND_MODES];
    eight apart[19]; /* of two walks: stores to one and loads from the other wait if their addresses end alike */
};

/* f and its derivatives; sizes of the terms of f_4; those of the change to the next stretch, what the slowest mode adds
 * to it, and sizes of what the others do. */
struct sums { eight f, f1, f2, f3, size, w, w1, slowest, others; };

INLINE void look(const struct ground *g, const struct stand *h, size_t m, struct sums *s)
{
    CONSTANTS;
    eight f = h->below, f1 = none, f2 = none, f3 = none, size = none, w = none, w1 = none, others = none;
#pragma GCC unroll 8
    for (size_t j = 0; j < m; j++) {
        eight lambda = g->lambda[j], x = g->quarter[j] * h->tau, e;
        exponential(&x, &e);
        eight v = h->c[j] * e, t = h->d[j] * e;
        f += v;
        v *= lambda;
        f1 += v;
        v *= lambda;
        f2 += v;
        v *= lambda;
        f3 += v;
        size += SIZE(v);
        w += t;
        if (j > 0)
            others += SIZE(t);
        w1 += lambda * t;
        if (j == 0)
            s->slowest = SIZE(t);
    }
    s->f = f;
    s->f1 = f1;
    s->f2 = f2;
    s->f3 = f3;
    s->size = size * g->rate;
    s->w = w;
    s->w1 = w1;
    s->others = others;
}

/* Where the root of this stretch is, and whether that is known well enough. */
INLINE void revert(const struct sums *s, const struct stand *h, const eight *inverse, eight *root, bits *good)
{
    CONSTANTS;
    eight r = *inverse, u = -s->f * r, uu = u * u;
    eight a = s->f2 * r * (0.5 * u), b = s->f3 * r * (1. / 6 * uu), aa = a * a;
    eight at = h->tau + u * ((one - a) + (2 * aa - b)), beyond = s->size * r * (1. / 12 * uu);
    eight left = SIZE(u) * (SIZE(a) * (10 * (aa + SIZE(b))) + SIZE(beyond * u));
    *root = at;
    *good = h->active & SMALLER(left, EXACT * one) & BELOW(none, s->f1 * h->side)
            & AT_MOST_SIZE(SIZE(at - h->middle), h->half);
}

/* Where the next stretch's root may be; here if it seems to be outside. */
INLINE void foresee(const struct sums *s, const struct stand *h, const eight *inverse, const eight *root, eight *next)
{
    CONSTANTS;
    eight r = *inverse, u = -(s->f + s->w) * r;
    eight a = s->f2 * r * (0.5 * u), b = s->f3 * r * (1. / 6 * (u * u));
    eight at = h->tau + u * ((one - a) + (2 * (a * a) - b));
    *next = CHOOSE(AT_MOST_SIZE(SIZE(at - h->middle), h->half), at, *root);
}

/* Lanes whose root hasn't been found: narrows their bracket; where to look next, or whether that is narrow enough. */
INLINE void narrow(const struct sums *s, struct stand *h, const bits *lost, eight *root, bits *good)
{
    CONSTANTS;
    bits before = BELOW(s->f * h->side, none);
    eight from = CHOOSE(*lost & before, h->tau, h->from), to = CHOOSE(*lost & ~before, h->tau, h->to);
    eight middle = 0.5 * (from + to), at = CHOOSE(-OVERFLOWS(*root), middle, *root);
    bits halve = BELOW(6.5 * one, h->rounds) | BELOW(at, from) | BELOW(to, at);
    at = CHOOSE(halve, middle, at);
    h->rounds = CHOOSE(*lost & ~BELOW(6.5 * one, h->rounds), h->rounds + one, none);
    h->from = from;
    h->to = to;
    *good |= *lost & BELOW(to - from, NARROW * (one + to));
    *root = CHOOSE(*lost, at, *root);
}

INLINE void turn(const struct ground *g, struct stand *h, size_t m, const struct sums *s)
{
    CONSTANTS;
    eight f1_next = s->f1 + s->w1, both = one / (s->f1 * f1_next); /* one division for two */
    eight inverse = both * f1_next, inverse_next = both * s->f1, root, next;
    bits good;
    revert(s, h, &inverse, &root, &good);
    bits lost = h->active & ~good;
    if (any_bits(&lost))
        narrow(s, h, &lost, &root, &good);
    foresee(s, h, &inverse_next, &root, &next);
    next = CHOOSE(good, next, root);
    eight reach = g->reach * SIZE(inverse), slow = s->slowest * reach, fast = s->others * reach;
    eight curved = SIZE(s->f2 * inverse), bend = curved - g->lambda[0];
    eight beyond = slow * slow * slow * (2 * bend * bend + SIZE(s->f3 * inverse))
                   + fast * (slow + fast) * (curved + g->rate);
    bits settled = good & ~lost & (bits)g->settling & SMALLER(beyond * h->rest, EXACT * one), goes_on = good & ~settled;
    h->sum += (eight)(good & (bits)root);
    h->rest -= AS_FLAG(good);
    h->settled |= settled;
    h->active &= ~settled & BELOW(0.5 * one, h->rest);
    h->tau = CHOOSE(h->active, next, CHOOSE(settled, root, h->tau));
    h->from = CHOOSE(good, h->low, h->from);
    h->to = CHOOSE(good, h->high, h->to);
    h->rounds = (eight)(~good & (bits)h->rounds);
#pragma GCC unroll 8
    for (size_t j = 0; j < m; j++) {
        eight d = h->d[j], shrunk = (d * g->p[j] + FLUSH) - FLUSH;
        h->c[j] += (eight)(goes_on & (bits)d);
        h->d[j] = CHOOSE(goes_on, shrunk, d);
    }
}

/* Adds what is left in lanes that have settled; they stand at the last root found. */
INLINE void add_tails(const struct ground *g, const struct hl_strand *s, struct stand *h, size_t m)
{
    CONSTANTS;
    eight f = h->below, f1 = none, f2 = none, moved = none, R = h->rest, slow = none, squares = none;
    for (size_t j = 0; j < m; j++) {
        eight lambda = g->lambda[j], p = g->p[j], q = one / (one - p), at = g->quarter[j] * h->tau, e, gone;
        eight end = g->quarter[j] * CONST_ROW(s->whole, 0) * R;
        exponential(&at, &e);
        exponential(&end, &gone);
        eight v = h->c[j] * e, t = h->d[j] * e, sum = p * q * (one - gone); /* of p^i, i = 1 .. R */
        f += v;
        f1 += lambda * v;
        f2 += lambda * (lambda * v);
        moved += t * q * (R - sum);
        if (j == 0) {
            slow = t;
            squares = q * q * (R - 2 * sum + p * p * (one - gone * gone) / (one - p * p));
        }
    }
    eight r = one / f1, first = slow * r, tail = R * (h->tau - f * r) - r * moved;
    tail += squares * first * first * (g->lambda[0] - 0.5 * f2 * r);
    h->sum += (eight)(h->settled & (bits)tail);
}

/* Where a curve that rises to a maximum, or falls away from one, may pass the level; single stretches often follow a
 * run with the same dose: where it was passed last. */
INLINE void guess(const struct hl_strand *s, const eight *last, struct stand *h, size_t m)
{
    CONSTANTS;
    bits from_crest = BELOW(none, h->low), to_crest = BELOW(h->high, CONST_ROW(s->whole, 0));
    eight from = h->below, to = from;
    for (size_t j = 0; j < m; j++) {
        eight crest = CONST_ROW(s->crest.E, j), E = CONST_ROW(s->E_whole, j);
        from += h->c[j] * CHOOSE(from_crest, crest, one);
        to += h->c[j] * CHOOSE(to_crest, crest, E);
    }
    eight q = from / (from - to), qq = q * q, level = -h->below;
    eight rising = q * (0.5 + 0.5 * (q * qq));                    /* 1 - sqrt(1 - q), nearly */
    eight a = from + level, b = to + level;
    eight falling = from / (a + level) * (a + b) / (a - b);       /* ln(a / level) / ln(a / b), nearly */
    bits up = BELOW(from, to), curved = BELOW(none, level) & BELOW(none, b);
    eight share = CHOOSE(up, rising, CHOOSE(curved, falling, q));
    share = CHOOSE(-OVERFLOWS(share), 0.5 * one, share);
    share = GREATER(share, 0.01 * one);
    share = LESSER(share, 0.99 * one);
    eight tau = h->low + (h->high - h->low) * share;
    bits known = BELOW(h->rest, 1.5 * one) & BELOW(h->low, *last) & BELOW(*last, h->high);
    h->tau = CHOOSE(known, *last, tau);
}

INLINE void set_out(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                    const struct hl_strand_walk *walk, size_t m, struct stand *h)
{
    CONSTANTS;
    eight n = CONST_ROW(walk->n, 0), low = CONST_ROW(walk->low, 0), high = CONST_ROW(walk->high, 0);
    h->rounds = h->sum = none;
    h->side = walk->side * one;
    h->below = CONST_ROW(curve->offset, 0) - CONST_ROW(level, 0);
    h->low = h->from = low;
    h->high = h->to = high;
    h->middle = 0.5 * (low + high);
    h->half = 0.5 * (high - low);
    h->rest = n;
    h->active = BELOW(0.5 * one, n);
    h->settled = (bits)none;
    for (size_t j = 0; j < m; j++) {
        h->c[j] = CONST_ROW(walk->c, j);
        h->d[j] = CONST_ROW(walk->d, j);
    }
    eight last = CONST_ROW(walk->last, 0);
    guess(s, &last, h, m);
}

INLINE void follow(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                   struct hl_strand_walk *walk, size_t m)
{
    CONSTANTS;
    struct ground g;
    struct stand stand[2];
    g.rate = CONST_ROW(s->rate, 0);
    for (size_t j = 0; j < m; j++) {
        g.lambda[j] = CONST_ROW(s->lambda, j);
        g.quarter[j] = 0.25 * g.lambda[j];
        g.p[j] = CONST_ROW(s->E_whole, j);
    }
    g.settling = (eight)BELOW(g.p[0], SETTLING * one);
    g.reach = one / (one - CHOOSE((bits)g.settling, g.p[0], none));
    for (size_t k = 0; k < 2; k++)
        set_out(s, curve, level, &walk[k], m, &stand[k]);
    bits active = stand[0].active | stand[1].active;
    while (any_bits(&active)) {
        struct sums sums[2];
        for (size_t k = 0; k < 2; k++)
            look(&g, &stand[k], m, &sums[k]);
        for (size_t k = 0; k < 2; k++)
            turn(&g, &stand[k], m, &sums[k]);
        active = stand[0].active | stand[1].active;
    }
    for (size_t k = 0; k < 2; k++) {
        if (any_bits(&stand[k].settled))
            add_tails(&g, s, &stand[k], m);
        ROW(walk[k].sum, 0) = stand[k].sum;
        ROW(walk[k].last, 0) = CHOOSE(BELOW(0.5 * one, CONST_ROW(walk[k].n, 0)), stand[k].tau, ROW(walk[k].last, 0));
    }
}

HL_CLONES void hl_strand_follow(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                                struct hl_strand_walk *walk)
{
    switch (s->n_modes) {
    case 2: follow(s, curve, level, walk, 2); break;
    case 3: follow(s, curve, level, walk, 3); break;
    case 4: follow(s, curve, level, walk, 4); break;
    case 5: follow(s, curve, level, walk, 5); break;
    default: follow(s, curve, level, walk, s->n_modes); break;
    }
}

HL_CLONES void hl_strand_add_hours(const double *from, const double *to, size_t n, double *hours)
{
    eight sum = ROW(hours, 0);
    for (size_t i = 0; i < n; i++)
        sum += CONST_ROW(to, i) - CONST_ROW(from, i);
    ROW(hours, 0) = sum;
}
