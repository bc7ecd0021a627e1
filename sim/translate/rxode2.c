/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An R script for rxode2: the model, and beside it vectors and matrices to solve it with. The model text names no
 * values, so that nothing in it can be mistaken for a constant; theta, omega and sigma hold them.
 *
 * One block serves rates of change and outputs: what both need is computed once, before d/dt. Compartments are numbered
 * in the order of their d/dt lines. */
#include <stdio.h>
#include <string.h>

#include "translate/tree.h"

/* ---- The model ---- */

/* An occasion that isn't written has no value, rather than none of the effect. */
static void write_occasion(struct hl_writer *w, const struct hl_plan_omega *o)
{
    const struct hl_translator *t = w->t;
    for (size_t k = 0; k < o->n; k++) {
        const char *name = t->eta[o->eta[k]].name;
        fputs("  ", w->out);
        for (size_t j = 0; j < t->asked->occasions; j++)
            fprintf(w->out, "if (OCC == %zu) {\n    %s <- %s\n  } else ", j + 1, name, hl_plan_eta_name(w->t, o, k, j));
        fprintf(w->out, "{\n    %s <- NA\n  }\n", name);
    }
}

/* f(gut) <- and the like stand behind d/dt; what ROUTE chooses is computed before. */
static void write_item(struct hl_writer *w, int state, enum hl_item item)
{
    static const char *const word[] = {"f", "alag", "dur", "rate"};
    struct hl_translator *t = w->t;
    const char *usual = hl_write_number(t, hl_plan_usual(item)), *state_name = t->state[state].name, *chosen = NULL;
    const struct hl_plan_input *plain;
    if (!hl_plan_item(t, state, item, &plain))
        return;
    const char *value = plain ? hl_write_expr(w, plain->voice, plain->item[item], HL_LOOSE) : usual;
    for (size_t i = 0; i < t->n_inputs; i++) {
        const struct hl_plan_input *x = &t->input[i];
        if (x->state != state || x->code == 0)
            continue;
        const char *other = x->item[item] ? hl_write_expr(w, x->voice, x->item[item], HL_LOOSE) : usual;
        if (!chosen) {
            chosen = hl_plan_name(t, t->state[state].voice,
                                  hl_arena_printf(t->arena, "%s_of_%s", word[item], state_name));
            hl_write_assign(w, chosen, value, NULL);
        }
        fprintf(w->out, "  if (ROUTE == %d) {\n    %s <- %s\n  }\n", x->code, chosen, other);
    }
    t->late = hl_arena_printf(t->arena, "%s  %s(%s) <- %s\n", t->late ? t->late : "", word[item], state_name,
                              chosen ? chosen : value);
}

static void write_subject(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    w->stage = HL_STAGE_SUBJECT;
    for (size_t i = 0; i < t->n_omegas; i++)
        if (t->omega[i].occasion)
            write_occasion(w, &t->omega[i]);
    for (size_t i = 0; i < t->n_covariates; i++) {
        const struct hl_plan_covariate *c = &t->covariate[i];
        if (c->wanted && c->name != c->column)
            hl_write_assign(w, c->name, hl_arena_printf(t->arena, "%s * %s", c->column,
                                                        hl_write_number(t, c->unit.factor)),
                            hl_arena_printf(t->arena, "from %s", c->unit_text));
    }
    hl_write_lines(w, &t->subject);
    for (size_t i = 0; i < t->n_jumps; i++)
        fprintf(w->out, "%*smtime(%s) <- %s # the rates of change jump here\n", w->indent, "", t->jump[i].name,
                hl_write_expr(w, t->jump[i].voice, t->jump[i].when, HL_LOOSE));
    for (int i = 0; i < (int)t->n_states; i++)
        for (int item = 0; item < HL_N_ITEMS; item++)
            write_item(w, i, (enum hl_item)item);
}

static void write_rates(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    w->stage = HL_STAGE_RATES;
    const char **rate = hl_arena_alloc(t->arena, t->n_states, sizeof *rate);
    hl_write_lines(w, &t->rates);
    for (size_t i = 0; i < t->n_states; i++) /* temporaries first */
        rate[i] = t->state[i].rate ? hl_write_expr(w, t->state[i].voice, t->state[i].rate, HL_LOOSE) : "0";
    for (size_t i = 0; i < t->n_states; i++)
        fprintf(w->out, "%*sd/dt(%s) <- %s\n", w->indent, "", t->state[i].name, rate[i]);
    if (t->late)
        fputs(t->late, w->out);
    w->stage = HL_STAGE_SUBJECT;
    for (size_t i = 0; i < t->n_states; i++) {
        const struct hl_expr *e = t->state[i].initial;
        if (e && !(e->op == HL_OP_NUMBER && e->value == 0.0)) { /* as written */
            const char *value = hl_write_expr(w, t->state[i].voice, e, HL_LOOSE);
            fprintf(w->out, "%*s%s(0) <- %s\n", w->indent, "", t->state[i].name, value);
        }
    }
}

static const char *observation(struct hl_translator *t, const struct hl_plan_shown *s)
{
    const char *text = s->ipred;
    if (s->n_proportional)
        text = s->log ? hl_arena_printf(t->arena, "%s * exp(%s)", text, s->eps_proportional)
                      : hl_arena_printf(t->arena, "%s * (1 + %s)", text, s->eps_proportional);
    return s->n_additive ? hl_arena_printf(t->arena, "%s + %s", text, s->eps_additive) : text;
}

static void write_outputs(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    w->stage = HL_STAGE_OUTPUT;
    hl_write_lines(w, &t->output);
    for (size_t i = 0; i < t->n_shown; i++)
        if (t->shown[i].apart)
            hl_write_assign(w, t->shown[i].apart, observation(t, &t->shown[i]), "with residual error");
}

/* ---- Values ---- */

static void write_theta(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    fputs("\n# Typical values\ntheta <- c(\n", w->out);
    for (size_t i = 0; i < t->n_parameters; i++) {
        const struct hl_plan_parameter *p = &t->parameter[i];
        char unit[64];
        if (p->wanted)
            fprintf(w->out, "  %s = %s, # %s\n", p->name, hl_write_value(t, p->value),
                    hl_clean(t, hl_evidence_text(t, hl_dim_name(p->info->unit.dim, unit, sizeof unit),
                                                 &p->info->evidence)));
    }
    fputs("  NULL)\n\n# Columns of the data; these values where there is none\ncovariates <- c(\n", w->out);
    for (size_t i = 0; i < t->n_covariates; i++) {
        const struct hl_plan_covariate *c = &t->covariate[i];
        if (!c->wanted)
            continue;
        const char *codes = hl_plan_codes(t, c->info->info->category, c->info->info->n_categories);
        fprintf(w->out, "  %s = %s, # %s\n", c->column, hl_write_value(t, c->value),
                *codes ? codes : c->unit_text);
    }
    for (size_t i = 0; i < t->n_mixtures; i++) {
        const struct hl_plan_mixture *m = &t->mixture[i];
        if (!m->wanted)
            continue;
        fprintf(w->out, "  %s = %zu, # class: %s\n", m->name, hl_plan_likeliest(m->info),
                hl_plan_codes(t, m->info->class_name, m->info->n));
    }
    fprintf(w->out, "%s%s  NULL)\n", hl_plan_has_occasions(t) ? "  OCC = 1, # occasion\n" : "",
            t->coded ? "  ROUTE = 0, # way in of a dose, see above\n" : "");
}

static void write_omega(struct hl_writer *w, const struct hl_plan_omega *o, size_t occasion)
{
    struct hl_translator *t = w->t;
    fputs("  ", w->out);
    for (size_t i = 0; i < o->n; i++)
        fprintf(w->out, "%s%s", i ? " + " : "", hl_plan_eta_name(t, o, i, occasion));
    fputs(o->n > 1 ? " ~ c(" : " ~ ", w->out);
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j <= i; j++)
            fprintf(w->out, "%s%s", i + j ? ", " : "", hl_write_value(t, o->covariance[i * o->n + j]));
    fprintf(w->out, "%s # variance;", o->n > 1 ? ")" : "");
    for (size_t i = 0; i < o->n; i++)
        fprintf(w->out, " %s", hl_grade_name(t->eta[o->eta[i]].info->evidence.grade));
    fputc('\n', w->out);
}

static void write_matrices(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    if (t->n_omegas > 0)
        fputs("\n# Variances and covariances of the random effects\nomega <- lotri({\n", w->out);
    for (size_t i = 0; i < t->n_omegas; i++)
        for (size_t j = 0; j < hl_plan_times(t, &t->omega[i]); j++)
            write_omega(w, &t->omega[i], j);
    if (t->n_omegas > 0)
        fputs("})\n", w->out);
    if (t->n_eps == 0)
        return;
    fputs("\n# Variances of the residual errors\nsigma <- lotri({\n", w->out);
    for (size_t i = 0; i < t->n_shown; i++) {
        const struct hl_plan_shown *s = &t->shown[i];
        if (s->n_proportional)
            fprintf(w->out, "  %s ~ %s # %s\n", s->eps_proportional,
                    hl_write_value(t, s->proportional * s->proportional), s->log ? "logarithmic" : "proportional");
        if (s->n_additive)
            fprintf(w->out, "  %s ~ %s # additive [%s]\n", s->eps_additive,
                    hl_write_value(t, s->additive * s->additive), t->system->output[s->output].unit_text);
    }
    fputs("})\n", w->out);
}

static void write_use(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    fputs("\n# A typical subject: every random effect 0. A column of the data comes before the value given here.\n"
          "typical <- c(theta, covariates", w->out);
    for (size_t i = 0; i < t->n_omegas; i++)
        for (size_t j = 0; j < hl_plan_times(t, &t->omega[i]); j++)
            for (size_t k = 0; k < t->omega[i].n; k++)
                fprintf(w->out, ",\n             %s = 0", hl_plan_eta_name(w->t, &t->omega[i], k, j));
    for (size_t i = 0; i < t->n_shown; i++) {
        if (t->shown[i].n_proportional)
            fprintf(w->out, ",\n             %s = 0", t->shown[i].eps_proportional);
        if (t->shown[i].n_additive)
            fprintf(w->out, ",\n             %s = 0", t->shown[i].eps_additive);
    }
    const char *data = t->asked->data ? t->asked->data : "events.csv";
    fprintf(w->out, ")\n#\n# events <- read.csv(\"%s\")\n"
            "# given <- function(x) x[setdiff(names(x), names(events))]\n"
            "# rxSolve(model, given(typical), events, atol = 1e-12, rtol = 1e-10)\n", data);
    if (t->n_omegas > 0 || t->n_eps > 0)
        fprintf(w->out, "# rxSolve(model, given(c(theta, covariates)), events%s%s)\n",
                t->n_omegas > 0 ? ", omega = omega" : "", t->n_eps > 0 ? ", sigma = sigma" : "");
}

void hl_write_rxode2(struct hl_translator *t, FILE *stream)
{
    struct hl_writer writer = {.t = t, .out = stream}, *w = &writer;
    const char **tad = hl_arena_alloc(t->arena, t->n_voices, sizeof *tad);
    for (size_t v = 0; v < t->n_voices; v++)
        tad[v] = "tad0()";
    t->tad_name = tad;
    hl_write_header(w);
    fputs("\nlibrary(rxode2)\n\nmodel <- rxode2({\n", stream);
    w->indent = 2;
    write_subject(w);
    write_rates(w);
    write_outputs(w);
    fputs("})\n", stream);
    w->indent = 0;
    write_theta(w);
    write_matrices(w);
    write_use(w);
}
