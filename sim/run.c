/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pipeline: study -> cohort -> regimen -> solve -> measure -> store, arm by arm (run_arm.c), or individual by
 * individual where there is a data set (run_records.c). */
#include "run.h"

#include <errno.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "run_arm.h"
#include "run_columns.h"
#include "run_records.h"
#include "store/result.h"

static volatile sig_atomic_t interrupted;

static volatile sig_atomic_t may_end;

void hl_run_may_end(bool may)
{
    may_end = may;
}

bool hl_run_may_end_now(void)
{
    return may_end;
}

void hl_run_interrupt(void)
{
    interrupted = 1;
}

const volatile sig_atomic_t *hl_run_stop(void)
{
    return &interrupted;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Solutions, over all planned passes. */
static uint64_t total_subjects(const struct hl_prepared *p, double budget)
{
    uint64_t total = 0;
    for (size_t a = 0; a < p->study->n_arms; a++)
        total += p->study->arm[a].cohort->subjects *
                 (p->data ? 1 : hl_room_plan(p, a, omp_get_max_threads(), budget).passes);
    return total;
}

static void say_status(enum hl_status status, struct hl_diag *diag)
{
    if (status == HL_ERR_INTERRUPTED)
        hl_diag_error(diag, hl_pos_none(), "interrupted; nothing was kept");
    else if (hl_diag_count(diag, HL_ERROR) == 0)
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(status));
}

/* All arms into an open store; the store is finished or abandoned here. */
static enum hl_status run_arms(const struct hl_prepared *p, const struct hl_run_options *options,
                               struct hl_store *store, uint64_t *failed, double started, struct hl_diag *diag)
{
    size_t block = options->block ? options->block : HL_DEFAULT_BLOCK;
    block = block < HL_STRIP ? (block + HL_LANES - 1) / HL_LANES * HL_LANES : HL_STRIP;
    double budget = hl_room_budget(options->memory);
    enum hl_progress_mode mode = options->quiet ? HL_PROGRESS_NONE : options->progress;
    struct hl_progress *progress = hl_progress_create(mode, "subjects", total_subjects(p, budget));
    enum hl_status status = HL_OK;
    if (p->data)
        status = hl_run_records(p, options->block, store, progress, &interrupted, failed, diag);
    for (size_t a = 0; !p->data && status == HL_OK && a < p->study->n_arms; a++) {
        struct hl_room room = hl_room_plan(p, a, omp_get_max_threads(), budget);
        status = interrupted ? HL_ERR_INTERRUPTED
                             : hl_run_arm(p, a, &room, block, store, progress, &interrupted, failed);
    }
    hl_progress_free(progress, status == HL_OK);
    if (status == HL_OK)
        return hl_store_finish(store, seconds_now() - started, *failed, diag);
    hl_store_abandon(store);
    return status;
}

static void say_done(const struct hl_run_options *options, const struct hl_study *study, const char *output,
                     uint64_t failed, double seconds)
{
    if (options->quiet)
        return;
    fprintf(stderr, "%s: %zu arm%s x %llu %s%s in %.2f s\n", output, study->n_arms, study->n_arms == 1 ? "" : "s",
            (unsigned long long)study->subjects, study->data ? "individual" : "subject",
            study->subjects == 1 ? "" : "s", seconds);
    if (failed)
        fprintf(stderr, "%llu subject solutions failed; /subjects/status says why\n", (unsigned long long)failed);
    fprintf(stderr, "for education and research only, not for dosing\nnext: halflife plot %s%s%s\n", output,
            study->data ? ", or: halflife export --format nonmem " : "", study->data ? output : "");
}

/* output/NAME.h5 where there is (or can be) a directory output. */
static const char *default_output(struct hl_arena *arena, const struct hl_study *study)
{
    if (mkdir("output", 0777) != 0 && errno != EEXIST)
        return hl_arena_printf(arena, "%s.h5", study->name);
    return hl_arena_printf(arena, "output/%s.h5", study->name);
}

static enum hl_status run_prepared(const struct hl_prepared *p, const struct hl_run_options *options,
                                   const char *output, double started, struct hl_diag *diag)
{
    struct hl_store *store = NULL;
    struct hl_provenance provenance = {.command_line = options->command_line, .threads = omp_get_max_threads(),
                                       .n_notes = options->n_notes, .note = options->note,
                                       .data_digest = p->data ? hl_data_facts(p->data)->sha256 : NULL};
    enum hl_status status = hl_store_create(output, options->force, p->study,
                                            (const struct hl_regimen *const *)p->regimen, &provenance, &store, diag);
    if (status != HL_OK)
        return status;
    if (options->verify)
        hl_store_verify_all(store);
    uint64_t failed = 0;
    status = run_arms(p, options, store, &failed, started, diag);
    if (status != HL_OK)
        return status;
    say_done(options, p->study, output, failed, seconds_now() - started);
    return failed ? HL_ERR_SUBJECTS : HL_OK;
}

/* Refuses what can't fit before anything is computed: the system would end the process without a word. */
static enum hl_status check_memory(const struct hl_prepared *p, double asked, struct hl_diag *diag)
{
    double budget = hl_room_budget(asked);
    for (size_t a = 0; !p->data && a < p->study->n_arms; a++) {
        struct hl_room room = hl_room_plan(p, a, omp_get_max_threads(), budget);
        if (room.columns > 0)
            continue;
        hl_diag_error(diag, hl_pos_none(), "arm '%s' needs at least %.3g GB of memory, and %.3g GB %s; ask for fewer "
                      "subjects, outputs, times or metrics, or for fewer threads", p->study->arm[a].name,
                      room.least / 1e9, budget / 1e9,
                      asked > 0 ? "is what --memory allows" : "is what may be used of this machine's (see --memory)");
        return HL_ERR_INPUT;
    }
    return HL_OK;
}

/* Trajectories without compression take what they take; compressed ones are rarely smaller than a twentieth. */
static enum hl_status check_disk(const struct hl_prepared *p, const char *output, struct hl_diag *diag)
{
    struct statvfs disk;
    const char *slash = strrchr(output, '/');
    size_t n = slash ? (size_t)(slash - output) : 0;
    const char *directory = !slash ? "." : n == 0 ? "/" : hl_arena_strndup(p->arena, output, n);
    if (statvfs(directory, &disk) != 0)
        return HL_OK; /* the store says what is wrong with it */
    double have = (double)disk.f_bavail * (double)disk.f_frsize;
    double need = (double)hl_store_estimate(p->study, (const struct hl_regimen *const *)p->regimen);
    bool plain = strcmp(p->study->compression, "none") == 0;
    if (need <= (plain ? have : 20 * have))
        return HL_OK;
    hl_diag_error(diag, hl_pos_none(),
                  "the result needs %.3g GB%s, and the disk of '%s' has %.3g GB left; ask for fewer subjects, "
                  "outputs or times, for store: [summaries]%s, or name another disk with -o", need / 1e9,
                  plain ? "" : " before compression", output, have / 1e9, plain ? ", for compression: fast" : "");
    return HL_ERR_IO;
}

static bool is_named_like_a_result(const char *path)
{
    static const char *const ending[] = {".h5", ".hdf5", ".nc"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof ending / sizeof *ending; i++)
        if (strcmp(dot, ending[i]) == 0)
            return true;
    return false;
}

/* --force replaces results, whole or torn. Anything else is dear to somebody: the study, its data, a model. */
static enum hl_status check_replaced(const struct hl_run_options *options, const char *output, struct hl_diag *diag)
{
    struct stat info;
    if (!options->force || stat(output, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0
        || is_named_like_a_result(output) || hl_result_is_file(output))
        return HL_OK;
    hl_diag_error(diag, hl_pos_none(), "'%s' exists and is no result; --force replaces results only: name another file "
                  "with -o", output);
    return HL_ERR_IO;
}

enum hl_status hl_run(const struct hl_run_options *options, struct hl_diag *diag)
{
    double started = seconds_now();
    struct hl_prepared prepared;
    if (options->threads > 0)
        omp_set_num_threads(options->threads);
    enum hl_status status = hl_prepare(options->study_path, &options->study, &prepared, diag);
    if (status == HL_OK && prepared.request) {
        hl_diag_error(diag, prepared.study->taper_design->pos,
                      "this study has no arms to run: it asks for a taper; halflife taper %s designs and runs it",
                      options->study_path);
        status = HL_ERR_INPUT;
    }
    if (status == HL_OK) {
        const char *output = options->output ? options->output : default_output(prepared.arena, prepared.study);
        status = check_replaced(options, output, diag);
        if (status == HL_OK)
            status = check_memory(&prepared, options->memory, diag);
        if (status == HL_OK && !prepared.data)
            status = check_disk(&prepared, output, diag);
        if (status == HL_OK && options->dry_run)
            hl_prepared_describe(&prepared, output, options->memory, stderr);
        else if (status == HL_OK)
            status = run_prepared(&prepared, options, output, started, diag);
    }
    if (status != HL_OK && status != HL_ERR_SUBJECTS)
        say_status(status, diag);
    hl_prepared_clear(&prepared);
    return status;
}
