/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A calendar as text of at most 100 columns, for a terminal or a letter: a line per day, with a column for every time
 * of day where they fit side by side and a line per dose where they don't; a heading where a level begins. After it
 * what to fetch. The warning stands above and below. */
#include <inttypes.h>
#include <string.h>

#include "taper/calendar.h"

#define WIDE         100
#define MOST_COLUMNS 8
#define GAP          2

/* One time of day of one drug; minute -1: patches and infusions, which come at any time. */
struct column { size_t drug; int minute; const char *name; int width; };

struct table {
    struct hl_arena *arena;
    const struct hl_calendar *calendar;
    FILE *stream;
    size_t n; struct column column[MOST_COLUMNS];
    bool side_by_side;
    int day_width;
};

static const char *clock_text(struct hl_arena *arena, int minute)
{
    return hl_arena_printf(arena, "%02d:%02d", minute / 60, minute % 60);
}

static const struct hl_calendar_entry *entry_of(const struct hl_calendar *c, long day, size_t drug)
{
    return &c->entry[(size_t)day * c->n_drugs + drug];
}

/* ---- Columns. */

static int column_minute(const struct hl_calendar_take *take)
{
    return take->kind == HL_CALENDAR_DOSE ? take->minute : -1;
}

static struct column *find_column(struct table *t, const struct hl_calendar_take *take)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->column[i].drug == take->drug && t->column[i].minute == column_minute(take))
            return &t->column[i];
    if (t->n == MOST_COLUMNS)
        return NULL;
    struct column *new = &t->column[t->n++];
    *new = (struct column){.drug = take->drug, .minute = column_minute(take)};
    const char *clock = clock_text(t->arena, take->minute), *drug = t->calendar->drug[take->drug].name;
    new->name = new->minute < 0 ? "" : hl_arena_printf(t->arena, "%s %s", take->name, clock);
    if (t->calendar->n_drugs > 1)
        new->name = hl_arena_printf(t->arena, "%s%s%s", drug, *new->name ? ", " : "", new->name);
    new->width = (int)strlen(new->name);
    return new;
}

static const char *cell_text(const struct table *t, const struct hl_calendar_take *take)
{
    const char *what = hl_calendar_take_text(t->arena, t->calendar, take, false);
    return column_minute(take) < 0 ? hl_arena_printf(t->arena, "%s %s", clock_text(t->arena, take->minute), what)
                                   : what;
}

static int column_order(const struct column *a, const struct column *b)
{
    return a->minute != b->minute ? a->minute - b->minute : (int)a->drug - (int)b->drug;
}

static void sort_columns(struct table *t)
{
    for (size_t i = 1; i < t->n; i++)
        for (size_t j = i; j > 0 && column_order(&t->column[j], &t->column[j - 1]) < 0; j--) {
            struct column swap = t->column[j];
            t->column[j] = t->column[j - 1];
            t->column[j - 1] = swap;
        }
}

#define TOTAL_WIDTH 11

/* Whether everything of a day fits on one line. */
static void plan_columns(struct table *t)
{
    const struct hl_calendar *c = t->calendar;
    int wide = 2 + t->day_width + (int)c->n_drugs * (TOTAL_WIDTH + GAP);
    t->side_by_side = true;
    for (size_t i = 0; i < c->n_takes && t->side_by_side; i++) {
        struct column *column = find_column(t, &c->take[i]);
        int n = (int)strlen(cell_text(t, &c->take[i]));
        t->side_by_side = column != NULL;
        if (column && n > column->width)
            column->width = n;
    }
    for (size_t i = 0; i < t->n; i++)
        wide += GAP + t->column[i].width;
    t->side_by_side = t->side_by_side && wide <= WIDE;
    sort_columns(t);
}

/* ---- Lines. */

/* Columns and totals above them; each drug's total by its name where there are several. */
static void print_heading(struct table *t)
{
    fprintf(t->stream, "\n%*s", 2 + t->day_width, "");
    for (size_t i = 0; i < t->n; i++)
        fprintf(t->stream, "%*s%-*s", GAP, "", t->column[i].width, t->column[i].name);
    for (size_t d = 0; d < t->calendar->n_drugs; d++)
        fprintf(t->stream, "%*s%*.*s", GAP, "", TOTAL_WIDTH, TOTAL_WIDTH,
                t->calendar->n_drugs > 1 ? t->calendar->drug[d].name : "total");
    putc('\n', t->stream);
}

static const char *total_text(const struct table *t, long day, size_t drug)
{
    const struct hl_calendar_entry *entry = entry_of(t->calendar, day, drug);
    bool is_rate = entry->level >= 0 && t->calendar->level[entry->level].is_rate;
    if (entry->level < 0 && !(entry->total > 0))
        return "none";
    return hl_calendar_amount_text(t->arena, &t->calendar->drug[drug], entry->total, is_rate);
}

static void print_totals(struct table *t, long day)
{
    for (size_t d = 0; d < t->calendar->n_drugs; d++)
        fprintf(t->stream, "%*s%*s", GAP, "", TOTAL_WIDTH, total_text(t, day, d));
    putc('\n', t->stream);
}

static void print_side_by_side(struct table *t, long day)
{
    const struct hl_calendar *c = t->calendar;
    for (size_t i = 0; i < t->n; i++) {
        const char *text = "-";
        for (size_t k = c->first_take[day]; k < c->first_take[day + 1]; k++)
            if (c->take[k].drug == t->column[i].drug && column_minute(&c->take[k]) == t->column[i].minute)
                text = cell_text(t, &c->take[k]);
        fprintf(t->stream, "%*s%-*s", GAP, "", t->column[i].width, text);
    }
    print_totals(t, day);
}

/* A line per dose; the totals on the first one. */
static void print_one_by_one(struct table *t, long day)
{
    const struct hl_calendar *c = t->calendar;
    size_t first = c->first_take[day], end = c->first_take[day + 1];
    int wide = WIDE - 2 - t->day_width - GAP - (int)c->n_drugs * (TOTAL_WIDTH + GAP);
    for (size_t k = first; k < end; k++) {
        const struct hl_calendar_take *take = &c->take[k];
        const char *drug = c->n_drugs > 1 ? c->drug[take->drug].name : "", *gap = c->n_drugs > 1 ? " " : "";
        const char *line = hl_arena_printf(t->arena, "%s %-9s %s%s%s", clock_text(t->arena, take->minute), take->name,
                                           drug, gap, hl_calendar_take_text(t->arena, c, take, false));
        if (k > first)
            fprintf(t->stream, "%*s", 2 + t->day_width, "");
        if (k > first) {
            fprintf(t->stream, "%*s%s\n", GAP, "", line);
            continue;
        }
        fprintf(t->stream, "%*s%-*s", GAP, "", wide, line);
        print_totals(t, day);
    }
    if (first == end) {
        fprintf(t->stream, "%*s%-*s", GAP, "", wide, "-");
        print_totals(t, day);
    }
}

/* How many levels a drug has. */
static size_t levels_of(const struct hl_calendar *c, size_t drug)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_levels; i++)
        n += c->level[i].drug == drug;
    return n;
}

/* "== level 2 of 7: 1.5 mg a day for 14 days" */
static bool print_changes(struct table *t, long day)
{
    const struct hl_calendar *c = t->calendar;
    bool any = false;
    for (size_t d = 0; d < c->n_drugs; d++) {
        const struct hl_calendar_entry *entry = entry_of(c, day, d);
        const char *name = c->n_drugs > 1 ? c->drug[d].name : "", *gap = c->n_drugs > 1 ? " " : "";
        bool ends = entry->level < 0 && day > 0 && entry_of(c, day - 1, d)->level >= 0;
        if (entry->changes) {
            const struct hl_calendar_level *level = &c->level[entry->level];
            fprintf(t->stream, "%s== %s%slevel %zu of %zu: %s%s, %ld day%s\n", any ? "" : "\n", name, gap,
                    level->number, levels_of(c, d),
                    hl_calendar_amount_text(t->arena, &c->drug[d], level->daily, level->is_rate),
                    level->is_rate ? "" : " a day", level->n_days, level->n_days == 1 ? "" : "s");
        } else if (ends) {
            fprintf(t->stream, "%s== %s%sno dose\n", any ? "" : "\n", name, gap);
        }
        any = any || entry->changes || ends;
    }
    return any;
}

static void print_days(struct table *t)
{
    const struct hl_calendar *c = t->calendar;
    if (t->side_by_side)
        print_heading(t);
    for (long day = 0; day < c->n_days; day++) {
        bool changes = print_changes(t, day);
        fprintf(t->stream, "%c %-*s", changes ? '>' : ' ', t->day_width, hl_calendar_day_text(t->arena, c, day));
        if (t->side_by_side)
            print_side_by_side(t, day);
        else
            print_one_by_one(t, day);
    }
    bool over = true; /* what is taken off on the last day has said so already */
    for (size_t d = 0; d < c->n_drugs; d++)
        over = over && entry_of(c, c->n_days - 1, d)->level < 0;
    if (!over)
        fprintf(t->stream, "\n== no dose from %s on\n", hl_calendar_day_text(t->arena, c, c->n_days));
}

/* ---- What to fetch. */

static bool is_solid(const struct hl_product *product)
{
    return !product->measured;
}

/* What a number of a product is called on its own line: "tablets of 0.5 mg". */
static void print_product(struct table *t, size_t d, size_t p)
{
    const struct hl_calendar *c = t->calendar;
    const struct hl_product *product = &c->drug[d].product[p];
    long used = hl_calendar_count(c, d, p, 0, c->n_days), whole = hl_calendar_whole(c, d, p, 0, c->n_days);
    long left = whole * product->pieces - used;
    fprintf(t->stream, "  %s: %s used", hl_calendar_product_text(t->arena, &c->drug[d], p),
            hl_calendar_number_text(t->arena, used, product->pieces, false));
    if (is_solid(product) && product->pieces > 1)
        fprintf(t->stream, ", so %ld whole ones (%s left)", whole,
                left ? hl_calendar_number_text(t->arena, left, product->pieces, false) : "nothing");
    putc('\n', t->stream);
    for (size_t m = 0;; m++) {
        long first, n;
        if (!hl_calendar_month(c, m, &first, &n))
            break;
        fprintf(t->stream, "    %-16s %5ld\n", hl_calendar_month_text(t->arena, c, m),
                hl_calendar_whole(c, d, p, first, n));
    }
}

static void print_amounts(struct table *t, size_t d)
{
    const struct hl_calendar *c = t->calendar;
    for (size_t m = 0;; m++) {
        long first, n;
        if (!hl_calendar_month(c, m, &first, &n))
            return;
        fprintf(t->stream, "    %-16s %s\n", hl_calendar_month_text(t->arena, c, m),
                hl_calendar_amount_text(t->arena, &c->drug[d], hl_calendar_amount(c, d, first, n), false));
    }
}

static bool has_patches(const struct hl_calendar_drug *drug)
{
    bool any = false;
    for (size_t p = 0; p < drug->n_products; p++)
        any = any || strcmp(drug->product[p].form, "patch") == 0;
    return any;
}

static void print_fetching(struct table *t)
{
    const struct hl_calendar *c = t->calendar;
    fprintf(t->stream, "\nTo fetch, by %s. Pieces left over are kept and used first.\n",
            c->options.dated ? "calendar month" : "28 days");
    for (size_t d = 0; d < c->n_drugs; d++) {
        double amount = hl_calendar_amount(c, d, 0, c->n_days);
        fprintf(t->stream, "%s", c->drug[d].name);
        if (amount > 0)
            fprintf(t->stream, ", %s in all%s", hl_calendar_amount_text(t->arena, &c->drug[d], amount, false),
                    has_patches(&c->drug[d]) ? " besides patches" : "");
        putc('\n', t->stream);
        for (size_t p = 0; p < c->drug[d].n_products; p++)
            if (hl_calendar_count(c, d, p, 0, c->n_days) > 0)
                print_product(t, d, p);
        if (c->drug[d].n_products == 0)
            print_amounts(t, d);
    }
}

static void print_warning(FILE *stream)
{
    fprintf(stream, "%s\n%s\n", HL_CALENDAR_WARNING, HL_CALENDAR_NEVER);
}

enum hl_status hl_calendar_write_text(const struct hl_calendar *calendar, FILE *stream)
{
    struct table t = {.arena = hl_arena_create(), .calendar = calendar, .stream = stream};
    if (!t.arena)
        return HL_ERR_MEMORY;
    t.day_width = (int)strlen(hl_calendar_day_text(t.arena, calendar, calendar->n_days));
    fprintf(stream, "%s\n%s\n\n", calendar->options.title, calendar->options.identity);
    print_warning(stream);
    plan_columns(&t);
    print_days(&t);
    print_fetching(&t);
    putc('\n', stream);
    print_warning(stream);
    hl_arena_free(t.arena);
    return ferror(stream) ? HL_ERR_IO : HL_OK;
}
