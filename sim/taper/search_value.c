/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a schedule is worth. A constraint "at most b in a share s of N subjects" asks that the ceil(s N)-th smallest of
 * the subjects' statistics, its order statistic q, be at most b. Its miss is (q - b)/b (or q - b where b is 0), and the
 * miss of a schedule the largest of its constraints' misses: not above 0 exactly when all are kept, because q is one of
 * the statistics and no rounding makes (q - b)/b positive when q <= b. */
#include "taper/search_parts.h"

#include <math.h>
#include <string.h>

#include "taper/rungs.h"

size_t hl_taper_needed(double share, size_t n)
{
    double need = ceil(share * (double)n - 1e-9);
    return need < 1 ? 1 : need > (double)n ? n : (size_t)need;
}

const struct hl_taper_constraint *hl_taper_constraint_of(const struct hl_taper_problem *problem, size_t constraint)
{
    return &problem->constraint[constraint % problem->n_constraints];
}

void hl_judge_make(struct hl_arena *arena, struct hl_judge *judge, const struct hl_taper_problem *problem,
                   const struct hl_outlook *outlook)
{
    size_t n = outlook->n_constraints;
    *judge = (struct hl_judge){.problem = problem, .outlook = outlook, .n = outlook->n_subjects, .n_constraints = n};
    judge->bound = hl_arena_alloc(arena, n, sizeof *judge->bound);
    judge->scale = hl_arena_alloc(arena, n, sizeof *judge->scale);
    judge->need = hl_arena_alloc(arena, n, sizeof *judge->need);
    for (size_t c = 0; c < n; c++) {
        const struct hl_taper_constraint *constraint = hl_taper_constraint_of(problem, c);
        judge->bound[c] = constraint->bound;
        judge->scale[c] = constraint->bound > 0 ? constraint->bound : 1;
        judge->need[c] = hl_taper_needed(constraint->share, judge->n);
    }
}

static void swap(double *a, double *b)
{
    double keep = *a;
    *a = *b;
    *b = keep;
}

/* Hoare's selection (1961): the middle of three as pivot, the side that holds the wanted place is gone on with. */
double hl_order_statistic(double *v, size_t n, size_t need)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, k = (ptrdiff_t)need - 1;
    for (size_t i = 0; i < n; i++)
        if (isnan(v[i]))
            v[i] = INFINITY;
    while (low < high) {
        ptrdiff_t middle = low + (high - low) / 2, i = low, j = high;
        if (v[middle] < v[low])
            swap(&v[middle], &v[low]);
        if (v[high] < v[low])
            swap(&v[high], &v[low]);
        if (v[high] < v[middle])
            swap(&v[high], &v[middle]);
        double pivot = v[middle];
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j)
                swap(&v[i++], &v[j--]);
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

void hl_judge_values(const struct hl_judge *judge, const double *statistic, double *scratch, double *value)
{
    for (size_t c = 0; c < judge->n_constraints; c++) {
        memcpy(scratch, statistic + c * judge->n, judge->n * sizeof *scratch);
        value[c] = hl_order_statistic(scratch, judge->n, judge->need[c]);
    }
}

double hl_judge_miss(const struct hl_judge *judge, const double *statistic, double *scratch)
{
    double worst = -INFINITY;
    for (size_t c = 0; c < judge->n_constraints; c++) {
        memcpy(scratch, statistic + c * judge->n, judge->n * sizeof *scratch);
        double value = hl_order_statistic(scratch, judge->n, judge->need[c]);
        worst = fmax(worst, (value - judge->bound[c]) / judge->scale[c]);
    }
    return worst;
}

bool hl_judge_keeps(const struct hl_judge *judge, const double *statistic)
{
    return hl_outlook_keeps(judge->outlook, judge->problem, statistic);
}

/* Subjects that nobody can compute (INFINITY) are left out: they are the same in every schedule, and would hide all
 * others. */
double hl_judge_exposure(const struct hl_judge *judge, const double *statistic)
{
    double exposure = 0;
    for (size_t c = 0; c < judge->n_constraints; c++) {
        enum hl_taper_statistic kind = hl_taper_constraint_of(judge->problem, c)->statistic;
        bool peak = kind == HL_TAPER_PEAK || kind == HL_TAPER_MOMENT;
        double sum = 0;
        for (size_t i = 0; i < judge->n; i++) {
            double value = statistic[c * judge->n + i];
            if (isfinite(value))
                sum += peak ? fmax(0, value - judge->bound[c]) : value;
        }
        exposure += sum / (double)judge->n / judge->scale[c];
    }
    return exposure;
}

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

int hl_worth_compare(enum hl_pass_aim aim, const struct hl_worth *a, const struct hl_worth *b)
{
    int days = order(a->days, b->days), miss = order(a->miss, b->miss), pieces = order(a->pieces, b->pieces);
    int changes = (a->changes > b->changes) - (a->changes < b->changes), exposure = order(a->exposure, b->exposure);
    int key[][4] = {[HL_PASS_SHORTEST] = {days, miss, changes, pieces},
                    [HL_PASS_EXPOSURE] = {exposure, days, changes, pieces},
                    [HL_PASS_CHANGES] = {changes, days, miss, pieces},
                    [HL_PASS_NEAREST] = {miss, days, changes, pieces}};
    bool a_keeps = a->miss <= 0, b_keeps = b->miss <= 0;
    if (a_keeps != b_keeps)
        return a_keeps ? -1 : 1;
    if (!a_keeps && miss != 0)
        return miss;
    for (int k = 0; k < 4; k++)
        if (key[aim][k] != 0)
            return key[aim][k];
    return 0;
}

struct hl_way *hl_way_create(struct hl_arena *arena, const struct hl_taper_problem *problem)
{
    struct hl_way *plan = hl_arena_alloc(arena, 1, sizeof *plan);
    plan->step = hl_arena_alloc(arena, problem->n_rungs + 1, sizeof *plan->step);
    return plan;
}

void hl_way_copy(struct hl_way *to, const struct hl_way *from)
{
    to->n = from->n;
    to->worth = from->worth;
    to->known = from->known;
    memmove(to->step, from->step, from->n * sizeof *from->step);
}

struct hl_taper_schedule hl_way_schedule(const struct hl_way *plan)
{
    struct hl_taper_schedule schedule = {.n = plan->n, .step = plan->step};
    schedule.days = hl_schedule_days(&schedule);
    return schedule;
}

/* One plan, from the prospect after its first levels on. steps: how many were taken. */
static enum hl_status value_one(const struct hl_judge *judge, struct hl_way *plan, const struct hl_prospect *from,
                                size_t first, double give_up, double *room, unsigned *steps)
{
    const struct hl_outlook *o = judge->outlook;
    struct hl_prospect *own = NULL;
    struct hl_taper_schedule schedule = hl_way_schedule(plan);
    double *scratch = room + judge->n * judge->n_constraints;
    enum hl_status status = HL_OK;
    bool given_up = false;
    plan->known = false;
    plan->worth = (struct hl_worth){.days = schedule.days, .changes = hl_schedule_changes(&schedule),
                                    .pieces = hl_schedule_pieces(judge->problem, &schedule), .exposure = INFINITY};
    if (from == NULL && (from = own = o->begin(o->context)) == NULL)
        return HL_ERR_MEMORY;
    for (size_t k = first; k < plan->n && !given_up; k++) {
        struct hl_prospect *further = o->step(o->context, from, plan->step[k]);
        if (own)
            o->release(o->context, own);
        if (further == NULL)
            return HL_ERR_MEMORY;
        from = own = further;
        ++*steps;
        plan->worth.miss = hl_judge_miss(judge, o->statistics(from), scratch);
        given_up = plan->worth.miss > give_up;
    }
    if (!given_up) {
        status = o->stop(o->context, from, room);
        plan->worth.miss = hl_judge_miss(judge, room, scratch);
        plan->worth.exposure = hl_judge_exposure(judge, room);
        plan->known = true;
    }
    if (own)
        o->release(o->context, own);
    return status;
}

enum hl_status hl_ways_value(struct hl_judge *judge, struct hl_way **plan, size_t n, struct hl_prospect *const *prefix,
                              const size_t *shared, double give_up)
{
    size_t room_size = judge->n * (judge->n_constraints + 1);
    unsigned *steps = hl_alloc(n, sizeof *steps);
    enum hl_status *status = hl_alloc(n, sizeof *status), worst = HL_OK;
    if (!steps || !status) {
        worst = HL_ERR_MEMORY;
        goto out;
    }
#pragma omp parallel for schedule(dynamic) if (HL_TAPER_MANY(n, judge->n))
    for (size_t i = 0; i < n; i++) {
        double *room = hl_alloc_unset(room_size, sizeof *room);
        size_t first = prefix ? shared[i] : 0;
        status[i] = room ? value_one(judge, plan[i], prefix ? prefix[first] : NULL, first, give_up, room, &steps[i])
                         : HL_ERR_MEMORY;
        hl_free(room);
    }
    for (size_t i = 0; i < n; i++) {
        judge->steps += steps[i];
        judge->stops += plan[i]->known;
        worst = worst != HL_OK ? worst : status[i];
    }
out:
    hl_free(steps);
    hl_free(status);
    return worst;
}
