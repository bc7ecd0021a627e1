/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets from text for the tests of data/, against two small drugs, with their messages as text. */
#ifndef DATA_SAMPLE_H
#define DATA_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/units.h"
#include "data/data_set.h"

/* CMT 1 gut, 2 central, 3 peripheral; the default route goes to the gut, "drip" states a rate and a duration into the
 * centre. */
static const char sample_drug[] =
    "model: alpha\n"
    "title: two compartments by mouth\n"
    "molar_mass: 315.72 g/mol\n"
    "covariates:\n"
    "  WT: {default: 71.3 kg, range: [30 kg, 200 kg]}\n"
    "  AGE: {default: 43 year}\n"
    "  SEX: {default: female, categories: [female, male]}\n"
    "parameters:\n"
    "  CL: {value: 3.61 L/h, grade: assumption}\n"
    "  V: {value: 21.7 L, grade: assumption}\n"
    "  Q: {value: 1.7 L/h, grade: assumption}\n"
    "  V2: {value: 37.9 L, grade: assumption}\n"
    "  ka: {value: 1.73 1/h, grade: assumption}\n"
    "  R: {value: 3.1 mg/h, grade: assumption}\n"
    "  D: {value: 2.3 h, grade: assumption}\n"
    "random:\n"
    "  kappa_CL: {sd: 0.22, level: occasion}\n"
    "individual:\n"
    "  CLi: \"CL * exp(kappa_CL) * WT / 70 kg * if(SEX = male, 1.1, 1) * (AGE / 43 year)^0.1\"\n"
    "compartments:\n"
    "  gut: {}\n"
    "  central: {volume: V, default: observe}\n"
    "  peripheral: {volume: V2}\n"
    "flows:\n"
    "  - gut -> central: ka\n"
    "  - central <-> peripheral: Q\n"
    "  - central -> out: CLi\n"
    "routes:\n"
    "  oral: {into: gut, default: dose}\n"
    "  drip: {into: central, rate: R, duration: D}\n"
    "outputs:\n"
    "  Cp: {value: central / V, unit: ng/mL, label: plasma concentration}\n";

static const char sample_other[] = "model: beta\n"
                                   "title: one compartment, intravenous\n"
                                   "parameters:\n"
                                   "  V: {value: 5.3 L, grade: assumption}\n"
                                   "  k: {value: 0.31 1/h, grade: assumption}\n"
                                   "compartments:\n"
                                   "  central: {volume: V, default: observe}\n"
                                   "flows:\n"
                                   "  - central -> out: k\n"
                                   "routes:\n"
                                   "  iv: {into: central, default: dose}\n"
                                   "outputs:\n"
                                   "  C: {value: central / V, unit: mg/L, label: concentration}\n";

static char sample_path[] = "/tmp/test_data_XXXXXX";

__attribute__((unused)) static int sample_start(void **state)
{
    (void)state;
    int file = mkstemp(sample_path);
    return file >= 0 && hl_units_start() ? close(file) : -1;
}

__attribute__((unused)) static int sample_stop(void **state)
{
    (void)state;
    hl_units_stop();
    return unlink(sample_path);
}

/* What is opened: a study around the drugs, its data: and the messages of the first reading. */
struct sample {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_data_spec *spec; /* in the arena: the set keeps pointing at it */
    struct hl_study study;
    struct hl_data_set *set;
    char *messages;
};

static void sample_take_messages(struct sample *s)
{
    size_t n;
    free(s->messages);
    FILE *f = open_memstream(&s->messages, &n);
    hl_diag_print(s->diag, f);
    fclose(f);
}

static const struct hl_model *sample_model(struct sample *s, const char *text)
{
    struct hl_yaml *root = hl_yaml_load_text(s->arena, "m.yaml", text, s->diag);
    struct hl_model *model = root ? hl_model_from_yaml(s->arena, root, NULL, 0, s->diag) : NULL;
    if (!model) {
        sample_take_messages(s);
        fail_msg("%s", s->messages);
    }
    return model;
}

/* A study of these models (NULL ends the list early), without a data set yet. */
__attribute__((unused)) static struct sample sample_study(const char *first, const char *second)
{
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    struct hl_instance instance[2] = {{.alias = "alpha", .model = sample_model(&s, first), .is_drug = true}};
    if (second)
        instance[1] = (struct hl_instance){.alias = "beta", .model = sample_model(&s, second), .is_drug = true};
    struct hl_system *system = hl_system_link(s.arena, instance, second ? 2 : 1, s.diag);
    assert_non_null(system);
    s.study.system = system;
    s.spec = hl_arena_alloc(s.arena, 1, sizeof *s.spec);
    s.spec->path = sample_path;
    s.spec->rule = hl_arena_alloc(s.arena, system->n_covariates, sizeof *s.spec->rule);
    return s;
}

static void sample_write(const char *text, size_t n)
{
    FILE *file = fopen(sample_path, "wb");
    assert_int_equal(fwrite(text, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

__attribute__((unused)) static void sample_open(struct sample *s, const char *text)
{
    sample_write(text, strlen(text));
    s->study.data = s->spec;
    s->set = hl_data_open(&s->study, s->diag);
    sample_take_messages(s);
}

/* This text against the first drug. */
__attribute__((unused)) static struct sample sample_read(const char *text)
{
    struct sample s = sample_study(sample_drug, NULL);
    sample_open(&s, text);
    return s;
}

/* This text without a study. */
__attribute__((unused)) static struct sample sample_alone(const char *text)
{
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    sample_write(text, strlen(text));
    s.set = hl_data_open_alone(sample_path, s.diag);
    sample_take_messages(&s);
    return s;
}

__attribute__((unused)) static void sample_free(struct sample *s)
{
    hl_data_close(s->set);
    hl_arena_free(s->arena);
    hl_diag_free(s->diag);
    free(s->messages);
    memset(s, 0, sizeof *s);
}

/* The messages must be this many lines, and one must hold wanted ("2:5: error: ..."). */
__attribute__((unused)) static void sample_says(const struct sample *s, size_t n, const char *wanted)
{
    size_t lines = 0;
    for (const char *at = s->messages; *at; at++)
        lines += *at == '\n';
    if (lines != n || (wanted && !strstr(s->messages, wanted)))
        fail_msg("expected %zu messages with \"%s\", found %zu:\n%s", n, wanted ? wanted : "", lines, s->messages);
}

/* The next individual, which must be there. */
__attribute__((unused)) static const struct hl_individual *sample_next(struct sample *s)
{
    enum hl_status status;
    const struct hl_individual *x = hl_data_next(s->set, &status, s->diag);
    if (!x || status != HL_OK) {
        sample_take_messages(s);
        fail_msg("no individual: status %d, %s", (int)status, s->messages);
    }
    return x;
}

#endif
