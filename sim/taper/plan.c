/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Protocols on the rungs of a problem, and what plans amount to.
 *
 * "Round the daily total, half up, to the nearest quantum, then split it into whole quanta" (clonazepam reference,
 * section 7.1). The recursion of a protocol stays with the unrounded dose (regimen/taper.c), so a protocol's levels are
 * made first and rounded then. Several drugs change at the union of their own times. */
#include "taper/plan.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "taper/products.h"
#include "taper/rungs.h"

#define DAY        24.0
#define MOST_STEPS 10000

/* ---- what a plan amounts to */

/* Pieces of one dose, a measured amount being one act. */
static enum hl_status count_dose(const struct hl_taper_drug *drug, const struct hl_doses *doses, long units,
                                 long *count, double *pieces)
{
    *pieces = 0;
    if (units == 0)
        return HL_OK;
    if (!hl_doses_count(doses, drug, units, count))
        return HL_ERR_INTERNAL;
    for (size_t p = 0; p < drug->n_products; p++)
        *pieces += drug->product[p].measured ? count[p] > 0 : (double)count[p] / drug->product[p].pieces;
    return HL_OK;
}

static long largest_dose(const struct hl_taper_problem *problem, const struct hl_taper_drug *drug,
                         const struct hl_taper_schedule *schedule)
{
    long largest = 0;
    for (size_t i = 0; i < schedule->n; i++)
        for (size_t k = 0; k < drug->n_doses; k++) {
            long units = problem->rung[schedule->step[i].rung].units[drug->first_stream + k];
            largest = units > largest ? units : largest;
        }
    return largest;
}

static enum hl_status facts_of_drug(struct hl_arena *arena, const struct hl_taper_problem *problem, size_t d,
                                    const struct hl_taper_schedule *schedule, struct hl_taper_facts *facts)
{
    const struct hl_taper_drug *drug = &problem->drug[d];
    struct hl_doses doses;
    long *count = hl_arena_alloc(arena, drug->n_products, sizeof *count);
    enum hl_status status = hl_doses_make(arena, drug, largest_dose(problem, drug, schedule), &doses);
    for (size_t i = 0; status == HL_OK && i < schedule->n; i++) {
        const struct hl_taper_rung *rung = &problem->rung[schedule->step[i].rung];
        double hours = schedule->step[i].days * DAY, pieces = 0, one;
        for (size_t k = 0; status == HL_OK && k < drug->n_doses; k++) {
            status = count_dose(drug, &doses, rung->units[drug->first_stream + k], count, &one);
            pieces += one;
        }
        facts->products[d] += drug->way == HL_TAPER_RATE ? 0 : pieces * hours / drug->period;
        facts->cumulative[d] += drug->way == HL_TAPER_DOSES ? (double)rung->total[d] * drug->unit * hours / drug->period
                                                            : (double)rung->total[d] * drug->unit * hours;
    }
    facts->equivalent += drug->way == HL_TAPER_PATCHES ? 0 : facts->cumulative[d] * (drug->worth > 0 ? drug->worth : 1);
    if (drug->way == HL_TAPER_PATCHES)
        facts->cumulative[d] = NAN;
    return status;
}

enum hl_status hl_taper_facts(struct hl_arena *arena, const struct hl_taper_problem *problem,
                              const struct hl_taper_schedule *schedule, struct hl_taper_facts *facts)
{
    enum hl_status status = HL_OK;
    *facts = (struct hl_taper_facts){.days = hl_schedule_days(schedule), .changes = hl_schedule_changes(schedule)};
    for (size_t i = 0; i < schedule->n; i++)
        facts->levels += i == 0 || schedule->step[i].rung != schedule->step[i - 1].rung;
    for (size_t d = 0; status == HL_OK && d < problem->n_drugs; d++)
        status = facts_of_drug(arena, problem, d, schedule, facts);
    return status;
}

/* ---- protocols */

struct hl_taper_problem *hl_taper_all_rungs(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                            struct hl_diag *diag)
{
    struct hl_taper_problem *all = hl_arena_alloc(arena, 1, sizeof *all);
    struct hl_rungs_report report;
    *all = *problem;
    all->order = HL_TAPER_ANY;
    return hl_rungs_make(arena, all, SIZE_MAX, &report, diag) == HL_OK ? all : NULL;
}

/* The rung with these totals, -1 for none. */
static long find_rung(const struct hl_taper_problem *problem, const long *total)
{
    for (size_t r = 0; r < problem->n_rungs; r++)
        if (memcmp(problem->rung[r].total, total, problem->n_drugs * sizeof *total) == 0)
            return (long)r;
    return -1;
}

/* The total of drug d nearest to a daily dose [mg/day], among those that stand on a rung; half up. */
static long nearest_total(const struct hl_taper_problem *problem, size_t d, double daily)
{
    const struct hl_taper_drug *drug = &problem->drug[d];
    double x = drug->way == HL_TAPER_DOSES ? daily * drug->period / DAY / drug->unit : daily / DAY / drug->unit;
    long best = 0;
    double error = INFINITY;
    for (size_t r = 0; r < problem->n_rungs; r++) {
        long total = problem->rung[r].total[d];
        double miss = fabs((double)total - x);
        if (miss < error - 1e-9 || (miss < error + 1e-9 && total > best)) {
            best = total;
            error = miss < error ? miss : error;
        }
    }
    return best;
}

static const struct hl_yaml *with_interval(struct hl_arena *arena, const struct hl_yaml *taper, int days)
{
    struct hl_yaml *copy = hl_yaml_clone(arena, taper), *value = hl_arena_alloc(arena, 1, sizeof *value);
    *value = (struct hl_yaml){.kind = HL_YAML_SCALAR, .pos = taper->pos, .text = hl_arena_printf(arena, "%d d", days)};
    hl_yaml_set(arena, copy, hl_yaml_get(copy, "w") ? "w" : "every", value, true);
    return copy;
}

static bool takes_interval(const struct hl_yaml *taper)
{
    const struct hl_yaml *name = hl_yaml_get(taper, "protocol");
    const struct hl_taper_protocol *protocol;
    for (size_t n = 0; name && name->text && (protocol = hl_taper_protocol(n)); n++) {
        if (strcmp(protocol->name, name->text) != 0 && !(protocol->id && strcmp(protocol->id, name->text) == 0))
            continue;
        for (size_t k = 0; protocol->keys[k]; k++)
            if (strcmp(protocol->keys[k], "every") == 0)
                return true;
    }
    return false;
}

int hl_taper_rival_interval(const struct hl_taper_rival *rival)
{
    if (rival->own)
        return rival->schedule->step[0].days;
    for (size_t d = 0; d < HL_TAPER_DRUGS; d++)
        if (rival->made[d] && rival->made[d]->n > 0 && rival->made[d]->level[0].days > 0)
            return (int)lround(rival->made[d]->level[0].days);
    return 0;
}

/* One drug's levels with the interval asked for: days since day 0 at which each ends. */
struct course { size_t n; const struct hl_taper_level *level; double factor; size_t at; double ends; };

static bool course_of(struct hl_arena *arena, const struct hl_taper_rival *rival, size_t d, int days,
                      struct course *course)
{
    const struct hl_taper *made = rival->made[d];
    struct hl_diag *unheard = hl_diag_create(); /* the protocol has been read without a fault; notes have been told */
    *course = (struct course){.factor = 1};
    if (days > 0 && takes_interval(rival->taper[d]) && unheard)
        made = hl_taper_make(arena, with_interval(arena, rival->taper[d], days), unheard);
    else if (days > 0 && hl_taper_rival_interval(rival) > 0)
        course->factor = (double)days / hl_taper_rival_interval(rival);
    hl_diag_free(unheard);
    if (!made)
        return false;
    course->n = made->n;
    course->level = made->level;
    course->ends = made->n ? made->level[0].days * course->factor : 0;
    return true;
}

static double dose_now(const struct course *course)
{
    return course->at < course->n ? course->level[course->at].dose : 0;
}

static void move_on(struct course *course, double now)
{
    while (course->at < course->n && course->ends <= now + 1e-9)
        if (++course->at < course->n)
            course->ends += course->level[course->at].days * course->factor;
}

static void append_step(struct hl_taper_schedule *schedule, size_t rung, int days)
{
    if (schedule->n > 0 && schedule->step[schedule->n - 1].rung == rung)
        schedule->step[schedule->n - 1].days += days;
    else if (days > 0)
        schedule->step[schedule->n++] = (struct hl_taper_step){.rung = rung, .days = days};
}

/* Nothing is no level: what stands at the end as one is taken off. */
static void close_schedule(const struct hl_taper_problem *problem, struct hl_taper_schedule *schedule)
{
    while (schedule->n > 0 && schedule->step[schedule->n - 1].rung == problem->n_rungs - 1)
        schedule->n--;
    schedule->days = hl_schedule_days(schedule);
}

/* Whole periods of every drug, in days. */
static int step_of(const struct hl_taper_problem *problem)
{
    for (int days = 1; days <= 366; days++) {
        bool whole = true;
        for (size_t d = 0; d < problem->n_drugs; d++) {
            double periods = days * DAY / problem->drug[d].period;
            whole = whole && fabs(periods - round(periods)) < 1e-9;
        }
        if (whole)
            return days;
    }
    return 1;
}

struct hl_taper_schedule *hl_taper_follow(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                          const struct hl_taper_rival *rival, int days)
{
    struct course course[HL_TAPER_DRUGS];
    struct hl_taper_schedule *schedule = hl_arena_alloc(arena, 1, sizeof *schedule);
    int now = 0, grain = step_of(problem);
    size_t n = 1;
    if (rival->own)
        return days == 0 ? rival->schedule
                         : hl_taper_stretch(arena, rival->own, rival->schedule,
                                            (int)lround((double)rival->schedule->days * days /
                                                        hl_taper_rival_interval(rival)));
    for (size_t d = 0; d < problem->n_drugs; d++) {
        if (!course_of(arena, rival, d, days, &course[d]))
            return NULL;
        n += course[d].n;
    }
    schedule->step = hl_arena_alloc(arena, n < MOST_STEPS ? n : MOST_STEPS, sizeof *schedule->step);
    for (size_t i = 0; i < n && i < MOST_STEPS; i++) {
        long total[HL_TAPER_DRUGS] = {0}, rung;
        double next = INFINITY;
        for (size_t d = 0; d < problem->n_drugs; d++) {
            move_on(&course[d], now);
            total[d] = nearest_total(problem, d, dose_now(&course[d]));
            next = course[d].at < course[d].n ? fmin(next, course[d].ends) : next;
        }
        if (isinf(next))
            break;
        if ((rung = find_rung(problem, total)) < 0)
            return NULL;
        int until = (int)lround(next / grain) * grain;
        append_step(schedule, (size_t)rung, until - now);
        for (size_t d = 0; d < problem->n_drugs; d++)
            move_on(&course[d], next);
        now = until > now ? until : now;
    }
    close_schedule(problem, schedule);
    return schedule;
}

struct hl_taper_schedule *hl_taper_stretch(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                           const struct hl_taper_schedule *schedule, int days)
{
    struct hl_taper_schedule *out = hl_arena_alloc(arena, 1, sizeof *out);
    int grain = step_of(problem), before = 0, seen = 0;
    out->step = hl_arena_alloc(arena, schedule->n, sizeof *out->step);
    if (schedule->days <= 0)
        return NULL;
    for (size_t i = 0; i < schedule->n; i++) {
        seen += schedule->step[i].days;
        int until = (int)lround((double)seen * days / schedule->days / grain) * grain;
        if (until <= before)
            return NULL;
        out->step[out->n++] = (struct hl_taper_step){.rung = schedule->step[i].rung, .days = until - before};
        before = until;
    }
    out->days = hl_schedule_days(out);
    return out;
}
