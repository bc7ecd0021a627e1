/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of store/ share: a folder of their own with two results in it. */
#ifndef HL_TESTS_STORE_FOLDER_H
#define HL_TESTS_STORE_FOLDER_H

#include <dirent.h>
#include <unistd.h>

#include "unit/store_sample.h"

static char folder[] = "/tmp/hl-store-XXXXXX";
static char path[200], other[200];

static inline int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/result.h5", folder);
    snprintf(other, sizeof other, "%s/other.h5", folder);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

/* How many files the folder holds. */
static inline int files_in_folder(void)
{
    int n = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; (entry = readdir(directory));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return n;
}

#endif
