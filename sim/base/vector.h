/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arithmetic on neighbouring subjects at once. HL_CLONES compiles a function for
 * several instruction sets, the right one being chosen when the program starts:
 * one portable binary, and, since nothing is fused or reordered, the same bits
 * from each of them. Lengths are multiples of 8, arrays needn't be aligned. */
#ifndef HL_BASE_VECTOR_H
#define HL_BASE_VECTOR_H

#include <stddef.h>
#include <stdint.h> /* tells which C library this is */

/* Resolvers run before the sanitizers are ready, and only the GNU loader knows them. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) \
    && !defined(__SANITIZE_THREAD__) && !defined(HL_NO_CLONES)
#if defined(__clang__)
#if __clang_major__ >= 16 && !__has_feature(address_sanitizer) /* earlier ones hide the plain name */
#define HL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#else
#define HL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#endif
#ifndef HL_CLONES
#define HL_CLONES
#endif

/* y = e^x. Error below 1 ulp for results that are normal numbers; 0 below them, infinity above, NaN for NaN. */
void hl_vector_exp(const double *x, double *y, size_t n);

/* For a step dt[i] along a mode of rate lambda[i]: E = e^(lambda dt) and phi = (e^(lambda dt) - 1) / lambda, dt where
 * lambda is 0: what is left of an amplitude, and what a constant input of 1 adds. Errors below 1 ulp and 3 ulp. */
void hl_vector_step(const double *lambda, const double *dt, double *E, double *phi, size_t n);

#endif
