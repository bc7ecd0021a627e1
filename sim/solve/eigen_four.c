/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eigensystems in vectors of four (AVX2): eigen_kernel.h compiled for them. Where the processor or the
 * compiler doesn't know these, the name is there and nobody calls it. */
#include "solve/eigen_parts.h"

#define PART 4
#define KERNEL hl_eigen_four

#if defined(__x86_64__) && !defined(HL_NO_CLONES)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif
#endif

#include "solve/eigen_kernel.h"

#if defined(__clang__) && defined(__x86_64__) && !defined(HL_NO_CLONES)
#pragma clang attribute pop
#endif
