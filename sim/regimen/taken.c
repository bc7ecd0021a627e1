/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of an arm's planned doses a subject takes: the rule of each drug (adherence.c) along its doses in the order of
 * time. Doses of nothing are no occasion.
 *
 * A patch that isn't changed: who forgets to put on the next one forgets to take off the old one. So where a patch is
 * due off at the very time at which the next one by its route is due on, and that change is missed, it stays on until
 * the missed one would have come off, and releases what is left in it; at the end of a course, or where a pause without
 * a patch is planned, it comes off when planned. */
#include <math.h>

#include "regimen/compile.h"

bool hl_regimen_may_miss(const struct hl_regimen *regimen, const struct hl_system *system, const struct hl_dose *dose)
{
    return regimen->adherence && regimen->adherence[system->route[dose->route].instance]
           && dose->kind != HL_DOSE_INFUSION && dose->amount > 0;
}

void hl_regimen_taken(const struct hl_regimen *regimen, const struct hl_system *system, uint64_t seed,
                      uint64_t subject, unsigned char *taken)
{
    for (size_t i = 0; i < regimen->n_doses; i++)
        taken[i] = 1;
    for (size_t drug = 0; regimen->adherence && drug < system->n_instances; drug++) {
        struct hl_adherence_person person;
        struct hl_adherence_walk walk = {0};
        if (!regimen->adherence[drug])
            continue;
        hl_adherence_person_init(&person, regimen->adherence[drug], seed, subject, system->instance[drug].alias);
        for (size_t i = 0; i < regimen->n_doses; i++) {
            const struct hl_dose *dose = &regimen->dose[i];
            if (system->route[dose->route].instance != (int)drug || !hl_regimen_may_miss(regimen, system, dose))
                continue;
            unsigned times = hl_adherence_next(&person, &walk, dose->time);
            taken[i] = dose->kind == HL_DOSE_PATCH && times > 1 ? 1 : (unsigned char)times;
        }
    }
}

double hl_regimen_worn_until(const struct hl_regimen *regimen, const unsigned char *taken, size_t first, int route,
                             double until)
{
    for (size_t i = first; taken && i < regimen->n_doses; i++) {
        const struct hl_dose *next = &regimen->dose[i];
        if (next->time > until + HL_SAME_TIME)
            break;
        bool missed = next->route == route && next->kind == HL_DOSE_PATCH && taken[i] == 0;
        if (missed && fabs(next->time - until) < HL_SAME_TIME)
            until = fmax(until, next->time + next->duration);
    }
    return until;
}
