/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many doses under way at once, as one polynomial.
 *
 * A release with a long tail leaves dozens or hundreds of old doses under way, each a smooth function by now. Over a
 * window [from, to] what dose i brings is
 *     D_i (R_i(t) - R_i(from)) = sum_j c_ij T_j(x),   x = (2 t - from - to) / (to - from),
 * interpolated at the HL_TAIL_TERMS points cos(pi k / N). Where its last three coefficients are below SMOOTH the dose
 * is taken into the sum over i of all c_ij, which costs the same for a thousand doses as for one; where they aren't it
 * goes on by itself. R rises, so a jump or a narrow peak anywhere between the points shows in the coefficients, which
 * then fall like 1/j only.
 *
 * The window is as long as the fifth youngest dose is old: for a singularity at t_i that far away the coefficients fall
 * by a factor 3 + sqrt 8 each. It ends early when too many doses have come since. When it ends, the states are given
 * what the courses themselves say for that time, so that errors of interpolation don't add up. */
#include <gsl/gsl_math.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/lane.h"

#define N (HL_TAIL_TERMS - 1)
#define SMOOTH 1e-13     /* of a dose */
#define FEW 8            /* doses that aren't worth a tail */
#define MANY 12          /* doses beside a tail that are worth a new one */
#define YOUNG 5          /* this many go by themselves, or about */
#define SHORTEST 0.05    /* window [h] */

enum hl_status hl_release_tail_init(struct hl_lane *lane)
{
    struct hl_release_tail *tail = &lane->tail;
    size_t m = lane->plan->n_integrated;
    tail->course = hl_alloc(m * HL_TAIL_TERMS, sizeof *tail->course);
    tail->slope = hl_alloc(m * HL_TAIL_TERMS, sizeof *tail->slope);
    tail->base = hl_alloc(m, sizeof *tail->base);
    tail->cosine = hl_alloc(2 * N, sizeof *tail->cosine);
    tail->retry = -INFINITY;
    for (size_t k = 0; tail->cosine && k < 2 * N; k++)
        tail->cosine[k] = cos(M_PI * (double)k / N);
    return tail->course && tail->slope && tail->base && tail->cosine ? HL_OK : HL_ERR_MEMORY;
}

void hl_release_tail_free(struct hl_lane *lane)
{
    hl_free(lane->tail.course);
    hl_free(lane->tail.slope);
    hl_free(lane->tail.base);
    hl_free(lane->tail.cosine);
}

/* ---- Chebyshev polynomials */

/* Clenshaw's sum of c_j T_j(x). */
static double sum_at(const double *c, double x)
{
    double b1 = 0, b2 = 0;
    for (size_t j = N; j > 0; j--) {
        double b = 2 * x * b1 - b2 + c[j];
        b2 = b1;
        b1 = b;
    }
    return x * b1 - b2 + c[0];
}

/* Coefficients of the interpolant through value[k] at cos(pi k / N). */
static void interpolate(const double *cosine, const double *value, double *c)
{
    for (size_t j = 0; j <= N; j++) {
        double sum = 0.5 * (value[0] + (j % 2 ? -value[N] : value[N]));
        for (size_t k = 1; k < N; k++)
            sum += value[k] * cosine[j * k % (2 * N)];
        c[j] = sum * (j == 0 || j == N ? 1.0 : 2.0) / N;
    }
}

/* Coefficients of the derivative by t. */
static void differentiate(const double *c, double length, double *d)
{
    double above = 0, here = 0; /* d_{j+2}, d_{j+1} before halving of d_0 */
    memset(d, 0, HL_TAIL_TERMS * sizeof *d);
    for (size_t j = N; j-- > 0;) {
        double next = above + 2 * (double)(j + 1) * c[j + 1];
        d[j] = next * 2 / length;
        above = here;
        here = next;
    }
    d[0] *= 0.5;
}

static double place_of(const struct hl_release_tail *tail, double t)
{
    return fmin(1, fmax(-1, ((t - tail->from) - (tail->to - t)) / (tail->to - tail->from)));
}

/* ---- Making */

/* How old the doses are of which YOUNG are younger. */
static double age_of_young(const struct hl_lane *lane)
{
    double youngest[YOUNG];
    for (size_t i = 0; i < YOUNG; i++)
        youngest[i] = INFINITY;
    for (size_t k = 0; k < lane->releases.n; k++) {
        double age = lane->t - lane->releases.dose[k].since;
        for (size_t i = 0; i < YOUNG; i++)
            if (age < youngest[i]) {
                double older = youngest[i];
                youngest[i] = age;
                age = older;
            }
    }
    return youngest[YOUNG - 1];
}

/* The course of dose k over the window; false when it isn't smooth. */
static bool course_of(struct hl_lane *lane, size_t k, double *c)
{
    const struct hl_release_tail *tail = &lane->tail;
    const struct hl_released_dose *dose = &lane->releases.dose[k];
    double value[HL_TAIL_TERMS], middle = 0.5 * (tail->from + tail->to), half = 0.5 * (tail->to - tail->from);
    for (size_t i = 0; i <= N; i++) {
        double t = i == 0 ? tail->to : i == N ? tail->from : middle + half * tail->cosine[i];
        value[i] = hl_release_fraction(lane->release_regs, &lane->releases, k, t - dose->since) - dose->now;
    }
    interpolate(tail->cosine, value, c);
    double worst = fmax(fabs(c[N]), fmax(fabs(c[N - 1]), fabs(c[N - 2])));
    return worst <= SMOOTH; /* false for NaN */
}

static void gather(struct hl_lane *lane)
{
    struct hl_release_tail *tail = &lane->tail;
    double c[HL_TAIL_TERMS];
    size_t m = lane->plan->n_integrated, gathered = 0;
    memset(tail->course, 0, m * HL_TAIL_TERMS * sizeof *tail->course);
    for (size_t k = 0; k < lane->releases.n; k++) {
        struct hl_released_dose *dose = &lane->releases.dose[k];
        dose->in_tail = course_of(lane, k, c);
        for (size_t j = 0; dose->in_tail && j <= N; j++)
            tail->course[(size_t)dose->place * HL_TAIL_TERMS + j] += dose->amount * c[j];
        gathered += dose->in_tail;
    }
    tail->active = gathered > 0;
    tail->n_direct = lane->releases.n - gathered;
    for (size_t k = 0; k < m; k++) {
        differentiate(tail->course + k * HL_TAIL_TERMS, tail->to - tail->from, tail->slope + k * HL_TAIL_TERMS);
        tail->base[k] = sum_at(tail->course + k * HL_TAIL_TERMS, -1);
    }
}

void hl_release_tail_make(struct hl_lane *lane)
{
    struct hl_release_tail *tail = &lane->tail;
    if (tail->active && lane->t < tail->to && tail->n_direct <= MANY)
        return;
    hl_release_tail_dissolve(lane);
    hl_releases_drop(lane);
    if (lane->releases.n <= FEW || lane->t < tail->retry)
        return;
    double length = age_of_young(lane);
    tail->retry = lane->t + SHORTEST;
    if (length < SHORTEST)
        return;
    tail->from = lane->t;
    tail->to = lane->t + length;
    gather(lane);
}

/* ---- Using */

void hl_release_tail_add(struct hl_lane *lane, double t, double *y, bool slope)
{
    const struct hl_release_tail *tail = &lane->tail;
    const struct hl_plan *plan = lane->plan;
    double x = place_of(tail, t);
    for (size_t k = 0; k < plan->n_integrated; k++) {
        if (!plan->system->state[plan->integrated[k]].released)
            continue;
        double brought = sum_at(tail->course + k * HL_TAIL_TERMS, x) - tail->base[k];
        int reg = plan->system->state[plan->integrated[k]].reg;
        *(y ? &y[k] : &lane->regs[reg]) += brought;
        if (slope)
            lane->dregs[reg] += sum_at(tail->slope + k * HL_TAIL_TERMS, x);
    }
}

/* y has been brought up to date. */
void hl_release_tail_settle(struct hl_lane *lane)
{
    struct hl_release_tail *tail = &lane->tail;
    double x = place_of(tail, lane->t);
    for (size_t k = 0; k < lane->plan->n_integrated; k++)
        tail->base[k] = sum_at(tail->course + k * HL_TAIL_TERMS, x);
}

void hl_release_tail_dissolve(struct hl_lane *lane)
{
    struct hl_release_tail *tail = &lane->tail;
    if (!tail->active)
        return;
    for (size_t k = 0; k < lane->releases.n; k++) {
        struct hl_released_dose *dose = &lane->releases.dose[k];
        if (!dose->in_tail)
            continue;
        double R = hl_release_fraction(lane->release_regs, &lane->releases, k, lane->t - dose->since);
        lane->y[dose->place] += dose->amount * (R - dose->now); /* now: still that of the window's beginning */
        dose->base = dose->now = R;
        dose->in_tail = false;
    }
    for (size_t k = 0; k < lane->plan->n_integrated; k++)
        lane->y[k] -= tail->base[k] - sum_at(tail->course + k * HL_TAIL_TERMS, -1);
    tail->active = false;
    tail->n_direct = lane->releases.n;
}
