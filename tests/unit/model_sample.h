/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models from text for the tests of model/, with their messages as text. */
#ifndef MODEL_SAMPLE_H
#define MODEL_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model_parts.h"
#include "model/system.h"

struct sample {
    struct hl_arena *arena;
    struct hl_diag *diag;
    struct hl_model *model;
    struct hl_system *system;
    char *messages;
};

static inline void sample_take_messages(struct sample *s)
{
    size_t size;
    FILE *f = open_memstream(&s->messages, &size);
    hl_diag_print(s->diag, f);
    fclose(f);
}

/* Reads a model called "m.yaml" in messages. */
static inline struct sample sample_read(const char *text)
{
    struct sample s = {.arena = hl_arena_create(), .diag = hl_diag_create()};
    struct hl_yaml *root = hl_yaml_load_text(s.arena, "m.yaml", text, s.diag);
    s.model = root ? hl_model_from_yaml(s.arena, root, NULL, 0, s.diag) : NULL;
    sample_take_messages(&s);
    return s;
}

/* ... and links it alone as drug "d", focused on every output. */
static inline struct sample sample_link(const char *text)
{
    struct sample s = sample_read(text);
    if (!s.model)
        fail_msg("%s", s.messages);
    struct hl_instance instance = {.alias = "d", .model = s.model, .is_drug = true};
    s.system = hl_system_link(s.arena, &instance, 1, s.diag);
    assert_non_null(s.system);
    int *all = hl_arena_alloc(s.arena, s.system->n_outputs, sizeof *all);
    for (size_t i = 0; i < s.system->n_outputs; i++)
        all[i] = (int)i;
    hl_system_focus(s.arena, s.system, all, s.system->n_outputs);
    return s;
}

static inline void sample_free(struct sample *s)
{
    hl_arena_free(s->arena);
    hl_diag_free(s->diag);
    free(s->messages);
}

/* The text must not be readable, and the messages must contain this. */
static inline void sample_refuses(const char *text, const char *message)
{
    struct sample s = sample_read(text);
    if (s.model || !strstr(s.messages, message))
        fail_msg("expected \"%s\", got \"%s\"%s", message, s.messages, s.model ? " and a model" : "");
    sample_free(&s);
}

static inline int sample_units(void **state)
{
    (void)state;
    return hl_units_start() ? 0 : -1;
}

#endif
