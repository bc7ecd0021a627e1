/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of eight lanes are looked at 32 at a time. Where a turn has a larger value than all before it, the turn is
 * noted, by lane; which of its rows it was is looked up at the end, once. Areas are sums of weighted rows; where the
 * rows of a turn have one weight, it is multiplied with their sum. Of a level there is one bit per row and lane.
 *
 * Rows in which some lane crosses a level are then looked at again, one by one, all eight lanes of them; in W1 that is
 * every thirteenth. A division of eight takes as long as the sums of six rows.
 *
 * Loops run over lanes, rows are written out inside: compilers then keep what a turn gathers in registers, in vectors
 * as wide as the machine's, and see a maximum where one value is chosen by comparing two. A NaN is never chosen, since
 * it stands on the left of every comparison. Four chains side by side needn't wait for each other; their order is the
 * same for every width. What limits a turn is the number of operations (AVX-512: one each for extremum and area, two
 * for a level, two of which are done in a cycle): so initial values are those that cost none, and where all three are
 * asked for, rows are loaded once. */
#include "measure/grid_rows.h"

#include <math.h>

#include "base/vector.h"

#define INLINE static inline __attribute__((always_inline))
#define EACH_LANE _Pragma("omp simd") for (size_t l = 0; l < HL_GRID_LANES; l++)
#define EIGHT_ROWS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define Y(row) y[(row) * lanes + l]

/* Which parts of a turn are looked for at once: known where it is compiled. */
struct parts { bool largest, smallest, even, weighted, level; };

/* One row in its chain: best so far, sum, bits. */
#define LOOK(r, best, sum, bits)                                              \
    {                                                                         \
        double value = Y(r);                                                  \
        if (parts.largest)                                                    \
            best = value > best ? value : best;                               \
        if (parts.smallest)                                                   \
            best = value < best ? value : best;                               \
        if (parts.even)                                                       \
            sum += value;                                                     \
        if (parts.weighted)                                                   \
            sum += weight[r] * value;                                         \
        if (parts.level && value > level)                                     \
            bits |= (uint64_t)1 << (r) % 8;                                   \
    }
#define LOOK_AT_FOUR(r) LOOK(r, b0, s0, w0) LOOK(r + 8, b1, s1, w1) LOOK(r + 16, b2, s2, w2) LOOK(r + 24, b3, s3, w3)

/* A whole turn of a group. even: the rows' weight; bit k of a lane's word: row k is above the level. -0 changes no
 * sum. */
INLINE void look_at_parts(const struct parts parts, const double *y, size_t lanes, double turn, double *best,
                          double *best_turn, double even, const double *weight, double *area, double level,
                          uint64_t *word)
{
    EACH_LANE {
        double b0 = parts.largest || parts.smallest ? best[l] : 0, b1 = b0, b2 = b0, b3 = b0;
        double s0 = -0.0, s1 = -0.0, s2 = -0.0, s3 = -0.0;
        uint64_t w0 = 0, w1 = 0, w2 = 0, w3 = 0;
        EIGHT_ROWS(LOOK_AT_FOUR)
        if (parts.largest) {
            b0 = b1 > b0 ? b1 : b0;
            b2 = b3 > b2 ? b3 : b2;
            b0 = b2 > b0 ? b2 : b0;
            best_turn[l] = b0 > best[l] ? turn : best_turn[l];
            best[l] = b0;
        }
        if (parts.smallest) {
            b0 = b1 < b0 ? b1 : b0;
            b2 = b3 < b2 ? b3 : b2;
            b0 = b2 < b0 ? b2 : b0;
            best_turn[l] = b0 < best[l] ? turn : best_turn[l];
            best[l] = b0;
        }
        if (parts.even)
            area[l] += even * ((s0 + s1) + (s2 + s3));
        if (parts.weighted)
            area[l] += (s0 + s1) + (s2 + s3);
        if (parts.level)
            word[l] = (w0 | w1 << 8) | (w2 << 16 | w3 << 24);
    }
}

/* From bits of n rows above a level (the highest is the last row's) to those of rows that differ in some lane from the
 * row before. above: the bit of the row before the first, then of the last. */
INLINE uint64_t find_crossings(const uint64_t *word, size_t n, uint64_t *above)
{
    uint64_t any = 0;
#pragma omp simd reduction(| : any)
    for (size_t l = 0; l < HL_GRID_LANES; l++) {
        any |= word[l] ^ (word[l] << 1 | above[l]);
        above[l] = word[l] >> (n - 1);
    }
    return any & (((uint64_t)1 << n) - 1);
}

/* Between a row and the one before it: the part of the interval that is above, in lanes that cross the level; where
 * they fall below it, also the rows since they rose. */
INLINE void pass_row(const double *y, size_t lanes, double before, double t, double level, double *hours, double *since)
{
    const double *y_before = y - lanes;
    EACH_LANE {
        double a = y_before[l] - level, b = y[l] - level, in = b > 0 ? b : a, part = (t - before) * in / fabs(b - a);
        double rows = a > 0 ? before - since[l] : 0; /* falls, if it crosses */
        bool crosses = (a > 0) != (b > 0);
        hours[l] += crosses ? part + rows : 0;
        since[l] = crosses && b > 0 ? t : since[l];
    }
}

/* Adds the hours of rows that cross a level: bits of `rows`, the lowest for row `first`. */
INLINE void pass_rows(const struct hl_grid_task *task, size_t lanes, size_t first, uint64_t rows, size_t level,
                      size_t lane, const struct hl_grid_found *found)
{
    double *hours = found->hours + level * lanes + lane, *since = found->since + level * lanes + lane;
    for (; rows != 0; rows &= rows - 1) {
        size_t row = first + (size_t)__builtin_ctzll(rows);
        pass_row(task->y + row * lanes + lane, lanes, task->time[row - 1], task->time[row], task->level[level], hours,
                 since);
    }
}

INLINE uint64_t *crossing_of(const struct hl_grid_found *found, size_t lanes, size_t level, size_t lane)
{
    return found->crossing + (level * lanes + lane) / HL_GRID_LANES;
}

/* Crossings of the turn that ends before `row`. Only now: how many there are, which no processor foresees, has been
 * known for a while, and divisions are done beside the next turn's sums. */
INLINE void pass_last_turn(const struct hl_grid_task *task, size_t lanes, size_t row, size_t lane,
                           const struct hl_grid_found *found)
{
    for (size_t i = 0; i < task->n_levels; i++)
        pass_rows(task, lanes, row - HL_GRID_TURN, *crossing_of(found, lanes, i, lane), i, lane, found);
}

/* Lanes from `lane` on; lanes: the task's. */
INLINE void look_at_turn(const struct hl_grid_task *task, size_t lanes, size_t row, size_t lane,
                         const struct hl_grid_found *found)
{
    const double *y = task->y + row * lanes + lane;
    double turn = (double)(row / HL_GRID_TURN), even = task->weight ? task->even[row / HL_GRID_TURN] : (double)NAN;
    double *largest = found->largest + lane, *largest_turn = found->largest_turn + lane, *area = found->area + lane;
    uint64_t word[HL_GRID_LANES] __attribute__((aligned(64)));
    size_t i = 0;
    pass_last_turn(task, lanes, row, lane, found);
    if (task->largest && even == even && task->n_levels > 0) {
        struct parts all = {.largest = true, .even = true, .level = true};
        look_at_parts(all, y, lanes, turn, largest, largest_turn, even, NULL, area, task->level[0], word);
        *crossing_of(found, lanes, 0, lane) = find_crossings(word, HL_GRID_TURN, found->above + lane);
        i = 1;
    } else {
        struct parts extremum = {.largest = true}, sum = {.even = true}, weighted = {.weighted = true};
        if (task->largest)
            look_at_parts(extremum, y, lanes, turn, largest, largest_turn, 0, NULL, NULL, 0, NULL);
        if (even == even)
            look_at_parts(sum, y, lanes, turn, NULL, NULL, even, NULL, area, 0, NULL);
        else if (task->weight)
            look_at_parts(weighted, y, lanes, turn, NULL, NULL, 0, task->weight + row, area, 0, NULL);
    }
    if (task->smallest)
        look_at_parts((struct parts){.smallest = true}, y, lanes, turn, found->smallest + lane,
                      found->smallest_turn + lane, 0, NULL, NULL, 0, NULL);
    for (; i < task->n_levels; i++) {
        look_at_parts((struct parts){.level = true}, y, lanes, turn, NULL, NULL, 0, NULL, NULL, task->level[i], word);
        *crossing_of(found, lanes, i, lane) = find_crossings(word, HL_GRID_TURN, found->above + i * lanes + lane);
    }
}

/* The n rows behind the last whole turn, one by one. */
INLINE void look_at_rest(const struct hl_grid_task *task, size_t first, size_t n, size_t lane,
                         const struct hl_grid_found *found)
{
    const double *y = task->y + first * task->lanes + lane;
    double *largest = found->largest + lane, *largest_turn = found->largest_turn + lane, *area = found->area + lane;
    double *smallest = found->smallest + lane, *smallest_turn = found->smallest_turn + lane;
    double turn = (double)(first / HL_GRID_TURN);
    for (size_t r = 0; r < n; r++) {
        const double *row = y + r * task->lanes, weight = task->weight ? task->weight[first + r] : 0;
        EACH_LANE {
            largest_turn[l] = row[l] > largest[l] ? turn : largest_turn[l];
            largest[l] = row[l] > largest[l] ? row[l] : largest[l];
            smallest_turn[l] = row[l] < smallest[l] ? turn : smallest_turn[l];
            smallest[l] = row[l] < smallest[l] ? row[l] : smallest[l];
            area[l] += weight * row[l];
        }
    }
    for (size_t i = 0; i < task->n_levels; i++) {
        uint64_t word[HL_GRID_LANES] __attribute__((aligned(64))) = {0};
        double level = task->level[i];
        for (size_t r = 0; r < n; r++) {
            uint64_t bit = (uint64_t)1 << r;
            EACH_LANE
                word[l] |= y[r * task->lanes + l] > level ? bit : 0;
        }
        pass_rows(task, task->lanes, first, find_crossings(word, n, found->above + i * task->lanes + lane), i, lane,
                  found);
    }
}

/* All groups of a turn, then the next turn: values are taken as they lie in memory, twice as fast as every other
 * eight of them. A run's blocks have sixteen lanes; where the distance of rows is known, the compiler needn't work out
 * places. */
HL_CLONES static void look_at_all(const struct hl_grid_task *task, const struct hl_grid_found *found)
{
    size_t row = 0, whole = task->n_rows / HL_GRID_TURN * HL_GRID_TURN, n_lanes = task->n_groups * HL_GRID_LANES;
    if (task->lanes == 16)
        for (; row < whole; row += HL_GRID_TURN)
            for (size_t lane = 0; lane < n_lanes; lane += HL_GRID_LANES)
                look_at_turn(task, 16, row, lane, found);
    for (; row < whole; row += HL_GRID_TURN)
        for (size_t lane = 0; lane < n_lanes; lane += HL_GRID_LANES)
            look_at_turn(task, task->lanes, row, lane, found);
    for (size_t lane = 0; lane < n_lanes; lane += HL_GRID_LANES) {
        pass_last_turn(task, task->lanes, row, lane, found);
        if (row < task->n_rows)
            look_at_rest(task, row, task->n_rows - row, lane, found);
    }
}

void hl_grid_look(const struct hl_grid_task *task, const struct hl_grid_found *found)
{
    for (size_t l = 0; l < task->n_groups * HL_GRID_LANES; l++) {
        found->largest[l] = -INFINITY;
        found->smallest[l] = INFINITY;
        found->largest_turn[l] = found->smallest_turn[l] = -1;
        found->area[l] = 0;
        for (size_t i = 0; i < task->n_levels; i++) { /* what comes before the first row is as it is */
            found->above[i * task->lanes + l] = task->y[l] > task->level[i];
            found->hours[i * task->lanes + l] = 0;
            *crossing_of(found, task->lanes, i, l) = 0;
            found->since[i * task->lanes + l] = task->time[0];
        }
    }
    look_at_all(task, found);
}
