/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A block of subjects over one step of the grid, h long.
 *
 *   linear     x1 = Phi x + sum of amounts times unit courses, exact
 *   the rest   z' = f(x, z) by the corrector with slopes g = df/dt at both ends (Hermite; Obreshkov's formula of order
 *              4; Hairer, Norsett and Wanner 1993, Solving ordinary differential equations I, III.7):
 *                  zp = z + h f + h^2/2 g,   z1 = z + h/2 (f + f1) + h^2/12 (g - g1),   f1, g1 at x1 and zp.
 *              Where z is slow against a step, what is left of zp's error in f1 is small, and f1, g1 serve the next
 *              step as they are: one look at the rates per step. Where it isn't (forecast_fill.c tells from the
 *              typical subject), z1 takes the place of zp twice.
 *   outputs    values and slopes at both ends
 *
 * All slopes are exact ones, by forward differentiation along x' = A x + u and z' = f. A moment at which doses arrive
 * is a step of length 0: x jumps, and rates, values and slopes are formed anew. Programs run over all lanes of the
 * block at once, so that the cost of reading an instruction is shared by all of them. */
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "taper/forecast_parts.h"

#define LANES HL_FORECAST_LANES
#define ROW_BYTES (LANES * sizeof(double))

struct hl_forecast_room *hl_forecast_room_create(const struct hl_forecast *f)
{
    const struct hl_forecast_system *s = &f->system;
    struct hl_forecast_room *r = hl_alloc(1, sizeof *r);
    if (!r)
        return NULL;
    size_t c = f->problem->n_constraints, rows = 2 * s->n_rows + 3 * s->n + 7 * s->m + 5 * c
                                                 + (f->back + 1) * f->n_streams;
    double *all = hl_alloc(rows * LANES + 1, sizeof *all);
    r->given = hl_alloc((f->back + 1) * f->n_streams + 1, sizeof *r->given);
    if (!all || !r->given) {
        hl_free(all), hl_free(r->given), hl_free(r);
        return NULL;
    }
    double **part[] = {&r->file, &r->dfile, &r->x, &r->x1, &r->dx, &r->z, &r->zp, &r->dz, &r->f, &r->f1,
                       &r->g, &r->g1, &r->y, &r->s, &r->y1, &r->s1, &r->statistic, &r->amount};
    size_t n = s->n, m = s->m, size[] = {s->n_rows, s->n_rows, n, n, n, m, m, m, m, m, m, m, c, c, c, c, c, 0};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
        *part[k] = all;
        all += size[k] * LANES;
    }
    r->forecast = f;
    return r;
}

void hl_forecast_room_free(struct hl_forecast_room *r)
{
    if (!r)
        return;
    hl_free(r->file);
    hl_free(r->given);
    hl_free(r);
}

void hl_forecast_room_enter(struct hl_forecast_room *r, const struct hl_forecast_block *block)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    r->block = block;
    for (size_t k = 0; k < s->n_rows; k++)
        if (s->is_constant[k])
            memcpy(ROW_OF(r->file, k), ROW_OF(block->file, k), ROW_BYTES);
    hl_program_run(&s->rates_dual.still, r->file, LANES);
    hl_program_run(&s->outputs_dual.still, r->file, LANES);
}

HL_CLONES void hl_forecast_advance(const struct hl_forecast_system *s, const double *phi, const double *x, double *x1)
{
    int row = -1;
    for (size_t k = 0; k < s->n_pairs; k++) {
        const double *p = ROW_OF(phi, k), *from = ROW_OF(x, s->pair[k].col);
        double *to = ROW_OF(x1, s->pair[k].row);
        if (s->pair[k].row != row) {
#pragma omp simd
            for (size_t l = 0; l < LANES; l++)
                to[l] = p[l] * from[l];
        } else {
#pragma omp simd
            for (size_t l = 0; l < LANES; l++)
                to[l] += p[l] * from[l];
        }
        row = s->pair[k].row;
    }
}

/* ---- What arrives. */

static const struct hl_forecast_entry *from_before(const struct hl_forecast_room *r)
{
    const struct hl_forecast_course *course = &r->block->before;
    size_t low = 0, high = course->n;
    if (r->step >= r->forecast->before_end)
        return NULL;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (course->entry[middle].step < r->step)
            low = middle + 1;
        else
            high = middle;
    }
    return low < course->n && course->entry[low].step == r->step ? &course->entry[low] : NULL;
}

bool hl_forecast_arrivals(const struct hl_forecast_room *r, hl_forecast_arrive *arrive, void *context)
{
    const struct hl_forecast *f = r->forecast;
    const struct hl_forecast_block *block = r->block;
    size_t phase = r->step % f->grid.n;
    bool any = false;
    for (size_t k = block->first_arrival[phase]; k < block->first_arrival[phase + 1]; k++) {
        const struct hl_forecast_arrival *a = &block->arrival[k];
        size_t at = a->age * f->n_streams + a->stream;
        if (!r->given[at])
            continue;
        any = true;
        arrive(context, ROW_OF(r->amount, at), a->v, a->u0, a->u1);
    }
    const struct hl_forecast_entry *e = from_before(r);
    if (e)
        arrive(context, NULL, e->v, e->u0, e->u1);
    return any || e;
}

/* to += amount v, rows of ordinary states; amount NULL is 1. */
HL_CLONES static void add_rows(size_t n, const double *amount, const double *v, double *to)
{
    for (size_t i = 0; i < n; i++) {
        const double *from = ROW_OF(v, i);
        double *row = ROW_OF(to, i);
#pragma omp simd
        for (size_t l = 0; l < LANES; l++)
            row[l] += amount ? amount[l] * from[l] : from[l];
    }
}

/* Which part of an entry is wanted, and where it is added. */
struct adding { size_t n; double *to; enum { AMOUNT, AT_START, AT_END } which; bool any; };

static void add_part(void *context, const double *amount, const double *v, const double *u0, const double *u1)
{
    struct adding *a = context;
    const double *part = a->which == AMOUNT ? v : a->which == AT_START ? u0 : u1;
    a->any = a->any || part;
    if (part)
        add_rows(a->n, amount, part, a->to);
}

/* ---- Rates, outputs, slopes. */

static void put_rows(const int *row_of, size_t n, const double *from, double *file)
{
    for (size_t i = 0; i < n; i++)
        if (row_of[i] >= 0)
            memcpy(ROW_OF(file, row_of[i]), ROW_OF(from, i), ROW_BYTES);
}

HL_CLONES void hl_forecast_slopes(const struct hl_forecast_system *s, const double *rate, const double *x, double *dx)
{
    for (size_t k = 0; k < s->n_entries; k++) {
        const double *a = ROW_OF(rate, k), *from = ROW_OF(x, s->entry[k].col);
        double *to = ROW_OF(dx, s->entry[k].row);
#pragma omp simd
        for (size_t l = 0; l < LANES; l++)
            to[l] += a[l] * from[l];
    }
}

/* Puts a point into the register files: where the states are and how they move. */
static void put_point(struct hl_forecast_room *r, double time, const double *x, const double *z, const double *dz)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    for (size_t l = 0; s->time_row >= 0 && l < LANES; l++) {
        ROW_OF(r->file, s->time_row)[l] = time;
        ROW_OF(r->dfile, s->time_row)[l] = 1;
    }
    put_rows(s->x_row, s->n, x, r->file);
    put_rows(s->z_row, s->m, z, r->file);
    put_rows(s->x_row, s->n, r->dx, r->dfile);
    put_rows(s->z_row, s->m, dz, r->dfile);
}

/* f and g at a point where z moves by about dz. */
static void rates(struct hl_forecast_room *r, double time, const double *x, const double *z, const double *dz,
                  double *f, double *g)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    if (s->m == 0)
        return;
    put_point(r, time, x, z, dz);
    hl_forecast_dual_run(&s->rates_dual, r->file, r->dfile);
    for (size_t i = 0; i < s->m; i++) {
        memcpy(ROW_OF(f, i), ROW_OF(r->file, s->dz_row[i]), ROW_BYTES);
        memcpy(ROW_OF(g, i), ROW_OF(r->dfile, s->dz_row[i]), ROW_BYTES);
    }
}

static void outputs(struct hl_forecast_room *r, double time, const double *x, const double *z, const double *f,
                    double *y, double *slope)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    if (s->m == 0)
        put_point(r, time, x, z, f);
    put_rows(s->z_row, s->m, z, r->file); /* time and x are still there from the rates, formed at the same point */
    put_rows(s->z_row, s->m, f, r->dfile);
    hl_forecast_dual_run(&s->outputs_dual, r->file, r->dfile);
    for (size_t c = 0; c < r->forecast->problem->n_constraints; c++) {
        memcpy(ROW_OF(y, c), ROW_OF(r->file, s->y_row[c]), ROW_BYTES);
        memcpy(ROW_OF(slope, c), ROW_OF(r->dfile, s->y_row[c]), ROW_BYTES);
    }
}

static void clear(double *rows, size_t n)
{
    memset(rows, 0, n * ROW_BYTES);
}

/* Everything at the present state, dx holding what enters x from outside. */
static void look(struct hl_forecast_room *r)
{
    hl_forecast_slopes(&r->forecast->system, r->block->rate, r->x, r->dx);
    rates(r, r->time, r->x, r->z, r->f, r->f, r->g);
    outputs(r, r->time, r->x, r->z, r->f, r->y, r->s);
}

void hl_forecast_look(struct hl_forecast_room *r)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    clear(r->dx, s->n);
    clear(r->f, s->m);
    look(r);
    clear(r->dx, s->n);
    look(r); /* with the right f */
}

HL_CLONES void hl_forecast_predict(size_t m, double h, const double *z, const double *f, const double *g, double *zp,
                              double *dz)
{
#pragma omp simd
    for (size_t i = 0; i < m * LANES; i++) {
        zp[i] = z[i] + h * (f[i] + 0.5 * h * g[i]);
        dz[i] = f[i] + h * g[i];
    }
}

HL_CLONES void hl_forecast_correct(size_t m, double h, const double *z, const double *f, const double *f1,
                                   const double *g, const double *g1, double *z1)
{
    double c = h * h / 12;
#pragma omp simd
    for (size_t i = 0; i < m * LANES; i++)
        z1[i] = z[i] + (0.5 * h * (f[i] + f1[i]) + c * (g[i] - g1[i]));
}

static void swap(double **a, double **b)
{
    double *c = *a;
    *a = *b;
    *b = c;
}

/* From the step's beginning to its end, x1 being there already and dx holding what enters x at the end. */
static void finish(struct hl_forecast_room *r, double h)
{
    const struct hl_forecast *f = r->forecast;
    size_t m = f->system.m;
    hl_forecast_slopes(&f->system, r->block->rate, r->x1, r->dx);
    hl_forecast_predict(m, h, r->z, r->f, r->g, r->zp, r->dz);
    for (int look = 0; look < f->looks; look++) {
        rates(r, r->time + h, r->x1, r->zp, r->dz, r->f1, r->g1);
        hl_forecast_correct(m, h, r->z, r->f, r->f1, r->g, r->g1, r->zp);
        memcpy(r->dz, r->f1, m * ROW_BYTES);
    }
    swap(&r->z, &r->zp);
    r->time += h;
    outputs(r, r->time, r->x1, r->z, r->f1, r->y1, r->s1);
    hl_forecast_statistics(f->problem, h, r->y, r->s, r->y1, r->s1, r->statistic);
    swap(&r->x, &r->x1);
    swap(&r->f, &r->f1);
    swap(&r->g, &r->g1);
    swap(&r->y, &r->y1);
    swap(&r->s, &r->s1);
    if (r->trace)
        hl_forecast_trace_note(r);
}

/* Slopes at the beginning of a step over which something enters from outside. */
static void begin_with_inputs(struct hl_forecast_room *r)
{
    struct adding start = {r->forecast->system.n, r->dx, AT_START, false};
    clear(r->dx, start.n);
    hl_forecast_arrivals(r, add_part, &start);
    if (start.any)
        look(r);
}

void hl_forecast_regular(struct hl_forecast_room *r)
{
    const struct hl_forecast *f = r->forecast;
    const struct hl_forecast_system *s = &f->system;
    const struct hl_forecast_step *step = &f->grid.step[r->step % f->grid.n];
    struct adding amounts = {s->n, r->x1, AMOUNT, false}, end = {s->n, r->dx, AT_END, false};
    if (step->length > 0) {
        begin_with_inputs(r);
        hl_forecast_advance(s, r->block->phi + (size_t)step->kind * s->n_pairs * LANES, r->x, r->x1);
    } else
        memcpy(r->x1, r->x, s->n * ROW_BYTES);
    bool arrives = hl_forecast_arrivals(r, add_part, &amounts);
    clear(r->dx, s->n);
    if (arrives)
        hl_forecast_arrivals(r, add_part, &end);
    if (arrives || step->length > 0)
        finish(r, step->length);
    r->step++;
}

void hl_forecast_tail(struct hl_forecast_room *r, const struct hl_forecast_step *step)
{
    const struct hl_forecast_system *s = &r->forecast->system;
    hl_forecast_advance(s, r->block->phi + (size_t)step->kind * s->n_pairs * LANES, r->x, r->x1);
    clear(r->dx, s->n);
    finish(r, step->length);
}
