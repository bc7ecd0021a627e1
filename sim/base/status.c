/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outcomes: one table row per status, so that the exit code and the sentence can't drift apart. */
#include "base/status.h"

#include <stddef.h>

struct outcome {
    int exit_code;
    const char *sentence;
};

static const struct outcome outcomes[] = {
    [HL_OK] = {0, "all good"},
    [HL_ERR_INTERNAL] = {1, "a defect of the program: please report it together with the files that led here"},
    [HL_ERR_INPUT] = {2, "the command line or an input file has a fault"},
    [HL_ERR_SUBJECTS] = {3, "the run finished, but some subjects failed"},
    [HL_ERR_IO] = {4, "a file could not be read or written"},
    [HL_ERR_INTERRUPTED] = {5, "the run was interrupted"},
    [HL_ERR_MEMORY] = {1, "there is not enough memory"},
    [HL_ERR_DOMAIN] = {1, "a value lies outside the range where the method holds"},
    [HL_ERR_SOLVER] = {1, "an integration did not converge"},
};

static const struct outcome *outcome_of(enum hl_status status)
{
    static const struct outcome unknown = {1, "an outcome without a name: a defect of the program"};
    size_t row = (size_t)status;
    return row < sizeof outcomes / sizeof outcomes[0] ? &outcomes[row] : &unknown;
}

int hl_status_exit_code(enum hl_status status)
{
    return outcome_of(status)->exit_code;
}

const char *hl_status_sentence(enum hl_status status)
{
    return outcome_of(status)->sentence;
}
