/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a study that asks for a taper to the taper, its certificate, its judgement and a result file (halflife taper):
 * read and prepare, forecast the cohort, search, prove a bound, check by the exact engine, write an ordinary study with
 * everything in it that was asked for, run it, and tell. */
#ifndef HL_DESIGN_H
#define HL_DESIGN_H

#include "run.h"
#include "base/dates.h"

struct hl_design_options {
    const char *study_path;
    struct hl_study_options study;
    const char *output;              /* a folder, or the start of the files' names; NULL: output/STUDY */
    int threads;                     /* 0: as many as OpenMP gives */
    bool force, dry_run, quiet;
    bool json;                       /* the answer as JSON in the place of text */
    uint64_t most_work;              /* steps of single subjects after which search and proof each end; 0: no limit */
    bool nearest;                    /* a bound that can't be kept is replaced by the nearest one that can */
    bool alone;                      /* design only: compare with nothing and write no result */
    enum hl_progress_mode progress;
    bool dated; struct hl_date start; /* the date of the first reduced dose, for the calendar */
    const char *command_line;
};

/* HL_OK when a taper was found that keeps its constraints on the cohort it was designed on, by the exact engine.
 * HL_ERR_INPUT when there is none (the nearest feasible bound is told; with nearest the design goes on with it),
 * HL_ERR_SUBJECTS as of a run. Results go to standard output, progress to standard error. */
enum hl_status hl_design(const struct hl_design_options *options, struct hl_diag *diag);

#endif
