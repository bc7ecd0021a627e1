/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers as a pure function of (seed, subject, stream, draw), through
 * Random123's Philox4x64-10 (Salmon et al. 2011, doi 10.1145/2063384.2063405).
 * The stream is the hash of the quantity's name (hl_text_hash), so that adding
 * one quantity never shifts another. */
#ifndef HL_BASE_RANDOM_H
#define HL_BASE_RANDOM_H

#include <stdint.h>

/* Uniform on the open interval (0, 1): one of the 2^52 odd multiples of 2^-53, so that neither end and no rounding
 * to an end can occur, and u and 1 - u are equally likely. */
double hl_random_uniform(uint64_t seed, uint64_t subject, uint64_t stream, uint64_t draw);

/* Standard normal by inversion of hl_random_uniform (one uniform, one normal). */
double hl_random_normal(uint64_t seed, uint64_t subject, uint64_t stream, uint64_t draw);

#endif
