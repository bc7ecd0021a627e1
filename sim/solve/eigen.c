/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eigenvalues and eigenvectors of the rate matrix of a compartment graph.
 *
 * Ordered by dependence the matrix is block lower triangular: depots feed the
 * body, the body feeds effect sites, nothing flows back. Its eigenvalues are
 * those of the diagonal blocks. A block of one is its own eigenvalue; of two,
 * the roots of a quadratic; larger ones (a body of three compartments, cyclic
 * graphs) go to GSL's balanced QR method. An eigenvector of block k is zero
 * upstream of it and follows downstream from (lambda - A_cc) v_c = sum A_cb v_b.
 *
 * Double precision isn't enough for stiff bodies: QR leaves an error of about
 * 1e-16 |A| in every eigenvalue, which is 1e-11 of a slow one when rates spread
 * over five decades. So the whole decomposition is polished with guard digits
 * by Newton's method for eigensystems (Davies & Smith, Numer. Linear Algebra
 * Appl. 8, 291, 2001, have the symmetric case): with W = V^-1 and B = W A V,
 *     lambda_j <- B_jj,   V <- V (1 + F),   F_ij = B_ij / (lambda_j - lambda_i),
 * which squares the error each time. Where it doesn't settle, vectors are
 * (nearly) parallel, and the caller uses a matrix exponential. */
#include "solve/eigen.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

#define POLISH_ROUNDS 6
#define SETTLED 1e-11L    /* next error is its square, below the guard digits */
#define TWIN 1e-17L       /* relative to the fastest rate: the same to the last guard digit */
#define TOO_FAR 0.25L     /* Newton's method isn't trusted from here */

struct hl_eigen {
    size_t n;
    gsl_eigen_nonsymmv_workspace **vectors; /* by block size */
    double *block;
    bool *turns;          /* n: the mode is one of a conjugate pair */
    hl_guarded *B, *T;    /* n x n and n x 2 n scratch */
};

struct hl_eigen *hl_eigen_create(size_t n)
{
    struct hl_eigen *eigen = hl_alloc(1, sizeof *eigen);
    if (!eigen)
        return NULL;
    eigen->n = n;
    eigen->vectors = hl_alloc(n + 1, sizeof *eigen->vectors);
    eigen->block = hl_alloc(n * n + 1, sizeof *eigen->block);
    eigen->turns = hl_alloc(n, sizeof *eigen->turns);
    eigen->B = hl_alloc(n * n, sizeof *eigen->B);
    eigen->T = hl_alloc(n * 2 * n, sizeof *eigen->T);
    if (eigen->vectors && eigen->block && eigen->turns && eigen->B && eigen->T)
        return eigen;
    hl_eigen_free(eigen);
    return NULL;
}

void hl_eigen_free(struct hl_eigen *eigen)
{
    if (!eigen)
        return;
    for (size_t m = 0; eigen->vectors && m <= eigen->n; m++)
        if (eigen->vectors[m])
            gsl_eigen_nonsymmv_free(eigen->vectors[m]);
    hl_free(eigen->vectors);
    hl_free(eigen->block);
    hl_free(eigen->turns);
    hl_free(eigen->B);
    hl_free(eigen->T);
    hl_free(eigen);
}

static hl_guarded guarded(long double re, long double im)
{
    hl_guarded z;
    __real__ z = re;
    __imag__ z = im;
    return z;
}

/* Products of complex numbers by the book: C's own operator also looks after infinities, which costs a call. */
static hl_guarded times(hl_guarded a, hl_guarded b)
{
    long double ar = creall(a), ai = cimagl(a), br = creall(b), bi = cimagl(b);
    return guarded(ar * br - ai * bi, ar * bi + ai * br);
}

static hl_guarded over(hl_guarded a, hl_guarded b)
{
    long double br = creall(b), bi = cimagl(b);
    if (bi == 0.0L) /* exactly real: no rounding at all in the imaginary part */
        return guarded(creall(a) / br, cimagl(a) / br);
    long double size = br * br + bi * bi;
    hl_guarded p = times(a, conjl(b));
    return guarded(creall(p) / size, cimagl(p) / size);
}

static long double length(hl_guarded a)
{
    return hypotl(creall(a), cimagl(a));
}

static long double length1(hl_guarded a)
{
    return fabsl(creall(a)) + fabsl(cimagl(a));
}

/* Roots of x^2 - (a + d) x + ad - bc, the larger one first so that the smaller follows without cancellation. */
static void pair_values(long double a, long double b, long double c, long double d, hl_guarded *lambda)
{
    long double half = 0.5L * (a - d), middle = 0.5L * (a + d), disc = half * half + b * c;
    if (disc < 0) {
        lambda[0] = guarded(middle, sqrtl(-disc));
        lambda[1] = guarded(middle, -sqrtl(-disc));
        return;
    }
    long double large = middle + copysignl(sqrtl(disc), middle);
    lambda[0] = large;
    lambda[1] = large != 0.0L ? (a * d - b * c) / large : 0.0L; /* both are 0 when the larger is */
}

static void pair_vector(long double a, long double b, long double c, long double d, hl_guarded lambda, hl_guarded *v)
{
    hl_guarded p0 = b, p1 = lambda - a, q0 = lambda - d, q1 = c;
    bool first = length1(p0) + length1(p1) >= length1(q0) + length1(q1);
    v[0] = first ? p0 : q0;
    v[1] = first ? p1 : q1;
}

/* Eigenvalues (and, with V, vectors) of a diagonal block of three or more by GSL. */
static bool block_by_gsl(struct hl_eigen *eigen, const long double *A, size_t n, size_t s, size_t m, hl_guarded *lambda,
                         hl_guarded *V)
{
    if (!eigen->vectors[m] && !(eigen->vectors[m] = gsl_eigen_nonsymmv_alloc(m)))
        return false;
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < m; k++)
            eigen->block[i * m + k] = (double)A[(s + i) * n + s + k];
    gsl_matrix_view matrix = gsl_matrix_view_array(eigen->block, m, m);
    gsl_vector_complex *values = gsl_vector_complex_alloc(m);
    gsl_matrix_complex *vectors = gsl_matrix_complex_alloc(m, m);
    bool good = values && vectors;
    if (good) {
        gsl_eigen_nonsymmv_params(1, eigen->vectors[m]);
        good = gsl_eigen_nonsymmv(&matrix.matrix, values, vectors, eigen->vectors[m]) == GSL_SUCCESS;
    }
    for (size_t j = 0; good && j < m; j++) {
        gsl_complex value = gsl_vector_complex_get(values, j);
        lambda[s + j] = guarded(GSL_REAL(value), GSL_IMAG(value));
        for (size_t i = 0; V && i < m; i++) {
            gsl_complex entry = gsl_matrix_complex_get(vectors, i, j);
            V[(s + i) * n + s + j] = guarded(GSL_REAL(entry), GSL_IMAG(entry));
        }
    }
    if (vectors)
        gsl_matrix_complex_free(vectors);
    if (values)
        gsl_vector_complex_free(values);
    return good;
}

/* Eigenvalues and vectors of the diagonal block of m rows from s. */
static bool block_solve(struct hl_eigen *eigen, const long double *A, size_t n, size_t s, size_t m, hl_guarded *lambda,
                        hl_guarded *V)
{
    if (m == 1) {
        lambda[s] = A[s * n + s];
        if (V)
            V[s * n + s] = 1.0L;
        return true;
    }
    if (m > 2)
        return block_by_gsl(eigen, A, n, s, m, lambda, V);
    long double a = A[s * n + s], b = A[s * n + s + 1], c = A[(s + 1) * n + s], d = A[(s + 1) * n + s + 1];
    pair_values(a, b, c, d, lambda + s);
    for (size_t j = 0; V && j < 2; j++) {
        hl_guarded v[2];
        pair_vector(a, b, c, d, lambda[s + j], v);
        V[s * n + s + j] = v[0];
        V[(s + 1) * n + s + j] = v[1];
    }
    return true;
}

/* Gaussian elimination with row exchange on m equations M (m x stride, columns m .. m+rhs-1 are right-hand sides),
 * solutions left in their columns. false when singular to the last guard digit. */
static bool eliminate(hl_guarded *M, size_t m, size_t stride, size_t rhs)
{
    for (size_t k = 0; k < m; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < m; i++)
            if (length1(M[i * stride + k]) > length1(M[best * stride + k]))
                best = i;
        if (!(length1(M[best * stride + k]) > 0))
            return false;
        for (size_t j = k; best != k && j < m + rhs; j++) {
            hl_guarded swap = M[k * stride + j];
            M[k * stride + j] = M[best * stride + j];
            M[best * stride + j] = swap;
        }
        for (size_t i = 0; i < m; i++) {
            if (i == k || length1(M[i * stride + k]) == 0) /* structural zero: nothing to remove */
                continue;
            hl_guarded factor = over(M[i * stride + k], M[k * stride + k]);
            for (size_t j = k + 1; j < m + rhs; j++)
                M[i * stride + j] -= times(factor, M[k * stride + j]);
        }
    }
    for (size_t i = 0; i < m; i++)
        for (size_t j = m; j < m + rhs; j++)
            M[i * stride + j] = over(M[i * stride + j], M[i * stride + i]);
    return true;
}

/* Follows vector j of an upstream block into the block of m rows from s. */
static bool follow(struct hl_eigen *eigen, const long double *A, size_t n, size_t s, size_t m, size_t j,
                   hl_guarded lambda, hl_guarded *V)
{
    hl_guarded *M = eigen->T;
    bool driven = false;
    for (size_t i = 0; i < m; i++) {
        for (size_t k = 0; k < m; k++)
            M[i * (m + 1) + k] = (i == k ? lambda : 0.0L) - A[(s + i) * n + s + k];
        hl_guarded sum = 0.0L;
        for (size_t k = 0; k < s; k++)
            sum += A[(s + i) * n + k] * V[k * n + j];
        M[i * (m + 1) + m] = sum;
        driven = driven || length1(sum) > 0;
    }
    if (!driven)
        return true;
    if (!eliminate(M, m, m + 1, 1))
        return false;
    for (size_t i = 0; i < m; i++)
        V[(s + i) * n + j] = M[i * (m + 1) + m];
    return true;
}

static bool scale_columns(hl_guarded *V, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        long double largest = 0;
        for (size_t i = 0; i < n; i++)
            largest = fmaxl(largest, length(V[i * n + j]));
        if (!(largest > 0) || !isfinite(largest))
            return false;
        for (size_t i = 0; i < n; i++)
            V[i * n + j] /= largest;
    }
    return true;
}

/* What can't be reached stays exactly zero, whatever rounding says. */
static void keep_structure(hl_guarded *V, hl_guarded *W, const struct hl_shape *shape)
{
    size_t n = shape->n;
    for (size_t b = 0; b < shape->n_blocks; b++)
        for (size_t j = shape->start[b]; j < shape->start[b + 1]; j++)
            for (size_t i = 0; i < n; i++) {
                if (!shape->reach[i * n + shape->start[b]])
                    V[i * n + j] = 0.0L;
                if (!shape->reach[shape->start[b] * n + i])
                    W[j * n + i] = 0.0L;
            }
}

static bool invert(struct hl_eigen *eigen, const hl_guarded *V, size_t n, hl_guarded *W)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            eigen->T[i * 2 * n + k] = V[i * n + k];
            eigen->T[i * 2 * n + n + k] = i == k ? 1.0L : 0.0L;
        }
    if (!eliminate(eigen->T, n, 2 * n, n))
        return false;
    for (size_t i = 0; i < n; i++)
        memcpy(W + i * n, eigen->T + i * 2 * n + n, n * sizeof *W);
    return true;
}

/* B = W A V, using T. */
static void rotate_into(struct hl_eigen *eigen, const long double *A, const hl_guarded *V, const hl_guarded *W,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            hl_guarded sum = 0.0L;
            for (size_t k = 0; k < n; k++)
                sum += A[i * n + k] * V[k * n + j];
            eigen->T[i * n + j] = sum;
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            hl_guarded sum = 0.0L;
            for (size_t k = 0; k < n; k++)
                sum += times(W[i * n + k], eigen->T[k * n + j]);
            eigen->B[i * n + j] = sum;
        }
}

/* One Newton step on all vectors; the size of the largest correction, infinite when two modes can't be told apart. */
static long double correct(struct hl_eigen *eigen, size_t n, hl_guarded *lambda, hl_guarded *V)
{
    long double largest = 0, norm = 0;
    for (size_t j = 0; j < n; j++) {
        lambda[j] = eigen->B[j * n + j];
        norm = fmaxl(norm, length(lambda[j]));
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            hl_guarded *F = &eigen->B[i * n + j], gap = lambda[j] - lambda[i];
            bool twins = length1(gap) <= TWIN * norm && length1(*F) <= TWIN * norm;
            if (i == j || twins) { /* equal rates that don't disturb each other */
                *F = 0.0L;
                continue;
            }
            *F = length1(gap) > 0 ? over(*F, gap) : (hl_guarded)INFINITY;
            largest = fmaxl(largest, length(*F));
        }
    if (!(largest < TOO_FAR))
        return INFINITY;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            hl_guarded sum = V[i * n + j];
            for (size_t k = 0; k < n; k++)
                sum += times(V[i * n + k], eigen->B[k * n + j]);
            eigen->T[i * n + j] = sum;
        }
    memcpy(V, eigen->T, n * n * sizeof *V);
    return largest;
}

static bool polish(struct hl_eigen *eigen, const long double *A, size_t n, hl_guarded *lambda, hl_guarded *V,
                   hl_guarded *W)
{
    for (int round = 0; round < POLISH_ROUNDS; round++) {
        if (!invert(eigen, V, n, W))
            return false;
        rotate_into(eigen, A, V, W, n);
        long double change = correct(eigen, n, lambda, V);
        if (!isfinite(change))
            return false;
        if (change < SETTLED)
            return invert(eigen, V, n, W);
    }
    return false;
}

/* Notes which modes are real and which turn in pairs. */
static void note_pairs(struct hl_eigen *eigen, const hl_guarded *lambda, size_t n)
{
    for (size_t j = 0; j < n; j++)
        eigen->turns[j] = cimagl(lambda[j]) != 0.0L; /* GSL and the quadratic give real roots exactly */
}

/* Real matrices have real modes and conjugate pairs exactly; the polished ones differ in the last guard digit. */
static void tidy_pairs(struct hl_eigen *eigen, hl_guarded *lambda, hl_guarded *V, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        bool pair = eigen->turns[j], flip = pair && cimagl(lambda[j]) < 0;
        if (flip)
            lambda[j] = conjl(lambda[j]);
        else if (!pair)
            lambda[j] = creall(lambda[j]);
        for (size_t i = 0; i < n; i++) {
            hl_guarded v = V[i * n + j];
            V[i * n + j] = flip ? conjl(v) : pair ? v : (hl_guarded)creall(v);
            if (pair)
                V[i * n + j + 1] = conjl(V[i * n + j]);
        }
        if (pair) {
            lambda[j + 1] = conjl(lambda[j]);
            j++;
        }
    }
}

bool hl_eigen_solve(struct hl_eigen *eigen, const long double *A, const struct hl_shape *shape, hl_guarded *lambda,
                    hl_guarded *V, hl_guarded *W)
{
    size_t n = shape->n;
    if (hl_eigen_solve_real(A, shape, lambda, V, W)) {
        keep_structure(V, W, shape);
        return true;
    }
    for (size_t i = 0; i < n * n; i++)
        V[i] = 0.0L;
    for (size_t b = 0; b < shape->n_blocks; b++)
        if (!block_solve(eigen, A, n, shape->start[b], shape->start[b + 1] - shape->start[b], lambda, V))
            return false;
    for (size_t b = 0; b < shape->n_blocks; b++)
        for (size_t j = shape->start[b]; j < shape->start[b + 1]; j++)
            for (size_t c = b + 1; c < shape->n_blocks; c++)
                if (!follow(eigen, A, n, shape->start[c], shape->start[c + 1] - shape->start[c], j, lambda[j], V))
                    return false;
    if (!scale_columns(V, n))
        return false;
    note_pairs(eigen, lambda, n);
    tidy_pairs(eigen, lambda, V, n);
    if (!polish(eigen, A, n, lambda, V, W))
        return false;
    tidy_pairs(eigen, lambda, V, n);
    keep_structure(V, W, shape);
    return true;
}

bool hl_eigen_values(struct hl_eigen *eigen, const long double *A, const struct hl_shape *shape, hl_guarded *lambda)
{
    for (size_t b = 0; b < shape->n_blocks; b++)
        if (!block_solve(eigen, A, shape->n, shape->start[b], shape->start[b + 1] - shape->start[b], lambda, NULL))
            return false;
    return true;
}
