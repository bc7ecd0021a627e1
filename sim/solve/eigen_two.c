/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eigensystems in vectors of two (SSE2, NEON, whatever the compiler makes of them): eigen_kernel.h compiled for them.
 */
#include "solve/eigen_parts.h"

#define PART 2
#define KERNEL hl_eigen_two

#include "solve/eigen_kernel.h"
