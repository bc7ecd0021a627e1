/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The meter listens to a block while it is solved, in two ways.
 *
 * Metrics are kept for eight lanes at a time in a ledger (ledger.h) where their output's stretches are told: of sums of
 * exponentials by solve/strand.c, of what is integrated by solve/batch.c. All others, and metrics of lanes of which
 * these can't tell (without real modes; without a series), are kept lane by lane:
 * each segment is cut at window edges, then into resolved pieces (curve.h), and every piece is shown to every metric's
 * tally (tally.h). Which way a metric of a lane goes depends on the study and on that lane alone.
 *
 * Metrics marked sampled look at the values at the output times instead, after solving (grid.h). */
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

#include "measure/grid.h"
#include "measure/ledger.h"
#include "measure/tally.h"
#include "solve/batch.h"
#include "solve/strand.h"
#include "solve/sweep.h"

/* Who tells the stretches of an output; bits. */
enum { NOBODY, STRANDS = 1, BATCH = 2, ALL_TELLERS = STRANDS | BATCH };

struct hl_meter {
    const struct hl_study *study;
    const struct hl_system *system;
    const struct hl_regimen *regimen;
    const struct hl_plan *plan;
    size_t max_lanes;
    size_t *first_tally;             /* by metric: index of its tally for lane 0, window 0 */
    size_t *windows;                 /* by metric */
    size_t n_tallies; struct hl_tally *tally; /* [metric][lane][window] */
    unsigned char *teller;           /* by metric: who tells the ledger of it */
    unsigned char *heard;            /* by lane: bits, from whom the ledger has heard of it */
    struct hl_ledger *ledger;        /* NULL when nothing is kept there */
    struct hl_strands *strands;
    struct hl_grid *grid;            /* of sampled metrics */
    unsigned char watched[HL_MOST_OUTPUTS]; /* by output: some metric needs it */
    unsigned char left_over[ALL_TELLERS + 1][HL_MOST_OUTPUTS]; /* by who was heard of a lane, by output: in segments */
    unsigned char strung[HL_MOST_OUTPUTS]; /* told by strands */
    size_t n_batched; int batched[HL_MOST_OUTPUTS]; /* told by whoever integrates */
    enum hl_status status;           /* of keeping the ledger */
    bool alone;                      /* nothing goes there */
    double *scale;                   /* [lane][output]: largest value seen, what pieces are resolved against */
    struct hl_node *left;            /* by lane: where the last stretch ended, unless an event came since */
    double *node_space;
    size_t n_edges; double *edge;    /* all window edges, ascending, each once */
    struct hl_curve_room room, room_of_metrics;
    const struct hl_block *block;
    size_t lane;                     /* of the segment being cut */
};

static size_t windows_of(const struct hl_metric_spec *spec)
{
    bool by_window = hl_metric_kind_info(spec->kind)->by_window;
    return by_window && spec->n_windows ? spec->n_windows : 1;
}

static int instance_of(const struct hl_study *study, const struct hl_system *system, const struct hl_metric_spec *spec)
{
    return system->output[study->output[spec->of[0]]].instance;
}

size_t hl_metric_width(const struct hl_study *study, const struct hl_regimen *regimen, size_t metric)
{
    const struct hl_metric_spec *spec = &study->metric[metric];
    if (spec->kind != HL_TROUGHS)
        return windows_of(spec);
    size_t n = hl_regimen_most_doses(regimen, study->system, instance_of(study, study->system, spec));
    return n ? n : 1;
}

static bool needs_pieces(const struct hl_metric_spec *spec)
{
    return !spec->sampled && hl_metric_kind_info(spec->kind)->piece;
}

static enum hl_status collect_edges(struct hl_meter *m)
{
    size_t most = 0;
    for (size_t i = 0; i < m->study->n_metrics; i++)
        most += 2 * windows_of(&m->study->metric[i]);
    m->edge = hl_alloc(most, sizeof *m->edge);
    if (!m->edge)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < m->study->n_metrics; i++)
        for (size_t w = 0; w < windows_of(&m->study->metric[i]) && needs_pieces(&m->study->metric[i]); w++) {
            hl_window_of(m->study, &m->study->metric[i], w, &m->edge[m->n_edges], &m->edge[m->n_edges + 1]);
            m->n_edges += 2;
        }
    gsl_sort(m->edge, 1, m->n_edges);
    size_t n = 0;
    for (size_t e = 0; e < m->n_edges; e++)
        if (n == 0 || m->edge[e] > m->edge[n - 1])
            m->edge[n++] = m->edge[e];
    m->n_edges = n;
    return HL_OK;
}

static bool is_batched(const struct hl_meter *m, int output)
{
    for (size_t k = 0; k < m->n_batched; k++)
        if (m->batched[k] == output)
            return true;
    return false;
}

/* Who can tell a metric's output to the ledger. */
static unsigned char teller_of(struct hl_meter *m, const struct hl_metric_spec *spec, enum hl_status *status)
{
    int of = spec->of[0], output = m->study->output[of];
    if (!needs_pieces(spec) || !hl_ledger_can(m->study, m->system, m->regimen, spec))
        return NOBODY;
    if (hl_strand_can(m->plan, output)) {
        m->strung[of] = 1;
        return STRANDS;
    }
    if (is_batched(m, of))
        return BATCH;
    if (!hl_batch_tells(m->plan, output, status))
        return NOBODY;
    m->batched[m->n_batched++] = of;
    return BATCH;
}

/* Where some metric of an integrated system needs a subject's own run in any case, that run may as well tell all the
 * others that the batch would tell. */
static void spare_the_batch(struct hl_meter *m)
{
    bool own_run = false;
    for (size_t i = 0; i < m->study->n_metrics; i++)
        own_run = own_run || (needs_pieces(&m->study->metric[i]) && m->teller[i] == NOBODY);
    for (size_t i = 0; own_run && i < m->study->n_metrics; i++)
        m->teller[i] = m->teller[i] == BATCH ? NOBODY : m->teller[i];
    if (own_run)
        m->n_batched = 0;
}

/* Who tells what, and what is left over for segments. HL_ERR_MEMORY. */
static enum hl_status choose_tellers(struct hl_meter *m)
{
    const struct hl_study *study = m->study;
    enum hl_status status = HL_OK;
    for (size_t i = 0; status == HL_OK && i < study->n_metrics; i++)
        m->teller[i] = teller_of(m, &study->metric[i], &status);
    if (status != HL_OK)
        return status;
    spare_the_batch(m);
    for (size_t i = 0; i < study->n_metrics; i++) {
        const struct hl_metric_spec *spec = &study->metric[i];
        for (unsigned heard = 0; needs_pieces(spec) && heard <= ALL_TELLERS; heard++)
            for (int k = 0; !(m->teller[i] & heard) && k < spec->n_of; k++)
                m->left_over[heard][spec->of[k]] = 1;
    }
    return HL_OK;
}

/* Which metrics the ledger keeps, and which outputs it must be told for them. */
static enum hl_status open_ledger(struct hl_meter *m)
{
    const struct hl_study *study = m->study;
    bool *kept = hl_alloc(study->n_metrics, sizeof *kept), any = false;
    m->teller = hl_alloc(study->n_metrics, sizeof *m->teller);
    m->heard = hl_alloc(m->max_lanes, sizeof *m->heard);
    enum hl_status status = kept && m->teller && m->heard ? choose_tellers(m) : HL_ERR_MEMORY;
    for (size_t i = 0; status == HL_OK && i < study->n_metrics; i++) {
        kept[i] = m->teller[i] != NOBODY;
        any = any || kept[i];
    }
    if (any) {
        m->ledger = hl_ledger_create(study, m->system, m->max_lanes, kept);
        m->strands = hl_strands_create(m->plan, study->output, study->n_outputs, m->strung);
        status = m->ledger && m->strands ? HL_OK : HL_ERR_MEMORY;
    }
    hl_free(kept);
    return status;
}

static enum hl_status lay_out(struct hl_meter *m)
{
    const struct hl_study *study = m->study;
    m->first_tally = hl_alloc(study->n_metrics, sizeof *m->first_tally);
    m->windows = hl_alloc(study->n_metrics, sizeof *m->windows);
    if (!m->first_tally || !m->windows || study->n_outputs > HL_MOST_OUTPUTS)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < study->n_metrics; i++) {
        m->windows[i] = windows_of(&study->metric[i]);
        m->first_tally[i] = m->n_tallies;
        m->n_tallies += m->windows[i] * m->max_lanes;
        for (int k = 0; needs_pieces(&study->metric[i]) && k < study->metric[i].n_of; k++)
            m->watched[study->metric[i].of[k]] = 1;
    }
    m->tally = hl_alloc(m->n_tallies, sizeof *m->tally);
    m->scale = hl_alloc(study->n_outputs * m->max_lanes, sizeof *m->scale);
    m->left = hl_alloc(m->max_lanes, sizeof *m->left);
    m->node_space = hl_alloc(2 * study->n_outputs * m->max_lanes, sizeof *m->node_space);
    for (size_t lane = 0; m->left && m->node_space && lane < m->max_lanes; lane++) {
        m->left[lane].y = m->node_space + 2 * lane * study->n_outputs;
        m->left[lane].dy = m->left[lane].y + study->n_outputs;
    }
    return m->tally && m->scale && m->left && m->node_space ? HL_OK : HL_ERR_MEMORY;
}

struct hl_meter *hl_meter_create(const struct hl_study *study, const struct hl_arm *arm,
                                 const struct hl_regimen *regimen, const struct hl_plan *plan, size_t max_lanes)
{
    struct hl_meter *m = hl_alloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->study = study;
    m->system = arm->system;
    m->regimen = regimen;
    m->plan = plan;
    m->max_lanes = (max_lanes + HL_LANES - 1) / HL_LANES * HL_LANES;
    m->grid = hl_grid_create(study, m->max_lanes);
    if (m->grid && lay_out(m) == HL_OK && open_ledger(m) == HL_OK && collect_edges(m) == HL_OK
        && hl_curve_room_init(&m->room, study->n_outputs) == HL_OK
        && hl_curve_room_init(&m->room_of_metrics, study->n_outputs) == HL_OK)
        return m;
    hl_meter_free(m);
    return NULL;
}

void hl_meter_free(struct hl_meter *m)
{
    if (!m)
        return;
    for (size_t i = 0; m->tally && i < m->n_tallies; i++)
        hl_tally_clear(&m->tally[i]);
    hl_ledger_free(m->ledger);
    hl_strands_free(m->strands);
    hl_grid_free(m->grid);
    hl_free(m->teller);
    hl_free(m->heard);
    hl_free(m->tally);
    hl_free(m->first_tally);
    hl_free(m->windows);
    hl_free(m->scale);
    hl_free(m->left);
    hl_free(m->node_space);
    hl_free(m->edge);
    hl_curve_room_clear(&m->room);
    hl_curve_room_clear(&m->room_of_metrics);
    hl_free(m);
}

void hl_meter_lane_by_lane(struct hl_meter *m)
{
    m->alone = true;
}

void hl_meter_begin(struct hl_meter *m, const struct hl_block *block)
{
    m->block = block;
    m->status = HL_OK;
    hl_grid_begin(m->grid);
}

static struct hl_tally *tally_of(const struct hl_meter *m, size_t metric, size_t lane, size_t window)
{
    return &m->tally[m->first_tally[metric] + lane * m->windows[metric] + window];
}

static void show_piece(void *context, const struct hl_piece *piece)
{
    struct hl_meter *m = context;
    double middle = 0.5 * (piece->a->t + piece->b->t);
    for (size_t i = 0; i < m->study->n_metrics; i++) {
        const struct hl_metric_spec *spec = &m->study->metric[i];
        struct hl_tally_context c = {spec, &m->room_of_metrics};
        bool elsewhere = m->teller[i] & m->heard[m->lane];
        for (size_t w = 0; needs_pieces(spec) && !elsewhere && w < m->windows[i]; w++) {
            double from, to;
            hl_window_of(m->study, spec, w, &from, &to);
            if (!hl_metric_kind_info(spec->kind)->by_window || (middle > from && middle < to))
                hl_metric_kind_info(spec->kind)->piece(tally_of(m, i, m->lane, w), &c, piece);
        }
    }
}

static void on_segment(void *context, const struct hl_segment *segment)
{
    struct hl_meter *m = context;
    m->lane = segment->lane;
    const unsigned char *watched = m->left_over[m->heard[m->lane]];
    double *scale = m->scale + segment->lane * m->study->n_outputs;
    struct hl_node *left = &m->left[segment->lane];
    double from = segment->t0;
    for (size_t e = 0; e < m->n_edges; e++)
        if (m->edge[e] > from && m->edge[e] < segment->t1) {
            hl_curve_cut(segment, from, m->edge[e], watched, scale, left, &m->room, show_piece, m);
            from = m->edge[e];
        }
    hl_curve_cut(segment, from, segment->t1, watched, scale, left, &m->room, show_piece, m);
}

static void on_event(void *context, size_t lane, const struct hl_event *event)
{
    struct hl_meter *m = context;
    m->left[lane].t = NAN; /* what follows an event has its own right limit */
    if (event->kind != HL_EVENT_GIVEN)
        return;
    for (size_t i = 0; i < m->study->n_metrics; i++) {
        const struct hl_metric_kind_info *info = hl_metric_kind_info(m->study->metric[i].kind);
        if (info->dose && instance_of(m->study, m->system, &m->study->metric[i]) == event->instance)
            info->dose(tally_of(m, i, lane, 0), event->time, event->interval, event->value);
    }
}

/* Lane by lane: forgets the lane's last subject. */
static void begin_lane(struct hl_meter *m, size_t lane)
{
    for (size_t i = 0; i < m->study->n_metrics; i++)
        for (size_t w = 0; w < m->windows[i]; w++)
            hl_tally_begin(tally_of(m, i, lane, w));
    for (size_t k = 0; k < m->study->n_outputs; k++)
        m->scale[lane * m->study->n_outputs + k] = 0;
    m->left[lane].t = NAN;
}

/* Whether the ledger keeps all that is wanted of a lane. */
static bool all_in_ledger(const struct hl_meter *m, size_t lane)
{
    for (size_t i = 0; i < m->study->n_metrics; i++)
        if (needs_pieces(&m->study->metric[i]) && !(m->teller[i] & m->heard[lane]))
            return false;
    return true;
}

static void on_group(void *context, const struct hl_subjects *subjects, const double *regs, size_t first, bool *told)
{
    struct hl_meter *m = context;
    const struct hl_events *events[HL_LANES];
    double stop = m->study->time[m->study->n_times - 1];
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t lane = first + l;
        bool good = subjects->status[lane] == HL_SUBJECT_GOOD, modal = !subjects->rows[first / HL_LANES].odd[l];
        m->heard[lane] = good && m->ledger && !m->alone ? BATCH | (modal ? STRANDS : 0) : NOBODY;
        events[l] = m->heard[lane] != NOBODY ? &subjects->events[lane] : NULL;
        told[l] = good && all_in_ledger(m, lane);
        if (good && !told[l])
            begin_lane(m, lane);
    }
    if (m->ledger && m->status == HL_OK)
        m->status = hl_ledger_begin(m->ledger, first, events, subjects->shared ? subjects->edition : 0);
    if (m->ledger && m->status == HL_OK)
        m->status = hl_strands_tell(m->strands, subjects, regs, first, stop, m->edge, m->n_edges, hl_ledger_stretch,
                                    m->ledger);
}

static void on_stretch(void *context, const struct hl_stretch *stretch)
{
    struct hl_meter *m = context;
    hl_ledger_stretch(m->ledger, stretch);
}

/* What the ledger heard of the lane while it was integrated is void. */
static void on_untold(void *context, size_t lane)
{
    struct hl_meter *m = context;
    m->heard[lane] &= (unsigned char)~BATCH;
    begin_lane(m, lane);
}

struct hl_listener hl_meter_listener(struct hl_meter *m)
{
    bool wanted = false;
    for (size_t i = 0; i < m->study->n_metrics; i++)
        wanted = wanted || needs_pieces(&m->study->metric[i]);
    if (!wanted)
        return (struct hl_listener){.context = NULL};
    return (struct hl_listener){.context = m, .segment = on_segment, .event = on_event, .wants_segments = true,
                                .group = on_group, .stretch = on_stretch, .n_edges = m->n_edges, .edge = m->edge,
                                .n_told = m->alone ? 0 : m->n_batched, .told = m->batched, .untold = on_untold};
}

/* --- after solving --- */

static enum hl_status half_life_of(const struct hl_meter *m, const struct hl_block *block, size_t metric, size_t lane,
                                   double *half_life)
{
    int instance = instance_of(m->study, m->system, &m->study->metric[metric]);
    size_t n;
    *half_life = NAN;
    return hl_plan_half_lives(m->plan, block->regs, block->lanes, lane, instance, half_life, 1, &n);
}

/* Engine's units to the metric's own: only those that carry the output's unit change. */
static double unit_factor(const struct hl_meter *m, const struct hl_metric_spec *spec)
{
    switch (spec->kind) {
    case HL_CMAX: case HL_CMIN: case HL_AUC: case HL_CAVG: case HL_CTROUGH: case HL_TROUGHS: case HL_LAST:
        return m->system->output[m->study->output[spec->of[0]]].unit.factor;
    default:
        return 1;
    }
}

static enum hl_status one_value(const struct hl_meter *m, const struct hl_block *block, size_t metric, size_t lane,
                                size_t w, double *value)
{
    const struct hl_metric_spec *spec = &m->study->metric[metric];
    const struct hl_tally *tally = tally_of(m, metric, lane, spec->kind == HL_TROUGHS ? 0 : w);
    double from, to;
    hl_window_of(m->study, spec, hl_metric_kind_info(spec->kind)->by_window ? w : 0, &from, &to);
    if (spec->kind == HL_HALF_LIFE)
        return half_life_of(m, block, metric, lane, value);
    if (tally->out_of_memory)
        return HL_ERR_MEMORY;
    if (spec->kind == HL_TROUGHS)
        *value = w < tally->n ? tally->interval[w].before : (double)NAN;
    else
        *value = hl_metric_kind_info(spec->kind)->value(tally, from, to);
    return HL_OK;
}

/* Metric of a lane that isn't in the ledger. */
static enum hl_status lane_values(const struct hl_meter *m, const struct hl_block *block, size_t metric, size_t lane,
                                  bool good, double *values, size_t width)
{
    enum hl_status status = HL_OK;
    double factor = unit_factor(m, &m->study->metric[metric]);
    for (size_t w = 0; w < width && status == HL_OK; w++) {
        double value = NAN;
        if (good)
            status = one_value(m, block, metric, lane, w, &value);
        values[w] = value / factor;
    }
    return status;
}

enum hl_status hl_meter_values(const struct hl_meter *m, const struct hl_block *block, size_t metric, double *values,
                               size_t width)
{
    double factor = unit_factor(m, &m->study->metric[metric]);
    enum hl_status status = m->status;
    if (status == HL_OK && m->study->metric[metric].sampled) {
        hl_grid_values(m->grid, block, metric, factor, values);
        return HL_OK;
    }
    bool troughs = m->study->metric[metric].kind == HL_TROUGHS;
    for (size_t first = 0; first < block->n && m->teller[metric] != NOBODY && status == HL_OK; first += HL_LANES) {
        size_t n = block->n - first < HL_LANES ? block->n - first : HL_LANES;
        double *to = values + first * width;
        status = troughs ? hl_ledger_troughs(m->ledger, metric, first, n, to, width)
                         : hl_ledger_values(m->ledger, metric, first, n, factor, to, width);
    }
    for (size_t lane = 0; lane < block->n && status == HL_OK; lane++) {
        bool good = block->status[lane] == HL_SUBJECT_GOOD;
        if (!good || !(m->teller[metric] & m->heard[lane]))
            status = lane_values(m, block, metric, lane, good, values + lane * width, width);
    }
    return status;
}
