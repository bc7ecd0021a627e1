/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an arm's prescriptions to a list of doses. The items of one drug stand in a sequence and follow one another: a
 * cursor moves from the end of one to the start of the next, unless an item has its own start:. What an item is, is
 * said by one key: a route of the drug's model, or infuse, demand, taper, steady_state, gap or repeat.
 *
 * A steady state at time T is "on this regimen since long before T". Its cycle has the period P and doses at offsets o
 * in [0, P) from T. The engine starts at T0 = min(T, 0) and not at T, so the cycle is turned to offsets (o + T - T0)
 * mod P from T0, and the cycles between T0 and T are given as ordinary doses. */
#include "regimen/regimen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "regimen/compile.h"
#include "regimen/order.h"
#include "regimen/read.h"

#define MOST_DOSES_OF_AN_ARM 5000000u
#define LONGEST_CYCLE        87660.0 /* of a steady state: ten years [h] */

static const char *const item_keys[] = {"infuse", "demand", "taper", "steady_state", "repeat", "recorded"};
#define N_ITEM_KEYS (sizeof item_keys / sizeof item_keys[0])

void hl_compiler_dose(struct hl_compiler *c, struct hl_dose dose)
{
    struct hl_dose_list *list = &c->doses;
    list->dose = hl_arena_push(c->arena, list->dose, list->n, &list->capacity, sizeof *list->dose);
    if (dose.kind == HL_DOSE_INFUSION && dose.scaled == HL_SCALED_RATE && c->study->scales_duration)
        dose.scaled = HL_SCALED_DURATION;
    list->dose[list->n++] = dose;
}

void hl_compiler_fault(struct hl_compiler *c)
{
    c->good = false;
}

bool hl_item_keys(struct hl_compiler *c, const struct hl_yaml *item, const char *what, const char *const *own, size_t n,
                  const char *which)
{
    static const struct {
        char letter;
        const char *key;
    } timing[] = {
        {'s', "start"}, {'g', "gap"}, {'x', "stop"},  {'e', "every"},
        {'a', "at"},    {'f', "for"}, {'u', "until"}, {'n', "doses"},
    };
    const char *known[24];
    size_t m = 0;
    for (; m < n; m++)
        known[m] = own[m];
    for (size_t i = 0; i < sizeof timing / sizeof timing[0]; i++)
        if (strchr(which, timing[i].letter))
            known[m++] = timing[i].key;
    if (hl_only_keys(item, what, known, m, c->diag))
        return true;
    c->good = false;
    return false;
}

/* Names of the drug's routes into the arena; comma-separated text for messages. */
static size_t route_names(const struct hl_compiler *c, const char ***names, const char **text)
{
    size_t n = 0;
    *names = hl_arena_alloc(c->arena, c->system->n_routes + 32, sizeof **names);
    *text = "";
    for (size_t i = 0; i < c->system->n_routes; i++) {
        if (c->system->route[i].instance != c->instance)
            continue;
        (*names)[n++] = c->system->route[i].name;
        *text = hl_arena_printf(c->arena, "%s%s%s", *text, n > 1 ? ", " : "", c->system->route[i].name);
    }
    return n;
}

static int find_route(const struct hl_compiler *c, const char *name)
{
    for (size_t i = 0; i < c->system->n_routes; i++)
        if (c->system->route[i].instance == c->instance && strcmp(c->system->route[i].name, name) == 0)
            return (int)i;
    return -1;
}

int hl_compiler_named_route(struct hl_compiler *c, const struct hl_yaml *named)
{
    const char **names, *list;
    char hint[128];
    const char *text = hl_yaml_text(named, "the name of a route", c->diag);
    if (!text)
        return -1;
    int route = find_route(c, text);
    if (route >= 0)
        return route;
    size_t n = route_names(c, &names, &list);
    hl_diag_error(c->diag, named->pos, "%s has no route '%s'; its routes are %s%s", c->drug, text, list,
                  hl_text_did_you_mean(text, names, n, hint, sizeof hint));
    return -1;
}

int hl_compiler_flow_route(struct hl_compiler *c, const struct hl_yaml *item, const struct hl_yaml *named)
{
    const char **names, *list;
    int route = named ? hl_compiler_named_route(c, named) : find_route(c, "iv");
    if (route < 0 && !named) {
        route_names(c, &names, &list);
        hl_diag_error(c->diag, item->pos, "%s has no route 'iv'; say which one is meant with route: (%s)", c->drug,
                      list);
    }
    if (route < 0 || !c->system->route[route].is_patch)
        return route;
    hl_diag_error(c->diag, named->pos, "'%s' is a patch; it can't be infused into", c->system->route[route].name);
    return -1;
}

int hl_compiler_infusion_route(struct hl_compiler *c, const struct hl_yaml *item, const struct hl_yaml *named)
{
    int route = hl_compiler_flow_route(c, item, named);
    const struct hl_route *r = route < 0 ? NULL : &c->system->route[route];
    for (size_t k = 0; r && k < r->n_parts; k++)
        if (r->part[k].release) {
            hl_diag_error(c->diag, named ? named->pos : item->pos,
                          "route '%s' gives every dose a course of its own (released:) and takes no infusion; give a "
                          "dose, '%s: 1 mg', or infuse by a route without released:", r->name, r->name);
            return -1;
        }
    return route;
}

bool hl_compiler_amount(struct hl_compiler *c, const struct hl_yaml *node, int route, double *amount)
{
    const struct hl_route *r = &c->system->route[route];
    const struct hl_model *model = c->system->instance[r->instance].model;
    char why[128];
    struct hl_unit unit;
    double value;
    if (model && model->molar_mass > 0 && node->kind == HL_YAML_SCALAR && hl_dim_equal(r->dose_dim, hl_dim_of("mg")) &&
        hl_quantity_parse(node->text, &value, &unit, why, sizeof why) && hl_dim_equal(unit.dim, hl_dim_of("nmol")) &&
        value >= 0) {
        *amount = value * model->molar_mass;
        return true;
    }
    if (r->is_patch)
        return hl_item_read_positive(node, r->nominal_dim, "a patch's strength",
                                     hl_dim_equal(r->nominal_dim, hl_dim_of("mg")) ? "1 mg" : "25 ug/h", amount,
                                     c->diag);
    return hl_item_read_not_negative(node, r->dose_dim, "a dose", "0.5 mg", amount, c->diag);
}

/* Turns the cycle to the engine's start and gives the cycles until time as doses. */
static void place_cycle(struct hl_compiler *c, struct hl_dose *dose, size_t n, double period, double time)
{
    double begin = fmin(time, 0), shift = time - begin;
    struct hl_regimen *r = c->regimen;
    struct hl_steady *steady;
    r->steady = hl_arena_push(c->arena, r->steady, r->n_steady, &c->steady_capacity, sizeof *r->steady);
    steady = &r->steady[r->n_steady++];
    *steady = (struct hl_steady){.instance = c->instance, .time = begin, .period = period, .n = n, .dose = dose};
    for (double k = ceil(shift / period); k >= 1; k--)
        for (size_t i = 0; i < n; i++) {
            struct hl_dose given = dose[i];
            given.time = time + (dose[i].time - k * period);
            if (given.time >= begin - HL_SAME_TIME)
                hl_compiler_dose(c, given);
        }
    for (size_t i = 0; i < n; i++) {
        double offset = fmod(dose[i].time + shift, period);
        steady->dose[i].time = period - offset < HL_SAME_TIME ? 0 : offset;
    }
}

static bool dose_before(const void *a, const void *b)
{
    return ((const struct hl_dose *)a)->time < ((const struct hl_dose *)b)->time;
}

static void sort_doses(struct hl_compiler *c, struct hl_dose *dose, size_t n)
{
    hl_sort_stable(dose, n, sizeof *dose, dose_before, hl_arena_alloc(c->arena, n + 1, sizeof *dose));
}

/* The one key that says what an item is: index of a route, or n_routes + index of an item key; -1 none, -2 several. */
static int kind_of(struct hl_compiler *c, const struct hl_yaml *item)
{
    int kind = -1;
    const struct hl_yaml *first = NULL;
    bool infusion = hl_yaml_get(item, "infuse") != NULL;
    for (size_t i = 0; i < item->n; i++) {
        int found = find_route(c, item->key[i]->text);
        for (size_t j = 0; found < 0 && j < N_ITEM_KEYS; j++)
            if (strcmp(item->key[i]->text, item_keys[j]) == 0 && !(infusion && j == 1))
                found = (int)(c->system->n_routes + j);
        if (found < 0)
            continue;
        if (first) {
            hl_diag_error(c->diag, item->key[i]->pos,
                          "'%s' and '%s' can't stand in one item; make them two items, the second with "
                          "its own start: where both run at once",
                          first->text, item->key[i]->text);
            return -2;
        }
        first = item->key[i];
        kind = found;
    }
    return kind;
}

/* Nothing in the item says what it is: the commonest reason is a misspelt route. */
static void report_unknown(struct hl_compiler *c, const struct hl_yaml *item)
{
    static const char *const timing[] = {"start", "gap",   "stop", "every", "at",   "for",
                                         "until", "doses", "wear", "over",  "route"};
    const char **names, *list;
    char hint[128];
    size_t n_routes = route_names(c, &names, &list), n = n_routes;
    bool reported = false;
    for (size_t i = 0; i < N_ITEM_KEYS; i++)
        names[n++] = item_keys[i];
    for (size_t i = 0; i < sizeof timing / sizeof timing[0]; i++)
        names[n++] = timing[i];
    for (size_t i = 0; i < item->n; i++) {
        bool known = false;
        for (size_t j = 0; j < n; j++)
            known = known || strcmp(item->key[i]->text, names[j]) == 0;
        if (known)
            continue;
        hl_diag_error(c->diag, item->key[i]->pos, "unknown key '%s' in an item of %s, whose routes are %s%s",
                      item->key[i]->text, c->drug, list,
                      hl_text_did_you_mean(item->key[i]->text, names, n, hint, sizeof hint));
        reported = true;
    }
    if (!reported)
        hl_diag_error(c->diag, item->pos,
                      "this item doesn't say what is given; it needs a route of %s (%s), or infuse, demand, taper, "
                      "steady_state, gap, repeat or recorded",
                      c->drug, list);
    hl_compiler_fault(c);
}

static void item_gap(struct hl_compiler *c, const struct hl_yaml *item)
{
    struct hl_timing t;
    if (hl_item_keys(c, item, "a gap", NULL, 0, "g") && hl_timing_read(c, item, &t))
        c->cursor = t.start;
    else
        hl_compiler_fault(c);
}

static void compile_item(struct hl_compiler *c, const struct hl_yaml *item);

/* A regimen that has been running long before; only doses, patches and infusions can. */
static void steady_inside(struct hl_compiler *c, const struct hl_yaml *inside)
{
    int kind = inside->kind == HL_YAML_MAPPING ? kind_of(c, inside) : -1;
    if (kind == -2) {
        hl_compiler_fault(c);
    } else if (inside->kind == HL_YAML_MAPPING && kind < 0) {
        report_unknown(c, inside);
    } else if (kind < 0 || kind > (int)c->system->n_routes) {
        hl_diag_error(c->diag, inside->pos,
                      "a steady state is one repeated dose, patch or infusion, such as {oral: 1 mg, every: 12 h}");
        hl_compiler_fault(c);
    } else {
        compile_item(c, inside);
    }
}

static bool may_be_steady(struct hl_compiler *c, const struct hl_yaml *item)
{
    const char *why = c->in_cycle   ? "a steady state can't be inside another"
                      : c->in_group ? "a steady state can't be repeated"
                                    : NULL;
    for (size_t i = 0; i < c->regimen->n_steady; i++)
        if (c->regimen->steady[i].instance == c->instance)
            why = "a drug has one steady state; give what follows it as ordinary doses";
    if (!why && (c->doses.n > 0 || c->demand_number > 0))
        why = "the steady state must be the first item of its drug; move it up";
    if (why)
        hl_diag_error(c->diag, hl_yaml_key(item, "steady_state")->pos, "%s", why);
    return why == NULL;
}

/* A cycle of n doses that can be worked with: neither too long nor, where doses wait for a lag, too short. */
static bool check_cycle(struct hl_compiler *c, const struct hl_yaml *item, size_t n)
{
    struct hl_pos pos = hl_yaml_key(item, "steady_state")->pos;
    if (c->period > LONGEST_CYCLE)
        hl_diag_error(c->diag, pos, "a cycle of %.6g h is longer than ten years; a steady state is of doses that are "
                      "taken again and again", c->period);
    else if ((double)n * 24 > HL_MOST_DOSES * c->period)
        hl_diag_error(c->diag, pos, "%zu dose%s every %.3g h are more than the %u a day that a steady state may have; "
                      "check every:", n, n == 1 ? "" : "s", c->period, HL_MOST_DOSES);
    else
        return true;
    return false;
}

static void item_steady(struct hl_compiler *c, const struct hl_yaml *item)
{
    static const char *const own[] = {"steady_state"};
    struct hl_timing t;
    if (!hl_item_keys(c, item, "a steady state", own, 1, "sg") || !may_be_steady(c, item) ||
        !hl_timing_read(c, item, &t)) {
        hl_compiler_fault(c);
        return;
    }
    struct hl_dose_list outer = c->doses;
    bool was_good = c->good;
    c->doses = (struct hl_dose_list){0};
    c->in_cycle = c->good = true;
    c->cursor = t.start;
    steady_inside(c, hl_yaml_get(item, "steady_state"));
    struct hl_dose_list cycle = c->doses;
    c->doses = outer;
    c->in_cycle = false;
    c->cursor = t.start;
    c->good = c->good && check_cycle(c, item, cycle.n);
    if (c->good) {
        place_cycle(c, cycle.dose, cycle.n, c->period, t.start);
        sort_doses(c, cycle.dose, cycle.n);
    }
    c->good = c->good && was_good;
}

static void compile_sequence(struct hl_compiler *c, const struct hl_yaml *items);

/* {repeat: 3, items: [...], every: 28 d}: each repetition starts where the one before ends, or every so long. */
static void item_repeat(struct hl_compiler *c, const struct hl_yaml *item)
{
    static const char *const own[] = {"repeat", "items"};
    struct hl_timing t;
    size_t count;
    const struct hl_yaml *items = hl_yaml_get(item, "items");
    if (!hl_item_keys(c, item, "a repeated group", own, 2, "sge") || !hl_timing_read(c, item, &t) ||
        !hl_item_read_count(hl_yaml_get(item, "repeat"), "how often the items are repeated", &count, c->diag)) {
        hl_compiler_fault(c);
        return;
    }
    if (!items) {
        hl_diag_error(c->diag, item->pos,
                      "a repeated group needs items:, as in {repeat: 3, items: [{oral: 1 mg, every: 12 h, for: 7 d}]}");
        hl_compiler_fault(c);
        return;
    }
    double base = c->base;
    bool in_group = c->in_group;
    c->in_group = true;
    c->cursor = t.start;
    for (size_t k = 0; k < count && c->good; k++) {
        double begin = t.every > 0 ? t.start + (double)k * t.every : c->cursor;
        if (c->cursor > begin + HL_SAME_TIME || isinf(c->cursor) || c->doses.n > MOST_DOSES_OF_AN_ARM) {
            hl_diag_error(c->diag, item->pos,
                          isinf(c->cursor) ? "the items of this group run to the study's end; give them for: or until:"
                          : c->doses.n > MOST_DOSES_OF_AN_ARM ? "this group repeats into millions of doses"
                                                              : "the items of this group last longer than its every:");
            hl_compiler_fault(c);
            break;
        }
        c->base = c->cursor = begin;
        compile_sequence(c, items);
    }
    if (t.every > 0 && c->good)
        c->cursor = fmax(c->cursor, t.start + (double)count * t.every);
    c->base = base;
    c->in_group = in_group;
}

static void compile_item(struct hl_compiler *c, const struct hl_yaml *item)
{
    static void (*const compile[N_ITEM_KEYS])(struct hl_compiler *, const struct hl_yaml *) = {
        hl_item_infuse, hl_item_demand, hl_item_taper, item_steady, item_repeat, hl_item_recorded,
    };
    if (item->kind != HL_YAML_MAPPING) {
        hl_diag_error(c->diag, item->pos, "expected an item such as {oral: 0.5 mg, every: 24 h, doses: 21}");
        hl_compiler_fault(c);
        return;
    }
    int kind = kind_of(c, item), n_routes = (int)c->system->n_routes;
    if (kind == -2)
        hl_compiler_fault(c);
    else if (kind == -1 && hl_yaml_get(item, "gap"))
        item_gap(c, item);
    else if (kind == -1)
        report_unknown(c, item);
    else if (kind >= n_routes)
        compile[kind - n_routes](c, item);
    else if (c->system->route[kind].is_patch)
        hl_item_patch(c, item, kind);
    else
        hl_item_dose(c, item, kind);
}

static void compile_sequence(struct hl_compiler *c, const struct hl_yaml *items)
{
    if (hl_is_word(items, "none"))
        return;
    if (items->kind == HL_YAML_SCALAR) {
        hl_diag_error(c->diag, items->pos,
                      "expected a list of items such as [{oral: 0.5 mg, every: 24 h, doses: 21}], or none");
        hl_compiler_fault(c);
        return;
    }
    for (size_t i = 0; i < hl_list_size(items); i++)
        compile_item(c, hl_list_item(items, i));
}

/* Windows of one drug together, in time order; an open window ends with the study. */
static bool demand_before(const void *a, const void *b)
{
    const struct hl_demand *x = a, *y = b;
    return x->start < y->start;
}

static void finish_demands(struct hl_compiler *c, size_t first)
{
    struct hl_regimen *r = c->regimen;
    double last = c->study->n_times ? c->study->time[c->study->n_times - 1] : 0;
    size_t n = r->n_demands - first;
    if (n == 0)
        return;
    for (size_t i = first; i < r->n_demands; i++)
        if (isinf(r->demand[i].stop))
            r->demand[i].stop = fmax(last, r->demand[i].start);
    hl_sort_stable(r->demand + first, n, sizeof *r->demand, demand_before,
                   hl_arena_alloc(c->arena, n, sizeof *r->demand));
}

static void compile_drug(struct hl_compiler *c, const struct hl_yaml *items, int instance)
{
    c->instance = instance;
    c->drug = c->system->instance[instance].alias;
    c->demand_number = 0;
    c->cursor = c->base = 0;
    c->runs_on = NULL;
    struct hl_dose_list all = c->doses;
    size_t first_demand = c->regimen->n_demands;
    c->doses = (struct hl_dose_list){0};
    compile_sequence(c, items);
    finish_demands(c, first_demand);
    struct hl_dose_list own = c->doses;
    c->doses = all;
    for (size_t i = 0; i < own.n; i++)
        hl_compiler_dose(c, own.dose[i]);
}

/* ---- What people make of it */

/* By drug, as {clonazepam: {missed: "5 %"}}, if a key is a drug's name; otherwise one rule for all drugs. */
static bool names_drugs(const struct hl_system *system, const struct hl_yaml *node)
{
    for (size_t i = 0; i < system->n_instances; i++)
        if (system->instance[i].is_drug && hl_yaml_get(node, system->instance[i].alias))
            return true;
    return false;
}

static bool read_rules_by_drug(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_adherence **rule)
{
    const char **name = hl_arena_alloc(c->arena, c->system->n_instances + 1, sizeof *name);
    size_t n = 0;
    for (size_t i = 0; i < c->system->n_instances; i++)
        if (c->system->instance[i].is_drug)
            name[n++] = c->system->instance[i].alias;
    bool good = hl_only_keys(node, "adherence by drug", name, n, c->diag);
    for (size_t i = 0; i < c->system->n_instances; i++) {
        const struct hl_yaml *own =
            c->system->instance[i].is_drug ? hl_yaml_get(node, c->system->instance[i].alias) : NULL;
        if (own)
            good = hl_adherence_read(c->arena, own, c->study->origin, &rule[i], c->diag) && good;
    }
    return good;
}

static bool read_rules(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_adherence **rule)
{
    if (names_drugs(c->system, node))
        return read_rules_by_drug(c, node, rule);
    const struct hl_adherence *common;
    bool good = hl_adherence_read(c->arena, node, c->study->origin, &common, c->diag);
    for (size_t i = 0; i < c->system->n_instances; i++)
        rule[i] = common;
    return good;
}

/* The typical subject is in the middle of every spread. */
static const struct hl_adherence *without_spread(struct hl_compiler *c, const struct hl_adherence *rule)
{
    struct hl_adherence *typical = hl_arena_alloc(c->arena, 1, sizeof *typical);
    *typical = *rule;
    typical->spread = 0;
    return typical;
}

/* Rules of drugs that have doses to be missed; all rules are read, so that their faults are found. */
static void compile_adherence(struct hl_compiler *c, const struct hl_arm *arm)
{
    const struct hl_yaml *common = c->study->root ? hl_yaml_get(c->study->root, "adherence") : NULL;
    const struct hl_adherence **rule = hl_arena_alloc(c->arena, c->system->n_instances + 1, sizeof *rule);
    bool any = false;
    if (arm->adherence && !read_rules(c, arm->adherence, rule))
        hl_compiler_fault(c);
    if (common && arm->adherence != common &&
        !read_rules(c, common, hl_arena_alloc(c->arena, c->system->n_instances + 1, sizeof *rule)))
        hl_compiler_fault(c);
    c->regimen->adherence = rule;
    for (size_t i = 0; i < c->regimen->n_doses; i++)
        any = any || hl_regimen_may_miss(c->regimen, c->system, &c->regimen->dose[i]);
    for (size_t i = 0; i < c->regimen->n_reviewed; i++)
        any = any || rule[c->regimen->reviewed[i].instance];
    for (size_t i = 0; i < c->regimen->recorded.n; i++)
        any = any || hl_regimen_may_miss(c->regimen, c->system, &c->regimen->recorded.dose[i]);
    for (size_t i = 0; i < c->system->n_instances; i++)
        if (rule[i] && arm->cohort && arm->cohort->typical)
            rule[i] = without_spread(c, rule[i]);
    if (!any)
        c->regimen->adherence = NULL;
}

/* Of a reviewed taper: its fullest level all the way. */
static double most_of(const struct hl_reviewed *r)
{
    double most = 0, span = fmin(r->horizon, r->stop) - r->start;
    for (size_t i = 0; span > 0 && i < r->n_stages; i++) {
        const struct hl_stage *s = &r->stage[i];
        double cycles = isinf(s->cycle) ? ceil(span / ((r->every > 0 ? r->every : 1) * 24)) : ceil(span / s->cycle);
        most = fmax(most, (double)s->n * (cycles + 1));
    }
    return most;
}

size_t hl_regimen_most_doses(const struct hl_regimen *r, const struct hl_system *system, int instance)
{
    size_t n = 0, own = 0;
    for (size_t i = 0; i < r->n_doses; i++)
        n += system->route[r->dose[i].route].instance == instance;
    for (size_t i = 0; i < r->n_reviewed; i++)
        n += r->reviewed[i].instance == instance ? (size_t)most_of(&r->reviewed[i]) : 0;
    for (size_t k = 0; k < r->recorded.n_subjects; k++) {
        size_t his = 0;
        for (size_t i = r->recorded.first[k]; i < r->recorded.first[k + 1]; i++)
            his += system->route[r->recorded.dose[i].route].instance == instance;
        own = his > own ? his : own;
    }
    return n + own;
}

static double planned_end(const struct hl_regimen *r)
{
    double end = 0;
    for (size_t i = 0; i < r->n_doses; i++) {
        const struct hl_dose *d = &r->dose[i];
        end = fmax(end, d->time + (d->kind != HL_DOSE_GIVEN && isfinite(d->duration) ? d->duration : 0));
    }
    for (size_t i = 0; i < r->n_demands; i++)
        end = fmax(end, r->demand[i].stop);
    for (size_t i = 0; i < r->n_reviewed; i++)
        end = fmax(end, fmin(r->reviewed[i].stop, r->reviewed[i].horizon));
    return end;
}

struct hl_regimen *hl_regimen_compile(struct hl_arena *arena, const struct hl_study *study, const struct hl_arm *arm,
                                      struct hl_diag *diag)
{
    struct hl_regimen *regimen = hl_arena_alloc(arena, 1, sizeof *regimen);
    struct hl_compiler c = {
        .arena = arena, .study = study, .system = arm->system, .diag = diag, .regimen = regimen, .good = true};
    for (size_t i = 0; i < arm->system->n_instances; i++)
        if (arm->prescription[i])
            compile_drug(&c, arm->prescription[i], (int)i);
    sort_doses(&c, c.doses.dose, c.doses.n);
    regimen->dose = c.doses.dose;
    regimen->n_doses = c.doses.n;
    hl_compiler_share_out(&c, arm->cohort ? arm->cohort->subjects : 0);
    compile_adherence(&c, arm);
    if (!c.good)
        return NULL;
    regimen->end = planned_end(regimen);
    return regimen;
}
