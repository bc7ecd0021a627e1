/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A system written as a model for another tool, so that anyone can check halflife with the tool they trust: a NONMEM
 * control stream, an mrgsolve model, an rxode2 script. The text works in the engine's units (h, mg, L) and gives
 * outputs in the units their models state. What a tool can't say is written as a comment and reported as a warning;
 * nothing is left out silently. Called by commands/. */
#ifndef HL_TRANSLATE_TRANSLATE_H
#define HL_TRANSLATE_TRANSLATE_H

#include <stdio.h>

#include "base/diag.h"
#include "base/status.h"
#include "model/system.h"

enum hl_target { HL_TO_NONMEM, HL_TO_MRGSOLVE, HL_TO_RXODE2, HL_N_TARGETS };

/* "nonmem", ...; what the text is called there: "control stream"; the usual end of a file's name: "ctl". */
const char *hl_target_name(enum hl_target target);
const char *hl_target_text(enum hl_target target);
const char *hl_target_suffix(enum hl_target target);

/* Finds a target by name; false when there is none. */
bool hl_target_find(const char *name, enum hl_target *target);

struct hl_translation {
    enum hl_target target;
    const struct hl_system *system;   /* linked; values of parameters and defaults of covariates from initial[] */
    const double *covariate;          /* defaults of the system's covariates [engine's units]; NULL: initial[] */
    size_t n_notes; const char *const *note; /* sentences on what isn't translated, to stand with the text's own */
    const char *source;               /* what was asked for: "clonazepam_adult", "configs/akita2021.yaml" */
    size_t n_outputs; const char *const *output; /* dotted names; only these and what they need. 0: everything */
    size_t occasions;                 /* how many occasions between-occasion effects are written for, at least 1 */
    size_t doses;                     /* how many doses of a route with released: may be under way at once */
    bool typical;                     /* NONMEM: variances 0, for comparing typical subjects */
    const char *data;                 /* name of the data file in the text; NULL: events.csv */
    size_t n_columns; const char *const *column; /* header of that file, names alone; covariates not among them are
                                                    fixed at their defaults. 0: every covariate is a column */
    const struct hl_unit *column_unit; const char *const *column_unit_text; /* by column; unit_text NULL: the model's */
};

/* Writes the text to stream. HL_ERR_INPUT with messages in diag when nothing faithful can be written (an output that
 * doesn't exist, names that can't be told apart); warnings say what the text can't express and what to do. */
enum hl_status hl_translate(const struct hl_translation *translation, FILE *stream, struct hl_diag *diag);

#endif
