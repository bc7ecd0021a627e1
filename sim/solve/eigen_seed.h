/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Approximate eigensystems of block-triangular matrices side by side, in double precision. Part of eigen_kernel.h.
 *
 * A block B of two has the roots of a quadratic. For one of three let s be a third of its trace; then B - s has the
 * characteristic polynomial t^3 + p t + q, and with t = r u, r = 2 sqrt(-p/3) (Viete),
 *     4 u^3 - 3 u = c,   c = 3 q / (p r),   |c| < 1 where the roots are real and apart.
 * The root of largest size, u = cos(acos(|c|)/3), lies between 0.866 and 1; Newton's method from a cubic through its
 * ends finds it (slope above 6: three steps suffice), the other two are those of u^2 + u_1 u + u_1^2 - 3/4 = 0. All
 * three then get two of Newton's steps on the polynomial about 0, whose coefficients know slow rates better.
 *
 * The adjugate of B - lambda is a right vector times a left one. Its column and row through the largest diagonal entry
 * are taken: the diagonal sums to the product of lambda's distances from the other roots, so that entry isn't small.
 *
 * Downstream, (lambda - A_cc) v_c = sum A_cb v_b is solved in the modes of block c, which are known:
 * v_c = sum_q V_q (W_q . rhs) / (lambda - lambda_q). The left vectors follow from W V = 1, block by block:
 * W_cb = -(sum_{b < d <= c} W_cd V_db) W_bb. */

/* ---- Blocks */

/* Column k of the adjugate M (m x m) is v, its row k is w, for the k with the largest diagonal entry; w . v = 1. */
INLINE void pick_vectors(const lanes *M, size_t m, lanes *v, lanes *w)
{
    lanes largest, size, product = {0};
    size_of(&M[0], &largest);
    for (size_t i = 0; i < m; i++) {
        v[i] = M[i * m];
        w[i] = M[i];
    }
    for (size_t k = 1; k < m; k++) {
        size_of(&M[k * m + k], &size);
        bits larger = size > largest;
        choose(&larger, &size, &largest);
        for (size_t i = 0; i < m; i++) {
            choose(&larger, &M[i * m + k], &v[i]);
            choose(&larger, &M[k * m + i], &w[i]);
        }
    }
    for (size_t i = 0; i < m; i++)
        product += v[i] * w[i];
    product = 1.0 / product;
    for (size_t i = 0; i < m; i++)
        w[i] *= product;
}

INLINE void roots_of_two(const lanes *B, lanes *root, bits *good)
{
    lanes half = 0.5 * (B[0] - B[3]), middle = 0.5 * (B[0] + B[3]), square = half * half + B[1] * B[2], away;
    *good &= square > 0.0;
    root_of(&square, &away);
    take_sign(&middle, &away);
    root[0] = middle + away;
    root[1] = (B[0] * B[3] - B[1] * B[2]) / root[0]; /* the smaller one without cancellation */
}

INLINE void adjugate_of_two(const lanes *B, const lanes *lambda, lanes *M)
{
    M[0] = B[3] - *lambda;
    M[1] = -B[1];
    M[2] = -B[2];
    M[3] = B[0] - *lambda;
}

INLINE void adjugate_of_three(const lanes *B, const lanes *lambda, lanes *M)
{
    lanes a = B[0] - *lambda, e = B[4] - *lambda, i = B[8] - *lambda;
    M[0] = e * i - B[5] * B[7];
    M[1] = B[2] * B[7] - B[1] * i;
    M[2] = B[1] * B[5] - B[2] * e;
    M[3] = B[5] * B[6] - B[3] * i;
    M[4] = a * i - B[2] * B[6];
    M[5] = B[2] * B[3] - a * B[5];
    M[6] = B[3] * B[7] - e * B[6];
    M[7] = B[1] * B[6] - a * B[7];
    M[8] = a * e - B[1] * B[3];
}

/* The largest u with 4 u^3 - 3 u = c, 0 <= c <= 1. */
INLINE void largest_cosine(const lanes *c, lanes *u)
{
    *u = 0.8660254037844386 + *c * (1.0 / 6 + *c * (*c * 0.0098286 - 0.0425207));
    for (int round = 0; round < 3; round++)
        *u -= ((4.0 * *u * *u - 3.0) * *u - *c) / (12.0 * *u * *u - 3.0);
}

/* Newton's steps on the characteristic polynomial as it stands. */
INLINE void polish_roots(const lanes *B, lanes *root)
{
    const lanes zero = {0};
    lanes M[9], trace = B[0] + B[4] + B[8];
    adjugate_of_three(B, &zero, M);
    lanes minors = M[0] + M[4] + M[8], det = B[0] * M[0] + B[1] * M[3] + B[2] * M[6];
    for (size_t k = 0; k < 6; k++) {
        lanes x = root[k % 3];
        root[k % 3] -= (((x - trace) * x + minors) * x - det) / ((3.0 * x - 2.0 * trace) * x + minors);
    }
}

INLINE void roots_of_three(const lanes *B, lanes *root, bits *good)
{
    lanes shift = (B[0] + B[4] + B[8]) * (1.0 / 3), M[9], radius, size, u, apart, square;
    adjugate_of_three(B, &shift, M);
    lanes p = M[0] + M[4] + M[8], minus_q = (B[0] - shift) * M[0] + B[1] * M[3] + B[2] * M[6];
    lanes third = p * (-1.0 / 3);
    *good &= third > 0.0;
    root_of(&third, &radius);
    radius *= 2.0;
    lanes c = -3.0 * minus_q / (p * radius);
    size_of(&c, &size);
    *good &= size < 1.0;
    largest_cosine(&size, &u);
    square = 3.0 - 3.0 * u * u;
    root_of(&square, &apart);
    take_sign(&c, &radius);
    root[0] = radius * u + shift;
    root[1] = radius * (0.5 * (apart - u)) + shift;
    root[2] = radius * (-0.5 * (apart + u)) + shift;
    polish_roots(B, root);
}

/* The block of m states from s: its modes stand in columns s .. s + m - 1. */
INLINE void solve_block(const lanes *A, size_t n, size_t s, size_t m, lanes *lambda, lanes *V, lanes *W,
                           bits *good)
{
    lanes B[9], M[9], v[3], w[3];
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < m; k++)
            B[i * m + k] = A[(s + i) * n + s + k];
    if (m == 2)
        roots_of_two(B, lambda + s, good);
    else
        roots_of_three(B, lambda + s, good);
    for (size_t j = 0; j < m; j++) {
        if (m == 2)
            adjugate_of_two(B, &lambda[s + j], M);
        else
            adjugate_of_three(B, &lambda[s + j], M);
        pick_vectors(M, m, v, w);
        for (size_t i = 0; i < m; i++) {
            V[(s + i) * n + s + j] = v[i];
            W[(s + j) * n + s + i] = w[i];
        }
    }
}

/* ---- From block to block */

/* Follows vector j of an upstream block, which begins at from, into the block s .. s + m - 1. */
INLINE void follow(const lanes *A, const struct hl_shape *shape, const bool *edge, size_t from, size_t j,
                      size_t s, size_t m, const lanes *lambda, lanes *V, const lanes *W)
{
    size_t n = shape->n;
    lanes rhs[LARGEST_BLOCK] = {{0}};
    for (size_t i = 0; i < m; i++)
        for (size_t k = from; k < s; k++)
            if (edge[(s + i) * n + k] && shape->reach[k * n + j])
                rhs[i] += A[(s + i) * n + k] * V[k * n + j];
    for (size_t q = s; q < s + m; q++) {
        lanes share = {0};
        for (size_t i = 0; i < m; i++)
            share += W[q * n + s + i] * rhs[i];
        share /= lambda[j] - lambda[q];
        for (size_t i = 0; i < m; i++)
            V[(s + i) * n + j] += V[(s + i) * n + q] * share;
    }
}

/* Row i of W in the columns of the block b .. b_end - 1, upstream of i's own, when those of all blocks between are
 * known. */
INLINE void follow_back(const struct hl_shape *shape, size_t i, size_t last, size_t b, size_t b_end,
                           const lanes *V, lanes *W)
{
    size_t n = shape->n;
    for (size_t j = b; j < b_end; j++) {
        lanes sum = {0};
        for (size_t k = b_end; k < last; k++)
            if (shape->reach[i * n + k] && shape->reach[k * n + j])
                sum += W[i * n + k] * V[k * n + j];
        for (size_t x = b; x < b_end; x++)
            W[i * n + x] -= sum * W[j * n + x];
    }
}

/* Real eigenvalues, right and left vectors (W V = 1 but for rounding) of the n x n rows A. edge[i*n+k]: A has an entry
 * there. Lanes that become false in good, or whose numbers aren't finite, have none. V and W are zero where the shape
 * says so. */
static void seed(const lanes *A, const struct hl_shape *shape, const bool *edge, lanes *lambda, lanes *V, lanes *W,
                 bits *good)
{
    size_t n = shape->n, n_blocks = shape->n_blocks;
    const size_t *start = shape->start;
    memset(V, 0, n * n * sizeof *V);
    memset(W, 0, n * n * sizeof *W);
    for (size_t b = 0; b < n_blocks; b++) {
        size_t s = start[b], m = start[b + 1] - s;
        if (m == 1) {
            lambda[s] = A[s * n + s];
            V[s * n + s] += 1.0;
            W[s * n + s] += 1.0;
        } else if (m == 2) {
            solve_block(A, n, s, 2, lambda, V, W, good);
        } else {
            solve_block(A, n, s, 3, lambda, V, W, good);
        }
    }
    for (size_t j = 0, b = 0; j < n; j++) {
        b += j == start[b + 1];
        for (size_t c = b + 1; c < n_blocks; c++)
            if (shape->reach[start[c] * n + j])
                follow(A, shape, edge, start[b], j, start[c], start[c + 1] - start[c], lambda, V, W);
    }
    for (size_t c = 1; c < n_blocks; c++)
        for (size_t i = start[c]; i < start[c + 1]; i++)
            for (size_t b = c; b-- > 0;)
                if (shape->reach[i * n + start[b]])
                    follow_back(shape, i, start[c + 1], start[b], start[b + 1], V, W);
}
