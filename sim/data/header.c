/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header: which column is which item or covariate, and in which unit.
 *
 * A column is found by what the study says of it (data: columns:), else by its name without regard to capitals; a unit
 * may stand behind the name in brackets ("AMT [ug]"). Nothing else is guessed: where an item is missing and a column
 * has a similar name, the message proposes it. One column may be an item and a covariate at once (AMT as the covariate
 * DOSE). An item that NONMEM doesn't have (DUR) or that is a common name for other things (C, DATE, DVID) gives way to
 * a covariate of the model with that name.
 *
 * Units without a statement: TIME h, AMT mg; II and DUR are in TIME's unit and RATE in AMT's unit per TIME's unit, as
 * NONMEM takes them; a covariate is in its model's unit. Amounts may be moles when the model states a molar mass. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/inside.h"

/* "AMT [ug]" into name and unit (NULL without one). */
static void split_header(struct hl_arena *arena, const char *header, const char **name, const char **unit)
{
    const char *open = strchr(header, '['), *close = open ? strrchr(open, ']') : NULL;
    *unit = NULL;
    size_t n = strlen(header);
    if (close && open > header && close[1] == '\0') {
        *unit = hl_arena_strndup(arena, open + 1, (size_t)(close - open - 1));
        n = (size_t)(open - header);
        while (n > 0 && header[n - 1] == ' ')
            n--;
    }
    *name = hl_arena_strndup(arena, header, n);
}

static int find_column(const struct hl_data_set *set, const char *name)
{
    for (size_t c = 0; c < set->n_columns; c++)
        if (strcasecmp(set->info[c].name, name) == 0 || strcasecmp(hl_csv_name(set->csv, c), name) == 0)
            return (int)c;
    return -1;
}

/* The names of the columns that are nothing yet. */
static size_t free_names(const struct hl_data_set *set, const char **names)
{
    size_t n = 0;
    for (size_t c = 0; c < set->n_columns; c++)
        if (set->column[c].item == HL_N_ITEMS && !set->column[c].is_covariate)
            names[n++] = set->info[c].name;
    return n;
}

static int find_covariate(const struct hl_system *system, const char *name)
{
    for (size_t k = 0; system && k < system->n_covariates; k++)
        if (strcasecmp(system->covariate[k].name, name) == 0)
            return (int)k;
    return -1;
}

static void claim_covariate(struct hl_data_set *set, int covariate, int column)
{
    set->covariate[covariate].column = column;
    set->column[column].is_covariate = true;
    if (set->info[column].covariate < 0)
        set->info[column].covariate = covariate;
    set->facts.has_covariate_column = true;
}

static void claim_item(struct hl_data_set *set, enum hl_item item, enum hl_date_order order, int column)
{
    if (set->at[item] >= 0) {
        hl_data_fault_at(set, set->column[column].pos,
                         "column '%s' is %s, but column '%s' is that already; rename one of them",
                         set->info[column].name, hl_items[item].name, set->info[set->at[item]].name);
        return;
    }
    set->at[item] = column;
    set->column[column].item = item;
    set->column[column].order = order;
    set->info[column].item = hl_items[item].name;
}

/* ---- What the study says ---- */

static void fault_unknown_item(struct hl_data_set *set, const struct hl_data_column *stated)
{
    const char *names[HL_N_ITEMS + 64], *near;
    char hint[160];
    size_t n = 0;
    for (; n < HL_N_ITEMS; n++)
        names[n] = hl_items[n].name;
    for (size_t k = 0; set->system && k < set->system->n_covariates && n < HL_N_ITEMS + 64; k++)
        names[n++] = set->system->covariate[k].name;
    near = hl_text_did_you_mean(stated->item, names, n, hint, sizeof hint);
    hl_data_fault_at(set, stated->pos, "'%s' is neither a data item nor a covariate of the models%s", stated->item,
                     near);
}

static void apply_statement(struct hl_data_set *set, const struct hl_data_column *stated)
{
    enum hl_date_order order = HL_DATE_ISO_OR_MDY;
    enum hl_item item = hl_item_find(stated->item, &order);
    int covariate = find_covariate(set->system, stated->item);
    const char *wanted = stated->column ? stated->column : stated->item;
    int column = find_column(set, wanted);
    if (item == HL_N_ITEMS && covariate < 0) {
        fault_unknown_item(set, stated);
        return;
    }
    if (column < 0) {
        const char **names = hl_arena_alloc(set->arena, set->n_columns, sizeof *names);
        char hint[160];
        size_t n = free_names(set, names);
        hl_data_fault_at(set, stated->pos, "%s has no column '%s'%s", set->path, wanted,
                         hl_text_did_you_mean(wanted, names, n, hint, sizeof hint));
        return;
    }
    if (item != HL_N_ITEMS && !(covariate >= 0 && hl_items[item].yields))
        claim_item(set, item, order, column);
    if (covariate >= 0)
        claim_covariate(set, covariate, column);
}

/* ---- What the names say ---- */

static void claim_by_names(struct hl_data_set *set)
{
    for (size_t k = 0; k < set->n_covariates; k++) {
        int column = find_column(set, set->system->covariate[k].name);
        if (set->covariate[k].column < 0 && column >= 0)
            claim_covariate(set, (int)k, column);
    }
    bool stated[HL_N_ITEMS];
    for (int i = 0; i < HL_N_ITEMS; i++)
        stated[i] = set->at[i] >= 0;
    for (size_t c = 0; c < set->n_columns; c++) {
        enum hl_date_order order = HL_DATE_ISO_OR_MDY;
        enum hl_item item = hl_item_find(set->info[c].name, &order);
        bool taken = item == HL_N_ITEMS || stated[item] || set->column[c].item != HL_N_ITEMS ||
                     (hl_items[item].yields && set->column[c].is_covariate);
        /* a file may have C and COMMENT: then C is meant */
        if (!taken && item == HL_ITEM_COMMENT && set->at[item] >= 0)
            taken = true;
        if (!taken)
            claim_item(set, item, order, (int)c);
    }
}

/* ---- Units ---- */

/* What the study says of the unit of an item or covariate, else the header; NULL: nobody says anything. */
static const char *stated_unit(const struct hl_data_set *set, const char *item, int column, struct hl_pos *pos)
{
    for (size_t i = 0; i < set->spec->n_columns; i++)
        if (strcasecmp(set->spec->column[i].item, item) == 0 && set->spec->column[i].unit_text) {
            *pos = set->spec->column[i].pos;
            return set->spec->column[i].unit_text;
        }
    *pos = set->column[column].pos;
    return set->column[column].unit_text;
}

/* dim over time, when rate is set. */
static struct hl_dim over_time(struct hl_dim dim, bool rate)
{
    return rate ? hl_dim_divide(dim, hl_dim_of("h")) : dim;
}

/* The factor of a unit that must have the dimension of an item; *moles when it counts moles. */
static void item_unit(struct hl_data_set *set, enum hl_item item, const char *text, struct hl_pos pos)
{
    struct hl_column *column = &set->column[set->at[item]];
    enum hl_item_unit kind = hl_items[item].unit;
    struct hl_unit unit;
    char why[200];
    if (!hl_unit_parse(text, &unit, why, sizeof why)) {
        hl_data_fault_at(set, pos, "the unit of %s: %s", hl_items[item].name, why);
        return;
    }
    bool rate = kind == HL_ITEM_AMOUNT_RATE;
    bool right = kind == HL_ITEM_HOURS ? hl_dim_equal(unit.dim, hl_dim_of("h"))
                                       : hl_dim_equal(unit.dim, over_time(hl_dim_of("mg"), rate));
    column->moles = kind != HL_ITEM_HOURS && hl_dim_equal(unit.dim, over_time(hl_dim_of("nmol"), rate));
    if (!right && !column->moles)
        hl_data_fault_at(set, pos, "%s can't be in '%s'; expected a unit of %s", hl_items[item].name, text,
                         kind == HL_ITEM_HOURS ? "time such as h, min or d"
                         : rate                ? "amount per time such as mg/h, ug/min or umol/h"
                                               : "amount such as mg, ug or umol");
    column->factor = unit.factor;
}

static void settle_item(struct hl_data_set *set, enum hl_item item)
{
    struct hl_pos pos;
    int c = set->at[item];
    if (c < 0)
        return;
    const char *text = stated_unit(set, hl_items[item].name, c, &pos);
    enum hl_item_unit kind = hl_items[item].unit;
    int time = set->at[HL_ITEM_TIME], amount = set->at[HL_ITEM_AMT];
    const char *time_text = time >= 0 ? set->info[time].unit_text : "h";
    const char *amount_text = amount >= 0 ? set->info[amount].unit_text : "mg";
    set->info[c].unit_text = text;
    if (kind == HL_ITEM_PLAIN || kind == HL_ITEM_ANY_UNIT)
        return;
    if (text) {
        item_unit(set, item, text, pos);
        return;
    }
    double hours = time >= 0 ? set->column[time].factor : 1.0, mg = amount >= 0 ? set->column[amount].factor : 1.0;
    bool follows_time = item == HL_ITEM_II || item == HL_ITEM_DUR, rate = kind == HL_ITEM_AMOUNT_RATE;
    set->column[c].factor = follows_time ? hours : rate ? mg / hours : 1.0;
    set->column[c].moles = rate && amount >= 0 && set->column[amount].moles;
    set->info[c].unit_text = follows_time            ? time_text
                             : rate                  ? hl_arena_printf(set->arena, "%s/%s", amount_text, time_text)
                             : kind == HL_ITEM_HOURS ? "h"
                                                     : "mg";
}

static void settle_covariate(struct hl_data_set *set, size_t k)
{
    struct hl_data_covariate *mine = &set->covariate[k];
    const struct hl_covariate *info = set->system->covariate[k].info;
    struct hl_unit unit = info->unit;
    struct hl_pos pos;
    char why[200];
    mine->factor = unit.factor;
    if (mine->column < 0)
        return;
    const char *text = stated_unit(set, set->system->covariate[k].name, mine->column, &pos);
    bool has_unit = !info->n_categories && info->unit_text && *info->unit_text;
    if (text && !hl_unit_parse(text, &unit, why, sizeof why))
        hl_data_fault_at(set, pos, "the unit of %s: %s", set->system->covariate[k].name, why);
    else if (text && !hl_dim_equal(unit.dim, info->unit.dim))
        hl_data_fault_at(set, pos, "%s can't be in '%s'; its model has it in %s", set->system->covariate[k].name, text,
                         has_unit ? info->unit_text : "1");
    else
        mine->factor = unit.factor;
    if (set->column[mine->column].item == HL_N_ITEMS)
        set->info[mine->column].unit_text = text ? text : has_unit ? info->unit_text : NULL;
}

/* ---- What is missing ---- */

/* A file whose first line holds data. */
static bool is_headless(const struct hl_data_set *set)
{
    double number;
    for (size_t c = 0; c < set->n_columns; c++)
        if (!hl_text_number(hl_csv_name(set->csv, c), &number))
            return false;
    return true;
}

static void miss_time(struct hl_data_set *set)
{
    const char **names = hl_arena_alloc(set->arena, set->n_columns, sizeof *names);
    const char *near = hl_text_nearest("TIME", names, free_names(set, names));
    if (is_headless(set))
        hl_data_fault_at(set, set->column[0].pos,
                         "the first line holds numbers; expected a header line with the columns' names, such as "
                         "ID,TIME,EVID,AMT");
    else if (near)
        hl_data_fault_at(set, set->column[0].pos,
                         "there is no column TIME; did you mean '%s'? Rename it, or say data: columns: {TIME: \"%s\"}",
                         near, near);
    else
        hl_data_fault_at(
            set, set->column[0].pos,
            "there is no column TIME; rename the column that holds it, or say data: columns: {TIME: NAME}");
}

/* The column whose name is so near that it may be meant. Of short names every other one is near (RATE and RACE, HT and
 * HR): they must be in the candidate, letter after letter, from the first one on (WT in WGT). */
static const char *near_name(const char *name, const char *const *names, size_t n)
{
    const char *near = hl_text_nearest(name, names, n), *at = name;
    if (!near || strlen(name) > 4)
        return near;
    for (const char *c = near; *c; c++)
        at += *at && strncasecmp(at, c, 1) == 0;
    return strncasecmp(name, near, 1) == 0 && !*at ? near : NULL;
}

/* The first free column whose name is usual for an amount. */
static const char *usual_amount(const char *const *names, size_t n)
{
    static const char *const usual[] = {"DOSE", "AMOUNT", "DOSE_MG", "DOSEMG"};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof usual / sizeof *usual; k++)
            if (strcasecmp(names[i], usual[k]) == 0)
                return names[i];
    return near_name("AMT", names, n);
}

static void remark_missing(struct hl_data_set *set)
{
    const char **names = hl_arena_alloc(set->arena, set->n_columns, sizeof *names);
    size_t n = free_names(set, names);
    struct hl_pos pos = set->column[0].pos;
    if (set->at[HL_ITEM_ID] < 0)
        hl_data_remark(set, &set->remark[HL_REMARK_NO_ID], HL_NOTE, pos,
                       "there is no column ID: all records are of one individual");
    const char *amount = usual_amount(names, n);
    if (set->at[HL_ITEM_AMT] < 0 && set->at[HL_ITEM_RATE] < 0)
        hl_data_remark(set, &set->remark[HL_REMARK_NO_AMT], HL_NOTE, pos,
                       "there is no column AMT: no dose is given%s%s%s", amount ? "; if '" : "", amount ? amount : "",
                       amount ? "' holds it, rename it or say so under data: columns:" : "");
    for (size_t k = 0; k < set->n_covariates; k++) {
        const char *name = set->system->covariate[k].name, *near = near_name(name, names, n);
        if (set->covariate[k].column < 0 && near)
            hl_diag_note(set->diag, pos,
                         "there is no column %s: the study's cohort gives this covariate; if '%s' holds it, say data: "
                         "columns: {%s: \"%s\"}",
                         name, near, name, near);
    }
}

static void describe_columns(struct hl_data_set *set)
{
    for (size_t c = 0; c < set->n_columns; c++) {
        struct hl_column *column = &set->column[c];
        *column = (struct hl_column){.pos = hl_csv_pos(set->csv, c), .item = HL_N_ITEMS, .factor = 1.0};
        set->info[c] = (struct hl_data_column_info){.covariate = -1};
        split_header(set->arena, hl_csv_name(set->csv, c), &set->info[c].name, &column->unit_text);
        set->info[c].unit_text = column->unit_text;
    }
}

void hl_data_read_header(struct hl_data_set *set)
{
    static const enum hl_item order[] = {HL_ITEM_TIME, HL_ITEM_AMT, HL_ITEM_RATE, HL_ITEM_II, HL_ITEM_DUR, HL_ITEM_DV};
    describe_columns(set);
    for (int i = 0; i < HL_N_ITEMS; i++)
        set->at[i] = -1;
    for (size_t i = 0; i < set->spec->n_columns; i++)
        apply_statement(set, &set->spec->column[i]);
    claim_by_names(set);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        settle_item(set, order[i]);
    for (size_t k = 0; k < set->n_covariates; k++)
        settle_covariate(set, k);
    if (set->at[HL_ITEM_TIME] < 0)
        miss_time(set);
    if (!is_headless(set))
        remark_missing(set);
}
