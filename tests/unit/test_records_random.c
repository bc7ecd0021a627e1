/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random models under random record tables, three ways: carried exactly, integrated by GSL's rk8pd, and by the brute
 * force of record_reference.h, which shares nothing with the engine. At every record every output of the three agrees
 * to 1e-9 of the largest value it has in that table. Models and records go through files, as a user's do.
 *
 * A new seed each day, printed; HL_SEED=N repeats one, HL_CASES=N asks for more tables, HL_FIRST=N begins with model N.
 * The table printed at the end says how often each feature occurred. While one never has, more tables are drawn, up to
 * PATIENCE times as many; then the test fails, so that nothing is left out unseen. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "solve/course.h"
#include "unit/case_numbers.h"
#include "unit/record_reference.h"
#include "unit/printed.h"

#define AGREEMENT 1e-9    /* of an output's largest value */
#define NOTHING 1e-16     /* of the largest value of all: rounding, where nothing should be */
#define REMAINDER 1e-14   /* the same where amounts are integrated: what is left of a large one has no more digits */
#define TOLERANCE 1e-12   /* of integration */
#define TABLES 4          /* per model */
#define CASES 2400
#define PATIENCE 8

enum { EXACT, INTEGRATED, N_WAYS };
static const char *const way_name[] = {"exact", "gsl-rk8pd"};

/* What a whole campaign has seen. */
struct campaign {
    uint64_t seed, tables, records, seen[N_FEATURES];
    double worst[N_WAYS][2];               /* of linear models, of others */
    char folder[256];
};

/* One model in the engine's hands. */
struct loaded {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_study *study;
    struct hl_cohort *cohort;
    struct hl_data_set *set;
    struct hl_plan *plan[N_WAYS];
    struct hl_course *course[N_WAYS];
};

static void write_file(const struct campaign *c, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

struct texts { char *model[2], *study, *records; };

static struct texts print_texts(const struct campaign *c, const struct random_model *m, const struct table *t)
{
    struct texts x;
    size_t size;
    FILE *f;
    for (int drug = 0; drug < 2; drug++) {
        f = open_memstream(&x.model[drug], &size);
        if (drug < m->n_drugs)
            print_model(m, drug, f);
        fclose(f);
    }
    f = open_memstream(&x.study, &size);
    print_study(m, c->seed, c->folder, f);
    fclose(f);
    f = open_memstream(&x.records, &size);
    print_header(f);
    for (int k = 0; k < TABLES; k++)
        print_table(m, &t[k], k + 1, f);
    fclose(f);
    return x;
}

static void texts_free(struct texts *x)
{
    free(x->model[0]);
    free(x->model[1]);
    free(x->study);
    free(x->records);
}

static void load(struct campaign *c, const struct random_model *m, const struct texts *x, struct loaded *l)
{
    const char *directory = c->folder;
    struct hl_study_options options = {.model_directory = &directory, .n_model_directories = 1};
    bool dosed[64];
    write_file(c, "random1.yaml", x->model[0]);
    write_file(c, "random2.yaml", x->model[1]);
    write_file(c, "events.csv", x->records);
    *l = (struct loaded){.arena = hl_arena_create(), .diag = hl_diag_create()};
    l->study = hl_study_from_text(l->arena, "random", x->study, &options, l->diag);
    if (l->study)
        l->set = hl_data_open(l->study, l->diag);
    if (!l->set)
        fail_msg("%s\n%s\n%s\n%s\n%s", printed(l->diag), x->model[0], x->model[1], x->study, x->records);
    l->cohort = hl_cohort_create(&l->study->arm[0], l->diag);
    for (size_t i = 0; i < 64; i++)
        dosed[i] = true;
    for (int w = 0; w < N_WAYS; w++) {
        l->plan[w] = hl_plan_create_for_data(l->study->arm[0].system, dosed, interpolates(m), way_name[w], TOLERANCE,
                                             l->diag);
        assert_non_null(l->plan[w]);
        l->course[w] = hl_course_create(l->plan[w], l->cohort, l->study->data);
        assert_non_null(l->course[w]);
    }
}

static void unload(struct loaded *l)
{
    for (int w = 0; w < N_WAYS; w++) {
        hl_course_free(l->course[w]);
        hl_plan_free(l->plan[w]);
    }
    hl_data_close(l->set);
    hl_cohort_free(l->cohort);
    hl_diag_free(l->diag);
    hl_arena_free(l->arena);
}

/* The random effects of a subject by occasion, from where every run takes them. */
static void draw_etas(const struct loaded *l, uint64_t subject, int n_drugs, double (*eta)[2][N_ETAS])
{
    static const char *const name[2][N_ETAS] = {{"d.eta_1", "d.kappa_1", "d.kappa_2"},
                                                {"e.eta_1", "e.kappa_1", "e.kappa_2"}};
    const struct hl_system *system = l->study->arm[0].system;
    double *regs = hl_alloc(system->n_regs, sizeof *regs);
    hl_cohort_draw(l->cohort, subject, regs);
    for (int occasion = 0; occasion < 4; occasion++) {
        hl_cohort_occasion(l->cohort, subject, occasion, regs);
        for (int e = 0; e < n_drugs * N_ETAS; e++)
            eta[occasion][e / N_ETAS][e % N_ETAS] =
                regs[system->eta[hl_system_find_eta(system, name[e / N_ETAS][e % N_ETAS])].reg];
    }
    hl_free(regs);
}

struct results { int n_outputs; double *reference, *way[N_WAYS], peak[MOST_OUTPUTS], most; };

/* Prints what is needed to see a disagreement: the whole of the model, and the records up to the one that differs. */
static void disagree(const struct campaign *c, const struct dice *d, const struct random_model *m,
                     const struct texts *x, const struct table *t, const struct results *r, int way, int i, int o)
{
    fprintf(stderr, "%s\n%s\n%s\nID,TIME,EVID,AMT,RATE,DUR,CMT,ADDL,II,SS,OCC,WT,CR,FED\n", x->model[0], x->model[1],
            x->study);
    struct table head = *t;
    head.n = i + 1;
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    print_table(m, &head, 1, f);
    fclose(f);
    fputs(text, stderr);
    free(text);
    int at = i * r->n_outputs + o;
    fail_msg("HL_SEED=%llu, model %llu, record %d, output %d: %s %.17g, reference %.17g, largest %.6g: off by %.2g of "
             "it", (unsigned long long)c->seed, (unsigned long long)d->number, i, o, way_name[way], r->way[way][at],
             r->reference[at], r->peak[o], fabs(r->way[way][at] - r->reference[at]) / r->peak[o]);
}

static void compare(struct campaign *c, const struct dice *d, const struct random_model *m, const struct texts *x,
                    const struct table *t, const struct results *r)
{
    bool linear = m->linear && !interpolates(m);
    for (int w = 0; w < N_WAYS; w++)
        for (int i = 0; i < t->n; i++)
            for (int o = 0; o < r->n_outputs; o++) {
                double rounding = (linear && w == EXACT ? NOTHING : REMAINDER) * r->most;
                double off = fabs(r->way[w][i * r->n_outputs + o] - r->reference[i * r->n_outputs + o]);
                double *worst = &c->worst[w][!linear];
                if (!(off <= AGREEMENT * r->peak[o] + rounding))
                    disagree(c, d, m, x, t, r, w, i, o);
                *worst = off > rounding ? fmax(*worst, off / r->peak[o]) : *worst;
            }
}

/* What was written is what was read, gaps in covariates filled by their rules. */
static void check_reading(const struct campaign *c, const struct dice *d, const struct random_model *m,
                          const struct table *t, const struct hl_individual *read, const struct hl_system *system)
{
    static const char *const covariate[] = {"WT", "CR", "FED"};
    static const double factor[] = {1, 0.06, 1}; /* mL/min in L/h */
    static struct reference r;
    r.m = m;
    r.t = t;
    fill_gaps(&r);
    assert_int_equal(read->n, t->n);
    for (int i = 0; i < t->n; i++) {
        const struct record *x = &t->record[i];
        const struct hl_record *y = &read->record[i];
        double RATE = x->DUR > 0 ? x->AMT / x->DUR : x->RATE;
        bool good = y->TIME == x->TIME && y->EVID == x->EVID && y->AMT == x->AMT && y->RATE == RATE &&
                    y->DUR == x->DUR && y->II == x->II && y->ADDL == (uint64_t)x->ADDL && y->SS == x->SS &&
                    y->OCC == x->OCC && y->off == (x->CMT < 0) && y->compartment == abs(x->CMT) - 1;
        if (!good)
            fail_msg("HL_SEED=%llu, model %llu: record %d was read as TIME %.17g EVID %d AMT %.17g RATE %.17g II %.17g "
                     "ADDL %d SS %d OCC %g compartment %d", (unsigned long long)c->seed,
                     (unsigned long long)d->number, i, y->TIME, y->EVID, y->AMT, y->RATE, y->II, (int)y->ADDL, y->SS,
                     y->OCC, y->compartment);
        for (int k = 0; k < N_COVARIATES; k++) {
            int at = hl_system_find_covariate(system, covariate[k]);
            double found = read->covariate[(size_t)i * system->n_covariates + (size_t)at];
            if (!(fabs(found - factor[k] * r.known[i][k]) <= 1e-14 * fabs(r.known[i][k])))
                fail_msg("HL_SEED=%llu, model %llu: %s of record %d was read as %.17g, not %.17g",
                         (unsigned long long)c->seed, (unsigned long long)d->number, covariate[k], i, found,
                         factor[k] * r.known[i][k]);
        }
    }
}

static void check_table(struct campaign *c, const struct dice *d, const struct random_model *m, const struct texts *x,
                        const struct table *t, struct loaded *l)
{
    enum hl_status status;
    const struct hl_individual *individual = hl_data_next(l->set, &status, l->diag);
    double eta[4][2][N_ETAS];
    struct results r = {0};
    if (!individual)
        fail_msg("no individual: status %d, %s", (int)status, printed(l->diag));
    check_reading(c, d, m, t, individual, l->study->arm[0].system);
    draw_etas(l, individual->number, m->n_drugs, eta);
    r.reference = hl_alloc(MOST_RECORDS * MOST_OUTPUTS, sizeof(double));
    r.n_outputs = refer(m, t, (const double(*)[2][N_ETAS])eta, r.reference, r.peak);
    for (int o = 0; o < r.n_outputs; o++)
        r.most = fmax(r.most, r.peak[o]);
    for (int w = 0; w < N_WAYS; w++) {
        struct hl_course_fault fault;
        r.way[w] = hl_alloc(MOST_RECORDS * MOST_OUTPUTS, sizeof(double));
        assert_int_equal(hl_course_run(l->course[w], individual, l->study->output, (size_t)r.n_outputs, r.way[w],
                                       &fault, NULL), HL_OK);
        if (fault.status != HL_SUBJECT_GOOD) {
            fprintf(stderr, "%s\n%s\n%s\n%s", x->model[0], x->model[1], x->study, x->records);
            fail_msg("HL_SEED=%llu, model %llu, individual %llu, %s, record %zu: %s", (unsigned long long)c->seed,
                     (unsigned long long)d->number, (unsigned long long)individual->number, way_name[w], fault.record,
                     fault.text);
        }
    }
    compare(c, d, m, x, t, &r);
    c->tables++;
    c->records += (uint64_t)t->n;
    hl_free(r.reference);
    for (int w = 0; w < N_WAYS; w++)
        hl_free(r.way[w]);
}

static void check_model(struct campaign *c, uint64_t number)
{
    struct dice d = {c->seed, number, 0, 29};
    struct random_model m = make_model(&d, number % 8 != 7, c->seen);
    struct table t[TABLES];
    struct loaded l;
    for (int k = 0; k < TABLES; k++)
        t[k] = make_table(&m, &d);
    struct texts x = print_texts(c, &m, t);
    for (int q = 0; q < m.n_quantities; q++)
        TABLE_SAW(&m, eta, m.quantity[q].eta == ETA);
    load(c, &m, &x, &l);
    for (int k = 0; k < TABLES; k++)
        check_table(c, &d, &m, &x, &t[k], &l);
    unload(&l);
    texts_free(&x);
}

static void report(const struct campaign *c)
{
    int missing = 0;
    printf("%llu tables with %llu records; worst difference from the reference, of an output's largest value: linear "
           "models exact %.1e, integrated %.1e; others %.1e, %.1e\n", (unsigned long long)c->tables,
           (unsigned long long)c->records, c->worst[EXACT][0], c->worst[INTEGRATED][0], c->worst[EXACT][1],
           c->worst[INTEGRATED][1]);
    for (int k = 0; k < N_FEATURES; k++) {
        printf("%10llu  %s\n", (unsigned long long)c->seen[k], feature_name[k]);
        missing += c->seen[k] == 0;
    }
    if (missing > 0)
        fail_msg("%d features never occurred", missing);
}

static bool has_seen_all(const struct campaign *c)
{
    for (int k = 0; k < N_FEATURES; k++)
        if (c->seen[k] == 0)
            return false;
    return true;
}

static void three_ways_agree(void **state)
{
    (void)state;
    static struct campaign c;
    const char *parent = getenv("TMPDIR");
    uint64_t cases = from_environment("HL_CASES", CASES), first = from_environment("HL_FIRST", 0);
    c.seed = from_environment("HL_SEED", date_number());
    snprintf(c.folder, sizeof c.folder, "%s/hl_records_XXXXXX", parent ? parent : "/tmp");
    assert_true(hl_units_start());
    assert_non_null(mkdtemp(c.folder));
    printf("random records: seed %llu (HL_SEED), %llu tables (HL_CASES)\n", (unsigned long long)c.seed,
           (unsigned long long)cases);
    for (uint64_t number = 0; number * TABLES < cases || (!has_seen_all(&c) && number * TABLES < PATIENCE * cases);
         number++)
        check_model(&c, first + number);
    static const char *const file[] = {"random1.yaml", "random2.yaml", "events.csv"};
    for (int k = 0; k < 3; k++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", c.folder, file[k]);
        unlink(path);
    }
    rmdir(c.folder);
    hl_units_stop();
    report(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(three_ways_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
