/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model file becomes a model, in four steps, each of which reports all it finds:
 *   1. the tree: the file, merged over the files it extends (mappings key by key, flows appended, "remove" deletes);
 *   2. the names: every declared name, so that expressions can tell names from units;
 *   3. the sections: values, units, evidence, and expressions as trees;
 *   4. the meaning: the model is linked alone (system.c), which finds undefined names, dimensions that don't fit,
 *      circular definitions and impossible structures. */
#include "model/model.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/model_read.h"

#define LONGEST_CHAIN 16  /* of models that extend one another */
#define LONGEST_FAMILY 40 /* characters, as a heading */

const char *hl_grade_name(enum hl_grade grade)
{
    static const char *const names[] = {"", "measured", "surrogate", "calibrated", "assumption"};
    return names[grade];
}

const struct hl_symbol *hl_model_symbol(const struct hl_model *model, const char *name)
{
    for (size_t i = 0; i < model->parts->n_symbols; i++)
        if (strcmp(model->parts->symbol[i].name, name) == 0)
            return &model->parts->symbol[i];
    return NULL;
}

/* ---- The tree ---- */

static bool file_exists(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f)
        fclose(f);
    return f != NULL;
}

/* A name with '/' or ending in .yaml is a path. */
static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".yaml") == 0);
}

/* Where a model's file is; NULL when nowhere. */
static const char *find_file(struct hl_arena *arena, const char *name, const char *const *directory, size_t n)
{
    if (is_path(name))
        return file_exists(name) ? name : NULL;
    for (size_t i = 0; i < n; i++) {
        const char *where = strncmp(directory[i], "./", 2) == 0 ? directory[i] + 2 : directory[i];
        const char *slash = where[0] && where[strlen(where) - 1] == '/' ? "" : "/";
        const char *path = strcmp(where, ".") == 0 ? hl_arena_printf(arena, "%s.yaml", name) /* as people write it */
                                                   : hl_arena_printf(arena, "%s%s%s.yaml", where, slash, name);
        if (file_exists(path))
            return path;
    }
    return NULL;
}

const char **hl_model_names(struct hl_arena *arena, const char *directory, const char **name, size_t *n,
                            size_t *capacity)
{
    DIR *dir = opendir(directory);
    if (!dir)
        return NULL;
    name = hl_arena_push(arena, name, *n, capacity, sizeof *name); /* not NULL, even if there are none */
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        size_t length = strlen(d->d_name);
        if (length < 6 || strcmp(d->d_name + length - 5, ".yaml") != 0)
            continue;
        name = hl_arena_push(arena, name, *n, capacity, sizeof *name);
        name[(*n)++] = hl_arena_strndup(arena, d->d_name, length - 5);
    }
    closedir(dir);
    return name;
}

static void report_missing(struct hl_arena *arena, const char *name, const char *const *directory, size_t n,
                           struct hl_pos asked_at, struct hl_diag *diag)
{
    const char *places = "", **known = NULL;
    size_t n_known = 0, capacity = 0;
    char hint[256];
    for (size_t i = 0; i < n; i++) {
        places = hl_arena_printf(arena, "%s%s%s", places, i ? ", " : "", directory[i]);
        const char **more = hl_model_names(arena, directory[i], known, &n_known, &capacity);
        known = more ? more : known;
    }
    hl_text_did_you_mean(name, known, n_known, hint, sizeof hint);
    hl_diag_error(diag, asked_at, "no model '%s': no such file%s%s%s", name, n ? " in " : "", places,
                  *hint ? hint : "; `halflife models` lists the library");
}

/* Deletes every key whose value is the plain word "remove". */
static void drop_removed(struct hl_yaml *node)
{
    size_t kept = 0;
    for (size_t i = 0; i < node->n; i++) {
        struct hl_yaml *item = node->item[i];
        bool removed = node->kind == HL_YAML_MAPPING && item->kind == HL_YAML_SCALAR && !item->quoted &&
                       strcmp(item->text, "remove") == 0;
        if (removed)
            continue;
        drop_removed(item);
        if (node->key)
            node->key[kept] = node->key[i];
        node->item[kept++] = item;
    }
    node->n = kept;
}

/* A flow that touches a compartment the variant removes goes with it: flows are lists, and a list has no keys to
 * remove. */
static bool touches_removed(const struct hl_yaml *compartments, const char *flow)
{
    for (size_t i = 0; i < compartments->n; i++) {
        const struct hl_yaml *item = compartments->item[i];
        size_t n = strlen(compartments->key[i]->text);
        if (item->kind != HL_YAML_SCALAR || item->quoted || strcmp(item->text, "remove") != 0)
            continue;
        for (const char *at = strstr(flow, compartments->key[i]->text); at;
             at = strstr(at + 1, compartments->key[i]->text))
            if ((at == flow || strchr(" ->", at[-1])) && (at[n] == '\0' || strchr(" <-", at[n])))
                return true;
    }
    return false;
}

static void drop_flows_of_removed(struct hl_yaml *root)
{
    const struct hl_yaml *compartments = hl_yaml_get(root, "compartments");
    struct hl_yaml *flows = hl_yaml_get(root, "flows");
    size_t kept = 0;
    if (!compartments || compartments->kind != HL_YAML_MAPPING || !flows || flows->kind != HL_YAML_SEQUENCE)
        return;
    for (size_t i = 0; i < flows->n; i++) {
        const struct hl_yaml *flow = flows->item[i];
        if (flow->kind != HL_YAML_MAPPING || flow->n != 1 || !touches_removed(compartments, flow->key[0]->text))
            flows->item[kept++] = flows->item[i];
    }
    flows->n = kept;
}

static void drop_key(struct hl_yaml *node, const char *key)
{
    size_t kept = 0;
    for (size_t i = 0; i < node->n; i++)
        if (strcmp(node->key[i]->text, key) != 0) {
            node->key[kept] = node->key[i];
            node->item[kept++] = node->item[i];
        }
    node->n = kept;
}

/* The directory of a file is searched too, after the given ones. */
static const char *directory_of(struct hl_arena *arena, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? hl_arena_strndup(arena, path, (size_t)(slash - path)) : ".";
}

struct tree_reader {
    struct hl_arena *arena;
    const char **directory; size_t n;
    struct hl_diag *diag;
    const char *chain[LONGEST_CHAIN]; size_t n_chain;
};

static struct hl_yaml *load_tree(struct tree_reader *t, const char *name, struct hl_pos asked_at);

/* The tree merged over what it extends; NULL with messages. */
static struct hl_yaml *extend(struct tree_reader *t, struct hl_yaml *root)
{
    static const char *const append[] = {"flows"};
    struct hl_yaml *base_name = hl_yaml_get(root, "extends");
    if (!base_name)
        return root;
    const char *name = hl_yaml_text(base_name, "the name of a model", t->diag);
    struct hl_yaml *base = name ? load_tree(t, name, base_name->pos) : NULL;
    if (!base)
        return NULL;
    struct hl_yaml *merged = hl_yaml_clone(t->arena, hl_yaml_merge(t->arena, base, root, append, 1));
    merged->pos = root->pos;
    if (!hl_yaml_get(root, "family")) /* a drug made from a structure is a drug */
        drop_key(merged, "family");
    drop_flows_of_removed(merged);
    drop_removed(merged);
    drop_key(merged, "extends");
    return merged;
}

static struct hl_yaml *load_tree(struct tree_reader *t, const char *name, struct hl_pos asked_at)
{
    const char *path = find_file(t->arena, name, t->directory, t->n);
    if (!path) {
        report_missing(t->arena, name, t->directory, t->n, asked_at, t->diag);
        return NULL;
    }
    for (size_t i = 0; i < t->n_chain; i++)
        if (strcmp(t->chain[i], path) == 0) {
            hl_diag_error(t->diag, asked_at,
                          "'%s' extends itself, directly or through others; remove one extends:", name);
            return NULL;
        }
    if (t->n_chain == LONGEST_CHAIN) {
        hl_diag_error(t->diag, asked_at, "more than %d models extend one another", LONGEST_CHAIN);
        return NULL;
    }
    t->chain[t->n_chain++] = path;
    struct hl_yaml *root = hl_yaml_load_file(t->arena, path, t->diag);
    if (root && root->kind != HL_YAML_MAPPING) {
        hl_diag_error(t->diag, root->pos, "expected a model (model: NAME, parameters: ...)");
        return NULL;
    }
    return root ? extend(t, root) : NULL;
}

static struct tree_reader tree_reader(struct hl_arena *arena, const char *const *directory, size_t n, const char *own,
                                      struct hl_diag *diag)
{
    struct tree_reader t = {.arena = arena, .diag = diag, .n = n};
    t.directory = hl_arena_alloc(arena, n + 1, sizeof *t.directory);
    for (size_t i = 0; i < n; i++)
        t.directory[i] = directory[i];
    if (own)
        t.directory[t.n++] = own;
    return t;
}

struct hl_yaml *hl_model_tree(struct hl_arena *arena, const char *name, const char *const *directory, size_t n,
                              struct hl_pos asked_at, struct hl_diag *diag)
{
    const char *own = is_path(name) ? directory_of(arena, name) : NULL;
    struct tree_reader t = tree_reader(arena, directory, n, own, diag);
    return load_tree(&t, name, asked_at);
}

/* ---- The names ---- */

static void declare_section(struct hl_reader *r, const char *section, enum hl_symbol_kind kind)
{
    const struct hl_yaml *map = hl_read_section(r, section);
    for (size_t i = 0; map && i < map->n; i++)
        hl_read_declare(r, map->key[i], kind, i);
}

static void collect_names(struct hl_reader *r)
{
    declare_section(r, "covariates", HL_SYM_COVARIATE);
    declare_section(r, "parameters", HL_SYM_PARAMETER);
    hl_read_eta_names(r);
    declare_section(r, "mixtures", HL_SYM_MIXTURE);
    declare_section(r, "individual", HL_SYM_INDIVIDUAL);
    declare_section(r, "compartments", HL_SYM_COMPARTMENT);
    declare_section(r, "effect_sites", HL_SYM_EFFECT_SITE);
    declare_section(r, "states", HL_SYM_STATE);
    declare_section(r, "outputs", HL_SYM_OUTPUT);
    declare_section(r, "inputs", HL_SYM_INPUT);
    r->declared = hl_arena_alloc(r->arena, r->parts->n_symbols, sizeof *r->declared);
    for (size_t i = 0; i < r->parts->n_symbols; i++)
        r->declared[r->n_declared++] = r->parts->symbol[i].name;
}

/* ---- The sections ---- */

static void read_references(struct hl_reader *r)
{
    static const char *const known[] = {"cite", "doi", "url", "note", NULL};
    const struct hl_yaml *map = hl_read_section(r, "references");
    r->model->reference = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *r->model->reference);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_reference *reference = &r->model->reference[r->model->n_references++];
        *reference = (struct hl_reference){.name = map->key[i]->text};
        if (!hl_read_keys(r, map->item[i], "a reference", known))
            continue;
        reference->cite = hl_read_text(r, map->item[i], "cite");
        reference->doi = hl_read_text(r, map->item[i], "doi");
        reference->url = hl_read_text(r, map->item[i], "url");
        if (!hl_yaml_get(map->item[i], "cite"))
            hl_diag_error(r->diag, map->key[i]->pos,
                          "reference '%s' has no citation; add cite: \"AUTHOR. JOURNAL YEAR\"", reference->name);
    }
}

/* equivalents: {TABLE: 10 mg}, where TABLE is one of the references, so that no amount is without its source. */
static void read_equivalents(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "equivalents");
    struct hl_model *m = r->model;
    char near[160];
    const char **names = hl_arena_alloc(r->arena, m->n_references + 1, sizeof *names);
    for (size_t i = 0; i < m->n_references; i++)
        names[i] = m->reference[i].name;
    m->equivalent = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *m->equivalent);
    for (size_t i = 0; map && i < map->n; i++) {
        struct hl_equivalent e = {map->key[i]->text, map->key[i]->pos, 0.0};
        bool known = false;
        for (size_t j = 0; j < m->n_references; j++)
            known = known || strcmp(names[j], e.name) == 0;
        if (!known)
            hl_diag_error(r->diag, e.pos,
                          "no reference '%s' under references:, which names the tables of equivalence%s", e.name,
                          hl_text_did_you_mean(e.name, names, m->n_references, near, sizeof near));
        if (!hl_read_quantity_of(r, map->item[i], "an amount such as 10 mg", hl_dim_of("mg"), &e.amount))
            continue;
        if (e.amount <= 0.0)
            hl_diag_error(r->diag, map->item[i]->pos, "an equivalent amount must be above 0");
        m->equivalent[m->n_equivalents++] = e;
    }
}

static void read_individual(struct hl_reader *r)
{
    const struct hl_yaml *map = hl_read_section(r, "individual");
    r->model->individual = hl_arena_alloc(r->arena, map ? map->n : 0, sizeof *r->model->individual);
    for (size_t i = 0; map && i < map->n; i++) {
        const char *name = map->key[i]->text;
        r->model->individual[r->model->n_individual++] = (struct hl_definition){
            .name = name, .pos = map->key[i]->pos, .expr = hl_read_expr(r, map, name, "an expression")};
    }
}

static void read_notes(struct hl_reader *r)
{
    const struct hl_yaml *notes = hl_yaml_get(r->model->root, "notes");
    if (!notes || hl_read_is_empty(notes))
        return;
    r->parts->note = hl_arena_alloc(r->arena, notes->n + 1, sizeof *r->parts->note);
    if (notes->kind == HL_YAML_SCALAR)
        r->parts->note[r->parts->n_notes++] = notes->text;
    else if (notes->kind == HL_YAML_MAPPING)
        hl_diag_error(r->diag, notes->pos, "notes: is a text or a list of texts; quote a note that contains ': '");
    else
        for (size_t i = 0; i < notes->n; i++) {
            const char *text = hl_yaml_text(notes->item[i], "a text (quote a note that contains ': ')", r->diag);
            if (text)
                r->parts->note[r->parts->n_notes++] = text;
        }
}

/* A heading for lists of models: a few words. */
static void read_family(struct hl_reader *r)
{
    const struct hl_yaml *node = hl_yaml_get(r->model->root, "family");
    const char *text = node ? hl_read_text(r, r->model->root, "family") : NULL;
    if (!text)
        return;
    if (text[0] == '\0' || strlen(text) > LONGEST_FAMILY || strpbrk(text, "|\n\t"))
        hl_diag_error(r->diag, node->pos, "expected a few words of at most %d characters as family, found '%.60s'",
                      LONGEST_FAMILY, text);
    r->model->family = text;
}

static void read_head(struct hl_reader *r)
{
    struct hl_model *m = r->model;
    const struct hl_yaml *root = m->root, *name = hl_yaml_get(root, "model");
    m->name = name ? hl_read_text(r, root, "model") : NULL;
    if (!name)
        hl_diag_error(r->diag, root->pos, "a model needs a name; add model: NAME");
    else if (m->name && !hl_text_is_name(m->name))
        hl_diag_error(r->diag, name->pos, "'%s' is not a name: a letter, then letters, digits and '_'", m->name);
    m->title = hl_read_text(r, root, "title");
    m->description = hl_read_text(r, root, "description");
    read_family(r);
    const struct hl_yaml *mass = hl_yaml_get(root, "molar_mass");
    if (mass &&
        hl_read_quantity_of(r, mass, "a molar mass such as 315.72 g/mol", hl_dim_of("mg/nmol"), &m->molar_mass) &&
        m->molar_mass <= 0.0)
        hl_diag_error(r->diag, mass->pos, "a molar mass must be above 0");
    if (!m->name)
        m->name = "model";
}

static void add_file(struct hl_reader *r, const char *file, size_t *capacity)
{
    struct hl_model_parts *p = r->parts;
    for (size_t i = 0; i < p->n_files; i++)
        if (strcmp(p->file[i], file) == 0)
            return;
    p->file = hl_arena_push(r->arena, p->file, p->n_files, capacity, sizeof *p->file);
    p->file[p->n_files++] = file;
}

/* The files that the tree's nodes come from. */
static void collect_files(struct hl_reader *r, const struct hl_yaml *node, size_t *capacity)
{
    if (node->pos.file)
        add_file(r, node->pos.file, capacity);
    for (size_t i = 0; i < node->n; i++)
        collect_files(r, node->item[i], capacity);
}

static void read_sections(struct hl_reader *r)
{
    static const char *const known[] = {
        "model", "title", "description", "family", "extends", "molar_mass", "references", "equivalents", "covariates",
        "parameters", "random", "mixtures", "inputs", "individual", "compartments", "flows", "routes", "effect_sites",
        "states", "outputs", "residual_error", "notes", NULL};
    size_t capacity = 0;
    hl_read_keys(r, r->model->root, "a model", known);
    read_head(r);
    collect_files(r, r->model->root, &capacity);
    collect_names(r);
    read_references(r);
    read_equivalents(r);
    hl_read_covariates(r);
    hl_read_mixtures(r);
    hl_read_parameters(r);
    hl_read_random(r);
    read_individual(r);
    hl_read_compartments(r);
    hl_read_flows(r);
    hl_read_routes(r);
    hl_read_dynamics(r);
    read_notes(r);
}

struct hl_model *hl_model_from_yaml(struct hl_arena *arena, struct hl_yaml *root, const char *const *directory,
                                    size_t n, struct hl_diag *diag)
{
    size_t errors = hl_diag_count(diag, HL_ERROR);
    if (root->kind != HL_YAML_MAPPING) {
        hl_diag_error(diag, root->pos, "expected a model (model: NAME, parameters: ...)");
        return NULL;
    }
    const char *file = root->pos.file;
    struct tree_reader t = tree_reader(arena, directory, n, directory_of(arena, file), diag);
    if (file)
        t.chain[t.n_chain++] = file;
    root = extend(&t, root);
    if (!root)
        return NULL;
    struct hl_model *model = hl_arena_alloc(arena, 1, sizeof *model);
    model->parts = hl_arena_alloc(arena, 1, sizeof *model->parts);
    model->root = root;
    model->path = file;
    struct hl_reader r = {.arena = arena, .diag = diag, .model = model, .parts = model->parts};
    read_sections(&r);
    hl_system_check_model(arena, model, diag);
    return hl_diag_count(diag, HL_ERROR) > errors ? NULL : model;
}

struct hl_model *hl_model_load(struct hl_arena *arena, const char *name, const char *const *directory, size_t n,
                               struct hl_diag *diag)
{
    struct hl_yaml *root = hl_model_tree(arena, name, directory, n, hl_pos_none(), diag);
    return root ? hl_model_from_yaml(arena, root, directory, n, diag) : NULL;
}
