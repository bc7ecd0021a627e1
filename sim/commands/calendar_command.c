/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife calendar: what an arm prescribes, day by day, as a person takes it home. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "build_info.h"
#include "commands/calendar_arm.h"
#include "commands/command.h"
#include "commands/places.h"
#include "commands/study_options.h"
#include "taper/sheet.h"

#define MOST_TITLE 80 /* bytes: longer ones would make the small type of a page's foot smaller still */

/* What the command line asks for. */
struct wish {
    struct hl_arena *arena;
    struct hl_diag *diag;
    const char *source, *format, *rows, *output;
    struct hl_calendar_options options;
    size_t n_tablets; struct hl_calendar_tablets *tablets;
    uint64_t subject;         /* 0: what is prescribed */
    const struct hl_result *result; /* NULL: a study */
};

static enum hl_status read_word(const struct wish *wish, const struct hl_arguments *arguments, const char *option,
                                const char *const *known, size_t n, const char **word)
{
    char hint[64], all[200];
    const char *text = hl_arguments_value(arguments, option);
    *word = text ? text : known[0];
    for (size_t i = 0; i < n; i++)
        if (strcmp(*word, known[i]) == 0)
            return HL_OK;
    hl_diag_error(wish->diag, hl_pos_none(), "--%s is %s, but found '%s'%s", option,
                  hl_text_alternatives(known, n, all, sizeof all), text,
                  hl_text_did_you_mean(text, known, n, hint, sizeof hint));
    return HL_ERR_INPUT;
}

static enum hl_status read_start(struct wish *wish, const char *text)
{
    wish->options.dated = text != NULL;
    if (!text || hl_date_read(text, &wish->options.start))
        return HL_OK;
    hl_diag_error(wish->diag, hl_pos_none(), "--start needs a date that exists, such as 2027-01-04, but found '%s'",
                  text);
    return HL_ERR_INPUT;
}

/* "0.5 mg scored, 0.125 mg", or with the drug's alias and = in front. */
static void add_tablets(struct wish *wish, const char *text)
{
    const char *equals = strchr(text, '=');
    wish->tablets[wish->n_tablets++] = (struct hl_calendar_tablets){
        .drug = equals ? hl_arena_strndup(wish->arena, text, (size_t)(equals - text)) : NULL,
        .text = equals ? equals + 1 : text};
}

static void read_tablets(struct wish *wish, const struct hl_arguments *arguments)
{
    wish->tablets = hl_arena_alloc(wish->arena, arguments->n_given + 1, sizeof *wish->tablets);
    for (size_t i = 0; i < arguments->n_given; i++)
        if (strcmp(arguments->given[i].name, "tablets") == 0)
            add_tablets(wish, arguments->given[i].value);
}

static enum hl_status read_wish(struct wish *wish, const struct hl_arguments *arguments)
{
    static const char *const formats[] = {"text", "csv", "svg", "pdf"};
    static const char *const rows[] = {"days", "counts"};
    enum hl_status status = read_word(wish, arguments, "format", formats, 4, &wish->format);
    if (read_word(wish, arguments, "rows", rows, 2, &wish->rows) != HL_OK)
        status = HL_ERR_INPUT;
    if (read_start(wish, hl_arguments_value(arguments, "start")) != HL_OK)
        status = HL_ERR_INPUT;
    if (hl_arguments_value(arguments, "rows") && strcmp(wish->format, "csv") != 0) {
        hl_diag_error(wish->diag, hl_pos_none(), "--rows is for --format csv");
        status = HL_ERR_INPUT;
    }
    wish->output = hl_arguments_value(arguments, "output");
    wish->source = arguments->word[0];
    read_tablets(wish, arguments);
    if (hl_arguments_integer(arguments, "subject", 1, &wish->subject, wish->diag) != HL_OK)
        status = HL_ERR_INPUT;
    return status;
}

/* ---- Where it comes from. */

static void name_it(struct wish *wish, const struct hl_study *study, size_t arm, const char *from)
{
    const char *name = study->name ? study->name : "";
    bool fits = study->title && strlen(study->title) <= MOST_TITLE && strcmp(study->title, name) != 0;
    const char *title = fits ? study->title : "";
    wish->options.title = study->arm[arm].name;
    wish->options.identity = hl_arena_printf(wish->arena, "%s%s%s%s%s · halflife %s", title, *title ? " · " : "", name,
                                             *name ? " · " : "", from, HL_VERSION);
}

/* What is said of an arm beside its calendar; false with a message where no calendar of it can be right. */
static bool speak_of(const struct wish *wish, const struct hl_study *study, size_t arm, bool chosen,
                     const struct hl_regimen *regimen)
{
    if (!chosen && study->n_arms > 1)
        hl_diag_note(wish->diag, hl_pos_none(), "this is the first of %zu arms, '%s'; --arm chooses another",
                     study->n_arms, study->arm[arm].name);
    if (regimen->n_demands > 0 && wish->subject == 0)
        hl_diag_note(wish->diag, hl_pos_none(), "what a patient's pump gives on demand isn't on the calendar");
    if (wish->subject > 0 || (regimen->n_reviewed == 0 && regimen->recorded.n_subjects == 0))
        return true;
    hl_diag_error(wish->diag, hl_pos_none(),
                  "each subject of '%s' has doses of its own; ask for one subject of a result: halflife calendar "
                  "FILE.h5 --arm '%s' --subject 1", study->arm[arm].name, study->arm[arm].name);
    return false;
}

static enum hl_status compile_arm(struct wish *wish, const struct hl_study *study, const char *name, const char *from,
                                  struct hl_calendar **calendar)
{
    size_t arm;
    struct hl_regimen taken;
    if (study->data) {
        hl_diag_error(wish->diag, hl_pos_none(),
                      "a calendar shows what an arm prescribes; the doses of a data set are its own records");
        return HL_ERR_INPUT;
    }
    enum hl_status status = hl_find_arm(study, name, &arm, wish->diag);
    if (status != HL_OK)
        return status;
    const struct hl_regimen *regimen = hl_regimen_compile(wish->arena, study, &study->arm[arm], wish->diag);
    if (!regimen || !speak_of(wish, study, arm, name != NULL, regimen))
        return HL_ERR_INPUT;
    if (wish->subject > 0) {
        status = hl_regimen_of_subject(wish->arena, wish->result, study, arm, wish->subject, &taken, wish->diag);
        if (status != HL_OK)
            return status;
        regimen = &taken;
        from = hl_arena_printf(wish->arena, "taken by subject %llu · %s", (unsigned long long)wish->subject, from);
    }
    name_it(wish, study, arm, from);
    return hl_calendar_of_arm(wish->arena, study, arm, regimen, wish->n_tablets, wish->tablets, &wish->options,
                              calendar, wish->diag);
}

static enum hl_status from_result(struct wish *wish, const char *path, const char *arm, struct hl_calendar **calendar)
{
    struct hl_result *result;
    enum hl_status status = hl_result_open(path, &result, wish->diag);
    if (status != HL_OK)
        return status;
    const char *payload = hl_result_attribute(result, "/", "payload_sha256");
    const char *from = hl_arena_printf(wish->arena, "payload %.8s", payload ? payload : "none");
    const struct hl_study *study = hl_study_of_result(wish->arena, result, wish->diag);
    const char *tablets = hl_result_attribute(result, "/", "taper_tablets"); /* of a designed taper */
    if (tablets && wish->n_tablets == 0)
        add_tablets(wish, tablets);
    wish->result = result;
    status = study ? compile_arm(wish, study, arm, from, calendar) : HL_ERR_INPUT;
    wish->result = NULL;
    hl_result_close(result);
    return status;
}

static enum hl_status make_calendar(struct wish *wish, const struct hl_arguments *arguments, const char *path,
                                    struct hl_calendar **calendar)
{
    static struct hl_study_option_room room;
    struct hl_study_options options;
    const char *arm = hl_arguments_value(arguments, "arm");
    if (hl_result_is_file(path) && hl_arguments_value(arguments, "set")) {
        hl_diag_error(wish->diag, hl_pos_none(), "--set changes a study; '%s' is a result", path);
        return HL_ERR_INPUT;
    }
    if (hl_result_is_file(path))
        return from_result(wish, path, arm, calendar);
    if (wish->subject > 0) {
        hl_diag_error(wish->diag, hl_pos_none(), "--subject is for results, which hold what each subject took; run "
                      "'%s' first", path);
        return HL_ERR_INPUT;
    }
    enum hl_status status = hl_study_options_read(arguments, &room, &options, wish->diag);
    if (status != HL_OK)
        return status;
    const struct hl_study *study = hl_study_load(wish->arena, path, &options, wish->diag);
    return study ? compile_arm(wish, study, arm, "prescribed doses", calendar) : HL_ERR_INPUT;
}

/* ---- Where it goes. */

static enum hl_status close_output(const struct wish *wish, FILE *stream, const char *path, enum hl_status status)
{
    if (stream != stdout && fclose(stream) != 0)
        status = HL_ERR_IO;
    if (status == HL_ERR_IO)
        hl_diag_error(wish->diag, hl_pos_none(), "cannot write '%s': %s", path, strerror(errno));
    else if (stream != stdout)
        printf("%s\n", path);
    return status;
}

/* A calendar replaces an earlier one, but neither what it is made of nor a result. */
static FILE *open_output(const struct wish *wish, const char *path)
{
    if (path && (hl_place_is_same(path, wish->source) || hl_result_is_file(path))) {
        hl_diag_error(wish->diag, hl_pos_none(), "'%s' is %s, which a calendar must not replace; name another file "
                      "with -o", path, hl_place_is_same(path, wish->source) ? "what it is made of" : "a result");
        return NULL;
    }
    FILE *stream = path ? fopen(path, "wb") : stdout;
    if (!stream)
        hl_diag_error(wish->diag, hl_pos_none(), "cannot write '%s': %s", path, strerror(errno));
    return stream;
}

/* One file per page, NAME-1.svg and so on; to standard output all pages below one another. */
static enum hl_status write_svg(const struct wish *wish, const struct hl_sheet *sheet)
{
    size_t n = hl_sheet_pages(sheet);
    if (!wish->output)
        return hl_sheet_write_svg(sheet, 0, n, stdout);
    size_t length = strlen(wish->output);
    bool has_end = length > 4 && strcmp(wish->output + length - 4, ".svg") == 0;
    enum hl_status status = HL_OK;
    for (size_t i = 0; i < n && status == HL_OK; i++) {
        const char *path = hl_arena_printf(wish->arena, "%.*s-%zu.svg", (int)(has_end ? length - 4 : length),
                                           wish->output, i + 1);
        FILE *stream = open_output(wish, path);
        status = stream ? close_output(wish, stream, path, hl_sheet_write_svg(sheet, i, 1, stream)) : HL_ERR_IO;
    }
    return status;
}

static enum hl_status write_calendar(const struct wish *wish, const struct hl_calendar *calendar)
{
    bool svg = strcmp(wish->format, "svg") == 0, pdf = strcmp(wish->format, "pdf") == 0;
    const struct hl_sheet *sheet = svg || pdf ? hl_calendar_pages(wish->arena, calendar) : NULL;
    if (svg)
        return write_svg(wish, sheet);
    FILE *stream = open_output(wish, wish->output);
    if (!stream)
        return HL_ERR_IO;
    enum hl_status status = pdf                                ? hl_sheet_write_pdf(sheet, stream)
                            : strcmp(wish->format, "text") == 0 ? hl_calendar_write_text(calendar, stream)
                            : strcmp(wish->rows, "days") == 0   ? hl_calendar_write_days(calendar, stream)
                                                                : hl_calendar_write_counts(calendar, stream);
    return close_output(wish, stream, wish->output ? wish->output : "standard output", status);
}

static enum hl_status run_calendar(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    struct wish wish = {.diag = diag, .arena = hl_arena_create()};
    struct hl_calendar *calendar = NULL;
    enum hl_status status = wish.arena ? HL_OK : HL_ERR_MEMORY;
    const char *path = status == HL_OK ? hl_one_word(arguments, "a study or a result file", diag) : NULL;
    if (status == HL_OK && !path)
        status = HL_ERR_INPUT;
    if (status == HL_OK)
        status = read_wish(&wish, arguments);
    if (status == HL_OK)
        status = make_calendar(&wish, arguments, path, &calendar);
    if (status == HL_OK)
        status = write_calendar(&wish, calendar);
    hl_arena_free(wish.arena);
    return status;
}

static const struct hl_option options_of_calendar[] = {
    {"arm", 0, "A", "which arm, by name or by number from 0 (default: the first)"},
    {"subject", 0, "K", "of a result: what subject K took, from 1 (default: what is prescribed)"},
    {"start", 0, "DATE", "the date of the study's first day, such as 2027-01-04 (default: days are numbered)"},
    {"tablets", 0, "[DRUG=]LIST", "the tablets there are, '0.5 mg scored, 0.125 mg'; scored ones may be halved"},
    {"format", 0, "text|csv|svg|pdf", "text for the terminal, a table, or pages of A4 (default text)"},
    {"rows", 0, "days|counts", "of csv: a row per day and drug, or per number of tablets (default days)"},
    {"output", 'o', "FILE", "write there; of svg one file per page, FILE-1.svg (default: standard output)"},
    {"set", 0, "KEY=VALUE", "change any value of the study or a model (may be repeated)"},
};

const struct hl_command hl_command_calendar = {
    .name = "calendar",
    .usage = "STUDY.yaml|FILE.h5 [--arm A] [--start DATE] [options]",
    .summary = "shows day by day what an arm prescribes, and how many tablets to fetch",
    .examples = "  halflife calendar configs/tapers.yaml --arm 'Nardi 2010' --start 2027-01-04\n"
                "  halflife calendar configs/tapers.yaml --arm 3 --format pdf -o nardi.pdf\n"
                "  halflife calendar output/tapers.h5 --arm 'UK eighths' --tablets '0.5 mg scored, 0.125 mg'\n"
                "  halflife calendar output/tapers.h5 --arm 'UK eighths' --format csv --rows counts\n"
                "  halflife calendar output/guided.h5 --subject 17 --start 2027-01-04\n",
    .details = "Each dose is shown as tablets where the arm's taper states them (tablets:), or --tablets does; else,\n"
               "and where those don't make it, by its amount.\n"
               "Halves that are left over are used first; months add up. Every page carries the warning that this\n"
               "is a simulation for education and research, not medical advice.\n",
    .option = options_of_calendar,
    .n_options = sizeof options_of_calendar / sizeof *options_of_calendar,
    .run = run_calendar,
};
