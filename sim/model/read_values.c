/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Covariates, parameters and mixtures: the numbers of a model and what stands behind each of them. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "model/model_read.h"

/* Two quantities "[low, high]"; dimension must be that of like (or they may be plain numbers when plain is allowed). */
static bool read_range(struct hl_reader *r, const struct hl_yaml *node, struct hl_dim dim, double *low, double *high)
{
    if (node->kind != HL_YAML_SEQUENCE || node->n != 2) {
        hl_diag_error(r->diag, node->pos, "expected a range of two values, [low, high]");
        return false;
    }
    if (!hl_read_quantity_of(r, node->item[0], "the lower end of a range", dim, low) ||
        !hl_read_quantity_of(r, node->item[1], "the upper end of a range", dim, high))
        return false;
    if (*low <= *high)
        return true;
    hl_diag_error(r->diag, node->pos, "the range ends below its start: \"%s\" is above \"%s\"; swap them",
                  node->item[0]->text, node->item[1]->text);
    return false;
}

/* ---- Covariates ---- */

static void read_categories(struct hl_reader *r, const struct hl_yaml *node, struct hl_covariate *c)
{
    if (node->kind != HL_YAML_SEQUENCE || node->n == 0) {
        hl_diag_error(r->diag, node->pos, "expected a list of categories, [absent, present]");
        return;
    }
    c->category = hl_arena_alloc(r->arena, node->n, sizeof *c->category);
    for (size_t i = 0; i < node->n; i++) {
        const char *name = hl_yaml_text(node->item[i], "the name of a category", r->diag);
        if (name && !hl_text_is_name(name))
            hl_diag_error(r->diag, node->item[i]->pos,
                          "category '%s' is not a name: a letter, then letters, digits and '_'", name);
        for (size_t j = 0; name && j < c->n_categories; j++)
            if (strcmp(name, c->category[j]) == 0)
                hl_diag_error(r->diag, node->item[i]->pos, "category '%s' stands twice", name);
        c->category[c->n_categories++] = name ? name : "";
    }
}

/* The index of a category by name, with a message when there is none. */
static bool find_category(struct hl_reader *r, const struct hl_yaml *node, const char *of, const char *const *category,
                          size_t n, double *index)
{
    char near[96];
    const char *text = hl_yaml_text(node, "a category", r->diag);
    for (size_t i = 0; text && i < n; i++)
        if (strcmp(text, category[i]) == 0) {
            *index = (double)i;
            return true;
        }
    if (text)
        hl_diag_error(r->diag, node->pos, "'%s' is not a category of %s%s", text, of,
                      hl_text_one_of(text, category, n, near, sizeof near));
    return false;
}

static void read_number_covariate(struct hl_reader *r, const struct hl_yaml *map, const struct hl_yaml *value,
                                  struct hl_covariate *c)
{
    const struct hl_yaml *range = hl_yaml_get(map, "range");
    double engine;
    if (!hl_read_quantity(r, value, "a default such as 70 kg", &engine, &c->unit, &c->unit_text))
        return;
    c->unread = false;
    c->value = engine / c->unit.factor;
    if (!range || !read_range(r, range, c->unit.dim, &c->low, &c->high))
        return;
    c->has_range = true;
    c->low /= c->unit.factor;
    c->high /= c->unit.factor;
    if (c->value < c->low || c->value > c->high)
        hl_diag_error(r->diag, value->pos, "the default of %s, %s, is outside its range", c->name, value->text);
}

static void read_covariate(struct hl_reader *r, const struct hl_yaml *map, struct hl_covariate *c)
{
    static const char *const known[] = {"default", "range", "label", "categories", "note", NULL};
    if (!hl_read_keys(r, map, hl_arena_printf(r->arena, "covariate '%s'", c->name), known))
        return;
    const struct hl_yaml *value = hl_yaml_get(map, "default"), *categories = hl_yaml_get(map, "categories");
    c->label = hl_read_text(r, map, "label");
    if (categories)
        read_categories(r, categories, c);
    if (!value)
        hl_diag_error(r->diag, c->pos, "covariate '%s' has no default; add default: (the typical subject's value)",
                      c->name);
    else if (categories)
        c->unread = !find_category(r, value, c->name, c->category, c->n_categories, &c->value);
    else
        read_number_covariate(r, map, value, c);
}

void hl_read_covariates(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "covariates");
    struct hl_model *m = r->model;
    m->covariate = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *m->covariate);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_covariate *c = &m->covariate[m->n_covariates++];
        c->name = map->key[i]->text;
        c->pos = map->key[i]->pos;
        c->unit = (struct hl_unit){hl_dim_none(), 1.0};
        c->unit_text = "1";
        c->unread = true;
        read_covariate(r, map->item[i], c);
    }
}

/* ---- Mixtures ---- */

static void read_mixture(struct hl_reader *r, const struct hl_yaml *map, struct hl_mixture *x)
{
    double sum = 0.0;
    x->class_name = hl_arena_alloc(r->arena, map->n, sizeof *x->class_name);
    x->probability = hl_arena_alloc(r->arena, map->n, sizeof *x->probability);
    for (size_t i = 0; i < map->n; i++) {
        x->class_name[i] = map->key[i]->text;
        if (!hl_text_is_name(x->class_name[i]))
            hl_diag_error(r->diag, map->key[i]->pos, "class '%s' is not a name: a letter, then letters, digits and '_'",
                          x->class_name[i]);
        if (!hl_read_fraction(r, map->item[i], "a probability", &x->probability[i]))
            return;
        if (x->probability[i] < 0.0 || x->probability[i] > 1.0)
            hl_diag_error(r->diag, map->item[i]->pos, "a probability lies between 0 and 1, found %s",
                          map->item[i]->text);
        sum += x->probability[i];
        x->n++;
    }
    if (fabs(sum - 1.0) > 1e-9) /* decimal fractions that a person rounded to at most nine digits */
        hl_diag_error(r->diag, x->pos, "the probabilities of mixture '%s' sum to %.10g, not 1", x->name, sum);
}

void hl_read_mixtures(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "mixtures");
    struct hl_model *m = r->model;
    m->mixture = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *m->mixture);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_mixture *x = &m->mixture[m->n_mixtures++];
        x->name = map->key[i]->text;
        x->pos = map->key[i]->pos;
        if (map->item[i]->kind == HL_YAML_MAPPING && map->item[i]->n > 0)
            read_mixture(r, map->item[i], x);
        else
            hl_diag_error(r->diag, map->item[i]->pos, "expected classes with probabilities, {slow: 0.75, fast: 0.25}");
    }
}

/* ---- Parameters ---- */

static void read_uncertainty(struct hl_reader *r, const struct hl_yaml *map, struct hl_parameter *p)
{
    static const char *const known[] = {"lognormal", "normal", "uniform", NULL};
    if (!hl_read_keys(r, map, "an uncertainty", known))
        return;
    if (map->n != 1) {
        hl_diag_error(r->diag, map->pos,
                      "expected one of {lognormal: sd of the logarithm}, {normal: sd}, {uniform: [low, high]}");
        return;
    }
    const struct hl_yaml *value = map->item[0];
    const char *kind = map->key[0]->text;
    if (strcmp(kind, "lognormal") == 0 && hl_read_fraction(r, value, "a standard deviation of the logarithm", &p->u0))
        p->uncertainty = HL_SPREAD_LOGNORMAL;
    else if (strcmp(kind, "normal") == 0 && hl_read_quantity_of(r, value, "a standard deviation", p->unit.dim, &p->u0))
        p->uncertainty = HL_SPREAD_NORMAL;
    else if (strcmp(kind, "uniform") == 0 && read_range(r, value, p->unit.dim, &p->u0, &p->u1))
        p->uncertainty = HL_SPREAD_UNIFORM;
    if (p->uncertainty != HL_SPREAD_UNIFORM && p->u0 < 0.0)
        hl_diag_error(r->diag, value->pos, "a standard deviation is not negative");
    if (p->uncertainty == HL_SPREAD_LOGNORMAL && p->value <= 0.0)
        hl_diag_error(r->diag, value->pos, "a lognormal uncertainty needs a value above 0, %s is not", p->name);
}

static void read_parameter_value(struct hl_reader *r, const struct hl_yaml *map, const struct hl_yaml *value,
                                 struct hl_parameter *p)
{
    const struct hl_yaml *range = hl_yaml_get(map, "range"), *uncertainty = hl_yaml_get(map, "uncertainty");
    p->unread = !hl_read_quantity(r, value, "a value such as 3.6 L/h", &p->value, &p->unit, &p->unit_text);
    if (p->unread)
        return;
    if (range && read_range(r, range, p->unit.dim, &p->low, &p->high)) {
        p->has_range = true;
        if (p->value < p->low || p->value > p->high)
            hl_diag_warning(r->diag, value->pos, "the value of %s, %s, is outside its own range", p->name, value->text);
    }
    if (uncertainty)
        read_uncertainty(r, uncertainty, p);
}

/* One value with its evidence. In a table a bare scalar is a value whose evidence is the table's. */
static void read_parameter(struct hl_reader *r, const struct hl_yaml *node, const struct hl_evidence *over,
                           struct hl_parameter *p)
{
    static const char *const known[] = {"value", "grade", "mark", "provisional", "source", "note", "range",
                                        "uncertainty", "label", "by", "values", NULL};
    const char *what = p->category ? hl_arena_printf(r->arena, "parameter '%s' (%s)", p->name, p->category)
                                   : hl_arena_printf(r->arena, "parameter '%s'", p->name);
    if (over && node->kind == HL_YAML_SCALAR) {
        p->evidence = *over;
        if (over->grade == HL_GRADE_NONE)
            hl_diag_error(r->diag, node->pos, "%s has no evidence grade; write {value: %s, grade: ...}", what,
                          node->text);
        p->unread = !hl_read_quantity(r, node, "a value such as 3.6 L/h", &p->value, &p->unit, &p->unit_text);
        return;
    }
    if (node->kind == HL_YAML_SCALAR) {
        hl_diag_error(r->diag, node->pos, "%s needs its evidence too; write {value: %s, grade: ..., source: ...}", what,
                      node->text[0] ? node->text : "3.6 L/h");
        return;
    }
    if (!hl_read_keys(r, node, what, known))
        return;
    const struct hl_yaml *value = hl_yaml_get(node, "value");
    hl_read_evidence(r, node, what, true, over, &p->evidence);
    if (value)
        read_parameter_value(r, node, value, p);
    else
        hl_diag_error(r->diag, p->pos, "%s has no value; add value: NUMBER UNIT", what);
}

static struct hl_parameter *new_parameter(struct hl_reader *r, const struct hl_yaml *key, size_t *capacity)
{
    struct hl_model *m = r->model;
    m->parameter = hl_arena_push(r->arena, m->parameter, m->n_parameters, capacity, sizeof *m->parameter);
    struct hl_parameter *p = &m->parameter[m->n_parameters++];
    *p = (struct hl_parameter){.name = key->text, .pos = key->pos, .unit = {hl_dim_none(), 1.0}, .unit_text = "1",
                                .unread = true};
    return p;
}

/* Categories of the covariate or mixture that a table goes by; false when there is none of that name. */
static bool table_categories(struct hl_reader *r, const struct hl_yaml *by, const char *const **category, size_t *n)
{
    char near[96];
    const char *name = hl_yaml_text(by, "the name of a categorical covariate or mixture", r->diag);
    const struct hl_symbol *s = name ? hl_model_symbol(r->model, name) : NULL;
    if (!name)
        return false;
    if (s && s->kind == HL_SYM_COVARIATE && r->model->covariate[s->index].n_categories > 0) {
        *category = r->model->covariate[s->index].category;
        *n = r->model->covariate[s->index].n_categories;
        return true;
    }
    if (s && s->kind == HL_SYM_MIXTURE) {
        *category = r->model->mixture[s->index].class_name;
        *n = r->model->mixture[s->index].n;
        return true;
    }
    if (s)
        hl_diag_error(r->diag, by->pos, "'%s' has no categories; a table goes by a categorical covariate or a mixture",
                      name);
    else
        hl_diag_error(r->diag, by->pos, "no covariate or mixture '%s'%s", name,
                      hl_text_did_you_mean(name, r->declared, r->n_declared, near, sizeof near));
    return false;
}

static void read_table_entry(struct hl_reader *r, const struct hl_yaml *key, const struct hl_yaml *by,
                             const struct hl_yaml *entry, const char *category, const struct hl_evidence *over,
                             size_t *capacity)
{
    size_t first = r->model->n_parameters;
    while (first > 0 && r->model->parameter[first - 1].by &&
           strcmp(r->model->parameter[first - 1].name, key->text) == 0)
        first--;
    struct hl_parameter *p = new_parameter(r, key, capacity);
    char a[64], b[64];
    p->by = by->text;
    p->category = category;
    p->pos = entry->pos;
    read_parameter(r, entry, over, p);
    bool both = !p->unread && !r->model->parameter[first].unread;
    if (both && !hl_dim_equal(p->unit.dim, r->model->parameter[first].unit.dim))
        hl_diag_error(r->diag, entry->pos, "'%s' has dimension %s for %s but %s for %s; use one dimension", p->name,
                      hl_dim_name(p->unit.dim, a, sizeof a), category,
                      hl_dim_name(r->model->parameter[first].unit.dim, b, sizeof b),
                      r->model->parameter[first].category);
}

/* {by: COVARIATE, values: {CATEGORY: {value: ...}}}: one parameter per category, in the order of the categories. */
static void read_table(struct hl_reader *r, const struct hl_yaml *key, const struct hl_yaml *map, size_t *capacity)
{
    static const char *const keys[] = {"by", "values", "grade", "mark", "provisional", "source", "note", "label", NULL};
    const struct hl_yaml *by = hl_yaml_get(map, "by"), *values = hl_yaml_get(map, "values");
    const char *const *category;
    size_t n;
    struct hl_evidence over;
    hl_read_keys(r, map, hl_arena_printf(r->arena, "table '%s'", key->text), keys);
    hl_read_evidence(r, map, key->text, false, NULL, &over);
    if (!values || values->kind != HL_YAML_MAPPING) {
        hl_diag_error(r->diag, map->pos, "table '%s' needs values: {CATEGORY: {value: ..., grade: ...}}", key->text);
        return;
    }
    if (!table_categories(r, by, &category, &n) || !hl_yaml_check_keys(values, "this table", category, n, r->diag))
        return;
    for (size_t i = 0; i < n; i++) {
        const struct hl_yaml *entry = hl_yaml_get(values, category[i]);
        if (entry)
            read_table_entry(r, key, by, entry, category[i], &over, capacity);
        else
            hl_diag_error(r->diag, values->pos, "table '%s' has no value for '%s'; every category needs one", key->text,
                          category[i]);
    }
}

/* Symbols were numbered by key; tables shift what follows. */
static void set_index(struct hl_reader *r, const char *name, size_t index)
{
    for (size_t i = 0; i < r->parts->n_symbols; i++)
        if (r->parts->symbol[i].kind == HL_SYM_PARAMETER && strcmp(r->parts->symbol[i].name, name) == 0)
            r->parts->symbol[i].index = index;
}

void hl_read_parameters(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "parameters");
    size_t capacity = 0;
    for (size_t i = 0; map && i < map->n; i++) {
        const struct hl_yaml *key = map->key[i], *item = map->item[i];
        size_t first = r->model->n_parameters;
        set_index(r, key->text, first);
        if (hl_yaml_get(item, "by"))
            read_table(r, key, item, &capacity);
        else
            read_parameter(r, item, NULL, new_parameter(r, key, &capacity));
        if (r->model->n_parameters == first) /* a faulty table: something harmless that its name can stand for */
            new_parameter(r, key, &capacity);
    }
}
