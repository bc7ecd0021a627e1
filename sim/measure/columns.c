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

#define FLAGS 64 /* values at a time, in order of subject whatever the block or the thread */

typedef double eight __attribute__((vector_size(WIDE * sizeof(double)), aligned(8)));
typedef int64_t eight_bits __attribute__((vector_size(WIDE * sizeof(int64_t)), aligned(8)));

#define INLINE static inline __attribute__((always_inline))

/* Eight values from anywhere; vectors go by address, so that no calling convention depends on the instruction set. */
INLINE const eight *at(const double *values)
{
    return (const eight *)(const void *)values;
}

/* What is true is -1. */
INLINE size_t count(const eight_bits *flags)
{
    int64_t n = 0;
    for (size_t k = 0; k < WIDE; k++)
        n -= (*flags)[k];
    return (size_t)n;
}

INLINE double total(const eight *x)
{
    double sum = 0;
    for (size_t k = 0; k < WIDE; k++)
        sum += (*x)[k];
    return sum;
}

/* The number and the sum of 64 values that are numbers; then squares around their mean. */
HL_CLONES size_t hl_piece_moments(const double *values, double *sum, double *squares)
{
    eight sums = {0}, spread = {0};
    eight_bits numbers = {0};
    for (size_t i = 0; i < FLAGS; i += WIDE) {
        eight x = *at(values + i);
        eight_bits known = x == x;
        sums += (eight)((eight_bits)x & known);
        numbers += known;
    }
    size_t n = count(&numbers);
    *sum = total(&sums);
    double mean = n > 0 ? *sum / (double)n : 0;
    eight around = {mean, mean, mean, mean, mean, mean, mean, mean};
    for (size_t i = 0; i < FLAGS; i += WIDE) {
        eight x = *at(values + i);
        eight_bits known = x == x;
        eight off = (eight)((eight_bits)(x - around) & known);
        spread += off * off;
    }
    *squares = total(&spread);
    return n;
}

/* Squares around the mean of all so far from those around the means of the two parts: Chan, Golub and LeVeque, Am Stat
 * 1983;37:242. */
size_t hl_moments_add(struct hl_moments *m, const double *values)
{
    double sum, squares;
    size_t n = hl_piece_moments(values, &sum, &squares);
    if (n == 0)
        return 0;
    if (m->n > 0) {
        double off = sum / (double)n - m->sum / (double)m->n;
        squares += off * off * ((double)m->n * (double)n / (double)(m->n + n));
    }
    m->squares += squares;
    m->sum += sum;
    m->n += n;
    return n;
}

void hl_moments_take(const struct hl_moments *m, double *mean, double *sd, int *number)
{
    *number = (int)m->n;
    *mean = m->n > 0 ? m->sum / (double)m->n : (double)NAN;
    *sd = m->n > 1 ? sqrt(m->squares / (double)(m->n - 1)) : (double)NAN;
}

HL_CLONES size_t hl_count_above(const double *values, double threshold)
{
    eight level = {threshold, threshold, threshold, threshold, threshold, threshold, threshold, threshold};
    eight_bits above = {0};
    for (size_t i = 0; i < FLAGS; i += WIDE)
        above += *at(values + i) > level;
    return count(&above);
}

HL_CLONES void hl_bracket(const double *values, double low, double high, size_t *above, size_t *inside, int64_t *keep)
{
    eight least = {low, low, low, low, low, low, low, low}, most = {high, high, high, high, high, high, high, high};
    eight_bits greater = {0}, within = {0};
    for (size_t i = 0; i < FLAGS; i += WIDE) {
        eight x = *at(values + i);
        eight_bits more = x > least, in = more & (x <= most);
        greater += more;
        within += in;
        *(eight_bits *)(void *)(keep + i) |= in;
    }
    *above = count(&greater);
    *inside = count(&within);
}
