/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random record tables for a random model: what record_generator.h says of tables is made here. */
#ifndef TESTS_UNIT_RECORD_TABLES_H
#define TESTS_UNIT_RECORD_TABLES_H

#include "unit/record_generator.h"

struct record {
    double TIME, AMT, RATE, DUR, II;       /* DUR 0: none is written */
    int EVID, CMT, SS, ADDL, OCC;          /* CMT 0: none is written */
    double covariate[N_COVARIATES];        /* as written; NaN: missing */
};

/* Where the times lie. On eighths every sum of times is exact. Tenths are sums only but for rounding, and only doses
 * without lag are meant to meet them. Anywhere, a record may be put at the very sum of a dose's time and lag. */
enum times { EIGHTHS, TENTHS, ANYWHERE };

struct table {
    int n; struct record record[MOST_RECORDS];
    enum times times;
    bool named;                            /* CMT is written as a name */
    bool varies[N_COVARIATES];
    bool series_ties;                      /* ANYWHERE: records at additional doses, else at lagged ones */
    bool moved;                            /* a reset has set the clock */
    bool maybe_off[MOST_COMPARTMENTS];
    int n_upcoming; double upcoming[64];   /* times of arrivals that a record may be put at */
};

#define TABLE_SAW(m, name, condition) ((m)->seen[SEEN_##name] += (condition) ? 1 : 0)

static double interval_of(const struct random_model *m, struct dice *d, const struct table *t)
{
    double least = m->linear ? 0.5 : 3;
    return t->times == EIGHTHS  ? integer(d, (int)(8 * least), 96) / 8.0
           : t->times == TENTHS ? integer(d, (int)(10 * least), 120) / 10.0
                                : uniform(d, least, 12);
}

/* The next record's time, given the last one's. */
static double next_time(struct dice *d, struct table *t, double last)
{
    double later[64];
    int n = 0;
    for (int i = 0; i < t->n_upcoming; i++)
        if (t->upcoming[i] > last)
            later[n++] = t->upcoming[i];
    if (chance(d, 0.22))
        return last;
    if (n > 0 && chance(d, 0.35))
        return later[integer(d, 0, n - 1)];
    return t->times == EIGHTHS ? last + integer(d, 1, 56) / 8.0
           : t->times == TENTHS ? round(10 * last + integer(d, 1, 70)) / 10 : last + uniform(d, 0.01, 7);
}

static double lag_of(const struct random_model *m, const struct part *p)
{
    return p->lag == NONE ? 0 : m->quantity[p->lag].base;
}

static void add_upcoming(struct table *t, double time)
{
    t->upcoming[t->n_upcoming++ % 64] = time;
    if (t->n_upcoming > 64)
        t->n_upcoming = 64;
}

/* Remembers when a dose and its series will arrive, where a record at that time is unmistakably before or after it. */
static void note_arrivals(const struct random_model *m, struct dice *d, struct table *t, const struct record *r,
                          const struct part *p)
{
    double lag = p ? lag_of(m, p) : 0;
    if (t->times == EIGHTHS && (lag == 0 || m->exact_lags))
        for (int k = 0; k <= r->ADDL; k++)
            add_upcoming(t, r->TIME + k * r->II + lag);
    else if (t->times == TENTHS && lag == 0)
        for (int k = 1; k <= r->ADDL; k++)
            add_upcoming(t, round(10 * (r->TIME + k * r->II)) / 10);
    else if (t->times == ANYWHERE && t->series_ties && lag == 0)
        for (int k = 1; k <= r->ADDL; k++)
            add_upcoming(t, r->TIME + k * r->II);
    else if (t->times == ANYWHERE && !t->series_ties && lag > 0 && m->constant_lags)
        add_upcoming(t, chance(d, 0.5) ? r->TIME + lag : nextafter(r->TIME + lag, -INFINITY));
}

/* Whether every part of a dose's route states a rate, a duration; whether one is a release; the lag of the first. */
struct abilities { bool rate, duration, released; double lag; };

static struct abilities abilities_of(const struct random_model *m, const struct record *r)
{
    int i = route_of(m, r->CMT == 0 ? NONE : r->CMT - 1);
    struct abilities a = {i != NONE, i != NONE, false, i != NONE ? lag_of(m, &m->route[i].part[0]) : 0};
    for (int k = 0; i != NONE && k < m->route[i].n_parts; k++) {
        const struct part *p = &m->route[i].part[k];
        a.rate = a.rate && p->rate != NONE;
        a.released = a.released || p->shape > 0;
        a.duration = a.duration && (p->duration != NONE || p->zero_order != NONE);
    }
    return a;
}

static void choose_rate(struct dice *d, struct record *r, struct abilities a)
{
    double choice = uniform(d, 0, 1), length = log_uniform(d, 0.2, 40);
    if (choice < 0.2)
        r->RATE = r->AMT / length;
    else if (choice < 0.3)
        r->DUR = length;
    else if (choice < 0.5 && a.rate)
        r->RATE = -1;
    else if (choice < 0.75 && a.duration)
        r->RATE = -2;
}

/* AMT 0: an infusion that has run forever. */
static void make_constant(struct dice *d, struct record *r, struct abilities a)
{
    r->AMT = 0;
    r->RATE = a.rate && chance(d, 0.5) ? -1 : uniform(d, 0.5, 20);
}

static void make_steady(const struct random_model *m, struct dice *d, struct table *t, struct record *r,
                        struct abilities a)
{
    static const int kinds[] = {1, 1, 2, 3};
    r->SS = kinds[integer(d, 0, 3)];
    if (chance(d, 0.15)) {
        make_constant(d, r, a);
        return;
    }
    bool multiple = m->linear && t->times == EIGHTHS && m->exact_lags && a.lag > 0 && chance(d, 0.2);
    r->II = multiple ? a.lag / integer(d, 1, 2) : interval_of(m, d, t);
    choose_rate(d, r, a);
    if (chance(d, 0.08)) { /* as long as II, where nothing changes that */
        r->RATE = 0;
        r->DUR = r->II;
    }
    if (chance(d, 0.4))
        r->ADDL = integer(d, 1, 5);
}

static void make_dose(const struct random_model *m, struct dice *d, struct table *t, struct record *r)
{
    r->CMT = chance(d, 0.3) ? 0 : integer(d, 1, m->n_compartments);
    r->AMT = uniform(d, 2, 150);
    struct abilities a = abilities_of(m, r);
    if (!m->timed && chance(d, 0.3)) /* nothing is periodic where rates change in time */
        make_steady(m, d, t, r, a);
    else {
        choose_rate(d, r, a);
        if (chance(d, 0.35)) {
            r->ADDL = integer(d, 1, 8);
            r->II = interval_of(m, d, t);
        }
    }
    if (a.released) { /* takes no infusion */
        r->RATE = r->DUR = 0;
        if (r->AMT == 0) {
            r->AMT = uniform(d, 2, 150);
            r->II = interval_of(m, d, t);
        }
    }
    int route = route_of(m, r->CMT == 0 ? NONE : r->CMT - 1);
    note_arrivals(m, d, t, r, route == NONE ? NULL : &m->route[route].part[0]);
}

/* A switch, a replacement, or nothing at all. */
static void make_other(const struct random_model *m, struct dice *d, struct table *t, struct record *r)
{
    int n = integer(d, 1, m->n_compartments);
    for (int i = 0; i < m->n_routes; i++)
        if (m->route[i].part[0].shape > 0 && chance(d, 0.4))
            n = m->route[i].part[0].state + 1;
    for (int i = 0; i < m->n_compartments; i++)
        if (t->maybe_off[i] && chance(d, 0.3))
            n = i + 1;
    if (r->EVID == 8) {
        r->CMT = n;
        r->AMT = chance(d, 0.2) ? 0 : uniform(d, 0, 60);
        t->maybe_off[n - 1] = false;
    } else if (chance(d, 0.8)) {
        bool on = t->maybe_off[n - 1] && chance(d, 0.5);
        r->CMT = on ? n : -n;
        t->maybe_off[n - 1] = !on;
    }
}

static int choose_evid(struct dice *d, int number)
{
    double choice = uniform(d, 0, 1);
    if (number == 0)
        return choice < 0.7 ? 1 : choice < 0.8 ? 4 : 0;
    return choice < 0.46 ? 0 : choice < 0.78 ? 1 : choice < 0.86 ? 2 : choice < 0.90 ? 3 : choice < 0.95 ? 4 : 8;
}

static void reset_clock(struct dice *d, struct table *t, struct record *r)
{
    t->n_upcoming = 0;
    memset(t->maybe_off, 0, sizeof t->maybe_off);
    if (t->n == 0 || chance(d, 0.6))
        return;
    double by = t->times == EIGHTHS ? integer(d, -300, 100) / 8.0 : t->times == TENTHS ? integer(d, -300, 100) / 10.0
                                                                                       : uniform(d, -40, 10);
    r->TIME = t->times == TENTHS ? round(10 * (r->TIME + by)) / 10 : r->TIME + by;
    t->moved = true;
}

static void make_covariates(struct dice *d, struct table *t, struct record *r)
{
    const struct record *before = t->n > 0 ? &t->record[t->n - 1] : NULL;
    static const double low[] = {45, 40, 0}, high[] = {110, 150, 1};
    for (int c = 0; c < N_COVARIATES; c++) {
        if (before && !(t->varies[c] && chance(d, 0.5)))
            r->covariate[c] = before->covariate[c];
        else
            r->covariate[c] = c == FED ? integer(d, 0, 1) : uniform(d, low[c], high[c]);
    }
    r->OCC = !before ? 1 : chance(d, 0.12) ? integer(d, 1, 3) : before->OCC;
}

static void make_record(const struct random_model *m, struct dice *d, struct table *t)
{
    struct record *r = &t->record[t->n];
    *r = (struct record){.EVID = choose_evid(d, t->n)};
    double first = t->times == EIGHTHS ? integer(d, -40, 200) / 8.0 : integer(d, -40, 200) / 10.0;
    r->TIME = t->n == 0 ? first : next_time(d, t, t->record[t->n - 1].TIME);
    if (r->EVID == 3 || r->EVID == 4)
        reset_clock(d, t, r);
    make_covariates(d, t, r);
    if (r->EVID == 1 || r->EVID == 4)
        make_dose(m, d, t, r);
    else if (r->EVID == 2 || r->EVID == 8)
        make_other(m, d, t, r);
    else if (r->EVID == 0)
        r->CMT = integer(d, 0, m->n_compartments);
    t->n++;
}

/* Some values are left out: never the first of a covariate nor, where it is interpolated, one whose neighbours don't
 * say what lies between them. */
static void make_gaps(const struct random_model *m, struct dice *d, struct table *t)
{
    for (int c = 0; c < N_COVARIATES; c++)
        for (int i = 1; i + 1 < t->n; i++) {
            const struct record *r = &t->record[i];
            bool between = !isnan(r[-1].covariate[c]) && r[-1].TIME < r[1].TIME && !t->moved;
            if (chance(d, 0.2) && (m->rule[c] != RULE_INTERPOLATE || between))
                t->record[i].covariate[c] = NAN;
        }
}

static struct table make_table(const struct random_model *m, struct dice *d)
{
    struct table t = {.named = chance(d, 0.2), .series_ties = chance(d, 0.5)};
    t.times = m->exact_lags ? (chance(d, 0.8) ? EIGHTHS : ANYWHERE) : (enum times)integer(d, 0, 2);
    for (int c = 0; c < N_COVARIATES; c++)
        t.varies[c] = chance(d, 0.5);
    for (int n = integer(d, 6, m->linear ? 30 : 16); t.n < n;)
        make_record(m, d, &t);
    if (chance(d, 0.3))
        make_gaps(m, d, &t);
    return t;
}

/* ---- Tables as text ---- */

static void print_cell(FILE *f, double value, bool empty)
{
    if (isnan(value))
        fprintf(f, ",.");
    else if (value == 0 && empty)
        fprintf(f, ",");
    else
        fprintf(f, ",%.17g", value);
}

static void print_table(const struct random_model *m, const struct table *t, int id, FILE *f)
{
    for (int i = 0; i < t->n; i++) {
        const struct record *r = &t->record[i];
        bool empty = i % 3 == 1; /* nothing and 0 mean the same */
        fprintf(f, "%d", id);
        print_cell(f, r->TIME, false);
        fprintf(f, ",%d", r->EVID);
        print_cell(f, r->AMT, empty && r->EVID != 8);
        print_cell(f, r->DUR > 0 ? NAN : r->RATE, empty);
        print_cell(f, r->DUR > 0 ? r->DUR : NAN, empty);
        if (t->named && r->CMT > 0)
            fprintf(f, ",%sc%d", drug_of(m, r->CMT - 1) ? "e." : i % 2 ? "d." : "", r->CMT);
        else
            print_cell(f, r->CMT, empty);
        print_cell(f, r->ADDL, empty);
        print_cell(f, r->II, empty);
        print_cell(f, r->SS, empty);
        fprintf(f, ",%d", r->OCC);
        for (int c = 0; c < N_COVARIATES; c++)
            print_cell(f, r->covariate[c], false);
        fprintf(f, "\n");
    }
}

static void print_header(FILE *f)
{
    fprintf(f, "ID,TIME,EVID,AMT,RATE,DUR,CMT,ADDL,II,SS,OCC,WT,CR,FED\n");
}

#endif
