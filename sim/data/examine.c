/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of a record (docs/data-sets.md has them as a table). What NONMEM refuses, or what can't be meant, is an
 * error; what is legal and without effect is a warning. A rule is silent where an item it needs couldn't be read: that
 * was said already. Rules that need parameters (F above 0, lags against II) belong to solve/. */
#include <stdio.h>
#include <string.h>

#include "data/inside.h"

static bool is_missing(const struct hl_data_set *set, enum hl_item item)
{
    return set->at[item] < 0 || set->cell[set->at[item]].kind == HL_CELL_MISSING;
}

static bool is_stated(const struct hl_data_set *set, enum hl_item item)
{
    return !is_missing(set, item) && set->cell[set->at[item]].kind == HL_CELL_NUMBER &&
           set->cell[set->at[item]].number != 0.0;
}

/* The column to point at: that of the first item that the file has. */
static int column_of(const struct hl_data_set *set, enum hl_item first, enum hl_item second)
{
    return set->at[first] >= 0 ? set->at[first] : set->at[second];
}

static const char *written(const struct hl_data_set *set, enum hl_item item)
{
    return set->at[item] < 0 ? "missing" : is_missing(set, item) ? "missing" : set->cell[set->at[item]].text;
}

/* ---- Records that take no dose ---- */

static const char *event_words(int EVID)
{
    return EVID == HL_EVID_OBSERVE ? "an observation" : EVID == HL_EVID_RESET ? "a reset" : "an event of another kind";
}

static void refuse_dose_items(struct hl_data_set *set)
{
    static const enum hl_item items[] = {HL_ITEM_AMT, HL_ITEM_RATE, HL_ITEM_DUR, HL_ITEM_ADDL, HL_ITEM_II, HL_ITEM_SS};
    char list[160] = "";
    size_t n = 0;
    int first = -1, EVID = set->record.EVID;
    for (size_t i = EVID == HL_EVID_REPLACE ? 1 : 0; i < sizeof items / sizeof *items; i++)
        if (is_stated(set, items[i]) && n + 1 < sizeof list) {
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s %.16s", n ? ", " : "", hl_items[items[i]].name,
                                  set->cell[set->at[items[i]]].text);
            first = first < 0 ? set->at[items[i]] : first;
        }
    if (first >= 0 && EVID == HL_EVID_REPLACE)
        hl_data_fault(set, first, "%s on EVID 8, which only sets the amount in CMT to AMT; expected 0 or nothing there",
                      list);
    else if (first >= 0)
        hl_data_fault(set, first,
                      "%s on EVID %d, %s, which takes no dose items; expected 0 or nothing there, or EVID %s", list,
                      EVID, event_words(EVID), EVID == HL_EVID_RESET ? "4" : "1");
}

static void examine_replacement(struct hl_data_set *set)
{
    int route;
    if (is_missing(set, HL_ITEM_AMT))
        hl_data_fault(set, column_of(set, HL_ITEM_AMT, HL_ITEM_EVID),
                      "EVID 8 without AMT; expected the amount that CMT is to hold (0 empties it)");
    if (set->system && set->record.CMT == 0 && !set->bad[HL_ITEM_CMT] &&
        hl_data_default_compartment(set->system, &route) < 0)
        hl_data_fault(
            set, column_of(set, HL_ITEM_CMT, HL_ITEM_EVID),
            "EVID 8 without CMT; a dose without CMT enters this model in several places, so say which amount is "
            "to be replaced");
    refuse_dose_items(set);
}

/* ---- Doses ---- */

static void examine_series(struct hl_data_set *set)
{
    const struct hl_record *r = &set->record;
    if (set->bad[HL_ITEM_ADDL] || set->bad[HL_ITEM_II])
        return;
    if (r->ADDL > 0 && r->II == 0.0 && r->SS == 0)
        hl_data_fault(set, set->at[HL_ITEM_ADDL], "ADDL %s without II: expected the interval between the doses (II %s)",
                      written(set, HL_ITEM_ADDL), written(set, HL_ITEM_II));
    if (r->II > 0.0 && r->ADDL == 0 && r->SS == 0 && !set->bad[HL_ITEM_SS])
        hl_data_remark(set, &set->remark[HL_REMARK_IDLE_II], HL_WARNING, hl_data_pos(set, set->at[HL_ITEM_II]),
                       "II %s has no effect without ADDL or SS: this dose is given once", written(set, HL_ITEM_II));
}

/* AMT 0 at steady state is a constant infusion that ends here. */
static void examine_constant_infusion(struct hl_data_set *set)
{
    const struct hl_record *r = &set->record;
    if (r->RATE == -2.0)
        hl_data_fault(set, set->at[HL_ITEM_RATE],
                      "RATE -2 with AMT %s and SS %d: a constant infusion has no duration; "
                      "expected a rate or -1",
                      written(set, HL_ITEM_AMT), r->SS);
    if (r->ADDL > 0)
        hl_data_fault(set, set->at[HL_ITEM_ADDL],
                      "ADDL %s on a constant infusion (AMT %s, SS %d), which ends at its "
                      "record; expected 0",
                      written(set, HL_ITEM_ADDL), written(set, HL_ITEM_AMT), r->SS);
    if (r->II > 0.0)
        hl_data_fault(set, set->at[HL_ITEM_II],
                      "II %s on a constant infusion (AMT %s, SS %d): expected 0, or an AMT for "
                      "an infusion every II",
                      written(set, HL_ITEM_II), written(set, HL_ITEM_AMT), r->SS);
}

static void examine_steady_state(struct hl_data_set *set)
{
    const struct hl_record *r = &set->record;
    if (set->bad[HL_ITEM_SS] || set->bad[HL_ITEM_II] || set->bad[HL_ITEM_ADDL] || set->bad[HL_ITEM_AMT] ||
        set->bad[HL_ITEM_RATE] || set->bad[HL_ITEM_DUR])
        return;
    if (r->AMT > 0.0 && r->II == 0.0)
        hl_data_fault(set, column_of(set, HL_ITEM_II, HL_ITEM_SS),
                      "SS %d with AMT %s and II %s: expected the interval "
                      "between the doses of the steady state",
                      r->SS, written(set, HL_ITEM_AMT), written(set, HL_ITEM_II));
    if (r->AMT > 0.0 || r->DUR > 0.0)
        return;
    if (r->RATE == 0.0)
        hl_data_fault(set, set->at[HL_ITEM_SS],
                      "SS %d with AMT %s and RATE %s: there is no dose to be at steady state "
                      "with",
                      r->SS, written(set, HL_ITEM_AMT), written(set, HL_ITEM_RATE));
    else
        examine_constant_infusion(set);
}

static void examine_amount(struct hl_data_set *set)
{
    const struct hl_record *r = &set->record;
    if (set->bad[HL_ITEM_AMT] || set->bad[HL_ITEM_RATE] || set->bad[HL_ITEM_DUR] || set->bad[HL_ITEM_SS])
        return;
    if (r->AMT == 0.0 && r->DUR > 0.0)
        hl_data_fault(set, set->at[HL_ITEM_DUR], "DUR %s with AMT %s: expected the amount that is infused in that time",
                      written(set, HL_ITEM_DUR), written(set, HL_ITEM_AMT));
    else if (r->AMT == 0.0 && r->RATE != 0.0 && r->SS == 0)
        hl_data_fault(set, set->at[HL_ITEM_RATE],
                      "RATE %s with AMT %s: an infusion without an amount never ends; "
                      "expected an AMT, or SS 1 for one at steady state",
                      written(set, HL_ITEM_RATE), written(set, HL_ITEM_AMT));
    else if (r->RATE == 0.0 && r->SS == 0 && is_missing(set, HL_ITEM_AMT))
        hl_data_fault(set, column_of(set, HL_ITEM_AMT, HL_ITEM_EVID),
                      "the dose has no AMT; expected an amount (0 if nothing is given)");
}

/* ---- What the model must state ---- */

static bool states(const struct hl_route_part *part, double RATE)
{
    return (RATE == -1.0 ? part->rate_reg : part->duration_reg) >= 0;
}

static void examine_route(struct hl_data_set *set)
{
    const struct hl_record *r = &set->record;
    const struct hl_system *system = set->system;
    int route, index = r->compartment;
    if (index >= 0)
        route = system->compartment[index].route;
    else
        hl_data_default_compartment(system, &route);
    const struct hl_route *way = route >= 0 ? &system->route[route] : NULL;
    if (way && way->is_patch && !set->said_patch) {
        set->said_patch = true;
        hl_data_fault(
            set, column_of(set, HL_ITEM_CMT, HL_ITEM_EVID),
            "a dose without CMT goes by the model's default route '%s', which is a patch: data sets can't dose "
            "patches; name a compartment in CMT",
            way->name);
    }
    bool *said = r->RATE == -1.0 ? set->said_rate : set->said_duration;
    if ((r->RATE != -1.0 && r->RATE != -2.0) || said[index + 1] || (way && way->is_patch))
        return;
    bool stated = way != NULL;
    for (size_t i = 0; way && i < way->n_parts; i++)
        stated = stated && states(&way->part[i], r->RATE);
    if (stated)
        return;
    said[index + 1] = true;
    const char *key = r->RATE == -1.0 ? "rate" : "duration";
    if (index >= 0)
        hl_data_fault(set, set->at[HL_ITEM_RATE],
                      "RATE %g takes the %s from the model, but no route into compartment %s "
                      "that a data set can use states one; add '%s:' to it",
                      r->RATE, key, system->compartment[index].name, key);
    else
        hl_data_fault(set, set->at[HL_ITEM_RATE],
                      "RATE %g takes the %s from the model, but its default route%s%s "
                      "states none; add '%s:' to it, or name a compartment in CMT",
                      r->RATE, key, way ? " " : "", way ? way->name : "", key);
}

static void examine_dose(struct hl_data_set *set)
{
    const struct hl_record *r = &set->record;
    static const enum hl_item items[] = {HL_ITEM_AMT, HL_ITEM_RATE, HL_ITEM_DUR, HL_ITEM_ADDL, HL_ITEM_II, HL_ITEM_SS};
    bool any = false;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        any = any || is_stated(set, items[i]) || set->bad[items[i]];
    if (!any) {
        hl_data_fault(set, column_of(set, HL_ITEM_EVID, HL_ITEM_TIME),
                      "EVID %d is a dose, but AMT is %s and every other "
                      "dose item (RATE, DUR, ADDL, II, SS) is 0 or missing; EVID 2 is an event without a dose",
                      r->EVID, written(set, HL_ITEM_AMT));
        return;
    }
    examine_series(set);
    if (r->SS > 0)
        examine_steady_state(set);
    examine_amount(set);
    if (set->system && !set->bad[HL_ITEM_CMT] && !set->bad[HL_ITEM_RATE])
        examine_route(set);
}

static void count_record(struct hl_data_set *set)
{
    const struct hl_record *r = &set->record;
    struct hl_data_facts *facts = &set->facts;
    bool dose = r->EVID == HL_EVID_DOSE || r->EVID == HL_EVID_RESET_DOSE;
    facts->observations += r->EVID == HL_EVID_OBSERVE;
    facts->doses += dose;
    if (dose || r->EVID == HL_EVID_REPLACE) {
        if (r->compartment >= 0)
            facts->dosed[r->compartment] = true;
        else
            facts->default_dosed = true;
    }
    if (r->EVID == HL_EVID_OBSERVE && r->compartment >= 0)
        facts->observed[r->compartment] = true;
}

void hl_data_examine(struct hl_data_set *set)
{
    int EVID = set->record.EVID;
    count_record(set);
    if (set->bad[HL_ITEM_EVID])
        return;
    if (EVID == HL_EVID_DOSE || EVID == HL_EVID_RESET_DOSE)
        examine_dose(set);
    else if (EVID == HL_EVID_REPLACE)
        examine_replacement(set);
    else
        refuse_dose_items(set);
}
