/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums of exponentials over eight lanes.
 *
 * How many zeros f(s) = sum b_j e^(lambda_j s) can have on s > 0 is told by Laguerre's rule of signs (Laguerre 1883,
 * Oeuvres I, p. 28; Jameson 2006, Math Gaz 90:223): at most as many as the partial sums of the b_j, taken from the
 * largest lambda on, change sign. For f is s times the Laplace transform of the step function of these sums, and the
 * Laplace kernel doesn't make signs change more often. Seen from the right end, with s' = L - s, the same holds of the
 * sums of b_j e^(lambda_j L), taken from the smallest lambda on; the smaller number counts. Descartes' rule, changes of
 * sign of the b_j themselves, allows at least as many.
 *
 * All arithmetic is in rows of eight, fused by nobody and in a fixed order. */
#include "solve/strand_parts.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "base/vector.h"

typedef double eight __attribute__((vector_size(HL_LANES * sizeof(double))));
typedef int64_t bits __attribute__((vector_size(HL_LANES * sizeof(int64_t))));

#define INLINE static inline __attribute__((always_inline))
#define ROW(array, i) (*(eight *)__builtin_assume_aligned((array) + (i) * HL_LANES, 64))
#define CONST_ROW(array, i) (*(const eight *)__builtin_assume_aligned((array) + (i) * HL_LANES, 64))
#define PICK(mask, yes, no) ((eight)(((mask) & (bits)(yes)) | (~(mask) & (bits)(no))))
#define LESSER(x, y) PICK((x) < (y), x, y)
#define GREATER(x, y) PICK((x) > (y), x, y)

HL_CLONES void hl_strand_hop(const double *z, const double *g, const double *E, const double *phi, size_t n,
                             double *z_end)
{
    for (size_t j = 0; j < n; j++) {
        eight moved = CONST_ROW(z, j) * CONST_ROW(E, j);
        ROW(z_end, j) = g ? moved + CONST_ROW(g, j) * CONST_ROW(phi, j) : moved;
    }
}

HL_CLONES void hl_strand_drift(const double *E, const double *phi, const double *lambda, const double *drift, size_t n,
                               double *E_to, double *phi_to)
{
    eight d = CONST_ROW(drift, 0);
    for (size_t j = 0; j < n; j++) {
        eight x = CONST_ROW(lambda, j) * d, e = CONST_ROW(E, j);
        ROW(E_to, j) = e + e * (x + 0.5 * x * x);
        ROW(phi_to, j) = CONST_ROW(phi, j) + e * d;
    }
}

HL_CLONES void hl_strand_add(double *z, const double *W, const double *value, size_t n)
{
    for (size_t j = 0; j < n; j++)
        ROW(z, j) += CONST_ROW(W, j) * CONST_ROW(value, 0);
}

HL_CLONES void hl_strand_times(const double *lambda, const double *s, size_t n, double *x)
{
    for (size_t j = 0; j < n; j++)
        ROW(x, j) = CONST_ROW(lambda, j) * CONST_ROW(s, 0);
}

HL_CLONES void hl_strand_sum(const double *offset, const double *c, const double *E, const double *d, const double *phi,
                             size_t n, double *sum)
{
    eight total = {0};
    if (offset)
        total = CONST_ROW(offset, 0);
    for (size_t j = 0; j < n; j++) {
        total += CONST_ROW(c, j) * CONST_ROW(E, j);
        if (d)
            total += CONST_ROW(d, j) * CONST_ROW(phi, j);
    }
    ROW(sum, 0) = total;
}

#define ONE {1, 1, 1, 1, 1, 1, 1, 1}

/* The series s^2 (1/2! + x/3! + x^2/4! + ...), x = lambda s, where the difference would lose digits. */
HL_CLONES void hl_strand_psi(const double *lambda, const double *s, const double *phi, size_t n, double *psi)
{
    eight length = CONST_ROW(s, 0);
    for (size_t j = 0; j < n; j++) {
        eight rate = CONST_ROW(lambda, j), x = rate * length, sum = {0}, one = ONE;
        for (int k = 17; k >= 3; k--)
            sum = (one + sum) * x / (double)k;
        eight near = 0.5 * length * length * (one + sum);
        bits small = (x < 0.5) & (x > -0.5);
        eight far = (CONST_ROW(phi, j) - length) / PICK(small, one, rate);
        ROW(psi, j) = PICK(small, near, far);
    }
}

#define TINY {DBL_MIN, DBL_MIN, DBL_MIN, DBL_MIN, DBL_MIN, DBL_MIN, DBL_MIN, DBL_MIN}

/* A product that is 0 because it is too small for a double still has its sign. */
#define SIGNED(product, b) PICK(((product) == 0) & ((b) != 0), PICK((b) > 0, tiny, -tiny), product)

/* Adds a term to a partial sum and counts when its sign differs from that of the last sum that wasn't 0. */
#define COUNT(sum, last, changes, term) do { \
        (sum) += (term); \
        (changes) += (eight)(((((last) > 0) & ((sum) < 0)) | (((last) < 0) & ((sum) > 0))) & (bits)one); \
        (last) = PICK((sum) != 0, sum, last); \
    } while (0)

/* Laguerre's rule from both ends of a stretch; and y' there. */
INLINE void count_turns(const double *b, const double *E, size_t n, eight *count, eight *start, eight *end)
{
    const eight tiny = TINY, one = ONE;
    eight forward = {0}, backward = {0}, last = {0}, changes = {0}, changes_back = {0};
    for (size_t j = 0; j < n; j++)
        COUNT(forward, last, changes, CONST_ROW(b, j));
    last = (eight){0};
    for (size_t j = n; j-- > 0;) {
        eight coef = CONST_ROW(b, j), term = coef * CONST_ROW(E, j);
        term = SIGNED(term, coef);
        COUNT(backward, last, changes_back, term);
    }
    *count = LESSER(changes, changes_back);
    *start = forward;
    *end = backward;
}

HL_CLONES void hl_strand_chain(const double *b, const double *lambda, size_t n, double *chain)
{
    for (size_t j = 0; j < n; j++)
        ROW(chain, j) = CONST_ROW(b, j);
    for (size_t left = n; left > 1; left--) {
        double *next = chain + left * HL_LANES;
        for (size_t j = 0; j + 1 < left; j++)
            ROW(next, j) = (CONST_ROW(lambda, j) - CONST_ROW(lambda, left - 1)) * ROW(chain, j);
        chain = next;
    }
}

HL_CLONES void hl_strand_signs(const double *chain, const double *E, size_t n, double *signs, double *first)
{
    const eight one = ONE;
    eight last = {0}, changes = {0};
    for (size_t left = n; left > 0; left--) {
        eight sum = {0}, value = {0};
        for (size_t j = 0; j < left; j++)
            value += E ? CONST_ROW(chain, j) * CONST_ROW(E, j) : CONST_ROW(chain, j);
        if (left == n)
            ROW(first, 0) = value;
        COUNT(sum, last, changes, value);
        chain += left * HL_LANES;
    }
    ROW(signs, 0) = changes;
}

HL_CLONES void hl_strand_range(const double *b, const double *E, const double *F, size_t n, double *low, double *high)
{
    eight least = {0}, most = {0};
    for (size_t j = 0; j < n; j++) {
        eight coef = CONST_ROW(b, j), p = E ? coef * CONST_ROW(E, j) : coef, q = coef * CONST_ROW(F, j);
        least += LESSER(p, q);
        most += GREATER(p, q);
    }
    ROW(low, 0) = least;
    ROW(high, 0) = most;
}

/* From count and the signs of y' at the ends: how often y turns, -1 where that can't be told; and what a curve that is
 * monotone or turns once can't exceed. */
INLINE void judge(struct hl_strand_curve *curve, const eight *counted, const eight *above, const eight *below)
{
    const eight one = ONE, none = {0};
    eight start = CONST_ROW(curve->slope, 0), end = CONST_ROW(curve->slope_right, 0), count = *counted;
    bits odd = (start < 0) ^ (end < 0), straight = (count == 0) | ((count == 1) & ~odd);
    bits once = ~straight & odd & (count <= 2);
    ROW(curve->turns, 0) = PICK(straight, none, PICK(once, one, -one));
    eight left = CONST_ROW(curve->left, 0), right = CONST_ROW(curve->right, 0);
    eight higher = GREATER(left, right), lower = LESSER(left, right);
    ROW(curve->high, 0) = PICK(straight | (once & (start < 0)), higher, GREATER(*above, higher));
    ROW(curve->low, 0) = PICK(straight | (once & (start >= 0)), lower, LESSER(*below, lower));
}

HL_CLONES void hl_strand_open(const struct hl_strand *s, struct hl_strand_curve *curve)
{
    eight left = CONST_ROW(curve->offset, 0), right = left, above = left, below = left, bend = {0}, bend_right = {0};
    const eight none = {0};
    for (size_t j = 0; j < s->n_modes; j++) {
        eight V = CONST_ROW(curve->V, j), lambda = CONST_ROW(s->lambda, j), E = CONST_ROW(s->E_whole, j);
        eight a = V * CONST_ROW(s->z, j), moved = a * E, b = lambda * a;
        ROW(curve->a, j) = a;
        left += a;
        right += moved;
        above += GREATER(a, moved);
        below += LESSER(a, moved);
        if (s->infused) {
            eight G = V * CONST_ROW(s->g, j), gain = G * CONST_ROW(s->phi_whole, j);
            ROW(curve->G, j) = G;
            b += G;
            right += gain;
            above += GREATER(gain, none);
            below += LESSER(gain, none);
        }
        ROW(curve->b, j) = b;
        bend += lambda * b;
        bend_right += lambda * b * E;
    }
    ROW(curve->left, 0) = left;
    ROW(curve->right, 0) = right;
    eight count, start, end;
    count_turns(curve->b, s->E_whole, s->n_modes, &count, &start, &end);
    ROW(curve->slope, 0) = PICK(start == 0, bend, start);
    ROW(curve->slope_right, 0) = PICK(end == 0, -bend_right, end);
    judge(curve, &count, &above, &below);
}

HL_CLONES void hl_strand_slopes(const double *b, const double *lambda, const double *E, size_t n, double *slope,
                                double *bend)
{
    eight first = {0}, second = {0};
    for (size_t j = 0; j < n; j++) {
        eight term = CONST_ROW(b, j) * CONST_ROW(E, j);
        first += term;
        second += CONST_ROW(lambda, j) * term;
    }
    ROW(slope, 0) = first;
    ROW(bend, 0) = second;
}

#define NARROW 1e-6 /* a bracket this narrow, in units of a close step, needs no further turn */

HL_CLONES bool hl_strand_turn(struct hl_strand_root *root, const double *f, const double *slope, bool bisect)
{
    eight s = ROW(root->s, 0), value = CONST_ROW(f, 0), low = ROW(root->low, 0), high = ROW(root->high, 0);
    bits active = ROW(root->active, 0) != 0, before = value * ROW(root->side, 0) > 0;
    low = PICK(active & before, s, low);
    high = PICK(active & ~before, s, high);
    eight middle = 0.5 * (low + high), next = s - value / CONST_ROW(slope, 0);
    bits inside = (next >= low) & (next <= high);
    inside = bisect ? inside & ~inside : inside;
    next = PICK(inside, next, middle);
    eight step = next - s, close = ROW(root->close, 0);
    bits there = (inside & (step <= close) & (-step <= close)) | (high - low <= NARROW * close) | (value == 0);
    ROW(root->low, 0) = low;
    ROW(root->high, 0) = high;
    ROW(root->s, 0) = PICK(active & (value != 0), next, s);
    eight still = (eight)(active & ~there & (bits)(eight)ONE);
    ROW(root->active, 0) = still;
    double left = 0;
    for (size_t l = 0; l < HL_LANES; l++)
        left += root->active[l];
    return left != 0;
}
