/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prescriptions as a calendar. The compiled regimen has the doses; of which tablets they are made stands in the study's
 * own words, taper: {tablets: ...}, and holds for all doses of that drug in the arm which those tablets make. Patches
 * are what they are: each nominal strength is a product.
 *
 * A result keeps the texts of its study and models. They are written to a directory of their own, read as any study is
 * (with a typical subject, for what is prescribed doesn't depend on who takes it), and removed. */
#include "commands/calendar_arm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "regimen/taper.h"

#define DAY 24.0

/* ---- Products. */

struct products { struct hl_arena *arena; size_t n, capacity; struct hl_product *product; struct hl_diag *diag; };

/* Where a strength is stated twice, the finer breaking counts. */
static void add_product(struct products *list, const char *form, double strength, int pieces)
{
    for (size_t i = 0; i < list->n; i++)
        if (fabs(list->product[i].strength - strength) <= 1e-9 * strength && list->product[i].form == form) {
            if (pieces > list->product[i].pieces)
                list->product[i].pieces = pieces;
            return;
        }
    list->product = hl_arena_push(list->arena, list->product, list->n, &list->capacity, sizeof *list->product);
    list->product[list->n++] = (struct hl_product){.form = form, .strength = strength, .pieces = pieces};
}

static const char tablet[] = "tablet", patch[] = "patch";

static bool add_tablets(struct products *list, const struct hl_yaml *taper)
{
    struct hl_taper_strength *strength;
    size_t n;
    if (!hl_taper_strengths(list->arena, taper, &strength, &n, list->diag))
        return false;
    for (size_t i = 0; i < n; i++)
        add_product(list, tablet, strength[i].strength, strength[i].parts);
    return true;
}

/* The tablets of every taper: within a prescription; those of a crossover's second drug where that is wanted. */
static void find_tablets(struct products *list, const struct hl_yaml *node, const char *second)
{
    const struct hl_yaml *taper = hl_yaml_get(node, "taper"), *to = hl_yaml_get(taper, "to");
    if (second)
        taper = to && to->kind == HL_YAML_SCALAR && strcmp(to->text, second) == 0 ? hl_yaml_get(taper, "target") : NULL;
    if (taper && taper->kind == HL_YAML_MAPPING)
        (void)add_tablets(list, taper);
    for (size_t i = 0; node && node->kind != HL_YAML_SCALAR && i < node->n; i++)
        find_tablets(list, node->item[i], second);
}

static int by_strength(const void *a, const void *b)
{
    const struct hl_product *x = a, *y = b;
    return x->strength > y->strength ? -1 : x->strength < y->strength;
}

static const struct hl_route *route_of(const struct hl_study *study, size_t arm, const struct hl_dose *dose)
{
    return &study->arm[arm].system->route[dose->route];
}

static void find_stated(struct products *list, const struct hl_study *study, size_t arm, size_t instance)
{
    const struct hl_system *system = study->arm[arm].system;
    find_tablets(list, study->arm[arm].prescription[instance], NULL);
    for (size_t k = 0; k < system->n_instances; k++)
        if (k != instance)
            find_tablets(list, study->arm[arm].prescription[k], system->instance[instance].alias);
}

/* asked: the tablets that take the place of the study's, or NULL. */
static void list_products(struct products *list, const struct hl_study *study, size_t arm,
                          const struct hl_regimen *regimen, size_t instance, const struct hl_yaml *asked)
{
    if (asked)
        (void)add_tablets(list, asked);
    else
        find_stated(list, study, arm, instance);
    for (size_t i = 0; i < regimen->n_doses; i++)
        if (regimen->dose[i].kind == HL_DOSE_PATCH &&
            (size_t)route_of(study, arm, &regimen->dose[i])->instance == instance)
            add_product(list, patch, regimen->dose[i].amount, 1);
    if (list->n > 1)
        qsort(list->product, list->n, sizeof *list->product, by_strength);
}

/* ---- Drugs: the instances that are given something. */

struct makings {
    struct hl_arena *arena;
    const struct hl_study *study;
    size_t arm;
    const struct hl_regimen *regimen;
    size_t n; struct hl_calendar_drug *drug;
    int *drug_of;      /* by instance: its place among the drugs, or -1 */
    const struct hl_yaml **asked; /* by instance: tablets: of the command line, or NULL */
};

/* Micrograms where the largest amount is below a tenth of a milligram. */
static void choose_units(struct makings *m, size_t instance, struct hl_calendar_drug *drug)
{
    double amount = 0, rate = 0;
    bool by_mass = false;
    for (size_t i = 0; i < m->regimen->n_doses; i++) {
        const struct hl_dose *dose = &m->regimen->dose[i];
        const struct hl_route *route = route_of(m->study, m->arm, dose);
        if ((size_t)route->instance != instance)
            continue;
        by_mass = by_mass || (dose->kind == HL_DOSE_PATCH && hl_dim_equal(route->nominal_dim, hl_dim_of("mg")));
        if (dose->kind == HL_DOSE_GIVEN)
            amount = fmax(amount, dose->amount);
        else
            rate = fmax(rate, dose->kind == HL_DOSE_PATCH ? dose->amount : dose->rate);
    }
    bool small = (amount > 0 ? amount : rate) < 0.1, small_rate = rate < 1 && !by_mass;
    drug->unit = small ? "ug" : "mg";
    drug->scale = small ? 1e-3 : 1;
    drug->rate_unit = by_mass ? "mg" : small_rate ? "ug/h" : "mg/h";
    drug->rate_scale = small_rate ? 1e-3 : 1;
}

static void list_drugs(struct makings *m, struct hl_diag *diag)
{
    const struct hl_system *system = m->study->arm[m->arm].system;
    m->drug = hl_arena_alloc(m->arena, system->n_instances + 1, sizeof *m->drug);
    m->drug_of = hl_arena_alloc(m->arena, system->n_instances + 1, sizeof *m->drug_of);
    for (size_t k = 0; k < system->n_instances; k++) {
        bool given = false;
        for (size_t i = 0; i < m->regimen->n_doses && !given; i++)
            given = (size_t)route_of(m->study, m->arm, &m->regimen->dose[i])->instance == k;
        m->drug_of[k] = given ? (int)m->n : -1;
        if (!given)
            continue;
        struct products list = {.arena = m->arena, .diag = diag};
        struct hl_calendar_drug *drug = &m->drug[m->n++];
        list_products(&list, m->study, m->arm, m->regimen, k, m->asked[k]);
        *drug = (struct hl_calendar_drug){.name = system->instance[k].alias, .n_products = list.n,
                                          .product = list.product};
        choose_units(m, k, drug);
    }
}

static bool has_doses(const struct makings *m, size_t instance)
{
    for (size_t i = 0; i < m->regimen->n_doses; i++)
        if (m->regimen->dose[i].kind == HL_DOSE_GIVEN &&
            (size_t)route_of(m->study, m->arm, &m->regimen->dose[i])->instance == instance)
            return true;
    return false;
}

/* The instance that tablets are meant for; n_instances with a message. */
static size_t drug_meant(const struct makings *m, const struct hl_calendar_tablets *tablets, struct hl_diag *diag)
{
    const struct hl_system *system = m->study->arm[m->arm].system;
    const char **name = hl_arena_alloc(m->arena, system->n_instances + 1, sizeof *name), *all = "";
    size_t n = 0, last = 0;
    char hint[128];
    for (size_t k = 0; k < system->n_instances; k++) {
        if (!has_doses(m, k))
            continue;
        if (tablets->drug && strcmp(system->instance[k].alias, tablets->drug) == 0)
            return k;
        last = k;
        all = hl_arena_printf(m->arena, "%s%s%s", all, n ? ", " : "", system->instance[k].alias);
        name[n++] = system->instance[k].alias;
    }
    if (!tablets->drug && n == 1)
        return last;
    if (tablets->drug)
        hl_diag_error(diag, hl_pos_none(), "--tablets: the arm gives no doses of '%s'%s", tablets->drug,
                      hl_text_did_you_mean(tablets->drug, name, n, hint, sizeof hint));
    else
        hl_diag_error(diag, hl_pos_none(), n ? "--tablets: of which drug? Write DRUG=%s; the arm gives doses of %s"
                                             : "--tablets '%s': the arm gives no doses%s", tablets->text, all);
    return system->n_instances;
}

/* "0.5 mg scored, 0.125 mg" */
static bool read_asked(struct makings *m, size_t n, const struct hl_calendar_tablets *tablets, struct hl_diag *diag)
{
    size_t n_instances = m->study->arm[m->arm].system->n_instances;
    m->asked = hl_arena_alloc(m->arena, n_instances + 1, sizeof *m->asked);
    for (size_t i = 0; i < n; i++) {
        const char *text = hl_arena_printf(m->arena, "{tablets: [%s], halve: scored}", tablets[i].text);
        const struct hl_yaml *node = hl_yaml_load_text(m->arena, "--tablets", text, diag);
        struct products list = {.arena = m->arena, .diag = diag};
        size_t k = drug_meant(m, &tablets[i], diag);
        if (k == n_instances || !node || hl_diag_count(diag, HL_ERROR) > 0 || !add_tablets(&list, node))
            return false;
        m->asked[k] = node;
    }
    return true;
}

/* ---- Doses. */

/* Pieces of those products whose form is meant; NULL when they don't make the amount. */
static const long *count_of(struct makings *m, const struct hl_calendar_drug *drug, const char *form, double amount)
{
    struct hl_product *product = hl_arena_alloc(m->arena, drug->n_products + 1, sizeof *product);
    long *count = hl_arena_alloc(m->arena, drug->n_products + 1, sizeof *count),
         *own = hl_arena_alloc(m->arena, drug->n_products + 1, sizeof *own);
    size_t n = 0;
    for (size_t p = 0; p < drug->n_products; p++)
        if (drug->product[p].form == form)
            product[n++] = drug->product[p];
    if (n == 0 || !hl_calendar_pieces(m->arena, n, product, amount, own))
        return NULL;
    n = 0;
    for (size_t p = 0; p < drug->n_products; p++)
        if (drug->product[p].form == form)
            count[p] = own[n++];
    return count;
}

static struct hl_calendar_dose shown_dose(struct makings *m, const struct hl_dose *dose)
{
    const struct hl_route *route = route_of(m->study, m->arm, dose);
    struct hl_calendar_dose shown = {.time = dose->time, .drug = (size_t)m->drug_of[route->instance],
                                     .amount = dose->amount, .duration = dose->duration};
    const struct hl_calendar_drug *drug = &m->drug[shown.drug];
    if (dose->kind == HL_DOSE_GIVEN) {
        shown.interval = dose->repeat_interval;
        shown.count = count_of(m, drug, tablet, dose->amount);
    } else if (dose->kind == HL_DOSE_PATCH) {
        shown.kind = HL_CALENDAR_PATCH;
        shown.count = count_of(m, drug, patch, dose->amount);
    } else {
        shown.kind = HL_CALENDAR_INFUSION;
        shown.rate = dose->rate;
        shown.amount = 0;
    }
    return shown;
}

enum hl_status hl_calendar_of_arm(struct hl_arena *arena, const struct hl_study *study, size_t arm,
                                  const struct hl_regimen *regimen, size_t n_tablets,
                                  const struct hl_calendar_tablets *tablets, const struct hl_calendar_options *options,
                                  struct hl_calendar **calendar, struct hl_diag *diag)
{
    struct makings m = {.arena = arena, .study = study, .arm = arm, .regimen = regimen};
    struct hl_calendar_options own = *options;
    struct hl_calendar_dose *dose = hl_arena_alloc(arena, regimen->n_doses + 1, sizeof *dose);
    if (!read_asked(&m, n_tablets, tablets, diag))
        return HL_ERR_INPUT;
    list_drugs(&m, diag);
    for (size_t i = 0; i < regimen->n_doses; i++)
        dose[i] = shown_dose(&m, &regimen->dose[i]);
    own.origin = study->origin;
    own.end = study->n_times ? study->time[study->n_times - 1] : 0;
    for (size_t i = 0; i < regimen->n_doses; i++) {
        double lasts = regimen->dose[i].kind == HL_DOSE_GIVEN ? DAY : regimen->dose[i].duration;
        own.end = fmax(own.end, regimen->dose[i].time + (isfinite(lasts) ? lasts : 0));
    }
    return hl_calendar_make(arena, &own, m.n, m.drug, regimen->n_doses, dose, calendar, diag);
}

/* ---- The study of a result. */

static bool write_file(const char *path, const char *text, struct hl_diag *diag)
{
    FILE *stream = fopen(path, "wb");
    bool good = stream && fputs(text, stream) >= 0;
    if (stream && fclose(stream) != 0)
        good = false;
    if (!good)
        hl_diag_error(diag, hl_pos_none(), "cannot write the temporary file '%s': %s", path, strerror(errno));
    return good;
}

/* Who is in the cohort needs other files and isn't asked here. */
static const char *for_one_subject(struct hl_arena *arena, const char *text, struct hl_diag *diag)
{
    struct hl_yaml *root = hl_yaml_load_text(arena, "study", text, diag);
    struct hl_yaml *typical = root ? hl_yaml_load_text(arena, "cohort", "cohort: typical\n", diag) : NULL;
    if (!typical)
        return NULL;
    hl_yaml_set(arena, root, "cohort", hl_yaml_get(typical, "cohort"), true);
    return hl_yaml_to_text(arena, root);
}

/* Writes study.yaml and the models; false with a message. path[]: what was written, n of it. */
static bool write_texts(struct hl_arena *arena, const struct hl_result *result, const char *directory,
                        const char **path, size_t *n, struct hl_diag *diag)
{
    bool has_study = false;
    for (size_t i = 0; i < result->n_texts; i++) {
        const char *name = result->text_name[i];
        bool is_study = strcmp(name, "study") == 0;
        if (!is_study && strncmp(name, "model_", 6) != 0)
            continue;
        const char *text =
            hl_result_attribute(result, hl_arena_printf(arena, "/provenance/%s", name), "text");
        if (text && is_study)
            text = for_one_subject(arena, text, diag);
        path[*n] = hl_arena_printf(arena, "%s/%s.yaml", directory, is_study ? name : name + 6);
        if (!text || !write_file(path[(*n)++], text, diag))
            return false;
        has_study = has_study || is_study;
    }
    if (!has_study)
        hl_diag_error(diag, hl_pos_none(), "'%s' does not keep the study it was made from", result->path);
    return has_study;
}

struct hl_study *hl_study_of_result(struct hl_arena *arena, const struct hl_result *result, struct hl_diag *diag)
{
    const char *place = getenv("TMPDIR");
    char *directory = hl_arena_printf(arena, "%s/halflife-XXXXXX", place && *place ? place : "/tmp");
    const char **path = hl_arena_alloc(arena, result->n_texts + 1, sizeof *path);
    size_t n = 0;
    struct hl_study *study = NULL;
    struct hl_study_options options = {0};
    if (!mkdtemp(directory)) {
        hl_diag_error(diag, hl_pos_none(), "cannot make a temporary directory: %s", strerror(errno));
        return NULL;
    }
    if (write_texts(arena, result, directory, path, &n, diag))
        study = hl_study_load(arena, hl_arena_printf(arena, "%s/study.yaml", directory), &options, diag);
    for (size_t i = 0; i < n; i++)
        (void)unlink(path[i]);
    (void)rmdir(directory);
    return study;
}
