/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Merge sort from the bottom up: runs of 1, 2, 4, ... are merged between the list and the scratch. The library's qsort
 * isn't stable, and doses of the same time must stay in the order of prescription. */
#include "regimen/order.h"

#include <string.h>

typedef bool before_function(const void *a, const void *b);

static bool is_sorted(const char *list, size_t n, size_t size, before_function *before)
{
    for (size_t i = 1; i < n; i++)
        if (before(list + i * size, list + (i - 1) * size))
            return false;
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
    if (is_sorted(list, n, size, before))
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
