/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a step adds to the statistics. Between the ends of a step, where nothing arrives, the output is the cubic with
 * their values and slopes (Hermite), on u = (t - t0)/h in [0, 1]:
 *     y(u) = y0 + u (a + u (b + u c)),   a = h s0,  b = 3 d - 2 h s0 - h s1,  c = h s0 + h s1 - 2 d,  d = y1 - y0.
 * Peak: its largest value; inside only where it rises at the beginning and falls at the end. Hours and area above a
 * threshold: of the whole step when both ends are at or above it, between the crossings otherwise. They never fall. */
#include <math.h>

#include "taper/forecast_parts.h"

#define LANES HL_FORECAST_LANES

struct cubic { double y0, a, b, c; };

static struct cubic cubic_of(double h, double y0, double s0, double y1, double s1)
{
    double d = y1 - y0, p = h * s0, q = h * s1;
    return (struct cubic){y0, p, 3 * d - 2 * p - q, p + q - 2 * d};
}

static inline double value(const struct cubic *k, double u)
{
    return k->y0 + u * (k->a + u * (k->b + u * k->c));
}

/* Integral of y - level from 0 to u. */
static double area(const struct cubic *k, double level, double u)
{
    return u * ((k->y0 - level) + u * (k->a / 2 + u * (k->b / 3 + u * (k->c / 4))));
}

/* Where the slope a + 2 b u + 3 c u^2 passes from above zero to below: a > 0 at 0, negative at 1. The root of the form
 * without cancellation. */
static double summit(const struct cubic *k)
{
    double root = sqrt(fmax(0, k->b * k->b - 3 * k->a * k->c)), below = root - k->b;
    double u = below > 0 ? k->a / below : 1;
    return fmin(fmax(u, 0), 1);
}

/* Where y passes level between u = low (at or above it when falls) and high. */
static double crossing(const struct cubic *k, double level, double low, double high, bool falls)
{
    for (int i = 0; i < 40; i++) { /* to 1e-12 of a step */
        double middle = 0.5 * (low + high);
        if ((value(k, middle) >= level) == falls)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

static double peak(double so_far, double h, double y0, double s0, double y1, double s1)
{
    if (!(y1 <= so_far))
        so_far = isnan(y1) ? INFINITY : y1;
    if (!(s0 > 0 && s1 < 0) || fmax(y0, y1) + 4.0 / 27.0 * h * (s0 - s1) <= so_far)
        return so_far;
    struct cubic k = cubic_of(h, y0, s0, y1, s1);
    return fmax(so_far, value(&k, summit(&k)));
}

/* Begin and end of the part of a step that is above the level; false when there is none. */
static bool part_above(const struct cubic *k, double level, double s0, double y1, double s1, double *from, double *to)
{
    bool first = k->y0 >= level, last = y1 >= level;
    double top = !first && !last && s0 > 0 && s1 < 0 ? summit(k) : 0;
    *from = 0;
    *to = 1;
    if (!first && !last) {
        if (!(value(k, top) > level))
            return false;
        *from = crossing(k, level, 0, top, false);
        *to = crossing(k, level, top, 1, true);
    } else if (!first)
        *from = crossing(k, level, 0, 1, false);
    else if (!last)
        *to = crossing(k, level, 0, 1, true);
    return true;
}

static double above(const struct hl_taper_constraint *c, double so_far, double h, double y0, double s0, double y1,
                    double s1)
{
    double level = c->threshold, from, to;
    if (isnan(y1))
        return INFINITY;
    if (y0 < level && y1 < level && !(s0 > 0 && s1 < 0))
        return so_far;
    struct cubic k = cubic_of(h, y0, s0, y1, s1);
    if (!part_above(&k, level, s0, y1, s1, &from, &to))
        return so_far;
    if (c->statistic == HL_TAPER_HOURS_ABOVE)
        return so_far + h * (to - from);
    return so_far + h * fmax(0, area(&k, level, to) - area(&k, level, from));
}

void hl_forecast_statistics(const struct hl_taper_problem *problem, double h, const double *y, const double *s,
                            const double *y1, const double *s1, double *statistic)
{
    for (size_t c = 0; c < problem->n_constraints; c++) {
        const struct hl_taper_constraint *constraint = &problem->constraint[c];
        const double *a = ROW_OF(y, c), *sa = ROW_OF(s, c), *b = ROW_OF(y1, c), *sb = ROW_OF(s1, c);
        double *so_far = ROW_OF(statistic, c);
        if (constraint->statistic == HL_TAPER_MOMENT) /* the cohort's: forecast_moment.c */
            continue;
        if (constraint->statistic == HL_TAPER_PEAK)
            for (size_t l = 0; l < LANES; l++)
                so_far[l] = peak(so_far[l], h, a[l], sa[l], b[l], sb[l]);
        else
            for (size_t l = 0; h > 0 && l < LANES; l++)
                so_far[l] = above(constraint, so_far[l], h, a[l], sa[l], b[l], sb[l]);
    }
}
