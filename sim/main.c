/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: prepares what is global (GSL's handler off, signals, units) and hands over to the verbs. Only this file
 * decides how the process ends. */
#include <gsl/gsl_errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/units.h"
#include "commands/command.h"
#include "run.h"

static int interrupted_code;

static void on_interrupt(int signal_number)
{
    static const char words[] = "\nhalflife: error: interrupted; nothing was kept\n";
    if (hl_run_may_end_now())
        _exit(write(STDERR_FILENO, words, sizeof words - 1) < 0 ? 1 : interrupted_code);
    hl_run_interrupt(); /* finishes the current block, then gives up cleanly */
    signal(signal_number, SIG_DFL); /* a second one ends the process at once */
}

int main(int argc, char **argv)
{
    hl_memory_keep_pages();
    gsl_set_error_handler_off();
    setlocale(LC_NUMERIC, "C");
    interrupted_code = hl_status_exit_code(HL_ERR_INTERRUPTED);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is an error of write(), not a death */
    if (!hl_units_start()) {
        fputs(
            "halflife: error: the UDUNITS-2 unit database can't be read; install udunits (Debian: libudunits2-data)\n",
            stderr);
        return hl_status_exit_code(HL_ERR_IO);
    }
    int code = hl_commands_main(argc, argv);
    hl_units_stop();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("halflife: error: standard output could not be written\n", stderr);
        code = code ? code : hl_status_exit_code(HL_ERR_IO);
    }
    return code;
}
