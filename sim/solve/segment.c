/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stretch of one subject's solution for those who measure.
 *
 * Linear outputs of exact states are c V z(t) + constant: value, slope and area in
 * closed form. All others go through the outputs' program; slopes by forward-mode
 * differentiation in time, with x' = A x + b and the bridge's slope as seeds. Their
 * areas are found by adaptive Gauss-Kronrod quadrature (QUADPACK's QAG, Piessens et
 * al. 1983, as in GSL). */
#include <math.h>
#include <string.h>

#include "solve/lane.h"

#define AREA_RELATIVE 1e-10 /* promised by solve.h */
#define AREA_PIECES 200

void hl_lane_tell_segment(struct hl_lane *lane, double t0, double t1)
{
    struct hl_segment segment = {
        .lane = lane->number, .t0 = t0, .t1 = t1, .n_outputs = lane->n_outputs, .inside = lane};
    lane->listener->segment(lane->listener->context, &segment);
}

/* Sets all registers for time t. */
static void set_all(struct hl_lane *lane, double t, bool slope)
{
    size_t n = lane->plan->n_integrated;
    if (n > 0)
        hl_bridge_at(&lane->bridge, n, t, lane->at, slope ? lane->f : NULL);
    hl_lane_set(lane, t, lane->at, slope ? lane->f : NULL, false);
}

static double linear_output(const struct hl_lane *lane, const struct hl_output *output, const double *from, bool offset)
{
    double sum = offset && output->offset_reg >= 0 ? lane->regs[output->offset_reg] : 0;
    for (size_t k = 0; k < output->n_coefs; k++)
        sum += lane->regs[output->coef[k].reg] * from[lane->plan->system->state[output->coef[k].col].reg];
    return sum;
}

void hl_segment_values(const struct hl_segment *segment, double t, double *y, double *dydt)
{
    struct hl_lane *lane = segment->inside;
    const struct hl_system *system = lane->plan->system;
    set_all(lane, t, dydt != NULL);
    if (!lane->linear_outputs && dydt)
        hl_program_run_dual(&system->outputs, lane->regs, lane->dregs, 1);
    else if (!lane->linear_outputs)
        hl_program_run(&system->outputs, lane->regs, 1);
    for (size_t k = 0; k < lane->n_outputs; k++) {
        const struct hl_output *output = &system->output[lane->output[k]];
        y[k] = lane->linear_outputs ? linear_output(lane, output, lane->regs, true) : lane->regs[output->reg];
        if (dydt)
            dydt[k] = lane->linear_outputs ? linear_output(lane, output, lane->dregs, false) : lane->dregs[output->reg];
    }
}

void hl_lane_outputs(struct hl_lane *lane, double *y)
{
    const struct hl_system *system = lane->plan->system;
    hl_lane_set(lane, lane->t, lane->y, NULL, false);
    if (!lane->linear_outputs)
        hl_program_run(&system->outputs, lane->regs, 1);
    for (size_t k = 0; k < lane->n_outputs; k++) {
        const struct hl_output *output = &system->output[lane->output[k]];
        y[k] = lane->linear_outputs ? linear_output(lane, output, lane->regs, true) : lane->regs[output->reg];
    }
}

static bool is_exact(const struct hl_plan *plan, const struct hl_output *output)
{
    for (size_t k = 0; k < output->n_coefs; k++)
        if (plan->integrated_of[output->coef[k].col] >= 0)
            return false;
    return output->linear;
}

/* Integral of one component's states from a to b, into lane->x. */
static void component_integral(struct hl_lane *lane, size_t c, double a, double b)
{
    const struct hl_component *component = &lane->plan->component[c];
    double *z = lane->zt + component->offset, *g = lane->g + component->offset;
    memcpy(z, lane->z + component->offset, component->shape.n * sizeof *z);
    hl_modes_advance(&lane->modes[c], a - lane->anchor, z, g, lane->work);
    hl_modes_integral(&lane->modes[c], b - a, z, g, lane->x, lane->work);
}

static double exact_integral(struct hl_lane *lane, const struct hl_output *output, double a, double b)
{
    const struct hl_plan *plan = lane->plan;
    double sum = output->offset_reg >= 0 ? lane->regs[output->offset_reg] * (b - a) : 0;
    for (size_t c = 0; c < plan->n_components; c++) {
        bool done = false;
        for (size_t k = 0; k < output->n_coefs; k++) {
            int state = output->coef[k].col;
            if (plan->component_of[state] != (int)c)
                continue;
            if (!done)
                component_integral(lane, c, a, b);
            done = true;
            sum += lane->regs[output->coef[k].reg] * lane->x[plan->place_of[state]];
        }
    }
    return sum;
}

struct area { struct hl_lane *lane; int reg; };

static double value_at(double t, void *context)
{
    const struct area *area = context;
    set_all(area->lane, t, false);
    hl_program_run(&area->lane->plan->system->outputs, area->lane->regs, 1);
    return area->lane->regs[area->reg];
}

double hl_segment_integral(const struct hl_segment *segment, size_t output, double a, double b)
{
    struct hl_lane *lane = segment->inside;
    const struct hl_output *o = &lane->plan->system->output[lane->output[output]];
    if (is_exact(lane->plan, o))
        return exact_integral(lane, o, a, b);
    struct area area = {lane, o->reg};
    gsl_function f = {value_at, &area};
    double result = 0, error = 0;
    /* A status other than success means that rounding or a kink keeps the last digit from settling: the result
     * stands. */
    (void)gsl_integration_qag(&f, a, b, 0, AREA_RELATIVE, AREA_PIECES, GSL_INTEG_GAUSS21, lane->quadrature, &result,
                              &error);
    return result;
}
