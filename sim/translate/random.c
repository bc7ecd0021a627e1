/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random effects and residual errors, in the terms the other tools share: normal, mean 0, variances.
 *
 * A block whose covariances are partly zero is split into what hangs together, and effects without variance stand
 * alone: NONMEM refuses a block that is not positive definite, and zeros in a block that are not banded. Effects
 * between occasions are written once for each of a stated number of occasions, which the item OCC chooses among.
 *
 * Residual error of an output f, as in cohort/:
 *      DV = f (1 + eps1) + eps2,    or  DV = f exp(eps1) + eps2  where the model says log */
#include <math.h>
#include <string.h>

#include "translate/inside.h"

/* ---- Etas ---- */

static struct hl_plan_omega *add_omega(struct hl_translator *t, size_t n, bool occasion)
{
    struct hl_plan_omega *o = &t->omega[t->n_omegas++];
    *o = (struct hl_plan_omega){.n = n, .occasion = occasion, .first = t->n_eta_numbers + 1};
    o->eta = hl_arena_alloc(t->arena, n, sizeof *o->eta);
    o->covariance = hl_arena_alloc(t->arena, n * n, sizeof *o->covariance);
    t->n_eta_numbers += (int)(n * (occasion ? t->asked->occasions : 1));
    return o;
}

static void add_single(struct hl_translator *t, size_t eta)
{
    struct hl_plan_omega *o = add_omega(t, 1, t->system->eta[eta].occasion);
    o->eta[0] = eta;
    o->covariance[0] = t->system->eta[eta].sd * t->system->eta[eta].sd;
}

/* The members of a block that hang together with member first. */
static void gather(const struct hl_system_block *b, size_t first, bool *in)
{
    in[first] = true;
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t i = 0; i < b->n; i++)
            for (size_t j = 0; in[i] && j < b->n; j++)
                if (!in[j] && b->covariance[i * b->n + j] != 0.0) /* exactly: nothing was written there */
                    in[j] = grown = true;
    }
}

static void add_group(struct hl_translator *t, const struct hl_system_block *b, const bool *in)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < b->n; i++)
        n += in[i];
    struct hl_plan_omega *o = add_omega(t, n, t->system->eta[b->eta[0]].occasion);
    for (size_t i = 0; i < b->n; i++)
        if (in[i])
            o->eta[k++] = (size_t)b->eta[i];
    for (size_t i = 0, row = 0; i < b->n; i++) {
        for (size_t j = 0, column = 0; in[i] && j < b->n; j++)
            if (in[j])
                o->covariance[row * n + column++] = b->covariance[i * b->n + j];
        row += in[i];
    }
}

static void add_block(struct hl_translator *t, const struct hl_system_block *b)
{
    bool *done = hl_arena_alloc(t->arena, b->n, sizeof *done);
    for (size_t i = 0; i < b->n; i++) {
        if (done[i])
            continue;
        bool *in = hl_arena_alloc(t->arena, b->n, sizeof *in), wanted = false;
        gather(b, i, in);
        for (size_t k = 0; k < b->n; k++) {
            done[k] |= in[k];
            wanted |= in[k] && t->eta[b->eta[k]].wanted;
        }
        if (wanted)
            add_group(t, b, in);
    }
}

/* Members of a block that nothing uses still need a name, so that their row can stand. */
static void name_members(struct hl_translator *t)
{
    for (size_t i = 0; i < t->n_omegas; i++)
        for (size_t k = 0; k < t->omega[i].n; k++) {
            struct hl_plan_eta *eta = &t->eta[t->omega[i].eta[k]];
            if (!eta->name)
                eta->name = hl_plan_name(t, eta->voice, eta->info->name);
        }
}

static void check_occasions(struct hl_translator *t)
{
    for (size_t i = 0; i < t->n_omegas; i++)
        if (t->omega[i].occasion) {
            hl_limit(t, hl_pos_none(), "effects between occasions are written for OCC 1 to %zu; a subject with more "
                     "needs --occasions N", t->asked->occasions);
            return;
        }
}

void hl_plan_omegas(struct hl_translator *t)
{
    const struct hl_system *y = t->system;
    t->omega = hl_arena_alloc(t->arena, y->n_etas, sizeof *t->omega);
    for (size_t i = 0; i < y->n_etas; i++) {
        if (y->eta[i].block < 0 && t->eta[i].wanted)
            add_single(t, i);
        for (size_t b = 0; y->eta[i].block >= 0 && b < y->n_blocks; b++)
            if (y->block[b].eta[0] == (int)i) /* at its first member */
                add_block(t, &y->block[b]);
    }
    name_members(t);
    check_occasions(t);
}

/* ---- Residual errors ---- */

static const struct hl_word *word_of_output(const struct hl_translator *t, int output)
{
    const struct hl_output *o = &t->system->output[output];
    const struct hl_voice *v = &t->voice[o->instance];
    const struct hl_symbol *symbol = hl_model_symbol(v->model, strchr(o->name, '.') + 1);
    return symbol ? &v->word[symbol - v->parts->symbol] : NULL;
}

/* The residual error of an output, if it is in the text; its index, or -1. */
static int show(struct hl_translator *t, int output)
{
    for (size_t i = 0; i < t->n_shown; i++)
        if (t->shown[i].output == output)
            return (int)i;
    const struct hl_output *o = &t->system->output[output];
    const struct hl_word *word = word_of_output(t, output);
    if (!word || (!o->implicit && !word->wanted))
        return -1;
    const char *name = strchr(o->name, '.') + 1;
    struct hl_plan_shown *s = &t->shown[t->n_shown];
    *s = (struct hl_plan_shown){.output = output, .ipred = o->implicit ? word->name : word->shown,
                                .proportional = o->residual_proportional, .log = o->residual_log,
                                .additive = o->residual_additive / o->unit.factor};
    if (s->proportional > 0.0) {
        s->n_proportional = ++t->n_eps;
        s->eps_proportional = hl_plan_name(t, o->instance, hl_arena_printf(t->arena, "eps_%s", name));
    }
    if (s->additive > 0.0) {
        s->n_additive = ++t->n_eps;
        s->eps_additive = hl_plan_name(t, o->instance, hl_arena_printf(t->arena, "eps_add_%s", name));
    }
    return (int)t->n_shown++;
}

/* Outputs with an error that no compartment's number shows. */
static void find_apart(struct hl_translator *t)
{
    for (size_t i = 0; i < t->n_shown; i++) {
        bool apart = (int)i != t->default_shown;
        for (size_t k = 0; k < t->n_states; k++)
            apart = apart && t->shown_of_state[k] != (int)i;
        const struct hl_output *o = &t->system->output[t->shown[i].output];
        if (apart || (t->target == HL_TO_RXODE2 && (t->shown[i].n_proportional || t->shown[i].n_additive)))
            t->shown[i].apart =
                hl_plan_name(t, o->instance, hl_arena_printf(t->arena, "DV_%s", strchr(o->name, '.') + 1));
    }
}

static int default_output(const struct hl_translator *t)
{
    int output = t->n_voices ? t->system->instance[0].default_output : -1;
    const struct hl_word *word = output >= 0 ? word_of_output(t, output) : NULL;
    for (size_t i = 0; !(word && word->wanted) && i < t->system->n_outputs; i++) {
        output = (int)i;
        word = t->system->output[i].implicit ? NULL : word_of_output(t, output);
    }
    return word && word->wanted ? output : -1;
}

void hl_plan_residuals(struct hl_translator *t)
{
    const struct hl_system *y = t->system;
    t->shown = hl_arena_alloc(t->arena, y->n_outputs, sizeof *t->shown);
    t->shown_of_state = hl_arena_alloc(t->arena, t->n_states, sizeof *t->shown_of_state);
    int output = default_output(t);
    t->default_shown = output >= 0 ? show(t, output) : -1;
    for (size_t i = 0; i < t->n_states; i++)
        t->shown_of_state[i] = i < t->n_numbered ? show(t, y->compartment[i].output) : -1;
    for (size_t i = 0; i < y->n_outputs; i++) {
        const struct hl_output *o = &y->output[i];
        if (o->residual_proportional <= 0.0 && o->residual_additive <= 0.0)
            continue;
        size_t known = t->n_shown;
        int shown = show(t, (int)i);
        if (shown >= 0 && t->n_shown > known)
            hl_limit(t, o->pos, "no compartment's number shows '%s': its simulated observation is a column of its own",
                     o->name);
    }
    find_apart(t);
}

/* ---- What the writers ask ---- */

bool hl_plan_has_occasions(const struct hl_translator *t)
{
    for (size_t i = 0; i < t->n_omegas; i++)
        if (t->omega[i].occasion)
            return true;
    return false;
}

size_t hl_plan_times(const struct hl_translator *t, const struct hl_plan_omega *o)
{
    return o->occasion ? t->asked->occasions : 1;
}

const char *hl_plan_eta_name(struct hl_translator *t, const struct hl_plan_omega *o, size_t member, size_t occasion)
{
    const char *name = t->eta[o->eta[member]].name;
    return o->occasion ? hl_arena_printf(t->arena, "%s_%zu", name, occasion + 1) : name;
}

size_t hl_plan_likeliest(const struct hl_mixture *mixture)
{
    size_t best = 0;
    for (size_t i = 1; i < mixture->n; i++)
        if (mixture->probability[i] > mixture->probability[best])
            best = i;
    return best;
}
