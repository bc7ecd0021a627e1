/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers for what is given from outside (covariates, parameters, etas, classes) and for individual values, and the
 * list of outputs. Values stand in the engine's units; covariates of one name are one value per subject across
 * models. */
#include <string.h>

#include "model/link.h"

static int new_leaf(struct hl_scope *s, const char *name, enum hl_register_kind kind, struct hl_dim dim, double value,
                    bool individual, int *node)
{
    struct hl_graph *g = s->linker->graph;
    int reg = hl_graph_register(g, name, kind, dim, value);
    g->reg[reg].individual = individual;
    *node = hl_graph_leaf(g, reg, -1, false, individual);
    return reg;
}

/* ---- Covariates ---- */

static bool same_categories(const struct hl_covariate *a, const struct hl_covariate *b)
{
    if (a->n_categories != b->n_categories)
        return false;
    for (size_t i = 0; i < a->n_categories; i++)
        if (strcmp(a->category[i], b->category[i]) != 0)
            return false;
    return true;
}

static void check_shared(struct hl_scope *s, const struct hl_covariate *mine, const struct hl_covariate *first)
{
    char a[64], b[64];
    if (!same_categories(mine, first))
        hl_diag_error(s->linker->diag, mine->pos,
                      "covariate '%s' has other categories here than in %s:%d; a covariate is "
                      "one value per subject across models: give both the same list",
                      mine->name, first->pos.file, first->pos.line);
    else if (!hl_dim_equal(mine->unit.dim, first->unit.dim))
        hl_diag_error(s->linker->diag, mine->pos,
                      "covariate '%s' is in %s here and in %s in %s:%d; a covariate is one value "
                      "per subject across models: use one unit, or rename one",
                      mine->name, hl_dim_name(mine->unit.dim, a, sizeof a), hl_dim_name(first->unit.dim, b, sizeof b),
                      first->pos.file, first->pos.line);
    else if (mine->value * mine->unit.factor != first->value * first->unit.factor) /* as written: no rounding */
        hl_diag_warning(s->linker->diag, mine->pos,
                        "covariate '%s' has another default in %s:%d, which holds for all models", mine->name,
                        first->pos.file, first->pos.line);
}

static void link_covariate(struct hl_scope *s, size_t index)
{
    struct hl_linker *l = s->linker;
    const struct hl_covariate *c = &s->model->covariate[index];
    for (size_t i = 0; i < l->system->n_covariates; i++)
        if (strcmp(l->system->covariate[i].name, c->name) == 0) {
            check_shared(s, c, l->system->covariate[i].info);
            for (size_t k = 0; k < l->graph->n_nodes; k++)
                if (l->graph->node[k].op == HL_OP_NAME && l->graph->node[k].home == l->system->covariate[i].reg)
                    s->covariate_node[index] = (int)k;
            return;
        }
    int reg =
        new_leaf(s, c->name, HL_REG_COVARIATE, c->unit.dim, c->value * c->unit.factor, true, &s->covariate_node[index]);
    l->system->covariate[l->system->n_covariates++] = (struct hl_system_covariate){c->name, reg, c};
}

/* ---- Parameters, etas, mixtures, individual values ---- */

static void link_parameters(struct hl_scope *s)
{
    struct hl_system *y = s->linker->system;
    for (size_t i = 0; i < s->model->n_parameters; i++) {
        const struct hl_parameter *p = &s->model->parameter[i];
        const char *name = hl_scope_name(s, p->name);
        if (p->category)
            name = hl_arena_printf(s->linker->arena, "%s.%s", name, p->category);
        int reg = new_leaf(s, name, HL_REG_PARAMETER, p->unit.dim, p->value, p->uncertainty != HL_SPREAD_NONE,
                           &s->parameter_node[i]);
        y->parameter[y->n_parameters++] = (struct hl_system_parameter){name, reg, s->index, p};
    }
}

static void link_etas(struct hl_scope *s)
{
    struct hl_system *y = s->linker->system;
    int first = (int)y->n_etas;
    for (size_t i = 0; i < s->model->n_etas; i++) {
        const struct hl_eta *e = &s->model->eta[i];
        const char *name = hl_scope_name(s, e->name);
        int reg = new_leaf(s, name, HL_REG_ETA, hl_dim_none(), 0.0, true, &s->eta_node[i]);
        y->eta[y->n_etas++] = (struct hl_system_eta){name, reg, s->index, e->sd, -1, e->occasion};
    }
    for (size_t i = 0; i < s->model->n_blocks; i++) {
        const struct hl_eta_block *b = &s->model->block[i];
        int *eta = hl_arena_alloc(s->linker->arena, b->n, sizeof *eta);
        for (size_t k = 0; k < b->n; k++) {
            eta[k] = first + (int)b->eta[k];
            y->eta[eta[k]].block = (int)y->n_blocks;
        }
        y->block[y->n_blocks++] = (struct hl_system_block){b->n, eta, b->covariance, b->pos};
    }
}

static void link_mixtures(struct hl_scope *s)
{
    struct hl_system *y = s->linker->system;
    for (size_t i = 0; i < s->model->n_mixtures; i++) {
        const struct hl_mixture *x = &s->model->mixture[i];
        const char *name = hl_scope_name(s, x->name);
        int reg = new_leaf(s, name, HL_REG_CLASS, hl_dim_none(), 0.0, true, &s->mixture_node[i]);
        y->mixture[y->n_mixtures++] = (struct hl_system_mixture){name, reg, x};
    }
}

void hl_link_values(struct hl_scope *s)
{
    struct hl_arena *a = s->linker->arena;
    s->covariate_node = hl_arena_alloc(a, s->model->n_covariates, sizeof *s->covariate_node);
    s->parameter_node = hl_arena_alloc(a, s->model->n_parameters, sizeof *s->parameter_node);
    s->eta_node = hl_arena_alloc(a, s->model->n_etas, sizeof *s->eta_node);
    s->mixture_node = hl_arena_alloc(a, s->model->n_mixtures, sizeof *s->mixture_node);
    for (size_t i = 0; i < s->model->n_covariates; i++)
        link_covariate(s, i);
    link_parameters(s);
    link_etas(s);
    link_mixtures(s);
}

void hl_link_individual(struct hl_scope *s, const struct hl_symbol *symbol)
{
    struct hl_linker *l = s->linker;
    struct hl_system *y = l->system;
    s->context = HL_CTX_SUBJECT;
    struct hl_value v = hl_scope_symbol(s, symbol, symbol->pos);
    const char *name = hl_scope_name(s, symbol->name);
    l->individual_node[y->n_individuals] = v.node;
    y->individual_value[y->n_individuals++] = (struct hl_system_individual){
        name, hl_graph_register(l->graph, name, HL_REG_INDIVIDUAL, v.dim, 0.0), s->index};
}

/* ---- Outputs ---- */

static struct hl_output *add_output(struct hl_scope *s, const char *name, struct hl_pos pos, struct hl_unit unit,
                                    const char *unit_text, int node)
{
    struct hl_linker *l = s->linker;
    struct hl_output *o = &l->system->output[l->system->n_outputs];
    l->output_node[l->system->n_outputs++] = node;
    *o = (struct hl_output){.name = name, .instance = s->index, .pos = pos, .unit = unit, .unit_text = unit_text,
                            .offset_reg = -1};
    o->reg = hl_graph_register(l->graph, name, HL_REG_OUTPUT, unit.dim, 0.0);
    return o;
}

static void add_residual(struct hl_scope *s, const struct hl_output_text *text, struct hl_output *o)
{
    const struct hl_model_parts *p = s->model->parts;
    char a[64], b[64];
    for (size_t i = 0; i < p->n_residuals; i++) {
        const struct hl_residual *e = &p->residual[i];
        if (strcmp(e->output, text->name) != 0)
            continue;
        o->residual_additive = e->additive;
        o->residual_proportional = e->proportional;
        o->residual_log = e->log;
        if (e->has_additive && !hl_dim_equal(e->additive_dim, text->unit.dim))
            hl_diag_error(s->linker->diag, e->pos, "the additive residual error of '%s' is in %s, the output in %s",
                          text->name, hl_dim_name(e->additive_dim, a, sizeof a),
                          hl_dim_name(text->unit.dim, b, sizeof b));
    }
}

static const char *state_label(const struct hl_scope *s, int state)
{
    const struct hl_model_parts *p = s->model->parts;
    size_t i = (size_t)(state - s->first_state);
    if (i < p->n_compartments)
        return p->compartment[i].label;
    if ((i -= p->n_compartments) < p->n_effect_sites)
        return p->effect_site[i].label;
    return (i -= p->n_effect_sites) < p->n_states ? p->state[i].label : "left in the patch";
}

void hl_link_outputs(struct hl_scope *s)
{
    struct hl_linker *l = s->linker;
    const struct hl_model_parts *p = s->model->parts;
    for (size_t i = 0; i < p->n_symbols; i++) {
        if (p->symbol[i].kind != HL_SYM_OUTPUT)
            continue;
        const struct hl_output_text *text = &p->output[p->symbol[i].index];
        s->context = HL_CTX_TIME;
        struct hl_value v = hl_scope_symbol(s, &p->symbol[i], text->pos);
        struct hl_output *o =
            add_output(s, hl_scope_name(s, text->name), text->pos, text->unit, text->unit_text, v.node);
        o->label = text->label;
        o->symbol = text->symbol;
        o->evidence = text->evidence;
        add_residual(s, text, o);
    }
    for (size_t i = (size_t)s->first_state; i < l->system->n_states; i++) {
        const struct hl_state *x = &l->system->state[i];
        if (x->instance != s->index)
            continue;
        struct hl_output *o = add_output(s, x->name, hl_pos_none(), x->unit, x->unit_text, l->state_node[i]);
        o->label = state_label(s, (int)i);
        o->evidence = x->evidence;
        o->implicit = true;
    }
}
