/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taper protocols as tables of levels (clonazepam reference, section 7; fentanyl section 10). One file, one constant
 * descriptor per protocol: a name, a sentence for help, its parameters, how the next level follows from this one. */
#ifndef HL_REGIMEN_TAPER_H
#define HL_REGIMEN_TAPER_H

#include "base/diag.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "regimen/tablets.h"

/* One level: a daily dose kept for a time. */
struct hl_taper_level {
    double dose;                /* mg/day, unrounded */
    double given;               /* after rounding to quanta */
    double days;
    double step_days;           /* of the whole step, where a detour has cut the level; 0: days */
};

struct hl_taper {
    size_t n; struct hl_taper_level *level;
    struct hl_taper_level before; /* the dose the taper starts from, rounded like a level; 0 when it isn't stated */
    double days;                /* at non-zero reduced dose */
    double cumulative;          /* mg */
    double total_days;          /* of all levels, also those that round to nothing */
    bool from_tablets;          /* tablets, patches or a quantum are stated: ... */
    struct hl_tablets tablets;  /* ... what can be made of them [mg/day]; an hl_tablets_quantum otherwise unused */
};

/* Days of the step that a level belongs to, by which a cap is judged. */
static inline double hl_taper_step_days(const struct hl_taper_level *level)
{
    return level->step_days > 0 ? level->step_days : level->days;
}

/* Where a schedule falls faster than the cap (25 % per 14 d): index of the level, the ratio and the allowed ratio. */
struct hl_taper_breach { size_t level; double ratio, allowed; };

/* A protocol as help shows it. id: another name it is known by (T4), or NULL; keys: the parameters it takes, with NULL
 * at the end. */
struct hl_taper_protocol { const char *name, *id, *sentence; const char *const *keys; };

/* The n-th protocol, or NULL when there are no more. */
const struct hl_taper_protocol *hl_taper_protocol(size_t n);

/* One strength a taper may be given in: [mg], and into how many equal parts it may be broken (1, 2 or 4). */
struct hl_taper_strength { double strength; int parts; };

/* The strengths that the mapping under taper: states as tablets:, in its order: n of them. false with messages in diag.
 * Without tablets true, and n is 0. */
bool hl_taper_strengths(struct hl_arena *arena, const struct hl_yaml *node, struct hl_taper_strength **strength,
                        size_t *n, struct hl_diag *diag);

/* The levels that the mapping under taper: describes (protocol, from, its parameters, tablets, quantum, cap), with its
 * pauses and reinstatements. NULL with messages in diag when it never ends (more than 10000 levels) or can't be made
 * from the tablets. */
struct hl_taper *hl_taper_make(struct hl_arena *arena, const struct hl_yaml *node, struct hl_diag *diag);

/* True for a taper whose next level is decided at reviews: review: is stated, or protocol: symptom_guided. */
bool hl_taper_is_reviewed(const struct hl_yaml *node);

/* The 25 % / 14 d checker for any sequence of levels starting from dose from (mg/day; 0: from the first level): fills
 * breach (n at most) and returns how many steps break fraction per days; the step to zero isn't judged. The doses
 * given are judged, since they are what is swallowed. */
size_t hl_taper_check_cap(double from, const struct hl_taper_level *level, size_t n_levels, double fraction,
                          double days, struct hl_taper_breach *breach, size_t n);

#endif
