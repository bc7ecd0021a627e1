/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A crossover under compare: -- the drug that goes down is exchanged for a second one, which is then tapered (protocol
 * T5, regimen/crossover.c). The study has compiled it as an arm (study/design.c); here its doses become a problem of
 * its own with two drugs, whose rungs are what is taken on each of its days, and a schedule on them. From there on it
 * is a plan like any other: counted in pieces, followed by the forecast, stretched, written as an arm.
 *
 * The start is the design's own and none of the second drug; amounts are whole numbers of each drug's unit, so days are
 * compared as whole numbers. Bounds must be of what both drugs do together: an index of the first drug alone would see
 * nothing but its loss. */
#include <math.h>
#include <string.h>

#include "regimen/taper.h"
#include "taper/inside.h"
#include "taper/products.h"
#include "taper/rungs.h"

#define DAY  24.0
#define SAME 1e-6 /* [h] */

struct crossing {
    struct hl_taper_reader *reader;
    const struct hl_regimen *regimen;
    const struct hl_crossed *crossed;
    struct hl_taper_rival *rival;
    struct hl_taper_problem *own;
    int days;
    long *units; /* [day][stream] */
};

/* ---- what is asked */

/* "both.withdrawal_index" for "clonazepam.withdrawal_index": an output of that name which reads both drugs; or NULL. */
static const char *joint_output(const struct hl_system *system, const char *name, const struct hl_crossed *crossed)
{
    const char *last = strrchr(name, '.');
    for (size_t i = 0; last && i < system->n_outputs; i++) {
        const char *other = strrchr(system->output[i].name, '.');
        if (other && strcmp(other, last) == 0 && hl_system_reads(system, (int)i, crossed->first) &&
            hl_system_reads(system, (int)i, crossed->second))
            return system->output[i].name;
    }
    return NULL;
}

/* Every bound must see both drugs. */
static bool check_bounds(const struct crossing *x)
{
    const struct hl_system *system = x->reader->system;
    const struct hl_taper_problem *problem = x->reader->problem;
    bool good = true;
    for (size_t c = 0; c < problem->n_constraints; c++) {
        const char *name = system->output[problem->constraint[c].output].name;
        if (hl_system_reads(system, problem->constraint[c].output, x->crossed->second))
            continue;
        const char *joint = joint_output(system, name, x->crossed);
        hl_diag_error(x->reader->diag, x->rival->pos,
                      "compare: '%s' goes over to %s, of which %s under keep: knows nothing; bound what both do "
                      "together, %s", x->rival->name, system->instance[x->crossed->second].alias, name,
                      joint ? joint : "an output of an interaction such as withdrawal_shared");
        good = false;
    }
    return good;
}

/* The second drug is one that nobody took before. */
static bool check_new(const struct crossing *x)
{
    const struct hl_regimen *before = x->reader->before;
    const struct hl_system *system = x->reader->system;
    bool there = false;
    for (size_t i = 0; i < before->n_doses; i++)
        there = there || system->route[before->dose[i].route].instance == x->crossed->second;
    for (size_t i = 0; i < before->n_steady; i++)
        there = there || before->steady[i].instance == x->crossed->second;
    if (there)
        hl_diag_error(x->reader->diag, x->rival->pos, "compare: '%s' goes over to %s, which before: gives already",
                      x->rival->name, system->instance[x->crossed->second].alias);
    return !there;
}

/* ---- the second drug */

static bool read_products(struct crossing *x, struct hl_taper_drug *drug)
{
    struct hl_taper_strength *strength;
    struct hl_arena *arena = x->reader->arena;
    char number[40];
    if (!hl_taper_strengths(arena, x->crossed->target, &strength, &drug->n_products, x->reader->diag))
        return false;
    if (drug->n_products == 0) {
        hl_diag_error(x->reader->diag, x->rival->pos, "compare: of what is %s made? Write target: {tablets: [2 mg, "
                      "5 mg, 10 mg]}", drug->alias);
        return false;
    }
    drug->product = hl_arena_alloc(arena, drug->n_products, sizeof *drug->product);
    for (size_t p = 0; p < drug->n_products; p++)
        drug->product[p] =
            (struct hl_product){.name = hl_arena_printf(arena, "%s mg tablet",
                                                        hl_taper_number(strength[p].strength, number, sizeof number)),
                                .form = "tablet",
                                .strength = strength[p].strength,
                                .pieces = strength[p].parts,
                                .pos = x->rival->pos};
    if (hl_products_unit(drug))
        return true;
    hl_diag_error(x->reader->diag, x->rival->pos, "compare: the tablets of %s have no common unit", drug->alias);
    return false;
}

/* A time of the day, after day 0's own; -1 beyond the doses of a day. */
static int stream_of(const struct hl_taper_drug *drug, double offset)
{
    for (size_t i = 0; i < drug->n_doses; i++)
        if (fabs(drug->dose[i].clock - offset) < SAME)
            return (int)i;
    return -1;
}

static double offset_of(const struct crossing *x, const struct hl_dose *dose)
{
    double hours = dose->time - x->own->begins, rest = hours - DAY * floor(hours / DAY);
    return DAY - rest < SAME ? 0 : rest;
}

/* The times at which the second drug is taken on any day, in the order of the clock. */
static bool collect_times(struct crossing *x, struct hl_taper_drug *drug)
{
    drug->dose = hl_arena_alloc(x->reader->arena, HL_TAPER_STREAMS, sizeof *drug->dose);
    for (size_t i = 0; i < x->regimen->n_doses; i++) {
        const struct hl_dose *dose = &x->regimen->dose[i];
        double offset = offset_of(x, dose);
        if (x->reader->system->route[dose->route].instance != drug->instance || stream_of(drug, offset) >= 0)
            continue;
        if (drug->first_stream + drug->n_doses == HL_TAPER_STREAMS) {
            hl_diag_error(x->reader->diag, x->rival->pos, "compare: '%s' has more than the most of %d doses a day",
                          x->rival->name, HL_TAPER_STREAMS);
            return false;
        }
        size_t at = drug->n_doses++;
        for (; at > 0 && drug->dose[at - 1].clock > offset; at--)
            drug->dose[at] = drug->dose[at - 1];
        drug->dose[at] = (struct hl_taper_dose){.clock = offset, .name = ""};
        drug->route = dose->route;
    }
    drug->start = hl_arena_alloc(x->reader->arena, drug->n_doses, sizeof *drug->start);
    drug->spare = hl_arena_alloc(x->reader->arena, drug->n_doses, sizeof *drug->spare);
    for (size_t i = 0; i < drug->n_doses; i++)
        drug->spare[i] = i;
    return true;
}

static bool make_drugs(struct crossing *x)
{
    struct hl_taper_drug *second = &x->own->drug[1];
    *x->own = *x->reader->problem;
    x->own->n_drugs = 2;
    x->own->order = HL_TAPER_ANY;
    *second = (struct hl_taper_drug){.way = HL_TAPER_DOSES, .pos = x->rival->pos, .instance = x->crossed->second,
                                     .alias = x->reader->system->instance[x->crossed->second].alias, .period = DAY,
                                     .first_stream = x->own->n_streams, .worth = 1 / x->crossed->ratio};
    if (!read_products(x, second) || !collect_times(x, second))
        return false;
    x->own->n_streams += second->n_doses;
    return true;
}

/* ---- its days */

static bool note_dose(struct crossing *x, const struct hl_dose *dose)
{
    int instance = x->reader->system->route[dose->route].instance;
    const struct hl_taper_drug *drug = &x->own->drug[instance == x->crossed->second];
    struct hl_doses can;
    char number[40];
    long units;
    int stream = stream_of(drug, offset_of(x, dose)), day = (int)floor((dose->time - x->own->begins + SAME) / DAY);
    if (stream < 0 || dose->kind != HL_DOSE_GIVEN) {
        hl_diag_error(x->reader->diag, x->rival->pos,
                      "compare: '%s' gives %s at other times than the design; write at: "
                      "as there",
                      x->rival->name, drug->alias);
        return false;
    }
    if (!hl_products_units(drug, dose->amount, &units) ||
        hl_doses_make(x->reader->arena, drug, units, &can) != HL_OK || !hl_doses_can(&can, units)) {
        hl_diag_error(x->reader->diag, x->rival->pos,
                      "compare: '%s' gives %s mg of %s at a time, which can't be made of "
                      "its products",
                      x->rival->name, hl_taper_number(dose->amount, number, sizeof number), drug->alias);
        return false;
    }
    x->units[(size_t)day * x->own->n_streams + drug->first_stream + (size_t)stream] += units;
    return true;
}

static bool is_its(const struct crossing *x, const struct hl_dose *dose)
{
    int instance = x->reader->system->route[dose->route].instance;
    return dose->time > x->own->begins - SAME && (instance == x->crossed->first || instance == x->crossed->second);
}

static bool collect_days(struct crossing *x)
{
    for (size_t i = 0; i < x->regimen->n_doses; i++)
        if (is_its(x, &x->regimen->dose[i]))
            x->days = (int)floor((x->regimen->dose[i].time - x->own->begins + SAME) / DAY) + 1;
    x->units = hl_arena_alloc(x->reader->arena, (size_t)x->days * x->own->n_streams, sizeof *x->units);
    for (size_t i = 0; i < x->regimen->n_doses; i++)
        if (is_its(x, &x->regimen->dose[i]) && !note_dose(x, &x->regimen->dose[i]))
            return false;
    return x->days > 0;
}

/* ---- rungs and schedule */

static void add_rung(struct crossing *x, const long *units)
{
    struct hl_taper_problem *own = x->own;
    struct hl_taper_rung *rung = &own->rung[own->n_rungs++];
    struct hl_arena *arena = x->reader->arena;
    rung->units = hl_arena_alloc(arena, own->n_streams, sizeof *rung->units);
    rung->total = hl_arena_alloc(arena, own->n_drugs, sizeof *rung->total);
    rung->pieces = hl_arena_alloc(arena, own->n_drugs, sizeof *rung->pieces);
    for (size_t d = 0; d < own->n_drugs; d++)
        for (size_t k = 0; k < own->drug[d].n_doses; k++) {
            struct hl_doses can;
            long held = units ? units[own->drug[d].first_stream + k] : 0;
            rung->units[own->drug[d].first_stream + k] = held;
            rung->total[d] += held;
            if (held > 0 && hl_doses_make(arena, &own->drug[d], held, &can) == HL_OK)
                rung->pieces[d] += can.pieces[held];
        }
}

static void make_schedule(struct crossing *x)
{
    struct hl_taper_problem *own = x->own;
    struct hl_taper_schedule *schedule = hl_arena_alloc(x->reader->arena, 1, sizeof *schedule);
    long *start = hl_arena_alloc(x->reader->arena, own->n_streams, sizeof *start);
    size_t row = own->n_streams * sizeof *start;
    own->n_rungs = 0;
    own->rung = hl_arena_alloc(x->reader->arena, (size_t)x->days + 2, sizeof *own->rung);
    schedule->step = hl_arena_alloc(x->reader->arena, (size_t)x->days, sizeof *schedule->step);
    memcpy(start + own->drug[0].first_stream, own->drug[0].start, own->drug[0].n_doses * sizeof *start);
    add_rung(x, start);
    for (int day = 0; day < x->days; day++) {
        const long *units = x->units + (size_t)day * own->n_streams;
        if (day == 0 || memcmp(units, units - own->n_streams, row) != 0) {
            add_rung(x, units);
            schedule->step[schedule->n++] = (struct hl_taper_step){.rung = own->n_rungs - 1};
        }
        schedule->step[schedule->n - 1].days++;
    }
    add_rung(x, NULL);
    schedule->days = hl_schedule_days(schedule);
    x->rival->own = own;
    x->rival->schedule = schedule;
}

bool hl_taper_read_crossover(struct hl_taper_reader *reader, const struct hl_regimen *regimen,
                             struct hl_taper_rival *rival)
{
    struct crossing x = {.reader = reader, .regimen = regimen, .rival = rival,
                         .own = hl_arena_alloc(reader->arena, 1, sizeof *x.own)};
    if (reader->problem->n_drugs != 1 || reader->problem->drug[0].way != HL_TAPER_DOSES) {
        hl_diag_error(reader->diag, rival->pos, "compare: '%s' exchanges one drug that is given in doses; this design "
                      "has %s", rival->name, reader->problem->n_drugs == 1 ? "none such" : "several");
        return false;
    }
    if (!regimen || hl_taper_faulty(reader)) /* what is wrong has been told */
        return false;
    x.crossed = regimen->n_crossed ? &regimen->crossed[0] : NULL;
    if (!x.crossed)
        return false;
    bool good = check_bounds(&x);
    if (!check_new(&x) || !good || !make_drugs(&x) || !collect_days(&x))
        return false;
    make_schedule(&x);
    return true;
}
