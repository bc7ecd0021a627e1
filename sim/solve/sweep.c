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
#include "solve/display.h"
#include "solve/group.h"

#define LONGEST_STRIDE 64
#define TILE_TIMES (LONGEST_STRIDE + 1)
#define WHOLE_BYTES (5u << 18)  /* a block's values up to these stay in the second cache, which has 1 or 2 MB */
#define WINDOW_BYTES (1u << 19) /* of larger ones so much is worked on at a time */

struct hl_sweep {
    struct hl_group_common common;
    size_t max_lanes, n_groups;
    struct hl_group *group;
    double *values;                  /* what the groups' arrays point into */
    struct hl_display display;       /* what is shown */
    double *tile, *tile_dose;        /* at a stride's times: states [state][time][lane], last doses [instance]... */
    size_t tile_capacity;
    struct hl_stride *stride;
    size_t n_strides, stride_capacity;
    unsigned long edition;           /* of the output times that were cut into them */
    struct hl_timetable timetable;
    bool has_timetable;
    bool knows_doses;                /* some program reads the time after dose */
};

struct hl_sweep *hl_sweep_create(const struct hl_plan *plan, size_t max_lanes)
{
    struct hl_sweep *s = hl_alloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->max_lanes = (max_lanes + HL_GROUP - 1) / HL_GROUP * HL_GROUP;
    s->n_groups = s->max_lanes / HL_GROUP;
    s->display = (struct hl_display){.plan = plan, .n_groups = s->n_groups};
    s->group = hl_alloc(s->n_groups, sizeof *s->group);
    s->values = hl_alloc(s->n_groups * hl_group_size(plan), sizeof *s->values);
    s->common = (struct hl_group_common){.plan = plan,
                                         .work = hl_modes_work_create(plan->largest),
                                         .column = hl_alloc(plan->n_modes, sizeof(double)),
                                         .column_g = hl_alloc(plan->n_modes, sizeof(double)),
                                         .scratch = hl_alloc(plan->largest * HL_GROUP, sizeof(double))};
    if (!s->group || !s->values || !s->common.work || !s->common.column || !s->common.column_g || !s->common.scratch) {
        hl_sweep_free(s);
        return NULL;
    }
    for (size_t i = 0; i < plan->system->n_instances; i++)
        s->knows_doses = s->knows_doses || plan->system->instance[i].tad_reg >= 0;
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
    hl_timetable_clear(&s->timetable);
    hl_display_clear(&s->display);
    void *part[] = {s->common.column, s->common.column_g, s->common.scratch, s->group, s->values,
                    s->tile, s->tile_dose, s->stride, s};
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
        size_t left = n - 1 - first, steps = left < LONGEST_STRIDE ? left : LONGEST_STRIDE;
        while (steps > 1) {
            double dt = (time[first + steps] - time[first]) / (double)steps;
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

/* Group i at the first output time; linear outputs go to the block, states to the tile. */
static void begin_group(struct hl_sweep *s, const struct hl_block *block, size_t n_times, size_t i, double t)
{
    struct hl_shown *shown = &s->group[i].shown;
    bool linear = s->display.linear;
    *shown = hl_display_fill(&s->display, s->common.subjects, s->common.regs, i);
    shown->y = (linear ? block->out : s->tile) + i * HL_GROUP;
    shown->quantity_stride = (linear ? n_times : TILE_TIMES) * block->lanes;
    shown->time_stride = block->lanes;
    hl_group_begin(&s->group[i], t);
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
    for (size_t q = 0; q < s->display.n_shown; q++)
        memcpy(block->regs + (size_t)system->state[s->display.quantity[q].itself.col].reg * lanes,
               s->tile + (q * TILE_TIMES + in_tile) * lanes, bytes);
    for (size_t i = 0; i < plan->n_integrated; i++)
        memcpy(block->regs + (size_t)system->state[plan->integrated[i]].reg * lanes,
               sample + (k * plan->n_integrated + i) * lanes, bytes);
    hl_program_run(&system->outputs, block->regs, lanes);
    for (size_t o = 0; o < n_outputs; o++)
        memcpy(block->out + (o * n_times + k) * lanes, block->regs + (size_t)system->output[output[o]].reg * lanes,
               bytes);
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
    s->has_timetable = false;
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

/* Where events come at common times, the way through them: the first subject with a solution shows it. */
static enum hl_status find_way(struct hl_sweep *s, const double *time)
{
    const struct hl_subjects *subjects = s->common.subjects;
    size_t lane = 0;
    while (lane < subjects->n && subjects->status[lane] != HL_SUBJECT_GOOD)
        lane++;
    if (subjects->common && !s->has_timetable && lane < subjects->n) {
        enum hl_status status = hl_timetable_make(&s->timetable, s->common.plan, &subjects->events[lane],
                                                  subjects->shared, subjects->start[lane].time, time, s->stride,
                                                  s->n_strides);
        if (status != HL_OK)
            return status;
        s->has_timetable = true;
    }
    s->common.timetable = s->has_timetable ? &s->timetable : NULL;
    return HL_OK;
}

/* Stride number c: the last one only shows the final time. */
static struct hl_stride stride_of(const struct hl_sweep *s, size_t c, size_t n_times)
{
    return c < s->n_strides ? s->stride[c] : (struct hl_stride){.first = n_times - 1};
}

/* Strides that one group goes through before the next one follows. Rows of groups stand side by side, so that where a
 * block's values are more than the second cache holds, each group's way through all of them would move all of them. */
static size_t strides_at_once(const struct hl_sweep *s, const struct hl_block *block, size_t n_outputs, size_t n_times)
{
    size_t row = n_outputs * block->lanes * sizeof(double);
    if (row * n_times <= WHOLE_BYTES)
        return s->n_strides + 1;
    size_t fit = WINDOW_BYTES / (row * LONGEST_STRIDE);
    return fit > 0 ? fit : 1;
}

/* Linear outputs: group after group, each through all times or through some at a time. */
static void sweep_outputs(struct hl_sweep *s, struct hl_block *block, size_t n_outputs, const double *time,
                          size_t n_times)
{
    size_t at_once = strides_at_once(s, block, n_outputs, n_times);
    for (size_t from = 0; from <= s->n_strides; from += at_once)
        for (size_t i = 0; i < block->lanes / HL_GROUP; i++) {
            if (from == 0)
                begin_group(s, block, n_times, i, time[0]);
            for (size_t c = from; c <= s->n_strides && c < from + at_once; c++) {
                struct hl_stride stride = stride_of(s, c, n_times);
                hl_group_stride(&s->group[i], c, &stride, time, 0, NULL);
            }
        }
}

/* States for the outputs' program: stride after stride, all groups. */
static void sweep_states(struct hl_sweep *s, struct hl_block *block, const int *output, size_t n_outputs,
                         const double *time, size_t n_times, const double *sample)
{
    for (size_t i = 0; i < block->lanes / HL_GROUP; i++)
        begin_group(s, block, n_times, i, time[0]);
    for (size_t c = 0; c <= s->n_strides; c++) {
        struct hl_stride stride = stride_of(s, c, n_times);
        for (size_t i = 0; i < block->lanes / HL_GROUP; i++)
            hl_group_stride(&s->group[i], c, &stride, time, stride.first,
                            s->knows_doses ? s->tile_dose + i * HL_GROUP : NULL);
        size_t shown = stride.steps > 0 ? stride.steps : 1;
        for (size_t k = 0; k < shown; k++)
            write_by_program(s, block, output, n_outputs, time, n_times, stride.first + k, k, sample);
    }
}

enum hl_status hl_sweep_run(struct hl_sweep *s, const struct hl_subjects *subjects, struct hl_block *block,
                            const int *output, size_t n_outputs, const double *time, size_t n_times,
                            const double *sample)
{
    const struct hl_plan *plan = s->common.plan;
    s->common.subjects = subjects;
    s->common.regs = block->regs;
    if (hl_display_lay_out(&s->display, output, n_outputs) != HL_OK
        || cut_strides(s, time, n_times, subjects->edition) != HL_OK || find_way(s, time) != HL_OK
        || (!s->display.linear && reserve_tile(s, plan->n_modes) != HL_OK))
        return HL_ERR_MEMORY;
    for (size_t k = 0; k < plan->system->n_states; k++)
        memset(block->regs + (size_t)plan->system->state[k].reg * block->lanes, 0, block->lanes * sizeof(double));
    if (s->display.linear)
        sweep_outputs(s, block, n_outputs, time, n_times);
    else
        sweep_states(s, block, output, n_outputs, time, n_times, sample);
    mark_failures(s);
    return HL_OK;
}
