/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The equations of workloads W1 to W4 as one would write them by hand, apart from the engine: they are what the
 * baselines solve. Included with REAL defined as double (baselines) or as a 128-bit type (the reference). Amounts in
 * mg, concentrations in mg/L, time in h; p holds what differs between patients, in the order of workload_table. */
#ifndef BENCH_EQUATIONS_H
#define BENCH_EQUATIONS_H

/* What all patients share: clonazepam's (Q V2 KE0), fentanyl's (Q2 V2F Q3 V3F KE0F), W3's saturable elimination,
 * tolerance and response. */
static const double Q = 10, V2 = 100, KE0 = 0.5;
static const double Q2 = 120, V2F = 35, Q3 = 80, V3F = 280, KE0F = 8.8;
static const double KM = 0.2, KT = 0.01, KIN = 1, KOUT = 0.1, IMAX = 0.8, IC50 = 0.02;

/* Clonazepam: depot, central, peripheral, effect site. Fentanyl: depot, central, two peripheral, effect site. */
static inline void equations_w1(const REAL *y, REAL *dydt, const double *p, double rate)
{
    REAL kaz = p[0], CLz = p[1], V1z = p[2], kaf = p[3], CLf = p[4], V1f = p[5];
    (void)rate;
    dydt[0] = -kaz * y[0];
    dydt[1] = kaz * y[0] - (CLz + Q) / V1z * y[1] + Q / V2 * y[2];
    dydt[2] = Q / V1z * y[1] - Q / V2 * y[2];
    dydt[3] = KE0 * (y[1] / V1z - y[3]);
    dydt[4] = -kaf * y[4];
    dydt[5] = kaf * y[4] - (CLf + Q2 + Q3) / V1f * y[5] + Q2 / V2F * y[6] + Q3 / V3F * y[7];
    dydt[6] = Q2 / V1f * y[5] - Q2 / V2F * y[6];
    dydt[7] = Q3 / V1f * y[5] - Q3 / V3F * y[7];
    dydt[8] = KE0F * (y[5] / V1f - y[8]);
}

/* Fentanyl into the vein: central, two peripheral, effect site. */
static inline void equations_w2(const REAL *y, REAL *dydt, const double *p, double rate)
{
    REAL CL = p[0], V1 = p[1];
    dydt[0] = rate - (CL + Q2 + Q3) / V1 * y[0] + Q2 / V2F * y[1] + Q3 / V3F * y[2];
    dydt[1] = Q2 / V1 * y[0] - Q2 / V2F * y[1];
    dydt[2] = Q3 / V1 * y[0] - Q3 / V3F * y[2];
    dydt[3] = KE0F * (y[0] / V1 - y[3]);
}

/* Clonazepam, saturable: depot, central, peripheral, effect site, tolerance, response. */
static inline void equations_w3(const REAL *y, REAL *dydt, const double *p, double rate)
{
    REAL ka = p[0], Vmax = p[1], V1 = p[2], C = y[1] / V1;
    (void)rate;
    dydt[0] = -ka * y[0];
    dydt[1] = ka * y[0] - Vmax * C / (KM + C) - Q / V1 * y[1] + Q / V2 * y[2];
    dydt[2] = Q / V1 * y[1] - Q / V2 * y[2];
    dydt[3] = KE0 * (C - y[3]);
    dydt[4] = KT * (y[3] - y[4]);
    dydt[5] = KIN * (1 - IMAX * y[3] / (IC50 + y[4] + y[3])) - KOUT * y[5];
}

/* One compartment by mouth: depot, central. */
static inline void equations_w4(const REAL *y, REAL *dydt, const double *p, double rate)
{
    REAL ka = p[0], CL = p[1], V = p[2];
    (void)rate;
    dydt[0] = -ka * y[0];
    dydt[1] = ka * y[0] - CL / V * y[1];
}

static inline void equations(int w, const REAL *y, REAL *dydt, const double *p, double rate)
{
    switch (w) {
    case 1: equations_w1(y, dydt, p, rate); break;
    case 2: equations_w2(y, dydt, p, rate); break;
    case 3: equations_w3(y, dydt, p, rate); break;
    default: equations_w4(y, dydt, p, rate);
    }
}

/* The outputs, in the order of the study: concentrations in plasma and at the effect site; W3 also tolerance and
 * response. */
static inline void outputs_of(int w, const REAL *y, const double *p, double *out)
{
    if (w == 1) {
        out[0] = (double)(y[1] / p[2]);
        out[1] = (double)y[3];
        out[2] = (double)(y[5] / p[5]);
        out[3] = (double)y[8];
    } else if (w == 2) {
        out[0] = (double)(y[0] / p[1]);
        out[1] = (double)y[3];
    } else if (w == 3) {
        out[0] = (double)(y[1] / p[2]);
        out[1] = (double)y[3];
        out[2] = (double)y[4];
        out[3] = (double)y[5];
    } else
        out[0] = (double)(y[1] / p[2]);
}

#endif
