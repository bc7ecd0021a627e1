/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compiled expressions. A program is a flat list of three-address instructions
 * over one register file, regs[r * lanes + lane]: every value of a system
 * (constants, covariates, parameters, etas, states, outputs, temporaries) has a
 * register number r, and the same program runs over any number of lanes
 * (neighbouring subjects) with results that don't depend on that number. */
#ifndef HL_MODEL_PROGRAM_H
#define HL_MODEL_PROGRAM_H

#include <stddef.h>

struct hl_instruction {
    int op;        /* one of the operations listed in program.c */
    int dst;       /* register written */
    int a, b, c;   /* registers read; -1 where the operation has fewer operands */
};

struct hl_program {
    size_t n;
    struct hl_instruction *code;
};

/* Runs the program over lanes lanes; every register read must have been set (by an earlier program or by the caller).
 * Arithmetic exceptions give inf or nan, never a trap. */
void hl_program_run(const struct hl_program *program, double *regs, size_t lanes);

/* The same with first derivatives carried along (forward mode): dregs has the shape of regs and holds the derivative of
 * each register with respect to one scalar (time, say). Registers that are inputs must have both set; comparisons
 * and floor have derivative 0, if() that of the branch taken. */
void hl_program_run_dual(const struct hl_program *program, double *regs, double *dregs, size_t lanes);

#endif
