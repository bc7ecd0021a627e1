/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rung is one total per drug; its doses follow from the total by the rule of taper/products.c. Rungs are listed in
 * falling lexicographic order of their totals: a step lowers at least one total and raises none, so it leads to a
 * lexicographically smaller tuple, hence to a higher number.
 *
 * A cap of c per d days (clonazepam reference, section 7.2, T3cap) asks D_new >= D (1 - c)^(days/d), days being the
 * length of the new level; a drug's step to zero is not judged. Its slack of 1e-9 is the one of the checker in
 * regimen/taper.c: sixteen quarters of 0.75 shouldn't fail by their last bit.
 *
 * Orders. ANY: any drugs step. IN_ORDER: one drug per step, the first that isn't at zero. ALTERNATING: one drug per
 * step, the one whose turn it is, drugs at zero being passed over. Whose turn it is depends on the way to a rung and is
 * therefore handed along.
 *
 * Thinning. What a step does is about proportional to (D + something) as long as the effect saturates, and a step of a
 * quantum at a high dose is no step at all. With m fixed the totals kept are k_0 = start, k_(i+1) = the largest
 * possible total <= k_i - (k_i + k_0/8)/m, all in whole units; the count of them grows with m, so the largest m that
 * leaves at most a wanted number is found by halving. */
#include "taper/rungs.h"

#include <math.h>

#include "base/whole.h"
#include "taper/products.h"

#define NOTHING    1e-9
#define FINEST     1000000 /* m: every amount is kept */
#define HOURS      24.0

/* One drug's totals in falling order, and all that belongs to them. */
struct ladder {
    struct hl_doses doses;
    struct hl_splits splits;
    size_t n;
    long *total;
    size_t n_kept;
    long *kept;
    long start;
};

static long start_total(const struct hl_taper_drug *drug)
{
    long total = 0;
    for (size_t j = 0; j < drug->n_doses; j++)
        total += drug->start[j];
    return total;
}

static bool start_can_be_made(const struct hl_taper_drug *drug, const struct hl_doses *doses)
{
    for (size_t j = 0; j < drug->n_doses; j++)
        if (!hl_doses_can(doses, drug->start[j]))
            return false;
    return true;
}

static bool ladder_make(struct hl_arena *arena, const struct hl_taper_drug *drug, bool alone, struct ladder *ladder,
                        struct hl_diag *diag)
{
    struct hl_pos pos = drug->n_products > 0 ? drug->product[0].pos : hl_pos_none();
    ladder->start = start_total(drug);
    if (ladder->start <= 0 || hl_doses_make(arena, drug, ladder->start, &ladder->doses) != HL_OK ||
        hl_splits_make(arena, drug, &ladder->doses, &ladder->splits) != HL_OK) {
        hl_diag_error(diag, pos, "the start of %s is %ld units of its products, expected 1 to %d; leave out the finest "
                      "product", drug->alias, ladder->start, HL_TAPER_UNITS);
        return false;
    }
    if (!alone && !start_can_be_made(drug, &ladder->doses)) {
        hl_diag_error(diag, pos, "the start of %s can't be made from its products, although it goes on while another "
                      "drug goes down", drug->alias);
        return false;
    }
    ladder->total = hl_arena_alloc(arena, (size_t)ladder->start + 1, sizeof *ladder->total);
    ladder->kept = hl_arena_alloc(arena, (size_t)ladder->start + 1, sizeof *ladder->kept);
    ladder->total[ladder->n++] = ladder->start;
    long units[HL_TAPER_STREAMS];
    for (long k = ladder->start - 1; k >= 0; k--)
        if (hl_splits_share(&ladder->splits, k, units))
            ladder->total[ladder->n++] = k;
    return true;
}

/* Keeps what m says; how many that are. */
static size_t thin_by(struct ladder *ladder, long m)
{
    size_t n = 0, last = ladder->n - 1;
    for (size_t i = 0; i < ladder->n; i++) {
        long k = ladder->total[i], above = n > 0 ? ladder->kept[n - 1] : 0;
        bool keep = i == 0 || i == last || i + 1 == last || 8 * m * (above - k) >= 8 * above + ladder->start;
        if (keep)
            ladder->kept[n++] = k;
    }
    ladder->n_kept = n;
    return n;
}

/* At most so many totals (never fewer than start, the lowest, and zero). */
static void thin(struct ladder *ladder, size_t most)
{
    long low = 1, high = FINEST;
    if (thin_by(ladder, FINEST) <= most)
        return;
    while (high - low > 1) {
        long middle = low + (high - low) / 2;
        if (thin_by(ladder, middle) <= most)
            low = middle;
        else
            high = middle;
    }
    thin_by(ladder, low);
}

static size_t product_of_kept(const struct ladder *ladder, size_t n_drugs)
{
    size_t n = 1;
    for (size_t d = 0; d < n_drugs; d++)
        n *= ladder[d].n_kept;
    return n;
}

/* Steps from rung to rung: of any drugs, pairs of tuples in which none rises; of one drug at a time, each tuple's lower
 * neighbours; in order, pairs along the one chain. As doubles: 10^16 tuples overflow nothing. */
static double pairs(const struct ladder *ladder, size_t n_drugs, enum hl_taper_order order)
{
    double any = 1, all = 1, lower = 0, chain = 1;
    for (size_t d = 0; d < n_drugs; d++) {
        double n = (double)ladder[d].n_kept;
        any *= n * (n + 1) / 2;
        all *= n;
        lower += (n - 1) / 2;
        chain += n - 1;
    }
    return order == HL_TAPER_ANY ? any - all : order == HL_TAPER_ALTERNATING ? all * lower : chain * (chain - 1) / 2;
}

static void fill_drug(const struct hl_taper_drug *drug, const struct ladder *ladder, long total,
                      size_t d, struct hl_taper_rung *rung)
{
    long *units = rung->units + drug->first_stream;
    if (total == ladder->start)
        for (size_t j = 0; j < drug->n_doses; j++)
            units[j] = drug->start[j];
    else
        hl_splits_share(&ladder->splits, total, units);
    rung->total[d] = total;
    for (size_t j = 0; j < drug->n_doses; j++)
        rung->pieces[d] += hl_doses_can(&ladder->doses, units[j]) ? ladder->doses.pieces[units[j]] : 0;
}

/* All tuples of kept totals, the last drug's falling fastest. */
static void tuples(struct hl_arena *arena, struct hl_taper_problem *p, const struct ladder *ladder)
{
    size_t n = product_of_kept(ladder, p->n_drugs);
    p->n_rungs = n;
    p->rung = hl_arena_alloc(arena, n, sizeof *p->rung);
    for (size_t r = 0; r < n; r++) {
        struct hl_taper_rung *rung = &p->rung[r];
        rung->units = hl_arena_alloc(arena, p->n_streams, sizeof *rung->units);
        rung->total = hl_arena_alloc(arena, p->n_drugs, sizeof *rung->total);
        rung->pieces = hl_arena_alloc(arena, p->n_drugs, sizeof *rung->pieces);
        for (size_t d = p->n_drugs, rest = r; d-- > 0; rest /= ladder[d].n_kept)
            fill_drug(&p->drug[d], &ladder[d], ladder[d].kept[rest % ladder[d].n_kept], d, rung);
    }
}

/* Leaves only rungs that the order of the drugs can reach, whatever the lengths and the caps; the end always stays. */
static void leave_reachable(struct hl_arena *arena, struct hl_taper_problem *p)
{
    size_t n = 0;
    bool *reached = hl_arena_alloc(arena, p->n_rungs, sizeof *reached);
    for (size_t r = 0; r < p->n_rungs; r++) {
        size_t away = 0;
        for (size_t d = 0; d < p->n_drugs; d++)
            away += p->rung[r].total[d] != p->rung[0].total[d] && p->rung[r].total[d] != 0;
        bool first = true; /* IN_ORDER: zeros, then one in between, then starts */
        for (size_t d = 0; d + 1 < p->n_drugs; d++)
            first = first && !(p->rung[r].total[d] != 0 && p->rung[r].total[d + 1] != p->rung[0].total[d + 1]);
        reached[r] = p->order != HL_TAPER_IN_ORDER || (away <= 1 && first);
    }
    for (size_t r = 0; r < p->n_rungs; r++)
        if (reached[r])
            p->rung[n++] = p->rung[r];
    p->n_rungs = n;
}

/* No total rises, and not all stay. */
static bool falls(const struct hl_taper_problem *p, size_t from, size_t to)
{
    for (size_t d = 0; d < p->n_drugs; d++)
        if (p->rung[to].total[d] > p->rung[from].total[d])
            return false;
    return from != to;
}

static void describe(struct hl_arena *arena, const struct hl_taper_problem *p, struct hl_rungs_report *report)
{
    const char *text = NULL;
    for (size_t d = 0; d < p->n_drugs; d++)
        if (report->kept[d] < report->possible[d])
            text = hl_arena_printf(arena, "%s%s%zu of the %zu amounts of %s", text ? text : "only ",
                                   text ? " and " : "", report->kept[d], report->possible[d], p->drug[d].alias);
    if (text)
        report->thinned = hl_arena_printf(arena, "%s that the products can make were tried, so that the search stays "
                                          "possible: each is lower than the one before by at least an equal part of "
                                          "(amount + start/8)", text);
}

enum hl_status hl_rungs_make(struct hl_arena *arena, struct hl_taper_problem *p, size_t most_pairs,
                             struct hl_rungs_report *report, struct hl_diag *diag)
{
    struct ladder *ladder = hl_arena_alloc(arena, HL_TAPER_DRUGS, sizeof *ladder);
    size_t most = 3;
    bool good = true;
    most_pairs = most_pairs > 0 ? most_pairs : HL_TAPER_PAIRS;
    for (size_t d = 0; d < p->n_drugs; d++) {
        good = ladder_make(arena, &p->drug[d], p->n_drugs == 1, &ladder[d], diag) && good;
        most = ladder[d].n > most ? ladder[d].n : most;
    }
    if (!good)
        return HL_ERR_INPUT;
    size_t alone = (size_t)sqrt(2.0 * (double)most_pairs) + 2; /* more of one drug would be too many already */
    for (most = most < alone ? most : alone;; most--) {
        for (size_t d = 0; d < p->n_drugs; d++)
            thin(&ladder[d], most);
        if (most <= 3 || pairs(ladder, p->n_drugs, p->order) <= (double)most_pairs)
            break;
    }
    tuples(arena, p, ladder);
    leave_reachable(arena, p);
    *report = (struct hl_rungs_report){0};
    for (size_t d = 0; d < p->n_drugs; d++) {
        report->possible[d] = ladder[d].n;
        report->kept[d] = ladder[d].n_kept;
    }
    describe(arena, p, report);
    return HL_OK;
}

static bool keeps_cap(const struct hl_taper_drug *drug, long from, long to, int days)
{
    if (!drug->has_cap || to == 0 || to == from || days == 0)
        return true;
    double allowed = pow(1 - drug->cap, days / drug->cap_days);
    return (double)to >= (double)from * allowed * (1 - NOTHING);
}

/* Which drug steps when only one may; -1 when more do. */
static int the_one(const struct hl_taper_problem *p, size_t from, size_t to)
{
    int one = -1;
    for (size_t d = 0; d < p->n_drugs; d++)
        if (p->rung[to].total[d] != p->rung[from].total[d]) {
            if (one >= 0)
                return -1;
            one = (int)d;
        }
    return one;
}

/* The first drug from turn on, round and round, that isn't at zero. */
static int whose(const struct hl_taper_problem *p, int turn, size_t from)
{
    int n = (int)p->n_drugs;
    for (int k = 0; k < n; k++)
        if (p->rung[from].total[(turn + k) % n] > 0)
            return (turn + k) % n;
    return -1;
}

int hl_rungs_turn(const struct hl_taper_problem *p, int turn, size_t from, size_t to, int days)
{
    if (!falls(p, from, to))
        return -1;
    for (size_t d = 0; d < p->n_drugs; d++)
        if (!keeps_cap(&p->drug[d], p->rung[from].total[d], p->rung[to].total[d], days))
            return -1;
    if (p->order == HL_TAPER_ANY)
        return 0;
    int one = the_one(p, from, to), due = whose(p, p->order == HL_TAPER_ALTERNATING ? turn : 0, from);
    if (one < 0 || one != due)
        return -1;
    return p->order == HL_TAPER_ALTERNATING ? (one + 1) % (int)p->n_drugs : 0;
}

int hl_lengths_grid(const struct hl_taper_problem *problem)
{
    uint64_t grid = 0;
    for (size_t l = 0; l < problem->n_lengths; l++)
        grid = hl_gcd((uint64_t)problem->length[l], grid);
    return grid > 0 ? (int)grid : 1;
}

int hl_schedule_days(const struct hl_taper_schedule *schedule)
{
    int days = 0;
    for (size_t k = 0; k < schedule->n; k++)
        days += schedule->step[k].days;
    return days;
}

double hl_schedule_pieces(const struct hl_taper_problem *p, const struct hl_taper_schedule *schedule)
{
    double pieces = 0;
    for (size_t k = 0; k < schedule->n; k++)
        for (size_t d = 0; d < p->n_drugs; d++)
            pieces += p->rung[schedule->step[k].rung].pieces[d] * (schedule->step[k].days * HOURS / p->drug[d].period);
    return pieces;
}

size_t hl_schedule_changes(const struct hl_taper_schedule *schedule)
{
    return schedule->n + 1;
}

static bool is_length(const struct hl_taper_problem *p, int days)
{
    for (size_t l = 0; l < p->n_lengths; l++)
        if (p->length[l] == days)
            return true;
    return false;
}

const char *hl_schedule_fault(const struct hl_taper_problem *p, const struct hl_taper_schedule *schedule)
{
    size_t at = 0;
    int turn = 0;
    for (size_t k = 0; k < schedule->n; k++) {
        struct hl_taper_step step = schedule->step[k];
        if (step.rung >= p->n_rungs - 1 || !is_length(p, step.days))
            return "a level isn't a rung above nothing, or its length isn't allowed";
        if ((turn = hl_rungs_turn(p, turn, at, step.rung, step.days)) < 0)
            return "a step rises, stays, breaks a cap or the order of the drugs";
        at = step.rung;
    }
    if (hl_rungs_turn(p, turn, at, p->n_rungs - 1, 0) < 0)
        return "the order of the drugs doesn't let it end there";
    return hl_schedule_days(schedule) > p->longest ? "it lasts too long" : NULL;
}
