/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operations of the model language: one list for the parser's tree (expr.h),
 * the graph of values (graph.h) and the compiled programs (program.h). The
 * table in program.c says how each is computed and differentiated. */
#ifndef HL_MODEL_OPS_H
#define HL_MODEL_OPS_H

enum hl_op {
    HL_OP_NUMBER, HL_OP_NAME, /* leaves of a tree; of the graph: a constant, a register set from outside */
    HL_OP_COPY, HL_OP_NEG, HL_OP_ABS, HL_OP_FLOOR, HL_OP_EXP, HL_OP_LOG, HL_OP_LOG10, HL_OP_LOG1P, HL_OP_EXPM1,
    HL_OP_SQRT, HL_OP_PHI, HL_OP_LGAMMA, HL_OP_LOGIT, HL_OP_EXPIT, HL_OP_STEP, HL_OP_NOT,
    HL_OP_ADD, HL_OP_SUB, HL_OP_MUL, HL_OP_DIV, HL_OP_POW, HL_OP_GAMMA_P, HL_OP_MIN, HL_OP_MAX,
    HL_OP_LT, HL_OP_LE, HL_OP_GT, HL_OP_GE, HL_OP_EQ, HL_OP_NE, HL_OP_AND, HL_OP_OR,
    HL_OP_HILL, HL_OP_SELECT,
    HL_N_OPS
};

/* How many operands an operation has: 0 for leaves, at most 3. */
int hl_op_arity(enum hl_op op);

/* How it is written: "+", "hill"; for messages. */
const char *hl_op_name(enum hl_op op);

/* One value, by the very code that programs run (so that folding constants changes no bit). Unused operands are
 * ignored. */
double hl_op_apply(enum hl_op op, double a, double b, double c);

#endif
