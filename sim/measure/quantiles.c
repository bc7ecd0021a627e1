/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Across the cohort at one time. Quantiles are Hyndman & Fan's type 7 (Am Stat 1996;50:361, the default of R and
 * NumPy): with x sorted and h = (n - 1) p, the quantile is
 *     x[floor(h)] + (h - floor(h)) (x[floor(h) + 1] - x[floor(h)]).
 * Only the ranks that are asked for are put in their place (Hoare's selection, CACM 1961;4:321, for several ranks at
 * once): for five quantiles of a thousand subjects that is some five times quicker than sorting.
 * Mean and variance take two passes, in order of subject, so that they don't depend on how the cohort was computed. */
#include <math.h>

#include "measure/measure.h"

static size_t drop_nan(double *values, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            values[kept++] = values[i];
    return kept;
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

#define FEW 16 /* so many are sorted outright */

static void sort_few(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && x[k - 1] > x[k]; k--)
            swap(&x[k - 1], &x[k]);
}

static double median_of_three(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Parts x around a value of its own: afterwards x[i] <= x[k] for all i < *left and k >= *left, and all of
 * x[*left .. *right - 1] equal that value. */
static void part(double *x, size_t n, size_t *left, size_t *right)
{
    double pivot = median_of_three(x[0], x[n / 2], x[n - 1]);
    size_t low = 0, high = n, i = 0;
    while (i < high) {
        if (x[i] < pivot)
            swap(&x[i++], &x[low++]);
        else if (x[i] > pivot)
            swap(&x[i], &x[--high]);
        else
            i++;
    }
    *left = low;
    *right = high;
}

/* Puts x[rank[k] - offset] in its sorted place for n_ranks ascending ranks, all in [offset, offset + n). */
static void select_ranks(double *x, size_t n, size_t offset, const size_t *rank, size_t n_ranks)
{
    while (n_ranks > 0 && n > FEW) {
        size_t left, right, below = 0, above = n_ranks;
        part(x, n, &left, &right);
        while (below < n_ranks && rank[below] < offset + left)
            below++;
        while (above > 0 && rank[above - 1] >= offset + right)
            above--;
        select_ranks(x, left, offset, rank, below);
        x += right;
        n -= right;
        offset += right;
        rank += above;
        n_ranks -= above;
    }
    if (n_ranks > 0)
        sort_few(x, n);
}

static double type7(const double *x, size_t n, double probability)
{
    double h = (double)(n - 1) * probability;
    size_t below = (size_t)floor(h);
    if (below + 1 >= n)
        return x[n - 1];
    return x[below] + (h - (double)below) * (x[below + 1] - x[below]);
}

/* The ranks that n_probabilities quantiles of n values look at, ascending and distinct; probabilities needn't be. */
static size_t ranks_of(size_t n, const double *probability, size_t n_probabilities, size_t *rank)
{
    size_t count = 0;
    for (size_t i = 0; i < n_probabilities; i++) {
        size_t below = (size_t)floor((double)(n - 1) * probability[i]);
        for (size_t k = below; k <= below + 1 && k < n; k++)
            rank[count++] = k;
    }
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && rank[k - 1] > rank[k]; k--) {
            size_t t = rank[k];
            rank[k] = rank[k - 1];
            rank[k - 1] = t;
        }
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++)
        if (distinct == 0 || rank[i] != rank[distinct - 1])
            rank[distinct++] = rank[i];
    return distinct;
}

#define AT_ONCE 64 /* quantiles taken in one selection */

void hl_quantiles(double *values, size_t n, const double *probability, size_t n_probabilities, double *result)
{
    size_t kept = drop_nan(values, n), rank[2 * AT_ONCE];
    for (size_t first = 0; first < n_probabilities; first += AT_ONCE) {
        size_t count = n_probabilities - first < AT_ONCE ? n_probabilities - first : AT_ONCE;
        if (kept)
            select_ranks(values, kept, 0, rank, ranks_of(kept, probability + first, count, rank));
        for (size_t i = first; i < first + count; i++)
            result[i] = kept ? type7(values, kept, probability[i]) : (double)NAN;
    }
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
