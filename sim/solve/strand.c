/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From event to event, eight subjects side by side.
 *
 * Between the events of its components an output is
 *     y(s) = c + sum over modes of a_j e^(lambda_j s) + G_j (e^(lambda_j s) - 1) / lambda_j,
 * a_j and G_j its share in the amplitude z_j and in the mode's input g_j at the beginning of the stretch. So a stretch
 * is known by one row of amplitudes, and the next begins with z e^(lambda L) + g phi(L). The k-th stretch of each of
 * the eight is told together with those of the others, wherever in time they are; whoever has none waits.
 *
 * Doses come in regular distances, so exponentials of recent lengths are kept, as in group.c: by multiples of 2^-36 h,
 * the rest made up for by a series, so that what a lane gets is a function of its own times alone. */
#include "solve/strand_parts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vector.h"

struct hl_strands { const struct hl_plan *plan; size_t n; struct hl_strand *strand; };

/* ---- Which outputs, which strands */

static void mark_components(const struct hl_plan *plan, int output, bool *has)
{
    const struct hl_output *out = &plan->system->output[output];
    for (size_t c = 0; c < plan->n_components; c++)
        has[c] = false;
    for (size_t k = 0; k < out->n_coefs; k++)
        if (plan->component_of[out->coef[k].col] >= 0)
            has[plan->component_of[out->coef[k].col]] = true;
}

static bool depends_on(const struct hl_plan *plan, const struct hl_output *out, size_t c)
{
    for (size_t k = 0; k < out->n_coefs; k++)
        if (plan->component_of[out->coef[k].col] == (int)c)
            return true;
    return false;
}

bool hl_strand_can(const struct hl_plan *plan, int output)
{
    const struct hl_output *out = &plan->system->output[output];
    size_t modes = 0;
    for (size_t k = 0; k < out->n_coefs; k++)
        if (plan->integrated_of[out->coef[k].col] >= 0)
            return false;
    for (size_t c = 0; c < plan->n_components; c++)
        modes += depends_on(plan, out, c) ? plan->component[c].shape.n : 0;
    return out->linear && modes > 0 && modes <= HL_STRAND_MODES;
}

static bool same_components(const struct hl_plan *plan, const bool *one, const bool *other)
{
    return memcmp(one, other, plan->n_components * sizeof *one) == 0;
}

/* ---- Memory */

/* Hands out rows; counts only while room is NULL. */
struct rows { double *room; size_t n; };

static double *take(struct rows *rows, size_t n)
{
    double *taken = rows->room ? rows->room + rows->n * HL_LANES : NULL;
    rows->n += n;
    return taken;
}

/* at: a row. */
static void lay_out_place(struct hl_strand_place *place, double *at, size_t m, struct rows *rows)
{
    place->at = at;
    place->E = take(rows, m);
    place->phi = take(rows, m);
}

static void lay_out_curve(struct hl_strand_curve *curve, size_t m, struct rows *rows)
{
    double **by_mode[] = {&curve->V, &curve->a, &curve->G, &curve->b};
    double **single[] = {&curve->offset, &curve->left, &curve->right, &curve->low, &curve->high, &curve->slope,
                         &curve->slope_right, &curve->bend, &curve->turns};
    for (size_t i = 0; i < sizeof by_mode / sizeof *by_mode; i++)
        *by_mode[i] = take(rows, m);
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        *single[i] = take(rows, 1);
    curve->kept = take(rows, HL_STRAND_KEPT);
    struct rows kept = {rows->room ? curve->kept : NULL, 0};
    struct hl_strand_place *place[] = {&curve->dip, &curve->ridge, &curve->peak, &curve->hollow};
    for (size_t i = 0; i < sizeof place / sizeof *place; i++)
        lay_out_place(place[i], take(&kept, 1), m, rows);
    for (size_t i = 0; i < HL_STRAND_LEVELS; i++) {
        lay_out_place(&curve->rise[i], take(&kept, 1), m, rows);
        lay_out_place(&curve->fall[i], take(&kept, 1), m, rows);
    }
    curve->guess = take(&kept, HL_STRAND_SLOTS);
    curve->node = take(rows, HL_STRAND_NODES);
    curve->node_E = take(rows, HL_STRAND_NODES * m);
}

static void lay_out_walks(struct hl_strand_walks *w, size_t m, struct rows *rows)
{
    double **single[] = {&w->rest, &w->side, &w->below, &w->low, &w->high, &w->from, &w->to, &w->whole, &w->rate,
                         &w->tau, &w->sum};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        *single[i] = take(rows, HL_STRAND_WALKS / HL_LANES);
    w->share = (void *)take(rows, m * HL_STRAND_WALKS * (sizeof *w->share / sizeof(double)) / HL_LANES);
}

static void lay_out(struct hl_strand *s, struct rows *rows)
{
    size_t m = s->n_modes;
    double **by_mode[] = {&s->lambda, &s->z_mixed, &s->z_sum, &s->z_all, &s->g, &s->E_length, &s->phi_length,
                          &s->E, &s->phi, &s->x};
    double **single[] = {&s->t0, &s->t1, &s->length, &s->whole, &s->rate};
    for (size_t i = 0; i < sizeof by_mode / sizeof *by_mode; i++)
        *by_mode[i] = take(rows, m);
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        *single[i] = take(rows, 1);
    s->series.K = take(rows, HL_STRAND_TERMS + 1);
    s->series.C = take(rows, HL_STRAND_TERMS * m);
    s->series.size = take(rows, m);
    lay_out_place(&s->crest, take(rows, 1), m, rows);
    lay_out_walks(&s->walks, m, rows);
    s->W = take(rows, s->n_slots * m);
    s->chain = take(rows, m * (m + 1) / 2);
    s->infusion = take(rows, s->n_slots);
    s->input = take(rows, s->n_slots);
    for (size_t k = 0; k < HL_STRAND_HOPS + HL_STRAND_LOOKS; k++) {
        struct hl_strand_table *t = k < HL_STRAND_HOPS ? &s->hop[k] : &s->look[k - HL_STRAND_HOPS];
        t->E = take(rows, m);
        t->phi = take(rows, m);
    }
    for (size_t k = 0; k < s->n_outputs; k++)
        lay_out_curve(&s->curve[k], m, rows);
}

/* Lists the modes and numbers the states of the components. */
static void number_states(struct hl_strand *s)
{
    const struct hl_plan *plan = s->plan;
    for (size_t i = 0; i < plan->system->n_states; i++)
        s->slot[i] = -1;
    for (size_t c = 0; c < plan->n_components; c++)
        for (size_t i = 0; s->has[c] && i < plan->component[c].shape.n; i++) {
            s->mode[s->n_slots] = (struct hl_strand_mode){plan->component[c].offset + i, c, i};
            s->slot[plan->component[c].state[i]] = (int)s->n_slots++;
        }
    s->n_modes = s->n_slots;
}

/* The strand of the outputs that depend on the same components as output number `first` of the list. */
static bool strand_init(struct hl_strand *s, const struct hl_plan *plan, const int *output, size_t n_outputs,
                        const unsigned char *watched, size_t first, bool *scratch)
{
    s->plan = plan;
    s->has = hl_alloc(plan->n_components, sizeof *s->has);
    s->slot = hl_alloc(plan->system->n_states, sizeof *s->slot);
    s->output = hl_alloc(n_outputs, sizeof *s->output);
    s->system_output = hl_alloc(n_outputs, sizeof *s->system_output);
    if (!s->has || !s->slot || !s->output || !s->system_output)
        return false;
    mark_components(plan, output[first], s->has);
    for (size_t k = first; k < n_outputs; k++) {
        if (watched[k])
            mark_components(plan, output[k], scratch);
        if (!watched[k] || !same_components(plan, scratch, s->has))
            continue;
        s->output[s->n_outputs] = (int)k;
        s->system_output[s->n_outputs++] = output[k];
    }
    number_states(s);
    struct rows rows = {0};
    s->curve = hl_alloc(s->n_outputs, sizeof *s->curve);
    if (!s->curve)
        return false;
    lay_out(s, &rows);
    rows.room = s->room = hl_alloc(rows.n * HL_LANES, sizeof *s->room);
    rows.n = 0;
    s->order = hl_alloc(s->n_modes * HL_LANES, sizeof *s->order);
    if (!s->room || !s->order)
        return false;
    lay_out(s, &rows);
    return true;
}

static bool is_told(const struct hl_strands *all, size_t k)
{
    for (size_t i = 0; i < all->n; i++)
        for (size_t o = 0; o < all->strand[i].n_outputs; o++)
            if (all->strand[i].output[o] == (int)k)
                return true;
    return false;
}

struct hl_strands *hl_strands_create(const struct hl_plan *plan, const int *output, size_t n_outputs,
                                     const unsigned char *watched)
{
    struct hl_strands *all = hl_alloc(1, sizeof *all);
    bool *scratch = hl_alloc(plan->n_components, sizeof *scratch);
    bool good = all && scratch && (all->strand = hl_alloc(n_outputs, sizeof *all->strand));
    if (good)
        all->plan = plan;
    for (size_t k = 0; good && k < n_outputs; k++)
        if (watched[k] && !is_told(all, k))
            good = strand_init(&all->strand[all->n++], plan, output, n_outputs, watched, k, scratch);
    hl_free(scratch);
    if (good)
        return all;
    hl_strands_free(all);
    return NULL;
}

void hl_strands_free(struct hl_strands *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++) {
        struct hl_strand *s = &all->strand[i];
        void *part[] = {s->has, s->slot, s->output, s->system_output, s->curve, s->room, s->order, s->time, s->value,
                        s->what, s->run, s->zs, s->part_rows, s->from_rows};
        for (size_t k = 0; k < sizeof part / sizeof *part; k++)
            hl_free(part[k]);
    }
    hl_free(all->strand);
    hl_free(all);
}

/* ---- Exponentials */

/* E has the same bits with phi and without. */
static void fill(struct hl_strand *s, struct hl_strand_table *t, bool both)
{
    t->both = both;
    if (!both) {
        hl_strand_times(s->lambda, t->dt, s->n_modes, s->x);
        hl_vector_exp(s->x, t->E, s->n_modes * HL_LANES);
    }
    for (size_t j = 0; both && j < s->n_modes; j++)
        hl_vector_step(s->lambda + j * HL_LANES, t->dt, t->E + j * HL_LANES, t->phi + j * HL_LANES, HL_LANES);
}

static bool is_for(const struct hl_strand_table *t, const double *dt)
{
    return t->full && t->dt[0] == dt[0] && memcmp(t->dt, dt, sizeof t->dt) == 0;
}

static const struct hl_strand_table *table_for(struct hl_strand *s, struct hl_strand_table *table, size_t n,
                                               const double *dt, bool both)
{
    struct hl_strand_table *oldest = table;
    for (size_t k = 0; k < n; k++) {
        if (is_for(&table[k], dt)) {
            table[k].used = ++s->clock;
            if (both && !table[k].both)
                fill(s, &table[k], both);
            return &table[k];
        }
        oldest = table[k].used < oldest->used ? &table[k] : oldest;
    }
    memcpy(oldest->dt, dt, sizeof oldest->dt);
    oldest->full = true;
    oldest->used = ++s->clock;
    fill(s, oldest, both);
    return oldest;
}

void hl_strand_exponentials(struct hl_strand *s, struct hl_strand_table *table, size_t n, const double *dt, bool both,
                            double *E_room, double *phi_room, const double **E, const double **phi)
{
    double whole[HL_LANES] __attribute__((aligned(64))), drift[HL_LANES] __attribute__((aligned(64)));
    bool drifts = hl_strand_split(dt, whole, drift);
    const struct hl_strand_table *t = table_for(s, table, n, whole, both);
    *E = drifts ? E_room : t->E;
    *phi = drifts ? phi_room : t->phi;
    if (drifts)
        hl_strand_drift(t->E, t->phi, s->lambda, drift, s->n_modes, E_room, phi_room);
}

/* ---- From run to run */

static void change_rate(struct hl_strand *s, size_t l, size_t slot, double change)
{
    double *rate = &s->infusion[slot * HL_LANES + l];
    *rate += change;
    if (fabs(*rate) < HL_RATE_GONE * fabs(change))
        *rate = 0;
}

/* What happens to each lane at some time. common: the state that all lanes with an event have a dose into; -1 when
 * nothing happens, -2 when it isn't as simple. */
struct happening {
    struct hl_strand_break what[HL_LANES];
    double value[HL_LANES] __attribute__((aligned(64)));
    int common;
};

/* Break number k[l] of lane l; nothing in lanes that aren't in flag. */
static void look_up(const struct hl_strand *s, const size_t *k, const bool *flag, struct happening *h)
{
    h->common = -1;
    for (size_t l = 0; l < HL_LANES; l++) {
        h->what[l] = flag[l] ? s->what[k[l] * HL_LANES + l] : (struct hl_strand_break){-1, HL_EVENT_ADD};
        h->value[l] = flag[l] ? s->value[k[l] * HL_LANES + l] : 0;
        if (h->what[l].kind != HL_EVENT_ADD || (h->what[l].slot >= 0 && h->common >= 0 && h->common != h->what[l].slot))
            h->common = -2;
        else if (h->what[l].slot >= 0 && h->common == -1)
            h->common = h->what[l].slot;
    }
}

static void apply(struct hl_strand *s, const struct happening *h, double *z)
{
    bool renew = false;
    if (h->common >= 0)
        hl_strand_add(z, s->W + (size_t)h->common * s->n_modes * HL_LANES, h->value, s->n_modes);
    for (size_t l = 0; h->common == -2 && l < HL_LANES; l++) {
        int slot = h->what[l].slot;
        bool rate = slot >= 0 && h->what[l].kind == HL_EVENT_RATE;
        renew = renew || rate;
        if (rate)
            change_rate(s, l, (size_t)slot, h->value[l]);
        for (size_t j = 0; slot >= 0 && !rate && j < s->n_modes; j++)
            z[j * HL_LANES + l] += s->W[((size_t)slot * s->n_modes + j) * HL_LANES + l] * h->value[l];
    }
    if (renew)
        s->infused = hl_strand_renew_inputs(s) || s->infused;
}

static enum hl_status reserve_amplitudes(struct hl_strand *s, size_t n)
{
    if (n <= s->z_capacity)
        return HL_OK;
    size_t row = s->n_modes * HL_LANES;
    double *grown = hl_grow(s->zs, s->z_capacity * row, 2 * n * row, sizeof *grown);
    s->zs = grown ? grown : s->zs;
    double *parts = hl_grow(s->part_rows, s->z_capacity * HL_STRAND_PART_ROWS * HL_LANES,
                            2 * n * HL_STRAND_PART_ROWS * HL_LANES, sizeof *parts);
    s->part_rows = parts ? parts : s->part_rows;
    double *from = hl_grow(s->from_rows, s->z_capacity * 2 * HL_LANES, 2 * n * 2 * HL_LANES, sizeof *from);
    s->from_rows = from ? from : s->from_rows;
    if (!grown || !parts || !from)
        return HL_ERR_MEMORY;
    s->z_capacity = 2 * n;
    return HL_OK;
}

/* Which stretches are the r-th run of each lane, and how long they are; *any: some of them last. */
static enum hl_status look_ahead(struct hl_strand *s, size_t r, bool *any)
{
    s->most_alike = 0;
    s->abreast = true;
    *any = false;
    for (size_t l = 0; l < HL_LANES; l++) {
        bool some = r < s->n_runs[l];
        struct hl_strand_run run = some ? s->run[r * HL_LANES + l] : (struct hl_strand_run){s->n[l], 0};
        s->first_alike[l] = run.first;
        s->n_alike[l] = run.n;
        s->abreast = s->abreast && run.first == s->first_alike[0] && run.n == s->n_alike[0];
        s->most_alike = run.n > s->most_alike ? run.n : s->most_alike;
        s->whole[l] = some ? hl_strand_begin(s, l, 1) - hl_strand_begin(s, l, 0) : 0;
        *any = *any || s->whole[l] > 0;
    }
    return reserve_amplitudes(s, s->most_alike);
}

/* Lanes whose run has more than i stretches. */
static void goes_on(const struct hl_strand *s, size_t i, bool *flag)
{
    for (size_t l = 0; l < HL_LANES; l++)
        flag[l] = i < s->n_alike[l];
}

/* The number of stretches up to which all lanes that have any at all have some; 0 when there are no such lanes. */
static size_t least_alike(const struct hl_strand *s)
{
    size_t least = s->most_alike;
    for (size_t l = 0; l < HL_LANES; l++)
        least = s->n_alike[l] > 0 && s->n_alike[l] < least ? s->n_alike[l] : least;
    return least;
}

/* Stretch number i, in which some lanes have come to the end of their runs, or something else than one dose happens. */
static void carry_one(struct hl_strand *s, size_t i, const struct happening *h)
{
    size_t n = s->n_modes;
    double *z = s->zs + i * n * HL_LANES;
    bool flag[HL_LANES];
    hl_strand_hop(z - n * HL_LANES, s->infused ? s->g : NULL, s->E_whole, s->phi_whole, n, z);
    apply(s, h, z);
    goes_on(s, i, flag);
    for (size_t l = 0; l < HL_LANES; l++)
        for (size_t j = l; j < n * HL_LANES; j += HL_LANES) {
            s->z_sum[j] += flag[l] ? z[j] : 0;
            z[j] = flag[l] ? z[j] : z[j - n * HL_LANES];
        }
}

/* Amplitudes at the beginnings of the run's stretches, from the first one's; in the end those of the last. And their
 * sums. */
static void carry(struct hl_strand *s)
{
    bool flag[HL_LANES];
    struct happening h;
    goes_on(s, 1, flag);
    look_up(s, s->first_alike, flag, &h);
    size_t i = h.common >= 0 ? least_alike(s) : 1;
    memcpy(s->z_sum, s->zs, s->n_modes * HL_LANES * sizeof *s->zs);
    if (i > 1)
        hl_strand_carry(s, s->W + (size_t)h.common * s->n_modes * HL_LANES, h.value, i);
    for (; i < s->most_alike; i++)
        carry_one(s, i, &h);
}

/* Behind the run. */
static void leave(struct hl_strand *s, bool any)
{
    size_t last[HL_LANES], row = s->n_modes * HL_LANES;
    bool flag[HL_LANES];
    struct happening h;
    const double *z = s->zs + (s->most_alike - 1) * row;
    if (any)
        hl_strand_hop(z, s->infused ? s->g : NULL, s->E_whole, s->phi_whole, s->n_modes, s->zs);
    goes_on(s, 0, flag);
    for (size_t l = 0; l < HL_LANES; l++)
        last[l] = flag[l] ? s->first_alike[l] + s->n_alike[l] - 1 : 0;
    look_up(s, last, flag, &h);
    apply(s, &h, s->zs);
}

static enum hl_status walk(struct hl_strand *s, size_t first, hl_stretch_fn tell, void *context)
{
    struct hl_stretch stretch = {.first = first, .t0 = s->t0, .t1 = s->t1, .length = s->length,
                                 .n_alike = s->n_alike, .n_outputs = s->n_outputs, .output = s->output,
                                 .kind = &hl_strand_kind, .inside = s};
    size_t most = 0;
    for (size_t l = 0; l < HL_LANES; l++)
        most = s->n_runs[l] > most ? s->n_runs[l] : most;
    for (size_t r = 0; r < most; r++) {
        static const size_t number_0[HL_LANES];
        bool any;
        if (look_ahead(s, r, &any) != HL_OK)
            return HL_ERR_MEMORY;
        if (any) {
            hl_strand_exponentials(s, s->hop, HL_STRAND_HOPS, s->whole, true, s->E_length, s->phi_length, &s->E_whole,
                                   &s->phi_whole);
            carry(s);
            stretch.most_alike = s->most_alike;
            memset(s->index, 0xff, sizeof s->index); /* of no stretch */
            hl_strand_kind.turn_to(&stretch, number_0);
            tell(context, &stretch);
        }
        leave(s, any);
    }
    return HL_OK;
}

enum hl_status hl_strands_tell(struct hl_strands *all, const struct hl_subjects *subjects, const double *regs,
                               size_t first, double stop, const double *edge, size_t n_edges, hl_stretch_fn tell,
                               void *context)
{
    for (size_t i = 0; i < all->n; i++) {
        struct hl_strand *s = &all->strand[i];
        enum hl_status status = reserve_amplitudes(s, 1);
        if (status == HL_OK)
            status = hl_strand_begin_group(s, subjects, regs, first, stop, edge, n_edges);
        if (status == HL_OK)
            status = walk(s, first, tell, context);
        if (status != HL_OK)
            return status;
        hl_strand_follow(&s->walks, s->n_modes);
    }
    return HL_OK;
}
