/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Across the cohort at one time. Quantiles are Hyndman & Fan's type 7 (Am Stat 1996;50:361, the default of R and
 * NumPy): with x sorted and h = (n - 1) p, the quantile is
 *     x[floor(h)] + (h - floor(h)) (x[floor(h) + 1] - x[floor(h)]).
 * Only the ranks that are asked for are put in their place. The values are first counted into cells of equal width
 * between the least and the largest; a cell is a monotone function of the value, rounding included, so whatever lies
 * in a cell without a wanted rank can be left out, and only its number counts. The few values that are kept go through
 * Hoare's selection (CACM 1961;4:321, for several ranks at once), which also serves where cells don't help: few
 * values, infinite ones, spans that overflow. The result is exact either way.
 * Mean and variance take two passes, in order of subject, so that they don't depend on how the cohort was computed. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "measure/columns.h"
#include "measure/measure.h"

static size_t drop_nan(double *values, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        values[kept] = values[i];
        kept += isnan(values[i]) ? 0 : 1;
    }
    return kept;
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

#define AT_ONCE 64 /* quantiles taken in one pass */
#define FEW 16     /* so many are sorted outright */

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

#define CELLS 512      /* a table of them stays in the first-level cache */
#define WORTHWHILE 128 /* fewer values are quicker selected directly */
#define PIECE 256      /* values whose cells are computed together */

/* The values from low to high, in cells of equal width. */
struct cells { double low, scale; };

/* False where cells can't be computed, or would hold everything in one. */
static bool cells_init(struct cells *cells, const double *x, size_t n)
{
    double low, high;
    hl_range(x, n, &low, &high);
    *cells = (struct cells){low, (CELLS - 1) / (high - low)};
    return isfinite(low) && isfinite(high) && isfinite(high - low) && isfinite(cells->scale);
}

/* Leaves out all values in cells without a wanted rank, those in the others keep their order. Ranks are renumbered to
 * the values that are kept; returns their number. */
static size_t keep_cells(const struct cells *cells, double *x, size_t n, size_t *rank, size_t n_ranks)
{
    int cell[PIECE], count[CELLS] = {0};
    unsigned char wanted[CELLS] = {0};
    for (size_t i = 0; i < n; i += PIECE) {
        size_t piece = n - i < PIECE ? n - i : PIECE;
        hl_cells(x + i, piece, cells->low, cells->scale, cell);
        for (size_t k = 0; k < piece; k++)
            count[cell[k]]++;
    }
    size_t before = 0, left_out = 0, next = 0; /* values of earlier cells; those among them not kept */
    for (size_t c = 0; c < CELLS && next < n_ranks; c++) {
        size_t end = before + (size_t)count[c];
        wanted[c] = rank[next] < end;
        left_out += wanted[c] ? 0 : (size_t)count[c];
        for (; next < n_ranks && rank[next] < end; next++)
            rank[next] -= left_out;
        before = end;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i += PIECE) {
        size_t piece = n - i < PIECE ? n - i : PIECE;
        hl_cells(x + i, piece, cells->low, cells->scale, cell);
        for (size_t k = 0; k < piece; k++) {
            x[kept] = x[i + k];
            kept += wanted[cell[k]];
        }
    }
    return kept;
}

void hl_take_ranks(double *x, size_t n, const size_t *rank, size_t n_ranks, double *ordered)
{
    size_t place[2 * AT_ONCE];
    struct cells cells;
    if (n_ranks > 2 * AT_ONCE) { /* nothing is left out then */
        select_ranks(x, n, 0, rank, n_ranks);
        for (size_t i = 0; i < n_ranks; i++)
            ordered[i] = x[rank[i]];
        return;
    }
    memcpy(place, rank, n_ranks * sizeof *place);
    for (size_t before = SIZE_MAX; n >= WORTHWHILE && n < before / 2 && cells_init(&cells, x, n);) {
        before = n; /* again while it helps: outliers leave most of the values in few cells */
        n = keep_cells(&cells, x, n, place, n_ranks);
    }
    select_ranks(x, n, 0, place, n_ranks);
    for (size_t i = 0; i < n_ranks; i++)
        ordered[i] = x[place[i]];
}

/* The value of a rank that is among those taken. */
static double value_of(size_t wanted, const size_t *rank, const double *ordered)
{
    while (*rank != wanted) {
        rank++;
        ordered++;
    }
    return *ordered;
}

/* Zero has no sign: which of two equal ones is found depends on the way of looking. */
double hl_type7(size_t n, double probability, double below, double above)
{
    double h = (double)(n - 1) * probability;
    if ((size_t)floor(h) + 1 >= n)
        return below + 0.0;
    return below + (h - floor(h)) * (above - below) + 0.0;
}

static double type7(size_t n, double probability, const size_t *rank, const double *ordered)
{
    size_t below = (size_t)floor((double)(n - 1) * probability), next = below + 1 < n ? below + 1 : n - 1;
    return hl_type7(n, probability, value_of(below < n ? below : n - 1, rank, ordered),
                    value_of(next, rank, ordered));
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

/* Up to AT_ONCE quantiles of n values without NaN. */
static void few_quantiles(double *x, size_t n, const double *probability, size_t n_probabilities, double *result)
{
    size_t rank[2 * AT_ONCE], n_ranks = ranks_of(n, probability, n_probabilities, rank);
    double ordered[2 * AT_ONCE];
    hl_take_ranks(x, n, rank, n_ranks, ordered);
    for (size_t i = 0; i < n_probabilities; i++)
        result[i] = type7(n, probability[i], rank, ordered);
}

/* More than can be taken at once: one after another, without leaving anything out. */
static void many_quantiles(double *x, size_t n, const double *probability, size_t n_probabilities, double *result)
{
    for (size_t i = 0; i < n_probabilities; i++) {
        size_t rank[2], n_ranks = ranks_of(n, probability + i, 1, rank);
        select_ranks(x, n, 0, rank, n_ranks);
        double ordered[2] = {x[rank[0]], x[rank[n_ranks - 1]]};
        result[i] = type7(n, probability[i], rank, ordered);
    }
}

void hl_quantiles(double *values, size_t n, const double *probability, size_t n_probabilities, double *result)
{
    size_t kept = drop_nan(values, n);
    if (kept == 0)
        for (size_t i = 0; i < n_probabilities; i++)
            result[i] = (double)NAN;
    else if (n_probabilities <= AT_ONCE)
        few_quantiles(values, kept, probability, n_probabilities, result);
    else
        many_quantiles(values, kept, probability, n_probabilities, result);
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
