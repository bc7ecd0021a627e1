/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attributes after the Attribute Convention for Data Discovery (ACDD 1.3) and the CF conventions 1.10 where they have a
 * name for the thing, our own names otherwise. All are variable-length UTF-8 text, numbers too: R cannot read 64-bit
 * integers, so a seed is safe only as text. The texts under /provenance/ are enough to run the study again on another
 * machine; each carries its SHA-256, so that two results can be compared at a glance. */
#include "store/provenance.h"

#include <errno.h>
#include <gsl/gsl_version.h>
#include <libdeflate.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <yaml.h>

#include "base/digest.h"
#include "base/text.h"
#include "build_info.h"

#define SCHEMA_VERSION "1"

static const char *library_versions(struct hl_arena *arena)
{
    unsigned major, minor, release;
    (void)H5get_libversion(&major, &minor, &release);
    return hl_arena_printf(arena, "HDF5 %u.%u.%u, GSL %s, libyaml %s, libdeflate %s, OpenSSL %s", major, minor, release,
                           gsl_version, yaml_get_version_string(), LIBDEFLATE_VERSION_STRING,
                           OpenSSL_version(OPENSSL_VERSION_STRING));
}

static const char *compiled_for(void)
{
#if defined __AVX512F__
    return "AVX-512";
#elif defined __AVX2__
    return "AVX2";
#elif defined __AVX__
    return "AVX";
#elif defined __x86_64__
    return "x86-64 (SSE2)";
#elif defined __aarch64__
    return "AArch64 (NEON)";
#else
    return "the compiler's default";
#endif
}

/* Kernels compiled in several versions choose by the processor, so both halves decide about the last bits. */
static const char *instruction_set(struct hl_arena *arena)
{
#if defined __x86_64__
    return hl_arena_printf(arena, "compiled for %s; processor has%s%s%s%s", compiled_for(),
                           __builtin_cpu_supports("avx") ? " AVX" : " SSE2",
                           __builtin_cpu_supports("avx2") ? " AVX2" : "", __builtin_cpu_supports("fma") ? " FMA" : "",
                           __builtin_cpu_supports("avx512f") ? " AVX-512" : "");
#else
    return hl_arena_printf(arena, "compiled for %s", compiled_for());
#endif
}

static const char *now_utc(struct hl_arena *arena)
{
    time_t now = time(NULL);
    struct tm parts;
    char text[40];
    if (!gmtime_r(&now, &parts) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return "";
    return hl_arena_strdup(arena, text);
}

static const char *summary_text(struct hl_arena *arena, const struct hl_study *study)
{
    const char *said = study->description ? study->description : "";
    size_t n = strlen(said);
    while (n > 0 && (said[n - 1] == '\n' || said[n - 1] == ' '))
        n--;
    return hl_arena_printf(arena, "%.*s%sSimulated results for %s.", (int)n, said, n ? " " : "", HL_NOT_FOR_DOSING);
}

static void add_text(struct hl_writer *w, const char *wanted, const char *path, const char *text)
{
    char hex[65];
    if (!hl_digest_hex(text, strlen(text), hex))
        hl_writer_fail(w, HL_ERR_MEMORY, "no memory for a digest");
    const char *name = hl_writer_name(w, "/provenance", wanted);
    struct hl_dataset *d = hl_writer_dataset(w, "/provenance", name, HL_INT8, 0, NULL, NULL);
    if (!d)
        return;
    hl_writer_text(w, d, "path", path);
    hl_writer_text(w, d, "sha256", hex);
    hl_writer_text(w, d, "text", text);
}

/* The whole of a file; NULL, and the failure remembered, when it can't be read. */
static char *file_text(struct hl_writer *w, const char *path)
{
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        hl_diag_error(w->diag, hl_pos_none(), "cannot read '%s' again to keep its text in the result: %s", path,
                      strerror(errno));
        w->status = HL_ERR_IO;
        return NULL;
    }
    size_t n = 0, capacity = 1 << 14, got;
    char *text = hl_alloc(capacity, 1);
    while (text && (got = fread(text + n, 1, capacity - 1 - n, stream)) > 0) {
        n += got;
        if (n + 1 < capacity)
            continue;
        char *grown = hl_grow(text, capacity, 2 * capacity, 1);
        if (!grown) {
            hl_free(text);
            text = NULL;
        } else {
            text = grown;
            capacity *= 2;
        }
    }
    (void)fclose(stream);
    if (!text)
        w->status = HL_ERR_MEMORY;
    return text;
}

static void add_file(struct hl_writer *w, const char *path)
{
    const char *name = strrchr(path, '/');
    name = hl_arena_strdup(w->arena, name ? name + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot)
        *dot = '\0';
    char *text = file_text(w, path);
    if (text)
        add_text(w, hl_arena_printf(w->arena, "model_%s", name), path, text);
    hl_free(text);
}

static void add_texts(struct hl_writer *w, const struct hl_study *study, const struct hl_provenance *provenance)
{
    if (study->root)
        add_text(w, "study", study->path, hl_yaml_to_text(w->arena, study->root));
    if (study->resolved)
        add_text(w, "resolved_study", NULL, hl_yaml_to_text(w->arena, study->resolved));
    for (size_t i = 0; i < study->n_model_files && w->status == HL_OK; i++)
        add_file(w, study->model_path[i]);
    if (provenance->data_digest) {
        struct hl_dataset *d = hl_writer_dataset(w, "/provenance", "data", HL_INT8, 0, NULL, NULL);
        if (d)
            hl_writer_text(w, d, "path", study->data ? study->data->path : NULL);
        if (d)
            hl_writer_text(w, d, "sha256", provenance->data_digest);
    }
}

/* "next", where all covariates have one rule; else "next; WT: interpolate, CRCL: previous". Where the study is silent
 * that is said, because people come from programs with other defaults. */
static const char *covariate_rule(struct hl_arena *a, const struct hl_study *study)
{
    static const char *const names[] = {"next", "previous", "interpolate"};
    const struct hl_data_spec *data = study->data;
    size_t n = study->system->n_covariates, count[3] = {0}, common = 0;
    if (!data->rule_stated || n == 0)
        return "next (NONMEM's rule; the study states none)";
    for (size_t i = 0; i < n; i++)
        count[data->rule[i]]++;
    for (size_t i = 1; i < 3; i++)
        common = count[i] > count[common] ? i : common;
    const char *text = names[common], *mark = "; ";
    for (size_t i = 0; i < n; i++)
        if (data->rule[i] != (enum hl_covariate_rule)common) {
            text = hl_arena_printf(a, "%s%s%s: %s", text, mark, study->system->covariate[i].name, names[data->rule[i]]);
            mark = ", ";
        }
    return text;
}

/* What an amount with a given rate means, and what a covariate is between two records. */
static void add_rules(struct hl_writer *w, const struct hl_study *study)
{
    bool duration = study->data ? !study->data->scales_rate : study->scales_duration;
    hl_writer_root_text(w, "bioavailability_scales", duration ? "duration" : "rate");
    if (study->data)
        hl_writer_root_text(w, "covariate_rule", covariate_rule(w->arena, study));
}

void hl_provenance_begin(struct hl_writer *w, const struct hl_study *study, const struct hl_provenance *provenance)
{
    struct hl_arena *a = w->arena;
    const char *title = study->title && *study->title ? study->title : study->name;
    hl_writer_root_text(w, "Conventions", "CF-1.10, ACDD-1.3");
    hl_writer_root_text(w, "title", title ? title : "untitled study");
    hl_writer_root_text(w, "summary", summary_text(a, study));
    hl_writer_root_text(w, "history", provenance->command_line);
    hl_writer_root_text(w, "source", hl_arena_printf(a, "halflife %s, commit %s%s, %s, %s", HL_VERSION, HL_COMMIT,
                                                     HL_DIRTY ? " with changes" : "", HL_COMPILER, HL_CFLAGS));
    hl_writer_root_text(w, "library_versions", library_versions(a));
    hl_writer_root_text(w, "instruction_set", instruction_set(a));
    hl_writer_root_text(w, "date_created", now_utc(a));
    hl_writer_root_text(w, "schema_name", "halflife");
    hl_writer_root_text(w, "schema_version", SCHEMA_VERSION);
    if (study->name)
        hl_writer_root_text(w, "study", study->name);
    hl_writer_root_text(w, "seed", hl_arena_printf(a, "%llu", (unsigned long long)study->seed));
    hl_writer_root_text(w, "rng", "Philox4x64-10 (Random123), normal numbers by inversion");
    hl_writer_root_text(w, "threads", hl_arena_printf(a, "%d", provenance->threads));
    if (study->design)
        hl_writer_root_text(w, "design", study->design);
    if (study->solver)
        hl_writer_root_text(w, "solver", study->solver);
    for (size_t i = 0; i < provenance->n_notes; i++)
        hl_writer_root_text(w, provenance->note[i].name, provenance->note[i].text);
    add_rules(w, study);
    add_texts(w, study, provenance);
}

void hl_provenance_end(struct hl_writer *w, double wall_seconds, uint64_t subjects_failed)
{
    char hex[65], seconds[32];
    if (w->status != HL_OK)
        return;
    snprintf(seconds, sizeof seconds, "%.3f", wall_seconds);
    hl_writer_payload(w, hex);
    hl_writer_root_text(w, "status", "complete");
    hl_writer_root_text(w, "subjects_failed", hl_arena_printf(w->arena, "%llu", (unsigned long long)subjects_failed));
    hl_writer_root_text(w, "wall_seconds", seconds);
    hl_writer_root_text(w, "payload_sha256", hex);
}
