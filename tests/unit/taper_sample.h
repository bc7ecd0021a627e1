/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Problems for tests of the taper designer, written in a line, and random ones. */
#ifndef TESTS_UNIT_TAPER_SAMPLE_H
#define TESTS_UNIT_TAPER_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/random.h"
#include "taper/products.h"
#include "taper/rungs.h"
#include "unit/case_numbers.h"

/* The random numbers of one case, one after another. */
struct dice { uint64_t seed, which, draw; };

static inline double dice_real(struct dice *d, double low, double high)
{
    return low + (high - low) * hl_random_uniform(d->seed, d->which, 77, d->draw++);
}

static inline int dice_below(struct dice *d, int n)
{
    return (int)(dice_real(d, 0, 1) * n);
}

/* A drug with n products, its doses spared from the last on, its unit found. */
static inline void sample_drug(struct hl_arena *arena, struct hl_taper_drug *drug, const struct hl_product *product,
                               size_t n, size_t n_doses)
{
    static const char *const name[] = {"clonazepam", "fentanyl"};
    size_t first = drug->first_stream;
    *drug = (struct hl_taper_drug){.alias = name[first > 0], .period = 24, .n_products = n, .n_doses = n_doses,
                                   .first_stream = first};
    drug->product = hl_arena_alloc(arena, n, sizeof *drug->product);
    drug->spare = hl_arena_alloc(arena, n_doses, sizeof *drug->spare);
    drug->dose = hl_arena_alloc(arena, n_doses, sizeof *drug->dose);
    drug->start = hl_arena_alloc(arena, n_doses, sizeof *drug->start);
    for (size_t p = 0; p < n; p++)
        drug->product[p] = product[p];
    for (size_t j = 0; j < n_doses; j++) { /* evening first, then morning, then what is between */
        drug->spare[j] = j == 0 ? n_doses - 1 : j - 1;
        drug->dose[j] = (struct hl_taper_dose){.clock = 24.0 * (double)j / (double)n_doses, .name = "dose"};
    }
    assert_true(hl_products_unit(drug));
}

/* Sets the start to the rule's share of a total in units; false when there is none. */
static inline bool sample_start(struct hl_arena *arena, struct hl_taper_drug *drug, long total)
{
    struct hl_doses doses;
    struct hl_splits splits;
    assert_int_equal(hl_doses_make(arena, drug, total, &doses), HL_OK);
    assert_int_equal(hl_splits_make(arena, drug, &doses, &splits), HL_OK);
    return hl_splits_share(&splits, total, drug->start);
}

#endif
