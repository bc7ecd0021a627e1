/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading back: does a closed file hold what was handed to it? Called by the
 * writer before a file gets its name. */
#ifndef HL_STORE_VERIFY_H
#define HL_STORE_VERIFY_H

#include <stdbool.h>

#include "store/writer.h"

/* HL_OK when every dataset is in the file at path with its type, shape and scales, and every block has its digest.
 * HL_ERR_IO otherwise, and why (size bytes) names the first that doesn't; HL_ERR_MEMORY when it couldn't be read
 * back. */
enum hl_status hl_verify(const char *path, struct hl_dataset *const *dataset, size_t n, char *why, size_t size);

#endif
