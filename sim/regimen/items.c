/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single doses, patches, infusions and pumps: what one item of a prescription gives, and when.
 *
 *   oral: 0.5 mg            one amount, or a list that is cycled: [0.5 mg, 1 mg] with at: ["08:00", "20:00"]
 *   patch: [25 ug/h, ...]   a list is worn together; worn for wear:, else for what the model states but no longer than
 *                           until the next change; the item ends when the last patch is off
 *   infuse: 500 ug/d        a rate, from start to end
 *   infuse: 1 mg, over: 2 h an amount, perhaps repeated
 *   demand: {...}           a window in which the patient may press the button */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "regimen/compile.h"
#include "regimen/read.h"

#define STEADY_INFUSION 24.0 /* period of a constant infusion, which has none [h] */
#define MOST_DEMANDS    1e6

static const char *timing_letters(const struct hl_compiler *c)
{
    return c->in_cycle ? "ea" : "sgxeafun";
}

void hl_item_dose(struct hl_compiler *c, const struct hl_yaml *item, int route)
{
    struct hl_timing t;
    struct hl_schedule s;
    const char *name = c->system->route[route].name;
    char what[96];
    snprintf(what, sizeof what, "a dose of %s by '%s'", c->drug, name);
    bool good = hl_item_keys(c, item, what, &name, 1, timing_letters(c));
    const struct hl_yaml *value = hl_yaml_get(item, name);
    size_t n = hl_list_size(value);
    double *amount = hl_arena_alloc(c->arena, n + 1, sizeof *amount);
    if (n == 0) {
        hl_diag_error(c->diag, value->pos, "expected a dose such as '0.5 mg'");
        good = false;
    }
    for (size_t i = 0; i < n; i++)
        good = hl_compiler_amount(c, hl_list_item(value, i), route, &amount[i]) && good;
    if (!hl_timing_read(c, item, &t) || !good || !hl_timing_schedule(c, &t, n, &s)) {
        hl_compiler_fault(c);
        return;
    }
    for (size_t i = 0; i < s.n; i++)
        hl_compiler_dose(c, (struct hl_dose){.time = s.time[i],
                                             .route = route,
                                             .kind = HL_DOSE_GIVEN,
                                             .amount = amount[s.slot[i]],
                                             .repeat_interval = s.interval[i]});
    c->cursor = s.end;
}

/* How long a patch of this item stays on. */
static bool read_wear(struct hl_compiler *c, const struct hl_timing *t, int route, double *wear)
{
    const struct hl_yaml *node = hl_yaml_get(t->item, "wear");
    double usual = c->system->route[route].default_wear;
    if (node)
        return hl_item_read_duration(node, "the time a patch is worn", wear, c->diag);
    if (!(t->every > 0) && t->has_end)
        *wear = t->end - t->start;
    else if (t->every > 0 && t->n_at <= 1)
        *wear = usual > 0 ? fmin(usual, t->every) : t->every;
    else
        *wear = usual;
    if (*wear > 0)
        return true;
    hl_diag_error(c->diag, t->item->pos, "how long is the patch worn? Add 'wear: 72 h' (or every:)");
    return false;
}

/* A single patch may have for: (it is then its wear); repeated ones follow the schedule. */
static bool patch_schedule(struct hl_compiler *c, const struct hl_timing *t, struct hl_schedule *s)
{
    if (t->every > 0 || c->in_cycle || t->doses > 1)
        return hl_timing_schedule(c, t, 1, s);
    double *time = hl_arena_alloc(c->arena, 2, sizeof *time);
    time[0] = t->start;
    *s = (struct hl_schedule){.n = t->start < t->stop ? 1 : 0, .time = time, .interval = time + 1, .end = t->start};
    return true;
}

void hl_item_patch(struct hl_compiler *c, const struct hl_yaml *item, int route)
{
    struct hl_timing t;
    struct hl_schedule s;
    double wear, end;
    char what[96];
    const char *own[2] = {c->system->route[route].name, "wear"};
    snprintf(what, sizeof what, "a patch of %s by '%s'", c->drug, own[0]);
    bool good = hl_item_keys(c, item, what, own, 2, timing_letters(c));
    const struct hl_yaml *value = hl_yaml_get(item, own[0]);
    size_t n = hl_list_size(value);
    double *strength = hl_arena_alloc(c->arena, n + 1, sizeof *strength);
    for (size_t i = 0; i < n; i++)
        good = hl_compiler_amount(c, hl_list_item(value, i), route, &strength[i]) && good;
    if (!hl_timing_read(c, item, &t) || !read_wear(c, &t, route, &wear) || !good || !patch_schedule(c, &t, &s)) {
        hl_compiler_fault(c);
        return;
    }
    end = t.has_end && t.every > 0 ? fmin(t.end, t.stop) : t.start;
    for (size_t i = 0; i < s.n; i++) {
        double duration = c->in_cycle ? wear : fmin(wear, t.stop - s.time[i]);
        for (size_t j = 0; j < n; j++)
            hl_compiler_dose(c, (struct hl_dose){.time = s.time[i],
                                                 .route = route,
                                                 .kind = HL_DOSE_PATCH,
                                                 .amount = strength[j],
                                                 .duration = duration,
                                                 .repeat_interval = s.interval[i]});
        end = fmax(end, s.time[i] + duration);
    }
    c->cursor = end;
}

/* The value of infuse:, a rate [mg/h] or an amount [mg]. */
static bool read_infusion(struct hl_compiler *c, const struct hl_yaml *value, bool has_over, double *amount,
                          double *rate)
{
    char why[128];
    struct hl_unit unit;
    double number;
    *amount = *rate = 0;
    bool is_mass = value->kind == HL_YAML_SCALAR && hl_quantity_parse(value->text, &number, &unit, why, sizeof why) &&
                   hl_dim_equal(unit.dim, hl_dim_of("mg"));
    if (!is_mass)
        return hl_item_read_not_negative(value, hl_dim_of("mg/h"), "an infusion rate", "500 ug/d", rate, c->diag);
    if (has_over)
        return hl_item_read_not_negative(value, hl_dim_of("mg"), "an infused amount", "1 mg", amount, c->diag);
    hl_diag_error(c->diag, value->pos,
                  "\"%s\" is an amount; say how long it runs with 'over: 30 min', or give a rate such as '%s/h'",
                  value->text, value->text);
    return false;
}

/* An infusion without an end gives way to the next one by the same route. */
static void cut_endless(struct hl_compiler *c, int route, double time)
{
    for (size_t i = 0; i < c->doses.n; i++) {
        struct hl_dose *d = &c->doses.dose[i];
        if (d->route != route || d->kind != HL_DOSE_INFUSION || isfinite(d->duration) || d->time >= time)
            continue;
        d->duration = time - d->time;
        d->amount = d->rate * d->duration;
    }
    for (size_t i = 0; i < c->regimen->n_demands; i++) {
        struct hl_demand *d = &c->regimen->demand[i];
        if (d->route == route && isinf(d->stop) && d->start < time)
            d->stop = time;
    }
}

/* Continuous: one infusion from start to end. */
static bool infuse_on(struct hl_compiler *c, const struct hl_timing *t, int route, double rate)
{
    static const char *const repeated[] = {"every", "at", "doses"};
    for (size_t i = 0; i < 3; i++) {
        const struct hl_yaml *key = hl_yaml_key(t->item, repeated[i]);
        if (!key)
            continue;
        hl_diag_error(c->diag, key->pos,
                      "an infusion at a rate runs on, it isn't repeated; add 'over: 30 min' for repeated short ones, "
                      "or leave out %s:",
                      repeated[i]);
        return false;
    }
    double start = c->in_cycle ? 0 : t->start, end = c->in_cycle ? STEADY_INFUSION : fmin(t->end, t->stop);
    if (c->in_cycle)
        c->period = STEADY_INFUSION;
    else
        cut_endless(c, route, t->start);
    if (end > start)
        hl_compiler_dose(c, (struct hl_dose){.time = start,
                                             .route = route,
                                             .kind = HL_DOSE_INFUSION,
                                             .rate = rate,
                                             .amount = isfinite(end) ? rate * (end - start) : 0,
                                             .duration = end - start,
                                             .scaled = c->in_cycle && c->study->scales_duration ? HL_SCALED_NOTHING
                                                                                                : HL_SCALED_RATE});
    c->cursor = end;
    if (isinf(end))
        c->runs_on = "an infusion without for:";
    return true;
}

/* Repeated: so much over so long, at the times of the schedule. */
static bool infuse_over(struct hl_compiler *c, const struct hl_timing *t, int route, double amount, double over)
{
    struct hl_schedule s;
    if (!hl_timing_schedule(c, t, 1, &s))
        return false;
    if (t->every > 0 && s.n > 1 && over > s.interval[0] + HL_SAME_TIME)
        hl_diag_warning(c->diag, t->item->pos,
                        "each infusion takes %g h, longer than the %g h to the next: they overlap and add up", over,
                        s.interval[0]);
    for (size_t i = 0; i < s.n; i++) {
        double duration = c->in_cycle ? over : fmin(over, t->stop - s.time[i]);
        hl_compiler_dose(c, (struct hl_dose){.time = s.time[i],
                                             .route = route,
                                             .kind = HL_DOSE_INFUSION,
                                             .rate = amount / over,
                                             .amount = amount / over * duration,
                                             .duration = duration,
                                             .repeat_interval = s.interval[i]});
    }
    c->cursor = t->every > 0 ? s.end : fmin(t->start + over, t->stop);
    return true;
}

static bool read_per_hour(struct hl_compiler *c, const struct hl_yaml *node, double *per_hour)
{
    if (node->kind == HL_YAML_SCALAR && hl_text_number(node->text, per_hour)) {
        if (*per_hour > 0)
            return true;
        hl_diag_error(c->diag, node->pos, "per_hour, the mean number of demands in an hour, must be above zero");
        return false;
    }
    return hl_item_read_positive(node, hl_dim_of("1/h"), "a mean number of demands in an hour", "0.21", per_hour,
                                 c->diag);
}

static bool read_limit(struct hl_compiler *c, const struct hl_yaml *node, double *limit)
{
    size_t count;
    *limit = INFINITY;
    if (!node || hl_is_word(node, "none"))
        return true;
    if (!hl_item_read_count(node, "the most boluses in an hour", &count, c->diag))
        return false;
    *limit = (double)count;
    return true;
}

/* {bolus: 20 ug, per_hour: 0.21, lockout: 10 min, hourly_limit: 3} */
static bool read_demand(struct hl_compiler *c, const struct hl_yaml *node, int flow_route, struct hl_demand *demand)
{
    static const char *const keys[] = {"bolus", "per_hour", "lockout", "hourly_limit", "route"};
    if (!hl_only_keys(node, "a demand", keys, 5, c->diag))
        return false;
    const struct hl_yaml *bolus = hl_yaml_get(node, "bolus"), *per_hour = hl_yaml_get(node, "per_hour");
    const struct hl_yaml *lockout = hl_yaml_get(node, "lockout"), *route = hl_yaml_get(node, "route");
    if (!bolus || !per_hour) {
        hl_diag_error(c->diag, node->pos,
                      "a demand needs bolus: and per_hour:, as in {bolus: 20 ug, per_hour: 0.21, lockout: 10 min, "
                      "hourly_limit: 3}");
        return false;
    }
    demand->route = route || flow_route < 0 ? hl_compiler_flow_route(c, node, route) : flow_route;
    bool good = demand->route >= 0 && hl_compiler_amount(c, bolus, demand->route, &demand->bolus);
    good = read_per_hour(c, per_hour, &demand->per_hour) && good;
    if (lockout)
        good = hl_item_read_wait(lockout, "a lockout", &demand->lockout, c->diag) && good;
    return read_limit(c, hl_yaml_get(node, "hourly_limit"), &demand->hourly_limit) && good;
}

static bool demand_fits(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_demand *demand)
{
    double last = c->study->n_times ? c->study->time[c->study->n_times - 1] : 0;
    double span = (isinf(demand->stop) ? last : demand->stop) - demand->start;
    if (demand->per_hour * span > MOST_DEMANDS) {
        hl_diag_error(c->diag, node->pos,
                      "%.3g demands are more than the %g a window may have; check per_hour:", demand->per_hour * span,
                      MOST_DEMANDS);
        return false;
    }
    for (size_t i = 0; i < c->regimen->n_demands; i++) {
        const struct hl_demand *other = &c->regimen->demand[i];
        if (c->system->route[other->route].instance != c->instance)
            continue;
        if (other->start < demand->stop - HL_SAME_TIME && demand->start < other->stop - HL_SAME_TIME) {
            hl_diag_error(c->diag, node->pos,
                          "this demand overlaps another of %s (%g to %g h): a patient has one button", c->drug,
                          other->start, other->stop);
            return false;
        }
    }
    return true;
}

static bool add_demand(struct hl_compiler *c, const struct hl_yaml *node, int flow_route, double start, double stop)
{
    struct hl_demand demand = {.start = start, .stop = stop, .number = c->demand_number};
    if (c->in_cycle) {
        hl_diag_error(c->diag, node->pos,
                      "demands are random and have no steady state; leave demand: out of steady_state:");
        return false;
    }
    if (!read_demand(c, node, flow_route, &demand) || !demand_fits(c, node, &demand))
        return false;
    c->demand_number++;
    c->regimen->demand = hl_arena_push(c->arena, c->regimen->demand, c->regimen->n_demands, &c->demand_capacity,
                                       sizeof *c->regimen->demand);
    c->regimen->demand[c->regimen->n_demands++] = demand;
    return true;
}

void hl_item_infuse(struct hl_compiler *c, const struct hl_yaml *item)
{
    static const char *const own[] = {"infuse", "over", "route", "demand"};
    struct hl_timing t;
    double amount = 0, rate = 0, over = 0;
    const struct hl_yaml *over_node = hl_yaml_get(item, "over"), *demand = hl_yaml_get(item, "demand");
    bool good = hl_item_keys(c, item, "an infusion", own, 4, timing_letters(c));
    int route = hl_compiler_infusion_route(c, item, hl_yaml_get(item, "route"));
    good = read_infusion(c, hl_yaml_get(item, "infuse"), over_node != NULL, &amount, &rate) && route >= 0 && good;
    if (over_node)
        good = hl_item_read_duration(over_node, "how long an infusion takes", &over, c->diag) && good;
    good = hl_timing_read(c, item, &t) && good;
    if (good && !over_node)
        good = infuse_on(c, &t, route, rate);
    else if (good)
        good = infuse_over(c, &t, route, rate > 0 ? rate * over : amount, over);
    if (good && demand)
        good = add_demand(c, demand, route, t.start, c->cursor);
    if (!good)
        hl_compiler_fault(c);
}

void hl_item_demand(struct hl_compiler *c, const struct hl_yaml *item)
{
    static const char *const own[] = {"demand"};
    struct hl_timing t;
    bool good = hl_item_keys(c, item, "a demand", own, 1, "sgxfu") && hl_timing_read(c, item, &t);
    if (good)
        c->cursor = fmin(t.end, t.stop);
    if (good && isinf(c->cursor))
        c->runs_on = "a demand without for:";
    if (!good || !add_demand(c, hl_yaml_get(item, "demand"), -1, t.start, c->cursor))
        hl_compiler_fault(c);
}
