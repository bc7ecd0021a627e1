/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantiles of a stream, exact, in memory that grows with the root of the number of values.
 *
 * Of n values in random order, take the first i. The value that will have rank p n among all of them has among the i
 * a rank that is hypergeometric: its mean is p i, its variance i p (1 - p) (1 - i/n). So outside a bracket of some
 * SIGMAS standard deviations around rank p i, values needn't be kept, only counted: below the bracket, or above. The
 * bracket widens at first, is widest when half the values have come (0.5 sqrt(n p (1 - p)) SIGMAS to either side;
 * 3000 ranks on either side of the median of a million), and closes again. A column keeps the values inside its
 * brackets, one bracket per quantile, in a buffer; when that is full the brackets are narrowed to what is needed by
 * now (their ends are order statistics of what has been kept) and what fell outside is thrown away after counting.
 *
 * In the end the number of values up to a bracket's lower end is known, so the rank looked for is either inside, and
 * its value found by selection among the kept ones, or it is not, and this is known too: nothing depends on luck but
 * whether a second look is needed. With 6 standard deviations that is one case in 1e9 per bracket, if the order is
 * random: subjects of a cohort are drawn independently. The idea is Floyd and Rivest's (CACM 1975;18:165), turned
 * from an array to a stream.
 *
 * Equal values: a bracket is a half-open interval (low, high], and low is the number just below the lowest value that
 * must be kept, so that equal ones stay together. When more than half of a full bracket is one and the same value
 * (all zero before the first dose), it is counted instead of kept. */
#include "measure/ranks.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "measure/columns.h"

#define SIGMAS 6.0
#define MOST_ROUNDS 20 /* of looking for an end */
#define SPARE 0.1      /* of a margin may be kept beyond either end */
#define TIGHTEN 1.5 /* times what must be kept: with more it pays to narrow before the next portions */

/* Values in (low, high] are kept, but those equal to same (NaN: none) only counted. above: values greater than low; n:
 * kept ones, as recount found it. */
struct bracket { double low, high, same; uint64_t above, n, n_same; };

struct column { uint64_t n; size_t n_brackets, n_kept; bool lost; };

struct hl_ranks {
    size_t n_columns, capacity, n_probabilities;
    uint64_t total;
    const double *probability;
    struct column *column;
    struct bracket *bracket; /* [column][n_probabilities] */
    double *kept;            /* [column][capacity] */
};

/* ---- How much. */

/* Ranks to either side of p i that the final value may have among the first i; the second term is for shares so near to
 * 0 or 1 that the distribution is Poisson's. */
static double margin(uint64_t i, uint64_t total, double p)
{
    double left = i < total ? 1 - (double)i / (double)total : 0;
    return SIGMAS * sqrt((double)i * p * (1 - p) * left) + SIGMAS * SIGMAS / 3;
}

size_t hl_ranks_capacity(uint64_t total, const double *probability, size_t n_probabilities)
{
    double widest = 0; /* all brackets together */
    for (size_t i = 0; i < n_probabilities; i++)
        widest += 2 * margin(total / 2, total, probability[i]) + 3;
    double capacity = ceil(1.5 * widest) + 4 * HL_PIECE; /* half as much again: narrowing is not for nothing then */
    return n_probabilities == 0 ? 0 : capacity < (double)total ? (size_t)capacity : (size_t)total;
}

size_t hl_ranks_bytes(size_t capacity, size_t n_probabilities)
{
    return capacity * sizeof(double) + n_probabilities * sizeof(struct bracket) + sizeof(struct column);
}

struct hl_ranks *hl_ranks_create(size_t n_columns, uint64_t total, size_t capacity, const double *probability,
                                 size_t n_probabilities)
{
    struct hl_ranks *r = hl_alloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct hl_ranks){.n_columns = n_columns, .capacity = (capacity + HL_PIECE - 1) / HL_PIECE * HL_PIECE,
                           .n_probabilities = n_probabilities, .total = total, .probability = probability};
    r->column = hl_alloc(n_columns, sizeof *r->column);
    r->bracket = hl_alloc(n_columns * n_probabilities, sizeof *r->bracket);
    r->kept = hl_alloc_unset(n_columns, r->capacity * sizeof *r->kept);
    if (!r->column || !r->bracket || !r->kept) {
        hl_ranks_free(r);
        return NULL;
    }
    for (size_t c = 0; c < n_columns && n_probabilities > 0; c++) {
        r->column[c].n_brackets = 1;
        r->bracket[c * n_probabilities] =
            (struct bracket){.low = -(double)INFINITY, .high = (double)INFINITY, .same = (double)NAN};
    }
    return r;
}

size_t hl_ranks_scratch(const struct hl_ranks *r)
{
    return r->capacity;
}

void hl_ranks_free(struct hl_ranks *r)
{
    if (!r)
        return;
    hl_free(r->column);
    hl_free(r->bracket);
    hl_free(r->kept);
    hl_free(r);
}

/* ---- Where a rank is. */

/* How many kept values are in each bracket, before anybody asks. */
static void recount(const struct column *c, struct bracket *bracket, const double *kept)
{
    for (size_t k = 0; k < c->n_brackets; k++)
        bracket[k].n = c->n_brackets == 1 ? c->n_kept
                                          : hl_count_greater(kept, c->n_kept, bracket[k].low) -
                                                hl_count_greater(kept, c->n_kept, bracket[k].high);
}

/* Ranks of all values that are in a bracket: first, and one past the last. */
static uint64_t first_rank(const struct column *c, const struct bracket *b)
{
    return c->n - b->above;
}

static uint64_t end_rank(const struct column *c, const struct bracket *b)
{
    return c->n - b->above + b->n + b->n_same;
}

/* Where the value of a rank inside bracket k will stand among the kept ones once they are in order; -1: it is the
 * bracket's counted value. */
static ptrdiff_t place_of(const struct column *c, const struct bracket *bracket, size_t k, const double *kept,
                          uint64_t rank)
{
    const struct bracket *b = &bracket[k];
    uint64_t within = rank - first_rank(c, b), start = 0, below = 0;
    for (size_t i = 0; i < k; i++)
        start += bracket[i].n;
    for (size_t i = 0; b->n_same > 0 && i < c->n_kept; i++)
        below += kept[i] > b->low && kept[i] < b->same;
    if (b->n_same > 0 && within >= below && within < below + b->n_same)
        return -1;
    if (b->n_same > 0 && within >= below)
        within -= b->n_same;
    return (ptrdiff_t)(start + within);
}

/* The bracket that a rank is in, or the last one before it. */
static size_t bracket_of(const struct column *c, const struct bracket *bracket, uint64_t rank)
{
    size_t k = 0;
    while (k + 1 < c->n_brackets && first_rank(c, &bracket[k + 1]) <= rank)
        k++;
    return k;
}

#define AT_ONCE 256 /* quantiles; as many as a study may ask for */

/* Places of interest, ascending, and the values that stand there. */
struct places { size_t n, place[2 * AT_ONCE]; double value[2 * AT_ONCE]; };

static void insert_place(struct places *p, ptrdiff_t wanted)
{
    size_t i = p->n;
    if (wanted < 0)
        return;
    while (i > 0 && p->place[i - 1] > (size_t)wanted)
        i--;
    if (i > 0 && p->place[i - 1] == (size_t)wanted)
        return;
    memmove(p->place + i + 1, p->place + i, (p->n - i) * sizeof *p->place);
    p->place[i] = (size_t)wanted;
    p->n++;
}

static double value_at(const struct places *p, ptrdiff_t place)
{
    size_t i = 0;
    while (p->place[i] != (size_t)place)
        i++;
    return p->value[i];
}

/* ---- Narrowing. */

/* What a quantile needs by now, cut to its bracket: the values in places from .. to, or to the bracket's own ends; and
 * the ends that give it that, or `spare` more. Place -1: the value that is only counted. */
struct window { size_t bracket, spare; bool keeps_low, keeps_high; ptrdiff_t from, to; double low, high; };

static struct window window_of(const struct hl_ranks *r, const struct column *c, const struct bracket *bracket,
                               const double *kept, double p)
{
    double center = p * (double)(c->n - 1), wide = margin(c->n, r->total, p);
    double low = floor(center - wide), high = ceil(center + wide) + 1;
    struct window w = {.bracket = bracket_of(c, bracket, (uint64_t)center), .spare = 2 + (size_t)(SPARE * wide)};
    const struct bracket *b = &bracket[w.bracket];
    w.keeps_low = low <= (double)first_rank(c, b) || low >= (double)end_rank(c, b);
    w.keeps_high = high >= (double)end_rank(c, b) - 1 || high < (double)first_rank(c, b);
    w.from = w.keeps_low ? -1 : place_of(c, bracket, w.bracket, kept, (uint64_t)low);
    w.to = w.keeps_high ? -1 : place_of(c, bracket, w.bracket, kept, (uint64_t)high);
    w.low = w.keeps_low ? b->low : nextafter(b->same, -(double)INFINITY);
    w.high = w.keeps_high ? b->high : b->same;
    return w;
}

/* Where kept values of one bracket lie: up to low there are `below` kept ones, up to high `above`. */
struct span { double low, high; size_t below, above; };

/* A value up to which there are least to most of the n kept ones, by counting what is greater than a guess: on straight
 * lines, every third time in the middle. False when that leads nowhere: among equal values, say. */
static bool find_end(const double *kept, size_t n, struct span span, size_t least, size_t most, double *end)
{
    double wanted = 0.5 * ((double)least + (double)most);
    for (int round = 1; round <= MOST_ROUNDS && span.high > span.low && span.above > span.below; round++) {
        double line = (wanted - (double)span.below) / ((double)span.above - (double)span.below);
        *end = span.low + (round % 3 == 0 ? 0.5 : line) * (span.high - span.low);
        size_t found = n - hl_count_greater(kept, n, *end);
        if (found >= least && found <= most)
            return true;
        if ((double)found < wanted) {
            span.low = *end;
            span.below = found;
        } else {
            span.high = *end;
            span.above = found;
        }
    }
    return false;
}

/* Ends of windows by counting. False when one of them must be looked for in another way. */
static bool find_ends(const struct hl_ranks *r, const struct column *c, const struct bracket *bracket,
                      const double *kept, struct window *window)
{
    double least, most;
    size_t n = c->n_kept, before[AT_ONCE];
    bool good = n > 0;
    if (!good)
        return false;
    hl_range(kept, n, &least, &most);
    for (size_t k = 0, sum = 0; k < c->n_brackets; sum += bracket[k].n, k++)
        before[k] = sum;
    for (size_t i = 0; good && i < r->n_probabilities; i++) {
        struct window *w = &window[i];
        const struct bracket *b = &bracket[w->bracket];
        size_t start = before[w->bracket], end = start + b->n, from = (size_t)w->from, to = (size_t)w->to + 1;
        struct span span = {fmax(b->low, least), fmin(b->high, most), start, end};
        good = isfinite(span.low) && isfinite(span.high) && isfinite(span.high - span.low);
        if (good && w->from >= 0)
            good = find_end(kept, n, span, from > start + w->spare ? from - w->spare : start, from, &w->low);
        if (good && w->to >= 0)
            good = find_end(kept, n, span, to, to + w->spare < end ? to + w->spare : end, &w->high);
    }
    return good;
}

/* The same by putting the values in order, as far as needed. */
static void select_ends(const struct hl_ranks *r, const struct column *c, const double *kept, struct window *window,
                        double *scratch)
{
    struct places places = {.n = 0};
    for (size_t i = 0; i < r->n_probabilities; i++) {
        insert_place(&places, window[i].from);
        insert_place(&places, window[i].to);
    }
    memcpy(scratch, kept, c->n_kept * sizeof *kept);
    hl_take_ranks(scratch, c->n_kept, places.place, places.n, places.value);
    for (size_t i = 0; i < r->n_probabilities; i++) {
        if (window[i].from >= 0)
            window[i].low = nextafter(value_at(&places, window[i].from), -(double)INFINITY);
        if (window[i].to >= 0)
            window[i].high = value_at(&places, window[i].to);
    }
}

/* What bracket b, inside of which old it is, counts; then what is outside all of the new ones is thrown away. */
static void count_bracket(struct bracket *b, const struct bracket *old, const double *kept, size_t n_kept)
{
    size_t greater = hl_count_greater(kept, n_kept, b->low);
    b->n = greater - hl_count_greater(kept, n_kept, b->high);
    b->above = old->above - old->n - old->n_same + greater - hl_count_greater(kept, n_kept, old->high);
    if (old->n_same > 0 && old->same > b->low)
        b->above += old->n_same;
    if (old->n_same > 0 && old->same > b->low && old->same <= b->high) {
        b->same = old->same;
        b->n_same = old->n_same;
    }
}

static size_t throw_away(const struct bracket *bracket, size_t n, double *kept, size_t n_kept)
{
    double end[2 * AT_ONCE];
    for (size_t k = 0; k < n; k++) {
        end[2 * k] = bracket[k].low;
        end[2 * k + 1] = bracket[k].high;
    }
    return hl_keep_inside(kept, n_kept, end, 2 * n);
}

/* Whether a few values taken here and there all differ: hardly ever so where many are equal. */
static bool are_distinct(const double *kept, size_t n)
{
    enum { TAKEN = 8 };
    bool distinct = n >= TAKEN;
    for (size_t i = 1; distinct && i < TAKEN; i++)
        for (size_t k = 0; k < i; k++)
            distinct &= kept[i * n / TAKEN] != kept[k * n / TAKEN];
    return distinct;
}

/* Where more than half of a bracket that takes much room is one value, that value is counted from now on. */
static void count_equal_ones(const struct hl_ranks *r, struct column *c, struct bracket *b, double *kept,
                             double *scratch)
{
    if (b->n < r->capacity / 4 || b->n_same > 0 || are_distinct(kept, c->n_kept))
        return;
    size_t n = 0, equal = 0, left = 0;
    for (size_t i = 0; i < c->n_kept; i++)
        if (kept[i] > b->low && kept[i] <= b->high)
            scratch[n++] = kept[i];
    double same;
    hl_take_ranks(scratch, n, (const size_t[]){n / 2}, 1, &same);
    for (size_t i = 0; i < c->n_kept; i++)
        equal += kept[i] == same;
    if (equal <= n / 2)
        return;
    for (size_t i = 0; i < c->n_kept; i++) {
        kept[left] = kept[i];
        left += kept[i] != same;
    }
    b->same = same;
    b->n_same = equal;
    b->n -= equal;
    c->n_kept = left;
}

/* New brackets from windows: those that overlap become one. */
static size_t join_windows(const struct hl_ranks *r, const struct window *window, struct bracket *new, size_t *parent)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_probabilities; i++) {
        const struct window *w = &window[i];
        if (n > 0 && w->low < new[n - 1].high) {
            new[n - 1].high = fmax(new[n - 1].high, w->high);
            new[n - 1].low = fmin(new[n - 1].low, w->low);
            continue;
        }
        parent[n] = w->bracket;
        new[n++] = (struct bracket){.low = w->low, .high = w->high, .same = (double)NAN};
    }
    return n;
}

static void narrow(struct hl_ranks *r, struct column *c, struct bracket *bracket, double *kept, double *scratch)
{
    struct window window[AT_ONCE];
    struct bracket new[AT_ONCE];
    size_t parent[AT_ONCE];
    recount(c, bracket, kept);
    for (size_t i = 0; i < r->n_probabilities; i++)
        window[i] = window_of(r, c, bracket, kept, r->probability[i]);
    if (!find_ends(r, c, bracket, kept, window))
        select_ends(r, c, kept, window, scratch);
    size_t n = join_windows(r, window, new, parent);
    for (size_t k = 0; k < n; k++)
        count_bracket(&new[k], &bracket[parent[k]], kept, c->n_kept);
    c->n_kept = throw_away(new, n, kept, c->n_kept);
    memcpy(bracket, new, n * sizeof *new);
    c->n_brackets = n;
    for (size_t k = 0; k < n; k++)
        count_equal_ones(r, c, &bracket[k], kept, scratch);
}

/* ---- Filling. */

/* Of the portion's brackets the one that b, which is inside one of them, came from. */
static size_t parent_of(const struct bracket *b, const struct hl_portion *p)
{
    size_t k = 0;
    while (k + 1 < p->n_brackets && p->high[k * p->stride] < b->high)
        k++;
    return k;
}

/* Counts what a portion means for bracket b, which may be narrower by now than the one the portion was held against. */
static void count_portion(struct bracket *b, const struct hl_portion *p)
{
    size_t k = parent_of(b, p);
    double high = p->high[k * p->stride], low = p->low[k * p->stride], same = p->same[k * p->stride];
    uint64_t equal = p->equal[k * p->stride], beyond = hl_count_greater(p->value, p->n, high);
    uint64_t inside = hl_count_greater(p->value, p->n, low) - beyond;
    b->above += p->above[k * p->stride] - inside - equal + hl_count_greater(p->value, p->n, b->low) - beyond;
    for (size_t i = 0; !isnan(b->same) && i < p->n; i++)
        b->n_same += p->value[i] == b->same;
    if (equal > 0 && same > b->low)
        b->above += equal;
    if (equal > 0 && same > b->low && same <= b->high)
        b->n_same += equal; /* a narrower bracket goes on counting the value that was counted before */
}

static bool is_kept(const struct column *c, const struct bracket *bracket, double x)
{
    for (size_t k = 0; k < c->n_brackets; k++)
        if (x > bracket[k].low && x <= bracket[k].high)
            return !(x == bracket[k].same);
    return false;
}

static bool counts_equal_ones(const struct column *c, const struct bracket *bracket)
{
    bool any = false;
    for (size_t k = 0; k < c->n_brackets; k++)
        any = any || !isnan(bracket[k].same);
    return any;
}

static void keep_portion(struct column *c, const struct bracket *bracket, double *kept, size_t capacity,
                         const struct hl_portion *p)
{
    if (c->n_kept + p->n <= capacity && !counts_equal_ones(c, bracket)) {
        memcpy(kept + c->n_kept, p->value, p->n * sizeof *kept);
        c->n_kept += throw_away(bracket, c->n_brackets, kept + c->n_kept, p->n);
        return;
    }
    for (size_t i = 0; i < p->n && !c->lost; i++) {
        if (!is_kept(c, bracket, p->value[i]))
            continue;
        c->lost = c->n_kept == capacity;
        if (!c->lost)
            kept[c->n_kept++] = p->value[i];
    }
}

/* Whether the portion was held against the very brackets that there are now. */
static bool is_current(const struct column *c, const struct bracket *bracket, const struct hl_portion *p)
{
    bool current = c->n_brackets == p->n_brackets;
    for (size_t k = 0; current && k < c->n_brackets; k++) {
        double same = p->same[k * p->stride];
        current = p->low[k * p->stride] == bracket[k].low && p->high[k * p->stride] == bracket[k].high &&
                  (same == bracket[k].same || (isnan(same) && isnan(bracket[k].same)));
    }
    return current;
}

static void take_as_it_is(struct column *c, struct bracket *bracket, double *kept, const struct hl_portion *p)
{
    for (size_t k = 0; k < c->n_brackets; k++) {
        bracket[k].above += p->above[k * p->stride];
        bracket[k].n_same += p->equal[k * p->stride];
    }
    memcpy(kept + c->n_kept, p->value, p->n * sizeof *kept);
    c->n_kept += p->n;
}

void hl_ranks_take(struct hl_ranks *r, size_t column, const struct hl_portion *p, double *scratch)
{
    struct column *c = &r->column[column];
    struct bracket *bracket = &r->bracket[column * r->n_probabilities];
    double *kept = r->kept + column * r->capacity;
    if (r->n_probabilities == 0 || c->lost)
        return;
    if (c->n_kept + p->n > r->capacity && c->n > 0 && r->capacity < r->total)
        narrow(r, c, bracket, kept, scratch);
    c->n += p->n_numbers;
    if (c->n_kept + p->n <= r->capacity && is_current(c, bracket, p)) {
        take_as_it_is(c, bracket, kept, p);
        return;
    }
    for (size_t k = 0; k < c->n_brackets; k++)
        count_portion(&bracket[k], p);
    keep_portion(c, bracket, kept, r->capacity, p);
}

void hl_ranks_add(struct hl_ranks *r, size_t column, const double *values, size_t n_numbers, double *scratch)
{
    static const double low = -(double)INFINITY, high = (double)INFINITY, same = (double)NAN;
    double value[HL_PIECE];
    uint8_t above = 0, equal = 0;
    struct hl_portion p = {.n_numbers = n_numbers, .value = value, .n_brackets = 1, .low = &low, .high = &high,
                           .same = &same, .above = &above, .equal = &equal};
    for (size_t i = 0; i < HL_PIECE; i++) {
        value[p.n] = values[i];
        p.n += values[i] > low;
    }
    above = (uint8_t)p.n;
    hl_ranks_take(r, column, &p, scratch);
}

void hl_ranks_tighten(struct hl_ranks *r, size_t column, double *scratch)
{
    struct column *c = &r->column[column];
    double needed = 0;
    for (size_t i = 0; i < r->n_probabilities; i++)
        needed += 2 * margin(c->n, r->total, r->probability[i]) + 3;
    if (!c->lost && c->n > 0 && r->capacity < r->total && (double)c->n_kept > TIGHTEN * needed)
        narrow(r, c, &r->bracket[column * r->n_probabilities], r->kept + column * r->capacity, scratch);
}

size_t hl_ranks_show(const struct hl_ranks *r, size_t column, size_t stride, double *low, double *high, double *same)
{
    const struct bracket *bracket = &r->bracket[column * r->n_probabilities];
    size_t n = r->column[column].lost ? 0 : r->column[column].n_brackets;
    for (size_t k = 0; k < r->n_probabilities; k++) {
        low[k * stride] = k < n ? bracket[k].low : (double)INFINITY;
        high[k * stride] = k < n ? bracket[k].high : (double)INFINITY;
        same[k * stride] = k < n && bracket[k].n_same > 0 ? bracket[k].same : (double)NAN;
    }
    return n;
}

/* ---- The end. */

#define LEAST (-2) /* in the place of a place: the value is minus infinity */

static bool find_ranks(const struct hl_ranks *r, const struct column *c, const struct bracket *bracket,
                       const double *kept, ptrdiff_t (*at)[2], size_t *in)
{
    for (size_t i = 0; i < r->n_probabilities; i++) {
        uint64_t below = (uint64_t)floor((double)(c->n - 1) * r->probability[i]);
        for (uint64_t k = 0; k < 2; k++) {
            uint64_t rank = below + k < c->n ? below + k : c->n - 1;
            size_t b = bracket_of(c, bracket, rank);
            in[2 * i + k] = b;
            at[i][k] = LEAST;
            if (rank < first_rank(c, &bracket[b]) && bracket[b].low < -DBL_MAX)
                continue; /* what isn't greater than minus infinity */
            if (rank < first_rank(c, &bracket[b]) || rank >= end_rank(c, &bracket[b]))
                return false;
            at[i][k] = place_of(c, bracket, b, kept, rank);
        }
    }
    return true;
}

bool hl_ranks_quantiles(struct hl_ranks *r, size_t column, double *result)
{
    struct column *c = &r->column[column];
    struct bracket *bracket = &r->bracket[column * r->n_probabilities];
    double *kept = r->kept + column * r->capacity;
    struct places places = {.n = 0};
    ptrdiff_t at[AT_ONCE][2];
    size_t in[2 * AT_ONCE];
    for (size_t i = 0; i < r->n_probabilities; i++)
        result[i] = (double)NAN;
    if (c->n == 0)
        return true;
    recount(c, bracket, kept);
    if (c->lost || !find_ranks(r, c, bracket, kept, at, in))
        return false;
    for (size_t i = 0; i < 2 * r->n_probabilities; i++)
        insert_place(&places, at[i / 2][i % 2]);
    if (places.n > 0)
        hl_take_ranks(kept, c->n_kept, places.place, places.n, places.value);
    for (size_t i = 0; i < r->n_probabilities; i++) {
        double x[2];
        for (size_t k = 0; k < 2; k++)
            x[k] = at[i][k] == LEAST ? -(double)INFINITY
                                     : at[i][k] < 0 ? bracket[in[2 * i + k]].same : value_at(&places, at[i][k]);
        result[i] = hl_type7((size_t)c->n, r->probability[i], x[0], x[1]);
    }
    return true;
}
