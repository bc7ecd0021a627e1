/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each metric means.
 *
 *   Cmax, Tmax, Cmin, Tmin   extrema of the solution and their times since the study's origin
 *   AUC, Cavg, last          integral over the window, the same divided by its length, value at its end
 *   hours_above, _below      time with y > theta (y <= theta); fraction_above: the share of the window
 *   first_time               first time with y > theta; longest_spell: the longest unbroken time above
 *   hours_both_above         time in which both outputs are above their own thresholds
 *   overlap_area             integral of min(y1/theta1, y2/theta2) - 1 where that is positive [h]: the area that the
 *                            two curves, each in units of its threshold, share above 1
 *   Ctrough                  value at the end of the last complete dosing interval
 *   troughs                  value just before each dose
 *   accumulation             area over the last complete dosing interval / over the first, for equal doses and
 *                            intervals
 *   time_to_steady           from the first dose until 90 % of steady state: repeated doses by interval averages, whose
 *                            limit is Aitken's extrapolation of the last three (Aitken 1926, Proc R Soc Edinb 46:289);
 *                            a continuous infusion by the level itself. NaN unless at least 80 % has been reached. */
#include "measure/tally.h"

#include <math.h>
#include <string.h>

#define STEADY_SHARE 0.9
#define SEEN_SHARE 0.8
#define SAME_LEVEL 1e-6 /* of steady state: this near it is there */
#define SAME 1e-9 /* levels, doses and intervals (they come from decimal text) are equal to this relative difference */

void hl_tally_begin(struct hl_tally *t)
{
    t->best = t->best_time = t->first = t->last = t->end = NAN;
    t->sum = t->longest = 0;
    t->spell = 0;
    t->n = t->n_nodes = 0;
    t->out_of_memory = false;
}

void hl_tally_clear(struct hl_tally *t)
{
    hl_free(t->interval);
    hl_free(t->node);
    memset(t, 0, sizeof *t);
}

/* The one output of a metric, at a node. */
static size_t of(const struct hl_tally_context *c)
{
    return (size_t)c->spec->of[0];
}

/* --- extrema --- */

static void offer(struct hl_tally *t, double sign, double y, double time)
{
    if (isnan(t->best) || sign * y > sign * t->best) {
        t->best = y;
        t->best_time = time;
    }
}

static void extremum_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p, double sign)
{
    size_t i = of(c);
    double lowest, highest;
    offer(t, sign, p->a->y[i], p->a->t);
    offer(t, sign, p->b->y[i], p->b->t);
    if (hl_piece_turns(p, i, &lowest, &highest) && sign * (sign > 0 ? highest : lowest) > sign * t->best)
        offer(t, sign, hl_piece_turn(p, i)->y, hl_piece_turn(p, i)->t);
}

static void max_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    extremum_piece(t, c, p, 1);
}

static void min_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    extremum_piece(t, c, p, -1);
}

static double best_value(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    return t->best;
}

static double best_time(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    return t->best_time;
}

/* --- areas --- */

static void area_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    t->sum += hl_segment_integral(p->segment, of(c), p->a->t, p->b->t);
}

static double sum_value(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    return t->sum;
}

static double sum_per_hour(const struct hl_tally *t, double from, double to)
{
    return to > from ? t->sum / (to - from) : (double)NAN;
}

static void last_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    t->last = p->b->y[of(c)];
}

static double last_value(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    return t->last;
}

/* --- thresholds --- */

/* [a, b] has been spent above: hours, first time, and spells that go on over piece boundaries. */
static void add_above(struct hl_tally *t, double a, double b)
{
    if (isnan(t->first))
        t->first = a;
    t->sum += b - a;
    t->spell = t->end == a ? t->spell + (b - a) : b - a; /* exact: the boundary is the same number */
    t->end = b;
    if (t->spell > t->longest)
        t->longest = t->spell;
}

static void monotone_above(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_segment *segment,
                           double a, double ya, double b, double yb)
{
    double theta = c->spec->threshold[0];
    if (ya > theta && yb > theta)
        add_above(t, a, b);
    else if (ya > theta)
        add_above(t, a, hl_curve_crossing(segment, of(c), theta, a, b, c->room));
    else if (yb > theta)
        add_above(t, hl_curve_crossing(segment, of(c), theta, a, b, c->room), b);
}

static void above_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    size_t i = of(c);
    double lowest, highest, theta = c->spec->threshold[0];
    const struct hl_node *a = p->a, *b = p->b;
    if (hl_piece_turns(p, i, &lowest, &highest) && lowest <= theta && highest > theta) {
        const struct hl_turn *turn = hl_piece_turn(p, i);
        monotone_above(t, c, p->segment, a->t, a->y[i], turn->t, turn->y);
        monotone_above(t, c, p->segment, turn->t, turn->y, b->t, b->y[i]);
    } else {
        monotone_above(t, c, p->segment, a->t, a->y[i], b->t, b->y[i]);
    }
}

static double hours_below(const struct hl_tally *t, double from, double to)
{
    return to - from - t->sum;
}

static double first_time(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    return t->first;
}

static double longest_spell(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    return t->longest;
}

/* --- two outputs --- */

static double relative(const struct hl_tally_context *c, const double *y, size_t k)
{
    return y[c->spec->of[k]] / c->spec->threshold[k];
}

static double shared_height(const struct hl_tally_context *c, const double *y)
{
    return fmin(relative(c, y, 0), relative(c, y, 1)) - 1;
}

/* Where y1/theta1 - 1, y2/theta2 - 1 and their difference change sign inside the piece: at most three places,
 * sorted. */
static size_t break_points(const struct hl_tally_context *c, const struct hl_segment *segment, const struct hl_node *a,
                           const struct hl_node *b, double *at)
{
    size_t n = 0;
    for (size_t k = 0; k < 2; k++) {
        size_t i = (size_t)c->spec->of[k];
        double theta = c->spec->threshold[k];
        if ((a->y[i] > theta) != (b->y[i] > theta))
            at[n++] = hl_curve_crossing(segment, i, theta, a->t, b->t, c->room);
    }
    if ((relative(c, a->y, 0) > relative(c, a->y, 1)) != (relative(c, b->y, 0) > relative(c, b->y, 1)))
        at[n++] = hl_curve_meeting(segment, c->spec->of, c->spec->threshold, a->t, b->t, c->room);
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && at[k - 1] > at[k]; k--) {
            double swap = at[k];
            at[k] = at[k - 1];
            at[k - 1] = swap;
        }
    return n;
}

/* Gauss-Legendre, five points: exact to degree 9, on pieces where a cubic already fits to 1e-4. */
static double shared_area(const struct hl_tally_context *c, const struct hl_segment *segment, double a, double b)
{
    static const double x[5] = {-0.90617984593866399280, -0.53846931010568309104, 0, 0.53846931010568309104,
                                0.90617984593866399280};
    static const double w[5] = {0.23692688505618908751, 0.47862867049936646804, 0.56888888888888888889,
                                0.47862867049936646804, 0.23692688505618908751};
    double sum = 0;
    for (size_t k = 0; k < 5; k++) {
        double t = 0.5 * (a + b) + 0.5 * (b - a) * x[k];
        sum += w[k] * fmax(0, shared_height(c, hl_curve_values(segment, t, c->room)));
    }
    return 0.5 * (b - a) * sum;
}

typedef void (*both_fn)(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_segment *segment,
                        double a, double b);

/* Calls f for each part of the piece in which both are above. */
static void both_parts(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p, both_fn f)
{
    const struct hl_segment *segment = p->segment;
    const struct hl_node *a = p->a, *b = p->b;
    double at[5];
    size_t n = break_points(c, segment, a, b, at + 1);
    at[0] = a->t;
    at[n + 1] = b->t;
    for (size_t k = 0; k <= n; k++)
        if (at[k + 1] > at[k] && shared_height(c, hl_curve_values(segment, 0.5 * (at[k] + at[k + 1]), c->room)) > 0)
            f(t, c, segment, at[k], at[k + 1]);
}

static void both_hours(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_segment *segment, double a,
                       double b)
{
    (void)c;
    (void)segment;
    add_above(t, a, b);
}

static void both_area(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_segment *segment, double a,
                      double b)
{
    t->sum += shared_area(c, segment, a, b);
}

static void both_hours_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    both_parts(t, c, p, both_hours);
}

static void both_area_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    both_parts(t, c, p, both_area);
}

/* --- dosing intervals --- */

static void dose_begins(struct hl_tally *t, double time, double interval, double amount)
{
    if (t->n == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 64;
        struct hl_interval *grown = hl_grow(t->interval, t->capacity, capacity, sizeof *grown);
        if (!grown) {
            t->out_of_memory = true;
            return;
        }
        t->interval = grown;
        t->capacity = capacity;
    }
    t->interval[t->n++] = (struct hl_interval){.start = time, .length = interval, .amount = amount, .before = t->last,
                                               .at_end = NAN};
}

static void keep_node(struct hl_tally *t, double time, double y, double dy)
{
    if (t->n_nodes == t->node_capacity) {
        size_t capacity = t->node_capacity ? 2 * t->node_capacity : 64;
        double (*grown)[3] = hl_grow(t->node, t->node_capacity, capacity, sizeof *grown);
        if (!grown) {
            t->out_of_memory = true;
            return;
        }
        t->node = grown;
        t->node_capacity = capacity;
    }
    t->node[t->n_nodes][0] = time;
    t->node[t->n_nodes][1] = y;
    t->node[t->n_nodes++][2] = dy;
}

/* The current dosing interval's part of this piece. */
static void interval_piece(struct hl_tally *t, const struct hl_tally_context *c, const struct hl_piece *p)
{
    const struct hl_segment *segment = p->segment;
    const struct hl_node *a = p->a, *b = p->b;
    size_t i = of(c);
    t->last = b->y[i];
    if (t->n == 0)
        return;
    struct hl_interval *now = &t->interval[t->n - 1];
    double end = now->start + now->length, slack = 1e-9 * now->length; /* times are sums of decimal numbers */
    if (!(now->length > 0)) {
        if (t->n == 1)
            keep_node(t, b->t, b->y[i], b->dy[i]);
        return;
    }
    if (now->complete || a->t >= end - slack)
        return;
    double to = b->t < end ? b->t : end;
    now->area += hl_segment_integral(segment, i, a->t, to);
    if (b->t >= end - slack) {
        now->complete = true;
        now->at_end = b->t > end ? hl_curve_values(segment, end, c->room)[i] : b->y[i];
    }
}

static double trough_value(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    for (size_t k = t->n; k-- > 0;)
        if (t->interval[k].complete)
            return t->interval[k].at_end;
    return NAN;
}

static bool same(double a, double b)
{
    return fabs(a - b) <= SAME * fabs(b);
}

static bool is_like_first(const struct hl_tally *t, size_t k)
{
    const struct hl_interval *first = &t->interval[0], *this = &t->interval[k];
    return this->complete && same(this->length, first->length) && same(this->amount, first->amount);
}

static double accumulation_value(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    if (t->n < 2 || !is_like_first(t, 0) || !(t->interval[0].area > 0))
        return NAN;
    for (size_t k = t->n; k-- > 1;)
        if (is_like_first(t, k))
            return t->interval[k].area / t->interval[0].area;
    return NAN;
}

/* The limit of x0, x1, x2, which approach it geometrically; NaN when they don't. */
static double aitken(double x0, double x1, double x2)
{
    double d1 = x1 - x0, d2 = x2 - x1, ratio = d1 != 0 ? d2 / d1 : 0;
    if (!(ratio >= 0 && ratio < 1))
        return fabs(d2) <= 1e-6 * fabs(x2) ? x2 : (double)NAN;
    return x2 + d2 * ratio / (1 - ratio);
}

/* Whether interval k begins where the one before it ends: no dose was missed between them. */
static bool follows(const struct hl_tally *t, size_t k)
{
    const struct hl_interval *last = k > 0 ? &t->interval[k - 1] : NULL;
    return !last || fabs(t->interval[k].start - (last->start + last->length)) <= SAME * last->length;
}

/* Equal doses at equal intervals from the first on: how many intervals. */
static size_t run_of_equals(const struct hl_tally *t)
{
    size_t n = 0;
    while (n < t->n && is_like_first(t, n) && follows(t, n))
        n++;
    return n;
}

/* Interval averages belong to the middle of their interval; between two the approach is taken as exponential. */
static double steady_by_intervals(const struct hl_tally *t)
{
    size_t n = run_of_equals(t);
    if (n < 4)
        return NAN;
    double limit = aitken(t->interval[n - 3].area, t->interval[n - 2].area, t->interval[n - 1].area);
    if (!(t->interval[n - 1].area >= SEEN_SHARE * limit))
        return NAN;
    for (size_t k = 0; k < n; k++) {
        double here = 1 - t->interval[k].area / limit, tau = t->interval[0].length;
        double middle = t->interval[k].start + 0.5 * tau - t->interval[0].start;
        if (here > 1 - STEADY_SHARE)
            continue;
        double before = k ? 1 - t->interval[k - 1].area / limit : 1;
        double back = here > 0 && before > here ? log((1 - STEADY_SHARE) / here) / log(before / here) : 0;
        if (k == 0 && here <= SAME_LEVEL)
            return 0; /* there before the first dose */
        return fmax(0, middle - back * tau);
    }
    return NAN;
}

static double hermite(const double *a, const double *b, double s)
{
    double h = b[0] - a[0], r = 1 - s;
    return r * r * (1 + 2 * s) * a[1] + s * s * (1 + 2 * r) * b[1] + h * s * r * (r * a[2] - s * b[2]);
}

/* When the rise between two nodes, the second at or above level, reaches it. */
static double time_of_level(const double *a, const double *b, double level)
{
    double low = 0, high = 1;
    for (int round = 0; round < 60; round++) {
        double s = 0.5 * (low + high);
        if (hermite(a, b, s) < level)
            low = s;
        else
            high = s;
    }
    return a[0] + high * (b[0] - a[0]);
}

static double steady_by_level(const struct hl_tally *t)
{
    size_t n = t->n_nodes;
    if (n < 4)
        return NAN;
    const double *end = t->node[n - 1];
    /* the level's own rate of approach over the last node gives what is still missing */
    double missing = end[2] > 0 && t->node[n - 2][2] > end[2]
                         ? end[2] * (end[0] - t->node[n - 2][0]) / log(t->node[n - 2][2] / end[2]) : 0;
    double limit = end[1] + missing;
    bool falls = end[2] * (end[0] - t->node[0][0]) < -SAME * end[1]; /* by more than rounding */
    if (!(end[1] >= SEEN_SHARE * limit) || falls)
        return NAN;
    for (size_t k = 1; k < n; k++)
        if (t->node[k][1] >= STEADY_SHARE * limit)
            return time_of_level(t->node[k - 1], t->node[k], STEADY_SHARE * limit) - t->interval[0].start;
    return NAN;
}

static double steady_value(const struct hl_tally *t, double from, double to)
{
    (void)from;
    (void)to;
    if (t->n == 0)
        return NAN;
    return t->interval[0].length > 0 ? steady_by_intervals(t) : steady_by_level(t);
}

static const struct hl_metric_kind_info kinds[HL_N_METRIC_KINDS] = {
    [HL_CMAX] = {max_piece, NULL, best_value, true},
    [HL_TMAX] = {max_piece, NULL, best_time, true},
    [HL_CMIN] = {min_piece, NULL, best_value, true},
    [HL_TMIN] = {min_piece, NULL, best_time, true},
    [HL_AUC] = {area_piece, NULL, sum_value, true},
    [HL_CAVG] = {area_piece, NULL, sum_per_hour, true},
    [HL_CTROUGH] = {interval_piece, dose_begins, trough_value, false},
    [HL_TROUGHS] = {interval_piece, dose_begins, NULL, false},
    [HL_ACCUMULATION] = {interval_piece, dose_begins, accumulation_value, false},
    [HL_HALF_LIFE] = {NULL, NULL, NULL, false},
    [HL_TIME_TO_STEADY] = {interval_piece, dose_begins, steady_value, false},
    [HL_HOURS_ABOVE] = {above_piece, NULL, sum_value, true},
    [HL_HOURS_BELOW] = {above_piece, NULL, hours_below, true},
    [HL_FIRST_TIME] = {above_piece, NULL, first_time, true},
    [HL_LONGEST_SPELL] = {above_piece, NULL, longest_spell, true},
    [HL_FRACTION_ABOVE] = {above_piece, NULL, sum_per_hour, true},
    [HL_HOURS_BOTH_ABOVE] = {both_hours_piece, NULL, sum_value, true},
    [HL_OVERLAP_AREA] = {both_area_piece, NULL, sum_value, true},
    [HL_LAST] = {last_piece, NULL, last_value, true},
};

const struct hl_metric_kind_info *hl_metric_kind_info(enum hl_metric_kind kind)
{
    return &kinds[kind];
}
