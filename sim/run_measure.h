/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The metrics of an arm without a file: for what decides something on the way, such as whether a designed taper keeps
 * its bound. The same solver, meter and blocks as a run, so the same bits. */
#ifndef HL_RUN_MEASURE_H
#define HL_RUN_MEASURE_H

#include "run.h"

/* Solves arm a of a prepared study of prescriptions and takes its metrics, each of one value per subject (one window at
 * most): value[metric][subject], in the unit of hl_metric_unit, NaN where the subject failed or it isn't defined.
 * row (may be NULL): by output of the study, NULL or its values at the study's times, [time][subject], in the engine's
 * unit. HL_ERR_INTERRUPTED when stop is set, HL_ERR_MEMORY. progress (may be NULL) counts subjects. */
enum hl_status hl_run_measure(const struct hl_prepared *prepared, size_t a, double *const *value, double *const *row,
                              struct hl_progress *progress, const volatile sig_atomic_t *stop);

#endif
