/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A regimen is almost in order: its doses are, and lags carry their arrivals a few places on. So each element is first
 * moved to the left as far as it has to go; only when that takes more than a few moves per element are runs of 1, 2, 4,
 * ... merged from the bottom up between the list and the scratch. The library's qsort isn't stable, and doses of the
 * same time must stay in the order of prescription. */
#include "regimen/order.h"

#include <string.h>

typedef bool before_function(const void *a, const void *b);

#define MOVES_PER_ELEMENT 4

/* Puts elements in order one by one; false when it would take too many moves (what is done so far is a stable
 * start). */
static bool insert_all(char *list, size_t n, size_t size, before_function *before, char *scratch)
{
    size_t moves = 0;
    for (size_t i = 1; i < n; i++) {
        size_t to = i;
        while (to > 0 && before(list + i * size, list + (to - 1) * size))
            to--;
        if (to == i)
            continue;
        moves += i - to;
        memcpy(scratch, list + i * size, size);
        memmove(list + (to + 1) * size, list + to * size, (i - to) * size);
        memcpy(list + to * size, scratch, size);
        if (moves > MOVES_PER_ELEMENT * n)
            return false;
    }
    return true;
}

/* Merges from[a, b) and from[b, c) into to[a, c); of equals the left one first. */
static void merge(const char *from, char *to, size_t a, size_t b, size_t c, size_t size, before_function *before)
{
    size_t left = a, right = b;
    for (size_t k = a; k < c; k++) {
        bool take_right = left == b || (right < c && before(from + right * size, from + left * size));
        memcpy(to + k * size, from + (take_right ? right++ : left++) * size, size);
    }
}

void hl_sort_stable(void *list, size_t n, size_t size, before_function *before, void *scratch)
{
    if (n < 2 || insert_all(list, n, size, before, scratch))
        return;
    char *from = list, *to = scratch;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t a = 0; a < n; a += 2 * width)
            merge(from, to, a, a + width < n ? a + width : n, a + 2 * width < n ? a + 2 * width : n, size, before);
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != list)
        memcpy(list, from, n * size);
}
