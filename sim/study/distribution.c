/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With z standard normal and u = Phi(z), x = F^-1(u) has the distribution F:
 *
 *     normal      x = mean + sd z              lognormal   x = median exp(sd z), sd on the log scale
 *     uniform     x = low + (high - low) u     categorical the class whose cumulated probability first reaches u
 *
 * Truncation to [a, b] maps u into [F(a), F(b)]. On the normal scale this is done in the tail that is small: an
 * interval above zero is reflected, because Phi close to 1 has no digits left to tell 8 from 9 standard deviations.
 * A draw that rounding would carry past a limit is put on it. */
#include "study/distribution.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define PROBABILITY_SUM_TOLERANCE 1e-9  /* decimal fractions such as 1/3 written with ten digits still pass */
#define LEAST_SHARE               1e-12 /* limits that leave less of a distribution than this are a mistake */

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Standard normal restricted to [a, b], at the probability Phi(z) within it. */
static double truncated_score(double z, double a, double b)
{
    if (a > 0.0)
        return -truncated_score(-z, -b, -a);
    double below = gsl_cdf_ugaussian_P(a), up_to = gsl_cdf_ugaussian_P(b);
    return clamp(gsl_cdf_ugaussian_Pinv(below + gsl_cdf_ugaussian_P(z) * (up_to - below)), a, b);
}

/* P(a <= Z <= b) of a standard normal, without cancellation in the upper tail. */
static double normal_mass(double a, double b)
{
    if (!(a < b))
        return 0.0;
    return a > 0.0 ? gsl_cdf_ugaussian_Q(a) - gsl_cdf_ugaussian_Q(b) : gsl_cdf_ugaussian_P(b) - gsl_cdf_ugaussian_P(a);
}

static double lowest(const struct hl_distribution *d)
{
    return d->truncated ? d->low : -INFINITY;
}

static double highest(const struct hl_distribution *d)
{
    return d->truncated ? d->high : INFINITY;
}

/* x on the standard normal scale of a normal or lognormal distribution with a spread. */
static double score(const struct hl_distribution *d, double x)
{
    if (d->kind == HL_DIST_NORMAL)
        return (x - d->a) / d->b;
    return x <= 0.0 ? -INFINITY : log(x / d->a) / d->b;
}

static double at_score(const struct hl_distribution *d, double z)
{
    return d->kind == HL_DIST_NORMAL ? d->a + d->b * z : d->a * exp(d->b * z);
}

static double bell_value(const struct hl_distribution *d, double z)
{
    if (!(d->b > 0.0))
        return d->a;
    if (!d->truncated)
        return at_score(d, z);
    return clamp(at_score(d, truncated_score(z, score(d, d->low), score(d, d->high))), d->low, d->high);
}

static double uniform_value(const struct hl_distribution *d, double z)
{
    double low = fmax(d->a, lowest(d)), high = fmin(d->b, highest(d));
    return clamp(low + (high - low) * gsl_cdf_ugaussian_P(z), low, high);
}

/* The last class with a probability takes what rounding leaves over. */
static double class_value(const struct hl_distribution *d, double z)
{
    double u = gsl_cdf_ugaussian_P(z), sum = 0.0;
    size_t last = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->probability[i] > 0.0)
            last = i;
        sum += d->probability[i];
        if (u < sum)
            return (double)i;
    }
    return (double)last;
}

double hl_distribution_value(const struct hl_distribution *d, double z)
{
    switch (d->kind) {
    case HL_DIST_NORMAL:
    case HL_DIST_LOGNORMAL:
        return bell_value(d, z);
    case HL_DIST_UNIFORM:
        return uniform_value(d, z);
    case HL_DIST_CATEGORICAL:
        return class_value(d, z);
    default:
        return d->a;
    }
}

/* Share of the distribution without its limits. */
static double mass(const struct hl_distribution *d, double low, double high)
{
    if (!(low <= high))
        return 0.0;
    if (d->kind == HL_DIST_UNIFORM)
        return fmax(0.0, (fmin(high, d->b) - fmax(low, d->a)) / (d->b - d->a));
    if (d->b > 0.0)
        return normal_mass(score(d, low), score(d, high));
    return low <= d->a && d->a <= high ? 1.0 : 0.0;
}

static double share_of_rows(const struct hl_distribution *d, double low, double high)
{
    size_t inside = 0;
    for (size_t i = 0; i < d->n; i++)
        inside += d->value[i] >= low && d->value[i] <= high;
    return d->n ? (double)inside / (double)d->n : 0.0;
}

static double share_of_classes(const struct hl_distribution *d, double low, double high)
{
    double sum = 0.0;
    for (size_t i = 0; i < d->n; i++)
        if ((double)i >= low && (double)i <= high)
            sum += d->probability[i];
    return sum;
}

double hl_distribution_share(const struct hl_distribution *d, double low, double high)
{
    if (d->kind == HL_DIST_FIXED)
        return d->a >= low && d->a <= high ? 1.0 : 0.0;
    if (d->kind == HL_DIST_CSV)
        return share_of_rows(d, low, high);
    if (d->kind == HL_DIST_CATEGORICAL)
        return share_of_classes(d, low, high);
    double whole = mass(d, lowest(d), highest(d));
    return whole > 0.0 ? mass(d, fmax(low, lowest(d)), fmin(high, highest(d))) / whole : 0.0;
}

static bool check_classes(const struct hl_distribution *d, const char *name, struct hl_diag *diag)
{
    double sum = 0.0;
    for (size_t i = 0; i < d->n; i++) {
        if (!(d->probability[i] >= 0.0)) {
            hl_diag_error(diag, d->pos, "a probability of %s is negative", name);
            return false;
        }
        sum += d->probability[i];
    }
    if (fabs(sum - 1.0) <= PROBABILITY_SUM_TOLERANCE)
        return true;
    hl_diag_error(diag, d->pos, "the probabilities of %s sum to %.10g; they must sum to 1 (100 %%)", name, sum);
    return false;
}

static bool check_shape(const struct hl_distribution *d, const char *name, struct hl_diag *diag)
{
    if (d->kind == HL_DIST_UNIFORM) {
        if (d->a < d->b)
            return true;
        hl_diag_error(diag, d->pos, "the interval of %s is empty; write the lower end first", name);
        return false;
    }
    if (!(d->b >= 0.0))
        hl_diag_error(diag, d->pos, "the standard deviation of %s is negative", name);
    else if (d->kind == HL_DIST_LOGNORMAL && !(d->a > 0.0))
        hl_diag_error(diag, d->pos, "the median of %s must be above 0: a lognormal quantity is positive", name);
    else
        return true;
    return false;
}

bool hl_distribution_check(const struct hl_distribution *d, const char *name, struct hl_diag *diag)
{
    if (d->kind == HL_DIST_CATEGORICAL)
        return check_classes(d, name, diag);
    if (d->kind == HL_DIST_CSV && d->n == 0) {
        hl_diag_error(diag, d->pos, "the table for %s has no rows", name);
        return false;
    }
    if (d->kind == HL_DIST_FIXED || d->kind == HL_DIST_CSV)
        return true;
    if (!check_shape(d, name, diag))
        return false;
    if (d->truncated && !(d->low < d->high)) {
        hl_diag_error(diag, d->pos, "within: of %s is empty; write the lower limit first", name);
        return false;
    }
    if (d->truncated && mass(d, d->low, d->high) < LEAST_SHARE) {
        hl_diag_error(diag, d->pos,
                      "within: of %s lies outside its distribution: practically nobody would be left; widen "
                      "it or move the distribution",
                      name);
        return false;
    }
    return true;
}
