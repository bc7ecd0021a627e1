/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a name in an expression means. Definitions are found when they are first asked for, so that they may stand in
 * any order; a definition that is asked for while it is being found is a circle, and the chain of names says which. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/link.h"

#define LN2 0.69314718055994530942
#define PI 3.14159265358979323846

const char *hl_scope_name(const struct hl_scope *s, const char *name)
{
    return hl_arena_printf(s->linker->arena, "%s.%s", s->instance->alias, name);
}

int hl_scope_state(const struct hl_scope *s, enum hl_symbol_kind kind, size_t index)
{
    const struct hl_model_parts *p = s->model->parts;
    int i = s->first_state + (int)index;
    if (kind == HL_SYM_COMPARTMENT)
        return i;
    i += (int)p->n_compartments;
    return kind == HL_SYM_EFFECT_SITE ? i : i + (int)p->n_effect_sites;
}

static struct hl_value bad(const struct hl_scope *s)
{
    return hl_value_bad(s->linker->graph);
}

/* A parameter, or the table of one: if(covariate = first, value of first, if(... )). */
static struct hl_value parameter_value(struct hl_scope *s, size_t index)
{
    struct hl_graph *g = s->linker->graph;
    const struct hl_model *m = s->model;
    const struct hl_parameter *first = &m->parameter[index];
    if (first->unread)
        return bad(s); /* reported where it stands */
    if (!first->by)
        return hl_value_of(s->parameter_node[index], first->unit.dim);
    const struct hl_symbol *by = hl_model_symbol(m, first->by);
    size_t n = by->kind == HL_SYM_COVARIATE ? m->covariate[by->index].n_categories : m->mixture[by->index].n;
    int class_node = by->kind == HL_SYM_COVARIATE ? s->covariate_node[by->index] : s->mixture_node[by->index];
    if (index + n > m->n_parameters)
        return bad(s); /* a table with missing entries, already reported */
    int node = s->parameter_node[index + n - 1];
    for (size_t i = n - 1; i-- > 0;) {
        int is = hl_graph_op(g, HL_OP_EQ, class_node, hl_graph_number(g, (double)i), -1);
        node = hl_graph_op(g, HL_OP_SELECT, is, s->parameter_node[index + i], node);
    }
    return hl_value_of(node, first->unit.dim);
}

/* Effect sites take their dimension from what they follow unless they state a unit. */
static struct hl_value effect_site_value(struct hl_scope *s, size_t index)
{
    const struct hl_effect_site *site = &s->model->parts->effect_site[index];
    int node = s->linker->state_node[hl_scope_state(s, HL_SYM_EFFECT_SITE, index)];
    if (site->has_unit)
        return hl_value_of(node, site->unit.dim);
    struct hl_value follows = hl_scope_lower(s, site->follows, HL_CTX_TIME);
    follows.node = node;
    return follows;
}

/* The instance "fentanyl" and the name "Ce" that an input stands for. */
static struct hl_scope *input_target(struct hl_scope *s, const struct hl_input *in, const char **name,
                                     struct hl_pos *pos)
{
    const char *target = in->target;
    *pos = in->target_pos;
    for (size_t i = 0; i < s->instance->n_inputs; i++)
        if (strcmp(s->instance->input_name[i], in->name) == 0) {
            target = s->instance->input_output[i];
            *pos = s->instance->input_output_pos ? s->instance->input_output_pos[i] : s->instance->pos;
        }
    const char *dot = target ? strchr(target, '.') : NULL;
    if (!dot)
        return NULL;
    *name = dot + 1;
    for (size_t i = 0; i < s->linker->n_scopes; i++) {
        const char *alias = s->linker->scope[i].instance->alias;
        if (strlen(alias) == (size_t)(dot - target) && strncmp(alias, target, (size_t)(dot - target)) == 0)
            return &s->linker->scope[i];
    }
    return NULL;
}

static void report_input(struct hl_scope *s, const struct hl_input *in, const struct hl_scope *target, const char *name,
                         struct hl_pos pos)
{
    char near[128] = "";
    if (!target) {
        hl_diag_error(
            s->linker->diag, s->instance->pos.file ? s->instance->pos : pos,
            "'%s' needs its input %s (%s), and the study has no such drug or interaction; add it, or bind the "
            "input: {model: %s, inputs: {%s: ALIAS.OUTPUT}}",
            s->instance->alias, in->name, in->target ? in->target : "?", s->model->name, in->name);
        return;
    }
    const struct hl_model_parts *p = target->model->parts;
    const char **names = hl_arena_alloc(s->linker->arena, p->n_symbols, sizeof *names);
    for (size_t i = 0; i < p->n_symbols; i++)
        names[i] = p->symbol[i].name;
    hl_diag_error(s->linker->diag, pos, "input %s: '%s' has no output '%s'%s", in->name, target->instance->alias, name,
                  hl_text_did_you_mean(name, names, p->n_symbols, near, sizeof near));
}

static struct hl_value input_value(struct hl_scope *s, size_t index)
{
    const struct hl_input *in = &s->model->parts->input[index];
    struct hl_linker *l = s->linker;
    if (l->alone) {
        int reg = hl_graph_register(l->graph, in->name, HL_REG_OUTPUT, hl_dim_none(), 0.0);
        struct hl_value unknown = hl_value_of(hl_graph_leaf(l->graph, reg, -1, true, true), hl_dim_none());
        unknown.known = false;
        return unknown;
    }
    const char *name = NULL;
    struct hl_pos pos;
    struct hl_scope *target = input_target(s, in, &name, &pos);
    const struct hl_symbol *symbol = target ? hl_model_symbol(target->model, name) : NULL;
    if (!symbol || symbol->kind == HL_SYM_MIXTURE || symbol->kind == HL_SYM_ETA || symbol->kind == HL_SYM_COVARIATE) {
        report_input(s, in, target, name, pos);
        return bad(s);
    }
    enum hl_context context = target->context;
    target->context = HL_CTX_TIME;
    struct hl_value v = hl_scope_symbol(target, symbol, pos);
    target->context = context;
    return v;
}

static struct hl_value define(struct hl_scope *s, const struct hl_symbol *y)
{
    const struct hl_model *m = s->model;
    const struct hl_model_parts *p = m->parts;
    struct hl_value v;
    char what[160];
    switch (y->kind) {
    case HL_SYM_COVARIATE:
        return m->covariate[y->index].unread
                   ? bad(s)
                   : hl_value_of(s->covariate_node[y->index], m->covariate[y->index].unit.dim);
    case HL_SYM_PARAMETER:
        return parameter_value(s, y->index);
    case HL_SYM_ETA:
        return hl_value_of(s->eta_node[y->index], hl_dim_none());
    case HL_SYM_MIXTURE:
        return bad(s);
    case HL_SYM_INDIVIDUAL:
        v = hl_scope_lower(s, m->individual[y->index].expr, HL_CTX_SUBJECT);
        if (v.condition) {
            hl_diag_error(s->linker->diag, y->pos, "'%s' is a comparison, not a number; write if(condition, 1, 0)",
                          y->name);
            return bad(s);
        }
        return v;
    case HL_SYM_COMPARTMENT:
        return hl_value_of(s->linker->state_node[hl_scope_state(s, y->kind, y->index)], hl_dim_of("mg"));
    case HL_SYM_EFFECT_SITE:
        return effect_site_value(s, y->index);
    case HL_SYM_STATE:
        v = hl_value_of(s->linker->state_node[hl_scope_state(s, y->kind, y->index)], p->state[y->index].unit.dim);
        v.known = !p->state[y->index].unread;
        return v;
    case HL_SYM_OUTPUT:
        if (p->output[y->index].unread)
            return hl_scope_lower(s, p->output[y->index].value, HL_CTX_TIME);
        snprintf(what, sizeof what, "output '%.100s' in %.40s", y->name, p->output[y->index].unit_text);
        return hl_scope_lower_as(s, p->output[y->index].value, HL_CTX_TIME, p->output[y->index].unit.dim, what);
    case HL_SYM_INPUT:
        return input_value(s, y->index);
    }
    return bad(s);
}

static void report_circle(struct hl_scope *s, const struct hl_symbol *y)
{
    const char *text = "";
    size_t first = s->n_chain;
    while (first > 0 && strcmp(s->chain[first - 1], y->name) != 0)
        first--;
    for (size_t i = first ? first - 1 : 0; i < s->n_chain; i++)
        text = hl_arena_printf(s->linker->arena, "%s%s -> ", text, s->chain[i]);
    hl_diag_error(s->linker->diag, y->pos, "circular definition: %s%s; %s", text, y->name,
                  y->kind == HL_SYM_EFFECT_SITE ? "state the effect site's unit, as in unit: ng/mL"
                                                : "define one of them without the other");
}

static bool changes_in_time(enum hl_symbol_kind kind)
{
    return kind >= HL_SYM_COMPARTMENT;
}

struct hl_value hl_scope_symbol(struct hl_scope *s, const struct hl_symbol *y, struct hl_pos pos)
{
    struct hl_binding *b = &s->binding[y - s->model->parts->symbol];
    if (s->context != HL_CTX_TIME && changes_in_time(y->kind)) {
        hl_diag_error(s->linker->diag, pos, "'%s' changes with time, and this is evaluated once per subject; move the "
                      "expression to outputs: or states:, or use individual values only", y->name);
        return bad(s);
    }
    if (b->progress == 1) {
        report_circle(s, y);
        return bad(s);
    }
    if (b->progress == 2)
        return b->value;
    enum hl_context context = s->context;
    b->progress = 1;
    s->chain[s->n_chain++] = y->name;
    b->value = define(s, y);
    s->n_chain--;
    b->progress = 2;
    s->context = context;
    return b->value;
}

/* ---- Names that every model has ---- */

static int tad_node(struct hl_scope *s)
{
    struct hl_linker *l = s->linker;
    if (s->tad_node < 0) {
        int reg = hl_graph_register(l->graph, hl_scope_name(s, "tad"), HL_REG_TAD, hl_dim_of("h"), 0.0);
        s->tad_node = hl_graph_leaf(l->graph, reg, -1, true, false);
        l->system->instance[s->index].tad_reg = reg;
    }
    return s->tad_node;
}

static struct hl_value time_value(struct hl_scope *s, const struct hl_expr *e)
{
    struct hl_linker *l = s->linker;
    bool tad = strcmp(e->name, "tad") == 0;
    if (s->context == HL_CTX_RELEASE && tad)
        return hl_value_of(s->dose_tad_node, hl_dim_of("h"));
    if (s->context == HL_CTX_RELEASE)
        hl_diag_error(l->diag, e->pos, "a release goes by the clock of its own dose; use tad, the time since it "
                      "arrived");
    else if (s->context != HL_CTX_TIME)
        hl_diag_error(l->diag, e->pos, "'%s' changes, and this is evaluated once per subject; move the expression to "
                      "outputs:, states: or flows:", e->name);
    else if (tad && s->model->parts->n_routes == 0)
        hl_diag_error(l->diag, e->pos, "'tad', the time after the last dose, needs a model with routes");
    else
        return hl_value_of(tad ? tad_node(s) : l->time_node, hl_dim_of("h"));
    return bad(s);
}

/* ln2, pi, t, tad, molar_mass, nominal; false when it is none of them. */
static bool built_in(struct hl_scope *s, const struct hl_expr *e, struct hl_value *v)
{
    struct hl_linker *l = s->linker;
    *v = bad(s);
    if (strcmp(e->name, "ln2") == 0 || strcmp(e->name, "pi") == 0)
        *v = hl_value_of(hl_graph_number(l->graph, e->name[0] == 'l' ? LN2 : PI), hl_dim_none());
    else if (strcmp(e->name, "t") == 0 || strcmp(e->name, "tad") == 0)
        *v = time_value(s, e);
    else if (strcmp(e->name, "molar_mass") == 0 && s->model->molar_mass > 0.0)
        *v = hl_value_of(hl_graph_number(l->graph, s->model->molar_mass), hl_dim_of("mg/nmol"));
    else if (strcmp(e->name, "molar_mass") == 0)
        hl_diag_error(l->diag, e->pos, "this model states no molar_mass; add molar_mass: ... g/mol at its top");
    else if (strcmp(e->name, "nominal") == 0 && s->context == HL_CTX_PATCH)
        *v = hl_value_of(s->nominal_node, s->nominal_dim);
    else if (strcmp(e->name, "nominal") == 0)
        hl_diag_error(l->diag, e->pos, "'nominal', the strength of a patch, is only known in its content: and rate:");
    else
        return false;
    return true;
}

static struct hl_value unknown_name(struct hl_scope *s, const struct hl_expr *e)
{
    static const char *const constants[] = {"ln2", "pi", "t", "tad", "molar_mass"};
    const struct hl_model_parts *p = s->model->parts;
    size_t n = p->n_symbols;
    const char **names = hl_arena_alloc(s->linker->arena, n + 5, sizeof *names);
    char near[128], why[256];
    struct hl_unit unit;
    for (size_t i = 0; i < n; i++)
        names[i] = p->symbol[i].name;
    for (size_t i = 0; i < 5; i++)
        names[n + i] = constants[i];
    for (size_t i = 0; i < s->model->n_covariates; i++)
        for (size_t k = 0; k < s->model->covariate[i].n_categories; k++)
            if (strcmp(s->model->covariate[i].category[k], e->name) == 0) {
                hl_diag_error(s->linker->diag, e->pos, "'%s' is a category of '%s' and means something only beside it: "
                              "%s = %s", e->name, s->model->covariate[i].name, s->model->covariate[i].name, e->name);
                return bad(s);
            }
    const char *hint = hl_text_did_you_mean(e->name, names, n + 5, near, sizeof near);
    if (!*hint && hl_unit_parse(e->name, &unit, why, sizeof why))
        hl_diag_error(s->linker->diag, e->pos, "unknown name '%s'; a unit needs a number before it, as in 1 %s",
                      e->name, e->name);
    else
        hl_diag_error(s->linker->diag, e->pos, "unknown name '%s'%s", e->name, hint);
    return bad(s);
}

static struct hl_value resolve(void *scope, const struct hl_expr *e)
{
    struct hl_scope *s = scope;
    struct hl_value v;
    const struct hl_symbol *y = hl_model_symbol(s->model, e->name);
    if (y)
        return hl_scope_symbol(s, y, e->pos);
    return built_in(s, e, &v) ? v : unknown_name(s, e);
}

static bool categories(void *scope, const char *name, struct hl_categories *found)
{
    struct hl_scope *s = scope;
    const struct hl_symbol *y = hl_model_symbol(s->model, name);
    if (y && y->kind == HL_SYM_COVARIATE && s->model->covariate[y->index].n_categories > 0) {
        const struct hl_covariate *c = &s->model->covariate[y->index];
        *found = (struct hl_categories){c->category, c->n_categories, s->covariate_node[y->index]};
        return true;
    }
    if (y && y->kind == HL_SYM_MIXTURE) {
        const struct hl_mixture *x = &s->model->mixture[y->index];
        *found = (struct hl_categories){x->class_name, x->n, s->mixture_node[y->index]};
        return true;
    }
    return false;
}

static struct hl_lowerer lowerer(struct hl_scope *s)
{
    return (struct hl_lowerer){s->linker->arena, s->linker->graph, s->linker->diag, &s->linker->depth,
                               s, resolve, categories};
}

struct hl_value hl_scope_lower(struct hl_scope *s, const struct hl_expr *expr, enum hl_context context)
{
    struct hl_lowerer l = lowerer(s);
    enum hl_context before = s->context;
    s->context = context;
    struct hl_value v = hl_lower(&l, expr);
    s->context = before;
    return v;
}

struct hl_value hl_scope_lower_as(struct hl_scope *s, const struct hl_expr *expr, enum hl_context context,
                                  struct hl_dim dim, const char *what)
{
    struct hl_lowerer l = lowerer(s);
    enum hl_context before = s->context;
    s->context = context;
    struct hl_value v = hl_lower_as(&l, expr, dim, what);
    s->context = before;
    return v;
}
