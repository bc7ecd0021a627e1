/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compartments, flows and routes: where drug can be, and how it moves and comes in. */
#include <string.h>

#include "base/text.h"
#include "model/model_read.h"

#define OUT (-1)
#define UNKNOWN (-2)

/* ---- Compartments ---- */

static void read_default(struct hl_reader *r, const struct hl_yaml *node, struct hl_compartment *c)
{
    static const char *const names[] = {"observe", "dose", "both"};
    char near[64];
    const char *text = hl_yaml_text(node, "observe, dose or both", r->diag);
    if (!text)
        return;
    c->observe = strcmp(text, "observe") == 0 || strcmp(text, "both") == 0;
    c->dose = strcmp(text, "dose") == 0 || strcmp(text, "both") == 0;
    if (!c->observe && !c->dose)
        hl_diag_error(r->diag, node->pos, "unknown default '%s': observe, dose or both%s", text,
                      hl_text_did_you_mean(text, names, 3, near, sizeof near));
    for (size_t i = 0; i + 1 < r->parts->n_compartments; i++) {
        const struct hl_compartment *other = &r->parts->compartment[i];
        if ((other->observe && c->observe) || (other->dose && c->dose))
            hl_diag_error(r->diag, node->pos, "'%s' is already the default to %s; only one compartment can be",
                          other->name, other->observe && c->observe ? "observe" : "dose");
    }
}

void hl_read_compartments(struct hl_reader *r)
{
    static const char *const known[] = {"volume", "default", "initial", "label", "note", NULL};
    const struct hl_yaml *map = hl_read_section(r, "compartments");
    struct hl_model_parts *p = r->parts;
    p->compartment = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *p->compartment);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_compartment *c = &p->compartment[p->n_compartments++];
        const struct hl_yaml *item = map->item[i];
        c->name = map->key[i]->text;
        c->pos = map->key[i]->pos;
        if (hl_read_is_empty(item) ||
            !hl_read_keys(r, item, hl_arena_printf(r->arena, "compartment '%s'", c->name), known))
            continue;
        c->volume = hl_read_expr(r, item, "volume", "a volume");
        c->initial = hl_read_expr(r, item, "initial", "an amount");
        c->label = hl_read_text(r, item, "label");
        if (hl_yaml_get(item, "default"))
            read_default(r, hl_yaml_get(item, "default"), c);
    }
}

/* The index of a compartment; UNKNOWN, reported, when there is none. */
static int find_compartment(struct hl_reader *r, const char *name, struct hl_pos pos, const char *what)
{
    const struct hl_model_parts *p = r->parts;
    const char **names = hl_arena_alloc(r->arena, p->n_compartments + 1, sizeof *names);
    char near[128];
    for (size_t i = 0; i < p->n_compartments; i++) {
        names[i] = p->compartment[i].name;
        if (strcmp(names[i], name) == 0)
            return (int)i;
    }
    hl_diag_error(r->diag, pos, "%s a compartment that does not exist, '%s'%s", what, name,
                  hl_text_did_you_mean(name, names, p->n_compartments, near, sizeof near));
    return UNKNOWN;
}

/* ---- Flows ---- */

/* Cuts "a -> b" or "a <-> b" into its two names; false when it is neither. */
static bool split_flow(struct hl_reader *r, const char *text, struct hl_flow *f, const char **from, const char **to)
{
    const char *arrow = strstr(text, "->");
    if (!arrow)
        return false;
    f->both_ways = arrow > text && arrow[-1] == '<';
    const char *left_end = f->both_ways ? arrow - 1 : arrow, *right = arrow + 2;
    while (left_end > text && left_end[-1] == ' ')
        left_end--;
    right += strspn(right, " ");
    *from = hl_arena_strndup(r->arena, text, (size_t)(left_end - text));
    *to = hl_arena_strdup(r->arena, right);
    f->from_pos = f->pos;
    f->to_pos = hl_pos_shift(f->pos, (int)(right - text));
    return hl_text_is_name(*from) && hl_text_is_name(*to);
}

static void check_flow(struct hl_reader *r, struct hl_flow *f, const char *from, const char *to)
{
    if (strcmp(from, "out") == 0) {
        hl_diag_error(r->diag, f->pos, "nothing flows in from outside; use a route, or a state for production");
        f->from = UNKNOWN;
    } else {
        f->from = find_compartment(r, from, f->from_pos, "a flow from");
    }
    f->to = strcmp(to, "out") == 0 ? OUT : find_compartment(r, to, f->to_pos, "a flow into");
    if (f->to == OUT && f->both_ways)
        hl_diag_error(r->diag, f->pos, "'<-> out' would bring drug in from outside; write '%s -> out'", from);
    else if (f->from >= 0 && f->from == f->to)
        hl_diag_error(r->diag, f->pos, "a flow from '%s' into itself does nothing; name another compartment or out",
                      from);
}

static void read_flow(struct hl_reader *r, const struct hl_yaml *key, const struct hl_yaml *map, size_t *capacity)
{
    struct hl_model_parts *p = r->parts;
    struct hl_flow f = {.pos = key->pos};
    const char *from, *to;
    if (!split_flow(r, key->text, &f, &from, &to)) {
        hl_diag_error(r->diag, key->pos, "expected a flow such as 'gut -> central: ka', 'central <-> peripheral: Q' or "
                      "'central -> out: CL', found '%s'", key->text);
        return;
    }
    check_flow(r, &f, from, to);
    f.rate = hl_read_expr(r, map, key->text, "a rate [1/h] or a clearance [L/h]");
    p->flow = hl_arena_push(r->arena, p->flow, p->n_flows, capacity, sizeof *p->flow);
    p->flow[p->n_flows++] = f;
}

void hl_read_flows(struct hl_reader *r)
{
    const struct hl_yaml *list = hl_yaml_get(r->model->root, "flows");
    size_t capacity = 0;
    if (!list || hl_read_is_empty(list))
        return;
    if (list->kind == HL_YAML_SCALAR) {
        hl_diag_error(r->diag, list->pos, "expected a list of flows, '- gut -> central: ka'");
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        const struct hl_yaml *item = list->kind == HL_YAML_MAPPING ? list : list->item[i];
        if (list->kind == HL_YAML_MAPPING) {
            read_flow(r, list->key[i], list, &capacity);
        } else if (item->kind != HL_YAML_MAPPING) {
            hl_diag_error(r->diag, item->pos, "expected a flow such as 'gut -> central: ka'");
        } else {
            for (size_t k = 0; k < item->n; k++)
                read_flow(r, item->key[k], item, &capacity);
        }
    }
}

/* ---- Routes ---- */

/* released: stands alone, the fraction of a dose that has entered by tad. release:, its density, is what people know
 * from other programs. */
static bool read_released(struct hl_reader *r, const struct hl_yaml *map, struct hl_route_part_text *part)
{
    static const char *const others[] = {"zero_order", "rate", "duration"};
    const struct hl_yaml *density = hl_yaml_key(map, "release"), *key = hl_yaml_key(map, "released");
    if (density && !key)
        hl_diag_error(r->diag, density->pos,
                      "state the fraction of the dose that has entered by tad, released:, instead of its rate; as in "
                      "released: \"gamma_p(n + 1, ktr * tad)\" or \"-expm1(-(tad / td)^beta)\"");
    else if (density)
        hl_diag_error(r->diag, density->pos, "released: says it all; leave out release:");
    if (!key)
        return density != NULL;
    part->input = HL_INPUT_RELEASE;
    part->released = hl_read_expr(r, map, "released", "a fraction of the dose");
    for (size_t k = 0; k < 3; k++)
        if (hl_yaml_key(map, others[k]))
            hl_diag_error(r->diag, hl_yaml_key(map, others[k])->pos,
                          "released: fixes how every dose of this route enters; leave out %s:", others[k]);
    return true;
}

/* Which input the part has: zero_order [h] is how every dose enters. A duration [h] or a rate [mg/h] is too when it
 * stands alone; both together are what RATE -2 and -1 of a data set choose from, and a plain dose enters at once. */
static void read_input(struct hl_reader *r, const struct hl_yaml *map, struct hl_route_part_text *part)
{
    if (read_released(r, map, part))
        return;
    struct hl_expr *zero_order = hl_yaml_get(map, "zero_order") ? hl_read_expr(r, map, "zero_order", "a duration [h]")
                                                                : NULL;
    const struct hl_yaml *rate = hl_yaml_key(map, "rate"), *duration = hl_yaml_key(map, "duration");
    if (hl_yaml_get(map, "rate"))
        part->rate = hl_read_expr(r, map, "rate", "a rate [mg/h]");
    if (hl_yaml_get(map, "duration"))
        part->duration = hl_read_expr(r, map, "duration", "a duration [h]");
    if (zero_order && (part->rate || part->duration))
        hl_diag_error(r->diag, (part->rate ? rate : duration)->pos,
                      "zero_order: fixes how every dose of this route enters; leave out %s:",
                      part->rate ? "rate" : "duration");
    part->input = zero_order || (part->duration && !part->rate) ? HL_INPUT_ZERO_ORDER
                  : part->rate && !part->duration               ? HL_INPUT_RATE
                                                                : HL_INPUT_BOLUS;
    part->every_dose = zero_order != NULL;
    part->given = zero_order                          ? zero_order
                  : part->input == HL_INPUT_RATE       ? part->rate
                  : part->input == HL_INPUT_ZERO_ORDER ? part->duration
                                                       : NULL;
}

static int read_into(struct hl_reader *r, const struct hl_yaml *node)
{
    const char *name = hl_yaml_text(node, "the name of a compartment", r->diag);
    return name ? find_compartment(r, name, node->pos, "a route into") : UNKNOWN;
}

static void read_part(struct hl_reader *r, const struct hl_yaml *map, struct hl_route_text *route,
                      struct hl_route_part_text *part)
{
    static const char *const known[] = {"into", "bioavailability", "lag", "fraction", "zero_order", "rate", "duration",
                                        "released", "release", "default", "label", "note", NULL};
    part->pos = map->pos;
    part->into = UNKNOWN;
    if (!hl_read_keys(r, map, hl_arena_printf(r->arena, "route '%s'", route->name), known))
        return;
    const struct hl_yaml *into = hl_yaml_get(map, "into"), *usual = hl_yaml_get(map, "default");
    if (into)
        part->into = read_into(r, into);
    else
        hl_diag_error(r->diag, map->pos, "route '%s' leads nowhere; add into: COMPARTMENT", route->name);
    part->bioavailability = hl_read_expr(r, map, "bioavailability", "a fraction");
    part->lag = hl_read_expr(r, map, "lag", "a time");
    part->fraction = hl_read_expr(r, map, "fraction", "a fraction of the dose");
    read_input(r, map, part);
    if (usual && strcmp(hl_yaml_text(usual, "dose", r->diag) ? usual->text : "dose", "dose") != 0)
        hl_diag_error(r->diag, usual->pos, "unknown default '%s' of a route; the only one is dose", usual->text);
    route->is_default |= usual != NULL;
    if (hl_yaml_get(map, "label"))
        route->label = hl_read_text(r, map, "label");
}

static void read_parts(struct hl_reader *r, const struct hl_yaml *node, struct hl_route_text *route)
{
    size_t n = node->kind == HL_YAML_SEQUENCE ? node->n : 1;
    route->part = hl_arena_alloc(r->arena, n, sizeof *route->part);
    if (n == 0)
        hl_diag_error(r->diag, node->pos, "route '%s' leads nowhere; add {into: COMPARTMENT}", route->name);
    for (size_t i = 0; i < n; i++)
        read_part(r, node->kind == HL_YAML_SEQUENCE ? node->item[i] : node, route, &route->part[route->n_parts++]);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (!route->part[i].fraction && !route->part[i].bioavailability)
            hl_diag_error(r->diag, route->part[i].pos,
                          "one of several ways in, without fraction: or bioavailability:, would "
                          "take the whole dose again");
}

/* into: and fractions: of a patch, each a name or a list of equal length. */
static void read_skin(struct hl_reader *r, const struct hl_yaml *map, struct hl_route_text *route)
{
    const struct hl_yaml *into = hl_yaml_get(map, "into"), *fractions = hl_yaml_get(map, "fractions");
    bool list = into && into->kind == HL_YAML_SEQUENCE;
    size_t n = list ? into->n : 1;
    if (!into || n == 0) {
        hl_diag_error(r->diag, map->pos, "patch '%s' leads nowhere; add into: COMPARTMENT", route->name);
        return;
    }
    route->part = hl_arena_alloc(r->arena, n, sizeof *route->part);
    for (size_t i = 0; i < n; i++) {
        struct hl_route_part_text *part = &route->part[route->n_parts++];
        part->pos = list ? into->item[i]->pos : into->pos;
        part->into = read_into(r, list ? into->item[i] : into);
        if (fractions && fractions->kind == HL_YAML_SEQUENCE && fractions->n == n)
            part->fraction =
                hl_expr_read(r->arena, fractions->item[i], "a fraction", r->declared, r->n_declared, r->diag);
    }
    if ((n > 1 && !fractions) || (fractions && (fractions->kind != HL_YAML_SEQUENCE || fractions->n != n)))
        hl_diag_error(r->diag, fractions ? fractions->pos : into->pos,
                      "a patch into %zu compartments needs fractions: with "
                      "%zu values",
                      n, n);
}

static void read_phase(struct hl_reader *r, const struct hl_yaml *map, bool last, struct hl_patch_phase_text *phase)
{
    static const char *const known[] = {"until", "release", "loses", "note", NULL};
    phase->pos = map->pos;
    if (!hl_read_keys(r, map, "a phase of a patch", known))
        return;
    phase->until = hl_read_expr(r, map, "until", "a time after application");
    phase->release = hl_read_expr(r, map, "release", "a rate [1/h]");
    phase->loses = hl_read_expr(r, map, "loses", "the fraction that arrives");
    if (!hl_yaml_get(map, "release"))
        hl_diag_error(r->diag, map->pos, "a phase of a patch needs release: RATE");
    if (!hl_yaml_get(map, "until") != last)
        hl_diag_error(r->diag, map->pos, last ? "the last phase lasts until removal; leave out until:"
                                              : "every phase but the last needs until: TIME");
}

static void read_phases(struct hl_reader *r, const struct hl_yaml *map, struct hl_route_text *route)
{
    const struct hl_yaml *phases = hl_yaml_get(map, "phases");
    bool list = phases && phases->kind == HL_YAML_SEQUENCE && phases->n > 0;
    route->n_phases = list ? phases->n : 1;
    route->phase = hl_arena_alloc(r->arena, route->n_phases, sizeof *route->phase);
    if (phases && !list)
        hl_diag_error(r->diag, phases->pos,
                      "expected a list of phases, [{until: 10 h, release: k1, loses: F}, {release: k2, loses: F}]");
    for (size_t i = 0; list && i < phases->n; i++)
        read_phase(r, phases->item[i], i + 1 == phases->n, &route->phase[i]);
    if (phases)
        return;
    route->phase[0].pos = map->pos;
    route->phase[0].release = hl_read_expr(r, map, "release", "a rate [1/h]");
    route->phase[0].loses = hl_read_expr(r, map, "loses", "the fraction that arrives");
}

/* A patch states either its content and how it is released, or a constant rate. */
static void check_patch(struct hl_reader *r, const struct hl_yaml *map, const struct hl_route_text *route)
{
    bool content = hl_yaml_get(map, "content"), rate = hl_yaml_get(map, "rate");
    bool release = hl_yaml_get(map, "release"), phases = hl_yaml_get(map, "phases");
    if (content == rate)
        hl_diag_error(r->diag, map->pos,
                      "patch '%s' needs either content: (with release: or phases:) or rate:", route->name);
    else if (content && release == phases)
        hl_diag_error(r->diag, map->pos, "patch '%s' needs either release: or phases:", route->name);
    else if (rate && (release || phases))
        hl_diag_error(r->diag, map->pos, "patch '%s' with a constant rate: has no release: or phases:", route->name);
    if (phases && hl_yaml_get(map, "loses"))
        hl_diag_error(r->diag, hl_yaml_key(map, "loses")->pos, "loses: stands in each of the phases");
}

static void read_patch(struct hl_reader *r, const struct hl_yaml *map, struct hl_route_text *route)
{
    static const char *const known[] = {"content", "release", "loses", "lag", "into", "fractions", "wear", "nominal",
                                        "phases", "rate", "note", "label", NULL};
    route->is_patch = true;
    route->nominal = (struct hl_unit){hl_dim_of("mg/h"), 1.0};
    route->nominal_text = "ug/h";
    if (!hl_read_keys(r, map, hl_arena_printf(r->arena, "patch '%s'", route->name), known))
        return;
    check_patch(r, map, route);
    route->content = hl_read_expr(r, map, "content", "an amount");
    route->rate = hl_read_expr(r, map, "rate", "a rate [mg/h]");
    route->lag = hl_read_expr(r, map, "lag", "a time");
    read_skin(r, map, route);
    read_phases(r, map, route);
    if (hl_yaml_get(map, "wear") &&
        hl_read_quantity_of(r, hl_yaml_get(map, "wear"), "a time of wear", hl_dim_of("h"), &route->wear) &&
        route->wear <= 0.0)
        hl_diag_error(r->diag, hl_yaml_get(map, "wear")->pos, "a patch is worn for more than 0 h");
    if (!hl_yaml_get(map, "nominal"))
        return;
    hl_read_unit(r, hl_yaml_get(map, "nominal"), &route->nominal, &route->nominal_text);
    if (!hl_dim_equal(route->nominal.dim, hl_dim_of("mg/h")) && !hl_dim_equal(route->nominal.dim, hl_dim_of("mg")))
        hl_diag_error(r->diag, hl_yaml_get(map, "nominal")->pos,
                      "the strength of a patch is a rate or an amount; write ug/h or mg");
}

static void read_route(struct hl_reader *r, const struct hl_yaml *item, struct hl_route_text *route)
{
    static const char *const known[] = {"patch", "default", "label", "note", NULL};
    const struct hl_yaml *patch = hl_yaml_get(item, "patch");
    if (!patch) {
        read_parts(r, item, route);
        return;
    }
    hl_read_keys(r, item, hl_arena_printf(r->arena, "route '%s'", route->name), known);
    route->is_default = hl_yaml_get(item, "default") != NULL;
    route->label = hl_read_text(r, item, "label");
    read_patch(r, patch, route);
}

void hl_read_routes(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "routes");
    struct hl_model_parts *p = r->parts;
    p->route = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *p->route);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_route_text *route = &p->route[p->n_routes++];
        route->name = map->key[i]->text;
        route->pos = map->key[i]->pos;
        if (!hl_text_is_name(route->name))
            hl_diag_error(r->diag, route->pos, "'%s' is not a name: a letter, then letters, digits and '_'",
                          route->name);
        read_route(r, map->item[i], route);
        for (size_t k = 0; route->is_default && k < i; k++)
            if (p->route[k].is_default)
                hl_diag_error(r->diag, route->pos, "'%s' is already the default route; only one can be",
                              p->route[k].name);
    }
}
