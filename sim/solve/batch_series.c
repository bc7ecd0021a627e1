/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taylor coefficients by recurrence (Moore 1966; Jorba and Zou 2005, Experimental Mathematics 14: 99, section 2): with
 * a = sum a_k s^k and so on,
 *     p = a b        p_k = sum_{j=0..k} a_j b_{k-j}
 *     q = a / b      q_k = (a_k - sum_{j=1..k} b_j q_{k-j}) / b_0
 *     e = exp a      e_k = (1/k) sum_{j=1..k} j a_j e_{k-j}
 *     l = log a      l_k = (a_k - (1/k) sum_{j=1..k-1} j l_j a_{k-j}) / a_0
 *     w = a^n        w_k = (1/(k a_0)) sum_{j=0..k-1} (n (k - j) - j) a_{k-j} w_j
 *     y' = f         y_{k+1} = f_k / (k + 1)
 *     F = Phi(a)     F_k = (1/(k sqrt(2 pi))) sum_{j=1..k} j a_j v_{k-j}, v = exp(-a^2 / 2)
 * A transcendental function is computed once per step, for coefficient 0; everything else is sums and products of
 * plain doubles in a fixed order, fused by nobody. What is linear in the states, most of a model, is gathered into
 * sums of coefficient times series before (batch_code.c); what needs only series that are known is computed for all
 * orders at once (batch_schedule.c).
 *
 * The length of a step (Jorba and Zou, section 3.2) comes from the series itself, not from the last step: a restart
 * after a dose costs nothing. The largest h for which |y_k| h^k <= tolerance * scale for the last three k and every
 * state is
 *     h = min_k exp((log tolerance - log sum_i |y_ik| / scale_i) / k).
 * Each further term is smaller than the one before by h over the radius of convergence, near 1/e at the orders used, so
 * what is cut off is about half the tolerance. Logarithm and power need few digits and are computed from the bits:
 * relative error of h below 1e-5.
 *
 * The loops (batch_body.h) are compiled once for each width of vectors: a compiler that is left to split wide vectors
 * for a narrow machine splits them into single numbers. The machine's own is chosen at the first step. All give the
 * same bits: lanes have nothing to do with each other. */
#include "solve/batch_series.h"

#include <math.h>
#include <stdint.h>

#include "base/vector.h"
#include "solve/batch_clock.h"
#include "solve/batch_rough.h"
#include "solve/batch_schedule.h"

#if defined(__x86_64__) && !defined(HL_NO_CLONES)
#define HL_BATCH_WIDER
#endif
#define R HL_BATCH_LANES
#define INVERSE_BITS 0x7fde623822fc16e6 /* less the bits of x, those of 1 / x to 5 % */
#define ROUND_BITS 0x4338000000000000 /* HL_ROUGH_ROUND's */
#define BEND_STEP 0.02 /* of the slowing over a step, mu h; each step moves it by so much */
#define SQRT_HALF 0.70710678118654752440
#define PER_SQRT_2PI 0.39894228040143267794

/* 1 / (k + 1) */
static const double share_of[HL_BATCH_MOST_ORDER + 1] = {
    1.0,      1.0 / 2,  1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6,  1.0 / 7,  1.0 / 8,  1.0 / 9,  1.0 / 10, 1.0 / 11,
    1.0 / 12, 1.0 / 13, 1.0 / 14, 1.0 / 15, 1.0 / 16, 1.0 / 17, 1.0 / 18, 1.0 / 19, 1.0 / 20, 1.0 / 21, 1.0 / 22,
    1.0 / 23, 1.0 / 24, 1.0 / 25, 1.0 / 26, 1.0 / 27, 1.0 / 28, 1.0 / 29, 1.0 / 30, 1.0 / 31, 1.0 / 32};

/* Coefficient 0 of what isn't a sum of products; of a's inverse too, where later ones need it. */
static void begin_function(const struct hl_batch_part *p, size_t at, size_t lanes)
{
    const double *a = p->a + at;
    double *to = p->to + at, *inverse = p->spare + at;
    if (p->doing == HL_BATCH_EXP) {
        hl_vector_exp(a, to, lanes);
        return;
    }
    for (size_t l = 0; p->doing == HL_BATCH_PHI && l < lanes; l++)
        to[l] = 0.5 * erfc(-a[l] * SQRT_HALF);
    if (p->doing == HL_BATCH_PHI)
        return;
    for (size_t l = 0; l < lanes; l++) {
        to[l] = p->doing == HL_BATCH_LOG ? log(a[l]) : pow(a[l], p->coef[at + l]);
        inverse[l] = 1.0 / a[l];
    }
}

/* Before loops of constant length, whose arrays then become registers. (Clang does so by itself.) */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

struct loops {
    size_t lanes; /* at a time */
    void (*series)(const struct hl_batch_schedule *, size_t at);
    bool (*reach)(const struct hl_batch_schedule *, const struct hl_batch_scale *, const struct hl_batch_pace *,
                  size_t at);
    void (*show)(const struct hl_batch_schedule *, struct hl_batch_shown *, const struct hl_batch_pace *, size_t at);
    bool (*arrive)(const struct hl_batch_schedule *, const struct hl_batch_scale *, const struct hl_batch_pace *,
                   size_t at);
};

#define W 2
#define TARGET
#define NAME(x) x##_2
#include "solve/batch_body.h"
#undef W
#undef TARGET
#undef NAME

#ifdef HL_BATCH_WIDER
#include <immintrin.h>

#define W 4
#define TARGET __attribute__((target("avx2")))
#define NAME(x) x##_4
#include "solve/batch_body.h"
#undef W
#undef TARGET
#undef NAME

#define W 8
#define TARGET __attribute__((target("avx512f,avx512dq")))
#define NAME(x) x##_8
#include "solve/batch_body.h"
#undef W
#undef TARGET
#undef NAME
#endif

static const struct loops narrow = {4, series_2, reach_2, show_2, arrive_2};
#ifdef HL_BATCH_WIDER
static const struct loops wide = {8, series_4, reach_4, show_4, arrive_4};
static const struct loops widest = {16, series_8, reach_8, show_8, arrive_8};
#endif

static const struct loops *loops_here(void)
{
#ifdef HL_BATCH_WIDER
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        return &widest;
    if (__builtin_cpu_supports("avx2"))
        return &wide;
#endif
    return &narrow;
}

void hl_batch_series(const struct hl_batch_schedule *schedule)
{
    const struct loops *loops = loops_here();
    for (size_t at = 0; at < HL_BATCH_LANES; at += loops->lanes)
        loops->series(schedule, at);
}

bool hl_batch_reach(const struct hl_batch_schedule *schedule, const struct hl_batch_scale *scale,
                    const struct hl_batch_pace *pace)
{
    const struct loops *loops = loops_here();
    bool stalled = false;
    for (size_t at = 0; at < HL_BATCH_LANES; at += loops->lanes)
        stalled |= loops->reach(schedule, scale, pace, at);
    return stalled;
}

void hl_batch_show(const struct hl_batch_schedule *schedule, struct hl_batch_shown *shown,
                   const struct hl_batch_pace *pace)
{
    const struct loops *loops = loops_here();
    for (size_t at = 0; at < HL_BATCH_LANES; at += loops->lanes)
        loops->show(schedule, shown, pace, at);
}

bool hl_batch_arrive(const struct hl_batch_schedule *schedule, const struct hl_batch_scale *scale,
                     const struct hl_batch_pace *pace)
{
    const struct loops *loops = loops_here();
    bool failed = false;
    for (size_t at = 0; at < HL_BATCH_LANES; at += loops->lanes)
        failed |= loops->arrive(schedule, scale, pace, at);
    return failed;
}
