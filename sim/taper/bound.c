/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lower bound on the duration by relaxation: a dynamic programme over days in which ways that stand on the same rung
 * on the same day are replaced by an envelope of their states, from which nothing worse follows than from any of them,
 * for any subject (taper/outlook.h):
 *
 *     E(t, b) = meet over lengths l and rungs a that b may follow of step(E(t - l, a), b for l days)
 *
 * Each way is stepped from its own predecessor before it meets the others (meeting first would be looser). A schedule
 * that keeps the constraint keeps it in ceil(s N) subjects all the way, so an envelope in which fewer can still keep it
 * stands for no such schedule and is dropped, before it meets another one if it can be; and a schedule that ends on
 * (t, b) shows that as many subjects can stop from E(t, b). The first day with such an envelope is the bound. Only the
 * hardest subjects are carried, the others count as keeping everything.
 *
 * What is lost by meeting comes back in two ways, pass by pass, four times as wide each:
 *
 *   width      a (day, rung) has up to so many envelopes, each of ways whose areas (dose times days so far) are alike:
 *              ways that came down early are ahead, those that came late have spared more subjects, and an envelope of
 *              both would be as far ahead as the first and as sparing as the second. With room for every way there is
 *              nothing lost: the bound is then exact for the subjects carried.
 *   arcs       what a pass hasn't been able to lead to an end by the last day of interest (one grid step less than a
 *              schedule that is known) no schedule does, so the next pass leaves it out, and what is left meets less.
 *
 * This is the relaxed decision diagram of discrete optimisation (Andersen, Hadzic, Hooker and Tiedemann 2007, LNCS
 * 4741:118; Bergman, Cire, van Hoeve and Hooker 2016, Decision diagrams for optimization), its states intervals. With
 * several constraints the largest bound holds. */
#include "taper/bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "taper/rungs.h"
#include "taper/search_parts.h"

#define USUAL_WIDTH 8
#define WIDENING    4

/* Ways that are taken together: same rung and turn, areas alike. */
struct state {
    size_t rung;
    int turn;
    double area;                   /* mean of the ways that met, days at the start's dose */
    struct hl_envelope *envelope;
    struct ahead *ahead;           /* [rung][length]: what has been stepped from it */
};

/* tried: it was stepped; envelope NULL then: too few subjects are left. */
struct ahead { bool tried; struct hl_envelope *envelope; };

struct move {
    struct state *from;
    size_t to, length;             /* of the problem */
    int turn;
    double area;
    size_t number, arc, steps;
    bool lacking;                  /* memory */
    struct hl_envelope *envelope;
};

struct layer { size_t n; struct state *state; };

struct programme {
    const struct hl_taper_problem *problem;
    const struct hl_outlook *outlook; /* of the subjects carried, or of all */
    const struct hl_bound_options *options;
    struct hl_arena *arena;        /* the pass's own */
    size_t constraint, n, needed;  /* subjects carried, and how many of them must keep the constraint */
    double limit;                  /* of the statistic */
    size_t *subject;               /* of the outlook */
    int grid, n_turns;
    size_t reach;                  /* layers that the longest length has */
    uint64_t most_work;            /* 0: any */
    size_t width;
    size_t last, n_layers; struct layer *layer; /* days of interest in grid steps: up to last */
    struct hl_taper_arcs *arcs;    /* not excluded so far */
    bool *seen;                    /* by arc: stepped in this pass with enough subjects left */
    bool *goal;                    /* by node: a schedule may end there */
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
/* Of what holds at any time all are carried: who is above the bound changes from moment to moment. */
static enum hl_status choose(struct programme *s, struct hl_arena *arena, const double *value, size_t allowed)
{
    size_t n = s->outlook->n_subjects, wanted = s->options->carried;
    struct hardness *all = hl_alloc(n, sizeof *all);
    if (!all)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        all[i] = (struct hardness){isnan(value[i]) ? INFINITY : value[i], i};
    qsort(all, n, sizeof *all, harder);
    s->n = wanted ? wanted : allowed + allowed / 2 + 15;
    s->n = s->n < allowed + 1 ? allowed + 1 : s->n;
    if (hl_taper_constraint_of(s->problem, s->constraint)->statistic == HL_TAPER_MOMENT)
        s->n = n;
    s->n = s->n > n ? n : s->n;
    s->needed = s->n - allowed;
    s->subject = hl_arena_alloc(arena, s->n, sizeof *s->subject);
    for (size_t i = 0; i < s->n; i++)
        s->subject[i] = all[i].subject;
    qsort(s->subject, s->n, sizeof *s->subject, ascending);
    hl_free(all);
    return HL_OK;
}

/* ---- Nodes and arcs. */

static size_t node_of(const struct programme *s, size_t day, size_t rung, int turn)
{
    return (day * s->problem->n_rungs + rung) * (size_t)s->n_turns + (size_t)turn;
}

static bool may_end(const struct programme *s, int turn, size_t rung)
{
    return hl_rungs_turn(s->problem, turn, rung, s->problem->n_rungs - 1, 0) >= 0;
}

/* Opens those arcs only that were stepped in this pass and lead to an end by the last day. */
static void close_arcs(struct programme *s)
{
    const struct hl_taper_problem *p = s->problem;
    for (size_t day = s->last + 1; day-- > 0;)
        for (size_t from = 0; from < p->n_rungs; from++)
            for (int turn = 0; turn < s->n_turns; turn++) {
                size_t node = node_of(s, day, from, turn);
                for (size_t to = from + 1; to + 1 < p->n_rungs; to++)
                    for (size_t l = 0; l < p->n_lengths; l++) {
                        size_t arc = hl_taper_arc(s->arcs, day, from, turn, to, l);
                        size_t then = day + (size_t)(p->length[l] / s->grid);
                        int next = s->seen[arc] ? hl_rungs_turn(p, turn, from, to, p->length[l]) : -1;
                        s->arcs->open[arc] = next >= 0 && then <= s->last && s->goal[node_of(s, then, to, next)];
                        s->goal[node] = s->goal[node] || s->arcs->open[arc];
                    }
            }
}

/* ---- Layers. */

static void release_state(const struct programme *s, struct state *state)
{
    const struct hl_outlook *o = s->outlook;
    for (size_t k = 0; state->ahead && k < s->problem->n_rungs * s->problem->n_lengths; k++)
        if (state->ahead[k].envelope)
            o->envelope_release(o->context, state->ahead[k].envelope);
    hl_free(state->ahead);
    if (state->envelope)
        o->envelope_release(o->context, state->envelope);
}

static void release_layer(const struct programme *s, struct layer *layer)
{
    for (size_t i = 0; i < layer->n; i++)
        release_state(s, &layer->state[i]);
    layer->n = 0;
}

/* Whether enough of the carried subjects can still keep the constraint. */
static bool enough(const struct programme *s, const double *statistic)
{
    size_t good = 0;
    for (size_t i = 0; i < s->n; i++)
        good += statistic[i] <= s->limit;
    return good >= s->needed;
}

/* Steps a move, by way of the shorter lengths on the same rung: what is dropped after fewer days is after more. */
static void make_move(const struct programme *s, struct move *move)
{
    const struct hl_outlook *o = s->outlook;
    const struct hl_envelope *from = move->from->envelope;
    struct ahead *ahead = move->from->ahead + move->to * s->problem->n_lengths;
    for (size_t l = 0; l <= move->length && from; l++) {
        int days = s->problem->length[l] - (l > 0 ? s->problem->length[l - 1] : 0);
        if (!ahead[l].tried) {
            ahead[l].envelope = o->envelope_step(o->context, from, (struct hl_taper_step){move->to, days});
            if (!ahead[l].envelope) {
                move->lacking = true;
                return;
            }
            ahead[l].tried = true;
            move->steps++;
            if (!enough(s, o->envelope_statistics(ahead[l].envelope))) {
                o->envelope_release(o->context, ahead[l].envelope);
                ahead[l].envelope = NULL;
            }
        }
        from = ahead[l].envelope;
    }
    move->envelope = from ? ahead[move->length].envelope : NULL;
}

/* What a level takes of the start's dose, mean over drugs, times its days. */
static double area_of(const struct hl_taper_problem *p, size_t rung, int days)
{
    double share = 0;
    for (size_t d = 0; d < p->n_drugs; d++)
        if (p->rung[0].total[d] > 0)
            share += (double)p->rung[rung].total[d] / (double)p->rung[0].total[d];
    return share / (double)p->n_drugs * days;
}

/* All moves on open arcs into a layer, in a fixed order; *n of them. In the pass's arena. */
static struct move *moves_into(struct programme *s, size_t day, size_t *n)
{
    const struct hl_taper_problem *p = s->problem;
    struct move *move = NULL;
    size_t capacity = 0;
    *n = 0;
    for (size_t l = 0; l < p->n_lengths; l++) {
        size_t back = (size_t)(p->length[l] / s->grid);
        for (size_t i = 0; back <= day && i < s->layer[day - back].n; i++) {
            struct state *from = &s->layer[day - back].state[i];
            for (size_t to = from->rung + 1; to + 1 < p->n_rungs; to++) {
                int turn = hl_rungs_turn(p, from->turn, from->rung, to, p->length[l]);
                size_t arc = hl_taper_arc(s->arcs, day - back, from->rung, from->turn, to, l);
                if (turn < 0 || !s->arcs->open[arc])
                    continue;
                move = hl_arena_push(s->arena, move, *n, &capacity, sizeof *move);
                move[*n] = (struct move){.from = from, .to = to, .length = l, .turn = turn, .number = *n, .arc = arc,
                                         .area = from->area + area_of(p, to, p->length[l])};
                ++*n;
            }
        }
    }
    return move;
}

static int by_target(const void *a, const void *b)
{
    const struct move *x = a, *y = b;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->turn != y->turn)
        return x->turn < y->turn ? -1 : 1;
    if (x->area != y->area)
        return x->area < y->area ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Steps all moves; those with enough subjects left come first, sorted by where they lead; *n of them. */
static enum hl_status make_moves(struct programme *s, struct move *move, size_t *n)
{
    size_t left = 0;
    bool lacking = false;
#pragma omp parallel for schedule(dynamic) if (HL_TAPER_MANY(*n, s->n))
    for (size_t i = 0; i < *n; i++)
        make_move(s, &move[i]);
    for (size_t i = 0; i < *n; i++) {
        s->bound->steps += move[i].steps;
        s->bound->work += move[i].steps * s->n;
        lacking = lacking || move[i].lacking;
        s->seen[move[i].arc] = s->seen[move[i].arc] || move[i].envelope;
        if (move[i].envelope)
            move[left++] = move[i];
    }
    *n = left;
    if (left > 1)
        qsort(move, left, sizeof *move, by_target);
    return lacking ? HL_ERR_MEMORY : HL_OK;
}

/* Where moves to one rung and turn are to be taken together: first[k] is where the k-th group begins. Ways of their own
 * where there is room for all, else by as many equal parts of the range of areas. */
static size_t group(const struct programme *s, const struct move *move, size_t n, size_t *first)
{
    size_t groups = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && move[end].to == move[i].to && move[end].turn == move[i].turn; end++)
            ;
        double least = move[i].area, range = move[end - 1].area - least;
        double part = range > 0 ? (double)s->width / range : 0;
        for (size_t k = i; k < end; k++)
            if (k == i || end - i <= s->width ||
                floor(fmin((move[k].area - least) * part, (double)s->width - 1)) !=
                    floor(fmin((move[k - 1].area - least) * part, (double)s->width - 1)))
                first[groups++] = k;
    }
    first[groups] = n;
    return groups;
}

/* The envelope of several moves; NULL for no memory. */
static struct hl_envelope *meet_all(const struct programme *s, const struct move *move, size_t n)
{
    const struct hl_outlook *o = s->outlook;
    struct hl_envelope *met = o->envelope_copy(o->context, move[0].envelope);
    for (size_t i = 1; met && i < n; i++)
        o->envelope_meet(o->context, met, move[i].envelope);
    return met;
}

/* One state of several moves. false: no memory. */
static bool make_state(const struct programme *s, const struct move *move, size_t n, struct state *state)
{
    double area = 0;
    for (size_t i = 0; i < n; i++)
        area += move[i].area;
    *state = (struct state){.rung = move[0].to, .turn = move[0].turn, .area = area / (double)n};
    state->envelope = meet_all(s, move, n);
    state->ahead = hl_alloc(s->problem->n_rungs * s->problem->n_lengths, sizeof *state->ahead);
    return state->envelope && state->ahead;
}

/* The states of a day. */
static enum hl_status make_layer(struct programme *s, size_t day)
{
    struct layer *layer = &s->layer[day];
    size_t n;
    struct move *move = moves_into(s, day, &n);
    enum hl_status status = make_moves(s, move, &n);
    size_t *first = hl_arena_alloc(s->arena, n + 1, sizeof *first);
    bool lacking = false;
    if (status != HL_OK)
        return status;
    layer->n = group(s, move, n, first);
    layer->state = hl_arena_alloc(s->arena, layer->n, sizeof *layer->state);
#pragma omp parallel for schedule(dynamic) reduction(|| : lacking) if (HL_TAPER_MANY(n, s->n))
    for (size_t k = 0; k < layer->n; k++)
        lacking = !make_state(s, move + first[k], first[k + 1] - first[k], &layer->state[k]) || lacking;
    return lacking ? HL_ERR_MEMORY : HL_OK;
}

/* From which of a layer's states enough subjects can stop; *any: from one of them. */
static enum hl_status stop_layer(struct programme *s, size_t day, bool *any)
{
    const struct hl_outlook *o = s->outlook;
    const struct layer *layer = &s->layer[day];
    double *statistic = hl_alloc_unset(layer->n + 1, s->n * sizeof *statistic);
    enum hl_status *status = hl_alloc(layer->n + 1, sizeof *status), worst = HL_OK;
    *any = false;
    if (!statistic || !status)
        worst = HL_ERR_MEMORY;
    if (worst == HL_OK) {
#pragma omp parallel for schedule(dynamic) if (HL_TAPER_MANY(layer->n, s->n))
        for (size_t k = 0; k < layer->n; k++)
            if (may_end(s, layer->state[k].turn, layer->state[k].rung))
                status[k] = o->envelope_stop(o->context, layer->state[k].envelope, statistic + k * s->n);
    }
    for (size_t k = 0; worst == HL_OK && k < layer->n; k++) {
        const struct state *state = &layer->state[k];
        if (!may_end(s, state->turn, state->rung))
            continue;
        worst = status[k];
        s->bound->work += s->n;
        if (worst == HL_OK && enough(s, statistic + k * s->n))
            *any = s->goal[node_of(s, day, state->rung, state->turn)] = true;
    }
    hl_free(statistic);
    hl_free(status);
    return worst;
}

static bool spent(const struct programme *s)
{
    return s->most_work > 0 && s->bound->work > s->most_work;
}

static void tell(const struct programme *s, size_t day)
{
    if (s->options->progress)
        s->options->progress->tell(s->options->progress->context, "days of the certificate", (double)day * s->grid,
                                   (double)s->last * s->grid);
}

static enum hl_status begin_layers(struct programme *s)
{
    const struct hl_outlook *o = s->outlook;
    struct state *start = hl_arena_alloc(s->arena, 1, sizeof *start);
    s->layer = hl_arena_alloc(s->arena, s->last + 1, sizeof *s->layer);
    s->layer[0] = (struct layer){.n = 1, .state = start};
    start->ahead = hl_alloc(s->problem->n_rungs * s->problem->n_lengths, sizeof *start->ahead);
    start->envelope = o->envelope_begin(o->context, s->constraint, s->limit, s->subject, s->n);
    return start->ahead && start->envelope ? HL_OK : HL_ERR_MEMORY;
}

/* One pass. *first: the first day (in grid steps) on which a schedule may end, last + 1: none up to the last. whole:
 * goes on to the last day, so that arcs can be closed. *complete: it did, work didn't end before. */
static enum hl_status run_pass(struct programme *s, bool whole, size_t *first, bool *complete)
{
    s->arena = hl_arena_create();
    if (!s->arena)
        return HL_ERR_MEMORY;
    enum hl_status status = begin_layers(s);
    size_t day = 0;
    bool ends = false;
    *first = s->last + 1;
    *complete = false;
    for (; status == HL_OK && day <= s->last && ((whole && *first > 0) || *first > s->last); day++) {
        if (day > 0)
            status = make_layer(s, day);
        if (status == HL_OK)
            status = stop_layer(s, day, &ends);
        if (ends && *first > day)
            *first = day;
        if (day >= s->reach)
            release_layer(s, &s->layer[day - s->reach]);
        tell(s, day);
        if (spent(s) && day < s->last) {
            *first = *first > day ? day + 1 : *first; /* what is proved so far */
            break;
        }
        *complete = day == s->last;
    }
    for (size_t k = 0; k <= s->last; k++)
        release_layer(s, &s->layer[k]);
    hl_arena_free(s->arena);
    return status;
}

/* Wider and wider passes, until one proves all there is to prove. */
static enum hl_status run(struct programme *s, struct hl_arena *arena, int up_to, int *days, bool *none)
{
    const struct hl_taper_problem *p = s->problem;
    size_t widest = s->options->width ? s->options->width : USUAL_WIDTH, first = 0, proved = 0;
    s->last = (size_t)(up_to > 0 && up_to <= p->longest ? (up_to - 1) / s->grid : p->longest / s->grid);
    size_t nodes = (s->last + 1) * p->n_rungs * (size_t)s->n_turns, arcs = nodes * p->n_rungs * p->n_lengths;
    s->arcs = hl_arena_alloc(arena, 1, sizeof *s->arcs);
    *s->arcs = (struct hl_taper_arcs){.grid = s->grid, .n_turns = s->n_turns, .n_rungs = p->n_rungs,
                                      .n_lengths = p->n_lengths, .last = s->last,
                                      .open = hl_arena_alloc(arena, arcs, sizeof *s->arcs->open)};
    s->seen = hl_arena_alloc(arena, arcs, sizeof *s->seen);
    s->goal = hl_arena_alloc(arena, nodes, sizeof *s->goal);
    memset(s->arcs->open, 1, arcs * sizeof *s->arcs->open);
    enum hl_status status = HL_OK;
    bool complete = true;
    for (s->width = 1; status == HL_OK && complete; s->width = s->width > widest / WIDENING ? widest
                                                                                           : s->width * WIDENING) {
        bool last = s->width >= widest;
        memset(s->seen, 0, arcs * sizeof *s->seen);
        memset(s->goal, 0, nodes * sizeof *s->goal);
        status = run_pass(s, !last || up_to > 0, &first, &complete);
        proved = status == HL_OK && first > proved ? first : proved;
        if (status == HL_OK && complete)
            close_arcs(s);
        if (last || proved > s->last)
            break;
    }
    *none = proved > s->last && s->last == (size_t)(p->longest / s->grid);
    *days = (int)proved * s->grid;
    if (proved > s->last && up_to > 0 && *days > up_to)
        *days = up_to;
    return status;
}

static void describe(struct hl_arena *arena, const struct hl_taper_problem *problem, const struct hl_outlook *o,
                     struct hl_bound *bound)
{
    const char *text = !bound->valid ? "" : hl_arena_printf(
        arena, "Ways down, made of the same %zu amounts, %zu lengths, caps and order of drugs, that stand on the same "
        "amount on the same day%s are replaced by the most favourable state of any of them, subject by subject; those "
        "on which too few subjects can still keep the bound are left out.", problem->n_rungs, problem->n_lengths,
        bound->width > 1 ? " after much the same drug so far" : "");
    for (size_t c = 0; c < o->n_constraints; c++)
        if (!o->monotone[c])
            text = hl_arena_printf(arena, "%s%sNothing is proved from \"%s\": %s.", text, *text ? " " : "",
                                   hl_taper_constraint_of(problem, c)->text, o->why_not[c] ? o->why_not[c] : "");
    bound->text = text;
}

static int longest_length(const struct hl_taper_problem *p)
{
    return p->length[p->n_lengths - 1];
}

/* Follows the subjects carried alone, where the outlook can. */
static enum hl_status run_on_some(struct programme *s, struct hl_arena *arena, int *days, bool *none)
{
    struct hl_outlook *some = s->outlook->some ? s->outlook->some(s->outlook->context, s->subject, s->n) : NULL;
    if (s->outlook->some && !some)
        return HL_ERR_MEMORY;
    if (some) {
        s->outlook = some;
        for (size_t k = 0; k < s->n; k++)
            s->subject[k] = k;
    }
    enum hl_status status = run(s, arena, s->options->up_to, days, none);
    if (some)
        some->some_release(some);
    return status;
}

/* A schedule has to keep all constraints: what one of them closes is closed. */
static void share_arcs(struct hl_bound *bound, struct hl_taper_arcs *arcs)
{
    size_t n = (arcs->last + 1) * arcs->n_rungs * arcs->n_rungs * (size_t)arcs->n_turns * arcs->n_lengths;
    for (size_t k = 0; bound->arcs && k < n; k++)
        arcs->open[k] = arcs->open[k] && bound->arcs->open[k];
    bound->arcs = arcs;
}

static enum hl_status bound_one(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                const struct hl_outlook *o, const struct hl_bound_options *options, size_t c,
                                const double *value, struct hl_bound *bound)
{
    const struct hl_taper_constraint *constraint = hl_taper_constraint_of(problem, c);
    struct programme s = {.problem = problem, .outlook = o, .options = options, .constraint = c,
                          .limit = constraint->bound, .bound = bound, .most_work = options->most_work,
                          .grid = hl_lengths_grid(problem),
                          .n_turns = problem->order == HL_TAPER_ALTERNATING ? (int)problem->n_drugs : 1};
    bool none = false;
    s.reach = (size_t)(longest_length(problem) / s.grid);
    enum hl_status status = choose(&s, arena, value,
                                   o->n_subjects - hl_taper_needed(constraint->share, o->n_subjects));
    if (status == HL_OK)
        status = run_on_some(&s, arena, &bound->by_constraint[c], &none);
    if (status == HL_OK && options->up_to > 0)
        share_arcs(bound, s.arcs);
    bound->width = s.width > bound->width ? s.width : bound->width;
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
    describe(arena, problem, o, bound);
    hl_free(value);
    return status;
}
