/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums of exponentials over eight lanes, stretch after stretch of a run (stretch.h): what strand_rows.c does for one
 * stretch, in loops over all of them that leave nothing to be looked up again.
 *
 * Amplitudes z go from one stretch of a run to the next; all else is the same: shares V of the modes in the output,
 * rates, exponentials of the length. So the Taylor series of the curve around some offset s is a table of numbers
 *     C_k[j] = V_j e^(lambda_j s) lambda_j^k / k!,   y(s + x) = sum over k of x^k (K_k + sum over j of C_k[j] z_j),
 * made once and used for the whole run, as long as roots stay near s. */
#include "solve/strand_parts.h"

#include "base/eight.h"
#include "base/four.h"

typedef hl_eight eight;

/* hl_strand_run takes half rows, which AVX2 holds in a register: whole ones would go to memory and back. */
typedef hl_four four;
#define HALF(array, i) (*(four *)(void *)((array) + (i) * HL_LANES))
#define CONST_HALF(array, i) (*(const four *)(const void *)((array) + (i) * HL_LANES))

/* dose: rows of what is added. */
INLINE void carry_on(struct hl_strand *s, const double *dose, size_t n, bool infused)
{
    size_t m = s->n_modes;
    const double *E = s->E_whole;
    double *z = s->zs, *sum = s->z_sum;
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < m; j++, z += HL_LANES) {
            eight next = CONST_ROW(z, 0) * CONST_ROW(E, j);
            if (infused)
                next += CONST_ROW(s->g, j) * CONST_ROW(s->phi_whole, j);
            next += CONST_ROW(dose, j);
            ROW(z, m) = next;
            ROW(sum, j) += next;
        }
}

HL_CLONES void hl_strand_carry(struct hl_strand *s, const double *W, const double *value, size_t n)
{
    for (size_t j = 0; j < s->n_modes; j++)
        ROW(s->x, j) = CONST_ROW(W, j) * CONST_ROW(value, 0);
    if (s->infused)
        carry_on(s, s->x, n, true);
    else
        carry_on(s, s->x, n, false);
}

HL_CLONES void hl_strand_stand(struct hl_strand *s, const double *t0, const double *t1)
{
    ROW(s->t0, 0) = CONST_ROW(t0, 0);
    ROW(s->t1, 0) = CONST_ROW(t1, 0);
    ROW(s->length, 0) = CONST_ROW(s->whole, 0);
}

HL_CLONES void hl_strand_run(const double *offset, const double *V, const double *E, const double *g, const double *phi,
                             const double *z, size_t n, size_t m, double unit, double *c, double *y)
{
    const double scale = 1 / unit;
    double still[HL_LANES] __attribute__((aligned(64)));
    ROW(still, 0) = CONST_ROW(offset, 0);
    for (size_t j = 0; j < n; j++) {
        ROW(c, j) = CONST_ROW(V, j) * CONST_ROW(E, j) * scale;
        if (g)
            ROW(still, 0) += CONST_ROW(V, j) * CONST_ROW(g, j) * CONST_ROW(phi, j);
    }
    ROW(still, 0) *= scale;
    for (size_t i = 0; i < m; i++, z += n * HL_LANES) {
        four low = CONST_HALF(still, 0), high = CONST_HALF(still + 4, 0);
        for (size_t j = 0; j < n; j++) {
            low += CONST_HALF(c, j) * CONST_HALF(z, j);
            high += CONST_HALF(c + 4, j) * CONST_HALF(z + 4, j);
        }
        HALF(y, i) = low;
        HALF(y + 4, i) = high;
    }
}

/* From one stretch of a run to the next y changes by D(t) = sum of V_j (z1_j - z0_j) e^(lambda_j t), t being the time
 * since the run began: the amplitudes' differences themselves decay by e^(lambda_j L) from stretch to stretch. By
 * Laguerre's rule D has one sign for all t > 0 when the partial sums have. */
HL_CLONES void hl_strand_trend(const double *V, const double *z0, const double *z1, size_t n, double *trend)
{
    CONSTANTS;
    eight sum = {0}, last = {0}, changes = {0}, size = {0}, all = {0};
    for (size_t j = 0; j < n; j++) {
        eight share = CONST_ROW(V, j), step = share * (CONST_ROW(z1, j) - CONST_ROW(z0, j)),
              here = share * CONST_ROW(z0, j);
        HL_STRAND_COUNT(sum, last, changes, step);
        size += SIZE(step);
        all += SIZE(here);
    }
    eight flat = AT_MOST(size, HL_STRAND_NOISE * all);
    ROW(trend, 0) = PICK(flat, -one, last * EQUAL(changes, none));
}

HL_CLONES void hl_strand_fill(const struct hl_strand *s, const double *z, struct hl_strand_curve *curve, double *crest)
{
    eight left = CONST_ROW(curve->offset, 0), right = left, top = left;
    for (size_t j = 0; j < s->n_modes; j++) {
        eight V = CONST_ROW(curve->V, j), a = V * CONST_ROW(z, j), b = CONST_ROW(s->lambda, j) * a;
        ROW(curve->a, j) = a;
        left += a;
        right += a * CONST_ROW(s->E_whole, j);
        top += a * CONST_ROW(curve->peak.E, j);
        if (s->infused) {
            eight G = V * CONST_ROW(s->g, j);
            ROW(curve->G, j) = G;
            b += G;
            right += G * CONST_ROW(s->phi_whole, j);
            top += G * CONST_ROW(curve->peak.phi, j);
        }
        ROW(curve->b, j) = b;
    }
    ROW(curve->left, 0) = left;
    ROW(curve->right, 0) = right;
    ROW(crest, 0) = top;
}

/* What is known of a stretch in a run. */
struct course { eight left, right, start, end, crest, count, size; }; /* size: of the slope's terms at the beginning */

/* 1 where the signs of x and y differ; that of 0 may be either: at worst one change too many is counted. */
#define FLIPS(x, y) ((hl_eight)(-(((hl_eight_bits)(x) ^ (hl_eight_bits)(y)) >> 63) & (hl_eight_bits)one))

INLINE void follow(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z, struct course *c)
{
    CONSTANTS;
    eight left = CONST_ROW(curve->offset, 0), right = left, crest = left, start = {0}, end = {0}, count = {0};
    eight size = {0};
    for (size_t j = 0; j < s->n_modes; j++) {
        eight V = CONST_ROW(curve->V, j), E = CONST_ROW(s->E_whole, j), a = V * CONST_ROW(z, j), before = start;
        eight b = CONST_ROW(s->lambda, j) * a;
        left += a;
        right += a * E;
        crest += a * CONST_ROW(curve->peak.E, j);
        if (s->infused) {
            eight G = V * CONST_ROW(s->g, j);
            b += G;
            right += G * CONST_ROW(s->phi_whole, j);
            crest += G * CONST_ROW(curve->peak.phi, j);
        }
        start += b;
        size += SIZE(b);
        end += b * (E + HL_STRAND_HARDLY);
        if (j > 0)
            count += FLIPS(before, start);
    }
    *c = (struct course){left, right, start, end, crest, count, size};
}

/* Laguerre's rule from the other end in lanes where it didn't tell. */
INLINE void count_back(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z,
                       const eight *lanes, struct course *c)
{
    CONSTANTS;
    eight sum = {0}, count = {0};
    for (size_t j = s->n_modes; j-- > 0;) {
        eight V = CONST_ROW(curve->V, j), b = CONST_ROW(s->lambda, j) * (V * CONST_ROW(z, j)), before = sum;
        if (s->infused)
            b += V * CONST_ROW(s->g, j);
        sum += b * (CONST_ROW(s->E_whole, j) + HL_STRAND_HARDLY);
        if (j + 1 < s->n_modes)
            count += FLIPS(before, sum);
    }
    c->count = PICK(*lanes * LESS(count, c->count), count, c->count);
}

/* As find_dips: lanes with a minimum before the place curve->dip and a maximum after it; what y isn't below before. */
INLINE void follow_dips(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z,
                        const struct course *c, eight *dips, eight *floor)
{
    CONSTANTS;
    eight slope = {0}, bend = {0}, place = CONST_ROW(curve->dip.at, 0);
    for (size_t j = 0; j < s->n_modes; j++) {
        eight V = CONST_ROW(curve->V, j), b = CONST_ROW(s->lambda, j) * (V * CONST_ROW(z, j));
        if (s->infused)
            b += V * CONST_ROW(s->g, j);
        eight lead = CONST_ROW(s->lambda, j) * b, E = CONST_ROW(curve->dip.E, j), moved = lead * E;
        slope += b * E;
        bend += LESSER(lead, moved);
    }
    *dips = LESS(c->start, none) * LESS(c->end, none) * AT_MOST(c->count, 3 * one) * LESS(none, slope)
            * LESS(none, place) * LESS(place, CONST_ROW(s->whole, 0));
    eight known = LESS(none, bend);
    *floor = PICK(known, c->left - c->start * c->start / (2 * PICK(known, bend, one)), -1e300 * one);
}

/* What y can't exceed on the stretch, nor be below: by mode. */
INLINE void enclose(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z, eight *low,
                    eight *high)
{
    CONSTANTS;
    eight least = CONST_ROW(curve->offset, 0), most = least;
    for (size_t j = 0; j < s->n_modes; j++) {
        eight V = CONST_ROW(curve->V, j), a = V * CONST_ROW(z, j), moved = a * CONST_ROW(s->E_whole, j);
        least += LESSER(a, moved);
        most += GREATER(a, moved);
        if (s->infused) {
            eight gain = V * CONST_ROW(s->g, j) * CONST_ROW(s->phi_whole, j);
            least += LESSER(gain, none);
            most += GREATER(gain, none);
        }
    }
    *low = least;
    *high = most;
}

/* Straight curves pass a level once or not at all. One that turns once, at a maximum, is nowhere lower than at its ends
 * (at a minimum: higher), and passes a level between the values at its ends once. One with a dip before its maximum is
 * the same where the floor of the dip is above the level, or the beginning below it. */
INLINE void place_level(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z,
                        const eight *theta, const eight *wanted, size_t i, struct hl_strand_parts *parts)
{
    CONSTANTS;
    struct course c;
    follow(s, curve, z, &c);
    eight A = LESS(*theta, c.left), B = LESS(*theta, c.right), falls = LESS(c.start, none);
    eight odd = DIFFERENT(falls, LESS(c.end, none)), many = *wanted * LESS((one + odd), c.count);
    if (any(&many))
        count_back(s, curve, z, &many, &c);
    eight flat = EITHER(AT_MOST(SIZE(c.start), HL_STRAND_FLAT * c.size), EQUAL(c.end, none));
    eight straight = NOT(flat) * EITHER(EQUAL(c.count, none), EQUAL(c.count, one) * NOT(odd));
    eight once = NOT(flat) * NOT(straight) * odd * AT_MOST(c.count, one + one);
    eight rest = *wanted * NOT(straight) * NOT(once);
    eight dips = none, unsafe = none;
    if (any(&rest)) {
        eight floor;
        follow_dips(s, curve, z, &c, &dips, &floor);
        dips *= rest * NOT(flat);
        unsafe = dips * A * AT_MOST(floor, *theta);
    }
    eight hills = once * NOT(falls) + dips, hollows = once * falls, plain = *wanted * (straight + once + dips);
    eight place = CONST_ROW(curve->peak.at, 0), whole = CONST_ROW(s->whole, 0);
    eight crests = hills * LESS(*theta, c.crest) * LESS(none, place) * LESS(place, whole);
    eight in_doubt = plain * (hills * NOT(crests) * NOT(A) * NOT(B) + hollows * A * B);
    eight none_above = one, all_above = one;
    if (any(&in_doubt)) {
        eight low, high;
        enclose(s, curve, z, &low, &high);
        none_above = AT_MOST(high, *theta);
        all_above = LESS(*theta, low);
    }
    eight safe = NOT(unsafe), both = plain * NOT(A) * NOT(B) * crests;
    eight all = plain * A * B * safe * NOT(hollows * NOT(all_above)), rises = plain * NOT(A) * B;
    eight drops = plain * A * NOT(B) * safe, top = plain * NOT(A) * NOT(B) * hills * NOT(crests) * NOT(none_above);
    eight bottom = plain * unsafe * (one + B), hard = *wanted * NOT(plain) + plain * A * B * hollows * NOT(all_above);
    ROW(parts->from, i) = none;
    ROW(parts->to, i) = whole * (all + rises);
    ROW(parts->hard, i) = hard;
    ROW(parts->rises, i) = rises + both;
    ROW(parts->falls, i) = drops + both;
    ROW(parts->rise_to, i) = PICK(crests, place, whole);
    ROW(parts->fall_from, i) = crests * place;
    ROW(parts->top, i) = top;
    ROW(parts->bottom, i) = bottom;
    parts->any_top = parts->any_top || any(&top);
    parts->any_bottom = parts->any_bottom || any(&bottom);
}

HL_CLONES void hl_strand_levels(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                                const double *wanted, const double *n_alike, struct hl_strand_parts *parts)
{
    CONSTANTS;
    eight theta = CONST_ROW(level, 0), asked = CONST_ROW(wanted, 0), n = CONST_ROW(n_alike, 0);
    parts->any_top = parts->any_bottom = false;
    for (size_t i = 0; i < s->most_alike; i++) {
        eight there = asked * LESS((double)i * one, n);
        place_level(s, curve, s->zs + i * s->n_modes * HL_LANES, &theta, &there, i, parts);
    }
}

HL_CLONES void hl_strand_judge_tops(const struct hl_strand *s, struct hl_strand_parts *parts)
{
    CONSTANTS;
    for (size_t i = 0; i < s->most_alike; i++) {
        eight above = CONST_ROW(parts->top, i) * LESS(none, CONST_ROW(parts->y, i)), root = CONST_ROW(parts->root, i);
        ROW(parts->rises, i) += above;
        ROW(parts->falls, i) += above;
        ROW(parts->rise_to, i) = PICK(above, root, ROW(parts->rise_to, i));
        ROW(parts->fall_from, i) = PICK(above, root, ROW(parts->fall_from, i));
    }
}

HL_CLONES void hl_strand_judge_bottoms(const struct hl_strand *s, struct hl_strand_parts *parts)
{
    CONSTANTS;
    for (size_t i = 0; i < s->most_alike; i++) {
        eight bottom = CONST_ROW(parts->bottom, i), safe = LESS(none, CONST_ROW(parts->y, i));
        eight ends_above = LESS(1.5 * one, bottom), there = LESS(0.5 * one, bottom);
        ROW(parts->falls, i) += there * safe * NOT(ends_above);
        ROW(parts->to, i) = PICK(there * safe * ends_above, CONST_ROW(s->whole, 0), ROW(parts->to, i));
        ROW(parts->hard, i) += there * NOT(safe);
    }
}

HL_CLONES void hl_strand_expand(const struct hl_strand *s, const struct hl_strand_curve *curve,
                                const struct hl_strand_place *place, const double *level, struct hl_strand_series *to)
{
    CONSTANTS;
    static const double over[HL_STRAND_TERMS] = {1, 1. / 2, 1. / 3, 1. / 4, 1. / 5, 1. / 6, 1. / 7, 1. / 8, 1. / 9,
                                                 1. / 10, 1. / 11, 1. / 12};
    size_t n = s->n_modes;
    for (size_t k = 0; s->infused && k <= HL_STRAND_TERMS; k++)
        ROW(to->K, k) = none;
    ROW(to->K, 0) = CONST_ROW(curve->offset, 0) - CONST_ROW(level, 0);
    for (size_t j = 0; j < n; j++) {
        eight lambda = CONST_ROW(s->lambda, j), term = CONST_ROW(curve->V, j) * CONST_ROW(place->E, j);
        if (s->infused) {
            eight input = term * CONST_ROW(s->g, j);
            ROW(to->K, 0) += CONST_ROW(curve->V, j) * CONST_ROW(s->g, j) * CONST_ROW(place->phi, j);
            for (size_t k = 1; k < HL_STRAND_TERMS; k++, input = input * lambda * over[k - 1])
                ROW(to->K, k) += input;
            ROW(to->K, HL_STRAND_TERMS) += SIZE(input);
        }
        for (size_t k = 0; k < HL_STRAND_TERMS; k++) {
            ROW(to->C, j * HL_STRAND_TERMS + k) = term;
            term *= lambda * over[k];
        }
        ROW(to->size, j) = SIZE(term);
    }
}

/* Does something for each of the powers of x. (Written out, because compilers leave loops of a dozen turns standing,
 * and what is indexed by them in memory.) */
#define ALL_POWERS(DO) DO(11) DO(10) DO(9) DO(8) DO(7) DO(6) DO(5) DO(4) DO(3) DO(2) DO(1) DO(0)

/* A polynomial of as many terms by Estrin's scheme: few of its operations wait for each other. */
#define FOUR(c, i, x, xx) ((c(i) + c(i + 1) * x) + (c(i + 2) + c(i + 3) * x) * xx)
#define TWELVE(c, x, xx) (FOUR(c, 0, x, xx) + (xx * xx) * (FOUR(c, 4, x, xx) + (xx * xx) * FOUR(c, 8, x, xx)))

/* Coefficients for the amplitudes of a stretch, and the size of the next one's terms. */
struct powers { eight c[HL_STRAND_TERMS], beyond; };

INLINE void weigh(const struct hl_strand *s, const struct hl_strand_series *series, const double *z, struct powers *p)
{
    CONSTANTS;
    eight beyond = s->infused ? CONST_ROW(series->K, HL_STRAND_TERMS) : none;
#define BEGIN(k) eight c##k = s->infused || k == 0 ? CONST_ROW(series->K, k) : none;
#define ADD(k) c##k += CONST_ROW(C, k) * amplitude;
#define KEEP(k) p->c[k] = c##k;
    ALL_POWERS(BEGIN)
    for (size_t j = 0; j < s->n_modes; j++) {
        const double *C = series->C + j * HL_STRAND_TERMS * HL_LANES;
        eight amplitude = CONST_ROW(z, j);
        ALL_POWERS(ADD)
        beyond += CONST_ROW(series->size, j) * SIZE(amplitude);
    }
    ALL_POWERS(KEEP)
    p->beyond = beyond;
}

/* As hl_strand_near, with more terms and steps, so that a place serves longer: after the reversion two turns of
 * Newton's iteration, for which one over the slope follows by an iteration of its own, and one with the last of these.
 */
INLINE void solve_row(const struct powers *p, bool turn, const eight *rate, eight *root, eight *y, eight *good,
                      eight *direction)
{
    CONSTANTS;
    enum { N = HL_STRAND_TERMS };
    eight reach = p->beyond, c[N], d[N];
#define TAKE(k) c[k] = !turn ? p->c[k] : k + 1 < N ? (k + 1.) * p->c[(k + 1) % N] : none;
#define DERIVE(k) d[k] = k + 1 < N ? (k + 1.) * c[(k + 1) % N] : none;
#define C(k) c[k]
#define D(k) d[k]
#define Y(k) p->c[k]
    ALL_POWERS(TAKE)
    ALL_POWERS(DERIVE)
    eight r = one / c[1], u = -c[0] * r, A = c[2] * r, B = c[3] * r;
    eight x = u * (one - u * (A - (2 * A * A - B) * u)), inverse = r * (one - x * (2 * A - (4 * A * A - 3 * B) * x));
    eight xx = x * x, slope = TWELVE(D, x, xx), value = TWELVE(C, x, xx);
    inverse = inverse * (2 - slope * inverse);
    x -= value * inverse;
    xx = x * x;
    slope = TWELVE(D, x, xx);
    value = TWELVE(C, x, xx);
    inverse = inverse * (2 - slope * inverse);
    eight first = value * inverse;
    x -= first;
    xx = x * x;
    eight second = TWELVE(C, x, xx) * inverse;
    x -= second;
    eight size = SIZE(x), square = size * size, fourth = square * square;
    reach *= turn ? N * fourth * fourth * square * size : fourth * fourth * fourth;
    eight allowed = HL_STRAND_EXACT * SIZE(c[1]) * (one - size * *rate * (1. / (N + 1))), left = second * second,
          may = HL_STRAND_EXACT * SIZE(first);
    xx = x * x;
    *y = none;
    if (turn)
        *y = TWELVE(Y, x, xx);
    *good = FINITE(x) * AT_MOST(left, may) * AT_MOST(reach, allowed);
    *root = x;
    *direction = c[1];
}

INLINE size_t solve_rows(const struct hl_strand *s, const struct hl_strand_place *place,
                         const struct hl_strand_series *series, bool turn, double side, size_t i, const double *skip,
                         const double *wanted, const double *low, const double *high, double *root, double *y,
                         double *lack, double *seen)
{
    CONSTANTS;
    eight rate = CONST_ROW(s->rate, 0), base = CONST_ROW(place->at, 0), known = AT_MOST(none, base);
    eight open = NOT(CONST_ROW(skip, 0));
    for (; i < s->most_alike; i++, open = one) {
        eight asked = CONST_ROW(wanted, i), flag = open * LESS(none, asked);
        if (!any(&flag))
            continue;
        struct powers p;
        eight x, value, good, direction;
        weigh(s, series, s->zs + i * s->n_modes * HL_LANES, &p);
        solve_row(&p, turn, &rate, &x, &value, &good, &direction);
        eight at = base + x, least = none, most = CONST_ROW(s->whole, 0);
        if (low)
            least = CONST_ROW(low, i);
        if (high)
            most = CONST_ROW(high, i);
        good *= known * LESS(none, side * direction) * AT_MOST(least, at) * AT_MOST(at, most);
        eight done = flag * good, missing = flag - done;
        ROW(root, i) = PICK(done, at, ROW(root, i));
        ROW(y, i) = PICK(done, value, ROW(y, i));
        if (any(&missing)) {
            ROW(lack, 0) = missing;
            ROW(seen, 0) = PICK(FINITE(at) * known, at, -one);
            return i;
        }
    }
    return i;
}

HL_CLONES size_t hl_strand_solve(const struct hl_strand *s, const struct hl_strand_place *place,
                                 const struct hl_strand_series *series, bool turn, double side, size_t i,
                                 const double *skip, const double *wanted, const double *low, const double *high,
                                 double *root, double *y,
                                 double *lack, double *seen)
{
    if (turn)
        return solve_rows(s, place, series, true, side, i, skip, wanted, low, high, root, y, lack, seen);
    return solve_rows(s, place, series, false, side, i, skip, wanted, low, high, root, y, lack, seen);
}
