/* SPDX-License-Identifier: GPL-3.0-or-later */
/* {recorded: doses.csv, arm: guided}: each subject gets the doses that a table says it was given. The table is that of
 * `halflife export FILE.h5 doses`; any other with the columns
 *
 *   subject, time and strength (or amount); and where they apply arm, drug, route, rate, duration, interval, refused
 *
 * will do. Subject 0 is everybody. Rows of other drugs and arms are left out, and so is what was refused or missed: a
 * recorded regimen is what was really given. Numbers are read in the engine's units (h, mg, mg/h), in which they were
 * exported to the last bit, so that the same doses at the same times enter: the events, and with them the
 * trajectories, are those of the run that recorded them. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/text.h"
#include "regimen/compile.h"
#include "regimen/order.h"
#include "regimen/read.h"

enum { ARM, SUBJECT, TIME, AMOUNT, RATE, DRUG, ROUTE, REFUSED, STRENGTH, DURATION, INTERVAL, N_COLUMNS };

static const char *const names[N_COLUMNS] = {"arm",     "subject",  "time",     "amount",  "rate",    "drug",
                                             "route",   "refused",  "strength", "duration", "interval"};

struct table {
    struct hl_compiler *c;
    struct hl_csv *csv;
    const struct hl_yaml *node; /* the item's recorded: */
    const char *arm;            /* NULL: the table has one */
    int column[N_COLUMNS];      /* -1: absent */
    const char *only_arm;       /* the first row's */
    size_t taken;
    bool good;
};

static void fault(struct table *t, int column, const char *expected)
{
    size_t at = (size_t)t->column[column];
    hl_diag_error(t->c->diag, hl_csv_pos(t->csv, at), "expected %s in column %s, found '%s'", expected, names[column],
                  hl_csv_text(t->csv, at));
    t->good = false;
}

/* A number, 0 where the column is absent or empty; infinite where that is said and allowed. */
static double number(struct table *t, int column, bool may_be_endless)
{
    double value = 0;
    const char *text = t->column[column] >= 0 ? hl_csv_text(t->csv, (size_t)t->column[column]) : "";
    if (!*text || (may_be_endless && strcmp(text, "inf") == 0))
        return *text ? INFINITY : 0;
    if (!hl_text_number(text, &value))
        fault(t, column, "a number");
    return value;
}

static bool says(const struct table *t, int column, const char *word)
{
    return t->column[column] < 0 || strcmp(hl_csv_text(t->csv, (size_t)t->column[column]), word) == 0;
}

/* Whether the row is of this arm. */
static bool is_of_arm(struct table *t)
{
    const char *text = t->column[ARM] >= 0 ? hl_csv_text(t->csv, (size_t)t->column[ARM]) : NULL;
    if (!text || t->arm)
        return !text || strcmp(text, t->arm) == 0;
    if (!t->only_arm)
        t->only_arm = hl_arena_strdup(t->c->arena, text);
    if (strcmp(text, t->only_arm) == 0)
        return true;
    hl_diag_error(t->c->diag, t->node->pos, "this table has doses of several arms ('%s', '%s'); say which with arm:",
                  t->only_arm, text);
    t->good = false;
    return false;
}

/* The route named, or the drug's usual one. */
static int route_of(struct table *t)
{
    const struct hl_system *system = t->c->system;
    if (t->column[ROUTE] < 0) {
        int usual = system->instance[t->c->instance].default_route;
        if (usual < 0)
            hl_diag_error(t->c->diag, t->node->pos, "%s has no usual route; the table needs a column route",
                          t->c->drug);
        t->good = t->good && usual >= 0;
        return usual;
    }
    int route = hl_system_find_route(system, t->c->instance, hl_csv_text(t->csv, (size_t)t->column[ROUTE]));
    if (route < 0)
        fault(t, ROUTE, hl_arena_printf(t->c->arena, "a route of %s", t->c->drug));
    return route;
}

static struct hl_dose read_dose(struct table *t, int route)
{
    const struct hl_study *study = t->c->study;
    double strength = number(t, t->column[STRENGTH] >= 0 ? STRENGTH : AMOUNT, false);
    struct hl_dose dose = {.time = number(t, TIME, false), .route = route, .amount = strength,
                           .rate = number(t, RATE, false), .duration = number(t, DURATION, true),
                           .repeat_interval = number(t, INTERVAL, false)};
    bool patch = route >= 0 && t->c->system->route[route].is_patch;
    dose.kind = patch ? HL_DOSE_PATCH : dose.rate > 0 || dose.duration > 0 ? HL_DOSE_INFUSION : HL_DOSE_GIVEN;
    if (dose.kind == HL_DOSE_INFUSION && study->scales_duration)
        dose.scaled = HL_SCALED_DURATION;
    if (t->good && (strength < 0 || dose.rate < 0 || dose.duration < 0))
        fault(t, strength < 0 ? (t->column[STRENGTH] >= 0 ? STRENGTH : AMOUNT) : dose.rate < 0 ? RATE : DURATION,
              "a number that isn't negative");
    if (t->good && dose.kind != HL_DOSE_GIVEN && !(dose.duration > 0)) {
        hl_diag_error(t->c->diag, hl_csv_pos(t->csv, 0), "%s needs a duration", patch ? "a patch" : "an infusion");
        t->good = false;
    }
    return dose;
}

static void read_row(struct table *t)
{
    if (!says(t, DRUG, t->c->drug) || !says(t, REFUSED, "given") || !is_of_arm(t))
        return;
    double subject = number(t, SUBJECT, false);
    if (t->good && (subject < 0 || subject > 1e9 || subject != floor(subject)))
        fault(t, SUBJECT, "the number of a subject, 0 for everybody,");
    struct hl_dose dose = read_dose(t, route_of(t));
    if (!t->good)
        return;
    t->taken++;
    if (subject > 0) /* exact */
        hl_compiler_own_dose(t->c, (uint64_t)subject, dose);
    else
        hl_compiler_dose(t->c, dose);
}

static bool find_columns(struct table *t, const char *path)
{
    for (int i = 0; i < N_COLUMNS; i++)
        t->column[i] = hl_csv_find(t->csv, names[i]);
    int missing = t->column[SUBJECT] < 0 ? SUBJECT : t->column[TIME] < 0 ? TIME
                  : t->column[STRENGTH] < 0 && t->column[AMOUNT] < 0     ? AMOUNT
                                                                         : N_COLUMNS;
    if (missing == N_COLUMNS)
        return true;
    hl_diag_error(t->c->diag, t->node->pos, "'%s' has no column '%s'; a table of doses is what 'halflife export "
                  "FILE.h5 doses' writes", path, names[missing]);
    return false;
}

/* Beside the study, then where the user stands. */
static const char *place_of(struct hl_compiler *c, const char *text)
{
    const char *study = c->study->path, *slash = study ? strrchr(study, '/') : NULL;
    if (text[0] == '/' || !slash)
        return text;
    const char *beside = hl_arena_printf(c->arena, "%.*s/%s", (int)(slash - study), study, text);
    return access(beside, R_OK) == 0 ? beside : text;
}

static bool read_table(struct table *t, const char *path)
{
    if (access(path, R_OK) != 0) {
        hl_diag_error(t->c->diag, t->node->pos, "there is no table of doses '%s' (looked for beside the study and in "
                      "the current directory)", t->node->text);
        return false;
    }
    enum hl_status status = hl_csv_open(path, &t->csv, t->c->diag);
    t->good = status == HL_OK && find_columns(t, path);
    while (t->good && hl_csv_next(t->csv, &status))
        read_row(t);
    hl_csv_close(t->csv);
    if (status != HL_OK || !t->good)
        return false;
    if (t->taken == 0)
        hl_diag_error(t->c->diag, t->node->pos, "'%s' has no doses of %s%s%s%s", path, t->c->drug,
                      t->arm ? " in arm '" : "", t->arm ? t->arm : "", t->arm ? "'" : "");
    return t->taken > 0;
}

void hl_item_recorded(struct hl_compiler *c, const struct hl_yaml *item)
{
    static const char *const own[] = {"recorded", "arm"};
    const struct hl_yaml *arm = hl_yaml_get(item, "arm");
    struct table t = {.c = c, .node = hl_yaml_get(item, "recorded")};
    const char *text = hl_yaml_text(t.node, "a table of doses such as 'doses.csv'", c->diag);
    bool good = hl_item_keys(c, item, "recorded doses", own, 2, "") && text;
    if (arm && !(t.arm = hl_yaml_text(arm, "the name of an arm", c->diag)))
        good = false;
    if (good && (c->in_group || c->in_cycle)) {
        hl_diag_error(c->diag, item->pos, "recorded doses have times of their own; they can't be %s",
                      c->in_cycle ? "a steady state" : "repeated");
        good = false;
    }
    if (!good || !read_table(&t, place_of(c, text))) {
        hl_compiler_fault(c);
        return;
    }
    c->cursor = INFINITY;
    c->runs_on = "recorded doses";
}

/* ---- all tables of an arm together */

void hl_compiler_own_dose(struct hl_compiler *c, uint64_t subject, struct hl_dose dose)
{
    c->owned = hl_arena_push(c->arena, c->owned, c->n_owned, &c->owned_capacity, sizeof *c->owned);
    c->owned[c->n_owned++] = (struct hl_owned_dose){.subject = subject, .instance = c->instance, .dose = dose};
}

static bool owned_before(const void *a, const void *b)
{
    const struct hl_owned_dose *x = a, *y = b;
    if (x->subject != y->subject)
        return x->subject < y->subject;
    return x->dose.time < y->dose.time || (!(y->dose.time < x->dose.time) && x->instance < y->instance);
}

void hl_compiler_share_out(struct hl_compiler *c, uint64_t subjects)
{
    struct hl_recorded *r = &c->regimen->recorded;
    size_t n = c->n_owned;
    if (n == 0)
        return;
    hl_sort_stable(c->owned, n, sizeof *c->owned, owned_before, hl_arena_alloc(c->arena, n, sizeof *c->owned));
    *r = (struct hl_recorded){.n = n, .n_subjects = (size_t)c->owned[n - 1].subject};
    if (subjects > r->n_subjects) {
        hl_diag_error(c->diag, hl_pos_none(), "the recorded doses are of %zu subjects, the cohort has %llu; take the "
                      "cohort, with its seed, that they were recorded in", r->n_subjects,
                      (unsigned long long)subjects);
        c->good = false;
    }
    r->first = hl_arena_alloc(c->arena, r->n_subjects + 1, sizeof *r->first);
    r->dose = hl_arena_alloc(c->arena, n, sizeof *r->dose);
    for (size_t i = 0, k = 0; i < n; i++) {
        r->dose[i] = c->owned[i].dose;
        while (k < c->owned[i].subject)
            r->first[k++] = i;
    }
    r->first[r->n_subjects] = n;
}
