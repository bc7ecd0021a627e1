/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an arm takes: rows that stay until its end (who the subjects are), metrics that fill a chunk, a workshop per
 * thread (a block's values and the chunks it fills), a batch of strips, and per column what its
 * quantiles keep, which hl_ranks says; if that is too much for all of them, they are divided over several passes, each
 * of which solves the cohort again. A batch has BATCH_BYTES, or so many strips that the threads share them evenly; less
 * when memory is scarce. */
#include "run_room.h"

#include <math.h>
#include <unistd.h>

#include "measure/ranks.h"
#include "run_columns.h"

#define SHARE 0.5                 /* of the machine's memory */
#define BATCH_BYTES 1.28e8
#define STRIPS_PER_THREAD 16
#define FIXED_BYTES 3e7           /* the program, its libraries, the file's index */

double hl_room_budget(double asked)
{
    double machine = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return asked > 0 ? asked : SHARE * machine;
}

/* Bytes that stay for every subject. */
static double row_bytes(const struct hl_prepared *p, size_t a)
{
    const struct hl_system *system = p->study->arm[a].system;
    double values = (double)(system->n_covariates + system->n_individuals + system->n_mixtures);
    if (p->study->arm[a].cohort->uncertainty)
        values += (double)system->n_parameters;
    return 1 + 8 * (values + 1);
}

/* Reviews of a subject, as many as there can be. */
static double review_bytes(const struct hl_prepared *p, size_t a)
{
    const struct hl_regimen *regimen = p->regimen[a];
    double n = 0;
    for (size_t i = 0; i < regimen->n_reviewed; i++)
        n += (double)hl_review_most(&regimen->reviewed[i]);
    return regimen->n_reviewed ? n * (double)sizeof(struct hl_review) + (double)sizeof(struct hl_history) : 0;
}

/* Metrics of a strip in the batch. */
static double metric_bytes(const struct hl_prepared *p, size_t a)
{
    double values = 0;
    for (size_t m = 0; m < p->study->n_metrics; m++)
        values += (double)hl_metric_width(p->study, p->regimen[a], m);
    return 8 * values * HL_STRIP;
}

/* Those that wait for a chunk, and the chunk: for several threads at once. */
static double waiting_bytes(const struct hl_prepared *p, int threads)
{
    return 1.05e6 * ((double)p->study->n_metrics + 2 * (double)threads);
}

static double workshop_bytes(const struct hl_prepared *p, size_t a)
{
    double values = (double)(p->study->n_outputs * p->study->n_times) * HL_STRIP;
    double copies = 1 + (p->study->store_trajectories ? 2 : 0); /* doubles; single ones, twice, in the queue */
    return 8 * values * copies + 8 * (double)p->study->arm[a].system->n_regs * HL_STRIP;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Strips of a batch of all columns. */
static size_t strips_of(double one, size_t all, int threads, double room)
{
    size_t wanted = (size_t)ceil(BATCH_BYTES / one), even = STRIPS_PER_THREAD * (size_t)threads;
    size_t most = room > one ? (size_t)(room / one) : 1;
    return smaller(all, smaller(wanted > even ? wanted : even, most));
}

struct hl_room hl_room_plan(const struct hl_prepared *p, size_t a, int threads, double budget)
{
    const struct hl_study *study = p->study;
    uint64_t subjects = study->arm[a].cohort->subjects;
    size_t all = (size_t)((subjects + HL_STRIP - 1) / HL_STRIP), n = study->n_outputs * study->n_times;
    double fixed = FIXED_BYTES + (double)subjects * (row_bytes(p, a) + review_bytes(p, a)) +
                   (double)threads * workshop_bytes(p, a) + (p->study->n_metrics ? waiting_bytes(p, threads) : 0);
    double strip = hl_columns_strip_bytes(study, n) + metric_bytes(p, a);
    struct hl_room room = {.columns = n, .passes = 1,
                           .capacity = hl_ranks_capacity(subjects, study->quantile, study->n_quantiles)};
    double left = budget - fixed, each = hl_columns_bytes(study, room.capacity);
    room.strips = strips_of(strip, all, threads, left / 4);
    double rest = left - (double)room.strips * strip;
    double able = floor(rest / each), again = floor(rest / hl_columns_bytes(study, (size_t)subjects));
    room.columns = able < 1 ? 0 : able < (double)n ? (size_t)able : n;
    room.missed = again < 1 ? 1 : again < (double)n ? (size_t)again : n;
    room.passes = room.columns ? (n + room.columns - 1) / room.columns : 0;
    room.least = fixed + strip * 4 + each;
    room.bytes = fixed + (double)room.strips * strip + (double)room.columns * each;
    return room;
}
