/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words and numbers. Numbers are checked against our own grammar first and handed to strtod in the C locale after,
 * so that "0x10", "inf" or a decimal comma never become a dose. Distances between words are Damerau-Levenshtein in
 * the restricted form (optimal string alignment): the fewest insertions, deletions, substitutions and swaps of
 * neighbours, no letter touched twice (Damerau 1964, doi 10.1145/363958.363994). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strtod_l */
#endif
#include "base/text.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#define LONGEST_WORD 64 /* nobody misspells a longer one by a letter or two and needs our help */

static locale_t c_locale = (locale_t)0;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double number_in_c_locale(const char *text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t digits(const char *text)
{
    size_t n = 0;
    while (is_digit(text[n]))
        n++;
    return n;
}

size_t hl_text_number_length(const char *text)
{
    size_t n = text[0] == '-' || text[0] == '+';
    size_t whole = digits(text + n), fraction = 0;
    n += whole;
    if (text[n] == '.') {
        fraction = digits(text + n + 1);
        if (whole + fraction > 0)
            n += 1 + fraction;
    }
    if (whole + fraction == 0)
        return 0;
    if (text[n] == 'e' || text[n] == 'E') {
        size_t sign = text[n + 1] == '-' || text[n + 1] == '+';
        size_t exponent = digits(text + n + 1 + sign);
        if (exponent > 0)
            n += 1 + sign + exponent;
    }
    return n;
}

/* A number of few digits without exponent: digits below 2^53 and powers of ten up to 10^22 are exact doubles, so that
 * one division rounds once and gives what strtod gives, at a fraction of its time (Clinger 1990, doi
 * 10.1145/93542.93557). false when the number isn't so simple, or where the machine rounds twice. */
static bool short_number(const char *text, double *value)
{
    static const double power[] = {1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char *at = text + (*text == '-' || *text == '+');
    uint64_t whole = 0;
    size_t n = 0, fraction = 0;
    for (; is_digit(*at) && n < 16; at++, n++)
        whole = 10 * whole + (uint64_t)(*at - '0');
    if (*at == '.')
        for (at++; is_digit(*at) && n < 16; at++, n++, fraction++)
            whole = 10 * whole + (uint64_t)(*at - '0');
    if (*at != '\0' || n == 0 || n > 15 || FLT_EVAL_METHOD != 0)
        return false;
    double read = (double)whole / power[fraction];
    *value = *text == '-' ? -read : read;
    return true;
}

bool hl_text_number(const char *text, double *value)
{
    if (short_number(text, value))
        return true;
    size_t n = hl_text_number_length(text);
    if (n == 0 || text[n] != '\0')
        return false;
    double read = number_in_c_locale(text);
    if (!isfinite(read))
        return false;
    *value = read;
    return true;
}

bool hl_text_integer(const char *text, uint64_t *value)
{
    uint64_t read = 0;
    if (!is_digit(text[0]))
        return false;
    for (; is_digit(*text); text++)
        if (__builtin_mul_overflow(read, 10u, &read) || __builtin_add_overflow(read, (uint64_t)(*text - '0'), &read) ||
            read > INT64_MAX)
            return false;
    if (*text != '\0')
        return false;
    *value = read;
    return true;
}

/* The distance between two words of at most LONGEST_WORD bytes, case-insensitive. Three rows of the table suffice. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t rows[3][LONGEST_WORD + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n_b; j++)
        above[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t differ = lower(a[i - 1]) != lower(b[j - 1]);
            size_t least = above[j - 1] + differ;
            if (above[j] + 1 < least)
                least = above[j] + 1;
            if (row[j - 1] + 1 < least)
                least = row[j - 1] + 1;
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
                before[j - 2] + 1 < least)
                least = before[j - 2] + 1;
            row[j] = least;
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[n_b];
}

static bool starts_with(const char *text, const char *start)
{
    while (*start)
        if (lower(*text++) != lower(*start++))
            return false;
    return true;
}

const char *hl_text_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *nearest = NULL;
    size_t length = strlen(word), limit = length / 3 > 1 ? length / 3 : 1, least = limit + 1;
    if (length == 0 || length > LONGEST_WORD)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(candidates[i]);
        if (other > LONGEST_WORD)
            continue;
        size_t d = distance(word, length, candidates[i], other);
        if (starts_with(candidates[i], word))
            d = d < limit ? d : limit; /* an abbreviation: near, but a true misspelling is nearer */
        else if (d >= length)
            continue; /* not one letter is shared */
        if (d < least) {
            least = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}

const char *hl_text_did_you_mean(const char *word, const char *const *candidates, size_t n, char *buffer, size_t size)
{
    const char *nearest = hl_text_nearest(word, candidates, n);
    if (nearest)
        snprintf(buffer, size, "; did you mean '%s'?", nearest);
    else if (size > 0)
        buffer[0] = '\0';
    return buffer;
}

const char *hl_text_alternatives(const char *const *word, size_t n, char *buffer, size_t size)
{
    size_t used = 0;
    if (size > 0)
        buffer[0] = '\0';
    for (size_t i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", word[i]);
    return buffer;
}

const char *hl_text_one_of(const char *word, const char *const *candidates, size_t n, char *buffer, size_t size)
{
    if (*hl_text_did_you_mean(word, candidates, n, buffer, size))
        return buffer;
    size_t used = n > 0 ? (size_t)snprintf(buffer, size, "; expected ") : 0;
    if (used < size)
        hl_text_alternatives(candidates, n, buffer + used, size - used);
    return buffer;
}

uint64_t hl_text_hash(const char *text)
{
    return hl_text_hash_more(0xcbf29ce484222325u, text);
}

uint64_t hl_text_hash_more(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

bool hl_text_is_name(const char *text)
{
    if (!is_letter(*text))
        return false;
    while (is_letter(*text) || is_digit(*text) || *text == '_')
        text++;
    return *text == '\0';
}

/* "1e+05" and "1e-05" become "1e5" and "1e-5"; a decimal separator of the locale becomes a point. */
static void tidy_exponent(char *text)
{
    char *comma = strchr(text, ',');
    if (comma)
        *comma = '.';
    char *e = strchr(text, 'e');
    if (!e)
        return;
    char *to = e + 1, *from = e + 1;
    if (*from == '-')
        to++, from++;
    else if (*from == '+')
        from++;
    while (*from == '0' && from[1] != '\0')
        from++;
    memmove(to, from, strlen(from) + 1);
}

/* Fifteen digits show any shorter decimal as it was written (DBL_DIG), so the search may start there, except for
 * subnormal numbers, which carry fewer. */
const char *hl_text_shortest(double value, char *buffer, size_t size)
{
    if (!isfinite(value)) {
        snprintf(buffer, size, "%s", isnan(value) ? "nan" : value > 0.0 ? "inf" : "-inf");
        return buffer;
    }
    char text[40];
    int precision = fabs(value) < DBL_MIN && value != 0.0 ? 1 : DBL_DIG;
    for (; precision <= DBL_DECIMAL_DIG; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        tidy_exponent(text);
        if (number_in_c_locale(text) == value) /* exactly: that is the question */
            break;
    }
    snprintf(buffer, size, "%s", text);
    return buffer;
}

void hl_text_json(FILE *stream, const char *text)
{
    putc('"', stream);
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(stream, "\\%c", c);
        else if (c < 0x20)
            fprintf(stream, "\\u%04x", c);
        else
            putc(c, stream);
    }
    putc('"', stream);
}
