/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sweeps and --set. Both write values into the study's tree at a path, and the tree is then read as if a person had
 * written it so. A grid runs through all combinations, the first factor slowest; a list takes the first level of every
 * factor, then the second, and so on.
 *
 * A factor may concern only some arms (arms.eighths.clonazepam.1.oral). Which ones is found by trying: a marker is set
 * at the factor's paths and looked for in each arm. An arm that a factor doesn't touch appears for its first level
 * only. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

#define MARKER "\x01here"

/* ---- paths */

static bool is_alias(const struct hl_yaml *tree, const char *word)
{
    return hl_yaml_get(hl_yaml_get(tree, "drugs"), word) || hl_yaml_get(hl_yaml_get(tree, "interactions"), word);
}

static bool is_study_key(const char *word)
{
    for (size_t i = 0; i < hl_study_n_keys; i++)
        if (strcmp(hl_study_keys[i], word) == 0)
            return true;
    return false;
}

static void unknown_start(struct hl_study_reader *reader, const struct hl_yaml *tree, const char *path,
                          struct hl_pos pos, const char *first)
{
    const struct hl_yaml *part[2] = {hl_yaml_get(tree, "drugs"), hl_yaml_get(tree, "interactions")};
    const char *names[256];
    char hint[256];
    size_t n = 0;
    for (size_t i = 0; i < hl_study_n_keys; i++)
        names[n++] = hl_study_keys[i];
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; part[p] && part[p]->kind == HL_YAML_MAPPING && i < part[p]->n && n < 256; i++)
            names[n++] = part[p]->key[i]->text;
    hl_diag_error(reader->diag, pos, "'%s' leads nowhere: '%s' is neither a key of the study nor one of its drugs%s",
                  path, first, hl_text_did_you_mean(first, names, n, hint, sizeof hint));
}

/* The children a path may name below a node; their number. */
static size_t child_names(struct hl_arena *arena, const struct hl_yaml *node, const char ***names)
{
    size_t n = 0;
    *names = hl_arena_alloc(arena, node->n, sizeof **names);
    for (size_t i = 0; i < node->n; i++) {
        const struct hl_yaml *name = node->kind == HL_YAML_MAPPING ? node->key[i] : hl_yaml_get(node->item[i], "name");
        if (name && name->kind == HL_YAML_SCALAR)
            (*names)[n++] = name->text;
    }
    return n;
}

/* Says where along the path the tree ends. */
static void report_lost(struct hl_study_reader *reader, const struct hl_yaml *tree, const char *path, struct hl_pos pos)
{
    const struct hl_yaml *node = tree, *next;
    char hint[256], *so_far = hl_arena_strdup(reader->arena, path);
    size_t from = 0;
    for (size_t end = 0; path[end]; end++) {
        if (path[end] != '.')
            continue;
        so_far[end] = '\0';
        next = hl_yaml_at(tree, so_far);
        so_far[end] = '.';
        if (next) {
            node = next;
            from = end + 1;
        }
    }
    const char *rest = path + from;
    char *word = hl_arena_strndup(reader->arena, rest, strcspn(rest, "."));
    const char **names;
    size_t n = child_names(reader->arena, node, &names);
    if (node->kind == HL_YAML_SEQUENCE)
        hl_diag_error(reader->diag, pos, "'%s' leads nowhere: there is no '%s' in a list of %zu (counted from 0)%s",
                      path, word, node->n, hl_text_did_you_mean(word, names, n, hint, sizeof hint));
    else
        hl_diag_error(reader->diag, pos, "'%s' leads nowhere: there is no '%s' in it%s", path, word,
                      hl_text_did_you_mean(word, names, n, hint, sizeof hint));
}

static bool set_parameter(struct hl_study_reader *reader, struct hl_yaml *tree, const char *key, struct hl_pos pos,
                          const struct hl_yaml *value)
{
    struct hl_yaml *parameters = hl_yaml_get(tree, "parameters");
    if (!parameters) {
        parameters = hl_study_node(reader->arena, pos, HL_YAML_MAPPING);
        hl_study_put(reader->arena, tree, pos, "parameters", parameters);
    }
    if (parameters->kind != HL_YAML_MAPPING)
        return false; /* reported when parameters: is read */
    hl_study_put(reader->arena, parameters, pos, key, hl_yaml_clone(reader->arena, value));
    return true;
}

/* What may differ between arms. */
static bool may_sweep(const char *first)
{
    static const char *const words[] = {"arms", "cohort", "parameters", "adherence", "drugs", "interactions"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(first, words[i]) == 0)
            return true;
    return false;
}

/* An empty covariates: where a path such as "cohort.covariates.WT" goes through one that nobody has written yet. */
static void make_room(struct hl_study_reader *reader, struct hl_yaml *holder, const char *path, const char *holder_path,
                      struct hl_pos pos)
{
    const char *through = hl_arena_printf(reader->arena, "%s.covariates.", holder_path);
    if (holder->kind == HL_YAML_MAPPING && strncmp(path, through, strlen(through)) == 0 &&
        !hl_yaml_get(holder, "covariates"))
        hl_study_put(reader->arena, holder, pos, "covariates", hl_study_node(reader->arena, pos, HL_YAML_MAPPING));
}

static void make_room_for_covariates(struct hl_study_reader *reader, struct hl_yaml *tree, const char *path,
                                     struct hl_pos pos)
{
    struct hl_yaml *cohort = hl_yaml_get(tree, "cohort"), *arms = hl_yaml_get(tree, "arms");
    if (cohort)
        make_room(reader, cohort, path, "cohort", pos);
    for (size_t i = 0; arms && arms->kind == HL_YAML_SEQUENCE && i < arms->n; i++) {
        const struct hl_yaml *name = hl_yaml_get(arms->item[i], "name");
        make_room(reader, arms->item[i], path, "arms.*", pos);
        make_room(reader, arms->item[i], path, hl_arena_printf(reader->arena, "arms.%zu", i), pos);
        if (name && name->kind == HL_YAML_SCALAR)
            make_room(reader, arms->item[i], path, hl_arena_printf(reader->arena, "arms.%s", name->text), pos);
    }
}

bool hl_study_set_path(struct hl_study_reader *reader, struct hl_yaml *tree, const char *path, struct hl_pos pos,
                       const struct hl_yaml *value, bool in_sweep)
{
    size_t n = strcspn(path, ".");
    char *first = hl_arena_strndup(reader->arena, path, n);
    if (!is_study_key(first)) {
        if (is_alias(tree, first) && path[n])
            return set_parameter(reader, tree, path, pos, value);
        unknown_start(reader, tree, path, pos, first);
        return false;
    }
    if (in_sweep && (!may_sweep(first) || strcmp(path, "arms") == 0)) {
        hl_diag_error(reader->diag, pos,
                      "a sweep can't change '%s' as a whole; it can change what is inside arms, and cohort, "
                      "parameters, adherence, drugs and interactions",
                      first);
        return false;
    }
    if (strcmp(first, "parameters") == 0 && path[n])
        return set_parameter(reader, tree, path + n + 1, pos, value);
    make_room_for_covariates(reader, tree, path, pos);
    if (hl_yaml_set(reader->arena, tree, path, hl_yaml_clone(reader->arena, value), true) > 0)
        return true;
    if (in_sweep && reader->has_data && strcmp(first, "arms") == 0)
        hl_diag_error(reader->diag, pos, "'%s' leads nowhere: with a data set arms have covariates and parameters only",
                      path);
    else
        report_lost(reader, tree, path, pos);
    return false;
}

/* ---- reading a sweep */

static void read_paths(struct hl_study_reader *reader, const struct hl_yaml *key, const struct hl_yaml *node,
                       struct hl_study_sweep_factor *factor)
{
    const struct hl_yaml *paths = node->kind == HL_YAML_MAPPING ? hl_yaml_get(node, "paths") : key;
    size_t n;
    struct hl_yaml **item = hl_study_items(reader->arena, paths, &n);
    factor->path = hl_arena_alloc(reader->arena, n, sizeof *factor->path);
    factor->path_pos = hl_arena_alloc(reader->arena, n, sizeof *factor->path_pos);
    for (size_t i = 0; i < n; i++) {
        const char *text = hl_yaml_text(item[i], "a path such as clonazepam.TVCL", reader->diag);
        if (!text)
            continue;
        factor->path[factor->n_paths] = text;
        factor->path_pos[factor->n_paths++] = item[i]->pos;
        const char *own = strncmp(text, "parameters.", 11) == 0 ? text + 11 : text;
        char *first = hl_arena_strndup(reader->arena, own, strcspn(own, "."));
        factor->alters_model |= strcmp(first, "drugs") == 0 || strcmp(first, "interactions") == 0 ||
                                (!is_study_key(first) && hl_study_is_model_path(own));
    }
    if (n == 0)
        hl_diag_error(reader->diag, node->pos, "factor '%s' has no paths; write {paths: [..], values: [..]}",
                      key->text);
}

static void read_levels(struct hl_study_reader *reader, const struct hl_yaml *key, const struct hl_yaml *node,
                        struct hl_study_sweep_factor *factor)
{
    const struct hl_yaml *values = node->kind == HL_YAML_MAPPING ? hl_yaml_get(node, "values") : node;
    if (!values || values->kind != HL_YAML_SEQUENCE || values->n == 0) {
        hl_diag_error(reader->diag, values ? values->pos : node->pos,
                      "factor '%s' needs a list of levels; write [1 mg, 2 mg]", key->text);
        return;
    }
    factor->n_levels = values->n;
    factor->level = values->item;
    factor->value = hl_arena_alloc(reader->arena, values->n, sizeof *factor->value);
    factor->text = hl_arena_alloc(reader->arena, values->n, sizeof *factor->text);
    for (size_t i = 0; i < values->n; i++)
        factor->text[i] = values->item[i]->kind == HL_YAML_SCALAR ? values->item[i]->text
                                                                  : hl_arena_printf(reader->arena, "#%zu", i + 1);
}

/* Levels are numbers when every one is a quantity of the first one's dimension: then in the first one's unit. */
static void value_levels(struct hl_study_reader *reader, struct hl_study_sweep_factor *factor)
{
    struct hl_unit first = {hl_dim_none(), 1.0}, unit = first;
    char why[512];
    bool numeric = factor->n_levels > 0;
    for (size_t i = 0; i < factor->n_levels && numeric; i++) {
        numeric = factor->level[i]->kind == HL_YAML_SCALAR &&
                  hl_quantity_parse(factor->text[i], &factor->value[i], &unit, why, sizeof why);
        if (i == 0)
            first = unit;
        numeric = numeric && hl_dim_equal(unit.dim, first.dim);
    }
    factor->shown.numeric = numeric;
    factor->shown.unit_text = "1";
    for (size_t i = 0; i < factor->n_levels; i++)
        factor->value[i] = numeric ? factor->value[i] / first.factor : (double)i;
    if (!numeric)
        return;
    for (size_t i = 0; i < factor->n_levels; i++) { /* the number as written, where the unit is the same */
        double written;
        size_t n = hl_text_number_length(factor->text[i]);
        hl_quantity_parse(factor->text[i], &written, &unit, why, sizeof why);
        if (unit.factor == first.factor) /* the same unit, bit for bit: no conversion at all */
            hl_text_number(hl_arena_strndup(reader->arena, factor->text[i], n), &factor->value[i]);
    }
    const char *text = factor->text[0] + hl_text_number_length(factor->text[0]);
    text += *text == ' ';
    if (*text == '[')
        text = hl_arena_strndup(reader->arena, text + 1, strcspn(text + 1, "]"));
    factor->shown.unit_text = *text ? text : "1";
}

static void check_levels(struct hl_study_reader *reader, const struct hl_study_sweep_factor *factor)
{
    for (size_t i = 1; i < factor->n_levels; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(factor->text[i], factor->text[j]) == 0) {
                hl_diag_error(reader->diag, factor->level[i]->pos, "level '%s' is given twice; remove one",
                              factor->text[i]);
                break;
            }
}

static bool contains_marker(const struct hl_yaml *node)
{
    if (node->kind == HL_YAML_SCALAR)
        return strcmp(node->text, MARKER) == 0;
    for (size_t i = 0; i < node->n; i++)
        if (contains_marker(node->item[i]))
            return true;
    return false;
}

/* Tries the factor's paths on a copy of the tree. */
static void find_touched(struct hl_study_reader *reader, const struct hl_yaml *tree,
                         struct hl_study_sweep_factor *factor)
{
    struct hl_yaml *copy = hl_yaml_clone(reader->arena, tree);
    const struct hl_yaml *marker = hl_study_scalar(reader->arena, tree->pos, MARKER), *arms;
    bool all = false;
    for (size_t i = 0; i < factor->n_paths; i++) {
        hl_study_set_path(reader, copy, factor->path[i], factor->path_pos[i], marker, true);
        all |= strncmp(factor->path[i], "arms.", 5) != 0;
    }
    arms = hl_yaml_get(copy, "arms");
    size_t n = arms && arms->kind == HL_YAML_SEQUENCE ? arms->n : 0;
    factor->touches = hl_arena_alloc(reader->arena, n, sizeof *factor->touches);
    for (size_t i = 0; i < n; i++)
        factor->touches[i] = all || contains_marker(arms->item[i]);
}

static struct hl_study_sweep_factor read_factor(struct hl_study_reader *reader, const struct hl_yaml *tree,
                                                const struct hl_yaml *key, const struct hl_yaml *node)
{
    static const char *const keys[] = {"paths", "values"};
    struct hl_study_sweep_factor factor = {.pos = key->pos, .shown = {.path = key->text}};
    if (node->kind == HL_YAML_MAPPING)
        hl_yaml_check_keys(node, "a factor", keys, 2, reader->diag);
    read_paths(reader, key, node, &factor);
    read_levels(reader, key, node, &factor);
    value_levels(reader, &factor);
    check_levels(reader, &factor);
    find_touched(reader, tree, &factor);
    return factor;
}

/* The last parts of a path, as many as parts. */
static const char *tail(const char *path, size_t parts)
{
    const char *at = path + strlen(path);
    while (at > path && (at[-1] != '.' || --parts > 0))
        at--;
    return at;
}

/* The shortest ends of the paths that tell the factors apart. */
static void label_factors(struct hl_study_reader *reader, struct hl_study_sweep *sweep)
{
    for (size_t i = 0; i < sweep->n; i++) {
        struct hl_study_sweep_factor *factor = &sweep->factor[i];
        bool shared = true;
        for (size_t parts = 1; shared && parts < 16; parts++) {
            factor->label = tail(factor->shown.path, parts);
            shared = false;
            for (size_t j = 0; j < sweep->n; j++)
                shared |= j != i && strcmp(hl_study_safe_name(reader->arena, tail(sweep->factor[j].shown.path, parts)),
                                           hl_study_safe_name(reader->arena, factor->label)) == 0;
        }
        const char *name = hl_study_safe_name(reader->arena, factor->label);
        factor->shown.name = hl_text_is_name(name) ? name : hl_arena_printf(reader->arena, "factor_%s", name);
    }
}

static void count_combinations(struct hl_study_reader *reader, struct hl_study_sweep *sweep, struct hl_pos pos)
{
    double product = 1.0;
    sweep->n_combinations = sweep->grid ? 1 : sweep->factor[0].n_levels;
    for (size_t i = 0; i < sweep->n; i++) {
        size_t n = sweep->factor[i].n_levels;
        product *= (double)n;
        if (sweep->grid && product <= HL_MAX_ARMS)
            sweep->n_combinations *= n;
        else if (!sweep->grid && n != sweep->n_combinations)
            hl_diag_error(
                reader->diag, sweep->factor[i].pos,
                "in a list every factor needs as many levels as the first: %zu, found %zu; or use design: grid",
                sweep->n_combinations, n);
    }
    if ((sweep->grid && product > HL_MAX_ARMS) || sweep->n_combinations > HL_MAX_ARMS)
        hl_diag_error(reader->diag, pos, "a sweep of %.0f combinations, more than the most of %d; use fewer levels",
                      sweep->grid ? product : (double)sweep->n_combinations, HL_MAX_ARMS);
}

static void read_design(struct hl_study_reader *reader, const struct hl_yaml *node, struct hl_study_sweep *sweep)
{
    static const char *const designs[] = {"grid", "list"};
    size_t index = 0;
    if (!node)
        return;
    if (node->kind == HL_YAML_SCALAR && (strcmp(node->text, "lhs") == 0 || strcmp(node->text, "sobol") == 0))
        hl_diag_error(reader->diag, node->pos, "design '%s' doesn't exist yet; use grid or list", node->text);
    else if (hl_study_read_choice(reader, node, "design", designs, 2, &index))
        sweep->grid = index == 0;
}

struct hl_study_sweep *hl_study_read_sweep(struct hl_study_reader *reader, const struct hl_yaml *tree)
{
    static const char *const keys[] = {"design", "factors"};
    struct hl_study_sweep *sweep = hl_arena_alloc(reader->arena, 1, sizeof *sweep);
    const struct hl_yaml *node = hl_yaml_get(tree, "sweep");
    size_t faults = hl_diag_count(reader->diag, HL_ERROR);
    sweep->grid = true;
    sweep->n_combinations = 1;
    if (!node)
        return sweep;
    if (!hl_yaml_check_keys(node, "a sweep", keys, 2, reader->diag))
        return NULL;
    read_design(reader, hl_yaml_get(node, "design"), sweep);
    const struct hl_yaml *factors = hl_yaml_get(node, "factors");
    if (!factors || factors->kind != HL_YAML_MAPPING || factors->n == 0) {
        hl_diag_error(reader->diag, factors ? factors->pos : node->pos,
                      "a sweep needs factors; write factors: {clonazepam.TVCL: [2 L/h, 3.6 L/h]}");
        return NULL;
    }
    sweep->factor = hl_arena_alloc(reader->arena, factors->n, sizeof *sweep->factor);
    for (; sweep->n < factors->n; sweep->n++)
        sweep->factor[sweep->n] = read_factor(reader, tree, factors->key[sweep->n], factors->item[sweep->n]);
    label_factors(reader, sweep);
    count_combinations(reader, sweep, node->pos);
    return hl_diag_count(reader->diag, HL_ERROR) == faults ? sweep : NULL;
}

struct hl_yaml *hl_study_sweep_tree(struct hl_study_reader *reader, const struct hl_study_sweep *sweep,
                                    const struct hl_yaml *tree, size_t c, size_t *level)
{
    struct hl_yaml *copy = hl_yaml_clone(reader->arena, tree);
    for (size_t i = sweep->n; i-- > 0;) { /* the last factor runs fastest */
        level[i] = sweep->grid ? c % sweep->factor[i].n_levels : c;
        c = sweep->grid ? c / sweep->factor[i].n_levels : c;
    }
    for (size_t i = 0; i < sweep->n; i++)
        for (size_t p = 0; p < sweep->factor[i].n_paths; p++)
            hl_study_set_path(reader, copy, sweep->factor[i].path[p], sweep->factor[i].path_pos[p],
                              sweep->factor[i].level[level[i]], true);
    return copy;
}
