/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics of eight subjects at a time, kept while their stretches (solve/stretch.h)
 * are told: the same definitions as in tally.c, over lanes. Times in h, values in
 * the engine's units. */
#ifndef HL_MEASURE_LEDGER_H
#define HL_MEASURE_LEDGER_H

#include "measure/tally.h"
#include "solve/stretch.h"

/* One thread's ledger of an arm, for whole blocks. */
struct hl_ledger;

/* True when the ledger can keep the metric, if the stretches of its output are told: it is of one output, and of a
 * kind that needs no more than the ledger keeps. */
bool hl_ledger_can(const struct hl_study *study, const struct hl_system *system, const struct hl_regimen *regimen,
                   const struct hl_metric_spec *spec);

/* For the metrics with kept[metric], which hl_ledger_can keep. NULL when there is no memory. */
struct hl_ledger *hl_ledger_create(const struct hl_study *study, const struct hl_system *system, size_t max_lanes,
                                   const bool *kept);
void hl_ledger_free(struct hl_ledger *ledger);

/* The window's own times, or the whole study's where the metric has none. */
void hl_window_of(const struct hl_study *study, const struct hl_metric_spec *spec, size_t w, double *from, double *to);

/* Forgets lanes first .. first + HL_LANES - 1 of the last block; events[l] are those of lane first + l (NULL: nobody).
 * edition: not 0 where all lists are one, which is the same as before while its edition is. HL_ERR_MEMORY. */
enum hl_status hl_ledger_begin(struct hl_ledger *ledger, size_t first, const struct hl_events *const *events,
                               unsigned long edition);

/* The next stretch of these lanes: context is the ledger. */
void hl_ledger_stretch(void *context, const struct hl_stretch *stretch);

/* A kept metric of n_lanes lanes from `first` on, a multiple of HL_LANES, after all their stretches: values[lane -
 * first][width], what hl_metric_kind_info(kind)->value gives, divided by factor, for window after window. Not of
 * troughs. Of lanes that the ledger hasn't heard of they mean nothing. HL_ERR_MEMORY. */
enum hl_status hl_ledger_values(struct hl_ledger *ledger, size_t metric, size_t first, size_t n_lanes, double factor,
                                double *values, size_t width);

/* Troughs likewise, in the output's own unit, one per dose. */
enum hl_status hl_ledger_troughs(const struct hl_ledger *ledger, size_t metric, size_t first, size_t n_lanes,
                                 double *values, size_t width);

#endif
