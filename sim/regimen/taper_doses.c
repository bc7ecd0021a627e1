/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The levels of a taper become doses, an infusion or patches.
 *
 *   split: 12 h             equal parts every 12 h (also where half a level isn't a whole quantum)
 *   split: bid              two parts of whole quanta, the larger in the evening; tid: the first spare quantum in the
 *                           evening, the second in the morning (clonazepam reference, section 7.1)
 *   at: ["08:00", "20:00"]  the parts at clock times, equal or, with split: bid, in whole quanta
 *   by: infusion            a rate per level
 *   patches: [12.5 ug/h, ...]   the fewest patches that make the level, changed every wear: and when the level changes;
 *                           levels that need the same patches aren't interrupted */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "regimen/crossover.h"
#include "regimen/levels.h"
#include "regimen/order.h"
#include "regimen/read.h"
#include "regimen/review.h"

#define DAY        24.0
#define DAWN       4.0 /* a day's doses are ordered from four in the morning, so that midnight is an evening */

static bool read_split(struct hl_compiler *c, const struct hl_yaml *node, struct hl_day *d)
{
    static const char *const words[] = {"qd", "bid", "tid", "qid"};
    double hours;
    for (size_t i = 0; node && i < 4; i++)
        if (hl_is_word(node, words[i])) {
            *d = (struct hl_day){.n = i + 1, .whole = true, .every = DAY / (double)(i + 1)};
            return true;
        }
    *d = (struct hl_day){.n = 2, .every = 12};
    if (!node)
        return true;
    if (!hl_item_read_duration(node, "the time between the doses of a day (or qd, bid, tid, qid)", &hours, c->diag))
        return false;
    double n = round(DAY / hours);
    if (n < 1 || n > HL_MOST_PARTS || fabs(n * hours - DAY) > HL_SAME_TIME) {
        hl_diag_error(c->diag, node->pos, "split must divide a day evenly, as 24 h, 12 h, 8 h or 6 h do, found \"%s\"",
                      node->text);
        return false;
    }
    *d = (struct hl_day){.n = (size_t)n, .every = hours};
    return true;
}

bool hl_day_read(struct hl_compiler *c, const struct hl_yaml *taper, struct hl_day *d)
{
    const struct hl_yaml *split = hl_yaml_get(taper, "split"), *at = hl_yaml_get(taper, "at");
    double clock;
    if (!read_split(c, split, d))
        return false;
    if (!at)
        return true;
    d->at = at;
    bool good = hl_list_size(at) > 0 && hl_list_size(at) <= HL_MOST_PARTS;
    if (!good)
        hl_diag_error(c->diag, at->pos, "expected clock times such as [\"08:00\", \"20:00\"]");
    for (size_t i = 0; good && i < hl_list_size(at); i++)
        good = hl_item_read_clock(hl_list_item(at, i), &clock, c->diag);
    if (good && split && d->n != hl_list_size(at)) {
        hl_diag_error(c->diag, split->pos, "split: %s is %zu doses a day, but at: has %zu clock times", split->text,
                      d->n, hl_list_size(at));
        return false;
    }
    d->n = hl_list_size(at);
    return good;
}

static bool by_offset(const void *a, const void *b)
{
    return ((const struct hl_day_part *)a)->offset < ((const struct hl_day_part *)b)->offset;
}

static double mod_day(double hours)
{
    double rest = fmod(hours, DAY);
    if (rest < 0)
        rest += DAY;
    return DAY - rest < HL_SAME_TIME ? 0 : rest;
}

/* When in the day that begins at start the doses are given. */
void hl_day_place(struct hl_compiler *c, const struct hl_day *d, double start, struct hl_day_part *part)
{
    struct hl_day_part scratch[HL_MOST_PARTS];
    for (size_t i = 0; i < d->n; i++) {
        double clock = 0;
        part[i] = (struct hl_day_part){.offset = (double)i * d->every};
        if (d->at && hl_item_read_clock(hl_list_item(d->at, i), &clock, c->diag))
            part[i].offset = mod_day(clock - (c->study->origin + start));
        part[i].clock = mod_day(c->study->origin + start + part[i].offset - DAWN);
    }
    hl_sort_stable(part, d->n, sizeof *part, by_offset, scratch);
}

/* Spare quanta go to the evening (latest clock time), then the morning (earliest), then between. */
void hl_day_turns(const struct hl_day_part *part, size_t n, size_t *turn)
{
    bool served[HL_MOST_PARTS] = {false};
    for (size_t k = 0; k < n; k++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            if (served[i])
                continue;
            bool better = best == n || (k == 0 ? part[i].clock > part[best].clock : part[i].clock < part[best].clock);
            if (better)
                best = i;
        }
        served[best] = true;
        turn[k] = best;
    }
}

void hl_day_share(struct hl_day_part *part, size_t n, size_t quanta)
{
    size_t turn[HL_MOST_PARTS];
    hl_day_turns(part, n, turn);
    for (size_t i = 0; i < n; i++)
        part[turn[i]].share = quanta / n + (i < quanta % n);
}

/* Where each part is to be made of pieces, whether it can be. number: of the level, 0 the dose before the taper. */
static bool parts_can_be_made(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper,
                              double given, size_t number, const struct hl_day_part *part, size_t n)
{
    const struct hl_tablets *tablets = &taper->tablets;
    if (tablets->n_pieces == 0)
        return true;
    size_t *count = hl_arena_alloc(c->arena, tablets->n_pieces, sizeof *count);
    for (size_t i = 0; i < n; i++) {
        double amount = (double)part[i].share * tablets->unit;
        if (hl_tablets_pieces(tablets, amount, count))
            continue;
        hl_diag_error(
            c->diag, node->pos,
            "level %zu, %g mg/d in %zu doses, needs a dose of %g mg, which the stated tablets don't make; use "
            "'split: 12 h' for equal parts, or add a strength",
            number, given, n, amount);
        return false;
    }
    return true;
}

/* Whether what is taken of a level for so many hours stays within reason. */
static bool few_enough(struct hl_compiler *c, const struct hl_yaml *node, size_t level, double hours, double doses)
{
    if (doses <= HL_MOST_DOSES)
        return true;
    hl_diag_error(c->diag, node->pos, "level %zu is kept for %g d, %.3g doses: more than the %u an item may have", level,
                  hours / DAY, doses, HL_MOST_DOSES);
    return false;
}

/* The doses of one level, [begin, end). */
static bool give_level(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, size_t level,
                       int route, const struct hl_day *d, double begin, double end)
{
    struct hl_day_part part[HL_MOST_PARTS];
    double given = taper->level[level].given, unit = taper->tablets.unit;
    hl_day_place(c, d, begin, part);
    bool whole = d->whole && taper->from_tablets;
    if (whole) {
        hl_day_share(part, d->n, (size_t)llround(given / unit));
        if (!parts_can_be_made(c, node, taper, given, level + 1, part, d->n))
            return false;
    }
    if (!(given > 0))
        return true;
    if (!few_enough(c, node, level + 1, end - begin, (end - begin) / DAY * (double)d->n))
        return false;
    for (size_t i = 0;; i++) {
        const struct hl_day_part *p = &part[i % d->n];
        double time = begin + ((double)(i / d->n) * DAY + p->offset);
        if (time >= end - HL_SAME_TIME)
            return true;
        double amount = whole ? (double)p->share * unit : given / (double)d->n;
        if (amount > 0)
            hl_compiler_dose(c, (struct hl_dose){.time = time,
                                                 .route = route,
                                                 .kind = HL_DOSE_GIVEN,
                                                 .amount = amount,
                                                 .repeat_interval = DAY / (double)d->n});
    }
}

static bool give_infusion(struct hl_compiler *c, const struct hl_taper_level *level, int route, double begin,
                          double end)
{
    double rate = level->given / DAY;
    if (rate > 0 && end > begin)
        hl_compiler_dose(c, (struct hl_dose){.time = begin,
                                             .route = route,
                                             .kind = HL_DOSE_INFUSION,
                                             .rate = rate,
                                             .amount = rate * (end - begin),
                                             .duration = end - begin});
    return true;
}

/* The patches of a stretch of equal levels, the last of which is number level. strength[j] is the nominal one of piece j
 * in the engine's unit. */
static bool give_patches(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, size_t level,
                         int route, double wear, const double *strength, double begin, double end)
{
    size_t *count = hl_arena_alloc(c->arena, taper->tablets.n_pieces, sizeof *count), together = 0;
    if (!hl_tablets_pieces(&taper->tablets, taper->level[level].given, count))
        return false;
    for (size_t j = 0; j < taper->tablets.n_pieces; j++)
        together += count[j];
    if (!few_enough(c, node, level + 1, end - begin, ceil((end - begin) / wear) * (double)together))
        return false;
    for (size_t k = 0;; k++) {
        double time = begin + (double)k * wear, left = end - time;
        if (left <= HL_SAME_TIME)
            return true;
        for (size_t j = taper->tablets.n_pieces; j-- > 0;)
            for (size_t i = 0; i < count[j]; i++)
                hl_compiler_dose(c, (struct hl_dose){.time = time,
                                                     .route = route,
                                                     .kind = HL_DOSE_PATCH,
                                                     .amount = strength[j],
                                                     .duration = fmin(wear, left),
                                                     .repeat_interval = wear});
    }
}

enum means { BY_DOSES, BY_INFUSION, BY_PATCHES };

static bool read_means(struct hl_compiler *c, const struct hl_yaml *taper, enum means *means)
{
    static const char *const names[] = {"doses", "infusion", "patches"};
    const struct hl_yaml *by = hl_yaml_get(taper, "by");
    char hint[64];
    *means = hl_yaml_get(taper, "patches") ? BY_PATCHES : BY_DOSES;
    if (!by)
        return true;
    const char *text = hl_yaml_text(by, "one of doses, infusion, patches", c->diag);
    if (!text)
        return false;
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *means = (enum means)i;
            return true;
        }
    hl_diag_error(c->diag, by->pos, "by is one of doses, infusion, patches, found '%s'%s", text,
                  hl_text_did_you_mean(text, names, 3, hint, sizeof hint));
    return false;
}

/* The route named, or the drug's usual one: for patches its first patch, for doses its default or its only other one.
 */
static int route_of(struct hl_compiler *c, const struct hl_yaml *taper, enum means means)
{
    const struct hl_yaml *named = hl_yaml_get(taper, "route");
    const char *why = means == BY_PATCHES ? "a patch" : "doses";
    int route = -1;
    if (means == BY_INFUSION)
        return hl_compiler_infusion_route(c, taper, named);
    if (named) {
        route = hl_compiler_named_route(c, named);
        if (route < 0 || c->system->route[route].is_patch == (means == BY_PATCHES))
            return route;
        hl_diag_error(c->diag, named->pos,
                      means == BY_PATCHES ? "'%s' isn't a patch"
                                          : "'%s' is a patch; a taper by patches needs "
                                            "patches: [12.5 ug/h, 25 ug/h, ...], the strengths at hand",
                      named->text);
        return -1;
    }
    if (means == BY_DOSES)
        route = c->system->instance[c->instance].default_route;
    if (route >= 0 && !c->system->route[route].is_patch)
        return route;
    route = -1;
    for (size_t i = 0; i < c->system->n_routes; i++)
        if (c->system->route[i].instance == c->instance && c->system->route[i].is_patch == (means == BY_PATCHES)) {
            if (route >= 0 && means == BY_DOSES) {
                route = -1;
                break;
            }
            if (route < 0)
                route = (int)i;
        }
    if (route < 0)
        hl_diag_error(c->diag, taper->pos, "which route of %s takes %s? Say it with route:", c->drug, why);
    return route;
}

int hl_taper_dose_route(struct hl_compiler *c, const struct hl_yaml *taper)
{
    return route_of(c, taper, BY_DOSES);
}

/* Strengths by piece in the engine's unit, and the wear. */
static bool read_patches(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, int route,
                         double **strength, double *wear)
{
    const struct hl_route *r = &c->system->route[route];
    const struct hl_yaml *patches = hl_yaml_get(node, "patches"), *wear_node = hl_yaml_get(node, "wear");
    double ignored;
    bool per_wear = hl_dim_equal(r->nominal_dim, hl_dim_of("mg")), good = patches != NULL;
    if (!patches)
        hl_diag_error(c->diag, node->pos,
                      "a taper by patches needs the strengths at hand, such as 'patches: [12.5 ug/h, 25 ug/h]'");
    *wear = r->default_wear;
    if (wear_node)
        good = hl_item_read_duration(wear_node, "the time a patch is worn", wear, c->diag) && good;
    for (size_t i = 0; good && i < hl_list_size(patches); i++)
        good = hl_compiler_amount(c, hl_list_item(patches, i), route, &ignored);
    if (good && !(*wear > 0))
        hl_diag_error(c->diag, node->pos, "how long is a patch worn? Add 'wear: 72 h'");
    if (good && per_wear && !wear_node && fabs(*wear - DAY) > HL_SAME_TIME) {
        hl_diag_error(c->diag, node->pos,
                      "patches named by milligrams need their 'wear:' here, so that a daily dose can be made of them");
        good = false;
    }
    *strength = hl_arena_alloc(c->arena, taper->tablets.n_pieces + 1, sizeof **strength);
    for (size_t j = 0; j < taper->tablets.n_pieces; j++)
        (*strength)[j] = taper->tablets.piece[j] * (per_wear ? *wear / DAY : 1 / DAY);
    return good && *wear > 0;
}

/* Last level of the stretch that starts at level i and needs the same patches. */
static size_t stretch_of(const struct hl_taper *taper, size_t i)
{
    size_t last = i;
    while (last + 1 < taper->n &&
           fabs(taper->level[last + 1].given - taper->level[i].given) <= 1e-9 * taper->level[i].given)
        last++;
    return last;
}

bool hl_taper_give(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, double start,
                   double stop)
{
    enum means means;
    struct hl_day division = {0};
    double *strength = NULL, wear = 0, days = 0;
    if (!read_means(c, node, &means))
        return false;
    int route = route_of(c, node, means);
    if (route < 0 || (means == BY_PATCHES && !read_patches(c, node, taper, route, &strength, &wear)))
        return false;
    if (means == BY_DOSES && !hl_day_read(c, node, &division))
        return false;
    bool good = true;
    for (size_t i = 0; good && i < taper->n; i++) {
        size_t last = means == BY_PATCHES ? stretch_of(taper, i) : i;
        double begin = start + days * DAY;
        for (; i < last; i++)
            days += taper->level[i].days;
        days += taper->level[i].days;
        double end = fmin(start + days * DAY, stop);
        if (begin >= end)
            break;
        if (means == BY_DOSES)
            good = give_level(c, node, taper, i, route, &division, begin, end);
        else if (means == BY_INFUSION)
            good = give_infusion(c, &taper->level[i], route, begin, end);
        else
            good = give_patches(c, node, taper, i, route, wear, strength, begin, end);
    }
    return good;
}

/* ---- levels of a taper with reviews, each as a cycle that is given as long as it is needed */

/* The doses of a day. */
static bool day_cycle(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, size_t number,
                      int route, const struct hl_day *d, double start, struct hl_stage *stage)
{
    struct hl_day_part part[HL_MOST_PARTS];
    double unit = taper->tablets.unit;
    bool whole = d->whole && taper->from_tablets;
    hl_day_place(c, d, start, part);
    if (whole) {
        hl_day_share(part, d->n, (size_t)llround(stage->daily / unit));
        if (!parts_can_be_made(c, node, taper, stage->daily, number, part, d->n))
            return false;
    }
    stage->cycle = DAY;
    stage->dose = hl_arena_alloc(c->arena, d->n, sizeof *stage->dose);
    for (size_t i = 0; stage->daily > 0 && i < d->n; i++) {
        double amount = whole ? (double)part[i].share * unit : stage->daily / (double)d->n;
        if (amount > 0)
            stage->dose[stage->n++] = (struct hl_dose){.time = part[i].offset, .route = route, .kind = HL_DOSE_GIVEN,
                                                       .amount = amount, .repeat_interval = DAY / (double)d->n};
    }
    return true;
}

/* The patches of one wear. */
static bool patch_cycle(struct hl_compiler *c, const struct hl_taper *taper, int route, double wear,
                        const double *strength, struct hl_stage *stage)
{
    size_t n = 0, *count = hl_arena_alloc(c->arena, taper->tablets.n_pieces, sizeof *count);
    if (!hl_tablets_pieces(&taper->tablets, stage->daily, count))
        return false;
    for (size_t j = 0; j < taper->tablets.n_pieces; j++)
        n += count[j];
    stage->cycle = wear;
    stage->dose = hl_arena_alloc(c->arena, n + 1, sizeof *stage->dose);
    for (size_t j = taper->tablets.n_pieces; j-- > 0;)
        for (size_t i = 0; i < count[j]; i++)
            stage->dose[stage->n++] = (struct hl_dose){.route = route, .kind = HL_DOSE_PATCH, .amount = strength[j],
                                                       .duration = wear, .repeat_interval = wear};
    return true;
}

static void infusion_cycle(struct hl_compiler *c, int route, struct hl_stage *stage)
{
    stage->cycle = INFINITY;
    stage->dose = hl_arena_alloc(c->arena, 1, sizeof *stage->dose);
    if (!(stage->daily > 0))
        return;
    stage->dose[stage->n++] = (struct hl_dose){.route = route, .kind = HL_DOSE_INFUSION, .rate = stage->daily / DAY,
                                               .scaled = c->study->scales_duration ? HL_SCALED_DURATION
                                                                                   : HL_SCALED_RATE};
}

bool hl_taper_stages(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, double start,
                     struct hl_stage **stage, size_t *n)
{
    enum means means;
    struct hl_day division = {0};
    double *strength = NULL, wear = 0;
    if (!read_means(c, node, &means))
        return false;
    int route = route_of(c, node, means);
    if (route < 0 || (means == BY_PATCHES && !read_patches(c, node, taper, route, &strength, &wear))
        || (means == BY_DOSES && !hl_day_read(c, node, &division)))
        return false;
    size_t first = taper->before.given > 0;
    bool good = true;
    *n = first + taper->n;
    *stage = hl_arena_alloc(c->arena, *n + 1, sizeof **stage);
    for (size_t i = 0; good && i < *n; i++) {
        const struct hl_taper_level *level = i < first ? &taper->before : &taper->level[i - first];
        struct hl_stage *s = &(*stage)[i];
        *s = (struct hl_stage){.daily = level->given, .days = level->days};
        if (means == BY_INFUSION)
            infusion_cycle(c, route, s);
        else if (means == BY_PATCHES)
            good = patch_cycle(c, taper, route, wear, strength, s);
        else
            good = day_cycle(c, node, taper, i + 1 - first, route, &division, start, s);
    }
    return good;
}

/* Where it ends is decided for each subject, so nothing can follow it. */
static bool give_reviewed(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper,
                          const struct hl_timing *t)
{
    if (!hl_review_read(c, node, taper, t->start, t->stop))
        return false;
    hl_review_first_stay(c);
    if (isinf(t->stop))
        c->runs_on = "a taper with reviews";
    return true;
}

void hl_item_taper(struct hl_compiler *c, const struct hl_yaml *item)
{
    static const char *const own[] = {"taper"};
    struct hl_timing t;
    double end;
    const struct hl_yaml *node = hl_yaml_get(item, "taper");
    bool good = hl_item_keys(c, item, "a taper", own, 1, "sgx");
    if (hl_study_is_crossover(node)) {
        good = hl_timing_read(c, item, &t) && good && hl_crossover_give(c, node, t.start, t.stop, &end);
    } else {
        const struct hl_taper *taper = hl_taper_make(c->arena, node, c->diag);
        bool reviewed = taper && hl_taper_is_reviewed(node);
        good = hl_timing_read(c, item, &t) && taper && good
               && (reviewed ? give_reviewed(c, node, taper, &t) : hl_taper_give(c, node, taper, t.start, t.stop));
        end = !good ? 0 : reviewed ? INFINITY : t.start + taper->total_days * DAY;
    }
    if (good)
        c->cursor = fmin(end, t.stop);
    else
        hl_compiler_fault(c);
}
