/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a course. Known to course.c (records, arrivals) and course_parameters.c (covariates, matrices) only. */
#ifndef HL_SOLVE_COURSE_PARTS_H
#define HL_SOLVE_COURSE_PARTS_H

#include "regimen/intake.h"
#include "solve/course.h"
#include "solve/steady.h"

struct hl_course {
    const struct hl_plan *plan;
    const struct hl_cohort *cohort;
    const struct hl_data_spec *spec;

    struct hl_lane *lane;            /* carries the state; its registers are the individual's */
    struct hl_lane *trial;           /* tries cycles for steady states; scratch otherwise */
    struct hl_steady_work *steady;
    struct hl_agenda *agenda;
    struct hl_intake *intake;        /* of the dose record being read */
    struct hl_start start;
    bool *off, *frozen;              /* by state, by integrated state: compartments that are switched off */
    bool any_off;

    struct hl_modes *modes;          /* by component */
    struct hl_modes_work *work;
    double *x;                       /* n_modes: exact states, to be projected */
    double **seen;                   /* by component: the coefficients, then inputs, that its modes were made of */
    bool *made;                      /* by component: seen, horizon and switches are those of its modes */
    double horizon, made_horizon;    /* [h] from the individual's first TIME to its last */
    double *first_regs;              /* registers at record 0 */

    size_t n_rule[3]; int *rule[3];  /* covariates the individual has, by rule */
    double *from, *to;               /* interpolated covariates at both ends of the interval */
    double t_from, t_to;
    bool sloped;                     /* derivatives of parameters have been set and must be cleared */

    const struct hl_individual *individual;
    size_t record;                   /* being processed */
    const struct hl_course_listener *listener;
    struct hl_course_fault *fault;
    enum hl_status failure;          /* what isn't the individual's fault: memory */
};

/* Notes why the individual can't go on; gives status back. */
enum hl_subject_status hl_course_fail(struct hl_course *course, enum hl_subject_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Tells the listener, if there is one. */
void hl_course_tell(struct hl_course *course, struct hl_happening happening);

/* Value of covariate c at a record. */
static inline double hl_course_covariate(const struct hl_course *course, size_t record, int c)
{
    return course->individual->covariate[record * course->plan->system->n_covariates + (size_t)c];
}

/* Draws the individual, computes its parameters at record 0 and takes its matrices apart; nothing is off. */
enum hl_subject_status hl_course_begin_parameters(struct hl_course *course);

/* What holds over the interval that ends at the present record, from where the lane is: the record's own values of
 * covariates by rule next, its occasion; with whole (a reset, no interval) of all covariates. */
enum hl_subject_status hl_course_enter_interval(struct hl_course *course, bool whole);

/* What holds from the present record on: its values of covariates by the other rules. */
enum hl_subject_status hl_course_leave_interval(struct hl_course *course);

/* Switches a compartment off or on at the time the lane has reached. Off: it is emptied. */
enum hl_subject_status hl_course_switch(struct hl_course *course, int state, bool off);

/* Puts the lane at its initial amounts, with the parameters in force, at time t; everything is on. */
enum hl_subject_status hl_course_reset(struct hl_course *course, double t);

/* Initial amounts as modes and integrated states, into course->start. */
enum hl_subject_status hl_course_initial(struct hl_course *course);

#endif
