/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Speed and error of workload W3 (tests/bench/batch.yaml), what isn't linear: seconds of solving alone on one thread,
 * trajectories summed and thrown away, against GSL's rk8pd at a relative tolerance of 1e-6 used as one would by hand,
 * on the same subjects, in alternating runs. Errors of both against Taylor series in 128 bits, over values above 1e-6
 * of each profile's peak.   usage: bench_batch [RUNS [SUBJECTS [CHECKED]]] */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "cohort/cohort.h"
#include "run.h"

#define BLOCK 64
#define N 6 /* depot, central, peripheral, effect site, tolerance, response */
#define OUTPUTS 4
#define ORDER 30
#define MOST_RUNS 64

static const double KM = 0.2, Q = 10, V2 = 100, F = 0.9, LAG = 0.25, KE0 = 0.5, KT = 0.01, KIN = 1, KOUT = 0.1,
                    IMAX = 0.8, IC50 = 0.02;

struct patient { double ka, Vmax, V1; };

struct dose { double time, amount; };

struct workload {
    struct hl_prepared p;
    size_t subjects, n_doses;
    struct patient *patient;
    struct dose dose[200];
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* what others do on this machine isn't counted */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* ---- the engine */

/* keep: [subject][time][output], or NULL to sum and throw away. */
static double solve_all(const struct workload *w, double *keep)
{
    const struct hl_study *study = w->p.study;
    const struct hl_system *system = study->arm[0].system;
    size_t n_times = study->n_times;
    struct hl_solver *solver = hl_solver_create(w->p.plan[0], BLOCK);
    double *regs = hl_alloc(system->n_regs * BLOCK, sizeof *regs), sum = 0;
    double *out = hl_alloc(OUTPUTS * n_times * BLOCK, sizeof *out);
    signed char status[BLOCK];
    for (size_t first = 0; first < w->subjects; first += BLOCK) {
        size_t n = w->subjects - first < BLOCK ? w->subjects - first : BLOCK, lanes = (n + 7) / 8 * 8;
        struct hl_block block = {first + 1, n, lanes, regs, study->seed, status, out};
        hl_cohort_fill(w->p.cohort[0], first + 1, n, regs, lanes);
        hl_solver_run(solver, &block, study->output, OUTPUTS, study->time, n_times, NULL);
        for (size_t i = 0; i < OUTPUTS * n_times * lanes; i += 97)
            sum += out[i];
        for (size_t l = 0; keep && l < n; l++)
            for (size_t k = 0; k < n_times * OUTPUTS; k++)
                keep[(first + l) * n_times * OUTPUTS + k] = out[((k % OUTPUTS) * n_times + k / OUTPUTS) * lanes + l];
    }
    hl_solver_free(solver);
    hl_free(regs);
    hl_free(out);
    return sum;
}

/* ---- by hand on GSL */

static int rates(double t, const double y[], double d[], void *params)
{
    const struct patient *p = params;
    double c = y[1] / p->V1;
    (void)t;
    d[0] = -p->ka * y[0];
    d[1] = p->ka * y[0] - p->Vmax * c / (KM + c) - Q / p->V1 * y[1] + Q / V2 * y[2];
    d[2] = Q / p->V1 * y[1] - Q / V2 * y[2];
    d[3] = KE0 * (c - y[3]);
    d[4] = KT * (y[3] - y[4]);
    d[5] = KIN * (1 - IMAX * y[3] / (IC50 + y[4] + y[3])) - KOUT * y[5];
    return GSL_SUCCESS;
}

static void gsl_one(const struct workload *w, struct patient *patient, gsl_odeiv2_driver *driver, double *row)
{
    const struct hl_study *study = w->p.study;
    double y[N] = {0, 0, 0, 0, 0, KIN / KOUT}, t = 0;
    size_t e = 0;
    gsl_odeiv2_driver_reset(driver);
    gsl_odeiv2_driver_reset_hstart(driver, 1e-3);
    for (size_t k = 0; k < study->n_times; k++) {
        for (; e < w->n_doses && w->dose[e].time <= study->time[k]; e++) {
            gsl_odeiv2_driver_apply(driver, &t, w->dose[e].time, y);
            y[0] += w->dose[e].amount;
            gsl_odeiv2_driver_reset_hstart(driver, 1e-3);
            gsl_odeiv2_driver_reset(driver);
        }
        if (study->time[k] > t)
            gsl_odeiv2_driver_apply(driver, &t, study->time[k], y);
        double shown[OUTPUTS] = {y[1] / patient->V1, y[3], y[4], y[5]};
        memcpy(row + k * OUTPUTS, shown, sizeof shown);
    }
}

static double gsl_all(const struct workload *w, double *keep)
{
    size_t size = w->p.study->n_times * OUTPUTS;
    double *row = hl_alloc(size, sizeof *row), sum = 0;
    for (size_t i = 0; i < w->subjects; i++) {
        gsl_odeiv2_system system = {rates, NULL, N, &w->patient[i]};
        gsl_odeiv2_driver *driver = gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rk8pd, 1e-3, 1e-12, 1e-6);
        gsl_one(w, &w->patient[i], driver, keep ? keep + i * size : row);
        gsl_odeiv2_driver_free(driver);
        for (size_t k = 0; k < size; k += 97)
            sum += row[k];
    }
    hl_free(row);
    return sum;
}

/* ---- in 128 bits: series of order 30, steps of at most 1/8 h, written out for this model */

typedef __float128 wide;

static void wide_step(wide *y, const struct patient *p, wide h)
{
    wide a[N][ORDER + 1], f[ORDER + 1], g[ORDER + 1], V1 = p->V1, Vmax = p->Vmax, ka = p->ka;
    for (int i = 0; i < N; i++)
        a[i][0] = y[i];
    for (int k = 0; k < ORDER; k++) {
        wide s = Vmax * a[1][k] / V1, r = (wide)IMAX * a[3][k];
        for (int j = 0; j < k; j++) {
            s -= f[j] * a[1][k - j] / V1;
            r -= g[j] * (a[3][k - j] + a[4][k - j]);
        }
        f[k] = s / ((wide)KM + a[1][0] / V1);
        g[k] = r / ((wide)IC50 + a[3][0] + a[4][0]);
        wide m = k + 1;
        a[0][k + 1] = -ka * a[0][k] / m;
        a[1][k + 1] = (ka * a[0][k] - f[k] - Q / V1 * a[1][k] + (wide)Q / V2 * a[2][k]) / m;
        a[2][k + 1] = (Q / V1 * a[1][k] - (wide)Q / V2 * a[2][k]) / m;
        a[3][k + 1] = KE0 * (a[1][k] / V1 - a[3][k]) / m;
        a[4][k + 1] = KT * (a[3][k] - a[4][k]) / m;
        a[5][k + 1] = ((k == 0 ? (wide)KIN : 0) - KIN * g[k] - KOUT * a[5][k]) / m;
    }
    for (int i = 0; i < N; i++) {
        wide s = a[i][ORDER];
        for (int k = ORDER; k-- > 0;)
            s = s * h + a[i][k];
        y[i] = s;
    }
}

static void wide_run(wide *y, const struct patient *p, double from, double to)
{
    int steps = (int)ceil((to - from) * 8);
    for (int i = 0; i < steps; i++)
        wide_step(y, p, ((wide)to - from) / steps);
}

static void wide_one(const struct workload *w, const struct patient *p, double *row)
{
    const struct hl_study *study = w->p.study;
    wide y[N] = {0, 0, 0, 0, 0, KIN / KOUT};
    double t = 0;
    size_t e = 0;
    for (size_t k = 0; k < study->n_times; k++) {
        for (; e < w->n_doses && w->dose[e].time <= study->time[k]; e++) {
            wide_run(y, p, t, w->dose[e].time);
            t = w->dose[e].time;
            y[0] += w->dose[e].amount;
        }
        wide_run(y, p, t, study->time[k]);
        t = study->time[k];
        double shown[OUTPUTS] = {(double)(y[1] / p->V1), (double)y[3], (double)y[4], (double)y[5]};
        memcpy(row + k * OUTPUTS, shown, sizeof shown);
    }
}

static void compare(const char *who, const struct workload *w, const double *found, const double *exact, size_t checked)
{
    size_t n_times = w->p.study->n_times;
    static const char *const name[OUTPUTS] = {"Cp", "Ce", "T", "R"};
    printf("  %-36s largest relative error", who);
    for (size_t o = 0; o < OUTPUTS; o++) {
        double worst = 0;
        for (size_t i = 0; i < checked; i++) {
            double peak = 0;
            for (size_t k = 0; k < n_times; k++)
                peak = fmax(peak, exact[(i * n_times + k) * OUTPUTS + o]);
            for (size_t k = 0; k < n_times; k++) {
                size_t at = (i * n_times + k) * OUTPUTS + o;
                if (exact[at] > 1e-6 * peak)
                    worst = fmax(worst, fabs(found[at] / exact[at] - 1));
            }
        }
        printf("  %s %.1e", name[o], worst);
    }
    putchar('\n');
}

static double value_of(const struct hl_system *system, const double *regs, size_t lanes, size_t lane, const char *name)
{
    for (size_t k = 0; k < system->n_individuals; k++)
        if (strcmp(system->individual_value[k].name, name) == 0)
            return regs[(size_t)system->individual_value[k].reg * lanes + lane];
    fprintf(stderr, "no %s\n", name);
    exit(1);
}

static void prepare(struct workload *w, size_t subjects)
{
    static const char *const directory[] = {"tests/bench/models"};
    struct hl_study_options options = {.has_subjects = true, .subjects = subjects, .model_directory = directory,
                                       .n_model_directories = 1};
    struct hl_diag *diag = hl_diag_create();
    if (hl_prepare("tests/bench/batch.yaml", &options, &w->p, diag) != HL_OK) {
        hl_diag_print(diag, stderr);
        exit(1);
    }
    hl_diag_free(diag);
    const struct hl_system *system = w->p.study->arm[0].system;
    double *regs = hl_alloc(system->n_regs * 8, sizeof *regs);
    w->subjects = subjects;
    w->patient = hl_alloc(subjects, sizeof *w->patient);
    for (size_t i = 0; i < subjects; i += 8) {
        size_t n = subjects - i < 8 ? subjects - i : 8;
        hl_cohort_fill(w->p.cohort[0], i + 1, n, regs, 8);
        for (size_t l = 0; l < n; l++)
            w->patient[i + l] = (struct patient){value_of(system, regs, 8, l, "clonazepam.ka"),
                                                 value_of(system, regs, 8, l, "clonazepam.Vmax"),
                                                 value_of(system, regs, 8, l, "clonazepam.V1")};
    }
    hl_free(regs);
    static const double amount[] = {0.5, 0.5, 0.375, 0.25, 0.125};
    for (; w->n_doses < 140; w->n_doses++)
        w->dose[w->n_doses] = (struct dose){12.0 * (double)w->n_doses + LAG, amount[w->n_doses / 28] * F};
}

int main(int argc, char **argv)
{
    int runs = argc > 1 ? atoi(argv[1]) : 5;
    size_t subjects = argc > 2 ? (size_t)atoi(argv[2]) : 200, checked = argc > 3 ? (size_t)atoi(argv[3]) : 3;
    gsl_set_error_handler_off();
    if (!hl_units_start() || runs < 1 || runs > MOST_RUNS || subjects < 1)
        return 1;
    struct workload w = {0};
    prepare(&w, subjects);
    checked = checked < subjects ? checked : subjects;
    size_t size = w.p.study->n_times * OUTPUTS;
    double mine[MOST_RUNS], theirs[MOST_RUNS], ratio[MOST_RUNS];
    for (int r = 0; r < runs; r++) {
        double start = seconds();
        solve_all(&w, NULL);
        mine[r] = seconds() - start;
        start = seconds();
        gsl_all(&w, NULL);
        theirs[r] = seconds() - start;
        ratio[r] = theirs[r] / mine[r];
    }
    double m = median(mine, runs), g = median(theirs, runs), x = median(ratio, runs);
    printf("W3, %zu subjects x %zu times x %d outputs, one thread, processor seconds, medians of %d runs\n", subjects,
           w.p.study->n_times, OUTPUTS, runs);
    printf("  %-36s %8.4f s [%.4f, %.4f]\n", "GSL rk8pd, rtol 1e-6", g, theirs[0], theirs[runs - 1]);
    printf("  %-36s %8.4f s [%.4f, %.4f]   %.1f times faster [%.1f, %.1f]\n", "halflife", m, mine[0], mine[runs - 1], x,
           ratio[0], ratio[runs - 1]);
    double *kept = hl_alloc(subjects * size, sizeof *kept), *exact = hl_alloc(checked * size, sizeof *exact);
    for (size_t i = 0; i < checked; i++)
        wide_one(&w, &w.patient[i], exact + i * size);
    solve_all(&w, kept);
    compare("halflife", &w, kept, exact, checked);
    gsl_all(&w, kept);
    compare("GSL rk8pd, rtol 1e-6", &w, kept, exact, checked);
    hl_free(kept);
    hl_free(exact);
    hl_free(w.patient);
    hl_prepared_clear(&w.p);
    hl_units_stop();
    return 0;
}
