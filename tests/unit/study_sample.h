/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two small drugs and an interaction, written into a directory of their own, and studies read against them. Shared by
 * the tests of study/ and cohort/. */
#ifndef STUDY_SAMPLE_H
#define STUDY_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/units.h"
#include "study/study.h"

static const char sample_alpha[] =
    "model: alpha\n"
    "title: two compartments by mouth\n"
    "covariates:\n"
    "  WT: {default: 71.3 kg, range: [30 kg, 200 kg], label: body weight}\n"
    "  AGE: {default: 43 year, range: [18 year, 95 year]}\n"
    "  cbz: {default: absent, categories: [absent, present]}\n"
    "parameters:\n"
    "  TVCL: {value: 3.61 L/h, grade: measured, range: [1 L/h, 10 L/h], uncertainty: {lognormal: 0.31}}\n"
    "  TVV: {value: 217 L, grade: assumption, uncertainty: {normal: 21 L}}\n"
    "  TVKA: {value: 1.73 1/h, grade: assumption, uncertainty: {uniform: [1.1 1/h, 2.9 1/h]}}\n"
    "  f_cbz: {value: 1.7, grade: surrogate}\n"
    "  ke0: {value: 1.6 1/h, grade: surrogate}\n"
    "random:\n"
    "  eta_CL: {variance: 0.0625}\n"
    "  eta_V: {cv: \"20 %\"}\n"
    "  block: {of: [eta_KA, eta_F], sd: [0.37, 0.21], correlation: [[1, 0.45], [0.45, 1]]}\n"
    "mixtures:\n"
    "  absorption: {slow: 0.73, fast: 0.27}\n"
    "individual:\n"
    "  CL: \"TVCL * (WT / 70 kg)^0.75 * exp(eta_CL) * if(cbz = present, f_cbz, 1) * (AGE / 43 year)^-0.1\"\n"
    "  V: \"TVV * exp(eta_V)\"\n"
    "  ka: \"TVKA * exp(eta_KA) * if(absorption = fast, 3, 1)\"\n"
    "  F: \"min(1, 0.87 * exp(eta_F))\"\n"
    "compartments:\n"
    "  gut: {}\n"
    "  central: {volume: V, default: observe}\n"
    "flows:\n"
    "  - gut -> central: ka\n"
    "  - central -> out: CL\n"
    "routes:\n"
    "  oral: {into: gut, bioavailability: F, default: dose}\n"
    "  iv: {into: central}\n"
    "effect_sites:\n"
    "  Ce: {follows: Cp, ke0: ke0}\n"
    "outputs:\n"
    "  Cp: {value: central / V, unit: ng/mL, label: plasma concentration}\n"
    "  Ceff: {value: Ce, unit: ng/mL, label: effect-site concentration}\n";

static const char sample_gamma[] = "model: gamma\n"
                                   "extends: alpha\n"
                                   "title: the same with another clearance\n"
                                   "parameters:\n"
                                   "  TVCL: {value: 41.7 L/h, range: [10 L/h, 100 L/h]}\n";

static const char sample_beta[] = "model: beta\n"
                                  "title: both together\n"
                                  "inputs: {CZ: clonazepam.Cp, CF: fentanyl.Cp}\n"
                                  "parameters:\n"
                                  "  C50: {value: 13.7 ng/mL, grade: assumption}\n"
                                  "outputs:\n"
                                  "  depth: {value: \"CZ / C50 + CF / C50\", unit: \"1\", label: depth}\n"
                                  "  share: {value: \"100 % * CZ / (CZ + C50)\", unit: \"%\", label: share}\n";

static char sample_folder[256];

static void sample_write(const char *file, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", sample_folder, file);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int sample_start(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(sample_folder, sizeof sample_folder, "%s/hl_study_XXXXXX", parent ? parent : "/tmp");
    if (!hl_units_start() || !mkdtemp(sample_folder))
        return -1;
    sample_write("alpha.yaml", sample_alpha);
    sample_write("gamma.yaml", sample_gamma);
    sample_write("beta.yaml", sample_beta);
    return 0;
}

static int sample_stop(void **state)
{
    static const char *const files[] = {"alpha.yaml", "gamma.yaml", "beta.yaml",
                                        "people.csv", "study.yaml", "delta.yaml"};
    char path[512];
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", sample_folder, files[i]);
        unlink(path);
    }
    rmdir(sample_folder);
    hl_units_stop();
    return 0;
}

/* One reading: the study (or NULL) and all messages as text. */
struct sample {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_study *study;
    char *messages;
};

static void sample_messages(struct sample *s)
{
    size_t n;
    free(s->messages);
    FILE *f = open_memstream(&s->messages, &n);
    hl_diag_print(s->diag, f);
    fclose(f);
}

static struct sample sample_read(const char *text, struct hl_study_options options)
{
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    const char *directory = sample_folder;
    options.model_directory = &directory;
    options.n_model_directories = 1;
    s.study = hl_study_from_text(s.arena, "s", text, &options, s.diag);
    sample_messages(&s);
    return s;
}

static struct sample sample_load(const char *text)
{
    return sample_read(text, (struct hl_study_options){0});
}

/* The same, and it must be good. */
__attribute__((unused)) static struct sample sample_good(const char *text)
{
    struct sample s = sample_load(text);
    if (!s.study)
        fail_msg("a study was refused:\n%s\n%s", s.messages, text);
    return s;
}

__attribute__((unused)) static void sample_free(struct sample *s)
{
    hl_arena_free(s->arena);
    hl_diag_free(s->diag);
    free(s->messages);
    memset(s, 0, sizeof *s);
}

/* alpha with saturable elimination and residual error. */
static const char sample_delta[] __attribute__((unused)) =
    "model: delta\n"
    "extends: alpha\n"
    "title: the same with saturable elimination\n"
    "parameters:\n"
    "  Vmax: {value: 3.7 mg/h, grade: assumption}\n"
    "  Km: {value: 41 ug/L, grade: assumption}\n"
    "flows:\n"
    "  - central -> out: Vmax / (Km * V + central)\n"
    "residual_error:\n"
    "  Cp: {proportional: 0.13}\n";

#endif
