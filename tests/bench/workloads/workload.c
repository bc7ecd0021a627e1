/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Derivatives, Jacobians and outputs of W1 to W4 in double precision. */
#include "workload.h"

#include <string.h>

#define REAL double
#include "equations.h"

void workload_derivative(int w, const double *y, double *dydt, const double *p, double rate)
{
    equations(w, y, dydt, p, rate);
}

void workload_outputs(int w, const double *y, const double *p, double *out)
{
    outputs_of(w, y, p, out);
}

double absolute_tolerance(double relative)
{
    return 1e-6 * relative;
}

static void jacobian_w1(double (*J)[9], const double *p)
{
    J[0][0] = -p[0];
    J[1][0] = p[0];
    J[1][1] = -(p[1] + Q) / p[2];
    J[1][2] = Q / V2;
    J[2][1] = Q / p[2];
    J[2][2] = -Q / V2;
    J[3][1] = KE0 / p[2];
    J[3][3] = -KE0;
    J[4][4] = -p[3];
    J[5][4] = p[3];
    J[5][5] = -(p[4] + Q2 + Q3) / p[5];
    J[5][6] = Q2 / V2F;
    J[5][7] = Q3 / V3F;
    J[6][5] = Q2 / p[5];
    J[6][6] = -Q2 / V2F;
    J[7][5] = Q3 / p[5];
    J[7][7] = -Q3 / V3F;
    J[8][5] = KE0F / p[5];
    J[8][8] = -KE0F;
}

static void jacobian_w2(double (*J)[4], const double *p)
{
    J[0][0] = -(p[0] + Q2 + Q3) / p[1];
    J[0][1] = Q2 / V2F;
    J[0][2] = Q3 / V3F;
    J[1][0] = Q2 / p[1];
    J[1][1] = -Q2 / V2F;
    J[2][0] = Q3 / p[1];
    J[2][2] = -Q3 / V3F;
    J[3][0] = KE0F / p[1];
    J[3][3] = -KE0F;
}

static void jacobian_w3(double (*J)[6], const double *y, const double *p)
{
    double C = y[1] / p[2], below = IC50 + y[4] + y[3];
    J[0][0] = -p[0];
    J[1][0] = p[0];
    J[1][1] = -p[1] * KM / ((KM + C) * (KM + C)) / p[2] - Q / p[2];
    J[1][2] = Q / V2;
    J[2][1] = Q / p[2];
    J[2][2] = -Q / V2;
    J[3][1] = KE0 / p[2];
    J[3][3] = -KE0;
    J[4][3] = KT;
    J[4][4] = -KT;
    J[5][3] = -KIN * IMAX * (IC50 + y[4]) / (below * below);
    J[5][4] = KIN * IMAX * y[3] / (below * below);
    J[5][5] = -KOUT;
}

void workload_jacobian(int w, const double *y, double *J, const double *p)
{
    static const size_t states[] = {0, 9, 4, 6, 2};
    memset(J, 0, states[w] * states[w] * sizeof *J);
    switch (w) {
    case 1: jacobian_w1((double (*)[9])J, p); break;
    case 2: jacobian_w2((double (*)[4])J, p); break;
    case 3: jacobian_w3((double (*)[6])J, y, p); break;
    default:
        J[0] = -p[0];
        J[2] = p[0];
        J[3] = -p[1] / p[2];
    }
}

#ifdef HAVE_CVODE
const char *const bench_without_cvode = NULL;
#else
const char *const bench_without_cvode = "SUNDIALS (cvode/cvode.h) was not found when the benchmarks were compiled";
#endif
