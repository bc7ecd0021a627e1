/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linking: the models of a study become one system.
 *
 *   1. every instance gets registers for its covariates (shared by name), parameters, etas, classes and states;
 *   2. all expressions are lowered into one graph: rates of change, outputs, routes (an interaction's inputs are simply
 *      the other models' nodes);
 *   3. which states are linear is a fixed point: a state is linear when its rate is a linear form and every state in
 *      that form is linear;
 *   4. whatever is constant in time and needed later is computed by the individual program, once per subject.
 *
 * Focusing compiles, from the same graph, the programs for the outputs that are asked for and for the rates of the
 * states that these outputs depend on, directly or through other states. */
#include "model/system.h"

#include <string.h>

#include "base/text.h"
#include "base/vector.h"
#include "model/link.h"

/* ---- Lists ---- */

static size_t n_patch_states(const struct hl_model_parts *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_routes; i++)
        if (p->route[i].is_patch && p->route[i].content)
            n += p->route[i].n_phases;
    return n;
}

static size_t n_model_states(const struct hl_model_parts *p)
{
    return p->n_compartments + p->n_effect_sites + p->n_states + n_patch_states(p);
}

/* Room for everything, so that pointers into the lists stay good. */
static void make_room(struct hl_linker *l, const struct hl_instance *instance, size_t n)
{
    size_t covariates = 0, parameters = 0, etas = 0, blocks = 0, mixtures = 0, individuals = 0, states = 0, routes = 0,
           outputs = 0;
    for (size_t i = 0; i < n; i++) {
        const struct hl_model *m = instance[i].model;
        covariates += m->n_covariates;
        parameters += m->n_parameters;
        etas += m->n_etas;
        blocks += m->n_blocks;
        mixtures += m->n_mixtures;
        individuals += m->n_individual;
        states += n_model_states(m->parts);
        routes += m->parts->n_routes;
        outputs += m->parts->n_outputs + n_model_states(m->parts);
    }
    struct hl_system *y = l->system;
    struct hl_arena *a = l->arena;
    y->instance = hl_arena_alloc(a, n, sizeof *y->instance);
    y->covariate = hl_arena_alloc(a, covariates, sizeof *y->covariate);
    y->parameter = hl_arena_alloc(a, parameters, sizeof *y->parameter);
    y->eta = hl_arena_alloc(a, etas, sizeof *y->eta);
    y->block = hl_arena_alloc(a, blocks, sizeof *y->block);
    y->mixture = hl_arena_alloc(a, mixtures, sizeof *y->mixture);
    y->individual_value = hl_arena_alloc(a, individuals, sizeof *y->individual_value);
    y->state = hl_arena_alloc(a, states, sizeof *y->state);
    y->route = hl_arena_alloc(a, routes, sizeof *y->route);
    y->output = hl_arena_alloc(a, outputs, sizeof *y->output);
    l->state_node = hl_arena_alloc(a, states, sizeof *l->state_node);
    l->derivative = hl_arena_alloc(a, states, sizeof *l->derivative);
    l->individual_node = hl_arena_alloc(a, individuals, sizeof *l->individual_node);
    l->strength = hl_arena_alloc(a, routes, sizeof *l->strength);
    l->output_node = hl_arena_alloc(a, outputs, sizeof *l->output_node);
    l->scope = hl_arena_alloc(a, n, sizeof *l->scope);
}

void hl_link_pend(struct hl_linker *l, int *field, int node)
{
    l->pending = hl_arena_push(l->arena, l->pending, l->n_pending, &l->pending_capacity, sizeof *l->pending);
    l->pending[l->n_pending++] = (struct hl_pending){field, node};
}

/* ---- States ---- */

static void add_state(struct hl_scope *s, const char *name, enum hl_state_kind kind, struct hl_unit unit,
                      const char *unit_text, const struct hl_evidence *evidence)
{
    struct hl_linker *l = s->linker;
    int index = (int)l->system->n_states++;
    struct hl_state *x = &l->system->state[index];
    *x = (struct hl_state){.name = hl_scope_name(s, name), .kind = kind, .instance = s->index, .initial_reg = -1,
                           .unit = unit, .unit_text = unit_text};
    if (evidence)
        x->evidence = *evidence;
    x->reg = hl_graph_register(l->graph, x->name, HL_REG_STATE, unit.dim, 0.0);
    x->derivative_reg = hl_graph_register(l->graph, hl_arena_printf(l->arena, "d%s/dt", x->name), HL_REG_DERIVATIVE,
                                          hl_dim_divide(unit.dim, hl_dim_of("h")), 0.0);
    l->state_node[index] = hl_graph_leaf(l->graph, x->reg, index, true, true);
    l->derivative[index] = hl_graph_number(l->graph, 0.0);
}

/* The unit an effect site is shown in: its own, that of the output it follows, or (empty for now) the engine's. */
static struct hl_unit effect_site_unit(const struct hl_model *m, const struct hl_effect_site *x, const char **text)
{
    const struct hl_symbol *y =
        x->follows && x->follows->op == HL_OP_NAME ? hl_model_symbol(m, x->follows->name) : NULL;
    *text = x->unit_text;
    if (x->has_unit)
        return x->unit;
    if (y && y->kind == HL_SYM_OUTPUT) {
        *text = m->parts->output[y->index].unit_text;
        return m->parts->output[y->index].unit;
    }
    *text = NULL;
    return (struct hl_unit){hl_dim_none(), 1.0};
}

static void add_patch_states(struct hl_scope *s)
{
    const struct hl_model_parts *p = s->model->parts;
    const struct hl_unit mg = {hl_dim_of("mg"), 1.0};
    for (size_t i = 0; i < p->n_routes; i++)
        for (size_t j = 0; p->route[i].is_patch && p->route[i].content && j < p->route[i].n_phases; j++)
            add_state(s, hl_arena_printf(s->linker->arena, "%s_content%zu", p->route[i].name, j + 1), HL_PATCH_CONTENT,
                      mg, "mg", NULL);
}

static void add_states(struct hl_scope *s)
{
    const struct hl_model_parts *p = s->model->parts;
    const struct hl_unit mg = {hl_dim_of("mg"), 1.0};
    s->first_state = (int)s->linker->system->n_states;
    for (size_t i = 0; i < p->n_compartments; i++)
        add_state(s, p->compartment[i].name, HL_COMPARTMENT, mg, "mg", NULL);
    for (size_t i = 0; i < p->n_effect_sites; i++) {
        const char *text;
        struct hl_unit unit = effect_site_unit(s->model, &p->effect_site[i], &text);
        add_state(s, p->effect_site[i].name, HL_EFFECT_SITE, unit, text, &p->effect_site[i].evidence);
    }
    for (size_t i = 0; i < p->n_states; i++)
        add_state(s, p->state[i].name, HL_FREE_STATE, p->state[i].unit, p->state[i].unit_text, &p->state[i].evidence);
    add_patch_states(s);
}

/* An effect site that follows a formula is shown in the engine's unit of that formula. */
static void name_effect_site_units(struct hl_system *y, const struct hl_graph *g, struct hl_arena *arena)
{
    char text[64];
    for (size_t i = 0; i < y->n_states; i++) {
        struct hl_state *x = &y->state[i];
        if (x->unit_text)
            continue;
        x->unit = (struct hl_unit){g->reg[x->reg].dim, 1.0};
        x->unit_text = hl_arena_strdup(arena, hl_dim_name(x->unit.dim, text, sizeof text));
    }
}

/* ---- Instances ---- */

static void start_scope(struct hl_linker *l, const struct hl_instance *instance)
{
    struct hl_scope *s = &l->scope[l->n_scopes];
    const struct hl_model_parts *p = instance->model->parts;
    *s = (struct hl_scope){.linker = l, .instance = instance, .model = instance->model, .index = (int)l->n_scopes++,
                           .tad_node = -1, .nominal_node = -1};
    s->binding = hl_arena_alloc(l->arena, p->n_symbols, sizeof *s->binding);
    s->chain = hl_arena_alloc(l->arena, p->n_symbols + 1, sizeof *s->chain);
    s->volume = hl_arena_alloc(l->arena, p->n_compartments, sizeof *s->volume);
    l->system->instance[l->system->n_instances++] = (struct hl_system_instance){
        .alias = instance->alias, .model = instance->model, .is_drug = instance->is_drug, .tad_reg = -1,
        .default_route = -1, .default_output = -1, .n_inputs = instance->n_inputs, .input_name = instance->input_name,
        .input_output = instance->input_output};
    hl_link_values(s);
    add_states(s);
}

static void check_instances(struct hl_linker *l, const struct hl_instance *instance, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct hl_model_parts *p = instance[i].model->parts;
        const char **names = hl_arena_alloc(l->arena, p->n_inputs, sizeof *names);
        char near[128];
        for (size_t k = 0; k < p->n_inputs; k++)
            names[k] = p->input[k].name;
        for (size_t k = 0; k < instance[i].n_inputs; k++) {
            const struct hl_symbol *y = hl_model_symbol(instance[i].model, instance[i].input_name[k]);
            if (!y || y->kind != HL_SYM_INPUT)
                hl_diag_error(l->diag, instance[i].input_name_pos ? instance[i].input_name_pos[k] : instance[i].pos,
                              "model '%s' has no input '%s'%s", instance[i].model->name, instance[i].input_name[k],
                              hl_text_did_you_mean(instance[i].input_name[k], names, p->n_inputs, near, sizeof near));
        }
        for (size_t k = 0; k < i; k++)
            if (strcmp(instance[i].alias, instance[k].alias) == 0)
                hl_diag_error(l->diag, instance[i].pos, "'%s' is already the name of another model of this study",
                              instance[i].alias);
    }
}

/* ---- Linear part ---- */

static bool form_is_linear(const struct hl_system *y, const struct hl_linear *f)
{
    for (size_t k = 0; f->linear && k < f->n; k++)
        if (!y->state[f->state[k]].linear)
            return false;
    return f->linear;
}

static void find_linear_states(struct hl_linker *l)
{
    struct hl_system *y = l->system;
    for (size_t i = 0; i < y->n_states; i++)
        y->state[i].linear = hl_graph_linear(l->graph, l->derivative[i])->linear;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < y->n_states; i++)
            if (y->state[i].linear && !form_is_linear(y, hl_graph_linear(l->graph, l->derivative[i]))) {
                y->state[i].linear = false;
                changed = true;
            }
    }
}

static void add_coefficient(struct hl_linker *l, struct hl_coefficient *list, size_t *n, int row, int col, int node)
{
    list[*n] = (struct hl_coefficient){row, col, -1};
    hl_link_pend(l, &list[(*n)++].reg, node);
}

static void collect_coefficients(struct hl_linker *l)
{
    struct hl_system *y = l->system;
    size_t most = 0;
    for (size_t i = 0; i < y->n_states; i++)
        most += y->state[i].linear ? hl_graph_linear(l->graph, l->derivative[i])->n + 1 : 0;
    y->coef = hl_arena_alloc(l->arena, most, sizeof *y->coef);
    for (size_t i = 0; i < y->n_states; i++) {
        const struct hl_linear *f = hl_graph_linear(l->graph, l->derivative[i]);
        for (size_t k = 0; y->state[i].linear && k < f->n; k++)
            add_coefficient(l, y->coef, &y->n_coefs, (int)i, f->state[k], f->coef[k]);
        if (y->state[i].linear && f->offset >= 0)
            add_coefficient(l, y->coef, &y->n_coefs, (int)i, -1, f->offset);
    }
}

static void find_linear_outputs(struct hl_linker *l)
{
    for (size_t i = 0; i < l->system->n_outputs; i++) {
        struct hl_output *o = &l->system->output[i];
        const struct hl_linear *f = hl_graph_linear(l->graph, l->output_node[i]);
        o->linear = form_is_linear(l->system, f);
        o->offset_reg = -1;
        o->coef = hl_arena_alloc(l->arena, f->n, sizeof *o->coef);
        for (size_t k = 0; o->linear && k < f->n; k++)
            add_coefficient(l, o->coef, &o->n_coefs, -1, f->state[k], f->coef[k]);
        if (o->linear && f->offset >= 0)
            hl_link_pend(l, &o->offset_reg, f->offset);
    }
}

/* ---- Defaults ---- */

/* The first own output that is a multiple of this state alone. */
static int output_of_state(const struct hl_linker *l, int instance, int state)
{
    for (size_t i = 0; i < l->system->n_outputs; i++) {
        const struct hl_output *o = &l->system->output[i];
        const struct hl_linear *f = hl_graph_linear(l->graph, l->output_node[i]);
        if (o->instance == instance && !o->implicit && f->linear && f->n == 1 && f->state[0] == state && f->offset < 0)
            return (int)i;
    }
    return -1;
}

static int first_output(const struct hl_system *y, int instance)
{
    for (size_t i = 0; i < y->n_outputs; i++)
        if (y->output[i].instance == instance && !y->output[i].implicit)
            return (int)i;
    return -1;
}

static int only_or_default_route(const struct hl_system *y, const struct hl_scope *s)
{
    const struct hl_model_parts *p = s->model->parts;
    int first = 0;
    while (first < (int)y->n_routes && y->route[first].instance != s->index)
        first++;
    for (size_t i = 0; i < p->n_routes; i++)
        if (p->route[i].is_default || p->n_routes == 1)
            return first + (int)i;
    for (size_t i = 0; i < p->n_routes; i++)
        for (size_t k = 0; k < p->route[i].n_parts; k++)
            if (p->route[i].part[k].into >= 0 && p->compartment[p->route[i].part[k].into].dose)
                return first + (int)i;
    return -1;
}

/* The route whose parts all enter this state: the default one, else the first. */
static int route_into(const struct hl_system *y, int instance, int state)
{
    int found = -1;
    for (size_t i = 0; i < y->n_routes; i++) {
        const struct hl_route *route = &y->route[i];
        bool fits = route->instance == instance && !route->is_patch && route->n_parts > 0;
        for (size_t k = 0; k < route->n_parts; k++)
            fits = fits && route->part[k].state == state;
        if (fits && (found < 0 || (int)i == y->instance[instance].default_route))
            found = (int)i;
    }
    return found;
}

static int amount_output(const struct hl_system *y, int state)
{
    for (size_t i = 0; i < y->n_outputs; i++)
        if (y->output[i].implicit && strcmp(y->output[i].name, y->state[state].name) == 0)
            return (int)i;
    return -1;
}

/* Compartments as data sets number them. */
static void number_compartments(struct hl_linker *l)
{
    struct hl_system *y = l->system;
    y->compartment = hl_arena_alloc(l->arena, y->n_states, sizeof *y->compartment);
    for (size_t k = 0; k < y->n_states; k++) {
        const struct hl_state *state = &y->state[k];
        if (state->kind != HL_COMPARTMENT || !y->instance[state->instance].is_drug)
            continue;
        int shown = output_of_state(l, state->instance, (int)k);
        y->compartment[y->n_compartments++] = (struct hl_system_compartment){
            .name = state->name, .state = (int)k, .instance = state->instance,
            .route = route_into(y, state->instance, (int)k), .output = shown >= 0 ? shown : amount_output(y, (int)k)};
    }
}

static void find_defaults(struct hl_linker *l)
{
    for (size_t i = 0; i < l->n_scopes; i++) {
        struct hl_scope *s = &l->scope[i];
        struct hl_system_instance *x = &l->system->instance[i];
        for (size_t k = 0; k < s->model->parts->n_compartments; k++)
            if (s->model->parts->compartment[k].observe)
                x->default_output = output_of_state(l, s->index, hl_scope_state(s, HL_SYM_COMPARTMENT, k));
        if (x->default_output < 0)
            x->default_output = first_output(l->system, s->index);
        x->default_route = only_or_default_route(l->system, s);
    }
    number_compartments(l);
}

/* ---- Registers and programs ---- */

/* Every node that must stand in a register when programs run. */
static int *wanted_nodes(const struct hl_linker *l, size_t *n)
{
    const struct hl_system *y = l->system;
    size_t most = l->n_pending + y->n_outputs + y->n_states + y->n_routes + y->n_individuals + l->n_releases;
    int *wanted = hl_arena_alloc(l->arena, most, sizeof *wanted);
    *n = 0;
    for (size_t i = 0; i < l->n_pending; i++)
        wanted[(*n)++] = l->pending[i].node;
    for (size_t i = 0; i < y->n_outputs; i++)
        wanted[(*n)++] = l->output_node[i];
    for (size_t i = 0; i < y->n_states; i++)
        wanted[(*n)++] = l->derivative[i];
    for (size_t i = 0; i < y->n_individuals; i++)
        wanted[(*n)++] = l->individual_node[i];
    for (size_t i = 0; i < y->n_routes; i++)
        if (l->strength[i] >= 0)
            wanted[(*n)++] = l->strength[i];
    for (size_t i = 0; i < l->n_releases; i++)
        wanted[(*n)++] = l->release[i].node;
    return wanted;
}

/* A register for every individual value, and one for every other node that is kept. */
static struct hl_root *individual_roots(struct hl_linker *l, const int *kept, size_t n_kept, size_t *n)
{
    struct hl_graph *g = l->graph;
    struct hl_system *y = l->system;
    struct hl_root *root = hl_arena_alloc(l->arena, y->n_individuals + n_kept, sizeof *root);
    bool *placed = hl_arena_alloc(l->arena, g->n_nodes, sizeof *placed);
    *n = 0;
    for (size_t i = 0; i < y->n_individuals; i++) {
        int node = l->individual_node[i], reg = y->individual_value[i].reg;
        placed[node] = true;
        g->reg[reg].individual = g->node[node].individual;
        root[(*n)++] = (struct hl_root){node, reg};
    }
    for (size_t i = 0; i < n_kept; i++) {
        if (placed[kept[i]])
            continue;
        int reg = hl_graph_register(g, NULL, HL_REG_COEFFICIENT, hl_dim_none(), 0.0);
        g->reg[reg].individual = g->node[kept[i]].individual;
        root[(*n)++] = (struct hl_root){kept[i], reg};
    }
    return root;
}

/* Everything constant in time that is needed gets a home, and the program that fills them is compiled. */
static void compile_individual(struct hl_linker *l)
{
    struct hl_graph *g = l->graph;
    size_t n, n_kept, n_roots;
    int *wanted = wanted_nodes(l, &n);
    int *kept = hl_graph_kept(g, wanted, n, &n_kept);
    struct hl_root *root = individual_roots(l, kept, n_kept, &n_roots);
    l->system->individual = hl_graph_compile(g, root, n_roots, g->n_regs);
    for (size_t i = 0; i < n_roots; i++)
        if (g->node[root[i].node].home < 0)
            g->node[root[i].node].home = root[i].reg;
    for (size_t i = 0; i < l->n_pending; i++)
        *l->pending[i].field = g->node[l->pending[i].node].home;
}

static void compile_patches(struct hl_linker *l)
{
    for (size_t i = 0; i < l->system->n_routes; i++) {
        struct hl_route *route = &l->system->route[i];
        if (l->strength[i] < 0)
            continue;
        struct hl_root root = {l->strength[i], route->content_reg >= 0 ? route->content_reg : route->rate_reg};
        route->content = hl_graph_compile(l->graph, &root, 1, l->graph->n_regs);
    }
}

static void hand_over(struct hl_linker *l)
{
    struct hl_system *y = l->system;
    struct hl_graph *g = l->graph;
    y->graph = hl_arena_alloc(l->arena, 1, sizeof *y->graph);
    *y->graph = (struct hl_system_graph){g, l->derivative, l->output_node, g->n_regs};
    y->n_regs = g->n_regs;
    y->reg = g->reg;
    y->initial = g->initial;
}

/* ---- All of it ---- */

static struct hl_system *link_all(struct hl_arena *arena, const struct hl_instance *instance, size_t n, bool alone,
                                  struct hl_diag *diag)
{
    size_t errors = hl_diag_count(diag, HL_ERROR), n_routes = 0;
    struct hl_linker l = {.arena = arena, .diag = diag, .graph = hl_graph_create(arena), .alone = alone,
                          .system = hl_arena_alloc(arena, 1, sizeof(struct hl_system))};
    make_room(&l, instance, n);
    l.system->time_reg = hl_graph_register(l.graph, "t", HL_REG_TIME, hl_dim_of("h"), 0.0);
    l.time_node = hl_graph_leaf(l.graph, l.system->time_reg, -1, true, false);
    check_instances(&l, instance, n);
    for (size_t i = 0; i < n; i++)
        start_scope(&l, &instance[i]);
    for (size_t i = 0; i < n; i++) {
        hl_link_structure(&l.scope[i]);
        hl_link_routes(&l.scope[i], &n_routes);
    }
    l.system->n_routes = n_routes;
    name_effect_site_units(l.system, l.graph, arena);
    for (size_t i = 0; i < n; i++)
        hl_link_outputs(&l.scope[i]);
    if (hl_diag_count(diag, HL_ERROR) > errors)
        return NULL;
    find_linear_states(&l);
    hl_link_mark_fed(&l);
    collect_coefficients(&l);
    find_linear_outputs(&l);
    find_defaults(&l);
    compile_individual(&l);
    compile_patches(&l);
    hl_link_compile_releases(&l);
    hand_over(&l);
    return l.system;
}

struct hl_system *hl_system_link(struct hl_arena *arena, const struct hl_instance *instance, size_t n,
                                 struct hl_diag *diag)
{
    return link_all(arena, instance, n, false, diag);
}

void hl_system_check_model(struct hl_arena *arena, const struct hl_model *model, struct hl_diag *diag)
{
    const struct hl_instance instance = {.alias = model->name, .pos = hl_pos_none(), .model = model,
                                         .is_drug = model->parts->n_routes > 0};
    link_all(arena, &instance, 1, true, diag);
}

/* ---- Focus ---- */

/* Marks the states that the marked states' rates depend on, until nothing is new. */
static void close_needed(const struct hl_system *y, bool *needed)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < y->n_states; i++) {
            bool *seen = needed[i] ? hl_arena_alloc(y->graph->graph->arena, y->n_states, sizeof *seen) : NULL;
            if (!seen)
                continue;
            hl_graph_states(y->graph->graph, y->graph->derivative[i], seen);
            for (size_t k = 0; k < y->n_states; k++)
                if (seen[k] && !needed[k])
                    changed = needed[k] = true;
        }
    }
}

bool hl_system_reads(const struct hl_system *y, int output, int instance)
{
    bool *needed = hl_arena_alloc(y->graph->graph->arena, y->n_states, sizeof *needed);
    hl_graph_states(y->graph->graph, y->graph->output[output], needed);
    close_needed(y, needed);
    for (size_t i = 0; i < y->n_states; i++)
        if (needed[i] && y->state[i].instance == instance)
            return true;
    return false;
}

enum which_rates { ALL_RATES, NOT_LINEAR, NOT_LINEAR_OR_FED };

static struct hl_program compile_rates(struct hl_system *y, enum which_rates which)
{
    struct hl_graph *g = y->graph->graph;
    struct hl_root *root = hl_arena_alloc(g->arena, y->n_states, sizeof *root);
    size_t n = 0;
    for (size_t i = 0; i < y->n_states; i++)
        if (y->state[i].needed && (which == ALL_RATES || !y->state[i].linear ||
                                   (which == NOT_LINEAR_OR_FED && y->state[i].fed)))
            root[n++] = (struct hl_root){y->graph->derivative[i], y->state[i].derivative_reg};
    return hl_graph_compile(g, root, n, y->graph->first_temporary);
}

static struct hl_program compile_outputs(struct hl_system *y, const int *output, size_t n)
{
    struct hl_graph *g = y->graph->graph;
    struct hl_root *root = hl_arena_alloc(g->arena, n, sizeof *root);
    for (size_t i = 0; i < n; i++)
        root[i] = (struct hl_root){y->graph->output[output[i]], y->output[output[i]].reg};
    return hl_graph_compile(g, root, n, y->graph->first_temporary);
}

/* The system's lists are copied before they change: variants share them. Registers only ever grow. */
void hl_system_focus(struct hl_arena *arena, struct hl_system *y, const int *output, size_t n)
{
    struct hl_graph *g = y->graph->graph;
    bool *needed = hl_arena_alloc(arena, y->n_states, sizeof *needed);
    struct hl_state *state = hl_arena_alloc(arena, y->n_states, sizeof *state);
    for (size_t i = 0; i < n; i++)
        hl_graph_states(g, y->graph->output[output[i]], needed);
    close_needed(y, needed);
    if (y->n_states)
        memcpy(state, y->state, y->n_states * sizeof *state);
    y->state = state;
    y->integrated = false;
    for (size_t i = 0; i < y->n_states; i++) {
        state[i].needed = needed[i];
        y->integrated |= needed[i] && !state[i].linear;
    }
    y->rhs = compile_rates(y, ALL_RATES);
    y->rhs_integrated = compile_rates(y, NOT_LINEAR);
    y->rhs_released = compile_rates(y, NOT_LINEAR_OR_FED);
    y->outputs = compile_outputs(y, output, n);
    double *initial = hl_arena_alloc(arena, g->n_regs, sizeof *initial);
    memcpy(initial, g->initial, g->n_regs * sizeof *initial);
    memcpy(initial, y->initial, y->n_regs * sizeof *initial); /* a variant's own values */
    y->initial = initial;
    y->reg = g->reg;
    y->n_regs = g->n_regs;
}

/* ---- Lookup ---- */

#define FIND(list, count, name_of)                                                                                     \
    for (size_t i = 0; i < (count); i++)                                                                               \
        if (strcmp((list)[i].name_of, name) == 0)                                                                      \
            return (int)i;                                                                                             \
    return -1

int hl_system_find_output(const struct hl_system *y, const char *name)
{
    FIND(y->output, y->n_outputs, name);
}

int hl_system_find_parameter(const struct hl_system *y, const char *name)
{
    FIND(y->parameter, y->n_parameters, name);
}

int hl_system_find_covariate(const struct hl_system *y, const char *name)
{
    FIND(y->covariate, y->n_covariates, name);
}

int hl_system_find_eta(const struct hl_system *y, const char *name)
{
    FIND(y->eta, y->n_etas, name);
}

int hl_system_find_instance(const struct hl_system *y, const char *name)
{
    FIND(y->instance, y->n_instances, alias);
}

int hl_system_find_state(const struct hl_system *y, const char *name)
{
    FIND(y->state, y->n_states, name);
}

int hl_system_find_route(const struct hl_system *y, int instance, const char *name)
{
    for (size_t i = 0; i < y->n_routes; i++)
        if (y->route[i].instance == instance && strcmp(y->route[i].name, name) == 0)
            return (int)i;
    return -1;
}

HL_CLONES void hl_system_reset(const struct hl_system *y, double *regs, size_t lanes)
{
    for (size_t r = 0; r < y->n_regs; r++) {
        double value = y->initial[r], *row = regs + r * lanes;
#pragma omp simd
        for (size_t i = 0; i < lanes; i++)
            row[i] = value;
    }
}

struct hl_system *hl_system_variant(struct hl_arena *arena, const struct hl_system *y)
{
    struct hl_system *copy = hl_arena_alloc(arena, 1, sizeof *copy);
    *copy = *y;
    copy->initial = hl_arena_alloc(arena, y->n_regs, sizeof *copy->initial);
    memcpy(copy->initial, y->initial, y->n_regs * sizeof *copy->initial);
    return copy;
}
