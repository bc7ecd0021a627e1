/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long the stretches of a run (stretch.h) lie above a level, eight lanes side by side.
 *
 * Where y is known to rise, or to fall, at every offset from one stretch to the next (Laguerre's rule, strand_run.c),
 * each question with the answer yes or no - is y above the level at the beginning, at the end, at some place near the
 * maximum - changes its answer at most once in the run. So it is enough to count the stretches above: of n, a are at
 * the beginning, b at the end, c at the place near the maximum; they are the first of the run where y falls from
 * stretch to stretch, the last where it rises. If each stretch has one maximum at most,
 *     y passes the level upwards   in those above at the end or the maximum, not at the beginning,
 *     y passes it downwards        in those above at the beginning or the maximum, not at the end,
 * which lie together, and the hours above are b times the length, plus the sum of the offsets at which it passes
 * downwards, less the sum of those at which it passes upwards. Both sums are walked up later, with those of
 * other runs (strand_walks.c).
 *
 * That there is one maximum at most, and before it one minimum at most, is told for the whole run by its first and its
 * last stretch: the partial sums of the rule of signs for y' rise or fall with the stretch, too, if the partial sums of
 * their differences have one sign; so none of them changes its sign more than once, and of two neighbours only those
 * pairs can ever have different signs that aren't all alike in both stretches.
 *
 * Two things are looked at more closely, beginning with the stretch in which they are likeliest: whether a maximum is
 * above the level although the place near it isn't (then there is a better place), and whether y, above at the
 * beginning, comes down to the level at the minimum before the maximum (then the time below is taken off).
 *
 * Lanes with infusions, or of which all that can't be told, are seen stretch by stretch (strand_run.c). */
#include "solve/strand_parts.h"

#include <math.h>
#include <string.h>

typedef double row[HL_LANES] __attribute__((aligned(64)));

/* A question about hours: what is asked and what is known of each lane. */
struct inquiry {
    struct hl_strand *s;
    struct hl_strand_curve *curve;
    const double *level;
    double *hours, *later;
    row wanted, others;          /* 1 and 0: to be told here, and in the general way */
    row trend, n_alike;
    struct hl_strand_above above;
};

/* ---- Which lanes */

static void give_up(struct inquiry *q, size_t l)
{
    q->others[l] = q->wanted[l] != 0 ? 1 : q->others[l];
    q->wanted[l] = 0;
}

static void choose_lanes(struct inquiry *q)
{
    const struct hl_strand *s = q->s;
    row simple;
    hl_strand_shape(s, q->curve, simple, &q->above);
    for (size_t l = 0; l < HL_LANES; l++) {
        bool infused = false, grows = s->lambda[l] > 0;
        for (size_t j = 0; s->infused && j < s->n_modes; j++)
            infused = infused || s->g[j * HL_LANES + l] != 0;
        if (infused || grows || simple[l] == 0 || q->trend[l] == 0)
            give_up(q, l);
    }
}

/* Whether some stretch is hard. */
static bool add_others(struct inquiry *q, double *hard)
{
    struct hl_strand *s = q->s;
    size_t size = s->z_capacity * HL_LANES;
    struct hl_strand_parts parts = hl_strand_part_rows(s, s->from_rows, s->from_rows + size, hard);
    hl_strand_judge_levels(s, q->curve, q->level, q->others, &parts);
    hl_strand_pursue_crossings(s, q->curve, q->level, &parts);
    hl_strand_add_hours(parts.from, parts.to, s->most_alike, q->hours);
    bool any = false;
    for (size_t i = 0; i < s->most_alike && !any; i++)
        any = hl_strand_is_any(hard + i * HL_LANES);
    return any;
}

/* ---- Single stretches */

static bool falls(const struct inquiry *q, size_t l)
{
    return q->trend[l] < 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Lane l of a row gets its amplitudes in stretch number i. */
static void take_lane(const struct hl_strand *s, size_t l, size_t i, double *z)
{
    size_t n = s->n_modes * HL_LANES;
    for (size_t j = l; j < n; j += HL_LANES)
        z[j] = s->zs[i * n + j];
}

/* In lanes of the search's wanted, whose amplitudes are in z: the maximum (side -1) or minimum, and y less the level
 * there. */
static void find_turn(struct inquiry *q, const double *z, double side, struct hl_strand_search *search)
{
    row crest;
    hl_strand_fill(q->s, z, q->curve, crest);
    for (size_t l = 0; l < HL_LANES; l++) {
        bool dips = q->above.dips[l] != 0;
        search->side[l] = side;
        search->low[l] = dips && side < 0 ? q->curve->dip.at[l] : 0;
        search->high[l] = dips && side > 0 ? q->curve->dip.at[l] : q->s->whole[l];
    }
    hl_strand_find_root(q->s, q->curve, NULL, search, side < 0 ? &q->curve->peak : &q->curve->hollow);
    for (size_t l = 0; l < HL_LANES; l++)
        search->y[l] -= q->level[l];
}

/* The sign of y' next to the beginning, of amplitudes z in lane l: where y leaves flat, as behind an empty compartment,
 * that of y''; 0 where neither is more than rounding. */
static int sign_at_start(const struct hl_strand *s, const double *V, size_t l, const double *z)
{
    double slope = 0, bend = 0, size = 0, size_of_bend = 0;
    for (size_t j = l; j < s->n_modes * HL_LANES; j += HL_LANES) {
        double b = s->lambda[j] * V[j] * z[j];
        slope += b;
        size += fabs(b);
        bend += s->lambda[j] * b;
        size_of_bend += fabs(s->lambda[j] * b);
    }
    if (fabs(slope) > HL_STRAND_FLAT * size)
        return slope > 0 ? 1 : -1;
    return fabs(bend) <= HL_STRAND_FLAT * size_of_bend ? 0 : bend > 0 ? 1 : -1;
}

/* Lanes with a stretch that is above neither at the end nor at the place near the maximum, but may be between; which
 * has been looked at before is in seen. Where it can't be told how the stretch begins, the lane is told in the general
 * way. */
static bool may_reach(struct inquiry *q, size_t l, size_t *seen, double *z)
{
    const struct hl_strand *s = q->s;
    size_t n = (size_t)q->n_alike[l], n_left = q->above.left[l], n_above = larger(q->above.right[l], q->above.crest[l]);
    size_t i = falls(q, l) ? n_above : n - 1 - n_above;
    if (q->wanted[l] == 0 || n_above == n || *seen == i)
        return false;
    bool begins_above = falls(q, l) ? i < n_left : i >= n - n_left, dips = q->above.dips[l] != 0;
    take_lane(s, l, i, z);
    *seen = i;
    int sign = sign_at_start(s, q->curve->V, l, z);
    if (sign == 0)
        give_up(q, l);
    return sign > 0 ? !begins_above && q->above.hills[l] != 0 : sign < 0 && dips;
}

/* Moves the place near the maximum until it is above the level in all stretches that are anywhere after their
 * beginning. */
static void count_all(struct inquiry *q)
{
    struct hl_strand *s = q->s;
    size_t seen[HL_LANES];
    bool more = true;
    memset(seen, 0xff, sizeof seen); /* of no stretch */
    while (more) {
        struct hl_strand_search search;
        hl_strand_count(s, q->curve, q->level, q->n_alike, &q->above);
        for (size_t l = 0; l < HL_LANES; l++)
            search.wanted[l] = may_reach(q, l, &seen[l], s->z_all) ? 1 : 0;
        if (!hl_strand_is_any(search.wanted))
            return;
        find_turn(q, s->z_all, -1, &search);
        for (size_t l = 0; l < HL_LANES; l++)
            search.wanted[l] = search.wanted[l] != 0 && search.y[l] > 0 ? 1 : 0;
        more = hl_strand_is_any(search.wanted);
        if (more)
            hl_strand_move_place(s, &s->crest, search.s, search.wanted);
    }
}

/* Takes off the time below the level around the minimum, in wanted lanes of bottom, which have it there; their
 * amplitudes are in the curve. */
static void take_off(struct inquiry *q, const struct hl_strand_search *bottom)
{
    size_t number = hl_strand_level_number(q->level);
    row y_low;
    struct hl_strand_search down = {.y_low = q->curve->left, .y_high = y_low}, up = {.y_low = y_low,
                                                                                     .y_high = q->curve->left};
    for (size_t l = 0; l < HL_LANES; l++) {
        bool crest = q->above.crest[l] >= q->above.left[l];
        y_low[l] = bottom->y[l] + q->level[l];
        down.wanted[l] = up.wanted[l] = bottom->wanted[l];
        down.side[l] = -1;
        up.side[l] = 1;
        down.low[l] = 0;
        down.high[l] = up.low[l] = bottom->s[l];
        up.high[l] = crest ? q->s->crest.at[l] : q->s->whole[l];
    }
    hl_strand_find_root(q->s, q->curve, q->level, &down, &q->curve->fall[number]);
    hl_strand_find_root(q->s, q->curve, q->level, &up, &q->curve->rise[number]);
    for (size_t l = 0; l < HL_LANES; l++)
        q->hours[l] -= bottom->wanted[l] != 0 ? up.s[l] - down.s[l] : 0;
}

/* Lanes whose stretch number `step` of those above at the beginning, from the least one on, may have its minimum below.
 * Where such a one doesn't come back, or that isn't sure, the lane is told in the general way. */
static void look_low(struct inquiry *q, size_t step, row todo)
{
    struct hl_strand *s = q->s;
    row safe;
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t n_left = q->above.left[l];
        todo[l] = todo[l] != 0 && q->wanted[l] != 0 && step < n_left ? 1 : 0;
        if (todo[l] != 0)
            take_lane(s, l, falls(q, l) ? n_left - 1 - step : (size_t)q->n_alike[l] - n_left + step, s->z_all);
    }
    if (!hl_strand_is_any(todo))
        return;
    hl_strand_floor(s, q->curve, s->z_all, q->level, safe);
    for (size_t l = 0; l < HL_LANES; l++) {
        todo[l] = safe[l] == 0 ? todo[l] : 0;
        if (todo[l] != 0 && larger(q->above.right[l], q->above.crest[l]) < q->above.left[l]) {
            give_up(q, l);
            todo[l] = 0;
        }
    }
}

static void take_off_dips(struct inquiry *q)
{
    row todo;
    memcpy(todo, q->above.dips, sizeof todo);
    for (size_t step = 0;; step++) {
        struct hl_strand_search bottom;
        look_low(q, step, todo);
        if (!hl_strand_is_any(todo))
            return;
        memcpy(bottom.wanted, todo, sizeof todo);
        find_turn(q, q->s->z_all, 1, &bottom);
        for (size_t l = 0; l < HL_LANES; l++)
            todo[l] = bottom.wanted[l] = todo[l] != 0 && bottom.y[l] < 0 ? 1 : 0;
        if (hl_strand_is_any(todo))
            take_off(q, &bottom);
    }
}

/* ---- Walks */

/* A walk of lane l through the stretches that are among the first, or last, `to` of its run, but not `from`. */
static void add_walk(const struct inquiry *q, size_t l, double side, size_t from, size_t to, double low, double high)
{
    const struct hl_strand *s = q->s;
    struct hl_strand_walks *w = &q->s->walks;
    size_t n = s->n_modes * HL_LANES, n_alike = (size_t)q->n_alike[l], first = falls(q, l) ? from : n_alike - to;
    const double *z = s->zs + first * n, *next = first + 1 < n_alike ? z + n : z;
    struct hl_strand_share *share = w->share + w->n * s->n_modes;
    double below = q->curve->offset[l] - q->level[l], y_low = below, y_high = below;
    for (size_t j = l; j < n; j += HL_LANES, share++) {
        double V = q->curve->V[j], c = V * z[j];
        *share = (struct hl_strand_share){s->lambda[j], s->E_whole[j], c, V * (next[j] - z[j])};
        y_low += c * (low > 0 ? s->crest.E[j] : 1);
        y_high += c * (high < s->whole[l] ? s->crest.E[j] : s->E_whole[j]);
    }
    w->rest[w->n] = (double)(to - from);
    w->side[w->n] = side;
    w->below[w->n] = below;
    w->low[w->n] = low;
    w->high[w->n] = high;
    w->from[w->n] = y_low;
    w->to[w->n] = y_high;
    w->whole[w->n] = s->whole[l];
    w->rate[w->n] = s->rate[l];
    w->sum[w->n] = 0;
    w->hours[w->n++] = &q->later[l];
}

static void add_walks(const struct inquiry *q)
{
    if (q->s->walks.n + 2 * HL_LANES > HL_STRAND_WALKS)
        hl_strand_follow(&q->s->walks, q->s->n_modes);
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t a = q->above.left[l], b = q->above.right[l], c = q->above.crest[l];
        double place = q->s->crest.at[l], whole = q->s->whole[l];
        if (q->wanted[l] == 0)
            continue;
        q->hours[l] += (double)b * whole;
        if (larger(b, c) > a)
            add_walk(q, l, 1, a, larger(b, c), 0, c > 0 && c >= b ? place : whole);
        if (larger(a, c) > b)
            add_walk(q, l, -1, b, larger(a, c), c > 0 && c >= a ? place : 0, whole);
    }
}

bool hl_strand_run_hours(const struct hl_stretch *stretch, size_t k, const double *level, const double *wanted,
                         double *hours, double *later, double *hard)
{
    struct hl_strand *s = stretch->inside;
    struct inquiry q = {.s = s, .curve = &s->curve[k], .level = level, .hours = hours,
                        .later = later};
    memcpy(q.wanted, wanted, sizeof q.wanted);
    for (size_t l = 0; l < HL_LANES; l++)
        q.n_alike[l] = (double)s->n_alike[l];
    memcpy(s->crest.at, q.curve->peak.at, sizeof(row));
    memcpy(s->crest.E, q.curve->peak.E, s->n_modes * sizeof(row));
    hl_strand_run_trend(stretch, k, q.trend);
    choose_lanes(&q);
    if (hl_strand_is_any(q.wanted)) {
        count_all(&q);
        take_off_dips(&q);
        add_walks(&q);
    }
    bool any = hl_strand_is_any(q.others) && add_others(&q, hard);
    q.curve->open = false;
    return any;
}
