/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds over all ways to one time and rung. An envelope holds intervals, per subject: linear states in [x_lo, x_hi],
 * the others in [z_lo, z_hi], such that every way's states lie inside. Doses and Phi keep the order of x
 * (forecast_order.c checks it for every subject), so both ends of x go on like any subject's. The ends of z are
 * carried by
 *     z_lo,i' = f_i(z_lo,i; every other argument at the end of its interval that makes f_i smallest),
 * z_hi by the opposite ends: while rates keep their signs, z stays inside (Mueller 1927; Kamke 1932, Acta Math 58:57).
 * The output at its favourable ends is then below that of every way, at every time.
 *
 * Statistics use the output at the points of the grid alone, never the cubics between them: the peak of these values; a
 * step counts as above the threshold when both its ends are (and then it counts whole for every way, too); its area is
 * that under the lower of both ends. And they are taken from an output made smaller by HL_FORECAST_SLACK of itself,
 * because z's corrector isn't exact: two solutions that touch may differ by its error in either direction.
 *
 * What holds at any time is counted: at the end of every step, how many of the chosen subjects have that output above
 * the bound. Whatever way there was, at least so many were above it then; so the largest such count, the smaller one
 * where ways meet, is a lower bound of the count at the worst moment. It is handed out as so many subjects lost,
 * whoever they are; none is ever left out of what ways meet on, since who is above today may be below tomorrow.
 *
 * A subject of whom two ways remember different things that intervals don't hold (doses still under way, an owed dose
 * of a chain of adherence) keeps the statistics it has from there on: they are still a bound; it
 * isn't counted any more. */
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "taper/forecast_parts.h"

#define LANES HL_FORECAST_LANES
#define ROW_BYTES (LANES * sizeof(double))
#define HL_FORECAST_SLACK 1e-4 /* relative; three times the largest error of a forecast seen in an index */

enum side { LOW, HIGH };

struct hl_envelope {
    const struct hl_forecast *forecast;
    size_t constraint, period;
    double bound;                /* whoever is above it is lost */
    size_t n, *subject;          /* 0-based, ascending */
    size_t n_blocks, *block;     /* those with a subject in them */
    double *statistic;           /* by subject chosen, as handed out */
    double *state;               /* by block: x_lo, z_lo, x_hi, z_hi, amounts of the last periods; rows */
    double *value;               /* by block: one row of statistics, all lanes */
    size_t above;                /* of a constraint that holds at any time: the most that were above it at once */
    unsigned char *stuck;        /* by block and lane: it keeps its statistics */
    unsigned char *walk;         /* [subject of the cohort][drug] of adherence */
    struct hl_envelope *part;    /* of a joined forecast: that of the situation whose constraint it is */
};

/* ---- Memory. */

static size_t rows_of(const struct hl_forecast *f)
{
    return 2 * (f->system.n + f->system.m) + f->back * f->n_streams;
}

static void release(void *context, struct hl_envelope *e)
{
    (void)context;
    if (!e)
        return;
    release(NULL, e->part);
    void *part[] = {e->subject, e->block, e->statistic, e->state, e->value, e->stuck, e->walk, e};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

static void choose_blocks(struct hl_envelope *e)
{
    for (size_t k = 0; k < e->n; k++)
        if (e->n_blocks == 0 || e->block[e->n_blocks - 1] != e->subject[k] / LANES)
            e->block[e->n_blocks++] = e->subject[k] / LANES;
}

static struct hl_envelope *envelope_alloc(const struct hl_forecast *f, size_t constraint, double bound,
                                          const size_t *subject, size_t n)
{
    struct hl_envelope *e = hl_alloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->forecast = f;
    e->constraint = constraint;
    e->bound = bound;
    e->n = n;
    e->subject = hl_alloc(n, sizeof *e->subject);
    e->block = hl_alloc(f->n_blocks, sizeof *e->block);
    e->statistic = hl_alloc(n, sizeof *e->statistic);
    if (e->subject && e->block && e->statistic) {
        memcpy(e->subject, subject, n * sizeof *subject);
        choose_blocks(e);
        e->state = hl_alloc_unset(e->n_blocks * rows_of(f), ROW_BYTES);
        e->value = hl_alloc_unset(e->n_blocks, ROW_BYTES);
        e->stuck = hl_alloc(e->n_blocks, LANES);
        e->walk = hl_alloc(f->n_subjects, hl_forecast_walk_bytes(f));
    }
    if (e->state && e->value && e->stuck && e->walk)
        return e;
    release(NULL, e);
    return NULL;
}

static const double *statistics(const struct hl_envelope *e)
{
    return e->statistic;
}

static bool is_moment(const struct hl_envelope *e)
{
    return e->forecast->problem->constraint[e->constraint].statistic == HL_TAPER_MOMENT;
}

/* What is handed out, from the rows by block: more than the bound can't be made good any more. */
static void hand_out(const struct hl_envelope *e, const double *value, size_t above, double *statistic)
{
    for (size_t k = 0; is_moment(e) && k < e->n; k++)
        statistic[k] = k < above ? INFINITY : -INFINITY;
    if (is_moment(e))
        return;
    for (size_t k = 0, b = 0; k < e->n; k++) {
        while (e->block[b] != e->subject[k] / LANES)
            b++;
        double mine = ROW_OF(value, b)[e->subject[k] % LANES];
        statistic[k] = mine > e->bound ? INFINITY : mine;
    }
}

/* ---- Two ends on their way. */

struct end { double *x, *x1, *dx, *z, *zp, *dz, *f, *f1, *g, *g1; };

struct work {
    struct hl_forecast_room *room;
    const struct hl_forecast *forecast;
    size_t constraint;
    struct end end[2];
    double *y, *y1, *value;
    const unsigned char *stuck;
    size_t *above, moments, noted; /* at any time: by moment, how many are above the bound; NULL of others ... */
    double bound;
    bool counted[LANES];           /* ... and whom of the block that counts */
    double *all;
};

static bool work_init(struct work *w, struct hl_forecast_room *room, size_t constraint)
{
    const struct hl_forecast *f = room->forecast;
    size_t n = f->system.n, m = f->system.m;
    *w = (struct work){.room = room, .forecast = f, .constraint = constraint};
    w->all = hl_alloc(2 * (3 * n + 7 * m) + 3, ROW_BYTES);
    double *at = w->all;
    for (int s = LOW; at && s <= HIGH; s++) {
        struct end *e = &w->end[s];
        double **part[] = {&e->x, &e->x1, &e->dx, &e->z, &e->zp, &e->dz, &e->f, &e->f1, &e->g, &e->g1};
        for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
            *part[k] = at;
            at += (k < 3 ? n : m) * LANES;
        }
    }
    w->y = at;
    w->y1 = at ? at + LANES : NULL;
    w->value = at ? at + 2 * LANES : NULL;
    return at != NULL;
}

/* The end of argument j that makes something of these signs smallest (HIGH: largest); own: the argument it is itself.
 * */
static enum side end_of(const signed char *sign, size_t j, size_t own, enum side side)
{
    return j == own || sign[j] >= 0 ? side : side == LOW ? HIGH : LOW;
}

enum point { BEGIN, PREDICTED, FINISHED }; /* x, z, f: x1, zp, dz: x1, z, f1 */

/* Puts the chosen end of every argument that a program reads into the register files. */
static void put_ends(struct work *w, const struct hl_forecast_dual *program, const signed char *sign, size_t own,
                     enum side side, enum point point)
{
    const struct hl_forecast_system *s = &w->forecast->system;
    for (size_t j = 0; j < s->n + s->m; j++) {
        const struct end *e = &w->end[end_of(sign, j, own, side)];
        int row = j < s->n ? s->x_row[j] : s->z_row[j - s->n];
        if (row < 0 || !program->reads[row])
            continue;
        size_t i = j < s->n ? j : j - s->n;
        const double *value = j < s->n ? (point == BEGIN ? e->x : e->x1) : point == PREDICTED ? e->zp : e->z;
        const double *slope = j < s->n ? e->dx : point == BEGIN ? e->f : point == PREDICTED ? e->dz : e->f1;
        memcpy(ROW_OF(w->room->file, row), ROW_OF(value, i), ROW_BYTES);
        memcpy(ROW_OF(w->room->dfile, row), ROW_OF(slope, i), ROW_BYTES);
    }
}

static void put_time(struct work *w, double time)
{
    int row = w->forecast->system.time_row;
    for (size_t l = 0; row >= 0 && l < LANES; l++) {
        ROW_OF(w->room->file, row)[l] = time;
        ROW_OF(w->room->dfile, row)[l] = 1;
    }
}

/* Rates and their slopes of both ends. */
static void rates(struct work *w, double time, enum point point)
{
    const struct hl_forecast_system *s = &w->forecast->system;
    put_time(w, time);
    for (int side = LOW; side <= HIGH; side++)
        for (size_t i = 0; i < s->m; i++) {
            struct end *e = &w->end[side];
            put_ends(w, &s->rate_of[i], w->forecast->rate_sign + i * (s->n + s->m), s->n + i, (enum side)side, point);
            hl_forecast_dual_run(&s->rate_of[i], w->room->file, w->room->dfile);
            memcpy(ROW_OF(point == BEGIN ? e->dz : e->f1, i), ROW_OF(w->room->file, s->dz_row[i]), ROW_BYTES);
            memcpy(ROW_OF(point == BEGIN ? e->g : e->g1, i), ROW_OF(w->room->dfile, s->dz_row[i]), ROW_BYTES);
        }
    if (point == BEGIN)
        for (int side = LOW; side <= HIGH; side++)
            memcpy(w->end[side].f, w->end[side].dz, s->m * ROW_BYTES);
}

/* The output at its favourable ends, less the slack. */
static void output(struct work *w, double time, enum point point, double *y)
{
    const struct hl_forecast_system *s = &w->forecast->system;
    put_time(w, time);
    const struct hl_forecast_dual *program = &s->output_of[w->constraint];
    put_ends(w, program, w->forecast->output_sign + w->constraint * (s->n + s->m), s->n + s->m, LOW, point);
    hl_forecast_dual_run(program, w->room->file, w->room->dfile);
    const double *row = ROW_OF(w->room->file, s->y_row[w->constraint]);
    for (size_t l = 0; l < LANES; l++)
        y[l] = row[l] - HL_FORECAST_SLACK * fabs(row[l]);
}

/* How many are above the bound at the end of a step; a subject that failed is, always. */
static void count_above(struct work *w)
{
    size_t n = 0;
    for (size_t l = 0; l < LANES; l++)
        n += w->counted[l] && (w->value[l] > w->bound || (!(w->stuck && w->stuck[l]) && w->y1[l] > w->bound));
    if (w->noted < w->moments) {
#pragma omp atomic
        w->above[w->noted] += n;
    }
    w->noted++;
}

/* What a step adds, in every lane that isn't stuck. */
static void count(struct work *w, double h)
{
    if (w->above) {
        count_above(w);
        return;
    }
    const struct hl_taper_constraint *c = &w->forecast->problem->constraint[w->constraint];
    for (size_t l = 0; l < LANES; l++) {
        double low = fmin(w->y[l], w->y1[l]);
        if (w->stuck && w->stuck[l])
            continue;
        if (c->statistic == HL_TAPER_PEAK)
            w->value[l] = fmax(w->value[l], w->y1[l]);
        else if (low >= c->threshold)
            w->value[l] += c->statistic == HL_TAPER_HOURS_ABOVE ? h : h * (low - c->threshold);
    }
}

struct adding { struct work *work; enum { AMOUNT, AT_START, AT_END } which; bool any; };

HL_CLONES static void add_row(const double *amount, const double *from, double *to)
{
#pragma omp simd
    for (size_t l = 0; l < LANES; l++)
        to[l] += amount ? amount[l] * from[l] : from[l];
}

/* Doses do the same to both ends. */
static void add_part(void *context, const double *amount, const double *v, const double *u0, const double *u1)
{
    struct adding *a = context;
    const double *part = a->which == AMOUNT ? v : a->which == AT_START ? u0 : u1;
    a->any = a->any || part;
    for (int s = LOW; part && s <= HIGH; s++)
        for (size_t i = 0; i < a->work->forecast->system.n; i++)
            add_row(amount, ROW_OF(part, i),
                    ROW_OF(a->which == AMOUNT ? a->work->end[s].x1 : a->work->end[s].dx, i));
}

static void clear_slopes(struct work *w)
{
    for (int s = LOW; s <= HIGH; s++)
        memset(w->end[s].dx, 0, w->forecast->system.n * ROW_BYTES);
}

/* Everything where a period begins or inputs change, dx holding what enters from outside. */
static void look(struct work *w)
{
    for (int s = LOW; s <= HIGH; s++)
        hl_forecast_slopes(&w->forecast->system, w->room->block->rate, w->end[s].x, w->end[s].dx);
    rates(w, w->room->time, BEGIN);
    output(w, w->room->time, BEGIN, w->y);
}

static void swap(double **a, double **b)
{
    double *c = *a;
    *a = *b;
    *b = c;
}

static void finish(struct work *w, double h)
{
    const struct hl_forecast_system *s = &w->forecast->system;
    for (int k = LOW; k <= HIGH; k++) {
        struct end *e = &w->end[k];
        hl_forecast_slopes(s, w->room->block->rate, e->x1, e->dx);
        hl_forecast_predict(s->m, h, e->z, e->f, e->g, e->zp, e->dz);
    }
    for (int look = 0; look < w->forecast->looks; look++) {
        rates(w, w->room->time + h, PREDICTED);
        for (int k = LOW; k <= HIGH; k++) {
            struct end *e = &w->end[k];
            hl_forecast_correct(s->m, h, e->z, e->f, e->f1, e->g, e->g1, e->zp);
            memcpy(e->dz, e->f1, s->m * ROW_BYTES);
        }
    }
    w->room->time += h;
    for (int k = LOW; k <= HIGH; k++)
        swap(&w->end[k].z, &w->end[k].zp);
    output(w, w->room->time, FINISHED, w->y1);
    count(w, h);
    for (int k = LOW; k <= HIGH; k++) {
        swap(&w->end[k].x, &w->end[k].x1);
        swap(&w->end[k].f, &w->end[k].f1);
        swap(&w->end[k].g, &w->end[k].g1);
    }
    swap(&w->y, &w->y1);
}

static void advance(struct work *w, const struct hl_forecast_step *step)
{
    const struct hl_forecast_system *s = &w->forecast->system;
    for (int k = LOW; k <= HIGH; k++)
        if (step->length > 0)
            hl_forecast_advance(s, w->room->block->phi + (size_t)step->kind * s->n_pairs * LANES, w->end[k].x,
                                w->end[k].x1);
        else
            memcpy(w->end[k].x1, w->end[k].x, s->n * ROW_BYTES);
}

static void regular(struct work *w)
{
    const struct hl_forecast_grid *g = &w->forecast->grid;
    const struct hl_forecast_step *step = &g->step[w->room->step % g->n];
    struct adding start = {w, AT_START, false}, amounts = {w, AMOUNT, false}, end = {w, AT_END, false};
    if (step->length > 0) {
        clear_slopes(w);
        hl_forecast_arrivals(w->room, add_part, &start);
        if (start.any)
            look(w);
    }
    advance(w, step);
    bool arrives = hl_forecast_arrivals(w->room, add_part, &amounts);
    clear_slopes(w);
    if (arrives)
        hl_forecast_arrivals(w->room, add_part, &end);
    if (arrives || step->length > 0)
        finish(w, step->length);
    w->room->step++;
}

/* ---- Between an envelope and its work. */

static void load(struct work *w, const struct hl_envelope *e, size_t number)
{
    const struct hl_forecast *f = e->forecast;
    size_t n = f->system.n, m = f->system.m, past = f->back * f->n_streams;
    const double *rows = e->state + number * rows_of(f) * LANES;
    for (int s = LOW; s <= HIGH; s++) {
        memcpy(w->end[s].x, ROW_OF(rows, (size_t)s * (n + m)), n * ROW_BYTES);
        memcpy(w->end[s].z, ROW_OF(rows, (size_t)s * (n + m) + n), m * ROW_BYTES);
    }
    hl_forecast_room_past(w->room, ROW_OF(rows, 2 * (n + m)), past);
    memcpy(w->value, ROW_OF(e->value, number), ROW_BYTES);
    w->stuck = e->stuck + number * LANES;
    w->room->step = e->period * f->grid.n;
    w->room->time = f->request.t0 + (double)e->period * f->grid.period;
    clear_slopes(w);
    look(w);
    clear_slopes(w);
    look(w); /* with the right f */
}

static void store(const struct work *w, struct hl_envelope *e, size_t number)
{
    const struct hl_forecast *f = e->forecast;
    size_t n = f->system.n, m = f->system.m;
    double *rows = e->state + number * rows_of(f) * LANES;
    for (int s = LOW; s <= HIGH; s++) {
        memcpy(ROW_OF(rows, (size_t)s * (n + m)), w->end[s].x, n * ROW_BYTES);
        memcpy(ROW_OF(rows, (size_t)s * (n + m) + n), w->end[s].z, m * ROW_BYTES);
    }
    memcpy(ROW_OF(rows, 2 * (n + m)), w->room->amount, f->back * f->n_streams * ROW_BYTES);
    memcpy(ROW_OF(e->value, number), w->value, ROW_BYTES);
}

/* ---- The outlook's calls. */

struct going {
    const struct hl_envelope *from;
    struct hl_envelope *to;
    const struct hl_taper_rung *rung;
    size_t periods;
    double *value;               /* stop: rows by block */
    size_t *above, moments;      /* at any time: by moment */
    bool lacking;
};

static bool count_moments(struct going *g, size_t moments)
{
    g->moments = moments;
    g->above = is_moment(g->from) ? hl_alloc(moments, sizeof *g->above) : NULL;
    return g->above || !is_moment(g->from);
}

/* The most at once, so far and now. Ends the counting. */
static size_t most_above(struct going *g)
{
    size_t most = g->from->above;
    for (size_t k = 0; g->above && k < g->moments; k++)
        most = g->above[k] > most ? g->above[k] : most;
    hl_free(g->above);
    g->above = NULL;
    return most;
}

/* No subject of the block that was chosen can keep the constraint any more, or move. */
static bool is_lost(const struct hl_envelope *e, size_t number)
{
    if (is_moment(e))
        return false;
    for (size_t k = 0; k < e->n; k++)
        if (e->subject[k] / LANES == e->block[number]
            && !(ROW_OF(e->value, number)[e->subject[k] % LANES] > e->bound))
            return false;
    return true;
}

/* Who is above the bound on day 0. */
static void count_start(struct hl_envelope *e, const struct hl_forecast_room *r, size_t number)
{
    size_t n = 0;
    for (size_t k = 0; is_moment(e) && k < e->n; k++) {
        size_t l = e->subject[k] % LANES;
        double y = ROW_OF(r->y, e->constraint)[l];
        if (e->subject[k] / LANES == e->block[number])
            n += r->block->failed[l] || y - HL_FORECAST_SLACK * fabs(y) > e->bound;
    }
#pragma omp atomic
    e->above += n;
}

static void begin_block(struct hl_forecast_room *r, size_t number, void *context)
{
    struct hl_envelope *e = context;
    const struct hl_forecast *f = e->forecast;
    size_t n = f->system.n, m = f->system.m;
    double *rows = e->state + number * rows_of(f) * LANES;
    hl_forecast_room_start(r);
    memset(rows, 0, rows_of(f) * ROW_BYTES);
    for (int s = LOW; s <= HIGH; s++) {
        memcpy(ROW_OF(rows, (size_t)s * (n + m)), r->x, n * ROW_BYTES);
        memcpy(ROW_OF(rows, (size_t)s * (n + m) + n), r->z, m * ROW_BYTES);
    }
    for (size_t l = 0; l < LANES; l++) {
        double start = is_moment(e) ? -INFINITY : ROW_OF(r->statistic, e->constraint)[l];
        ROW_OF(e->value, number)[l] = r->block->failed[l] ? INFINITY
                                      : isfinite(start)   ? start - HL_FORECAST_SLACK * fabs(start)
                                                          : start;
    }
    count_start(e, r, number);
}

static struct hl_envelope *begin(void *context, size_t constraint, double bound, const size_t *subject, size_t n)
{
    const struct hl_forecast *f = context;
    struct hl_envelope *e = envelope_alloc(f, constraint, bound, subject, n);
    if (e && hl_forecast_for_blocks(f, e->block, e->n_blocks, begin_block, e) == HL_OK) {
        hand_out(e, e->value, e->above, e->statistic);
        return e;
    }
    release(NULL, e);
    return NULL;
}

/* The block as it stands; false where all of it is lost, or memory is lacking. */
static bool load_block(struct work *w, struct hl_forecast_room *r, struct going *g, size_t number)
{
    if (is_lost(g->from, number))
        return false;
    if (work_init(w, r, g->from->constraint)) {
        load(w, g->from, number);
        w->above = g->above;
        w->moments = g->moments;
        w->bound = g->from->bound;
        for (size_t k = 0; k < g->from->n; k++)
            if (g->from->subject[k] / LANES == g->from->block[number])
                w->counted[g->from->subject[k] % LANES] = true;
        return true;
    }
#pragma omp atomic write
    g->lacking = true;
    return false;
}

static void step_block(struct hl_forecast_room *r, size_t number, void *context)
{
    struct going *g = context;
    const struct hl_forecast *f = r->forecast;
    struct work w;
    size_t size = rows_of(f) * LANES;
    memcpy(g->to->state + number * size, g->from->state + number * size, size * sizeof(double));
    memcpy(ROW_OF(g->to->value, number), ROW_OF(g->from->value, number), ROW_BYTES);
    if (!load_block(&w, r, g, number))
        return;
    for (size_t k = 0; k < g->periods; k++) {
        hl_forecast_put_rung(r, g->to->walk, g->rung);
        for (size_t i = 0; i < f->grid.n; i++)
            regular(&w);
    }
    store(&w, g->to, number);
    hl_free(w.all);
}

static struct hl_envelope *copy(void *context, const struct hl_envelope *from)
{
    (void)context;
    const struct hl_forecast *f = from->forecast;
    struct hl_envelope *e = envelope_alloc(f, from->constraint, from->bound, from->subject, from->n);
    if (!e)
        return NULL;
    e->period = from->period;
    e->above = from->above;
    memcpy(e->statistic, from->statistic, from->n * sizeof *from->statistic);
    memcpy(e->state, from->state, from->n_blocks * rows_of(f) * ROW_BYTES);
    memcpy(e->value, from->value, from->n_blocks * ROW_BYTES);
    memcpy(e->stuck, from->stuck, from->n_blocks * LANES);
    memcpy(e->walk, from->walk, f->n_subjects * hl_forecast_walk_bytes(f));
    return e;
}

static struct hl_envelope *step(void *context, const struct hl_envelope *from, struct hl_taper_step level)
{
    const struct hl_forecast *f = context;
    struct hl_envelope *e = envelope_alloc(f, from->constraint, from->bound, from->subject, from->n);
    struct going g = {.from = from, .to = e, .rung = &f->problem->rung[level.rung],
                      .periods = hl_forecast_periods(f, level.days)};
    if (!e)
        return NULL;
    e->period = from->period + g.periods;
    memcpy(e->walk, from->walk, f->n_subjects * hl_forecast_walk_bytes(f));
    memcpy(e->stuck, from->stuck, e->n_blocks * LANES);
    if (count_moments(&g, g.periods * f->grid.n) &&
        hl_forecast_for_blocks(f, e->block, e->n_blocks, step_block, &g) == HL_OK && !g.lacking) {
        e->above = most_above(&g);
        hand_out(e, e->value, e->above, e->statistic);
        return e;
    }
    hl_free(g.above);
    release(NULL, e);
    return NULL;
}

/* What two ways remember of a lane beside its intervals is the same. */
static bool same_past(const struct hl_envelope *a, const struct hl_envelope *b, size_t number, size_t lane)
{
    const struct hl_forecast *f = a->forecast;
    size_t first = 2 * (f->system.n + f->system.m), rows = rows_of(f), bytes = hl_forecast_walk_bytes(f);
    size_t subject = a->block[number] * LANES + lane;
    for (size_t k = first; k < rows; k++)
        if (ROW_OF(a->state, number * rows + k)[lane] != ROW_OF(b->state, number * rows + k)[lane])
            return false;
    return subject >= f->n_subjects || bytes == 0
           || memcmp(a->walk + subject * bytes, b->walk + subject * bytes, bytes) == 0;
}

static void copy_lane(struct hl_envelope *into, const struct hl_envelope *other, size_t number, size_t l)
{
    const struct hl_forecast *f = into->forecast;
    size_t rows = rows_of(f), bytes = hl_forecast_walk_bytes(f), subject = into->block[number] * LANES + l;
    for (size_t k = 0; k < rows; k++)
        ROW_OF(into->state, number * rows + k)[l] = ROW_OF(other->state, number * rows + k)[l];
    ROW_OF(into->value, number)[l] = ROW_OF(other->value, number)[l];
    into->stuck[number * LANES + l] = other->stuck[number * LANES + l];
    if (subject < f->n_subjects && bytes > 0)
        memcpy(into->walk + subject * bytes, other->walk + subject * bytes, bytes);
}

static void join_lane(struct hl_envelope *into, const struct hl_envelope *other, size_t number, size_t l)
{
    const struct hl_forecast *f = into->forecast;
    size_t each = f->system.n + f->system.m, rows = rows_of(f);
    unsigned char *stuck = into->stuck + number * LANES + l;
    *stuck = *stuck || other->stuck[number * LANES + l] || !same_past(into, other, number, l);
    for (size_t k = 0; k < 2 * each; k++) {
        double *a = ROW_OF(into->state, number * rows + k) + l, b = ROW_OF(other->state, number * rows + k)[l];
        *a = k < each ? fmin(*a, b) : fmax(*a, b);
    }
    double *value = ROW_OF(into->value, number) + l;
    *value = fmin(*value, ROW_OF(other->value, number)[l]);
}

/* Nothing follows from a way that has lost a subject: it adds nothing to that subject's intervals. */
static void meet_block(struct hl_envelope *into, const struct hl_envelope *other, size_t number)
{
    for (size_t l = 0; l < LANES; l++) {
        bool lost = ROW_OF(into->value, number)[l] > into->bound;
        bool other_lost = ROW_OF(other->value, number)[l] > into->bound;
        if (lost && !other_lost)
            copy_lane(into, other, number, l);
        else if (!other_lost)
            join_lane(into, other, number, l);
    }
}

static void meet(void *context, struct hl_envelope *into, const struct hl_envelope *other)
{
    (void)context;
    for (size_t b = 0; b < into->n_blocks; b++)
        meet_block(into, other, b);
    into->above = other->above < into->above ? other->above : into->above;
    hand_out(into, into->value, into->above, into->statistic);
}

static void stop_block(struct hl_forecast_room *r, size_t number, void *context)
{
    struct going *g = context;
    const struct hl_forecast *f = r->forecast;
    struct work w;
    memcpy(ROW_OF(g->value, number), ROW_OF(g->from->value, number), ROW_BYTES);
    if (!load_block(&w, r, g, number))
        return;
    struct hl_forecast_ending ending = hl_forecast_ending(f, g->from->period);
    while (hl_forecast_goes_on(r, &ending)) {
        if (r->step % f->grid.n == 0)
            hl_forecast_put_rung(r, NULL, NULL);
        regular(&w);
    }
    for (size_t k = 0; k < ending.n_tail; k++) {
        advance(&w, &ending.tail[k]);
        clear_slopes(&w);
        finish(&w, ending.tail[k].length);
    }
    memcpy(ROW_OF(g->value, number), w.value, ROW_BYTES);
    hl_free(w.all);
}

static enum hl_status stop(void *context, const struct hl_envelope *from, double *statistic)
{
    const struct hl_forecast *f = context;
    struct going g = {.from = from, .value = hl_alloc(from->n_blocks, ROW_BYTES)};
    if (!g.value || !count_moments(&g, hl_forecast_moments_of_stop(f, from->period))) {
        hl_free(g.value);
        return HL_ERR_MEMORY;
    }
    enum hl_status status = hl_forecast_for_blocks(f, from->block, from->n_blocks, stop_block, &g);
    hand_out(from, g.value, most_above(&g), statistic);
    hl_free(g.value);
    return g.lacking ? HL_ERR_MEMORY : status;
}

/* ---- Joined forecasts: an envelope of one constraint is one of its situation's. */

static struct hl_envelope *joined(struct hl_envelope *part)
{
    struct hl_envelope *e = part ? hl_alloc(1, sizeof *e) : NULL;
    if (e)
        e->part = part;
    else
        release(NULL, part);
    return e;
}

static struct hl_envelope *joined_begin(void *context, size_t constraint, double bound, const size_t *subject,
                                        size_t n)
{
    const struct hl_forecast *f = context;
    size_t each = f->problem->n_constraints;
    return joined(begin(f->part[constraint / each], constraint % each, bound, subject, n));
}

static struct hl_envelope *joined_copy(void *context, const struct hl_envelope *from)
{
    (void)context;
    return joined(copy(NULL, from->part));
}

static struct hl_envelope *joined_step(void *context, const struct hl_envelope *from, struct hl_taper_step level)
{
    (void)context;
    return joined(step((void *)from->part->forecast, from->part, level));
}

static void joined_meet(void *context, struct hl_envelope *into, const struct hl_envelope *other)
{
    meet(context, into->part, other->part);
}

static const double *joined_statistics(const struct hl_envelope *e)
{
    return e->part->statistic;
}

static enum hl_status joined_stop(void *context, const struct hl_envelope *from, double *statistic)
{
    (void)context;
    return stop((void *)from->part->forecast, from->part, statistic);
}

void hl_forecast_envelope_bind(struct hl_outlook *outlook)
{
    const struct hl_forecast *f = outlook->context;
    bool is_joined = f->n_parts > 0;
    outlook->envelope_begin = is_joined ? joined_begin : begin;
    outlook->envelope_copy = is_joined ? joined_copy : copy;
    outlook->envelope_step = is_joined ? joined_step : step;
    outlook->envelope_meet = is_joined ? joined_meet : meet;
    outlook->envelope_statistics = is_joined ? joined_statistics : statistics;
    outlook->envelope_stop = is_joined ? joined_stop : stop;
    outlook->envelope_release = release;
}
