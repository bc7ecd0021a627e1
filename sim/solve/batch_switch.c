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
 * Most steps are told to be free of changes by a bound, |g_0| > sum |g_k| h^k, k >= 1; most others by the polynomial's
 * Bernstein coefficients over the step, between which it lies; both for all lanes at once. What these leave is decided
 * lane by lane: one change of sign among the coefficients is one root, found by Newton's rule to rounding; else the
 * interval is halved, left half first (Lane and Riesenfeld 1981, BIT 21: 112). So the first root is found, or a dip of
 * less than 2^-40 of the step passed.
 *
 * How near 0 is 0? At the origin g is a sum with rounding errors of some 1e-16 of its terms: a side counts as wrong
 * beyond NOISE times the sum of their magnitudes. The series of g takes part in the choice of the step: what it cuts
 * off is below the tolerance, of what g is made of and can change by. A step may only end at a change where that is
 * below SHARP of it, else it ends before, and the next, shorter one finds the place: where rates jump, the error of the
 * time is paid with the jump. The new origin's g differs from the polynomial that led there by what both cut off, and
 * may still have the old sign: of a switch that has just turned that much isn't taken for the wrong side.
 *
 * A lane that turns to and fro within no time is sliding along a switch, or there is no solution: after MOST_TRIES
 * hasty turns per switch it is handed back. */
#include "solve/batch_switch.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/vector.h"
#include "model/program.h"
#include "solve/batch_rough.h"

#define LANES HL_BATCH_LANES
#define NOISE 1e-14
#define SHARP 1e-2     /* of the tolerance */
#define BAND 4.0
#define MOST_TRIES 8u  /* hasty turns in succession, per switch and one more */
#define HASTE 1e-4     /* [h]: so soon after the last */
#define AT_ONCE 1e-13  /* [h] */
#define HALVINGS 40
#define ROUNDS 80

#define PART 8 /* lanes of a vector, a part of a row */
typedef double eight __attribute__((vector_size(PART * sizeof(double))));
typedef int64_t eight_bits __attribute__((vector_size(PART * sizeof(int64_t))));

/* The part of row i that begins where the array's own does. */
#define ROW(array, i) (*(eight *)__builtin_assume_aligned((array) + (size_t)(i) * LANES, 64))
#define CONST_ROW(array, i) (*(const eight *)__builtin_assume_aligned((array) + (size_t)(i) * LANES, 64))
#define INLINE static inline __attribute__((always_inline))

struct hl_batch_switches {
    const struct hl_batch_program *program;
    size_t order;
    double tolerance;
    const struct hl_batch_op **sum_of; /* by switch: the sum it is, NULL when it is none */
    bool *met, *turned;              /* [switch][lane]: in this step; just before it */
    bool waits[LANES];               /* takes no part in this step */
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
    s->sum_of = hl_alloc(program->n_switches, sizeof *s->sum_of);
    s->met = hl_alloc(program->n_switches * LANES, sizeof *s->met);
    s->turned = hl_alloc(program->n_switches * LANES, sizeof *s->turned);
    if (!s->sum_of || !s->met || !s->turned) {
        hl_batch_switches_free(s);
        return HL_ERR_MEMORY;
    }
    for (size_t i = 0; i < program->n_switches; i++)
        for (size_t k = 0; k < program->code.n_ops; k++)
            if (program->code.op[k].dst == program->flip[i].slot && program->code.op[k].kind == HL_BATCH_SUM)
                s->sum_of[i] = &program->code.op[k];
    *switches = s;
    return HL_OK;
}

void hl_batch_switches_free(struct hl_batch_switches *s)
{
    if (!s)
        return;
    hl_free(s->sum_of);
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

/* Even and odd powers apart: two short chains instead of a long one. */
static double value_at(const double *c, size_t n, double x)
{
    double even = 0, odd = 0, x2 = x * x;
    for (size_t k = (n + 1) / 2; k > 0; k--) {
        even = even * x2 + c[2 * k - 2];
        odd = odd * x2 + (2 * k - 1 < n ? c[2 * k - 1] : 0);
    }
    return even + odd * x;
}

/* The root in (a, b), f falling; x: a guess, or anything. */
static double root_from(const double *c, size_t n, double a, double b, double x)
{
    double d[HL_BATCH_MOST_ORDER + 1]; /* the derivative's coefficients */
    for (size_t k = 1; k < n; k++)
        d[k - 1] = (double)k * c[k];
    for (int round = 0; round < ROUNDS && b - a > DBL_EPSILON * b; round++) {
        if (!(x > a && x < b) || round % 8 == 7) /* Newton's rule has left the bracket, or dawdles */
            x = 0.5 * (a + b);
        if (!(x > a && x < b))
            break;
        double f = value_at(c, n, x), slope = value_at(d, n - 1, x);
        if (f < 0)
            b = x;
        else
            a = x;
        double next = slope < 0 ? x - f / slope : -1;
        if (fabs(next - x) <= DBL_EPSILON * x) /* there; the other side is within rounding */
            return f < 0 ? x : fmin(b, x + DBL_EPSILON * x);
        x = next;
    }
    return b;
}

double hl_batch_root(const double *c, size_t n, double a, double b)
{
    double fa = value_at(c, n, a), fb = value_at(c, n, b);
    return root_from(c, n, a, b, fa > fb ? a + (b - a) * (fa / (fa - fb)) : 0.5 * (a + b));
}

/* Where the polygon of Bernstein coefficients over [from, to] falls below 0, which it does once: near the root. */
static double polygon_root(const double *b, size_t n, double from, double to)
{
    size_t k = 1;
    while (k + 1 < n && b[k] >= 0)
        k++;
    double share = ((double)(k - 1) + b[k - 1] / (b[k - 1] - b[k])) / (double)(n - 1);
    return from + (to - from) * share;
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
        return root_from(c, n, from, to, polygon_root(b, n, from, to));
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
    double b[HL_BATCH_MOST_ORDER + 1], choose = 1;
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(c[k]))
            return NAN;
        b[k] = c[k] / choose;
        choose *= (double)(n - 1 - k) / (double)(k + 1);
    }
    for (size_t k = 1; k < n; k++) /* b_i = sum_k C(i,k) / C(n-1,k) c_k: a table of sums */
        for (size_t i = n - 1; i >= k; i--)
            b[i] += b[i - 1];
    return first_in(c, b, n, 0, 1, HALVINGS);
}

/* ---- Lanes */

/* *total += |x| */
INLINE void add_magnitude(const double *x, eight *total)
{
    *total += (eight)((eight_bits)CONST_ROW(x, 0) & INT64_MAX);
}

/* What a switch's g is made of at the origin: the sum of magnitudes. Only its own sum (op, NULL for none) is looked
 * into; a product or quotient counts as one term. */
HL_CLONES static void set_size(const struct hl_batch_code *code, const struct hl_batch_op *op, const double *file,
                               const double *g, const double *series, size_t stride, double *size)
{
    eight total = {0};
    if (!op)
        add_magnitude(g, &total);
    else if (op->sum.constant >= 0)
        add_magnitude(file + (size_t)op->sum.constant * LANES, &total);
    for (size_t k = 0; op && k < op->sum.n; k++) {
        const struct hl_batch_term *term = &code->term[op->sum.first + k];
        double x[PART] __attribute__((aligned(64)));
        ROW(x, 0) = CONST_ROW(series, (size_t)term->slot * stride);
        if (term->coef >= 0)
            ROW(x, 0) *= CONST_ROW(file, term->coef);
        add_magnitude(x, &total);
    }
    ROW(size, 0) = total;
}

HL_CLONES void hl_batch_bound(const double *g, size_t n, const double *h, double *change, double *tail)
{
    eight power = CONST_ROW(h, 0), total = {0}, largest = {0};
    for (size_t k = 1; k < n; k++) {
        eight term = CONST_ROW(g, k) * power;
        term = (eight)((eight_bits)term & INT64_MAX);
        total += term;
        if (k + 3 >= n) {
            eight_bits more = ~(term <= largest); /* NaN too */
            largest = (eight)(((eight_bits)term & more) | ((eight_bits)largest & ~more));
        }
        power *= CONST_ROW(h, 0);
    }
    ROW(change, 0) = total;
    ROW(tail, 0) = largest;
}

/* The least of the Bernstein coefficients of sign g over [0, h]; NaN may be lost. */
HL_CLONES static void least_coefficient(const double *g, size_t n, const double *h, const double *sign, double *least)
{
    eight b[HL_BATCH_MOST_ORDER + 1], power = CONST_ROW(sign, 0);
    double choose = 1;
    b[0] = CONST_ROW(g, 0) * power;
    for (size_t k = 1; k < n; k++) {
        power *= CONST_ROW(h, 0);
        choose *= (double)(n - k) / (double)k;
        b[k] = CONST_ROW(g, k) * power * (1 / choose);
    }
    for (size_t k = 1; k < n; k++)
        for (size_t i = n - 1; i >= k; i--)
            b[i] += b[i - 1];
    eight low = b[0];
    for (size_t k = 1; k < n; k++) {
        eight_bits less = b[k] < low;
        low = (eight)(((eight_bits)b[k] & less) | ((eight_bits)low & ~less));
    }
    ROW(least, 0) = low;
}

/* The way within h on which the last three terms stay below limit. */
static double reach(const double *g, size_t n, size_t l, double limit, double h)
{
    double power = h, most = h;
    for (size_t k = 1; k + 3 < n; k++)
        power *= h;
    for (size_t k = n - 3; k < n; k++, power *= h) { /* power: h^k */
        double term = fabs(g[k * LANES + l]);
        if (term * power > limit)
            most = fmin(most, hl_rough_exp2(hl_rough_log2(limit / term) / (double)k));
    }
    return most;
}

/* Where within h lane l leaves its side: infinity when it doesn't, NaN when nobody knows. */
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

/* What a step knows of a switch: rows. */
struct look {
    double h[LANES] __attribute__((aligned(64))), sign[LANES] __attribute__((aligned(64)));
    double least[LANES] __attribute__((aligned(64))), band[LANES], allowed[LANES];
    const double *g;
};

/* Fills it, for all lanes; h is shortened to where the series of g holds. False when no lane can leave its side. */
static bool look_at(struct hl_batch_switches *s, size_t i, const double *file, const double *series, const double *h,
                    struct look *look)
{
    const struct hl_batch_switch *flip = &s->program->flip[i];
    size_t n = s->order;
    double size[LANES] __attribute__((aligned(64))), change[LANES] __attribute__((aligned(64)));
    double tail[LANES] __attribute__((aligned(64)));
    bool near = false;
    look->g = series + (size_t)flip->slot * (n + 1) * LANES;
    for (size_t at = 0; at < LANES; at += PART) {
        set_size(&s->program->code, s->sum_of[i], file + at, look->g + at, series + at, n + 1, size + at);
        hl_batch_bound(look->g + at, n, h + at, change + at, tail + at);
    }
    for (size_t l = 0; l < LANES; l++) {
        double allowed = s->tolerance * (size[l] + change[l]);
        look->sign[l] = file[(size_t)flip->row * LANES + l] > 0 ? 1 : -1;
        look->allowed[l] = allowed;
        look->band[l] = s->turned[i * LANES + l] ? BAND * SHARP * allowed + NOISE * size[l] : NOISE * size[l];
        look->h[l] = tail[l] <= allowed ? h[l] : reach(look->g, n, l, allowed, h[l]);
        near = near || look->h[l] < h[l] || !(look->sign[l] * look->g[l] > change[l]);
    }
    for (size_t at = 0; near && at < LANES; at += PART)
        least_coefficient(look->g + at, n, look->h + at, look->sign + at, look->least + at);
    for (size_t l = 0; l < LANES; l++)
        if (!isfinite(change[l]))
            look->least[l] = -INFINITY; /* must be looked at */
    return near;
}

/* Lane l and switch i: whether it turns within *h, which then ends there; *h NaN when nobody knows. Where the place
 * isn't known well enough, *h ends before it, and the next step finds it. */
static bool meets(const struct look *look, size_t n, size_t l, double *h)
{
    double way = fmin(*h, look->h[l]);
    double place = look->least[l] >= -look->band[l] ? (double)INFINITY
                       : leaves(look->g, n, l, look->sign[l], look->band[l], look->h[l]);
    place = place < AT_ONCE ? 0 : place;
    double known = place <= way ? reach(look->g, n, l, SHARP * look->allowed[l], place) : place;
    *h = isnan(place) ? place : fmin(way, known);
    return place <= way && known >= place;
}

/* Takes switch i into what is known of lane l: the first that turns, and those that turn with it. */
static void take_in(struct hl_batch_switches *s, const struct look *look, size_t i, size_t l, double *h, bool *unknown)
{
    double way = isnan(*h) ? 0 : *h, before = way;
    *unknown = *unknown || isnan(*h);
    bool turns = meets(look, s->order, l, &way);
    if (isnan(way)) {
        *unknown = true;
        return;
    }
    for (size_t k = 0; k < i && way < before; k++)
        s->met[k * LANES + l] = false;
    s->met[i * LANES + l] = turns;
    *h = way;
}

void hl_batch_switches_meet(struct hl_batch_switches *s, const double *file, const double *series, double *h,
                            const bool *active, bool *held, bool *lost)
{
    size_t n = s->program->n_switches;
    bool unknown[LANES] = {false};
    memset(s->met, 0, n * LANES * sizeof *s->met);
    double asked[LANES] __attribute__((aligned(64)));
    for (size_t l = 0; l < LANES; l++)
        asked[l] = isnan(h[l]) ? 0 : h[l]; /* its sides can still be told */
    for (size_t i = 0; i < n; i++) {
        struct look look;
        if (look_at(s, i, file, series, asked, &look))
            for (size_t l = 0; l < LANES; l++)
                if (active[l])
                    take_in(s, &look, i, l, &h[l], &unknown[l]);
    }
    for (size_t l = 0; l < LANES; l++) {
        held[l] = false;
        s->waits[l] = !active[l];
        for (size_t i = 0; i < n; i++)
            held[l] = held[l] || s->met[i * LANES + l];
        s->tries[l] = held[l] && h[l] < HASTE ? s->tries[l] + 1 : h[l] < HASTE ? s->tries[l] : 0;
        lost[l] = isnan(h[l]) || (unknown[l] && !(held[l] && h[l] <= 0))
                  || s->tries[l] > MOST_TRIES * (unsigned)(n + 1);
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
            s->turned[i * LANES + l] = s->waits[l] ? s->turned[i * LANES + l] : met;
            any = any || met;
        }
    if (any)
        hl_program_run(&p->choices, file, LANES);
}
