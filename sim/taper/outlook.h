/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a search asks of a cohort on its way down: where every subject stands after a sequence of levels, what would
 * come of stopping there, and, for the certificate, the most favourable state that any of several ways could have led
 * to. taper/forecast.h gives one made from a study; tests give others in closed form. All calls are thread-safe as long
 * as no prospect is written by two threads at once. */
#ifndef HL_TAPER_OUTLOOK_H
#define HL_TAPER_OUTLOOK_H

#include "base/status.h"
#include "taper/problem.h"

/* A cohort after some levels: a node of the search. Its statistics never fall along a schedule. What holds at any time
 * is one number of the cohort, which stands as every subject's; an envelope's are so many subjects at INFINITY as are
 * above the bound at the worst moment, whoever they are. */
struct hl_prospect;

/* The most favourable states over several ways to one time and rung, per subject and one constraint: lowest where lower
 * is better, highest where higher is. What follows from it is never worse than what follows from any of them, by the
 * order that hl_outlook.monotone states. */
struct hl_envelope;

struct hl_outlook {
    void *context;
    size_t n_subjects, n_constraints;

    /* Day 0, before the first reduced dose. NULL: no memory. */
    struct hl_prospect *(*begin)(void *context);
    /* A level more. NULL: no memory. */
    struct hl_prospect *(*step)(void *context, const struct hl_prospect *from, struct hl_taper_step level);
    /* Statistics so far, [constraint][subject], of the present prospect. */
    const double *(*statistics)(const struct hl_prospect *prospect);
    /* Statistics when nothing more is taken, to the end of the follow-up, [constraint][subject]. */
    enum hl_status (*stop)(void *context, const struct hl_prospect *from, double *statistic);
    void (*release)(void *context, struct hl_prospect *prospect);

    /* The same outlook of some of its subjects (ascending, n of them): its subject k is this one's subject[k] with the
     * same numbers. NULL instead of some: there is none to be had; NULL out of it: no memory. */
    struct hl_outlook *(*some)(void *context, const size_t *subject, size_t n);
    void (*some_release)(struct hl_outlook *some);

    /* By constraint: whether the order needed by envelopes holds; if not, a sentence says why not. */
    const bool *monotone;
    const char *const *why_not;
    /* The same for envelopes of one constraint with this bound and the subjects chosen (ascending, n of them); a
     * subject that can no longer keep the bound has the statistic INFINITY from there on, and adds nothing to what its
     * envelope meets (nothing follows from a way that is over). meet: into becomes the envelope of both. */
    struct hl_envelope *(*envelope_begin)(void *context, size_t constraint, double bound, const size_t *subject,
                                         size_t n);
    struct hl_envelope *(*envelope_copy)(void *context, const struct hl_envelope *from);
    struct hl_envelope *(*envelope_step)(void *context, const struct hl_envelope *from, struct hl_taper_step level);
    void (*envelope_meet)(void *context, struct hl_envelope *into, const struct hl_envelope *other);
    const double *(*envelope_statistics)(const struct hl_envelope *envelope);
    enum hl_status (*envelope_stop)(void *context, const struct hl_envelope *from, double *statistic);
    void (*envelope_release)(void *context, struct hl_envelope *envelope);
};

/* Statistics of a whole schedule (NULL: nothing is taken from day 0 on), to the end of the follow-up,
 * [constraint][subject]. HL_ERR_MEMORY, or what stop fails with. */
enum hl_status hl_outlook_follow(const struct hl_outlook *outlook, const struct hl_taper_schedule *schedule,
                                 double *statistic);

/* Whether every constraint is kept by as many subjects as its share asks for; statistic is [constraint][subject]. */
bool hl_outlook_keeps(const struct hl_outlook *outlook, const struct hl_taper_problem *problem,
                      const double *statistic);

#endif
