/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running record of one metric for one subject (and window), and the table of metric kinds. Adding a metric is a
 * line in tally.c's table and its functions. */
#ifndef HL_MEASURE_TALLY_H
#define HL_MEASURE_TALLY_H

#include "measure/curve.h"
#include "measure/measure.h"

/* What is kept per dose for metrics that speak of dosing intervals. */
struct hl_interval { double start, length, amount; double before; double area; double at_end; bool complete; };

struct hl_tally {
    double best, best_time;          /* extremum so far */
    double sum;                      /* area, or hours */
    double spell, longest, first;    /* of being above */
    double last;                     /* value at the right end of the latest piece */
    double end;                      /* of the latest time above */
    size_t n, capacity; struct hl_interval *interval;
    size_t n_nodes, node_capacity; double (*node)[3]; /* t, y, dy of a continuous infusion's rise */
    bool out_of_memory;
};

/* What a metric function may know. */
struct hl_tally_context {
    const struct hl_metric_spec *spec;
    struct hl_curve_room *room; /* scratch, not the one the pieces live in */
};

struct hl_metric_kind_info {
    void (*piece)(struct hl_tally *tally, const struct hl_tally_context *context, const struct hl_piece *piece);
    void (*dose)(struct hl_tally *tally, double time, double interval, double amount);
    double (*value)(const struct hl_tally *tally, double window_start, double window_end);
    bool by_window;                  /* false: dosing intervals of the whole study */
};

/* The functions of a kind; NULL where it has none. */
const struct hl_metric_kind_info *hl_metric_kind_info(enum hl_metric_kind kind);

void hl_tally_begin(struct hl_tally *tally);
void hl_tally_clear(struct hl_tally *tally);

#endif
