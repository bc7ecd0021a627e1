/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of eight: entry e of lane l stands at [e * 8 + l]. All arrays of all groups are one piece of memory, which the
 * first group owns. */
#include "solve/modes_rows.h"

#include <string.h>

#include "base/memory.h"
#include "base/vector.h"

struct hl_modes_rows *hl_modes_rows_create(const struct hl_plan *plan, size_t n_groups)
{
    size_t own = (2 * plan->n_modes + 2 * plan->n_squares) * HL_ROW;
    struct hl_modes_rows *rows = hl_alloc(n_groups > 0 ? n_groups : 1, sizeof *rows);
    double *room = hl_alloc(n_groups * own, sizeof *room);
    if (!rows || !room) {
        hl_free(rows);
        hl_free(room);
        return NULL;
    }
    rows[0].lambda = room;
    for (size_t k = 0; k < n_groups; k++, room += own) {
        rows[k].lambda = room;
        rows[k].z = room + plan->n_modes * HL_ROW;
        rows[k].V = rows[k].z + plan->n_modes * HL_ROW;
        rows[k].W = rows[k].V + plan->n_squares * HL_ROW;
    }
    return rows;
}

void hl_modes_rows_free(struct hl_modes_rows *rows)
{
    if (rows)
        hl_free(rows[0].lambda);
    hl_free(rows);
}

void hl_modes_rows_put(struct hl_modes_rows *rows, const struct hl_plan *plan, size_t l, const struct hl_modes *modes)
{
    rows->odd[l] = false;
    for (size_t c = 0; c < plan->n_components; c++)
        rows->odd[l] = rows->odd[l] || modes[c].kind != HL_MODES_REAL;
    for (size_t c = 0; c < plan->n_components; c++) {
        size_t n = plan->component[c].shape.n, offset = plan->component[c].offset, square = plan->component[c].square;
        for (size_t j = 0; j < n; j++)
            rows->lambda[(offset + j) * HL_ROW + l] = rows->odd[l] ? 0 : modes[c].re[j];
        for (size_t e = 0; e < n * n; e++) {
            rows->V[(square + e) * HL_ROW + l] = modes[c].V[e];
            rows->W[(square + e) * HL_ROW + l] = modes[c].W[e];
        }
    }
}

void hl_modes_rows_blank(struct hl_modes_rows *rows, const struct hl_plan *plan, size_t l)
{
    rows->odd[l] = false;
    for (size_t j = 0; j < plan->n_modes; j++)
        rows->lambda[j * HL_ROW + l] = rows->z[j * HL_ROW + l] = 0;
    for (size_t e = 0; e < plan->n_squares; e++)
        rows->V[e * HL_ROW + l] = rows->W[e * HL_ROW + l] = 0;
}

unsigned hl_row_is_finite(const double *x)
{
    unsigned finite = 0;
    for (unsigned l = 0; l < HL_ROW; l++)
        finite |= x[l] - x[l] == 0.0 ? 1u << l : 0;
    return finite;
}

HL_CLONES static void add_states(const double *W, size_t n, size_t k, const double *x, double *z)
{
    for (size_t j = 0; j < n; j++) {
        const double *row = W + (j * n + k) * HL_ROW;
#pragma omp simd
        for (size_t l = 0; l < HL_ROW; l++)
            z[j * HL_ROW + l] += row[l] * x[l];
    }
}

unsigned hl_modes_rows_project(const double *W, const struct hl_component *component, const double *const *x,
                               double *z)
{
    size_t n = component->shape.n;
    unsigned finite = (1u << HL_ROW) - 1;
    memset(z, 0, n * HL_ROW * sizeof *z);
    for (size_t k = 0; k < n; k++) {
        if (!x[k])
            continue;
        finite &= hl_row_is_finite(x[k]);
        add_states(W + component->square * HL_ROW, n, k, x[k], z);
    }
    return finite;
}
