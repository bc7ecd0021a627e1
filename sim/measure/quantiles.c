/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Across the cohort at one time. Quantiles are Hyndman & Fan's type 7 (Am Stat 1996;50:361, the default of R and NumPy):
 * with x sorted and h = (n - 1) p, the quantile is x[floor(h)] + (h - floor(h)) (x[floor(h) + 1] - x[floor(h)]).
 * Mean and variance take two passes, in order of subject, so that they don't depend on how the cohort was computed. */
#include <math.h>
#include <stdlib.h>

#include "measure/measure.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t drop_nan(double *values, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            values[kept++] = values[i];
    return kept;
}

static double type7(const double *sorted, size_t n, double probability)
{
    double h = (double)(n - 1) * probability;
    size_t below = (size_t)floor(h);
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (h - (double)below) * (sorted[below + 1] - sorted[below]);
}

void hl_quantiles(double *values, size_t n, const double *probability, size_t n_probabilities, double *result)
{
    size_t kept = drop_nan(values, n);
    qsort(values, kept, sizeof *values, ascending);
    for (size_t i = 0; i < n_probabilities; i++)
        result[i] = kept ? type7(values, kept, probability[i]) : (double)NAN;
}

void hl_cohort_moments(const double *values, size_t n, double *mean, double *sd, int *count)
{
    double sum = 0, squares = 0;
    int counted = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) {
            sum += values[i];
            counted++;
        }
    *count = counted;
    *mean = counted ? sum / counted : (double)NAN;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            squares += (values[i] - *mean) * (values[i] - *mean);
    *sd = counted > 1 ? sqrt(squares / (counted - 1)) : (double)NAN;
}

double hl_cohort_fraction_above(const double *values, size_t n, double threshold)
{
    size_t counted = 0, above = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) {
            counted++;
            above += values[i] > threshold;
        }
    return counted ? (double)above / (double)counted : (double)NAN;
}
