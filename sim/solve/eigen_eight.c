/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eigensystems in vectors of eight (AVX-512): eigen_kernel.h compiled for them. Where the processor or the
 * compiler doesn't know these, the name is there and nobody calls it. */
#include "solve/eigen_parts.h"

#define PART 8
#define KERNEL hl_eigen_eight

#if defined(__x86_64__) && !defined(HL_NO_CLONES)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#else
#pragma GCC target("avx512f")
#endif
#endif

#include "solve/eigen_kernel.h"

#if defined(__clang__) && defined(__x86_64__) && !defined(HL_NO_CLONES)
#pragma clang attribute pop
#endif
