/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A crossover from a drug given n times a day in parts a_1 ... a_n (of from: in all) to another one.
 *
 *   stage k = 1 ... n, each of `each` days: the doses whose turn is 1 ... k are the second drug, r a_i each, the rest
 *   still the first. The evening's turn comes first, then the morning's, then what lies between.
 *   After stage n the second drug is taken alone, sum of r a_i a day, and goes down by a protocol of its own
 *   (ashton_steps unless target: names another); its first step is due `each` days after the last exchange.
 *
 * r, milligrams of the second drug per milligram of the first, comes from the two models: a table of dose equivalence
 * gives an amount of either drug, and amounts of one table are equal (clonazepam reference 7.3; Ashton, Withdrawal
 * manual, 2002, exchanges one dose a week in this way). A study may state ratio: instead. Doses of the second drug are
 * rounded to what its tablets make; its taper starts from the sum of the rounded ones. */
#include "regimen/crossover.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "regimen/levels.h"
#include "regimen/read.h"

#define DAY        24.0
#define USUAL_EACH (7 * DAY)
#define MOST_KEYS  32
#define SAME_DOSE  1e-9 /* relative */

/* What of the second drug's taper is said outside target:, because it is the crossover's. */
static const char *const shared_keys[] = {"pace", "every", "w", "split", "at"};
#define N_SHARED (sizeof shared_keys / sizeof shared_keys[0])

struct crossover {
    const struct hl_yaml *node;
    double from;              /* [mg/day] of the first drug */
    double each;              /* [h] between two exchanges */
    double ratio;             /* mg of the second per mg of the first */
    int first, second;        /* instances */
    int first_route, second_route;
    struct hl_day day;
    bool has_quantum;         /* the first drug's parts are whole quanta ... */
    double quantum;           /* ... of so much [mg] */
    const struct hl_yaml *target; /* the second drug's taper, as one would write it alone */
    const struct hl_taper *taper;
};

static void turn_to(struct hl_compiler *c, int instance)
{
    c->instance = instance;
    c->drug = c->system->instance[instance].alias;
}

/* ---- What is asked ---- */

/* to: another drug of the study. */
static bool read_second(struct hl_compiler *c, struct crossover *x)
{
    const struct hl_yaml *to = hl_yaml_get(x->node, "to");
    const char *names[64];
    char hint[128];
    size_t n = 0;
    if (!to) {
        hl_diag_error(c->diag, x->node->pos,
                      "a crossover needs the drug that takes over: 'to:' and its alias in this study");
        return false;
    }
    const char *text = hl_yaml_text(to, "the alias of a drug of this study", c->diag);
    x->second = text ? hl_system_find_instance(c->system, text) : -1;
    if (x->second >= 0 && x->second != x->first && c->system->instance[x->second].is_drug)
        return true;
    for (size_t i = 0; i < c->system->n_instances && n < 64; i++)
        if (c->system->instance[i].is_drug && (int)i != x->first)
            names[n++] = c->system->instance[i].alias;
    if (text && x->second == x->first)
        hl_diag_error(c->diag, to->pos, "%s can't be exchanged for itself; 'to:' names another drug of this study",
                      text);
    else if (text)
        hl_diag_error(c->diag, to->pos, "this study has no drug '%s' to go over to%s", text,
                      hl_text_did_you_mean(text, names, n, hint, sizeof hint));
    return false;
}

static const struct hl_equivalent *find_equivalent(const struct hl_model *model, const char *name)
{
    for (size_t i = 0; model && i < model->n_equivalents; i++)
        if (strcmp(model->equivalent[i].name, name) == 0)
            return &model->equivalent[i];
    return NULL;
}

/* "a, b": the tables that both models state; n of them in names. */
static const char *common_tables(struct hl_compiler *c, const struct hl_model *a, const struct hl_model *b,
                                 const char **names, size_t most, size_t *n)
{
    const char *text = "";
    *n = 0;
    for (size_t i = 0; a && i < a->n_equivalents && *n < most; i++) {
        if (!find_equivalent(b, a->equivalent[i].name))
            continue;
        names[*n] = a->equivalent[i].name;
        text = hl_arena_printf(c->arena, "%s%s%s", text, *n ? ", " : "", names[*n]);
        ++*n;
    }
    return text;
}

/* equivalence: a table that both drugs' models state. */
static bool read_equivalence(struct hl_compiler *c, const struct hl_yaml *table, struct crossover *x)
{
    const struct hl_system_instance *first = &c->system->instance[x->first], *second = &c->system->instance[x->second];
    const char *names[64];
    char hint[128];
    size_t n;
    const char *all = common_tables(c, first->model, second->model, names, 64, &n);
    if (n == 0) {
        hl_diag_error(c->diag, table ? table->pos : x->node->pos,
                      "the models of %s and %s have no table of equivalents: in common; state "
                      "'ratio:', milligrams of %s per milligram of %s",
                      first->alias, second->alias, second->alias, first->alias);
        return false;
    }
    if (!table) {
        hl_diag_error(c->diag, x->node->pos,
                      "a crossover needs 'equivalence:', the table of equal doses; both models state %s", all);
        return false;
    }
    const char *text = hl_yaml_text(table, "the name of a table of equal doses", c->diag);
    const struct hl_equivalent *a = text ? find_equivalent(first->model, text) : NULL;
    const struct hl_equivalent *b = text ? find_equivalent(second->model, text) : NULL;
    if (text && (!a || !b))
        hl_diag_error(c->diag, table->pos, "the models of %s and %s have no table '%s' in common, but %s%s",
                      first->alias, second->alias, text, all, hl_text_did_you_mean(text, names, n, hint, sizeof hint));
    if (!a || !b)
        return false;
    x->ratio = b->amount / a->amount;
    return true;
}

static bool read_ratio(struct hl_compiler *c, struct crossover *x)
{
    const struct hl_yaml *table = hl_yaml_get(x->node, "equivalence"), *ratio = hl_yaml_get(x->node, "ratio");
    if (!ratio)
        return read_equivalence(c, table, x);
    if (table) {
        hl_diag_error(c->diag, hl_yaml_key(x->node, "ratio")->pos,
                      "'ratio' and 'equivalence' say the same; leave one out");
        return false;
    }
    const char *text = hl_yaml_text(ratio, "a ratio of doses such as 20", c->diag);
    if (text && hl_text_number(text, &x->ratio) && x->ratio > 0)
        return true;
    if (text)
        hl_diag_error(c->diag, ratio->pos,
                      "expected milligrams of the second drug per milligram of the first, a number above zero such as "
                      "20, found \"%s\"",
                      text);
    return false;
}

static bool read_amounts(struct hl_compiler *c, struct crossover *x)
{
    const struct hl_yaml *from = hl_yaml_get(x->node, "from"), *each = hl_yaml_get(x->node, "each");
    const struct hl_yaml *quantum = hl_yaml_get(x->node, "quantum");
    double rate = 0;
    bool good = from != NULL;
    x->each = USUAL_EACH;
    if (!from)
        hl_diag_error(c->diag, x->node->pos,
                      "a crossover needs the daily dose it starts from, such as 'from: 2 mg/d'");
    else
        good = hl_item_read_positive(from, hl_dim_of("mg/h"), "the daily dose before the crossover", "2 mg/d", &rate,
                                     c->diag);
    x->from = rate * DAY;
    if (each)
        good = hl_item_read_duration(each, "the time between two exchanges", &x->each, c->diag) && good;
    x->has_quantum = quantum != NULL;
    if (quantum)
        good = hl_item_read_positive(quantum, hl_dim_of("mg"), "a quantum", "0.125 mg", &x->quantum, c->diag) && good;
    return good;
}

/* ---- The second drug's taper ---- */

static struct hl_yaml *word(struct hl_compiler *c, const char *text, struct hl_pos pos)
{
    struct hl_yaml *node = hl_arena_alloc(c->arena, 1, sizeof *node);
    *node = (struct hl_yaml){.kind = HL_YAML_SCALAR, .pos = pos, .text = text};
    return node;
}

static void add_pair(struct hl_compiler *c, struct hl_yaml *map, const char *key, struct hl_yaml *value)
{
    map->key[map->n] = word(c, key, value->pos);
    map->item[map->n++] = value;
}

/* The mapping of a plain taper from `from` mg/day: target:, what the crossover says for it, and the usual protocol. */
static const struct hl_yaml *plain_taper(struct hl_compiler *c, const struct crossover *x, double from)
{
    const struct hl_yaml *target = hl_yaml_get(x->node, "target");
    size_t room = (target ? target->n : 0) + N_SHARED + 2;
    struct hl_yaml *map = hl_arena_alloc(c->arena, 1, sizeof *map);
    *map = (struct hl_yaml){.kind = HL_YAML_MAPPING,
                            .pos = target ? target->pos : x->node->pos,
                            .key = hl_arena_alloc(c->arena, room, sizeof *map->key),
                            .item = hl_arena_alloc(c->arena, room, sizeof *map->item)};
    if (!hl_yaml_get(target, "protocol") && !hl_yaml_get(target, "list"))
        add_pair(c, map, "protocol", word(c, "ashton_steps", x->node->pos));
    add_pair(c, map, "from", word(c, hl_arena_printf(c->arena, "%.17g mg/d", from), x->node->pos));
    for (size_t i = 0; i < N_SHARED; i++) {
        struct hl_yaml *value = hl_yaml_get(x->node, shared_keys[i]);
        if (value && !hl_yaml_get(target, shared_keys[i]))
            add_pair(c, map, shared_keys[i], value);
    }
    for (size_t i = 0; target && i < target->n; i++)
        add_pair(c, map, target->key[i]->text, target->item[i]);
    return map;
}

static bool check_target(struct hl_compiler *c, const struct crossover *x)
{
    static const char *const not_here[] = {"from", "by", "patches", "wear"};
    const struct hl_yaml *target = hl_yaml_get(x->node, "target");
    bool good = !target || target->kind == HL_YAML_MAPPING;
    if (!good)
        hl_diag_error(c->diag, target->pos,
                      "expected how the second drug is given, such as {tablets: [2 mg, 5 mg, 10 mg], split: bid}");
    for (size_t i = 0; good && i < sizeof not_here / sizeof not_here[0]; i++) {
        const struct hl_yaml *key = hl_yaml_key(target, not_here[i]);
        if (!key)
            continue;
        hl_diag_error(c->diag, key->pos, i == 0 ? "the second drug starts from what the first was worth; leave out %s:"
                                                : "the second drug of a crossover is given in doses; leave out %s:",
                      not_here[i]);
        return false;
    }
    return good;
}

/* ---- The stages ---- */

/* What the first drug's parts hold [mg], by part. */
static void first_amounts(const struct crossover *x, struct hl_day_part *part, double *amount)
{
    bool whole = x->day.whole && x->has_quantum;
    if (whole)
        hl_day_share(part, x->day.n, (size_t)llround(x->from / x->quantum));
    for (size_t i = 0; i < x->day.n; i++)
        amount[i] = whole ? (double)part[i].share * x->quantum : x->from / (double)x->day.n;
}

/* The second drug's instead of it [mg]. */
static double second_amount(const struct crossover *x, double first)
{
    double exact = first * x->ratio;
    return x->taper->from_tablets ? hl_tablets_nearest(&x->taper->tablets, exact) : exact;
}

/* The second drug alone, from what its doses add up to after rounding. What they round to is known only once its
 * tablets are read, so the taper is made twice: from the exact amount, in silence, and from the sum. */
static bool make_taper(struct hl_compiler *c, struct crossover *x)
{
    struct hl_day_part part[HL_MOST_PARTS];
    double amount[HL_MOST_PARTS], exact = x->from * x->ratio, sum = 0;
    x->target = plain_taper(c, x, exact);
    size_t said = hl_diag_count(c->diag, HL_ERROR);
    struct hl_diag *quiet = hl_diag_create();
    x->taper = hl_taper_make(c->arena, x->target, quiet);
    hl_diag_free(quiet);
    if (x->taper) {
        hl_day_place(c, &x->day, 0, part);
        first_amounts(x, part, amount);
        for (size_t i = 0; i < x->day.n; i++) {
            double second = second_amount(x, amount[i]);
            if (amount[i] > 0 && !(second > 0)) {
                hl_diag_error(c->diag, x->target->pos, "a dose of %g mg of %s is worth %g mg of %s, which rounds to no "
                              "dose; smaller strengths are needed", amount[i], c->system->instance[x->first].alias,
                              amount[i] * x->ratio, c->system->instance[x->second].alias);
                return false;
            }
            sum += second;
        }
        x->target = plain_taper(c, x, fabs(sum - exact) > SAME_DOSE * exact ? sum : exact);
    }
    x->taper = hl_taper_make(c->arena, x->target, c->diag);
    return x->taper && hl_diag_count(c->diag, HL_ERROR) == said;
}

/* Stage k: the doses whose turn is 0 ... k - 1 are the second drug's. */
static void give_stage(struct hl_compiler *c, const struct crossover *x, size_t k, double begin, double end)
{
    struct hl_day_part part[HL_MOST_PARTS];
    double amount[HL_MOST_PARTS];
    size_t turn[HL_MOST_PARTS];
    hl_day_place(c, &x->day, begin, part);
    hl_day_turns(part, x->day.n, turn);
    first_amounts(x, part, amount);
    for (size_t j = 0; j < x->day.n; j++) {
        size_t i = turn[j];
        bool exchanged = j < k;
        double given = exchanged ? second_amount(x, amount[i]) : amount[i];
        for (size_t day = 0; begin + ((double)day * DAY + part[i].offset) < end - HL_SAME_TIME && given > 0; day++)
            hl_compiler_dose(c, (struct hl_dose){.time = begin + ((double)day * DAY + part[i].offset),
                                                 .route = exchanged ? x->second_route : x->first_route,
                                                 .kind = HL_DOSE_GIVEN,
                                                 .amount = given,
                                                 .repeat_interval = DAY / (double)x->day.n});
    }
}

static bool read_crossover(struct hl_compiler *c, struct crossover *x)
{
    static const char *const known[] = {"protocol", "from",  "to", "equivalence", "ratio",   "each",  "pace",
                                        "every",    "w",     "split", "at",       "quantum", "route", "target"};
    bool good = hl_only_keys(x->node, "a crossover", known, sizeof known / sizeof known[0], c->diag);
    good = read_amounts(c, x) && good;
    good = check_target(c, x) && good;
    good = hl_day_read(c, x->node, &x->day) && good;
    if (!read_second(c, x))
        return false;
    good = read_ratio(c, x) && good;
    if (!good)
        return false;
    x->first_route = hl_taper_dose_route(c, x->node);
    turn_to(c, x->second);
    good = make_taper(c, x);
    x->second_route = good ? hl_taper_dose_route(c, x->target) : -1;
    turn_to(c, x->first);
    return good && x->first_route >= 0 && x->second_route >= 0;
}

bool hl_crossover_give(struct hl_compiler *c, const struct hl_yaml *node, double start, double stop, double *end)
{
    struct crossover x = {.node = node, .first = c->instance};
    if (!read_crossover(c, &x))
        return false;
    for (size_t k = 1; k <= x.day.n; k++) {
        double begin = start + (double)(k - 1) * x.each;
        give_stage(c, &x, k, begin, fmin(begin + x.each, stop));
    }
    double alone = start + (double)x.day.n * x.each;
    *end = alone + x.taper->total_days * DAY;
    turn_to(c, x.second);
    bool good = alone >= stop || hl_taper_give(c, x.target, x.taper, alone, stop);
    turn_to(c, x.first);
    struct hl_regimen *r = c->regimen;
    r->crossed = hl_arena_push(c->arena, r->crossed, r->n_crossed, &c->crossed_capacity, sizeof *r->crossed);
    r->crossed[r->n_crossed++] = (struct hl_crossed){x.first, x.second, x.ratio, x.target};
    return good;
}
