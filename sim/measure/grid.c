/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With y_k the values at those output times t_k that lie in a window, k = 0 .. n - 1, joined by straight lines:
 *
 *     area = sum over k of w_k y_k,   2 w_k = t_(k+1) - t_(k-1), at either end the only interval there is
 *                                                       (the trapezoidal rule, one product per value);
 *     extrema: the first of equals;
 *     last = y_(n-1).
 *
 * Hours above a level theta: a run of values above it, k = u .. d - 1, lasts from the crossing before it to the one
 * behind it,
 *
 *     (t_(d-1) - t_u)  +  (t_u - t_(u-1)) b / (b - a)  +  (t_d - t_(d-1)) a' / (a' - b'),
 *
 * where a <= 0 < b are y - theta at u - 1 and u, a' > 0 >= b' at d - 1 and d; at the window's ends a part is missing.
 * So it takes two divisions per run, not one per value.
 *
 * All that is asked of an output in a window is found in one pass over its rows of eight lanes (grid_rows.c) while they
 * are in the second cache; what is left for each lane is to see which row of a turn has the extremum. */
#include "measure/grid.h"

#include <math.h>

#include "base/memory.h"
#include "measure/grid_rows.h"
#include "measure/ledger.h"

/* Output times that lie in a window: several outputs have them in common, as have windows between the same times.
 * Weights of rows, and those of whole turns that have one. */
struct window { size_t first, n; double *weight, *even; };

/* All that is asked of an output in a window. Its results start at row `result`, a value per lane each. */
struct span {
    int output;
    size_t window, result, n_levels;
    bool largest, smallest, area;
    double *level;
};

enum { LARGEST, LARGEST_TIME, SMALLEST, SMALLEST_TIME, AREA, LAST, HOURS }; /* rows; one for each level from HOURS on */

/* Where a metric finds what it needs, in one of its windows. */
struct wish { size_t span, level; };

struct hl_grid {
    const struct hl_study *study;
    size_t max_lanes;
    size_t n_windows; struct window *window;
    size_t n_spans; struct span *span;
    size_t *first_wish;              /* by metric */
    struct wish *wish;
    double *result;                  /* [row][lane] */
    struct hl_grid_found found;      /* in a span's rows */
    bool looked;                     /* at the block's values */
};

/* --- what is asked --- */

static size_t windows_of(const struct hl_metric_spec *spec)
{
    return spec->n_windows ? spec->n_windows : 1;
}

static size_t count_wishes(const struct hl_study *study)
{
    size_t n = 0;
    for (size_t m = 0; m < study->n_metrics; m++)
        n += study->metric[m].sampled ? windows_of(&study->metric[m]) : 0;
    return n;
}

/* Half of the time between a row's neighbours in the window. */
static void weigh(const double *time, struct window *w)
{
    for (size_t k = 0; k < w->n; k++)
        w->weight[k] = 0.5 * (time[k + 1 < w->n ? k + 1 : k] - time[k > 0 ? k - 1 : k]);
    for (size_t k = 0; k + HL_GRID_TURN <= w->n; k += HL_GRID_TURN) {
        double *even = &w->even[k / HL_GRID_TURN];
        *even = w->weight[k];
        for (size_t r = 1; r < HL_GRID_TURN; r++)
            *even = w->weight[k + r] == w->weight[k] ? *even : (double)NAN; /* one product for all, or one for each */
    }
}

/* Number of the window from .. to. HL_ERR_MEMORY. */
static enum hl_status find_window(struct hl_grid *g, double from, double to, size_t *number)
{
    const double *time = g->study->time;
    struct window w = {0};
    while (w.first < g->study->n_times && time[w.first] < from)
        w.first++;
    while (w.first + w.n < g->study->n_times && time[w.first + w.n] <= to)
        w.n++;
    for (*number = 0; *number < g->n_windows; ++*number)
        if (g->window[*number].first == w.first && g->window[*number].n == w.n)
            return HL_OK;
    w.weight = hl_alloc(w.n, sizeof *w.weight);
    w.even = hl_alloc(w.n / HL_GRID_TURN, sizeof *w.even);
    g->window[g->n_windows++] = w;
    if (!w.weight || !w.even)
        return HL_ERR_MEMORY;
    weigh(time + w.first, &w);
    return HL_OK;
}

static size_t find_span(struct hl_grid *g, int output, size_t window)
{
    for (size_t s = 0; s < g->n_spans; s++)
        if (g->span[s].output == output && g->span[s].window == window)
            return s;
    g->span[g->n_spans] = (struct span){.output = output, .window = window};
    return g->n_spans++;
}

static enum hl_status find_level(struct span *span, double level, size_t *number)
{
    for (*number = 0; *number < span->n_levels; ++*number)
        if (span->level[*number] == level) /* the same number, looked at once */
            return HL_OK;
    double *more = hl_grow(span->level, span->n_levels, span->n_levels + 1, sizeof *more);
    if (!more)
        return HL_ERR_MEMORY;
    span->level = more;
    span->level[span->n_levels++] = level;
    return HL_OK;
}

/* Window number w of a metric. */
static enum hl_status ask(struct hl_grid *g, const struct hl_metric_spec *spec, size_t w, struct wish *wish)
{
    double from, to;
    size_t window;
    hl_window_of(g->study, spec, w, &from, &to);
    enum hl_status status = find_window(g, from, to, &window);
    if (status != HL_OK)
        return status;
    wish->span = find_span(g, spec->of[0], window);
    struct span *span = &g->span[wish->span];
    switch (spec->kind) {
    case HL_CMAX: case HL_TMAX: span->largest = true; break;
    case HL_CMIN: case HL_TMIN: span->smallest = true; break;
    case HL_AUC: case HL_CAVG: span->area = true; break;
    case HL_HOURS_ABOVE: case HL_HOURS_BELOW: case HL_FRACTION_ABOVE:
        return find_level(span, spec->threshold[0], &wish->level);
    default: break;
    }
    return HL_OK;
}

static enum hl_status ask_all(struct hl_grid *g)
{
    enum hl_status status = HL_OK;
    size_t n = 0;
    for (size_t m = 0; status == HL_OK && m < g->study->n_metrics; m++) {
        const struct hl_metric_spec *spec = &g->study->metric[m];
        g->first_wish[m] = n;
        for (size_t w = 0; status == HL_OK && spec->sampled && w < windows_of(spec); w++)
            status = ask(g, spec, w, &g->wish[n++]);
    }
    return status;
}

/* Room for what will be found. */
static enum hl_status make_room(struct hl_grid *g)
{
    size_t rows = 0, levels = 0;
    for (size_t s = 0; s < g->n_spans; s++) {
        g->span[s].result = rows;
        rows += HOURS + g->span[s].n_levels;
        levels = g->span[s].n_levels > levels ? g->span[s].n_levels : levels;
    }
    g->result = hl_alloc(rows * g->max_lanes, sizeof *g->result);
    double *value = hl_alloc((5 + 2 * levels) * g->max_lanes, sizeof *value);
    g->found.above = hl_alloc(levels * g->max_lanes, sizeof *g->found.above);
    g->found.crossing = hl_alloc(levels * g->max_lanes / HL_GRID_LANES, sizeof *g->found.crossing);
    g->found.largest = value; /* the first of all */
    if (!g->result || !value || !g->found.above || !g->found.crossing)
        return HL_ERR_MEMORY;
    g->found.largest_turn = value + g->max_lanes;
    g->found.smallest = value + 2 * g->max_lanes;
    g->found.smallest_turn = value + 3 * g->max_lanes;
    g->found.area = value + 4 * g->max_lanes;
    g->found.hours = value + 5 * g->max_lanes;
    g->found.since = g->found.hours + levels * g->max_lanes;
    return HL_OK;
}

struct hl_grid *hl_grid_create(const struct hl_study *study, size_t max_lanes)
{
    struct hl_grid *g = hl_alloc(1, sizeof *g);
    size_t n = count_wishes(study);
    if (!g)
        return NULL;
    g->study = study;
    g->max_lanes = max_lanes;
    g->window = hl_alloc(n, sizeof *g->window);
    g->span = hl_alloc(n, sizeof *g->span);
    g->wish = hl_alloc(n, sizeof *g->wish);
    g->first_wish = hl_alloc(study->n_metrics, sizeof *g->first_wish);
    if (g->window && g->span && g->wish && g->first_wish && ask_all(g) == HL_OK && make_room(g) == HL_OK)
        return g;
    hl_grid_free(g);
    return NULL;
}

void hl_grid_free(struct hl_grid *g)
{
    if (!g)
        return;
    for (size_t w = 0; w < g->n_windows; w++) {
        hl_free(g->window[w].weight);
        hl_free(g->window[w].even);
    }
    for (size_t s = 0; s < g->n_spans; s++)
        hl_free(g->span[s].level);
    hl_free(g->window);
    hl_free(g->span);
    hl_free(g->wish);
    hl_free(g->first_wish);
    hl_free(g->result);
    hl_free(g->found.largest);
    hl_free(g->found.above);
    hl_free(g->found.crossing);
    hl_free(g);
}

void hl_grid_begin(struct hl_grid *g)
{
    g->looked = false;
}

/* --- what is found --- */

/* Values of one lane in a window. */
struct lane_view { const double *time, *y; size_t n, stride; };

static double y_at(const struct lane_view *v, size_t k)
{
    return v->y[k * v->stride];
}

/* The first row from `from` on that has the value; `to` when none before it has. Without a branch for each. */
static size_t first_equal(const struct lane_view *v, double value, size_t from, size_t to)
{
    size_t first = to;
    for (size_t k = to; k-- > from;)
        first = y_at(v, k) == value ? k : first; /* equal: it is one of them */
    return first;
}

/* The extremum and its time, where it lies in the turn. Values of which none was better than infinity are all of them
 * NaN or infinite. */
static void place_extremum(const struct lane_view *v, double value, double turn, double *extremum, double *time)
{
    size_t from = turn < 0 ? 0 : (size_t)turn * HL_GRID_TURN, to = from + HL_GRID_TURN;
    if (turn < 0 || to > v->n)
        to = v->n;
    size_t k = first_equal(v, value, from, to);
    *extremum = k < to ? y_at(v, k) : (double)NAN;
    *time = v->time[k < to ? k : v->n - 1];
}

/* What a lane's rows tell. */
static void keep_lane(struct hl_grid *g, const struct span *span, const struct hl_grid_task *task, size_t lane)
{
    const struct hl_grid_found *found = &g->found;
    struct lane_view v = {task->time, task->y + lane, task->n_rows, task->lanes};
    double *result = g->result + span->result * g->max_lanes + lane;
    size_t next = g->max_lanes; /* row of results */
    if (span->largest)
        place_extremum(&v, found->largest[lane], found->largest_turn[lane], &result[LARGEST * next],
                       &result[LARGEST_TIME * next]);
    if (span->smallest)
        place_extremum(&v, found->smallest[lane], found->smallest_turn[lane], &result[SMALLEST * next],
                       &result[SMALLEST_TIME * next]);
    result[AREA * next] = task->weight ? found->area[lane] : 0; /* a single value has none */
    result[LAST * next] = y_at(&v, v.n - 1);
    for (size_t i = 0; i < span->n_levels; i++) {
        size_t at = i * task->lanes + lane;
        double to_the_end = found->above[at] ? v.time[v.n - 1] - found->since[at] : 0;
        result[(HOURS + i) * next] = found->hours[at] + to_the_end;
    }
}

/* Nothing can be said of it. */
static void keep_nothing(struct hl_grid *g, const struct span *span, size_t lane)
{
    double *result = g->result + span->result * g->max_lanes + lane;
    for (size_t i = 0; i < HOURS + span->n_levels; i++)
        result[i * g->max_lanes] = i == AREA || i >= HOURS ? 0 : (double)NAN;
}

static void look_at_span(struct hl_grid *g, const struct hl_block *block, const struct span *span)
{
    const struct window *window = &g->window[span->window];
    const double *y = block->out + ((size_t)span->output * g->study->n_times + window->first) * block->lanes;
    struct hl_grid_task task = {.y = y, .lanes = block->lanes, .time = g->study->time + window->first,
                                .n_rows = window->n, .n_groups = (block->n + HL_GRID_LANES - 1) / HL_GRID_LANES,
                                .weight = span->area && window->n > 1 ? window->weight : NULL, .even = window->even,
                                .largest = span->largest, .smallest = span->smallest, .n_levels = span->n_levels,
                                .level = span->level};
    if (window->n > 0)
        hl_grid_look(&task, &g->found);
    for (size_t lane = 0; lane < block->n; lane++) {
        if (window->n == 0)
            keep_nothing(g, span, lane);
        else if (block->status[lane] == HL_SUBJECT_GOOD)
            keep_lane(g, span, &task, lane);
    }
}

/* Where a metric's value of lane 0 is, or what it is made from; lanes lie side by side. NULL for kinds that the study
 * refuses. */
static const double *result_of(const struct hl_grid *g, enum hl_metric_kind kind, const struct wish *wish)
{
    const double *result = g->result + g->span[wish->span].result * g->max_lanes;
    switch (kind) {
    case HL_CMAX: return result + LARGEST * g->max_lanes;
    case HL_TMAX: return result + LARGEST_TIME * g->max_lanes;
    case HL_CMIN: return result + SMALLEST * g->max_lanes;
    case HL_TMIN: return result + SMALLEST_TIME * g->max_lanes;
    case HL_AUC: case HL_CAVG: return result + AREA * g->max_lanes;
    case HL_LAST: return result + LAST * g->max_lanes;
    case HL_HOURS_ABOVE: case HL_HOURS_BELOW: case HL_FRACTION_ABOVE:
        return result + (HOURS + wish->level) * g->max_lanes;
    default: return NULL;
    }
}

void hl_grid_values(struct hl_grid *g, const struct hl_block *block, size_t metric, double factor, double *values)
{
    const struct hl_metric_spec *spec = &g->study->metric[metric];
    size_t width = windows_of(spec);
    for (size_t s = 0; !g->looked && s < g->n_spans; s++)
        look_at_span(g, block, &g->span[s]);
    g->looked = true;
    for (size_t w = 0; w < width; w++) {
        const double *result = result_of(g, spec->kind, &g->wish[g->first_wish[metric] + w]);
        double from, to;
        hl_window_of(g->study, spec, w, &from, &to);
        bool rest = spec->kind == HL_HOURS_BELOW, share = spec->kind == HL_CAVG || spec->kind == HL_FRACTION_ABOVE;
        for (size_t lane = 0; lane < block->n; lane++) {
            bool good = result && block->status[lane] == HL_SUBJECT_GOOD;
            double value = good ? result[lane] : (double)NAN;
            value = rest ? to - from - value : share ? value / (to - from) : value;
            values[lane * width + w] = value / factor;
        }
    }
}
