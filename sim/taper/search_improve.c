/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Local improvement of a schedule on one judge. Neighbours of a schedule: one level left out; one length changed; one
 * level left out and another's length changed; the lengths of two levels changed (so also swapped, or days moved from
 * one to the other); one rung moved by one or two; a level put in between. All that keep the rules are valued and the
 * best is taken, until none is better.
 *
 * A schedule at the edge of its bound seldom has a better neighbour that keeps the bound too. So, when shorter is
 * better, those neighbours that are better but miss a bound are repaired: the one that misses least goes on by
 * neighbours no worse in what is aimed at, as long as the miss falls; if it comes to zero the result is better.
 *
 * Neighbours share their first levels with the schedule; their prospects are made once. Everything is chosen in the
 * order in which neighbours are listed. */
#include "taper/search_parts.h"

#include <math.h>
#include <string.h>

#include "taper/rungs.h"

#define MOST_REPAIRS 4  /* neighbours tried to be repaired */
#define MOST_ROUNDS  20 /* of a repair, and of the whole */

struct neighbours {
    const struct hl_improver *improver;
    const struct hl_taper_problem *problem;
    const struct hl_way *from;
    struct hl_arena *arena;
    size_t n, capacity; struct hl_way **plan;
    size_t shared_capacity; size_t *shared;
    const struct hl_worth *no_worse; /* in days, changes: those that are worse aren't listed; NULL: all */
    int most_days;
    bool pairs;              /* also neighbours in which two things change */
};

static bool aims_at_it(enum hl_pass_aim aim, const struct hl_worth *limit, int days, size_t changes)
{
    if (aim == HL_PASS_CHANGES)
        return changes < limit->changes || (changes == limit->changes && days <= limit->days);
    return aim != HL_PASS_SHORTEST || days <= limit->days;
}

static size_t common_levels(const struct hl_way *a, const struct hl_way *b)
{
    size_t k = 0;
    while (k < a->n && k < b->n && a->step[k].rung == b->step[k].rung && a->step[k].days == b->step[k].days)
        k++;
    return k;
}

/* Lists a neighbour if it keeps the rules. */
static void list(struct neighbours *s, const struct hl_way *plan)
{
    struct hl_taper_schedule schedule = hl_way_schedule(plan);
    if (schedule.days > s->most_days || hl_schedule_fault(s->problem, &schedule) != NULL)
        return;
    if (s->no_worse &&
        !aims_at_it(s->improver->aim, s->no_worse, schedule.days, hl_schedule_changes(&schedule)))
        return;
    s->plan = hl_arena_push(s->arena, s->plan, s->n, &s->capacity, sizeof *s->plan);
    s->shared = hl_arena_push(s->arena, s->shared, s->n, &s->shared_capacity, sizeof *s->shared);
    s->plan[s->n] = hl_way_create(s->arena, s->problem);
    hl_way_copy(s->plan[s->n], plan);
    s->shared[s->n++] = common_levels(plan, s->from);
}

static void remove_level(struct hl_way *plan, size_t k)
{
    memmove(plan->step + k, plan->step + k + 1, (plan->n - k - 1) * sizeof *plan->step);
    plan->n--;
}

/* One length of the plan changed in every way, and listed. */
static void list_lengths(struct neighbours *s, struct hl_way *plan, size_t k)
{
    int days = plan->step[k].days;
    for (size_t l = 0; l < s->problem->n_lengths; l++)
        if (s->problem->length[l] != days) {
            plan->step[k].days = s->problem->length[l];
            list(s, plan);
        }
    plan->step[k].days = days;
}

static void list_removals(struct neighbours *s, struct hl_way *plan)
{
    for (size_t k = 0; k < s->from->n; k++) {
        hl_way_copy(plan, s->from);
        remove_level(plan, k);
        list(s, plan);
        for (size_t j = 0; j < plan->n && s->pairs; j++)
            list_lengths(s, plan, j);
    }
}

static void list_pairs_of_lengths(struct neighbours *s, struct hl_way *plan)
{
    for (size_t k = 0; k < s->from->n; k++)
        for (size_t l = 0; l < s->problem->n_lengths; l++) {
            hl_way_copy(plan, s->from);
            if (plan->step[k].days == s->problem->length[l])
                continue;
            plan->step[k].days = s->problem->length[l];
            list(s, plan);
            for (size_t j = k + 1; j < plan->n && s->pairs; j++)
                list_lengths(s, plan, j);
        }
}

static void list_moves(struct neighbours *s, struct hl_way *plan)
{
    for (size_t k = 0; k < s->from->n; k++)
        for (int by = -2; by <= 2; by++) {
            size_t rung = s->from->step[k].rung;
            if (by == 0 || (by < 0 && rung <= (size_t)-by))
                continue;
            hl_way_copy(plan, s->from);
            plan->step[k].rung = (size_t)((ptrdiff_t)rung + by);
            list(s, plan);
            for (size_t j = 0; j < plan->n && by * by == 1 && s->pairs; j++)
                if (j != k)
                    list_lengths(s, plan, j);
        }
}

static void list_insertions(struct neighbours *s, struct hl_way *plan)
{
    for (size_t k = 0; k <= s->from->n && s->from->n < s->problem->n_rungs; k++) {
        size_t low = k > 0 ? s->from->step[k - 1].rung : 0;
        size_t high = k < s->from->n ? s->from->step[k].rung : s->problem->n_rungs - 1;
        for (size_t rung = low + 1; rung < high; rung++)
            for (size_t l = 0; l < s->problem->n_lengths; l++) {
                hl_way_copy(plan, s->from);
                memmove(plan->step + k + 1, plan->step + k, (plan->n - k) * sizeof *plan->step);
                plan->step[k] = (struct hl_taper_step){rung, s->problem->length[l]};
                plan->n++;
                list(s, plan);
            }
    }
}

static void list_all(struct neighbours *s)
{
    struct hl_way *plan = hl_way_create(s->arena, s->problem);
    s->n = 0;
    list_removals(s, plan);
    list_pairs_of_lengths(s, plan);
    list_moves(s, plan);
    list_insertions(s, plan);
}

/* Values all neighbours. Those whose miss is above give_up on the way aren't looked at to their end. */
static enum hl_status value_all(struct neighbours *s, double give_up)
{
    struct hl_judge *judge = s->improver->judge;
    const struct hl_outlook *o = judge->outlook;
    const struct hl_way *from = s->from;
    enum hl_status status = HL_OK;
    struct hl_prospect **prefix = hl_arena_alloc(s->arena, from->n + 1, sizeof(struct hl_prospect *));
    for (size_t k = 0; k <= from->n && status == HL_OK; k++) {
        prefix[k] = k == 0 ? o->begin(o->context) : o->step(o->context, prefix[k - 1], from->step[k - 1]);
        judge->steps += k > 0;
        status = prefix[k] ? HL_OK : HL_ERR_MEMORY;
    }
    if (status == HL_OK)
        status = hl_ways_value(judge, s->plan, s->n, prefix, s->shared, give_up);
    for (size_t k = 0; k <= from->n; k++)
        if (prefix[k])
            o->release(o->context, prefix[k]);
    return status;
}

static bool spent(const struct hl_improver *improver)
{
    return improver->most_work > 0 && hl_judge_work(improver->judge) > improver->most_work;
}

/* One round: plan becomes its best neighbour if that is better by this aim; first among those in which one thing
 * changes, then among those in which two do. The neighbours last looked at stay listed in s. */
static enum hl_status round_of(struct neighbours *s, enum hl_pass_aim aim, struct hl_way *plan, double give_up,
                               bool *better)
{
    const struct hl_way *best = NULL;
    enum hl_status status = HL_OK;
    for (int pairs = 0; status == HL_OK && pairs < (s->improver->thrifty ? 1 : 2) && !best; pairs++) {
        s->from = plan;
        s->pairs = pairs;
        list_all(s);
        status = value_all(s, give_up);
        for (size_t i = 0; status == HL_OK && i < s->n; i++)
            if (s->plan[i]->known &&
                hl_worth_compare(aim, &s->plan[i]->worth, best ? &best->worth : &plan->worth) < 0)
                best = s->plan[i];
    }
    if (best)
        hl_way_copy(plan, best);
    *better = best != NULL;
    return status;
}

static struct neighbours neighbours_of(const struct hl_improver *improver, struct hl_arena *arena)
{
    return (struct neighbours){.improver = improver, .problem = improver->judge->problem, .arena = arena,
                               .most_days = improver->limit};
}

/* Brings a plan's miss down without leaving what is aimed at (goal), until it is none or doesn't fall. */
static enum hl_status repair(const struct hl_improver *improver, struct hl_way *plan, const struct hl_worth *goal)
{
    enum hl_status status = HL_OK;
    bool better = true;
    for (int round = 0; status == HL_OK && better && plan->worth.miss > 0 && round < MOST_ROUNDS; round++) {
        struct hl_arena *arena = hl_arena_create();
        if (!arena)
            return HL_ERR_MEMORY;
        struct neighbours s = neighbours_of(improver, arena);
        s.no_worse = goal;
        status = round_of(&s, HL_PASS_NEAREST, plan, plan->worth.miss, &better);
        hl_arena_free(arena);
        better = better && !spent(improver);
    }
    return status;
}

/* The neighbours that would be better but for their miss, those that miss least first; how many. */
static size_t tempting(const struct neighbours *s, const struct hl_way *plan, const struct hl_way **chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct hl_worth worth = s->plan[i]->worth;
        bool missed = worth.miss > 0 && s->plan[i]->known;
        worth.miss = plan->worth.miss;
        if (!missed || hl_worth_compare(s->improver->aim, &worth, &plan->worth) >= 0)
            continue;
        size_t at = n < MOST_REPAIRS ? n++ : MOST_REPAIRS;
        for (; at > 0 && chosen[at - 1]->worth.miss > s->plan[i]->worth.miss; at--)
            if (at < MOST_REPAIRS)
                chosen[at] = chosen[at - 1];
        if (at < MOST_REPAIRS)
            chosen[at] = s->plan[i];
    }
    return n;
}

static enum hl_status leap(struct neighbours *s, struct hl_way *plan, bool *better)
{
    const struct hl_way *chosen[MOST_REPAIRS + 1];
    const struct hl_improver *improver = s->improver;
    struct hl_way *trial = hl_way_create(s->arena, s->problem);
    enum hl_status status = HL_OK;
    size_t n = tempting(s, plan, chosen);
    *better = false;
    for (size_t i = 0; status == HL_OK && i < n && !*better && !spent(improver); i++) {
        struct hl_worth goal = chosen[i]->worth;
        hl_way_copy(trial, chosen[i]);
        status = repair(improver, trial, &goal);
        if (trial->worth.miss <= 0 && hl_worth_compare(improver->aim, &trial->worth, &plan->worth) < 0) {
            hl_way_copy(plan, trial);
            *better = true;
        }
    }
    return status;
}

/* One step of improvement: the best neighbour, or else a leap through one that has to be repaired. */
static enum hl_status improve_once(const struct hl_improver *improver, struct hl_way *plan, bool *better)
{
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    struct neighbours s = neighbours_of(improver, arena);
    enum hl_pass_aim aim = plan->worth.miss > 0 ? HL_PASS_NEAREST : improver->aim;
    bool may_leap = plan->worth.miss <= 0 && !improver->thrifty &&
                    (aim == HL_PASS_SHORTEST || aim == HL_PASS_CHANGES);
    enum hl_status status = round_of(&s, aim, plan, may_leap ? 0.25 : fmax(plan->worth.miss, 0), better);
    if (status == HL_OK && !*better && may_leap && plan->worth.days > improver->at_least)
        status = leap(&s, plan, better);
    hl_arena_free(arena);
    return status;
}

enum hl_status hl_improve(const struct hl_improver *improver, struct hl_way *plan)
{
    enum hl_status status = HL_OK;
    bool better = true;
    for (int round = 0; status == HL_OK && better && round < MOST_ROUNDS && !spent(improver); round++) {
        status = improve_once(improver, plan, &better);
        if (improver->progress)
            improver->progress->tell(improver->progress->context, "rounds of improvement", round + 1, MOST_ROUNDS);
    }
    return status;
}
