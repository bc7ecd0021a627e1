/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sorting that keeps the order of equals. Only for sim/regimen. */
#ifndef HL_REGIMEN_ORDER_H
#define HL_REGIMEN_ORDER_H

#include <stdbool.h>
#include <stddef.h>

/* Sorts n elements of size bytes, stably; before(a, b) says that a must stand before b. scratch has room for n
 * elements. A list that is already in order costs one pass. */
void hl_sort_stable(void *list, size_t n, size_t size, bool (*before)(const void *a, const void *b), void *scratch);

#endif
