/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calendars that people take home: dates against an independent way of counting them, doses of every kind on days and
 * levels, tablets that add up, months that add up to the whole, and the schedule's own units found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "taper/calendar.h"
#include "taper/products.h"
#include "taper/sheet.h"

static struct hl_arena *arena;
static struct hl_diag *diag;

static void close_to(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-9))
        fail_msg("%.17g is not %.17g (to 1e-9)", value, wanted);
}

static int begin(void **state)
{
    (void)state;
    arena = hl_arena_create();
    diag = hl_diag_create();
    return !arena || !diag;
}

static int end(void **state)
{
    (void)state;
    hl_diag_free(diag);
    hl_arena_free(arena);
    return 0;
}

/* ---- Dates. */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Day after day through every date from 0001-01-01 to 9999-12-31, by the rule children learn. */
static void test_every_date(void **state)
{
    (void)state;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct hl_date d = {1, 1, 1};
    int weekday = 0; /* 0001-01-01 was a Monday, as Python's date.min.weekday() says */
    for (long number = -719162;; number++) {
        struct hl_date back = hl_date_of(number);
        int length = days[d.month - 1] + (d.month == 2 && is_leap(d.year));
        if (hl_date_number(d) != number || back.year != d.year || back.month != d.month || back.day != d.day ||
            hl_date_weekday(number) != weekday || hl_month_days(d.year, d.month) != length)
            fail_msg("%04d-%02d-%02d is not day %ld", d.year, d.month, d.day, number);
        if (d.year == 9999 && d.month == 12 && d.day == 31)
            break;
        weekday = (weekday + 1) % 7;
        if (++d.day <= length)
            continue;
        d.day = 1;
        if (++d.month > 12) {
            d.month = 1;
            d.year++;
        }
    }
    assert_int_equal(hl_date_number((struct hl_date){1970, 1, 1}), 0);
    assert_int_equal(hl_date_number((struct hl_date){2000, 2, 29}), 11016); /* Python: toordinal() - 719163 */
    assert_int_equal(hl_date_number((struct hl_date){2100, 3, 1}), 47541);
    assert_int_equal(hl_date_number((struct hl_date){1900, 3, 1}), -25508);
}

static void test_reading_dates(void **state)
{
    (void)state;
    static const char *const wrong[] = {"2026-02-29", "1900-02-29", "2100-02-29", "2026-13-01", "2026-00-10",
                                        "2026-04-31",
                                        "2026-4-3",   "20260403",   "2026/04/03", "2026-04-0x", "", "0000-01-01",
                                        "2026-04-03 ", "-026-04-03"};
    struct hl_date d = {7, 7, 7};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (hl_date_read(wrong[i], &d) || d.year != 7)
            fail_msg("'%s' was taken for a date", wrong[i]);
    assert_true(hl_date_read("2000-02-29", &d));
    assert_int_equal(d.year * 10000 + d.month * 100 + d.day, 20000229);
    assert_true(hl_date_read("2027-01-04", &d));
    assert_string_equal(hl_weekday_name(hl_date_weekday(hl_date_number(d))), "Monday");
}

/* ---- Doses on days. */

static const struct hl_product tablets[] = {
    {.name = "tablet 0.5 mg", .form = "tablet", .strength = 0.5, .pieces = 2},
    {.name = "tablet 0.125 mg", .form = "tablet", .strength = 0.125, .pieces = 1},
};
static const struct hl_product patches[] = {
    {.name = "patch 25 ug/h", .form = "patch", .strength = 0.025, .pieces = 1},
    {.name = "patch 12.5 ug/h", .form = "patch", .strength = 0.0125, .pieces = 1},
};
static const struct hl_calendar_drug oral = {.name = "alpha", .unit = "mg", .rate_unit = "mg/h", .scale = 1,
                                             .rate_scale = 1, .n_products = 2, .product = tablets};
static const struct hl_calendar_drug skin = {.name = "beta", .unit = "ug", .rate_unit = "ug/h", .scale = 1e-3,
                                             .rate_scale = 1e-3, .n_products = 2, .product = patches};

struct doses { size_t n; struct hl_calendar_dose dose[2000]; };

static void add(struct doses *list, struct hl_calendar_dose dose)
{
    const struct hl_product *product = dose.kind == HL_CALENDAR_PATCH ? patches : tablets;
    long *count = hl_arena_alloc(arena, 2, sizeof *count);
    if (dose.kind != HL_CALENDAR_INFUSION && hl_calendar_pieces(arena, 2, product, dose.amount, count))
        dose.count = count;
    list->dose[list->n++] = dose;
}

static struct hl_calendar *made(const struct doses *list, size_t n_drugs, const struct hl_calendar_drug *drug,
                                const char *start, double origin, double end_time)
{
    struct hl_calendar *calendar = NULL;
    struct hl_calendar_options options = {.title = "a test", .identity = "", .origin = origin, .end = end_time};
    options.dated = start && hl_date_read(start, &options.start);
    assert_int_equal(hl_calendar_make(arena, &options, n_drugs, drug, list->n, list->dose, &calendar, diag), HL_OK);
    return calendar;
}

static char *written(const struct hl_calendar *calendar,
                     enum hl_status (*write)(const struct hl_calendar *calendar, FILE *stream))
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(write(calendar, stream), HL_OK);
    fclose(stream);
    char *kept = hl_arena_strdup(arena, text);
    free(text);
    return kept;
}

static void test_pieces(void **state)
{
    (void)state;
    long count[2];
    assert_true(hl_calendar_pieces(arena, 2, tablets, 0.875, count)); /* 1 1/2 x 0.5 + 1 x 0.125 */
    assert_int_equal(count[0], 3);
    assert_int_equal(count[1], 1);
    assert_false(hl_calendar_pieces(arena, 2, tablets, 0.8, count));
    assert_string_equal(hl_calendar_number_text(arena, 3, 2, false), "1 1/2");
    assert_string_equal(hl_calendar_number_text(arena, 2, 4, false), "1/2");
    assert_string_equal(hl_calendar_number_text(arena, 7, 4, true), "1 ¾");
    assert_string_equal(hl_calendar_number_text(arena, 2, 3, true), "2/3");
    assert_string_equal(hl_calendar_number_text(arena, 4, 2, true), "2");
}

/* 5 days of 0.75 + 0.875 mg, 3 days of 0.25 mg in the evening alone, over the end of February of a leap year. */
static void test_two_levels(void **state)
{
    (void)state;
    struct doses list = {0};
    for (int k = 0; k < 5; k++) {
        add(&list, (struct hl_calendar_dose){.time = 24.0 * k, .amount = 0.75});
        add(&list, (struct hl_calendar_dose){.time = 24.0 * k + 13.5, .amount = 0.875});
    }
    for (int k = 5; k < 8; k++)
        add(&list, (struct hl_calendar_dose){.time = 24.0 * k + 13.5, .amount = 0.25});
    struct hl_calendar *c = made(&list, 1, &oral, "2028-02-26", 7.5, 400);
    assert_int_equal(c->n_days, 8);
    assert_int_equal(c->n_levels, 2);
    assert_int_equal(c->level[0].n_days, 5);
    assert_int_equal(c->level[1].first_day, 5);
    assert_int_equal(c->level[1].n_days, 3);
    close_to(c->level[0].daily, 1.625);
    assert_string_equal(hl_calendar_day_text(arena, c, 3), "Tue 2028-02-29");
    assert_string_equal(hl_calendar_take_text(arena, c, &c->take[1], false), "1 1/2 x 0.5 mg + 1 x 0.125 mg");
    assert_int_equal(c->take[1].minute, 21 * 60);
    assert_int_equal(hl_calendar_count(c, 0, 0, 0, 8), 33);           /* halves: 5 (3 + 3) + 3 */
    assert_int_equal(hl_calendar_whole(c, 0, 0, 0, 8), 17);
    assert_int_equal(hl_calendar_whole(c, 0, 0, 0, 1), 3);
    assert_int_equal(hl_calendar_whole(c, 0, 0, 5, 3), 2);            /* 15 tablets were all used up by then */
    assert_int_equal(hl_calendar_count(c, 0, 1, 0, 8), 5);
    const char *text = written(c, hl_calendar_write_text);
    assert_non_null(strstr(text, HL_CALENDAR_WARNING));
    assert_non_null(strstr(text, "16 1/2 used, so 17 whole ones (1/2 left)"));
    assert_non_null(strstr(text, "== no dose from Sun 2028-03-05 on"));
}

/* Midnight belongs to the new date; levels that change in the evening begin with it. */
static void test_evening_origin(void **state)
{
    (void)state;
    struct doses list = {0};
    for (int k = 0; k < 12; k++)
        add(&list, (struct hl_calendar_dose){.time = 12.0 * k, .amount = k < 6 ? 0.5 : 0.25});
    struct hl_calendar *c = made(&list, 1, &oral, NULL, 20, 1000);
    assert_int_equal(c->n_days, 7); /* an evening, five days, a morning */
    assert_int_equal(c->n_levels, 2);
    assert_int_equal(c->level[1].first_day, 3);
    close_to(c->entry[0].total, 0.5);
    close_to(c->entry[3].total, 0.75);
    close_to(c->entry[6].total, 0.25);
    assert_true(c->entry[3].changes && !c->entry[4].changes);
    assert_int_equal(c->level[1].n_takes, 2);
}

/* A patch is put on every three days, two strengths, then one, then off; an infusion runs beside. */
static void test_patches_and_infusions(void **state)
{
    (void)state;
    struct doses list = {0};
    for (int k = 0; k < 4; k++) {
        add(&list, (struct hl_calendar_dose){.kind = HL_CALENDAR_PATCH, .drug = 1, .time = 72.0 * k, .amount = 0.025,
                                             .duration = 72, .interval = 72});
        if (k < 2)
            add(&list, (struct hl_calendar_dose){.kind = HL_CALENDAR_PATCH, .drug = 1, .time = 72.0 * k,
                                                 .amount = 0.0125, .duration = 72, .interval = 72});
    }
    add(&list, (struct hl_calendar_dose){.kind = HL_CALENDAR_INFUSION, .time = 24, .rate = 0.031,
                                         .duration = INFINITY});
    struct hl_calendar *c = made(&list, 2, (struct hl_calendar_drug[]){oral, skin}, NULL, 8, 480);
    assert_int_equal(c->n_levels, 3);
    assert_int_equal(c->level[0].drug, 0);
    assert_true(c->level[0].is_rate);
    assert_int_equal(c->level[0].first_day, 1);
    assert_int_equal(c->level[1].n_days, 6);
    close_to(c->level[1].daily, 0.0375);
    assert_int_equal(c->level[2].n_days, 6);
    assert_int_equal(hl_calendar_count(c, 1, 0, 0, 100), 4);
    assert_int_equal(hl_calendar_count(c, 1, 1, 0, 100), 2);
    close_to(hl_calendar_amount(c, 0, 0, 100), 0.031 * (480 - 24)); /* to the end of the study */
    const char *text = written(c, hl_calendar_write_text);
    assert_non_null(strstr(text, "put on 1 x 25 ug/h + 1 x 12.5 ug/h"));
    assert_non_null(strstr(text, "take off patch"));
    assert_non_null(strstr(text, "infuse 0.031 mg/h"));
}

/* Months add up to the whole whatever the doses: random numbers of halves on random days. */
static void test_months_add_up(void **state)
{
    (void)state;
    const char *given = getenv("HL_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("# seed %u (HL_SEED)\n", seed);
    for (int round = 0; round < 40; round++) {
        struct doses list = {0};
        int days = 1 + rand_r(&seed) % 200;
        double sum = 0;
        for (int k = 0; k < days; k++) {
            double amount = (1 + rand_r(&seed) % 30) * 0.125;
            sum += amount;
            add(&list, (struct hl_calendar_dose){.time = 24.0 * k, .amount = amount});
        }
        struct hl_calendar *c = made(&list, 1, &oral, round % 2 ? "2027-11-17" : NULL, 9.25, 24.0 * 300);
        long wholes[2] = {0, 0}, pieces[2] = {0, 0}, first, n;
        for (size_t m = 0; hl_calendar_month(c, m, &first, &n); m++)
            for (size_t p = 0; p < 2; p++) {
                wholes[p] += hl_calendar_whole(c, 0, p, first, n);
                pieces[p] += hl_calendar_count(c, 0, p, first, n);
            }
        for (size_t p = 0; p < 2; p++) {
            assert_int_equal(wholes[p], hl_calendar_whole(c, 0, p, 0, c->n_days));
            assert_int_equal(pieces[p], hl_calendar_count(c, 0, p, 0, c->n_days));
        }
        close_to((double)pieces[0] * 0.25 + (double)pieces[1] * 0.125, sum);
        close_to(hl_calendar_amount(c, 0, 0, c->n_days), sum);
    }
}

/* A schedule's units, found again in tablets: rungs of 2 mg, 1.25 mg, 0.375 mg a day in two doses. */
static void test_a_schedule(void **state)
{
    (void)state;
    struct hl_product product[2] = {tablets[0], tablets[1]};
    struct hl_taper_dose dose[2] = {{0, "morning"}, {12, "evening"}};
    size_t spare[2] = {1, 0};
    struct hl_taper_problem problem = {.n_drugs = 1, .n_streams = 2};
    problem.drug[0] = (struct hl_taper_drug){.alias = "alpha", .n_products = 2, .product = product, .period = 24,
                                             .n_doses = 2, .dose = dose, .spare = spare};
    assert_true(hl_products_unit(&problem.drug[0]));
    close_to(problem.drug[0].unit, 0.125);
    long units[4][2] = {{8, 8}, {5, 5}, {1, 2}, {0, 0}};
    struct hl_taper_rung rung[4];
    for (size_t i = 0; i < 4; i++)
        rung[i] = (struct hl_taper_rung){.units = units[i]};
    problem.n_rungs = 4;
    problem.rung = rung;
    struct hl_taper_step step[] = {{1, 14}, {2, 7}};
    struct hl_taper_schedule schedule = {.n = 2, .step = step, .days = 21};
    problem.begins = 180.5; /* after a week or so of the full dose, at half past eight in the evening */
    struct hl_calendar_options options = {.title = "t", .identity = "", .origin = 8, .end = 0};
    struct hl_calendar *c = NULL;
    assert_int_equal(hl_calendar_of_schedule(arena, &problem, &schedule, &options, &c, diag), HL_OK);
    long found = 0;
    for (size_t p = 0; p < 2; p++)
        found += hl_calendar_count(c, 0, p, 0, c->n_days) * product[p].piece_units;
    assert_int_equal(found, 14 * 10 + 7 * 3); /* the units of the schedule */
    assert_int_equal(c->n_days, 22); /* an evening more than mornings */
    assert_int_equal(c->n_levels, 2);
    assert_string_equal(c->take[0].name, "morning"); /* as the problem calls it */
    assert_int_equal(c->take[0].minute, 20 * 60 + 30);
    assert_string_equal(hl_calendar_take_text(arena, c, &c->take[0], false), "1 x 0.5 mg + 1 x 0.125 mg");
}

static size_t occurrences(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

/* Every page says what it is, and never anything that isn't XML. */
static void test_pages(void **state)
{
    (void)state;
    struct doses list = {0};
    for (int k = 0; k < 61; k++)
        add(&list, (struct hl_calendar_dose){.time = 24.0 * k, .amount = k < 30 ? 1 : 0.5,
                                             .name = "after <tea> & cake"});
    struct hl_calendar *c = made(&list, 1, &oral, "2026-12-15", 8, 24 * 80);
    const struct hl_sheet *sheet = hl_calendar_pages(arena, c);
    assert_int_equal(hl_sheet_pages(sheet), 4); /* what to fetch; December, January, February */
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(hl_sheet_write_svg(sheet, 0, 4, stream), HL_OK);
    fclose(stream);
    assert_int_equal(occurrences(text, HL_CALENDAR_WARNING), 4);
    assert_int_equal(occurrences(text, HL_CALENDAR_NEVER), 4);
    assert_int_equal(occurrences(text, "<g class=\"page\""), 4);
    assert_int_equal(occurrences(text, "after &lt;tea&gt; &amp; cake"), 2); /* too long for a cell: only by level */
    free(text);
}

/* What can't be shown is refused. */
static void test_refusals(void **state)
{
    (void)state;
    struct hl_calendar *c;
    struct hl_calendar_options options = {.title = "t", .identity = "", .end = 24};
    struct hl_calendar_dose early = {.time = -24, .amount = 1}, late = {.time = 24.0 * 9000, .amount = 1};
    assert_int_equal(hl_calendar_make(arena, &options, 1, &oral, 1, &early, &c, diag), HL_ERR_INPUT);
    options.end = 24.0 * 9001;
    assert_int_equal(hl_calendar_make(arena, &options, 1, &oral, 1, &late, &c, diag), HL_ERR_INPUT);
    options.dated = hl_date_read("9999-12-20", &options.start);
    late.time = 24;
    assert_int_equal(hl_calendar_make(arena, &options, 1, &oral, 1, &late, &c, diag), HL_ERR_INPUT);
    assert_int_equal(hl_diag_count(diag, HL_ERROR), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_date, begin, end),
        cmocka_unit_test_setup_teardown(test_reading_dates, begin, end),
        cmocka_unit_test_setup_teardown(test_pieces, begin, end),
        cmocka_unit_test_setup_teardown(test_two_levels, begin, end),
        cmocka_unit_test_setup_teardown(test_evening_origin, begin, end),
        cmocka_unit_test_setup_teardown(test_patches_and_infusions, begin, end),
        cmocka_unit_test_setup_teardown(test_months_add_up, begin, end),
        cmocka_unit_test_setup_teardown(test_a_schedule, begin, end),
        cmocka_unit_test_setup_teardown(test_pages, begin, end),
        cmocka_unit_test_setup_teardown(test_refusals, begin, end),
    };
    return cmocka_run_group_tests_name("taper calendar", tests, NULL, NULL);
}
