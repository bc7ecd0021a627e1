/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Written so that a compiler finds the vectors: eight accumulators side by side instead of one, so that the order of
 * operations is the same however wide the machine is. A choice a < b ? a : b is one instruction (min), without the
 * rules of fmin for NaN, which are not needed here. */
#include "measure/columns.h"

#include <math.h>
#include <stdint.h>

#include "base/vector.h"
#include "measure/measure.h"

#define WIDE 8

typedef double four __attribute__((vector_size(4 * sizeof(double)), aligned(8)));
typedef int64_t four_bits __attribute__((vector_size(4 * sizeof(int64_t))));

HL_CLONES void hl_range(const double *x, size_t n, double *low, double *high)
{
    double least[WIDE], most[WIDE];
    for (size_t k = 0; k < WIDE; k++)
        least[k] = most[k] = x[0];
    size_t i = 0;
    for (; i + WIDE <= n; i += WIDE)
        for (size_t k = 0; k < WIDE; k++) {
            least[k] = x[i + k] < least[k] ? x[i + k] : least[k];
            most[k] = x[i + k] > most[k] ? x[i + k] : most[k];
        }
    for (; i < n; i++) {
        least[0] = x[i] < least[0] ? x[i] : least[0];
        most[0] = x[i] > most[0] ? x[i] : most[0];
    }
    for (size_t k = 1; k < WIDE; k++) {
        least[0] = least[k] < least[0] ? least[k] : least[0];
        most[0] = most[k] > most[0] ? most[k] : most[0];
    }
    *low = least[0];
    *high = most[0];
}

/* Four at a time: of comparisons of eight, gcc 12 makes masks that it then takes apart. */
HL_CLONES size_t hl_count_greater(const double *x, size_t n, double level)
{
    four least = {level, level, level, level};
    four_bits first = {0}, second = {0};
    int64_t more = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        first -= *(const four *)(const void *)(x + i) > least;
        second -= *(const four *)(const void *)(x + i + 4) > least;
    }
    for (; i < n; i++)
        more += x[i] > level;
    first += second;
    return (size_t)(more + first[0] + first[1] + first[2] + first[3]);
}

/* A value lies in one of several disjoint brackets where an odd number of their ends is below it. */
HL_CLONES size_t hl_keep_inside(double *x, size_t n, const double *end, size_t n_ends)
{
    size_t left = 0, i = 0;
    for (; i + 4 <= n; i += 4) {
        four values = *(const four *)(const void *)(x + i);
        four_bits inside = {0};
        for (size_t e = 0; e < n_ends; e++) {
            four level = {end[e], end[e], end[e], end[e]};
            inside ^= values > level;
        }
        for (size_t k = 0; k < 4; k++) {
            x[left] = values[k];
            left -= (size_t)inside[k];
        }
    }
    for (; i < n; i++) {
        size_t inside = 0;
        for (size_t e = 0; e < n_ends; e++)
            inside ^= x[i] > end[e];
        x[left] = x[i];
        left += inside;
    }
    return left;
}

HL_CLONES void hl_cells(const double *x, size_t n, double low, double scale, int *cell)
{
    size_t i = 0;
    for (; i + WIDE <= n; i += WIDE)
        for (size_t k = 0; k < WIDE; k++)
            cell[i + k] = (int)((x[i + k] - low) * scale);
    for (; i < n; i++)
        cell[i] = (int)((x[i] - low) * scale);
}

HL_CLONES void hl_times_moments(const double *rows, size_t n, double *mean, double *sd, int *count)
{
    double sum[HL_TIMES] = {0}, squares[HL_TIMES] = {0}, counted[HL_TIMES] = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < HL_TIMES; t++) { /* x == x: not NaN; adding 0 leaves a sum as it is */
            double x = rows[i * HL_TIMES + t];
            sum[t] += x == x ? x : 0.0;
            counted[t] += x == x ? 1.0 : 0.0;
        }
    for (size_t t = 0; t < HL_TIMES; t++)
        mean[t] = counted[t] > 0 ? sum[t] / counted[t] : (double)NAN;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < HL_TIMES; t++) {
            double x = rows[i * HL_TIMES + t], off = x == x ? x - mean[t] : 0.0;
            squares[t] += off * off;
        }
    for (size_t t = 0; t < HL_TIMES; t++) {
        count[t] = (int)counted[t];
        sd[t] = count[t] > 1 ? sqrt(squares[t] / (counted[t] - 1)) : (double)NAN;
    }
}

void hl_times_column(const double *rows, size_t n, size_t t, double *column)
{
    for (size_t i = 0; i < n; i++)
        column[i] = rows[i * HL_TIMES + t];
}

/* Squares around the mean of all so far from those around the means of the two parts: Chan, Golub and LeVeque, Am Stat
 * 1983;37:242. */
void hl_moments_join(struct hl_moments *m, size_t n, double sum, double squares)
{
    if (n == 0)
        return;
    if (m->n > 0) {
        double off = sum / (double)n - m->sum / (double)m->n;
        squares += off * off * ((double)m->n * (double)n / (double)(m->n + n));
    }
    m->squares += squares;
    m->sum += sum;
    m->n += n;
}

void hl_moments_take(const struct hl_moments *m, double *mean, double *sd, int *number)
{
    *number = (int)m->n;
    *mean = m->n > 0 ? m->sum / (double)m->n : (double)NAN;
    *sd = m->n > 1 ? sqrt(m->squares / (double)(m->n - 1)) : (double)NAN;
}
