/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of work. A narrow pass of labels (search_labels.c) finds a first schedule; wider ones, each beam four
 * times the last, look for a better one and end when one was complete or as short as a certificate allows; what was
 * found is made better step by step (search_improve.c). Where nothing keeps the constraints, the same passes look
 * for the schedule that misses least, which gives the nearest bounds that can be kept. Last, the schedule is walked
 * once more and everything about it written down, by the full cohort.
 *
 * Most subjects decide nothing. A constraint asks where the need-th smallest of the subjects' statistics is; under the
 * schedules worth looking at the same subjects are well below it, and the same ones well above. So ways are followed on
 * those whose rank under the best schedule known is near the wanted one, the others counting as they did under that
 * schedule; the choice is made anew whenever a better one is found. As a screen such subjects are nearly the cohort,
 * where as many chosen blindly tell the quantile only as well as a sample does. For the least exposure, to
 * which all subjects add, the first ones are the screen; for bounds at any time there is none. */
#include "taper/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "taper/rungs.h"
#include "taper/search_parts.h"

#define USUAL_BEAM     8
#define USUAL_VERIFIED 8
#define DECIDING_BEAM  4 /* of the first pass, where those who decide are followed */
#define SCREEN_ROUNDS  3
#define LARGE          288  /* a cohort from this size on is followed by part of it, if it may be */
#define FIRST_ONES     96   /* subjects of a screen that is a sample */
#define DECIDING       128  /* subjects of one that decides; of several constraints together */
#define LEAST_DECIDING 32   /* of one constraint */
#define DECIDING_SLACK 0.002 /* of a bound */
#define SCREEN_SLACK   0.02 /* of a bound: a screen is not the cohort, so it prunes a little later than that would */

/* What all stages share. */
struct work {
    struct hl_arena *arena;
    const struct hl_taper_problem *problem;
    const struct hl_taper_options *options;
    struct hl_taper_result *result;
    struct hl_judge full, screen;
    bool screened, deciding; /* there is a screen; it is of those subjects who decide */
    struct hl_outlook *some; /* its outlook, if the search made it */
    uint64_t work_of_screens; /* of those that were given up */
    int limit;
    uint64_t work_of_passes; /* done before anything was improved */
    double *statistic, *scratch; /* of the full cohort */
};

static enum hl_pass_aim pass_aim(const struct hl_taper_problem *p)
{
    return p->aim == HL_TAPER_SHORTEST         ? HL_PASS_SHORTEST
           : p->aim == HL_TAPER_LEAST_EXPOSURE ? HL_PASS_EXPOSURE
                                               : HL_PASS_CHANGES;
}

static int limit_of(const struct hl_taper_problem *p)
{
    bool within = p->aim != HL_TAPER_SHORTEST && p->fewest_at > 0 && p->fewest_at < p->longest;
    return within ? p->fewest_at : p->longest;
}

/* What the start for ever would bring: rung 0 as long as a taper may last, and the follow-up after it. */
static enum hl_status judge_start(struct work *w)
{
    const struct hl_outlook *o = w->full.outlook;
    const struct hl_taper_problem *p = w->problem;
    struct hl_taper_result *r = w->result;
    struct hl_taper_step step = {0, p->length[p->n_lengths - 1]};
    struct hl_prospect *at = o->begin(o->context);
    double until = w->limit + p->follow / 24;
    for (double day = 0; at && day < until; day += step.days) {
        struct hl_prospect *further = o->step(o->context, at, step);
        o->release(o->context, at);
        at = further;
        w->full.steps++;
    }
    if (!at)
        return HL_ERR_MEMORY;
    hl_judge_values(&w->full, o->statistics(at), w->scratch, r->start_value);
    o->release(o->context, at);
    double worst = 0;
    for (size_t c = 0; c < r->n_constraints; c++) {
        double miss = (r->start_value[c] - w->full.bound[c]) / w->full.scale[c];
        if (miss > worst) {
            worst = miss;
            r->start_breaks = true;
            r->start_constraint = c;
        }
    }
    return HL_OK;
}

/* The screen's bounds: scaled by what the two cohorts make of the same schedule, so that a screen of easier subjects
 * isn't taken for good news. */
static enum hl_status scale_screen(struct work *w, const struct hl_taper_schedule *plan, double slack)
{
    struct hl_judge *judge[] = {&w->full, &w->screen};
    double *value[2], *room = hl_alloc(w->full.n + w->screen.n, (w->full.n_constraints + 1) * sizeof *room);
    if (!room)
        return HL_ERR_MEMORY;
    enum hl_status status = HL_OK;
    for (int k = 0; k < 2 && status == HL_OK; k++) {
        value[k] = hl_arena_alloc(w->arena, w->full.n_constraints, sizeof(double));
        status = hl_outlook_follow(judge[k]->outlook, plan, room);
        judge[k]->steps += plan->n;
        judge[k]->stops++;
        if (status == HL_OK)
            hl_judge_values(judge[k], room, room + judge[k]->n * judge[k]->n_constraints, value[k]);
    }
    for (size_t c = 0; status == HL_OK && c < w->full.n_constraints; c++) {
        double ratio = value[1][c] / value[0][c];
        bool usable = isfinite(ratio) && ratio > 0;
        w->screen.bound[c] = w->full.bound[c] * (usable ? ratio : 1) * (1 + slack);
        w->screen.scale[c] = w->screen.bound[c] > 0 ? w->screen.bound[c] : 1;
    }
    hl_free(room);
    return status;
}

struct rank { double value; size_t subject; };

static int by_value(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->subject > y->subject) - (x->subject < y->subject);
}

/* Marks those whose statistic of a constraint has a rank near the wanted one. */
static void mark_deciding(const struct work *w, size_t c, const double *statistic, struct rank *rank, bool *chosen)
{
    size_t n = w->full.n, need = w->full.need[c], half = DECIDING / 2 / w->full.n_constraints;
    half = half < LEAST_DECIDING / 2 ? LEAST_DECIDING / 2 : half;
    for (size_t i = 0; i < n; i++)
        rank[i] = (struct rank){isnan(statistic[i]) ? INFINITY : statistic[i], i};
    qsort(rank, n, sizeof *rank, by_value);
    size_t low = need > half ? need - half : 0, high = low + 2 * half < n ? low + 2 * half : n;
    for (size_t k = low; k < high; k++)
        chosen[rank[k].subject] = true;
}

static void forget_screen(struct work *w)
{
    if (w->some) {
        w->work_of_screens += hl_judge_work(&w->screen);
        w->some->some_release(w->some);
    }
    w->some = NULL;
}

/* The judge on the subjects chosen. Who isn't among them counts as these statistics say: as one who keeps a constraint
 * if not above the order statistic. statistic NULL: the subjects chosen are a cohort of their own. */
static enum hl_status make_screen(struct work *w, const bool *chosen, const double *statistic, double slack)
{
    size_t n = 0, *subject = hl_arena_alloc(w->arena, w->full.n, sizeof *subject);
    for (size_t i = 0; i < w->full.n; i++)
        if (chosen[i])
            subject[n++] = i;
    forget_screen(w);
    w->some = w->full.outlook->some(w->full.outlook->context, subject, n);
    if (!w->some)
        return HL_ERR_MEMORY;
    hl_judge_make(w->arena, &w->screen, w->problem, w->some);
    for (size_t c = 0; statistic && c < w->full.n_constraints; c++) {
        const double *value = statistic + c * w->full.n;
        memcpy(w->scratch, value, w->full.n * sizeof *value);
        double wanted = hl_order_statistic(w->scratch, w->full.n, w->full.need[c]);
        size_t below = 0;
        for (size_t i = 0; i < w->full.n; i++)
            below += !chosen[i] && value[i] <= wanted;
        w->screen.need[c] = w->full.need[c] > below ? w->full.need[c] - below : 1;
        w->screen.bound[c] = w->full.bound[c] * (1 + slack);
        w->screen.scale[c] = w->screen.bound[c] > 0 ? w->screen.bound[c] : 1;
    }
    return HL_OK;
}

/* Those who decide under a schedule. */
static enum hl_status choose_deciding(struct work *w, const struct hl_taper_schedule *plan, double slack)
{
    size_t n = w->full.n;
    bool *chosen = hl_alloc(n, sizeof *chosen);
    struct rank *rank = hl_alloc(n, sizeof *rank);
    enum hl_status status = chosen && rank ? hl_outlook_follow(w->full.outlook, plan, w->statistic) : HL_ERR_MEMORY;
    w->full.steps += plan->n;
    w->full.stops++;
    for (size_t c = 0; status == HL_OK && c < w->full.n_constraints; c++)
        mark_deciding(w, c, w->statistic + c * n, rank, chosen);
    if (status == HL_OK)
        status = make_screen(w, chosen, w->statistic, slack);
    hl_free(rank);
    hl_free(chosen);
    return status;
}

/* Makes the screen tell what the cohort would of schedules like this one. */
static enum hl_status level_screen(struct work *w, const struct hl_way *plan, double slack)
{
    struct hl_taper_schedule schedule = hl_way_schedule(plan);
    return w->deciding ? choose_deciding(w, &schedule, fmin(slack, DECIDING_SLACK)) : scale_screen(w, &schedule, slack);
}

/* An even way down, before any is known: whoever is hard to bring down by it is so by others. */
static void even_way(const struct work *w, struct hl_way *plan)
{
    const struct hl_taper_problem *p = w->problem;
    int days = p->length[p->n_lengths / 2];
    size_t levels = (size_t)(w->limit / days), rungs = p->n_rungs > 2 ? p->n_rungs - 2 : 0;
    plan->n = levels < rungs ? levels : rungs;
    for (size_t k = 0; k < plan->n; k++)
        plan->step[k] = (struct hl_taper_step){1 + k * rungs / plan->n, days};
}

/* A bound at any time is kept or not by a quantile at each of many moments, by other subjects every time: neither a few
 * of them nor a sample tells how it stands, and there is no screen. */
static enum hl_status first_screen(struct work *w)
{
    const struct hl_taper_options *options = w->options;
    bool may = options->narrow && w->full.outlook->some && w->full.n >= LARGE && !hl_taper_any_moment(w->problem);
    struct hl_way *plan = hl_way_create(w->arena, w->problem);
    w->screened = options->screen || may;
    w->deciding = !options->screen && may && w->problem->aim != HL_TAPER_LEAST_EXPOSURE;
    if (options->shorter_than) {
        plan->n = options->shorter_than->n;
        memcpy(plan->step, options->shorter_than->step, plan->n * sizeof *plan->step);
    } else
        even_way(w, plan);
    if (options->screen)
        hl_judge_make(w->arena, &w->screen, w->problem, options->screen);
    else if (may && !w->deciding) {
        bool *chosen = hl_arena_alloc(w->arena, w->full.n, sizeof *chosen);
        memset(chosen, 1, FIRST_ONES * sizeof *chosen);
        enum hl_status status = make_screen(w, chosen, NULL, 0);
        if (status != HL_OK)
            return status;
    }
    return w->screened ? level_screen(w, plan, SCREEN_SLACK) : HL_OK;
}

static struct hl_pass pass_of(struct work *w, enum hl_pass_aim aim, size_t beam)
{
    bool screened = w->screened;
    return (struct hl_pass){
        .problem = w->problem, .judge = screened ? &w->screen : &w->full, .full = screened ? &w->full : NULL,
        .aim = aim, .limit = w->limit, .beam = beam, .progress = w->options->progress,
        .verified = screened ? (w->options->verified ? w->options->verified : USUAL_VERIFIED) : 0,
        .best = hl_way_create(w->arena, w->problem), .next = hl_way_create(w->arena, w->problem)};
}

static uint64_t work_done(const struct work *w)
{
    return hl_judge_work(&w->full) + (w->screened ? hl_judge_work(&w->screen) : 0) + w->work_of_screens;
}

static bool good_enough(const struct work *w, enum hl_pass_aim aim, const struct hl_way *plan)
{
    return aim == HL_PASS_SHORTEST && plan->known && plan->worth.days <= w->options->at_least;
}

/* What one improvement may bring a judge's work to: half of what the passes took, and what is left of the limit. */
static uint64_t work_until(const struct work *w, const struct hl_judge *judge)
{
    uint64_t most = w->options->most_work, done = work_done(w), more = w->work_of_passes / 2 + 500 * judge->n;
    if (most > 0 && done + more > most)
        more = most > done ? most - done : 1;
    return hl_judge_work(judge) + more;
}

static enum hl_status improve_on(struct work *w, struct hl_judge *judge, bool thrifty, enum hl_pass_aim aim,
                                 struct hl_way *plan)
{
    struct hl_improver improver = {.judge = judge, .aim = aim, .limit = w->limit, .at_least = w->options->at_least,
                                   .thrifty = thrifty, .most_work = work_until(w, judge),
                                   .progress = w->options->progress};
    return hl_improve(&improver, plan);
}

static bool same_way(const struct hl_way *a, const struct hl_way *b)
{
    return a->n == b->n && memcmp(a->step, b->step, a->n * sizeof *a->step) == 0;
}

/* Improves on the screen, levelled at the schedule itself; what that gives is mended on the full cohort if need be, and
 * counts only if the full cohort finds it better. */
static enum hl_status improve_by_screen(struct work *w, enum hl_pass_aim aim, struct hl_way *plan)
{
    struct hl_way *trial = hl_way_create(w->arena, w->problem);
    enum hl_status status = HL_OK;
    bool better = true;
    for (int round = 0; status == HL_OK && better && round < SCREEN_ROUNDS; round++) {
        hl_way_copy(trial, plan);
        better = false;
        if ((status = level_screen(w, plan, 0)) != HL_OK ||
            (status = hl_ways_value(&w->screen, &trial, 1, NULL, NULL, INFINITY)) != HL_OK ||
            (status = improve_on(w, &w->screen, false, aim, trial)) != HL_OK || same_way(trial, plan))
            break;
        if ((status = hl_ways_value(&w->full, &trial, 1, NULL, NULL, INFINITY)) == HL_OK && trial->worth.miss > 0)
            status = improve_on(w, &w->full, true, aim, trial);
        better = hl_worth_compare(aim, &trial->worth, &plan->worth) < 0;
        if (better)
            hl_way_copy(plan, trial);
    }
    return status;
}

static enum hl_status improve(struct work *w, enum hl_pass_aim aim, struct hl_way *plan)
{
    bool screened = w->screened;
    enum hl_status status = screened ? improve_by_screen(w, aim, plan) : HL_OK;
    return status == HL_OK ? improve_on(w, &w->full, screened, aim, plan) : status;
}

/* The limit of a pass, whose screen may be a new one that has done nothing yet; 0: none. */
static uint64_t work_left(const struct work *w)
{
    uint64_t most = w->options->most_work;
    return most == 0 ? 0 : most > w->work_of_screens ? most - w->work_of_screens : 1;
}

/* Passes with wider and wider beams, into best. complete: one of them dropped nothing. */
static enum hl_status passes(struct work *w, enum hl_pass_aim aim, struct hl_way *best, bool *complete)
{
    size_t widest = w->options->beam ? w->options->beam : USUAL_BEAM;
    enum hl_status status = HL_OK;
    *complete = false;
    size_t narrowest = !w->deciding ? 1 : widest < DECIDING_BEAM ? widest : DECIDING_BEAM;
    for (size_t beam = narrowest; status == HL_OK; beam = beam * 4 < widest ? beam * 4 : widest) {
        struct hl_pass pass = pass_of(w, aim, beam);
        if (aim == HL_PASS_SHORTEST && best->known && best->worth.miss <= 0)
            pass.limit = best->worth.days; /* nothing longer is wanted */
        if (beam > narrowest)
            pass.most_work = work_left(w);
        status = hl_pass_run(&pass);
        if (beam > w->result->beam)
            w->result->beam = beam;
        const struct hl_way *found = pass.best->known ? pass.best : pass.next->known ? pass.next : NULL;
        if (found && (!best->known || hl_worth_compare(aim, &found->worth, &best->worth) < 0))
            hl_way_copy(best, found);
        *complete = !pass.overflowed && !pass.exhausted && !pass.full && status == HL_OK;
        if (*complete) /* exact: what an earlier pass found can't be better */
            break;
        bool settled = !pass.overflowed && !pass.exhausted;
        bool spent = w->options->most_work > 0 && work_done(w) > w->options->most_work;
        if (beam >= widest || settled || spent || good_enough(w, aim, best))
            break;
        if (pass.full && found && (w->deciding || best->worth.miss <= 0))
            status = status == HL_OK ? level_screen(w, best, SCREEN_SLACK) : status;
    }
    w->work_of_passes = work_done(w);
    return status;
}

static enum hl_status stand_at(struct work *w, const struct hl_prospect *at, struct hl_taper_stand *stand)
{
    const struct hl_outlook *o = w->full.outlook;
    stand->so_far = hl_arena_alloc(w->arena, w->full.n_constraints, sizeof(double));
    stand->if_stopped = hl_arena_alloc(w->arena, w->full.n_constraints, sizeof(double));
    hl_judge_values(&w->full, o->statistics(at), w->scratch, stand->so_far);
    enum hl_status status = o->stop(o->context, at, w->statistic);
    w->full.stops++;
    if (status == HL_OK)
        hl_judge_values(&w->full, w->statistic, w->scratch, stand->if_stopped);
    return status;
}

/* Walks the schedule on the full cohort and writes down where it stands after each level. */
static enum hl_status report_stands(struct work *w)
{
    const struct hl_outlook *o = w->full.outlook;
    struct hl_taper_result *r = w->result;
    struct hl_prospect *at = o->begin(o->context);
    enum hl_status status = at ? HL_OK : HL_ERR_MEMORY;
    r->stand = hl_arena_alloc(w->arena, r->schedule.n + 1, sizeof *r->stand);
    for (size_t k = 0; status == HL_OK; k++) {
        status = stand_at(w, at, &r->stand[k]);
        if (status != HL_OK || k == r->schedule.n)
            break;
        r->stand[k + 1].day = r->stand[k].day + r->schedule.step[k].days;
        struct hl_prospect *further = o->step(o->context, at, r->schedule.step[k]);
        o->release(o->context, at);
        w->full.steps++;
        at = further;
        status = at ? HL_OK : HL_ERR_MEMORY;
    }
    if (at)
        o->release(o->context, at);
    return status;
}

static void report_values(struct work *w)
{
    struct hl_taper_result *r = w->result;
    const struct hl_taper_stand *last = &r->stand[r->schedule.n];
    double worst = -INFINITY;
    for (size_t c = 0; c < r->n_constraints; c++) {
        r->bound[c] = w->full.bound[c];
        r->value[c] = last->if_stopped[c];
        r->margin[c] = r->bound[c] - r->value[c];
        r->nearest[c] = fmax(r->bound[c], r->value[c]);
        double miss = (r->value[c] - r->bound[c]) / w->full.scale[c];
        if (miss > worst) {
            worst = miss;
            r->in_the_way = c;
        }
    }
    r->miss = worst;
    r->exposure = hl_judge_exposure(&w->full, w->statistic);
}

static enum hl_status report(struct work *w, const struct hl_way *plan)
{
    struct hl_taper_result *r = w->result;
    r->schedule = hl_way_schedule(plan);
    r->changes = hl_schedule_changes(&r->schedule);
    r->pieces = hl_schedule_pieces(w->problem, &r->schedule);
    enum hl_status status = report_stands(w);
    if (status == HL_OK)
        report_values(w);
    r->work = work_done(w);
    return status;
}

static bool start_work(struct work *w)
{
    size_t n = w->full.n_constraints;
    struct hl_taper_result *r = w->result;
    r->n_constraints = n;
    r->bound = hl_arena_alloc(w->arena, n, sizeof *r->bound);
    r->value = hl_arena_alloc(w->arena, n, sizeof *r->value);
    r->margin = hl_arena_alloc(w->arena, n, sizeof *r->margin);
    r->nearest = hl_arena_alloc(w->arena, n, sizeof *r->nearest);
    r->start_value = hl_arena_alloc(w->arena, n, sizeof *r->start_value);
    w->statistic = hl_alloc(w->full.n * n, sizeof *w->statistic);
    w->scratch = hl_alloc(w->full.n, sizeof *w->scratch);
    return w->statistic && w->scratch;
}

/* Nothing keeps the bounds, as far as was seen: the schedule that misses least. What that finds may after all keep
 * them; it is then gone on with. */
static enum hl_status nearest(struct work *w, struct hl_way *plan, bool nothing_is_proved)
{
    bool complete;
    enum hl_status status = passes(w, HL_PASS_NEAREST, plan, &complete);
    w->result->complete = complete;
    if (status == HL_OK && plan->known && !complete)
        status = improve(w, HL_PASS_NEAREST, plan);
    if (status != HL_OK)
        return status;
    if (plan->known && plan->worth.miss <= 0) {
        w->result->outcome = HL_TAPER_FOUND;
        return improve(w, pass_aim(w->problem), plan);
    }
    w->result->no_schedule = !plan->known;
    bool proved = complete || !nothing_is_proved;
    w->result->outcome = proved ? HL_TAPER_IMPOSSIBLE : HL_TAPER_NOT_FOUND;
    return HL_OK;
}

static enum hl_status design(struct work *w, struct hl_way *plan)
{
    enum hl_pass_aim aim = pass_aim(w->problem);
    bool complete;
    enum hl_status status = passes(w, aim, plan, &complete);
    if (status != HL_OK)
        return status;
    w->result->complete = complete;
    if (plan->known && plan->worth.miss > 0 && !complete)
        status = improve(w, aim, plan); /* the best that a screen let through: perhaps a step away */
    if (status == HL_OK && (!plan->known || plan->worth.miss > 0)) {
        plan->known = false;
        return nearest(w, plan, !complete);
    }
    w->result->outcome = HL_TAPER_FOUND;
    return complete || good_enough(w, aim, plan) ? status : improve(w, aim, plan);
}

/* One pass for something shorter than what is known; what misses least there is mended if it can be. */
static enum hl_status shorten(struct work *w, struct hl_way *plan)
{
    struct hl_pass pass = pass_of(w, HL_PASS_SHORTEST, w->options->beam ? w->options->beam : USUAL_BEAM);
    pass.arcs = w->options->arcs;
    pass.most_work = w->options->most_work;
    enum hl_status status = hl_pass_run(&pass);
    w->result->beam = pass.beam;
    w->work_of_passes = work_done(w);
    const struct hl_way *found = pass.best->known ? pass.best : pass.next->known ? pass.next : NULL;
    if (status != HL_OK || !found)
        return status;
    hl_way_copy(plan, found);
    status = improve(w, HL_PASS_SHORTEST, plan);
    w->result->outcome = plan->worth.miss <= 0 ? HL_TAPER_FOUND : HL_TAPER_NOT_FOUND;
    return status;
}

enum hl_status hl_taper_search(struct hl_arena *arena, const struct hl_taper_problem *problem,
                               const struct hl_outlook *outlook, const struct hl_taper_options *options,
                               struct hl_taper_result *result)
{
    struct work w = {.arena = arena, .problem = problem, .options = options, .result = result,
                     .limit = limit_of(problem)};
    struct hl_way *plan = hl_way_create(arena, problem);
    *result = (struct hl_taper_result){.outcome = HL_TAPER_NOT_FOUND};
    hl_judge_make(arena, &w.full, problem, outlook);
    enum hl_status status = start_work(&w) ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK)
        status = judge_start(&w);
    if (status == HL_OK)
        status = first_screen(&w);
    if (options->shorter_than && w.limit >= options->shorter_than->days)
        w.limit = options->shorter_than->days - 1;
    if (status == HL_OK)
        status = options->shorter_than ? shorten(&w, plan) : design(&w, plan);
    if (status == HL_OK)
        status = report(&w, plan);
    forget_screen(&w);
    hl_free(w.statistic);
    hl_free(w.scratch);
    return status;
}
