/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One drug that goes down: what it can be made of, when in a period it is taken, where it starts.
 *
 *     clonazepam:
 *       from: 2 mg/d
 *       at: ["08:00", "20:00"]                   # or split: bid; else the clock times of what was taken before
 *       products: [{tablet: 0.5 mg, break: halves}, {odt: 0.125 mg}]
 *       most_pieces: 4
 *       cap: "25 % per 14 d"
 *
 * Products are of one kind: doses (tablet, odt, capsule, drops, solution), patches, or a pump's rate in steps
 * (infusion). A spare quantum of a day goes to the evening, the next to the morning (clonazepam reference, section
 * 7.1), further ones to the doses between, in the order of the clock. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "regimen/read.h"
#include "taper/inside.h"
#include "taper/products.h"

#define DAY  24.0
#define DAWN 4.0  /* a day's doses are told apart from four in the morning, so that midnight is an evening */
#define SAME 1e-6 /* [h] times nearer than this are one */

/* The forms a product has; what its strength is. */
static const struct form {
    const char *name;
    enum hl_taper_way way;
    bool breakable, measured;
    const char *example;
} forms[] = {
    {"tablet", HL_TAPER_DOSES, true, false, "0.5 mg"},      {"odt", HL_TAPER_DOSES, false, false, "0.125 mg"},
    {"capsule", HL_TAPER_DOSES, false, false, "0.5 mg"},    {"drops", HL_TAPER_DOSES, false, true, "0.1 mg"},
    {"solution", HL_TAPER_DOSES, false, true, "0.1 mg/mL"}, {"patch", HL_TAPER_PATCHES, false, false, "12.5 ug/h"},
    {"infusion", HL_TAPER_RATE, false, true, "5 ug/h"},
};

#define N_FORMS (sizeof forms / sizeof *forms)

/* ---- products */

static const struct form *form_of(struct hl_taper_reader *reader, const struct hl_yaml *node)
{
    const char *names[N_FORMS + 2], *all = "";
    const struct form *found = NULL;
    for (size_t i = 0; i < N_FORMS; i++) {
        names[i] = forms[i].name;
        all = hl_arena_printf(reader->arena, "%s%s%s", all, i ? ", " : "", forms[i].name);
    }
    names[N_FORMS] = "break";
    names[N_FORMS + 1] = "mark";
    if (!hl_yaml_check_keys(node, "a product", names, N_FORMS + 2, reader->diag))
        return NULL;
    for (size_t i = 0; i < N_FORMS; i++) {
        const struct hl_yaml *key = hl_yaml_key(node, forms[i].name);
        if (key && found) {
            hl_diag_error(reader->diag, key->pos, "a product is one thing, %s or %s; give the other a line of its own",
                          found->name, forms[i].name);
            return NULL;
        }
        if (key)
            found = &forms[i];
    }
    if (!found)
        hl_diag_error(reader->diag, node->pos, "a product is one of %s; write {tablet: 0.5 mg, break: halves}", all);
    return found;
}

static struct hl_dim strength_dim(const struct form *form)
{
    return strcmp(form->name, "solution") == 0 ? hl_dim_of("mg/L")
                                               : hl_dim_of(form->way == HL_TAPER_DOSES ? "mg" : "mg/h");
}

static bool read_break(struct hl_taper_reader *reader, const struct hl_yaml *node, const struct form *form,
                       struct hl_product *product)
{
    static const char *const words[] = {"whole", "halves", "quarters"};
    static const int pieces[] = {1, 2, 4};
    const struct hl_yaml *how = hl_yaml_get(node, "break");
    size_t index;
    product->pieces = 1;
    if (!how)
        return true;
    if (!form->breakable) {
        hl_diag_error(reader->diag, hl_yaml_key(node, "break")->pos, "break: is for tablets; this is %s %s",
                      strchr("aeiou", form->name[0]) ? "an" : "a", form->name);
        return false;
    }
    if (!hl_taper_read_word(reader, how, "way to break a tablet", words, 3, &index))
        return false;
    product->pieces = pieces[index];
    return true;
}

/* A solution is taken in whole marks of its syringe. */
static bool read_mark(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_product *product)
{
    const struct hl_yaml *mark = hl_yaml_get(node, "mark");
    bool solution = strcmp(product->form, "solution") == 0;
    double litres;
    if (mark && !solution)
        hl_diag_error(reader->diag, hl_yaml_key(node, "mark")->pos, "mark: is for a solution, taken by its syringe");
    else if (!mark && solution)
        hl_diag_error(reader->diag, node->pos,
                      "a solution needs mark:, the smallest volume its syringe shows, such as mark: 0.1 mL");
    else if (!mark)
        return true;
    else if (hl_item_read_positive(mark, hl_dim_of("L"), "a mark", "0.1 mL", &litres, reader->diag)) {
        product->per_mL = product->strength * 1e-3;
        product->strength *= litres;
        return true;
    }
    return false;
}

static bool read_product(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug,
                         struct hl_product *product)
{
    const struct form *form = form_of(reader, node);
    const struct hl_yaml *strength = form ? hl_yaml_get(node, form->name) : NULL;
    if (!form || !hl_item_read_positive(strength, strength_dim(form), "a strength", form->example, &product->strength,
                                        reader->diag))
        return false;
    product->form = form->name;
    product->measured = form->measured;
    product->pos = node->pos;
    bool broken = read_break(reader, node, form, product), marked = read_mark(reader, node, product);
    if (!broken || !marked)
        return false;
    bool solution = strcmp(form->name, "solution") == 0;
    product->name = hl_arena_printf(reader->arena, solution ? "%s %s, %s a mark" : "%s %s", strength->text,
                                    strcmp(form->name, "odt") == 0 ? "orally disintegrating tablet" : form->name,
                                    solution ? hl_yaml_get(node, "mark")->text : "");
    if (drug->n_products > 0 && drug->way != form->way) {
        hl_diag_error(reader->diag, node->pos, "the products of one drug are all doses, all patches or all a rate; "
                      "%s is not like %s", form->name, drug->product[0].form);
        return false;
    }
    drug->way = form->way;
    return true;
}

static bool read_products(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    size_t n = hl_list_size(node);
    bool good = n > 0;
    if (!good)
        hl_diag_error(reader->diag, node->pos, "products: names none; write [{tablet: 0.5 mg, break: halves}]");
    drug->product = hl_arena_alloc(reader->arena, n, sizeof *drug->product);
    for (size_t i = 0; i < n; i++) {
        struct hl_product product = {0};
        if (read_product(reader, hl_list_item(node, i), drug, &product))
            drug->product[drug->n_products++] = product;
        else
            good = false;
    }
    if (good && !hl_products_unit(drug)) {
        hl_diag_error(reader->diag, node->pos,
                      "these strengths have no common unit: they are taken in whole millionths of their own unit");
        good = false;
    }
    return good;
}

/* ---- route and period */

static bool fits(const struct hl_route *route, enum hl_taper_way way)
{
    return route->is_patch == (way == HL_TAPER_PATCHES);
}

static int usual_route(const struct hl_system *system, const struct hl_taper_drug *drug)
{
    int route = system->instance[drug->instance].default_route, iv = -1;
    for (size_t i = 0; i < system->n_routes; i++)
        if (system->route[i].instance == drug->instance && strcmp(system->route[i].name, "iv") == 0)
            iv = (int)i;
    if (drug->way == HL_TAPER_RATE)
        return iv;
    if (route >= 0 && fits(&system->route[route], drug->way))
        return route;
    for (size_t i = 0; i < system->n_routes; i++)
        if (system->route[i].instance == drug->instance && fits(&system->route[i], drug->way))
            return (int)i;
    return -1;
}

static bool read_route(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    const struct hl_yaml *named = hl_yaml_get(node, "route");
    const struct hl_system *system = reader->system;
    const char **name = hl_arena_alloc(reader->arena, system->n_routes, sizeof *name);
    char hint[128];
    size_t n = 0;
    for (size_t i = 0; i < system->n_routes; i++)
        if (system->route[i].instance == drug->instance)
            name[n++] = system->route[i].name;
    drug->route = named && named->kind == HL_YAML_SCALAR
                      ? hl_system_find_route(system, drug->instance, named->text)
                      : usual_route(system, drug);
    if (drug->route < 0 && named)
        hl_diag_error(reader->diag, named->pos, "%s has no route '%s'%s", drug->alias, named->text ? named->text : "",
                      named->text ? hl_text_did_you_mean(named->text, name, n, hint, sizeof hint) : "");
    else if (drug->route < 0)
        hl_diag_error(reader->diag, node->pos, "which route of %s takes these products? Say it with route:",
                      drug->alias);
    else if (!fits(&system->route[drug->route], drug->way))
        hl_diag_error(reader->diag, named ? named->pos : node->pos, "'%s' of %s %s a patch",
                      system->route[drug->route].name, drug->alias,
                      system->route[drug->route].is_patch ? "is" : "isn't");
    else
        return true;
    return false;
}

/* A day; of patches how long one is worn. */
static bool read_period(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    const struct hl_yaml *wear = hl_yaml_get(node, "wear");
    drug->period = DAY;
    if (wear && drug->way != HL_TAPER_PATCHES) {
        hl_diag_error(reader->diag, hl_yaml_key(node, "wear")->pos, "wear: is for patches");
        return false;
    }
    if (drug->way != HL_TAPER_PATCHES)
        return true;
    drug->period = reader->system->route[drug->route].default_wear;
    if (wear)
        return hl_item_read_duration(wear, "the time a patch is worn", &drug->period, reader->diag);
    if (!(drug->period > 0))
        hl_diag_error(reader->diag, node->pos, "how long is a patch worn? Add wear: 72 h");
    return drug->period > 0;
}

/* ---- day 0 */

/* When a dose's own time is over: the next one would be given then, the patch is off, the infusion has run. */
static double end_of(const struct hl_dose *dose)
{
    return dose->time + (dose->kind == HL_DOSE_GIVEN ? dose->repeat_interval : dose->duration);
}

/* Where what was taken before ends. */
static bool end_of_before(struct hl_taper_reader *reader, const struct hl_taper_drug *drug, double *end)
{
    const struct hl_regimen *before = reader->before;
    bool any = false;
    *end = 0;
    for (size_t i = 0; i < before->n_steady; i++)
        if (before->steady[i].instance == drug->instance) {
            *end = before->steady[i].time;
            any = true;
        }
    for (size_t i = 0; i < before->n_doses; i++)
        if (reader->system->route[before->dose[i].route].instance == drug->instance) {
            *end = any ? fmax(*end, end_of(&before->dose[i])) : end_of(&before->dose[i]);
            any = true;
        }
    if (!any)
        hl_diag_error(reader->diag, drug->pos, "before: says nothing of %s, which is to be tapered", drug->alias);
    else if (isinf(*end))
        hl_diag_error(reader->diag, drug->pos, "before: %s has no end; say where the taper begins with for:",
                      drug->alias);
    return any && isfinite(*end);
}

static void settle_day_zero(struct hl_taper_reader *reader, const struct hl_taper_drug *drug)
{
    struct hl_taper_problem *problem = reader->problem;
    double end;
    if (!reader->before || !end_of_before(reader, drug, &end))
        return;
    if (drug == &problem->drug[0])
        problem->begins = end;
    else if (fabs(end - problem->begins) > SAME)
        hl_diag_error(reader->diag, drug->pos,
                      "before: %s ends %g h after the study's start, %s %g h; a taper of several drugs begins at one "
                      "time", drug->alias, end, problem->drug[0].alias, problem->begins);
}

/* ---- the doses of a period */

static double mod(double hours, double period)
{
    double rest = fmod(hours, period);
    rest = rest < 0 ? rest + period : rest;
    return period - rest < SAME ? 0 : rest;
}

static double clock_of(const struct hl_taper_reader *reader, double offset)
{
    return mod(reader->study->origin + reader->problem->begins + offset, DAY);
}

static const char *part_of_day(double clock)
{
    return clock < 4 || clock >= 22 ? "night" : clock < 11 ? "morning" : clock < 14 ? "noon"
         : clock < 17 ? "afternoon" : "evening";
}

/* By part of the day, or by the clock where two doses would have the same name. */
static void name_doses(struct hl_taper_reader *reader, struct hl_taper_drug *drug)
{
    for (size_t i = 0; i < drug->n_doses; i++) {
        double clock = clock_of(reader, drug->dose[i].clock);
        bool shared = false;
        for (size_t j = 0; j < drug->n_doses; j++)
            shared = shared || (j != i && part_of_day(clock_of(reader, drug->dose[j].clock)) == part_of_day(clock));
        int minutes = (int)lround(clock * 60);
        drug->dose[i].name = shared ? hl_arena_printf(reader->arena, "%02d:%02d", minutes / 60 % 24, minutes % 60)
                                    : part_of_day(clock);
    }
}

/* The evening (latest after dawn), then the morning (earliest), then the others by the clock. */
static void order_spare(struct hl_taper_reader *reader, struct hl_taper_drug *drug)
{
    drug->spare = hl_arena_alloc(reader->arena, drug->n_doses, sizeof *drug->spare);
    bool *served = hl_arena_alloc(reader->arena, drug->n_doses, sizeof *served);
    for (size_t k = 0; k < drug->n_doses; k++) {
        size_t best = drug->n_doses;
        for (size_t i = 0; i < drug->n_doses; i++) {
            double at = mod(clock_of(reader, drug->dose[i].clock) - DAWN, DAY);
            double chosen = best < drug->n_doses ? mod(clock_of(reader, drug->dose[best].clock) - DAWN, DAY) : 0;
            if (!served[i] && (best == drug->n_doses || (k == 0 ? at > chosen : at < chosen)))
                best = i;
        }
        served[best] = true;
        drug->spare[k] = best;
    }
}

static void add_dose(struct hl_taper_reader *reader, struct hl_taper_drug *drug, double offset)
{
    struct hl_taper_dose *list = hl_arena_alloc(reader->arena, drug->n_doses + 1, sizeof *list);
    size_t at = 0;
    while (at < drug->n_doses && drug->dose[at].clock < offset)
        at++;
    for (size_t i = 0; i < drug->n_doses; i++)
        list[i < at ? i : i + 1] = drug->dose[i];
    list[at].clock = offset;
    drug->dose = list;
    drug->n_doses++;
}

static bool read_at(struct hl_taper_reader *reader, const struct hl_yaml *at, struct hl_taper_drug *drug)
{
    bool good = hl_list_size(at) > 0 && hl_list_size(at) <= HL_TAPER_STREAMS;
    if (!good)
        hl_diag_error(reader->diag, at->pos, "expected up to %d clock times such as [\"08:00\", \"20:00\"]",
                      HL_TAPER_STREAMS);
    for (size_t i = 0; good && i < hl_list_size(at); i++) {
        double clock = 0;
        const struct hl_yaml *node = hl_list_item(at, i);
        good = hl_item_read_clock(node, &clock, reader->diag);
        double offset = mod(clock - reader->study->origin - reader->problem->begins, DAY);
        for (size_t j = 0; good && j < drug->n_doses; j++)
            if (fabs(drug->dose[j].clock - offset) < SAME) {
                hl_diag_error(reader->diag, node->pos, "clock time %s is there twice", node->text);
                good = false;
            }
        if (good)
            add_dose(reader, drug, offset);
    }
    return good;
}

static bool read_split(struct hl_taper_reader *reader, const struct hl_yaml *split, struct hl_taper_drug *drug)
{
    static const char *const words[] = {"qd", "bid", "tid", "qid"};
    size_t index;
    if (!hl_taper_read_word(reader, split, "split", words, 4, &index))
        return false;
    for (size_t i = 0; i <= index; i++)
        add_dose(reader, drug, (double)i * DAY / (double)(index + 1));
    return true;
}

/* Where nothing is said: the times of the last period before day 0. */
static bool copy_times(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    const struct hl_regimen *before = reader->before;
    double end = reader->problem->begins;
    for (size_t i = 0; before && i < before->n_doses && drug->n_doses < HL_TAPER_STREAMS; i++) {
        const struct hl_dose *dose = &before->dose[i];
        if (reader->system->route[dose->route].instance == drug->instance && dose->time >= end - DAY - SAME &&
            dose->time < end - SAME)
            add_dose(reader, drug, mod(dose->time - end, DAY));
    }
    if (drug->n_doses == 0 && before)
        hl_diag_error(reader->diag, node->pos, "when is %s taken? Write at: [\"08:00\", \"20:00\"] or split: bid",
                      drug->alias);
    return drug->n_doses > 0;
}

static bool read_doses(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    const struct hl_yaml *at = hl_yaml_get(node, "at"), *split = hl_yaml_get(node, "split");
    const struct hl_yaml *key = at ? hl_yaml_key(node, "at") : split ? hl_yaml_key(node, "split") : NULL;
    if (drug->way != HL_TAPER_DOSES && key) {
        hl_diag_error(reader->diag, key->pos, "%s: is for doses; %s", key->text,
                      drug->way == HL_TAPER_PATCHES ? "patches are changed every wear:" : "an infusion runs on");
        return false;
    }
    bool good = true;
    if (drug->way != HL_TAPER_DOSES)
        add_dose(reader, drug, 0);
    else if (at && split) {
        hl_diag_error(reader->diag, hl_yaml_key(node, "split")->pos, "at: and split: both say when; leave one out");
        good = false;
    } else
        good = at ? read_at(reader, at, drug) : split ? read_split(reader, split, drug)
                                                      : copy_times(reader, node, drug);
    if (!good || drug->n_doses == 0)
        return false;
    if (reader->problem->n_streams + drug->n_doses > HL_TAPER_STREAMS) {
        hl_diag_error(reader->diag, node->pos, "more than the most of %d doses a period", HL_TAPER_STREAMS);
        return false;
    }
    name_doses(reader, drug);
    order_spare(reader, drug);
    drug->first_stream = reader->problem->n_streams;
    reader->problem->n_streams += drug->n_doses;
    return true;
}

/* ---- the start */

/* What was given in the last period before day 0: a day's amount, the patches worn, the rate that ran. */
static double given_before(const struct hl_taper_reader *reader, const struct hl_taper_drug *drug)
{
    const struct hl_regimen *before = reader->before;
    double end = reader->problem->begins, total = 0;
    bool any = false;
    for (size_t i = 0; i < before->n_doses; i++) {
        const struct hl_dose *dose = &before->dose[i];
        if (reader->system->route[dose->route].instance != drug->instance)
            continue;
        any = true;
        bool last = drug->way == HL_TAPER_DOSES ? dose->time >= end - drug->period - SAME && dose->time < end - SAME
                                                : end_of(dose) >= end - SAME;
        if (last)
            total += drug->way == HL_TAPER_RATE ? dose->rate : dose->amount;
    }
    for (size_t i = 0; !any && i < before->n_steady; i++)
        for (size_t k = 0; before->steady[i].instance == drug->instance && k < before->steady[i].n; k++) {
            const struct hl_dose *dose = &before->steady[i].dose[k];
            total += drug->way == HL_TAPER_RATE ? dose->rate
                     : drug->way == HL_TAPER_PATCHES
                         ? dose->amount
                         : dose->amount * drug->period / before->steady[i].period;
        }
    return total;
}

static const char *per_text(const struct hl_taper_reader *reader, const struct hl_taper_drug *drug, double total)
{
    char number[40];
    bool rate = drug->way != HL_TAPER_DOSES;
    return hl_arena_printf(reader->arena, rate ? "%s ug/h" : "%s mg/d",
                           hl_taper_number(rate ? total * 1e3 : total, number, sizeof number));
}

/* The start in units, as it is shared among the doses. */
static bool share_start(struct hl_taper_reader *reader, const struct hl_yaml *from, struct hl_taper_drug *drug,
                        double total)
{
    struct hl_doses doses;
    struct hl_splits splits;
    long units;
    drug->start = hl_arena_alloc(reader->arena, drug->n_doses, sizeof *drug->start);
    if (!hl_products_units(drug, total, &units)) {
        hl_diag_error(reader->diag, from->pos, "from: %s isn't a whole number of %s, the smallest step of the "
                      "products; give smaller pieces or another start", per_text(reader, drug, total),
                      hl_taper_amount_text(reader->arena, drug, 1));
        return false;
    }
    if (hl_doses_make(reader->arena, drug, units, &doses) != HL_OK ||
        hl_splits_make(reader->arena, drug, &doses, &splits) != HL_OK ||
        !hl_splits_share(&splits, units, drug->start)) {
        hl_diag_error(reader->diag, from->pos, "from: %s can't be made of these products in %zu dose%s%s",
                      per_text(reader, drug, total), drug->n_doses, drug->n_doses == 1 ? "" : "s",
                      drug->most_pieces ? " with most_pieces: so few" : "");
        return false;
    }
    return true;
}

static bool read_from(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    const struct hl_yaml *from = hl_yaml_get(node, "from");
    bool doses = drug->way == HL_TAPER_DOSES;
    double rate;
    if (!from) {
        hl_diag_error(reader->diag, node->pos, "%s: what was taken before? Write from: %s", drug->alias,
                      doses ? "2 mg/d" : "50 ug/h");
        return false;
    }
    if (!hl_item_read_positive(from, hl_dim_of("mg/h"), "the amount before", doses ? "2 mg/d" : "50 ug/h", &rate,
                               reader->diag))
        return false;
    double total = doses ? rate * drug->period : rate;
    double given = reader->before ? given_before(reader, drug) : total;
    if (fabs(given - total) > 1e-6 * total) {
        hl_diag_error(reader->diag, from->pos, "from: %s, but before: ends with %s", per_text(reader, drug, total),
                      per_text(reader, drug, given));
        return false;
    }
    return share_start(reader, from, drug, total);
}

/* "25 % per 14 d", or none. */
static bool read_cap(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    if (!node || hl_is_word(node, "none"))
        return true;
    const char *text = hl_yaml_text(node, "a cap such as \"25 % per 14 d\", or none", reader->diag);
    const char *per = text ? strstr(text, " per ") : NULL;
    if (text && !per)
        hl_diag_error(reader->diag, node->pos, "expected a cap such as \"25 %% per 14 d\", or none, found \"%s\"",
                      text);
    if (!per)
        return false;
    struct hl_yaml left = *node, right = *node;
    double hours = 0;
    left.text = hl_arena_strndup(reader->arena, text, (size_t)(per - text));
    right.text = per + strlen(" per ");
    right.pos = hl_pos_shift(node->pos, (int)(right.text - text));
    bool good = hl_item_read_fraction(&left, "a cap", false, &drug->cap, reader->diag);
    good = hl_item_read_duration(&right, "the time of a cap", &hours, reader->diag) && good;
    drug->has_cap = good;
    drug->cap_days = hours / DAY;
    return good;
}

static bool read_most(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    size_t most;
    if (!node)
        return true;
    if (!hl_item_read_count(node, "the most pieces of one dose", &most, reader->diag))
        return false;
    drug->most_pieces = (long)most;
    return true;
}

static void read_drug(struct hl_taper_reader *reader, const struct hl_yaml *node, struct hl_taper_drug *drug)
{
    static const char *const keys[] = {"from", "at", "split", "products", "most_pieces", "cap", "route", "wear"};
    const char *what = hl_arena_printf(reader->arena, "the taper of %s", drug->alias);
    if (!hl_yaml_check_keys(node, what, keys, sizeof keys / sizeof *keys, reader->diag))
        return;
    const struct hl_yaml *products = hl_yaml_get(node, "products");
    if (!products)
        hl_diag_error(reader->diag, node->pos, "%s: what can be taken? Write products: [{tablet: 0.5 mg, break: "
                      "halves}]", drug->alias);
    bool good = read_most(reader, hl_yaml_get(node, "most_pieces"), drug);
    good = read_cap(reader, hl_yaml_get(node, "cap"), drug) && good;
    if (!products || !read_products(reader, products, drug) || !good)
        return;
    settle_day_zero(reader, drug);
    if (read_route(reader, node, drug) && read_period(reader, node, drug) && read_doses(reader, node, drug))
        read_from(reader, node, drug);
}

void hl_taper_read_drugs(struct hl_taper_reader *reader, const struct hl_yaml *node)
{
    const struct hl_system *system = reader->system;
    const char **name = hl_arena_alloc(reader->arena, system->n_instances, sizeof *name);
    struct hl_taper_problem *problem = reader->problem;
    size_t n = 0;
    for (size_t i = 0; i < system->n_instances; i++)
        if (system->instance[i].is_drug)
            name[n++] = system->instance[i].alias;
    if (!hl_yaml_check_keys(node, "taper (drugs of the study that go down)", name, n, reader->diag))
        return;
    if (node->n == 0 || node->n > HL_TAPER_DRUGS)
        hl_diag_error(reader->diag, node->pos, "taper: expected one to %d drugs that go down together",
                      HL_TAPER_DRUGS);
    for (size_t i = 0; i < node->n && i < HL_TAPER_DRUGS; i++) {
        int instance = hl_system_find_instance(system, node->key[i]->text);
        if (instance < 0 || !system->instance[instance].is_drug)
            continue;
        struct hl_taper_drug *drug = &problem->drug[problem->n_drugs++];
        drug->alias = system->instance[instance].alias;
        drug->instance = instance;
        drug->pos = node->key[i]->pos;
        read_drug(reader, node->item[i], drug);
    }
}
