/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a period. Doses come at the same hours again and again, so the steps do, too: short just after an
 * arrival, where an index has its sharp maximum, longer the longer nothing has happened. Every arrival has a point of
 * the grid, and there a step of length 0, over which values jump and slopes break: between two points of the grid
 * everything is smooth. Lengths are halves, quarters and so on of an hour as far as possible, so that few matrices Phi
 * serve them all.
 *
 * The grid is one for all subjects and must not depend on who they are (or a subject's numbers would depend on its
 * neighbours). Arrivals at a subject's own times (individual lags) are therefore given no points: steps are then all of
 * the shortest length, and such arrivals fall inside them, which is exact for what is linear at the steps' ends. */
#include <math.h>

#include "taper/forecast_parts.h"

#define GROWTH 0.25 /* a step's length, of the time since the last arrival */

static int kind_of(struct hl_arena *arena, struct hl_forecast_grid *g, double length)
{
    for (size_t k = 0; k < g->n_kinds; k++)
        if (fabs(g->length[k] - length) < HL_FORECAST_NEAR)
            return (int)k;
    g->length = hl_arena_push(arena, g->length, g->n_kinds, &g->kinds_capacity, sizeof *g->length);
    g->length[g->n_kinds] = length;
    g->shortest = g->n_kinds == 0 ? length : fmin(g->shortest, length);
    g->longest = fmax(g->longest, length);
    return (int)g->n_kinds++;
}

/* The largest finest * 2^k that is at most length and the longest. */
static double regular(double length, double finest, double longest)
{
    double h = finest;
    while (2 * h <= fmin(length, longest) + HL_FORECAST_NEAR)
        h *= 2;
    return h;
}

struct maker {
    struct hl_arena *arena;
    struct hl_forecast_grid *grid;
    size_t capacity, start_capacity;
    double at, finest, longest;
};

static void put(struct maker *m, double length)
{
    struct hl_forecast_grid *g = m->grid;
    g->step = hl_arena_push(m->arena, g->step, g->n, &m->capacity, sizeof *g->step);
    g->start = hl_arena_push(m->arena, g->start, g->n, &m->start_capacity, sizeof *g->start);
    int kind = length > 0 ? kind_of(m->arena, g, length) : -1;
    g->start[g->n] = m->at;
    g->step[g->n++] = (struct hl_forecast_step){length > 0 ? g->length[kind] : 0, kind};
    m->at += length;
}

/* Steps up to an offset, the last arrival having been at since (perhaps in the period before). */
static void fill_to(struct maker *m, double stop, double since, bool grow)
{
    while (stop - m->at > HL_FORECAST_NEAR) {
        double h = grow ? regular(GROWTH * (m->at - since), m->finest, m->longest) : m->finest;
        double left = stop - m->at;
        h = fmin(h, m->longest);
        put(m, left < 1.001 * h ? left : left < 1.5 * h ? 0.5 * left : h); /* no sliver at the end */
    }
    m->at = stop;
}

void hl_forecast_grid_make(struct hl_arena *arena, struct hl_forecast_grid *grid, double period, const double *arrival,
                           size_t n, bool common, double finest, double longest)
{
    struct maker m = {.arena = arena, .grid = grid, .finest = finest, .longest = longest};
    double since = n > 0 ? arrival[n - 1] - period : -period;
    grid->period = period;
    for (size_t i = 0; i < n; i++) {
        fill_to(&m, arrival[i], since, common);
        put(&m, 0);
        since = arrival[i];
    }
    fill_to(&m, period, since, common);
    put(&m, 0);
    grid->n--;
    grid->start[grid->n] = period;
}

static void make_tail(struct hl_arena *arena, struct hl_forecast_grid *g, size_t number, double hours, double longest)
{
    size_t capacity = 0, n = 0;
    struct hl_forecast_step *tail = NULL;
    double left = hours, after = (double)(number + 1) * g->period;
    while (left > HL_FORECAST_NEAR) {
        double h = fmin(left, fmin(longest, regular(fmax(after / 8, 0.5), 0.5, longest)));
        int kind = kind_of(arena, g, h);
        tail = hl_arena_push(arena, tail, n, &capacity, sizeof *tail);
        tail[n++] = (struct hl_forecast_step){g->length[kind], kind};
        left -= h;
        after += h;
    }
    g->tail[number] = tail;
    g->n_tail[number] = n;
}

void hl_forecast_grid_tails(struct hl_arena *arena, struct hl_forecast_grid *g, double follow, double longest)
{
    for (size_t k = 0; k < HL_FORECAST_TAILS; k++)
        make_tail(arena, g, k, follow - (double)(k + 1) * g->period, longest);
}
