/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lower bound on the duration by two relaxations.
 *
 * (1) Every subject may go down by a schedule of its own, made of the same rungs, lengths, caps and order of drugs.
 * Let T_i be the first day on which subject i can stop and keep the constraint. A common schedule of d days that
 * keeps it in ceil(s N) subjects shows T_i <= d for as many (each of them can do what all do), so d is at least the
 * ceil(s N)-th smallest T_i.
 *
 * (2) T_i itself would need all ways down. Ways that stand on the same rung on the same day are replaced by an
 * envelope of their states, from which nothing worse follows than from any of them (taper/outlook.h): a dynamic
 * programme
 *
 *     E(t, b) = meet over lengths l and rungs a that b may follow of step(E(t - l, a), b for l days)
 *
 * in which each way is stepped from its own predecessor before it meets the others (meeting first would be looser).
 * Stopping from E(t, b) can only be better than from any schedule through (t, b), so the first t at which some stop
 * keeps the constraint is at most T_i.
 *
 * Only the hardest subjects are carried, the others counted as T_i = 0; the programme ends as soon as no more
 * subjects are left than may exceed the bound. That day is a sum of lengths, since days that aren't have no rungs to
 * stop from.
 *
 * Refinement takes back part of relaxation (1). Every schedule of d days is on one rung on a given day (milestone).
 * So if for each rung, the subjects going through it on that day and otherwise as they like, too few can stop on day
 * d, none of d days keeps the constraint. Where a rung isn't refuted, a later milestone is fixed as well. Shorter
 * ones being excluded before, only stopping on day d itself is looked at.
 *
 * With several constraints the largest bound holds. Ways may be kept apart by their last levels (history), which
 * only makes fewer of them meet. */
#include "taper/bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "taper/rungs.h"
#include "taper/search_parts.h"

#define MOST_HISTORY 3
#define CODE_BITS    16
#define MOST_FIXED   4
#define USUAL_FIXED  2
#define USUAL_EFFORT 2 /* what refinement may take, times what the first bound took */

/* Ways that are taken together: same rung, turn and last levels. */
struct state {
    size_t rung;
    int turn;
    uint64_t history;
    struct hl_envelope *envelope;
};

struct move { const struct state *from; struct hl_taper_step step; struct state to; size_t number; };

struct layer { size_t n, capacity; struct state *state; };

struct programme {
    const struct hl_taper_problem *problem;
    const struct hl_outlook *outlook;
    const struct hl_bound_options *options;
    struct hl_arena *arena;
    size_t constraint, n, allowed; /* subjects carried, and how many of all may exceed */
    double limit;                  /* of the statistic */
    size_t *subject;
    bool *free;                    /* by carried subject: has a day on which it can stop */
    size_t n_free;
    int grid;
    uint64_t most_work;            /* 0: any */
    int up_to;
    size_t n_layers; struct layer *layer;
    size_t n_fixed, fixed_day[MOST_FIXED], fixed_rung[MOST_FIXED]; /* on this day (in grid steps) only this rung */
    struct hl_bound *bound;
};

struct hardness { double value; size_t subject; };

static int harder(const void *a, const void *b)
{
    const struct hardness *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->subject > y->subject) - (x->subject < y->subject);
}

static int ascending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* What each subject would have under the hint; [constraint][subject] into value. */
static enum hl_status under_hint(const struct hl_outlook *o, const struct hl_taper_schedule *hint, double *value,
                                 struct hl_bound *bound)
{
    size_t steps = hint ? hint->n : 0;
    bound->steps += steps;
    bound->work += (steps + 1) * o->n_subjects;
    return hl_outlook_follow(o, hint, value);
}

/* The hardest subjects, ascending by number. */
static enum hl_status choose(struct programme *s, const double *value)
{
    size_t n = s->outlook->n_subjects, wanted = s->options->carried;
    struct hardness *all = hl_alloc(n, sizeof *all);
    if (!all)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        all[i] = (struct hardness){isnan(value[i]) ? INFINITY : value[i], i};
    qsort(all, n, sizeof *all, harder);
    s->n = wanted ? wanted : s->allowed + s->allowed / (s->options->hint ? 5 : 2) + 15;
    s->n = s->n < s->allowed + 1 ? s->allowed + 1 : s->n;
    s->n = s->n > n ? n : s->n;
    s->subject = hl_arena_alloc(s->arena, s->n, sizeof *s->subject);
    s->free = hl_arena_alloc(s->arena, s->n, sizeof *s->free);
    for (size_t i = 0; i < s->n; i++)
        s->subject[i] = all[i].subject;
    qsort(s->subject, s->n, sizeof *s->subject, ascending);
    hl_free(all);
    return HL_OK;
}

static void release_layer(struct programme *s, struct layer *layer)
{
    for (size_t i = 0; i < layer->n; i++)
        if (layer->state[i].envelope)
            s->outlook->envelope_release(s->outlook->context, layer->state[i].envelope);
    layer->n = 0;
}

static int by_target(const void *a, const void *b)
{
    const struct move *x = a, *y = b;
    if (x->to.rung != y->to.rung)
        return x->to.rung < y->to.rung ? -1 : 1;
    if (x->to.turn != y->to.turn)
        return x->to.turn < y->to.turn ? -1 : 1;
    if (x->to.history != y->to.history)
        return x->to.history < y->to.history ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Whether a level on this rung between two days agrees with the rungs that are fixed. */
static bool agrees(const struct programme *s, size_t rung, size_t from, size_t to)
{
    for (size_t k = 0; k < s->n_fixed; k++)
        if (from <= s->fixed_day[k] && s->fixed_day[k] < to && s->fixed_rung[k] != rung)
            return false;
    return true;
}

/* All moves that end in a layer, sorted by where they lead; *n of them. To be released. */
static struct move *moves_into(struct programme *s, size_t day, size_t *n)
{
    const struct hl_taper_problem *p = s->problem;
    uint64_t mask = ((uint64_t)1 << (CODE_BITS * s->options->history)) - 1;
    struct move *move = NULL;
    size_t capacity = 0;
    *n = 0;
    for (size_t l = 0; l < p->n_lengths; l++) {
        size_t back = (size_t)(p->length[l] / s->grid);
        for (size_t i = 0; back <= day && i < s->layer[day - back].n; i++) {
            const struct state *from = &s->layer[day - back].state[i];
            for (size_t to = from->rung + 1; to + 1 < p->n_rungs; to++) {
                int turn = hl_rungs_turn(p, from->turn, from->rung, to, p->length[l]);
                if (turn < 0 || !agrees(s, to, day - back, day))
                    continue;
                if (*n == capacity) {
                    struct move *grown = hl_grow(move, capacity, 2 * capacity + 256, sizeof *move);
                    if (!grown)
                        hl_memory_end(2 * capacity + 256, sizeof *move);
                    move = grown;
                    capacity = 2 * capacity + 256;
                }
                uint64_t code = to * p->n_lengths + l;
                move[*n] = (struct move){.from = from, .step = {to, p->length[l]}, .number = *n,
                                         .to = {.rung = to, .turn = turn,
                                                .history = ((from->history << CODE_BITS) | code) & mask}};
                ++*n;
            }
        }
    }
    if (*n > 0)
        qsort(move, *n, sizeof *move, by_target);
    return move;
}

/* Whether any carried subject that isn't free yet could still keep the constraint from here. */
static bool some_hope(const struct programme *s, const struct hl_envelope *envelope)
{
    const double *statistic = s->outlook->envelope_statistics(envelope);
    for (size_t i = 0; i < s->n; i++)
        if (!s->free[i] && statistic[i] <= s->limit)
            return true;
    return false;
}

/* Steps each of n moves to one state and lets them meet; NULL for no memory. */
static struct hl_envelope *meet_all(const struct programme *s, const struct move *move, size_t n)
{
    const struct hl_outlook *o = s->outlook;
    struct hl_envelope *met = NULL;
    for (size_t i = 0; i < n; i++) {
        struct hl_envelope *one = o->envelope_step(o->context, move[i].from->envelope, move[i].step);
        if (!one) {
            if (met)
                o->envelope_release(o->context, met);
            return NULL;
        }
        if (!met) {
            met = one;
            continue;
        }
        o->envelope_meet(o->context, met, one);
        o->envelope_release(o->context, one);
    }
    return met;
}

static bool may_end(const struct programme *s, const struct state *state)
{
    return hl_rungs_turn(s->problem, state->turn, state->rung, s->problem->n_rungs - 1, 0) >= 0;
}

/* Which carried subjects can stop from one of a layer's states. */
static enum hl_status stop_layer(struct programme *s, const struct layer *layer)
{
    const struct hl_outlook *o = s->outlook;
    double *statistic = hl_alloc_unset(layer->n + 1, s->n * sizeof *statistic);
    enum hl_status *status = hl_alloc(layer->n + 1, sizeof *status), worst = HL_OK;
    if (!statistic || !status)
        worst = HL_ERR_MEMORY;
    if (worst == HL_OK) {
#pragma omp parallel for schedule(dynamic) if (HL_TAPER_MANY(layer->n, s->n))
        for (size_t k = 0; k < layer->n; k++)
            if (may_end(s, &layer->state[k]))
                status[k] = o->envelope_stop(o->context, layer->state[k].envelope, statistic + k * s->n);
    }
    for (size_t k = 0; worst == HL_OK && k < layer->n; k++) {
        worst = status[k];
        for (size_t i = 0; worst == HL_OK && i < s->n && may_end(s, &layer->state[k]); i++)
            if (!s->free[i] && statistic[k * s->n + i] <= s->limit) {
                s->free[i] = true;
                s->n_free++;
            }
        s->bound->work += s->n;
    }
    hl_free(statistic);
    hl_free(status);
    return worst;
}

/* The states of a day. */
static enum hl_status make_layer(struct programme *s, size_t day)
{
    struct layer *layer = &s->layer[day];
    size_t n, n_states = 0;
    struct move *move = moves_into(s, day, &n);
    size_t *first = hl_alloc(n + 1, sizeof *first);
    enum hl_status status = first ? HL_OK : HL_ERR_MEMORY;
    for (size_t i = 0; status == HL_OK && i < n; i++)
        if (i == 0 || move[i].to.rung != move[i - 1].to.rung || move[i].to.turn != move[i - 1].to.turn ||
            move[i].to.history != move[i - 1].to.history)
            first[n_states++] = i;
    if (status == HL_OK) {
        first[n_states] = n;
        layer->state = hl_arena_alloc(s->arena, n_states, sizeof *layer->state);
#pragma omp parallel for schedule(dynamic) if (HL_TAPER_MANY(n, s->n))
        for (size_t k = 0; k < n_states; k++) {
            layer->state[k] = move[first[k]].to;
            layer->state[k].envelope = meet_all(s, move + first[k], first[k + 1] - first[k]);
        }
        s->bound->steps += n;
        s->bound->work += n * s->n;
    }
    for (size_t k = 0; k < n_states && status == HL_OK; k++) {
        struct state state = layer->state[k];
        if (!state.envelope)
            status = HL_ERR_MEMORY;
        else if (some_hope(s, state.envelope))
            layer->state[layer->n++] = state;
        else
            s->outlook->envelope_release(s->outlook->context, state.envelope);
    }
    hl_free(first);
    hl_free(move);
    return status;
}

static bool enough(const struct programme *s)
{
    return s->n - s->n_free <= s->allowed;
}

static bool spent(const struct programme *s)
{
    return s->most_work > 0 && s->bound->work > s->most_work;
}

/* Days proved for the programme's constraint; *none: no schedule at all keeps it. */
static enum hl_status run(struct programme *s, int *days, bool *none)
{
    const struct hl_outlook *o = s->outlook;
    int longest = s->problem->length[s->problem->n_lengths - 1];
    size_t reach = (size_t)(longest / s->grid), day = 0;
    struct hl_envelope *start = o->envelope_begin(o->context, s->constraint, s->subject, s->n);
    if (!start)
        return HL_ERR_MEMORY;
    s->n_layers = (size_t)(s->problem->longest / s->grid) + 1;
    s->layer = hl_arena_alloc(s->arena, s->n_layers, sizeof *s->layer);
    s->layer[0] = (struct layer){.n = 1, .state = hl_arena_alloc(s->arena, 1, sizeof(struct state))};
    s->layer[0].state[0].envelope = start;
    enum hl_status status = stop_layer(s, &s->layer[0]);
    while (status == HL_OK && !enough(s) && !spent(s) && day + 1 < s->n_layers) {
        status = make_layer(s, ++day);
        if (status == HL_OK)
            status = stop_layer(s, &s->layer[day]);
        if (day >= reach)
            release_layer(s, &s->layer[day - reach]);
        if (s->options->progress)
            s->options->progress->tell(s->options->progress->context, "days of the certificate",
                                       (double)day * s->grid, s->problem->longest);
    }
    for (size_t k = 0; k < s->n_layers; k++)
        release_layer(s, &s->layer[k]);
    *none = status == HL_OK && !enough(s) && !spent(s);
    *days = (int)(enough(s) ? day : day + 1) * s->grid;
    return status;
}

/* ---- Refinement: one duration at a time. */

/* Whether too few subjects have a way left: every way stands on some rung at least once in as many days as the longest
 * length has. */
static bool doomed(const struct programme *s, size_t day)
{
    size_t reach = (size_t)(s->problem->length[s->problem->n_lengths - 1] / s->grid), hopeful = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool hope = false;
        for (size_t d = day; !hope && d + reach > day; d--) {
            for (size_t k = 0; !hope && k < s->layer[d].n; k++)
                hope = s->outlook->envelope_statistics(s->layer[d].state[k].envelope)[i] <= s->limit;
            if (d == 0)
                break;
        }
        hopeful += hope;
    }
    return s->n - hopeful > s->allowed;
}

/* Layers from one day on up to the last one, on top of those that the caller has. *over: too few subjects are left. */
static enum hl_status extend(struct programme *s, size_t from, size_t last, bool *over)
{
    enum hl_status status = HL_OK;
    *over = false;
    for (size_t day = from; day <= last; day++)
        s->layer[day] = (struct layer){0};
    for (size_t day = from; day <= last && status == HL_OK && !*over; day++) {
        status = make_layer(s, day);
        *over = status == HL_OK && doomed(s, day);
    }
    return status;
}

/* Whether no schedule that ends on the last day, and agrees with what is fixed, keeps the constraint: too few subjects
 * could stop then. If that can't be said, every rung is fixed in turn on the next milestone. */
static enum hl_status refute(const struct programme *above, size_t from, size_t last, bool *refuted)
{
    struct programme s = *above;
    s.arena = hl_arena_create();
    if (!s.arena)
        return HL_ERR_MEMORY;
    s.layer = hl_arena_alloc(s.arena, last + 1, sizeof *s.layer);
    memcpy(s.layer, above->layer, from * sizeof *s.layer);
    s.free = hl_arena_alloc(s.arena, s.n, sizeof *s.free);
    s.n_free = 0;
    bool over, first = s.n_fixed == 0; /* with nothing fixed the first bound has said that it can be */
    size_t k = s.n_fixed, milestones = (size_t)s.options->milestones;
    enum hl_status status = extend(&s, from, first ? last / (milestones + 1) : last, &over);
    if (status == HL_OK && !over && !first)
        status = stop_layer(&s, &s.layer[last]);
    *refuted = status == HL_OK && (over || (!first && !enough(&s)));
    bool further = status == HL_OK && !*refuted && k < milestones && !spent(&s);
    if (further) {
        size_t day = last * (k + 1) / (milestones + 1);
        memset(s.free, 0, s.n * sizeof *s.free);
        s.n_fixed = k + 1;
        s.fixed_day[k] = day;
        *refuted = true;
        for (size_t rung = 1; rung + 1 < s.problem->n_rungs && *refuted && status == HL_OK; rung++) {
            s.fixed_rung[k] = rung;
            status = refute(&s, day + 1, last, refuted);
        }
    }
    for (size_t day = from; day <= last; day++) /* layers never made are empty */
        release_layer(&s, &s.layer[day]);
    hl_arena_free(s.arena);
    return status;
}

/* Moves *days on while no schedule of just so many keeps the constraint; shorter ones are excluded already. */
static enum hl_status refine(struct programme *s, int *days, bool *none)
{
    const struct hl_outlook *o = s->outlook;
    enum hl_status status = HL_OK;
    bool refuted = !*none && *days > 0 && s->options->milestones > 0;
    struct layer first = {.n = 1, .state = hl_arena_alloc(s->arena, 1, sizeof(struct state))};
    first.state[0].envelope = o->envelope_begin(o->context, s->constraint, s->subject, s->n);
    if (!first.state[0].envelope)
        return HL_ERR_MEMORY;
    s->layer = &first;
    while (refuted && status == HL_OK && !spent(s) && *days <= s->problem->longest &&
           (s->up_to == 0 || *days < s->up_to)) {
        status = refute(s, 1, (size_t)(*days / s->grid), &refuted);
        if (refuted)
            *days += s->grid;
    }
    *none = *none || *days > s->problem->longest;
    release_layer(s, &first);
    return status;
}

static void describe(struct hl_arena *arena, const struct hl_taper_problem *problem, const struct hl_outlook *o,
                     const struct hl_bound_options *options, struct hl_bound *bound)
{
    const char *text = hl_arena_printf(
        arena, "Every subject may go down by a schedule of its own, made of the same %zu amounts, %zu lengths, caps "
        "and order of drugs; ways that stand on the same amount on the same day%s are replaced by the most favourable "
        "state of any of them, subject by subject.", problem->n_rungs, problem->n_lengths,
        options->history > 0 ? " after the same last levels" : "");
    if (options->milestones > 0)
        text = hl_arena_printf(arena, "%s Durations above the first bound were excluded one by one, all subjects being "
                               "held to the same amount on up to %d days.", text, options->milestones);
    for (size_t c = 0; c < o->n_constraints; c++)
        if (!o->monotone[c])
            text = hl_arena_printf(arena, "%s Nothing is proved from \"%s\": %s.", text,
                                   hl_taper_constraint_of(problem, c)->text, o->why_not[c] ? o->why_not[c] : "");
    bound->text = text;
}

static enum hl_status bound_one(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                const struct hl_outlook *o, const struct hl_bound_options *options, size_t c,
                                const double *value, struct hl_bound *bound)
{
    const struct hl_taper_constraint *constraint = hl_taper_constraint_of(problem, c);
    struct programme s = {.problem = problem, .outlook = o, .options = options, .arena = arena, .constraint = c,
                          .limit = constraint->bound, .bound = bound,
                          .allowed = o->n_subjects - hl_taper_needed(constraint->share, o->n_subjects)};
    bool none = false;
    uint64_t before = bound->work;
    s.most_work = options->most_work;
    s.up_to = options->up_to;
    s.grid = hl_lengths_grid(problem);
    enum hl_status status = choose(&s, value);
    if (status == HL_OK)
        status = run(&s, &bound->by_constraint[c], &none);
    if (s.most_work == 0)
        s.most_work = bound->work + USUAL_EFFORT * (bound->work - before);
    if (status == HL_OK)
        status = refine(&s, &bound->by_constraint[c], &none);
    bound->impossible = bound->impossible || none;
    return status;
}

enum hl_status hl_taper_bound(struct hl_arena *arena, const struct hl_taper_problem *problem,
                              const struct hl_outlook *o, const struct hl_bound_options *options,
                              struct hl_bound *bound)
{
    struct hl_bound_options use = *options;
    double *value = hl_alloc(o->n_subjects * o->n_constraints, sizeof *value);
    *bound = (struct hl_bound){.n_constraints = o->n_constraints};
    bound->by_constraint = hl_arena_alloc(arena, o->n_constraints, sizeof *bound->by_constraint);
    use.milestones = use.milestones == 0           ? USUAL_FIXED
                     : use.milestones < 0          ? 0
                     : use.milestones > MOST_FIXED ? MOST_FIXED
                                                   : use.milestones;
    use.history = use.history < 0 ? 0 : use.history > MOST_HISTORY ? MOST_HISTORY : use.history;
    if (problem->n_rungs * problem->n_lengths >= (size_t)1 << CODE_BITS)
        use.history = 0;
    enum hl_status status = value ? under_hint(o, use.hint, value, bound) : HL_ERR_MEMORY;
    if (status == HL_OK && use.hint && use.up_to == 0 && hl_outlook_keeps(o, problem, value))
        use.up_to = use.hint->days;
    for (size_t c = 0; status == HL_OK && c < o->n_constraints; c++) {
        if (!o->monotone[c])
            continue;
        bound->valid = true;
        status = bound_one(arena, problem, o, &use, c, value + c * o->n_subjects, bound);
        if (bound->by_constraint[c] > bound->days) {
            bound->days = bound->by_constraint[c];
            bound->constraint = c;
        }
    }
    describe(arena, problem, o, &use, bound);
    hl_free(value);
    return status;
}
