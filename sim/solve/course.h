/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One individual of a data set on its course through its records, by NONMEM's rules
 * (docs/data-sets.md): per record the parameters are computed from its covariates,
 * the state is advanced to its TIME with every arrival and every end of an infusion
 * on the way, the record is applied, its row is shown. Linear states are carried
 * exactly and taken apart anew only when a parameter has changed; all others are
 * integrated. Each thread has one course. Times in hours. */
#ifndef HL_SOLVE_COURSE_H
#define HL_SOLVE_COURSE_H

#include "cohort/cohort.h"
#include "data/data_set.h"
#include "solve/solve.h"

struct hl_course;

/* plan from hl_plan_create_for_data; NULL when there is no memory. */
struct hl_course *hl_course_create(const struct hl_plan *plan, const struct hl_cohort *cohort,
                                   const struct hl_data_spec *spec);
void hl_course_free(struct hl_course *course);

/* What happens to an individual between and at its records, told in order for `explain` and the tests. */
enum hl_happening_kind {
    HL_HAPPEN_PARAMETERS,   /* parameters were computed anew for a record (regs tells them) */
    HL_HAPPEN_READ,         /* a dose record was read: F, lag, rate, duration as fixed for it and its series */
    HL_HAPPEN_BOLUS,        /* amount enters */
    HL_HAPPEN_START,        /* an infusion starts: rate, duration */
    HL_HAPPEN_END,          /* an infusion ends */
    HL_HAPPEN_RELEASE,      /* an amount begins to enter by its route's released: */
    HL_HAPPEN_STEADY,       /* the state was set to (SS 1, 3) or raised by (SS 2) a steady state */
    HL_HAPPEN_RESET,        /* EVID 3, 4: cancelled says how many pending doses and running infusions went */
    HL_HAPPEN_REPLACE,      /* EVID 8 */
    HL_HAPPEN_OFF, HL_HAPPEN_ON,
    HL_HAPPEN_SHOWN         /* a row was shown */
};

struct hl_happening {
    enum hl_happening_kind kind;
    double time;
    size_t record;          /* index of the record it comes from */
    uint64_t dose;          /* which dose of its series: 0 the record's own, k the k-th additional one */
    bool earlier;           /* an implied dose of the time before a steady-state record */
    int state;              /* index into system->state, or -1 */
    int route;              /* or -1 */
    double amount, rate, duration, lag, F; /* those that apply; else 0 */
    size_t cancelled;
    const double *regs;     /* PARAMETERS: the register file of one lane */
};

struct hl_course_listener {
    void *context;
    void (*happening)(void *context, const struct hl_happening *happening);
};

/* Why an individual could not be finished: at which record, in words for a message. And what a person should be told
 * although nothing is wrong: the first record with a steady state whose lag is at least II, and with SS 2 in a model
 * that isn't linear; SIZE_MAX when there is none. */
struct hl_course_fault {
    enum hl_subject_status status;
    size_t record;
    char text[160];
    size_t long_lag, bent_sum;
};

/* Carries one individual through. value[i * n_outputs + o] is output[o] (indices into the system's outputs) after
 * record i, engine's units; NaN from the record on at which it failed. fault->status tells how it went:
 * HL_SUBJECT_GOOD; HL_SUBJECT_BAD_PARAMETERS for F, R or D that aren't positive, a lag below 0, RATE -1 or -2 where the
 * model states no rate or duration, parameters that aren't numbers; others as in solve.h. HL_ERR_MEMORY. listener may
 * be NULL. Depends on nothing but the individual. */
enum hl_status hl_course_run(struct hl_course *course, const struct hl_individual *individual, const int *output,
                             size_t n_outputs, double *value, struct hl_course_fault *fault,
                             const struct hl_course_listener *listener);

/* The registers (one lane) as they were at record 0 of the last individual: its covariates and individual parameters
 * for /subjects. */
const double *hl_course_registers(const struct hl_course *course);

#endif
