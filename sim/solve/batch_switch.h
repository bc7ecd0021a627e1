/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where rates change their form: on which side of each switch every lane of the
 * batched integrator stands, and where a step must end because one turns. Used by
 * batch.c. */
#ifndef HL_SOLVE_BATCH_SWITCH_H
#define HL_SOLVE_BATCH_SWITCH_H

#include "base/status.h"
#include "solve/batch_code.h"

/* Each batch's own. */
struct hl_batch_switches;

/* *switches stays NULL, with HL_OK, when the program has none. HL_ERR_MEMORY. program must outlive them. */
enum hl_status hl_batch_switches_create(const struct hl_batch_program *program, size_t order, double tolerance,
                                        struct hl_batch_switches **switches);
void hl_batch_switches_free(struct hl_batch_switches *switches);

/* New subjects: every switch as if it were 0; the first steps find the sides. Fills the file's rows of switches, and
 * those that depend on them, of all lanes. */
void hl_batch_switches_load(struct hl_batch_switches *switches, double *file);

/* After a series has been made: h[lane], how far each lane may follow its own (NaN: nowhere), becomes at most the first
 * place where a switch of that lane turns; 0 where one stands on the wrong side already. held[l] is true for lanes that
 * h shortened to such a place: they are not stalled, however short h is. lost[l] becomes true where a side can't be
 * told, or changes to and fro without time going on: such a lane can't be followed this way. */
void hl_batch_switches_meet(struct hl_batch_switches *switches, const double *file, const double *series, double *h,
                            const bool *active, bool *held, bool *lost);

/* After the step: switches that were met turn. */
void hl_batch_switches_turn(struct hl_batch_switches *switches, double *file);

/* The least x in [0, 1] beyond which the polynomial sum c[k] x^k, k < n <= 32, is negative; more than 1 when there is
 * none, NaN when a coefficient isn't finite. A dip narrower than 2^-40 may be passed over. */
double hl_batch_first_negative(const double *c, size_t n);

/* The root of such a polynomial between a, where it isn't negative, and b, where it is, when there is one only: the end
 * on the negative side, to rounding. */
double hl_batch_root(const double *c, size_t n, double a, double b);

/* Eight lanes (c: coefficient 0 of the first; rows of HL_BATCH_LANES; all on 64-byte boundaries): what the polynomial
 * of n coefficients can change by within h[lane], and the largest of its last three terms there; NaN where a
 * coefficient isn't a number. */
void hl_batch_bound(const double *c, size_t n, const double *h, double *change, double *tail);

#endif
