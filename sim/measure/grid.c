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
 * are in the second cache. What is left is done lane by lane: which row of a turn has the extremum, and the runs, whose
 * ends the pass leaves as bits. */
#include "measure/grid.h"

#include <math.h>

#include "base/memory.h"
#include "measure/grid_rows.h"
#include "measure/ledger.h"

/* Output times that lie in a window: several outputs have them in common, as have windows between the same times. Weights
 * of rows, and those of whole turns that have one. */
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
    size_t n_bits; uint64_t *bits; /* of a span's levels, group by group */
    struct hl_grid_rows *rows;       /* by group */
    uint32_t *crossing;              /* of a lane: the rows that these bits tell */
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
    size_t rows = 0, levels = 0, groups = g->max_lanes / HL_GRID_LANES;
    for (size_t s = 0; s < g->n_spans; s++) {
        g->span[s].result = rows;
        rows += HOURS + g->span[s].n_levels;
        levels = g->span[s].n_levels > levels ? g->span[s].n_levels : levels;
    }
    g->result = hl_alloc(rows * g->max_lanes, sizeof *g->result);
    g->n_bits = levels * hl_grid_words(g->study->n_times) * HL_GRID_LANES;
    g->bits = hl_alloc(groups * g->n_bits, sizeof *g->bits);
    g->rows = hl_alloc(groups, sizeof *g->rows);
    g->crossing = hl_alloc(g->study->n_times + 1, sizeof *g->crossing);
    return g->result && g->bits && g->rows && g->crossing ? HL_OK : HL_ERR_MEMORY;
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
    hl_free(g->bits);
    hl_free(g->rows);
    hl_free(g->crossing);
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
    *time = v->n == 0 ? (double)NAN : v->time[k < to ? k : v->n - 1];
}

/* Rows in which a lane crosses, ascending; how many. */
static size_t list_crossings(const uint64_t *word, size_t n_words, uint32_t *crossing)
{
    size_t n = 0;
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t bits = word[w * HL_GRID_LANES]; bits != 0; bits &= bits - 1)
            crossing[n++] = (uint32_t)(w * HL_GRID_WORD + (size_t)__builtin_ctzll(bits));
    return n;
}

/* The part above of the interval between the rows `in`, which is above, and `out`, which isn't: one before the other. */
static double part_above(const struct lane_view *v, size_t in, size_t out, double level)
{
    double a = y_at(v, in) - level, b = y_at(v, out) - level;
    return fabs(v->time[in] - v->time[out]) * a / (a - b);
}

/* Rows of crossings: runs begin and end by turns. */
static double hours_above(const struct lane_view *v, const uint32_t *crossing, size_t n, double level)
{
    double hours = 0;
    for (size_t i = 0; i + 1 < n; i += 2) {
        size_t up = crossing[i], down = crossing[i + 1];
        double before = up > 0 ? part_above(v, up, up - 1, level) : 0;
        double behind = down < v->n ? part_above(v, down - 1, down, level) : 0;
        hours += v->time[down - 1] - v->time[up] + (before + behind);
    }
    return hours;
}

/* What a group's rows tell of its lane l. */
static void keep_lane(struct hl_grid *g, const struct span *span, const struct lane_view *v,
                      const struct hl_grid_rows *rows, size_t l, double *result)
{
    size_t row = g->max_lanes;
    if (span->largest)
        place_extremum(v, rows->largest[l], rows->largest_turn[l], &result[LARGEST * row], &result[LARGEST_TIME * row]);
    if (span->smallest)
        place_extremum(v, rows->smallest[l], rows->smallest_turn[l], &result[SMALLEST * row],
                       &result[SMALLEST_TIME * row]);
    result[AREA * row] = rows->area[l];
    result[LAST * row] = v->n > 0 ? y_at(v, v->n - 1) : (double)NAN;
    for (size_t i = 0; i < span->n_levels; i++) {
        size_t n = list_crossings(rows->crossing + i * rows->n_words * HL_GRID_LANES + l, rows->n_words, g->crossing);
        result[(HOURS + i) * row] = hours_above(v, g->crossing, n, span->level[i]);
    }
}

static void look_at_span(struct hl_grid *g, const struct hl_block *block, const struct span *span)
{
    const struct window *window = &g->window[span->window];
    const double *y = block->out + ((size_t)span->output * g->study->n_times + window->first) * block->lanes;
    struct hl_grid_task task = {.y = y, .lanes = block->lanes, .n_rows = window->n,
                                .n_groups = (block->n + HL_GRID_LANES - 1) / HL_GRID_LANES, .even = window->even,
                                .weight = span->area && window->n > 1 ? window->weight : NULL,
                                .largest = span->largest, .smallest = span->smallest, .n_levels = span->n_levels,
                                .level = span->level};
    for (size_t group = 0; group < task.n_groups; group++)
        g->rows[group].crossing = g->bits + group * g->n_bits;
    hl_grid_look(&task, g->rows);
    for (size_t lane = 0; lane < block->n; lane++) {
        struct lane_view v = {g->study->time + window->first, y + lane, window->n, block->lanes};
        if (block->status[lane] == HL_SUBJECT_GOOD)
            keep_lane(g, span, &v, &g->rows[lane / HL_GRID_LANES], lane % HL_GRID_LANES,
                      g->result + span->result * g->max_lanes + lane);
    }
}

void hl_grid_values(struct hl_grid *g, const struct hl_block *block, size_t metric, size_t lane, double factor,
                    double *values)
{
    const struct hl_metric_spec *spec = &g->study->metric[metric];
    for (size_t s = 0; !g->looked && s < g->n_spans; s++)
        look_at_span(g, block, &g->span[s]);
    g->looked = true;
    for (size_t w = 0; w < windows_of(spec); w++) {
        const struct wish *wish = &g->wish[g->first_wish[metric] + w];
        const double *result = g->result + g->span[wish->span].result * g->max_lanes + lane;
        size_t row = g->max_lanes;
        double from, to, value = NAN, hours = result[(HOURS + wish->level) * row];
        hl_window_of(g->study, spec, w, &from, &to);
        switch (spec->kind) {
        case HL_CMAX: value = result[LARGEST * row]; break;
        case HL_TMAX: value = result[LARGEST_TIME * row]; break;
        case HL_CMIN: value = result[SMALLEST * row]; break;
        case HL_TMIN: value = result[SMALLEST_TIME * row]; break;
        case HL_AUC: value = result[AREA * row]; break;
        case HL_CAVG: value = result[AREA * row] / (to - from); break;
        case HL_LAST: value = result[LAST * row]; break;
        case HL_HOURS_ABOVE: value = hours; break;
        case HL_HOURS_BELOW: value = to - from - hours; break;
        case HL_FRACTION_ABOVE: value = hours / (to - from); break;
        default: break; /* the study refuses sampled: for the others */
        }
        values[w] = value / factor;
    }
}
