/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stretch of a subject's solution cut into pieces on which every output is
 * monotone or resolved well enough to be treated so. Metrics see pieces, never
 * the solver. Times in h, values in the engine's units. */
#ifndef HL_MEASURE_CURVE_H
#define HL_MEASURE_CURVE_H

#include "solve/solve.h"

#define HL_MOST_OUTPUTS 256

/* The solution at one time: y[i] and dy[i] (per h) of output i, one-sided at events. */
struct hl_node { double t; double *y, *dy; };

/* A piece between two nodes. Turning points are located when first asked for (hl_piece_turn) and then remembered. */
struct hl_turn { double t, y; int known; };
struct hl_curve_room;
struct hl_piece {
    const struct hl_segment *segment;
    const struct hl_node *a, *b;
    struct hl_curve_room *room;
    struct hl_turn *turn;       /* by output */
    const double *scale;        /* by output: largest value seen so far in this lane */
};

/* Receives neighbouring pieces from left to right. */
typedef void (*hl_piece_fn)(void *context, const struct hl_piece *piece);

/* A thread's scratch for cutting. init: HL_ERR_MEMORY, and clear is still allowed. */
struct hl_curve_room { size_t n; double *space; struct hl_turn *turn; };
enum hl_status hl_curve_room_init(struct hl_curve_room *room, size_t n_outputs);
void hl_curve_room_clear(struct hl_curve_room *room);

/* Cuts [a, b] of a segment until a cubic through the ends of each piece predicts the value between them to 1e-4 of
 * scale[i] for every watched output i (watched[i] != 0), and hands the pieces on in order. left holds the node at a
 * when left->t == a (and becomes the node at b), so that neighbouring stretches share it; set left->t to NAN
 * otherwise. */
void hl_curve_cut(const struct hl_segment *segment, double a, double b, const unsigned char *watched, double *scale,
                  struct hl_node *left, struct hl_curve_room *room, hl_piece_fn piece, void *context);

/* Whether output i turns inside the piece (its derivative changes sign), and the lowest and highest value it can have
 * there: from the cubic through the ends, widened by what the cubic may be off. Asks nothing of the solver. */
int hl_piece_turns(const struct hl_piece *piece, size_t i, double *lowest, double *highest);

/* Where and how high output i turns, to 1e-10 of the piece. Only when hl_piece_turns. */
const struct hl_turn *hl_piece_turn(const struct hl_piece *piece, size_t i);

/* The time in [a, b] at which output i crosses level (it lies on different sides at a and b). */
double hl_curve_crossing(const struct hl_segment *segment, size_t i, double level, double a, double b,
                         struct hl_curve_room *room);

/* The time in [a, b] at which outputs of[0] and of[1], each in units of its level, meet (their order differs at a and
 * b). */
double hl_curve_meeting(const struct hl_segment *segment, const int of[2], const double level[2], double a, double b,
                        struct hl_curve_room *room);

/* All outputs at t, into room (valid until the next call). */
const double *hl_curve_values(const struct hl_segment *segment, double t, struct hl_curve_room *room);

#endif
