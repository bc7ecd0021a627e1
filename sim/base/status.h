/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outcomes. Every function of the engine that can fail returns one of these;
 * the place where it went wrong writes the message once (diag.h), callers only
 * pass the status up, and main() turns it into an exit code. */
#ifndef HL_BASE_STATUS_H
#define HL_BASE_STATUS_H

enum hl_status {
    HL_OK = 0,
    HL_ERR_INTERNAL,    /* a defect of the program                        exit 1 */
    HL_ERR_INPUT,       /* usage, study, model or data at fault            exit 2 */
    HL_ERR_SUBJECTS,    /* finished, but some subjects failed              exit 3 */
    HL_ERR_IO,          /* a file could not be read or written             exit 4 */
    HL_ERR_INTERRUPTED, /* stopped by a signal                             exit 5 */
    HL_ERR_MEMORY,      /* an allocation failed                            exit 1 */
    HL_ERR_DOMAIN,      /* a value outside the range where a method holds  exit 1 */
    HL_ERR_SOLVER       /* an integration did not converge                 exit 1 */
};

/* The process exit code that stands for a status (0 to 5, interface of the command line). */
int hl_status_exit_code(enum hl_status status);

/* One sentence a user understands, without a full stop at its end; never NULL. */
const char *hl_status_sentence(enum hl_status status);

#endif
