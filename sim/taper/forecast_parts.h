/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a forecast, shared by the files taper/forecast*.c only. Everything that belongs to subjects is kept in
 * rows of HL_FORECAST_LANES subjects, a block; blocks know nothing of each other. */
#ifndef HL_TAPER_FORECAST_PARTS_H
#define HL_TAPER_FORECAST_PARTS_H

#include "cohort/cohort.h"
#include "regimen/regimen.h"
#include "solve/solve.h"
#include "taper/forecast.h"

#define HL_FORECAST_LANES 64
#define HL_FORECAST_TAILS 2
#define HL_FORECAST_NEAR 1e-7 /* two times of the grid closer than this are one [h] */
#define ROW_OF(array, i) ((array) + (size_t)(i) * HL_FORECAST_LANES)

/* ---- The grid: one period of steps, repeated; and the steps of what comes after the last dose. */

/* A step of length 0 (kind -1) is a moment at which doses arrive: values jump there. */
struct hl_forecast_step { double length; int kind; };

struct hl_forecast_grid {
    double period;                       /* [h] */
    size_t n; struct hl_forecast_step *step;   /* of a period */
    double *start;                       /* n + 1: offset of each [h] */
    size_t n_kinds, kinds_capacity; double *length; /* different lengths */
    /* What remains of the follow-up once nothing happens: after 1, 2, ... regular periods without doses. */
    size_t n_tail[HL_FORECAST_TAILS]; struct hl_forecast_step *tail[HL_FORECAST_TAILS];
    double shortest, longest;
};

/* Steps for arrivals at these offsets (ascending, n of them, all subjects alike; common says there are no others); no
 * step longer than longest. */
void hl_forecast_grid_make(struct hl_arena *arena, struct hl_forecast_grid *grid, double period, const double *arrival,
                           size_t n, bool common, double finest, double longest);

/* The tails of a follow-up of so many hours. */
void hl_forecast_grid_tails(struct hl_arena *arena, struct hl_forecast_grid *grid, double follow, double longest);

/* ---- The system, as far as it is needed. */

struct hl_forecast_pair { int row, col; };

/* A program with slopes (forecast_dual.c), as far as it leads to the rows asked for. still: what only combines
 * constants of a subject, to be run once for it (hl_program_run); moves: the rest, moving saying by instruction which
 * operands aren't constants. reads: by row, whether the rest reads it. */
struct hl_forecast_dual { struct hl_program still, moves; unsigned char *moving; bool *reads; };
void hl_forecast_dual_make(struct hl_arena *arena, const struct hl_program *program, const bool *constant,
                           size_t n_rows, const int *wanted, size_t n_wanted, struct hl_forecast_dual *dual);
/* What moves, over HL_FORECAST_LANES lanes, in place; rows of constants, and what is still, are there. */
void hl_forecast_dual_run(const struct hl_forecast_dual *dual, double *file, double *dfile);

/* Linear states x in a fixed order: ordinary ones (n), of which the last may be a constant 1 that carries constant
 * inputs; then patch contents (n_contents), which exist only while courses are made. */
struct hl_forecast_system {
    const struct hl_system *system;      /* focused on the constraints' outputs */
    size_t n, n_contents; int *state;    /* system's number; -1 for the constant 1 */
    bool has_one;
    size_t m; int *integrated;           /* system's numbers of states that aren't linear */
    int *place;                          /* by state of the system: place among x and contents, or -1 */
    size_t n_entries; struct hl_forecast_pair *entry; int *entry_reg; /* dx/dt = sum entry, of ordinary states */
    size_t n_pairs; struct hl_forecast_pair *pair; /* where Phi isn't zero by structure; ascending by row */
    /* programs over a small register file of their own */
    size_t n_rows;
    struct hl_program rates, outputs;
    struct hl_forecast_dual rates_dual, outputs_dual;
    struct hl_forecast_dual *rate_of, *output_of; /* the same for one state, or one constraint, alone */
    int *row_of;                         /* by register of the system, -1 */
    bool *is_constant; int *reg_of;      /* by row */
    int time_row;                        /* -1 when no program reads the time */
    int *x_row, *z_row, *dz_row, *y_row; /* by place; -1 when not read */
};

/* Fills s; dosed says by state what a dose may enter. false with messages. */
bool hl_forecast_system_make(struct hl_arena *arena, struct hl_forecast_system *s, const struct hl_system *system,
                             const bool *dosed, const struct hl_taper_problem *problem, struct hl_diag *diag);

/* ---- Courses: what one unit of a stream, or what goes on from before, brings by the end of each step it touches. */

struct hl_forecast_entry {
    size_t step;                         /* of the period the dose is given in, counted on; or from day 0 on */
    double *v;                           /* [n][lanes]: added to x at the step's end */
    double *u0, *u1;                     /* rates of input into x at its start and end [1/h]; NULL for none */
};
struct hl_forecast_course { size_t n, capacity; struct hl_forecast_entry *entry; };

/* Something that arrives in a step of the period. */
struct hl_forecast_arrival { size_t stream, age; /* periods ago */ const double *v, *u0, *u1; };

struct hl_forecast_block {
    uint64_t first; size_t n;            /* subjects */
    double *file;                        /* [rows][lanes]: constants of the programs */
    double *phi;                         /* [kind][pair][lanes] */
    double *rate;                        /* [entry][lanes] */
    double *x0, *z0;                     /* at day 0 */
    struct hl_forecast_course *stream;   /* by stream */
    struct hl_forecast_course before;
    size_t *first_arrival;               /* by step of the period, n + 1 */
    struct hl_forecast_arrival *arrival;
    bool failed[HL_FORECAST_LANES];
    struct hl_arena *arena;
};

/* e^(A h), n x n, row after row, into E; work has 3 n n. Entries are right to about 1e-14 relative where A has no
 * negative entries off its diagonal, and then never negative. */
void hl_forecast_exponential(const double *A, size_t n, double h, double *E, double *work);

struct hl_forecast {
    const struct hl_study *study;
    const struct hl_taper_problem *problem;
    struct hl_forecast_request request;
    struct hl_arena *arena;
    const struct hl_regimen *before;
    struct hl_forecast_system system;
    struct hl_forecast_grid grid;
    size_t n_subjects, n_blocks; struct hl_forecast_block *block;
    size_t n_streams, back;              /* periods for which a dose is remembered */
    int looks;                           /* at the rates in a step: 1; 3 where states are fast against it */
    size_t before_end;                   /* step from day 0 on from which nothing comes from before */
    struct hl_outlook outlook;
    bool *monotone; const char **why_not, **assumption;
    signed char *output_sign;            /* [constraint][x then z] */
    signed char *rate_sign;              /* [z][x then z] */
    size_t n_parts; struct hl_forecast *const *part; /* joined; 0 for a plain one */
    const uint64_t *number;              /* of each subject in the cohort, from 1 on; NULL: as they come */
    struct hl_arena *own;                /* of one of some subjects: what is its alone; else NULL */
};

/* A subject's number in its cohort, from 1 on. */
static inline uint64_t hl_forecast_number(const struct hl_forecast *forecast, size_t subject)
{
    return forecast->number ? forecast->number[subject] : subject + 1;
}

/* Rows of a block, in an arena of its own. false: no memory. */
bool hl_forecast_block_alloc(const struct hl_forecast *forecast, struct hl_forecast_block *block);

/* Entries of the streams by the step of the period in which they arrive. */
void hl_forecast_sort_arrivals(const struct hl_forecast *forecast, struct hl_forecast_block *block);

/* The entry of a step with n rows, made where there is none; steps mostly come in order. */
struct hl_forecast_entry *hl_forecast_entry_of(struct hl_arena *arena, struct hl_forecast_course *course, size_t step,
                                               size_t n);

/* forecast_some.c: of a plain forecast, some subjects (0-based, n of them) only; NULL: no memory. */
struct hl_forecast *hl_forecast_some(const struct hl_forecast *whole, const size_t *subject, size_t n);

/* Draws the cohort, solves it up to t0, makes unit courses, matrices and start values of all blocks. false with
 * messages. */
bool hl_forecast_fill(struct hl_forecast *forecast, struct hl_diag *diag);

/* Unit courses of one block (forecast_course.c): regs is the block's register file of all_regs lanes. */
struct hl_forecast_course_request {
    const struct hl_forecast *forecast;
    const struct hl_forecast_block *block;
    size_t lane;
    const struct hl_event *event; size_t n_events; /* ascending; times from day 0 (or from the period's start) [h] */
    const double *content, *rate;        /* at the start: by content, by ordinary state; NULL for none */
    size_t last_step;                    /* looks no further */
    double scale;                        /* of contents [mg]: a billionth of it is nothing */
};
struct hl_forecast_course_room;
struct hl_forecast_course_room *hl_forecast_course_room_create(const struct hl_forecast *forecast);
void hl_forecast_course_room_free(struct hl_forecast_course_room *room);
/* The lane's rates (system's coefficients out of regs), before anything is asked of it. */
void hl_forecast_course_lane(struct hl_forecast_course_room *room, const double *regs, size_t lanes, size_t lane);
/* Its matrices, into block->phi and block->rate. */
void hl_forecast_matrices(struct hl_forecast_course_room *room, struct hl_forecast_block *block, size_t lane);
/* Adds the lane to a course. HL_ERR_MEMORY; HL_ERR_DOMAIN when something is still running at last_step and *runs_on is
 * then true. */
enum hl_status hl_forecast_course_add(struct hl_forecast_course_room *room,
                                      const struct hl_forecast_course_request *request, struct hl_arena *arena,
                                      struct hl_forecast_course *course, bool *runs_on);

/* ---- The cohort moment by moment (forecast_moment.c), for constraints that hold at any time. */

/* Outputs of all subjects at so many moments, [constraint that needs it][moment][subject]; value NULL: none needs
 * it. */
struct hl_forecast_trace { double *value; size_t moments, used; };

/* Room for so many moments, where a constraint needs it. false: no memory. */
bool hl_forecast_trace_init(const struct hl_forecast *forecast, size_t moments, struct hl_forecast_trace *trace);
void hl_forecast_trace_clear(struct hl_forecast_trace *trace);

struct hl_forecast_room;

/* The present outputs of the room's block, as the next moment of room->trace. */
void hl_forecast_trace_note(struct hl_forecast_room *room);

/* The statistic of those constraints, the same for all subjects: from's (NULL: nothing so far) or what the worst moment
 * comes to. Ends the trace. */
void hl_forecast_trace_close(const struct hl_forecast *forecast, struct hl_forecast_trace *trace, const double *from,
                             double *statistic);

/* ---- Walking. */

/* What a thread needs: rows of one block. */
struct hl_forecast_room {
    const struct hl_forecast *forecast;
    const struct hl_forecast_block *block; /* the one in it */
    double *file, *dfile;                /* register files */
    double *x, *x1, *dx;                 /* linear states at both ends, slopes at the one looked at */
    double *z, *zp, *dz, *f, *f1, *g, *g1; /* the others; rates and their slopes at both ends */
    double *y, *s, *y1, *s1;             /* [constraint][lanes]: outputs and their slopes at both ends of a step */
    double *statistic;                   /* [constraint][lanes] */
    struct hl_forecast_trace *trace;     /* where outputs are noted, moment by moment; or NULL */
    size_t noted;                        /* moments so far */
    double *amount;                      /* [age][stream][lanes] */
    bool *given;                         /* [age][stream]: some lane's amount isn't 0 */
    size_t step;                         /* regular ones, from day 0 on */
    double time;                         /* [h], the study's */
};
struct hl_forecast_room *hl_forecast_room_create(const struct hl_forecast *forecast);
void hl_forecast_room_free(struct hl_forecast_room *room);

/* Puts a block's constants into the register file. */
void hl_forecast_room_enter(struct hl_forecast_room *room, const struct hl_forecast_block *block);

/* Outputs and slopes at the room's present state. */
void hl_forecast_look(struct hl_forecast_room *room);

/* One regular step, with what arrives in it; a step of the tail. Statistics go on. */
void hl_forecast_regular(struct hl_forecast_room *room);
void hl_forecast_tail(struct hl_forecast_room *room, const struct hl_forecast_step *step);

/* What arrives in a regular step: for each entry in turn, how much of it and the entry. */
typedef void hl_forecast_arrive(void *context, const double *amount, const double *v, const double *u0,
                                const double *u1);
bool hl_forecast_arrivals(const struct hl_forecast_room *room, hl_forecast_arrive *arrive, void *context);

/* dx += A x. */
void hl_forecast_slopes(const struct hl_forecast_system *s, const double *rate, const double *x, double *dx);

/* The corrector's two halves (forecast_walk.c), m rows. */
void hl_forecast_predict(size_t m, double h, const double *z, const double *f, const double *g, double *zp, double *dz);
void hl_forecast_correct(size_t m, double h, const double *z, const double *f, const double *f1, const double *g,
                         const double *g1, double *z1);

/* Amounts of the last periods, latest first, into the room between two periods: n rows. */
void hl_forecast_room_past(struct hl_forecast_room *room, const double *rows, size_t n);

/* How a follow-up that begins with this period ends: regular steps up to last (or until time end), then the tail. */
struct hl_forecast_ending {
    size_t last;
    double end;
    bool by_steps;
    size_t n_tail; const struct hl_forecast_step *tail;
};
struct hl_forecast_ending hl_forecast_ending(const struct hl_forecast *forecast, size_t period);
/* No fewer moments than the follow-up has that begins with this period. */
size_t hl_forecast_moments_of_stop(const struct hl_forecast *forecast, size_t period);
bool hl_forecast_goes_on(const struct hl_forecast_room *room, const struct hl_forecast_ending *ending);

/* Periods of a level of so many days. */
size_t hl_forecast_periods(const struct hl_forecast *forecast, int days);

/* x1 = Phi x for a kind of step. */
void hl_forecast_advance(const struct hl_forecast_system *s, const double *phi, const double *x, double *x1);

/* One step's statistics from the values and slopes at its ends. */
void hl_forecast_statistics(const struct hl_taper_problem *problem, double length, const double *y, const double *s,
                            const double *y1, const double *s1, double *statistic);

/* The room's block at day 0, nothing given yet; time and step too. */
void hl_forecast_room_start(struct hl_forecast_room *room);

/* Begins a period: the last ones' amounts move back by one, a rung's doses come in, NULL for none. walk: all subjects'
 * rows of adherence; NULL: everything is taken. */
void hl_forecast_put_rung(struct hl_forecast_room *room, unsigned char *walk, const struct hl_taper_rung *rung);

/* Bytes of walk per subject. */
size_t hl_forecast_walk_bytes(const struct hl_forecast *forecast);

/* Runs act for blocks 0 .. n - 1 of the list (NULL: all), with a room of the thread's own that has entered it.
 * HL_ERR_MEMORY. */
typedef void hl_forecast_act(struct hl_forecast_room *room, size_t number, void *context);
enum hl_status hl_forecast_for_blocks(const struct hl_forecast *forecast, const size_t *block, size_t n,
                                      hl_forecast_act *act, void *context);

/* forecast_envelope.c: the outlook's calls of that name. */
void hl_forecast_envelope_bind(struct hl_outlook *outlook);

/* forecast_order.c: signs, monotone, why_not, assumption. false with messages: a state faster than the grid, memory. */
bool hl_forecast_order(struct hl_forecast *forecast, struct hl_diag *diag);

#endif
