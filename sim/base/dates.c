/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Day numbers. A year is counted from 1 March, so that the leap day is its last one and months have the lengths 31 30
 * 31 30 31 31 30 31 30 31 31 28/29: the first day of month m (0 for March) is day (153 m + 2) div 5, the straight line
 * that runs through this pattern. Four hundred such years have 146097 days. The method is that of calendar reform
 * tables since Zeller (1882); Richards, Mapping Time (1998), chapter 25. */
#include "base/dates.h"

#include <stddef.h>
#include <string.h>

#define DAYS_400     146097L
#define BEFORE_1970  719468L /* from 0000-03-01 to 1970-01-01 */

long hl_date_number(struct hl_date date)
{
    int march = (date.month + 9) % 12;             /* 0 for March */
    long year = (long)date.year - (march >= 10);   /* January and February belong to the year before */
    long era = year / 400, of_era = year % 400;
    long day = (153L * march + 2) / 5 + date.day - 1;
    return era * DAYS_400 + of_era * 365 + of_era / 4 - of_era / 100 + day - BEFORE_1970;
}

struct hl_date hl_date_of(long number)
{
    long days = number + BEFORE_1970, era = days / DAYS_400, of_era = days % DAYS_400;
    /* the leap days of whole 4, 100 and 400 years are taken out before dividing by 365 */
    long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    long day = of_era - (365 * year + year / 4 - year / 100), march = (5 * day + 2) / 153;
    int month = (int)(march < 10 ? march + 3 : march - 9);
    return (struct hl_date){.year = (int)(era * 400 + year + (month <= 2)),
                            .month = month,
                            .day = (int)(day - (153 * march + 2) / 5 + 1)};
}

int hl_date_weekday(long number)
{
    int weekday = (int)((number + 3) % 7); /* 1970-01-01 was a Thursday */
    return weekday < 0 ? weekday + 7 : weekday;
}

const char *hl_weekday_name(int weekday)
{
    static const char *const names[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
    return names[weekday];
}

const char *hl_weekday_short(int weekday)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    return names[weekday];
}

const char *hl_month_name(int month)
{
    static const char *const names[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
    return names[month - 1];
}

int hl_month_days(int year, int month)
{
    struct hl_date next = month == 12 ? (struct hl_date){year + 1, 1, 1} : (struct hl_date){year, month + 1, 1};
    return (int)(hl_date_number(next) - hl_date_number((struct hl_date){year, month, 1}));
}

bool hl_date_exists(struct hl_date d)
{
    return d.year >= 1 && d.year <= 9999 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
           d.day <= hl_month_days(d.year, d.month);
}

static bool read_digits(const char *text, size_t n, int *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = 10 * *value + (text[i] - '0');
    }
    return true;
}

bool hl_date_read(const char *text, struct hl_date *date)
{
    struct hl_date d;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !read_digits(text, 4, &d.year) ||
        !read_digits(text + 5, 2, &d.month) || !read_digits(text + 8, 2, &d.day))
        return false;
    if (!hl_date_exists(d))
        return false;
    *date = d;
    return true;
}
