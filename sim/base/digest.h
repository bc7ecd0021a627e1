/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 through libcrypto. */
#ifndef HL_BASE_DIGEST_H
#define HL_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

struct hl_digest;

struct hl_digest *hl_digest_create(void);
void hl_digest_add(struct hl_digest *digest, const void *bytes, size_t n);

/* Finishes, releases the digest and writes 64 hex digits and a NUL into hex[65] (or the 32 raw bytes). false, and all
 * zeros, when there was no memory or libcrypto failed. */
bool hl_digest_finish_hex(struct hl_digest *digest, char hex[65]);
bool hl_digest_finish_raw(struct hl_digest *digest, unsigned char raw[32]);

/* All in one. */
bool hl_digest_hex(const void *bytes, size_t n, char hex[65]);

#endif
