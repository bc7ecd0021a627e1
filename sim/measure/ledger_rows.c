/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tally.c does with one lane, done with eight. A lane takes part when its stretch isn't empty and its middle lies
 * in the task's window; the others keep what they have. Selections by comparison, never branches by lane: what a lane
 * gets can't depend on its neighbours. */
#include "measure/ledger_rows.h"

#include <math.h>

#include "base/eight.h"
#include "base/four.h"

typedef hl_eight eight;

/* Lanes in the window. */
INLINE void be_inside(const struct hl_task *task, const struct hl_stretch *stretch, eight *in)
{
    CONSTANTS;
    eight middle = 0.5 * (CONST_ROW(stretch->t0, 0) + CONST_ROW(stretch->t1, 0));
    *in = LESS(task->from * one, middle) * LESS(middle, task->to * one) * LESS(none, CONST_ROW(stretch->length, 0));
}

/* Lanes that take part. */
INLINE void take_part(const struct hl_task *task, const struct hl_task_rows *rows, const struct hl_stretch *stretch,
                      eight *in)
{
    be_inside(task, stretch, in);
    *in *= CONST_ROW(rows->part, 0);
}

HL_CLONES void hl_task_window(const struct hl_task *task, const struct hl_stretch *stretch, double *in)
{
    eight inside;
    be_inside(task, stretch, &inside);
    ROW(in, 0) = inside;
}

HL_CLONES void hl_task_begin(const struct hl_task *task, struct hl_task_rows *rows)
{
    static const hl_row everybody = {1, 1, 1, 1, 1, 1, 1, 1};
    CONSTANTS;
    ROW(rows->best, 0) = (task->kind == HL_TASK_MAX ? -HL_NEVER : HL_NEVER) * one;
    ROW(rows->first, 0) = HL_NEVER * one;
    ROW(rows->end, 0) = -HL_NEVER * one;
    ROW(rows->sum, 0) = ROW(rows->later, 0) = ROW(rows->spell, 0) = ROW(rows->longest, 0) = none;
    ROW(rows->best_time, 0) = ROW(rows->last, 0) = ROW(rows->rise, 0) = ROW(rows->fall, 0) = NAN * one;
    rows->part = everybody;
    rows->looks = true;
}

HL_CLONES size_t hl_row_with_any(const double *rows, size_t from, size_t to)
{
    while (from < to && !any(&CONST_ROW(rows, from)))
        from++;
    return from;
}

/* y at time in lanes of flag when it is better than best. */
INLINE void improve(bool largest, const eight *flag, const eight *y, const eight *time, eight *best, eight *best_time)
{
    CONSTANTS;
    eight better = *flag * (largest ? LESS(*best, *y) : LESS(*y, *best));
    *best = PICK(better, *y, *best);
    *best_time = PICK(better, *time, *best_time);
}

/* What a value must exceed (or fall below) to count as better than the best so far: at steady state every interval has
 * the same peak but for rounding, and the first of equals is asked for. */
INLINE void hurdle(const struct hl_task_rows *rows, bool largest, eight *limit)
{
    CONSTANTS;
    eight best = CONST_ROW(rows->best, 0), slack = HL_SAME * SIZE(best);
    *limit = largest ? best + slack : best - slack;
}

/* Sets wanted to at least kind in lanes of flag. */
INLINE void want(double *wanted, const eight *flag, const eight *kind)
{
    CONSTANTS;
    eight most = ROW(wanted, 0), asked = *flag * *kind;
    ROW(wanted, 0) = GREATER(asked, most);
}

HL_CLONES bool hl_task_may_turn(const struct hl_task *task, const struct hl_task_rows *rows, const struct hl_view *view,
                                double *wanted)
{
    CONSTANTS;
    bool largest = task->kind == HL_TASK_MAX;
    eight left = CONST_ROW(view->left, 0), right = CONST_ROW(view->right, 0), limit, in, may, kind = one;
    take_part(task, rows, view->stretch, &in);
    hurdle(rows, largest, &limit);
    if (largest) {
        eight bound = CONST_ROW(view->high, 0);
        may = in * NOT(AT_MOST(bound, limit)) * LESS(left, bound) * LESS(right, bound);
    } else {
        eight bound = CONST_ROW(view->low, 0);
        may = in * NOT(AT_MOST(limit, bound)) * LESS(bound, left) * LESS(bound, right);
        kind = one + one;
    }
    want(wanted, &may, &kind);
    return any(&may);
}

HL_CLONES void hl_task_note_extremum(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view)
{
    CONSTANTS;
    const struct hl_stretch *stretch = view->stretch;
    bool largest = task->kind == HL_TASK_MAX;
    eight t0 = CONST_ROW(stretch->t0, 0), t1 = CONST_ROW(stretch->t1, 0), length = CONST_ROW(stretch->length, 0), limit;
    eight y = CONST_ROW(view->left, 0), time = t0, right = CONST_ROW(view->right, 0), in;
    take_part(task, rows, stretch, &in);
    for (size_t p = 1; p < view->n_pieces; p++) {
        eight at = CONST_ROW(view->at[p], 0), value = CONST_ROW(view->y[p], 0), then = t0 + at;
        eight inner = in * LESS(at, length);
        improve(largest, &inner, &value, &then, &y, &time);
    }
    improve(largest, &in, &right, &t1, &y, &time);
    hurdle(rows, largest, &limit);
    eight better = in * NOT(largest ? AT_MOST(y, limit) : AT_MOST(limit, y));
    ROW(rows->best, 0) = PICK(better, y, ROW(rows->best, 0));
    ROW(rows->best_time, 0) = PICK(better, time, ROW(rows->best_time, 0));
}

HL_CLONES bool hl_task_may_cross(const struct hl_task *task, const struct hl_task_rows *rows,
                                 const struct hl_view *view, double *wanted)
{
    CONSTANTS;
    eight in, theta = task->theta * one;
    take_part(task, rows, view->stretch, &in);
    eight may = in * AT_MOST(CONST_ROW(view->low, 0), theta) * LESS(theta, CONST_ROW(view->high, 0));
    eight kind = one + LESS(theta, CONST_ROW(view->left, 0)); /* 1: a dip of what is below anyway */
    want(wanted, &may, &kind);
    return any(&may);
}

/* [from, to] has been spent above in lanes of flag: tally.c's add_above. */
INLINE void add_above(struct hl_task_rows *rows, const eight *flag, const eight *from, const eight *to)
{
    CONSTANTS;
    eight first = ROW(rows->first, 0), spell = ROW(rows->spell, 0), end = ROW(rows->end, 0), hours = *to - *from;
    ROW(rows->first, 0) = PICK(*flag * LESS(0.1 * HL_NEVER * one, first), *from, first);
    ROW(rows->sum, 0) += PICK(*flag, hours, none);
    eight on = spell + hours, longer = PICK(EQUAL(end, *from), on, hours);
    spell = PICK(*flag, longer, spell);
    ROW(rows->spell, 0) = spell;
    ROW(rows->end, 0) = PICK(*flag, *to, end);
    ROW(rows->longest, 0) = GREATER(spell, CONST_ROW(rows->longest, 0));
}

HL_CLONES bool hl_task_add_run_above(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view,
                                     const double *low, const double *high, const double *unknown, const double *end,
                                     double *mixed)
{
    CONSTANTS;
    eight in, theta = task->theta * one, open = CONST_ROW(unknown, 0), above = none;
    take_part(task, rows, view->stretch, &in);
    if (low) {
        above = in * NOT(open) * LESS(theta, CONST_ROW(low, 0));
        add_above(rows, &above, &CONST_ROW(view->stretch->t0, 0), &CONST_ROW(end, 0));
    }
    eight between = in * EITHER(open, NOT(above) * LESS(theta, CONST_ROW(high, 0)));
    ROW(mixed, 0) = between;
    return any(&between);
}

HL_CLONES void hl_task_add_part(struct hl_task_rows *rows, const double *t0, const double *t1, const double *length,
                                const double *from, const double *to)
{
    CONSTANTS;
    eight begin = CONST_ROW(from, 0), end = CONST_ROW(to, 0), some = LESS(begin, end);
    end = PICK(LESS(end, CONST_ROW(length, 0)), CONST_ROW(t0, 0) + end, CONST_ROW(t1, 0));
    begin += CONST_ROW(t0, 0);
    add_above(rows, &some, &begin, &end);
}

/* Offsets of the crossings in piece p of the lanes in which the ends lie on different sides. */
INLINE void cross(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view, size_t p,
                  const double *wanted, double *offset)
{
    CONSTANTS;
    hl_row level;
    eight rises = LESS(CONST_ROW(view->y[p], 0), CONST_ROW(view->y[p + 1], 0)), flag = CONST_ROW(wanted, 0);
    ROW(level, 0) = task->theta * one;
    ROW(offset, 0) = PICK(rises, CONST_ROW(rows->rise, 0), CONST_ROW(rows->fall, 0));
    view->stretch->kind->crossing(view->stretch, view->k, level, view->at[p], view->at[p + 1], view->y[p],
                                  view->y[p + 1], wanted, offset);
    ROW(rows->rise, 0) = PICK(flag * rises, CONST_ROW(offset, 0), CONST_ROW(rows->rise, 0));
    ROW(rows->fall, 0) = PICK(flag * NOT(rises), CONST_ROW(offset, 0), CONST_ROW(rows->fall, 0));
}

HL_CLONES void hl_task_add_above(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view)
{
    CONSTANTS;
    const struct hl_stretch *stretch = view->stretch;
    eight t0 = CONST_ROW(stretch->t0, 0), length = CONST_ROW(stretch->length, 0), theta = task->theta * one, in;
    take_part(task, rows, stretch, &in);
    eight above = LESS(theta, CONST_ROW(view->y[0], 0)), begin = t0;
    for (size_t p = 0; p < view->n_pieces; p++) {
        eight at = CONST_ROW(view->at[p], 0), to = CONST_ROW(view->at[p + 1], 0);
        eight above_after = LESS(theta, CONST_ROW(view->y[p + 1], 0));
        eight there = in * LESS(at, to), passes = there * DIFFERENT(above, above_after);
        eight spent = there * EITHER(above, above_after), after = t0 + to;
        after = PICK(EQUAL(to, length), CONST_ROW(stretch->t1, 0), after);
        eight end = after;
        if (any(&passes)) {
            hl_row wanted, offset;
            ROW(wanted, 0) = passes;
            cross(task, rows, view, p, wanted, offset);
            eight middle = t0 + ROW(offset, 0);
            begin = PICK(passes * above_after, middle, begin);
            end = PICK(passes * above, middle, end);
        }
        add_above(rows, &spent, &begin, &end);
        above = above_after;
        begin = after;
    }
}

HL_CLONES void hl_task_add_area(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view,
                                bool run)
{
    CONSTANTS;
    hl_row area;
    eight in;
    take_part(task, rows, view->stretch, &in);
    if (!any(&in))
        return;
    if (run)
        view->stretch->kind->run_area(view->stretch, view->k, area);
    else
        view->stretch->kind->area(view->stretch, view->k, view->stretch->length, area);
    ROW(rows->sum, 0) += PICK(in, ROW(area, 0), none);
}

HL_CLONES void hl_task_note_end(const struct hl_task *task, struct hl_task_rows *rows, const struct hl_view *view)
{
    CONSTANTS;
    eight in;
    take_part(task, rows, view->stretch, &in);
    ROW(rows->last, 0) = PICK(in, CONST_ROW(view->right, 0), ROW(rows->last, 0));
}

HL_CLONES void hl_rows_to_lanes(const double *rows, size_t n, double *values, size_t width)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t half = 0; half < HL_LANES; half += 4) {
            const double *from = rows + i * HL_LANES, *row[] = {from, from + HL_LANES, from + 2 * HL_LANES,
                                                                from + 3 * HL_LANES};
            hl_four x[4];
            hl_four_turn(row, half, x);
            double *to = values + half * width + i;
            *(hl_four *)(void *)to = x[0]; /* a loop would go through memory */
            *(hl_four *)(void *)(to + width) = x[1];
            *(hl_four *)(void *)(to + 2 * width) = x[2];
            *(hl_four *)(void *)(to + 3 * width) = x[3];
        }
    for (; i < n; i++)
        for (size_t l = 0; l < HL_LANES; l++)
            values[l * width + i] = rows[i * HL_LANES + l];
}
