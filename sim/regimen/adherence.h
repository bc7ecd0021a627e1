/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people really take: which of their planned doses they miss, and whether they make up for it. A rule is read from
 * adherence: of a study, an arm or a drug in it; whether a dose is taken is a pure function of the rule, seed, subject,
 * the drug's alias and the dose's planned time in whole minutes, so that the engine, a forecast and a second run agree
 * whatever came before. Infusions and pumps aren't subject to it. */
#ifndef HL_REGIMEN_ADHERENCE_H
#define HL_REGIMEN_ADHERENCE_H

#include <stdint.h>

#include "base/diag.h"
#include "base/memory.h"
#include "base/yaml.h"

/* How a drug's planned doses are missed. Probabilities are those of a subject in the middle (spread 0). */
struct hl_adherence {
    double after_taken, after_missed; /* chance of missing a dose by what became of the last one; equal: independent */
    bool markov;                      /* it was written as a chain */
    bool other_days;                  /* on some days of the week ... */
    double on_those_days;             /* ... the chance is this one, whatever came before */
    unsigned days;                    /* bit k: weekday k, 0 Monday .. 6 Sunday */
    int weekday;                      /* of t = 0 */
    double origin;                    /* the clock at t = 0 [h after midnight] */
    double spread;                    /* between subjects: standard deviation of the logit of all these chances */
    bool doubles;                     /* the first dose taken after one or more missed ones is taken twice */
    double from, until;               /* [h]; all planned doses outside [from, until) are taken once */
};

/* One subject's own chances; the stream its draws come from. */
struct hl_adherence_person {
    const struct hl_adherence *rule;
    uint64_t seed, subject, stream;
    double after_taken, after_missed, on_those_days;
    double first; /* of the first dose: what the chain comes to in the long run */
};

/* Where a subject's row of planned doses stands; zero-initialised before the first one. A plain value: a copy of it
 * goes on from the same place another way. */
struct hl_adherence_walk {
    bool began, missed, owed;
    unsigned char times;
    int64_t minute;
};

/* A subject's chances under a rule for the drug called alias; rule must outlive it. NULL rule: everything is taken. */
void hl_adherence_person_init(struct hl_adherence_person *person, const struct hl_adherence *rule, uint64_t seed,
                              uint64_t subject, const char *alias);

/* How many times the next planned dose, at time [h], is taken: 0, 1 or 2. Call it for the doses of the drug in the
 * order of time, those of nothing (0 mg) left out; doses planned in the same minute are one occasion and share its
 * fate. */
unsigned hl_adherence_next(const struct hl_adherence_person *person, struct hl_adherence_walk *walk, double time);

/* The same for n doses at once, ascending times [h], into taken (n). walk: where the row stands, moved on; NULL for a
 * row that begins here. */
void hl_adherence_taken(const struct hl_adherence *rule, uint64_t seed, uint64_t subject, const char *alias,
                        const double *time, size_t n, struct hl_adherence_walk *walk, unsigned char *taken);

/* Share of planned doses that the rule misses in the long run, over weekdays and subjects in the middle of the spread;
 * of a chain its stationary share. What the days of the week do is exact for doses at equal intervals within a day. */
double hl_adherence_missed_share(const struct hl_adherence *rule);

/* Reads what stands under adherence: for one drug or for all (a mapping of missed:, markov:, weekends: and so on), with
 * origin the clock at t = 0 [h]. `full` gives *rule NULL and true. false with messages in diag. */
bool hl_adherence_read(struct hl_arena *arena, const struct hl_yaml *node, double origin,
                       const struct hl_adherence **rule, struct hl_diag *diag);

/* One line for people: "5 % of doses missed, independently; the next one is then taken twice; from 0 h". */
const char *hl_adherence_text(struct hl_arena *arena, const struct hl_adherence *rule);

#endif
