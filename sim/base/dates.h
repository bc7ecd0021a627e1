/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates of the proleptic Gregorian calendar as numbers of days: those of data sets, and those of calendars that people
 * take home. Years 1 to 9999. */
#ifndef HL_BASE_DATES_H
#define HL_BASE_DATES_H

#include <stdbool.h>

struct hl_date { int year, month, day; /* 2026, 1 .. 12, 1 .. 31 */ };

/* Days since 1970-01-01 (which is 0); any date that exists. */
long hl_date_number(struct hl_date date);

/* The date with this number. */
struct hl_date hl_date_of(long number);

/* 0 for Monday to 6 for Sunday, and their English names: "Mon" .. "Sun", "Monday" .. */
int hl_date_weekday(long number);
const char *hl_weekday_short(int weekday);
const char *hl_weekday_name(int weekday);

/* "January" for 1 .. "December" for 12. */
const char *hl_month_name(int month);

/* 28 to 31. */
int hl_month_days(int year, int month);

/* Whether there is such a day. */
bool hl_date_exists(struct hl_date date);

/* Reads "2026-11-23" (ISO 8601, ten characters). false, *date untouched, for anything else and for days that don't
 * exist. */
bool hl_date_read(const char *text, struct hl_date *date);

#endif
