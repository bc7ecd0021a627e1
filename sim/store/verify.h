/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does a closed file hold what was handed to it? Called by the writer before a
 * file gets its name. */
#ifndef HL_STORE_VERIFY_H
#define HL_STORE_VERIFY_H

#include <stdbool.h>

#include "store/writer.h"

/* HL_OK when the file at path is as long as it says, and every dataset is there with its type, shape and attributes,
 * all of them readable. Chunks that were written as their final bytes must be present, of the size that was written and
 * inside the file; everything else is read back and compared with its digests. With writer->verify_all that is done to
 * the chunks, too. HL_ERR_IO otherwise, and why (size bytes) names the first that differs; HL_ERR_MEMORY when something
 * couldn't be read back for want of memory. */
enum hl_status hl_verify(const char *path, const struct hl_writer *writer, char *why, size_t size);

#endif
