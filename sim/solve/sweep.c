/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inner loop.
 *
 * Amplitudes stand as z[mode][lane]. From one output time to the next every mode of
 * every subject is multiplied by its own e^(lambda dt) and, under infusion, gains
 * g phi1: the same two operations for all lanes, which the compiler turns into
 * vectors of neighbouring subjects. On evenly spaced times the exponentials are
 * computed once. So that the rounding of thousands of multiplications doesn't add
 * up, each stride of at most 64 steps ends by going from its own beginning to its
 * end in one multiplication.
 *
 * What a lane does depends on that lane alone. Where a subject has an event inside
 * a step, or turning modes, or a matrix instead of modes, its column is put back
 * to the step's beginning and carried by the scalar functions of modes.c; its
 * neighbours never notice. Products and sums are those of IEEE double in a fixed
 * order, fused by nobody (-ffp-contract=off), so the vector's width can't be seen
 * in the result. */
#include "solve/sweep.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

#define LONGEST_STRIDE 64
#define N_HOPS 4                     /* the same for the ways between grid and dose times, by lane */
#define N_TABLES 6                   /* sets of exponentials kept for recurring steps */

/* Exponentials of all modes of all lanes for one dt. */
struct table { double dt; bool full; unsigned long used; double *E, *phi; };

/* One term of a linear output: amplitude mode times coefficient row. */
struct term { size_t mode; double *row; };

struct hl_sweep {
    const struct hl_plan *plan;
    struct hl_modes_work *work;
    size_t max_lanes, lanes;
    /* n_modes x lanes: amplitudes, inputs, gains per step and per stride, amplitudes at the stride's beginning, and at
     * the step's */
    double *z, *g, *u, *u_stride, *origin, *before;
    struct table table[N_TABLES];
    unsigned long clock;
    double *V;                       /* [component: offset-based][state][mode] x lanes */
    size_t *v_offset;                /* by component: first row in V */
    double *column, *column_g, *scratch; /* one lane's modes, its inputs; states */
    size_t *next;                    /* by lane: next event */
    double *hop_dt, *hop_E;          /* lane x N_HOPS, and by n_modes: exponentials between doses and output times */
    unsigned *hop_count;             /* by lane: how many have been made */
    double *rate;                    /* n_states x lanes */
    double *last_dose;               /* n_instances x lanes */
    bool *moved;                     /* by lane: had an event in this stride */
    bool *odd;                       /* by component and lane: not carried by the vector loop */
    bool any_odd;
    double *rows; size_t rows_capacity; /* coefficient rows of linear outputs */
    struct term *term; size_t term_capacity;
    size_t *first_term; size_t output_capacity;
    double *offset;                  /* n_outputs x lanes */
    struct hl_stride *stride; size_t stride_capacity;
};

struct hl_sweep *hl_sweep_create(const struct hl_plan *plan, size_t max_lanes)
{
    struct hl_sweep *s = hl_alloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->plan = plan;
    s->max_lanes = max_lanes;
    size_t all = plan->n_modes * max_lanes, squares = 0;
    s->v_offset = hl_alloc(plan->n_components, sizeof *s->v_offset);
    for (size_t c = 0; s->v_offset && c < plan->n_components; c++) {
        s->v_offset[c] = squares;
        squares += plan->component[c].shape.n * plan->component[c].shape.n;
    }
    struct { double **array; size_t n; } part[] = {
        {&s->z, all}, {&s->g, all}, {&s->u, all}, {&s->u_stride, all}, {&s->origin, all}, {&s->before, all},
        {&s->V, squares * max_lanes}, {&s->column, plan->n_modes}, {&s->column_g, plan->n_modes},
        {&s->scratch, plan->largest}, {&s->rate, plan->system->n_states * max_lanes},
        {&s->last_dose, plan->system->n_instances * max_lanes}, {&s->hop_dt, N_HOPS * max_lanes},
        {&s->hop_E, N_HOPS * all},
    };
    bool good = s->v_offset != NULL;
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        good = (*part[k].array = hl_alloc(part[k].n, sizeof(double))) && good;
    for (size_t k = 0; k < N_TABLES; k++) {
        good = (s->table[k].E = hl_alloc(all, sizeof(double))) && good;
        good = (s->table[k].phi = hl_alloc(all, sizeof(double))) && good;
    }
    s->next = hl_alloc(max_lanes, sizeof *s->next);
    s->hop_count = hl_alloc(max_lanes, sizeof *s->hop_count);
    s->moved = hl_alloc(max_lanes, sizeof *s->moved);
    s->odd = hl_alloc(plan->n_components * max_lanes, sizeof *s->odd);
    s->work = hl_modes_work_create(plan->largest);
    if (good && s->next && s->hop_count && s->moved && s->odd && s->work)
        return s;
    hl_sweep_free(s);
    return NULL;
}

void hl_sweep_free(struct hl_sweep *s)
{
    if (!s)
        return;
    for (size_t k = 0; k < N_TABLES; k++) {
        hl_free(s->table[k].E);
        hl_free(s->table[k].phi);
    }
    hl_modes_work_free(s->work);
    void *part[] = {s->z, s->g, s->u, s->u_stride, s->origin, s->before, s->V, s->column, s->column_g, s->scratch,
                    s->rate, s->last_dose, s->v_offset, s->next, s->hop_count,
                    s->hop_dt, s->hop_E, s->moved, s->odd, s->rows, s->term, s->first_term,
                    s->offset, s->stride, s};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* What a double at time t can't tell apart. */
static double grain(double t)
{
    return DBL_EPSILON * fmax(1e-3, fabs(t));
}

static bool is_even(const double *time, size_t first, size_t steps, double dt)
{
    double end = time[first + steps];
    for (size_t k = 1; k <= steps; k++)
        if (fabs(time[first] + (double)k * dt - time[first + k]) > 4 * grain(end))
            return false;
    return true;
}

size_t hl_sweep_strides(const double *time, size_t n, struct hl_stride *stride)
{
    size_t count = 0;
    double last = 0;
    for (size_t first = 0; first + 1 < n;) {
        size_t steps = LONGEST_STRIDE;
        while (steps > 1) {
            double dt = first + steps < n ? (time[first + steps] - time[first]) / (double)steps : 0;
            if (dt > 0 && is_even(time, first, steps, dt))
                break;
            steps /= 2;
        }
        double dt = (time[first + steps] - time[first]) / (double)steps;
        if (fabs(dt - last) * (double)steps <= 2 * grain(time[first + steps])) /* one table serves both */
            dt = last;
        last = dt;
        stride[count++] = (struct hl_stride){first, steps, dt};
        first += steps;
    }
    return count;
}

/* Loops over lanes in whole vectors: lanes is a multiple of HL_LANES, rows are aligned. */
#define ROW(array, mode) ((double *)__builtin_assume_aligned((array) + (mode) * lanes, 64))

static void step_modes(double *z, const double *E, const double *u, size_t n_modes, size_t lanes)
{
    for (size_t j = 0; j < n_modes; j++) {
        double *restrict zj = ROW(z, j);
        const double *restrict Ej = ROW(E, j), *restrict uj = ROW(u, j);
#pragma omp simd
        for (size_t l = 0; l < lanes; l++)
            zj[l] = zj[l] * Ej[l] + uj[l];
    }
}

static void add_product(double *restrict y, const double *restrict a, const double *restrict b, size_t lanes)
{
#pragma omp simd
    for (size_t l = 0; l < lanes; l++)
        y[l] += a[l] * b[l];
}

static void fill_table(struct hl_sweep *s, const struct hl_subjects *subjects, struct table *table)
{
    const struct hl_plan *plan = s->plan;
    size_t lanes = s->lanes;
    for (size_t c = 0; c < plan->n_components; c++)
        for (size_t j = 0; j < plan->component[c].shape.n; j++)
            for (size_t l = 0; l < lanes; l++) {
                size_t at = (plan->component[c].offset + j) * lanes + l;
                bool odd = s->odd[c * lanes + l];
                double lambda = odd ? 0 : subjects->modes[l * plan->n_components + c].re[j];
                table->E[at] = exp(lambda * table->dt);
                table->phi[at] = odd ? 0 : hl_phi1(lambda, table->dt);
            }
}

static const struct table *table_for(struct hl_sweep *s, const struct hl_subjects *subjects, double dt)
{
    struct table *oldest = &s->table[0];
    for (size_t k = 0; k < N_TABLES; k++) {
        struct table *t = &s->table[k];
        if (t->full && t->dt == dt) { /* the very same step */
            t->used = ++s->clock;
            return t;
        }
        if (t->used < oldest->used)
            oldest = t;
    }
    oldest->dt = dt;
    oldest->full = true;
    oldest->used = ++s->clock;
    fill_table(s, subjects, oldest);
    return oldest;
}

static void take_column(const double *array, size_t lanes, size_t lane, size_t first, size_t n, double *column)
{
    for (size_t j = 0; j < n; j++)
        column[j] = array[(first + j) * lanes + lane];
}

static void put_column(double *array, size_t lanes, size_t lane, size_t first, size_t n, const double *column)
{
    for (size_t j = 0; j < n; j++)
        array[(first + j) * lanes + lane] = column[j];
}

/* Input of one component of one lane after its infusions have changed; its gains per step follow. */
static void renew_input(struct hl_sweep *s, const struct hl_subjects *subjects, const double *regs, size_t c,
                        size_t lane, const struct table *table)
{
    const struct hl_plan *plan = s->plan;
    const struct hl_component *component = &plan->component[c];
    size_t lanes = s->lanes, n = component->shape.n;
    double *g = s->column_g + component->offset;
    hl_component_input(component, &subjects->modes[lane * plan->n_components + c], regs, lanes, lane,
                       s->rate + lane * plan->system->n_states, true, s->scratch, g);
    put_column(s->g, lanes, lane, component->offset, n, g);
    for (size_t j = 0; table && j < n; j++) {
        size_t at = (component->offset + j) * lanes + lane;
        s->u[at] = s->g[at] * table->phi[at];
    }
}

static void apply(struct hl_sweep *s, const struct hl_subjects *subjects, const double *regs, size_t lane,
                  const struct hl_event *event, const struct table *table)
{
    const struct hl_plan *plan = s->plan;
    int c = event->state < 0 ? -1 : plan->component_of[event->state];
    if (event->kind == HL_EVENT_GIVEN && event->instance >= 0)
        s->last_dose[(size_t)event->instance * s->lanes + lane] = event->time;
    if (c < 0)
        return;
    const struct hl_modes *modes = &subjects->modes[lane * plan->n_components + (size_t)c];
    size_t place = (size_t)plan->place_of[event->state];
    double *z = s->column + plan->component[c].offset;
    for (size_t j = 0; event->kind == HL_EVENT_ADD && j < modes->n; j++)
        z[j] += modes->W[j * modes->n + place] * event->value;
    if (event->kind == HL_EVENT_RATE) {
        double *rate = &s->rate[lane * plan->system->n_states + (size_t)event->state];
        *rate += event->value;
        if (fabs(*rate) < HL_RATE_GONE * fabs(event->value))
            *rate = 0;
        renew_input(s, subjects, regs, (size_t)c, lane, table);
    }
}

/* True when all modes of the lane are real and nothing is infused: multiplying is all there is to do. */
static bool is_plain(const struct hl_sweep *s, size_t lane)
{
    for (size_t c = 0; c < s->plan->n_components; c++)
        if (s->odd[c * s->lanes + lane])
            return false;
    for (size_t j = 0; j < s->plan->n_modes; j++)
        if (s->column_g[j] != 0) /* exactly none */
            return false;
    return true;
}

/* Exponentials of one lane for a dt that this lane has met before but for rounding, or new ones. */
static size_t find_hop(struct hl_sweep *s, const struct hl_subjects *subjects, size_t lane, double t, double dt)
{
    const struct hl_plan *plan = s->plan;
    unsigned kept = s->hop_count[lane] < N_HOPS ? s->hop_count[lane] : N_HOPS;
    for (unsigned k = 0; k < kept; k++)
        if (fabs(s->hop_dt[lane * N_HOPS + k] - dt) <= 4 * grain(t))
            return lane * N_HOPS + k;
    size_t hop = lane * N_HOPS + s->hop_count[lane]++ % N_HOPS;
    s->hop_dt[hop] = dt;
    for (size_t c = 0; c < plan->n_components; c++) {
        const struct hl_modes *modes = &subjects->modes[lane * plan->n_components + c];
        for (size_t j = 0; j < modes->n; j++)
            s->hop_E[hop * plan->n_modes + plan->component[c].offset + j] = exp(modes->re[j] * dt);
    }
    return hop;
}

/* Carries s->column of one lane from t over dt with s->column_g. Doses come at the same distance from the grid again
 * and again; the difference that rounding of times makes, d, is made up for by 1 + lambda d. */
static void advance_column(struct hl_sweep *s, const struct hl_subjects *subjects, size_t lane, double t, double dt)
{
    const struct hl_plan *plan = s->plan;
    bool plain = dt != 0 && is_plain(s, lane);
    size_t hop = plain ? find_hop(s, subjects, lane, t, dt) : 0;
    for (size_t c = 0; c < plan->n_components; c++) {
        size_t first = plan->component[c].offset;
        struct hl_modes *modes = &subjects->modes[lane * plan->n_components + c];
        if (!plain)
            hl_modes_advance(modes, dt, s->column + first, s->column_g + first, s->work);
        for (size_t j = 0; plain && j < modes->n; j++) {
            double E = s->hop_E[hop * plan->n_modes + first + j];
            s->column[first + j] *= E + E * (modes->re[j] * (dt - s->hop_dt[hop]));
        }
    }
}

/* One lane from time t (column at from) through its events to until, into z. */
static void follow_events(struct hl_sweep *s, const struct hl_subjects *subjects, const double *regs, size_t lane,
                          const double *from, double t, double until, const struct table *table)
{
    size_t n_modes = s->plan->n_modes;
    const struct hl_events *events = &subjects->events[lane];
    take_column(from, s->lanes, lane, 0, n_modes, s->column);
    take_column(s->g, s->lanes, lane, 0, n_modes, s->column_g);
    for (; s->next[lane] < events->n && events->event[s->next[lane]].time <= until; s->next[lane]++) {
        const struct hl_event *event = &events->event[s->next[lane]];
        if (event->time > t) {
            advance_column(s, subjects, lane, t, event->time - t);
            t = event->time;
        }
        apply(s, subjects, regs, lane, event, table);
    }
    advance_column(s, subjects, lane, t, until - t);
    put_column(s->z, s->lanes, lane, 0, n_modes, s->column);
}

/* Lanes that the vector loop can't carry, over one step or a whole stride, from the amplitudes in from. */
static void carry_odd(struct hl_sweep *s, const struct hl_subjects *subjects, const double *from, double dt,
                      bool only_unmoved)
{
    const struct hl_plan *plan = s->plan;
    size_t lanes = s->lanes;
    for (size_t c = 0; s->any_odd && c < plan->n_components; c++) {
        size_t first = plan->component[c].offset, n = plan->component[c].shape.n;
        for (size_t l = 0; l < lanes; l++) {
            struct hl_modes *modes = &subjects->modes[l * plan->n_components + c];
            if (!s->odd[c * lanes + l] || modes->kind == HL_MODES_NONE || (only_unmoved && s->moved[l]))
                continue;
            take_column(from, lanes, l, first, n, s->column);
            take_column(s->g, lanes, l, first, n, s->column_g);
            hl_modes_advance(modes, dt, s->column, s->column_g, s->work);
            put_column(s->z, lanes, l, first, n, s->column);
        }
    }
}

static double next_event_time(const struct hl_sweep *s, const struct hl_subjects *subjects, size_t lane)
{
    const struct hl_events *events = &subjects->events[lane];
    bool none = subjects->status[lane] != HL_SUBJECT_GOOD || s->next[lane] >= events->n;
    return none ? INFINITY : events->event[s->next[lane]].time;
}

static double earliest_event(const struct hl_sweep *s, const struct hl_subjects *subjects)
{
    double earliest = INFINITY;
    for (size_t l = 0; l < s->lanes; l++)
        earliest = fmin(earliest, next_event_time(s, subjects, l));
    return earliest;
}

/* Everybody at their own start; then, one by one, to the first output time. */
static void begin(struct hl_sweep *s, const struct hl_subjects *subjects, const double *regs, double t)
{
    const struct hl_plan *plan = s->plan;
    size_t lanes = s->lanes, n_states = plan->system->n_states;
    memset(s->z, 0, plan->n_modes * lanes * sizeof *s->z);
    memset(s->g, 0, plan->n_modes * lanes * sizeof *s->g);
    s->any_odd = false;
    for (size_t k = 0; k < N_TABLES; k++)
        s->table[k].full = false;
    for (size_t l = 0; l < lanes; l++) {
        bool good = subjects->status[l] == HL_SUBJECT_GOOD;
        s->next[l] = 0;
        s->hop_count[l] = 0;
        for (size_t i = 0; i < plan->system->n_instances; i++)
            s->last_dose[i * lanes + l] = good ? subjects->start[l].last_dose[i] : -INFINITY;
        for (size_t c = 0; c < plan->n_components; c++) {
            s->odd[c * lanes + l] = !good || subjects->modes[l * plan->n_components + c].kind != HL_MODES_REAL;
            s->any_odd = s->any_odd || (good && s->odd[c * lanes + l]);
        }
        if (!good)
            continue;
        memcpy(s->rate + l * n_states, subjects->start[l].rate, n_states * sizeof *s->rate);
        put_column(s->z, lanes, l, 0, plan->n_modes, subjects->start[l].z);
        for (size_t c = 0; c < plan->n_components; c++)
            renew_input(s, subjects, regs, c, l, NULL);
        follow_events(s, subjects, regs, l, s->z, subjects->start[l].time, t, NULL);
    }
}

/* From time[first] on: gains per step and per stride. */
static void open_stride(struct hl_sweep *s, const struct table *step, const struct table *whole)
{
    size_t n = s->plan->n_modes * s->lanes;
    for (size_t k = 0; k < n; k++) {
        s->u[k] = s->g[k] * step->phi[k];
        s->u_stride[k] = s->g[k] * whole->phi[k];
    }
    memcpy(s->origin, s->z, n * sizeof *s->z);
    memset(s->moved, 0, s->lanes * sizeof *s->moved);
}

/* Replaces the product of single steps by one long one, in lanes that had no event. */
static void close_stride(struct hl_sweep *s, const struct hl_subjects *subjects, const struct table *whole,
                         double length)
{
    size_t lanes = s->lanes;
    for (size_t j = 0; j < s->plan->n_modes; j++)
        for (size_t l = 0; l < lanes; l++) {
            size_t at = j * lanes + l;
            s->z[at] = s->moved[l] ? s->z[at] : s->origin[at] * whole->E[at] + s->u_stride[at];
        }
    carry_odd(s, subjects, s->origin, length, true);
}

static void one_step(struct hl_sweep *s, const struct hl_subjects *subjects, const double *regs,
                     const struct table *table, double t, double until, double *earliest)
{
    size_t n_modes = s->plan->n_modes, lanes = s->lanes;
    bool events = *earliest <= until;
    if (events || s->any_odd)
        memcpy(s->before, s->z, n_modes * lanes * sizeof *s->z);
    step_modes(s->z, table->E, s->u, n_modes, lanes);
    carry_odd(s, subjects, s->before, table->dt, false);
    if (!events)
        return;
    for (size_t l = 0; l < lanes; l++)
        if (next_event_time(s, subjects, l) <= until) {
            follow_events(s, subjects, regs, l, s->before, t, until, table);
            s->moved[l] = true;
        }
    *earliest = earliest_event(s, subjects);
}

/* ---- From amplitudes to outputs. */

/* Vectors as V[row][lane]. */
static void lay_out_vectors(struct hl_sweep *s, const struct hl_subjects *subjects)
{
    const struct hl_plan *plan = s->plan;
    for (size_t c = 0; c < plan->n_components; c++) {
        size_t n = plan->component[c].shape.n;
        for (size_t l = 0; l < s->lanes; l++) {
            const struct hl_modes *modes = &subjects->modes[l * plan->n_components + c];
            for (size_t k = 0; k < n * n; k++)
                s->V[(s->v_offset[c] + k) * s->lanes + l] = modes->kind == HL_MODES_NONE ? 0 : modes->V[k];
        }
    }
}

/* True when mode j of a component shows in state i for any subject. */
static bool is_visible(const struct hl_shape *shape, size_t i, size_t j)
{
    return shape->reach[i * shape->n + j];
}

static bool all_linear(const struct hl_plan *plan, const int *output, size_t n)
{
    bool linear = plan->n_integrated == 0;
    for (size_t k = 0; k < n; k++)
        linear = linear && plan->system->output[output[k]].linear;
    return linear;
}

static enum hl_status reserve_terms(struct hl_sweep *s, size_t n_outputs)
{
    size_t rows = n_outputs * s->plan->n_modes;
    if (s->output_capacity >= n_outputs && s->term_capacity >= rows)
        return HL_OK;
    hl_free(s->rows);
    hl_free(s->term);
    hl_free(s->first_term);
    hl_free(s->offset);
    s->output_capacity = s->term_capacity = 0;
    s->rows = hl_alloc(rows * s->max_lanes, sizeof *s->rows);
    s->term = hl_alloc(rows, sizeof *s->term);
    s->first_term = hl_alloc(n_outputs + 1, sizeof *s->first_term);
    s->offset = hl_alloc(n_outputs * s->max_lanes, sizeof *s->offset);
    if (!s->rows || !s->term || !s->first_term || !s->offset)
        return HL_ERR_MEMORY;
    s->output_capacity = n_outputs;
    s->term_capacity = rows;
    return HL_OK;
}

/* Row c^T V of one output for mode j of component c; false when it can't show. */
static bool output_row(struct hl_sweep *s, const double *regs, const struct hl_output *output, size_t c, size_t j,
                       double *row)
{
    const struct hl_plan *plan = s->plan;
    const struct hl_shape *shape = &plan->component[c].shape;
    size_t lanes = s->lanes;
    bool shows = false;
    memset(row, 0, lanes * sizeof *row);
    for (size_t k = 0; k < output->n_coefs; k++) {
        int state = output->coef[k].col;
        if (plan->component_of[state] != (int)c || !is_visible(shape, (size_t)plan->place_of[state], j))
            continue;
        size_t i = (size_t)plan->place_of[state];
        add_product(row, regs + (size_t)output->coef[k].reg * lanes, s->V + (s->v_offset[c] + i * shape->n + j) * lanes,
                    lanes);
        shows = true;
    }
    return shows;
}

static void prepare_terms(struct hl_sweep *s, const double *regs, const int *output, size_t n_outputs)
{
    const struct hl_plan *plan = s->plan;
    size_t n_terms = 0, lanes = s->lanes;
    for (size_t o = 0; o < n_outputs; o++) {
        const struct hl_output *out = &plan->system->output[output[o]];
        s->first_term[o] = n_terms;
        for (size_t c = 0; c < plan->n_components; c++)
            for (size_t j = 0; j < plan->component[c].shape.n; j++) {
                double *row = s->rows + n_terms * lanes;
                if (output_row(s, regs, out, c, j, row))
                    s->term[n_terms++] = (struct term){plan->component[c].offset + j, row};
            }
        for (size_t l = 0; l < lanes; l++)
            s->offset[o * lanes + l] = hl_reg(regs, lanes, l, out->offset_reg, 0);
    }
    s->first_term[n_outputs] = n_terms;
}

static void write_linear(const struct hl_sweep *s, struct hl_block *block, size_t n_outputs, size_t n_times, size_t k)
{
    size_t lanes = s->lanes;
    for (size_t o = 0; o < n_outputs; o++) {
        double *y = block->out + (o * n_times + k) * lanes;
        memcpy(y, s->offset + o * lanes, lanes * sizeof *y);
        for (size_t m = s->first_term[o]; m < s->first_term[o + 1]; m++)
            add_product(y, s->term[m].row, s->z + s->term[m].mode * lanes, lanes);
    }
}

static void set_clocks(const struct hl_sweep *s, double *regs, double t)
{
    const struct hl_system *system = s->plan->system;
    size_t lanes = s->lanes;
    for (size_t l = 0; l < lanes; l++)
        regs[(size_t)system->time_reg * lanes + l] = t;
    for (size_t i = 0; i < system->n_instances; i++)
        for (size_t l = 0; system->instance[i].tad_reg >= 0 && l < lanes; l++) {
            double last = s->last_dose[i * lanes + l];
            regs[(size_t)system->instance[i].tad_reg * lanes + l] = isfinite(last) ? t - last : 0;
        }
}

static void set_states(const struct hl_sweep *s, double *regs)
{
    const struct hl_plan *plan = s->plan;
    size_t lanes = s->lanes;
    for (size_t c = 0; c < plan->n_components; c++) {
        const struct hl_component *component = &plan->component[c];
        size_t n = component->shape.n;
        for (size_t i = 0; i < n; i++) {
            double *x = regs + (size_t)plan->system->state[component->state[i]].reg * lanes;
            memset(x, 0, lanes * sizeof *x);
            for (size_t j = 0; j < n; j++)
                if (is_visible(&component->shape, i, j))
                    add_product(x, s->V + (s->v_offset[c] + i * n + j) * lanes, s->z + (component->offset + j) * lanes,
                                lanes);
        }
    }
}

static void write_by_program(const struct hl_sweep *s, struct hl_block *block, const int *output, size_t n_outputs,
                             const double *time, size_t n_times, size_t k, const double *sample)
{
    const struct hl_plan *plan = s->plan;
    size_t lanes = s->lanes, bytes = lanes * sizeof(double);
    set_clocks(s, block->regs, time[k]);
    set_states(s, block->regs);
    for (size_t i = 0; i < plan->n_integrated; i++)
        memcpy(block->regs + (size_t)plan->system->state[plan->integrated[i]].reg * lanes,
               sample + (i * n_times + k) * lanes, bytes);
    hl_program_run(&plan->system->outputs, block->regs, lanes);
    for (size_t o = 0; o < n_outputs; o++)
        memcpy(block->out + (o * n_times + k) * lanes,
               block->regs + (size_t)plan->system->output[output[o]].reg * lanes, bytes);
}

static void mark_failures(const struct hl_sweep *s, const struct hl_subjects *subjects)
{
    for (size_t j = 0; j < s->plan->n_modes; j++)
        for (size_t l = 0; l < s->lanes; l++)
            if (subjects->status[l] == HL_SUBJECT_GOOD && !isfinite(s->z[j * s->lanes + l]))
                subjects->status[l] = HL_SUBJECT_NOT_FINITE;
}

enum hl_status hl_sweep_run(struct hl_sweep *s, const struct hl_subjects *subjects, struct hl_block *block,
                            const int *output, size_t n_outputs, const double *time, size_t n_times,
                            const double *sample)
{
    const struct hl_plan *plan = s->plan;
    s->lanes = subjects->lanes;
    if (reserve_terms(s, n_outputs) != HL_OK)
        return HL_ERR_MEMORY;
    if (s->stride_capacity < n_times) {
        hl_free(s->stride);
        s->stride_capacity = 0;
        if (!(s->stride = hl_alloc(n_times, sizeof *s->stride)))
            return HL_ERR_MEMORY;
        s->stride_capacity = n_times;
    }
    size_t n_strides = hl_sweep_strides(time, n_times, s->stride);
    bool linear = all_linear(plan, output, n_outputs);
    for (size_t k = 0; k < plan->system->n_states; k++)
        memset(block->regs + (size_t)plan->system->state[k].reg * s->lanes, 0, s->lanes * sizeof(double));
    lay_out_vectors(s, subjects);
    if (linear)
        prepare_terms(s, block->regs, output, n_outputs);
    begin(s, subjects, block->regs, time[0]);
    double earliest = earliest_event(s, subjects);
    for (size_t c = 0, k = 0; c <= n_strides; c++) {
        const struct hl_stride *stride = &s->stride[c];
        bool last = c == n_strides; /* only the final time is left to write */
        size_t steps = last ? 1 : stride->steps;
        const struct table *step = last ? NULL : table_for(s, subjects, stride->dt);
        const struct table *whole = last ? NULL : table_for(s, subjects, stride->dt * (double)steps);
        if (!last)
            open_stride(s, step, whole);
        for (size_t i = 0; i < steps; i++, k++) {
            if (linear)
                write_linear(s, block, n_outputs, n_times, k);
            else
                write_by_program(s, block, output, n_outputs, time, n_times, k, sample);
            if (!last)
                one_step(s, subjects, block->regs, step, time[k], time[k + 1], &earliest);
        }
        if (!last && steps > 1)
            close_stride(s, subjects, whole, stride->dt * (double)steps);
    }
    mark_failures(s, subjects);
    return HL_OK;
}
