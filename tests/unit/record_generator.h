/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random models and random record tables for them, as text (YAML, CSV) and as data.
 *
 * A model has one to four compartments joined by random one-way and two-way flows, routes with bioavailability, lag,
 * rate, duration or a zero-order input, routes of several parts, effect sites, turnover states and start values; some
 * have Michaelis-Menten elimination, an indirect response, a dose that enters by a course of its own or a rate that
 * changes in time. Its compartments may belong to two drugs. Every number of it is a quantity
 *     base (WT / 70)^a (CR / 100)^b (f where fed) exp(eta)
 * with some of these factors. A table is the records of one individual: every kind of event and of dose in any
 * combination, the times on a grid where ties are exact, on tenths where they are only meant, or anywhere.
 *
 * A new feature is one more choice in make_... or record_..., and one more line in RECORD_FEATURES: a campaign that
 * never sees it fails. */
#ifndef TESTS_UNIT_RECORD_GENERATOR_H
#define TESTS_UNIT_RECORD_GENERATOR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "unit/dice.h"

/* What a table may contain or make happen: counted where it is made or where it happens. */
#define RECORD_FEATURES(X)                                                                                            \
    X(evid_0, "EVID 0") X(evid_1, "EVID 1") X(evid_2, "EVID 2") X(evid_3, "EVID 3") X(evid_4, "EVID 4")               \
    X(evid_8, "EVID 8, replace")                                                                                      \
    X(bolus, "bolus") X(rate, "RATE given") X(dur, "DUR given") X(rate_1, "RATE -1") X(rate_2, "RATE -2")             \
    X(zero_order, "zero-order route") X(default_dose, "dose without CMT") X(named_cmt, "CMT as a name")               \
    X(other_cmt, "dose into another compartment than the default") X(plain_cmt, "dose without a route")               \
    X(parts, "route of several parts") X(spread_parts, "parts into different compartments")                           \
    X(F, "bioavailability") X(F_above_1, "bioavailability above 1") X(scales_rate, "bioavailability scales the rate") \
    X(lag, "lag") X(lag_above_II, "lag above II, additional doses") X(addl, "ADDL")                          \
    X(addl_overlap, "ADDL overlapping itself")                                                                        \
    X(ss_1, "SS 1") X(ss_2, "SS 2") X(ss_3, "SS 3") X(ss_addl, "SS with ADDL") X(ss_reset, "EVID 4 with SS")          \
    X(ss_bolus, "SS, bolus") X(ss_infusion, "SS, infusion") X(ss_rate_1, "SS, RATE -1") X(ss_rate_2, "SS, RATE -2")   \
    X(ss_long, "SS, infusion longer than II") X(ss_flat, "SS, infusion as long as II")                                \
    X(ss_lag, "SS with a lag below II") X(ss_lag_long, "SS with a lag above II")                                      \
    X(ss_lag_infusion, "SS, infusion longer than II and lag") X(ss_lag_multiple, "SS, lag a multiple of II")          \
    X(ss_constant, "SS, constant infusion") X(ss_constant_1, "SS, constant infusion at the modelled rate")            \
    X(ss_constant_2, "SS 2, constant infusion") X(ss_off, "SS while a compartment is off")                            \
    X(ss_turnover, "SS with a constant input") X(ss_slow, "SS, half-life above 10 II")                                \
    X(ss_wiped, "SS 1 cancels pending doses") X(ss_2_keeps, "SS 2 beside pending doses")                              \
    X(overlap, "infusions overlap") X(reset_pending, "reset cancels pending doses")                                   \
    X(reset_running, "reset stops an infusion") X(reset_lagged, "reset cancels a lagged dose")                        \
    X(reset_at_arrival, "reset at the time of an arrival") X(reset_back, "reset to an earlier time")                  \
    X(lag_survives, "lagged dose of EVID 4 arrives after its reset")                                                  \
    X(tie, "records at one time") X(tie_dose_after, "observation before a dose at its time")                          \
    X(tie_dose_before, "observation after a dose at its time") X(tie_addl, "additional dose at a record's time")      \
    X(tie_addl_rounded, "additional dose at a record's time but for rounding")                          \
    X(tie_lag, "lagged dose at a record's time")                                                                      \
    X(near_lag, "lagged dose one rounding after a record")                                                            \
    X(off, "compartment off") X(on_again, "compartment on again by EVID 2") X(on_by_dose, "compartment on by a dose") \
    X(on_by_arrival, "compartment on by a later arrival") X(off_infusion, "infusion stopped by its compartment")      \
    X(covariate, "covariate varies") X(covariate_next, "rule next") X(covariate_previous, "rule previous")            \
    X(covariate_interpolate, "rule interpolate") X(covariate_gap, "gap in a covariate")                              \
    X(covariate_class, "category varies")                                                                             \
    X(occasion, "occasions") X(eta, "between-subject effect") X(initial, "start values") X(effect_site, "effect site")\
    X(turnover, "turnover state") X(driven, "state driven by a compartment") X(two_way, "two-way flow")               \
    X(cycle, "flows in a circle") X(clearance, "flow by clearance") X(michaelis, "Michaelis-Menten elimination")      \
    X(response, "indirect response") X(timed, "rate that changes in time") X(tad, "time after dose")                  \
    X(two_drugs, "two drugs") X(ss_two_drugs, "SS of one drug beside another") X(replaced_off, "EVID 8 while off")    \
    X(ss_nonlinear, "SS of a model that isn't linear")                               \
    X(released, "release") X(released_lag, "release after a lag") X(released_overlap, "releases overlap")             \
    X(ss_released, "SS, release") X(ss_released_long, "SS, release much longer than II")                              \
    X(ss_2_released, "SS 2 beside a release") X(reset_released, "reset stops a release")                              \
    X(off_released, "release stopped by its compartment") X(replaced_released, "EVID 8 beside a release")

enum record_feature {
#define X(name, text) SEEN_##name,
    RECORD_FEATURES(X)
#undef X
        N_FEATURES
};

static const char *const feature_name[] = {
#define X(name, text) text,
    RECORD_FEATURES(X)
#undef X
};

static double log_uniform(struct dice *d, double low, double high)
{
    return low * pow(high / low, uniform(d, 0, 1));
}

/* ---- Models ---- */

enum { WT, CR, FED, N_COVARIATES };
enum { ETA, KAPPA_1, KAPPA_2, N_ETAS };
enum covariate_rule { RULE_NEXT, RULE_PREVIOUS, RULE_INTERPOLATE };

#define MOST_COMPARTMENTS 4
#define MOST_STATES 8
#define MOST_QUANTITIES 96
#define MOST_FLOWS 16
#define MOST_ROUTES 8
#define MOST_PARTS 3
#define MOST_RECORDS 48
#define NONE (-1)

struct quantity { double base, power[2], fed; int eta, drug; const char *unit; };

/* to NONE: out. timed: times 1 + 0.4 / (1 + (t / 15 h)^2). */
struct flow { int from, to, q; bool clearance, both, timed; };

/* Quantities or NONE; with a shape a dose enters as from that many transit compartments with the rate constant ktr. */
struct part { int state; double fraction; int F, lag, rate, duration, zero_order, shape, ktr; };
struct route { int n_parts; struct part part[MOST_PARTS]; bool is_default; };
struct saturable { int state, Vmax, Km; };
struct site { int state, of, ke0; };

/* dR/dt = kin - kout R (+ slope A_of), or one of the four indirect responses to the concentration in of. */
struct turnover { int state, kin, kout, initial, of, slope; int response; /* 0: linear */ int Imax, IC50; };

struct random_model {
    int n_compartments, n_states;          /* compartments, then effect sites, then turnover states */
    int n_drugs, second;                   /* first compartment of the second drug; n_compartments without one */
    int drug;                              /* whose quantities are being made */
    int n_quantities; struct quantity quantity[MOST_QUANTITIES];
    int volume[MOST_COMPARTMENTS], initial[MOST_COMPARTMENTS]; /* quantities or NONE */
    int n_flows; struct flow flow[MOST_FLOWS];
    int n_routes, default_route; struct route route[MOST_ROUTES];
    int n_saturable; struct saturable saturable[2];
    int n_sites; struct site site[2];
    int n_turnovers; struct turnover turnover[2];
    bool linear, scales_rate, timed;
    bool tad;                              /* time after dose of the first drug is an output */
    bool exact_lags;                       /* lags are multiples of 1/8 h, so that sums of times are exact */
    bool constant_lags;                    /* lags are the same for every record, but any number */
    double slow;                           /* least rate constant of an elimination */
    enum covariate_rule rule[N_COVARIATES];
    uint64_t *seen;                        /* by feature */
};

static int add_quantity(struct random_model *m, struct dice *d, double base, const char *unit, bool varies)
{
    struct quantity q = {.base = base, .fed = 1, .eta = NONE, .drug = m->drug, .unit = unit};
    for (int c = 0; varies && c < 2; c++)
        if (chance(d, 0.3))
            q.power[c] = uniform(d, -0.8, 0.9);
    if (varies && chance(d, 0.15))
        q.fed = uniform(d, 0.6, 1.5);
    if (varies && chance(d, 0.3))
        q.eta = integer(d, 0, N_ETAS - 1);
    m->quantity[m->n_quantities] = q;
    return m->n_quantities++;
}

static int drug_of(const struct random_model *m, int compartment)
{
    return compartment >= m->second;
}

/* Models that aren't linear are kept from being slow, since their steady states are run in cycle by cycle. */
static double rate_constant(const struct random_model *m, struct dice *d)
{
    return log_uniform(d, m->linear ? 0.02 : 0.08, 1.4);
}

static void add_flow(struct random_model *m, struct dice *d, int from, int to, double k, bool both)
{
    bool clearance = m->volume[from] != NONE && (both || chance(d, 0.5));
    double base = clearance ? k * m->quantity[m->volume[from]].base : k;
    struct flow f = {from, to, add_quantity(m, d, base, clearance ? "L/h" : "1/h", true), clearance, both,
                     m->timed && chance(d, 0.4)};
    m->flow[m->n_flows++] = f;
    m->seen[SEEN_timed] += f.timed;
    m->seen[SEEN_clearance] += clearance;
    m->seen[SEEN_two_way] += both;
}

/* Compartment i joins the earlier ones: as a depot that empties, as tissue that takes and gives, or as a metabolite. */
static void join_compartment(struct random_model *m, struct dice *d, int i)
{
    int first = drug_of(m, i) == 0 ? 0 : m->second, with = integer(d, first, i - 1), kind = integer(d, 0, 2);
    if (kind == 0)
        add_flow(m, d, i, with, rate_constant(m, d), false);
    else if (kind == 1 && m->volume[i] != NONE && m->volume[with] != NONE)
        add_flow(m, d, with, i, rate_constant(m, d), true);
    else {
        add_flow(m, d, with, i, rate_constant(m, d), false);
        if (kind == 1)
            add_flow(m, d, i, with, rate_constant(m, d), false);
        else
            add_flow(m, d, i, NONE, rate_constant(m, d), false);
    }
}

static void make_compartments(struct random_model *m, struct dice *d)
{
    for (int i = 0; i < m->n_compartments; i++) {
        m->drug = drug_of(m, i);
        double V = m->linear ? log_uniform(d, 2, 90) : log_uniform(d, 15, 40);
        m->volume[i] = i == 0 || chance(d, 0.6) ? add_quantity(m, d, V, "L", true) : NONE;
        m->initial[i] = chance(d, 0.15) ? add_quantity(m, d, uniform(d, 1, 20), "mg", true) : NONE;
        m->seen[SEEN_initial] += m->initial[i] != NONE;
    }
}

static void make_flows(struct random_model *m, struct dice *d)
{
    m->slow = m->linear && chance(d, 0.2) ? log_uniform(d, 0.002, 0.02) : rate_constant(m, d);
    for (int i = 0; i < m->n_compartments; i++) {
        m->drug = drug_of(m, i);
        if (i == 0 || i == m->second)
            add_flow(m, d, i, NONE, i == 0 ? m->slow : rate_constant(m, d), false);
        else
            join_compartment(m, d, i);
    }
    m->drug = 0;
    if (m->second > 2 && chance(d, 0.3)) {
        int last = m->second - 1;
        add_flow(m, d, last, integer(d, 0, last - 1), rate_constant(m, d), false);
        add_flow(m, d, integer(d, 0, last - 1), last, rate_constant(m, d), false);
        m->seen[SEEN_cycle]++;
    }
}

static double random_lag(const struct random_model *m, struct dice *d)
{
    double most = chance(d, 0.25) ? 30 : 5;
    return m->exact_lags ? ceil(uniform(d, 0, 8 * most)) / 8 : uniform(d, 0.05, most);
}

static struct part make_part(struct random_model *m, struct dice *d, int state, double fraction)
{
    struct part p = {state, fraction, NONE, NONE, NONE, NONE, NONE, 0, NONE};
    m->drug = drug_of(m, state);
    if (chance(d, 0.5))
        p.F = add_quantity(m, d, uniform(d, 0.2, 1.6), "", true);
    if (chance(d, 0.45))
        p.lag = add_quantity(m, d, random_lag(m, d), "h", !m->constant_lags);
    if (!m->linear && chance(d, 0.35)) { /* those are integrated by the reference */
        static const int shapes[] = {1, 2, 3, 5};
        p.shape = shapes[integer(d, 0, 3)];
        p.ktr = add_quantity(m, d, log_uniform(d, 0.3, 4), "1/h", true);
    } else if (chance(d, 0.2))
        p.zero_order = add_quantity(m, d, uniform(d, 0.3, 12), "h", true);
    else {
        if (chance(d, 0.5))
            p.rate = add_quantity(m, d, log_uniform(d, 1, 60), "mg/h", true);
        if (chance(d, 0.5))
            p.duration = add_quantity(m, d, log_uniform(d, 0.2, 30), "h", true);
    }
    return p;
}

/* One route into a compartment, of one part, or of two parts that take turns. */
static void add_own_route(struct random_model *m, struct dice *d, int state)
{
    struct route *r = &m->route[m->n_routes++];
    double share = uniform(d, 0.2, 0.8);
    r->n_parts = chance(d, 0.2) ? 2 : 1;
    for (int k = 0; k < r->n_parts; k++)
        r->part[k] = make_part(m, d, state, r->n_parts == 1 ? 0 : k == 0 ? share : 1 - share);
}

/* One dose, several compartments of the first drug. */
static void add_spread_route(struct random_model *m, struct dice *d)
{
    struct route *r = &m->route[m->n_routes++];
    int first = integer(d, 0, m->second - 1);
    double left = 1;
    r->n_parts = integer(d, 2, m->second < MOST_PARTS ? m->second : MOST_PARTS);
    for (int k = 0; k < r->n_parts; k++) {
        double share = k == r->n_parts - 1 ? left : left * uniform(d, 0.3, 0.7);
        r->part[k] = make_part(m, d, (first + k) % m->second, share);
        left -= share;
    }
}

static void make_routes(struct random_model *m, struct dice *d)
{
    int of_first = 0;
    if (m->second > 1 && chance(d, 0.3))
        add_spread_route(m, d);
    for (int i = 0; i < m->n_compartments; i++) {
        if (i == m->second)
            of_first = m->n_routes;
        if (i == 0 || chance(d, 0.65))
            add_own_route(m, d, i);
    }
    m->default_route = integer(d, 0, (of_first > 0 ? of_first : m->n_routes) - 1);
    if (m->second > 1 && m->route[0].n_parts > 1)
        m->default_route = 0;
    m->route[m->default_route].is_default = true;
}

static int with_volume(const struct random_model *m, struct dice *d)
{
    int i = integer(d, 0, m->second - 1);
    return m->volume[i] == NONE ? 0 : i;
}

/* Of the first drug, as effect sites are. */
static void make_turnover(struct random_model *m, struct dice *d)
{
    double kout = rate_constant(m, d), kin = kout * uniform(d, 1, 30);
    struct turnover *x = &m->turnover[m->n_turnovers++];
    *x = (struct turnover){.state = m->n_states++, .of = NONE, .slope = NONE, .Imax = NONE, .IC50 = NONE,
                           .initial = NONE};
    x->kin = add_quantity(m, d, kin, "mg/h", true);
    x->kout = add_quantity(m, d, kout, "1/h", true);
    if (chance(d, 0.5))
        x->initial = add_quantity(m, d, uniform(d, 0, 40), "mg", true);
    m->seen[SEEN_turnover]++;
    if (!m->linear && chance(d, 0.7)) {
        x->response = integer(d, 1, 4);
        x->of = with_volume(m, d);
        x->Imax = add_quantity(m, d, x->response <= 2 ? uniform(d, 0.3, 0.95) : uniform(d, 0.5, 4), "", false);
        x->IC50 = add_quantity(m, d, log_uniform(d, 0.1, 10), "mg/L", true);
        m->seen[SEEN_response]++;
    } else if (chance(d, 0.5)) {
        x->of = integer(d, 0, m->second - 1);
        x->slope = add_quantity(m, d, rate_constant(m, d), "1/h", true);
        m->seen[SEEN_driven]++;
    }
}

static void make_states(struct random_model *m, struct dice *d)
{
    m->n_states = m->n_compartments;
    m->drug = 0;
    if (chance(d, 0.3)) {
        m->site[m->n_sites] = (struct site){m->n_states++, with_volume(m, d), NONE};
        m->site[m->n_sites++].ke0 = add_quantity(m, d, rate_constant(m, d), "1/h", true);
        m->seen[SEEN_effect_site]++;
    }
    if (!m->linear && chance(d, 0.6)) {
        struct saturable *s = &m->saturable[m->n_saturable++];
        s->state = integer(d, 0, m->second - 1);
        s->Vmax = add_quantity(m, d, log_uniform(d, 1, 40), "mg/h", true);
        s->Km = add_quantity(m, d, log_uniform(d, 1, 60), "mg", true);
        m->seen[SEEN_michaelis]++;
    }
    while (m->n_turnovers < 2 && chance(d, m->linear || m->n_saturable > 0 || m->n_turnovers > 0 ? 0.25 : 1))
        make_turnover(m, d);
}

static void make_rules(struct random_model *m, struct dice *d)
{
    bool interpolates = chance(d, 0.06), previous = chance(d, 0.25);
    for (int c = 0; c < N_COVARIATES; c++) {
        m->rule[c] = previous ? RULE_PREVIOUS : RULE_NEXT;
        if (interpolates && c != FED && chance(d, 0.6))
            m->rule[c] = RULE_INTERPOLATE;
        else if (chance(d, 0.15))
            m->rule[c] = previous ? RULE_NEXT : RULE_PREVIOUS;
    }
}

static bool interpolates(const struct random_model *m)
{
    return m->rule[WT] == RULE_INTERPOLATE || m->rule[CR] == RULE_INTERPOLATE;
}

static struct random_model make_model(struct dice *d, bool linear, uint64_t *seen)
{
    struct random_model m = {.linear = linear, .seen = seen};
    m.n_compartments = m.second = integer(d, 1, MOST_COMPARTMENTS);
    m.n_drugs = 1;
    if (m.n_compartments > 1 && chance(d, 0.15)) {
        m.second = integer(d, 1, m.n_compartments - 1);
        m.n_drugs = 2;
    }
    m.timed = !linear && chance(d, 0.2);
    m.tad = chance(d, 0.3);
    m.exact_lags = chance(d, 0.4);
    m.constant_lags = m.exact_lags || chance(d, 0.5);
    m.scales_rate = chance(d, 0.2);
    seen[SEEN_two_drugs] += m.n_drugs == 2;
    make_rules(&m, d);
    make_compartments(&m, d);
    make_flows(&m, d);
    make_routes(&m, d);
    make_states(&m, d);
    return m;
}

/* The route by which a dose into a compartment (0-based; NONE: the default) goes; NONE: none, a plain dose. */
static int route_of(const struct random_model *m, int compartment)
{
    if (compartment == NONE)
        return m->default_route;
    int found = NONE;
    for (int i = 0; i < m->n_routes; i++) {
        bool fits = true;
        for (int k = 0; k < m->route[i].n_parts; k++)
            fits = fits && m->route[i].part[k].state == compartment;
        if (fits && (found == NONE || m->route[i].is_default))
            found = i;
    }
    return found;
}

/* ---- Models as text ---- */

static void print_quantity(const struct random_model *m, int i, FILE *f)
{
    static const char *const name[] = {"eta_1", "kappa_1", "kappa_2"};
    const struct quantity *q = &m->quantity[i];
    fprintf(f, "  Q%d: \"P%d", i, i);
    if (q->power[WT] != 0)
        fprintf(f, " * (WT / 70 kg)^%.17g", q->power[WT]);
    if (q->power[CR] != 0)
        fprintf(f, " * (CR / 100 mL/min)^%.17g", q->power[CR]);
    if (q->fed != 1)
        fprintf(f, " * if(FED = fed, %.17g, 1)", q->fed);
    if (q->eta != NONE)
        fprintf(f, " * exp(%s)", name[q->eta]);
    fprintf(f, "\"\n");
}

static void print_part(const struct part *p, bool is_default, FILE *f)
{
    const int quantity[] = {p->F, p->lag, p->rate, p->duration, p->zero_order};
    static const char *const key[] = {"bioavailability", "lag", "rate", "duration", "zero_order"};
    fprintf(f, "{into: c%d", p->state + 1);
    if (p->fraction > 0)
        fprintf(f, ", fraction: %.17g", p->fraction);
    for (int k = 0; k < 5; k++)
        if (quantity[k] != NONE)
            fprintf(f, ", %s: Q%d", key[k], quantity[k]);
    if (p->shape > 0)
        fprintf(f, ", released: \"gamma_p(%d, Q%d * tad)\"", p->shape, p->ktr);
    fprintf(f, "%s}\n", is_default ? ", default: dose" : "");
}

static void print_routes(const struct random_model *m, int drug, FILE *f)
{
    bool any = false;
    for (int i = 0; i < m->n_routes; i++) {
        const struct route *r = &m->route[i];
        if (drug_of(m, r->part[0].state) != drug)
            continue;
        fprintf(f, "%s", any ? "" : "routes:\n");
        any = true;
        fprintf(f, "  way%d:%s", i, r->n_parts > 1 ? "\n" : " ");
        for (int k = 0; k < r->n_parts; k++) {
            fprintf(f, "%s", r->n_parts > 1 ? "    - " : "");
            print_part(&r->part[k], r->is_default && k == 0, f);
        }
    }
}

static void print_flows(const struct random_model *m, int drug, FILE *f)
{
    fprintf(f, "flows:\n");
    for (int i = 0; i < m->n_flows; i++) {
        const struct flow *x = &m->flow[i];
        if (drug_of(m, x->from) != drug)
            continue;
        fprintf(f, "  - c%d %s ", x->from + 1, x->both ? "<->" : "->");
        fprintf(f, x->to == NONE ? "out" : "c%d", x->to + 1);
        fprintf(f, ": Q%d%s\n", x->q, x->timed ? " * (1 + 0.4 / (1 + (t / 15 h)^2))" : "");
    }
    for (int i = 0; i < m->n_saturable && drug == 0; i++) {
        const struct saturable *s = &m->saturable[i];
        fprintf(f, "  - c%d -> out: Q%d / (Q%d + c%d)\n", s->state + 1, s->Vmax, s->Km, s->state + 1);
    }
}

static void print_turnover(const struct turnover *x, FILE *f)
{
    char initial[32], drug[96];
    if (x->initial == NONE)
        snprintf(initial, sizeof initial, "Q%d / Q%d", x->kin, x->kout);
    else
        snprintf(initial, sizeof initial, "Q%d", x->initial);
    snprintf(drug, sizeof drug, "Q%d * C%d / (Q%d + C%d)", x->Imax, x->of + 1, x->IC50, x->of + 1);
    fprintf(f, "  s%d: {unit: mg, initial: %s, rate: \"", x->state + 1, initial);
    if (x->response == 1 || x->response == 3)
        fprintf(f, "Q%d * (1 %c %s) - Q%d * s%d", x->kin, x->response == 1 ? '-' : '+', drug, x->kout, x->state + 1);
    else if (x->response != 0)
        fprintf(f, "Q%d - Q%d * (1 %c %s) * s%d", x->kin, x->kout, x->response == 2 ? '-' : '+', drug, x->state + 1);
    else
        fprintf(f, "Q%d - Q%d * s%d", x->kin, x->kout, x->state + 1);
    if (x->slope != NONE)
        fprintf(f, " + Q%d * c%d", x->slope, x->of + 1);
    fprintf(f, "\"}\n");
}

static void print_states(const struct random_model *m, FILE *f)
{
    if (m->n_sites > 0)
        fprintf(f, "effect_sites:\n");
    for (int i = 0; i < m->n_sites; i++)
        fprintf(f, "  s%d: {follows: C%d, ke0: Q%d}\n", m->site[i].state + 1, m->site[i].of + 1, m->site[i].ke0);
    if (m->n_turnovers > 0)
        fprintf(f, "states:\n");
    for (int i = 0; i < m->n_turnovers; i++)
        print_turnover(&m->turnover[i], f);
}

static void print_outputs(const struct random_model *m, int drug, FILE *f)
{
    fprintf(f, "outputs:\n");
    for (int i = 0; i < m->n_compartments; i++)
        if (drug_of(m, i) == drug && m->volume[i] != NONE)
            fprintf(f, "  C%d: {value: c%d / Q%d, unit: mg/L}\n", i + 1, i + 1, m->volume[i]);
    if (drug == 1)
        fprintf(f, "  twice: {value: 2 * c%d, unit: mg}\n", m->second + 1);
    else if (m->tad)
        fprintf(f, "  since: {value: tad, unit: h}\n");
}

/* The model of one of the drugs, 0 or 1. */
static void print_model(const struct random_model *m, int drug, FILE *f)
{
    fprintf(f, "model: random%d\ntitle: made by a test\n"
               "covariates:\n  WT: {default: 70 kg}\n  CR: {default: 100 mL/min}\n"
               "  FED: {default: fasted, categories: [fasted, fed]}\nparameters:\n", drug + 1);
    for (int i = 0; i < m->n_quantities; i++)
        if (m->quantity[i].drug == drug)
            fprintf(f, "  P%d: {value: %.17g%s%s, grade: assumption}\n", i, m->quantity[i].base,
                    *m->quantity[i].unit ? " " : "", m->quantity[i].unit);
    fprintf(f, "random:\n  eta_1: {sd: 0.2}\n  kappa_1: {sd: 0.3, level: occasion}\n"
               "  kappa_2: {sd: 0.15, level: occasion}\nindividual:\n");
    for (int i = 0; i < m->n_quantities; i++)
        if (m->quantity[i].drug == drug)
            print_quantity(m, i, f);
    fprintf(f, "compartments:\n");
    for (int i = 0; i < m->n_compartments; i++) {
        if (drug_of(m, i) != drug)
            continue;
        fprintf(f, "  c%d: {", i + 1);
        if (m->volume[i] != NONE)
            fprintf(f, "volume: Q%d, ", m->volume[i]);
        if (m->initial[i] != NONE)
            fprintf(f, "initial: Q%d, ", m->initial[i]);
        fprintf(f, "label: number %d}\n", i + 1);
    }
    print_flows(m, drug, f);
    print_routes(m, drug, f);
    if (drug == 0)
        print_states(m, f);
    print_outputs(m, drug, f);
}

/* The study's text; its records stand in events.csv beside the model. */
static void print_study(const struct random_model *m, uint64_t seed, const char *folder, FILE *f)
{
    static const char *const rule[] = {"next", "previous", "interpolate"};
    fprintf(f, "study: random\ndrugs: {d: random1%s}\ncohort: {seed: %llu}\ndata:\n  file: %s/events.csv\n",
            m->n_drugs == 2 ? ", e: random2" : "", (unsigned long long)seed, folder);
    fprintf(f, "  covariates: {WT: %s, CR: %s, FED: %s}\n", rule[m->rule[WT]], rule[m->rule[CR]], rule[m->rule[FED]]);
    fprintf(f, "  bioavailability_scales: %s\noutputs: [", m->scales_rate ? "rate" : "duration");
    for (int i = 0; i < m->n_compartments; i++)
        if (m->volume[i] != NONE)
            fprintf(f, "%s.C%d, ", drug_of(m, i) ? "e" : "d", i + 1);
    for (int i = 0; i < m->n_compartments; i++)
        fprintf(f, "%s%s.c%d", i > 0 ? ", " : "", drug_of(m, i) ? "e" : "d", i + 1);
    for (int i = m->n_compartments; i < m->n_states; i++)
        fprintf(f, ", d.s%d", i + 1);
    fprintf(f, "%s", m->tad ? ", d.since" : "");
    fprintf(f, "]\n");
}

#endif
