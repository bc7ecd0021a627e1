/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a text says, in which order and under which names.
 *
 *   1. From the outputs asked for, every symbol they need is marked, through rates of change and start values too;
 *      compartments are always kept, so that CMT n is the same compartment as in a data set of halflife's.
 *   2. States are numbered: compartments of drugs in the order of their files (struct hl_system_compartment), then other
 *      compartments, effect sites, free states, contents of patches.
 *   3. Everything gets a name.
 *   4. Definitions are put in an order in which each needs only what stands before it: values of a subject (tables of
 *      parameters, individual values), quantities among the rates of change, outputs.
 *
 * The rates of change are those of link_structure.c and link_routes.c, as trees instead of nodes:
 *      compartment   sum of flows in - sum of flows out;  a clearance is divided by the volume it leaves
 *      effect site   ke0 (C - Ce)
 *      patch         -release P, and release x arriving part x fraction x P into each part of its route */
#include <stdio.h>
#include <string.h>

#include "translate/tree.h"

void hl_limit(struct hl_translator *t, struct hl_pos pos, const char *format, ...)
{
    char text[1200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < t->n_limits; i++)
        if (strcmp(t->limit[i], text) == 0)
            return;
    hl_diag_warning(t->diag, pos, "%s", text);
    t->limit = hl_arena_push(t->arena, t->limit, t->n_limits, &t->limit_capacity, sizeof *t->limit);
    t->limit[t->n_limits++] = hl_arena_strdup(t->arena, text);
}

void hl_line_add(struct hl_translator *t, struct hl_line_list *list, int voice, const char *name,
                 const struct hl_expr *expr, const char *comment)
{
    list->line = hl_arena_push(t->arena, list->line, list->n, &list->capacity, sizeof *list->line);
    list->line[list->n++] = (struct hl_line){voice, name, expr, comment};
}

/* ---- Symbols ---- */

static struct hl_word *word_of(const struct hl_translator *t, int voice, const struct hl_symbol *symbol)
{
    return &t->voice[voice].word[symbol - t->voice[voice].parts->symbol];
}

const struct hl_symbol *hl_plan_symbol(const struct hl_translator *t, int *voice, const char *name)
{
    const struct hl_voice *v = &t->voice[*voice];
    const struct hl_symbol *symbol = hl_model_symbol(v->model, name);
    if (!symbol || symbol->kind != HL_SYM_INPUT)
        return symbol;
    const char *target = v->parts->input[symbol->index].target;
    for (size_t i = 0; i < v->instance->n_inputs; i++)
        if (strcmp(v->instance->input_name[i], name) == 0)
            target = v->instance->input_output[i];
    const char *dot = strchr(target, '.');
    for (size_t i = 0; i < t->n_voices; i++) {
        const char *alias = t->voice[i].instance->alias;
        if (strlen(alias) == (size_t)(dot - target) && strncmp(alias, target, strlen(alias)) == 0) {
            *voice = (int)i;
            return hl_plan_symbol(t, voice, dot + 1);
        }
    }
    return NULL; /* linking has refused such a system */
}

static bool is_categorical(const struct hl_translator *t, int voice, const struct hl_symbol *symbol)
{
    const struct hl_model *m = t->voice[voice].model;
    return symbol && (symbol->kind == HL_SYM_MIXTURE ||
                      (symbol->kind == HL_SYM_COVARIATE && m->covariate[symbol->index].n_categories > 0));
}

int hl_plan_category_side(const struct hl_translator *t, int voice, const struct hl_expr *e)
{
    for (int i = 0; i < 2 && (e->op == HL_OP_EQ || e->op == HL_OP_NE); i++)
        if (e->arg[i]->op == HL_OP_NAME &&
            is_categorical(t, voice, hl_model_symbol(t->voice[voice].model, e->arg[i]->name)))
            return i;
    return -1;
}

struct hl_plan_covariate *hl_plan_find_covariate(const struct hl_translator *t, const char *name)
{
    for (size_t i = 0; i < t->n_covariates; i++)
        if (strcmp(t->covariate[i].info->name, name) == 0)
            return &t->covariate[i];
    return NULL;
}

/* A value of a table, chosen by the category of its covariate or mixture. */
static bool is_table(const struct hl_voice *v, const struct hl_symbol *symbol)
{
    return symbol->kind == HL_SYM_PARAMETER && v->model->parameter[symbol->index].by != NULL;
}

static size_t n_entries(const struct hl_voice *v, size_t parameter)
{
    const struct hl_symbol *by = hl_model_symbol(v->model, v->model->parameter[parameter].by);
    return by->kind == HL_SYM_MIXTURE ? v->model->mixture[by->index].n : v->model->covariate[by->index].n_categories;
}

bool hl_changes(const struct hl_translator *t, int voice, const struct hl_expr *e)
{
    if (!e)
        return false;
    if (e->op != HL_OP_NAME)
        return hl_changes(t, voice, e->arg[0]) || hl_changes(t, voice, e->arg[1]) || hl_changes(t, voice, e->arg[2]);
    if (strcmp(e->name, "t") == 0 || strcmp(e->name, "tad") == 0 || e->name[0] == HL_TREE_STATE[0])
        return true;
    const struct hl_symbol *symbol = hl_model_symbol(t->voice[voice].model, e->name);
    return symbol && symbol->kind >= HL_SYM_COMPARTMENT;
}

/* ---- 1. What is wanted ---- */

static void want_symbol(struct hl_translator *t, int voice, const struct hl_symbol *symbol, bool in_rates);

void hl_want(struct hl_translator *t, int voice, const struct hl_expr *e, bool in_rates)
{
    if (!e)
        return;
    int side = hl_plan_category_side(t, voice, e);
    if (side >= 0) {
        want_symbol(t, voice, hl_model_symbol(t->voice[voice].model, e->arg[side]->name), in_rates);
        return;
    }
    for (int i = 0; i < 3; i++)
        hl_want(t, voice, e->arg[i], in_rates);
    if (e->op != HL_OP_NAME)
        return;
    if (strcmp(e->name, "tad") == 0)
        t->uses_tad = t->tad_of_voice[voice] = true;
    const struct hl_symbol *symbol = hl_plan_symbol(t, &voice, e->name);
    if (symbol) {
        word_of(t, voice, symbol)->referred = true;
        want_symbol(t, voice, symbol, in_rates);
    }
}

static void want_parameter(struct hl_translator *t, int voice, size_t index)
{
    const struct hl_voice *v = &t->voice[voice];
    bool table = v->model->parameter[index].by != NULL;
    for (size_t i = 0; i < (table ? n_entries(v, index) : 1); i++)
        t->parameter[t->first_parameter[voice] + index + i].wanted = true;
    if (table)
        want_symbol(t, voice, hl_model_symbol(v->model, v->model->parameter[index].by), false);
}

static void want_output(struct hl_translator *t, int voice, const struct hl_symbol *symbol, bool in_rates)
{
    struct hl_word *word = word_of(t, voice, symbol);
    const struct hl_expr *value = t->voice[voice].parts->output[symbol->index].value;
    bool again = in_rates && !word->in_rates;
    word->in_rates |= in_rates;
    if (!word->wanted || again) {
        word->wanted = true;
        hl_want(t, voice, value, in_rates);
    }
}

static void want_symbol(struct hl_translator *t, int voice, const struct hl_symbol *symbol, bool in_rates)
{
    const struct hl_voice *v = &t->voice[voice];
    struct hl_word *word = word_of(t, voice, symbol);
    size_t i = symbol->index;
    bool first = !word->wanted;
    if (symbol->kind == HL_SYM_OUTPUT) {
        want_output(t, voice, symbol, in_rates);
        return;
    }
    word->wanted = true;
    if (!first)
        return;
    switch (symbol->kind) {
    case HL_SYM_COVARIATE:
        hl_plan_find_covariate(t, symbol->name)->wanted = true;
        break;
    case HL_SYM_PARAMETER:
        want_parameter(t, voice, i);
        break;
    case HL_SYM_ETA:
        t->eta[t->first_eta[voice] + i].wanted = true;
        break;
    case HL_SYM_MIXTURE:
        t->mixture[t->first_mixture[voice] + i].wanted = true;
        break;
    case HL_SYM_INDIVIDUAL:
        hl_want(t, voice, v->model->individual[i].expr, false);
        break;
    case HL_SYM_EFFECT_SITE:
        hl_want(t, voice, v->parts->effect_site[i].follows, true);
        hl_want(t, voice, v->parts->effect_site[i].ke0, true);
        hl_want(t, voice, v->parts->effect_site[i].initial, false);
        break;
    case HL_SYM_STATE:
        hl_want(t, voice, v->parts->state[i].rate, true);
        hl_want(t, voice, v->parts->state[i].initial, false);
        break;
    case HL_SYM_COMPARTMENT: case HL_SYM_OUTPUT: case HL_SYM_INPUT:
        break;
    }
}

static void want_structure(struct hl_translator *t, int voice)
{
    const struct hl_model_parts *p = t->voice[voice].parts;
    for (size_t i = 0; i < p->n_flows; i++)
        hl_want(t, voice, p->flow[i].rate, true);
    for (size_t i = 0; i < p->n_compartments; i++) {
        hl_want(t, voice, p->compartment[i].volume, false);
        hl_want(t, voice, p->compartment[i].initial, false);
    }
    for (size_t i = 0; i < p->n_routes; i++) {
        const struct hl_route_text *r = &p->route[i];
        const struct hl_expr *of_route[] = {r->content, r->rate, r->lag};
        for (size_t k = 0; k < 3; k++)
            hl_want(t, voice, of_route[k], false);
        for (size_t k = 0; k < r->n_phases; k++) {
            hl_want(t, voice, r->phase[k].until, false);
            hl_want(t, voice, r->phase[k].release, false);
            hl_want(t, voice, r->phase[k].loses, false);
        }
        for (size_t k = 0; k < r->n_parts; k++) {
            const struct hl_route_part_text *x = &r->part[k];
            const struct hl_expr *of_part[] = {x->fraction, x->bioavailability, x->lag, x->given, x->rate, x->duration};
            for (size_t m = 0; m < 6; m++)
                hl_want(t, voice, of_part[m], false);
            bool before = t->tad_of_voice[voice], uses = t->uses_tad; /* the dose's own clock, not the drug's */
            hl_want(t, voice, x->released, false);
            t->tad_of_voice[voice] = before;
            t->uses_tad = uses;
        }
    }
}

static void want_system_output(struct hl_translator *t, int output)
{
    int voice = t->system->output[output].instance;
    const char *name = strchr(t->system->output[output].name, '.') + 1;
    const struct hl_symbol *symbol = hl_model_symbol(t->voice[voice].model, name);
    if (symbol)
        want_symbol(t, voice, symbol, false);
}

static bool want_asked(struct hl_translator *t)
{
    bool good = true;
    for (size_t i = 0; i < t->asked->n_outputs; i++) {
        const char *name = t->asked->output[i];
        int output = hl_system_find_output(t->system, name);
        if (output < 0 && t->n_voices == 1)
            output = hl_system_find_output(
                t->system, hl_arena_printf(t->arena, "%s.%s", t->voice[0].instance->alias, name));
        if (output < 0)
            hl_diag_error(t->diag, hl_pos_none(), "%s has no output '%s'; see halflife models", t->asked->source, name);
        else
            want_system_output(t, output);
        good = good && output >= 0;
    }
    return good;
}

/* Everything that a model says of a subject and of its states and outputs. */
static void want_everything(struct hl_translator *t)
{
    for (size_t v = 0; v < t->n_voices; v++)
        for (size_t i = 0; i < t->voice[v].parts->n_symbols; i++) {
            const struct hl_symbol *symbol = &t->voice[v].parts->symbol[i];
            if (symbol->kind == HL_SYM_INDIVIDUAL || symbol->kind == HL_SYM_EFFECT_SITE ||
                symbol->kind == HL_SYM_STATE || symbol->kind == HL_SYM_OUTPUT)
                want_symbol(t, (int)v, symbol, false);
        }
}

static bool find_wanted(struct hl_translator *t)
{
    const struct hl_system *y = t->system;
    bool good = true;
    for (size_t v = 0; v < t->n_voices; v++)
        want_structure(t, (int)v);
    for (size_t i = 0; i < y->n_compartments; i++)
        if (!y->output[y->compartment[i].output].implicit)
            want_system_output(t, y->compartment[i].output);
    if (t->asked->n_outputs > 0)
        good = want_asked(t);
    else
        want_everything(t);
    return good;
}

/* ---- 2. States ---- */

static void add_state(struct hl_translator *t, int voice, int index, struct hl_word *word)
{
    if (word)
        word->state = (int)t->n_states;
    t->state[t->n_states++] = (struct hl_plan_state){.info = &t->system->state[index], .voice = voice};
}

/* The states of one kind of all voices; of drugs or of interactions only, where that matters. */
static void add_states(struct hl_translator *t, enum hl_state_kind kind, bool drugs, bool others)
{
    static const enum hl_symbol_kind symbol_of[] = {HL_SYM_COMPARTMENT, HL_SYM_EFFECT_SITE, HL_SYM_STATE, HL_SYM_INPUT};
    for (size_t k = 0; k < t->system->n_states; k++) {
        const struct hl_state *x = &t->system->state[k];
        const struct hl_voice *v = &t->voice[x->instance];
        if (x->kind != kind || !(v->instance->is_drug ? drugs : others))
            continue;
        const struct hl_symbol *symbol = hl_model_symbol(v->model, strchr(x->name, '.') + 1);
        struct hl_word *word =
            symbol && symbol->kind == symbol_of[kind] ? word_of(t, x->instance, symbol) : NULL;
        if (kind == HL_COMPARTMENT || kind == HL_PATCH_CONTENT || (word && word->wanted))
            add_state(t, x->instance, (int)k, word);
    }
}

void hl_plan_states(struct hl_translator *t)
{
    size_t ways = 0; /* each of which may want a compartment of its own (courses.c) */
    for (size_t i = 0; i < t->system->n_routes; i++)
        ways += t->system->route[i].n_parts;
    t->state = hl_arena_alloc(t->arena, t->system->n_states + ways, sizeof *t->state);
    add_states(t, HL_COMPARTMENT, true, false);
    t->n_numbered = t->n_states;
    add_states(t, HL_COMPARTMENT, false, true);
    add_states(t, HL_EFFECT_SITE, true, true);
    add_states(t, HL_FREE_STATE, true, true);
    add_states(t, HL_PATCH_CONTENT, true, true);
}

/* ---- 3. Names ---- */

/* The alias of a voice; its first letters, as many as it takes to be told apart, where names must be short. */
static const char *short_alias(struct hl_translator *t, size_t voice)
{
    const char *alias = t->voice[voice].instance->alias;
    size_t n = t->target == HL_TO_NONMEM ? 3 : strlen(alias);
    for (size_t i = 0; i < t->n_voices; i++)
        while (i != voice && n < strlen(alias) && strncasecmp(alias, t->voice[i].instance->alias, n) == 0)
            n++;
    return hl_arena_strndup(t->arena, alias, n);
}

static void make_prefixes(struct hl_translator *t)
{
    t->prefix = hl_arena_alloc(t->arena, t->n_voices, sizeof *t->prefix);
    for (size_t v = 0; v < t->n_voices; v++)
        t->prefix[v] = t->n_voices == 1 ? "" : hl_arena_printf(t->arena, "%s_", short_alias(t, v));
}

static const char *dotted(struct hl_translator *t, int voice, const char *name)
{
    return t->n_voices == 1 ? name : hl_arena_printf(t->arena, "%s.%s", t->voice[voice].instance->alias, name);
}

const char *hl_plan_name(struct hl_translator *t, int voice, const char *name)
{
    return hl_name(t, dotted(t, voice, name), hl_arena_printf(t->arena, "%s%s", t->prefix[voice], name));
}

static void name_states(struct hl_translator *t)
{
    for (size_t i = 0; i < t->n_states; i++) {
        struct hl_plan_state *x = &t->state[i];
        x->name = hl_plan_name(t, x->voice, strchr(x->info->name, '.') + 1);
        x->read = t->target == HL_TO_NONMEM ? hl_arena_printf(t->arena, "A(%zu)", i + 1) : x->name;
    }
}

static void name_covariates(struct hl_translator *t)
{
    for (size_t i = 0; i < t->n_covariates; i++) {
        struct hl_plan_covariate *c = &t->covariate[i];
        if (!c->wanted)
            continue;
        c->column = c->name = hl_name(t, c->info->name, c->info->name);
        if (c->unit.factor != 1.0) /* a factor of one is written as 1 */
            c->name = hl_name(t, hl_arena_printf(t->arena, "%s in the engine's unit", c->info->name),
                              hl_arena_printf(t->arena, "%s_eng", c->info->name));
    }
}

static void name_parameters(struct hl_translator *t)
{
    int theta = 0;
    for (size_t i = 0; i < t->n_parameters; i++) {
        struct hl_plan_parameter *p = &t->parameter[i];
        if (!p->wanted)
            continue;
        bool table = p->info->by != NULL;
        const char *name = table ? hl_arena_printf(t->arena, "%s_%s", p->info->name, p->info->category) : p->info->name;
        theta++;
        if (!table || t->target != HL_TO_NONMEM)
            p->name = hl_plan_name(t, p->voice, name);
        p->read = p->name ? p->name : hl_arena_printf(t->arena, "THETA(%d)", theta);
    }
}

static void name_effects(struct hl_translator *t)
{
    for (size_t i = 0; i < t->n_etas; i++)
        if (t->eta[i].wanted)
            t->eta[i].name = hl_plan_name(t, t->eta[i].voice, t->eta[i].info->name);
    for (size_t i = 0; i < t->n_mixtures; i++)
        if (t->mixture[i].wanted)
            t->mixture[i].name = hl_plan_name(t, t->mixture[i].voice, t->mixture[i].info->name);
}

/* An output's shown name is its own; the engine's value and the one among the rates have a tail. */
static void name_output(struct hl_translator *t, int voice, const struct hl_symbol *symbol, struct hl_word *word)
{
    bool engine = t->voice[voice].parts->output[symbol->index].unit.factor == 1.0; /* written as 1 */
    word->shown = hl_plan_name(t, voice, symbol->name);
    word->name = engine ? word->shown : hl_plan_name(t, voice, hl_arena_printf(t->arena, "%s_eng", symbol->name));
    word->rates = word->name;
    if (word->in_rates && t->target != HL_TO_RXODE2)
        word->rates = hl_plan_name(t, voice, hl_arena_printf(t->arena, "%s_%s", symbol->name,
                                                             t->target == HL_TO_NONMEM ? "des" : "ode"));
}

static void name_symbols(struct hl_translator *t, int voice)
{
    const struct hl_voice *v = &t->voice[voice];
    for (size_t i = 0; i < v->parts->n_symbols; i++) {
        const struct hl_symbol *symbol = &v->parts->symbol[i];
        struct hl_word *word = &v->word[i];
        if (symbol->kind == HL_SYM_COMPARTMENT || (word->wanted && (symbol->kind == HL_SYM_EFFECT_SITE ||
                                                                    symbol->kind == HL_SYM_STATE)))
            word->name = word->rates = t->state[word->state].read;
        else if (word->wanted && symbol->kind == HL_SYM_OUTPUT)
            name_output(t, voice, symbol, word);
        else if (word->wanted && (symbol->kind == HL_SYM_INDIVIDUAL || is_table(v, symbol)))
            word->name = hl_plan_name(t, voice, symbol->name);
        else if (word->wanted && symbol->kind == HL_SYM_PARAMETER)
            word->name = t->parameter[t->first_parameter[voice] + symbol->index].read;
        else if (word->wanted && symbol->kind == HL_SYM_ETA)
            word->name = t->eta[t->first_eta[voice] + symbol->index].name;
        else if (word->wanted && symbol->kind == HL_SYM_MIXTURE)
            word->name = t->mixture[t->first_mixture[voice] + symbol->index].name;
        else if (word->wanted && symbol->kind == HL_SYM_COVARIATE)
            word->name = hl_plan_find_covariate(t, symbol->name)->name;
        if (!word->rates)
            word->rates = word->name;
    }
}

static void name_everything(struct hl_translator *t)
{
    make_prefixes(t);
    name_states(t);
    name_covariates(t);
    name_parameters(t);
    name_effects(t);
    for (size_t v = 0; v < t->n_voices; v++)
        name_symbols(t, (int)v);
}

/* ---- 4. Order ---- */

/* if(by = first, THETA of first, if(by = second, ...)). */
static struct hl_expr *table_tree(struct hl_translator *t, int voice, size_t index)
{
    const struct hl_voice *v = &t->voice[voice];
    const struct hl_plan_parameter *p = &t->parameter[t->first_parameter[voice] + index];
    size_t n = n_entries(v, index);
    struct hl_expr *tree = hl_tree_text(t, p[n - 1].read);
    for (size_t i = n - 1; i-- > 0;)
        tree = hl_tree_select(t, hl_tree_op(t, HL_OP_EQ, hl_tree_name(t, p->info->by),
                                            hl_tree_name(t, p[i].info->category)),
                              hl_tree_text(t, p[i].read), tree);
    return tree;
}

static struct hl_dim individual_dim(struct hl_translator *t, int voice, const char *name)
{
    const char *full = hl_arena_printf(t->arena, "%s.%s", t->voice[voice].instance->alias, name);
    for (size_t i = 0; i < t->system->n_individuals; i++)
        if (strcmp(t->system->individual_value[i].name, full) == 0)
            return t->system->reg[t->system->individual_value[i].reg].dim;
    return hl_dim_none();
}

static void place_subject(struct hl_translator *t, int voice, const struct hl_symbol *symbol);

/* Places what an expression names, individual values and tables. */
static void place_needs(struct hl_translator *t, int voice, const struct hl_expr *e)
{
    if (!e || hl_plan_category_side(t, voice, e) >= 0)
        return;
    for (int i = 0; i < 3; i++)
        place_needs(t, voice, e->arg[i]);
    const struct hl_symbol *symbol = e->op == HL_OP_NAME ? hl_plan_symbol(t, &voice, e->name) : NULL;
    if (symbol)
        place_subject(t, voice, symbol);
}

static void place_subject(struct hl_translator *t, int voice, const struct hl_symbol *symbol)
{
    const struct hl_voice *v = &t->voice[voice];
    struct hl_word *word = word_of(t, voice, symbol);
    bool table = is_table(v, symbol);
    if (word->placed || !word->wanted || !(table || symbol->kind == HL_SYM_INDIVIDUAL))
        return;
    word->placed = true;
    const struct hl_expr *e = table ? table_tree(t, voice, symbol->index) : v->model->individual[symbol->index].expr;
    place_needs(t, voice, e);
    char unit[64];
    hl_dim_name(table ? v->model->parameter[symbol->index].unit.dim : individual_dim(t, voice, symbol->name), unit,
                sizeof unit);
    hl_line_add(t, &t->subject, voice, word->name, e, hl_arena_printf(t->arena, "[%s]", unit));
}

/* Outputs needed by an expression, in the list of rates or of outputs. */
static void place_outputs(struct hl_translator *t, int voice, const struct hl_expr *e, bool rates);

static void place_output(struct hl_translator *t, int voice, const struct hl_symbol *symbol, bool rates)
{
    struct hl_word *word = word_of(t, voice, symbol);
    const struct hl_output_text *o = &t->voice[voice].parts->output[symbol->index];
    bool *placed = rates ? &word->placed_in_rates : &word->placed;
    if (*placed)
        return;
    *placed = true;
    bool known = !rates && t->target == HL_TO_RXODE2 && word->placed_in_rates; /* one block: computed already */
    if (!known)
        place_outputs(t, voice, o->value, rates);
    const char *label = o->label ? o->label : o->name;
    if (rates) {
        hl_line_add(t, &t->rates, voice, word->rates, o->value, hl_arena_printf(t->arena, "%s, in h, mg, L", label));
        return;
    }
    const char *comment = hl_arena_printf(t->arena, "[%s] %s", o->unit_text, label);
    const struct hl_expr *value = o->value;
    if (word->name != word->shown && (word->referred || known)) {
        if (!known)
            hl_line_add(t, &t->output, voice, word->name, value, "the same in h, mg, L");
        value = hl_tree_text(t, word->name);
    } else if (known) {
        return; /* its unit is the engine's */
    }
    if (word->name != word->shown)
        value = hl_tree_op(t, HL_OP_MUL, value, hl_tree_number(t, 1.0 / o->unit.factor));
    hl_line_add(t, &t->output, voice, word->shown, value, comment);
}

static void place_outputs(struct hl_translator *t, int voice, const struct hl_expr *e, bool rates)
{
    if (!e || hl_plan_category_side(t, voice, e) >= 0)
        return;
    for (int i = 0; i < 3; i++)
        place_outputs(t, voice, e->arg[i], rates);
    const struct hl_symbol *symbol = e->op == HL_OP_NAME ? hl_plan_symbol(t, &voice, e->name) : NULL;
    if (symbol && symbol->kind == HL_SYM_OUTPUT)
        place_output(t, voice, symbol, rates);
}

static void order_subject(struct hl_translator *t)
{
    for (size_t v = 0; v < t->n_voices; v++)
        for (size_t i = 0; i < t->voice[v].parts->n_symbols; i++)
            place_subject(t, (int)v, &t->voice[v].parts->symbol[i]);
}

static void order_outputs(struct hl_translator *t)
{
    for (size_t v = 0; v < t->n_voices; v++)
        for (size_t i = 0; i < t->voice[v].parts->n_symbols; i++)
            if (t->voice[v].parts->symbol[i].kind == HL_SYM_OUTPUT && t->voice[v].word[i].wanted)
                place_output(t, (int)v, &t->voice[v].parts->symbol[i], false);
}

/* ---- Rates of change ---- */

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

static void add_flows(struct hl_translator *t, int voice)
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
        place_outputs(t, voice, f->rate, true);
        const struct hl_expr *rate =
            hl_plan_named(t, voice, f->rate, hl_arena_printf(t->arena, "k_%s_%s", from, to),
                  hl_arena_printf(t->arena, "[%s] %s %s %s", f->clearance ? "L/h" : "1/h", from,
                                  f->both_ways ? "<->" : "->", to));
        add_one_way(t, voice, f, f->from, f->to, rate, volume);
        if (f->both_ways && f->to >= 0)
            add_one_way(t, voice, f, f->to, f->from, rate, volume);
    }
}

static void add_dynamics(struct hl_translator *t, int voice)
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
        place_outputs(t, voice, x->rate, true);
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
        const struct hl_expr *release = hl_plan_named(t, voice, x->release, hl_arena_printf(t->arena, "k_%s_%zu", r->name, j + 1),
                                              "[1/h] release of a patch");
        const struct hl_expr *flow = hl_tree_op(t, HL_OP_MUL, release, hl_tree_state(t, *state));
        hl_plan_add_rate(t, *state, HL_OP_SUB, flow);
        for (size_t i = 0; i < r->n_parts; i++) {
            const struct hl_expr *arrives = hl_tree_op(t, HL_OP_MUL, x->loses, r->part[i].fraction);
            hl_plan_add_rate(t, (size_t)hl_plan_compartment(t, voice, r->part[i].into), HL_OP_ADD,
                             hl_tree_op(t, HL_OP_MUL, arrives, flow));
        }
    }
}

static void add_patches(struct hl_translator *t, int voice)
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

static void find_all_jumps(struct hl_translator *t)
{
    for (size_t i = 0; i < t->rates.n; i++)
        find_jumps(t, t->rates.line[i].voice, t->rates.line[i].expr);
    for (size_t i = 0; i < t->n_states; i++)
        find_jumps(t, t->state[i].voice, t->state[i].rate);
}

/* ---- All of it ---- */

static void make_voices(struct hl_translator *t)
{
    const struct hl_system *y = t->system;
    t->n_voices = y->n_instances;
    t->voice = hl_arena_alloc(t->arena, t->n_voices, sizeof *t->voice);
    t->first_parameter = hl_arena_alloc(t->arena, t->n_voices, sizeof *t->first_parameter);
    t->first_eta = hl_arena_alloc(t->arena, t->n_voices, sizeof *t->first_eta);
    t->first_mixture = hl_arena_alloc(t->arena, t->n_voices, sizeof *t->first_mixture);
    t->tad_of_voice = hl_arena_alloc(t->arena, t->n_voices, sizeof *t->tad_of_voice);
    size_t parameters = 0, etas = 0, mixtures = 0;
    for (size_t v = 0; v < t->n_voices; v++) {
        const struct hl_model *m = y->instance[v].model;
        t->voice[v] = (struct hl_voice){&y->instance[v], m, m->parts, NULL};
        t->voice[v].word = hl_arena_alloc(t->arena, m->parts->n_symbols, sizeof *t->voice[v].word);
        t->first_parameter[v] = parameters;
        t->first_eta[v] = etas;
        t->first_mixture[v] = mixtures;
        parameters += m->n_parameters;
        etas += m->n_etas;
        mixtures += m->n_mixtures;
    }
}

/* The column of the data that holds a covariate, and the unit its header states. */
static void find_column(struct hl_translator *t, struct hl_plan_covariate *c)
{
    char a[64], b[64];
    for (size_t k = 0; k < t->asked->n_columns; k++) {
        if (strcasecmp(t->asked->column[k], c->info->name) != 0)
            continue;
        c->fixed = false;
        if (!t->asked->column_unit_text[k])
            return;
        if (!hl_dim_equal(t->asked->column_unit[k].dim, c->info->info->unit.dim))
            hl_diag_error(t->diag, hl_pos_none(), "%s: column '%s' is in %s, the covariate in %s", t->asked->data,
                          t->asked->column[k], hl_dim_name(t->asked->column_unit[k].dim, a, sizeof a),
                          hl_dim_name(c->info->info->unit.dim, b, sizeof b));
        c->unit = t->asked->column_unit[k];
        c->unit_text = t->asked->column_unit_text[k];
        return;
    }
}

/* The system lists parameters, etas and mixtures instance by instance, as the models do. */
static void make_lists(struct hl_translator *t)
{
    const struct hl_system *y = t->system;
    t->parameter = hl_arena_alloc(t->arena, y->n_parameters, sizeof *t->parameter);
    for (size_t i = 0; i < y->n_parameters; i++) {
        const struct hl_system_parameter *p = &y->parameter[i];
        t->parameter[t->n_parameters++] = (struct hl_plan_parameter){
            .voice = p->instance, .info = p->info, .dotted = p->name, .value = y->initial[p->reg]};
    }
    t->covariate = hl_arena_alloc(t->arena, y->n_covariates, sizeof *t->covariate);
    for (size_t i = 0; i < y->n_covariates; i++) {
        const struct hl_system_covariate *c = &y->covariate[i];
        t->covariate[t->n_covariates++] = (struct hl_plan_covariate){
            .info = c, .unit = c->info->unit, .unit_text = c->info->unit_text, .fixed = t->asked->n_columns > 0};
        find_column(t, &t->covariate[i]);
        t->covariate[i].value =
            (t->asked->covariate ? t->asked->covariate[i] : y->initial[c->reg]) / t->covariate[i].unit.factor;
    }
    t->eta = hl_arena_alloc(t->arena, y->n_etas, sizeof *t->eta);
    for (size_t i = 0; i < y->n_etas; i++) {
        int v = y->eta[i].instance;
        t->eta[t->n_etas++] = (struct hl_plan_eta){
            .voice = v, .info = &t->voice[v].model->eta[i - t->first_eta[v]], .dotted = y->eta[i].name};
    }
    t->mixture = hl_arena_alloc(t->arena, y->n_mixtures, sizeof *t->mixture);
    for (size_t v = 0; v < t->n_voices; v++)
        for (size_t i = 0; i < t->voice[v].model->n_mixtures; i++, t->n_mixtures++)
            t->mixture[t->n_mixtures] = (struct hl_plan_mixture){
                .voice = (int)v, .info = y->mixture[t->n_mixtures].info, .dotted = y->mixture[t->n_mixtures].name};
}

bool hl_plan_translation(struct hl_translator *t)
{
    make_voices(t);
    make_lists(t);
    if (!find_wanted(t))
        return false;
    hl_plan_states(t);
    name_everything(t);
    order_subject(t);
    for (size_t v = 0; v < t->n_voices; v++) {
        add_flows(t, (int)v);
        add_dynamics(t, (int)v);
        add_patches(t, (int)v);
    }
    hl_plan_inputs(t);
    find_all_jumps(t);
    order_outputs(t);
    hl_plan_omegas(t);
    hl_plan_residuals(t);
    return hl_diag_count(t->diag, HL_ERROR) == 0;
}
