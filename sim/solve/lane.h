/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One subject on its way through time: exact linear states held as modes since an
 * anchor, all other states integrated by GSL on top of them, doses applied as they
 * come. Each thread has one and loads subject after subject into it. Used inside
 * this room only; times in hours. */
#ifndef HL_SOLVE_LANE_H
#define HL_SOLVE_LANE_H

#include <gsl/gsl_integration.h>

#include "solve/plan.h"
#include "solve/releases.h"

#define HL_FIRST_STEP 1e-3 /* of the integrator, and after a release has begun [h] */

/* Relative to the last change of an infusion: what rounding leaves when the last one stops counts as none. */
#define HL_RATE_GONE 1e-14

/* What a subject starts from, kept per lane of a block. */
struct hl_start {
    double time;
    double *z;                   /* plan->n_modes */
    double *rate;                /* n_states: running infusions [mg/h] */
    double *y;                   /* plan->n_integrated */
    double *last_dose;           /* n_instances: time of the last dose given, -INFINITY when none */
    struct hl_release_list releases; /* under way */
};

/* A stretch between two accepted steps, both ends with rate and its derivative: a quintic polynomial joins them. */
struct hl_bridge {
    double t0, t1;
    double *y0, *f0, *d0, *y1, *f1, *d1; /* plan->n_integrated each */
    bool has_end;                        /* f1 and d1 belong to y1 */
};

struct hl_lane {
    const struct hl_plan *plan;
    struct hl_modes_work *work;
    double *regs, *dregs;        /* register file of one lane, and derivatives in time */
    size_t number;               /* which lane of the block */

    struct hl_modes *modes;      /* plan->n_components of this subject */
    double anchor, *z, *g;       /* modes and their input at the anchor */
    double *z_near, *t_near;     /* n_modes, n_components: matrix components at a time since the anchor, see lane.c */
    double *zt, *x, *dx;         /* n_modes, largest, largest: scratch */
    const bool *hold;            /* by component: stands still (steady.c); NULL for none */
    const bool *off;             /* by state: compartments of a data set that are switched off; NULL for none */
    double *rate, *last_dose;
    bool keeps_x; double *x_anchor; /* n_modes: with keeps_x, the exact states at the anchor as they were set, so that
                                       a dose shows as the amount it is, not as the sum of its modes */
    /* Parameters that change in time: writes them, and with slope their derivatives, into the registers for time t;
     * NULL when they don't. */
    void (*parameters)(struct hl_lane *lane, double t, bool slope);
    void *parameters_context;

    struct hl_release_list releases; /* doses that enter by a course of their own, see releases.h */
    struct hl_release_tail tail;
    double *release_regs, *release_dregs; /* their register file */
    double *released;            /* n_integrated: what they have brought since the base, at t */
    bool release_fault;          /* one isn't a fraction that rises */
    double release_noise;        /* rounding of releases, relative to the states they enter */

    double t, *y, *scale, h;     /* integrated states; largest |y| so far; step to try next */
    const bool *frozen;          /* by integrated state: stands still; NULL for none */
    double *at, *f, *y_before;   /* scratch of n_integrated */
    double tolerance;
    double step_cap;             /* what the bridge could follow last [h] */
    size_t n_steps;
    unsigned landing;            /* steps for which output times are landed on, not bridged */
    struct hl_bridge bridge;
    gsl_odeiv2_system system;
    gsl_odeiv2_step *step;
    gsl_odeiv2_control *control;
    gsl_odeiv2_evolve *evolve;
    gsl_odeiv2_driver driver;
    gsl_integration_workspace *quadrature;

    const double *time;          /* output times still to come: next .. n_times-1 */
    size_t n_times, next;
    double *sample; size_t stride; /* the values, at sample[(k * n_integrated + state) * stride] */
    const struct hl_listener *listener; /* or NULL */
    const int *output; size_t n_outputs;
    bool linear_outputs;         /* all of them, and all states exact: no program is needed */
};

/* NULL when there is no memory. */
struct hl_lane *hl_lane_create(const struct hl_plan *plan);
void hl_lane_free(struct hl_lane *lane);

/* Makes the lane subject number of a block with these modes, at its start. */
void hl_lane_load(struct hl_lane *lane, const double *regs, size_t lanes, size_t number, struct hl_modes *modes,
                  const struct hl_start *start);

/* Room for n releases under way at once. HL_ERR_MEMORY. */
enum hl_status hl_lane_reserve_releases(struct hl_lane *lane, size_t n);

/* Goes back to a start without changing the subject; forgets step sizes. */
void hl_lane_restart(struct hl_lane *lane, const struct hl_start *start);

/* Carries everything to time stop, which must be free of events on the way; fills samples, tells the listener. */
enum hl_subject_status hl_lane_run(struct hl_lane *lane, double stop);

/* Applies an event at the time the lane has reached. */
void hl_lane_apply(struct hl_lane *lane, const struct hl_event *event);

/* What a course does to its lane at the time it has reached. cast: moves the anchor there. add: an amount enters.
 * set_rate: the sum of all infusions into a state is now rate. release: a dose begins to enter (input: see
 * hl_releases_begin). given: a dose was given. renew: modes or constant inputs have been replaced; z is what it should
 * be. */
void hl_lane_cast(struct hl_lane *lane);
void hl_lane_add(struct hl_lane *lane, int state, double amount);
void hl_lane_set_rate(struct hl_lane *lane, int state, double rate);
void hl_lane_release(struct hl_lane *lane, const struct hl_event *event, const double *input);
void hl_lane_given(struct hl_lane *lane, int instance, double time);
void hl_lane_renew(struct hl_lane *lane);

/* Runs through events (ascending), all up to and including stop, then to stop. Tells the listener of events. */
enum hl_subject_status hl_lane_follow(struct hl_lane *lane, const struct hl_event *event, size_t n, double stop);

/* Writes samples whose time has come: up to but excluding until (including, when last). */
void hl_lane_sample(struct hl_lane *lane, double until, bool last);

/* Sets time, time after dose and all state registers for time t >= anchor, with y (n_integrated) the integrated states;
 * derivative: dregs too, with dy their rates. only_read: just the states that rhs reads. */
void hl_lane_set(struct hl_lane *lane, double t, const double *y, const double *dy, bool only_read);

/* The lane's outputs (lane->output) at the time it has reached, after every event so far. */
void hl_lane_outputs(struct hl_lane *lane, double *y);

/* Integrated states at t in the bridge, and their rates when dydt isn't NULL. */
void hl_bridge_at(const struct hl_bridge *bridge, size_t n, double t, double *y, double *dydt);

/* W b of one component: constant inputs and the rates given by state. */
void hl_component_input(const struct hl_component *c, const struct hl_modes *modes, const double *regs, size_t lanes,
                        size_t lane, const double *rate, bool constant, double *scratch, double *g);

/* integrate.c: the stepper's own part. */
enum hl_status hl_integrator_init(struct hl_lane *lane);
void hl_integrator_clear(struct hl_lane *lane);
enum hl_subject_status hl_integrator_run(struct hl_lane *lane, double stop);
void hl_integrator_reset(struct hl_lane *lane);

/* segment.c: hands the stretch t0..t1 to the listener. */
void hl_lane_tell_segment(struct hl_lane *lane, double t0, double t1);

#endif
