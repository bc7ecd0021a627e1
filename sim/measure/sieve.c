/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of eight subjects in four columns are loaded and turned round, so that a vector holds one subject's value in
 * each of four columns: whatever is summed, counted or compared then runs down the subjects, in the same order on every
 * machine, and never across a vector.
 *
 * Mean and squares around it are formed for eight subjects at a time, in two passes over registers, and joined to those
 * of the eight before (Chan, Golub and LeVeque, Am Stat 1983;37:242): of parts a and b, with d the difference of their
 * means,
 *     S = S_a + S_b + d^2 n_a n_b / (n_a + n_b).
 * Eight, because a block has a multiple of eight subjects: sums don't depend on its size.
 *
 * Where a value lies in a bracket, a bit is set; the few values whose bits are set are then picked from the block. */
#include "measure/sieve.h"

#include <stdbool.h>

#include "base/four.h"
#include "base/vector.h"

#define EIGHT 8
#define TILE HL_SIEVE_TILE

typedef hl_four four; /* one of each column */
typedef int64_t four_bits __attribute__((vector_size(TILE * sizeof(int64_t)), aligned(8)));

#define INLINE static inline __attribute__((always_inline))

INLINE four *row(double *x)
{
    return (four *)(void *)x;
}

INLINE const four *known_row(const double *x)
{
    return (const four *)(const void *)x;
}

INLINE void sum_of_eight(const four *x, four *sum)
{
    *sum = ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/* Of four columns: how many numbers, their sum, squares around their mean. */
struct moments { four count, sum, squares; };

/* value where the mask is set, else other. */
INLINE void choose(const four_bits *mask, const four *value, const four *other, four *result)
{
    *result = (four)(((four_bits)*value & *mask) | ((four_bits)*other & ~*mask));
}

INLINE void mean_of(const four *sum, const four *count, four *mean)
{
    four one = {1, 1, 1, 1}, divisor;
    four_bits some = *count > 0;
    choose(&some, count, &one, &divisor);
    *mean = *sum / divisor;
}

/* Whether any of four columns has NaN (or values that can't be summed up). */
INLINE bool has_nan(const four *x)
{
    double sum = ((*x)[0] + (*x)[1]) + ((*x)[2] + (*x)[3]);
    return sum != sum;
}

/* Eight subjects alone, some of which may be NaN. */
INLINE void eight_with_nan(const four *x, struct moments *m, four *mean)
{
    four number[EIGHT], flag[EIGHT], square[EIGHT], one = {1, 1, 1, 1};
    for (size_t k = 0; k < EIGHT; k++) {
        four_bits known = x[k] == x[k];
        number[k] = (four)((four_bits)x[k] & known);
        flag[k] = (four)((four_bits)one & known);
    }
    sum_of_eight(number, &m->sum);
    sum_of_eight(flag, &m->count);
    mean_of(&m->sum, &m->count, mean);
    for (size_t k = 0; k < EIGHT; k++) {
        four_bits known = x[k] == x[k];
        four off = (four)((four_bits)(x[k] - *mean) & known);
        square[k] = off * off;
    }
    sum_of_eight(square, &m->squares);
}

/* The same, to the same bits, where none is. */
INLINE void eight_alone(const four *x, struct moments *m, four *mean)
{
    four square[EIGHT];
    sum_of_eight(x, &m->sum);
    if (has_nan(&m->sum)) {
        eight_with_nan(x, m, mean);
        return;
    }
    m->count = (four){EIGHT, EIGHT, EIGHT, EIGHT};
    *mean = m->sum * (1.0 / EIGHT);
    for (size_t k = 0; k < EIGHT; k++)
        square[k] = (x[k] - *mean) * (x[k] - *mean);
    sum_of_eight(square, &m->squares);
}

/* Joins eight subjects to those before. */
INLINE void join_eight(const four *x, struct moments *m)
{
    struct moments eight;
    four mean, before, one = {1, 1, 1, 1}, all;
    eight_alone(x, &eight, &mean);
    mean_of(&m->sum, &m->count, &before);
    four_bits both = (m->count > 0) & (eight.count > 0);
    four off = (four)((four_bits)(mean - before) & both), together = m->count + eight.count;
    choose(&both, &together, &one, &all);
    m->squares += eight.squares + off * off * (m->count * eight.count / all);
    m->sum += eight.sum;
    m->count = together;
}

/* ---- Counting. */

INLINE void add_counts(uint8_t *to, const four_bits *counted)
{
    for (size_t j = 0; j < TILE; j++)
        to[j] = (uint8_t)(to[j] + (*counted)[j]);
}

/* n, 8 or 16, is known where these are called from, and loops are unrolled. */
INLINE void count_levels(const struct hl_sieve *s, size_t i, const four *x, size_t n, uint8_t *over)
{
    for (size_t r = 0; r < s->n_levels; r++) {
        four level = *known_row(s->level + r * s->stride + i);
        four_bits counted = {0};
        for (size_t k = 0; k < n; k++)
            counted -= x[k] > level;
        add_counts(over + r * s->stride + i, &counted);
    }
}

/* Bits of subjects whose values are in a bracket are added to *kept, bit number `lane` standing for the first. */
INLINE void hold_against(const four *low, const four *high, const four *x, size_t n, size_t lane, four_bits *above,
                         four_bits *kept)
{
    for (size_t k = 0; k < n; k++) {
        int64_t bit = (int64_t)((uint64_t)1 << (lane + k));
        four_bits flag = {bit, bit, bit, bit}, more = x[k] > *low;
        *above -= more;
        *kept |= flag & more & (x[k] <= *high);
    }
}

/* Takes back those that are only counted. */
INLINE void leave_out(const four *low, const four *high, const four *same, const four *x, size_t n, size_t lane,
                      four_bits *equal, four_bits *kept)
{
    for (size_t k = 0; k < n; k++) {
        int64_t bit = (int64_t)((uint64_t)1 << (lane + k));
        four_bits flag = {bit, bit, bit, bit}, alike = (x[k] > *low) & (x[k] <= *high) & (x[k] == *same);
        *equal -= alike;
        *kept &= ~(flag & alike);
    }
}

INLINE bool is_any(const four *x)
{
    return (*x)[0] == (*x)[0] || (*x)[1] == (*x)[1] || (*x)[2] == (*x)[2] || (*x)[3] == (*x)[3];
}

INLINE void pass_bracket(const struct hl_sieve *s, size_t at, const four *x, size_t n, size_t lane,
                         const struct hl_sifted *to, four_bits *kept)
{
    four low = *known_row(s->low + at), high = *known_row(s->high + at), same = *known_row(s->same + at);
    four_bits above = {0}, equal = {0};
    hold_against(&low, &high, x, n, lane, &above, kept);
    add_counts(to->above + at, &above);
    if (is_any(&same)) {
        leave_out(&low, &high, &same, x, n, lane, &equal, kept);
        add_counts(to->equal + at, &equal);
    }
}

/* n subjects from a lane on, of columns i to i + 3. */
INLINE void pass_lanes(const struct hl_sieve *s, size_t i, size_t n_brackets, const double *const *column, size_t lane,
                       size_t n, const struct hl_sifted *to, struct moments *m, four_bits *kept)
{
    four x[2 * EIGHT];
    for (size_t k = 0; k < n; k += TILE)
        hl_four_turn(column, lane + k, x + k);
    for (size_t k = 0; k < n; k += EIGHT)
        join_eight(x + k, m);
    count_levels(s, i, x, n, to->over);
    for (size_t b = 0; b < n_brackets; b++)
        pass_bracket(s, b * s->stride + i, x, n, lane, to, kept);
}

/* ---- Picking. */

/* A few without a branch for each: usually there are no more. */
INLINE size_t pick(const double *value, uint64_t bits, size_t lanes, double *to)
{
    const uint64_t last = (uint64_t)1 << (lanes - 1); /* so that there is always a bit to look for */
    size_t n = (size_t)__builtin_popcountll(bits);
    for (size_t k = 0; k < HL_SIEVE_SPARE; k++) {
        to[k] = value[__builtin_ctzll(bits | last)];
        bits &= bits - (bits != 0);
    }
    for (size_t k = HL_SIEVE_SPARE; bits != 0; bits &= bits - 1)
        to[k++] = value[__builtin_ctzll(bits)];
    return n;
}

HL_CLONES size_t hl_sieve_block(const struct hl_sieve *s, const double *out, size_t lanes, struct hl_sifted *sifted,
                                uint8_t *inside, uint32_t *offset, double *kept)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < s->n; i += TILE) {
        const double *column[TILE];
        struct moments m = {*row(sifted->count + i), *row(sifted->sum + i), *row(sifted->squares + i)};
        four_bits bits = {0};
        size_t n_brackets = 0;
        for (size_t j = 0; j < TILE; j++) {
            column[j] = out + s->column[i + j < s->n ? i + j : s->n - 1] * lanes;
            n_brackets = s->n_brackets[i + j] > n_brackets ? s->n_brackets[i + j] : n_brackets;
        }
        size_t lane = 0;
        for (; lane + 2 * EIGHT <= lanes; lane += 2 * EIGHT)
            pass_lanes(s, i, n_brackets, column, lane, 2 * EIGHT, sifted, &m, &bits);
        if (lane < lanes)
            pass_lanes(s, i, n_brackets, column, lane, EIGHT, sifted, &m, &bits);
        *row(sifted->count + i) = m.count;
        *row(sifted->sum + i) = m.sum;
        *row(sifted->squares + i) = m.squares;
        if (i % HL_SIEVE_GROUP == 0)
            offset[i / HL_SIEVE_GROUP] = (uint32_t)n_kept;
        for (size_t j = 0; j < TILE && i + j < s->n; j++) {
            size_t n = pick(column[j], (uint64_t)bits[j], lanes, kept + n_kept);
            inside[i + j] = (uint8_t)n;
            n_kept += n;
        }
    }
    return n_kept;
}
