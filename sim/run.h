/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a study file to a result file: the picture of the architecture page, in C. */
#ifndef HL_RUN_H
#define HL_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/progress.h"
#include "data/data_set.h"
#include "store/store.h"
#include "taper/read.h"

struct hl_run_options {
    const char *study_path;
    struct hl_study_options study;
    const char *output;              /* path of the result, or NULL: output/STUDY.h5 beside the current directory */
    int threads;                     /* 0: as many as OpenMP gives */
    size_t block;                    /* subjects solved together, 64 at most; 0: the default. Results don't know it */
    double memory;                   /* bytes that may be used, about; 0: half of the machine's */
    bool force, dry_run, quiet;
    bool verify;                     /* read the whole file back before it gets its name */
    enum hl_progress_mode progress;
    const char *command_line;
    size_t n_notes; const struct hl_note *note; /* further attributes of the result, such as a design's certificate */
};

/* A study made ready: everything that must be right before the first subject is solved. */
struct hl_prepared {
    struct hl_arena *arena;
    struct hl_study *study;
    struct hl_regimen **regimen;     /* by arm */
    struct hl_cohort **cohort;
    struct hl_plan **plan;
    struct hl_data_set *data;        /* NULL for a study of prescriptions */
    struct hl_taper_request *request; /* what is to be designed; NULL for a study that can run */
};

/* Reads and checks a study as far as possible without solving it. HL_ERR_INPUT with messages in diag; *prepared must be
 * released in any case. */
enum hl_status hl_prepare(const char *path, const struct hl_study_options *options, struct hl_prepared *prepared,
                          struct hl_diag *diag);

/* The same for the text of a study that the program made itself; name stands in messages, models are looked for as for
 * a file of that name. */
enum hl_status hl_prepare_text(const char *name, const char *text, const struct hl_study_options *options,
                               struct hl_prepared *prepared, struct hl_diag *diag);
void hl_prepared_clear(struct hl_prepared *prepared);

/* What would run: subjects, arms, events, times, outputs, the plan of each arm; bytes of the file before compression,
 * memory (of so many bytes that may be used; 0: the default) and time, for which some subjects are solved. output may
 * be NULL. */
void hl_prepared_describe(const struct hl_prepared *prepared, const char *output, double memory, FILE *stream);

/* One line for each drug of an arm whose doses are sometimes missed: how many there are, and the rule. */
void hl_prepared_describe_adherence(const struct hl_prepared *prepared, size_t arm, FILE *stream);

/* The whole pipeline. HL_ERR_SUBJECTS when the file is complete but some subjects failed; HL_ERR_INTERRUPTED after a
 * signal. Messages go to diag and, unless quiet, to standard error. */
enum hl_status hl_run(const struct hl_run_options *options, struct hl_diag *diag);

/* Asks a run in progress to stop at the next block; safe in a signal handler. */
void hl_run_interrupt(void);

/* While nothing is being written (a design is searched for, say) there is nothing to give up cleanly: an interrupt may
 * end the process at once. Off at first. */
void hl_run_may_end(bool may);
bool hl_run_may_end_now(void);

/* What hl_run_interrupt sets, to be looked at between blocks. */
const volatile sig_atomic_t *hl_run_stop(void);

#endif
