/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The integrator's steps, told as polynomials of outputs.
 *
 * Outputs are programs of states: quotients, powers, choices. They are rewritten for series like rates are
 * (batch_code.c), with integrated states given: their polynomials are the integrator's own. So what is measured is the
 * very curve that output times are read off, and the integrator takes the same steps whether someone listens or not.
 *
 * A step of the integrator is told in one stretch or several, by lane:
 *   1. at the origin of a stretch, states are the integrator's polynomial shifted there (by repeated synthetic
 *      division), a polynomial of the same slowed clock (batch_clock.h) begun anew, which all series here are written
 *      in; exact modes start from their own amplitudes there, clocks from the time;
 *   2. the outputs' series (batch_series.c);
 *   3. how far these hold: the last three terms stay below CUT of the output's size, at least SMALL_SHARE of its peak;
 *      at most to the step's end, the next edge, or where a switch of the outputs turns (batch_switch.c).
 *
 * Where an output begins from 0 as a power that isn't whole, as the effect of a dose does, it has no series at that
 * very point. There the lane is told a stretch of BLIND hours at the value itself; from then on series hold a share of
 * the way back to the point, and stretches grow by that share. After MOST_BLIND of them without a series the lane is
 * lost: whoever listens is told of it in another way. */
#include "solve/batch_tell.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vector.h"
#include "solve/apart.h"
#include "solve/batch.h"
#include "solve/batch_clock.h"
#include "solve/batch_switch.h"
#include "solve/sweep.h"

#define LANES HL_BATCH_LANES
#define CUT 1e-11        /* of an output's size, by its series */
#define ORDER 23         /* of 15, 19, 23 and 27, tried on the tapers: 15 takes a third longer */
#define ENOUGH 8.0       /* after the first round this times as much will do */
#define MOST_ROUNDS 100
#define CUT_SWITCHES 1e-9
#define SMALL_SHARE 1e-6 /* of the peak */
#define SHORTEST 1e-12   /* [h] */
#define BLIND 1e-9       /* [h] */
#define MOST_BLIND 4u
#define MOST_STRETCHES 1000u /* of a step */

struct hl_batch_teller {
    const struct hl_plan *plan;
    const struct hl_batch_program *integrator;
    struct hl_arena *arena;
    struct hl_batch_program program;
    struct hl_batch_switches *switches;
    const struct hl_batch_schedule *schedule;
    size_t order, given_order, n_outputs; /* of the outputs' series and of the integrator's */
    int *number;                     /* of the outputs in the listener's list */
    size_t *mode_of;                 /* by mode of the program: the integrator's */
    const double **coefficient;      /* [part][output] */
    double *values;                  /* what these point into: rows of lanes */
    double *file, *inflow, *series, *peak, *E, *phi, *lambda;
    double *slow;                    /* row: mu of the integrator's clock, which its series are written in too */
    double now[LANES] __attribute__((aligned(64)));    /* origin of the stretch [h] */
    double length[LANES] __attribute__((aligned(64)));
    double until[LANES] __attribute__((aligned(64)));  /* its end, the very time */
    size_t next_edge[LANES];
    unsigned blind[LANES];
    bool told[LANES];
};

/* ---- Making */

static bool follows_all(const struct hl_batch_program *outputs, const struct hl_batch_program *integrator, size_t n)
{
    for (size_t c = 0; c < n; c++)
        if (outputs->component_used[c] && !integrator->component_used[c])
            return false;
    for (size_t k = 0; k < outputs->n_clocks; k++) {
        bool known = false;
        for (size_t i = 0; i < integrator->n_clocks; i++)
            known = known || integrator->clock[i].instance == outputs->clock[k].instance;
        if (!known)
            return false; /* the integrator doesn't stop at its doses */
    }
    return true;
}

static double *take(double **at, size_t rows)
{
    double *taken = *at;
    *at += rows * LANES;
    return taken;
}

static bool make_room(struct hl_batch_teller *t)
{
    const struct hl_batch_program *p = &t->program;
    size_t series = p->code.n_slots * (t->order + 1);
    double *room = t->values = hl_alloc((p->n_rows + series + t->n_outputs + 3 * p->n_modes + 2) * LANES, sizeof *room);
    if (!room)
        return false;
    t->file = take(&room, p->n_rows);
    t->series = take(&room, series);
    t->peak = take(&room, t->n_outputs);
    t->E = take(&room, p->n_modes);
    t->phi = take(&room, p->n_modes);
    t->lambda = take(&room, p->n_modes);
    t->inflow = take(&room, 1);
    t->slow = take(&room, 1);
    int *read = hl_arena_alloc(t->arena, t->n_outputs + p->n_switches, sizeof *read);
    memcpy(read, p->shown, t->n_outputs * sizeof *read);
    for (size_t i = 0; i < p->n_switches; i++)
        read[t->n_outputs + i] = p->flip[i].slot;
    struct hl_batch_place place = {t->order, t->series, t->file, t->inflow, t->slow, t->n_outputs + p->n_switches,
                                   read};
    t->schedule = hl_batch_schedule_make(&p->code, &place, t->arena);
    t->mode_of = hl_arena_alloc(t->arena, p->n_modes, sizeof *t->mode_of);
    for (size_t j = 0; j < p->n_modes; j++)
        for (size_t i = 0; i < t->integrator->n_modes; i++)
            if (t->integrator->mode[i].component == p->mode[j].component
                && t->integrator->mode[i].place == p->mode[j].place)
                t->mode_of[j] = i;
    t->coefficient = hl_arena_alloc(t->arena, LANES / HL_LANES * t->n_outputs, sizeof *t->coefficient);
    for (size_t part = 0; part < LANES / HL_LANES; part++)
        for (size_t k = 0; k < t->n_outputs; k++)
            t->coefficient[part * t->n_outputs + k] =
                t->series + (size_t)p->shown[k] * (t->order + 1) * LANES + part * HL_LANES;
    return true;
}

enum hl_status hl_batch_teller_create(const struct hl_plan *plan, const struct hl_batch_program *integrator,
                                      size_t order, const int *output, const int *number, size_t n,
                                      struct hl_batch_teller **teller)
{
    *teller = NULL;
    struct hl_arena *arena = hl_arena_create();
    struct hl_batch_teller *t = hl_alloc(1, sizeof *t);
    if (!arena || !t) {
        hl_arena_free(arena);
        hl_free(t);
        return HL_ERR_MEMORY;
    }
    *t = (struct hl_batch_teller){.plan = plan, .integrator = integrator, .arena = arena, .n_outputs = n,
                                  .order = order > ORDER ? order : ORDER, .given_order = order};
    t->number = hl_arena_alloc(arena, n, sizeof *t->number);
    memcpy(t->number, number, n * sizeof *t->number);
    if (!hl_batch_outputs_make(&t->program, plan, output, n, arena)
        || !follows_all(&t->program, integrator, plan->n_components)) {
        hl_batch_teller_free(t);
        return HL_OK;
    }
    if (!make_room(t) || hl_batch_switches_create(&t->program, t->order, CUT_SWITCHES, &t->switches) != HL_OK) {
        hl_batch_teller_free(t);
        return HL_ERR_MEMORY;
    }
    *teller = t;
    return HL_OK;
}

void hl_batch_teller_free(struct hl_batch_teller *t)
{
    if (!t)
        return;
    hl_batch_switches_free(t->switches);
    hl_free(t->values);
    hl_arena_free(t->arena);
    hl_free(t);
}

/* ---- Loading */

static void load_views(struct hl_batch_teller *t, const struct hl_subjects *subjects, size_t first, size_t l)
{
    const struct hl_batch_program *p = &t->program;
    const struct hl_modes *all = hl_apart_modes(subjects->apart, first + l);
    double most_loss = hl_batch_most_loss(t->plan);
    for (size_t j = 0; j < p->n_modes; j++) {
        double lambda = hl_modes_real(&all[p->mode[j].component], most_loss)->re[p->mode[j].place];
        t->lambda[j * LANES + l] = lambda;
        t->file[(size_t)p->mode[j].lambda * LANES + l] = lambda;
    }
    for (size_t k = 0; k < p->n_views; k++) {
        const struct hl_batch_mode *mode = &p->mode[p->view[k].mode];
        const struct hl_modes *modes = hl_modes_real(&all[mode->component], most_loss);
        t->file[(size_t)p->view[k].row * LANES + l] = modes->V[p->view[k].state_place * modes->n + mode->place];
    }
}

void hl_batch_teller_load(struct hl_batch_teller *t, const struct hl_subjects *subjects, size_t first,
                          const bool *active, const double *file)
{
    const struct hl_batch_program *p = &t->program;
    memset(t->file, 0, p->n_rows * LANES * sizeof *t->file);
    memset(t->lambda, 0, p->n_modes * LANES * sizeof *t->lambda);
    memset(t->peak, 0, t->n_outputs * LANES * sizeof *t->peak);
    memcpy(t->file, file, t->plan->system->n_regs * LANES * sizeof *t->file);
    for (size_t l = 0; l < LANES; l++) {
        t->file[(size_t)p->one * LANES + l] = 1;
        t->told[l] = active[l];
        t->next_edge[l] = 0;
        t->blind[l] = 0;
        if (active[l])
            load_views(t, subjects, first, l);
    }
    hl_program_run(&p->constants, t->file, LANES);
    if (t->switches)
        hl_batch_switches_load(t->switches, t->file);
}

/* ---- Origins */

/* The polynomial c of a clock that shows x now, written for one that begins now, into to: rows, n coefficients. What
 * the old one shows is x + (1 - slow x) times what the new one does. x NULL: 0. */
HL_CLONES static void shift(const double *c, size_t n, const double *x, const double *slow, double *to)
{
    memcpy(to, c, n * LANES * sizeof *to);
    if (!x)
        return;
    for (size_t j = 0; j + 1 < n; j++)
        for (size_t k = n - 1; k > j; k--)
            for (size_t l = 0; l < LANES; l++)
                to[(k - 1) * LANES + l] += x[l] * to[k * LANES + l];
    double power[LANES];
    for (size_t l = 0; l < LANES; l++)
        power[l] = 1;
    for (size_t k = 1; k < n; k++)
        for (size_t l = 0; l < LANES; l++) {
            power[l] *= 1 - slow[l] * x[l];
            to[k * LANES + l] *= power[l];
        }
}

static double *series_of(struct hl_batch_teller *t, int slot)
{
    return t->series + (size_t)slot * (t->order + 1) * LANES;
}

/* s: rows, how far into the step. */
static void set_modes(struct hl_batch_teller *t, const struct hl_batch_step *step, const double *s)
{
    for (size_t j = 0; j < t->program.n_modes; j++) {
        const double *z = step->z + t->mode_of[j] * LANES, *g = step->input + t->mode_of[j] * LANES;
        double *to = series_of(t, t->program.mode[j].slot), *E = t->E + j * LANES, *phi = t->phi + j * LANES;
        double *input = t->file + (size_t)t->program.mode[j].input * LANES, *lambda = t->lambda + j * LANES;
        hl_vector_step(lambda, s, E, phi, LANES);
        for (size_t l = 0; l < LANES; l++) {
            to[l] = z[l] * E[l] + g[l] * phi[l];
            input[l] = hl_batch_input(lambda[l], to[l], g[l]);
        }
    }
}

static void set_clocks(struct hl_batch_teller *t, const struct hl_batch_step *step)
{
    const struct hl_batch_program *p = &t->program;
    if (p->time_slot >= 0)
        memcpy(series_of(t, p->time_slot), t->now, sizeof t->now);
    for (size_t k = 0; k < p->n_clocks; k++)
        for (size_t l = 0; l < LANES; l++) {
            double last = step->last_dose[p->clock[k].instance * LANES + l];
            bool dosed = isfinite(last);
            series_of(t, p->clock[k].slot)[l] = dosed ? t->now[l] - last : 0; /* before any dose: 0 */
            t->file[(size_t)p->clock[k].running * LANES + l] = dosed ? 1 : 0;
        }
}

static void set_origin(struct hl_batch_teller *t, const struct hl_batch_step *step)
{
    double s[LANES] __attribute__((aligned(64))), x[LANES];
    bool moved = false;
    for (size_t l = 0; l < LANES; l++) {
        s[l] = t->now[l] - step->t[l];
        x[l] = hl_clock_x(s[l], t->slow[l]);
        moved = moved || s[l] > 0;
    }
    for (size_t i = 0; i < t->plan->n_integrated; i++)
        if (t->program.given[i] >= 0)
            shift(step->series + (size_t)t->integrator->code.rate[i].slot * (t->given_order + 1) * LANES,
                  t->given_order + 1, moved ? x : NULL, t->slow, series_of(t, t->program.given[i]));
    set_modes(t, step, s);
    set_clocks(t, step);
}

/* ---- Stretches */

/* By how much h is too long for the series of output k, the last terms over what is allowed, if it is more than
 * most[l] says. */
static void weigh(struct hl_batch_teller *t, size_t k, const double *h, double *most)
{
    const double *c = t->coefficient[k], *peak = t->peak + k * LANES;
    double change[LANES] __attribute__((aligned(64))), tail[LANES] __attribute__((aligned(64)));
    for (size_t at = 0; at < LANES; at += HL_LANES)
        hl_batch_bound(c + at, t->order, h + at, change + at, tail + at);
    for (size_t l = 0; l < LANES; l++) {
        double size = fabs(c[l]), scale = fmax(size, SMALL_SHARE * peak[l]) + fmin(change[l], peak[l]);
        double excess = tail[l] > 0 ? tail[l] / (CUT * (scale + SMALL_SHARE * change[l])) : 0 * tail[l];
        excess += 0 * (change[l] + size); /* NaN if they are not finite */
        most[l] = excess > most[l] || isnan(excess) ? excess : most[l];
    }
}

/* h[l]: how far the series of all outputs hold, by the clock, at most as far as it says; NaN where one has none. Their
 * sizes change with the way, so that the first answer isn't the last. */
static void limit(struct hl_batch_teller *t, const bool *going, double *h)
{
    for (size_t k = 0; k < t->n_outputs; k++)
        for (size_t l = 0; l < LANES; l++)
            if (going[l]) /* how often the others wait for their neighbours isn't theirs */
                t->peak[k * LANES + l] = fmax(t->peak[k * LANES + l], fabs(t->coefficient[k][l]));
    bool again = true;
    for (int round = 0; again && round < MOST_ROUNDS; round++) {
        double most[LANES] = {0}, share[LANES] __attribute__((aligned(64)));
        again = false;
        for (size_t k = 0; k < t->n_outputs; k++)
            weigh(t, k, h, most);
        for (size_t l = 0; l < LANES; l++) {
            bool far = most[l] > (round == 0 ? 1 : ENOUGH);
            share[l] = far ? -log(most[l]) / (double)(t->order - 3) : isnan(most[l]) ? most[l] : 0;
            again = again || far;
        }
        hl_vector_exp(share, share, LANES);
        for (size_t l = 0; l < LANES; l++)
            h[l] *= share[l];
    }
}

/* Lanes that stand still, or are lost, have numbers that do no harm; a blind stretch stays at its value. */
static void flatten(struct hl_batch_teller *t, size_t l, bool keep_value)
{
    for (size_t k = 0; k < t->n_outputs; k++) {
        double *c = series_of(t, t->program.shown[k]);
        c[l] = keep_value ? c[l] : 0;
        for (size_t i = 1; i <= t->order; i++)
            c[i * LANES + l] = 0;
    }
}

static bool has_values(struct hl_batch_teller *t, size_t l)
{
    for (size_t k = 0; k < t->n_outputs; k++)
        if (!isfinite(t->coefficient[k][l]))
            return false;
    return true;
}

/* A lane without a series: told blindly, or lost. Returns the length. */
static double go_blind(struct hl_batch_teller *t, size_t l, double way)
{
    t->blind[l] += way >= BLIND; /* shorter ways are none of the lane's fault */
    if (!has_values(t, l) || t->blind[l] > MOST_BLIND)
        return NAN;
    flatten(t, l, true);
    return fmin(way, fmax(BLIND, 16 * DBL_EPSILON * fabs(t->now[l])));
}

/* Where lane l must stop at the latest: the step's end or an edge before it. */
static double stop_of(struct hl_batch_teller *t, size_t l, double end, const struct hl_listener *listener)
{
    while (t->next_edge[l] < listener->n_edges && listener->edge[t->next_edge[l]] <= t->now[l])
        t->next_edge[l]++;
    return t->next_edge[l] < listener->n_edges ? fmin(end, listener->edge[t->next_edge[l]]) : end;
}

/* Lengths and ends of all lanes' stretches, from the series at now. */
static void choose(struct hl_batch_teller *t, const struct hl_batch_step *step, const struct hl_listener *listener,
                   const bool *going)
{
    double way[LANES], stop[LANES], end[LANES], x[LANES] __attribute__((aligned(64))); /* x, end: by the clock */
    bool held[LANES] = {false}, unknown[LANES] = {false};
    for (size_t l = 0; l < LANES; l++) {
        stop[l] = going[l] ? stop_of(t, l, step->end[l], listener) : t->now[l];
        way[l] = stop[l] - t->now[l];
        x[l] = end[l] = hl_clock_x(way[l], t->slow[l]);
    }
    limit(t, going, x);
    if (t->switches)
        hl_batch_switches_meet(t->switches, t->file, t->series, x, going, held, unknown);
    for (size_t l = 0; l < LANES; l++) {
        double h = x[l] >= end[l] ? way[l] : hl_clock_s(x[l], t->slow[l]);
        double least = fmax(SHORTEST, 4 * DBL_EPSILON * fabs(t->now[l]));
        bool stalled = unknown[l] || !(h >= way[l] || h >= least || held[l]);
        t->blind[l] = stalled || !going[l] ? t->blind[l] : 0;
        if (going[l] && stalled)
            h = go_blind(t, l, way[l]);
        t->told[l] = t->told[l] && !isnan(h);
        t->length[l] = going[l] && t->told[l] ? fmin(h, way[l]) : 0;
        if (!(t->length[l] > 0))
            flatten(t, l, false);
        t->until[l] = t->length[l] >= way[l] ? stop[l] : t->now[l] + t->length[l];
    }
}

static void tell(struct hl_batch_teller *t, size_t first, const struct hl_listener *listener)
{
    for (size_t part = 0; part < LANES / HL_LANES; part++) {
        size_t at = part * HL_LANES;
        bool any = false;
        for (size_t l = at; l < at + HL_LANES; l++)
            any = any || t->length[l] > 0;
        struct hl_batch_curve curve = {t->order, t->slow + at, t->coefficient + part * t->n_outputs};
        struct hl_stretch stretch = {.first = first + at, .t0 = t->now + at, .length = t->length + at,
                                     .t1 = t->until + at, .n_outputs = t->n_outputs, .output = t->number,
                                     .kind = &hl_batch_curve_kind, .inside = &curve};
        if (any)
            listener->stretch(listener->context, &stretch);
    }
}

void hl_batch_tell(struct hl_batch_teller *t, const struct hl_batch_step *step, const struct hl_listener *listener,
                   size_t first, bool *lost)
{
    memcpy(t->now, step->t, sizeof t->now);
    memcpy(t->slow, step->slow, LANES * sizeof *t->slow);
    for (unsigned round = 0;; round++) {
        bool going[LANES], any = false;
        for (size_t l = 0; l < LANES; l++) {
            going[l] = t->told[l] && step->h[l] > 0 && t->now[l] < step->end[l];
            t->told[l] = t->told[l] && !(going[l] && round >= MOST_STRETCHES);
            going[l] = going[l] && t->told[l];
            any = any || going[l];
        }
        if (!any)
            break;
        set_origin(t, step);
        hl_batch_series(t->schedule);
        choose(t, step, listener, going);
        tell(t, first, listener);
        if (t->switches)
            hl_batch_switches_turn(t->switches, t->file);
        for (size_t l = 0; l < LANES; l++)
            t->now[l] = going[l] ? t->until[l] : t->now[l];
    }
    for (size_t l = 0; l < LANES; l++)
        lost[l] = lost[l] || !t->told[l];
}
