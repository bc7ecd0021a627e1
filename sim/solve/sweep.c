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

/* A quantity: sum over coefficients of coef * state + offset. */
struct quantity {
    const struct hl_coefficient *coef;
    size_t n_coefs;
    bool weighted;                   /* by coef's registers; else 1 */
    int offset_reg;
    struct hl_coefficient itself;    /* of a quantity that is a state */
};

struct hl_sweep {
    struct hl_group_common common;
    size_t max_lanes, n_groups;
    struct hl_group *group;
    double *values;                  /* what the groups' arrays point into */
    /* What is shown: linear outputs themselves, else the states that the outputs' program reads. */
    bool linear;
    size_t n_asked, asked_capacity;
    int *asked;                      /* outputs for which it was laid out */
    size_t n_shown, n_panels, n_coefs;
    struct quantity *quantity;
    struct hl_panel *panel;
    struct hl_glide_call *call;      /* by group */
    size_t n_constant, *constant;    /* quantities without modes */
    size_t shown_capacity;
    double *rows;                    /* by group: offsets [quantity][HL_GROUP], coefficients [coefficient][HL_GROUP] */
    double *tile, *tile_dose;        /* at the times of a stride: states [state][time][lane], last doses [instance]... */
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
    void *part[] = {s->common.column, s->common.column_g, s->common.scratch, s->group, s->values, s->asked, s->quantity,
                    s->panel, s->call, s->constant, s->rows,
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

/* ---- Panels: which modes show in what. They depend on the outputs only, not on the block */

/* Most panels and coefficients that n quantities can take. */
static size_t most_panels(const struct hl_plan *plan, size_t n)
{
    return plan->n_modes * (n / HL_PANEL_SHOWN + 1);
}

static enum hl_status reserve_shown(struct hl_sweep *s, size_t n)
{
    const struct hl_plan *plan = s->common.plan;
    if (s->shown_capacity >= n && s->rows)
        return HL_OK;
    void *part[] = {s->quantity, s->panel, s->call, s->constant, s->rows};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
    s->shown_capacity = 0;
    s->quantity = hl_alloc(n, sizeof *s->quantity);
    s->panel = hl_alloc(most_panels(plan, n), sizeof *s->panel);
    s->call = hl_alloc(most_panels(plan, n) * s->n_groups, sizeof *s->call);
    s->constant = hl_alloc(n, sizeof *s->constant);
    s->rows = hl_alloc((plan->n_modes + 1) * n * s->max_lanes, sizeof *s->rows);
    if (!s->quantity || !s->panel || !s->call || !s->constant || !s->rows)
        return HL_ERR_MEMORY;
    s->shown_capacity = n;
    return HL_OK;
}

static double *offsets_of(const struct hl_sweep *s, size_t group)
{
    return s->rows + group * s->shown_capacity * (s->common.plan->n_modes + 1) * HL_GROUP;
}

static double *rows_of(const struct hl_sweep *s, size_t group)
{
    return offsets_of(s, group) + s->shown_capacity * HL_GROUP;
}

/* True when some mode from .. to - 1 of component c shows in the quantity. */
static bool shows(const struct hl_plan *plan, const struct quantity *quantity, size_t c, size_t from, size_t to)
{
    for (size_t k = 0; k < quantity->n_coefs; k++) {
        int state = quantity->coef[k].col;
        for (size_t j = from; plan->component_of[state] == (int)c && j < to; j++)
            if (is_visible(&plan->component[c].shape, (size_t)plan->place_of[state], j))
                return true;
    }
    return false;
}

static void add_panel(struct hl_sweep *s, size_t c, size_t from, size_t to, const size_t *shown, size_t n_shown,
                      bool last, bool *begun)
{
    struct hl_panel *p = &s->panel[s->n_panels++];
    enum hl_width width = hl_glide_width();
    *p = (struct hl_panel){.mode = s->common.plan->component[c].offset + from, .n_modes = to - from, .n_shown = n_shown,
                           .row = s->n_coefs, .last = last,
                           .still = hl_glide_kernel_for(width, to - from, n_shown, false),
                           .fed = hl_glide_kernel_for(width, to - from, n_shown, true)};
    s->n_coefs += (to - from) * n_shown;
    for (size_t i = 0; i < n_shown; i++) {
        p->shown[i] = shown[i];
        p->first[i] = !begun[shown[i]];
        begun[shown[i]] = true;
    }
}

/* Some neighbouring modes of a component, with all quantities they show in. */
static void add_modes(struct hl_sweep *s, size_t c, size_t from, size_t to, bool *begun)
{
    size_t shown[HL_PANEL_SHOWN], n = 0;
    for (size_t q = 0; q < s->n_shown; q++) {
        if (!shows(s->common.plan, &s->quantity[q], c, from, to))
            continue;
        if (n == HL_PANEL_SHOWN) {
            add_panel(s, c, from, to, shown, n, false, begun);
            n = 0;
        }
        shown[n++] = q;
    }
    add_panel(s, c, from, to, shown, n, true, begun);
}

static void make_panels(struct hl_sweep *s, bool *begun)
{
    const struct hl_plan *plan = s->common.plan;
    s->n_panels = s->n_coefs = 0;
    for (size_t q = 0; q < s->n_shown; q++)
        begun[q] = false;
    for (size_t c = 0; c < plan->n_components; c++) {
        size_t n = plan->component[c].shape.n, pieces = (n + HL_PANEL_MODES - 1) / HL_PANEL_MODES;
        for (size_t k = 0; k < pieces; k++)
            add_modes(s, c, n * k / pieces, n * (k + 1) / pieces, begun);
    }
    s->n_constant = 0;
    for (size_t q = 0; q < s->n_shown; q++)
        if (!begun[q])
            s->constant[s->n_constant++] = q;
}

/* Linear outputs themselves. */
static void list_outputs(struct hl_sweep *s)
{
    for (size_t o = 0; o < s->n_asked; o++) {
        const struct hl_output *out = &s->common.plan->system->output[s->asked[o]];
        s->quantity[s->n_shown++] = (struct quantity){.coef = out->coef, .n_coefs = out->n_coefs, .weighted = true,
                                                      .offset_reg = out->offset_reg};
    }
}

/* The exact states that the outputs' program needs. */
static void list_states(struct hl_sweep *s)
{
    const struct hl_plan *plan = s->common.plan;
    for (size_t c = 0; c < plan->n_components; c++)
        for (size_t i = 0; i < plan->component[c].shape.n; i++) {
            int state = plan->component[c].state[i];
            if (!is_wanted(plan, state, s->asked, s->n_asked))
                continue;
            struct quantity *quantity = &s->quantity[s->n_shown++];
            *quantity = (struct quantity){.n_coefs = 1, .offset_reg = -1, .itself = {.col = state}};
            quantity->coef = &quantity->itself;
        }
}

static enum hl_status note_asked(struct hl_sweep *s, const int *output, size_t n)
{
    s->n_asked = 0;
    if (s->asked_capacity < n || !s->asked) {
        hl_free(s->asked);
        s->asked_capacity = 0;
        if (!(s->asked = hl_alloc(n, sizeof *s->asked)))
            return HL_ERR_MEMORY;
        s->asked_capacity = n;
    }
    memcpy(s->asked, output, n * sizeof *output);
    s->n_asked = n;
    return HL_OK;
}

/* Lays out what is to be shown, unless it is what was shown last. */
static enum hl_status lay_out_shown(struct hl_sweep *s, const int *output, size_t n_outputs)
{
    if (s->rows && s->n_asked == n_outputs && memcmp(s->asked, output, n_outputs * sizeof *output) == 0)
        return HL_OK;
    const struct hl_plan *plan = s->common.plan;
    s->n_asked = 0;
    s->linear = all_linear(plan, output, n_outputs);
    enum hl_status status = reserve_shown(s, s->linear ? n_outputs : plan->n_modes);
    bool *begun = hl_alloc(s->shown_capacity, sizeof *begun);
    status = status == HL_OK && begun ? note_asked(s, output, n_outputs) : HL_ERR_MEMORY;
    s->n_shown = 0;
    if (status == HL_OK && s->linear)
        list_outputs(s);
    else if (status == HL_OK)
        list_states(s);
    if (status == HL_OK)
        make_panels(s, begun);
    hl_free(begun);
    return status;
}

/* ---- Coefficients of a block */

/* coef^T V of eight lanes for one mode of component c. Lanes without a solution have no V: zeros. */
static void fill_row(const struct hl_sweep *s, const struct hl_group *G, const struct quantity *quantity, size_t c,
                     size_t mode, double *row)
{
    const struct hl_plan *plan = s->common.plan;
    const struct hl_component *component = &plan->component[c];
    size_t lanes = s->common.subjects->lanes;
    for (size_t l = 0; l < HL_GROUP; l++)
        row[l] = 0;
    for (size_t k = 0; k < quantity->n_coefs; k++) {
        const struct hl_coefficient *coef = &quantity->coef[k];
        if (plan->component_of[coef->col] != (int)c
            || !is_visible(&component->shape, (size_t)plan->place_of[coef->col], mode))
            continue;
        const double *V = hl_modes_row(s->common.subjects->rows[G->lane / HL_GROUP].V, component,
                                       (size_t)plan->place_of[coef->col], mode);
        const double *weight = s->common.regs + (size_t)coef->reg * lanes + G->lane;
        for (size_t l = 0; l < HL_GROUP; l++)
            row[l] += quantity->weighted ? weight[l] * V[l] : V[l];
    }
}

static void fill_rows(const struct hl_sweep *s, size_t group)
{
    const struct hl_plan *plan = s->common.plan;
    const struct hl_subjects *subjects = s->common.subjects;
    const struct hl_group *G = &s->group[group];
    double *row = rows_of(s, group), *offset = offsets_of(s, group);
    size_t c = 0;
    for (size_t p = 0; p < s->n_panels; p++) {
        const struct hl_panel *panel = &s->panel[p];
        while (panel->mode >= plan->component[c].offset + plan->component[c].shape.n)
            c++;
        for (size_t i = 0; i < panel->n_shown; i++)
            for (size_t m = 0; m < panel->n_modes; m++, row += HL_GROUP)
                fill_row(s, G, &s->quantity[panel->shown[i]], c, panel->mode - plan->component[c].offset + m, row);
    }
    for (size_t q = 0; q < s->n_shown; q++)
        for (size_t l = 0; l < HL_GROUP; l++)
            offset[q * HL_GROUP + l] =
                hl_reg(s->common.regs, subjects->lanes, G->lane + l, s->quantity[q].offset_reg, 0);
}

/* Group i at the first output time; linear outputs go to the block, states to the tile. */
static void begin_group(struct hl_sweep *s, const struct hl_block *block, size_t n_times, size_t i, double t)
{
    struct hl_shown *shown = &s->group[i].shown;
    fill_rows(s, i);
    *shown = (struct hl_shown){.n = s->n_shown, .n_panels = s->n_panels, .panel = s->panel,
                               .n_constant = s->n_constant, .constant = s->constant, .row = rows_of(s, i),
                               .offset = offsets_of(s, i), .time_stride = block->lanes,
                               .call = s->call + i * s->n_panels};
    shown->y = (s->linear ? block->out : s->tile) + i * HL_GROUP;
    shown->quantity_stride = (s->linear ? n_times : TILE_TIMES) * block->lanes;
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
    for (size_t q = 0; q < s->n_shown; q++)
        memcpy(block->regs + (size_t)system->state[s->quantity[q].itself.col].reg * lanes,
               s->tile + (q * TILE_TIMES + in_tile) * lanes, bytes);
    for (size_t i = 0; i < plan->n_integrated; i++)
        memcpy(block->regs + (size_t)system->state[plan->integrated[i]].reg * lanes, sample + (k * plan->n_integrated + i) * lanes,
               bytes);
    hl_program_run(&system->outputs, block->regs, lanes);
    for (size_t o = 0; o < n_outputs; o++)
        memcpy(block->out + (o * n_times + k) * lanes, block->regs + (size_t)system->output[output[o]].reg * lanes, bytes);
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
                                                  subjects->start[lane].time, time, s->stride, s->n_strides);
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

/* Linear outputs: group after group, each through all times. */
static void sweep_outputs(struct hl_sweep *s, struct hl_block *block, const double *time, size_t n_times)
{
    for (size_t i = 0; i < block->lanes / HL_GROUP; i++) {
        begin_group(s, block, n_times, i, time[0]);
        for (size_t c = 0; c <= s->n_strides; c++) {
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
    if (lay_out_shown(s, output, n_outputs) != HL_OK
        || cut_strides(s, time, n_times, subjects->edition) != HL_OK || find_way(s, time) != HL_OK
        || (!s->linear && reserve_tile(s, plan->n_modes) != HL_OK))
        return HL_ERR_MEMORY;
    for (size_t k = 0; k < plan->system->n_states; k++)
        memset(block->regs + (size_t)plan->system->state[k].reg * block->lanes, 0, block->lanes * sizeof(double));
    if (s->linear)
        sweep_outputs(s, block, time, n_times);
    else
        sweep_states(s, block, output, n_outputs, time, n_times, sample);
    mark_failures(s);
    return HL_OK;
}
