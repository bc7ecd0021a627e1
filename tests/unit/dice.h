/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers of a test's cases: the same for a seed, a case and a stream, which every test has of its own. */
#ifndef TESTS_UNIT_DICE_H
#define TESTS_UNIT_DICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

struct dice { uint64_t seed, number, draw, stream; };

static inline double uniform(struct dice *d, double low, double high)
{
    return low + (high - low) * hl_random_uniform(d->seed, d->number, d->stream, d->draw++);
}

static inline int integer(struct dice *d, int low, int high) /* both included */
{
    return low + (int)uniform(d, 0, high - low + 1);
}

static inline bool chance(struct dice *d, double p)
{
    return uniform(d, 0, 1) < p;
}

#endif
