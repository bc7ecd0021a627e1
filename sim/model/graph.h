/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values of a system as a graph without repetition: every expression of
 * every model is lowered into it, equal subexpressions become one node,
 * constants are folded. Linear forms are read off the graph, and programs are
 * compiled from it. Nodes are numbered so that operands come first. */
#ifndef HL_MODEL_GRAPH_H
#define HL_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "model/ops.h"
#include "model/program.h"
#include "model/system.h"

struct hl_node {
    enum hl_op op;              /* HL_OP_NUMBER: value; HL_OP_NAME: a register set from outside; else an operation */
    int arg[3];                 /* nodes, -1 where there is none */
    double value;
    int home;                   /* register where the value always stands when programs run, or -1 */
    int state;                  /* a state's value: its index; else -1 */
    bool changes;               /* depends on time, tad, a state or a dose's nominal strength */
    bool individual;            /* depends on something that may differ between subjects */
};

struct hl_graph {
    struct hl_arena *arena;
    struct hl_node *node; size_t n_nodes, capacity;
    int *slot; size_t n_slots;  /* hash table of node numbers + 1 */
    struct hl_register *reg; double *initial; size_t n_regs, reg_capacity, initial_capacity;
    struct hl_linear **linear; size_t n_linear, n_derived; /* forms by node, the first n_derived */
};

/* sum coef[k] * state[k] + offset, all coefficients nodes that are constant in time; or not linear at all. */
struct hl_linear {
    bool linear;
    size_t n;
    int *state, *coef;          /* states ascending */
    int offset;                 /* node, or -1 for zero */
};

struct hl_root { int node, reg; };

struct hl_graph *hl_graph_create(struct hl_arena *arena);

/* A new register. */
int hl_graph_register(struct hl_graph *graph, const char *name, enum hl_register_kind kind, struct hl_dim dim,
                      double initial);

/* A node for a register set from outside. */
int hl_graph_leaf(struct hl_graph *graph, int reg, int state, bool changes, bool individual);

int hl_graph_number(struct hl_graph *graph, double value);

/* The node of an operation: an existing one, a folded constant, a simpler equal one (x * 1, x + 0), or a new one. */
int hl_graph_op(struct hl_graph *graph, enum hl_op op, int a, int b, int c);

/* True, with its value, for a constant. */
bool hl_graph_is_number(const struct hl_graph *graph, int node, double *value);

/* The linear form of a node in the states; belongs to the graph. */
const struct hl_linear *hl_graph_linear(struct hl_graph *graph, int node);

/* Gives every constant that something uses a register, and the list of nodes constant in time that must stand in a
 * register because a changing value, or one of the n roots (nodes), needs them; n_kept of them, in the arena. */
int *hl_graph_kept(struct hl_graph *graph, const int *root, size_t n, size_t *n_kept);

/* Compiles the program that brings each root's value into its register, from registers that already stand. Temporaries
 * are taken from registers first_temporary and up (which grow as needed), recycled inside the program. */
struct hl_program hl_graph_compile(struct hl_graph *graph, const struct hl_root *root, size_t n,
                                   size_t first_temporary);

/* Marks in seen (n_states) every state that the node's value depends on. */
void hl_graph_states(const struct hl_graph *graph, int node, bool *seen);

#endif
