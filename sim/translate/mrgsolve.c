/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An mrgsolve model file. Variables of blocks become globals of the compiled file: what $MAIN computes is seen by
 * $ODE and $TABLE, but what $ODE computes belongs to the solver's last call, so that $TABLE computes outputs anew
 * under other names. (mrgsolve User Guide: model specification, modeled events.) */
#include <stdio.h>
#include <string.h>

#include "translate/tree.h"

/* NAME = value // comment */
static void write_value(struct hl_writer *w, const char *name, double value, const char *comment)
{
    fprintf(w->out, "%s = %s // %s\n", name, hl_write_value(w->t, value), hl_clean(w->t, comment));
}

static void write_parameters(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    bool any = false;
    for (size_t i = 0; i < t->n_parameters; i++) {
        const struct hl_plan_parameter *p = &t->parameter[i];
        char unit[64];
        if (!p->wanted)
            continue;
        if (!any)
            fputs("\n$PARAM // typical values\n", w->out);
        any = true;
        write_value(w, p->name, p->value,
                    hl_evidence_text(t, hl_dim_name(p->info->unit.dim, unit, sizeof unit), &p->info->evidence));
    }
}

static void write_covariates(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    bool any = t->coded || hl_plan_has_occasions(t);
    for (size_t i = 0; i < t->n_covariates; i++)
        any |= t->covariate[i].wanted;
    for (size_t i = 0; i < t->n_mixtures; i++)
        any |= t->mixture[i].wanted;
    if (any)
        fputs("\n$PARAM @covariates // columns of the data; these values where there is none\n", w->out);
    for (size_t i = 0; i < t->n_covariates; i++) {
        const struct hl_plan_covariate *c = &t->covariate[i];
        const struct hl_covariate *info = c->info->info;
        if (c->wanted)
            write_value(w, c->column, c->value,
                        info->n_categories ? hl_plan_codes(t, info->category, info->n_categories)
                                           : hl_arena_printf(t->arena, "[%s]", c->unit_text));
    }
    for (size_t i = 0; i < t->n_mixtures; i++)
        if (t->mixture[i].wanted)
            write_value(w, t->mixture[i].name, (double)hl_plan_likeliest(t->mixture[i].info),
                        hl_arena_printf(t->arena, "class: %s", hl_plan_codes(t, t->mixture[i].info->class_name,
                                                                     t->mixture[i].info->n)));
    if (hl_plan_has_occasions(t))
        fputs("OCC = 1 // occasion\n", w->out);
    if (t->coded)
        fputs("ROUTE = 0 // way in of a dose, see above\n", w->out);
}

static void write_states(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    fputs("\n$CMT\n", w->out);
    for (size_t i = 0; i < t->n_states; i++)
        fprintf(w->out, "%s%s", t->state[i].name, (i + 1) % 8 && i + 1 < t->n_states ? " " : "\n");
}

static void write_omega(struct hl_writer *w, const struct hl_plan_omega *o, size_t occasion)
{
    struct hl_translator *t = w->t;
    fprintf(w->out, "\n$OMEGA%s @labels", o->n > 1 ? " @block" : "");
    for (size_t i = 0; i < o->n; i++)
        fprintf(w->out, " %s", hl_plan_eta_name(t, o, i, occasion));
    fputc('\n', w->out);
    for (size_t i = 0; i < o->n; i++) {
        for (size_t j = 0; j <= i; j++)
            fprintf(w->out, "%s ", hl_write_value(t, o->covariance[i * o->n + j]));
        fprintf(w->out, "// %s\n", hl_clean(t, hl_evidence_text(t, "variance", &t->eta[o->eta[i]].info->evidence)));
    }
}

static void write_sigma(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    for (size_t i = 0; i < t->n_shown; i++) {
        const struct hl_plan_shown *s = &t->shown[i];
        if (s->n_proportional)
            fprintf(w->out, "\n$SIGMA @labels %s\n%s // variance of the %s error of %s\n", s->eps_proportional,
                    hl_write_value(t, s->proportional * s->proportional), s->log ? "logarithmic" : "proportional",
                    s->ipred);
        if (s->n_additive)
            fprintf(w->out, "\n$SIGMA @labels %s\n%s // variance of the additive error of %s [%s]\n", s->eps_additive,
                    hl_write_value(t, s->additive * s->additive), s->ipred, t->system->output[s->output].unit_text);
    }
}

/* ---- $MAIN ---- */

static void write_occasion(struct hl_writer *w, const struct hl_plan_omega *o)
{
    const struct hl_translator *t = w->t;
    for (size_t k = 0; k < o->n; k++) {
        fprintf(w->out, "double %s = ", t->eta[o->eta[k]].name);
        for (size_t j = 0; j < t->asked->occasions; j++)
            fprintf(w->out, "OCC == %zu ? %s : ", j + 1, hl_plan_eta_name(w->t, o, k, j));
        fputs("NAN;\n", w->out);
    }
}

/* F_gut and the like: "ROUTE == 2 ? a : ROUTE == 3 ? b : plain". */
static void write_item(struct hl_writer *w, int state, enum hl_item item)
{
    static const char *const word[] = {"F", "ALAG", "D", "R"};
    struct hl_translator *t = w->t;
    const char *usual = hl_write_number(t, hl_plan_usual(item));
    const struct hl_plan_input *plain;
    if (!hl_plan_item(t, state, item, &plain))
        return;
    fprintf(w->out, "%s_%s = ", word[item], t->state[state].name);
    for (size_t i = 0; i < t->n_inputs; i++) {
        const struct hl_plan_input *x = &t->input[i];
        if (x->state == state && x->code > 0)
            fprintf(w->out, "ROUTE == %d ? %s : ", x->code,
                    x->item[item] ? hl_write_expr(w, x->voice, x->item[item], HL_SUM) : usual);
    }
    fprintf(w->out, "%s;\n", plain ? hl_write_expr(w, plain->voice, plain->item[item], HL_SUM) : usual);
}

static void write_inputs(struct hl_writer *w)
{
    for (int i = 0; i < (int)w->t->n_states; i++)
        for (int item = 0; item < HL_N_ITEMS; item++)
            write_item(w, i, (enum hl_item)item);
}

static void write_initial(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    for (size_t i = 0; i < t->n_states; i++) {
        const struct hl_expr *e = t->state[i].initial;
        if (e && !(e->op == HL_OP_NUMBER && e->value == 0.0)) /* as written */
            fprintf(w->out, "%s_0 = %s;\n", t->state[i].name, hl_write_expr(w, t->state[i].voice, e, HL_LOOSE));
    }
}

/* Times of dose stand in globals that $ODE can see. */
static void write_tad(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    const char **name = hl_arena_alloc(t->arena, t->n_voices, sizeof *name);
    for (size_t v = 0; v < t->n_voices; v++)
        if (t->tad_of_voice[v])
            name[v] = hl_arena_printf(t->arena, "tdose_%zu", v + 1);
    t->tad_name = name;
    if (t->uses_tad || t->n_courses > 0)
        fputs("\n$GLOBAL\n", w->out);
    for (size_t v = 0; v < t->n_voices; v++)
        if (name[v])
            fprintf(w->out, "double %s = -1.0;\ndouble tdoseq_%zu = -1.0;\n", name[v], v + 1);
    for (size_t i = 0; i < t->n_courses; i++)
        for (size_t k = 0; k < t->course[i].n; k++)
            fprintf(w->out, "double %s = -1.0;\ndouble %s = 0.0;\n", t->course[i].time[k], t->course[i].amount[k]);
}

/* Times and amounts of doses that enter by a course of their own, newest first; one statement after the other. */
static void write_courses(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    for (size_t i = 0; i < t->n_courses; i++) {
        const struct hl_plan_course *c = &t->course[i];
        const char *taken = hl_plan_taken_by(t, &t->input[c->input], "==", "&&");
        for (size_t k = 0; k < c->n; k++)
            fprintf(w->out, "if (NEWIND <= 1 || EVID == 3 || EVID == 4) %s = -1.0;\n", c->time[k]);
        for (size_t k = c->n; k-- > 0;) {
            const char *time = k ? c->time[k - 1] : "TIME", *amount = k ? c->amount[k - 1] : "AMT";
            fprintf(w->out, "if ((EVID == 1 || EVID == 4) && %s) %s = %s;\n", taken, c->time[k], time);
            fprintf(w->out, "if ((EVID == 1 || EVID == 4) && %s) %s = %s;\n", taken, c->amount[k], amount);
        }
    }
}

static void write_time_of_dose(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    for (size_t v = 0; v < t->n_voices; v++) {
        int first, last;
        hl_plan_range(t, (int)v, &first, &last);
        if (!t->tad_of_voice[v])
            continue;
        const char *dose = hl_arena_printf(w->t->arena, "(EVID == 1 || EVID == 4) && CMT >= %d && CMT <= %d",
                                           first, last);
        fprintf(w->out, "if (NEWIND <= 1) tdose_%zu = -1.0;\nif (NEWIND <= 1) tdoseq_%zu = -1.0;\n", v + 1, v + 1);
        fprintf(w->out, "if (%s) tdoseq_%zu = tdose_%zu;\n", dose, v + 1, v + 1);
        fprintf(w->out, "if (%s) tdose_%zu = TIME;\n", dose, v + 1);
    }
}

static void write_main(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    write_tad(w);
    fputs("\n$MAIN\n", w->out);
    w->stage = HL_STAGE_SUBJECT;
    write_time_of_dose(w);
    write_courses(w);
    for (size_t i = 0; i < t->n_omegas; i++)
        if (t->omega[i].occasion)
            write_occasion(w, &t->omega[i]);
    for (size_t i = 0; i < t->n_covariates; i++) {
        const struct hl_plan_covariate *c = &t->covariate[i];
        if (c->wanted && c->name != c->column)
            fprintf(w->out, "double %s = %s * %s; // from %s\n", c->name, c->column,
                    hl_write_number(t, c->unit.factor), c->unit_text);
    }
    hl_write_lines(w, &t->subject);
    write_inputs(w);
    write_initial(w);
    for (size_t i = 0; i < t->n_jumps; i++)
        fprintf(w->out, "double %s = self.mtime(%s); // the rates of change jump here\n", t->jump[i].name,
                hl_write_expr(w, t->jump[i].voice, t->jump[i].when, HL_LOOSE));
}

/* ---- $ODE and $TABLE ---- */

static void write_ode(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    fputs("\n$ODE\n", w->out);
    w->stage = HL_STAGE_RATES;
    hl_write_lines(w, &t->rates);
    for (size_t i = 0; i < t->n_states; i++) {
        const struct hl_plan_state *x = &t->state[i];
        fprintf(w->out, "dxdt_%s = %s;\n", x->name,
                hl_write_expr(w, x->voice, x->rate ? x->rate : hl_tree_number(t, 0.0), HL_LOOSE));
    }
}

static const char *observation(struct hl_translator *t, const struct hl_plan_shown *s)
{
    const char *text = s->ipred;
    if (s->n_proportional)
        text = s->log ? hl_arena_printf(t->arena, "%s * exp(%s)", text, s->eps_proportional)
                      : hl_arena_printf(t->arena, "%s * (1.0 + %s)", text, s->eps_proportional);
    return s->n_additive ? hl_arena_printf(t->arena, "%s + %s", text, s->eps_additive) : text;
}

/* By the compartment of the record, as in halflife's data sets. */
static void write_by_compartment(struct hl_writer *w, const char *left, bool with_error)
{
    struct hl_translator *t = w->t;
    fprintf(w->out, "capture %s = ", left);
    for (size_t i = 0; i < t->n_states; i++)
        if (t->shown_of_state[i] >= 0 && t->shown_of_state[i] != t->default_shown) {
            const struct hl_plan_shown *s = &t->shown[t->shown_of_state[i]];
            fprintf(w->out, "CMT == %zu ? %s : ", i + 1, with_error ? observation(t, s) : s->ipred);
        }
    const struct hl_plan_shown *s = &t->shown[t->default_shown];
    fprintf(w->out, "%s;\n", with_error ? observation(t, s) : s->ipred);
}

static void write_table(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    fputs("\n$TABLE\n", w->out);
    w->stage = HL_STAGE_OUTPUT;
    hl_write_lines(w, &t->output);
    if (t->default_shown < 0)
        return;
    write_by_compartment(w, "IPRED", false);
    write_by_compartment(w, "DV", true);
    for (size_t i = 0; i < t->n_shown; i++)
        if (t->shown[i].apart)
            fprintf(w->out, "capture %s = %s;\n", t->shown[i].apart, observation(t, &t->shown[i]));
}

void hl_write_mrgsolve(struct hl_translator *t, FILE *stream)
{
    struct hl_writer writer = {.t = t, .out = stream}, *w = &writer;
    fprintf(stream, "$PROB\n# %s\n\n", t->asked->source);
    hl_write_header(w);
    write_parameters(w);
    write_covariates(w);
    write_states(w);
    for (size_t i = 0; i < t->n_omegas; i++)
        for (size_t j = 0; j < hl_plan_times(t, &t->omega[i]); j++)
            write_omega(w, &t->omega[i], j);
    write_sigma(w);
    write_main(w);
    write_ode(w);
    write_table(w);
    if (t->needs_r)
        fputs("\n$PLUGIN Rcpp\n", stream);
    fputs("\n$SET rtol = 1e-10, atol = 1e-12, maxsteps = 100000\n", stream);
}
