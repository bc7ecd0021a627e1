/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Effect sites, free states, outputs, inputs and residual errors: what is made of the amounts. */
#include <string.h>

#include "base/text.h"
#include "model/model_read.h"

/* The expression under a key that must be there. */
static struct hl_expr *required(struct hl_reader *r, const struct hl_yaml *map, const char *key, const char *what,
                                const char *of)
{
    if (!hl_yaml_get(map, key))
        hl_diag_error(r->diag, map->pos, "%s has no %s; add %s: EXPRESSION", of, key, key);
    return hl_read_expr(r, map, key, what);
}

static void read_effect_sites(struct hl_reader *r)
{
    static const char *const known[] = {"follows", "ke0", "initial", "unit", "label", "grade", "mark", "provisional",
                                        "source", "note", NULL};
    const struct hl_yaml *map = hl_read_section(r, "effect_sites");
    struct hl_model_parts *p = r->parts;
    p->effect_site = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *p->effect_site);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_effect_site *s = &p->effect_site[p->n_effect_sites++];
        const struct hl_yaml *item = map->item[i];
        s->name = map->key[i]->text;
        s->pos = map->key[i]->pos;
        const char *what = hl_arena_printf(r->arena, "effect site '%s'", s->name);
        if (!hl_read_keys(r, item, what, known))
            continue;
        s->follows = required(r, item, "follows", "an output", what);
        s->ke0 = required(r, item, "ke0", "a rate [1/h]", what);
        s->initial = hl_read_expr(r, item, "initial", "a start value");
        s->label = hl_read_text(r, item, "label");
        s->has_unit = hl_read_unit(r, hl_yaml_get(item, "unit"), &s->unit, &s->unit_text) && hl_yaml_get(item, "unit");
        hl_read_evidence(r, item, what, false, NULL, &s->evidence);
    }
}

static void read_states(struct hl_reader *r)
{
    static const char *const known[] = {"unit", "initial", "rate", "label", "grade", "mark", "provisional", "source",
                                        "note", NULL};
    const struct hl_yaml *map = hl_read_section(r, "states");
    struct hl_model_parts *p = r->parts;
    p->state = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *p->state);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_free_state *s = &p->state[p->n_states++];
        const struct hl_yaml *item = map->item[i];
        s->name = map->key[i]->text;
        s->pos = map->key[i]->pos;
        const char *what = hl_arena_printf(r->arena, "state '%s'", s->name);
        hl_read_unit(r, NULL, &s->unit, &s->unit_text);
        if (!hl_read_keys(r, item, what, known))
            continue;
        s->unread = !hl_read_unit(r, hl_yaml_get(item, "unit"), &s->unit, &s->unit_text);
        s->initial = required(r, item, "initial", "a start value", what);
        s->rate = required(r, item, "rate", "a rate of change", what);
        s->label = hl_read_text(r, item, "label");
        hl_read_evidence(r, item, what, false, NULL, &s->evidence);
    }
}

static void read_outputs(struct hl_reader *r)
{
    static const char *const known[] = {"value", "unit", "label", "symbol", "grade", "mark", "provisional", "source",
                                        "note", NULL};
    const struct hl_yaml *map = hl_read_section(r, "outputs");
    struct hl_model_parts *p = r->parts;
    p->output = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *p->output);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_output_text *o = &p->output[p->n_outputs++];
        const struct hl_yaml *item = map->item[i];
        o->name = map->key[i]->text;
        o->pos = map->key[i]->pos;
        const char *what = hl_arena_printf(r->arena, "output '%s'", o->name);
        hl_read_unit(r, NULL, &o->unit, &o->unit_text);
        o->unread = true;
        if (!hl_read_keys(r, item, what, known))
            continue;
        o->value = required(r, item, "value", "an expression", what);
        if (hl_yaml_get(item, "unit"))
            o->unread = !hl_read_unit(r, hl_yaml_get(item, "unit"), &o->unit, &o->unit_text);
        else
            hl_diag_error(r->diag, o->pos, "%s has no unit; add unit: ng/mL (or \"1\")", what);
        o->label = hl_read_text(r, item, "label");
        o->symbol = hl_read_text(r, item, "symbol");
        hl_read_evidence(r, item, what, false, NULL, &o->evidence);
    }
}

/* "ALIAS.OUTPUT" */
static bool is_dotted(const char *text)
{
    const char *dot = strchr(text, '.');
    if (!dot || (size_t)(dot - text) > 200)
        return false;
    char alias[201];
    memcpy(alias, text, (size_t)(dot - text));
    alias[dot - text] = '\0';
    return hl_text_is_name(alias) && hl_text_is_name(dot + 1);
}

static void read_inputs(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "inputs");
    struct hl_model_parts *p = r->parts;
    p->input = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *p->input);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_input *in = &p->input[p->n_inputs++];
        *in = (struct hl_input){.name = map->key[i]->text, .pos = map->key[i]->pos, .target_pos = map->item[i]->pos};
        in->target = hl_yaml_text(map->item[i], "an output of another model such as fentanyl.Ce", r->diag);
        if (in->target && !is_dotted(in->target))
            hl_diag_error(r->diag, in->target_pos,
                          "expected an output of another model such as fentanyl.Ce, found '%s'", in->target);
    }
}

static struct hl_pos output_pos(const struct hl_yaml *map, const char *key)
{
    return hl_yaml_key(map, key)->pos;
}

static void read_residual(struct hl_reader *r, const struct hl_yaml *map, struct hl_residual *e)
{
    static const char *const known[] = {"additive", "proportional", "log", "grade", "mark", "provisional", "source",
                                        "note", NULL};
    struct hl_unit unit;
    if (!hl_read_keys(r, map, "a residual error", known))
        return;
    if (hl_yaml_get(map, "additive") &&
        hl_read_quantity(r, hl_yaml_get(map, "additive"), "a standard deviation", &e->additive, &unit, NULL)) {
        e->has_additive = true;
        e->additive_dim = unit.dim;
    }
    if (hl_yaml_get(map, "proportional"))
        hl_read_fraction(r, hl_yaml_get(map, "proportional"), "a standard deviation as a fraction", &e->proportional);
    if (hl_yaml_get(map, "log")) {
        if (hl_yaml_get(map, "proportional"))
            hl_diag_error(r->diag, output_pos(map, "log"), "a residual error is either proportional: or log:");
        e->log =
            hl_read_fraction(r, hl_yaml_get(map, "log"), "a standard deviation of the logarithm", &e->proportional);
    }
    if (e->additive < 0.0 || e->proportional < 0.0)
        hl_diag_error(r->diag, map->pos, "a standard deviation is not negative");
    hl_read_evidence(r, map, "a residual error", false, NULL, &e->evidence);
}

static void read_residuals(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "residual_error");
    struct hl_model_parts *p = r->parts;
    char near[128];
    p->residual = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *p->residual);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_residual *e = &p->residual[p->n_residuals++];
        e->output = map->key[i]->text;
        e->pos = map->key[i]->pos;
        const struct hl_symbol *s = hl_model_symbol(r->model, e->output);
        if (!s || s->kind != HL_SYM_OUTPUT)
            hl_diag_error(r->diag, e->pos, "a residual error belongs to an output, and '%s' is none%s", e->output,
                          s ? "" : hl_text_did_you_mean(e->output, r->declared, r->n_declared, near, sizeof near));
        read_residual(r, map->item[i], e);
    }
}

void hl_read_dynamics(struct hl_reader *r)
{
    read_effect_sites(r);
    read_states(r);
    read_outputs(r);
    read_inputs(r);
    read_residuals(r);
}
