/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adherence: as it is written, and as it is told:
 *
 *   {missed: "5 %"}                                                    each dose alone
 *   {markov: {miss_after_taken: "3 %", miss_after_missed: "40 %"}}     gaps
 *   {missed: "5 %", weekends: {missed: "30 %", days: [saturday, sunday]}, weekday: monday}
 *   with any of  double_after_miss: true, spread: 0.8, from: 7 d, until: 98 d;  or  full */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "regimen/adherence.h"
#include "regimen/read.h"

static const char *const weekdays[7] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
#define WEEKEND (1u << 5 | 1u << 6)

static const char example[] = "{missed: \"5 %\"} or {markov: {miss_after_taken: \"3 %\", miss_after_missed: \"40 %\"}}";

static bool read_weekday(const struct hl_yaml *node, int *weekday, struct hl_diag *diag)
{
    char hint[128];
    const char *text = hl_yaml_text(node, "a day of the week such as 'monday'", diag);
    if (!text)
        return false;
    for (int k = 0; k < 7; k++)
        if (strcmp(text, weekdays[k]) == 0) {
            *weekday = k;
            return true;
        }
    hl_diag_error(diag, node->pos, "'%s' is not a day of the week; expected one of monday, tuesday, ... sunday%s", text,
                  hl_text_did_you_mean(text, weekdays, 7, hint, sizeof hint));
    return false;
}

static bool read_days(const struct hl_yaml *node, unsigned *days, struct hl_diag *diag)
{
    bool good = hl_list_size(node) > 0;
    if (!good)
        hl_diag_error(diag, node->pos, "expected days of the week such as [saturday, sunday]");
    *days = 0;
    for (size_t i = 0; i < hl_list_size(node); i++) {
        int day = 0;
        good = read_weekday(hl_list_item(node, i), &day, diag) && good;
        *days |= 1u << day;
    }
    return good;
}

static bool read_weekends(const struct hl_yaml *item, struct hl_adherence *a, struct hl_diag *diag)
{
    static const char *const keys[] = {"missed", "days"};
    const struct hl_yaml *node = hl_yaml_get(item, "weekends"), *weekday = hl_yaml_get(item, "weekday");
    if (!node && weekday)
        hl_diag_error(diag, weekday->pos, "weekday: says which day t = 0 is, and only weekends: asks for it; add "
                      "'weekends: {missed: \"30 %%\"}' or leave it out");
    if (!node)
        return !weekday;
    if (!hl_only_keys(node, "weekends", keys, 2, diag))
        return false;
    const struct hl_yaml *missed = hl_yaml_get(node, "missed"), *days = hl_yaml_get(node, "days");
    bool good = missed && weekday;
    if (!missed)
        hl_diag_error(diag, node->pos, "weekends: needs missed:, as in {missed: \"30 %%\"}");
    if (!weekday)
        hl_diag_error(diag, node->pos, "weekends: needs to know which day of the week t = 0 is; add 'weekday: monday' "
                      "beside it");
    a->other_days = true;
    a->days = WEEKEND;
    if (missed)
        good = hl_item_read_probability(missed, "the share of doses missed then", &a->on_those_days, diag) && good;
    if (weekday)
        good = read_weekday(weekday, &a->weekday, diag) && good;
    return (!days || read_days(days, &a->days, diag)) && good;
}

static bool read_markov(const struct hl_yaml *node, struct hl_adherence *a, struct hl_diag *diag)
{
    static const char *const keys[] = {"miss_after_taken", "miss_after_missed"};
    double *const to[] = {&a->after_taken, &a->after_missed};
    if (!hl_only_keys(node, "markov", keys, 2, diag))
        return false;
    bool good = true;
    for (size_t i = 0; i < 2; i++) {
        const struct hl_yaml *value = hl_yaml_get(node, keys[i]);
        if (!value)
            hl_diag_error(diag, node->pos, "markov: needs %s:, as in {miss_after_taken: \"3 %%\", miss_after_missed: "
                          "\"40 %%\"}", keys[i]);
        good = value && hl_item_read_probability(value, keys[i], to[i], diag) && good;
    }
    a->markov = true;
    if (good && a->after_taken == 0 && a->after_missed == 1) { /* as written: nothing ever changes */
        hl_diag_error(diag, node->pos, "such a chain never changes: who takes the first dose takes all, who misses it "
                      "none; give miss_after_taken: above 0 %% or miss_after_missed: below 100 %%");
        return false;
    }
    return good;
}

/* keys_good: an unknown key, which has been reported, may be the one that is missed here. */
static bool read_chances(const struct hl_yaml *node, bool keys_good, struct hl_adherence *a, struct hl_diag *diag)
{
    const struct hl_yaml *missed = hl_yaml_get(node, "missed"), *markov = hl_yaml_get(node, "markov");
    if (missed && markov) {
        hl_diag_error(diag, hl_yaml_key(node, "markov")->pos,
                      "'missed' and 'markov' both say how doses are missed; leave one out");
        return false;
    }
    if (markov)
        return read_markov(markov, a, diag);
    if (!missed && !hl_yaml_get(node, "weekends")) {
        if (keys_good)
            hl_diag_error(diag, node->pos, "adherence needs missed:, markov: or weekends:, as in %s", example);
        return false;
    }
    if (missed && !hl_item_read_probability(missed, "the share of doses missed", &a->after_taken, diag))
        return false;
    a->after_missed = a->after_taken;
    return true;
}

static bool read_truth(const struct hl_yaml *node, bool *value, struct hl_diag *diag)
{
    *value = hl_is_word(node, "true");
    if (*value || hl_is_word(node, "false"))
        return true;
    hl_diag_error(diag, node->pos, "double_after_miss is true or false, found %s%s%s",
                  node->kind == HL_YAML_SCALAR ? "'" : "", node->kind == HL_YAML_SCALAR ? node->text : "something else",
                  node->kind == HL_YAML_SCALAR ? "'" : "");
    return false;
}

static bool read_window(const struct hl_yaml *node, struct hl_adherence *a, struct hl_diag *diag)
{
    const struct hl_yaml *from = hl_yaml_get(node, "from"), *until = hl_yaml_get(node, "until");
    bool good = !from || hl_item_read_time(from, "the time from which doses are missed", &a->from, diag);
    if (until)
        good = hl_item_read_time(until, "the time until which doses are missed", &a->until, diag) && good;
    if (!good || a->from < a->until)
        return good;
    hl_diag_error(diag, until->pos, "doses would be missed until %g h, before they begin to be at %g h; give a later "
                  "until:", a->until, a->from);
    return false;
}

static bool read_spread(const struct hl_yaml *node, double *spread, struct hl_diag *diag)
{
    return hl_item_read_not_negative(node, hl_dim_none(), "the standard deviation between subjects of the logit of the "
                                     "chance to miss a dose", "0.8", spread, diag);
}

bool hl_adherence_read(struct hl_arena *arena, const struct hl_yaml *node, double origin,
                       const struct hl_adherence **rule, struct hl_diag *diag)
{
    static const char *const keys[] = {"missed", "markov",            "weekends", "weekday",
                                       "spread", "double_after_miss", "from",     "until"};
    *rule = NULL;
    if (hl_is_word(node, "full"))
        return true;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(diag, node->pos, "expected what people do with their doses: full, or such as %s", example);
        return false;
    }
    struct hl_adherence *a = hl_arena_alloc(arena, 1, sizeof *a);
    const struct hl_yaml *doubles = hl_yaml_get(node, "double_after_miss"), *spread = hl_yaml_get(node, "spread");
    *a = (struct hl_adherence){.origin = origin, .until = INFINITY};
    bool good = hl_only_keys(node, "adherence", keys, sizeof keys / sizeof *keys, diag);
    good = read_chances(node, good, a, diag) && good;
    good = read_weekends(node, a, diag) && good;
    if (doubles)
        good = read_truth(doubles, &a->doubles, diag) && good;
    if (spread)
        good = read_spread(spread, &a->spread, diag) && good;
    good = read_window(node, a, diag) && good;
    *rule = good ? a : NULL;
    return good;
}

/* ---- In words */

static const char *days_text(struct hl_arena *arena, unsigned days)
{
    const char *list = "";
    if (days == WEEKEND)
        return "weekends";
    for (int k = 0; k < 7; k++)
        if (days >> k & 1u)
            list = hl_arena_printf(arena, "%s%s%s", list, *list ? ", " : "", weekdays[k]);
    return list;
}

const char *hl_adherence_text(struct hl_arena *arena, const struct hl_adherence *a)
{
    if (!a)
        return "every dose taken as planned";
    const char *text =
        a->markov ? hl_arena_printf(arena, "%g %% of doses missed after one taken, %g %% after one missed",
                                    100 * a->after_taken, 100 * a->after_missed)
                  : hl_arena_printf(arena, "%g %% of doses missed, each alone", 100 * a->after_taken);
    if (a->other_days)
        text = hl_arena_printf(arena, "%s, %g %% on %s (t = 0 is a %s)", text, 100 * a->on_those_days,
                               days_text(arena, a->days), weekdays[a->weekday]);
    if (a->spread > 0)
        text = hl_arena_printf(arena, "%s, spread %g between subjects (sd of the logit)", text, a->spread);
    if (a->doubles)
        text = hl_arena_printf(arena, "%s; the first dose taken after a gap is doubled", text);
    text = hl_arena_printf(arena, "%s; from %g h", text, a->from);
    return isfinite(a->until) ? hl_arena_printf(arena, "%s until %g h", text, a->until) : text;
}
