/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every component of eight subjects goes through eigen_lanes.c. A lane that comes back unsolved from any component gets
 * its struct hl_modes at once: the solved components from the rows, the others by hl_modes_make; and the rows get what
 * that found. All other lanes have theirs written when somebody asks, which in an arm without integration or listeners
 * is nobody. */
#include "solve/apart.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/eigen_lanes.h"

static bool alloc(struct hl_apart *a)
{
    const struct hl_plan *plan = a->plan;
    size_t n_groups = (a->max_lanes + HL_ROW - 1) / HL_ROW, n = n_groups * HL_ROW;
    a->lanes = hl_alloc(plan->n_components, sizeof *a->lanes);
    a->work = hl_modes_work_create(plan->largest);
    a->rows = hl_modes_rows_create(plan, n_groups);
    a->modes = hl_alloc(n * plan->n_components, sizeof *a->modes);
    a->written = hl_alloc(n, sizeof *a->written);
    if (!a->lanes || !a->work || !a->rows || !a->modes || !a->written)
        return false;
    for (size_t c = 0; c < plan->n_components; c++)
        if (!(a->lanes[c] = hl_eigen_lanes_create(&plan->component[c])))
            return false;
    for (size_t k = 0; k < n * plan->n_components; k++)
        if (hl_modes_init(&a->modes[k], plan->component[k % plan->n_components].shape.n) != HL_OK)
            return false;
    return true;
}

struct hl_apart *hl_apart_create(const struct hl_plan *plan, size_t max_lanes)
{
    struct hl_apart *a = hl_alloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->plan = plan;
    a->max_lanes = max_lanes;
    if (alloc(a))
        return a;
    hl_apart_free(a);
    return NULL;
}

void hl_apart_free(struct hl_apart *a)
{
    if (!a)
        return;
    size_t n = (a->max_lanes + HL_ROW - 1) / HL_ROW * HL_ROW;
    for (size_t c = 0; a->lanes && c < a->plan->n_components; c++)
        hl_eigen_lanes_free(a->lanes[c]);
    for (size_t k = 0; a->modes && k < n * a->plan->n_components; k++)
        hl_modes_clear(&a->modes[k]);
    hl_modes_rows_free(a->rows);
    hl_modes_work_free(a->work);
    void *part[] = {a->lanes, a->modes, a->written, a};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* The rate matrix of one component for one subject, summed with guard digits: the diagonal, a sum of everything that
 * leaves, must balance what arrives elsewhere or mass is lost by rounding. */
static void fill_matrix(const struct hl_apart *a, size_t c, size_t lane, struct hl_modes *modes)
{
    const struct hl_component *component = &a->plan->component[c];
    size_t n = component->shape.n;
    memset(modes->exact, 0, n * n * sizeof *modes->exact);
    for (size_t k = 0; k < component->n_entries; k++)
        modes->exact[component->entry[k].row * n + component->entry[k].col] +=
            (long double)hl_reg(a->regs, a->stride, lane, component->entry[k].reg, 0);
}

/* The struct of a component that was solved side by side. */
static void write_modes(const struct hl_apart *a, size_t c, size_t lane)
{
    const struct hl_component *component = &a->plan->component[c];
    const struct hl_modes_rows *rows = &a->rows[lane / HL_ROW];
    struct hl_modes *modes = &a->modes[lane * a->plan->n_components + c];
    size_t l = lane % HL_ROW;
    fill_matrix(a, c, lane, modes);
    hl_modes_set_real(modes, rows->lambda + component->offset * HL_ROW + l, rows->V + component->square * HL_ROW + l,
                      rows->W + component->square * HL_ROW + l, HL_ROW);
}

struct hl_modes *hl_apart_modes(struct hl_apart *a, size_t lane)
{
    for (size_t c = 0; !a->written[lane] && c < a->plan->n_components; c++)
        write_modes(a, c, lane);
    a->written[lane] = true;
    return &a->modes[lane * a->plan->n_components];
}

/* A lane alone. solved: by component, the lanes of its eight that were solved side by side. */
static bool take_alone(struct hl_apart *a, size_t lane, double horizon, const unsigned *solved)
{
    struct hl_modes *modes = &a->modes[lane * a->plan->n_components];
    for (size_t c = 0; c < a->plan->n_components; c++) {
        if (solved[c] >> lane % HL_ROW & 1) {
            write_modes(a, c, lane);
            continue;
        }
        fill_matrix(a, c, lane, &modes[c]);
        if (hl_modes_make(&modes[c], &a->plan->component[c].shape, horizon, a->work) != HL_OK)
            return false;
    }
    a->written[lane] = true;
    return true;
}

unsigned hl_apart_take(struct hl_apart *a, const double *regs, size_t stride, size_t first, const double *horizon,
                       unsigned wanted)
{
    const struct hl_plan *plan = a->plan;
    struct hl_modes_rows *rows = &a->rows[first / HL_ROW];
    unsigned solved[plan->n_components + 1], all = wanted;
    a->regs = regs;
    a->stride = stride;
    memset(rows->odd, 0, sizeof rows->odd);
    for (size_t c = 0; c < plan->n_components; c++) {
        size_t offset = plan->component[c].offset * HL_ROW, square = plan->component[c].square * HL_ROW;
        solved[c] = hl_eigen_lanes_solve(a->lanes[c], regs + first, stride, horizon, rows->lambda + offset,
                                         rows->V + square, rows->W + square);
        all &= solved[c];
    }
    for (size_t l = 0; l < HL_ROW; l++) {
        a->written[first + l] = false;
        if (all >> l & 1)
            continue;
        bool alone = wanted >> l & 1 && take_alone(a, first + l, horizon[l], solved);
        if (alone)
            hl_modes_rows_put(rows, plan, l, &a->modes[(first + l) * plan->n_components]);
        else
            hl_modes_rows_blank(rows, plan, l);
        all |= alone ? 1u << l : 0;
    }
    return all;
}
