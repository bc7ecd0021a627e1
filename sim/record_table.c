/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a record shows.
 *
 * IPRED is the output of the compartment an observation names: what the study's observe: says of its CMT (or of its
 * DVID, where the file has one), else the first output of the drug that is a multiple of that compartment's amount
 * alone, else the amount. Rows that are no observation, and observations that name no compartment, show the drug's
 * observed compartment, as NONMEM does. DV is what an assay would have found: IPRED with a draw of the residual error,
 * for observations only. */
#include "record_table.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum source { FROM_ARM, FROM_ID, FROM_TIME, FROM_EVID, FROM_MDV, FROM_CMT, FROM_ROW, FROM_FILE, FROM_OUTPUT,
              FROM_IPRED, FROM_DV };

struct hl_record_filler {
    enum source source;
    size_t index;  /* column of the file, output of the study */
    double factor; /* engine's value per stored unit */
};

/* ---- Which columns */

struct maker {
    struct hl_arena *arena;
    struct hl_record_table *table;
    size_t capacity, filler_capacity;
};

static void add(struct maker *m, struct hl_record_column column, struct hl_record_filler filler)
{
    struct hl_record_table *t = m->table;
    t->column = hl_arena_push(m->arena, t->column, t->n, &m->capacity, sizeof *t->column);
    t->filler = hl_arena_push(m->arena, t->filler, t->n, &m->filler_capacity, sizeof *t->filler);
    t->column[t->n] = column;
    t->filler[t->n++] = filler;
}

static bool is_item(const struct hl_data_column_info *info, const char *item)
{
    return info->item && strcmp(info->item, item) == 0;
}

/* Columns that the engine's own ones replace. */
static bool is_replaced(const struct hl_data_column_info *info)
{
    static const char *const own[] = {"ID", "TIME", "EVID", "MDV", "CMT"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (is_item(info, own[i]))
            return true;
    return false;
}

/* IDs that are texts are counted, so those are whole numbers, too. */
static bool are_ids_whole(const struct hl_record_table *t)
{
    for (size_t i = 0; i < t->facts->n_columns; i++)
        if (is_item(&t->facts->column[i], "ID"))
            return t->facts->column[i].kind != HL_COLUMN_NUMBER;
    return false;
}

static void add_own(struct maker *m)
{
    static const struct { const char *name, *unit, *long_name; enum source source; bool whole; } own[] = {
        {"ID", "1", "individual, as the data set names it", FROM_ID, false},
        {"TIME", "h", "time of the record", FROM_TIME, false},
        {"EVID", "1", "kind of event: 0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose, 8 replace", FROM_EVID,
         true},
        {"MDV", "1", "1 where DV takes no part in a likelihood", FROM_MDV, true},
        {"CMT", "1", "compartment, 0 where none is named", FROM_CMT, true},
        {"source_row", "1", "line of the data set, its header being line 1", FROM_ROW, true},
    };
    if (m->table->study->n_arms > 1)
        add(m, (struct hl_record_column){.name = "arm", .unit = "1", .long_name = "number of the arm", .whole = true},
            (struct hl_record_filler){.source = FROM_ARM});
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        add(m, (struct hl_record_column){.name = own[i].name, .unit = own[i].unit, .long_name = own[i].long_name,
                                         .whole = own[i].source == FROM_ID ? are_ids_whole(m->table) : own[i].whole},
            (struct hl_record_filler){.source = own[i].source});
}

static void add_file_column(struct maker *m, size_t i)
{
    const struct hl_data_column_info *info = &m->table->facts->column[i];
    if (is_replaced(info))
        return;
    bool observed = is_item(info, "DV"), text = info->kind == HL_COLUMN_TEXT;
    const char *name = observed ? "DV_observed" : info->item ? info->item : info->name;
    add(m, (struct hl_record_column){.name = name, .unit = info->unit_text ? info->unit_text : "1",
                                     .long_name = hl_arena_printf(m->arena, "column %s of the data set", info->name),
                                     .note = text && info->n_texts == 0 ? "texts, too many to keep" : NULL,
                                     .whole = info->kind != HL_COLUMN_NUMBER && !observed, .guest = !info->item,
                                     .n_flags = text ? info->n_texts : 0, .flag = info->text},
        (struct hl_record_filler){.source = FROM_FILE, .index = i});
}

static const struct hl_output *output_of(const struct hl_record_table *t, size_t o)
{
    return &t->study->system->output[t->study->output[o]];
}

static void add_output(struct maker *m, size_t o, const char *name, const char *long_name)
{
    const struct hl_output *output = output_of(m->table, o);
    add(m, (struct hl_record_column){.name = name, .unit = output->unit_text, .long_name = long_name,
                                     .output = output->name, .evidence = output},
        (struct hl_record_filler){.source = FROM_OUTPUT, .index = o, .factor = output->unit.factor});
}

/* True when this output can stand under IPRED. */
static bool may_be_shown(const struct hl_record_table *t, int o)
{
    bool shown = o == t->default_shown;
    for (size_t c = 0; c < t->study->system->n_compartments; c++)
        shown = shown || (t->facts->observed[c] && t->shown[c] == o);
    for (size_t k = 0; k < t->study->data->n_shown; k++)
        shown = shown || t->study->output[o] == t->study->data->shown[k].output;
    return shown;
}

/* IPRED and DV: in one unit when all that is shown has it, else row by row in the output's own. */
static void add_predictions(struct maker *m)
{
    struct hl_record_table *t = m->table;
    const char *unit = output_of(t, (size_t)t->default_shown)->unit_text, *note = NULL;
    size_t n_shown = 0;
    for (size_t o = 0; o < t->study->n_outputs; o++) {
        n_shown += may_be_shown(t, (int)o);
        if (may_be_shown(t, (int)o) && strcmp(unit, output_of(t, o)->unit_text) != 0)
            note = "each row in the unit of the output that its CMT or DVID names";
    }
    if (!note)
        note = hl_arena_printf(m->arena, "the output that CMT or DVID names, else %s",
                               output_of(t, (size_t)t->default_shown)->name);
    else
        unit = "1";
    const struct hl_output *evidence = output_of(t, (size_t)t->default_shown);
    add(m, (struct hl_record_column){.name = "IPRED", .unit = unit, .long_name = "individual prediction", .note = note,
                                     .output = n_shown == 1 ? evidence->name : NULL, .evidence = evidence},
        (struct hl_record_filler){.source = FROM_IPRED});
    add(m, (struct hl_record_column){.name = "DV", .unit = unit, .note = note, .evidence = evidence,
                                     .long_name = "simulated observation: IPRED with residual error"},
        (struct hl_record_filler){.source = FROM_DV});
}

/* Index into the study's outputs of an output of the system; -1 when it isn't there. */
static int place_of(const struct hl_study *study, int output)
{
    for (size_t o = 0; o < study->n_outputs; o++)
        if (study->output[o] == output)
            return (int)o;
    return -1;
}

static void find_shown(struct hl_arena *arena, struct hl_record_table *t)
{
    const struct hl_system *system = t->study->system;
    t->shown = hl_arena_alloc(arena, system->n_compartments, sizeof *t->shown);
    for (size_t c = 0; c < system->n_compartments; c++)
        t->shown[c] = place_of(t->study, system->compartment[c].output);
    for (size_t k = 0; k < t->study->data->n_shown; k++) {
        const struct hl_data_shown *shown = &t->study->data->shown[k];
        if (shown->number >= 1 && (size_t)shown->number <= system->n_compartments)
            t->shown[shown->number - 1] = place_of(t->study, shown->output);
    }
    t->default_shown = 0;
    for (size_t i = 0; i < system->n_instances; i++)
        if (system->instance[i].is_drug && system->instance[i].default_output >= 0) {
            int place = place_of(t->study, system->instance[i].default_output);
            t->default_shown = place >= 0 ? place : 0;
            break;
        }
    t->dvid_column = -1;
    for (size_t i = 0; i < t->facts->n_columns; i++)
        if (is_item(&t->facts->column[i], "DVID"))
            t->dvid_column = (int)i;
}

/* "A_central" in a study of one drug, "A_clonazepam_central" in one of several. */
static const char *amount_name(struct hl_arena *arena, const struct hl_system *system, size_t c)
{
    const char *name = system->compartment[c].name, *dot = strchr(name, '.');
    for (size_t i = 0; i < system->n_compartments; i++)
        if (system->compartment[i].instance != system->compartment[c].instance)
            return hl_arena_printf(arena, "A_%s", name);
    return hl_arena_printf(arena, "A_%s", dot ? dot + 1 : name);
}

static void add_amounts(struct maker *m)
{
    const struct hl_study *study = m->table->study;
    const struct hl_system *system = study->system;
    for (size_t c = 0; study->data->amounts && c < system->n_compartments; c++)
        for (size_t o = 0; o < study->n_outputs; o++) {
            const struct hl_output *output = output_of(m->table, o);
            bool labelled = output->label && *output->label;
            if (output->implicit && strcmp(output->name, system->compartment[c].name) == 0)
                add_output(m, o, amount_name(m->arena, system, c),
                           labelled ? hl_arena_printf(m->arena, "amount in %s (%s)", output->name, output->label)
                                    : hl_arena_printf(m->arena, "amount in %s", output->name));
        }
}

struct hl_record_table *hl_record_table_create(struct hl_arena *arena, const struct hl_study *study,
                                               const struct hl_data_facts *facts)
{
    struct hl_record_table *table = hl_arena_alloc(arena, 1, sizeof *table);
    struct maker m = {.arena = arena, .table = table};
    table->study = study;
    table->facts = facts;
    find_shown(arena, table);
    add_own(&m);
    for (size_t i = 0; i < facts->n_columns; i++)
        add_file_column(&m, i);
    for (size_t o = 0; o < study->n_asked; o++)
        add_output(&m, o, output_of(table, o)->name, output_of(table, o)->label);
    add_predictions(&m);
    add_amounts(&m);
    return table;
}

/* ---- What stands in them */

/* Index into the study's outputs of what observe: says of a number, a whole one as written; -1 when it says nothing. */
static int shown_for(const struct hl_record_table *t, double number)
{
    for (size_t k = 0; k < t->study->data->n_shown; k++)
        if (number == t->study->data->shown[k].number)
            return place_of(t->study, t->study->data->shown[k].output);
    return -1;
}

/* Index into the study's outputs of what record i shows. DVID goes before CMT, which may be a number of its own for
 * observe:, beyond the compartments. */
static int shown_at(const struct hl_record_table *t, const struct hl_individual *who, size_t i)
{
    const struct hl_record *record = &who->record[i];
    if (record->EVID == HL_EVID_OBSERVE) {
        double dvid = t->dvid_column >= 0 ? who->column[i * t->facts->n_columns + (size_t)t->dvid_column] : NAN;
        int said = shown_for(t, dvid);
        said = said >= 0 ? said : shown_for(t, record->CMT);
        if (said >= 0)
            return said;
    }
    bool named = record->EVID == HL_EVID_OBSERVE && record->compartment >= 0;
    int shown = named ? t->shown[record->compartment] : t->default_shown;
    return shown >= 0 ? shown : t->default_shown;
}

/* A cell of the file's own columns; a missing text is code -1. */
static double file_cell(const struct hl_record_table *t, const struct hl_individual *who, size_t i, size_t column)
{
    double value = who->column[i * t->facts->n_columns + column];
    return isnan(value) && t->facts->column[column].kind == HL_COLUMN_TEXT ? -1 : value;
}

/* What holds for the row as a whole. */
struct row { const struct hl_individual *who; size_t i, arm; const double *value; double IPRED, DV; };

static double cell(const struct hl_record_table *t, const struct row *row, const struct hl_record_filler *filler)
{
    const struct hl_record *record = &row->who->record[row->i];
    switch (filler->source) {
    case FROM_ARM: return (double)row->arm;
    case FROM_ID: return row->who->ID;
    case FROM_TIME: return record->TIME;
    case FROM_EVID: return record->EVID;
    case FROM_MDV: return record->MDV;
    case FROM_CMT: return record->CMT;
    case FROM_ROW: return (double)record->row;
    case FROM_FILE: return file_cell(t, row->who, row->i, filler->index);
    case FROM_OUTPUT: return row->value[filler->index] / filler->factor;
    case FROM_IPRED: return row->IPRED;
    case FROM_DV: return row->DV;
    }
    return NAN;
}

void hl_record_table_fill(const struct hl_record_table *t, size_t arm, const struct hl_cohort *cohort,
                          const struct hl_individual *who, const double *value, double *to, size_t stride,
                          size_t first)
{
    for (size_t i = 0; i < who->n; i++) {
        struct row row = {.who = who, .i = i, .arm = arm, .value = value + i * t->study->n_outputs};
        size_t shown = (size_t)shown_at(t, who, i);
        const struct hl_output *output = output_of(t, shown);
        double engine = row.value[shown];
        row.IPRED = engine / output->unit.factor;
        row.DV = who->record[i].EVID == HL_EVID_OBSERVE
                     ? hl_cohort_observation(cohort, who->number, output, i, engine) / output->unit.factor
                     : NAN;
        for (size_t c = 0; c < t->n; c++)
            to[c * stride + first + i] = cell(t, &row, &t->filler[c]);
    }
}
