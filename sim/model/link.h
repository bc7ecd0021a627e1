/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the files that link models into a system: what is known of each instance, and what its names mean. */
#ifndef HL_MODEL_LINK_H
#define HL_MODEL_LINK_H

#include "model/lower.h"
#include "model/model_parts.h"

/* Where an expression stands decides what it may name. */
enum hl_context {
    HL_CTX_SUBJECT /* constant in time */, HL_CTX_TIME, HL_CTX_PATCH /* constant, and nominal */,
    HL_CTX_RELEASE /* constant, and a dose's own tad */
};

struct hl_binding { int progress; struct hl_value value; }; /* progress: 0 not yet, 1 being found, 2 found */

struct hl_scope {
    struct hl_linker *linker;
    const struct hl_instance *instance;
    const struct hl_model *model;
    int index;
    struct hl_binding *binding;     /* by symbol */
    int *volume;                    /* node by compartment, -1 without */
    int first_state;                /* compartments, effect sites, free states, patch contents follow */
    int tad_node;                   /* -1 until used */
    int nominal_node; struct hl_dim nominal_dim; /* of the patch being lowered */
    int dose_tad_node;              /* of the release being lowered */
    enum hl_context context;
    int *parameter_node, *eta_node, *mixture_node, *covariate_node;
    const char **chain; size_t n_chain; /* definitions being found, for naming a circle */
};

/* A register field that gets the home of a node once homes are given. */
struct hl_pending { int *field; int node; };

/* A release and the node of its fraction; route names it in messages. */
struct hl_release_link { struct hl_release *release; int node; const char *route; };

struct hl_linker {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_graph *graph;
    struct hl_system *system;
    bool alone;                     /* one model only: its inputs are unknown */
    size_t n_scopes; struct hl_scope *scope;
    int time_node;
    int depth;                      /* of operations being lowered */
    int *state_node, *derivative;   /* by state */
    int *output_node;
    int *individual_node;           /* by individual value */
    int *strength;                  /* by route: the node of a patch's content or rate, -1 for others */
    struct hl_pending *pending; size_t n_pending, pending_capacity;
    struct hl_release_link *release; size_t n_releases, release_capacity;
};

/* What the graph is asked for after linking. */
struct hl_system_graph {
    struct hl_graph *graph;
    int *derivative, *output;       /* nodes by state and output */
    size_t first_temporary;         /* registers from here on belong to the programs of the last focus */
};

/* The value of an expression in a scope; NULL is bad without a message. */
struct hl_value hl_scope_lower(struct hl_scope *scope, const struct hl_expr *expr, enum hl_context context);
struct hl_value hl_scope_lower_as(struct hl_scope *scope, const struct hl_expr *expr, enum hl_context context,
                                  struct hl_dim dim, const char *what);

/* The value of a declared name (uses pos for messages). */
struct hl_value hl_scope_symbol(struct hl_scope *scope, const struct hl_symbol *symbol, struct hl_pos pos);

/* The state index of a compartment, effect site or free state of a scope. */
int hl_scope_state(const struct hl_scope *scope, enum hl_symbol_kind kind, size_t index);

/* Registers and leaves of one instance: covariates, parameters, etas, classes (link_values.c). */
void hl_link_values(struct hl_scope *scope);

/* One individual value and its register. */
void hl_link_individual(struct hl_scope *scope, const struct hl_symbol *symbol);

/* Rates of change of one instance's states, its outputs and routes (link_structure.c, link_routes.c). */
void hl_link_structure(struct hl_scope *scope);
void hl_link_outputs(struct hl_scope *scope);
void hl_link_routes(struct hl_scope *scope, size_t *n);

/* The release of a route's part (link_release.c). */
void hl_link_release(struct hl_scope *scope, const struct hl_route_part_text *text, const char *route,
                     struct hl_route_part *part);

/* Marks the states that releases feed. */
void hl_link_mark_fed(struct hl_linker *linker);

/* Compiles the releases, once everything constant has a register, and tries them with the typical values. */
void hl_link_compile_releases(struct hl_linker *linker);

/* Remembers that a register field is to hold this node's register. */
void hl_link_pend(struct hl_linker *linker, int *field, int node);

/* "alias.name" */
const char *hl_scope_name(const struct hl_scope *scope, const char *name);

#endif
