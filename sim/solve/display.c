/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A quantity y = c^T x + offset of states x = V z is a row of numbers c^T V times the amplitudes z. Which of these
 * numbers can differ from 0 follows from the plan: a mode shows in a state only if what enters where the mode lives
 * can arrive in that state. So modes are cut into panels of neighbours, few enough to stay in registers, each with the
 * quantities it shows in (glide.h); that is done once. The numbers themselves are a subject's own and are made for
 * every group of every block. */
#include "solve/display.h"

#include <string.h>

#include "base/memory.h"

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

/* ---- Panels: which modes show in what. They depend on the outputs only, not on the block */

/* Most panels and coefficients that n quantities can take. */
static size_t most_panels(const struct hl_plan *plan, size_t n)
{
    return plan->n_modes * (n / HL_PANEL_SHOWN + 1);
}

static enum hl_status reserve_shown(struct hl_display *d, size_t n)
{
    const struct hl_plan *plan = d->plan;
    if (d->shown_capacity >= n && d->rows)
        return HL_OK;
    void *part[] = {d->quantity, d->panel, d->call, d->constant, d->rows};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
    d->shown_capacity = 0;
    d->quantity = hl_alloc(n, sizeof *d->quantity);
    d->panel = hl_alloc(most_panels(plan, n), sizeof *d->panel);
    d->call = hl_alloc(most_panels(plan, n) * d->n_groups, sizeof *d->call);
    d->constant = hl_alloc(n, sizeof *d->constant);
    d->rows = hl_alloc((plan->n_modes + 1) * n * d->n_groups * HL_GROUP, sizeof *d->rows);
    if (!d->quantity || !d->panel || !d->call || !d->constant || !d->rows)
        return HL_ERR_MEMORY;
    d->shown_capacity = n;
    return HL_OK;
}

static double *offsets_of(const struct hl_display *d, size_t group)
{
    return d->rows + group * d->shown_capacity * (d->plan->n_modes + 1) * HL_GROUP;
}

static double *rows_of(const struct hl_display *d, size_t group)
{
    return offsets_of(d, group) + d->shown_capacity * HL_GROUP;
}

/* True when some mode from .. to - 1 of component c shows in the quantity. */
static bool shows(const struct hl_plan *plan, const struct hl_quantity *quantity, size_t c, size_t from, size_t to)
{
    for (size_t k = 0; k < quantity->n_coefs; k++) {
        int state = quantity->coef[k].col;
        for (size_t j = from; plan->component_of[state] == (int)c && j < to; j++)
            if (is_visible(&plan->component[c].shape, (size_t)plan->place_of[state], j))
                return true;
    }
    return false;
}

static void add_panel(struct hl_display *d, size_t c, size_t from, size_t to, const size_t *shown, size_t n_shown,
                      bool last, bool *begun)
{
    struct hl_panel *p = &d->panel[d->n_panels++];
    enum hl_width width = hl_glide_width();
    *p = (struct hl_panel){.mode = d->plan->component[c].offset + from, .n_modes = to - from, .n_shown = n_shown,
                           .row = d->n_coefs, .last = last,
                           .still = hl_glide_kernel_for(width, to - from, n_shown, false),
                           .fed = hl_glide_kernel_for(width, to - from, n_shown, true)};
    d->n_coefs += (to - from) * n_shown;
    for (size_t i = 0; i < n_shown; i++) {
        p->shown[i] = shown[i];
        p->first[i] = !begun[shown[i]];
        begun[shown[i]] = true;
    }
}

/* Some neighbouring modes of a component, with all quantities they show in. */
static void add_modes(struct hl_display *d, size_t c, size_t from, size_t to, bool *begun)
{
    size_t shown[HL_PANEL_SHOWN], n = 0;
    for (size_t q = 0; q < d->n_shown; q++) {
        if (!shows(d->plan, &d->quantity[q], c, from, to))
            continue;
        if (n == HL_PANEL_SHOWN) {
            add_panel(d, c, from, to, shown, n, false, begun);
            n = 0;
        }
        shown[n++] = q;
    }
    add_panel(d, c, from, to, shown, n, true, begun);
}

static void make_panels(struct hl_display *d, bool *begun)
{
    const struct hl_plan *plan = d->plan;
    d->n_panels = d->n_coefs = 0;
    for (size_t q = 0; q < d->n_shown; q++)
        begun[q] = false;
    for (size_t c = 0; c < plan->n_components; c++) {
        size_t n = plan->component[c].shape.n, pieces = (n + HL_PANEL_MODES - 1) / HL_PANEL_MODES;
        for (size_t k = 0; k < pieces; k++)
            add_modes(d, c, n * k / pieces, n * (k + 1) / pieces, begun);
    }
    d->n_constant = 0;
    for (size_t q = 0; q < d->n_shown; q++)
        if (!begun[q])
            d->constant[d->n_constant++] = q;
}

/* Linear outputs themselves. */
static void list_outputs(struct hl_display *d)
{
    for (size_t o = 0; o < d->n_asked; o++) {
        const struct hl_output *out = &d->plan->system->output[d->asked[o]];
        d->quantity[d->n_shown++] = (struct hl_quantity){.coef = out->coef, .n_coefs = out->n_coefs, .weighted = true,
                                                      .offset_reg = out->offset_reg};
    }
}

/* The exact states that the outputs' program needs. */
static void list_states(struct hl_display *d)
{
    const struct hl_plan *plan = d->plan;
    for (size_t c = 0; c < plan->n_components; c++)
        for (size_t i = 0; i < plan->component[c].shape.n; i++) {
            int state = plan->component[c].state[i];
            if (!is_wanted(plan, state, d->asked, d->n_asked))
                continue;
            struct hl_quantity *quantity = &d->quantity[d->n_shown++];
            *quantity = (struct hl_quantity){.n_coefs = 1, .offset_reg = -1, .itself = {.col = state}};
            quantity->coef = &quantity->itself;
        }
}

static enum hl_status note_asked(struct hl_display *d, const int *output, size_t n)
{
    d->n_asked = 0;
    if (d->asked_capacity < n || !d->asked) {
        hl_free(d->asked);
        d->asked_capacity = 0;
        if (!(d->asked = hl_alloc(n, sizeof *d->asked)))
            return HL_ERR_MEMORY;
        d->asked_capacity = n;
    }
    memcpy(d->asked, output, n * sizeof *output);
    d->n_asked = n;
    return HL_OK;
}

enum hl_status hl_display_lay_out(struct hl_display *d, const int *output, size_t n_outputs)
{
    if (d->rows && d->n_asked == n_outputs && memcmp(d->asked, output, n_outputs * sizeof *output) == 0)
        return HL_OK;
    const struct hl_plan *plan = d->plan;
    d->n_asked = 0;
    d->linear = all_linear(plan, output, n_outputs);
    enum hl_status status = reserve_shown(d, d->linear ? n_outputs : plan->n_modes);
    bool *begun = hl_alloc(d->shown_capacity, sizeof *begun);
    status = status == HL_OK && begun ? note_asked(d, output, n_outputs) : HL_ERR_MEMORY;
    d->n_shown = 0;
    if (status == HL_OK && d->linear)
        list_outputs(d);
    else if (status == HL_OK)
        list_states(d);
    if (status == HL_OK)
        make_panels(d, begun);
    hl_free(begun);
    return status;
}

/* ---- Coefficients of a block */

/* coef^T V of eight lanes for one mode of component c. Lanes without a solution have no V: zeros. */
static void fill_row(const struct hl_display *d, const struct hl_subjects *subjects, const double *regs, size_t group,
                     const struct hl_quantity *quantity, size_t c, size_t mode, double *row)
{
    const struct hl_component *component = &d->plan->component[c];
    for (size_t l = 0; l < HL_GROUP; l++)
        row[l] = 0;
    for (size_t k = 0; k < quantity->n_coefs; k++) {
        const struct hl_coefficient *coef = &quantity->coef[k];
        size_t place = (size_t)d->plan->place_of[coef->col];
        if (d->plan->component_of[coef->col] != (int)c || !is_visible(&component->shape, place, mode))
            continue;
        const double *V = hl_modes_row(subjects->rows[group].V, component, place, mode);
        const double *weight = regs + (size_t)coef->reg * subjects->lanes + group * HL_GROUP;
        for (size_t l = 0; l < HL_GROUP; l++)
            row[l] += quantity->weighted ? weight[l] * V[l] : V[l];
    }
}

static void fill_rows(const struct hl_display *d, const struct hl_subjects *subjects, const double *regs, size_t group)
{
    const struct hl_plan *plan = d->plan;
    double *row = rows_of(d, group);
    size_t c = 0;
    for (size_t p = 0; p < d->n_panels; p++) {
        const struct hl_panel *panel = &d->panel[p];
        while (panel->mode >= plan->component[c].offset + plan->component[c].shape.n)
            c++;
        for (size_t i = 0; i < panel->n_shown; i++)
            for (size_t m = 0; m < panel->n_modes; m++, row += HL_GROUP)
                fill_row(d, subjects, regs, group, &d->quantity[panel->shown[i]], c,
                         panel->mode - plan->component[c].offset + m, row);
    }
}

struct hl_shown hl_display_fill(const struct hl_display *d, const struct hl_subjects *subjects, const double *regs,
                                size_t i)
{
    double *offset = offsets_of(d, i);
    fill_rows(d, subjects, regs, i);
    for (size_t q = 0; q < d->n_shown; q++)
        for (size_t l = 0; l < HL_GROUP; l++)
            offset[q * HL_GROUP + l] =
                hl_reg(regs, subjects->lanes, i * HL_GROUP + l, d->quantity[q].offset_reg, 0);
    return (struct hl_shown){.n = d->n_shown, .n_panels = d->n_panels, .panel = d->panel, .n_constant = d->n_constant,
                             .constant = d->constant, .row = rows_of(d, i), .offset = offset,
                             .call = d->call + i * d->n_panels};
}

void hl_display_clear(struct hl_display *d)
{
    void *part[] = {d->asked, d->quantity, d->panel, d->call, d->constant, d->rows};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
    *d = (struct hl_display){0};
}
