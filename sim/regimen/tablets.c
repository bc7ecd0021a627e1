/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole pieces only. With g the greatest common divisor of the strengths (found in whole millionths, so that 0.125 mg
 * is exact), an amount k g can be made when some (k - w_j) g can, w_j being a strength in units of g: the coin-change
 * recursion, kept as the piece that ends the shortest sum. Most sets make every multiple of g, but 2 and 3 don't
 * make 1.
 *
 * Rounding is half up (clonazepam reference, section 7.1): x between neighbours lo and hi becomes hi when x - lo >= hi
 * - x. A millionth of a unit of slack keeps 0.8125 / 0.125 = 6.5 at the upper side whatever the last bit says. */
#include "regimen/tablets.h"

#include <math.h>
#include <stdint.h>

#include "base/whole.h"

#define RESOLUTION 1e6      /* strengths in whole millionths */
#define SLACK      1e-6     /* of a unit */
#define MOST_UNITS 2000000u /* the table stays below some megabytes */

struct hl_tablets hl_tablets_quantum(double quantum)
{
    return (struct hl_tablets){.unit = quantum};
}

static void sort_pieces(double *piece, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && piece[j] < piece[j - 1]; j--) {
            double swap = piece[j];
            piece[j] = piece[j - 1];
            piece[j - 1] = swap;
        }
}

/* last[k] by dynamic programming; of equally short sums the one that takes the largest piece. */
static void tabulate(struct hl_arena *arena, struct hl_tablets *t)
{
    size_t *shortest = hl_arena_alloc(arena, t->n_units + 1, sizeof *shortest);
    t->last = hl_arena_alloc(arena, t->n_units + 1, sizeof *t->last);
    for (size_t k = 1; k <= t->n_units; k++) {
        t->last[k] = -1;
        for (size_t j = 0; j < t->n_pieces; j++) {
            if (t->weight[j] > k || (k > t->weight[j] && t->last[k - t->weight[j]] < 0))
                continue;
            size_t sum = shortest[k - t->weight[j]] + 1;
            if (t->last[k] >= 0 && sum > shortest[k])
                continue;
            shortest[k] = sum;
            t->last[k] = (int)j;
        }
    }
}

bool hl_tablets_make(struct hl_arena *arena, const double *piece, size_t n, double quantum, double largest,
                     struct hl_tablets *tablets)
{
    struct hl_tablets t = {.n_pieces = n};
    t.piece = hl_arena_alloc(arena, n, sizeof *t.piece);
    t.weight = hl_arena_alloc(arena, n, sizeof *t.weight);
    for (size_t j = 0; j < n; j++)
        t.piece[j] = piece[j];
    sort_pieces(t.piece, n);
    uint64_t common = 0;
    for (size_t j = 0; j < n; j++)
        common = hl_gcd((uint64_t)llround(t.piece[j] * RESOLUTION), common);
    if (common == 0)
        return false;
    t.unit = (double)common / RESOLUTION;
    double n_units = ceil((largest + t.piece[n - 1]) / t.unit) + 1;
    if (n_units > MOST_UNITS)
        return false;
    t.n_units = (size_t)n_units;
    for (size_t j = 0; j < n; j++)
        t.weight[j] = (size_t)((uint64_t)llround(t.piece[j] * RESOLUTION) / common);
    tabulate(arena, &t);
    t.unit_millionths = common;
    t.quantum_millionths = quantum > 0 ? (uint64_t)llround(quantum * RESOLUTION) : 0;
    *tablets = t;
    return true;
}

static bool can_be_made(const struct hl_tablets *t, double k)
{
    if (k < 0)
        return false;
    if (t->n_units == 0 || k == 0)
        return true; /* k is a whole number, so equality is meant */
    if (t->quantum_millionths > 0 && (uint64_t)k * t->unit_millionths % t->quantum_millionths != 0)
        return false;
    return k <= (double)t->n_units && t->last[(size_t)k] >= 0;
}

double hl_tablets_below(const struct hl_tablets *t, double x)
{
    double k = floor(x / t->unit + SLACK);
    if (t->n_units > 0 && k > (double)t->n_units)
        k = (double)t->n_units;
    while (k > 0 && !can_be_made(t, k))
        k--;
    return k > 0 ? k * t->unit : 0;
}

double hl_tablets_above(const struct hl_tablets *t, double x)
{
    double k = ceil(x / t->unit - SLACK);
    if (k < 0)
        k = 0;
    while (t->n_units > 0 && k <= (double)t->n_units && !can_be_made(t, k))
        k++;
    return t->n_units > 0 && k > (double)t->n_units ? INFINITY : k * t->unit;
}

double hl_tablets_nearest(const struct hl_tablets *t, double x)
{
    double low = hl_tablets_below(t, x), high = hl_tablets_above(t, x);
    return x - low >= high - x - SLACK * t->unit ? high : low;
}

bool hl_tablets_pieces(const struct hl_tablets *t, double x, size_t *count)
{
    for (size_t j = 0; j < t->n_pieces; j++)
        count[j] = 0;
    double k = round(x / t->unit);
    if (!(fabs(x / t->unit - k) <= SLACK) || !can_be_made(t, k) || t->n_units == 0)
        return false;
    for (size_t rest = (size_t)k; rest > 0; rest -= t->weight[t->last[rest]])
        count[t->last[rest]]++;
    return true;
}
