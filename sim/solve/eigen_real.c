/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The usual case in a fraction of the time: a body of at most three compartments in each block of mutual dependence,
 * all rates real and apart.
 *
 * Every block's characteristic polynomial has closed roots, which are seeds only: Newton's method in guard digits makes
 * them right. A vector of a block of three is the cross product of the two rows of A - lambda that are least parallel;
 * it follows downstream by (lambda - A_cc) v_c = sum A_cb v_b. The left vectors are the inverse. Nothing is taken on
 * trust: with B = W A V the eigensystem is accepted when every B_ij / (lambda_j - lambda_i) is below ACCEPTED, the
 * first-order error of vector j along vector i; else the caller goes the general way (eigen.c). */
#include <float.h>
#include <math.h>
#include <string.h>

#include "solve/eigen.h"

#define LARGEST_BLOCK 3
#define MOST_STATES 16
#define NEWTON_STEPS 8
#define ACCEPTED 1e-15L

typedef long double real;

/* ---- Eigenvalues of a block B (m x m, rows first) */

static bool roots_of_two(const real *B, real *lambda)
{
    real half = 0.5L * (B[0] - B[3]), middle = 0.5L * (B[0] + B[3]), disc = half * half + B[1] * B[2];
    if (!(disc > 0))
        return false;
    real large = middle + copysignl(sqrtl(disc), middle);
    lambda[0] = large;
    lambda[1] = (B[0] * B[3] - B[1] * B[2]) / large; /* the smaller one without cancellation */
    return large != 0.0L;
}

/* x^3 + a x^2 + b x + c at its three real roots, by Viete's angle in double, then Newton's method. */
static bool roots_of_cubic(real a, real b, real c, real *x)
{
    double shift = (double)(a / 3), p = (double)(b - a * a / 3), q = (double)(2 * a * a * a / 27 - a * b / 3 + c);
    if (!(p < 0))
        return false;
    double radius = 2 * sqrt(-p / 3), cosine = 3 * q / (p * radius);
    if (!(fabs(cosine) < 1))
        return false;
    double angle = acos(cosine) / 3;
    for (int k = 0; k < 3; k++) {
        x[k] = radius * cos(angle - 2.0943951023931953 * k) - shift;
        real step = INFINITY;
        for (int round = 0; round < NEWTON_STEPS && fabsl(step) > 4 * LDBL_EPSILON * fabsl(x[k]); round++) {
            real value = ((x[k] + a) * x[k] + b) * x[k] + c, slope = (3 * x[k] + 2 * a) * x[k] + b;
            step = value / slope;
            x[k] -= step;
        }
        if (!isfinite(x[k]))
            return false;
    }
    return true;
}

static bool roots_of_three(const real *B, real *lambda)
{
    real trace = B[0] + B[4] + B[8];
    real minors = (B[0] * B[4] - B[1] * B[3]) + (B[0] * B[8] - B[2] * B[6]) + (B[4] * B[8] - B[5] * B[7]);
    real det = B[0] * (B[4] * B[8] - B[5] * B[7]) - B[1] * (B[3] * B[8] - B[5] * B[6])
               + B[2] * (B[3] * B[7] - B[4] * B[6]);
    return roots_of_cubic(-trace, minors, -det, lambda);
}

/* ---- Their vectors */

static void cross(const real *a, const real *b, real *v)
{
    v[0] = a[1] * b[2] - a[2] * b[1];
    v[1] = a[2] * b[0] - a[0] * b[2];
    v[2] = a[0] * b[1] - a[1] * b[0];
}

static real size_of(const real *v)
{
    return fabsl(v[0]) + fabsl(v[1]) + fabsl(v[2]);
}

static void vector_of_three(const real *B, real lambda, real *v)
{
    real R[9], other[3];
    memcpy(R, B, sizeof R);
    for (int i = 0; i < 3; i++)
        R[4 * i] -= lambda;
    cross(R, R + 3, v);
    for (int i = 0; i < 2; i++) {
        cross(R + 6, R + 3 * i, other);
        if (size_of(other) > size_of(v))
            memcpy(v, other, sizeof other);
    }
}

static void vector_of_two(const real *B, real lambda, real *v)
{
    real p[2] = {B[1], lambda - B[0]}, q[2] = {lambda - B[3], B[2]};
    bool first = fabsl(p[0]) + fabsl(p[1]) >= fabsl(q[0]) + fabsl(q[1]);
    memcpy(v, first ? p : q, sizeof p);
}

/* One block: its m modes stand in columns s .. s + m - 1. */
static bool solve_block(const real *A, size_t n, size_t s, size_t m, real *lambda, real *V)
{
    real B[LARGEST_BLOCK * LARGEST_BLOCK], v[LARGEST_BLOCK] = {1};
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < m; k++)
            B[i * m + k] = A[(s + i) * n + s + k];
    if (m == 1)
        lambda[s] = B[0];
    else if (!(m == 2 ? roots_of_two(B, lambda + s) : roots_of_three(B, lambda + s)))
        return false;
    for (size_t j = 0; j < m; j++) {
        if (m == 2)
            vector_of_two(B, lambda[s + j], v);
        if (m == 3)
            vector_of_three(B, lambda[s + j], v);
        for (size_t i = 0; i < m; i++)
            V[(s + i) * n + s + j] = v[i];
    }
    return true;
}

/* Gauss and Jordan with row exchange: m equations in rows of stride, right-hand sides from column m on. */
static bool eliminate(real *M, size_t m, size_t stride, size_t rhs)
{
    for (size_t k = 0; k < m; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < m; i++)
            best = fabsl(M[i * stride + k]) > fabsl(M[best * stride + k]) ? i : best;
        if (!(fabsl(M[best * stride + k]) > 0))
            return false;
        for (size_t j = k; best != k && j < m + rhs; j++) {
            real swap = M[k * stride + j];
            M[k * stride + j] = M[best * stride + j];
            M[best * stride + j] = swap;
        }
        for (size_t i = 0; i < m; i++) {
            real factor = i == k ? 0 : M[i * stride + k] / M[k * stride + k];
            for (size_t j = k + 1; factor != 0 && j < m + rhs; j++) /* structural zeros are exact */
                M[i * stride + j] -= factor * M[k * stride + j];
        }
    }
    for (size_t i = 0; i < m; i++)
        for (size_t j = m; j < m + rhs; j++)
            M[i * stride + j] /= M[i * stride + i];
    return true;
}

/* Follows vector j of an upstream block into the block of m rows from s. */
static bool follow(const real *A, size_t n, size_t s, size_t m, size_t j, real lambda, real *V)
{
    real M[LARGEST_BLOCK * (LARGEST_BLOCK + 1)];
    bool driven = false;
    for (size_t i = 0; i < m; i++) {
        real sum = 0;
        for (size_t k = 0; k < m; k++)
            M[i * (m + 1) + k] = (i == k ? lambda : 0) - A[(s + i) * n + s + k];
        for (size_t k = 0; k < s; k++)
            sum += A[(s + i) * n + k] * V[k * n + j];
        M[i * (m + 1) + m] = sum;
        driven = driven || sum != 0; /* structural zeros are exact */
    }
    if (driven && !eliminate(M, m, m + 1, 1))
        return false;
    for (size_t i = 0; driven && i < m; i++)
        V[(s + i) * n + j] = M[i * (m + 1) + m];
    return true;
}

static bool scale_columns(real *V, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        real largest = 0;
        for (size_t i = 0; i < n; i++)
            largest = fabsl(V[i * n + j]) > largest ? fabsl(V[i * n + j]) : largest;
        if (!(largest > 0) || !isfinite(largest))
            return false;
        for (size_t i = 0; i < n; i++)
            V[i * n + j] /= largest;
    }
    return true;
}

static bool invert(const real *V, size_t n, real *W)
{
    real M[MOST_STATES * 2 * MOST_STATES];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            M[i * 2 * n + k] = V[i * n + k];
            M[i * 2 * n + n + k] = i == k ? 1 : 0;
        }
    if (!eliminate(M, n, 2 * n, n))
        return false;
    for (size_t i = 0; i < n; i++)
        memcpy(W + i * n, M + i * 2 * n + n, n * sizeof *W);
    return true;
}

/* True when no vector is off by more than ACCEPTED along another one. */
static bool holds(const real *A, size_t n, const real *lambda, const real *V, const real *W)
{
    real T[MOST_STATES];
    for (size_t j = 0; j < n; j++) {
        for (size_t i = 0; i < n; i++) {
            T[i] = 0;
            for (size_t k = 0; k < n; k++)
                T[i] += A[i * n + k] * V[k * n + j];
        }
        for (size_t i = 0; i < n; i++) {
            real B = 0;
            for (size_t k = 0; k < n; k++)
                B += W[i * n + k] * T[k];
            real gap = i == j ? lambda[j] : lambda[j] - lambda[i], off = i == j ? B - lambda[j] : B;
            if (!(fabsl(off) <= ACCEPTED * fabsl(gap))) /* equal rates, and NaN, don't pass */
                return false;
        }
    }
    return true;
}

bool hl_eigen_solve_real(const long double *A, const struct hl_shape *shape, hl_guarded *lambda, hl_guarded *V,
                         hl_guarded *W)
{
    size_t n = shape->n;
    real values[MOST_STATES], right[MOST_STATES * MOST_STATES] = {0}, left[MOST_STATES * MOST_STATES];
    if (n > MOST_STATES)
        return false;
    for (size_t b = 0; b < shape->n_blocks; b++) {
        size_t s = shape->start[b], m = shape->start[b + 1] - s;
        if (m > LARGEST_BLOCK || !solve_block(A, n, s, m, values, right))
            return false;
    }
    for (size_t b = 0; b < shape->n_blocks; b++)
        for (size_t j = shape->start[b]; j < shape->start[b + 1]; j++)
            for (size_t c = b + 1; c < shape->n_blocks; c++)
                if (!follow(A, n, shape->start[c], shape->start[c + 1] - shape->start[c], j, values[j], right))
                    return false;
    if (!scale_columns(right, n) || !invert(right, n, left) || !holds(A, n, values, right, left))
        return false;
    for (size_t i = 0; i < n; i++)
        lambda[i] = values[i];
    for (size_t i = 0; i < n * n; i++) {
        V[i] = right[i];
        W[i] = left[i];
    }
    return true;
}
