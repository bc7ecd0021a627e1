/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long the stretches of runs (stretch.h) lie above a level.
 *
 * Where y passes a level in each stretch of a run moves slowly from one to the next, so that the last place is a good
 * guess for the next. All that differs between stretches is what is there at their beginnings, and that follows a
 * recurrence (strand_run.c), so such a sequence of places, a track, is followed without looking at anything else; and
 * since it is the hours of the run that are asked for, only the sum of its places is kept. Lane, output, run and
 * direction (up or down) make a track of its own. Tracks wait until there are many, and are then followed side by side,
 * one in each lane of the machine, the next taking the place of one that has ended (strand_track_rows.c): subjects that
 * never pass the level leave no lane idle. What a track finds depends on nothing but itself.
 *
 * Tracks are for stretches in which the rule of signs has told how often, and between which offsets, the level is
 * passed. Lanes with infusions, whose curves have more terms, go on by series (strand_run.c). */
#include "solve/strand_parts.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/vector.h"

#define ROUNDS 100 /* at most, in search of a turning point */
#define CLOSE 1e-10 /* a turning point is known when a step is this short [h] */

typedef double row[HL_LANES] __attribute__((aligned(64)));

/* Exponentials at the guesses, all at once. */
static void begin_tracks(struct hl_strand *s)
{
    double x[HL_STRAND_TRACKS * HL_STRAND_MODES];
    size_t m = s->n_modes, n = 0;
    for (size_t i = 0; i < s->n_tracks; i++) {
        const double *lambda = s->track_modes + (i * HL_TRACK_ROWS + HL_TRACK_LAMBDA) * m;
        for (size_t j = 0; j < m; j++)
            x[n++] = lambda[j] * s->track[i].guess < HL_TRACK_GONE ? -INFINITY : lambda[j] * s->track[i].guess;
    }
    for (; n % HL_LANES != 0; n++)
        x[n] = 0;
    hl_vector_exp(x, x, n);
    for (size_t i = 0; i < s->n_tracks; i++)
        memcpy(s->track_modes + (i * HL_TRACK_ROWS + HL_TRACK_E) * m, x + i * m, m * sizeof *x);
}

void hl_strand_follow_tracks(struct hl_strand *s)
{
    begin_tracks(s);
    hl_strand_follow(s->track, s->track_modes, s->n_tracks, s->n_modes);
    for (size_t i = 0; i < s->n_tracks; i++)
        *s->track[i].hours -= s->track[i].side * s->track[i].sum;
    s->n_tracks = 0;
}

/* Where a curve that rises to a maximum, or falls away from one, may pass the level, as a share of the way. */
static double guess_share(double from, double to, double level)
{
    double share;
    if (to > from)
        share = 1 - sqrt((to - level) / (to - from));
    else if (level > 0 && to > 0) /* ln(from / level) / ln(from / to), nearly */
        share = (from - level) / (from + level) * (from + to) / (from - to);
    else
        share = (from - level) / (from - to);
    return share > 0.01 ? share < 0.99 ? share : 0.99 : 0.01;
}

/* Lane l of a run: how it begins in stretch number i. */
static void fill_modes(const struct hl_strand *s, const struct hl_strand_curve *curve, size_t l, size_t i,
                       double *modes)
{
    size_t n = s->n_modes;
    const double *z = s->zs + i * n * HL_LANES + l, *next = i + 1 < s->most_alike ? z + n * HL_LANES : z;
    for (size_t j = 0; j < n; j++) {
        double V = curve->V[j * HL_LANES + l];
        modes[HL_TRACK_LAMBDA * n + j] = s->lambda[j * HL_LANES + l];
        modes[HL_TRACK_C * n + j] = V * z[j * HL_LANES];
        modes[HL_TRACK_D * n + j] = V * (next[j * HL_LANES] - z[j * HL_LANES]);
        modes[HL_TRACK_P * n + j] = s->E_whole[j * HL_LANES + l];
    }
}

/* The sum of a lane's amplitudes times E. */
static double sum_of(const double *c, const double *E, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += E ? c[j] * E[j * HL_LANES] : c[j];
    return sum;
}

static void guess(const struct hl_strand *s, const struct hl_strand_curve *curve, size_t l, const double *modes,
                  struct hl_strand_track *track)
{
    const double *c = modes + HL_TRACK_C * s->n_modes, *crest = curve->peak.E + l;
    double from = sum_of(c, track->low > 0 ? crest : NULL, s->n_modes);
    double to = sum_of(c, track->high < s->whole[l] ? crest : s->E_whole + l, s->n_modes);
    track->guess = track->low + (track->high - track->low) * guess_share(from, to, track->level);
}

/* ---- A lane of a run
 *
 * What is done with stretches in which y passes the level follows from their codes (strand_parts.h). */

struct thread {
    struct hl_strand *s;
    const struct hl_strand_curve *curve;
    size_t l;
    double level, trend;
    double *hours, *late, *hard;
};

/* A crossing in stretches first .. end - 1 of the run, between low and high. */
struct span { size_t first, end; double low, high; };

static void add_track(const struct thread *t, double side, const struct span *span)
{
    struct hl_strand *s = t->s;
    if (span->first == span->end)
        return;
    if (s->n_tracks == HL_STRAND_TRACKS)
        hl_strand_follow_tracks(s);
    double *modes = s->track_modes + s->n_tracks * HL_TRACK_ROWS * s->n_modes;
    struct hl_strand_track *track = &s->track[s->n_tracks++];
    *track = (struct hl_strand_track){.side = side, .level = t->level - t->curve->offset[t->l], .low = span->low,
                                      .high = span->high, .rate = s->rate[t->l], .n = span->end - span->first,
                                      .hours = t->late};
    fill_modes(s, t->curve, t->l, span->first, modes);
    guess(s, t->curve, t->l, modes, track);
}

/* Puts stretches behind those of a track where they belong to it; else begins another. */
static void extend(const struct thread *t, double side, struct span *open, struct span next)
{
    if (next.first == open->end && next.low == open->low && next.high == open->high) {
        open->end = next.end;
        return;
    }
    add_track(t, side, open);
    *open = next;
}

/* y less the level at an offset of a stretch, y', y'', and what the third derivative is made of. */
struct local { double y, slope, bend, third; };

static struct local look_at(const struct thread *t, size_t i, double offset)
{
    const struct hl_strand *s = t->s;
    const double *z = s->zs + i * s->n_modes * HL_LANES + t->l;
    double E[HL_STRAND_MODES];
    struct local here = {.y = t->curve->offset[t->l] - t->level};
    for (size_t j = 0; j < HL_STRAND_MODES; j++)
        E[j] = j < s->n_modes ? s->lambda[j * HL_LANES + t->l] * offset : 0;
    hl_vector_exp(E, E, (s->n_modes + HL_LANES - 1) / HL_LANES * HL_LANES);
    for (size_t j = 0; j < s->n_modes; j++) {
        double lambda = s->lambda[j * HL_LANES + t->l];
        double a = t->curve->V[j * HL_LANES + t->l] * z[j * HL_LANES] * E[j], b = lambda * a, c = lambda * b;
        here.y += a;
        here.slope += b;
        here.bend += c;
        here.third += fabs(lambda * c);
    }
    return here;
}

/* Whether y, as seen from here, stays short of the level at its only maximum (side 1) or minimum: that is within X = 2
 * y' / |y''|, when the third derivative, e^0.25 times what it is made of at most, is too small for y' to keep its sign
 * until there; on the way y gains less than y' X. */
static bool stays_short(const struct thread *t, const struct local *here, double side)
{
    double X = 2 * fabs(here->slope / here->bend);
    return side * here->bend < 0 && X * t->s->rate[t->l] < 0.25 && 0.65 * here->third * X * X < fabs(here->slope)
           && side * here->y + fabs(here->slope) * X < 0;
}

/* Whether y passes the level on its way to the only maximum (side 1) or minimum (side -1) of stretch i between low and
 * high; *at: where that is seen. */
static bool reaches(const struct thread *t, size_t i, double side, double low, double high, double *at)
{
    double place = t->curve->peak.at[t->l], s = place > low && place < high ? place : 0.5 * (low + high);
    for (int round = 1; round < ROUNDS; round++) {
        struct local here = look_at(t, i, s);
        double next = s - here.slope / here.bend;
        *at = s;
        if (side * here.y > 0)
            return true;
        if (stays_short(t, &here, side))
            return false;
        low = side * here.slope > 0 ? s : low;
        high = side * here.slope > 0 ? high : s;
        if (!(next > low && next < high) || round % 8 == 0)
            next = 0.5 * (low + high);
        if (fabs(next - s) < CLOSE)
            return false;
        s = next;
    }
    return false;
}

/* Of stretches first .. end - 1 whose maximum (minimum) lies between low and high: those in which it passes the level,
 * which lie together, since y rises or falls from one to the next. *at: an offset at which all of these have passed. */
static struct span find_reaching(const struct thread *t, struct span span, double side, double *at)
{
    bool last = side * t->trend > 0; /* has the greatest (least) of all */
    size_t reaching = last ? span.end - 1 : span.first, not = last ? span.first : span.end - 1;
    double there;
    if (!reaches(t, reaching, side, span.low, span.high, at))
        return (struct span){span.first, span.first, 0, 0};
    if (reaches(t, not, side, span.low, span.high, &there)) {
        *at = there;
        return span;
    }
    while (reaching > not ? reaching - not > 1 : not - reaching > 1) {
        size_t middle = (reaching + not) / 2;
        bool passes = reaches(t, middle, side, span.low, span.high, &there);
        *at = passes ? there : *at;
        reaching = passes ? middle : reaching;
        not = passes ? not : middle;
    }
    span.first = last ? reaching : span.first;
    span.end = last ? span.end : reaching + 1;
    return span;
}

/* Where y begins to fall and then has its minimum, that lies before the place curve->dip, the maximum behind it. */
static double dip_of(const struct thread *t, size_t i)
{
    double place = t->curve->dip.at[t->l];
    bool dips = place > 0 && place < t->s->whole[t->l] && look_at(t, i, 0).slope < 0;
    return dips ? place : 0;
}

static void add_top(const struct thread *t, struct span span, struct span *rise, struct span *fall)
{
    double at, low = dip_of(t, span.first);
    struct span above = find_reaching(t, (struct span){span.first, span.end, low, span.high}, 1, &at);
    if (above.first == above.end)
        return;
    extend(t, 1, rise, (struct span){above.first, above.end, 0, at});
    extend(t, -1, fall, (struct span){above.first, above.end, at, span.high});
}

static void mark_hard(const struct thread *t, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        t->hard[i * HL_LANES + t->l] = 1;
}

static void add_bottom(const struct thread *t, uint64_t code, struct span span, struct span *fall)
{
    double at, whole = t->s->whole[t->l];
    struct span below = find_reaching(t, (struct span){span.first, span.end, 0, t->curve->dip.at[t->l]}, -1, &at);
    mark_hard(t, below.first, below.end);
    struct span before = {span.first, below.first, span.low, span.high};
    struct span after = {below.end, span.end, span.low, span.high};
    if (code & HL_CODE_ABOVE_AFTER) {
        *t->hours += whole * (double)(before.end - before.first + after.end - after.first);
        return;
    }
    if (before.first < before.end)
        extend(t, -1, fall, before);
    if (after.first < after.end)
        extend(t, -1, fall, after);
}

static void add_stretches(const struct thread *t, uint64_t code, size_t first, size_t end, struct span *rise,
                          struct span *fall)
{
    double whole = t->s->whole[t->l], place = t->curve->peak.at[t->l];
    bool crest = code & HL_CODE_CREST;
    struct span up = {first, end, 0, crest ? place : whole}, down = {first, end, crest ? place : 0, whole};
    if (code & HL_CODE_HARD)
        mark_hard(t, first, end);
    if (code & HL_CODE_ALL)
        *t->hours += whole * (double)(end - first);
    if (code & HL_CODE_TOP)
        add_top(t, (struct span){first, end, 0, whole}, rise, fall);
    if (code & HL_CODE_BOTTOM)
        add_bottom(t, code, down, fall);
    if (code & HL_CODE_RISES)
        extend(t, 1, rise, up);
    if (code & HL_CODE_FALLS)
        extend(t, -1, fall, down);
    if ((code & HL_CODE_RISES) && !(code & HL_CODE_FALLS))
        *t->hours += whole * (double)(end - first);
}

/* Goes through the stretches of a lane, those alike together; one by one where the rule doesn't tell that y rises or
 * falls from one to the next. */
static void add_lane(const struct thread *t, const uint64_t *code, const size_t *change, size_t n)
{
    struct span rise = {0}, fall = {0};
    for (size_t c = 0, next; c + 1 < n; c = next) {
        uint64_t here = code[change[c] * HL_LANES + t->l];
        for (next = c + 1; next + 1 < n && code[change[next] * HL_LANES + t->l] == here;)
            next++; /* another lane's change */
        bool alone = t->trend == 0 && (here & (HL_CODE_TOP | HL_CODE_BOTTOM));
        size_t step = alone ? 1 : change[next] - change[c];
        for (size_t i = change[c]; here != 0 && i < change[next]; i += step)
            add_stretches(t, here, i, i + step, &rise, &fall);
    }
    add_track(t, 1, &rise);
    add_track(t, -1, &fall);
}

/* ---- Lanes with infusions */

static void add_others(struct hl_strand *s, struct hl_strand_curve *curve, const double *level, const double *wanted,
                       double *hours, double *hard)
{
    size_t size = s->z_capacity * HL_LANES;
    struct hl_strand_parts parts = hl_strand_part_rows(s, s->from_rows, s->from_rows + size, hard);
    hl_strand_judge_levels(s, curve, level, wanted, &parts);
    hl_strand_pursue_crossings(s, curve, level, &parts);
    hl_strand_add_hours(parts.from, parts.to, s->most_alike, hours);
}

/* Parts a row into lanes without and with infusions; whether there are any of these. */
static bool part_lanes(const struct hl_strand *s, const double *wanted, double *plain, double *others)
{
    bool infused[HL_LANES] = {0};
    for (size_t j = 0; s->infused && j < s->n_modes * HL_LANES; j++)
        infused[j % HL_LANES] = infused[j % HL_LANES] || s->g[j] != 0;
    for (size_t l = 0; l < HL_LANES; l++) {
        plain[l] = infused[l] ? 0 : wanted[l];
        others[l] = infused[l] ? wanted[l] : 0;
    }
    return hl_strand_is_any(others);
}

void hl_strand_run_hours(const struct hl_stretch *stretch, size_t k, const double *level, const double *wanted,
                         double *hours, double *late, double *hard)
{
    struct hl_strand *s = stretch->inside;
    struct hl_strand_curve *curve = &s->curve[k];
    row plain, others, n_alike, trend;
    bool has_others = part_lanes(s, wanted, plain, others);
    memset(hard, 0, s->most_alike * sizeof(row));
    if (has_others)
        add_others(s, curve, level, others, hours, hard);
    hl_strand_run_trend(stretch, k, trend);
    for (size_t l = 0; l < HL_LANES; l++)
        n_alike[l] = (double)s->n_alike[l];
    uint64_t *code = s->codes;
    size_t n = hl_strand_codes(s, curve, level, plain, n_alike, code, s->change);
    for (size_t l = 0; l < HL_LANES; l++)
        if (plain[l] != 0)
            add_lane(&(struct thread){s, curve, l, level[l], trend[l], hours + l, late + l, hard}, code, s->change, n);
    curve->open = false;
}
