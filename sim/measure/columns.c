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

typedef double eight __attribute__((vector_size(WIDE * sizeof(double)), aligned(8)));
typedef int64_t eight_bits __attribute__((vector_size(WIDE * sizeof(int64_t))));

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

HL_CLONES size_t hl_count_greater(const double *x, size_t n, double level)
{
    eight least = {level, level, level, level, level, level, level, level};
    eight_bits greater = {0};
    int64_t more = 0;
    size_t i = 0;
    for (; i + WIDE <= n; i += WIDE)
        greater -= *(const eight *)(const void *)(x + i) > least;
    for (; i < n; i++)
        more += x[i] > level;
    for (size_t k = 0; k < WIDE; k++)
        more += greater[k];
    return (size_t)more;
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
