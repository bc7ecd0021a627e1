/* SPDX-License-Identifier: GPL-3.0-or-later */
/* halflife version: what this program is and what it was made with. */
#include <H5public.h>
#include <gsl/gsl_version.h>
#include <libdeflate.h>
#include <omp.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <yaml.h>

#include "build_info.h"
#include "commands/command.h"

static enum hl_status run_version(const struct hl_arguments *arguments, struct hl_diag *diag)
{
    (void)arguments;
    (void)diag;
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    printf("halflife %s (%s%s)\n%s\n%s\n", HL_VERSION, HL_COMMIT, HL_DIRTY ? ", with local changes" : "", HL_COMPILER,
           HL_CFLAGS);
    printf("GSL %s, HDF5 %u.%u.%u, libyaml %s, libdeflate %s, %s, OpenMP %d with %d threads\n", gsl_version, major,
           minor, release, yaml_get_version_string(), LIBDEFLATE_VERSION_STRING, OpenSSL_version(OPENSSL_VERSION),
           _OPENMP, omp_get_max_threads());
    puts("GPL-3.0-or-later. For education and research, not for dosing.");
    return HL_OK;
}

const struct hl_command hl_command_version = {
    .name = "version", .usage = "", .summary = "prints version, commit, compiler and libraries",
    .examples = "  halflife version\n", .run = run_version,
};
