/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole numbers throughout. A strength s is a whole number of 1e-9 (mg, or what it is given in); with L the least
 * common multiple of all numbers of pieces, s L / p is one too, for a product that breaks into p. Their greatest common
 * divisor g makes the unit g / L * 1e-9, of which every piece is a whole number: exact for thirds as well.
 *
 * A product broken into p equal pieces gives pieces of p/d of them for each divisor d of p: whole, halves, quarters.
 * The cheapest sum of solid pieces for each amount is the coin-change recursion
 *
 *     cost(k) = min over kinds of cost(k - w) + 1 piece (+ 1 broken)
 *
 * compared by pieces, then by broken ones. A measured product m (drops, marks of a syringe) is one act however many
 * there are: cost(k) = min(cost(k), 1 piece + min over j >= 1 of cost(k - j w)), whose inner minimum is a running one
 * along k, k - w, k - 2 w, ...; each measured product is used at most once per dose, after all solid ones.
 *
 * Shares (clonazepam reference, section 7.1: b.i.d. with the larger part in the evening, t.i.d. with the first spare
 * quantum in the evening and the second in the morning) for any set of products: over n doses x_1 .. x_n of a total D,
 * sum (x_i - D/n)^2 = sum x_i^2 - D^2/n, so that one table of the least sum of squares serves every total:
 *
 *     f_j(s) = min over makeable x <= s of x^2 + f_(j+1)(s - x),  f_(n+1)(0) = 0
 *
 * with j counting doses in spare order and, of equal sums, the largest x: the earlier in that order takes the spare.
 * Where every amount can be made this is the reference's rule. */
#include "taper/products.h"

#include <limits.h>
#include <math.h>

#include "base/whole.h"

#define NANO       1e9
#define SLACK      1e-6                 /* of a unit, or of a nano-unit: what decimal fractions lose as doubles */
#define ONE_PIECE  ((uint64_t)1 << 32)
#define ONE_BROKEN ((uint64_t)1)
#define NO_COST    UINT64_MAX

static void sort_products(struct hl_taper_drug *drug)
{
    for (size_t i = 1; i < drug->n_products; i++)
        for (size_t j = i; j > 0 && drug->product[j].strength > drug->product[j - 1].strength; j--) {
            struct hl_product swap = drug->product[j];
            drug->product[j] = drug->product[j - 1];
            drug->product[j - 1] = swap;
        }
}

/* A strength in whole 1e-9; 0 when it is none. */
static uint64_t nano(double strength)
{
    double scaled = strength * NANO;
    if (!(scaled >= 1 && scaled < 1e15) || fabs(scaled - round(scaled)) > SLACK * fmax(1, scaled * 1e-6))
        return 0;
    return (uint64_t)llround(scaled);
}

bool hl_products_unit(struct hl_taper_drug *drug)
{
    uint64_t common = 0, multiple = 1;
    sort_products(drug);
    for (size_t p = 0; p < drug->n_products; p++) {
        const struct hl_product *product = &drug->product[p];
        if (product->pieces < 1 || product->pieces > 100 || nano(product->strength) == 0)
            return false;
        multiple *= (uint64_t)product->pieces / hl_gcd(multiple, (uint64_t)product->pieces);
        if (multiple > 10000)
            return false;
    }
    for (size_t p = 0; p < drug->n_products; p++)
        common = hl_gcd(nano(drug->product[p].strength) * (multiple / (uint64_t)drug->product[p].pieces), common);
    if (common == 0)
        return false;
    for (size_t p = 0; p < drug->n_products; p++)
        drug->product[p].piece_units =
            (long)(nano(drug->product[p].strength) * (multiple / (uint64_t)drug->product[p].pieces) / common);
    drug->unit = (double)common / (double)multiple / NANO;
    return true;
}

bool hl_products_units(const struct hl_taper_drug *drug, double total, long *units)
{
    double k = round(total / drug->unit);
    if (!(k >= 0 && k <= HL_TAPER_UNITS) || fabs(total / drug->unit - k) > SLACK)
        return false;
    *units = (long)k;
    return true;
}

/* Every kind of solid piece, larger ones first, so that of equal sums the last one tried is the smaller. */
static void list_kinds(struct hl_arena *arena, const struct hl_taper_drug *drug, struct hl_doses *doses)
{
    size_t capacity = 0;
    for (size_t p = 0; p < drug->n_products; p++) {
        const struct hl_product *product = &drug->product[p];
        for (int d = 1; d <= product->pieces && !product->measured; d++) {
            if (product->pieces % d != 0)
                continue;
            doses->kind = hl_arena_push(arena, doses->kind, doses->n_kinds, &capacity, sizeof *doses->kind);
            doses->kind[doses->n_kinds++] =
                (struct hl_solid){.product = p, .units = product->pieces / d * product->piece_units,
                                  .smallest = product->pieces / d, .broken = d > 1};
        }
    }
    for (size_t i = 1; i < doses->n_kinds; i++)
        for (size_t j = i; j > 0 && doses->kind[j].units > doses->kind[j - 1].units; j--) {
            struct hl_solid swap = doses->kind[j];
            doses->kind[j] = doses->kind[j - 1];
            doses->kind[j - 1] = swap;
        }
}

static void add_solids(struct hl_doses *doses)
{
    for (long k = 1; k <= doses->most; k++)
        for (size_t i = 0; i < doses->n_kinds; i++) {
            const struct hl_solid *kind = &doses->kind[i];
            if (kind->units > k || doses->cost[k - kind->units] == NO_COST)
                continue;
            uint64_t cost = doses->cost[k - kind->units] + ONE_PIECE + (kind->broken ? ONE_BROKEN : 0);
            if (cost < doses->cost[k]) {
                doses->cost[k] = cost;
                doses->last[k] = (int)i;
            }
        }
}

/* One measured product: best[k] is the cheapest of what is left when at least one mark is taken, from[k] how many. */
static void add_measured(struct hl_doses *doses, long units, long *take, uint64_t *best, long *from)
{
    for (long k = 0; k <= doses->most; k++) {
        best[k] = NO_COST;
        from[k] = 0;
        if (k < units)
            continue;
        bool further = best[k - units] < doses->cost[k - units];
        best[k] = further ? best[k - units] : doses->cost[k - units];
        from[k] = further ? from[k - units] + 1 : 1;
    }
    for (long k = 0; k <= doses->most; k++)
        if (best[k] != NO_COST && best[k] + ONE_PIECE < doses->cost[k]) {
            doses->cost[k] = best[k] + ONE_PIECE;
            take[k] = from[k];
        }
}

enum hl_status hl_doses_make(struct hl_arena *arena, const struct hl_taper_drug *drug, long most,
                             struct hl_doses *doses)
{
    if (most < 0 || most > HL_TAPER_UNITS)
        return HL_ERR_DOMAIN;
    size_t n = (size_t)most + 1;
    *doses = (struct hl_doses){.most = most};
    doses->pieces = hl_arena_alloc(arena, n, sizeof *doses->pieces);
    doses->cost = hl_arena_alloc(arena, n, sizeof *doses->cost);
    doses->last = hl_arena_alloc(arena, n, sizeof *doses->last);
    doses->measured = hl_arena_alloc(arena, drug->n_products, sizeof *doses->measured);
    for (size_t k = 0; k < n; k++) {
        doses->cost[k] = k == 0 ? 0 : NO_COST;
        doses->last[k] = -1;
    }
    list_kinds(arena, drug, doses);
    add_solids(doses);
    uint64_t *best = hl_arena_alloc(arena, n, sizeof *best);
    long *from = hl_arena_alloc(arena, n, sizeof *from);
    for (size_t p = 0; p < drug->n_products; p++)
        if (drug->product[p].measured) {
            doses->measured[p] = hl_arena_alloc(arena, n, sizeof *doses->measured[p]);
            add_measured(doses, drug->product[p].piece_units, doses->measured[p], best, from);
        }
    for (size_t k = 0; k < n; k++) {
        uint64_t pieces = doses->cost[k] / ONE_PIECE;
        bool can = doses->cost[k] != NO_COST && (drug->most_pieces <= 0 || pieces <= (uint64_t)drug->most_pieces);
        doses->pieces[k] = can ? (unsigned)pieces : UINT_MAX;
    }
    return HL_OK;
}

bool hl_doses_can(const struct hl_doses *doses, long amount)
{
    return amount >= 0 && amount <= doses->most && doses->pieces[amount] != UINT_MAX;
}

bool hl_doses_count(const struct hl_doses *doses, const struct hl_taper_drug *drug, long amount, long *count)
{
    for (size_t p = 0; p < drug->n_products; p++)
        count[p] = 0;
    if (!hl_doses_can(doses, amount))
        return false;
    for (size_t p = drug->n_products; p-- > 0;)
        if (doses->measured[p]) {
            count[p] = doses->measured[p][amount];
            amount -= count[p] * drug->product[p].piece_units;
        }
    while (amount > 0) {
        const struct hl_solid *kind = &doses->kind[doses->last[amount]];
        count[kind->product] += kind->smallest;
        amount -= kind->units;
    }
    return true;
}

/* f_j from f_(j+1), and which x it took. */
static void share_one(const struct hl_doses *doses, const int64_t *rest, int64_t *best, long *share)
{
    for (long s = 0; s <= doses->most; s++) {
        best[s] = -1;
        for (long x = 0; x <= s; x++) {
            if (rest[s - x] < 0 || doses->pieces[x] == UINT_MAX)
                continue;
            int64_t sum = (int64_t)x * x + rest[s - x];
            if (best[s] < 0 || sum <= best[s]) {
                best[s] = sum;
                share[s] = x;
            }
        }
    }
}

enum hl_status hl_splits_make(struct hl_arena *arena, const struct hl_taper_drug *drug, const struct hl_doses *doses,
                              struct hl_splits *splits)
{
    size_t n = (size_t)doses->most + 1, n_doses = drug->n_doses;
    *splits = (struct hl_splits){.most = doses->most, .n_doses = n_doses, .spare = drug->spare};
    splits->unevenness = hl_arena_alloc(arena, (n_doses + 1) * n, sizeof *splits->unevenness);
    splits->share = hl_arena_alloc(arena, (n_doses + 1) * n, sizeof *splits->share);
    for (size_t s = 1; s < n; s++)
        splits->unevenness[n_doses * n + s] = -1;
    for (size_t j = n_doses; j-- > 0;)
        share_one(doses, splits->unevenness + (j + 1) * n, splits->unevenness + j * n, splits->share + j * n);
    return HL_OK;
}

bool hl_splits_share(const struct hl_splits *splits, long total, long *units)
{
    size_t n = (size_t)splits->most + 1;
    if (total < 0 || total > splits->most || splits->unevenness[total] < 0)
        return false;
    for (size_t j = 0; j < splits->n_doses; j++) {
        units[splits->spare[j]] = splits->share[j * n + (size_t)total];
        total -= units[splits->spare[j]];
    }
    return true;
}
