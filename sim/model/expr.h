/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions of the model language, as a tree. Parsing knows syntax, units and
 * which words are declared names; what the names mean and whether dimensions
 * fit is found when a tree is lowered (lower.h).
 *
 *   expression = or;  or = and {"or" and};  and = not {"and" not};  not = "not" not | comparison
 *   comparison = sum [("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") sum]
 *   sum = product {("+" | "-") product};  product = unary {("*" | "/") unary}
 *   unary = ("-" | "+") unary | power;    power = primary ["^" unary]
 *   primary = number [unit] | name | function "(" expression {"," expression} ")" | "(" expression ")"
 *
 * A unit follows its number after at most one space: names joined by "/" or "." with integer powers, or anything that
 * units.h reads in brackets. It binds tighter than every operator: ln2 / 48 h is ln2/(48 h). */
#ifndef HL_MODEL_EXPR_H
#define HL_MODEL_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/yaml.h"
#include "model/ops.h"

struct hl_expr {
    enum hl_op op;
    struct hl_pos pos;      /* of its first character */
    double value;           /* HL_OP_NUMBER: in the engine's units */
    struct hl_dim dim;      /* HL_OP_NUMBER */
    const char *name;       /* HL_OP_NAME */
    struct hl_expr *arg[3];
    const char *text;       /* of the root: all of it as written */
};

/* Parses text whose first character stands at pos. quoted says whether it stood in quotes (YAML cuts unquoted ones at
 * commas, and the messages say so); declared are the n names that units must not be confused with. NULL with one
 * message in diag. */
struct hl_expr *hl_expr_parse(struct hl_arena *arena, const char *text, struct hl_pos pos, bool quoted,
                              const char *const *declared, size_t n, struct hl_diag *diag);

/* The same from a YAML scalar; NULL with a message when node isn't one. what says what was expected: "a volume". */
struct hl_expr *hl_expr_read(struct hl_arena *arena, const struct hl_yaml *node, const char *what,
                             const char *const *declared, size_t n, struct hl_diag *diag);

/* True for words that can't be declared: functions, constants, t, tad, if, and, or, not, out, nominal, molar_mass. */
bool hl_expr_is_reserved(const char *word);

/* True for the names of functions (and if). */
bool hl_expr_is_function(const char *word);

#endif
