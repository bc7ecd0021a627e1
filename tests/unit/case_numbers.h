/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which random cases a test tries: seeds and counts from the environment, else the day's own. */
#ifndef TESTS_UNIT_CASE_NUMBERS_H
#define TESTS_UNIT_CASE_NUMBERS_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* A whole number, or otherwise when the variable isn't set. */
static inline uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* Today in UTC as 20260131: a new seed each day that everybody can name. */
static inline uint64_t date_number(void)
{
    time_t now = time(NULL);
    struct tm day;
    gmtime_r(&now, &day);
    return (uint64_t)(day.tm_year + 1900) * 10000 + (uint64_t)(day.tm_mon + 1) * 100 + (uint64_t)day.tm_mday;
}

#endif
