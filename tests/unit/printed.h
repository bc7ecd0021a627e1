/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a test's messages look like to a person, and a check that they say something. */
#ifndef HL_TESTS_PRINTED_H
#define HL_TESTS_PRINTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/diag.h"

/* The messages not yet printed, in a buffer that the next call overwrites. */
static inline const char *printed(struct hl_diag *diag)
{
    static char buffer[16384];
    memset(buffer, 0, sizeof buffer);
    FILE *stream = fmemopen(buffer, sizeof buffer - 1, "w");
    hl_diag_print(diag, stream);
    fclose(stream);
    return buffer;
}

/* Fails the test unless those messages contain wanted. */
static inline void assert_printed(struct hl_diag *diag, const char *wanted)
{
    const char *text = printed(diag);
    if (!strstr(text, wanted))
        fail_msg("expected a message with \"%s\" but found \"%s\"", wanted, text);
}

#endif
