/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 through libcrypto's EVP interface, which picks the processor's own instructions. A digest that libcrypto
 * could not compute must never look like one: it comes out as 64 zeros, which no message is known to have. */
#include "base/digest.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

struct hl_digest {
    EVP_MD_CTX *context;
    bool failed;
};

struct hl_digest *hl_digest_create(void)
{
    struct hl_digest *digest = hl_alloc(1, sizeof *digest);
    if (!digest)
        return NULL;
    digest->context = EVP_MD_CTX_new();
    if (digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1)
        return digest;
    EVP_MD_CTX_free(digest->context);
    hl_free(digest);
    return NULL;
}

void hl_digest_add(struct hl_digest *digest, const void *bytes, size_t n)
{
    if (digest && n > 0 && EVP_DigestUpdate(digest->context, bytes, n) != 1)
        digest->failed = true;
}

bool hl_digest_finish_raw(struct hl_digest *digest, unsigned char raw[32])
{
    unsigned int n = 0;
    bool good = digest && !digest->failed && EVP_DigestFinal_ex(digest->context, raw, &n) == 1 && n == 32;
    if (!good)
        memset(raw, 0, 32);
    if (digest)
        EVP_MD_CTX_free(digest->context);
    hl_free(digest);
    return good;
}

bool hl_digest_finish_hex(struct hl_digest *digest, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[32];
    bool good = hl_digest_finish_raw(digest, raw);
    for (size_t i = 0; i < 32; i++) {
        hex[2 * i] = digits[raw[i] >> 4];
        hex[2 * i + 1] = digits[raw[i] & 15];
    }
    hex[64] = '\0';
    return good;
}

bool hl_digest_hex(const void *bytes, size_t n, char hex[65])
{
    struct hl_digest *digest = hl_digest_create();
    hl_digest_add(digest, bytes, n);
    return hl_digest_finish_hex(digest, hex);
}
