/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forecasts of a cohort: one for what everybody took before, one for every situation under under:, joined into one
 * outlook whose constraints repeat, situation after situation. */
#include <string.h>

#include "design_parts.h"

/* What people take of the doses of a forecast: the rules of the situation's arm. Rows of doses began before day 0, so
 * whoever has just missed the last dose before it is known. */
struct habits {
    const struct hl_prepared *p;
    size_t arm;
    const struct hl_taper_problem *problem;
    struct hl_adherence_person *person[HL_TAPER_DRUGS]; /* by drug of the problem, then subject; NULL: all is taken */
};

/* The row up to day 0. */
static void walk_before(const struct habits *habits, const struct hl_adherence_person *person, int instance,
                        struct hl_adherence_walk *walk)
{
    const struct hl_regimen *before = habits->p->regimen[habits->arm];
    for (size_t i = 0; i < before->n_doses && before->dose[i].time < habits->problem->begins - 1e-6; i++)
        if (habits->p->study->system->route[before->dose[i].route].instance == instance &&
            before->dose[i].kind != HL_DOSE_INFUSION)
            hl_adherence_next(person, walk, before->dose[i].time);
}

static unsigned next_dose(void *context, uint64_t subject, size_t drug, double time, void *walk_room)
{
    const struct habits *habits = context;
    struct hl_adherence_walk *walk = (struct hl_adherence_walk *)walk_room + drug;
    const struct hl_adherence_person *person = habits->person[drug];
    if (!person)
        return 1;
    if (!walk->began)
        walk_before(habits, &person[subject - 1], habits->problem->drug[drug].instance, walk);
    unsigned times = hl_adherence_next(&person[subject - 1], walk, time);
    return times > 1 && habits->problem->drug[drug].way == HL_TAPER_PATCHES ? 1 : times; /* nobody wears two for one */
}

/* NULL when the situation's arm says that everything is taken. */
static struct hl_forecast_adherence *habits_of(const struct hl_taper_problem *problem, const struct hl_prepared *p,
                                               size_t arm)
{
    struct habits *habits = hl_arena_alloc(p->arena, 1, sizeof *habits);
    struct hl_forecast_adherence *out = hl_arena_alloc(p->arena, 1, sizeof *out);
    const struct hl_cohort_spec *cohort = p->study->arm[arm].cohort;
    bool any = false;
    *habits = (struct habits){.p = p, .arm = arm, .problem = problem};
    for (size_t d = 0; d < problem->n_drugs; d++) {
        const struct hl_adherence *const *rules = (const struct hl_adherence *const *)p->regimen[arm]->adherence;
        const struct hl_adherence *rule = rules ? rules[problem->drug[d].instance] : NULL;
        if (!rule || problem->drug[d].way == HL_TAPER_RATE)
            continue;
        any = true;
        habits->person[d] = hl_arena_alloc(p->arena, (size_t)cohort->subjects, sizeof *habits->person[d]);
        for (uint64_t k = 1; k <= cohort->subjects; k++)
            hl_adherence_person_init(&habits->person[d][k - 1], rule, cohort->seed, k, problem->drug[d].alias);
    }
    *out = (struct hl_forecast_adherence){.context = habits, .next = next_dose,
                                          .walk_size = problem->n_drugs * sizeof(struct hl_adherence_walk)};
    return any ? out : NULL;
}

enum hl_status hl_design_forecast_other(struct hl_design *design, const struct hl_taper_problem *problem,
                                        struct hl_forecast ***part, struct hl_forecast **joined)
{
    const struct hl_prepared *p = &design->prepared;
    size_t n = problem->n_situations;
    *part = hl_arena_alloc(p->arena, n, sizeof **part);
    for (size_t s = 0; s < n; s++) {
        struct hl_forecast_request request = {.study = p->study, .before = &p->study->arm[problem->situation[s]],
                                              .t0 = problem->begins, .problem = problem,
                                              .adherence = habits_of(problem, p, problem->situation[s])};
        (*part)[s] = hl_forecast_create(p->arena, &request, design->diag);
        if (!(*part)[s])
            return HL_ERR_INPUT;
    }
    *joined = n == 1 ? (*part)[0] : hl_forecast_join(p->arena, *part, n, design->diag);
    return *joined ? HL_OK : HL_ERR_INPUT;
}

enum hl_status hl_design_forecast(struct hl_design *design)
{
    enum hl_status status = hl_design_forecast_other(design, design->problem, &design->part, &design->joined);
    if (status == HL_OK)
        design->outlook = hl_forecast_outlook(design->joined);
    return status;
}

enum hl_status hl_design_forecast_all(struct hl_design *design, struct hl_forecast **forecast)
{
    bool same = design->all->n_rungs == design->problem->n_rungs;
    enum hl_status status = same ? HL_OK : hl_design_forecast_other(design, design->all, &design->all_part,
                                                                    &design->all_joined);
    *forecast = same ? design->joined : design->all_joined;
    return status;
}

static void clear(struct hl_forecast **part, struct hl_forecast *joined, size_t n)
{
    if (part && joined != part[0])
        hl_forecast_free(joined);
    for (size_t s = 0; part && s < n; s++)
        hl_forecast_free(part[s]);
}

void hl_design_forecast_drop(const struct hl_design *design, struct hl_forecast **part, struct hl_forecast *joined)
{
    clear(part, joined, design->problem->n_situations);
}

void hl_design_forecast_clear(struct hl_design *design)
{
    if (!design->problem)
        return;
    clear(design->part, design->joined, design->problem->n_situations);
    clear(design->all_part, design->all_joined, design->problem->n_situations);
}
