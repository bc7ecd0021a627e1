/* SPDX-License-Identifier: GPL-3.0-or-later */
/* design: -- a study that asks for a taper instead of stating one. What may be made of what is read by taper/read.c;
 * this room only needs subjects to stand at day 0. So what the design says everybody took before becomes an arm, named
 * before, and every situation under stress: becomes one more, before with what the situation changes. The arms are
 * then read like any other: every name and unit in them is checked, with the place where it was written.
 *
 * A crossover under compare: is one more arm: before, with the crossover as the next thing that is prescribed of the
 * drug that goes down. So it is compiled, and its faults told, as in any arm; taper/crossed.c reads its doses from
 * there.
 *
 * The outputs of keep: are asked for, so that the models are focused on what the design needs. */
#include <stdio.h>
#include <string.h>

#include "study/inside.h"

/* Keys of a situation that aren't those of an arm: its name, and what shifts the taper itself (taper/detours.c). */
static bool is_own(const char *key)
{
    return strcmp(key, "name") == 0 || strcmp(key, "pause") == 0 || strcmp(key, "reinstate") == 0;
}

/* Both mappings' pairs, over's where a key is in both; values as they are (a distribution isn't mixed with another). */
static struct hl_yaml *joined(struct hl_study_reader *reader, const struct hl_yaml *base, const struct hl_yaml *over)
{
    struct hl_yaml *out = hl_study_node(reader->arena, base->pos, HL_YAML_MAPPING);
    for (size_t i = 0; i < base->n; i++)
        hl_study_put(reader->arena, out, base->key[i]->pos, base->key[i]->text, base->item[i]);
    for (size_t i = 0; i < over->n; i++)
        hl_study_put(reader->arena, out, over->key[i]->pos, over->key[i]->text, over->item[i]);
    return out;
}

/* Puts all pairs of a mapping into an arm; an inner mapping (covariates, parameters) is joined with what is there. */
static void put_all(struct hl_study_reader *reader, struct hl_yaml *arm, const struct hl_yaml *from)
{
    for (size_t i = 0; from && from->kind == HL_YAML_MAPPING && i < from->n; i++) {
        const char *key = from->key[i]->text;
        struct hl_yaml *value = from->item[i], *there = hl_yaml_get(arm, key);
        if (is_own(key))
            continue;
        bool joins = there && there->kind == HL_YAML_MAPPING && value->kind == HL_YAML_MAPPING &&
                     (strcmp(key, "covariates") == 0 || strcmp(key, "parameters") == 0);
        if (joins)
            value = joined(reader, there, value);
        hl_study_put(reader->arena, arm, from->key[i]->pos, key, value);
    }
}

static struct hl_yaml *make_arm(struct hl_study_reader *reader, struct hl_pos pos, const struct hl_yaml *name,
                                const struct hl_yaml *design, const struct hl_yaml *situation)
{
    struct hl_arena *arena = reader->arena;
    struct hl_yaml *arm = hl_study_node(arena, pos, HL_YAML_MAPPING), *adherence = hl_yaml_get(design, "adherence");
    hl_study_put(arena, arm, pos, "name",
                 name ? hl_yaml_clone(arena, name) : hl_study_scalar(arena, pos, HL_STUDY_BEFORE));
    put_all(reader, arm, hl_yaml_get(design, "before"));
    if (adherence)
        hl_study_put(arena, arm, hl_yaml_key(design, "adherence")->pos, "adherence", adherence);
    put_all(reader, arm, situation);
    return arm;
}

static void add_situation(struct hl_study_reader *reader, const struct hl_yaml *design, const struct hl_yaml *situation,
                          struct hl_yaml *arms)
{
    const struct hl_yaml *name = hl_yaml_get(situation, "name");
    if (situation->kind != HL_YAML_MAPPING || !name)
        hl_diag_error(reader->diag, situation->pos,
                      "stress: expected a named situation such as {name: an inhibitor, covariates: "
                      "{cyp3a4_inhibitor: strong}}");
    else
        hl_study_append(reader->arena, arms, make_arm(reader, situation->pos, name, design, situation));
}

/* ---- crossovers */

bool hl_study_is_crossover(const struct hl_yaml *taper)
{
    const struct hl_yaml *name = hl_yaml_get(taper, "protocol");
    const char *text = name && name->kind == HL_YAML_SCALAR ? name->text : "";
    return strcmp(text, "crossover") == 0 || strcmp(text, "T5") == 0;
}

/* qd for one clock time, bid for two, ...: so that a day's amount is shared in whole pieces, as everywhere else. */
static void put_split(struct hl_study_reader *reader, struct hl_yaml *node)
{
    static const char *const word[] = {"qd", "bid", "tid", "qid"};
    const struct hl_yaml *at = hl_yaml_get(node, "at");
    size_t n = at && at->kind == HL_YAML_SEQUENCE ? at->n : at ? 1 : 0;
    if (n >= 1 && n <= 4 && !hl_yaml_get(node, "split"))
        hl_study_put(reader->arena, node, at->pos, "split", hl_study_scalar(reader->arena, at->pos, word[n - 1]));
}

/* The crossover as under taper: in an arm. What the design says of the drug that goes holds where it says nothing:
 * where it starts from, and when in the day it is taken. */
static struct hl_yaml *crossover_item(struct hl_study_reader *reader, const struct hl_yaml *said,
                                      const struct hl_yaml *drug)
{
    struct hl_arena *arena = reader->arena;
    struct hl_yaml *node = hl_study_node(arena, said->pos, HL_YAML_MAPPING), *item, *value;
    bool timed = hl_yaml_get(said, "at") || hl_yaml_get(said, "split");
    static const char *const from_design[] = {"from", "at", "split"};
    for (size_t i = 0; i < said->n; i++)
        if (strcmp(said->key[i]->text, "name") != 0)
            hl_study_put(arena, node, said->key[i]->pos, said->key[i]->text, said->item[i]);
    for (size_t i = 0; i < 3; i++)
        if ((value = hl_yaml_get(drug, from_design[i])) && !hl_yaml_get(node, from_design[i]) && (i == 0 || !timed))
            hl_study_put(arena, node, value->pos, from_design[i], value);
    put_split(reader, node);
    item = hl_study_node(arena, said->pos, HL_YAML_MAPPING);
    hl_study_put(arena, item, said->pos, "taper", node);
    return item;
}

/* before: with the crossover behind what was taken of the one drug that goes down. */
static void add_crossover(struct hl_study_reader *reader, const struct hl_yaml *design, const struct hl_yaml *said,
                          struct hl_yaml *arms)
{
    struct hl_arena *arena = reader->arena;
    const struct hl_yaml *taper = hl_yaml_get(design, "taper"), *name = hl_yaml_get(said, "name");
    if (!taper || taper->kind != HL_YAML_MAPPING || taper->n != 1)
        return;
    name = name && name->kind == HL_YAML_SCALAR ? name : hl_yaml_get(said, "protocol");
    name = hl_study_scalar(arena, name->pos, hl_arena_printf(arena, "compare: %s", name->text));
    struct hl_yaml *arm = make_arm(reader, said->pos, name, design, NULL);
    struct hl_yaml *list = hl_study_node(arena, said->pos, HL_YAML_SEQUENCE);
    size_t n;
    struct hl_yaml **item = hl_study_items(arena, hl_yaml_get(arm, taper->key[0]->text), &n);
    for (size_t i = 0; i < n; i++)
        hl_study_append(arena, list, item[i]);
    hl_study_append(arena, list, crossover_item(reader, said, taper->item[0]));
    hl_study_put(arena, arm, taper->key[0]->pos, taper->key[0]->text, list);
    hl_study_append(arena, arms, arm);
}

static void add_crossovers(struct hl_study_reader *reader, const struct hl_yaml *design, struct hl_yaml *arms)
{
    size_t n;
    struct hl_yaml **said = hl_study_items(reader->arena, hl_yaml_get(design, "compare"), &n);
    for (size_t i = 0; i < n; i++)
        if (hl_study_is_crossover(said[i]))
            add_crossover(reader, design, said[i], arms);
}

/* The end of the longest taper and what follows it, for the grid of a study that states none. */
static double horizon(const struct hl_yaml *design)
{
    static const char *const keys[] = {"longest", "follow"};
    double total = 0, value;
    struct hl_unit unit;
    char why[256];
    for (size_t i = 0; i < 2; i++) {
        const struct hl_yaml *node = hl_yaml_get(design, keys[i]);
        if (node && node->kind == HL_YAML_SCALAR && hl_quantity_parse(node->text, &value, &unit, why, sizeof why) &&
            hl_dim_equal(unit.dim, hl_dim_of("h")) && value > 0 && value < 1e6)
            total += value;
    }
    return total > 0 ? total : 24;
}

static void fill_times(struct hl_study_reader *reader, struct hl_yaml *tree, const struct hl_yaml *design)
{
    struct hl_arena *arena = reader->arena;
    if (hl_yaml_get(tree, "times"))
        return;
    struct hl_yaml *list = hl_study_node(arena, design->pos, HL_YAML_SEQUENCE);
    struct hl_yaml *span = hl_study_node(arena, design->pos, HL_YAML_MAPPING);
    hl_study_put(arena, span, design->pos, "until",
                 hl_study_scalar(arena, design->pos, hl_arena_printf(arena, "%.10g h", horizon(design))));
    hl_study_put(arena, span, design->pos, "every", hl_study_scalar(arena, design->pos, "12 h"));
    hl_study_append(arena, list, span);
    hl_study_put(arena, tree, design->pos, "times", list);
    hl_study_mark_default(reader, tree, "times");
}

/* A design with something else in the study that says who gets what. */
static void check_alone(struct hl_study_reader *reader, const struct hl_yaml *tree)
{
    const struct hl_yaml *sweep = hl_yaml_key(tree, "sweep");
    if (sweep)
        hl_diag_error(reader->diag, sweep->pos,
                      "a design can't be swept; set the value with --set and design once for each");
}

bool hl_study_settle_design(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    struct hl_yaml *design = hl_yaml_get(tree, "design"), *arms;
    if (!design || reader->has_data || (hl_yaml_get(tree, "arms") && !reader->options->design))
        return false;
    if (design->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, design->pos,
                      "design: expected what a taper may be made of; see 'A taper to be designed' in the manual");
        return false;
    }
    check_alone(reader, tree);
    const struct hl_yaml *before = hl_yaml_get(design, "before");
    if (!before)
        hl_diag_error(reader->diag, design->pos,
                      "design: says nothing of what everybody took before; write before: {clonazepam: "
                      "[{steady_state: {oral: 1 mg, every: 12 h}}, {oral: 1 mg, every: 12 h, for: 7 d}]}");
    else if (before->kind != HL_YAML_MAPPING)
        hl_diag_error(reader->diag, before->pos, "before: expected drugs with what was taken of them, as in an arm");
    arms = hl_study_node(reader->arena, design->pos, HL_YAML_SEQUENCE);
    hl_study_append(reader->arena, arms, make_arm(reader, before ? before->pos : design->pos, NULL, design, NULL));
    size_t n;
    struct hl_yaml **situation = hl_study_items(reader->arena, hl_yaml_get(design, "stress"), &n);
    for (size_t i = 0; i < n; i++)
        add_situation(reader, design, situation[i], arms);
    reader->study->n_situations = arms->n - 1;
    add_crossovers(reader, design, arms);
    hl_study_put(reader->arena, tree, design->pos, "arms", arms);
    fill_times(reader, tree, design);
    return true;
}

void hl_study_need_design(struct hl_study_reader *reader, const struct hl_yaml *design, const struct hl_system *system)
{
    size_t n;
    struct hl_yaml **line = hl_study_items(reader->arena, hl_yaml_get(design, "keep"), &n);
    for (size_t i = 0; i < n; i++) {
        const struct hl_yaml *of = hl_yaml_get(line[i], "of");
        if (of)
            hl_study_need_output(reader, of, system);
    }
}
