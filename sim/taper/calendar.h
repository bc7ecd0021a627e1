/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person takes home: day by day what is taken, when and of which tablets, and how many tablets to fetch when.
 * Made from a designed schedule or from the prescribed doses of any arm; written as text, CSV, or pages of A4 (SVG,
 * PDF).
 * Called by the verbs taper and calendar. For education and research: every page says so.
 *
 * Days are dates: day 0 is the one on which the study's origin lies. Tablets are counted in their smallest pieces, so
 * nothing here depends on a sum of floating-point doses. */
#ifndef HL_TAPER_CALENDAR_H
#define HL_TAPER_CALENDAR_H

#include <stdio.h>

#include "base/status.h"
#include "base/dates.h"
#include "taper/problem.h"

#define HL_CALENDAR_MOST_DAYS 7320 /* twenty years: beyond that a day's slip of the unit is more likely than a plan */

/* One drug on a calendar. Amounts are in the engine's unit (mg, of patches and infusions mg/h) and shown divided by
 * scale, with unit behind them. */
struct hl_calendar_drug {
    const char *name;
    const char *unit, *rate_unit;
    double scale, rate_scale;
    size_t n_products; const struct hl_product *product; /* 0: amounts only */
};

enum hl_calendar_kind { HL_CALENDAR_DOSE, HL_CALENDAR_PATCH, HL_CALENDAR_INFUSION };

/* One dose as it goes in. */
struct hl_calendar_dose {
    double time;              /* [h] after the study's origin; doses before it are left out */
    size_t drug;
    enum hl_calendar_kind kind;
    double amount;            /* [mg]; of a patch its nominal strength, of an infusion 0 */
    double rate;              /* of an infusion [mg/h] */
    double duration;          /* how long a patch is worn, an infusion runs [h]; INFINITY: to the end */
    double interval;          /* the dose stands for this time [h], where that is more than a day; else 0 */
    const long *count;        /* smallest pieces by product of the drug; NULL: no products make it */
    const char *name;         /* "morning"; NULL: by the clock */
};

struct hl_calendar_options {
    const char *title;        /* "Designed taper" */
    const char *identity;     /* study, arm, seed, version: in small type on every page */
    double origin;            /* clock time of the study's origin [h after midnight] */
    double end;               /* of the study [h]: what never ends is shown until then */
    bool dated; struct hl_date start; /* the date of day 0; without, days are numbered from 1 */
};

/* What is taken, put on or set at one time of one day. */
struct hl_calendar_take {
    long day;                 /* from 0 */
    int minute;               /* of that day */
    const char *name;         /* "morning" */
    size_t drug;
    enum hl_calendar_kind kind;
    double amount, rate, hours; /* as above; hours: duration */
    const long *count;        /* of product pieces; NULL where none are known */
    size_t level;
    bool removal;             /* what was worn or ran ends and nothing takes its place */
};

/* Days on end with the same doses of one drug. */
struct hl_calendar_level {
    size_t drug;
    size_t number;            /* of the drug, from 1 */
    long first_day, n_days;
    double daily;             /* what is taken in a day [mg]; of patches and infusions what is worn or runs [mg/h] */
    bool is_rate;
    size_t first_take, n_takes; /* what is taken on its first full day: indices of calendar->take; none for a rate that
                                   goes on */
};

/* One drug on one day. */
struct hl_calendar_entry {
    int level;                /* index, -1: nothing */
    bool changes;             /* a level begins on this day */
    double total;             /* [mg]; of patches and infusions what is worn or runs at the day's end [mg/h] */
    size_t n_takes;
};

struct hl_calendar {
    struct hl_calendar_options options;
    size_t n_drugs;  const struct hl_calendar_drug *drug;
    long n_days;              /* day 0 to the last with something to take */
    size_t n_takes;  struct hl_calendar_take *take;   /* by day, clock, drug */
    size_t *first_take;       /* of a day; n_days + 1 of them */
    size_t n_levels; struct hl_calendar_level *level; /* by drug, then day */
    struct hl_calendar_entry *entry;                  /* [day][drug] */
    long start;               /* number of day 0's date, with dates */
};

/* A calendar of doses in any order. HL_ERR_INPUT with a message when there are none or they span more than twenty
 * years. Strings, drugs and counts must live as long as the arena. */
enum hl_status hl_calendar_make(struct hl_arena *arena, const struct hl_calendar_options *options, size_t n_drugs,
                                const struct hl_calendar_drug *drug, size_t n, const struct hl_calendar_dose *dose,
                                struct hl_calendar **calendar, struct hl_diag *diag);

/* A calendar of a designed schedule: day 0 is the first reduced dose, and options->start its date; origin and end are
 * the study's, in which day 0 is problem->begins. HL_ERR_INPUT with a message when a dose can't be
 * made of the products, which no schedule of a search holds. */
enum hl_status hl_calendar_of_schedule(struct hl_arena *arena, const struct hl_taper_problem *problem,
                                       const struct hl_taper_schedule *schedule,
                                       const struct hl_calendar_options *options, struct hl_calendar **calendar,
                                       struct hl_diag *diag);

/* Splits an amount into the fewest pieces of products in falling strength: count by product, in its smallest pieces.
 * false when they can't make it. Of equally few pieces the split that breaks fewest. */
bool hl_calendar_pieces(struct hl_arena *arena, size_t n_products, const struct hl_product *product, double amount,
                        long *count);

/* ---- Counting: smallest pieces of a product taken on days first .. first + n - 1, and whole ones to fetch for them
 * when pieces left over from earlier days are used up first. */
long hl_calendar_count(const struct hl_calendar *calendar, size_t drug, size_t product, long first, long n);
long hl_calendar_whole(const struct hl_calendar *calendar, size_t drug, size_t product, long first, long n);

/* Milligrams of a drug that are taken or run in on these days (patches, whose content isn't known here, apart). */
double hl_calendar_amount(const struct hl_calendar *calendar, size_t drug, long first, long n);

/* Spans to fetch medicine for: calendar months, or 28 days without dates. The m-th one; false when there are no more.
 * Days before day 0 aren't part of it. */
bool hl_calendar_month(const struct hl_calendar *calendar, size_t m, long *first, long *n);

/* ---- In words; all into the arena. fancy: with typographic signs (1 ½ × 0.5 mg), else in ASCII (1 1/2 x 0.5 mg). */
const char *hl_calendar_take_text(struct hl_arena *arena, const struct hl_calendar *calendar,
                                  const struct hl_calendar_take *take, bool fancy);
const char *hl_calendar_amount_text(struct hl_arena *arena, const struct hl_calendar_drug *drug, double amount,
                                    bool is_rate);
const char *hl_calendar_number_text(struct hl_arena *arena, long pieces, int of, bool fancy); /* "1 1/2" */
const char *hl_calendar_product_text(struct hl_arena *arena, const struct hl_calendar_drug *drug, size_t product);
/* "Mon 2026-11-23" or "day 1"; "November 2026" or "days 1-28". */
const char *hl_calendar_day_text(struct hl_arena *arena, const struct hl_calendar *calendar, long day);
const char *hl_calendar_month_text(struct hl_arena *arena, const struct hl_calendar *calendar, size_t m);

/* ---- Writing. */

/* The plain warning, in two sentences. */
#define HL_CALENDAR_WARNING "This is a simulation for education and research, not medical advice."
#define HL_CALENDAR_NEVER "Never stop or change a medicine without the person who prescribed it."

/* At most 100 columns. */
enum hl_status hl_calendar_write_text(const struct hl_calendar *calendar, FILE *stream);

/* One row per day and drug: day, date, weekday, drug, level, new_level, taken, total, unit. */
enum hl_status hl_calendar_write_days(const struct hl_calendar *calendar, FILE *stream);

/* One row per product count: span (all, level, month), label, first_day, last_day, drug, product, pieces_per_whole,
 * pieces, used, fetch, amount, unit; of a drug without products one row with its amount. */
enum hl_status hl_calendar_write_counts(const struct hl_calendar *calendar, FILE *stream);

struct hl_sheet;

/* The pages: a summary, then a month grid each. */
struct hl_sheet *hl_calendar_pages(struct hl_arena *arena, const struct hl_calendar *calendar);

#endif
