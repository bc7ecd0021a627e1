/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F(y) is where one cycle leads from y. F(y) = y is solved by Newton's method with differences for the Jacobian;
 * tolerance and dependence states contract by only 1 - T/tau per cycle, for which plain repetition would need thousands
 * of cycles, and a half-life of 350 h with doses every 12 h some hundreds. The Newton step is the estimate of the error
 * in y itself, and must fall below the tolerance, or stop shrinking near it: where a rate has a bend, such as
 * if(u > A, ...), the stepper's error jumps a little as the bend moves from one step into the next, and F with it, so
 * that y can only be found between the two. An amount never becomes negative on the way. */
#include "solve/newton.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

#define ROUNDS 25
#define PATIENCE 4                   /* rounds before steps that no longer shrink are taken for noise, ... */
#define NOISE 1e3                    /* ... when they are below this many tolerances, */
#define LEAST_NOISE 1e-5             /* relative: within these bounds */
#define MOST_NOISE 1e-3
#define PLAIN_CHANGE 1e-9            /* relative change over a cycle that counts as none */
#define DIFFERENCE 1e-3              /* relative step of the Jacobian */
#define SINGULAR 1e-8                /* a cycle takes away at least this share of what is there */
#define MOST_CYCLES_KEPT 1e7         /* the same from the other side: not more than this many cycles' worth stays */
#define UNMOVED 1e-12                /* relative: a state that a cycle changes less isn't changed by it */
#define SMALLEST_SHARE 1e-9          /* of the unit a state is shown in: below this it is noise, as in integrate.c */
#define STEADY_FALL 0.1              /* the share of itself that a step leaves of an amount at least */

bool hl_newton_init(struct hl_newton *n, const struct hl_plan *plan)
{
    size_t m = plan->n_integrated;
    *n = (struct hl_newton){.plan = plan};
    double **part[] = {&n->y, &n->base, &n->image, &n->residual, &n->scale, &n->J};
    bool good = true;
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        good = (*part[k] = hl_alloc(k < 5 ? m : m * m, sizeof **part[k])) && good;
    return good;
}

void hl_newton_clear(struct hl_newton *n)
{
    double *part[] = {n->y, n->base, n->image, n->residual, n->scale, n->J};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

double hl_newton_bound(double tolerance)
{
    return fmax(PLAIN_CHANGE, tolerance);
}

double hl_newton_noise(double tolerance)
{
    return fmin(MOST_NOISE, fmax(LEAST_NOISE, NOISE * tolerance));
}

static bool is_frozen(const struct hl_newton *n, size_t k)
{
    return n->frozen && n->frozen[k];
}

bool hl_newton_is_amount(const struct hl_plan *plan, size_t k)
{
    enum hl_state_kind kind = plan->system->state[plan->integrated[k]].kind;
    return kind == HL_COMPARTMENT || kind == HL_PATCH_CONTENT;
}

/* What a change of integrated state k is measured against: its largest value in the last cycle, or what is noise in the
 * unit it is shown in; where a state dies out, that is all there is. */
static double scale_of(const struct hl_newton *n, double peak, size_t k)
{
    double scale = fmax(peak, SMALLEST_SHARE * n->plan->system->state[n->plan->integrated[k]].unit.factor);
    return scale > 0 ? scale : 1;
}

void hl_newton_begin(struct hl_newton *n)
{
    n->last = INFINITY;
    n->round = 0;
}

void hl_newton_measure(struct hl_newton *n, const double *peak, size_t stride)
{
    double largest = 0;
    for (size_t k = 0; k < n->plan->n_integrated; k++) {
        n->scale[k] = scale_of(n, peak[k * stride], k);
        if (hl_newton_is_amount(n->plan, k))
            largest = fmax(largest, n->scale[k]);
    }
    if (n->first_amount == 0)
        n->first_amount = largest;
}

double hl_newton_difference(const struct hl_newton *n, size_t j)
{
    return DIFFERENCE * fmax(fabs(n->y[j]), n->scale[j]);
}

/* J = dF/dy - 1. A state that the cycle neither changes nor sees keeps its value. */
void hl_newton_column(struct hl_newton *n, size_t j, double difference, const bool *reach)
{
    size_t m = n->plan->n_integrated;
    double moved = 0;
    for (size_t i = 0; i < m; i++) {
        n->J[i * m + j] = i == j ? -1 : 0;
        if (is_frozen(n, j) || (reach && !reach[i * m + j]))
            continue;
        n->J[i * m + j] += (n->image[i] - n->base[i]) / difference;
        moved = fmax(moved, fabs(n->J[i * m + j]));
    }
    if (!is_frozen(n, j) && moved < UNMOVED && fabs(n->base[j] - n->y[j]) <= UNMOVED * n->scale[j])
        n->J[j * m + j] = -1;
}

/* Takes residual and J to units of each state's scale. */
static void use_scales(struct hl_newton *n)
{
    size_t m = n->plan->n_integrated;
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < m; j++)
            n->J[i * m + j] *= n->scale[j] / n->scale[i];
        n->residual[i] /= n->scale[i];
    }
}

/* residual <- J^-1 residual, in units of each state's scale; false when J can't be told from a singular one. */
static bool newton_step(struct hl_newton *n)
{
    size_t m = n->plan->n_integrated;
    double least = fmax(SINGULAR, 10 * n->fineness / DIFFERENCE);
    use_scales(n);
    gsl_matrix_view J = gsl_matrix_view_array(n->J, m, m);
    gsl_vector_view r = gsl_vector_view_array(n->residual, m);
    gsl_permutation *order = gsl_permutation_alloc(m);
    int sign = 0;
    bool good = order && gsl_linalg_LU_decomp(&J.matrix, order, &sign) == GSL_SUCCESS
                && gsl_linalg_LU_svx(&J.matrix, order, &r.vector) == GSL_SUCCESS;
    for (size_t k = 0; k < m; k++)
        good = good && isfinite(n->residual[k]) && fabs(n->J[k * m + k]) > least;
    if (order)
        gsl_permutation_free(order);
    return good;
}

/* Moves y by the Newton step; the largest step relative to its state's scale. */
static double take_step(struct hl_newton *n)
{
    double worst = 0;
    for (size_t k = 0; k < n->plan->n_integrated; k++) {
        double old = n->y[k], least = STEADY_FALL * old;
        worst = fmax(worst, fabs(n->residual[k]));
        n->y[k] -= n->residual[k] * n->scale[k];
        if (hl_newton_is_amount(n->plan, k) && old >= 0
            && n->y[k] < fmin(least, -n->plan->tolerance * n->scale[k]))
            n->y[k] = least;
    }
    return worst;
}

/* True when an amount has grown beyond anything that can come to balance. */
static bool has_run_away(const struct hl_newton *n)
{
    for (size_t k = 0; k < n->plan->n_integrated; k++)
        if (hl_newton_is_amount(n->plan, k) && fabs(n->y[k]) > MOST_CYCLES_KEPT * n->first_amount)
            return true;
    return false;
}

enum hl_newton_answer hl_newton_advance(struct hl_newton *n, double noise)
{
    for (size_t k = 0; k < n->plan->n_integrated; k++)
        n->residual[k] = is_frozen(n, k) ? 0 : n->base[k] - n->y[k];
    if (n->round >= ROUNDS || !newton_step(n))
        return HL_NEWTON_LOST;
    double worst = take_step(n);
    if (has_run_away(n))
        return HL_NEWTON_LOST;
    if (worst <= n->plan->tolerance)
        return HL_NEWTON_FOUND;
    bool stalled = n->round >= PATIENCE && worst >= 0.5 * n->last && worst <= noise;
    n->last = worst;
    n->round++;
    return stalled ? HL_NEWTON_STALLED : n->round < ROUNDS ? HL_NEWTON_GO_ON : HL_NEWTON_LOST;
}

double hl_newton_change(struct hl_newton *n, const double *peak, size_t stride)
{
    double worst = 0, blame = 0;
    for (size_t k = 0; k < n->plan->n_integrated; k++) {
        double own = is_frozen(n, k) ? 0 : fabs(n->image[k] - n->y[k]) / scale_of(n, peak[k * stride], k);
        bool heavy = hl_newton_is_amount(n->plan, k) && own > PLAIN_CHANGE; /* responses follow amounts */
        double weight = heavy ? 1 + own : own;
        n->unsettled = weight > blame ? k : n->unsettled;
        blame = fmax(blame, weight);
        worst = fmax(worst, own);
    }
    return worst;
}

void hl_newton_take(const struct hl_newton *n, const double *start, double *y)
{
    for (size_t k = 0; k < n->plan->n_integrated; k++)
        y[k] = hl_newton_is_amount(n->plan, k) && start[k] >= 0 ? fmax(0, n->y[k]) : n->y[k];
}

bool hl_newton_is_possible(const struct hl_newton *n, const double *start, const double *peak, size_t stride,
                           double bound)
{
    for (size_t k = 0; k < n->plan->n_integrated; k++)
        if (hl_newton_is_amount(n->plan, k) && start[k] >= 0 && n->y[k] < -bound * scale_of(n, peak[k * stride], k))
            return false;
    return true;
}
