/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the files that read a model: small readers that report what they
 * don't like and go on, so that one pass finds every fault. */
#ifndef HL_MODEL_READ_H
#define HL_MODEL_READ_H

#include "model/model_parts.h"

struct hl_reader {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_model *model;
    struct hl_model_parts *parts;
    const char **declared; size_t n_declared; /* all names, for telling units from names */
    size_t symbol_capacity;
};

/* Checks the keys of a mapping against a NULL-terminated list; a stray key without value has been reported when
 * the file was read. */
bool hl_read_keys(struct hl_reader *r, const struct hl_yaml *node, const char *what, const char *const *known);

/* A number with a unit. unit_text (may be NULL) gets the unit as written, "1" for none. */
bool hl_read_quantity(struct hl_reader *r, const struct hl_yaml *node, const char *what, double *value,
                      struct hl_unit *unit, const char **unit_text);

/* A number with a unit of a known dimension. */
bool hl_read_quantity_of(struct hl_reader *r, const struct hl_yaml *node, const char *what, struct hl_dim dim,
                         double *value);

/* A plain number, or per cent ("20 %" is 0.2). */
bool hl_read_fraction(struct hl_reader *r, const struct hl_yaml *node, const char *what, double *value);

/* A unit alone; absent or faulty gives "1". False, with a message, when it is faulty. */
bool hl_read_unit(struct hl_reader *r, const struct hl_yaml *node, struct hl_unit *unit, const char **unit_text);

/* The expression under a key of a mapping, NULL when absent or faulty. */
struct hl_expr *hl_read_expr(struct hl_reader *r, const struct hl_yaml *map, const char *key, const char *what);

/* The text under a key, NULL when absent. */
const char *hl_read_text(struct hl_reader *r, const struct hl_yaml *map, const char *key);

/* grade, mark, provisional, source and note of a mapping. over: values that hold where the mapping says nothing. A
 * missing grade is an error where it is required. */
void hl_read_evidence(struct hl_reader *r, const struct hl_yaml *map, const char *what, bool required,
                      const struct hl_evidence *over, struct hl_evidence *evidence);

/* The mapping under a top-level key, NULL (reported unless absent or empty) when it isn't one. */
const struct hl_yaml *hl_read_section(struct hl_reader *r, const char *key);

/* True for a key with nothing behind it. */
bool hl_read_is_empty(const struct hl_yaml *node);

/* Declares a name; reports it when it is reserved, malformed or taken. */
void hl_read_declare(struct hl_reader *r, const struct hl_yaml *name, enum hl_symbol_kind kind, size_t index);

/* One function per group of sections. */
void hl_read_covariates(struct hl_reader *r);
void hl_read_parameters(struct hl_reader *r);
void hl_read_random(struct hl_reader *r);
void hl_read_mixtures(struct hl_reader *r);
void hl_read_compartments(struct hl_reader *r);
void hl_read_flows(struct hl_reader *r);
void hl_read_routes(struct hl_reader *r);
void hl_read_dynamics(struct hl_reader *r); /* effect sites, states, outputs, inputs, residual errors */

/* The section's declared etas in declaration order, blocks' included (called while names are collected). */
void hl_read_eta_names(struct hl_reader *r);

#endif
