/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one subject of a result took, from its table /doses (docs/file-format.md): the rows of the arm that hold for
 * everybody and those of the subject's own, without what a pump refused or the subject missed. Each row says what it
 * takes to give the dose again: strength, rate, duration, interval. */
#include <math.h>
#include <string.h>

#include "commands/calendar_arm.h"

/* The columns read, all rows of each. */
enum { ARM, SUBJECT, TIME, STRENGTH, RATE, DURATION, INTERVAL, DRUG, ROUTE, REFUSED, N_COLUMNS };

struct recorded {
    struct hl_arena *arena;
    const struct hl_result *result;
    size_t n;
    const struct hl_result_variable *variable[N_COLUMNS];
    double *column[N_COLUMNS];
};

static enum hl_status read_columns(struct recorded *r, struct hl_diag *diag)
{
    static const char *const names[N_COLUMNS] = {"arm",      "subject",  "time", "strength", "rate",
                                                 "duration", "interval", "drug", "route",    "refused"};
    for (size_t c = 0; c < N_COLUMNS; c++) {
        r->variable[c] = hl_result_at(r->result, hl_arena_printf(r->arena, "/doses/%s", names[c]));
        if (!r->variable[c]) {
            hl_diag_error(diag, hl_pos_none(), "'%s' has no doses/%s, which the calendar of a subject needs; run the "
                          "study again", r->result->path, names[c]);
            return HL_ERR_INPUT;
        }
        uint64_t start = 0, count = r->variable[c]->dims[0];
        r->n = (size_t)count;
        r->column[c] = hl_arena_alloc(r->arena, r->n + 1, sizeof **r->column);
        if (hl_result_read(r->result, r->variable[c], &start, &count, r->column[c], diag) != HL_OK)
            return HL_ERR_IO;
    }
    return HL_OK;
}

static const char *meaning(const struct recorded *r, size_t column, size_t row)
{
    const struct hl_result_variable *v = r->variable[column];
    long code = lround(r->column[column][row]) - v->first_flag;
    return code >= 0 && (size_t)code < v->n_flags ? v->flag[code] : "";
}

/* The route of a row among the system's; -1 when the study has none. */
static int route_of(const struct recorded *r, const struct hl_system *system, size_t row)
{
    for (size_t i = 0; i < system->n_routes; i++)
        if (strcmp(system->route[i].name, meaning(r, ROUTE, row)) == 0 &&
            strcmp(system->instance[system->route[i].instance].alias, meaning(r, DRUG, row)) == 0)
            return (int)i;
    return -1;
}

static struct hl_dose dose_of(const struct recorded *r, const struct hl_system *system, size_t row, int route)
{
    double rate = r->column[RATE][row], duration = r->column[DURATION][row];
    struct hl_dose dose = {.time = r->column[TIME][row], .route = route, .amount = r->column[STRENGTH][row],
                           .rate = rate, .duration = duration, .repeat_interval = r->column[INTERVAL][row]};
    dose.kind = system->route[route].is_patch ? HL_DOSE_PATCH : rate > 0 ? HL_DOSE_INFUSION : HL_DOSE_GIVEN;
    if (dose.kind == HL_DOSE_INFUSION && !(duration > 0))
        dose.duration = INFINITY;
    return dose;
}

enum hl_status hl_regimen_of_subject(struct hl_arena *arena, const struct hl_result *result,
                                     const struct hl_study *study, size_t arm, uint64_t subject,
                                     struct hl_regimen *regimen, struct hl_diag *diag)
{
    struct recorded r = {.arena = arena, .result = result};
    const struct hl_system *system = study->arm[arm].system;
    if (subject > result->n_subjects) {
        hl_diag_error(diag, hl_pos_none(), "--subject %llu is beyond the result's %llu subjects",
                      (unsigned long long)subject, (unsigned long long)result->n_subjects);
        return HL_ERR_INPUT;
    }
    enum hl_status status = read_columns(&r, diag);
    *regimen = (struct hl_regimen){0};
    if (status != HL_OK)
        return status;
    regimen->dose = hl_arena_alloc(arena, r.n + 1, sizeof *regimen->dose);
    for (size_t i = 0; i < r.n; i++) {
        long whose = lround(r.column[SUBJECT][i]);
        int route = route_of(&r, system, i);
        bool given = strcmp(meaning(&r, REFUSED, i), "given") == 0;
        if (lround(r.column[ARM][i]) == (long)arm && (whose == 0 || (uint64_t)whose == subject) && given && route >= 0)
            regimen->dose[regimen->n_doses++] = dose_of(&r, system, i, route);
    }
    return HL_OK;
}
