/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a prescription: quantities with a unit, clock times, fractions and counts. Each function reads one YAML
 * scalar; when it doesn't fit, it puts what was found and what was expected into diag and returns false. Only for
 * sim/regimen. */
#ifndef HL_REGIMEN_READ_H
#define HL_REGIMEN_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/units.h"
#include "base/yaml.h"

/* A quantity of dimension dim in the engine's unit. what and example make the message: "a dose", "0.5 mg". */
bool hl_item_read_quantity(const struct hl_yaml *node, struct hl_dim dim, const char *what, const char *example,
                           double *value, struct hl_diag *diag);

/* The same for quantities that must not be negative, or must be above zero. */
bool hl_item_read_not_negative(const struct hl_yaml *node, struct hl_dim dim, const char *what, const char *example,
                               double *value, struct hl_diag *diag);
bool hl_item_read_positive(const struct hl_yaml *node, struct hl_dim dim, const char *what, const char *example,
                           double *value, struct hl_diag *diag);

/* A time [h]: any sign; at least 0; above 0. */
bool hl_item_read_time(const struct hl_yaml *node, const char *what, double *hours, struct hl_diag *diag);
bool hl_item_read_wait(const struct hl_yaml *node, const char *what, double *hours, struct hl_diag *diag);
bool hl_item_read_duration(const struct hl_yaml *node, const char *what, double *hours, struct hl_diag *diag);

/* "10 %", "0.1" or "1/10", above 0 and below 1 (at most 1 with including_one). */
bool hl_item_read_fraction(const struct hl_yaml *node, const char *what, bool including_one, double *fraction,
                           struct hl_diag *diag);

/* The same for a probability: 0 and 1 too. */
bool hl_item_read_probability(const struct hl_yaml *node, const char *what, double *probability, struct hl_diag *diag);

/* "20:00" as hours after midnight [0, 24). */
bool hl_item_read_clock(const struct hl_yaml *node, double *hours, struct hl_diag *diag);

/* A whole number of at least 1. */
bool hl_item_read_count(const struct hl_yaml *node, const char *what, size_t *count, struct hl_diag *diag);

/* Reports unknown keys as hl_yaml_check_keys does; true when there is none. */
bool hl_only_keys(const struct hl_yaml *node, const char *what, const char *const *known, size_t n,
                  struct hl_diag *diag);

/* A scalar or a sequence seen as a list: how many, and the i-th. */
size_t hl_list_size(const struct hl_yaml *node);
const struct hl_yaml *hl_list_item(const struct hl_yaml *node, size_t i);

/* True when node is a scalar with exactly this text. */
bool hl_is_word(const struct hl_yaml *node, const char *word);

#endif
