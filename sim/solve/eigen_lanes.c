/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight eigensystems at once: what is known from the shape alone, and the choice of a kernel (eigen_kernel.h, where
 * the method is told). Which entries of A, V and W can differ from zero is the same for every subject, and so is the
 * list of products that each entry of a product of two such matrices is the sum of. */
#include "solve/eigen_lanes.h"

#include <string.h>

#include "base/memory.h"
#include "solve/eigen_parts.h"

/* ---- What is multiplied with what */

static void write_recipe(struct recipe *r, const struct hl_shape *shape, const bool *left)
{
    size_t n = shape->n;
    bool alone[MOST_STATES] = {false};
    for (size_t b = 0; b < shape->n_blocks; b++)
        alone[shape->start[b]] = shape->start[b + 1] - shape->start[b] == 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            size_t before = r->n_products;
            for (size_t k = 0; shape->reach[i * n + j] && k < n; k++)
                if (left[i * n + k] && shape->reach[k * n + j])
                    r->product[r->n_products++] =
                        (struct product){i * n + k, k * n + j, i == k && alone[i], k == j && alone[j]};
            if (shape->reach[i * n + j])
                r->sum[r->n_sums++] = (struct sum){i * n + j, r->n_products - before};
        }
}

static bool fits(const struct hl_shape *shape)
{
    bool good = shape->n <= MOST_STATES;
    for (size_t b = 0; b < shape->n_blocks; b++)
        good = good && shape->start[b + 1] - shape->start[b] <= LARGEST_BLOCK;
    return good;
}

static bool recipe_alloc(struct recipe *r, size_t n)
{
    r->sum = hl_alloc(n * n, sizeof *r->sum);
    r->product = hl_alloc(n * n * n, sizeof *r->product);
    return r->sum && r->product;
}

/* Hands out the rooms of all arrays: rows of eight, which kernels of fewer lanes don't use up. */
static bool take_rooms(struct hl_eigen_lanes *e, size_t n)
{
    double **square[] = {&e->A, &e->A_rest, &e->V, &e->W, &e->E, &e->F, &e->T_rest, &e->M, &e->M_rest, &e->terms,
                         &e->peak};
    double **split[] = {&e->of_A, &e->of_V, &e->of_W, &e->of_T};
    double **line[] = {&e->lambda, &e->x, &e->exponential};
    size_t squares = sizeof square / sizeof *square, splits = sizeof split / sizeof *split;
    size_t row = HL_ROW * sizeof(double);
    double *room = e->room = hl_alloc((squares + 2 * splits) * n * n + 3 * n + e->full.n_products, row);
    if (!room)
        return false;
    for (size_t k = 0; k < squares; k++, room += n * n * HL_ROW)
        *square[k] = room;
    for (size_t k = 0; k < splits; k++, room += 2 * n * n * HL_ROW)
        *split[k] = room;
    for (size_t k = 0; k < 3; k++, room += n * HL_ROW)
        *line[k] = room;
    e->term = room;
    return true;
}

struct hl_eigen_lanes *hl_eigen_lanes_create(const struct hl_component *component)
{
    const struct hl_shape *shape = &component->shape;
    struct hl_eigen_lanes *e = hl_alloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->component = component;
    e->fits = fits(shape);
    hl_eigen_lanes_widen(e, HL_WIDTH_EIGHT);
    size_t n = e->fits ? shape->n : 0;
    e->edge = hl_alloc(n * n, sizeof *e->edge);
    bool good = recipe_alloc(&e->with_edges, n) && recipe_alloc(&e->full, n) && e->edge;
    for (size_t k = 0; good && e->fits && k < component->n_entries; k++)
        e->edge[component->entry[k].row * n + component->entry[k].col] = true;
    if (good && e->fits) {
        write_recipe(&e->with_edges, shape, e->edge);
        write_recipe(&e->full, shape, shape->reach);
    }
    if (good && take_rooms(e, n))
        return e;
    hl_eigen_lanes_free(e);
    return NULL;
}

void hl_eigen_lanes_free(struct hl_eigen_lanes *e)
{
    if (!e)
        return;
    void *part[] = {e->edge, e->with_edges.sum, e->with_edges.product, e->full.sum, e->full.product, e->room, e};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

void hl_eigen_lanes_widen(struct hl_eigen_lanes *e, enum hl_width most)
{
    enum hl_width width = hl_glide_width() < most ? hl_glide_width() : most;
    e->part = width == HL_WIDTH_EIGHT ? 8 : width == HL_WIDTH_FOUR ? 4 : 2;
    e->kernel = width == HL_WIDTH_EIGHT ? hl_eigen_eight : width == HL_WIDTH_FOUR ? hl_eigen_four : hl_eigen_two;
}

unsigned hl_eigen_lanes_solve(struct hl_eigen_lanes *e, const double *regs, size_t stride, const double *horizon,
                              double *lambda, double *V, double *W)
{
    size_t n = e->component->shape.n, row = HL_ROW * sizeof(double);
    unsigned solved = 0;
    if (!e->fits) {
        memset(lambda, 0, n * row);
        memset(V, 0, n * n * row);
        memset(W, 0, n * n * row);
        return 0;
    }
    for (size_t l = 0; l < HL_ROW; l += e->part)
        solved |= e->kernel(e, regs + l, stride, horizon + l, lambda + l, V + l, W + l) << l;
    return solved;
}
