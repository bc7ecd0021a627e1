/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calendar of an arm: its prescribed doses, with the tablets that its tapers state. */
#ifndef HL_COMMANDS_CALENDAR_ARM_H
#define HL_COMMANDS_CALENDAR_ARM_H

#include "regimen/regimen.h"
#include "store/result.h"
#include "taper/calendar.h"

/* Tablets that the study doesn't state: of one drug, as under tablets: of a taper; scored ones may be halved. */
struct hl_calendar_tablets { const char *drug; /* NULL: the arm's only one that has doses */ const char *text; };

/* The calendar of a study's arm from the study's origin on. Doses that a pump's patient asks for aren't on it. What
 * isn't made of stated tablets is shown by its amount alone; tablets (n_tablets of them) take the place of those a
 * study states. HL_ERR_INPUT with a message. */
enum hl_status hl_calendar_of_arm(struct hl_arena *arena, const struct hl_study *study, size_t arm,
                                  const struct hl_regimen *regimen, size_t n_tablets,
                                  const struct hl_calendar_tablets *tablets, const struct hl_calendar_options *options,
                                  struct hl_calendar **calendar, struct hl_diag *diag);

/* The study that a result keeps, with the models it keeps, read anew: what its arms prescribe, for a typical subject.
 * NULL with a message. */
struct hl_study *hl_study_of_result(struct hl_arena *arena, const struct hl_result *result, struct hl_diag *diag);

/* What subject (from 1) of a result's arm took, as a regimen without demands: everybody's doses and its own.
 * HL_ERR_INPUT or HL_ERR_IO with a message. */
enum hl_status hl_regimen_of_subject(struct hl_arena *arena, const struct hl_result *result,
                                     const struct hl_study *study, size_t arm, uint64_t subject,
                                     struct hl_regimen *regimen, struct hl_diag *diag);

#endif
