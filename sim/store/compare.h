/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What differs between two results. */
#ifndef HL_STORE_COMPARE_H
#define HL_STORE_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/status.h"

/* Prints the settings that differ (root attributes; lines of study and models), the variables only one of them has, and
 * for every common one the largest absolute and relative deviation and where it is. *same (may be NULL) tells whether
 * all numbers are equal. A difference is no failure. */
enum hl_status hl_compare(const char *path_a, const char *path_b, FILE *stream, bool *same, struct hl_diag *diag);

#endif
