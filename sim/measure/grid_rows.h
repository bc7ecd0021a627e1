/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of grid.c: loops over rows of eight lanes. For grid.c alone. */
#ifndef HL_MEASURE_GRID_ROWS_H
#define HL_MEASURE_GRID_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HL_GRID_LANES 8
#define HL_GRID_TURN 16 /* rows looked at together */
#define HL_GRID_WORD 64 /* rows whose bits share a word; a multiple of turns */

/* Rows of an output in a window, and what is asked of them. */
struct hl_grid_task {
    const double *y; size_t lanes;   /* y[row * lanes + lane] */
    size_t n_rows, n_groups;         /* of eight lanes each; the first of them lanes 0 to 7 */
    const double *weight;            /* of each row in the area; NULL: no area is asked for */
    const double *even;              /* of each whole turn: the weight that all its rows have, NaN where they differ */
    bool largest, smallest;
    size_t n_levels; const double *level;
};

/* What was found in a group, by lane. */
struct hl_grid_rows {
    double largest[HL_GRID_LANES], largest_turn[HL_GRID_LANES];   /* among numbers; -infinity and -1 where there is */
    double smallest[HL_GRID_LANES], smallest_turn[HL_GRID_LANES]; /* none; the turn (from 0) that has it first */
    double area[HL_GRID_LANES];
    uint64_t *crossing;              /* [level][word][lane]: bit k of word w is row 64 w + k, 1 where y > level differs */
    size_t n_words;                  /* from the row before; before the first and behind the last nothing is above. Of
                                      * each level n_rows / 64 + 1, since row n_rows has a bit, too */
} __attribute__((aligned(64)));

/* Words of so many rows. */
size_t hl_grid_words(size_t n_rows);

/* Fills in all of rows[group] that is asked for; their `crossing` must have room for every level. */
void hl_grid_look(const struct hl_grid_task *task, struct hl_grid_rows *rows);

#endif
