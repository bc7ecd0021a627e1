/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of eight lanes are looked at sixteen at a time. A turn's largest value is held against the best so far, by lane,
 * and the turn is noted; which of its rows it was is looked up at the end, once. Areas are sums of weighted rows. Of a
 * level there is one bit per row and lane.
 *
 * Loops run over lanes, rows are unrolled inside: compilers then keep what a turn gathers in registers, in vectors as
 * wide as the machine's, and see a maximum where one value is chosen by comparing two. A NaN is never chosen, since it
 * stands on the left of every comparison. Sums of a turn are formed in the same order for every width. */
#include "measure/grid_rows.h"

#include <math.h>
#include <string.h>

#include "base/vector.h"

#define INLINE static inline __attribute__((always_inline))
#define EACH_LANE _Pragma("omp simd") for (size_t l = 0; l < HL_GRID_LANES; l++)
#define EIGHT_ROWS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define HALF (HL_GRID_TURN / 2) /* eight rows */
#define Y(row) y[(row) * lanes + l]

size_t hl_grid_words(size_t n_rows)
{
    return n_rows / HL_GRID_WORD + 1;
}

INLINE void keep_largest(double y, double turn, double *best, double *best_turn)
{
    *best_turn = y > *best ? turn : *best_turn;
    *best = y > *best ? y : *best;
}

INLINE void keep_smallest(double y, double turn, double *best, double *best_turn)
{
    *best_turn = y < *best ? turn : *best_turn;
    *best = y < *best ? y : *best;
}

/* Of a whole turn. */
INLINE void note_largest(const double *y, size_t lanes, double turn, double *best, double *best_turn)
{
#define LARGER(r) a = Y(r) > a ? Y(r) : a, b = Y(r + HALF) > b ? Y(r + HALF) : b;
    EACH_LANE {
        double a = -INFINITY, b = -INFINITY;
        EIGHT_ROWS(LARGER)
        keep_largest(b > a ? b : a, turn, &best[l], &best_turn[l]);
    }
}

INLINE void note_smallest(const double *y, size_t lanes, double turn, double *best, double *best_turn)
{
#define SMALLER(r) a = Y(r) < a ? Y(r) : a, b = Y(r + HALF) < b ? Y(r + HALF) : b;
    EACH_LANE {
        double a = INFINITY, b = INFINITY;
        EIGHT_ROWS(SMALLER)
        keep_smallest(b < a ? b : a, turn, &best[l], &best_turn[l]);
    }
}

/* Rows of one weight: a product for all of them. */
INLINE void add_even_area(const double *y, size_t lanes, double weight, double *area)
{
#define ADD(r) a += Y(r), b += Y(r + HALF);
    EACH_LANE {
        double a = 0, b = 0;
        EIGHT_ROWS(ADD)
        area[l] += weight * (a + b);
    }
}

INLINE void add_area(const double *y, size_t lanes, const double *weight, double *area)
{
#define ADD_WEIGHTED(r) a += weight[r] * Y(r), b += weight[r + HALF] * Y(r + HALF);
    EACH_LANE {
        double a = 0, b = 0;
        EIGHT_ROWS(ADD_WEIGHTED)
        area[l] += a + b;
    }
}

/* The first row's bit is number `first`. */
INLINE void note_above(const double *y, size_t lanes, double level, size_t first, uint64_t *above)
{
#define SET_BIT(r) if (Y(r) > level) a |= (uint64_t)1 << r; if (Y(r + HALF) > level) b |= (uint64_t)1 << r;
    EACH_LANE {
        uint64_t a = 0, b = 0;
        EIGHT_ROWS(SET_BIT)
        above[l] |= (a | b << HALF) << first;
    }
}

INLINE uint64_t *word_of(const struct hl_grid_rows *rows, size_t level, size_t row)
{
    return rows->crossing + (level * rows->n_words + row / HL_GRID_WORD) * HL_GRID_LANES;
}

/* A group's lanes of a turn. lanes: the task's. */
INLINE void look_at_turn(const struct hl_grid_task *task, size_t lanes, size_t row, size_t group,
                         struct hl_grid_rows *rows)
{
    const double *y = task->y + row * lanes + group * HL_GRID_LANES;
    size_t turn = row / HL_GRID_TURN;
    if (task->largest)
        note_largest(y, lanes, (double)turn, rows->largest, rows->largest_turn);
    if (task->smallest)
        note_smallest(y, lanes, (double)turn, rows->smallest, rows->smallest_turn);
    if (task->weight && task->even[turn] == task->even[turn])
        add_even_area(y, lanes, task->even[turn], rows->area);
    else if (task->weight)
        add_area(y, lanes, task->weight + row, rows->area);
    for (size_t i = 0; i < task->n_levels; i++)
        note_above(y, lanes, task->level[i], row % HL_GRID_WORD, word_of(rows, i, row));
}

/* One of the rows behind the last whole turn. */
INLINE void look_at_row(const struct hl_grid_task *task, size_t row, size_t group, struct hl_grid_rows *rows)
{
    const double *y = task->y + row * task->lanes + group * HL_GRID_LANES;
    double turn = (double)(row / HL_GRID_TURN);
    EACH_LANE
        keep_largest(y[l], turn, &rows->largest[l], &rows->largest_turn[l]);
    EACH_LANE
        keep_smallest(y[l], turn, &rows->smallest[l], &rows->smallest_turn[l]);
    for (size_t l = 0; task->weight && l < HL_GRID_LANES; l++)
        rows->area[l] += task->weight[row] * y[l];
    for (size_t i = 0; i < task->n_levels; i++) {
        uint64_t *above = word_of(rows, i, row), bit = (uint64_t)1 << row % HL_GRID_WORD;
        double level = task->level[i];
        EACH_LANE
            above[l] |= y[l] > level ? bit : 0;
    }
}

/* All groups of a turn, then the next turn: values are taken as they lie in memory, twice as fast as every other
 * eight of them. A run's blocks have sixteen lanes; where the distance of rows is known, the compiler needn't work out
 * places. */
HL_CLONES static void look_at_all(const struct hl_grid_task *task, struct hl_grid_rows *rows)
{
    size_t row = 0, whole = task->n_rows / HL_GRID_TURN * HL_GRID_TURN;
    if (task->lanes == 16)
        for (; row < whole; row += HL_GRID_TURN)
            for (size_t g = 0; g < task->n_groups; g++)
                look_at_turn(task, 16, row, g, &rows[g]);
    for (; row < whole; row += HL_GRID_TURN)
        for (size_t g = 0; g < task->n_groups; g++)
            look_at_turn(task, task->lanes, row, g, &rows[g]);
    for (; row < task->n_rows; row++)
        for (size_t g = 0; g < task->n_groups; g++)
            look_at_row(task, row, g, &rows[g]);
}

/* From bits of rows above to bits of rows that differ from the one before. */
HL_CLONES static void find_crossings(uint64_t *above, size_t n_words)
{
    for (size_t w = n_words; w-- > 1;) {
        uint64_t *word = above + w * HL_GRID_LANES, *before = word - HL_GRID_LANES;
        EACH_LANE
            word[l] ^= word[l] << 1 | before[l] >> (HL_GRID_WORD - 1);
    }
    EACH_LANE
        above[l] ^= above[l] << 1;
}

static void begin(const struct hl_grid_task *task, struct hl_grid_rows *rows)
{
    rows->n_words = hl_grid_words(task->n_rows);
    memset(rows->crossing, 0, task->n_levels * rows->n_words * HL_GRID_LANES * sizeof *rows->crossing);
    for (size_t l = 0; l < HL_GRID_LANES; l++) {
        rows->largest[l] = -INFINITY;
        rows->smallest[l] = INFINITY;
        rows->largest_turn[l] = rows->smallest_turn[l] = -1;
        rows->area[l] = 0;
    }
}

void hl_grid_look(const struct hl_grid_task *task, struct hl_grid_rows *rows)
{
    for (size_t g = 0; g < task->n_groups; g++)
        begin(task, &rows[g]);
    look_at_all(task, rows);
    for (size_t g = 0; g < task->n_groups; g++)
        for (size_t i = 0; i < task->n_levels; i++)
            find_crossings(rows[g].crossing + i * rows[g].n_words * HL_GRID_LANES, rows[g].n_words);
}
