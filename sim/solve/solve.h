/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in the body, hour by hour. One block of subjects (lanes) at a time is
 * carried from event to event and output time to output time: states that are
 * linear by exact propagation, all others by integration on top of it, or, where
 * the study says so, everything by one of GSL's steppers (the independent check). */
#ifndef HL_SOLVE_SOLVE_H
#define HL_SOLVE_SOLVE_H

#include <stdint.h>

#include "base/status.h"
#include "regimen/regimen.h"

/* How an arm will be solved: which states live (fed by a dose, a start value or an input, and needed), which of them go
 * together, what is linear, which stepper. Shared read-only by all threads. */
struct hl_plan;

/* solver is "exact" or "gsl-" + a name of gsl_odeiv2 (rk2 rk4 rkf45 rkck rk8pd rk4imp bsimp msadams msbdf); tolerance
 * is the relative tolerance of integration. NULL with a message in diag. */
struct hl_plan *hl_plan_create(const struct hl_system *system, const struct hl_regimen *regimen, const char *solver,
                               double tolerance, struct hl_diag *diag);

/* The same for a data set: dosed says by state what a record's dose may enter; a model whose covariates are
 * interpolated is integrated as a whole, since its rates change all the time. */
struct hl_plan *hl_plan_create_for_data(const struct hl_system *system, const bool *dosed, bool interpolated,
                                        const char *solver, double tolerance, struct hl_diag *diag);
void hl_plan_free(struct hl_plan *plan);

/* True when name is a solver. */
bool hl_solver_exists(const char *name);

/* One sentence per part: "clonazepam: 4 linear states, exact (modal)"; for check and explain. */
void hl_plan_describe(const struct hl_plan *plan, FILE *stream);

/* Half-lives ln2/|Re lambda| [h], longest first, of the linear states of one instance for one lane: at most n, in
 * *found how many. Effect sites and patch contents are left out. HL_ERR_MEMORY; *found is then 0. */
enum hl_status hl_plan_half_lives(const struct hl_plan *plan, const double *regs, size_t lanes, size_t lane,
                                  int instance, double *half_life, size_t n, size_t *found);

/* One stretch of one lane's solution, free of events inside, on which every output can be had at any time. */
struct hl_segment {
    size_t lane;
    double t0, t1;              /* [h], t0 < t1 */
    size_t n_outputs;
    void *inside;               /* the solver's own */
};

/* Requested outputs (in the order of the plan's output list, engine's units) at t0 <= t <= t1, right limit at t0, left
 * limit at t1; dydt may be NULL, else their time derivatives [1/h]. */
void hl_segment_values(const struct hl_segment *segment, double t, double *y, double *dydt);

/* Integral of one output from a to b inside the segment: exact for linear outputs of linear states, else adaptive
 * Gauss-Kronrod to 1e-10 relative. */
double hl_segment_integral(const struct hl_segment *segment, size_t output, double a, double b);

struct hl_subjects; /* sweep.h */
struct hl_stretch;  /* stretch.h */

/* Who listens. Called by the thread that solves the block: per lane in time order, each segment once. */
struct hl_listener {
    void *context;
    void (*segment)(void *context, const struct hl_segment *segment);
    /* before the segment that starts at its time */
    void (*event)(void *context, size_t lane, const struct hl_event *event);
    bool wants_segments;        /* false: segments need not be formed (cheaper) */
    /* Eight lanes at a time, side by side (stretch.h); both NULL when nobody listens that way. group: lanes first ..
     * first + HL_LANES - 1 are about to be solved, their events are known. It may tell their exact outputs by itself
     * (strand.h) and sets told[l] for lanes of which nothing else is wanted: segment and event aren't called for them.
     * stretch: the next stretch of these lanes, also from whoever integrates them; no stretch spans one of the n_edges
     * times edge, ascending. */
    void (*group)(void *context, const struct hl_subjects *subjects, const double *regs, size_t first, bool *told);
    void (*stretch)(void *context, const struct hl_stretch *stretch);
    size_t n_edges; const double *edge;
    /* Outputs, by number in the list, all of which hl_batch_tells: whoever integrates lanes side by side tells
     * stretches of them. untold: the lane is told segment by segment after all, what its stretches said of them is
     * void. */
    size_t n_told; const int *told;
    void (*untold)(void *context, size_t lane);
};

/* A block of subjects. */
struct hl_block {
    uint64_t first;             /* 1-based ID of lane 0 */
    size_t n;                   /* subjects in it */
    size_t lanes;               /* n rounded up to HL_LANES */
    double *regs;               /* system->n_regs * lanes, filled by cohort/ */
    uint64_t seed;
    signed char *status;        /* lanes: 0 good, else an hl_subject_status */
    double *out;                /* [n_outputs][n_times][lanes], engine's units; NaN for failed subjects */
};

#define HL_LANES 8              /* blocks are padded to whole vectors of this many subjects */

enum hl_subject_status {
    HL_SUBJECT_GOOD,
    HL_SUBJECT_NOT_FINITE,
    HL_SUBJECT_STEP_TOO_SMALL,
    HL_SUBJECT_TOO_MANY_STEPS,
    HL_SUBJECT_NO_STEADY_STATE,
    HL_SUBJECT_BAD_PARAMETERS
};

/* Each thread's own. */
struct hl_solver;
struct hl_solver *hl_solver_create(const struct hl_plan *plan, size_t max_lanes);
void hl_solver_free(struct hl_solver *solver);

/* From now on every subject is integrated by itself: the way of those that can't be integrated side by side, which
 * tests compare with the other. */
void hl_solver_lane_by_lane(struct hl_solver *solver);

/* What was decided at the reviews of a lane of the last block, and its own doses; NULL where the arm has no reviews.
 * Valid until the next block. */
const struct hl_history *hl_solver_history(const struct hl_solver *solver, size_t lane);

/* Solves a block: fills block->out for the n_outputs requested outputs (system output indices) at n_times ascending
 * times (value after events at that very time; the time before the first event is the start state), and status. Start
 * time is the earlier of time[0], the first event and 0. Results for a subject depend on nothing but that subject. */
enum hl_status hl_solver_run(struct hl_solver *solver, struct hl_block *block, const int *output, size_t n_outputs,
                             const double *time, size_t n_times, const struct hl_listener *listener);

#endif
