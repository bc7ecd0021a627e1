/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine as a contestant: its kernels alone, and whole runs. */
#ifndef BENCH_ENGINE_H
#define BENCH_ENGINE_H

#include <stdbool.h>

#include "run.h"
#include "workload.h"

#define BENCH_W5 5  /* workloads are numbered from 1 */

/* The study file of workload w: FOLDER/wN.yaml, and for W5 the tapers of configs. */
void engine_study(char *path, size_t size, const char *folder, int w);

/* A study made ready: subjects 0 leaves its own number; sets[n_sets] change it as --set does. Ends the program with
 * the study's messages when it can't. */
struct hl_prepared *engine_prepare(const char *study, size_t subjects, const struct hl_set *sets, size_t n_sets);
void engine_release(struct hl_prepared *prepared);

/* What threads did: seconds of processor time in all, and seconds in which one waited for others at an arm's end. */
struct effort { double processor, waiting; };

/* Solves n subjects of every arm, from number first (1 or more) on, on so many threads: every value is added to a sum
 * and thrown away; measured also collects the study's metrics. Returns the sum; effort may be NULL. */
double engine_solve_some(const struct hl_prepared *prepared, size_t first, size_t n, int threads, bool measured,
                         struct effort *effort);

/* The same for subjects 1 .. n. */
double engine_solve(const struct hl_prepared *prepared, size_t n, int threads, bool measured);

/* Values of subjects 1 .. n (at most 8) as the baselines order them: rows[arm][subject][time][output]. */
void engine_rows(const struct hl_prepared *prepared, size_t n, double *rows);

/* Values of subjects 1 .. n of the first arm in single precision, as a file has them: values[output][subject][time]. */
void engine_values(const struct hl_prepared *prepared, size_t n, float *values);

/* The baselines' view of workload w: the patients and doses of the engine's own cohort and regimen. */
struct task engine_task(const struct hl_prepared *prepared, int w, size_t n);
void task_release(struct task *task);

/* The whole pipeline to a file [s]. */
double engine_run(const char *study, size_t subjects, const struct hl_set *sets, size_t n_sets, const char *output,
                  int threads);

#endif
