/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks: where y passes a level in stretches that follow each other (strand_hours.c), one place after the other, summed
 * up.
 *
 * A walk stands at an offset tau of one stretch with the exponentials e_j = e^(lambda_j tau). With the Taylor
 * coefficients there, f = sum c e - level, f_k = sum lambda^k c e, and
 *     u = -f / f_1,  A = f_2 / (2 f_1),  B = f_3 / (6 f_1),
 * the root is at tau + x, x + A x^2 + B x^3 + ... = u, whose reversion is
 *     x = u - A u^2 + (2 A^2 - B) u^3 - ...
 * What that leaves out is of the size of u (A u)^3 and the like, and of the next term of the series. If that is small
 * enough the walk goes on to the next stretch, whose coefficients at tau are f_k + w_k, w_k = sum lambda^k d e; where
 * its root is follows from the same reversion, so that as a rule each stretch takes one round.
 *
 * The root lies between low and high. Where the reversion doesn't find it, the sign of f narrows this bracket, and a
 * guess outside is replaced by the middle, and so is every eighth, so that each root is found. Where A u isn't small
 * the guess is that of a single exponential with the same f, f_1 and f_2, x = ln(1 + 2 A u) / (2 A).
 *
 * Towards a steady state what still moves shrinks by p = e^(lambda L) from stretch to stretch. As soon as third powers
 * of what is to come don't count, nor squares but that of the slowest mode, the R stretches that are left have, with
 * S_q = (1 - p^q) / (1 - p), q = 1 .. R, the roots
 *     r - (1 / f_1) sum over modes of d e S_q + S_q^2 (d e / f_1)^2 (lambda - f_2 / (2 f_1)),
 * the square being that of the slowest mode; their sum is a formula, and the walk ends.
 *
 * Walks are of any length, one round or fifty, and of eight lanes that are asked something some go none. So those of
 * all runs, outputs and directions of a group wait until there are many. Sixteen at a time are then walked in two rows
 * of seats: when one has ended, the next one takes its seat, the longer ones first. Tails are summed up eight at once.
 * A walk does in each round what it would do alone, in whatever seat and company: selections, never branches by lane.
 * What is found is handed over in the order in which it was asked. */
#include "solve/strand_parts.h"

#include "base/eight.h"
#include "solve/batch_rough.h"

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

#define EXPONENT 0x4338000000000000u /* added to a small whole number it makes the double ROUND + that number */
#define FAR 0.15 /* for a series in A u */

#define ROWS 2   /* of seats: one waits for its own results, three for each other's */
#define LONG 2.5 /* stretches: such walks are begun first */

#define AS_FLAG(mask) ((eight)((mask) & (bits)one))
/* Of sizes; a NaN is neither. */
#define SMALLER(size, limit) (-(((bits)(size) - (bits)(limit)) >> 63))
#define AT_MOST_SIZE(size, limit) (-(((bits)(size) - (bits)(limit) - 1u) >> 63))

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

/* A row of seats. middle, half: of the bracket; from, to: the bracket as it has been narrowed; rest: stretches left;
 * rounds: since the last root. ended, settled: those of the last round. */
struct stand {
    eight tau, side, below, low, high, middle, half, from, to, rest, rounds, sum, whole, rate, reach;
    bits active, ended, settled, settling;
    eight lambda[HL_STRAND_MODES], p[HL_STRAND_MODES], c[HL_STRAND_MODES], d[HL_STRAND_MODES];
    size_t walk[HL_LANES];
};

/* f and its derivatives; sizes of the terms of f_4; those of the change to the next stretch, what the slowest mode adds
 * to it, and sizes of what the others do. */
struct sums { eight f, f1, f2, f3, size, w, w1, slowest, others; };

INLINE void look(const struct stand *h, size_t m, struct sums *s)
{
    CONSTANTS;
    eight f = h->below, f1 = none, f2 = none, f3 = none, size = none, w = none, w1 = none, others = none;
    eight quarter = 0.25 * h->tau;
    s->slowest = none;
#pragma GCC unroll 8
    for (size_t j = 0; j < m; j++) {
        eight lambda = h->lambda[j], x = lambda * quarter, e;
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
    s->size = size * h->rate;
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

/* Where to look next: for the root of this stretch where that is lost, else for that of the next one. Far away a single
 * exponential with the slope and the bend of y tells more than a series. */
INLINE void look_ahead(const struct sums *s, const struct stand *h, const bits *lost, const eight *both,
                       const eight *f1_next, eight *next)
{
    CONSTANTS;
    eight slope = CHOOSE(*lost, s->f1, *f1_next), r = *both * CHOOSE(*lost, *f1_next, s->f1);
    eight u = -(s->f + (eight)(~*lost & (bits)s->w)) * r, inverse = one / s->f2;
    eight a = s->f2 * r * (0.5 * u), b = s->f3 * r * (1. / 6 * (u * u)), near = (one - a) + (2 * (a * a) - b);
    eight power = one + 2 * a; /* not above 0: leads outside */
    bits exponent = (bits)power >> 52, mantissa = ((bits)power & (((uint64_t)1 << 52) - 1)) | (bits)one;
    eight t = (eight)mantissa - 1.5, k = (eight)(exponent + EXPONENT) - (ROUND + 1023), tt = t * t;
    eight far = LN2_HIGH * (k + HL_ROUGH_LOG2(t, tt)) * (slope * inverse);
    *next = h->tau + CHOOSE(BELOW(FAR * one, SIZE(a)), far, u * near);
}

/* Lanes whose root hasn't been found: narrows their bracket; where to look next, or whether that is narrow enough. */
INLINE void narrow(const struct sums *s, struct stand *h, const bits *lost, eight *at_next, bits *good)
{
    CONSTANTS;
    bits before = BELOW(s->f * h->side, none);
    eight from = CHOOSE(*lost & before, h->tau, h->from), to = CHOOSE(*lost & ~before, h->tau, h->to);
    eight middle = 0.5 * (from + to), at = CHOOSE(-OVERFLOWS(*at_next), middle, *at_next);
    bits halve = BELOW(6.5 * one, h->rounds) | BELOW(at, from) | BELOW(to, at);
    at = CHOOSE(halve, middle, at);
    h->rounds = CHOOSE(*lost & ~BELOW(6.5 * one, h->rounds), h->rounds + one, none);
    h->from = from;
    h->to = to;
    *good |= *lost & BELOW(to - from, NARROW * (one + to));
    *at_next = CHOOSE(*lost, at, *at_next);
}

INLINE void turn(struct stand *h, size_t m, const struct sums *s)
{
    CONSTANTS;
    eight f1_next = s->f1 + s->w1, both = one / (s->f1 * f1_next); /* one division for two */
    eight inverse = both * f1_next, root, next;
    bits good;
    revert(s, h, &inverse, &root, &good);
    bits lost = h->active & ~good;
    look_ahead(s, h, &lost, &both, &f1_next, &next);
    next = CHOOSE(lost | AT_MOST_SIZE(SIZE(next - h->middle), h->half), next, root);
    narrow(s, h, &lost, &next, &good);
    root = CHOOSE(lost, next, root);
    eight reach = h->reach * SIZE(inverse), slow = s->slowest * reach, fast = s->others * reach;
    eight curved = SIZE(s->f2 * inverse), bend = curved - h->lambda[0];
    eight beyond = slow * slow * slow * (2 * bend * bend + SIZE(s->f3 * inverse))
                   + fast * (slow + fast) * (curved + h->rate);
    bits settled = good & ~lost & h->settling & SMALLER(beyond * h->rest, EXACT * one), goes_on = good & ~settled;
    h->sum += (eight)(good & (bits)root);
    h->rest -= AS_FLAG(good);
    h->settled = settled;
    h->ended = h->active & (settled | ~BELOW(0.5 * one, h->rest));
    h->active &= ~h->ended;
    h->tau = CHOOSE(h->active, next, CHOOSE(settled, root, h->tau));
    h->from = CHOOSE(good, h->low, h->from);
    h->to = CHOOSE(good, h->high, h->to);
    h->rounds = (eight)(~good & (bits)h->rounds);
#pragma GCC unroll 8
    for (size_t j = 0; j < m; j++) {
        eight d = h->d[j], shrunk = (d * h->p[j] + FLUSH) - FLUSH;
        h->c[j] += (eight)(goes_on & (bits)d);
        h->d[j] = CHOOSE(goes_on, shrunk, d);
    }
}

/* Adds what is left of walks that have settled; they stand at the last root found. */
INLINE void add_tails(struct stand *h, size_t m)
{
    CONSTANTS;
    eight f = h->below, f1 = none, f2 = none, moved = none, R = h->rest, slow = none, squares = none;
    eight quarter = 0.25 * h->tau, length = 0.25 * h->whole;
    for (size_t j = 0; j < m; j++) {
        eight lambda = h->lambda[j], p = h->p[j], q = one / (one - p), at = lambda * quarter, e, gone;
        eight end = lambda * length * R;
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
    tail += squares * first * first * (h->lambda[0] - 0.5 * f2 * r);
    h->sum += tail;
}

/* Where a curve that rises to a maximum, or falls away from one, may pass the level: of row r of the walks. */
INLINE void guess(struct hl_strand_walks *w, size_t r)
{
    CONSTANTS;
    eight low = CONST_ROW(w->low, r), high = CONST_ROW(w->high, r);
    eight from = CONST_ROW(w->from, r), to = CONST_ROW(w->to, r);
    eight q = from / (from - to), qq = q * q, level = -CONST_ROW(w->below, r);
    eight rising = q * (0.25 + 0.75 * (qq * qq * qq));          /* 1 - (1 - q)^(1/4), nearly */
    eight a = from + level, b = to + level;
    eight falling = from / (a + level) * (a + b) / (a - b);       /* ln(a / level) / ln(a / b), nearly */
    bits up = BELOW(from, to), curved = BELOW(none, level) & BELOW(none, b);
    eight share = CHOOSE(up, rising, CHOOSE(curved, falling, q));
    share = CHOOSE(-OVERFLOWS(share), 0.5 * one, share);
    share = GREATER(share, 0.01 * one);
    share = LESSER(share, 0.99 * one);
    ROW(w->tau, r) = low + (high - low) * share;
}

/* ---- Seats */

/* Walk number i takes seat l, where it has stood up before, or where it begins. */
INLINE void sit_down(const struct hl_strand_walks *w, size_t i, size_t m, struct stand *h, size_t l)
{
    const struct hl_strand_share *share = w->share + i * m;
    double low = w->low[i], high = w->high[i], slowest = share[0].p;
    h->walk[l] = i;
    h->active[l] = UINT64_MAX;
    h->settling[l] = slowest < SETTLING ? UINT64_MAX : 0;
    h->reach[l] = slowest < SETTLING ? 1 / (1 - slowest) : 1;
    h->tau[l] = w->tau[i];
    h->side[l] = w->side[i];
    h->below[l] = w->below[i];
    h->low[l] = h->from[l] = low;
    h->high[l] = h->to[l] = high;
    h->middle[l] = 0.5 * (low + high);
    h->half[l] = 0.5 * (high - low);
    h->rest[l] = w->rest[i];
    h->rounds[l] = 0;
    h->sum[l] = w->sum[i];
    h->whole[l] = w->whole[i];
    h->rate[l] = w->rate[i];
    for (size_t j = 0; j < m; j++) {
        h->lambda[j][l] = share[j].lambda;
        h->p[j][l] = share[j].p;
        h->c[j][l] = share[j].c;
        h->d[j][l] = share[j].d;
    }
}

INLINE void stand_up(struct hl_strand_walks *w, size_t m, const struct stand *h, size_t l)
{
    size_t i = h->walk[l];
    struct hl_strand_share *share = w->share + i * m;
    w->tau[i] = h->tau[l];
    w->rest[i] = h->rest[l];
    w->sum[i] = h->sum[l];
    for (size_t j = 0; j < m; j++) {
        share[j].c = h->c[j][l];
        share[j].d = h->d[j][l];
    }
}

/* The order in which walks begin, which matters for nothing but time. */
INLINE void line_up(const struct hl_strand_walks *w, size_t *order)
{
    size_t next[2] = {0}; /* of the long ones, of the short ones behind them */
    for (size_t i = 0; i < w->n; i++)
        next[1] += w->rest[i] > LONG;
    for (size_t i = 0; i < w->n; i++)
        order[next[w->rest[i] < LONG]++] = i;
}

/* Walks in a line, of which the first `next` have sat down; and those that have settled. */
struct queue { size_t order[HL_STRAND_WALKS], next, settled[HL_STRAND_WALKS], n_settled; };

/* A bit for each seat in which a walk has ended. */
INLINE unsigned ended(const struct stand *stand)
{
    static const bits bit = {1, 2, 4, 8, 16, 32, 64, 128};
    uint64_t lane[HL_LANES], all = 0;
    bits found = {0};
    for (size_t k = 0; k < ROWS; k++)
        found |= stand[k].ended & (bit << (k * HL_LANES));
    memcpy(lane, &found, sizeof lane);
    for (size_t l = 0; l < HL_LANES; l++)
        all |= lane[l];
    return (unsigned)all;
}

/* Seats in which a walk has ended are given to the next ones. Returns how many are left empty. */
INLINE size_t change_seats(struct hl_strand_walks *w, size_t m, unsigned free, struct stand *stand, struct queue *queue)
{
    size_t left = 0;
    for (; free != 0; free &= free - 1) {
        size_t seat = (size_t)__builtin_ctz(free), l = seat % HL_LANES;
        struct stand *h = &stand[seat / HL_LANES];
        if (h->settled[l] != 0)
            queue->settled[queue->n_settled++] = h->walk[l];
        stand_up(w, m, h, l);
        if (queue->next < w->n)
            sit_down(w, queue->order[queue->next++], m, h, l);
        else
            left++;
    }
    return left;
}

INLINE void walk_all(struct hl_strand_walks *w, size_t m, struct stand *stand, struct queue *queue)
{
    for (size_t seat = 0; seat < ROWS * HL_LANES; seat++) {
        bool some = queue->next < w->n;
        struct stand *h = &stand[seat / HL_LANES];
        sit_down(w, queue->order[some ? queue->next++ : 0], m, h, seat % HL_LANES);
        h->active[seat % HL_LANES] = some ? UINT64_MAX : 0;
    }
    for (size_t taken = queue->next; taken > 0;) {
        struct sums sums[ROWS];
        for (size_t k = 0; k < ROWS; k++)
            look(&stand[k], m, &sums[k]);
        for (size_t k = 0; k < ROWS; k++)
            turn(&stand[k], m, &sums[k]);
        taken -= change_seats(w, m, ended(stand), stand, queue);
    }
}

INLINE void follow(struct hl_strand_walks *w, size_t m)
{
    if (w->n == 0)
        return;
    struct stand stand[ROWS];
    struct queue queue = {.next = 0};
    line_up(w, queue.order);
    for (size_t r = 0; r * HL_LANES < w->n; r++)
        guess(w, r);
    walk_all(w, m, stand, &queue);
    for (size_t i = 0; i < queue.n_settled; i += HL_LANES) {
        size_t n = queue.n_settled - i < HL_LANES ? queue.n_settled - i : HL_LANES;
        for (size_t l = 0; l < n; l++)
            sit_down(w, queue.settled[i + l], m, stand, l);
        add_tails(stand, m);
        for (size_t l = 0; l < n; l++)
            w->sum[queue.settled[i + l]] = stand->sum[l];
    }
}

/* What is found is handed over in the order in which it was asked. */
static void hand_over(struct hl_strand_walks *w)
{
    for (size_t i = 0; i < w->n; i++)
        *w->hours[i] -= w->side[i] * w->sum[i];
    w->n = 0;
}

HL_CLONES void hl_strand_follow(struct hl_strand_walks *w, size_t n_modes)
{
    switch (n_modes) {
    case 2: follow(w, 2); break;
    case 3: follow(w, 3); break;
    case 4: follow(w, 4); break;
    case 5: follow(w, 5); break;
    default: follow(w, n_modes); break;
    }
    hand_over(w);
}
