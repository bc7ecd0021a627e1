/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual patients as a Gaussian copula. Every random quantity q has a standard normal number
 *
 *     z_q = normal(seed, subject, hash of q's dotted name)
 *
 * of its own. Quantities that are correlated, directly or through others, form a group with the correlation matrix R =
 * L L' (Cholesky), its members in the order of their names, and have the scores s = L z; all others have s = z. Then
 *
 *     an eta            sd * s              (sd^2 = omega^2, the variance on the eta scale)
 *     a covariate       F^-1(Phi(s))        (study/distribution.h)
 *
 * so that correlations are those of the normal scores. A group depends on nothing outside itself: adding a quantity
 * shifts no other, unless it is correlated with it. Mixture classes, the row of a table of real patients and uncertain
 * typical values have streams of their own, named "alias.mixture", "csv:row" and "uncertainty:alias.PARAM".
 *
 * An eta between occasions (kappa) has such a number for every occasion o,
 *
 *     z = normal(seed, subject, hash of its name, draw o)
 *
 * and its group consists of others of its kind. A simulated regimen is one occasion, number 0; the occasions of a data
 * set are the values in OCC.
 *
 * Residual errors have streams that no eta can have, "residual.scale:alias.OUTPUT" and "residual.shift:alias.OUTPUT",
 * and a draw for every record:
 *
 *     DV = IPRED (1 + s e1) + a e2,   or   DV = IPRED exp(s e1) + a e2
 *
 * s and a being the standard deviations of the output's proportional (or log) and additive error. */
#include "cohort/cohort.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "cohort/group.h"
#include "study/distribution.h"

#define CROWD 16 /* subjects who are drawn together */

struct uncertain {
    int reg;
    enum hl_spread spread;
    double a, b; /* lognormal: value, sd of the log; normal: value, sd; uniform: low, high */
    uint64_t stream;
};

struct hl_cohort {
    const struct hl_system *system;
    const struct hl_cohort_spec *spec;
    const struct hl_arm *arm;
    struct hl_arena *arena;
    struct hl_groups *groups;
    size_t n_uncertain;
    struct uncertain *uncertain;
    uint64_t *mixture_stream;
    uint64_t row_stream;
    size_t n_rows;  /* of the table of real patients; 0 without one */
    size_t width;   /* doubles from row to row, its columns and what fills a power of two */
    double *table;  /* the table row by row, so that a patient is found in one place of memory */
    bool occasions; /* some eta is between occasions */
};

/* ---- preparing */

/* A value that the study changed is the new middle of a lognormal or normal spread; it replaces a uniform one. */
static void find_uncertain(struct hl_cohort *cohort)
{
    const struct hl_system *system = cohort->system;
    cohort->uncertain = hl_arena_alloc(cohort->arena, system->n_parameters, sizeof *cohort->uncertain);
    for (size_t i = 0; i < system->n_parameters && cohort->spec->uncertainty; i++) {
        const struct hl_system_parameter *parameter = &system->parameter[i];
        const struct hl_parameter *info = parameter->info;
        double value = system->initial[parameter->reg];
        bool uniform = info->uncertainty == HL_SPREAD_UNIFORM;
        if (info->uncertainty == HL_SPREAD_NONE || (uniform && value != info->value)) /* changed: not the very number */
            continue;
        cohort->uncertain[cohort->n_uncertain++] = (struct uncertain){
            .reg = parameter->reg,
            .spread = info->uncertainty,
            .a = uniform ? info->u0 : value,
            .b = uniform ? info->u1 : info->u0,
            .stream = hl_text_hash(hl_arena_printf(cohort->arena, "uncertainty:%s", parameter->name)),
        };
    }
}

static bool check_mixture(const struct hl_system_mixture *mixture, struct hl_diag *diag)
{
    double sum = 0.0;
    bool negative = false;
    for (size_t i = 0; i < mixture->info->n; i++) {
        sum += mixture->info->probability[i];
        negative |= !(mixture->info->probability[i] >= 0.0);
    }
    if (!negative && fabs(sum - 1.0) <= 1e-9)
        return true;
    hl_diag_error(diag, mixture->info->pos, "the probabilities of mixture '%s' %s; they must sum to 1", mixture->name,
                  negative ? "include a negative one" : "don't sum to 1");
    return false;
}

/* All that would make drawing meaningless; most of it was refused when the study was read. */
static bool check(const struct hl_cohort *cohort, struct hl_diag *diag)
{
    const struct hl_system *system = cohort->system;
    bool good = cohort->spec->subjects > 0;
    if (!good)
        hl_diag_error(diag, cohort->arm->pos, "a cohort of 0 subjects; write subjects: 1000, or cohort: typical");
    for (size_t i = 0; i < system->n_etas; i++)
        if (!(system->eta[i].sd >= 0.0 && isfinite(system->eta[i].sd))) {
            hl_diag_error(diag, cohort->arm->pos, "the standard deviation of '%s' is %g; it must be 0 or more",
                          system->eta[i].name, system->eta[i].sd);
            good = false;
        }
    for (size_t i = 0; i < system->n_covariates; i++)
        good = hl_distribution_check(&cohort->spec->distribution[i], system->covariate[i].name, diag) && good;
    for (size_t i = 0; i < system->n_mixtures; i++)
        good = check_mixture(&system->mixture[i], diag) && good;
    return good;
}

static void find_streams(struct hl_cohort *cohort)
{
    const struct hl_system *system = cohort->system;
    cohort->mixture_stream = hl_arena_alloc(cohort->arena, system->n_mixtures, sizeof *cohort->mixture_stream);
    for (size_t i = 0; i < system->n_mixtures; i++)
        cohort->mixture_stream[i] = hl_text_hash(system->mixture[i].name);
    cohort->row_stream = hl_text_hash("csv:row");
    for (size_t i = 0; i < system->n_etas; i++)
        cohort->occasions |= system->eta[i].occasion;
}

static bool is_column(const struct hl_cohort *cohort, size_t covariate)
{
    return cohort->spec->distribution[covariate].kind == HL_DIST_CSV;
}

/* Turns the table's columns into rows. false when there is no memory. */
static bool lay_table(struct hl_cohort *cohort)
{
    size_t n_columns = 0;
    for (size_t i = 0; i < cohort->system->n_covariates; i++)
        if (is_column(cohort, i)) {
            cohort->n_rows = cohort->spec->distribution[i].n;
            n_columns++;
        }
    for (cohort->width = 1; cohort->width < n_columns;)
        cohort->width *= 2;
    if (!(cohort->table = hl_alloc(cohort->n_rows * cohort->width, sizeof *cohort->table)))
        return false;
    for (size_t i = 0, column = 0; i < cohort->system->n_covariates; i++) {
        for (size_t row = 0; is_column(cohort, i) && row < cohort->n_rows; row++)
            cohort->table[row * cohort->width + column] = cohort->spec->distribution[i].value[row];
        column += is_column(cohort, i);
    }
    return true;
}

struct hl_cohort *hl_cohort_create(const struct hl_arm *arm, struct hl_diag *diag)
{
    struct hl_arena *arena = hl_arena_create();
    if (!arena) {
        hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(HL_ERR_MEMORY));
        return NULL;
    }
    struct hl_cohort *cohort = hl_arena_alloc(arena, 1, sizeof *cohort);
    *cohort = (struct hl_cohort){.system = arm->system, .spec = arm->cohort, .arm = arm, .arena = arena};
    bool good = check(cohort, diag);
    cohort->groups = hl_groups_create(arena, arm->system, arm->cohort, diag);
    if (!good || !cohort->groups) {
        hl_arena_free(arena);
        return NULL;
    }
    find_uncertain(cohort);
    find_streams(cohort);
    if (lay_table(cohort))
        return cohort;
    hl_diag_error(diag, hl_pos_none(), "%s", hl_status_sentence(HL_ERR_MEMORY));
    hl_arena_free(arena);
    return NULL;
}

void hl_cohort_free(struct hl_cohort *cohort)
{
    if (!cohort)
        return;
    hl_free(cohort->table);
    hl_arena_free(cohort->arena);
}

/* ---- drawing */

/* Neighbouring subjects who are drawn together. Register r of member k is regs[r * lanes + k], its score of quantity q
 * score[q * CROWD + k]. */
struct crowd {
    size_t n;
    uint64_t id[CROWD];
    size_t row[CROWD]; /* of the table */
    double *score, *regs;
    size_t lanes;
};

static double *values_of(const struct crowd *crowd, int reg)
{
    return crowd->regs + (size_t)reg * crowd->lanes;
}

/* Class by cumulated probability; rounding leaves the rest to the last class. */
static size_t drawn_class(const struct hl_mixture *mixture, double u)
{
    double sum = 0.0;
    for (size_t i = 0; i + 1 < mixture->n; i++)
        if (u < (sum += mixture->probability[i]))
            return i;
    return mixture->n ? mixture->n - 1 : 0;
}

static size_t likeliest_class(const struct hl_mixture *mixture)
{
    size_t best = 0;
    for (size_t i = 1; i < mixture->n; i++)
        if (mixture->probability[i] > mixture->probability[best])
            best = i;
    return best;
}

static void put_mixtures(const struct hl_cohort *cohort, const struct crowd *crowd)
{
    uint64_t seed = cohort->spec->seed;
    for (size_t i = 0; i < cohort->system->n_mixtures; i++) {
        const struct hl_mixture *mixture = cohort->system->mixture[i].info;
        double *class = values_of(crowd, cohort->system->mixture[i].reg);
        for (size_t k = 0; k < crowd->n; k++)
            class[k] = cohort->spec->typical
                           ? (double)likeliest_class(mixture)
                           : (double)drawn_class(mixture, hl_random_uniform(seed, crowd->id[k],
                                                                            cohort->mixture_stream[i], 0));
    }
}

static void put_etas(const struct hl_cohort *cohort, const struct crowd *crowd)
{
    for (size_t i = 0; i < cohort->system->n_etas; i++) {
        double sd = hl_groups_sd(cohort->groups, i), *eta = values_of(crowd, cohort->system->eta[i].reg);
        for (size_t k = 0; k < crowd->n; k++)
            eta[k] = cohort->spec->typical ? 0.0 : sd * crowd->score[i * CROWD + k];
    }
}

/* Every member's row of the table, asked for before it is needed. */
static void find_rows(const struct hl_cohort *cohort, struct crowd *crowd)
{
    for (size_t k = 0; cohort->n_rows > 0 && k < crowd->n; k++) {
        double u = hl_random_uniform(cohort->spec->seed, crowd->id[k], cohort->row_stream, 0);
        size_t row = (size_t)(u * (double)cohort->n_rows);
        crowd->row[k] = row < cohort->n_rows ? row : cohort->n_rows - 1;
        __builtin_prefetch(cohort->table + crowd->row[k] * cohort->width);
    }
}

static void put_covariates(const struct hl_cohort *cohort, const struct crowd *crowd)
{
    const struct hl_system *system = cohort->system;
    const double *column = cohort->table;
    for (size_t i = 0; i < system->n_covariates; i++) {
        const struct hl_distribution *d = &cohort->spec->distribution[i];
        double *value = values_of(crowd, system->covariate[i].reg);
        bool listed = d->kind == HL_DIST_CSV;
        for (size_t k = 0; k < crowd->n; k++)
            value[k] = listed ? column[crowd->row[k] * cohort->width]
                              : hl_distribution_value(d, crowd->score[(system->n_etas + i) * CROWD + k]);
        column += listed;
    }
    for (size_t i = 0; i < cohort->arm->n_covariate_overrides; i++)
        for (size_t k = 0; k < crowd->n; k++)
            values_of(crowd, system->covariate[cohort->arm->covariate[i]].reg)[k] = cohort->arm->covariate_value[i];
}

static void put_uncertain(const struct hl_cohort *cohort, const struct crowd *crowd)
{
    uint64_t seed = cohort->spec->seed;
    for (size_t i = 0; i < cohort->n_uncertain; i++) {
        const struct uncertain *u = &cohort->uncertain[i];
        double *value = values_of(crowd, u->reg);
        for (size_t k = 0; k < crowd->n; k++)
            if (u->spread == HL_SPREAD_UNIFORM)
                value[k] = u->a + (u->b - u->a) * hl_random_uniform(seed, crowd->id[k], u->stream, 0);
            else {
                double z = hl_random_normal(seed, crowd->id[k], u->stream, 0);
                value[k] = u->spread == HL_SPREAD_LOGNORMAL ? u->a * exp(u->b * z) : u->a + u->b * z;
            }
    }
}

/* Everything that the individual program starts from. */
static void put_crowd(const struct hl_cohort *cohort, struct crowd *crowd)
{
    find_rows(cohort, crowd);
    if (!cohort->spec->typical)
        hl_groups_scores(cohort->groups, cohort->spec->seed, crowd->id, crowd->n, crowd->score, CROWD);
    put_covariates(cohort, crowd);
    put_etas(cohort, crowd);
    put_mixtures(cohort, crowd);
    put_uncertain(cohort, crowd);
}

void hl_cohort_fill(const struct hl_cohort *cohort, uint64_t first, size_t n, double *regs, size_t lanes)
{
    double score[hl_groups_size(cohort->groups) * CROWD];
    memset(score, 0, sizeof score);
    hl_system_reset(cohort->system, regs, lanes);
    for (size_t i = 0; i < lanes && n > 0; i += CROWD) {
        struct crowd crowd = {.n = lanes - i < CROWD ? lanes - i : CROWD, .score = score, .regs = regs + i,
                              .lanes = lanes};
        for (size_t k = 0; k < crowd.n; k++)
            crowd.id[k] = first + (i + k < n ? i + k : n - 1);
        put_crowd(cohort, &crowd);
    }
    hl_program_run(&cohort->system->individual, regs, lanes);
}

void hl_cohort_draw(const struct hl_cohort *cohort, uint64_t subject, double *regs)
{
    double score[hl_groups_size(cohort->groups) * CROWD];
    struct crowd crowd = {.n = 1, .id = {subject}, .score = score, .regs = regs, .lanes = 1};
    memset(score, 0, sizeof score);
    hl_system_reset(cohort->system, regs, 1);
    put_crowd(cohort, &crowd);
}

bool hl_cohort_fixes(const struct hl_cohort *cohort, int covariate)
{
    for (size_t i = 0; i < cohort->arm->n_covariate_overrides; i++)
        if (cohort->arm->covariate[i] == covariate)
            return true;
    return false;
}

void hl_cohort_occasion(const struct hl_cohort *cohort, uint64_t subject, double occasion, double *regs)
{
    const struct hl_system *system = cohort->system;
    if (!cohort->occasions || cohort->spec->typical)
        return; /* what hl_cohort_draw wrote holds for every occasion */
    double score[hl_groups_size(cohort->groups)];
    memset(score, 0, sizeof score);
    hl_groups_occasion_scores(cohort->groups, cohort->spec->seed, subject, (uint64_t)(int64_t)occasion, score);
    for (size_t i = 0; i < system->n_etas; i++)
        if (system->eta[i].occasion)
            regs[system->eta[i].reg] = hl_groups_sd(cohort->groups, i) * score[i];
}

/* ---- observing */

double hl_cohort_observation(const struct hl_cohort *cohort, uint64_t subject, const struct hl_output *output,
                             uint64_t draw, double IPRED)
{
    double scale = output->residual_proportional, shift = output->residual_additive, DV = IPRED;
    if (cohort->spec->typical)
        return IPRED;
    if (scale > 0.0) {
        uint64_t stream = hl_text_hash_more(hl_text_hash("residual.scale:"), output->name);
        double e = scale * hl_random_normal(cohort->spec->seed, subject, stream, draw);
        DV = output->residual_log ? IPRED * exp(e) : IPRED * (1.0 + e);
    }
    if (shift > 0.0) {
        uint64_t stream = hl_text_hash_more(hl_text_hash("residual.shift:"), output->name);
        DV += shift * hl_random_normal(cohort->spec->seed, subject, stream, draw);
    }
    return DV;
}
