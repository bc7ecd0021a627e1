/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rates of change of an instance's states.
 *
 *     compartments   dA_i/dt = sum over flows in k_ji A_j - sum over flows out k_ij A_i
 *                    where a flow is a rate k [1/h], or a clearance CL [L/h] with k = CL / V of the compartment it
 *                    leaves;
 *                    a two-way flow Q between volumes has k = Q / V_a one way and Q / V_b the other
 *     effect sites   dCe/dt = ke0 (C - Ce)
 *     free states    as written
 *
 * Each rate is one node; whether it is linear is found from that node alone (graph.c). */
#include <stdio.h>
#include <string.h>

#include "model/link.h"

static int op(struct hl_scope *s, enum hl_op o, int a, int b)
{
    return hl_graph_op(s->linker->graph, o, a, b, -1);
}

static void add_to_rate(struct hl_scope *s, int state, enum hl_op o, int node)
{
    s->linker->derivative[state] = op(s, o, s->linker->derivative[state], node);
}

/* ---- Compartments and flows ---- */

static void lower_volumes(struct hl_scope *s)
{
    const struct hl_model_parts *p = s->model->parts;
    char what[160];
    for (size_t i = 0; i < p->n_compartments; i++) {
        const struct hl_compartment *c = &p->compartment[i];
        double value;
        snprintf(what, sizeof what, "the volume of '%.100s'", c->name);
        s->volume[i] = c->volume ? hl_scope_lower_as(s, c->volume, HL_CTX_SUBJECT, hl_dim_of("L"), what).node : -1;
        if (c->volume && hl_graph_is_number(s->linker->graph, s->volume[i], &value) && value <= 0.0)
            hl_diag_error(s->linker->diag, c->volume->pos, "a volume must be above 0");
    }
}

/* The coefficient [1/h] of a flow out of compartment from; -1, reported, when there is none. */
static int flow_coefficient(struct hl_scope *s, const struct hl_flow *f, int from, struct hl_value rate)
{
    const struct hl_compartment *c = &s->model->parts->compartment[from];
    char found[64];
    if (rate.bad || !rate.known)
        return rate.node;
    if (hl_dim_equal(rate.dim, hl_dim_of("1/h")) && !f->both_ways)
        return rate.node;
    if (!hl_dim_equal(rate.dim, hl_dim_of("L/h"))) {
        hl_diag_error(s->linker->diag, f->rate->pos, "a %sflow needs a clearance [L/h]%s, but this expression has %s%s",
                      f->both_ways ? "two-way " : "", f->both_ways ? "" : " or a rate [1/h]",
                      hl_dim_name(rate.dim, found, sizeof found),
                      f->both_ways ? "; write two one-way flows for two rates" : "");
        return -1;
    }
    if (s->volume[from] < 0) {
        hl_diag_error(s->linker->diag, c->volume ? c->volume->pos : f->pos,
                      "a clearance out of '%s' needs its volume; add "
                      "volume: to compartment '%s', or give a rate [1/h]",
                      c->name, c->name);
        return -1;
    }
    return op(s, HL_OP_DIV, rate.node, s->volume[from]);
}

static void one_way(struct hl_scope *s, const struct hl_flow *f, int from, int to, struct hl_value rate)
{
    int k = flow_coefficient(s, f, from, rate);
    if (k < 0)
        return;
    int out = hl_scope_state(s, HL_SYM_COMPARTMENT, (size_t)from);
    int flow = op(s, HL_OP_MUL, k, s->linker->state_node[out]);
    add_to_rate(s, out, HL_OP_SUB, flow);
    if (to >= 0)
        add_to_rate(s, hl_scope_state(s, HL_SYM_COMPARTMENT, (size_t)to), HL_OP_ADD, flow);
}

static void link_flow(struct hl_scope *s, struct hl_flow *f)
{
    struct hl_value rate = hl_scope_lower(s, f->rate, HL_CTX_TIME);
    double value;
    if (!f->rate || rate.bad)
        return;
    if (s->linker->alone) /* while the model is being read; it doesn't change afterwards */
        f->clearance = rate.known && hl_dim_equal(rate.dim, hl_dim_of("L/h"));
    if (rate.condition)
        hl_diag_error(s->linker->diag, f->rate->pos, "a comparison where a rate was expected; use if(condition, a, b)");
    else if (hl_graph_is_number(s->linker->graph, rate.node, &value) && value < 0.0)
        hl_diag_error(s->linker->diag, f->rate->pos, "a flow can't be negative; turn the arrow round");
    else {
        if (f->from >= 0)
            one_way(s, f, f->from, f->to, rate);
        if (f->both_ways && f->to >= 0)
            one_way(s, f, f->to, f->from, rate);
    }
}

/* ---- Compartments that nothing reaches or nothing leaves: allowed, but worth a word ---- */

static void mark_route(const struct hl_route_text *route, bool *reached)
{
    for (size_t k = 0; k < route->n_parts; k++)
        if (route->part[k].into >= 0)
            reached[route->part[k].into] = true;
}

static void warn_idle(struct hl_scope *s)
{
    const struct hl_model_parts *p = s->model->parts;
    bool *reached = hl_arena_alloc(s->linker->arena, p->n_compartments, sizeof *reached);
    bool *drained = hl_arena_alloc(s->linker->arena, p->n_compartments, sizeof *drained);
    bool *dosed = hl_arena_alloc(s->linker->arena, p->n_compartments, sizeof *dosed);
    for (size_t i = 0; i < p->n_routes; i++)
        mark_route(&p->route[i], dosed);
    for (size_t i = 0; i < p->n_compartments; i++)
        reached[i] = dosed[i];
    for (size_t i = 0; i < p->n_flows; i++) {
        const struct hl_flow *f = &p->flow[i];
        if (f->to >= 0)
            reached[f->to] = true;
        if (f->from >= 0)
            drained[f->from] = true;
        if (f->both_ways && f->to >= 0)
            drained[f->to] = reached[f->from >= 0 ? f->from : f->to] = true;
    }
    for (size_t i = 0; i < p->n_compartments; i++) {
        const struct hl_compartment *c = &p->compartment[i];
        if (!reached[i] && !c->initial)
            hl_diag_warning(s->linker->diag, c->pos,
                            "nothing ever reaches compartment '%s': no route, no flow, no initial "
                            "amount",
                            c->name);
        else if (!drained[i] && (c->volume || dosed[i])) /* others collect: urine, what is lost */
            hl_diag_warning(s->linker->diag, c->pos,
                            "nothing ever leaves compartment '%s'; add a flow '%s -> out' unless it "
                            "is meant to collect",
                            c->name, c->name);
    }
}

/* ---- Effect sites and free states ---- */

static void link_effect_site(struct hl_scope *s, size_t index)
{
    const struct hl_effect_site *site = &s->model->parts->effect_site[index];
    int state = hl_scope_state(s, HL_SYM_EFFECT_SITE, index);
    char what[160];
    const struct hl_symbol *symbol = hl_model_symbol(s->model, site->name);
    s->context = HL_CTX_TIME;
    struct hl_value self = hl_scope_symbol(s, symbol, site->pos);
    struct hl_value follows = hl_scope_lower(s, site->follows, HL_CTX_TIME);
    snprintf(what, sizeof what, "ke0 of '%.100s'", site->name);
    struct hl_value ke0 = hl_scope_lower_as(s, site->ke0, HL_CTX_TIME, hl_dim_of("1/h"), what);
    if (site->has_unit && follows.known && !hl_dim_equal(follows.dim, site->unit.dim)) {
        char a[64], b[64];
        hl_diag_error(s->linker->diag, site->follows->pos, "effect site '%s' is in %s and can't follow something in %s",
                      site->name, hl_dim_name(site->unit.dim, a, sizeof a), hl_dim_name(follows.dim, b, sizeof b));
    }
    s->linker->graph->reg[s->linker->system->state[state].reg].dim = self.dim;
    add_to_rate(s, state, HL_OP_ADD,
                op(s, HL_OP_MUL, ke0.node, op(s, HL_OP_SUB, follows.node, s->linker->state_node[state])));
}

static void link_free_state(struct hl_scope *s, size_t index)
{
    const struct hl_free_state *x = &s->model->parts->state[index];
    char what[160];
    snprintf(what, sizeof what, "the rate of '%.80s' (%.40s per h)", x->name, x->unit_text);
    if (x->unread) {
        hl_scope_lower(s, x->rate, HL_CTX_TIME);
        hl_scope_lower(s, x->initial, HL_CTX_SUBJECT);
        return;
    }
    struct hl_value rate = hl_scope_lower_as(s, x->rate, HL_CTX_TIME, hl_dim_divide(x->unit.dim, hl_dim_of("h")), what);
    add_to_rate(s, hl_scope_state(s, HL_SYM_STATE, index), HL_OP_ADD, rate.node);
}

/* The start value of a state; 0 where the model says nothing. */
static void link_initial(struct hl_scope *s, int state, const struct hl_expr *initial, struct hl_dim dim,
                         const char *name)
{
    char what[160];
    snprintf(what, sizeof what, "the start value of '%.100s'", name);
    int node = initial ? hl_scope_lower_as(s, initial, HL_CTX_SUBJECT, dim, what).node
                       : hl_graph_number(s->linker->graph, 0.0);
    hl_link_pend(s->linker, &s->linker->system->state[state].initial_reg, node);
}

static void link_initials(struct hl_scope *s)
{
    const struct hl_model_parts *p = s->model->parts;
    for (size_t i = 0; i < p->n_compartments; i++)
        link_initial(s, hl_scope_state(s, HL_SYM_COMPARTMENT, i), p->compartment[i].initial, hl_dim_of("mg"),
                     p->compartment[i].name);
    for (size_t i = 0; i < p->n_effect_sites; i++) {
        int state = hl_scope_state(s, HL_SYM_EFFECT_SITE, i);
        link_initial(s, state, p->effect_site[i].initial,
                     s->linker->graph->reg[s->linker->system->state[state].reg].dim, p->effect_site[i].name);
    }
    for (size_t i = 0; i < p->n_states; i++)
        link_initial(s, hl_scope_state(s, HL_SYM_STATE, i), p->state[i].unread ? NULL : p->state[i].initial,
                     p->state[i].unit.dim, p->state[i].name);
}

void hl_link_structure(struct hl_scope *s)
{
    const struct hl_model_parts *p = s->model->parts;
    for (size_t i = 0; i < p->n_symbols; i++) /* every individual value, used or not */
        if (p->symbol[i].kind == HL_SYM_INDIVIDUAL)
            hl_link_individual(s, &p->symbol[i]);
    lower_volumes(s);
    for (size_t i = 0; i < p->n_flows; i++)
        link_flow(s, &p->flow[i]);
    for (size_t i = 0; i < p->n_effect_sites; i++)
        link_effect_site(s, i);
    for (size_t i = 0; i < p->n_states; i++)
        link_free_state(s, i);
    link_initials(s);
    warn_idle(s);
}
