/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding our own files. The order lets a checkout win over an installed copy, and the user over both. */
#include "commands/places.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "build_info.h"

#define N_PLACES 8

bool hl_place_is_same(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

const char *hl_place_of_program(void)
{
    static char path[PATH_MAX];
    if (path[0])
        return path;
#ifdef __APPLE__
    uint32_t size = sizeof path;
    if (_NSGetExecutablePath(path, &size) == 0)
        return path;
#else
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n > 0) {
        path[n] = '\0';
        return path;
    }
#endif
    strcpy(path, "halflife");
    return path;
}

static void directory_of_program(char *buffer, size_t size)
{
    snprintf(buffer, size, "%s", hl_place_of_program());
    char *slash = strrchr(buffer, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(buffer, size, ".");
}

static int is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

const char *hl_place(const char *sub)
{
    static char found[N_PLACES][PATH_MAX];
    static size_t next;
    char here[PATH_MAX];
    directory_of_program(here, sizeof here);
    const char *user = getenv("HALFLIFE_DATA");
    char candidate[4][PATH_MAX + 64];
    snprintf(candidate[0], sizeof candidate[0], "%s/%s", user ? user : "", sub);
    snprintf(candidate[1], sizeof candidate[1], "%s/../%s", here, sub);
    snprintf(candidate[2], sizeof candidate[2], "%s/../share/halflife/%s", here, sub);
    snprintf(candidate[3], sizeof candidate[3], "%s/%s", HL_DATADIR, sub);
    for (size_t i = user ? 0 : 1; i < 4; i++) {
        char *slot = found[next % N_PLACES];
        if (is_directory(candidate[i]) && realpath(candidate[i], slot)) {
            next++;
            return slot;
        }
    }
    return NULL;
}

size_t hl_place_models(const char *directory[3])
{
    directory[0] = ".";
    directory[1] = "models";
    directory[2] = hl_place("models");
    return directory[2] ? 3 : 2;
}
