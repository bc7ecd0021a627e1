/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Amounts, pieces, shares and rungs of designed tapers: the reference's own examples, and random products against
 * plain enumeration. HL_SEED names the first random case, HL_CASES how many there are. */
#include "unit/taper_sample.h"

#include <limits.h>

static struct hl_arena *arena;
static struct hl_diag *diag;

static int start(void **state)
{
    (void)state;
    arena = hl_arena_create();
    diag = hl_diag_create();
    return arena && diag ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    hl_arena_free(arena);
    hl_diag_free(diag);
    return 0;
}

static const struct hl_product half = {.name = "tablet", .form = "tablet", .strength = 0.5, .pieces = 2},
                               odt = {.name = "odt", .form = "odt", .strength = 0.125, .pieces = 1},
                               drop = {.name = "drops", .form = "drops", .strength = 0.1, .pieces = 1,
                                       .measured = true},
                               mark = {.name = "solution", .form = "solution", .strength = 0.01, .pieces = 1,
                                       .measured = true},
                               third = {.name = "third", .form = "tablet", .strength = 0.7, .pieces = 3};

static void test_units(void **state)
{
    (void)state;
    struct hl_taper_drug drug = {0};
    sample_drug(arena, &drug, (struct hl_product[]){odt, half}, 2, 2);
    assert_true(drug.unit == 0.125);
    assert_true(drug.product[0].strength == 0.5 && drug.product[0].piece_units == 2);
    assert_true(drug.product[1].piece_units == 1);
    sample_drug(arena, &drug, (struct hl_product[]){drop, half}, 2, 2);
    assert_true(fabs(drug.unit - 0.05) < 1e-15);
    assert_true(drug.product[0].piece_units == 5 && drug.product[1].piece_units == 2);
    sample_drug(arena, &drug, (struct hl_product[]){third, half}, 2, 2); /* 0.7/3 and 0.25: unit 1/60 */
    assert_true(fabs(drug.unit - 1.0 / 60) < 1e-15);
    assert_true(drug.product[0].piece_units == 14 && drug.product[1].piece_units == 15);
    long units;
    assert_true(hl_products_units(&drug, 2.0, &units) && units == 120);
    assert_false(hl_products_units(&drug, 2.01, &units));
    assert_false(hl_products_units(&drug, -0.5, &units));
    drug.product[0].strength = 0.12345678987;
    assert_false(hl_products_unit(&drug));
    drug.product[0].strength = -1;
    assert_false(hl_products_unit(&drug));
}

static void test_rule_of_the_reference(void **state)
{
    (void)state;
    struct hl_taper_drug drug = {0};
    struct hl_doses doses;
    struct hl_splits splits;
    long units[3], count[2];
    sample_drug(arena, &drug, (struct hl_product[]){half, odt}, 2, 3); /* quanta of 0.125: 2 mg is 16 */
    hl_doses_make(arena, &drug, 16, &doses);
    hl_splits_make(arena, &drug, &doses, &splits);
    assert_true(hl_splits_share(&splits, 13, units)); /* the spare one in the evening */
    assert_true(units[0] == 4 && units[1] == 4 && units[2] == 5);
    assert_true(hl_splits_share(&splits, 14, units)); /* the second in the morning */
    assert_true(units[0] == 5 && units[1] == 4 && units[2] == 5);
    sample_drug(arena, &drug, (struct hl_product[]){half, odt}, 2, 2);
    hl_doses_make(arena, &drug, 16, &doses);
    hl_splits_make(arena, &drug, &doses, &splits);
    assert_true(hl_splits_share(&splits, 15, units) && units[0] == 7 && units[1] == 8);
    assert_true(doses.pieces[7] == 3); /* 0.875 = 0.5 + 0.25 + 0.125 */
    assert_true(hl_doses_count(&doses, &drug, 7, count) && count[0] == 3 && count[1] == 1);
    drug.most_pieces = 2;
    hl_doses_make(arena, &drug, 16, &doses);
    hl_splits_make(arena, &drug, &doses, &splits);
    assert_false(hl_doses_can(&doses, 7));
    assert_false(hl_doses_count(&doses, &drug, 7, count));
    assert_false(hl_splits_share(&splits, 15, units)); /* 7 + 8 isn't makeable any more, 5 + 10, 3 + 12 neither */
}

static void test_measured_is_one_act(void **state)
{
    (void)state;
    struct hl_taper_drug drug = {0};
    struct hl_doses doses;
    long count[2];
    sample_drug(arena, &drug, (struct hl_product[]){half, mark}, 2, 1);
    hl_doses_make(arena, &drug, 2000, &doses);
    for (long k = 1; k < 25; k++)
        assert_true(doses.pieces[k] == 1);
    assert_true(doses.pieces[1999] == 1 && hl_doses_count(&doses, &drug, 1999, count) && count[1] == 1999);
    sample_drug(arena, &drug, (struct hl_product[]){drop, mark}, 2, 1);
    hl_doses_make(arena, &drug, 200, &doses);
    assert_true(hl_doses_count(&doses, &drug, 120, count) && count[0] == 12 && count[1] == 0); /* twelve drops */
    assert_int_equal(hl_doses_make(arena, &drug, HL_TAPER_UNITS + 1, &doses), HL_ERR_DOMAIN);
}

/* Fewest pieces by trying every multiset: the number for amount k, or UINT_MAX. */
static unsigned fewest(const struct hl_taper_drug *drug, size_t p, long k)
{
    if (p == drug->n_products)
        return k == 0 ? 0 : UINT_MAX;
    unsigned best = UINT_MAX;
    const struct hl_product *product = &drug->product[p];
    for (long n = 0; n * product->piece_units <= k; n++) { /* smallest pieces of this product */
        unsigned rest = fewest(drug, p + 1, k - n * product->piece_units);
        /* of halves and wholes, or of quarters: the binary digits; of thirds: wholes and what is left */
        long whole = n / product->pieces, broken = n % product->pieces;
        unsigned own = product->measured ? n > 0 : (unsigned)(whole + (broken == 3 && product->pieces == 4 ? 2
                                                             : product->pieces == 3 ? broken : broken > 0));
        if (rest != UINT_MAX && rest + own < best)
            best = rest + own;
    }
    return best;
}

static void sum_of_count(const struct hl_taper_drug *drug, const struct hl_doses *doses, long k)
{
    long count[4], sum = 0;
    assert_true(hl_doses_count(doses, drug, k, count));
    for (size_t p = 0; p < drug->n_products; p++)
        sum += count[p] * drug->product[p].piece_units;
    assert_true(sum == k);
}

/* The best share by trying every one; ties by spare order. */
static bool best_share(const struct hl_taper_drug *drug, const struct hl_doses *doses, long total, long *best)
{
    bool found = false;
    int64_t least = 0;
    for (long a = total; a >= 0; a--) /* of spare[0], larger first */
        for (long b = total - a; b >= 0; b--) {
            long x[3] = {a, b, total - a - b};
            int64_t sum = (int64_t)a * a + (int64_t)b * b + (int64_t)x[2] * x[2];
            bool can = (drug->n_doses > 2 || x[2] == 0) && (drug->n_doses > 1 || b == 0);
            for (int j = 0; j < 3; j++)
                can = can && hl_doses_can(doses, x[j]);
            if (!can || (found && sum >= least))
                continue;
            found = true;
            least = sum;
            for (size_t j = 0; j < drug->n_doses; j++)
                best[drug->spare[j]] = x[j];
        }
    return found;
}

static void one_random(uint64_t seed, uint64_t which)
{
    struct dice dice = {seed, which, 0};
    struct hl_taper_drug drug = {0};
    struct hl_product product[3];
    struct hl_doses doses;
    struct hl_splits splits;
    size_t n = 1 + (size_t)dice_below(&dice, 3);
    for (size_t p = 0; p < n; p++) {
        static const int breaks[] = {1, 2, 3, 4};
        product[p] = (struct hl_product){.name = "p", .form = "tablet", .strength = 0.05 * (1 + dice_below(&dice, 12)),
                                         .pieces = breaks[dice_below(&dice, 4)]};
        product[p].measured = product[p].pieces == 1 && dice_below(&dice, 3) == 0;
    }
    sample_drug(arena, &drug, product, n, 1 + (size_t)dice_below(&dice, 3));
    drug.most_pieces = dice_below(&dice, 4);
    long most = 25 + dice_below(&dice, 15);
    assert_int_equal(hl_doses_make(arena, &drug, most, &doses), HL_OK);
    assert_int_equal(hl_splits_make(arena, &drug, &doses, &splits), HL_OK);
    for (long k = 0; k <= most; k++) {
        unsigned wanted = fewest(&drug, 0, k);
        if (drug.most_pieces > 0 && wanted != UINT_MAX && wanted > (unsigned)drug.most_pieces)
            wanted = UINT_MAX;
        if (doses.pieces[k] != wanted)
            fail_msg("seed %llu case %llu: %ld takes %u pieces, expected %u", (unsigned long long)seed,
                     (unsigned long long)which, k, doses.pieces[k], wanted);
        if (wanted != UINT_MAX)
            sum_of_count(&drug, &doses, k);
        long units[3] = {0}, best[3] = {0};
        bool found = best_share(&drug, &doses, k, best);
        if (hl_splits_share(&splits, k, units) != found || (found && memcmp(units, best, sizeof units) != 0))
            fail_msg("seed %llu case %llu: %ld shared as %ld %ld %ld, expected %ld %ld %ld", (unsigned long long)seed,
                     (unsigned long long)which, k, units[0], units[1], units[2], best[0], best[1], best[2]);
    }
}

static void test_random_products(void **state)
{
    (void)state;
    uint64_t seed = from_environment("HL_SEED", date_number()), cases = from_environment("HL_CASES", 300);
    print_message("# HL_SEED=%llu, %llu sets of products\n", (unsigned long long)seed, (unsigned long long)cases);
    for (uint64_t k = 0; k < cases; k++) {
        struct hl_arena *outer = arena;
        arena = hl_arena_create();
        one_random(seed, k);
        hl_arena_free(arena);
        arena = outer;
    }
}

static struct hl_taper_problem question(void)
{
    static int length[] = {7, 14};
    struct hl_taper_problem p = {.n_drugs = 1, .n_streams = 2, .n_lengths = 2, .length = length, .longest = 182};
    sample_drug(arena, &p.drug[0], (struct hl_product[]){half, odt}, 2, 2);
    assert_true(sample_start(arena, &p.drug[0], 16));
    return p;
}

static void test_rungs_of_the_question(void **state)
{
    (void)state;
    struct hl_taper_problem p = question();
    struct hl_rungs_report report;
    assert_int_equal(hl_rungs_make(arena, &p, 0, &report, diag), HL_OK);
    assert_int_equal(p.n_rungs, 17); /* 2 mg in quanta of 0.125 */
    assert_null(report.thinned);
    for (size_t r = 0; r < p.n_rungs; r++)
        assert_true(p.rung[r].total[0] == 16 - (long)r);
    assert_true(p.rung[1].units[0] == 7 && p.rung[1].units[1] == 8 && p.rung[1].pieces[0] == 5);
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 1, 7), 0);
    assert_int_equal(hl_rungs_turn(&p, 0, 1, 1, 7), -1);
    assert_int_equal(hl_rungs_turn(&p, 0, 1, 0, 7), -1);
    p.drug[0].has_cap = true;
    p.drug[0].cap = 0.25;
    p.drug[0].cap_days = 14;
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 4, 14), 0);  /* 2 to 1.5: a quarter in 14 d */
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 5, 14), -1);
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 2, 7), 0);   /* 0.875 > 0.866 */
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 3, 7), -1);
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 16, 0), 0);  /* the step to zero isn't judged */
}

static void test_schedule_faults(void **state)
{
    (void)state;
    struct hl_taper_problem p = question();
    struct hl_rungs_report report;
    hl_rungs_make(arena, &p, 0, &report, diag);
    struct hl_taper_step step[] = {{2, 7}, {6, 14}, {12, 7}};
    struct hl_taper_schedule s = {.n = 3, .step = step};
    assert_null(hl_schedule_fault(&p, &s));
    assert_int_equal(hl_schedule_days(&s), 28);
    assert_int_equal(hl_schedule_changes(&s), 4);
    /* 1.75 mg: 0.875 twice, 3 pieces each; 1.25: 0.625 twice, 2 each; 0.5: 0.25 twice, 1 each */
    assert_true(hl_schedule_pieces(&p, &s) == 7 * 6 + 14 * 4 + 7 * 2);
    step[1].days = 13;
    assert_non_null(hl_schedule_fault(&p, &s));
    step[1] = (struct hl_taper_step){2, 14};
    assert_non_null(hl_schedule_fault(&p, &s));
    step[1] = (struct hl_taper_step){6, 14};
    step[2].rung = 16;
    assert_non_null(hl_schedule_fault(&p, &s));
    step[2].rung = 12;
    p.longest = 27;
    assert_non_null(hl_schedule_fault(&p, &s));
}

/* Drops over 20 mg and a solution's marks over 2 mg: a stated part of them, steps about even in proportion. */
static void thinned(struct hl_product product, double from, size_t n_possible)
{
    struct hl_taper_problem p = question();
    struct hl_rungs_report report;
    long units;
    sample_drug(arena, &p.drug[0], &product, 1, 2);
    assert_true(hl_products_units(&p.drug[0], from, &units) && sample_start(arena, &p.drug[0], units));
    assert_int_equal(hl_rungs_make(arena, &p, 0, &report, diag), HL_OK);
    assert_int_equal(report.possible[0], n_possible);
    assert_true(report.kept[0] == p.n_rungs && p.n_rungs > 45 && p.n_rungs <= 56);
    assert_non_null(strstr(report.thinned, "amounts of clonazepam"));
    assert_true(p.rung[p.n_rungs - 2].total[0] == 1 && p.rung[p.n_rungs - 1].total[0] == 0);
    for (size_t r = 0; r + 1 < p.n_rungs; r++) {
        long step = p.rung[r].total[0] - p.rung[r + 1].total[0];
        assert_true(step >= 1 && (double)step <= 1 + 0.06 * (double)(p.rung[r].total[0] + units / 8 + 1));
    }
}

static void test_thinning(void **state)
{
    (void)state;
    thinned(drop, 20, 201);
    thinned(mark, 2, 201);
    thinned(mark, 20, 2001);
}

static struct hl_taper_problem two_drugs(enum hl_taper_order order)
{
    struct hl_taper_problem p = question();
    p.order = order;
    p.n_drugs = 2;
    p.n_streams = 3;
    p.drug[1].first_stream = 2;
    struct hl_product patch = {.name = "patch", .form = "patch", .strength = 0.0125, .pieces = 1};
    sample_drug(arena, &p.drug[1], &patch, 1, 1);
    p.drug[1].start[0] = 4;
    p.drug[1].period = 72;
    return p;
}

static void test_two_drugs(void **state)
{
    (void)state;
    struct hl_rungs_report report;
    struct hl_taper_problem p = two_drugs(HL_TAPER_ANY);
    assert_int_equal(hl_rungs_make(arena, &p, 100000, &report, diag), HL_OK);
    assert_int_equal(p.n_rungs, 17 * 5);
    for (size_t a = 0; a < p.n_rungs; a++)
        for (size_t b = 0; b < a; b++)
            assert_int_equal(hl_rungs_turn(&p, 0, a, b, 7), -1); /* followers have higher numbers */
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 6, 7), 0);          /* both a step down */
    p = two_drugs(HL_TAPER_IN_ORDER);
    assert_int_equal(hl_rungs_make(arena, &p, 0, &report, diag), HL_OK);
    assert_int_equal(p.n_rungs, 17 + 4);
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 16, 7), 0);
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 17, 7), -1);
    assert_int_equal(hl_rungs_turn(&p, 0, 16, 17, 7), 0);
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 20, 0), -1);        /* both at once to nothing */
    p = two_drugs(HL_TAPER_ALTERNATING);
    assert_int_equal(hl_rungs_make(arena, &p, 100000, &report, diag), HL_OK);
    assert_int_equal(p.n_rungs, 17 * 5);
    assert_int_equal(hl_rungs_turn(&p, 0, 0, 5, 7), 1);
    assert_int_equal(hl_rungs_turn(&p, 1, 5, 10, 7), -1);
    assert_int_equal(hl_rungs_turn(&p, 1, 5, 6, 7), 0);
    assert_int_equal(hl_rungs_turn(&p, 0, 80, 81, 7), 0);        /* the other one is at zero already */
}

static void test_start_that_cannot_be_made(void **state)
{
    (void)state;
    struct hl_rungs_report report;
    struct hl_taper_problem p = two_drugs(HL_TAPER_ANY);
    struct hl_diag *here = hl_diag_create();
    p.drug[0].most_pieces = 1;
    assert_int_equal(hl_rungs_make(arena, &p, 0, &report, here), HL_ERR_INPUT);
    assert_int_equal(hl_diag_count(here, HL_ERROR), 1);
    p.n_drugs = 1;
    p.n_streams = 2; /* alone, a start from other products is no fault */
    assert_int_equal(hl_rungs_make(arena, &p, 0, &report, here), HL_OK);
    hl_diag_free(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_rule_of_the_reference),
        cmocka_unit_test(test_measured_is_one_act),
        cmocka_unit_test(test_random_products),
        cmocka_unit_test(test_rungs_of_the_question),
        cmocka_unit_test(test_schedule_faults),
        cmocka_unit_test(test_thinning),
        cmocka_unit_test(test_two_drugs),
        cmocka_unit_test(test_start_that_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
