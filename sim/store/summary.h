/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A result in one screen: what was run, and each metric across the cohort. */
#ifndef HL_STORE_SUMMARY_H
#define HL_STORE_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/status.h"

/* Prints title, status, seed, arms, subjects, outputs, and per arm each metric's median [5 %, 95 %], mean and sd over
 * the subjects that have a value; as JSON (not-a-number as null) when json. */
enum hl_status hl_summary(const char *path, bool json, FILE *stream, struct hl_diag *diag);

#endif
