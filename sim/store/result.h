/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A result file, opened to be read: what variables it has, on which axes, and
 * parts of them as doubles. Called by export, summary, compare and plot. */
#ifndef HL_STORE_RESULT_H
#define HL_STORE_RESULT_H

#include <stdint.h>

#include "base/diag.h"
#include "base/status.h"
#include "store/hdf.h"
#include "store/payload.h"

struct hl_result_variable {
    const char *path;          /* "/metrics/clonazepam_Cp_Cmax" */
    const char *group, *name;  /* "/metrics" ("" for the root) and "clonazepam_Cp_Cmax" */
    enum hl_hdf_type type;
    int rank;
    uint64_t dims[HL_MAX_RANK];
    const char *axis[HL_MAX_RANK];
    bool is_scale;             /* the values of an axis */
    const char *unit, *long_name, *output, *statistic; /* attributes, or NULL */
    size_t n_flags; const char **flag; int first_flag; /* meanings of codes first_flag, first_flag + 1, ... */
};

struct hl_result {
    struct hl_arena *arena;
    const char *path;
    hid_t file;
    size_t n_variables; struct hl_result_variable *variable; /* in order of creation, provenance left out */
    size_t n_texts; const char **text_name;                  /* entries of /provenance */
    uint64_t n_arms, n_subjects, n_times, n_records;         /* n_records: rows of /records, 0 without a data set */
    const char **arm_name;
    double *time;                                            /* [h] */
};

/* True when there is an HDF5 file of this name, by how it begins; no message. */
bool hl_result_is_file(const char *path);

/* Opens a result for reading. HL_ERR_IO with a message in diag when it can't be read, HL_ERR_INPUT when it isn't a
 * result of this program. */
enum hl_status hl_result_open(const char *path, struct hl_result **result, struct hl_diag *diag);
void hl_result_close(struct hl_result *result);

/* A variable by path, by name, or by dotted name ("clonazepam.Cp", "metrics/clonazepam.Cp.Cmax"); NULL, with the
 * nearest right name in diag (which may be NULL), when there is none. */
const struct hl_result_variable *hl_result_find(const struct hl_result *result, const char *name, struct hl_diag *diag);

/* The variable with exactly this path, or NULL. */
const struct hl_result_variable *hl_result_at(const struct hl_result *result, const char *path);

/* The values of a variable's axis number i; NULL when there are none (caller does not free; no memory ends the
 * process). */
const double *hl_result_axis(const struct hl_result *result, const struct hl_result_variable *variable, int i);

/* The part from start with count elements along each axis as doubles, last axis fastest. HL_ERR_IO with a message. */
enum hl_status hl_result_read(const struct hl_result *result, const struct hl_result_variable *variable,
                              const uint64_t *start, const uint64_t *count, double *values, struct hl_diag *diag);

/* A root attribute, or an attribute of an object ("/provenance/study", "text"); NULL when absent. */
const char *hl_result_attribute(const struct hl_result *result, const char *object, const char *name);

/* Number of the arm of this name or with this number from 0. HL_ERR_INPUT with the nearest right name. */
enum hl_status hl_result_arm(const struct hl_result *result, const char *text, uint64_t *arm, struct hl_diag *diag);

/* Index of an axis name among a variable's axes, or -1. */
int hl_result_axis_index(const struct hl_result_variable *variable, const char *axis);

#endif
