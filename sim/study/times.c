/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grid of output times. Each item goes on from where the last one ended (0 at first); times are start + k * every,
 * multiplied out and not added up, so that the thousandth point is as exact as the first. A step that does not divide
 * its span ends with a shorter one, at until. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "study/inside.h"

#define SAME_TIME 1e-9 /* [h] two grid points closer than this (4 microseconds) are one */

struct grid {
    struct hl_study_reader *reader;
    double *time;
    size_t n, capacity;
};

static double last_time(const struct grid *grid)
{
    return grid->time[grid->n - 1];
}

static void add_time(struct grid *grid, double t)
{
    if (grid->n > 0 && t - last_time(grid) < SAME_TIME)
        return;
    grid->time = hl_arena_push(grid->reader->arena, grid->time, grid->n, &grid->capacity, sizeof *grid->time);
    grid->time[grid->n++] = t;
}

static bool read_time(struct grid *grid, const struct hl_yaml *node, const char *what, double *t)
{
    if (!hl_study_read_quantity(grid->reader, node, what, hl_dim_of("h"), "h", t))
        return false;
    if (*t >= 0.0)
        return true;
    hl_diag_error(grid->reader->diag, node->pos, "%s is before the study's start at 0 h: '%s'", what, node->text);
    return false;
}

/* Times must go up: reports and returns false when t lies before the last one. */
static bool goes_on(struct grid *grid, const struct hl_yaml *node, const char *what, double t, bool may_touch)
{
    double last = last_time(grid);
    if (t > last + SAME_TIME || (may_touch && t > last - SAME_TIME))
        return true;
    hl_diag_error(grid->reader->diag, node->pos, "times must ascend: %s '%s' is not after the time before it, %.10g h",
                  what, node->text, last);
    return false;
}

static void read_span(struct grid *grid, const struct hl_yaml *item)
{
    struct hl_diag *diag = grid->reader->diag;
    const struct hl_yaml *from = hl_yaml_get(item, "from"), *until = hl_yaml_get(item, "until");
    const struct hl_yaml *every = hl_yaml_get(item, "every");
    double start = last_time(grid), end, step;
    if (!until || !every) {
        hl_diag_error(diag, item->pos, "a span of times needs '%s'; write {until: 24 h, every: 10 min}",
                      until ? "every" : "until");
        return;
    }
    bool good = !from || (read_time(grid, from, "from", &start) && goes_on(grid, from, "from", start, true));
    good = read_time(grid, until, "until", &end) && good;
    good = hl_study_read_quantity(grid->reader, every, "every", hl_dim_of("h"), "min", &step) && good;
    if (!good)
        return;
    if (!(step > SAME_TIME)) {
        hl_diag_error(diag, every->pos, "every: '%s' must be a time above 0", every->text);
        return;
    }
    if (from && end <= start + SAME_TIME)
        hl_diag_error(diag, until->pos, "until '%s' is not after from '%s'", until->text, from->text);
    else if (goes_on(grid, until, "until", end, false)) {
        double count = ceil((end - start) / step - SAME_TIME);
        if (count + (double)grid->n > HL_MAX_TIMES) {
            hl_diag_error(diag, item->pos, "%.0f output times, more than the most of %d; use a longer 'every'",
                          count + (double)grid->n, HL_MAX_TIMES);
            return;
        }
        for (size_t k = 0; (double)k < count; k++)
            add_time(grid, start + (double)k * step);
        if (end - last_time(grid) < SAME_TIME)
            grid->time[grid->n - 1] = end;
        add_time(grid, end);
    }
}

static void read_points(struct grid *grid, const struct hl_yaml *node)
{
    size_t n;
    struct hl_yaml **item = hl_study_items(grid->reader->arena, node, &n);
    if (n == 0)
        hl_diag_error(grid->reader->diag, node->pos, "at: names no time; write {at: [1 h, 2.5 h]}");
    if (n > HL_MAX_TIMES) {
        hl_diag_error(grid->reader->diag, node->pos, "%zu output times, more than the most of %d", n, HL_MAX_TIMES);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double t;
        if (!read_time(grid, item[i], "a time", &t))
            continue;
        if (t < SAME_TIME && grid->n == 1)
            continue; /* 0 is there already */
        if (goes_on(grid, item[i], "the time", t, false))
            add_time(grid, t);
    }
}

static void read_item(struct grid *grid, const struct hl_yaml *item)
{
    static const char *const span_keys[] = {"until", "every", "from", "at"};
    if (item->kind == HL_YAML_SCALAR) {
        read_points(grid, item);
        return;
    }
    if (!hl_yaml_check_keys(item, "a span of times", span_keys, 4, grid->reader->diag))
        return;
    const struct hl_yaml *at = hl_yaml_get(item, "at");
    if (!at)
        read_span(grid, item);
    else if (item->n > 1)
        hl_diag_error(grid->reader->diag, item->pos,
                      "'at' stands alone; give 'until' and 'every' in an item of their own");
    else
        read_points(grid, at);
}

void hl_study_read_times(struct hl_study_reader *reader, const struct hl_yaml *node)
{
    struct grid grid = {.reader = reader};
    size_t n;
    struct hl_yaml **item = hl_study_items(reader->arena, node, &n);
    if (reader->has_data)
        return;
    add_time(&grid, 0.0);
    for (size_t i = 0; i < n; i++)
        read_item(&grid, item[i]);
    if (n == 0 && node)
        hl_diag_error(reader->diag, node->pos, "times: names no time; write [{until: 24 h, every: 10 min}]");
    reader->study->time = grid.time;
    reader->study->n_times = grid.n;
}
