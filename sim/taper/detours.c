/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interruptions of a designed taper, as situations under stress: state them:
 *
 *     pause: {at: 21 d, for: 7 d}                    the level of that day is kept so much longer
 *     pause: {at: 21 d, for: 3 d, dose: none}        nothing is taken for so long
 *     reinstate: {at: 80 d, for: 14 d}               back to the amount before the taper for so long; then on with the
 *                                                    rest, or with then: restart down again through all levels
 *
 * Days count from day 0 as they pass, earlier detours included; each may be a list. The words mean what they mean under
 * taper: of an arm (regimen/taper.c). Days beyond the taper's end change nothing: the taper is then over. */
#include <string.h>

#include "regimen/read.h"
#include "taper/inside.h"
#include "taper/plan.h"
#include "taper/rungs.h"

/* ---- reading */

static bool read_detour(struct hl_taper_reader *reader, const struct hl_yaml *node, bool back,
                        struct hl_taper_detour *detour)
{
    static const char *const pause_keys[] = {"at", "for", "dose"}, *const back_keys[] = {"at", "for", "then"};
    static const char *const doses[] = {"hold", "none"}, *const thens[] = {"continue", "restart"};
    const struct hl_yaml *at = hl_yaml_get(node, "at"), *span = hl_yaml_get(node, "for");
    const struct hl_yaml *dose = hl_yaml_get(node, "dose"), *then = hl_yaml_get(node, "then");
    size_t index = 0;
    if (!hl_yaml_check_keys(node, back ? "reinstate" : "pause", back ? back_keys : pause_keys, 3, reader->diag))
        return false;
    if (!at || !span) {
        hl_diag_error(reader->diag, node->pos, "%s: needs at: and for:, such as {at: 21 d, for: 7 d}",
                      back ? "reinstate" : "pause");
        return false;
    }
    bool good = hl_taper_read_days(reader, at, "the day of a detour", &detour->day);
    good = hl_taper_read_days(reader, span, "how long a detour lasts", &detour->days) && good;
    if (!back && dose)
        good = hl_taper_read_word(reader, dose, "dose of a pause", doses, 2, &index) && good;
    detour->kind = back ? HL_DETOUR_BACK : index == 1 ? HL_DETOUR_NOTHING : HL_DETOUR_HOLD;
    index = 0;
    if (back && then)
        good = hl_taper_read_word(reader, then, "way to go on", thens, 2, &index) && good;
    detour->restart = index == 1;
    return good;
}

static void insert(struct hl_taper_situation *situation, struct hl_taper_detour detour)
{
    size_t at = situation->n_detours++;
    for (; at > 0 && situation->detour[at - 1].day > detour.day; at--)
        situation->detour[at] = situation->detour[at - 1];
    situation->detour[at] = detour;
}

static void read_situation(struct hl_taper_reader *reader, const struct hl_yaml *node,
                           struct hl_taper_situation *situation)
{
    const struct hl_yaml *said[2] = {hl_yaml_get(node, "pause"), hl_yaml_get(node, "reinstate")};
    size_t n = (said[0] ? hl_list_size(said[0]) : 0) + (said[1] ? hl_list_size(said[1]) : 0);
    situation->detour = hl_arena_alloc(reader->arena, n, sizeof *situation->detour);
    for (int kind = 0; kind < 2; kind++)
        for (size_t i = 0; said[kind] && i < hl_list_size(said[kind]); i++) {
            struct hl_taper_detour detour = {0};
            if (read_detour(reader, hl_list_item(said[kind], i), kind == 1, &detour))
                insert(situation, detour);
        }
}

void hl_taper_read_situations(struct hl_taper_reader *reader, const struct hl_yaml *stress)
{
    size_t n_arms = reader->study->n_arms, n = stress ? hl_list_size(stress) : 0, arm = 1;
    struct hl_taper_situation *list = hl_arena_alloc(reader->arena, n_arms + 1, sizeof *list);
    reader->request->situation = list;
    for (size_t i = 0; i < n && arm < n_arms; i++) {
        const struct hl_yaml *node = hl_list_item(stress, i);
        if (node->kind == HL_YAML_MAPPING && hl_yaml_get(node, "name"))
            read_situation(reader, node, &list[arm++]);
    }
}

/* ---- making */

/* Room for one step more, of one rung for so many days. */
static void put(struct hl_taper_schedule *schedule, size_t rung, int days)
{
    if (days > 0)
        schedule->step[schedule->n++] = (struct hl_taper_step){.rung = rung, .days = days};
}

/* Where a day falls: the step, and how many of its days are over. */
static size_t step_at(const struct hl_taper_schedule *schedule, int day, int *over)
{
    size_t i = 0;
    for (*over = day; i < schedule->n && *over >= schedule->step[i].days; i++)
        *over -= schedule->step[i].days;
    return i;
}

static struct hl_taper_schedule one_detour(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                           const struct hl_taper_schedule *from, const struct hl_taper_schedule *plan,
                                           const struct hl_taper_detour *detour)
{
    int over;
    size_t at = step_at(from, detour->day, &over);
    struct hl_taper_schedule out = {.step = hl_arena_alloc(arena, from->n + plan->n + 3, sizeof *out.step)};
    if (at == from->n) /* the taper is over */
        return *from;
    for (size_t i = 0; i < at; i++)
        put(&out, from->step[i].rung, from->step[i].days);
    put(&out, from->step[at].rung, over);
    put(&out, detour->kind == HL_DETOUR_HOLD      ? from->step[at].rung
              : detour->kind == HL_DETOUR_NOTHING ? problem->n_rungs - 1
                                                  : 0, detour->days);
    if (detour->restart) {
        for (size_t i = 0; i < plan->n; i++)
            put(&out, plan->step[i].rung, plan->step[i].days);
        return out;
    }
    put(&out, from->step[at].rung, from->step[at].days - over);
    for (size_t i = at + 1; i < from->n; i++)
        put(&out, from->step[i].rung, from->step[i].days);
    return out;
}

struct hl_taper_schedule *hl_taper_detour(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                          const struct hl_taper_schedule *schedule,
                                          const struct hl_taper_situation *situation)
{
    struct hl_taper_schedule *out = hl_arena_alloc(arena, 1, sizeof *out);
    *out = *schedule;
    for (size_t i = 0; i < situation->n_detours; i++)
        *out = one_detour(arena, problem, out, schedule, &situation->detour[i]);
    out->days = 0;
    for (size_t i = 0; i < out->n; i++)
        out->days += out->step[i].days;
    return out;
}
