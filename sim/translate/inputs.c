/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doses. Where halflife has routes, the other tools have one bioavailability, lag, rate and duration per compartment.
 * A dose into compartment n takes there what struct hl_system_compartment says, as in a data set of halflife's; every
 * other way in gets a number, and the data item ROUTE of a dose's record chooses it. So one file of events serves all
 * tools, and a route of several parts is one record for each part.
 *
 * A patch is a compartment per phase of wear:
 *      F = content of a strength of 1, ALAG = lag                                          in the first phase
 *      F = that times exp(-sum of release x length of the earlier phases), ALAG = lag + when the phase begins
 * A record per phase puts it on (AMT = strength, in the unit the model names), EVID 2 with CMT -n takes it off:
 * both are exact, because what is left at a change of phase is known beforehand. A reservoir is a zero-order input. */
#include <string.h>

#include "translate/tree.h"

static struct hl_plan_input *add_input(struct hl_translator *t, int voice, const struct hl_route *route,
                                       const struct hl_route_text *text, size_t part, int state)
{
    t->input = hl_arena_push(t->arena, t->input, t->n_inputs, &t->input_capacity, sizeof *t->input);
    struct hl_plan_input *x = &t->input[t->n_inputs++];
    *x = (struct hl_plan_input){.voice = voice, .state = state, .route = route, .text = text, .part = part};
    return x;
}

static void give_code(struct hl_translator *t, struct hl_plan_input *x)
{
    int last = 0;
    for (size_t i = 0; i < t->n_inputs; i++)
        last = t->input[i].code > last ? t->input[i].code : last;
    x->code = last + 1;
    t->coded = true;
}

struct hl_plan_input *hl_plan_add_input(struct hl_translator *t, const struct hl_plan_input *like, int state)
{
    const struct hl_plan_input copy = *like; /* the list may move */
    struct hl_plan_input *x = add_input(t, copy.voice, copy.route, copy.text, copy.part, state);
    give_code(t, x);
    return x;
}

/* The route that a plain dose into this state's compartment takes, -1 for none. */
static int route_of_state(const struct hl_translator *t, int state)
{
    return state < (int)t->n_numbered ? t->system->compartment[state].route : -1;
}

static const char *title(struct hl_translator *t, const struct hl_plan_input *x)
{
    const char *alias = t->n_voices > 1 ? t->voice[x->voice].instance->alias : "";
    return hl_arena_printf(t->arena, "%s%s%s", alias, *alias ? "." : "", x->text->name);
}

/* ---- Ordinary routes ---- */

static void plan_part(struct hl_translator *t, int voice, int route, const struct hl_route_text *text, size_t k)
{
    const struct hl_route_part_text *p = &text->part[k];
    int state = hl_plan_compartment(t, voice, p->into);
    struct hl_plan_input *x = add_input(t, voice, &t->system->route[route], text, k, state);
    x->item[HL_ITEM_F] = hl_tree_op(t, HL_OP_MUL, p->fraction, p->bioavailability);
    x->item[HL_ITEM_LAG] = p->lag;
    x->item[HL_ITEM_DURATION] = p->duration ? p->duration : p->input == HL_INPUT_ZERO_ORDER ? p->given : NULL;
    x->item[HL_ITEM_RATE] = p->rate ? p->rate : p->input == HL_INPUT_RATE ? p->given : NULL;
    bool plain = !p->released;
    for (int i = 0; i < HL_N_ITEMS; i++)
        plain = plain && !x->item[i];
    int own = route_of_state(t, state);
    if (own == route ? text->n_parts > 1 : !(plain && own < 0))
        give_code(t, x);
    x->how = p->input == HL_INPUT_ZERO_ORDER ? "AMT in mg, RATE=-2"
             : p->input == HL_INPUT_RATE     ? "AMT in mg, RATE=-1"
             : p->released ? "AMT in mg, by a course of its own"
             : x->item[HL_ITEM_RATE] && x->item[HL_ITEM_DURATION]
                 ? "AMT in mg; RATE=-1 for the rate, -2 for the duration of the model"
                                             : "AMT in mg";
    if (p->input == HL_INPUT_ZERO_ORDER || p->input == HL_INPUT_RATE)
        hl_limit(t, p->pos, "route '%s' is an input of zero order: give its doses RATE=%d; RATE=0 is a bolus here",
                 title(t, x), p->input == HL_INPUT_RATE ? -1 : -2);
    if (p->released)
        hl_plan_course(t, t->n_inputs - 1, p, t->system->route[route].part[k].release);
}

static void say_parts(struct hl_translator *t, const struct hl_route_text *text, size_t first)
{
    const char *list = "";
    for (size_t i = first; i < t->n_inputs; i++)
        list = hl_arena_printf(t->arena, "%s%sCMT=%d%s", list, i > first ? ", " : "", t->input[i].state + 1,
                               t->input[i].code ? hl_arena_printf(t->arena, " ROUTE=%d", t->input[i].code) : "");
    hl_limit(t, text->pos, "route '%s' has %zu ways in: give a record for each, all with the whole dose as AMT: %s",
             title(t, &t->input[first]), text->n_parts, list);
}

/* ---- Patches ---- */

/* The content (or rate) of a patch whose strength is 1 in the unit of its label; NULL when it isn't proportional. */
static struct hl_expr *of_strength_one(struct hl_translator *t, const struct hl_route_text *text,
                                       const struct hl_expr *e)
{
    if (!hl_tree_is_proportional(e, "nominal"))
        return NULL;
    return hl_tree_replace(t, e, "nominal", hl_tree_number(t, text->nominal.factor));
}

static const struct hl_expr *phase_start(const struct hl_route_text *text, size_t j)
{
    return j == 0 ? NULL : text->phase[j - 1].until;
}

/* exp(-sum of release_i (until_i - until_(i-1))) over the phases before j. */
static struct hl_expr *left_at_start(struct hl_translator *t, const struct hl_route_text *text, size_t j)
{
    struct hl_expr *sum = NULL;
    for (size_t i = 0; i < j; i++) {
        const struct hl_expr *begin = phase_start(text, i), *end = text->phase[i].until;
        const struct hl_expr *length = begin ? hl_tree_op(t, HL_OP_SUB, end, begin) : end;
        sum = hl_tree_op(t, HL_OP_ADD, sum, hl_tree_op(t, HL_OP_MUL, text->phase[i].release, length));
    }
    return j == 0 ? NULL : hl_tree_op(t, HL_OP_EXP, hl_tree_op(t, HL_OP_SUB, NULL, sum), NULL);
}

static void say_patch(struct hl_translator *t, const struct hl_route_text *text, size_t first, bool proportional)
{
    const struct hl_plan_input *x = &t->input[first];
    const char *phases = "", *amount = proportional
                                           ? hl_arena_printf(t->arena, "AMT = strength in %s", text->nominal_text)
                                           : "AMT = content in mg at the start of the phase";
    for (size_t j = 1; j < text->n_phases; j++)
        phases = hl_arena_printf(t->arena, "%s; CMT=%d likewise for what is worn beyond %s", phases,
                                 x->state + (int)j + 1, text->phase[j - 1].until->text);
    hl_limit(t, text->pos, "patch '%s' is written as compartment%s: a record with CMT=%d and %s puts it on%s. EVID=2 "
             "with CMT=-n ends a phase at its end after application plus the lag, and takes the patch off at removal "
             "plus the lag. One patch at a time: what is worn overlapping needs compartments of its own",
             title(t, x), text->n_phases > 1 ? "s, one per phase of wear" : " of its own", x->state + 1, amount,
             phases);
}

static void plan_content(struct hl_translator *t, int voice, int route, const struct hl_route_text *text, size_t *state)
{
    struct hl_expr *content = of_strength_one(t, text, text->content);
    size_t first = t->n_inputs;
    for (size_t j = 0; j < text->n_phases; j++, ++*state) {
        struct hl_plan_input *x = add_input(t, voice, &t->system->route[route], text, j, (int)*state);
        x->item[HL_ITEM_F] = content ? hl_tree_op(t, HL_OP_MUL, content, left_at_start(t, text, j)) : NULL;
        x->item[HL_ITEM_LAG] = hl_tree_op(t, HL_OP_ADD, text->lag, phase_start(text, j));
        x->how = content ? hl_arena_printf(t->arena, "AMT in %s", text->nominal_text) : "AMT in mg, as left by then";
    }
    if (!content)
        hl_limit(t, text->content->pos, "the content of patch '%s' is not a multiple of its strength: give AMT as the "
                 "content in mg", title(t, &t->input[first]));
    say_patch(t, text, first, content != NULL);
}

static void plan_reservoir(struct hl_translator *t, int voice, int route, const struct hl_route_text *text)
{
    size_t first = t->n_inputs;
    struct hl_expr *rate = text->rate ? hl_tree_is_proportional(text->rate, "nominal")
                                            ? hl_tree_replace(t, text->rate, "nominal", hl_tree_number(t, 1.0))
                                            : NULL
                                      : NULL;
    if (!rate || text->wear <= 0.0) {
        hl_limit(t, text->pos, "reservoir patch '%s' is not written: its %s; give it as infusions of what arrives",
                 text->name, rate ? "model states no time of wear" : "rate is not a multiple of its strength");
        return;
    }
    for (size_t k = 0; k < text->n_parts; k++) {
        struct hl_plan_input *x = add_input(t, voice, &t->system->route[route], text, k,
                                            hl_plan_compartment(t, voice, text->part[k].into));
        const struct hl_expr *arrives = hl_tree_op(t, HL_OP_MUL, text->n_phases ? text->phase[0].loses : NULL,
                                                   text->part[k].fraction);
        bool one = rate->op == HL_OP_NUMBER && rate->value == 1.0; /* exactly, rate: nominal */
        x->item[HL_ITEM_F] = one ? hl_tree_op(t, HL_OP_MUL, arrives, NULL) : hl_tree_op(t, HL_OP_MUL, rate, arrives);
        x->item[HL_ITEM_LAG] = text->lag;
        x->item[HL_ITEM_DURATION] = hl_tree_number(t, text->wear);
        x->how = "AMT in mg: strength x time of wear; RATE=-2";
        give_code(t, x);
    }
    hl_limit(t, text->pos, "reservoir patch '%s' is written as an input of zero order over %g h, its usual time of "
             "wear: give AMT = strength x %g h in mg, RATE=-2, a record for each way in", title(t, &t->input[first]),
             text->wear, text->wear);
}

/* ---- All ---- */

static void plan_voice(struct hl_translator *t, int voice, int *route)
{
    const struct hl_model_parts *p = t->voice[voice].parts;
    size_t state = 0;
    while (state < t->n_states && !(t->state[state].info->kind == HL_PATCH_CONTENT && t->state[state].voice == voice))
        state++;
    for (size_t i = 0; i < p->n_routes; i++, ++*route) {
        const struct hl_route_text *text = &p->route[i];
        size_t first = t->n_inputs;
        if (text->is_patch && text->content)
            plan_content(t, voice, *route, text, &state);
        else if (text->is_patch)
            plan_reservoir(t, voice, *route, text);
        for (size_t k = 0; !text->is_patch && k < text->n_parts; k++)
            plan_part(t, voice, *route, text, k);
        if (!text->is_patch && text->n_parts > 1)
            say_parts(t, text, first);
    }
}

/* A dose without CMT goes by the default route; here it goes into one compartment. */
static void check_default(struct hl_translator *t)
{
    const struct hl_system *y = t->system;
    if (y->n_instances == 0 || y->instance[0].default_route < 0)
        return;
    for (size_t i = 0; i < t->n_inputs; i++)
        if (t->input[i].route == &y->route[y->instance[0].default_route] && t->input[i].code > 0) {
            hl_limit(t, t->input[i].text->pos, "a dose without CMT goes by route '%s' in halflife; here give CMT and "
                     "ROUTE as listed", title(t, &t->input[i]));
            return;
        }
}

void hl_plan_inputs(struct hl_translator *t)
{
    int route = 0;
    for (size_t v = 0; v < t->n_voices; v++)
        plan_voice(t, (int)v, &route);
    check_default(t);
}

/* ---- What the writers ask ---- */

const char *hl_plan_taken_by(struct hl_translator *t, const struct hl_plan_input *x, const char *equals,
                             const char *and)
{
    const char *text = hl_arena_printf(t->arena, "CMT %s %d", equals, x->state + 1);
    const struct hl_system *y = t->system;
    if (t->target == HL_TO_NONMEM && x->code == 0 && x->route == &y->route[y->instance[0].default_route])
        text = hl_arena_printf(t->arena, "(%s .OR. CMT .EQ. 0)", text); /* the default compartment */
    return t->coded ? hl_arena_printf(t->arena, "%s %s ROUTE %s %d", text, and, equals, x->code) : text;
}

double hl_plan_usual(enum hl_item item)
{
    return item == HL_ITEM_F ? 1.0 : 0.0;
}

bool hl_plan_item(const struct hl_translator *t, int state, enum hl_item item, const struct hl_plan_input **plain)
{
    bool any = false;
    *plain = NULL;
    for (size_t i = 0; i < t->n_inputs; i++) {
        const struct hl_plan_input *x = &t->input[i];
        if (x->state != state || !x->item[item])
            continue;
        any = true;
        if (x->code == 0)
            *plain = x;
    }
    return any;
}
