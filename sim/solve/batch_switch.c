/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Switches of lanes: rates that are chosen by the sign of something.
 *
 * Rates with if, min, max or abs are smooth between the times at which some g(t, y) changes sign. A series must not be
 * followed across such a time: its coefficients belong to one side. So each lane remembers a side for each switch, the
 * series of g is computed with the others, and
 *   - where g stays on its side up to the end of the step, nothing happens;
 *   - where it changes, the step ends there, and the next one starts on the other side;
 *   - where it is on the wrong side at the very origin (after an event that moved g at once, or a switch that turned
 *     another one's g), the lane stays where it is and takes the other side: a turn without a step.
 * Most steps are told to be free of changes by the first bound, |g_0| > sum |g_k| h^k, k >= 1, for all lanes at once.
 * What that leaves is decided lane by lane on the polynomial's Bernstein coefficients over the step: all of one sign,
 * none is passed; one change, one root, found by regula falsi to rounding; else the interval is halved, left half first
 * (Lane and Riesenfeld 1981, BIT 21: 112). So the first root is found, or a dip of less than 2^-40 of the step passed.
 *
 * How near 0 is 0? At the origin g is a sum with rounding errors of some 1e-16 of its terms: a side counts as wrong
 * beyond NOISE times the sum of their magnitudes. Where a switch has just turned, the new origin's g differs from the
 * polynomial that led there by what both cut off, and may still have the old sign: there the band is BAND * tolerance
 * of what g is made of and can change by. The series of g takes part in the choice of the step, so that what it cuts off is below the tolerance.
 *
 * A lane that turns to and fro within no time is sliding along a switch, or there is no solution: after MOST_TRIES hasty
 * turns per switch it is handed back. */
#include "solve/batch_switch.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/program.h"

#define LANES HL_BATCH_LANES
#define NOISE 1e-14
#define BAND 4.0
#define MOST_TRIES 8u  /* hasty turns in succession, per switch and one more */
#define HASTE 1e-4     /* [h]: so soon after the last */
#define STANDING 1e-9  /* [h]: a change this near is at once */
#define HALVINGS 40
#define ROUNDS 80

struct hl_batch_switches {
    const struct hl_batch_program *program;
    size_t order;
    double tolerance;
    double *size, *change;           /* [switch][lane]: of its terms at the origin; what it may change by in the step */
    bool *met, *turned;              /* [switch][lane]: in this step; just before it */
    unsigned tries[LANES];
};

enum hl_status hl_batch_switches_create(const struct hl_batch_program *program, size_t order, double tolerance,
                                        struct hl_batch_switches **switches)
{
    *switches = NULL;
    if (program->n_switches == 0)
        return HL_OK;
    struct hl_batch_switches *s = hl_alloc(1, sizeof *s);
    if (!s)
        return HL_ERR_MEMORY;
    s->program = program;
    s->order = order;
    s->tolerance = tolerance;
    s->size = hl_alloc(program->n_switches * LANES, sizeof *s->size);
    s->change = hl_alloc(program->n_switches * LANES, sizeof *s->change);
    s->met = hl_alloc(program->n_switches * LANES, sizeof *s->met);
    s->turned = hl_alloc(program->n_switches * LANES, sizeof *s->turned);
    if (!s->size || !s->change || !s->met || !s->turned) {
        hl_batch_switches_free(s);
        return HL_ERR_MEMORY;
    }
    *switches = s;
    return HL_OK;
}

void hl_batch_switches_free(struct hl_batch_switches *s)
{
    if (!s)
        return;
    hl_free(s->size);
    hl_free(s->change);
    hl_free(s->met);
    hl_free(s->turned);
    hl_free(s);
}

void hl_batch_switches_load(struct hl_batch_switches *s, double *file)
{
    const struct hl_batch_program *p = s->program;
    for (size_t i = 0; i < p->n_switches; i++)
        for (size_t l = 0; l < LANES; l++)
            file[(size_t)p->flip[i].row * LANES + l] = p->flip[i].zero_is_positive ? 1 : 0;
    memset(s->met, 0, p->n_switches * LANES * sizeof *s->met);
    memset(s->turned, 0, p->n_switches * LANES * sizeof *s->turned);
    memset(s->tries, 0, sizeof s->tries);
    hl_program_run(&p->choices, file, LANES);
}

/* ---- The first change of a polynomial on [0, 1] */

static double value_at(const double *c, size_t n, double x)
{
    double y = 0;
    for (size_t k = n; k > 0; k--)
        y = y * x + c[k - 1];
    return y;
}

/* The one root between a, where it isn't negative, and b, where it is: the end on the negative side. */
static double root_between(const double *c, size_t n, double a, double b)
{
    double fa = value_at(c, n, a), fb = value_at(c, n, b);
    for (int round = 0, side = 0; round < ROUNDS && b - a > DBL_EPSILON * b; round++) {
        double x = fa - fb > 0 ? a + (b - a) * (fa / (fa - fb)) : 0.5 * (a + b);
        if (round % 4 == 3 || !(x > a && x < b))
            x = 0.5 * (a + b);
        if (!(x > a && x < b))
            break;
        double f = value_at(c, n, x);
        if (f < 0) {
            b = x, fb = f;
            fa *= side < 0 ? 0.5 : 1;
            side = -1;
        } else {
            a = x, fa = f;
            fb *= side > 0 ? 0.5 : 1;
            side = 1;
        }
    }
    return b;
}

static size_t changes(const double *b, size_t n)
{
    size_t count = 0;
    bool below = b[0] < 0;
    for (size_t k = 1; k < n; k++)
        if ((b[k] < 0) != below) {
            below = !below;
            count++;
        }
    return count;
}

/* b: Bernstein coefficients over [from, to]; it isn't negative at from. 2 when it isn't anywhere. */
static double first_in(const double *c, double *b, size_t n, double from, double to, int depth)
{
    if (b[0] < 0)
        return from;
    size_t count = changes(b, n);
    if (count == 0)
        return 2;
    if (count == 1)
        return root_between(c, n, from, to);
    if (depth == 0)
        return b[n - 1] < 0 ? to : 2;
    double left[HL_BATCH_MOST_ORDER + 1], middle = 0.5 * (from + to);
    for (size_t k = 0; k < n; k++) { /* de Casteljau: b becomes the right half */
        left[k] = b[0];
        for (size_t i = 0; i + k + 1 < n; i++)
            b[i] = 0.5 * (b[i] + b[i + 1]);
    }
    double found = first_in(c, left, n, from, middle, depth - 1);
    return found <= 1 ? found : first_in(c, b, n, middle, to, depth - 1);
}

double hl_batch_first_negative(const double *c, size_t n)
{
    double b[HL_BATCH_MOST_ORDER + 1];
    for (size_t k = 0; k < n; k++)
        if (!isfinite(c[k]))
            return NAN;
    /* b_i = sum_k C(i,k)/C(n-1,k) c_k: differences upwards from c_k / C(n-1,k) */
    double choose = 1;
    for (size_t k = 0; k < n; k++) {
        b[k] = c[k] / choose;
        choose *= (double)(n - 1 - k) / (double)(k + 1);
    }
    for (size_t k = 1; k < n; k++)
        for (size_t i = n - 1; i >= k; i--)
            b[i] += b[i - 1];
    return first_in(c, b, n, 0, 1, HALVINGS);
}

/* ---- Lanes */

/* What a switch's g is made of at the origin: the sum of magnitudes. Only its own sum is looked into; a product or
 * quotient counts as one term. */
static void set_size(struct hl_batch_switches *s, size_t number, const double *file, const double *series)
{
    const struct hl_batch_code *code = &s->program->code;
    int slot = s->program->flip[number].slot;
    size_t stride = (s->order + 1) * LANES;
    const struct hl_batch_op *op = NULL;
    for (size_t i = 0; i < code->n_ops && !op; i++)
        op = code->op[i].dst == slot && code->op[i].kind == HL_BATCH_SUM ? &code->op[i] : NULL;
    double *size = s->size + number * LANES;
    for (size_t l = 0; l < LANES; l++)
        size[l] = op ? (op->sum.constant < 0 ? 0 : fabs(file[(size_t)op->sum.constant * LANES + l]))
                     : fabs(series[(size_t)slot * stride + l]);
    for (size_t k = 0; op && k < op->sum.n; k++) {
        const struct hl_batch_term *term = &code->term[op->sum.first + k];
        for (size_t l = 0; l < LANES; l++)
            size[l] += fabs((term->coef < 0 ? 1 : file[(size_t)term->coef * LANES + l])
                            * series[(size_t)term->slot * stride + l]);
    }
}

/* For each lane with its h: what g can change by within it, and the largest of its last three terms. */
static void bound(const double *g, size_t n, const double *h, double *change, double *tail)
{
    for (size_t l = 0; l < LANES; l++)
        change[l] = tail[l] = 0;
    double power[LANES];
    for (size_t l = 0; l < LANES; l++)
        power[l] = 1;
    for (size_t k = 1; k < n; k++)
        for (size_t l = 0; l < LANES; l++) {
            power[l] *= h[l];
            double term = fabs(g[k * LANES + l]) * power[l];
            change[l] += term;
            tail[l] = k + 3 < n ? 0 : term > tail[l] ? term : tail[l];
        }
}

/* The way on which the last three terms stay below limit. */
static double reach(const double *g, size_t n, size_t l, double limit, double h)
{
    for (size_t k = n - 3; k < n; k++) {
        double term = fabs(g[k * LANES + l]);
        if (term > 0)
            h = fmin(h, pow(limit / term, 1.0 / (double)k));
    }
    return h;
}

/* Where within h lane l leaves its side: more than h when it doesn't, NaN when nobody knows. */
static double leaves(const double *g, size_t n, size_t l, double sign, double band, double h)
{
    double c[HL_BATCH_MOST_ORDER + 1], power = sign;
    for (size_t k = 0; k < n; k++, power *= h)
        c[k] = g[k * LANES + l] * power;
    c[0] += band;
    if (c[0] < 0)
        return 0;
    double x = hl_batch_first_negative(c, n);
    return x > 1 ? (double)INFINITY : x * h;
}

/* One switch of one lane. *h becomes shorter where it turns within it; true then. */
static bool meet_one(struct hl_batch_switches *s, size_t i, size_t l, const double *g, double side, double *h)
{
    size_t n = s->order, at = i * LANES + l;
    double allowed = s->tolerance * (s->size[at] + s->change[at]), way = reach(g, n, l, allowed, *h);
    double place = leaves(g, n, l, side > 0 ? 1 : -1, s->turned[at] ? BAND * allowed : NOISE * s->size[at], way);
    if (isnan(place)) {
        *h = NAN;
        return false;
    }
    *h = fmin(way, place < STANDING ? 0 : place);
    return place <= way;
}

/* Lane l, of which some switch isn't surely still: the first that turns, and all that turn with it. */
static void meet_lane(struct hl_batch_switches *s, size_t l, const double *file, const double *series, double *h)
{
    const struct hl_batch_program *p = s->program;
    double first = isnan(*h) ? 0 : *h;
    bool unknown = isnan(*h), any = false;
    for (size_t i = 0; i < p->n_switches; i++) {
        const double *g = series + (size_t)p->flip[i].slot * (s->order + 1) * LANES;
        double way = first;
        bool meets = meet_one(s, i, l, g, file[(size_t)p->flip[i].row * LANES + l], &way);
        unknown = unknown || isnan(way);
        if (isnan(way))
            continue;
        for (size_t k = 0; k < i && way < first; k++)
            s->met[k * LANES + l] = false; /* this one comes before */
        any = (any && !(way < first)) || meets;
        s->met[i * LANES + l] = meets;
        first = way;
    }
    *h = any && first <= 0 ? 0 : unknown ? (double)NAN : first;
}

void hl_batch_switches_meet(struct hl_batch_switches *s, const double *file, const double *series, double *h,
                            const bool *active, bool *held, bool *lost)
{
    const struct hl_batch_program *p = s->program;
    bool near[LANES] = {false};
    memset(s->met, 0, p->n_switches * LANES * sizeof *s->met);
    for (size_t i = 0; i < p->n_switches; i++) {
        const double *g = series + (size_t)p->flip[i].slot * (s->order + 1) * LANES;
        double *change = s->change + i * LANES, *size = s->size + i * LANES, tail[LANES];
        set_size(s, i, file, series);
        bound(g, s->order, h, change, tail);
        for (size_t l = 0; l < LANES; l++) {
            double side = file[(size_t)p->flip[i].row * LANES + l] > 0 ? 1 : -1;
            near[l] = near[l] || !(side * g[l] > change[l]) || !(tail[l] <= s->tolerance * (size[l] + change[l]));
        }
    }
    for (size_t l = 0; l < LANES; l++) {
        held[l] = lost[l] = false;
        if (!active[l])
            continue;
        if (near[l])
            meet_lane(s, l, file, series, &h[l]);
        for (size_t i = 0; i < p->n_switches; i++)
            held[l] = held[l] || s->met[i * LANES + l];
        s->tries[l] = held[l] && h[l] < HASTE ? s->tries[l] + 1 : h[l] < HASTE ? s->tries[l] : 0;
        lost[l] = isnan(h[l]) || s->tries[l] > MOST_TRIES * (p->n_switches + 1);
    }
}

void hl_batch_switches_turn(struct hl_batch_switches *s, double *file)
{
    const struct hl_batch_program *p = s->program;
    bool any = false;
    for (size_t i = 0; i < p->n_switches; i++)
        for (size_t l = 0; l < LANES; l++) {
            double *side = &file[(size_t)p->flip[i].row * LANES + l];
            bool met = s->met[i * LANES + l];
            *side = met ? 1 - *side : *side;
            s->turned[i * LANES + l] = met;
            any = any || met;
        }
    if (any)
        hl_program_run(&p->choices, file, LANES);
}
