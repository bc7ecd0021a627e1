/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cohort in closed form for tests of the search and the certificate. Subject i holds a level C that follows the dose
 * D and an adaptation A that follows C, both looked at once a day:
 *
 *     C' = D + (C - D) e^-k      A' = C' + (A - C') e^-g      index = m (A' - C')
 *
 * Stopping gives D = 0. Statistics of the index over days: its peak, hours above a threshold, area above it. What is
 * favourable is a low A and a high C; a high C raises A later, so an envelope keeps the lowest and the highest C and
 * the lowest A, whose next value comes of the lowest C. */
#ifndef TESTS_UNIT_TAPER_COHORT_H
#define TESTS_UNIT_TAPER_COHORT_H

#include "taper/outlook.h"
#include "unit/taper_sample.h"

#define COHORT_CONSTRAINTS 2

struct cohort {
    const struct hl_taper_problem *problem;
    size_t n;
    double *k, *g, *m;       /* by subject: e^-k, e^-g, multiplier */
    double gain[HL_TAPER_DRUGS]; /* of a unit's total */
    int follow_days;
    bool monotone[COHORT_CONSTRAINTS];
    const char *why_not[COHORT_CONSTRAINTS];
    struct hl_outlook outlook;
};

struct hl_prospect { double *C, *A, *statistic; };
struct hl_envelope { size_t constraint, n; double bound; const size_t *subject; double *low, *high, *A, *statistic; };

static inline double cohort_dose(const struct cohort *c, size_t rung)
{
    double dose = 0;
    for (size_t d = 0; d < c->problem->n_drugs; d++)
        dose += c->gain[d] * (double)c->problem->rung[rung].total[d];
    return dose;
}

static inline double cohort_more(const struct hl_taper_constraint *constraint, double statistic, double index)
{
    double over = index - constraint->threshold;
    if (constraint->statistic == HL_TAPER_PEAK)
        return fmax(statistic, index);
    return over <= 0 ? statistic : statistic + 24 * (constraint->statistic == HL_TAPER_AREA_ABOVE ? over : 1);
}

/* Some days at one dose; C, A and statistics (n apart) of one subject go on. */
static inline void cohort_days(const struct cohort *c, size_t i, double dose, int days, double *C, double *A,
                               double *statistic, size_t apart)
{
    for (int day = 0; day < days; day++) {
        *C = dose + (*C - dose) * c->k[i];
        *A = *C + (*A - *C) * c->g[i];
        for (size_t q = 0; q < c->problem->n_constraints; q++)
            statistic[q * apart] = cohort_more(&c->problem->constraint[q], statistic[q * apart], c->m[i] * (*A - *C));
    }
}

static inline struct hl_prospect *cohort_new(const struct cohort *c, const struct hl_prospect *from)
{
    size_t n = c->n, all = n * (2 + c->problem->n_constraints);
    struct hl_prospect *p = hl_alloc(1, sizeof *p);
    p->C = hl_alloc(all, sizeof(double));
    p->A = p->C + n;
    p->statistic = p->A + n;
    if (from)
        memcpy(p->C, from->C, all * sizeof(double));
    return p;
}

static inline struct hl_prospect *cohort_begin(void *context)
{
    const struct cohort *c = context;
    struct hl_prospect *p = cohort_new(c, NULL);
    for (size_t i = 0; i < c->n; i++)
        p->C[i] = p->A[i] = cohort_dose(c, 0);
    return p;
}

static inline struct hl_prospect *cohort_step(void *context, const struct hl_prospect *from, struct hl_taper_step level)
{
    const struct cohort *c = context;
    struct hl_prospect *p = cohort_new(c, from);
    double dose = cohort_dose(c, level.rung);
    for (size_t i = 0; i < c->n; i++)
        cohort_days(c, i, dose, level.days, &p->C[i], &p->A[i], &p->statistic[i], c->n);
    return p;
}

static inline const double *cohort_statistics(const struct hl_prospect *p)
{
    return p->statistic;
}

static inline enum hl_status cohort_stop(void *context, const struct hl_prospect *from, double *statistic)
{
    const struct cohort *c = context;
    memcpy(statistic, from->statistic, c->n * c->problem->n_constraints * sizeof(double));
    for (size_t i = 0; i < c->n; i++) {
        double C = from->C[i], A = from->A[i];
        cohort_days(c, i, 0, c->follow_days, &C, &A, &statistic[i], c->n);
    }
    return HL_OK;
}

static inline void cohort_release(void *context, struct hl_prospect *p)
{
    (void)context;
    hl_free(p->C);
    hl_free(p);
}

static inline struct hl_envelope *cohort_envelope(size_t constraint, double bound, const size_t *subject, size_t n)
{
    struct hl_envelope *e = hl_alloc(1, sizeof *e);
    *e = (struct hl_envelope){.constraint = constraint, .bound = bound, .subject = subject, .n = n};
    e->low = hl_alloc(4 * n, sizeof(double));
    e->high = e->low + n;
    e->A = e->high + n;
    e->statistic = e->A + n;
    return e;
}

static inline struct hl_envelope *cohort_envelope_begin(void *context, size_t constraint, double bound,
                                                        const size_t *subject, size_t n)
{
    struct hl_envelope *e = cohort_envelope(constraint, bound, subject, n);
    for (size_t j = 0; j < n; j++)
        e->low[j] = e->high[j] = e->A[j] = cohort_dose(context, 0);
    return e;
}

static inline void cohort_envelope_days(const struct cohort *c, struct hl_envelope *e, double dose, int days)
{
    const struct hl_taper_constraint *constraint = &c->problem->constraint[e->constraint];
    for (size_t j = 0; j < e->n; j++)
        for (int day = 0; day < days; day++) {
            size_t i = e->subject[j];
            e->low[j] = dose + (e->low[j] - dose) * c->k[i];
            e->high[j] = dose + (e->high[j] - dose) * c->k[i];
            e->A[j] = e->low[j] + (e->A[j] - e->low[j]) * c->g[i];
            e->statistic[j] = cohort_more(constraint, e->statistic[j], c->m[i] * (e->A[j] - e->high[j]));
            if (e->statistic[j] > e->bound)
                e->statistic[j] = INFINITY;
        }
}

static inline struct hl_envelope *cohort_envelope_copy(void *context, const struct hl_envelope *from)
{
    (void)context;
    struct hl_envelope *e = cohort_envelope(from->constraint, from->bound, from->subject, from->n);
    memcpy(e->low, from->low, 4 * from->n * sizeof(double));
    return e;
}

static inline struct hl_envelope *cohort_envelope_step(void *context, const struct hl_envelope *from,
                                                       struct hl_taper_step level)
{
    struct hl_envelope *e = cohort_envelope_copy(context, from);
    cohort_envelope_days(context, e, cohort_dose(context, level.rung), level.days);
    return e;
}

static inline void cohort_envelope_meet(void *context, struct hl_envelope *into, const struct hl_envelope *other)
{
    (void)context;
    for (size_t j = 0; j < into->n; j++) {
        if (isinf(other->statistic[j]))
            continue;
        if (isinf(into->statistic[j])) { /* that way is over: as if it weren't there */
            into->low[j] = other->low[j];
            into->high[j] = other->high[j];
            into->A[j] = other->A[j];
        }
        into->low[j] = fmin(into->low[j], other->low[j]);
        into->high[j] = fmax(into->high[j], other->high[j]);
        into->A[j] = fmin(into->A[j], other->A[j]);
        into->statistic[j] = fmin(into->statistic[j], other->statistic[j]);
    }
}

static inline const double *cohort_envelope_statistics(const struct hl_envelope *e)
{
    return e->statistic;
}

static inline void cohort_envelope_release(void *context, struct hl_envelope *e)
{
    (void)context;
    hl_free(e->low);
    hl_free(e);
}

static inline enum hl_status cohort_envelope_stop(void *context, const struct hl_envelope *from, double *statistic)
{
    const struct cohort *c = context;
    struct hl_envelope *e = cohort_envelope_copy(context, from);
    cohort_envelope_days(c, e, 0, c->follow_days);
    memcpy(statistic, e->statistic, e->n * sizeof(double));
    cohort_envelope_release(context, e);
    return HL_OK;
}

static inline void cohort_bind(struct cohort *c);

/* Some of the subjects, as a cohort of their own. */
static inline struct hl_outlook *cohort_some(void *context, const size_t *subject, size_t n)
{
    const struct cohort *c = context;
    struct cohort *some = hl_alloc(1, sizeof *some);
    *some = *c;
    some->n = n;
    some->k = hl_alloc(3 * n, sizeof *some->k);
    some->g = some->k + n;
    some->m = some->g + n;
    for (size_t j = 0; j < n; j++) {
        some->k[j] = c->k[subject[j]];
        some->g[j] = c->g[subject[j]];
        some->m[j] = c->m[subject[j]];
    }
    cohort_bind(some);
    return &some->outlook;
}

static inline void cohort_some_release(struct hl_outlook *outlook)
{
    struct cohort *c = outlook->context;
    hl_free(c->k);
    hl_free(c);
}

static inline void cohort_bind(struct cohort *c)
{
    c->outlook = (struct hl_outlook){
        .context = c, .n_subjects = c->n, .n_constraints = c->problem->n_constraints, .begin = cohort_begin,
        .step = cohort_step, .statistics = cohort_statistics, .stop = cohort_stop, .release = cohort_release,
        .some = cohort_some, .some_release = cohort_some_release, .monotone = c->monotone, .why_not = c->why_not,
        .envelope_begin = cohort_envelope_begin, .envelope_copy = cohort_envelope_copy,
        .envelope_step = cohort_envelope_step, .envelope_meet = cohort_envelope_meet,
        .envelope_statistics = cohort_envelope_statistics, .envelope_stop = cohort_envelope_stop,
        .envelope_release = cohort_envelope_release};
}

/* Fills c, whose problem, subjects and follow_days are there, from the dice. */
static inline void cohort_make(struct hl_arena *arena, struct cohort *c, struct dice *dice)
{
    double *rows = hl_arena_alloc(arena, 3 * c->n, sizeof(double));
    c->k = rows;
    c->g = rows + c->n;
    c->m = rows + 2 * c->n;
    for (size_t i = 0; i < c->n; i++) {
        c->k[i] = exp(-dice_real(dice, 0.15, 0.9));
        c->g[i] = exp(-dice_real(dice, 0.05, 0.25));
        c->m[i] = exp(dice_real(dice, -0.8, 0.8));
    }
    for (size_t q = 0; q < COHORT_CONSTRAINTS; q++)
        c->monotone[q] = true;
    cohort_bind(c);
}

#endif
