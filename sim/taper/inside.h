/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that read a design share. Nobody outside this room includes it. */
#ifndef HL_TAPER_INSIDE_H
#define HL_TAPER_INSIDE_H

#include "taper/read.h"

/* The reading of one design. */
struct hl_taper_reader {
    struct hl_arena *arena;
    struct hl_diag *diag;
    const struct hl_study *study;
    const struct hl_system *system;
    const struct hl_regimen *const *regimen; /* of the study's arms, or NULL where the study is at fault */
    const struct hl_regimen *before;  /* arm 0, or NULL where the study is at fault */
    struct hl_taper_request *request; /* being filled */
    struct hl_taper_problem *problem;
    size_t faults;                    /* errors there were before */
};

/* True when a fault has been found in this design. */
bool hl_taper_faulty(const struct hl_taper_reader *reader);

/* One of n words, its index; a message with the nearest one otherwise. */
bool hl_taper_read_word(struct hl_taper_reader *reader, const struct hl_yaml *node, const char *what,
                        const char *const *word, size_t n, size_t *index);

/* A time that is a whole number of days, above zero. */
bool hl_taper_read_days(struct hl_taper_reader *reader, const struct hl_yaml *node, const char *what, int *days);

/* read_drug.c: the drugs under taper:, with their products, doses and start. */
void hl_taper_read_drugs(struct hl_taper_reader *reader, const struct hl_yaml *node);

/* read_keep.c: the constraints under keep:. */
void hl_taper_read_keep(struct hl_taper_reader *reader, const struct hl_yaml *node);

/* detours.c: pause: and reinstate: of the situations under stress:. */
void hl_taper_read_situations(struct hl_taper_reader *reader, const struct hl_yaml *stress);

/* read_rivals.c: compare:. */
void hl_taper_read_rivals(struct hl_taper_reader *reader, const struct hl_yaml *node, const struct hl_yaml *taper);

/* crossed.c: a crossover under compare:, compiled by the study as an arm (NULL: the study is at fault): rival->own and
 * rival->schedule. false with messages, or without where they have been told. */
bool hl_taper_read_crossover(struct hl_taper_reader *reader, const struct hl_regimen *regimen,
                             struct hl_taper_rival *rival);

#endif
