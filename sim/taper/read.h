/* SPDX-License-Identifier: GPL-3.0-or-later */
/* design: of a study becomes a problem (taper/problem.h) and what else was asked: whom the answer is judged on, what it
 * is compared with. The study must have been read as one to be designed (hl_study.to_design): its arm 0 is what
 * everybody took before, arms 1 .. are the situations under stress:. Strict like all reading here: every fault with its
 * place, all in one pass. */
#ifndef HL_TAPER_READ_H
#define HL_TAPER_READ_H

#include <stdio.h>

#include "regimen/regimen.h"
#include "regimen/taper.h"
#include "taper/problem.h"

/* A protocol to compare the designed taper with, made for every drug from what was taken before, not yet rounded to
 * products. */
struct hl_taper_rival {
    const char *name;
    struct hl_pos pos;
    const struct hl_yaml *taper[HL_TAPER_DRUGS];     /* by drug of the problem: as under taper: in an arm ... */
    const struct hl_taper *made[HL_TAPER_DRUGS];     /* ... and its levels [mg/day] */
    struct hl_taper_problem *own;                    /* of a crossover: its two drugs, and what it gives on its days as
                                                        rungs; NULL of others ... */
    struct hl_taper_schedule *schedule;              /* ... and its days as published */
};

/* A taper that is interrupted on a day of it (from 0 on): held at its level, nothing taken, or back up to rung_total of
 * each drug, for so many days; then it goes on where it was, or goes down again from there. */
enum hl_detour_kind { HL_DETOUR_HOLD, HL_DETOUR_NOTHING, HL_DETOUR_BACK };
struct hl_taper_detour {
    enum hl_detour_kind kind;
    int day, days;
    bool restart;            /* of BACK: down again through all levels below, not only the rest */
};

/* What a situation under stress: does to the taper itself. */
struct hl_taper_situation { size_t n_detours; struct hl_taper_detour *detour; /* by day */ };

/* All that design: asks for. */
struct hl_taper_request {
    struct hl_taper_problem *problem;
    const char *thinned;                             /* a sentence where not every makeable amount is a rung, or NULL */
    uint64_t judge_seed, judge_subjects;             /* the fresh cohort: seed + 1 and as many where nothing is said */
    struct hl_pos judge_pos;
    struct hl_taper_situation *situation;            /* by arm of the study; of arm 0 nothing */
    size_t n_rivals; struct hl_taper_rival *rival;   /* compare: */
    size_t n_marks; double *mark;                    /* after: times after the taper's end to look at [h]; 2, 7, 28 d */
};

/* Reads the design of a study. regimen holds the compiled arms, or is NULL where the study is at fault elsewhere (what
 * depends on them isn't checked then). NULL with messages in diag; the arena keeps everything. */
struct hl_taper_request *hl_taper_read(struct hl_arena *arena, const struct hl_study *study,
                                       const struct hl_regimen *const *regimen, struct hl_diag *diag);

/* What would be designed, for people: drugs, products, makeable amounts, lengths, constraints, aim. */
void hl_taper_describe(const struct hl_taper_request *request, const struct hl_study *study, FILE *stream);

/* An amount of a drug [its unit] as a study writes it: "0.375 mg", "37.5 ug/h". Into the arena. */
const char *hl_taper_amount_text(struct hl_arena *arena, const struct hl_taper_drug *drug, long units);

/* A number without noise of its last digits: 0.3, not 0.30000000000000004. Into buffer. */
const char *hl_taper_number(double value, char *buffer, size_t size);

#endif
