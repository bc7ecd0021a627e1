/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about a whole run of stretches (stretch.h), eight lanes side by side.
 *
 * When the same dose comes again and again after the same time L, the amplitudes at the beginnings of two neighbouring
 * stretches differ by d e^(lambda L i), i counting the stretches. So y changes from one stretch to the next by D(t) =
 * sum of V_j d_j e^(lambda_j t), t = L i + s, which is a sum of exponentials of the time since the run began. When the
 * rule of signs (strand_rows.c) tells that D has one sign, y rises, or falls, from stretch to stretch at every offset:
 * of all stretches one has the maximum, one the minimum, and all values lie between those of the first and the last.
 *
 * Where y passes a level in each stretch follows from the values and slopes at the ends, if the curve turns no more
 * than once, or twice at a dip and a maximum; the places themselves from Taylor series around where the last ones were
 * (strand_run_rows.c), which follow them through the run. What isn't as simple is said to be hard, and is looked at
 * stretch by stretch. */
#include "solve/strand_parts.h"

#include <string.h>

#define FOLLOWS 2 /* times a place follows the root of a row by its series, before other means are tried */

typedef double row[HL_LANES] __attribute__((aligned(64)));

/* Amplitudes of lanes that are at different numbers of their runs. */
static void mix(struct hl_strand *s)
{
    size_t n = s->n_modes * HL_LANES;
    for (size_t l = 0; l < HL_LANES; l++) {
        size_t i = s->index[l] < s->most_alike ? s->index[l] : s->most_alike - 1;
        for (size_t j = l; j < n; j += HL_LANES)
            s->z_mixed[j] = s->zs[i * n + j];
    }
    s->z = s->z_mixed;
}

/* Lane by lane. */
static void turn_lanes(struct hl_strand *s)
{
    const size_t *index = s->index;
    size_t common = SIZE_MAX;
    bool same = true;
    for (size_t l = 0; l < HL_LANES; l++) {
        bool there = index[l] < s->n_alike[l];
        same = same && (!there || common == SIZE_MAX || index[l] == common);
        common = there ? index[l] : common;
        s->t0[l] = hl_strand_begin(s, l, there ? index[l] : s->n_alike[l]);
        s->t1[l] = there ? hl_strand_begin(s, l, index[l] + 1) : s->t0[l];
        s->length[l] = there ? s->whole[l] : 0;
    }
    if (same)
        s->z = s->zs + (common < s->most_alike ? common : 0) * s->n_modes * HL_LANES;
    else
        mix(s);
}

void hl_strand_run_turn_to(const struct hl_stretch *stretch, const size_t *index)
{
    struct hl_strand *s = stretch->inside;
    size_t i = index[0], at = s->first_alike[0] + i;
    if (memcmp(index, s->index, sizeof s->index) == 0)
        return;
    memcpy(s->index, index, sizeof s->index);
    bool together = s->abreast && i < s->most_alike;
    for (size_t l = 1; l < HL_LANES; l++)
        together = together && index[l] == i;
    if (together) {
        hl_strand_stand(s, at > 0 ? s->time + (at - 1) * HL_LANES : s->start, s->time + at * HL_LANES);
        s->z = s->zs + i * s->n_modes * HL_LANES;
    } else {
        turn_lanes(s);
    }
    for (size_t o = 0; o < s->n_outputs; o++)
        s->curve[o].open = false;
}

double hl_strand_run_begin(const struct hl_stretch *stretch, size_t l, size_t i)
{
    return hl_strand_begin(stretch->inside, l, i);
}

void hl_strand_run_trend(const struct hl_stretch *stretch, size_t k, double *rising)
{
    const struct hl_strand *s = stretch->inside;
    if (s->most_alike > 1)
        hl_strand_trend(s->curve[k].V, s->zs, s->zs + s->n_modes * HL_LANES, s->n_modes, rising);
    for (size_t l = 0; l < HL_LANES; l++)
        rising[l] = s->n_alike[l] > 1 ? rising[l] : -1;
}

/* The sum over the run of the amplitudes counts; inputs are the same in all its stretches. */
void hl_strand_run_area(const struct hl_stretch *stretch, size_t k, double *sum)
{
    struct hl_strand *s = stretch->inside;
    const struct hl_strand_curve *curve = &s->curve[k];
    row steady;
    for (size_t l = 0; l < HL_LANES; l++)
        steady[l] = curve->offset[l] * s->whole[l] * (double)s->n_alike[l];
    if (s->infused)
        hl_strand_psi(s->lambda, s->whole, s->phi_whole, s->n_modes, s->x);
    for (size_t j = 0; s->infused && j < s->n_modes; j++)
        for (size_t l = 0; l < HL_LANES; l++)
            steady[l] += (double)s->n_alike[l] * curve->V[j * HL_LANES + l] * s->g[j * HL_LANES + l]
                         * s->x[j * HL_LANES + l];
    hl_strand_run(steady, curve->V, s->phi_whole, NULL, NULL, s->z_sum, s->n_modes, 1, 1, s->E, sum);
}

void hl_strand_run_values(const struct hl_stretch *stretch, size_t k, const double *offset, size_t first, size_t n,
                          double unit, double *y)
{
    struct hl_strand *s = stretch->inside;
    const struct hl_strand_curve *curve = &s->curve[k];
    const double *E, *phi;
    hl_strand_exponentials(s, s->look, HL_STRAND_LOOKS, offset, s->infused, s->E, s->phi, &E, &phi);
    hl_strand_run(curve->offset, curve->V, E, s->infused ? s->g : NULL, phi, s->zs + first * s->n_modes * HL_LANES,
                  s->n_modes, n, unit, s->x, y);
}

/* What is looked for in a run: a turning point, or where y passes the level. */
struct quest {
    bool turn;
    double side;                 /* of the slope, of y'' */
    const double *level;         /* turn: y is told less this too */
    const double *wanted, *low, *high; /* rows; low, high NULL: 0, the end */
    struct hl_strand_place *place;
    double *root, *y;            /* rows: found */
};

/* Where a turning point can't be: lanes that fall at first have their maximum behind the dip's place, the minimum
 * before it. */
static void bracket_turn(const struct hl_strand *s, const struct hl_strand_curve *curve, double side,
                         struct hl_strand_search *search)
{
    for (size_t l = 0; l < HL_LANES; l++) {
        double slope = 0;
        for (size_t j = 0; j < s->n_modes; j++)
            slope += curve->b[j * HL_LANES + l];
        bool dips = slope < 0 && curve->dip.at[l] > 0 && curve->dip.at[l] < s->whole[l];
        search->low[l] = dips && side < 0 ? curve->dip.at[l] : 0;
        search->high[l] = dips && side > 0 ? curve->dip.at[l] : s->whole[l];
    }
}

/* Row i of a quest, in lanes of lack, with all means. */
static void search_row(struct hl_strand *s, struct hl_strand_curve *curve, const struct quest *quest, size_t i,
                       const double *lack)
{
    row crest, y_low, y_high;
    struct hl_strand_search search = {.y_low = y_low, .y_high = y_high};
    hl_strand_fill(s, s->zs + i * s->n_modes * HL_LANES, curve, crest);
    for (size_t l = 0; l < HL_LANES; l++) {
        search.wanted[l] = lack[l];
        search.low[l] = quest->low ? quest->low[i * HL_LANES + l] : 0;
        search.high[l] = quest->high ? quest->high[i * HL_LANES + l] : s->whole[l];
        search.side[l] = quest->side;
        y_low[l] = search.low[l] > 0 ? crest[l] : curve->left[l];
        y_high[l] = search.high[l] < s->whole[l] ? crest[l] : curve->right[l];
    }
    if (quest->turn)
        bracket_turn(s, curve, quest->side, &search);
    hl_strand_find_root(s, curve, quest->turn ? NULL : quest->level, &search, quest->place);
    for (size_t l = 0; l < HL_LANES; l++)
        if (lack[l] != 0) {
            quest->root[i * HL_LANES + l] = search.s[l];
            quest->y[i * HL_LANES + l] = search.y[l] - quest->level[l];
        }
}

/* Moves the place of lanes that lack their root of row i to where it seems to be; takes lanes in which it can't be
 * there out of lack and puts them into lost. */
static void follow_root(struct hl_strand *s, const struct quest *quest, size_t i, double *lack, const double *seen,
                        double *lost)
{
    row target;
    for (size_t l = 0; l < HL_LANES; l++) {
        double low = quest->low ? quest->low[i * HL_LANES + l] : 0;
        double high = quest->high ? quest->high[i * HL_LANES + l] : s->whole[l];
        bool inside = lack[l] != 0 && seen[l] > low && seen[l] < high;
        lost[l] = lack[l] != 0 && !inside ? 1 : 0;
        lack[l] = inside ? 1 : 0;
        target[l] = inside ? seen[l] : 0;
    }
    if (hl_strand_is_any(lack))
        hl_strand_move_place(s, quest->place, target, lack);
}

/* Goes through the run by the series around the place, which follows the root where it gets too far. What a lane gets
 * in a row, and where its place is then, doesn't depend on how often the row is tried for the others. */
static void pursue(struct hl_strand *s, struct hl_strand_curve *curve, const struct quest *quest)
{
    row lack, seen, lost, skip = {0};
    int rounds = 0;
    for (size_t i = 0, next; i < s->most_alike; i = next) {
        hl_strand_expand(s, curve, quest->place, quest->level, &s->series);
        next = hl_strand_solve(s, quest->place, &s->series, quest->turn, quest->side, i, skip, quest->wanted,
                               quest->low, quest->high, quest->root, quest->y, lack, seen);
        if (next == s->most_alike)
            return;
        if (next > i)
            memset(skip, 0, sizeof skip);
        rounds = next > i ? 0 : rounds + 1;
        if (rounds < FOLLOWS)
            follow_root(s, quest, next, lack, seen, lost);
        else
            memcpy(lost, lack, sizeof lost);
        if (hl_strand_is_any(lost))
            search_row(s, curve, quest, next, lost);
        for (size_t l = 0; l < HL_LANES; l++)
            skip[l] = lost[l] != 0 ? 1 : skip[l];
    }
}

static void pursue_turns(struct hl_strand *s, struct hl_strand_curve *curve, const double *level,
                         struct hl_strand_parts *parts)
{
    struct quest top = {.turn = true, .side = -1, .level = level, .wanted = parts->top, .place = &curve->peak,
                        .root = parts->root, .y = parts->y};
    struct quest bottom = {.turn = true, .side = 1, .level = level, .wanted = parts->bottom, .place = &curve->hollow,
                           .root = parts->root, .y = parts->y};
    if (parts->any_top) {
        pursue(s, curve, &top);
        hl_strand_judge_tops(s, parts);
    }
    if (parts->any_bottom) {
        pursue(s, curve, &bottom);
        hl_strand_judge_bottoms(s, parts);
    }
}

struct hl_strand_parts hl_strand_part_rows(const struct hl_strand *s, double *from, double *to, double *hard)
{
    size_t size = s->z_capacity * HL_LANES;
    double *room = s->part_rows;
    return (struct hl_strand_parts){.from = from, .to = to, .hard = hard, .rises = room, .falls = room + size,
                                    .rise_to = room + 2 * size, .fall_from = room + 3 * size, .top = room + 4 * size,
                                    .bottom = room + 5 * size, .root = room + 6 * size, .y = room + 7 * size};
}

void hl_strand_judge_levels(struct hl_strand *s, struct hl_strand_curve *curve, const double *level,
                            const double *wanted, struct hl_strand_parts *parts)
{
    row n_alike;
    for (size_t l = 0; l < HL_LANES; l++)
        n_alike[l] = (double)s->n_alike[l];
    hl_strand_levels(s, curve, level, wanted, n_alike, parts);
    pursue_turns(s, curve, level, parts);
}

void hl_strand_pursue_crossings(struct hl_strand *s, struct hl_strand_curve *curve, const double *level,
                                struct hl_strand_parts *parts)
{
    size_t number = hl_strand_level_number(level);
    struct quest rise = {.side = 1, .level = level, .wanted = parts->rises, .high = parts->rise_to,
                         .place = &curve->rise[number], .root = parts->from, .y = parts->y};
    struct quest fall = {.side = -1, .level = level, .wanted = parts->falls, .low = parts->fall_from,
                         .place = &curve->fall[number], .root = parts->to, .y = parts->y};
    pursue(s, curve, &rise);
    pursue(s, curve, &fall);
    curve->open = false;
}

void hl_strand_run_parts(const struct hl_stretch *stretch, size_t k, const double *level, const double *wanted,
                         double *from, double *to, double *hard)
{
    struct hl_strand *s = stretch->inside;
    struct hl_strand_parts parts = hl_strand_part_rows(s, from, to, hard);
    hl_strand_judge_levels(s, &s->curve[k], level, wanted, &parts);
    hl_strand_pursue_crossings(s, &s->curve[k], level, &parts);
}
