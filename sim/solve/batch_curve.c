/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Polynomials as stretches: what metrics ask of outputs that are told by their series.
 *
 * A polynomial c_0 + c_1 x + ... of what a slowed clock shows (batch_clock.h: x = (1 - e^(-mu s)) / mu), of eight
 * lanes, each on its own length, x in [0, L], is asked for values by Horner's rule and for areas by that of its
 * integral,
 *     A = integral of c(x) / (1 - mu x) dx = sum g_k x^(k+1) / (k + 1),    g_k = c_k + mu g_{k-1}, c_k = 0 for k >= n:
 * from n on the terms are those of a geometric series with ratio mu x < 0.53, divided by k + 1. Offsets are turned into
 * x first and roots back into offsets; what rises in x rises in s. Bounds are the least and the largest Bernstein
 * coefficient over [0, L], between which the polynomial lies (Lane and Riesenfeld 1981, BIT 21: 112), widened by the
 * rounding of values. Where the Bernstein coefficients only rise or only fall, so does the polynomial; else the
 * derivative's roots are isolated by halving, as switches are (batch_switch.c), and found to rounding. Differences at
 * the level of rounding count as none, so that what is flat doesn't turn.
 *
 * A crossing of a level on a monotone piece is found by Newton's rule, held within the bracket. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "solve/batch_clock.h"
#include "solve/batch_switch.h"
#include "solve/batch_tell.h"

#define ROWS HL_BATCH_LANES
#define FLAT 4e-16 /* of the largest coefficient */
#define HALVINGS 40
#define ROUNDS 60
#define LATER 40 /* terms of an area after the last coefficient: 0.53^40 is 1e-11, of what is small already */

static const double *coefficients(const struct hl_stretch *stretch, size_t k, size_t *n)
{
    const struct hl_batch_curve *curve = stretch->inside;
    *n = curve->n;
    return curve->coefficient[k];
}

static const double *slow_of(const struct hl_stretch *stretch)
{
    return ((const struct hl_batch_curve *)stretch->inside)->slow;
}

/* What the clocks show at offsets s. */
HL_CLONES static void clocks_at(const double *slow, const double *s, double *x)
{
    for (size_t l = 0; l < HL_LANES; l++)
        x[l] = hl_clock_x(s[l], slow[l]);
}

HL_CLONES static void values_of(const double *c, size_t n, const double *s, double *y)
{
    double sum[HL_LANES] = {0};
    for (size_t k = n; k > 0; k--)
        for (size_t l = 0; l < HL_LANES; l++)
            sum[l] = sum[l] * s[l] + c[(k - 1) * ROWS + l];
    memcpy(y, sum, sizeof sum);
}

static void curve_values(const struct hl_stretch *stretch, size_t k, const double *s, double *y)
{
    size_t n;
    const double *c = coefficients(stretch, k, &n);
    double x[HL_LANES];
    clocks_at(slow_of(stretch), s, x);
    values_of(c, n, x, y);
}

static void curve_ends(const struct hl_stretch *stretch, size_t k, double *left, double *right)
{
    size_t n;
    const double *c = coefficients(stretch, k, &n);
    double x[HL_LANES];
    clocks_at(slow_of(stretch), stretch->length, x);
    memcpy(left, c, HL_LANES * sizeof *left);
    values_of(c, n, x, right);
}

HL_CLONES static void area_of(const double *c, size_t n, const double *slow, const double *x, double *area)
{
    double g[(HL_BATCH_MOST_ORDER + 1) * HL_LANES], sum[HL_LANES] = {0};
    memcpy(g, c, HL_LANES * sizeof *g);
    for (size_t k = 1; k < n; k++)
        for (size_t l = 0; l < HL_LANES; l++)
            g[k * HL_LANES + l] = c[k * ROWS + l] + slow[l] * g[(k - 1) * HL_LANES + l];
    for (size_t k = n + LATER; k > n; k--)
        for (size_t l = 0; l < HL_LANES; l++)
            sum[l] = (sum[l] + 1.0 / (double)k) * (slow[l] * x[l]);
    for (size_t l = 0; l < HL_LANES; l++)
        sum[l] *= g[(n - 1) * HL_LANES + l];
    for (size_t k = n; k > 0; k--)
        for (size_t l = 0; l < HL_LANES; l++)
            sum[l] = (sum[l] + g[(k - 1) * HL_LANES + l] * (1.0 / (double)k)) * x[l];
    memcpy(area, sum, sizeof sum);
}

static void curve_area(const struct hl_stretch *stretch, size_t k, const double *s, double *area)
{
    size_t n;
    const double *c = coefficients(stretch, k, &n);
    double x[HL_LANES];
    clocks_at(slow_of(stretch), s, x);
    area_of(c, n, slow_of(stretch), x, area);
}

/* Bernstein coefficients over [0, length]: rows of HL_LANES. */
HL_CLONES static void bernstein(const double *c, size_t n, const double *length, double *b)
{
    double power[HL_LANES], choose = 1;
    for (size_t l = 0; l < HL_LANES; l++)
        power[l] = 1;
    for (size_t k = 0; k < n; k++) {
        for (size_t l = 0; l < HL_LANES; l++) {
            b[k * HL_LANES + l] = c[k * ROWS + l] * power[l] / choose;
            power[l] *= length[l];
        }
        choose *= (double)(n - 1 - k) / (double)(k + 1);
    }
    for (size_t k = 1; k < n; k++)
        for (size_t i = n - 1; i >= k; i--)
            for (size_t l = 0; l < HL_LANES; l++)
                b[i * HL_LANES + l] += b[(i - 1) * HL_LANES + l];
}

HL_CLONES static void extremes(const double *b, size_t n, double *low, double *high)
{
    memcpy(low, b, HL_LANES * sizeof *low);
    memcpy(high, b, HL_LANES * sizeof *high);
    for (size_t k = 1; k < n; k++)
        for (size_t l = 0; l < HL_LANES; l++) {
            double x = b[k * HL_LANES + l];
            low[l] = x < low[l] ? x : low[l];
            high[l] = x > high[l] ? x : high[l];
        }
}

static void curve_bounds(const struct hl_stretch *stretch, size_t k, double *low, double *high)
{
    size_t n;
    const double *c = coefficients(stretch, k, &n);
    double b[(HL_BATCH_MOST_ORDER + 1) * HL_LANES], x[HL_LANES];
    clocks_at(slow_of(stretch), stretch->length, x);
    bernstein(c, n, x, b);
    extremes(b, n, low, high);
    for (size_t l = 0; l < HL_LANES; l++) {
        double size = 0, power = 1, rounding;
        for (size_t i = 0; i < n; i++, power *= x[l])
            size += fabs(c[i * ROWS + l]) * power;
        rounding = (double)n * DBL_EPSILON * size;
        low[l] -= rounding;
        high[l] += rounding;
    }
}

/* ---- Pieces */

/* One lane's polynomial in x as a share of the stretch's, and its turning points. */
struct turns { double c[HL_BATCH_MOST_ORDER + 1]; size_t n; double x[HL_MOST_TURNS]; size_t found; };

static double value_at(const double *c, size_t n, double x)
{
    double y = 0;
    for (size_t k = n; k > 0; k--)
        y = y * x + c[k - 1];
    return y;
}

/* The derivative's changes of sign in [from, to], ascending; d: its Bernstein coefficients there, overwritten. */
static void find_turns(struct turns *t, double *d, size_t n, double from, double to, int depth)
{
    size_t changes = 0;
    double last = 0, sign = 0;
    for (size_t i = 0; i < n; i++)
        if (d[i] != 0) { /* exactly: what is too small has been made so */
            changes += last != 0 && (d[i] > 0) != (last > 0);
            sign = sign == 0 ? d[i] : sign;
            last = d[i];
        }
    if (changes == 0 || t->found == HL_MOST_TURNS)
        return;
    if (changes == 1) {
        double slope[HL_BATCH_MOST_ORDER + 1];
        for (size_t k = 0; k < n; k++)
            slope[k] = (sign > 0 ? 1 : -1) * (double)(k + 1) * t->c[k + 1];
        if (value_at(slope, n, from) >= 0 && value_at(slope, n, to) < 0)
            t->x[t->found++] = hl_batch_root(slope, n, from, to);
        return;
    }
    if (depth == 0)
        return;
    double left[HL_BATCH_MOST_ORDER + 1], middle = 0.5 * (from + to);
    for (size_t k = 0; k < n; k++) {
        left[k] = d[0];
        for (size_t i = 0; i + k + 1 < n; i++)
            d[i] = 0.5 * (d[i] + d[i + 1]);
    }
    find_turns(t, left, n, from, middle, depth - 1);
    find_turns(t, d, n, middle, to, depth - 1);
}

/* Differences of the Bernstein coefficients of lane l; false when all have one sign. */
static bool may_turn(const double *b, size_t n, size_t l, double *d)
{
    double size = 0;
    bool rises = false, falls = false;
    for (size_t i = 0; i < n; i++)
        size = fmax(size, fabs(b[i * HL_LANES + l]));
    for (size_t i = 0; i + 1 < n; i++) {
        d[i] = b[(i + 1) * HL_LANES + l] - b[i * HL_LANES + l];
        d[i] = fabs(d[i]) > FLAT * size ? d[i] : 0;
        rises = rises || d[i] > 0;
        falls = falls || d[i] < 0;
    }
    return rises && falls;
}

/* One lane cut at its turning points: how many pieces. */
static size_t cut(const struct hl_stretch *stretch, const double *c, size_t n, size_t l, double *d, double *at,
                  double *y)
{
    struct turns t = {.n = n};
    double slow = slow_of(stretch)[l], length = stretch->length[l], x = hl_clock_x(length, slow), power = 1;
    for (size_t k = 0; k < n; k++, power *= x)
        t.c[k] = c[k * ROWS + l] * power;
    find_turns(&t, d, n - 1, 0, 1, HALVINGS);
    size_t pieces = 0;
    for (size_t i = 0; i < t.found; i++) {
        double s = hl_clock_s(t.x[i] * x, slow);
        if (!(s > at[pieces * HL_LANES + l] && s < length))
            continue;
        pieces++;
        at[pieces * HL_LANES + l] = s;
        y[pieces * HL_LANES + l] = value_at(t.c, n, t.x[i]);
    }
    return pieces + 1;
}

static size_t curve_pieces(const struct hl_stretch *stretch, size_t k, const double *wanted, double *at, double *y)
{
    size_t n, most = 1, pieces[HL_LANES];
    const double *c = coefficients(stretch, k, &n);
    double b[(HL_BATCH_MOST_ORDER + 1) * HL_LANES], right[HL_LANES], x[HL_LANES];
    clocks_at(slow_of(stretch), stretch->length, x);
    bernstein(c, n, x, b);
    memset(at, 0, HL_LANES * sizeof *at);
    curve_ends(stretch, k, y, right);
    for (size_t l = 0; l < HL_LANES; l++) {
        double d[HL_BATCH_MOST_ORDER + 1];
        bool turns = wanted[l] != 0 && may_turn(b, n, l, d);
        pieces[l] = turns ? cut(stretch, c, n, l, d, at, y) : 1;
        most = pieces[l] > most ? pieces[l] : most;
    }
    for (size_t l = 0; l < HL_LANES; l++)
        for (size_t p = pieces[l]; p <= most; p++) {
            at[p * HL_LANES + l] = stretch->length[l];
            y[p * HL_LANES + l] = right[l];
        }
    return most;
}

/* ---- Crossings */

static double cross(const double *c, size_t n, size_t l, double level, double a, double b, bool rises, double s)
{
    if (!(s > a && s < b))
        s = 0.5 * (a + b);
    for (int round = 0; round < ROUNDS; round++) {
        double y = 0, dy = 0;
        for (size_t k = n; k > 0; k--) {
            dy = dy * s + y;
            y = y * s + c[(k - 1) * ROWS + l];
        }
        y -= level;
        if ((y > 0) == rises)
            b = s;
        else
            a = s;
        double next = dy != 0 ? s - y / dy : 0.5 * (a + b); /* exactly flat */
        next = next > a && next < b ? next : 0.5 * (a + b);
        if (!(next > a && next < b) || fabs(next - s) <= DBL_EPSILON * s)
            return next >= a && next <= b ? next : s;
        s = next;
    }
    return s;
}

static void curve_crossing(const struct hl_stretch *stretch, size_t k, const double *level, const double *from,
                           const double *to, const double *y_from, const double *y_to, const double *wanted, double *s)
{
    size_t n;
    const double *c = coefficients(stretch, k, &n), *slow = slow_of(stretch);
    for (size_t l = 0; l < HL_LANES; l++) {
        if (wanted[l] == 0)
            continue;
        bool guessed = s[l] > from[l] && s[l] < to[l];
        double guess = guessed ? hl_clock_x(s[l], slow[l]) : NAN;
        double x = cross(c, n, l, level[l], hl_clock_x(from[l], slow[l]), hl_clock_x(to[l], slow[l]),
                         y_to[l] > y_from[l], guess);
        s[l] = fmin(fmax(hl_clock_s(x, slow[l]), from[l]), to[l]);
    }
}

const struct hl_stretch_kind hl_batch_curve_kind = {
    .ends = curve_ends,
    .values = curve_values,
    .area = curve_area,
    .bounds = curve_bounds,
    .pieces = curve_pieces,
    .crossing = curve_crossing,
};
