/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What AMT, RATE, F, lag, R and D of a dose record mean. With A = AMT, and for each part of the route its fraction f
 * and bioavailability F (f = F = 1 without a route):
 *
 *     RATE 0                          amount F f A at once; where the route says zero_order: D, as RATE -2
 *     RATE r > 0   scales duration    rate f r        for F A / r          (NONMEM: the pump's rate is what it is)
 *                  scales rate        rate F f r      for A / r            (the pump's time is what it is)
 *     DUR d > 0                       rate F f A / d  for d                (the stated time holds, as in rxode2)
 *     RATE -1      scales duration    rate R          for F f A / R        R of the part
 *                  scales rate        rate F R        for f A / R
 *     RATE -2                         rate F f A / D  for D                D of the part
 *     AMT 0, SS: RATE r or -1         rate f r or R   since ever; F isn't applied
 *
 * A route with released: takes RATE 0 only: each dose F f A enters by its own course.
 *
 * A part that gets nothing (f = 0) is left out. Everything is read at the dose record and holds for the whole series.
 * */
#include "regimen/intake.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

struct reading {
    const struct hl_system *system;
    const double *regs;
    const struct hl_record *record;
    bool scales_rate;
    char *fault;
    size_t size;
};

static double value(const struct reading *r, int reg, double absent)
{
    return reg < 0 ? absent : r->regs[reg];
}

__attribute__((format(printf, 2, 3))) static bool fails(const struct reading *r, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(r->fault, r->size, format, list);
    va_end(list);
    return false;
}

/* "clonazepam.gut (route oral)" */
static const char *place(const struct reading *r, const struct hl_intake *x, char *text, size_t size)
{
    const char *state = r->system->state[x->state].name;
    if (x->route < 0)
        snprintf(text, size, "%.40s", state);
    else
        snprintf(text, size, "%.40s (route %.20s)", state, r->system->route[x->route].name);
    return text;
}

/* One of F, rate and duration: positive and finite. */
static bool is_positive(const struct reading *r, const struct hl_intake *x, const char *what, double v)
{
    char text[80];
    if (v > 0 && isfinite(v))
        return true;
    return fails(r, "%s of %s is %g; it must be positive", what, place(r, x, text, sizeof text), v);
}

/* Rate and duration of a modelled infusion: R of RATE -1 and D of RATE -2. */
static bool read_modelled(const struct reading *r, struct hl_intake *x, double F, bool constant)
{
    char text[80];
    bool rate = r->record->RATE == -1; /* a code, exactly -1 */
    int reg = !x->part ? -1 : rate ? x->part->rate_reg : x->part->duration_reg;
    if (reg < 0)
        return fails(r, "RATE %d, but the model states no %s for %s", rate ? -1 : -2, rate ? "rate" : "duration",
                     place(r, x, text, sizeof text));
    double stated = value(r, reg, NAN);
    if (!is_positive(r, x, rate ? "the rate" : "the duration", stated))
        return false;
    bool scaled = r->scales_rate && !constant;
    x->rate = rate ? stated * (scaled ? F : 1) : x->amount / stated;
    x->duration = constant ? 0 : rate ? x->amount / x->rate : stated;
    return true;
}

/* The course of a dose: what it reads is fixed now. */
static bool read_release(const struct reading *r, struct hl_intake *x)
{
    char text[80];
    const struct hl_release *release = x->part->release;
    if (r->record->RATE != 0 || r->record->DUR > 0)
        return fails(r, "an infusion, but doses into %s enter by a course of their own (released:); write RATE 0",
                     place(r, x, text, sizeof text));
    for (size_t i = 0; i < release->n_inputs; i++)
        x->input[i] = r->regs[release->input[i]];
    return true;
}

static bool read_input(const struct reading *r, struct hl_intake *x, double fraction, double F, bool constant)
{
    if (x->part && x->part->release)
        return read_release(r, x);
    double RATE = r->record->RATE, DUR = r->record->DUR;
    if (DUR > 0 && !constant) {
        x->rate = x->amount / DUR;
        x->duration = DUR;
        return true;
    }
    if (RATE < 0 || (RATE == 0 && x->part && x->part->every_dose))
        return read_modelled(r, x, F, constant);
    if (RATE == 0)
        return true;
    bool scaled = r->scales_rate && !constant;
    x->rate = RATE * fraction * (scaled ? F : 1);
    x->duration = constant ? 0 : (scaled ? 1 : F) * r->record->AMT / RATE;
    return true;
}

/* Reads one intake whose place is known; *used: something enters by it. */
static bool read_one(const struct reading *r, struct hl_intake *x, bool constant, bool *used)
{
    char text[80];
    double fraction = value(r, x->part ? x->part->fraction_reg : -1, 1);
    double F = value(r, x->part ? x->part->bioavailability_reg : -1, 1);
    *used = fraction != 0; /* exactly none */
    if (!*used)
        return true;
    if (!is_positive(r, x, "the fraction", fraction) || (!constant && !is_positive(r, x, "F", F)))
        return false;
    x->F = constant ? 1 : F * fraction;
    x->lag = constant ? 0 : value(r, x->part ? x->part->lag_reg : -1, 0);
    if (!(x->lag >= 0 && isfinite(x->lag)))
        return fails(r, "the lag of %s is %g h; it can't be negative", place(r, x, text, sizeof text), x->lag);
    x->amount = x->F * r->record->AMT;
    return read_input(r, x, fraction, F, constant);
}

bool hl_intake_default(const struct hl_system *system, int *route, int *state)
{
    int drug = 0;
    while (drug < (int)system->n_instances && !system->instance[drug].is_drug)
        drug++;
    if (drug == (int)system->n_instances)
        return false;
    *route = system->instance[drug].default_route;
    *state = -1;
    for (size_t k = 0; *route < 0 && *state < 0 && k < system->n_compartments; k++)
        if (system->compartment[k].instance == drug
            && system->compartment[k].output == system->instance[drug].default_output)
            *state = system->compartment[k].state;
    return *route >= 0 || *state >= 0;
}

void hl_intake_targets(const struct hl_system *system, const struct hl_data_facts *facts, bool *dosed)
{
    int route = -1, state = -1;
    if (facts->default_dosed && hl_intake_default(system, &route, &state)) {
        if (state >= 0)
            dosed[state] = true;
        for (size_t k = 0; route >= 0 && k < system->route[route].n_parts; k++)
            dosed[system->route[route].part[k].state] = true;
    }
    for (size_t k = 0; k < system->n_compartments; k++)
        if (facts->dosed[k])
            dosed[system->compartment[k].state] = true; /* all parts of its route enter here */
}

size_t hl_intake_most(const struct hl_system *system)
{
    size_t most = 1;
    for (size_t k = 0; k < system->n_routes; k++)
        most = system->route[k].n_parts > most ? system->route[k].n_parts : most;
    return most;
}

/* Route, or state, of the record's CMT. */
static bool find_place(const struct reading *r, int *route, int *state)
{
    int number = r->record->compartment;
    if (number >= 0) {
        *route = r->system->compartment[number].route;
        *state = r->system->compartment[number].state;
    } else if (!hl_intake_default(r->system, route, state)) {
        return fails(r, "the model names no route for a dose without CMT");
    }
    if (*route >= 0 && r->system->route[*route].is_patch)
        return fails(r, "route '%.60s' is a patch; a data set can't apply patches", r->system->route[*route].name);
    return true;
}

bool hl_intake_read(const struct hl_system *system, const double *regs, const struct hl_record *record, size_t index,
                    bool scales_rate, struct hl_intake *intake, size_t *n, char *fault, size_t size)
{
    struct reading r = {.system = system, .regs = regs, .record = record, .scales_rate = scales_rate, .fault = fault,
                        .size = size};
    bool constant = record->AMT == 0 && record->RATE != 0; /* items as written */
    int route = -1, state = -1;
    *n = 0;
    if (!find_place(&r, &route, &state))
        return false;
    size_t parts = route < 0 ? 1 : system->route[route].n_parts;
    for (size_t k = 0; k < parts; k++) {
        const struct hl_route_part *part = route < 0 ? NULL : &system->route[route].part[k];
        struct hl_intake x = {.record = index, .state = part ? part->state : state, .route = route, .part = part};
        x.instance = system->state[x.state].instance;
        bool used = false;
        if (!read_one(&r, &x, constant, &used))
            return false;
        if (used)
            intake[(*n)++] = x;
    }
    return true;
}
