/* SPDX-License-Identifier: GPL-3.0-or-later */
/* review: of a taper, and what becomes of it:
 *
 *   review: {of: clonazepam.withdrawal_index, use: now, every: level, hold: "20", back: "30"}
 *
 * hold: and back: are short for two rules, the higher one first; rules: states them one by one. symptom_guided (T8) has
 * the thresholds 20 and 30 of the reference where none is stated. Levels, the time between reviews and the longest
 * duration are whole days, so that every subject's reviews lie on one grid and its doses at the same clock times. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "regimen/compile.h"
#include "regimen/read.h"
#include "regimen/review.h"
#include "regimen/taper.h"

#define DAY        24.0
#define MOST_RULES 64u
#define T8_HOLD    20.0 /* clonazepam reference 7.2, evidence grade A */
#define T8_BACK    30.0

static const char *const keys[] = {"of",         "use",         "every",   "hold",       "back",   "rules",
                                   "most_holds", "after_holds", "longest", "at_longest", "report", "delay"};

/* One of n words; its number, or n with a message. */
static size_t read_word(struct hl_compiler *c, const struct hl_yaml *node, const char *what, const char *const *word,
                        size_t n)
{
    char all[256] = "", hint[64];
    for (size_t i = 0; i < n; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", word[i]);
    const char *text = hl_yaml_text(node, all, c->diag);
    for (size_t i = 0; text && i < n; i++)
        if (strcmp(text, word[i]) == 0)
            return i;
    if (text)
        hl_diag_error(c->diag, node->pos, "%s is one of %s, found '%s'%s", what, all, text,
                      hl_text_did_you_mean(text, word, n, hint, sizeof hint));
    return n;
}

/* Whole days. */
static bool read_days(struct hl_compiler *c, const struct hl_yaml *node, const char *what, double *days)
{
    double hours;
    if (!hl_item_read_duration(node, what, &hours, c->diag))
        return false;
    *days = round(hours / DAY);
    if (*days >= 1 && fabs(hours - *days * DAY) <= HL_SAME_TIME)
        return true;
    hl_diag_error(c->diag, node->pos, "%s is a whole number of days, found \"%s\"", what, node->text);
    return false;
}

/* ---- what is read */

static bool is_asked(const struct hl_study *study, int output)
{
    for (size_t o = 0; o < study->n_outputs; o++)
        if (study->output[o] == output)
            return true;
    return false;
}

/* Only what the study asks for is computed; what reviews look at has been added to it when it was read. */
static bool read_output(struct hl_compiler *c, const struct hl_yaml *node, int *output)
{
    char hint[256];
    const struct hl_study *study = c->study;
    const char *text = hl_yaml_text(node, "an output such as clonazepam.withdrawal_index", c->diag);
    *output = text ? hl_system_find_output(c->system, text) : -1;
    if (!text)
        return false;
    if (*output >= 0 && is_asked(study, *output))
        return true;
    const char **name = hl_arena_alloc(c->arena, study->n_outputs + 1, sizeof *name);
    for (size_t o = 0; o < study->n_outputs; o++)
        name[o] = c->system->output[study->output[o]].name;
    if (*output >= 0)
        hl_diag_error(c->diag, node->pos, "a review looks at '%s', which the study doesn't ask for; add it to outputs:",
                      text);
    else
        hl_diag_error(c->diag, node->pos, "no output '%s' to look at in a review%s", text,
                      hl_text_did_you_mean(text, name, study->n_outputs, hint, sizeof hint));
    return false;
}

static bool read_use(struct hl_compiler *c, const struct hl_yaml *node, enum hl_review_use *use)
{
    static const char *const word[] = {"now", "peak_since_last", "mean_since_last"};
    size_t found = node ? read_word(c, node, "use", word, 3) : 0;
    *use = (enum hl_review_use)found;
    return found < 3;
}

static const struct hl_output *output_of(const struct hl_compiler *c, const struct hl_reading *reading)
{
    return &c->system->output[reading->output];
}

/* A level of the reading's output. */
static bool read_level(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_reading *reading,
                       double *level)
{
    const struct hl_output *output = output_of(c, reading);
    const char *unit = output->unit_text && strcmp(output->unit_text, "1") != 0 ? output->unit_text : "";
    return hl_item_read_quantity(node, output->unit.dim, hl_arena_printf(c->arena, "a threshold of %s", output->name),
                                 hl_arena_printf(c->arena, "20%s%s", *unit ? " " : "", unit), level, c->diag);
}

/* {sd: "4", between: "3", bias: "-1"} */
static bool read_report(struct hl_compiler *c, const struct hl_yaml *node, struct hl_reading *reading)
{
    static const char *const known[] = {"sd", "between", "bias"};
    double *to[] = {&reading->sd, &reading->between, &reading->bias};
    if (!node)
        return true;
    bool good = hl_only_keys(node, "report:", known, 3, c->diag);
    for (size_t i = 0; good && i < 3; i++) {
        const struct hl_yaml *value = hl_yaml_get(node, known[i]);
        good = !value || read_level(c, value, reading, to[i]);
        if (good && i < 2 && *to[i] < 0) {
            hl_diag_error(c->diag, value->pos, "%s of a report is a standard deviation; it can't be negative",
                          known[i]);
            good = false;
        }
    }
    return good;
}

/* The reading that node's of: and use: ask for, where absent those of the review; its number, or -1. */
static int find_reading(struct hl_compiler *c, struct hl_reviewed *r, const struct hl_yaml *node)
{
    const struct hl_yaml *of = hl_yaml_get(node, "of"), *use = hl_yaml_get(node, "use");
    struct hl_reading reading = r->n_readings > 0 ? r->reading[0] : (struct hl_reading){.output = -1};
    if (of && !read_output(c, of, &reading.output))
        return -1;
    if ((use || r->n_readings == 0) && !read_use(c, use, &reading.use))
        return -1;
    if (reading.output < 0) {
        hl_diag_error(c->diag, node->pos, "a review says what it looks at: of: an output such as "
                      "clonazepam.withdrawal_index");
        return -1;
    }
    if (r->n_readings > 0 && reading.output != r->reading[0].output)
        reading.bias = reading.between = reading.sd = 0; /* how another output is reported isn't known */
    for (size_t i = 0; i < r->n_readings; i++)
        if (r->reading[i].output == reading.output && r->reading[i].use == reading.use)
            return (int)i;
    r->reading[r->n_readings] = reading;
    return (int)r->n_readings++;
}

/* ---- rules */

/* "step", "step 2", "hold", "back", "back 2", "stop". */
static bool read_then(struct hl_compiler *c, const struct hl_yaml *node, enum hl_review_then *then, size_t *steps)
{
    static const char *const word[] = {"step", "hold", "back", "stop"};
    const char *text = node ? hl_yaml_text(node, "step, hold, back or stop", c->diag) : NULL;
    struct hl_yaml plain;
    if (!text)
        return false;
    const char *space = strchr(text, ' ');
    double number = 1;
    plain = *node;
    *steps = 1;
    if (space) {
        plain.text = hl_arena_strndup(c->arena, text, (size_t)(space - text));
        if (!hl_text_number(space + 1, &number) || number < 1 || number > 1000 || number != floor(number)) {
            hl_diag_error(c->diag, node->pos, "expected how many levels, such as 'back 2', found '%s'", text);
            return false;
        }
    }
    size_t found = read_word(c, &plain, "then", word, 4);
    *then = (enum hl_review_then)found;
    *steps = (size_t)number;
    if (found == 4)
        return false;
    if (space && *then != HL_THEN_STEP && *then != HL_THEN_BACK) {
        hl_diag_error(c->diag, node->pos, "'%s' takes no number of levels", plain.text);
        return false;
    }
    return true;
}

static bool read_rule(struct hl_compiler *c, struct hl_reviewed *r, const struct hl_yaml *node)
{
    static const char *const known[] = {"of", "use", "at_least", "below", "then"};
    struct hl_review_rule *rule = &r->rule[r->n_rules];
    if (!hl_only_keys(node, "a rule of a review", known, 5, c->diag))
        return false;
    const struct hl_yaml *at_least = hl_yaml_get(node, "at_least"), *below = hl_yaml_get(node, "below");
    const struct hl_yaml *then = hl_yaml_get(node, "then");
    if (!at_least == !below || !then) {
        hl_diag_error(c->diag, node->pos, "a rule is {at_least: \"30\", then: back} or {below: \"10\", then: step 2}");
        return false;
    }
    int reading = find_reading(c, r, node);
    if (reading < 0)
        return false;
    *rule = (struct hl_review_rule){.reading = (size_t)reading, .below = below != NULL};
    bool good = read_level(c, below ? below : at_least, &r->reading[reading], &rule->level);
    good = read_then(c, then, &rule->then, &rule->steps) && good;
    r->n_rules += good;
    return good;
}

static void add_rule(struct hl_reviewed *r, double level, enum hl_review_then then)
{
    r->rule[r->n_rules++] = (struct hl_review_rule){.level = level, .then = then, .steps = 1};
}

/* hold: and back:; of T8 the reference's where neither they nor rules: are stated. */
static bool read_thresholds(struct hl_compiler *c, struct hl_reviewed *r, const struct hl_yaml *node, bool guided)
{
    const struct hl_yaml *hold = hl_yaml_get(node, "hold"), *back = hl_yaml_get(node, "back");
    double hold_level = T8_HOLD, back_level = T8_BACK;
    bool usual = guided && !hl_yaml_get(node, "rules");
    if (usual && !(hold && back) && !hl_dim_is_none(output_of(c, &r->reading[0])->unit.dim)) {
        hl_diag_error(c->diag, node->pos, "the thresholds 20 and 30 of symptom_guided are those of an index; state "
                      "hold: and back: for %s", output_of(c, &r->reading[0])->name);
        return false;
    }
    if ((hold && !read_level(c, hold, &r->reading[0], &hold_level))
        || (back && !read_level(c, back, &r->reading[0], &back_level)))
        return false;
    if (hold && back && back_level < hold_level) {
        hl_diag_error(c->diag, back->pos, "back: is above hold:, for what is worse; found \"%s\" and \"%s\"",
                      back->text, hold->text);
        return false;
    }
    if (back || usual)
        add_rule(r, back_level, HL_THEN_BACK);
    if (hold || usual)
        add_rule(r, hold_level, HL_THEN_HOLD);
    return true;
}

static bool read_rules(struct hl_compiler *c, struct hl_reviewed *r, const struct hl_yaml *node, bool guided)
{
    const struct hl_yaml *rules = hl_yaml_get(node, "rules");
    const struct hl_yaml *twice = hl_yaml_key(node, hl_yaml_get(node, "hold") ? "hold" : "back");
    size_t n = rules ? hl_list_size(rules) : 0;
    r->rule = hl_arena_alloc(c->arena, n + 2, sizeof *r->rule);
    if (rules && twice) {
        hl_diag_error(c->diag, twice->pos, "a review has rules:, or hold: and back:, not both");
        return false;
    }
    if (n > MOST_RULES) {
        hl_diag_error(c->diag, rules->pos, "a review has at most %u rules", MOST_RULES);
        return false;
    }
    bool good = read_thresholds(c, r, node, guided);
    for (size_t i = 0; i < n; i++)
        good = read_rule(c, r, hl_list_item(rules, i)) && good;
    if (good && r->n_rules == 0) {
        hl_diag_error(c->diag, node->pos,
                      "a review without hold:, back: or rules: decides nothing; add 'hold: \"20\"'");
        good = false;
    }
    return good;
}

/* ---- when, how often, how long */

static bool read_limits(struct hl_compiler *c, struct hl_reviewed *r, const struct hl_yaml *node)
{
    static const char *const word[] = {"stay", "step", "stop"};
    static const enum hl_review_then meant[] = {HL_THEN_HOLD, HL_THEN_STEP, HL_THEN_STOP};
    const struct hl_yaml *most = hl_yaml_get(node, "most_holds"), *after = hl_yaml_get(node, "after_holds");
    const struct hl_yaml *longest = hl_yaml_get(node, "longest"), *at = hl_yaml_get(node, "at_longest");
    size_t steps;
    bool good = true;
    r->most_holds = SIZE_MAX;
    r->longest = INFINITY;
    r->after_holds = HL_THEN_STEP;
    r->at_longest = HL_THEN_HOLD;
    if (most)
        good = hl_item_read_count(most, "how many holds in a row", &r->most_holds, c->diag) && good;
    if (longest)
        good = read_days(c, longest, "the longest duration", &r->longest) && good;
    if (after)
        good = read_then(c, after, &r->after_holds, &steps) && good;
    if (good && after && (r->after_holds == HL_THEN_HOLD || steps != 1)) {
        hl_diag_error(c->diag, after->pos, "after_holds is one of step, back, stop, found '%s'", after->text);
        good = false;
    }
    if (at) {
        size_t found = read_word(c, at, "at_longest", word, 3);
        good = good && found < 3;
        r->at_longest = found < 3 ? meant[found] : HL_THEN_HOLD;
    }
    if ((after && !most) || (at && !longest)) {
        hl_diag_error(c->diag, (after && !most ? after : at)->pos, "%s",
                      after && !most ? "after_holds: needs most_holds:, the number of holds after which it is done"
                                     : "at_longest: needs longest:, the duration at which it is done");
        good = false;
    }
    return good;
}

static bool read_times(struct hl_compiler *c, struct hl_reviewed *r, const struct hl_yaml *node)
{
    const struct hl_yaml *every = hl_yaml_get(node, "every"), *delay = hl_yaml_get(node, "delay");
    bool good = !every || hl_is_word(every, "level") || read_days(c, every, "the time between reviews", &r->every);
    if (delay)
        good = hl_item_read_wait(delay, "how long before the doses change the outputs are read", &r->delay, c->diag)
               && good;
    double shortest = r->every > 0 ? r->every : INFINITY;
    for (size_t i = 0; i < r->n_stages; i++) {
        double days = r->stage[i].days;
        shortest = r->every > 0 ? shortest : fmin(shortest, days);
        if (fabs(days - round(days)) * DAY > HL_SAME_TIME || days < 1) {
            hl_diag_error(c->diag, node->pos, "a taper with reviews has levels of whole days; level %zu lasts %g d",
                          i + (r->first == 0), days);
            return false;
        }
        r->stage[i].days = round(days);
    }
    if (good && r->delay >= shortest * DAY) {
        hl_diag_error(c->diag, delay->pos, "the delay must be shorter than the %g d between two reviews", shortest);
        good = false;
    }
    return good;
}

/* ---- the whole */

static int count_of(const struct hl_compiler *c)
{
    int n = 0;
    for (size_t i = 0; i < c->regimen->n_reviewed; i++)
        n += c->regimen->reviewed[i].instance == c->instance;
    return n;
}

static bool may_be_reviewed(struct hl_compiler *c, const struct hl_yaml *node)
{
    static const char *const detour[] = {"pause", "reinstate"};
    const struct hl_yaml *key = NULL;
    for (size_t i = 0; !key && i < 2; i++)
        key = hl_yaml_key(node, detour[i]);
    if (c->in_group)
        hl_diag_error(c->diag, node->pos, "a taper with reviews can't be repeated; leave it out of repeat:");
    else if (key)
        hl_diag_error(c->diag, key->pos, "'%s' and reviews don't go together: holding and going back are decided at "
                      "the reviews; leave one out", key->text);
    return !c->in_group && !key;
}

bool hl_review_read(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, double start,
                    double stop)
{
    struct hl_regimen *regimen = c->regimen;
    const struct hl_yaml *review = hl_yaml_get(node, "review"), *rules = review ? hl_yaml_get(review, "rules") : NULL;
    bool guided = hl_yaml_get(node, "protocol") != NULL && hl_yaml_get(node, "wraps") != NULL;
    const struct hl_study *study = c->study;
    struct hl_reviewed r = {.instance = c->instance, .drug = c->drug, .number = count_of(c), .start = start,
                            .stop = stop, .horizon = study->n_times ? study->time[study->n_times - 1] : 0,
                            .first = taper->before.given > 0};
    if (!review) {
        hl_diag_error(c->diag, node->pos, "symptom_guided says what it looks at: add 'review: {of: "
                      "clonazepam.withdrawal_index}'");
        return false;
    }
    if (!may_be_reviewed(c, node) || !hl_only_keys(review, "review:", keys, sizeof keys / sizeof keys[0], c->diag))
        return false;
    r.reading = hl_arena_alloc(c->arena, (rules ? hl_list_size(rules) : 0) + 1, sizeof *r.reading);
    if (find_reading(c, &r, review) < 0)
        return false;
    r.reading[0].stream = hl_text_hash(hl_arena_printf(c->arena, "review:%s:%d", c->drug, r.number));
    bool good = read_report(c, hl_yaml_get(review, "report"), &r.reading[0]);
    good = good && read_rules(c, &r, review, guided);
    good = read_limits(c, &r, review) && good;
    good = hl_taper_stages(c, node, taper, start, &r.stage, &r.n_stages) && good;
    if (!good || !read_times(c, &r, review))
        return false;
    regimen->reviewed = hl_arena_push(c->arena, regimen->reviewed, regimen->n_reviewed, &c->reviewed_capacity,
                                      sizeof *regimen->reviewed);
    regimen->reviewed[regimen->n_reviewed++] = r;
    return true;
}

void hl_review_first_stay(struct hl_compiler *c)
{
    const struct hl_reviewed *r = &c->regimen->reviewed[c->regimen->n_reviewed - 1];
    struct hl_review_state state;
    double begin, end;
    hl_review_begin(r, &state);
    if (state.at_zero)
        return;
    hl_review_stay(r, &state, &begin, &end);
    size_t n = hl_stage_doses(&r->stage[state.stage], begin, end);
    for (size_t k = 0; k < n; k++)
        hl_compiler_dose(c, hl_stage_dose(&r->stage[state.stage], begin, end, k));
}
