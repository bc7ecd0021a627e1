/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A calendar as pages of A4 to print: first what is taken on which level and what to fetch, then a page per month (per
 * four weeks without dates) with a cell per day. A cell says date, total, and of what each dose is made; where a level
 * begins it is framed, tinted and says so in words. All months of a calendar have letters of one size, the largest at
 * which the fullest day fits. The warning stands at the foot of every page. */
#include <math.h>
#include <string.h>

#include "taper/calendar.h"
#include "taper/sheet.h"

/* The page, in mm. */
#define LEFT   14.0
#define WIDE   (HL_SHEET_WIDE - 2 * LEFT)
#define TOP    44.0  /* of the grid */
#define FOOT   263.0 /* where it ends */
#define DAYS   7
#define COLUMN (WIDE / DAYS)
#define PAD    1.6   /* inside a cell */
#define HIGHEST 43.0 /* a cell */

#define INK     0x111111
#define GREY    0x5F5F5F
#define RULE    0xB5B5B5
#define TINT    0xFFE9C2 /* where a level begins: orange of Okabe and Ito, pale */
#define FRAME   0xC05A00
#define NOTHING 0xF1F1F1
#define WARN    0xFFF6E5

#define MOST_LINES 64

static const struct hl_sheet_type small = {2.7, false, GREY}, usual = {3.6, false, INK}, strong = {3.6, true, INK},
                                  heading = {9, true, INK}, under = {4.2, false, GREY}, number = {6, true, INK},
                                  total = {4.2, true, INK}, what = {3.7, true, INK}, when = {2.8, false, GREY},
                                  news = {2.8, true, FRAME}, changed = {3.6, true, FRAME};

struct pages {
    struct hl_arena *arena;
    const struct hl_calendar *calendar;
    struct hl_sheet *sheet;
    double y;       /* of the summary: where the next line goes */
    double scale;   /* of the letters inside cells */
    bool narrow;    /* inside cells: the clock beside what is taken, not above it */
    bool joined;    /* on the summary: all doses of a day on one line */
};

/* ---- What every page carries. */

static const char *period_text(const struct pages *p)
{
    const struct hl_calendar *c = p->calendar;
    return hl_arena_printf(p->arena, "%s to %s, %ld days", hl_calendar_day_text(p->arena, c, 0),
                           hl_calendar_day_text(p->arena, c, c->n_days - 1), c->n_days);
}

static const char *drugs_text(const struct pages *p)
{
    const char *text = "";
    for (size_t d = 0; d < p->calendar->n_drugs; d++)
        text = hl_arena_printf(p->arena, "%s%s%s", text, d ? " + " : "", p->calendar->drug[d].name);
    return text;
}

/* Micrograms as packages write them. */
static const char *printed(struct hl_arena *arena, const char *words)
{
    const char *at = strstr(words, " ug");
    return at ? hl_arena_printf(arena, "%.*s µg%s", (int)(at - words), words, printed(arena, at + 3)) : words;
}

static void put(const struct pages *p, double x, double y, enum hl_sheet_side side, struct hl_sheet_type type,
                const char *words)
{
    hl_sheet_words(p->sheet, x, y, side, type, printed(p->arena, words));
}

static void begin_page(struct pages *p, const char *title, const char *right)
{
    hl_sheet_add_page(p->sheet);
    struct hl_sheet_type beside = hl_sheet_fit(right, under, WIDE * 0.5);
    double room = WIDE - hl_sheet_length(right, beside) - 6;
    put(p, LEFT, 24, HL_SHEET_LEFT, hl_sheet_fit(title, heading, room), title);
    put(p, LEFT + WIDE, 24, HL_SHEET_RIGHT, beside, right);
    hl_sheet_box(p->sheet, LEFT, 270, WIDE, 15, WARN, FRAME, 0.5);
    struct hl_sheet_type warning = {4.3, true, INK};
    put(p, LEFT + WIDE / 2, 276.2, HL_SHEET_MIDDLE, hl_sheet_fit(HL_CALENDAR_WARNING, warning, WIDE - 6),
        HL_CALENDAR_WARNING);
    put(p, LEFT + WIDE / 2, 282, HL_SHEET_MIDDLE, hl_sheet_fit(HL_CALENDAR_NEVER, warning, WIDE - 6),
        HL_CALENDAR_NEVER);
    const char *page = hl_arena_printf(p->arena, "page %zu", hl_sheet_pages(p->sheet));
    put(p, LEFT, 290, HL_SHEET_LEFT, hl_sheet_fit(p->calendar->options.identity, small, WIDE - 25),
        p->calendar->options.identity);
    put(p, LEFT + WIDE, 290, HL_SHEET_RIGHT, small, page);
}

/* ---- The summary: lines one below the other, on as many pages as it takes. */

static void begin_summary(struct pages *p)
{
    begin_page(p, p->calendar->options.title, drugs_text(p));
    put(p, LEFT, 33, HL_SHEET_LEFT, under, period_text(p));
    p->y = 40;
}

/* Goes down by a line; a new page where it doesn't fit. */
static bool next_line(struct pages *p, double high)
{
    p->y += high;
    if (p->y <= FOOT)
        return false;
    begin_summary(p);
    p->y += high;
    return true;
}

/* A heading, on a new page where it and what comes (of this height) don't fit but would there. */
static void put_section(struct pages *p, const char *text, double high)
{
    if (p->y + 9 + fmin(high, 200) > FOOT)
        begin_summary(p);
    next_line(p, 9);
    put(p, LEFT, p->y, HL_SHEET_LEFT, (struct hl_sheet_type){4.6, true, INK}, text);
    next_line(p, 1.5);
}

/* ", worn 72 h" of a patch. */
static const char *worn_text(const struct pages *p, const struct hl_calendar_take *take)
{
    bool worn = take->kind == HL_CALENDAR_PATCH && isfinite(take->hours);
    return worn ? hl_arena_printf(p->arena, ", worn %g h", take->hours) : "";
}

/* What is taken on a level's first whole day: "morning 08:00  1 × 0.5 mg" each. */
static size_t level_lines(const struct pages *p, const struct hl_calendar_level *level, const char *line[MOST_LINES])
{
    const struct hl_calendar *c = p->calendar;
    size_t n = 0, seen = 0;
    for (size_t i = level->first_take; seen < level->n_takes && n < MOST_LINES; i++) {
        const struct hl_calendar_take *take = &c->take[i];
        if (take->drug != level->drug || take->removal)
            continue;
        seen++;
        line[n++] = hl_arena_printf(p->arena, "%s %02d:%02d  %s%s", take->name, take->minute / 60, take->minute % 60,
                                    hl_calendar_take_text(p->arena, c, take, true), worn_text(p, take));
    }
    return n;
}

/* All lines as one. */
static const char *joined_lines(const struct pages *p, const char *line[MOST_LINES], size_t n)
{
    const char *text = n ? line[0] : "";
    for (size_t i = 1; i < n; i++)
        text = hl_arena_printf(p->arena, "%s   ·   %s", text, line[i]);
    return text;
}

#define AT_FROM  (LEFT + 12)
#define AT_DAYS  (LEFT + 58)
#define AT_TOTAL (LEFT + 82)
#define AT_WHAT  (LEFT + 88)

static void put_level_head(struct pages *p)
{
    next_line(p, 5);
    put(p, LEFT, p->y, HL_SHEET_LEFT, small, "level");
    put(p, AT_FROM, p->y, HL_SHEET_LEFT, small, "from");
    put(p, AT_DAYS, p->y, HL_SHEET_RIGHT, small, "days");
    put(p, AT_TOTAL, p->y, HL_SHEET_RIGHT, small, "in a day");
    put(p, AT_WHAT, p->y, HL_SHEET_LEFT, small, "each day");
    p->y += 1;
}

static void put_level(struct pages *p, const struct hl_calendar_level *level)
{
    const struct hl_calendar *c = p->calendar;
    const char *line[MOST_LINES];
    size_t n = level_lines(p, level, line);
    if (p->joined && n > 1) {
        line[0] = joined_lines(p, line, n);
        n = 1;
    }
    double high = n > 1 ? 5.0 * (double)n + 1 : 6;
    if (p->y + high > FOOT) {
        begin_summary(p);
        put_level_head(p);
    }
    hl_sheet_box(p->sheet, LEFT, p->y + 0.8, WIDE, 0.01, HL_SHEET_NONE, RULE, 0.15);
    double y = p->y + 5.2;
    put(p, LEFT, y, HL_SHEET_LEFT, strong, hl_arena_printf(p->arena, "%zu", level->number));
    put(p, AT_FROM, y, HL_SHEET_LEFT, usual, hl_calendar_day_text(p->arena, c, level->first_day));
    put(p, AT_DAYS, y, HL_SHEET_RIGHT, usual, hl_arena_printf(p->arena, "%ld", level->n_days));
    const char *daily = hl_calendar_amount_text(p->arena, &c->drug[level->drug], level->daily, level->is_rate);
    put(p, AT_TOTAL, y, HL_SHEET_RIGHT, hl_sheet_fit(daily, strong, AT_TOTAL - AT_DAYS - 3), daily);
    for (size_t i = 0; i < n; i++)
        put(p, AT_WHAT, y + 5.0 * (double)i, HL_SHEET_LEFT, hl_sheet_fit(line[i], usual, LEFT + WIDE - AT_WHAT),
            line[i]);
    p->y += high;
}

/* Whether each level of a drug has room for its doses on one line: then all have one. */
static bool can_join(const struct pages *p, size_t drug)
{
    const char *line[MOST_LINES];
    for (size_t i = 0; i < p->calendar->n_levels; i++) {
        const struct hl_calendar_level *level = &p->calendar->level[i];
        size_t n = level->drug == drug ? level_lines(p, level, line) : 0;
        if (hl_sheet_length(joined_lines(p, line, n), usual) > LEFT + WIDE - AT_WHAT)
            return false;
    }
    return true;
}

static void put_levels(struct pages *p, size_t drug)
{
    const struct hl_calendar *c = p->calendar;
    put_section(p, c->n_drugs > 1 ? hl_arena_printf(p->arena, "Levels of %s", c->drug[drug].name) : "Levels", 40);
    put_level_head(p);
    p->joined = can_join(p, drug);
    for (size_t i = 0; i < c->n_levels; i++)
        if (c->level[i].drug == drug)
            put_level(p, &c->level[i]);
}

/* ---- What to fetch: a row per month, a column per product. */

static const char *fetch_text(const struct pages *p, size_t drug, size_t product, long first, long n)
{
    return hl_arena_printf(p->arena, "%ld", hl_calendar_whole(p->calendar, drug, product, first, n));
}

static double fetch_column(const struct pages *p, size_t column, size_t n)
{
    (void)p;
    double wide = (WIDE - 45) / (double)(n > 3 ? n : 3);
    return LEFT + 45 + wide * (double)(column + 1);
}

static void put_fetch_row(struct pages *p, size_t drug, const char *label, long first, long n,
                          struct hl_sheet_type type)
{
    const struct hl_calendar *c = p->calendar;
    size_t n_products = c->drug[drug].n_products;
    next_line(p, 5.4);
    put(p, LEFT, p->y, HL_SHEET_LEFT, type, label);
    for (size_t k = 0; k < n_products; k++)
        put(p, fetch_column(p, k, n_products), p->y, HL_SHEET_RIGHT, type, fetch_text(p, drug, k, first, n));
    if (n_products == 0)
        put(p, fetch_column(p, 0, 1), p->y, HL_SHEET_RIGHT, type,
            hl_calendar_amount_text(p->arena, &c->drug[drug], hl_calendar_amount(c, drug, first, n), false));
}

/* "0.5 mg: 80 ½ used, so 81 whole, ½ left" */
static void put_used(struct pages *p, size_t drug)
{
    const struct hl_calendar *c = p->calendar;
    for (size_t k = 0; k < c->drug[drug].n_products; k++) {
        const struct hl_product *product = &c->drug[drug].product[k];
        long used = hl_calendar_count(c, drug, k, 0, c->n_days),
             left = hl_calendar_whole(c, drug, k, 0, c->n_days) * product->pieces - used;
        if (left == 0)
            continue;
        next_line(p, 5);
        put(p, LEFT, p->y, HL_SHEET_LEFT, usual,
            hl_arena_printf(p->arena, "%s: %s used, %s left over.",
                            hl_calendar_product_text(p->arena, &c->drug[drug], k),
                            hl_calendar_number_text(p->arena, used, product->pieces, true),
                            hl_calendar_number_text(p->arena, left, product->pieces, true)));
    }
}

static void put_fetching(struct pages *p, size_t drug)
{
    const struct hl_calendar *c = p->calendar;
    const struct hl_calendar_drug *d = &c->drug[drug];
    long first, n;
    size_t months = 0;
    while (hl_calendar_month(c, months, &first, &n))
        months++;
    put_section(p, hl_arena_printf(p->arena, "To fetch%s%s", c->n_drugs > 1 ? ": " : "", c->n_drugs > 1 ? d->name : ""),
                12 + 5.4 * (double)(months + 1 + d->n_products));
    next_line(p, 5);
    put(p, LEFT, p->y, HL_SHEET_LEFT, small, c->options.dated ? "month" : "four weeks");
    for (size_t k = 0; k < d->n_products; k++)
        put(p, fetch_column(p, k, d->n_products), p->y, HL_SHEET_RIGHT, small,
            hl_arena_printf(p->arena, "whole %s", hl_calendar_product_text(p->arena, d, k)));
    for (size_t m = 0; hl_calendar_month(c, m, &first, &n); m++)
        put_fetch_row(p, drug, hl_calendar_month_text(p->arena, c, m), first, n, usual);
    put_fetch_row(p, drug, "in all", 0, c->n_days, strong);
    put_used(p, drug);
}

/* ---- A cell. */

/* A line of a cell; beside: the clock to the left of it, or NULL; indent: where it begins, per unit of scale. */
struct line { const char *words; struct hl_sheet_type type; const char *beside; double indent; };

static struct hl_sheet_type scaled(struct hl_sheet_type type, double scale)
{
    type.size *= scale;
    return type;
}

#define CLOCK 8.2 /* room for a clock beside a dose */

/* "1 × 0.5 mg + 1 × 0.125 mg" on two lines where one is too long at this scale. */
static size_t break_line(const struct pages *p, const char *words, double scale, struct line *line, size_t room)
{
    double indent = p->narrow ? CLOCK : 0, wide = COLUMN - 2 * PAD - indent * scale;
    size_t n = 0;
    const char *plus;
    while (n + 1 < room && hl_sheet_length(words, scaled(what, scale)) > wide && (plus = strstr(words, " + "))) {
        line[n++] = (struct line){hl_arena_printf(p->arena, "%.*s +", (int)(plus - words), words), what, NULL, indent};
        words = plus + 3;
    }
    if (n < room)
        line[n++] = (struct line){words, what, NULL, indent};
    return n;
}

/* Of "put on 25 ug/h" how long the act before the amount is, with its space. */
static size_t act_length(const char *words)
{
    static const char *const acts[] = {"put on ", "infuse "};
    for (size_t i = 0; i < 2; i++)
        if (strncmp(words, acts[i], strlen(acts[i])) == 0)
            return strlen(acts[i]);
    return 0;
}

/* One dose: its clock and name, and below or beside them what is taken. */
static size_t take_lines(const struct pages *p, const struct hl_calendar_take *take, double scale, struct line *line,
                         size_t room)
{
    const char *clock = hl_arena_printf(p->arena, "%02d:%02d", take->minute / 60, take->minute % 60);
    size_t n = 0;
    const char *words = hl_calendar_take_text(p->arena, p->calendar, take, true);
    size_t act = p->narrow ? 0 : act_length(words); /* "put on" goes up to the clock, where there is room */
    if (room < 2)
        return 0;
    if (!p->narrow)
        line[n++] = (struct line){hl_arena_printf(p->arena, "%s %s%s%.*s", take->name, clock, act ? ", " : "",
                                                  act ? (int)act - 1 : 0, words), when, NULL, 0};
    n += break_line(p, words + act, scale, line + n, room - n);
    if (p->narrow)
        line[0].beside = clock;
    return n;
}

/* A drug's lines on one day. */
static size_t drug_lines(const struct pages *p, long day, size_t drug, double scale, struct line *line, size_t room)
{
    const struct hl_calendar *c = p->calendar;
    const struct hl_calendar_entry *entry = &c->entry[(size_t)day * c->n_drugs + drug];
    size_t n = 0;
    bool is_rate = entry->level >= 0 && c->level[entry->level].is_rate;
    if (room < 3)
        return 0;
    if (c->n_drugs > 1)
        line[n++] = (struct line){c->drug[drug].name, entry->changes ? changed : strong, NULL, 0};
    else if (entry->changes)
        line[n++] = (struct line){"new level", news, NULL, 0};
    for (size_t i = c->first_take[day]; i < c->first_take[day + 1]; i++)
        if (c->take[i].drug == drug)
            n += take_lines(p, &c->take[i], scale, line + n, room - n);
    if (entry->n_takes == 0 && n < room)
        line[n++] = (struct line){
            is_rate ? hl_arena_printf(p->arena, "%s goes on",
                                      hl_calendar_amount_text(p->arena, &c->drug[drug], entry->total, true))
                    : "no dose", when, NULL, 0};
    return n;
}

static size_t cell_lines(const struct pages *p, long day, double scale, struct line line[MOST_LINES])
{
    size_t n = 0;
    for (size_t d = 0; d < p->calendar->n_drugs; d++)
        n += drug_lines(p, day, d, scale, line + n, MOST_LINES - n);
    return n;
}

#define HEAD    8.0  /* of a cell: date and total */
#define LARGEST 1.25 /* scale of its letters */
#define LEAST   0.45

static double lines_high(const struct line *line, size_t n, double scale)
{
    double high = 0;
    for (size_t i = 0; i < n; i++)
        high += 1.22 * line[i].type.size * scale;
    return high;
}

/* Whether all of a day's lines fit a cell at this scale. */
static bool fits(const struct pages *p, long day, double scale, double high)
{
    struct line line[MOST_LINES];
    size_t n = cell_lines(p, day, scale, line);
    for (size_t i = 0; i < n; i++)
        if (hl_sheet_length(line[i].words, scaled(line[i].type, scale)) > COLUMN - 2 * PAD - line[i].indent * scale)
            return false;
    return n < MOST_LINES && HEAD + lines_high(line, n, scale) <= high - PAD;
}

/* The largest scale at which the fullest day fits. */
static double find_scale(const struct pages *p, double high)
{
    double scale = LARGEST;
    for (long day = 0; day < p->calendar->n_days; day++) {
        const struct hl_calendar_entry *entry = &p->calendar->entry[(size_t)day * p->calendar->n_drugs],
                                       *before = day > 0 ? entry - p->calendar->n_drugs : entry;
        bool news_today = day == 0, odd = false;
        for (size_t d = 0; d < p->calendar->n_drugs; d++) {
            news_today = news_today || entry[d].changes;
            odd = odd || entry[d].n_takes != before[d].n_takes;
        }
        while ((news_today || odd) && scale > LEAST && !fits(p, day, scale, high))
            scale -= 0.02;
    }
    return scale;
}

static bool changes_on(const struct hl_calendar *c, long day)
{
    bool changes = false;
    for (size_t d = 0; d < c->n_drugs; d++)
        changes = changes || c->entry[(size_t)day * c->n_drugs + d].changes;
    return changes;
}

/* At the right of the date: the day's total; of several drugs whether one of them changes. */
static const char *head_total(const struct pages *p, long day)
{
    const struct hl_calendar *c = p->calendar;
    const struct hl_calendar_entry *entry = &c->entry[(size_t)day * c->n_drugs];
    if (c->n_drugs > 1)
        return changes_on(c, day) ? "new level" : "";
    if (entry->level < 0 && !(entry->total > 0))
        return "";
    bool is_rate = entry->level >= 0 && c->level[entry->level].is_rate;
    return hl_calendar_amount_text(p->arena, &c->drug[0], entry->total, is_rate);
}

static void put_lines(struct pages *p, double x, double y, long day)
{
    struct line line[MOST_LINES];
    size_t n = cell_lines(p, day, p->scale, line);
    y += HEAD;
    for (size_t i = 0; i < n; i++) {
        struct hl_sheet_type type = scaled(line[i].type, p->scale);
        y += 1.22 * type.size;
        double indent = line[i].indent * p->scale;
        if (line[i].beside)
            put(p, x + PAD, y, HL_SHEET_LEFT, scaled(when, p->scale), line[i].beside);
        put(p, x + PAD + indent, y, HL_SHEET_LEFT, hl_sheet_fit(line[i].words, type, COLUMN - 2 * PAD - indent),
            line[i].words);
    }
}

/* The cell of one day of the calendar, before its start, or after its end. */
static void put_cell(struct pages *p, double x, double y, double high, long day, const char *name)
{
    const struct hl_calendar *c = p->calendar;
    bool inside = day >= 0 && day < c->n_days, changes = inside && changes_on(c, day), over = day >= c->n_days;
    struct hl_sheet_type type = number;
    if (!inside)
        type.colour = GREY;
    hl_sheet_box(p->sheet, x, y, COLUMN, high, changes ? TINT : over ? NOTHING : 0xFFFFFF, RULE, 0.25);
    if (changes)
        hl_sheet_box(p->sheet, x + 0.4, y + 0.4, COLUMN - 0.8, high - 0.8, HL_SHEET_NONE, FRAME, 0.8);
    put(p, x + PAD, y + 6.4, HL_SHEET_LEFT, type, name);
    if (over)
        put(p, x + COLUMN / 2, y + high / 2 + 1, HL_SHEET_MIDDLE, scaled(usual, 0.9), "no dose");
    if (!inside)
        return;
    const char *sum = head_total(p, day);
    put(p, x + COLUMN - PAD, y + 6.2, HL_SHEET_RIGHT,
        hl_sheet_fit(sum, total, COLUMN - 2 * PAD - hl_sheet_length(name, number) - 1.5), sum);
    put_lines(p, x, y, day);
}

/* ---- A month. */

/* The line below the grid: what to fetch in it. */
static void put_month_foot(struct pages *p, size_t m)
{
    const struct hl_calendar *c = p->calendar;
    long first, n;
    const char *text = "";
    (void)hl_calendar_month(c, m, &first, &n);
    for (size_t d = 0; d < c->n_drugs; d++)
        for (size_t k = 0; k < c->drug[d].n_products; k++) {
            long whole = hl_calendar_whole(c, d, k, first, n);
            if (whole > 0)
                text = hl_arena_printf(p->arena, "%s%s%ld × %s%s%s", text, *text ? "   ·   " : "", whole,
                                       c->n_drugs > 1 ? c->drug[d].name : "", c->n_drugs > 1 ? " " : "",
                                       hl_calendar_product_text(p->arena, &c->drug[d], k));
        }
    if (!*text)
        return;
    text = hl_arena_printf(p->arena, "To fetch for %s: %s", c->options.dated ? "this month" : "these four weeks", text);
    put(p, LEFT, FOOT + 4.6, HL_SHEET_LEFT, hl_sheet_fit(text, usual, WIDE), text);
}

static void put_weekdays(struct pages *p)
{
    for (int i = 0; i < DAYS; i++)
        put(p, LEFT + COLUMN * (i + 0.5), TOP - 2.2, HL_SHEET_MIDDLE, usual, hl_weekday_name(i));
}

/* A month's grid: from the week of its first day on the calendar to its last day. */
struct grid { long begin; int days, lead, skipped, weeks; };

static struct grid grid_of(const struct hl_calendar *c, size_t m)
{
    long first, n;
    (void)hl_calendar_month(c, m, &first, &n);
    struct hl_date date = hl_date_of(c->start + first);
    struct grid g = {.begin = first, .days = 28};
    if (c->options.dated) {
        g.begin = first - (date.day - 1); /* the month's first day, maybe before day 0 */
        g.days = hl_month_days(date.year, date.month);
        g.lead = hl_date_weekday(c->start + g.begin);
    }
    g.skipped = (int)(g.lead + first - g.begin) / DAYS;
    g.weeks = (g.lead + g.days + DAYS - 1) / DAYS - g.skipped;
    return g;
}

static double row_high(int weeks)
{
    return fmin((FOOT - TOP) / weeks, HIGHEST);
}

static void put_month(struct pages *p, size_t m)
{
    const struct hl_calendar *c = p->calendar;
    struct grid g = grid_of(c, m);
    double high = row_high(g.weeks);
    char *title = hl_arena_strdup(p->arena, hl_calendar_month_text(p->arena, c, m));
    if (*title == 'd')
        *title = 'D'; /* "Days 1-28" */
    begin_page(p, title, p->calendar->options.title);
    put(p, LEFT + WIDE, 30, HL_SHEET_RIGHT, small, drugs_text(p));
    put(p, LEFT, 33, HL_SHEET_LEFT, small, "A framed day begins a new level.");
    if (c->options.dated)
        put_weekdays(p);
    for (int i = 0; i < g.days; i++) {
        int cell = g.lead + i - DAYS * g.skipped;
        long day = g.begin + i;
        if (cell >= 0)
            put_cell(p, LEFT + COLUMN * (cell % DAYS), TOP + high * (cell / DAYS), high, day,
                     hl_arena_printf(p->arena, "%ld", c->options.dated ? (long)i + 1 : day + 1));
    }
    put_month_foot(p, m);
}

/* Rows of the fullest month. */
static int most_weeks(const struct pages *p)
{
    int most = 4;
    long first, n;
    for (size_t m = 0; hl_calendar_month(p->calendar, m, &first, &n); m++) {
        int weeks = grid_of(p->calendar, m).weeks;
        most = weeks > most ? weeks : most;
    }
    return most;
}

/* Clocks above doses where letters stay large, beside them where that makes them larger. */
static void choose_scale(struct pages *p)
{
    double high = row_high(most_weeks(p)), above = find_scale(p, high);
    p->narrow = true;
    double beside = find_scale(p, high);
    p->narrow = above < 0.8 && beside > above;
    p->scale = p->narrow ? beside : above;
}

struct hl_sheet *hl_calendar_pages(struct hl_arena *arena, const struct hl_calendar *calendar)
{
    struct pages p = {.arena = arena, .calendar = calendar};
    long first, n;
    p.sheet = hl_sheet_create(arena, calendar->options.title);
    choose_scale(&p);
    begin_summary(&p);
    for (size_t d = 0; d < calendar->n_drugs; d++)
        put_levels(&p, d);
    for (size_t d = 0; d < calendar->n_drugs; d++)
        put_fetching(&p, d);
    for (size_t m = 0; hl_calendar_month(calendar, m, &first, &n); m++)
        put_month(&p, m);
    return p.sheet;
}
