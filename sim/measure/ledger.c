/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics come down to tasks: the largest value of an output in a window (Cmax and Tmax), its area (AUC and Cavg), the
 * time it spends above a threshold (four metrics), and so on. A task keeps rows of eight lanes. In the end a lane's
 * numbers are put into a struct hl_tally, and tally.c makes the metric of them, so that there is one definition.
 *
 * Dosing intervals. A dose is given at its nominal time, which needn't be the time at which anything enters. Its
 * interval is complete when the next dose isn't given before its end; times are sums of decimal numbers, so that a
 * stretch, or the next dose, may end it early by 1e-9 of its length. What is asked of an interval, the value before
 * it, its area and the value at its end, is read off the stretches in which these times lie. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "measure/ledger_rows.h"

#define SLACK 1e-9 /* of an interval's length */

/* When the doses of an instance are given to eight lanes: the k-th of lane l at [k * HL_LANES + l]. */
struct doses { size_t n[HL_LANES], capacity; bool same; double *time, *interval, *amount; }; /* same: for all lanes */

/* Of a task about dosing intervals, laid out as the doses: value before [the output's unit], area, value at the end
 * (NaN: not complete).
 * next: doses that were given so far; of later ones nothing is known (where doses are the same for all lanes, that of
 * lane 0 counts). */
struct marks { size_t next[HL_LANES], capacity; double *before, *area, *at_end; };

/* The list that a group's doses were read from, if it is everybody's. */
struct origin { const struct hl_event *event; size_t n; unsigned long edition; };

/* Extrema of eight lanes. */
struct best { hl_row y, time; };

struct hl_ledger {
    const struct hl_study *study;
    const struct hl_system *system;
    size_t n_groups;
    size_t n_tasks; struct hl_task *task;
    size_t *first_of_metric; size_t *task_of; /* task_of[first_of_metric[metric] + window] */
    size_t *first_of_output; size_t *by_output; /* tasks of study output o: from first_of_output[o] to that of o + 1 */
    struct hl_task_rows *rows;       /* [group][task] */
    struct marks *marks;             /* [group][task] */
    struct doses *doses;             /* [group][instance] */
    struct origin *origin;           /* [group] */
    bool *dosed;                     /* by instance: some task asks for its doses */
    struct hl_tally tally;           /* scratch, for its intervals */
    struct best *before;             /* scratch: of an output's tasks */
    size_t run_capacity; double *run_y; /* scratch: three rows for each stretch of a run */
    bool out_of_memory;
};

void hl_window_of(const struct hl_study *study, const struct hl_metric_spec *spec, size_t w, double *from, double *to)
{
    *from = spec->n_windows ? spec->window[w][0] : study->time[0];
    *to = spec->n_windows ? spec->window[w][1] : study->time[study->n_times - 1];
}

/* ---- Metrics and tasks */

static int instance_of(const struct hl_study *study, const struct hl_system *system, const struct hl_metric_spec *spec)
{
    return system->output[study->output[spec->of[0]]].instance;
}

/* An infusion without interval: its rise is followed by the level, node by node. */
static bool has_intervals(const struct hl_system *system, const struct hl_regimen *regimen, int instance)
{
    for (size_t i = 0; i < regimen->n_doses; i++)
        if (system->route[regimen->dose[i].route].instance == instance && !(regimen->dose[i].repeat_interval > 0))
            return false;
    return regimen->n_demands == 0 && regimen->n_reviewed == 0;
}

static const int task_of_kind[HL_N_METRIC_KINDS] = {
    [HL_CMAX] = 1 + HL_TASK_MAX, [HL_TMAX] = 1 + HL_TASK_MAX, [HL_CMIN] = 1 + HL_TASK_MIN, [HL_TMIN] = 1 + HL_TASK_MIN,
    [HL_AUC] = 1 + HL_TASK_AREA, [HL_CAVG] = 1 + HL_TASK_AREA, [HL_LAST] = 1 + HL_TASK_LAST,
    [HL_HOURS_ABOVE] = 1 + HL_TASK_HOURS, [HL_HOURS_BELOW] = 1 + HL_TASK_HOURS, [HL_FIRST_TIME] = 1 + HL_TASK_ABOVE,
    [HL_LONGEST_SPELL] = 1 + HL_TASK_ABOVE, [HL_FRACTION_ABOVE] = 1 + HL_TASK_HOURS,
    [HL_TROUGHS] = 1 + HL_TASK_BEFORE, [HL_CTROUGH] = 1 + HL_TASK_INTERVALS,
    [HL_ACCUMULATION] = 1 + HL_TASK_INTERVALS, [HL_TIME_TO_STEADY] = 1 + HL_TASK_INTERVALS,
};

bool hl_ledger_can(const struct hl_study *study, const struct hl_system *system, const struct hl_regimen *regimen,
                   const struct hl_metric_spec *spec)
{
    if (spec->sampled || spec->n_of != 1 || task_of_kind[spec->kind] == 0)
        return false;
    return spec->kind != HL_TIME_TO_STEADY || has_intervals(system, regimen, instance_of(study, system, spec));
}

static size_t windows_of(const struct hl_metric_spec *spec)
{
    return hl_metric_kind_info(spec->kind)->by_window && spec->n_windows ? spec->n_windows : 1;
}

static bool has_threshold(const struct hl_task *task)
{
    return task->kind == HL_TASK_ABOVE || task->kind == HL_TASK_HOURS;
}

static bool is_extremum(const struct hl_task *task)
{
    return task->kind == HL_TASK_MAX || task->kind == HL_TASK_MIN;
}

static struct hl_task task_for(const struct hl_ledger *ledger, const struct hl_metric_spec *spec, size_t w)
{
    bool by_window = hl_metric_kind_info(spec->kind)->by_window;
    struct hl_task task = {.kind = (enum hl_task_kind)(task_of_kind[spec->kind] - 1), .output = spec->of[0],
                           .instance = instance_of(ledger->study, ledger->system, spec), .from = -HL_NEVER,
                           .to = HL_NEVER};
    if (by_window)
        hl_window_of(ledger->study, spec, w, &task.from, &task.to);
    if (has_threshold(&task))
        task.theta = spec->threshold[0];
    return task;
}

static bool are_same(const struct hl_task *a, const struct hl_task *b)
{
    return a->kind == b->kind && a->output == b->output && a->from == b->from && a->to == b->to
           && a->theta == b->theta;
}

static size_t find_or_add(struct hl_ledger *ledger, struct hl_task task)
{
    size_t i = 0;
    while (i < ledger->n_tasks && !are_same(&ledger->task[i], &task))
        i++;
    if (i == ledger->n_tasks)
        ledger->task[ledger->n_tasks++] = task;
    if (task.kind >= HL_TASK_BEFORE && task.instance >= 0)
        ledger->dosed[task.instance] = true;
    return i;
}

static void list_by_output(struct hl_ledger *ledger)
{
    size_t n = 0;
    for (size_t o = 0; o < ledger->study->n_outputs; o++) {
        ledger->first_of_output[o] = n;
        for (size_t i = 0; i < ledger->n_tasks; i++)
            if (ledger->task[i].output == (int)o)
                ledger->by_output[n++] = i;
    }
    ledger->first_of_output[ledger->study->n_outputs] = n;
}

static bool list_tasks(struct hl_ledger *ledger, const bool *kept)
{
    const struct hl_study *study = ledger->study;
    size_t most = 0;
    for (size_t m = 0; m < study->n_metrics; m++)
        most += kept[m] ? windows_of(&study->metric[m]) : 0;
    ledger->task = hl_alloc(most, sizeof *ledger->task);
    ledger->task_of = hl_alloc(most, sizeof *ledger->task_of);
    ledger->by_output = hl_alloc(most, sizeof *ledger->by_output);
    ledger->first_of_metric = hl_alloc(study->n_metrics, sizeof *ledger->first_of_metric);
    ledger->first_of_output = hl_alloc(study->n_outputs + 1, sizeof *ledger->first_of_output);
    ledger->dosed = hl_alloc(ledger->system->n_instances, sizeof *ledger->dosed);
    if (!ledger->task || !ledger->task_of || !ledger->by_output || !ledger->first_of_metric || !ledger->first_of_output
        || !ledger->dosed)
        return false;
    size_t n = 0;
    for (size_t m = 0; m < study->n_metrics; m++) {
        ledger->first_of_metric[m] = n;
        for (size_t w = 0; kept[m] && w < windows_of(&study->metric[m]); w++)
            ledger->task_of[n++] = find_or_add(ledger, task_for(ledger, &study->metric[m], w));
    }
    list_by_output(ledger);
    return true;
}

struct hl_ledger *hl_ledger_create(const struct hl_study *study, const struct hl_system *system, size_t max_lanes,
                                   const bool *kept)
{
    struct hl_ledger *ledger = hl_alloc(1, sizeof *ledger);
    if (!ledger)
        return NULL;
    ledger->study = study;
    ledger->system = system;
    ledger->n_groups = (max_lanes + HL_LANES - 1) / HL_LANES;
    if (list_tasks(ledger, kept)) {
        ledger->rows = hl_alloc(ledger->n_groups * ledger->n_tasks, sizeof *ledger->rows);
        ledger->marks = hl_alloc(ledger->n_groups * ledger->n_tasks, sizeof *ledger->marks);
        ledger->before = hl_alloc(ledger->n_tasks, sizeof *ledger->before);
        ledger->doses = hl_alloc(ledger->n_groups * system->n_instances, sizeof *ledger->doses);
        ledger->origin = hl_alloc(ledger->n_groups, sizeof *ledger->origin);
    }
    if (ledger->rows && ledger->marks && ledger->doses && ledger->origin && ledger->before)
        return ledger;
    hl_ledger_free(ledger);
    return NULL;
}

void hl_ledger_free(struct hl_ledger *ledger)
{
    if (!ledger)
        return;
    for (size_t i = 0; ledger->marks && i < ledger->n_groups * ledger->n_tasks; i++) {
        hl_free(ledger->marks[i].before);
        hl_free(ledger->marks[i].area);
        hl_free(ledger->marks[i].at_end);
    }
    for (size_t i = 0; ledger->doses && i < ledger->n_groups * ledger->system->n_instances; i++) {
        hl_free(ledger->doses[i].time);
        hl_free(ledger->doses[i].interval);
        hl_free(ledger->doses[i].amount);
    }
    hl_tally_clear(&ledger->tally);
    void *part[] = {ledger->task, ledger->task_of, ledger->first_of_metric, ledger->by_output,
                    ledger->first_of_output, ledger->dosed, ledger->rows, ledger->marks, ledger->doses, ledger->origin,
                    ledger->run_y, ledger->before, ledger};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

/* ---- Doses */

/* Room for n rows in each of three arrays. */
static bool reserve(double **array[3], size_t *capacity, size_t n)
{
    if (n <= *capacity)
        return true;
    size_t wanted = 2 * n + 16;
    for (size_t i = 0; i < 3; i++) {
        double *grown = hl_grow(*array[i], *capacity * HL_LANES, wanted * HL_LANES, sizeof *grown);
        if (!grown)
            return false;
        *array[i] = grown;
    }
    *capacity = wanted;
    return true;
}

static bool read_doses(struct hl_ledger *ledger, size_t group, size_t l, const struct hl_events *events, double stop)
{
    struct doses *doses = ledger->doses + group * ledger->system->n_instances;
    for (size_t k = 0; k < events->n && events->event[k].time <= stop; k++) {
        const struct hl_event *event = &events->event[k];
        if (event->kind != HL_EVENT_GIVEN || event->instance < 0 || !ledger->dosed[event->instance])
            continue;
        struct doses *d = &doses[event->instance];
        double **part[3] = {&d->time, &d->interval, &d->amount};
        if (!reserve(part, &d->capacity, d->n[l] + 1))
            return false;
        size_t at = d->n[l]++ * HL_LANES + l;
        d->time[at] = event->time;
        d->interval[at] = event->interval;
        d->amount[at] = event->value;
    }
    return true;
}

/* All lanes have the doses of lane l. */
static void share_doses(struct doses *d, size_t l)
{
    d->same = true;
    for (size_t i = 0; i < HL_LANES; i++)
        d->n[i] = d->n[l];
    for (size_t k = 0; k < d->n[l] * HL_LANES; k += HL_LANES)
        for (size_t i = 0; i < HL_LANES; i++) {
            d->time[k + i] = d->time[k + l];
            d->interval[k + i] = d->interval[k + l];
            d->amount[k + i] = d->amount[k + l];
        }
}

/* The lane whose list of events is that of all lanes which have one; HL_LANES when there is none. */
static size_t common_lane(const struct hl_events *const *events)
{
    size_t l = 0;
    while (l < HL_LANES && !events[l])
        l++;
    for (size_t i = l; i < HL_LANES; i++)
        if (events[i] && events[i]->event != events[l]->event)
            return HL_LANES;
    return l;
}

static size_t most_doses(const struct doses *doses)
{
    size_t most = 0;
    for (size_t l = 0; l < HL_LANES; l++)
        most = doses->n[l] > most ? doses->n[l] : most;
    return most;
}

static bool begin_marks(const struct hl_ledger *ledger, size_t group, size_t i)
{
    const struct hl_task *task = &ledger->task[i];
    struct marks *marks = &ledger->marks[group * ledger->n_tasks + i];
    double **part[3] = {&marks->before, &marks->area, &marks->at_end};
    memset(marks->next, 0, sizeof marks->next);
    if (task->kind < HL_TASK_BEFORE || task->instance < 0)
        return true;
    size_t n = most_doses(&ledger->doses[group * ledger->system->n_instances + (size_t)task->instance]);
    if (!reserve(part, &marks->capacity, n))
        return false;
    for (size_t k = 0; task->kind == HL_TASK_INTERVALS && k < n * HL_LANES; k++) {
        marks->before[k] = marks->at_end[k] = NAN;
        marks->area[k] = 0;
    }
    return true;
}

/* The doses of a group, unless they are those it had. */
static bool begin_doses(struct hl_ledger *ledger, size_t group, const struct hl_events *const *events,
                        unsigned long edition)
{
    size_t n_instances = ledger->system->n_instances, common = common_lane(events);
    struct doses *doses = ledger->doses + group * n_instances;
    struct origin now = {.edition = edition}, *origin = &ledger->origin[group];
    double stop = ledger->study->time[ledger->study->n_times - 1];
    if (common < HL_LANES) {
        now.event = events[common]->event;
        now.n = events[common]->n;
    }
    if (now.event && edition > 0 && now.event == origin->event && now.n == origin->n && edition == origin->edition)
        return true;
    *origin = (struct origin){NULL, 0, 0};
    for (size_t i = 0; i < n_instances; i++) {
        memset(doses[i].n, 0, sizeof doses->n);
        doses[i].same = false;
    }
    for (size_t l = 0; l < HL_LANES; l++)
        if (events[l] && (common == HL_LANES || common == l) && !read_doses(ledger, group, l, events[l], stop))
            return false;
    for (size_t i = 0; common < HL_LANES && i < n_instances; i++)
        share_doses(&doses[i], common);
    *origin = now;
    return true;
}

enum hl_status hl_ledger_begin(struct hl_ledger *ledger, size_t first, const struct hl_events *const *events,
                               unsigned long edition)
{
    size_t group = first / HL_LANES;
    bool good = begin_doses(ledger, group, events, edition);
    for (size_t i = 0; good && i < ledger->n_tasks; i++) {
        hl_task_begin(&ledger->task[i], &ledger->rows[group * ledger->n_tasks + i]);
        good = begin_marks(ledger, group, i);
    }
    ledger->out_of_memory = ledger->out_of_memory || !good;
    return good ? HL_OK : HL_ERR_MEMORY;
}

/* The same where all lanes have the same doses, and so the same stretches. */
static void note_before_all(const struct doses *doses, struct marks *marks, const struct hl_view *view,
                            const double *part, double unit)
{
    const struct hl_stretch *stretch = view->stretch;
    size_t l = 0, *next = &marks->next[0];
    while (l + 1 < HL_LANES && !(stretch->length[l] > 0))
        l++;
    double t0 = stretch->t0[l], t1 = stretch->t1[l];
    for (; part[l] != 0 && *next < doses->n[0] && doses->time[*next * HL_LANES] <= t1; ++*next) {
        double time = doses->time[*next * HL_LANES], *before = marks->before + *next * HL_LANES;
        hl_row offset, y;
        for (size_t i = 0; i < HL_LANES; i++)
            offset[i] = stretch->length[i] > 0 ? time - t0 : 0;
        if (time > t0 && time < t1)
            stretch->kind->values(stretch, view->k, offset, y);
        for (size_t i = 0; i < HL_LANES; i++) /* before the stretch there was nothing */
            before[i] = time > t0 ? (time < t1 ? y[i] : view->right[i]) / unit : (double)NAN;
    }
}

/* The values just before the doses given in the stretch, its right end included. */
static void note_before(const struct doses *doses, struct marks *marks, const struct hl_view *view, const double *part,
                        double unit)
{
    const struct hl_stretch *stretch = view->stretch;
    if (doses->same) {
        note_before_all(doses, marks, view, part, unit);
        return;
    }
    for (bool more = true; more;) {
        hl_row offset, y;
        bool due[HL_LANES], inside = false;
        more = false;
        for (size_t l = 0; l < HL_LANES; l++) {
            double time = marks->next[l] < doses->n[l] ? doses->time[marks->next[l] * HL_LANES + l] : INFINITY;
            due[l] = part[l] != 0 && stretch->length[l] > 0 && time <= stretch->t1[l];
            offset[l] = due[l] && time > stretch->t0[l] ? time - stretch->t0[l] : 0;
            more = more || due[l];
            inside = inside || (due[l] && time < stretch->t1[l]);
        }
        if (inside)
            stretch->kind->values(stretch, view->k, offset, y);
        for (size_t l = 0; l < HL_LANES; l++)
            if (due[l]) {
                size_t at = marks->next[l]++ * HL_LANES + l;
                bool begins = !(doses->time[at] > stretch->t0[l]); /* nothing was before: NaN */
                double value = doses->time[at] < stretch->t1[l] ? y[l] : view->right[l];
                marks->before[at] = begins ? (double)NAN : value / unit;
            }
    }
}

/* What comes next in a lane: the end of the dosing interval under way, or the next dose. next counts doses given. */
enum point { NOTHING, INTERVAL_ENDS, DOSE_GIVEN };

static enum point next_point(const struct doses *doses, const struct marks *marks, size_t l, double t1, double *time)
{
    size_t k = marks->next[l];
    double given = k < doses->n[l] ? doses->time[k * HL_LANES + l] : INFINITY, limit = given < t1 ? given : t1;
    if (k > 0 && isnan(marks->at_end[(k - 1) * HL_LANES + l]) && doses->interval[(k - 1) * HL_LANES + l] > 0) {
        double length = doses->interval[(k - 1) * HL_LANES + l];
        double end = doses->time[(k - 1) * HL_LANES + l] + length;
        *time = limit < end ? limit : end;
        if (limit >= end - SLACK * length)
            return INTERVAL_ENDS;
    }
    *time = given;
    return given <= t1 ? DOSE_GIVEN : NOTHING;
}

static void reach_point(struct marks *marks, size_t l, enum point point, double area, double y, double *since)
{
    size_t at = (marks->next[l] - 1) * HL_LANES + l; /* of the last dose given, if any */
    if (point == INTERVAL_ENDS) {
        marks->area[at] += area - *since;
        marks->at_end[at] = isnan(y) ? (double)INFINITY : y; /* such a lane fails */
    } else {
        marks->next[l]++;
    }
    *since = area;
}

/* Areas of dosing intervals and the values at their ends. */
static void note_intervals(const struct doses *doses, struct marks *marks, const struct hl_view *view,
                           const double *part)
{
    const struct hl_stretch *stretch = view->stretch;
    hl_row since = {0}, offset, area, y;
    for (bool more = true; more;) {
        enum point point[HL_LANES];
        more = false;
        for (size_t l = 0; l < HL_LANES; l++) {
            double time = 0;
            bool there = part[l] != 0 && stretch->length[l] > 0;
            point[l] = there ? next_point(doses, marks, l, stretch->t1[l], &time) : NOTHING;
            more = more || point[l] != NOTHING;
            offset[l] = point[l] == NOTHING || !(time < stretch->t1[l]) ? stretch->length[l]
                        : time > stretch->t0[l] ? time - stretch->t0[l] : 0;
        }
        stretch->kind->area(stretch, view->k, more ? offset : stretch->length, area);
        if (more)
            stretch->kind->values(stretch, view->k, offset, y);
        for (size_t l = 0; l < HL_LANES; l++) {
            size_t k = marks->next[l];
            if (point[l] != NOTHING)
                reach_point(marks, l, point[l], area[l], y[l], &since[l]);
            else if (!more && part[l] != 0 && stretch->length[l] > 0 && k > 0
                     && isnan(marks->at_end[(k - 1) * HL_LANES + l]))
                marks->area[(k - 1) * HL_LANES + l] += area[l] - since[l]; /* goes on in the next stretch */
        }
    }
}

/* ---- Stretches */

static void look_inside(struct hl_view *view, const double *wanted, bool any)
{
    const struct hl_stretch *stretch = view->stretch;
    if (any) {
        view->n_pieces = stretch->kind->pieces(stretch, view->k, wanted, view->at[0], view->y[0]);
        return;
    }
    view->n_pieces = 1;
    memset(view->at[0], 0, sizeof view->at[0]);
    memcpy(view->at[1], stretch->length, sizeof view->at[1]);
    memcpy(view->y[0], view->left, sizeof view->y[0]);
    memcpy(view->y[1], view->right, sizeof view->y[1]);
}

static const struct doses *doses_of(const struct hl_ledger *ledger, size_t group, const struct hl_task *task)
{
    return ledger->doses + group * ledger->system->n_instances + (size_t)(task->instance < 0 ? 0 : task->instance);
}

static double unit_of(const struct hl_ledger *ledger, const struct hl_task *task)
{
    return ledger->system->output[ledger->study->output[task->output]].unit.factor;
}

static bool first_look(const struct hl_ledger *ledger, size_t group, size_t i, const struct hl_view *view,
                       double *wanted)
{
    const struct hl_task *task = &ledger->task[i];
    struct hl_task_rows *rows = &ledger->rows[group * ledger->n_tasks + i];
    const struct doses *doses = doses_of(ledger, group, task);
    struct marks *marks = &ledger->marks[group * ledger->n_tasks + i];
    switch (task->kind) {
    case HL_TASK_MAX: case HL_TASK_MIN: return hl_task_may_turn(task, rows, view, wanted);
    case HL_TASK_HOURS: case HL_TASK_ABOVE: return hl_task_may_cross(task, rows, view, wanted);
    case HL_TASK_AREA: hl_task_add_area(task, rows, view, false); return false;
    case HL_TASK_LAST: hl_task_note_end(task, rows, view); return false;
    case HL_TASK_BEFORE:
        if (task->instance >= 0)
            note_before(doses, marks, view, rows->part, unit_of(ledger, task));
        return false;
    case HL_TASK_INTERVALS: if (task->instance >= 0) note_intervals(doses, marks, view, rows->part); return false;
    }
    return false;
}

/* The stretch as it is told, for all tasks of output view->k, in the lanes of their parts. */
static void look_at(struct hl_ledger *ledger, size_t group, struct hl_view *view)
{
    const struct hl_stretch *stretch = view->stretch;
    size_t output = (size_t)stretch->output[view->k], from = ledger->first_of_output[output],
           to = ledger->first_of_output[output + 1];
    struct hl_task_rows *rows = &ledger->rows[group * ledger->n_tasks];
    hl_row wanted = {0};
    bool any = false;
    stretch->kind->ends(stretch, view->k, view->left, view->right);
    stretch->kind->bounds(stretch, view->k, view->low, view->high);
    for (size_t i = from; i < to; i++)
        if (rows[ledger->by_output[i]].looks)
            any = first_look(ledger, group, ledger->by_output[i], view, wanted) || any;
    look_inside(view, wanted, any);
    for (size_t i = from; i < to; i++) {
        const struct hl_task *task = &ledger->task[ledger->by_output[i]];
        struct hl_task_rows *mine = &rows[ledger->by_output[i]];
        if (mine->looks && is_extremum(task))
            hl_task_note_extremum(task, mine, view);
        if (mine->looks && has_threshold(task))
            hl_task_add_above(task, mine, view);
    }
}

/* ---- Runs (stretch.h)
 *
 * Of a run in which the curve never falls from one stretch to the next, the last has the maximum and the first the
 * minimum (and the other way round), and all values lie between the bounds of these two. So most stretches of a
 * regular course are never looked at, but for the values before doses. A lane looks at the first stretch of its run;
 * if there are others, at the last; and, one after the other, at all where that doesn't do: which of them is a function
 * of the lane alone. */

/* Lanes by how their runs go, rows of 1 and 0: in which there is just one stretch, or several; of these, in which y
 * rises or sinks from one stretch to the next, or neither is known. */
enum lanes { NO_LANE, ALL_LANES, SINGLE, SEVERAL, RISING, SINKING, OPEN, SINGLE_OR_RISING, SINGLE_OR_SINKING,
             N_LANES_KINDS };

/* In which lanes a task looks at the first stretch of a run, at its last if there are others, at each; and in which it
 * needs the bounds of the first and of the last. What has the whole run's (areas, hours, values before doses) looks at
 * none of them. */
enum look { FIRST, LAST, EACH, BOUNDS_OF_FIRST, BOUNDS_OF_LAST, N_LOOKS };
static const unsigned char looks_at[][N_LOOKS] = {
    [HL_TASK_MAX] = {SINGLE_OR_SINKING, RISING, OPEN, NO_LANE, NO_LANE},
    [HL_TASK_MIN] = {SINGLE_OR_RISING, SINKING, OPEN, NO_LANE, NO_LANE},
    [HL_TASK_AREA] = {NO_LANE, NO_LANE, NO_LANE, NO_LANE, NO_LANE},
    [HL_TASK_HOURS] = {NO_LANE, NO_LANE, NO_LANE, SINGLE_OR_SINKING, RISING}, /* the upper bounds */
    [HL_TASK_ABOVE] = {SINGLE, NO_LANE, NO_LANE, SEVERAL, SEVERAL},
    [HL_TASK_LAST] = {SINGLE, SEVERAL, NO_LANE, NO_LANE, NO_LANE},
    [HL_TASK_BEFORE] = {NO_LANE, NO_LANE, NO_LANE, NO_LANE, NO_LANE},
    [HL_TASK_INTERVALS] = {SINGLE, NO_LANE, SEVERAL, NO_LANE, NO_LANE},
};

/* Where doses are given in a run: how many at the same offset in its stretches, one in each, beginning with the first;
 * part: lanes in which others come too. For these doses, those before `next` apart. */
struct pattern {
    const struct doses *doses;
    size_t next[HL_LANES], count[HL_LANES], most;
    hl_row offset, part;
};

/* A run of output view->k and what is known of it: trends, and bounds where some task needs them. */
struct run {
    struct hl_ledger *ledger;
    size_t group, from, to;          /* tasks: by_output[from .. to - 1] */
    const struct hl_stretch *stretch;
    struct pattern *pattern;
    struct hl_view view;
    hl_row low, high, end, lanes[N_LANES_KINDS];
    bool any[N_LANES_KINDS];
};

static const struct hl_task *task_number(const struct run *run, size_t i)
{
    return &run->ledger->task[run->ledger->by_output[i]];
}

static struct hl_task_rows *rows_number(const struct run *run, size_t i)
{
    return &run->ledger->rows[run->group * run->ledger->n_tasks + run->ledger->by_output[i]];
}

/* The lanes of a task's part in what is looked at next, and whether there are any. The row must stay. */
static void set_part(struct hl_task_rows *rows, const double *lanes, bool any)
{
    rows->part = lanes;
    rows->looks = any;
}

static void set_kind(struct run *run, size_t i, enum lanes kind)
{
    set_part(rows_number(run, i), run->lanes[kind], run->any[kind]);
}

/* The same for all tasks. */
static void set_parts(struct run *run, enum look look)
{
    for (size_t i = run->from; i < run->to; i++)
        set_kind(run, i, looks_at[task_number(run, i)->kind][look]);
}

/* Looks at stretches of these numbers with all tasks, in lanes that some of them asks for. */
static void look_for_all(struct run *run, enum look look, const size_t *number)
{
    enum look bounds = look == FIRST ? BOUNDS_OF_FIRST : BOUNDS_OF_LAST;
    size_t index[HL_LANES];
    hl_row seen = {0};
    unsigned kinds = 0;
    bool any = false;
    for (size_t i = run->from; i < run->to; i++) {
        const unsigned char *kind = looks_at[task_number(run, i)->kind];
        kinds |= 1u << kind[look] | 1u << kind[bounds];
    }
    for (size_t kind = 0; kind < N_LANES_KINDS; kind++)
        if ((kinds >> kind & 1) && run->any[kind]) {
            any = true;
            for (size_t l = 0; l < HL_LANES; l++)
                seen[l] += run->lanes[kind][l];
        }
    if (!any)
        return;
    for (size_t l = 0; l < HL_LANES; l++)
        index[l] = seen[l] != 0 ? number[l] : SIZE_MAX;
    run->stretch->kind->turn_to(run->stretch, index);
    set_parts(run, look);
    look_at(run->ledger, run->group, &run->view);
    for (size_t l = 0; l < HL_LANES; l++) {
        run->low[l] = seen[l] != 0 && run->view.low[l] < run->low[l] ? run->view.low[l] : run->low[l];
        run->high[l] = seen[l] != 0 && run->view.high[l] > run->high[l] ? run->view.high[l] : run->high[l];
    }
}

/* Only task i looks, in lanes of a row, at the stretches of these numbers. */
static void look_alone(struct run *run, size_t i, const double *lanes, const size_t *index)
{
    size_t number[HL_LANES];
    for (size_t k = run->from; k < run->to; k++)
        set_kind(run, k, NO_LANE);
    set_part(rows_number(run, i), lanes, true);
    for (size_t l = 0; l < HL_LANES; l++)
        number[l] = lanes[l] != 0 ? index[l] : SIZE_MAX;
    run->stretch->kind->turn_to(run->stretch, number);
    look_at(run->ledger, run->group, &run->view);
}

/* The first stretch in which y is as good at the offset as the best, which is the last's; y: rows from stretch
 * `first` on. */
static size_t first_as_good(const struct run *run, size_t l, double best, bool largest, const double *y, size_t first)
{
    double slack = HL_SAME * fabs(best);
    size_t n = first;
    for (; n + 1 < run->stretch->n_alike[l]; n++) {
        double value = y[(n - first) * HL_LANES + l];
        if (largest ? value >= best - slack : value <= best + slack)
            break;
    }
    return n;
}

/* In lanes of `improved`, which stretch is the first as good as the last at these offsets, and where that is another
 * one; y there is in its row of run_y. Since y rises (sinks) from one to the next, none is if the one before the last
 * isn't. */
static bool find_equals(const struct run *run, bool largest, const double *best, const double *improved,
                        const double *offset, double *equal, size_t *index)
{
    const struct hl_stretch *stretch = run->stretch;
    double *y = run->ledger->run_y;
    bool found = false;
    size_t least = stretch->most_alike;
    for (size_t l = 0; l < HL_LANES; l++)
        least = improved[l] != 0 && stretch->n_alike[l] < least ? stretch->n_alike[l] : least;
    stretch->kind->run_values(stretch, run->view.k, offset, least - 2, stretch->most_alike - least + 1, 1, y);
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t last = stretch->n_alike[l] - 1;
        equal[l] = improved[l] != 0
                   && first_as_good(run, l, best[l], largest, y + (last + 1 - least) * HL_LANES, last - 1) < last;
        found = found || equal[l] != 0;
    }
    if (found)
        stretch->kind->run_values(stretch, run->view.k, offset, 0, stretch->most_alike, 1, y);
    for (size_t l = 0; found && l < HL_LANES; l++)
        index[l] = equal[l] != 0 ? first_as_good(run, l, best[l], largest, y, 0) : 0;
    return found;
}

/* Lanes whose last stretch, which is the one that is told, has brought a new extremum: of equals the first counts, if
 * it is better than what was before. Where two stretches are equals, so are the places of their extrema. */
static void prefer_first(struct run *run, size_t i, const struct best *before)
{
    struct hl_task_rows *rows = rows_number(run, i);
    bool largest = task_number(run, i)->kind == HL_TASK_MAX;
    size_t index[HL_LANES];
    hl_row improved, equal, offset;
    for (size_t l = 0; l < HL_LANES; l++) {
        improved[l] = rows->part[l] != 0 && rows->best[l] != before->y[l] ? 1 : 0;
        offset[l] = improved[l] != 0 ? rows->best_time[l] - run->stretch->t0[l] : 0;
    }
    if (hl_row_with_any(improved, 0, 1) != 0
        || !find_equals(run, largest, rows->best, improved, offset, equal, index))
        return;
    for (size_t l = 0; l < HL_LANES; l++) {
        double y = run->ledger->run_y[index[l] * HL_LANES + l], slack = HL_SAME * fabs(before->y[l]);
        bool better = largest ? y > before->y[l] + slack : y < before->y[l] - slack;
        if (equal[l] != 0 && better) { /* else better by a hair, and only in the last */
            rows->best[l] = y;
            rows->best_time[l] = run->stretch->kind->begin(run->stretch, l, index[l]) + offset[l];
        }
    }
}

static void look_first(struct run *run)
{
    static const size_t number_0[HL_LANES];
    for (size_t l = 0; l < HL_LANES; l++) {
        run->low[l] = HL_NEVER;
        run->high[l] = -HL_NEVER;
    }
    look_for_all(run, FIRST, number_0);
}

static void look_last(struct run *run)
{
    size_t last[HL_LANES];
    for (size_t l = 0; l < HL_LANES; l++)
        last[l] = run->lanes[SEVERAL][l] != 0 ? run->stretch->n_alike[l] - 1 : SIZE_MAX;
    for (size_t i = run->from; i < run->to; i++)
        if (is_extremum(task_number(run, i))) {
            struct best *before = &run->ledger->before[i - run->from];
            memcpy(before->y, rows_number(run, i)->best, sizeof before->y);
            memcpy(before->time, rows_number(run, i)->best_time, sizeof before->time);
        }
    look_for_all(run, LAST, last);
    for (size_t i = run->from; i < run->to; i++) {
        enum lanes kind = looks_at[task_number(run, i)->kind][LAST];
        if (is_extremum(task_number(run, i)) && run->any[kind])
            prefer_first(run, i, &run->ledger->before[i - run->from]);
    }
}

/* Whether lane l is given one dose after the other, from number `next` on, at the same offset in the stretches of its
 * run, beginning with the first, and how many. */
static bool has_pattern(const struct doses *doses, size_t next, const struct hl_stretch *stretch, size_t l,
                        size_t *count, double *offset)
{
    double (*begin)(const struct hl_stretch *, size_t, size_t) = stretch->kind->begin;
    double end = begin(stretch, l, stretch->n_alike[l]), from = begin(stretch, l, 0);
    *offset = 0;
    for (*count = 0; next + *count < doses->n[l]; ++*count) {
        double time = doses->time[(next + *count) * HL_LANES + l];
        if (!(time <= end))
            break;
        if (*count == 0)
            *offset = time - from;
        double to = *count < stretch->n_alike[l] ? begin(stretch, l, *count + 1) : from;
        if (!(time > from && time <= to) || fabs(time - from - *offset) > 4 * DBL_EPSILON * fabs(time))
            return false;
        from = to;
    }
    return true;
}

/* Doses given before there was anything. */
static void pass_first(const struct doses *doses, struct marks *marks, const struct hl_stretch *stretch)
{
    for (size_t l = 0; l < HL_LANES; l++) {
        if (stretch->n_alike[l] == 0)
            continue;
        size_t from = doses->same ? 0 : l, to = doses->same ? HL_LANES : l + 1, *next = &marks->next[from];
        double t0 = stretch->kind->begin(stretch, l, 0);
        for (; *next < doses->n[l] && doses->time[*next * HL_LANES + l] <= t0; ++*next)
            for (size_t i = from; i < to; i++)
                marks->before[*next * HL_LANES + i] = NAN;
        if (doses->same)
            return; /* so are the stretches */
    }
}

static void find_patterns(const struct hl_stretch *stretch, const struct doses *doses, const struct marks *marks,
                          struct pattern *p)
{
    size_t last = HL_LANES; /* lane */
    p->doses = doses;
    memcpy(p->next, marks->next, sizeof p->next);
    p->most = 0;
    for (size_t l = 0; l < HL_LANES; l++) {
        p->count[l] = 0;
        p->offset[l] = p->part[l] = 0;
        if (stretch->n_alike[l] == 0)
            continue;
        if (doses->same && last < HL_LANES) { /* so are the stretches */
            p->count[l] = p->count[last];
            p->offset[l] = p->offset[last];
            p->part[l] = p->part[last];
        } else if (!has_pattern(doses, marks->next[doses->same ? 0 : l], stretch, l, &p->count[l], &p->offset[l])) {
            p->count[l] = 0;
            p->offset[l] = 0;
            p->part[l] = 1;
        }
        last = l;
        p->most = p->count[l] > p->most ? p->count[l] : p->most;
    }
}

/* The values before the doses that are given in a run, where they come one in each stretch. Outputs told together
 * mostly have the same doses. */
static void note_run_before(struct run *run, size_t i)
{
    const struct hl_stretch *stretch = run->stretch;
    const struct hl_task *task = task_number(run, i);
    const struct doses *doses = doses_of(run->ledger, run->group, task);
    struct marks *marks = &run->ledger->marks[run->group * run->ledger->n_tasks + run->ledger->by_output[i]];
    struct pattern *p = run->pattern;
    pass_first(doses, marks, stretch);
    if (p->doses != doses || memcmp(p->next, marks->next, sizeof p->next) != 0)
        find_patterns(stretch, doses, marks, p);
    double *y = doses->same ? marks->before + marks->next[0] * HL_LANES : run->ledger->run_y;
    if (p->most > 0)
        stretch->kind->run_values(stretch, run->view.k, p->offset, 0, p->most, unit_of(run->ledger, task), y);
    marks->next[0] += doses->same ? p->most : 0;
    for (size_t l = 0; !doses->same && l < HL_LANES; l++) {
        double *before = marks->before + marks->next[l] * HL_LANES + l;
        for (size_t d = 0; d < p->count[l] * HL_LANES; d += HL_LANES)
            before[d] = y[d + l];
        marks->next[l] += p->count[l];
    }
    set_part(rows_number(run, i), p->part, hl_row_with_any(p->part, 0, 1) == 0);
}

/* Chooses the lanes in which tasks must look at each stretch, and does what can be done without. */
static void look_at_each(struct run *run)
{
    size_t index[HL_LANES];
    hl_row each = {0};
    set_parts(run, EACH);
    for (size_t i = run->from; i < run->to; i++)
        if (task_number(run, i)->kind == HL_TASK_BEFORE && task_number(run, i)->instance >= 0)
            note_run_before(run, i);
    bool any = false;
    for (size_t i = run->from; i < run->to; i++) {
        const struct hl_task_rows *rows = rows_number(run, i);
        any = any || rows->looks;
        for (size_t l = 0; rows->looks && l < HL_LANES; l++)
            each[l] += rows->part[l];
    }
    for (size_t n = 0; any && n < run->stretch->most_alike; n++) {
        for (size_t l = 0; l < HL_LANES; l++)
            index[l] = each[l] != 0 ? n : SIZE_MAX;
        run->stretch->kind->turn_to(run->stretch, index);
        look_at(run->ledger, run->group, &run->view);
    }
}

/* Stretches that are hard: each row of them alone. */
static void look_at_hard(struct run *run, size_t i, const double *hard)
{
    size_t n = run->stretch->most_alike, index[HL_LANES];
    for (size_t k = hl_row_with_any(hard, 0, n); k < n; k = hl_row_with_any(hard, k + 1, n)) {
        for (size_t l = 0; l < HL_LANES; l++)
            index[l] = k;
        look_alone(run, i, hard + k * HL_LANES, index);
    }
}

/* Hours above a threshold, in lanes where the bounds of the run don't tell. */
static void add_hours(struct run *run, size_t i, const double *mixed)
{
    const struct hl_stretch *stretch = run->stretch;
    struct hl_task_rows *rows = rows_number(run, i);
    double *hard = run->ledger->run_y;
    hl_row level;
    for (size_t l = 0; l < HL_LANES; l++)
        level[l] = task_number(run, i)->theta;
    if (stretch->kind->run_hours(stretch, run->view.k, level, mixed, rows->sum, rows->later, hard))
        look_at_hard(run, i, hard);
}

/* Times above a threshold, in lanes where the bounds of the run don't tell. */
static void add_parts(struct run *run, size_t i, const double *mixed)
{
    const struct hl_stretch *stretch = run->stretch;
    struct hl_task_rows *rows = rows_number(run, i);
    size_t size = run->ledger->run_capacity * HL_LANES, index[HL_LANES];
    double *from = run->ledger->run_y, *to = from + size, *hard = to + size;
    hl_row level, t0, t1, whole;
    for (size_t l = 0; l < HL_LANES; l++) {
        level[l] = task_number(run, i)->theta;
        t1[l] = stretch->kind->begin(stretch, l, 0);
        whole[l] = stretch->length[l];
    }
    stretch->kind->run_parts(stretch, run->view.k, level, mixed, from, to, hard);
    for (size_t n = 0; n < stretch->most_alike; n++, from += HL_LANES, to += HL_LANES) {
        for (size_t l = 0; l < HL_LANES; l++) {
            t0[l] = t1[l];
            t1[l] = n < stretch->n_alike[l] ? stretch->kind->begin(stretch, l, n + 1) : t0[l];
            index[l] = n;
        }
        hl_task_add_part(rows, t0, t1, whole, from, to);
        if (hl_row_with_any(hard, n, n + 1) == n)
            look_alone(run, i, hard + n * HL_LANES, index);
    }
}

static void add_run_above(struct run *run)
{
    static const size_t number_0[HL_LANES];
    for (size_t i = run->from; i < run->to; i++) {
        struct hl_task_rows *rows = rows_number(run, i);
        bool whole = task_number(run, i)->kind == HL_TASK_HOURS; /* else single stretches have been seen */
        hl_row mixed;
        if (!has_threshold(task_number(run, i)))
            continue;
        run->stretch->kind->turn_to(run->stretch, number_0);
        set_kind(run, i, whole ? ALL_LANES : SEVERAL);
        bool any = hl_task_add_run_above(task_number(run, i), rows, &run->view, whole ? NULL : run->low, run->high,
                                         run->lanes[OPEN], run->end, mixed);
        if (any && whole)
            add_hours(run, i, mixed);
        else if (any)
            add_parts(run, i, mixed);
    }
}

static void add_run_areas(struct run *run)
{
    for (size_t i = run->from; i < run->to; i++)
        if (task_number(run, i)->kind == HL_TASK_AREA) {
            set_kind(run, i, ALL_LANES);
            hl_task_add_area(task_number(run, i), rows_number(run, i), &run->view, true);
        }
}

/* Which lanes are of which kind. */
static void sort_lanes(struct run *run)
{
    const struct hl_stretch *stretch = run->stretch;
    hl_row trend = {0};
    double several = 0, rising = 0, sinking = 0; /* lanes */
    if (stretch->most_alike > 1)
        stretch->kind->trend(stretch, run->view.k, trend);
    for (size_t l = 0; l < HL_LANES; l++) {
        double more = stretch->n_alike[l] > 1 ? 1 : 0, rises = trend[l] > 0 ? more : 0, sinks = trend[l] < 0 ? more : 0;
        run->lanes[NO_LANE][l] = 0;
        run->lanes[ALL_LANES][l] = 1;
        run->lanes[SINGLE][l] = 1 - more;
        run->lanes[SEVERAL][l] = more;
        run->lanes[RISING][l] = rises;
        run->lanes[SINKING][l] = sinks;
        run->lanes[OPEN][l] = more - rises - sinks;
        run->lanes[SINGLE_OR_RISING][l] = 1 - more + rises;
        run->lanes[SINGLE_OR_SINKING][l] = 1 - more + sinks;
        several += more;
        rising += rises;
        sinking += sinks;
    }
    bool any[] = {[NO_LANE] = false, [ALL_LANES] = true, [SINGLE] = several < HL_LANES, [SEVERAL] = several > 0,
                  [RISING] = rising > 0, [SINKING] = sinking > 0, [OPEN] = rising + sinking < several,
                  [SINGLE_OR_RISING] = several < HL_LANES || rising > 0,
                  [SINGLE_OR_SINKING] = several < HL_LANES || sinking > 0};
    memcpy(run->any, any, sizeof run->any);
}

static void look_at_run(struct hl_ledger *ledger, const struct hl_stretch *stretch, size_t k, struct pattern *pattern)
{
    static const size_t number_0[HL_LANES];
    size_t output = (size_t)stretch->output[k];
    struct run run;
    run.ledger = ledger;
    run.group = stretch->first / HL_LANES;
    run.from = ledger->first_of_output[output];
    run.to = ledger->first_of_output[output + 1];
    run.stretch = run.view.stretch = stretch;
    run.pattern = pattern;
    run.view.k = k;
    sort_lanes(&run);
    for (size_t l = 0; l < HL_LANES; l++)
        run.end[l] = stretch->kind->begin(stretch, l, stretch->n_alike[l]);
    look_first(&run);
    if (stretch->most_alike > 1)
        look_last(&run);
    look_at_each(&run);
    stretch->kind->turn_to(stretch, number_0);
    add_run_areas(&run);
    add_run_above(&run);
}

/* Room for a value in each stretch of a run. */
static bool reserve_run(struct hl_ledger *ledger, size_t n)
{
    if (n <= ledger->run_capacity)
        return true;
    double *grown = hl_grow(ledger->run_y, 3 * ledger->run_capacity * HL_LANES, 6 * n * HL_LANES, sizeof *grown);
    if (!grown)
        return false;
    ledger->run_y = grown;
    ledger->run_capacity = 2 * n;
    return true;
}

void hl_ledger_stretch(void *context, const struct hl_stretch *stretch)
{
    struct hl_ledger *ledger = context;
    struct hl_view view;
    struct pattern pattern;
    view.stretch = stretch;
    pattern.doses = NULL;
    if (stretch->n_alike && !reserve_run(ledger, stretch->most_alike)) {
        ledger->out_of_memory = true;
        return;
    }
    for (view.k = 0; view.k < stretch->n_outputs; view.k++)
        if (stretch->n_alike)
            look_at_run(ledger, stretch, view.k, &pattern);
        else
            look_at(ledger, stretch->first / HL_LANES, &view);
}

/* ---- After all stretches */

static void take_record(struct hl_tally *t, const struct hl_task_rows *rows, size_t l)
{
    t->best = fabs(rows->best[l]) < HL_NEVER ? rows->best[l] : (double)NAN;
    t->best_time = rows->best_time[l];
    t->sum = rows->sum[l] + rows->later[l];
    t->spell = rows->spell[l];
    t->longest = rows->longest[l];
    t->first = rows->first[l] < HL_NEVER ? rows->first[l] : (double)NAN;
    t->last = rows->last[l];
    t->end = rows->end[l];
    t->n = t->n_nodes = 0;
}

static bool take_intervals(struct hl_tally *t, const struct doses *doses, const struct marks *marks, size_t l)
{
    size_t n = doses->n[l];
    if (n > t->capacity) {
        struct hl_interval *grown = hl_grow(t->interval, t->capacity, 2 * n, sizeof *grown);
        if (!grown)
            return false;
        t->interval = grown;
        t->capacity = 2 * n;
    }
    for (size_t k = 0; k < n; k++) {
        size_t at = k * HL_LANES + l;
        t->interval[k] = (struct hl_interval){.start = doses->time[at], .length = doses->interval[at],
                                              .amount = doses->amount[at], .before = marks->before[at],
                                              .area = marks->area[at], .at_end = marks->at_end[at],
                                              .complete = !isnan(marks->at_end[at])};
    }
    t->n = n;
    return true;
}

/* Of a metric that has no windows, or of its window number w. */
static size_t task_of_metric(const struct hl_ledger *ledger, size_t metric, size_t w)
{
    return ledger->task_of[ledger->first_of_metric[metric] + w];
}

static const struct doses *doses_or_none(const struct hl_ledger *ledger, size_t group, const struct hl_task *task)
{
    static const struct doses nothing;
    return task->instance < 0 ? &nothing : doses_of(ledger, group, task);
}

enum hl_status hl_ledger_troughs(const struct hl_ledger *ledger, size_t metric, size_t first, size_t n_lanes,
                                 double *values, size_t width)
{
    size_t group = first / HL_LANES, i = task_of_metric(ledger, metric, 0);
    const struct marks *marks = &ledger->marks[group * ledger->n_tasks + i];
    const struct doses *doses = doses_or_none(ledger, group, &ledger->task[i]);
    size_t common = 0;
    if (ledger->out_of_memory)
        return HL_ERR_MEMORY;
    if (doses->same && n_lanes == HL_LANES)
        common = marks->next[0] < width ? marks->next[0] : width;
    hl_rows_to_lanes(marks->before, common, values, width);
    for (size_t l = 0; l < n_lanes; l++) {
        size_t known = marks->next[doses->same ? 0 : l], n = known < width ? known : width;
        for (size_t w = common; w < n; w++)
            values[l * width + w] = marks->before[w * HL_LANES + l];
        for (size_t w = n; w < width; w++)
            values[l * width + w] = NAN;
    }
    return HL_OK;
}

enum hl_status hl_ledger_values(struct hl_ledger *ledger, size_t metric, size_t first, size_t n_lanes, double factor,
                                double *values, size_t width)
{
    const struct hl_metric_spec *spec = &ledger->study->metric[metric];
    const struct hl_metric_kind_info *info = hl_metric_kind_info(spec->kind);
    size_t group = first / HL_LANES;
    if (ledger->out_of_memory)
        return HL_ERR_MEMORY;
    for (size_t w = 0; w < width; w++) {
        size_t window = info->by_window ? w : 0, i = task_of_metric(ledger, metric, window);
        const struct hl_task *task = &ledger->task[i];
        const struct marks *marks = &ledger->marks[group * ledger->n_tasks + i];
        const struct doses *doses = doses_or_none(ledger, group, task);
        double from, to;
        hl_window_of(ledger->study, spec, window, &from, &to);
        for (size_t l = 0; l < n_lanes; l++) {
            take_record(&ledger->tally, &ledger->rows[group * ledger->n_tasks + i], l);
            if (task->kind == HL_TASK_INTERVALS && !take_intervals(&ledger->tally, doses, marks, l))
                return HL_ERR_MEMORY;
            values[l * width + w] = info->value(&ledger->tally, from, to) / factor;
        }
    }
    return HL_OK;
}
