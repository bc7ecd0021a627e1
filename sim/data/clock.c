/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TIME. A column of numbers is time in its unit, as it stands. It is a column of clock times when its first value is
 * one
 * ("8:30", "14:45:30") or when the file has dates; a number is then a clock time in hours (14.75 is 14:45), and TIME
 * becomes hours since the individual's first record. That is NM-TRAN's day-time translation (NONMEM Users Guide IV,
 * II.C.2 and V, chapter 6; help pages "time" and "date"), without its rounding to two decimals: seconds are added up as
 * whole numbers and divided once. Without dates a clock time below the one before it belongs to the next day. A day has
 * 24 hours: there is no daylight saving time here.
 *
 * Dates: DATE is year-month-day when it begins with a year of four digits, else month/day/year; DAT1 is month/day/year
 * (or begins with a year), DAT2 year/month/day, DAT3 year/day/month. Any character that is no digit separates. One
 * number alone counts days, as in NM-TRAN. Years have four digits: what two of them mean is decided in NONMEM by the
 * constant LAST20, which a data set doesn't carry.
 *
 * Days are counted with the March-based calendar of the Julian day number (Richards EG. Calendars. In: Explanatory
 * Supplement to the Astronomical Almanac, 3rd ed., 2013, chapter 15): a year that begins in March has its leap day at
 * its end, so that the days before month m are (153 m + 2) / 5 with m = 0 for March. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dates.h"
#include "data/inside.h"

#define MOST_HOURS 100000 /* of a clock time; beyond, a typing error is likelier than a study of eleven years */
#define MOST_DAYS  100000 /* of a day number, for the same reason */

/* Reads up to six digits; false when there are none or more. */
static bool take_digits(const char **at, int *value, int *n_digits)
{
    int n = 0, read = 0;
    for (; isdigit((unsigned char)**at); ++*at, n++)
        if (n < 6)
            read = 10 * read + (**at - '0');
    *value = read;
    if (n_digits)
        *n_digits = n;
    return n > 0 && n <= 6;
}

bool hl_clock_read(const char *text, double *seconds)
{
    int hour, minute, second = 0, digits;
    bool negative = *text == '-';
    text += negative;
    if (!take_digits(&text, &hour, NULL) || *text++ != ':' || !take_digits(&text, &minute, &digits) || digits != 2)
        return false;
    if (*text == ':') {
        text++;
        if (!take_digits(&text, &second, &digits) || digits != 2)
            return false;
    }
    if (*text != '\0' || minute > 59 || second > 59 || hour > MOST_HOURS)
        return false;
    double read = 3600.0 * hour + 60.0 * minute + second;
    *seconds = negative ? -read : read;
    return true;
}

bool hl_calendar_days(int year, int month, int day, long *days)
{
    struct hl_date date = {year, month, day};
    if (!hl_date_exists(date))
        return false;
    *days = hl_date_number(date);
    return true;
}

/* ---- Dates ---- */

struct date {
    int part[3], digits[3];
};

static bool split_date(const char *text, struct date *date)
{
    for (int i = 0; i < 3; i++) {
        if (i > 0 && (*text == '\0' || isdigit((unsigned char)*text) || isalpha((unsigned char)*text)))
            return false;
        text += i > 0;
        if (!take_digits(&text, &date->part[i], &date->digits[i]))
            return false;
    }
    return *text == '\0';
}

static const char *order_words(enum hl_date_order order)
{
    static const char *const words[] = {[HL_DATE_ISO_OR_MDY] = "year-month-day or month/day/year",
                                        [HL_DATE_MDY] = "month/day/year",
                                        [HL_DATE_YMD] = "year/month/day",
                                        [HL_DATE_YDM] = "year/day/month"};
    return words[order];
}

/* DAT1 is where people disagree: NONMEM's own help has it day-month-year. */
static void watch_ambiguity(struct hl_data_set *set, int column, int month, int day)
{
    if (set->column[column].order != HL_DATE_MDY || month == day)
        return;
    if (day > 12)
        set->dates_certain = true;
    else
        hl_data_remark(
            set, &set->remark[HL_REMARK_MONTH_OR_DAY], HL_WARNING, hl_data_pos(set, column),
            "'%s' is read as month/day/year, and no date of this file tells it from day/month/year, which is "
            "what NONMEM takes DAT1 for; dates such as 2026-01-31 leave no doubt",
            set->cell[column].text);
}

static bool read_calendar_date(struct hl_data_set *set, int column, long *days, double *shown)
{
    const char *text = set->cell[column].text;
    enum hl_date_order order = set->column[column].order;
    struct date d;
    if (!split_date(text, &d)) {
        hl_data_fault(set, column, "expected a date (%s, for example 2026-01-31), found '%s'", order_words(order),
                      text);
        return false;
    }
    bool year_first = order == HL_DATE_YMD || order == HL_DATE_YDM || d.digits[0] == 4;
    int y = year_first ? 0 : 2, m = order == HL_DATE_YDM ? 2 : year_first ? 1 : 0, day = 3 - y - m;
    if (d.digits[y] != 4) {
        hl_data_fault(set, column,
                      "the year of '%s' has %d digit%s, expected four (NONMEM decides by its constant LAST20 "
                      "which century is meant); write the date as 2026-01-31",
                      text, d.digits[y], d.digits[y] == 1 ? "" : "s");
        return false;
    }
    if (!hl_calendar_days(d.part[y], d.part[m], d.part[day], days)) {
        hl_data_fault(set, column,
                      "there is no day '%s': read as %s it is day %d of month %d of %d; dates such as "
                      "2026-01-31 leave no doubt",
                      text, year_first && order == HL_DATE_ISO_OR_MDY ? "year-month-day" : order_words(order),
                      d.part[day], d.part[m], d.part[y]);
        return false;
    }
    if (!year_first)
        watch_ambiguity(set, column, d.part[m], d.part[day]);
    *shown = 10000.0 * d.part[y] + 100.0 * d.part[m] + d.part[day];
    return true;
}

static bool read_date(struct hl_data_set *set, int column, double *days)
{
    const struct hl_cell *cell = &set->cell[column];
    enum hl_day_kind kind = cell->kind == HL_CELL_NUMBER ? HL_DAY_NUMBER : HL_DAY_CALENDAR;
    long read = 0;
    if (cell->kind == HL_CELL_MISSING) {
        hl_data_fault(set, column, "%s is missing, and with it the time of this record", set->info[column].name);
        return false;
    }
    if (kind == HL_DAY_NUMBER && (cell->number != floor(cell->number) || fabs(cell->number) > MOST_DAYS)) {
        hl_data_fault(set, column, "expected a date such as 2026-01-31 or the number of a day, found '%s'", cell->text);
        return false;
    }
    if (set->day_kind != HL_DAY_UNKNOWN && set->day_kind != kind) {
        hl_data_fault(set, column, "'%s' is a %s, but the dates above are %s; write all of them in one way", cell->text,
                      kind == HL_DAY_NUMBER ? "day number" : "calendar date",
                      kind == HL_DAY_NUMBER ? "calendar dates" : "day numbers");
        return false;
    }
    double shown = cell->number;
    if (kind == HL_DAY_CALENDAR && !read_calendar_date(set, column, &read, &shown))
        return false;
    set->day_kind = kind;
    set->column_value[column] = shown;
    *days = kind == HL_DAY_NUMBER ? cell->number : (double)read;
    return true;
}

/* ---- Clock times ---- */

static bool read_clock_cell(struct hl_data_set *set, int column, double *seconds)
{
    const struct hl_cell *cell = &set->cell[column];
    if (cell->kind == HL_CELL_NUMBER) {
        *seconds = 3600.0 * cell->number * set->column[column].factor;
        return true;
    }
    if (!hl_clock_read(cell->text, seconds)) {
        hl_data_fault(set, column, "expected a clock time such as 14:45 in column %s, found '%s'",
                      set->info[column].name, cell->text);
        return false;
    }
    set->column_value[column] = *seconds / 3600.0;
    if (strcmp(set->info[column].unit_text, "h") != 0) {
        hl_data_fault(set, column, "'%s' is a clock time, but column %s is stated to be in %s; leave the unit away",
                      cell->text, set->info[column].name, set->info[column].unit_text);
        return false;
    }
    return true;
}

static bool read_clock(struct hl_data_set *set, int column)
{
    struct hl_clock *clock = &set->clock;
    int dates = set->at[HL_ITEM_DATE];
    double seconds, days = 0.0;
    bool dated = dates < 0 || read_date(set, dates, &days);
    if (!read_clock_cell(set, column, &seconds) || !dated)
        return false;
    bool beyond = dates >= 0 && seconds > 86400.0;
    if (beyond && set->cell[column].kind == HL_CELL_TEXT) {
        hl_data_fault(set, column, "'%s' is no time of a day; a record with a date needs 00:00 to 24:00",
                      set->cell[column].text);
        return false;
    }
    if (beyond)
        hl_data_remark(set, &set->remark[HL_REMARK_LONG_DAY], HL_WARNING, hl_data_pos(set, column),
                       "TIME %s is read as hours of the day in %s, as NM-TRAN does, and goes beyond that day; if it "
                       "counts from the first record, give column %s another name",
                       set->cell[column].text, set->info[dates].name, set->info[dates].name);
    seconds += 86400.0 * days + clock->day;
    if (dates < 0 && clock->begun && seconds < clock->previous) {
        clock->day += 86400.0;
        seconds += 86400.0;
        hl_data_remark(set, &set->remark[HL_REMARK_MIDNIGHT], HL_NOTE, hl_data_pos(set, column),
                       "the clock time %s is below the one before it and there is no column DATE: it is taken to be on "
                       "the next day",
                       set->cell[column].text);
    }
    if (!clock->begun)
        clock->origin = seconds;
    clock->begun = true;
    clock->previous = seconds;
    set->record.TIME = (seconds - clock->origin) / 3600.0;
    return true;
}

/* ---- TIME ---- */

static void settle_kind(struct hl_data_set *set, const struct hl_cell *cell)
{
    if (set->time_kind != HL_TIME_UNKNOWN)
        return;
    bool clock = set->at[HL_ITEM_DATE] >= 0 || (cell->kind == HL_CELL_TEXT && strchr(cell->text, ':'));
    set->time_kind = clock ? HL_TIME_CLOCK : HL_TIME_HOURS;
    set->time_kind_row = set->record.row;
}

static bool read_hours(struct hl_data_set *set, int column)
{
    const struct hl_cell *cell = &set->cell[column];
    set->record.TIME = cell->number * set->column[column].factor;
    if (cell->kind == HL_CELL_NUMBER)
        return true;
    if (strchr(cell->text, ':'))
        hl_data_fault(set, column,
                      "'%s' is a clock time, but TIME began as a number of hours in line %llu; write all of "
                      "them in one way",
                      cell->text, (unsigned long long)set->time_kind_row);
    else
        hl_data_number(set, HL_ITEM_TIME, &set->record.TIME);
    return false;
}

/* TIME must not decrease, but for a reset. */
static void check_order(struct hl_data_set *set, int column)
{
    struct hl_clock *clock = &set->clock;
    bool reset = set->record.EVID == HL_EVID_RESET || set->record.EVID == HL_EVID_RESET_DOSE;
    if (clock->has_before && set->record.TIME < clock->before && !reset && !set->bad[HL_ITEM_EVID])
        hl_data_fault(set, column,
                      "TIME %s is before that of the record above (%g h, line %llu); only EVID 3 and 4 may "
                      "set the clock back: sort each individual's records by time",
                      set->cell[column].text, clock->before, (unsigned long long)clock->row);
    clock->before = set->record.TIME;
    clock->row = set->record.row;
    clock->has_before = true;
}

bool hl_data_read_time(struct hl_data_set *set)
{
    int column = set->at[HL_ITEM_TIME];
    if (column < 0)
        return false;
    if (set->cell[column].kind == HL_CELL_MISSING) {
        hl_data_fault(set, column, "TIME is missing; every record needs one");
        return false;
    }
    settle_kind(set, &set->cell[column]);
    if (!(set->time_kind == HL_TIME_CLOCK ? read_clock(set, column) : read_hours(set, column)))
        return false;
    check_order(set, column);
    return true;
}
