/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops over lanes of strand_hours.c: how stretches of a run pass a level. Selections, never branches by lane. */
#include "solve/strand_parts.h"

#include "base/eight.h"

typedef hl_eight eight;
typedef hl_eight_bits bits;

#define AS_FLAG(mask) ((eight)((mask) & (bits)one))

/* ---- What is known of a run */

INLINE void count(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                  const double *n_alike, size_t n, struct hl_strand_above *above)
{
    CONSTANTS;
    eight below = CONST_ROW(curve->offset, 0) - CONST_ROW(level, 0), alike = CONST_ROW(n_alike, 0);
    eight V[HL_STRAND_MODES], end[HL_STRAND_MODES], top[HL_STRAND_MODES];
    eight place = CONST_ROW(s->crest.at, 0), dip = CONST_ROW(curve->dip.at, 0), whole = CONST_ROW(s->whole, 0);
    bits left = {0}, right = {0}, crest = {0};
    bits stands = BELOW(none, place) & BELOW(place, whole) & BELOW(CONST_ROW(above->dips, 0) * dip, place);
#pragma GCC unroll 8
    for (size_t j = 0; j < n; j++) {
        V[j] = CONST_ROW(curve->V, j);
        end[j] = V[j] * CONST_ROW(s->E_whole, j);
        top[j] = V[j] * CONST_ROW(s->crest.E, j);
    }
    for (size_t i = 0; i < s->most_alike; i++) {
        const double *z = s->zs + i * n * HL_LANES;
        eight y = below, y_end = below, y_top = below;
#pragma GCC unroll 8
        for (size_t j = 0; j < n; j++) {
            y += V[j] * CONST_ROW(z, j);
            y_end += end[j] * CONST_ROW(z, j);
            y_top += top[j] * CONST_ROW(z, j);
        }
        bits there = BELOW((double)i * one, alike);
        left -= there & BELOW(none, y);
        right -= there & BELOW(none, y_end);
        crest -= there & stands & BELOW(none, y_top);
    }
    memcpy(above->left, &left, sizeof left);
    memcpy(above->right, &right, sizeof right);
    memcpy(above->crest, &crest, sizeof crest);
}

HL_CLONES void hl_strand_count(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                               const double *n_alike, struct hl_strand_above *above)
{
    switch (s->n_modes) {
    case 3: count(s, curve, level, n_alike, 3, above); break;
    case 4: count(s, curve, level, n_alike, 4, above); break;
    case 5: count(s, curve, level, n_alike, 5, above); break;
    default: count(s, curve, level, n_alike, s->n_modes, above); break;
    }
}

/* Signs of y' at the first and the last stretch of a run: partial sums T by mode at the beginning, y' at the end and at
 * the place curve->dip. */
struct slopes { eight T[2], end[2], dip[2]; };

HL_CLONES void hl_strand_shape(const struct hl_strand *s, const struct hl_strand_curve *curve, double *simple,
                               struct hl_strand_above *above)
{
    CONSTANTS;
    size_t n = s->n_modes, row = n * HL_LANES;
    const double *first = s->zs, *next = s->most_alike > 1 ? first + row : first;
    const double *last = first + (s->most_alike - 1) * row;
    struct slopes y = {0};
    eight step = none, least = none, most = none, size = none;
    bits turns = {0};
    for (size_t j = 0; j < n; j++) {
        eight share = CONST_ROW(curve->V, j) * CONST_ROW(s->lambda, j);
        eight z[2] = {CONST_ROW(first, j), CONST_ROW(last, j)};
        eight E = CONST_ROW(s->E_whole, j) + HL_STRAND_HARDLY, dip = CONST_ROW(curve->dip.E, j);
        bits before[2] = {(bits)y.T[0], (bits)y.T[1]};
        step += share * (CONST_ROW(next, j) - z[0]);
        least = LESSER(least, step);
        most = GREATER(most, step);
        for (size_t k = 0; k < 2; k++) {
            eight b = share * z[k];
            size += SIZE(b);
            y.T[k] += b;
            y.end[k] += b * E;
            y.dip[k] += b * dip;
        }
        bits some = before[0] | before[1] | (bits)y.T[0] | (bits)y.T[1];
        bits every = before[0] & before[1] & (bits)y.T[0] & (bits)y.T[1];
        if (j > 0)
            turns += (some & ~every) >> 63;
    }
    bits steady = ~(BELOW(HL_STRAND_NOISE * size, most) & BELOW(least, -HL_STRAND_NOISE * size));
    bits start_falls = BELOW(y.T[0], none) & BELOW(y.T[1], none);
    bits start_rises = BELOW(none, y.T[0]) & BELOW(none, y.T[1]);
    bits end_falls = BELOW(y.end[0], none) & BELOW(y.end[1], none);
    bits end_rises = BELOW(none, y.end[0]) & BELOW(none, y.end[1]);
    bits none_or_one = -((turns - 2u) >> 63), two = -((turns - 3u) >> 63), three = -((turns - 4u) >> 63);
    bits dips = ~start_rises & ~none_or_one;
    eight place = CONST_ROW(curve->dip.at, 0);
    bits told = BELOW(none, place) & BELOW(place, CONST_ROW(s->whole, 0)) & BELOW(none, y.dip[0])
                & BELOW(none, y.dip[1]);
    bits hills = end_falls & (two | (three & start_falls)) & (~dips | told);
    bits good = steady & (hills | (end_rises & start_rises & none_or_one));
    ROW(simple, 0) = AS_FLAG(good);
    ROW(above->hills, 0) = AS_FLAG(end_falls);
    ROW(above->dips, 0) = AS_FLAG(dips & hills);
}

/* With y'' >= m > 0 before the place curve->dip the minimum isn't below y(0) - y'(0)^2 / (2 m). */
HL_CLONES void hl_strand_floor(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *z,
                               const double *level, double *safe)
{
    CONSTANTS;
    eight left = CONST_ROW(curve->offset, 0) - CONST_ROW(level, 0), slope = none, bend = none;
    for (size_t j = 0; j < s->n_modes; j++) {
        eight a = CONST_ROW(curve->V, j) * CONST_ROW(z, j), lambda = CONST_ROW(s->lambda, j), b = lambda * a;
        eight lead = lambda * b, moved = lead * CONST_ROW(curve->dip.E, j);
        left += a;
        slope += b;
        bend += LESSER(lead, moved);
    }
    eight floor = left * (2 * bend) - slope * slope; /* times 2 bend */
    ROW(safe, 0) = AS_FLAG((BELOW(none, bend) & BELOW(none, floor)) | BELOW(none, slope));
}

HL_CLONES void hl_strand_add_hours(const double *from, const double *to, size_t n, double *hours)
{
    eight sum = ROW(hours, 0);
    for (size_t i = 0; i < n; i++)
        sum += CONST_ROW(to, i) - CONST_ROW(from, i);
    ROW(hours, 0) = sum;
}
