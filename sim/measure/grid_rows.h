/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of grid.c: loops over rows of eight lanes. For grid.c alone. */
#ifndef HL_MEASURE_GRID_ROWS_H
#define HL_MEASURE_GRID_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HL_GRID_LANES 8
#define HL_GRID_TURN 32 /* rows looked at together */

/* Rows of an output in a window, and what is asked of them. */
struct hl_grid_task {
    const double *y; size_t lanes;   /* y[row * lanes + lane], as a block has them */
    const double *time;              /* of each row */
    size_t n_rows, n_groups;         /* groups of eight lanes, from lane 0 on */
    const double *weight;            /* of each row in the area; NULL: no area is asked for */
    const double *even;              /* of each whole turn: the weight that all its rows have, NaN where they differ */
    bool largest, smallest;
    size_t n_levels; const double *level;
};

/* What has been found so far, by lane. Rows of levels are as long as those of y. */
struct hl_grid_found {
    double *largest, *largest_turn;   /* of numbers; -infinity and -1 where there is none. The first turn that has it */
    double *smallest, *smallest_turn; /* has this number, from 0 */
    double *area;
    double *hours, *since;            /* [level][lane]: above it until since, when it rose last or was above already */
    uint64_t *above;                  /* [level][lane]: 1 where the last row is above the level, else 0 */
    uint64_t *crossing;               /* [level][lane / 8]: rows of the last whole turn at which some lane crosses it */
};

/* Looks at all rows, n_rows > 0, and fills in what is asked for. */
void hl_grid_look(const struct hl_grid_task *task, const struct hl_grid_found *found);

#endif
