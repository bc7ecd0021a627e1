/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees of expressions made for a translation (the constructors stand in inside.h). Everything lives in the
 * translator's arena; operands are copied, so that a tree of a model is never changed. */
#ifndef HL_TRANSLATE_TREE_H
#define HL_TRANSLATE_TREE_H

#include "translate/inside.h"

#define HL_TREE_TEXT "\001"  /* begins a name that is a piece of the text */
#define HL_TREE_STATE "\002" /* begins a name that is the number of a state */

/* if(condition, a, b). */
struct hl_expr *hl_tree_select(struct hl_translator *t, const struct hl_expr *condition, const struct hl_expr *a,
                               const struct hl_expr *b);

/* The tree with every mention of name replaced; NULL for NULL. */
struct hl_expr *hl_tree_replace(struct hl_translator *t, const struct hl_expr *e, const char *name,
                                const struct hl_expr *by);

bool hl_tree_mentions(const struct hl_expr *e, const char *name);

/* The derivative with respect to a name (derive.c); NULL when an operation has none. */
struct hl_expr *hl_tree_derivative(struct hl_translator *t, const struct hl_expr *e, const char *name);

/* True when the expression is name times something without it, as far as its form shows. */
bool hl_tree_is_proportional(const struct hl_expr *e, const char *name);

#endif
