/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "On this regimen since long before": the state that repeated doses lead to, for a subject whose drugs repeat a cycle
 * (solver.c) and for a steady-state record of a data set (course.c). */
#ifndef HL_SOLVE_STEADY_H
#define HL_SOLVE_STEADY_H

#include "solve/lane.h"
#include "solve/periodic_lanes.h"

/* Something that has been going on forever. */
struct hl_cycle {
    double period;              /* [h]; 0: nothing but its rates, all the time */
    double phase;               /* of the cycle at the start [h], in [0, period): events before it have passed */
    struct hl_events events;    /* of one cycle, in order, times in [0, period] */
    double *rate;               /* by state: what runs into it just before a cycle begins [mg/h] */
};

/* Scratch of one thread, with room for n_cycles cycles at once. NULL when there is no memory. */
struct hl_steady_work;
struct hl_steady_work *hl_steady_work_create(const struct hl_plan *plan, size_t n_cycles);
void hl_steady_work_free(struct hl_steady_work *work);

/* The relative error of the cycles that steady states are found with. */
double hl_steady_fineness(const struct hl_plan *plan);

/* For regimens, in two parts. The first turns start's exact states (at start->time, from initial values) into the
 * periodic ones of all steady regimens, sets rates and last doses, and adds to events those of cycles that still lie
 * between start->time and a regimen's own time. *settled: nothing is left to be done. HL_SUBJECT_NO_STEADY_STATE when
 * there is none. A memory failure is reported through memory. */
enum hl_subject_status hl_steady_begin(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                       double *regs, size_t lanes, size_t number, struct hl_start *start,
                                       struct hl_events *events, bool *settled, enum hl_status *memory);

/* The second part for up to HL_BATCH_LANES neighbours of a block, from first on, that are unsettled: finds integrated
 * states side by side as far as that goes; unsettled[l] is false afterwards for those that it found. HL_ERR_MEMORY. */
enum hl_status hl_steady_settle_lanes(struct hl_steady_work *work, struct hl_periodic_lanes *lanes,
                                      const struct hl_subjects *subjects, double *regs, size_t first, size_t n,
                                      bool *unsettled);

/* The second part for one subject, by itself. */
enum hl_subject_status hl_steady_settle(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                        double *regs, size_t lanes, size_t number, struct hl_start *start,
                                        enum hl_status *memory);

/* Turns to a subject that has been begun already. HL_ERR_MEMORY. */
enum hl_status hl_steady_return(struct hl_steady_work *work, double *regs, size_t lanes, size_t number,
                                const struct hl_start *start);

/* After hl_steady_return to the same subject: adds those events of cycles to another list of its events. */
enum hl_status hl_steady_between(const struct hl_steady_work *work, const struct hl_start *start,
                                 struct hl_events *events);

/* For records. The first cycle, emptied, to be filled: period, events with hl_cycle_add, rates. phase is 0. */
struct hl_cycle *hl_steady_cycle(struct hl_steady_work *work);

/* Puts an event into a cycle: before later ones, after those of the same time. HL_ERR_MEMORY. */
enum hl_status hl_cycle_add(struct hl_cycle *cycle, struct hl_event event);

/* The state just before the first cycle begins at start->time, all drugs together. In: start's z and y, of which z says
 * what is there where nothing enters or leaves, and y is the first guess. Out: z and y, and added to its
 * releases the doses under way. regs is one lane's, off says by
 * state what is switched off. *culprit is a state that has no steady state when the answer is
 * HL_SUBJECT_NO_STEADY_STATE, else -1. */
enum hl_subject_status hl_steady_state(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                       const double *regs, const bool *off, struct hl_start *start, int *culprit,
                                       enum hl_status *memory);

/* The same for SS 2: adds to start what the cycle brings on top of a body that is never dosed. */
enum hl_subject_status hl_steady_add(struct hl_steady_work *work, struct hl_lane *lane, struct hl_modes *modes,
                                     const double *regs, const bool *off, struct hl_start *start, int *culprit,
                                     enum hl_status *memory);

#endif
