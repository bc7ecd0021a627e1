/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study with a data set. The table says who is there, what is given and when something is seen; so what a study of
 * prescriptions says of these has no meaning any more, and is taken out of the tree, each with a message, before the
 * rest is read:
 *
 *     arms         keep their covariates and parameters. Arms that differ only in what they prescribe are one, and an
 *                  arm without a word of its own is called "data"
 *     times, metrics, thresholds, quantiles, cohort.subjects
 *
 * so that the resolved study holds only what was used. --data puts its file in the place of data: file:, and leaves the
 * rest of data: as it is.
 *
 * bioavailability_scales: says what F does to an infusion whose rate is given: it changes the duration (F A / r,
 * NONMEM) or the rate (F r over A / r). That of data: holds for the data set, else that of the study, else NONMEM's. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"
#include "study/inside.h"

#define MOST_NUMBER 1000000 /* of a compartment or DVID under observe: */

static struct hl_pos key_pos(const struct hl_yaml *mapping, const char *key)
{
    const struct hl_yaml *node = hl_yaml_key(mapping, key);
    return node ? node->pos : mapping->pos;
}

/* ---- the file */

/* data: events.csv is short for data: {file: events.csv}. */
void hl_study_unfold_data(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    struct hl_yaml *data = hl_yaml_get(tree, "data");
    if (!data || data->kind != HL_YAML_SCALAR)
        return;
    struct hl_yaml *mapping = hl_study_node(reader->arena, data->pos, HL_YAML_MAPPING);
    hl_study_put(reader->arena, mapping, data->pos, "file", data);
    hl_study_put(reader->arena, tree, data->pos, "data", mapping);
}

void hl_study_apply_data(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    const struct hl_pos pos = {.file = "--data"};
    struct hl_yaml *file = hl_study_scalar(reader->arena, pos, reader->options->data);
    if (!hl_yaml_get(tree, "data"))
        hl_study_put(reader->arena, tree, pos, "data", hl_study_node(reader->arena, pos, HL_YAML_MAPPING));
    struct hl_yaml *data = hl_yaml_get(tree, "data");
    if (data->kind == HL_YAML_MAPPING)
        hl_study_put(reader->arena, data, pos, "file", file);
}

static bool is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISDIR(s.st_mode);
}

/* "; did you mean 'events.csv'?" among the tables beside the path. */
static const char *near_file(struct hl_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/'), **name = NULL;
    size_t n = 0, capacity = 0, size = strlen(path) + 64;
    DIR *folder = opendir(slash ? hl_arena_strndup(arena, path, (size_t)(slash - path) + 1) : ".");
    for (const struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        name = hl_arena_push(arena, name, n, &capacity, sizeof *name);
        name[n++] = hl_arena_strdup(arena, entry->d_name);
    }
    if (folder)
        closedir(folder);
    char *hint = hl_arena_alloc(arena, size + 256, 1);
    hl_text_did_you_mean(slash ? slash + 1 : path, name, n, hint, size + 256);
    return hint;
}

/* A data set is looked for beside the study, then where the user stands; that of --data only there. */
static void find_file(struct hl_study_reader *reader, struct hl_yaml *file)
{
    const char *where = "looked for in the current directory";
    if (file->kind != HL_YAML_SCALAR || !*file->text)
        return; /* reported when data: is read */
    char *beside = hl_arena_printf(reader->arena, "%s/%s", reader->folder, file->text);
    bool may_move = file->text[0] != '/' && strcmp(reader->folder, ".") != 0 && !reader->options->data;
    if (may_move && is_file(beside))
        file->text = beside;
    if (is_file(file->text))
        return;
    if (may_move)
        where = "looked for beside the study and in the current directory";
    const char *hint = near_file(reader->arena, may_move ? beside : file->text);
    hl_diag_error(reader->diag, file->pos, "there is no data set '%s'%s (%s)", file->text, hint,
                  file->text[0] == '/' ? "an absolute path" : where);
}

/* ---- what a data set puts aside */

static void leave_out_questions(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    static const struct {
        const char *word, *are, *they_are;
    } aside[] = {{"metrics", "are", "they are"}, {"thresholds", "are", "they are"}, {"quantiles", "are", "they are"},
                 {"adherence", "is", "it is"}};
    if (hl_yaml_get(tree, "times"))
        hl_diag_note(reader->diag, key_pos(tree, "times"),
                     "times: aren't used with a data set: every record is a row of the result");
    hl_study_remove(tree, "times");
    for (size_t i = 0; i < sizeof aside / sizeof *aside; i++) {
        const struct hl_yaml *node = hl_yaml_get(tree, aside[i].word);
        if (node && (node->n || node->kind == HL_YAML_SCALAR))
            hl_diag_warning(reader->diag, key_pos(tree, aside[i].word),
                            "%s: %s for prescriptions; with a data set %s left out", aside[i].word, aside[i].are,
                            aside[i].they_are);
        hl_study_remove(tree, aside[i].word);
    }
}

static void leave_out_subjects(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    struct hl_yaml *cohort = hl_yaml_get(tree, "cohort");
    if (!hl_yaml_get(cohort, "subjects"))
        return;
    hl_diag_note(reader->diag, key_pos(cohort, "subjects"),
                 "the number of subjects isn't used: the data set says who is there");
    hl_study_remove(cohort, "subjects");
}

static bool is_none(const struct hl_yaml *node)
{
    return node->kind == HL_YAML_SCALAR && strcmp(node->text, "none") == 0;
}

/* What makes an arm of a data set differ from another; unknown keys too, so that they are reported. */
static const char *own_words(struct hl_arena *arena, const struct hl_yaml *arm)
{
    const char *words = "";
    for (size_t i = 0; arm->kind == HL_YAML_MAPPING && i < arm->n; i++)
        if (strcmp(arm->key[i]->text, "name") != 0 && strcmp(arm->key[i]->text, "label") != 0)
            words =
                hl_arena_printf(arena, "%s%s: %s\n", words, arm->key[i]->text, hl_yaml_to_text(arena, arm->item[i]));
    return words;
}

/* An arm without the keys of its drugs and what people make of them; *dropped when one of them said something. */
static struct hl_yaml *without_prescriptions(struct hl_study_reader *reader, const struct hl_yaml *tree,
                                             struct hl_yaml *arm, bool *dropped)
{
    const struct hl_yaml *drugs = hl_yaml_get(tree, "drugs");
    *dropped = false;
    for (size_t i = 0; drugs && drugs->kind == HL_YAML_MAPPING && i < drugs->n; i++) {
        const struct hl_yaml *own = hl_yaml_get(arm, drugs->key[i]->text);
        *dropped = *dropped || (own && !is_none(own));
        if (own)
            hl_study_remove(arm, drugs->key[i]->text);
    }
    *dropped = *dropped || hl_yaml_get(arm, "adherence");
    hl_study_remove(arm, "adherence");
    if (*dropped && !*own_words(reader->arena, arm))
        hl_study_put(reader->arena, arm, arm->pos, "name", hl_study_scalar(reader->arena, arm->pos, "data"));
    return arm;
}

/* Keeps of the arms those that differ in more than what they prescribe. */
static void thin_arms(struct hl_study_reader *reader, struct hl_yaml *tree, struct hl_yaml *arms)
{
    const char **words = hl_arena_alloc(reader->arena, arms->n, sizeof *words);
    size_t kept = 0, emptied = 0, all = arms->n;
    for (size_t i = 0; i < all; i++) {
        bool dropped = false, known = false;
        struct hl_yaml *arm = arms->item[i];
        if (arm->kind == HL_YAML_MAPPING)
            arm = without_prescriptions(reader, tree, arm, &dropped);
        emptied += dropped;
        const char *own = own_words(reader->arena, arm);
        for (size_t k = 0; k < kept; k++)
            known = known || (arm->kind == HL_YAML_MAPPING && strcmp(words[k], own) == 0);
        if (known)
            continue;
        arms->item[kept] = arm;
        words[kept++] = own;
    }
    arms->n = kept;
    if (emptied)
        hl_diag_note(reader->diag, key_pos(tree, "arms"),
                     "what is prescribed in arms isn't used: the data set says what is given%s",
                     kept < all ? "; arms that differ in nothing else are one" : "");
}

static void settle_arms(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    struct hl_yaml *arms = hl_yaml_get(tree, "arms");
    if (arms && arms->kind == HL_YAML_SEQUENCE)
        thin_arms(reader, tree, arms);
    if (arms)
        return;
    struct hl_yaml *arm = hl_study_node(reader->arena, tree->pos, HL_YAML_MAPPING);
    hl_study_put(reader->arena, arm, tree->pos, "name", hl_study_scalar(reader->arena, tree->pos, "data"));
    arms = hl_study_node(reader->arena, tree->pos, HL_YAML_SEQUENCE);
    hl_study_append(reader->arena, arms, arm);
    hl_study_put(reader->arena, tree, tree->pos, "arms", arms);
    hl_study_mark_default(reader, tree, "arms");
}

void hl_study_settle_data(struct hl_study_reader *reader, struct hl_yaml *tree)
{
    const struct hl_yaml *data = hl_yaml_get(tree, "data");
    if (!data)
        return;
    struct hl_yaml *file = hl_yaml_get(data, "file");
    if (file)
        find_file(reader, file);
    leave_out_questions(reader, tree);
    leave_out_subjects(reader, tree);
    settle_arms(reader, tree);
}

/* ---- columns */

enum item_unit { NO_UNIT, TIME_UNIT, AMOUNT_UNIT, RATE_UNIT, ANY_UNIT };

/* The items of a data set, and what unit their column may have. */
static const struct {
    const char *name;
    enum item_unit unit;
} items[] = {{"ID", NO_UNIT},   {"TIME", TIME_UNIT},  {"DATE", NO_UNIT},   {"DAT1", NO_UNIT},  {"DAT2", NO_UNIT},
             {"DAT3", NO_UNIT}, {"AMT", AMOUNT_UNIT}, {"RATE", RATE_UNIT}, {"DUR", TIME_UNIT}, {"EVID", NO_UNIT},
             {"MDV", NO_UNIT},  {"CMT", NO_UNIT},     {"ADDL", NO_UNIT},   {"II", TIME_UNIT},  {"SS", NO_UNIT},
             {"DV", ANY_UNIT},  {"DVID", NO_UNIT},    {"OCC", NO_UNIT},    {"C", NO_UNIT}};

#define N_ITEMS (sizeof items / sizeof *items)

/* One line under columns: while it is read. */
struct line {
    struct hl_study_reader *reader;
    const struct hl_system *system; /* or NULL */
    const struct hl_yaml *key;
    int item;      /* or -1 */
    int covariate; /* of the system, or -1 */
    struct hl_data_column *column;
};

static int find_covariate(const struct hl_system *system, const char *name)
{
    for (size_t i = 0; system && i < system->n_covariates; i++)
        if (strcasecmp(system->covariate[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* What a line is about; false after a message. */
static bool find_item(struct line *line)
{
    struct hl_arena *arena = line->reader->arena;
    size_t n = 0, most = N_ITEMS + (line->system ? line->system->n_covariates : 0);
    const char **name = hl_arena_alloc(arena, most, sizeof *name);
    char hint[256];
    line->item = -1;
    for (size_t i = 0; i < N_ITEMS; i++) {
        name[n++] = items[i].name;
        if (strcasecmp(items[i].name, line->key->text) == 0)
            line->item = (int)i;
    }
    for (size_t i = 0; line->system && i < line->system->n_covariates; i++)
        name[n++] = line->system->covariate[i].name;
    line->covariate = line->item < 0 ? find_covariate(line->system, line->key->text) : -1;
    line->column->item = line->item >= 0        ? items[line->item].name
                         : line->covariate >= 0 ? line->system->covariate[line->covariate].name
                                                : line->key->text;
    if (line->item >= 0 || line->covariate >= 0 || !line->system)
        return true;
    hl_diag_error(line->reader->diag, line->key->pos,
                  "'%s' is neither an item of data sets (ID, TIME, AMT, ...) nor a covariate of the models%s",
                  line->key->text, hl_text_did_you_mean(line->key->text, name, n, hint, sizeof hint));
    return false;
}

/* The molar mass of the only drug [mg/nmol]; 0 when there are several or it has none. */
static double molar_mass(const struct hl_system *system)
{
    double mass = 0.0;
    size_t drugs = 0;
    for (size_t i = 0; i < system->n_instances; i++)
        if (system->instance[i].is_drug) {
            mass = system->instance[i].model->molar_mass;
            drugs++;
        }
    return drugs == 1 ? mass : 0.0;
}

/* The unit in which a line's values are expected, or NULL when any will do. */
static const char *expected_unit(const struct line *line, struct hl_dim *dim)
{
    static const char *const unit[] = {[TIME_UNIT] = "h", [AMOUNT_UNIT] = "mg", [RATE_UNIT] = "mg/h"};
    if (line->covariate >= 0) {
        const struct hl_covariate *info = line->system->covariate[line->covariate].info;
        *dim = info->unit.dim;
        return info->unit_text && *info->unit_text ? info->unit_text : "1";
    }
    if (line->item < 0 || items[line->item].unit == ANY_UNIT)
        return NULL;
    *dim = hl_dim_of(unit[items[line->item].unit]);
    return unit[items[line->item].unit];
}

/* Moles become milligrams where one drug alone says how many. */
static bool weigh(const struct line *line, struct hl_unit *unit)
{
    struct hl_dim moles = hl_dim_of("nmol"), mass = hl_dim_of("mg");
    bool amount = line->item >= 0 && items[line->item].unit == AMOUNT_UNIT;
    bool rate = line->item >= 0 && items[line->item].unit == RATE_UNIT;
    if (rate) {
        moles = hl_dim_divide(moles, hl_dim_of("h"));
        mass = hl_dim_divide(mass, hl_dim_of("h"));
    }
    double factor = line->system ? molar_mass(line->system) : 0.0;
    if (!(amount || rate) || !hl_dim_equal(unit->dim, moles) || !(factor > 0.0))
        return false;
    unit->dim = mass;
    unit->factor *= factor;
    return true;
}

static bool has_no_unit(const struct line *line)
{
    if (line->covariate >= 0)
        return line->system->covariate[line->covariate].info->n_categories > 0;
    return line->item >= 0 && items[line->item].unit == NO_UNIT;
}

static void read_unit(struct line *line, const struct hl_yaml *node)
{
    struct hl_diag *diag = line->reader->diag;
    struct hl_data_column *column = line->column;
    const char *text = hl_yaml_text(node, "a unit such as mg", diag), *expected;
    char why[512], found[64];
    struct hl_dim dim;
    if (!text)
        return;
    if (has_no_unit(line))
        hl_diag_error(diag, node->pos, "%s has no unit; remove it", column->item);
    else if (!hl_unit_parse(text, &column->unit, why, sizeof why))
        hl_diag_error(diag, node->pos, "%s", why);
    else if ((expected = expected_unit(line, &dim)) != NULL && !hl_dim_equal(column->unit.dim, dim) &&
             !weigh(line, &column->unit))
        hl_diag_error(diag, node->pos, "%s: expected a unit such as %s, found '%s' [%s]%s", column->item, expected,
                      text, hl_dim_name(column->unit.dim, found, sizeof found),
                      hl_dim_equal(column->unit.dim, hl_dim_of("nmol"))
                          ? "; moles need a study of one drug whose model states its molar_mass"
                          : "");
    else
        column->unit_text = text;
}

/* AMT: dose, or WT: {column: weight, unit: kg}. */
static bool read_line(struct line *line, const struct hl_yaml *node)
{
    static const char *const keys[] = {"column", "unit"};
    struct hl_diag *diag = line->reader->diag;
    const struct hl_yaml *column = node->kind == HL_YAML_MAPPING ? hl_yaml_get(node, "column") : node;
    line->column->pos = line->key->pos;
    if (!find_item(line))
        return false;
    if (node->kind == HL_YAML_MAPPING &&
        !hl_yaml_check_keys(node, hl_arena_printf(line->reader->arena, "column %s", line->key->text), keys, 2, diag))
        return false;
    if (column)
        line->column->column = hl_yaml_text(column, "the name of a column", diag);
    if (column && line->column->column && !*line->column->column)
        hl_diag_error(diag, column->pos, "%s names no column", line->column->item);
    if (node->kind == HL_YAML_MAPPING && hl_yaml_get(node, "unit"))
        read_unit(line, hl_yaml_get(node, "unit"));
    return true;
}

static const char *header_of(const struct hl_data_column *column)
{
    return column->column ? column->column : column->item;
}

static void check_shared(struct hl_study_reader *reader, const struct hl_data_spec *spec,
                         const struct hl_data_column *last)
{
    for (size_t i = 0; i < spec->n_columns; i++) {
        const struct hl_data_column *other = &spec->column[i];
        if (strcmp(other->item, last->item) == 0)
            hl_diag_error(reader->diag, last->pos, "%s is given twice; keep one", last->item);
        else if (strcasecmp(header_of(other), header_of(last)) == 0)
            hl_diag_error(reader->diag, last->pos, "column '%s' can't be both %s and %s", header_of(last), other->item,
                          last->item);
    }
}

static void read_columns(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                         struct hl_data_spec *spec)
{
    if (!node)
        return;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos,
                      "columns: expected items with the columns they stand in; write {AMT: dose, WT: {column: weight, "
                      "unit: kg}}");
        return;
    }
    spec->column = hl_arena_alloc(reader->arena, node->n, sizeof *spec->column);
    for (size_t i = 0; i < node->n; i++) {
        struct line line = {
            .reader = reader, .system = system, .key = node->key[i], .column = &spec->column[spec->n_columns]};
        if (!read_line(&line, node->item[i]))
            continue;
        check_shared(reader, spec, line.column);
        spec->n_columns++;
    }
}

/* ---- covariates between records */

static const char *const rules[] = {"next", "previous", "interpolate"};

static bool read_rule(struct hl_study_reader *reader, const struct hl_yaml *node, enum hl_covariate_rule *rule)
{
    size_t index;
    if (!hl_study_read_choice(reader, node, "rule for covariates", rules, 3, &index))
        return false;
    *rule = (enum hl_covariate_rule)index;
    return true;
}

/* The rule of every covariate that has none of its own; between categories there is nothing to interpolate. */
static void set_rules(const struct hl_system *system, struct hl_data_spec *spec, enum hl_covariate_rule rule)
{
    for (size_t i = 0; system && i < system->n_covariates; i++) {
        bool classes = system->covariate[i].info->n_categories > 0;
        spec->rule[i] = classes && rule == HL_COVARIATE_INTERPOLATE ? HL_COVARIATE_NEXT : rule;
    }
}

static void read_own_rule(struct hl_study_reader *reader, const struct hl_yaml *key, const struct hl_yaml *node,
                          const struct hl_system *system, struct hl_data_spec *spec)
{
    enum hl_covariate_rule rule;
    char hint[256];
    int covariate = find_covariate(system, key->text);
    if (!read_rule(reader, node, &rule) || !system)
        return;
    if (covariate < 0) {
        const char **name = hl_arena_alloc(reader->arena, system->n_covariates + 1, sizeof *name);
        name[0] = "default";
        for (size_t i = 0; i < system->n_covariates; i++)
            name[i + 1] = system->covariate[i].name;
        hl_diag_error(reader->diag, key->pos, "no model has a covariate '%s'%s", key->text,
                      hl_text_did_you_mean(key->text, name, system->n_covariates + 1, hint, sizeof hint));
    } else if (rule == HL_COVARIATE_INTERPOLATE && system->covariate[covariate].info->n_categories)
        hl_diag_error(reader->diag, node->pos, "%s has categories, which can't be interpolated; write next or previous",
                      system->covariate[covariate].name);
    else
        spec->rule[covariate] = rule;
}

static void read_rules(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                       struct hl_data_spec *spec)
{
    enum hl_covariate_rule rule = HL_COVARIATE_NEXT;
    spec->rule = hl_arena_alloc(reader->arena, system ? system->n_covariates : 0, sizeof *spec->rule);
    const struct hl_yaml *common = node && node->kind == HL_YAML_MAPPING ? hl_yaml_get(node, "default") : node;
    if (common)
        read_rule(reader, common, &rule);
    set_rules(system, spec, rule);
    for (size_t i = 0; node && node->kind == HL_YAML_MAPPING && i < node->n; i++)
        if (strcmp(node->key[i]->text, "default") != 0)
            read_own_rule(reader, node->key[i], node->item[i], system, spec);
}

/* ---- the rest */

bool hl_study_read_scales(struct hl_study_reader *reader, const struct hl_yaml *node, bool *rate)
{
    static const char *const words[] = {"duration", "rate"};
    size_t index;
    if (!hl_study_read_choice(reader, node, "bioavailability_scales", words, 2, &index))
        return false;
    *rate = index == 1;
    return true;
}

static void read_missing(struct hl_study_reader *reader, const struct hl_yaml *node, struct hl_data_spec *spec)
{
    size_t n;
    struct hl_yaml **item = hl_study_items(reader->arena, node, &n);
    spec->missing = hl_arena_alloc(reader->arena, n, sizeof *spec->missing);
    for (size_t i = 0; i < n; i++) {
        const char *text = hl_yaml_text(item[i], "a text that means missing, such as NA", reader->diag);
        if (text)
            spec->missing[spec->n_missing++] = text;
    }
}

/* A row that starts with a letter, a digit, a dot or a separator may be data. */
static void read_ignore(struct hl_study_reader *reader, const struct hl_yaml *node, struct hl_data_spec *spec)
{
    const char *text = node ? hl_yaml_text(node, "characters such as \"#@\"", reader->diag) : NULL;
    if (!text)
        return;
    for (const char *c = text; *c; c++)
        if ((*c >= '0' && *c <= '9') || strchr(".,;+-\t ", *c)) {
            hl_diag_error(reader->diag, node->pos,
                          "ignore: '%c' may start a row of data; write characters that mark rows to leave out, such as "
                          "\"#\"",
                          *c);
            return;
        }
    spec->ignore = text; /* "": every row counts */
}

/* The number a line under observe: speaks of: a whole number above 0, or a compartment's own; 0 after a message. */
static int observed_number(struct hl_study_reader *reader, const struct hl_yaml *key, const struct hl_system *system)
{
    uint64_t number;
    char hint[256];
    size_t n = system ? system->n_compartments : 0;
    const char **name = hl_arena_alloc(reader->arena, 2 * n, sizeof *name);
    if (hl_text_integer(key->text, &number) && number > 0 && number <= MOST_NUMBER)
        return (int)number;
    for (size_t i = 0; i < n; i++) {
        const char *dot = strchr(system->compartment[i].name, '.');
        name[i] = system->compartment[i].name;
        name[n + i] = dot ? dot + 1 : name[i];
        if (strcasecmp(name[i], key->text) == 0 || strcasecmp(name[n + i], key->text) == 0)
            return (int)i + 1;
    }
    hl_diag_error(reader->diag, key->pos,
                  "observe: expected the number of a CMT or DVID, or a compartment's name, found '%s'%s", key->text,
                  hl_text_did_you_mean(key->text, name, 2 * n, hint, sizeof hint));
    return 0;
}

static void read_observe(struct hl_study_reader *reader, const struct hl_yaml *node, const struct hl_system *system,
                         struct hl_data_spec *spec)
{
    if (!node)
        return;
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(reader->diag, node->pos,
                      "observe: expected numbers of CMT or DVID with outputs; write {1: clonazepam.Cp}");
        return;
    }
    spec->shown = hl_arena_alloc(reader->arena, node->n, sizeof *spec->shown);
    for (size_t i = 0; i < node->n; i++) {
        int number = observed_number(reader, node->key[i], system);
        int place = hl_study_need_output(reader, node->item[i], system);
        for (size_t k = 0; number && k < spec->n_shown; k++)
            if (spec->shown[k].number == number) {
                hl_diag_error(reader->diag, node->key[i]->pos, "observe: %d stands here twice; keep one", number);
                number = 0;
            }
        if (number && place >= 0)
            spec->shown[spec->n_shown++] = (struct hl_data_shown){
                .number = number, .output = reader->study->output[place], .pos = node->key[i]->pos};
    }
}

void hl_study_read_data(struct hl_study_reader *reader, const struct hl_yaml *tree, const struct hl_system *system)
{
    static const char *const keys[] = {"file",    "columns", "covariates", "bioavailability_scales",
                                       "missing", "ignore",  "observe"};
    const struct hl_yaml *node = hl_yaml_get(tree, "data"), *scales;
    if (!node)
        return;
    struct hl_data_spec *spec = hl_arena_alloc(reader->arena, 1, sizeof *spec);
    reader->study->data = spec;
    spec->path = "";
    spec->pos = node->pos;
    if (!hl_yaml_check_keys(node, "a data set", keys, sizeof keys / sizeof *keys, reader->diag) &&
        node->kind != HL_YAML_MAPPING)
        return;
    const struct hl_yaml *file = hl_yaml_get(node, "file");
    const char *path = file ? hl_yaml_text(file, "the name of a CSV file", reader->diag) : NULL;
    if (path && *path) {
        spec->path = path;
        spec->pos = file->pos;
    } else if (!file || path)
        hl_diag_error(reader->diag, file ? file->pos : node->pos, "a data set needs a file; write data: events.csv");
    read_columns(reader, hl_yaml_get(node, "columns"), system, spec);
    read_rules(reader, hl_yaml_get(node, "covariates"), system, spec);
    spec->rule_stated = hl_yaml_get(node, "covariates") && !hl_study_is_default(tree, "data.covariates");
    if ((scales = hl_yaml_get(node, "bioavailability_scales")) != NULL)
        hl_study_read_scales(reader, scales, &spec->scales_rate);
    read_missing(reader, hl_yaml_get(node, "missing"), spec);
    read_ignore(reader, hl_yaml_get(node, "ignore"), spec);
    read_observe(reader, hl_yaml_get(node, "observe"), system, spec);
}
