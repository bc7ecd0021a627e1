/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tally.c does with one lane, done with eight. A lane takes part when its stretch isn't empty and its middle lies
 * in the task's window; the others keep what they have. Selections by comparison, never branches by lane: what a lane
 * gets can't depend on its neighbours. */
#include "measure/ledger_rows.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/vector.h"

typedef double eight __attribute__((vector_size(HL_LANES * sizeof(double))));
typedef int64_t bits __attribute__((vector_size(HL_LANES * sizeof(int64_t))));

#define INLINE static inline __attribute__((always_inline))
#define ROW(array) (*(eight *)__builtin_assume_aligned((array), 64))
#define CONST_ROW(array) (*(const eight *)__builtin_assume_aligned((array), 64))
#define PICK(mask, yes, no) ((eight)(((mask) & (bits)(yes)) | (~(mask) & (bits)(no))))
#define SAME 1e-12 /* relative: extrema this close are equals */
#define ONE {1, 1, 1, 1, 1, 1, 1, 1}

INLINE bool any(const bits *mask)
{
    int64_t all = 0;
    for (size_t l = 0; l < HL_LANES; l++)
        all |= (*mask)[l];
    return all != 0;
}

/* Lanes that take part. */
INLINE void take_part(const struct hl_task *task, const struct hl_stretch *stretch, bits *in)
{
    eight t0 = CONST_ROW(stretch->t0), middle = 0.5 * (t0 + CONST_ROW(stretch->t1));
    *in = (middle > task->from) & (middle < task->to) & (CONST_ROW(stretch->length) > 0);
}

void hl_task_begin(struct hl_task_rows *rows)
{
    for (size_t l = 0; l < HL_LANES; l++) {
        rows->best[l] = rows->best_time[l] = rows->first[l] = rows->last[l] = rows->end[l] = NAN;
        rows->sum[l] = rows->spell[l] = rows->longest[l] = 0;
        rows->rise[l] = rows->fall[l] = NAN;
    }
}

/* y at time in lanes of mask when it is better than best. */
INLINE void improve(bool largest, const bits *mask, const eight *y, const eight *time, eight *best, eight *best_time)
{
    bits better = *mask & (largest ? *y > *best : *y < *best);
    *best = PICK(better, *y, *best);
    *best_time = PICK(better, *time, *best_time);
}

/* What a value must exceed (or fall below) to count as better than the best so far: at steady state every interval has
 * the same peak but for rounding, and the first of equals is asked for. NaN before anything was seen. */
INLINE void hurdle(const struct hl_task_rows *rows, bool largest, eight *limit)
{
    eight best = CONST_ROW(rows->best), slack = SAME * PICK(best < 0, -best, best);
    *limit = largest ? best + slack : best - slack;
}

HL_CLONES bool hl_task_may_turn(const struct hl_task *task, const struct hl_task_rows *rows, const struct hl_view *view,
                                double *wanted)
{
    const eight one = ONE;
    bool largest = task->kind == HL_TASK_MAX;
    eight left = CONST_ROW(view->left), right = CONST_ROW(view->right), bound, limit;
    bits in, may;
    take_part(task, view->stretch, &in);
    hurdle(rows, largest, &limit);
    if (largest) {
        bound = CONST_ROW(view->high);
        may = in & ~(bound <= limit) & (bound > left) & (bound > right);
    } else {
        bound = CONST_ROW(view->low);
        may = in & ~(bound >= limit) & (bound < left) & (bound < right);
    }
    ROW(wanted) = PICK(may, one, ROW(wanted));
    return any(&may);
}

HL_CLONES void hl_task_note_extremum(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view)
{
    const struct hl_stretch *stretch = view->stretch;
    bool largest = task->kind == HL_TASK_MAX;
    eight t0 = CONST_ROW(stretch->t0), t1 = CONST_ROW(stretch->t1), length = CONST_ROW(stretch->length), limit;
    eight y = CONST_ROW(view->left), time = t0, right = CONST_ROW(view->right);
    bits in, better;
    take_part(task, stretch, &in);
    for (size_t p = 1; p < view->n_pieces; p++) {
        eight at = CONST_ROW(view->at[p]), value = CONST_ROW(view->y[p]), then = t0 + at;
        bits inner = in & (at < length);
        improve(largest, &inner, &value, &then, &y, &time);
    }
    improve(largest, &in, &right, &t1, &y, &time);
    hurdle(rows, largest, &limit);
    better = in & ~(largest ? y <= limit : y >= limit);
    ROW(rows->best) = PICK(better, y, ROW(rows->best));
    ROW(rows->best_time) = PICK(better, time, ROW(rows->best_time));
}

HL_CLONES bool hl_task_may_cross(const struct hl_task *task, const struct hl_view *view, double *wanted)
{
    const eight one = ONE;
    bits in;
    take_part(task, view->stretch, &in);
    bits may = in & (CONST_ROW(view->low) <= task->theta) & (CONST_ROW(view->high) > task->theta);
    ROW(wanted) = PICK(may, one, ROW(wanted));
    return any(&may);
}

/* [from, to] has been spent above in lanes of mask: tally.c's add_above. */
INLINE void add_above(struct hl_task_rows *rows, const bits *mask, const eight *from, const eight *to)
{
    eight none = {0}, first = ROW(rows->first), spell = ROW(rows->spell), end = ROW(rows->end), hours = *to - *from;
    ROW(rows->first) = PICK(*mask & (first != first), *from, first);
    ROW(rows->sum) += PICK(*mask, hours, none);
    spell = PICK(*mask, PICK(end == *from, spell + hours, hours), spell);
    ROW(rows->spell) = spell;
    ROW(rows->end) = PICK(*mask, *to, end);
    ROW(rows->longest) = PICK(spell > ROW(rows->longest), spell, ROW(rows->longest));
}

/* Offsets of the crossings in piece p of the lanes in which the ends lie on different sides. */
static void cross(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view, size_t p,
                  const double *wanted, double *offset)
{
    hl_row level;
    for (size_t l = 0; l < HL_LANES; l++) {
        level[l] = task->theta;
        offset[l] = view->y[p][l] < view->y[p + 1][l] ? rows->rise[l] : rows->fall[l];
    }
    view->stretch->kind->crossing(view->stretch, view->k, level, view->at[p], view->at[p + 1], view->y[p],
                                  view->y[p + 1], wanted, offset);
    for (size_t l = 0; l < HL_LANES; l++)
        if (wanted[l] != 0)
            *(view->y[p][l] < view->y[p + 1][l] ? &rows->rise[l] : &rows->fall[l]) = offset[l];
}

HL_CLONES void hl_task_add_above(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view)
{
    const struct hl_stretch *stretch = view->stretch;
    const eight one = ONE, none = {0};
    eight t0 = CONST_ROW(stretch->t0), length = CONST_ROW(stretch->length);
    bits in;
    take_part(task, stretch, &in);
    for (size_t p = 0; p < view->n_pieces; p++) {
        eight at = CONST_ROW(view->at[p]), to = CONST_ROW(view->at[p + 1]);
        bits above = CONST_ROW(view->y[p]) > task->theta, above_after = CONST_ROW(view->y[p + 1]) > task->theta;
        bits there = in & (to > at), passes = there & (above ^ above_after), spent = there & (above | above_after);
        eight begin = t0 + at, end = PICK(to == length, CONST_ROW(stretch->t1), t0 + to);
        if (any(&passes)) {
            hl_row wanted, offset;
            ROW(wanted) = PICK(passes, one, none);
            cross(task, rows, view, p, wanted, offset);
            eight middle = t0 + ROW(offset);
            begin = PICK(passes & ~above, middle, begin);
            end = PICK(passes & above, middle, end);
        }
        add_above(rows, &spent, &begin, &end);
    }
}

HL_CLONES void hl_task_add_area(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view)
{
    hl_row area;
    eight none = {0};
    bits in;
    take_part(task, view->stretch, &in);
    if (!any(&in))
        return;
    view->stretch->kind->area(view->stretch, view->k, view->stretch->length, area);
    ROW(rows->sum) += PICK(in, ROW(area), none);
}

HL_CLONES void hl_task_note_end(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view)
{
    bits in;
    take_part(task, view->stretch, &in);
    ROW(rows->last) = PICK(in, CONST_ROW(view->right), ROW(rows->last));
}
