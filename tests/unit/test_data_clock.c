/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TIME: hours, clock times, dates; and what is wrong with some of them. The days are checked against a count of every
 * single day. */
#include <math.h>

#include "data/inside.h"
#include "data_sample.h"

/* ---- Days and clocks ---- */

/* Every day of eight centuries follows the one before it. */
static void every_day_counts_one(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    long days, wanted = -135140; /* 1600-01-01 */
    assert_true(hl_calendar_days(1970, 1, 1, &days) && days == 0);
    assert_true(hl_calendar_days(2000, 3, 1, &days) && days == 11017);
    for (int year = 1600; year < 2400; year++)
        for (int month = 1; month <= 12; month++) {
            bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            int length = lengths[month - 1] + (leap && month == 2);
            for (int day = 1; day <= length; day++, wanted++)
                if (!hl_calendar_days(year, month, day, &days) || days != wanted)
                    fail_msg("%d-%d-%d is day %ld, expected %ld", year, month, day, days, wanted);
            assert_false(hl_calendar_days(year, month, length + 1, &days));
        }
    assert_false(hl_calendar_days(2026, 0, 1, &days));
    assert_false(hl_calendar_days(2026, 13, 1, &days));
    assert_false(hl_calendar_days(2026, 1, 0, &days));
    assert_false(hl_calendar_days(0, 1, 1, &days));
}

static void clock_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"0:00", 0},      {"8:30", 30600},   {"08:30", 30600}, {"14:45:07", 53107},
                {"24:00", 86400}, {"36:10", 130200}, {"-1:30", -5400}, {"100:00", 360000}};
    static const char *const bad[] = {"",        ":",    "8",      "8:",         ":30",        "8:3",
                                      "8:300",   "8:60", "8:30:",  "8:30:60",    "8:30:5",     "8.5",
                                      "8:30 AM", "8h30", "--8:30", "1234567:00", "8:30:00:00", "a:bc"};
    double seconds;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!hl_clock_read(good[i].text, &seconds) || seconds != good[i].seconds)
            fail_msg("'%s' is %g s, expected %g", good[i].text, seconds, good[i].seconds);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (hl_clock_read(bad[i], &seconds))
            fail_msg("'%s' was read as %g s", bad[i], seconds);
}

/* ---- TIME of a file ---- */

#define MOST 8

struct times {
    const char *text;
    size_t n;
    double time[MOST];   /* of all records in order [h] */
    const char *message; /* the only one; NULL: none */
};

static const struct times files[] = {
    /* numbers stay as they are */
    {"ID,TIME,AMT\n1,3.5,1\n1,4,0\n2,-1,1\n", 3, {3.5, 4, -1}, NULL},
    {"ID,TIME [d],AMT\n1,0.5,1\n1,2,0\n", 2, {12, 48}, NULL},
    {"ID,TIME [min],AMT\n1,90,1\n", 1, {1.5}, NULL},
    /* clock times start at the individual's first record (NM-TRAN's example) */
    {"ID,TIME,AMT\n1,8:00,1\n1,14:45,0\n1,14.75,0\n2,9:30,1\n2,9:30:36,0\n", 5, {0, 6.75, 6.75, 0, 0.01}, NULL},
    {"ID,TIME,AMT\n1,8:20,1\n1,8:40,0\n", 2, {0, 1.0 / 3.0}, NULL},
    /* past midnight without a date */
    {"ID,TIME,AMT\n1,22:00,1\n1,6:00,0\n1,5:00,0\n1,5:00,0\n2,1:00,1\n",
     5,
     {0, 8, 31, 31, 0},
     ":3:3: note: the clock time 6:00 is below the one before it and there is no column DATE: it is taken to be on the "
     "next day; 1 more such midnights follow"},
    {"ID,TIME,AMT\n1,22:00,1\n1,30:00,0\n1,47:30,0\n", 3, {0, 8, 25.5}, NULL},
    /* NM-TRAN's example with dates, its years written in full */
    {"ID,DATE,TIME,AMT\n1,10-1-1986,9:15,1\n1,10-1-1986,14:40,0\n1,10-2-1986,8:30,0\n",
     3,
     {0, 5 + 25.0 / 60.0, 23.25},
     NULL},
    /* a number beside a date is a clock time in hours */
    {"ID,DATE,TIME,AMT\n2,10-12-1986,8,1\n2,10-14-1986,10,0\n", 2, {0, 50}, NULL},
    {"ID,DATE,TIME [min],AMT\n2,2026-01-31,480,1\n2,2026-02-01,600,0\n", 2, {0, 26}, NULL},
    {"ID,DATE,TIME,AMT\n1,2026-01-31,20:00,1\n1,2026-02-01,8:00,0\n2,2025-12-31,23:30,1\n2,2026-01-01,0:15,0\n",
     4,
     {0, 12, 0, 0.75},
     NULL},
    {"ID,DATE,TIME,AMT\n1,2026-01-31,24,1\n1,2026-02-01,30.5,0\n1,2026-02-02,31,0\n",
     3,
     {0, 30.5, 55},
     ":3:14: warning: TIME 30.5 is read as hours of the day in DATE, as NM-TRAN does, and goes beyond that day; if it "
     "counts from the first record, give column DATE another name; 1 more such records follow"},
    /* leap days */
    {"ID,DATE,TIME,AMT\n1,2024-02-28,12:00,1\n1,2024-03-01,12:00,0\n2,2023-02-28,12:00,1\n2,2023-03-01,12:00,0\n"
     "3,2000-02-29,0:00,1\n3,2000-03-01,0:00,0\n4,1900-02-28,0:00,1\n4,1900-03-01,0:00,0\n",
     8,
     {0, 48, 0, 24, 0, 24, 0, 24},
     NULL},
    /* the clock knows no daylight saving time */
    {"ID,DATE,TIME,AMT\n1,2026-03-28,12:00,1\n1,2026-03-29,12:00,0\n", 2, {0, 24}, NULL},
    /* the orders */
    {"ID,DAT1,TIME,AMT\n1,01/31/2026,0:00,1\n1,02/01/2026,0:00,0\n", 2, {0, 24}, NULL},
    {"ID,DAT1,TIME,AMT\n1,2026-01-31,0:00,1\n1,2026-02-01,0:00,0\n", 2, {0, 24}, NULL},
    {"ID,DAT2,TIME,AMT\n1,2026/1/31,0:00,1\n1,2026/2/1,0:00,0\n", 2, {0, 24}, NULL},
    {"ID,DAT3,TIME,AMT\n1,2026/31/1,0:00,1\n1,2026.1.2,0:00,0\n", 2, {0, 24}, NULL},
    {"ID,dat1,TIME,AMT\n1,02/03/2026,0:00,1\n1,03/03/2026,0:00,0\n1,03/04/2026,0:00,0\n",
     3,
     {0, 28 * 24, 29 * 24},
     ":2:3: warning: '02/03/2026' is read as month/day/year, and no date of this file tells it from day/month/year, "
     "which "
     "is what NONMEM takes DAT1 for; dates such as 2026-01-31 leave no doubt; 1 more such dates follow"},
    {"ID,dat1,TIME,AMT\n1,02/03/2026,0:00,1\n1,02/13/2026,0:00,0\n", 2, {0, 240}, NULL},
    /* day numbers */
    {"ID,DATE,TIME,AMT\n1,1,8:00,1\n1,3,8:30,0\n2,-1,12:00,1\n2,0,12:00,0\n", 4, {0, 48.5, 0, 24}, NULL},
    /* a reset may set the clock back, dates or not */
    {"ID,DATE,TIME,EVID,AMT\n1,2026-01-31,8:00,1,5\n1,2026-01-30,8:00,4,5\n", 2, {0, -24}, NULL},
};

static void times_of_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct sample s = sample_read(files[i].text);
        sample_says(&s, files[i].message != NULL, files[i].message);
        enum hl_status status;
        const struct hl_individual *x;
        size_t n = 0;
        while ((x = hl_data_next(s.set, &status, s.diag)) != NULL)
            for (size_t k = 0; k < x->n; k++, n++)
                if (n >= files[i].n || fabs(x->record[k].TIME - files[i].time[n]) > 1e-15 * fabs(files[i].time[n]))
                    fail_msg("file %zu, record %zu: TIME %.17g, expected %.17g", i, n, x->record[k].TIME,
                             files[i].time[n]);
        assert_int_equal(n, files[i].n);
        sample_free(&s);
    }
}

/* The columns themselves: clock times in hours, dates as 20260131, day numbers as they are. */
static void columns_of_times(void **state)
{
    (void)state;
    struct sample s = sample_read("ID,DATE,TIME,AMT\n1,2026-01-31,20:30,1\n1,2026-02-01,8,0\n");
    const struct hl_individual *x = sample_next(&s);
    assert_true(x->column[1] == 20260131.0 && x->column[4 + 1] == 20260201.0);
    assert_true(x->column[2] == 20.5 && x->column[4 + 2] == 8.0);
    const struct hl_data_column_info *c = hl_data_facts(s.set)->column;
    assert_true(c[1].kind == HL_COLUMN_WHOLE && c[1].n_texts == 0 && c[2].kind == HL_COLUMN_NUMBER);
    assert_string_equal(c[1].item, "DATE");
    sample_free(&s);
}

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"ID,DATE,TIME,AMT\n1,10-1-86,9:15,1\n",
         ":2:3: error: the year of '10-1-86' has 2 digits, expected four (NONMEM"},
        {"ID,DATE,TIME,AMT\n1,2026-02-30,9:15,1\n",
         ":2:3: error: there is no day '2026-02-30': read as year-month-day it is "
         "day 30 of month 2 of 2026"},
        {"ID,DATE,TIME,AMT\n1,31/01/2026,9:15,1\n",
         ":2:3: error: there is no day '31/01/2026': read as year-month-day or "
         "month/day/year it is day 1 of month 31 of 2026"},
        {"ID,DATE,TIME,AMT\n1,2023-02-29,9:15,1\n", "there is no day '2023-02-29'"},
        {"ID,DAT3,TIME,AMT\n1,2026-01-31,9:15,1\n",
         "there is no day '2026-01-31': read as year/day/month it is day 1 of month "
         "31"},
        {"ID,DATE,TIME,AMT\n1,2026-02,9:15,1\n",
         ":2:3: error: expected a date (year-month-day or month/day/year, for example "
         "2026-01-31), found '2026-02'"},
        {"ID,DATE,TIME,AMT\n1,31 Jan 2026,9:15,1\n", ":2:3: error: expected a date"},
        {"ID,DATE,TIME,AMT\n1,20260131,9:15,1\n",
         ":2:3: error: expected a date such as 2026-01-31 or the number of a day"},
        {"ID,DATE,TIME,AMT\n1,1.5,9:15,1\n", ":2:3: error: expected a date such as 2026-01-31 or the number of a day"},
        {"ID,DATE,TIME,AMT\n1,2026-01-31,9:15,1\n1,2,9:15,1\n",
         ":3:3: error: '2' is a day number, but the dates above are calendar dates"},
        {"ID,DATE,TIME,AMT\n1,2,9:15,1\n1,2026-01-31,9:15,1\n",
         ":3:3: error: '2026-01-31' is a calendar date, but the dates above are day numbers"},
        {"ID,DATE,TIME,AMT\n1,.,9:15,1\n", ":2:3: error: DATE is missing, and with it the time of this record"},
        {"ID,DATE,TIME,AMT\n1,2026-01-31,25:00,1\n", ":2:14: error: '25:00' is no time of a day"},
        {"ID,DATE,TIME,AMT\n1,2026-01-31,9:75,1\n",
         ":2:14: error: expected a clock time such as 14:45 in column TIME, found '9:75'"},
        {"ID,DATE,TIME,AMT\n1,2026-01-31,9:15,1\n1,2026-01-31,9:14,0\n",
         ":3:14: error: TIME 9:14 is before that of the record above (0 h, line 2)"},
        {"ID,DATE,TIME,AMT\n1,2026-01-31,9:15,1\n1,2026-01-30,9:20,0\n", ":3:14: error: TIME 9:20 is before that of"},
        {"ID,TIME,AMT\n1,0,1\n1,9:15,0\n",
         ":3:3: error: '9:15' is a clock time, but TIME began as a number of hours in line 2"},
        {"ID,TIME [h],AMT\n1,noon,1\n", ":2:3: error: expected a number in column TIME, found 'noon'"},
        {"ID,TIME [min],AMT\n1,9:15,1\n",
         ":2:3: error: '9:15' is a clock time, but column TIME is stated to be in min; leave the unit away"},
        {"ID,TIME,AMT\n1,47:30,1\n1,1:00,0\n", ":3:3: error: TIME 1:00 is before"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s = sample_read(cases[i].text);
        assert_null(s.set);
        if (!strstr(s.messages, cases[i].message))
            fail_msg("expected \"%s\" in\n%s", cases[i].message, s.messages);
        sample_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_counts_one), cmocka_unit_test(clock_times), cmocka_unit_test(times_of_files),
        cmocka_unit_test(columns_of_times),     cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, sample_start, sample_stop);
}
