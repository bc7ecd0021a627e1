/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row becomes a record: items resolved, engine's units, compartments found.
 *
 * EVID that is missing is derived: 1 when a dose item isn't zero, else 0. MDV that is missing is 1 for EVID 1 to 4 and
 * 8 and where DV is missing, else 0. A dose item that is missing is no dose item; nothing else missing becomes a
 * number.
 *
 * DUR. NONMEM has no such item; rxode2 has, and there a given duration holds while F changes the rate, as it does for
 * NONMEM's RATE -2. So does it here: record.DUR is what was written, and record.RATE = AMT/DUR is the rate for F = 1.
 * (mrgsolve turns its tinf into RATE = AMT/tinf at once; with F other than 1 its infusions last F*tinf.) RATE beside
 * DUR must agree with AMT/DUR within the rounding of a printed table, 0.1 %.
 *
 * Amounts in moles become mg by the molar mass of the drug whose compartment receives them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "data/inside.h"

#define RATE_ROUNDING 1e-3               /* RATE and AMT/DUR of a table printed with three digits or more */
#define MOST_WHOLE    9007199254740992.0 /* 2^53: beyond, a double is no longer a count */

/* ---- Items ---- */

/* A whole number from low to high; 0 (or fallback) when it is missing. */
static double read_whole(struct hl_data_set *set, enum hl_item item, double low, double high, double fallback,
                         const char *expected)
{
    double value;
    if (!hl_data_number(set, item, &value))
        return fallback;
    if (value == floor(value) && value >= low && value <= high)
        return value;
    hl_data_fault(set, set->at[item], "%s is '%s'; expected %s", hl_items[item].name, set->cell[set->at[item]].text,
                  expected);
    set->bad[item] = true;
    return fallback;
}

/* A duration: a number in the column's unit, or "1:30". */
static double read_duration(struct hl_data_set *set, enum hl_item item)
{
    int c = set->at[item];
    double value = 0.0, seconds;
    if (c < 0)
        return 0.0;
    if (set->cell[c].kind == HL_CELL_TEXT && hl_clock_read(set->cell[c].text, &seconds)) {
        value = seconds / 3600.0;
        set->column_value[c] = value;
    } else if (hl_data_number(set, item, &value)) {
        value *= set->column[c].factor;
    }
    if (value >= 0.0)
        return value;
    hl_data_fault(set, c, "%s is '%s'; expected a time of 0 or more", hl_items[item].name, set->cell[c].text);
    set->bad[item] = true;
    return 0.0;
}

/* ---- The compartment ---- */

static const char *bare_name(const char *dotted)
{
    const char *dot = strrchr(dotted, '.');
    return dot ? dot + 1 : dotted;
}

static const char *list_compartments(const struct hl_system *system, char *buffer, size_t size)
{
    size_t n = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < system->n_compartments && n + 1 < size; i++)
        n += (size_t)snprintf(buffer + n, size - n, "%s%zu %s", n ? ", " : "", i + 1,
                              system->n_instances > 1 ? system->compartment[i].name
                                                      : bare_name(system->compartment[i].name));
    return buffer;
}

static void fault_compartment(struct hl_data_set *set, int column)
{
    char list[300];
    hl_data_fault(set, column, "CMT '%s' is outside the model; its compartment%s %s", set->cell[column].text,
                  set->system->n_compartments == 1 ? " is" : "s are",
                  list_compartments(set->system, list, sizeof list));
    set->bad[HL_ITEM_CMT] = true;
}

/* CMT by name, with a minus before it for "off"; 0 after a fault or when there is no model. */
static double compartment_by_name(struct hl_data_set *set, int column)
{
    const char *text = set->cell[column].text, *name = text + (*text == '-');
    const struct hl_system *system = set->system;
    int found = 0, n = 0;
    for (size_t i = 0; system && i < system->n_compartments; i++)
        if (strcasecmp(name, system->compartment[i].name) == 0 ||
            strcasecmp(name, bare_name(system->compartment[i].name)) == 0) {
            found = (int)i + 1;
            n++;
        }
    if (system && n == 0 && !set->bad[HL_ITEM_CMT])
        fault_compartment(set, column);
    if (n > 1) {
        hl_data_fault(set, column, "several drugs have a compartment '%s'; write it with its drug, as in %s", name,
                      system->compartment[found - 1].name);
        set->bad[HL_ITEM_CMT] = true;
    }
    return n == 1 ? (*text == '-' ? -found : found) : 0.0;
}

/* Whether the study says what an observation with this number shows. */
static bool is_shown(const struct hl_data_set *set, int number)
{
    for (size_t i = 0; i < set->spec->n_shown; i++)
        if (set->spec->shown[i].number == number)
            return true;
    return false;
}

static void read_compartment(struct hl_data_set *set)
{
    struct hl_record *r = &set->record;
    int column = set->at[HL_ITEM_CMT];
    double number = 0.0;
    r->compartment = -1;
    if (column < 0 || set->cell[column].kind == HL_CELL_MISSING)
        return;
    if (set->cell[column].kind == HL_CELL_TEXT)
        number = compartment_by_name(set, column);
    else
        number = read_whole(set, HL_ITEM_CMT, -1e6, 1e6, 0.0, "the whole number or the name of a compartment");
    r->CMT = (int)number;
    if (r->CMT < 0 && r->EVID != HL_EVID_OTHER && !set->bad[HL_ITEM_EVID]) {
        hl_data_fault(set, column, "CMT %d switches a compartment off, which only EVID 2 does; this record has EVID %d",
                      r->CMT, r->EVID);
        return;
    }
    int index = abs(r->CMT) - 1;
    bool ignored = r->EVID == HL_EVID_RESET || (r->EVID == HL_EVID_OBSERVE && is_shown(set, r->CMT));
    bool inside = set->system && index >= 0 && (size_t)index < set->system->n_compartments;
    if (set->system && index >= 0 && !inside && !ignored)
        fault_compartment(set, column);
    r->off = r->CMT < 0;
    r->compartment = inside ? index : -1;
}

/* ---- Amounts ---- */

int hl_data_default_compartment(const struct hl_system *system, int *route)
{
    const struct hl_system_instance *drug = NULL;
    *route = -1;
    for (size_t i = 0; i < system->n_instances && !drug; i++)
        drug = system->instance[i].is_drug ? &system->instance[i] : NULL;
    if (drug && drug->default_route >= 0) {
        const struct hl_route *r = &system->route[drug->default_route];
        *route = drug->default_route;
        for (size_t i = 0; r->n_parts == 1 && i < system->n_compartments; i++)
            if (system->compartment[i].state == r->part[0].state)
                return (int)i;
        return -1;
    }
    for (size_t i = 0; drug && i < system->n_compartments; i++)
        if (system->compartment[i].output == drug->default_output) {
            *route = system->compartment[i].route;
            return (int)i;
        }
    return -1;
}

/* mg per nmol of the drug that this record doses; 0 when its model doesn't state it. */
static double molar_mass(const struct hl_data_set *set)
{
    const struct hl_system *system = set->system;
    int route, index = set->record.compartment;
    if (index >= 0)
        return system->instance[system->compartment[index].instance].model->molar_mass;
    index = hl_data_default_compartment(system, &route);
    int instance = route >= 0 ? system->route[route].instance : index >= 0 ? system->compartment[index].instance : 0;
    return system->instance[instance].model->molar_mass;
}

/* The factor of a column of amounts or rates to mg or mg/h. */
static double amount_factor(struct hl_data_set *set, enum hl_item item)
{
    const struct hl_column *column = &set->column[set->at[item]];
    double mass = 1.0;
    if (column->moles && set->system)
        mass = molar_mass(set);
    if (mass > 0.0)
        return column->factor * mass;
    if (!set->said_moles)
        hl_data_fault(set, set->at[item],
                      "%s is in %s, but the model states no molar_mass to turn moles into mg; add it "
                      "to the model or give amounts as a mass",
                      hl_items[item].name, set->info[set->at[item]].unit_text);
    set->said_moles = true;
    set->bad[item] = true;
    return 1.0;
}

static void read_amount(struct hl_data_set *set)
{
    double value;
    set->record.AMT = 0.0;
    if (!hl_data_number(set, HL_ITEM_AMT, &value))
        return;
    if (value < 0.0) {
        hl_data_fault(set, set->at[HL_ITEM_AMT], "AMT is '%s'; an amount is 0 or more",
                      set->cell[set->at[HL_ITEM_AMT]].text);
        set->bad[HL_ITEM_AMT] = true;
        return;
    }
    if (value > 0.0)
        set->record.AMT = value * amount_factor(set, HL_ITEM_AMT);
}

/* -1 and -2 are codes, whatever the unit. */
static void read_rate(struct hl_data_set *set)
{
    double value;
    set->record.RATE = 0.0;
    if (!hl_data_number(set, HL_ITEM_RATE, &value))
        return;
    int column = set->at[HL_ITEM_RATE];
    if (value >= 0.0 || value == -1.0 || value == -2.0) {
        set->record.RATE = value > 0.0 ? value * amount_factor(set, HL_ITEM_RATE) : value;
        return;
    }
    hl_data_fault(set, column,
                  "RATE is '%s'; expected 0 (bolus), a rate above 0, -1 (the model's rate) or -2 (the "
                  "model's duration)",
                  set->cell[column].text);
    set->bad[HL_ITEM_RATE] = true;
}

/* DUR beside AMT and RATE. */
static void read_stated_duration(struct hl_data_set *set)
{
    struct hl_record *r = &set->record;
    int column = set->at[HL_ITEM_DUR];
    r->DUR = read_duration(set, HL_ITEM_DUR);
    if (r->DUR == 0.0 || set->bad[HL_ITEM_RATE] || set->bad[HL_ITEM_AMT] || r->AMT == 0.0)
        return;
    double rate = r->AMT / r->DUR;
    if (r->RATE < 0.0) {
        hl_data_fault(set, column,
                      "DUR %s states a duration, but RATE %g asks the model for it; leave one of them away "
                      "(a duration that the model reads as a covariate needs another column name)",
                      set->cell[column].text, r->RATE);
        set->bad[HL_ITEM_DUR] = true;
    } else if (r->RATE > 0.0 && fabs(r->RATE - rate) > RATE_ROUNDING * rate) {
        hl_data_fault(set, column,
                      "DUR %s and RATE %s disagree: this amount takes %g h at that rate; leave one of them "
                      "away",
                      set->cell[column].text, set->cell[set->at[HL_ITEM_RATE]].text, r->AMT / r->RATE);
        set->bad[HL_ITEM_DUR] = true;
    }
    r->RATE = rate;
}

/* ---- Event ---- */

static bool is_dose_item(enum hl_item item)
{
    return item == HL_ITEM_AMT || item == HL_ITEM_RATE || item == HL_ITEM_DUR || item == HL_ITEM_ADDL ||
           item == HL_ITEM_II || item == HL_ITEM_SS;
}

/* Whether some dose item isn't zero (an unreadable one was meant to be something). */
static bool has_dose_items(const struct hl_data_set *set)
{
    for (int item = 0; item < HL_N_ITEMS; item++) {
        int c = is_dose_item((enum hl_item)item) ? set->at[item] : -1;
        if (c >= 0 &&
            (set->cell[c].kind == HL_CELL_TEXT || (set->cell[c].kind == HL_CELL_NUMBER && set->cell[c].number != 0.0)))
            return true;
    }
    return false;
}

static void read_event(struct hl_data_set *set)
{
    int column = set->at[HL_ITEM_EVID];
    set->record.EVID = has_dose_items(set) ? HL_EVID_DOSE : HL_EVID_OBSERVE;
    if (column >= 0 && set->cell[column].kind == HL_CELL_MISSING)
        hl_data_remark(set, &set->remark[HL_REMARK_EVID], HL_NOTE, hl_data_pos(set, column),
                       "EVID is missing and taken to be %d, because %s dose item differs from 0", set->record.EVID,
                       set->record.EVID ? "a" : "no");
    double value;
    if (!hl_data_number(set, HL_ITEM_EVID, &value))
        return;
    if (value == 0.0 || value == 1.0 || value == 2.0 || value == 3.0 || value == 4.0 || value == 8.0) {
        set->record.EVID = (int)value;
        return;
    }
    bool rxode = value == 5.0 || value == 6.0 || value == 7.0;
    hl_data_fault(set, column,
                  "EVID is '%s'; expected 0 (observation), 1 (dose), 2 (other), 3 (reset), 4 (reset and "
                  "dose) or 8 (replace)%s",
                  set->cell[column].text, rxode ? "; 5, 6 and 7 are rxode2's, and its 5 (replace) is 8 here" : "");
    set->bad[HL_ITEM_EVID] = true;
}

static void read_observation(struct hl_data_set *set)
{
    struct hl_record *r = &set->record;
    bool has_DV = set->at[HL_ITEM_DV] >= 0;
    r->DV = NAN;
    hl_data_number(set, HL_ITEM_DV, &r->DV);
    double derived = r->EVID != HL_EVID_OBSERVE || (has_DV && isnan(r->DV)) ? 1.0 : 0.0, value;
    r->MDV = (int)derived;
    if (hl_data_number(set, HL_ITEM_MDV, &value)) {
        /* 100 and 101 are 0 and 1 that NONMEM leaves out of an estimation (7.3 and later) */
        bool known = value == 0.0 || value == 1.0 || value == 100.0 || value == 101.0;
        if (!known)
            hl_data_fault(set, set->at[HL_ITEM_MDV], "MDV is '%s'; expected 0 or 1",
                          set->cell[set->at[HL_ITEM_MDV]].text);
        r->MDV = known ? (int)value % 100 : r->MDV;
    }
    if (r->EVID != HL_EVID_OBSERVE)
        r->MDV = 1;
    r->DVID = (int)read_whole(set, HL_ITEM_DVID, 0.0, 1e6, 0.0, "a whole number");
}

static void read_occasion(struct hl_data_set *set)
{
    int column = set->at[HL_ITEM_OCC];
    set->record.OCC = 0.0;
    if (column < 0)
        return;
    if (set->cell[column].kind == HL_CELL_MISSING && set->occasions)
        hl_data_fault(set, column, "OCC is missing; the model varies between occasions, and every record needs one");
    set->record.OCC = read_whole(set, HL_ITEM_OCC, -MOST_WHOLE, MOST_WHOLE, 0.0,
                                 "a whole number (a column that is no occasion needs another name)");
}

void hl_data_read_record(struct hl_data_set *set)
{
    struct hl_record *r = &set->record;
    read_event(set);
    read_compartment(set);
    read_amount(set);
    read_rate(set);
    read_stated_duration(set);
    r->II = read_duration(set, HL_ITEM_II);
    r->ADDL = (uint64_t)read_whole(set, HL_ITEM_ADDL, 0.0, MOST_WHOLE, 0.0, "a whole number of 0 or more");
    r->SS =
        (int)read_whole(set, HL_ITEM_SS, 0.0, 3.0, 0.0, "0, 1 (steady state), 2 (added to what is there) or 3 (as 1)");
    read_observation(set);
    read_occasion(set);
    if (!hl_data_read_time(set))
        set->bad[HL_ITEM_TIME] = true;
}
