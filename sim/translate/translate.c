/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of this room: plan, then write into memory, then hand over. Nothing is written when something is wrong. */
#include "translate/translate.h"

#include <stdlib.h>
#include <string.h>

#include "translate/inside.h"

static const struct { const char *name, *text, *suffix; void (*write)(struct hl_translator *, FILE *); } targets[] = {
    [HL_TO_NONMEM] = {"nonmem", "NONMEM control stream", "ctl", hl_write_nonmem},
    [HL_TO_MRGSOLVE] = {"mrgsolve", "mrgsolve model", "cpp", hl_write_mrgsolve},
    [HL_TO_RXODE2] = {"rxode2", "script for rxode2", "R", hl_write_rxode2},
};

const char *hl_target_name(enum hl_target target)
{
    return targets[target].name;
}

const char *hl_target_text(enum hl_target target)
{
    return targets[target].text;
}

const char *hl_target_suffix(enum hl_target target)
{
    return targets[target].suffix;
}

bool hl_target_find(const char *name, enum hl_target *target)
{
    for (int i = 0; i < HL_N_TARGETS; i++)
        if (strcmp(targets[i].name, name) == 0) {
            *target = (enum hl_target)i;
            return true;
        }
    return false;
}

static void say_beyond(struct hl_translator *t)
{
    for (size_t i = 0; i < t->asked->n_notes; i++)
        hl_limit(t, hl_pos_none(), "%s", t->asked->note[i]);
    for (size_t i = 0; i < t->n_mixtures && t->target != HL_TO_NONMEM; i++)
        if (t->mixture[i].wanted)
            hl_limit(t, t->mixture[i].info->pos, "the class of '%s' is a column of the data here: draw it with the "
                     "model's probabilities", t->mixture[i].dotted);
    if (t->uses_tad)
        hl_limit(t, hl_pos_none(), "tad counts from doses as %s sees them: where a dose has a lag, that may be its "
                 "arrival", hl_target_name(t->target));
    if (t->uses_tad && t->target == HL_TO_RXODE2 && t->n_voices > 1)
        hl_limit(t, hl_pos_none(), "tad counts from the last dose of any drug here");
}

static enum hl_status write_text(struct hl_translator *t, FILE *stream)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return HL_ERR_MEMORY;
    targets[t->target].write(t, memory);
    enum hl_status status = fclose(memory) == 0 ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK && hl_diag_count(t->diag, HL_ERROR) > 0)
        status = HL_ERR_INPUT;
    if (status == HL_OK && fwrite(text, 1, size, stream) != size)
        status = HL_ERR_IO;
    free(text);
    return status;
}

enum hl_status hl_translate(const struct hl_translation *asked, FILE *stream, struct hl_diag *diag)
{
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    struct hl_translator t = {.arena = arena, .diag = diag, .asked = asked, .system = asked->system,
                              .target = asked->target, .default_shown = -1};
    enum hl_status status = HL_ERR_INPUT;
    if (hl_plan_translation(&t)) {
        say_beyond(&t);
        if (t.n_states == 0)
            hl_diag_error(diag, hl_pos_none(), "%s has no compartment or state: there is nothing that these tools "
                          "would integrate", asked->source);
        else
            status = write_text(&t, stream);
    }
    hl_arena_free(arena);
    return status;
}
