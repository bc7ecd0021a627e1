/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Speed of workload W1 (tests/bench/w1.yaml), as subject-timepoints per second and as ratios measured in the same run:
 * solving alone against a plain per-subject matrix exponential on one thread, and the whole run against a bare H5Dwrite
 * of the same bytes. Medians of several runs with their spread.   usage: bench_w1 [RUNS [SUBJECTS...]] */
#include <gsl/gsl_errno.h>
#include <hdf5.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "cohort/cohort.h"
#include "run.h"

#define BLOCK 64
#define N_STATES 9
#define MOST_RUNS 64

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread { double median, low, high; };

static struct spread spread_of(double *time, int n)
{
    qsort(time, (size_t)n, sizeof *time, ascending);
    double median = n % 2 ? time[n / 2] : 0.5 * (time[n / 2 - 1] + time[n / 2]);
    return (struct spread){median, time[0], time[n - 1]};
}

/* --- the engine, values summed and thrown away --- */

struct job { const struct hl_prepared *p; size_t subjects; };

static double solve_all(const struct job *job)
{
    const struct hl_study *study = job->p->study;
    const struct hl_system *system = study->arm[0].system;
    double sum = 0;
#pragma omp parallel reduction(+ : sum)
    {
        struct hl_solver *solver = hl_solver_create(job->p->plan[0], BLOCK);
        double *regs = hl_alloc(system->n_regs * BLOCK, sizeof *regs);
        double *out = hl_alloc(study->n_outputs * study->n_times * BLOCK, sizeof *out);
        signed char status[BLOCK];
#pragma omp for schedule(dynamic, 1)
        for (size_t first = 0; first < job->subjects; first += BLOCK) {
            size_t n = job->subjects - first < BLOCK ? job->subjects - first : BLOCK, lanes = (n + 7) / 8 * 8;
            struct hl_block block = {first + 1, n, lanes, regs, study->seed, status, out};
            hl_cohort_fill(job->p->cohort[0], first + 1, n, regs, lanes);
            memset(status, 0, sizeof status);
            hl_solver_run(solver, &block, study->output, study->n_outputs, study->time, study->n_times, NULL);
            for (size_t i = 0; i < study->n_outputs * study->n_times * lanes; i += 97)
                sum += out[i];
        }
        hl_solver_free(solver);
        hl_free(regs);
        hl_free(out);
    }
    return sum;
}

/* --- the plain way: one matrix exponential per subject and distinct step, then a product per row --- */

typedef double matrix[N_STATES][N_STATES];

static void product(matrix a, matrix b, matrix c)
{
    matrix r;
    for (int i = 0; i < N_STATES; i++)
        for (int j = 0; j < N_STATES; j++) {
            r[i][j] = 0;
            for (int k = 0; k < N_STATES; k++)
                r[i][j] += a[i][k] * b[k][j];
        }
    memcpy(c, r, sizeof r);
}

/* Scaling and squaring with a Taylor polynomial of degree 14 (Moler & Van Loan 2003, method 3). */
static void exponential(matrix a, double h, matrix e)
{
    double norm = 0;
    for (int j = 0; j < N_STATES; j++) {
        double sum = 0;
        for (int i = 0; i < N_STATES; i++)
            sum += fabs(a[i][j]) * h;
        norm = sum > norm ? sum : norm;
    }
    int squarings = norm > 0.5 ? (int)ceil(log2(norm / 0.5)) : 0;
    matrix scaled;
    memset(e, 0, sizeof(matrix));
    for (int i = 0; i < N_STATES; i++) {
        e[i][i] = 1;
        for (int j = 0; j < N_STATES; j++)
            scaled[i][j] = ldexp(a[i][j] * h, -squarings);
    }
    for (int k = 14; k >= 1; k--) {
        product(scaled, e, e);
        for (int i = 0; i < N_STATES; i++)
            for (int j = 0; j < N_STATES; j++)
                e[i][j] = e[i][j] / k + (i == j);
    }
    for (int s = 0; s < squarings; s++)
        product(e, e, e);
}

static void apply(matrix e, double *x)
{
    double r[N_STATES];
    for (int i = 0; i < N_STATES; i++) {
        r[i] = 0;
        for (int j = 0; j < N_STATES; j++)
            r[i] += e[i][j] * x[j];
    }
    memcpy(x, r, sizeof r);
}

struct patient { double kaz, clz, v1z, kaf, clf, v1f; };

static void rates_of(const struct patient *p, matrix a)
{
    const double qz = 10, v2z = 100, ke0z = 0.5, v2f = 35, v3f = 280, q2f = 120, q3f = 80, ke0f = 8.8;
    memset(a, 0, sizeof(matrix));
    a[0][0] = -p->kaz;
    a[1][0] = p->kaz;
    a[1][1] = -(p->clz + qz) / p->v1z;
    a[1][2] = qz / v2z;
    a[2][1] = qz / p->v1z;
    a[2][2] = -qz / v2z;
    a[3][1] = ke0z / p->v1z;
    a[3][3] = -ke0z;
    a[4][4] = -p->kaf;
    a[5][4] = p->kaf;
    a[5][5] = -(p->clf + q2f + q3f) / p->v1f;
    a[5][6] = q2f / v2f;
    a[5][7] = q3f / v3f;
    a[6][5] = q2f / p->v1f;
    a[6][6] = -q2f / v2f;
    a[7][5] = q3f / p->v1f;
    a[7][7] = -q3f / v3f;
    a[8][5] = ke0f / p->v1f;
    a[8][8] = -ke0f;
}

struct dose { double time, amount; int state; };

static size_t doses_of(const struct hl_prepared *p, struct dose *dose)
{
    const struct hl_regimen *r = p->regimen[0];
    size_t n = 0;
    for (size_t i = 0; i < r->n_doses; i++) {
        bool is_clonazepam = p->study->system->route[r->dose[i].route].instance == 0;
        dose[n].time = r->dose[i].time + (is_clonazepam ? 0.25 : 1.5);
        dose[n].amount = r->dose[i].amount * (is_clonazepam ? 0.9 : 1);
        dose[n++].state = is_clonazepam ? 0 : 4;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && dose[k - 1].time > dose[k].time; k--) {
            struct dose swap = dose[k];
            dose[k] = dose[k - 1];
            dose[k - 1] = swap;
        }
    return n;
}

struct cache { int n; double h[16]; matrix e[16]; };

static matrix *step_of(struct cache *cache, matrix a, double h)
{
    for (int i = 0; i < cache->n; i++)
        if (fabs(cache->h[i] - h) < 1e-12) /* steps are differences of multiples of 1/4 h */
            return &cache->e[i];
    int i = cache->n < 16 ? cache->n++ : 15;
    cache->h[i] = h;
    exponential(a, h, cache->e[i]);
    return &cache->e[i];
}

/* Four outputs at whole hours 0 .. n_times-1 of one patient into row[time][4]. */
static void plain_patient(const struct patient *p, const struct dose *dose, size_t n_doses, size_t n_times, double (*row)[4])
{
    matrix a;
    struct cache cache = {0};
    double x[N_STATES] = {0}, now = 0;
    size_t next = 0;
    rates_of(p, a);
    for (size_t k = 0; k < n_times; k++) {
        while (next < n_doses && dose[next].time <= (double)k) {
            if (dose[next].time > now)
                apply(*step_of(&cache, a, dose[next].time - now), x);
            now = dose[next].time;
            x[dose[next].state] += dose[next].amount;
            next++;
        }
        if ((double)k > now)
            apply(*step_of(&cache, a, (double)k - now), x);
        now = (double)k;
        row[k][0] = x[1] / p->v1z;
        row[k][1] = x[3];
        row[k][2] = x[5] / p->v1f;
        row[k][3] = x[8];
    }
}

static int register_named(const struct hl_system *system, const char *name)
{
    for (size_t i = 0; i < system->n_individuals; i++)
        if (strcmp(system->individual_value[i].name, name) == 0)
            return system->individual_value[i].reg;
    fprintf(stderr, "no individual parameter %s\n", name);
    exit(1);
}

static struct patient *patients_of(const struct job *job)
{
    static const char *const names[6] = {"clonazepam.ka", "clonazepam.CL", "clonazepam.V1", "fentanyl.ka", "fentanyl.CL", "fentanyl.V1"};
    const struct hl_system *system = job->p->study->system;
    double *regs = hl_alloc(system->n_regs, sizeof *regs);
    struct patient *patient = hl_alloc(job->subjects, sizeof *patient);
    for (size_t k = 0; k < job->subjects; k++) {
        hl_cohort_fill(job->p->cohort[0], k + 1, 1, regs, 1);
        for (size_t i = 0; i < 6; i++)
            ((double *)&patient[k])[i] = regs[register_named(system, names[i])];
    }
    hl_free(regs);
    return patient;
}

static double plain_all(const struct job *job, const struct patient *patient, double (*row)[4])
{
    struct dose *dose = hl_alloc(job->p->regimen[0]->n_doses, sizeof *dose);
    size_t n = doses_of(job->p, dose), n_times = job->p->study->n_times;
    double sum = 0;
    for (size_t k = 0; k < job->subjects; k++) {
        plain_patient(&patient[k], dose, n, n_times, row);
        sum += row[n_times - 1][0];
    }
    hl_free(dose);
    return sum;
}

/* Largest relative difference of the two ways over the first subjects, above 1e-6 of each profile's peak. */
static double disagreement(const struct job *job, const struct patient *patient, double (*row)[4])
{
    const struct hl_study *study = job->p->study;
    const struct hl_system *system = study->system;
    struct hl_solver *solver = hl_solver_create(job->p->plan[0], 8);
    double *regs = hl_alloc(system->n_regs * 8, sizeof *regs), worst = 0;
    double *out = hl_alloc(study->n_outputs * study->n_times * 8, sizeof *out);
    signed char status[8] = {0};
    struct dose *dose = hl_alloc(job->p->regimen[0]->n_doses, sizeof *dose);
    size_t n_doses = doses_of(job->p, dose);
    struct hl_block block = {1, 8, 8, regs, study->seed, status, out};
    hl_cohort_fill(job->p->cohort[0], 1, 8, regs, 8);
    hl_solver_run(solver, &block, study->output, study->n_outputs, study->time, study->n_times, NULL);
    for (size_t k = 0; k < 8; k++) {
        plain_patient(&patient[k], dose, n_doses, study->n_times, row);
        for (size_t o = 0; o < 4; o++) {
            double peak = 0;
            for (size_t t = 0; t < study->n_times; t++)
                peak = row[t][o] > peak ? row[t][o] : peak;
            for (size_t t = 0; t < study->n_times; t++)
                if (row[t][o] > 1e-6 * peak)
                    worst = fmax(worst, fabs(out[(o * study->n_times + t) * 8 + k] / row[t][o] - 1));
        }
    }
    hl_solver_free(solver);
    hl_free(regs);
    hl_free(out);
    hl_free(dose);
    return worst;
}

/* --- writing --- */

static double bare_write(const char *path, size_t subjects, size_t n_times, size_t n_outputs, const float *values)
{
    double start = seconds();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t dims[3] = {1, subjects, n_times};
    hid_t space = H5Screate_simple(3, dims, NULL);
    for (size_t o = 0; o < n_outputs; o++) {
        char name[32];
        snprintf(name, sizeof name, "y%zu", o);
        hid_t set = H5Dcreate2(file, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        H5Dclose(set);
    }
    H5Sclose(space);
    H5Fclose(file);
    return seconds() - start;
}

static double whole_run(const char *study, const char *path, size_t subjects, const char *const *directory, const char *compression)
{
    struct hl_set set = {"compression", compression};
    struct hl_run_options options = {.study_path = study, .output = path, .force = true, .quiet = true,
                                     .progress = HL_PROGRESS_NONE, .command_line = "bench_w1"};
    options.study = (struct hl_study_options){.has_subjects = true, .subjects = subjects, .n_sets = 1, .set = &set,
                                              .model_directory = directory, .n_model_directories = 1};
    struct hl_diag *diag = hl_diag_create();
    double start = seconds();
    if (hl_run(&options, diag) != HL_OK) {
        hl_diag_print(diag, stderr);
        exit(1);
    }
    hl_diag_free(diag);
    return seconds() - start;
}

static void line(const char *what, struct spread s, double points, double baseline)
{
    printf("  %-52s %8.4f s [%.4f, %.4f]  %9.3g /s", what, s.median, s.low, s.high, points / s.median);
    if (baseline > 0)
        printf("   x %.2f", baseline / s.median);
    putchar('\n');
    fflush(stdout);
}

static void measure(const char *study, const char *scratch, size_t subjects, int runs)
{
    static const char *const directory[] = {"tests/bench/models"};
    struct hl_study_options options = {.has_subjects = true, .subjects = subjects, .model_directory = directory,
                                       .n_model_directories = 1};
    struct hl_diag *diag = hl_diag_create();
    struct hl_prepared p;
    if (hl_prepare(study, &options, &p, diag) != HL_OK) {
        hl_diag_print(diag, stderr);
        exit(1);
    }
    struct job job = {&p, subjects};
    size_t n_times = p.study->n_times, n_outputs = p.study->n_outputs;
    struct patient *patient = patients_of(&job);
    double (*row)[4] = hl_alloc(n_times, sizeof *row), plain[MOST_RUNS], one[MOST_RUNS], all[MOST_RUNS], bare[MOST_RUNS],
           wrote[MOST_RUNS], packed[MOST_RUNS];
    float *values = hl_alloc(subjects * n_times, sizeof *values);
    int threads = omp_get_max_threads();
    for (size_t i = 0; i < subjects * n_times; i++)
        values[i] = (float)(i % 1009);
    for (int r = 0; r < runs; r++) { /* interleaved, so that a noisy moment touches all alike */
        double start = seconds();
        plain_all(&job, patient, row);
        plain[r] = seconds() - start;
        omp_set_num_threads(1);
        start = seconds();
        solve_all(&job);
        one[r] = seconds() - start;
        omp_set_num_threads(threads);
        start = seconds();
        solve_all(&job);
        all[r] = seconds() - start;
        bare[r] = bare_write(scratch, subjects, n_times, n_outputs, values);
        wrote[r] = whole_run(study, scratch, subjects, directory, "none");
        packed[r] = whole_run(study, scratch, subjects, directory, "fast");
    }
    double points = (double)subjects * (double)n_times;
    struct spread base = spread_of(plain, runs), disk = spread_of(bare, runs);
    printf("W1, %zu subjects x %zu times x %zu outputs, %d runs; largest difference of the two ways %.1e\n", subjects, n_times,
           n_outputs, runs, disagreement(&job, patient, row));
    line("plain matrix exponential, 1 thread", base, points, 0);
    line("halflife, solving only, 1 thread (x: times faster)", spread_of(one, runs), points, base.median);
    char text[80];
    snprintf(text, sizeof text, "halflife, solving only, %d threads (x: of 1 plain)", threads);
    line(text, spread_of(all, runs), points, base.median);
    line("plain H5Dwrite of the same bytes", disk, points, 0);
    line("halflife run, uncompressed (x: of plain H5Dwrite)", spread_of(wrote, runs), points, disk.median);
    line("halflife run, compression fast (x: of plain H5Dwrite)", spread_of(packed, runs), points, disk.median);
    hl_free(patient);
    hl_free(row);
    hl_free(values);
    hl_prepared_clear(&p);
    hl_diag_free(diag);
    unlink(scratch);
}

int main(int argc, char **argv)
{
    int runs = argc > 1 ? atoi(argv[1]) : 5;
    const char *scratch = getenv("BENCH_SCRATCH") ? getenv("BENCH_SCRATCH") : "build/bench/w1.h5";
    gsl_set_error_handler_off();
    if (!hl_units_start() || runs < 1 || runs > MOST_RUNS)
        return 1;
    printf("subject-timepoints per second; medians with [lowest, highest]\n");
    if (argc < 3) {
        measure("tests/bench/w1.yaml", scratch, 1000, runs);
        measure("tests/bench/w1.yaml", scratch, 10000, runs);
    }
    for (int i = 2; i < argc; i++)
        measure("tests/bench/w1.yaml", scratch, (size_t)strtoull(argv[i], NULL, 10), runs);
    hl_units_stop();
    return 0;
}
