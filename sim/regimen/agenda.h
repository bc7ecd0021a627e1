/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is still to happen to one individual of a data set: doses on their way (additional ones, lagged ones) and
 * infusions that run. Each dose record is one series per compartment it enters, unfolded as time goes on, so that
 * memory doesn't grow with ADDL. The agenda knows times and rates but no amounts in a body: solve/course.c moves those.
 * Times in hours. */
#ifndef HL_REGIMEN_AGENDA_H
#define HL_REGIMEN_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/system.h"

/* What one dose record puts into one compartment, fixed when the record is read and the same for all its additional
 * doses. */
struct hl_intake {
    size_t record;                    /* index of the record */
    int state;                        /* where it arrives */
    int route;                        /* the route it takes, -1: straight into the compartment */
    const struct hl_route_part *part; /* of that route; NULL without one */
    int instance;                     /* whose drug */
    double F;                         /* share that arrives: bioavailability times fraction */
    double lag;                       /* [h] */
    double amount;                    /* that arrives [mg] */
    double rate, duration;            /* of an infusion [mg/h], [h]; 0 when it enters at once or by its own course */
    double input[HL_RELEASE_INPUTS];  /* what the part's release reads */
};

/* When the doses of a series that never began and never ends arrive, seen from a moment t = time: the first at or after
 * t is number first (0: the one of t itself, -1 the one before), offset hours later; `running` infusions have begun
 * before t and last beyond it. */
struct hl_wave { int64_t first, running; double offset; };
struct hl_wave hl_intake_wave(const struct hl_intake *intake, double time, double interval);

enum hl_arrival_kind {
    HL_ARRIVAL_GIVEN,   /* the nominal time of a dose, lag or not: time after dose starts anew */
    HL_ARRIVAL_END,     /* an infusion ends */
    HL_ARRIVAL_BOLUS,   /* an amount enters, or begins to by its own course */
    HL_ARRIVAL_START    /* an infusion starts */
};

struct hl_arrival {
    double time;
    enum hl_arrival_kind kind;
    int64_t dose;                     /* 0: the record's own; k: its k-th additional one; -k: the k-th before it */
    const struct hl_intake *intake;   /* valid until the agenda changes */
    double missing;                   /* END: time that rounding took from the infusion [h]; may be negative */
};

struct hl_agenda;

/* NULL when there is no memory. With nominal, GIVEN is told too. */
struct hl_agenda *hl_agenda_create(bool nominal);
void hl_agenda_free(struct hl_agenda *agenda);

/* Forgets everything; says how many arrivals were still to come or running. */
size_t hl_agenda_clear(struct hl_agenda *agenda);

/* Adds the dose given at time and `additional` more, each interval after the last. leads: this intake tells the nominal
 * times (the first of a record does). HL_ERR_MEMORY. */
enum hl_status hl_agenda_add(struct hl_agenda *agenda, const struct hl_intake *intake, double time, double interval,
                             uint64_t additional, bool leads);

/* The same for a steady-state record: the doses of the time before it that haven't arrived yet come too, and its
 * infusions of that time that last beyond the record are running. */
enum hl_status hl_agenda_add_steady(struct hl_agenda *agenda, const struct hl_intake *intake, double time,
                                    double interval, uint64_t additional, bool leads);

/* Takes the next arrival at or before until; false when there is none. Ties: GIVEN, ends, then what enters; among these
 * the order of the records. What isn't lagged counts as due when rounding alone separates it from until. */
bool hl_agenda_next(struct hl_agenda *agenda, double until, struct hl_arrival *arrival);

/* The sum of all infusions running into a state [mg/h], formed anew: exactly 0 when none does. */
double hl_agenda_rate(const struct hl_agenda *agenda, int state);

/* Stops the infusions running into a state; those still to come are kept. How many were stopped. */
size_t hl_agenda_stop(struct hl_agenda *agenda, int state);

#endif
