/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about an output on a stretch: eight sums of exponentials side by side.
 *
 * Turning points are zeros of y' = sum b_j e^(lambda_j s). Laguerre's rule (strand_rows.c) tells for nearly every curve
 * that there is none or, with the signs of y' at the ends, just one. For the others the stretch is cut at a few nodes.
 * Budan and Fourier's rule, which holds for any chain in which each function follows from the one before by division by
 * an exponential, differentiation and multiplication (Rolle), tells for a part: with
 *     f_0 = y',  f_{k+1} = f_k' - lambda_{n-k} f_k        (kills the fastest mode that is left)
 * and V(s) the number of changes of sign in f_0(s), f_1(s) ... f_{n-1}(s), there are at most V(p) - V(q) zeros in (p,
 * q). Where V falls without a zero, the sums of the modes' smallest and largest values tell that there is none. Nodes
 * are found by halving and kept, because a regular course of doses makes curves of one kind. A zero between two nodes
 * is then found by Newton's iteration, safeguarded by its bracket, begun where the lane's last one was. The rules
 * never miss a turning point that stands out from rounding. */
#include "solve/strand_parts.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/vector.h"

#define ROUNDS 100       /* at most, of Newton's iteration; every eighth halves the bracket */
#define CLOSE 1e-5       /* a step this short, in units of the fastest mode's time, was the last: 1e-10 is left */
#define APPROACHES 2     /* new places for a series before iteration begins */
#define MOST_HALVINGS 24 /* of a stretch, in search of nodes */
#define DIP 2.5          /* how far beyond the first guess of a minimum the place stands that tells it apart */
#define RIDGE 0.85       /* where the place before a maximum stands, as a fraction of the maximum's offset, ... */
#define RIDGE_LEAST 0.7  /* ... and where it may stand */
#define RIDGE_MOST 0.95

typedef double row[HL_LANES] __attribute__((aligned(64)));

/* Exponentials at offsets that won't come again. */
static void exponentials_at(struct hl_strand *s, const double *offset, bool both)
{
    if (!both) {
        hl_strand_times(s->lambda, offset, s->n_modes, s->x);
        hl_vector_exp(s->x, s->E, s->n_modes * HL_LANES);
    }
    for (size_t j = 0; both && j < s->n_modes; j++)
        hl_vector_step(s->lambda + j * HL_LANES, offset, s->E + j * HL_LANES, s->phi + j * HL_LANES, HL_LANES);
}

/* Moves a place to other offsets in lanes of mask. */
void hl_strand_move_place(struct hl_strand *s, struct hl_strand_place *place, const double *offset, const double *mask)
{
    exponentials_at(s, offset, s->infuses);
    for (size_t l = 0; l < HL_LANES; l++)
        place->at[l] = mask[l] != 0 ? offset[l] : place->at[l];
    hl_strand_take(s->E, mask, s->n_modes, place->E);
    if (s->infuses)
        hl_strand_take(s->phi, mask, s->n_modes, place->phi);
}

/* Lanes that fall at both ends may have a minimum soon: a place for telling it apart, at a multiple of where a parabola
 * would have it. */
static void place_dips(struct hl_strand *s, struct hl_strand_curve *curve, const double *length)
{
    row mask, offset;
    for (size_t l = 0; l < HL_LANES; l++) {
        bool may = curve->turns[l] == HL_TURNS_UNKNOWN && curve->slope[l] < 0 && curve->slope_right[l] < 0
                   && curve->bend[l] > 0 && length[l] > 0; /* an empty stretch is there for others only */
        double guess = may ? -DIP * curve->slope[l] / curve->bend[l] : 0;
        mask[l] = may ? 1 : 0;
        offset[l] = guess < 0.5 * length[l] ? guess : 0.5 * length[l];
    }
    hl_strand_move_place(s, &curve->dip, offset, mask);
}

static struct hl_strand_curve *curve_of(const struct hl_stretch *stretch, size_t k)
{
    struct hl_strand *s = stretch->inside;
    struct hl_strand_curve *curve = &s->curve[k];
    if (!curve->open && hl_strand_open(s, curve)) {
        place_dips(s, curve, stretch->length);
        hl_strand_open(s, curve);
    }
    curve->open = true;
    return curve;
}

static const double *gains(const struct hl_strand *s, const struct hl_strand_curve *curve)
{
    return s->infused ? curve->G : NULL;
}

static void ends(const struct hl_stretch *stretch, size_t k, double *left, double *right)
{
    const struct hl_strand_curve *curve = curve_of(stretch, k);
    memcpy(left, curve->left, sizeof(row));
    memcpy(right, curve->right, sizeof(row));
}

static void bounds(const struct hl_stretch *stretch, size_t k, double *low, double *high)
{
    const struct hl_strand_curve *curve = curve_of(stretch, k);
    memcpy(low, curve->low, sizeof(row));
    memcpy(high, curve->high, sizeof(row));
}

static void values(const struct hl_stretch *stretch, size_t k, const double *offset, double *y)
{
    struct hl_strand *s = stretch->inside;
    const struct hl_strand_curve *curve = curve_of(stretch, k);
    const double *E, *phi;
    hl_strand_exponentials(s, s->look, HL_STRAND_LOOKS, offset, s->infused, s->E, s->phi, &E, &phi);
    hl_strand_sum(curve->offset, curve->a, E, gains(s, curve), phi, s->n_modes, y);
}

static void area(const struct hl_stretch *stretch, size_t k, const double *offset, double *sum)
{
    struct hl_strand *s = stretch->inside;
    const struct hl_strand_curve *curve = curve_of(stretch, k);
    const double *E, *phi = s->phi_whole;
    row steady;
    if (offset != stretch->length) /* whose exponentials are there; of length 0 they don't matter */
        hl_strand_exponentials(s, s->look, HL_STRAND_LOOKS, offset, true, s->E, s->phi, &E, &phi);
    for (size_t l = 0; l < HL_LANES; l++)
        steady[l] = curve->offset[l] * offset[l];
    if (s->infused)
        hl_strand_psi(s->lambda, offset, phi, s->n_modes, s->x);
    hl_strand_sum(steady, curve->a, phi, gains(s, curve), s->x, s->n_modes, sum);
}

/* ---- Telling turning points apart */

/* Between low[i] and high[i] of a lane, i < n, y' changes sign just once. */
struct brackets { size_t n[HL_LANES], most; row low[HL_STRAND_MODES], high[HL_STRAND_MODES]; };

static void add_bracket(struct brackets *br, size_t l, double low, double high)
{
    if (br->n[l] == HL_STRAND_MODES)
        return; /* more than there can be */
    br->low[br->n[l]][l] = low;
    br->high[br->n[l]++][l] = high;
    br->most = br->n[l] > br->most ? br->n[l] : br->most;
}

static bool is_odd(double left, double right)
{
    return (left < 0) != (right < 0);
}

/* At most count zeros: are there none, or one, as the signs at the ends say? */
static bool is_plain(double count, double left, double right)
{
    return count <= (is_odd(left, right) ? 2 : 1);
}

/* The cuts that an earlier stretch needed, tried on this one: adds the brackets of lanes in try for which they do, and
 * takes these lanes out of try. */
static void try_nodes(const struct hl_strand *s, const struct hl_strand_curve *curve, const double *length, bool *try,
                      struct brackets *br)
{
    enum { LAST = HL_STRAND_NODES };
    size_t n = s->n_modes;
    row signs[LAST + 2], slope[LAST + 2], low[LAST + 1], high[LAST + 1];
    hl_strand_chain(curve->b, s->lambda, n, s->chain);
    for (size_t q = 0; q < LAST + 2; q++) {
        const double *E = q == 0 ? NULL : q <= LAST ? curve->node_E + (q - 1) * n * HL_LANES : s->E_whole;
        const double *F = q < LAST ? curve->node_E + q * n * HL_LANES : s->E_whole;
        hl_strand_signs(s->chain, E, n, signs[q], slope[q]);
        if (q <= LAST)
            hl_strand_range(curve->b, E, F, n, low[q], high[q]);
    }
    for (size_t l = 0; l < HL_LANES; l++) {
        const double *node = curve->node + l;
        size_t first = LAST - curve->n_nodes[l]; /* nodes before it stand at 0: not needed */
        bool good = try[l] && first < LAST && node[(LAST - 1) * HL_LANES] < length[l];
        slope[first][l] = curve->slope[l];
        slope[LAST + 1][l] = curve->slope_right[l];
        for (size_t q = first; good && q <= LAST; q++)
            good = low[q][l] > 0 || high[q][l] < 0
                   || is_plain(signs[q][l] - signs[q + 1][l], slope[q][l], slope[q + 1][l]);
        for (size_t q = first; good && q <= LAST; q++)
            if (is_odd(slope[q][l], slope[q + 1][l]))
                add_bracket(br, l, q == first ? 0 : node[(q - 1) * HL_LANES],
                            q == LAST ? length[l] : node[q * HL_LANES]);
        try[l] = try[l] && !good;
    }
}

/* One lane of a curve. */
struct thread { size_t n; double b[HL_STRAND_MODES], lambda[HL_STRAND_MODES], slope, slope_right, length; };

/* An offset, the terms of y' and y' there, and the changes of sign of the chain. */
struct knot { double at, term[HL_STRAND_MODES], slope; int signs; };

/* Cuts, ascending. */
struct cuts { size_t n; double at[HL_STRAND_MODES + 2 + MOST_HALVINGS]; };

static int changes_of_sign(const struct thread *t, const double *term)
{
    double f[HL_STRAND_MODES], last = 0;
    int changes = 0;
    memcpy(f, term, t->n * sizeof *f);
    for (size_t left = t->n; left > 0; left--) {
        double sum = 0;
        for (size_t j = 0; j < left; j++)
            sum += f[j];
        changes += (last > 0 && sum < 0) || (last < 0 && sum > 0);
        last = sum != 0 ? sum : last;
        for (size_t j = 0; j + 1 < left; j++)
            f[j] *= t->lambda[j] - t->lambda[left - 1];
    }
    return changes;
}

static struct knot knot_at(const struct thread *t, double at)
{
    struct knot knot = {.at = at};
    for (size_t j = 0; j < t->n; j++) {
        knot.term[j] = t->b[j] * exp(t->lambda[j] * at);
        knot.slope += knot.term[j];
    }
    knot.slope = at == 0 ? t->slope : at == t->length ? t->slope_right : knot.slope;
    knot.signs = changes_of_sign(t, knot.term);
    return knot;
}

static bool is_plain_between(const struct thread *t, const struct knot *a, const struct knot *b)
{
    double low = 0, high = 0;
    for (size_t j = 0; j < t->n; j++) {
        low += fmin(a->term[j], b->term[j]);
        high += fmax(a->term[j], b->term[j]);
    }
    return low > 0 || high < 0 || is_plain(a->signs - b->signs, a->slope, b->slope);
}

/* Adds cuts inside (a, b), ascending, until the rules tell for each part. */
static void halve(const struct thread *t, const struct knot *a, const struct knot *b, int depth, struct cuts *cuts)
{
    double middle = 0.5 * (a->at + b->at);
    if (depth == MOST_HALVINGS || is_plain_between(t, a, b) || !(middle > a->at && middle < b->at))
        return;
    struct knot knot = knot_at(t, middle);
    halve(t, a, &knot, depth + 1, cuts);
    if (cuts->n + 1 < sizeof cuts->at / sizeof *cuts->at)
        cuts->at[cuts->n++] = middle;
    halve(t, &knot, b, depth + 1, cuts);
}

/* Takes cuts away that aren't needed. The last of them is the stretch's end. */
static void thin(const struct thread *t, struct cuts *cuts)
{
    size_t kept = 0;
    struct knot low = knot_at(t, 0);
    for (size_t i = 0; i + 1 < cuts->n; i++) {
        struct knot next = knot_at(t, cuts->at[i + 1]);
        if (is_plain_between(t, &low, &next))
            continue;
        cuts->at[kept++] = cuts->at[i];
        low = knot_at(t, cuts->at[i]);
    }
    cuts->at[kept++] = t->length;
    cuts->n = kept;
}

/* Lanes with fewer nodes have offset 0 before them. */
static void keep_nodes(const struct hl_strand *s, struct hl_strand_curve *curve, size_t l, const struct cuts *cuts)
{
    size_t n = cuts->n - 1;
    curve->n_nodes[l] = n <= HL_STRAND_NODES ? n : 0;
    for (size_t q = 0; q < HL_STRAND_NODES; q++) {
        bool none = q < HL_STRAND_NODES - curve->n_nodes[l];
        double at = none ? 0 : cuts->at[q - (HL_STRAND_NODES - n)];
        curve->node[q * HL_LANES + l] = at;
        for (size_t j = 0; j < s->n_modes; j++)
            curve->node_E[(q * s->n_modes + j) * HL_LANES + l] = exp(s->lambda[j * HL_LANES + l] * at);
    }
}

static void find_nodes(const struct hl_strand *s, struct hl_strand_curve *curve, size_t l, double length,
                       struct brackets *br)
{
    struct thread t = {.n = s->n_modes, .slope = curve->slope[l], .slope_right = curve->slope_right[l],
                       .length = length};
    struct cuts cuts = {.n = 0};
    for (size_t j = 0; j < t.n; j++) {
        t.b[j] = curve->b[j * HL_LANES + l];
        t.lambda[j] = s->lambda[j * HL_LANES + l];
    }
    struct knot low = knot_at(&t, 0), end = knot_at(&t, length);
    halve(&t, &low, &end, 0, &cuts);
    cuts.at[cuts.n++] = length;
    thin(&t, &cuts);
    for (size_t i = 0; i < cuts.n; i++) {
        struct knot high = knot_at(&t, cuts.at[i]);
        if (is_odd(low.slope, high.slope))
            add_bracket(br, l, low.at, high.at);
        low = high;
    }
    keep_nodes(s, curve, l, &cuts);
}

static void isolate(const struct hl_strand *s, struct hl_strand_curve *curve, const double *length,
                    const double *wanted, struct brackets *br)
{
    bool try[HL_LANES], any = false;
    memset(br->n, 0, sizeof br->n);
    br->most = 0;
    for (size_t l = 0; l < HL_LANES; l++) {
        try[l] = wanted[l] != 0 && curve->turns[l] == HL_TURNS_UNKNOWN;
        any = any || try[l];
    }
    if (any)
        try_nodes(s, curve, length, try, br);
    for (size_t l = 0; any && l < HL_LANES; l++)
        if (try[l])
            find_nodes(s, curve, l, length[l], br);
}

/* ---- Finding zeros */

static void begin_root(const struct hl_strand *s, struct hl_strand_root *root, const double *guess)
{
    for (size_t l = 0; l < HL_LANES; l++) {
        double fastest = fabs(s->lambda[(s->n_modes - 1) * HL_LANES + l]), slowest = fabs(s->lambda[l]);
        double rate = fastest > slowest ? fastest : slowest;
        root->close[l] = CLOSE / (rate > 1e-6 ? rate : 1e-6);
        root->s[l] = guess[l] > root->low[l] && guess[l] < root->high[l] ? guess[l]
                                                                         : 0.5 * (root->low[l] + root->high[l]);
    }
}

/* Newton's iteration for y' = 0 in active lanes, y' having the sign of side at low. */
static void iterate_turn(struct hl_strand *s, struct hl_strand_curve *curve, struct hl_strand_root *root,
                         const double *guess)
{
    row f, slope;
    begin_root(s, root, guess);
    for (int round = 0; round < ROUNDS; round++) {
        exponentials_at(s, root->s, false);
        hl_strand_balance(s, curve->b, NULL, NULL, f, slope);
        if (!hl_strand_turn(root, f, slope, round % 8 == 7))
            break;
    }
}

/* Sums at offsets that won't come again. */
static void values_once(struct hl_strand *s, const struct hl_strand_curve *curve, const double *offset, double *y)
{
    exponentials_at(s, offset, s->infused);
    hl_strand_sum(curve->offset, curve->a, s->E, gains(s, curve), s->phi, s->n_modes, y);
}

static void iterate_crossing(struct hl_strand *s, const struct hl_strand_curve *curve, const double *level,
                             struct hl_strand_root *root, const double *guess)
{
    row above, f, slope;
    begin_root(s, root, guess);
    for (size_t l = 0; l < HL_LANES; l++)
        above[l] = curve->offset[l] - level[l];
    for (int round = 0; round < ROUNDS; round++) {
        exponentials_at(s, root->s, s->infused);
        hl_strand_balance(s, curve->a, gains(s, curve), above, f, slope);
        if (!hl_strand_turn(root, f, slope, round % 8 == 7))
            break;
    }
}

static void begin_search(struct hl_strand_root *root, const struct hl_strand_search *search, const double *left)
{
    for (size_t l = 0; l < HL_LANES; l++) {
        root->active[l] = left[l];
        root->low[l] = left[l] != 0 ? search->low[l] : 0;
        root->high[l] = left[l] != 0 ? search->high[l] : 0;
        root->side[l] = -search->side[l];
    }
}

/* Takes what the iteration found in lanes left, and moves the place there and in lanes far. */
static void end_search(struct hl_strand *s, const struct hl_strand_curve *curve, struct hl_strand_search *search,
                       const struct hl_strand_root *root, const double *left, const double *far,
                       struct hl_strand_place *place)
{
    row y;
    for (size_t l = 0; l < HL_LANES; l++)
        search->s[l] = left[l] != 0 ? root->s[l] : search->s[l];
    hl_strand_move_place(s, place, search->s, far);
    hl_strand_sum(curve->offset, curve->a, s->E, gains(s, curve), s->phi, s->n_modes, y);
    for (size_t l = 0; l < HL_LANES; l++)
        search->y[l] = left[l] != 0 ? y[l] : search->y[l];
}

/* Where a curve that rises to a maximum, or that falls away from one, may pass the level. */
static double guess_crossing(const struct hl_strand_search *search, size_t l, double level)
{
    double width = search->high[l] - search->low[l], low = search->y_low[l], high = search->y_high[l], share;
    if (high > low)
        share = 1 - sqrt((high - level) / (high - low));
    else
        share = level > 0 && high > 0 ? log(low / level) / log(low / high) : (low - level) / (low - high);
    return search->low[l] + width * (share > 0.01 ? share < 0.99 ? share : 0.99 : 0.01);
}

/* Lanes that lack their root: a new place where the series points to, or a crossing may be. False when there are none.
 * */
static bool approach(struct hl_strand *s, const struct hl_strand_search *search, const struct hl_strand_near *near,
                     const double *level, const double *left, struct hl_strand_place *place)
{
    row mask, offset;
    bool found = hl_strand_points(search, near, left, mask, offset);
    for (size_t l = 0; level && l < HL_LANES; l++)
        if (left[l] != 0 && mask[l] == 0) {
            mask[l] = 1;
            offset[l] = guess_crossing(search, l, level[l]);
            found = true;
        }
    if (found)
        hl_strand_move_place(s, place, offset, mask);
    return found;
}

/* The root in each wanted lane: y' = 0, or y = level unless it is NULL. By the series around the place of the last one;
 * if that isn't near enough, around where it points to; at last by iteration. */
void hl_strand_find_root(struct hl_strand *s, struct hl_strand_curve *curve, const double *level,
                      struct hl_strand_search *search, struct hl_strand_place *place)
{
    struct hl_strand_near near;
    struct hl_strand_root root;
    row left, far;
    bool more = true;
    if (!level)
        hl_strand_leave_flat(s, curve, search);
    for (int round = 0; more; round++) {
        hl_strand_near(s, curve, place, !level, level, search->low, search->high, search->side, &near);
        if (!hl_strand_sort(search, &near, left, far))
            return;
        more = round < APPROACHES && hl_strand_is_any(left) && approach(s, search, &near, level, left, place);
    }
    memcpy(root.s, search->s, sizeof root.s);
    begin_search(&root, search, left);
    if (hl_strand_is_any(left) && level)
        iterate_crossing(s, curve, level, &root, near.s);
    else if (hl_strand_is_any(left))
        iterate_turn(s, curve, &root, near.s);
    end_search(s, curve, search, &root, left, far, place);
}

/* A place before the maximum from which it can be told, next time, how high the curve may rise. */
static void mark_ridge(struct hl_strand *s, struct hl_strand_curve *curve, const struct hl_strand_search *search)
{
    row mask, offset;
    for (size_t l = 0; l < HL_LANES; l++) {
        double at = search->s[l];
        bool stands = curve->ridge.at[l] > RIDGE_LEAST * at && curve->ridge.at[l] < RIDGE_MOST * at;
        mask[l] = search->wanted[l] != 0 && !stands;
        offset[l] = RIDGE * at;
    }
    if (hl_strand_is_any(mask))
        hl_strand_move_place(s, &curve->ridge, offset, mask);
}

/* ---- Curves of other kinds */

/* Guesses are kept by the kind of turn: slot 0 is a minimum before any maximum, slot 1 the first maximum, and so on. */
static size_t slot_of(const struct hl_strand_curve *curve, size_t l, size_t i)
{
    size_t slot = i + (curve->slope[l] < 0 ? 0 : 1);
    return slot < HL_STRAND_SLOTS ? slot : HL_STRAND_SLOTS - 1;
}

/* The i-th turning points of lanes that have one. */
static void find_any_turn(struct hl_strand *s, struct hl_strand_curve *curve, const struct brackets *br, size_t i,
                          double *at, double *y)
{
    struct hl_strand_root root;
    row guess;
    for (size_t l = 0; l < HL_LANES; l++) {
        bool falls = (curve->slope[l] < 0) != (i % 2 == 1);
        root.active[l] = br->n[l] > i ? 1 : 0;
        root.low[l] = br->n[l] > i ? br->low[i][l] : 0;
        root.high[l] = br->n[l] > i ? br->high[i][l] : 0;
        root.side[l] = falls ? -1 : 1;
        guess[l] = curve->guess[slot_of(curve, l, i) * HL_LANES + l];
    }
    iterate_turn(s, curve, &root, guess);
    memcpy(at, root.s, sizeof(row));
    values_once(s, curve, at, y);
    for (size_t l = 0; l < HL_LANES; l++)
        if (br->n[l] > i)
            curve->guess[slot_of(curve, l, i) * HL_LANES + l] = at[l];
}

/* ---- Pieces */

/* Ends of pieces, by lane. */
struct pieces { size_t n[HL_LANES], most; double *at, *y; };

static void add_end(struct pieces *p, size_t l, double at, double y)
{
    size_t i = p->n[l]++ * HL_LANES + l;
    p->at[i] = at;
    p->y[i] = y;
    p->most = p->n[l] > p->most ? p->n[l] : p->most;
}

static void add_turns(struct pieces *p, const struct hl_strand_search *search)
{
    for (size_t l = 0; l < HL_LANES; l++)
        if (search->wanted[l] != 0)
            add_end(p, l, search->s[l], search->y[l]);
}

static void add_other_turns(struct hl_strand *s, struct hl_strand_curve *curve, const double *length,
                            const double *wanted, struct pieces *p)
{
    struct brackets br;
    isolate(s, curve, length, wanted, &br);
    for (size_t i = 0; i < br.most; i++) {
        row at, y;
        find_any_turn(s, curve, &br, i, at, y);
        for (size_t l = 0; l < HL_LANES; l++)
            if (br.n[l] > i)
                add_end(p, l, at[l], y[l]);
    }
}

/* Curves without or with one maximum, all of them: no lists are needed. */
static size_t plain_pieces(const struct hl_strand_curve *curve, const double *length, bool peaks,
                           const struct hl_strand_search *peak, double *at, double *y)
{
    memset(at, 0, sizeof(row));
    memcpy(y, curve->left, sizeof(row));
    for (size_t l = 0; peaks && l < HL_LANES; l++) {
        at[HL_LANES + l] = peak->wanted[l] != 0 ? peak->s[l] : length[l];
        y[HL_LANES + l] = peak->wanted[l] != 0 ? peak->y[l] : curve->right[l];
    }
    size_t n = peaks ? 2 : 1;
    memcpy(at + n * HL_LANES, length, sizeof(row));
    memcpy(y + n * HL_LANES, curve->right, sizeof(row));
    return n;
}

static bool has_others(const struct hl_strand_curve *curve, const double *wanted)
{
    bool found = false;
    for (size_t l = 0; l < HL_LANES; l++)
        found = found || (wanted[l] != 0 && curve->turns[l] == HL_TURNS_UNKNOWN);
    return found;
}

static size_t pieces(const struct hl_stretch *stretch, size_t k, const double *wanted, double *at, double *y)
{
    struct hl_strand *s = stretch->inside;
    struct hl_strand_curve *curve = curve_of(stretch, k);
    struct hl_strand_search peak, hollow;
    bool peaks = hl_strand_seek(curve, stretch->length, wanted, true, &peak), others = has_others(curve, wanted);
    bool hollows = hl_strand_seek(curve, stretch->length, wanted, false, &hollow);
    if (peaks) {
        hl_strand_find_root(s, curve, NULL, &peak, &curve->peak);
        mark_ridge(s, curve, &peak);
    }
    if (!hollows && !others)
        return plain_pieces(curve, stretch->length, peaks, &peak, at, y);
    struct pieces p = {.at = at, .y = y};
    for (size_t l = 0; l < HL_LANES; l++)
        add_end(&p, l, 0, curve->left[l]);
    if (hollows) {
        hl_strand_find_root(s, curve, NULL, &hollow, &curve->hollow);
        add_turns(&p, &hollow);
    }
    if (peaks)
        add_turns(&p, &peak);
    if (others)
        add_other_turns(s, curve, stretch->length, wanted, &p);
    size_t n = p.most;
    for (size_t l = 0; l < HL_LANES; l++)
        while (p.n[l] <= n)
            add_end(&p, l, stretch->length[l], curve->right[l]);
    return n;
}

/* ---- Crossings */

/* Where the crossings of a level are remembered: by its bits, so that which of several levels share a memory doesn't
 * depend on who is asked for them first. */
size_t hl_strand_level_number(const double *level)
{
    uint64_t bits;
    memcpy(&bits, level, sizeof bits);
    bits ^= bits >> 32;
    return (size_t)((bits * 0x9e3779b97f4a7c15u) >> 40) % HL_STRAND_LEVELS;
}

/* The guesses handed in aren't needed: places are kept here. */
static void crossing(const struct hl_stretch *stretch, size_t k, const double *level, const double *from,
                     const double *to, const double *y_from, const double *y_to, const double *wanted, double *offset)
{
    struct hl_strand *s = stretch->inside;
    struct hl_strand_curve *curve = curve_of(stretch, k);
    size_t number = hl_strand_level_number(level);
    for (int rises = 0; rises < 2; rises++) {
        struct hl_strand_search search = {.y_low = y_from, .y_high = y_to};
        for (size_t l = 0; l < HL_LANES; l++)
            search.wanted[l] = wanted[l] != 0 && (y_from[l] < y_to[l]) == rises;
        if (!hl_strand_is_any(search.wanted))
            continue;
        for (size_t l = 0; l < HL_LANES; l++)
            search.side[l] = rises ? 1 : -1;
        memcpy(search.low, from, sizeof search.low);
        memcpy(search.high, to, sizeof search.high);
        hl_strand_find_root(s, curve, level, &search, rises ? &curve->rise[number] : &curve->fall[number]);
        for (size_t l = 0; l < HL_LANES; l++)
            offset[l] = search.wanted[l] != 0 ? search.s[l] : offset[l];
    }
}

const struct hl_stretch_kind hl_strand_kind = {
    .ends = ends, .values = values, .area = area, .bounds = bounds, .pieces = pieces, .crossing = crossing,
    .turn_to = hl_strand_run_turn_to, .begin = hl_strand_run_begin, .trend = hl_strand_run_trend,
    .run_area = hl_strand_run_area, .run_parts = hl_strand_run_parts, .run_hours = hl_strand_run_hours,
    .run_values = hl_strand_run_values,
};
