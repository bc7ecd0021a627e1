/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two results are compared the way a person would: first what was asked, then who was simulated, then the numbers. If
 * payload_sha256 is equal all numbers are, and that is said at once. Where shapes differ, the part both have is
 * compared: subject k is the same person in a cohort of any size.
 *
 * The relative deviation of x and y is |x - y| / max(|x|, |y|); a value that is missing in one of them only is counted
 * apart. Records are compared row by row, for both data sets have them in file order. Texts are compared by their
 * longest common subsequence of lines. */
#include "store/compare.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "store/export_records.h"

#define SLAB_VALUES ((uint64_t)1 << 20)
#define MOST_CELLS 25000000u /* of the table of common subsequences: 5000 lines against 5000 */

struct pair {
    struct hl_result *a, *b;
    const char *path_a, *path_b;
    FILE *stream;
    struct hl_diag *diag;
    bool same;
    bool set_apart;                             /* the heading of settings has been printed */
    size_t n_moved, capacity; const char **moved; /* scales whose values differ: what lies on them can't be compared */
};

/* ---- Texts. */

struct lines { size_t n; const char **line; };

static struct lines split(struct hl_arena *arena, const char *text)
{
    struct lines lines = {0, NULL};
    size_t capacity = 0;
    while (text && *text) {
        size_t n = strcspn(text, "\n");
        lines.line = hl_arena_push(arena, (void *)lines.line, lines.n, &capacity, sizeof *lines.line);
        lines.line[lines.n++] = hl_arena_strndup(arena, text, n);
        text += n + (text[n] == '\n');
    }
    return lines;
}

/* length[i * (nb + 1) + j]: lines common to a from i on and b from j on. */
static unsigned *common_lengths(const struct lines *a, const struct lines *b)
{
    size_t across = b->n + 1;
    unsigned *length = hl_alloc((a->n + 1) * across, sizeof *length);
    for (size_t i = a->n; length && i-- > 0;)
        for (size_t j = b->n; j-- > 0;) {
            unsigned down = length[(i + 1) * across + j], right = length[i * across + j + 1];
            length[i * across + j] = strcmp(a->line[i], b->line[j]) == 0 ? length[(i + 1) * across + j + 1] + 1
                                     : down > right ? down : right;
        }
    return length;
}

static void print_differing_lines(struct pair *p, const struct lines *a, const struct lines *b)
{
    size_t across = b->n + 1, i = 0, j = 0;
    unsigned *length = (a->n + 1) * across <= MOST_CELLS ? common_lengths(a, b) : NULL;
    if (!length)
        fprintf(p->stream, "    (too long to be compared line by line)\n");
    while (length && (i < a->n || j < b->n)) {
        if (i < a->n && j < b->n && strcmp(a->line[i], b->line[j]) == 0)
            i++, j++;
        else if (j >= b->n || (i < a->n && length[(i + 1) * across + j] >= length[i * across + j + 1]))
            fprintf(p->stream, "    - %s\n", a->line[i++]);
        else
            fprintf(p->stream, "    + %s\n", b->line[j++]);
    }
    hl_free(length);
}

static bool has_text(const struct hl_result *r, const char *name)
{
    for (size_t i = 0; i < r->n_texts; i++)
        if (strcmp(r->text_name[i], name) == 0)
            return true;
    return false;
}

/* Said once, before the first of them. */
static void settings_differ(struct pair *p)
{
    if (!p->set_apart)
        fprintf(p->stream, "settings that differ (- %s, + %s)\n", p->path_a, p->path_b);
    p->set_apart = true;
}

static void only_in(struct pair *p, const char *name, const char *path)
{
    settings_differ(p);
    fprintf(p->stream, "  %s: only in %s\n", name, path);
}

static void compare_text(struct pair *p, const char *name)
{
    const char *object = hl_arena_printf(p->a->arena, "/provenance/%s", name);
    const char *digest_a = hl_result_attribute(p->a, object, "sha256"),
               *digest_b = hl_result_attribute(p->b, object, "sha256");
    if (digest_a && digest_b && strcmp(digest_a, digest_b) == 0)
        return;
    struct lines a = split(p->a->arena, hl_result_attribute(p->a, object, "text"));
    struct lines b = split(p->b->arena, hl_result_attribute(p->b, object, "text"));
    settings_differ(p);
    fprintf(p->stream, "  text of %s\n", name);
    if (a.n == 0 && b.n == 0)
        fprintf(p->stream, "    - sha256 %s\n    + sha256 %s\n", digest_a ? digest_a : "none",
                digest_b ? digest_b : "none");
    print_differing_lines(p, &a, &b);
}

static void compare_texts(struct pair *p)
{
    for (size_t i = 0; i < p->a->n_texts; i++)
        if (has_text(p->b, p->a->text_name[i]))
            compare_text(p, p->a->text_name[i]);
        else
            only_in(p, p->a->text_name[i], p->path_a);
    for (size_t i = 0; i < p->b->n_texts; i++)
        if (!has_text(p->a, p->b->text_name[i]))
            only_in(p, p->b->text_name[i], p->path_b);
}

/* ---- Settings. */

static void compare_settings(struct pair *p)
{
    static const char *const names[] = {"title", "history", "source", "library_versions", "instruction_set",
                                        "schema_version", "study", "seed", "rng", "threads", "design", "solver",
                                        "covariate_rule", "bioavailability_scales", "status", "subjects_failed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *a = hl_result_attribute(p->a, NULL, names[i]), *b = hl_result_attribute(p->b, NULL, names[i]);
        if (strcmp(a ? a : "", b ? b : "") == 0)
            continue;
        settings_differ(p);
        fprintf(p->stream, "  %s\n    - %s\n    + %s\n", names[i], a ? a : "", b ? b : "");
    }
    compare_texts(p);
    if (p->a->n_subjects != p->b->n_subjects) {
        settings_differ(p);
        fprintf(p->stream, "  subjects\n    - %llu\n    + %llu\n", (unsigned long long)p->a->n_subjects,
                (unsigned long long)p->b->n_subjects);
    }
    if (!p->set_apart)
        fprintf(p->stream, "no settings differ\n");
}

static void compare_arm_names(struct pair *p)
{
    uint64_t n = p->a->n_arms > p->b->n_arms ? p->a->n_arms : p->b->n_arms;
    for (uint64_t i = 0; i < n; i++) {
        const char *a = i < p->a->n_arms ? p->a->arm_name[i] : "(none)",
                   *b = i < p->b->n_arms ? p->b->arm_name[i] : "(none)";
        if (strcmp(a, b) == 0)
            continue;
        fprintf(p->stream, "  arm %llu\n    - %s\n    + %s\n", (unsigned long long)i, a, b);
        p->same = false;
    }
}

/* ---- Numbers. */

struct deviation {
    double absolute, relative;
    uint64_t at[HL_MAX_RANK];  /* of the absolute one */
    double value_a, value_b;
    uint64_t one_missing;      /* values that only one of them has */
};

static void look(struct deviation *d, double a, double b, const uint64_t *at)
{
    if (isnan(a) || isnan(b)) {
        d->one_missing += isnan(a) != isnan(b);
        return;
    }
    if (a == b) /* exactly: equal infinities have no difference */
        return;
    double absolute = fabs(a - b), larger = fmax(fabs(a), fabs(b));
    if (absolute / larger > d->relative)
        d->relative = absolute / larger;
    if (absolute <= d->absolute)
        return;
    d->absolute = absolute;
    d->value_a = a;
    d->value_b = b;
    memcpy(d->at, at, sizeof d->at);
}

/* One slab: the first index of the shape at a time, or a piece of it in a table of one axis. */
static enum hl_status compare_slab(struct pair *p, const struct hl_result_variable *a,
                                   const struct hl_result_variable *b, const uint64_t *start, const uint64_t *count,
                                   struct deviation *d)
{
    uint64_t n = 1, at[HL_MAX_RANK] = {0};
    for (int i = 0; i < a->rank; i++)
        n *= count[i];
    double *x = hl_alloc((size_t)n, sizeof *x), *y = hl_alloc((size_t)n, sizeof *y);
    enum hl_status status = x && y ? hl_result_read(p->a, a, start, count, x, p->diag) : HL_ERR_MEMORY;
    if (status == HL_OK)
        status = hl_result_read(p->b, b, start, count, y, p->diag);
    for (uint64_t i = 0; status == HL_OK && i < n; i++) {
        uint64_t rest = i;
        for (int j = a->rank - 1; j >= 0; j--) {
            at[j] = start[j] + rest % count[j];
            rest /= count[j];
        }
        look(d, x[i], y[i], at);
    }
    hl_free(y);
    hl_free(x);
    return status;
}

/* All of what both have, in slabs along the first two axes. */
static enum hl_status compare_values(struct pair *p, const struct hl_result_variable *a,
                                     const struct hl_result_variable *b, struct deviation *d)
{
    uint64_t both[HL_MAX_RANK] = {1, 1, 1}, start[HL_MAX_RANK] = {0}, count[HL_MAX_RANK], step[2];
    for (int i = 0; i < a->rank; i++)
        both[i] = a->dims[i] < b->dims[i] ? a->dims[i] : b->dims[i];
    if (both[0] == 0 || both[1] == 0 || both[2] == 0)
        return HL_OK;
    step[1] = SLAB_VALUES / both[2] > 0 ? SLAB_VALUES / both[2] : 1;
    step[0] = SLAB_VALUES / (both[1] * both[2]) > 0 ? SLAB_VALUES / (both[1] * both[2]) : 1;
    count[2] = both[2];
    for (start[0] = 0; start[0] < both[0]; start[0] += step[0])
        for (start[1] = 0; start[1] < both[1]; start[1] += step[1]) {
            for (int i = 0; i < 2; i++)
                count[i] = both[i] - start[i] < step[i] ? both[i] - start[i] : step[i];
            enum hl_status status = compare_slab(p, a, b, start, count, d);
            if (status != HL_OK)
                return status;
        }
    return HL_OK;
}

/* The text of one value of a variable with one axis; NULL when it can't be read. */
static const char *value_at(const struct pair *p, const struct hl_result_variable *v, uint64_t at)
{
    const uint64_t one = 1;
    double value;
    char number[40];
    if (!v || hl_result_read(p->a, v, &at, &one, &value, p->diag) != HL_OK)
        return NULL;
    return hl_arena_strdup(p->a->arena, isnan(value) ? "." : hl_text_shortest(value, number, sizeof number));
}

/* " (ID 103, TIME 8.5, source_row 18)" of a record, whose number alone says little. */
static const char *record_named(const struct pair *p, uint64_t at)
{
    static const char *const names[] = {"ID", "TIME", "source_row"};
    const char *text = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = value_at(p, hl_records_column(p->a, names[i]), at);
        if (value)
            text = hl_arena_printf(p->a->arena, "%s%s%s %s", text, *text ? ", " : " (", names[i], value);
    }
    return *text ? hl_arena_printf(p->a->arena, "%s)", text) : "";
}

/* "arm 'eighths', subject 17, time 4.5". */
static const char *place(const struct pair *p, const struct hl_result_variable *v, const uint64_t *at)
{
    struct hl_arena *arena = p->a->arena;
    const char *text = "";
    for (int i = 0; i < v->rank; i++) {
        char number[40];
        const char *comma = i ? ", " : "";
        const struct hl_result_variable *scale =
            hl_result_at(p->a, hl_arena_printf(arena, "%s/%s", v->group, v->axis[i]));
        const char *value = value_at(p, scale, at[i]);
        if (strcmp(v->axis[i], "arm") == 0 && at[i] < p->a->n_arms)
            text = hl_arena_printf(arena, "%s%sarm '%s'", text, comma, p->a->arm_name[at[i]]);
        else
            text = hl_arena_printf(arena, "%s%s%s %s%s", text, comma, v->axis[i],
                                   value ? value : hl_text_shortest((double)at[i], number, sizeof number),
                                   strcmp(v->axis[i], "record") == 0 ? record_named(p, at[i]) : "");
    }
    return text;
}

static const char *shape_text(struct hl_arena *arena, const struct hl_result_variable *v)
{
    const char *text = "";
    for (int i = 0; i < v->rank; i++)
        text = hl_arena_printf(arena, "%s%s%s %llu", text, i ? ", " : "", v->axis[i], (unsigned long long)v->dims[i]);
    return text;
}

static bool same_axes(const struct hl_result_variable *a, const struct hl_result_variable *b)
{
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++)
        same = strcmp(a->axis[i], b->axis[i]) == 0;
    return same;
}

static void print_deviation(const struct pair *p, const struct hl_result_variable *v, const struct deviation *d)
{
    char a[40], b[40];
    bool has_unit = v->unit && strcmp(v->unit, "1") != 0;
    fprintf(p->stream, "  %s\n", v->path + 1);
    if (d->absolute > 0.0)
        fprintf(p->stream, "    largest deviation %.4g%s%s at %s: %s, %s\n    largest relative deviation %.3g\n",
                d->absolute, has_unit ? " " : "", has_unit ? v->unit : "", place(p, v, d->at),
                hl_text_shortest(d->value_a, a, sizeof a), hl_text_shortest(d->value_b, b, sizeof b), d->relative);
    if (d->one_missing > 0)
        fprintf(p->stream, "    values that only one of them has: %llu\n", (unsigned long long)d->one_missing);
}

/* The name of an axis whose scale isn't the same in both, or NULL: value number 7 belongs to another time then. */
static const char *moved_axis(const struct pair *p, const struct hl_result_variable *v)
{
    for (int i = 0; !v->is_scale && i < v->rank; i++)
        for (size_t k = 0; k < p->n_moved; k++)
            if (strcmp(p->moved[k], hl_arena_printf(p->a->arena, "%s/%s", v->group, v->axis[i])) == 0)
                return v->axis[i];
    return NULL;
}

static enum hl_status compare_variable(struct pair *p, const struct hl_result_variable *a,
                                       const struct hl_result_variable *b)
{
    struct deviation d = {0};
    struct hl_arena *arena = p->a->arena;
    if (a->type == HL_TEXT || b->type == HL_TEXT)
        return HL_OK;
    if (!same_axes(a, b)) {
        fprintf(p->stream, "  %s\n    (%s) and (%s): not comparable\n", a->path + 1, shape_text(arena, a),
                shape_text(arena, b));
        p->same = false;
        return HL_OK;
    }
    const char *moved = moved_axis(p, a);
    if (moved) {
        fprintf(p->stream, "  %s\n    not comparable: %s differs\n", a->path + 1, moved);
        p->same = false;
        return HL_OK;
    }
    enum hl_status status = compare_values(p, a, b, &d);
    if (a->is_scale && d.absolute > 0.0) {
        p->moved = hl_arena_push(arena, (void *)p->moved, p->n_moved, &p->capacity, sizeof *p->moved);
        p->moved[p->n_moved++] = a->path;
    }
    bool one_shape = true;
    for (int i = 0; i < a->rank; i++)
        one_shape = one_shape && a->dims[i] == b->dims[i];
    if (d.absolute > 0.0 || d.one_missing > 0)
        print_deviation(p, a, &d);
    else if (!one_shape)
        fprintf(p->stream, "  %s\n", a->path + 1);
    if (!one_shape)
        fprintf(p->stream, "    (%s) and (%s): %s where both have values\n", shape_text(arena, a),
                shape_text(arena, b), d.absolute > 0.0 || d.one_missing > 0 ? "compared" : "equal");
    p->same = p->same && one_shape && !(d.absolute > 0.0) && d.one_missing == 0;
    return status;
}

static enum hl_status compare_variables(struct pair *p)
{
    fprintf(p->stream, "values that differ\n");
    compare_arm_names(p);
    for (size_t i = 0; i < p->a->n_variables; i++) {
        const struct hl_result_variable *a = &p->a->variable[i], *b = hl_result_at(p->b, a->path);
        if (!b) {
            fprintf(p->stream, "  %s: only in %s\n", a->path + 1, p->path_a);
            p->same = false;
            continue;
        }
        enum hl_status status = compare_variable(p, a, b);
        if (status != HL_OK)
            return status;
    }
    for (size_t i = 0; i < p->b->n_variables; i++)
        if (!hl_result_at(p->a, p->b->variable[i].path)) {
            fprintf(p->stream, "  %s: only in %s\n", p->b->variable[i].path + 1, p->path_b);
            p->same = false;
        }
    return HL_OK;
}

enum hl_status hl_compare(const char *path_a, const char *path_b, FILE *stream, bool *same, struct hl_diag *diag)
{
    struct pair p = {.path_a = path_a, .path_b = path_b, .stream = stream, .diag = diag, .same = true};
    enum hl_status status = hl_result_open(path_a, &p.a, diag), other = hl_result_open(path_b, &p.b, diag);
    status = status == HL_OK ? other : status;
    if (status == HL_OK) {
        const char *a = hl_result_attribute(p.a, NULL, "payload_sha256"),
                   *b = hl_result_attribute(p.b, NULL, "payload_sha256");
        bool equal = a && b && strcmp(a, b) == 0;
        compare_settings(&p);
        if (equal)
            fprintf(stream, "all values are equal (payload_sha256 %.16s...)\n", a);
        else
            status = compare_variables(&p);
        if (!equal && p.same)
            fprintf(stream, "  none, though payload_sha256 differs (types or signs of zero)\n");
        p.same = p.same || equal;
    }
    if (status == HL_OK && same)
        *same = p.same;
    hl_result_close(p.a);
    hl_result_close(p.b);
    return status;
}
