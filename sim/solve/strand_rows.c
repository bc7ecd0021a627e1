/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums of exponentials over eight lanes.
 *
 * How many zeros f(s) = sum b_j e^(lambda_j s) can have on s > 0 is told by Laguerre's rule of signs (Laguerre 1883,
 * Oeuvres I, p. 28; Jameson 2006, Math Gaz 90:223): at most as many as the partial sums of the b_j, taken from the
 * largest lambda on, change sign. For f is s times the Laplace transform of the step function of these sums, and the
 * Laplace kernel doesn't make signs change more often. Seen from the right end, with s' = L - s, the same holds of the
 * sums of b_j e^(lambda_j L), taken from the smallest lambda on; the smaller number counts. Descartes' rule, changes of
 * sign of the b_j themselves, allows at least as many.
 *
 * All arithmetic is in rows of eight, fused by nobody and in a fixed order. */
#include "solve/strand_parts.h"

#include "base/eight.h"

typedef hl_eight eight;

HL_CLONES void hl_strand_hop(const double *z, const double *g, const double *E, const double *phi, size_t n,
                             double *z_end)
{
    for (size_t j = 0; j < n; j++) {
        eight moved = CONST_ROW(z, j) * CONST_ROW(E, j);
        ROW(z_end, j) = g ? moved + CONST_ROW(g, j) * CONST_ROW(phi, j) : moved;
    }
}

HL_CLONES bool hl_strand_renew_inputs(struct hl_strand *s)
{
    bool found = false;
    for (size_t j = 0; j < s->n_modes; j++) {
        eight sum = {0};
        for (size_t i = 0; i < s->n_slots; i++)
            sum += CONST_ROW(s->W, i * s->n_modes + j) * (CONST_ROW(s->input, i) + CONST_ROW(s->infusion, i));
        ROW(s->g, j) = sum;
        found = found || any(&sum);
    }
    return found;
}

HL_CLONES void hl_strand_drift(const double *E, const double *phi, const double *lambda, const double *drift, size_t n,
                               double *E_to, double *phi_to)
{
    eight d = CONST_ROW(drift, 0);
    for (size_t j = 0; j < n; j++) {
        eight x = CONST_ROW(lambda, j) * d, e = CONST_ROW(E, j);
        ROW(E_to, j) = e + e * (x + 0.5 * x * x);
        ROW(phi_to, j) = CONST_ROW(phi, j) + e * d;
    }
}

HL_CLONES void hl_strand_add(double *z, const double *W, const double *value, size_t n)
{
    for (size_t j = 0; j < n; j++)
        ROW(z, j) += CONST_ROW(W, j) * CONST_ROW(value, 0);
}

HL_CLONES void hl_strand_take(const double *from, const double *mask, size_t n, double *to)
{
    CONSTANTS;
    eight taken = CONST_ROW(mask, 0);
    for (size_t j = 0; j < n; j++)
        ROW(to, j) = PICK(taken, CONST_ROW(from, j), ROW(to, j));
}

HL_CLONES void hl_strand_times(const double *lambda, const double *s, size_t n, double *x)
{
    for (size_t j = 0; j < n; j++)
        ROW(x, j) = CONST_ROW(lambda, j) * CONST_ROW(s, 0);
}

HL_CLONES void hl_strand_sum(const double *offset, const double *c, const double *E, const double *d, const double *phi,
                             size_t n, double *sum)
{
    eight total = {0};
    if (offset)
        total = CONST_ROW(offset, 0);
    for (size_t j = 0; j < n; j++) {
        total += CONST_ROW(c, j) * CONST_ROW(E, j);
        if (d)
            total += CONST_ROW(d, j) * CONST_ROW(phi, j);
    }
    ROW(sum, 0) = total;
}

/* The series s^2 (1/2! + x/3! + x^2/4! + ...), x = lambda s, where the difference would lose digits. */
HL_CLONES void hl_strand_psi(const double *lambda, const double *s, const double *phi, size_t n, double *psi)
{
    CONSTANTS;
    eight length = CONST_ROW(s, 0);
    for (size_t j = 0; j < n; j++) {
        eight rate = CONST_ROW(lambda, j), x = rate * length, sum = none;
        for (int k = 17; k >= 3; k--)
            sum = (one + sum) * x / (double)k;
        eight near = 0.5 * length * length * (one + sum);
        eight small = LESS(SIZE(x), 0.5 * one);
        eight far = (CONST_ROW(phi, j) - length) / PICK(small, one, rate);
        ROW(psi, j) = PICK(small, near, far);
    }
}

/* Laguerre's rule from both ends of a stretch; and y' there. */
INLINE void count_turns(const double *b, const double *E, size_t n, eight *count, eight *start, eight *end)
{
    CONSTANTS;
    eight forward = {0}, backward = {0}, last = {0}, changes = {0}, changes_back = {0};
    for (size_t j = 0; j < n; j++)
        HL_STRAND_COUNT(forward, last, changes, CONST_ROW(b, j));
    last = (eight){0};
    for (size_t j = n; j-- > 0;) {
        eight term = CONST_ROW(b, j) * (CONST_ROW(E, j) + HL_STRAND_HARDLY);
        HL_STRAND_COUNT(backward, last, changes_back, term);
    }
    *count = LESSER(changes, changes_back);
    *start = forward;
    *end = backward;
}

HL_CLONES void hl_strand_chain(const double *b, const double *lambda, size_t n, double *chain)
{
    for (size_t j = 0; j < n; j++)
        ROW(chain, j) = CONST_ROW(b, j);
    for (size_t left = n; left > 1; left--) {
        double *next = chain + left * HL_LANES;
        for (size_t j = 0; j + 1 < left; j++)
            ROW(next, j) = (CONST_ROW(lambda, j) - CONST_ROW(lambda, left - 1)) * ROW(chain, j);
        chain = next;
    }
}

HL_CLONES void hl_strand_signs(const double *chain, const double *E, size_t n, double *signs, double *first)
{
    CONSTANTS;
    eight last = {0}, changes = {0};
    for (size_t left = n; left > 0; left--) {
        eight sum = {0}, value = {0};
        for (size_t j = 0; j < left; j++)
            value += E ? CONST_ROW(chain, j) * CONST_ROW(E, j) : CONST_ROW(chain, j);
        if (left == n)
            ROW(first, 0) = value;
        HL_STRAND_COUNT(sum, last, changes, value);
        chain += left * HL_LANES;
    }
    ROW(signs, 0) = changes;
}

HL_CLONES void hl_strand_range(const double *b, const double *E, const double *F, size_t n, double *low, double *high)
{
    CONSTANTS;
    eight least = {0}, most = {0};
    for (size_t j = 0; j < n; j++) {
        eight coef = CONST_ROW(b, j), p = E ? coef * CONST_ROW(E, j) : coef, q = coef * CONST_ROW(F, j);
        least += LESSER(p, q);
        most += GREATER(p, q);
    }
    ROW(low, 0) = least;
    ROW(high, 0) = most;
}

/* Lanes of rest, which aren't straight nor turn once by the signs alone, for a minimum before the place curve->dip and
 * a maximum after it: the slopes say so, and there are three turns at most. With y'' >= m > 0 before the place, the
 * minimum isn't below y(0) - y'(0)^2 / (2 m). */
INLINE void find_dips(const struct hl_strand *s, const struct hl_strand_curve *curve, const eight *rest,
                      const eight *count, eight *dips, eight *floor)
{
    CONSTANTS;
    eight slope = {0}, bend = {0}, start = CONST_ROW(curve->slope, 0), place = CONST_ROW(curve->dip.at, 0);
    for (size_t j = 0; j < s->n_modes; j++) {
        eight b = CONST_ROW(curve->b, j), c = CONST_ROW(s->lambda, j) * b, E = CONST_ROW(curve->dip.E, j);
        eight moved = c * E;
        slope += b * E;
        bend += LESSER(c, moved);
    }
    *dips = *rest * LESS(start, none) * LESS(CONST_ROW(curve->slope_right, 0), none) * AT_MOST(*count, 3 * one)
            * LESS(none, slope) * LESS(none, place) * LESS(place, CONST_ROW(s->length, 0));
    eight lowest = CONST_ROW(curve->left, 0) - start * start / (2 * bend);
    *floor = PICK(*dips * LESS(none, bend), lowest, *floor);
}

/* Of lanes in peaks, which have one maximum: those that still rise at the place curve->ridge, and what the curve can't
 * exceed from there on. */
INLINE void find_ridges(const struct hl_strand *s, const struct hl_strand_curve *curve, const eight *peaks,
                        const eight *dips, eight *ridges, eight *top)
{
    CONSTANTS;
    eight slope = {0}, sum = CONST_ROW(curve->offset, 0), place = CONST_ROW(curve->ridge.at, 0);
    for (size_t j = 0; j < s->n_modes; j++) {
        eight a = CONST_ROW(curve->a, j), E = CONST_ROW(curve->ridge.E, j), p = a * E, q = a * CONST_ROW(s->E_whole, j);
        slope += CONST_ROW(curve->b, j) * E;
        sum += GREATER(p, q);
        if (s->infused) {
            eight G = CONST_ROW(curve->G, j), early = G * CONST_ROW(curve->ridge.phi, j),
                  late = G * CONST_ROW(s->phi_whole, j);
            sum += GREATER(early, late);
        }
    }
    eight beyond = EITHER(NOT(*dips), LESS(CONST_ROW(curve->dip.at, 0), place));
    *ridges = *peaks * LESS(none, slope) * LESS(none, place) * LESS(place, CONST_ROW(s->length, 0)) * beyond;
    *top = sum;
}

/* From count and the signs of y' at the ends: how often y turns, and what it can't exceed. */
INLINE void judge(const struct hl_strand *s, struct hl_strand_curve *curve, const eight *count, const eight *above,
                  const eight *below)
{
    CONSTANTS;
    const eight two = one + one;
    eight start = CONST_ROW(curve->slope, 0), end = CONST_ROW(curve->slope_right, 0), top = *above, bottom = *below;
    eight falls = LESS(start, none), odd = DIFFERENT(falls, LESS(end, none));
    eight straight = NOT(NOT(EQUAL(*count, none)) * NOT(EQUAL(*count, one) * NOT(odd)));
    eight once = NOT(straight) * odd * AT_MOST(*count, two), rest = NOT(straight) * NOT(once);
    eight dips = none, ridges = none;
    if (any(&rest))
        find_dips(s, curve, &rest, count, &dips, &bottom);
    eight peaks = once * NOT(falls) + dips;
    if (any(&peaks))
        find_ridges(s, curve, &peaks, &dips, &ridges, &top);
    top = PICK(ridges, top, *above);
    ROW(curve->turns, 0) = HL_TURNS_ONCE * once + HL_TURNS_UNKNOWN * (rest - dips) + HL_TURNS_DIP * dips;
    eight left = CONST_ROW(curve->left, 0), right = CONST_ROW(curve->right, 0);
    eight higher = GREATER(left, right), lower = LESSER(left, right), greatest = GREATER(top, higher),
          least = LESSER(bottom, lower);
    ROW(curve->high, 0) = PICK(straight + once * falls, higher, greatest);
    ROW(curve->low, 0) = PICK(straight + once * NOT(falls), lower, least);
}

HL_CLONES bool hl_strand_open(const struct hl_strand *s, struct hl_strand_curve *curve)
{
    CONSTANTS;
    eight left = CONST_ROW(curve->offset, 0), right = left, above = left, below = left, bend = {0}, size = {0};
    for (size_t j = 0; j < s->n_modes; j++) {
        eight V = CONST_ROW(curve->V, j), lambda = CONST_ROW(s->lambda, j), E = CONST_ROW(s->E_whole, j);
        eight a = V * CONST_ROW(s->z, j), moved = a * E, b = lambda * a;
        ROW(curve->a, j) = a;
        left += a;
        right += moved;
        above += GREATER(a, moved);
        below += LESSER(a, moved);
        if (s->infused) {
            eight G = V * CONST_ROW(s->g, j), gain = G * CONST_ROW(s->phi_whole, j);
            ROW(curve->G, j) = G;
            b += G;
            right += gain;
            above += GREATER(gain, none);
            below += LESSER(gain, none);
        }
        ROW(curve->b, j) = b;
        bend += lambda * b;
        size += SIZE(b);
    }
    ROW(curve->left, 0) = left;
    ROW(curve->right, 0) = right;
    ROW(curve->bend, 0) = bend;
    eight count, start, end;
    count_turns(curve->b, s->E_whole, s->n_modes, &count, &start, &end);
    eight flat = EQUAL(end, none);
    ROW(curve->slope, 0) = PICK(AT_MOST(SIZE(start), HL_STRAND_FLAT * size), bend, start); /* 0 but for rounding */
    ROW(curve->slope_right, 0) = end;
    if (any(&flat)) { /* then y' came from the sign of -y'' */
        eight bend_right = {0};
        for (size_t j = 0; j < s->n_modes; j++)
            bend_right += CONST_ROW(s->lambda, j) * CONST_ROW(curve->b, j) * CONST_ROW(s->E_whole, j);
        ROW(curve->slope_right, 0) = PICK(flat, -bend_right, end);
    }
    judge(s, curve, &count, &above, &below);
    eight unknown = EQUAL(CONST_ROW(curve->turns, 0), HL_TURNS_UNKNOWN * one) * LESS(CONST_ROW(curve->slope, 0), none)
                    * LESS(CONST_ROW(curve->slope_right, 0), none) * LESS(none, bend)
                    * LESS(none, CONST_ROW(s->length, 0));
    return any(&unknown);
}

/* y and the derivatives of y' at a place; the sizes of the next one's terms. */
struct terms { eight y, S0, S1, S2, S3, S4, S5, S6, beyond; };

/* The next derivative of a mode's share in y'. */
#define NEXT(S, term) do { (S) += (term); (term) *= lambda; } while (0)

INLINE void take_terms(const struct hl_strand *s, const struct hl_strand_curve *curve,
                       const struct hl_strand_place *place, struct terms *t)
{
    CONSTANTS;
    *t = (struct terms){.y = CONST_ROW(curve->offset, 0), .S0 = none, .S1 = none, .S2 = none, .S3 = none, .S4 = none,
                        .S5 = none, .S6 = none, .beyond = none};
    for (size_t j = 0; j < s->n_modes; j++) {
        eight E = CONST_ROW(place->E, j), lambda = CONST_ROW(s->lambda, j), term = CONST_ROW(curve->b, j) * E;
        t->y += CONST_ROW(curve->a, j) * E;
        if (s->infused)
            t->y += CONST_ROW(curve->G, j) * CONST_ROW(place->phi, j);
        NEXT(t->S0, term);
        NEXT(t->S1, term);
        NEXT(t->S2, term);
        NEXT(t->S3, term);
        NEXT(t->S4, term);
        NEXT(t->S5, term);
        NEXT(t->S6, term);
        t->beyond += SIZE(term);
    }
}

/* By Estrin's scheme: few of the operations wait for each other. */
#define FOUR_TERMS(a, b, c, d, x, xx) (((a) + (b) * (x)) + ((c) + (d) * (x)) * (xx))
#define EIGHT_TERMS(x, xx) (FOUR_TERMS(c0, c1, c2, c3, x, xx) + (xx) * (xx) * FOUR_TERMS(c4, c5, c6, c7, x, xx))

/* With S_k = sum lambda^k b E the k-th derivative of y' at the place,
 *     y'(x) = sum S_k x^k / k!,   y(x) = y + sum S_k x^{k+1} / (k+1)!,   k = 0 .. 6.
 * With u = -c_0 / c_1 of either series, A = c_2 / c_1 and B = c_3 / c_1 its reversion to third order is
 *     x = u - A u^2 + (2 A^2 - B) u^3.
 * Two turns of Newton's iteration follow, with (1 - 2 A x + (4 A^2 - 3 B) x^2) / c_1 for one over the slope: what is
 * left is the second step times its ratio to the first. What the series leaves out is below the sum of the sizes of
 * its next term over 1 - z / 8, z = |x| times the fastest rate. */
HL_CLONES void hl_strand_near(const struct hl_strand *s, const struct hl_strand_curve *curve,
                              const struct hl_strand_place *place, bool turn, const double *level, const double *low,
                              const double *high, const double *side, struct hl_strand_near *near)
{
    CONSTANTS;
    struct terms t;
    eight known = AT_MOST(none, CONST_ROW(place->at, 0)); /* else the exponentials are somebody else's */
    ROW(near->s, 0) = -one;
    ROW(near->y, 0) = ROW(near->good, 0) = ROW(near->far, 0) = none;
    if (!any(&known))
        return;
    take_terms(s, curve, place, &t);
    eight c0 = t.y, c1 = t.S0, c2 = t.S1 * (1. / 2), c3 = t.S2 * (1. / 6), c4 = t.S3 * (1. / 24),
          c5 = t.S4 * (1. / 120), c6 = t.S5 * (1. / 720), c7 = t.S6 * (1. / 5040), y0 = c1, y1 = c2, y2 = c3, y3 = c4,
          y4 = c5, y5 = c6, y6 = c7;
    if (turn) { /* the derivative */
        c0 = y0;
        c1 = 2 * y1;
        c2 = 3 * y2;
        c3 = 4 * y3;
        c4 = 5 * y4;
        c5 = 6 * y5;
        c6 = 7 * y6;
        c7 = none;
    } else {
        c0 -= CONST_ROW(level, 0);
    }
    eight r = one / c1, u = -c0 * r, A = c2 * r, B = c3 * r;
    eight x = u * (one - u * (A - (2 * A * A - B) * u)), inverse = r * (one - x * (2 * A - (4 * A * A - 3 * B) * x));
    eight xx = x * x, first = EIGHT_TERMS(x, xx) * inverse;
    x -= first;
    xx = x * x;
    eight second = EIGHT_TERMS(x, xx) * inverse;
    x -= second;
    xx = x * x;
    eight size = SIZE(x), reach = size * size, bent = SIZE(A * x);
    reach = reach * reach * reach * size * t.beyond * (turn ? 1. / 5040 : 1. / 40320);
    reach = turn ? reach : reach * size;
    eight allowed = HL_STRAND_EXACT * SIZE(c1) * (one - 0.125 * size * CONST_ROW(s->rate, 0));
    eight left = second * second, may = HL_STRAND_EXACT * SIZE(first); /* steps shrink at this rate */
    eight at = CONST_ROW(place->at, 0) + x, direction = c1 * CONST_ROW(side, 0);
    eight y = t.y + x * (FOUR_TERMS(y0, y1, y2, y3, x, xx) + xx * xx * (y4 + y5 * x + y6 * xx));
    ROW(near->s, 0) = PICK(known, at, -one);
    ROW(near->y, 0) = y;
    ROW(near->good, 0) = FINITE(at) * FINITE(y) * known * AT_MOST(CONST_ROW(low, 0), at) * LESS(none, direction)
                         * AT_MOST(at, CONST_ROW(high, 0)) * AT_MOST(left, may) * AT_MOST(reach, allowed);
    ROW(near->far, 0) = LESS(0.05 * one, bent);
}

HL_CLONES bool hl_strand_seek(const struct hl_strand_curve *curve, const double *length, const double *wanted,
                              bool maxima, struct hl_strand_search *search)
{
    CONSTANTS;
    eight turns = CONST_ROW(curve->turns, 0), falls = LESS(CONST_ROW(curve->slope, 0), none);
    eight dips = EQUAL(turns, HL_TURNS_DIP * one), once = EQUAL(turns, HL_TURNS_ONCE * one);
    eight whole = CONST_ROW(length, 0), place = CONST_ROW(curve->dip.at, 0);
    eight asked = LESS((maxima ? 0.5 : 1.5) * one, CONST_ROW(wanted, 0));
    eight flag = asked * (dips + once * (maxima ? NOT(falls) : falls));
    ROW(search->wanted, 0) = flag;
    ROW(search->low, 0) = maxima ? PICK(dips, place, none) : none;
    ROW(search->high, 0) = maxima ? whole : PICK(dips, place, whole);
    ROW(search->side, 0) = maxima ? -one : one;
    return any(&flag);
}

#define NEXT_TO_FLAT 1e-6 /* of the way: a slope there is one of rounding no more (HL_STRAND_FLAT) */

HL_CLONES void hl_strand_leave_flat(const struct hl_strand *s, const struct hl_strand_curve *curve,
                                    struct hl_strand_search *search)
{
    CONSTANTS;
    eight slope = {0}, size = {0}, low = ROW(search->low, 0);
    for (size_t j = 0; j < s->n_modes; j++) {
        slope += CONST_ROW(curve->b, j);
        size += SIZE(CONST_ROW(curve->b, j));
    }
    eight flat = EQUAL(low, none) * LESS(none, size) * AT_MOST(SIZE(slope), HL_STRAND_FLAT * size);
    ROW(search->low, 0) = PICK(flat, NEXT_TO_FLAT * ROW(search->high, 0), low);
}

HL_CLONES bool hl_strand_points(const struct hl_strand_search *search, const struct hl_strand_near *near,
                                const double *left, double *mask, double *offset)
{
    CONSTANTS;
    eight s = CONST_ROW(near->s, 0); /* below 0 where there is no place */
    eight inside = CONST_ROW(left, 0) * FINITE(s) * LESS(CONST_ROW(search->low, 0), s)
                   * LESS(s, CONST_ROW(search->high, 0));
    ROW(mask, 0) = inside;
    ROW(offset, 0) = PICK(inside, s, none);
    return any(&inside);
}

HL_CLONES bool hl_strand_sort(struct hl_strand_search *search, const struct hl_strand_near *near, double *left,
                              double *far)
{
    CONSTANTS;
    eight wanted = ROW(search->wanted, 0), good = wanted * CONST_ROW(near->good, 0), lack = wanted - good;
    eight distant = lack + good * CONST_ROW(near->far, 0);
    ROW(search->s, 0) = PICK(good, CONST_ROW(near->s, 0), none);
    ROW(search->y, 0) = PICK(good, CONST_ROW(near->y, 0), none);
    ROW(left, 0) = lack;
    ROW(far, 0) = distant;
    return any(&distant);
}

/* Adding 1.5 * 2^52 quanta leaves no digits for less. */
HL_CLONES bool hl_strand_split(const double *dt, double *whole, double *drift)
{
    CONSTANTS;
    const eight shift = 1.5 * 4503599627370496.0 * HL_STRAND_QUANTUM * one;
    eight length = CONST_ROW(dt, 0), cut = (length + shift) - shift, rest;
    cut = PICK(LESS(length, 32768 * one), cut, length);
    rest = length - cut;
    ROW(whole, 0) = cut;
    ROW(drift, 0) = rest;
    return any(&rest);
}

/* Adds a term and its slope to the sums of its sign. */
#define WEIGH(term, tilt) do { \
        eight value_ = (term), tilt_ = (tilt), minus_ = LESS(value_, none); \
        plus += PICK(minus_, none, value_); \
        rise += PICK(minus_, none, tilt_); \
        minus -= PICK(minus_, value_, none); \
        fall -= PICK(minus_, tilt_, none); \
    } while (0)

/* The upper half of a number's bits as a number: 2^20 times its binary logarithm, to 0.09, and a constant. */
#define UPPER(x) (((hl_eight)(((hl_eight_bits)(x) >> 32) | 0x4330000000000000u)) - 4503599627370496.0)

/* With P and N the sums of the positive and of the negative terms, f = ln P - ln N and f' = P'/P - N'/N: a sum of
 * exponentials with rates of one kind is nearly straight as a logarithm, so Newton's iteration, which creeps along an
 * exponential, gets there in a few steps from anywhere. Near the zero f is 2 artanh((P - N) / (P + N)); far away the
 * logarithms needn't be right. */
HL_CLONES void hl_strand_balance(const struct hl_strand *s, const double *c, const double *d, const double *above,
                                 double *f, double *slope)
{
    CONSTANTS;
    eight plus = 1e-290 * one, minus = plus, rise = none, fall = none;
    if (above)
        WEIGH(CONST_ROW(above, 0), none);
    for (size_t j = 0; j < s->n_modes; j++) {
        eight E = CONST_ROW(s->E, j), term = CONST_ROW(c, j) * E;
        WEIGH(term, CONST_ROW(s->lambda, j) * term);
        if (d)
            WEIGH(CONST_ROW(d, j) * CONST_ROW(s->phi, j), CONST_ROW(d, j) * E);
    }
    eight t = (plus - minus) / (plus + minus), square = t * t;
    eight near = 2 * t * (one + square * (1. / 3 + square * (1. / 5 + square * (1. / 7))));
    eight far = 0.6931471805599453 / 1048576 * (UPPER(plus) - UPPER(minus));
    ROW(f, 0) = PICK(LESS(SIZE(t), 0.25 * one), near, far);
    ROW(slope, 0) = rise / plus - fall / minus;
}

#define BALANCED 1e-5 /* a logarithm is straight enough from here on: what a step leaves is below its half times f */
#define NARROW 1e-6 /* a bracket this narrow, in units of a close step, needs no further turn */

HL_CLONES bool hl_strand_turn(struct hl_strand_root *root, const double *f, const double *slope, bool bisect)
{
    eight s = ROW(root->s, 0), value = CONST_ROW(f, 0), low = ROW(root->low, 0), high = ROW(root->high, 0);
    CONSTANTS;
    eight active = ROW(root->active, 0), before = LESS(none, value * ROW(root->side, 0));
    low = PICK(active * before, s, low);
    high = PICK(active * NOT(before), s, high);
    eight middle = 0.5 * (low + high), next = s - value / CONST_ROW(slope, 0), close = ROW(root->close, 0);
    eight hit = EQUAL(value, none), halved = bisect ? one : NOT(FINITE(next));
    next = PICK(halved, middle, next);
    eight inside = NOT(halved) * AT_MOST(low - close, next) * AT_MOST(next, high + close);
    next = GREATER(low, next); /* that end may be the root already, or nearer to it than the middle */
    next = LESSER(next, high);
    eight stuck = NOT(inside) * AT_MOST(SIZE(next - s), close);
    next = PICK(stuck, middle, next);
    eight step = next - s, width = high - low;
    eight last = inside * AT_MOST(SIZE(step), close) * AT_MOST(SIZE(value), BALANCED * one);
    eight still = active * NOT(last) * LESS(NARROW * close, width) * NOT(hit);
    ROW(root->low, 0) = low;
    ROW(root->high, 0) = high;
    ROW(root->s, 0) = PICK(active * NOT(hit), next, s);
    ROW(root->active, 0) = still;
    return any(&still);
}
