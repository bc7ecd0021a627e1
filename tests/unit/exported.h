/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What export writes of a result, as a text that can be asked line by line. */
#ifndef HL_TESTS_EXPORTED_H
#define HL_TESTS_EXPORTED_H

#include <stdarg.h>

#include "store/export.h"
#include "unit/store_folder.h"

static char *text; /* the last table; whoever is last frees it */

/* What export makes of path and n names (const char *) is text afterwards. */
static inline enum hl_status export_to_text(struct hl_diag *diag, const struct hl_export_options *options, size_t n,
                                            ...)
{
    const char *names[8];
    va_list arguments;
    va_start(arguments, n);
    for (size_t i = 0; i < n; i++)
        names[i] = va_arg(arguments, const char *);
    va_end(arguments);
    size_t size;
    free(text);
    FILE *stream = open_memstream(&text, &size);
    enum hl_status status = hl_export(path, names, n, options, stream, diag);
    fclose(stream);
    return status;
}

/* Line number n of text, from 0. */
static inline const char *line(size_t n)
{
    static char copy[4000];
    const char *at = text;
    for (; n > 0 && at; n--) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    snprintf(copy, sizeof copy, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
    return copy;
}

static inline size_t n_lines(void)
{
    size_t n = 0;
    for (const char *at = text; *at; at++)
        n += *at == '\n';
    return n;
}

#endif
