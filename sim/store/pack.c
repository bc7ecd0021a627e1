/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shuffling puts the first bytes of all values together, then the second bytes, and so on: neighbouring concentrations
 * share sign, exponent and leading digits, and deflate finds long runs. HDF5 registers these filters as numbers 2
 * (shuffle) and 1 (deflate, zlib format); a chunk made here is read by every HDF5 reader.
 *
 * The last digits of a computed number are noise, which a compressor searches in vain: of a float32's four planes of
 * bytes the first two often take most of the time and lose a hundredth of their size. At level 1, where time is what
 * counts, the first planes are looked at in samples, and those that wouldn't shrink go into the zlib stream as they are
 * (stored blocks, RFC 1951, 3.2.4; deflate's window simply begins behind them). A look counts what repeats, however far
 * apart within the sample, and takes the rest to need its entropy (Shannon, Bell Syst Tech J 1948;27:379); in chunks of
 * W1 that is within 0.06 of what deflate makes of the sample, near 1 within 0.01, in a third of the time.
 *
 * Rounding: a float32 has 23 bits of mantissa behind the leading one. Keeping 10 leaves 13 zero bits that cost nothing
 * once compressed, and an error of at most half a unit of the tenth bit, 2^-11 = 4.9e-4 of the value. */
#include "store/pack.h"

#include <libdeflate.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/vector.h"

#define STORED_MOST 65535u      /* bytes of a stored block */
#define BEFORE 5                /* and before them: its kind, its length twice */
#define SAMPLE 8192             /* bytes looked at, at two places of a plane */
#define PLACES 4096             /* a power of 2 */
#define PLACES_SHIFT 20         /* of 32 bits */
#define REPEAT_BITS 20.0        /* length and distance, with their extra bits */
#define SHRINKS 0.98            /* a plane of which more than that is left is noise */

struct hl_packer {
    struct libdeflate_compressor *compressor;
    bool hurries;               /* noise isn't searched */
};

struct hl_packer *hl_packer_create(int level)
{
    struct hl_packer *packer = hl_alloc(1, sizeof *packer);
    if (!packer)
        return NULL;
    packer->hurries = level == 1;
    packer->compressor = libdeflate_alloc_compressor(level);
    if (!packer->compressor) {
        hl_free(packer);
        return NULL;
    }
    return packer;
}

void hl_packer_free(struct hl_packer *packer)
{
    if (!packer)
        return;
    libdeflate_free_compressor(packer->compressor);
    hl_free(packer);
}

size_t hl_pack_bound(struct hl_packer *packer, size_t n)
{
    return libdeflate_zlib_compress_bound(packer->compressor, n) + BEFORE * (n / STORED_MOST + 1);
}

/* ---- Shuffling: several values at a time, each plane's bytes by a shift and a conversion. */

#define WIDE 16     /* words of four bytes */
#define LONG_WIDE 8 /* of eight */
typedef uint8_t bytes_of_words __attribute__((vector_size(WIDE)));

#define SHUFFLE(NAME, WORD)                                                                                     \
    typedef WORD NAME##_words __attribute__((vector_size(WIDE * sizeof(WORD))));                                \
    HL_CLONES static void NAME(const unsigned char *from, size_t count, unsigned char *to)                      \
    {                                                                                                           \
        for (size_t i = 0; i < count; i += WIDE) {                                                              \
            NAME##_words value;                                                                                 \
            memcpy(&value, from + i * sizeof(WORD), sizeof value);                                              \
            for (unsigned byte = 0; byte < sizeof(WORD); byte++) {                                              \
                bytes_of_words plane = __builtin_convertvector((value >> 8 * byte) & 255u, bytes_of_words);     \
                memcpy(to + byte * count + i, &plane, sizeof plane);                                            \
            }                                                                                                   \
        }                                                                                                       \
    }

SHUFFLE(shuffle_words, uint32_t)
SHUFFLE(shuffle_long_words, uint64_t)

static void shuffle(const unsigned char *from, size_t n, size_t size, unsigned char *to)
{
    size_t count = n / size;
    if (count % WIDE == 0 && size == sizeof(uint32_t))
        shuffle_words(from, count, to);
    else if (count % WIDE == 0 && size == sizeof(uint64_t))
        shuffle_long_words(from, count, to);
    else
        for (size_t byte = 0; byte < size; byte++)
            for (size_t i = 0; i < count; i++)
                to[byte * count + i] = from[i * size + byte];
}

/* ---- Deflating. */

static uint32_t four_bytes(const unsigned char *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return four;
}

/* Of how many bytes from a and from b on are alike, b being before end. */
static size_t alike(const unsigned char *a, const unsigned char *b, const unsigned char *end)
{
    size_t n = 0;
    while (b + n < end && a[n] == b[n])
        n++;
    return n;
}

/* Bits by the entropy of a distribution of bytes. */
static double entropy_bits(const uint32_t count[256], size_t all)
{
    double bits = 0;
    for (size_t i = 0; i < 256; i++)
        if (count[i] > 0)
            bits += count[i] * log2((double)all / count[i]);
    return bits;
}

/* Bits that deflate would leave of a sample, about: four or more bytes that were there before are told as a repeat. */
static double bits_left(const unsigned char *sample)
{
    uint16_t last[PLACES] = {0}; /* where four bytes with this hash last were */
    uint32_t count[256] = {0};
    size_t repeats = 0, singles = 0;
    for (size_t i = 0; i < SAMPLE;) {
        size_t n = 0;
        if (i + 4 <= SAMPLE) {
            uint16_t *place = &last[four_bytes(sample + i) * 0x9E3779B1u >> PLACES_SHIFT];
            if (*place < i && four_bytes(sample + *place) == four_bytes(sample + i))
                n = alike(sample + *place, sample + i, sample + SAMPLE);
            *place = (uint16_t)i;
        }
        repeats += n > 0;
        singles += n == 0;
        count[sample[i]] += n == 0;
        i += n > 0 ? n : 1;
    }
    return REPEAT_BITS * (double)repeats + entropy_bits(count, singles);
}

static bool is_noise(const unsigned char *plane, size_t n)
{
    return bits_left(plane + n / 4) + bits_left(plane + n / 4 * 3 - SAMPLE) > SHRINKS * 2 * 8 * SAMPLE;
}

/* Bytes of the planes at the front that aren't worth a search; never all of them. */
static size_t noise(const struct hl_packer *packer, const unsigned char *planes, size_t n, size_t size)
{
    size_t count = n / size, left = 0;
    if (!packer->hurries || count < 4 * SAMPLE)
        return 0;
    while (left + 1 < size && is_noise(planes + left * count, count))
        left++;
    return left * count;
}

/* Stored blocks, none of them the last of the stream; returns the byte behind them. */
static unsigned char *store_plainly(const unsigned char *from, size_t n, unsigned char *to)
{
    for (size_t piece; n > 0; from += piece, n -= piece, to += piece) {
        piece = n < STORED_MOST ? n : STORED_MOST;
        unsigned length = (unsigned)piece, inverse = ~length;
        *to++ = 0;
        for (unsigned i = 0; i < 2; i++)
            *to++ = (unsigned char)(length >> 8 * i);
        for (unsigned i = 0; i < 2; i++)
            *to++ = (unsigned char)(inverse >> 8 * i);
        memcpy(to, from, piece);
    }
    return to;
}

/* A zlib stream (RFC 1950) whose first bytes are stored and whose rest is deflated. */
static size_t pack_in_part(const struct hl_packer *packer, const unsigned char *planes, size_t n, size_t stored,
                           unsigned char *out, size_t room)
{
    unsigned char *to = out;
    *to++ = 0x78; /* deflate, a window of 32 KiB */
    *to++ = 0x01; /* fastest; makes the two a multiple of 31 */
    to = store_plainly(planes, stored, to);
    size_t deflated = libdeflate_deflate_compress(packer->compressor, planes + stored, n - stored, to,
                                                  room - (size_t)(to - out) - 4);
    if (deflated == 0)
        return 0;
    to += deflated;
    uint32_t sum = libdeflate_adler32(1, planes, n);
    for (int shift = 24; shift >= 0; shift -= 8)
        *to++ = (unsigned char)(sum >> shift);
    return (size_t)(to - out);
}

size_t hl_pack(struct hl_packer *packer, const void *values, size_t n, size_t size, void *scratch, void *out)
{
    size_t room = hl_pack_bound(packer, n);
    shuffle(values, n, size, scratch);
    size_t stored = noise(packer, scratch, n, size);
    return stored > 0 ? pack_in_part(packer, scratch, n, stored, out, room)
                      : libdeflate_zlib_compress(packer->compressor, scratch, n, out, room);
}

float hl_round_float(float value)
{
    enum { DROPPED = 13 };
    uint32_t bits;
    if (!isfinite(value))
        return value;
    memcpy(&bits, &value, sizeof bits);
    uint32_t even = (bits >> DROPPED) & 1u;
    bits = (bits + (1u << (DROPPED - 1)) - 1u + even) & ~((1u << DROPPED) - 1u);
    float rounded;
    memcpy(&rounded, &bits, sizeof rounded);
    return isfinite(rounded) ? rounded : value; /* the few values within rounding of the largest float stay as they
                                                   are */
}
