/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels. A label is a way to a (day, rung): the levels so far and the cohort's prospect after them. Labels are made in
 * waves, by day (or, when few changes are wanted, by the number of levels), so that whatever a label comes from was
 * made in an earlier wave:
 *
 *     for each wave: for each candidate (a kept label, a rung that may follow, a length):
 *         step; drop it when it can't lead to anything better; else see what stopping there would give
 *     keep in every cell (rung, whose turn, and the day when waves aren't days) at most `beam` of them
 *
 * What can't lead to anything better: statistics never fall along a schedule, so a label in which too many subjects
 * are above a bound already stays infeasible, and one whose miss or exposure so far is not below the best known can't
 * come below it. This drops nothing that matters; only a full cell does, and then the pass says so (overflowed). If no
 * cell was ever full, all schedules have been looked at, and the best one is exact with all its ties.
 *
 * The shortest taper is complete in the first wave with a label that may end; the one of fewest changes likewise.
 *
 * Which labels of a full cell are kept: all go on from the same dose on the same day, so what differs is the subjects'
 * states. Half of the places go to the ways after which stopping would miss least, the others to those that have used
 * up least of what the constraints allow so far (or, when exposure counts, brought least of it): the first are ahead,
 * the second can afford more. Every choice is made in the order of candidates, so that threads don't matter.
 *
 * From a label, a rung's lengths are walked as one way that is looked at after each of them; one that can't lead to
 * anything better after fewer days can't after more. Only when too many prospects would wait for their waves are they
 * left to be stepped there.
 *
 * With a screen (another, smaller cohort to follow) each wave's most promising labels are judged by the full cohort,
 * and only what that says counts. */
#include "taper/search_parts.h"

#include <math.h>
#include <string.h>

#include "taper/rungs.h"

#define MOST_CHANGES(p) ((p)->n_rungs + 1)
#define MOST_PENDING 20000 /* subjects times prospects, in thousands, that wait for their waves */

struct label {
    struct label *before;
    struct hl_taper_step step;
    int day, turn;
    size_t n;                /* levels */
    double pieces;
    struct hl_prospect *prospect;
    size_t waiting;          /* candidates that will step from it */
    double so_far, stop, tax; /* miss so far, miss when stopped, what the second half of a cell goes by */
    double exposure;
};

/* prospect: stepped already; NULL: not yet. */
struct candidate { struct label *from; struct hl_taper_step step; int turn; struct hl_prospect *prospect; };

/* A kept label, a rung that may follow, and what comes of it by length. */
struct reach {
    struct label *from;
    size_t to;
    struct hl_prospect **prospect; /* NULL: hopeless, against the rules, or not stepped */
    unsigned steps;
    bool stepped;
    enum hl_status status;
};

struct wave { size_t n, capacity; struct candidate *candidate; };

struct cell { size_t n, capacity; struct label **label; };

struct labels {
    struct hl_pass *pass;
    struct hl_arena *arena;  /* labels and lists */
    size_t n_waves, wave_days;
    struct wave *wave;
    size_t n_cells, n_days; struct cell *cell;
    size_t *touched, n_touched;
    size_t n_turns;
    size_t n_pending;        /* candidates' prospects */
    struct label **promising; size_t n_promising; /* of a wave, best first, for the full judge */
    struct hl_way **verified;
    struct hl_worth best;    /* on the judge that is followed */
    bool any, crowded;       /* crowded: this wave dropped a label for want of room */
    double *room[HL_TAPER_BATCH];
};

static bool by_changes(const struct labels *s)
{
    return s->pass->aim == HL_PASS_CHANGES;
}

static size_t wave_of(const struct labels *s, int day, size_t n)
{
    return by_changes(s) ? n : (size_t)day / s->wave_days;
}

static struct cell *cell_of(struct labels *s, const struct label *label)
{
    size_t day = by_changes(s) ? (size_t)label->day / s->wave_days : 0;
    size_t at = (day * s->pass->problem->n_rungs + label->step.rung) * s->n_turns + (size_t)label->turn;
    if (s->cell[at].n == 0)
        s->touched[s->n_touched++] = at;
    return &s->cell[at];
}

static void release(struct labels *s, struct label *label)
{
    const struct hl_outlook *o = s->pass->judge->outlook;
    if (label->prospect)
        o->release(o->context, label->prospect);
    label->prospect = NULL;
}

static struct hl_worth worth_of(const struct label *label)
{
    return (struct hl_worth){.miss = label->stop, .exposure = label->exposure, .days = label->day,
                             .changes = label->n + 1, .pieces = label->pieces};
}

/* Ties are broken by days first. */
static bool beaten(const struct label *label, double so_far, double best, int days)
{
    return so_far > best || (so_far == best && label->day > days);
}

/* Whether nothing better can come of a label with these statistics so far. */
static bool hopeless(const struct labels *s, const double *statistic, struct label *label, double *scratch)
{
    const struct hl_pass *pass = s->pass;
    label->so_far = hl_judge_miss(pass->judge, statistic, scratch);
    if (pass->aim != HL_PASS_NEAREST && label->so_far > 0)
        return true;
    if (pass->full || !s->any)
        return false;
    if (pass->aim == HL_PASS_NEAREST)
        return beaten(label, label->so_far, s->best.miss, s->best.days);
    return pass->aim == HL_PASS_EXPOSURE &&
           beaten(label, hl_judge_exposure(pass->judge, statistic), s->best.exposure, s->best.days);
}

/* Steps where that isn't done and, if there is hope, stops. label->prospect stays NULL where there is none. */
static enum hl_status look(const struct labels *s, struct label *label, double *room)
{
    const struct hl_judge *judge = s->pass->judge;
    const struct hl_outlook *o = judge->outlook;
    double *scratch = room + judge->n * judge->n_constraints;
    struct hl_prospect *prospect = label->prospect ? label->prospect
                                   : label->before ? o->step(o->context, label->before->prospect, label->step)
                                                   : o->begin(o->context);
    label->prospect = NULL;
    if (prospect == NULL)
        return HL_ERR_MEMORY;
    if (hopeless(s, o->statistics(prospect), label, scratch)) {
        o->release(o->context, prospect);
        return HL_OK;
    }
    label->prospect = prospect;
    enum hl_status status = o->stop(o->context, prospect, room);
    label->stop = hl_judge_miss(judge, room, scratch);
    label->exposure = hl_judge_exposure(judge, room);
    label->tax = s->pass->aim == HL_PASS_EXPOSURE ? label->exposure : label->so_far;
    return status;
}

/* ---- What follows from kept labels. */

/* The turn after a level, -1 where it is against the rules or leads to nothing. */
static int turn_of(const struct labels *s, const struct label *from, size_t to, size_t length)
{
    const struct hl_taper_problem *p = s->pass->problem;
    const struct hl_taper_arcs *arcs = s->pass->arcs;
    int days = p->length[length];
    if (from->day + days > s->pass->limit)
        return -1;
    if (arcs && !arcs->open[hl_taper_arc(arcs, (size_t)(from->day / arcs->grid), from->step.rung, from->turn, to,
                                         length)])
        return -1;
    return hl_rungs_turn(p, from->turn, from->step.rung, to, days);
}

/* Walks a rung's lengths from a label. */
static void reach(const struct labels *s, struct reach *r, double *room)
{
    const struct hl_taper_problem *p = s->pass->problem;
    const struct hl_judge *judge = s->pass->judge;
    const struct hl_outlook *o = judge->outlook;
    struct hl_prospect *at = r->from->prospect, *passed = NULL;
    double *scratch = room + judge->n * judge->n_constraints;
    for (size_t l = 0; l < p->n_lengths && r->from->day + p->length[l] <= s->pass->limit; l++) {
        struct label label = {.day = r->from->day + p->length[l]};
        int days = p->length[l] - (l > 0 ? p->length[l - 1] : 0);
        at = o->step(o->context, at, (struct hl_taper_step){r->to, days});
        r->steps++;
        if (passed)
            o->release(o->context, passed);
        passed = NULL;
        if (!at) {
            r->status = HL_ERR_MEMORY;
            break;
        }
        bool over = hopeless(s, o->statistics(at), &label, scratch);
        if (!over && turn_of(s, r->from, r->to, l) >= 0)
            r->prospect[l] = at;
        else
            passed = at;
        if (over)
            break;
    }
    if (passed)
        o->release(o->context, passed);
}

/* Into the waves, in order. */
static void push(struct labels *s, const struct reach *r)
{
    const struct hl_taper_problem *p = s->pass->problem;
    for (size_t l = 0; l < p->n_lengths; l++) {
        int turn = turn_of(s, r->from, r->to, l);
        if (turn < 0 || (r->stepped && !r->prospect[l]))
            continue;
        struct wave *wave = &s->wave[wave_of(s, r->from->day + p->length[l], r->from->n + 1)];
        wave->candidate = hl_arena_push(s->arena, wave->candidate, wave->n, &wave->capacity, sizeof *wave->candidate);
        wave->candidate[wave->n++] = (struct candidate){r->from, {r->to, p->length[l]}, turn, r->prospect[l]};
        s->n_pending += r->stepped;
        r->from->waiting += !r->stepped;
    }
}

/* Some of them side by side. */
static enum hl_status reach_batch(struct labels *s, struct reach *r, size_t n)
{
    struct hl_judge *judge = s->pass->judge;
    enum hl_status worst = HL_OK;
    bool room_left = (s->n_pending + n * s->pass->problem->n_lengths) * judge->n <= (size_t)MOST_PENDING * 1000;
    for (size_t i = 0; i < n; i++)
        r[i].stepped = room_left;
    if (room_left) {
#pragma omp parallel for schedule(dynamic) if (HL_TAPER_MANY(n, judge->n))
        for (size_t i = 0; i < n; i++)
            reach(s, &r[i], s->room[i]);
    }
    for (size_t i = 0; i < n; i++) {
        worst = worst != HL_OK ? worst : r[i].status;
        judge->steps += r[i].steps;
        push(s, &r[i]);
    }
    return worst;
}

/* Everything that may follow kept labels. */
static enum hl_status follow(struct labels *s, struct label *const *label, size_t n)
{
    const struct hl_taper_problem *p = s->pass->problem;
    enum hl_status status = HL_OK;
    size_t all = n * p->n_rungs, count = 0;
    struct reach *r = hl_alloc(all + 1, sizeof *r);
    struct hl_prospect **prospect = hl_alloc(all * p->n_lengths + 1, sizeof(struct hl_prospect *));
    if (!r || !prospect)
        status = HL_ERR_MEMORY;
    for (size_t i = 0; status == HL_OK && i < n; i++)
        for (size_t to = label[i]->step.rung + 1; to + 1 < p->n_rungs; to++) {
            bool any = false;
            for (size_t l = 0; l < p->n_lengths; l++)
                any = any || turn_of(s, label[i], to, l) >= 0;
            if (any)
                r[count] = (struct reach){.from = label[i], .to = to, .prospect = prospect + count * p->n_lengths};
            count += any;
        }
    for (size_t i = 0; status == HL_OK && i < count; i += HL_TAPER_BATCH)
        status = reach_batch(s, r + i, count - i < HL_TAPER_BATCH ? count - i : HL_TAPER_BATCH);
    for (size_t i = 0; i < n; i++)
        if (label[i]->waiting == 0)
            release(s, label[i]);
    hl_free(prospect);
    hl_free(r);
    return status;
}

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

/* -1: a first, by what stopping would miss. */
static int ahead(const struct label *a, const struct label *b)
{
    int first = order(a->stop, b->stop), second = order(a->so_far, b->so_far);
    return first ? first : second ? second : order((double)a->n, (double)b->n);
}

/* -1: a first, by what has been used up. */
static int thrift(const struct label *a, const struct label *b)
{
    int first = order(a->tax, b->tax);
    return first ? first : order(a->stop, b->stop);
}

/* One too many: the last by thrift, of those that aren't among the first half by what stopping would miss. */
static size_t odd_one(const struct cell *cell)
{
    size_t odd = cell->n, half = cell->n / 2;
    for (size_t i = 0; i < cell->n; i++) {
        size_t place = 0;
        for (size_t j = 0; j < cell->n; j++) {
            int which = ahead(cell->label[j], cell->label[i]);
            place += which < 0 || (which == 0 && j < i);
        }
        if (place >= half && (odd == cell->n || thrift(cell->label[i], cell->label[odd]) >= 0))
            odd = i;
    }
    return odd;
}

static void keep(struct labels *s, struct label *label)
{
    struct cell *cell = cell_of(s, label);
    cell->label = hl_arena_push(s->arena, cell->label, cell->n, &cell->capacity, sizeof(struct label *));
    cell->label[cell->n++] = label;
    if (cell->n <= s->pass->beam)
        return;
    size_t odd = odd_one(cell);
    release(s, cell->label[odd]);
    memmove(cell->label + odd, cell->label + odd + 1, (cell->n - odd - 1) * sizeof(struct label *));
    cell->n--;
    s->crowded = true;
}

static void plan_from(const struct label *label, struct hl_way *plan)
{
    plan->n = label->n;
    plan->worth = worth_of(label);
    plan->known = true;
    for (; label->before; label = label->before)
        plan->step[label->n - 1] = label->step;
}

/* A place among the wave's most promising ones; with a screen only. */
static void promise(struct labels *s, struct label *label)
{
    size_t most = s->pass->verified, at = s->n_promising;
    struct hl_worth worth = worth_of(label);
    while (at > 0) {
        struct hl_worth other = worth_of(s->promising[at - 1]);
        if (hl_worth_compare(s->pass->aim, &worth, &other) >= 0)
            break;
        at--;
    }
    if (at >= most)
        return;
    s->n_promising = s->n_promising < most ? s->n_promising + 1 : most;
    memmove(s->promising + at + 1, s->promising + at, (s->n_promising - at - 1) * sizeof(struct label *));
    s->promising[at] = label;
}

/* A label that may end here is a schedule. */
static void consider(struct labels *s, struct label *label)
{
    struct hl_pass *pass = s->pass;
    struct hl_worth worth = worth_of(label);
    if (hl_rungs_turn(pass->problem, label->turn, label->step.rung, pass->problem->n_rungs - 1, 0) < 0)
        return;
    if (pass->aim != HL_PASS_NEAREST && label->stop > 0)
        return;
    if (pass->full)
        promise(s, label);
    if (s->any && hl_worth_compare(pass->aim, &worth, &s->best) >= 0)
        return;
    s->best = worth;
    s->any = true;
    if (!pass->full)
        plan_from(label, pass->best);
}

/* What the screen found promising, judged by the full cohort. */
static enum hl_status verify(struct labels *s)
{
    struct hl_pass *pass = s->pass;
    for (size_t i = 0; i < s->n_promising; i++)
        plan_from(s->promising[i], s->verified[i]);
    enum hl_status status = hl_ways_value(pass->full, s->verified, s->n_promising, NULL, NULL, INFINITY);
    for (size_t i = 0; status == HL_OK && i < s->n_promising; i++) {
        const struct hl_way *plan = s->verified[i];
        bool good = plan->worth.miss <= 0 || pass->aim == HL_PASS_NEAREST;
        if (good && (!pass->best->known || hl_worth_compare(pass->aim, &plan->worth, &pass->best->worth) < 0))
            hl_way_copy(pass->best, plan);
        if (!pass->next->known || plan->worth.miss < pass->next->worth.miss)
            hl_way_copy(pass->next, plan);
    }
    return status;
}

static void take(struct labels *s, struct label *label)
{
    if (label->prospect == NULL)
        return;
    consider(s, label);
    keep(s, label);
}

/* Some candidates of a wave side by side, then one after another. */
static enum hl_status batch(struct labels *s, const struct candidate *candidate, size_t n)
{
    struct label *label[HL_TAPER_BATCH];
    enum hl_status status[HL_TAPER_BATCH], worst = HL_OK;
    for (size_t i = 0; i < n; i++) {
        struct label *from = candidate[i].from;
        label[i] = hl_arena_alloc(s->arena, 1, sizeof *label[i]);
        *label[i] = (struct label){.before = from, .step = candidate[i].step, .turn = candidate[i].turn,
                                   .prospect = candidate[i].prospect};
        label[i]->day = from ? from->day + candidate[i].step.days : 0;
        label[i]->n = from ? from->n + 1 : 0;
        label[i]->pieces = from ? from->pieces : 0;
        for (size_t d = 0; from && d < s->pass->problem->n_drugs; d++)
            label[i]->pieces += s->pass->problem->rung[candidate[i].step.rung].pieces[d] *
                                (candidate[i].step.days * 24.0 / s->pass->problem->drug[d].period);
    }
#pragma omp parallel for schedule(dynamic) if (HL_TAPER_MANY(n, s->pass->judge->n))
    for (size_t i = 0; i < n; i++)
        status[i] = look(s, label[i], s->room[i]);
    for (size_t i = 0; i < n; i++) {
        worst = worst != HL_OK ? worst : status[i];
        s->pass->judge->steps += candidate[i].prospect == NULL;
        s->pass->judge->stops += label[i]->prospect != NULL;
        s->n_pending -= candidate[i].prospect != NULL;
        if (candidate[i].from && !candidate[i].prospect && --candidate[i].from->waiting == 0)
            release(s, candidate[i].from);
    }
    for (size_t i = 0; i < n; i++)
        take(s, label[i]);
    return worst;
}

static bool spent(const struct hl_pass *pass)
{
    uint64_t work = hl_judge_work(pass->judge) + (pass->full ? hl_judge_work(pass->full) : 0);
    return pass->most_work > 0 && work > pass->most_work;
}

/* Whether the best schedule is known once this wave is. */
static bool decided(const struct labels *s)
{
    return s->pass->best->known && (s->pass->aim == HL_PASS_SHORTEST || s->pass->aim == HL_PASS_CHANGES);
}

/* Empties the cells; what they hold goes on. */
static enum hl_status hand_on(struct labels *s, bool further)
{
    size_t n = 0;
    enum hl_status status = HL_OK;
    for (size_t t = 0; t < s->n_touched; t++)
        n += s->cell[s->touched[t]].n;
    struct label **label = hl_alloc(n + 1, sizeof *label);
    if (!label)
        return HL_ERR_MEMORY;
    n = 0;
    for (size_t t = 0; t < s->n_touched; t++) {
        struct cell *cell = &s->cell[s->touched[t]];
        for (size_t i = 0; i < cell->n; i++)
            label[n++] = cell->label[i];
        cell->n = 0;
    }
    s->n_touched = 0;
    if (further)
        status = follow(s, label, n);
    for (size_t i = 0; !further && i < n; i++)
        release(s, label[i]);
    hl_free(label);
    return status;
}

static enum hl_status run_wave(struct labels *s, struct wave *wave)
{
    enum hl_status status = HL_OK;
    s->n_promising = 0;
    for (size_t i = 0; status == HL_OK && i < wave->n; i += HL_TAPER_BATCH)
        status = batch(s, wave->candidate + i, wave->n - i < HL_TAPER_BATCH ? wave->n - i : HL_TAPER_BATCH);
    wave->n = 0;
    if (status == HL_OK && s->n_promising > 0)
        status = verify(s);
    return status;
}

static void drop(struct labels *s, const struct candidate *candidate)
{
    const struct hl_outlook *o = s->pass->judge->outlook;
    if (candidate->prospect)
        o->release(o->context, candidate->prospect);
    else if (candidate->from)
        release(s, candidate->from);
}

static void drop_waves(struct labels *s)
{
    for (size_t w = 0; w < s->n_waves; w++)
        for (size_t i = 0; i < s->wave[w].n; i++)
            drop(s, &s->wave[w].candidate[i]);
}

static bool make_room(struct labels *s)
{
    struct hl_pass *pass = s->pass;
    const struct hl_taper_problem *p = pass->problem;
    s->wave_days = (size_t)hl_lengths_grid(p);
    s->n_days = (size_t)pass->limit / s->wave_days + 1;
    s->n_turns = p->order == HL_TAPER_ALTERNATING ? p->n_drugs : 1;
    s->n_waves = by_changes(s) ? MOST_CHANGES(p) : s->n_days;
    s->n_cells = (by_changes(s) ? s->n_days : 1) * p->n_rungs * s->n_turns;
    s->wave = hl_arena_alloc(s->arena, s->n_waves, sizeof *s->wave);
    s->cell = hl_arena_alloc(s->arena, s->n_cells, sizeof *s->cell);
    s->touched = hl_arena_alloc(s->arena, s->n_cells, sizeof *s->touched);
    s->promising = hl_arena_alloc(s->arena, pass->verified + 1, sizeof(struct label *));
    s->verified = hl_arena_alloc(s->arena, pass->verified + 1, sizeof *s->verified);
    for (size_t i = 0; i < pass->verified; i++)
        s->verified[i] = hl_way_create(s->arena, p);
    for (size_t i = 0; i < HL_TAPER_BATCH; i++)
        if (!(s->room[i] = hl_alloc_unset(pass->judge->n * (pass->judge->n_constraints + 1), sizeof(double))))
            return false;
    return true;
}

enum hl_status hl_pass_run(struct hl_pass *pass)
{
    struct labels s = {.pass = pass, .arena = hl_arena_create()};
    enum hl_status status = s.arena && make_room(&s) ? HL_OK : HL_ERR_MEMORY;
    struct candidate root = {.step = {.rung = 0}};
    pass->best->known = pass->overflowed = pass->exhausted = false;
    if (pass->next)
        pass->next->known = false;
    if (status == HL_OK) {
        s.wave[0] = (struct wave){.n = 1, .capacity = 1, .candidate = &root};
        for (size_t w = 0; status == HL_OK && w < s.n_waves; w++) {
            status = run_wave(&s, &s.wave[w]);
            bool further = status == HL_OK && !decided(&s) && !(pass->exhausted = pass->exhausted || spent(pass));
            pass->overflowed = pass->overflowed || (further && s.crowded);
            s.crowded = false;
            enum hl_status handed = hand_on(&s, further);
            status = status == HL_OK ? handed : status;
            if (!further)
                break;
            if (pass->progress)
                pass->progress->tell(pass->progress->context, by_changes(&s) ? "levels" : "days",
                                     (double)(by_changes(&s) ? w : w * s.wave_days),
                                     (double)(by_changes(&s) ? s.n_waves : (size_t)pass->limit));
        }
        drop_waves(&s);
    }
    for (size_t i = 0; i < HL_TAPER_BATCH; i++)
        hl_free(s.room[i]);
    hl_arena_free(s.arena);
    return status;
}
