/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the levels of a taper become doses: the doses of a day, their shares of a level, and the giving. Only for
 * sim/regimen. */
#ifndef HL_REGIMEN_LEVELS_H
#define HL_REGIMEN_LEVELS_H

#include "regimen/compile.h"
#include "regimen/taper.h"

#define HL_MOST_PARTS 24 /* doses of a day */

/* One dose of a day: hours after the day's start, hours after dawn, and its share of the day in quanta. */
struct hl_day_part {
    double offset;
    double clock;
    size_t share;
};

/* How a day is divided. */
struct hl_day {
    size_t n;                 /* doses a day */
    bool whole;               /* in whole quanta */
    const struct hl_yaml *at; /* clock times, or NULL: even spacing ... */
    double every;             /* ... of so long [h] */
};

/* split: and at: of a taper. false with messages. */
bool hl_day_read(struct hl_compiler *c, const struct hl_yaml *taper, struct hl_day *day);

/* The parts of the day that begins at start [h], in the order of their times; part has room for HL_MOST_PARTS. */
void hl_day_place(struct hl_compiler *c, const struct hl_day *day, double start, struct hl_day_part *part);

/* The n parts in the order of their turn, as indices: the evening first, then from the morning on. Spare quanta go by
 * it, and so does the exchange of one drug for another. */
void hl_day_turns(const struct hl_day_part *part, size_t n, size_t *turn);

/* Divides quanta among n parts: equal shares, spare ones by turn. */
void hl_day_share(struct hl_day_part *part, size_t n, size_t quanta);

/* The route of the doses of a taper: named by route:, the drug's default, or its only one. -1 with a message. */
int hl_taper_dose_route(struct hl_compiler *c, const struct hl_yaml *taper);

/* Gives the levels of a taper of the present drug from start on, nothing from stop on [h]. node is the mapping that
 * says how (split, at, route, by, patches, wear). false with messages. */
bool hl_taper_give(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, double start,
                   double stop);

#endif
