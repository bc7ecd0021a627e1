/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search and its certificate on a cohort in closed form: equal to looking at every schedule on hundreds of small
 * random problems of all aims, and the certificate never above the optimum; on thousands of random problems no schedule
 * breaks a rule, however narrow the beam. HL_SEED names the first case, HL_CASES how many small ones there are. */
#include "unit/taper_cohort.h"

#include <omp.h>

#include "taper/bound.h"
#include "taper/search.h"

static uint64_t seed;

static int start(void **state)
{
    (void)state;
    seed = from_environment("HL_SEED", date_number());
    omp_set_num_threads(1); /* small cohorts; threads have a case of their own */
    return 0;
}

/* A random case: problem, cohort, options. */
struct sample_case {
    struct hl_arena *arena;
    struct hl_taper_problem problem;
    struct cohort cohort;
    int length[3];
    struct hl_taper_constraint constraint[COHORT_CONSTRAINTS];
    struct dice dice;
};

static void random_drug(struct sample_case *s, size_t d, int most_amounts)
{
    struct dice *dice = &s->dice;
    struct hl_taper_drug *drug = &s->problem.drug[d];
    struct hl_product product[2];
    size_t n = 1 + (size_t)dice_below(dice, 2);
    for (;;) {
        for (size_t p = 0; p < n; p++)
            product[p] = (struct hl_product){.name = "p", .form = "tablet", .pieces = 1 + dice_below(dice, 2),
                                             .strength = 0.125 * (1 + dice_below(dice, 6))};
        drug->first_stream = s->problem.n_streams;
        sample_drug(s->arena, drug, product, n, 1 + (size_t)dice_below(dice, 2));
        drug->most_pieces = dice_below(dice, 3) == 0 ? 2 + dice_below(dice, 3) : 0;
        if (sample_start(s->arena, drug, 3 + dice_below(dice, most_amounts)))
            break;
    }
    s->problem.n_streams += drug->n_doses;
    if (dice_below(dice, 3) == 0) {
        drug->has_cap = true;
        drug->cap = dice_real(dice, 0.2, 0.6);
        drug->cap_days = dice_real(dice, 2, 8);
    }
    s->cohort.gain[d] = dice_real(dice, 0.5, 1.5);
}

static double nth_smallest(const double *value, size_t n, double share);

/* A bound somewhere below what stopping at once brings, so that most of them can be kept by something. */
static void random_constraint(struct sample_case *s, size_t q)
{
    struct cohort *c = &s->cohort;
    struct hl_taper_constraint *constraint = &s->constraint[q];
    double value[COHORT_CONSTRAINTS * 400], peak;
    *constraint = (struct hl_taper_constraint){.statistic = HL_TAPER_PEAK, .text = "index",
                                                .share = dice_real(&s->dice, 0.3, 1)};
    struct hl_prospect *p = cohort_begin(c);
    cohort_stop(c, p, value);
    peak = nth_smallest(value + q * c->n, c->n, constraint->share);
    constraint->statistic = (enum hl_taper_statistic)dice_below(&s->dice, 3);
    constraint->threshold = dice_real(&s->dice, 0.2, 0.8) * peak;
    constraint->bound = dice_real(&s->dice, 0.5, 1.05) * peak;
    if (constraint->statistic != HL_TAPER_PEAK) {
        cohort_stop(c, p, value);
        constraint->bound = dice_real(&s->dice, 0, 0.9) * nth_smallest(value + q * c->n, c->n, constraint->share);
    }
    cohort_release(c, p);
}

static void make_case(struct sample_case *s, uint64_t which, int most_amounts, size_t most_subjects)
{
    *s = (struct sample_case){.arena = hl_arena_create(), .dice = {seed, which, 0}};
    struct hl_taper_problem *p = &s->problem;
    struct hl_rungs_report report;
    struct hl_diag *diag = hl_diag_create();
    static const int lengths[][3] = {{3, 0, 0}, {2, 3, 0}, {3, 6, 0}, {4, 6, 0}, {2, 4, 7}};
    memcpy(s->length, lengths[dice_below(&s->dice, 5)], sizeof s->length);
    p->length = s->length;
    p->n_lengths = s->length[1] == 0 ? 1 : s->length[2] == 0 ? 2 : 3;
    p->n_drugs = 1 + (size_t)(dice_below(&s->dice, 3) == 0);
    p->order = (enum hl_taper_order)dice_below(&s->dice, 3);
    for (size_t d = 0; d < p->n_drugs; d++)
        random_drug(s, d, p->n_drugs > 1 ? most_amounts / 2 : most_amounts);
    assert_int_equal(hl_rungs_make(s->arena, p, 100000, &report, diag), HL_OK);
    p->aim = (enum hl_taper_aim)dice_below(&s->dice, 3);
    p->longest = 6 + dice_below(&s->dice, 16);
    p->fewest_at = p->longest - dice_below(&s->dice, 4);
    p->constraint = s->constraint;
    p->n_constraints = 1 + (size_t)(dice_below(&s->dice, 3) == 0);
    s->cohort.problem = p;
    s->cohort.n = 1 + (size_t)dice_below(&s->dice, (int)most_subjects);
    s->cohort.follow_days = 15;
    p->follow = 24.0 * s->cohort.follow_days;
    cohort_make(s->arena, &s->cohort, &s->dice);
    for (size_t c = 0; c < p->n_constraints; c++)
        random_constraint(s, c);
    hl_diag_free(diag);
}

static void end_case(struct sample_case *s)
{
    hl_arena_free(s->arena);
}

#define MOST_SCHEDULES 3000

/* ---- Every schedule, written from the rules and not from the code under test. */

struct best {
    const struct sample_case *s;
    int limit;
    struct hl_taper_step step[64];
    size_t n, seen;
    bool any, feasible, any_in_time; /* any_in_time: feasible within longest, whatever the aim's own limit */
    double miss, exposure, pieces, nearest;
    int days; size_t changes;
    int shortest;            /* feasible within the limit, INT_MAX */
};

static double nth_smallest(const double *value, size_t n, double share)
{
    size_t need = 0, low;
    while ((double)need < share * (double)n - 1e-9)
        need++;
    for (size_t i = 0; i < n; i++) {
        low = 0;
        for (size_t j = 0; j < n; j++)
            low += value[j] < value[i] || (value[j] == value[i] && j <= i);
        if (low == need)
            return value[i];
    }
    return NAN;
}

/* A whole schedule, subject by subject. */
static void worth(struct best *b, double *miss, double *exposure)
{
    const struct cohort *c = &b->s->cohort;
    const struct hl_taper_problem *p = &b->s->problem;
    double value[COHORT_CONSTRAINTS][64] = {{0}};
    for (size_t i = 0; i < c->n; i++) {
        double C = cohort_dose(c, 0), A = C;
        for (size_t k = 0; k < b->n; k++)
            cohort_days(c, i, cohort_dose(c, b->step[k].rung), b->step[k].days, &C, &A, &value[0][i], 64);
        cohort_days(c, i, 0, c->follow_days, &C, &A, &value[0][i], 64);
    }
    *miss = -INFINITY;
    *exposure = 0;
    for (size_t q = 0; q < p->n_constraints; q++) {
        double scale = p->constraint[q].bound > 0 ? p->constraint[q].bound : 1, sum = 0;
        *miss = fmax(*miss, (nth_smallest(value[q], c->n, p->constraint[q].share) - p->constraint[q].bound) / scale);
        for (size_t i = 0; i < c->n; i++)
            sum += p->constraint[q].statistic == HL_TAPER_PEAK ? fmax(0, value[q][i] - p->constraint[q].bound)
                                                               : value[q][i];
        *exposure += sum / (double)c->n / scale;
    }
}

static int sign(double a, double b)
{
    return (a > b) - (a < b);
}

static void judge(struct best *b, int days, double pieces)
{
    double miss, exposure;
    worth(b, &miss, &exposure);
    b->seen++;
    b->nearest = b->any ? fmin(b->nearest, miss) : miss;
    b->any = true;
    if (miss > 0)
        return;
    b->shortest = days < b->shortest ? days : b->shortest;
    size_t changes = b->n + 1;
    int by[4] = {sign(days, b->days), sign(miss, b->miss), sign((double)changes, (double)b->changes),
                 sign(pieces, b->pieces)};
    int order[3][4] = {{by[0], by[1], by[2], by[3]}, {sign(exposure, b->exposure), by[0], by[2], by[3]},
                       {by[2], by[0], by[1], by[3]}};
    const int *key = order[b->s->problem.aim];
    int first = 0;
    for (int k = 0; k < 4 && first == 0; k++)
        first = key[k];
    if (b->feasible && first >= 0)
        return;
    b->feasible = true;
    b->miss = miss;
    b->exposure = exposure;
    b->days = days;
    b->changes = changes;
    b->pieces = pieces;
}

/* Whose turn it is after a step, or -1: the rules once more, in other words. */
static int allowed(const struct hl_taper_problem *p, int turn, const long *from, const long *to, int days)
{
    int lowered = 0, which = 0, expected = -1;
    for (int d = 0; d < (int)p->n_drugs; d++) {
        const struct hl_taper_drug *drug = &p->drug[d];
        if (to[d] > from[d])
            return -1;
        lowered += to[d] < from[d];
        which = to[d] < from[d] ? d : which;
        if (days > 0 && drug->has_cap && to[d] > 0 && to[d] < from[d] &&
            (double)to[d] / (double)from[d] < pow(1 - drug->cap, days / drug->cap_days) * (1 - 1e-9))
            return -1;
    }
    if (lowered == 0 || p->order == HL_TAPER_ANY)
        return lowered == 0 ? -1 : 0;
    if (p->order == HL_TAPER_IN_ORDER)
        turn = 0;
    for (int k = (int)p->n_drugs - 1; k >= 0; k--)
        if (from[(turn + k) % (int)p->n_drugs] > 0)
            expected = (turn + k) % (int)p->n_drugs;
    if (lowered > 1 || which != expected)
        return -1;
    return p->order == HL_TAPER_IN_ORDER ? 0 : (which + 1) % (int)p->n_drugs;
}

static void every(struct best *b, size_t at, int turn, int days, double pieces)
{
    const struct hl_taper_problem *p = &b->s->problem;
    if (b->seen > MOST_SCHEDULES)
        return;
    if (allowed(p, turn, p->rung[at].total, p->rung[p->n_rungs - 1].total, 0) >= 0)
        judge(b, days, pieces);
    for (size_t to = 0; to + 1 < p->n_rungs; to++)
        for (size_t l = 0; l < p->n_lengths; l++) {
            int next = allowed(p, turn, p->rung[at].total, p->rung[to].total, p->length[l]);
            if (next < 0 || days + p->length[l] > b->limit)
                continue;
            double more = 0;
            for (size_t d = 0; d < p->n_drugs; d++)
                more += (double)p->rung[to].pieces[d] * p->length[l];
            b->step[b->n++] = (struct hl_taper_step){to, p->length[l]};
            every(b, to, next, days + p->length[l], pieces + more);
            b->n--;
        }
}

/* A problem with too many schedules gets a shorter limit. */
static struct best best_of_all(struct sample_case *s)
{
    struct hl_taper_problem *p = &s->problem;
    for (;; p->longest -= 2, p->fewest_at -= 2) {
        struct best b = {.s = s, .shortest = 1000000};
        b.limit = p->aim == HL_TAPER_SHORTEST || p->fewest_at > p->longest ? p->longest : p->fewest_at;
        every(&b, 0, 0, 0, 0);
        if (b.seen <= MOST_SCHEDULES)
            return b;
    }
}

/* ---- The tests. */

static struct hl_taper_result searched_within(struct sample_case *s, size_t beam, uint64_t most_work)
{
    struct hl_taper_result r;
    struct hl_taper_options options = {.beam = beam, .most_work = most_work};
    assert_int_equal(hl_taper_search(s->arena, &s->problem, &s->cohort.outlook, &options, &r), HL_OK);
    return r;
}

static struct hl_taper_result searched(struct sample_case *s, size_t beam)
{
    return searched_within(s, beam, 0);
}

#define CASE "seed %llu case %llu: "
#define OF_CASE (unsigned long long)s->dice.seed, (unsigned long long)s->dice.which

static void compare(struct sample_case *s, const struct best *b, const struct hl_taper_result *r)
{
    if (!r->complete)
        fail_msg(CASE "a wide search isn't complete", OF_CASE);
    if ((r->outcome == HL_TAPER_FOUND) != b->feasible)
        fail_msg(CASE "outcome %d, but %zu schedules say %d", OF_CASE, r->outcome, b->seen, b->feasible);
    if (!b->feasible) {
        if (r->outcome != HL_TAPER_IMPOSSIBLE || r->no_schedule != !b->any)
            fail_msg(CASE "not told impossible", OF_CASE);
        if (b->any && fabs(r->miss - b->nearest) > 1e-12 * fabs(b->nearest))
            fail_msg(CASE "nearest misses by %.17g, the best of all by %.17g", OF_CASE, r->miss, b->nearest);
        return;
    }
    if (r->schedule.days != b->days || r->changes != b->changes || fabs(r->pieces - b->pieces) > 1e-9 ||
        fabs(r->exposure - b->exposure) > 1e-12 * b->exposure ||
        (s->problem.aim != HL_TAPER_LEAST_EXPOSURE && fabs(r->miss - b->miss) > 1e-12))
        fail_msg(CASE "aim %d: %d days, %zu changes, %g pieces, exposure %.17g, miss %.17g; the best of %zu has %d, "
                 "%zu, %g, %.17g, %.17g", OF_CASE, s->problem.aim, r->schedule.days, r->changes, r->pieces, r->exposure,
                 r->miss, b->seen, b->days, b->changes, b->pieces, b->exposure, b->miss);
}

/* Its days, or -1 where the certificate proves that there is none. */
static int certified(struct sample_case *s, size_t width, size_t carried)
{
    struct hl_bound bound;
    struct hl_bound_options options = {.width = width, .carried = carried};
    assert_int_equal(hl_taper_bound(s->arena, &s->problem, &s->cohort.outlook, &options, &bound), HL_OK);
    assert_true(bound.valid);
    return bound.impossible ? -1 : bound.days;
}

#define ALL_APART 100000 /* wide enough for every way to stand alone: nothing is lost then */

struct tightness { int exact, cases, gap, optimum, proved_none, none; };

static void check_bound(struct sample_case *s, const struct best *b, struct tightness *t, size_t width)
{
    int days = certified(s, width, 0);
    bool any = b->shortest < 1000000;
    if (any && (days < 0 || days > b->shortest))
        fail_msg(CASE "the certificate says %d days (width %zu), but %d do", OF_CASE, days, width, b->shortest);
    int fewer = certified(s, width, 1);
    if (fewer > days && days >= 0)
        fail_msg(CASE "fewer subjects carried gave %d days, not %d", OF_CASE, fewer, days);
    if (b->limit < s->problem.longest) /* the certificate looks up to longest, every() only up to the aim's limit */
        return;
    bool exact = any ? days == b->shortest : days < 0;
    if (!exact && width >= ALL_APART && s->problem.n_constraints == 1)
        fail_msg(CASE "with all ways kept apart the certificate says %d days, but %d are needed", OF_CASE, days,
                 b->shortest);
    if (any) {
        t->cases += b->shortest > 0;
        t->exact += b->shortest > 0 && days == b->shortest;
        t->gap += b->shortest - days;
        t->optimum += b->shortest;
    } else {
        t->none++;
        t->proved_none += days < 0;
    }
}

/* The shortest schedule there is, found again among what a certificate for a longer one leaves open; and one that is as
 * short isn't beaten. */
static void check_shorter(struct sample_case *s, const struct best *b, size_t width)
{
    struct hl_taper_step level[64];
    struct hl_taper_schedule known = {.step = level};
    struct hl_bound bound;
    struct hl_taper_result r;
    if (s->problem.aim != HL_TAPER_SHORTEST || b->shortest >= 1000000 || b->shortest == 0)
        return;
    known.n = 1;
    level[0] = (struct hl_taper_step){1, known.days = b->shortest + s->problem.length[0]};
    struct hl_bound_options proof = {.width = width, .up_to = known.days};
    assert_int_equal(hl_taper_bound(s->arena, &s->problem, &s->cohort.outlook, &proof, &bound), HL_OK);
    struct hl_taper_options options = {.beam = 1000000, .shorter_than = &known, .arcs = bound.arcs};
    assert_int_equal(hl_taper_search(s->arena, &s->problem, &s->cohort.outlook, &options, &r), HL_OK);
    if (bound.days > b->shortest || r.outcome != HL_TAPER_FOUND || r.schedule.days != b->shortest)
        fail_msg(CASE "width %zu: %d days (outcome %d) in what was left open, but %d do", OF_CASE, width,
                 r.schedule.days, r.outcome, b->shortest);
    known.days = proof.up_to = b->shortest;
    assert_int_equal(hl_taper_bound(s->arena, &s->problem, &s->cohort.outlook, &proof, &bound), HL_OK);
    options.arcs = bound.arcs;
    assert_int_equal(hl_taper_search(s->arena, &s->problem, &s->cohort.outlook, &options, &r), HL_OK);
    if (bound.days > b->shortest || r.outcome == HL_TAPER_FOUND)
        fail_msg(CASE "something shorter than the shortest", OF_CASE);
}

/* Bounds set to what was nearest can be kept. */
static void check_nearest(struct sample_case *s, const struct hl_taper_result *r)
{
    for (size_t c = 0; c < r->n_constraints; c++)
        s->constraint[c].bound = r->nearest[c];
    if (searched(s, 1000000).outcome != HL_TAPER_FOUND)
        fail_msg(CASE "the nearest bounds can't be kept", OF_CASE);
}

static void test_small_problems_exactly(void **state)
{
    (void)state;
    uint64_t cases = from_environment("HL_CASES", 150);
    struct tightness tight[3] = {{0}};
    size_t schedules = 0, impossible = 0;
    static const size_t width[3] = {1, 3, ALL_APART};
    for (uint64_t k = 0; k < cases; k++) {
        struct sample_case sample, *s = &sample;
        make_case(s, k, 6, 12);
        struct best b = best_of_all(s);
        struct hl_taper_result r = searched(s, 1000000);
        schedules += b.seen;
        compare(s, &b, &r);
        for (int h = 0; h < 3; h++)
            check_bound(s, &b, &tight[h], width[h]);
        for (int h = 0; h < 3; h++)
            check_shorter(s, &b, width[h]);
        impossible += !b.feasible;
        if (!b.feasible && b.any)
            check_nearest(s, &r);
        end_case(s);
    }
    print_message("# HL_SEED=%llu: %llu problems, %zu schedules, %zu problems impossible\n", (unsigned long long)seed,
                  (unsigned long long)cases, schedules, impossible);
    for (int h = 0; h < 3; h++)
        print_message("# certificate (width %zu): exact in %d of %d, gap %d of %d days; none proved in "
                      "%d of %d\n", width[h], tight[h].exact, tight[h].cases, tight[h].gap,
                      tight[h].optimum, tight[h].proved_none, tight[h].none);
}

/* ---- Rules, on problems too large to look at all of. */

static void check_rules(struct sample_case *s, const struct hl_taper_result *r)
{
    const struct hl_taper_problem *p = &s->problem;
    const long *at = p->rung[0].total;
    int turn = 0, days = 0;
    for (size_t k = 0; k < r->schedule.n; k++) {
        const struct hl_taper_rung *rung = &p->rung[r->schedule.step[k].rung];
        int length = r->schedule.step[k].days;
        bool is_one = false;
        for (size_t l = 0; l < p->n_lengths; l++)
            is_one = is_one || p->length[l] == length;
        turn = allowed(p, turn, at, rung->total, length);
        if (!is_one || turn < 0)
            fail_msg(CASE "level %zu breaks a rule", OF_CASE, k);
        for (size_t d = 0; d < p->n_drugs; d++) {
            struct hl_doses doses;
            long sum = 0;
            hl_doses_make(s->arena, &p->drug[d], 64, &doses);
            for (size_t j = 0; j < p->drug[d].n_doses; j++) {
                long units = rung->units[p->drug[d].first_stream + j];
                sum += units;
                if (!hl_doses_can(&doses, units) && rung->total[d] != p->rung[0].total[d])
                    fail_msg(CASE "level %zu holds %ld units, which the products can't make", OF_CASE, k, units);
            }
            if (sum != rung->total[d])
                fail_msg(CASE "doses don't add up", OF_CASE);
        }
        at = rung->total;
        days += length;
    }
    if (allowed(p, turn, at, p->rung[p->n_rungs - 1].total, 0) < 0)
        fail_msg(CASE "it can't end there", OF_CASE);
    if (days != r->schedule.days || days > (p->aim == HL_TAPER_SHORTEST ? p->longest : p->fewest_at))
        fail_msg(CASE "%d days", OF_CASE, days);
}

static void check_stands(struct sample_case *s, const struct hl_taper_result *r)
{
    for (size_t c = 0; c < r->n_constraints; c++)
        for (size_t k = 0; k <= r->schedule.n; k++) {
            const struct hl_taper_stand *stand = &r->stand[k];
            if (stand->if_stopped[c] < stand->so_far[c] || (k > 0 && stand->so_far[c] < r->stand[k - 1].so_far[c]))
                fail_msg(CASE "an order statistic fell", OF_CASE);
        }
    for (size_t c = 0; c < r->n_constraints; c++)
        if (r->outcome == HL_TAPER_FOUND && !(r->value[c] <= s->constraint[c].bound && r->margin[c] >= 0))
            fail_msg(CASE "constraint %zu isn't kept: %g", OF_CASE, c, r->value[c]);
}

static void test_rules_are_kept(void **state)
{
    (void)state;
    uint64_t cases = 14 * from_environment("HL_CASES", 150);
    size_t found = 0, incomplete = 0;
    for (uint64_t k = 0; k < cases; k++) {
        struct sample_case sample, *s = &sample;
        make_case(s, 1000000 + k, 14, 20);
        s->problem.longest = 10 + dice_below(&s->dice, 50);
        s->problem.fewest_at = s->problem.longest - dice_below(&s->dice, 5);
        struct hl_taper_result r = searched_within(s, 1 + (size_t)dice_below(&s->dice, 3), 3000);
        if (!r.no_schedule) {
            check_rules(s, &r);
            check_stands(s, &r);
        }
        found += r.outcome == HL_TAPER_FOUND;
        incomplete += !r.complete;
        int days = k % 4 == 0 ? certified(s, 1, 0) : 0;
        if (r.outcome == HL_TAPER_FOUND && (days < 0 || days > r.schedule.days))
            fail_msg(CASE "the certificate says %d days, but %d do", OF_CASE, days, r.schedule.days);
        end_case(s);
    }
    print_message("# HL_SEED=%llu: %llu problems, %zu found, %zu not complete\n", (unsigned long long)seed,
                  (unsigned long long)cases, found, incomplete);
}

static bool same(const struct hl_taper_result *a, const struct hl_taper_result *b)
{
    return a->outcome == b->outcome && a->schedule.n == b->schedule.n && a->work == b->work &&
           memcmp(a->schedule.step, b->schedule.step, a->schedule.n * sizeof *a->schedule.step) == 0 &&
           memcmp(a->value, b->value, a->n_constraints * sizeof *a->value) == 0;
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 8; k++) {
        struct sample_case sample, *s = &sample;
        make_case(s, 2000000 + k, 14, 400);
        s->problem.longest = s->problem.fewest_at = 24;
        omp_set_num_threads(1);
        struct hl_taper_result one = searched(s, 2);
        int bound = certified(s, 4, 0);
        omp_set_num_threads(3);
        struct hl_taper_result three = searched(s, 2);
        if (!same(&one, &three) || bound != certified(s, 4, 0))
            fail_msg(CASE "three threads found something else", OF_CASE);
        end_case(s);
    }
    omp_set_num_threads(1);
}

/* A screen of part of the cohort: rules and bounds are still the full cohort's. */
static void test_screens(void **state)
{
    (void)state;
    int found = 0, longer = 0, both = 0;
    for (uint64_t k = 0; k < 50; k++) {
        struct sample_case sample, *s = &sample;
        make_case(s, 3000000 + k, 12, 40);
        s->problem.longest = s->problem.fewest_at = 30;
        struct cohort part = s->cohort;
        part.n = part.outlook.n_subjects = (s->cohort.n + 1) / 2;
        part.outlook.context = &part;
        struct hl_taper_result r, whole = searched(s, 4);
        struct hl_taper_options options = {.beam = 4, .screen = &part.outlook};
        assert_int_equal(hl_taper_search(s->arena, &s->problem, &s->cohort.outlook, &options, &r), HL_OK);
        if (!r.no_schedule) {
            check_rules(s, &r);
            check_stands(s, &r);
        }
        assert_false(r.complete);
        found += r.outcome == HL_TAPER_FOUND;
        both += r.outcome == HL_TAPER_FOUND && whole.outcome == HL_TAPER_FOUND;
        longer += r.outcome == HL_TAPER_FOUND && whole.outcome == HL_TAPER_FOUND &&
                  s->problem.aim == HL_TAPER_SHORTEST && r.schedule.days > whole.schedule.days;
        end_case(s);
    }
    print_message("# with screens of half: %d found, %d of them without as well, %d longer\n", found, both, longer);
}

/* Large cohorts, followed on those who decide: what is found is right by all, and seldom longer than without. */
static void test_those_who_decide(void **state)
{
    (void)state;
    int found = 0, longer = 0, cases = 0;
    for (uint64_t k = 0; k < 60 && cases < 12; k++) {
        struct sample_case sample, *s = &sample;
        make_case(s, 4000000 + k, 10, 400);
        s->problem.longest = s->problem.fewest_at = 24;
        if (s->cohort.n >= 288) {
            struct hl_taper_result r, whole = searched(s, 4);
            struct hl_taper_options options = {.beam = 4, .narrow = true};
            assert_int_equal(hl_taper_search(s->arena, &s->problem, &s->cohort.outlook, &options, &r), HL_OK);
            if (!r.no_schedule) {
                check_rules(s, &r);
                check_stands(s, &r);
            }
            cases++;
            found += r.outcome == HL_TAPER_FOUND;
            longer += whole.outcome == HL_TAPER_FOUND &&
                      (r.outcome != HL_TAPER_FOUND || (s->problem.aim == HL_TAPER_SHORTEST &&
                                                       r.schedule.days > whole.schedule.days));
        }
        end_case(s);
    }
    print_message("# by those who decide: %d of %d found, %d longer or not\n", found, cases, longer);
    assert_true(longer <= cases / 4);
}

static struct hl_outlook *nobody(void *context, const size_t *subject, size_t n)
{
    (void)context;
    (void)subject;
    fail_msg("%zu of the subjects stand for all", n);
    return NULL;
}

/* At every moment others may be above a bound that holds at any time: no part of a large cohort stands for it. */
static void test_at_any_time_by_everybody(void **state)
{
    (void)state;
    int cases = 0;
    for (uint64_t k = 0; k < 60 && cases < 4; k++) {
        struct sample_case sample, *s = &sample;
        make_case(s, 4000000 + k, 10, 400);
        s->problem.longest = s->problem.fewest_at = 24;
        s->constraint[0].statistic = HL_TAPER_MOMENT;
        if (s->cohort.n >= 288) {
            struct hl_taper_result r, whole = searched(s, 4);
            struct hl_taper_options options = {.beam = 4, .narrow = true};
            s->cohort.outlook.some = nobody;
            assert_int_equal(hl_taper_search(s->arena, &s->problem, &s->cohort.outlook, &options, &r), HL_OK);
            assert_int_equal(r.outcome, whole.outcome);
            assert_int_equal(r.schedule.n, whole.schedule.n);
            assert_int_equal(r.schedule.days, whole.schedule.days);
            cases++;
        }
        end_case(s);
    }
    assert_int_equal(cases, 4);
}

static void test_no_order_no_certificate(void **state)
{
    (void)state;
    struct sample_case sample, *s = &sample;
    struct hl_bound bound;
    make_case(s, 7, 6, 12);
    for (size_t c = 0; c < COHORT_CONSTRAINTS; c++) {
        s->cohort.monotone[c] = false;
        s->cohort.why_not[c] = "the index falls when a state rises";
    }
    assert_int_equal(hl_taper_bound(s->arena, &s->problem, &s->cohort.outlook, &(struct hl_bound_options){0}, &bound),
                     HL_OK);
    assert_false(bound.valid);
    assert_int_equal(bound.days, 0);
    assert_non_null(strstr(bound.text, "the index falls when a state rises"));
    end_case(s);
}

static void test_work_can_be_limited(void **state)
{
    (void)state;
    struct sample_case sample, *s = &sample;
    make_case(s, 2000003, 14, 20);
    s->problem.longest = s->problem.fewest_at = 60;
    struct hl_taper_result r, all = searched(s, 50);
    struct hl_taper_options options = {.beam = 50, .most_work = 100};
    assert_int_equal(hl_taper_search(s->arena, &s->problem, &s->cohort.outlook, &options, &r), HL_OK);
    assert_true(r.work < all.work);
    if (!r.no_schedule)
        check_rules(s, &r);
    end_case(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_problems_exactly), cmocka_unit_test(test_rules_are_kept),
        cmocka_unit_test(test_threads_do_not_matter),  cmocka_unit_test(test_screens),
        cmocka_unit_test(test_those_who_decide),       cmocka_unit_test(test_at_any_time_by_everybody),
        cmocka_unit_test(test_no_order_no_certificate), cmocka_unit_test(test_work_can_be_limited),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
