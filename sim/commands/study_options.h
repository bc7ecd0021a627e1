/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options shared by every verb that reads a study: --subjects, --seed, --typical, --data, --set. */
#ifndef HL_COMMANDS_STUDY_OPTIONS_H
#define HL_COMMANDS_STUDY_OPTIONS_H

#include "base/progress.h"
#include "commands/arguments.h"
#include "study/study.h"

#define HL_STUDY_OPTIONS                                                                          \
    {"subjects", 0, "N", "another number of subjects than the study says"},                      \
    {"seed", 0, "S", "another seed than the study says"},                                        \
    {"typical", 0, NULL, "one subject: every eta zero, covariates at the models' defaults"},     \
    {"data", 0, "FILE.csv", "a NONMEM-style data set in the place of the study's arms"},         \
    {"set", 0, "KEY=VALUE", "change any value of the study or a model (may be repeated)"}

/* Room for what hl_study_options points at. */
struct hl_study_option_room {
    struct hl_set set[HL_MAX_WORDS];
    char text[HL_MAX_WORDS][512];
    const char *directory[1];
};

/* Fills options from the command line; HL_ERR_INPUT with messages. */
enum hl_status hl_study_options_read(const struct hl_arguments *arguments, struct hl_study_option_room *room,
                                     struct hl_study_options *options, struct hl_diag *diag);

/* --progress auto|plain|none: auto when it isn't given; HL_ERR_INPUT with a message. */
enum hl_status hl_progress_option(const struct hl_arguments *arguments, enum hl_progress_mode *mode,
                                  struct hl_diag *diag);

/* The arm that --arm names, by its name or its number from 0; the first when text is NULL. HL_ERR_INPUT with a
 * message. */
enum hl_status hl_find_arm(const struct hl_study *study, const char *text, size_t *arm, struct hl_diag *diag);

/* Exactly one word is expected ("a study"): it, or NULL with a message. */
const char *hl_one_word(const struct hl_arguments *arguments, const char *expected, struct hl_diag *diag);

#endif
