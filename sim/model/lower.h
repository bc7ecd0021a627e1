/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees become nodes of the graph, and dimensions are checked on the way. What names mean is asked of the caller. */
#ifndef HL_MODEL_LOWER_H
#define HL_MODEL_LOWER_H

#include "base/diag.h"
#include "model/expr.h"
#include "model/graph.h"

/* A value with its dimension. */
struct hl_value {
    int node;
    struct hl_dim dim;
    bool known;     /* false: dimension unknown (an input of a model looked at alone), nothing to check */
    bool condition; /* true or false, not a number */
    bool bad;       /* a fault was reported; says nothing more */
};

/* What a categorical name offers: compared with one of its categories, it is its node compared with that index. */
struct hl_categories { const char *const *category; size_t n; int node; };

struct hl_lowerer {
    struct hl_arena *arena;
    struct hl_graph *graph;
    struct hl_diag *diag;
    int *depth; /* of operations being lowered, definitions inside definitions counted together */
    void *scope;
    struct hl_value (*resolve)(void *scope, const struct hl_expr *name);
    bool (*categories)(void *scope, const char *name, struct hl_categories *found);
};

struct hl_value hl_value_of(int node, struct hl_dim dim);
struct hl_value hl_value_bad(struct hl_graph *graph);

/* The value of an expression; bad, with messages, when something doesn't fit. NULL is bad without a message. */
struct hl_value hl_lower(const struct hl_lowerer *lowerer, const struct hl_expr *expr);

/* The same where a number of this dimension is expected; what names it: "the bioavailability of 'oral'". */
struct hl_value hl_lower_as(const struct hl_lowerer *lowerer, const struct hl_expr *expr, struct hl_dim dim,
                            const char *what);

#endif
