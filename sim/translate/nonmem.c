/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A NONMEM control stream (7.3 and later), complete: ADVAN13 integrates whatever the model is, and $SIMULATION
 * simulates it. Every THETA is fixed, because nothing is estimated here.
 *
 * Without an EPS NONMEM would take the ETAs for single-subject data; a model without residual error therefore has
 * one of variance 0. Comparisons of time with a constant become model event times (MTIME, MPAST), where the
 * integration stops. (NONMEM Users Guides IV, VI and VIII.) */
#include <stdio.h>
#include <string.h>

#include "translate/tree.h"

static const char *const items[] = {"ID", "TIME", "EVID", "AMT", "CMT", "RATE", "ADDL", "II", "SS", "DV", "MDV"};
static const char *const more_items[] = {"OCC",  "ROUTE", "DATE", "DAT1", "DAT2", "DAT3",
                                         "L1",   "L2",    "PCMT", "CALL", "CONT"};

static bool has_column(const struct hl_translator *t, const char *name)
{
    for (size_t i = 0; i < t->asked->n_columns; i++)
        if (strcasecmp(t->asked->column[i], name) == 0)
            return true;
    return t->asked->n_columns == 0;
}

/* ---- Records before the code ---- */

static size_t n_thetas(const struct hl_translator *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_parameters; i++)
        n += t->parameter[i].wanted;
    return n;
}

/* What goes beyond the sizes that NONMEM is installed with. */
static void write_sizes(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    size_t columns = sizeof items / sizeof *items + 2 + t->n_covariates;
    size_t effects = (size_t)(t->n_eta_numbers + t->n_eps + 1);
    if (t->asked->n_columns > columns)
        columns = t->asked->n_columns;
    const struct { const char *name; size_t need, have; } size[] = {
        {"LTH", n_thetas(t), 100}, {"LVR", effects, 30}, {"PC", t->n_states + 1, 30}, {"PD", columns, 50}};
    bool any = false;
    for (size_t i = 0; i < 4; i++)
        if (size[i].need > size[i].have) {
            fprintf(w->out, "%s %s=%zu", any ? "" : "$SIZES", size[i].name, size[i].need + 10);
            any = true;
        }
    if (any)
        fputc('\n', w->out);
}

/* A list of words in lines of moderate length. */
static void write_word(struct hl_writer *w, const char *word, int *at)
{
    if (*at + (int)strlen(word) > 100) {
        fputs("\n      ", w->out);
        *at = 6;
    }
    *at += fprintf(w->out, " %s", word);
}

static bool is_item(const char *column)
{
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        if (strcasecmp(items[i], column) == 0)
            return true;
    for (size_t i = 0; i < sizeof more_items / sizeof *more_items; i++)
        if (strcasecmp(more_items[i], column) == 0)
            return true;
    return false;
}

/* The columns of the file at hand, those that mean nothing here dropped. */
static void write_known_columns(struct hl_writer *w, int at)
{
    struct hl_translator *t = w->t;
    for (size_t i = 0; i < t->asked->n_columns; i++) {
        const char *column = t->asked->column[i];
        const char *word = is_item(column) ? column : NULL;
        for (size_t k = 0; k < t->n_covariates && !word; k++)
            if (t->covariate[k].wanted && strcasecmp(t->covariate[k].info->name, column) == 0)
                word = t->covariate[k].column;
        write_word(w, word ? word : hl_arena_printf(t->arena, "X%zu=DROP", i + 1), &at);
    }
}

static void write_input(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    int at = fprintf(w->out, "$INPUT");
    if (t->asked->n_columns > 0) {
        write_known_columns(w, at);
    } else {
        for (size_t i = 0; i < sizeof items / sizeof *items; i++)
            write_word(w, items[i], &at);
        if (hl_plan_has_occasions(t))
            write_word(w, "OCC", &at);
        if (t->coded)
            write_word(w, "ROUTE", &at);
        for (size_t i = 0; i < t->n_covariates; i++)
            if (t->covariate[i].wanted)
                write_word(w, t->covariate[i].column, &at);
    }
    fprintf(w->out, "\n$DATA %s IGNORE=@\n", t->asked->data ? t->asked->data : "events.csv");
    for (size_t i = 0; i < t->n_covariates; i++) {
        const struct hl_plan_covariate *c = &t->covariate[i];
        const char *list = hl_plan_codes(t, c->info->info->category, c->info->info->n_categories);
        if (c->wanted && !c->fixed)
            hl_write_comment(w, "%s: %s%s%s; default %s", c->column, *list ? list : "[",
                             *list ? "" : c->unit_text, *list ? "" : "]", hl_write_value(t, c->value));
    }
}

static void write_model(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    int dose = -1, observed = -1;
    if (t->n_voices && t->system->instance[0].default_route >= 0)
        for (size_t i = 0; i < t->n_inputs && dose < 0; i++)
            if (t->input[i].route == &t->system->route[t->system->instance[0].default_route])
                dose = t->input[i].state;
    for (size_t i = 0; i < t->n_states && observed < 0 && t->default_shown >= 0; i++)
        if (t->shown_of_state[i] == t->default_shown)
            observed = (int)i;
    fputs("$SUBROUTINES ADVAN13 TOL=9\n$MODEL\n", w->out);
    for (size_t i = 0; i < t->n_states; i++)
        fprintf(w->out, "  COMP=(%s%s%s)\n", t->state[i].name, (int)i == dose ? ", DEFDOSE" : "",
                (int)i == observed ? ", DEFOBS" : "");
}

/* Every combination of classes is one subpopulation; the last mixture changes fastest. */
static size_t n_subpopulations(const struct hl_translator *t)
{
    size_t n = 1;
    for (size_t i = 0; i < t->n_mixtures; i++)
        n *= t->mixture[i].wanted ? t->mixture[i].info->n : 1;
    return n;
}

static size_t class_in(const struct hl_translator *t, size_t mixture, size_t subpopulation)
{
    for (size_t i = t->n_mixtures; i-- > 0;) {
        size_t n = t->mixture[i].wanted ? t->mixture[i].info->n : 1;
        if (i == mixture)
            return subpopulation % n;
        subpopulation /= n;
    }
    return 0;
}

static void write_mix(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    size_t n = n_subpopulations(t);
    if (n == 1)
        return;
    fprintf(w->out, "$MIX\n  NSPOP = %zu\n", n);
    for (size_t k = 0; k < n; k++) {
        double p = 1.0;
        const char *what = "";
        for (size_t i = 0; i < t->n_mixtures; i++)
            if (t->mixture[i].wanted) {
                size_t c = class_in(t, i, k);
                p *= t->mixture[i].info->probability[c];
                what = hl_arena_printf(t->arena, "%s%s%s %s", what, *what ? ", " : "", t->mixture[i].dotted,
                                       t->mixture[i].info->class_name[c]);
            }
        fprintf(w->out, "  P(%zu) = %s  ; %s\n", k + 1, hl_write_number(t, p), what);
    }
}

/* ---- $PK ---- */

static void write_classes(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    for (size_t i = 0; i < t->n_mixtures; i++) {
        if (!t->mixture[i].wanted)
            continue;
        hl_write_comment(w, "class of %s, from 0", t->mixture[i].dotted);
        fprintf(w->out, "  %s = 0.0\n", t->mixture[i].name);
        for (size_t k = 0; k < n_subpopulations(t); k++)
            if (class_in(t, i, k) > 0)
                fprintf(w->out, "  IF (MIXNUM .EQ. %zu) %s = %zu.0\n", k + 1, t->mixture[i].name, class_in(t, i, k));
    }
}

static void write_thetas_of_pk(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    int n = 0;
    for (size_t i = 0; i < t->n_parameters; i++) {
        if (!t->parameter[i].wanted)
            continue;
        n++;
        if (t->parameter[i].name)
            fprintf(w->out, "  %s = THETA(%d)\n", t->parameter[i].name, n);
    }
}

static void write_occasion(struct hl_writer *w, const struct hl_plan_omega *o)
{
    const struct hl_translator *t = w->t;
    for (size_t k = 0; k < o->n; k++) {
        const char *name = t->eta[o->eta[k]].name;
        fprintf(w->out, "  %s = 0.0\n", name);
        for (size_t j = 0; j < t->asked->occasions; j++)
            fprintf(w->out, "  IF (OCC .EQ. %zu) %s = ETA(%zu)\n", j + 1, name, (size_t)o->first + j * o->n + k);
    }
}

static void write_etas(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    if (hl_plan_has_occasions(t) && !has_column(t, "OCC"))
        fputs("  OCC = 1\n", w->out);
    else if (hl_plan_has_occasions(t)) /* an occasion without an effect would be wrong in silence */
        fprintf(w->out, "  IF (OCC .LT. 1 .OR. OCC .GT. %zu) EXIT 1 101\n", t->asked->occasions);
    for (size_t i = 0; i < t->n_omegas; i++) {
        const struct hl_plan_omega *o = &t->omega[i];
        if (o->occasion)
            write_occasion(w, o);
        for (size_t k = 0; !o->occasion && k < o->n; k++)
            fprintf(w->out, "  %s = ETA(%zu)\n", t->eta[o->eta[k]].name, (size_t)o->first + k);
    }
}

static void write_covariates(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    for (size_t i = 0; i < t->n_covariates; i++) {
        const struct hl_plan_covariate *c = &t->covariate[i];
        if (!c->wanted)
            continue;
        if (c->fixed)
            hl_write_assign(w, c->column, hl_write_number(t, c->value),
                            hl_arena_printf(t->arena, "no column of the data: %s",
                                            c->info->info->n_categories ? c->info->info->category[(size_t)c->value]
                                                                        : c->unit_text));
        if (c->name != c->column)
            hl_write_assign(w, c->name, hl_arena_printf(t->arena, "%s * %s", c->column,
                                                        hl_write_number(t, c->unit.factor)),
                            hl_arena_printf(t->arena, "from %s", c->unit_text));
    }
}

/* F5, ALAG5 ...: what the compartment says, or what ROUTE chooses. */
static void write_item(struct hl_writer *w, int state, enum hl_item item)
{
    static const char *const word[] = {"F", "ALAG", "D", "R"};
    struct hl_translator *t = w->t;
    const char *left = hl_arena_printf(t->arena, "%s%d", word[item], state + 1);
    const char *usual = hl_write_number(t, hl_plan_usual(item));
    const struct hl_plan_input *plain;
    if (!hl_plan_item(t, state, item, &plain))
        return;
    hl_write_assign(w, left, plain ? hl_write_expr(w, plain->voice, plain->item[item], HL_LOOSE) : usual, NULL);
    for (size_t i = 0; i < t->n_inputs; i++) {
        const struct hl_plan_input *x = &t->input[i];
        if (x->state != state || x->code == 0)
            continue;
        const char *value = x->item[item] ? hl_write_expr(w, x->voice, x->item[item], HL_LOOSE) : usual;
        fprintf(w->out, "  IF (ROUTE .EQ. %d) %s = %s\n", x->code, left, value);
    }
}

static void write_inputs(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    for (int i = 0; i < (int)t->n_states; i++)
        for (int item = 0; item < HL_N_ITEMS; item++)
            write_item(w, i, (enum hl_item)item);
}

static void write_initial(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    const char **value = hl_arena_alloc(t->arena, t->n_states, sizeof *value);
    bool any = false;
    for (size_t i = 0; i < t->n_states; i++) {
        const struct hl_expr *e = t->state[i].initial;
        bool zero = !e || (e->op == HL_OP_NUMBER && e->value == 0.0); /* as written */
        value[i] = zero ? NULL : hl_write_expr(w, t->state[i].voice, e, HL_LOOSE);
        any |= !zero;
    }
    if (!any)
        return;
    fputs("  IF (A_0FLG .EQ. 1) THEN\n", w->out);
    w->indent += 2;
    for (size_t i = 0; i < t->n_states; i++)
        if (value[i])
            hl_write_assign(w, hl_arena_printf(t->arena, "A_0(%zu)", i + 1), value[i], t->state[i].name);
    w->indent -= 2;
    fputs("  ENDIF\n", w->out);
}

/* The compartments of one instance, as a condition on CMT; the first drug also takes doses without CMT. */
static const char *dosed_here(struct hl_translator *t, size_t voice)
{
    int first, last;
    hl_plan_range(t, (int)voice, &first, &last);
    return t->n_voices == 1 ? "" : hl_arena_printf(t->arena, " .AND. CMT .GE. %d .AND. CMT .LE. %d",
                                                   voice == 0 ? 0 : first, last);
}

static void write_time_of_dose(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    if (!t->uses_tad)
        return;
    for (size_t v = 0; v < t->n_voices; v++)
        if (t->tad_of_voice[v])
            fprintf(w->out, "  IF (NEWIND .NE. 2) THEN\n    TDOS%zu = -1.0\n    TDOQ%zu = -1.0\n  ENDIF\n"
                    "  IF ((EVID .EQ. 1 .OR. EVID .EQ. 4)%s) THEN\n    TDOQ%zu = TDOS%zu\n    TDOS%zu = TIME\n"
                    "  ENDIF\n", v + 1, v + 1, dosed_here(t, v), v + 1, v + 1, v + 1);
}

/* Times and amounts of doses that enter by a course of their own, newest first. */
static void write_courses(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    for (size_t i = 0; i < t->n_courses; i++) {
        const struct hl_plan_course *c = &t->course[i];
        fputs("  IF (NEWIND .NE. 2 .OR. EVID .GE. 3) THEN\n", w->out);
        for (size_t k = 0; k < c->n; k++)
            fprintf(w->out, "    %s = -1.0\n    %s = 0.0\n", c->time[k], c->amount[k]);
        fprintf(w->out, "  ENDIF\n  IF ((EVID .EQ. 1 .OR. EVID .EQ. 4) .AND. %s) THEN\n",
                hl_plan_taken_by(t, &t->input[c->input], ".EQ.", ".AND."));
        for (size_t k = c->n; k-- > 1;)
            fprintf(w->out, "    %s = %s\n    %s = %s\n", c->time[k], c->time[k - 1], c->amount[k], c->amount[k - 1]);
        fprintf(w->out, "    %s = TIME\n    %s = AMT\n  ENDIF\n", c->time[0], c->amount[0]);
    }
}

static void write_pk(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    fputs("$PK\n", w->out);
    w->stage = HL_STAGE_SUBJECT;
    w->temporaries = 0;
    w->indent = 2;
    if (t->coded && !has_column(t, "ROUTE"))
        fputs("  ROUTE = 0\n", w->out);
    write_time_of_dose(w);
    write_courses(w);
    write_classes(w);
    write_thetas_of_pk(w);
    write_etas(w);
    write_covariates(w);
    hl_write_lines(w, &t->subject);
    write_inputs(w);
    write_initial(w);
    for (size_t i = 0; i < t->n_jumps; i++)
        hl_write_assign(w, t->jump[i].name, hl_write_expr(w, t->jump[i].voice, t->jump[i].when, HL_LOOSE),
                        "the rates of change jump here");
}

/* ---- $DES and $ERROR ---- */

static void write_tad(struct hl_writer *w, const char *stem, const char *last, const char *now)
{
    struct hl_translator *t = w->t;
    const char **name = hl_arena_alloc(t->arena, t->n_voices, sizeof *name);
    for (size_t v = 0; v < t->n_voices; v++) {
        if (!t->tad_of_voice[v])
            continue;
        const char *before = hl_arena_printf(t->arena, "%s%zu", last, v + 1);
        name[v] = hl_arena_printf(t->arena, "%s%zu", stem, v + 1);
        /* a record is read before the time up to it is integrated */
        fprintf(w->out, "  %s = TDOS%zu\n", before, v + 1);
        fprintf(w->out, "  IF (%s .LT. TDOS%zu) %s = TDOQ%zu\n", now, v + 1, before, v + 1);
        fprintf(w->out, "  %s = %s - %s\n  IF (%s .LT. 0.0) %s = 0.0\n", name[v], now, before, before, name[v]);
    }
    t->tad_name = name;
}

static void write_des(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    fputs("$DES\n", w->out);
    w->stage = HL_STAGE_RATES;
    w->temporaries = 0;
    w->indent = 2;
    write_tad(w, "TADD", "TLAD", "T");
    hl_write_lines(w, &t->rates);
    for (size_t i = 0; i < t->n_states; i++) {
        const struct hl_plan_state *x = &t->state[i];
        struct hl_line line = {x->voice, hl_arena_printf(t->arena, "DADT(%zu)", i + 1),
                               x->rate ? x->rate : hl_tree_number(t, 0.0), x->name};
        hl_write_line(w, &line);
    }
}

/* IPRED and Y by the compartment of the record. */
static const char *observation(struct hl_translator *t, const struct hl_plan_shown *s, const char *ipred)
{
    const char *text = ipred;
    if (s->n_proportional)
        text = s->log ? hl_arena_printf(t->arena, "%s * EXP(EPS(%d))", text, s->n_proportional)
                      : hl_arena_printf(t->arena, "%s * (1.0 + EPS(%d))", text, s->n_proportional);
    return s->n_additive ? hl_arena_printf(t->arena, "%s + EPS(%d)", text, s->n_additive) : text;
}

static void write_shown(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    const struct hl_plan_shown *first = t->default_shown >= 0 ? &t->shown[t->default_shown] : NULL;
    fprintf(w->out, "  IPRED = %s\n", first ? first->ipred : "0.0");
    for (size_t i = 0; i < t->n_states; i++)
        if (t->shown_of_state[i] >= 0 && t->shown_of_state[i] != t->default_shown)
            fprintf(w->out, "  IF (CMT .EQ. %zu) IPRED = %s\n", i + 1, t->shown[t->shown_of_state[i]].ipred);
    const char *y = first ? observation(t, first, "IPRED") : "IPRED";
    fprintf(w->out, "  Y = %s%s\n", y, t->n_eps == 0 ? " + EPS(1)" : "");
    for (size_t i = 0; i < t->n_states; i++)
        if (t->n_eps > 0 && t->shown_of_state[i] >= 0 && t->shown_of_state[i] != t->default_shown)
            fprintf(w->out, "  IF (CMT .EQ. %zu) Y = %s\n", i + 1,
                    observation(t, &t->shown[t->shown_of_state[i]], "IPRED"));
}

static void write_error(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    fputs("$ERROR\n", w->out);
    w->stage = HL_STAGE_OUTPUT;
    w->temporaries = 0;
    w->indent = 2;
    write_tad(w, "TADE", "TLAE", "TIME");
    hl_write_lines(w, &t->output);
    write_shown(w);
    for (size_t i = 0; i < t->n_shown; i++)
        if (t->shown[i].apart)
            fprintf(w->out, "  %s = %s\n", t->shown[i].apart, observation(t, &t->shown[i], t->shown[i].ipred));
}

/* ---- Records after the code ---- */

static void write_thetas(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    int n = 0;
    fputs("$THETA\n", w->out);
    for (size_t i = 0; i < t->n_parameters; i++) {
        const struct hl_plan_parameter *p = &t->parameter[i];
        char unit[64];
        if (!p->wanted)
            continue;
        hl_dim_name(p->info->unit.dim, unit, sizeof unit);
        const char *evidence = hl_evidence_text(t, unit, &p->info->evidence);
        fprintf(w->out, "  %s FIX  ; %d %s %s\n", hl_write_value(t, p->value), ++n, strchr(p->dotted, '.') + 1,
                hl_clean(t, evidence));
    }
    if (n == 0)
        fputs("  1 FIX  ; the model has no parameters; NONMEM wants one\n", w->out);
}

static const char *eta_comment(struct hl_translator *t, size_t eta)
{
    const struct hl_plan_eta *e = &t->eta[eta];
    return hl_clean(t, hl_arena_printf(t->arena, "%s%s, %s", strchr(e->dotted, '.') + 1,
                                       e->info->occasion ? ", per occasion" : "",
                                       hl_evidence_text(t, "variance", &e->info->evidence)));
}

static void write_block(struct hl_writer *w, const struct hl_plan_omega *o)
{
    struct hl_translator *t = w->t;
    fprintf(w->out, "$OMEGA BLOCK(%zu)\n", o->n);
    for (size_t i = 0; i < o->n; i++) {
        fputs(" ", w->out);
        for (size_t j = 0; j <= i; j++)
            fprintf(w->out, " %s", hl_write_value(t, o->covariance[i * o->n + j]));
        fprintf(w->out, "  ; %zu %s\n", (size_t)o->first + i, eta_comment(t, o->eta[i]));
    }
}

static void write_single(struct hl_writer *w, const struct hl_plan_omega *o, size_t i, int number)
{
    struct hl_translator *t = w->t;
    double variance = t->asked->typical ? 0.0 : o->covariance[i * o->n + i];
    fprintf(w->out, "$OMEGA %s%s  ; %d %s\n", hl_write_value(t, variance), variance > 0.0 ? "" : " FIX", number,
            eta_comment(t, o->eta[i]));
}

static void write_omega(struct hl_writer *w, const struct hl_plan_omega *o)
{
    struct hl_translator *t = w->t;
    size_t occasions = hl_plan_times(t, o);
    bool singly = t->asked->typical || o->covariance[0] <= 0.0;
    for (size_t j = 0; j < occasions; j++) {
        if (singly || (o->n == 1 && !o->occasion))
            for (size_t i = 0; i < o->n; i++)
                write_single(w, o, i, o->first + (int)(j * o->n + i));
        else if (j == 0)
            write_block(w, o);
        else
            fprintf(w->out, "$OMEGA BLOCK(%zu) SAME  ; occasion %zu\n", o->n, j + 1);
    }
}

static void write_sigma(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    if (t->n_eps == 0)
        fputs("$SIGMA 0 FIX  ; the model states no residual error\n", w->out);
    for (int n = 1; n <= t->n_eps; n++)
        for (size_t i = 0; i < t->n_shown; i++) {
            const struct hl_plan_shown *s = &t->shown[i];
            double sd = s->n_proportional == n ? s->proportional : s->n_additive == n ? s->additive : -1.0;
            if (sd < 0.0)
                continue;
            const struct hl_output *o = &t->system->output[s->output];
            fprintf(w->out, "$SIGMA %s%s  ; %d variance of the %s error of %s\n",
                    hl_write_value(t, t->asked->typical ? 0.0 : sd * sd), t->asked->typical ? " FIX" : "", n,
                    s->n_additive == n ? hl_arena_printf(t->arena, "additive [%s]", o->unit_text)
                    : s->log           ? "logarithmic"
                                       : "proportional",
                    strchr(o->name, '.') + 1);
        }
}

static void write_table(struct hl_writer *w)
{
    struct hl_translator *t = w->t;
    fputs("$SIMULATION (12345) ONLYSIMULATION\n", w->out);
    int at = fprintf(w->out, "$TABLE ID TIME EVID CMT IPRED");
    for (size_t i = 0; i < t->output.n; i++)
        write_word(w, t->output.line[i].name, &at);
    for (size_t i = 0; i < t->n_shown; i++)
        if (t->shown[i].apart)
            write_word(w, t->shown[i].apart, &at);
    fputs("\n       NOPRINT ONEHEADER FORMAT=s1PE15.8 FILE=halflife.tab\n", w->out);
}

void hl_write_nonmem(struct hl_translator *t, FILE *stream)
{
    struct hl_writer writer = {.t = t, .out = stream}, *w = &writer;
    hl_write_header(w);
    write_sizes(w);
    fprintf(stream, "$PROBLEM %s\n", hl_clean(t, t->asked->source));
    write_input(w);
    write_model(w);
    write_mix(w);
    write_pk(w);
    write_des(w);
    write_error(w);
    w->indent = 0;
    write_thetas(w);
    for (size_t i = 0; i < t->n_omegas; i++)
        write_omega(w, &t->omega[i]);
    write_sigma(w);
    write_table(w);
}
