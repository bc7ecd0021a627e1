/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding peaks and crossings of a solution that can be asked at any time.
 *
 * A stretch is halved until the cubic Hermite polynomial through its ends agrees with the solution at the middle; from
 * then on a change of sign of the derivative between the ends brackets the only peak worth finding, and a change of
 * side of a threshold the only crossing. Both are then located on the solution itself (Brent 1973's bracketing by
 * bisection and secant, here the Illinois variant of regula falsi), so the answer doesn't depend on the output grid. */
#include "measure/curve.h"

#include <math.h>
#include <string.h>

#define DEPTH 14          /* a stretch is halved at most this often: 1/16384 of it */
#define SHAPE 1e-4        /* how well the cubic must predict the middle, as a fraction of the output's scale */
#define LOCATE 1e-10      /* how well a peak or crossing is located, as a fraction of the piece */
#define ROUNDS 200

enum hl_status hl_curve_room_init(struct hl_curve_room *room, size_t n_outputs)
{
    room->n = n_outputs;
    room->space = hl_alloc((2 * (DEPTH + 4)) * (n_outputs + 1), sizeof *room->space);
    room->turn = hl_alloc(n_outputs, sizeof *room->turn);
    return room->space && room->turn ? HL_OK : HL_ERR_MEMORY;
}

void hl_curve_room_clear(struct hl_curve_room *room)
{
    hl_free(room->space);
    hl_free(room->turn);
    room->space = NULL;
    room->turn = NULL;
}

/* Slot k of the room holds one node; slot 0 and 1 are scratch. */
static struct hl_node slot(const struct hl_curve_room *room, size_t k)
{
    double *at = room->space + 2 * k * room->n;
    return (struct hl_node){.y = at, .dy = at + room->n};
}

static void ask(const struct hl_segment *segment, double t, struct hl_node *node)
{
    node->t = t;
    hl_segment_values(segment, t, node->y, node->dy);
}

static double cubic_middle(double h, double y0, double d0, double y1, double d1)
{
    return 0.5 * (y0 + y1) + 0.125 * h * (d0 - d1);
}

static int is_resolved(const struct hl_node *a, const struct hl_node *m, const struct hl_node *b, size_t n,
                       const unsigned char *watched, const double *scale)
{
    for (size_t i = 0; i < n; i++)
        if (watched[i]) {
            double off = fabs(m->y[i] - cubic_middle(b->t - a->t, a->y[i], a->dy[i], b->y[i], b->dy[i]));
            if (off > SHAPE * scale[i]) /* false for NaN: nothing to resolve there */
                return 0;
        }
    return 1;
}

struct cutting {
    const struct hl_segment *segment;
    const unsigned char *watched;
    double *scale;
    struct hl_curve_room *room;
    hl_piece_fn piece;
    void *context;
};

static void grow_scale(const struct cutting *c, const struct hl_node *node)
{
    for (size_t i = 0; i < c->room->n; i++)
        if (c->watched[i] && fabs(node->y[i]) > c->scale[i])
            c->scale[i] = fabs(node->y[i]);
}

static void show(const struct cutting *c, const struct hl_node *a, const struct hl_node *b)
{
    struct hl_piece piece = {c->segment, a, b, c->room, c->room->turn, c->scale};
    for (size_t i = 0; i < c->room->n; i++)
        c->room->turn[i].known = 0;
    c->piece(c->context, &piece);
}

static void cut(const struct cutting *c, const struct hl_node *a, const struct hl_node *b, size_t depth)
{
    struct hl_node m = slot(c->room, 4 + depth);
    ask(c->segment, 0.5 * (a->t + b->t), &m);
    grow_scale(c, &m);
    if (depth + 1 < DEPTH && !is_resolved(a, &m, b, c->room->n, c->watched, c->scale)) {
        cut(c, a, &m, depth + 1);
        cut(c, &m, b, depth + 1);
        return;
    }
    show(c, a, &m);
    show(c, &m, b);
}

void hl_curve_cut(const struct hl_segment *segment, double a, double b, const unsigned char *watched, double *scale,
                  struct hl_node *left, struct hl_curve_room *room, hl_piece_fn piece, void *context)
{
    struct cutting c = {segment, watched, scale, room, piece, context};
    struct hl_node right = slot(room, 3);
    if (left->t != a) /* the same number when stretches touch; NaN when there is nothing to share */
        ask(segment, a, left);
    ask(segment, b, &right);
    grow_scale(&c, left);
    grow_scale(&c, &right);
    cut(&c, left, &right, 0);
    memcpy(left->y, right.y, room->n * sizeof *right.y);
    memcpy(left->dy, right.dy, room->n * sizeof *right.dy);
    left->t = b;
}

const double *hl_curve_values(const struct hl_segment *segment, double t, struct hl_curve_room *room)
{
    struct hl_node node = slot(room, 0);
    hl_segment_values(segment, t, node.y, NULL);
    return node.y;
}

/* What is to become zero: the derivative of output i, output i minus level, or y_i/level - y_j/level_j. */
enum wanted { PEAK, CROSSING, MEETING };
struct target {
    const struct hl_segment *segment;
    struct hl_curve_room *room;
    enum wanted wanted;
    size_t i, j;
    double level, level_j;
};

static double off_target(const struct target *f, double t, double *value)
{
    struct hl_node node = slot(f->room, 0);
    hl_segment_values(f->segment, t, node.y, f->wanted == PEAK ? node.dy : NULL);
    if (value)
        *value = node.y[f->i];
    if (f->wanted == PEAK)
        return node.dy[f->i];
    return f->wanted == CROSSING ? node.y[f->i] - f->level : node.y[f->i] / f->level - node.y[f->j] / f->level_j;
}

/* Regula falsi (Illinois), with a bisection whenever it dawdles. */
static double locate(const struct target *f, double a, double b, double fa, double fb, double *value)
{
    double tiny = LOCATE * (b - a), t = 0.5 * (a + b);
    int side = 0;
    for (int round = 0; round < ROUNDS && b - a > tiny; round++) {
        double guess = fb - fa != 0 ? b - fb * (b - a) / (fb - fa) : 0.5 * (a + b);
        t = round % 8 == 7 || !(guess > a && guess < b) ? 0.5 * (a + b) : guess;
        double ft = off_target(f, t, NULL);
        if (ft == 0 || isnan(ft)) /* exactly there, or nowhere */
            break;
        if ((ft > 0) == (fb > 0)) {
            b = t;
            fb = ft;
            fa = side == -1 ? 0.5 * fa : fa;
            side = -1;
        } else {
            a = t;
            fa = ft;
            fb = side == 1 ? 0.5 * fb : fb;
            side = 1;
        }
    }
    if (value)
        off_target(f, t, value);
    return t;
}

static double cubic_at(const struct hl_node *a, const struct hl_node *b, size_t i, double s)
{
    double h = b->t - a->t, r = 1 - s;
    return r * r * (1 + 2 * s) * a->y[i] + s * s * (1 + 2 * r) * b->y[i] + h * s * r * (r * a->dy[i] - s * b->dy[i]);
}

/* Where the cubic's derivative, a parabola with ends da and db of opposite sign, is zero. */
static double cubic_turn(const struct hl_node *a, const struct hl_node *b, size_t i)
{
    double h = b->t - a->t, da = a->dy[i] * h, db = b->dy[i] * h, rise = b->y[i] - a->y[i];
    double p = 3 * (da + db) - 6 * rise, q = 6 * rise - 4 * da - 2 * db; /* p s^2 + q s + da */
    double root = q + copysign(sqrt(fmax(0, q * q - 4 * p * da)), q), s = -2 * da / root;
    return s >= 0 && s <= 1 ? s : -0.5 * root / p; /* just one root lies between the ends */
}

int hl_piece_turns(const struct hl_piece *piece, size_t i, double *lowest, double *highest)
{
    const struct hl_node *a = piece->a, *b = piece->b;
    *lowest = fmin(a->y[i], b->y[i]);
    *highest = fmax(a->y[i], b->y[i]);
    if (!(a->dy[i] * b->dy[i] < 0))
        return 0;
    double turn = cubic_at(a, b, i, cubic_turn(a, b, i)), margin = SHAPE * piece->scale[i];
    *lowest = fmin(*lowest, turn - margin);
    *highest = fmax(*highest, turn + margin);
    return 1;
}

const struct hl_turn *hl_piece_turn(const struct hl_piece *piece, size_t i)
{
    struct hl_turn *turn = &piece->turn[i];
    struct target f = {.segment = piece->segment, .room = piece->room, .wanted = PEAK, .i = i};
    if (!turn->known)
        turn->t = locate(&f, piece->a->t, piece->b->t, piece->a->dy[i], piece->b->dy[i], &turn->y);
    turn->known = 1;
    return turn;
}

double hl_curve_crossing(const struct hl_segment *segment, size_t i, double level, double a, double b,
                         struct hl_curve_room *room)
{
    struct target f = {.segment = segment, .room = room, .wanted = CROSSING, .i = i, .level = level};
    return locate(&f, a, b, off_target(&f, a, NULL), off_target(&f, b, NULL), NULL);
}

double hl_curve_meeting(const struct hl_segment *segment, const int of[2], const double level[2], double a, double b,
                        struct hl_curve_room *room)
{
    struct target f = {segment, room, MEETING, (size_t)of[0], (size_t)of[1], level[0], level[1]};
    return locate(&f, a, b, off_target(&f, a, NULL), off_target(&f, b, NULL), NULL);
}
