/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock that series of the batched integrator are written in.
 *
 * What a dose has excited decays. The Taylor series of e^(-lambda s) holds as far backwards, where the function is
 * huge, as forwards, where it is wanted, and so not far. In
 *     x = (1 - e^(-mu s)) / mu,    dx/ds = 1 - mu x,    s = -log(1 - mu x) / mu
 * it is (1 - mu x)^(lambda / mu), for lambda = m mu a polynomial of degree m, and what is slower than mu has a series
 * whose terms fall like those of the logarithm. A rate y' = f becomes
 *     (1 - mu x) dy/dx = f,    (k + 1) y_{k+1} = f_k + mu k y_k,
 * one more product for each coefficient; products, quotients and functions of series stay what they are. mu = 0 is
 * Taylor's own. (Changing the variable before expanding is as old as Euler's transformation of series.)
 *
 * Over a step mu s stays below HL_CLOCK_FARTHEST; within that x / s = (1 - e^-z) / z, z = mu s, is a polynomial of
 * degree 11 to 2e-17 (interpolated in Chebyshev's points), exactly 1 at 0. */
#ifndef HL_SOLVE_BATCH_CLOCK_H
#define HL_SOLVE_BATCH_CLOCK_H

#include <math.h>
#include <stddef.h>

#define HL_CLOCK_FARTHEST 0.75 /* mu s */

/* x / s from z = mu s in [0, 0.755] and its powers; numbers or vectors. */
#define HL_CLOCK_SHARE(z, z2, z4)                                                                                 \
    (((1.0 + (z4) * (0.0083333333324202015 + (z4) * 2.755146730264524e-6))                                         \
      + (z) * (-0.5 + (z4) * (-0.0013888888791808549 + (z4) * -2.7462760307094884e-7)))                          \
     + (z2) * ((0.16666666666666584 + (z4) * (0.00019841263811139449 + (z4) * 2.409224241552426e-8))             \
               + (z) * (-0.04166666666662257 + (z4) * (-2.4801353289117405e-5 + (z4) * -1.5211016085356433e-9))))

/* x at s [h], mu s <= HL_CLOCK_FARTHEST. */
static inline double hl_clock_x(double s, double mu)
{
    double z = mu * s, z2 = z * z, z4 = z2 * z2;
    return s * HL_CLOCK_SHARE(z, z2, z4);
}

/* The largest mu h at which a clock's series to that order still tells the time to the tolerance, relative:
 *     s = x + mu x^2 / 2 + mu^2 x^3 / 3 + ...
 * is cut off after x^order. What drifts slowly through many steps keeps that error, always of the same sign. */
static inline double hl_clock_most_bend(size_t order, double tolerance)
{
    double w = 0.4, n = (double)order;
    for (int round = 0; round < 8; round++) /* w^n / ((n + 1) (1 - w)) = tolerance */
        w = pow(tolerance * (n + 1) * (1 - w), 1 / n);
    return fmin(floor(-1e3 * log1p(-w)) * 1e-3, HL_CLOCK_FARTHEST); /* few digits: the same on every machine */
}

/* s [h] at x, mu x < 1. */
static inline double hl_clock_s(double x, double mu)
{
    return mu > 0 ? -log1p(-mu * x) / mu : x;
}

#endif
