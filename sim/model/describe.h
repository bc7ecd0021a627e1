/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model in words: for `halflife models` and the manual (scripts/model-pages). */
#ifndef HL_MODEL_DESCRIBE_H
#define HL_MODEL_DESCRIBE_H

#include <stdio.h>

#include "base/status.h"
#include "model/model.h"

/* The names and titles of the models in n directories, one per line and indented, under headings: Drugs, Interactions,
 * and one for each family of structures. HL_ERR_IO with a message when none of the directories can be read. */
enum hl_status hl_model_list(const char *const *directory, size_t n, FILE *stream, struct hl_diag *diag);

/* Equations, parameters with unit, spread, evidence grade and sources, references and notes of one model. */
void hl_model_print(const struct hl_model *model, FILE *stream);

/* The same as a page of the manual, in Markdown: a picture of the compartments (mermaid), tables, equations. */
void hl_model_print_page(const struct hl_model *model, FILE *stream);

/* Parts of both: individual values, rates of change and outputs; what patches contain and release. */
void hl_model_print_equations(const struct hl_model *model, FILE *stream);
void hl_model_print_patches(const struct hl_model *model, FILE *stream);

#endif
