/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A forecast of some of a forecast's subjects, their lanes moved together. Which subjects decide a question (those near
 * a bound, say) lie scattered over the blocks, and a block costs the same whether one of its lanes is wanted or all.
 * Nothing is computed anew: constants, matrices, start values and courses of each lane are copied, so every subject
 * keeps its numbers. Where a subject has no entry of a course at a step at which another one has, its own is
 * nothing. */
#include <string.h>

#include "taper/forecast_parts.h"

#define LANES HL_FORECAST_LANES

/* Where a lane of a new block comes from. */
struct origin { const struct hl_forecast_block *block; size_t lane; };

static void copy_lane(const double *from, size_t lane, double *to, size_t l, size_t n)
{
    for (size_t k = 0; k < n; k++)
        ROW_OF(to, k)[l] = ROW_OF(from, k)[lane];
}

static void copy_inputs(struct hl_arena *arena, const double *from, size_t lane, double **to, size_t l, size_t n)
{
    if (!from)
        return;
    if (!*to)
        *to = hl_arena_alloc(arena, n * LANES, sizeof **to);
    copy_lane(from, lane, *to, l, n);
}

static void copy_course(struct hl_arena *arena, const struct hl_forecast_course *from, size_t lane,
                        struct hl_forecast_course *to, size_t l, size_t n)
{
    for (size_t k = 0; k < from->n; k++) {
        const struct hl_forecast_entry *e = &from->entry[k];
        struct hl_forecast_entry *mine = hl_forecast_entry_of(arena, to, e->step, n);
        copy_lane(e->v, lane, mine->v, l, n);
        copy_inputs(arena, e->u0, lane, &mine->u0, l, n);
        copy_inputs(arena, e->u1, lane, &mine->u1, l, n);
    }
}

/* One lane of a block that has its room. */
static void take_lane(const struct hl_forecast *f, struct hl_forecast_block *block, size_t l, struct origin origin)
{
    const struct hl_forecast_block *from = origin.block;
    const struct hl_forecast_system *s = &f->system;
    copy_lane(from->file, origin.lane, block->file, l, s->n_rows);
    copy_lane(from->phi, origin.lane, block->phi, l, f->grid.n_kinds * s->n_pairs);
    copy_lane(from->rate, origin.lane, block->rate, l, s->n_entries);
    copy_lane(from->x0, origin.lane, block->x0, l, s->n);
    copy_lane(from->z0, origin.lane, block->z0, l, s->m);
    block->failed[l] = from->failed[origin.lane];
    for (size_t k = 0; l < block->n && k < f->n_streams; k++)
        copy_course(block->arena, &from->stream[k], origin.lane, &block->stream[k], l, s->n);
    if (l < block->n)
        copy_course(block->arena, &from->before, origin.lane, &block->before, l, s->n);
}

static bool take_block(const struct hl_forecast *whole, struct hl_forecast *f, size_t number, const size_t *subject)
{
    struct hl_forecast_block *block = &f->block[number];
    size_t done = number * LANES, left = f->n_subjects - done;
    block->first = done + 1;
    block->n = left < LANES ? left : LANES;
    if (!hl_forecast_block_alloc(f, block))
        return false;
    for (size_t l = 0; l < LANES; l++) {
        size_t which = subject[done + (l < block->n ? l : block->n - 1)];
        take_lane(f, block, l, (struct origin){&whole->block[which / LANES], which % LANES});
    }
    hl_forecast_sort_arrivals(f, block);
    return true;
}

struct hl_forecast *hl_forecast_some(const struct hl_forecast *whole, const size_t *subject, size_t n)
{
    struct hl_forecast *f = hl_alloc(1, sizeof *f);
    if (!f)
        return NULL;
    *f = *whole;
    f->n_subjects = n;
    f->n_blocks = (n + LANES - 1) / LANES;
    f->own = hl_arena_create();
    if (!f->own) {
        hl_free(f);
        return NULL;
    }
    f->block = hl_arena_alloc(f->own, f->n_blocks, sizeof *f->block);
    uint64_t *number = hl_arena_alloc(f->own, n, sizeof *number);
    for (size_t k = 0; k < n; k++)
        number[k] = hl_forecast_number(whole, subject[k]);
    f->number = number;
    f->outlook.context = f;
    f->outlook.n_subjects = n;
    for (size_t b = 0; b < f->n_blocks; b++)
        if (!take_block(whole, f, b, subject)) {
            hl_forecast_free(f);
            return NULL;
        }
    return f;
}
