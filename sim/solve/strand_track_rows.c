/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tracks (strand_track.c) side by side, each in a lane of its own.
 *
 * A lane stands at an offset tau with the exponentials e_j = e^(lambda_j tau). With the Taylor coefficients there, f =
 * sum c e - level, f_k = sum lambda^k c e, and
 *     u = -f / f_1,  A = f_2 / (2 f_1),  B = f_3 / (6 f_1),  C = f_4 / (24 f_1),
 * the root is at tau + x, x + A x^2 + B x^3 + C x^4 + ... = u, whose reversion is
 *     x = u - A u^2 + (2 A^2 - B) u^3 - (5 A^3 - 5 A B + C) u^4 + ...
 * What that leaves out is of the size of u (A u)^4 and the like, and of the next term of the series. If that is small
 * enough, the track goes on to the next stretch, and D(tau) = sum d e tells how the root moves; else to tau + x.
 * So a stretch takes one round as a rule, and no exponential: e goes along by e^(lambda x), of which a few terms do
 * where the way is short. Where it isn't, and in the beginning, e is made anew from tau.
 *
 * The root stays between low and high in every round, which the sign of f narrows; a guess outside is replaced by the
 * middle, and so is every eighth, so that each root is found.
 *
 * A lane does in each round what it would do alone: selections, never branches by lane. */
#include "solve/strand_parts.h"

#include "base/eight.h"

typedef hl_eight eight;

#define EXACT 1e-11  /* what a root may be off [h] */
#define NARROW 1e-12 /* a bracket this narrow [h], or so many parts of its place, holds the root */
#define FLUSH 1e-270 /* added to and taken away from what shrinks, so that it ends in 0 before it has no digits left */
#define FAR 64       /* so many powers of e are gone along before exponentials are made anew */
#define GROUPS 2     /* rows of lanes that are followed in turn, so that one needn't wait for its own results */

#define ROUND 6755399441055744.0            /* 1.5 * 2^52 */
#define LN2_HIGH 6.93147180369123816490e-01 /* 32 bits: its product with k is exact */
#define LN2_LOW 1.90821492927058770002e-10

/* e^x for |x| <= 1: the eighth power of e^(x / 8), by its terms to the ninth. */
INLINE void short_way(const eight *at, eight *power)
{
    CONSTANTS;
    eight x = *at * 0.125, xx = x * x, x4 = xx * xx;
    eight low = x + xx * (1. / 2 + x * (1. / 6)), high = 1. / 40320 + x * (1. / 362880);
    eight middle = (1. / 24 + x * (1. / 120)) + xx * (1. / 720 + x * (1. / 5040));
    eight e = one + (low + x4 * (middle + x4 * high));
    e *= e;
    e *= e;
    *power = e * e;
}

/* e^x as in base/vector.c, 0 for x below HL_TRACK_GONE, and e^700 above 700. */
INLINE void exponential(const eight *at, eight *power)
{
    CONSTANTS;
    eight x = GREATER(*at, -700 * one), gone = LESS(*at, HL_TRACK_GONE * one);
    x = LESSER(x, 700 * one);
    eight shifted = x * 1.44269504088896340736 + ROUND, k = shifted - ROUND;
    eight r = (x - k * LN2_HIGH) - k * LN2_LOW, rr = r * r, r4 = rr * rr;
    eight scale = (eight)(((hl_eight_bits)shifted + 1023u) << 52);
    eight low = (1. / 2 + r * (1. / 6)) + rr * (1. / 24 + r * (1. / 120));
    eight middle = (1. / 720 + r * (1. / 5040)) + rr * (1. / 40320 + r * (1. / 362880));
    eight high = (1. / 3628800 + r * (1. / 39916800)) + rr * (1. / 479001600 + r * (1. / 6227020800.));
    eight q = r + rr * (low + r4 * (middle + r4 * high));
    *power = PICK(gone, none, scale + scale * q);
}

/* Eight tracks under way. way: gone since exponentials were made, in powers of e by the fastest mode; rest: stretches
 * left; rounds: since the last root. */
struct slots {
    eight tau, move, way, side, level, low, high, from, to, rate, rest, rounds, sum;
    eight mode[HL_TRACK_ROWS][HL_STRAND_MODES];
    size_t track[HL_LANES];
};

/* A value in one lane: of whole rows, since what is read as a row had better been written as one. */
INLINE void put(eight *row, const hl_eight_bits *lane, double value)
{
    CONSTANTS;
    *row = CHOOSE(*lane, value * one, *row);
}

/* Gives a lane its next track, or none. */
INLINE void load(struct slots *g, size_t number, const struct hl_strand_track *track, const double *modes, size_t m)
{
    static const struct hl_strand_track nothing = {.side = 1, .high = 1};
    static const double no_modes[HL_TRACK_ROWS * HL_STRAND_MODES];
    const struct hl_strand_track *t = track ? track : &nothing;
    const double *mode = track ? modes : no_modes;
    hl_eight_bits lane = {0};
    lane[number] = UINT64_MAX;
    put(&g->tau, &lane, t->guess);
    put(&g->move, &lane, 0);
    put(&g->way, &lane, 0);
    put(&g->side, &lane, t->side);
    put(&g->level, &lane, t->level);
    put(&g->low, &lane, t->low);
    put(&g->high, &lane, t->high);
    put(&g->from, &lane, t->low);
    put(&g->to, &lane, t->high);
    put(&g->rate, &lane, t->rate);
    put(&g->rest, &lane, (double)t->n);
    put(&g->rounds, &lane, 0);
    put(&g->sum, &lane, 0);
    for (size_t r = 0; r < HL_TRACK_ROWS; r++)
#pragma GCC unroll 8
        for (size_t j = 0; j < m; j++)
            put(&g->mode[r][j], &lane, mode[r * m + j]);
}

/* f and its derivatives; how fast f changes with the stretch; sizes of the terms of f_5. */
struct sums { eight f, f1, f2, f3, f4, drift, size; };

INLINE void go(struct slots *g, size_t m, struct sums *sums)
{
    CONSTANTS;
    eight f = -g->level, f1 = none, f2 = none, f3 = none, f4 = none, drift = none, size = none;
    eight tau = g->tau + g->move, step = g->rate * SIZE(g->move), way = g->way + step;
    eight far = EITHER(LESS(one, step), LESS(FAR * one, way));
    bool some_far = any(&far);
    g->way = PICK(far, none, way);
#pragma GCC unroll 8
    for (size_t j = 0; j < m; j++) {
        eight lambda = g->mode[HL_TRACK_LAMBDA][j], x = lambda * g->move, power;
        short_way(&x, &power);
        eight e = (g->mode[HL_TRACK_E][j] * power + FLUSH) - FLUSH;
        if (some_far) {
            eight whole = lambda * tau;
            exponential(&whole, &power);
            e = PICK(far, power, e);
        }
        g->mode[HL_TRACK_E][j] = e;
        eight w = g->mode[HL_TRACK_C][j] * e;
        drift += g->mode[HL_TRACK_D][j] * e;
        f += w;
        w *= lambda;
        f1 += w;
        w *= lambda;
        f2 += w;
        w *= lambda;
        f3 += w;
        w *= lambda;
        f4 += w;
        size += SIZE(w);
    }
    g->tau = tau;
    *sums = (struct sums){f, f1, f2, f3, f4, drift, size * g->rate};
}

/* From the sums to where the root is, whether that is known well enough, and where the next stretch's may be. */
INLINE void revert(const struct sums *s, const struct slots *g, eight *root, eight *good, eight *next)
{
    CONSTANTS;
    eight r = one / s->f1, u = -s->f * r, uu = u * u;
    eight a = s->f2 * r * 0.5 * u, b = s->f3 * r * (1. / 6) * uu, c = s->f4 * r * (1. / 24) * (u * uu), aa = a * a;
    eight x = u * (one - a + (2 * aa - b) - (5 * a * (aa - b) + c));
    eight second = GREATER(aa, SIZE(b));
    eight left = SIZE(u) * (20 * second * second + 10 * SIZE(a * c) + SIZE(s->size * r) * uu * uu * (1. / 60));
    *root = g->tau + x;
    *good = FINITE(left) * AT_MOST(left, EXACT * one) * LESS(none, s->f1 * g->side);
    *next = *root - s->drift * r;
}

/* The rest of a round; ended: lanes whose track has. */
INLINE void turn(struct slots *g, size_t m, const struct sums *s, eight *ended)
{
    CONSTANTS;
    eight root, good, next;
    revert(s, g, &root, &good, &next);
    eight before = LESS(s->f * g->side, none), from = PICK(before, g->tau, g->from), to = PICK(before, g->to, g->tau);
    eight middle = 0.5 * (from + to), inside = FINITE(root) * AT_MOST(from, root) * AT_MOST(root, to);
    eight halve = EQUAL(g->rounds, 7 * one);
    good *= inside;
    root = PICK(inside * NOT(halve) + good * halve, root, middle);
    eight done = EITHER(good, LESS(to - from, NARROW * (one + to)));
    next = PICK(FINITE(next), next, root);
    next = GREATER(next, g->low);
    next = LESSER(next, g->high);
    next = PICK(good, next, root);
    g->move = next - g->tau;
    g->from = PICK(done, g->low, from);
    g->to = PICK(done, g->high, to);
    g->rounds = PICK(EITHER(done, halve), none, g->rounds + one);
    g->sum += PICK(done, root, none);
#pragma GCC unroll 8
    for (size_t j = 0; j < m; j++) {
        eight d = g->mode[HL_TRACK_D][j], shrunk = (d * g->mode[HL_TRACK_P][j] + FLUSH) - FLUSH;
        g->mode[HL_TRACK_C][j] += PICK(done, d, none);
        g->mode[HL_TRACK_D][j] = PICK(done, shrunk, d);
    }
    g->rest -= done;
    *ended = done * LESS(g->rest, 0.5 * one);
}

/* Takes what lanes have found whose tracks have ended, and gives them others. */
INLINE void change(struct slots *g, const eight *ended, struct hl_strand_track *track, const double *modes, size_t n,
                   size_t m, size_t *next, size_t *under_way)
{
    double over[HL_LANES], sum[HL_LANES];
    memcpy(over, ended, sizeof over);
    memcpy(sum, &g->sum, sizeof sum);
    for (size_t l = 0; l < HL_LANES; l++) {
        if (over[l] == 0 || g->track[l] == n)
            continue;
        track[g->track[l]].sum = sum[l];
        g->track[l] = *next;
        *under_way -= *next == n;
        load(g, l, *next < n ? &track[*next] : NULL, modes + *next * HL_TRACK_ROWS * m, m);
        *next += *next < n;
    }
}

INLINE void follow(struct hl_strand_track *track, const double *modes, size_t n, size_t m)
{
    struct slots group[GROUPS];
    memset(group, 0, sizeof group);
    size_t next = 0, under_way = 0;
    for (size_t lane = 0; lane < GROUPS * HL_LANES; lane++, next += next < n) {
        group[lane / HL_LANES].track[lane % HL_LANES] = next;
        load(&group[lane / HL_LANES], lane % HL_LANES, next < n ? &track[next] : NULL,
             modes + next * HL_TRACK_ROWS * m, m);
        under_way += next < n;
    }
    while (under_way > 0) {
        struct sums sums[GROUPS];
        eight ended[GROUPS];
        for (size_t g = 0; g < GROUPS; g++)
            go(&group[g], m, &sums[g]);
        for (size_t g = 0; g < GROUPS; g++)
            turn(&group[g], m, &sums[g], &ended[g]);
        for (size_t g = 0; g < GROUPS; g++)
            if (any(&ended[g]))
                change(&group[g], &ended[g], track, modes, n, m, &next, &under_way);
    }
}

HL_CLONES void hl_strand_follow(struct hl_strand_track *track, const double *modes, size_t n, size_t m)
{
    switch (m) {
    case 2: follow(track, modes, n, 2); break;
    case 3: follow(track, modes, n, 3); break;
    case 4: follow(track, modes, n, 4); break;
    case 5: follow(track, modes, n, 5); break;
    default: follow(track, modes, n, m); break;
    }
}

/* ---- What tracks are made from */

HL_CLONES void hl_strand_add_hours(const double *from, const double *to, size_t n, double *hours)
{
    eight sum = ROW(hours, 0);
    for (size_t i = 0; i < n; i++)
        sum += CONST_ROW(to, i) - CONST_ROW(from, i);
    ROW(hours, 0) = sum;
}

/* ---- How a run's stretches pass a level */

typedef hl_eight_bits bits;

#define ALL_BITS UINT64_MAX
#define FEWER(count, n) (-(((count) - (n)) >> 63)) /* all bits where count < n */
#define SIGN_CHANGE(x, y) (((bits)(x) ^ (bits)(y)) >> 63)

INLINE bool any_bits(const bits *mask)
{
    uint64_t lane[HL_LANES], all = 0;
    memcpy(lane, mask, sizeof lane);
    for (size_t l = 0; l < HL_LANES; l++)
        all |= lane[l];
    return all != 0;
}

/* What is the same for all stretches of a run: for each mode what its amplitude adds to y at the beginning, at the end,
 * and at curve->peak, to y' at the beginning, at the end and at curve->dip. */
enum { LEFT, RIGHT, CREST, START, END, SLOPE, N_SHARES };
struct shares { eight of[N_SHARES][HL_STRAND_MODES]; };

INLINE void take_shares(const struct hl_strand *s, const struct hl_strand_curve *curve, struct shares *shares)
{
    for (size_t j = 0; j < s->n_modes; j++) {
        eight V = CONST_ROW(curve->V, j), b = CONST_ROW(s->lambda, j) * V, E = CONST_ROW(s->E_whole, j);
        shares->of[LEFT][j] = V;
        shares->of[RIGHT][j] = V * E;
        shares->of[CREST][j] = V * CONST_ROW(curve->peak.E, j);
        shares->of[START][j] = b;
        shares->of[END][j] = b * (E + HL_STRAND_HARDLY);
        shares->of[SLOPE][j] = b * CONST_ROW(curve->dip.E, j);
    }
}

/* Of a stretch: y less the level at both ends and the place curve->peak, y' at the ends; how often y' changes sign at
 * most, and for that lanes are in many in which the rule of signs is to be asked from the other end too. */
struct course { eight left, right, crest, start, end; bits count; };

INLINE void follow_course(const struct shares *shares, const double *z, const eight *below, size_t n, struct course *c)
{
    eight left = *below, right = left, crest = left, start = {0}, end = {0};
    bits count = {0};
#pragma GCC unroll 8
    for (size_t j = 0; j < n; j++) {
        eight amplitude = CONST_ROW(z, j), before = start;
        left += shares->of[LEFT][j] * amplitude;
        right += shares->of[RIGHT][j] * amplitude;
        crest += shares->of[CREST][j] * amplitude;
        start += shares->of[START][j] * amplitude;
        end += shares->of[END][j] * amplitude;
        if (j > 0)
            count += SIGN_CHANGE(before, start);
    }
    *c = (struct course){left, right, crest, start, end, count};
}

INLINE void count_from_end(const struct shares *shares, const double *z, size_t n, const bits *many, struct course *c)
{
    eight sum = {0};
    bits count = {0};
    for (size_t j = n; j-- > 0;) {
        eight before = sum;
        sum += shares->of[END][j] * CONST_ROW(z, j);
        if (j + 1 < n)
            count += SIGN_CHANGE(before, sum);
    }
    bits less = *many & FEWER(count, c->count);
    c->count = (less & count) | (~less & c->count);
}

/* As find_dips in strand_rows.c: lanes with a minimum before the place curve->dip and a maximum after it; those in
 * which y may come down to the level before. */
INLINE void find_dips(const struct hl_strand *s, const struct shares *shares, const double *z, const eight *place,
                      const struct course *c, bits *dips, bits *low)
{
    CONSTANTS;
    eight slope = {0}, bend = {0};
    for (size_t j = 0; j < s->n_modes; j++) {
        eight amplitude = CONST_ROW(z, j), lambda = CONST_ROW(s->lambda, j);
        eight moved = shares->of[SLOPE][j] * amplitude, lead = lambda * (shares->of[START][j] * amplitude);
        slope += moved;
        moved *= lambda;
        bend += LESSER(lead, moved);
    }
    *dips &= BELOW(c->start, none) & BELOW(c->end, none) & FEWER(c->count, 4u) & BELOW(none, slope)
             & BELOW(none, *place) & BELOW(*place, CONST_ROW(s->whole, 0));
    eight floor = c->left * (2 * bend) - c->start * c->start; /* times 2 bend */
    *low = ~(BELOW(none, bend) & BELOW(none, floor));
}

/* The codes in lanes that are there. */
INLINE void judge_course(const struct hl_strand *s, const struct hl_strand_curve *curve, const struct shares *shares,
                         const double *z, size_t n, const bits *lanes, struct course *c, bits *code)
{
    CONSTANTS;
    eight place = CONST_ROW(curve->peak.at, 0), dip = CONST_ROW(curve->dip.at, 0);
    bits above = BELOW(none, c->left), above_after = BELOW(none, c->right), falls = BELOW(c->start, none);
    bits there = *lanes, falls_after = BELOW(c->end, none), odd = falls ^ falls_after;
    bits flat = ~((falls | BELOW(none, c->start)) & (falls_after | BELOW(none, c->end)));
    bits many = there & ~FEWER(c->count, (odd & 1u) + 2u);
    if (any_bits(&many))
        count_from_end(shares, z, n, &many, c);
    bits straight = ~flat & (FEWER(c->count, 1u) | (FEWER(c->count, 2u) & ~odd));
    bits once = ~flat & ~straight & odd & FEWER(c->count, 3u), dips = there & ~straight & ~once & ~flat, low = {0};
    if (any_bits(&dips))
        find_dips(s, shares, z, &dip, c, &dips, &low);
    bits hills = (once & ~falls) | dips, hollows = once & falls, plain = there & (straight | once | dips);
    bits crest = hills & BELOW(none, c->crest) & BELOW(none, place) & BELOW(place, CONST_ROW(s->whole, 0));
    bits bottom = plain & dips & above & low, neither = plain & ~above & ~above_after;
    bits both = plain & above & above_after;
    bits all = both & ~bottom & ~hollows, top = neither & hills & ~crest;
    bits rises = (plain & ~above & above_after) | (neither & crest), drops = plain & above & ~above_after & ~bottom;
    bits hard = (there & ~plain) | (both & hollows);
#define CODE(flag, code) ((flag) & (uint64_t)(code))
    *code = CODE(rises, HL_CODE_RISES) | CODE(drops | (neither & crest), HL_CODE_FALLS) | CODE(crest, HL_CODE_CREST)
            | CODE(all, HL_CODE_ALL) | CODE(top, HL_CODE_TOP) | CODE(bottom, HL_CODE_BOTTOM)
            | CODE(bottom & above_after, HL_CODE_ABOVE_AFTER) | CODE(hard, HL_CODE_HARD);
}

INLINE size_t tell_codes(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                         const double *wanted, const double *n_alike, size_t n, uint64_t *code, size_t *change)
{
    CONSTANTS;
    struct shares shares;
    bits before = {0};
    size_t count = 0;
    eight below = CONST_ROW(curve->offset, 0) - CONST_ROW(level, 0), alike = CONST_ROW(n_alike, 0);
    bits asked = BELOW(0.5 * one, CONST_ROW(wanted, 0));
    take_shares(s, curve, &shares);
    for (size_t i = 0; i < s->most_alike; i++) {
        const double *z = s->zs + i * n * HL_LANES;
        struct course c;
        follow_course(&shares, z, &below, n, &c);
        bits here, there = asked & BELOW((double)i * one, alike);
        judge_course(s, curve, &shares, z, n, &there, &c, &here);
        bits differs = here ^ before;
        memcpy(code + i * HL_LANES, &here, sizeof here);
        if (any_bits(&differs))
            change[count++] = i;
        before = here;
    }
    change[count++] = s->most_alike;
    return count;
}

HL_CLONES size_t hl_strand_codes(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                                 const double *wanted, const double *n_alike, uint64_t *code, size_t *change)
{
    switch (s->n_modes) {
    case 3: return tell_codes(s, curve, level, wanted, n_alike, 3, code, change);
    case 4: return tell_codes(s, curve, level, wanted, n_alike, 4, code, change);
    case 5: return tell_codes(s, curve, level, wanted, n_alike, 5, code, change);
    default: return tell_codes(s, curve, level, wanted, n_alike, s->n_modes, code, change);
    }
}
