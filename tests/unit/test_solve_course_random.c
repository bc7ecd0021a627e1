/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random models under random record tables, solved in three ways that share nothing but the rules:
 *     exact    modes, periodic states as geometric series
 *     GSL      everything integrated by rk8pd, periodic states by Newton's method
 *     plain    below: doses written out one by one, matrix exponentials between events, steady states by running in
 * which must agree to 1e-9 of each compartment's largest amount in the table.
 *
 * Models have one to three compartments of disposition and sometimes a depot, rates over two decades, sometimes an
 * initial amount. Tables mix boluses, infusions by RATE and by DUR, modelled rates and durations, F by both rules, lags
 * beyond the interval, infusions beyond it, additional doses, SS 1, 2, 3 and constant, resets, EVID 4 and 8, switches,
 * covariates that change the clearance by either rule. Times lie on a grid of half hours as often as not, so that ties
 * abound. HL_SEED=N repeats a run, HL_CASES=N asks for more tables, HL_CASE=N for one. */
#include <time.h>

#include "unit/course_sample.h"
#include "unit/dice.h"

#define AGREEMENT 1e-9
#define NOTHING 1e-25 /* [mg] */
#define MOST 5        /* compartments, and the outside */
#define MOST_INPUTS 40000
#define LONG_AGO 2600.0 /* [h] of running in; the slowest model has a rate of 0.012 per hour: e^-31 */

enum { WT, BIO, LAG, RATEC, DURC };

/* ---- the model */

struct model {
    bool depot;
    int n;              /* compartments: depot, centre, others */
    double k[MOST][MOST]; /* k[b][a]: a to b [1/h]; k[n][a]: out, for WT 70 */
    double initial;     /* of the centre [mg] */
    bool scales_rate;   /* bioavailability_scales: rate */
    char text[3000];
};

static void write_model(struct model *m)
{
    static const char *const name[] = {"depot", "centre", "fat", "bone"};
    char *p = m->text, *end = m->text + sizeof m->text;
    int centre = m->depot ? 1 : 0;
    p += snprintf(p, (size_t)(end - p),
                  "covariates:\n  WT: {default: 70 kg}\n  BIO: {default: 1}\n  LAG: {default: 0 h}\n"
                  "  RATEC: {default: 3 mg/h}\n  DURC: {default: 2 h}\nparameters:\n");
    for (int a = 0; a < m->n; a++)
        for (int b = 0; b <= m->n; b++)
            if (m->k[b][a] > 0)
                p += snprintf(p, (size_t)(end - p), "  k%d%d: {value: %.17g 1/h, grade: assumption}\n", a, b,
                              m->k[b][a]);
    p += snprintf(p, (size_t)(end - p), "individual:\n  loss: \"k%d%d * WT / 70 kg\"\ncompartments:\n", centre, m->n);
    for (int a = 0; a < m->n; a++) {
        const char *x = name[a + (m->depot ? 0 : 1)];
        if (a == centre)
            p += snprintf(p, (size_t)(end - p), "  %s: {default: observe, initial: %.17g mg}\n", x, m->initial);
        else
            p += snprintf(p, (size_t)(end - p), "  %s: {}\n", x);
    }
    p += snprintf(p, (size_t)(end - p), "flows:\n");
    for (int a = 0; a < m->n; a++)
        for (int b = 0; b <= m->n; b++)
            if (m->k[b][a] > 0) {
                const char *from = name[a + (m->depot ? 0 : 1)], *to = b == m->n ? "out" : name[b + (m->depot ? 0 : 1)];
                if (a == centre && b == m->n)
                    p += snprintf(p, (size_t)(end - p), "  - %s -> out: loss\n", from);
                else
                    p += snprintf(p, (size_t)(end - p), "  - %s -> %s: k%d%d\n", from, to, a, b);
            }
    p += snprintf(p, (size_t)(end - p), "routes:\n");
    for (int a = 0; a < m->n; a++)
        p += snprintf(p, (size_t)(end - p), "  r%d: {into: %s, bioavailability: BIO, lag: LAG, rate: RATEC, "
                      "duration: DURC%s}\n", a, name[a + (m->depot ? 0 : 1)], a == 0 ? ", default: dose" : "");
    snprintf(p, (size_t)(end - p), "outputs:\n  x: {value: %s, unit: mg}\n", name[1]);
}

static void make_model(struct model *m, struct dice *d)
{
    memset(m, 0, sizeof *m);
    m->depot = chance(d, 0.6);
    int others = integer(d, 0, 2), centre = m->depot ? 1 : 0;
    m->n = centre + 1 + others;
    m->k[m->n][centre] = pow(10, uniform(d, -0.7, 0.3));
    if (m->depot)
        m->k[centre][0] = chance(d, 0.1) ? m->k[m->n][centre] : pow(10, uniform(d, -0.7, 0.7)); /* equal rates too */
    for (int b = centre + 1; b < m->n; b++) {
        m->k[b][centre] = pow(10, uniform(d, -1.3, 0));
        m->k[centre][b] = pow(10, uniform(d, -0.6, 0.5));
    }
    m->initial = chance(d, 0.2) ? uniform(d, 1, 30) : 0;
    m->scales_rate = chance(d, 0.2);
    write_model(m);
}

/* ---- the table */

static double moment(struct dice *d, bool grid, double low, double high)
{
    double x = uniform(d, low, high);
    return grid ? fmax(low, floor(2 * x) / 2) : x;
}

static struct hl_record dose_record(struct dice *d, int n, bool grid)
{
    struct hl_record r = {.EVID = chance(d, 0.1) ? 4 : 1, .CMT = integer(d, 1, n), .AMT = uniform(d, 1, 100)};
    double kind = uniform(d, 0, 1);
    r.RATE = kind < 0.45 ? 0 : kind < 0.7 ? pow(10, uniform(d, 0, 2)) : kind < 0.85 ? -1 : -2;
    if (r.RATE == 0 && chance(d, 0.15)) {
        r.DUR = moment(d, grid, 0.5, 20);
        r.RATE = r.AMT / r.DUR;
    }
    if (chance(d, 0.4)) {
        r.II = moment(d, grid, 1, 14);
        r.ADDL = (uint64_t)integer(d, 0, 8);
    }
    if (r.II > 0 && (r.ADDL == 0 || chance(d, 0.45)))
        r.SS = integer(d, 1, 3);
    if (r.SS > 0 && chance(d, 0.15)) {
        r.AMT = 0;
        r.II = r.DUR = 0;
        r.ADDL = 0;
        r.RATE = chance(d, 0.5) ? -1 : uniform(d, 1, 20);
    }
    return r;
}

static void make_table(struct table *t, struct dice *d, int n, bool varies)
{
    bool grid = chance(d, 0.6);
    double now = moment(d, grid, 0, 20);
    int records = integer(d, 6, 30);
    table_clear(t);
    for (int i = 0; i < records; i++) {
        double kind = uniform(d, 0, 1);
        struct hl_record r = {0};
        if (kind < 0.35)
            r = dose_record(d, n, grid);
        else if (kind < 0.39)
            r.EVID = 3;
        else if (kind < 0.44)
            r = (struct hl_record){.EVID = 8, .CMT = integer(d, 1, n), .AMT = uniform(d, 0, 50)};
        else if (kind < 0.52)
            r = (struct hl_record){.EVID = 2, .CMT = integer(d, 1, n) * (chance(d, 0.6) ? -1 : 1)};
        now = (r.EVID == 3 || r.EVID == 4) && chance(d, 0.3) ? moment(d, grid, 0, 30)
              : chance(d, 0.2)                               ? now
                                                              : now + moment(d, grid, grid ? 0.5 : 0.01, 9);
        r.TIME = now;
        put(t, r);
        double *x = t->column[t->n - 1];
        x[WT] = varies ? uniform(d, 40, 110) : 70;
        x[BIO] = chance(d, 0.5) ? 1 : uniform(d, 0.2, 1.5);
        x[LAG] = chance(d, 0.5) ? 0 : moment(d, grid, 0, 18);
        x[RATEC] = pow(10, uniform(d, 0, 1.7));
        x[DURC] = moment(d, grid, 0.5, 30);
    }
}

/* ---- the plain way */

struct input { int state; double from, to, amount, rate; bool nominal; };

struct plain {
    const struct model *m;
    bool scales_rate;
    double k_out;        /* of the centre, now */
    double t, x[MOST], peak[MOST]; /* peak: the largest amount so far, seen in a row or not */
    bool off[MOST];
    size_t n;
    struct input *input; /* still to come or running; to == from: at once */
};

/* y = exp(A t) x + integral of exp(A s) b over t, by Taylor's series with enough pieces. */
static void propagate(const struct plain *p, const double *rate, double t, double *x)
{
    int n = p->m->n, centre = p->m->depot ? 1 : 0;
    double A[MOST][MOST] = {{0}}, fastest = 0;
    for (int a = 0; a < n; a++)
        for (int b = 0; b <= n; b++) {
            double k = a == centre && b == n ? p->k_out : p->m->k[b][a];
            if (p->off[a] || !(k > 0))
                continue;
            A[a][a] -= k;
            if (b < n && !p->off[b])
                A[b][a] += k;
            fastest = fmax(fastest, -A[a][a]);
        }
    int pieces = (int)ceil(2 * fastest * t) + 1;
    long double h = (long double)t / pieces, y[MOST], term[MOST], next[MOST];
    for (int a = 0; a < n; a++)
        y[a] = x[a];
    for (int piece = 0; piece < pieces; piece++) {
        for (int a = 0; a < n; a++)
            term[a] = y[a];
        for (int k = 1; k < 24; k++) {
            for (int a = 0; a < n; a++) {
                next[a] = k == 1 ? (long double)rate[a] : 0;
                for (int b = 0; b < n; b++)
                    next[a] += A[a][b] * term[b];
                next[a] *= h / k;
            }
            for (int a = 0; a < n; a++)
                y[a] += term[a] = next[a];
        }
    }
    for (int a = 0; a < n; a++)
        x[a] = (double)y[a];
}

static bool is_due(const struct input *in, double from, double until)
{
    return from <= until || (in->nominal && from <= until + 1e-12 * fmax(1, fabs(until)));
}

/* Carries x to until through everything on the list. */
static void go(struct plain *p, double until)
{
    for (;;) {
        double rate[MOST] = {0}, next = until;
        for (int a = 0; a < p->m->n; a++)
            p->peak[a] = fmax(p->peak[a], p->x[a]);
        size_t first = p->n;
        for (size_t i = 0; i < p->n; i++) {
            struct input *in = &p->input[i];
            bool runs = in->amount == 0, started = in->from < 0; /* from is set to -1 once it has started */
            double moment = started ? in->to : in->from;
            if (runs && started)
                rate[in->state] += in->rate;
            if (started ? moment <= until : is_due(in, moment, until))
                if (first == p->n || fmin(moment, until) < next || (started && fmin(moment, until) <= next)) {
                    next = fmin(moment, until);
                    first = i;
                }
        }
        if (next > p->t) {
            propagate(p, rate, next - p->t, p->x);
            p->t = next;
        }
        if (first == p->n)
            return;
        struct input *in = &p->input[first];
        if (in->amount == 0 && in->from >= 0) {
            in->from = -1;
            p->off[in->state] = false;
            continue;
        }
        if (in->amount > 0) {
            p->off[in->state] = false;
            p->x[in->state] += in->amount;
        }
        *in = p->input[--p->n];
    }
}

static void list_dose(struct plain *p, const struct hl_record *r, const double *column, double time, int64_t from)
{
    double F = column[BIO], lag = column[LAG], rate = r->RATE > 0 ? r->RATE : r->RATE == -1 ? column[RATEC] : 0;
    double stated = r->DUR > 0 ? r->DUR : r->RATE == -2 ? column[DURC] : p->scales_rate && rate > 0 ? r->AMT / rate : 0;
    double duration = r->RATE == 0 ? 0 : stated > 0 ? stated : F * r->AMT / rate;
    rate = stated > 0 ? F * r->AMT / duration : rate;
    for (int64_t k = from; k <= (int64_t)r->ADDL; k++) {
        double arrival = (time + (double)k * r->II) + lag;
        assert_true(p->n < MOST_INPUTS);
        p->input[p->n++] = (struct input){.state = r->CMT - 1, .from = arrival, .to = arrival + duration, .rate = rate,
                                          .amount = duration > 0 ? 0 : F * r->AMT, .nominal = lag == 0};
    }
}

/* x as a long past of the dose leaves it, the rest of the series on the list. */
static void run_in(struct plain *p, const struct hl_record *r, const double *column)
{
    memset(p->x, 0, sizeof p->x);
    p->n = 0;
    p->off[r->CMT - 1] = false;
    p->t = 0; /* clocks of the past are positive: from < 0 means started */
    if (r->AMT == 0) {
        double rate[MOST] = {0};
        rate[r->CMT - 1] = r->RATE > 0 ? r->RATE : column[RATEC];
        propagate(p, rate, LONG_AGO, p->x);
        return;
    }
    int64_t cycles = (int64_t)ceil(LONG_AGO / r->II);
    list_dose(p, r, column, (double)cycles * r->II, -cycles);
    go(p, (double)cycles * r->II);
    for (size_t i = 0; i < p->n; i++) { /* to the record's own clock */
        p->input[i].to += r->TIME - (double)cycles * r->II;
        if (p->input[i].from >= 0)
            p->input[i].from += r->TIME - (double)cycles * r->II;
    }
}

static void plain_steady(struct plain *p, const struct hl_record *r, const double *column)
{
    struct plain old = *p;
    p->input = hl_alloc(MOST_INPUTS, sizeof *p->input);
    run_in(p, r, column);
    p->t = r->TIME;
    memcpy(old.off, p->off, sizeof old.off);
    memcpy(old.peak, p->peak, sizeof old.peak);
    for (int a = 0; r->SS == 2 && a < p->m->n; a++)
        old.x[a] += p->x[a];
    if (r->SS != 2) {
        old.n = 0;
        memcpy(old.x, p->x, sizeof old.x);
    }
    for (size_t i = 0; i < p->n; i++)
        old.input[old.n++] = p->input[i];
    hl_free(p->input);
    *p = old;
}

static void plain_reset(struct plain *p, double t)
{
    memset(p->x, 0, sizeof p->x);
    memset(p->off, 0, sizeof p->off);
    p->x[p->m->depot ? 1 : 0] = p->m->initial;
    p->n = 0;
    p->t = t;
}

static void plain_record(struct plain *p, const struct hl_record *r, const double *column)
{
    int state = abs(r->CMT) - 1;
    if (r->EVID == 3 || r->EVID == 4)
        plain_reset(p, r->TIME);
    if ((r->EVID == 1 || r->EVID == 4) && r->SS > 0)
        plain_steady(p, r, column);
    else if (r->EVID == 1 || r->EVID == 4)
        list_dose(p, r, column, r->TIME, 0);
    if (r->EVID == 8 || (r->EVID == 2 && r->CMT != 0)) {
        if (r->EVID == 8 || p->off[state] || r->CMT < 0)
            p->x[state] = r->EVID == 8 ? r->AMT : 0;
        p->off[state] = r->EVID == 2 && r->CMT < 0;
    }
    for (size_t i = 0; r->EVID == 2 && r->CMT < 0 && i < p->n; i++)
        if (p->input[i].state == state && p->input[i].from < 0) /* running: stopped */
            p->input[i--] = p->input[--p->n];
}

static void plain_run(const struct model *m, struct table *t, enum hl_covariate_rule rule, double *peak)
{
    struct plain p = {.m = m, .scales_rate = m->scales_rate, .input = hl_alloc(MOST_INPUTS, sizeof *p.input)};
    double k_out = m->k[m->n][m->depot ? 1 : 0];
    plain_reset(&p, t->record[0].TIME);
    for (size_t i = 0; i < t->n; i++) {
        const struct hl_record *r = &t->record[i];
        size_t in_force = rule == HL_COVARIATE_PREVIOUS && i > 0 ? i - 1 : i;
        p.k_out = k_out * t->column[in_force][WT] / 70;
        if (r->TIME >= p.t)
            go(&p, r->TIME);
        p.k_out = k_out * t->column[i][WT] / 70;
        plain_record(&p, r, t->column[i]);
        go(&p, r->TIME);
        for (int a = 0; a < m->n; a++)
            t->value[i][a] = p.x[a];
    }
    memcpy(peak, p.peak, sizeof p.peak);
    hl_free(p.input);
}

/* ---- the comparison */

static struct table exact, integrated, plain;

static void print_table(const struct model *m, const struct table *t)
{
    print_error("%s", m->text);
    for (size_t i = 0; i < t->n; i++) {
        const struct hl_record *r = &t->record[i];
        print_error("%zu: TIME %.17g EVID %d CMT %d AMT %.17g RATE %.17g SS %d II %.17g ADDL %d | WT %g F %.17g "
                    "lag %.17g R %.17g D %.17g |", i, r->TIME, r->EVID, r->CMT, r->AMT, r->RATE, r->SS, r->II,
                    (int)r->ADDL,
                    t->column[i][WT], t->column[i][BIO], t->column[i][LAG], t->column[i][RATEC], t->column[i][DURC]);
        for (int a = 0; a < m->n; a++)
            print_error(" %.12g %.12g %.12g;", exact.value[i][a], integrated.value[i][a], plain.value[i][a]);
        print_error("\n");
    }
}

static void compare(const struct model *m, const struct table *t, uint64_t number, const double *peaks)
{
    for (int a = 0; a < m->n; a++) {
        double peak = peaks[a];
        for (size_t i = 0; i < t->n; i++) {
            double x = exact.value[i][a], y = integrated.value[i][a], z = plain.value[i][a];
            double worst = fmax(fabs(x - z), fmax(fabs(x - y), fabs(y - z)));
            if (worst <= AGREEMENT * peak + NOTHING)
                continue;
            print_table(m, t);
            fail_msg("table %llu, record %zu, compartment %d: exact %.15g, integrated %.15g, plain %.15g; they differ "
                     "by %.3g of the peak, allowed %.3g", (unsigned long long)number, i, a + 1, x, y, z, worst / peak,
                     AGREEMENT);
        }
    }
}

static void solve(const struct model *m, const char *solver, enum hl_covariate_rule rule, struct table *t)
{
    static const char *const outputs[] = {"m.centre", "m.centre, m.fat", "m.centre, m.fat, m.bone"};
    char asked[80];
    snprintf(asked, sizeof asked, "%s%s", m->depot ? "m.depot, " : "", outputs[m->n - 1 - m->depot]);
    struct sample *s = sample_of(m->text, asked, "typical", rule, solver, 1e-12);
    s->spec.scales_rate = m->scales_rate;
    table_run(s, t);
    sample_free(s);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void three_ways_agree(void **state)
{
    (void)state;
    struct dice d = {.seed = number_of("HL_SEED", (uint64_t)time(NULL) / 86400), .stream = 29};
    uint64_t only = number_of("HL_CASE", 0), cases = number_of("HL_CASES", 150);
    print_message("seed %llu, %llu tables\n", (unsigned long long)d.seed, (unsigned long long)cases);
    for (uint64_t number = only ? only : 1; number <= (only ? only : cases); number++) {
        struct model m;
        d.number = number;
        d.draw = 0;
        make_model(&m, &d);
        enum hl_covariate_rule rule = chance(&d, 0.5) ? HL_COVARIATE_NEXT : HL_COVARIATE_PREVIOUS;
        make_table(&exact, &d, m.n, chance(&d, 0.5));
        integrated = plain = exact;
        solve(&m, "exact", rule, &exact);
        solve(&m, "gsl-rk8pd", rule, &integrated);
        double peak[MOST];
        plain_run(&m, &plain, rule, peak);
        compare(&m, &plain, number, peak);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(three_ways_agree)};
    return cmocka_run_group_tests(tests, course_start, course_stop);
}
