/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calendar of a designed schedule. A level of n days holds n * 24 / period periods; in each, dose i of a drug takes
 * as many units as the rung says for its stream, made of the fewest pieces. A patch is worn for a period; an infusion
 * runs for the whole level. */
#include <math.h>
#include <string.h>

#include "taper/calendar.h"
#include "taper/products.h"

struct list { size_t n, capacity; struct hl_calendar_dose *dose; };

struct converter {
    struct hl_arena *arena;
    const struct hl_taper_problem *problem;
    struct list list;
    struct hl_doses doses[HL_TAPER_DRUGS];  /* how each amount of a drug is made */
    struct hl_diag *diag;
    bool good;
};

static enum hl_calendar_kind kind_of(const struct hl_taper_drug *drug)
{
    const char *form = drug->n_products ? drug->product[0].form : "tablet";
    return strcmp(form, "patch") == 0      ? HL_CALENDAR_PATCH
           : strcmp(form, "infusion") == 0 ? HL_CALENDAR_INFUSION
                                           : HL_CALENDAR_DOSE;
}

static void add_dose(struct converter *c, const struct hl_calendar_dose *dose)
{
    c->list.dose = hl_arena_push(c->arena, c->list.dose, c->list.n, &c->list.capacity, sizeof *c->list.dose);
    c->list.dose[c->list.n++] = *dose;
}

/* One dose of a drug through one level. */
static void add_stream(struct converter *c, size_t d, size_t i, long units, double begin, double end)
{
    const struct hl_taper_drug *drug = &c->problem->drug[d];
    enum hl_calendar_kind kind = kind_of(drug);
    double amount = (double)units * drug->unit;
    long *count = hl_arena_alloc(c->arena, drug->n_products + 1, sizeof *count);
    struct hl_calendar_dose dose = {.drug = d, .kind = kind, .count = count, .name = drug->dose[i].name};
    if (!hl_doses_count(&c->doses[d], drug, units, count)) {
        hl_diag_error(c->diag, hl_pos_none(), "%s: the products don't make a dose of %g", drug->alias, amount);
        c->good = false;
        return;
    }
    if (kind == HL_CALENDAR_INFUSION) {
        dose.time = begin;
        dose.rate = amount;
        dose.duration = end - begin;
        add_dose(c, &dose);
        return;
    }
    dose.amount = amount;
    dose.duration = kind == HL_CALENDAR_PATCH ? drug->period : 0;
    dose.interval = drug->period;
    for (size_t k = 0; begin + (double)k * drug->period < end - 1e-6; k++) {
        dose.time = begin + (double)k * drug->period + drug->dose[i].clock;
        add_dose(c, &dose);
    }
}

/* Tables up to the largest dose of the schedule. */
static bool make_doses(struct converter *c, const struct hl_taper_schedule *schedule)
{
    for (size_t d = 0; d < c->problem->n_drugs; d++) {
        const struct hl_taper_drug *drug = &c->problem->drug[d];
        long most = 0;
        for (size_t s = 0; s < schedule->n; s++)
            for (size_t i = 0; i < drug->n_doses; i++) {
                long units = c->problem->rung[schedule->step[s].rung].units[drug->first_stream + i];
                most = units > most ? units : most;
            }
        if (hl_doses_make(c->arena, drug, most, &c->doses[d]) == HL_OK)
            continue;
        hl_diag_error(c->diag, hl_pos_none(), "%s: doses too large for their unit", drug->alias);
        return false;
    }
    return true;
}

static void add_level(struct converter *c, const struct hl_taper_step *step, double begin)
{
    const struct hl_taper_rung *rung = &c->problem->rung[step->rung];
    for (size_t d = 0; d < c->problem->n_drugs; d++)
        for (size_t i = 0; i < c->problem->drug[d].n_doses; i++) {
            long units = rung->units[c->problem->drug[d].first_stream + i];
            if (units > 0)
                add_stream(c, d, i, units, begin, begin + step->days * 24.0);
        }
}

/* Small amounts are shown in micrograms; of a drug one unit throughout. */
static struct hl_calendar_drug shown_drug(const struct hl_taper_drug *drug)
{
    double largest = drug->n_products ? drug->product[0].strength : 1;
    enum hl_calendar_kind kind = kind_of(drug);
    bool small = kind == HL_CALENDAR_DOSE ? largest < 0.1 : largest < 1;
    return (struct hl_calendar_drug){
        .name = drug->alias, .product = drug->product,
        .n_products = kind == HL_CALENDAR_INFUSION ? 0 : drug->n_products,
        .unit = small ? "ug" : "mg", .rate_unit = small ? "ug/h" : "mg/h", .scale = small ? 1e-3 : 1,
        .rate_scale = small ? 1e-3 : 1};
}

enum hl_status hl_calendar_of_schedule(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                       const struct hl_taper_schedule *schedule,
                                       const struct hl_calendar_options *options, struct hl_calendar **calendar,
                                       struct hl_diag *diag)
{
    struct converter c = {.arena = arena, .problem = problem, .diag = diag, .good = true};
    struct hl_calendar_drug *drug = hl_arena_alloc(arena, problem->n_drugs, sizeof *drug);
    struct hl_calendar_options own = *options;
    double begin = 0;
    own.origin = fmod(options->origin + problem->begins, 24); /* day 0 is the first of the taper, not of the study */
    own.end = fmax(options->end - problem->begins, 0);
    for (size_t d = 0; d < problem->n_drugs; d++)
        drug[d] = shown_drug(&problem->drug[d]);
    if (!make_doses(&c, schedule))
        return HL_ERR_INPUT;
    for (size_t i = 0; i < schedule->n; i++) {
        add_level(&c, &schedule->step[i], begin);
        begin += schedule->step[i].days * 24.0;
    }
    own.end = fmax(own.end, begin);
    if (!c.good)
        return HL_ERR_INPUT;
    return hl_calendar_make(arena, &own, problem->n_drugs, drug, c.list.n, c.list.dose, calendar, diag);
}
