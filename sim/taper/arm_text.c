/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan as an arm of a study. Doses are listed by clock time, level by level, in amounts that are whole numbers of the
 * drug's unit; nothing is left to a protocol's rounding:
 *
 *     - {oral: [0.75 mg, 1 mg], at: ["08:00", "20:00"], for: 14 d}
 *     - {patch: [25 ug/h, 12.5 ug/h], every: 72 h, for: 15 d}
 *     - {infuse: 20 ug/h, for: 14 d}
 *
 * A drug that takes over from the one that goes down isn't in the arm that the plan begins in; it begins on day 0,
 * after a gap.
 */
#include <math.h>
#include <string.h>

#include "taper/plan.h"
#include "taper/products.h"

#define DAY 24.0

const char *hl_taper_clock_text(struct hl_arena *arena, const struct hl_study *study,
                                const struct hl_taper_problem *problem, double hours)
{
    long minutes = lround((study->origin + problem->begins + hours) * 60) % (24 * 60);
    minutes = minutes < 0 ? minutes + 24 * 60 : minutes;
    return hl_arena_printf(arena, "%02ld:%02ld", minutes / 60, minutes % 60);
}

static const char *doses_text(struct hl_arena *arena, const struct hl_study *study, const struct hl_taper_plan *plan,
                              const struct hl_taper_drug *drug, const struct hl_taper_step *step)
{
    const struct hl_taper_rung *rung = &plan->problem->rung[step->rung];
    const char *amounts = "", *clocks = "";
    for (size_t i = 0; i < drug->n_doses; i++) {
        long units = rung->units[drug->first_stream + i];
        if (units == 0)
            continue;
        const char *comma = *amounts ? ", " : "";
        amounts = hl_arena_printf(arena, "%s%s%s", amounts, comma, hl_taper_amount_text(arena, drug, units));
        clocks = hl_arena_printf(arena, "%s%s\"%s\"", clocks, comma,
                                 hl_taper_clock_text(arena, study, plan->problem, drug->dose[i].clock));
    }
    return hl_arena_printf(arena, "{%s: [%s], at: [%s], for: %d d}", study->system->route[drug->route].name, amounts,
                           clocks, step->days);
}

static const char *patches_text(struct hl_arena *arena, const struct hl_study *study, const struct hl_taper_plan *plan,
                                const struct hl_taper_drug *drug, const struct hl_taper_step *step)
{
    long units = plan->problem->rung[step->rung].units[drug->first_stream];
    long *count = hl_arena_alloc(arena, drug->n_products, sizeof *count);
    const char *list = "";
    struct hl_doses doses;
    if (hl_doses_make(arena, drug, units, &doses) != HL_OK || !hl_doses_count(&doses, drug, units, count))
        return "";
    for (size_t p = 0; p < drug->n_products; p++)
        for (long k = 0; k < count[p]; k++)
            list = hl_arena_printf(arena, "%s%s%s", list, *list ? ", " : "",
                                   hl_taper_amount_text(arena, drug, drug->product[p].piece_units));
    return hl_arena_printf(arena, "{%s: [%s], every: %g h, for: %d d}", study->system->route[drug->route].name, list,
                           drug->period, step->days);
}

/* One level of one drug. */
static const char *item_text(struct hl_arena *arena, const struct hl_study *study, const struct hl_taper_plan *plan,
                             const struct hl_taper_drug *drug, const struct hl_taper_step *step)
{
    size_t d = (size_t)(drug - plan->problem->drug);
    if (plan->problem->rung[step->rung].total[d] == 0)
        return hl_arena_printf(arena, "{gap: %d d}", step->days);
    if (drug->way == HL_TAPER_PATCHES)
        return patches_text(arena, study, plan, drug, step);
    if (drug->way == HL_TAPER_DOSES)
        return doses_text(arena, study, plan, drug, step);
    return hl_arena_printf(arena, "{infuse: %s, for: %d d, route: %s}",
                           hl_taper_amount_text(arena, drug, plan->problem->rung[step->rung].units[drug->first_stream]),
                           step->days, study->system->route[drug->route].name);
}

/* Lines of text, each moved right. */
static const char *indented(struct hl_arena *arena, const char *text, const char *by)
{
    const char *out = "";
    while (*text) {
        int n = (int)strcspn(text, "\n");
        out = hl_arena_printf(arena, "%s%s%.*s\n", out, by, n, text);
        text += n + (text[n] == '\n');
    }
    return out;
}

/* Levels of one drug that follow each other with the same amount are one item. */
static const char *levels_text(struct hl_arena *arena, const struct hl_study *study, const struct hl_taper_plan *plan,
                               const struct hl_taper_drug *drug)
{
    const struct hl_taper_schedule *schedule = plan->schedule;
    const struct hl_taper_rung *rung = plan->problem->rung;
    size_t d = (size_t)(drug - plan->problem->drug), last = 0;
    const char *out = "";
    for (size_t i = 0; i < schedule->n; i++)
        if (rung[schedule->step[i].rung].total[d] > 0)
            last = i + 1;
    for (size_t i = 0; i < last; i++) {
        struct hl_taper_step step = schedule->step[i];
        while (i + 1 < last && rung[schedule->step[i + 1].rung].total[d] == rung[step.rung].total[d])
            step.days += schedule->step[++i].days;
        out = hl_arena_printf(arena, "%s      - %s\n", out, item_text(arena, study, plan, drug, &step));
    }
    return out;
}

static const struct hl_taper_drug *drug_called(const struct hl_taper_problem *problem, const char *alias)
{
    for (size_t d = 0; d < problem->n_drugs; d++)
        if (strcmp(problem->drug[d].alias, alias) == 0)
            return &problem->drug[d];
    return NULL;
}

static const char *quoted(struct hl_arena *arena, const char *text)
{
    struct hl_yaml scalar = {.kind = HL_YAML_SCALAR, .quoted = true, .text = text};
    char *out = hl_yaml_to_text(arena, &scalar);
    out[strcspn(out, "\n")] = '\0';
    return out;
}

const char *hl_taper_facts_text(struct hl_arena *arena, const struct hl_taper_plan *plan)
{
    struct hl_taper_facts facts;
    char number[40];
    if (hl_taper_facts(arena, plan->problem, plan->schedule, &facts) != HL_OK)
        return "{}";
    const char *out = hl_arena_printf(arena, "{kind: \"%s\", duration: %d d, levels: %zu", plan->kind, facts.days,
                                      facts.levels);
    for (size_t d = 0; d < plan->problem->n_drugs; d++) {
        const char *alias = plan->problem->drug[d].alias;
        if (!isnan(facts.cumulative[d]))
            out = hl_arena_printf(arena, "%s, %s_taken: %s mg", out, alias,
                                  hl_taper_number(facts.cumulative[d], number, sizeof number));
        if (plan->problem->drug[d].way != HL_TAPER_RATE)
            out = hl_arena_printf(arena, "%s, %s_pieces: %s", out, alias,
                                  hl_taper_number(facts.products[d], number, sizeof number));
    }
    if (plan->problem->n_drugs > 1 && plan->problem->drug[1].worth > 0) {
        char worth[40];
        out = hl_arena_printf(arena, "%s, %s_equivalent: %s mg, %s_worth: %s", out, plan->problem->drug[0].alias,
                              hl_taper_number(facts.equivalent, number, sizeof number), plan->problem->drug[1].alias,
                              hl_taper_number(plan->problem->drug[1].worth, worth, sizeof worth));
    }
    return hl_arena_printf(arena, "%s}", out);
}

/* Drugs that nobody took before day 0. */
static const char *new_drugs_text(struct hl_arena *arena, const struct hl_study *study, const struct hl_yaml *arm,
                                  const struct hl_taper_plan *plan)
{
    const char *out = "";
    for (size_t d = 0; d < plan->problem->n_drugs; d++) {
        const struct hl_taper_drug *drug = &plan->problem->drug[d];
        if (!hl_yaml_get(arm, drug->alias))
            out = hl_arena_printf(arena, "%s    %s:\n      - {gap: %.10g h}\n%s", out, drug->alias,
                                  plan->problem->begins, levels_text(arena, study, plan, drug));
    }
    return out;
}

const char *hl_taper_arm_text(struct hl_arena *arena, const struct hl_study *study, const struct hl_taper_plan *plan)
{
    const struct hl_yaml *arm = hl_yaml_get(study->resolved, "arms")->item[plan->situation];
    const char *out = hl_arena_printf(arena, "  - name: %s\n    facts: %s\n", quoted(arena, plan->name),
                                      hl_taper_facts_text(arena, plan));
    for (size_t i = 0; i < arm->n; i++) {
        const char *key = arm->key[i]->text;
        const struct hl_taper_drug *drug = drug_called(plan->problem, key);
        const struct hl_yaml *value = arm->item[i];
        if (strcmp(key, "name") == 0)
            continue;
        struct hl_yaml list = {.kind = HL_YAML_SEQUENCE, .pos = value->pos, .n = 1, .item = (struct hl_yaml **)&value};
        const struct hl_yaml *said = drug && value->kind == HL_YAML_MAPPING ? &list : value;
        bool inline_value = said->kind == HL_YAML_SCALAR;
        out = hl_arena_printf(arena, inline_value ? "%s    %s: %s" : "%s    %s:\n%s", out, key,
                              inline_value ? hl_yaml_to_text(arena, said)
                                           : indented(arena, hl_yaml_to_text(arena, said), "      "));
        if (drug)
            out = hl_arena_printf(arena, "%s%s", out, levels_text(arena, study, plan, drug));
    }
    return hl_arena_printf(arena, "%s%s", out, new_drugs_text(arena, study, arm, plan));
}
