/* SPDX-License-Identifier: GPL-3.0-or-later */
/* facts: of an arm -- what somebody wants to know of it beside what is computed: how long its taper lasts, how many
 * tablets it takes, what kind it is. Nothing is made of them; they are kept with the result, under /design/, like the
 * levels of a sweep: a column per name, numbers in the unit of the first arm that states it, else texts. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

/* What the first arm that states it says. */
static const struct hl_yaml *stated(const struct hl_study *study, const char *name)
{
    for (size_t a = 0; a < study->n_arms; a++)
        if (hl_yaml_get(study->arm[a].facts, name))
            return hl_yaml_get(study->arm[a].facts, name);
    return NULL;
}

static bool parse(const struct hl_yaml *node, double *value, struct hl_unit *unit)
{
    char why[256];
    return node->kind == HL_YAML_SCALAR && !node->quoted && hl_quantity_parse(node->text, value, unit, why, sizeof why);
}

/* A column of numbers needs all of one dimension. */
static bool is_numeric(const struct hl_study *study, const char *name)
{
    double value;
    struct hl_unit first, unit;
    bool numeric = parse(stated(study, name), &value, &first);
    for (size_t a = 0; numeric && a < study->n_arms; a++) {
        const struct hl_yaml *node = hl_yaml_get(study->arm[a].facts, name);
        numeric = !node || (parse(node, &value, &unit) && hl_dim_equal(unit.dim, first.dim));
    }
    return numeric;
}

static void add_column(struct hl_study_reader *reader, const char *name)
{
    struct hl_study *study = reader->study;
    const struct hl_yaml *first_node = stated(study, name);
    struct hl_unit first = {.factor = 1}, unit;
    double value;
    bool numeric = is_numeric(study, name) && parse(first_node, &value, &first);
    size_t f = study->n_factors - 1;
    size_t digits = numeric ? hl_text_number_length(first_node->text) : 0;
    study->factor[f] = (struct hl_factor){.path = hl_arena_printf(reader->arena, "facts.%s", name), .name = name,
                                          .numeric = numeric, .unit_text = ""};
    if (numeric)
        study->factor[f].unit_text = first_node->text + digits + strspn(first_node->text + digits, " ");
    for (size_t a = 0; a < study->n_arms; a++) {
        const struct hl_yaml *node = hl_yaml_get(study->arm[a].facts, name);
        study->arm[a].factor_value[f] = node && numeric && parse(node, &value, &unit) ? value / first.factor : NAN;
        study->arm[a].factor_text[f] = node && node->text ? node->text : "";
    }
}

/* One more factor of every arm, without a value yet. */
static void make_room(struct hl_study_reader *reader)
{
    struct hl_study *study = reader->study;
    size_t n = study->n_factors++;
    struct hl_factor *factor = hl_arena_alloc(reader->arena, n + 1, sizeof *factor);
    if (n)
        memcpy(factor, study->factor, n * sizeof *factor);
    study->factor = factor;
    for (size_t a = 0; a < study->n_arms; a++) {
        double *value = hl_arena_alloc(reader->arena, n + 1, sizeof *value);
        const char **text = hl_arena_alloc(reader->arena, n + 1, sizeof *text);
        if (n) {
            memcpy(value, study->arm[a].factor_value, n * sizeof *value);
            memcpy(text, study->arm[a].factor_text, n * sizeof *text);
        }
        study->arm[a].factor_value = value;
        study->arm[a].factor_text = text;
    }
}

static bool is_known(const struct hl_study *study, const char *name)
{
    for (size_t f = 0; f < study->n_factors; f++)
        if (strcmp(study->factor[f].name, name) == 0)
            return true;
    return false;
}

static void check_facts(struct hl_study_reader *reader, const struct hl_yaml *facts)
{
    if (facts->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, facts->pos, "facts: expected names with values; write {duration: 98 d}");
        return;
    }
    for (size_t i = 0; i < facts->n; i++) {
        if (!hl_text_is_name(facts->key[i]->text))
            hl_diag_error(reader->diag, facts->key[i]->pos, "facts: '%s' can't name a column; use letters, digits and "
                          "underscores", facts->key[i]->text);
        hl_yaml_text(facts->item[i], "a number with its unit, or a word", reader->diag);
    }
}

void hl_study_add_facts(struct hl_study_reader *reader)
{
    struct hl_study *study = reader->study;
    size_t faults = hl_diag_count(reader->diag, HL_ERROR);
    for (size_t a = 0; a < study->n_arms; a++)
        if (study->arm[a].facts)
            check_facts(reader, study->arm[a].facts);
    for (size_t a = 0; a < study->n_arms && hl_diag_count(reader->diag, HL_ERROR) == faults; a++)
        for (size_t i = 0; study->arm[a].facts && i < study->arm[a].facts->n; i++) {
            const char *name = study->arm[a].facts->key[i]->text;
            if (is_known(study, name))
                continue;
            make_room(reader);
            study->factor[study->n_factors - 1].name = name;
            add_column(reader, name);
        }
}
