/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small readers. Each reports a fault where it stands and lets its caller go on with a harmless value. */
#include "model/model_read.h"

#include <string.h>

#include "base/text.h"

#define MOST_KEYS 64

bool hl_read_is_empty(const struct hl_yaml *node)
{
    return node->kind == HL_YAML_SCALAR && !node->quoted && node->text[0] == '\0';
}

static bool is_known(const char *key, const char *const *known)
{
    for (; *known; known++)
        if (strcmp(*known, key) == 0)
            return true;
    return false;
}

bool hl_read_keys(struct hl_reader *r, const struct hl_yaml *node, const char *what, const char *const *known)
{
    const char *list[MOST_KEYS];
    size_t n = 0;
    while (known[n]) {
        list[n] = known[n];
        n++;
    }
    for (size_t i = 0; node->kind == HL_YAML_MAPPING && i < node->n && n < MOST_KEYS; i++)
        if (!is_known(node->key[i]->text, known) && hl_read_is_empty(node->item[i]))
            list[n++] = node->key[i]->text; /* the rest of a torn expression: reading the file has reported it */
    return hl_yaml_check_keys(node, what, list, n, r->diag);
}

/* The unit of a quantity as written, without brackets; "1" for none. */
static const char *unit_as_written(struct hl_arena *arena, const char *text)
{
    const char *unit = text + hl_text_number_length(text);
    unit += *unit == ' ';
    size_t n = strlen(unit);
    if (n >= 2 && unit[0] == '[')
        return hl_arena_strndup(arena, unit + 1, n - 2);
    return n ? hl_arena_strdup(arena, unit) : "1";
}

bool hl_read_quantity(struct hl_reader *r, const struct hl_yaml *node, const char *what, double *value,
                      struct hl_unit *unit, const char **unit_text)
{
    char why[256];
    const char *text = hl_yaml_text(node, what, r->diag);
    if (!text)
        return false;
    if (!hl_quantity_parse(text, value, unit, why, sizeof why)) {
        hl_diag_error(r->diag, node->pos, "%s", why);
        return false;
    }
    if (unit_text)
        *unit_text = unit_as_written(r->arena, text);
    return true;
}

bool hl_read_quantity_of(struct hl_reader *r, const struct hl_yaml *node, const char *what, struct hl_dim dim,
                         double *value)
{
    struct hl_unit unit;
    double read;
    char found[64], expected[64];
    if (!hl_read_quantity(r, node, what, &read, &unit, NULL))
        return false;
    if (!hl_dim_equal(unit.dim, dim)) {
        hl_diag_error(r->diag, node->pos, "expected %s, of dimension %s, but \"%s\" has dimension %s%s", what,
                      hl_dim_name(dim, expected, sizeof expected), node->text,
                      hl_dim_name(unit.dim, found, sizeof found), hl_dim_is_none(unit.dim) ? "; add a unit" : "");
        return false;
    }
    *value = read;
    return true;
}

bool hl_read_fraction(struct hl_reader *r, const struct hl_yaml *node, const char *what, double *value)
{
    struct hl_unit unit;
    double read;
    if (!hl_read_quantity(r, node, what, &read, &unit, NULL))
        return false;
    if (hl_dim_equal(unit.dim, hl_dim_of("%"))) {
        read /= 100.0;
    } else if (!hl_dim_is_none(unit.dim)) {
        hl_diag_error(r->diag, node->pos, "expected %s: a plain number or per cent, found \"%s\"", what, node->text);
        return false;
    }
    *value = read;
    return true;
}

bool hl_read_unit(struct hl_reader *r, const struct hl_yaml *node, struct hl_unit *unit, const char **unit_text)
{
    char why[256];
    *unit = (struct hl_unit){hl_dim_none(), 1.0};
    *unit_text = "1";
    const char *text = node ? hl_yaml_text(node, "a unit (\"1\" for none)", r->diag) : NULL;
    if (!text)
        return node == NULL;
    if (hl_unit_parse(text, unit, why, sizeof why)) {
        *unit_text = text;
        return true;
    }
    hl_diag_error(r->diag, node->pos, "%s", why);
    return false;
}

struct hl_expr *hl_read_expr(struct hl_reader *r, const struct hl_yaml *map, const char *key, const char *what)
{
    const struct hl_yaml *node = hl_yaml_get(map, key);
    if (!node)
        return NULL;
    if (hl_read_is_empty(node)) {
        const struct hl_yaml *name = hl_yaml_key(map, key);
        hl_diag_error(r->diag, name->pos, "'%s' without value: expected %s; if it is the rest of an expression with a "
                      "comma, quote this expression", key, what);
        return NULL;
    }
    return hl_expr_read(r->arena, node, what, r->declared, r->n_declared, r->diag);
}

const char *hl_read_text(struct hl_reader *r, const struct hl_yaml *map, const char *key)
{
    const struct hl_yaml *node = hl_yaml_get(map, key);
    return node ? hl_yaml_text(node, "a text", r->diag) : NULL;
}

const struct hl_yaml *hl_read_section(struct hl_reader *r, const char *key)
{
    const struct hl_yaml *node = hl_yaml_get(r->model->root, key);
    if (!node || hl_read_is_empty(node))
        return NULL;
    if (node->kind == HL_YAML_MAPPING)
        return node;
    hl_diag_error(r->diag, node->pos, "expected %s: as a mapping (NAME: ...)", key);
    return NULL;
}

static const char *kind_name(enum hl_symbol_kind kind)
{
    static const char *const names[] = {"covariate", "parameter", "random effect", "mixture", "individual value",
                                        "compartment", "effect site", "state", "output", "input"};
    return names[kind];
}

void hl_read_declare(struct hl_reader *r, const struct hl_yaml *name, enum hl_symbol_kind kind, size_t index)
{
    struct hl_model_parts *p = r->parts;
    const char *text = name->text;
    const struct hl_symbol *other = hl_model_symbol(r->model, text);
    if (!hl_text_is_name(text))
        hl_diag_error(r->diag, name->pos, "'%s' is not a name: a letter, then letters, digits and '_'%s", text,
                      strpbrk(text, "()") ? "; if it is part of an expression, quote this expression" : "");
    else if (hl_expr_is_reserved(text))
        hl_diag_error(r->diag, name->pos, "'%s' has a meaning of its own in expressions; choose another name", text);
    else if (other)
        hl_diag_error(r->diag, name->pos, "'%s' is already the name of the %s declared in line %d; rename one", text,
                      kind_name(other->kind), other->pos.line);
    p->symbol = hl_arena_push(r->arena, p->symbol, p->n_symbols, &r->symbol_capacity, sizeof *p->symbol);
    p->symbol[p->n_symbols++] = (struct hl_symbol){text, name->pos, kind, index};
}

/* ---- Evidence ---- */

static enum hl_grade read_grade(struct hl_reader *r, const struct hl_yaml *node)
{
    static const char *const names[] = {"measured", "surrogate", "calibrated", "assumption"};
    static const char letters[] = "MSCA";
    char near[96];
    const char *text = hl_yaml_text(node, "a grade: measured, surrogate, calibrated or assumption", r->diag);
    for (int i = 0; text && i < 4; i++)
        if (strcmp(text, names[i]) == 0 || (text[0] == letters[i] && text[1] == '\0'))
            return (enum hl_grade)(HL_MEASURED + i);
    if (text)
        hl_diag_error(r->diag, node->pos, "unknown grade '%s': measured, surrogate, calibrated or assumption%s", text,
                      hl_text_did_you_mean(text, names, 4, near, sizeof near));
    return HL_GRADE_NONE;
}

static bool reference_exists(const struct hl_reader *r, const char *name)
{
    for (size_t i = 0; i < r->model->n_references; i++)
        if (strcmp(r->model->reference[i].name, name) == 0)
            return true;
    return false;
}

static void add_source(struct hl_reader *r, const struct hl_yaml *node, struct hl_evidence *e)
{
    char near[160];
    const char *name = hl_yaml_text(node, "the name of a reference", r->diag);
    if (!name)
        return;
    const char **names = hl_arena_alloc(r->arena, r->model->n_references, sizeof *names);
    for (size_t i = 0; i < r->model->n_references; i++)
        names[i] = r->model->reference[i].name;
    if (!reference_exists(r, name))
        hl_diag_error(r->diag, node->pos, "no reference '%s' under references:%s", name,
                      hl_text_did_you_mean(name, names, r->model->n_references, near, sizeof near));
    e->source[e->n_source++] = name;
}

static void read_sources(struct hl_reader *r, const struct hl_yaml *node, struct hl_evidence *e)
{
    e->source = hl_arena_alloc(r->arena, node->n + 1, sizeof *e->source);
    e->n_source = 0;
    if (node->kind != HL_YAML_SEQUENCE) {
        add_source(r, node, e);
        return;
    }
    for (size_t i = 0; i < node->n; i++)
        add_source(r, node->item[i], e);
}

static void read_mark(struct hl_reader *r, const struct hl_yaml *node, struct hl_evidence *e)
{
    e->mark = hl_yaml_text(node, "a mark: V, T, R, D or A", r->diag);
    if (e->mark && (!strchr("VTRDA", e->mark[0]) || e->mark[1] != '\0'))
        hl_diag_error(r->diag, node->pos, "unknown mark '%s': V (read in the source), T (third party), R (recalled), "
                      "D (derived) or A (assumption)", e->mark);
    if (e->mark && strcmp(e->mark, "R") == 0)
        e->provisional = true;
}

void hl_read_evidence(struct hl_reader *r, const struct hl_yaml *map, const char *what, bool required,
                      const struct hl_evidence *over, struct hl_evidence *e)
{
    const struct hl_yaml *grade = hl_yaml_get(map, "grade"), *mark = hl_yaml_get(map, "mark");
    const struct hl_yaml *source = hl_yaml_get(map, "source");
    *e = over ? *over : (struct hl_evidence){HL_GRADE_NONE, NULL, false, NULL, 0, NULL};
    if (grade)
        e->grade = read_grade(r, grade);
    else if (required && e->grade == HL_GRADE_NONE)
        hl_diag_error(r->diag, map->pos, "%s has no evidence grade; add grade: measured, surrogate, calibrated or "
                      "assumption", what);
    if (mark)
        read_mark(r, mark, e);
    if (hl_yaml_get(map, "provisional"))
        e->provisional = hl_read_text(r, map, "provisional") != NULL;
    if (source)
        read_sources(r, source, e);
    if (hl_yaml_get(map, "note"))
        e->note = hl_read_text(r, map, "note");
}
