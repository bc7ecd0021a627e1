/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes. A part of a route delivers dose * fraction * bioavailability into its compartment after its lag.
 *
 * A patch of content P releases first-order into the skin, in phases j of wear:
 *     dP_j/dt    = -release_j P_j
 *     dskin_i/dt = ... + release_j F_j fraction_i P_j
 * (1 - F_j of what is released is lost at the site). Every phase is a state of its own, so that a change of phase or
 * the removal of the patch takes an exactly known amount out of it. A reservoir patch has no content: it delivers
 * rate * F * fraction_i while worn. */
#include <stdio.h>

#include "model/link.h"

/* The node of a route's number, which can't be negative; -1 for none. */
static int lower_number(struct hl_scope *s, const struct hl_expr *e, struct hl_dim dim, const char *what,
                        const char *route)
{
    char text[200];
    double value;
    if (!e)
        return -1;
    snprintf(text, sizeof text, "%s of '%.100s'", what, route);
    int node = hl_scope_lower_as(s, e, HL_CTX_SUBJECT, dim, text).node;
    if (hl_graph_is_number(s->linker->graph, node, &value) && value < 0.0)
        hl_diag_error(s->linker->diag, e->pos, "%s can't be negative", text);
    return node;
}

/* The same, with its register in field (-1 for none) once registers are given. */
static int link_number(struct hl_scope *s, const struct hl_expr *e, struct hl_dim dim, const char *what,
                       const char *route, int *field)
{
    int node = lower_number(s, e, dim, what, route);
    *field = -1;
    if (node >= 0)
        hl_link_pend(s->linker, field, node);
    return node;
}

/* Constant fractions of one dose that sum to more than the dose. */
static void check_sum(struct hl_scope *s, const struct hl_route_text *text, const int *node)
{
    double sum = 0.0, value;
    for (size_t i = 0; i < text->n_parts; i++) {
        if (node[i] < 0 || !hl_graph_is_number(s->linker->graph, node[i], &value))
            return;
        sum += value;
    }
    if (sum > 1.0 + 1e-9)
        hl_diag_error(s->linker->diag, text->part[0].pos,
                      "the fractions of route '%s' sum to %.10g, more than the dose", text->name, sum);
}

static void link_part(struct hl_scope *s, const struct hl_route_text *text, size_t i, struct hl_route_part *part,
                      int *node)
{
    const struct hl_route_part_text *x = &text->part[i];
    const struct hl_dim h = hl_dim_of("h"), none = hl_dim_none();
    part->state = x->into < 0 ? 0 : hl_scope_state(s, HL_SYM_COMPARTMENT, (size_t)x->into);
    part->input = x->input;
    part->every_dose = x->every_dose;
    node[i] = link_number(s, x->fraction, none, "the fraction", text->name, &part->fraction_reg);
    link_number(s, x->bioavailability, none, "the bioavailability", text->name, &part->bioavailability_reg);
    link_number(s, x->lag, h, "the lag", text->name, &part->lag_reg);
    bool rate = x->input == HL_INPUT_RATE;
    link_number(s, x->given, rate ? hl_dim_of("mg/h") : h, rate ? "the rate" : "the duration", text->name,
                &part->input_reg);
    link_number(s, x->rate, hl_dim_of("mg/h"), "the rate", text->name, &part->rate_reg);
    link_number(s, x->duration ? x->duration : x->input == HL_INPUT_ZERO_ORDER ? x->given : NULL, h, "the duration",
                text->name, &part->duration_reg);
    if (x->released)
        hl_link_release(s, x, text->name, part);
}

static void add_rate(struct hl_scope *s, int state, enum hl_op op, int node)
{
    s->linker->derivative[state] = hl_graph_op(s->linker->graph, op, s->linker->derivative[state], node, -1);
}

static int times(struct hl_scope *s, int a, int b)
{
    return a < 0 ? b : b < 0 ? a : hl_graph_op(s->linker->graph, HL_OP_MUL, a, b, -1);
}

static void link_phase(struct hl_scope *s, const struct hl_route_text *text, size_t j, struct hl_route *route,
                       const int *fraction, int state)
{
    const struct hl_patch_phase_text *x = &text->phase[j];
    struct hl_patch_phase *phase = &route->phase[j];
    phase->state = state;
    hl_link_pend(s->linker, &s->linker->system->state[state].initial_reg, hl_graph_number(s->linker->graph, 0.0));
    int release = link_number(s, x->release, hl_dim_of("1/h"), "the release", text->name, &phase->release_reg);
    int arrives = lower_number(s, x->loses, hl_dim_none(), "loses: (the fraction that arrives)", text->name);
    link_number(s, x->until, hl_dim_of("h"), "until:", text->name, &phase->until_reg);
    if (release < 0)
        return;
    int content = s->linker->state_node[state];
    add_rate(s, state, HL_OP_SUB, times(s, release, content));
    for (size_t i = 0; i < route->n_parts; i++)
        add_rate(s, route->part[i].state, HL_OP_ADD,
                 times(s, times(s, release, times(s, arrives, fraction[i])), content));
}

/* Content or rate as a program of its own: it depends on the strength of the patch put on. */
static void link_strength(struct hl_scope *s, const struct hl_route_text *text, struct hl_route *route, int *node)
{
    struct hl_linker *l = s->linker;
    char what[160];
    route->nominal_dim = route->dose_dim = text->nominal.dim;
    route->nominal_reg = hl_graph_register(l->graph, hl_arena_printf(l->arena, "%s.nominal", route->name),
                                           HL_REG_TEMPORARY, text->nominal.dim, 0.0);
    s->nominal_node = hl_graph_leaf(l->graph, route->nominal_reg, -1, true, false);
    s->nominal_dim = text->nominal.dim;
    const struct hl_expr *e = text->content ? text->content : text->rate;
    snprintf(what, sizeof what, "the %s of patch '%.100s'", text->content ? "content" : "rate", text->name);
    struct hl_dim dim = text->content ? hl_dim_of("mg") : hl_dim_of("mg/h");
    *node = e ? hl_scope_lower_as(s, e, HL_CTX_PATCH, dim, what).node : hl_graph_number(l->graph, 0.0);
    int reg =
        hl_graph_register(l->graph, hl_arena_printf(l->arena, "%s.content", route->name), HL_REG_TEMPORARY, dim, 0.0);
    *(text->content ? &route->content_reg : &route->rate_reg) = reg;
}

static void link_patch(struct hl_scope *s, const struct hl_route_text *text, struct hl_route *route, int *state,
                       int *strength, const int *fraction)
{
    struct hl_linker *l = s->linker;
    route->is_patch = true;
    route->default_wear = text->wear;
    link_strength(s, text, route, strength);
    link_number(s, text->lag, hl_dim_of("h"), "the lag", text->name, &route->lag_reg);
    if (text->content) {
        route->n_phases = text->n_phases;
        route->phase = hl_arena_alloc(l->arena, text->n_phases, sizeof *route->phase);
        for (size_t j = 0; j < text->n_phases; j++)
            link_phase(s, text, j, route, fraction, (*state)++);
        return;
    }
    if (text->n_phases == 0 || !text->phase[0].loses)
        return;
    int arrives =
        lower_number(s, text->phase[0].loses, hl_dim_none(), "loses: (the fraction that arrives)", text->name);
    for (size_t i = 0; i < route->n_parts; i++) /* a reservoir: what is lost is taken from the fractions */
        hl_link_pend(l, &route->part[i].fraction_reg, times(s, arrives, fraction[i]));
}

/* n counts the routes of all instances; contents of patches are the last states of an instance. */
void hl_link_routes(struct hl_scope *s, size_t *n)
{
    struct hl_linker *l = s->linker;
    const struct hl_model_parts *p = s->model->parts;
    int state = hl_scope_state(s, HL_SYM_STATE, p->n_states);
    for (size_t i = 0; i < p->n_routes; i++, ++*n) {
        const struct hl_route_text *text = &p->route[i];
        struct hl_route *route = &l->system->route[*n];
        int strength = -1, *fraction = hl_arena_alloc(l->arena, text->n_parts, sizeof *fraction);
        *route = (struct hl_route){.name = text->name, .instance = s->index, .pos = text->pos, .nominal_reg = -1,
                                   .content_reg = -1, .rate_reg = -1, .lag_reg = -1, .dose_dim = hl_dim_of("mg"),
                                   .nominal_dim = hl_dim_none()};
        route->part = hl_arena_alloc(l->arena, text->n_parts, sizeof *route->part);
        for (size_t k = 0; k < text->n_parts; k++)
            link_part(s, text, k, &route->part[route->n_parts++], fraction);
        check_sum(s, text, fraction);
        if (text->is_patch)
            link_patch(s, text, route, &state, &strength, fraction);
        l->strength[*n] = strength;
    }
}
