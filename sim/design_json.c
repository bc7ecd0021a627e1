/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A design as JSON, for programs. Numbers that aren't defined are null. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "design_parts.h"

static void put_number(double value, FILE *stream)
{
    if (isfinite(value))
        fprintf(stream, "%.15g", value);
    else
        fputs("null", stream);
}

static void key(const char *name, FILE *stream)
{
    hl_text_json(stream, name);
    fputs(": ", stream);
}

static void number(const char *name, double value, const char *after, FILE *stream)
{
    key(name, stream);
    put_number(value, stream);
    fputs(after, stream);
}

static void string(const char *name, const char *value, const char *after, FILE *stream)
{
    key(name, stream);
    hl_text_json(stream, value);
    fputs(after, stream);
}

static double shown(const struct hl_design *design, size_t kept, double value)
{
    const struct hl_taper_constraint *keep = hl_taper_constraint_of(design->problem, kept);
    return value / hl_design_unit(design, keep);
}

static void put_level(const struct hl_design *design, size_t i, FILE *stream)
{
    const struct hl_taper_problem *problem = design->problem;
    const struct hl_taper_step *step = &design->result.schedule.step[i];
    const struct hl_taper_rung *rung = &problem->rung[step->rung];
    const struct hl_taper_stand *stand = &design->result.stand[i + 1];
    fprintf(stream, "%s\n    {", i ? "," : "");
    number("from_day", stand->day - step->days + 1, ", ", stream);
    number("to_day", stand->day, ", ", stream);
    for (size_t d = 0; d < problem->n_drugs; d++) {
        const struct hl_taper_drug *drug = &problem->drug[d];
        key(drug->alias, stream);
        fputc('{', stream);
        number(drug->way == HL_TAPER_DOSES ? "total_mg" : "rate_mg_per_h", (double)rung->total[d] * drug->unit, ", ",
               stream);
        key("doses", stream);
        for (size_t k = 0; k < drug->n_doses; k++) {
            fputs(k ? ", {" : "[{", stream);
            string("clock", hl_taper_clock_text(design->arena, design->study, problem, drug->dose[k].clock), ", ",
                   stream);
            number("amount", (double)rung->units[drug->first_stream + k] * drug->unit, "}", stream);
        }
        fputs("]}, ", stream);
    }
    key("so_far", stream);
    for (size_t k = 0; k < design->n_kept; k++) {
        fputs(k ? ", " : "[", stream);
        put_number(shown(design, k, stand->so_far[k]), stream);
    }
    fputs("], ", stream);
    key("if_ended", stream);
    for (size_t k = 0; k < design->n_kept; k++) {
        fputs(k ? ", " : "[", stream);
        put_number(shown(design, k, stand->if_stopped[k]), stream);
    }
    fputs("]}", stream);
}

static void put_verdict(const struct hl_design_verdict *v, FILE *stream)
{
    fputc('{', stream);
    number("bound", v->bound, ", ", stream);
    number("value", v->value, ", ", stream);
    number("share", v->subjects ? (double)v->kept / (double)v->subjects : NAN, ", ", stream);
    number("share_low", v->low, ", ", stream);
    number("share_high", v->high, ", ", stream);
    fprintf(stream, "\"subjects\": %llu}", (unsigned long long)v->subjects);
}

static void put_verdicts(const char *name, const struct hl_design_verdict *verdict, size_t n, FILE *stream)
{
    key(name, stream);
    for (size_t k = 0; k < n; k++) {
        fputs(k ? ", " : "[", stream);
        put_verdict(&verdict[k], stream);
    }
    fputs("]", stream);
}

static void put_constraint(const struct hl_design *design, const struct hl_design_outcome *o, size_t c, FILE *stream)
{
    static const char *const names[] = {"q50", "q90", "q95"};
    bool peak = hl_taper_is_value(design->problem->constraint[c].statistic);
    fputs(c ? ", {" : "[{", stream);
    for (size_t q = 0; q < 3; q++)
        number(names[q], o->quantile[q][c], ", ", stream);
    number("hours_above", peak ? o->hours_above[c] : NAN, ", ", stream);
    number("share_above", peak ? o->share_above[c] : NAN, ", ", stream);
    number("share_above_at_once", peak ? o->worst_share[c] : NAN, ", ", stream);
    number("day_of_that", peak ? o->worst_day[c] : NAN, ", ", stream);
    key("after", stream);
    fputc('[', stream);
    for (size_t k = 0; k < design->request->n_marks; k++) {
        fputs(k ? ", {" : "{", stream);
        number("days", design->request->mark[k] / 24, ", ", stream);
        number("median", o->after[c * design->request->n_marks + k], "}", stream);
    }
    fputs("], \"verdict\": ", stream);
    put_verdict(&o->verdict[c], stream);
    fputc('}', stream);
}

static void put_outcome(const struct hl_design *design, size_t i, FILE *stream)
{
    const struct hl_design_outcome *o = &design->outcome[i];
    fprintf(stream, "%s\n    {", i ? "," : "");
    string("arm", o->plan.name, ", ", stream);
    string("kind", o->plan.kind, ", ", stream);
    number("days", o->facts.days, ", ", stream);
    number("levels", (double)o->facts.levels, ", ", stream);
    for (size_t d = 0; d < o->plan.problem->n_drugs; d++) {
        const struct hl_taper_drug *drug = &o->plan.problem->drug[d];
        key(drug->alias, stream);
        fputc('{', stream);
        number("cumulative_mg", o->facts.cumulative[d], ", ", stream);
        if (drug->worth > 0) /* it takes over: what that is of the first drug */
            number("equivalent_mg", o->facts.cumulative[d] * drug->worth, ", ", stream);
        number("products", o->facts.products[d], "}, ", stream);
    }
    key("constraints", stream);
    for (size_t c = 0; c < design->problem->n_constraints; c++)
        put_constraint(design, o, c, stream);
    fputs("]}", stream);
}

static void put_nearest(const struct hl_design *design, FILE *stream)
{
    key("nearest", stream);
    fputc('[', stream);
    for (size_t k = 0; k < design->result.n_constraints && !design->result.no_schedule; k++) {
        fputs(k ? ", {" : "{", stream);
        string("constraint", hl_taper_constraint_of(design->problem, k)->text, ", ", stream);
        number("bound", shown(design, k, design->result.bound[k]), ", ", stream);
        number("feasible", shown(design, k, design->result.nearest[k]), "}", stream);
    }
    fputs("],\n  ", stream);
}

void hl_design_json(const struct hl_design *design, FILE *stream)
{
    static const char *const outcomes[] = {"found", "impossible", "not found"};
    const struct hl_taper_result *result = &design->result;
    bool found = result->outcome == HL_TAPER_FOUND;
    fputs("{\n  ", stream);
    string("study", design->study->name, ",\n  ", stream);
    string("outcome", outcomes[result->outcome], ",\n  ", stream);
    if (!found)
        put_nearest(design, stream);
    number("days", found ? (double)result->schedule.days : (double)NAN, ",\n  ", stream);
    fprintf(stream, "\"every_way_followed\": %s,\n  \"certificate\": {\"valid\": %s, ",
            result->complete ? "true" : "false", design->bound.valid ? "true" : "false");
    number("days", design->bound.valid ? (double)design->bound.days : (double)NAN, ", ", stream);
    fprintf(stream, "\"impossible\": %s, ", design->bound.impossible ? "true" : "false");
    number("forecast_error", design->forecast_error, ", ", stream);
    string("text", design->bound.text, "},\n  ", stream);
    key("levels", stream);
    fputc('[', stream);
    for (size_t i = 0; found && i < result->schedule.n; i++)
        put_level(design, i, stream);
    fputs("],\n  ", stream);
    if (found && design->design_verdict) {
        put_verdicts("designed_on", design->design_verdict, design->n_kept, stream);
        fputs(",\n  ", stream);
    }
    key("arms", stream);
    fputc('[', stream);
    for (size_t i = 0; found && i < design->n_outcomes && design->outcome[i].verdict; i++)
        put_outcome(design, i, stream);
    fputs("],\n  ", stream);
    string("study_file", found ? design->study_file : "", ",\n  ", stream);
    string("result_file", found && !design->options->alone ? design->result_file : "", ",\n  ", stream);
    string("note", "A simulated index, not a clinical probability. For education and research only, not medical "
           "advice, not for dosing.", "\n}\n", stream);
}
