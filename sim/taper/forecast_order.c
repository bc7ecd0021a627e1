/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether bounds over many schedules can be had (forecast_envelope.c), constraint by constraint.
 *
 * What is exact: compartments. Linear states keep their order, x <= x* now means x <= x* ever after under the same
 * doses, when no rate off the diagonal of A is negative and no unit course takes anything away; both are looked at for
 * every subject.
 *
 * What is sampled: signs. For bounds, each rate f_i of a state that isn't linear must rise or fall with every argument
 * other than z_i itself, always the same way, and so must the output (Mueller 1927, Math Z 26:619; Smith 1995, Monotone
 * dynamical systems). The slopes are exact (forward differentiation), but they are looked at along trajectories only:
 * everybody going on as before, stopping at once, and taking the middle rung, and at points mixed of the x of one time
 * and the z of another, as bounds have them. That is evidence, not proof, and is told as such with the number of
 * points. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "taper/forecast_parts.h"

#define LANES HL_FORECAST_LANES
#define ROW_BYTES (LANES * sizeof(double))
#define SAMPLES 24   /* of each trajectory */
#define SPAN 672.0   /* how long one is followed, about [h] */

/* What was seen of one slope: the first subject and time it rose, and fell. */
struct seen { uint64_t rises, falls; double rises_at, falls_at; };

struct order {
    struct hl_forecast *f;
    struct hl_forecast_room *room;
    size_t n_arguments;
    struct seen *output;         /* [constraint][argument] */
    struct seen *rate;           /* [z][argument] */
    double *kept; size_t n_kept; /* x and z of samples */
    uint64_t points;
    double fastest; uint64_t fastest_subject; size_t fastest_state; /* |df_i/dz_i| [1/h] */
};

static const char *argument_name(const struct order *o, size_t j)
{
    const struct hl_forecast_system *s = &o->f->system;
    int state = j < s->n ? s->state[j] : s->integrated[j - s->n];
    return state < 0 ? "1" : s->system->state[state].name;
}

static int argument_row(const struct hl_forecast_system *s, size_t j)
{
    return j < s->n ? s->x_row[j] : s->z_row[j - s->n];
}

static void note(const struct order *o, struct seen *seen, const double *slope, double time)
{
    const struct hl_forecast_block *block = o->room->block;
    for (size_t l = 0; l < block->n; l++) {
        if (block->failed[l])
            continue;
        if (slope[l] > 0 && !seen->rises) {
            seen->rises = block->first + l;
            seen->rises_at = time;
        }
        if (slope[l] < 0 && !seen->falls) {
            seen->falls = block->first + l;
            seen->falls_at = time;
        }
    }
}

static void note_speed(struct order *o, size_t i, const double *slope)
{
    const struct hl_forecast_block *block = o->room->block;
    for (size_t l = 0; l < block->n; l++)
        if (!block->failed[l] && fabs(slope[l]) > o->fastest) {
            o->fastest = fabs(slope[l]);
            o->fastest_subject = block->first + l;
            o->fastest_state = i;
        }
}

/* All slopes at a point. */
static void look(struct order *o, double time, const double *x, const double *z)
{
    const struct hl_forecast_system *s = &o->f->system;
    struct hl_forecast_room *r = o->room;
    for (size_t j = 0; j < o->n_arguments; j++)
        if (argument_row(s, j) >= 0) {
            memcpy(ROW_OF(r->file, argument_row(s, j)), j < s->n ? ROW_OF(x, j) : ROW_OF(z, j - s->n), ROW_BYTES);
            memset(ROW_OF(r->dfile, argument_row(s, j)), 0, ROW_BYTES);
        }
    for (size_t l = 0; s->time_row >= 0 && l < LANES; l++) {
        ROW_OF(r->file, s->time_row)[l] = time;
        ROW_OF(r->dfile, s->time_row)[l] = 0;
    }
    for (size_t j = 0; j < o->n_arguments; j++) {
        int row = argument_row(s, j);
        if (row < 0)
            continue;
        for (size_t l = 0; l < LANES; l++)
            ROW_OF(r->dfile, row)[l] = 1;
        hl_forecast_dual_run(&s->rates_dual, r->file, r->dfile);
        for (size_t i = 0; i < s->m; i++)
            if (j == s->n + i)
                note_speed(o, i, ROW_OF(r->dfile, s->dz_row[i]));
            else
                note(o, &o->rate[i * o->n_arguments + j], ROW_OF(r->dfile, s->dz_row[i]), time);
        hl_forecast_dual_run(&s->outputs_dual, r->file, r->dfile);
        for (size_t c = 0; c < o->f->problem->n_constraints; c++)
            note(o, &o->output[c * o->n_arguments + j], ROW_OF(r->dfile, s->y_row[c]), time);
        memset(ROW_OF(r->dfile, row), 0, ROW_BYTES);
    }
    o->points += r->block->n;
}

/* Follows a rung from day 0 and keeps samples. */
static void follow(struct order *o, const struct hl_taper_rung *rung)
{
    const struct hl_forecast *f = o->f;
    const struct hl_forecast_system *s = &f->system;
    struct hl_forecast_room *r = o->room;
    size_t steps = (size_t)ceil(SPAN / f->grid.period) * f->grid.n, every = steps / SAMPLES + 1;
    hl_forecast_room_start(r);
    for (size_t k = 0; k < steps; k++) {
        if (k % f->grid.n == 0)
            hl_forecast_put_rung(r, NULL, rung);
        hl_forecast_regular(r);
        if (k % every != every / 2)
            continue;
        memcpy(ROW_OF(o->kept, o->n_kept * o->n_arguments), r->x, s->n * ROW_BYTES);
        memcpy(ROW_OF(o->kept, o->n_kept * o->n_arguments + s->n), r->z, s->m * ROW_BYTES);
        o->n_kept++;
    }
}

/* Points of one block: those kept, and each x with the z of another. */
static void sample_block(struct order *o, const struct hl_forecast_block *block)
{
    const struct hl_taper_problem *p = o->f->problem;
    hl_forecast_room_enter(o->room, block);
    o->n_kept = 0;
    follow(o, NULL);
    follow(o, &p->rung[0]);
    follow(o, &p->rung[p->n_rungs / 2]);
    for (size_t k = 0; k < o->n_kept; k++)
        for (size_t shift = 0; shift < 3; shift++) {
            size_t other = (k + shift * (o->n_kept / 3 + 1)) % o->n_kept;
            look(o, o->room->time, ROW_OF(o->kept, k * o->n_arguments),
                 ROW_OF(o->kept, other * o->n_arguments + o->f->system.n));
        }
}

/* ---- What follows. */

static bool is_mixed(const struct seen *seen)
{
    return seen->rises && seen->falls;
}

static const char *mixed_text(const struct order *o, const char *what, size_t j, const struct seen *seen)
{
    return hl_arena_printf(o->f->arena, "%s rises with %s in subject %" PRIu64 " and falls with it in subject %" PRIu64,
                           what, argument_name(o, j), seen->rises, seen->falls);
}

/* Why linear states don't keep their order, or NULL. */
static const char *linear_fault(const struct order *o)
{
    const struct hl_forecast *f = o->f;
    const struct hl_forecast_system *s = &f->system;
    for (size_t b = 0; b < f->n_blocks; b++)
        for (size_t l = 0; l < f->block[b].n; l++) {
            const struct hl_forecast_block *block = &f->block[b];
            for (size_t k = 0; k < s->n_entries; k++)
                if (s->entry[k].row != s->entry[k].col && s->state[s->entry[k].col] >= 0
                    && ROW_OF(block->rate, k)[l] < 0)
                    return hl_arena_printf(f->arena, "%s falls with %s in subject %" PRIu64,
                                           argument_name(o, (size_t)s->entry[k].row),
                                           argument_name(o, (size_t)s->entry[k].col), block->first + l);
            for (size_t q = 0; q < f->n_streams; q++)
                for (size_t k = 0; k < block->stream[q].n; k++)
                    for (size_t i = 0; i < s->n; i++)
                        if (ROW_OF(block->stream[q].entry[k].v, i)[l] < 0)
                            return hl_arena_printf(f->arena, "a dose takes something away from %s in subject %" PRIu64,
                                                   argument_name(o, i), block->first + l);
        }
    return NULL;
}

static const char *rates_fault(const struct order *o)
{
    const struct hl_forecast_system *s = &o->f->system;
    for (size_t i = 0; i < s->m; i++)
        for (size_t j = 0; j < o->n_arguments; j++) {
            const struct seen *seen = &o->rate[i * o->n_arguments + j];
            if (is_mixed(seen))
                return mixed_text(o, hl_arena_printf(o->f->arena, "the rate of change of %s",
                                                     s->system->state[s->integrated[i]].name), j, seen);
        }
    return NULL;
}

static const char *output_fault(const struct order *o, size_t c)
{
    for (size_t j = 0; j < o->n_arguments; j++)
        if (is_mixed(&o->output[c * o->n_arguments + j]))
            return mixed_text(o, o->f->system.system->output[o->f->problem->constraint[c].output].name, j,
                              &o->output[c * o->n_arguments + j]);
    return NULL;
}

static const char *signs_text(const struct order *o, const struct seen *seen, const char *what)
{
    const char *text = what;
    for (size_t j = 0; j < o->n_arguments; j++)
        if (seen[j].rises || seen[j].falls)
            text = hl_arena_printf(o->f->arena, "%s%s %s with %s", text, text == what ? "" : ",",
                                   seen[j].rises ? "rises" : "falls", argument_name(o, j));
    return text == what ? hl_arena_printf(o->f->arena, "%s moves with nothing", what) : text;
}

static void conclude(struct order *o)
{
    struct hl_forecast *f = o->f;
    const struct hl_forecast_system *s = &f->system;
    const char *fault = linear_fault(o), *rates = "";
    fault = fault ? fault : rates_fault(o);
    for (size_t k = 0; k < s->m * o->n_arguments; k++)
        f->rate_sign[k] = (signed char)(o->rate[k].falls ? -1 : o->rate[k].rises ? 1 : 0);
    for (size_t i = 0; i < s->m; i++)
        rates = hl_arena_printf(f->arena, "%s; %s", rates, signs_text(o, o->rate + i * o->n_arguments,
                                hl_arena_printf(f->arena, "the rate of %s", s->system->state[s->integrated[i]].name)));
    for (size_t c = 0; c < f->problem->n_constraints; c++) {
        for (size_t j = 0; j < o->n_arguments; j++) {
            const struct seen *seen = &o->output[c * o->n_arguments + j];
            f->output_sign[c * o->n_arguments + j] = (signed char)(seen->falls ? -1 : seen->rises ? 1 : 0);
        }
        const char *why = fault ? fault : output_fault(o, c);
        f->monotone[c] = why == NULL;
        f->why_not[c] = why ? why : "";
        f->assumption[c] = why ? "" : hl_arena_printf(
            f->arena, "linear states keep their order (checked for every subject); assumed from the signs of slopes at "
            "%" PRIu64 " points of the cohort's trajectories: %s%s", o->points,
            signs_text(o, o->output + c * o->n_arguments,
                       s->system->output[f->problem->constraint[c].output].name), rates);
    }
}

#define MOST_TURN 0.5 /* of a state's own rate times the longest step: beyond, the corrector loses its order */

static bool is_slow_enough(const struct order *o, struct hl_diag *diag)
{
    const struct hl_forecast *f = o->f;
    if (o->fastest * f->grid.longest <= MOST_TURN || f->system.m == 0)
        return true;
    hl_diag_error(diag, f->problem->constraint[0].pos, "%s, on which what is to be kept depends, changes within %.2g h "
                  "in subject %" PRIu64 ", too fast for a forecast's steps of up to %g h; choose an output without it",
                  f->system.system->state[f->system.integrated[o->fastest_state]].name, 1 / o->fastest,
                  o->fastest_subject, f->grid.longest);
    return false;
}

bool hl_forecast_order(struct hl_forecast *f, struct hl_diag *diag)
{
    struct order o = {.f = f, .n_arguments = f->system.n + f->system.m};
    size_t n_c = f->problem->n_constraints, n = o.n_arguments;
    f->output_sign = hl_arena_alloc(f->arena, n_c * n, 1);
    f->rate_sign = hl_arena_alloc(f->arena, f->system.m * n, 1);
    o.output = hl_arena_alloc(f->arena, n_c * n, sizeof *o.output);
    o.rate = hl_arena_alloc(f->arena, f->system.m * n, sizeof *o.rate);
    o.room = hl_forecast_room_create(f);
    o.kept = hl_alloc(3 * (SAMPLES + 1) * n + 1, ROW_BYTES);
    bool good = o.room && o.kept;
    for (size_t b = 0; good && b < f->n_blocks; b++)
        sample_block(&o, &f->block[b]);
    hl_free(o.kept);
    hl_forecast_room_free(o.room);
    if (!good) {
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(HL_ERR_MEMORY));
        return false;
    }
    conclude(&o);
    return is_slow_enough(&o, diag);
}
