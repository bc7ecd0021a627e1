/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the ledger: loops over lanes. For ledger.c alone. */
#ifndef HL_MEASURE_LEDGER_ROWS_H
#define HL_MEASURE_LEDGER_ROWS_H

#include "measure/ledger.h"

typedef double hl_row[HL_LANES] __attribute__((aligned(64)));

#define HL_SAME 1e-12 /* relative: extrema this close are equals */

/* HOURS: how long above a threshold; ABOVE: also when first, and the longest spell. */
enum hl_task_kind { HL_TASK_MAX, HL_TASK_MIN, HL_TASK_AREA, HL_TASK_HOURS, HL_TASK_ABOVE, HL_TASK_LAST, HL_TASK_BEFORE,
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
    hl_row later;                /* belongs to sum, apart from what is added at once (stretch.h) */
    hl_row rise, fall;           /* offsets of the last crossings: guesses */
    const double *part;          /* row: 1 in lanes that look at what is told, else 0 */
    bool looks;                  /* there are such lanes */
};

/* What is known of an output on a stretch. */
struct hl_view {
    const struct hl_stretch *stretch;
    size_t k;
    hl_row left, right, low, high;
    size_t n_pieces;
    hl_row at[HL_MOST_TURNS + 2], y[HL_MOST_TURNS + 2];
};

/* Lanes of the stretch that lie in the task's window, as 1 and 0; rows->part doesn't count. */
void hl_task_window(const struct hl_task *task, const struct hl_stretch *stretch, double *in);

void hl_task_begin(const struct hl_task *task, struct hl_task_rows *rows);

/* The first of rows number from .. to - 1 with anything but 0; to when there is none. */
size_t hl_row_with_any(const double *rows, size_t from, size_t to);

/* Extrema: says whether a turning point may be better than the best so far and than the ends, and marks the lanes (1,
 * never 0) in wanted. */
bool hl_task_may_turn(const struct hl_task *task, const struct hl_task_rows *rows, const struct hl_view *view,
                      double *wanted);

/* Extrema: the best of the stretch's ends and turning points. */
void hl_task_note_extremum(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view);

/* Thresholds: says whether the level lies between the bounds, and marks the lanes in wanted. */
bool hl_task_may_cross(const struct hl_task *task, const struct hl_task_rows *rows, const struct hl_view *view,
                       double *wanted);

/* Thresholds: hours, spells and first times of all pieces. */
void hl_task_add_above(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view);

/* Thresholds: of runs whose stretches all lie between low and high (unless unknown is 1): adds the hours until end in
 * lanes of part that are all above (low NULL: isn't known of any). mixed: those where the level lies in between;
 * whether there are any. */
bool hl_task_add_run_above(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view,
                           const double *low, const double *high, const double *unknown, const double *end,
                           double *mixed);

/* Thresholds: adds the part from .. to (offsets, as run_parts has them) of a stretch from t0 to t1, in lanes where
 * there is one. */
void hl_task_add_part(struct hl_task_rows *rows, const double *t0, const double *t1, const double *length,
                      const double *from, const double *to);

/* Adds area (run: of the whole run), or remembers the value at the end. */
void hl_task_add_area(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view, bool run);
void hl_task_note_end(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view);

/* n rows, lane by lane: values[lane * width + row]. */
void hl_rows_to_lanes(const double *rows, size_t n, double *values, size_t width);

#endif
