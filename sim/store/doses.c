/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was given (/doses) and what was decided at reviews (/reviews). Drugs and routes are small codes with their
 * meanings beside them, because a second string dataset would hide what comes after it from Octave. The columns of
 * /doses say enough of a dose to give it again: see the item recorded: of a regimen. */
#include <string.h>

#include "store/inside.h"

enum { DOSE_ARM, DOSE_SUBJECT, DOSE_TIME, DOSE_AMOUNT, DOSE_RATE, DOSE_DRUG, DOSE_ROUTE, DOSE_REFUSED, DOSE_STRENGTH,
       DOSE_DURATION, DOSE_INTERVAL, N_DOSE };

static const char *const refused[] = {"given", "refused", "missed"};

static const struct hl_log_column dose_columns[N_DOSE] = {
    {"arm", NULL, "treatment arm, counted from 0", HL_INT32, 0, NULL},
    {"subject", NULL, "subject; 0: every subject of the arm", HL_INT32, 0, NULL},
    {"time", "h", "time of the dose since the origin of the study", HL_FLOAT64, 0, NULL},
    {"amount", "mg", "amount given; of a patch what it holds when it is put on", HL_FLOAT64, 0, NULL},
    {"rate", "mg/h", "rate of an infusion, 0 otherwise", HL_FLOAT64, 0, NULL},
    {"drug", NULL, "drug, a code", HL_INT8, 0, NULL},
    {"route", NULL, "route, a code", HL_INT8, 0, NULL},
    {"refused", NULL, "what became of it: given, refused by a pump, missed by the subject", HL_INT8, 3, refused},
    {"strength", NULL, "strength: the amount [mg]; of a patch its name's number [mg or mg/h]", HL_FLOAT64,
     0, NULL},
    {"duration", "h", "how long an infusion runs or a patch is worn, 0 otherwise", HL_FLOAT64, 0, NULL},
    {"interval", "h", "dosing interval the dose belongs to, 0 when single", HL_FLOAT64, 0, NULL},
};

enum { REVIEW_ARM, REVIEW_SUBJECT, REVIEW_DRUG, REVIEW_NUMBER, REVIEW_TIME, REVIEW_VALUE, REVIEW_DECISION, REVIEW_RULE,
       REVIEW_BEFORE, REVIEW_AFTER, REVIEW_DOSE_BEFORE, REVIEW_DOSE_AFTER, N_REVIEW };

static const char *const decision[] = {"step", "hold", "back", "stop", "wait"};

static const struct hl_log_column review_columns[N_REVIEW] = {
    {"arm", NULL, "treatment arm, counted from 0", HL_INT32, 0, NULL},
    {"subject", NULL, "subject, counted from 1", HL_INT32, 0, NULL},
    {"drug", NULL, "drug that is tapered, a code", HL_INT8, 0, NULL},
    {"number", NULL, "review of this taper, counted from 1", HL_INT32, 0, NULL},
    {"time", "h", "when the doses follow the decision", HL_FLOAT64, 0, NULL},
    {"value", NULL, "what was reported, in the output's unit: of the rule that applied, else of the review's output",
     HL_FLOAT64, 0, NULL},
    {"decision", NULL, "what was decided, a code", HL_INT8, 5, decision},
    {"rule", NULL, "rule that applied, counted from 1; 0: none did", HL_INT32, 0, NULL},
    {"level_before", NULL, "level of the taper: 0 the dose before it, 1 its first level", HL_INT32, 0, NULL},
    {"level_after", NULL, "level from now on; one more than the last: nothing any more", HL_INT32, 0, NULL},
    {"dose_before", "mg/d", "daily dose of the level before", HL_FLOAT64, 0, NULL},
    {"dose_after", "mg/d", "daily dose from now on", HL_FLOAT64, 0, NULL},
};

/* Routes of different drugs that share a name share a code. */
static bool name_routes(struct hl_store *s)
{
    struct hl_dose_names *t = &s->names;
    const struct hl_system *y = s->study->system;
    t->route_code = hl_arena_alloc(s->writer->arena, y->n_routes + 1, 1);
    t->route_name = hl_arena_alloc(s->writer->arena, y->n_routes + 1, sizeof *t->route_name);
    for (size_t i = 0; i < y->n_routes; i++) {
        size_t code = 0;
        while (code < t->n_route_names && strcmp(t->route_name[code], y->route[i].name) != 0)
            code++;
        if (code > 127)
            return false;
        if (code == t->n_route_names)
            t->route_name[t->n_route_names++] = y->route[i].name;
        t->route_code[i] = (signed char)code;
    }
    return y->n_instances <= 128;
}

/* One cell, in its column's type. */
static void dose_cell(const void *context, const void *row, size_t column, void *to)
{
    const struct hl_store *s = context;
    const struct hl_given *g = row;
    switch (column) {
    case DOSE_ARM: *(int *)to = g->arm; break;
    case DOSE_SUBJECT: *(int *)to = (int)g->subject; break;
    case DOSE_TIME: *(double *)to = g->time; break;
    case DOSE_AMOUNT: *(double *)to = hl_one_nan(g->amount); break;
    case DOSE_RATE: *(double *)to = hl_one_nan(g->rate); break;
    case DOSE_DRUG: *(signed char *)to = (signed char)g->instance; break;
    case DOSE_ROUTE: *(signed char *)to = g->route >= 0 ? s->names.route_code[g->route] : -1; break;
    case DOSE_STRENGTH: *(double *)to = hl_one_nan(g->strength); break;
    case DOSE_DURATION: *(double *)to = hl_one_nan(g->duration); break;
    case DOSE_INTERVAL: *(double *)to = hl_one_nan(g->interval); break;
    default: *(signed char *)to = g->missed ? 2 : g->refused ? 1 : 0; break;
    }
}

static void review_cell(const void *context, const void *row, size_t column, void *to)
{
    const struct hl_reviewed_at *v = row;
    (void)context;
    switch (column) {
    case REVIEW_ARM: *(int *)to = v->arm; break;
    case REVIEW_SUBJECT: *(int *)to = (int)v->subject; break;
    case REVIEW_DRUG: *(signed char *)to = (signed char)v->instance; break;
    case REVIEW_NUMBER: *(int *)to = v->number; break;
    case REVIEW_TIME: *(double *)to = v->time; break;
    case REVIEW_VALUE: *(double *)to = hl_one_nan(v->value); break;
    case REVIEW_DECISION: *(signed char *)to = (signed char)v->decision; break;
    case REVIEW_RULE: *(int *)to = v->rule; break;
    case REVIEW_BEFORE: *(int *)to = v->level_before; break;
    case REVIEW_AFTER: *(int *)to = v->level_after; break;
    case REVIEW_DOSE_BEFORE: *(double *)to = v->dose_before; break;
    default: *(double *)to = v->dose_after; break;
    }
}

static const struct hl_log_kind dose_kind = {"/doses", "dose", "row of the dose table, counted from 1",
                                             sizeof(struct hl_given), dose_cell};
static const struct hl_log_kind review_kind = {"/reviews", "review", "row of the table of reviews, counted from 1",
                                               sizeof(struct hl_reviewed_at), review_cell};

/* Aliases of all instances: the meanings of drug codes. */
static void name_drugs(struct hl_store *s, struct hl_log_column *column)
{
    const struct hl_system *y = s->study->system;
    const char **alias = hl_arena_alloc(s->writer->arena, y->n_instances + 1, sizeof *alias);
    for (size_t i = 0; i < y->n_instances; i++)
        alias[i] = y->instance[i].alias;
    column->flag = alias;
    column->n_flags = y->n_instances;
}

static struct hl_log_column *begin(struct hl_store *s, struct hl_log *log, const struct hl_log_kind *kind,
                                   const struct hl_log_column *columns, size_t n, size_t drug)
{
    struct hl_log_column *own = hl_arena_alloc(s->writer->arena, n, sizeof *own);
    memcpy(own, columns, n * sizeof *own);
    name_drugs(s, &own[drug]);
    *log = (struct hl_log){.kind = kind, .context = s, .n_columns = n, .column = own};
    return own;
}

static bool begin_doses(struct hl_store *s)
{
    if (!name_routes(s))
        return false;
    struct hl_log_column *own = begin(s, &s->doses, &dose_kind, dose_columns, N_DOSE, DOSE_DRUG);
    own[DOSE_ROUTE].flag = s->names.route_name;
    own[DOSE_ROUTE].n_flags = s->names.n_route_names;
    return true;
}

static bool is_there(const struct hl_store *s, int arm, uint64_t subject, int instance)
{
    const struct hl_study *study = s->study;
    return arm >= 0 && (size_t)arm < study->n_arms && subject <= study->subjects && instance >= 0
           && (size_t)instance < study->system->n_instances;
}

enum hl_status hl_store_doses(struct hl_store *s, size_t n, const struct hl_given *given)
{
    enum hl_status status = s->writer->status;
    if (status == HL_OK && n > 0 && !s->doses.kind && !begin_doses(s))
        return HL_ERR_INTERNAL;
    for (size_t i = 0; status == HL_OK && i < n; i++) {
        const struct hl_given *g = &given[i];
        if (!is_there(s, g->arm, g->subject, g->instance) || g->route >= (int)s->study->system->n_routes)
            return HL_ERR_INTERNAL;
        status = hl_log_add(s->writer, &s->doses, g);
    }
    return status;
}

enum hl_status hl_store_reviews(struct hl_store *s, size_t n, const struct hl_reviewed_at *review)
{
    enum hl_status status = s->writer->status;
    if (status == HL_OK && n > 0 && !s->reviews.kind)
        begin(s, &s->reviews, &review_kind, review_columns, N_REVIEW, REVIEW_DRUG);
    for (size_t i = 0; status == HL_OK && i < n; i++) {
        if (!is_there(s, review[i].arm, review[i].subject, review[i].instance))
            return HL_ERR_INTERNAL;
        status = hl_log_add(s->writer, &s->reviews, &review[i]);
    }
    return status;
}
