/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One look at the values of a solved block while they are in the cache: what mean, deviation and shares above
 * thresholds need, and which values quantiles must keep. Inside the room and for run_columns.c. */
#ifndef HL_MEASURE_SIEVE_H
#define HL_MEASURE_SIEVE_H

#include <stddef.h>
#include <stdint.h>

#define HL_SIEVE_GROUP 64 /* columns whose kept values are found together; a multiple of HL_SIEVE_TILE */
#define HL_SIEVE_SPARE 2  /* values: room for kept ones beyond the last */
#define HL_SIEVE_TILE 4   /* columns looked at side by side: rows of columns are padded to a multiple of it */

/* What n columns are held against; rows of `stride` columns each. A bracket (low, high] keeps what lies in it, but of
 * values equal to `same` (NaN: none) only their number; one that isn't used is (inf, inf]. */
struct hl_sieve {
    size_t n, stride;
    const uint32_t *column;                             /* [n]: where its values begin, in rows of `lanes` */
    const uint16_t *n_brackets;                         /* [stride]: of each column */
    const double *low, *high, *same;                    /* [the most of them][stride] */
    size_t n_levels; const double *level;               /* [n_levels][stride]; infinity where there is none */
};

/* What came of a strip of at most 64 subjects so far, block after block; zeros at first. */
struct hl_sifted {
    double *count, *sum, *squares; /* [stride]: of values that are numbers; squares around their mean */
    uint8_t *above, *equal;        /* [n_brackets][stride]: values greater than low; in it and equal to same */
    uint8_t *over;                 /* [n_levels][stride]: values greater than the level */
};

/* Columns of a block: out[column * lanes] is a column's first value, of `lanes` (a multiple of 8, at most 64) side by
 * side, NaN where there is nobody. Values that are kept go to `kept`, column after column; inside[i] is how many of
 * column i of the list, offset[g] where those of columns from g * HL_SIEVE_GROUP on begin. kept has room for n * lanes
 * values and HL_SIEVE_SPARE more. Returns the number kept. */
size_t hl_sieve_block(const struct hl_sieve *sieve, const double *out, size_t lanes, struct hl_sifted *sifted,
                      uint8_t *inside, uint32_t *offset, double *kept);

#endif
