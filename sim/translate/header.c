/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comments: what stands above a text, and beside its numbers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "build_info.h"
#include "translate/inside.h"

#define LINE 110

const char *hl_clean(struct hl_translator *t, const char *text)
{
    char *copy = hl_arena_strdup(t->arena, text);
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c >= 0x80 && t->target == HL_TO_NONMEM) { /* Fortran's source is ASCII; one mark for each character */
            if (*c >= 0xC0)
                copy[n++] = '?';
        } else {
            copy[n++] = *c < ' ' ? ' ' : (char)*c;
        }
    }
    while (n > 0 && (copy[n - 1] == '&' || copy[n - 1] == ' ')) /* & would go on in the next line */
        n--;
    copy[n] = '\0';
    return copy;
}

static void wrapped(struct hl_writer *w, const char *text, int hanging)
{
    static const char *const sign[] = {";", "//", "#"};
    const char *mark = sign[w->t->target], *rest = hl_clean(w->t, text);
    int at = fprintf(w->out, "%*s%s", w->indent, "", mark);
    bool first = true;
    while (*rest) {
        size_t n = strcspn(rest, " "), spaces = strspn(rest + n, " ");
        if (n > 0 && !first && at + 1 + (int)n > LINE) {
            fprintf(w->out, "\n%*s%s%*s", w->indent, "", mark, hanging, "");
            at = w->indent + (int)strlen(mark) + hanging;
        }
        at += fprintf(w->out, " %.*s", (int)n, rest);
        at += fprintf(w->out, "%*s", spaces > 1 ? (int)spaces - 1 : 0, "");
        first = first && n == 0;
        rest += n + spaces;
    }
    fputc('\n', w->out);
}

void hl_write_comment(struct hl_writer *w, const char *format, ...)
{
    char text[4000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    wrapped(w, text, 2);
}

const char *hl_evidence_text(struct hl_translator *t, const char *unit, const struct hl_evidence *e)
{
    const char *text = hl_arena_printf(t->arena, "[%s] %s", unit, e->grade ? hl_grade_name(e->grade) : "no grade");
    if (e->mark)
        text = hl_arena_printf(t->arena, "%s (%s)", text, e->mark);
    if (e->provisional)
        text = hl_arena_printf(t->arena, "%s, provisional", text);
    for (size_t i = 0; i < e->n_source; i++)
        text = hl_arena_printf(t->arena, "%s%s%s", text, i ? ", " : "; ", e->source[i]);
    return text;
}

static void write_models(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    for (size_t v = 0; v < t->n_voices; v++) {
        const struct hl_model *m = t->voice[v].model;
        const char *alias = t->voice[v].instance->alias;
        hl_write_comment(w, "%s%s%s: %s", t->n_voices > 1 ? alias : "", t->n_voices > 1 ? " = " : "", m->name,
                         m->title ? m->title : "");
        if (t->n_voices > 1)
            hl_write_comment(w, "  its names begin with %s", t->prefix[v]);
        if (m->description)
            hl_write_comment(w, "  %s", m->description);
    }
}

static void write_states(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    hl_write_comment(w, "Compartments (CMT) and other states:");
    for (size_t i = 0; i < t->n_states; i++)
        hl_write_comment(w, "  %2zu  %-20s %s [%s]", i + 1, t->state[i].name, t->state[i].info->name,
                         t->state[i].info->unit_text);
}

static void write_doses(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    if (t->n_inputs == 0)
        return;
    hl_write_comment(w, "Doses, route by route%s:",
                     t->coded ? " (ROUTE is a data item, 0 or absent: what the compartment itself says)" : "");
    for (size_t i = 0; i < t->n_inputs; i++) {
        const struct hl_plan_input *x = &t->input[i];
        char code[32] = "";
        if (x->code)
            snprintf(code, sizeof code, " ROUTE=%d", x->code);
        hl_write_comment(w, "  %-16s CMT=%d%s; %s", x->text->name, x->state + 1, code, x->how);
    }
}

static void write_limits(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    if (t->n_limits > 0)
        hl_write_comment(w, "Mind:");
    for (size_t i = 0; i < t->n_limits; i++)
        hl_write_comment(w, "  - %s", t->limit[i]);
}

static void write_renames(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    if (t->n_renames > 0)
        hl_write_comment(w, "Names that had to change (halflife: here):");
    for (size_t i = 0; i < t->n_renames; i++)
        hl_write_comment(w, "  %s: %s", t->rename[i].from, t->rename[i].to);
}

static void write_unused(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    const char *list = "";
    for (size_t i = 0; i < t->n_parameters; i++)
        if (!t->parameter[i].wanted)
            list = hl_arena_printf(t->arena, "%s%s%s", list, *list ? ", " : "",
                                   strchr(t->parameter[i].dotted, '.') + 1);
    if (*list)
        hl_write_comment(w, "Parameters that nothing here uses: %s", list);
}

static void write_references(struct hl_writer *w)
{
    const struct hl_translator *t = w->t;
    for (size_t v = 0; v < t->n_voices; v++) {
        const struct hl_model *m = t->voice[v].model;
        if (m->n_references > 0)
            hl_write_comment(w, "References of %s:", m->name);
        for (size_t i = 0; i < m->n_references; i++)
            hl_write_comment(w, "  %s: %s%s%s", m->reference[i].name, m->reference[i].cite ? m->reference[i].cite : "",
                             m->reference[i].doi ? ", doi " : "", m->reference[i].doi ? m->reference[i].doi : "");
    }
}

void hl_write_header(struct hl_writer *w)
{
    hl_write_comment(w, "%s translated by halflife %s into a %s.", w->t->asked->source, HL_VERSION,
                     hl_target_text(w->t->target));
    hl_write_comment(w, "For education and research, not for dosing.");
    hl_write_comment(w, "Units: time h, amounts mg, volumes L, concentrations mg/L (= ug/mL), body weight kg; amounts "
                     "of substance nmol, pressure mmHg, age year. Covariates and outputs stand in the units named "
                     "beside them; a factor is written where they differ.");
    write_models(w);
    write_states(w);
    write_doses(w);
    write_limits(w);
    write_renames(w);
    write_unused(w);
    write_references(w);
}

const char *hl_plan_codes(struct hl_translator *t, const char *const *name, size_t n)
{
    const char *list = "";
    for (size_t k = 0; k < n; k++)
        list = hl_arena_printf(t->arena, "%s%s%zu %s", list, k ? ", " : "", k, name[k]);
    return list;
}

void hl_plan_range(const struct hl_translator *t, int voice, int *first, int *last)
{
    *first = *last = 0;
    for (size_t i = 0; i < t->n_states; i++)
        if (t->state[i].voice == voice) {
            *first = *first ? *first : (int)i + 1;
            *last = (int)i + 1;
        }
}
