/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model's page in Markdown, for scripts/model-pages. The picture is a mermaid flowchart, which forges and many
 * editors draw and which is readable as text: compartments in boxes with their number in data sets, flows with their
 * rate or clearance, routes in round ends, the outside as a small circle, and dashed arrows from whatever a state, an
 * effect site or a flow depends on. */
#include <math.h>
#include <string.h>

#include "model/describe.h"
#include "model/model_parts.h"

/* Text inside a table's cell. */
static void cell(FILE *f, const char *s)
{
    for (; s && *s; s++)
        fputs(*s == '|' ? "\\|" : *s == '\n' ? " " : (char[]){*s, '\0'}, f);
}

static void code(FILE *f, const struct hl_expr *e)
{
    if (e) {
        fputc('`', f);
        cell(f, e->text);
        fputc('`', f);
    }
}

/* Text inside a quoted label of the picture. */
static void label(FILE *f, const char *s)
{
    for (; s && *s; s++)
        fputs(*s == '"' ? "#quot;" : *s == '<' ? "#lt;" : *s == '>' ? "#gt;" : (char[]){*s, '\0'}, f);
}

/* ---- The picture ---- */

/* Marks the symbols that change in time and that an expression depends on, through outputs too. */
static void depends_on(const struct hl_model *m, const struct hl_expr *e, bool *mark)
{
    const struct hl_symbol *s = e && e->op == HL_OP_NAME ? hl_model_symbol(m, e->name) : NULL;
    if (s && s->kind == HL_SYM_OUTPUT)
        depends_on(m, m->parts->output[s->index].value, mark);
    else if (s)
        mark[s - m->parts->symbol] = s->kind == HL_SYM_COMPARTMENT || s->kind == HL_SYM_EFFECT_SITE ||
                                     s->kind == HL_SYM_STATE || s->kind == HL_SYM_INPUT;
    for (size_t k = 0; e && k < 3; k++)
        depends_on(m, e->arg[k], mark);
}

/* Dashed arrows from what an expression depends on to node `name`, except from that itself and from `except`. */
static void draw_dependence(FILE *f, const struct hl_model *m, const struct hl_expr *e, const char *name,
                            const char *except)
{
    const struct hl_model_parts *p = m->parts;
    bool *mark = hl_alloc(p->n_symbols + 1, sizeof *mark);
    if (!mark)
        return;
    depends_on(m, e, mark);
    for (size_t i = 0; i < p->n_symbols; i++)
        if (mark[i] && strcmp(p->symbol[i].name, name) != 0 && strcmp(p->symbol[i].name, except) != 0)
            fprintf(f, "  n_%s -.-> n_%s\n", p->symbol[i].name, name);
    hl_free(mark);
}

static void draw_nodes(FILE *f, const struct hl_model *m)
{
    const struct hl_model_parts *p = m->parts;
    for (size_t i = 0; i < p->n_compartments; i++)
        fprintf(f, "  n_%s[\"%zu %s\"]\n", p->compartment[i].name, i + 1, p->compartment[i].name);
    for (size_t i = 0; i < p->n_effect_sites; i++)
        fprintf(f, "  n_%s{{\"%s\"}}\n", p->effect_site[i].name, p->effect_site[i].name);
    for (size_t i = 0; i < p->n_states; i++)
        fprintf(f, "  n_%s{{\"%s\"}}\n", p->state[i].name, p->state[i].name);
    for (size_t i = 0; i < p->n_inputs; i++)
        fprintf(f, "  n_%s([\"%s\"])\n", p->input[i].name, p->input[i].target);
}

static void draw_routes(FILE *f, const struct hl_model *m)
{
    const struct hl_model_parts *p = m->parts;
    for (size_t i = 0; i < p->n_routes; i++) {
        fprintf(f, "  r_%s([\"%s\"])\n", p->route[i].name, p->route[i].name);
        for (size_t k = 0; k < p->route[i].n_parts; k++) {
            const struct hl_route_part_text *part = &p->route[i].part[k];
            if (part->into < 0)
                continue;
            fprintf(f, "  r_%s ", p->route[i].name);
            if (part->fraction) {
                fputs("-- \"", f);
                label(f, part->fraction->text);
                fputs("\" ", f);
            }
            fprintf(f, "--> n_%s\n", p->compartment[part->into].name);
        }
    }
}

static void draw_flows(FILE *f, const struct hl_model *m)
{
    const struct hl_model_parts *p = m->parts;
    for (size_t i = 0; i < p->n_flows; i++) {
        const struct hl_flow *flow = &p->flow[i];
        if (flow->from < 0)
            continue;
        const char *from = p->compartment[flow->from].name;
        fprintf(f, "  n_%s %s \"", from, flow->both_ways ? "<--" : "--");
        label(f, flow->rate ? flow->rate->text : "");
        if (flow->to >= 0)
            fprintf(f, "\" --> n_%s\n", p->compartment[flow->to].name);
        else
            fprintf(f, "\" --> out%zu(( ))\n", i + 1);
        draw_dependence(f, m, flow->rate, from, from);
    }
}

static void draw(FILE *f, const struct hl_model *m)
{
    const struct hl_model_parts *p = m->parts;
    if (p->n_compartments + p->n_effect_sites + p->n_states == 0)
        return;
    fputs("\n## Picture\n\n```mermaid\nflowchart LR\n", f);
    draw_nodes(f, m);
    draw_routes(f, m);
    draw_flows(f, m);
    for (size_t i = 0; i < p->n_effect_sites; i++)
        draw_dependence(f, m, p->effect_site[i].follows, p->effect_site[i].name, "");
    for (size_t i = 0; i < p->n_states; i++)
        draw_dependence(f, m, p->state[i].rate, p->state[i].name, "");
    fputs("```\n", f);
}

/* ---- Tables ---- */

static void evidence(FILE *f, const struct hl_evidence *e)
{
    fprintf(f, "%s%s%s%s%s", hl_grade_name(e->grade), e->mark ? " (" : "", e->mark ? e->mark : "", e->mark ? ")" : "",
            e->provisional ? ", provisional" : "");
    for (size_t i = 0; i < e->n_source; i++)
        fprintf(f, "%s %s", i || e->grade ? "," : "", e->source[i]);
}

static const char *unit_after(const char *unit)
{
    return strcmp(unit, "1") == 0 ? "" : unit;
}

static void tabulate_covariates(FILE *f, const struct hl_model *m)
{
    if (m->n_covariates)
        fputs("\n## Covariates\n\n| covariate | default | range or categories | |\n|---|---|---|---|\n", f);
    for (size_t i = 0; i < m->n_covariates; i++) {
        const struct hl_covariate *c = &m->covariate[i];
        if (c->n_categories)
            fprintf(f, "| `%s` | %s | ", c->name, c->category[(size_t)c->value]);
        else
            fprintf(f, "| `%s` | %.7g %s | ", c->name, c->value, unit_after(c->unit_text));
        for (size_t k = 0; k < c->n_categories; k++)
            fprintf(f, "%s%s", k ? ", " : "", c->category[k]);
        if (c->has_range)
            fprintf(f, "%.7g to %.7g", c->low, c->high);
        fputs(" | ", f);
        cell(f, c->label);
        fputs(" |\n", f);
    }
}

static void tabulate_parameters(FILE *f, const struct hl_model *m)
{
    if (m->n_parameters)
        fputs("\n## Parameters\n\n| parameter | value | range | | evidence |\n|---|---|---|---|---|\n", f);
    for (size_t i = 0; i < m->n_parameters; i++) {
        const struct hl_parameter *p = &m->parameter[i];
        double k = p->unit.factor;
        fprintf(f, "| `%s%s%s` | %.7g %s | ", p->name, p->category ? "." : "", p->category ? p->category : "",
                p->value / k, unit_after(p->unit_text));
        if (p->has_range)
            fprintf(f, "%.5g to %.5g", p->low / k, p->high / k);
        fputs(" | ", f);
        cell(f, p->evidence.note);
        fputs(" | ", f);
        evidence(f, &p->evidence);
        fputs(" |\n", f);
    }
}

static void tabulate_spread(FILE *f, const struct hl_model *m)
{
    if (m->n_etas)
        fputs("\n## Between people\n\nNormal random numbers with mean 0; the CV is that of a lognormal quantity made "
              "with one.\n\n| effect | sd | CV | | evidence |\n|---|---|---|---|---|\n", f);
    for (size_t i = 0; i < m->n_etas; i++) {
        const struct hl_eta *e = &m->eta[i];
        fprintf(f, "| `%s` | %.4g | %.4g %% | %s", e->name, e->sd, 100.0 * sqrt(expm1(e->sd * e->sd)),
                e->occasion ? "per occasion; " : "");
        cell(f, e->evidence.note);
        fputs(" | ", f);
        evidence(f, &e->evidence);
        fputs(" |\n", f);
    }
    for (size_t i = 0; i < m->n_mixtures; i++) {
        fprintf(f, "\n`%s` is a class:", m->mixture[i].name);
        for (size_t k = 0; k < m->mixture[i].n; k++)
            fprintf(f, "%s %s with probability %.4g", k ? "," : "", m->mixture[i].class_name[k],
                    m->mixture[i].probability[k]);
        fputs(".\n", f);
    }
}

/* How a part enters: a bolus, or over a time, or at a rate; both together serve RATE -1 and -2 of data sets. */
static void tell_input(FILE *f, const struct hl_route_part_text *part)
{
    if (part->given) {
        fputs(part->input == HL_INPUT_RATE ? "at the rate " : "over ", f);
        code(f, part->given);
    } else if (part->released) {
        fputs("by its own course; by `tad` the fraction ", f);
        code(f, part->released);
    } else {
        fputs("at once", f);
        if (part->rate && part->duration) {
            fputs("; RATE -1: ", f);
            code(f, part->rate);
            fputs(", RATE -2: over ", f);
            code(f, part->duration);
        }
    }
}

static void tabulate_routes(FILE *f, const struct hl_model *m)
{
    const struct hl_model_parts *p = m->parts;
    if (p->n_routes)
        fputs("\n## Routes\n\n| route | into | share | bioavailability | lag | enters |\n|---|---|---|---|---|---|\n",
              f);
    for (size_t i = 0; i < p->n_routes; i++)
        for (size_t k = 0; k < p->route[i].n_parts; k++) {
            const struct hl_route_text *r = &p->route[i];
            const struct hl_route_part_text *part = &r->part[k];
            fprintf(f, "| `%s`%s | %s | ", r->name, r->is_default ? " (default)" : "",
                    part->into < 0 ? "?" : p->compartment[part->into].name);
            code(f, part->fraction);
            fputs(" | ", f);
            code(f, part->bioavailability);
            fputs(" | ", f);
            code(f, r->is_patch ? r->lag : part->lag);
            fputs(" | ", f);
            if (r->is_patch)
                fputs("from a patch", f);
            else
                tell_input(f, part);
            fputs(" |\n", f);
        }
}

static void list_residuals(FILE *f, const struct hl_model *m)
{
    if (m->parts->n_residuals)
        fputs("\n## Residual error\n\nStandard deviations of an observation.\n\n", f);
    for (size_t i = 0; i < m->parts->n_residuals; i++) {
        const struct hl_residual *e = &m->parts->residual[i];
        const struct hl_symbol *y = hl_model_symbol(m, e->output);
        fprintf(f, "- `%s`:", e->output);
        if (e->proportional > 0.0)
            fprintf(f, " %s %.4g", e->log ? "of the logarithm" : "proportional", e->proportional);
        if (e->has_additive && y && y->kind == HL_SYM_OUTPUT) {
            const struct hl_output_text *o = &m->parts->output[y->index];
            fprintf(f, "%s additive %.4g %s", e->proportional > 0.0 ? "," : "", e->additive / o->unit.factor,
                    unit_after(o->unit_text));
        }
        fputc('\n', f);
    }
}

static void list_references(FILE *f, const struct hl_model *m)
{
    if (m->n_references)
        fputs("\n## References\n\n", f);
    for (size_t i = 0; i < m->n_references; i++) {
        const struct hl_reference *r = &m->reference[i];
        fprintf(f, "- **%s**: %s", r->name, r->cite ? r->cite : "");
        if (r->doi)
            fprintf(f, ", <https://doi.org/%s>", r->doi);
        if (r->url)
            fprintf(f, ", <%s>", r->url);
        fputc('\n', f);
    }
    if (m->parts->n_notes)
        fputs("\n## Notes\n\n", f);
    for (size_t i = 0; i < m->parts->n_notes; i++)
        fprintf(f, "- %s\n", m->parts->note[i]);
}

static void list_equivalents(FILE *f, const struct hl_model *m)
{
    if (m->n_equivalents)
        fputs("\n## Equivalent doses\n\nAmounts that one table calls equal; compare models under one name.\n\n", f);
    for (size_t i = 0; i < m->n_equivalents; i++)
        fprintf(f, "- %s: %.7g mg\n", m->equivalent[i].name, m->equivalent[i].amount);
}

void hl_model_print_page(const struct hl_model *m, FILE *f)
{
    fprintf(f, "# %s\n\n%s\n", m->name, m->title ? m->title : "");
    if (m->description)
        fprintf(f, "\n%s\n", m->description);
    draw(f, m);
    fputs("\n## Equations\n\n````", f);
    hl_model_print_equations(m, f);
    hl_model_print_patches(m, f);
    fputs("````\n", f);
    tabulate_routes(f, m);
    tabulate_covariates(f, m);
    tabulate_parameters(f, m);
    tabulate_spread(f, m);
    list_residuals(f, m);
    list_equivalents(f, m);
    list_references(f, m);
}
