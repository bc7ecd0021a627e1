/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doses that are the same for all are rows of subject 0. A subject's own rows are everything that may be missed, was
 * decided at a review, or comes from a table of recorded doses; then what its pump gave and refused. What was taken and
 * what was demanded are the same pure functions of (seed, subject) that the solver saw; what was decided is what the
 * solver handed out.
 *
 * A row says what was really taken: of a dose made up for twice the amount, of a patch that wasn't changed how long it
 * stayed on. Given again as recorded, nothing is missed any more. */
#include "run_given.h"

#include "cohort/cohort.h"

/* Room for the doses of one subject. */
struct room {
    size_t capacity;
    struct hl_given *given;
    unsigned char *taken;
    double *regs;
    struct hl_events events;
    struct hl_history own;
};

static void room_clear(struct room *room)
{
    hl_free(room->given);
    hl_free(room->taken);
    hl_free(room->regs);
    hl_free(room->events.event);
    hl_history_clear(&room->own);
}

static enum hl_status room_reserve(struct room *room, size_t n)
{
    if (room->given && room->taken && n <= room->capacity)
        return HL_OK;
    hl_free(room->given);
    hl_free(room->taken);
    room->capacity = n + n / 2 + 1;
    room->given = hl_alloc(room->capacity, sizeof *room->given);
    room->taken = hl_alloc(room->capacity, sizeof *room->taken);
    return room->given && room->taken ? HL_OK : HL_ERR_MEMORY;
}

static struct hl_given given_dose(size_t a, const struct hl_system *system, const struct hl_dose *dose, double *regs)
{
    return (struct hl_given){.arm = (int)a, .time = dose->time, .rate = dose->rate, .route = dose->route,
                             .strength = dose->amount, .duration = dose->duration, .interval = dose->repeat_interval,
                             .amount = hl_regimen_amount(dose, system, regs, 1, 0),
                             .instance = system->route[dose->route].instance};
}

/* The prescribed doses, alike for all: subject 0. What a patch holds is asked of the typical subject. */
static enum hl_status store_prescribed(struct hl_store *store, size_t a, const struct hl_system *system,
                                       const struct hl_regimen *regimen, struct room *room)
{
    size_t n = 0;
    enum hl_status status = room_reserve(room, regimen->n_doses);
    if (status != HL_OK)
        return status;
    hl_system_reset(system, room->regs, 1);
    hl_program_run(&system->individual, room->regs, 1);
    for (size_t i = 0; i < regimen->n_doses; i++)
        if (!hl_regimen_may_miss(regimen, system, &regimen->dose[i]))
            room->given[n++] = given_dose(a, system, &regimen->dose[i], room->regs);
    return hl_store_doses(store, n, room->given);
}

/* One planned dose as it was taken, or that it was not. */
static struct hl_given taken_dose(size_t a, uint64_t subject, const struct hl_system *system,
                                  const struct hl_planned *planned, size_t i, const struct room *room)
{
    struct hl_dose dose = planned->regimen.dose[i];
    if (room->taken[i] == 2)
        dose.amount *= 2;
    if (dose.kind == HL_DOSE_PATCH && planned->regimen.adherence)
        dose.duration = hl_regimen_worn_until(&planned->regimen, room->taken, i + 1, dose.route,
                                              dose.time + dose.duration) - dose.time;
    struct hl_given given = given_dose(a, system, &dose, room->regs);
    given.subject = subject;
    given.missed = room->taken[i] == 0;
    return given;
}

/* Every dose of the subject's own. */
static enum hl_status store_taken(struct hl_store *store, const struct hl_prepared *p, size_t a, uint64_t subject,
                                  const struct hl_history *history, struct room *room)
{
    const struct hl_arm *arm = &p->study->arm[a];
    const struct hl_regimen *regimen = p->regimen[a];
    struct hl_planned planned = {.n = 0};
    size_t n = 0;
    room->own.n = 0;
    enum hl_status status = history ? hl_history_copy(history, regimen->n_reviewed, &room->own) : HL_OK;
    if (status == HL_OK)
        status = hl_history_doses(regimen, subject, &room->own);
    if (status == HL_OK)
        status = hl_planned_make(regimen, arm->system, room->own.dose, room->own.n_doses, &planned);
    if (status == HL_OK)
        status = room_reserve(room, planned.n);
    if (status == HL_OK)
        hl_regimen_taken(&planned.regimen, arm->system, arm->cohort->seed, subject, room->taken);
    for (size_t i = 0; status == HL_OK && i < planned.n; i++)
        if ((planned.own && planned.own[i] != SIZE_MAX)
            || hl_regimen_may_miss(regimen, arm->system, &planned.regimen.dose[i]))
            room->given[n++] = taken_dose(a, subject, arm->system, &planned, i, room);
    hl_planned_clear(&planned);
    return status == HL_OK ? hl_store_doses(store, n, room->given) : status;
}

static enum hl_status store_demands(struct hl_store *store, const struct hl_prepared *p, size_t a, uint64_t subject,
                                    struct room *room)
{
    const struct hl_arm *arm = &p->study->arm[a];
    struct hl_regimen demands = {.n_demands = p->regimen[a]->n_demands, .demand = p->regimen[a]->demand};
    size_t n = 0;
    enum hl_status status = hl_regimen_events(&demands, arm->system, room->regs, 1, 0, arm->cohort->seed, subject,
                                              &room->events);
    if (status == HL_OK)
        status = room_reserve(room, room->events.n);
    for (size_t i = 0; status == HL_OK && i < room->events.n; i++) {
        const struct hl_event *e = &room->events.event[i];
        if (e->kind == HL_EVENT_GIVEN || e->kind == HL_EVENT_REFUSED)
            room->given[n++] = (struct hl_given){.arm = (int)a, .subject = subject, .time = e->time,
                                                 .amount = e->value, .instance = e->instance, .route = e->route,
                                                 .strength = e->value, .refused = e->kind == HL_EVENT_REFUSED};
    }
    return status == HL_OK ? hl_store_doses(store, n, room->given) : status;
}

static enum hl_status store_reviews(struct hl_store *store, const struct hl_prepared *p, size_t a, uint64_t subject,
                                    const struct hl_history *h)
{
    const struct hl_system *system = p->study->arm[a].system;
    struct hl_reviewed_at *row = hl_alloc(h->n, sizeof *row);
    for (size_t i = 0; row && i < h->n; i++) {
        const struct hl_review *v = &h->review[i];
        const struct hl_reviewed *r = &p->regimen[a]->reviewed[v->reviewed];
        row[i] = (struct hl_reviewed_at){
            .arm = (int)a, .subject = subject, .instance = r->instance, .number = (int)v->number, .time = v->time,
            .value = v->value / system->output[hl_review_output(r, v)].unit.factor, .decision = (int)v->then,
            .rule = v->rule + 1, .level_before = hl_review_level(r, v->before),
            .level_after = hl_review_level(r, v->after), .dose_before = hl_review_daily(r, v->before),
            .dose_after = hl_review_daily(r, v->after)};
    }
    enum hl_status status = row ? hl_store_reviews(store, h->n, row) : HL_ERR_MEMORY;
    hl_free(row);
    return status;
}

static enum hl_status store_outcomes(struct hl_store *store, const struct hl_prepared *p, size_t a,
                                     const struct hl_history *history, const signed char *failed)
{
    const struct hl_regimen *regimen = p->regimen[a];
    size_t subjects = history ? (size_t)p->study->arm[a].cohort->subjects : 0, n = regimen->n_reviewed;
    struct hl_review_outcome *all = hl_alloc(subjects * n, sizeof *all);
    if (!all)
        return HL_ERR_MEMORY;
    for (size_t k = 0; k < subjects; k++)
        for (size_t i = 0; i < n && !failed[k]; i++)
            all[k * n + i] = history[k].outcome[i];
    enum hl_status status = hl_store_tapers(store, a, regimen, all, failed);
    hl_free(all);
    return status;
}

enum hl_status hl_run_store_given(struct hl_store *store, const struct hl_prepared *p, size_t a,
                                  const struct hl_history *history, const signed char *failed)
{
    const struct hl_arm *arm = &p->study->arm[a];
    const struct hl_regimen *regimen = p->regimen[a];
    struct room room = {.regs = hl_alloc(arm->system->n_regs, sizeof *room.regs)};
    enum hl_status status = room.regs ? store_prescribed(store, a, arm->system, regimen, &room) : HL_ERR_MEMORY;
    bool own = regimen->adherence || history || regimen->recorded.n_subjects > 0;
    for (uint64_t k = 1; (own || regimen->n_demands > 0) && status == HL_OK && k <= arm->cohort->subjects; k++) {
        const struct hl_history *his = history ? &history[k - 1] : NULL;
        hl_cohort_fill(p->cohort[a], k, 1, room.regs, 1);
        status = own ? store_taken(store, p, a, k, his, &room) : HL_OK;
        if (status == HL_OK && regimen->n_demands > 0)
            status = store_demands(store, p, a, k, &room);
        if (status == HL_OK && his)
            status = store_reviews(store, p, a, k, his);
    }
    room_clear(&room);
    return status == HL_OK ? store_outcomes(store, p, a, history, failed) : status;
}
