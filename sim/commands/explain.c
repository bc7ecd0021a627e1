/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife explain: one subject of one arm, in full: who it is, what follows for its kinetics, how it is solved, what
 * is given to it and when. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cohort/cohort.h"
#include "commands/command.h"
#include "commands/explain_records.h"
#include "commands/explain_reviews.h"
#include "commands/study_options.h"
#include "run.h"

#define MOST_HALF_LIVES 16

static const struct hl_option options_of_explain[] = {
    {"subject", 0, "K", "which subject, from 1 (default 1)"},
    {"arm", 0, "A", "which arm, by name or by number from 0 (default: the first)"},
    {"events", 0, "N", "how many events to list (default 40; 0 for all)"},
    HL_STUDY_OPTIONS,
};

/* A number without a unit stands alone: "0.94 1" reads like two. */
static void print_value(const char *name, double value, const char *unit)
{
    bool none = !unit || strcmp(unit, "1") == 0;
    printf("  %-28s %.6g%s%s\n", name, value, none ? "" : " ", none ? "" : unit);
}

static void print_covariates(const struct hl_system *system, const double *regs)
{
    if (system->n_covariates)
        puts("covariates");
    for (size_t i = 0; i < system->n_covariates; i++) {
        const struct hl_system_covariate *c = &system->covariate[i];
        double value = regs[c->reg];
        if (c->info->n_categories)
            printf("  %-28s %s\n", c->name, c->info->category[(size_t)value]);
        else
            print_value(c->name, value / c->info->unit.factor, c->info->unit_text);
    }
}

static void print_individual(const struct hl_system *system, const double *regs)
{
    char unit[64];
    puts("random effects");
    for (size_t i = 0; i < system->n_etas; i++)
        printf("  %-28s %+.6g (sd %.4g)\n", system->eta[i].name, regs[system->eta[i].reg], system->eta[i].sd);
    for (size_t i = 0; i < system->n_mixtures; i++)
        printf("  %-28s %s\n", system->mixture[i].name,
               system->mixture[i].info->class_name[(size_t)regs[system->mixture[i].reg]]);
    puts("individual parameters");
    for (size_t i = 0; i < system->n_individuals; i++) {
        const struct hl_system_individual *v = &system->individual_value[i];
        print_value(v->name, regs[v->reg], hl_dim_name(system->reg[v->reg].dim, unit, sizeof unit));
    }
}

static enum hl_status print_half_lives(const struct hl_plan *plan, const struct hl_system *system, const double *regs)
{
    puts("half-lives of the linear states");
    for (size_t i = 0; i < system->n_instances; i++) {
        double half_life[MOST_HALF_LIVES];
        size_t n;
        enum hl_status status = hl_plan_half_lives(plan, regs, 1, 0, (int)i, half_life, MOST_HALF_LIVES, &n);
        if (status != HL_OK)
            return status;
        if (n == 0)
            continue;
        printf("  %-28s", system->instance[i].alias);
        for (size_t k = 0; k < n; k++) {
            if (half_life[k] < 1)
                printf(" %.4g min", half_life[k] * 60);
            else
                printf(" %.4g h", half_life[k]);
        }
        putchar('\n');
    }
    return HL_OK;
}

static void print_event(const struct hl_event *e, const struct hl_system *system)
{
    static const char *const what[] = {"amount into", "rate change into", "dose given by", "demand refused by",
                                       "release begins into"};
    const char *where = e->state >= 0   ? system->state[e->state].name
                        : e->route >= 0 ? system->route[e->route].name
                                        : "";
    const char *unit = e->kind == HL_EVENT_RATE ? "mg/h" : "mg";
    const char *alias = e->instance >= 0 ? system->instance[e->instance].alias : "";
    if (e->kind == HL_EVENT_GIVEN || e->kind == HL_EVENT_REFUSED)
        printf("  %12.4f h  %s: %s %s, %.6g mg\n", e->time, alias, what[e->kind], where, e->value);
    else
        printf("  %12.4f h    %s %s: %+.6g %s\n", e->time, what[e->kind], where, e->value, unit);
}

static void print_events(const struct hl_events *events, const struct hl_system *system, uint64_t most)
{
    size_t shown = most && most < events->n ? (size_t)most : events->n;
    printf("events (%zu)\n", events->n);
    for (size_t i = 0; i < shown; i++)
        print_event(&events->event[i], system);
    if (shown < events->n)
        printf("  ... %zu more (--events 0 lists all)\n", events->n - shown);
}

static size_t count_doses(const struct hl_regimen *regimen, const unsigned char *taken, unsigned char times)
{
    size_t n = 0;
    for (size_t i = 0; i < regimen->n_doses; i++)
        n += taken[i] == times;
    return n;
}

/* The rules, and which of the planned doses the subject misses; those taken twice are told by their amount. */
static enum hl_status print_adherence(const struct hl_prepared *p, size_t a, const struct hl_regimen *regimen,
                                      uint64_t subject, uint64_t most)
{
    const struct hl_arm *arm = &p->study->arm[a];
    if (!regimen->adherence)
        return HL_OK;
    unsigned char *taken = hl_alloc(regimen->n_doses + 1, sizeof *taken);
    if (!taken)
        return HL_ERR_MEMORY;
    hl_regimen_taken(regimen, arm->system, arm->cohort->seed, subject, taken);
    hl_prepared_describe_adherence(p, a, stdout);
    size_t missed = count_doses(regimen, taken, 0), shown = 0;
    printf("doses missed (%zu; %zu taken twice)\n", missed, count_doses(regimen, taken, 2));
    for (size_t i = 0; i < regimen->n_doses && (most == 0 || shown < most); i++) {
        const struct hl_route *route = &arm->system->route[regimen->dose[i].route];
        if (taken[i] > 0)
            continue;
        printf("  %12.4f h  %s: dose missed by %s\n", regimen->dose[i].time,
               arm->system->instance[route->instance].alias, route->name);
        shown++;
    }
    if (shown < missed)
        printf("  ... %zu more (--events 0 lists all)\n", missed - shown);
    hl_free(taken);
    return HL_OK;
}

/* Subject's registers; of a data set with the covariates of its first record. */
static enum hl_status fill_registers(const struct hl_prepared *p, size_t a, uint64_t subject, double *regs,
                                     struct hl_diag *diag)
{
    const struct hl_system *system = p->study->arm[a].system;
    enum hl_status status = HL_OK;
    hl_cohort_fill(p->cohort[a], subject, 1, regs, 1);
    const struct hl_individual *who = p->data ? hl_explain_find(p, subject, &status, diag) : NULL;
    if (!who)
        return status;
    hl_cohort_draw(p->cohort[a], subject, regs);
    if (hl_data_facts(p->data)->has_occasions)
        hl_cohort_occasion(p->cohort[a], subject, who->record[0].OCC, regs);
    for (size_t c = 0; c < system->n_covariates; c++)
        if (!isnan(who->covariate[c]))
            regs[system->covariate[c].reg] = who->covariate[c];
    hl_program_run(&system->individual, regs, 1);
    return HL_OK;
}

/* What happens to the subject: what is decided, missed and given. */
static enum hl_status explain_doses(const struct hl_prepared *p, size_t a, uint64_t subject, uint64_t most,
                                    double *regs, struct hl_diag *diag)
{
    const struct hl_arm *arm = &p->study->arm[a];
    struct hl_history history = {0};
    struct hl_planned planned = {.n = 0};
    struct hl_events events = {0};
    enum hl_status status = hl_explain_decide(p, a, subject, &history, diag);
    if (status == HL_OK)
        status = hl_planned_make(p->regimen[a], arm->system, history.dose, history.n_doses, &planned);
    if (status == HL_OK)
        status = hl_regimen_events_with(p->regimen[a], history.dose, history.n_doses, arm->system, regs, 1, 0,
                                        arm->cohort->seed, subject, &events);
    if (status == HL_OK)
        hl_explain_reviews(p, a, &history, most);
    if (status == HL_OK)
        status = print_adherence(p, a, &planned.regimen, subject, most);
    if (status == HL_OK)
        print_events(&events, arm->system, most);
    hl_planned_clear(&planned);
    hl_history_clear(&history);
    hl_free(events.event);
    return status;
}

static enum hl_status explain_subject(const struct hl_prepared *p, size_t a, uint64_t subject, uint64_t most,
                                      struct hl_diag *diag)
{
    const struct hl_arm *arm = &p->study->arm[a];
    double *regs = hl_alloc(arm->system->n_regs, sizeof *regs);
    if (!regs)
        return HL_ERR_MEMORY;
    printf("%s, arm '%s', subject %" PRIu64 " of %" PRIu64 ", seed %" PRIu64 "\n", p->study->name, arm->name, subject,
           arm->cohort->subjects, arm->cohort->seed);
    enum hl_status status = fill_registers(p, a, subject, regs, diag);
    print_covariates(arm->system, regs);
    print_individual(arm->system, regs);
    if (status == HL_OK)
        status = print_half_lives(p->plan[a], arm->system, regs);
    puts("solver");
    hl_plan_describe(p->plan[a], stdout);
    if (status == HL_OK && p->data)
        status = hl_explain_records(p, a, subject, most, diag);
    else if (status == HL_OK)
        status = explain_doses(p, a, subject, most, regs, diag);
    hl_free(regs);
    return status;
}

static enum hl_status run_explain(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    static struct hl_study_option_room room;
    struct hl_study_options options;
    struct hl_prepared prepared;
    uint64_t subject = 1, most = 40;
    size_t arm = 0;
    const char *path = hl_one_word(arguments, "a study file", diag);
    if (!path || hl_study_options_read(arguments, &room, &options, diag) != HL_OK ||
        hl_arguments_integer(arguments, "subject", 1, &subject, diag) != HL_OK ||
        hl_arguments_integer(arguments, "events", 0, &most, diag) != HL_OK)
        return HL_ERR_INPUT;
    enum hl_status status = hl_prepare(path, &options, &prepared, diag);
    if (status == HL_OK)
        status = hl_find_arm(prepared.study, hl_arguments_value(arguments, "arm"), &arm, diag);
    if (status == HL_OK && subject > prepared.study->arm[arm].cohort->subjects) {
        hl_diag_error(diag, hl_pos_none(), "--subject %" PRIu64 " is beyond the cohort's %" PRIu64 " subjects", subject,
                      prepared.study->arm[arm].cohort->subjects);
        status = HL_ERR_INPUT;
    }
    if (status == HL_OK)
        status = explain_subject(&prepared, arm, subject, most, diag);
    hl_prepared_clear(&prepared);
    return status;
}

const struct hl_command hl_command_explain = {
    .name = "explain",
    .usage = "STUDY.yaml [--subject K] [--arm A]",
    .summary = "shows one subject's covariates, individual parameters, half-lives, solver plan and event list",
    .examples = "  halflife explain configs/akita2021.yaml --subject 17\n"
                "  halflife explain configs/tapers.yaml --arm nardi2010 --typical\n"
                "  halflife explain study.yaml --data events.csv --subject 3\n",
    .option = options_of_explain,
    .n_options = sizeof options_of_explain / sizeof *options_of_explain,
    .run = run_explain,
};
