/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variables of a result as a text table: one row per arm, subject and time (or
 * window, or dose), one column per variable, quantile or threshold. The command
 * `export` and the figures of `plot` read results through it. */
#ifndef HL_STORE_EXPORT_H
#define HL_STORE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/status.h"

struct hl_export_options {
    const char *format; /* "csv" (also NULL), "tsv" or "nonmem" */
    bool wide;          /* one row per time, one column per subject (or per arm) */
    bool units;         /* column headers carry "[unit]" */
    const char *arm;    /* name or number from 0; NULL for all */
    uint64_t subject;   /* 1-based; 0 for all */
    double every;       /* thin the times to steps of at least this [h]; 0 for all */
    const char *rows;   /* of data-set results: "all" (also NULL) or "obs" */
};

struct hl_result;

/* Writes the attributes of the file and of its variables as a table of variable, attribute and value, with the numbers
 * of arms and subjects and the arms' names; what `export FILE attributes` prints. */
enum hl_status hl_export_attributes(const struct hl_result *result, char separator, FILE *stream);

/* Writes the named variables (or groups: "doses", "design", "subjects", "metrics"; dotted names allowed) as one table;
 * without names all trajectories; the name
 * "attributes" alone stands for the table above. Variables must lie on the same axes, or on some of them: a covariate
 * beside a trajectory is repeated. HL_ERR_INPUT with a message when they don't or a name is unknown; a reader that
 * closes its end of the pipe ends the table quietly. */
enum hl_status hl_export(const char *path, const char *const *variable, size_t n,
                         const struct hl_export_options *options, FILE *stream, struct hl_diag *diag);

#endif
