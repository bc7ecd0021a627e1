/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dose record becomes what enters the body: through which route, after which lag, how much of it, at once or as an
 * infusion. Called by solve/course.c with the parameters in force at the record; hl_intake_targets by whoever plans. */
#ifndef HL_REGIMEN_INTAKE_H
#define HL_REGIMEN_INTAKE_H

#include "data/data_set.h"
#include "regimen/agenda.h"

/* Where a dose without CMT goes: *route, or -1 and *state. false when the system has no place for it. */
bool hl_intake_default(const struct hl_system *system, int *route, int *state);

/* Marks by state what the doses of a data set may enter, for hl_plan_create_for_data. */
void hl_intake_targets(const struct hl_system *system, const struct hl_data_facts *facts, bool *dosed);

/* The largest number of intakes that one record can have. */
size_t hl_intake_most(const struct hl_system *system);

/* Reads the dose of record number `index` of an individual from its registers (one lane): n intakes, what they put in
 * fixed from now on. constant: a record with AMT 0 is an infusion that has run forever (SS), its rate unchanged by F,
 * without lag. false with a sentence in fault when F, rate or duration aren't positive, a lag is negative, or the
 * model doesn't state what RATE -1 or -2 asks for. */
bool hl_intake_read(const struct hl_system *system, const double *regs, const struct hl_record *record, size_t index,
                    bool scales_rate, struct hl_intake *intake, size_t *n, char *fault, size_t size);

#endif
