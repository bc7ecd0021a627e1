/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact states of a block through its output times: stride after stride, in each of them one group of eight
 * subjects after the other (group.c), so that what a stride makes is still in the cache when it is used. Where all
 * outputs are linear in exact states the groups show them at once: an output is a row of numbers times the amplitudes.
 * Else they show the states that the outputs' program reads, into a tile of one stride, and the program runs over all
 * lanes, time by time. */
#include "solve/sweep.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/group.h"

#define LONGEST_STRIDE 64
#define TILE_TIMES (LONGEST_STRIDE + 1)

struct hl_sweep {
    struct hl_group_common common;
    size_t max_lanes, n_groups;
    struct hl_group *group;
    double *values;                  /* what the groups' arrays point into */
    /* What is shown: linear outputs themselves, else the states that the outputs' program reads. */
    size_t n_shown, *first_term, *mode;
    int *state;                      /* of a shown state */
    size_t shown_capacity, term_capacity;
    double *rows;                    /* by group: offsets [quantity][HL_GROUP], rows [term][HL_GROUP] */
    double *tile, *tile_dose;        /* at the times of a stride: states [state][time][lane], last doses [instance]... */
    size_t tile_capacity;
    struct hl_stride *stride;
    size_t n_strides, stride_capacity;
    unsigned long edition;           /* of the output times that were cut into them */
};

struct hl_sweep *hl_sweep_create(const struct hl_plan *plan, size_t max_lanes)
{
    struct hl_sweep *s = hl_alloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->max_lanes = (max_lanes + HL_GROUP - 1) / HL_GROUP * HL_GROUP;
    s->n_groups = s->max_lanes / HL_GROUP;
    s->group = hl_alloc(s->n_groups, sizeof *s->group);
    s->values = hl_alloc(s->n_groups * hl_group_size(plan), sizeof *s->values);
    s->common = (struct hl_group_common){.plan = plan,
                                         .work = hl_modes_work_create(plan->largest),
                                         .column = hl_alloc(plan->n_modes, sizeof(double)),
                                         .column_g = hl_alloc(plan->n_modes, sizeof(double)),
                                         .scratch = hl_alloc(plan->largest, sizeof(double))};
    if (!s->group || !s->values || !s->common.work || !s->common.column || !s->common.column_g || !s->common.scratch) {
        hl_sweep_free(s);
        return NULL;
    }
    for (size_t i = 0; i < s->n_groups; i++) {
        s->group[i].common = &s->common;
        s->group[i].lane = i * HL_GROUP;
        hl_group_lay_out(&s->group[i], plan, s->values + i * hl_group_size(plan));
    }
    return s;
}

void hl_sweep_free(struct hl_sweep *s)
{
    if (!s)
        return;
    hl_modes_work_free(s->common.work);
    void *part[] = {s->common.column, s->common.column_g, s->common.scratch, s->group, s->values, s->first_term,
                    s->mode, s->state, s->rows, s->tile, s->tile_dose, s->stride, s};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* What a double at time t can't tell apart. */
static double grain(double t)
{
    return DBL_EPSILON * fmax(1e-3, fabs(t));
}

static bool is_even(const double *time, size_t first, size_t steps, double dt)
{
    double end = time[first + steps];
    for (size_t k = 1; k <= steps; k++)
        if (fabs(time[first] + (double)k * dt - time[first + k]) > 4 * grain(end))
            return false;
    return true;
}

size_t hl_sweep_strides(const double *time, size_t n, struct hl_stride *stride)
{
    size_t count = 0;
    double last = 0;
    for (size_t first = 0; first + 1 < n;) {
        size_t steps = LONGEST_STRIDE;
        while (steps > 1) {
            double dt = first + steps < n ? (time[first + steps] - time[first]) / (double)steps : 0;
            if (dt > 0 && is_even(time, first, steps, dt))
                break;
            steps /= 2;
        }
        double dt = (time[first + steps] - time[first]) / (double)steps;
        if (fabs(dt - last) * (double)steps <= 2 * grain(time[first + steps])) /* one table serves both */
            dt = last;
        last = dt;
        stride[count++] = (struct hl_stride){first, steps, dt};
        first += steps;
    }
    return count;
}

/* ---- What is shown */

/* True when mode j of a component shows in state i for any subject. */
static bool is_visible(const struct hl_shape *shape, size_t i, size_t j)
{
    return shape->reach[i * shape->n + j];
}

static bool all_linear(const struct hl_plan *plan, const int *output, size_t n)
{
    bool linear = plan->n_integrated == 0;
    for (size_t k = 0; k < n; k++)
        linear = linear && plan->system->output[output[k]].linear;
    return linear;
}

/* True when the outputs' program reads the state, or the state is an output. */
static bool is_wanted(const struct hl_plan *plan, int state, const int *output, size_t n_outputs)
{
    const struct hl_program *program = &plan->system->outputs;
    int reg = plan->system->state[state].reg;
    for (size_t i = 0; i < program->n; i++)
        if (program->code[i].a == reg || program->code[i].b == reg || program->code[i].c == reg)
            return true;
    for (size_t o = 0; o < n_outputs; o++)
        if (plan->system->output[output[o]].reg == reg)
            return true;
    return false;
}

static enum hl_status reserve_shown(struct hl_sweep *s, size_t n)
{
    size_t terms = n * s->common.plan->n_modes;
    if (s->first_term && s->shown_capacity >= n && s->term_capacity >= terms)
        return HL_OK;
    void *part[] = {s->first_term, s->mode, s->state, s->rows};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
    s->shown_capacity = s->term_capacity = 0;
    s->first_term = hl_alloc(n + 1, sizeof *s->first_term);
    s->mode = hl_alloc(terms, sizeof *s->mode);
    s->state = hl_alloc(n, sizeof *s->state);
    s->rows = hl_alloc((terms + n) * s->max_lanes, sizeof *s->rows);
    if (!s->first_term || !s->mode || !s->state || !s->rows)
        return HL_ERR_MEMORY;
    s->shown_capacity = n;
    s->term_capacity = terms;
    return HL_OK;
}

static enum hl_status reserve_tile(struct hl_sweep *s, size_t n)
{
    size_t rows = TILE_TIMES * s->max_lanes;
    if (!s->tile_dose && !(s->tile_dose = hl_alloc(s->common.plan->system->n_instances * rows, sizeof(double))))
        return HL_ERR_MEMORY;
    if (s->tile_capacity >= n * rows)
        return HL_OK;
    hl_free(s->tile);
    s->tile_capacity = 0;
    if (!(s->tile = hl_alloc(n * rows, sizeof *s->tile)))
        return HL_ERR_MEMORY;
    s->tile_capacity = n * rows;
    return HL_OK;
}

static double *offsets_of(const struct hl_sweep *s, size_t group)
{
    return s->rows + group * (s->shown_capacity + s->term_capacity) * HL_GROUP;
}

static double *rows_of(const struct hl_sweep *s, size_t group)
{
    return offsets_of(s, group) + s->shown_capacity * HL_GROUP;
}

static void begin_showing(struct hl_sweep *s)
{
    s->n_shown = 0;
    s->first_term[0] = 0;
}

/* The next quantity, a sum over coefficients of coef * state: a term for every mode that can be seen. */
static void add_terms(struct hl_sweep *s, const struct hl_coefficient *coef, size_t n_coefs)
{
    const struct hl_plan *plan = s->common.plan;
    size_t n = s->first_term[s->n_shown];
    for (size_t c = 0; c < plan->n_components; c++)
        for (size_t j = 0; j < plan->component[c].shape.n; j++) {
            bool shows = false;
            for (size_t k = 0; k < n_coefs; k++)
                shows = shows || (plan->component_of[coef[k].col] == (int)c
                                  && is_visible(&plan->component[c].shape, (size_t)plan->place_of[coef[k].col], j));
            if (shows)
                s->mode[n++] = plan->component[c].offset + j;
        }
    s->first_term[++s->n_shown] = n;
}

/* coef^T V of one lane for a mode; regs NULL: coefficients of 1. */
static double row_value(const struct hl_group *G, size_t l, size_t mode, const struct hl_coefficient *coef,
                        size_t n_coefs, const double *regs)
{
    const struct hl_plan *plan = G->common->plan;
    double sum = 0;
    for (size_t k = 0; k < n_coefs; k++) {
        int c = plan->component_of[coef[k].col];
        if (c < 0 || mode < plan->component[c].offset || mode >= plan->component[c].offset + plan->component[c].shape.n)
            continue;
        const struct hl_shape *shape = &plan->component[c].shape;
        size_t i = (size_t)plan->place_of[coef[k].col], j = mode - plan->component[c].offset;
        if (is_visible(shape, i, j))
            sum += (regs ? regs[(size_t)coef[k].reg * G->common->subjects->lanes + G->lane + l] : 1)
                   * hl_group_modes(G, l)[c].V[i * shape->n + j];
    }
    return sum;
}

/* Rows of quantity q for all groups, lane by lane; lanes without a solution get zeros. */
static void fill_rows(struct hl_sweep *s, size_t q, const struct hl_coefficient *coef, size_t n_coefs,
                      const double *regs, int offset_reg)
{
    const struct hl_subjects *subjects = s->common.subjects;
    for (size_t i = 0; i * HL_GROUP < subjects->lanes; i++)
        for (size_t l = 0; l < HL_GROUP; l++) {
            size_t lane = i * HL_GROUP + l;
            bool good = subjects->status[lane] == HL_SUBJECT_GOOD;
            offsets_of(s, i)[q * HL_GROUP + l] = good ? hl_reg(s->common.regs, subjects->lanes, lane, offset_reg, 0) : 0;
            for (size_t m = s->first_term[q]; m < s->first_term[q + 1]; m++)
                rows_of(s, i)[m * HL_GROUP + l] =
                    good ? row_value(&s->group[i], l, s->mode[m], coef, n_coefs, regs) : 0;
        }
}

/* Shows linear outputs themselves. */
static void show_outputs(struct hl_sweep *s, const int *output, size_t n_outputs)
{
    const struct hl_system *system = s->common.plan->system;
    begin_showing(s);
    for (size_t o = 0; o < n_outputs; o++) {
        const struct hl_output *out = &system->output[output[o]];
        add_terms(s, out->coef, out->n_coefs);
        fill_rows(s, o, out->coef, out->n_coefs, s->common.regs, out->offset_reg);
    }
}

/* Shows the exact states that the outputs' program needs. */
static void show_states(struct hl_sweep *s, const int *output, size_t n_outputs)
{
    const struct hl_plan *plan = s->common.plan;
    begin_showing(s);
    for (size_t c = 0; c < plan->n_components; c++)
        for (size_t i = 0; i < plan->component[c].shape.n; i++) {
            struct hl_coefficient itself = {.col = plan->component[c].state[i]};
            if (!is_wanted(plan, itself.col, output, n_outputs))
                continue;
            s->state[s->n_shown] = itself.col;
            add_terms(s, &itself, 1);
            fill_rows(s, s->n_shown - 1, &itself, 1, NULL, -1);
        }
}

static void begin_groups(struct hl_sweep *s, double t)
{
    for (size_t i = 0; i * HL_GROUP < s->common.subjects->lanes; i++) {
        s->group[i].shown = (struct hl_shown){.n = s->n_shown, .first_term = s->first_term, .mode = s->mode,
                                              .row = rows_of(s, i), .offset = offsets_of(s, i)};
        hl_group_begin(&s->group[i], t);
    }
}

/* ---- Stride by stride */

/* The outputs of a time by their program: clocks, exact states from the tile, integrated states from samples. */
static void write_by_program(const struct hl_sweep *s, struct hl_block *block, const int *output, size_t n_outputs,
                             const double *time, size_t n_times, size_t k, size_t in_tile, const double *sample)
{
    const struct hl_plan *plan = s->common.plan;
    const struct hl_system *system = plan->system;
    size_t lanes = block->lanes, bytes = lanes * sizeof(double);
    for (size_t l = 0; l < lanes; l++)
        block->regs[(size_t)system->time_reg * lanes + l] = time[k];
    for (size_t i = 0; i < system->n_instances; i++)
        for (size_t l = 0; system->instance[i].tad_reg >= 0 && l < lanes; l++) {
            double last = s->tile_dose[(i * TILE_TIMES + in_tile) * lanes + l];
            block->regs[(size_t)system->instance[i].tad_reg * lanes + l] = isfinite(last) ? time[k] - last : 0;
        }
    for (size_t q = 0; q < s->n_shown; q++)
        memcpy(block->regs + (size_t)system->state[s->state[q]].reg * lanes,
               s->tile + (q * TILE_TIMES + in_tile) * lanes, bytes);
    for (size_t i = 0; i < plan->n_integrated; i++)
        memcpy(block->regs + (size_t)system->state[plan->integrated[i]].reg * lanes, sample + (i * n_times + k) * lanes,
               bytes);
    hl_program_run(&system->outputs, block->regs, lanes);
    for (size_t o = 0; o < n_outputs; o++)
        memcpy(block->out + (o * n_times + k) * lanes, block->regs + (size_t)system->output[output[o]].reg * lanes, bytes);
}

/* Where group i puts what it shows from time number k on. */
static struct hl_group_target target_of(const struct hl_sweep *s, const struct hl_block *block, bool linear,
                                        size_t n_times, size_t k, size_t i)
{
    size_t lanes = block->lanes, first = i * HL_GROUP;
    if (linear)
        return (struct hl_group_target){.y = block->out + k * lanes + first, .quantity_stride = n_times * lanes,
                                        .time_stride = lanes};
    return (struct hl_group_target){.y = s->tile + first, .dose = s->tile_dose + first,
                                    .quantity_stride = TILE_TIMES * lanes, .time_stride = lanes};
}

/* Lanes that are no longer finite are marked, so that nobody takes their values for a solution. */
static void mark_failures(const struct hl_sweep *s)
{
    const struct hl_subjects *subjects = s->common.subjects;
    for (size_t lane = 0; lane < subjects->lanes; lane++)
        for (size_t j = 0; j < s->common.plan->n_modes; j++)
            if (subjects->status[lane] == HL_SUBJECT_GOOD
                && !isfinite(s->group[lane / HL_GROUP].z[j * HL_GROUP + lane % HL_GROUP]))
                subjects->status[lane] = HL_SUBJECT_NOT_FINITE;
}

/* Cuts the output times into strides, if they aren't those of the last block. */
static enum hl_status cut_strides(struct hl_sweep *s, const double *time, size_t n_times, unsigned long edition)
{
    if (s->edition == edition)
        return HL_OK;
    s->edition = 0;
    if (s->stride_capacity < n_times) {
        hl_free(s->stride);
        s->stride_capacity = 0;
        if (!(s->stride = hl_alloc(n_times, sizeof *s->stride)))
            return HL_ERR_MEMORY;
        s->stride_capacity = n_times;
    }
    s->n_strides = hl_sweep_strides(time, n_times, s->stride);
    s->edition = edition;
    return HL_OK;
}

enum hl_status hl_sweep_run(struct hl_sweep *s, const struct hl_subjects *subjects, struct hl_block *block,
                            const int *output, size_t n_outputs, const double *time, size_t n_times,
                            const double *sample)
{
    const struct hl_plan *plan = s->common.plan;
    bool linear = all_linear(plan, output, n_outputs);
    size_t n_groups = subjects->lanes / HL_GROUP;
    if (reserve_shown(s, linear ? n_outputs : plan->n_modes) != HL_OK || cut_strides(s, time, n_times, subjects->edition) != HL_OK
        || (!linear && reserve_tile(s, plan->n_modes) != HL_OK))
        return HL_ERR_MEMORY;
    s->common.subjects = subjects;
    s->common.regs = block->regs;
    for (size_t k = 0; k < plan->system->n_states; k++)
        memset(block->regs + (size_t)plan->system->state[k].reg * block->lanes, 0, block->lanes * sizeof(double));
    if (linear)
        show_outputs(s, output, n_outputs);
    else
        show_states(s, output, n_outputs);
    begin_groups(s, time[0]);
    for (size_t c = 0; c <= s->n_strides; c++) {
        struct hl_stride last = {.first = n_times - 1, .steps = 0}; /* only the final time is left to show */
        const struct hl_stride *stride = c < s->n_strides ? &s->stride[c] : &last;
        for (size_t i = 0; i < n_groups; i++)
            hl_group_stride(&s->group[i], stride, time, target_of(s, block, linear, n_times, stride->first, i));
        size_t shown = stride->steps > 0 ? stride->steps : 1;
        for (size_t k = 0; !linear && k < shown; k++)
            write_by_program(s, block, output, n_outputs, time, n_times, stride->first + k, k, sample);
    }
    mark_failures(s);
    return HL_OK;
}
