/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doses that enter by a stated course. released: R(tad) is the fraction of one dose that has entered by the time tad
 * after its arrival (time of the dose + lag), so that a compartment receives
 *     sum over doses of  amount_i fraction F R'(t - t_i).
 * Stated is R and not its density R', because what has entered between two times is then a difference, exact however
 * steep the density is (solve/releases.c). Known courses:
 *     transit compartments   gamma_p(n + 1, ktr tad), any n > -1     (Savic et al. 2007, J Pharmacokinet Pharmacodyn 34)
 *     Weibull                -expm1(-(tad/td)^beta)                  (Langenbucher 1972)
 *     inverse Gaussian       Phi(sqrt(lambda/tad) (tad/m - 1)) + exp(2 lambda/m) Phi(-sqrt(lambda/tad) (tad/m + 1))
 * R may use a subject's own values, which hold for a dose as they were when it was given, and nothing that changes: one
 * dose can't know of another.
 *
 * Every release is tried with the typical values: R is a number, doesn't fall, lies in 0 .. 1. That it arrives at 1 is
 * only said in a warning: a part that never enters may be meant. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/link.h"

#define FIRST_TRIED 1e-6 /* [h] */
#define LAST_TRIED 1e15  /* [h]: for ever */
#define SLACK 1e-9       /* rounding of R */
#define INCOMPLETE 1e-6

void hl_link_release(struct hl_scope *s, const struct hl_route_part_text *text, const char *route,
                     struct hl_route_part *part)
{
    struct hl_linker *l = s->linker;
    struct hl_release *release = hl_arena_alloc(l->arena, 1, sizeof *release);
    const char *name = hl_arena_printf(l->arena, "%s.%s", s->instance->alias, route);
    char what[160];
    release->pos = text->released->pos;
    release->tad_reg =
        hl_graph_register(l->graph, hl_arena_printf(l->arena, "%s.tad", name), HL_REG_TAD, hl_dim_of("h"), 0.0);
    release->released_reg = hl_graph_register(l->graph, hl_arena_printf(l->arena, "%s.released", name),
                                              HL_REG_TEMPORARY, hl_dim_none(), 0.0);
    s->dose_tad_node = hl_graph_leaf(l->graph, release->tad_reg, -1, true, false);
    snprintf(what, sizeof what, "released: of '%.100s', a fraction,", route);
    struct hl_value value = hl_scope_lower_as(s, text->released, HL_CTX_RELEASE, hl_dim_none(), what);
    if (!value.bad && !l->graph->node[value.node].changes)
        hl_diag_error(l->diag, release->pos, "released: of '%s' doesn't depend on tad, the time since the dose arrived",
                      route);
    l->release = hl_arena_push(l->arena, l->release, l->n_releases, &l->release_capacity, sizeof *l->release);
    l->release[l->n_releases++] = (struct hl_release_link){release, value.node, route};
    part->release = release;
}

void hl_link_mark_fed(struct hl_linker *l)
{
    struct hl_system *y = l->system;
    for (size_t i = 0; i < y->n_routes; i++)
        for (size_t k = 0; k < y->route[i].n_parts; k++)
            if (y->route[i].part[k].release)
                y->state[y->route[i].part[k].state].released = y->state[y->route[i].part[k].state].fed = true;
    for (bool changed = l->n_releases > 0; changed;) {
        changed = false;
        for (size_t i = 0; i < y->n_states; i++) {
            bool *seen = hl_arena_alloc(l->arena, y->n_states, sizeof *seen), fed = y->state[i].fed;
            hl_graph_states(l->graph, l->derivative[i], seen);
            for (size_t k = 0; k < y->n_states; k++)
                fed = fed || (seen[k] && y->state[k].fed);
            changed = changed || fed != y->state[i].fed;
            y->state[i].fed = fed;
        }
    }
}

/* Registers the program reads before it writes them, the clock and constants apart. */
static void collect_inputs(struct hl_linker *l, const struct hl_release_link *link)
{
    struct hl_release *release = link->release;
    const struct hl_program *p = &release->program;
    bool *seen = hl_arena_alloc(l->arena, l->graph->n_regs, sizeof *seen);
    seen[release->tad_reg] = true;
    for (size_t k = 0; k < p->n; k++) {
        const int read[3] = {p->code[k].a, p->code[k].b, p->code[k].c};
        for (int i = 0; i < 3; i++) {
            if (read[i] < 0 || seen[read[i]] || l->graph->reg[read[i]].kind == HL_REG_CONSTANT)
                continue;
            seen[read[i]] = true;
            if (release->n_inputs < HL_RELEASE_INPUTS)
                release->input[release->n_inputs] = read[i];
            release->n_inputs++;
        }
        seen[p->code[k].dst] = true;
    }
    if (release->n_inputs <= HL_RELEASE_INPUTS)
        return;
    hl_diag_error(l->diag, release->pos,
                  "released: of '%s' reads %zu individual values, more than %d; combine some of them under individual:",
                  link->route, release->n_inputs, HL_RELEASE_INPUTS);
    release->n_inputs = HL_RELEASE_INPUTS;
}

static double released_by(const struct hl_release *release, double *regs, double tad)
{
    regs[release->tad_reg] = tad;
    hl_program_run(&release->program, regs, 1);
    return regs[release->released_reg];
}

static void try_release(struct hl_linker *l, const struct hl_release_link *link, double *regs)
{
    const struct hl_release *release = link->release;
    double before = 0.0, R = 0.0;
    for (double tad = 0.0; tad <= LAST_TRIED; tad = tad > 0.0 ? 2.0 * tad : FIRST_TRIED, before = R) {
        R = released_by(release, regs, tad);
        if (R >= before - SLACK && R <= 1.0 + SLACK)
            continue;
        hl_diag_error(l->diag, release->pos,
                      "released: of '%s' is the fraction of a dose that has entered by tad: it rises from 0 to 1 and never "
                      "falls; with the typical values it is %g at tad = %g h, after %g", link->route, R, tad, before);
        return;
    }
    if (R < 1.0 - INCOMPLETE)
        hl_diag_warning(l->diag, release->pos,
                        "released: of '%s' comes to %g with the typical values: the rest of each dose never enters; say "
                        "that with bioavailability: if it is meant", link->route, R);
}

void hl_link_compile_releases(struct hl_linker *l)
{
    struct hl_graph *g = l->graph;
    for (size_t i = 0; i < l->n_releases; i++) {
        struct hl_release *release = l->release[i].release;
        struct hl_root root = {l->release[i].node, release->released_reg};
        release->program = hl_graph_compile(g, &root, 1, g->n_regs);
        collect_inputs(l, &l->release[i]);
    }
    if (!l->alone || l->n_releases == 0) /* a study's models have been looked at alone before */
        return;
    double *regs = hl_arena_alloc(l->arena, g->n_regs, sizeof *regs);
    memcpy(regs, g->initial, g->n_regs * sizeof *regs);
    hl_program_run(&l->system->individual, regs, 1);
    for (size_t i = 0; i < l->n_releases; i++)
        try_release(l, &l->release[i], regs);
}
