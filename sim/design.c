/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a design, in one place:
 *
 *   prepare      the study, its models, what everybody took before, what may be made of what
 *   forecast     the cohort's answer to any taper, fast and nearly right (taper/forecast.h)
 *   bound        how short no taper can be (taper/bound.h), with bounds raised by more than the forecast's error
 *   search       the schedule (taper/search.h); with bounds a little tighter whenever the engine finds one missed
 *   check        the schedule on the same subjects, by the exact engine: only what it confirms is told
 *   result       an ordinary study with everything to compare, on new subjects, run into a result file
 *
 * The forecast decides nothing in the end. A bound is tightened by what was missed and a little more, so the loop ends;
 * should it not within HL_DESIGN_ROUNDS, there is no answer. */
#include "design.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "design_parts.h"

#define ALLOWANCE 1e-4 /* by which the forecast may be off; a certificate that allows for it stands if it is less */
#define THOROUGH_WIDTH 64 /* of a proof without a limit */
#define SHORTER_BEAM   32 /* ways kept to each day and rung in what a proof has left open */
#define TIGHTEN 1.05 /* of what was missed */
#define GRAIN   1e-6 /* of the bound: the least it is tightened by */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- what is being done */

struct teller { bool terminal, silent; double last; const char *what; bool open; };

static void tell(void *context, const char *what, double done, double total)
{
    struct teller *teller = context;
    double now = seconds_now();
    if (teller->silent || (now - teller->last < (teller->terminal ? 0.2 : 10) && done < total))
        return;
    teller->last = now;
    if (teller->terminal) {
        fprintf(stderr, "\r\033[K%s: %.0f of %.0f", what, done, total);
        teller->open = true;
    } else {
        fprintf(stderr, "%s: %.0f of %.0f\n", what, done, total);
    }
}

static void end_telling(struct teller *teller)
{
    if (teller->open)
        fputs("\r\033[K", stderr);
    teller->open = false;
}

static struct teller teller_of(const struct hl_design *design)
{
    const struct hl_design_options *options = design->options;
    return (struct teller){.silent = options->quiet || options->progress == HL_PROGRESS_NONE,
                           .terminal = options->progress == HL_PROGRESS_AUTO && isatty(STDERR_FILENO)};
}

static void say(const struct hl_design *design, const char *text)
{
    if (!design->options->quiet)
        fprintf(stderr, "%s\n", text);
}

/* ---- files */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *without_ending(struct hl_arena *arena, const char *base)
{
    static const char *const endings[] = {".taper.yaml", ".yaml", ".h5"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(base), m = strlen(endings[i]);
        if (n > m && strcmp(base + n - m, endings[i]) == 0)
            return hl_arena_strndup(arena, base, n - m);
    }
    return base;
}

static enum hl_status refuse(const struct hl_design *design, const char *path)
{
    if (design->options->force || access(path, F_OK) != 0)
        return HL_OK;
    hl_diag_error(design->diag, hl_pos_none(), "'%s' is there already; --force replaces it, -o names another place",
                  path);
    return HL_ERR_IO;
}

/* What can't be written is told before the search, not after it. */
static enum hl_status check_folder(const struct hl_design *design, const char *base)
{
    const char *slash = strrchr(base, '/');
    const char *folder = !slash          ? "."
                         : slash == base ? "/"
                                         : hl_arena_strndup(design->arena, base, (size_t)(slash - base));
    if (access(folder, W_OK | X_OK) == 0 && is_folder(folder))
        return HL_OK;
    int why = access(folder, F_OK) != 0 ? errno : is_folder(folder) ? EACCES : ENOTDIR;
    hl_diag_error(design->diag, hl_pos_none(), "cannot write '%s.taper.yaml': directory '%s': %s; create it first, or "
                  "name another place with -o", base, folder, strerror(why));
    return HL_ERR_IO;
}

/* output/NAME.taper.yaml and output/NAME.h5, or where -o says. */
static enum hl_status name_files(struct hl_design *design)
{
    struct hl_arena *arena = design->arena;
    const char *asked = design->options->output, *base;
    size_t n = asked ? strlen(asked) : 0;
    if (!asked)
        base = mkdir("output", 0777) != 0 && errno != EEXIST ? design->study->name
                                                             : hl_arena_printf(arena, "output/%s", design->study->name);
    else if (asked[n ? n - 1 : 0] == '/' || is_folder(asked)) {
        if (mkdir(asked, 0777) != 0 && errno != EEXIST) {
            hl_diag_error(design->diag, hl_pos_none(), "'%s' can't be made: %s", asked, strerror(errno));
            return HL_ERR_IO;
        }
        base = hl_arena_printf(arena, "%s%s%s", asked, asked[n - 1] == '/' ? "" : "/", design->study->name);
    } else
        base = without_ending(arena, asked);
    design->study_file = hl_arena_printf(arena, "%s.taper.yaml", base);
    design->result_file = hl_arena_printf(arena, "%s.h5", base);
    design->calendar_file = hl_arena_printf(arena, "%s.calendar.txt", base);
    design->pages_file = hl_arena_printf(arena, "%s.calendar.pdf", base);
    enum hl_status status = check_folder(design, base);
    if (status == HL_OK && !design->options->alone)
        status = refuse(design, design->result_file);
    return status == HL_OK ? refuse(design, design->study_file) : status;
}

static enum hl_status write_text(struct hl_design *design, const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    bool good = file && fputs(text, file) >= 0;
    if (file)
        good = fclose(file) == 0 && good;
    if (good)
        return HL_OK;
    hl_diag_error(design->diag, hl_pos_none(), "'%s' can't be written: %s", path, strerror(errno));
    return HL_ERR_IO;
}

/* ---- search and check */

static struct hl_taper_problem *tightened(const struct hl_design *design, struct hl_taper_constraint *constraint)
{
    struct hl_taper_problem *problem = hl_arena_alloc(design->arena, 1, sizeof *problem);
    *problem = *design->problem;
    problem->constraint = constraint;
    return problem;
}

static enum hl_status search_once(struct hl_design *design, const struct hl_taper_problem *problem)
{
    struct teller teller = teller_of(design);
    struct hl_taper_progress progress = {.tell = tell, .context = &teller};
    struct hl_taper_options options = {.progress = &progress,
                                       .narrow = true,
                                       .beam = design->bound.impossible ? 2 : 0, /* only the nearest bound is wanted */
                                       .most_work = design->bound.impossible ? design->options->most_work / 4
                                                                             : design->options->most_work,
                                       .at_least = design->bound.valid ? design->bound.days : 0};
    double started = seconds_now();
    enum hl_status status = hl_taper_search(design->arena, problem, design->outlook, &options, &design->result);
    design->seconds_search += seconds_now() - started;
    end_telling(&teller);
    return status;
}

static bool all_kept(const struct hl_design *design, const struct hl_design_verdict *verdict)
{
    for (size_t k = 0; k < design->n_kept; k++)
        if (!hl_design_kept(hl_taper_constraint_of(design->problem, k), &verdict[k]))
            return false;
    return true;
}

/* How far the forecast was off on the schedule that was checked, if that is further than before. */
static void note_error(struct hl_design *design)
{
    for (size_t k = 0; k < design->n_kept; k++) {
        const struct hl_design_verdict *verdict = &design->design_verdict[k];
        const struct hl_taper_constraint *asked = hl_taper_constraint_of(design->problem, k);
        double shown = design->result.value[k] / hl_design_unit(design, asked);
        double scale = fmax(fabs(verdict->value), 1e-12);
        if (asked->statistic != HL_TAPER_MOMENT) /* the two look at other moments */
            design->forecast_error = fmax(design->forecast_error, fabs(shown - verdict->value) / scale);
    }
}

/* Tightens the bounds that the engine found missed; true when there was none. */
static bool agree(struct hl_design *design, struct hl_taper_constraint *constraint)
{
    bool good = true;
    size_t m = design->problem->n_constraints;
    note_error(design);
    for (size_t k = 0; k < design->n_kept; k++) {
        const struct hl_design_verdict *verdict = &design->design_verdict[k];
        const struct hl_taper_constraint *asked = &design->problem->constraint[k % m];
        double unit = hl_design_unit(design, asked);
        if (hl_design_kept(asked, verdict))
            continue;
        good = false;
        double missed = (verdict->value - verdict->bound) * unit;
        double from = fmin(constraint[k % m].bound, design->result.value[k]);
        constraint[k % m].bound = fmin(constraint[k % m].bound,
                                       from - fmax(TIGHTEN * missed, GRAIN * fabs(asked->bound)));
    }
    return good;
}

static enum hl_status search_and_check(struct hl_design *design)
{
    size_t m = design->problem->n_constraints;
    struct hl_taper_constraint *constraint = hl_arena_alloc(design->arena, m, sizeof *constraint);
    memcpy(constraint, design->problem->constraint, m * sizeof *constraint);
    design->design_verdict = hl_arena_alloc(design->arena, design->n_kept, sizeof *design->design_verdict);
    for (design->rounds = 1; design->rounds <= HL_DESIGN_ROUNDS; design->rounds++) {
        say(design, design->rounds == 1 ? "searching" : "searching again, with bounds tightened by what was missed");
        enum hl_status status = search_once(design, tightened(design, constraint));
        if (status != HL_OK || design->result.outcome != HL_TAPER_FOUND)
            return status;
        double started = seconds_now();
        status = hl_design_check(design, &design->result.schedule, design->design_verdict);
        design->seconds_check += seconds_now() - started;
        if (status != HL_OK || agree(design, constraint))
            return status;
    }
    hl_diag_error(design->diag, design->study->taper_design->pos,
                  "no taper was confirmed by the exact engine in %d searches; a looser tolerance of the forecast can't "
                  "be had, so ask for a bound that is a little less tight", HL_DESIGN_ROUNDS);
    return HL_ERR_INPUT;
}

/* The certificate speaks of the forecast's subjects; its bounds are raised by more than the forecast's error on the
 * answer, so that a taper which the engine would accept isn't ruled out by that error. */
static enum hl_status prove(struct hl_design *design, double loosened, const struct hl_taper_schedule *hint,
                            struct hl_bound *bound)
{
    size_t m = design->problem->n_constraints;
    struct hl_taper_constraint *constraint = hl_arena_alloc(design->arena, m, sizeof *constraint);
    memcpy(constraint, design->problem->constraint, m * sizeof *constraint);
    for (size_t c = 0; c < m; c++)
        constraint[c].bound *= 1 + loosened;
    struct teller teller = teller_of(design);
    struct hl_taper_progress progress = {.tell = tell, .context = &teller};
    struct hl_bound_options options = {.progress = &progress, .hint = hint,
                                       .width = !hint ? 1 : design->options->most_work > 0 ? 0 : THOROUGH_WIDTH,
                                       .most_work = design->options->most_work};
    double started = seconds_now();
    enum hl_status status = hl_taper_bound(design->arena, tightened(design, constraint), design->outlook, &options,
                                           bound);
    design->seconds_bound += seconds_now() - started;
    design->loosened = loosened;
    end_telling(&teller);
    return status;
}

/* Before the search, so that it knows when to stop: the quick part of the proof. */
static enum hl_status prove_first(struct hl_design *design)
{
    say(design, "proving a lower bound");
    return prove(design, ALLOWANCE, NULL, &design->bound);
}

/* After it: with the subjects who are worst off under the answer more can be proved, and a forecast that was further
 * off than was allowed for needs bounds raised by more. */
static enum hl_status prove_again(struct hl_design *design)
{
    struct hl_bound bound;
    bool found = design->result.outcome == HL_TAPER_FOUND, off = design->forecast_error > ALLOWANCE;
    if (!off && (!found || !design->bound.valid || design->bound.days >= design->result.schedule.days))
        return HL_OK;
    say(design, "proving a lower bound, from those worst off");
    enum hl_status status = prove(design, off ? 2 * design->forecast_error : ALLOWANCE, &design->result.schedule,
                                  &bound);
    if (status == HL_OK && (off || bound.days >= design->bound.days))
        design->bound = bound;
    return status;
}

/* What the certificate couldn't exclude is little: it is searched more broadly for something shorter, which counts if
 * the exact engine confirms it, and is then the schedule that more is proved about. */
static enum hl_status shorten(struct hl_design *design)
{
    struct teller teller = teller_of(design);
    struct hl_taper_progress progress = {.tell = tell, .context = &teller};
    enum hl_status status = HL_OK;
    bool better = design->problem->aim == HL_TAPER_SHORTEST;
    while (status == HL_OK && better && design->result.outcome == HL_TAPER_FOUND && design->bound.arcs &&
           design->bound.days < design->result.schedule.days) {
        struct hl_taper_result result;
        struct hl_design_verdict verdict[design->n_kept], *known = design->design_verdict;
        struct hl_taper_options options = {.progress = &progress, .narrow = true, .beam = SHORTER_BEAM,
                                           .most_work = design->options->most_work / 2, .at_least = design->bound.days,
                                           .shorter_than = &design->result.schedule, .arcs = design->bound.arcs};
        say(design, "searching what the proof has left open");
        double started = seconds_now();
        status = hl_taper_search(design->arena, design->problem, design->outlook, &options, &result);
        design->seconds_search += seconds_now() - started;
        end_telling(&teller);
        better = status == HL_OK && result.outcome == HL_TAPER_FOUND;
        if (!better)
            break;
        status = hl_design_check(design, &result.schedule, verdict);
        better = status == HL_OK && all_kept(design, verdict);
        if (!better)
            break;
        design->result = result;
        memcpy(known, verdict, sizeof verdict);
        note_error(design);
        status = prove_again(design);
    }
    return status;
}

/* ---- the result */

/* "clonazepam=0.5 mg scored, 0.125 mg": tablets as the calendar reads them; NULL where they aren't such. */
static const char *tablets_text(struct hl_design *design, const struct hl_taper_drug *drug)
{
    const char *text = hl_arena_printf(design->arena, "%s=", drug->alias);
    char number[40];
    for (size_t p = 0; p < drug->n_products; p++) {
        const struct hl_product *product = &drug->product[p];
        bool tablet = strcmp(product->form, "tablet") == 0 || strcmp(product->form, "odt") == 0;
        if (!tablet || product->pieces > 2)
            return NULL;
        text = hl_arena_printf(design->arena, "%s%s%s mg%s", text, p ? ", " : "",
                               hl_text_shortest(product->strength, number, sizeof number),
                               product->pieces == 2 ? " scored" : "");
    }
    return text;
}

#define MOST_NOTES 8

/* What figures and calendars ask of a design's result (docs/calendar.md): its first constraint, its certificate, day 0
 * and the first drug, and of one drug the tablets. How many notes. */
static size_t note_design(struct hl_design *design, struct hl_note note[MOST_NOTES])
{
    struct hl_arena *arena = design->arena;
    const struct hl_taper_constraint *keep = &design->problem->constraint[0];
    char number[40];
    size_t n = 0;
    if (hl_taper_is_value(keep->statistic)) {
        double bound = hl_design_bound_shown(design, keep);
        note[n++] = (struct hl_note){"taper_bound",
                                     hl_arena_strdup(arena, hl_text_shortest(bound, number, sizeof number))};
        note[n++] = (struct hl_note){"taper_share",
                                     hl_arena_strdup(arena, hl_text_shortest(keep->share, number, sizeof number))};
    }
    if (keep->statistic == HL_TAPER_MOMENT)
        note[n++] = (struct hl_note){"taper_statistic", "at_any_time"};
    if (design->bound.valid)
        note[n++] = (struct hl_note){"taper_certificate_days", hl_arena_printf(arena, "%d", design->bound.days)};
    for (size_t r = 0, found = 0; !found && r < design->request->n_rivals; r++)
        if (design->request->rival[r].own && ++found)
            note[n++] = (struct hl_note){"taper_second", design->request->rival[r].own->drug[1].alias};
    note[n++] = (struct hl_note){"taper_drug", design->problem->drug[0].alias};
    note[n++] = (struct hl_note){"taper_day_0", hl_arena_printf(arena, "%.10g", design->problem->begins)};
    const char *tablets = design->problem->n_drugs == 1 ? tablets_text(design, &design->problem->drug[0]) : NULL;
    if (tablets)
        note[n++] = (struct hl_note){"taper_tablets", tablets};
    return n;
}

static enum hl_status make_result(struct hl_design *design)
{
    double started = seconds_now();
    enum hl_status status = hl_design_plans(design);
    hl_run_may_end(false); /* from here on files are written */
    if (status != HL_OK)
        return status;
    struct hl_taper_plan *plan = hl_arena_alloc(design->arena, design->n_outcomes, sizeof *plan);
    for (size_t i = 0; i < design->n_outcomes; i++)
        plan[i] = design->outcome[i].plan;
    const char *text = hl_design_study_text(design, plan, design->n_outcomes, true, design->end);
    status = write_text(design, design->study_file, text);
    if (status == HL_OK)
        status = hl_design_write_calendar(design);
    if (status != HL_OK || design->options->alone)
        return status;
    say(design, "comparing, on new subjects");
    struct hl_note note[MOST_NOTES];
    size_t n_notes = note_design(design, note);
    struct hl_run_options options = {.n_notes = n_notes, .note = note,
                                     .study_path = design->study_file, .output = design->result_file,
                                     .threads = design->options->threads, .force = design->options->force,
                                     .quiet = true, .progress = design->options->quiet ? HL_PROGRESS_NONE
                                                                                      : design->options->progress,
                                     .command_line = design->options->command_line,
                                     .study = {.model_directory = design->options->study.model_directory,
                                               .n_model_directories = design->options->study.n_model_directories}};
    enum hl_status ran = hl_run(&options, design->diag);
    if (ran == HL_OK || ran == HL_ERR_SUBJECTS)
        status = hl_design_outcomes(design);
    else
        return ran;
    design->seconds_result = seconds_now() - started;
    return status == HL_OK ? ran : status;
}

static enum hl_status say_impossible(struct hl_design *design)
{
    const struct hl_taper_result *result = &design->result;
    const struct hl_taper_constraint *keep = hl_taper_constraint_of(design->problem, result->in_the_way);
    if (design->options->json)
        hl_design_json(design, stdout);
    else
        hl_design_print_impossible(design, stdout);
    if (result->no_schedule)
        hl_diag_error(design->diag, design->study->taper_design->pos,
                      "the lengths, caps and longest: leave no taper at all that ends with nothing");
    else
        hl_diag_error(design->diag, keep->pos, "no taper %s keeps this within %d d: %s",
                      result->outcome == HL_TAPER_IMPOSSIBLE || design->bound.impossible ? "made of these products"
                                                                                      : "was found that",
                      design->problem->longest, keep->text);
    return HL_ERR_INPUT;
}

/* What the best schedule does keep, upwards to four digits, takes the place of the bounds asked for: by the forecast or
 * by the exact engine, whichever is more. */
static void loosen(struct hl_design *design)
{
    struct hl_taper_result *result = &design->result;
    size_t m = design->problem->n_constraints;
    for (size_t k = 0; k < design->n_kept; k++) {
        struct hl_taper_constraint *keep = &design->problem->constraint[k % m];
        double unit = hl_design_unit(design, keep);
        double needed = fmax(result->nearest[k] / unit, design->design_verdict[k].value);
        double grain = pow(10, floor(log10(fmax(needed, 1e-300))) - 3), loose = (floor(needed / grain) + 1) * grain;
        if (needed * unit <= keep->bound)
            continue;
        keep->bound = loose * unit;
    }
    for (size_t k = 0; k < design->n_kept; k++) {
        result->bound[k] = design->problem->constraint[k % m].bound;
        result->margin[k] = result->bound[k] - result->value[k];
    }
}

/* Loosened as the forecast says, and once more should the engine miss that. */
static enum hl_status loosen_and_check(struct hl_design *design)
{
    memset(design->design_verdict, 0, design->n_kept * sizeof *design->design_verdict);
    loosen(design);
    enum hl_status status = hl_design_check(design, &design->result.schedule, design->design_verdict);
    if (status != HL_OK || all_kept(design, design->design_verdict))
        return status;
    loosen(design);
    return hl_design_check(design, &design->result.schedule, design->design_verdict);
}

/* Whether a search found something as good by the aim as the schedule that keeps the same bounds. */
static bool is_better(const struct hl_design *design, const struct hl_taper_result *known)
{
    const struct hl_taper_result *found = &design->result;
    if (found->outcome != HL_TAPER_FOUND)
        return false;
    return design->problem->aim == HL_TAPER_LEAST_EXPOSURE   ? found->exposure <= known->exposure
           : design->problem->aim == HL_TAPER_FEWEST_CHANGES ? found->changes <= known->changes
                                                             : found->schedule.days <= known->schedule.days;
}

/* Where the bounds asked for can't be kept: says so, and goes on with the bounds that the taper which comes nearest
 * keeps. That one was chosen for missing least, however long it takes; with its bounds there may be a better one. */
static enum hl_status settle(struct hl_design *design)
{
    if (!design->options->json)
        hl_design_print_impossible(design, stdout);
    say(design, "going on with the nearest bound");
    size_t m = design->problem->n_constraints;
    struct hl_taper_constraint *keep = design->problem->constraint, asked[m];
    memcpy(asked, keep, sizeof asked);
    enum hl_status status = loosen_and_check(design);
    struct hl_taper_result nearest = design->result;
    struct hl_design_verdict *verdict = design->design_verdict;
    for (size_t c = 0; c < m; c++)
        if (keep[c].bound > asked[c].bound)
            keep[c].text = hl_arena_printf(design->arena, "%s, loosened to %.6g", keep[c].text,
                                           hl_design_bound_shown(design, &keep[c]));
    if (status == HL_OK)
        status = prove_first(design);
    if (status == HL_OK)
        status = search_and_check(design);
    if (status == HL_OK && !is_better(design, &nearest)) {
        design->result = nearest;
        design->result.outcome = HL_TAPER_FOUND;
        design->design_verdict = verdict;
        note_error(design);
    }
    return status == HL_OK ? prove_again(design) : status;
}

static enum hl_status design_taper(struct hl_design *design)
{
    double started = seconds_now();
    hl_run_may_end(true);
    say(design, "forecasting the cohort");
    enum hl_status status = hl_design_forecast(design);
    design->seconds_forecast = seconds_now() - started;
    if (status == HL_OK)
        status = prove_first(design);
    if (status == HL_OK)
        status = search_and_check(design);
    if (status == HL_OK)
        status = prove_again(design);
    if (status == HL_OK && design->result.outcome != HL_TAPER_FOUND && design->options->nearest &&
        design->result.schedule.n > 0)
        status = settle(design);
    if (status == HL_OK)
        status = shorten(design);
    if (status == HL_OK && design->result.outcome != HL_TAPER_FOUND)
        return say_impossible(design);
    enum hl_status made = status == HL_OK ? make_result(design) : status;
    if (made != HL_OK && made != HL_ERR_SUBJECTS)
        return made;
    if (design->options->json)
        hl_design_json(design, stdout);
    else
        hl_design_print(design, stdout);
    return made;
}

enum hl_status hl_design(const struct hl_design_options *options, struct hl_diag *diag)
{
    struct hl_design design = {.options = options, .diag = diag};
    struct hl_study_options study = options->study;
    study.design = true;
    if (options->threads > 0)
        omp_set_num_threads(options->threads);
    enum hl_status status = hl_prepare(options->study_path, &study, &design.prepared, diag);
    if (status == HL_OK && !design.prepared.request) {
        hl_diag_error(diag, (struct hl_pos){.file = options->study_path},
                      "this study asks for no taper: it has no design:; halflife run runs its arms");
        status = HL_ERR_INPUT;
    }
    if (status == HL_OK) {
        design.arena = design.prepared.arena;
        design.study = design.prepared.study;
        design.request = design.prepared.request;
        design.problem = design.request->problem;
        design.n_kept = design.problem->n_constraints * design.problem->n_situations;
        if (options->dry_run)
            hl_prepared_describe(&design.prepared, NULL, 0, stdout);
        else
            status = name_files(&design);
        if (status == HL_OK && !options->dry_run)
            status = design_taper(&design);
    }
    hl_design_forecast_clear(&design);
    hl_prepared_clear(&design.prepared);
    return status;
}
