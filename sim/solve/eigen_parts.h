/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of eigen_lanes.c, for its kernels. Arrays are rows of as many doubles as
 * the kernel has lanes. */
#ifndef HL_SOLVE_EIGEN_PARTS_H
#define HL_SOLVE_EIGEN_PARTS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/vector.h"
#include "solve/eigen_lanes.h"

#define MOST_STATES 16
#define LARGEST_BLOCK 3 /* states of a block that has closed roots */

/* The sum of a's entries times b's that makes entry to: n products, one after the other in a list. The vectors of a
 * block of one begin as 1: nothing to multiply there. */
struct sum { size_t to, n; };
struct product { size_t a, b; bool a_is_one, b_is_one; };
struct recipe { size_t n_sums, n_products; struct sum *sum; struct product *product; };

/* Solves the kernel's number of lanes, from the first of each row on; see hl_eigen_lanes_solve. */
typedef unsigned hl_eigen_kernel(struct hl_eigen_lanes *e, const double *regs, size_t stride, const double *horizon,
                                 double *lambda, double *V, double *W);
hl_eigen_kernel hl_eigen_two, hl_eigen_four, hl_eigen_eight;

struct hl_eigen_lanes {
    const struct hl_component *component;
    bool fits;                    /* few enough states in few enough blocks of few enough */
    hl_eigen_kernel *kernel;
    size_t part;                  /* its lanes */
    bool *edge;                   /* A has an entry here */
    struct recipe with_edges, full; /* of A X, and of X Y, where X and Y have the closed pattern */
    double *A, *A_rest, *lambda, *V, *W, *E, *F;
    double *of_A, *of_V, *of_W, *of_T; /* two rows for each entry: it, and its upper half */
    double *T_rest, *M, *M_rest;
    double *terms, *peak, *term;  /* of responses: sum of sizes, peak; single terms, as full.product */
    double *x, *exponential;
    void *room;
};

#endif
