/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sixteen subjects integrated side by side by Taylor series.
 *
 * Every lane has its own time, step, next event and next output time; a turn of the loop takes one step in each:
 *   1. modes of exact states at the lane's time, from its last event (z e^(lambda dt) + g phi, nothing adds up);
 *   2. events of that time; what is there after them starts the series;
 *   3. the series (batch_schedule.c, batch_series.c) and how far it holds, at most to the lane's next event, on which
 *      it lands exactly;
 *   4. output times within the step, from the same polynomial; then its end.
 * A lane that has come to its event waits for those that are behind it in time. Lanes that wait, have come to the end
 * or were never good stand still: they are computed, not kept. Outputs that are linear in integrated states are series
 * too and go to their place at once; where any other output is asked for, states are shown and sweep.c makes outputs
 * of them.
 *
 * Stiff lanes. A series must be as short as the fastest rate asks, however little is left of it. Where that takes more
 * than STEPS_AT_FIRST and STEPS_PER_EVENT steps (usual are ten per dose), the lane is handed back as stiff, and
 * solver.c solves it alone by an implicit method. An implicit step alone costs as much as some fifty of a lane here:
 * the limit is where both ways cost about the same.
 *
 * The clock. Series are written in x = (1 - e^(-mu s)) / mu (batch_clock.h), in which what decays has shorter ones: W3
 * takes 4.2 steps of order 15 from dose to dose instead of 6.7. How much slowing, mu h, over a step of length h pays is
 * learnt: the last terms alternate in sign where something fast is left over, and then a little more is tried, else a
 * little less (where solutions grow it comes to nothing); h is what the step had that followed the lane's last event at
 * the same distance, counted in steps. A bad guess costs length, not digits: how far a series holds is told by its
 * terms.
 *
 * Error: the terms cut off stay below TRUNCATION * tolerance times the state's present size (at least SMALL_SHARE of
 * its peak), so values far below the peak keep their relative digits. That is stricter than the scalar path, which
 * measures by the peak alone. Largest relative error of outputs above 1e-6 of their peak, as a multiple of the
 * tolerance, for tolerances 1e-4, 1e-6 and 1e-8, 64 subjects spread by 40 % (W3: 160): W3 0.2 to 0.3, saturated
 * elimination that ends far below Km 0.9 to 1.6, binding to a target 0.3, growth with killing 0.1 to 0.7, predators and
 * prey 0.3 to 0.6, a tolerance that comes and goes 0.02 to 0.1, elimination that induces itself 1.6 to 5 (in plain
 * time, with TRUNCATION 0.2 and order 15, 3.8 to 4.5): there values fall to 1e-6 of the peak, and an error of the rate
 * counts fourteenfold. The tolerance is the error to expect, or a bound on it, within a factor of a few.
 *
 * Why series and not a Runge-Kutta pair. A dose excites the fastest rates, steps grow again while they fade, and GSL's
 * rk8pd needs 13 evaluations a step and a step per output time. The rates of pharmacokinetic models are mostly linear;
 * what isn't are a few quotients and powers. Their series to order 15 costs 15 evaluations of the sums and some 100
 * products for each product or quotient, gives the polynomial for all output times for nothing, needs no first guess
 * after a dose and never repeats a step. (A pair in lanes was only estimated: a fixed hour of order 8 would cost about
 * 1300 cycles for eight lanes, twelve times from dose to dose; a step of a series and its share of output times cost
 * about 2000, seven times.)
 *
 * What was tried on W3 (relative error 4e-7 at tolerance 1e-6, AVX-512, one thread; microseconds per subject, best of
 * many runs on a shared machine, where rk8pd 1e-6 takes 1920):
 *   290  eight lanes, operations and orders interpreted one by one; 6.6 turns from dose to dose
 *   221  sixteen lanes, two vectors per operation; what needs no loop computed for all orders at once
 *   192  output times shown by one loop in vectors of eight lanes; no wide load after narrow stores, no scattered
 *        stores; states that no output needs aren't shown; additions in the order in which terms become known
 *   158  compartments around one saturable flow in registers; a clearance Vmax / (Km + c) times a state is one
 *        quotient, whose denominator needs no series
 *   139  step lengths without the library's log and exp; events looked at only where a lane stands at one
 *   122  linear outputs as series of their own instead of a program per output time
 *   106  lanes wait for each other at doses: as many turns as before (1149 and 1144, a mean subject having 958 steps),
 *        but 3163 looks at output times for eight lanes instead of 4556, 2017 being the least
 *   100  limits, ends and checks of steps in vector loops; four short polynomials instead of two long ones
 *    80  the slowed clock: 740 turns
 *    74  quotients and saturable flows whose next order waits for little: what is known early is summed first, and what
 *        is left to do with the newest coefficient is linear
 *    72  rounds of output times that don't wait for each other, two at a time; inverses to five digits instead of
 *        divisions
 *    70  addresses that loops over orders needn't read again
 *    67  order 19 instead of 15: 567 turns (with 15 before the clock was slowed, 19 cost 18 % more)
 *    65  both vectors of a pair end their steps together
 *    63  sums begin with their first term; output times looked up without indices in vectors
 * No gain: vectors of modes instead of loops over lanes; ends of steps state by state. Slowing that is learnt in steps
 * of 0.1 or 0.05 instead of 0.02 takes 5 and 2 % more turns. Not built, by estimate: output times of one lane in
 * a vector, with coefficients broadcast, cost what a vector of lanes does (two of eight places used). Common steps for
 * all lanes, on a lattice of fractions of the dosing interval, need three steps more per interval. Subjects sorted by
 * the number of their steps would save 14 % of the turns, but a lane must not choose its neighbours by their numbers,
 * and lanes that take the next subject when they are done lose the pace. Where the time goes now: two fifths in the
 * series, near what the units can do; 28 % in showing, 150 cycles for a round of four outputs of eight lanes where 107
 * is the least, seven of ten lanes having a time in it; a sixth in lengths and ends of steps, a tenth between. */
#include "solve/batch.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vector.h"
#include "solve/batch_clock.h"
#include "solve/batch_code.h"
#include "solve/batch_switch.h"
#include "solve/batch_tell.h"

#define SMALL_SHARE 1e-6       /* of the peak: below it relative digits aren't asked for */
#define NOISE_SHARE 1e-12      /* of the unit a state is shown in: smaller values are noise */
#define SMALLEST_SCALE 1e-30   /* engine's units */
#define TRUNCATION 0.15        /* of the tolerance, per step: errors of some steps add up */
#define MAX_STEPS 200000u      /* per subject; beyond them the subject is solved alone */
#define STEPS_AT_FIRST 3000u   /* a subject that takes more, and */
#define STEPS_PER_EVENT 1000u  /* these more for each event passed, is stiff */
#define SHORTEST_STEP 1e-9     /* [h] */
#define MOST_LOSS 1e5          /* of modes (modes.h): right to 1e-11 of a response's peak then, as what is told */
#define LOSS_SHARE 0.01        /* and to this share of the tolerance */
#define PLACES 8               /* steps after an event that have a clock of their own; later ones share the last */
#define UNKNOWN (-1.0)
#define FIRST_BEND 0.4         /* mu h of a lane's first steps */
#define STEP_GROWS 1.4         /* from one step to the next after an event */

struct hl_batch {
    const struct hl_plan *plan;
    struct hl_arena *arena;
    struct hl_batch_program program;
    struct hl_batch_switches *switches; /* NULL when rates have none */
    struct hl_batch_teller *teller;  /* of the outputs in heard, or NULL */
    size_t n_heard, heard_capacity; int *heard;
    const struct hl_listener *listener; /* NULL: nobody */
    bool *told;                      /* by lane: of the run */
    size_t order;
    double *values;                  /* what the arrays below point into; rows of eight */
    double *file, *inflow, *series;
    struct hl_batch_scale scale;
    const struct hl_batch_schedule *schedule;
    int *moving;                     /* slots of the integrated states */
    struct hl_batch_shown shown;
    int *asked; size_t n_asked;      /* outputs, as asked for last */
    bool shows_outputs;              /* else states */
    int *shown_slot;
    size_t *shown_number, *shown_place; /* of the output, or of the integrated state; where that is */
    double *time; size_t n_times;    /* output times, then HL_BATCH_ROUNDS times infinity */
    double *z, *z_now, *lambda, *input, *E, *phi; /* [mode of the program] */
    double *rate;                    /* [lane][state] */
    double *scratch, *g;             /* largest component */
    bool *tad_read;                  /* by instance */
    /* by lane */
    struct hl_batch_pace pace;
    double *slow;                    /* row: mu of the clock, of this step */
    struct { double slow[HL_BATCH_LANES], bend[HL_BATCH_LANES]; } clock[PLACES]; /* by place: as it was there last */
    size_t place[HL_BATCH_LANES];    /* steps since the last event */
    double anchor[HL_BATCH_LANES];   /* where the lane's exact states last began anew */
    double *last_dose;               /* [instance] */
    size_t next_event[HL_BATCH_LANES];
    size_t steps[HL_BATCH_LANES], most_steps[HL_BATCH_LANES]; /* taken; more than so many, and the lane is stiff */
    bool stiff[HL_BATCH_LANES];
    bool active[HL_BATCH_LANES];     /* not yet at the end, nor given up */
    /* of the group */
    const struct hl_subjects *subjects;
    const double *regs;
    size_t first;
};

/* About 0.5 ln(1/error) is the order at which a digit costs least when every term costs as many operations as it has
 * predecessors (Jorba and Zou). Here most of the work is sums, whose terms all cost the same, and what a step costs
 * besides: somewhat more pays. One less than a multiple of four, as loops want it. Of 15, 19 and 23 at tolerance 1e-6,
 * 19 was best for W3 and four of six other models, by 4 to 12 %; it costs 3 to 4 % where steps end at events or
 * switches anyhow. */
static size_t order_for(double error)
{
    size_t order = (size_t)(6.5 - 0.65 * log(error)) / 4 * 4 + 3;
    return order > HL_BATCH_MOST_ORDER ? HL_BATCH_MOST_ORDER : order;
}

static double *take(double **at, size_t rows)
{
    double *taken = *at;
    *at += rows * HL_BATCH_LANES;
    return taken;
}

/* True when an output is the state, or is computed from it. */
static bool is_shown(const struct hl_system *system, int reg)
{
    for (size_t k = 0; k < system->outputs.n; k++) {
        const struct hl_instruction *in = &system->outputs.code[k];
        if (in->a == reg || in->b == reg || in->c == reg)
            return true;
    }
    for (size_t o = 0; o < system->n_outputs; o++)
        if (system->output[o].reg == reg)
            return true;
    return false;
}

/* The schedule that makes the slots in read besides the switches' and the states'. */
static void make_schedule(struct hl_batch *b, const int *read, size_t n_read)
{
    const struct hl_batch_program *p = &b->program;
    int *all = hl_arena_alloc(b->arena, p->n_switches + n_read, sizeof *all);
    for (size_t i = 0; i < p->n_switches; i++)
        all[i] = p->flip[i].slot;
    for (size_t i = 0; i < n_read; i++)
        all[p->n_switches + i] = read[i];
    struct hl_batch_place place = {b->order, b->series, b->file, b->inflow, b->slow, p->n_switches + n_read, all};
    b->schedule = hl_batch_schedule_make(&p->code, &place, b->arena);
}

static void show_states(struct hl_batch *b)
{
    const struct hl_plan *plan = b->plan;
    b->shown.n = 0;
    b->shown.slot = b->shown_slot;
    for (size_t i = 0; i < plan->n_integrated; i++)
        if (is_shown(plan->system, plan->system->state[plan->integrated[i]].reg)) {
            b->shown_number[b->shown.n] = i;
            b->shown_slot[b->shown.n++] = b->moving[i];
        }
}

/* True when the same outputs were asked for before. */
static bool is_asked_already(const struct hl_batch *b, const int *output, size_t n)
{
    bool same = b->asked && b->n_asked == n;
    for (size_t o = 0; same && o < n; o++)
        same = b->asked[o] == output[o];
    return same;
}

/* What is shown, as slots; made when it changes, which it hardly ever does. */
static void choose_shown(struct hl_batch *b, const int *output, size_t n)
{
    size_t most = n > b->plan->n_integrated ? n : b->plan->n_integrated;
    b->asked = hl_arena_alloc(b->arena, n, sizeof *b->asked);
    b->n_asked = n;
    b->shown_slot = hl_arena_alloc(b->arena, most, sizeof *b->shown_slot);
    b->shown_place = hl_arena_alloc(b->arena, most, sizeof *b->shown_place);
    b->shown_number = hl_arena_alloc(b->arena, most, sizeof *b->shown_number);
    b->shown.slot = b->shown_slot;
    b->shown.place = b->shown_place;
    b->shows_outputs = true;
    for (size_t o = 0; o < n; o++) {
        b->asked[o] = output[o];
        b->shown_number[o] = o;
        b->shown_slot[o] = b->program.output_slot[output[o]];
        b->shows_outputs = b->shows_outputs && b->shown_slot[o] >= 0;
    }
    b->shown.n = n;
    if (!b->shows_outputs)
        show_states(b);
    make_schedule(b, b->shown_slot, b->shown.n);
}

bool hl_batch_set_outputs(struct hl_batch *b, const int *output, size_t n, size_t lanes)
{
    if (!is_asked_already(b, output, n))
        choose_shown(b, output, n);
    b->shown.pitch = b->shows_outputs ? lanes : b->plan->n_integrated * lanes;
    for (size_t i = 0; i < b->shown.n; i++)
        b->shown_place[i] = b->shown_number[i] * lanes * (b->shows_outputs ? b->n_times : 1);
    return b->shows_outputs;
}

static bool make_room(struct hl_batch *b)
{
    const struct hl_plan *plan = b->plan;
    const struct hl_batch_program *p = &b->program;
    size_t n = plan->n_integrated, series = p->code.n_slots * (b->order + 1);
    size_t rows = p->n_rows + n + series + n + 6 + 6 * p->n_modes + plan->system->n_states
                  + plan->system->n_instances;
    double *room = b->values = hl_alloc((rows + 2) * HL_BATCH_LANES + 2 * plan->largest, sizeof *b->values);
    b->tad_read = hl_alloc(plan->system->n_instances, sizeof *b->tad_read);
    if (!room || !b->tad_read)
        return false;
    b->file = take(&room, p->n_rows);
    b->inflow = take(&room, n);
    b->series = take(&room, series);
    b->scale.peak = take(&room, n);
    double **pace_rows[] = {&b->pace.t, &b->pace.until, &b->pace.h, &b->pace.bend, &b->pace.slow_next, &b->slow};
    for (size_t k = 0; k < 6; k++)
        *pace_rows[k] = take(&room, 1);
    b->pace.least = SHORTEST_STEP;
    b->pace.least_share = 4 * DBL_EPSILON;
    double **mode_rows[] = {&b->z, &b->z_now, &b->lambda, &b->input, &b->E, &b->phi};
    for (size_t k = 0; k < 6; k++)
        *mode_rows[k] = take(&room, p->n_modes);
    b->last_dose = take(&room, plan->system->n_instances);
    b->rate = take(&room, plan->system->n_states);
    b->scratch = room;
    b->g = room + plan->largest;
    double *noise = hl_arena_alloc(b->arena, n, sizeof *noise);
    b->scale.log2_tolerance = log2(TRUNCATION * plan->tolerance);
    b->scale.small_share = SMALL_SHARE;
    b->scale.most_bend = hl_clock_most_bend(b->order, TRUNCATION * plan->tolerance);
    b->scale.noise = noise;
    b->moving = hl_arena_alloc(b->arena, n, sizeof *b->moving);
    for (size_t i = 0; i < n; i++) {
        noise[i] = fmax(SMALLEST_SCALE, NOISE_SHARE * plan->system->state[plan->integrated[i]].unit.factor);
        b->moving[i] = p->code.rate[i].slot;
    }
    return true;
}

static bool is_computed(const struct hl_program *program, int reg)
{
    for (size_t k = 0; k < program->n; k++)
        if (program->code[k].dst == reg)
            return true;
    return false;
}

/* Nothing is integrated, and no output asks for more than sums of exact states. */
static bool is_idle(const struct hl_plan *plan)
{
    const struct hl_system *system = plan->system;
    bool idle = plan->n_integrated == 0;
    for (size_t o = 0; idle && o < system->n_outputs; o++)
        idle = system->output[o].linear || !is_computed(&system->outputs, system->output[o].reg);
    return idle;
}

double hl_batch_most_loss(const struct hl_plan *plan)
{
    return fmax(HL_MODES_MAX_LOSS, fmin(MOST_LOSS, LOSS_SHARE * plan->tolerance / DBL_EPSILON));
}

enum hl_status hl_batch_create(const struct hl_plan *plan, struct hl_batch **batch)
{
    *batch = NULL;
    if (plan->everything || plan->releases || plan->for_records || is_idle(plan))
        return HL_OK;
    struct hl_arena *arena = hl_arena_create();
    struct hl_batch *b = hl_alloc(1, sizeof *b);
    if (!arena || !b) {
        hl_free(b);
        hl_arena_free(arena);
        return HL_ERR_MEMORY;
    }
    b->arena = arena;
    b->plan = plan;
    b->order = order_for(TRUNCATION * plan->tolerance);
    if (!hl_batch_program_make(&b->program, plan, arena)) {
        hl_batch_free(b);
        return HL_OK;
    }
    if (!make_room(b)
        || hl_batch_switches_create(&b->program, b->order, TRUNCATION * plan->tolerance, &b->switches) != HL_OK) {
        hl_batch_free(b);
        return HL_ERR_MEMORY;
    }
    for (size_t k = 0; k < b->program.n_clocks; k++)
        b->tad_read[b->program.clock[k].instance] = true;
    *batch = b;
    return HL_OK;
}

void hl_batch_free(struct hl_batch *b)
{
    if (!b)
        return;
    hl_batch_switches_free(b->switches);
    hl_batch_teller_free(b->teller);
    hl_free(b->heard);
    hl_free(b->time);
    hl_free(b->values);
    hl_free(b->tad_read);
    hl_arena_free(b->arena);
    hl_free(b);
}

/* ---- Listening */

static bool has_teller_for(const struct hl_batch *b, const int *output, const struct hl_listener *listener)
{
    bool same = b->teller && b->n_heard == listener->n_told;
    for (size_t k = 0; same && k < b->n_heard; k++)
        same = b->heard[2 * k] == listener->told[k] && b->heard[2 * k + 1] == output[listener->told[k]];
    return same;
}

enum hl_status hl_batch_listen(struct hl_batch *b, const int *output, const struct hl_listener *listener)
{
    b->listener = listener && listener->stretch && listener->n_told > 0 ? listener : NULL;
    if (!b->listener || has_teller_for(b, output, listener))
        return HL_OK;
    size_t n = listener->n_told;
    hl_batch_teller_free(b->teller);
    hl_free(b->heard);
    b->teller = NULL;
    b->heard = hl_alloc(3 * n, sizeof *b->heard);
    if (!b->heard)
        return HL_ERR_MEMORY;
    b->n_heard = n;
    int *outputs = b->heard + 2 * n;
    for (size_t k = 0; k < n; k++) {
        b->heard[2 * k] = listener->told[k];
        b->heard[2 * k + 1] = outputs[k] = output[listener->told[k]];
    }
    return hl_batch_teller_create(b->plan, &b->program, b->order, outputs, listener->told, n, &b->teller);
}

bool hl_batch_tells(const struct hl_plan *plan, int output, enum hl_status *status)
{
    struct hl_batch *b;
    struct hl_batch_teller *teller = NULL;
    int number = 0;
    *status = hl_batch_create(plan, &b);
    if (*status != HL_OK || !b)
        return false;
    *status = hl_batch_teller_create(plan, &b->program, b->order, &output, &number, 1, &teller);
    bool tells = teller != NULL;
    hl_batch_teller_free(teller);
    hl_batch_free(b);
    return tells;
}

static double *origin_of(struct hl_batch *b, int slot)
{
    return b->series + (size_t)slot * (b->order + 1) * HL_BATCH_LANES;
}

/* An integrated state, now: the origin of its series. */
static double *state_of(struct hl_batch *b, size_t i)
{
    return origin_of(b, b->moving[i]);
}

enum hl_status hl_batch_set_times(struct hl_batch *b, const double *time, size_t n_times)
{
    if (b->n_times < n_times) {
        hl_free(b->time);
        b->n_times = 0;
        if (!(b->time = hl_alloc(n_times + HL_BATCH_ROUNDS, sizeof *b->time)))
            return HL_ERR_MEMORY;
    }
    b->n_times = n_times;
    memcpy(b->time, time, n_times * sizeof *time);
    for (size_t k = 0; k < HL_BATCH_ROUNDS; k++)
        b->time[n_times + k] = INFINITY;
    b->shown.time = b->time;
    b->shown.n_times = n_times;
    return HL_OK;
}

/* ---- Loading */

static const struct hl_modes *modes_of(const struct hl_batch *b, size_t l, size_t c)
{
    return hl_modes_real(&hl_apart_modes(b->subjects->apart, b->first + l)[c], hl_batch_most_loss(b->plan));
}

static bool can_take(const struct hl_batch *b, size_t l)
{
    bool good = b->subjects->status[b->first + l] == HL_SUBJECT_GOOD;
    for (size_t c = 0; good && c < b->plan->n_components; c++)
        good = !b->program.component_used[c] || modes_of(b, l, c);
    return good;
}

/* Constant inputs of a component after its infusions have changed. */
static void renew_input(struct hl_batch *b, size_t c, size_t l)
{
    hl_component_input(&b->plan->component[c], modes_of(b, l, c), b->regs, b->subjects->lanes, b->first + l,
                       b->rate + l * b->plan->system->n_states, true, b->scratch, b->g);
    for (size_t j = 0; j < b->program.n_modes; j++) {
        const struct hl_batch_mode *mode = &b->program.mode[j];
        if (mode->component != c)
            continue;
        b->input[j * HL_BATCH_LANES + l] = b->g[mode->place];
        b->file[(size_t)mode->input * HL_BATCH_LANES + l] = b->g[mode->place];
    }
}

/* Amplitude of a mode at the start, which holds the states themselves where the modes are too rough for exact
 * answers. */
static double start_amplitude(const struct hl_batch *b, size_t l, const struct hl_batch_mode *mode)
{
    size_t c = mode->component;
    const struct hl_modes *modes = modes_of(b, l, c);
    const double *z = b->subjects->start[b->first + l].z + b->plan->component[c].offset;
    double sum = 0;
    if (hl_apart_modes(b->subjects->apart, b->first + l)[c].kind == HL_MODES_REAL)
        return z[mode->place];
    for (size_t i = 0; i < modes->n; i++)
        sum += modes->W[mode->place * modes->n + i] * z[i];
    return sum;
}

static void load_modes(struct hl_batch *b, size_t l)
{
    const struct hl_batch_program *p = &b->program;
    for (size_t j = 0; j < p->n_modes; j++) {
        const struct hl_batch_mode *mode = &p->mode[j];
        double lambda = modes_of(b, l, mode->component)->re[mode->place];
        b->lambda[j * HL_BATCH_LANES + l] = lambda;
        b->file[(size_t)mode->lambda * HL_BATCH_LANES + l] = lambda;
        b->z[j * HL_BATCH_LANES + l] = start_amplitude(b, l, mode);
    }
    for (size_t k = 0; k < p->n_views; k++) {
        const struct hl_batch_mode *mode = &p->mode[p->view[k].mode];
        const struct hl_modes *modes = modes_of(b, l, mode->component);
        b->file[(size_t)p->view[k].row * HL_BATCH_LANES + l] =
            modes->V[p->view[k].state_place * modes->n + mode->place];
    }
    for (size_t c = 0; c < b->plan->n_components; c++)
        if (p->component_used[c])
            renew_input(b, c, l);
}

/* Lane l has taken so many steps since its last event. */
static void set_clock(struct hl_batch *b, size_t l, size_t place)
{
    b->place[l] = place;
    b->slow[l] = b->clock[place].slow[l];
    b->pace.bend[l] = b->clock[place].bend[l];
}

static void load_lane(struct hl_batch *b, size_t l)
{
    const struct hl_plan *plan = b->plan;
    const struct hl_system *system = plan->system;
    const struct hl_start *start = &b->subjects->start[b->first + l];
    memcpy(b->rate + l * system->n_states, start->rate, system->n_states * sizeof *b->rate);
    for (size_t i = 0; i < plan->n_integrated; i++) {
        state_of(b, i)[l] = start->y[i];
        b->scale.peak[i * HL_BATCH_LANES + l] = fabs(start->y[i]);
        b->inflow[i * HL_BATCH_LANES + l] = start->rate[plan->integrated[i]];
    }
    for (size_t i = 0; i < system->n_instances; i++)
        b->last_dose[i * HL_BATCH_LANES + l] = start->last_dose[i];
    load_modes(b, l);
    b->pace.t[l] = b->pace.until[l] = b->anchor[l] = start->time;
    b->next_event[l] = b->steps[l] = 0;
    b->stiff[l] = false;
    for (size_t k = 0; k < PLACES; k++)
        b->clock[k].slow[l] = UNKNOWN;
    b->clock[0].slow[l] = 0;
    b->clock[0].bend[l] = FIRST_BEND;
    set_clock(b, l, 0);
}

static void begin_showing(struct hl_batch *b, size_t n, double *to)
{
    for (size_t l = 0; l < HL_BATCH_LANES; l++) {
        b->shown.to[l] = to + b->first + (l < n ? l : 0);
        b->shown.next[l] = b->active[l] ? 0 : b->n_times;
    }
}

/* Lanes that aren't taken get the values of nobody: zeros. */
static void load(struct hl_batch *b)
{
    const struct hl_system *system = b->plan->system;
    size_t lanes = b->subjects->lanes;
    for (size_t r = 0; r < system->n_regs; r++)
        for (size_t l = 0; l < HL_BATCH_LANES; l++)
            b->file[r * HL_BATCH_LANES + l] = b->active[l] ? b->regs[r * lanes + b->first + l] : 0;
    for (size_t k = 0; k < system->n_states; k++)
        memset(b->file + (size_t)system->state[k].reg * HL_BATCH_LANES, 0, HL_BATCH_LANES * sizeof *b->file);
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        b->file[(size_t)b->program.one * HL_BATCH_LANES + l] = 1;
    for (size_t i = 0; i < b->plan->n_integrated; i++)
        memset(state_of(b, i), 0, HL_BATCH_LANES * sizeof(double));
    memset(b->scale.peak, 0, b->plan->n_integrated * HL_BATCH_LANES * sizeof *b->scale.peak);
    memset(b->z, 0, 6 * b->program.n_modes * HL_BATCH_LANES * sizeof *b->z);
    memset(b->inflow, 0, b->plan->n_integrated * HL_BATCH_LANES * sizeof *b->inflow);
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        b->pace.h[l] = b->pace.bend[l] = b->slow[l] = 0;
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        b->pace.t[l] = b->pace.until[l] = INFINITY;
    memset(b->anchor, 0, sizeof b->anchor);
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        if (b->active[l])
            load_lane(b, l);
    hl_program_run(&b->program.constants, b->file, HL_BATCH_LANES);
    if (b->switches)
        hl_batch_switches_load(b->switches, b->file);
}

/* ---- Events */

/* Whether an event changes anything that is integrated here. */
static bool matters(const struct hl_batch *b, const struct hl_event *event)
{
    if (event->kind == HL_EVENT_GIVEN)
        return event->instance >= 0 && b->tad_read[event->instance];
    if (event->state < 0 || !b->plan->live[event->state])
        return false;
    int c = b->plan->component_of[event->state];
    return b->plan->integrated_of[event->state] >= 0 || (c >= 0 && b->program.component_used[c]);
}

static const struct hl_event *next_event(struct hl_batch *b, size_t l)
{
    const struct hl_events *events = &b->subjects->events[b->first + l];
    while (b->next_event[l] < events->n && !matters(b, &events->event[b->next_event[l]]))
        b->next_event[l]++;
    return b->next_event[l] < events->n ? &events->event[b->next_event[l]] : NULL;
}

static void add(struct hl_batch *b, size_t l, int state, double value)
{
    int i = b->plan->integrated_of[state], c = b->plan->component_of[state];
    if (i >= 0)
        state_of(b, (size_t)i)[l] += value;
    if (c < 0)
        return;
    const struct hl_modes *modes = modes_of(b, l, (size_t)c);
    for (size_t j = 0; j < b->program.n_modes; j++)
        if (b->program.mode[j].component == (size_t)c)
            b->z_now[j * HL_BATCH_LANES + l] +=
                modes->W[b->program.mode[j].place * modes->n + (size_t)b->plan->place_of[state]] * value;
}

static void change_rate(struct hl_batch *b, size_t l, int state, double value)
{
    double *rate = &b->rate[l * b->plan->system->n_states + (size_t)state];
    *rate += value;
    if (fabs(*rate) < HL_RATE_GONE * fabs(value))
        *rate = 0;
    if (b->plan->integrated_of[state] >= 0)
        b->inflow[(size_t)b->plan->integrated_of[state] * HL_BATCH_LANES + l] = *rate;
    if (b->plan->component_of[state] >= 0)
        renew_input(b, (size_t)b->plan->component_of[state], l);
}

static void apply(struct hl_batch *b, size_t l, const struct hl_event *event)
{
    if (event->kind == HL_EVENT_GIVEN)
        b->last_dose[(size_t)event->instance * HL_BATCH_LANES + l] = event->time;
    if (event->kind == HL_EVENT_ADD)
        add(b, l, event->state, event->value);
    if (event->kind == HL_EVENT_RATE)
        change_rate(b, l, event->state, event->value);
}

/* Everything lane l has at its time; the exact states start anew from there. Returns when the lane must stop next. */
static double pass_events(struct hl_batch *b, size_t l, double end)
{
    const struct hl_event *event = next_event(b, l);
    bool any = false;
    for (; event && event->time <= b->pace.t[l]; event = next_event(b, l)) {
        apply(b, l, event);
        b->next_event[l]++;
        any = true;
    }
    for (size_t j = 0; any && j < b->program.n_modes; j++)
        b->z[j * HL_BATCH_LANES + l] = b->z_now[j * HL_BATCH_LANES + l];
    if (any) {
        b->anchor[l] = b->pace.t[l];
        set_clock(b, l, 0);
    }
    return event && event->time < end ? event->time : end;
}

/* ---- Steps */

/* dt = t - anchor, x = lambda dt; true when some lane has an input. */
HL_CLONES static bool find_exponents(const double *lambda, const double *t, const double *anchor, const double *input,
                                     double *dt, double *x)
{
    double some = 0;
    for (size_t l = 0; l < HL_BATCH_LANES; l++) {
        dt[l] = t[l] - anchor[l];
        x[l] = lambda[l] * dt[l];
    }
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        some = input[l] != 0 ? 1 : some;
    return some != 0;
}

HL_CLONES static void carry(const double *z, const double *E, const double *input, const double *phi, double *now)
{
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        now[l] = z[l] * E[l] + input[l] * phi[l];
}

HL_CLONES static void carry_alone(const double *z, const double *E, double *now)
{
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        now[l] = z[l] * E[l];
}

HL_CLONES static void set_inputs(const double *lambda, const double *z, const double *g, double *input)
{
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        input[l] = hl_batch_input(lambda[l], z[l], g[l]);
}

/* Where no lane has a constant input only exponentials are needed; the others' are the same bits. */
static void see_modes(struct hl_batch *b)
{
    double dt[HL_BATCH_LANES] __attribute__((aligned(64))), x[HL_BATCH_LANES] __attribute__((aligned(64)));
    for (size_t j = 0; j < b->program.n_modes; j++) {
        size_t at = j * HL_BATCH_LANES;
        if (find_exponents(b->lambda + at, b->pace.t, b->anchor, b->input + at, dt, x)) {
            hl_vector_step(b->lambda + at, dt, b->E + at, b->phi + at, HL_BATCH_LANES);
            carry(b->z + at, b->E + at, b->input + at, b->phi + at, b->z_now + at);
        } else {
            hl_vector_exp(x, b->E + at, HL_BATCH_LANES);
            carry_alone(b->z + at, b->E + at, b->z_now + at);
        }
    }
}

/* Coefficient 0 of all that moves but the integrated states, which stand there already. */
static void set_origin(struct hl_batch *b)
{
    const struct hl_batch_program *p = &b->program;
    size_t bytes = HL_BATCH_LANES * sizeof(double);
    for (size_t j = 0; j < p->n_modes; j++) {
        const double *lambda = b->lambda + j * HL_BATCH_LANES, *z = b->z_now + j * HL_BATCH_LANES;
        double *input = b->file + (size_t)p->mode[j].input * HL_BATCH_LANES;
        if (p->mode[j].slot < 0)
            continue;
        memcpy(origin_of(b, p->mode[j].slot), z, bytes);
        set_inputs(lambda, z, b->input + j * HL_BATCH_LANES, input);
    }
    if (p->time_slot >= 0)
        memcpy(origin_of(b, p->time_slot), b->pace.t, bytes);
    for (size_t k = 0; k < p->n_clocks; k++)
        for (size_t l = 0; l < HL_BATCH_LANES; l++) {
            double last = b->last_dose[p->clock[k].instance * HL_BATCH_LANES + l];
            bool dosed = isfinite(last);
            origin_of(b, p->clock[k].slot)[l] = dosed ? b->pace.t[l] - last : 0; /* before any dose: 0 */
            b->file[(size_t)p->clock[k].running * HL_BATCH_LANES + l] = dosed ? 1 : 0;
        }
}

/* The lane is done. */
static void stand_still(struct hl_batch *b, size_t l)
{
    b->active[l] = false;
    b->pace.t[l] = b->pace.until[l] = INFINITY;
    b->pace.h[l] = 0;
    b->shown.next[l] = b->n_times;
}

/* The lane must be solved alone. */
static void give_up(struct hl_batch *b, size_t l, bool *done)
{
    done[l] = false;
    stand_still(b, l);
}

/* A shown slot of lane l from the states as they are, without a series. */
static double value_now(struct hl_batch *b, int slot, size_t l)
{
    const struct hl_batch_code *code = &b->program.code;
    for (size_t k = 0; k < code->n_ops; k++) {
        const struct hl_batch_sum *sum = &code->op[k].sum;
        if (code->op[k].dst != slot)
            continue;
        double y = sum->constant < 0 ? 0 : b->file[(size_t)sum->constant * HL_BATCH_LANES + l];
        for (size_t i = sum->first; i < sum->first + sum->n; i++) {
            double coef = code->term[i].coef < 0 ? 1 : b->file[(size_t)code->term[i].coef * HL_BATCH_LANES + l];
            y += coef * origin_of(b, code->term[i].slot)[l];
        }
        return y;
    }
    return origin_of(b, slot)[l];
}

/* The last time is shown as it is, after its events. */
static void show_end(struct hl_batch *b, size_t l)
{
    struct hl_batch_shown *shown = &b->shown;
    for (; shown->time[shown->next[l]] <= b->pace.t[l]; shown->next[l]++)
        for (size_t i = 0; i < shown->n; i++)
            shown->to[l][shown->next[l] * shown->pitch + shown->place[i]] = value_now(b, shown->slot[i], l);
}

/* What lanes that go have learnt about their clock is kept for the next time in the same place after an event, and the
 * next place's taken; one never seen begins with what this one found, for a longer step. */
static void set_clocks(struct hl_batch *b)
{
    for (size_t l = 0; l < HL_BATCH_LANES; l++) {
        bool goes = b->pace.h[l] > 0;
        size_t place = b->place[l], next = goes && place + 1 < PLACES ? place + 1 : place;
        double *slow = &b->clock[place].slow[l], *bend = &b->clock[place].bend[l];
        *slow = goes ? b->pace.slow_next[l] : *slow;
        *bend = goes ? b->pace.bend[l] : *bend;
        if (b->clock[next].slow[l] < 0) {
            b->clock[next].slow[l] = *slow * (1 / STEP_GROWS);
            b->clock[next].bend[l] = *bend;
        }
        set_clock(b, l, next);
    }
}

/* Lanes go on; those that can't are given up. */
static void advance(struct hl_batch *b, bool *done)
{
    bool failed = hl_batch_arrive(b->schedule, &b->scale, &b->pace);
    size_t tired = 0;
    for (size_t l = 0; l < HL_BATCH_LANES; l++) {
        b->steps[l] += b->pace.h[l] > 0;
        tired |= b->steps[l] > b->most_steps[l];
    }
    for (size_t l = 0; l < HL_BATCH_LANES && (failed || tired); l++) {
        bool finite = true;
        for (size_t i = 0; i < b->plan->n_integrated; i++)
            finite = finite && isfinite(state_of(b, i)[l]);
        b->stiff[l] = b->stiff[l] || (b->steps[l] > b->most_steps[l] && b->most_steps[l] < MAX_STEPS);
        if (b->active[l] && (!finite || b->steps[l] > b->most_steps[l]))
            give_up(b, l, done);
    }
}

/* Steps end where a switch turns, which is told by the clock of series; what no switch ends keeps its very length. */
static void meet_switches(struct hl_batch *b, const bool *going, bool *held, bool *lost)
{
    double x[HL_BATCH_LANES] __attribute__((aligned(64))), asked[HL_BATCH_LANES];
    double *h = b->pace.h;
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        x[l] = asked[l] = hl_clock_x(h[l], b->slow[l]);
    hl_batch_switches_meet(b->switches, b->file, b->series, x, going, held, lost);
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        h[l] = x[l] == asked[l] ? h[l] : hl_clock_s(x[l], b->slow[l]); /* the very bits */
}

/* How far each lane goes: as far as its series holds, at most to its stop or to where a switch turns. */
static void choose_steps(struct hl_batch *b, bool *done)
{
    bool held[HL_BATCH_LANES] = {false}, lost[HL_BATCH_LANES] = {false}, going[HL_BATCH_LANES];
    const struct hl_batch_pace *pace = &b->pace;
    bool stalled = hl_batch_reach(b->schedule, &b->scale, pace);
    if (!stalled && !b->switches)
        return;
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        going[l] = pace->t[l] < pace->until[l];
    if (b->switches)
        meet_switches(b, going, held, lost);
    for (size_t l = 0; l < HL_BATCH_LANES; l++) {
        double h = pace->h[l], least = fmax(pace->least, pace->least_share * fabs(pace->t[l]));
        bool stuck = !(h >= least || h >= pace->until[l] - pace->t[l] || held[l]);
        if (going[l] && (lost[l] || stuck)) {
            b->stiff[l] = stuck && h > 0; /* else it isn't a number */
            give_up(b, l, done);
        }
    }
}

/* Lane l stands where it had to stop: its events, the end if it has come to it. */
static void pass_stop(struct hl_batch *b, size_t l)
{
    double end = b->time[b->n_times - 1];
    b->pace.until[l] = pass_events(b, l, end);
    b->most_steps[l] = STEPS_AT_FIRST + STEPS_PER_EVENT * b->next_event[l];
    b->most_steps[l] = b->most_steps[l] < MAX_STEPS ? b->most_steps[l] : MAX_STEPS;
    if (b->pace.t[l] >= end) {
        show_end(b, l);
        stand_still(b, l);
    }
}

/* Who goes on: all but lanes that stand at a stop while others are still behind them in time. Lanes that wait lose
 * nothing in the end, since the slowest must be waited for anyhow, and they then take steps of like lengths side by
 * side, with like numbers of output times in them. False when nobody is left. */
static bool pass_stops(struct hl_batch *b)
{
    const double *t = b->pace.t;
    double earliest[HL_BATCH_LANES];
    memcpy(earliest, t, sizeof earliest);
    for (size_t half = HL_BATCH_LANES / 2; half > 0; half /= 2) /* the least in a few rounds side by side */
        for (size_t l = 0; l < half; l++)
            earliest[l] = earliest[l + half] < earliest[l] ? earliest[l + half] : earliest[l];
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        if (t[l] >= b->pace.until[l] && t[l] <= earliest[0] && b->active[l])
            pass_stop(b, l);
    return memchr(b->active, true, sizeof b->active) != NULL;
}

/* The step as it will be made, to whoever listens. */
static void tell(struct hl_batch *b)
{
    double told[HL_BATCH_LANES] __attribute__((aligned(64))), end[HL_BATCH_LANES] __attribute__((aligned(64)));
    bool lost[HL_BATCH_LANES] = {false};
    const struct hl_batch_pace *pace = &b->pace;
    for (size_t l = 0; l < HL_BATCH_LANES; l++) {
        double h = pace->h[l], way = pace->until[l] - pace->t[l];
        told[l] = b->told[l] ? h : 0;
        end[l] = h < way ? pace->t[l] + h : pace->until[l]; /* as hl_batch_arrive will have it */
    }
    struct hl_batch_step step = {b->slow, b->series, b->z_now, b->lambda, b->input, b->last_dose, pace->t, told, end};
    hl_batch_tell(b->teller, &step, b->listener, b->first, lost);
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        b->told[l] = b->told[l] && !lost[l];
}

/* One step of every lane that goes on. A lane that waits is computed too, but nothing of that is kept. Always true. */
static bool step(struct hl_batch *b, bool *done)
{
    set_origin(b);
    hl_batch_series(b->schedule);
    choose_steps(b, done);
    hl_batch_show(b->schedule, &b->shown, &b->pace);
    if (b->listener)
        tell(b);
    advance(b, done);
    set_clocks(b);
    if (b->switches)
        hl_batch_switches_turn(b->switches, b->file);
    return true;
}

void hl_batch_end(const struct hl_batch *b, size_t l, double *y, double *peak)
{
    for (size_t i = 0; i < b->plan->n_integrated; i++) {
        y[i] = b->series[(size_t)b->moving[i] * (b->order + 1) * HL_BATCH_LANES + l];
        peak[i] = fmax(b->scale.peak[i * HL_BATCH_LANES + l], fabs(y[i]));
    }
}

bool hl_batch_was_stiff(const struct hl_batch *b, size_t l)
{
    return b->stiff[l];
}

void hl_batch_run(struct hl_batch *b, const struct hl_subjects *subjects, const double *regs, size_t first, size_t n,
                  double *to, bool done[HL_BATCH_LANES], bool told[HL_BATCH_LANES])
{
    b->subjects = subjects;
    b->regs = regs;
    b->first = first;
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        b->active[l] = done[l] = l < n && can_take(b, l);
    load(b);
    begin_showing(b, n, to);
    b->told = told;
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        told[l] = told[l] && b->listener && b->active[l];
    if (b->listener)
        hl_batch_teller_load(b->teller, subjects, first, told, b->file);
    do
        see_modes(b);
    while (pass_stops(b) && step(b, done));
}
