/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare: -- published protocols, from the same start:
 *
 *     compare: [abrupt, us_label, {protocol: asam2025, reduction: "5 %", name: slowly}]
 *     compare: [{name: opioid first, fentanyl: cdc_weekly, clonazepam: uk_eighth}]
 *
 *     compare: [{protocol: crossover, to: diazepam, equivalence: ashton2002, target: {tablets: [2 mg, 5 mg, 10 mg]}}]
 *
 * A word is a protocol of taper:, a mapping what would stand under taper: in an arm; where several drugs go down, one
 * of each by its alias, or one for all. Levels are made here without products, and rounded to them where they are
 * used. */
#include <string.h>

#include "regimen/read.h"
#include "taper/inside.h"

/* A copy of a mapping without its name, or of the word a protocol is, with from: filled in. */
static const struct hl_yaml *taper_node(struct hl_taper_reader *reader, const struct hl_yaml *said,
                                        const struct hl_yaml *from)
{
    struct hl_yaml *node = hl_arena_alloc(reader->arena, 1, sizeof *node), *key;
    size_t n = said->kind == HL_YAML_MAPPING ? said->n : 1;
    bool scalar = said->kind == HL_YAML_SCALAR, has_from = hl_yaml_get(said, "from") != NULL;
    *node = (struct hl_yaml){.kind = HL_YAML_MAPPING, .pos = said->pos,
                             .key = hl_arena_alloc(reader->arena, n + 1, sizeof *node->key),
                             .item = hl_arena_alloc(reader->arena, n + 1, sizeof *node->item)};
    for (size_t i = 0; i < n; i++) {
        if (!scalar && strcmp(said->key[i]->text, "name") == 0)
            continue;
        key = hl_arena_alloc(reader->arena, 1, sizeof *key);
        *key = scalar ? (struct hl_yaml){.kind = HL_YAML_SCALAR, .pos = said->pos, .text = "protocol"} : *said->key[i];
        node->key[node->n] = key;
        node->item[node->n++] = scalar ? (struct hl_yaml *)hl_yaml_clone(reader->arena, said) : said->item[i];
    }
    if (!has_from && from && !hl_is_word(hl_yaml_get(node, "protocol"), "abrupt")) {
        key = hl_arena_alloc(reader->arena, 1, sizeof *key);
        *key = (struct hl_yaml){.kind = HL_YAML_SCALAR, .pos = said->pos, .text = "from"};
        node->key[node->n] = key;
        node->item[node->n++] = hl_yaml_clone(reader->arena, from);
    }
    return node;
}

static const char *name_of(struct hl_taper_reader *reader, const struct hl_yaml *said)
{
    const struct hl_yaml *name = hl_yaml_get(said, "name"), *protocol = hl_yaml_get(said, "protocol");
    if (said->kind == HL_YAML_SCALAR)
        return said->text;
    if (name)
        return hl_yaml_text(name, "a name", reader->diag);
    if (protocol)
        return hl_yaml_text(protocol, "the name of a taper protocol", reader->diag);
    hl_diag_error(reader->diag, said->pos, "compare: a taper of several drugs needs a name; write {name: opioid first, "
                  "...}");
    return NULL;
}

static bool has_alias(const struct hl_taper_reader *reader, const struct hl_yaml *said)
{
    for (size_t d = 0; d < reader->problem->n_drugs; d++)
        if (hl_yaml_get(said, reader->problem->drug[d].alias))
            return true;
    return false;
}

static bool make_levels(struct hl_taper_reader *reader, const struct hl_yaml *said, const struct hl_yaml *taper,
                        struct hl_taper_rival *rival)
{
    bool good = true, by_drug = has_alias(reader, said);
    for (size_t d = 0; d < reader->problem->n_drugs; d++) {
        const char *alias = reader->problem->drug[d].alias;
        const struct hl_yaml *own = by_drug ? hl_yaml_get(said, alias) : said;
        if (hl_study_is_crossover(own)) {
            hl_diag_error(reader->diag, own->pos, "compare: a crossover stands alone, in a design of one drug; write "
                          "{protocol: crossover, to: ..., name: ...}");
            good = false;
            continue;
        }
        if (!own) {
            hl_diag_error(reader->diag, said->pos, "compare: what becomes of %s? Write %s: and a protocol", alias,
                          alias);
            good = false;
            continue;
        }
        rival->taper[d] = taper_node(reader, own, hl_yaml_get(hl_yaml_get(taper, alias), "from"));
        rival->made[d] = hl_taper_make(reader->arena, rival->taper[d], reader->diag);
        good = good && rival->made[d];
    }
    return good;
}

void hl_taper_read_rivals(struct hl_taper_reader *reader, const struct hl_yaml *node, const struct hl_yaml *taper)
{
    struct hl_taper_request *request = reader->request;
    size_t n = hl_list_size(node), arm = reader->study->n_situations;
    request->rival = hl_arena_alloc(reader->arena, n, sizeof *request->rival);
    for (size_t i = 0; i < n; i++) {
        const struct hl_yaml *said = hl_list_item(node, i);
        struct hl_taper_rival rival = {.pos = said->pos, .name = name_of(reader, said)};
        bool crosses = hl_study_is_crossover(said);
        arm += crosses; /* the study made one of each, in this order */
        const struct hl_regimen *crossed = crosses && reader->regimen ? reader->regimen[arm] : NULL;
        if (!rival.name || !(crosses ? hl_taper_read_crossover(reader, crossed, &rival)
                                     : make_levels(reader, said, taper, &rival)))
            continue;
        for (size_t k = 0; k < request->n_rivals; k++)
            if (strcmp(request->rival[k].name, rival.name) == 0)
                hl_diag_error(reader->diag, said->pos, "compare: '%s' is there twice; give one of them a name:",
                              rival.name);
        request->rival[request->n_rivals++] = rival;
    }
}
