/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the ledger: loops over lanes. For ledger.c alone. */
#ifndef HL_MEASURE_LEDGER_ROWS_H
#define HL_MEASURE_LEDGER_ROWS_H

#include "measure/ledger.h"

typedef double hl_row[HL_LANES] __attribute__((aligned(64)));

enum hl_task_kind { HL_TASK_MAX, HL_TASK_MIN, HL_TASK_AREA, HL_TASK_ABOVE, HL_TASK_LAST, HL_TASK_BEFORE,
                    HL_TASK_INTERVALS };

/* What several metrics may have in common: one quantity of one output in one window. */
struct hl_task {
    enum hl_task_kind kind;
    int output, instance;
    double from, to, theta;      /* of the window; threshold */
};

/* A task's record for eight lanes: struct hl_tally side by side. What is NaN there before anything was seen is
 * HL_NEVER here, or -HL_NEVER where the greater is kept. */
#define HL_NEVER 1e300
struct hl_task_rows {
    hl_row best, best_time, sum, spell, longest, first, last, end;
    hl_row rise, fall;           /* offsets of the last crossings: guesses */
};

/* What is known of an output on a stretch. */
struct hl_view {
    const struct hl_stretch *stretch;
    size_t k;
    hl_row left, right, low, high;
    size_t n_pieces;
    hl_row at[HL_MOST_TURNS + 2], y[HL_MOST_TURNS + 2];
};

void hl_task_begin(const struct hl_task *task, struct hl_task_rows *rows);

/* Extrema: says whether a turning point may be better than the best so far and than the ends, and marks the lanes (1,
 * never 0) in wanted. */
bool hl_task_may_turn(const struct hl_task *task, const struct hl_task_rows *rows, const struct hl_view *view,
                      double *wanted);

/* Extrema: the best of the stretch's ends and turning points. */
void hl_task_note_extremum(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view);

/* Thresholds: says whether the level lies between the bounds, and marks the lanes in wanted. */
bool hl_task_may_cross(const struct hl_task *task, const struct hl_view *view, double *wanted);

/* Thresholds: hours, spells and first times of all pieces. */
void hl_task_add_above(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view);

/* Adds area, or remembers the value at the end. */
void hl_task_add_area(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view);
void hl_task_note_end(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view);

#endif
