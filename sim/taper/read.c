/* SPDX-License-Identifier: GPL-3.0-or-later */
/* design: of a study, key by key. What is prescribed before day 0 is an arm, compiled; day 0 is where it ends.
 * A key that is absent has the default that the manual states; drugs, lengths, longest, follow and keep have none. */
#include "taper/read.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "regimen/read.h"
#include "taper/inside.h"
#include "taper/rungs.h"

#define DAY        24.0
#define MOST_DAYS  3660 /* ten years */
#define MOST_MARKS 8
#define GRID       12.0 /* [h] of the study that a design leaves */

bool hl_taper_faulty(const struct hl_taper_reader *reader)
{
    return hl_diag_count(reader->diag, HL_ERROR) > reader->faults;
}

bool hl_taper_read_word(struct hl_taper_reader *reader, const struct hl_yaml *node, const char *what,
                        const char *const *word, size_t n, size_t *index)
{
    char hint[128];
    const char *text = hl_yaml_text(node, what, reader->diag), *all = word[0];
    for (size_t i = 0; text && i < n; i++)
        if (strcmp(text, word[i]) == 0) {
            *index = i;
            return true;
        }
    for (size_t i = 1; i < n; i++)
        all = hl_arena_printf(reader->arena, "%s, %s", all, word[i]);
    if (text)
        hl_diag_error(reader->diag, node->pos, "unknown %s '%s'%s (known: %s)", what, text,
                      hl_text_did_you_mean(text, word, n, hint, sizeof hint), all);
    return false;
}

bool hl_taper_read_days(struct hl_taper_reader *reader, const struct hl_yaml *node, const char *what, int *days)
{
    double hours;
    if (!hl_item_read_duration(node, what, &hours, reader->diag))
        return false;
    double whole = round(hours / DAY);
    if (fabs(whole * DAY - hours) > 1e-6 || whole > MOST_DAYS) {
        hl_diag_error(reader->diag, node->pos, "%s is a whole number of days, at most %d, found \"%s\"", what,
                      MOST_DAYS, node->text);
        return false;
    }
    *days = (int)whole;
    return true;
}

static const struct hl_yaml *needed(struct hl_taper_reader *reader, const struct hl_yaml *design, const char *key,
                                    const char *example)
{
    const struct hl_yaml *node = hl_yaml_get(design, key);
    if (!node)
        hl_diag_error(reader->diag, design->pos, "design: needs %s:; write %s: %s", key, key, example);
    return node;
}

/* ---- lengths and limits */

/* A level that ends in the middle of a period would cut a patch short or leave a day's doses open. */
static void check_length(struct hl_taper_reader *reader, const struct hl_yaml *node, int days)
{
    for (size_t d = 0; d < reader->problem->n_drugs; d++) {
        const struct hl_taper_drug *drug = &reader->problem->drug[d];
        double periods = days * DAY / drug->period;
        if (drug->period > 0 && fabs(periods - round(periods)) > 1e-9)
            hl_diag_error(reader->diag, node->pos,
                          "a level of %d d isn't a whole number of the %g h after which %s is given again; "
                          "%g d or %g d would be", days, drug->period, drug->alias,
                          floor(periods) * drug->period / DAY, ceil(periods) * drug->period / DAY);
    }
}

static void read_lengths(struct hl_taper_reader *reader, const struct hl_yaml *node)
{
    struct hl_taper_problem *problem = reader->problem;
    size_t n = node ? hl_list_size(node) : 0;
    if (!node)
        return;
    if (n == 0)
        hl_diag_error(reader->diag, node->pos, "lengths: names none; write lengths: [7 d, 14 d]");
    problem->length = hl_arena_alloc(reader->arena, n, sizeof *problem->length);
    for (size_t i = 0; i < n; i++) {
        const struct hl_yaml *item = hl_list_item(node, i);
        int days;
        if (!hl_taper_read_days(reader, item, "the length of a level", &days))
            continue;
        check_length(reader, item, days);
        size_t at = problem->n_lengths;
        for (; at > 0 && problem->length[at - 1] >= days; at--)
            problem->length[at] = problem->length[at - 1];
        problem->length[at] = days;
        problem->n_lengths++;
        if (at + 1 < problem->n_lengths && problem->length[at + 1] == days)
            hl_diag_error(reader->diag, item->pos, "the length %d d is there twice; remove one", days);
    }
}

static void read_limits(struct hl_taper_reader *reader, const struct hl_yaml *design)
{
    struct hl_taper_problem *problem = reader->problem;
    const struct hl_yaml *longest = needed(reader, design, "longest", "26 week");
    const struct hl_yaml *follow = needed(reader, design, "follow", "8 week");
    read_lengths(reader, needed(reader, design, "lengths", "[7 d, 14 d]"));
    if (longest && hl_taper_read_days(reader, longest, "the longest taper", &problem->longest) &&
        problem->n_lengths > 0 && problem->longest < problem->length[0])
        hl_diag_error(reader->diag, longest->pos, "the longest taper, %d d, is shorter than the shortest level, %d d",
                      problem->longest, problem->length[0]);
    if (follow)
        hl_item_read_duration(follow, "the time watched after the end", &problem->follow, reader->diag);
}

/* ---- the aim */

static void read_aim(struct hl_taper_reader *reader, const struct hl_yaml *design)
{
    static const char *const aims[] = {"shortest", "least_exposure", "fewest_changes"};
    static const char *const orders[] = {"any", "in_order", "alternating"};
    struct hl_taper_problem *problem = reader->problem;
    const struct hl_yaml *aim = hl_yaml_get(design, "aim"), *within = hl_yaml_get(design, "within");
    const struct hl_yaml *order = hl_yaml_get(design, "order");
    size_t index = HL_TAPER_SHORTEST;
    bool good = !aim || hl_taper_read_word(reader, aim, "aim", aims, 3, &index);
    problem->aim = (enum hl_taper_aim)index;
    index = HL_TAPER_ANY;
    if (order && hl_taper_read_word(reader, order, "order of drugs", orders, 3, &index) && problem->n_drugs == 1)
        hl_diag_error(reader->diag, hl_yaml_key(design, "order")->pos,
                      "order: says which of several drugs may step; this design has one");
    problem->order = (enum hl_taper_order)index;
    if (within && problem->aim == HL_TAPER_SHORTEST && good)
        hl_diag_error(reader->diag, hl_yaml_key(design, "within")->pos,
                      "within: is for least_exposure and fewest_changes; the shortest taper is limited by longest:");
    if (!within && problem->aim != HL_TAPER_SHORTEST)
        hl_diag_error(reader->diag, aim->pos, "aim: %s needs within:, how long the taper may last; write within: "
                      "20 week", aims[problem->aim]);
    problem->fewest_at = problem->longest;
    if (within && hl_taper_read_days(reader, within, "how long the taper may last", &problem->fewest_at) &&
        problem->longest > 0 && problem->fewest_at > problem->longest)
        hl_diag_error(reader->diag, within->pos, "within: %d d is more than longest: %d d", problem->fewest_at,
                      problem->longest);
}

/* ---- whom it is judged on and under */

static void read_whole(struct hl_taper_reader *reader, const struct hl_yaml *node, const char *what, uint64_t least,
                       uint64_t *value)
{
    uint64_t read;
    const char *text = hl_yaml_text(node, what, reader->diag);
    if (text && (!hl_text_integer(text, &read) || read < least))
        hl_diag_error(reader->diag, node->pos, "expected %s, a whole number, found '%s'", what, text);
    else if (text)
        *value = read;
}

static void read_judge(struct hl_taper_reader *reader, const struct hl_yaml *design)
{
    static const char *const keys[] = {"seed", "subjects"};
    struct hl_taper_request *request = reader->request;
    const struct hl_yaml *judge = hl_yaml_get(design, "judge");
    request->judge_seed = reader->study->seed + 1;
    request->judge_subjects = reader->study->subjects;
    request->judge_pos = judge ? judge->pos : design->pos;
    if (!judge || !hl_yaml_check_keys(judge, "judge", keys, 2, reader->diag))
        return;
    const struct hl_yaml *seed = hl_yaml_get(judge, "seed"), *subjects = hl_yaml_get(judge, "subjects");
    if (seed)
        read_whole(reader, seed, "a seed", 0, &request->judge_seed);
    if (subjects)
        read_whole(reader, subjects, "a number of subjects", 1, &request->judge_subjects);
    if (seed && request->judge_seed == reader->study->seed && !reader->study->arm[0].cohort->typical)
        hl_diag_error(reader->diag, seed->pos,
                      "judge: has the seed the taper is designed with, %llu; a taper must be judged on others",
                      (unsigned long long)request->judge_seed);
}

/* Situations are the study's arms from 1 on. */
static void read_under(struct hl_taper_reader *reader, const struct hl_yaml *node)
{
    struct hl_taper_problem *problem = reader->problem;
    const struct hl_study *study = reader->study;
    size_t n = node ? hl_list_size(node) : 0;
    const char **name = hl_arena_alloc(reader->arena, study->n_arms, sizeof *name);
    for (size_t a = 1; a <= study->n_situations && a < study->n_arms; a++)
        name[a - 1] = study->arm[a].name;
    problem->situation = hl_arena_alloc(reader->arena, n + 1, sizeof *problem->situation);
    problem->situation[0] = 0;
    problem->n_situations = 1;
    if (n > 0 && study->n_situations < 1) {
        hl_diag_error(reader->diag, node->pos, "under: names situations, but there are none under stress:");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t index;
        if (!hl_taper_read_word(reader, hl_list_item(node, i), "situation", name, study->n_situations, &index))
            continue;
        if (reader->request->situation[index + 1].n_detours)
            hl_diag_error(reader->diag, hl_list_item(node, i)->pos,
                          "under: '%s' interrupts the taper; a taper can be tested under that, not designed",
                          name[index]);
        problem->situation[problem->n_situations++] = index + 1;
    }
}

static void read_marks(struct hl_taper_reader *reader, const struct hl_yaml *node)
{
    static const double usual[] = {2 * DAY, 7 * DAY, 28 * DAY};
    struct hl_taper_request *request = reader->request;
    size_t n = node ? hl_list_size(node) : 0;
    request->mark = hl_arena_alloc(reader->arena, MOST_MARKS, sizeof *request->mark);
    if (n > MOST_MARKS)
        hl_diag_error(reader->diag, node->pos, "after: has %zu times, more than the most of %d", n, MOST_MARKS);
    for (size_t i = 0; i < n && i < MOST_MARKS; i++) {
        const struct hl_yaml *item = hl_list_item(node, i);
        double mark;
        if (!hl_item_read_duration(item, "a time after the end", &mark, reader->diag))
            continue;
        if (fmod(mark, GRID) > 0)
            hl_diag_error(reader->diag, item->pos, "after: \"%s\" isn't a multiple of %g h", item->text, GRID);
        else if (mark > reader->problem->follow && reader->problem->follow > 0)
            hl_diag_error(reader->diag, item->pos, "after: \"%s\" lies beyond follow:", item->text);
        request->mark[request->n_marks++] = mark;
    }
    for (size_t i = 0; !node && i < 3; i++)
        if (usual[i] <= reader->problem->follow)
            request->mark[request->n_marks++] = usual[i];
}

/* The amounts it may stand on. What depends on what was taken before needs its regimen. */
static void make_rungs(struct hl_taper_reader *reader)
{
    struct hl_rungs_report report = {0};
    if (hl_taper_faulty(reader) || !reader->before)
        return;
    if (hl_rungs_make(reader->arena, reader->problem, 0, &report, reader->diag) != HL_OK && !hl_taper_faulty(reader))
        hl_diag_error(reader->diag, reader->study->taper_design->pos, "design: there is no memory for its amounts");
    reader->request->thinned = report.thinned;
}

static const char *const design_keys[] = {"before", "taper", "lengths", "longest", "follow", "keep",   "aim",  "within",
                                          "order",  "under", "adherence", "judge", "compare", "stress", "after"};

struct hl_taper_request *hl_taper_read(struct hl_arena *arena, const struct hl_study *study,
                                       const struct hl_regimen *const *regimen, struct hl_diag *diag)
{
    const struct hl_yaml *design = study->taper_design;
    struct hl_taper_request *request = hl_arena_alloc(arena, 1, sizeof *request);
    request->problem = hl_arena_alloc(arena, 1, sizeof *request->problem);
    struct hl_taper_reader reader = {.arena = arena, .diag = diag, .study = study, .system = study->system,
                                     .regimen = regimen, .before = regimen ? regimen[0] : NULL, .request = request,
                                     .problem = request->problem, .faults = hl_diag_count(diag, HL_ERROR)};
    if (!hl_yaml_check_keys(design, "a design", design_keys, sizeof design_keys / sizeof *design_keys, diag))
        return NULL;
    const struct hl_yaml *taper =
        needed(&reader, design, "taper", "{clonazepam: {from: 2 mg/d, split: bid, products: [{tablet: 0.5 mg}]}}");
    const struct hl_yaml *keep =
        needed(&reader, design, "keep", "[{of: clonazepam.withdrawal_index, peak: \"20\", in: \"90 %\"}]");
    if (reader.before && (reader.before->n_reviewed > 0 || reader.before->recorded.n_subjects > 0))
        hl_diag_error(diag, design->pos, "before: a design starts from what everybody took; reviews and recorded doses "
                      "can't stand there");
    if (taper)
        hl_taper_read_drugs(&reader, taper);
    read_limits(&reader, design);
    if (keep)
        hl_taper_read_keep(&reader, keep);
    read_aim(&reader, design);
    read_judge(&reader, design);
    hl_taper_read_situations(&reader, hl_yaml_get(design, "stress"));
    read_under(&reader, hl_yaml_get(design, "under"));
    read_marks(&reader, hl_yaml_get(design, "after"));
    if (hl_yaml_get(design, "compare") && taper)
        hl_taper_read_rivals(&reader, hl_yaml_get(design, "compare"), taper);
    make_rungs(&reader);
    return hl_taper_faulty(&reader) ? NULL : request;
}
