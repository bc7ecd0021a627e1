/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rates of change, those of link_structure.c and link_routes.c as trees instead of nodes:
 *      compartment   sum of flows in - sum of flows out;  a clearance is divided by the volume it leaves
 *      effect site   ke0 (C - Ce)
 *      patch         -release P, and release x arriving part x fraction x P into each part of its route
 * and the times at which they jump. */
#include <stdio.h>
#include <string.h>

#include "translate/tree.h"

const struct hl_expr *hl_plan_named(struct hl_translator *t, int voice, const struct hl_expr *e, const char *name,
                                    const char *comment)
{
    if (e->op == HL_OP_NAME || e->op == HL_OP_NUMBER)
        return e;
    bool changes = hl_changes(t, voice, e);
    const char *word = hl_plan_name(t, voice, name);
    hl_line_add(t, changes ? &t->rates : &t->subject, voice, word, e, comment);
    return hl_tree_text(t, word);
}

void hl_plan_add_rate(struct hl_translator *t, size_t state, enum hl_op op, const struct hl_expr *term)
{
    t->state[state].rate = hl_tree_op(t, op, t->state[state].rate, term);
}

static void add_one_way(struct hl_translator *t, int voice, const struct hl_flow *f, int from, int to,
                        const struct hl_expr *rate, const struct hl_expr *const *volume)
{
    int source = hl_plan_compartment(t, voice, from);
    const struct hl_expr *k = f->clearance ? hl_tree_op(t, HL_OP_DIV, rate, volume[from]) : rate;
    const struct hl_expr *flow = hl_tree_op(t, HL_OP_MUL, k, hl_tree_state(t, (size_t)source));
    hl_plan_add_rate(t, (size_t)source, HL_OP_SUB, flow);
    if (to >= 0)
        hl_plan_add_rate(t, (size_t)hl_plan_compartment(t, voice, to), HL_OP_ADD, flow);
}

void hl_plan_flows(struct hl_translator *t, int voice)
{
    const struct hl_model_parts *p = t->voice[voice].parts;
    const struct hl_expr **volume = hl_arena_alloc(t->arena, p->n_compartments, sizeof *volume);
    for (size_t i = 0; i < p->n_compartments; i++)
        if (p->compartment[i].volume)
            volume[i] = hl_plan_named(t, voice, p->compartment[i].volume,
                              hl_arena_printf(t->arena, "vol_%s", p->compartment[i].name), "[L] volume");
    for (size_t i = 0; i < p->n_flows; i++) {
        const struct hl_flow *f = &p->flow[i];
        const char *from = p->compartment[f->from].name, *to = f->to >= 0 ? p->compartment[f->to].name : "out";
        hl_plan_place_outputs(t, voice, f->rate, true);
        const struct hl_expr *rate =
            hl_plan_named(t, voice, f->rate, hl_arena_printf(t->arena, "k_%s_%s", from, to),
                  hl_arena_printf(t->arena, "[%s] %s %s %s", f->clearance ? "L/h" : "1/h", from,
                                  f->both_ways ? "<->" : "->", to));
        add_one_way(t, voice, f, f->from, f->to, rate, volume);
        if (f->both_ways && f->to >= 0)
            add_one_way(t, voice, f, f->to, f->from, rate, volume);
    }
}

void hl_plan_dynamics(struct hl_translator *t, int voice)
{
    const struct hl_voice *v = &t->voice[voice];
    for (size_t i = 0; i < v->parts->n_symbols; i++) {
        const struct hl_symbol *symbol = &v->parts->symbol[i];
        if (symbol->kind == HL_SYM_COMPARTMENT)
            t->state[v->word[i].state].initial = v->parts->compartment[symbol->index].initial;
        if (!v->word[i].wanted || (symbol->kind != HL_SYM_EFFECT_SITE && symbol->kind != HL_SYM_STATE))
            continue;
        struct hl_plan_state *x = &t->state[v->word[i].state];
        if (symbol->kind == HL_SYM_STATE) {
            x->rate = v->parts->state[symbol->index].rate;
            x->initial = v->parts->state[symbol->index].initial;
        } else {
            const struct hl_effect_site *site = &v->parts->effect_site[symbol->index];
            x->rate = hl_tree_op(t, HL_OP_MUL, site->ke0, hl_tree_op(t, HL_OP_SUB, site->follows,
                                                                      hl_tree_state(t, (size_t)v->word[i].state)));
            x->initial = site->initial;
        }
        hl_plan_place_outputs(t, voice, x->rate, true);
    }
}

int hl_plan_compartment(const struct hl_translator *t, int voice, int compartment)
{
    const struct hl_voice *v = &t->voice[voice];
    const struct hl_symbol *symbol = hl_model_symbol(v->model, v->parts->compartment[compartment].name);
    return v->word[symbol - v->parts->symbol].state;
}

/* Contents of patches empty into the parts of their route. state: the first content of this voice not yet used. */
static void add_patch(struct hl_translator *t, int voice, const struct hl_route_text *r, size_t *state)
{
    for (size_t j = 0; r->content && j < r->n_phases; j++, ++*state) {
        const struct hl_patch_phase_text *x = &r->phase[j];
        const char *name = hl_arena_printf(t->arena, "k_%s_%zu", r->name, j + 1);
        const struct hl_expr *release = hl_plan_named(t, voice, x->release, name, "[1/h] release of a patch");
        const struct hl_expr *flow = hl_tree_op(t, HL_OP_MUL, release, hl_tree_state(t, *state));
        hl_plan_add_rate(t, *state, HL_OP_SUB, flow);
        for (size_t i = 0; i < r->n_parts; i++) {
            const struct hl_expr *arrives = hl_tree_op(t, HL_OP_MUL, x->loses, r->part[i].fraction);
            hl_plan_add_rate(t, (size_t)hl_plan_compartment(t, voice, r->part[i].into), HL_OP_ADD,
                             hl_tree_op(t, HL_OP_MUL, arrives, flow));
        }
    }
}

void hl_plan_patches(struct hl_translator *t, int voice)
{
    const struct hl_model_parts *p = t->voice[voice].parts;
    size_t state = 0;
    while (state < t->n_states &&
           !(t->state[state].info->kind == HL_PATCH_CONTENT && t->state[state].voice == voice))
        state++;
    for (size_t i = 0; i < p->n_routes; i++)
        if (p->route[i].is_patch)
            add_patch(t, voice, &p->route[i], &state);
}

/* ---- Jumps ---- */

static void find_jumps(struct hl_translator *t, int voice, const struct hl_expr *e)
{
    if (!e)
        return;
    for (int i = 0; i < 3; i++)
        find_jumps(t, voice, e->arg[i]);
    if (e->op != HL_OP_LT && e->op != HL_OP_LE && e->op != HL_OP_GT && e->op != HL_OP_GE)
        return;
    for (int i = 0; i < 2; i++) {
        const struct hl_expr *when = e->arg[1 - i];
        if (e->arg[i]->op != HL_OP_NAME || strcmp(e->arg[i]->name, "t") != 0 || hl_changes(t, voice, when))
            continue;
        t->jump = hl_arena_push(t->arena, t->jump, t->n_jumps, &t->jump_capacity, sizeof *t->jump);
        t->jump[t->n_jumps] = (struct hl_plan_jump){voice, e, when, NULL};
        t->jump[t->n_jumps].name = hl_arena_printf(
            t->arena, t->target == HL_TO_NONMEM ? "MTIME(%zu)" : "mt%zu", t->n_jumps + 1);
        t->n_jumps++;
    }
}

void hl_plan_jumps(struct hl_translator *t)
{
    for (size_t i = 0; i < t->rates.n; i++)
        find_jumps(t, t->rates.line[i].voice, t->rates.line[i].expr);
    for (size_t i = 0; i < t->n_states; i++)
        find_jumps(t, t->state[i].voice, t->state[i].rate);
}
