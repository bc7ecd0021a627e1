/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small words for writing rates and outputs of a fixture's system, and its subjects, in tests of integration side by
 * side. Define SUBJECTS first. */
#ifndef TESTS_UNIT_BATCH_FIXTURE_H
#define TESTS_UNIT_BATCH_FIXTURE_H

#include "unit/solve_fixture.h"

static inline int number(struct fixture *f, double value)
{
    return fixture_reg(f, HL_REG_CONSTANT, value);
}

/* The register an instruction leaves its result in. */
static inline int code(struct fixture *f, struct hl_program *p, int op, int a, int b, int c)
{
    int dst = fixture_reg(f, HL_REG_TEMPORARY, 0);
    fixture_code(f, p, op, dst, a, b, c);
    return dst;
}

/* A value per subject: typical * (1 + width * something that looks irregular). */
static inline int spread(struct fixture *f, double typical, double width)
{
    double value[SUBJECTS];
    for (size_t i = 0; i < SUBJECTS; i++)
        value[i] = typical * (1 + width * sin(12.9898 * (double)(i + 1) + typical));
    return fixture_values(f, value, SUBJECTS);
}

/* n times from 0 on, step apart; the caller's to free. */
static inline double *even_times(size_t n, double step)
{
    double *time = hl_alloc(n, sizeof *time);
    for (size_t k = 0; k < n; k++)
        time[k] = step * (double)k;
    return time;
}

#endif
