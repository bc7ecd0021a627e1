/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plain text, aligned in columns, at most LINE characters wide where words can be broken. */
#include "model/describe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/model_parts.h"

#define LINE 110

/* Characters, not bytes. */
static int width(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static void pad(FILE *f, const char *s, int columns)
{
    fprintf(f, "%s%*s", s, columns > width(s) ? columns - width(s) : 0, "");
}

/* Words from column at on, broken at LINE, continued at column indent. Ends the line. */
static void wrap(FILE *f, const char *s, int indent, int at)
{
    while (*s) {
        size_t n = strcspn(s, " \n");
        char word[256];
        snprintf(word, sizeof word, "%.*s", (int)n, s);
        if (at > indent && at + 1 + width(word) > LINE) {
            fprintf(f, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent && n > 0) {
            fputc(' ', f);
            at++;
        }
        fprintf(f, "%.*s", (int)n, s);
        at += width(word);
        s += n + (s[n] != '\0');
    }
    fputc('\n', f);
}

static void paragraph(FILE *f, const char *s, int indent)
{
    fprintf(f, "%*s", indent, "");
    wrap(f, s, indent, indent);
}

static void heading(FILE *f, const char *s)
{
    fprintf(f, "\n%s\n", s);
}

static int widest(int least, const char *s)
{
    return s && width(s) > least ? width(s) : least;
}

/* "3.6 L/h"; the value as it was written in its unit. */
static const char *quantity(double value, const char *unit, char *buffer, size_t size)
{
    char number[32];
    snprintf(number, sizeof number, "%.7g", value);
    snprintf(buffer, size, "%s%s%s", number, strcmp(unit, "1") == 0 ? "" : " ", strcmp(unit, "1") == 0 ? "" : unit);
    return buffer;
}

/* ---- Evidence ---- */

static void print_evidence(FILE *f, const struct hl_evidence *e, int indent)
{
    fprintf(f, "%-10s", hl_grade_name(e->grade));
    if (e->mark)
        fprintf(f, "  (%s)", e->mark);
    if (e->provisional)
        fprintf(f, "  provisional");
    for (size_t i = 0; i < e->n_source; i++)
        fprintf(f, "%s%s", i ? ", " : "  ", e->source[i]);
    fputc('\n', f);
    if (e->note)
        paragraph(f, e->note, indent);
}

/* ---- Values ---- */

static void print_equivalents(FILE *f, const struct hl_model *m)
{
    for (size_t i = 0; i < m->n_equivalents; i++)
        fprintf(f, "%s%.7g mg (%s)", i ? ", " : "  equivalents ", m->equivalent[i].amount, m->equivalent[i].name);
    if (m->n_equivalents)
        fputc('\n', f);
}

static void print_covariates(FILE *f, const struct hl_model *m)
{
    int names = 4;
    char text[96];
    for (size_t i = 0; i < m->n_covariates; i++)
        names = widest(names, m->covariate[i].name);
    if (m->n_covariates)
        heading(f, "Covariates (default, range)");
    for (size_t i = 0; i < m->n_covariates; i++) {
        const struct hl_covariate *c = &m->covariate[i];
        fputs("  ", f);
        pad(f, c->name, names + 2);
        pad(f, c->n_categories ? c->category[(size_t)c->value] : quantity(c->value, c->unit_text, text, sizeof text),
            16);
        if (c->has_range)
            fprintf(f, "%.7g to %.7g  ", c->low, c->high);
        for (size_t k = 0; k < c->n_categories; k++)
            fprintf(f, "%s%s", k ? " | " : "", c->category[k]);
        fprintf(f, "%s%s\n", c->n_categories ? "  " : "", c->label ? c->label : "");
    }
}

static void print_spread(FILE *f, const struct hl_parameter *p)
{
    double k = p->unit.factor;
    switch (p->uncertainty) {
    case HL_SPREAD_LOGNORMAL:
        fprintf(f, "lognormal, sd of log %.4g  ", p->u0);
        break;
    case HL_SPREAD_NORMAL:
        fprintf(f, "normal, sd %.4g  ", p->u0 / k);
        break;
    case HL_SPREAD_UNIFORM:
        fprintf(f, "uniform %.4g to %.4g  ", p->u0 / k, p->u1 / k);
        break;
    case HL_SPREAD_NONE:
        break;
    }
}

static const char *parameter_name(const struct hl_parameter *p, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s%s%s", p->name, p->category ? "." : "", p->category ? p->category : "");
    return buffer;
}

static void print_parameters(FILE *f, const struct hl_model *m)
{
    int names = 4, values = 5;
    char name[160], text[96];
    for (size_t i = 0; i < m->n_parameters; i++) {
        const struct hl_parameter *p = &m->parameter[i];
        names = widest(names, parameter_name(p, name, sizeof name));
        values = widest(values, quantity(p->value / p->unit.factor, p->unit_text, text, sizeof text));
    }
    if (m->n_parameters)
        heading(f, "Parameters (value, evidence, sources; range)");
    for (size_t i = 0; i < m->n_parameters; i++) {
        const struct hl_parameter *p = &m->parameter[i];
        fputs("  ", f);
        pad(f, parameter_name(p, name, sizeof name), names + 2);
        pad(f, quantity(p->value / p->unit.factor, p->unit_text, text, sizeof text), values + 2);
        if (p->has_range)
            fprintf(f, "[%.5g, %.5g]  ", p->low / p->unit.factor, p->high / p->unit.factor);
        print_spread(f, p);
        print_evidence(f, &p->evidence, names + 6);
    }
}

static void print_etas(FILE *f, const struct hl_model *m)
{
    int names = 4;
    for (size_t i = 0; i < m->n_etas; i++)
        names = widest(names, m->eta[i].name);
    if (m->n_etas)
        heading(f, "Random effects (normal, mean 0)");
    for (size_t i = 0; i < m->n_etas; i++) {
        const struct hl_eta *e = &m->eta[i];
        fputs("  ", f);
        pad(f, e->name, names + 2);
        fprintf(f, "sd %-8.4g variance %-8.4g lognormal CV %5.1f %%  %s", e->sd, e->sd * e->sd,
                100.0 * sqrt(expm1(e->sd * e->sd)), e->occasion ? "per occasion  " : "");
        print_evidence(f, &e->evidence, names + 6);
    }
    for (size_t b = 0; b < m->n_blocks; b++)
        for (size_t i = 0; i < m->block[b].n; i++)
            for (size_t j = 0; j < i; j++) {
                const struct hl_eta_block *x = &m->block[b];
                double r =
                    x->covariance[i * x->n + j] / sqrt(x->covariance[i * x->n + i] * x->covariance[j * x->n + j]);
                fprintf(f, "  correlation of %s and %s: %.4g\n", m->eta[x->eta[j]].name, m->eta[x->eta[i]].name, r);
            }
}

static void print_mixtures(FILE *f, const struct hl_model *m)
{
    if (m->n_mixtures)
        heading(f, "Mixtures");
    for (size_t i = 0; i < m->n_mixtures; i++) {
        fprintf(f, "  %s:", m->mixture[i].name);
        for (size_t k = 0; k < m->mixture[i].n; k++)
            fprintf(f, "%s %s %.4g", k ? "," : "", m->mixture[i].class_name[k], m->mixture[i].probability[k]);
        fputc('\n', f);
    }
}

/* ---- Equations ---- */

static const char *text_of(const struct hl_expr *e)
{
    return e ? e->text : "?";
}

static void equation(FILE *f, const char *left, int columns, const char *right)
{
    fputs("  ", f);
    pad(f, left, columns);
    fputs(" = ", f);
    wrap(f, right, columns + 5, columns + 5);
}

/* A factor of a product: in parentheses unless it is a name, a number or a function. */
static void factor(FILE *f, const struct hl_expr *e)
{
    bool bare = !e || strpbrk(hl_op_name(e->op), "+-*/^") == NULL;
    fprintf(f, bare ? "%s" : "(%s)", text_of(e));
}

static void print_flow_term(FILE *f, const struct hl_model *m, const struct hl_flow *flow, int from, char sign)
{
    const struct hl_compartment *c = &m->parts->compartment[from];
    fprintf(f, " %c ", sign);
    factor(f, flow->rate);
    if (flow->clearance) {
        fputs(" / ", f);
        factor(f, c->volume);
    }
    fprintf(f, " * %s", c->name);
}

static void print_terms(FILE *f, const struct hl_model *m, int index)
{
    const struct hl_model_parts *p = m->parts;
    for (size_t i = 0; i < p->n_flows; i++) {
        const struct hl_flow *flow = &p->flow[i];
        if (flow->from == index)
            print_flow_term(f, m, flow, index, '-');
        if (flow->to == index && flow->from >= 0)
            print_flow_term(f, m, flow, flow->from, '+');
        if (flow->both_ways && flow->from == index && flow->to >= 0)
            print_flow_term(f, m, flow, flow->to, '+');
        if (flow->both_ways && flow->to == index)
            print_flow_term(f, m, flow, index, '-');
    }
}

static void print_compartment(FILE *f, const struct hl_model *m, int index, int columns)
{
    char left[160], *terms = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&terms, &size);
    if (!memory)
        return;
    print_terms(memory, m, index);
    fclose(memory);
    snprintf(left, sizeof left, "d %s/dt", m->parts->compartment[index].name);
    equation(f, left, columns, size > 0 ? terms + 1 : "0");
    free(terms);
}

static void print_differential(FILE *f, const struct hl_model *m)
{
    const struct hl_model_parts *p = m->parts;
    int columns = 8;
    char left[160], right[8400];
    for (size_t i = 0; i < p->n_symbols; i++)
        if (p->symbol[i].kind == HL_SYM_COMPARTMENT || p->symbol[i].kind == HL_SYM_EFFECT_SITE ||
            p->symbol[i].kind == HL_SYM_STATE)
            columns = width(p->symbol[i].name) + 5 > columns ? width(p->symbol[i].name) + 5 : columns;
    if (p->n_compartments + p->n_effect_sites + p->n_states)
        heading(f, "Rates of change (compartments: amounts in mg, doses not shown)");
    for (size_t i = 0; i < p->n_compartments; i++)
        print_compartment(f, m, (int)i, columns);
    for (size_t i = 0; i < p->n_effect_sites; i++) {
        snprintf(left, sizeof left, "d %s/dt", p->effect_site[i].name);
        snprintf(right, sizeof right, "%s * (%s - %s)", text_of(p->effect_site[i].ke0),
                 text_of(p->effect_site[i].follows), p->effect_site[i].name);
        equation(f, left, columns, right);
    }
    for (size_t i = 0; i < p->n_states; i++) {
        snprintf(left, sizeof left, "d %s/dt", p->state[i].name);
        snprintf(right, sizeof right, "%s   [%s/h, from %s]", text_of(p->state[i].rate), p->state[i].unit_text,
                 text_of(p->state[i].initial));
        equation(f, left, columns, right);
    }
}

static void print_individual(FILE *f, const struct hl_model *m)
{
    int columns = 4;
    for (size_t i = 0; i < m->n_individual; i++)
        columns = widest(columns, m->individual[i].name);
    if (m->n_individual)
        heading(f, "Individual values");
    for (size_t i = 0; i < m->n_individual; i++)
        equation(f, m->individual[i].name, columns, text_of(m->individual[i].expr));
}

static void print_outputs(FILE *f, const struct hl_model *m)
{
    const struct hl_model_parts *p = m->parts;
    int columns = 4;
    char left[160];
    for (size_t i = 0; i < p->n_outputs; i++) {
        snprintf(left, sizeof left, "%s [%s]", p->output[i].name, p->output[i].unit_text);
        columns = widest(columns, left);
    }
    if (p->n_inputs)
        heading(f, "Inputs");
    for (size_t i = 0; i < p->n_inputs; i++)
        fprintf(f, "  %s = %s\n", p->input[i].name, p->input[i].target);
    if (p->n_outputs)
        heading(f, "Outputs");
    for (size_t i = 0; i < p->n_outputs; i++) {
        const struct hl_output_text *o = &p->output[i];
        snprintf(left, sizeof left, "%s [%s]", o->name, o->unit_text);
        equation(f, left, columns, text_of(o->value));
        fprintf(f, "%*s%s%s%s\n", columns + 5, "", o->label ? o->label : "", o->label && o->evidence.grade ? "; " : "",
                hl_grade_name(o->evidence.grade));
    }
}

/* ---- Routes ---- */

static void print_term(FILE *f, const char *name, const struct hl_expr *e)
{
    if (e)
        fprintf(f, ", %s %s", name, e->text);
}

static const char *compartment_name(const struct hl_model *m, int index)
{
    return index < 0 ? "?" : m->parts->compartment[index].name;
}

static void print_patch(FILE *f, const struct hl_model *m, const struct hl_route_text *r)
{
    fprintf(f, "patch, strength in %s", r->nominal_text);
    print_term(f, "content", r->content);
    print_term(f, "rate", r->rate);
    print_term(f, "lag", r->lag);
    if (r->wear > 0.0)
        fprintf(f, ", worn %.6g h", r->wear);
    fputc('\n', f);
    for (size_t i = 0; i < r->n_phases; i++) {
        const struct hl_patch_phase_text *x = &r->phase[i];
        if (x->release)
            fprintf(f, "      released %s%s%s, of which %s arrives\n", x->release->text, x->until ? " until " : "",
                    x->until ? x->until->text : "", x->loses ? x->loses->text : "all");
    }
    for (size_t i = 0; i < r->n_parts; i++)
        fprintf(f, "      into %s%s%s\n", compartment_name(m, r->part[i].into), r->part[i].fraction ? ": " : "",
                r->part[i].fraction ? r->part[i].fraction->text : "");
}

static void print_routes(FILE *f, const struct hl_model *m)
{
    static const char *const inputs[] = {"", ", over ", ", at rate "};
    const struct hl_model_parts *p = m->parts;
    int names = 4;
    for (size_t i = 0; i < p->n_routes; i++)
        names = widest(names, p->route[i].name);
    if (p->n_routes)
        heading(f, "Routes");
    for (size_t i = 0; i < p->n_routes; i++) {
        const struct hl_route_text *r = &p->route[i];
        fputs("  ", f);
        pad(f, r->name, names + 2);
        if (r->is_patch)
            print_patch(f, m, r);
        for (size_t k = 0; !r->is_patch && k < r->n_parts; k++) {
            fprintf(f, "%*sinto %s", k ? names + 4 : 0, "", compartment_name(m, r->part[k].into));
            print_term(f, "fraction", r->part[k].fraction);
            print_term(f, "bioavailability", r->part[k].bioavailability);
            print_term(f, "lag", r->part[k].lag);
            print_term(f, "released", r->part[k].released);
            if (r->part[k].given)
                fprintf(f, "%s%s", inputs[r->part[k].input], r->part[k].given->text);
            fputc('\n', f);
        }
    }
}

static void print_residuals(FILE *f, const struct hl_model *m)
{
    if (m->parts->n_residuals)
        heading(f, "Residual error (standard deviations)");
    for (size_t i = 0; i < m->parts->n_residuals; i++) {
        const struct hl_residual *e = &m->parts->residual[i];
        const struct hl_symbol *y = hl_model_symbol(m, e->output);
        const struct hl_output_text *o = &m->parts->output[y ? y->index : 0];
        fprintf(f, "  %s:", e->output);
        if (e->proportional > 0.0)
            fprintf(f, " %s %.4g", e->log ? "of the logarithm" : "proportional", e->proportional);
        if (e->has_additive && m->parts->n_outputs)
            fprintf(f, " additive %.4g %s", e->additive / o->unit.factor, o->unit_text);
        fputs("  ", f);
        print_evidence(f, &e->evidence, 6);
    }
}

static void print_references(FILE *f, const struct hl_model *m)
{
    int names = 4;
    for (size_t i = 0; i < m->n_references; i++)
        names = widest(names, m->reference[i].name);
    if (m->n_references)
        heading(f, "References");
    for (size_t i = 0; i < m->n_references; i++) {
        const struct hl_reference *r = &m->reference[i];
        char text[1024];
        snprintf(text, sizeof text, "%s%s%s%s%s", r->cite ? r->cite : "", r->doi ? " doi:" : "", r->doi ? r->doi : "",
                 r->url ? " " : "", r->url ? r->url : "");
        fputs("  ", f);
        pad(f, r->name, names + 2);
        wrap(f, text, names + 4, names + 4);
    }
    if (m->parts->n_notes)
        heading(f, "Notes");
    for (size_t i = 0; i < m->parts->n_notes; i++) {
        fputs("  - ", f);
        wrap(f, m->parts->note[i], 4, 4);
    }
}

void hl_model_print_equations(const struct hl_model *m, FILE *f)
{
    print_individual(f, m);
    print_differential(f, m);
    print_outputs(f, m);
}

void hl_model_print_patches(const struct hl_model *m, FILE *f)
{
    for (size_t i = 0; i < m->parts->n_routes; i++)
        if (m->parts->route[i].is_patch) {
            fprintf(f, "\n%s: ", m->parts->route[i].name);
            print_patch(f, m, &m->parts->route[i]);
        }
}

void hl_model_print(const struct hl_model *m, FILE *f)
{
    fprintf(f, "%s%s%s\n", m->name, m->title ? ": " : "", m->title ? m->title : "");
    if (m->description)
        paragraph(f, m->description, 2);
    for (size_t i = 0; i < m->parts->n_files; i++)
        fprintf(f, "  %s %s\n", i ? "extends" : "file", m->parts->file[i]);
    if (m->molar_mass > 0.0)
        fprintf(f, "  molar mass %.7g g/mol\n", m->molar_mass * 1e6); /* mg/nmol is 1e6 g/mol */
    print_equivalents(f, m);
    print_covariates(f, m);
    print_parameters(f, m);
    print_etas(f, m);
    print_mixtures(f, m);
    hl_model_print_equations(m, f);
    print_routes(f, m);
    print_residuals(f, m);
    print_references(f, m);
}

/* ---- The library ---- */

/* Headings in the order of the list: drugs, interactions, then one per family of structures, by name. */
enum kind { KIND_DRUG, KIND_INTERACTION, KIND_STRUCTURE };

struct entry { const char *name, *title, *family; enum kind kind; };

static int by_kind_and_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int family = strcmp(x->family, y->family);
    return family != 0 ? family : strcmp(x->name, y->name);
}

/* The text under a key of the file itself; NULL when it has none. */
static const char *own_text(const struct hl_yaml *root, const char *key)
{
    const struct hl_yaml *node = hl_yaml_get(root, key);
    return node ? node->text : NULL;
}

/* An interaction reads other models' outputs, whether its own file says so or one that it extends. */
static bool has_inputs(struct hl_arena *arena, const char *path, const struct hl_yaml *root,
                       const char *const *directory, size_t n, struct hl_diag *diag)
{
    if (own_text(root, "extends"))
        root = hl_model_tree(arena, path, directory, n, hl_pos_none(), diag);
    return root && hl_yaml_get(root, "inputs");
}

/* What one file is listed as; a variant without a title says what it extends. */
static struct entry entry_of(struct hl_arena *arena, const char *name, const char *path, const char *const *directory,
                             size_t n, struct hl_diag *diag)
{
    const struct hl_yaml *root = hl_yaml_load_file(arena, path, diag);
    if (!root)
        return (struct entry){name, "(can't be read)", "", KIND_DRUG};
    const char *title = own_text(root, "title"), *base = own_text(root, "extends"), *family = own_text(root, "family");
    if (!title)
        title = base ? hl_arena_printf(arena, "(a variant of %s)", base) : "";
    enum kind kind = family                                                  ? KIND_STRUCTURE
                     : has_inputs(arena, path, root, directory, n, diag) ? KIND_INTERACTION
                                                                             : KIND_DRUG;
    return (struct entry){name, title, family ? family : "", kind};
}

/* Adds the models of directory i that aren't in the list yet; false when it can't be read. */
static bool list_directory(struct hl_arena *arena, const char *const *directory, size_t n_directories, size_t i,
                           struct entry **list, size_t *n, size_t *capacity, struct hl_diag *diag)
{
    size_t n_names = 0, room = 0;
    const char **name = hl_model_names(arena, directory[i], NULL, &n_names, &room);
    for (size_t j = 0; j < n_names; j++) {
        bool known = false;
        for (size_t k = 0; k < *n; k++)
            known |= strcmp((*list)[k].name, name[j]) == 0;
        if (known)
            continue;
        *list = hl_arena_push(arena, *list, *n, capacity, sizeof **list);
        (*list)[(*n)++] = entry_of(arena, name[j], hl_arena_printf(arena, "%s/%s.yaml", directory[i], name[j]),
                                   directory, n_directories, diag);
    }
    return name != NULL;
}

static void print_list(const struct entry *list, size_t n, FILE *stream)
{
    int names = 4;
    for (size_t i = 0; i < n; i++)
        names = widest(names, list[i].name);
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || list[i].kind != list[i - 1].kind || strcmp(list[i].family, list[i - 1].family) != 0;
        if (first && list[i].kind == KIND_STRUCTURE)
            fprintf(stream, "%sStructures: %s\n", i ? "\n" : "", list[i].family);
        else if (first)
            fprintf(stream, "%s%s\n", i ? "\n" : "", list[i].kind == KIND_DRUG ? "Drugs" : "Interactions");
        fputs("  ", stream);
        pad(stream, list[i].name, names + 2);
        fprintf(stream, "%s\n", list[i].title);
    }
}

enum hl_status hl_model_list(const char *const *directory, size_t n, FILE *stream, struct hl_diag *diag)
{
    struct hl_arena *arena = hl_arena_create();
    struct entry *list = NULL;
    size_t count = 0, capacity = 0, opened = 0;
    if (!arena)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        opened += list_directory(arena, directory, n, i, &list, &count, &capacity, diag);
    if (count)
        qsort(list, count, sizeof *list, by_kind_and_name);
    print_list(list, count, stream);
    if (!opened)
        hl_diag_error(diag, hl_pos_none(), "no directory of models can be read%s%s", n ? ": " : "",
                      n ? directory[0] : "");
    hl_arena_free(arena);
    return opened ? HL_OK : HL_ERR_IO;
}
