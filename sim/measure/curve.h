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

/* Receives neighbouring nodes from left to right. */
typedef void (*hl_piece_fn)(void *context, const struct hl_segment *segment, const struct hl_node *a, const struct hl_node *b);

/* Cuts [a, b] of a segment until a cubic through the ends of each piece predicts the value between them to 1e-4 of scale[i]
 * for every watched output i (watched[i] != 0), and hands the pieces on in order. room: see hl_curve_room. */
struct hl_curve_room { size_t n; double *space; };
enum hl_status hl_curve_room_init(struct hl_curve_room *room, size_t n_outputs);
void hl_curve_room_clear(struct hl_curve_room *room);
void hl_curve_cut(const struct hl_segment *segment, double a, double b, const unsigned char *watched, double *scale,
                  struct hl_curve_room *room, hl_piece_fn piece, void *context);

/* The time in [a, b] at which output i's derivative changes sign (its signs at a and b differ), to 1e-12 of the piece. */
double hl_curve_extremum(const struct hl_segment *segment, size_t i, double a, double b, struct hl_curve_room *room,
                         double *value);

/* The time in [a, b] at which output i crosses level (it lies on different sides at a and b). */
double hl_curve_crossing(const struct hl_segment *segment, size_t i, double level, double a, double b,
                         struct hl_curve_room *room);

/* The time in [a, b] at which outputs of[0] and of[1], each in units of its level, meet (their order differs at a and b). */
double hl_curve_meeting(const struct hl_segment *segment, const int of[2], const double level[2], double a, double b,
                        struct hl_curve_room *room);

/* All outputs at t, into room (valid until the next call). */
const double *hl_curve_values(const struct hl_segment *segment, double t, struct hl_curve_room *room);

#endif
