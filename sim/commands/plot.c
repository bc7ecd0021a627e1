/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife plot: figures of a result, drawn by gnuplot.
 *
 * A figure is one script in scripts/figures and one line of the table below. The scripts read through `halflife export`
 * alone and are usable by hand; this file decides which of them the contents of a result allow, and starts gnuplot
 * for each, with what the user asked for as gnuplot variables. Nothing passes through a shell here: gnuplot is
 * started directly, and a text becomes a single-quoted gnuplot string, in which only the quote itself means something.
 *
 * A picture is drawn under a temporary name and renamed when gnuplot is content, so that a picture with a proper name
 * is a whole one. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "base/units.h"
#include "commands/command.h"
#include "commands/observed.h"
#include "commands/places.h"
#include "commands/surface.h"
#include "store/export_records.h"
#include "store/summary_records.h"

extern char **environ;

#define MOST_NEEDS 6
#define MOST_WORDS 96

/* Name, what it shows, and the variables it needs; {of} is the chosen output, {drug} the drug it belongs to, a star at
 * the end any name that begins so. */
#define FIGURES(FIGURE)                                                                                                \
    FIGURE("accumulation",                                                                                             \
           "how a drug piles up: ribbons of the cohort in every arm, and one dosing interval close by",                \
           "{of}_quantiles")                                                                                           \
    FIGURE("half_life", "the half-lives of the cohort against the 19-60 h of the literature",                          \
           "metrics/{of}_half_life")                                                                                   \
    FIGURE("sedation_overlap", "both effect sites, the sedation index and the share of the cohort at risk over time",  \
           "clonazepam_Ce_quantiles", "fentanyl_Ce_quantiles", "overlap_sedation_quantiles")                           \
    FIGURE("overlap_plane", "fentanyl against clonazepam at the effect site, over isoboles of sedation",               \
           "clonazepam_Ce_quantiles", "fentanyl_Ce_quantiles", "clonazepam_Ce", "fentanyl_Ce",                         \
           "overlap_sedation_quantiles")                                                                               \
    FIGURE("taper_comparison", "per arm: dose steps, concentration and withdrawal index", "{of}_quantiles",            \
           "*_withdrawal_index_quantiles", "doses/amount")                                                             \
    FIGURE("taper_design", "one taper in full: its levels, the index with the bound, how many of the cohort are above", \
           "{of}_fraction_above", "{of}_quantiles", "{drug}_withdrawal_index_quantiles", "doses/amount")               \
    FIGURE("taper_plane", "tapers by duration and the index nine in ten stay below, beside what they give in all",     \
           "{of}_fraction_above", "{drug}_withdrawal_index_quantiles", "doses/amount")                                 \
    FIGURE("taper_kept", "how surely each taper, or situation, keeps the bound: shares with confidence intervals",     \
           "{of}_fraction_above", "{drug}_withdrawal_index_quantiles", "doses/amount")                                 \
    FIGURE("profiles", "a dozen subjects one by one, with the cohort behind them", "{of}_quantiles", "{of}")           \
    FIGURE("sweep", "a metric against the factors of a sweep", "design/*", "metrics/*")                                \
    FIGURE("records", "of a data set: a dozen individuals, observed and predicted, with their doses", "records/IPRED") \
    FIGURE("dv_ipred", "of a data set: goodness of fit, observed against predicted", "records/DV_observed",            \
           "records/IPRED")

struct figure {
    const char *name, *what;
    const char *needs[MOST_NEEDS];
};

#define TABLE_LINE(name, what, ...) {name, what, {__VA_ARGS__}},
#define HELP_LINE(name, what, ...) "  " name ": " what "\n"

static const struct figure figures[] = {FIGURES(TABLE_LINE)};

#define N_FIGURES (sizeof figures / sizeof *figures)

/* What the user asked for. */
struct job {
    struct hl_arena *arena;
    struct hl_result *result;
    struct hl_diag *diag;
    const char *scripts, *directory, *study, *format;
    const char *of;          /* the output that figures of one output draw, "" when the file has none */
    bool of_given;
    const char *arm;         /* a name, or "" */
    const char *data;        /* observed points as the scripts read them, or "" */
    uint64_t subject;        /* only this individual of a data set, 0 for all */
    bool log;
};

/* Figures of a data set draw its records, all others what only prescriptions have. */
static bool is_of_records(const struct figure *figure)
{
    return strncmp(figure->needs[0], "records/", 8) == 0;
}

/* ---- What the file has. */

static const char *replaced(struct hl_arena *arena, const char *text, const char *mark, const char *by)
{
    const char *at = strstr(text, mark);
    return at ? hl_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, by, at + strlen(mark)) : text;
}

static const char *drug_of(struct hl_arena *arena, const char *of)
{
    return hl_arena_strndup(arena, of, strcspn(of, "_"));
}

static bool has(const struct job *job, const char *need)
{
    size_t n = strlen(need);
    bool any = n > 0 && need[n - 1] == '*', ends = n > 0 && need[0] == '*';
    for (size_t i = 0; i < job->result->n_variables; i++) {
        const struct hl_result_variable *v = &job->result->variable[i];
        const char *path = *v->path == '/' ? v->path + 1 : v->path;
        size_t m = strlen(path);
        if (v->is_scale)
            continue;
        if (any ? strncmp(path, need, n - 1) == 0
                : ends ? m >= n && strcmp(path + m - (n - 1), need + 1) == 0 : strcmp(path, need) == 0)
            return true;
    }
    return false;
}

/* From the unit of observed values to that of IPRED, NULL where the script's own rule holds: equal units, or none. */
static const char *observed_factor(const struct job *job)
{
    const struct hl_result_variable *dv = hl_result_at(job->result, "/records/DV_observed"),
                                    *ipred = hl_result_at(job->result, "/records/IPRED");
    struct hl_unit from, to;
    char why[200], number[40];
    if (!dv || !ipred || !dv->unit || !ipred->unit || strcmp(dv->unit, ipred->unit) == 0 || strcmp(dv->unit, "1") == 0)
        return NULL;
    if (!hl_unit_parse(dv->unit, &from, why, sizeof why) || !hl_unit_parse(ipred->unit, &to, why, sizeof why) ||
        !hl_dim_equal(from.dim, to.dim))
        return "0.0";
    return hl_arena_printf(job->arena, "1.0*%s", hl_text_shortest(from.factor / to.factor, number, sizeof number));
}

/* Why observations can't be drawn against predictions, or NULL. */
static const char *lacks_observations(const struct job *job)
{
    const char *factor = observed_factor(job);
    struct hl_record_facts facts;
    if (factor && strcmp(factor, "0.0") == 0)
        return "DV_observed in a unit of IPRED's dimension";
    if (hl_record_facts_read(job->result, &facts, job->diag) != HL_OK)
        return "records that can be read";
    for (size_t i = 0; i < facts.n_columns; i++) {
        const char *name = facts.range[i].variable->name;
        if (facts.range[i].n == 0 && (strcmp(name, "DV_observed") == 0 || strcmp(name, "IPRED") == 0))
            return hl_arena_printf(job->arena, "value in %s", name);
    }
    return NULL;
}

/* The highest values of an output that the scripts of tapers look for, whatever the study calls them; or NULL. */
static const char *lacks_peaks(const struct job *job, const char *of)
{
    for (size_t i = 0; i < job->result->n_variables; i++) {
        const struct hl_result_variable *v = &job->result->variable[i];
        const char *output = v->output ? hl_arena_strdup(job->arena, v->output) : "";
        for (char *at = strchr(output, '.'); at; at = strchr(at, '.'))
            *at = '_';
        if (strcmp(v->group, "/metrics") == 0 && strcmp(output, of) == 0) {
            const char *metric = hl_result_attribute(job->result, v->path, "metric");
            if (metric && strcmp(metric, "Cmax") == 0)
                return NULL;
        }
    }
    return hl_arena_printf(job->arena, "metrics/%s_Cmax", of);
}

/* What arms state as facts stands beside the factors of a sweep, and isn't one. */
static bool has_factor(const struct job *job)
{
    for (size_t i = 0; i < job->result->n_variables; i++) {
        const struct hl_result_variable *v = &job->result->variable[i];
        const char *path = hl_result_attribute(job->result, v->path, "path");
        if (strcmp(v->group, "/design") == 0 && !v->is_scale && !(path && strncmp(path, "facts.", 6) == 0))
            return true;
    }
    return false;
}

/* The first variable that a figure of this output lacks, or NULL. */
static const char *lacks(const struct job *job, const struct figure *figure, const char *of)
{
    for (size_t i = 0; i < MOST_NEEDS && figure->needs[i]; i++) {
        const char *need = replaced(job->arena, figure->needs[i], "{of}", of);
        need = replaced(job->arena, need, "{drug}", drug_of(job->arena, of));
        if (!has(job, need))
            return need;
    }
    if (strcmp(figure->name, "sweep") == 0 && !has_factor(job))
        return "a factor of a sweep";
    if (strcmp(figure->name, "taper_plane") == 0 || strcmp(figure->name, "taper_kept") == 0)
        return lacks_peaks(job, of);
    return strcmp(figure->name, "dv_ipred") == 0 ? lacks_observations(job) : NULL;
}

/* Tapers are judged by a withdrawal index, and by another output only where one is asked for. */
static bool is_of_index(const struct figure *figure)
{
    return strncmp(figure->name, "taper_", 6) == 0 && strcmp(figure->needs[0], "{of}_fraction_above") == 0;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The output a figure draws: the one asked for; else clonazepam_Cp; else the first that the figure can be drawn of; ""
 * for a figure that has outputs of its own. */
static const char *output_for(const struct job *job, const struct figure *figure)
{
    const char *suffix = figure->needs[0], *group = strncmp(suffix, "metrics/", 8) == 0 ? "/metrics" : "";
    if (!job->of_given && !strstr(suffix, "{of}"))
        return "";
    if (job->of_given || (!is_of_index(figure) && has(job, replaced(job->arena, suffix, "{of}", job->of))))
        return job->of;
    suffix = strstr(suffix, "{of}") + 4;
    const char *first = NULL;
    for (size_t i = 0; i < job->result->n_variables; i++) {
        const struct hl_result_variable *v = &job->result->variable[i];
        size_t n = strlen(v->name), m = strlen(suffix);
        if (strcmp(v->group, group) != 0 || n <= m || strcmp(v->name + n - m, suffix) != 0)
            continue;
        const char *of = hl_arena_strndup(job->arena, v->name, n - m);
        if (is_of_index(figure) && !ends_in(of, "withdrawal_index"))
            continue;
        if (!lacks(job, figure, of))
            return of;
        first = first ? first : of;
    }
    if (!first && is_of_index(figure))
        first = hl_arena_printf(job->arena, "%s_withdrawal_index", drug_of(job->arena, job->of));
    return first ? first : job->of;
}

/* ---- Starting gnuplot. */

/* A text as a gnuplot string: in single quotes nothing is special but the quote. */
static const char *quoted(struct hl_arena *arena, const char *text)
{
    char *out = hl_arena_alloc(arena, 2 * strlen(text) + 3, 1), *at = out;
    *at++ = '\'';
    for (; *text; text++) {
        *at++ = *text;
        if (*text == '\'')
            *at++ = '\'';
    }
    *at = '\'';
    return out;
}

struct words { size_t n; char *word[MOST_WORDS]; };

static void set_text(const struct job *job, struct words *w, const char *name, const char *value)
{
    w->word[w->n++] = hl_arena_strdup(job->arena, "-e");
    w->word[w->n++] = hl_arena_printf(job->arena, "%s=%s", name, quoted(job->arena, value));
}

static void set_number(const struct job *job, struct words *w, const char *name, const char *value)
{
    w->word[w->n++] = hl_arena_strdup(job->arena, "-e");
    w->word[w->n++] = hl_arena_printf(job->arena, "%s=%s", name, value);
}

static void add_record_words(const struct job *job, struct words *w)
{
    const char *factor = observed_factor(job);
    if (factor)
        set_number(job, w, "dv_factor", factor);
    if (job->subject > 0)
        set_number(job, w, "subject", hl_arena_printf(job->arena, "%llu", (unsigned long long)job->subject));
}

static void build_words(const struct job *job, const struct figure *figure, const char *of, const char *output,
                        struct words *w)
{
    w->word[w->n++] = hl_arena_strdup(job->arena, "gnuplot");
    w->word[w->n++] = hl_arena_strdup(job->arena, "--default-settings");
    set_text(job, w, "file", job->result->path);
    set_text(job, w, "halflife", hl_place_of_program());
    set_text(job, w, "format", job->format);
    set_text(job, w, "output", output);
    set_text(job, w, "of", of);
    set_text(job, w, "arm", job->arm);
    set_text(job, w, "data", job->data);
    set_number(job, w, "log", job->log ? "1" : "0");
    if (is_of_records(figure))
        add_record_words(job, w);
    if (strcmp(figure->name, "overlap_plane") == 0) {
        struct hl_surface_constant constant[HL_SURFACE_CONSTANTS];
        size_t n = hl_surface_read(job->arena, job->result, "overlap", constant);
        for (size_t i = 0; i < n; i++)
            set_number(job, w, constant[i].name, hl_arena_printf(job->arena, "1.0*%s", constant[i].value));
    }
    w->word[w->n++] = hl_arena_printf(job->arena, "%s/%s.gp", job->scripts, figure->name);
    w->word[w->n] = NULL;
}

/* Runs gnuplot with its messages going to errors and what it prints to text; its exit code, or -1 with a message when
 * it can't be started. */
static int run_gnuplot(char *const *word, FILE *text, FILE *errors, struct hl_diag *diag)
{
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int ended = 0, failed = posix_spawn_file_actions_init(&actions);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, fileno(errors), STDERR_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, fileno(text), STDOUT_FILENO);
    fflush(stdout);
    if (!failed)
        failed = posix_spawnp(&child, word[0], &actions, NULL, word, environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!failed && waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            failed = errno;
    if (failed == ENOENT || (!failed && WIFEXITED(ended) && WEXITSTATUS(ended) == 127))
        hl_diag_error(diag, hl_pos_none(),
                      "gnuplot is needed for figures and was not found; install it (Debian and Ubuntu: "
                      "apt-get install gnuplot-nox; Fedora: dnf install gnuplot; macOS: brew install gnuplot)");
    else if (failed)
        hl_diag_error(diag, hl_pos_none(), "cannot run gnuplot: %s", strerror(failed));
    if (failed || (WIFEXITED(ended) && WEXITSTATUS(ended) == 127))
        return -1;
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128;
}

/* What gnuplot said, on one line. */
static const char *said(struct hl_arena *arena, FILE *errors)
{
    char text[1000];
    rewind(errors);
    size_t n = fread(text, 1, sizeof text - 1, errors), out = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i] == '\n' || text[i] == '\t' || text[i] == '\r' ? ' ' : text[i];
        if (c != ' ' || (out > 0 && text[out - 1] != ' '))
            text[out++] = c;
    }
    text[out] = '\0';
    return out ? hl_arena_strdup(arena, text) : "it gave no reason";
}

static bool is_empty(const char *path)
{
    struct stat info;
    return stat(path, &info) != 0 || info.st_size == 0;
}

/* To standard output by our own hand: gnuplot wouldn't tell of a disk that is full, and the program's end does. */
static void pass_on(FILE *text)
{
    char buffer[4096];
    rewind(text);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, text)) > 0;)
        (void)fwrite(buffer, 1, n, stdout);
}

/* Draws into a temporary file and gives it its name; output is "" for pictures that go to standard output. */
static enum hl_status draw_to(const struct job *job, const struct figure *figure, const char *of, const char *output)
{
    struct words words = {0};
    const char *temporary = *output ? hl_arena_printf(job->arena, "%s.part-%ld", output, (long)getpid()) : "";
    FILE *errors = tmpfile(), *text = tmpfile();
    if (!errors || !text) {
        hl_diag_error(job->diag, hl_pos_none(), "cannot create a temporary file: %s", strerror(errno));
        if (errors)
            (void)fclose(errors);
        return HL_ERR_IO;
    }
    build_words(job, figure, of, temporary, &words);
    int code = run_gnuplot(words.word, text, errors, job->diag);
    const char *why = said(job->arena, errors); /* a table cut short is a warning to gnuplot, and a wrong picture */
    bool good = code == 0 && (!*output || !is_empty(temporary)) && !strstr(why, "output has been truncated");
    if (code >= 0 && !good)
        hl_diag_error(job->diag, hl_pos_none(), "gnuplot could not draw '%s': %s", figure->name, why);
    if (good && !*output)
        pass_on(text);
    (void)fclose(errors);
    (void)fclose(text);
    if (good && *output && rename(temporary, output) != 0) {
        hl_diag_error(job->diag, hl_pos_none(), "cannot write '%s': %s", output, strerror(errno));
        good = false;
    }
    if (!good && *output)
        (void)unlink(temporary);
    if (good && *output)
        printf("%s\n", output);
    return good ? HL_OK : code == 2 ? HL_ERR_INPUT : HL_ERR_IO;
}

static enum hl_status draw(const struct job *job, const struct figure *figure, const char *of)
{
    if (strcmp(job->format, "dumb") == 0)
        return draw_to(job, figure, of, "");
    return draw_to(job, figure, of, hl_arena_printf(job->arena, "%s/%s_%s.%s", job->directory, job->study, figure->name,
                                                    job->format));
}

/* ---- Which figures. */

static const struct figure *find_figure(const char *name, struct hl_diag *diag)
{
    const char *names[N_FIGURES];
    char hint[96];
    for (size_t i = 0; i < N_FIGURES; i++) {
        names[i] = figures[i].name;
        if (strcmp(name, names[i]) == 0)
            return &figures[i];
    }
    hl_diag_error(diag, hl_pos_none(), "unknown figure '%s'%s", name,
                  hl_text_did_you_mean(name, names, N_FIGURES, hint, sizeof hint));
    return NULL;
}

static enum hl_status draw_named(const struct job *job, const struct figure *figure)
{
    const char *of = output_for(job, figure), *missing = lacks(job, figure, of);
    if (!missing)
        return draw(job, figure, of);
    hl_diag_error(job->diag, hl_pos_none(), "'%s' needs %s, which '%s' does not have; ask for it in the study",
                  figure->name, missing, job->result->path);
    return HL_ERR_INPUT;
}

/* All that the file allows; the others are named with what they lack. */
static enum hl_status draw_possible(const struct job *job)
{
    enum hl_status status = HL_OK;
    size_t n = 0;
    for (size_t i = 0; i < N_FIGURES; i++) {
        const char *of = output_for(job, &figures[i]), *missing = lacks(job, &figures[i], of);
        if (missing && is_of_records(&figures[i]) != hl_records_exist(job->result))
            continue;
        if (missing) {
            hl_diag_note(job->diag, hl_pos_none(), "skipped %s: the file has no %s", figures[i].name, missing);
            continue;
        }
        enum hl_status own = draw(job, &figures[i], of);
        status = status == HL_OK ? own : status;
        n++;
    }
    if (n > 0)
        return status;
    hl_diag_error(job->diag, hl_pos_none(), "'%s' holds nothing that a figure shows", job->result->path);
    return HL_ERR_INPUT;
}

static enum hl_status draw_all(const struct job *job, const struct hl_arguments *arguments)
{
    enum hl_status status = HL_OK;
    if (arguments->n_words == 1)
        return draw_possible(job);
    for (size_t i = 1; i < arguments->n_words; i++)
        if (!find_figure(arguments->word[i], job->diag))
            status = HL_ERR_INPUT;
    if (status != HL_OK)
        return status;
    for (size_t i = 1; i < arguments->n_words; i++) {
        enum hl_status own = draw_named(job, find_figure(arguments->word[i], job->diag));
        status = status == HL_OK ? own : status;
    }
    return status;
}

/* ---- Reading what was asked. */

static enum hl_status read_format(struct job *job, const char *text)
{
    static const char *const known[] = {"png", "svg", "pdf", "dumb"};
    char hint[64];
    job->format = text ? text : "png";
    for (size_t i = 0; i < 4; i++)
        if (strcmp(job->format, known[i]) == 0)
            return HL_OK;
    hl_diag_error(job->diag, hl_pos_none(), "--format is png, svg, pdf or dumb (text), but found '%s'%s", text,
                  hl_text_did_you_mean(text, known, 4, hint, sizeof hint));
    return HL_ERR_INPUT;
}

/* --of, where there are records: one of their columns. */
static enum hl_status read_record_output(struct job *job)
{
    const struct hl_result_variable *v = hl_records_column(job->result, job->of);
    if (!v && !hl_result_find(job->result, job->of, job->diag))
        return HL_ERR_INPUT;
    if (!v)
        hl_diag_error(job->diag, hl_pos_none(), "--of names a column of the records, but '%s' is none", job->of);
    else
        job->of = v->name;
    return v ? HL_OK : HL_ERR_INPUT;
}

static enum hl_status read_output(struct job *job, const char *given)
{
    char *of = hl_arena_strdup(job->arena, given ? given : "clonazepam_Cp");
    for (char *at = of; *at; at++)
        if (*at == '.')
            *at = '_';
    job->of = of;
    job->of_given = given != NULL;
    if (given && hl_records_exist(job->result))
        return read_record_output(job);
    const char *quantiles = hl_arena_printf(job->arena, "%s_quantiles", of);
    return !given || hl_result_find(job->result, quantiles, job->diag) ? HL_OK : HL_ERR_INPUT;
}

static enum hl_status read_arm(struct job *job, const char *given)
{
    uint64_t arm = 0;
    job->arm = "";
    if (!given)
        return HL_OK;
    enum hl_status status = hl_result_arm(job->result, given, &arm, job->diag);
    if (status == HL_OK)
        job->arm = job->result->arm_name[arm];
    return status;
}

static enum hl_status read_subject(struct job *job, const struct hl_arguments *arguments)
{
    uint64_t first, count;
    enum hl_status status = hl_arguments_integer(arguments, "subject", 1, &job->subject, job->diag);
    if (status != HL_OK || job->subject == 0)
        return status;
    if (hl_records_exist(job->result))
        return hl_records_of_subject(job->result, job->subject, &first, &count, job->diag);
    hl_diag_error(job->diag, hl_pos_none(), "--subject is for the records of a data set, which '%s' doesn't have",
                  job->result->path);
    return HL_ERR_INPUT;
}

/* A path that gnuplot and the shell take for a path: not for a pipe, an option or several lines. */
static const char *plain_path(const struct job *job, const char *path)
{
    if (strpbrk(path, "\n\r")) {
        hl_diag_error(job->diag, hl_pos_none(), "gnuplot cannot take a line break in the name of a file: '%s'", path);
        return NULL;
    }
    return strchr("-|<~+", *path) ? hl_arena_printf(job->arena, "./%s", path) : path;
}

static enum hl_status read_directory(struct job *job, const char *given)
{
    const char *path = job->result->path, *slash = strrchr(path, '/');
    job->directory = given           ? given
                     : slash == path ? "/"
                     : slash         ? hl_arena_strndup(job->arena, path, (size_t)(slash - path))
                                     : ".";
    job->directory = plain_path(job, job->directory);
    if (!job->directory)
        return HL_ERR_INPUT;
    if (strcmp(job->format, "dumb") == 0 || mkdir(job->directory, 0777) == 0 || errno == EEXIST)
        return HL_OK;
    hl_diag_error(job->diag, hl_pos_none(), "cannot write to the directory '%s': %s", job->directory, strerror(errno));
    return HL_ERR_IO;
}

static enum hl_status read_places(struct job *job)
{
    const char *study = hl_result_attribute(job->result, "/", "study");
    char *name = hl_arena_strdup(job->arena, study && *study ? study : "result");
    for (char *at = name; *at; at++)
        if (*at == '/' || (unsigned char)*at < ' ')
            *at = '_';
    job->study = name;
    job->scripts = hl_place("scripts/figures");
    if (job->scripts)
        return HL_OK;
    hl_diag_error(job->diag, hl_pos_none(),
                  "the figures' scripts (scripts/figures) were not found; set HALFLIFE_DATA to the "
                  "directory that holds scripts/");
    return HL_ERR_IO;
}

static enum hl_status read_data(struct job *job, const char *path)
{
    job->data = "";
    if (!path)
        return HL_OK;
    const struct hl_result_variable *v =
        hl_result_find(job->result, hl_arena_printf(job->arena, "%s_quantiles", job->of), job->diag);
    return v ? hl_observed_read(job->arena, path, v->unit, &job->data, job->diag) : HL_ERR_INPUT;
}

static enum hl_status read_job(struct job *job, const struct hl_arguments *arguments)
{
    enum hl_status status = read_format(job, hl_arguments_value(arguments, "format"));
    job->log = hl_arguments_value(arguments, "log") != NULL;
    if (status == HL_OK)
        status = read_output(job, hl_arguments_value(arguments, "of"));
    if (status == HL_OK)
        status = read_arm(job, hl_arguments_value(arguments, "arm"));
    if (status == HL_OK)
        status = read_subject(job, arguments);
    if (status == HL_OK)
        status = read_places(job);
    if (status == HL_OK)
        status = read_directory(job, hl_arguments_value(arguments, "output"));
    if (status == HL_OK)
        status = read_data(job, hl_arguments_value(arguments, "data"));
    return status;
}

static enum hl_status run_plot(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    struct job job = {.diag = diag, .arena = hl_arena_create()};
    enum hl_status status = job.arena ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK && arguments->n_words == 0) {
        hl_diag_error(diag, hl_pos_none(), "expected a result file; see --help");
        status = HL_ERR_INPUT;
    }
    const char *path = status == HL_OK ? plain_path(&job, arguments->word[0]) : NULL;
    if (status == HL_OK)
        status = path ? hl_result_open(path, &job.result, diag) : HL_ERR_INPUT;
    if (status == HL_OK) {
        status = read_job(&job, arguments);
        if (status == HL_OK)
            status = draw_all(&job, arguments);
        if (job.data && *job.data)
            (void)unlink(job.data);
        hl_result_close(job.result);
    }
    hl_arena_free(job.arena);
    return status;
}

static const struct hl_option options_of_plot[] = {
    {"output", 'o', "DIR", "where the pictures go (default: beside FILE.h5)"},
    {"format", 0, "png|svg|pdf|dumb", "dumb is text for the terminal (default png)"},
    {"log", 0, NULL, "logarithmic concentration axis"},
    {"data", 0, "OBSERVED.csv", "observed points over the band: columns time, value, optionally sd, with [unit]"},
    {"arm", 0, "A", "only this arm, by name or by number from 0"},
    {"of", 0, "OUTPUT", "another output than clonazepam.Cp; of a data set, a column in the place of IPRED"},
    {"subject", 0, "K", "of a data set: only this individual, counted from 1"},
};

const struct hl_command hl_command_plot = {
    .name = "plot",
    .usage = "FILE.h5 [FIGURE...] [options]",
    .summary = "draws figures of a result with gnuplot",
    .examples = "  halflife plot output/akita2021.h5\n"
                "  halflife plot output/akita2021.h5 accumulation --log --format svg -o figures\n"
                "  halflife plot output/akita2021.h5 accumulation --of fentanyl.Cp --arm 'as reported' "
                "--data observed.csv\n"
                "  halflife plot output/tapers.h5 taper_comparison --format dumb\n",
    .details = "Figures (without a name: all that the file's contents allow):\n" FIGURES(HELP_LINE)
               "Pictures are called STUDY_FIGURE.png. The scripts are scripts/figures/*.gp, usable by hand:\n"
               "  gnuplot -e \"file='output/akita2021.h5'\" scripts/figures/accumulation.gp\n",
    .option = options_of_plot,
    .n_options = sizeof options_of_plot / sizeof *options_of_plot,
    .run = run_plot,
};
