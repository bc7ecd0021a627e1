/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a text says, in which order and under which names.
 *
 *   1. What is wanted is marked (want.c).
 *   2. States are numbered: compartments of drugs in the order of their files (struct hl_system_compartment), then
 *      other compartments, effect sites, free states, contents of patches.
 *   3. Everything gets a name.
 *   4. Definitions are put in an order in which each needs only what stands before it: values of a subject (tables of
 *      parameters, individual values), quantities among the rates of change (rates.c), outputs. */
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

struct hl_word *hl_plan_word(const struct hl_translator *t, int voice, const struct hl_symbol *symbol)
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

size_t hl_plan_entries(const struct hl_voice *v, size_t parameter)
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
            symbol && symbol->kind == symbol_of[kind] ? hl_plan_word(t, x->instance, symbol) : NULL;
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
    size_t n = hl_plan_entries(v, index);
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
    struct hl_word *word = hl_plan_word(t, voice, symbol);
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

static void place_output(struct hl_translator *t, int voice, const struct hl_symbol *symbol, bool rates)
{
    struct hl_word *word = hl_plan_word(t, voice, symbol);
    const struct hl_output_text *o = &t->voice[voice].parts->output[symbol->index];
    bool *placed = rates ? &word->placed_in_rates : &word->placed;
    if (*placed)
        return;
    *placed = true;
    bool known = !rates && t->target == HL_TO_RXODE2 && word->placed_in_rates; /* one block: computed already */
    if (!known)
        hl_plan_place_outputs(t, voice, o->value, rates);
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

void hl_plan_place_outputs(struct hl_translator *t, int voice, const struct hl_expr *e, bool rates)
{
    if (!e || hl_plan_category_side(t, voice, e) >= 0)
        return;
    for (int i = 0; i < 3; i++)
        hl_plan_place_outputs(t, voice, e->arg[i], rates);
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
    if (!hl_plan_wanted(t))
        return false;
    hl_plan_states(t);
    name_everything(t);
    order_subject(t);
    for (size_t v = 0; v < t->n_voices; v++) {
        hl_plan_flows(t, (int)v);
        hl_plan_dynamics(t, (int)v);
        hl_plan_patches(t, (int)v);
    }
    hl_plan_inputs(t);
    hl_plan_jumps(t);
    order_outputs(t);
    hl_plan_omegas(t);
    hl_plan_residuals(t);
    return hl_diag_count(t->diag, HL_ERROR) == 0;
}
