/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a text has to say: from the outputs asked for, every symbol they need is marked, through rates of change and
 * start values too. The structure is always wanted: compartments keep their numbers and routes their meaning whatever
 * is asked for. */
#include <stdio.h>
#include <string.h>

#include "translate/tree.h"

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
        hl_plan_word(t, voice, symbol)->referred = true;
        want_symbol(t, voice, symbol, in_rates);
    }
}

static void want_parameter(struct hl_translator *t, int voice, size_t index)
{
    const struct hl_voice *v = &t->voice[voice];
    bool table = v->model->parameter[index].by != NULL;
    for (size_t i = 0; i < (table ? hl_plan_entries(v, index) : 1); i++)
        t->parameter[t->first_parameter[voice] + index + i].wanted = true;
    if (table)
        want_symbol(t, voice, hl_model_symbol(v->model, v->model->parameter[index].by), false);
}

static void want_output(struct hl_translator *t, int voice, const struct hl_symbol *symbol, bool in_rates)
{
    struct hl_word *word = hl_plan_word(t, voice, symbol);
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
    struct hl_word *word = hl_plan_word(t, voice, symbol);
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

bool hl_plan_wanted(struct hl_translator *t)
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
